"""The only module that inserts, updates or deletes domain rows: set-based for one record or 100,000."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Table, bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update, merge
from crm.domain.refusals import AlreadyDone, Conflict, Refused
from crm.extensions import Base, db
from crm.store import projections
from crm.store.changes import Change, ChangeSet, change_set_by_request_key
from crm.store.records import DOMAIN_TABLES
from crm.store.types import Exact, Moment, Money

# How many ids go into one IN list; SQLite allows 32,766 variables in a statement.
CHUNK = 10_000


@dataclass(frozen=True)
class Written:
    """What a write did: its change set (None when nothing differed), the ids of creations by key, the records touched."""

    change_set_id: int | None
    ids: Mapping[Hashable, int] = field(default_factory=dict)
    record_count: int = 0
    enterprise_ids: frozenset[int] = frozenset()


def write(
    changes: Sequence[Create | Update],
    *,
    act: Act,
    action: str,
    region_id: int | None = None,
    undoes_id: int | None = None,
) -> Written:
    """Write the changes of one act inside the open unit of work: rows, history and projections together.

    Records are checked against the version their editor saw; disjoint edits merge. Raises Conflict with
    (before, theirs, mine) per field, AlreadyDone when the act's request key was written before, Refused when the
    database's own uniqueness stops it. Never commits.
    """
    session = db.session()
    if not session.info.get("writing"):
        raise RuntimeError("writer.write needs a unit of work")
    if act.request_key:
        earlier = change_set_by_request_key(act.request_key)
        if earlier is not None:
            raise AlreadyDone(earlier.id)
    session.flush()
    connection = session.connection()
    log: list[dict[str, Any]] = []
    ids: dict[Hashable, int] = {}
    touched: dict[str, set[int]] = defaultdict(set)  # noun → enterprise ids
    fresh: set[int] = set()
    try:
        for noun, creates in _in_foreign_key_order(_grouped(changes, Create)):
            _insert(connection, noun, creates, ids, log, touched, fresh)
        for noun, updates in _grouped(changes, Update).items():
            _update(connection, noun, updates, ids, log, touched)
    except IntegrityError as error:
        raise Refused(_uniqueness_sentence(error)) from error
    if not log:
        return Written(None)
    change_set_id = _log(connection, log, act, action, region_id, undoes_id)
    session.expire_all()
    enterprise_ids = frozenset().union(*touched.values()) if touched else frozenset()
    if enterprise_ids:
        projections.refresh(enterprise_ids, at=act.recorded_at, nouns=frozenset(touched), fresh=frozenset(fresh))
    return Written(change_set_id, ids, len(log), enterprise_ids)


def _grouped(changes: Iterable[Create | Update], kind: type) -> dict[str, list]:
    groups: dict[str, list] = defaultdict(list)
    for change in changes:
        if isinstance(change, kind):
            if change.noun not in DOMAIN_TABLES:
                raise ValueError(f"{change.noun} is not a domain table")
            groups[change.noun].append(change)
    return groups


def _in_foreign_key_order(groups: Mapping[str, list]) -> Iterator[tuple[str, list]]:
    for table in Base.metadata.sorted_tables:
        if table.name in groups:
            yield table.name, groups[table.name]


def _insert(connection, noun: str, creates: list[Create], ids, log, touched, fresh) -> None:
    table: Table = Base.metadata.tables[noun]
    first_id = _reserve_ids(connection, table, len(creates))
    for number, create in enumerate(creates):
        if create.key is not None:
            ids[(noun, create.key)] = ids[create.key] = first_id[number]
    columns = {name for create in creates for name in create.values}
    rows = []
    for record_id, create in zip(first_id, creates, strict=True):
        row = dict.fromkeys(columns)
        for name, value in create.values.items():
            row[name] = ids[value.key] if isinstance(value, Ref) else value
        row["id"] = record_id
        rows.append(row)
        enterprise_id = _enterprise_of(noun, row)
        if noun == "enterprise":
            fresh.add(record_id)
        if enterprise_id is not None:
            touched[noun].add(enterprise_id)
        log.append(
            {
                "noun": noun,
                "record_id": record_id,
                "enterprise_id": enterprise_id,
                "op": "create",
                "fields": {name: plain(row[name]) for name in create.values if row[name] is not None},
                "record_version": 1,
            }
        )
    keys = _keys_of(noun)
    if keys:
        rows = [{keys.get(name, name): value for name, value in row.items()} for row in rows]
    connection.execute(insert(table), rows)


def _update(connection, noun: str, updates: list[Update], ids, log, touched) -> None:
    table: Table = Base.metadata.tables[noun]
    by_id: dict[int, list[Update]] = defaultdict(list)
    for change in updates:
        by_id[change.id].append(change)
    keys = _keys_of(noun)
    fields = sorted({name for change in updates for name in change.values})
    columns = [table.c[keys.get(name, name)] for name in fields]
    owner = [table.c.enterprise_id] if "enterprise_id" in table.c else []
    clashes: dict[str, tuple[Any, Any, Any]] = {}
    rows = []
    found = 0
    for chunk in _chunks(list(by_id)):
        query = select(table.c.id, table.c.version, *columns, *owner).where(table.c.id.in_(chunk)).with_for_update()
        for row in connection.execute(query):
            found += 1
            record_id, version = row[0], row[1]
            current = dict(zip(fields, row[2:], strict=False))
            after = dict(current)
            for change in by_id[record_id]:
                wanted = Update(
                    noun,
                    record_id,
                    {n: ids[v.key] if isinstance(v, Ref) else v for n, v in change.values.items()},
                    change.version,
                    change.seen,
                )
                values, clash = merge(wanted, after, version)
                clashes.update(clash)
                after.update(values)
            changed = {name: [plain(current[name]), plain(after[name])] for name in fields if after[name] != current[name]}
            if not changed:
                continue
            rows.append({f"b_{name}": after[name] for name in fields} | {"b_id": record_id, "b_version": version})
            enterprise_id = record_id if noun == "enterprise" else (row[-1] if owner else None)
            if enterprise_id is not None:
                touched[noun].add(enterprise_id)
                moved = changed.get("enterprise_id")
                touched[noun].update(value for value in moved or () if value)
            log.append(
                {
                    "noun": noun,
                    "record_id": record_id,
                    "enterprise_id": enterprise_id,
                    "op": "update",
                    "fields": changed,
                    "record_version": version + 1,
                }
            )
    if found != len(by_id):
        raise Refused("有记录已不在库里，没有写入。")
    if clashes:
        raise Conflict("同一处已被别人改过。", clashes)
    if rows:
        statement = (
            update(table)
            .where(table.c.id == bindparam("b_id"), table.c.version == bindparam("b_version"))
            .values({table.c[keys.get(name, name)]: bindparam(f"b_{name}") for name in fields} | {table.c.version: table.c.version + 1})
        )
        result = connection.execute(statement, rows)
        if result.rowcount not in (-1, len(rows)):
            raise Conflict("同一处已被别人改过。")


def _log(connection, log: list[dict[str, Any]], act: Act, action: str, region_id, undoes_id) -> int:
    change_set_id = connection.execute(
        insert(ChangeSet)
        .values(
            action=action,
            user_id=act.viewer.user_id,
            who=act.viewer.name,
            door=act.door,
            request_id=act.request_id,
            request_key=act.request_key,
            region_id=region_id,
            effective_on=act.effective_on,
            recorded_at=act.recorded_at,
            reason=act.reason,
            undoes_id=undoes_id,
            import_batch_id=act.import_batch_id,
            record_count=len(log),
        )
        .returning(ChangeSet.id)
    ).scalar_one()
    for row in log:
        row["change_set_id"] = change_set_id
    connection.execute(insert(Change.__table__), log)
    return change_set_id


def _reserve_ids(connection, table: Table, count: int) -> Sequence[int]:
    """Ids for new rows, never given out twice. On SQLite we hold the write lock, so the sequence cannot move."""
    if connection.dialect.name == "sqlite":
        last = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}) or 0
        return range(last + 1, last + count + 1)
    query = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
    return connection.scalars(query, {"name": f'"{table.name}"', "count": count}).all()


def _keys_of(noun: str) -> dict[str, str]:
    """Attributes whose column has another name ("on" is a reserved word in SQL)."""
    for mapper in Base.registry.mappers:
        if mapper.local_table.name == noun:
            return {p.key: p.columns[0].name for p in mapper.column_attrs if p.key != p.columns[0].name}
    return {}


def _enterprise_of(noun: str, row: Mapping[str, Any]) -> int | None:
    return row["id"] if noun == "enterprise" else row.get("enterprise_id")


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


# What a person did when the database's own uniqueness speaks: the constraint's name and the sentence.
_UNIQUE = {
    "credit_code": "这个统一社会信用代码已属于另一家企业。",
    "uq_figures": "这一年的指标已经有一行。",
    "figures.enterprise_id": "这一年的指标已经有一行。",
    "uq_user_login": "这个登录名已有人用。",
    "user.login": "这个登录名已有人用。",
    "request_key": "这一步已经保存过，没有重复写入。",
}


def _uniqueness_sentence(error: IntegrityError) -> str:
    said = str(error.orig)
    for name, sentence in _UNIQUE.items():
        if name in said:
            return sentence
    return "这条记录与库里已有的重复，没有写入。"


def plain(value: Any) -> Any:
    """A value in the form the history keeps: money and decimals as digits, days and moments in ISO 8601."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value


def from_plain(noun: str, name: str, value: Any) -> Any:
    """The Python value of a history entry, by the type of its column; the inverse of ``plain``."""
    if value is None:
        return None
    table = Base.metadata.tables[noun]
    kind = table.c[_keys_of(noun).get(name, name)].type
    if isinstance(kind, Money | Exact):
        return Decimal(value)
    if isinstance(kind, Moment | DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Boolean):
        return bool(value)
    return value
