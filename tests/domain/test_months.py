"""Months: counted over the turn of a year, ended on their true last day."""

from datetime import date

import pytest

from crm.domain.months import month_end, month_of, months_on, same_day_months_on


def test_a_month_is_kept_as_its_first_day():
    assert month_of(date(2026, 11, 25)) == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("months", "first"),
    [(0, date(2026, 11, 1)), (2, date(2027, 1, 1)), (-11, date(2025, 12, 1)), (-10, date(2026, 1, 1))],
)
def test_months_are_counted_over_the_turn_of_a_year(months, first):
    assert months_on(date(2026, 11, 25), months) == first


@pytest.mark.parametrize(
    "last", [date(2028, 2, 29), date(2027, 2, 28), date(2026, 12, 31), date(2026, 11, 30), date(9999, 12, 31)]
)
def test_a_month_ends_on_its_last_day(last):
    assert month_end(month_of(last)) == last


def test_the_same_day_is_the_last_one_in_a_shorter_month():
    assert same_day_months_on(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert same_day_months_on(date(2026, 11, 25), 3) == date(2027, 2, 25)
