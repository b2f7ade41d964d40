"""The file of a batch goes back with its problems in it: the whole of it, or the rows that were not written."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from crm.actions.exports import file_name, watermark
from crm.actions.import_rows import BLOCKING, NOT_OURS, OUTCOMES
from crm.actions.import_said import Said
from crm.actions.imports import own_batch
from crm.domain.acts import Act
from crm.domain.refusals import NotFound, Refused
from crm.domain.words import IMPORT_OUTCOMES
from crm.extensions import db
from crm.sheets import annotating
from crm.sheets.annotating import CellMark, Marks
from crm.sheets.refusals import SheetRefused
from crm.store import file_store
from crm.store.access_log import note_access
from crm.store.files import StoredFile
from crm.store.imports import ImportBatch, ImportRow

_LEGEND = (
    "红格是错误，这一行不写入；黄格是提醒，照常写入；绿格在预览里改过。"
    "在原处改好，把这份文件原样传回；标注不用删，读的时候跳过。"
)
_FAILED = "这里只有没有写入的行，其余的行和表没有带出来。"
_NOT_OURS = "写的是别的区县，不查也不写。"
_NO_REASON = "没有写入。"

Told = tuple[str, int, str, list[dict[str, Any]]]


def marked_file(batch_id: int, *, act: Act) -> tuple[bytes, str]:
    """The file of a batch with bad cells tinted and commented, a reason beside each row and a summary sheet.

    Answers its bytes (.xlsx) and the name it is to have. Takes as long as reading the file does: call it outside a
    unit of work. Raises NotFound, and Refused when the batch has no rows or the file cannot be marked.
    """
    batch, path = _file_of(batch_id, act)
    rows = _rows_of(batch_id)
    marks = marks_of(batch, rows, act=act)
    try:
        made = annotating.marked(path, name=batch.file_name, marks=marks)
    except SheetRefused as refusal:
        raise Refused(refusal.message) from None
    return made.content, _handed_out(batch, "已标注", len(rows), act)


def failed_file(batch_id: int, *, act: Act) -> tuple[bytes, str]:
    """The rows of a batch that are not written, with their titles, headings and reasons; else like ``marked_file``.

    Raises Refused when every row is written.
    """
    batch, path = _file_of(batch_id, act)
    rows = _rows_of(batch_id)
    failed = {(sheet, row) for sheet, row, outcome, _ in rows if outcome in BLOCKING}
    if not failed:
        raise Refused("每一行都能写入，没有要改的。")
    good: dict[str, set[int]] = {sheet: set() for sheet, _ in failed}
    for sheet, row, _outcome, _problems in rows:
        if sheet in good and (sheet, row) not in failed:
            good[sheet].add(row)
    rows = [told for told in rows if told[:2] in failed]
    marks = marks_of(batch, rows, act=act, more=(_FAILED,))
    try:
        made = annotating.failed_only(path, name=batch.file_name, marks=marks, good=good)
    except SheetRefused as refusal:
        raise Refused(refusal.message) from None
    return made.content, _handed_out(batch, "未写入的行", len(failed), act)


def _file_of(batch_id: int, act: Act) -> tuple[ImportBatch, Any]:
    batch = own_batch(batch_id, act.viewer)
    if batch.collection_id is not None or batch.state not in ("preview", "committing", "done", "undone"):
        raise NotFound("这份标注")
    stored = db.session.get(StoredFile, batch.stored_file_id)
    try:
        if stored is None or not (batch.summary or {}).get("rows"):
            raise NotFound("这份标注")
        return batch, file_store.bytes_of(stored)
    except file_store.FileLost:
        raise NotFound("这份文件的内容") from None


def _rows_of(batch_id: int) -> list[Told]:
    query = select(ImportRow.sheet, ImportRow.row, ImportRow.outcome, ImportRow.problems)
    found = db.session.execute(query.where(ImportRow.batch_id == batch_id).order_by(ImportRow.id))
    return [(sheet, row, outcome, problems or []) for sheet, row, outcome, problems in found]


def marks_of(batch: ImportBatch, rows: Iterable[Told], *, act: Act, more: Iterable[str] = ()) -> Marks:
    """What the preview says of these rows, as marks: what is wrong in a cell stands in the cell and beside its row."""
    summary = batch.summary or {}
    said: dict[tuple[str, int], list[str]] = {}
    marks = Marks({entry["name"]: entry["header_row"] for entry in summary.get("sheets") or ()})
    for (sheet, row, letter), correction in Said.of(summary).corrected.items():
        changed = f"“{correction.before}”→“{correction.text}”"
        told = f"{correction.who}在预览里改过，{changed}"
        marks.cells.append(CellMark(sheet, row, letter, "corrected", told, correction.text))
        said.setdefault((sheet, row), []).append(f"预览里改过：{letter} 列 {changed}")
    count = 0
    for sheet, row, outcome, problems in rows:
        count += 1
        for problem in problems:
            look = "error" if problem["severity"] == "error" else "warning"
            if problem["letter"] and problem["row"]:
                marks.cells.append(CellMark(sheet, row, problem["letter"], look, problem["message"]))
            marks.problems.append(_line(problem))
        reason = _reason(outcome, problems)
        if reason:
            said.setdefault((sheet, row), []).append(reason)
    marks.reasons.update({place: "；".join(dict.fromkeys(reasons)) for place, reasons in said.items()})
    marks.lines.extend([f"{batch.file_name}，{batch.who}上传，导入批次 {batch.id}", _counts(summary), _LEGEND])
    marks.lines.extend([*more, watermark(act, count)])
    return marks


def _line(problem: Mapping[str, Any]) -> tuple[str, int, str, str, str, str, str]:
    place = f"{problem['letter']}{problem['row']}" if problem["letter"] and problem["row"] else ""
    severity = "错误" if problem["severity"] == "error" else "提醒"
    texts = (place, problem["column"], problem["value"], problem["message"], severity)
    return (problem["sheet"], problem["row"] or 0, *texts)


def _reason(outcome: str, problems: list[dict[str, Any]]) -> str:
    """What the reason column says of a row; "" when there is nothing to say."""
    told = "；".join(f"{p['letter'] + ' 列 ' if p['letter'] else ''}{p['column']}：{p['message']}" for p in problems)
    if outcome == NOT_OURS:
        return f"{IMPORT_OUTCOMES[outcome]}：{told or _NOT_OURS}"
    if outcome in BLOCKING:
        return f"{IMPORT_OUTCOMES[outcome]}：{told or _NO_REASON}"
    return f"提醒：{told}" if told else ""


def _counts(summary: Mapping[str, Any]) -> str:
    parts = "、".join(
        f"{IMPORT_OUTCOMES[outcome]} {summary[outcome]:,}" for outcome in OUTCOMES if summary.get(outcome)
    )
    return f"共 {summary['rows']:,} 行：{parts}"


def _handed_out(batch: ImportBatch, what: str, rows: int, act: Act) -> str:
    """Puts on record that the file goes out; answers its name."""
    title = f"{batch.file_name.rpartition('.')[0] or batch.file_name} {what}"
    note_access(act, "export", subject=title, filter={"batch": batch.id}, rows=rows)
    return file_name(title, act, "xlsx")
