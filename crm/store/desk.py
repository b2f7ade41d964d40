"""What the desk counts and lists besides obligations: rungs, silence, what waits for a person, recent changes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprise_lists import holds
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch
from crm.store.jobs import Heartbeat
from crm.store.messages import Message
from crm.store.scope import visible
from crm.store.silence import Limits, is_titled, never_contacted
from crm.store.standings import Standing


@dataclass(frozen=True)
class Counts:
    """The numbers of the desk; each opens a list of enterprises of that length."""

    total: int
    own: tuple[int, ...]  # by rung, 本层
    held: tuple[int, ...]  # by rung, 持有
    awaiting: int
    expiring: int
    proposed: int
    silent: int
    never_contacted: int
    unassigned: int


@dataclass(frozen=True)
class Quiet:
    """An enterprise with a contact on record, longer ago than its ``limit`` of working days."""

    enterprise_id: int
    name: str
    last_contact_on: date
    limit: int


@dataclass(frozen=True)
class Recent:
    """One change set of somebody else that touched enterprises in sight: how many, and the first names."""

    change_set_id: int
    action: str
    who: str
    recorded_at: datetime
    import_batch_id: int | None
    file_name: str | None
    count: int
    firms: tuple[tuple[int, str], ...]


def _of(mine: int | None) -> list[ColumnElement[bool]]:
    return [] if mine is None else [Standing.manager_id == mine]


def counts(viewer: Viewer, *, mine: int | None, limits: Limits) -> Counts:
    """All numbers over the enterprises in sight (``mine``: of this case manager) in one aggregate."""

    def number(condition: ColumnElement[bool]) -> Any:
        return func.sum(case((condition, 1), else_=0))

    sums = [func.count()]
    for rung in range(5):
        sums += [number(Standing.rung == rung), number(holds(rung))]
    sums += [
        number(Standing.tech_sme == "awaiting_update"),
        number(Standing.hnte == "expiring"),
        number(Standing.pool == "proposed"),
        number(limits.is_silent()),
        number(never_contacted()),
        number(Standing.manager_id.is_(None)),
    ]
    query = visible(select(*sums).select_from(Standing).where(*_of(mine)), viewer)
    row = [n or 0 for n in db.session.execute(query).one()]
    return Counts(row[0], tuple(row[1:11:2]), tuple(row[2:11:2]), *row[11:])


def longest_silent(viewer: Viewer, *, mine: int | None, limits: Limits, limit: int) -> list[Quiet]:
    """Who was last heard of longest ago; who was never contacted is counted, but on nobody's list of today."""
    query = (
        select(Standing.enterprise_id, Enterprise.name, Standing.last_contact_on, Standing.region_id, is_titled())
        .select_from(Standing)
        .join(Enterprise, Enterprise.id == Standing.enterprise_id)
        .where(limits.is_silent(), *_of(mine))
        .order_by(Standing.last_contact_on, Standing.enterprise_id)
        .limit(limit)
    )
    return [
        Quiet(enterprise_id, name, on, limits.of(region_id, bool(titled)).days)
        for enterprise_id, name, on, region_id, titled in db.session.execute(visible(query, viewer))
    ]


def imports_to_confirm(viewer: Viewer) -> int:
    """Imports that are previewed and wait for somebody's word."""
    query = select(func.count()).select_from(ImportBatch).where(ImportBatch.state == "preview")
    return db.session.scalar(visible(query, viewer)) or 0


def messages_by_state(viewer: Viewer) -> dict[str, int]:
    """The outbox as far as the viewer sees it: {state: how many}."""
    query = select(Message.state, func.count()).group_by(Message.state)
    return dict(db.session.execute(visible(query, viewer)).all())


def last_messages(viewer: Viewer, *, limit: int = 3) -> list[Message]:
    """The newest messages, whoever they are for."""
    query = visible(select(Message), viewer).order_by(Message.id.desc()).limit(limit)
    return list(db.session.scalars(query))


def last_beat(name: str) -> datetime | None:
    """When a process was last alive; None when it never was, or ended in order."""
    return db.session.scalar(select(Heartbeat.seen_at).where(Heartbeat.name == name))


def changes_since(viewer: Viewer, *, mine: int | None, since: datetime, limit: int = 8, names: int = 3) -> list[Recent]:
    """What others changed of the enterprises in sight, newest first, one entry per change set."""
    link = select(Change.change_set_id, Change.enterprise_id).distinct()
    link = link.join(ChangeSet, ChangeSet.id == Change.change_set_id)
    link = link.join(Standing, Standing.enterprise_id == Change.enterprise_id)
    others = or_(ChangeSet.user_id.is_(None), ChangeSet.user_id != viewer.user_id)
    link = link.where(ChangeSet.recorded_at >= since, others, *_of(mine))
    touched = visible(link, viewer).subquery()
    query = (
        select(
            ChangeSet.id,
            ChangeSet.action,
            ChangeSet.who,
            ChangeSet.recorded_at,
            ChangeSet.import_batch_id,
            ImportBatch.file_name,
            func.count(touched.c.enterprise_id),
        )
        .select_from(touched)
        .join(ChangeSet, ChangeSet.id == touched.c.change_set_id)
        .outerjoin(ImportBatch, ImportBatch.id == ChangeSet.import_batch_id)
        .group_by(ChangeSet.id, ImportBatch.file_name)
        .order_by(ChangeSet.id.desc())
        .limit(limit)
    )
    found = db.session.execute(query).all()
    firms = _firms_of([row[0] for row in found], touched, names)
    return [Recent(*row, firms=tuple(firms.get(row[0], ()))) for row in found]


def _firms_of(change_set_ids: Sequence[int], touched: Any, names: int) -> dict[int, list[tuple[int, str]]]:
    place = func.row_number().over(partition_by=touched.c.change_set_id, order_by=touched.c.enterprise_id)
    numbered = (
        select(touched.c.change_set_id, touched.c.enterprise_id, place.label("place"))
        .where(touched.c.change_set_id.in_(change_set_ids))
        .subquery()
    )
    query = (
        select(numbered.c.change_set_id, Enterprise.id, Enterprise.name)
        .join(Enterprise, Enterprise.id == numbered.c.enterprise_id)
        .where(numbered.c.place <= names)
        .order_by(numbered.c.change_set_id, numbered.c.place)
    )
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for change_set_id, enterprise_id, name in db.session.execute(query):
        found[change_set_id].append((enterprise_id, name))
    return found
