"""Jobs (the truth about long work) and the claims of the timetable. Machine tables."""

from datetime import datetime, timedelta

from sqlalchemy import Boolean, ColumnElement, ForeignKey, Index, Integer, false, func, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Machine, Model
from crm.store.types import BigId, Json, Moment, Words

STATES = ("queued", "running", "done", "failed", "cancelled")


class Job(Machine, Model):
    __table_args__ = (Index("ix_job_state", "state", "lease_until"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(Words(40))
    payload: Mapped[dict] = mapped_column(Json)
    state: Mapped[str] = mapped_column(Words(12))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    worker: Mapped[str | None] = mapped_column(Words(80))
    lease_until: Mapped[datetime | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    progress: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int | None] = mapped_column(Integer)
    cancel_asked: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    result: Mapped[dict | None] = mapped_column(Json)
    error: Mapped[str | None] = mapped_column(Words(500))
    created_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class JobClaim(Machine, Model):
    """One run of a timetabled job: whoever inserts the row runs the slot; it is also the run history."""

    name: Mapped[str] = mapped_column(Words(40), primary_key=True)
    slot: Mapped[str] = mapped_column(Words(40), primary_key=True)
    worker: Mapped[str] = mapped_column(Words(80))
    state: Mapped[str] = mapped_column(Words(12))  # running, done, failed
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    result: Mapped[dict | None] = mapped_column(Json)


class Heartbeat(Machine, Model):
    """When the scheduler and each worker were last alive, for /readyz and the desk."""

    name: Mapped[str] = mapped_column(Words(80), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Moment)


# Older failures were seen, or nobody will look at them any more.
FAILED_DAYS = 7


def lately_failed(now: datetime) -> ColumnElement[bool]:
    """Jobs that were asked for within FAILED_DAYS and failed for good."""
    return (Job.state == "failed") & (Job.created_at >= now - timedelta(days=FAILED_DAYS))


def claims(*, limit: int = 30, leave_out: tuple[str, ...] = ()) -> list[JobClaim]:
    """The last runs of the timetable, newest first."""
    query = select(JobClaim).where(JobClaim.name.not_in(leave_out)).order_by(JobClaim.started_at.desc(), JobClaim.name)
    return list(db.session.scalars(query.limit(limit)))


def last_run_of_each() -> dict[str, JobClaim]:
    """The newest run of each timetabled job by name."""
    newest = select(JobClaim.name, func.max(JobClaim.started_at).label("at")).group_by(JobClaim.name).subquery()
    query = select(JobClaim).join(newest, (newest.c.name == JobClaim.name) & (newest.c.at == JobClaim.started_at))
    return {claim.name: claim for claim in db.session.scalars(query)}


def heartbeats() -> list[Heartbeat]:
    """Scheduler and workers that said they were alive, by name."""
    return list(db.session.scalars(select(Heartbeat).order_by(Heartbeat.name)))


def waiting(kind: str, states: tuple[str, ...] = ("queued", "running")) -> bool:
    """Whether a job of this kind waits or runs already: asking for another would only do the same again."""
    query = select(Job.id).where(Job.kind == kind, Job.state.in_(states)).limit(1)
    return db.session.scalar(query) is not None
