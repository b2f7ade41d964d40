"""Pages as a case manager asks for them, each beside the raw SQL of the same requests; and the export of the list."""

import gc
import time
from io import BytesIO
from typing import Any

import bench_world
from bench_table import Line, timed
from bench_world import PASSWORD, say
from sqlalchemy import event

from crm.extensions import db

# At least forty, so that the 95th percentile is not the worst single request.
REQUESTS = 60


class Statements:
    """What the engine was asked during a request, to be run again on the bare driver."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.seen: list[tuple[str, Any]] = []
        self.on = False
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if self.on and not many and statement.lstrip().upper().startswith(("SELECT", "WITH")):
            self.seen.append((statement, parameters))

    def raw_seconds(self) -> float:
        """How long the driver alone needs for the same statements."""
        raw = self.engine.raw_connection()
        try:
            cursor = raw.cursor()
            started = time.perf_counter()
            for statement, parameters in self.seen:
                cursor.execute(statement, parameters)
                cursor.fetchall()
            return time.perf_counter() - started
        finally:
            raw.rollback()
            raw.close()


def signed_in(app: Any, login: str) -> Any:
    import re

    client = app.test_client()
    page = client.get("/sign-in").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token, "the sign-in page has no token"
    answer = client.post("/sign-in", data={"csrf_token": token[1], "login": login, "password": PASSWORD})
    assert answer.status_code == 302, answer.status_code
    # Every browser takes packed pages, and packing them is part of what it waits for.
    client.environ_base["HTTP_ACCEPT_ENCODING"] = "gzip"
    return client


def measured(client: Any, statements: Statements, addresses: list[str]) -> tuple[float, float, float, float]:
    """p50 and p95 of the requests in milliseconds, the p50 of their CPU and of their raw SQL; each is warmed once.

    On a machine that is busy with something else the clock says more than the CPU time; on an idle one they agree.
    """
    took, busy, raw = [], [], []
    for address in dict.fromkeys(addresses):
        assert client.get(address).status_code == 200, address
    gc.collect()
    for address in addresses:
        statements.seen, statements.on = [], True
        started, worked = time.perf_counter(), time.process_time()
        answer = client.get(address)
        took.append(time.perf_counter() - started)
        busy.append(time.process_time() - worked)
        statements.on = False
        assert answer.status_code == 200, address
        raw.append(statements.raw_seconds())
    return _at(took, 50), _at(took, 95), _at(busy, 50), _at(raw, 50)


def _at(seconds: list[float], percent: int) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))] * 1000


def addresses() -> dict[str, list[str]]:
    """What is asked for, never the same twice running."""
    townships = bench_world.township_ids()
    ids = bench_world.enterprise_ids(REQUESTS)
    words = ["食品", "青禾", "药材", "石门", "材料", "云谷", "机械", "生物", "竹溪", "电子"]
    industries = ["", "&status=active", "&state=cq_tech:valid"]
    turns = range(REQUESTS)
    lists = []
    for n in turns:
        place = townships[n * 7 % len(townships)]
        lists.append(
            f"/enterprises?rung={n % 2}&township={place}{industries[n % 3] or '&state=cq_tech:'}"
            f"&sort={('name', 'due', 'contact')[n % 3]}"
        )
    return {
        "list of 50, three filters, count": lists,
        "list of 50, no filter": [f"/enterprises?page={n % 20 + 1}" for n in turns],
        "list of 50, three orders, twelve columns": [
            f"/enterprises?township={townships[n % len(townships)]}&sort=industry,-due,name&columns="
            + "&columns=".join(_TWELVE)
            for n in turns
        ],
        "counts of the views' tabs": [f"/enterprises/views?view={('', 'awaiting')[n % 2]}" for n in turns],
        "enterprise file": [f"/enterprises/{ids[n % len(ids)]}" for n in turns],
        "search, two characters (picker)": [f"/enterprises/find?q={words[n % len(words)]}" for n in turns],
        "search, two characters (list)": [f"/enterprises?q={words[n % len(words)]}" for n in turns],
        "search, two initials (list)": [f"/enterprises?q={'qhsmygzxcl'[n % 9 : n % 9 + 2]}" for n in turns],
        "search, a word in half of all names": [f"/enterprises?q={('重庆', '巫溪')[n % 2]}" for n in turns],
        "board": ["/board", "/board?basis=held"] * (REQUESTS // 2),
        "due list": ["/due", "/due?who=all"] * (REQUESTS // 2),
    }


_TWELVE = (
    "code", "titles", "township", "industry", "due", "manager", "status", "contact_name", "contact_phone", "capital",
    "park", "township_operating",
)  # fmt: skip

# (p50, p95) in milliseconds at 100,000 enterprises on SQLite; PostgreSQL may take twice as long.
GOALS: dict[str, tuple[float | None, float | None]] = {
    "list of 50, three filters, count": (20, 35),
    "enterprise file": (None, 50),
    "search, two characters (picker)": (None, 40),
    "search, two characters (list)": (None, 40),
    "board": (None, 80),
    "due list": (None, 50),
}


def pages(app: Any, size: int, kind: str) -> list[Line]:
    lines = []
    with app.app_context():
        asked = addresses()
        engine = db.engine
        db.session.remove()
    statements = Statements(engine)
    client = signed_in(app, "manager0")
    # What the parts before left in this process, no web process carries: the collector need not walk over it.
    gc.collect()
    gc.freeze()
    for what, urls in asked.items():
        if client.get(urls[0]).status_code != 200:
            say(f"{what}: {urls[0]} does not answer; left out.")
            continue
        p50, p95, cpu, raw = measured(client, statements, urls)
        goal50, goal95 = GOALS.get(what, (None, None)) if size >= 100_000 else (None, None)
        factor = 1 if kind == "sqlite" else 2
        ratio = f"CPU {cpu:.1f} ms, raw SQL {raw:.1f} ms, ×{p50 / raw:.1f}" if raw else ""
        lines.append(Line(f"{what}, p50", p50, "ms", goal50 and goal50 * factor, ratio))
        lines.append(Line(f"{what}, p95", p95, "ms", goal95 and goal95 * factor))
        say(f"  {what}: p50 {p50:.1f} p95 {p95:.1f} CPU {cpu:.1f} raw {raw:.1f} ms")
    return lines


def exporting(app: Any, size: int) -> list[Line]:
    client = signed_in(app, "bureau")
    content = BytesIO()

    def fetch() -> None:
        answer = client.get("/enterprises/export")
        assert answer.status_code == 200, answer.status_code
        content.write(answer.data)

    took = timed(fetch)
    megabytes = content.tell() / 1_000_000
    say(f"  export of {size:,} rows: {took:.1f} s")
    return [Line(f"export of {size:,} rows, xlsx", took, "s", None, f"{megabytes:.1f} MB")]
