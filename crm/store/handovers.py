"""What a person has in hand and can be handed over: enterprises, promised steps, plans, collections; and what comes.

An enterprise's open requests, applications and coming reminders hang on the enterprise and go with it; they are
counted here, so that whoever hands over knows how much it is.
"""

from collections import Counter
from collections.abc import Collection as Ids
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from crm.domain.cadences import NEXT_STEP
from crm.domain.viewers import OFFICE, Viewer
from crm.domain.visit_plans import quarter_of
from crm.extensions import db
from crm.store.applications import Application
from crm.store.collections import Collection
from crm.store.enterprises import Affiliation, Enterprise
from crm.store.obligation_lists import WAITING
from crm.store.obligations import Obligation, ObligationOutcome
from crm.store.regions import Region
from crm.store.requests import Request
from crm.store.scope import visible
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.standings import Standing
from crm.store.users import User
from crm.store.visit_plans import VisitPlan, VisitPlanEnterprise

MANAGER = "manager"
CHUNK = 5_000


class Firm(NamedTuple):
    """One enterprise a person looks after, with the affiliation that says so."""

    enterprise_id: int
    name: str
    region_id: int
    township_id: int | None
    affiliation_id: int
    affiliation_version: int
    starts_on: date | None
    enterprise_version: int


class Step(NamedTuple):
    """A promised next step that waits, and the enterprises of its event."""

    service_log_id: int
    version: int
    region_id: int
    text: str
    due_on: date | None
    enterprise_ids: tuple[int, ...]


class Planned(NamedTuple):
    """One enterprise in a visit plan of this quarter or a later one."""

    id: int
    version: int
    enterprise_id: int
    region_id: int
    year: int
    quarter: int


class Asked(NamedTuple):
    """A collection that is not closed."""

    id: int
    version: int
    region_id: int
    title: str


class Given(NamedTuple):
    """What somebody recorded about one thing that is due when giving it to the person to do."""

    id: int
    version: int
    outcome: str


@dataclass(frozen=True)
class InHand:
    """Everything of one person; ``requests``, ``applications`` and ``reminders`` count per enterprise."""

    firms: tuple[Firm, ...]
    steps: tuple[Step, ...]
    planned: tuple[Planned, ...]
    collections: tuple[Asked, ...]
    requests: Counter[int]
    applications: Counter[int]
    reminders: Counter[int]
    given: tuple[Given, ...] = ()

    @property
    def nothing(self) -> bool:
        return not (self.firms or self.steps or self.planned or self.collections)


class Holder(NamedTuple):
    """One line of the list of people: how much lies with whom."""

    user_id: int
    name: str
    active: bool
    firms: int
    late: int
    steps: int


def office_regions(viewer: Viewer) -> frozenset[int] | None:
    """The regions whose work this viewer may hand over; None: all of them."""
    if viewer.everything:
        return None
    return frozenset[int]().union(*(g.region_ids for g in viewer.grants if g.role in OFFICE))


def _within(column: ColumnElement[int], viewer: Viewer) -> list[ColumnElement[bool]]:
    regions = office_regions(viewer)
    return [] if regions is None else [column.in_(regions)]


def in_hand(user_id: int, viewer: Viewer, *, on: date, until: datetime) -> InHand:
    """What a person has in hand in the regions of the office that asks; reminders are what falls due until then."""
    firms = _firms(user_id, viewer)
    return InHand(
        firms=firms,
        steps=_steps(user_id, viewer),
        planned=_planned(user_id, viewer, on),
        collections=_collections(user_id, viewer),
        requests=_counted(Request, user_id, viewer, Request.closed_on.is_(None)),
        applications=_counted(Application, user_id, viewer, Application.outcome.is_(None)),
        reminders=_counted(
            Obligation,
            user_id,
            viewer,
            Obligation.state.in_(WAITING),
            Obligation.due_at <= until,
            Obligation.kind != NEXT_STEP,
        ),
        given=_given(user_id, viewer),
    )


def _of_manager(query: Select, user_id: int, viewer: Viewer) -> Select:
    """A query over the enterprises that are the person's today and that the office that asks may hand over."""
    query = (
        query.select_from(Enterprise)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .join(Affiliation, Affiliation.enterprise_id == Enterprise.id)
        .where(
            Affiliation.kind == MANAGER,
            Affiliation.ref_id == user_id,
            Affiliation.ends_on.is_(None),
            *_within(Standing.region_id, viewer),
        )
    )
    return visible(query, viewer)


