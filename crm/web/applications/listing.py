"""Applications of many enterprises: the board by stage, the list, and the export of what is shown."""

from typing import Any

from flask import render_template, request
from werkzeug.datastructures import MultiDict

from crm.actions.exports import export_rows
from crm.actions.rights import may_edit
from crm.domain import words
from crm.domain.kinds import HNTE, KINDS
from crm.domain.stages import ENDS, cycle_day
from crm.rules.stages import load_stages
from crm.store import application_lists
from crm.store.application_lists import Filter
from crm.store.windows import calendar
from crm.web import downloads, reference
from crm.web.applications import blueprint, columns, filters
from crm.web.applications.filters import Asked
from crm.web.applications.shown import Card, cards_of, cycle_of
from crm.web.doors import SIGNED_IN, new_act, open_to, today, viewer
from crm.web.lists import order_in_words

# As many cards as a lane shows; what is beyond is in the list.
EACH = 30


def asked_by(args: MultiDict, kind: str | None = None) -> Asked:
    """What an address asks; ``kind``: the one a board shows where the address names none."""
    return filters.read(args, viewer_id=viewer().user_id, kind=kind)


@blueprint.get("/applications")
@open_to(SIGNED_IN)
def index():
    """The board: one column per stage of the template of a kind."""
    person = viewer()
    in_hand = application_lists.kinds_in_hand(person)
    first = max(in_hand, key=lambda kind: (in_hand[kind], kind == HNTE), default=HNTE)
    wanted = asked_by(request.args, first)
    kind = wanted.filter.kind or first
    template = load_stages().of(kind, cycle_day(today().year))
    assert template is not None, "every kind has a template of this year"
    cards = cards_of(application_lists.cards(wanted.filter, person, each=EACH), calendar())
    counts: dict[str | None, int] = {}
    for (code, said), n in application_lists.stage_counts(wanted.filter, person).items():
        here = code if code in template.by_code else template.code_of(said)
        counts[here] = counts.get(here, 0) + n
    stages: list[tuple[str | None, str]] = [(stage.code, stage.name) for stage in template.stages]
    if counts.get(None):
        stages.insert(0, (None, "未对应环节"))
    lanes = [
        {"code": code, "name": name, "n": counts.get(code, 0), "cards": [one for one in cards if one.stage == code]}
        for code, name in stages
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
    """The same as a list with columns and orders, the ended ones among them."""
    wanted = asked_by(request.args)
    person = viewer()
    total = application_lists.count(wanted.filter, person)
    found = application_lists.page(wanted.filter, person, order=wanted.order, number=wanted.number)
    cards = cards_of(found, calendar())
    around = _around(wanted, cards)
    return render_template(
        "applications/table.html",
        asked=wanted,
        cards=cards,
        total=total,
        number=wanted.number,
        pages=max(1, -(-total // application_lists.PAGE)),
        first=(wanted.number - 1) * application_lists.PAGE + 1 if cards else 0,
        last=(wanted.number - 1) * application_lists.PAGE + len(cards),
        states=filters.STATES,
        columns=[columns.COLUMNS[key] for key in wanted.columns],
        offered=columns.COLUMNS,
        sorts=columns.SORT_WORDS,
        in_words=filters.in_words(wanted, around["windows"], around["people"]),
        order_words=order_in_words(wanted.order, columns.SORT_WORDS),
        text_of=columns.text_of,
        put_off=columns.put_off,
        may_edit={one.row.application.id for one in cards if may_edit(person, one.row)},  # type: ignore[arg-type]
        page_href=lambda number: wanted.query(page=number),
        **around,
    )


@blueprint.get("/applications/export")
@open_to(SIGNED_IN)
def export():
    """The list as it is shown, with the filter printed and the export logged."""
    wanted = asked_by(request.args)
    person = viewer()
    total = application_lists.count(wanted.filter, person)
    asks = downloads.asks_first(
        total, lambda: application_lists.count(Filter(state=wanted.filter.state), person), "导出全部申报"
    )
    if asks is not None:
        return asks
    found = application_lists.page(wanted.filter, person, order=wanted.order, size=downloads.MOST_ROWS)
    cards = cards_of(found, calendar())
    around = _around(wanted, cards)
    cells = columns.exporter(wanted.columns, around["townships"], around["people"])
    chosen = [columns.COLUMNS[key] for key in wanted.columns]
    said = (
        filters.in_words(wanted, around["windows"], around["people"]),
        order_in_words(wanted.order, columns.SORT_WORDS),
        words.day(today()),
        f"{len(cards)} 件",
        downloads.left_out(total, "件"),
    )
    content, name = export_rows(
        title="申报名单",
        subtitle="；".join(part for part in said if part),
        columns=[("企业名称", "text"), *((one.head, one.kind) for one in chosen)],
        rows=([one.row.name, *cells(one)] for one in cards),
        act=new_act(),
        filter={name: value for name, value in wanted.args.items() if value},
        fmt=downloads.format_asked(),
    )
    return downloads.as_download(content, name)


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
