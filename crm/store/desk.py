"""What the desk counts and lists besides obligations: rungs, silence, what waits for a person."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from crm.domain.kinds import HELD_STATES
from crm.domain.statuses import GONE
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.collections import Collection, CollectionEnterprise
from crm.store.enterprise_lists import holds
from crm.store.enterprises import Enterprise
from crm.store.figures import Figures
from crm.store.imports import ImportBatch
from crm.store.jobs import Heartbeat
from crm.store.messages import Message
from crm.store.scope import visible, visible_ids
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


def still_to_win(kind: str, rung: int, viewer: Viewer, *, mine: int, limit: int) -> tuple[list[int], int]:
    """The enterprises of a case manager for whom this title is the next: not held (or to be had anew for this year),
    on no higher rung, still there. (The first ``limit`` of them, those with the latest figures first; how many in all.)
    """
    held = getattr(Standing, kind)
    wanted = (
        Standing.manager_id == mine,
        Standing.rung <= rung,
        or_(held.is_(None), held.not_in(HELD_STATES - {"awaiting_update"})),
        or_(Standing.status.is_(None), Standing.status.not_in(GONE)),
    )
    latest = (
        select(func.max(Figures.year)).where(Figures.enterprise_id == Standing.enterprise_id, ~Figures.deleted)
    ).scalar_subquery()
    query = select(Standing.enterprise_id, func.count().over()).where(*wanted)
    query = visible(query, viewer).order_by(func.coalesce(latest, 0).desc(), Standing.name_sort, Standing.enterprise_id)
    rows = db.session.execute(query.limit(limit)).all()
    return [row[0] for row in rows], rows[0][1] if rows else 0


def imports_to_confirm(viewer: Viewer) -> int:
    """Imports that are previewed and wait for somebody's word."""
    query = select(func.count()).select_from(ImportBatch).where(ImportBatch.state == "preview")
    return db.session.scalar(visible(query, viewer)) or 0


def sheets_out(viewer: Viewer, *, owner_id: int | None) -> tuple[int, int]:
    """(sheets of open collections that did not come back, all that were sent); ``owner_id``: of this person's only."""
    sheet = CollectionEnterprise
    out = case((and_(sheet.returned_on.is_(None), sheet.excused_reason.is_(None)), 1), else_=0)
    query = (
        select(func.sum(out), func.count())
        .select_from(sheet)
        .join(Collection, Collection.id == sheet.collection_id)
        .where(Collection.closed_on.is_(None), ~Collection.deleted, ~sheet.deleted)
        .where(sheet.enterprise_id.in_(visible_ids(viewer)))
    )
    if owner_id is not None:
        query = query.where(Collection.owner_id == owner_id)
    waiting, sent = db.session.execute(query).one()
    return waiting or 0, sent


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
