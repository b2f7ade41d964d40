"""Rows pasted on the page of imports: they become a batch with a file of their own."""

from flask import redirect, request, url_for

from crm.sheets.pasting import as_file
from crm.sheets.refusals import SheetRefused
from crm.store import file_store
from crm.web.doors import open_to, today
from crm.web.imports import ROLES, blueprint
from crm.web.imports.batches import PasteForm, begin, index_page


@blueprint.post("/imports/paste")
@open_to(*ROLES)
def paste():
    form = PasteForm()
    content = b""
    try:
        content = as_file(request.form.get("text", ""))
    except SheetRefused as refusal:
        form.text.errors = [refusal.message]
    batch_id = begin(form, lambda: file_store.keep(content), f"粘贴的行 {today().isoformat()}.csv")
    if batch_id is None:
        return index_page(pasted=form), 422
    return redirect(url_for("imports.show", batch_id=batch_id))
