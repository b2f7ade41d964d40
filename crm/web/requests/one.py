"""One request: what it says, how far it is, what may be done to it next."""

from typing import Any

from flask import render_template, request, url_for

from crm.actions import requests as deeds
from crm.domain.requests import RATINGS, STATE_CLASSES, STATES, may_close, may_rate, state_of
from crm.domain.viewers import INTERNAL
from crm.store.requests import Request
from crm.store.scope import visible_enterprise, visible_record
from crm.store.standings import Standing
from crm.web import reference
from crm.web.comments.thread import thread_of
from crm.web.doors import SIGNED_IN, Form, new_act, open_to, own_path, pressed, today, viewer
from crm.web.requests import blueprint
from crm.web.requests.forms import unit_names


@blueprint.get("/requests/<int:request_id>")
@open_to(SIGNED_IN)
def show(request_id: int):
    one, row, standing = found(request_id)
    person = viewer()
    state = state_of(one, today())
    inside = INTERNAL in person.classes_over(standing)
    return render_template(
        "requests/show.html",
        one=one,
        row=row,
        state=state,
        STATES=STATES,
        STATE_CLASSES=STATE_CLASSES,
        RATINGS=RATINGS,
        unit=unit_names([one.unit_id]).get(one.unit_id or 0, ""),
        category=reference.words_of("request_category", person).get(one.category, one.category),
        manager=reference.people([standing.manager_id]).get(standing.manager_id or 0, ""),
        may=_may(one, standing, state),
        inside=inside,
        thread=thread_of("request", one.id) if inside else None,
        form=Form(formdata=None),
        back=own_path(request.args.get("back")) or url_for("requests.index"),
    )


def _may(one: Request, standing: Standing, state: str) -> dict[str, bool]:
    """Which verbs stand on the page, the next one first."""
    person = viewer()
    handles, is_open = deeds.may_handle(person, standing), one.closed_on is None
    sent = one.dispatched_on is not None or one.transferred_on is not None
    return {
        "dispatch": handles and is_open,
        "transfer": handles and is_open,
        "reply": is_open and sent and deeds.may_reply(person, standing, one),
        "rate": deeds.may_raise(person, standing) and may_rate(one),
        "close": handles and may_close(one),
        "reopen": handles and not is_open,
        "edit": deeds.may_change(person, standing, one),
    }


def found(request_id: int) -> tuple[Request, Any, Standing]:
    """The request with its enterprise. Raises NotFound."""
    one = visible_record(Request, request_id, viewer(), "这件诉求")
    row, standing = visible_enterprise(one.enterprise_id, viewer())
    return one, row, standing


@blueprint.post("/requests/<int:request_id>/reopen")
@open_to(SIGNED_IN)
def reopen(request_id: int):
    found(request_id)
    here = url_for("requests.show", request_id=request_id)
    return pressed(lambda: deeds.reopen_request(request_id, act=new_act()), said="已重新打开", to=here, stays=here)


@blueprint.post("/requests/<int:request_id>/withdraw")
@open_to(SIGNED_IN)
def withdraw(request_id: int):
    found(request_id)
    return pressed(
        lambda: deeds.withdraw_request(request_id, act=new_act()),
        said="已撤下诉求",
        to=url_for("requests.index"),
        stays=url_for("requests.show", request_id=request_id),
        moved="这件诉求",
    )
