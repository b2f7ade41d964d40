"""Who keeps windows and holidays: a county its own, the city what all share, and who stands in for it."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from crm.actions.calendars import keeps_holidays, keeps_windows
from crm.actions.changes import undo
from crm.actions.windows import add_window
from crm.domain.refusals import InvalidInput, NotAllowed
from crm.extensions import db
from crm.store.obligations import Obligation
from crm.store.projections import refresh
from crm.store.regions import region_by_code
from crm.store.unit_of_work import unit_of_work
from crm.store.windows import Window, calendar
from tests.builders import NOW, OTHER, TODAY, act, county, make_enterprise, make_user, township

ROUND = {"kind": "hnte", "year": 2027, "opens_on": date(2027, 4, 1), "status": "announced", "source": "县局通知"}
CERTIFICATE = [("hnte", date(2024, 11, 20), date(2027, 11, 19))]


def city():
    return region_by_code("500000")


def keeps(viewer, region=None):
    return keeps_windows(viewer, (region or city()).id, TODAY), keeps_holidays(viewer, TODAY)


def deadlines(*enterprise_ids: int) -> list[datetime]:
    with unit_of_work():
        refresh(enterprise_ids, at=NOW)
    query = select(Obligation.due_at).where(Obligation.kind == "hnte_renewal").order_by(Obligation.enterprise_id)
    return list(db.session.scalars(query))


def test_the_city_keeps_the_shared_calendar_once_it_has_an_office(app):
    clerk, leader = make_user("clerk", "bureau"), make_user("leader", "leader")
    alone = keeps(clerk)
    above = make_user("above", "bureau", region=city())

    assert alone == (True, True)
    assert keeps(clerk) == (False, False)
    assert keeps(above) == (True, True)
    assert keeps(leader) == (False, False)


def test_a_second_county_with_people_ends_the_standing_in(app):
    """Nobody holds the municipality; still neither district may move the other's dates."""
    clerk = make_user("clerk", "bureau")
    county(OTHER)
    empty = keeps(clerk)

    make_user("foreign", "township", region=region_by_code(f"{OTHER}001"))

    assert (empty, keeps(clerk)) == ((True, True), (False, False))


def test_somebody_who_is_gone_does_not_count_as_a_second_county(app):
    clerk = make_user("clerk", "bureau")
    make_user("gone", "bureau", region=county(OTHER), valid_to=date(2026, 11, 22))

    assert keeps(clerk) == (True, True)


def test_a_county_always_keeps_its_own_windows_and_never_a_neighbours(app):
    clerk, foreign = make_user("clerk", "bureau"), make_user("foreign", "bureau", region=county(OTHER))
    make_user("above", "bureau", region=city())

    assert keeps(clerk, county())[0] is True
    assert keeps(clerk, county(OTHER))[0] is False
    assert keeps(foreign, county(OTHER))[0] is True


def test_one_districts_window_does_not_move_the_neighbours_deadlines(app):
    clerk = make_user("clerk", "bureau")
    make_user("foreign", "bureau", region=county(OTHER))
    here = make_enterprise(titles=CERTIFICATE)
    there = make_enterprise("云台区白鹭光电有限公司", region=county(OTHER), titles=CERTIFICATE)
    before = deadlines(here, there)
    due = datetime(2027, 7, 15, 4, 0, tzinfo=UTC)

    with unit_of_work():
        add_window(county().id, ROUND | {"batch": "第一批", "enterprise_due_at": due}, act=act(clerk))

    assert before[0] == before[1]
    assert deadlines(here, there) == [due, before[1]]


def test_a_countys_window_stands_in_place_of_the_citys_of_the_same_batch(app):
    clerk = make_user("clerk", "bureau")
    neighbour = county(OTHER)
    theirs = calendar().of(neighbour.id)
    batch = next(one.batch for one in theirs if (one.kind, one.year) == ("hnte", 2025))
    with unit_of_work():
        add_window(county().id, ROUND | {"year": 2025, "batch": batch, "opens_on": date(2025, 2, 1)}, act=act(clerk))

    ours, again = calendar().of(county().id), calendar().of(neighbour.id)

    def changed(rounds):
        return [one.opens_on for one in rounds if (one.kind, one.year, one.batch) == ("hnte", 2025, batch)]

    assert changed(ours) == [date(2025, 2, 1)]
    assert len(ours) == len(theirs)
    assert list(again) == list(theirs)


def test_a_township_has_no_windows(sqlite_app):
    clerk = make_user("clerk", "bureau")

    with pytest.raises(InvalidInput):
        add_window(township().id, ROUND | {"batch": "第一批"}, act=act(clerk))


def test_who_stood_in_cannot_move_the_citys_dates_by_undoing_later(app):
    clerk = make_user("clerk", "bureau")
    with unit_of_work():
        written = add_window(city().id, ROUND | {"batch": "第九批"}, act=act(clerk))
    make_user("foreign", "bureau", region=county(OTHER))

    with pytest.raises(NotAllowed), unit_of_work():
        undo(written.change_set_id, act=act(clerk))

    assert db.session.get(Window, written.ids["window"]).deleted is False
