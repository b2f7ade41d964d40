"""Many enterprises proposed for the pool at once: who is passed over and why, one change set, taken back as one."""

from datetime import date

import pytest
from sqlalchemy import select

from crm.actions.changes import undo
from crm.actions.pool import propose_for_pool
from crm.actions.pool_proposals import NO_RIGHT, Onto, look_at, propose_many
from crm.actions.pool_selections import MOST, decide_selection, open_selection
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store import pool_selections as lists
from crm.store.changes import ChangeSet
from crm.store.pool import PoolMembership, PoolSelection
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import Written
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user

PLAN = {"year": 2026, "pool_class": "key", "planned_year": 2027, "reason": "研发投入已过 5%"}
NEW = Onto(head={"title": "2026 年高企培育库", "filter_words": ["找 食品"]})
LOOSE = Onto()
HNTE = [("hnte", date(2024, 11, 28), date(2027, 11, 27))]


def proposed(*ids: int, onto: Onto = LOOSE, who=None, typed: int | None = None, plan=PLAN) -> Written:
    seen = look_at(ids, onto, act=act(who)).fingerprint
    with unit_of_work():
        return propose_many(ids, plan, onto, fingerprint=seen, typed=typed, act=act(who))


def reasons(ids, onto: Onto = LOOSE, who=None) -> dict[int, str]:
    return {line.enterprise_id: line.skipped for line in look_at(ids, onto, act=act(who)).lines}


def states(*ids: int) -> list[str | None]:
    db.session.expire_all()
    return [db.session.get(Standing, i).pool for i in ids]


def listed(*ids: int, title: str = "2026 年高企培育库", year: int = 2026) -> int:
    with unit_of_work():
        head = {"title": title, "year": year}
        return open_selection(head, ids, plan={"pool_class": "key"}, act=act()).ids["selection"]


def decided(selection_id: int) -> None:
    rows = [line.membership for line in lists.lines(selection_id, act().viewer)]
    version = db.session.get(PoolSelection, selection_id).version
    with unit_of_work():
        values = {"decided_on": TODAY, "meeting": "局务会"}
        decide_selection(selection_id, values, {row.id: None for row in rows}, version=version, act=act())


def test_many_are_proposed_on_a_new_list_in_one_change_set_and_taken_back_in_one(app):
    first, second, held = make_enterprise("甲公司"), make_enterprise("乙公司"), make_enterprise("丙", titles=HNTE)

    written = proposed(first, second, held, onto=NEW)
    rows = lists.lines(written.ids["selection"], act().viewer)
    row = db.session.get(PoolSelection, written.ids["selection"])
    after = (row.title, row.year, row.decided_on, row.filter_words)
    one = rows[0].membership
    stated = (one.pool_class, one.planned_year, one.reason, one.proposed_on, one.decided_on)
    between = states(first, second, held)
    change_set = db.session.get(ChangeSet, written.change_set_id)
    with unit_of_work():
        undo(written.change_set_id, act=act())

    assert after == ("2026 年高企培育库", 2026, None, ["找 食品"])
    assert stated == ("key", 2027, "研发投入已过 5%", TODAY, None)
    assert between == ["proposed", "proposed", None]
    assert (change_set.action, change_set.record_count) == ("propose_many", 3)
    assert states(first, second, held) == [None, None, None]
    assert db.session.scalars(select(PoolMembership).where(~PoolMembership.deleted)).all() == []


def test_who_is_passed_over_is_told_why(app):
    gone = make_enterprise("甲有限公司", status="deregistered")
    member, on_list, waits = (make_enterprise(f"{name}有限公司") for name in "乙丙丁")
    held = make_enterprise("戊有限公司", titles=HNTE)
    fit = make_enterprise("己有限公司")
    decided(listed(member, title="2025 年高企培育库"))
    listed(on_list)
    proposed(waits)

    found = reasons([gone, member, on_list, waits, held, fit])

    assert found == {
        gone: "已注销、吊销或迁出",
        member: "已在培育库（2026 年度）",
        on_list: "已在《2026 年高企培育库》的拟入库名单上",
        waits: "已拟入库（2026 年度），等列入名单",
        held: "现在是高新技术企业",
        fit: "",
    }


