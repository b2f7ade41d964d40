"""The list of requests and its export."""

from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for

from crm.actions.exports import export_rows
from crm.domain import words
from crm.domain.requests import STATE_CLASSES, STATES, UNANSWERED, state_of
from crm.store import request_lists
from crm.store.request_lists import Filter
from crm.web import downloads, reference
from crm.web.addresses import page_number, whole
from crm.web.doors import new_act, now, open_to, today, viewer
from crm.web.requests import blueprint
from crm.web.requests.forms import unit_names, units_to_choose

VIEWS: dict[str, str] = {
    "open": "未办结",
    "raised": "待交办",
    "doing": "在办",
    "overdue": "逾期",
    "answered": "已回复，待办结",
    "closed": "已办结",
}
RAISERS = ("case_manager", "township", "park", "bureau", "admin")
READERS = (*RAISERS, "leader", "unit")


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    view: str
    filter: Filter
    number: int
    args: dict[str, Any]

    def address(self, **changes: Any) -> str:
        """The address with some arguments changed; a new filter begins at page 1."""
        args = {**self.args, "view": self.view, "page": None, **changes}
        return url_for("requests.index", **{k: v for k, v in args.items() if v not in (None, "")})


def asked() -> Asked:
    """Understand the address; a case manager's list shows the own enterprises unless asked for all."""
    args, person = request.args, viewer()
    usually_mine = person.has("case_manager") and not person.has("bureau", "admin", "leader")
    of = args.get("of") if args.get("of") in ("all", "mine") else None
    own = person.has("case_manager") and (of or ("mine" if usually_mine else "all")) == "mine"
    view = args.get("view", "open")
    unit_id = whole(args.get("unit"))
    kept = {
        "of": of,
        # A longer one is no code of the dictionary, and the column would not take it.
        "category": args.get("category", "")[:24] or None,
        "unit": unit_id,
        "q": args.get("q", "").strip()[:60] or None,
    }
    wanted = Filter(
        category=kept["category"], unit_id=unit_id, mine=person.user_id if own else None, text=kept["q"] or ""
    )
    return Asked(view if view in VIEWS else "open", wanted, page_number(args), kept)


@blueprint.get("/requests")
@open_to(*READERS)
def index():
    wanted, person = asked(), viewer()
    counted = request_lists.counts(wanted.filter, person, on=today())
    rows = request_lists.page(wanted.view, wanted.filter, person, on=today(), number=wanted.number)
    total = counted[wanted.view]
    first = (wanted.number - 1) * request_lists.PAGE + 1
    units = unit_names(row.request.unit_id for row in rows)
    regions = {region.id for region in reference.counties(person)}
    offered = {i: name for region in sorted(regions) for i, name in units_to_choose(region, today()).items()}
    return render_template(
        "requests/index.html",
        asked=wanted,
        views=[
            {"href": wanted.address(view=key), "label": label, "n": counted[key], "current": key == wanted.view}
            for key, label in VIEWS.items()
        ],
        rows=rows,
        states={row.request.id: state_of(row.request, today()) for row in rows},
        STATES=STATES,
        STATE_CLASSES=STATE_CLASSES,
        UNANSWERED=UNANSWERED,
        units=units,
        offered={} if person.roles == {"unit"} else offered,
        categories=reference.words_of("request_category", person),
        townships={r.id: r.name for r in reference.townships(person)},
        people=reference.people(row.manager_id for row in rows),
        chooses_own=person.has("case_manager"),
        mine=wanted.filter.mine is not None,
        may_raise=person.has(*RAISERS),
        is_unit=person.roles == {"unit"},
        filtered=any(wanted.args[name] for name in ("category", "unit", "q")),
        total=total,
        number=wanted.number,
        pages=max(1, -(-total // request_lists.PAGE)),
        first=first if rows else 0,
        last=first + len(rows) - 1 if rows else 0,
        page_href=lambda number: wanted.address(page=number),
        due_chip=lambda day: words.deadline(day, now()),
    )


@blueprint.get("/requests/export")
@open_to(*READERS)
def export():
    """The list as it is shown, with its filter printed and the export logged."""
    wanted, person = asked(), viewer()
    total = request_lists.counts(wanted.filter, person, on=today())[wanted.view]
    asks = downloads.asks_first(
        total, lambda: request_lists.counts(Filter(), person, on=today())[wanted.view], "导出全部企业诉求"
    )
    if asks is not None:
        return asks
    rows = request_lists.page(wanted.view, wanted.filter, person, on=today(), size=downloads.MOST_ROWS)
    units = unit_names(row.request.unit_id for row in rows)
    people = reference.people(row.manager_id for row in rows)
    townships = {r.id: r.name for r in reference.townships(person)}
    categories = reference.words_of("request_category", person)
    said = (_in_words(wanted, categories), words.day(today()), f"{len(rows)} 件", downloads.left_out(total, "件"))
    content, name = export_rows(
        title="企业诉求",
        subtitle="；".join(part for part in said if part),
        columns=[
            ("提出日期", "date"),
            ("企业名称", "text"),
            ("乡镇（考核）", "text"),
            ("专员", "text"),
            ("类别", "text"),
            ("诉求内容", "text"),
            ("状态", "text"),
            ("平台编号", "code"),
            ("转平台日期", "date"),
            ("交办部门", "text"),
            ("交办日期", "date"),
            ("回复期限", "date"),
            ("回复", "text"),
            ("回复日期", "date"),
            ("企业评价", "text"),
            ("办结日期", "date"),
            ("办结说明", "text"),
        ],
        rows=(_cells(row, units, people, townships, categories) for row in rows),
        act=new_act(),
        filter={"view": wanted.view, **{k: v for k, v in wanted.args.items() if v}},
        fmt=downloads.format_asked(),
    )
    return downloads.as_download(content, name)


def _in_words(wanted: Asked, categories: dict[str, str]) -> str:
    said = [VIEWS[wanted.view]]
    if wanted.filter.mine is not None:
        said.append("我的企业")
    if wanted.args["category"]:
        said.append(f"类别 {categories.get(wanted.args['category'], '？')}")
    if wanted.args["unit"]:
        said.append(f"交办部门 {unit_names([wanted.args['unit']]).get(wanted.args['unit'], '？')}")
    if wanted.args["q"]:
        said.append(f"找 {wanted.args['q']}")
    return "；".join(said)


def _cells(row: request_lists.Row, units: dict, people: dict, townships: dict, categories: dict) -> list[Any]:
    one = row.request
    return [
        one.raised_on,
        row.name,
        townships.get(row.township_id, ""),
        people.get(row.manager_id, ""),
        categories.get(one.category, one.category),
        one.text,
        STATES[state_of(one, today())],
        one.platform_number,
        one.transferred_on,
        units.get(one.unit_id, ""),
        one.dispatched_on,
        one.due_on,
        one.reply,
        one.replied_on,
        f"{one.rating} 分" if one.rating else "",
        one.closed_on,
        one.close_reason,
    ]
