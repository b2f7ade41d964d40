"""Recorded titles and the days each covers, by the dated terms of its kind (crm/rules/ladder.toml).

How a fact becomes a period:

* It starts on ``valid_from``, else ``issued_on``, else ``announced_on``. A 公示 alone is no title: a fact with
  ``publicity_on`` and none of these three covers no day.
* A fact without any of those days, known only by its year (``cohort_year``, or the year its number begins with),
  starts on the term's ``year_only_from`` of that year: the first day on which a title of that year can exist, so the
  enterprise is not lost from today's list, and no earlier year is claimed.
* It ends on ``valid_to`` (inclusive); else, for titles of N years, on the eve of the N-th anniversary; else, for
  yearly titles, on the term's day of the following year, or not at all when the term gives none.
* ``ended_on`` is the first day on which it is held no more. A reason without a day ends it where it began (when it
  ended is unknown, so no day may count as held); 期满未续 never shortens the validity, it only rules out a carry.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

DAY = timedelta(days=1)
_NUMBER_YEAR = re.compile(r"^(?:G[RFS])?(20\d{2})\d{6}")


class Dated(Protocol):
    """What holds from a day to a day, both inclusive; a day that is not given sets no bound."""

    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_to(self) -> date | None: ...


def holds_on(entry: Dated, on: date) -> bool:
    """Whether an entry holds on a day: a term, a template, an office, a grant."""
    return (entry.valid_from is None or entry.valid_from <= on) and (entry.valid_to is None or on <= entry.valid_to)


@dataclass(frozen=True)
class Citation:
    """Where a dated entry comes from.

    ``confidence``: A official text, B dated secondary source, C memory, D inference. ``confirm``: an officer must.
    """

    document: str
    clause: str
    source: str
    confidence: str
    checked_on: date
    confirm: bool = False


@dataclass(frozen=True)
class Term:
    """How long a title of a kind lives and what follows; for titles that start in [valid_from, valid_to].

    ``years`` is the length in years, None for a yearly title. ``ends_following_year`` is (month, day) of the year after
    the title's own on which a yearly title ends when its fact names no end; None: it stays until something ends it.
    ``carry``: "round" (待更新 until the following round closes), "announcement" (重新认定中 or 到期待核实 until the
    last 公告 of the year in which it expired) or "none". Month-days are (month, day).
    """

    kind: str
    years: int | None
    ends_following_year: tuple[int, int] | None
    expiring_days: int
    carry: str
    round_closes: tuple[int, int]
    last_announcement: tuple[int, int]
    year_only_from: tuple[int, int]
    valid_from: date
    valid_to: date | None
    citation: Citation


Terms = Mapping[str, tuple[Term, ...]]


@dataclass(frozen=True)
class TitleFact:
    """One recorded title, not superseded. Days are inclusive, but ``ended_on`` is the first day without it."""

    id: int | None
    kind: str
    number: str | None = None
    cohort_year: int | None = None
    publicity_on: date | None = None
    announced_on: date | None = None
    issued_on: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    ended_on: date | None = None
    end_reason: str | None = None


class Period:
    """One usable fact with the days it covers: ``start`` to ``last`` (None: open); ``stop``: first day after an end."""

    __slots__ = ("end", "fact", "last", "next_year", "start", "stop", "term", "year")

    def __init__(self, fact: TitleFact, term: Term, start: date, end: date | None, year: int) -> None:
        self.fact = fact
        self.term = term
        self.start = start
        self.end = end
        self.last = end
        self.stop: date | None = None
        self.year = year
        self.next_year = _next_year(self)

    def cut(self, stop: date) -> None:
        """Ends the period before ``stop``, unless something earlier ended it already."""
        if self.stop is None or stop < self.stop:
            self.stop = stop
        if self.last is None or self.last >= stop:
            self.last = stop - DAY


def year_of(fact: TitleFact) -> int | None:
    """认定年度: as recorded, else the year the number begins with (GR2023…, 2025500238…), else unknown."""
    if fact.cohort_year is not None:
        return fact.cohort_year
    found = _NUMBER_YEAR.match(fact.number) if fact.number else None
    return int(found.group(1)) if found else None


def add_years(on: date, years: int) -> date:
    """The same day some years on; 29 February becomes 28 February."""
    try:
        return on.replace(year=on.year + years)
    except ValueError:
        return date(on.year + years, 2, 28)


def term_for(terms: Terms, kind: str, on: date) -> Term | None:
    """The term of a kind for a title starting that day: the last in force, else the first known."""
    entries = terms.get(kind)
    if not entries:
        return None
    chosen = entries[0]
    for entry in entries[1:]:
        if entry.valid_from <= on:
            chosen = entry
    return chosen


def eve_of(start: date, years: int) -> date:
    """The last day of so many years from ``start`` on."""
    anniversary = add_years(start, years)
    # 29 February has no anniversary: the month's last day is the eve already.
    return anniversary - DAY if anniversary.day == start.day else anniversary


def _next_year(period: Period) -> int | None:
    """The year in which this title must be renewed or updated; None while it has no end."""
    end, term, year = period.end, period.term, period.year
    if end is None:
        return None
    if term.years is not None:
        return end.year
    # A yearly title answers to the round after its own year; if its end lies beyond that round (an update recorded by a
    # later 有效期止), to the first round that closes on or after the end.
    first = end.year if end <= date(end.year, *term.round_closes) else end.year + 1
    return max(year + 1, first)


def period_of(fact: TitleFact, terms: Terms) -> Period | None:
    """The days a fact covers; None when it covers none (公示 only, no day and no year, an end before its start)."""
    start = fact.valid_from or fact.issued_on or fact.announced_on
    entries = terms.get(fact.kind)
    if not entries:
        return None
    if start is not None:
        term = entries[0] if len(entries) == 1 else term_for(terms, fact.kind, start)
        year = year_of(fact) or start.year
    else:
        if fact.publicity_on is not None:
            return None
        known = year_of(fact)
        if known is not None:
            term = term_for(terms, fact.kind, date(known, 12, 31))
            year = known
        elif fact.valid_to is not None:
            term = term_for(terms, fact.kind, fact.valid_to)
            year = _year_ending(fact.valid_to, term) if term else 0
        else:
            return None
        if term is None:
            return None
        start = date(year, *term.year_only_from)
        if known is None and term.years is not None and fact.valid_to is not None:
            start = add_years(fact.valid_to, -term.years) + DAY
    if term is None:
        return None
    end = fact.valid_to
    if end is None:
        if term.years is not None:
            end = eve_of(start, term.years)
        elif term.ends_following_year is not None:
            end = max(date(year + 1, *term.ends_following_year), start)
    elif end < start:
        return None
    return Period(fact, term, start, end, year)


def _year_ending(end: date, term: Term) -> int:
    """The title's own year, told from its end alone."""
    if term.years is not None:
        return end.year - term.years
    follows = term.ends_following_year or (1, 1)
    return end.year - 1 if (end.month, end.day) <= follows else end.year


def same_title(one: TitleFact, other: TitleFact) -> bool:
    """Whether two facts of a kind may be records of one title: nothing known about both contradicts."""
    if one.number and other.number and one.number != other.number:
        return False
    mine, theirs = year_of(one), year_of(other)
    return mine is None or theirs is None or mine == theirs
