"""The file of a batch goes back to whoever sent it, with its problems written where they are."""

from crm.actions import import_returned
from crm.web.doors import new_act, open_to
from crm.web.downloads import as_download
from crm.web.imports import ROLES, blueprint


@blueprint.get("/imports/<int:batch_id>/marked.xlsx")
@open_to(*ROLES)
def marked(batch_id: int):
    return as_download(*import_returned.marked_file(batch_id, act=new_act()))


@blueprint.get("/imports/<int:batch_id>/failed.xlsx")
@open_to(*ROLES)
def failed(batch_id: int):
    return as_download(*import_returned.failed_file(batch_id, act=new_act()))
