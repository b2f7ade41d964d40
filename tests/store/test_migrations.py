"""The schema of the migrations is the schema of the models, on both databases; another schema is never served."""

import shutil
import subprocess
import sys

import pytest
import time_machine
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from crm import extensions
from crm.config import ROOT
from crm.extensions import db
from crm.store import schema
from crm.store.copying import CopyRefused
from crm.store.migrating import DataDoesNotFit, SchemaTooNew, migrate
from crm.store.regions import Region
from crm.store.schema import schema_state
from crm.store.unit_of_work import unit_of_work
from tests.builders import NOW


# Expression indexes (the user's lower-case login) cannot be read back from SQLite.
@pytest.mark.filterwarnings("ignore:autogenerate skipping", "ignore:Skipped unsupported reflection")
def test_migrations_and_models_agree(app):
    # The carrier keeps tables of its own in a PostgreSQL database.
    ours = {"compare_type": False, "include_name": lambda name, kind, _parents: not (name or "").startswith("huey_")}
    context = MigrationContext.configure(db.session.connection(), opts=ours)

    assert [d for d in compare_metadata(context, db.metadata) if "uq_user_login" not in str(d)] == []


def test_every_domain_table_keeps_its_ids(sqlite_app):
    made = dict(db.session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all())
    from crm.store.records import DOMAIN_TABLES

    assert [name for name in sorted(DOMAIN_TABLES) if "AUTOINCREMENT" not in made[name]] == []


def test_sqlite_is_told_the_shape_of_a_large_library(sqlite_app):
    told = {row[0] for row in db.session.execute(text("SELECT tbl FROM sqlite_stat1"))}

    # A migration that writes a table anew has to tell it again, or its pages take the wrong index.
    assert {"standing", "enterprise", "qualification", "affiliation", "obligation", "change"} <= told


def test_every_constraint_has_a_name(app):
    inspector = inspect(db.engine)

    for table in db.metadata.tables:
        assert all(key["name"] for key in inspector.get_foreign_keys(table)), table


def test_a_current_database_is_left_alone(app):
    assert schema_state().matches
    assert migrate() is None


def test_a_newer_schema_is_refused_with_a_sentence(app):
    with unit_of_work() as work:
        work.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaTooNew, match="newer version"):
        migrate()


def test_the_server_does_not_start_on_another_schema(sqlite_app, sqlite_settings):
    with unit_of_work() as work:
        work.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    started = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        cwd=ROOT,
        env={"INSTANCE_DIR": str(sqlite_settings.instance_dir), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert started.returncode == 3
    assert "newer version" in started.stderr


# Two migrations that come after the newest one: the first does well, the second is what a test says.
NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{own}", "{before}"
branch_labels = depends_on = None


def upgrade():
    {deed}
"""
ADDS = 'op.add_column("region", sa.Column("motto", sa.Text()))'
CHANGES = """
    with op.batch_alter_table("region") as region:
        region.alter_column("motto", nullable=True, server_default="")
"""
# Regions are pointed at by townships, units and windows; PostgreSQL refuses the deletion itself.
BREAKS = "op.execute(\"DELETE FROM region WHERE level = 'county'\")"


@pytest.fixture
def next_version(app, tmp_path, monkeypatch):
    """Pretends that the code has two more migrations; the second does the deed that is passed."""

    def pretend(deed):
        newest = schema_state().want
        folder = tmp_path / "migrations"
        shutil.copytree(schema.MIGRATIONS, folder)
        (folder / "versions" / "next_1.py").write_text(NEXT.format(own="next_1", before=newest, deed=ADDS))
        (folder / "versions" / "next_2.py").write_text(NEXT.format(own="next_2", before="next_1", deed=deed))
        monkeypatch.setattr(schema, "MIGRATIONS", folder)
        monkeypatch.setattr(extensions.migrate, "directory", str(folder))
        _forget_the_scripts()
        db.session.remove()
        return newest

    yield pretend
    monkeypatch.undo()
    _forget_the_scripts()


def _forget_the_scripts():
    schema._script.cache_clear()
    schema._want.cache_clear()


def _columns_of_region():
    return {column["name"] for column in inspect(db.engine).get_columns("region")}


def test_migrations_in_a_row_become_true_together(next_version):
    next_version(CHANGES)

    backup = migrate()

    assert schema_state().have == "next_2"
    assert "motto" in _columns_of_region()
    assert backup.exists()


def test_a_migration_that_breaks_references_is_rolled_back_with_all_before_it(next_version):
    newest = next_version(BREAKS)
    counties = len(db.session.scalars(select(Region.id).where(Region.level == "county")).all())

    with pytest.raises(DataDoesNotFit):
        migrate()

    db.session.remove()
    assert schema_state().have == newest
    assert "motto" not in _columns_of_region()
    assert len(db.session.scalars(select(Region.id).where(Region.level == "county")).all()) == counties > 0


def test_a_migration_that_breaks_references_is_told_in_one_sentence_each_time(app, next_version):
    next_version(BREAKS)

    # Both within one second, in which their backups must not have the same name.
    with time_machine.travel(NOW, tick=False):
        told = [app.test_cli_runner().invoke(args=["init"]) for _ in range(2)]

    assert [result.exit_code for result in told] == [1, 1]
    assert all(result.stderr.startswith("The database was not migrated, because its rows") for result in told)
    assert [len(result.stderr.splitlines()) for result in told] == [1, 1]


def test_a_backup_that_cannot_be_made_stops_the_migration_with_a_sentence(app, next_version, monkeypatch):
    newest = next_version(CHANGES)

    def refused(_revision):
        raise CopyRefused("The file just written does not hold what was read.")

    monkeypatch.setattr("crm.store.migrating.copy_before_migrating", refused)
    result = app.test_cli_runner().invoke(args=["init"])

    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "does not hold what was read" in result.stderr
    assert schema_state().have == newest


def test_foreign_keys_are_watched_again_after_a_migration(next_version):
    next_version(BREAKS)
    with pytest.raises(DataDoesNotFit):
        migrate()
    db.session.remove()

    with pytest.raises(IntegrityError), unit_of_work() as work:
        work.execute(text("DELETE FROM region WHERE level = 'county'"))
