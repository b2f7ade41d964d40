"""What is done in the queue: receive, keep what was answered, decide. Each goes back to the list it came from."""

from typing import Any

from flask import request, url_for

from crm.actions.reviews import check, decide, points_of, receive
from crm.domain import reviews
from crm.domain.refusals import NotFound
from crm.store import review_lists
from crm.store.review_lists import QueueRow
from crm.web.desk.acting import asked_in_place
from crm.web.doors import attempt, done, new_act, open_to, today, viewer
from crm.web.reviews import asked, blueprint, on_desk
from crm.web.reviews.forms import CHECK, ReceiveForm, ReviewForm, review_form
from crm.web.reviews.listing import chosen, page

# Who may receive: the bureau, and the case manager of the enterprise; the action asks whose it is.
RECEIVERS = ("case_manager", "bureau", "admin")
_SAID = {
    reviews.RECOMMENDED: "已推荐上报",
    reviews.RETURNED: "已退回补正，一次性告知已生成",
    reviews.NOT_RECOMMENDED: "已定为不予推荐",
}


@blueprint.post("/reviews/<int:application_id>/receive")
@open_to(*RECEIVERS)
def receive_one(application_id: int):
    row = _row(application_id)
    form = ReceiveForm()
    if form.validate_on_submit():
        written = attempt(
            form,
            lambda: receive(
                application_id,
                received_at=form.received_at.value,
                late_reason=form.late_reason.data,
                act=new_act(),
            ),
        )
        if written is not None and asked_in_place():
            return on_desk.acted(row, form, "已收件", "已收件，可以初审", written)
        if written is not None:
            here = _view(form.back.data, row)
            return done(f"{row.name} 已收件", _address(here.same(open=here.open)), written)
    if asked_in_place():
        return on_desk.opened(_row(application_id), receive_form=form), 422
    return page(_view(form.back.data, row, opened=True), receive_form=form), 409 if form.conflict else 422


@blueprint.post("/reviews/<int:application_id>")
@open_to("bureau", "admin")
def look(application_id: int):
    """Keep the answers, or decide with them: the pressed button says which."""
    row = _row(application_id)
    points = points_of(row.application.kind, row.review, today())
    form = review_form(points.points)()
    wanted = form.result.data or CHECK
    if form.validate_on_submit():
        form.settle(request.form)
        fields = form.read()
        if not form.has_errors:
            written = attempt(form, lambda: _deed(application_id, wanted, form, fields))
            if written is not None and asked_in_place():
                return _on_line(row, form, wanted, written)
            if written is not None:
                return _on(row, form, wanted, written)
    if asked_in_place():
        return on_desk.opened(_row(application_id), review_form=form), 422
    return page(_view(form.back.data, row, opened=True), review_form=form), 409 if form.conflict else 422


def _deed(application_id: int, wanted: str, form: ReviewForm, fields: dict[str, Any]) -> Any:
    shown = {"version": form.seen_version, "seen": form.seen_values(form.edited), "act": new_act()}
    if wanted == CHECK:
        return check(application_id, fields, **shown)
    return decide(
        application_id,
        wanted,
        fields,
        reason=form.reason.data,
        more=form.more.data,
        mend_by=form.mend_by.value,
        **shown,
    )


def _on_line(row: QueueRow, form: ReviewForm, wanted: str, written: Any):
    """After a decision on a line of the desk: what became of it stands there."""
    if wanted == CHECK:
        return on_desk.acted(row, form, "已存", "核对已保存，还没有定结论", written)
    return on_desk.acted(row, form, reviews.RESULTS[wanted], _SAID[wanted], written)


def _on(row: QueueRow, form: ReviewForm, wanted: str, written: Any):
    """After a decision the next one that waits is opened; what was returned stays open, its letter is to be sent."""
    here = _view(form.back.data, row)
    if wanted == CHECK:
        said = "已保存核对" if written.change_set_id else "没有改动，没有写入。"
        return done(said, _address(here.same(open=row.id)), written)
    following = row.id if wanted == reviews.RETURNED else _next_waiting(here, row)
    if wanted == reviews.RETURNED:
        here = _view(here.query(shown=reviews.RETURNED), row)
    return done(f"{row.name} {_SAID[wanted]}", _address(here.same(open=following)), written)


def _next_waiting(here: asked.Asked, row: QueueRow) -> int | None:
    """The application that has waited longest now; None when nothing waits any more."""
    place, _, window = chosen(here)
    if place is None or window is None or here.shown != reviews.WAITING:
        return None
    found = review_lists.page(reviews.WAITING, window, place.id, viewer(), size=2)
    return next((one.id for one in found if one.id != row.id), None)


def _row(application_id: int) -> QueueRow:
    row = review_lists.one(application_id, viewer())
    if row is None:
        raise NotFound("这件申报")
    return row


def _view(back: str | None, row: QueueRow, *, opened: bool = False) -> asked.Asked:
    """The view the form was sent from; a made-up one gives way to the window of the application."""
    wanted = asked.read_path(back or "")
    window = wanted.window if wanted.window is not None else row.application.window_id
    return asked.Asked(wanted.region, window, wanted.shown, wanted.number, row.id if opened else wanted.open)


def _address(query: str) -> str:
    return f"{url_for('reviews.index')}{query}"
