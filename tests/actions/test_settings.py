"""Settings belong to a region, are inherited, recorded and undoable."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select, update

from crm.actions.changes import undo
from crm.actions.settings import INHERIT, change_settings, own_settings, read_setting
from crm.domain.refusals import Conflict, NotAllowed, NotFound
from crm.extensions import db
from crm.store.changes import Change
from crm.store.jobs import Job
from crm.store.obligations import Obligation
from crm.store.projections import refresh
from crm.store.regions import region_by_code
from crm.store.settings import DECLARED, setting
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, act, county, make_enterprise, make_user


def change(viewer, region_id, values, seen=None):
    with unit_of_work():
        return change_settings(region_id, values, seen=seen or {}, act=act(viewer))


def test_a_setting_is_recorded_and_counts_in_its_region_only(app):
    clerk = make_user("clerk", "bureau")

    written = change(clerk, county().id, {"silence_days": 30}, {"silence_days": 45})

    row = db.session.scalar(select(Change).where(Change.change_set_id == written.change_set_id))
    assert setting("silence_days", county().id) == 30
    assert setting("silence_days", county(OTHER).id) == 45
    assert (row.noun, row.fields["key"], row.fields["value"]) == ("setting", "silence_days", 30)


def test_the_city_sets_what_its_counties_have_not_set(app):
    city = region_by_code("500000")
    above = make_user("above", "admin", region=city)
    change(above, city.id, {"digest_hour": 9})
    change(above, county().id, {"digest_hour": 7})

    assert [setting("digest_hour", r.id) for r in (city, county(), county(OTHER))] == [9, 7, 9]


def test_a_setting_given_back_is_inherited_again(app):
    clerk = make_user("clerk", "bureau")
    change(clerk, county().id, {"digest_on": False})

    change(clerk, county().id, {"digest_on": INHERIT})
    again = change(clerk, county().id, {"digest_on": False})

    assert own_settings(county().id)["digest_on"].value is False
    assert again.record_count == 1


def test_reports_not_filed_count_as_missed_from_the_day_the_region_names(app):
    clerk = make_user("clerk", "bureau")
    firm = make_enterprise(titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))])
    at = datetime(2027, 4, 20, 2, 0, tzinfo=UTC)

    def said() -> str:
        with unit_of_work():
            refresh([firm], at=at)
        query = select(Obligation.reason).where(Obligation.kind == "hnte_annual_report", Obligation.period == "2026")
        return db.session.scalar(query)

    before = said()
    change(clerk, county().id, {"reports_tracked_from": "2026-01-01"})
    after = said()
    change(clerk, county().id, {"reports_tracked_from": "2026-06-01"})

    assert before.startswith("证书 2024-11-28 至 2027-11-27 有效")
    assert after.startswith("有效期内已缺报 1 次（2025 年度），再缺一次即取消高企资格")
    assert said() == before


def test_a_setting_that_moves_dates_computes_them_anew_and_so_does_its_undo(app):
    clerk = make_user("clerk", "bureau")
    change(clerk, county().id, {"silence_days": 30})
    written = change(clerk, county().id, {"reports_tracked_from": "2026-01-01"})
    asked = select(func.count()).select_from(Job).where(Job.kind == "recompute")
    first = db.session.scalar(asked)
    with unit_of_work():
        db.session.execute(update(Job).values(state="done"))

    with unit_of_work():
        undo(written.change_set_id, act=act(clerk))

    assert (first, db.session.scalar(asked)) == (1, 2)


@pytest.mark.parametrize("text", ["昨天", "2026-02-30", "1999-01-01"])
def test_a_day_that_is_none_is_refused_with_one_sentence(text):
    with pytest.raises(ValueError, match=text):
        read_setting(DECLARED["reports_tracked_from"], text)


def test_a_change_of_a_setting_can_be_undone(app):
    clerk = make_user("clerk", "bureau")
    written = change(clerk, county().id, {"manager_word": "包联专员"})

    with unit_of_work():
        undo(written.change_set_id, act=act(clerk))

    assert setting("manager_word", county().id) == "服务专员"


def test_two_people_changing_different_settings_do_not_meet(app):
    clerk = make_user("clerk", "bureau")
    change(clerk, county().id, {"silence_days": 30, "digest_hour": 8}, {"silence_days": 45, "digest_hour": 8})

    change(clerk, county().id, {"silence_days": 45, "digest_hour": 10}, {"silence_days": 45, "digest_hour": 8})

    assert (setting("silence_days", county().id), setting("digest_hour", county().id)) == (30, 10)


def test_two_people_changing_the_same_setting_are_told(app):
    clerk = make_user("clerk", "bureau")
    change(clerk, county().id, {"silence_days": 30}, {"silence_days": 45})

    with pytest.raises(Conflict) as clash:
        change(clerk, county().id, {"silence_days": 60}, {"silence_days": 45})

    assert clash.value.theirs == {"silence_days": (45, 30, 60)}
    assert setting("silence_days", county().id) == 30


def test_nobody_changes_the_settings_of_another_district(app):
    clerk = make_user("clerk", "bureau")
    foreign = county(OTHER).id

    with pytest.raises(NotFound):
        change(clerk, foreign, {"silence_days": 1})


@pytest.mark.parametrize("role", ["leader", "case_manager"])
def test_who_is_not_the_office_changes_no_setting(sqlite_app, role):
    viewer = make_user("somebody", role)

    with pytest.raises(NotAllowed):
        change(viewer, county().id, {"silence_days": 1})


def test_the_city_is_seen_but_not_changed_from_a_county(sqlite_app):
    clerk = make_user("clerk", "bureau")

    with pytest.raises(NotAllowed):
        change(clerk, region_by_code("500000").id, {"silence_days": 1})


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("digest_hour", "0", 0),
        ("digest_hour", " 23 ", 23),
        ("digest_on", "1", True),
        ("digest_on", "", False),
        ("redirect_all_mail", "", ""),
        ("redirect_all_mail", "a@example.org", "a@example.org"),
        ("office_name", " 巫溪县科技局 ", "巫溪县科技局"),
    ],
)
def test_a_setting_is_read_from_a_form(key, raw, value):
    assert read_setting(DECLARED[key], raw) == value


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("digest_hour", "24"),
        ("digest_hour", "-1"),
        ("digest_hour", "八点"),
        ("digest_hour", "８"),
        ("silence_days", "0"),
        ("redirect_all_mail", "nobody"),
        ("redirect_all_mail", "张三@kjj.example"),
        ("office_name", ""),
        ("office_name", "长" * 61),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_one_sentence(key, raw):
    with pytest.raises(ValueError, match=r"。$"):
        read_setting(DECLARED[key], raw)
