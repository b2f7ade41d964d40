"""Which function does which kind of work, and what that function is given to say how far it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from crm.extensions import carrier, db
from crm.store.jobs import Job
from crm.store.unit_of_work import unit_of_work

# How long a worker may stay silent before another takes its job over; renewed every third of it.
LEASE_SECONDS = 60.0

Work = Callable[["Progress", dict[str, Any]], dict[str, Any] | None]


class Cancelled(Exception):
    """Somebody asked for the job to be cancelled; raised between two steps and before a step is committed."""


class LeaseLost(Exception):
    """The job was taken over by another worker, or ended: whatever is in hand must not be committed."""


def work(kind: str) -> Callable[[Work], Work]:
    """Register a function as the work of a kind: ``fn(progress, payload) -> result``.

    It runs in a worker, inside an application context and outside any unit of work: it is a door, reads the clock and
    opens units of its own. After a crash it is run again from the start with the same payload, so it must be
    idempotent; a request key made of the job's id (``progress.request_key``) is enough for one write.
    """

    def register(function: Work) -> Work:
        carrier.registry[kind] = function
        return function

    return register


def load() -> None:
    """Import every module of this room, so that each registers its work."""
    package = import_module("crm.jobs")
    for module in iter_modules(package.__path__):
        import_module(f"crm.jobs.{module.name}")


def lease_seconds() -> float:
    """The length of a lease; shortened by configuration in tests."""
    return float(current_app.config.get("JOB_LEASE_SECONDS", LEASE_SECONDS))


class Progress:
    """How far one run of a job is. Every write checks that the job is still this worker's."""

    def __init__(self, job_id: int, worker: str) -> None:
        self.job_id = job_id
        self.worker = worker

    @property
    def request_key(self) -> str:
        """The same for every attempt of this job: an act with it writes once."""
        return f"job-{self.job_id}"

    def step(self, done: int, total: int | None = None) -> None:
        """Say how far the work is, in a short unit of its own. Raises Cancelled when asked to stop, LeaseLost."""
        with unit_of_work():
            self.confirm()
            values: dict[str, Any] = {"progress": done}
            if total is not None:
                values["total"] = total
            db.session.execute(update(Job).where(Job.id == self.job_id).values(values))

    def confirm(self) -> None:
        """Inside the work's own unit of work: go on only while the job is ours and wanted, so that nothing is
        committed twice, and nothing that somebody asked to stop.

        Raises LeaseLost and Cancelled, which roll that unit back.
        """
        if not self.renew():
            raise LeaseLost
        if db.session.scalar(select(Job.cancel_asked).where(Job.id == self.job_id)):
            raise Cancelled

    def renew(self) -> bool:
        """Prolong the lease inside the open unit of work; False when the job is no longer this worker's."""
        now = datetime.now(UTC)
        result = db.session.execute(
            update(Job)
            .where(Job.id == self.job_id, Job.state == "running", Job.worker == self.worker)
            .values(lease_until=now + timedelta(seconds=lease_seconds()))
            .execution_options(synchronize_session=False)
        )
        return result.rowcount == 1
