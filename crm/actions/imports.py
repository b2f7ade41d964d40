"""Imports: a file comes in, is previewed row by row, is written whole or not at all, and can be taken back whole.

A batch goes uploaded → reading → preview → committing → done → undone, or ends as refused (the file cannot be read),
failed (a fault) or cancelled. What it writes is one change set with the request key of the batch, so that a worker
that comes back after a crash knows from the history whether it was written.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from crm.actions import jobs
from crm.actions.import_candidates import counted
from crm.actions.import_reading import Source, request_key
from crm.actions.import_rows import OUTCOMES, WRITTEN, Judgement, asked
from crm.actions.import_said import Said
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.refusals import Refused
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.sheets.questions import Question
from crm.store import file_store
from crm.store.changes import Change, change_set_by_request_key
from crm.store.imports import ImportBatch, ImportRow
from crm.store.jobs import Job
from crm.store.scope import visible_record
from crm.store.writer import Prepared, Written, write_prepared

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
