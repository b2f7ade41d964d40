"""Returned sheets of a collection, brought in as one batch: each recognised by its stamp, judged row by row.

The batch goes the way of every import (preview, decide, confirm, undo); one row of it is one answer of one enterprise,
and one more row is the sheet itself, which carries everything that is written of that enterprise.
"""

import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from crm.actions import jobs
from crm.actions.collection_answers import SHEET, Known, Sealed, confirmation, decide, problems, said
from crm.actions.collection_court import Court, court_of, fail
from crm.actions.collection_pieces import judge_pieces
from crm.actions.collections import own_collection, require_open
from crm.actions.import_rows import (
    CHANGED,
    CONFLICT,
    DUPLICATE,
    ERROR,
    KEEP_OURS,
    NEW,
    OUTCOMES,
    SAME,
    UNMATCHED,
    USE_FILE,
    Decisions,
    Judged,
    Judgement,
    fingerprint_of,
    problem_of,
)
from crm.actions.rights import may_edit
from crm.domain.acts import Act
from crm.domain.cells import Unreadable, as_text, compact
from crm.domain.changes import Update
from crm.domain.codecs import read_value
from crm.domain.collections import Question, question, questions, read_answer, read_stamp
from crm.domain.fields import FIELDS
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.sheets.questionnaires import Answer, Returned, read_questionnaire
from crm.sheets.reading import read_sheets
from crm.sheets.refusals import SheetRefused
from crm.sheets.rows import Problem
from crm.store import file_store
from crm.store.collections import CollectionEnterprise
from crm.store.imports import ImportBatch
from crm.store.writer import plain

PROFILE = "collection"
# The same work as of any other import.
PREVIEW = "import_preview"
_NOT_OURS = "这张表不是这次采集发出的，或不归你管。核对是哪次采集的，到那次采集里传。"
_PROGRESS_STEP = 10


# --- files come in ---------------------------------------------------------------------------------------------------


def start_returns(kept: file_store.Kept, *, collection_id: int, count: int, sealed: bool = False, act: Act) -> int:
    """Put uploaded sheets of a collection on record as a batch and ask for its preview; returns the batch's id.

    ``sealed``: signed and sealed originals of all of them have come, so that what they state counts as confirmed.
    Raises NotFound, NotAllowed, Refused when the collection is closed.
    """
    row = own_collection(collection_id, act.viewer)
    require_open(row)
    first_press = jobs.asked_already(PREVIEW, act=act)
    if first_press is not None:
        return int(first_press["batch"])
    name = f"{row.title} 回表 {count} 份.zip"
    stored = file_store.record(
        kept, name=name, purpose="import", at=act.recorded_at, region_id=row.region_id, owner_id=act.viewer.user_id
    )
    batch = ImportBatch(
        region_id=row.region_id,
        user_id=act.viewer.user_id,
        who=act.viewer.name,
        stored_file_id=stored.id,
        file_name=stored.name,
        profile=PROFILE,
        full_list=False,
        good_rows_only=False,
        effective_on=act.effective_on,
        state="uploaded",
        summary={"sealed": True} if sealed else None,
        created_at=act.recorded_at,
        collection_id=row.id,
    )
    db.session.add(batch)
    db.session.flush()
    batch.job_id = jobs.ask_for(PREVIEW, {"batch": batch.id}, act=act, region_id=row.region_id)
    return batch.id


# --- judging (no unit of work, nothing is written) -------------------------------------------------------------------


def judge(
    path: Path,
    *,
    collection_id: int,
    batch_id: int,
    sealed: bool,
    viewer: Viewer,
    on: date,
    recorded_at: datetime,
    decided: Decisions,
    progress: Any = None,
) -> Judgement:
    """Read every sheet of a bundle in the limited child process and judge it against the library as it is now."""
    court = court_of(collection_id, batch_id, sealed, viewer, on, recorded_at, decided)
    described = []
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        for number, entry in enumerate(entries):
            if progress is not None and number % _PROGRESS_STEP == 0:
                progress(number, len(entries))
            described += _judge_file(court, entry.filename, archive.read(entry))
    if progress is not None:
        progress(len(entries), len(entries))
    counts = Counter(answer.outcome for answer in court.judged)
    return Judgement(
        profile=PROFILE,
        rows=court.judged,
        counts={outcome: counts[outcome] for outcome in OUTCOMES},
        sheets=described,
        questions=[],
        missing=None,
        fingerprint=fingerprint_of(court.judged),
    )