def _firms(user_id: int, viewer: Viewer) -> tuple[Firm, ...]:
    query = select(
        Enterprise.id,
        Enterprise.name,
        Standing.region_id,
        Standing.township_id,
        Affiliation.id,
        Affiliation.version,
        Affiliation.starts_on,
        Enterprise.version,
    )
    query = _of_manager(query, user_id, viewer).order_by(Standing.name_sort, Enterprise.id)
    return tuple(Firm(*row) for row in db.session.execute(query))


def _given(user_id: int, viewer: Viewer) -> tuple[Given, ...]:
    said = ObligationOutcome
    query = (
        select(said.id, said.version, said.outcome)
        .join(Standing, Standing.enterprise_id == said.enterprise_id)
        .where(said.assignee_id == user_id, ~said.deleted, said.outcome.in_(("assigned", "postponed")))
        .where(*_within(Standing.region_id, viewer))
        .order_by(said.id)
    )
    return tuple(Given(*row) for row in db.session.execute(visible(query, viewer)))


def _steps(user_id: int, viewer: Viewer) -> tuple[Step, ...]:
    waiting = select(Obligation.source_id).where(
        Obligation.kind == NEXT_STEP, Obligation.state.in_(WAITING), Obligation.owner_id == user_id
    )
    query = (
        select(ServiceLog.id, ServiceLog.version, ServiceLog.region_id, ServiceLog.next_step, ServiceLog.next_step_on)
        .where(ServiceLog.id.in_(waiting), *_within(ServiceLog.region_id, viewer))
        .order_by(ServiceLog.next_step_on, ServiceLog.id)
    )
    rows = db.session.execute(visible(query, viewer)).all()
    links: dict[int, list[int]] = {}
    for start in range(0, len(rows), CHUNK):
        some = [row[0] for row in rows[start : start + CHUNK]]
        of_event = select(ServiceLogEnterprise.service_log_id, ServiceLogEnterprise.enterprise_id).where(
            ServiceLogEnterprise.service_log_id.in_(some), ~ServiceLogEnterprise.deleted
        )
        for log_id, enterprise_id in db.session.execute(of_event.order_by(ServiceLogEnterprise.enterprise_id)):
            links.setdefault(log_id, []).append(enterprise_id)
    return tuple(Step(*row, tuple(links.get(row[0], ()))) for row in rows)


def _planned(user_id: int, viewer: Viewer, on: date) -> tuple[Planned, ...]:
    now = quarter_of(on)
    query = (
        select(
            VisitPlanEnterprise.id,
            VisitPlanEnterprise.version,
            VisitPlanEnterprise.enterprise_id,
            VisitPlan.region_id,
            VisitPlan.year,
            VisitPlan.quarter,
        )
        .select_from(VisitPlanEnterprise)
        .join(VisitPlan, VisitPlan.id == VisitPlanEnterprise.visit_plan_id)
        .where(
            VisitPlan.user_id == user_id,
            ~VisitPlan.deleted,
            or_(VisitPlan.year > now.year, and_(VisitPlan.year == now.year, VisitPlan.quarter >= now.number)),
            *_within(VisitPlan.region_id, viewer),
        )
        .order_by(VisitPlan.year, VisitPlan.quarter, VisitPlanEnterprise.id)
    )
    return tuple(Planned(*row) for row in db.session.execute(visible(query, viewer)))


def _collections(user_id: int, viewer: Viewer) -> tuple[Asked, ...]:
    query = (
        select(Collection.id, Collection.version, Collection.region_id, Collection.title)
        .where(Collection.owner_id == user_id, Collection.closed_on.is_(None), *_within(Collection.region_id, viewer))
        .order_by(Collection.id)
    )
    return tuple(Asked(*row) for row in db.session.execute(visible(query, viewer)))


