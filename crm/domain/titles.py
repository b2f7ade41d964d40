"""Titles as dated facts: how their periods join into runs and spells, and which state a day has.

Everything is a function of recorded facts, the dated terms of the kind (crm/rules/ladder.toml) and the rounds known.
How one fact becomes a period stands in crm/domain/periods.py.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from crm.domain.kinds import KINDS
from crm.domain.periods import DAY, Period, Term, Terms, TitleFact, period_of, same_title
from crm.domain.rounds import Round, rounds_of


@dataclass(frozen=True)
class Spell:
    """Consecutive titles of one kind as one.

    ``ends_on`` is the last day a fact of it covers (None: open); days carried after that are a matter of state, not of
    the spell. ``end_reason`` is the recorded one of its last fact.
    """

    kind: str
    starts_on: date
    ends_on: date | None
    fact_ids: tuple[int, ...]
    end_reason: str | None


@dataclass(frozen=True)
class Segment:
    """A stretch of days with one state; ``ends_on`` None = until something is recorded."""

    state: str
    starts_on: date
    ends_on: date | None


class Run:
    """Periods of one kind without a day between them; ``tail`` is the one that reaches farthest."""

    __slots__ = ("last", "periods", "start", "stitched", "tail")

    def __init__(self, period: Period) -> None:
        self.start = period.start
        self.last = period.last
        self.tail = period
        self.periods = [period]
        # Whether this run continues the one before it: a renewal that came during the carry.
        self.stitched = False

    def join(self, period: Period) -> None:
        self.periods.append(period)
        if self.last is None:
            return
        if period.last is None or period.last > self.last:
            self.last, self.tail = period.last, period
        elif period.last == self.last and period.stop is not None:
            # Two records of one end: the one that says why is the one to believe.
            self.tail = period


def _tells_of(fact: TitleFact, stop: date, period: Period) -> bool:
    """Whether an end recorded on one fact also ends this other record: the same title, and its days hold that day."""
    return period.start <= stop and (period.end is None or stop <= period.end) and same_title(fact, period.fact)


def _stops(fact: TitleFact, period: Period | None) -> date | None:
    """The first day a recorded end takes the title away; None for no such record."""
    if fact.end_reason == "not_renewed":
        return None
    if fact.ended_on is not None:
        return fact.ended_on
    return period.start if fact.end_reason is not None and period is not None else None


def _ended_state(reason: str | None) -> str:
    return "relocated" if reason == "relocated" else "revoked"


def _order(period: Period) -> tuple[date, date, date, str, int]:
    fact = period.fact
    return (period.start, period.last or date.max, period.stop or date.max, fact.number or "", fact.id or 0)


def runs_of(
    facts: Sequence[TitleFact], terms: Terms, rounds: Sequence[Round], applied: bool | Collection[int] = False
) -> list[Run]:
    """The facts of *one kind* as runs in order of time. A recorded end also ends other records of the same title."""
    return _runs(facts, terms, rounds, applied)[0]


def _runs(
    facts: Sequence[TitleFact], terms: Terms, rounds: Sequence[Round], applied: bool | Collection[int]
) -> tuple[list[Run], list[tuple[date, str]]]:
    """Runs, and recorded ends as (first day, state) that took no held day away from any of them."""
    periods: list[Period] = []
    stops: list[tuple[date, TitleFact]] = []
    for fact in facts:
        period = period_of(fact, terms)
        if period is not None:
            periods.append(period)
        if fact.ended_on is not None or fact.end_reason is not None:
            stop = _stops(fact, period)
            if stop is not None:
                stops.append((stop, fact))
    for stop, fact in stops:
        for period in periods:
            if period.fact is fact or _tells_of(fact, stop, period):
                period.cut(stop)
    lost: list[tuple[date, str]] = []
    if stops:
        held = [period for period in periods if period.last is None or period.last >= period.start]
        shown = {period.stop for period in held}
        lost = sorted((stop, _ended_state(fact.end_reason)) for stop, fact in stops if stop not in shown)
        periods = held
    if len(periods) > 1:
        periods.sort(key=_order)
    runs: list[Run] = []
    for period in periods:
        run = runs[-1] if runs else None
        if run is not None and (run.last is None or period.start <= run.last + DAY):
            run.join(period)
        else:
            runs.append(Run(period))
    for before, after in pairwise(runs):
        after.stitched = _renews(before, after, facts, rounds, applied)
    return runs, lost


def _renews(
    before: Run, after: Run, facts: Sequence[TitleFact], rounds: Sequence[Round], applied: bool | Collection[int]
) -> bool:
    """Whether the later run renews the earlier one: it came during the carry, or out of the year it had to."""
    carry_ends = carried_until(before.tail, facts, rounds, applied)
    if carry_ends is None or before.tail.stop is not None:
        return False
    return after.start <= carry_ends + DAY or after.periods[0].year == before.tail.next_year


def carried_until(
    period: Period, facts: Sequence[TitleFact], rounds: Sequence[Round], applied: bool | Collection[int] = False
) -> date | None:
    """The last day on which an ended title may still be under way to its renewal; None when its end is final or open.

    Yearly titles: the day the following round closes, or its last 公告 once the enterprise has applied or is
    publicised. 高企: the last 公告 of the year in which the certificate expired.
    """
    term, year = period.term, period.next_year
    if term.carry == "none" or year is None or period.end is None or period.last != period.end:
        return None
    if period.fact.end_reason == "not_renewed":
        return None
    if term.carry == "announcement" or under_way(term.kind, year, facts, applied):
        day = last_announcement(term, year, rounds)
        if term.carry == "round":
            day = max(day, round_closes(term, year, rounds))
    else:
        day = round_closes(term, year, rounds)
    if period.stop is not None:
        day = min(day, period.stop - DAY)
    return max(day, period.end)


def under_way(kind: str, year: int, facts: Iterable[TitleFact], applied: bool | Collection[int]) -> bool:
    """Whether a renewal of that year is applied for or publicised (公示) though not announced."""
    if applied is True or (applied is not False and year in applied):
        return True
    return any(
        fact.publicity_on is not None
        and fact.kind == kind
        and (fact.valid_from or fact.issued_on or fact.announced_on) is None
        and fact.ended_on is None
        and (fact.cohort_year or fact.publicity_on.year) == year
        for fact in facts
    )


def round_closes(term: Term, year: int, rounds: Sequence[Round]) -> date:
    """The day the year's last round closes, from the rounds known, else by the term's default."""
    known = [day for one in rounds_of(rounds, term.kind, year) if (day := one.closing_on) is not None]
    return max(known) if known else date(year, *term.round_closes)


def last_announcement(term: Term, year: int, rounds: Sequence[Round]) -> date:
    """The day of the year's last 公告: no earlier than the default until every round of the year has one."""
    default = date(year, *term.last_announcement)
    days = [one.announced_on for one in rounds_of(rounds, term.kind, year)]
    known = [day for day in days if day is not None]
    if not known:
        return default
    return max(known) if len(known) == len(days) else max(*known, default)


