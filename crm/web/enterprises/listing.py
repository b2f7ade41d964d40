"""The list of enterprises: page, counts of the views, search for pickers, export of what is shown."""

from collections.abc import Sequence

from flask import redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from crm.actions.bulk_edits import FIELDS as BULK_FIELDS
from crm.actions.exports import export_rows
from crm.actions.rights import may_log
from crm.domain import words
from crm.domain.fields import CHOICES
from crm.domain.viewers import Viewer
from crm.store import enterprise_lists
from crm.store.holidays import holidays
from crm.store.silence import Limits, limits
from crm.web import downloads, reference
from crm.web.collections import MAKERS
from crm.web.doors import SIGNED_IN, new_act, now, open_to, rule_of, today, viewer
from crm.web.enterprises import blueprint, cells, columns, filters


def silence() -> Limits:
    """How long an enterprise may be silent today, in working days by the regions' settings."""
    return limits(today(), holidays())


def when() -> filters.When:
    return filters.When(now(), today(), silence)


def asked() -> filters.Asked:
    return asked_by(request.args)


def asked_by(args: MultiDict) -> filters.Asked:
    """What an address asks of this viewer's list."""
    person = viewer()
    return filters.read(
        args,
        when=when(),
        viewer_id=person.user_id,
        public_only=person.public_only,
    )


# Who is offered to bring a list in where there is none yet.
IMPORTERS = ("case_manager", "bureau", "unit")
# What can be done to chosen enterprises on pages of their own, by whom these pages are for: (endpoint, icon, label).
BULK_VERBS = (
    ("enterprises.visit_selected", "pencil-plus", "记一次走访"),
    ("collections.choose", "file-spreadsheet", "一页采集表"),
    ("pool.propose_chosen", "list-check", "拟入库"),
)


def bulk_codes(person: Viewer) -> tuple[str, ...]:
    """The fields this viewer may set for many: who manages them, only the office says."""
    office = person.has("bureau", "admin")
    return tuple(code for code in BULK_FIELDS if office or code != "manager")


@blueprint.get("/enterprises")
@open_to(SIGNED_IN)
def index():
    wanted = asked()
    person = viewer()
    found, total = enterprise_lists.page_and_count(
        wanted.filter,
        person,
        today=today(),
        order=wanted.order,
        number=wanted.number,
        more=columns.codes_of(wanted.columns),
    )
    if total == 1 and wanted.args["q"] and request.args.get("go") == "1":
        return redirect(url_for("enterprises.show", enterprise_id=found[0].id))
    names = cells.names_for(found, person)
    chips = filters.chips(wanted, **names)
    return render_template(
        "enterprises/index.html",
        asked=wanted,
        lines=cells.lines(found, wanted.columns, names, person),
        total=total,
        chips=chips,
        in_words=filters.in_words(wanted, chips),
        order_words=filters.order_in_words(wanted.order),
        pages=max(1, -(-total // enterprise_lists.PAGE)),
        first=(wanted.number - 1) * enterprise_lists.PAGE + 1 if found else 0,
        last=(wanted.number - 1) * enterprise_lists.PAGE + len(found),
        columns=[columns.COLUMNS[key] for key in wanted.columns],
        offered=columns.offered(person.public_only),
        sorts=filters.sorts_for(person.public_only),
        page_href=lambda number: wanted.query(page=number),
        views=filters.VIEWS,
        statuses=CHOICES["status"],
        may_import=person.has(*IMPORTERS),
        may_collect=person.has(*MAKERS),
        may_create=person.has("case_manager", "bureau", "admin"),
        bulk_fields={code: words.label(f"enterprise.{code}") for code in bulk_codes(person)},
        bulk_verbs=[verb for verb in BULK_VERBS if person.has(*(rule_of(verb[0]) or ()))],
        may_visit=person.has("case_manager", "township", "park", "bureau"),
        may_edit_any=person.has("case_manager", "bureau", "admin"),
        **names,
        managers=reference.managers(person, today()),
    )


@blueprint.get("/enterprises/find")
@open_to(SIGNED_IN)
def find():
    """Lines for a picker: two characters, initials, a code or a former name.

    ``for=visit``: who may not log there sees the firm and who looks after it, but cannot choose it.
    """
    person = viewer()
    found = enterprise_lists.find(request.args.get("q", "")[:60], person)
    barred = {row.id for row in found if not may_log(person, row)} if request.args.get("for") == "visit" else set()
    return render_template(
        "enterprises/_found.html",
        rows=found,
        barred=barred,
        today=today(),
        internal=not person.public_only,
        **cells.names_for(found, person),
    )


@blueprint.get("/enterprises/export")
@open_to(SIGNED_IN)
def export():
    """The list as it is shown: its filter, columns and order, with the filter printed and the export logged."""
    wanted = asked()
    ids = enterprise_lists.all_ids(wanted.filter, viewer(), today=today(), order=wanted.order)
    return export_of(ids, wanted)


def export_of(ids: Sequence[int], wanted: filters.Asked, note: str = ""):
    """These enterprises with the columns of a list; ``note`` says what else than its filter chose them."""
    person = viewer()
    asks = downloads.asks_first(
        len(ids), lambda: enterprise_lists.count(enterprise_lists.Filter(), person, today=today()), "导出全部企业"
    )
    if asks is not None:
        return asks
    beyond, ids = downloads.left_out(len(ids), "家"), ids[: downloads.MOST_ROWS]
    more = columns.codes_of(wanted.columns)
    parts = (enterprise_lists.rows(ids[start : start + 5000], more) for start in range(0, len(ids), 5000))
    found = [row for part in parts for row in part]
    names = cells.names_for(found, person)
    chips = filters.chips(wanted, **names)
    heads = [("企业名称", "text"), *(cells.heading(columns.COLUMNS[key]) for key in wanted.columns)]
    line_of = cells.exporter(wanted.columns, names, person)
    lines = ([row.name, *line_of(row)] for row in found)
    said = "；".join(
        part
        for part in (
            filters.in_words(wanted, chips),
            note,
            filters.order_in_words(wanted.order),
            words.day(today()),
            f"{len(found)} 家",
            beyond,
        )
        if part
    )
    # Outside any unit of work: rendering 100,000 rows takes seconds, and nobody could save meanwhile.
    content, name = export_rows(
        title="企业",
        subtitle=said,
        columns=heads,
        rows=lines,
        act=new_act(),
        filter={k: v for k, v in wanted.args.items() if v} | ({"chosen": note} if note else {}),
        fmt=downloads.format_asked(),
    )
    return downloads.as_download(content, name)
