"""Everything under /attachments: files on a record, each as a page, as a picture in a page, as a download."""

from collections.abc import Sequence
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    render_template,
    request,
    send_file,
    url_for,
)

from crm.actions import attachments
from crm.actions.rights import require
from crm.actions.uploads import Upload
from crm.domain import words
from crm.domain.media_types import ACCEPTED, LARGEST_MB, PDF, PREVIEWED
from crm.domain.refusals import NotFound
from crm.extensions import db
from crm.store import attachment_lists, file_store
from crm.store.access_log import note_access
from crm.store.attachments import Attachment
from crm.store.files import StoredFile
from crm.web.attachments.forms import AttachForm, AttachmentForm, ButtonForm
from crm.web.attachments.uploads import carried, received, tokens_of
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, own_path, pressed, viewer
from crm.web.editing import last_writers

blueprint = Blueprint("attachments", __name__)

# product.md, What always holds 9: a stored PDF may stand in a page of ours. A picture brings nothing along at all.
PDF_CSP = "frame-ancestors 'self'"
PICTURE_CSP = "default-src 'none'; sandbox"

# Where a record's own page is: (endpoint, argument). Others have none, and their files a page of their own.
PAGES = {
    "enterprise": ("enterprises.show", "enterprise_id"),
    "service_log": ("service_logs.show", "log_id"),
    "request": ("requests.show", "request_id"),
    "application": ("applications.show", "application_id"),
    "collection_enterprise": ("collections.sheet", "sheet_id"),
}


