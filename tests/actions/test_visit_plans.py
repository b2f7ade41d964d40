"""A plan for a quarter: made from the own enterprises, read against the logs, changed, and taken back."""

from datetime import date

import pytest

from crm.actions.changes import undo
from crm.actions.merges import merge_enterprises, plan_merge
from crm.actions.service_logs import log_service
from crm.actions.visit_plans import add_to_plan, drop_from_plan, make_plan, plan_visit, proposed
from crm.domain.changes import Create
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.domain.visit_plans import Quarter
from crm.extensions import db
from crm.store.unit_of_work import unit_of_work
from crm.store.visit_plan_lists import Covered, coverage, lines, plan_of
from crm.store.visit_plans import VisitPlan, VisitPlanEnterprise
from crm.store.writer import write
from tests.builders import OTHER, act, county, make_enterprise, make_user

Q4 = Quarter(2026, 4)
HNTE = [("hnte", date(2024, 11, 28), date(2027, 11, 27))]


@pytest.fixture
def manager(app):
    return make_user("xianghe", "case_manager", name="向禾")


def firm(manager, name="巫溪县青禾食品有限责任公司", **more) -> int:
    return make_enterprise(name, manager=manager.user_id, **more)


def plan(manager, *ids, quarter=Q4, by=None) -> VisitPlan:
    with unit_of_work():
        make_plan(manager.user_id, quarter, ids, act=act(by or manager))
    return plan_of(manager.user_id, quarter, manager)[0]


def visit(manager, *ids, on=date(2026, 11, 20), kind="visit"):
    with unit_of_work():
        return log_service(ids, {"happened_on": on, "kind": kind, "text": "看了车间。"}, act=act(manager))


def test_titled_firms_are_proposed_and_the_others_may_be_added(manager):
    titled, plain = firm(manager, titles=HNTE), firm(manager, "巫溪县白丁商贸有限公司")
    firm(manager, "巫溪县已走食品有限公司", titles=HNTE, status="deregistered")

    found = {one.firm.enterprise_id: one.due for one in proposed(manager.user_id, Q4, manager)}

    assert found == {titled: True, plain: False}


def test_coverage_follows_from_the_visits_of_the_quarter(manager):
    seen, called, before = (firm(manager, f"巫溪县企{n}食品有限公司", titles=HNTE) for n in "甲乙丙")
    made = plan(manager, seen, called, before)
    visit(manager, seen)
    visit(manager, called, kind="phone")
    visit(manager, before, on=date(2026, 9, 30))

    done = {line.firm.enterprise_id: (line.visited_on, line.visits, line.other) for line in lines(made, manager)}

    assert done[seen] == (date(2026, 11, 20), 1, None)
    assert (done[called][:2], done[called][2][:2]) == ((None, 0), (date(2026, 11, 20), "phone"))
    assert done[before] == (None, 0, None)
    bureau = make_user("tanyue", "bureau")
    assert coverage(Q4, bureau) == [Covered(made.id, manager.user_id, county().id, 3, 1)]


def test_a_withdrawn_visit_covers_nothing(manager):
    made = plan(manager, one := firm(manager))
    written = visit(manager, one)
    with unit_of_work():
        undo(written.change_set_id, act=act(manager))

    assert [line.visited_on for line in lines(made, manager)] == [None]
    assert coverage(Q4, manager)[0].visited == 0


def test_a_second_plan_of_a_quarter_made_at_the_same_time_is_refused_in_its_own_words(manager):
    plan(manager, firm(manager))
    values = {"user_id": manager.user_id, "region_id": county().id, "year": Q4.year, "quarter": Q4.number}

    with pytest.raises(Refused, match="这个季度的走访计划已有一份"), unit_of_work():
        write([Create("visit_plan", values)], act=act(), action="test")


def test_two_files_of_one_firm_that_stand_in_one_plan_become_one_line_and_two_again(manager):
    left, right = firm(manager), firm(manager, "青禾食品（巫溪）有限公司")
    made = plan(manager, left, right)
    plan_id = made.id
    item = next(line.item for line in lines(made, manager) if line.firm.enterprise_id == right)
    with unit_of_work():
        values = {"planned_on": date(2026, 12, 4), "purpose": "看新产线"}
        plan_visit(item.id, values, version=item.version, act=act(manager))

    def listed() -> dict[int, date | None]:
        db.session.rollback()
        found = lines(db.session.get(VisitPlan, plan_id), manager)
        return {line.firm.enterprise_id: line.item.planned_on for line in found}

    before = listed()
    bureau = make_user("tanyue", "bureau")
    worked_out = plan_merge(left, right, viewer=bureau)
    with unit_of_work():
        merged = merge_enterprises(left, right, {}, fingerprint=worked_out.fingerprint, act=act(bureau))
    together = listed()
    with unit_of_work():
        undo(merged.change_set_id, act=act(bureau))

    assert together == {left: date(2026, 12, 4)}
    assert listed() == before == {left: None, right: date(2026, 12, 4)}


