"""A database with data of an earlier schema goes up, its rows unchanged, with a backup of it beside."""

import psycopg
import pytest
from flask_migrate import upgrade
from sqlalchemy import inspect, text

from crm.domain.fields import fields_of
from crm.extensions import db
from crm.store.engine import writing_transactions
from crm.store.migrating import migrate
from crm.store.schema import schema_state
from tests.conftest import build, settings_for

NEW_IN_0002 = {"score_technology", "accident_on", "market_share_rank", "had_data_fraud", "industry_chain"}


@pytest.fixture(params=["sqlite", "postgresql"])
def at_0001(request, tmp_path):
    """An installation that stopped at the first schema, with one enterprise and what hangs on it."""
    url = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS earlier WITH (FORCE)")
            connection.execute("CREATE DATABASE earlier")
        url = f"{server}/earlier"
    app = build(settings_for(tmp_path, url))
    with app.app_context():
        upgrade(revision="0001")
        with writing_transactions(), db.engine.begin() as connection:
            for statement in ROWS:
                connection.exec_driver_sql(statement)
        yield app
        db.session.remove()
        db.engine.dispose()


ROWS = (
    "INSERT INTO region (id, code, name, level) VALUES (1, '500238', '巫溪县', 'county')",
    "INSERT INTO enterprise (id, region_id, name, credit_code, registered_on)"
    " VALUES (1, 1, '巫溪县青禾食品有限责任公司', '915002380000000013', '2018-06-14')",
    "INSERT INTO figures"
    " (id, version, enterprise_id, year, revenue, staff_count, market_share, own_accounts, confirmed)"
    ' VALUES (7, 3, 1, 2025, 3770600050, 72, \'0.125\', true, \'{"revenue": {"by": "谭越"}}\')',
    "INSERT INTO figures (id, deleted, enterprise_id, year) VALUES (8, true, 1, 2025)",
    "INSERT INTO intellectual_property (id, enterprise_id, name, kind, granted_on, disputed)"
    " VALUES (5, 1, '一种烘干装置', 'invention', '2024-05-07', false)",
    "INSERT INTO qualification (id, enterprise_id, kind, announced_on, recorded_at)"
    " VALUES (9, 1, 'hnte', '2024-11-20', '2026-01-01 00:00:00')",
)
TABLES = ("region", "enterprise", "figures", "intellectual_property", "qualification")


def rows() -> dict[str, list[dict]]:
    with db.engine.connect() as connection:
        return {
            table: [dict(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).mappings()]
            for table in TABLES
        }


def test_a_database_with_data_goes_up_with_its_rows_unchanged(at_0001):
    before = rows()

    backup = migrate()

    after = rows()
    old = {table: [{name: row[name] for name in before[table][0]} for row in after[table]] for table in TABLES}
    assert (schema_state().matches, backup is not None and backup.exists()) == (True, True)
    assert old == before
    added = set(after["figures"][0]) - set(before["figures"][0])
    assert added >= NEW_IN_0002
    assert all(row[name] is None for row in after["figures"] for name in added)


def test_the_columns_of_an_older_database_are_those_of_a_new_one(at_0001):
    migrate()

    columns = {table: {c["name"] for c in inspect(db.engine).get_columns(table)} for table in TABLES}
    for noun in ("figures", "intellectual_property"):
        assert {field.code for field in fields_of(noun)} <= columns[noun]
    [kept] = [
        one for one in inspect(db.engine).get_indexes("figures") if one["name"] == "uq_figures_enterprise_id_year"
    ]
    assert kept["unique"]


def test_ids_are_not_given_twice_after_going_up(at_0001):
    migrate()

    with writing_transactions(), db.engine.begin() as connection:
        if db.engine.dialect.name == "postgresql":
            connection.execute(text("SELECT setval(pg_get_serial_sequence('figures', 'id'), 8)"))
        connection.execute(text("DELETE FROM figures WHERE id = 8"))
        connection.execute(text("INSERT INTO figures (enterprise_id, year) VALUES (1, 2024)"))

        assert connection.execute(text("SELECT max(id) FROM figures")).scalar() == 9


def test_an_older_database_is_refused_with_a_sentence_until_it_is_migrated(at_0001):
    state = schema_state()

    assert (state.matches, state.known) == (False, True)
    assert state.sentence() == (
        "The database has the older schema 0001, this code needs 0003: run `flask --app wsgi init`, "
        "which backs it up and migrates it."
    )
