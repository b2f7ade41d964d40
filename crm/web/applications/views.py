"""Applications as a plain list: add one, say its stage in words, say its outcome."""

from datetime import date

from flask import Blueprint, render_template, request, url_for
from wtforms import HiddenField, StringField

from crm.actions.applications import OUTCOMES, add_application, move_application
from crm.actions.rights import may_edit, require
from crm.domain.cells import Unreadable
from crm.domain.fields import Field
from crm.domain.kinds import KINDS
from crm.store.applications import Application
from crm.store.enterprises import Enterprise
from crm.store.scope import visible_enterprise, visible_record
from crm.web.doors import SIGNED_IN, Form, attempt, done, new_act, open_to, today, viewer
from crm.web.enterprises import forms

blueprint = Blueprint("applications", __name__)

_DAY = Field("application", "stage_on", "到这一步的日期", "date")
# Stages in the words of the county's work; anything else may be typed.
STAGES = (
    "储备",
    "辅导",
    "网上申报",
    "递交材料",
    "区县初审",
    "退回补正",
    "推荐上报",
    "组织评审",
    "公示",
    "备案公告",
    "发证",
)


class ApplicationForm(Form):
    kind = StringField("申报资格")
    year = StringField("申报年度")
    stage = StringField("环节")
    stage_on = StringField("到这一步的日期")
    outcome = StringField("结果")
    note = StringField("说明")
    version = HiddenField()

    def day(self) -> date | None:
        try:
            return forms.value_of(_DAY, self.stage_on.data or "")
        except Unreadable as error:
            forms.say(self, "stage_on", error.message)
            return None

    def text(self, name: str) -> str | None:
        return (self[name].data or "").strip() or None


@blueprint.route("/enterprises/<int:enterprise_id>/applications/new", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def new(enterprise_id: int):
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "登记申报")
    form = ApplicationForm()
    if request.method == "GET":
        form.year.data, form.stage_on.data = str(today().year), today().isoformat()
        return _page(form, row)
    if form.validate_on_submit():
        day, year = form.day(), form.text("year") or ""
        if not form.stage_on.errors:
            written = attempt(
                form,
                lambda: add_application(
                    enterprise_id,
                    kind=form.text("kind"),
                    year=int(year) if year.isdigit() and len(year) == 4 else None,
                    stage=form.text("stage"),
                    stage_on=day,
                    note=form.text("note"),
                    act=new_act(),
                ),
            )
            if written is not None:
                to = url_for("enterprises.show", enterprise_id=enterprise_id, tab="applications")
                return done(f"已登记{KINDS[form.kind.data].short} {year} 年申报", to, written)
    row, _ = visible_enterprise(enterprise_id, viewer())
    return _page(form, row), 422


@blueprint.route("/applications/<int:application_id>/edit", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(application_id: int):
    one, row = _own(application_id)
    form = ApplicationForm()
    if request.method == "GET":
        form.stage.data, form.outcome.data, form.note.data = one.stage, one.outcome or "", one.note or ""
        form.stage_on.data, form.version.data = today().isoformat(), str(one.version)
        return _page(form, row, one)
    if form.validate_on_submit():
        day, version = form.day(), form.version.data or ""
        if not form.stage_on.errors:
            written = attempt(
                form,
                lambda: move_application(
                    application_id,
                    stage=form.text("stage"),
                    stage_on=day,
                    outcome=form.text("outcome"),
                    note=form.text("note"),
                    version=int(version) if version.isdigit() else 0,
                    act=new_act(),
                ),
            )
            if written is not None:
                to = url_for("enterprises.show", enterprise_id=row.id, tab="applications")
                return done(f"已改到“{form.text('stage')}”", to, written)
    one, row = _own(application_id)
    if form.conflict:
        form.version.data = str(one.version)
        form.general_errors.append(f"现在是“{one.stage}”（{one.stage_on}）。还要改，就再按一次保存。")
    return _page(form, row, one), 409 if form.conflict else 422


def _page(form: ApplicationForm, row: Enterprise, one: Application | None = None) -> str:
    return render_template(
        "applications/edit.html",
        form=form,
        row=row,
        one=one,
        stages=STAGES,
        kind_options=[(kind.code, kind.name) for kind in KINDS.values()],
        outcome_options=list(OUTCOMES.items()),
    )


def _own(application_id: int) -> tuple[Application, Enterprise]:
    one = visible_record(Application, application_id, viewer(), "这件申报")
    row, standing = visible_enterprise(one.enterprise_id, viewer())
    require(may_edit(viewer(), standing), "修改申报")
    return one, row
