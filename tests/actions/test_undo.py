"""Undo where one record made way for another: nothing comes back into a place that was taken since."""

from datetime import date

import pytest
from sqlalchemy import select

from crm.actions.changes import preview_undo, undo
from crm.actions.enterprises import create_enterprise, edit_enterprise
from crm.actions.qualifications import correct_qualification, record_qualification
from crm.actions.service_logs import log_service
from crm.domain.changes import Create
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store.enterprises import Affiliation, Enterprise, EnterpriseAlias
from crm.store.qualifications import Qualification, title_facts
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import TODAY, act, county, make_enterprise, make_user, township

TITLE = {"kind": "hnte", "number": "GR202451100001", "valid_from": date(2024, 11, 28), "valid_to": date(2027, 11, 27)}


@pytest.fixture
def office(app):
    return make_user("tan", "bureau", name="谭越")


def take_back(change_set_id, viewer):
    with unit_of_work():
        return undo(change_set_id, act=act(viewer))


def edit(enterprise_id, viewer, *, on=TODAY, **values):
    db.session.rollback()
    version = db.session.get(Enterprise, enterprise_id).version
    with unit_of_work():
        return edit_enterprise(enterprise_id, values, version=version, act=act(viewer, on=on)).change_set_id


def titled(office) -> tuple[int, int]:
    firm = make_enterprise()
    with unit_of_work():
        written = record_qualification(firm, TITLE, act=act(office))
    return firm, written.change_set_id


def correct(firm, office, **values):
    db.session.rollback()
    row = db.session.scalar(
        select(Qualification).where(
            Qualification.enterprise_id == firm, ~Qualification.deleted, Qualification.superseded_at.is_(None)
        )
    )
    with unit_of_work():
        return correct_qualification(row.id, values, version=row.version, act=act(office)).change_set_id


def numbers(firm) -> list[str]:
    db.session.rollback()
    return [fact.number for fact in title_facts(firm)]


def open_townships(firm) -> list[int]:
    db.session.rollback()
    query = select(Affiliation.ref_id).where(
        Affiliation.enterprise_id == firm,
        Affiliation.kind == "township",
        ~Affiliation.deleted,
        Affiliation.ends_on.is_(None),
    )
    return list(db.session.scalars(query))


def test_the_first_of_two_corrections_is_kept_with_its_successor_named(office):
    firm, _ = titled(office)
    first = correct(firm, office, number="GR202451100002")
    correct(firm, office, number="GR202451100003")

    plan = preview_undo(first, viewer=office)

    assert (plan.restore, plan.withdraw) == ({}, [])
    assert sorted((kept.why, kept.who) for kept in plan.kept) == [("edited", "谭越"), ("replaced", "谭越")]
    with pytest.raises(Refused, match="没有可撤销的"):
        take_back(first, office)
    assert numbers(firm) == ["GR202451100003"]


def test_two_corrections_are_undone_one_after_the_other(office):
    firm, _ = titled(office)
    first = correct(firm, office, number="GR202451100002")
    second = correct(firm, office, number="GR202451100003")

    take_back(second, office)
    after_one = numbers(firm)
    take_back(first, office)

    assert (after_one, numbers(firm)) == (["GR202451100002"], ["GR202451100001"])


def test_an_undone_correction_comes_back_only_while_nobody_corrected_anew(office):
    firm, _ = titled(office)
    first = correct(firm, office, number="GR202451100002")
    undone = take_back(first, office).written.change_set_id
    correct(firm, office, number="GR202451100009")

    with pytest.raises(Refused):
        take_back(undone, office)

    assert numbers(firm) == ["GR202451100009"]


def test_an_undone_correction_comes_back(office):
    firm, _ = titled(office)
    first = correct(firm, office, number="GR202451100002")
    undone = take_back(first, office).written.change_set_id

    take_back(undone, office)

    assert numbers(firm) == ["GR202451100002"]


@pytest.mark.parametrize("later", [TODAY, date(2026, 12, 1)], ids=["on the same day", "on a later day"])
def test_a_township_does_not_come_back_beside_the_one_chosen_since(office, later):
    firm = make_enterprise(township=township("上磺镇").id)
    moved = edit(firm, office, township=township("塘坊镇").id)
    edit(firm, office, on=later, township=township("凤凰镇").id)

    plan = preview_undo(moved, viewer=office)
    with pytest.raises(Refused):
        take_back(moved, office)

    assert open_townships(firm) == [township("凤凰镇").id]
    assert ("affiliation", "replaced", "谭越") in [(kept.noun, kept.why, kept.who) for kept in plan.kept]


