"""One submission: its lines and files as they went, and the city's answer, typed per firm or matched from a list."""

from typing import Any

from flask import render_template, request
from wtforms import FileField, HiddenField, StringField, TextAreaField

from crm.actions.submissions import (
    ENTERS,
    Stated,
    files_of,
    may_submit,
    named_lines,
    record_results,
    unrecorded_titles,
)
from crm.domain import submissions
from crm.domain.submissions import MOST_LINES, REMOVED, Matched, match_results, rows_of_text
from crm.domain.viewers import OFFICE
from crm.sheets.reading import read_sheets
from crm.sheets.refusals import SheetRefused
from crm.store import file_store
from crm.store.regions import Region
from crm.store.scope import visible_record
from crm.store.submissions import Submission, SubmissionApplication, lines_of
from crm.web.addresses import version_in
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer
from crm.web.inputs import DayField
from crm.web.reviews.listing import counties
from crm.web.submissions import ROLES, blueprint


class MatchForm(Form):
    text = TextAreaField("市里的名单")
    file = FileField("名单文件")
    usual = StringField("没写结果的按")


class ResultsForm(Form):
    result_on = DayField("结果日期")
    enters = StringField("通过的到哪一步")
    results = HiddenField()


@blueprint.get("/submissions/<int:submission_id>")
@open_to(*ROLES)
def show(submission_id: int):
    return _page(_own(submission_id))


@blueprint.post("/submissions/<int:submission_id>/match")
@open_to(*OFFICE)
def match(submission_id: int):
    """Read the city's list and propose its results on the page; nothing is written before they are saved."""
    row = _own(submission_id)
    form = MatchForm()
    if not form.validate_on_submit():
        return _page(row, match_form=form), 422
    usual = form.usual.data if form.usual.data in submissions.RESULTS else submissions.PASSED
    rows = rows_of_text(form.text.data or "")
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        try:
            kept = file_store.keep(upload.stream)
            sheets = read_sheets(file_store.path_of(kept.sha256), name=upload.filename)
        except SheetRefused as refusal:
            form.file.errors = [refusal.message]
            return _page(row, match_form=form), 422
        rows += [[str(cell) for cell in cells] for sheet in sheets for cells in sheet.rows if not sheet.hidden]
    if not rows:
        form.text.errors = ["没有内容。贴上市里的名单，一行一家；或选一份 .xlsx、.csv。"]
        return _page(row, match_form=form), 422
    found = match_results(rows[:MOST_LINES], named_lines(submission_id), usual=usual)
    return _page(row, match_form=form, matched=found)


@blueprint.post("/submissions/<int:submission_id>/results")
@open_to(*OFFICE)
def results(submission_id: int):
    row = _own(submission_id)
    form = ResultsForm()
    stated = _stated(lines_of(submission_id))
    if form.validate_on_submit():
        written = attempt(
            form,
            lambda: record_results(
                submission_id,
                [one for one, changed in stated if changed],
                result_on=form.result_on.value,
                enters=form.enters.data or "publicity",
                act=new_act(),
            ),
        )
        if written is not None:
            tally = _tally([one for one, changed in stated if changed])
            return done(f"已登记结果：{tally}", f"/submissions/{submission_id}", written)
    typed = {one.line_id: (one.result, one.reason) for one, _ in stated}
    return _page(row, results_form=form, typed=typed), 409 if form.conflict else 422


def _stated(lines: list[SubmissionApplication]) -> list[tuple[Stated, bool]]:
    """What the form says of each line that has a result in it, and whether that differs from what the page showed."""
    found = []
    for line in lines:
        result = request.form.get(f"result-{line.id}", "")
        if not result or line.change == REMOVED:
            continue
        reason = (request.form.get(f"reason-{line.id}") or "").strip() or None
        version = version_in(request.form.get(f"version-{line.id}"))
        shown = request.form.get(f"was-{line.id}", "")
        changed = result != shown or (reason or "") != (request.form.get(f"said-{line.id}") or "")
        found.append((Stated(line.id, result, reason, version), changed))
    return found


def _tally(stated: list[Stated]) -> str:
    counts = {name: sum(one.result == name for one in stated) for name in submissions.RESULTS}
    return "，".join(f"{submissions.RESULTS[name]} {n} 家" for name, n in counts.items() if n)


def _own(submission_id: int) -> Submission:
    row: Submission = visible_record(Submission, submission_id, viewer(), "这次报送")
    return row


def _page(row: Submission, **more: Any) -> str:
    matched: Matched | None = more.get("matched")
    typed: dict[int, tuple[str, str | None]] = more.get("typed") or {}
    if matched is not None:
        typed = {line_id: (one.result, one.reason) for line_id, one in matched.answers.items()}
    results_form = more.get("results_form") or ResultsForm(formdata=None)
    if not results_form.result_on.data:
        results_form.result_on.data = today().isoformat()
    lines = lines_of(row.id)
    may = may_submit(viewer(), row.region_id)
    reads_files = viewer().has_in(row.region_id, "bureau", "leader", "admin")
    return render_template(
        "submissions/show.html",
        row=row,
        lines=lines,
        counted=[line for line in lines if line.change != REMOVED],
        files=files_of(row.id) if reads_files else [],
        may=may,
        RESULTS=submissions.RESULTS,
        CHANGES=submissions.CHANGES,
        ENTERS=ENTERS,
        typed=typed,
        matched=matched,
        match_form=more.get("match_form") or MatchForm(formdata=None),
        results_form=results_form,
        to_record=unrecorded_titles(row.id) if may else [],
        county=next((p.name for p in counties() if p.id == row.region_id), "") or _region_name(row),
    )


def _region_name(row: Submission) -> str:
    region: Region = visible_record(Region, row.region_id, viewer(), "这个区划")
    return region.name
