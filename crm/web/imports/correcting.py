"""Cells corrected beside their errors: many at once, then the file is judged anew."""

from flask import redirect, request, url_for

from crm.actions import import_corrections, imports
from crm.actions.import_corrections import Typed
from crm.web.addresses import whole
from crm.web.doors import Form, attempt, new_act, open_to, viewer
from crm.web.imports import ROLES, blueprint
from crm.web.imports.show import batch_page


@blueprint.post("/imports/<int:batch_id>/correct")
@open_to(*ROLES)
def correct(batch_id: int):
    """The fields are called after row and column: cell-<row of the preview>-<letter>."""
    batch = imports.own_batch(batch_id, viewer())
    form = Form()
    typed = {}
    for name, text in request.form.items():
        parts = name.split("-")
        if len(parts) == 3 and parts[0] == "cell" and (row_id := whole(parts[1])) is not None:
            typed[Typed(row_id, parts[2])] = text
    if not form.validate() or (
        attempt(form, lambda: import_corrections.correct_cells(batch_id, typed, act=new_act())) is None
    ):
        return batch_page(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/correct/back")
@open_to(*ROLES)
def take_back(batch_id: int):
    """One corrected cell says again what the file says."""
    batch = imports.own_batch(batch_id, viewer())
    form = Form()
    place = (request.form.get("sheet", ""), whole(request.form.get("row", "")) or 0, request.form.get("letter", ""))
    if not form.validate() or (
        attempt(form, lambda: import_corrections.take_back(batch_id, place, act=new_act())) is None
    ):
        return batch_page(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))
