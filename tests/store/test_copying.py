"""Backup, restore and transfer: what arrives is what left, on either database, or nothing is kept."""

import json
import sqlite3
import threading
import zipfile
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from sqlalchemy import func, select, text

from crm.actions.enterprises import edit_enterprise
from crm.actions.qualifications import correct_qualification
from crm.actions.service_logs import link
from crm.domain.changes import Create
from crm.extensions import db
from crm.store import portable
from crm.store.backups import BackupUnreadable, backup_to, read_backup, restore_from
from crm.store.copying import CopyRefused
from crm.store.enterprises import Enterprise
from crm.store.figures import Figures
from crm.store.file_store import keep, path_of, record
from crm.store.jobs import Heartbeat
from crm.store.messages import Message
from crm.store.qualifications import Qualification, qualifications_of
from crm.store.service_logs import ServiceLog
from crm.store.sessions import UserSession
from crm.store.transfer import transfer_to
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import NOW, act, county, make_enterprise, make_user
from tests.conftest import _drop, _running, build, fresh_settings, settings_for


def small_world() -> int:
    """One enterprise with a corrected title, figures, a log, a stored file and mail; returns its id."""
    make_user("xiang", "bureau")
    titles = [("hnte", date(2024, 11, 28), date(2027, 11, 27)), ("tech_sme", date(2025, 8, 1), None)]
    one = make_enterprise(
        "巫溪县青禾食品有限责任公司", titles=titles, capital=Decimal("1234567.89"), notes="一行\n两行"
    )
    gone = make_enterprise("巫溪县误录商贸有限公司")
    title = qualifications_of(one)[0]
    with unit_of_work():
        correct_qualification(title.id, {"number": "GR202451990001"}, version=title.version, act=act())
    figures = {"enterprise_id": one, "year": 2025, "revenue": Decimal("0.10"), "staff_count": 0}
    with unit_of_work():
        write([Create("figures", {**figures, "confirmed": {"z": 1, "a": {"at": "x"}}})], act=act(), action="test")
    kept = keep("证书扫描件".encode())
    with unit_of_work() as work:
        record(kept, name="证书.pdf", purpose="evidence", at=NOW, region_id=county().id, enterprise_id=one)
        work.add(UserSession(key_hash="k" * 64, user_id=1, created_at=NOW, seen_at=NOW))
        work.add(_message("queued"))
        work.add(_message("sent"))
    with unit_of_work() as work:
        work.execute(text("DELETE FROM search_text WHERE enterprise_id = :gone"), {"gone": gone})
    return one


def _message(state: str) -> Message:
    return Message(
        user_id=1, channel="mail", kind="digest", period=f"2026-{state}", recipient="a@example.org", subject="周一",
        text="…", message_id=f"<{state}@example.org>", state=state, queued_at=NOW, state_at=NOW,
    )  # fmt: skip


@contextmanager
def place(folder, database_url=""):
    """Another installation beside the one of the test: an empty instance folder and database."""
    folder.mkdir(exist_ok=True)
    other = build(settings_for(folder, database_url))
    with other.app_context():
        yield other
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def postgres_app(request, tmp_path):
    yield from _running(fresh_settings("postgresql", request, tmp_path))


@pytest.fixture
def empty_postgres(postgres_server, request):
    name = f"copy_{abs(hash(request.node.name)) % 10**9}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield f"{postgres_server}/{name}"
    _drop(postgres_server, name)


def assert_same_world(one: int) -> None:
    enterprise = db.session.get(Enterprise, one)
    assert (enterprise.capital, enterprise.notes) == (Decimal("1234567.89"), "一行\n两行")
    figures = db.session.scalar(select(Figures))
    assert (figures.revenue, figures.staff_count, figures.rd_expense) == (Decimal("0.10"), 0, None)
    assert figures.confirmed == {"z": 1, "a": {"at": "x"}}
    old = db.session.scalar(select(Qualification).where(Qualification.superseded_at.is_not(None)))
    assert old.superseded_at == NOW
    assert db.session.get(Qualification, old.superseded_by_id).number == "GR202451990001"


def test_a_backup_restored_elsewhere_is_the_same_library(app, tmp_path):
    one = small_world()
    made = backup_to(tmp_path / "a.crmbackup")

    with place(tmp_path / "other"):
        back = restore_from(tmp_path / "a.crmbackup")
        assert_same_world(one)

        assert back.tables == made.tables
        assert (back.files, back.rows) == (1, made.rows)
        assert path_of(keep("证书扫描件".encode()).sha256).read_bytes() == "证书扫描件".encode()


