"""Editing an enterprise: new facts leave the old with its days, corrections mend in place, clashes are told."""

from datetime import date

import pytest

from crm.actions.enterprises import edit_enterprise
from crm.domain.refusals import Conflict
from crm.store.enterprises import affiliations_of, aliases_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, make_enterprise, township


def belongs(enterprise_id: int, kind: str) -> list[tuple]:
    rows = sorted((a for a in affiliations_of(enterprise_id) if a.kind == kind), key=lambda a: a.id)
    return [(a.ref_id or a.value, a.starts_on, a.ends_on) for a in rows]


def test_a_move_ends_the_old_township_the_day_before(app):
    old, new = township("凤凰镇").id, township("菱角镇").id
    enterprise_id = make_enterprise(township=old)

    with unit_of_work():
        edit_enterprise(enterprise_id, {"township": new}, version=1, act=act(on=date(2026, 11, 1)))

    assert belongs(enterprise_id, "township") == [(old, None, date(2026, 10, 31)), (new, date(2026, 11, 1), None)]


def test_a_correction_of_the_township_leaves_one_row_with_its_days(app):
    old, new = township("凤凰镇").id, township("菱角镇").id
    enterprise_id = make_enterprise(township=old)

    with unit_of_work():
        edit_enterprise(enterprise_id, {"township": new}, version=1, correction=True, act=act())

    assert belongs(enterprise_id, "township") == [(new, None, None)]


def test_a_correction_to_unknown_withdraws_the_affiliation(app):
    enterprise_id = make_enterprise(status="lost")

    with unit_of_work():
        edit_enterprise(enterprise_id, {"status": None}, version=1, correction=True, act=act())

    assert belongs(enterprise_id, "status") == []


def test_a_renaming_keeps_the_old_name_and_a_correction_does_not(app):
    renamed, mended = make_enterprise("旧名食品有限公司"), make_enterprise("错子食品有限公司")

    with unit_of_work():
        edit_enterprise(renamed, {"name": "新名食品有限公司"}, version=1, act=act())
    with unit_of_work():
        edit_enterprise(mended, {"name": "错字食品有限公司"}, version=1, correction=True, act=act())

    assert [a.value for a in aliases_of(renamed)] == ["旧名食品有限公司"]
    assert aliases_of(mended) == []


def test_a_township_changed_by_somebody_else_meanwhile_is_a_conflict(app):
    seen, theirs, mine = (township(name).id for name in ("凤凰镇", "菱角镇", "文峰镇"))
    enterprise_id = make_enterprise(township=seen)
    with unit_of_work():
        edit_enterprise(enterprise_id, {"township": theirs}, version=1, act=act())

    with pytest.raises(Conflict) as clash, unit_of_work():
        edit_enterprise(enterprise_id, {"township": mine}, version=1, seen={"township": seen}, act=act())

    assert clash.value.theirs == {"township": (seen, theirs, mine)}
    assert belongs(enterprise_id, "township")[-1][0] == theirs


def test_clashes_of_fields_and_of_affiliations_are_told_together(app):
    seen, theirs, mine = (township(name).id for name in ("凤凰镇", "菱角镇", "文峰镇"))
    enterprise_id = make_enterprise(township=seen, address="一号路")
    with unit_of_work():
        edit_enterprise(enterprise_id, {"township": theirs, "address": "二号路"}, version=1, act=act())

    with pytest.raises(Conflict) as clash, unit_of_work():
        edit_enterprise(
            enterprise_id,
            {"township": mine, "address": "三号路"},
            version=1,
            seen={"township": seen, "address": "一号路"},
            act=act(),
        )

    assert set(clash.value.theirs) == {"township", "address"}
