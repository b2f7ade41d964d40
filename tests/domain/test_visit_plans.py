"""Quarters, and whom the cadence brings into one."""

from datetime import date

import pytest

from crm.domain.visit_plans import Quarter, falls_due, is_called_on, quarter_in, quarter_of

Q4 = Quarter(2026, 4)


def test_a_quarter_has_its_days_its_neighbours_and_its_words():
    assert (Q4.first, Q4.last) == (date(2026, 10, 1), date(2026, 12, 31))
    assert (Q4.next, Quarter(2026, 1).before) == (Quarter(2027, 1), Quarter(2025, 4))
    assert (Q4.words, Q4.code) == ("2026 年第四季度", "2026Q4")
    assert [quarter_of(date(2026, month, 1)).number for month in (1, 3, 4, 6, 7, 9, 10, 12)] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert Quarter(2028, 1).last == date(2028, 3, 31)


@pytest.mark.parametrize("text", ["", None, "2026Q5", "2026q4", "1926Q1", "2026Q4x", "２０２６Q4"])
def test_an_address_that_names_no_quarter_names_none(text):
    assert (quarter_in(text), quarter_in("2026Q4")) == (None, Q4)


@pytest.mark.parametrize(
    ("last", "months", "due"),
    [
        (None, 3, True),
        (date(2026, 9, 30), 3, True),
        (date(2026, 7, 1), 3, True),
        (date(2026, 7, 1), 6, False),
        (date(2026, 6, 30), 6, True),
        (date(2025, 12, 31), 12, True),
        (date(2026, 1, 1), 12, False),
        (None, 0, False),
        (date(2020, 1, 1), 0, False),
    ],
    ids=[
        "never visited",
        "last day of the quarter before",
        "earlier in it",
        "half a year is not over",
        "half a year is over",
        "a year is over",
        "a year is not over",
        "no cadence",
        "no cadence, long ago",
    ],
)
def test_a_visit_falls_due_when_its_months_end_in_the_quarter(last, months, due):
    assert falls_due(last, months, Q4) is due


def test_the_officer_calls_on_titles_held_and_on_those_above_scale():
    assert is_called_on({"hnte": "valid"}, None)
    assert is_called_on({"tech_sme": "awaiting_update"}, None)
    assert is_called_on({}, True)
    assert not is_called_on({"hnte": "lapsed_unrenewed", "cq_tech": "valid"}, None)
    assert not is_called_on({}, False)
