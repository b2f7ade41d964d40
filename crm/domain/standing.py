"""Where an enterprise stands on a day: titles held, their states, the rung, and when the answer may next differ."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

from crm.domain.kinds import HELD_STATES, KINDS, POOL
from crm.domain.periods import Citation, Term, TitleFact, holds_on
from crm.domain.rounds import Round
from crm.domain.titles import Course, Run, course_of

_DAY = timedelta(days=1)
IN_POOL = "in_pool"
PROPOSED = "proposed"


@dataclass(frozen=True)
class RungEntry:
    """A kind of title (or ``pool``) puts its holder on this rung; ``valid_from`` and ``valid_to`` are inclusive."""

    kind: str
    rung: int
    valid_from: date
    valid_to: date | None
    citation: Citation


@dataclass(frozen=True)
class Ladder:
    """The dated ladder: which rung a kind stands for, and the terms of each kind."""

    rungs: tuple[RungEntry, ...]
    terms: Mapping[str, tuple[Term, ...]]
    by_kind: dict[str, list[RungEntry]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_kind: dict[str, list[RungEntry]] = {}
        for entry in sorted(self.rungs, key=lambda entry: entry.valid_from):
            by_kind.setdefault(entry.kind, []).append(entry)
        object.__setattr__(self, "by_kind", by_kind)

    def rung_of(self, kind: str, on: date) -> int:
        """The rung of a kind on a day; 0 when the ladder says nothing of it."""
        for entry in self.by_kind.get(kind, ()):
            if holds_on(entry, on):
                return entry.rung
        return 0

    def rung_changes(self, kind: str) -> list[date]:
        """The days on which the rung of a kind may change by decree."""
        days: list[date] = []
        for entry in self.by_kind.get(kind, ()):
            days.append(entry.valid_from)
            if entry.valid_to is not None:
                days.append(entry.valid_to + _DAY)
        return days


@dataclass(frozen=True)
class PoolFact:
    """One membership of the 培育库. ``left_on`` is the first day outside it."""

    year: int | None
    pool_class: str | None
    proposed_on: date | None = None
    decided_on: date | None = None
    entered_on: date | None = None
    left_on: date | None = None


@dataclass(frozen=True)
class EnterpriseFacts:
    """What standing is a function of. ``applications`` are (kind, year) of those in hand."""

    titles: tuple[TitleFact, ...] = ()
    pool: tuple[PoolFact, ...] = ()
    applications: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Standing:
    """The answer for one day.

    ``rung`` 0 普通, 1 科技型, 2 培育库, 3 高企, 4 专精特新; ``rung_since`` the first day of the unbroken stay on it
    (None: it never stood elsewhere). ``states``: title kind → code of kinds.STATES, and "pool" → "proposed" or
    "in_pool"; a kind never held is absent. ``held``: title kinds in a held state, in the order of the ladder (the pool
    is no title and not among them). ``changes_on``: until the day before it the same facts give the same answer.
    ``next_expiry_on``: the nearest last day of validity among titles that are 有效 or 临近到期.
    """

    on: date
    rung: int
    rung_since: date | None
    states: Mapping[str, str]
    held: tuple[str, ...]
    changes_on: date | None
    next_expiry_on: date | None
    next_expiry_kind: str | None


_NOTHING: Mapping[str, str] = MappingProxyType({})
_ORDER = {kind: place for place, kind in enumerate(KINDS)}


def standing(facts: EnterpriseFacts, on: date, *, ladder: Ladder, rounds: Sequence[Round]) -> Standing:
    """Where the enterprise stands on a day, from its facts alone. Wrap ``rounds`` in RoundTable when judging many."""
    if not facts.titles and not facts.pool:
        return Standing(on, 0, None, _NOTHING, (), None, None, None)
    courses, runs = _courses(facts, ladder, rounds)
    states: dict[str, str] = {}
    held: list[str] = []
    changes_on: date | None = None
    expiry: tuple[date, str] | None = None
    for kind, course in courses.items():
        at = bisect_right(course, on, key=_first_day)
        if at < len(course):
            changes_on = _earlier(changes_on, course[at][0])
        if not at:
            continue
        state = course[at - 1][1]
        if not state:
            continue
        states[kind] = state
        if kind == POOL or state not in HELD_STATES:
            continue
        held.append(kind)
        if state in ("valid", "expiring"):
            last = _covered_until(runs[kind], on)
            if last is not None and (expiry is None or last < expiry[0]):
                expiry = (last, kind)
    for kind in courses:
        for day in ladder.rung_changes(kind):
            if day > on:
                changes_on = _earlier(changes_on, day)
    rung, since = _rung(courses, on, ladder)
    return Standing(
        on, rung, since, states, tuple(held), changes_on, expiry[0] if expiry else None, expiry[1] if expiry else None
    )


def _courses(
    facts: EnterpriseFacts, ladder: Ladder, rounds: Sequence[Round]
) -> tuple[dict[str, Course], dict[str, list[Run]]]:
    """Every kind's states over time, in the order of the ladder and the pool last, and the runs behind them."""
    by_kind: dict[str, list[TitleFact]] = {}
    for fact in facts.titles:
        by_kind.setdefault(fact.kind, []).append(fact)
    courses: dict[str, Course] = {}
    runs: dict[str, list[Run]] = {}
    kinds = sorted((kind for kind in by_kind if kind in _ORDER), key=_ORDER.__getitem__)
    for kind in kinds:
        years = [year for applied_kind, year in facts.applications if applied_kind == kind]
        course, found = course_of(by_kind[kind], ladder.terms, rounds, years)
        if course:
            courses[kind], runs[kind] = course, found
    if facts.pool and (course := pool_course(facts.pool)):
        courses[POOL] = course
    return courses, runs


