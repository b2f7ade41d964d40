"""年度遴选: a list is put together, a meeting decides on all of it, it goes out; and what became of who entered."""

import io
from datetime import date

import pytest
from docx import Document

from crm.actions.changes import undo
from crm.actions.pool import decide_pool, plan_membership, propose_for_pool
from crm.actions.pool_selections import (
    RowPlan,
    add_to_selection,
    decide_selection,
    edit_selection,
    issue_selection,
    open_selection,
    plan_many,
    take_off,
)
from crm.actions.qualifications import correct_qualification, record_qualification
from crm.domain.changes import Create
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.sheets.documents import write_list_document
from crm.store import pool_conversion as conversion
from crm.store import pool_selections as lists
from crm.store.pool import PoolMembership, PoolSelection
from crm.store.qualifications import Qualification
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user

HEAD = {"title": "2026 年高企培育库", "year": 2026}
PLAN = {"pool_class": "long_term", "planned_year": 2027, "planned_batch": "第一批"}
DECISION = {"decided_on": TODAY, "meeting": "第 8 次局务会"}


def listed(*enterprise_ids: int, **head) -> int:
    with unit_of_work():
        return open_selection({**HEAD, **head}, enterprise_ids, plan=PLAN, act=act()).ids["selection"]


def members_of(selection_id: int) -> dict[int, PoolMembership]:
    db.session.expire_all()
    return {line.membership.enterprise_id: line.membership for line in lists.lines(selection_id, act().viewer)}


def decided(selection_id: int, *, no: dict[int, str] | None = None, on: date = TODAY) -> int:
    rows = members_of(selection_id)
    verdicts = {one.id: (no or {}).get(enterprise_id) for enterprise_id, one in rows.items()}
    version = db.session.get(PoolSelection, selection_id).version
    values = {**DECISION, "decided_on": on}
    with unit_of_work():
        return decide_selection(selection_id, values, verdicts, version=version, act=act(on=on)).change_set_id


def state_of(enterprise_id: int) -> str | None:
    db.session.expire_all()
    return db.session.get(Standing, enterprise_id).pool


def test_a_whole_list_is_decided_in_one_act_and_undone_in_one(app):
    yes, no = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    selection_id = listed(yes, no)
    waiting = state_of(yes)

    change_set_id = decided(selection_id, no={no: "知识产权不在企业名下"})
    after = state_of(yes), state_of(no)
    rows = members_of(selection_id)
    entry = (rows[yes].entered_on, rows[yes].meeting)
    refusal = (rows[no].declined_on, rows[no].declined_reason)
    with unit_of_work():
        undo(change_set_id, act=act())

    assert (waiting, after) == ("proposed", ("in_pool", None))
    assert entry == (TODAY, "第 8 次局务会")
    assert refusal == (TODAY, "知识产权不在企业名下")
    assert state_of(yes) == "proposed" and db.session.get(PoolSelection, selection_id).decided_on is None


