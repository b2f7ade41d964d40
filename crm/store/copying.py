"""What every copy of the library keeps to: one state, all or nothing, into an empty place, compared at the end."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, String, inspect, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from crm.config import ROOT
from crm.extensions import db
from crm.store.engine import writing_transactions
from crm.store.portable import Kept, digest, lines_of, tables_of

# A heartbeat is renewed every half minute; three missed ones mean that nobody is there.
ALIVE = timedelta(seconds=90)


class CopyRefused(Exception):
    """The copy was not made, or not kept; the message says in one sentence why. Nothing was changed."""


@dataclass(frozen=True)
class Copied:
    """What a copy holds: rows and a hash per table, the stored files, and what could not be taken along."""

    schema: str
    tables: dict[str, dict[str, Any]]
    files: int = 0
    file_bytes: int = 0
    missing_files: tuple[str, ...] = ()
    created_at: str = ""
    product: str = ""
    uncertain_messages: int = 0
    path: Path | None = field(default=None, compare=False)

    @property
    def rows(self) -> int:
        return sum(entry["rows"] for entry in self.tables.values())


@contextmanager
def one_state() -> Iterator[Connection]:
    """A connection whose reads all see the database as it was at the first of them."""
    engine = db.engine
    if engine.dialect.name != "sqlite":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection
        connection.rollback()


def product_version() -> str:
    """The newest version named in the change log."""
    try:
        found = re.search(r"^## \[?(\d[\w.]*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else "0.0.0"


@contextmanager
def all_or_nothing(engine: Engine) -> Iterator[Connection]:
    """A write transaction kept whole or not at all; what the database says against it becomes CopyRefused."""
    try:
        with writing_transactions(), engine.begin() as connection:
            yield connection
    except OperationalError as error:
        raise CopyRefused(f"The database stopped the copy: {reason_of(error)}. Nothing was kept.") from error
    except (DBAPIError, ValueError) as error:
        raise CopyRefused(
            f"A value does not fit into the other database: {reason_of(error)}. Nothing was kept."
        ) from error


def reason_of(error: Exception) -> str:
    """The first line of what the database or Python said."""
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0].rstrip(".")


def refuse_unless_empty(engine: Engine) -> None:
    """Raise CopyRefused when the database has a row of ours, is in use, or cannot be reached."""
    try:
        with engine.connect() as connection:
            refuse_while_running(connection)
            used = [k.name for k in tables_of(connection) if connection.execute(select(k.table).limit(1)).first()]
    except OperationalError as error:
        raise CopyRefused(f"The database cannot be reached: {reason_of(error)}.") from error
    if used:
        raise CopyRefused(
            f"The database is not empty (rows in {', '.join(sorted(used)[:3])}{' …' if len(used) > 3 else ''}): "
            "a copy only goes into an empty one."
        )


def refuse_while_running(connection: Connection) -> None:
    """Raise CopyRefused while a scheduler or worker of this database is alive."""
    if not inspect(connection).has_table("heartbeat"):
        return
    seen = connection.execute(text("SELECT name, seen_at FROM heartbeat").columns(name=String, seen_at=DateTime)).all()
    for name, at in seen:
        moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        if datetime.now(UTC) - moment < ALIVE:
            raise CopyRefused(f"The product is running on this database ({name} was alive just now): stop it first.")


def refuse_other_columns(here: dict[str, list[str]], there: dict[str, list[str]]) -> None:
    """Raise CopyRefused where {table: columns} here and there differ."""
    for name in sorted(set(here) | set(there)):
        if here.get(name) != there.get(name):
            raise CopyRefused(f"Table {name} is not the same in both places although the schema has the same number.")


def refuse_if_changed(connection: Connection, tables: Iterable[Kept], expected: dict[str, dict[str, Any]]) -> None:
    """Raise CopyRefused when a table as read back is not what {table: rows and hash} expects."""
    for kept in tables:
        if digest(lines_of(connection, kept)) != expected[kept.name]:
            raise CopyRefused(f"Table {kept.name} does not arrive as it left. Nothing was kept.")