# One kind's states as ascending (first day, state); each lasts until the next begins.
Course = list[tuple[date, str]]


def course_of(
    facts: Sequence[TitleFact], terms: Terms, rounds: Sequence[Round], applied: bool | Collection[int] = False
) -> tuple[Course, list[Run]]:
    """The states of *one kind* over all time, and the runs behind them. Before the first day it was never held."""
    runs, lost = _runs(facts, terms, rounds, applied)
    course: Course = []
    for index, run in enumerate(runs):
        tail, last = run.tail, run.last
        course.append((run.start, "valid"))
        if last is None:
            continue
        lead = tail.term.expiring_days
        if lead and tail.end is not None:
            expiring_from = tail.end - timedelta(days=lead - 1)
            if expiring_from <= run.start:
                course[-1] = (run.start, "expiring")
            elif expiring_from <= last:
                course.append((expiring_from, "expiring"))
        after = runs[index + 1] if index + 1 < len(runs) else None
        if after is not None and after.stitched:
            course.append((last + DAY, "awaiting_update" if tail.term.carry == "round" else "renewing"))
            continue
        for day, state in _aftermath(run, facts, rounds, applied):
            if after is None or day < after.start:
                course.append((day, state))
    for day, state in lost:
        _mark_lost(course, day, state)
    return course, runs


