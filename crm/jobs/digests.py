"""Queueing the week's digests; sending them is another job."""

from datetime import date, datetime
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError

from crm.actions import digests
from crm.actions.jobs import ask_for
from crm.domain.acts import Act
from crm.extensions import db
from crm.jobs.days import local_now, machine_act, today
from crm.jobs.registry import Progress, work
from crm.store.unit_of_work import unit_of_work

log = structlog.get_logger("crm.jobs")


@work("digest")
def queue_week(progress: Progress, payload: dict[str, Any]) -> dict[str, int]:
    """Queue what is owed for the week of ``on`` (default today). ``by_the_clock``: not before the region's hour."""
    on = date.fromisoformat(payload["on"]) if payload.get("on") else today()
    by_the_clock = bool(payload.get("by_the_clock"))
    week = queue_digests(on, machine_act("digest", on=on), now=local_now(), by_the_clock=by_the_clock)
    return {"queued": week.queued, "already": week.already, **week.counts}


def queue_digests(on: date, act: Act, *, now: datetime, by_the_clock: bool = False) -> digests.Week:
    """Compose outside the write lock, queue within it, ask a worker to send. Doing it again queues nothing twice."""
    while True:
        prepared, week = digests.prepare(on, now=now, by_the_clock=by_the_clock)
        db.session.rollback()
        if not prepared:
            return week
        try:
            with unit_of_work():
                digests.queue(prepared, act=act)
                ask_for("send_outbox", {}, act=act)
            return week
        except IntegrityError:
            # Another process queued some of them in this moment; now that its rows are there we see what is left.
            log.info("digests were queued by another process", week=week.week)
