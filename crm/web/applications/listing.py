"""Applications of many enterprises: the board by stage, the list, and the export of what is shown."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request

from crm.actions.exports import export_rows
from crm.actions.rights import may_edit
from crm.domain import words
from crm.domain.kinds import HNTE, KINDS
from crm.domain.stages import ENDS, STAGES, cycle_day
from crm.rules.stages import load_stages
from crm.store import application_lists
from crm.store.application_lists import ENDED, IN_HAND, Filter
from crm.store.windows import calendar
from crm.web import downloads, reference
from crm.web.addresses import LARGEST_COUNT, page_number, whole
from crm.web.applications import blueprint
from crm.web.applications.shown import Card, cards_of, cycle_of
from crm.web.doors import SIGNED_IN, new_act, open_to, today, viewer

# As many cards as a lane shows; what is beyond is in the list.
EACH = 30


@dataclass(frozen=True)
class Asked:
    """What an address asks of the board or the list, as its own texts and as a filter."""

    args: dict[str, str]
    filter: Filter
    number: int

    def query(self, **changes: Any) -> str:
        """This address with some of it changed (None drops a part)."""
        args = {**self.args, **changes}
        left = {name: value for name, value in args.items() if value not in (None, "")}
        return f"?{urlencode(left)}" if left else "?"


def asked(kind: str | None = None) -> Asked:
    """``kind``: the one a board shows where the address names none."""
    given = request.args
    person = viewer()
    state = given.get("state", IN_HAND)
    state = state if state in (IN_HAND, ENDED, *ENDS) else IN_HAND
    chosen = given.get("kind") if given.get("kind") in KINDS else kind
    manager = given.get("manager", "")
    # A person is repeated in standings, in a narrower column than ids have.
    manager_id = whole(manager, largest=LARGEST_COUNT)
    window_id = whole(given.get("window"))
    stage = given.get("stage") if given.get("stage") in STAGES else None
    args = {
        "kind": chosen or "",
        "window": str(window_id) if window_id is not None else "",
        "manager": manager if manager in ("me", "none") or manager_id is not None else "",
        "stage": stage or "",
        "state": state if state != IN_HAND else "",
    }
    wanted = Filter(
        kind=chosen,
        window_id=window_id,
        manager_id=person.user_id if manager == "me" else manager_id,
        unassigned=manager == "none",
        stage=stage,
        state=state,
    )
    return Asked(args, wanted, page_number(given))


@blueprint.get("/applications")
@open_to(SIGNED_IN)
def index():
    """The board: one column per stage of the template of a kind."""
    person = viewer()
    in_hand = application_lists.kinds_in_hand(person)
    first = max(in_hand, key=lambda kind: (in_hand[kind], kind == HNTE), default=HNTE)
    wanted = asked(first)
    kind = wanted.filter.kind or first
    template = load_stages().of(kind, cycle_day(today().year))
    assert template is not None, "every kind has a template of this year"
    cards = cards_of(application_lists.cards(wanted.filter, person, each=EACH), calendar())
    counts: dict[str | None, int] = {}
    for (code, said), n in application_lists.stage_counts(wanted.filter, person).items():
        here = code if code in template.by_code else template.code_of(said)
        counts[here] = counts.get(here, 0) + n
    columns: list[tuple[str | None, str]] = [(stage.code, stage.name) for stage in template.stages]
    if counts.get(None):
        columns.insert(0, (None, "未对应环节"))
    lanes = [
        {"code": code, "name": name, "n": counts.get(code, 0), "cards": [one for one in cards if one.stage == code]}
        for code, name in columns
    ]
    return render_template(
        "applications/index.html",
        asked=wanted,
        kind=kind,
        template=template,
        lanes=lanes,
        total=sum(counts.values()),
        kinds=[(code, one.short, in_hand.get(code, 0)) for code, one in KINDS.items() if code in {kind, *in_hand}],
        may_move={one.row.application.id for one in cards if may_edit(person, one.row)},  # type: ignore[arg-type]
        may_decide=person.has("bureau", "admin"),
        **_around(wanted, cards),
    )


@blueprint.get("/applications/list")
@open_to(SIGNED_IN)
def table():
    """The same as a list, the ended ones among them."""
    wanted = asked()
    person = viewer()
    total = application_lists.count(wanted.filter, person)
    cards = cards_of(application_lists.page(wanted.filter, person, number=wanted.number), calendar())
    return render_template(
        "applications/table.html",
        asked=wanted,
        cards=cards,
        total=total,
        number=wanted.number,
        pages=max(1, -(-total // application_lists.PAGE)),
        first=(wanted.number - 1) * application_lists.PAGE + 1,
        states={IN_HAND: "在办", ENDED: "已结束"} | ENDS,
        may_edit={one.row.application.id for one in cards if may_edit(person, one.row)},  # type: ignore[arg-type]
        page_href=lambda number: wanted.query(page=number),
        **_around(wanted, cards),
    )


@blueprint.get("/applications/export")
@open_to(SIGNED_IN)
def export():
    """The list as it is shown, with the filter printed and the export logged."""
    wanted = asked()
    person = viewer()
    total = application_lists.count(wanted.filter, person)
    asks = downloads.asks_first(
        total, lambda: application_lists.count(Filter(state=wanted.filter.state), person), "导出全部申报"
    )
    if asks is not None:
        return asks
    cards = cards_of(application_lists.page(wanted.filter, person, size=downloads.MOST_ROWS), calendar())
    around = _around(wanted, cards)
    rows = [_exported(one, around["townships"], around["people"]) for one in cards]
    content, name = export_rows(
        title="申报名单",
        subtitle="；".join(part for part in (_in_words(wanted, around), downloads.left_out(total, "件")) if part),
        columns=COLUMNS,
        rows=rows,
        act=new_act(),
        filter={name: value for name, value in wanted.args.items() if value},
        fmt=downloads.format_asked(),
    )
    return downloads.as_download(content, name)


COLUMNS = (
    ("企业名称", "text"),
    ("申报资格", "text"),
    ("申报年度", "year"),
    ("批次", "text"),
    ("环节", "text"),
    ("到这一步", "date"),
    ("在本环节天数", "count"),
    ("期限", "text"),
    ("材料完整度", "text"),
    ("结果", "text"),
    ("乡镇（考核）", "text"),
    ("专员", "text"),
    ("说明", "text"),
)


def _exported(one: Card, townships: dict[int, str], people: dict[int, str]) -> tuple[Any, ...]:
    row = one.row.application
    return (
        one.row.name,
        KINDS[row.kind].name,
        row.year,
        one.window.batch if one.window is not None else "",
        row.stage,
        row.stage_on,
        one.days,
        words.moment(one.due_at, today()) if one.due_at is not None else "",
        f"{one.complete.percent}%" if one.complete is not None else "",
        ENDS.get(row.outcome or "", "在办"),
        townships.get(one.row.township_id or 0, ""),
        people.get(one.row.manager_id or 0, ""),
        row.note or "",
    )


def _around(wanted: Asked, cards: list[Card]) -> dict[str, Any]:
    """What filters and rows need beside the rows: windows in use, people, townships."""
    person = viewer()
    windows = {
        window_id: f"{year} 年{batch}"
        for window_id, year, batch in application_lists.windows_in_use(wanted.filter.kind, person)
    }
    managers = reference.managers(person, today())
    return {
        "windows": windows,
        "managers": managers,
        "people": {u.id: u.name for u in managers} | reference.people(one.row.manager_id for one in cards),
        "townships": {r.id: r.name for r in reference.townships(person)},
        "cycle_of": cycle_of,
        "ENDS": ENDS,
    }


def _in_words(wanted: Asked, around: dict[str, Any]) -> str:
    """The filter as one line, printed on exports."""
    args = wanted.args
    said = [
        KINDS[args["kind"]].short if args["kind"] else "",
        around["windows"].get(wanted.filter.window_id, "") if args["window"] else "",
        STAGES.get(args["stage"], ""),
        {IN_HAND: "在办", ENDED: "已结束", **ENDS}.get(wanted.filter.state, ""),
        "我的" if args["manager"] == "me" else "未指派" if args["manager"] == "none" else "",
        around["people"].get(wanted.filter.manager_id, "") if args["manager"] not in ("", "me", "none") else "",
    ]
    return "；".join(one for one in said if one)
