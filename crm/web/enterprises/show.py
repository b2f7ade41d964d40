"""The file of one enterprise (一户一档): one page with tabs, each of them a constant number of queries."""

from typing import Any
from urllib.parse import urlsplit

from flask import abort, current_app, render_template, request, url_for
from sqlalchemy import func, select

from crm.actions.applications import OUTCOMES
from crm.actions.assessments import facts_from, judge
from crm.actions.enterprises import belonging_value
from crm.actions.rights import may_log, may_record_ip, may_record_title
from crm.domain import words
from crm.domain.codes import check_code
from crm.domain.fields import AFFILIATIONS, FIELDS, Field, fields_of
from crm.domain.kinds import KINDS
from crm.domain.periods import TitleFact
from crm.domain.requests import STATE_CLASSES, STATES, state_of
from crm.extensions import db
from crm.rules import rule_sets
from crm.store import attachment_lists
from crm.store.assessments import Assessment
from crm.store.changes import Change, ChangeSet, history_of_enterprise, history_of_field
from crm.store.comments import Comment
from crm.store.enterprises import FORMER_NAME, OLD_NUMBER
from crm.store.intellectual_property import IntellectualProperty
from crm.store.merges import with_merged
from crm.store.obligation_lists import WAITING
from crm.store.pool import is_decided
from crm.store.qualifications import Qualification
from crm.store.request_lists import of_enterprise, of_logs
from crm.store.requests import Request
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.windows import calendar
from crm.web import reference
from crm.web.addresses import whole
from crm.web.applications.shown import Shown
from crm.web.changes import lines
from crm.web.comments.thread import counts_of, thread_of
from crm.web.doors import SIGNED_IN, open_to, today, viewer
from crm.web.enterprises import blueprint, judging, titles
from crm.web.enterprises.belonging import belonging
from crm.web.enterprises.figures_grid import figures
from crm.web.enterprises.file import File, file_of
from crm.web.enterprises.happenings import happenings
from crm.web.enterprises.ip_register import register
from crm.web.enterprises.known import as_known
from crm.web.requests.forms import unit_names
from crm.web.tabs import in_a_row

# The first eight stand in the row: what a day's work asks for. The others are behind 更多.
TABS: dict[str, str] = {
    "": "概览",
    "time": "动态",
    "titles": "资格",
    "figures": "年度指标",
    "compare": "条件比对",
    "applications": "申报",
    "logs": "服务记录",
    "due": "到期事项",
    "ip": "知识产权",
    "requests": "诉求",
    "comments": "批注",
    "files": "附件",
    "belongs": "归属与关联",
    "history": "变更史",
}
HISTORY_PAGE = 60
LOGS_SHOWN = 4


@blueprint.get("/enterprises/<int:enterprise_id>")
@open_to(SIGNED_IN)
def show(enterprise_id: int):
    tab = request.args.get("tab", "")
    if tab not in TABS:
        abort(404)
    file = file_of(enterprise_id)
    context = {"file": file, "tab": tab, **_tabs(file, tab), **head(file), **PARTS[tab](file)}
    return render_template(
        "enterprises/show.html",
        here_with=_here_with(file),
        tab_of=_tab_of(file),
        compare_switch=_compare_switch(file),
        year_form=lambda year: url_for("figures.edit", enterprise_id=file.row.id, year=year),
        **context,
    )


def _here_with(file: File):
    """The address of this page with some arguments changed (None drops one)."""

    def address(**changes: Any) -> str:
        args = {**request.args.to_dict(), **changes}
        args.pop("from", None)
        return _address(file, **{k: v for k, v in args.items() if v})

    return address


def _tab_of(file: File):
    """The address of a tab; where in the list one is goes along."""

    def address(tab: str | None = None, **args: Any) -> str:
        return _address(file, tab=tab or None, **args)

    return address


def _address(file: File, **args: Any) -> str:
    came = came_from()
    kept = {} if came is None else {"from": came}
    return url_for("enterprises.show", enterprise_id=file.row.id, **args, **kept)


def _compare_switch(file: File):
    """The rule sets as a switch in the head of the panel."""

    def options(current: str) -> list[dict[str, Any]]:
        address = _here_with(file)
        short = {"tech_sme": "科小", "size_class": "划型", "hnte": "高企", "srdi": "专精特新"}
        return [
            {
                "href": address(rules=kind),
                "label": short.get(kind, words.word(kind, "rules")),
                "current": kind == current,
            }
            for kind in rule_sets.kinds()
        ]

    return options


