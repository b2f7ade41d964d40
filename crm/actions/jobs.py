"""Asking for long work, and asking it to stop."""

from typing import Any

from sqlalchemy import select, update

from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.refusals import Refused
from crm.domain.viewers import OFFICE
from crm.extensions import db
from crm.store import imports
from crm.store.jobs import Job
from crm.store.scope import visible_record
from crm.store.unit_of_work import hand_over_after_commit, hold


def ask_for(
    kind: str, payload: dict[str, Any], *, act: Act, region_id: int | None = None, hand_over: bool = True
) -> int:
    """Put a job on record inside the open unit of work; a worker gets its id after the commit. Returns that id.

    ``payload`` is plain JSON: ids and words, never rows. Without ``hand_over`` whoever asked does it itself.
    """
    job = Job(
        kind=kind,
        # With the key of the press that asked, so that its second press can be told from another wish.
        payload=payload | ({"request_key": act.request_key} if act.request_key else {}),
        state="queued",
        region_id=region_id,
        user_id=act.viewer.user_id,
        created_at=act.recorded_at,
        attempts=0,
        progress=0,
        cancel_asked=False,
    )
    db.session.add(job)
    db.session.flush()
    if hand_over:
        hand_over_after_commit(job.id)
    return job.id


def asked_already(kind: str, *, act: Act) -> dict[str, Any] | None:
    """The payload of the job that this press of a button asked for already; None for a first press.

    Of two presses at the same instant the second waits here for the first.
    """
    if not act.request_key:
        return None
    hold(act.request_key)
    query = select(Job.payload).where(
        Job.kind == kind,
        Job.user_id == act.viewer.user_id,
        Job.payload["request_key"].as_string() == act.request_key,
    )
    return db.session.scalar(query.limit(1))


def ask_for_recompute(*, act: Act) -> int | None:
    """Ask for every standing and obligation to be rebuilt, because windows, holidays or a setting changed.

    None when such a job waits already; one that runs may have passed some enterprises, so it does not count. The
    waiting one is held until the commit: begun before, it would not see what is being changed.
    """
    query = select(Job.payload).where(Job.kind == "recompute", Job.state == "queued").with_for_update()
    if any(payload.get("all") for payload in db.session.scalars(query)):
        return None
    return ask_for("recompute", {"all": True}, act=act)


def cancel(job_id: int, act: Act) -> None:
    """Cancel a job that waits; ask one that runs to stop at its next step.

    Raises NotFound, NotAllowed for somebody else's job, Refused when it has ended.
    """
    job = visible_record(Job, job_id, act.viewer, "这个任务")
    own = job.user_id is not None and job.user_id == act.viewer.user_id
    require(own or act.viewer.has_in(job.region_id, *OFFICE), "取消别人的任务")
    waiting = update(Job).where(Job.id == job_id, Job.state == "queued")
    if db.session.execute(waiting.values(state="cancelled", cancel_asked=True, finished_at=act.recorded_at)).rowcount:
        imports.job_was_cancelled(job_id, act.recorded_at)
        return
    running = update(Job).where(Job.id == job_id, Job.state == "running")
    if not db.session.execute(running.values(cancel_asked=True)).rowcount:
        raise Refused("这个任务已经结束，不用取消。")
