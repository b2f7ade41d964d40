"""The own notices: read, mark as read, all of them at once; opening one marks it."""

from flask import flash, redirect, render_template, request, url_for

from crm.actions.notices import mark_seen
from crm.domain import words
from crm.store import notices
from crm.store.comments import Notice
from crm.store.scope import visible_record
from crm.store.unit_of_work import unit_of_work
from crm.web.addresses import page_number
from crm.web.comments.thread import PLACES, place_of
from crm.web.doors import SIGNED_IN, Form, here_or, new_act, open_to, viewer
from crm.web.notices import blueprint

ICONS = {
    "mention": "message-2",
    "comment": "message-2",
    "request": "user-question",
    "handover": "user-share",
    "assigned": "user-share",
}


@blueprint.get("/notices")
@open_to(SIGNED_IN)
def index():
    person = viewer()
    unread = notices.count(person, unread=True)
    shown = request.args.get("show", "unread" if unread else "all")
    only = shown == "unread"
    number = page_number(request.args)
    total = unread if only else notices.count(person, unread=False)
    rows = notices.page(person, unread=only, number=number)
    first = (number - 1) * notices.PAGE + 1
    return render_template(
        "notices/index.html",
        rows=rows,
        only=only,
        unread=unread,
        total=total,
        number=number,
        pages=max(1, -(-total // notices.PAGE)),
        first=first if rows else 0,
        last=first + len(rows) - 1 if rows else 0,
        page_href=lambda n: url_for("notices.index", show=shown, page=n),
        icons=ICONS,
        form=Form(formdata=None),
        local=words.local,
    )


@blueprint.post("/notices/<int:notice_id>/open")
@open_to(SIGNED_IN)
def go(notice_id: int):
    """Mark a notice as read and go to what it tells of."""
    one = _own(notice_id)
    to = address_of(one)
    with unit_of_work():
        mark_seen([one.id], act=new_act())
    return redirect(to)


@blueprint.post("/notices/<int:notice_id>/seen")
@open_to(SIGNED_IN)
def seen(notice_id: int):
    one = _own(notice_id)
    with unit_of_work():
        mark_seen([one.id], act=new_act())
    return redirect(here_or("notices.index"))


@blueprint.post("/notices/seen")
@open_to(SIGNED_IN)
def all_seen():
    with unit_of_work():
        n = mark_seen(None, act=new_act())
    flash(f"{n} 条消息都标为已读。" if n else "没有未读消息。")
    return redirect(here_or("notices.index"))


def _own(notice_id: int) -> Notice:
    return visible_record(Notice, notice_id, viewer(), "这条消息")


def address_of(one: Notice) -> str:
    """Where the thing is that a notice tells of."""
    if one.comment_id is not None and one.noun in PLACES:
        return place_of(one.noun, one.record_id)
    if one.kind == "handover":
        return url_for("enterprises.index", manager="me")
    if one.kind == "assigned":
        return url_for("obligations.index", manager="me")
    if one.noun == "request":
        return url_for("requests.show", request_id=one.record_id)
    if one.enterprise_id is not None:
        return url_for("enterprises.show", enterprise_id=one.enterprise_id)
    return url_for("desk.show")
