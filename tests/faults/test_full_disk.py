"""A disk that runs full: one sentence, nothing half written, the form kept; everything goes on once there is room."""

import contextlib
import errno
import html
import io
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import event, func, select, text, update

from crm.actions import imports
from crm.extensions import carrier, db
from crm.jobs import schedule
from crm.jobs.running import FULL, run
from crm.store import file_store
from crm.store.enterprises import Enterprise
from crm.store.files import StoredFile
from crm.store.imports import ImportBatch
from crm.store.jobs import Job
from crm.store.service_logs import ServiceLog
from crm.store.unit_of_work import DiskFull, unit_of_work
from tests.builders import NOW, act, county, make_enterprise, make_user
from tests.conftest import build, settings_for
from tests.faults.wholeness import counts, is_written, problems_of_database
from tests.web.conftest import post, sign_in
from tests.workbooks import workbook

SENTENCE = "磁盘满了，这一步没有写入。清出空间后再存一次，填的内容还在。"
# Longer than a page of the database, so that it needs room of its own.
TEXT = "到厂里看了新烘干线，研发费用只归集了两个项目。" * 80
ROWS = 1_500
KIB = 1024


class Disk:
    """A small disk of its own, filled by a file that takes what is left."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def fill(self, *, room: int = 0) -> None:
        db.session.rollback()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only = OFF")
            connection.connection.driver_connection.execute("ROLLBACK")
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.connection.driver_connection.execute("BEGIN")
        free = shutil.disk_usage(self.folder).free - room
        with (self.folder / "ballast").open("wb") as ballast, contextlib.suppress(OSError):
            ballast.write(b"\0" * free)
            ballast.flush()

    def free(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)


class Limits(Disk):
    """Where nobody may mount: a database that may grow no further, and files that cannot be finished."""

    def __init__(self, folder, monkeypatch) -> None:
        super().__init__(folder)
        self.monkeypatch = monkeypatch

    def fill(self, *, room: int = 0) -> None:
        db.session.rollback()
        pages = db.session.scalar(text("PRAGMA page_count")) + room // 4096
        self._limit(pages)
        if not room:
            self.monkeypatch.setattr(os, "fsync", _no_space)
            event.listen(db.engine, "begin", _take_the_rest)

    def free(self) -> None:
        self._limit(1_073_741_823)
        if event.contains(db.engine, "begin", _take_the_rest):
            event.remove(db.engine, "begin", _take_the_rest)
        self.monkeypatch.undo()

    def _limit(self, pages: int) -> None:
        db.session.remove()
        db.engine.dispose()
        event.listen(db.engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {pages}").close())


def _take_the_rest(connection) -> None:
    """Whoever wants to write finds the free space inside the database's last pages taken as well."""
    if not connection.exec_driver_sql("PRAGMA query_only").scalar():
        connection.exec_driver_sql("CREATE TABLE ballast AS SELECT zeroblob(1000000) AS bytes")


def _no_space(_file: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def disk(tmp_path, sqlite_template, monkeypatch):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "none", folder]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    shutil.copy(sqlite_template / "crm.db", folder / "crm.db")
    yield Disk(folder) if mounted.returncode == 0 else Limits(folder, monkeypatch)
    if mounted.returncode == 0:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def app(disk):
    from huey import MemoryHuey

    with time_machine.travel(NOW, tick=True):
        application = build(settings_for(disk.folder), PROPAGATE=False, HUEY=MemoryHuey("tests", immediate=False))
        with application.app_context():
            yield application
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def client(app):
    make_user("tanyue", "bureau", name="谭越")
    client = app.test_client()
    sign_in(client, "tanyue")
    return client


def ledger(rows: int = ROWS) -> bytes:
    lines = [[f"巫溪县第{n}号食品有限公司", f"联系人{n}", "一号路" * 20] for n in range(rows)]
    return workbook({"企业": [["企业名称", "联系人", "注册地址"], *lines]})


def bring(rows: int = ROWS) -> int:
    kept = file_store.keep(ledger(rows))
    with unit_of_work():
        return imports.start_import(kept, name="台账.xlsx", region_id=county().id, act=act())


def batch(batch_id: int) -> ImportBatch:
    db.session.rollback()
    return db.session.get(ImportBatch, batch_id)