def head(file: File) -> dict[str, Any]:
    """What stands above the tabs."""
    row, standing, person = file.row, file.standing, viewer()
    doubt = check_code(row.credit_code).warning if row.credit_code else None
    title_kinds = frozenset(kind for kind in KINDS if may_record_title(person, standing, kind))
    may_bureau = person.has_in(standing.region_id, "bureau", "admin")
    pool = next((p for p in file.pool if p.left_on is None and is_decided(p)), None)
    managers = {u.id: u.name for u in reference.managers(person, file.on)}
    if standing.manager_id and standing.manager_id not in managers:
        managers |= reference.people([standing.manager_id])
    return {
        "row": row,
        "standing": standing,
        "states": file.states,
        "pool_class": words.word(pool.pool_class, "pool_class") if pool and pool.pool_class else "",
        "doubt": doubt,
        "township": reference.region_name(person, standing.township_id),
        "manager": managers.get(standing.manager_id or 0, ""),
        "industry": reference.words_of("featured_industry", person).get(row.featured_industry or "", ""),
        "internal": file.reads_internal,
        "may_edit": file.may_edit,
        "may_log": may_log(person, standing),
        "may_title": bool(title_kinds),
        # Of what stands in the table; a department may record its own titles where there is none of them yet.
        "may_correct": any(q.kind in title_kinds for q in file.qualifications) or (may_bureau and bool(file.pool)),
        "may_ip": may_record_ip(person, standing),
        "title_kinds": title_kinds,
        "may_bureau": may_bureau,
        "came_from": came_from(),
    }


def came_from() -> str | None:
    """The query of the list this page was opened from, which may be empty; None when it was not opened from one."""
    given = request.args.get("from")
    if given is not None:
        return given[:800]
    parts = urlsplit(request.referrer or "")
    if parts.netloc == request.host and parts.path == url_for("enterprises.index"):
        return parts.query[:800]
    return None


def _tabs(file: File, tab: str) -> dict[str, list[dict[str, Any]]]:
    """The tabs in the row and those behind 更多."""
    counted = _counts(file)
    found = []
    for key, label in TABS.items():
        if key in ("compare", "figures") and not file.reads_figures:
            continue
        if key in ("applications", "logs", "requests", "comments", "files") and not file.reads_internal:
            continue
        href = _address(file, tab=key or None)
        found.append({"key": key, "href": href, "label": label, "n": counted.get(key)})
    shown, rest = in_a_row(found, lambda one: one["key"] == tab)
    return {"tabs": shown, "more_tabs": rest}


def _counts(file: File) -> dict[str, Any]:
    """The numbers on the tabs, each by one statement over the enterprise's own rows."""
    own = file.row.id

    def number(model, *conditions):
        return (
            select(func.count())
            .select_from(model)
            .where(model.enterprise_id == own, ~model.deleted, *conditions)
            .scalar_subquery()
        )

    logs = (
        select(func.count(func.distinct(ServiceLogEnterprise.service_log_id)))
        .join(ServiceLog, ServiceLog.id == ServiceLogEnterprise.service_log_id)
        .where(ServiceLogEnterprise.enterprise_id == own, ~ServiceLogEnterprise.deleted, ~ServiceLog.deleted)
        .scalar_subquery()
    )
    n_titles, n_ip, n_logs, n_requests, n_comments = db.session.execute(
        select(
            number(Qualification, Qualification.superseded_at.is_(None)),
            number(IntellectualProperty),
            logs,
            number(Request),
            number(Comment, Comment.noun == "enterprise"),
        )
    ).one()
    return {
        "titles": n_titles or None,
        "ip": n_ip or None,
        "logs": (n_logs or None) if file.reads_internal else None,
        "requests": n_requests or None,
        "comments": n_comments or None,
        "due": len(file.waiting) or None,
        "applications": len(file.applications) or None,
        "figures": f"{len(file.figures)} 年" if file.figures else None,
    }


# --- parts -----------------------------------------------------------------------------------------------------------