def _aftermath(
    run: Run, facts: Sequence[TitleFact], rounds: Sequence[Round], applied: bool | Collection[int]
) -> Course:
    """What follows the last covered day of a run that nothing renewed."""
    tail, last = run.tail, run.last
    assert last is not None
    until = carried_until(tail, facts, rounds, applied) or last
    steps: Course = []
    if until > last:
        if tail.term.carry == "round":
            state = "awaiting_update"
        else:
            going = tail.next_year is not None and under_way(tail.term.kind, tail.next_year, facts, applied)
            state = "renewing" if going else "expired_unverified"
        steps.append((last + DAY, state))
    steps.append((until + DAY, "lapsed_unrenewed"))
    if tail.stop is not None:
        steps = [step for step in steps if step[0] < tail.stop]
        steps.append((tail.stop, _ended_state(_reason_of(run))))
    return steps


def _reason_of(run: Run) -> str | None:
    """The recorded reason of the run's end: of its tail, else of another record of the same title."""
    if run.tail.fact.end_reason is not None or run.tail.stop is None:
        return run.tail.fact.end_reason
    reasons = sorted(p.fact.end_reason for p in run.periods if p.stop == run.tail.stop and p.fact.end_reason)
    return reasons[0] if reasons else None


def _mark_lost(course: Course, day: date, state: str) -> None:
    """Notes a recorded end outside every held day: it shows from then until the title is held again."""
    at = bisect_right(course, day, key=_first_day)
    if at and course[at - 1][1] in _COVERED:
        return
    end = at
    while end < len(course) and course[end][1] not in _COVERED:
        end += 1
    if at and course[at - 1][0] == day:
        at -= 1
    course[at:end] = [(day, state)]


_COVERED = frozenset({"valid", "expiring"})


def _first_day(step: tuple[date, str]) -> date:
    return step[0]


def timeline(
    kind: str,
    facts: Iterable[TitleFact],
    *,
    terms: Terms,
    rounds: Sequence[Round] = (),
    applied: bool | Collection[int] = False,
) -> tuple[Segment, ...]:
    """The states of one kind from the first day it was held: no gaps, no overlaps, the last one open."""
    course, _ = course_of([fact for fact in facts if fact.kind == kind], terms, rounds, applied)
    ends: list[date | None] = [day - DAY for day, _ in course[1:]]
    return tuple(Segment(state, day, end) for (day, state), end in zip(course, [*ends, None], strict=False))


def title_state(
    kind: str,
    facts: Iterable[TitleFact],
    on: date,
    *,
    terms: Terms,
    rounds: Sequence[Round] = (),
    applied: bool | Collection[int] = False,
) -> str | None:
    """The state of one kind on a day (codes of kinds.STATES); None: never held up to that day.

    ``applied``: whether a renewal is in hand (True), or the years for which applications are.
    """
    course, _ = course_of([fact for fact in facts if fact.kind == kind], terms, rounds, applied)
    at = bisect_right(course, on, key=_first_day)
    return course[at - 1][1] if at else None


def spells(
    facts: Iterable[TitleFact],
    terms: Terms,
    rounds: Sequence[Round] = (),
    applied: bool | Collection[int] = False,
) -> list[Spell]:
    """Consecutive titles of each kind stitched into one, in the order of the ladder and of time."""
    by_kind: dict[str, list[TitleFact]] = {}
    for fact in facts:
        by_kind.setdefault(fact.kind, []).append(fact)
    found: list[Spell] = []
    for kind in KINDS:
        if kind in by_kind:
            found.extend(_spells_of(kind, runs_of(by_kind[kind], terms, rounds, applied)))
    return found


def _spells_of(kind: str, runs: list[Run]) -> list[Spell]:
    groups: list[list[Run]] = []
    for run in runs:
        if run.stitched and groups:
            groups[-1].append(run)
        else:
            groups.append([run])
    return [
        Spell(
            kind,
            group[0].start,
            group[-1].last,
            tuple(p.fact.id for run in group for p in run.periods if p.fact.id is not None),
            _reason_of(group[-1]),
        )
        for group in groups
    ]