def test_a_backup_of_postgresql_restores_into_sqlite_and_back(postgres_app, tmp_path, empty_postgres):
    one = small_world()
    first = backup_to(tmp_path / "a.crmbackup")

    with place(tmp_path / "sqlite"):
        restore_from(tmp_path / "a.crmbackup")
        assert db.engine.dialect.name == "sqlite"
        assert_same_world(one)
        with unit_of_work() as work:
            work.execute(
                text("UPDATE message SET state = 'queued', error = NULL, state_at = :at WHERE state = 'uncertain'"),
                {"at": NOW.replace(tzinfo=None).isoformat(" ") + ".000000"},
            )
        second = backup_to(tmp_path / "b.crmbackup")
    with place(tmp_path / "postgres", empty_postgres):
        third = restore_from(tmp_path / "b.crmbackup")
        assert_same_world(one)

    assert first.tables == second.tables == third.tables


def test_a_transfer_to_postgresql_brings_every_row_and_says_the_hashes(sqlite_app, tmp_path, empty_postgres):
    one = small_world()

    copied = transfer_to(empty_postgres.replace("postgresql://", "postgresql+psycopg://"))

    backup = backup_to(tmp_path / "a.crmbackup")
    assert copied.tables == backup.tables
    with place(tmp_path / "other", empty_postgres):
        assert_same_world(one)


def test_a_transfer_back_to_sqlite_is_the_same(postgres_app, tmp_path):
    one = small_world()

    transfer_to(f"sqlite:///{tmp_path / 'back.db'}")

    with place(tmp_path / "other", f"sqlite:///{tmp_path / 'back.db'}"):
        assert_same_world(one)


def test_ids_are_not_given_out_again_after_a_copy(app, tmp_path):
    small_world()
    with unit_of_work() as work:
        highest = work.scalar(select(func.max(ServiceLog.id))) or 0
        log = ServiceLog(region_id=county().id)
        work.add(log)
        work.flush()
        used = log.id
        work.delete(log)
    assert used > highest
    backup_to(tmp_path / "a.crmbackup")

    with place(tmp_path / "other"):
        restore_from(tmp_path / "a.crmbackup")
        with unit_of_work():
            written = write(
                [Create("service_log", {"region_id": county().id, "kind": "visit"}, "l")], act=act(), action="test"
            )
        new = make_enterprise("巫溪县新来食品有限公司")

        assert written.ids["l"] > used
        assert new == db.session.scalar(select(func.max(Enterprise.id)))


def test_ids_go_on_after_a_transfer(sqlite_app, tmp_path, empty_postgres):
    one = small_world()
    transfer_to(empty_postgres.replace("postgresql://", "postgresql+psycopg://"))

    with place(tmp_path / "other", empty_postgres):
        assert make_enterprise("巫溪县新来食品有限公司") > one


def test_sign_in_sessions_are_not_copied_and_waiting_mail_is_left_to_a_person(app, tmp_path):
    small_world()
    backup_to(tmp_path / "a.crmbackup")

    with place(tmp_path / "other"):
        copied = restore_from(tmp_path / "a.crmbackup")

        assert copied.uncertain_messages == 1
        assert db.session.scalar(select(func.count()).select_from(UserSession)) == 0
        states = dict(db.session.execute(select(Message.period, Message.state)).all())
        assert states == {"2026-queued": "uncertain", "2026-sent": "sent"}