def _titles(file: File) -> dict[str, Any]:
    facts = [TitleFact(**{n: getattr(q, n) for n in TitleFact.__dataclass_fields__}) for q in file.qualifications]
    return {
        "line": titles.time_line(facts, file.pool, file.applications, file.rounds, file.states, file.on),
        "title_rows": titles.title_rows(file.qualifications, file.on),
        "memberships": list(reversed(file.pool)),
        "has_facts": bool(facts or file.pool),
        "asked_back": as_known(file.row.id, file.rounds),
    }


def _comparison(file: File, kinds: list[str] | None = None) -> dict[str, Any]:
    if not file.reads_figures:
        return {"comparisons": [], "compare_kinds": []}
    facts = facts_from(
        file.row,
        on=file.on,
        affiliations=file.affiliations,
        figures=file.figures,
        intellectual_property=file.ip,
        titles=file.qualifications,
    )
    return {
        "comparisons": [judging.shown(result, file.row.id) for result in judge(facts, kinds)],
        "compare_kinds": [(kind, words.word(kind, "rules")) for kind in rule_sets.kinds()],
    }


def _due(file: File) -> dict[str, Any]:
    return {
        "waiting": sorted(file.waiting, key=lambda o: o.due_at),
        "settled": [o for o in file.obligations if o.state not in WAITING],
        "may_settle": file.may_edit and "obligations.settle" in current_app.view_functions,
        "applications": file.applications,
        "OUTCOMES": OUTCOMES,
    }


def _applications(file: File) -> dict[str, Any]:
    """The applications in hand with their stage bars and materials, and what came of the others."""
    windows = calendar()
    return {
        "in_hand": [Shown(one, file.row, file.standing, windows) for one in file.applications if one.outcome is None],
        "ended": [one for one in file.applications if one.outcome is not None],
        "OUTCOMES": OUTCOMES,
    }


def _logs(file: File, limit: int | None = None) -> dict[str, Any]:
    """Service logs with how many enterprises each concerned: one query for the events, one for the counts."""
    if not file.reads_internal:
        return {"logs": None}
    query = (
        select(ServiceLog)
        .join(ServiceLogEnterprise, ServiceLogEnterprise.service_log_id == ServiceLog.id)
        .where(ServiceLogEnterprise.enterprise_id == file.row.id, ~ServiceLogEnterprise.deleted, ~ServiceLog.deleted)
        .order_by(ServiceLog.happened_on.desc(), ServiceLog.id.desc())
        .limit(limit or 500)
    )
    found = list(db.session.scalars(query))
    ids = [log.id for log in found]
    link = ServiceLogEnterprise
    shared = dict(
        db.session.execute(
            select(link.service_log_id, func.count())
            .where(link.service_log_id.in_(ids), ~link.deleted)
            .group_by(link.service_log_id)
        ).all()
    )
    authors = reference.people(log.author_id for log in found)
    return {
        "logs": [
            {"log": log, "shared": shared.get(log.id, 1), "who": authors.get(log.author_id) or log.author_name or ""}
            for log in found
        ],
        "log_comments": counts_of("service_log", ids) if limit is None else {},
        "log_requests": of_logs(ids, viewer()) if limit is None else {},
        "logs_year": sum(1 for log in found if log.happened_on and log.happened_on.year == file.on.year),
    }


def _facts(file: File) -> dict[str, Any]:
    """基本信息: every declared field that may be read, and the dated affiliations with their days."""
    person = viewer()
    rows = []
    known = {f.code for f in fields_of("enterprise") if f.cls in file.classes}
    for field in fields_of("enterprise"):
        code = field.code
        if code not in known or code in ("name", "credit_code", "former_name", "old_number") or code in AFFILIATIONS:
            continue
        value = getattr(file.row, code)
        names = reference.words_of(field.choices, person) if field.choices == "featured_industry" else None
        rows.append(
            {
                "code": code,
                "label": field.label,
                "text": words.value(field, value, names) if value is not None else None,
                "cls": field.cls,
                "noun": "enterprise",
                "record": file.row.id,
            }
        )
    belongs = []
    for kind in AFFILIATIONS:
        field, one = FIELDS[f"enterprise.{kind}"], file.belongs.get(kind)
        text = _belonging_words(field, belonging_value(one)) if one is not None else None
        belongs.append({"code": kind, "label": field.label, "text": text, "since": one.starts_on if one else None})
    return {
        "facts": rows,
        "belongs": belongs,
        "former_names": [a for a in file.aliases if a.kind == FORMER_NAME],
        "old_numbers": [a for a in file.aliases if a.kind == OLD_NUMBER],
    }