def test_a_proposal_that_waits_is_put_on_the_list_and_nobody_stands_on_two(app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    with unit_of_work():
        proposed = {"year": 2026, "pool_class": "key", "planned_year": 2027}
        membership_id = propose_for_pool(first, proposed, act=act()).ids["membership"]

    selection_id = listed(first, second)

    assert members_of(selection_id)[first].id == membership_id
    assert {one.refusal != "" for one in lists.candidates([first, second], act().viewer)} == {True}
    with pytest.raises(Refused, match="没有能列入的企业"):
        listed(first, title="再列一次")


def test_next_year_the_members_are_selected_again(app):
    stays, goes = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    old = listed(stays, goes, year=2025)
    decided(old)
    fresh = listed(stays, goes, title="2027 年高企培育库", year=2027)
    between = state_of(stays)

    decided(fresh, no={goes: "连续两年未申报"})

    earlier = members_of(old)
    assert between == "in_pool"
    assert (state_of(stays), state_of(goes)) == ("in_pool", None)
    assert (earlier[stays].leave_reason, earlier[goes].leave_reason) == ("列入《2027 年高企培育库》", "连续两年未申报")


def test_rows_are_planned_together_one_by_one_and_taken_off_with_a_reason(app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    selection_id = listed(first, second)
    rows = members_of(selection_id)

    with unit_of_work():
        plan_many(
            selection_id, {one.id: RowPlan({"pool_class": "key"}, one.version) for one in rows.values()}, act=act()
        )
    with unit_of_work():
        plan_membership(rows[first].id, {"planned_batch": "第二批", "reason": "有 3 件专利"}, version=2, act=act())
    with pytest.raises(InvalidInput):
        take_off(rows[second].id, reason=" ", act=act())
    with unit_of_work():
        take_off(rows[second].id, reason="已在外地申报", act=act())

    left = members_of(selection_id)
    assert list(left) == [first]
    assert (left[first].pool_class, left[first].planned_batch, left[first].reason) == ("key", "第二批", "有 3 件专利")
    assert state_of(second) is None
    with unit_of_work():
        add_to_selection(selection_id, [second], act=act())
    assert set(members_of(selection_id)) == {first, second}


@pytest.mark.parametrize(
    ("values", "no", "field"),
    [
        pytest.param({**DECISION, "decided_on": None}, None, "decided_on", id="no day"),
        pytest.param({"decided_on": TODAY}, None, "meeting", id="neither meeting nor document"),
        pytest.param({**DECISION, "decided_on": date(2026, 12, 1)}, None, "decided_on", id="tomorrow"),
        pytest.param({**DECISION, "decided_on": date(2026, 1, 1)}, None, "decided_on", id="before the proposal"),
        pytest.param(DECISION, "", "verdict", id="no without a reason"),
        pytest.param(DECISION, "说" * 201, "verdict", id="a novel"),
    ],
)
def test_a_decision_that_cannot_be_is_refused_beside_its_field(sqlite_app, values, no, field):
    selection_id = listed(make_enterprise())
    [one] = members_of(selection_id).values()

    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        decide_selection(selection_id, values, {one.id: no}, version=1, act=act())

    assert field in {name.split("-")[0] for name in refusal.value.problems}


def test_every_firm_of_the_list_needs_a_verdict(sqlite_app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    selection_id = listed(first, second)
    rows = members_of(selection_id)

    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        decide_selection(selection_id, DECISION, {rows[first].id: None}, version=1, act=act())

    assert list(refusal.value.problems) == [f"verdict-{rows[second].id}"]


def test_a_decided_list_is_neither_changed_nor_decided_again(app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    selection_id = listed(first)
    decided(selection_id)

    for deed in (
        lambda: add_to_selection(selection_id, [second], act=act()),
        lambda: take_off(members_of(selection_id)[first].id, reason="迟了", act=act()),
        lambda: decide_selection(selection_id, DECISION, {}, version=2, act=act()),
    ):
        with pytest.raises(Refused, match="已决定"):
            deed()


def test_two_who_edit_one_list_clash(app):
    selection_id = listed(make_enterprise())
    with unit_of_work():
        edit_selection(selection_id, {"title": "先改的"}, version=1, seen={"title": HEAD["title"]}, act=act())

    with pytest.raises(Conflict), unit_of_work():
        edit_selection(selection_id, {"title": "后改的"}, version=1, seen={"title": HEAD["title"]}, act=act())


def test_a_list_is_sent_out_after_it_was_decided_and_its_document_reaches_the_members(app):
    enterprise_id = make_enterprise()
    selection_id = listed(enterprise_id)
    with pytest.raises(Refused, match="还没有决定"):
        issue_selection(selection_id, {"issued_on": TODAY, "document": "巫溪科〔2026〕9号"}, version=1, act=act())
    decided(selection_id)

    with pytest.raises(InvalidInput):
        issue_selection(selection_id, {"issued_on": TODAY, "document": " "}, version=2, act=act())
    with unit_of_work():
        issue_selection(selection_id, {"issued_on": TODAY, "document": "巫溪科〔2026〕9号"}, version=2, act=act())

    assert members_of(selection_id)[enterprise_id].document == "巫溪科〔2026〕9号"


def test_a_case_manager_puts_no_list_together_and_a_stranger_finds_none(app):
    manager = make_user("xianghe", "case_manager")
    stranger = make_user("tingyu", "bureau", region=county(OTHER))
    enterprise_id = make_enterprise(manager=manager.user_id)
    selection_id = listed(enterprise_id)

    with pytest.raises(NotAllowed):
        open_selection(HEAD, [enterprise_id], plan=PLAN, act=act(manager))
    with pytest.raises(NotAllowed):
        add_to_selection(selection_id, [enterprise_id], act=act(manager))
    with pytest.raises(NotFound):
        decide_selection(selection_id, DECISION, {}, version=1, act=act(stranger))
    with pytest.raises(Refused):
        open_selection(HEAD, [enterprise_id], plan=PLAN, act=act(stranger))


def test_who_is_gone_is_not_put_on_a_list(app):
    gone = make_enterprise("甲有限公司", status="deregistered")

    [one] = lists.candidates([gone], act().viewer)

    assert one.refusal == "已注销、吊销或迁出"


# --- what became of them ---------------------------------------------------------------------------------------------


def entered(name: str, *, titles=(), year: int = 2025, on: date = date(2025, 6, 1)) -> int:
    enterprise_id = make_enterprise(name, titles=titles)
    with unit_of_work():
        values = {"year": year, "pool_class": "key", "proposed_on": on}
        membership_id = propose_for_pool(enterprise_id, values, act=act()).ids["membership"]
    with unit_of_work():
        decide_pool(membership_id, {"decided_on": on, "meeting": "局务会"}, version=1, act=act())
    return enterprise_id


def applied(enterprise_id: int, *, outcome: str | None = None, stage: str = "city_review") -> None:
    values = {
        "enterprise_id": enterprise_id,
        "kind": "hnte",
        "year": 2026,
        "stage": "环节",
        "stage_code": stage,
        "stage_on": date(2026, 7, 1),
        "outcome": outcome,
    }
    with unit_of_work():
        write([Create("application", values)], act=act(), action="test")


def test_every_firm_of_a_cohort_stands_in_exactly_one_column_and_they_add_up(app):
    recognised, in_hand, failed = entered("甲有限公司"), entered("乙有限公司"), entered("丙有限公司")
    waiting = entered("丁有限公司")
    held = entered("戊有限公司", titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))])
    with unit_of_work():
        title = {"kind": "hnte", "valid_from": date(2026, 10, 1), "valid_to": date(2029, 9, 30)}
        record_qualification(recognised, {**title, "announced_on": date(2026, 10, 1)}, act=act())
    applied(recognised, outcome="passed")
    applied(in_hand)
    applied(failed, outcome="failed")

    found = conversion.courses(act().viewer, on=TODAY)
    [row] = conversion.table(found)

    became = {one.enterprise_id: one.outcome for one in found}
    assert became == {
        recognised: "recognised",
        in_hand: "in_hand",
        failed: "not_passed",
        waiting: "waiting",
        held: "held",
    }
    assert (row["entered"], row["applied"], row["recognised"]) == (5, 3, 1)
    assert sum(row[name] for name in conversion.OUTCOMES) == row["entered"]
    for what in ("entered", "applied", *conversion.OUTCOMES):
        assert len(conversion.narrowed(found, what)) == row[what]


def test_a_firm_that_only_prepares_has_not_applied(app):
    enterprise_id = entered("甲有限公司")
    applied(enterprise_id, stage="coaching")

    [one] = conversion.courses(act().viewer, on=TODAY)

    assert one.outcome == "waiting"


def test_a_correction_of_a_title_is_no_second_recognition(app):
    enterprise_id = entered("甲有限公司")
    with unit_of_work():
        title = {"kind": "hnte", "valid_from": date(2026, 10, 1), "valid_to": date(2029, 9, 30)}
        record_qualification(enterprise_id, {**title, "announced_on": date(2026, 10, 1)}, act=act())
    one = db.session.query(Qualification).filter_by(enterprise_id=enterprise_id).one()
    with unit_of_work():
        correct_qualification(one.id, {"valid_from": date(2026, 10, 2)}, version=one.version, act=act())

    [course] = conversion.courses(act().viewer, on=TODAY)

    assert (course.outcome, course.recognised_on) == ("recognised", date(2026, 10, 2))


def test_what_comes_later_is_not_counted_on_an_earlier_day(app):
    enterprise_id = entered("甲有限公司")
    with unit_of_work():
        title = {"kind": "hnte", "valid_from": date(2026, 10, 1), "valid_to": date(2029, 9, 30)}
        record_qualification(enterprise_id, {**title, "announced_on": date(2026, 10, 1)}, act=act())

    before = conversion.courses(act().viewer, on=date(2026, 9, 30))
    long_before = conversion.courses(act().viewer, on=date(2025, 5, 31))

    assert [one.outcome for one in before] == ["waiting"]
    assert long_before == []


def test_a_department_learns_nothing_of_who_applied(app):
    liaison = make_user("jingxin", "unit")
    entered("甲有限公司")

    assert conversion.courses(liaison, on=TODAY) == []


def test_the_list_is_a_word_document_with_its_head_on_every_page():
    target = io.BytesIO()

    count = write_list_document(
        target, title="名单", above=["2 家"], heads=["序号", "企业"], rows=[["1", "=甲\x01有限公司"], ["2", "乙"]]
    )

    document = Document(io.BytesIO(target.getvalue()))
    assert count == 2
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["序号", "企业"],
        ["1", "=甲有限公司"],
        ["2", "乙"],
    ]
    assert "w:tblHeader" in document.tables[0]._tbl.xml
