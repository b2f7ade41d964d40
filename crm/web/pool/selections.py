"""年度遴选: candidates from a list, and the 拟入库名单 until the meeting."""

from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl

from flask import render_template, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, StringField

from crm.actions.pool_selections import (
    FIELDS,
    MOST,
    add_to_selection,
    edit_selection,
    open_selection,
    own_selection,
    plan_many,
    take_off,
)
from crm.domain.fields import CHOICES
from crm.domain.kinds import KINDS
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store import enterprise_lists
from crm.store import pool_selections as lists
from crm.store.pool import PoolMembership, PoolSelection
from crm.store.scope import visible, visible_record
from crm.web import reference
from crm.web.addresses import whole
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer
from crm.web.editing import EditForm, last_writers
from crm.web.enterprises import filters, selection
from crm.web.enterprises.forms import DeclaredForm
from crm.web.enterprises.listing import asked_by
from crm.web.pool import DECIDERS, READERS, blueprint, planning

VERDICT_WORDS: dict[str, str] = {"open": "待决定", "entered": "入库", "declined": "不入库"}
CLASSES = CHOICES["pool_class"]


class OpenForm(Form):
    title = StringField("名称")
    year = IntegerField("入库年度")
    pool_class = StringField("类别")
    planned_year = IntegerField("拟申报年度")
    planned_batch = StringField("拟申报批次")
    note = StringField("说明")
    query = StringField()
    filter_words = StringField()


class SelectionForm(EditForm):
    title = StringField("名称")
    year = IntegerField("入库年度")
    note = StringField("说明")
    edited = FIELDS


class TakeOffForm(Form):
    reason = StringField("原因")


@blueprint.get("/pool/selections")
@open_to(*READERS)
def selections():
    person = viewer()
    query = visible(select(PoolSelection), person).order_by(PoolSelection.year.desc(), PoolSelection.id.desc())
    rows = list(db.session.scalars(query))
    return render_template(
        "pool/selections.html",
        rows=rows,
        counted=lists.counts([row.id for row in rows], person),
        may_select=person.has(*DECIDERS),
        waiting=len(lists.loose_proposals(person)),
    )


# --- a new list ------------------------------------------------------------------------------------------------------


@blueprint.get("/pool/selections/new")
@open_to(*DECIDERS)
def new_selection():
    """From the list as it was filtered (?list=), from the pool of last year (?from=members), or from proposals."""
    form = OpenForm(formdata=None)
    form.year.data = today().year
    form.title.data = f"{today().year} 年高企培育库"
    form.planned_year.data = today().year + 1
    form.pool_class.data = "long_term"
    source = request.args.get("from")
    if source == "members":
        return _new_page(form, lists.members(viewer()), "在库企业，列入新一年的遴选")
    if source == "proposals":
        return _new_page(form, lists.loose_proposals(viewer()), "已逐家拟入库、还没有列入名单的企业")
    listed = request.args.get("list", "")[:1000]
    if not listed:
        return _new_page(form, [], "")
    wanted = asked_by(MultiDict(parse_qsl(listed.lstrip("?"))))
    ids = enterprise_lists.all_ids(wanted.filter, viewer(), today=today(), order=wanted.order)
    form.query.data, form.filter_words.data = listed, origin_words(wanted)
    return _new_page(form, ids[:MOST], _cut(len(ids)) or f"来自名单：{form.filter_words.data}")


@blueprint.post("/pool/selections/choose")
@open_to(*DECIDERS)
def choose_for_selection():
    """The enterprises that were ticked in a list."""
    try:
        picked = selection.chosen()
    except Refused as refusal:
        return done(refusal.message, url_for("enterprises.index"))
    form = OpenForm(formdata=None)
    form.year.data, form.planned_year.data = today().year, today().year + 1
    form.title.data, form.pool_class.data = f"{today().year} 年高企培育库", "long_term"
    form.query.data, form.filter_words.data = picked.asked.query(page=None)[:1000], origin_words(picked.asked)
    return _new_page(form, list(picked.ids[:MOST]), _cut(len(picked.ids)))


