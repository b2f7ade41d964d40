"""离岗: while somebody is away a deputy works on that person's enterprises, there and then only."""

from datetime import timedelta

import pytest

from crm.actions.absences import deputies_for, edit_absence, record_absence, withdraw_absence
from crm.actions.enterprises import edit_enterprise
from crm.actions.rights import may_edit
from crm.actions.settings import change_settings
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound, Refused
from crm.domain.viewers import CONFIDENTIAL
from crm.extensions import db
from crm.store.absences import Absence
from crm.store.scope import visible_enterprise
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User, viewer_of
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user

SOON = TODAY + timedelta(days=9)


@pytest.fixture
def pair(app):
    """向禾 goes away, 陈述 stands in; nobody sees a colleague's enterprises in this county."""
    with unit_of_work():
        change_settings(county().id, {"colleagues_visible": False}, seen={}, act=act())
    return make_user("xianghe", "case_manager", name="向禾"), make_user("chenshu", "case_manager", name="陈述")


def away(who, deputy, **more) -> int:
    values = {"deputy_id": deputy.user_id, "starts_on": TODAY, "ends_on": SOON, "reason": "培训", **more}
    with unit_of_work():
        return record_absence(who.user_id, values, act=act(who)).ids["absence"]


def seen_by(person, on=TODAY):
    return viewer_of(db.session.get(User, person.user_id), on)


def test_a_deputy_sees_and_edits_the_enterprises_while_it_lasts(pair):
    leaver, deputy = pair
    firm = make_enterprise(manager=leaver.user_id)
    away(leaver, deputy)

    with unit_of_work():
        edit_enterprise(firm, {"contact_name": "代填"}, version=1, act=act(seen_by(deputy)))

    standing = db.session.get(Standing, firm)
    assert standing.manager_id == leaver.user_id
    assert CONFIDENTIAL in seen_by(deputy).classes_over(standing)


@pytest.mark.parametrize("days", [-1, 10], ids=["the day before", "the day after"])
def test_outside_the_days_the_deputy_is_a_colleague_like_any_other(pair, days):
    leaver, deputy = pair
    firm = make_enterprise(manager=leaver.user_id)
    away(leaver, deputy)
    viewer = seen_by(deputy, TODAY + timedelta(days=days))

    assert not may_edit(viewer, db.session.get(Standing, firm))
    with pytest.raises(NotFound):
        visible_enterprise(firm, viewer)


def test_a_deputy_without_a_grant_of_today_may_nothing(pair):
    leaver, _ = pair
    deputy = make_user("brief", "case_manager", name="短期", valid_to=TODAY)
    firm = make_enterprise(manager=leaver.user_id)
    away(leaver, deputy)

    viewer = seen_by(deputy, TODAY + timedelta(days=1))

    assert not may_edit(viewer, db.session.get(Standing, firm))


def test_the_absent_person_keeps_the_own_rights(pair):
    leaver, deputy = pair
    firm = make_enterprise(manager=leaver.user_id)
    away(leaver, deputy)

    assert may_edit(seen_by(leaver), db.session.get(Standing, firm))


def test_whoever_holds_no_such_grant_cannot_stand_in(pair):
    leaver, _ = pair
    leader = make_user("fangju", "leader", name="方局")
    stranger = make_user("far", "case_manager", name="外区", region=county(OTHER))

    for person in (leader, stranger):
        with pytest.raises(InvalidInput) as refusal:
            away(leaver, person)
        assert refusal.value.problems == {
            "deputy_id": "选的人在巫溪县没有同样的授权，代不了。代服务专员的要是那里的服务专员。"
        }
    assert [one.name for one in deputies_for(db.session.get(User, leaver.user_id), TODAY)] == ["陈述"]


def test_a_deputy_who_is_away_in_those_days_is_refused(pair):
    leaver, deputy = pair
    away(deputy, leaver, starts_on=SOON, ends_on=None)

    with pytest.raises(InvalidInput, match=f"陈述从 {SOON} 起也离岗"):
        away(leaver, deputy)


def test_two_absences_of_one_person_do_not_overlap(pair):
    leaver, deputy = pair
    away(leaver, deputy)

    with pytest.raises(InvalidInput, match="已登记"):
        away(leaver, deputy, starts_on=SOON, ends_on=None)


def test_the_days_are_in_order(pair):
    with pytest.raises(InvalidInput, match="早于第一天"):
        away(*pair, starts_on=SOON, ends_on=TODAY)


def test_the_office_keeps_absences_of_its_people_and_nobody_elses(pair):
    leaver, deputy = pair
    office, far = make_user("ran", "bureau"), make_user("far", "bureau", region=county(OTHER))
    values = {"deputy_id": deputy.user_id, "starts_on": TODAY}

    with unit_of_work():
        absence_id = record_absence(leaver.user_id, values, act=act(office)).ids["absence"]
    for stranger, error in ((far, NotFound), (seen_by(deputy), NotAllowed)):
        with pytest.raises(error), unit_of_work():
            edit_absence(absence_id, {"ends_on": SOON}, version=1, act=act(stranger))
    with pytest.raises(Refused), unit_of_work():
        record_absence(leaver.user_id, {"starts_on": SOON + timedelta(days=9)}, act=act(far))


def test_an_earlier_return_and_a_withdrawal_end_the_deputys_rights(pair):
    leaver, deputy = pair
    absence_id = away(leaver, deputy)

    with unit_of_work():
        edit_absence(absence_id, {"ends_on": TODAY}, version=1, seen={"ends_on": SOON}, act=act(leaver))
    tomorrow = seen_by(deputy, TODAY + timedelta(days=1)).stands_in_for
    with unit_of_work():
        withdraw_absence(absence_id, version=2, act=act(leaver))

    assert tomorrow == frozenset()
    assert db.session.get(Absence, absence_id).deleted
    assert seen_by(deputy).stands_in_for == frozenset()
