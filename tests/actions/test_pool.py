"""The 培育库: proposed, decided by the bureau with meeting or document, left with a reason."""

from datetime import date

import pytest

from crm.actions.changes import undo
from crm.actions.pool import decide_pool, leave_pool, problems, propose_for_pool
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store import pool_lists
from crm.store.pool import PoolMembership
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from tests.builders import TODAY, act, county, make_enterprise, make_user

PROPOSAL = {"year": 2026, "pool_class": "key", "proposed_on": date(2026, 11, 10), "planned_year": 2027}
DECISION = {"decided_on": date(2026, 11, 20), "meeting": "局务会"}


def propose(enterprise_id: int, **more) -> int:
    with unit_of_work():
        return propose_for_pool(enterprise_id, {**PROPOSAL, **more}, act=act()).ids["membership"]


def state_of(enterprise_id: int) -> tuple[str | None, int]:
    db.session.expire_all()
    standing = db.session.get(Standing, enterprise_id)
    return standing.pool, standing.rung


def test_a_proposal_waits_and_a_decision_brings_the_enterprise_into_the_pool(app):
    enterprise_id = make_enterprise()
    membership_id = propose(enterprise_id)
    waiting = state_of(enterprise_id)

    with unit_of_work():
        decide_pool(membership_id, DECISION, version=1, act=act())

    assert waiting == ("proposed", 0)
    assert state_of(enterprise_id) == ("in_pool", 2)
    assert db.session.get(PoolMembership, membership_id).entered_on == date(2026, 11, 20)


def test_leaving_needs_a_reason_and_takes_the_enterprise_off_the_rung(app):
    enterprise_id = make_enterprise()
    membership_id = propose(enterprise_id)
    with unit_of_work():
        decide_pool(membership_id, DECISION, version=1, act=act())

    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        leave_pool(membership_id, left_on=TODAY, leave_reason="", version=2, act=act())
    with unit_of_work():
        leave_pool(membership_id, left_on=TODAY, leave_reason="两年未申报", version=2, act=act())

    assert list(refusal.value.problems) == ["leave_reason"]
    assert state_of(enterprise_id)[1] == 0


def test_an_enterprise_is_proposed_once_at_a_time(app):
    enterprise_id = make_enterprise()
    propose(enterprise_id)

    with pytest.raises(Refused) as refusal:
        propose(enterprise_id)

    assert refusal.value.message == "这家企业已拟入库（2026 年度），不用再提。"


def test_a_case_manager_proposes_and_only_the_bureau_decides(app):
    manager = make_user("xianghe", "case_manager")
    enterprise_id = make_enterprise(manager=manager.user_id)
    with unit_of_work():
        membership_id = propose_for_pool(enterprise_id, PROPOSAL, act=act(manager)).ids["membership"]

    with pytest.raises(NotAllowed), unit_of_work():
        decide_pool(membership_id, DECISION, version=1, act=act(manager))


def test_a_foreign_membership_is_not_found(app):
    stranger = make_user("tingyu", "bureau", region=county("500299"))
    membership_id = propose(make_enterprise())

    with pytest.raises(NotFound), unit_of_work():
        decide_pool(membership_id, DECISION, version=1, act=act(stranger))


def test_a_decision_over_a_changed_proposal_is_a_conflict(app):
    membership_id = propose(make_enterprise())

    with pytest.raises(Conflict), unit_of_work():
        decide_pool(membership_id, {**DECISION, "pool_class": "long_term"}, version=0, act=act())


@pytest.mark.parametrize(
    ("values", "field"),
    [
        pytest.param({}, "decided_on", id="no day"),
        pytest.param({"decided_on": date(2026, 11, 20)}, "meeting", id="neither meeting nor document"),
        pytest.param({**DECISION, "decided_on": date(2026, 11, 1)}, "decided_on", id="before the proposal"),
        pytest.param({**DECISION, "decided_on": date(2026, 12, 1)}, "decided_on", id="in the future"),
        pytest.param({**DECISION, "entered_on": date(2026, 11, 19)}, "entered_on", id="entered before it was decided"),
    ],
)
def test_a_decision_that_cannot_be_is_refused_beside_its_field(sqlite_app, values, field):
    membership_id = propose(make_enterprise())

    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        decide_pool(membership_id, values, version=1, act=act())

    assert field in refusal.value.problems


def test_a_proposal_needs_year_and_class():
    assert set(problems({}, today=TODAY)) == {"year", "pool_class"}


def test_undoing_the_decision_makes_it_a_proposal_again(app):
    enterprise_id = make_enterprise()
    membership_id = propose(enterprise_id)
    with unit_of_work():
        written = decide_pool(membership_id, DECISION, version=1, act=act())

    with unit_of_work():
        undo(written.change_set_id, act=act())

    assert state_of(enterprise_id)[0] == "proposed"


def test_the_stages_count_what_their_lists_show(app):
    viewer = make_user("tanyue", "bureau")
    first, second, third = (propose(make_enterprise(name)) for name in ("甲有限公司", "乙有限公司", "丙有限公司"))
    with unit_of_work():
        decide_pool(second, DECISION, version=1, act=act())
    with unit_of_work():
        leave_pool(third, left_on=TODAY, leave_reason="不入库", version=1, act=act())

    counted = pool_lists.counts(viewer)
    listed = {stage: [row.membership.id for row in pool_lists.page(stage, viewer)] for stage in pool_lists.STAGES}

    assert counted == {"proposed": 1, "in_pool": 1, "out": 1}
    assert listed == {"proposed": [first], "in_pool": [second], "out": [third]}
    assert pool_lists.counts(viewer, year=2025) == {"proposed": 0, "in_pool": 0, "out": 0}
    assert pool_lists.years(viewer) == [2026]
