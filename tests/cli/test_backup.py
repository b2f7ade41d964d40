"""The commands around copies: what they say, and with which exit code."""

import json
from datetime import UTC, datetime

import pytest

from crm.extensions import db
from crm.store.jobs import Heartbeat
from crm.store.unit_of_work import unit_of_work
from tests.builders import make_enterprise
from tests.conftest import build, settings_for


def run(app, *arguments):
    result = app.test_cli_runner().invoke(args=list(arguments))
    db.session.rollback()
    return result


@pytest.fixture
def backup_file(sqlite_app, tmp_path):
    make_enterprise()
    result = run(sqlite_app, "backup", "-o", str(tmp_path / "a.crmbackup"))
    assert result.exit_code == 0, result.output
    return tmp_path / "a.crmbackup"


@pytest.fixture
def elsewhere(tmp_path):
    other = build(settings_for(tmp_path / "other"))
    yield other
    with other.app_context():
        db.engine.dispose()


def test_backup_and_restore_report_the_same_tables(sqlite_app, tmp_path, elsewhere):
    make_enterprise()
    backup = run(sqlite_app, "backup", "-o", str(tmp_path / "b.crmbackup"), "--json")

    restore = elsewhere.test_cli_runner().invoke(args=["restore", str(tmp_path / "b.crmbackup"), "--verify", "--json"])

    assert (backup.exit_code, restore.exit_code) == (0, 0)
    made, back = json.loads(backup.stdout), json.loads(restore.stdout)
    assert made["tables"] == back["tables"]
    assert back["verified"] is True
    assert made["tables"]["enterprise"]["rows"] == 1


def test_a_verified_restore_says_that_counts_and_hashes_agree(backup_file, elsewhere):
    result = elsewhere.test_cli_runner().invoke(args=["restore", str(backup_file), "--verify"])

    assert result.exit_code == 0
    assert "Counts and hashes of all of them agree." in result.output


def test_a_restore_without_verify_says_that_nothing_was_compared(backup_file, elsewhere):
    result = elsewhere.test_cli_runner().invoke(args=["restore", str(backup_file)])

    assert result.exit_code == 0
    assert "not compared" in result.output


def test_a_used_place_is_refused_with_one_sentence_and_exit_1(backup_file, sqlite_app):
    result = run(sqlite_app, "restore", str(backup_file), "--verify")

    assert result.exit_code == 1
    assert "not empty" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_running_product_is_refused_with_exit_1(backup_file, sqlite_app):
    with unit_of_work() as work:
        work.add(Heartbeat(name="worker-1", seen_at=datetime.now(UTC)))

    result = run(sqlite_app, "restore", str(backup_file), "--verify")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "is running" in result.stderr


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"], ids=["empty", "text", "cut"])
def test_what_is_no_backup_is_a_wrong_call(tmp_path, elsewhere, content):
    (tmp_path / "x").write_bytes(content)

    result = elsewhere.test_cli_runner().invoke(args=["restore", str(tmp_path / "x"), "--verify"])

    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_missing_backup_file_is_a_wrong_call(tmp_path, elsewhere):
    result = elsewhere.test_cli_runner().invoke(args=["restore", str(tmp_path / "nowhere"), "--verify"])

    assert result.exit_code == 2
    assert "no file" in result.stderr


def test_a_backup_into_a_missing_folder_is_refused(sqlite_app, tmp_path):
    result = run(sqlite_app, "backup", "-o", str(tmp_path / "missing" / "a.crmbackup"))

    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_a_second_backup_does_not_overwrite_the_first(backup_file, sqlite_app):
    result = run(sqlite_app, "backup", "-o", str(backup_file))

    assert result.exit_code == 1
    assert "exists already" in result.stderr


def test_transfer_says_how_many_rows_agree(sqlite_app, tmp_path):
    make_enterprise()

    result = run(sqlite_app, "transfer", f"sqlite:///{tmp_path / 'moved.db'}", "--json")

    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert report["verified"] is True
    assert report["tables"]["enterprise"]["rows"] == 1


def test_transfer_to_something_that_is_no_database_is_a_wrong_call(sqlite_app):
    result = run(sqlite_app, "transfer", "mysql://somewhere/crm")

    assert result.exit_code == 2


def test_transfer_to_nobody_is_refused_without_the_password(sqlite_app):
    result = run(sqlite_app, "transfer", "postgresql://crm:geheim@127.0.0.1:1/crm")

    assert result.exit_code == 1
    assert "cannot be reached" in result.stderr
    assert "geheim" not in result.stderr
