"""What a person says to a preview: confirm it, decide its rows, answer its questions, ask for it again, give it up."""

from flask import flash, redirect, request, url_for
from sqlalchemy import select

from crm.actions import import_answers, import_placing, imports
from crm.extensions import db
from crm.store.imports import ImportRow
from crm.store.unit_of_work import unit_of_work
from crm.web.addresses import whole
from crm.web.doors import Form, attempt, new_act, open_to, viewer
from crm.web.imports import ROLES, blueprint
from crm.web.imports.show import ConfirmForm, batch_page


@blueprint.post("/imports/<int:batch_id>/confirm")
@open_to(*ROLES)
def confirm(batch_id: int):
    batch = imports.own_batch(batch_id, viewer())
    form = ConfirmForm()
    good = form.mode.data == "good"

    def deed() -> bool:
        imports.confirm(batch_id, good_rows_only=good, act=new_act())
        return True

    if attempt(form, deed) is None:
        return batch_page(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/decide")
@open_to(*ROLES)
def decide(batch_id: int):
    """The rows that ask: those chosen one by one on this page, or all of them one way."""
    batch = imports.own_batch(batch_id, viewer())
    form = Form()
    for_all = request.form.get("all")
    if for_all:
        asking = select(ImportRow.id).where(ImportRow.batch_id == batch_id, ImportRow.outcome == "conflict")
        said = dict.fromkeys(db.session.scalars(asking), for_all)
    else:
        chosen = ((key.removeprefix("row-"), value) for key, value in request.form.items() if key.startswith("row-"))
        said = {number: value for row_id, value in chosen if (number := whole(row_id)) is not None}
    if not form.validate() or attempt(form, lambda: import_answers.decide_rows(batch_id, said, act=new_act())) is None:
        return batch_page(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/place")
@open_to(*ROLES)
def place(batch_id: int):
    """Whom rows are about that nothing tells: those chosen one by one on this page, or all of one kind one way."""
    batch = imports.own_batch(batch_id, viewer())
    form = Form()
    for_all = request.form.get("all")

    def deed() -> int:
        if for_all:
            return import_placing.place_alike(batch_id, request.form.get("kind", ""), for_all, act=new_act())
        return import_placing.place_rows(batch_id, _placed(), act=new_act())

    if not form.validate() or attempt(form, deed) is None:
        return batch_page(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))


def _placed() -> dict[int, str]:
    """{row: what was chosen}, where a name or code typed beside the choice goes before it."""
    said: dict[int, str] = {}
    for prefix in ("place-", "other-"):
        for key, value in request.form.items():
            number = whole(key.removeprefix(prefix)) if key.startswith(prefix) else None
            if number is not None and (prefix == "place-" or value.strip()):
                said[number] = value
    return said


@blueprint.post("/imports/<int:batch_id>/answer")
@open_to(*ROLES)
def answer(batch_id: int):
    """What a sheet's missing column holds; the fields are numbered as the questions of the preview are."""
    batch = imports.own_batch(batch_id, viewer())
    form = Form()
    questions = (batch.summary or {}).get("questions") or []
    said = {(q["sheet"], q["noun"]): request.form.get(f"answer-{n}", "") for n, q in enumerate(questions)}
    if not form.validate() or attempt(form, lambda: import_answers.answer(batch_id, said, act=new_act())) is None:
        return batch_page(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/again")
@open_to(*ROLES)
def again(batch_id: int):
    imports.own_batch(batch_id, viewer())
    with unit_of_work():
        imports.ask_again(batch_id, act=new_act())
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/abandon")
@open_to(*ROLES)
def abandon(batch_id: int):
    imports.own_batch(batch_id, viewer())
    with unit_of_work():
        given_up = imports.abandon(batch_id, act=new_act())
    if not given_up:
        flash("已要求停止写入。停没停住，看这里的状态。")
        return redirect(url_for("imports.show", batch_id=batch_id))
    flash("已放弃，什么也没有写入。")
    return redirect(url_for("imports.index"))
