"""Orders of the list of requests."""

from typing import Any

from sqlalchemy import Select, case

from crm.store.enterprises import Enterprise
from crm.store.orders import Order, directions
from crm.store.requests import Request
from crm.store.standings import Standing

# What waits for an answer first, by its day; of what is closed the newest.
NEAREST: Order = (("due", False),)
LATEST: Order = (("closed", True),)

SORTS: dict[str, Any] = {
    "due": Request.due_on,
    "name": Standing.name_sort,
    "category": Request.category,
    "unit": Request.unit_id,
    "township": Standing.township_id,
    "manager": Standing.manager_id,
    "raised": Request.raised_on,
    "dispatched": Request.dispatched_on,
    "transferred": Request.transferred_on,
    "platform": Request.platform_number,
    "replied": Request.replied_on,
    "rating": Request.rating,
    "closed": Request.closed_on,
    "code": Enterprise.credit_code,
}
_NEVER_BLANK = frozenset({"name", "category", "raised"})


def usual_order(view: str) -> Order:
    """The order of a view where the address names none."""
    return LATEST if view == "closed" else NEAREST


def ordered(query: Select[Any], order: Order) -> Select[Any]:
    """The query over requests and their enterprises in this order; what is alike in all keys as it was raised."""
    said = directions(order, SORTS, never_blank=_NEVER_BLANK)
    if order == NEAREST:
        said.insert(0, case((Request.replied_on.is_(None), 0), else_=1))
    last = Request.id.desc() if order == LATEST else Request.id
    return query.order_by(*said, Request.raised_on, last)
