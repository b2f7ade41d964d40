"""What the meeting decided of a 拟入库名单, firm by firm."""

from typing import Any

from flask import render_template, request, url_for
from wtforms import StringField

from crm.actions.pool_selections import (
    decide_selection,
    own_selection,
)
from crm.domain.refusals import Refused
from crm.store import pool_selections as lists
from crm.store.pool import PoolSelection
from crm.web import reference
from crm.web.addresses import whole
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer
from crm.web.inputs import DayField
from crm.web.pool import DECIDERS, blueprint
from crm.web.pool.selections import CLASSES


class DecisionForm(Form):
    decided_on = DayField("决定日期")
    meeting = StringField("会议")
    document = StringField("文号")
    version = StringField()


@blueprint.route("/pool/selections/<int:selection_id>/decide", methods=["GET", "POST"])
@open_to(*DECIDERS)
def decide_list(selection_id: int):
    row = own_selection(selection_id, viewer())
    if request.method == "GET":
        if row.decided_on is not None:
            raise Refused(f"这份名单 {row.decided_on} 已决定。要重来，撤销那次决定。")
        form = DecisionForm(formdata=None)
        form.decided_on.data, form.version.data = today().isoformat(), str(row.version)
        return _decide_page(form, row, {})
    form = DecisionForm()
    verdicts: dict[int, str | None] = {}
    for line in lists.lines(row.id, viewer(), "open"):
        said = request.form.get(f"verdict-{line.membership.id}")
        if said == "yes":
            verdicts[line.membership.id] = None
        elif said == "no":
            verdicts[line.membership.id] = request.form.get(f"why-{line.membership.id}", "").strip()
    wrong: dict[str, str] = {}
    if form.validate_on_submit():
        values = {
            "decided_on": form.decided_on.value,
            "meeting": (form.meeting.data or "").strip() or None,
            "document": (form.document.data or "").strip() or None,
        }
        version = whole(form.version.data) or 0
        catcher = _Rows(form, wrong)
        written = attempt(
            catcher, lambda: decide_selection(selection_id, values, verdicts, version=version, act=new_act())
        )
        if written is not None:
            entered = sum(1 for reason in verdicts.values() if reason is None)
            said = f"已登记决定：入库 {entered} 家，不入库 {len(verdicts) - entered} 家"
            return done(said, url_for("pool.show_selection", selection_id=selection_id), written)
    return _decide_page(form, own_selection(selection_id, viewer()), wrong), 409 if form.conflict else 422


class _Rows:
    """A form whose refusals may name a row of a table: those are kept beside it, the others go to the form."""

    def __init__(self, form: Form, wrong: dict[str, str]) -> None:
        self._form, self._wrong = form, wrong
        self.request_key, self.general_errors = form.request_key, form.general_errors

    def __contains__(self, name: str) -> bool:
        return name in self._form or name.startswith("verdict-")

    def __getitem__(self, name: str) -> Any:
        return _Row(self._wrong, name) if name.startswith("verdict-") else self._form[name]

    @property
    def conflict(self) -> dict[str, Any]:
        return self._form.conflict

    @conflict.setter
    def conflict(self, clashes: dict[str, Any]) -> None:
        self._form.conflict = clashes


class _Row:
    def __init__(self, wrong: dict[str, str], name: str) -> None:
        self._wrong, self._name = wrong, name

    @property
    def errors(self) -> list[str]:
        return [self._wrong[self._name]] if self._name in self._wrong else []

    @errors.setter
    def errors(self, sentences: list[str]) -> None:
        self._wrong[self._name] = " ".join(sentences)


def _decide_page(form: DecisionForm, row: PoolSelection, wrong: dict[str, str]) -> str:
    found = lists.lines(row.id, viewer(), "open")
    given = request.form if request.method == "POST" else {}
    if form.conflict:
        # Somebody changed the list while the meeting was being entered: the next press decides on what stands now.
        form.version.data = str(row.version)
    return render_template(
        "pool/decide_selection.html",
        form=form,
        row=row,
        lines=[
            (
                line,
                given.get(f"verdict-{line.membership.id}", "yes" if request.method == "GET" else ""),
                given.get(f"why-{line.membership.id}", ""),
                wrong.get(f"verdict-{line.membership.id}"),
            )
            for line in found
        ],
        wrong=wrong,
        classes=CLASSES,
        townships={place.id: place.name for place in reference.townships(viewer())},
    )
