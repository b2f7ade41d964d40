"""The address of a list: its filters, order, columns and page as query arguments, and the words for each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from crm.domain.fields import CHOICES
from crm.domain.kinds import KINDS, POOL, POOL_KIND, RUNGS, STATES
from crm.domain.viewers import PUBLIC
from crm.store.enterprise_lists import Filter, hnte_within_a_year
from crm.store.enterprise_orders import SORTS
from crm.store.obligation_lists import midnight
from crm.store.orders import Order
from crm.store.silence import Limits
from crm.web import lists
from crm.web.addresses import LARGEST_COUNT, page_number, whole, wholes
from crm.web.enterprises.columns import COLUMNS, chosen
from crm.web.lists import Shaped, read_order, said_order

# Words for the order, where a key is no column or has a longer head.
SORT_WORDS = {"name": "名称", "field": "高新技术领域"} | {c.sort: c.head for c in COLUMNS.values() if c.sort}
# Orders that repeat internal notes.
INTERNAL_SORTS = frozenset(c.sort for c in COLUMNS.values() if c.sort and c.cls != PUBLIC)


# What comes within so many days is on the desk, in the mail and in the list of that name.
DAYS_AHEAD = 30


@dataclass(frozen=True)
class When:
    """The moment a list is read, and how long one may be silent then, asked only by the list that needs it."""

    now: datetime
    today: date
    silence: Callable[[], Limits]

    @property
    def horizon(self) -> datetime:
        """The end of the last day that counts as soon."""
        return midnight(self.today + timedelta(days=DAYS_AHEAD + 1))


@dataclass(frozen=True)
class Asked(Shaped):
    """What the address asks for."""

    filter: Filter


def read(args: MultiDict, *, when: When, viewer_id: int | None, public_only: bool = False) -> Asked:
    """Understand an address; what it cannot be is left out, a list never fails over its address.

    With ``public_only`` columns, orders and views that tell internal things are left out as well.
    """
    sorts = SORTS.keys() - INTERNAL_SORTS if public_only else SORTS.keys()
    order = read_order(args.getlist("sort"), sorts)
    if len(order) == 1 and args.get("desc") == "1":  # as addresses were written before there were several keys
        order = ((order[0][0], True),)
    asked_columns = chosen(args.getlist("columns"), public_only=public_only)
    views = views_for(public_only)
    rungs = tuple(sorted({r for r in wholes(args.getlist("rung")) if r < len(RUNGS)}))
    townships = tuple(wholes(args.getlist("township"), largest=LARGEST_COUNT))
    kind, _, state = args.get("state", "").partition(":")
    manager = args.get("manager", "")
    manager_id = whole(manager, largest=LARGEST_COUNT)
    kept: dict[str, Any] = {
        "q": args.get("q", "").strip()[:60],
        "rung": [str(r) for r in rungs],
        "basis": "held" if args.get("basis") == "held" else None,
        "township": [str(t) for t in townships],
        "manager": manager if manager in ("me", "none") or manager_id is not None else None,
        "state": f"{kind}:{state}" if kind in KINDS or kind == POOL else None,
        "industry": args.get("industry", "")[:40],
        "status": args.get("status") if args.get("status") in CHOICES["status"] else None,
        "view": args.get("view") if args.get("view") in views else None,
        "sort": said_order(order) or None,
        "columns": list(asked_columns) if set(args.getlist("columns")) & set(asked_columns) else [],
        "saved": str(saved) if (saved := whole(args.get("saved"))) is not None else None,
    }
    wanted = Filter(
        text=kept["q"],
        rungs=rungs,
        held=kept["basis"] == "held",
        townships=townships,
        manager=viewer_id if manager == "me" else manager_id,
        unassigned=manager == "none",
        kind=kind if kept["state"] else None,
        state=state if state in STATES or state in ("in_pool", "proposed") else None,
        industry=kept["industry"] or None,
        status=kept["status"],
    )
    view = VIEWS.get(kept["view"] or "")
    if view:
        wanted = view[1](wanted, when)
    default_sort = "due" if kept["view"] in ("awaiting", "overdue", "due") and not public_only else "name"
    return Asked(order or ((default_sort, False),), asked_columns, page_number(args), kept, wanted)


# Standing views, each a filter over the standings; the words are those of the glossary.
VIEWS: dict[str, tuple[str, Any]] = {
    "awaiting": ("国家科小待更新", lambda f, _when: replace(f, kind="tech_sme", state="awaiting_update")),
    "hnte_year": ("高企一年内到期", lambda f, when: hnte_within_a_year(f, when.today)),
    "renewing": ("高企重新认定中", lambda f, _when: replace(f, kind="hnte", state="renewing")),
    "srdi_only": ("专精特新未获高企", lambda f, _when: replace(f, srdi_without_hnte=True)),
    # Their titles ask nothing any more; what is left to do is to end them, or to correct the status.
    "gone": ("注销、吊销或迁出，资格未终止", lambda f, _when: replace(f, gone_with_titles=True)),
    "overdue": ("有逾期", lambda f, when: replace(f, late_at=when.now)),
    "due": ("30 天内到期", lambda f, when: replace(f, due_between=(when.now, when.horizon))),
    "silent": ("久未联系", lambda f, when: replace(f, silent=when.silence())),
    "never": ("从未联系", lambda f, _when: replace(f, never_contacted=True)),
    "unassigned": ("没有专员", lambda f, _when: replace(f, unassigned=True)),
}


INTERNAL_VIEWS = frozenset({"overdue", "due", "silent", "never"})


def views_for(public_only: bool) -> dict[str, tuple[str, Any]]:
    """The standing views somebody may open; those over deadlines and contacts are internal."""
    return {key: view for key, view in VIEWS.items() if not (public_only and key in INTERNAL_VIEWS)}


def chips(
    asked: Asked, *, townships: dict[int, str], people: dict[int, str], industries: dict[str, str]
) -> list[dict[str, str]]:
    """The filters in force in words, each with the address that drops it."""
    args, found = asked.args, []

    def chip(label: str, value: str, *names: str) -> None:
        found.append({"label": label, "value": value, "href": asked.query(**dict.fromkeys(names))})

    if args["q"]:
        chip("找", args["q"], "q")
    if args["rung"]:
        named = "、".join(RUNGS[int(r)] for r in args["rung"])
        chip("梯次", f"{named}（持有）" if asked.filter.held else named, "rung", "basis")
    if args["township"]:
        chip("乡镇（考核）", "、".join(townships.get(int(t), "？") for t in args["township"]), "township")
    if args["manager"]:
        who = {"me": "我", "none": "未指派"}.get(args["manager"]) or people.get(int(args["manager"]), "？")
        chip("专员", who, "manager")
    if args["state"]:
        kind, _, state = args["state"].partition(":")
        name = (KINDS.get(kind) or POOL_KIND).short
        said = STATES.get(state, "持有") if kind != POOL else {"proposed": "拟入库"}.get(state, "在库")
        chip("资格", f"{name} {said}", "state")
    if args["industry"]:
        chip("特色产业", industries.get(args["industry"], args["industry"]), "industry")
    if args["status"]:
        chip("存续状态", CHOICES["status"][args["status"]], "status")
    return found


def sorts_for(public_only: bool) -> dict[str, str]:
    """The orders somebody may ask for, with their words."""
    return {key: SORT_WORDS[key] for key in SORTS if not (public_only and key in INTERNAL_SORTS)}


def order_in_words(order: Order) -> str:
    """The order of the list as one clause."""
    return lists.order_in_words(order, SORT_WORDS)


def in_words(asked: Asked, found: list[dict[str, str]]) -> str:
    """The filter as one line, printed on exports and under print-outs."""
    parts = [f"{c['label']} {c['value']}" for c in found]
    if asked.args["view"]:
        parts.insert(0, VIEWS[asked.args["view"]][0])
    return "；".join(parts) or "全部企业"