def _judge_file(court: Court, name: str, content: bytes) -> list[dict[str, Any]]:
    """One file of the bundle; what cannot be read is one row that says why."""
    with tempfile.NamedTemporaryFile(suffix=".upload") as file:
        file.write(content)
        file.flush()
        try:
            sheets = read_sheets(Path(file.name), name=name)
        except SheetRefused as refusal:
            message = refusal.message
            if content.startswith((b"%PDF", b"\xff\xd8\xff", b"\x89PNG")):
                message = "这是扫描件，不是填好的表。到这家企业的采集表页上传为附件。"
            fail(court, name, 0, ERROR, refusal.code, message)
            return []
    found = [one for one in map(read_questionnaire, sheets) if one is not None]
    if not found:
        fail(court, name, 0, UNMATCHED, "no_stamp", "这不是采集表：没有识别码，也没有“填写”一列。传发出去的那份表。")
        return []
    described = []
    for one in found:
        place = name if len(found) == 1 else f"{name[:60]}·{one.sheet}"
        rows = len(court.judged)
        _judge_sheet(court, place, one)
        described.append(_described(place[:100], one, len(court.judged) - rows))
    return described


def _described(place: str, one: Returned, rows: int) -> dict[str, Any]:
    return {
        "name": place,
        "noun": "collection_enterprise",
        "header_row": one.header_row,
        "rows": rows,
        "columns": [],
        "unknown": [],
        "units": [],
        "notes": [],
    }


def _judge_sheet(court: Court, place: str, one: Returned) -> None:
    sheet = _whose(court, place, one)
    if sheet is None:
        return
    name, _ = court.names[sheet.enterprise_id]
    about: dict[str, Any] = {"name": name, "enterprise_id": sheet.enterprise_id}
    if sheet.id in court.seen:
        message = f"“{court.seen[sheet.id]}”也是这家企业的表，先读的那份算数。核对哪份对，只传一份。"
        fail(court, place, 0, DUPLICATE, "duplicate", message, **about)
        return
    court.seen[sheet.id] = place
    if not may_edit(court.viewer, court.standings[sheet.enterprise_id]):
        fail(court, place, 0, ERROR, "not_allowed", "这家企业不是你负责的，交它的专员或业务科室收。", **about)
        return
    if sheet.excused_reason:
        message = "这家企业已登记免填。要收这张表，先取消免填。"
        fail(court, place, 0, ERROR, "excused", message, **about)
        return
    head = court.say(place, 0, "collection_enterprise", **about)
    matched = "stamp" if one.stamp else "credit_code"
    head.matched_by = matched
    answers, filled = _judge_answers(court, place, one, sheet, about)
    creates, pieces = judge_pieces(court, place, one, sheet, about)
    if not filled and not pieces:
        head.outcome = ERROR
        message = "这张表一格也没填。填了再传；企业填不了就登记免填。"
        head.problems = [problem_of(Problem(place[:100], 0, "", "", "", "empty", message))]
        return
    _settle(court, head, sheet, one, answers, creates)


def _whose(court: Court, place: str, one: Returned) -> CollectionEnterprise | None:
    """Which sheet of this collection it is; None when it is none of them, which is then said."""
    stamp = read_stamp(one.stamp) if one.stamp else None
    if one.stamp and stamp is None:
        message = f"识别码“{one.stamp[:40]}”被改过，认不出是哪家的表。重新下载这家企业的表，把答案抄过去再传。"
        fail(court, place, 0, ERROR, "stamp_mended", message, column="回表识别码", value=one.stamp, name=one.name)
        return None
    if stamp is None:
        return _by_code(court, place, one)
    sheet = court.sheets.get(stamp.sheet_id)
    if stamp.collection_id != court.row.id or sheet is None:
        fail(court, place, 0, UNMATCHED, "other_collection", _NOT_OURS, name=one.name)
        return None
    name, code = court.names[sheet.enterprise_id]
    if not stamp.is_whole(sheet.enterprise_id):
        message = f"识别码“{one.stamp[:40]}”被改过，与发出的对不上。重新下载这家企业的表，把答案抄过去再传。"
        fail(court, place, 0, ERROR, "stamp_mended", message, column="回表识别码", value=one.stamp, name=one.name)
        return None
    if one.code and code and compact(one.code).upper() != code:
        message = f"识别码是{name}的，表上的信用代码却是“{one.code[:40]}”。核对是哪家的表。"
        fail(court, place, 0, ERROR, "other_firm", message, column="统一社会信用代码", value=one.code, name=one.name)
        return None
    return sheet


def _by_code(court: Court, place: str, one: Returned) -> CollectionEnterprise | None:
    code = compact(one.code).upper()
    for sheet in court.sheets.values():
        if code and court.names[sheet.enterprise_id][1] == code:
            return sheet
    message = "没有识别码，按信用代码也找不到这次采集里的企业。传发出去的那份表，或补上识别码。"
    fail(court, place, 0, UNMATCHED, "no_stamp", message, name=one.name)
    return None


