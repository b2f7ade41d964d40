"""Orders of the due list."""

from typing import Any

from sqlalchemy import Select

from crm.store.obligations import Obligation
from crm.store.orders import Order, directions
from crm.store.standings import Standing

NEAREST: Order = (("due", False),)
LATEST: Order = (("due", True),)

SORTS: dict[str, Any] = {
    "due": Obligation.due_at,
    "name": Standing.name_sort,
    "kind": Obligation.kind,
    "owner": Obligation.owner_id,
    "manager": Standing.manager_id,
    "township": Standing.township_id,
    "opens": Obligation.opens_on,
}
_NEVER_BLANK = frozenset({"due", "name", "kind", "opens"})


def ordered(query: Select, order: Order) -> Select:
    """The query over obligations and their standings in this order; what is alike in all keys comes by name."""
    said = directions(order, SORTS, never_blank=_NEVER_BLANK)
    if "name" not in dict(order):
        said.append(Standing.name_sort)
    return query.order_by(*said, Obligation.id)
