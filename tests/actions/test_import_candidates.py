"""Rows that no code and no name tells: candidates by 字号 with what speaks for them, and a person's word for each."""

import time

import pytest
from sqlalchemy import event, func, select

from crm.actions import import_placing, imports
from crm.actions.import_said import Said
from crm.actions.import_undo import prepare_undo, undo_import
from crm.domain.codes import make_code
from crm.domain.refusals import NotFound, Refused
from crm.extensions import db
from crm.jobs import imports as work
from crm.store.enterprises import Enterprise, EnterpriseAlias
from crm.store.imports import ImportBatch, rows_of
from crm.store.qualifications import Qualification
from crm.store.service_logs import ServiceLog
from crm.store.unit_of_work import unit_of_work
from tests.actions.test_imports import bring, confirm
from tests.builders import OTHER, act, county, make_enterprise, make_user

QINGHE = "巫溪县青禾食品有限责任公司"
NEAR = "重庆青禾食品有限公司"
HEAD = ["企业名称", "统一社会信用代码", "联系人", "联系电话"]
TITLES = ["企业名称", "资格", "证书编号", "公告日期"]


def place(batch_id, said, *, viewer=None):
    with unit_of_work():
        told = import_placing.place_rows(batch_id, said, act=act(viewer))
    work.preview(work.InProcess(), {"batch": batch_id})
    return told


def place_alike(batch_id, kind, what):
    with unit_of_work():
        told = import_placing.place_alike(batch_id, kind, what, act=act())
    work.preview(work.InProcess(), {"batch": batch_id})
    return told


def summary(batch_id):
    db.session.rollback()
    return db.session.get(ImportBatch, batch_id).summary


def names():
    return set(db.session.scalars(select(Enterprise.name).where(~Enterprise.deleted)))


def test_a_row_of_an_unknown_name_shows_the_near_ones_with_what_speaks_for_them(app):
    qinghe = make_enterprise(QINGHE, code=make_code(1), contact_phone="13900000001")
    trade = make_enterprise("巫溪县青禾农业开发有限公司", code=make_code(2))
    make_enterprise("巫溪县红池食品有限公司", code=make_code(3))

    batch_id = bring(
        {"企业": [HEAD, [NEAR, None, "谭越", "13900000001"], ["重庆红叶食品有限公司", None, "谭越", None]]}
    )

    near, other = rows_of(batch_id)
    assert (near.outcome, near.enterprise_id, other.outcome, other.candidates) == ("unmatched", None, "new", None)
    assert [(one["id"], one["evidence"]) for one in near.candidates] == [
        (qinghe, {"short_name": "青禾食品", "phone": "13900000001"}),
        (trade, {"core": "青禾"}),
    ]
    assert "相近的有“巫溪县青禾食品有限责任公司”、“巫溪县青禾农业开发有限公司”" in near.problems[0]["message"]
    assert summary(batch_id)["candidates"] == {"several": 1}


def test_the_bare_core_is_shown_and_keeps_nobody_from_entering_a_firm(sqlite_app):
    make_enterprise("巫溪县青禾农业开发有限公司", code=make_code(2))

    batch_id = bring({"企业": [HEAD, [NEAR, None, None, None]]})

    [row] = rows_of(batch_id)
    assert (row.outcome, [one["evidence"] for one in row.candidates]) == ("new", [{"core": "青禾"}])


def test_two_different_codes_are_two_enterprises_whatever_their_names(sqlite_app):
    make_enterprise(QINGHE, code=make_code(1))
    make_enterprise("巫溪县红池食品有限公司", code=None)

    batch_id = bring(
        {"企业": [HEAD, [NEAR, make_code(2), None, None], ["重庆红池食品有限公司", make_code(3), None, None]]}
    )

    assert [(row.outcome, bool(row.candidates)) for row in rows_of(batch_id)] == [("new", False), ("unmatched", True)]


