"""The columns of the list of applications behind the enterprise: their heads, and what stands in them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm.domain import words
from crm.domain.kinds import KINDS
from crm.domain.stages import ENDS
from crm.web.applications.shown import Card, cycle_of
from crm.web.doors import today
from crm.web.lists import Column, by_key

COLUMNS: dict[str, Column] = by_key(
    Column("cycle", "申报", True, "year"),
    Column("stage", "环节", True, "stage"),
    Column("days", "天数", True, "days", kind="count"),
    Column("due", "期限", True, "due"),
    Column("complete", "材料完整度", True),
    Column("township", "乡镇（考核）", True, "township"),
    Column("manager", "专员", True, "manager"),
    Column("kind", "申报资格", sort="kind"),
    Column("year", "申报年度", sort="year", kind="year"),
    Column("batch", "批次"),
    Column("since", "到这一步", sort="since", kind="date"),
    Column("end", "结果", sort="end"),
    Column("code", "统一社会信用代码", sort="code", kind="code"),
    Column("note", "说明"),
)
USUAL = tuple(key for key, column in COLUMNS.items() if column.usual)
SORT_WORDS = {"name": "企业"} | {column.sort: column.head for column in COLUMNS.values() if column.sort}


def put_off(one: Card) -> str:
    """The day to which somebody put the stage off on the due list, in words; "" when nobody did."""
    told = one.row.due_at
    return words.day(told, today()) if told is not None and one.due_at is not None and told != one.due_at else ""


def text_of(key: str, one: Card, townships: Mapping[int, str], people: Mapping[int, str]) -> str:
    """What stands in a cell that is drawn as plain text; "" where nothing is known."""
    row = one.row.application
    match key:
        case "kind":
            return KINDS[row.kind].name
        case "year":
            return str(row.year)
        case "batch":
            return one.window.batch or "" if one.window is not None else ""
        case "since":
            return words.day(row.stage_on, today()) if row.stage_on is not None else ""
        case "end":
            return ENDS.get(row.outcome or "", "在办")
        case "township":
            return townships.get(one.row.township_id or 0, "")
        case "manager":
            return people.get(one.row.manager_id or 0, "")
        case "code":
            return one.row.credit_code or ""
    return row.note or ""


def exporter(
    keys: Sequence[str], townships: Mapping[int, str], people: Mapping[int, str]
) -> Callable[[Card], list[Any]]:
    """A function from an application to its chosen cells in a file."""
    return lambda one: [_exported(key, one, townships, people) for key in keys]


def _exported(key: str, one: Card, townships: Mapping[int, str], people: Mapping[int, str]) -> Any:
    row = one.row.application
    match key:
        case "cycle":
            return f"{KINDS[row.kind].short} {cycle_of(row.year, one.window)}"
        case "stage":
            return f"{row.stage}（{ENDS[row.outcome]}）" if row.outcome in ENDS else row.stage
        case "days":
            return one.days
        case "due":
            if one.due_at is None:
                return ""
            later = put_off(one)
            return words.moment(one.due_at, today()) + (f"（改期到 {later}）" if later else "")
        case "complete":
            return f"{one.complete.percent}%" if one.complete is not None else ""
        case "year":
            return row.year
        case "since":
            return row.stage_on
    return text_of(key, one, townships, people)
