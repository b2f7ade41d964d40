"""Everything that points at an enterprise, found from the tables themselves, so that no new table is forgotten."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table, UniqueConstraint, and_, false, or_, select

from crm.extensions import Base, db
from crm.store.enterprises import Enterprise
from crm.store.records import DOMAIN_TABLES

# An enterprise merged into another that was itself merged later: so many steps are followed.
LONGEST_CHAIN = 20

# Rows that say the same thing twice although no index of the database forbids it: {table: columns of the place}.
SAME_PLACE: dict[str, tuple[str, ...]] = {
    "service_log_enterprise": ("service_log_id",),
    "collection_enterprise": ("collection_id",),
    "enterprise_alias": ("kind", "value_key"),
}


@cache
def pointing_columns() -> tuple[tuple[str, str], ...]:
    """(table, column) of every domain column that refers to an enterprise; the chain of merges itself is no content."""
    return tuple(
        (name, column.name)
        for name in sorted(DOMAIN_TABLES)
        for column in Base.metadata.tables[name].c
        if any(key.column.table.name == "enterprise" for key in column.foreign_keys)
        and (name, column.name) != ("enterprise", "merged_into_id")
    )


@cache
def holding_tables() -> tuple[str, ...]:
    """Domain tables whose rows hang on "a noun and an id": what hangs on the enterprise itself goes with it."""
    return tuple(
        name for name in sorted(DOMAIN_TABLES) if {"noun", "record_id"} <= set(Base.metadata.tables[name].c.keys())
    )


@cache
def place_of(noun: str) -> tuple[str, ...]:
    """The columns that, beside the enterprise, make a row the only one of its place; () where there may be many."""
    if noun in SAME_PLACE:
        return SAME_PLACE[noun]
    table = Base.metadata.tables[noun]
    unique = [index.columns for index in table.indexes if index.unique]
    unique += [rule.columns for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    for columns in unique:
        names = [column.name for column in columns]
        if "enterprise_id" in names:
            return tuple(name for name in names if name != "enterprise_id")
    return ()


def rows_of(enterprise_id: int, *, lock: bool = False) -> dict[str, list[dict[str, Any]]]:
    """{table: its rows that point at an enterprise, withdrawn ones included}, each as {column: value}."""
    found: dict[str, list[dict[str, Any]]] = {}
    for noun in sorted({noun for noun, _ in pointing_columns()} | set(holding_tables())):
        table = Base.metadata.tables[noun]
        query = _select(noun).where(_points(table, enterprise_id)).order_by(table.c.id)
        rows = [dict(row) for row in db.session.execute(query.with_for_update() if lock else query).mappings()]
        if rows:
            found[noun] = rows
    return found


@cache
def _select(noun: str) -> Any:
    """All columns of a table under the names by which the writer knows them."""
    mapper = next(one for one in Base.registry.mappers if one.local_table.name == noun)
    return select(*(attribute.columns[0].label(attribute.key) for attribute in mapper.column_attrs))


def _points(table: Table, enterprise_id: int) -> Any:
    conditions = [table.c[column] == enterprise_id for noun, column in pointing_columns() if noun == table.name]
    if table.name in holding_tables():
        conditions.append(and_(table.c.noun == "enterprise", table.c.record_id == enterprise_id))
    return or_(false(), *conditions)


def repointed(noun: str, row: dict[str, Any], old: int, new: int) -> dict[str, Any]:
    """The new values of a row's columns that named the old enterprise."""
    values = {column: new for name, column in pointing_columns() if name == noun and row[column] == old}
    if noun in holding_tables() and row["noun"] == "enterprise" and row["record_id"] == old:
        values["record_id"] = new
    return values


def hanging_on(noun: str, ids: Sequence[int]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(table, row, column) of everything that points at these records of a noun, by key or by "a noun and an id"."""
    if not ids:
        return
    for name in sorted(DOMAIN_TABLES):
        table = Base.metadata.tables[name]
        for column in table.c:
            if any(key.column.table.name == noun for key in column.foreign_keys):
                for row in db.session.execute(_select(name).where(column.in_(ids))).mappings():
                    yield name, dict(row), column.name
        if name in holding_tables():
            query = _select(name).where(table.c.noun == noun, table.c.record_id.in_(ids))
            for row in db.session.execute(query).mappings():
                yield name, dict(row), "record_id"


# --- where an enterprise went ----------------------------------------------------------------------------------------


def survivor_of(enterprise_id: int) -> int | None:
    """The enterprise that one was merged into, through every later merge; None when it was merged into none."""
    at, seen = enterprise_id, set()
    for _ in range(LONGEST_CHAIN):
        row = db.session.execute(
            select(Enterprise.deleted, Enterprise.merged_into_id).where(Enterprise.id == at)
        ).first()
        if row is None or at in seen:
            return None
        if not row.deleted:
            return at if at != enterprise_id else None
        if row.merged_into_id is None:
            return None
        seen.add(at)
        at = row.merged_into_id
    return None


def merged_into(enterprise_id: int) -> list[int]:
    """The enterprises whose files became this one's, through every merge, nearest first."""
    found: list[int] = []
    wave = [enterprise_id]
    for _ in range(LONGEST_CHAIN):
        query = select(Enterprise.id).where(Enterprise.merged_into_id.in_(wave), Enterprise.deleted)
        wave = [one for one in db.session.scalars(query.order_by(Enterprise.id)) if one not in found]
        if not wave:
            break
        found += wave
    return found


def with_merged(enterprise_id: int) -> list[int]:
    """An enterprise and those whose files became its own: whose history is its history."""
    return [enterprise_id, *merged_into(enterprise_id)]
