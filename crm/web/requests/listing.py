"""The list of requests and its export."""

from flask import render_template, request
from werkzeug.datastructures import MultiDict

from crm.actions.exports import export_rows
from crm.domain import words
from crm.domain.requests import STATE_CLASSES, STATES, UNANSWERED, state_of
from crm.store import request_lists
from crm.store.request_lists import Filter
from crm.web import downloads, reference
from crm.web.doors import new_act, now, open_to, today, viewer
from crm.web.lists import order_in_words
from crm.web.requests import blueprint, columns, filters
from crm.web.requests.filters import VIEWS, Asked
from crm.web.requests.forms import units_to_choose

RAISERS = ("case_manager", "township", "park", "bureau", "admin")
READERS = (*RAISERS, "leader", "unit")


def asked_by(args: MultiDict) -> Asked:
    return filters.read(args, viewer())


@blueprint.get("/requests")
@open_to(*READERS)
def index():
    wanted, person = asked_by(request.args), viewer()
    counted = request_lists.counts(wanted.filter, person, on=today())
    rows = request_lists.page(wanted.view, wanted.filter, person, on=today(), order=wanted.order, number=wanted.number)
    total = counted[wanted.view]
    names = columns.names_for(rows, person)
    regions = {region.id for region in reference.counties(person)}
    units = {i: name for region in sorted(regions) for i, name in units_to_choose(region, today()).items()}
    offered = columns.offered(wanted.view)
    return render_template(
        "requests/index.html",
        asked=wanted,
        views=[
            {
                "href": wanted.in_view(key),
                "label": label,
                "n": counted[key],
                "current": key == wanted.view and not wanted.args["saved"],
                "err": key == "overdue" and counted[key] > 0,
            }
            for key, label in VIEWS.items()
        ],
        rows=rows,
        states={row.request.id: state_of(row.request, today()) for row in rows},
        STATES=STATES,
        STATE_CLASSES=STATE_CLASSES,
        UNANSWERED=UNANSWERED,
        LONG=columns.LONG,
        lead=columns.lead_of(wanted.view),
        columns=[offered[key] for key in wanted.columns],
        offered=offered,
        sorts=columns.SORT_WORDS,
        text_of=lambda key, row: columns.text_of(key, row, names),
        in_words=filters.in_words(wanted, names["categories"]),
        order_words=order_in_words(wanted.order, columns.SORT_WORDS),
        units={} if person.roles == {"unit"} else units,
        categories=names["categories"],
        chooses_own=person.has("case_manager"),
        mine=wanted.filter.mine is not None,
        may_raise=person.has(*RAISERS),
        is_unit=person.roles == {"unit"},
        filtered=any(wanted.args[name] for name in ("category", "unit", "q")),
        total=total,
        number=wanted.number,
        pages=max(1, -(-total // request_lists.PAGE)),
        first=(wanted.number - 1) * request_lists.PAGE + 1 if rows else 0,
        last=(wanted.number - 1) * request_lists.PAGE + len(rows),
        page_href=lambda number: wanted.query(page=number),
        due_chip=lambda day: words.deadline(day, now()),
    )


@blueprint.get("/requests/export")
@open_to(*READERS)
def export():
    """The list as it is shown, with its filter printed and the export logged."""
    wanted, person = asked_by(request.args), viewer()
    total = request_lists.counts(wanted.filter, person, on=today())[wanted.view]
    asks = downloads.asks_first(
        total, lambda: request_lists.counts(Filter(), person, on=today())[wanted.view], "导出全部企业诉求"
    )
    if asks is not None:
        return asks
    rows = request_lists.page(
        wanted.view, wanted.filter, person, on=today(), order=wanted.order, size=downloads.MOST_ROWS
    )
    names = columns.names_for(rows, person)
    lead, offered = columns.lead_of(wanted.view), columns.offered(wanted.view)
    cells = columns.exporter((lead.key, *wanted.columns), names)
    said = (
        filters.in_words(wanted, names["categories"]),
        order_in_words(wanted.order, columns.SORT_WORDS),
        words.day(today()),
        f"{len(rows)} 件",
        downloads.left_out(total, "件"),
    )
    content, name = export_rows(
        title="企业诉求",
        subtitle="；".join(part for part in said if part),
        columns=[
            (lead.head, lead.kind),
            ("企业名称", "text"),
            *((offered[key].head, offered[key].kind) for key in wanted.columns),
        ],
        rows=([first, row.name, *rest] for row in rows for first, *rest in (cells(row),)),
        act=new_act(),
        filter={"view": wanted.view, **{k: v for k, v in wanted.args.items() if v}},
        fmt=downloads.format_asked(),
    )
    return downloads.as_download(content, name)
