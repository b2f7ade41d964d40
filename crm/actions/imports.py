"""Imports: a file comes in, is previewed row by row, is written whole or not at all, and can be taken back whole.

A batch goes uploaded → reading → preview → committing → done → undone, or ends as refused (the file cannot be read),
failed (a fault) or cancelled. What it writes is one change set with the request key of the batch, so that a worker
that comes back after a crash knows from the history whether it was written.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select

from crm.actions import collection_returns, jobs
from crm.actions.import_candidates import counted
from crm.actions.import_judging import Progress, judge
from crm.actions.import_rows import OUTCOMES, WRITTEN, Judgement, asked
from crm.actions.import_said import Said
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.refusals import Refused
from crm.domain.viewers import OFFICE, Viewer, the_machine
from crm.extensions import db
from crm.sheets.marks import corrected, without_marks
from crm.sheets.profiles import Profile, Reading, load_profile, read, says_names_only
from crm.sheets.questions import Question
from crm.sheets.reading import read_sheets
from crm.sheets.refusals import SheetRefused
from crm.store import file_store
from crm.store.changes import Change, change_set_by_request_key
from crm.store.collections import Collection
from crm.store.files import StoredFile
from crm.store.imports import ImportBatch, ImportRow
from crm.store.jobs import Job
from crm.store.projections import local_day
from crm.store.scope import visible_record
from crm.store.users import User, viewer_of
from crm.store.writer import Prepared, Written, write_prepared

# The profiles this version knows, in the order of the menu.
PROFILES = (
    "county_workbook",
    "hnte_list",
    "cq_tech_list",
    "tech_sme_list",
    "srdi_list",
    "figures",
    "service_logs",
    "names_only",
    "generic",
)
# Those that a file may follow without anybody saying so, the more exact first. Which title a list is about it seldom
# says itself, so the lists of one title are chosen by a person; names alone never enter an enterprise.
_AUTOMATIC, _NAMES = ("county_workbook", "generic"), "names_only"
PREVIEW, COMMIT = "import_preview", "import_commit"
STALE = "预览之后有人改过库里的数据，结果与预览不同，什么也没有写入。重新预览，看过再确认。"
# Names of enterprises that a full list lacks, kept with the preview; more than this nobody checks one by one.
_MOST_MISSING = 2_000


class NothingToWrite(Refused):
    """Every row is as the library has it, or none can be written."""


class RowsInTheWay(Refused):
    """All or nothing was asked for, and some rows are wrong."""


class PreviewStale(Refused):
    """Judged again, the file would do something else than the preview showed."""


def request_key(batch_id: int) -> str:
    """The key under which a batch is written, once."""
    return f"import-{batch_id}"


def may_import(viewer: Viewer, region_id: int | None) -> bool:
    """Whether the viewer may bring files into this region; each row is then checked by the rights of its noun."""
    return viewer.has_in(region_id, *OFFICE, "case_manager", "unit")


def require_import(viewer: Viewer, region_id: int | None) -> None:
    """Raise NotAllowed unless the viewer may bring files into this region."""
    require(may_import(viewer, region_id), "导入")


# --- a file comes in ------------------------------------------------------------------------------------------------


def start_import(
    kept: file_store.Kept,
    *,
    name: str,
    region_id: int,
    profile: str | None = None,
    sheet: str | None = None,
    full_list: bool = False,
    once: Mapping[str, str] | None = None,
    ask: bool = True,
    act: Act,
) -> int:
    """Put an uploaded file on record as a batch and ask for its preview; returns the batch's id.

    ``profile`` None: the one that knows more of the file's columns. ``once``: what every row of a list says, checked.
    ``ask`` False leaves the preview to the caller.
    A second press of the same upload returns the batch of the first. Raises NotAllowed.
    """
    require_import(act.viewer, region_id)
    first_press = jobs.asked_already(PREVIEW, act=act)
    if first_press is not None:
        return int(first_press["batch"])
    stored = file_store.record(
        kept, name=name, purpose="import", at=act.recorded_at, region_id=region_id, owner_id=act.viewer.user_id
    )
    batch = ImportBatch(
        region_id=region_id,
        user_id=act.viewer.user_id,
        who=act.viewer.name,
        stored_file_id=stored.id,
        file_name=stored.name,
        profile=profile,
        full_list=full_list,
        good_rows_only=False,
        effective_on=act.effective_on,
        state="uploaded",
        summary=Said(sheet=sheet, once=once or {}).kept() if sheet or once else None,
        created_at=act.recorded_at,
    )
    db.session.add(batch)
    db.session.flush()
    if ask:
        batch.job_id = jobs.ask_for(PREVIEW, {"batch": batch.id}, act=act, region_id=region_id)
    return batch.id


def ask_again(batch_id: int, *, act: Act) -> None:
    """Ask for a new preview of a batch that is not written: the library changed, or the first attempt failed."""
    batch = own_batch(batch_id, act.viewer)
    if jobs.asked_already(PREVIEW, act=act) is not None:
        return
    if batch.state not in ("preview", "failed"):
        raise Refused("这次导入现在不能重新预览。刷新后再看。")
    batch.state, batch.message = "uploaded", None
    batch.job_id = jobs.ask_for(PREVIEW, {"batch": batch.id}, act=act, region_id=batch.region_id)


def require_decider(batch: ImportBatch, viewer: Viewer) -> None:
    """Raise NotAllowed unless the viewer brought the file or answers for its region."""
    own = batch.user_id == viewer.user_id
    require(own or viewer.has_in(batch.region_id, *OFFICE), "确认别人的导入")


def own_batch(batch_id: int, viewer: Viewer) -> ImportBatch:
    """A batch the viewer may see; NotFound else."""
    return visible_record(ImportBatch, batch_id, viewer, "这次导入")


# --- reading and judging (no unit of work, nothing is written) ------------------------------------------------------


def read_tables(
    path: Path,
    *,
    name: str,
    profile: str | None = None,
    said: Said | None = None,
    progress: Any = None,
) -> tuple[Profile, Reading]:
    """What a file holds and leaves open after what was ``said`` of it, and the profile it follows.

    Of several profiles the one that knows more of its columns. Raises a SheetRefused that says why nothing can be read.
    """
    said = said or Said()
    sheets = corrected(without_marks(read_sheets(path, name=name, progress=progress)), said.cells)
    if profile is not None:
        chosen = load_profile(profile)
        return chosen, read(chosen, sheets, only=said.sheet, answers=said.answers, once=said.once)
    refusal: SheetRefused | None = None
    best: tuple[int, Profile, Reading] | None = None
    for code in _AUTOMATIC:
        candidate = load_profile(code)
        try:
            found = read(candidate, sheets, only=said.sheet, answers=said.answers, once=said.once)
        except SheetRefused as error:
            refusal = refusal or error
            continue
        columns = sum(len(table.match.columns) for table in found.tables)
        columns += sum(len(question.headings) for question in found.questions)
        if best is None or columns > best[0]:
            best = (columns, candidate, found)
    if best is None:
        assert refusal is not None
        raise refusal
    # Whether a file is a list of names is its own affair, whatever is said of it: it may be unsaid again.
    bare = read(best[1], sheets, only=said.sheet, answers=said.answers) if said.once else best[2]
    if says_names_only(bare):
        names = load_profile(_NAMES)
        return names, read(names, sheets, only=said.sheet, answers=said.answers, once=said.once)
    return best[1], best[2]


@dataclass(frozen=True)
class Source:
    """What judging a batch needs, as plain values: it is read before and must not hold a transaction open."""

    id: int
    region_id: int
    user_id: int | None
    who: str
    path: Path
    name: str
    profile: str | None
    full_list: bool
    good_rows_only: bool
    effective_on: date
    state: str
    fingerprint: str | None
    said: Said
    # The task whose returned sheets these are, with its name, and whether sealed originals of them have come.
    collection_id: int | None = None
    collection: str = ""
    sealed: bool = False


def source_of(batch_id: int) -> Source:
    """The plain values of a batch; raises FileLost when its bytes are gone."""
    batch = db.session.get(ImportBatch, batch_id)
    assert batch is not None
    stored = db.session.get(StoredFile, batch.stored_file_id)
    assert stored is not None
    summary = batch.summary or {}
    return Source(
        id=batch.id,
        region_id=batch.region_id,
        user_id=batch.user_id,
        who=batch.who,
        path=file_store.bytes_of(stored),
        name=batch.file_name,
        profile=batch.profile,
        full_list=batch.full_list,
        good_rows_only=batch.good_rows_only,
        effective_on=batch.effective_on,
        state=batch.state,
        fingerprint=summary.get("fingerprint"),
        said=Said.of(summary),
        collection_id=batch.collection_id,
        collection=db.session.scalar(select(Collection.title).where(Collection.id == batch.collection_id)) or "",
        sealed=bool(summary.get("sealed")),
    )


def act_of(source: Source, *, now: datetime) -> Act:
    """The act of writing a batch: in the name of who brought the file, with that person's rights of today."""
    user = db.session.get(User, source.user_id) if source.user_id is not None else None
    viewer = viewer_of(user, local_day(now)) if user is not None else the_machine(source.who)
    return Act(
        viewer=viewer,
        door="import",
        recorded_at=now,
        effective_on=source.effective_on,
        request_id=f"import-{source.id}",
        reason=_reason(source),
        request_key=request_key(source.id),
        import_batch_id=source.id,
    )


