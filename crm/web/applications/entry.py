"""Entering an application: the kind and the window first; and what stands beside its stage."""

from collections.abc import Iterable

from flask import render_template, request, url_for
from sqlalchemy import select

from crm.actions.applications import add_application, edit_application
from crm.actions.rights import may_edit, require
from crm.domain import words
from crm.domain.kinds import KINDS
from crm.domain.rounds import Round
from crm.domain.stages import ENTERPRISE, STAGES, window_deadline
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.scope import visible, visible_enterprise
from crm.store.windows import Window, calendar
from crm.web.addresses import whole
from crm.web.applications import blueprint
from crm.web.applications.forms import ApplicationForm, NewForm
from crm.web.applications.shown import Shown, shown
from crm.web.doors import SIGNED_IN, attempt, done, new_act, now, open_to, today, viewer
from crm.web.editing import last_writers

OPEN, EXPECTED, CLOSED = "开放中", "预计", "已结束"
# How many closed windows of a kind are offered, for what is entered late.
CLOSED_SHOWN = 3


@blueprint.route("/enterprises/<int:enterprise_id>/applications/new", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def new(enterprise_id: int):
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "登记申报")
    form = NewForm()
    if request.method == "GET":
        form.kind.data = request.args.get("kind") if request.args.get("kind") in KINDS else ""
        form.window.data = request.args.get("window", "")
        form.year.data, form.stage.data, form.stage_on.data = str(today().year), "reserve", today().isoformat()
        return _new_page(form, row)
    if form.validate_on_submit():
        windows = {str(window_id): one for window_id, one, _ in windows_of(row.region_id)}
        chosen = form.text("window")
        window = windows.get(chosen or "")
        written = attempt(
            form,
            lambda: add_application(
                enterprise_id,
                kind=form.text("kind") or (window.kind if window is not None else None),
                year=whole(form.text("year"), largest=9999),
                window_id=whole(chosen) if chosen else None,
                stage=form.text("stage"),
                stage_on=form.stage_on.value,
                note=form.text("note"),
                reason=form.text("reason"),
                act=new_act(),
            ),
        )
        if written is not None:
            application_id = written.ids.get("application")
            home = url_for("enterprises.show", enterprise_id=enterprise_id, tab="applications")
            to = url_for("applications.show", application_id=application_id) if application_id else home
            return done("已登记申报。接着核对材料清单。" if application_id else "已登记申报。", to, written)
    row, _ = visible_enterprise(enterprise_id, viewer())
    return _new_page(form, row), 422


@blueprint.route("/applications/<int:application_id>/edit", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(application_id: int):
    one = shown(application_id)
    require(one.may_edit, "修改申报")
    form = _form_of(one)
    stored = {name: getattr(one.row, name) for name in form.edited}
    if request.method == "GET":
        form.fill(stored, one.row.version)
        return _edit_page(form, one)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            seen = form.seen_values(form.edited, stored)
            written = attempt(
                form,
                lambda: edit_application(application_id, values, version=form.seen_version, seen=seen, act=new_act()),
            )
            if written is not None:
                said = "已改申报说明。" if written.change_set_id else "没有改动，没有写入。"
                return done(said, url_for("applications.show", application_id=application_id), written)
    one = shown(application_id)
    return _edit_page(form, one), 409 if form.conflict else 422


def _form_of(one: Shown) -> ApplicationForm:
    form = ApplicationForm()
    mine = [(i, w, s) for i, w, s in windows_of(one.enterprise.region_id, every=True) if w.kind == one.row.kind]
    said = {i: window_words(w, s) for i, w, s in mine if w.year == one.row.year or i == one.row.window_id}
    form.offer("window_id", {None: "不分窗口"} | said)
    return form


def windows_of(region_id: int, *, every: bool = False) -> list[tuple[int, Round, str]]:
    """(id, window, OPEN EXPECTED or CLOSED) that count in a region: open ones first, then expected, closed last."""
    known = visible(select(Window.id), viewer()).order_by(Window.id)
    table = calendar()
    here = set(table.of(region_id))
    found: dict[Round, tuple[int, Round, str]] = {}
    for window_id in db.session.scalars(known):
        one = table.round(window_id, region_id)
        if one is not None and one in here:
            found.setdefault(one, (window_id, one, _state_of(one)))
    ordered = sorted(found.values(), key=lambda each: _in_order(each[1], each[2]))
    if every:
        return ordered
    closed: dict[str, int] = {}
    kept = []
    for each in ordered:
        if each[2] == CLOSED:
            closed[each[1].kind] = closed.get(each[1].kind, 0) + 1
        if each[2] != CLOSED or closed[each[1].kind] <= CLOSED_SHOWN:
            kept.append(each)
    return kept


def _state_of(one: Round) -> str:
    due = window_deadline(ENTERPRISE, one)
    if (due is not None and due < now()) or (due is None and one.status == "closed"):
        return CLOSED
    return OPEN if one.certain and one.opens_on is not None and one.opens_on <= today() else EXPECTED


def _in_order(one: Round, state: str) -> tuple[int, float]:
    due = window_deadline(ENTERPRISE, one)
    stamp = due.timestamp() if due is not None else 0.0
    return [OPEN, EXPECTED, CLOSED].index(state), -stamp if state == CLOSED else stamp


def window_words(one: Round, state: str) -> str:
    """高企 2027 年第一批 · 预计 · 企业截止 2027-04-30 24:00。"""
    due = window_deadline(ENTERPRISE, one)
    until = f" · 企业截止 {words.moment(due, today())}" if due is not None else ""
    return f"{KINDS[one.kind].short} {one.year} 年{one.batch} · {state}{until}"


def _options(windows: Iterable[tuple[int, Round, str]], kind: str | None) -> list[tuple[str, str]]:
    return [(str(i), window_words(w, s)) for i, w, s in windows if not kind or w.kind == kind]


def _new_page(form: NewForm, row: Enterprise) -> str:
    asked = request.args.get("kind")
    return render_template(
        "applications/new.html",
        form=form,
        row=row,
        stages=[*STAGES.items()],
        kinds=[(kind.code, kind.name) for kind in KINDS.values()],
        windows=_options(windows_of(row.region_id), asked if asked in KINDS else None),
    )


def _edit_page(form: ApplicationForm, one: Shown) -> str:
    return render_template(
        "applications/edit.html",
        form=form,
        one=one,
        row=one.enterprise,
        windows=form.window_id.options(),
        conflicts=form.clashes(last_writers("application", one.row.id)) if form.conflict else [],
    )
