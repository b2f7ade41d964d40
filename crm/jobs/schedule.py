"""The whole timetable on one page. Times are those of the county (TZ_NAME).

every night 00:10     recompute            standings and obligations of the new day
every hour            digest               this week's digests for whoever lacks one: data decide, not the clock
every minute          send_outbox          a safety net: messages ready and nobody sending
every minute          put_back_lost_jobs   jobs whose id was lost, jobs whose worker died
every night 03:30     prune                ended sessions, throttles, old claims, bytes without a record
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from crm.actions import digests
from crm.actions.jobs import ask_for
from crm.extensions import carrier, db
from crm.jobs.days import machine_act
from crm.jobs.recompute import recompute_stale
from crm.jobs.running import GIVEN_UP, MOST_ATTEMPTS
from crm.jobs.sending import settle_orphans
from crm.store import file_store, outbox
from crm.store.jobs import Heartbeat, Job, JobClaim, waiting
from crm.store.second_factors import PasswordReset
from crm.store.sessions import Throttle, UserSession
from crm.store.unit_of_work import unit_of_work

# An id that the carrier lost is handed over again after this long; one that is merely slow is not.
SLOW = timedelta(seconds=30)
KEEP_MINUTES, KEEP_CLAIMS = timedelta(days=2), timedelta(days=400)


@dataclass(frozen=True)
class Entry:
    """One line of the timetable. ``at`` is the time of a daily entry; ``every`` is day, hour or minute."""

    name: str
    every: str
    run: Callable[[datetime], dict[str, Any]]
    at: time = time(0)

    def cron(self) -> dict[str, str]:
        """The fields of the cron trigger."""
        if self.every == "day":
            return {"hour": str(self.at.hour), "minute": str(self.at.minute), "second": "0"}
        return {"hour": "*", "minute": "0" if self.every == "hour" else "*", "second": "0"}

    def slot(self, local: datetime) -> str | None:
        """The slot that a moment belongs to; None while today's time has not come."""
        if self.every == "day":
            return local.date().isoformat() if local.time() >= self.at else None
        return local.strftime("%Y-%m-%dT%H" if self.every == "hour" else "%Y-%m-%dT%H:%M")


def ask_to_recompute(local: datetime) -> dict[str, Any]:
    """A worker recomputes, for the day on which it does so; one that began yesterday does not count."""
    return _ask("recompute", {}, local, unless=("queued",))


def ask_for_digests(local: datetime) -> dict[str, Any]:
    """Ask for the week's digests if anybody lacks one; a job that lay over New Year must not bring last year's."""
    if not digests.owed(local.date(), now=local):
        return {"asked": 0}
    return _ask("digest", {"by_the_clock": True}, local)


def ask_to_send(local: datetime) -> dict[str, Any]:
    """Name what a dead worker left half sent, and ask for the rest to be sent if nobody is at it."""
    uncertain = settle_orphans()
    if not outbox.anything_ready(local):
        return {"asked": 0, "uncertain": uncertain}
    return _ask("send_outbox", {}, local) | {"uncertain": uncertain}


def put_back_lost_jobs(local: datetime) -> dict[str, Any]:
    """Hand over again: jobs that wait and that the carrier does not know, jobs whose worker's lease has passed."""
    lost = _lost(local)
    query = select(Job.id, Job.state, Job.attempts).where(lost).order_by(Job.id)
    rows = db.session.execute(query).all()
    db.session.rollback()
    known = {task.args[0] for task in carrier.huey.pending() if task.args} if rows else set()
    sent = given_up = 0
    for job_id, state, attempts in rows:
        if state == "running" and attempts >= MOST_ATTEMPTS:
            given_up += _give_up(job_id, local)
        elif job_id not in known:
            carrier.send(job_id)
            sent += 1
    return {"sent_again": sent, "given_up": given_up}


def _lost(local: datetime):
    """Waiting for longer than it takes to be picked up, or running under a lease that has passed."""
    return ((Job.state == "queued") & (Job.created_at < local - SLOW)) | (
        (Job.state == "running") & (Job.lease_until < local)
    )


def _give_up(job_id: int, local: datetime) -> int:
    with unit_of_work() as work:
        ended = work.execute(
            update(Job)
            .where(Job.id == job_id, Job.state == "running", Job.lease_until < local)
            .values(state="failed", error=GIVEN_UP.format(job=job_id), finished_at=local, lease_until=None)
            .execution_options(synchronize_session=False)
        )
    return ended.rowcount


def prune(local: datetime) -> dict[str, Any]:
    """Take out what only the machinery needed and needs no more; nothing of the domain."""
    statements = {
        "sessions": delete(UserSession).where(UserSession.seen_at < local - timedelta(days=2)),
        "password_resets": delete(PasswordReset).where(PasswordReset.expires_at < local - timedelta(days=2)),
        "throttles": delete(Throttle).where(Throttle.filled_at < local - timedelta(days=1)),
        "minutes": delete(JobClaim).where(
            JobClaim.name.in_([entry.name for entry in TIMETABLE if entry.every == "minute"]),
            JobClaim.started_at < local - KEEP_MINUTES,
        ),
        "claims": delete(JobClaim).where(JobClaim.started_at < local - KEEP_CLAIMS),
        "heartbeats": delete(Heartbeat).where(Heartbeat.seen_at < local - timedelta(days=1)),
    }
    gone = {}
    for name, statement in statements.items():
        with unit_of_work() as work:
            gone[name] = work.execute(statement.execution_options(synchronize_session=False)).rowcount
    # Whatever day it is run for, the age of a file is counted from the present moment.
    return gone | {"files": file_store.sweep(now=datetime.now(UTC))}


def _ask(
    kind: str, payload: dict[str, Any], local: datetime, *, unless: tuple[str, ...] = ("queued", "running")
) -> dict[str, Any]:
    with unit_of_work():
        if waiting(kind, unless):
            return {"asked": 0}
        return {"asked": 1, "job": ask_for(kind, payload, act=machine_act("schedule", on=local.date()))}


def at_start(local: datetime) -> dict[str, Any]:
    """Once when the scheduler starts: whatever changed while nobody was there, before anybody reads it."""
    return {"stale": recompute_stale(local.date()), **put_back_lost_jobs(datetime.now(UTC))}


TIMETABLE: tuple[Entry, ...] = (
    Entry("recompute", "day", ask_to_recompute, time(0, 10)),
    Entry("digest", "hour", ask_for_digests),
    Entry("send_outbox", "minute", ask_to_send),
    Entry("put_back_lost_jobs", "minute", put_back_lost_jobs),
    Entry("prune", "day", prune, time(3, 30)),
)