@blueprint.route("/attachments/on/<noun>/<int:record_id>", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def on_record(noun: str, record_id: int):
    """The files of one record, and the form that adds some: what every page links to, and what needs no script."""
    holder = attachments.holder_of(noun, record_id, viewer())
    form = AttachForm()
    form.back.data = own_path(request.values.get("back")) or ""
    if request.method == "GET":
        return _page(holder, form)
    require(holder.may_add, "在这里添加附件")
    taken: list[Upload] = []
    refused: list[str] = []
    written = None
    if form.validate_on_submit():
        taken, refused = received(request.files.getlist("files"))
        taken = [*carried(request.form.getlist("kept"), viewer().user_id), *taken]
        if refused and not taken:
            form.files.errors = refused
        else:
            written = attempt(form, lambda: _attach(holder, taken, form))
    if written is None:
        return _page(attachments.holder_of(noun, record_id, viewer()), form, taken), 422
    for sentence in refused:
        flash(sentence, "bad")
    to = form.back.data or _home(holder)
    return done(f"已添加 {len(taken)} 份附件。", to, written)


def _attach(holder: attachments.Holder, taken: list[Upload], form: AttachForm):
    values = {
        "dated_on": form.dated_on.value,
        "note": (form.note.data or "").strip() or None,
        "confidential": form.confidential.data or None,
    }
    return attachments.attach(holder.noun, holder.record_id, taken, values, act=new_act())


@blueprint.get("/attachments/<int:attachment_id>")
@open_to(SIGNED_IN)
def show(attachment_id: int):
    """One file: looked at where a browser can, with what is said of it."""
    row, holder = attachments.readable(attachment_id, viewer())
    return _show(row, holder)


@blueprint.get("/attachments/<int:attachment_id>/file")
@open_to(SIGNED_IN)
def download(attachment_id: int):
    row, _ = attachments.readable(attachment_id, viewer())
    stored = _stored(row)
    return _sent(row, stored, "download", as_attachment=True)


@blueprint.get("/attachments/<int:attachment_id>/inline")
@open_to(SIGNED_IN)
def inline(attachment_id: int):
    """The bytes for a page of ours to show: PDF and pictures, told by their bytes; nothing else is ever shown."""
    row, _ = attachments.readable(attachment_id, viewer())
    stored = _stored(row)
    if stored.media_type not in PREVIEWED:
        raise NotFound("这份附件的预览")
    answer = _sent(row, stored, "preview", as_attachment=False)
    answer.headers["Content-Security-Policy"] = PDF_CSP if stored.media_type == PDF else PICTURE_CSP
    return answer


@blueprint.route("/attachments/<int:attachment_id>/edit", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(attachment_id: int):
    row, holder = attachments.readable(attachment_id, viewer())
    require(holder.may_add, "改这份附件")
    form = AttachmentForm()
    form.back.data = own_path(request.values.get("back")) or ""
    if request.method == "GET":
        form.fill({code: getattr(row, code) for code in form.edited}, row.version)
        return _edit_page(row, form)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        seen = form.seen_values(values, {code: getattr(row, code) for code in form.edited})
        written = None
        if not form.has_errors:
            written = attempt(
                form,
                lambda: attachments.edit_attachment(
                    attachment_id, values, version=form.seen_version, seen=seen, act=new_act()
                ),
            )
        if written is not None:
            to = url_for("attachments.show", attachment_id=attachment_id, back=form.back.data or None)
            return done("已改附件说明。", to, written)
    row, _ = attachments.readable(attachment_id, viewer())
    return _edit_page(row, form), 409 if form.conflict else 422


@blueprint.post("/attachments/<int:attachment_id>/withdraw")
@open_to(SIGNED_IN)
def withdraw(attachment_id: int):
    row, holder = attachments.readable(attachment_id, viewer())
    require(holder.may_add, "撤下这份附件")
    title, to = row.title, own_path(request.form.get("back")) or _home(holder)
    return pressed(
        lambda: attachments.withdraw_attachment(attachment_id, act=new_act()),
        said=f"已撤下“{title}”。",
        to=to,
        stays=to,
        moved=f"“{title}”",
    )


def _stored(row: Attachment) -> StoredFile:
    stored = db.session.get(StoredFile, row.stored_file_id)
    if stored is None:
        raise NotFound("这份文件")
    return stored


def _sent(row: Attachment, stored: StoredFile, what: str, *, as_attachment: bool) -> Response:
    try:
        path = file_store.bytes_of(stored)
    except file_store.FileLost:
        raise NotFound("这份文件的内容") from None
    # Read before the access is put on record: the unit of work ends what was being read.
    media_type, name, about = stored.media_type, stored.name, {"attachment": row.id, "file": stored.id}
    note_access(new_act(), what, subject=name, filter=about)
    return make_response(send_file(path, mimetype=media_type, as_attachment=as_attachment, download_name=name))


def _home(holder: attachments.Holder) -> str:
    """The page of the record that files hang on, else the page of its files."""
    endpoint, argument = PAGES.get(holder.noun, ("", ""))
    if endpoint in current_app.view_functions:
        return url_for(endpoint, **{argument: holder.record_id})
    return url_for("attachments.on_record", noun=holder.noun, record_id=holder.record_id)


def _page(holder: attachments.Holder, form: AttachForm, taken: Sequence[Upload] = ()) -> str:
    return render_template(
        "attachments/on_record.html",
        holder=holder,
        form=form,
        hung=attachment_lists.on_records(holder.noun, [holder.record_id], viewer()).get(holder.record_id, []),
        what=words.word(holder.noun, "noun"),
        home=form.back.data or _home(holder),
        kept=tokens_of(taken, viewer().user_id),
        largest_mb=LARGEST_MB,
    )


def _show(row: Attachment, holder: attachments.Holder) -> str:
    found = attachment_lists.on_records(row.noun, [row.record_id], viewer()).get(row.record_id, [])
    return render_template(
        "attachments/show.html",
        one=next(one for one in found if one.id == row.id),
        kind=ACCEPTED.get(_stored(row).media_type, ("文件", ()))[0],
        is_pdf=_stored(row).media_type == PDF,
        holder=holder,
        what=words.word(row.noun, "noun"),
        home=own_path(request.args.get("back")) or _home(holder),
        button=ButtonForm(formdata=None),
    )


def _edit_page(row: Attachment, form: AttachmentForm) -> str:
    conflicts: list[dict[str, Any]] = form.clashes(last_writers("attachment", row.id)) if form.conflict else []
    back = url_for("attachments.show", attachment_id=row.id, back=form.back.data or None)
    return render_template("attachments/edit.html", row=row, form=form, conflicts=conflicts, back=back)
