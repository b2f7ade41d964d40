"""Applications as a plain list: add one, say its stage in words, say its outcome."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from wtforms import StringField

from crm.actions.applications import OUTCOMES, add_application, move_application
from crm.actions.rights import may_edit, require
from crm.domain.fields import Field
from crm.domain.kinds import KINDS
from crm.store.applications import Application
from crm.store.enterprises import Enterprise
from crm.store.scope import visible_enterprise, visible_record
from crm.web.addresses import whole
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, today, viewer
from crm.web.editing import EditForm, last_writers
from crm.web.enterprises import forms

blueprint = Blueprint("applications", __name__)

_DAY = Field("application", "stage_on", "到这一步的日期", "date")
IN_HAND = "在办"
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


class ApplicationForm(EditForm):
    edited = ("stage", "stage_on", "outcome", "note")

    kind = StringField("申报资格")
    year = StringField("申报年度")
    stage = StringField("环节")
    stage_on = StringField("到这一步的日期")
    outcome = StringField("结果")
    note = StringField("说明")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {"outcome": {None: IN_HAND} | OUTCOMES}

    def value_of(self, name: str, text: str) -> Any:
        return forms.value_of(_DAY, text) if name == "stage_on" else super().value_of(name, text)

    def day_of_the_stage(self) -> None:
        """A day left blank is today's for a new stage, and stays what it was for an old one."""
        if not self.typed("stage_on"):
            old = self.seen_texts.get("stage_on", "")
            self.put("stage_on", today().isoformat() if self.touched("stage") else old)

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
        values, year = form.read(), form.text("year") or ""
        if not form.has_errors:
            written = attempt(
                form,
                lambda: add_application(
                    enterprise_id,
                    kind=form.text("kind"),
                    year=whole(year, largest=9999),
                    stage=values["stage"],
                    stage_on=values["stage_on"],
                    note=values["note"],
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
    stored = {name: getattr(one, name) for name in form.edited}
    if request.method == "GET":
        form.fill(stored, one.version, proposed={"stage_on": None})
        return _page(form, row, one)
    if form.validate_on_submit():
        form.settle(request.form)
        form.day_of_the_stage()
        values = form.read()
        if not form.has_errors:
            written = attempt(
                form,
                lambda: move_application(
                    application_id,
                    **values,
                    version=form.seen_version,
                    seen=form.seen_values(form.edited, stored),
                    act=new_act(),
                ),
            )
            if written is not None:
                to = url_for("enterprises.show", enterprise_id=row.id, tab="applications")
                said = f"已改到“{values['stage']}”" if written.change_set_id else "没有改动，没有写入。"
                return done(said, to, written)
    one, row = _own(application_id)
    return _page(form, row, one), 409 if form.conflict else 422


def _page(form: ApplicationForm, row: Enterprise, one: Application | None = None) -> str:
    return render_template(
        "applications/edit.html",
        form=form,
        row=row,
        one=one,
        stages=STAGES,
        kind_options=[(kind.code, kind.name) for kind in KINDS.values()],
        outcome_options=[("", IN_HAND), *OUTCOMES.items()],
        conflicts=form.clashes(last_writers("application", one.id)) if form.conflict and one else [],
    )


def _own(application_id: int) -> tuple[Application, Enterprise]:
    one = visible_record(Application, application_id, viewer(), "这件申报")
    row, standing = visible_enterprise(one.enterprise_id, viewer())
    require(may_edit(viewer(), standing), "修改申报")
    return one, row
