"""关联企业: entered once, seen from both sides, never with a firm one may not see."""

from datetime import date

import pytest

from crm.actions.changes import undo
from crm.actions.merges import merge_enterprises, plan_merge
from crm.actions.relations import edit_relation, record_relation, tell_apart, withdraw_relation
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound, Refused
from crm.store import duplicates
from crm.store.relations import relations_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, act, county, make_enterprise, make_user


def record(enterprise_id, values, who=None):
    with unit_of_work():
        return record_relation(enterprise_id, values, act=act(who))


def test_a_relation_is_seen_from_both_sides_and_withdrawn_from_both(app):
    head, branch = make_enterprise("甲食品有限公司"), make_enterprise("甲食品有限公司古路分公司")
    record(head, {"kind": "branch", "other_id": branch, "starts_on": date(2020, 5, 1)})

    [mine], [theirs] = relations_of(head), relations_of(branch)
    assert mine.id == theirs.id and mine.kind == "branch"
    with unit_of_work():
        edit_relation(mine.id, {"ends_on": date(2026, 5, 1)}, version=1, act=act())
    assert relations_of(branch)[0].ends_on == date(2026, 5, 1)
    with unit_of_work():
        withdraw_relation(mine.id, version=2, act=act())
    assert relations_of(head) == relations_of(branch) == []


def test_a_firm_of_the_library_takes_the_place_of_the_name_as_written(sqlite_app):
    head, branch = make_enterprise("甲食品有限公司"), make_enterprise("甲食品有限公司古路分公司")
    record(head, {"kind": "branch", "other_name": "甲食品古路分公司", "other_code": "91500238MA5U000000"})
    [one] = relations_of(head)

    with unit_of_work():
        edit_relation(one.id, {"other_id": branch}, version=one.version, seen={"other_id": None}, act=act())

    [one] = relations_of(head)
    assert (one.other_id, one.other_name, one.other_code) == (branch, None, None)


def test_the_same_relation_is_entered_once_from_whichever_side(app):
    head, branch = make_enterprise("甲食品有限公司"), make_enterprise("甲食品有限公司古路分公司")
    record(head, {"kind": "branch", "other_id": branch})

    with pytest.raises(InvalidInput) as again:
        record(head, {"kind": "branch", "other_id": branch})
    with pytest.raises(InvalidInput) as reversed_:
        record(branch, {"kind": "parent", "other_id": head})

    assert again.value.problems == {"other_id": "这条关联已经登记过。同一种关系只记一次。"}
    assert reversed_.value.problems == {"other_id": "这条关联已经登记过（在对方的档案里登记的）。同一种关系只记一次。"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"other_name": "乙公司"}, "kind"),
        ({"kind": "branch"}, "other_name"),
        ({"kind": "branch", "other_name": "乙", "starts_on": date(2030, 1, 1)}, "starts_on"),
        ({"kind": "branch", "other_name": "乙", "starts_on": date(2020, 2, 1), "ends_on": date(2020, 1, 1)}, "ends_on"),
    ],
)
def test_what_is_missing_or_impossible_is_named(sqlite_app, values, field):
    with pytest.raises(InvalidInput) as caught:
        record(make_enterprise(), values)

    assert set(caught.value.problems) == {field}


def test_nobody_is_related_to_himself_or_to_whom_one_may_not_see(sqlite_app):
    firm, foreign = make_enterprise(), make_enterprise("远处食品有限公司", region=county(OTHER))
    bureau = make_user("tan", "bureau")

    with pytest.raises(InvalidInput):
        record(firm, {"kind": "branch", "other_id": firm})
    with pytest.raises(NotFound):
        record(firm, {"kind": "branch", "other_id": foreign}, bureau)


def test_only_the_office_says_that_two_files_are_two_firms_and_only_it_takes_that_back(app):
    manager = make_user("xianghe", "case_manager")
    one, other = (
        make_enterprise(name, manager=manager.user_id) for name in ("巫溪县青禾食品有限公司", "青禾食品有限公司")
    )
    with pytest.raises(NotAllowed), unit_of_work():
        tell_apart(one, other, act=act(manager))
    # Nor by the way of an ordinary relation.
    with pytest.raises(InvalidInput), unit_of_work():
        record_relation(one, {"kind": "distinct", "other_id": other}, act=act(manager))
    with unit_of_work():
        tell_apart(one, other, act=act())

    decided = relations_of(other)[0]
    with pytest.raises(NotAllowed), unit_of_work():
        withdraw_relation(decided.id, version=1, act=act(manager))
    with pytest.raises(Refused, match="已经核实过"), unit_of_work():
        tell_apart(other, one, act=act())


def test_what_was_told_apart_stays_apart_through_a_merge_and_a_stranger_is_not_found(app):
    one, other, third = (make_enterprise(f"巫溪县青禾{n}食品有限公司") for n in "甲乙丙")
    foreign = make_enterprise("青禾食品有限公司", region=county(OTHER))
    with unit_of_work():
        tell_apart(one, other, act=act())
    plan = plan_merge(third, other, viewer=act().viewer)
    with unit_of_work():
        merged = merge_enterprises(third, other, {}, fingerprint=plan.fingerprint, act=act())

    assert duplicates.decision_about(third, one, act().viewer) is not None
    office = make_user("tanyue", "bureau")
    with pytest.raises(NotFound), unit_of_work():
        tell_apart(one, foreign, act=act(office))
    with unit_of_work():
        undo(merged.change_set_id, act=act())
    assert duplicates.decision_about(third, one, act().viewer) is None
    assert duplicates.decision_about(other, one, act().viewer) is not None
