"""`init`: create or migrate the database and load the places."""

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import click
from flask import Flask, current_app
from sqlalchemy import select

from crm.actions.places import load_places
from crm.cli import refuse
from crm.domain.acts import Act
from crm.domain.viewers import the_machine
from crm.extensions import db
from crm.store.copying import CopyRefused
from crm.store.migrating import DataDoesNotFit, SchemaTooNew, migrate
from crm.store.schema import schema_state
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User

FIRST_ADMIN = "Make the first administrator: flask --app wsgi user add LOGIN --name 姓名 --admin"


def register(app: Flask) -> None:
    app.cli.add_command(init)


def operators_act(name: str = "命令行", *, on: date | None = None) -> Act:
    """The act of an operator at the shell: the machine's rights, named in the history."""
    now = datetime.now(UTC)
    today = on or now.astimezone(ZoneInfo(current_app.config["TZ_NAME"])).date()
    return Act(the_machine(name), "cli", now, today)


@click.command("init")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def init(as_json: bool) -> None:
    """Create or migrate the database and load regions, units, words, windows and holidays; harmless to repeat."""
    before = schema_state()
    db.session.rollback()
    try:
        backup = migrate()
    except SchemaTooNew as error:
        refuse(str(error))
        return
    except DataDoesNotFit as error:
        refuse(f"The database was not migrated, because its rows do not fit the new schema: {error}. It is unchanged.")
        return
    except CopyRefused as error:
        refuse(f"The database was not migrated, because its backup could not be made: {error}")
        return
    except OSError as error:
        refuse(f"The database was not migrated, because its backup could not be written: {error.strerror}.")
        return
    with unit_of_work():
        written = load_places(act=operators_act())
    users = db.session.scalar(select(User.id).limit(1)) is not None
    if as_json:
        report = {
            "schema": before.want,
            "was": before.have,
            "backup": str(backup) if backup else None,
            "loaded": written.record_count,
            "users": users,
        }
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    if before.have is None:
        click.echo(f"Database created (schema {before.want}).")
    elif not before.matches:
        click.echo(f"Database migrated from {before.have} to {before.want}.")
    if backup is not None:
        click.echo(f"Backup taken before: {backup}")
    if written.record_count:
        click.echo(f"{written.record_count} reference records loaded.")
    if not users:
        click.echo(FIRST_ADMIN)
