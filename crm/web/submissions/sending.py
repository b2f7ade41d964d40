"""Recording what went up: the lines that would go now, the files as they are, who signed; and the list of all."""

from dataclasses import replace

from flask import redirect, render_template, request, send_file, url_for
from wtforms import BooleanField, HiddenField, StringField, TextAreaField

from crm.actions import review_documents as documents
from crm.actions.submissions import KeptFile, last_sent, lines_to_send, may_submit, record_submission
from crm.domain import submissions
from crm.domain.refusals import NotFound
from crm.domain.submissions import Line
from crm.domain.viewers import OFFICE
from crm.extensions import db
from crm.store import file_store, review_lists
from crm.store.access_log import note_access
from crm.store.files import StoredFile
from crm.store.review_lists import PAGE, QueueRow, QueueWindow
from crm.store.scope import visible_record
from crm.store.submissions import Submission, SubmissionFile
from crm.web import reference
from crm.web.addresses import page_number
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer
from crm.web.inputs import DayField
from crm.web.reviews import asked
from crm.web.reviews.listing import chosen, window_words
from crm.web.submissions import ROLES, blueprint


class SubmissionForm(Form):
    submitted_on = DayField("报送日期")
    signed_by = StringField("签发人")
    receipt = StringField("回执或文号")
    note = TextAreaField("说明")
    changes_only = BooleanField("仅报变化")
    window = HiddenField()
    region = HiddenField()


@blueprint.get("/submissions")
@open_to(*ROLES)
def index():
    number = page_number(request.args)
    person = viewer()
    total = review_lists.submission_count(person)
    rows = review_lists.submissions(person, number=number)
    return render_template(
        "submissions/index.html",
        rows=rows,
        total=total,
        number=number,
        pages=max(1, -(-total // PAGE)),
        first=(number - 1) * PAGE + 1 if rows else 0,
        counties={place.id: place.name for place in reference.counties(person)},
        page_href=lambda n: url_for("submissions.index", page=n),
    )


@blueprint.route("/submissions/new", methods=["GET", "POST"])
@open_to(*OFFICE)
def new():
    form = SubmissionForm()
    wanted = asked.read(request.form if request.method == "POST" else request.args)
    place, _, window = chosen(wanted)
    if place is None or window is None or not may_submit(viewer(), place.id):
        return redirect(url_for("reviews.index"))
    before = last_sent(window, place.id)
    if request.method == "GET":
        form.submitted_on.data = today().isoformat()
        form.changes_only.data = bool(before) and request.args.get("all") is None
        return _page(form, place, window)
    if form.validate_on_submit():
        changes_only = bool(form.changes_only.data)
        lines = lines_to_send(window, place.id, viewer(), changes_only=changes_only)
        files = _files(lines, window, place.id, changes_only) if lines else []
        written = attempt(
            form,
            lambda: record_submission(
                window,
                place.id,
                lines=lines,
                files=files,
                changes_only=changes_only,
                submitted_on=form.submitted_on.value,
                signed_by=(form.signed_by.data or "").strip() or None,
                receipt=(form.receipt.data or "").strip() or None,
                note=(form.note.data or "").strip() or None,
                act=new_act(),
            ),
        )
        if written is not None:
            submission_id = written.ids.get("submission")
            to = url_for("submissions.show", submission_id=submission_id) if submission_id else None
            return done(f"已登记报送 {len(lines)} 家", to or url_for("submissions.index"), written)
    return _page(form, place, window), 422


def _page(form: SubmissionForm, place: reference.Place, window: QueueWindow) -> str:
    changes_only = bool(form.changes_only.data)
    lines = lines_to_send(window, place.id, viewer(), changes_only=changes_only)
    return render_template(
        "submissions/new.html",
        form=form,
        place=place,
        window=window,
        window_words=window_words(window),
        lines=lines,
        CHANGES=submissions.CHANGES,
        sent=bool(last_sent(window, place.id)),
    )


def _files(lines: list[Line], window: QueueWindow, region_id: int, changes_only: bool) -> list[KeptFile]:
    """推荐名单 and 汇总表 as Word and Excel, exactly of these lines, their bytes put into the store."""
    act = new_act()
    rows = _rows(lines)
    changes = {line.application_id: line.change for line in lines if line.change}
    firms = documents.firms_of(rows, year=window.year, changes=changes, act=act)
    counts = review_lists.counts(window, region_id, viewer())
    kept = []
    for code in documents.DOCUMENTS:
        for fmt in documents.FORMATS:
            made = documents.render(
                documents.layout_of(code, window.kind),
                fmt,
                firms,
                window,
                region_id,
                counts=counts,
                changes=changes_only,
                act=act,
            )
            title = f"{made.title}（{documents.FORMATS[fmt]}）"
            kept.append(KeptFile(title, made.name, file_store.keep(made.content)))
    return kept


def _rows(lines: list[Line]) -> list[QueueRow]:
    """The rows behind the lines, in their order, called as the lines call them."""
    found = review_lists.some([line.application_id for line in lines], viewer())
    return [
        replace(found[line.application_id], name=line.name, credit_code=line.credit_code)
        for line in lines
        if line.application_id in found
    ]


@blueprint.get("/submissions/<int:submission_id>/files/<int:submission_file_id>")
@open_to("bureau", "leader", "admin")
def download(submission_id: int, submission_file_id: int):
    """A file as it went, byte for byte; put on record."""
    row: Submission = visible_record(Submission, submission_id, viewer(), "这次报送")
    file: SubmissionFile = visible_record(SubmissionFile, submission_file_id, viewer(), "这份文件")
    if file.submission_id != row.id:
        raise NotFound("这份文件")
    stored = _stored(file)
    try:
        path = file_store.bytes_of(stored)
    except file_store.FileLost:
        raise NotFound("这份文件的内容") from None
    media_type, name = stored.media_type, stored.name
    note_access(new_act(), "download", subject=name, filter={"submission": submission_id, "file": stored.id})
    return send_file(path, mimetype=media_type, as_attachment=True, download_name=name)


def _stored(file: SubmissionFile) -> StoredFile:
    stored = db.session.get(StoredFile, file.stored_file_id)
    if stored is None:
        raise NotFound("这份文件")
    return stored
