"""报送: what went up to the city is frozen with its files; what comes back moves the applications on.

Afterwards the list in the product may change, the files and the lines of a submission do not. A title is never
recorded by a result: what passed is proposed for 登记认定结果 and entered by a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from crm.actions.application_steps import Moving, template_of
from crm.actions.application_walks import path, walk
from crm.actions.rights import require
from crm.domain import reviews, submissions
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update
from crm.domain.refusals import Conflict, InvalidInput, Refused
from crm.domain.submissions import FAILED, PASSED, REMOVED, RETURNED, Firm, Line, Named, Sent
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.store import file_store, review_lists
from crm.store.applications import Application, ApplicationStep
from crm.store.changes import refuse_repetition
from crm.store.enterprises import Enterprise
from crm.store.files import StoredFile
from crm.store.qualifications import Qualification
from crm.store.review_lists import QueueWindow
from crm.store.scope import visible, visible_record
from crm.store.standings import Standing
from crm.store.submissions import Submission, SubmissionApplication, SubmissionFile, lines_of
from crm.store.windows import calendar
from crm.store.writer import Written, write

# Into which stage of its template each answer of the city takes an application.
ENTERS = {"publicity": "公示", "announced": "备案公告"}
PURPOSE = "submission"


@dataclass(frozen=True)
class KeptFile:
    """A file as it went: its title in the product, the name it was given, its bytes in the store."""

    title: str
    name: str
    kept: file_store.Kept


@dataclass(frozen=True)
class Stated:
    """What the city says of one line, with the version its editor saw."""

    line_id: int
    result: str
    reason: str | None
    version: int


def may_submit(viewer: Viewer, region_id: int) -> bool:
    """Whether the viewer reports upward for a region: its bureau."""
    return viewer.has_in(region_id, *OFFICE)


def lines_to_send(window: QueueWindow, region_id: int, viewer: Viewer, *, changes_only: bool) -> list[Line]:
    """The lines that would go up now: every recommended firm, or what changed since the last time (仅报变化)."""
    rows = review_lists.every(reviews.RECOMMENDED, window, region_id, viewer)
    recommended = [Firm(row.id, row.application.enterprise_id, row.name, row.credit_code) for row in rows]
    if not changes_only:
        return submissions.whole_list(recommended)
    return submissions.changes_since(recommended, last_sent(window, region_id))


def last_sent(window: QueueWindow, region_id: int) -> dict[int, Sent]:
    """{application: the last line that went up for it}, whatever the city has said since."""
    found: dict[int, Sent] = {}
    for line in review_lists.sent_before(window.ids, region_id):
        found[line.application_id] = Sent(
            line.application_id,
            line.enterprise_id,
            line.name or "",
            line.credit_code,
            line.change,
            line.result,
        )
    return found


def record_submission(
    window: QueueWindow,
    region_id: int,
    *,
    lines: Sequence[Line],
    files: Sequence[KeptFile],
    changes_only: bool,
    submitted_on: date | None,
    signed_by: str | None,
    receipt: str | None = None,
    note: str | None = None,
    act: Act,
) -> Written:
    """Put on record what went up: its lines as they stand, its files as they are, who signed, when, the receipt.

    ``lines`` and ``files`` were made before; when the list has changed meanwhile, nothing is written. Firms that were
    recommended go on to the city's review. Raises NotAllowed, InvalidInput, Refused.
    """
    refuse_repetition(act)
    require(may_submit(act.viewer, region_id), "报送")
    submitted_on = submitted_on or act.effective_on
    _refuse_submission(submitted_on, signed_by, receipt, note, act.effective_on)
    if not lines:
        raise Refused("没有与上次不同的企业，不用再报。" if changes_only else "还没有推荐的企业，没有可报的。")
    if list(lines) != lines_to_send(window, region_id, act.viewer, changes_only=changes_only):
        raise Refused("名单刚有变化，文件和名单对不上，没有登记。刷新后核对名单，再点一次“登记报送”。")
    values = {
        "region_id": region_id,
        "window_id": window.id,
        "kind": window.kind,
        "year": window.year,
        "batch": window.batch or None,
        "submitted_on": submitted_on,
        "changes_only": changes_only,
        "signed_by": signed_by,
        "receipt": receipt or None,
        "note": note or None,
    }
    changes: list[Create | Update] = [
        Create("submission", {k: v for k, v in values.items() if v is not None}, "submission")
    ]
    for file in files:
        stored = file_store.record(
            file.kept,
            name=file.name,
            purpose=PURPOSE,
            at=act.recorded_at,
            region_id=region_id,
            owner_id=act.viewer.user_id,
        )
        own = {"submission_id": Ref("submission"), "stored_file_id": stored.id, "title": file.title}
        changes.append(Create("submission_file", own))
    for position, line in enumerate(lines, 1):
        own = {
            "submission_id": Ref("submission"),
            "application_id": line.application_id,
            "enterprise_id": line.enterprise_id,
            "position": position,
            "name": line.name,
            "credit_code": line.credit_code,
            "change": line.change,
        }
        changes.append(Create("submission_application", {k: v for k, v in own.items() if v is not None}))
    going = [line.application_id for line in lines if line.change != REMOVED]
    for found in movings(going, act):
        if found.stage == reviews.RECOMMENDED and path(found.template, found.stage, "city_review") is not None:
            day = max(submitted_on, found.last_on or submitted_on)
            changes += walk(found, "city_review", happened_on=day, act=act)
    return write(changes, act=act, action="record_submission", region_id=region_id)


def record_results(
    submission_id: int,
    stated: Sequence[Stated],
    *,
    result_on: date | None,
    enters: str = "publicity",
    act: Act,
) -> Written:
    """Put on record what the city said of some lines of a submission, and move their applications.

    Passed ones go to ``enters`` (公示 or 备案公告), returned ones to 退回补正, failed ones end. All or nothing. Raises
    NotFound, NotAllowed, InvalidInput with a field per line (reason-ID), Refused, Conflict naming the firms.
    """
    refuse_repetition(act)
    row: Submission = visible_record(Submission, submission_id, act.viewer, "这次报送")
    require(may_submit(act.viewer, row.region_id), "登记报送结果")
    lines = {line.id: line for line in lines_of(submission_id)}
    if not stated:
        raise InvalidInput({"results": "没有选结果。逐家选，或贴上市里的名单。"})
    if enters not in ENTERS:
        raise InvalidInput({"enters": "选通过的到公示还是备案公告。"})
    _refuse_results(row, lines, stated, result_on, act.effective_on)
    assert result_on is not None, "a missing day was refused"
    changes: list[Create | Update] = []
    moving = {one.application.id: one for one in movings([lines[one.line_id].application_id for one in stated], act)}
    for one in stated:
        line = lines[one.line_id]
        values = {"result": one.result, "result_on": result_on, "result_reason": (one.reason or "").strip() or None}
        changes.append(Update("submission_application", line.id, values, line.version))
        found = moving.get(line.application_id)
        if found is None:
            raise Refused(f"找不到{line.name or ''}的申报，或不归你看。")
        changes += _moved(found, line, one, enters, result_on, act)
    return write(changes, act=act, action="record_submission_results", region_id=row.region_id)


def _moved(
    found: Moving, line: SubmissionApplication, one: Stated, enters: str, result_on: date, act: Act
) -> list[Create | Update]:
    """The steps that follow from one answer; a stage the application has passed already is not gone through again."""
    template = found.template
    target = {PASSED: enters, RETURNED: "returned", FAILED: "failed"}[one.result]
    if one.result == PASSED and enters not in template.by_code:
        target = "announced" if "announced" in template.by_code else found.stage or ""
    if found.application.outcome is not None or (
        one.result == PASSED and template.place(found.stage) >= template.place(target)
    ):
        return []
    day = max(result_on, found.last_on or result_on)
    try:
        return walk(found, target, happened_on=day, act=act, reason=one.reason or "", late_reason="市里反馈")
    except InvalidInput as refusal:
        raise Refused(f"{line.name or ''}：{refusal.message}") from refusal
    except Refused as refusal:
        raise Refused(f"{line.name or ''}：{refusal.message}") from refusal


def _refuse_submission(
    submitted_on: date,
    signed_by: str | None,
    receipt: str | None,
    note: str | None,
    today: date,
) -> None:
    wrong: dict[str, str] = {}
    if submitted_on > today:
        wrong["submitted_on"] = f"报送日期 {submitted_on} 还没到。填实际报出的那天。"
    if not (signed_by or "").strip():
        wrong["signed_by"] = "填签发人。"
    for name, text, most in (("signed_by", signed_by, 60), ("receipt", receipt, 120), ("note", note, 500)):
        if len(text or "") > most:
            wrong[name] = f"不超过 {most} 个字。"
    if wrong:
        raise InvalidInput(wrong)


def _refuse_results(
    row: Submission,
    lines: Mapping[int, SubmissionApplication],
    stated: Sequence[Stated],
    result_on: date | None,
    today: date,
) -> None:
    wrong: dict[str, str] = {}
    stale: list[str] = []
    for one in stated:
        line = lines.get(one.line_id)
        if line is None:
            raise Refused("名单里没有这一行，没有登记。刷新后再看。")
        if line.change == REMOVED:
            raise Refused(f"{line.name or ''}这一行是撤出，没有结果可登。")
        said = submissions.result_problems(
            one.result, result_on, one.reason, submitted_on=row.submitted_on, today=today
        )
        for name, sentence in said.items():
            if name == "result_on":
                wrong[name] = sentence
            else:
                wrong[f"{name}-{one.line_id}"] = f"{line.name or ''}：{sentence}"
        reason = (one.reason or "").strip() or None
        if line.version != one.version and _said_of(line) != (one.result, result_on, reason):
            stale.append(line.name or "")
    if wrong:
        raise InvalidInput(wrong)
    if stale:
        names = "、".join(stale[:3])
        raise Conflict(f"{names}的结果刚被别人登记过，这次没有写入。核对后再存。", {"results": ("", names, "")})


def _said_of(line: SubmissionApplication) -> tuple[str | None, date | None, str | None]:
    """What the city is recorded to have said of a line."""
    return line.result, line.result_on, line.result_reason


def movings(application_ids: Sequence[int], act: Act) -> list[Moving]:
    """Applications as steps find them, in a fixed number of queries; those that are not this viewer's are left out."""
    ids = sorted(set(application_ids))
    windows = calendar()
    query = (
        select(Application, Enterprise, Standing)
        .join(Enterprise, Enterprise.id == Application.enterprise_id)
        .join(Standing, Standing.enterprise_id == Application.enterprise_id)
        .where(Application.id.in_(ids))
    )
    rows = db.session.execute(visible(query, act.viewer)).all()
    steps: dict[int, list[ApplicationStep]] = {}
    own = select(ApplicationStep).where(ApplicationStep.application_id.in_(ids), ~ApplicationStep.deleted)
    for step in db.session.scalars(own.order_by(ApplicationStep.id)):
        steps.setdefault(step.application_id, []).append(step)
    found = []
    for application, enterprise, standing in rows:
        window = windows.round(application.window_id, enterprise.region_id)
        template = template_of(application.kind, application.year, window)
        found.append(Moving(application, enterprise, standing, template, window, steps.get(application.id, [])))
    return found


