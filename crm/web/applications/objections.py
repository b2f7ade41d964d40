"""Objections while a list is publicised: entered, looked into, closed."""

from flask import render_template, request, url_for

from crm.actions.application_objections import edit_objection, raise_objection
from crm.actions.rights import require
from crm.store.applications import ApplicationObjection
from crm.store.scope import visible_record
from crm.web.applications import blueprint
from crm.web.applications.forms import ObjectionForm
from crm.web.applications.shown import Shown, shown
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, today, viewer
from crm.web.editing import last_writers


@blueprint.route("/applications/<int:application_id>/objections/new", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def new_objection(application_id: int):
    one = shown(application_id)
    require(one.may_edit, "登记异议")
    form = ObjectionForm()
    if request.method == "GET":
        form.fill({}, proposed={"raised_on": today()})
        return _page(form, one)
    if form.validate_on_submit():
        values = form.read()
        if not form.has_errors:
            written = attempt(form, lambda: raise_objection(application_id, values, act=new_act()))
            if written is not None:
                return done("已登记异议。核查完写上记录再办结。", _home(application_id), written)
    return _page(form, shown(application_id)), 422


@blueprint.route("/applications/objections/<int:objection_id>/edit", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def objection(objection_id: int):
    row: ApplicationObjection = visible_record(ApplicationObjection, objection_id, viewer(), "这条异议")
    one = shown(row.application_id)
    require(one.may_edit, "修改异议")
    form = ObjectionForm()
    stored = {name: getattr(row, name) for name in form.edited}
    application_id = row.application_id
    if request.method == "GET":
        form.fill(stored, row.version)
        return _page(form, one, row)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            seen = form.seen_values(form.edited, stored)
            written = attempt(
                form,
                lambda: edit_objection(objection_id, values, version=form.seen_version, seen=seen, act=new_act()),
            )
            if written is not None:
                return done("已改异议记录。", _home(application_id), written)
    row = visible_record(ApplicationObjection, objection_id, viewer(), "这条异议")
    return _page(form, shown(row.application_id), row), 409 if form.conflict else 422


def _home(application_id: int) -> str:
    return url_for("applications.show", application_id=application_id, _anchor="objections")


def _page(form: ObjectionForm, one: Shown, held: ApplicationObjection | None = None) -> str:
    conflicts = form.clashes(last_writers("application_objection", held.id)) if form.conflict and held else []
    return render_template(
        "applications/objection.html", form=form, one=one, row=one.enterprise, held=held, conflicts=conflicts
    )
