"""Changing one field of many enterprises: choose the value, look at old → new, type the number, press once."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from crm.actions import bulk_edits
from crm.actions.bulk_edits import ALREADY, OUTCOMES, BulkEdit
from crm.domain import words
from crm.domain.fields import AFFILIATIONS, field_of
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.typed_counts import TYPED_ABOVE
from crm.store.writer import Prepared
from crm.web import reference
from crm.web.addresses import count_in
from crm.web.choosing import Selection
from crm.web.doors import attempt, done, new_act, open_to, today, viewer, was_pressed_before
from crm.web.editing import say
from crm.web.enterprises import blueprint, forms, listing, selection
from crm.web.enterprises.edit import CORRECTION, NATURES, NEW_FACT, read_day

SHOWN = 20
CLEARING = "清空"
EDITORS = ("case_manager", "bureau", "admin")
_EXTRA = ("nature", "effective_on", "clear", "number", "fingerprint")


def fields_for_bulk() -> dict[str, str]:
    """The fields this viewer may set for many, with their words."""
    return {code: words.label(f"enterprise.{code}") for code in listing.bulk_codes(viewer())}


@blueprint.post("/enterprises/bulk")
@open_to(*EDITORS)
def bulk():
    """The three steps of a bulk edit. Nothing is written before the number and the first lines were shown."""
    code = request.form.get("field", "")
    if code not in fields_for_bulk():
        return done("先选要批量改哪一项。", url_for("enterprises.index"))
    form = forms.form_for("enterprise", (code,), _EXTRA)()
    if request.form.get("step") == "write" and was_pressed_before(form):
        return done("已经改过，没有再写。", url_for("enterprises.index") + _asked_back())
    try:
        chosen = selection.chosen()
    except Refused as refusal:
        return _nothing(refusal.message)
    step = request.form.get("step", "")
    if step == "":
        form["nature"].data, form["effective_on"].data = NEW_FACT, today().isoformat()
        return _page(form, code, chosen)
    read = _read(form, code)
    edit = None if read is None else _worked_out(form, chosen, code, *read)
    if edit is None or read is None:
        return _page(form, code, chosen), 422
    if step != "write":
        return _preview(form, chosen, edit)
    return _write(form, chosen, edit, *read[1:])


def _asked_back() -> str:
    return selection.asked_in_form().query(page=None)


def _nothing(sentence: str):
    """The list again with the sentence: nothing was chosen, or no longer as many as were seen."""
    flash(sentence, "bad")
    return redirect(url_for("enterprises.index") + _asked_back())


def _read(form: forms.DeclaredForm, code: str) -> tuple[Any, bool, Any] | None:
    """(value, whether it is a correction, from which day) as typed; None with sentences beside the fields."""
    values = form.read()
    value = values.get(code)
    clears = form["clear"].data == "1"
    if not form.has_errors and value is None and not clears:
        say(form, code, f"选{words.label(f'enterprise.{code}')}；要改成未填，勾“{CLEARING}”。")
    if value is not None and clears:
        say(form, code, f"选了值又勾了“{CLEARING}”。留一样。")
    correction = code in AFFILIATIONS and form["nature"].data == CORRECTION
    on = today() if correction or code not in AFFILIATIONS else read_day(form, "effective_on")
    if on is not None and on > today():
        say(form, "effective_on", f"{on} 还没到，等到那天再改，或改正日期。")
    return None if form.has_errors else (value, correction, on or today())


def _worked_out(
    form: forms.DeclaredForm, chosen: Selection[int], code: str, value: Any, correction: bool, on: Any
) -> BulkEdit | None:
    try:
        return bulk_edits.work_out(chosen.ids, code, value, correction=correction, act=new_act(effective_on=on))
    except InvalidInput as refusal:
        for name, sentence in refusal.problems.items():
            _show(form, name, sentence)
    except Refused as refusal:
        form.general_errors.append(refusal.message)
    return None


def _show(form: forms.DeclaredForm, name: str, sentence: str) -> None:
    if name in form:
        say(form, name, sentence)
    else:
        form.general_errors.append(sentence)


def _write(form: forms.DeclaredForm, chosen: Selection[int], edit: BulkEdit, correction: bool, on: Any):
    count = len(edit.changing)
    if not count:
        return _preview(form, chosen, edit), 422
    if form["fingerprint"].data != edit.fingerprint:
        form.general_errors.append("预览之后名单或其中的值变了，没有写入。看过新的预览再按。")
        return _preview(form, chosen, edit), 409
    act = new_act(effective_on=on)
    try:
        # Made ready outside the unit of work: thousands of rows would hold the lock while they are worked out.
        prepared: Prepared = bulk_edits.make_ready(edit, count_in(form["number"].data), act=act)
    except InvalidInput as refusal:
        for name, sentence in refusal.problems.items():
            _show(form, name, sentence)
        return _preview(form, chosen, edit), 422
    written = attempt(form, lambda: bulk_edits.edit_many(edit, prepared, correction=correction, act=act))
    if written is None:
        return _preview(form, chosen, edit), 409
    verb = "已更正" if correction else "已改"
    label = words.label(f"enterprise.{edit.code}")
    said = form.said(edit.code, edit.value)
    return done(f"{verb} {count:,} 家的{label}：{said}", url_for("enterprises.index") + chosen.back, written)


def _page(form: forms.DeclaredForm, code: str, chosen: Selection[int]) -> str:
    """The first step: which value. The firms are counted and the first of them shown."""
    return render_template("enterprises/bulk.html", **_common(form, code, chosen), edit=None)


def _preview(form: forms.DeclaredForm, chosen: Selection[int], edit: BulkEdit) -> str:
    changing = edit.changing
    skipped = [
        (OUTCOMES[outcome], len(lines), [line.name for line in lines[:SHOWN]])
        for outcome in OUTCOMES
        if outcome != bulk_edits.CHANGES and (lines := edit.skipped(outcome))
    ]
    form["fingerprint"].data = edit.fingerprint
    in_words = _sayer(edit.code, _names(edit.code, [line.before for line in changing[:SHOWN]]))
    return render_template(
        "enterprises/bulk.html",
        **_common(form, edit.code, chosen),
        edit=edit,
        count=len(changing),
        shown=[(line.enterprise_id, line.name, in_words(line.before)) for line in changing[:SHOWN]],
        after=form.said(edit.code, edit.value),
        skipped=skipped,
        all_so=bool(edit.lines) and all(line.outcome == ALREADY for line in edit.lines),
        typed_above=TYPED_ABOVE,
    )


def _names(code: str, values: list[Any]) -> dict[Any, str]:
    """Names of people who manage no more, beside those that can be chosen."""
    return reference.people(values) if field_of("enterprise", code).type == "person" else {}


def _sayer(code: str, beside: Mapping[Any, str]):
    field = field_of("enterprise", code)
    known: dict[Any, str] = dict(beside)
    if field.type in forms.BY_ID:
        known |= reference.names_for(field.type, viewer(), today())
    elif field.type == "choice":
        known |= forms.options_of(field)
    return lambda value: words.value(field, value, known or None)


def _common(form: forms.DeclaredForm, code: str, chosen: Selection[int]) -> dict[str, Any]:
    return {
        "form": form,
        "code": code,
        "label": words.label(f"enterprise.{code}"),
        "chosen": chosen,
        "input": forms.inputs(form, (code,))[0],
        "dated": code in AFFILIATIONS,
        "natures": NATURES,
        "back": url_for("enterprises.index") + chosen.back,
        "clearing": CLEARING,
    }