def test_a_proposal_that_waits_is_put_on_the_list_as_it_was_written_and_stays_when_that_is_taken_back(app):
    waits, fresh = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    with unit_of_work():
        values = {"year": 2026, "pool_class": "long_term", "reason": "专员提的"}
        membership_id = propose_for_pool(waits, values, act=act()).ids["membership"]
    selection_id = listed(make_enterprise("丙有限公司"), year=2027)

    written = proposed(waits, fresh, onto=Onto(selection_id), plan={**PLAN, "planned_year": 2028})
    by_firm = {line.membership.enterprise_id: line.membership for line in lists.lines(selection_id, act().viewer)}
    joined = (by_firm[waits].id, by_firm[waits].pool_class, by_firm[waits].reason, by_firm[waits].year)
    made = (by_firm[fresh].pool_class, by_firm[fresh].year)
    with unit_of_work():
        undo(written.change_set_id, act=act())

    assert joined == (membership_id, "long_term", "专员提的", 2026)
    assert made == ("key", 2027)
    assert states(waits, fresh) == ["proposed", None]
    assert [line.name for line in lists.lines(selection_id, act().viewer)] == ["丙有限公司"]


def test_a_case_manager_proposes_the_own_firms_and_puts_nobody_on_a_list(app):
    manager = make_user("xianghe", "case_manager")
    stranger = make_user("tingyu", "bureau", region=county(OTHER))
    mine, colleagues = make_enterprise("甲有限公司", manager=manager.user_id), make_enterprise("乙有限公司")
    selection_id = listed(make_enterprise("丙有限公司"))

    assert reasons([mine, colleagues], who=manager) == {mine: "", colleagues: NO_RIGHT}
    assert reasons([mine, colleagues], who=stranger) == {}
    assert reasons([mine], NEW, who=manager) == {mine: "不归你这里遴选"}
    with pytest.raises(NotAllowed):
        look_at([mine], Onto(selection_id), act=act(manager))
    with pytest.raises(NotFound):
        look_at([mine], Onto(selection_id), act=act(stranger))

    proposed(mine, colleagues, who=manager)

    assert states(mine, colleagues) == ["proposed", None]


def test_what_changed_after_the_preview_is_not_written(app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    seen = look_at([first, second], LOOSE, act=act()).fingerprint
    proposed(first)

    with pytest.raises(Refused, match="没有写入"), unit_of_work():
        propose_many([first, second], PLAN, LOOSE, fingerprint=seen, act=act())

    assert states(second) == [None]


def test_a_decided_list_and_firms_of_two_counties_are_refused(app):
    here, there = make_enterprise("甲有限公司"), make_enterprise("墙外有限公司", region=county(OTHER))
    selection_id = listed(make_enterprise("丙有限公司"))

    assert reasons([here, there], Onto(selection_id)) == {here: "", there: "不在这份名单的区县"}
    with pytest.raises(Refused, match="不在同一个区县"):
        proposed(here, there, onto=NEW)
    decided(selection_id)
    with pytest.raises(Refused, match="已决定"):
        look_at([here], Onto(selection_id), act=act())


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        pytest.param({"pool_class": "重点"}, "pool_class", id="no class of ours"),
        pytest.param({"planned_year": 2025}, "planned_year", id="planned before the year"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_beside_its_field(sqlite_app, plan, field):
    with pytest.raises(InvalidInput) as refusal:
        proposed(make_enterprise(), plan={**PLAN, **plan})

    assert list(refusal.value.problems) == [field]


def test_many_need_their_number_and_a_list_has_its_end(sqlite_app, monkeypatch):
    ids = [make_enterprise(f"巫溪县{n}号有限公司") for n in range(51)]

    with pytest.raises(InvalidInput, match="51"):
        proposed(*ids, typed=50)
    with monkeypatch.context() as fewer:
        fewer.setattr("crm.actions.pool_proposals.MOST", 50)
        with pytest.raises(Refused, match="一份名单最多 50 家，这次能拟入库的有 51 家"):
            proposed(*ids, typed=51)
        selection_id = listed(make_enterprise("丙有限公司"))
        with pytest.raises(Refused, match="上面已有 1 家"):
            proposed(*ids[:50], onto=Onto(selection_id))
    proposed(*ids, typed=51)

    assert MOST == 500
    assert states(*ids) == ["proposed"] * 51
    with pytest.raises(Refused, match="没有能拟入库的企业"):
        proposed(*ids)
