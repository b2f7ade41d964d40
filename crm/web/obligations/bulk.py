"""交办, 改期, 办结 of many: choose the value, look at old → new, type the number where they are many, press once."""

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from wtforms import HiddenField, StringField, TextAreaField

from crm.actions import obligation_bulk
from crm.actions.obligation_bulk import ALREADY, ASSIGN, CHANGES, OUTCOMES, POSTPONE, SETTLE, VERBS, BulkSettling, Wish
from crm.actions.obligations import LONGEST_NOTE
from crm.domain import words
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.typed_counts import TYPED_ABOVE
from crm.store.obligation_lists import Key
from crm.web import reference
from crm.web.addresses import count_in
from crm.web.choosing import Selection
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer, was_pressed_before
from crm.web.inputs import ChosenField, DayField
from crm.web.obligations import blueprint, columns, listing, selection

SHOWN = 20
# The field of each verb, and what it is called on the page.
FIELD_OF = {ASSIGN: "assignee", POSTPONE: "to", SETTLE: "note"}
LABELS = {ASSIGN: "交办给", POSTPONE: "改到哪一天", SETTLE: "办结说明"}


class BulkForm(Form):
    assignee = ChosenField("交办给", "专员")
    to = DayField("改到哪一天")
    note = TextAreaField("办结说明")
    number = StringField()
    fingerprint = HiddenField()


@blueprint.post("/due/bulk")
@open_to(*listing.ACTORS)
def bulk():
    """The steps of a deed on many. Nothing is written before the number and the first lines were shown."""
    verb = request.form.get("verb", "")
    if verb not in VERBS:
        return done("先选要批量办哪一样。", url_for("obligations.index"))
    form = BulkForm()
    form.assignee.offered = {person.id: person.name for person in reference.managers(viewer(), today())}
    step = request.form.get("step", "")
    if step == "write" and was_pressed_before(form):
        return done("已经办过，没有再写。", url_for("obligations.index") + _asked_back())
    try:
        chosen = selection.chosen()
    except Refused as refusal:
        flash(refusal.message, "bad")
        return redirect(url_for("obligations.index") + _asked_back())
    if step == "" and verb != SETTLE:
        return _page(form, verb, chosen)
    worked = _worked_out(form, chosen, verb) if form.validate() else None
    if worked is None:
        return _page(form, verb, chosen), 422
    if step != "write":
        return _preview(form, chosen, worked)
    return _write(form, chosen, worked)


def _asked_back() -> str:
    return selection.asked_in_form().query(page=None)


def _worked_out(form: BulkForm, chosen: Selection[Key], verb: str) -> BulkSettling | None:
    wish = Wish(
        verb,
        assignee=form.assignee.value if verb == ASSIGN else None,
        to=form.to.value if verb == POSTPONE else None,
        note=form.note.data or "" if verb == SETTLE else "",
    )
    try:
        return obligation_bulk.work_out(chosen.keys, wish, order=chosen.asked.order, act=new_act())
    except InvalidInput as refusal:
        _show(form, refusal)
    except Refused as refusal:
        form.general_errors.append(refusal.message)
    return None


def _show(form: BulkForm, refusal: InvalidInput) -> None:
    for name, sentence in refusal.problems.items():
        form[name].errors = [*form[name].errors, sentence]


def _write(form: BulkForm, chosen: Selection[Key], worked: BulkSettling):
    count = len(worked.changing)
    if not count:
        return _preview(form, chosen, worked), 422
    if form.fingerprint.data != worked.fingerprint:
        form.general_errors.append("预览之后名单或其中的事项变了，没有写入。看过新的预览再按。")
        return _preview(form, chosen, worked), 409
    act = new_act()
    try:
        # Made ready outside the unit of work: thousands of rows would hold the lock while they are worked out.
        prepared = obligation_bulk.make_ready(worked, count_in(form.number.data), act=act)
    except InvalidInput as refusal:
        _show(form, refusal)
        return _preview(form, chosen, worked), 422
    written = attempt(form, lambda: obligation_bulk.settle_many(worked, prepared, act=act))
    if written is None:
        return _preview(form, chosen, worked), 409
    return done(_told(worked, count), url_for("obligations.index") + chosen.back, written)


def _told(worked: BulkSettling, count: int) -> str:
    if worked.wish.verb == SETTLE:
        return f"已办结 {count:,} 项"
    verb = "已改期" if worked.wish.verb == POSTPONE else "已交办"
    return f"{verb} {count:,} 项：{_after(worked)}"


def _after(worked: BulkSettling) -> str:
    wish = worked.wish
    if wish.verb == ASSIGN:
        return reference.people([wish.assignee]).get(wish.assignee or 0, "")
    return words.day(wish.to, today()) if wish.to is not None else "办结"


def _page(form: BulkForm, verb: str, chosen: Selection[Key]) -> str:
    """The first step: to whom, to which day. The chosen ones are counted."""
    return render_template("obligations/bulk.html", **_common(form, verb, chosen), worked=None)


def _preview(form: BulkForm, chosen: Selection[Key], worked: BulkSettling) -> str:
    changing = worked.changing
    shown = changing[:SHOWN]
    people = reference.people(line.before for line in shown) if worked.wish.verb == ASSIGN else {}
    skipped = [
        (OUTCOMES[outcome], len(lines), [_name(line) for line in lines[:SHOWN]])
        for outcome in OUTCOMES
        if outcome != CHANGES and (lines := worked.skipped(outcome))
    ]
    form.fingerprint.data = worked.fingerprint
    return render_template(
        "obligations/bulk.html",
        **_common(form, worked.wish.verb, chosen),
        worked=worked,
        count=len(changing),
        shown=[(line.row, columns.kind_of(line.row), _before(line.before, people)) for line in shown],
        after=_after(worked),
        skipped=skipped,
        all_so=bool(worked.lines) and all(line.outcome == ALREADY for line in worked.lines),
        typed_above=TYPED_ABOVE,
    )


def _name(line: obligation_bulk.Line) -> str:
    return f"{line.row.name}（{words.OBLIGATION_KINDS.get(line.row.kind, line.row.kind)}）"


def _before(value: Any, people: dict[int, str]) -> str:
    return words.day(value, today()) if isinstance(value, date) else people.get(value, "")


def _common(form: BulkForm, verb: str, chosen: Selection[Key]) -> dict[str, Any]:
    return {
        "form": form,
        "verb": verb,
        "named": VERBS[verb],
        "label": LABELS[verb],
        "field": form[FIELD_OF[verb]],
        "chosen": chosen,
        "back": url_for("obligations.index") + chosen.back,
        "quick_days": listing.quick_days() if verb == POSTPONE else [],
        "longest": LONGEST_NOTE,
    }
