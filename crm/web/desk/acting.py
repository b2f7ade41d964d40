"""What a line of the desk says after one of its verbs was pressed, in place of the line."""

from typing import Any

from flask import render_template, request

from crm.actions.service_logs import log_service
from crm.domain.fields import CHOICES, field_of
from crm.store.scope import visible_enterprise
from crm.web.desk import blueprint
from crm.web.doors import Form, attempt, new_act, open_to, today, viewer
from crm.web.service_logs import WRITERS

# What is logged from a line is a call or a visit; anything else has the whole form.
QUICK_KINDS = ("phone", "visit")
LONGEST_TEXT = field_of("service_log", "text").length or 0


def asked_in_place() -> bool:
    """Whether a form was sent from a line of the desk, to be answered there; without scripts it is a page as usual."""
    return bool(request.form.get("line")) and bool(request.headers.get("HX-Request"))


def in_place(form: Form, written: Any, **said: Any):
    """The line after the deed, with its toast; refused: the sentences, and the form again with what was typed.

    ``said``: ``enterprise_id`` and ``name``, ``word`` of the pill, ``text``, ``message`` of the toast, ``href`` of the
    record, ``retry`` (the template of the form) with what that needs.
    """
    errors = [*form.general_errors, *(e for sentences in form.errors.values() for e in sentences)]
    fragment = render_template("desk/_acted.html", written=written, errors=errors if written is None else [], **said)
    # The numbers under the lines fetch themselves anew when they hear of it.
    return (fragment, 200, {"HX-Trigger": "settled"}) if written is not None else (fragment, 422)


@blueprint.post("/desk/firms/<int:enterprise_id>/log")
@open_to(*WRITERS)
def log(enterprise_id: int):
    """One sentence about a call or a visit of today, from the line of an enterprise not heard of for long."""
    row, _ = visible_enterprise(enterprise_id, viewer())
    form = Form()
    kind = request.form.get("kind", "")
    kind = kind if kind in QUICK_KINDS else QUICK_KINDS[0]
    text = request.form.get("text", "").replace("\r\n", "\n").strip()
    values = {"happened_on": today(), "kind": kind, "text": text}
    written = None
    if len(text) > LONGEST_TEXT:
        form.general_errors.append(f"内容最多 {LONGEST_TEXT:,} 字，现在 {len(text):,} 字。分成两条记。")
    else:
        written = attempt(form, lambda: log_service([enterprise_id], values, act=new_act()))
    what = CHOICES["service_kind"][kind]
    return in_place(
        form,
        written,
        enterprise_id=row.id,
        name=row.name,
        word="已记",
        text=f"{what}：{text}",
        message=f"已记{what}，{row.name}。",
        href=f"/enterprises/{row.id}?tab=logs",
        retry="log",
        kind=kind,
        typed=text,
        today=today(),
    )