def named_lines(submission_id: int) -> list[Named]:
    """How each line may be called in the city's answer: as it went, as it is called today, and what it was called."""
    lines = [line for line in lines_of(submission_id) if line.change != REMOVED]
    ids = [line.enterprise_id for line in lines]
    query = select(Enterprise.id, Enterprise.name, Enterprise.credit_code).where(Enterprise.id.in_(ids))
    today = {row[0]: (row[1], row[2]) for row in db.session.execute(query)}
    former = review_lists.former_names(ids)
    found = []
    for line in lines:
        name, code = today.get(line.enterprise_id, ("", None))
        names = [one for one in (line.name, name, *former.get(line.enterprise_id, [])) if one]
        found.append(Named(line.id, line.credit_code or code, tuple(dict.fromkeys(names))))
    return found


def unrecorded_titles(submission_id: int) -> list[SubmissionApplication]:
    """Lines that passed and whose title of this submission's year nobody has recorded yet: to be proposed."""
    row = db.session.get(Submission, submission_id)
    passed = [line for line in lines_of(submission_id) if line.result == PASSED]
    if row is None or not passed:
        return []
    table = Qualification
    query = select(table.enterprise_id, table.cohort_year, table.announced_on, table.valid_from).where(
        table.enterprise_id.in_([line.enterprise_id for line in passed]),
        table.kind == row.kind,
        ~table.deleted,
        table.superseded_at.is_(None),
    )
    held: set[int] = set()
    for enterprise_id, cohort, announced_on, valid_from in db.session.execute(query):
        began = announced_on or valid_from
        if cohort == row.year or (cohort is None and began is not None and began >= row.submitted_on):
            held.add(enterprise_id)
    return [line for line in passed if line.enterprise_id not in held]


def files_of(submission_id: int) -> list[tuple[SubmissionFile, StoredFile]]:
    """The frozen files of a submission with what is known of their bytes."""
    query = (
        select(SubmissionFile, StoredFile)
        .join(StoredFile, StoredFile.id == SubmissionFile.stored_file_id)
        .where(SubmissionFile.submission_id == submission_id, ~SubmissionFile.deleted)
        .order_by(SubmissionFile.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]
