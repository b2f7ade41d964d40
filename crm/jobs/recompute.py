"""Standings and obligations are functions of the day: recomputed every night, and when windows or holidays change."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from crm.extensions import db
from crm.jobs.days import moment_of, today
from crm.jobs.registry import Progress, work
from crm.store import projections
from crm.store.enterprises import Enterprise
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work

# One chunk is one short transaction: others may save between two of them.
CHUNK = 1000


@work("recompute")
def recompute(progress: Progress, payload: dict[str, Any]) -> dict[str, int]:
    """Rebuild the projections of all enterprises that were not yet computed for the day.

    ``on``: the day (default today). ``all``: also those already computed for it, because what they are judged by has
    changed (windows, holidays, a setting). Running it again after a crash goes on where it stopped.
    """
    on = date.fromisoformat(payload["on"]) if payload.get("on") else today()
    ids = projections.all_ids() if payload.get("all") else _not_computed_for(on)
    return {"enterprises": refresh_all(progress, ids, on)}


def recompute_stale(on: date) -> int:
    """Refresh the standings whose day of change has come, without a job; for a start after a long pause."""
    ids = projections.stale_ids(on)
    return refresh_all(None, ids, on)


def refresh_missing(on: date) -> int:
    """Refresh whatever was not yet computed for a day, without a job; for commands that read the result at once."""
    return refresh_all(None, _not_computed_for(on), on)


def refresh_all(progress: Progress | None, ids: list[int], on: date) -> int:
    """Rebuild these enterprises chunk by chunk, each in a unit of its own."""
    db.session.rollback()
    for start in range(0, len(ids), CHUNK):
        if progress is not None:
            progress.step(start, len(ids))
        with unit_of_work():
            if progress is not None:
                progress.confirm()
            projections.refresh(ids[start : start + CHUNK], at=_at(on))
    if progress is not None:
        progress.step(len(ids), len(ids))
    return len(ids)


def _at(on: date) -> datetime:
    return datetime.now(UTC) if on == today() else moment_of(on)


def _not_computed_for(on: date) -> list[int]:
    """Enterprises without a standing of this day, in the order of their ids."""
    query = (
        select(Enterprise.id)
        .outerjoin(Standing, Standing.enterprise_id == Enterprise.id)
        .where(~Enterprise.deleted, Standing.computed_on.is_distinct_from(on))
    )
    return list(db.session.scalars(query.order_by(Enterprise.id)))
