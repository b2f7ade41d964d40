"""The IP register: classes follow kinds, numbers are unique, edits merge, withdrawals can be undone."""

from datetime import date

import pytest

from crm.actions.changes import undo
from crm.actions.intellectual_property import edit_ip, problems, record_ip, withdraw_ip
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound
from crm.extensions import db
from crm.store.intellectual_property import IntellectualProperty, ip_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import TODAY, act, county, make_enterprise, make_user

PATENT = {"name": "一种烘干装置", "kind": "invention", "number": "ZL202310000001.X", "granted_on": date(2024, 5, 7)}


def record(enterprise_id: int, **more) -> int:
    with unit_of_work():
        return record_ip(enterprise_id, {**PATENT, **more}, act=act()).ids["ip"]


def test_the_class_follows_from_the_kind(app):
    enterprise_id = make_enterprise()
    record(enterprise_id)
    record(enterprise_id, kind="software", number="2024SR1", name="管理软件")

    assert [(p.kind, p.ip_class) for p in ip_of(enterprise_id)] == [("invention", "1"), ("software", "2")]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        pytest.param({"name": None}, "name", id="no name"),
        pytest.param({"kind": None}, "kind", id="no kind"),
        pytest.param({"ip_class": "2"}, "ip_class", id="an invention in class II"),
        pytest.param({"granted_on": date(2027, 1, 1)}, "granted_on", id="granted tomorrow"),
        pytest.param({"expires_on": date(2020, 1, 1)}, "expires_on", id="ends before it begins"),
        pytest.param({"transferred_on": date(2027, 1, 1)}, "transferred_on", id="transferred tomorrow"),
        pytest.param({"number": "zl202310000009.x"}, "number", id="a number written before"),
    ],
)
def test_an_impossible_entry_is_refused_beside_its_field(more, field):
    assert list(problems({**PATENT, **more}, [{"number": "ZL202310000009.X"}], today=TODAY)) == [field]


def test_edits_of_different_fields_merge_and_of_one_field_clash(app):
    ip_id = record(make_enterprise())
    with unit_of_work():
        edit_ip(ip_id, {"obtained": "own"}, version=1, seen={"obtained": None}, act=act())

    with unit_of_work():
        edit_ip(ip_id, {"disputed": False}, version=1, seen={"disputed": None}, act=act())
    with pytest.raises(Conflict) as clash, unit_of_work():
        edit_ip(ip_id, {"obtained": "gift"}, version=1, seen={"obtained": None}, act=act())

    piece = db.session.get(IntellectualProperty, ip_id)
    assert (piece.obtained, piece.disputed) == ("own", False)
    assert clash.value.theirs == {"obtained": (None, "own", "gift")}


def test_a_withdrawn_entry_is_gone_and_comes_back_by_undo(app):
    enterprise_id = make_enterprise()
    ip_id = record(enterprise_id)
    with unit_of_work():
        written = withdraw_ip(ip_id, version=1, act=act())
    gone = ip_of(enterprise_id)

    with unit_of_work():
        undo(written.change_set_id, act=act())

    assert gone == []
    assert [p.id for p in ip_of(enterprise_id)] == [ip_id]


def test_a_colleague_may_not_and_a_stranger_does_not_find_it(app):
    owner = make_user("xianghe", "case_manager")
    colleague = make_user("liaoheng", "leader")
    stranger = make_user("tingyu", "bureau", region=county("500299"))
    ip_id = record(make_enterprise(manager=owner.user_id))

    with pytest.raises(NotAllowed), unit_of_work():
        edit_ip(ip_id, {"obtained": "own"}, version=1, act=act(colleague))
    with pytest.raises(NotFound), unit_of_work():
        edit_ip(ip_id, {"obtained": "own"}, version=1, act=act(stranger))


def test_the_same_number_is_refused_for_one_enterprise_only(app):
    first = make_enterprise("甲有限公司")
    record(first)

    with pytest.raises(InvalidInput):
        record(first)
    record(make_enterprise("乙有限公司"))
