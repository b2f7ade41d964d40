"""Windows and holidays: who keeps them, what they must say, and that what hangs on them is computed anew."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from crm.actions.changes import undo
from crm.actions.holidays import add_holidays, remove_holiday
from crm.actions.windows import add_window, edit_window
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound
from crm.extensions import db
from crm.store.holidays import Holiday, holidays
from crm.store.jobs import Job
from crm.store.regions import region_by_code
from crm.store.unit_of_work import unit_of_work
from crm.store.windows import Window
from tests.builders import OTHER, act, county, make_user

WINDOW = {
    "kind": "hnte",
    "year": 2028,
    "batch": "第一批",
    "opens_on": date(2028, 4, 1),
    "county_due_at": datetime(2028, 6, 1, 4, 0, tzinfo=UTC),
    "status": "expected",
    "source": "按 2025 年推定",
}


def add(viewer, region_id=None, **values):
    with unit_of_work():
        return add_window(region_id or region_by_code("500000").id, WINDOW | values, act=act(viewer)).ids["window"]


def jobs() -> list[str]:
    return list(db.session.scalars(select(Job.kind).order_by(Job.id)))


def test_a_window_keeps_its_hour_and_asks_for_a_recompute(app):
    clerk = make_user("clerk", "bureau")
    window_id = add(clerk)
    due = datetime(2028, 6, 3, 4, 30, tzinfo=UTC)

    with unit_of_work():
        edit_window(
            window_id, {"county_due_at": due, "status": "announced", "source": "通知"}, version=1, act=act(clerk)
        )

    row = db.session.get(Window, window_id)
    assert (row.county_due_at, row.status, row.version) == (due, "announced", 2)
    assert jobs() == ["recompute"]  # the one that waits sees both


def test_taking_a_window_back_computes_anew(app):
    clerk = make_user("clerk", "bureau")
    with unit_of_work():
        written = add_window(region_by_code("500000").id, WINDOW, act=act(clerk))
        db.session.execute(update(Job).values(state="done"))

    with unit_of_work():
        undo(written.change_set_id, act=act(clerk))

    assert jobs() == ["recompute", "recompute"]


def test_saving_without_a_change_computes_nothing(sqlite_app):
    clerk = make_user("clerk", "bureau")
    window_id = add(clerk)

    with unit_of_work():
        edit_window(window_id, {"batch": "第一批"}, version=1, act=act(clerk))

    assert jobs() == ["recompute"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "nothing"}, "kind"),
        ({"year": None}, "year"),
        ({"opens_on": None}, "opens_on"),
        ({"closes_on": date(2028, 3, 1)}, "closes_on"),
        ({"county_due_at": datetime(2028, 3, 1, tzinfo=UTC)}, "county_due_at"),
        ({"status": "announced", "source": ""}, "source"),
        ({"status": "perhaps"}, "status"),
    ],
    ids=["no kind", "no year", "no opening", "closes first", "due first", "announced by nobody", "no status"],
)
def test_a_window_that_cannot_be_is_refused_beside_its_field(sqlite_app, values, field):
    clerk = make_user("clerk", "bureau")

    with pytest.raises(InvalidInput) as refusal:
        add(clerk, **values)

    assert set(refusal.value.problems) == {field}
    assert jobs() == []


def test_a_round_stands_once_a_year(sqlite_app):
    clerk = make_user("clerk", "bureau")
    add(clerk)

    with pytest.raises(InvalidInput):
        add(clerk)


def test_a_county_leaves_the_windows_to_the_city_once_it_has_an_office(app):
    clerk = make_user("clerk", "bureau")
    window_id = add(clerk)
    make_user("above", "bureau", region=region_by_code("500000"))

    with pytest.raises(NotAllowed), unit_of_work():
        edit_window(window_id, {"batch": "第二批"}, version=1, act=act(clerk))


def test_the_window_of_another_district_is_not_there(app):
    clerk = make_user("clerk", "bureau")
    foreign_clerk = make_user("foreign", "bureau", region=county(OTHER))
    window_id = add(foreign_clerk, county(OTHER).id)

    with pytest.raises(NotFound), unit_of_work():
        edit_window(window_id, {"batch": "第二批"}, version=1, act=act(clerk))
    with pytest.raises(NotFound):
        add(clerk, county(OTHER).id)


def test_a_stale_window_is_a_conflict(sqlite_app):
    clerk = make_user("clerk", "bureau")
    window_id = add(clerk)
    with unit_of_work():
        edit_window(window_id, {"batch": "甲"}, version=1, act=act(clerk))

    with pytest.raises(Conflict), unit_of_work():
        edit_window(window_id, {"batch": "乙"}, version=1, act=act(clerk))


def spring(viewer, first=date(2028, 1, 26), last=date(2028, 2, 1), **more):
    with unit_of_work():
        return add_holidays(first, last, kind="off", name="春节", source="国办发明电", act=act(viewer), **more)


def test_a_holiday_makes_its_year_known(app):
    clerk = make_user("clerk", "bureau")
    before = 2028 in holidays().known_years

    spring(clerk)

    assert (before, 2028 in holidays().known_years) == (False, True)
    assert date(2028, 1, 31) in holidays().days_off
    assert "recompute" in jobs()


def test_a_day_taken_out_is_a_working_day_again(app):
    clerk = make_user("clerk", "bureau")
    spring(clerk)
    day = db.session.scalar(select(Holiday).where(Holiday.day == date(2028, 1, 31)))

    with unit_of_work():
        remove_holiday(day.id, act=act(clerk))

    assert date(2028, 1, 31) not in holidays().days_off
    assert date(2028, 1, 28) in holidays().days_off


def test_days_already_known_are_left_out(sqlite_app):
    clerk = make_user("clerk", "bureau")
    spring(clerk)

    written = spring(clerk, last=date(2028, 2, 3))

    assert written.record_count == 2
    with pytest.raises(InvalidInput):
        spring(clerk)


@pytest.mark.parametrize("days", [-1, 15], ids=["ends first", "more than two weeks"])
def test_a_holiday_of_an_impossible_length_is_refused(sqlite_app, days):
    clerk = make_user("clerk", "bureau")

    with pytest.raises(InvalidInput):
        spring(clerk, last=date(2028, 1, 26) + timedelta(days=days))


def test_a_leader_keeps_no_calendar(sqlite_app):
    leader = make_user("leader", "leader")

    with pytest.raises(NotAllowed):
        spring(leader)
