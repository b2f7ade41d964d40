"""A county of 10,000 or 100,000 invented enterprises, built through the actions and kept for the next time."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from crm.actions import enterprises, figures, qualifications, service_logs
from crm.actions.places import load_places
from crm.app import create_app
from crm.cli.demo_bench import bench_enterprises
from crm.config import Settings, load_settings
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref
from crm.domain.viewers import the_machine
from crm.extensions import db
from crm.store import projections
from crm.store.migrating import migrate
from crm.store.passwords import hash_password
from crm.store.regions import Region, region_by_code
from crm.store.schema import schema_state
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Credential
from crm.store.writer import write

# Raised when what is built changes, so that an old world is built anew.
RECIPE = 2
PASSWORD = "measure-the-county-7"
MANAGERS = 25
CHUNK = 5_000
COUNTY = "500238"


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def bench_dir() -> Path:
    """Where the worlds are kept between runs."""
    return Path(os.environ.get("BENCH_DIR") or Path(tempfile.gettempdir()) / "crm-bench")


def settings_for(folder: Path, database_url: str = "", **more: str) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    return load_settings({"INSTANCE_DIR": str(folder), "DATABASE_URL": database_url, "DEMO": "0", **more})


def built(size: int, database_url: str = "") -> Any:
    """The application on a world of this size, which is built first when there is none of today's recipe."""
    kind = "postgresql" if database_url else "sqlite"
    folder = bench_dir() / f"{kind}-{size}"
    marker = folder / "built.json"
    settings = settings_for(folder, database_url)
    fresh = create_app(settings, TESTING=True, PROPAGATE=False)
    with fresh.app_context():
        want = {"recipe": RECIPE, "schema": schema_state().want, "migrations": _migrations()}
        db.session.remove()
    if not database_url and marker.exists() and json.loads(marker.read_text()) == want:
        with fresh.app_context():
            _catch_up()
        return fresh
    if not database_url and folder.exists():
        with fresh.app_context():
            db.engine.dispose()
        shutil.rmtree(folder)
        settings = settings_for(folder)
        fresh = create_app(settings, TESTING=True, PROPAGATE=False)
    with fresh.app_context():
        started = time.monotonic()
        _build(size)
        # A connection knows the planner's statistics from when it was opened.
        db.session.remove()
        db.engine.dispose()
        say(f"Built {size:,} enterprises on {kind} in {time.monotonic() - started:.0f} s.")
    marker.write_text(json.dumps(want))
    return fresh


def _migrations() -> str:
    """The text of the tables: a changed index needs a new world."""
    import hashlib

    from crm.store.schema import MIGRATIONS

    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(MIGRATIONS.glob("versions/*.py")))).hexdigest()


def _catch_up() -> None:
    """A world built on another day is brought to today as the nightly job would."""
    now = datetime.now(UTC)
    stale = projections.stale_ids(projections.local_day(now))
    if stale:
        with unit_of_work():
            projections.refresh(stale, at=now)


def _act(now: datetime, on: date) -> Act:
    return Act(the_machine("测量"), "demo", now, on)


def _build(size: int) -> None:
    migrate()
    now = datetime.now(UTC)
    on = projections.local_day(now)
    act = _act(now, on)
    password_hash = hash_password(PASSWORD)
    with unit_of_work():
        load_places(act=act)
    county = region_by_code(COUNTY)
    assert county is not None
    region_id = county.id
    townships = {code: township_id for township_id, code in _townships()}
    managers = _people(region_id, password_hash, act)
    chunk: list[Any] = []
    for number, fields in enumerate(bench_enterprises(size, on=on)):
        chunk += _one(number, fields, region_id, townships, managers, on, now)
        if (number + 1) % CHUNK == 0 or number + 1 == size:
            with unit_of_work():
                write(chunk, act=act, action="bench", region_id=region_id)
            chunk = []
    _settle()


