"""The only module that inserts, updates or deletes domain rows: set-based for one record or 100,000."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Connection, Date, DateTime, Dialect, Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update, merge
from crm.domain.refusals import SAME_FIELD, Conflict, Refused
from crm.extensions import Base, db
from crm.store import projections
from crm.store.bulk import Bulk, insert_rows, update_rows
from crm.store.changes import Change, ChangeSet, refuse_repetition
from crm.store.pending_facts import Pending
from crm.store.records import DOMAIN_TABLES
from crm.store.service_logs import ServiceLogEnterprise
from crm.store.types import Exact, Moment, Money
from crm.store.unit_of_work import LIBRARY, hold, unit_of_work

# How many ids go into one IN list; SQLite allows 32,766 variables in a statement.
CHUNK = 10_000


@dataclass(frozen=True)
class Written:
    """What a write did: its change set (None when nothing differed), ids of creations by key, the records touched."""

    change_set_id: int | None
    ids: Mapping[Hashable, int] = field(default_factory=dict)
    record_count: int = 0
    enterprise_ids: frozenset[int] = frozenset()


@dataclass
class _Staged:
    """Changes worked out to rows, in the order in which they are written, and what is to stand in the history."""

    inserts: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    updates: list[tuple[str, list[str], list[dict[str, Any]]]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    ids: dict[Hashable, int] = field(default_factory=dict)
    # noun → enterprises of which something of that noun changes; and the enterprises that are new.
    touched: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    fresh: set[int] = field(default_factory=set)

    @property
    def enterprise_ids(self) -> frozenset[int]:
        return frozenset().union(*self.touched.values()) if self.touched else frozenset()


@dataclass(frozen=True)
class Prepared:
    """A large write made ready outside the lock: statements with their parameters, and the projections after it.

    It holds for the library as it was at ``seen_change_id``; whatever was changed since is checked when it is written.
    """

    staged: _Staged
    statements: tuple[tuple[str, str, Bulk], ...]  # (noun, "create" or "update", statement)
    history: Bulk
    change_set_id: int | None
    projected: projections.Made | None
    seen_change_id: int

    @property
    def enterprise_ids(self) -> frozenset[int]:
        """The enterprises it touches or creates."""
        return frozenset(self.staged.enterprise_ids)


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
    connection = _begin(act)
    staged = _stage(connection, changes, _reserve_ids, lock=True)
    if not staged.log:
        return Written(None)
    dialect = connection.dialect
    with _uniqueness():
        for noun, operation, statement in _statements(dialect, staged):
            _run(connection, noun, operation, statement)
    [change_set_id] = _reserve_ids(connection, Base.metadata.tables["change_set"], 1)
    _log(connection, change_set_id, len(staged.log), act, action, region_id, undoes_id)
    _history(dialect, staged, change_set_id).run(connection)
    db.session.expire_all()
    ids = staged.enterprise_ids
    projections.refresh(ids, at=act.recorded_at, nouns=frozenset(staged.touched), fresh=frozenset(staged.fresh))
    return Written(change_set_id, staged.ids, len(staged.log), ids)


def prepare(changes: Sequence[Create | Update], *, act: Act) -> Prepared:
    """Make a large write ready before the lock is taken, outside any unit of work; ``write_prepared`` then writes it.

    Ids are reserved in a short unit of work of their own (unused ones are never given out again). Raises Conflict
    and Refused like ``write``.
    """
    if db.session.info.get("writing"):
        raise RuntimeError("prepare works outside the unit of work, or it would hold the lock")
    reserved: dict[str, Sequence[int]] = {}
    with unit_of_work() as session:
        connection = session.connection()
        for noun, creates in _grouped(changes, Create).items():
            reserved[noun] = _reserve_for_good(connection, Base.metadata.tables[noun], len(creates))
        [change_set_id] = _reserve_for_good(connection, Base.metadata.tables["change_set"], 1)
    connection = db.session.connection()
    seen = db.session.scalar(select(func.max(Change.id))) or 0
    staged = _stage(connection, changes, lambda _connection, table, _count: reserved[table.name], lock=False)
    made = None
    if not any("enterprise_id" in fields for _, fields, _ in staged.updates):
        made = projections.make(
            staged.enterprise_ids,
            at=act.recorded_at,
            nouns=frozenset(staged.touched),
            fresh=frozenset(staged.fresh),
            pending=_pending(staged),
        )
    dialect = connection.dialect
    prepared = Prepared(
        staged,
        tuple(_statements(dialect, staged)),
        _history(dialect, staged, change_set_id),
        change_set_id,
        made,
        seen,
    )
    db.session.rollback()
    return prepared


def write_prepared(
    prepared: Prepared, *, act: Act, action: str, region_id: int | None = None, undoes_id: int | None = None
) -> Written:
    """Write what ``prepare`` made ready, inside the open unit of work; the lock is held for the bare statements.

    A record that somebody wrote meanwhile raises Conflict; projections of enterprises that somebody touched meanwhile
    are made again. Raises AlreadyDone and Refused like ``write``. Never commits.
    """
    connection = _begin(act)
    staged = prepared.staged
    if not staged.log or prepared.change_set_id is None:
        return Written(None)
    with _uniqueness():
        for noun, operation, statement in prepared.statements:
            _run(connection, noun, operation, statement)
    moved = _moved_since(prepared.seen_change_id, staged.enterprise_ids)
    _log(connection, prepared.change_set_id, len(staged.log), act, action, region_id, undoes_id)
    prepared.history.run(connection)
    db.session.expire_all()
    if prepared.projected is None:
        moved = staged.enterprise_ids
    else:
        projections.put(prepared.projected)
    if moved:
        projections.refresh(moved, at=act.recorded_at, nouns=None)
    return Written(prepared.change_set_id, staged.ids, len(staged.log), staged.enterprise_ids)


def _begin(act: Act) -> Connection:
    """The connection of the open unit of work, when the act was not written before."""
    session = db.session()
    if not session.info.get("writing"):
        raise RuntimeError("writing needs a unit of work")
    hold(LIBRARY, shared=True)
    if act.request_key:
        # Two presses at the same instant: the second waits here for the first, and then finds what it wrote.
        hold(act.request_key)
        refuse_repetition(act)
    session.flush()
    return session.connection()


def _moved_since(change_id: int, enterprise_ids: frozenset[int]) -> frozenset[int]:
    """Those of these enterprises that anybody touched after this change; all when something of no enterprise moved."""
    later = set(db.session.scalars(select(Change.enterprise_id).where(Change.id > change_id).distinct()))
    return enterprise_ids if None in later else frozenset(later & enterprise_ids)


@contextmanager
def _uniqueness() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Refused(_uniqueness_sentence(error)) from error


def _run(connection: Connection, noun: str, operation: str, statement: Bulk) -> None:
    done = statement.run(connection)
    if operation == "update" and done not in (-1, len(statement.parameters)):
        raise Conflict(SAME_FIELD)


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


Reserve = Callable[[Connection, Table, int], Sequence[int]]


def _stage(connection: Connection, changes: Sequence[Create | Update], reserve: Reserve, *, lock: bool) -> _Staged:
    """Work the changes out to rows and history; reads the current rows of updates, writes nothing."""
    staged = _Staged()
    groups = list(_in_foreign_key_order(_grouped(changes, Create)))
    # All ids before any row: what hangs on "a noun and an id" has no foreign key that would put it after its holder.
    own = {noun: reserve(connection, Base.metadata.tables[noun], len(creates)) for noun, creates in groups}
    for noun, creates in groups:
        for record_id, create in zip(own[noun], creates, strict=True):
            if create.key is not None:
                staged.ids[(noun, create.key)] = staged.ids[create.key] = record_id
    for noun, creates in groups:
        _stage_creates(staged, noun, creates, own[noun])
    for noun, updates in _grouped(changes, Update).items():
        _stage_updates(connection, staged, noun, updates, lock=lock)
    if "service_log" in {entry["noun"] for entry in staged.log}:
        _touch_enterprises_of_logs(staged)
    return staged


def _stage_creates(staged: _Staged, noun: str, creates: list[Create], own_ids: Sequence[int]) -> None:
    ids, touched = staged.ids, staged.touched[noun]
    columns = dict.fromkeys(name for create in creates for name in create.values)
    rows = []
    for record_id, create in zip(own_ids, creates, strict=True):
        row = dict(columns)
        for name, value in create.values.items():
            row[name] = ids[value.key] if isinstance(value, Ref) else value
        row["id"] = record_id
        rows.append(row)
        enterprise_id = _enterprise_of(noun, row)
        if enterprise_id is not None:
            touched.add(enterprise_id)
        staged.log.append(
            {
                "noun": noun,
                "record_id": record_id,
                "enterprise_id": enterprise_id,
                "op": "create",
                "fields": {name: plain(row[name]) for name in create.values if row[name] is not None},
                "record_version": 1,
            }
        )
    if noun == "enterprise":
        staged.fresh.update(own_ids)
    if not touched:
        del staged.touched[noun]
    staged.inserts.append((noun, rows))


def _stage_updates(connection: Connection, staged: _Staged, noun: str, updates: list[Update], *, lock: bool) -> None:
    table: Table = Base.metadata.tables[noun]
    by_id: dict[int, list[Update]] = defaultdict(list)
    for change in updates:
        by_id[change.id].append(change)
    keys = _keys_of(noun)
    ids, touched = staged.ids, staged.touched
    fields = sorted({name for change in updates for name in change.values})
    columns = [table.c[keys.get(name, name)] for name in fields]
    owner = [table.c.enterprise_id] if "enterprise_id" in table.c else []
    clashes: dict[str, tuple[Any, Any, Any]] = {}
    rows: list[dict[str, Any]] = []
    found = 0
    for chunk in _chunks(list(by_id)):
        query = select(table.c.id, table.c.version, *columns, *owner).where(table.c.id.in_(chunk))
        for row in connection.execute(query.with_for_update() if lock else query):
            found += 1
            record_id, version = row[0], row[1]
            current = dict(zip(fields, row[2:], strict=False))
            after = dict(current)
            for change in by_id[record_id]:
                wanted = change
                if any(isinstance(value, Ref) for value in change.values.values()):
                    values = {n: ids[v.key] if isinstance(v, Ref) else v for n, v in change.values.items()}
                    wanted = Update(noun, record_id, values, change.version, change.seen)
                values, clash = merge(wanted, after, version)
                clashes.update(clash)
                after.update(values)
            changed = {
                name: [plain(current[name]), plain(after[name])] for name in fields if after[name] != current[name]
            }
            if not changed:
                continue
            # A record that is withdrawn leaves its place before another takes it, and comes back when it is free.
            place = int(bool(current.get("deleted"))) - int(bool(after.get("deleted")))
            rows.append(
                {f"b_{name}": after[name] for name in fields}
                | {"b_id": record_id, "b_version": version, "place": place}
            )
            enterprise_id = record_id if noun == "enterprise" else (row[-1] if owner else None)
            if enterprise_id is not None:
                touched[noun].add(enterprise_id)
                touched[noun].update(value for value in changed.get("enterprise_id") or () if value)
            staged.log.append(
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
        raise Conflict(SAME_FIELD, clashes)
    rows.sort(key=lambda row: row.pop("place"))
    staged.updates.append((noun, fields, rows))


def _touch_enterprises_of_logs(staged: _Staged) -> None:
    """An event has no enterprise of its own; whoever is linked to it has another last contact or next step."""
    logs = [entry["record_id"] for entry in staged.log if entry["noun"] == "service_log" and entry["op"] == "update"]
    for chunk in _chunks(logs):
        query = select(ServiceLogEnterprise.enterprise_id).where(ServiceLogEnterprise.service_log_id.in_(chunk))
        staged.touched["service_log"].update(db.session.scalars(query))


def _statements(dialect: Dialect, staged: _Staged) -> Iterator[tuple[str, str, Bulk]]:
    for noun, rows in staged.inserts:
        keys = _keys_of(noun)
        named = [{keys.get(name, name): value for name, value in row.items()} for row in rows] if keys else rows
        yield noun, "create", insert_rows(dialect, Base.metadata.tables[noun], named)
    for noun, fields, rows in staged.updates:
        keys = _keys_of(noun)
        columns = {name: keys.get(name, name) for name in fields}
        yield noun, "update", update_rows(dialect, Base.metadata.tables[noun], columns, rows)


def _history(dialect: Dialect, staged: _Staged, change_set_id: int) -> Bulk:
    rows = [{**entry, "change_set_id": change_set_id} for entry in staged.log]
    return insert_rows(dialect, Base.metadata.tables["change"], rows)


def _pending(staged: _Staged) -> Pending:
    """The staged rows as the projections look at them: by noun, creations by enterprise and values by id."""
    pending = Pending()
    for noun, rows in staged.inserts:
        pending.create(noun, rows)
    for noun, fields, rows in staged.updates:
        for row in rows:
            pending.updates[noun][row["b_id"]] = {name: row[f"b_{name}"] for name in fields}
    for entry in staged.log:
        if entry["noun"] == "enterprise_alias" or (
            entry["noun"] == "enterprise" and (entry["op"] == "create" or entry["fields"].keys() & _NAMING)
        ):
            pending.renamed.add(entry["enterprise_id"])
    return pending


# What search and order look at; a withdrawal takes an enterprise out of both.
_NAMING = frozenset({"name", "credit_code", "deleted"})


def _log(connection, change_set_id: int, count: int, act: Act, action: str, region_id, undoes_id) -> None:
    connection.execute(
        insert(ChangeSet).values(
            id=change_set_id,
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
            record_count=count,
        )
    )


def _reserve_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Ids for new rows, never given out twice. On SQLite we hold the write lock, so the sequence cannot move."""
    if connection.dialect.name == "sqlite":
        last = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}) or 0
        return range(last + 1, last + count + 1)
    query = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
    return connection.scalars(query, {"name": f'"{table.name}"', "count": count}).all()


def _reserve_for_good(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """The same for rows that are written in a later transaction: SQLite's sequence is moved on at once."""
    ids = _reserve_ids(connection, table, count)
    if connection.dialect.name == "sqlite" and count:
        moved = connection.execute(
            text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name"), {"last": ids[-1], "name": table.name}
        )
        if not moved.rowcount:
            connection.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"),
                {"last": ids[-1], "name": table.name},
            )
    return ids


@cache
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
    "uq_visit_plan_of_a_quarter": "这个季度的走访计划已有一份。打开它再加企业。",
    "visit_plan.user_id": "这个季度的走访计划已有一份。打开它再加企业。",
    "figures.enterprise_id": "这一年的指标已经有一行。",
    "uq_visit_plan_enterprise": "这家企业已经在这份走访计划里。",
    "visit_plan_enterprise.visit_plan_id": "这家企业已经在这份走访计划里。",
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
