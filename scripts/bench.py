"""Measures what a person waits for, on invented enterprises, and writes the table into docs/performance.md.

Pages are asked for as a case manager who sees the whole region, warm, one client, through the application itself (no
socket); beside each stands the raw SQL of the same requests, run again on the bare driver.
"""

import argparse
import gc
import os
import platform
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import bench_world  # noqa: E402 (the path comes first)
from bench_world import PASSWORD, bench_dir, say  # noqa: E402
from sqlalchemy import event  # noqa: E402

from crm.actions import imports  # noqa: E402
from crm.actions.service_logs import log_service  # noqa: E402
from crm.domain.acts import Act  # noqa: E402
from crm.domain.codes import make_code  # noqa: E402
from crm.extensions import db  # noqa: E402
from crm.jobs import imports as import_work  # noqa: E402
from crm.jobs import running  # noqa: E402
from crm.store import file_store  # noqa: E402
from crm.store.imports import ImportBatch  # noqa: E402
from crm.store.regions import region_by_code  # noqa: E402
from crm.store.unit_of_work import unit_of_work  # noqa: E402
from crm.store.users import user_by_login, viewer_of  # noqa: E402

START, END = "<!-- measured -->", "<!-- /measured -->"
PAGE = ROOT / "docs" / "performance.md"
# At least forty, so that the 95th percentile is not the worst single request.
REQUESTS = 60


@dataclass(frozen=True)
class Line:
    """One row of the table. ``goal`` in the unit of ``value``; None where there is none."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "ok" if self.value <= self.goal else "missed"


@dataclass
class Table:
    title: str
    lines: list[Line]


# --- pages -----------------------------------------------------------------------------------------------------------


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
        "enterprise file": [f"/enterprises/{ids[n % len(ids)]}" for n in turns],
        "search, two characters (picker)": [f"/enterprises/find?q={words[n % len(words)]}" for n in turns],
        "search, two characters (list)": [f"/enterprises?q={words[n % len(words)]}" for n in turns],
        "search, two initials (list)": [f"/enterprises?q={'qhsmygzxcl'[n % 9 : n % 9 + 2]}" for n in turns],
        "search, a word in half of all names": [f"/enterprises?q={('重庆', '巫溪')[n % 2]}" for n in turns],
        "board": ["/board", "/board?basis=held"] * (REQUESTS // 2),
        "due list": ["/due", "/due?who=all"] * (REQUESTS // 2),
    }


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


# --- import and export -----------------------------------------------------------------------------------------------

HEADS = (
    "企业名称", "统一社会信用代码", "乡镇（考核）", "企业类型", "行业代码", "成立日期", "注册资本", "法定代表人",
    "联系人", "联系电话", "地址", "主导产品",
)  # fmt: skip


def workbook(path: Path, rows: int) -> None:
    """A list of enterprises: half of them known by their codes with a new telephone number, half new."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("企业名单")
    sheet.write_row(0, 0, HEADS)
    towns = ("凤凰镇", "宁河街道", "柏杨街道", "古路镇", "文峰镇")
    for n in range(rows):
        known = n % 2 == 0
        number = 1_000_000 + n if known else 5_000_000 + n
        name = known_names()[n] if known else f"巫溪县新入库{n}食品有限责任公司"
        sheet.write_row(
            n + 1,
            0,
            (
                name, make_code(number), towns[n % len(towns)], "公司", "1392", f"20{n % 18 + 5:02d}-03-15",
                f"{n % 900 + 100}", f"甲{n}", f"乙{n}", f"0231{n:07d}", f"示例路 {n} 号（虚构）", "粉条、豆干",
            ),
        )  # fmt: skip
    book.close()


_NAMES: list[str] = []


def known_names() -> list[str]:
    if not _NAMES:
        from crm.cli.demo_bench import bench_enterprises

        _NAMES.extend(fields["name"] for fields in bench_enterprises(10_000))
    return _NAMES


