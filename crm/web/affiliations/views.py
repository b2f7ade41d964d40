"""Dated affiliations: entering one that was forgotten, ending or mending one, taking back one that never was."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from wtforms import StringField

from crm.actions.affiliations import (
    CODES,
    Belonged,
    edit_affiliation,
    may_keep,
    record_affiliation,
    stored_values,
    withdraw_affiliation,
)
from crm.actions.rights import may_edit, require
from crm.domain.fields import AFFILIATIONS, FIELDS
from crm.domain.refusals import NotFound
from crm.store.enterprises import Affiliation, Enterprise, affiliations_of
from crm.store.scope import visible_enterprise, visible_record
from crm.web.addresses import version_in
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, pressed, viewer
from crm.web.editing import EditForm, last_writers
from crm.web.enterprises import forms
from crm.web.enterprises.belonging import said
from crm.web.inputs import DayField

blueprint = Blueprint("affiliations", __name__)


class AffiliationForm(EditForm):
    """What it says is a declared field of the enterprise; which one, the kind tells."""

    value = StringField("归属")
    starts_on = DayField("从哪天起")
    ends_on = DayField("到哪天止")
    edited = CODES
    kind = ""

    def text_of(self, name: str, value: Any) -> str:
        return forms.raw_of(self.field, value) if name == "value" else super().text_of(name, value)

    def value_of(self, name: str, text: str) -> Any:
        return forms.value_of(self.field, text) if name == "value" else super().value_of(name, text)

    def said(self, name: str, value: Any) -> str:
        if name != "value":
            return super().said(name, value)
        return forms.options_of(self.field).get(forms.raw_of(self.field, value), "未填")

    @property
    def field(self) -> Any:
        return FIELDS[f"enterprise.{self.kind}"]


def _form(kind: str) -> AffiliationForm:
    form = AffiliationForm()
    form.kind = kind
    form.value.label.text = FIELDS[f"enterprise.{kind}"].label
    return form


@blueprint.route("/enterprises/<int:enterprise_id>/affiliations/new", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def new(enterprise_id: int):
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "修改这家企业的归属")
    kind = request.values.get("kind", "township")
    if kind not in AFFILIATIONS:
        raise NotFound("这种归属")
    require(may_keep(kind, standing, viewer()), "指定服务专员")
    form = _form(kind)
    if request.method == "GET":
        form.fill({})
        return _page(form, row)
    if form.validate_on_submit():
        values = form.read()
        if not form.has_errors:
            wanted = Belonged(values["value"], values["starts_on"], values["ends_on"])
            named = _named(row.id)
            written = attempt(form, lambda: record_affiliation(enterprise_id, kind, wanted, named=named, act=new_act()))
            if written is not None:
                return done(f"已登记{form.value.label.text}", _tab(row.id), written)
    row, _ = visible_enterprise(enterprise_id, viewer())
    return _page(form, row), 422


@blueprint.route("/affiliations/<int:affiliation_id>", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(affiliation_id: int):
    one, row = _own(affiliation_id)
    form = _form(one.kind)
    if request.method == "GET":
        form.fill(stored_values(one), one.version)
        return _page(form, row, one)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            if not values:
                return done("没有改动，没有写入。", _tab(row.id))
            named = _named(row.id)
            seen = form.seen_values(values, stored_values(one))
            written = attempt(
                form,
                lambda: edit_affiliation(
                    affiliation_id, values, version=form.seen_version, seen=seen, named=named, act=new_act()
                ),
            )
            if written is not None:
                return done(f"已修改{form.value.label.text}", _tab(row.id), written)
    one, row = _own(affiliation_id)
    return _page(form, row, one), 409 if form.conflict else 422


@blueprint.post("/affiliations/<int:affiliation_id>/withdraw")
@open_to(SIGNED_IN)
def withdraw(affiliation_id: int):
    one, row = _own(affiliation_id)
    to, label = _tab(row.id), FIELDS[f"enterprise.{one.kind}"].label
    version = version_in(request.form.get("version"))
    return pressed(
        lambda: withdraw_affiliation(affiliation_id, version=version, act=new_act()),
        said=f"已撤下{label}",
        to=to,
        stays=to,
        moved=label,
    )


def _tab(enterprise_id: int) -> str:
    return url_for("enterprises.show", enterprise_id=enterprise_id, tab="belongs")


def _named(enterprise_id: int) -> dict[int, str]:
    """What the affiliations there are point at, for the sentence about an overlap; read before the write begins."""
    return {one.id: said(one) for one in affiliations_of(enterprise_id) if one.kind in AFFILIATIONS}


def _own(affiliation_id: int) -> tuple[Affiliation, Enterprise]:
    one = visible_record(Affiliation, affiliation_id, viewer(), "这条归属")
    row, standing = visible_enterprise(one.enterprise_id, viewer())
    require(may_edit(viewer(), standing), "修改这家企业的归属")
    require(may_keep(one.kind, standing, viewer()), "指定服务专员")
    return one, row


def _page(form: AffiliationForm, row: Enterprise, one: Affiliation | None = None) -> str:
    # The column it clashes in is that of the record; the form knows it as the value.
    for column in ("ref_id",):
        if column in form.conflict:
            form.conflict["value"] = form.conflict.pop(column)
    by = last_writers("affiliation", one.id) if form.conflict and one else {}
    if "ref_id" in by:
        by["value"] = by["ref_id"]
    return render_template(
        "affiliations/edit.html",
        form=form,
        row=row,
        one=one,
        label=form.value.label.text,
        options=[("", "选一个"), *forms.options_of(form.field).items()],
        conflicts=form.clashes(by) if form.conflict else [],
    )
