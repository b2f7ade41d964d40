"""Doors for operators: every command of `flask --app wsgi …`."""

import functools
import sys
from collections.abc import Callable
from datetime import date
from importlib import import_module
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy.exc import DBAPIError

from crm.domain.refusals import Refused
from crm.store.reachable import why_unreachable
from crm.store.schema import schema_state
from crm.store.types import TooLong
from crm.store.unit_of_work import DatabaseBusy, is_full

GROUPS = ("database", "accounts", "sheets", "rules", "due", "jobs", "backup", "check", "demo")
# Beyond them a deadline some years on would be no date any more.
FIRST_YEAR, LAST_YEAR = 1949, 2099
# These say themselves what they think of the database, or need none.
ANY_SCHEMA = frozenset({"init", "check", "rules", "assess", "restore", "transfer"})


class Day(click.ParamType):
    """A day written 2026-11-23, in the years the product can reckon with."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            day = value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date; write it like 2026-11-23.", param, ctx)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail(f"{value} is too far away; years go from {FIRST_YEAR} to {LAST_YEAR}.", param, ctx)
        return day


def register(app: Flask) -> None:
    """Attach the commands; each refuses another schema and says a refusal in one sentence with exit code 1."""
    before = set(app.cli.commands)
    for group in GROUPS:
        import_module(f"crm.cli.{group}").register(app)
    for name, command in app.cli.commands.items():
        if name not in before:
            _guard(command, schema=name not in ANY_SCHEMA)


def _guard(command: click.Command, *, schema: bool) -> None:
    if isinstance(command, click.Group):
        for sub in command.commands.values():
            _guard(sub, schema=schema)
    elif command.callback is not None:
        command.callback = _guarded(command.callback, schema=schema)


def _guarded(callback: Callable[..., Any], *, schema: bool) -> Callable[..., Any]:
    # Commands belong to their modules and not to an application: the call says which one it is for.
    callback = getattr(callback, "unguarded", callback)

    @functools.wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        app = click.get_current_context().ensure_object(ScriptInfo).load_app()
        with app.app_context():
            try:
                if schema:
                    _refuse_other_schema()
                return callback(*args, **kwargs)
            except Refused as refusal:
                refuse(refusal.message)
            except DatabaseBusy:
                refuse("Another process holds the database; nothing was written. Try again in a minute.")
            except TooLong as error:
                refuse(f"A value is too long: {error}. Nothing was written.")
            except Exception as error:
                if isinstance(error, DBAPIError) and (sentence := why_unreachable(app.config["SETTINGS"].database_url)):
                    refuse(sentence)
                if not is_full(error):
                    raise
                refuse("The disk is full; nothing was written. Make room and run the command again.")

    run.unguarded = callback
    return run


def _refuse_other_schema() -> None:
    from crm.extensions import db

    state = schema_state()
    db.session.rollback()
    if not state.matches:
        refuse(state.sentence())


def refuse(sentence: str) -> None:
    """Say why and leave with exit code 1."""
    click.echo(sentence, err=True)
    sys.exit(1)
