"""The steps of a request: each a form of its own, in which two browsers merge or choose."""

from typing import Any

from flask import render_template, request, url_for

from crm.actions import requests as deeds
from crm.actions.rights import require
from crm.domain.requests import RATINGS, may_close, may_rate
from crm.store.requests import Request
from crm.store.standings import Standing
from crm.web.desk.acting import asked_in_place, in_place
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, own_path, today, viewer
from crm.web.editing import last_writers
from crm.web.requests import blueprint
from crm.web.requests.forms import STEPS, StepForm, drawn, stored, units_to_choose
from crm.web.requests.one import found


@blueprint.route("/requests/<int:request_id>/edit", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(request_id: int):
    return _step("edit", request_id)


@blueprint.route("/requests/<int:request_id>/dispatch", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def dispatch(request_id: int):
    return _step("dispatch", request_id)


@blueprint.route("/requests/<int:request_id>/transfer", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def transfer(request_id: int):
    return _step("transfer", request_id)


@blueprint.route("/requests/<int:request_id>/reply", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def reply(request_id: int):
    return _step("reply", request_id)


@blueprint.route("/requests/<int:request_id>/rate", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def rate(request_id: int):
    return _step("rate", request_id)


@blueprint.route("/requests/<int:request_id>/close", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def close(request_id: int):
    return _step("close", request_id)


def _step(code: str, request_id: int):
    one, row, standing = found(request_id)
    require(_may(code, one, standing), f"{STEPS[code].heading}")
    step = STEPS[code]
    form = step.form()
    if "unit_id" in form.edited:
        form.offer("unit_id", units_to_choose(one.region_id, today(), one.unit_id))
    if request.method == "GET":
        form.fill(stored(form, one), one.version, proposed=_proposed(code, one))
        form.back.data = own_path(request.args.get("back")) or ""
        return _page(code, form, one, row)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            seen = form.seen_values(form.edited, stored(form, one))
            written = attempt(
                form,
                lambda: step.deed(request_id, values, version=form.seen_version, seen=seen, act=new_act()),
            )
            if written is not None and asked_in_place():
                return _in_place(code, form, found(request_id)[0], row, written)
            if written is not None:
                to = own_path(form.back.data) or url_for("requests.show", request_id=request_id)
                return done(f"{row.name} 的诉求{step.said}。", to, written)
    one, row, _ = found(request_id)
    if asked_in_place():
        return _in_place(code, form, one, row, None)
    return _page(code, form, one, row), 409 if form.conflict else 422


def _in_place(code: str, form: StepForm, one: Request, row: Any, written: Any):
    """The answer in place of the line of the desk that the step was taken on."""
    step = STEPS[code]
    return in_place(
        form,
        written,
        enterprise_id=row.id,
        name=row.name,
        word=step.said.removesuffix("诉求"),
        text=one.reply or one.text,
        message=f"{row.name} 的诉求{step.said}。",
        href=url_for("requests.show", request_id=one.id),
        retry=code,
        asked=one,
        # What was seen goes along: sent again as a page, the form shows what somebody else wrote and lets one choose.
        version=form.seen_version,
        seen=form.seen.data,
        typed=form["reply"].data if code == "reply" else {name: form[name].data for name in form.edited},
        units=form.known.get("unit_id", {}),
        today=today(),
        RATINGS=RATINGS,
    )


def _may(code: str, one: Request, standing: Standing) -> bool:
    person = viewer()
    if code == "edit":
        return deeds.may_change(person, standing, one)
    if code == "reply":
        return deeds.may_reply(person, standing, one)
    if code == "rate":
        return deeds.may_raise(person, standing)
    return deeds.may_handle(person, standing)


def _proposed(code: str, one: Request) -> dict[str, Any]:
    """What stands in a form that is opened for the first time; it counts as typed."""
    proposed: dict[str, Any] = {}
    if code == "dispatch":
        proposed = {"dispatched_on": today(), "due_on": deeds.usual_due_on(one.region_id, today())}
        if one.due_on is not None and one.due_on >= today() and one.replied_on is None:
            proposed.pop("due_on")
    elif code == "transfer" and one.transferred_on is None:
        proposed = {"transferred_on": today()}
    elif code == "reply" and one.replied_on is None:
        proposed = {"replied_on": today(), "replied_by": viewer().name}
    elif code == "close":
        proposed = {"closed_on": today()}
    return proposed


def _page(code: str, form: StepForm, one: Request, row: Any) -> str:
    step = STEPS[code]
    return render_template(
        "requests/step.html",
        form=form,
        step=step,
        code=code,
        one=one,
        row=row,
        inputs=drawn(form),
        conflicts=form.clashes(last_writers("request", one.id)) if form.conflict else [],
        blocked=_blocked(code, one),
        back=own_path(form.back.data) or url_for("requests.show", request_id=one.id),
    )


def _blocked(code: str, one: Request) -> str:
    """Why a step cannot be taken now, said before anything is typed."""
    if one.closed_on is not None and code != "edit":
        return f"{one.closed_on} 已办结。要再办，先重新打开。"
    if code == "reply" and one.dispatched_on is None and one.transferred_on is None:
        return "还没有交办或转平台。先交办，再登记回复。"
    if code == "rate" and not may_rate(one):
        return "还没有回复，企业无从评价。"
    if code == "close" and not may_close(one):
        return "既没有回复，也没有转平台，不能办结。"
    return ""
