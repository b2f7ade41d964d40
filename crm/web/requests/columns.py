"""The columns of the list of requests behind the enterprise: their heads, and what stands in them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from crm.domain import words
from crm.domain.requests import RATINGS, STATES, state_of
from crm.domain.viewers import Viewer
from crm.store.request_lists import Row
from crm.web import reference
from crm.web.doors import today
from crm.web.lists import Column, by_key, chosen
from crm.web.requests.forms import unit_names

DUE = Column("due", "期限", sort="due", kind="date")
CLOSED = Column("closed", "办结", sort="closed", kind="date")
_REST: dict[str, Column] = by_key(
    Column("text", "诉求", True),
    Column("category", "类别", True, "category"),
    Column("state", "状态", True),
    Column("unit", "交办部门", True, "unit"),
    Column("township", "乡镇（考核）", True, "township"),
    Column("raised", "提出", True, "raised", kind="date"),
    Column("manager", "专员", True, "manager"),
    Column("dispatched", "交办日期", sort="dispatched", kind="date"),
    Column("platform", "平台编号", sort="platform", kind="code"),
    Column("transferred", "转平台日期", sort="transferred", kind="date"),
    Column("reply", "回复"),
    Column("replied", "回复日期", sort="replied", kind="date"),
    Column("rating", "企业评价", sort="rating"),
    Column("reason", "办结说明"),
    Column("code", "统一社会信用代码", sort="code", kind="code"),
)
USUAL = tuple(key for key, column in _REST.items() if column.usual)
SORT_WORDS = {"due": DUE.head, "name": "企业", "closed": CLOSED.head} | {
    column.sort: column.head for column in _REST.values() if column.sort
}
# Long texts, which a row shows the beginning of.
LONG = ("text", "reply", "reason")

Names = Mapping[str, Mapping[Any, str]]


def lead_of(view: str) -> Column:
    """The day that stands before the enterprise: by when, and of what is closed since when."""
    return CLOSED if view == "closed" else DUE


def offered(view: str) -> dict[str, Column]:
    """The columns somebody may choose in a view, in which the leading day always stands."""
    return _REST | ({DUE.key: DUE} if view == "closed" else {})


def chosen_keys(keys: Sequence[str], view: str) -> tuple[str, ...]:
    """The columns an address asks for in a view; the usual ones when it asks for none that exists."""
    return chosen(keys, offered(view), USUAL)


def names_for(rows: Iterable[Row], person: Viewer) -> dict[str, dict[Any, str]]:
    """Names behind the ids and codes of these rows, read once per page."""
    found = list(rows)
    return {
        "units": unit_names(row.request.unit_id for row in found),
        "people": reference.people(row.manager_id for row in found),
        "townships": {region.id: region.name for region in reference.townships(person)},
        "categories": reference.words_of("request_category", person),
    }


def text_of(key: str, row: Row, names: Names) -> str:
    """What stands in a cell; "" where nothing is known."""
    value = _value(key, row, names)
    if value is None or isinstance(value, str):
        return value or ""
    return words.day(value, today())


def exporter(keys: Sequence[str], names: Names) -> Callable[[Row], list[Any]]:
    """A function from a request to these cells of it in a file."""
    return lambda row: [_value(key, row, names) for key in keys]


def _value(key: str, row: Row, names: Names) -> Any:
    one = row.request
    match key:
        case "category":
            return names["categories"].get(one.category, one.category)
        case "state":
            return STATES[state_of(one, today())]
        case "unit":
            return names["units"].get(one.unit_id, "")
        case "township":
            return names["townships"].get(row.township_id, "")
        case "manager":
            return names["people"].get(row.manager_id, "")
        case "platform":
            return one.platform_number
        case "rating":
            return f"{one.rating} 分 {RATINGS[one.rating]}" if one.rating in RATINGS else ""
        case "reason":
            return one.close_reason
        case "code":
            return row.credit_code
        case "text" | "reply":
            return getattr(one, key)
    return getattr(one, f"{key}_on")
