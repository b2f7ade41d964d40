"""库内有、名单无: whom a full list does not name, and what is worth checking about each. Nothing is ended by itself."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.import_library import chunks
from crm.domain.kinds import HELD_STATES, KINDS
from crm.domain.titles import title_state
from crm.domain.viewers import Viewer
from crm.extensions import db, policy
from crm.store.enterprises import Enterprise
from crm.store.pending_facts import affiliations_on, applications_in_hand, titles_of
from crm.store.qualifications import Qualification
from crm.store.scope import standing_rule
from crm.store.standings import Standing
from crm.store.windows import calendar

# What to look into first, by what the library knows on the day: the firm is gone, it has left, its title ran out and
# was not renewed in this list, or the list left it out.
DEREGISTERED, MOVED_OUT, NOT_RENEWED, LEFT_OUT = "deregistered", "moved_out", "not_renewed", "left_out"
CHECKS = (DEREGISTERED, MOVED_OUT, NOT_RENEWED, LEFT_OUT)
_BY_STATUS = {"deregistered": DEREGISTERED, "licence_revoked": DEREGISTERED, "moved_out": MOVED_OUT}
# Held only because the day of the next round or announcement has not come.
_CARRIED = frozenset({"awaiting_update", "renewing"})

# (enterprise, kind of title) that a list names; the kind is None where it is a list of enterprises.
Named = set[tuple[int, str | None]]


def check_of(status: str | None, state: str | None) -> str:
    """What is worth checking first about a firm that a full list lacks: pure.

    ``status`` is its 存续状态, ``state`` that of the title the list is about, None for a list of enterprises.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return NOT_RENEWED if state in _CARRIED else LEFT_OUT


def missing_enterprises(found: set[int], *, region_id: int, on: date, viewer: Viewer) -> list[dict[str, Any]]:
    """The visible enterprises of a region that a full list does not name, in the order of names."""
    query = _firms(region_id, viewer)
    firms = [row for row in db.session.execute(query) if row.id not in found]
    missing = []
    for chunk in chunks(firms):
        statuses = affiliations_on([row.id for row in chunk], on, None)
        missing += [_entry(row, statuses.get(row.id, {}).get("status")) for row in chunk]
    return missing


def missing_holders(
    named: Named, kinds: Iterable[str], *, region_id: int, on: date, viewer: Viewer
) -> list[dict[str, Any]]:
    """Who holds one of these titles on a day and is not named with it by a full list of them, in the order of names.

    A title is held while it is valid and while it waits for its round (待更新, 重新认定中); one that has lapsed, was
    revoked or ended is not missed.
    """
    wanted = [kind for kind in KINDS if kind in set(kinds)]
    holders = select(Qualification.enterprise_id).where(
        Qualification.kind.in_(wanted), ~Qualification.deleted, Qualification.superseded_at.is_(None)
    )
    firms = list(db.session.execute(_firms(region_id, viewer).where(Enterprise.id.in_(holders))))
    rounds = calendar().of(region_id)
    missing = []
    for chunk in chunks(firms):
        ids = [row.id for row in chunk]
        titles, applied = titles_of(ids, None), applications_in_hand(ids, None)
        statuses = affiliations_on(ids, on, None)
        for row in chunk:
            for kind in wanted:
                if (row.id, kind) in named:
                    continue
                facts = [fact for fact in titles.get(row.id, ()) if fact.kind == kind]
                years = [one.year for one in applied.get(row.id, ()) if one.kind == kind]
                state = title_state(kind, facts, on, terms=policy.ladder.terms, rounds=rounds, applied=years)
                if state in HELD_STATES:
                    last = max((fact.valid_to for fact in facts if fact.valid_to is not None), default=None)
                    missing.append(_entry(row, statuses.get(row.id, {}).get("status"), kind, state, last))
    return missing


def _firms(region_id: int, viewer: Viewer) -> Any:
    return (
        select(Enterprise.id, Enterprise.credit_code, Enterprise.name)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .where(Standing.region_id == region_id, standing_rule(viewer), ~Enterprise.deleted)
        .order_by(Standing.name_sort, Enterprise.id)
    )


def _entry(
    row: Any, status: str | None, kind: str | None = None, state: str | None = None, valid_to: date | None = None
) -> dict[str, Any]:
    """One firm as it is kept with the preview: plain JSON."""
    entry = {"id": row.id, "credit_code": row.credit_code, "name": row.name, "check": check_of(status, state)}
    if kind is not None:
        entry |= {"kind": kind, "state": state, "valid_to": valid_to.isoformat() if valid_to else None}
    return entry