def test_it_is_this_one_changes_that_one_and_leaves_its_name(app):
    qinghe = make_enterprise(QINGHE, code=make_code(1), contact_name="甲")
    batch_id = bring({"企业": [HEAD, [NEAR, None, "谭越", None]]})

    told = place(batch_id, {rows_of(batch_id)[0].id: str(qinghe)})

    [row] = rows_of(batch_id)
    assert (told, row.outcome, row.enterprise_id, row.matched_by) == (1, "changed", qinghe, "chosen")
    assert row.diff == {"enterprise.contact_name": ["甲", "谭越"]}
    assert "名称没有改动" in row.problems[0]["message"]
    confirm(batch_id)
    assert names() == {QINGHE}
    assert db.session.scalar(select(func.count()).select_from(EnterpriseAlias)) == 0


def test_a_new_one_is_entered_and_left_out_stands_in_nobodys_way(app):
    make_enterprise(QINGHE, code=make_code(1))
    make_enterprise("巫溪县红池食品有限公司", code=make_code(2))
    batch_id = bring({"企业": [HEAD, [NEAR, None, None, None], ["重庆红池食品有限公司", None, None, None]]})
    first, second = (row.id for row in rows_of(batch_id))

    place(batch_id, {first: "new", second: "leave"})

    assert [row.outcome for row in rows_of(batch_id)] == ["new", "unmatched"]
    assert (summary(batch_id)["blocking"], summary(batch_id)["candidates"]) == (0, {})
    confirm(batch_id)
    assert names() == {QINGHE, "巫溪县红池食品有限公司", NEAR}


def test_a_title_of_an_unmatched_name_goes_to_the_chosen_enterprise_with_all_rows_of_that_name(app):
    qinghe = make_enterprise(QINGHE, code=make_code(1))
    logs = [["企业名称", "服务日期", "服务方式", "服务内容"]]
    logs += [[NEAR, f"2026-03-0{day}", "走访", f"第 {day} 次"] for day in (1, 2, 3)]
    batch_id = bring({"服务记录": logs})
    rows = rows_of(batch_id)
    assert [row.outcome for row in rows] == ["unmatched"] * 3

    told = place(batch_id, {rows[0].id: str(qinghe)})

    assert (told, [row.outcome for row in rows_of(batch_id)]) == (3, ["new"] * 3)
    confirm(batch_id)
    assert db.session.scalar(select(func.count()).select_from(ServiceLog)) == 3


def test_an_enterprise_is_entered_from_a_list_of_titles_and_goes_with_its_undo(app):
    titles = [["高新技术企业", "GR202551000001", "2025-11-01"], ["创新型中小企业", None, "2025-12-01"]]
    batch_id = bring({"认定资格": [TITLES, *([NEAR, *title] for title in titles)]})
    assert summary(batch_id)["candidates"] == {"none": 2}

    told = place_alike(batch_id, "none", "new")

    assert (told, [row.outcome for row in rows_of(batch_id)]) == (2, ["new", "new"])
    confirm(batch_id)
    [firm] = db.session.scalars(select(Enterprise))
    assert set(db.session.scalars(select(Qualification.enterprise_id))) == {firm.id}
    ready = prepare_undo(batch_id, act=act())
    with unit_of_work():
        undo_import(batch_id, ready, act=act())
    assert names() == set()


def test_an_enterprise_is_not_entered_by_a_row_that_is_wrong(sqlite_app):
    rows = [[NEAR, "高新技术企业", None, "1900-01-01"], [NEAR, "高新技术企业", None, "2025-11-01"]]
    batch_id = bring({"认定资格": [TITLES, *rows]})

    place(batch_id, {row.id: "new" for row in rows_of(batch_id)})

    assert [row.outcome for row in rows_of(batch_id)] == ["error", "new"]
    with unit_of_work():
        imports.confirm(batch_id, good_rows_only=True, ask=False, act=act())
    work.commit(work.InProcess(), {"batch": batch_id})
    assert names() == {NEAR}


