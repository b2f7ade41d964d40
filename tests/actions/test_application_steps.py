"""Steps of an application: along the edges, in the window, in the order of days; back, out, and put right."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from crm.actions.application_steps import correct_step, map_stage, step
from crm.actions.applications import add_application
from crm.actions.changes import undo
from crm.domain.clock import end_of_day
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store.applications import Application, steps_of
from crm.store.unit_of_work import unit_of_work
from crm.store.windows import Window
from tests.builders import TODAY, act, county, make_enterprise, make_user


def window_id(kind="hnte", year=2027, batch="第一批"):
    return db.session.scalar(select(Window.id).where(Window.kind == kind, Window.year == year, Window.batch == batch))


def add(enterprise_id=None, **more) -> int:
    values = {"kind": "hnte", "year": 2026, "stage": "reserve", "stage_on": date(2026, 3, 2), **more}
    enterprise_id = enterprise_id or make_enterprise()
    with unit_of_work():
        return add_application(enterprise_id, **values, act=act()).ids["application"]


def go(application_id, to_stage, on, *, by=None, version=None, **more):
    row = db.session.get(Application, application_id)
    with unit_of_work():
        return step(application_id, to_stage, happened_on=on, version=version or row.version, act=by or act(), **more)


def refused(application_id, to_stage, on, **more) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal:
        go(application_id, to_stage, on, **more)
    return refusal.value.problems


def test_a_step_writes_the_stage_its_day_and_its_story(app):
    application_id = add()

    go(application_id, "online", date(2026, 4, 1))
    go(application_id, "handed_in", date(2026, 4, 20))
    go(application_id, "county_review", date(2026, 4, 21))
    go(application_id, "returned", date(2026, 4, 23), reason="缺 2025 年审计报告", due_on=date(2026, 4, 30))

    row = db.session.get(Application, application_id)
    stored = (row.stage_code, row.stage, row.stage_on, row.stage_due_on, row.outcome)
    assert stored == ("returned", "退回补正", date(2026, 4, 23), date(2026, 4, 30), None)
    told = [(one.from_stage, one.to_stage, one.kind, one.reason) for one in steps_of(application_id)]
    assert told == [
        (None, "reserve", "start", None),
        ("reserve", "online", "forward", None),
        ("online", "handed_in", "forward", None),
        ("handed_in", "county_review", "forward", None),
        ("county_review", "returned", "return", "缺 2025 年审计报告"),
    ]


def test_publicity_ends_ten_working_days_later(sqlite_app):
    application_id = add(stage="city_review", stage_on=date(2026, 10, 9))

    go(application_id, "publicity", date(2026, 11, 2))

    assert db.session.get(Application, application_id).stage_due_on == date(2026, 11, 16)


def test_only_the_edges_of_the_template_are_open_and_the_refusal_names_them(sqlite_app):
    application_id = add()

    assert refused(application_id, "publicity", TODAY) == {
        "to_stage": "从“储备”不能到“公示”。可以到：辅导、网上申报、撤回。"
    }
    assert refused(application_id, "reserve", TODAY) == {"to_stage": "已在“储备”，不用再推进。"}
    assert refused(application_id, "nowhere", TODAY) == {"to_stage": "选到哪一步。"}


def test_a_way_back_or_out_needs_its_reason(sqlite_app):
    application_id = add(stage="county_review", stage_on=date(2026, 5, 8))

    assert refused(application_id, "returned", TODAY) == {"reason": "写明退回原因，企业照着补正。"}
    assert refused(application_id, "withdrawn", TODAY, reason=" ") == {"reason": "写明为什么撤回。"}
    assert list(refused(application_id, "returned", TODAY, reason="很" * 501)) == ["reason"]


def test_a_step_lies_neither_before_the_former_one_nor_in_the_future(sqlite_app):
    application_id = add(stage_on=date(2026, 3, 2))

    assert refused(application_id, "online", date(2026, 3, 1)) == {
        "happened_on": "日期 2026-03-01 早于到“储备”的 2026-03-02。核对后改正；上一步记错了，先更正上一步。"
    }
    assert list(refused(application_id, "online", date(2026, 12, 1))) == ["happened_on"]
    assert list(refused(application_id, "online", TODAY, due_on=date(2026, 1, 1))) == ["due_on"]


def test_a_closed_window_takes_no_application_and_no_step_unless_a_reason_is_written(app):
    enterprise_id = make_enterprise()
    closed = window_id(year=2026, batch="第三批")

    with pytest.raises(Refused) as refusal:
        add(enterprise_id, window_id=closed, stage_on=None)
    application_id = add(enterprise_id, window_id=closed, stage_on=date(2026, 7, 20))
    late = refused(application_id, "online", date(2026, 9, 1))
    go(application_id, "online", date(2026, 9, 1), reason="市里同意延期三天")

    assert refusal.value.message == (
        "2026 年第三批窗口 08-31 24:00 已截止，不能再申报。选还开着或预计的窗口；确要补登，写明理由。"
    )
    assert late == {"reason": "窗口 08-31 24:00 已截止，2026-09-01 到“网上申报”已晚。确有其事，写明原因再登记。"}
    assert steps_of(application_id)[-1].reason == "市里同意延期三天"


def test_the_county_deadline_counts_by_the_hour_on_its_day(sqlite_app):
    bureau = make_user("yewu", "bureau")
    application_id = add(
        window_id=window_id(year=2026, batch="第三批"), stage="county_review", stage_on=date(2026, 9, 10)
    )
    noon = datetime(2026, 9, 12, 4, 0, tzinfo=UTC)
    on = date(2026, 9, 12)

    late = refused(application_id, "recommended", on, by=act(bureau, now=noon.replace(minute=1), on=on))
    go(application_id, "recommended", on, by=act(bureau, now=noon, on=on))

    assert list(late) == ["reason"]
    assert db.session.get(Application, application_id).stage == "推荐上报"


def test_the_window_gives_the_year_and_must_be_of_the_kind(sqlite_app):
    application_id = add(year=None, window_id=window_id(), stage_on=None)

    assert db.session.get(Application, application_id).year == 2027
    with pytest.raises(InvalidInput) as refusal:
        add(kind="tech_sme", window_id=window_id())
    assert list(refusal.value.problems) == ["window"]
    with pytest.raises(NotFound):
        add(window_id=999_999)


def test_a_second_application_of_a_year_is_refused_while_the_first_is_in_hand_or_has_passed(sqlite_app):
    enterprise_id = make_enterprise()
    application_id = add(enterprise_id, stage="announced", stage_on=date(2026, 10, 20))

    with pytest.raises(Refused, match="已在办（备案公告）"):
        add(enterprise_id)
    go(application_id, "passed", date(2026, 11, 2))
    with pytest.raises(Refused, match="一年只申报一次"):
        add(enterprise_id)


def test_an_end_keeps_the_stage_it_was_reached_in_and_lets_nothing_follow(app):
    application_id = add(stage="city_review", stage_on=date(2026, 9, 20))

    go(application_id, "failed", date(2026, 11, 3), reason="研发费用归集不全")

    row = db.session.get(Application, application_id)
    assert (row.stage_code, row.stage_on, row.outcome) == ("city_review", date(2026, 9, 20), "failed")
    with pytest.raises(Refused, match="这件申报已未通过，不能再推进"):
        go(application_id, "publicity", TODAY)


def test_recommending_is_the_bureaus_and_a_stranger_finds_nothing(app):
    manager = make_user("wen", "case_manager")
    stranger = make_user("tingyu", "bureau", region=county("500299"))
    enterprise_id = make_enterprise(manager=manager.user_id)
    application_id = add(enterprise_id, stage="county_review", stage_on=date(2026, 5, 8))

    with pytest.raises(NotAllowed, match="推荐上报"):
        go(application_id, "recommended", date(2026, 5, 9), by=act(manager))
    with pytest.raises(NotFound):
        go(application_id, "recommended", date(2026, 5, 9), by=act(stranger))
    go(application_id, "returned", date(2026, 5, 9), reason="缺页", by=act(manager))
    with pytest.raises(NotAllowed, match="推荐上报"), unit_of_work():
        version = db.session.get(Application, application_id).version
        correct_step(application_id, "recommended", happened_on=None, reason="绕道", version=version, act=act(manager))


def test_two_people_moving_one_application_are_shown_each_other(app):
    application_id = add()
    seen = {"stage_code": "reserve", "outcome": None}
    go(application_id, "coaching", date(2026, 4, 1), version=1, seen=seen)

    with pytest.raises(Conflict) as clash:
        go(application_id, "online", date(2026, 4, 2), version=1, seen=seen)
    assert clash.value.theirs == {"to_stage": ("储备", "辅导", "网上申报")}
    assert [one.to_stage for one in steps_of(application_id)] == ["reserve", "coaching"]


def test_a_correction_puts_the_stage_right_and_both_records_stay(app):
    application_id = add()
    go(application_id, "withdrawn", date(2026, 4, 1), reason="误点")

    with unit_of_work():
        correct_step(application_id, "online", happened_on=date(2026, 4, 2), reason="点错了行", version=2, act=act())

    row = db.session.get(Application, application_id)
    assert (row.stage_code, row.stage_on, row.outcome) == ("online", date(2026, 4, 2), None)
    assert [(one.to_stage, one.kind) for one in steps_of(application_id)] == [
        ("reserve", "start"),
        ("withdrawn", "withdraw"),
        ("online", "correction"),
    ]
    # The wrong step counts no more: the next one is measured from the corrected day.
    assert list(refused(application_id, "handed_in", date(2026, 4, 1))) == ["happened_on"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        pytest.param({"reason": " "}, "reason", id="no reason"),
        pytest.param({"happened_on": date(2026, 2, 1)}, "happened_on", id="before the step before"),
        pytest.param({"to_stage": "online", "happened_on": date(2026, 4, 1)}, "to_stage", id="nothing to correct"),
        pytest.param({"to_stage": "moon"}, "to_stage", id="no such stage"),
    ],
)
def test_a_correction_that_says_nothing_is_refused_beside_its_field(sqlite_app, more, field):
    application_id = add()
    go(application_id, "online", date(2026, 4, 1))
    values = {"to_stage": "coaching", "happened_on": date(2026, 4, 1), "reason": "记错了", **more}

    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        correct_step(application_id, values.pop("to_stage"), version=2, act=act(), **values)

    assert list(refusal.value.problems) == [field]


def test_free_words_stay_readable_until_they_are_mapped_and_then_go_on(app):
    application_id = add(stage="等专家看", stage_on=date(2026, 9, 1))

    assert list(refused(application_id, "city_review", TODAY)) == ["to_stage"]
    with unit_of_work():
        map_stage(application_id, "city_review", version=1, act=act())
    go(application_id, "publicity", date(2026, 10, 9))

    told = [(one.to_stage, one.kind, one.reason) for one in steps_of(application_id)]
    assert told == [
        ("city_review", "mapped", "原来写的是“等专家看”"),
        ("publicity", "forward", None),
    ]


def test_undoing_a_step_takes_the_application_back_and_the_story_with_it(app):
    application_id = add()
    written = go(application_id, "online", date(2026, 4, 1))

    with unit_of_work():
        undo(written.change_set_id, act=act())

    row = db.session.get(Application, application_id)
    assert (row.stage_code, row.stage, row.stage_on) == ("reserve", "储备", date(2026, 3, 2))
    assert [one.to_stage for one in steps_of(application_id)] == ["reserve"]


def test_an_earlier_step_that_was_gone_on_from_is_not_undone(app):
    application_id = add()
    first = go(application_id, "online", date(2026, 4, 1))
    go(application_id, "handed_in", date(2026, 4, 9))

    with pytest.raises(Refused, match="都已被后来的修改接上"), unit_of_work():
        undo(first.change_set_id, act=act())

    assert db.session.get(Application, application_id).stage_code == "handed_in"
    assert [one.to_stage for one in steps_of(application_id)] == ["reserve", "online", "handed_in"]


def test_a_moved_deadline_takes_the_stage_along(app):
    from crm.domain.stages import stage_deadline
    from crm.rules.stages import load_stages
    from crm.store.windows import calendar

    application_id = add(year=None, window_id=window_id(), stage_on=None)
    with unit_of_work() as work:
        work.get(Window, window_id()).enterprise_due_at = end_of_day(date(2027, 5, 9))

    row = db.session.get(Application, application_id)
    stage = load_stages().of("hnte", date(2027, 3, 18)).by_code[row.stage_code]
    window = calendar().round(row.window_id, county().id)
    assert stage_deadline(stage, window, row.stage_on, row.stage_due_on) == end_of_day(date(2027, 5, 9))
