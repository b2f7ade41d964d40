"""The township's month: one answer per enterprise, told to the case manager where it is news."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from crm.actions.changes import undo
from crm.actions.confirmations import Answer, check_confirmation, confirm, open_months
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound, Refused
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store import confirmation_lists, notices
from crm.store.confirmations import Confirmation
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township

MONTH = date(2026, 11, 1)
SAME = Answer("same")


class World:
    def __init__(self) -> None:
        self.manager = make_user("luosheng", "case_manager", name="罗笙")
        self.clerk = make_user("qindi", "township", name="秦笛", region=township())
        self.other = make_user("wenlan", "township", name="温岚", region=township("徐家镇"))
        self.bureau = make_user("tanyue", "bureau", name="谭越")
        own = {"manager": self.manager.user_id, "township": township().id}
        self.firms = [make_enterprise(f"巫溪县{name}食品有限公司", **own) for name in "甲乙丙"]
        self.gone = make_enterprise("巫溪县丁食品有限公司", status="deregistered", **own)
        self.far = make_enterprise("巫溪县戊食品有限公司", township=township("徐家镇").id)

    def answer(self, answers: dict[int, Answer], who: Viewer | None = None, month: date = MONTH, **more):
        with unit_of_work():
            return confirm(month, answers, act=act(who or self.clerk, **more))

    def kept(self) -> dict[int, tuple[str, str | None]]:
        rows = db.session.scalars(select(Confirmation).where(~Confirmation.deleted))
        return {row.enterprise_id: (row.answer, row.note) for row in rows}


@pytest.fixture
def world(app) -> World:
    return World()


def told(viewer: Viewer) -> list[str]:
    return [row.notice.text for row in notices.page(viewer, unread=True)]


def test_a_page_is_one_change_set_and_only_news_is_told(world):
    first, second, third = world.firms
    answers = {first: SAME, second: Answer("changed", "电话换了"), third: Answer("unreachable")}

    result = world.answer(answers)

    assert world.kept() == {first: ("same", None), second: ("changed", "电话换了"), third: ("unreachable", None)}
    assert sorted(told(world.manager)) == ["11 月确认：有变化，电话换了", "11 月确认：联系不上"]
    assert confirmation_lists.progress(world.clerk, MONTH) == (3, 3)
    with unit_of_work():
        undo(result.written.change_set_id, act=act(world.clerk))
    assert confirmation_lists.progress(world.clerk, MONTH) == (0, 3)


def test_progress_is_kept_and_pressing_again_writes_nothing(world):
    world.answer({world.firms[0]: SAME})
    again = world.answer({world.firms[0]: SAME, world.firms[1]: SAME})

    assert again.count == 1
    assert confirmation_lists.progress(world.clerk, MONTH) == (2, 3)
    assert world.answer({world.firms[0]: SAME}).written.change_set_id is None


def test_what_somebody_else_answered_meanwhile_stays_until_it_was_seen(world):
    colleague = make_user("suyu", "township", name="苏屿", region=township())
    firm, beside = world.firms[:2]
    world.answer({firm: Answer("closed", "牌子摘了")}, colleague)

    clash = world.answer({firm: SAME, beside: SAME})
    assert (set(clash.clashes), clash.count) == ({firm}, 1)
    assert world.kept()[firm] == ("closed", "牌子摘了")

    world.answer({firm: Answer("same", seen=clash.clashes[firm].version)})
    assert world.kept()[firm] == ("same", None)


def test_those_that_are_gone_and_those_of_other_places_are_not_asked(world):
    rows = confirmation_lists.page(world.clerk, MONTH, 1)

    assert sorted(row.enterprise.id for row in rows) == world.firms
    assert [row.enterprise.id for row in confirmation_lists.page(world.other, MONTH, 1)] == [world.far]
    assert confirmation_lists.page(world.bureau, MONTH, 1) == []


@pytest.mark.parametrize("who", ["other", "stranger", "colleague"])
def test_nobody_answers_for_another_place(world, who):
    stranger = make_user("wangshu", "township", region=county(OTHER))
    colleague = make_user("lizhou", "case_manager")
    people = {"other": world.other, "stranger": stranger, "colleague": colleague}

    with pytest.raises((NotFound, NotAllowed)):
        world.answer({world.firms[0]: SAME}, people[who])
    assert world.kept() == {}


def test_what_is_wrong_is_named_at_its_enterprise_and_nothing_is_written(world):
    first, second = world.firms[:2]

    with pytest.raises(InvalidInput) as refusal:
        world.answer({first: SAME, second: Answer("changed", " ")})
    assert set(refusal.value.problems) == {f"note-{second}"}
    with pytest.raises(InvalidInput):
        world.answer({first: Answer("没有的答复")})
    with pytest.raises(InvalidInput):
        world.answer({first: Answer("changed", "长" * 301)})
    with pytest.raises(Refused, match="2026 年 10 月现在不能确认"):
        world.answer({first: SAME}, month=date(2026, 10, 1))
    assert world.kept() == {}


@pytest.mark.parametrize(
    ("on", "months"),
    [
        (date(2026, 11, 10), [date(2026, 11, 1), date(2026, 10, 1)]),
        (date(2026, 11, 11), [date(2026, 11, 1)]),
        (date(2027, 1, 1), [date(2027, 1, 1), date(2026, 12, 1)]),
    ],
    ids=["the tenth", "the eleventh", "new year"],
)
def test_the_month_before_may_be_confirmed_until_the_tenth(on, months):
    assert list(open_months(on)) == months


def test_each_month_begins_anew_also_over_the_new_year(world):
    world.answer({world.firms[0]: SAME})
    january = date(2027, 1, 1)
    world.answer({world.firms[0]: SAME}, month=january, on=date(2027, 1, 4))

    assert confirmation_lists.progress(world.clerk, MONTH) == (1, 3)
    assert confirmation_lists.progress(world.clerk, january) == (1, 3)
    assert confirmation_lists.progress(world.clerk, date(2026, 12, 1)) == (0, 3)


def test_the_office_sees_how_far_each_place_is_and_what_is_news(world):
    world.answer({world.firms[0]: Answer("moved", "去了县城"), world.firms[1]: SAME})

    assert confirmation_lists.by_township(world.bureau, MONTH) == {
        township().id: (2, 3),
        township("徐家镇").id: (0, 1),
    }
    news = confirmation_lists.told(world.bureau, MONTH)
    assert [(one.name, one.confirmation.note) for one in news] == [("巫溪县甲食品有限公司", "去了县城")]
    assert confirmation_lists.count_told(world.bureau, MONTH, mine=world.manager.user_id) == 1
    assert confirmation_lists.told(replace(world.bureau, grants=()), MONTH) == []


def test_what_a_township_said_is_looked_into_once_and_a_new_answer_is_looked_into_anew(world):
    first = world.firms[0]
    world.answer({first: Answer("moved", "去了县城")})
    one = confirmation_lists.told(world.manager, MONTH)[0].confirmation
    confirmation_id, version = one.id, one.version

    def stored() -> Confirmation:
        db.session.rollback()
        return db.session.get(Confirmation, confirmation_id)

    def look(version: int, who: Viewer = world.manager, note: str | None = "已改经营地"):
        with unit_of_work():
            return check_confirmation(confirmation_id, note, version=version, act=act(who))

    with pytest.raises(NotAllowed):
        look(version, world.clerk)
    with pytest.raises(InvalidInput, match="最多 300 字，现在 301 字"):
        look(version, note="长" * 301)
    written = look(version)
    looked = (stored().checked_on, stored().checked_by_id, stored().checked_note)
    left = confirmation_lists.count_told(world.manager, MONTH, mine=world.manager.user_id)
    with pytest.raises(Refused, match="已核实"):
        look(version + 1)
    world.answer({first: Answer("closed", "关了", seen=version + 1)})
    with pytest.raises(Refused, match="刚改了答复"):
        look(version + 1)

    assert looked == (TODAY, world.manager.user_id, "已改经营地") and left == 0
    assert (stored().checked_on, stored().checked_by_id, stored().checked_note) == (None, None, None)
    [again] = confirmation_lists.told(world.manager, MONTH, open_only=True)
    assert (again.name, again.confirmation.answer) == ("巫溪县甲食品有限公司", "closed")
    assert written.record_count == 1


def test_that_it_was_looked_into_is_taken_back(world):
    first = world.firms[0]
    world.answer({first: Answer("unreachable")})
    one = confirmation_lists.told(world.bureau, MONTH)[0].confirmation
    confirmation_id = one.id
    with unit_of_work():
        written = check_confirmation(confirmation_id, None, version=one.version, act=act(world.bureau))

    with unit_of_work():
        undo(written.change_set_id, act=act(world.bureau))

    db.session.rollback()
    assert db.session.get(Confirmation, confirmation_id).checked_on is None


def test_what_is_left_is_listed_a_page_at_a_time_until_nothing_is(world):
    for n in range(25):
        make_enterprise(f"巫溪县第{n:03}食品有限公司", township=township().id)

    def left() -> list[int]:
        return [row.enterprise.id for row in confirmation_lists.page(world.clerk, MONTH, only_open=True)]

    first = left()
    world.answer(dict.fromkeys(first, SAME))
    second = left()
    world.answer(dict.fromkeys(second, SAME))

    assert (len(first), len(second), left()) == (20, 8, [])
    assert confirmation_lists.progress(world.clerk, MONTH) == (28, 28)
