"""The one writer: rows, history, versions, idempotence and undo on both databases."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from crm.actions.changes import preview_undo, undo
from crm.actions.enterprises import create_enterprise, edit_enterprise
from crm.domain.changes import Create, Update
from crm.domain.refusals import AlreadyDone, Conflict, Refused
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Affiliation, Enterprise, EnterpriseAlias
from crm.store.standings import SearchText, Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import TODAY, act, county, make_enterprise, make_user, township


def test_a_creation_is_recorded_with_its_values_and_projected(app):
    enterprise_id = make_enterprise(capital=Decimal("1000000.50"), registered_on=date(2018, 6, 14))

    change = db.session.scalar(select(Change).where(Change.noun == "enterprise"))
    standing = db.session.get(Standing, enterprise_id)

    assert change.op == "create"
    assert change.fields["capital"] == "1000000.50"
    assert change.fields["registered_on"] == "2018-06-14"
    assert db.session.get(Enterprise, enterprise_id).capital == Decimal("1000000.50")
    assert (standing.rung, standing.region_id) == (0, county().id)
    assert "qhsp" in db.session.get(SearchText, enterprise_id).haystack


def test_an_edit_records_before_and_after_of_what_differs_only(app):
    enterprise_id = make_enterprise(address="一号路")
    with unit_of_work():
        edit_enterprise(
            enterprise_id, {"address": "二号路", "name": "巫溪县青禾食品有限责任公司"}, version=1, act=act()
        )

    change = db.session.scalars(select(Change).where(Change.noun == "enterprise").order_by(Change.id.desc())).first()

    assert change.fields == {"address": ["一号路", "二号路"]}
    assert change.record_version == 2


def test_edits_of_different_fields_merge(app):
    enterprise_id = make_enterprise(address="一号路", main_product="烤鱼")
    with unit_of_work():
        edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, seen={"address": "一号路"}, act=act())

    with unit_of_work():
        edit_enterprise(enterprise_id, {"main_product": "鱼罐头"}, version=1, seen={"main_product": "烤鱼"}, act=act())

    row = db.session.get(Enterprise, enterprise_id)
    assert (row.address, row.main_product, row.version) == ("二号路", "鱼罐头", 3)


def test_the_same_field_clashes_with_mine_theirs_and_before(app):
    enterprise_id = make_enterprise(address="一号路")
    with unit_of_work():
        edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, seen={"address": "一号路"}, act=act())

    with pytest.raises(Conflict) as clash, unit_of_work():
        edit_enterprise(enterprise_id, {"address": "三号路"}, version=1, seen={"address": "一号路"}, act=act())

    assert clash.value.theirs == {"address": ("一号路", "二号路", "三号路")}
    assert db.session.get(Enterprise, enterprise_id).address == "二号路"


def test_a_request_key_writes_once(app):
    with unit_of_work():
        create_enterprise(county().id, {"name": "甲"}, act=act(request_key="k1"))

    with pytest.raises(AlreadyDone), unit_of_work():
        create_enterprise(county().id, {"name": "甲"}, act=act(request_key="k1"))

    assert len(db.session.scalars(select(Enterprise)).all()) == 1


def test_nothing_is_recorded_when_nothing_differs(app):
    enterprise_id = make_enterprise(address="一号路")
    before = len(db.session.scalars(select(ChangeSet)).all())

    with unit_of_work():
        edit_enterprise(enterprise_id, {"address": "一号路"}, version=1, act=act())

    assert len(db.session.scalars(select(ChangeSet)).all()) == before


def test_a_taken_code_is_refused_and_nothing_stays(app):
    first = make_enterprise()
    code = db.session.get(Enterprise, first).credit_code

    with pytest.raises(Refused), unit_of_work():
        write(
            [Create("enterprise", {"name": "乙", "region_id": county().id, "credit_code": code})],
            act=act(),
            action="test",
        )

    assert len(db.session.scalars(select(Enterprise)).all()) == 1


def test_ids_are_never_reused(app):
    first = make_enterprise()
    change_set = db.session.scalars(select(ChangeSet.id).order_by(ChangeSet.id.desc())).first()
    with unit_of_work():
        undo(change_set, act=act())

    assert make_enterprise("另一家有限公司") > first


def test_an_undone_creation_is_withdrawn_with_its_standing_and_can_come_back(app):
    enterprise_id = make_enterprise(township=township().id)
    change_set = db.session.scalars(select(ChangeSet.id).order_by(ChangeSet.id.desc())).first()

    with unit_of_work():
        result = undo(change_set, act=act())
    gone = (db.session.get(Enterprise, enterprise_id).deleted, db.session.get(Standing, enterprise_id))
    with unit_of_work():
        undo(result.written.change_set_id, act=act())
    db.session.expire_all()

    assert gone == (True, None)
    assert db.session.get(Enterprise, enterprise_id).deleted is False
    assert db.session.get(Standing, enterprise_id).township_id == township().id


def test_undo_restores_only_fields_it_wrote_last_and_names_the_later_writer(app):
    enterprise_id = make_enterprise(address="一号路", main_product="烤鱼")
    with unit_of_work():
        mine = edit_enterprise(enterprise_id, {"address": "二号路", "main_product": "鱼罐头"}, version=1, act=act())
    colleague = make_user("chenshu", "bureau", name="陈述")
    with unit_of_work():
        edit_enterprise(enterprise_id, {"address": "三号路"}, version=2, act=act(colleague))

    plan = preview_undo(mine.change_set_id, viewer=act().viewer)
    with unit_of_work():
        result = undo(mine.change_set_id, act=act())

    row = db.session.get(Enterprise, enterprise_id)
    assert (row.address, row.main_product) == ("三号路", "烤鱼")
    assert [(kept.field, kept.why, kept.who) for kept in result.kept] == [("address", "edited", "陈述")]
    assert plan.kept == result.kept


def test_a_creation_with_a_later_child_is_kept(app):
    enterprise_id = make_enterprise()
    change_set = db.session.scalars(select(ChangeSet.id).order_by(ChangeSet.id.desc())).first()
    with unit_of_work():
        write(
            [Create("figures", {"enterprise_id": enterprise_id, "year": 2025, "revenue": Decimal(1)})],
            act=act(),
            action="test",
        )

    with pytest.raises(Refused), unit_of_work():
        undo(change_set, act=act())

    assert db.session.get(Enterprise, enterprise_id).deleted is False


def test_a_rename_keeps_the_old_name_and_search_finds_both(app):
    enterprise_id = make_enterprise("重庆宁谷药业有限公司")

    with unit_of_work():
        edit_enterprise(enterprise_id, {"name": "重庆宁谷生物科技有限公司"}, version=1, act=act())

    alias = db.session.scalar(select(EnterpriseAlias))
    haystack = db.session.get(SearchText, enterprise_id).haystack
    assert (alias.value, alias.until_on) == ("重庆宁谷药业有限公司", TODAY)
    assert "药业" in haystack
    assert "生物" in haystack


def test_a_move_ends_the_old_township_the_day_before(app):
    enterprise_id = make_enterprise(township=township("凤凰镇").id)

    with unit_of_work():
        edit_enterprise(enterprise_id, {"township": township("尖山镇").id}, version=1, act=act())

    rows = db.session.scalars(select(Affiliation).where(Affiliation.kind == "township").order_by(Affiliation.id)).all()
    assert [(row.ref_id, row.starts_on, row.ends_on) for row in rows] == [
        (township("凤凰镇").id, None, date(2026, 11, 22)),
        (township("尖山镇").id, TODAY, None),
    ]
    assert db.session.get(Standing, enterprise_id).township_id == township("尖山镇").id


def test_a_stale_update_without_what_was_seen_clashes(app):
    enterprise_id = make_enterprise(address="一号路")
    with unit_of_work():
        edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, act=act())

    with pytest.raises(Conflict), unit_of_work():
        write([Update("enterprise", enterprise_id, {"address": "四号路"}, 1)], act=act(), action="test")
