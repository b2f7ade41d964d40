"""Dated affiliations: past ones are entered and mended, and of a kind there is one on a day."""

from datetime import date

import pytest

from crm.actions.affiliations import Belonged, edit_affiliation, record_affiliation, withdraw_affiliation
from crm.actions.changes import undo
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound
from crm.extensions import db
from crm.store.enterprises import affiliations_of
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, act, county, make_enterprise, make_user, township


def record(enterprise_id, kind, value, starts_on=None, ends_on=None, **more):
    with unit_of_work():
        wanted = Belonged(value, starts_on, ends_on)
        return record_affiliation(enterprise_id, kind, wanted, act=more.pop("act", act()), **more)


def edit(affiliation_id, values, version=1, **more):
    with unit_of_work():
        return edit_affiliation(affiliation_id, values, version=version, act=more.pop("act", act()), **more)


def of_kind(enterprise_id, kind="township"):
    return [one for one in affiliations_of(enterprise_id) if one.kind == kind]


@pytest.fixture
def firm(sqlite_app) -> int:
    enterprise_id = make_enterprise(township=township("凤凰镇").id)
    [now] = of_kind(enterprise_id)
    edit(now.id, {"starts_on": date(2024, 1, 1)})
    return enterprise_id


def test_an_affiliation_of_the_past_is_entered_beside_the_one_in_force(firm):
    record(firm, "township", township("古路镇").id, date(2020, 1, 1), date(2023, 12, 31))

    assert [one.starts_on for one in of_kind(firm)] == [date(2020, 1, 1), date(2024, 1, 1)]
    assert db.session.get(Standing, firm).township_id == township("凤凰镇").id


def test_two_of_a_kind_on_one_day_are_refused_and_the_other_is_named(firm):
    named = {of_kind(firm)[0].id: "凤凰镇"}

    with pytest.raises(InvalidInput) as caught:
        record(firm, "township", township("古路镇").id, date(2023, 6, 1), None, named=named)

    sentence = "与已登记的凤凰镇（2024-01-01 至 今）有同一天。先终止那一条，或改正日期。"
    assert caught.value.problems == {"starts_on": sentence}


def test_an_affiliation_is_ended_and_the_standing_follows_and_comes_back(firm):
    [now] = of_kind(firm)

    written = edit(now.id, {"ends_on": date(2026, 6, 30)}, version=2)

    assert db.session.get(Standing, firm).township_id is None
    with unit_of_work():
        undo(written.change_set_id, act=act())
    db.session.expire_all()
    assert db.session.get(Standing, firm).township_id == township("凤凰镇").id


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "field"),
    [
        (date(2027, 1, 1), None, "starts_on"),
        (date(2020, 1, 1), date(2019, 1, 1), "ends_on"),
        (date(1900, 1, 1), date(2019, 1, 1), "starts_on"),
    ],
    ids=["tomorrow", "the wrong way round", "before the republic"],
)
def test_impossible_days_are_refused_beside_their_field(firm, starts_on, ends_on, field):
    with pytest.raises(InvalidInput) as caught:
        record(firm, "park", 1, starts_on, ends_on)

    assert set(caught.value.problems) >= {field}


def test_a_place_of_another_district_is_no_place_here(firm):
    foreign = county(OTHER)
    with pytest.raises(InvalidInput) as caught:
        record(firm, "township", foreign.id, date(2010, 1, 1), date(2012, 1, 1))

    assert caught.value.problems == {"value": "没有这个乡镇。从列表里选。"}


def test_a_status_is_kept_as_its_word_and_a_yes_as_yes(firm):
    record(firm, "status", "moved_out", date(2026, 1, 1))
    record(firm, "above_scale", True, date(2025, 1, 1))

    assert [one.value for one in of_kind(firm, "status")] == ["moved_out"]
    assert db.session.get(Standing, firm).above_scale is True


def test_the_same_day_changed_by_two_people_clashes(firm):
    [now] = of_kind(firm)
    edit(now.id, {"ends_on": date(2026, 6, 30)}, version=2)

    with pytest.raises(Conflict):
        edit(now.id, {"ends_on": date(2026, 7, 31)}, version=2, seen={"ends_on": None})


def test_who_the_case_manager_is_says_the_bureau(firm):
    owner, bureau = make_user("xiang", "case_manager"), make_user("tan", "bureau")
    record(firm, "manager", owner.user_id, date(2026, 1, 1))

    with pytest.raises(NotAllowed):
        record(firm, "manager", bureau.user_id, date(2020, 1, 1), date(2021, 1, 1), act=act(owner))
    with pytest.raises(NotFound):
        record(firm, "park", 1, act=act(make_user("far", "bureau", region=county(OTHER))))


def test_an_affiliation_that_never_was_is_taken_back(firm):
    [now] = of_kind(firm)
    with unit_of_work():
        withdraw_affiliation(now.id, version=2, act=act())

    assert of_kind(firm) == []
