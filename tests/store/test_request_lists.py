"""The list of requests sorts them as the rule does: one answer in SQL and in Python."""

from datetime import timedelta
from itertools import product

from sqlalchemy import select

from crm.domain.changes import Create
from crm.domain.requests import STATES, state_of
from crm.extensions import db
from crm.store import request_lists
from crm.store.requests import Request
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import TODAY, act, county, make_enterprise, make_unit, make_user


def test_every_combination_of_steps_stands_in_the_state_the_rule_gives(app):
    firm, office = make_enterprise(), make_unit("金融办")
    before, after = TODAY - timedelta(days=3), TODAY + timedelta(days=3)
    base = {"enterprise_id": firm, "region_id": county().id, "raised_on": before, "category": "land", "text": "缺地"}
    creates = [
        Create(
            "request",
            {
                **base,
                "transferred_on": passed,
                "dispatched_on": sent,
                "unit_id": office if sent else None,
                "due_on": due,
                "replied_on": replied,
                "rating": rating,
                "closed_on": closed,
            },
        )
        for passed, sent, due, replied, rating, closed in product(
            (None, before), (None, before), (None, before, TODAY, after), (None, TODAY), (None, 4), (None, TODAY)
        )
    ]
    with unit_of_work():
        write(creates, act=act(), action="test")
    expected: dict[str, set[int]] = {state: set() for state in STATES}
    for row in db.session.scalars(select(Request)):
        expected[state_of(row, TODAY)].add(row.id)

    found = {
        state: set(db.session.scalars(select(Request.id).where(request_lists.in_state(state, TODAY))))
        for state in STATES
    }

    assert found == expected
    assert all(found.values())


def test_the_counts_of_the_views_are_the_lengths_of_their_lists(app):
    bureau = make_user("tanyue", "bureau")
    firm, office = make_enterprise(), make_unit("金融办")
    base = {"enterprise_id": firm, "region_id": county().id, "raised_on": TODAY, "category": "land", "text": "缺地"}
    steps = [{}, {"dispatched_on": TODAY, "unit_id": office}, {"transferred_on": TODAY}, {"closed_on": TODAY}]
    with unit_of_work():
        write([Create("request", {**base, **more}) for more in steps], act=act(), action="test")

    wanted = request_lists.Filter()
    counted = request_lists.counts(wanted, bureau, on=TODAY)

    assert counted == {"open": 3, "raised": 1, "doing": 2, "overdue": 0, "answered": 0, "closed": 1}
    assert counted == {view: len(request_lists.page(view, wanted, bureau, on=TODAY)) for view in request_lists.VIEWS}
