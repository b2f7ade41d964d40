"""The deadline and the one who does it, edited where they stand in the due list."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from flask import jsonify, render_template, request

from crm.actions import obligations
from crm.actions.rights import require
from crm.domain import words
from crm.domain.refusals import NotFound
from crm.store import obligation_lists
from crm.store.obligation_lists import WAITING, Row, day_of, outcome_of
from crm.store.writer import Written
from crm.web.addresses import Texts
from crm.web.doors import SIGNED_IN, attempt, new_act, now, open_to, today, viewer, was_pressed_before
from crm.web.editing import EditForm, last_writers, say
from crm.web.inputs import ChosenField, DayField
from crm.web.obligations import blueprint, columns, filters, listing
from crm.web.obligations.settling import PATH


class DueForm(EditForm):
    to = DayField("期限改到")
    edited = ("to",)


class OwnerForm(EditForm):
    assignee = ChosenField("交办给", "专员")
    edited = ("assignee",)


# Column → its form, and the field of the record of what was said that it changes.
_FORMS: dict[str, tuple[type[EditForm], str]] = {"due": (DueForm, "postponed_to"), "owner": (OwnerForm, "assignee_id")}


@blueprint.route(f"{PATH}/cells/<column>", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit_cell(enterprise_id: int, kind: str, period: str, column: str):
    """GET: the editor of one cell, with what the list holds now. POST: save it; the line, or the editor again."""
    row = obligation_lists.one(enterprise_id, kind, period, viewer())
    if row is None or column not in _FORMS:
        raise NotFound("这件事项")
    require(obligations.may_settle(viewer(), row, kind=kind, owner_id=row.owner_id), "办理这件事项")
    form = _FORMS[column][0]()
    [name] = form.edited
    if column == "owner":
        form.offer(name, columns.assignees_of(row))
    if request.method == "GET":
        said = outcome_of(enterprise_id, kind, period)
        form.fill({name: day_of(row.due_at) if column == "due" else row.owner_id}, said.version if said else 0)
        return _editor(form, row, column)
    if was_pressed_before(form):
        return _saved(row, "已经保存过，没有再写。", None)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not values and not form.has_errors:
            return _saved(row, "", None)
        if values.get(name, "") is None:
            say(form, name, "选一个日期。" if column == "due" else "选交办给哪位专员。")
        if not form.has_errors:
            written = attempt(form, _deed(row, name, values[name], form.seen_values([name])))
            if written is not None:
                verb = "改期到" if column == "due" else "交办给"
                what = words.OBLIGATION_KINDS.get(kind, kind)
                return _saved(row, f"{row.name[:20]} {what}已{verb} {_in_words(form, name, values[name])}", written)
    return _editor(form, row, column), 409 if form.conflict else 422


def _deed(row: Row, name: str, value: Any, seen: dict[str, Any]) -> Callable[[], Written]:
    deed: Any = obligations.postpone if name == "to" else obligations.assign
    return lambda: deed(row.enterprise_id, row.kind, row.period, to=value, seen=seen, act=new_act())


def _in_words(form: EditForm, name: str, value: Any) -> str:
    return words.day(value, today()) if name == "to" else form.said(name, value)


def _editor(form: EditForm, row: Row, column: str) -> str:
    conflicts = []
    if form.conflict:
        said = outcome_of(row.enterprise_id, row.kind, row.period)
        [name] = form.edited
        by = last_writers("obligation_outcome", said.id) if said else {}
        conflicts = form.clashes({name: by.get(_FORMS[column][1], "")})
    return render_template("obligations/_cell.html", form=form, row=row, column=column, conflicts=conflicts)


def _saved(row: Row, message: str, written: Written | None):
    """The line as it is now, in the columns of the list it stands in, and the toast with the way back."""
    asked: filters.Asked = listing.asked_by(Texts(parse_qsl(request.form.get("asked", ""))))
    person = viewer()
    fresh = obligation_lists.one(row.enterprise_id, row.kind, row.period, person) or row
    names = columns.names_for([fresh], person)
    [line] = columns.lines([fresh], asked.columns, names, person, now())
    page = render_template(
        "obligations/_saved.html",
        line=line,
        asked=asked,
        ticks=listing.may_act(),
        waits=fresh.state in WAITING,
        message=message,
        undo=written.change_set_id if written else None,
    )
    html, _, toast = page.partition("<!-- toast -->")
    return jsonify(row=html.strip(), toast=toast.strip())