def test_a_backup_under_write_load_holds_whole_change_sets(settings, tmp_path):
    """While somebody saves visits, every log in the copy has its link, its change and its change set."""
    app = build(settings)
    with app.app_context():
        one = make_enterprise()
        region_id = county().id
        db.session.remove()
    stop, saved, wrong = threading.Event(), threading.Event(), []

    def visits():
        with app.app_context():
            try:
                while not stop.is_set():
                    with unit_of_work():
                        log = Create("service_log", {"region_id": region_id, "kind": "visit"}, "l")
                        write([log, link("l", one)], act=act(), action="log_service")
                    saved.set()
            except Exception as error:
                wrong.append(error)
            finally:
                db.session.remove()

    writer = threading.Thread(target=visits)
    writer.start()
    assert saved.wait(20)
    with app.app_context():
        copies = [backup_to(tmp_path / f"{n}.crmbackup") for n in range(3)]
        stop.set()
        writer.join()
        db.session.remove()
        db.engine.dispose()

    assert not wrong
    for n, copy in enumerate(copies):
        count = {name: entry["rows"] for name, entry in copy.tables.items()}
        assert count["service_log"] == count["service_log_enterprise"] > 0
        with zipfile.ZipFile(tmp_path / f"{n}.crmbackup") as archive:
            changed = [json.loads(line) for line in archive.open("tables/change.jsonl")]
        assert sum(row[2] == "service_log" for row in changed) == count["service_log"]
    assert copies[0].tables["service_log"] != copies[2].tables["service_log"]
    with place(tmp_path / "other"):
        assert restore_from(tmp_path / "2.crmbackup").tables == copies[2].tables


def test_a_backup_taken_before_a_migration_needs_no_column_the_code_has(app, tmp_path):
    """The code that backs up is newer than the database: columns it does not have yet are not asked for."""
    make_enterprise()
    with unit_of_work() as work:
        work.execute(text("ALTER TABLE stored_file DROP COLUMN media_type"))

    copied = backup_to(tmp_path / "a.crmbackup")

    assert read_backup(tmp_path / "a.crmbackup").tables == copied.tables


def test_an_existing_file_is_not_overwritten(sqlite_app, tmp_path):
    (tmp_path / "a.crmbackup").write_text("last week's")

    with pytest.raises(CopyRefused, match="exists already"):
        backup_to(tmp_path / "a.crmbackup")

    assert (tmp_path / "a.crmbackup").read_text() == "last week's"


