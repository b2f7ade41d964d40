"""Working days in China: weekends, public holidays and the Saturdays and Sundays worked instead."""

from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Holidays:
    """Days off and make-up working days of the years whose arrangement is known.

    A year that is not in ``known_years`` is counted by weekends alone; screens then say 按周末推算.
    """

    days_off: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    known_years: frozenset[int] = frozenset()

    def is_known(self, year: int) -> bool:
        """Whether the year's arrangement has been entered."""
        return year in self.known_years

    def is_workday(self, on: date) -> bool:
        """A day people work: a make-up day always, a day off never, else Monday to Friday."""
        if on in self.workdays:
            return True
        return on not in self.days_off and on.weekday() < 5

    def workdays_between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; 0 for the same day, negative backwards."""
        if end < start:
            return -self.workdays_between(end, start)
        weeks, rest = divmod((end - start).days, 7)
        count = weeks * 5 + sum((start + _DAY * n).weekday() < 5 for n in range(1, rest + 1))
        for day in self.days_off:
            if start < day <= end and day.weekday() < 5 and day not in self.workdays:
                count -= 1
        return count + sum(start < day <= end and day.weekday() >= 5 for day in self.workdays)

    def add_workdays(self, on: date, count: int) -> date:
        """The day that is ``count`` working days after (or, negative, before) a day; 0 gives the day itself."""
        step = _DAY if count >= 0 else -_DAY
        left = abs(count)
        while left:
            on += step
            left -= self.is_workday(on)
        return on

    def earliest_within(self, on: date, count: int) -> date:
        """The earliest day after which no more than ``count`` working days have passed up to and including ``on``."""
        passed = 0
        while passed + self.is_workday(on) <= count:
            passed += self.is_workday(on)
            on -= _DAY
        return on

    def first_workday_of_iso_week(self, on: date) -> date | None:
        """The first working day of the ISO week (Monday to Sunday) of a day; None when the whole week is off.

        A make-up Sunday at the end of such a week is a working day of that week.
        """
        monday = on - timedelta(days=on.weekday())
        return next((day for day in (monday + _DAY * n for n in range(7)) if self.is_workday(day)), None)
