"""A unit of work: one write transaction, opened late and held briefly, after whose commit the jobs it made are handed over."""

from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from crm.extensions import carrier, db
from crm.store.engine import writing_transactions


class DatabaseBusy(Exception):
    """Another writer held the database longer than we wait; nothing was written."""


class NestedUnitOfWork(RuntimeError):
    """A unit of work was opened inside another: actions never open one, doors open one per action."""


def is_busy(error: Exception) -> bool:
    """Whether a driver's error means “somebody else is writing” and not a fault of ours."""
    text = str(getattr(error, "orig", error)).lower()
    return "database is locked" in text or "database table is locked" in text or "lock timeout" in text


@contextmanager
def unit_of_work():
    """Open a write transaction on the current session, commit at the end, roll everything back on any error.

    On SQLite it is BEGIN IMMEDIATE: whoever holds it is the only writer, so hashing, parsing, rendering and mail
    stay outside. Raises DatabaseBusy when the lock could not be had in time.
    """
    session = db.session()
    if session.info.get("writing"):
        raise NestedUnitOfWork
    # Whatever this request has read belongs to an older snapshot; the decision reads again under the lock.
    session.rollback()
    session.info["writing"] = True
    session.info["new_jobs"] = []
    try:
        with writing_transactions():
            session.connection()
        yield session
        session.commit()
        new_jobs = session.info["new_jobs"]
    except OperationalError as error:
        session.rollback()
        if is_busy(error):
            raise DatabaseBusy from error
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("writing", None)
        session.info.pop("new_jobs", None)
    for job_id in new_jobs:
        carrier.send(job_id)


def hand_over_after_commit(job_id: int) -> None:
    """Remember a job made in this unit of work; its id goes to the carrier once the row is really there."""
    db.session().info["new_jobs"].append(job_id)