def origin_words(asked: filters.Asked) -> str:
    """Where candidates came from, as the list that is printed says it."""
    person = viewer()
    chips = filters.chips(
        asked,
        townships={place.id: place.name for place in reference.townships(person)},
        people={one.id: one.name for one in reference.managers(person, today())},
        industries=reference.words_of("featured_industry", person),
    )
    return filters.in_words(asked, chips)[:300]


def _cut(count: int) -> str:
    return f"选了 {count:,} 家，一份名单最多 {MOST} 家，这里是前 {MOST} 家。先缩小筛选。" if count > MOST else ""


@blueprint.post("/pool/selections/new")
@open_to(*DECIDERS)
def create_selection():
    form = OpenForm()
    ids = _ids("ids")
    if request.form.get("go") != "open":
        return _new_page(form, ids, "")
    chosen = _ids("pick")
    reasons = {i: said for i in chosen if (said := request.form.get(f"reason-{i}", "").strip())}
    written = None
    if form.validate_on_submit():
        said = (form.filter_words.data or "").strip()
        values = {
            "title": (form.title.data or "").strip(),
            "year": form.year.data,
            "note": (form.note.data or "").strip() or None,
            "query": (form.query.data or "")[:1000] or None,
            "filter_words": [said[:300]] if said else None,
        }
        plan = {
            "pool_class": form.pool_class.data,
            "planned_year": form.planned_year.data,
            "planned_batch": (form.planned_batch.data or "").strip()[:40] or None,
        }
        written = attempt(form, lambda: open_selection(values, chosen, plan=plan, reasons=reasons, act=new_act()))
    if written is None:
        return _new_page(form, ids, "", ticked=set(chosen)), 422
    to = url_for("pool.show_selection", selection_id=written.ids["selection"]) if "selection" in written.ids else None
    return done(f"已列出拟入库名单，{len(chosen)} 家", to or url_for("pool.selections"), written)


def _ids(name: str) -> list[int]:
    return [number for text in request.form.getlist(name) if (number := whole(text)) is not None]


def _new_page(form: OpenForm, ids: list[int], said: str, *, ticked: set[int] | None = None) -> str:
    found = lists.candidates(ids[:MOST], viewer())
    fit = [one for one in found if not one.refusal]
    return render_template(
        "pool/new_selection.html",
        form=form,
        said=said,
        fit=[(one, ticked is None or one.enterprise_id in ticked) for one in fit],
        barred=[one for one in found if one.refusal],
        classes=CLASSES,
        kinds=KINDS,
        reasons={i: request.form.get(f"reason-{i}", "") for i in ids} if request.method == "POST" else {},
        most=MOST,
    )


# --- one list --------------------------------------------------------------------------------------------------------


@blueprint.get("/pool/selections/<int:selection_id>")
@open_to(*READERS)
def show_selection(selection_id: int):
    return show_page(selection_id)


def show_page(
    selection_id: int,
    form: DeclaredForm | None = None,
    off: tuple[int, TakeOffForm] | None = None,
    *,
    ticked: Iterable[int] = (),
    refused: Sequence[str] = (),
) -> str:
    """The page of a list; ``form``: of the ``ticked`` firms as it was refused, ``off``: that of a firm taken off."""
    person = viewer()
    row: PoolSelection = visible_record(PoolSelection, selection_id, person, "这份名单")
    verdict = request.args.get("verdict", "")
    verdict = verdict if verdict in lists.VERDICTS else ""
    found = lists.lines(row.id, person, verdict or None)
    counted = lists.counts([row.id], person).get(row.id) or dict.fromkeys(lists.VERDICTS, 0)
    keeper = person.has_in(row.region_id, *DECIDERS)
    return render_template(
        "pool/selection.html",
        row=row,
        lines=found,
        verdict=verdict,
        verdicts=VERDICT_WORDS,
        counted=counted,
        total=sum(counted.values()),
        townships={place.id: place.name for place in reference.townships(person)},
        people=reference.people(line.manager_id for line in found),
        classes=CLASSES,
        keeper=keeper,
        changing=keeper and row.decided_on is None,
        form=form or planning.form_over(line.membership for line in found),
        off=off,
        ticked=frozenset(ticked),
        refused=[*refused, *(off[1].general_errors if off else ())],
        back=url_for("enterprises.index") + (row.query if (row.query or "").startswith("?") else ""),
    )