def _counted(model: Any, user_id: int, viewer: Viewer, *conditions: ColumnElement[bool]) -> Counter[int]:
    """Per enterprise of the person in the regions of the office that asks: what hangs on it and is counted with it."""
    mine = _of_manager(select(Affiliation.enterprise_id), user_id, viewer)
    query = select(model.enterprise_id, func.count()).where(model.enterprise_id.in_(mine), *conditions)
    return Counter(dict(db.session.execute(visible(query.group_by(model.enterprise_id), viewer)).all()))


def plans_of(user_ids: Ids[int]) -> dict[tuple[int, int, int, int], int]:
    """{(user, region, year, quarter): id} of the visit plans these people have."""
    query = select(VisitPlan.user_id, VisitPlan.region_id, VisitPlan.year, VisitPlan.quarter, VisitPlan.id).where(
        VisitPlan.user_id.in_(user_ids), ~VisitPlan.deleted
    )
    return {(user, region, year, quarter): i for user, region, year, quarter, i in db.session.execute(query)}


def in_plans(plan_ids: Ids[int]) -> set[tuple[int, int]]:
    """(plan, enterprise) of what stands in these plans."""
    query = select(VisitPlanEnterprise.visit_plan_id, VisitPlanEnterprise.enterprise_id).where(
        VisitPlanEnterprise.visit_plan_id.in_(plan_ids), ~VisitPlanEnterprise.deleted
    )
    return {(plan_id, enterprise_id) for plan_id, enterprise_id in db.session.execute(query)}


def holders(viewer: Viewer, *, now: datetime) -> list[Holder]:
    """Who has how much in hand in the regions of the office that asks; whoever has nothing is left out."""
    firms = _by_person(
        visible(
            select(Standing.manager_id, func.count())
            .where(Standing.manager_id.is_not(None), *_within(Standing.region_id, viewer))
            .group_by(Standing.manager_id),
            viewer,
        )
    )
    waiting = [Obligation.state.in_(WAITING), *_within(Standing.region_id, viewer)]
    late = late_of(firms, viewer, now=now)
    steps = _by_person(
        visible(
            select(Obligation.owner_id, func.count(func.distinct(Obligation.source_id)))
            .select_from(Obligation)
            .join(Standing, Standing.enterprise_id == Obligation.enterprise_id)
            .where(*waiting, Obligation.kind == NEXT_STEP, Obligation.owner_id.is_not(None))
            .group_by(Obligation.owner_id),
            viewer,
        )
    )
    collections = _by_person(
        visible(
            select(Collection.owner_id, func.count())
            .where(
                Collection.owner_id.is_not(None), Collection.closed_on.is_(None), *_within(Collection.region_id, viewer)
            )
            .group_by(Collection.owner_id),
            viewer,
        )
    )
    ids = firms.keys() | steps.keys() | collections.keys()
    people = db.session.execute(select(User.id, User.name, User.active).where(User.id.in_(ids)))
    found = [Holder(i, name, active, firms[i], late[i], steps[i]) for i, name, active in people]
    # Whoever can no longer sign in stands first: nobody looks after what lies there.
    return sorted(found, key=lambda one: (one.active, -one.firms, -one.steps, one.name))


def late_of(user_ids: Ids[int], viewer: Viewer, *, now: datetime) -> Counter[int]:
    """How much is late at the enterprises of these people, of what the viewer sees."""
    query = (
        select(Standing.manager_id, func.count())
        .select_from(Obligation)
        .join(Standing, Standing.enterprise_id == Obligation.enterprise_id)
        .where(Obligation.state.in_(WAITING), Obligation.due_at < now, Standing.manager_id.in_(user_ids))
        .group_by(Standing.manager_id)
    )
    return _by_person(visible(query, viewer))


def holds_something(user_id: int, viewer: Viewer) -> bool:
    """Whether anything of the office's regions lies with this person, enterprises first."""
    firm = select(Standing.enterprise_id).where(Standing.manager_id == user_id, *_within(Standing.region_id, viewer))
    if db.session.scalar(visible(firm.limit(1), viewer)) is not None:
        return True
    return bool(_steps(user_id, viewer) or _collections(user_id, viewer))


def _by_person(query: Select) -> Counter[int]:
    return Counter(dict(db.session.execute(query).all()))


def township_names(ids: Sequence[int]) -> dict[int, str]:
    """Names of townships, ended ones included."""
    return dict(db.session.execute(select(Region.id, Region.name).where(Region.id.in_(ids))).all())