class Lock:
    """How long the write transaction of this thread was open, longest first."""

    def __init__(self, engine: Any) -> None:
        self.held: list[float] = []
        self.since: dict[int, float] = {}
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "commit", self._end)
        event.listen(engine, "rollback", self._end)

    def _begin(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        word = statement.lstrip()[:6].upper()
        if connection.info.get("bench_writing") is None and word in ("INSERT", "UPDATE", "DELETE"):
            connection.info["bench_writing"] = time.perf_counter()
        if statement == "BEGIN IMMEDIATE":
            connection.info["bench_writing"] = time.perf_counter()

    def _end(self, connection: Any) -> None:
        since = connection.info.pop("bench_writing", None)
        if since is not None:
            self.held.append(time.perf_counter() - since)


@contextmanager
def somebody_saving(app: Any, enterprise_id: int, waits: list[float]) -> Iterator[None]:
    """Meanwhile a colleague saves a visit, at once and then every ten seconds; how long each took is noted."""
    stop = threading.Event()

    def save() -> None:
        with app.app_context():
            user = user_by_login("bureau")
            viewer = viewer_of(user, datetime.now(UTC).date())
            while True:
                now = datetime.now(UTC)
                act = Act(viewer, "web", now, now.date())
                values = {"happened_on": now.date(), "kind": "call", "text": "电话问候。"}
                started = time.perf_counter()
                with unit_of_work():
                    log_service([enterprise_id], values, act=act)
                waits.append(time.perf_counter() - started)
                db.session.rollback()
                if stop.wait(10):
                    break
            db.session.remove()

    thread = threading.Thread(target=save)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def importing(app: Any, size: int, rows: int = 10_000) -> list[Line]:
    """Preview, commit and undo of a file, as the worker does them; the longest write lock and the longest wait."""
    path = bench_dir() / f"import-{rows}.xlsx"
    if not path.exists():
        workbook(path, rows)
    lines: list[Line] = []
    goals = size >= 100_000
    with app.app_context():
        engine = db.engine
        lock = Lock(engine)
        waits: list[float] = []
        region = region_by_code(bench_world.COUNTY)
        assert region is not None
        region_id = region.id
        viewer = viewer_of(user_by_login("bureau"), datetime.now(UTC).date())

        def act() -> Act:
            now = datetime.now(UTC)
            return Act(viewer, "web", now, now.date())

        enterprise_id = bench_world.enterprise_ids(1)[0]
        kept = file_store.keep(path.read_bytes())
        with unit_of_work():
            batch_id = imports.start_import(kept, name="名单.xlsx", region_id=region_id, profile="generic", act=act())
        batch = db.session.get(ImportBatch, batch_id)
        job_id = batch.job_id
        preview = timed(lambda: running.run(job_id))
        db.session.rollback()
        batch = db.session.get(ImportBatch, batch_id)
        assert batch.state == "preview", (batch.state, batch.message)
        note = f"{batch.summary['new']} new, {batch.summary['changed']} changed of {batch.summary['rows']} rows"
        lines.append(Line("import of 10,000 rows × 12 columns: preview", preview, "s", 4 if goals else None, note))
        with unit_of_work():
            imports.confirm(batch_id, good_rows_only=True, act=act())
        job_id = db.session.get(ImportBatch, batch_id).job_id
        lock.held.clear()
        with somebody_saving(app, enterprise_id, waits):
            commit = timed(lambda: running.run(job_id))
        db.session.rollback()
        batch = db.session.get(ImportBatch, batch_id)
        note = ""
        if batch.state == "preview":
            # Whoever saves while the write is made ready makes it stale; after some tries the import gives up.
            note = f"given up after {commit:.1f} s of saving beside it, then alone"
            with unit_of_work():
                imports.confirm(batch_id, good_rows_only=True, act=act())
            job_id = db.session.get(ImportBatch, batch_id).job_id
            commit = timed(lambda: running.run(job_id))
            db.session.rollback()
            batch = db.session.get(ImportBatch, batch_id)
        assert batch.state == "done", (batch.state, batch.message)
        lines.append(Line("import: commit with history and projections", commit, "s", 4 if goals else None, note))
        longest = max(lock.held, default=0.0)
        lines.append(Line("import: write lock held, longest", longest, "s", 1 if goals else None))
        lines.append(
            Line("import: a visit saved meanwhile, longest", max(waits, default=0.0), "s", 1 if goals else None)
        )

        undo = timed(lambda: import_work.undo(batch_id, act))
        lines.append(Line("import: undo", undo, "s", 4 if goals else None))
        db.session.remove()
    for line in lines:
        say(f"  {line.what}: {line.value:.2f} s {line.note}")
    return lines


def timed(deed: Callable[[], Any]) -> float:
    gc.collect()
    started = time.perf_counter()
    deed()
    return time.perf_counter() - started


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


# --- memory and start ------------------------------------------------------------------------------------------------


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """scripts/start on an instance folder: its process, its address, and the seconds until the first page."""
    port = free_port()
    environment = {**os.environ, "INSTANCE_DIR": str(folder), "PORT": str(port), "HOST": "127.0.0.1"}
    for name in ("DATABASE_URL", "SMTP_URL"):
        environment.pop(name, None)
    started = time.perf_counter()
    process = subprocess.Popen([str(ROOT / "scripts" / "start")], env=environment, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        seconds = _first_page(process, address, started)
        yield process, address, seconds
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()


def _first_page(process: subprocess.Popen[bytes], address: str, started: float) -> float:
    while time.perf_counter() - started < 300:
        if process.poll() is not None:
            raise SystemExit(f"scripts/start ended with {process.returncode}.")
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=5) as answer:
                if answer.status == 200:
                    return time.perf_counter() - started
        except OSError:
            time.sleep(0.1)
    raise SystemExit("scripts/start did not serve a page within five minutes.")


def starting() -> list[Line]:
    import shutil

    folder = bench_dir() / "fresh"
    shutil.rmtree(folder, ignore_errors=True)
    with served(folder) as (process, _, seconds):
        time.sleep(20)
        megabytes, count = memory_of(process.pid)
    shutil.rmtree(folder, ignore_errors=True)
    return [
        Line("fresh start to the first page (packages there, demo county built)", seconds, "s", 90),
        Line("memory of all processes at rest, PSS", megabytes, "MB", 350, f"{count} processes, demo county"),
    ]


def remembering(size: int) -> list[Line]:
    """Memory at rest on the large world, after each web worker has shown some pages."""
    folder = bench_dir() / f"sqlite-{size}"
    with served(folder) as (process, address, _):
        for _ in range(20):
            with urllib.request.urlopen(f"{address}/sign-in", timeout=30) as answer:
                answer.read()
        time.sleep(20)
        megabytes, count = memory_of(process.pid)
    return [
        Line(f"memory of all processes at rest, {size:,} enterprises, PSS", megabytes, "MB", 350, f"{count} processes")
    ]


def memory_of(root: int) -> tuple[float, int]:
    """The proportional set size of a process and everything under it, in MB, and how many processes that are."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
    tree, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree |= more
        grown = bool(more)
    total = 0
    for pid in tree:
        try:
            for line in (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total / 1024, len(tree)


# --- the table -------------------------------------------------------------------------------------------------------


def written(tables: list[Table], command: str) -> str:
    now = datetime.now().astimezone()
    load = os.getloadavg()[0]
    lines = [
        f"Measured on {now:%Y-%m-%d} on a machine with {os.cpu_count()} cores, {memory_gb():.0f} GB, "
        f"{platform.machine()}, Python {platform.python_version()}, with `{command}`; load average {load:.1f}.",
        "",
    ]
    for table in tables:
        lines += [f"### {table.title}", "", "| what | measured | goal | | |", "|---|---:|---:|---|---|"]
        for line in table.lines:
            digits = 0 if line.unit == "MB" else 1 if line.unit == "ms" or line.value >= 10 else 2
            goal = f"{line.goal:g} {line.unit}" if line.goal is not None else ""
            lines.append(
                f"| {line.what} | {line.value:.{digits}f} {line.unit} | {goal} | {line.verdict} | {line.note} |"
            )
        lines.append("")
    return "\n".join(lines)


def memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def put_into_page(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")


def worlds(size: int, only: set[str], url: str = "") -> Table:
    kind = "postgresql" if url else "sqlite"
    say(f"{size:,} enterprises on {kind}")
    app = bench_world.built(size, url)
    lines: list[Line] = []
    if "lists" in only:
        lines += pages(app, size, kind)
    if "export" in only:
        lines += exporting(app, size)
    if "import" in only:
        lines += importing(app, size)
    with app.app_context():
        db.engine.dispose()
    if "memory" in only and not url:
        lines += remembering(size)
    return Table(f"{size:,} enterprises on {'PostgreSQL' if url else 'SQLite'}", lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--sizes", default="10000,100000", help="how many enterprises, with commas")
    parser.add_argument("--postgres", action="store_true", help="measure on a throw-away PostgreSQL as well")
    parser.add_argument("--only", default="lists,import,export,memory,start", help="parts, with commas")
    parser.add_argument("--no-table", action="store_true", help="print the table and leave docs/performance.md alone")
    options = parser.parse_args()
    only = set(options.only.split(","))
    sizes = [int(size) for size in options.sizes.split(",") if size]
    tables = [worlds(size, only) for size in sizes]
    if options.postgres:
        with bench_world.throw_away_postgres() as server:
            import psycopg

            for size in sizes:
                with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE bench_{size}")
                tables.append(worlds(size, only, f"{server}/bench_{size}"))
    if "start" in only:
        tables.append(Table("Start and memory of a fresh installation", starting()))
    text = written(tables, " ".join(["scripts/bench", *sys.argv[1:]]))
    print(text)
    if not options.no_table:
        put_into_page(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
