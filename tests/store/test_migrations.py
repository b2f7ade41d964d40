"""The schema of the migrations is the schema of the models, on both databases; another schema is never served."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from crm.config import ROOT
from crm.extensions import db
from crm.store.migrating import SchemaTooNew, migrate
from crm.store.schema import schema_state
from crm.store.unit_of_work import unit_of_work


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