def _reason(source: Source) -> str:
    """What the history says of where a batch's values come from."""
    if source.collection_id is not None:
        return f"采集：{source.collection}"
    mended = len(source.said.corrected)
    return f"导入 {source.name}{f'，预览里改过 {mended} 格' if mended else ''}"[:500]


def judge_source(source: Source, act: Act, *, progress: Progress | None = None) -> Judgement:
    """Read and judge a batch's file against the library as it is now."""
    if source.collection_id is not None:
        return collection_returns.judge(
            source.path,
            collection_id=source.collection_id,
            batch_id=source.id,
            sealed=source.sealed,
            viewer=act.viewer,
            on=source.effective_on,
            recorded_at=act.recorded_at,
            decided=source.said.decided,
            progress=progress,
        )
    profile, found = read_tables(source.path, name=source.name, profile=source.profile, said=source.said)
    return judge(
        found,
        profile=profile.code,
        viewer=act.viewer,
        region_id=source.region_id,
        on=source.effective_on,
        recorded_at=act.recorded_at,
        full_list=source.full_list,
        decided=source.said.decided,
        placed=source.said.placed,
        progress=progress,
    )


# What belongs to one enterprise only: a change of it cannot alter what a file does to the others.
_OF_ONE_ENTERPRISE = frozenset(
    {
        "affiliation",
        "application",
        "assessment",
        "collection_enterprise",
        "figures",
        "intellectual_property",
        "obligation_outcome",
    }
    | {"pool_membership", "qualification", "service_log", "service_log_enterprise"}
)


