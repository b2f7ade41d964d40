"""The portable form of a library: a line of JSON per row in the order of the keys, values as the database holds them.

Money is in 分, moments are in UTC. The same row gives the same line on SQLite and PostgreSQL, so a hash over the lines
proves a copy across both. Tables and columns are taken from the database and not from the code, because the backup
before a migration is made by code that is newer than the database.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection

# Sign-in sessions would sign people in at a copy, throttles and heartbeats say nothing about another place.
LEFT_OUT = frozenset({"user_session", "throttle", "heartbeat", "alembic_version"})
# The carrier keeps only ids of jobs; the timetable puts waiting jobs back from their rows.
_NOT_OURS = re.compile(r"huey_|sqlite_")

ROWS = 2_000


@dataclass(frozen=True)
class Kept:
    """A table as the database has it: its columns by plain types, its key, and the columns that point at itself."""

    table: Table
    kinds: tuple[str, ...]
    own_pointers: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def numbered(self) -> bool:
        """Whether one whole number is the key: then the database itself can put the rows in order."""
        keys = list(self.table.primary_key)
        return len(keys) == 1 and isinstance(keys[0].type, BigInteger)


_KINDS: tuple[tuple[type, str], ...] = (
    (Boolean, "yes_no"),
    (DateTime, "moment"),
    (Date, "day"),
    (JSON, "json"),
    (Float, "float"),
    (String, "text"),
)
_TYPES: dict[str, Any] = {
    "yes_no": Boolean(),
    "moment": DateTime(timezone=True),
    "day": Date(),
    "json": JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
    "float": Float(),
    "text": String(),
    "whole": BigInteger(),
}


def _kind(column_type: Any) -> str:
    return next((kind for known, kind in _KINDS if isinstance(column_type, known)), "whole")


def tables_of(connection: Connection) -> list[Kept]:
    """Our tables, what is pointed at before what points at it."""
    inspector = inspect(connection)
    found = []
    for name, _ in inspector.get_sorted_table_and_fkc_names():
        if name is None or name in LEFT_OUT or _NOT_OURS.match(name):
            continue
        keys = set(inspector.get_pk_constraint(name)["constrained_columns"])
        columns = [(column["name"], _kind(column["type"])) for column in inspector.get_columns(name)]
        pointers = [
            key["constrained_columns"][0] for key in inspector.get_foreign_keys(name) if key["referred_table"] == name
        ]
        table = Table(name, MetaData(), *(Column(c, _TYPES[kind], primary_key=c in keys) for c, kind in columns))
        found.append(Kept(table, tuple(kind for _, kind in columns), tuple(pointers)))
    return found


def _moment_out(value: datetime) -> str:
    utc = value.astimezone(UTC) if value.tzinfo else value
    return utc.replace(tzinfo=None).isoformat()


def _day_out(value: date) -> str:
    return value.isoformat()


_OUT: dict[str, Callable[[Any], Any]] = {"moment": _moment_out, "day": _day_out}


def lines_of(connection: Connection, kept: Kept) -> Iterator[bytes]:
    """The rows of a table as lines, in the order of their keys on any database."""
    query = select(kept.table)
    if kept.numbered:
        query = query.order_by(*kept.table.primary_key)
    outward = [(place, _OUT[kind]) for place, kind in enumerate(kept.kinds) if kind in _OUT]
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode

    def read() -> Iterator[bytes]:
        for row in connection.execute(query.execution_options(yield_per=ROWS)):
            values = list(row)
            for place, out in outward:
                if values[place] is not None:
                    values[place] = out(values[place])
            yield encode(values).encode() + b"\n"

    # Databases order texts differently; only small tables have keys that are texts.
    return read() if kept.numbered else iter(sorted(read()))


def _row_in(kept: Kept, dialect: str) -> Callable[[bytes], dict[str, Any]]:
    names = [column.name for column in kept.table.columns]
    moments = [n for n, kind in zip(names, kept.kinds, strict=True) if kind == "moment"]
    days = [n for n, kind in zip(names, kept.kinds, strict=True) if kind == "day"]
    zone = None if dialect == "sqlite" else UTC

    def read(line: bytes) -> dict[str, Any]:
        row = dict(zip(names, json.loads(line), strict=True))
        for name in moments:
            if row[name] is not None:
                row[name] = datetime.fromisoformat(row[name]).replace(tzinfo=zone)
        for name in days:
            if row[name] is not None:
                row[name] = date.fromisoformat(row[name])
        return row

    return read


def digest(lines: Iterable[bytes]) -> dict[str, Any]:
    """How many lines, and the hash over all of them."""
    hashed, rows = hashlib.sha256(), 0
    for line in lines:
        hashed.update(line)
        rows += 1
    return {"rows": rows, "sha256": hashed.hexdigest()}


def load(connection: Connection, kept: Kept, lines: Iterable[bytes]) -> None:
    """Insert lines; a pointer at a later row of the same table is set when all rows are there."""
    read = _row_in(kept, connection.dialect.name)
    statement = insert(kept.table)
    later: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for line in lines:
        row = read(line)
        for name in kept.own_pointers:
            if row[name] is not None:
                later.append({"b_id": row["id"], "b_name": name, "b_value": row[name]})
                row[name] = None
        rows.append(row)
        if len(rows) == ROWS:
            connection.execute(statement, rows)
            rows = []
    if rows:
        connection.execute(statement, rows)
    for name in kept.own_pointers:
        pointers = [{k: v for k, v in one.items() if k != "b_name"} for one in later if one["b_name"] == name]
        if pointers:
            point = update(kept.table).where(kept.table.c.id == bindparam("b_id"))
            connection.execute(point.values({name: bindparam("b_value")}), pointers)


def last_ids_of(connection: Connection, tables: Iterable[Kept]) -> dict[str, int]:
    """The last id given out per table, also where its row is gone."""
    found = {}
    if connection.dialect.name == "sqlite":
        known = dict(connection.execute(text("SELECT name, seq FROM sqlite_sequence")).all())
        return {kept.name: known[kept.name] for kept in tables if known.get(kept.name)}
    for kept in tables:
        sequence = _sequence(connection, kept)
        if sequence is not None:
            last, called = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
            if called:
                found[kept.name] = last
    return found


def _sequence(connection: Connection, kept: Kept) -> str | None:
    if "id" not in kept.table.c:
        return None
    return connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": f'"{kept.name}"'})


def set_last_ids(connection: Connection, tables: Iterable[Kept], last_ids: dict[str, int]) -> None:
    """Let new ids start above every id that was ever given out, here or where the rows come from."""
    sqlite = connection.dialect.name == "sqlite"
    for kept in tables:
        if "id" not in kept.table.c:
            continue
        highest = connection.scalar(select(func.max(kept.table.c.id))) or 0
        last = max(highest, last_ids.get(kept.name, 0))
        if not last:
            continue
        if not sqlite:
            sequence = _sequence(connection, kept)
            if sequence is not None:
                connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})
            continue
        values = {"name": kept.name, "last": last}
        known = connection.execute(text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name"), values)
        if known.rowcount == 0 and kept.name in last_ids:
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)


def names_of(kept: Kept) -> list[str]:
    """The names of a table's columns, in the order of its lines."""
    return [column.name for column in kept.table.columns]
