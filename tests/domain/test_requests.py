"""In what state a request is: a function of its days, and of today only while an answer is owed."""

from datetime import date, timedelta

import pytest

from crm.domain.requests import STATE_CLASSES, STATES, Request, may_close, problems, state_of

DAY = date(2026, 11, 2)
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("days", "state"),
    [
        ({}, "raised"),
        ({"due_on": TODAY}, "raised"),
        ({"due_on": TODAY - timedelta(days=1)}, "overdue"),
        ({"dispatched_on": DAY, "due_on": TODAY}, "dispatched"),
        ({"dispatched_on": DAY, "due_on": DAY}, "overdue"),
        ({"transferred_on": DAY}, "transferred"),
        ({"transferred_on": DAY, "rating": 4}, "rated"),
        ({"transferred_on": DAY, "dispatched_on": DAY}, "dispatched"),
        ({"dispatched_on": DAY, "due_on": DAY, "replied_on": DAY}, "replied"),
        ({"dispatched_on": DAY, "replied_on": DAY, "rating": 1}, "rated"),
        ({"transferred_on": DAY, "closed_on": DAY}, "closed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "、".join(value) or "nothing",
)
def test_the_state_is_the_farthest_step(days, state):
    assert state_of(Request(DAY, **days), TODAY) == state


def test_it_may_be_closed_once_it_was_answered_or_passed_on_and_not_twice():
    assert [
        may_close(Request(DAY, **days))
        for days in (
            {},
            {"dispatched_on": DAY},
            {"replied_on": DAY},
            {"transferred_on": DAY},
            {"replied_on": DAY, "closed_on": DAY},
        )
    ] == [False, False, True, True, False]


def test_every_state_has_a_word_and_a_class():
    assert STATES.keys() == STATE_CLASSES.keys()


def test_a_day_to_come_and_a_day_out_of_order_are_named():
    said = {"raised_on": DAY, "category": "land", "text": "缺地"}

    assert problems(said, today=TODAY) == {}
    assert set(problems({**said, "replied_on": TODAY + timedelta(days=1)}, today=TODAY)) == {"replied_on"}
    assert set(problems({**said, "dispatched_on": DAY - timedelta(days=1)}, today=TODAY)) == {"dispatched_on"}
    assert set(problems({**said, "dispatched_on": TODAY, "due_on": DAY}, today=TODAY)) == {"due_on"}
    assert set(problems({}, today=TODAY)) == {"raised_on", "category", "text"}
