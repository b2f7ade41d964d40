"""Quarters, and who is to be visited in one: plain facts in, an answer out."""

import re
from datetime import date
from typing import NamedTuple

from crm.domain.kinds import HELD_STATES
from crm.domain.months import months_on

# policy/chongqing.md §11: one officer per enterprise for 规上, 高企, 专精特新 and 科小, a field visit each quarter.
CALLED_ON = ("hnte", "srdi", "little_giant", "tech_sme")
# What counts as a visit; a telephone call is a contact.
VISIT = "visit"
_NUMERALS = "一二三四"


class Quarter(NamedTuple):
    """A quarter of a calendar year; ``number`` from 1 to 4."""

    year: int
    number: int

    @property
    def first(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        return date.fromordinal(self.next.first.toordinal() - 1)

    @property
    def next(self) -> "Quarter":
        return Quarter(self.year, self.number + 1) if self.number < 4 else Quarter(self.year + 1, 1)

    @property
    def before(self) -> "Quarter":
        return Quarter(self.year, self.number - 1) if self.number > 1 else Quarter(self.year - 1, 4)

    @property
    def code(self) -> str:
        """How an address names it: 2026Q4."""
        return f"{self.year}Q{self.number}"

    @property
    def words(self) -> str:
        return f"{self.year} 年第{_NUMERALS[self.number - 1]}季度"


def quarter_of(day: date) -> Quarter:
    """The quarter a day lies in."""
    return Quarter(day.year, (day.month + 2) // 3)


def quarter_in(text: str | None) -> Quarter | None:
    """The quarter an address names (2026Q4), None when it names none."""
    found = re.fullmatch(r"(20\d\d)Q([1-4])", text or "", re.ASCII)
    return Quarter(int(found[1]), int(found[2])) if found else None


def is_called_on(states: dict[str, str | None], above_scale: bool | None) -> bool:
    """Whether an enterprise is among those the officer visits: 高企, 专精特新, 科小 held, or 规上.

    ``states`` are the states of its titles by kind; what is not known about 规上 makes nobody visit.
    """
    return bool(above_scale) or any(states.get(kind) in HELD_STATES for kind in CALLED_ON)


def falls_due(last_visit_on: date | None, months: int, quarter: Quarter) -> bool:
    """Whether a visit is due in a quarter when one is meant every so many months; 0 months: never by itself.

    ``last_visit_on`` is the last visit before the quarter, None when there was none.
    """
    if months <= 0:
        return False
    if last_visit_on is None:
        return True
    return months_on(last_visit_on, months) <= quarter.last