def test_moves_are_undone_one_after_the_other(office):
    firm = make_enterprise(township=township("上磺镇").id)
    first = edit(firm, office, township=township("塘坊镇").id)
    second = edit(firm, office, township=township("凤凰镇").id)

    take_back(second, office)
    after_one = open_townships(firm)
    take_back(first, office)

    assert (after_one, open_townships(firm)) == ([township("塘坊镇").id], [township("上磺镇").id])
    assert db.session.get(Standing, firm).township_id == township("上磺镇").id


def test_a_place_left_empty_and_taken_since_stays_taken(office):
    firm = make_enterprise(township=township("上磺镇").id)
    emptied = edit(firm, office, township=None)
    edit(firm, office, township=township("凤凰镇").id)

    with pytest.raises(Refused):
        take_back(emptied, office)

    assert open_townships(firm) == [township("凤凰镇").id]


def test_the_old_name_of_a_name_that_is_kept_is_kept(office):
    firm = make_enterprise("巫溪县甲食品有限公司")
    renamed = edit(firm, office, name="巫溪县乙食品有限公司", contact_name="丙")
    edit(firm, office, name="巫溪县丁食品有限公司")

    take_back(renamed, office)

    db.session.rollback()
    aliases = select(EnterpriseAlias.value).where(EnterpriseAlias.enterprise_id == firm, ~EnterpriseAlias.deleted)
    row = db.session.get(Enterprise, firm)
    assert sorted(db.session.scalars(aliases)) == ["巫溪县乙食品有限公司", "巫溪县甲食品有限公司"]
    assert (row.name, row.contact_name) == ("巫溪县丁食品有限公司", None)


def test_a_firm_that_is_kept_keeps_its_place(office):
    with unit_of_work():
        values = {"name": "巫溪县戊食品有限公司", "township": township("凤凰镇").id, "former_name": "巫溪县己有限公司"}
        written = create_enterprise(township().parent_id, values, act=act(office))
    firm = written.ids["enterprise"]
    with unit_of_work():
        log_service([firm], {"happened_on": TODAY, "kind": "visit", "text": "看了车间。"}, act=act(office))

    with pytest.raises(Refused):
        take_back(written.change_set_id, office)

    assert open_townships(firm) == [township("凤凰镇").id]
    assert db.session.get(Standing, firm).township_id == township("凤凰镇").id


def test_a_person_whom_others_rely_on_is_kept_and_named(office):
    admin = make_user("boss", "admin", name="田砚")
    with unit_of_work():
        user = write(
            [Create("user", {"login": "xin", "name": "新人", "region_id": county().id, "active": True}, "u")],
            act=act(admin),
            action="add_user",
            region_id=county().id,
        )
    user_id = user.ids["u"]
    with unit_of_work():
        write(
            [Create("grant", {"user_id": user_id, "role": "case_manager", "region_id": county().id})],
            act=act(admin),
            action="grant",
            region_id=county().id,
        )
    make_enterprise(manager=user_id)

    plan = preview_undo(user.change_set_id, viewer=admin)

    assert (plan.withdraw, [(kept.noun, kept.why) for kept in plan.kept]) == ([], [("user", "children")])


def test_a_park_with_firms_is_kept_and_an_unused_one_is_withdrawn(office):
    sets = []
    for name in ("北部组团", "南部组团"):
        with unit_of_work():
            park = write(
                [Create("park", {"region_id": county().id, "name": name}, "p")],
                act=act(office),
                action="add_entry",
                region_id=county().id,
            )
        sets.append((park.change_set_id, park.ids["p"]))
    edit(make_enterprise(), office, park=sets[0][1])

    plans = [preview_undo(change_set_id, viewer=office) for change_set_id, _ in sets]

    assert [plan.withdraw for plan in plans] == [[], [("park", sets[1][1])]]
    assert [(kept.why, kept.who) for kept in plans[0].kept] == [("children", "谭越")]
