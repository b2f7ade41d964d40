"""The address of a list: its filters, order, columns and page as query arguments, and the words for each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from crm.domain.fields import CHOICES
from crm.domain.kinds import KINDS, POOL, POOL_KIND, RUNGS, STATES
from crm.store.enterprise_lists import SORTS, Filter, hnte_within_a_year
from crm.store.obligation_lists import midnight
from crm.store.silence import Limits
from crm.web.addresses import LARGEST_COUNT, page_number, whole

# Columns of the list: key, head, and whether a narrow office screen shows it by default.
COLUMNS: dict[str, tuple[str, bool]] = {
    "code": ("统一社会信用代码", True),
    "titles": ("资格", True),
    "township": ("乡镇（考核）", True),
    "industry": ("特色产业", True),
    "due": ("下一到期", True),
    "contact": ("最近联系", True),
    "manager": ("专员", True),
    "rung": ("梯次", False),
    "status": ("存续状态", False),
    "expiry": ("资格到期", False),
    "registered": ("成立日期", False),
}
DEFAULT_COLUMNS = tuple(key for key, (_, usual) in COLUMNS.items() if usual)
# What repeats internal notes: the next deadline may be a promised step, the last contact is a service log's day.
INTERNAL_COLUMNS = frozenset({"due", "contact"})
PUBLIC_COLUMNS = tuple(key for key in COLUMNS if key not in INTERNAL_COLUMNS)
DEFAULT_PUBLIC = ("code", "titles", "township", "industry", "expiry", "manager")
SORT_OF_COLUMN = {
    "name": "name",
    "township": "township",
    "due": "due",
    "contact": "contact",
    "manager": "manager",
    "rung": "rung",
    "expiry": "expiry",
}


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
class Asked:
    """What the address asks for."""

    filter: Filter
    sort: str
    descending: bool
    columns: tuple[str, ...]
    number: int
    args: dict[str, Any]

    def query(self, **changes: Any) -> str:
        """The address with some arguments changed (None drops one); a new filter begins at page 1."""
        args = {**self.args, "page": None, **changes}
        lists = {key: value if isinstance(value, list | tuple) else [value] for key, value in args.items()}
        flat = [(key, one) for key, values in lists.items() for one in values if one not in (None, "", [])]
        return "?" + urlencode(flat)


def read(args: MultiDict, *, when: When, viewer_id: int | None, public_only: bool = False) -> Asked:
    """Understand an address; what it cannot be is left out, a list never fails over its address.

    With ``public_only`` columns, orders and views that tell internal things are left out as well.
    """
    columns = PUBLIC_COLUMNS if public_only else tuple(COLUMNS)
    sorts = SORTS.keys() - INTERNAL_COLUMNS if public_only else SORTS.keys()
    views = views_for(public_only)
    rungs = tuple(sorted({r for r in _wholes(args.getlist("rung")) if r < len(RUNGS)}))
    townships = tuple(_wholes(args.getlist("township")))
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
        "sort": args.get("sort") if args.get("sort") in sorts else None,
        "desc": "1" if args.get("desc") == "1" else None,
        "columns": [c for c in args.getlist("columns") if c in columns],
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
    return Asked(
        wanted,
        kept["sort"] or default_sort,
        bool(kept["desc"]),
        tuple(kept["columns"]) or (DEFAULT_PUBLIC if public_only else DEFAULT_COLUMNS),
        page_number(args),
        kept,
    )


def _wholes(texts: list[str]) -> list[int]:
    return [number for text in texts if (number := whole(text, largest=LARGEST_COUNT)) is not None]


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
        chip("梯次", "、".join(RUNGS[int(r)] for r in args["rung"]), "rung", "basis")
    if args["township"]:
        chip("乡镇（考核）", "、".join(townships.get(int(t), "？") for t in args["township"]), "township")
    if args["manager"]:
        who = {"me": "我", "none": "未指派"}.get(args["manager"]) or people.get(int(args["manager"]), "？")
        chip("专员", who, "manager")
    if args["state"]:
        kind, _, state = args["state"].partition(":")
        name = (KINDS.get(kind) or POOL_KIND).short
        chip("资格", f"{name} {STATES.get(state, '持有') if kind != POOL else '在库'}", "state")
    if args["industry"]:
        chip("特色产业", industries.get(args["industry"], args["industry"]), "industry")
    if args["status"]:
        chip("存续状态", CHOICES["status"][args["status"]], "status")
    return found


def in_words(asked: Asked, found: list[dict[str, str]]) -> str:
    """The filter as one line, printed on exports and under print-outs."""
    parts = [f"{c['label']} {c['value']}" for c in found]
    if asked.args["view"]:
        parts.insert(0, VIEWS[asked.args["view"]][0])
    return "；".join(parts) or "全部企业"
