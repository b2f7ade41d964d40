"""Bringing a database up to this code's schema, with a backup first."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from flask import current_app
from flask_migrate import upgrade
from sqlalchemy.exc import IntegrityError

from crm.extensions import db
from crm.store.schema import schema_state


class SchemaTooNew(RuntimeError):
    """The database was written by a newer version; it is not touched."""


class DataDoesNotFit(Exception):
    """The rows of this database cannot be brought into the new schema; every migration was rolled back."""


def migrate() -> Path | None:
    """Migrate the configured database; returns the backup taken first (None for an empty or current one).

    Raises SchemaTooNew with one sentence when the database is newer than the code, DataDoesNotFit when its rows
    break a reference or a constraint of the new schema: then it is as it was before.
    """
    state = schema_state()
    db.session.rollback()
    db.session.remove()
    if not state.known:
        raise SchemaTooNew(state.sentence())
    if state.matches:
        return None
    backup = copy_before_migrating(state.have) if state.have is not None else None
    try:
        upgrade()
    except IntegrityError as error:
        raise DataDoesNotFit("a row breaks a constraint") from error
    return backup


def copy_before_migrating(revision: str) -> Path | None:
    """A copy of the SQLite database beside it, named for its schema and the moment; of PostgreSQL a backup file."""
    url = db.engine.url
    if db.engine.dialect.name != "sqlite":
        from crm.store.backups import backup_to

        target = _free(current_app.config["SETTINGS"].instance_dir / f"before-{revision}-{_stamp()}.crmbackup")
        backup_to(target)
        return target
    source = Path(url.database)
    target = _free(source.with_name(f"{source.stem}-before-{revision}-{_stamp()}.db"))
    with sqlite3.connect(source) as original, sqlite3.connect(target) as copy:
        original.backup(copy)
    return target


def _free(wanted: Path) -> Path:
    """The place, or the next one beside it that is not taken: a second attempt may come within the same second."""
    place, number = wanted, 2
    while place.exists():
        place = wanted.with_stem(f"{wanted.stem}-{number}")
        number += 1
    return place


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
