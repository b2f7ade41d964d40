"""The address of the due list: its filters, order, columns and page as query arguments, and the words for each."""

import re
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from crm.domain import words
from crm.store.obligation_lists import LATE, SHOWN, Filter, Key, span_of, usual_order
from crm.store.obligation_orders import SORTS
from crm.store.orders import Order
from crm.web import lists
from crm.web.addresses import LARGEST_COUNT, page_number, whole
from crm.web.lists import Shaped, chosen, read_order, said_order
from crm.web.obligations.columns import COLUMNS, SORT_WORDS, USUAL, USUAL_MINE

TABS: dict[str, str] = {"waiting": "未办", "done": "已办", "waived": "免办", "lapsed": "已过期"}
GROUPS: dict[str, str] = {"late": "逾期", "week": "7 天内", "month": "8～30 天", "later": "以后"}
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])(-[0-3]\d)?", re.ASCII)
_KEY = re.compile(r"(\d{1,18}):([a-z_]{1,24}):([\w-]{1,40})", re.ASCII)


@dataclass(frozen=True)
class Asked(Shaped):
    """What the address asks for; ``open`` names the obligation in the side panel, which no other link keeps."""

    filter: Filter
    open: Key | None

    def same(self, **changes: Any) -> str:
        """The address of the same page of the list, with another row open."""
        return self.query(**{"page": self.number if self.number > 1 else None, **changes})


def read(args: MultiDict, *, viewer_id: int | None, mine_usually: bool) -> Asked:
    """Understand an address; what it cannot be is left out. A case manager's list shows the own items unless asked."""
    manager = args.get("manager", "")
    if manager not in ("me", "none", "all") and whole(manager, largest=LARGEST_COUNT) is None:
        manager = ""
    effective = manager or ("me" if mine_usually else "all")
    month = args.get("month", "")
    if args.get("state") == "overdue":
        month = LATE
    township = whole(args.get("township"), largest=LARGEST_COUNT)
    shown = args.get("shown") if args.get("shown") in SHOWN else "waiting"
    order = read_order(args.getlist("sort"), SORTS)
    columns = chosen(args.getlist("columns"), COLUMNS, USUAL_MINE if effective == "me" else USUAL)
    kept: dict[str, Any] = {
        "shown": shown if shown != "waiting" else None,
        "kind": args.get("kind") if args.get("kind") in words.OBLIGATION_KINDS else None,
        "month": month if month in GROUPS or _is_span(month) else None,
        "manager": manager or None,
        "township": str(township) if township is not None else None,
        "q": args.get("q", "").strip()[:60] or None,
        "saved": str(saved) if (saved := whole(args.get("saved"))) is not None else None,
        "sort": said_order(order) or None,
        "columns": list(columns) if args.getlist("columns") else None,
    }
    return Asked(
        order or usual_order(shown or "waiting"),
        columns,
        page_number(args),
        kept,
        Filter(
            shown=shown or "waiting",
            kind=kept["kind"],
            month=kept["month"],
            manager=whole(effective),
            mine=viewer_id if effective == "me" else None,
            unassigned=effective == "none",
            township=township,
            text=kept["q"] or "",
        ),
        key_in(args.get("open", "")),
    )


def key_in(text: str) -> Key | None:
    """The obligation that an address or a ticked row names: 12:next_step:34; None for anything else."""
    found = _KEY.fullmatch(text)
    return (int(found[1]), found[2], found[3]) if found else None


def _is_span(month: str) -> bool:
    """Whether this is a month, or a day that exists."""
    if not _MONTH.fullmatch(month):
        return False
    try:
        span_of(month)
    except ValueError:
        return False
    return True


def month_words(month: str) -> str:
    """逾期, 2026 年 11 月, or one day as a chip says it."""
    if month in GROUPS:
        return GROUPS[month]
    return month if len(month) == 10 else f"{month[:4]} 年 {int(month[5:])} 月"


def chips(asked: Asked, *, townships: dict[int, str], people: dict[int, str], mine: bool) -> list[dict[str, str]]:
    """The filters in force in words, each with the address that drops it. ``mine``: the list began with own items."""
    args, found = asked.args, []

    def chip(label: str, value: str, **changes: Any) -> None:
        found.append({"label": label, "value": value, "href": asked.query(**changes)})

    if args["q"]:
        chip("找", args["q"], q=None)
    if args["kind"]:
        chip("种类", words.OBLIGATION_KINDS[args["kind"]], kind=None)
    if args["month"]:
        chip("期限", month_words(args["month"]), month=None)
    if asked.filter.mine is not None:
        chip("专员", "我", manager="all")
    elif asked.filter.unassigned:
        chip("专员", "未指派", manager="all" if mine else None)
    elif asked.filter.manager is not None:
        chip("专员", people.get(asked.filter.manager, "？"), manager="all" if mine else None)
    if args["township"]:
        chip("乡镇（考核）", townships.get(int(args["township"]), "？"), township=None)
    return found


def in_words(asked: Asked, found: list[dict[str, str]]) -> str:
    """The filter as one line, printed on exports."""
    return "；".join([TABS[asked.filter.shown], *(f"{chip['label']} {chip['value']}" for chip in found)])


def order_in_words(order: Order) -> str:
    """The order of the list as one clause."""
    return lists.order_in_words(order, SORT_WORDS)


def is_grouped(asked: Asked) -> bool:
    """Whether the rows stand under how near they are: of what is to be done, nearest first."""
    return asked.filter.shown == "waiting" and asked.order[0] == ("due", False)
