"""The list of enterprises: page, counts of the views, search for pickers, export of what is shown."""

from flask import redirect, render_template, request, send_file, url_for
from werkzeug.datastructures import MultiDict

from crm.actions.exports import export_rows
from crm.actions.rights import may_log
from crm.domain import words
from crm.domain.kinds import KINDS, POOL_KIND, RUNGS, STATES
from crm.domain.viewers import Viewer
from crm.store import enterprise_lists
from crm.store.holidays import holidays
from crm.store.silence import Limits, limits
from crm.web import reference
from crm.web.doors import SIGNED_IN, new_act, now, open_to, today, viewer
from crm.web.enterprises import blueprint, filters

# More rows than this are exported by filtering first; 100,000 rows stream in about the time a person waits.
EXPORT_LIMIT = 100_000


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


def _columns(person: Viewer) -> tuple[str, ...]:
    return filters.PUBLIC_COLUMNS if person.public_only else tuple(filters.COLUMNS)


def _names(found) -> dict:
    person = viewer()
    return {
        "townships": {r.id: r.name for r in reference.townships(person)},
        "people": {u.id: u.name for u in reference.managers(person, today())}
        | reference.people(r.manager_id for r in found),
        "industries": reference.words_of("featured_industry", person),
    }


@blueprint.get("/enterprises")
@open_to(SIGNED_IN)
def index():
    wanted = asked()
    person = viewer()
    found, total = enterprise_lists.page_and_count(
        wanted.filter, person, today=today(), sort=wanted.sort, descending=wanted.descending, number=wanted.number
    )
    if total == 1 and wanted.args["q"] and request.args.get("go") == "1":
        return redirect(url_for("enterprises.show", enterprise_id=found[0].id))
    names = _names(found)
    chips = filters.chips(wanted, **names)
    return render_template(
        "enterprises/index.html",
        asked=wanted,
        rows=found,
        total=total,
        chips=chips,
        in_words=filters.in_words(wanted, chips),
        pages=max(1, -(-total // enterprise_lists.PAGE)),
        first=(wanted.number - 1) * enterprise_lists.PAGE + 1 if found else 0,
        last=(wanted.number - 1) * enterprise_lists.PAGE + len(found),
        columns=[(key, filters.COLUMNS[key][0], filters.SORT_OF_COLUMN.get(key)) for key in wanted.columns],
        all_columns={key: filters.COLUMNS[key] for key in _columns(person)},
        page_href=lambda number: wanted.query(page=number),
        views=filters.VIEWS,
        may_import=person.has(*IMPORTERS),
        may_create=person.has("case_manager", "bureau", "admin"),
        **names,
        managers=reference.managers(person, today()),
    )


@blueprint.get("/enterprises/views")
@open_to(SIGNED_IN)
def views():
    """The counts of the standing views, fetched after the list so that they never hold it up."""
    person = viewer()
    counted = []
    for key, (label, narrow) in filters.views_for(person.public_only).items():
        wanted = narrow(enterprise_lists.Filter(), when())
        counted.append((key, label, enterprise_lists.count(wanted, person, today=today())))
    everything = enterprise_lists.count(enterprise_lists.Filter(), person, today=today())
    current = request.args.get("view", "")
    return render_template("enterprises/_views.html", counted=counted, everything=everything, current=current)


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
        **_names(found),
    )


@blueprint.get("/enterprises/export")
@open_to(SIGNED_IN)
def export():
    """The list as it is shown: its filter, columns and order, with the filter printed and the export logged."""
    wanted = asked()
    person = viewer()
    ids = enterprise_lists.all_ids(wanted.filter, person, today=today(), sort=wanted.sort, descending=wanted.descending)
    left_out = max(0, len(ids) - EXPORT_LIMIT)
    ids = ids[:EXPORT_LIMIT]
    found = [row for start in range(0, len(ids), 5000) for row in enterprise_lists.rows(ids[start : start + 5000])]
    names = _names(found)
    chips = filters.chips(wanted, **names)
    heads = [("企业名称", "text"), *((filters.COLUMNS[key][0], _type(key)) for key in wanted.columns)]
    lines = ([row.name, *(cell(key, row, names) for key in wanted.columns)] for row in found)
    said = f"{filters.in_words(wanted, chips)}；{words.day(today())}；{len(found)} 家"
    # Outside any unit of work: rendering 100,000 rows takes seconds, and nobody could save meanwhile.
    content, name = export_rows(
        title="企业",
        subtitle=said + (f"，另有 {left_out} 家没有导出，先筛选再导" if left_out else ""),
        columns=heads,
        rows=lines,
        act=new_act(),
        filter={k: v for k, v in wanted.args.items() if v},
        fmt="csv" if request.args.get("format") == "csv" else "xlsx",
    )
    return send_file(content if hasattr(content, "read") else _file(content), as_attachment=True, download_name=name)


def _file(content: bytes):
    from io import BytesIO

    return BytesIO(content)


def _type(key: str) -> str:
    return {"code": "code", "due": "date", "contact": "date", "expiry": "date", "registered": "date"}.get(key, "text")


def cell(key: str, row, names: dict):
    """The value of a column in an export."""
    if key == "titles":
        named = [(KINDS.get(kind) or POOL_KIND, STATES.get(state, "在库")) for kind, state in row.states.items()]
        return "；".join(f"{kind.short} {state}" for kind, state in named)
    from crm.domain.fields import CHOICES

    return {
        "code": lambda: row.credit_code,
        "township": lambda: names["townships"].get(row.township_id, ""),
        "industry": lambda: names["industries"].get(row.featured_industry, ""),
        "due": lambda: words.local(row.next_due_at).date() if row.next_due_at else None,
        "contact": lambda: row.last_contact_on,
        "manager": lambda: names["people"].get(row.manager_id, ""),
        "rung": lambda: RUNGS[row.rung],
        "status": lambda: CHOICES["status"].get(row.status, ""),
        "expiry": lambda: row.next_expiry_on,
        "registered": lambda: row.registered_on,
    }[key]()
