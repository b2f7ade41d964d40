"""登记认定结果, 更正 and 登记终止: three doors to the titles of an enterprise."""

from typing import Any

from flask import Blueprint, flash, render_template, request, url_for

from crm.actions.qualifications import correct_qualification, end_qualification, record_qualification
from crm.actions.rights import may_record_title, require
from crm.domain import words
from crm.domain.codes import number_warning
from crm.domain.fields import CHOICES
from crm.domain.kinds import KINDS
from crm.store.enterprises import Enterprise
from crm.store.qualifications import Qualification
from crm.store.scope import visible_enterprise, visible_record
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, today, viewer
from crm.web.editing import last_writers, say
from crm.web.enterprises import forms, titles

blueprint = Blueprint("qualifications", __name__)

CODES = (
    "kind", "number", "batch", "document", "publicity_on", "announced_on", "cohort_year", "issued_on",
    "valid_from", "valid_to", "note",
)  # fmt: skip
ENDED = ("ended_on", "end_reason")
CORRECTED = (*CODES[1:], *ENDED)


@blueprint.route("/enterprises/<int:enterprise_id>/qualifications/new", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def new(enterprise_id: int):
    """The kind is asked first; the rest of the form knows how long such a title lives."""
    row, standing = visible_enterprise(enterprise_id, viewer())
    allowed = [kind for kind in KINDS if may_record_title(viewer(), standing, kind)]
    require(bool(allowed), "登记认定结果")
    form = forms.form_for("qualification", CODES)()
    if request.method == "GET":
        kind = request.args.get("kind", "")
        if kind not in allowed:
            return render_template("qualifications/kind.html", row=row, kinds=[KINDS[k] for k in allowed])
        # Nothing is proposed but the kind: a form sent off empty must not become a title of this year.
        form.fill({"kind": kind})
        return _new_page(form, row, kind)
    kind = form["kind"].data or ""
    if kind not in KINDS:
        return render_template("qualifications/kind.html", row=row, kinds=[KINDS[k] for k in allowed]), 422
    if form.validate_on_submit():
        values = form.read()
        if request.form.get("propose"):
            proposals = titles.proposed_days(values)
            for code, value in proposals.items():
                form[code].data = forms.raw_of(forms.FIELDS[f"qualification.{code}"], value)
            return _new_page(form, row, kind, proposed=proposals), 200
        if not form.has_errors:
            written = attempt(form, lambda: record_qualification(enterprise_id, values, act=new_act()))
            if written is not None:
                _doubt(kind, values)
                to = url_for("enterprises.show", enterprise_id=enterprise_id)
                return done(f"已登记{KINDS[kind].short}认定结果", to, written)
    return _new_page(form, row, kind), 422


def _doubt(kind: str, values: dict[str, Any]) -> None:
    warning = number_warning(kind, values.get("number") or "")
    if warning:
        flash(warning, "soon")


def _new_page(form: forms.DeclaredForm, row: Enterprise, kind: str, proposed: dict[str, Any] | None = None) -> str:
    return render_template(
        "qualifications/new.html",
        form=form,
        row=row,
        kind=KINDS[kind],
        term=titles.term_words(kind, today()),
        inputs={i["name"]: i for i in forms.inputs(form, CODES)},
        proposed=[f"{words.label(f'qualification.{c}')} {v}" for c, v in (proposed or {}).items()],
        asked=proposed is not None,
    )


@blueprint.route("/qualifications/<int:qualification_id>/correct", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def correct(qualification_id: int):
    """更正: what was recorded was wrong; it never counts as a movement on the ladder."""
    old, row = _own(qualification_id, "更正认定结果")
    form = forms.form_for("qualification", CORRECTED)()
    if request.method == "GET":
        form.fill({code: getattr(old, code) for code in CORRECTED}, old.version)
        return _correct_page(form, row, old)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            written = attempt(
                form,
                lambda: correct_qualification(
                    qualification_id,
                    values,
                    version=form.seen_version,
                    seen=form.seen_values(values),
                    act=new_act(),
                ),
            )
            if written is not None:
                to = url_for("enterprises.show", enterprise_id=row.id, tab="titles")
                said = "已更正" if written.change_set_id else "没有改动，没有写入："
                return done(f"{said}{KINDS[old.kind].short}认定结果", to, written)
    old, row = _own(qualification_id, "更正认定结果")
    return _correct_page(form, row, old), 409 if form.conflict else 422


def _correct_page(form: forms.DeclaredForm, row: Enterprise, old: Qualification) -> str:
    return render_template(
        "qualifications/correct.html",
        form=form,
        row=row,
        old=old,
        kind=KINDS[old.kind],
        inputs={i["name"]: i for i in forms.inputs(form, CORRECTED)},
        conflicts=form.clashes(last_writers("qualification", old.id)) if form.conflict else [],
    )


@blueprint.route("/qualifications/<int:qualification_id>/end", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def end(qualification_id: int):
    """登记终止: a new fact about a title that was right when it was recorded."""
    old, row = _own(qualification_id, "登记资格终止")
    form = forms.form_for("qualification", ENDED)()
    if request.method == "GET":
        form.fill({code: getattr(old, code) for code in ENDED}, old.version)
        return _end_page(form, row, old)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read()
        if values.get("ended_on") is None and not form["ended_on"].errors:
            say(form, "ended_on", "填终止日期：从这天起不再持有。")
        elif values.get("ended_on") and values["ended_on"] > today():
            say(form, "ended_on", f"终止日期 {values['ended_on']} 还没到，等到那天再登记，或改正日期。")
        if values.get("end_reason") not in CHOICES["end_reason"]:
            say(form, "end_reason", "选终止原因。")
        if not form.has_errors:
            written = attempt(
                form,
                lambda: end_qualification(
                    qualification_id,
                    ended_on=values["ended_on"],
                    end_reason=values["end_reason"],
                    version=form.seen_version,
                    seen=form.seen_values(ENDED),
                    act=new_act(effective_on=values["ended_on"]),
                ),
            )
            if written is not None:
                to = url_for("enterprises.show", enterprise_id=row.id, tab="titles")
                said = words.word(values["end_reason"], "end_reason")
                return done(f"已登记{KINDS[old.kind].short}终止：{said}", to, written)
    old, row = _own(qualification_id, "登记资格终止")
    return _end_page(form, row, old), 409 if form.conflict else 422


def _end_page(form: forms.DeclaredForm, row: Enterprise, old: Qualification) -> str:
    return render_template(
        "qualifications/end.html",
        form=form,
        row=row,
        old=old,
        kind=KINDS[old.kind],
        inputs={i["name"]: i for i in forms.inputs(form, ENDED)},
        conflicts=form.clashes(last_writers("qualification", old.id)) if form.conflict else [],
    )


def _own(qualification_id: int, what: str) -> tuple[Qualification, Enterprise]:
    old = visible_record(Qualification, qualification_id, viewer(), "这项资格")
    row, standing = visible_enterprise(old.enterprise_id, viewer())
    require(may_record_title(viewer(), standing, old.kind), what)
    return old, row
