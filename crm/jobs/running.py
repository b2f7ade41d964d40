"""Doing one job: claimed by one worker, kept by a lease, ended with one sentence for people."""

import os
import secrets
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import structlog
from flask import Flask, current_app
from sqlalchemy import and_, or_, select, update

from crm.domain.refusals import Refused
from crm.extensions import carrier, db
from crm.jobs import registry
from crm.jobs.registry import Cancelled, LeaseLost, Progress, lease_seconds
from crm.store.jobs import Job
from crm.store.unit_of_work import DatabaseBusy, is_busy, is_full, unit_of_work

MOST_ATTEMPTS = 3
FAULT = "出了意外，没有做完，什么也没有写入。可以再做一次；再不行，把编号 {job} 告诉系统管理员。"
GIVEN_UP = "试了三次都中断，不再自动重试。把编号 {job} 告诉系统管理员。"
FULL = "磁盘满了，没有做完，这一步没有写入。清出空间后再做一次。"
UNKNOWN = "这一版程序不认识这种任务，没有做。"

log = structlog.get_logger("crm.jobs")


def process_name() -> str:
    """This process, as heartbeats and claims name it."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def run(job_id: int) -> str | None:
    """Do a job if it is free, and return the state it ended in; None when another worker has it or it has ended.

    A job is free while it waits, or when the lease of whoever ran it has passed. It is claimed by compare-and-set, so
    of any number of workers one does it.
    """
    worker = f"{process_name()}:{secrets.token_hex(4)}"
    job = _claim(job_id, worker)
    if job is None:
        return None
    kind, payload, attempts = job
    progress = Progress(job_id, worker)
    registry.load()
    work = carrier.registry.get(kind)
    if work is None:
        log.error("job of unknown kind", job=job_id, kind=kind)
        return _end(progress, "failed", error=UNKNOWN)
    if attempts > MOST_ATTEMPTS:
        log.error("job given up", job=job_id, kind=kind, attempts=attempts - 1)
        return _end(progress, "failed", error=GIVEN_UP.format(job=job_id))
    try:
        with _kept_alive(progress):
            result = work(progress, payload)
    except Cancelled:
        log.info("job cancelled", job=job_id, kind=kind)
        return _end(progress, "cancelled")
    except LeaseLost:
        db.session.rollback()
        log.warning("job lost to another worker", job=job_id, kind=kind)
        return None
    except Refused as refusal:
        log.info("job refused", job=job_id, kind=kind, refusal=type(refusal).__name__)
        return _end(progress, "failed", error=refusal.message[:500])
    except Exception as error:
        db.session.rollback()
        if (isinstance(error, DatabaseBusy) or is_busy(error)) and attempts < MOST_ATTEMPTS:
            log.warning("database busy, job waits again", job=job_id, kind=kind)
            return _end(progress, "queued")
        if is_full(error):
            log.error("disk full, job failed", job=job_id, kind=kind)
            return _end(progress, "failed", error=FULL)
        log.exception("job failed", job=job_id, kind=kind)
        return _end(progress, "failed", error=FAULT.format(job=job_id))
    log.info("job done", job=job_id, kind=kind, attempts=attempts, **_numbers(result))
    return _end(progress, "done", result=result)


def free(now: datetime):
    """The condition under which a worker may take a job."""
    return or_(Job.state == "queued", and_(Job.state == "running", Job.lease_until < now))


def _claim(job_id: int, worker: str) -> tuple[str, dict, int] | None:
    now = datetime.now(UTC)
    with unit_of_work() as work:
        taken = work.execute(
            update(Job)
            .where(Job.id == job_id, free(now))
            .values(
                state="running",
                worker=worker,
                lease_until=now + timedelta(seconds=lease_seconds()),
                attempts=Job.attempts + 1,
                started_at=now,
                finished_at=None,
                error=None,
            )
            .execution_options(synchronize_session=False)
        )
        if taken.rowcount != 1:
            return None
        row = work.execute(select(Job.kind, Job.payload, Job.attempts).where(Job.id == job_id)).one()
        return row[0], row[1], row[2]


def _end(progress: Progress, state: str, *, error: str | None = None, result: dict | None = None) -> str | None:
    """Close the job if it is still ours."""
    db.session.rollback()
    values = {"state": state, "error": error, "result": result, "lease_until": None}
    if state != "queued":
        values["finished_at"] = datetime.now(UTC)
    with unit_of_work() as work:
        ended = work.execute(
            update(Job)
            .where(Job.id == progress.job_id, Job.state == "running", Job.worker == progress.worker)
            .values(values)
            .execution_options(synchronize_session=False)
        )
    return state if ended.rowcount == 1 else None


@contextmanager
def _kept_alive(progress: Progress):
    """Renew the lease from a thread of its own, so that a long step without news is not taken for a dead worker."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(_beat_seconds(app)):
            with app.app_context():
                try:
                    with unit_of_work():
                        ours = progress.renew()
                except Exception:
                    # The next beat tries again; when all fail the lease passes, and the work finds that out itself.
                    log.warning("lease not renewed", job=progress.job_id, exc_info=True)
                    continue
                if not ours:
                    return

    thread = threading.Thread(target=beat, name=f"lease-{progress.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat_seconds(app: Flask) -> float:
    with app.app_context():
        return lease_seconds() / 3


def _numbers(result: dict | None) -> dict[str, int]:
    """The counts of a result, for the log; words and names stay out of it."""
    return {f"n_{name}": value for name, value in (result or {}).items() if isinstance(value, int)}