def test_a_form_met_by_a_full_disk_is_kept_and_saved_once_there_is_room(client, disk):
    firm = make_enterprise()
    typed = {"kind": "visit", "text": TEXT, "happened_on": "2026-11-20", "enterprises": [firm], "request_key": "full-1"}
    before = counts()

    disk.fill()
    refused = post(client, "/visits/new", typed)
    after = counts()
    disk.free()
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', refused.text)
    kept = {name: html.unescape(value) for name, value in hidden}
    answers = [client.post("/visits/new", data=kept).status_code for _ in range(2)]

    assert (refused.status_code, SENTENCE in refused.text) == (507, True)
    assert after == before
    assert (kept["text"], kept["request_key"]) == (TEXT, "full-1")
    assert answers == [302, 302]
    assert db.session.scalars(select(ServiceLog.text)).all() == [TEXT]
    assert problems_of_database() == []


def test_an_upload_that_finds_no_room_leaves_no_file_and_no_batch(client, disk):
    files = file_store.folder()

    disk.fill()
    answer = post(
        client,
        "/imports",
        {"file": (io.BytesIO(ledger()), "台账.xlsx"), "full_list": "y"},
        content_type="multipart/form-data",
    )
    disk.free()

    assert (answer.status_code, SENTENCE in answer.text) == (507, True)
    assert "选过的文件要再选一次。" in answer.text
    assert [place for place in files.rglob("*") if place.is_file()] == []
    assert db.session.scalar(select(func.count()).select_from(StoredFile)) == 0
    assert db.session.scalar(select(func.count()).select_from(ImportBatch)) == 0


def test_a_page_is_read_while_the_disk_is_full(client, disk):
    firm = make_enterprise()

    disk.fill()
    codes = [client.get(url).status_code for url in ("/", f"/enterprises/{firm}", "/imports")]
    disk.free()

    assert codes == [200, 200, 200]


def test_an_import_that_finds_no_room_is_absent_says_so_and_is_written_later(app, disk):
    batch_id = bring()
    run(batch(batch_id).job_id)
    with unit_of_work():
        imports.confirm(batch_id, good_rows_only=False, act=act())
    before = counts()

    disk.fill(room=400 * KIB)  # enough for a sentence, too little for the rows
    ended = run(batch(batch_id).job_id)
    said, wrote, after = batch(batch_id).message, is_written(batch_id), counts()
    job_said = db.session.get(Job, batch(batch_id).job_id).error
    disk.free()
    with unit_of_work():
        imports.confirm(batch_id, good_rows_only=False, act=act())
    again = run(batch(batch_id).job_id)

    assert (ended, said, job_said) == ("failed", "磁盘满了，这一步没有写入。清出空间后再确认一次。", FULL)
    assert (wrote, after) == (False, before)
    assert (again, is_written(batch_id)) == ("done", True)
    assert db.session.scalar(select(func.count()).select_from(Enterprise)) == ROWS
    assert problems_of_database() == []


def test_a_preview_that_finds_no_room_is_told_and_can_be_asked_for_again(app, disk):
    batch_id = bring()

    disk.fill(room=200 * KIB)
    ended = run(batch(batch_id).job_id)
    state, said = batch(batch_id).state, batch(batch_id).message
    disk.free()
    with unit_of_work():
        imports.ask_again(batch_id, act=act())
    run(batch(batch_id).job_id)

    assert (ended, state, said) == ("failed", "failed", "磁盘满了，这一步没有写入。清出空间后再预览。")
    assert (batch(batch_id).state, batch(batch_id).summary["rows"]) == ("preview", ROWS)


def test_work_that_cannot_even_note_its_end_is_done_once_there_is_room(app, disk):
    batch_id = bring(rows=30)
    job_id = batch(batch_id).job_id
    carrier.huey.flush()

    disk.fill()
    with pytest.raises(DiskFull):
        run(job_id)
    disk.free()
    with unit_of_work() as session:
        session.execute(update(Job).values(created_at=datetime.now(UTC) - timedelta(minutes=2)))
    schedule.put_back_lost_jobs(datetime.now(UTC))
    for task in carrier.huey.pending():
        run(task.args[0])

    assert (batch(batch_id).state, batch(batch_id).summary["new"]) == ("preview", 30)


def test_a_command_on_a_full_disk_says_so_and_leaves_with_1(app, disk):
    file = disk.folder.parent / "台账.xlsx"
    file.write_bytes(ledger())
    before = counts()

    disk.fill()
    done = app.test_cli_runner().invoke(args=["import", str(file)])
    disk.free()

    assert (done.exit_code, "The disk is full; nothing was written." in done.output) == (1, True)
    assert counts() == before
    assert problems_of_database() == []