def pool_course(pool: Sequence[PoolFact]) -> Course:
    """The states of the pool over time; "" = outside it.

    In the pool from the day of entry, else of the decision; proposed (拟入库) from the day of the proposal until then.
    A record without any day is no decision: it counts as proposed from the start of its year.
    """
    spans: list[tuple[date, date | None, str]] = []
    for fact in pool:
        entered = fact.entered_on or fact.decided_on
        proposed = fact.proposed_on
        if proposed is None and entered is None and fact.year is not None:
            proposed = date(fact.year, 1, 1)
        if proposed is not None and (entered is None or proposed < entered):
            spans.append((proposed, _sooner(entered, fact.left_on), PROPOSED))
        if entered is not None:
            spans.append((entered, fact.left_on, IN_POOL))
    days = sorted({day for start, end, _ in spans for day in (start, end) if day is not None})
    course: Course = []
    for day in days:
        now = {state for start, end, state in spans if start <= day and (end is None or day < end)}
        state = IN_POOL if IN_POOL in now else PROPOSED if now else ""
        if state != (course[-1][1] if course else ""):
            course.append((day, state))
    return course


def _sooner(one: date | None, other: date | None) -> date | None:
    return min(one, other) if one is not None and other is not None else one or other


def _earlier(known: date | None, day: date) -> date:
    return day if known is None or day < known else known


def _first_day(step: tuple[date, str]) -> date:
    return step[0]


def _covered_until(runs: list[Run], on: date) -> date | None:
    """The last covered day of the run that covers this day."""
    for run in runs:
        if run.start <= on and (run.last is None or on <= run.last):
            return run.last
    return None


def _rung(courses: Mapping[str, Course], on: date, ladder: Ladder) -> tuple[int, date | None]:
    """The rung of a day and the first day of the unbroken stay on it, walking back over the days anything changed."""
    days: set[date] = set()
    for kind, course in courses.items():
        days.update(day for day, _ in course if day <= on)
        days.update(day for day in ladder.rung_changes(kind) if day <= on)
    rung = _rung_on(courses, on, ladder)
    since: date | None = None
    for day in sorted(days, reverse=True):
        if _rung_on(courses, day, ladder) != rung:
            return rung, since
        since = day
    # Nothing before the first change: it stood at 0 since ever, or has stood on this rung since that change.
    return rung, since if rung else None


def _rung_on(courses: Mapping[str, Course], on: date, ladder: Ladder) -> int:
    rung = 0
    for kind, course in courses.items():
        at = bisect_right(course, on, key=_first_day)
        if at and (course[at - 1][1] in HELD_STATES or course[at - 1][1] == IN_POOL):
            rung = max(rung, ladder.rung_of(kind, on))
    return rung
