"""Many obligations at once: given to somebody, put off, settled; what is skipped and why, undone as one."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from crm.actions.changes import undo
from crm.actions.obligation_bulk import (
    ALREADY,
    ASSIGN,
    CLOSED,
    ELSEWHERE,
    NO_RIGHT,
    POSTPONE,
    SETTLE,
    Wish,
    make_ready,
    settle_many,
    work_out,
)
from crm.actions.obligations import assign, postpone, settle, take_back
from crm.actions.service_logs import log_service
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, Refused
from crm.extensions import db
from crm.store.changes import ChangeSet
from crm.store.comments import Notice
from crm.store.obligations import obligations_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user

SOON = TODAY + timedelta(days=3)


@pytest.fixture
def bureau(app):
    return make_user("tanyue", "bureau", name="谭越")


@pytest.fixture
def chenshu(app):
    return make_user("chenshu", "case_manager", name="陈述")


def promised(name: str = "甲食品有限公司", *, by=None, **firm):
    """The key of a next step of a new firm."""
    enterprise_id = make_enterprise(name, **firm)
    values = {
        "happened_on": date(2026, 11, 2),
        "kind": "visit",
        "text": "看了车间。",
        "next_step": "送立项书模板",
        "next_step_on": SOON,
    }
    with unit_of_work():
        written = log_service([enterprise_id], values, act=act(by))
    return enterprise_id, "next_step", str(written.ids["service_log"])


def now_of(key):
    db.session.rollback()
    return next(one for one in obligations_of(key[0]) if (one.kind, one.period) == key[1:])


def done_to(keys, wish: Wish, viewer, typed: int | None = None):
    bulk = work_out(keys, wish, act=act(viewer))
    prepared = make_ready(bulk, typed, act=act(viewer))
    with unit_of_work():
        return settle_many(bulk, prepared, act=act(viewer))


def test_many_are_given_to_one_in_one_change_set_who_hears_of_it_once_and_it_is_undone_whole(app, bureau, chenshu):
    keys = [promised("甲食品有限公司"), promised("乙食品有限公司")]

    written = done_to(keys, Wish(ASSIGN, assignee=chenshu.user_id), bureau)

    assert [now_of(key).owner_id for key in keys] == [chenshu.user_id] * 2
    change_set = db.session.get(ChangeSet, written.change_set_id)
    assert (change_set.action, change_set.record_count) == ("assign_many", 2)
    notices = db.session.scalars(select(Notice).where(Notice.user_id == chenshu.user_id)).all()
    assert [(one.kind, one.text) for one in notices] == [("assigned", "交办给你 2 项到期事项")]
    with unit_of_work():
        undo(written.change_set_id, act=act(bureau))
    assert chenshu.user_id not in {now_of(key).owner_id for key in keys}


def test_who_was_given_something_settles_it_though_the_enterprise_is_a_colleagues(app, bureau, chenshu):
    colleague = make_user("xianghe", "case_manager", name="向禾")
    key = promised(manager=colleague.user_id, by=colleague)
    with pytest.raises(NotAllowed), unit_of_work():
        settle(*key, act=act(chenshu))
    done_to([key], Wish(ASSIGN, assignee=chenshu.user_id), bureau)

    with unit_of_work():
        settle(*key, act=act(chenshu))

    assert (now_of(key).state, now_of(key).owner_id) == ("done", chenshu.user_id)


def test_many_are_put_off_and_keep_who_does_them(app, bureau, chenshu):
    keys = [promised("甲食品有限公司"), promised("乙食品有限公司")]
    done_to(keys, Wish(ASSIGN, assignee=chenshu.user_id), bureau)

    done_to(keys, Wish(POSTPONE, to=date(2026, 12, 20)), bureau)

    found = [now_of(key) for key in keys]
    assert {one.due_at.astimezone().date() for one in found} == {date(2026, 12, 20)}
    assert {one.owner_id for one in found} == {chenshu.user_id}
    with unit_of_work():
        take_back(*keys[0], act=act(bureau))
    back = now_of(keys[0])
    assert (back.due_at.astimezone().date(), back.owner_id) == (SOON, chenshu.user_id)


def test_each_one_that_is_skipped_has_its_reason(app, bureau, chenshu):
    settled, same, open_one = (promised(f"{n}食品有限公司") for n in "甲乙丙")
    with unit_of_work():
        settle(*settled, act=act(bureau))
    with unit_of_work():
        assign(*same, to=chenshu.user_id, act=act(bureau))
    wish = Wish(ASSIGN, assignee=chenshu.user_id)

    seen_by_bureau = work_out([settled, same, open_one], wish, act=act(bureau))
    seen_by_colleague = work_out([open_one], Wish(SETTLE), act=act(make_user("xianghe", "case_manager")))

    assert {line.row.name: line.outcome for line in seen_by_bureau.lines} == {
        "甲食品有限公司": CLOSED,
        "乙食品有限公司": ALREADY,
        "丙食品有限公司": "changes",
    }
    assert [line.outcome for line in seen_by_colleague.lines] == [NO_RIGHT]


def test_another_districts_are_not_there_and_nobody_is_given_to_who_holds_nothing_there(app, chenshu):
    foreign = promised("丁食品有限公司", region=county(OTHER))
    stranger = make_user("stranger", "bureau")
    admin = make_user("root", "admin")
    admin_there = make_user("root2", "admin", region=county(OTHER))

    assert not work_out([foreign], Wish(SETTLE), act=act(stranger)).lines
    with pytest.raises(InvalidInput) as caught:
        work_out([foreign], Wish(ASSIGN, assignee=chenshu.user_id), act=act(admin_there))
    assert "没有这位专员" in caught.value.message
    assert ELSEWHERE not in {line.outcome for line in work_out([], Wish(SETTLE), act=act(admin)).lines}


def test_more_than_fifty_are_settled_only_with_their_number(app, bureau):
    enterprise_ids = [make_enterprise(f"巫溪县{n}号有限公司") for n in range(51)]
    values = {
        "happened_on": date(2026, 11, 2),
        "kind": "training",
        "text": "培训。",
        "next_step": "收回执",
        "next_step_on": SOON,
    }
    with unit_of_work():
        log = str(log_service(enterprise_ids, values, act=act()).ids["service_log"])
    keys = [(enterprise_id, "next_step", log) for enterprise_id in enterprise_ids]

    with pytest.raises(InvalidInput) as caught:
        done_to(keys, Wish(SETTLE, note="已收"), bureau, typed=50)
    done_to(keys, Wish(SETTLE, note="已收"), bureau, typed=51)

    assert caught.value.message == "要办结 51 项：照着填 51，再按一次。"
    assert {now_of(key).state for key in keys} == {"done"}


def test_what_somebody_recorded_after_the_preview_is_not_written_over(app, bureau):
    key = promised()
    bulk = work_out([key], Wish(POSTPONE, to=date(2026, 12, 20)), act=act(bureau))
    prepared = make_ready(bulk, act=act(bureau))
    with unit_of_work():
        settle(*key, act=act())

    with pytest.raises(Refused), unit_of_work():
        settle_many(bulk, prepared, act=act(bureau))

    assert now_of(key).state == "done"


def test_two_people_put_one_thing_off_and_the_second_is_asked(app, bureau):
    key = promised()
    seen = {"to": SOON}
    with unit_of_work():
        postpone(*key, to=date(2026, 12, 1), seen=seen, act=act())

    with pytest.raises(Conflict) as caught, unit_of_work():
        postpone(*key, to=date(2026, 12, 20), seen=seen, act=act(bureau))

    assert caught.value.theirs == {"to": (SOON, date(2026, 12, 1), date(2026, 12, 20))}


def test_nothing_is_given_to_who_is_no_case_manager_there(app, bureau):
    key = promised()

    with pytest.raises(InvalidInput), unit_of_work():
        assign(*key, to=bureau.user_id, act=act(bureau))