def newest_change() -> int:
    """The newest change of the library; whoever saw it can ask with ``disturbed_since`` what happened after it."""
    return db.session.scalar(select(func.max(Change.id))) or 0


def disturbed_since(change_id: int, enterprise_ids: frozenset[int]) -> bool:
    """Whether anything saved after a change may alter what was decided for these enterprises.

    A visit or a figure of another enterprise does not: people go on working while a long import is made ready.
    """
    query = select(Change.noun, Change.enterprise_id).where(Change.id > change_id)
    return any(
        noun not in _OF_ONE_ENTERPRISE or enterprise_id in enterprise_ids
        for noun, enterprise_id in db.session.execute(query)
    )


# --- the state machine (inside a unit of work) ----------------------------------------------------------------------


def begin_reading(batch_id: int) -> bool:
    """The preview begins; False when there is nothing to read (cancelled, or previewed already)."""
    batch = db.session.get(ImportBatch, batch_id, with_for_update=True)
    if batch is None or batch.state not in ("uploaded", "reading"):
        return False
    batch.state, batch.message = "reading", None
    return True


def keep_preview(batch_id: int, judgement: Judgement, *, seconds: float) -> None:
    """Keep what the rows would do, in place of an earlier preview."""
    batch = db.session.get(ImportBatch, batch_id, with_for_update=True)
    assert batch is not None
    db.session.execute(delete(ImportRow).where(ImportRow.batch_id == batch_id))
    if judgement.rows:
        db.session.execute(insert(ImportRow.__table__), [_row(batch_id, row) for row in judgement.rows])
    before = batch.summary or {}
    batch.state, batch.message, batch.profile = "preview", None, judgement.profile
    batch.summary = Said.of(before).kept() | {"sealed": before.get("sealed")} | summary_of(judgement, seconds=seconds)


