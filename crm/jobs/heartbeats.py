"""Who is alive: a row per process, renewed every half minute, read by /readyz and by the page of jobs."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from crm.store.jobs import Heartbeat
from crm.store.unit_of_work import unit_of_work

SECONDS = 30.0
SCHEDULER = "scheduler"

log = structlog.get_logger("crm.jobs")


def beat(name: str) -> None:
    """Note that a process is alive, in a short unit of its own."""
    now = datetime.now(UTC)
    try:
        with unit_of_work() as work:
            mine = update(Heartbeat).where(Heartbeat.name == name).execution_options(synchronize_session=False)
            seen = work.execute(mine.values(seen_at=now))
            if seen.rowcount == 0:
                work.add(Heartbeat(name=name, seen_at=now))
    except IntegrityError:
        log.debug("heartbeat was made by another process", name=name)


def forget(name: str) -> None:
    """A process that ends in order takes its row with it."""
    with unit_of_work() as work:
        work.execute(delete(Heartbeat).where(Heartbeat.name == name))


@contextmanager
def beating(app: Flask, name: str, *, seconds: float = SECONDS, forget_at_end: bool = True):
    """Beat at once and then from a thread until the block ends.

    A beat that fails is logged and left out, whatever the reason: a database that restarts or a disk that is full
    comes back, and a thread that had died of it would say for good that nobody is alive.
    """
    stop = threading.Event()

    def keep() -> None:
        while True:
            _quietly(app, beat, name)
            if stop.wait(seconds):
                return

    thread = threading.Thread(target=keep, name=f"heartbeat-{name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
        if forget_at_end:
            _quietly(app, forget, name)


def _quietly(app: Flask, deed: Callable[[str], None], name: str) -> None:
    try:
        with app.app_context():
            deed(name)
    except Exception:
        log.warning("heartbeat left out", name=name, deed=deed.__name__, exc_info=True)