def _belonging_words(field: Field, content: Any) -> str:
    """The name of what an affiliation points at; parks, carriers and people are only asked for when there is one."""
    person = viewer()
    if field.type == "region":
        return reference.region_name(person, content)
    if field.type == "person":
        known = {u.id: u.name for u in reference.managers(person, today())}
        return known.get(content) or reference.people([content]).get(content, "")
    if field.type in ("park", "carrier"):
        return reference.names_for(field.type, person, today()).get(content, "")
    return words.value(field, content)


def _overview(file: File) -> dict[str, Any]:
    kinds = rule_sets.kinds()
    asked = request.args.get("rules", "")
    kind = asked if asked in kinds else kinds[0]
    return {
        **_titles(file),
        **figures(file, every=False),
        **_comparison(file, [kind]),
        **_due(file),
        **_logs(file, LOGS_SHOWN),
        **_facts(file),
        "compare_kind": kind,
    }


def _compare_tab(file: File) -> dict[str, Any]:
    query = select(Assessment).where(Assessment.enterprise_id == file.row.id, ~Assessment.deleted)
    frozen = db.session.scalars(query.order_by(Assessment.id.desc()).limit(30)) if file.reads_figures else []
    return {**_comparison(file), "frozen": list(frozen)}


def _history(file: File) -> dict[str, Any]:
    noun, code = request.args.get("noun", ""), request.args.get("field", "")
    record = whole(request.args.get("record"))
    if noun and code and record is not None:
        found = _history_of(file, noun, record, code)
        shown = lines.entries(found, viewer(), file.classes)
        for entry in shown:
            entry.lines = [line for line in entry.lines if line.code == code]
        declared = FIELDS.get(f"{noun}.{code}")
        return {
            "history": [e for e in shown if e.lines],
            "one_field": declared.label if declared else code,
            "older": None,
        }
    before = whole(request.args.get("before"))
    found = history_of_enterprise(with_merged(file.row.id), limit=HISTORY_PAGE, before_id=before)
    older = found[-1][0].id if len(found) == HISTORY_PAGE else None
    return {
        "history": lines.entries(found, viewer(), file.classes),
        "one_field": None,
        "older": older,
        "DOORS": words.DOORS,
    }


def _history_of(file: File, noun: str, record_id: int, code: str) -> list[tuple[Change, ChangeSet]]:
    """The changes of one field; an affiliation's are those of all its rows."""
    if code in AFFILIATIONS:
        query = (
            select(Change, ChangeSet)
            .join(ChangeSet, ChangeSet.id == Change.change_set_id)
            .where(Change.enterprise_id.in_(with_merged(file.row.id)), Change.noun == "affiliation")
            .order_by(Change.id.desc())
        )
        return [(change, change_set) for change, change_set in db.session.execute(query)]
    own = with_merged(file.row.id)
    return [(c, s) for c, s in history_of_field(noun, record_id, code) if c.enterprise_id in own]


def _requests(file: File) -> dict[str, Any]:
    if not file.reads_internal:
        return {"requests": None}
    found = of_enterprise(file.row.id, viewer())
    return {
        "requests": found,
        "request_states": {one.id: state_of(one, file.on) for one in found},
        "request_units": unit_names(one.unit_id for one in found),
        "request_categories": reference.words_of("request_category", viewer()),
        "REQUEST_STATES": STATES,
        "REQUEST_CLASSES": STATE_CLASSES,
    }


def _comments(file: File) -> dict[str, Any]:
    return {"thread": thread_of("enterprise", file.row.id) if file.reads_internal else None}


PARTS: dict[str, Any] = {
    "": _overview,
    "time": lambda file: happenings(file, _tab_of(file)),
    "titles": _titles,
    "figures": lambda file: figures(file, every=True),
    "ip": lambda file: register(file, _tab_of(file)),
    "compare": _compare_tab,
    "applications": _applications,
    "logs": _logs,
    "requests": _requests,
    "comments": _comments,
    "due": _due,
    "files": lambda file: {"hung": attachment_lists.of_enterprise(file.row.id, viewer())},
    "belongs": belonging,
    "history": _history,
}
