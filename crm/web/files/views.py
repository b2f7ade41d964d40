"""Stored files go out by their number, to whoever may see them, as downloads only; each is put on record."""

from flask import Blueprint, send_file

from crm.domain.refusals import NotFound
from crm.store import file_store
from crm.store.access_log import note_access
from crm.store.files import StoredFile
from crm.store.scope import visible_record
from crm.web.doors import SIGNED_IN, new_act, open_to, viewer

blueprint = Blueprint("files", __name__)


@blueprint.get("/files/<int:file_id>")
@open_to(SIGNED_IN)
def download(file_id: int):
    stored = visible_record(StoredFile, file_id, viewer(), "这份文件")
    try:
        path = file_store.bytes_of(stored)
    except file_store.FileLost:
        raise NotFound("这份文件的内容") from None
    media_type, name = stored.media_type, stored.name
    note_access(new_act(), "download", subject=name, filter={"file": file_id})
    # Never shown in the page: what strangers uploaded is a download whatever it says it is.
    return send_file(path, mimetype=media_type, as_attachment=True, download_name=name)
