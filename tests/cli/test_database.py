"""`init`: an empty place becomes a database, an old one is migrated after a backup, a newer one is not touched."""

import json
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm.extensions import db
from crm.store.regions import Region
from crm.store.unit_of_work import unit_of_work
from tests.builders import county, make_user
from tests.conftest import build, settings_for


@pytest.fixture
def empty(tmp_path):
    application = build(settings_for(tmp_path))
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=list(arguments))


def test_an_empty_place_gets_schema_places_and_a_hint(empty):
    result = run(empty, "init")

    assert result.exit_code == 0
    assert "user add LOGIN --name" in result.stdout
    assert county().name == "巫溪县"


def test_init_again_changes_nothing_and_says_nothing_once_somebody_has_an_account(empty):
    run(empty, "init")
    make_user("boss", "admin")
    before = db.session.scalar(select(func.count()).select_from(Region))

    result = run(empty, "init")

    assert (result.exit_code, result.stdout) == (0, "")
    assert db.session.scalar(select(func.count()).select_from(Region)) == before


def test_init_with_nothing_to_do_is_quick(empty):
    run(empty, "init")

    began = time.monotonic()
    run(empty, "init")

    assert time.monotonic() - began < 1.5


def test_init_reports_as_one_json_object(empty):
    report = json.loads(run(empty, "init", "--json").stdout)

    assert set(report) == {"schema", "was", "backup", "loaded", "users"}
    assert (report["was"], report["users"], report["backup"]) == (None, False, None)
    assert report["loaded"] > 100


def test_a_newer_schema_is_refused_and_not_touched(empty):
    run(empty, "init")
    with unit_of_work() as work:
        work.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    result = run(empty, "init")

    assert result.exit_code == 1
    assert "newer version" in result.stderr
    assert db.session.connection().exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"


def test_a_command_on_another_schema_is_refused_in_one_sentence(empty):
    result = run(empty, "user", "add", "li.na", "--name", "李娜", "--admin")

    assert result.exit_code == 1
    assert result.stderr == "The database is empty: run `flask --app wsgi init` first.\n"


def test_a_backup_is_taken_before_a_migration_and_named(empty, monkeypatch):
    run(empty, "init")
    source = Path(db.engine.url.database)
    with unit_of_work() as work:
        work.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    upgraded: list[str] = []
    monkeypatch.setattr("crm.store.migrating.upgrade", lambda: upgraded.append("done"))
    monkeypatch.setattr("crm.store.schema._want", lambda: "0002")

    result = run(empty, "init")

    backups = list(source.parent.glob("*-before-0001-*.db"))
    assert upgraded == ["done"]
    assert len(backups) == 1
    assert str(backups[0]) in result.stdout
    with sqlite3.connect(backups[0]) as copy:
        assert copy.execute("SELECT count(*) FROM region").fetchone()[0] > 30


def test_without_room_for_the_backup_nothing_is_migrated(empty, monkeypatch):
    run(empty, "init")
    upgraded: list[str] = []

    def full(_revision):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("crm.store.migrating.copy_before_migrating", full)
    monkeypatch.setattr("crm.store.migrating.upgrade", lambda: upgraded.append("done"))
    monkeypatch.setattr("crm.store.schema._want", lambda: "9998")

    result = run(empty, "init")

    assert (result.exit_code, upgraded) == (1, [])
    assert "No space left on device" in result.stderr
