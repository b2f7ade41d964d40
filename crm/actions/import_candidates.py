"""Whom a row of a file may be about when no code and no name tells: candidates with evidence, never a decision."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import or_, select

from crm.actions.import_rows import LEAVE, UNMATCHED, Judged
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.store.candidates import SHORT, Candidate, Candidates, Named
from crm.store.duplicates import ORGANISATION
from crm.store.regions import Region

# Rows of which the same kind of thing is known, so that they may be decided in one press, the surest first:
# one candidate by the organisation's code, by 字号 and trade, by 字号 alone; several; none.
ONE_BY_ORGANISATION, ONE_BY_SHORT_NAME, ONE_BY_CORE = "organisation", "short_name", "core"
SEVERAL, NONE = "several", "none"
KINDS = (ONE_BY_ORGANISATION, ONE_BY_SHORT_NAME, ONE_BY_CORE, SEVERAL, NONE)
WITH_ONE = frozenset({ONE_BY_ORGANISATION, ONE_BY_SHORT_NAME, ONE_BY_CORE})


def named(values: Mapping[str, Any]) -> Named | None:
    """What a row says of its enterprise as far as candidates go by it; None without a name."""
    name = values.get("enterprise.name")
    if not name:
        return None
    return Named(
        name,
        *(values.get(f"enterprise.{code}") for code in ("credit_code", "legal_person", "contact_phone", "address")),
    )


def candidates_for(unknown: Iterable[Named], *, region_id: int, viewer: Viewer) -> Candidates:
    """The enterprises of the region that any of these names may mean, fetched in sets for the whole file."""
    here = select(Region.name).where(or_(Region.id == region_id, Region.parent_id == region_id))
    names = [one.name for one in unknown]
    places = tuple(db.session.scalars(here.order_by(Region.id))) if names else ()
    inside = viewer.has_in(region_id, *OFFICE, "case_manager")
    return Candidates(names, region_id=region_id, viewer=viewer, places=places, inside=inside)


def kept(found: Iterable[Candidate]) -> list[dict[str, Any]]:
    """Candidates as they are kept with the preview's row: plain JSON."""
    return [
        {"id": one.enterprise_id, "name": one.name, "code": one.credit_code, "evidence": one.evidence} for one in found
    ]


def kind_of(candidates: list[dict[str, Any]] | None) -> str:
    """Which of ``KINDS`` a row is, by the candidates kept with it."""
    if not candidates:
        return NONE
    if len(candidates) > 1:
        return SEVERAL
    evidence = candidates[0]["evidence"]
    return next((kind for kind in (ORGANISATION, SHORT) if kind in evidence), ONE_BY_CORE)


def counted(rows: Iterable[Judged]) -> dict[str, int]:
    """How many rows of each kind wait for a person to say whom they are about."""
    waiting = Counter(kind_of(row.candidates) for row in rows if row.outcome == UNMATCHED and row.placed != LEAVE)
    return {kind: waiting[kind] for kind in KINDS if waiting[kind]}