@blueprint.route("/pool/selections/<int:selection_id>/edit", methods=["GET", "POST"])
@open_to(*DECIDERS)
def change_selection(selection_id: int):
    row = own_selection(selection_id, viewer())
    stored = {name: getattr(row, name) for name in FIELDS}
    if request.method == "GET":
        form = SelectionForm(formdata=None)
        form.fill(stored, row.version)
        return _edit_page(form, row)
    form = SelectionForm()
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            seen = form.seen_values(values, stored)
            written = attempt(
                form, lambda: edit_selection(selection_id, values, version=form.seen_version, seen=seen, act=new_act())
            )
            if written is not None:
                to = url_for("pool.show_selection", selection_id=selection_id)
                return done("已保存" if written.change_set_id else "没有改动，没有写入。", to, written)
    return _edit_page(form, own_selection(selection_id, viewer())), 409 if form.conflict else 422


def _edit_page(form: SelectionForm, row: PoolSelection) -> str:
    conflicts = form.clashes(last_writers("pool_selection", row.id)) if form.conflict else []
    return render_template("pool/edit_selection.html", form=form, row=row, conflicts=conflicts)


@blueprint.post("/pool/selections/<int:selection_id>/add")
@open_to(*DECIDERS)
def add_candidates(selection_id: int):
    own_selection(selection_id, viewer())
    form = Form()
    ids = _ids("ids")
    written = attempt(form, lambda: add_to_selection(selection_id, ids, act=new_act()))
    if written is None:
        return show_page(selection_id, refused=form.general_errors), 409
    return done(f"已加上 {len(ids)} 家", url_for("pool.show_selection", selection_id=selection_id), written)


@blueprint.post("/pool/selections/<int:selection_id>/plan")
@open_to(*DECIDERS)
def plan_candidates(selection_id: int):
    """Class, planned year and batch of the ticked firms; what is left open stays as it is."""
    own_selection(selection_id, viewer())
    form = planning.plan_form()
    picked = _ids("pick")
    written = None
    if form.validate_on_submit():
        form.read()
        if not form.has_errors:
            plans = planning.plans_of(form, picked, request.form)
            written = attempt(form, lambda: plan_many(selection_id, plans, act=new_act()))
    if form.conflict:
        return _plan_conflict(selection_id, form, picked), 409
    if written is None:
        return show_page(selection_id, form, ticked=picked), 422
    to = url_for("pool.show_selection", selection_id=selection_id)
    return done(f"已改 {written.record_count} 家" if written.change_set_id else "没有改动，没有写入。", to, written)


def _plan_conflict(selection_id: int, form: DeclaredForm, picked: list[int]) -> str:
    """The ticked firms with what somebody else changed in them meanwhile."""
    row = own_selection(selection_id, viewer())
    names = {line.membership.id: line.name for line in lists.lines(row.id, viewer())}
    return render_template(
        "pool/plan_candidates.html",
        form=form,
        row=row,
        picked=[one for one in picked if one in names],
        conflicts=planning.clashes(form, names),
        settled=planning.settled(form, request.form),
        classes=CLASSES,
    )


@blueprint.post("/pool/<int:membership_id>/take-off")
@open_to(*DECIDERS)
def take_off_list(membership_id: int):
    one = visible_record(PoolMembership, membership_id, viewer(), "这条培育库记录")
    selection_id = one.selection_id
    form = TakeOffForm()
    reason = form.reason.data
    written = attempt(form, lambda: take_off(membership_id, reason=reason, act=new_act()))
    if written is not None:
        # A key pressed before counts as done, whatever it did: then there may be no list to go back to.
        to = url_for("pool.show_selection", selection_id=selection_id) if selection_id else url_for("pool.index")
        return done("已移出名单", to, written)
    if selection_id is None:
        raise Refused("这家企业不在遴选名单上。")
    return show_page(selection_id, off=(membership_id, form)), 422
