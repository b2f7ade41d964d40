"""Orders of a list of enterprises."""

from typing import Any

from sqlalchemy import Select

from crm.store.enterprises import Enterprise
from crm.store.orders import Order, directions
from crm.store.standings import Standing

BY_NAME: Order = (("name", False),)

SORTS: dict[str, Any] = {
    "name": Standing.name_sort,
    "rung": Standing.rung,
    "due": Standing.next_due_at,
    "contact": Standing.last_contact_on,
    "expiry": Standing.next_expiry_on,
    "township": Standing.township_id,
    "manager": Standing.manager_id,
    "industry": Standing.featured_industry,
    "field": Standing.hightech_field,
    "status": Standing.status,
    "park": Standing.park_id,
    # These stand in the wide rows, which a large list reads one by one to sort by them.
    "code": Enterprise.credit_code,
    "registered": Enterprise.registered_on,
    "capital": Enterprise.capital,
}
_NEVER_BLANK = frozenset({"name", "rung"})


def ordered(query: Select, order: Order) -> Select:
    """The query over standings in this order; enterprises that are alike in all keys come by name."""
    keys = order or BY_NAME
    if any(SORTS[key].class_ is Enterprise for key, _ in keys):
        query = query.join(Enterprise, Enterprise.id == Standing.enterprise_id)
    said = directions(keys, SORTS, never_blank=_NEVER_BLANK)
    if "name" not in {key for key, _ in keys}:
        said.append(Standing.name_sort)
    return query.order_by(*said, Standing.enterprise_id)
