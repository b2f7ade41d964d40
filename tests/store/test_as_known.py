"""As known on one day for another: what was recorded later changes nothing of how it looked before."""

from datetime import UTC, date, datetime

from sqlalchemy import select

from crm.actions.changes import undo
from crm.actions.qualifications import correct_qualification, end_qualification, record_qualification
from crm.domain.standing import standing
from crm.extensions import db, policy
from crm.store.as_known import facts_known
from crm.store.qualifications import Qualification, title_facts
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, make_enterprise

TITLE = {"kind": "hnte", "valid_from": date(2024, 11, 28), "valid_to": date(2027, 11, 27), "cohort_year": 2024}


def at(month: int, day: int = 1) -> datetime:
    return datetime(2026, month, day, 4, 0, tzinfo=UTC)


def as_known(firm: int, known: datetime, on: date):
    return standing(facts_known(firm, known), on, ladder=policy.ladder, rounds=[])


def test_a_title_cancelled_later_was_held_as_far_as_was_known(app):
    firm = make_enterprise()
    with unit_of_work():
        record_qualification(firm, TITLE, act=act(now=at(3), on=date(2026, 3, 1)))
    row = db.session.scalar(select(Qualification))
    with unit_of_work():
        end_qualification(
            row.id, ended_on=date(2026, 4, 1), end_reason="cancelled", version=row.version, act=act(now=at(6))
        )

    answers = [as_known(firm, known, date(2026, 5, 1)).states.get("hnte") for known in (at(2), at(5), at(7))]

    assert answers == [None, "valid", "revoked"]


def test_a_correction_and_its_undo_are_each_known_from_their_day(app):
    firm = make_enterprise()
    with unit_of_work():
        record_qualification(firm, TITLE, act=act(now=at(1)))
    row = db.session.scalar(select(Qualification))
    with unit_of_work():
        corrected = correct_qualification(
            row.id, {"valid_to": date(2026, 6, 30)}, version=row.version, act=act(now=at(3))
        )
    with unit_of_work():
        undo(corrected.change_set_id, act=act(now=at(5)))

    ends = [[fact.valid_to for fact in facts_known(firm, known).titles] for known in (at(2), at(4), at(6))]

    assert ends == [[date(2027, 11, 27)], [date(2026, 6, 30)], [date(2027, 11, 27)]]
    assert list(facts_known(firm, at(6)).titles) == title_facts(firm)
