"""The 培育库 as lists: proposed, in it, out of it, by year."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.pool import DECIDED, PoolMembership
from crm.store.scope import visible
from crm.store.standings import Standing

PAGE = 50

STAGES: dict[str, ColumnElement[bool]] = {
    "proposed": and_(PoolMembership.left_on.is_(None), ~DECIDED),
    "in_pool": and_(PoolMembership.left_on.is_(None), DECIDED),
    "out": PoolMembership.left_on.is_not(None),
}


@dataclass(frozen=True)
class Row:
    """One membership with the name of its enterprise and who looks after it."""

    membership: PoolMembership
    name: str
    township_id: int | None
    manager_id: int | None


def counts(viewer: Viewer, *, year: int | None = None) -> dict[str, int]:
    """How many memberships stand in each stage, in one statement."""
    sums = [func.sum(case((condition, 1), else_=0)) for condition in STAGES.values()]
    query = _joined(select(*sums).select_from(PoolMembership), year)
    found = db.session.execute(visible(query, viewer)).one()
    return {stage: n or 0 for stage, n in zip(STAGES, found, strict=True)}


def page(stage: str, viewer: Viewer, *, year: int | None = None, number: int = 1, size: int = PAGE) -> list[Row]:
    """One page of a stage, the newest day first."""
    query = select(PoolMembership, Enterprise.name, Standing.township_id, Standing.manager_id)
    query = _joined(query.select_from(PoolMembership), year).where(STAGES[stage])
    day = func.coalesce(
        PoolMembership.left_on, PoolMembership.entered_on, PoolMembership.decided_on, PoolMembership.proposed_on
    )
    query = visible(query, viewer).order_by(
        PoolMembership.year.desc(), day.desc(), Standing.name_sort, PoolMembership.id
    )
    rows: Sequence[Any] = db.session.execute(query.limit(size).offset((number - 1) * size)).all()
    return [Row(*row) for row in rows]


def years(viewer: Viewer) -> list[int]:
    """The years there are memberships of, newest first."""
    query = _joined(select(PoolMembership.year).select_from(PoolMembership), None).distinct()
    return [y for y in db.session.scalars(visible(query, viewer).order_by(PoolMembership.year.desc())) if y is not None]


def _joined(query: Any, year: int | None) -> Any:
    query = query.join(Enterprise, Enterprise.id == PoolMembership.enterprise_id)
    query = query.join(Standing, Standing.enterprise_id == PoolMembership.enterprise_id)
    return query if year is None else query.where(PoolMembership.year == year)
