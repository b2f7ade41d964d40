"""A batch is taken back, after a preview of what that does."""

from flask import render_template, url_for

from crm.actions import import_undo, imports
from crm.domain.refusals import Refused
from crm.web.doors import Form, attempt, done, new_act, open_to, viewer, was_pressed_before
from crm.web.imports import ROLES, blueprint
from crm.web.imports import preview as shown
from crm.web.sign_in import proof

# How often it is made ready anew, while people go on saving.
_TRIES = 5


@blueprint.get("/imports/<int:batch_id>/undo")
@open_to(*ROLES)
def undo_preview(batch_id: int):
    return _undo_page(batch_id, Form(formdata=None))


def _undo_page(batch_id: int, form: Form):
    batch = imports.own_batch(batch_id, viewer())
    plan = import_undo.preview_undo(batch_id, viewer=viewer())
    return render_template(
        "imports/undo.html",
        batch=batch,
        form=form,
        restored=sum(len(fields) for fields in plan.restore.values()),
        withdrawn=len(plan.withdraw),
        withdrawn_words=shown.counted_by_noun(plan.withdraw),
        kept=import_undo.kept_words(plan.kept[:200]),
        kept_count=len(plan.kept),
        nothing=plan.nothing_to_do,
    )


@blueprint.post("/imports/<int:batch_id>/undo")
@open_to(*ROLES)
def undo(batch_id: int):
    batch = imports.own_batch(batch_id, viewer())
    if batch.user_id != viewer().user_id and not proof.is_proved():
        return proof.ask_again("撤销别人的导入")
    form = Form()
    for _ in range(_TRIES):
        act = new_act()
        try:
            ready = import_undo.prepare_undo(batch_id, act=act)
        except Refused:
            if not was_pressed_before(form):
                raise
            return done("已撤销导入。", url_for("imports.show", batch_id=batch_id))
        result = attempt(form, lambda ready=ready, act=act: import_undo.undo_import(batch_id, ready, act=act) or False)
        if result is None:
            return _undo_page(batch_id, form), 409
        if result:
            kept = f"，{len(result.kept)} 处后来的修改保留" if getattr(result, "kept", None) else ""
            written = getattr(result, "written", result)
            return done(f"已撤销导入{kept}。", url_for("imports.show", batch_id=batch_id), written)
    form.general_errors.append("库里一直有人在保存，没有撤销。过一会儿再试。")
    return _undo_page(batch_id, form), 409
