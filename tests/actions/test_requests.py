"""Requests (诉求): who may raise, dispatch, answer and close them, and what follows."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crm.actions import requests as deeds
from crm.actions.changes import undo
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.domain.requests import state_of
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store import request_lists
from crm.store.comments import Notice
from crm.store.obligations import Obligation
from crm.store.requests import Request
from crm.store.scope import visible
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_unit, make_user, township

ASKED = {"raised_on": TODAY, "category": "financing", "text": "缺流动资金 200 万元，银行要抵押。"}


class World:
    """A county with an enterprise, its people and two departments."""

    def __init__(self) -> None:
        self.manager = make_user("luosheng", "case_manager", name="罗笙")
        self.bureau = make_user("tanyue", "bureau", name="谭越")
        self.leader = make_user("liaoheng", "leader", name="廖衡")
        self.township = make_user("qindi", "township", name="秦笛", region=township())
        self.finance, self.works = make_unit("金融办"), make_unit("住建委")
        self.liaison = make_user("yueheng", "unit", name="岳蘅", unit_id=self.finance)
        self.stranger = make_user("muzhi", "unit", name="穆知远", unit_id=self.works)
        self.firm = make_enterprise(manager=self.manager.user_id, township=township().id)

    def raised(self, who: Viewer | None = None, **more: Any) -> int:
        with unit_of_work():
            written = deeds.raise_request(self.firm, {**ASKED, **more}, act=act(who or self.manager))
        return int(written.ids["request"])

    def dispatched(self, **more: Any) -> int:
        request_id = self.raised()
        self.do(deeds.dispatch_request, request_id, unit_id=self.finance, due_on=TODAY + timedelta(days=7), **more)
        return request_id

    def do(self, deed: Any, request_id: int, who: Viewer | None = None, **values: Any) -> Any:
        version = db.session.get(Request, request_id).version
        with unit_of_work():
            return deed(request_id, values, version=version, act=act(who or self.manager))


@pytest.fixture
def world(app) -> World:
    return World()


def one(request_id: int) -> Request:
    return db.session.get(Request, request_id)


def state(request_id: int, on: date = TODAY) -> str:
    return state_of(one(request_id), on)


def told(viewer: Viewer) -> list[str]:
    return list(db.session.scalars(select(Notice.text).where(Notice.user_id == viewer.user_id).order_by(Notice.id)))


def seen_by(viewer: Viewer) -> set[int]:
    return set(db.session.scalars(visible(select(Request.id), viewer)))


def test_a_request_goes_its_whole_way_and_everybody_concerned_is_told(world):
    request_id = world.raised(world.township)
    assert state(request_id) == "raised"
    world.do(deeds.dispatch_request, request_id, unit_id=world.finance, due_on=TODAY + timedelta(days=7))
    assert state(request_id) == "dispatched"
    world.do(deeds.reply_request, request_id, world.liaison, reply="已联系农商行，可信用贷 150 万元。")
    assert state(request_id) == "replied"
    world.do(deeds.rate_request, request_id, rating=4)
    assert state(request_id) == "rated"
    world.do(deeds.close_request, request_id, close_reason="已放款")
    assert state(request_id) == "closed"

    assert told(world.manager) == ["登记了诉求，等交办", "回复了诉求，等企业评价"]
    assert told(world.liaison) == ["交办了诉求，等你部门回复"]
    assert told(world.township) == ["把诉求交办给金融办", "回复了诉求，等企业评价"]
    assert (one(request_id).replied_by, one(request_id).replied_on) == ("岳蘅", TODAY)


def test_a_department_sees_exactly_what_was_dispatched_to_it(world):
    waiting, sent = world.raised(), world.dispatched()

    assert seen_by(world.liaison) == {sent}
    assert seen_by(world.stranger) == set()
    assert seen_by(world.leader) == {waiting, sent}
    # Joined to the enterprises a department may list, a request stays as hidden as before.
    joined = request_lists.counts(request_lists.Filter(), world.stranger, on=TODAY)
    assert set(joined.values()) == {0}


def test_what_is_handed_on_to_another_department_is_the_first_one_s_no_more(world):
    request_id = world.dispatched()
    world.do(deeds.reply_request, request_id, world.liaison, reply="不归我办管。")
    world.do(deeds.dispatch_request, request_id, unit_id=world.works, due_on=TODAY + timedelta(days=3))

    assert seen_by(world.liaison) == set()
    assert seen_by(world.stranger) == {request_id}
    assert (one(request_id).reply, one(request_id).replied_on) == (None, None)


def test_only_the_department_s_liaison_or_who_handles_it_answers(world):
    request_id = world.dispatched()

    with pytest.raises(NotFound):
        world.do(deeds.reply_request, request_id, world.stranger, reply="我来答")
    with pytest.raises(NotAllowed):
        world.do(deeds.reply_request, request_id, world.township, reply="我来答")
    with pytest.raises(NotAllowed):
        world.do(deeds.dispatch_request, request_id, world.liaison, unit_id=world.works)
    with pytest.raises(NotAllowed):
        world.do(deeds.close_request, request_id, world.leader, close_reason="看过")
    world.do(deeds.reply_request, request_id, world.bureau, reply="电话答复", replied_by="金融办 岳蘅")

    assert one(request_id).replied_by == "金融办 岳蘅"


def test_it_is_closed_with_a_reason_and_only_when_answered_or_passed_on(world):
    request_id = world.raised()

    with pytest.raises(Refused, match="既没有回复，也没有转平台"):
        world.do(deeds.close_request, request_id, close_reason="算了")
    with pytest.raises(InvalidInput, match="平台编号"):
        world.do(deeds.transfer_request, request_id, transferred_on=TODAY)
    world.do(deeds.transfer_request, request_id, platform_number="CS20261123001", transferred_on=TODAY)
    assert state(request_id) == "transferred"
    with pytest.raises(InvalidInput, match="写明办结的情况"):
        world.do(deeds.close_request, request_id)
    world.do(deeds.close_request, request_id, close_reason="平台已办结")
    assert state(request_id) == "closed"

    with unit_of_work():
        deeds.reopen_request(request_id, act=act(world.manager))
    assert state(request_id) == "transferred"


def test_what_is_late_stands_on_the_due_list_until_it_is_answered(world):
    request_id = world.dispatched()
    find = select(Obligation.state, Obligation.owner_id).where(Obligation.kind == "request")
    assert db.session.execute(find).all() == [("open", world.manager.user_id)]

    assert state(request_id, TODAY + timedelta(days=8)) == "overdue"
    world.do(deeds.reply_request, request_id, world.liaison, reply="办好了")
    assert db.session.execute(find).all() == [("done", world.manager.user_id)]


def test_two_people_at_one_request_merge_or_choose(world):
    request_id = world.raised()
    version = one(request_id).version
    seen = {"unit_id": None, "dispatched_on": None, "due_on": None}
    first = {"unit_id": world.finance, "due_on": TODAY + timedelta(days=5)}
    with unit_of_work():
        deeds.dispatch_request(request_id, first, version=version, seen=seen, act=act(world.manager))
    with unit_of_work():
        text = {"text": "缺流动资金 300 万元。"}
        deeds.edit_request(request_id, text, version=version, seen={"text": ASKED["text"]}, act=act(world.bureau))

    with pytest.raises(Conflict) as clash, unit_of_work():
        second = {"unit_id": world.works, "due_on": TODAY + timedelta(days=5)}
        deeds.dispatch_request(request_id, second, version=version, seen=seen, act=act(world.bureau))

    assert (one(request_id).unit_id, one(request_id).text) == (world.finance, "缺流动资金 300 万元。")
    assert set(clash.value.theirs) == {"unit_id"}


def test_a_reply_is_undone_and_the_request_waits_again(world):
    request_id = world.dispatched()
    written = world.do(deeds.reply_request, request_id, world.liaison, reply="办好了")
    with unit_of_work():
        undo(written.change_set_id, act=act(world.bureau))

    assert state(request_id) == "dispatched"
    assert one(request_id).reply is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"raised_on": TODAY + timedelta(days=1)}, "raised_on"),
        ({"category": "没有的类别"}, "category"),
        ({"text": "  "}, "text"),
    ],
    ids=["a day to come", "no such category", "no text"],
)
def test_what_is_wrong_is_said_beside_its_field(world, values, field):
    with pytest.raises(InvalidInput) as refusal:
        world.raised(**values)

    assert set(refusal.value.problems) == {field}


def test_nobody_reaches_a_request_or_a_department_of_another_district(world):
    request_id = world.raised()
    outsider = make_user("tingyu", "bureau", region=county(OTHER))
    elsewhere = make_unit("别处的部门", region=county(OTHER))

    with pytest.raises(NotFound):
        world.do(deeds.dispatch_request, request_id, outsider, unit_id=world.finance)
    with pytest.raises(InvalidInput) as refusal:
        world.do(deeds.dispatch_request, request_id, unit_id=elsewhere, due_on=TODAY)
    assert set(refusal.value.problems) == {"unit_id"}
    assert seen_by(replace(outsider, grants=())) == set()
