"""Orders of the list of applications."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from crm.domain.cadences import APPLICATION_STAGE
from crm.domain.kinds import KINDS
from crm.domain.stages import ENDS, STAGES
from crm.store.applications import Application
from crm.store.enterprises import Enterprise
from crm.store.obligations import Obligation
from crm.store.orders import Order, directions
from crm.store.standings import Standing

# The newest cycle first, and in it title by title.
NEWEST: Order = (("year", True),)


class _Age:
    """How long ago a day was: the later day is the smaller age."""

    def __init__(self, day: ColumnElement[Any]) -> None:
        self.day = day

    def asc(self) -> ColumnElement[Any]:
        return self.day.desc()

    def desc(self) -> ColumnElement[Any]:
        return self.day.asc()


def due_at() -> Any:
    """When the stage of an application is due on the due list, where a day it was put off to counts."""
    said = select(func.min(Obligation.due_at)).where(
        Obligation.enterprise_id == Application.enterprise_id,
        Obligation.kind == APPLICATION_STAGE,
        Obligation.source_id == Application.id,
    )
    return said.correlate(Application).scalar_subquery()


def _place(column: Any, codes: Iterable[str]) -> ColumnElement[Any]:
    """Where a code stands among those of its kind, in the order in which people name them; blank for others."""
    return case({code: place for place, code in enumerate(codes)}, value=column)


SORTS: dict[str, Any] = {
    "name": Standing.name_sort,
    "kind": _place(Application.kind, KINDS),
    "year": Application.year,
    "stage": _place(Application.stage_code, STAGES),
    "days": _Age(case((Application.outcome.is_(None), Application.stage_on))),
    "due": due_at(),
    "since": Application.stage_on,
    "end": _place(Application.outcome, ENDS),
    "township": Standing.township_id,
    "manager": Standing.manager_id,
    "code": Enterprise.credit_code,
}
_NEVER_BLANK = frozenset({"name", "year"})


def ordered(query: Select[Any], order: Order) -> Select[Any]:
    """The query over applications and their enterprises in this order; what is alike in all keys comes by name."""
    order = order or NEWEST
    said = directions(order, SORTS, never_blank=_NEVER_BLANK)
    if order == NEWEST:
        said.append(SORTS["kind"])
    return query.order_by(*said, Standing.name_sort, Application.id)