def _people(region_id: int, password_hash: str, act: Act) -> list[int]:
    changes: list[Create] = []
    logins = [f"manager{n}" for n in range(MANAGERS)] + ["bureau"]
    for login in logins:
        role = "bureau" if login == "bureau" else "case_manager"
        values = {"login": login, "name": f"测量{login}", "region_id": region_id}
        values |= {"active": True, "email": f"{login}@example.org"}
        changes.append(Create("user", values, login))
        changes.append(Create("grant", {"user_id": Ref(login), "role": role, "region_id": region_id}))
    with unit_of_work() as work:
        written = write(changes, act=act, action="bench")
        for login in logins:
            work.add(Credential(user_id=written.ids[login], password_hash=password_hash, changed_at=act.recorded_at))
    return [written.ids[login] for login in logins if login != "bureau"]


def _one(
    number: int,
    fields: dict[str, Any],
    region_id: int,
    townships: dict[str, int],
    managers: list[int],
    on: date,
    now: datetime,
) -> Iterator[Create]:
    """An enterprise with its titles, two years of figures, and for two of five a visit, some with a next step."""
    key = ("e", number)
    values = {name: value for name, value in fields.items() if name not in ("township", "titles", "figures")}
    values |= {"township": townships[fields["township"]], "status": "active"}
    if number % 3:
        values["manager"] = managers[number % len(managers)]
    yield from enterprises.decide(None, values, region_id=region_id, on=on, key=key)
    for title in fields["titles"]:
        yield from qualifications.decide_new(Ref(key), title, recorded_at=now)
    for year, row in fields["figures"].items():
        yield from figures.decide(None, Ref(key), year, row)
    if number % 5 < 2:
        author = managers[number % len(managers)]
        event: dict[str, Any] = {
            "happened_on": on - timedelta(days=number % 300 + 1),
            "kind": "visit",
            "text": "看了车间，核对了研发费用台账和人员名册。",
        }
        if number % 10 == 0:
            event |= {"next_step": "补交研发费用辅助账", "next_step_on": on + timedelta(days=number % 90 - 10)}
            event["happened_on"] = min(event["happened_on"], event["next_step_on"])
        yield from service_logs.decide(event, [Ref(key)], region_id=region_id, author_id=author, key=("log", number))


def _settle() -> None:
    """PostgreSQL gathers its statistics now and not some minutes later; SQLite empties its log of writes."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


@contextmanager
def throw_away_postgres() -> Iterator[str]:
    """A cluster of Debian's PostgreSQL on a free port that is gone afterwards; durable settings as they come."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql, or measure without --postgres.")
    bin_dir = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="crm-bench-pg-"))
    data = folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root.
        shutil.chown(folder, "postgres", "postgres")
        folder.chmod(0o755)
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": "/"}
    initdb = [
        *as_user,
        str(bin_dir / "initdb"),
        "-D",
        str(data),
        "-U",
        "crm",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    subprocess.run(initdb, check=True, **quiet)
    control = [*as_user, str(bin_dir / "pg_ctl"), "-D", str(data)]
    options = f"-p {port} -h 127.0.0.1 -k {folder}"
    subprocess.run([*control, "-w", "-o", options, "-l", str(folder / "log"), "start"], check=True, **quiet)
    try:
        yield f"postgresql://crm@127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, **quiet)
        shutil.rmtree(folder, ignore_errors=True)


def enterprise_ids(limit: int) -> list[int]:
    """Ids spread over the whole world."""
    ids = projections.all_ids()
    return ids[:: max(1, len(ids) // limit)][:limit]


def township_ids() -> list[int]:
    return [township_id for township_id, _ in _townships()]


def _townships() -> list[tuple[int, str]]:
    """(id, code) of each township of the county that is measured: the only one here."""
    query = select(Region.id, Region.code).where(Region.level == "township").order_by(Region.code)
    return [(township_id, code) for township_id, code in db.session.execute(query)]
