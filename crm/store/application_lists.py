"""Applications as lists: by stage for the board, page by page, and how many there are of what."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.application_orders import due_at, ordered
from crm.store.applications import Application
from crm.store.enterprises import Enterprise
from crm.store.orders import Order
from crm.store.scope import standing_rule, visible
from crm.store.standings import Standing
from crm.store.windows import Window

PAGE = 50
IN_HAND, ENDED = "in_hand", "ended"


@dataclass(frozen=True)
class Filter:
    """Which applications: None asks for all. ``state``: in_hand, ended, or one end (passed, failed …)."""

    kind: str | None = None
    window_id: int | None = None
    year: int | None = None
    manager_id: int | None = None
    unassigned: bool = False
    stage: str | None = None
    state: str = IN_HAND


@dataclass(frozen=True)
class Row:
    """One application with its enterprise, where that belongs and who looks after it.

    ``due_at``: when its stage is due on the due list; read for lists only.
    """

    application: Application
    name: str
    region_id: int
    township_id: int | None
    manager_id: int | None
    credit_code: str | None
    due_at: datetime | None = None


def count(wanted: Filter, viewer: Viewer) -> int:
    """How many rows the list of this filter has."""
    return int(db.session.scalar(_narrowed(_of(func.count(Application.id)), wanted, viewer)) or 0)


def page(wanted: Filter, viewer: Viewer, *, order: Order = (), number: int = 1, size: int = PAGE) -> list[Row]:
    """One page of the list in an order; the newest cycle first where none is given."""
    query = ordered(_narrowed(_rows().add_columns(due_at()), wanted, viewer), order)
    return [Row(*row) for row in db.session.execute(query.limit(size).offset((number - 1) * size))]


def state_counts(wanted: Filter, viewer: Viewer) -> dict[str, int]:
    """How many of what a filter narrows to are in hand, ended, and ended each way."""
    query = _narrowed(_of(Application.outcome, func.count()), replace(wanted, state=""), viewer)
    by_end: dict[str | None, int] = dict(db.session.execute(query.group_by(Application.outcome)).all())
    in_hand = by_end.pop(None, 0)
    return {IN_HAND: in_hand, ENDED: sum(by_end.values())} | {end: n for end, n in by_end.items() if end}


def stage_counts(wanted: Filter, viewer: Viewer) -> dict[tuple[str | None, str], int]:
    """How many stand in each stage: {(code, words): n}; free words of older applications have no code."""
    query = _narrowed(_of(Application.stage_code, Application.stage, func.count()), wanted, viewer)
    found = db.session.execute(query.group_by(Application.stage_code, Application.stage))
    return {(code, said): n for code, said, n in found}


def cards(wanted: Filter, viewer: Viewer, *, each: int) -> list[Row]:
    """The first ``each`` of every stage, who has stood there longest first."""
    place = func.row_number().over(
        partition_by=(Application.stage_code, Application.stage),
        order_by=(Application.stage_on, Application.id),
    )
    ranked = _narrowed(_of(Application.id.label("id"), place.label("place")), wanted, viewer).subquery()
    query = (
        _rows()
        .join(ranked, ranked.c.id == Application.id)
        .where(ranked.c.place <= each)
        .order_by(Application.stage_on, Application.id)
    )
    return [Row(*row) for row in db.session.execute(query)]


def kinds_in_hand(viewer: Viewer) -> dict[str, int]:
    """How many are in hand of each kind of title."""
    query = _narrowed(_of(Application.kind, func.count()), Filter(), viewer).group_by(Application.kind)
    return dict(db.session.execute(query).all())


def windows_in_use(kind: str | None, viewer: Viewer) -> list[tuple[int, int, str]]:
    """(id, year, batch) of the windows that applications of a kind stand in, newest first."""
    used = _narrowed(_of(Application.window_id), Filter(kind=kind, state=""), viewer)
    query = select(Window.id, Window.year, Window.batch).where(Window.id.in_(used))
    return [tuple(row) for row in db.session.execute(query.order_by(Window.year.desc(), Window.opens_on.desc()))]


def readable_rule(viewer: Viewer) -> list[ColumnElement[bool]]:
    """Applications are inside matters: a department, which reads public fields, sees none of them."""
    if viewer.everything or not viewer.has("unit"):
        return []
    return [standing_rule(replace(viewer, grants=tuple(grant for grant in viewer.grants if grant.role != "unit")))]


def _of(*columns: Any) -> Select[Any]:
    joined = select(*columns).select_from(Application)
    return joined.join(Standing, Standing.enterprise_id == Application.enterprise_id)


def _rows() -> Select[Any]:
    place = (Enterprise.region_id, Standing.township_id, Standing.manager_id)
    return _of(Application, Enterprise.name, *place, Enterprise.credit_code).join(
        Enterprise, Enterprise.id == Application.enterprise_id
    )


def _narrowed(query: Select[Any], wanted: Filter, viewer: Viewer) -> Select[Any]:
    """A query over applications that is joined to standings, cut to a filter and to what the viewer reads."""
    return visible(query.where(*_conditions(wanted), *readable_rule(viewer)), viewer)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kind:
        found.append(Application.kind == wanted.kind)
    if wanted.window_id is not None:
        found.append(Application.window_id == wanted.window_id)
    if wanted.year is not None:
        found.append(Application.year == wanted.year)
    if wanted.manager_id is not None:
        found.append(Standing.manager_id == wanted.manager_id)
    if wanted.unassigned:
        found.append(Standing.manager_id.is_(None))
    if wanted.stage:
        found.append(Application.stage_code == wanted.stage)
    if wanted.state == IN_HAND:
        found.append(Application.outcome.is_(None))
    elif wanted.state == ENDED:
        found.append(Application.outcome.is_not(None))
    elif wanted.state:
        found.append(Application.outcome == wanted.state)
    return found
