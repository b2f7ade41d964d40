"""区县初审 on both databases: received with its moment, looked at by two, decided, taken back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from crm.actions import reviews as deeds
from crm.actions.application_steps import step
from crm.actions.changes import undo
from crm.domain import reviews
from crm.domain.refusals import AlreadyDone, Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store import review_lists
from crm.store.applications import Application, ApplicationReview, steps_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import NOW, OTHER, TODAY, act, county, make_enterprise, make_user
from tests.reviewing import (
    COUNTY_DUE,
    answers,
    bring_materials,
    decide,
    make_application,
    make_window,
    queue,
    receive,
    review_of,
    version_of,
)


def application(application_id: int) -> Application:
    db.session.expire_all()
    return db.session.get(Application, application_id)


def taken_back(written) -> None:
    with unit_of_work():
        undo(written.change_set_id, act=act())


def test_what_is_received_stands_in_the_queue_with_its_moment(app):
    with app.app_context():
        one = make_application(make_window())

        receive(one, received_at=NOW - timedelta(hours=2))

        assert application(one).stage_code == "handed_in"
        assert review_of(one).received_at == NOW - timedelta(hours=2)
        assert [step.to_stage for step in steps_of(one)] == ["online", "handed_in"]


def test_what_is_received_twice_is_refused_and_a_second_press_writes_nothing(app):
    with app.app_context():
        one = make_application(make_window())
        receive(one, by=act(request_key="k" * 32))

        with pytest.raises(AlreadyDone), unit_of_work():
            deeds.receive(one, act=act(request_key="k" * 32))
        with pytest.raises(Refused, match="已收件"):
            receive(one)

        assert len(review_lists.reviews_of(one)) == 1


def test_after_the_county_deadline_only_the_bureau_receives_and_says_why(app):
    with app.app_context():
        manager = make_user("xianghe", "case_manager")
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        mine = make_enterprise(manager=manager.user_id)
        one = make_application(window_id, mine)
        late = COUNTY_DUE + timedelta(minutes=5)
        friday = date(2026, 11, 27)

        with pytest.raises(InvalidInput) as for_manager:
            receive(one, by=act(manager, now=late, on=friday), late_reason="堵车")
        with pytest.raises(InvalidInput) as without_reason:
            receive(one, by=act(bureau, now=late, on=friday))
        receive(one, by=act(bureau, now=late, on=friday), late_reason="系统故障，市局同意顺延")

        assert for_manager.value.problems == {
            "received_at": "区县截止 11-27 12:00 已过，不再收件。由业务科室写明理由才能收。"
        }
        assert list(without_reason.value.problems) == ["late_reason"]
        assert review_of(one).late_reason == "系统故障，市局同意顺延"


def test_what_came_before_twelve_may_be_put_on_record_in_the_afternoon(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        one = make_application(make_window())

        receive(
            one,
            by=act(bureau, now=COUNTY_DUE + timedelta(hours=2), on=date(2026, 11, 27)),
            received_at=COUNTY_DUE - timedelta(minutes=10),
        )

        assert review_of(one).late_reason is None
        assert application(one).stage_code == "handed_in"


@pytest.mark.parametrize(
    "at", [NOW + timedelta(minutes=1), datetime(2026, 10, 1, tzinfo=UTC)], ids=["still to come", "before it opened"]
)
def test_an_impossible_moment_is_refused(app, at):
    with app.app_context():
        one = make_application(make_window())

        with pytest.raises(InvalidInput) as refused:
            receive(one, received_at=at)

        assert list(refused.value.problems) == ["received_at"]


def test_an_open_point_and_a_missing_material_block_a_recommendation(app):
    with app.app_context():
        one = make_application(make_window())
        bring_materials(one, without=("audit",))
        receive(one)

        with pytest.raises(InvalidInput) as refused:
            decide(one, reviews.RECOMMENDED, fields=answers(ip=None))

        assert "还有 1 条没有回答" in refused.value.problems["result"]
        assert "缺 1 样材料：近三年财务会计报告" in refused.value.problems["result"]
        assert review_of(one).result is None


def test_a_recommendation_keeps_who_when_the_answers_and_the_opinion(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau", name="谭越")
        one = make_application(make_window())
        bring_materials(one)
        receive(one)

        decide(one, reviews.RECOMMENDED, by=act(bureau), fields=answers(not_early="na"))

        review = review_of(one)
        assert (review.result, review.reviewer_name, review.reviewed_on) == ("recommended", "谭越", TODAY)
        assert review.checklist["not_early"] == {"answer": "na"}
        assert review.opinion.startswith("经形式核对 17 条，其中 1 条不适用")
        assert [step.to_stage for step in steps_of(one)][-2:] == ["county_review", "recommended"]


def test_one_undo_takes_back_the_decision_and_its_steps(app):
    with app.app_context():
        one = make_application(make_window())
        bring_materials(one)
        receive(one)
        written = decide(one, reviews.RECOMMENDED)

        taken_back(written)

        assert application(one).stage_code == "handed_in"
        assert review_of(one).result is None
        assert [step.to_stage for step in steps_of(one)] == ["online", "handed_in"]
        decide(one, reviews.RECOMMENDED)
        assert application(one).stage_code == "recommended"


def test_what_is_returned_is_told_all_at_once_and_comes_back_for_a_second_look(app):
    with app.app_context():
        one = make_application(make_window())
        bring_materials(one, without=("audit",))
        receive(one)

        decide(one, reviews.RETURNED, fields=answers(staff="no"), more="法人签字页\n骑缝章", mend_by=date(2026, 11, 26))

        told = review_of(one)
        assert [sentence[:12] for sentence in told.missing] == [
            "职工、科技人员人数与花名", "缺：近三年财务会计报告（", "法人签字页", "骑缝章"
        ]  # fmt: skip
        assert (told.mend_by, application(one).stage_code) == (date(2026, 11, 26), "returned")
        assert application(one).stage_due_on == date(2026, 11, 26)
        receive(one)
        assert application(one).stage_code == "county_review"
        assert [look.result for look in review_lists.reviews_of(one)] == [None, "returned"]
        assert "staff" not in review_of(one).checklist
        assert len(review_of(one).checklist) == 16


def test_nothing_is_returned_without_saying_what_and_until_when(app):
    with app.app_context():
        one = make_application(make_window())
        bring_materials(one)
        receive(one)

        with pytest.raises(InvalidInput) as refused:
            decide(one, reviews.RETURNED)
        with pytest.raises(InvalidInput) as past:
            decide(one, reviews.RETURNED, fields=answers(ip="no"), mend_by=date(2026, 11, 20))

        assert list(refused.value.problems) == ["more", "mend_by"]
        assert past.value.problems == {"mend_by": "补正期限 2026-11-20 已过。改成以后的日期。"}


def test_not_recommending_needs_a_reason_and_ends_it(app):
    with app.app_context():
        one = make_application(make_window())
        receive(one)

        with pytest.raises(InvalidInput) as refused:
            decide(one, reviews.NOT_RECOMMENDED, fields=answers(no_breach="no"))
        decide(one, reviews.NOT_RECOMMENDED, fields=answers(no_breach="no"), reason="当年有重大安全事故")

        assert list(refused.value.problems) == ["reason"]
        assert application(one).outcome == "not_recommended"


def test_after_the_county_deadline_a_recommendation_says_why(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        one = make_application(make_window())
        bring_materials(one)
        receive(one)
        late = act(bureau, now=COUNTY_DUE + timedelta(minutes=1), on=date(2026, 11, 27))

        with pytest.raises(InvalidInput) as refused:
            decide(one, reviews.RECOMMENDED, by=late)
        decide(one, reviews.RECOMMENDED, by=late, reason="12:00 前已在市级系统点推荐")

        assert list(refused.value.problems) == ["reason"]
        assert steps_of(one)[-1].reason == "12:00 前已在市级系统点推荐"


def test_two_reviewers_merge_and_clash_only_over_the_same_point(app):
    with app.app_context():
        one = make_application(make_window())
        bring_materials(one)
        receive(one)
        seen, version = reviews.flat({}), review_of(one).version

        def keep(**fields: str) -> None:
            with unit_of_work():
                deeds.check(one, fields, version=version, seen=seen, act=act())

        keep(a_ip="yes")
        keep(a_staff="yes", n_staff="花名册 43 人")
        with pytest.raises(Conflict) as clash:
            keep(a_ip="no")

        assert clash.value.theirs == {"a_ip": (None, "yes", "no")}
        assert review_of(one).checklist == {
            "ip": {"answer": "yes"},
            "staff": {"answer": "yes", "note": "花名册 43 人"},
        }


def test_the_second_of_two_decisions_is_refused_with_the_name_of_the_first(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau", name="谭越")
        one = make_application(make_window())
        bring_materials(one)
        receive(one)
        decide(one, reviews.RECOMMENDED, by=act(bureau))

        with pytest.raises(Refused, match="谭越 2026-11-23 已定为“推荐上报”"):
            decide(one, reviews.NOT_RECOMMENDED, reason="另有看法")


def test_only_the_bureau_of_the_region_decides(app):
    with app.app_context():
        manager = make_user("xianghe", "case_manager")
        stranger = make_user("tingyu", "bureau", region=county(OTHER))
        one = make_application(make_window(), make_enterprise(manager=manager.user_id))
        receive(one, by=act(manager))

        with pytest.raises(NotAllowed):
            decide(one, reviews.RECOMMENDED, by=act(manager))
        with pytest.raises(NotFound):
            decide(one, reviews.RECOMMENDED, by=act(stranger))
        with pytest.raises(NotFound):
            receive(one, by=act(stranger))


def test_the_board_does_not_pass_by_the_checklist(app):
    with app.app_context():
        one = make_application(make_window())
        bring_materials(one)
        receive(one)
        with unit_of_work():
            step(one, "county_review", happened_on=None, version=version_of(one), act=act())

        for result in reviews.RESULTS:
            with pytest.raises(Refused, match="核对要点后在那里定"), unit_of_work():
                step(one, result, happened_on=None, reason="直接推", version=version_of(one), act=act())


def test_nothing_is_looked_at_before_it_is_received(app):
    with app.app_context():
        one = make_application(make_window())

        with pytest.raises(Refused, match="先收件再审"), unit_of_work():
            deeds.check(one, {"a_ip": "yes"}, version=0, seen={}, act=act())


def test_every_count_of_the_queue_opens_exactly_that_many_rows(app):
    with app.app_context():
        viewer = make_user("tanyue", "bureau")
        window_id = make_window()
        make_application(window_id)
        waiting = make_application(window_id)
        receive(waiting)
        returned = make_application(window_id)
        receive(returned)
        decide(returned, reviews.RETURNED, fields=answers(ip="no"), mend_by=date(2026, 11, 26))
        refused = make_application(window_id)
        receive(refused)
        decide(refused, reviews.NOT_RECOMMENDED, reason="失信")
        good = make_application(window_id)
        bring_materials(good)
        receive(good)
        decide(good, reviews.RECOMMENDED)
        window = queue(window_id, viewer)

        counts = review_lists.counts(window, county().id, viewer)

        assert counts == {
            "due": 5, "received": 4, "waiting": 1, "returned": 1, "recommended": 1, "not_recommended": 1, "missing": 1
        }  # fmt: skip
        for part, count in counts.items():
            rows = review_lists.page(part, window, county().id, viewer)
            assert len(rows) == count, part
            assert part in ("due", "received") or {row.bucket(window) for row in rows} == {part}


def test_the_queue_begins_with_the_next_deadline_that_applications_wait_for(app):
    with app.app_context():
        viewer = make_user("tanyue", "bureau")
        make_window(batch="空批", county_due_at=COUNTY_DUE - timedelta(days=2))
        window_id = make_window()
        make_application(window_id)

        windows = review_lists.windows_of(county().id, viewer)

        assert review_lists.usual_window(windows, NOW).id == window_id
        assert review_lists.usual_window(windows, COUNTY_DUE + timedelta(days=1)).id == window_id


def test_an_application_of_the_citys_window_stands_under_the_countys_own_of_the_same_batch(app):
    with app.app_context():
        viewer = make_user("tanyue", "bureau")
        city = make_window(region=db.session.get(type(county()), county().parent_id), county_due_at=None)
        one = make_application(city)
        own = make_window()

        window = queue(own, viewer)

        assert set(window.ids) == {city, own}
        assert window.county_due_at == COUNTY_DUE
        assert [row.id for row in review_lists.page("missing", window, county().id, viewer)] == [one]


def test_a_review_of_a_withdrawn_reception_counts_no_more(app):
    with app.app_context():
        one = make_application(make_window())
        written = receive(one)

        taken_back(written)

        assert review_lists.reviews_of(one) == []
        assert db.session.scalar(select(ApplicationReview.deleted)) is True
        assert (application(one).stage_code, version_of(one) > 1) == ("online", True)
