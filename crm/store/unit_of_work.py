"""A unit of work: one write transaction, opened late and held briefly, after whose commit its jobs are handed over."""

import errno
from contextlib import contextmanager

import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from crm.extensions import carrier, db
from crm.store.engine import writing_transactions

# What PostgreSQL calls a lock waited for in vain and a deadlock, and a full disk, whatever language it speaks.
_PG_BUSY = ("55P03", "40P01")
_PG_FULL = "53100"
# SQLite without room for a page, and without room for the index that readers and writers share.
_SQLITE_FULL = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")

# Every writer shares it; who decides about the whole library before writing, as an import does, has it alone.
LIBRARY = "library"

log = structlog.get_logger("crm.store")


class DatabaseBusy(Exception):
    """Another writer held the database longer than we wait; nothing was written."""


class DiskFull(Exception):
    """The disk had no room for what was to be written; nothing of it was."""


class NestedUnitOfWork(RuntimeError):
    """A unit of work was opened inside another: actions never open one, doors open one per action."""


def is_busy(error: Exception) -> bool:
    """Whether a driver's error means “somebody else is writing” and not a fault of ours."""
    cause = getattr(error, "orig", error)
    said = str(cause).lower()
    locked = "database is locked" in said or "database table is locked" in said
    return locked or getattr(cause, "sqlstate", None) in _PG_BUSY


def is_full(error: BaseException) -> bool:
    """Whether an error of a driver or of a file means that the disk has no room left."""
    cause = getattr(error, "orig", error)
    if isinstance(cause, OSError):
        return cause.errno in (errno.ENOSPC, errno.EDQUOT)
    return (
        isinstance(cause, DiskFull)
        or getattr(cause, "sqlite_errorname", None) in _SQLITE_FULL
        or getattr(cause, "sqlstate", None) == _PG_FULL
    )


@contextmanager
def unit_of_work(*, patience: float | None = None):
    """Open a write transaction on the current session, commit at the end, roll everything back on any error.

    On SQLite it is BEGIN IMMEDIATE: whoever holds it is the only writer, so hashing, parsing, rendering and mail
    stay outside. ``patience``: seconds to wait for another writer, for notes that are not worth the usual time.
    Raises DatabaseBusy when the lock could not be had in time, DiskFull when there was no room.
    """
    session = db.session()
    if session.info.get("writing"):
        raise NestedUnitOfWork
    # Whatever this request has read belongs to an older snapshot; the decision reads again under the lock.
    session.rollback()
    session.info["writing"] = True
    session.info["new_jobs"] = []
    try:
        with writing_transactions(patience=patience):
            session.connection()
        yield session
        session.commit()
        new_jobs = session.info["new_jobs"]
    except BaseException as error:
        session.rollback()
        if isinstance(error, OperationalError) and is_busy(error):
            raise DatabaseBusy from error
        if is_full(error) and not isinstance(error, DiskFull):
            raise DiskFull from error
        raise
    finally:
        session.info.pop("writing", None)
        session.info.pop("new_jobs", None)
    for job_id in new_jobs:
        try:
            carrier.send(job_id)
        except Exception:
            # It is committed: whoever asked must not hear that nothing was written. The timetable hands it over later.
            log.warning("job not handed over", job=job_id, exc_info=True)


def hand_over_after_commit(job_id: int) -> None:
    """Remember a job made in this unit of work; its id goes to the carrier once the row is really there."""
    db.session().info["new_jobs"].append(job_id)


def hold(name: str, *, shared: bool = False) -> None:
    """Until this unit of work ends, let nobody else past who holds the same name; sharers pass one another.

    On SQLite the write lock does that for everything; PostgreSQL's writers work side by side.
    """
    session = db.session()
    if session.get_bind().dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        session.execute(text(f"SELECT {lock}(hashtextextended(:name, 0))"), {"name": name})
