"""Thousands of rows in one statement: values are made ready for the driver before the write lock is taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam, insert, update
from sqlalchemy.sql.dml import Insert, Update


@dataclass(frozen=True)
class Bulk:
    """One compiled statement and its parameters, as the driver takes them."""

    statement: str
    parameters: list[Any]

    def run(self, connection: Connection) -> int:
        """Run it inside the open transaction; answers how many rows it touched, -1 when the driver does not say."""
        return connection.exec_driver_sql(self.statement, self.parameters).rowcount if self.parameters else 0


def insert_rows(dialect: Dialect, table: Table, rows: Sequence[Mapping[str, Any]]) -> Bulk:
    """An insert of rows that all have the same columns; other columns get the default that the model gives them."""
    if not rows:
        return Bulk("", [])
    names = list(rows[0])
    fixed = {
        column.name: column.default.arg
        for column in table.columns
        if column.name not in rows[0] and column.default is not None and column.default.is_scalar
    }
    statement = insert(table).values({name: bindparam(name, type_=table.c[name].type) for name in (*names, *fixed)})
    return _made(dialect, statement, ({**row, **fixed} for row in rows) if fixed else rows)


def update_rows(dialect: Dialect, table: Table, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Bulk:
    """An update of rows by id and version; each moves on by one version.

    ``columns`` are {name in the rows, without its "b_": name of the column}; rows also have ``b_id``, ``b_version``.
    """
    if not rows:
        return Bulk("", [])
    values: dict[Any, Any] = {
        table.c[column]: bindparam(f"b_{name}", type_=table.c[column].type) for name, column in columns.items()
    }
    statement = (
        update(table)
        .where(table.c.id == bindparam("b_id"), table.c.version == bindparam("b_version"))
        .values(values | {table.c.version: table.c.version + 1})
    )
    return _made(dialect, statement, rows)


def _made(dialect: Dialect, statement: Insert | Update, rows: Iterable[Mapping[str, Any]]) -> Bulk:
    compiled: Any = statement.compile(dialect=dialect)
    names = compiled.positiontup if compiled.positional else list(compiled.binds)
    constants = {name: bind.value for name, bind in compiled.binds.items() if bind.value is not None}
    ready = [(name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names]

    def value_of(row: Mapping[str, Any], name: str, process: Any) -> Any:
        value = row[name] if name in row else constants[name]
        return value if process is None else process(value)

    if compiled.positional:
        return Bulk(str(compiled), [tuple(value_of(row, name, process) for name, process in ready) for row in rows])
    return Bulk(str(compiled), [{name: value_of(row, name, process) for name, process in ready} for row in rows])