def test_a_backup_that_fails_leaves_no_half_file(sqlite_app, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("crm.store.backups.os.fsync", full)
    (tmp_path / "backups").mkdir()

    with pytest.raises(OSError, match="No space"):
        backup_to(tmp_path / "backups" / "a.crmbackup")

    assert list((tmp_path / "backups").iterdir()) == []


def test_a_lost_stored_file_is_named(sqlite_app, tmp_path):
    small_world()
    path_of(keep("证书扫描件".encode()).sha256).unlink()

    copied = backup_to(tmp_path / "a.crmbackup")

    assert (copied.files, len(copied.missing_files)) == (0, 1)


@pytest.fixture
def backup(sqlite_app, tmp_path):
    small_world()
    backup_to(tmp_path / "a.crmbackup")
    return tmp_path / "a.crmbackup"


@pytest.mark.parametrize(
    "part", [0, 40, 4000, -1, -200], ids=["empty", "a few bytes", "cut early", "last byte", "cut late"]
)
def test_a_truncated_file_is_no_backup(backup, tmp_path, part):
    backup.write_bytes(backup.read_bytes()[:part])

    with place(tmp_path / "other") as other, pytest.raises(BackupUnreadable):
        restore_from(backup)

    assert not other.config["SETTINGS"].instance_dir.joinpath("files").exists()


def rewritten(backup, change):
    """The same file with its entries passed through ``change(name, bytes)``; None leaves one out."""
    with zipfile.ZipFile(backup) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(backup, "w") as archive:
        for name, content in entries.items():
            kept = change(name, content)
            if kept is not None:
                archive.writestr(name, kept)


def _one_name(name, content):
    return content.replace("青禾".encode(), "禾青".encode()) if name == "tables/enterprise.jsonl" else content


def _one_row_less(name, content):
    return content.split(b"\n", 1)[1] if name == "tables/enterprise.jsonl" else content


def _another_file(name, content):
    return b"another" if name.startswith("files/") else content


def _no_table(name, content):
    return None if name == "tables/change.jsonl" else content


def _another_format(name, content):
    return content.replace(b"cultivation-crm-backup", b"something") if name == "manifest.json" else content


def _no_manifest(name, content):
    return None if name == "manifest.json" else content


def _newer(name, content):
    return content.replace(b'"format_version": 1', b'"format_version": 99') if name == "manifest.json" else content


@pytest.mark.parametrize(
    "change", [_one_name, _one_row_less, _another_file, _no_table, _another_format, _no_manifest, _newer]
)
def test_a_changed_file_is_refused_before_anything_is_touched(backup, tmp_path, change):
    rewritten(backup, change)

    with place(tmp_path / "other"), pytest.raises(BackupUnreadable):
        restore_from(backup)

    with sqlite3.connect(tmp_path / "other" / "crm.db") as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_broken_byte_is_found(backup, tmp_path):
    with zipfile.ZipFile(backup) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.compress_size)
    content = bytearray(backup.read_bytes())
    # Inside the data of an entry: a header's date, for one, says nothing that a restore would read.
    content[largest.header_offset + 30 + len(largest.filename) + 20 + largest.compress_size // 2] ^= 0xFF
    backup.write_bytes(content)

    with place(tmp_path / "other"), pytest.raises(BackupUnreadable):
        restore_from(backup)


def test_a_backup_of_another_schema_is_refused(backup, tmp_path):
    rewritten(backup, lambda name, c: c.replace(b'"schema": "', b'"schema": "9') if name == "manifest.json" else c)

    with place(tmp_path / "other"), pytest.raises(CopyRefused, match="this code needs"):
        restore_from(backup)


def test_a_place_with_rows_is_not_restored_into(backup, sqlite_app):
    before = db.session.scalar(select(func.count()).select_from(Enterprise))

    with pytest.raises(CopyRefused, match="not empty"):
        restore_from(backup)

    assert db.session.scalar(select(func.count()).select_from(Enterprise)) == before


def test_a_place_with_stored_files_is_not_restored_into(backup, tmp_path):
    with place(tmp_path / "other"):
        keep(b"somebody's")

        with pytest.raises(CopyRefused, match="not empty"):
            restore_from(backup)


def test_a_running_product_is_not_restored_into_nor_transferred(backup, sqlite_app, tmp_path):
    with unit_of_work() as work:
        work.add(Heartbeat(name="scheduler", seen_at=datetime.now(UTC) - timedelta(seconds=20)))

    with pytest.raises(CopyRefused, match="is running"):
        restore_from(backup)
    with pytest.raises(CopyRefused, match="is running"):
        transfer_to(f"sqlite:///{tmp_path / 'back.db'}")


def test_an_old_heartbeat_stops_nothing(sqlite_app, tmp_path):
    with unit_of_work() as work:
        work.add(Heartbeat(name="scheduler", seen_at=datetime.now(UTC) - timedelta(minutes=5)))

    assert transfer_to(f"sqlite:///{tmp_path / 'back.db'}").rows > 0


def test_what_does_not_arrive_as_it_left_is_not_kept(backup, tmp_path, monkeypatch):
    """A disk or database that changes values on the way in: nothing stays, neither rows nor files."""
    honest = portable._row_in

    def lossy(kept, dialect):
        read = honest(kept, dialect)
        return lambda line: {**read(line), "name": "别的"} if kept.name == "enterprise" else read(line)

    monkeypatch.setattr(portable, "_row_in", lossy)
    with place(tmp_path / "other"):
        with pytest.raises(CopyRefused, match="Table enterprise does not arrive"):
            restore_from(backup)

        assert db.session.scalar(select(func.count()).select_from(Enterprise)) == 0
        assert list((tmp_path / "other" / "files").iterdir()) == []
        monkeypatch.undo()
        assert restore_from(backup).rows > 0


def test_a_transfer_into_a_used_database_is_refused(sqlite_app, tmp_path):
    transfer_to(f"sqlite:///{tmp_path / 'back.db'}")

    with pytest.raises(CopyRefused, match="not empty"):
        transfer_to(f"sqlite:///{tmp_path / 'back.db'}")


def test_a_transfer_to_the_database_in_use_is_refused(sqlite_app):
    with pytest.raises(CopyRefused, match="in use"):
        transfer_to(str(db.engine.url))


def test_a_transfer_to_an_address_nobody_serves_is_refused(sqlite_app):
    with pytest.raises(CopyRefused, match="cannot be reached"):
        transfer_to("postgresql+psycopg://crm@127.0.0.1:1/crm")


def test_work_goes_on_in_the_restored_library(backup, tmp_path):
    with place(tmp_path / "other"):
        restore_from(backup)
        one = db.session.scalar(select(Enterprise).where(Enterprise.name.contains("青禾")))

        with unit_of_work():
            edit_enterprise(one.id, {"name": "巫溪县青禾实业有限公司"}, version=one.version, act=act())

        assert db.session.get(Enterprise, one.id).name == "巫溪县青禾实业有限公司"
