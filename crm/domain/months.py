"""Months: how one is kept (its first day), which one lies so many on, and where it ends."""

from calendar import monthrange
from datetime import date


def month_of(day: date) -> date:
    """The first day of a day's month: how a month is kept."""
    return day.replace(day=1)


def months_on(day: date, months: int) -> date:
    """The first day of the month so many months after a day's own; before it for a negative number."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def same_day_months_on(day: date, months: int) -> date:
    """The same day some months on; the last of the month where it has no such day."""
    last = month_end(months_on(day, months))
    return last.replace(day=min(day.day, last.day))