def _row(batch_id: int, row: Any) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "sheet": row.sheet[:100],
        "noun": row.noun,
        "row": row.row,
        "outcome": row.outcome,
        "enterprise_id": row.enterprise_id,
        "name": row.name[:200] or None,
        "matched_by": row.matched_by,
        "diff": row.diff or None,
        "problems": row.problems or None,
        "candidates": row.candidates or None,
    }


def summary_of(judgement: Judgement, *, seconds: float) -> dict[str, Any]:
    """What the page and the list of batches say without looking at the rows."""
    warnings = Counter(p["code"] for row in judgement.rows for p in row.problems if p["severity"] == "warning")
    missing = judgement.missing
    return {
        "rows": len(judgement.rows),
        **judgement.counts,
        "writes": sum(judgement.counts[outcome] for outcome in WRITTEN),
        "blocking": judgement.blocking,
        "sheets": judgement.sheets,
        "questions": [asdict(question) for question in judgement.questions],
        "candidates": counted(judgement.rows),
        "warnings": warnings.most_common(),
        "missing": missing[:_MOST_MISSING] if missing is not None else None,
        "missing_count": len(missing) if missing is not None else None,
        "fingerprint": judgement.fingerprint,
        "seconds": round(seconds, 1),
    }


def end_as(batch_id: int, state: str, message: str | None, *, now: datetime) -> None:
    """The batch ends without having written anything: refused, failed or cancelled."""
    batch = db.session.get(ImportBatch, batch_id, with_for_update=True)
    if batch is not None and batch.state not in ("done", "undone"):
        batch.state, batch.message, batch.finished_at = state, message and message[:500], now


def back_to_preview(batch_id: int, message: str) -> None:
    """Nothing was written, and the batch waits for a new preview or another decision."""
    batch = db.session.get(ImportBatch, batch_id, with_for_update=True)
    assert batch is not None
    batch.state, batch.message = "preview", message[:500]
    batch.summary = {**(batch.summary or {}), "stale": message == STALE}