def test_a_plan_is_taken_back_as_a_whole(manager):
    one = firm(manager)
    with unit_of_work():
        written = make_plan(manager.user_id, Q4, [one], act=act(manager))
    with unit_of_work():
        undo(written.change_set_id, act=act(manager))

    assert plan_of(manager.user_id, Q4, manager) == []
    assert plan(manager, firm(manager, "巫溪县又一家食品有限公司")).version == 1


def test_what_cannot_be_planned_is_refused_with_one_sentence(manager):
    own, others = firm(manager), make_enterprise("巫溪县别家食品有限公司")
    foreign = make_enterprise("云台区远墙食品有限公司", region=county(OTHER))
    refused = [
        (Quarter(2026, 3), [own], InvalidInput, "2026 年第三季度已经过去，不再做计划。"),
        (Quarter(2029, 1), [own], InvalidInput, "2029 年第一季度还远，最多提前 4 个季度做计划。"),
        (Q4, [], InvalidInput, "选至少一家企业。"),
        (Q4, [own, others], InvalidInput, "其中 1 家由别人服务。去掉后再保存。"),
        (Q4, [own, foreign], NotFound, "找不到其中一家企业，或不归你看。"),
    ]
    for quarter, ids, error, sentence in refused:
        with pytest.raises(error, match=sentence), unit_of_work():
            make_plan(manager.user_id, quarter, ids, act=act(manager))
    plan(manager, own)
    with pytest.raises(Refused, match="走访计划已有"), unit_of_work():
        make_plan(manager.user_id, Q4, [own], act=act(manager))


def test_the_bureau_plans_for_an_officer_and_a_colleague_may_not(manager):
    one = firm(manager)
    bureau, colleague, leader = make_user("t", "bureau"), make_user("c", "case_manager"), make_user("l", "leader")

    for viewer, error in ((colleague, NotFound), (leader, NotFound)):
        with pytest.raises((error, NotAllowed)), unit_of_work():
            make_plan(manager.user_id, Q4, [one], act=act(viewer))
    made = plan(manager, one, by=bureau)

    assert made.user_id == manager.user_id
    item = lines(made, manager)[0].item
    with pytest.raises(NotAllowed), unit_of_work():
        drop_from_plan(item.id, act=act(leader))
    with pytest.raises(NotFound), unit_of_work():
        drop_from_plan(item.id, act=act(colleague))


def test_firms_come_and_go_and_get_their_day(manager):
    one, two = firm(manager), firm(manager, "巫溪县另一家食品有限公司")
    made = plan(manager, one)
    with unit_of_work():
        assert add_to_plan(made.id, [one, two], act=act(manager)).record_count == 1
    with pytest.raises(Refused, match="选的企业都在计划里了。"), unit_of_work():
        add_to_plan(made.id, [one], act=act(manager))
    item = next(line.item for line in lines(made, manager) if line.firm.enterprise_id == two)
    with pytest.raises(InvalidInput, match="不在 2026 年第四季度里"), unit_of_work():
        plan_visit(item.id, {"planned_on": date(2027, 1, 4)}, version=1, act=act(manager))
    with unit_of_work():
        plan_visit(item.id, {"planned_on": date(2026, 12, 4)}, version=1, seen={"planned_on": None}, act=act(manager))
    with unit_of_work():
        plan_visit(item.id, {"purpose": "看新产线"}, version=1, seen={"purpose": None}, act=act(manager))
    with pytest.raises(Conflict), unit_of_work():
        plan_visit(item.id, {"purpose": "催报表"}, version=1, seen={"purpose": None}, act=act(manager))

    stored = db.session.get(VisitPlanEnterprise, item.id)
    assert (stored.planned_on, stored.purpose) == (date(2026, 12, 4), "看新产线")
    with unit_of_work():
        drop_from_plan(item.id, act=act(manager))
    assert [line.firm.enterprise_id for line in lines(made, manager)] == [one]


def test_a_firm_stands_in_a_plan_once_whoever_adds_it_at_the_same_time(manager):
    one = firm(manager)
    made = plan(manager, one)
    again = Create("visit_plan_enterprise", {"visit_plan_id": made.id, "enterprise_id": one})
    with pytest.raises(Refused, match="这家企业已经在这份走访计划里。"), unit_of_work():
        write([again], act=act(manager), action="test")

    with unit_of_work():
        dropped = drop_from_plan(lines(made, manager)[0].item.id, act=act(manager))
    with unit_of_work():
        add_to_plan(made.id, [one], act=act(manager))
    with pytest.raises(Refused, match="没有可撤销的"), unit_of_work():
        undo(dropped.change_set_id, act=act(manager))
    assert [line.firm.enterprise_id for line in lines(made, manager)] == [one]
