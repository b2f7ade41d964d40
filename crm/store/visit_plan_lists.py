"""Visit plans as lists: what is planned and what was done of it, by officer, and whom a new plan would hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import case, func, select

from crm.domain.viewers import Viewer
from crm.domain.visit_plans import VISIT, Quarter, falls_due, is_called_on
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.scope import visible
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.silence import is_there
from crm.store.standings import STATE_COLUMNS, Standing
from crm.store.visit_plans import VisitPlan, VisitPlanEnterprise


@dataclass(frozen=True)
class Firm:
    """An enterprise as the lists of plans show it."""

    enterprise_id: int
    name: str
    region_id: int
    township_id: int | None
    manager_id: int | None
    above_scale: bool | None
    last_contact_on: date | None
    states: Mapping[str, str]


@dataclass(frozen=True)
class Line:
    """One enterprise of a plan with what was done in the quarter."""

    firm: Firm
    item: VisitPlanEnterprise
    # The latest visit of the quarter, by anybody, and how many there were.
    visited_on: date | None
    log_id: int | None
    visits: int
    # The latest other contact of the quarter: (day, kind, log).
    other: tuple[date, str, int] | None


@dataclass(frozen=True)
class Covered:
    """How far one plan has come."""

    plan_id: int
    user_id: int
    region_id: int
    planned: int
    visited: int


@dataclass(frozen=True)
class Candidate:
    """An enterprise somebody looks after, and whether the cadence brings it into the quarter."""

    firm: Firm
    last_visit_on: date | None
    called_on: bool
    due: bool


def plan_of(user_id: int, quarter: Quarter, viewer: Viewer) -> list[VisitPlan]:
    """The plans of a person for a quarter, one for each region with enterprises of theirs."""
    query = select(VisitPlan).where(
        VisitPlan.user_id == user_id, VisitPlan.year == quarter.year, VisitPlan.quarter == quarter.number
    )
    return list(db.session.scalars(visible(query, viewer).order_by(VisitPlan.region_id)))


def lines(plan: VisitPlan, viewer: Viewer) -> list[Line]:
    """The enterprises of a plan in the order of their names, as far as the viewer sees them; three queries."""
    query = select(VisitPlanEnterprise).where(VisitPlanEnterprise.visit_plan_id == plan.id)
    items = {item.enterprise_id: item for item in db.session.scalars(visible(query, viewer))}
    done = _contacts(items, Quarter(plan.year, plan.quarter), viewer)
    found = []
    for firm in _firms(Standing.enterprise_id.in_(items), viewer):
        own = done.get(firm.enterprise_id, [])
        visits = [(on, log_id) for on, kind, log_id in own if kind == VISIT]
        others = [contact for contact in own if contact[1] != VISIT]
        on, log_id = visits[-1] if visits else (None, None)
        found.append(
            Line(firm, items[firm.enterprise_id], on, log_id, len(visits), others[-1] if others else None),
        )
    return found


def coverage(quarter: Quarter, viewer: Viewer) -> list[Covered]:
    """How far each plan of a quarter has come, in one statement; in no order of merit."""
    link = ServiceLogEnterprise
    visited = (
        select(link.enterprise_id)
        .join(ServiceLog, ServiceLog.id == link.service_log_id)
        .where(*_in(quarter), ServiceLog.kind == VISIT)
    )
    plans = select(VisitPlan.id).where(VisitPlan.year == quarter.year, VisitPlan.quarter == quarter.number)
    firm = VisitPlanEnterprise.enterprise_id
    done = func.count(func.distinct(case((firm.in_(visited), firm))))
    query = (
        select(VisitPlan.id, VisitPlan.user_id, VisitPlan.region_id, func.count(func.distinct(firm)), done)
        .select_from(VisitPlan)
        .join(VisitPlanEnterprise, VisitPlanEnterprise.visit_plan_id == VisitPlan.id)
        .join(Standing, Standing.enterprise_id == VisitPlanEnterprise.enterprise_id)
        .where(VisitPlan.id.in_(visible(plans, viewer)))
        .group_by(VisitPlan.id, VisitPlan.user_id, VisitPlan.region_id)
        .order_by(VisitPlan.id)
    )
    return [
        Covered(i, user, region, n, int(m or 0)) for i, user, region, n, m in db.session.execute(visible(query, viewer))
    ]


def candidates(
    user_id: int, quarter: Quarter, viewer: Viewer, months: Mapping[int, tuple[int, int]]
) -> list[Candidate]:
    """Whom a plan of this person may hold, by name, and whom the cadence asks for.

    ``months``: {region: (every so many months for those called on, for all others)}.
    """
    firms = list(_firms(Standing.manager_id == user_id, viewer, is_there()))
    last = _last_visits([firm.enterprise_id for firm in firms], quarter, viewer)
    found = []
    for firm in firms:
        called_on = is_called_on(dict(firm.states), firm.above_scale)
        usual, other = months.get(firm.region_id, (0, 0))
        before = last.get(firm.enterprise_id)
        found.append(Candidate(firm, before, called_on, falls_due(before, usual if called_on else other, quarter)))
    return found


def enterprises_of(plan_ids: Iterable[int]) -> dict[int, set[int]]:
    """{plan: its enterprises}. Without scope: for actions that have checked the plans."""
    item = VisitPlanEnterprise
    query = select(item.visit_plan_id, item.enterprise_id).where(item.visit_plan_id.in_(list(plan_ids)), ~item.deleted)
    found: dict[int, set[int]] = {}
    for plan_id, enterprise_id in db.session.execute(query):
        found.setdefault(plan_id, set()).add(enterprise_id)
    return found


def _firms(where: Any, viewer: Viewer, *more: Any) -> list[Firm]:
    states = [getattr(Standing, kind) for kind in STATE_COLUMNS]
    query = (
        select(
            Enterprise.id,
            Enterprise.name,
            Standing.region_id,
            Standing.township_id,
            Standing.manager_id,
            Standing.above_scale,
            Standing.last_contact_on,
            *states,
        )
        .select_from(Enterprise)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .where(where, *more)
        .order_by(Standing.name_sort, Enterprise.id)
    )
    return [
        Firm(*row[:7], {kind: state for kind, state in zip(STATE_COLUMNS, row[7:], strict=True) if state})
        for row in db.session.execute(visible(query, viewer))
    ]


def _in(quarter: Quarter) -> list[Any]:
    return [
        ServiceLog.happened_on.between(quarter.first, quarter.last),
        ~ServiceLog.deleted,
        ~ServiceLogEnterprise.deleted,
    ]


def _contacts(ids: Iterable[int], quarter: Quarter, viewer: Viewer) -> dict[int, list[tuple[date, str, int]]]:
    """{enterprise: (day, kind, log) of the quarter, oldest first}."""
    link = ServiceLogEnterprise
    query = (
        select(link.enterprise_id, ServiceLog.happened_on, ServiceLog.kind, ServiceLog.id)
        .select_from(link)
        .join(ServiceLog, ServiceLog.id == link.service_log_id)
        .where(link.enterprise_id.in_(list(ids)), *_in(quarter))
        .order_by(ServiceLog.happened_on, ServiceLog.id)
    )
    found: dict[int, list[tuple[date, str, int]]] = {}
    for enterprise_id, on, kind, log_id in db.session.execute(visible(query, viewer)):
        found.setdefault(enterprise_id, []).append((on, kind, log_id))
    return found


def _last_visits(ids: Sequence[int], quarter: Quarter, viewer: Viewer) -> dict[int, date]:
    """{enterprise: its last visit before the quarter}."""
    link = ServiceLogEnterprise
    query = (
        select(link.enterprise_id, func.max(ServiceLog.happened_on))
        .select_from(link)
        .join(ServiceLog, ServiceLog.id == link.service_log_id)
        .where(
            link.enterprise_id.in_(ids),
            ServiceLog.kind == VISIT,
            ServiceLog.happened_on < quarter.first,
            ~ServiceLog.deleted,
            ~link.deleted,
        )
        .group_by(link.enterprise_id)
    )
    return dict(db.session.execute(visible(query, viewer)).all())
