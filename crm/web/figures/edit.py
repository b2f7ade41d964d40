"""The figures of one enterprise and year as a form: money in 万元, blank is unknown, 0 is 0."""

from typing import Any

from flask import abort, flash, render_template, request, url_for

from crm.actions.figures import CODES, FIRST_YEAR, record_figures, state_of
from crm.actions.rights import may_edit, require
from crm.domain.fields import FIELDS
from crm.domain.refusals import NotAllowed
from crm.domain.viewers import CONFIDENTIAL
from crm.domain.words import money_words
from crm.store.enterprises import Enterprise
from crm.store.scope import visible_enterprise
from crm.web.addresses import whole
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, today, viewer
from crm.web.editing import last_writers
from crm.web.enterprises import forms
from crm.web.figures import blueprint
from crm.web.figures.groups import FIGURE_GROUPS, RECOGNITION_GROUPS


@blueprint.get("/enterprises/<int:enterprise_id>/figures")
@open_to(SIGNED_IN)
def choose(enterprise_id: int):
    """The address ?year=2025 leads to the form of that year."""
    row, _ = editable(enterprise_id)
    year = whole(request.args.get("year"))
    if year is None or not FIRST_YEAR <= year <= today().year:
        year = today().year - 1
    return edit(row.id, year)


@blueprint.route("/enterprises/<int:enterprise_id>/figures/<int:year>", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(enterprise_id: int, year: int):
    row, _ = editable(enterprise_id)
    if not FIRST_YEAR <= year <= today().year:
        abort(404)
    form = forms.form_for("figures", CODES)()
    state = state_of(enterprise_id, year)
    if request.method == "GET":
        form.fill(state.values if state else {}, state.version if state else 0)
        return _page(form, row, year)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            to = url_for("enterprises.show", enterprise_id=enterprise_id, tab="figures")
            if not values:
                return done("没有改动，没有写入。", to)
            written = attempt(
                form,
                lambda: record_figures(
                    enterprise_id,
                    year,
                    values,
                    version=form.seen_version,
                    seen=form.seen_values(values),
                    act=new_act(),
                ),
            )
            if written is not None:
                doubt = doubtful(state_of(enterprise_id, year))
                if doubt:
                    flash(doubt)
                return done(f"已保存 {year} 年指标 {len(values)} 项", to, written)
    row, _ = editable(enterprise_id)
    return _page(form, row, year), 409 if form.conflict else 422


def doubtful(state: Any) -> str:
    """What can hardly be, said after saving and never in the way of it; nothing when the figures agree."""
    said = state.values if state else {}
    earned = said.get("revenue")
    for code in ("rd_expense", "rd_expense_deduction", "rd_expense_hnte"):
        spent = said.get(code)
        if spent is not None and earned is not None and spent > earned:
            label = FIELDS[f"figures.{code}"].label
            return f"{label} {money_words(spent)}，大于营业收入 {money_words(earned)}，已照存。核对两个数的单位。"
    return ""


def editable(enterprise_id: int) -> tuple[Enterprise, Any]:
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "填写这家企业的指标")
    if CONFIDENTIAL not in viewer().classes_over(standing):
        raise NotAllowed("年度指标是保密字段，你的授权不含。")
    return row, standing


def _page(form: forms.DeclaredForm, row: Enterprise, year: int) -> str:
    conflicts = []
    if form.conflict:
        state = state_of(row.id, year)
        conflicts = form.clashes(last_writers("figures", state.id if state else 0))
    groups = [(label, forms.inputs(form, codes)) for label, codes in FIGURE_GROUPS]
    special = [(label, forms.inputs(form, codes)) for label, codes in RECOGNITION_GROUPS]
    return render_template(
        "figures/edit.html", form=form, row=row, year=year, groups=groups, special=special, conflicts=conflicts
    )
