"""Comments: who may write one, who is told, who may be mentioned, and whose it is."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm.actions import comments as deeds
from crm.actions.changes import undo
from crm.actions.notices import mark_seen
from crm.actions.service_logs import log_service
from crm.domain.changes import Create
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound
from crm.domain.viewers import INTERNAL, Viewer
from crm.extensions import db
from crm.store import notices
from crm.store.comments import Comment, Notice
from crm.store.readers import meant, readers
from crm.store.scope import visible
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User, viewer_of
from crm.store.writer import write
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township


class World:
    """An enterprise with its case manager, and people near and far."""

    def __init__(self) -> None:
        self.manager = make_user("luosheng", "case_manager", name="罗笙")
        self.colleague = make_user("lizhou", "case_manager", name="黎舟")
        self.bureau = make_user("tanyue", "bureau", name="谭越")
        self.leader = make_user("liaoheng", "leader", name="廖衡")
        self.township = make_user("qindi", "township", name="秦笛", region=township())
        self.elsewhere = make_user("wenlan", "township", name="温岚", region=township("徐家镇"))
        self.liaison = make_user("yueheng", "unit", name="岳蘅")
        self.stranger = make_user("tingyu", "bureau", name="谢听雨", region=county(OTHER))
        self.firm = make_enterprise(manager=self.manager.user_id, township=township().id)

    def say(self, who: Viewer, text: str, *mentions: Viewer, noun: str = "enterprise", record: int = 0) -> int:
        ids = [one.user_id for one in mentions]
        with unit_of_work():
            written = deeds.write_comment(noun, record or self.firm, text, ids, act=act(who))
        return int(written.ids["comment"])


@pytest.fixture
def world(app) -> World:
    return World()


def told(viewer: Viewer) -> list[tuple[str, str]]:
    return [(row.notice.by_name, row.notice.text) for row in notices.page(viewer, unread=True)]


def texts(viewer: Viewer) -> list[str]:
    return list(db.session.scalars(visible(select(Comment.text), viewer)))


def test_a_leader_comments_and_the_mentioned_and_the_case_manager_are_told(world):
    world.say(world.leader, "这家要抓紧，@秦笛 帮忙看看场地", world.bureau)

    assert told(world.bureau) == told(world.township) == [("廖衡", "在企业的批注里提到你")]
    assert told(world.manager) == [("廖衡", "批注了企业")]
    assert told(world.leader) == told(world.colleague) == []


def test_nobody_is_told_of_the_own_comment_and_an_answer_reaches_who_asked(world):
    world.say(world.leader, "进展如何")
    world.say(world.manager, "下周交材料")

    assert told(world.leader) == [("罗笙", "批注了企业")]
    assert told(world.manager) == [("廖衡", "批注了企业")]


def test_a_department_neither_reads_nor_writes_comments(world):
    world.say(world.manager, "内部的话")

    assert texts(world.liaison) == []
    assert texts(world.township) == ["内部的话"]
    with pytest.raises(NotAllowed):
        world.say(world.liaison, "部门的话")


@pytest.mark.parametrize("who", ["elsewhere", "liaison", "stranger"])
def test_who_may_not_see_the_record_cannot_be_mentioned(world, who):
    with pytest.raises(InvalidInput) as refusal:
        world.say(world.manager, "看一下", getattr(world, who))

    assert set(refusal.value.problems) == {"mentions"}
    assert db.session.scalars(select(Notice)).all() == []


def test_a_stranger_does_not_find_the_record(world):
    with pytest.raises(NotFound):
        world.say(world.stranger, "越界的话")


def test_the_people_to_choose_from_are_exactly_those_who_read_the_inside(world):
    # Colleagues see nothing of each other, but who stands in for one does.
    deputy = make_user("xianghe", "case_manager", name="向禾")
    away = {"user_id": world.manager.user_id, "deputy_id": deputy.user_id, "starts_on": TODAY}
    closed = {"region_id": county().id, "key": "colleagues_visible", "value": False}
    with unit_of_work():
        write([Create("absence", away), Create("setting", closed)], act=act(), action="test")
    assert deputy.user_id in {one.id for one in readers(db.session.get(Standing, world.firm), TODAY)}
    assert world.colleague.user_id not in {one.id for one in readers(db.session.get(Standing, world.firm), TODAY)}
    for firm in (
        world.firm,
        make_enterprise("巫溪县盐泉食品有限公司"),
        make_enterprise("云台区甲有限公司", region=county(OTHER)),
    ):
        standing = db.session.get(Standing, firm)
        expected = set()
        for user in db.session.scalars(select(User)):
            viewer = viewer_of(user, TODAY)
            seen = db.session.scalar(
                visible(select(Standing.enterprise_id).where(Standing.enterprise_id == firm), viewer)
            )
            if seen is not None and INTERNAL in viewer.classes_over(standing):
                expected.add(user.id)

        assert {one.id for one in readers(standing, TODAY)} == expected


def test_a_person_is_found_by_a_character_or_by_initials(world):
    people = readers(db.session.get(Standing, world.firm), TODAY)

    assert [one.name for one in meant("罗", people)] == ["罗笙"]
    assert [one.name for one in meant("@LH", people)] == ["廖衡"]
    assert [one.name for one in meant("tanyue", people)] == ["谭越"]


def test_only_its_author_changes_or_withdraws_a_comment_and_the_withdrawn_one_is_told_no_more(world):
    comment = world.say(world.leader, "写错了", world.bureau)
    with pytest.raises(NotAllowed), unit_of_work():
        deeds.withdraw_comment(comment, act=act(world.bureau))

    with unit_of_work():
        deeds.edit_comment(
            comment,
            {"text": "改好了 @秦笛"},
            [world.bureau.user_id],
            version=1,
            seen={"text": "写错了"},
            act=act(world.leader),
        )
    assert texts(world.manager) == ["改好了 @秦笛"]
    assert told(world.township) == [("廖衡", "在企业的批注里提到你")]
    assert len(told(world.bureau)) == 1

    with unit_of_work():
        written = deeds.withdraw_comment(comment, act=act(world.leader))
    assert texts(world.manager) == told(world.bureau) == told(world.township) == []
    with unit_of_work():
        undo(written.change_set_id, act=act(world.leader))
    assert texts(world.manager) == ["改好了 @秦笛"]


def test_an_event_of_several_firms_tells_each_case_manager_and_its_author(world):
    other = make_enterprise("巫溪县盐泉食品有限公司", manager=world.colleague.user_id)
    values = {"happened_on": TODAY - timedelta(days=2), "kind": "training", "text": "培训"}
    with unit_of_work():
        log = log_service([world.firm, other], values, act=act(world.bureau)).ids["service_log"]
    world.say(world.leader, "办得好", noun="service_log", record=log)

    said = [("廖衡", "批注了2026-11-21 的培训记录")]
    assert told(world.manager) == told(world.colleague) == told(world.bureau) == said
    assert texts(world.township) == ["办得好"]
    assert texts(world.liaison) == texts(world.elsewhere) == []


@pytest.mark.parametrize(
    ("text", "count"), [(" \n ", 0), ("长" * 2001, 0), ("长" * 2000, 1)], ids=["none", "over", "at"]
)
def test_a_comment_has_some_text_and_at_most_two_thousand_characters(world, text, count):
    if count:
        world.say(world.manager, text)
    else:
        with pytest.raises(InvalidInput) as refusal:
            world.say(world.manager, text)
        assert set(refusal.value.problems) == {"text"}

    assert len(texts(world.manager)) == count


def test_a_notice_is_read_by_its_owner_only_and_goes_with_the_enterprise(world):
    world.say(world.leader, "看一下", world.township, world.bureau)
    own, others = (
        db.session.scalar(select(Notice.id).where(Notice.user_id == one.user_id))
        for one in (world.township, world.bureau)
    )
    with unit_of_work():
        assert mark_seen([own, others], act=act(world.township)) == 1
    assert notices.unread_count(world.township) == 0
    assert notices.unread_count(world.bureau) == 1

    gone = Viewer(world.bureau.user_id, "谭越")
    assert notices.count(gone, unread=False) == 0