def _judge_answers(
    court: Court, place: str, one: Returned, sheet: CollectionEnterprise, about: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """Every filled cell as a row of the preview; answers to what was kept and how many cells were filled."""
    known = court.known[sheet.enterprise_id]
    asked = {found.path: found for found in questions(sheet.questions)}
    taken: dict[str, Any] = {}
    filled = 0
    for answer in one.answers:
        raw = answer.raw
        if raw in ("", None) or (isinstance(raw, str) and not compact(raw)):
            continue
        filled += 1
        judged = court.say(place, answer.row, "figures", **about)
        found = _question_of(answer, asked)
        if found is None:
            message = (
                "这一行不是这次问的，没有读入。"
                if question(answer.path)
                else "这一行认不出是哪一问。行次和“要填的数据”不要改。"
            )
            severity = "warning" if question(answer.path) else "error"
            judged.outcome = SAME if severity == "warning" else ERROR
            _tell(judged, place, answer, raw, "not_asked", message, severity)
            continue
        _judge_answer(court, place, judged, answer, found, known, taken)
    return taken, filled


def _question_of(answer: Answer, asked: Mapping[str, Question]) -> Question | None:
    if answer.path:
        return asked.get(answer.path)
    named = [one for one in asked.values() if one.label == answer.label and (str(one.year or "") == answer.year)]
    return named[0] if len(named) == 1 else None


def _judge_answer(
    court: Court,
    place: str,
    judged: Judged,
    answer: Answer,
    asked: Question,
    known: Known,
    taken: dict[str, Any],
) -> None:
    assert asked.field is not None
    judged.noun = asked.field.noun
    choices = court.choices.get(asked.field.choices or "") or None
    try:
        value = read_answer(asked, answer.raw, choices=choices, today=court.on)
    except Unreadable as refusal:
        judged.outcome = ERROR
        _tell(judged, place, answer, answer.raw, refusal.code, refusal.message)
        return
    if value is None:
        judged.outcome = SAME
        return
    sentence = problems(asked, value, today=court.on)
    if sentence:
        judged.outcome = ERROR
        _tell(judged, place, answer, answer.raw, "impossible", sentence)
        return
    stored = known.value(asked)
    judged.diff = {asked.path: [plain(stored), plain(value)]}
    if stored is None:
        judged.outcome = CHANGED
        taken[asked.path] = value
        return
    if stored == value:
        judged.outcome = SAME
        taken[asked.path] = value
        return
    choice = court.decided.get((judged.sheet, judged.row))
    judged.outcome = {USE_FILE: CHANGED, KEEP_OURS: SAME}.get(choice or "", CONFLICT)
    if choice == USE_FILE:
        taken[asked.path] = value
    elif choice is None:
        _tell(
            judged, place, answer, answer.raw, "filled_meanwhile", "发出以后库里已填了别的数。选用表里的，或留本库的。"
        )


def _tell(
    judged: Judged, place: str, answer: Answer, raw: Any, code: str, message: str, severity: str = "error"
) -> None:
    value = raw if isinstance(raw, str) else as_text(raw)
    column = f"{answer.year} 年{answer.label}" if answer.year else answer.label
    judged.problems.append(
        problem_of(Problem(place[:100], answer.row, column, "E", value[:200], code, message, severity))
    )


def _settle(
    court: Court,
    head: Judged,
    sheet: CollectionEnterprise,
    one: Returned,
    answers: Mapping[str, Any],
    pieces: Sequence[Any],
) -> None:
    """The row of the sheet itself: it came back, and it carries everything that is written of its enterprise."""
    sealed = _sealed(court, head, one)
    entry = confirmation(sealed, court.row.id) if sealed is not None else None
    told = said(sheet, answers)
    values: dict[str, Any] = {"answers": told, "returned_how": SHEET, "import_batch_id": court.batch_id}
    if sheet.returned_on is None:
        values["returned_on"] = court.on
    if sealed is not None:
        values |= {"authorised_by": sealed.by, "authorised_on": sealed.on}
    changes = [*decide(court.known[sheet.enterprise_id], answers, confirmed=entry), *pieces]
    again = sheet.returned_on is not None and not changes and told == (sheet.answers or {})
    head.outcome = SAME if again else CHANGED if sheet.returned_on is not None else NEW
    if not again:
        head.diff = {"collection_enterprise.returned_on": plain(court.on)} if head.outcome == NEW else {}
        head.changes = [*changes, Update("collection_enterprise", sheet.id, values, sheet.version)]


def _sealed(court: Court, head: Judged, one: Returned) -> Sealed | None:
    """Who signed and when, where the sealed originals have come; a signature that is not whole is said."""
    if not court.sealed:
        return None
    signer = as_text(one.signer).strip()[:60] if one.signer not in ("", None) else ""
    signed_on: Any = None
    declared = FIELDS["enterprise.registered_on"]
    try:
        signed_on = read_value(declared, one.signed_on, today=court.on) if one.signed_on else None
    except Unreadable:
        signed_on = None
    if signer and isinstance(signed_on, date) and signed_on <= court.on:
        return Sealed(signer, signed_on)
    message = "表上没有写全签字人和签字日期，数据照收，授权和确认另外登记。"
    head.problems.append(problem_of(Problem(head.sheet, 0, "签字", "", signer, "not_signed", message, "warning")))
    return None
