"""An import of 10,000 rows as the worker runs it, while a colleague saves visits: how long, and who had to wait."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bench_world
from bench_table import Line, timed
from bench_world import bench_dir, say
from sqlalchemy import event

from crm.actions import imports
from crm.actions.service_logs import log_service
from crm.domain.acts import Act
from crm.domain.codes import make_code
from crm.extensions import db
from crm.jobs import imports as import_work
from crm.jobs import running
from crm.store import file_store
from crm.store.imports import ImportBatch
from crm.store.regions import region_by_code
from crm.store.unit_of_work import unit_of_work
from crm.store.users import user_by_login, viewer_of

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
