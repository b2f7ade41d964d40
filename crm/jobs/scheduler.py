"""The clock: one process of its own that says when, by claim rows that make a second one harmless."""

import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from flask import Flask, current_app
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from crm.extensions import db
from crm.jobs import heartbeats
from crm.jobs.days import zone
from crm.jobs.running import process_name
from crm.jobs.schedule import TIMETABLE, Entry, at_start
from crm.store.jobs import JobClaim
from crm.store.unit_of_work import unit_of_work

# Entries only ask for jobs or tidy up, which takes seconds: a claim open for longer belongs to a process that died.
DEAD_AFTER = timedelta(minutes=5)
LOOK_AGAIN_MINUTES = 5

log = structlog.get_logger("crm.jobs")


def serve(app: Flask) -> None:
    """Keep the timetable in the foreground until TERM or INT."""
    # Imported here: web and worker processes load this room without ever needing a clock.
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.blocking import BlockingScheduler

    where = ZoneInfo(app.config["TZ_NAME"])
    scheduler = BlockingScheduler(
        timezone=where,
        executors={"default": ThreadPoolExecutor(2)},
        # Missed runs are made up for, once; what is owed is decided by data and claims, not by the clock's memory.
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )
    for entry in TIMETABLE:
        scheduler.add_job(tick, "cron", args=[app, entry], id=entry.name, timezone=where, **entry.cron())
    scheduler.add_job(catch_up, "interval", args=[app], id="catch_up", minutes=LOOK_AGAIN_MINUTES)
    stopping = threading.Event()

    def stop(*_: Any) -> None:
        stopping.set()
        if scheduler.running:
            scheduler.shutdown(wait=False)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log.info("scheduler started", name=process_name())
    with heartbeats.beating(app, heartbeats.SCHEDULER, forget_at_end=False):
        with app.app_context():
            _guarded("at_start", at_start, datetime.now(UTC).astimezone(where))
        catch_up(app)
        if not stopping.is_set():
            scheduler.start()
    log.info("scheduler stopped", name=process_name())


def tick(app: Flask, entry: Entry) -> None:
    """One firing of one entry."""
    with app.app_context():
        local = datetime.now(UTC).astimezone(zone())
        slot = entry.slot(local)
        if slot is not None:
            run_slot(entry, slot, local)


def catch_up(app: Flask) -> None:
    """Run whatever today's claims lack: missed while no clock ran, or left open by one that died."""
    with app.app_context():
        local = datetime.now(UTC).astimezone(zone())
        for entry in TIMETABLE:
            slot = entry.slot(local)
            if slot is not None and (entry.every != "minute" or _died(entry, slot)):
                run_slot(entry, slot, local)


def run_slot(entry: Entry, slot: str, local: datetime) -> bool:
    """Run an entry for a slot unless somebody has; False when it was not ours to run."""
    if not claim(entry.name, slot):
        return False
    state, result = _guarded(entry.name, entry.run, local)
    with unit_of_work() as work:
        work.execute(
            update(JobClaim)
            .where(JobClaim.name == entry.name, JobClaim.slot == slot, JobClaim.worker == process_name())
            .values(state=state, finished_at=datetime.now(UTC), result=result)
        )
    return True


def claim(name: str, slot: str) -> bool:
    """Make the slot ours: by inserting its row, or by taking it over from a process that died with it."""
    now = datetime.now(UTC)
    try:
        with unit_of_work() as work:
            taken = work.execute(
                update(JobClaim)
                .where(JobClaim.name == name, JobClaim.slot == slot, JobClaim.state == "running")
                .where(JobClaim.started_at < now - dead_after())
                .values(worker=process_name(), started_at=now)
                .execution_options(synchronize_session=False)
            )
            if taken.rowcount == 1:
                return True
            if work.get(JobClaim, (name, slot)) is not None:
                return False
            work.add(JobClaim(name=name, slot=slot, worker=process_name(), state="running", started_at=now))
    except IntegrityError:
        return False
    return True


def dead_after() -> timedelta:
    """How long an open claim is believed; shortened by configuration in tests."""
    return current_app.config.get("CLAIM_DEAD_AFTER", DEAD_AFTER)


def _died(entry: Entry, slot: str) -> bool:
    found = db.session.get(JobClaim, (entry.name, slot))
    return found is not None and found.state == "running" and found.started_at < datetime.now(UTC) - dead_after()


def _guarded(name: str, run, local: datetime) -> tuple[str, dict[str, Any]]:
    """A fault in one entry is noted and leaves the clock running."""
    try:
        result = run(local)
    except Exception as error:
        db.session.rollback()
        log.exception("timetable entry failed", entry=name)
        return "failed", {"error": type(error).__name__}
    counts = {k: v for k, v in result.items() if isinstance(v, int) and v}
    if counts:
        log.info("timetable entry done", entry=name, **counts)
    return "done", result
