"""Requests as a list: views with their counts, filters, pages; the SQL twin of domain/requests.state_of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_, select

from crm.domain import requests as d
from crm.domain.pinyin import needle
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.matching import stands_in
from crm.store.orders import Order
from crm.store.request_orders import ordered, usual_order
from crm.store.requests import Request
from crm.store.scope import visible
from crm.store.standings import SearchText, Standing

PAGE = 50


def in_state(state: str, on: date) -> ColumnElement[bool]:
    """The condition that a request is in a state on a day: ``state_of``, said to the database."""
    is_open = Request.closed_on.is_(None)
    unanswered = and_(is_open, Request.replied_on.is_(None))
    in_time = and_(unanswered, or_(Request.due_on.is_(None), Request.due_on >= on))
    sent, passed = Request.dispatched_on.is_not(None), Request.transferred_on.is_not(None)
    by_platform = and_(in_time, not_(sent), passed)
    rated = Request.rating.is_not(None)
    return {
        d.CLOSED: not_(is_open),
        d.REPLIED: and_(is_open, Request.replied_on.is_not(None), not_(rated)),
        d.RATED: and_(is_open, rated, or_(Request.replied_on.is_not(None), by_platform)),
        d.OVERDUE: and_(unanswered, Request.due_on < on),
        d.DISPATCHED: and_(in_time, sent),
        d.TRANSFERRED: and_(by_platform, not_(rated)),
        d.RAISED: and_(in_time, not_(sent), not_(passed)),
    }[state]


# The views of the list and the states each shows.
VIEWS: dict[str, tuple[str, ...]] = {
    "open": (d.RAISED, d.DISPATCHED, d.TRANSFERRED, d.OVERDUE, d.REPLIED, d.RATED),
    "raised": (d.RAISED,),
    "doing": (d.DISPATCHED, d.TRANSFERRED),
    "overdue": (d.OVERDUE,),
    "answered": (d.REPLIED, d.RATED),
    "closed": (d.CLOSED,),
}


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to; the parts are joined by “and”. ``mine``: the enterprises of this case manager."""

    category: str | None = None
    unit_id: int | None = None
    mine: int | None = None
    enterprise_id: int | None = None
    text: str = ""


@dataclass(frozen=True)
class Row:
    """One request with its enterprise and who looks after that."""

    request: Request
    name: str
    township_id: int | None
    manager_id: int | None
    credit_code: str | None


_COLUMNS = (Request, Enterprise.name, Standing.township_id, Standing.manager_id, Enterprise.credit_code)


def counts(wanted: Filter, viewer: Viewer, *, on: date, closed: bool = True) -> dict[str, int]:
    """How many stand in each view, in one statement; without ``closed`` those are not counted, which is faster."""
    sums = [func.sum(case((_view(view, on), 1), else_=0)) for view in VIEWS]
    query = select(*sums).select_from(Request).join(Standing, Standing.enterprise_id == Request.enterprise_id)
    query = _narrowed(query, wanted)
    if not closed:
        query = query.where(Request.closed_on.is_(None))
    found = db.session.execute(visible(query, viewer)).one()
    return {view: n or 0 for view, n in zip(VIEWS, found, strict=True)}


def page(
    view: str,
    wanted: Filter,
    viewer: Viewer,
    *,
    on: date,
    order: Order = (),
    number: int = 1,
    size: int = PAGE,
) -> list[Row]:
    """One page of a view in an order (the usual one of the view where none is given)."""
    query = visible(_joined(select(*_COLUMNS).select_from(Request), wanted).where(_view(view, on)), viewer)
    query = ordered(query, order or usual_order(view))
    rows: Sequence[Any] = db.session.execute(query.limit(size).offset((number - 1) * size)).all()
    return [Row(*row) for row in rows]


def of_enterprise(enterprise_id: int, viewer: Viewer) -> list[Request]:
    """The requests of one enterprise, the newest first."""
    query = select(Request).where(Request.enterprise_id == enterprise_id)
    return list(db.session.scalars(visible(query, viewer).order_by(Request.raised_on.desc(), Request.id.desc())))


def to_move(state: tuple[str, ...], wanted: Filter, viewer: Viewer, *, on: date, limit: int) -> list[Row]:
    """The first requests in these states: those with the nearest day, then those that were raised first."""
    query = _joined(select(*_COLUMNS).select_from(Request), wanted).where(or_(*(in_state(one, on) for one in state)))
    query = visible(query, viewer).order_by(Request.due_on.is_(None), Request.due_on, Request.raised_on, Request.id)
    return [Row(*row) for row in db.session.execute(query.limit(limit))]


def by_ids(ids: Iterable[int], viewer: Viewer) -> dict[int, Request]:
    """These requests by id, as far as the viewer sees them."""
    wanted = list(ids)
    found = db.session.scalars(visible(select(Request).where(Request.id.in_(wanted)), viewer)) if wanted else ()
    return {one.id: one for one in found}


def of_logs(log_ids: Iterable[int], viewer: Viewer) -> dict[int, int]:
    """{service log: the request that came of it}, as far as the viewer sees it."""
    ids = list(log_ids)
    query = select(Request.service_log_id, Request.id).where(Request.service_log_id.in_(ids))
    return dict(db.session.execute(visible(query, viewer)).all()) if ids else {}


def is_asked(viewer: Viewer) -> bool:
    """Whether a department of the viewer was ever asked anything."""
    units = {grant.unit_id for grant in viewer.grants if grant.role == "unit" and grant.unit_id is not None}
    query = select(Request.id).where(Request.unit_id.in_(units), Request.dispatched_on.is_not(None)).limit(1)
    return bool(units) and db.session.scalar(query) is not None


def _view(view: str, on: date) -> ColumnElement[bool]:
    if view == "open":
        return Request.closed_on.is_(None)
    return or_(*(in_state(state, on) for state in VIEWS[view]))


def _joined(query: Select[Any], wanted: Filter) -> Select[Any]:
    query = query.join(Enterprise, Enterprise.id == Request.enterprise_id)
    return _narrowed(query.join(Standing, Standing.enterprise_id == Request.enterprise_id), wanted)


def _narrowed(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.category:
        query = query.where(Request.category == wanted.category)
    if wanted.unit_id is not None:
        query = query.where(Request.unit_id == wanted.unit_id)
    if wanted.mine is not None:
        query = query.where(Standing.manager_id == wanted.mine)
    if wanted.enterprise_id is not None:
        query = query.where(Request.enterprise_id == wanted.enterprise_id)
    text = needle(wanted.text)
    if text:
        hits = select(SearchText.enterprise_id).where(stands_in(text, SearchText.haystack))
        query = query.where(or_(Request.enterprise_id.in_(hits), Request.platform_number == wanted.text.strip()))
    return query
