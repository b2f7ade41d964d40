"""The columns a list of enterprises can have: their heads, order keys, and which may be edited in their cell."""

from dataclasses import dataclass
from typing import Any

from crm.domain.fields import FIELDS, Field, fields_of
from crm.domain.viewers import INTERNAL, PUBLIC
from crm.web import lists


@dataclass(frozen=True)
class Column:
    """One column: ``sort`` is its key in enterprise_orders.SORTS, ``code`` the declared field behind it."""

    key: str
    head: str
    usual: bool = False
    sort: str | None = None
    code: str | None = None
    cls: str = PUBLIC

    @property
    def field(self) -> Field | None:
        return FIELDS.get(f"enterprise.{self.code}") if self.code else None

    @property
    def edits(self) -> bool:
        """Whether a cell of it opens an editor."""
        return self.code in EDITABLE


# Names and codes are changed on pages of their own: a rename is an event, and a doubtful code asks for a reason.
NOT_HERE = frozenset({"name", "credit_code", "old_number", "former_name"})
EDITABLE = frozenset(field.code for field in fields_of("enterprise")) - NOT_HERE

# What is printed in another way than its field, or is no field; in the order in which they are offered.
_OWN: tuple[Column, ...] = (
    Column("code", "统一社会信用代码", True, "code"),
    Column("titles", "资格", True),
    Column("township", "乡镇（考核）", True, "township", "township"),
    Column("industry", "特色产业", True, "industry", "featured_industry"),
    # What repeats internal notes: the next deadline may be a promised step, the last contact is a service log's day.
    Column("due", "下一到期", True, "due", cls=INTERNAL),
    Column("contact", "最近联系", True, "contact", cls=INTERNAL),
    Column("manager", "专员", True, "manager", "manager"),
    Column("rung", "梯次", False, "rung"),
    Column("status", "存续状态", False, "status", "status"),
    Column("expiry", "资格到期", False, "expiry"),
    Column("registered", "成立日期", False, "registered", "registered_on"),
)
_SORTS = {"hightech_field": "field", "park": "park", "capital": "capital"}


def _columns() -> dict[str, Column]:
    found = {column.key: column for column in _OWN}
    taken = {column.code for column in _OWN}
    for field in fields_of("enterprise"):
        if field.code in taken or field.code in NOT_HERE:
            continue
        unit = "（万元）" if field.type == "money" else ""
        sort = _SORTS.get(field.code)
        found[field.code] = Column(field.code, field.label + unit, False, sort, field.code, field.cls)
    return found


COLUMNS: dict[str, Column] = _columns()
USUAL = tuple(key for key, column in COLUMNS.items() if column.usual)
USUAL_PUBLIC = ("code", "titles", "township", "industry", "expiry", "manager")


def offered(public_only: bool) -> dict[str, Column]:
    """The columns somebody may choose."""
    return lists.offered(COLUMNS, public_only=public_only)


def chosen(keys: list[str], *, public_only: bool) -> tuple[str, ...]:
    """The columns an address asks for, in its order; the usual ones when it asks for none that exists."""
    return lists.chosen(keys, offered(public_only), USUAL_PUBLIC if public_only else USUAL)


def codes_of(keys: tuple[str, ...]) -> list[str]:
    """The declared fields that a list has to read for these columns."""
    return [code for key in keys if (code := COLUMNS[key].code)]


def is_number(column: Column) -> bool:
    """Whether its values stand at the right of their cells."""
    field: Any = column.field
    return field is not None and field.type in ("money", "count", "number", "ratio")
