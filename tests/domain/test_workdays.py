"""Working days around the year's end, make-up days and years nobody has arranged yet."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.workdays import Holidays
from crm.rules.calendars import holidays

KNOWN = holidays()
WEEKENDS = Holidays()
DAYS = st.dates(date(2024, 12, 1), date(2027, 2, 1))


@pytest.mark.parametrize(
    ("on", "worked"),
    [
        pytest.param(date(2026, 2, 16), False, id="a Monday in the spring festival is off"),
        pytest.param(date(2026, 2, 14), True, id="the make-up Saturday before it is worked"),
        pytest.param(date(2026, 9, 20), True, id="the make-up Sunday before the national day is worked"),
        pytest.param(date(2026, 11, 21), False, id="an ordinary Saturday is off"),
        pytest.param(date(2026, 11, 23), True, id="an ordinary Monday is worked"),
        pytest.param(date(2027, 10, 1), True, id="a year nobody arranged counts by weekends"),
    ],
)
def test_a_day_is_worked_or_off(on, worked):
    assert KNOWN.is_workday(on) is worked


def test_a_year_without_an_arrangement_says_so():
    assert [KNOWN.is_known(year) for year in (2025, 2026, 2027)] == [True, True, False]


@pytest.mark.parametrize(
    ("on", "first"),
    [
        pytest.param(date(2026, 11, 26), date(2026, 11, 23), id="Monday of an ordinary week"),
        pytest.param(date(2026, 10, 11), date(2026, 10, 8), id="Thursday after the national holiday"),
        pytest.param(date(2026, 12, 31), date(2026, 12, 28), id="week 53 begins in December"),
        pytest.param(date(2027, 1, 3), date(2026, 12, 28), id="the first days of January belong to week 53"),
        pytest.param(date(2026, 1, 1), date(2025, 12, 29), id="week 1 begins in the old year"),
        pytest.param(date(2025, 2, 2), date(2025, 1, 27), id="Monday though the holiday begins on Tuesday"),
        pytest.param(date(2026, 2, 18), None, id="a week that is off from end to end has none"),
    ],
)
def test_the_weekly_mail_knows_the_first_working_day_of_its_iso_week(on, first):
    assert KNOWN.first_workday_of_iso_week(on) == first


def test_a_week_off_whose_sunday_is_made_up_begins_on_that_sunday():
    off = frozenset(date(2026, 2, 16) + timedelta(days=n) for n in range(5))
    odd = Holidays(off, frozenset({date(2026, 2, 22)}), frozenset({2026}))

    assert odd.first_workday_of_iso_week(date(2026, 2, 17)) == date(2026, 2, 22)


def test_working_days_leave_out_the_holiday_and_count_the_make_up_saturday():
    # 9 and 10 October 2026 (Friday and the make-up Saturday) and 12 to 14 October.
    assert KNOWN.workdays_between(date(2026, 10, 8), date(2026, 10, 14)) == 5
    assert WEEKENDS.workdays_between(date(2026, 10, 8), date(2026, 10, 14)) == 4


@pytest.mark.parametrize("kept", [KNOWN, WEEKENDS], ids=["arranged", "weekends only"])
@settings(max_examples=60)
@given(start=DAYS, length=st.integers(0, 90))
def test_counting_over_weeks_equals_counting_day_by_day(kept, start, length):
    end = start + timedelta(days=length)

    one_by_one = sum(kept.is_workday(start + timedelta(days=n)) for n in range(1, length + 1))

    assert kept.workdays_between(start, end) == one_by_one
    assert kept.workdays_between(end, start) == -one_by_one


@settings(max_examples=60)
@given(start=DAYS, count=st.integers(-30, 30).filter(bool))
def test_adding_working_days_lands_on_a_working_day_that_many_away(start, count):
    landed = KNOWN.add_workdays(start, count)

    assert KNOWN.is_workday(landed)
    low, high = (start, landed) if count > 0 else (landed - timedelta(days=1), start - timedelta(days=1))
    assert KNOWN.workdays_between(low, high) == abs(count)


def test_adding_no_working_days_stays_on_the_day_even_when_it_is_off():
    assert KNOWN.add_workdays(date(2026, 10, 1), 0) == date(2026, 10, 1)


@given(on=DAYS, back=st.integers(0, 120), limit=st.integers(1, 45))
@settings(max_examples=200)
def test_the_earliest_day_within_a_limit_says_the_same_as_counting(on, back, limit):
    last_on = on - timedelta(days=back)

    assert (last_on < KNOWN.earliest_within(on, limit)) == (KNOWN.workdays_between(last_on, on) > limit)