def test_rows_of_one_kind_are_decided_in_one_press(sqlite_app):
    for n, core in enumerate(("青禾", "红池", "云台")):
        make_enterprise(f"巫溪县{core}食品有限责任公司", code=make_code(n))
    rows = [[f"重庆{core}食品有限公司", None, "谭越", None] for core in ("青禾", "红池", "云台")]
    batch_id = bring({"企业": [HEAD, *rows]})

    told = place_alike(batch_id, "short_name", "one")

    assert (told, [row.outcome for row in rows_of(batch_id)]) == (3, ["changed"] * 3)


def test_what_was_said_can_be_taken_back(sqlite_app):
    make_enterprise(QINGHE, code=make_code(1))
    batch_id = bring({"企业": [HEAD, [NEAR, None, None, None]]})
    place(batch_id, {rows_of(batch_id)[0].id: "new"})
    assert rows_of(batch_id)[0].outcome == "new"

    place(batch_id, {rows_of(batch_id)[0].id: ""})

    assert rows_of(batch_id)[0].outcome == "unmatched"
    assert Said.of(summary(batch_id)).placed == {}


def test_a_row_is_pointed_at_an_enterprise_by_its_full_name_or_code(sqlite_app):
    qinghe, red = make_enterprise(QINGHE, code=make_code(1)), make_enterprise("巫溪县红池食品有限公司")
    batch_id = bring(
        {"认定资格": [TITLES, *([name, "高新技术企业", None, "2025-11-01"] for name in ("某甲公司", "某乙公司"))]}
    )
    first, second = (row.id for row in rows_of(batch_id))

    place(batch_id, {first: make_code(1).lower(), second: "巫溪县红池食品有限公司"})

    assert [row.enterprise_id for row in rows_of(batch_id)] == [qinghe, red]


@pytest.mark.parametrize("word", ["库里没有的公司", "999999", "9" * 40, "\x00", "②"])
def test_an_enterprise_that_is_not_there_is_said_by_its_name(sqlite_app, word):
    make_enterprise(QINGHE, code=make_code(1))
    batch_id = bring({"企业": [HEAD, [NEAR, None, None, None]]})

    with pytest.raises(Refused, match="库里没有"):
        place(batch_id, {rows_of(batch_id)[0].id: word})


def test_an_enterprise_of_the_next_district_is_no_candidate_and_cannot_be_chosen(sqlite_app):
    theirs = make_enterprise(QINGHE, code=make_code(1), region=county(OTHER))
    batch_id = bring({"认定资格": [TITLES, [NEAR, "高新技术企业", None, "2025-11-01"]]})
    [row] = rows_of(batch_id)

    with pytest.raises(Refused, match=f"库里没有“{theirs}”"):
        place(batch_id, {row.id: str(theirs)})
    assert row.candidates is None


def test_who_does_not_see_the_batch_decides_nothing(sqlite_app):
    tan, lin = make_user("tan", "bureau"), make_user("lin", "unit")
    make_enterprise(QINGHE, code=make_code(1))
    batch_id = bring({"企业": [HEAD, [NEAR, None, None, None]]}, viewer=tan)

    with pytest.raises(NotFound):
        place(batch_id, {rows_of(batch_id)[0].id: "new"}, viewer=lin)


def test_nothing_said_is_refused(sqlite_app):
    make_enterprise(QINGHE, code=make_code(1))
    batch_id = bring({"企业": [HEAD, [NEAR, None, None, None]]})

    with pytest.raises(Refused, match="没有选哪一行是哪家"):
        place(batch_id, {rows_of(batch_id)[0].id: ""})
    with pytest.raises(Refused, match="没有唯一相近的一家"):
        place_alike(batch_id, "several", "one")


def test_ten_thousand_unknown_rows_ask_the_library_a_few_times(sqlite_app):
    for n in range(20):
        make_enterprise(f"巫溪县字号{chr(0x4E00 + n)}食品有限公司", code=make_code(n))
    rows = [[f"重庆字号{chr(0x4E00 + n % 2_000)}第{n}食品有限公司", None, None, None] for n in range(10_000)]
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    began = time.perf_counter()
    batch_id = bring({"企业": [HEAD, *rows]})

    assert summary(batch_id)["rows"] == 10_000
    assert len([one for one in statements if one.startswith("SELECT")]) < 60
    assert time.perf_counter() - began < 30