def confirm(batch_id: int, *, good_rows_only: bool, ask: bool = True, act: Act) -> None:
    """Somebody has seen the preview and wants it written: all of it, or its good rows only. A second press is done.

    Raises RowsInTheWay when all were asked for and some are wrong, NothingToWrite, PreviewStale.
    """
    batch = own_batch(batch_id, act.viewer)
    require_decider(batch, act.viewer)
    if jobs.asked_already(COMMIT, act=act) is not None:
        return
    if batch.state != "preview":
        raise Refused("这次导入已经处理过。刷新后再看。")
    summary = batch.summary or {}
    if summary.get("stale"):
        raise PreviewStale(STALE)
    if not summary.get("writes"):
        raise NothingToWrite("没有要写入的行：都与库里相同，或都写不进去。")
    unread = [question["sheet"] for question in summary.get("questions") or () if question["whole"]]
    if not good_rows_only and unread:
        raise RowsInTheWay(f"表“{unread[0]}”还没有读：先回答它缺的那一列，或选“只写入无误的行”。")
    if not good_rows_only and summary.get("blocking"):
        raise RowsInTheWay(
            f"有 {summary['blocking']} 行写不进去，按“全部无误才写入”什么也没有写。改好再传，或选“只写入无误的行”。"
        )
    batch.state, batch.good_rows_only, batch.message = "committing", good_rows_only, None
    if ask:
        batch.job_id = jobs.ask_for(COMMIT, {"batch": batch.id}, act=act, region_id=batch.region_id)


def commit(source: Source, prepared: Prepared, *, act: Act) -> Written:
    """Write a judged batch as one change set and mark it done. Raises what the writer raises."""
    written = write_prepared(
        prepared,
        act=act,
        action="return_sheets" if source.collection_id else "import",
        region_id=source.region_id,
    )
    mark_done(source.id, written.change_set_id, now=act.recorded_at)
    return written


def mark_done(batch_id: int, change_set_id: int | None, *, now: datetime) -> None:
    """The batch is written."""
    batch = db.session.get(ImportBatch, batch_id, with_for_update=True)
    assert batch is not None
    batch.state, batch.change_set_id, batch.message, batch.finished_at = "done", change_set_id, None, now


def written_as(batch_id: int) -> int | None:
    """The change set of a batch, if it was ever written: what a worker asks after a crash."""
    found = change_set_by_request_key(request_key(batch_id))
    return found.id if found is not None else None


def abandon(batch_id: int, *, act: Act) -> bool:
    """Give a batch up before it is written; a running preview or writing is asked to stop.

    False when its worker may have passed the last moment to stop: the batch then says itself how it ended.
    """
    batch = own_batch(batch_id, act.viewer)
    if batch.state in ("done", "undone"):
        raise Refused("这次导入已经写入。要收回，用“撤销导入”。")
    if batch.state in ("uploaded", "reading", "committing") and batch.job_id is not None:
        # A job that ended a moment ago refuses; what it left is given up all the same unless it was written.
        with suppress(Refused):
            jobs.cancel(batch.job_id, act)
        state = db.session.scalar(select(Job.state).where(Job.id == batch.job_id))
        if batch.state == "committing" and state == "running":
            # Until its worker stops, the batch may still be written.
            return False
    batch.state, batch.finished_at = "cancelled", act.recorded_at
    return True


# --- what a batch says of itself ------------------------------------------------------------------------------------


def counts_of(batch_id: int) -> dict[str, int]:
    """Rows per outcome, counted; they add up to the rows of the batch."""
    query = select(ImportRow.outcome, func.count()).where(ImportRow.batch_id == batch_id).group_by(ImportRow.outcome)
    counted = dict(db.session.execute(query).all())
    return {outcome: counted.get(outcome, 0) for outcome in OUTCOMES}


def report_of(batch_id: int) -> dict[str, Any]:
    """The report of a previewed or written batch in the form of the command ``import`` (product.md, Reports)."""
    batch = db.session.get(ImportBatch, batch_id)
    assert batch is not None
    summary = batch.summary or {}
    query = select(ImportRow.problems).where(ImportRow.batch_id == batch_id, ImportRow.problems.is_not(None))
    counts = counts_of(batch_id)
    return {
        "batch": batch_id,
        "rows": sum(counts.values()),
        **counts,
        "missing_from_file": summary.get("missing") or [],
        "problems": [
            *(asked(Question(**question)) for question in summary.get("questions") or ()),
            *(problem for told in db.session.scalars(query.order_by(ImportRow.id)) for problem in told),
        ],
    }
