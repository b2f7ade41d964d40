"""What judging returned sheets needs of the library, read in sets before the first file is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from crm.actions.collection_answers import Known, known_of
from crm.actions.collections import own_collection, sheets_of
from crm.actions.import_rows import Decisions, Judged, problem_of
from crm.actions.import_words import labels
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.sheets.rows import Problem
from crm.store.collections import Collection, CollectionEnterprise
from crm.store.enterprises import Enterprise
from crm.store.intellectual_property import IntellectualProperty
from crm.store.standings import Standing


@dataclass
class Court:
    """A collection with its sheets and enterprises, and what was said of the rows judged so far."""

    row: Collection
    viewer: Viewer
    on: date
    recorded_at: datetime
    batch_id: int
    sealed: bool
    decided: Decisions
    sheets: dict[int, CollectionEnterprise]
    names: dict[int, tuple[str, str | None]]
    standings: dict[int, Standing]
    known: dict[int, Known]
    pieces: dict[int, list[IntellectualProperty]]
    choices: Mapping[str, Mapping[Any, str]]
    judged: list[Judged] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)

    def say(self, sheet: str, row: int, noun: str, **more: Any) -> Judged:
        """One more row of the preview."""
        answer = Judged(len(self.judged), sheet[:100], noun, row, **more)
        self.judged.append(answer)
        return answer


def court_of(
    collection_id: int, batch_id: int, sealed: bool, viewer: Viewer, on: date, recorded_at: datetime, decided: Decisions
) -> Court:
    """Everything judging asks for, in seven statements. Raises NotFound and NotAllowed."""
    row = own_collection(collection_id, viewer)
    sheets = {sheet.id: sheet for sheet in sheets_of(row.id, viewer)}
    ids = [sheet.enterprise_id for sheet in sheets.values()]
    query = select(Enterprise.id, Enterprise.name, Enterprise.credit_code).where(Enterprise.id.in_(ids))
    standings = select(Standing).where(Standing.enterprise_id.in_(ids))
    owned = select(IntellectualProperty).where(
        IntellectualProperty.enterprise_id.in_(ids), ~IntellectualProperty.deleted
    )
    pieces: dict[int, list[IntellectualProperty]] = {}
    for one in db.session.scalars(owned.order_by(IntellectualProperty.id)):
        pieces.setdefault(one.enterprise_id, []).append(one)
    return Court(
        row=row,
        viewer=viewer,
        on=on,
        recorded_at=recorded_at,
        batch_id=batch_id,
        sealed=sealed,
        decided=decided,
        sheets=sheets,
        names={i: (name, code) for i, name, code in db.session.execute(query)},
        standings={one.enterprise_id: one for one in db.session.scalars(standings)},
        known=known_of(ids),
        pieces=pieces,
        choices=labels(within=row.region_id),
    )


def fail(court: Court, place: str, row: int, outcome: str, code: str, message: str, **more: Any) -> Judged:
    """One row that says why a sheet is not taken."""
    column, value = more.pop("column", ""), more.pop("value", "")
    answer = court.say(place, row, "collection_enterprise", outcome=outcome, **more)
    answer.name = answer.name or place[:200]
    answer.problems = [problem_of(Problem(place[:100], row, column, "", value[:200], code, message))]
    return answer
