"""入库 → 申报 → 认定: what became of the firms that entered the pool in a year, each of them counted once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.domain.viewers import INTERNAL, Viewer
from crm.extensions import db
from crm.store.applications import Application
from crm.store.enterprises import Enterprise
from crm.store.pool import DECIDED, PoolMembership
from crm.store.qualifications import Qualification
from crm.store.scope import visible
from crm.store.standings import Standing

# The title a pool prepares for.
KIND = "hnte"
# Stages before the firm has handed anything in: it prepares, it has not applied.
PREPARING = frozenset({"reserve", "coaching"})
_PREPARING_WORDS = frozenset({"储备", "辅导"})

# What became of a firm, each in exactly one; the first four have applied.
OUTCOMES: dict[str, str] = {
    "recognised": "已认定",
    "in_hand": "申报在办",
    "not_passed": "申报未成，仍在库",
    "not_passed_out": "申报未成，已出库",
    "waiting": "在库，未申报",
    "left": "未申报，已出库",
    "held": "入库时已是高企",
}
APPLIED = ("recognised", "in_hand", "not_passed", "not_passed_out")


@dataclass(frozen=True)
class Course:
    """One enterprise of one cohort: when it entered, and what became of it."""

    enterprise_id: int
    name: str
    township_id: int | None
    manager_id: int | None
    year: int
    entered_on: date
    outcome: str
    applied_on: date | None
    recognised_on: date | None
    left_on: date | None
    leave_reason: str | None


def courses(viewer: Viewer, *, on: date, year: int | None = None) -> list[Course]:
    """Every firm that entered the pool (in ``year``), in the order of names; a firm twice in a year is one.

    Recognised is who got a 高企 title that begins on or after the day of entry and by ``on``, and held none that day.
    Who applied is told by applications of that or a later year that went beyond preparing.
    """
    query = (
        select(PoolMembership, Enterprise.name, Standing)
        .join(Enterprise, Enterprise.id == PoolMembership.enterprise_id)
        .join(Standing, Standing.enterprise_id == PoolMembership.enterprise_id)
        .where(DECIDED, PoolMembership.declined_on.is_(None), PoolMembership.year.is_not(None))
        .order_by(Standing.name_sort, PoolMembership.enterprise_id, PoolMembership.id)
    )
    if year is not None:
        query = query.where(PoolMembership.year == year)
    cohorts: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in db.session.execute(visible(query, viewer)):
        if INTERNAL not in viewer.classes_over(row.Standing):
            # Who applied is an inside matter; a department elsewhere reads public fields.
            continue
        cohorts[row[0].year, row[0].enterprise_id].append(row)
    ids = {enterprise_id for _, enterprise_id in cohorts}
    titles, applications = _titles(ids, on), _applications(ids)
    found = []
    for (cohort, enterprise_id), rows in cohorts.items():
        first, last = rows[0][0], rows[-1][0]
        entered = min(one.entered_on or one.decided_on for one, *_ in rows)
        if entered > on:
            continue
        left_on = last.left_on if last.left_on is not None and last.left_on <= on else None
        outcome, applied_on, recognised_on = _became(
            entered, left_on, titles.get(enterprise_id, ()), applications.get(enterprise_id, ()), first.year
        )
        found.append(
            Course(
                enterprise_id,
                rows[0][1],
                rows[0][2].township_id,
                rows[0][2].manager_id,
                cohort,
                entered,
                outcome,
                applied_on,
                recognised_on,
                left_on,
                last.leave_reason if left_on is not None else None,
            )
        )
    return found


@dataclass(frozen=True)
class _Title:
    begins: date
    ends: date | None


@dataclass(frozen=True)
class _Applied:
    year: int
    on: date | None
    in_hand: bool


def _became(
    entered: date, left_on: date | None, titles: Iterable[_Title], applied: Iterable[_Applied], year: int
) -> tuple[str, date | None, date | None]:
    """The outcome of a firm with the days of its first application and recognition: pure."""
    titles, tried = list(titles), [one for one in applied if one.year >= year]
    applied_on = min((one.on for one in tried if one.on is not None), default=None)
    if any(t.begins < entered and (t.ends is None or entered <= t.ends) for t in titles):
        return "held", applied_on, None
    later = sorted(t.begins for t in titles if t.begins >= entered)
    if later:
        return "recognised", applied_on, later[0]
    if any(one.in_hand for one in tried):
        return "in_hand", applied_on, None
    if tried:
        return ("not_passed" if left_on is None else "not_passed_out"), applied_on, None
    return ("waiting" if left_on is None else "left"), None, None


def _titles(ids: Iterable[int], on: date) -> Mapping[int, list[_Title]]:
    query = select(Qualification).where(
        Qualification.enterprise_id.in_(list(ids)),
        Qualification.kind == KIND,
        ~Qualification.deleted,
        Qualification.superseded_at.is_(None),
    )
    found: dict[int, list[_Title]] = defaultdict(list)
    for one in db.session.scalars(query):
        begins = one.valid_from or one.issued_on or one.announced_on or one.publicity_on
        if begins is not None and begins <= on:
            found[one.enterprise_id].append(_Title(begins, one.ended_on or one.valid_to))
    return found


def _applications(ids: Iterable[int]) -> Mapping[int, list[_Applied]]:
    query = select(Application).where(
        Application.enterprise_id.in_(list(ids)), Application.kind == KIND, ~Application.deleted
    )
    found: dict[int, list[_Applied]] = defaultdict(list)
    for one in db.session.scalars(query):
        preparing = one.stage_code in PREPARING if one.stage_code else one.stage in _PREPARING_WORDS
        if preparing and one.outcome is None:
            continue
        found[one.enterprise_id].append(_Applied(one.year, one.stage_on, one.outcome is None))
    return found


def table(found: Iterable[Course]) -> list[dict[str, Any]]:
    """One row for each year, newest first: entered, applied, recognised and every outcome; they add up."""
    by_year: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(OUTCOMES, 0))
    for one in found:
        by_year[one.year][one.outcome] += 1
    rows = []
    for year, counted in sorted(by_year.items(), reverse=True):
        rows.append(
            {
                "year": year,
                "entered": sum(counted.values()),
                "applied": sum(counted[name] for name in APPLIED),
                **counted,
            }
        )
    return rows


def narrowed(found: Iterable[Course], what: str) -> list[Course]:
    """The firms behind one number of the table."""
    if what == "entered":
        return list(found)
    wanted = APPLIED if what == "applied" else (what,)
    return [one for one in found if one.outcome in wanted]
