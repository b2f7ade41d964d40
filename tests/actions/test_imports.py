"""The importer from bytes to records: outcomes that add up, all problems at once, whole or absent, taken back whole."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from crm.actions import import_answers, import_reading, import_undo, imports
from crm.actions.changes import undo
from crm.actions.enterprises import edit_enterprise
from crm.actions.import_rows import OUTCOMES
from crm.actions.jobs import cancel
from crm.actions.qualifications import record_qualification
from crm.actions.service_logs import log_service
from crm.domain.changes import Update
from crm.domain.codes import make_code, make_old_number
from crm.domain.refusals import NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.jobs import imports as work
from crm.jobs.running import run
from crm.sheets.prescan import A_PDF
from crm.store import file_store, projections
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Affiliation, Enterprise, EnterpriseAlias
from crm.store.figures import Figures, figures_of
from crm.store.imports import ImportBatch, ImportRow, rows_of
from crm.store.jobs import Job
from crm.store.obligations import Obligation
from crm.store.qualifications import Qualification, qualifications_of
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise, logs_of
from crm.store.standings import SearchText, Spell, Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.sheets.sheet_samples import ole
from tests.workbooks import csv, workbook

HEAD = ["企业名称", "统一社会信用代码", "乡镇", "联系人", "注册资本（万元）", "成立日期"]
QINGHE = "巫溪县青禾食品有限责任公司"


def code(n):
    return make_code(n)


def bring(content, *, viewer=None, name="台账.xlsx", run=True, **more):
    """Upload bytes and preview them; returns the batch's id."""
    kept = file_store.keep(content if isinstance(content, bytes) else workbook(content))
    region = more.pop("region", None) or county()
    with unit_of_work():
        batch_id = imports.start_import(kept, name=name, region_id=region.id, ask=False, act=act(viewer), **more)
    if run:
        work.preview(work.InProcess(), {"batch": batch_id})
    return batch_id


def confirm(batch_id, *, good_rows_only=False, viewer=None):
    with unit_of_work():
        imports.confirm(batch_id, good_rows_only=good_rows_only, ask=False, act=act(viewer))
    return work.commit(work.InProcess(), {"batch": batch_id})


def undo_batch(batch_id, *, viewer=None):
    ready = import_undo.prepare_undo(batch_id, act=act(viewer))
    with unit_of_work():
        return import_undo.undo_import(batch_id, ready, act=act(viewer))


def batch(batch_id):
    db.session.rollback()
    return db.session.get(ImportBatch, batch_id)


def outcomes(batch_id):
    return [row.outcome for row in rows_of(batch_id)]


def messages(batch_id):
    return [problem["message"] for row in rows_of(batch_id) for problem in row.problems or ()]


def count(model, *where):
    return db.session.scalar(select(func.count()).select_from(model).where(*where))


# --- the way of a file --------------------------------------------------------------------------------------------


def test_a_fresh_list_is_previewed_confirmed_and_stands_with_its_affiliations(app):
    lin = make_user("lin", "case_manager", name="林晓")
    rows = [
        ["2025年企业台账"],
        [*HEAD, "服务专员"],
        [QINGHE, code(1), "凤凰镇", "谭越", 200, date(2018, 6, 14), "林晓"],
        ["重庆盐泉食品有限公司", code(2), "巫溪县古路镇", None, 0, "2019.3.5", None],
    ]

    batch_id = bring({"企业": rows})
    assert batch(batch_id).state == "preview"
    assert count(Enterprise) == 0
    result = confirm(batch_id)

    found = {row.name: row for row in db.session.scalars(select(Enterprise))}
    standing = db.session.get(Standing, found[QINGHE].id)
    assert (batch(batch_id).state, batch(batch_id).change_set_id) == ("done", result["change_set"])
    assert found[QINGHE].capital == Decimal(2_000_000)
    assert found["重庆盐泉食品有限公司"].capital == 0
    assert found["重庆盐泉食品有限公司"].registered_on == date(2019, 3, 5)
    assert (standing.township_id, standing.manager_id) == (township("凤凰镇").id, lin.user_id)
    assert "qhsp" in db.session.get(SearchText, found[QINGHE].id).haystack


def test_a_batch_is_one_change_set_that_names_the_file_and_the_person(app):
    tan = make_user("tan", "bureau", name="谭越")

    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]}, viewer=tan)
    confirm(batch_id, viewer=tan)

    [written] = db.session.scalars(select(ChangeSet).where(ChangeSet.import_batch_id == batch_id))
    assert (written.who, written.door, written.reason) == ("谭越", "import", "导入 台账.xlsx")
    assert (written.request_key, written.region_id) == (f"import-{batch_id}", county().id)


def test_the_same_file_again_changes_nothing(app):
    content = workbook({"企业": [HEAD, [QINGHE, code(1), "凤凰镇", "谭越", 200, date(2018, 6, 14)]]})
    confirm(bring(content))

    batch_id = bring(content)

    assert outcomes(batch_id) == ["same"]
    with pytest.raises(imports.NothingToWrite, match="没有要写入的行"), unit_of_work():
        imports.confirm(batch_id, good_rows_only=True, ask=False, act=act())


def test_the_eight_outcomes_add_up_to_the_rows(app):
    county(OTHER)
    same = make_enterprise("巫溪县相同食品有限公司", code=code(1), contact_name="甲")
    changed = make_enterprise("巫溪县变更食品有限公司", code=code(2), contact_name="甲")
    make_enterprise("巫溪县冲突食品有限公司", code=code(3))
    batch_id = bring(
        {
            "企业": [
                ["企业名称", "统一社会信用代码", "乡镇", "联系人", "成立日期"],
                ["巫溪县新增食品有限公司", code(9), None, None, None],
                ["巫溪县变更食品有限公司", code(2), "古路镇", "乙", None],
                ["巫溪县相同食品有限公司", code(1), None, "甲", None],
                ["巫溪县冲突食品有限公司", code(8), None, "丙", None],
                ["巫溪县新增食品有限公司", code(9), None, None, None],
                ["云阳县某某食品有限公司", code(7), "云阳县", None, None],
                ["巫溪县错误食品有限公司", code(6), None, None, "1900-01-01"],
            ],
            "年度指标": [["企业名称", "年度", "从业人员"], ["巫溪县没有这家有限公司", 2025, 3]],
        }
    )

    assert outcomes(batch_id) == ["new", "changed", "same", "conflict", "duplicate", "not_ours", "error", "unmatched"]
    summary = batch(batch_id).summary
    assert sum(summary[outcome] for outcome in OUTCOMES) == summary["rows"] == 8
    assert imports.counts_of(batch_id) == dict.fromkeys(OUTCOMES, 1)
    rows = {row.outcome: row for row in rows_of(batch_id)}
    assert (rows["same"].enterprise_id, rows["changed"].enterprise_id) == (same, changed)
    assert rows["changed"].diff == {
        "enterprise.township": [None, township("古路镇").id],
        "enterprise.contact_name": ["甲", "乙"],
    }
    assert rows["conflict"].diff == {"enterprise.credit_code": [code(3), code(8)]}
    assert rows["not_ours"].enterprise_id is None


CLASH = {
    "企业": [[*HEAD[:2], "联系人"], ["巫溪县甲食品有限公司", code(8), "丙"], ["巫溪县乙食品有限公司", code(9), "丁"]],
    "年度指标": [["企业名称", "统一社会信用代码", "年度", "从业人员"], ["巫溪县甲食品有限公司", code(8), 2025, 30]],
}


def decide(batch_id, *said, viewer=None):
    asking = [row.id for row in rows_of(batch_id) if row.outcome == "conflict"]
    with unit_of_work():
        import_answers.decide_rows(batch_id, dict(zip(asking, said, strict=False)), act=act(viewer))
    work.preview(work.InProcess(), {"batch": batch_id})


def test_a_row_that_asks_is_decided_row_by_row_and_judged_again(app):
    first = make_enterprise("巫溪县甲食品有限公司", code=code(3))
    make_enterprise("巫溪县乙食品有限公司", code=code(4))
    batch_id = bring(CLASH)
    assert outcomes(batch_id) == ["conflict", "conflict", "error"]

    decide(batch_id, "file", "ours")

    rows = rows_of(batch_id)
    assert [row.outcome for row in rows] == ["changed", "changed", "new"]
    assert rows[0].diff == {"enterprise.credit_code": [code(3), code(8)], "enterprise.contact_name": [None, "丙"]}
    assert rows[1].diff == {"enterprise.contact_name": [None, "丁"]}
    confirm(batch_id)
    assert sorted(db.session.scalars(select(Enterprise.credit_code))) == sorted([code(4), code(8)])
    assert db.session.scalar(select(Figures.staff_count).where(Figures.enterprise_id == first)) == 30


def test_a_row_may_keep_the_librarys_code_and_its_figures_come_in_all_the_same(app):
    first = make_enterprise("巫溪县甲食品有限公司", code=code(3), contact_name="丙")
    batch_id = bring({"企业": CLASH["企业"][:2], "年度指标": CLASH["年度指标"]})

    decide(batch_id, "ours")
    confirm(batch_id)

    assert outcomes(batch_id) == ["same", "new"]
    assert db.session.get(Enterprise, first).credit_code == code(3)
    assert count(Figures, Figures.enterprise_id == first) == 1


def test_what_was_decided_once_is_kept_when_the_rest_is_decided(sqlite_app):
    make_enterprise("巫溪县甲食品有限公司", code=code(3))
    make_enterprise("巫溪县乙食品有限公司", code=code(4))
    batch_id = bring({"企业": CLASH["企业"]})

    decide(batch_id, "ours")
    left = outcomes(batch_id)
    decide(batch_id, "file")

    assert (left, outcomes(batch_id)) == (["changed", "conflict"], ["changed", "changed"])


@pytest.mark.parametrize("said", [{}, {1: "both"}, {999: "file"}], ids=["nothing", "no such side", "no such row"])
def test_a_decision_about_nothing_is_refused(sqlite_app, said):
    make_enterprise("巫溪县甲食品有限公司", code=code(3))
    batch_id = bring({"企业": CLASH["企业"][:2]})

    with pytest.raises(Refused, match="没有选用哪边的"), unit_of_work():
        import_answers.decide_rows(batch_id, said, act=act())

    assert (batch(batch_id).state, outcomes(batch_id)) == ("preview", ["conflict"])


HEADS = ["企业名称", "统一社会信用代码", "证书编号", "公告日期", "有效期至"]
LISTED = {"资格名单": [HEADS, [QINGHE, code(1), "GR202551000001", "2025-11-01", "2028-10-31"]]}


def answered(batch_id, *said):
    with unit_of_work():
        import_answers.answer(batch_id, dict(said), act=act())
    work.preview(work.InProcess(), {"batch": batch_id})


def test_a_list_that_does_not_say_which_title_asks_and_is_read_when_told(app):
    make_enterprise(QINGHE, code=code(1))
    batch_id = bring(LISTED)
    assert (outcomes(batch_id), [q["key"] for q in batch(batch_id).summary["questions"]]) == (
        [],
        ["qualification.kind"],
    )
    with pytest.raises(Refused), unit_of_work():
        imports.confirm(batch_id, good_rows_only=False, ask=False, act=act())

    answered(batch_id, (("资格名单", "qualification"), "高新技术企业"))
    confirm(batch_id)

    assert outcomes(batch_id) == ["new"]
    assert db.session.scalars(select(Qualification.kind)).all() == ["hnte"]


def test_figures_beside_a_list_of_firms_are_read_for_the_year_told(app):
    heads = ["企业名称", "统一社会信用代码", "乡镇", "营业收入（万元）", "研发费用（万元）"]
    batch_id = bring(
        {"企业台账": [heads, [QINGHE, code(1), "凤凰镇", 300, 12], ["巫溪县乙有限公司", code(2), None, None, None]]}
    )
    assert outcomes(batch_id) == ["new", "new"]

    answered(batch_id, (("企业台账", "figures"), "2025"))
    confirm(batch_id)

    assert outcomes(batch_id) == ["new", "new", "new"]
    [row] = db.session.scalars(select(Figures))
    assert (row.year, row.revenue) == (2025, Decimal(3_000_000))


def test_an_answer_that_cannot_be_is_refused_and_nothing_is_lost(sqlite_app):
    make_enterprise(QINGHE, code=code(1))
    batch_id = bring(LISTED)

    for said in ("五级企业", "  "):
        with pytest.raises(Refused), unit_of_work():
            import_answers.answer(batch_id, {("资格名单", "qualification"): said}, act=act())

    assert (batch(batch_id).state, batch(batch_id).summary["answers"]) == ("preview", [])


def test_a_doubtful_code_is_kept_with_the_file_as_its_reason(sqlite_app):
    confirm(bring({"企业": [HEAD[:2], [QINGHE, "915002990000000014"]]}))

    row = db.session.scalar(select(Enterprise))
    assert (row.credit_code, row.code_reason) == ("915002990000000014", "导入时照表里的存，未写理由")


def test_good_rows_only_writes_the_good_ones_and_all_or_nothing_writes_none(app):
    content = workbook({"企业": [HEAD, [QINGHE, code(1)], ["巫溪县错误食品有限公司", code(2), "不存在镇"]]})
    batch_id = bring(content)

    with pytest.raises(imports.RowsInTheWay, match="有 1 行写不进去"):
        confirm(batch_id)
    assert count(Enterprise) == 0
    confirm(batch_id, good_rows_only=True)

    assert [row.name for row in db.session.scalars(select(Enterprise))] == [QINGHE]


def test_rows_of_other_districts_do_not_stop_all_or_nothing(app):
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1), "凤凰镇"], ["云阳县某某食品有限公司", code(2), "云阳县江口镇"]]})

    confirm(batch_id)

    assert outcomes(batch_id) == ["new", "not_ours"]
    assert count(Enterprise) == 1


# --- whose row it is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "matched_by"),
    [
        ({"统一社会信用代码": code(1), "企业名称": "别的写法有限公司"}, "credit_code"),
        ({"原注册号": make_old_number(5), "企业名称": "别的写法有限公司"}, "old_number"),
        ({"企业名称": "巫溪县青禾食品有限责任公司"}, "name"),
        ({"企业名称": " 巫溪县 青禾食品有限责任公司"}, "name"),
        ({"企业名称": "巫溪县青禾烤鱼有限责任公司"}, "former_name"),
        ({"统一社会信用代码": make_old_number(5), "企业名称": QINGHE}, "old_number"),
    ],
    ids=["credit code", "old number", "name", "name with blanks", "former name", "15 digits in the code's column"],
)
def test_an_enterprise_is_found_by_code_old_number_and_exact_name_of_now_or_before(app, row, matched_by):
    make_enterprise(QINGHE, code=code(1), former_name="巫溪县青禾烤鱼有限责任公司", old_number=make_old_number(5))

    batch_id = bring({"企业": [[*row, "联系人"], [*row.values(), "谭越"]]})

    [found] = rows_of(batch_id)
    assert (found.outcome, found.matched_by) == ("changed", matched_by)


def test_a_similar_name_is_nobodys_before_a_person_says_whose(app):
    make_enterprise(QINGHE, code=code(1))

    batch_id = bring({"企业": [["企业名称", "联系人"], ["巫溪县青禾食品有限公司", "谭越"]]})

    assert outcomes(batch_id) == ["unmatched"]


def test_a_name_of_the_next_district_is_no_key_here(app):
    make_enterprise(QINGHE, code=code(1), region=county(OTHER))

    batch_id = bring({"企业": [["企业名称", "联系人"], [QINGHE, "谭越"]]})

    assert outcomes(batch_id) == ["new"]


def test_a_code_of_the_next_district_is_an_error_in_neutral_words(app):
    tan = make_user("tan", "bureau")
    make_enterprise("云台区秘密食品有限公司", code=code(1), region=county(OTHER))

    batch_id = bring({"企业": [["企业名称", "统一社会信用代码"], ["巫溪县不知情有限公司", code(1)]]}, viewer=tan)

    [row] = rows_of(batch_id)
    assert (row.outcome, row.enterprise_id, row.name) == ("error", None, "巫溪县不知情有限公司")
    assert messages(batch_id) == ["这一行不能写入：代码或名称可能有误，也可能不归你管。核对后再传，或交业务科室办理。"]


def test_a_colleagues_enterprise_is_not_changed_by_a_case_manager(app):
    lin, other = make_user("lin", "case_manager"), make_user("other", "case_manager")
    make_enterprise(QINGHE, code=code(1), manager=other.user_id)

    batch_id = bring({"企业": [["企业名称", "联系人"], [QINGHE, "谭越"], ["巫溪县新来食品有限公司", None]]}, viewer=lin)
    confirm(batch_id, good_rows_only=True, viewer=lin)

    assert outcomes(batch_id) == ["error", "new"]
    fresh = db.session.scalar(select(Enterprise).where(Enterprise.name == "巫溪县新来食品有限公司"))
    assert db.session.get(Standing, fresh.id).manager_id == lin.user_id


def test_a_withdrawn_enterprise_is_nobody(app):
    enterprise_id = make_enterprise(QINGHE, code=code(1))
    with unit_of_work():
        write([Update("enterprise", enterprise_id, {"deleted": True})], act=act(), action="test")

    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]})

    assert outcomes(batch_id) == ["new"]


def test_two_rows_of_one_enterprise_are_told_even_when_one_knows_only_the_name(app):
    make_enterprise(QINGHE, code=code(1))
    batch_id = bring(
        {
            "企业": [
                ["企业名称", "统一社会信用代码", "联系人"],
                [QINGHE, None, "甲"],
                ["巫溪县改过名食品有限公司", code(1), "乙"],
                ["巫溪县新增食品有限公司", code(2), "丙"],
                ["巫溪县新增食品有限公司", None, "丁"],
            ]
        }
    )

    assert outcomes(batch_id) == ["changed", "duplicate", "new", "duplicate"]
    assert messages(batch_id) == [
        "与第 2 行是同一家企业。留一行，删掉另一行。",
        "与第 4 行名称相同。留一行，删掉另一行。",
    ]


def test_two_codes_under_one_name_are_two_enterprises(app):
    batch_id = bring({"企业": [["企业名称", "统一社会信用代码"], [QINGHE, code(1)], [QINGHE, code(2)]]})

    assert outcomes(batch_id) == ["new", "new"]


def test_an_enterprise_without_code_gets_the_one_the_file_knows(app):
    enterprise_id = make_enterprise(QINGHE, code=None)

    confirm(bring({"企业": [["企业名称", "统一社会信用代码"], [QINGHE, code(1)]]}))

    assert db.session.get(Enterprise, enterprise_id).credit_code == code(1)


# --- what a cell says ---------------------------------------------------------------------------------------------


def test_a_blank_cell_leaves_the_value_and_a_typed_word_clears_it(app):
    enterprise_id = make_enterprise(QINGHE, code=code(1), contact_name="甲", address="一号路", township=township().id)

    confirm(
        bring({"企业": [["企业名称", "联系人", "地址", "乡镇"], [QINGHE, None, "清空", "清空"]]}),
    )

    row = db.session.get(Enterprise, enterprise_id)
    assert (row.contact_name, row.address) == ("甲", None)
    assert db.session.get(Standing, enterprise_id).township_id is None


def test_a_new_name_leaves_the_old_one_as_former_name(app):
    enterprise_id = make_enterprise(QINGHE, code=code(1))

    confirm(bring({"企业": [["企业名称", "统一社会信用代码"], ["重庆青禾食品集团有限公司", code(1)]]}))

    [alias] = db.session.scalars(select(EnterpriseAlias).where(EnterpriseAlias.enterprise_id == enterprise_id))
    assert (alias.kind, alias.value) == ("former_name", QINGHE)


def test_an_old_list_does_not_rename_an_enterprise_back(app):
    make_enterprise("重庆青禾食品集团有限公司", code=code(1), former_name=QINGHE)

    batch_id = bring({"企业": [["企业名称", "统一社会信用代码"], [QINGHE, code(1)]]})

    assert outcomes(batch_id) == ["same"]
    assert messages(batch_id) == [f"“{QINGHE}”是曾用名，现名是“重庆青禾食品集团有限公司”。名称没有改动。"]


def test_a_move_keeps_the_old_township_with_its_last_day(app):
    enterprise_id = make_enterprise(QINGHE, code=code(1), township=township("古路镇").id)

    confirm(bring({"企业": [["企业名称", "乡镇"], [QINGHE, "上磺镇"]]}))

    rows = list(db.session.scalars(select(Affiliation).where(Affiliation.enterprise_id == enterprise_id)))
    assert [(row.ref_id, row.ends_on) for row in rows] == [
        (township("古路镇").id, date(2026, 11, 22)),
        (township("上磺镇").id, None),
    ]


def test_a_doubtful_code_is_a_warning_and_is_kept(app):
    wrong = code(1)[:17] + ("0" if code(1)[17] != "0" else "1")

    batch_id = bring({"企业": [["企业名称", "统一社会信用代码"], [QINGHE, wrong]]})
    confirm(batch_id)

    [row] = rows_of(batch_id)
    assert (row.outcome, row.problems[0]["severity"], row.problems[0]["code"]) == ("new", "warning", "code_doubtful")
    assert db.session.scalar(select(Enterprise.credit_code)) == wrong


def test_an_unknown_case_manager_or_industry_leaves_the_cell_out_with_a_warning(app):
    head = ["企业名称", "服务专员", "特色产业"]
    batch_id = bring({"企业": [head, [QINGHE, "查无此人", "烤鱼"], ["巫溪县乙有限公司", None, "造飞船"]]})
    confirm(batch_id)

    assert outcomes(batch_id) == ["new", "new"]
    assert messages(batch_id) == [
        "没有叫“查无此人”的服务专员，这一格没有读入。先在“用户”里建好账号，再传一次就会带上。",
        "“造飞船”不在特色产业的名单里，这一格没有读入。照名单改，或先在“字典”里加上。",
    ]
    found = dict(db.session.execute(select(Enterprise.name, Enterprise.featured_industry)).all())
    assert found == {QINGHE: "grilled_fish", "巫溪县乙有限公司": None}


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("凤凰镇", "new"),
        ("凤凰", "new"),
        ("重庆市巫溪县凤凰镇", "new"),
        ("重庆市巫溪县上磺镇红岩村", "new"),
        ("宁河街道办", "new"),
        ("宁河街道办事处", "new"),
        ("上磺镇、凤凰镇", "error"),
        ("巫溪县", "new"),
        ("云阳县", "not_ours"),
        ("重庆市万州区", "not_ours"),
        ("石柱土家族自治县", "not_ours"),
        ("云顶街道", "not_ours"),
        ("凤皇镇", "error"),
        ("工业园区", "error"),
    ],
)
def test_the_area_column_says_whether_a_row_is_ours(app, word, outcome):
    county(OTHER)

    batch_id = bring({"企业": [["企业名称", "行政区域"], [QINGHE, word]]})

    assert outcomes(batch_id) == [outcome]


AREAS = (
    "区县",
    "所属区县",
    "所在区县",
    "区县名称",
    "县区",
    "所属区域",
    "行政区划",
    "辖区",
    "所在地区",
    "地区",
    "所属地",
    "区（县）",
)


@pytest.mark.parametrize("head", AREAS)
def test_a_district_column_says_whose_a_row_is(sqlite_app, head):
    batch_id = bring(
        {"名单": [["序号", "企业名称", head], [1, QINGHE, "巫溪县"], [2, "云阳县某某食品有限公司", "云阳县"]]},
        profile="generic",
    )

    assert outcomes(batch_id) == ["new", "not_ours"]


@pytest.mark.parametrize(
    ("word", "outcome", "said"),
    [
        ("重庆市", "new", []),
        (None, "new", []),
        ("重庆市云阳县江口镇", "not_ours", []),
        ("主城", "new", ["“主城”认不出是哪个区县，这一行按巫溪县读。"]),
    ],
)
def test_a_district_nobody_knows_is_told_and_the_row_stays_ours(sqlite_app, word, outcome, said):
    batch_id = bring({"名单": [["企业名称", "区县"], [QINGHE, word]]}, profile="generic")

    assert (outcomes(batch_id), messages(batch_id)) == ([outcome], said)


def test_a_district_column_with_our_townships_gives_the_township(sqlite_app):
    confirm(bring({"名单": [["企业名称", "所属区域"], [QINGHE, "凤凰镇"]]}, profile="generic"))

    assert db.session.scalar(select(Standing.township_id)) == township("凤凰镇").id


def test_rows_of_titles_and_figures_have_a_district_as_well(sqlite_app):
    make_enterprise(QINGHE, code=code(1))
    rows = [
        ["企业名称", "区县", "资格种类", "公告日期"],
        [QINGHE, "巫溪县", "高企", "2025-11-01"],
        ["云阳县某某食品有限公司", "云阳县", "高企", "2025-11-01"],
    ]

    assert outcomes(bring({"认定资格": rows})) == ["new", "not_ours"]


@pytest.mark.parametrize(
    ("head", "cells", "said"),
    [
        ("注册资本", [5_000_000, 30], ["表里没有写注册资本的单位，按万元读，这里是 500.0 亿元。"]),
        ("注册资本（元）", [5_000_000], []),
        ("注册资本", ["500万元", None], []),
    ],
    ids=["told once", "told by the head", "told by the cell"],
)
def test_a_unit_that_nobody_wrote_is_said(sqlite_app, head, cells, said):
    rows = [[f"巫溪县{n}号食品有限公司", code(n + 1), cell] for n, cell in enumerate(cells)]

    batch_id = bring({"企业": [["企业名称", "统一社会信用代码", head], *rows]})

    assert [message.split("不对就")[0] for message in messages(batch_id)] == said
    assert set(outcomes(batch_id)) == {"new"}


def test_a_township_is_found_in_the_ways_offices_write_it(app):
    written = ("宁河街道办", "宁河街道办事处", "重庆市巫溪县上磺镇红岩村", "上磺镇新区村3社")
    batch_id = bring(
        {"企业": [["企业名称", "乡镇"], *([f"巫溪县{n}号有限公司", word] for n, word in enumerate(written))]}
    )

    confirm(batch_id)

    ids = list(db.session.scalars(select(Standing.township_id).order_by(Standing.enterprise_id)))
    assert ids == [township(name).id for name in ("宁河街道", "宁河街道", "上磺镇", "上磺镇")]


def test_a_title_said_twice_in_a_file_is_told_the_row_of_the_first(app):
    make_enterprise(QINGHE)
    head = ["企业名称", "资格种类", "编号", "有效期起", "有效期止"]
    first = [QINGHE, "高企", "GR202451100001", "2024-11-28", "2027-11-27"]

    batch_id = bring({"资格": [head, first, [QINGHE, "高企", None, *first[3:]]]})

    assert outcomes(batch_id) == ["new", "error"]
    assert messages(batch_id) == ["与第 2 行是同一条高企认定结果。留一行，删掉另一行。"]


# --- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "cell", "sentence"),
    [
        ("统一社会信用代码", 915002380000000000.0, "首尾几位可能已经丢失。把这一列设成文本格式，照原件重填。"),
        ("成立日期", "1900-01-01", "早于 1949-10-01，多半是把数字或空格当成了日期。改成真实的日期，或留空表示不知道。"),
        ("成立日期", "2099-01-01", "晚于 2038-12-31，多半是“长期”的写法或年份打错。改成真实的日期，没有期限就留空。"),
        ("成立日期", "2027-01-01", "成立日期 2027-01-01 在今天之后。核对年份。"),
        ("企业名称", "长" * 300, "企业名称有 300 个字，最多 120 个字。改短后再填。"),
        ("乡镇", "不存在镇", "“不存在镇”不是巫溪县的乡镇（街道）。照模板下拉里的名称改，或留空表示不知道。"),
    ],
    ids=["a code typed as a number", "1900", "2099", "a day to come", "a name of 300 characters", "no such township"],
)
def test_a_bad_cell_is_named_with_its_place_and_what_to_do(app, head, cell, sentence):
    heads, cells = [head], [cell]
    if head != "企业名称":
        heads, cells = ["企业名称", head], [QINGHE, cell]

    batch_id = bring({"企业": [["台账"], [*heads, "联系人"], [*cells, "谭越"]]})

    [row] = rows_of(batch_id)
    [problem] = row.problems
    assert row.outcome == "error"
    assert problem["message"].endswith(sentence)
    assert (problem["sheet"], problem["row"], problem["column"]) == ("企业", 3, head)
    assert set(problem) >= {"sheet", "row", "column", "value", "code", "message", "severity"}


def test_a_negative_head_count_and_a_year_to_come_are_told_together(app):
    make_enterprise(QINGHE, code=code(1))

    batch_id = bring({"年度指标": [["企业名称", "年度", "从业人员", "研发费用（万元）"], [QINGHE, 2027, -3, -12]]})

    assert outcomes(batch_id) == ["error"]
    assert sorted(messages(batch_id)) == sorted(
        [
            "“-3”是负数，从业人员不会小于 0。改成整数，或留空表示不知道。",
            "“-12”是负数，研发费用（会计口径）不会小于 0。改成数字，或留空表示不知道。",
            "年度 2027 不在 2000 到 2026 之间。核对后改正。",
        ]
    )


def test_every_problem_of_every_row_is_told_at_once(app):
    batch_id = bring(
        {"企业": [HEAD, [QINGHE, "123", "不存在镇", None, "很多", "昨天"], [None, None, "凤凰镇", None, None, None]]}
    )

    assert [problem["column"] for row in rows_of(batch_id) for problem in row.problems] == [
        "统一社会信用代码",
        "注册资本（万元）",
        "成立日期",
        "乡镇",
        "统一社会信用代码",
    ]


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "空.xlsx", "这份文件是空的，一个字节也没有。重新导出或另存后再传。"),
        (b"%PDF-1.7 ...", "公告.xlsx", A_PDF),
        (b"PK\x03\x04broken", "坏.xlsx", "这份文件不完整或已损坏，打不开。重新下载，或在 Excel 里另存一次再传。"),
    ],
    ids=["no bytes", "no spreadsheet", "a broken workbook"],
)
def test_a_file_that_cannot_be_read_ends_the_batch_with_a_sentence(app, content, name, sentence):
    batch_id = bring(content, name=name)

    assert (batch(batch_id).state, batch(batch_id).message) == ("refused", sentence)


def test_a_list_without_header_or_without_keys_says_so(app):
    nothing = bring({"表一": [["甲", "乙"], ["丙", "丁"]]})
    no_key = bring({"表一": [["联系人", "联系电话", "乡镇"], ["谭越", "13800000000", "凤凰镇"]]})

    assert [batch(nothing).state, batch(no_key).state] == ["refused", "refused"]
    assert batch(nothing).message.startswith("工作表“表一”里找不到表头。")
    assert batch(no_key).message.startswith("工作表“表一”的表头里没有“企业名称”或“统一社会信用代码”")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_comes_in_whatever_its_encoding(app, encoding):
    batch_id = bring(csv(f"企业名称,统一社会信用代码,乡镇\r\n{QINGHE},{code(1)},凤凰镇\r\n", encoding), name="名单.csv")

    assert outcomes(batch_id) == ["new"]


# --- titles, figures, logs ----------------------------------------------------------------------------------------

TITLE_HEAD = ["企业名称", "资格种类", "编号", "公告日期", "有效期起", "有效期止"]


def test_titles_figures_and_logs_may_be_about_enterprises_of_the_same_file(app):
    lin = make_user("lin", "case_manager", name="林晓")
    batch_id = bring(
        {
            "服务记录": [
                ["企业名称", "日期", "方式", "内容", "记录人", "下一步", "下一步期限"],
                [QINGHE, date(2024, 5, 6), "走访", "看了车间", "林晓", "送清单", date(2026, 12, 1)],
                ["重庆盐泉食品有限公司", date(2024, 5, 6), "走访", "看了车间", "林晓", "送清单", date(2026, 12, 1)],
                [QINGHE, date(2024, 6, 1), "电话", "问了研发", "老周", None, None],
            ],
            "认定资格": [TITLE_HEAD, [QINGHE, "高企", "GR202450000001", None, date(2024, 11, 28), date(2027, 11, 27)]],
            "年度指标": [["统一社会信用代码", "年度", "营业收入（万元）", "从业人员"], [code(1), 2025, 1234.5, 0]],
            "企业": [HEAD, [QINGHE, code(1), "凤凰镇"], ["重庆盐泉食品有限公司", code(2)]],
        }
    )
    assert outcomes(batch_id) == ["new"] * 7
    confirm(batch_id)

    first, second = db.session.scalars(select(Enterprise.id).order_by(Enterprise.id))
    [title] = qualifications_of(first)
    [figures] = figures_of(first)
    assert (title.kind, title.valid_to) == ("hnte", date(2027, 11, 27))
    assert db.session.get(Standing, first).rung == 3
    assert (figures.revenue, figures.staff_count) == (Decimal(12_345_000), 0)
    assert [(log.happened_on, log.author_name, log.author_id, log.imported) for log in logs_of(first)] == [
        (date(2024, 6, 1), "老周", None, True),
        (date(2024, 5, 6), "林晓", lin.user_id, True),
    ]
    assert (count(ServiceLog), count(ServiceLogEnterprise)) == (2, 3)
    assert [log.id for log in logs_of(second)] == [logs_of(first)[1].id]


def test_rows_about_an_enterprise_whose_own_row_is_wrong_say_which(app):
    batch_id = bring(
        {
            "企业": [HEAD, [QINGHE, code(1), "不存在镇"]],
            "年度指标": [["企业名称", "年度", "从业人员"], [QINGHE, 2025, 3]],
        }
    )

    assert outcomes(batch_id) == ["error", "error"]
    assert messages(batch_id)[1] == "这家企业在企业表第 2 行，那一行不会写入。先改好那一行。"


def test_a_title_recorded_already_is_the_same_and_blanks_of_it_are_filled_in(app):
    make_enterprise(QINGHE, code=code(1), titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))])
    row = [QINGHE, "高企", None, None, date(2024, 11, 28), date(2027, 11, 27)]

    same = bring({"认定资格": [TITLE_HEAD, row]})
    filled = bring({"认定资格": [TITLE_HEAD, [QINGHE, "高企", "GR202450000001", None, date(2024, 11, 28), None]]})
    confirm(filled)

    assert (outcomes(same), outcomes(filled)) == (["same"], ["changed"])
    [title] = db.session.scalars(select(Qualification))
    assert (title.number, title.superseded_at) == ("GR202450000001", None)


def test_a_title_with_another_end_is_a_correction_that_keeps_the_old_fact(app):
    enterprise_id = make_enterprise(QINGHE, code=code(1), titles=[("hnte", date(2024, 11, 28), date(2026, 11, 27))])

    batch_id = bring({"认定资格": [TITLE_HEAD, [QINGHE, "高企", None, None, date(2024, 11, 28), date(2027, 11, 27)]]})
    confirm(batch_id)

    old, new = qualifications_of(enterprise_id, superseded=True)
    assert (old.valid_to, old.superseded_by_id) == (date(2026, 11, 27), new.id)
    assert (new.valid_to, new.superseded_at) == (date(2027, 11, 27), None)


def test_overlapping_titles_of_one_kind_are_an_error_with_a_sentence(app):
    make_enterprise(QINGHE, code=code(1), titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))])

    batch_id = bring(
        {
            "认定资格": [
                TITLE_HEAD,
                [QINGHE, "高企", None, None, date(2025, 6, 1), date(2028, 5, 31)],
                [QINGHE, "专精特新", None, None, date(2024, 1, 1), date(2026, 12, 31)],
                [QINGHE, "专精特新", None, None, date(2025, 1, 1), date(2027, 12, 31)],
            ]
        }
    )

    assert outcomes(batch_id) == ["error", "new", "error"]
    assert messages(batch_id) == [
        "与已登记的高企（2024-11-28 至 2027-11-27）重叠。是同一个资格就更正那一条，不是就改正日期。",
        "与第 3 行的专精特新（2024-01-01 至 2026-12-31）重叠。是同一个资格就合成一行，不是就改正日期。",
    ]


def test_a_title_that_ends_before_it_begins_is_an_error_with_a_sentence(app):
    make_enterprise(QINGHE, code=code(1))

    batch_id = bring({"认定资格": [TITLE_HEAD, [QINGHE, "高企", None, None, date(2024, 11, 28), date(2023, 11, 27)]]})

    assert outcomes(batch_id) == ["error"]
    assert messages(batch_id) == ["有效期止 2023-11-27 早于有效期起 2024-11-28，改正其中一个。"]


def test_the_same_title_twice_in_the_file_is_a_duplicate(app):
    make_enterprise(QINGHE, code=code(1))
    row = [QINGHE, "高企", "GR202450000001", None, date(2024, 11, 28), None]

    batch_id = bring({"认定资格": [TITLE_HEAD, row, row]})

    assert outcomes(batch_id) == ["new", "duplicate"]


def test_a_department_brings_its_own_titles_and_no_others(app):
    unit = make_user("jxw", "unit", name="经信委")
    make_enterprise(QINGHE, code=code(1))

    batch_id = bring(
        {
            "企业": [["企业名称", "联系人"], [QINGHE, "谭越"], ["巫溪县新增食品有限公司", None]],
            "认定资格": [
                ["企业名称", "资格种类", "公告日期"],
                [QINGHE, "专精特新", date(2025, 1, 6)],
                [QINGHE, "高企", date(2025, 1, 6)],
            ],
        },
        viewer=unit,
    )

    assert outcomes(batch_id) == ["error", "error", "new", "error"]


def test_figures_of_a_year_are_updated_by_enterprise_and_year(app):
    enterprise_id = make_enterprise(QINGHE, code=code(1))
    head = ["企业名称", "年度", "从业人员", "营业收入（万元）"]
    confirm(bring({"年度指标": [head, [QINGHE, 2024, 10, 100], [QINGHE, 2025, 12, None]]}))

    batch_id = bring({"年度指标": [head, [QINGHE, 2025, 14, 110], [QINGHE, 2024, 10, None], [QINGHE, 2025, 14, 110]]})
    confirm(batch_id, good_rows_only=True)

    assert outcomes(batch_id) == ["changed", "same", "duplicate"]
    assert [(row.year, row.staff_count, row.revenue) for row in figures_of(enterprise_id)] == [
        (2024, 10, Decimal(1_000_000)),
        (2025, 14, Decimal(1_100_000)),
    ]


def test_a_log_of_the_same_day_and_text_is_the_same(app):
    enterprise_id = make_enterprise(QINGHE, code=code(1))
    with unit_of_work():
        log_service([enterprise_id], {"happened_on": date(2024, 5, 6), "kind": "visit", "text": "看了车间"}, act=act())

    batch_id = bring(
        {
            "服务记录": [
                ["企业名称", "日期", "方式", "内容"],
                [QINGHE, date(2024, 5, 6), "走访", "看了车间"],
                [QINGHE, date(2024, 5, 7), "走访", "看了车间"],
                [QINGHE, date(2026, 12, 7), "走访", "还没去"],
            ]
        }
    )

    assert outcomes(batch_id) == ["same", "new", "error"]


# --- full lists ---------------------------------------------------------------------------------------------------


def test_a_full_list_names_whom_it_lacks_and_an_ordinary_one_does_not(app):
    make_enterprise(QINGHE, code=code(1))
    make_enterprise("巫溪县多余食品有限公司", code=code(2))
    make_enterprise("云台区别处食品有限公司", code=code(3), region=county(OTHER))
    content = workbook({"企业": [HEAD, [QINGHE, code(1)]]})

    full, plain = bring(content, full_list=True), bring(content)

    [lacking] = batch(full).summary["missing"]
    assert (lacking["credit_code"], lacking["name"]) == (code(2), "巫溪县多余食品有限公司")
    assert lacking["check"] == "left_out"
    assert batch(plain).summary["missing"] is None


# --- confirming ---------------------------------------------------------------------------------------------------


def test_a_batch_that_would_do_something_else_by_now_stops_and_asks_for_a_new_preview(app):
    enterprise_id = make_enterprise(QINGHE, code=code(1), contact_name="甲")
    batch_id = bring({"企业": [["企业名称", "联系人"], [QINGHE, "乙"]]})
    with unit_of_work():
        edit_enterprise(enterprise_id, {"contact_name": "丙"}, version=1, act=act())

    result = confirm(batch_id)

    assert (batch(batch_id).state, batch(batch_id).message) == ("preview", imports.STALE)
    assert result["refused"] == imports.STALE
    assert db.session.get(Enterprise, enterprise_id).contact_name == "丙"
    with pytest.raises(imports.PreviewStale), unit_of_work():
        imports.confirm(batch_id, good_rows_only=False, ask=False, act=act())

    with unit_of_work():
        imports.ask_again(batch_id, act=act())
    work.preview(work.InProcess(), {"batch": batch_id})
    assert rows_of(batch_id)[0].diff == {"enterprise.contact_name": ["丙", "乙"]}
    confirm(batch_id)
    assert db.session.get(Enterprise, enterprise_id).contact_name == "乙"


def test_an_edit_elsewhere_in_the_library_does_not_stop_a_batch(app):
    other = make_enterprise("巫溪县另外食品有限公司", code=code(2))
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]})
    with unit_of_work():
        edit_enterprise(other, {"contact_name": "丙"}, version=1, act=act())

    confirm(batch_id)

    assert batch(batch_id).state == "done"


def test_a_batch_is_judged_again_when_somebody_saves_between_judging_and_writing(app, monkeypatch):
    enterprise_id = make_enterprise(QINGHE, code=code(1), contact_name="甲")
    batch_id = bring({"企业": [["企业名称", "联系人"], [QINGHE, "乙"]]})
    judged = []
    real = import_reading.judge_source

    def judge_and_save(source, its_act, **more):
        answer = real(source, its_act, **more)
        if not judged:
            with unit_of_work():
                edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, act=act())
        judged.append(answer)
        return answer

    monkeypatch.setattr(import_reading, "judge_source", judge_and_save)
    confirm(batch_id)

    row = db.session.get(Enterprise, enterprise_id)
    assert len(judged) == 2
    assert (row.contact_name, row.address) == ("乙", "二号路")


def test_a_confirmed_batch_is_confirmed_once(app):
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]})
    confirm(batch_id)

    again = work.commit(work.InProcess(), {"batch": batch_id})

    assert again["already"] is True
    assert count(ChangeSet, ChangeSet.import_batch_id == batch_id) == 1
    with pytest.raises(Refused, match="已经处理过"), unit_of_work():
        imports.confirm(batch_id, good_rows_only=True, ask=False, act=act())


def test_an_upload_pressed_twice_is_one_batch_and_a_confirmation_one_job(app):
    viewer = make_user("tan", "bureau")
    kept = file_store.keep(workbook({"企业": [["企业名称", "联系人"], ["巫溪县甲食品有限公司", "谭越"]]}))

    def pressed(key: str) -> int:
        with unit_of_work():
            its_act = act(viewer, request_key=key)
            return imports.start_import(kept, name="台账.xlsx", region_id=county().id, act=its_act)

    first, again, another = pressed("k-1"), pressed("k-1"), pressed("k-2")
    work.preview(work.InProcess(), {"batch": first})
    for _ in range(2):
        with unit_of_work():
            imports.confirm(first, good_rows_only=False, act=act(viewer, request_key="k-3"))

    kinds = list(db.session.scalars(select(Job.kind).order_by(Job.id)))
    assert (again, another) == (first, first + 1)
    assert kinds == ["import_preview", "import_preview", "import_commit"]


def test_a_key_of_somebody_else_brings_nobody_to_a_foreign_batch(app):
    kept = file_store.keep(workbook({"企业": [["企业名称"], ["巫溪县甲食品有限公司"]]}))
    batches = []
    for login in ("tan", "lin"):
        its_act = act(make_user(login, "bureau"), request_key="k-1")
        with unit_of_work():
            batches.append(imports.start_import(kept, name="台账.xlsx", region_id=county().id, act=its_act))

    assert batches[0] != batches[1]


def test_after_a_crash_the_history_says_whether_a_batch_was_written(app):
    written, lost = (bring({"企业": [HEAD, [f"巫溪县第{n}食品有限公司", code(n)]]}) for n in (1, 2))
    confirm(written)
    with unit_of_work() as session:
        for batch_id in (written, lost):
            # As a worker leaves it that was killed between writing and saying so, and before writing.
            found = session.get(ImportBatch, batch_id)
            found.state, found.change_set_id = "committing", None

    for batch_id in (written, lost):
        work.commit(work.InProcess(), {"batch": batch_id})

    assert [batch(written).state, batch(lost).state] == ["done", "done"]
    assert count(Enterprise) == 2
    assert count(ChangeSet, ChangeSet.action == "import") == 2


def test_a_preview_left_by_a_dead_worker_is_read_again(app):
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]}, run=False)
    with unit_of_work() as session:
        session.get(ImportBatch, batch_id).state = "reading"

    work.preview(work.InProcess(), {"batch": batch_id})
    work.preview(work.InProcess(), {"batch": batch_id})

    assert (batch(batch_id).state, len(rows_of(batch_id))) == ("preview", 1)


def test_a_fault_while_writing_leaves_nothing_and_the_batch_can_be_confirmed_again(app, monkeypatch):
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]})
    broken = monkeypatch.context()
    with broken as patch, pytest.raises(OSError, match="disk"):
        patch.setattr(imports, "mark_done", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
        confirm(batch_id)
    assert (batch(batch_id).state, count(Enterprise), count(Change, Change.noun == "enterprise")) == ("preview", 0, 0)

    confirm(batch_id)

    assert (batch(batch_id).state, count(Enterprise)) == ("done", 1)


def test_a_cancelled_preview_leaves_the_batch_cancelled(app):
    class Impatient(work.InProcess):
        def step(self, done, total=None):
            raise work.Cancelled

    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]}, run=False)

    with pytest.raises(work.Cancelled):
        work.preview(Impatient(), {"batch": batch_id})

    assert (batch(batch_id).state, count(ImportRow)) == ("cancelled", 0)


def test_a_batch_given_up_while_it_waits_is_never_read(app):
    kept = file_store.keep(workbook({"企业": [HEAD, [QINGHE, code(1)]]}))
    with unit_of_work():
        batch_id = imports.start_import(kept, name="台账.xlsx", region_id=county().id, act=act())
    with unit_of_work():
        imports.abandon(batch_id, act=act())

    result = work.preview(work.InProcess(), {"batch": batch_id})

    assert (batch(batch_id).state, result.get("skipped")) == ("cancelled", True)
    assert db.session.scalar(select(Job.state)) == "cancelled"


def confirmed_job(content) -> tuple[int, int]:
    """A batch that somebody confirmed, and the job that is to write it."""
    batch_id = bring(content)
    with unit_of_work():
        imports.confirm(batch_id, good_rows_only=False, act=act())
    return batch_id, batch(batch_id).job_id


def test_a_batch_given_up_just_before_it_is_written_is_not_written(app, monkeypatch):
    batch_id, job_id = confirmed_job({"企业": [HEAD, [QINGHE, code(1)]]})
    asked = []

    def judge_and_be_asked_to_stop(*args, **more):
        judgement = judge(*args, **more)
        with unit_of_work():
            asked.append(imports.abandon(batch_id, act=act()))
        return judgement

    judge = import_reading.judge_source
    monkeypatch.setattr(import_reading, "judge_source", judge_and_be_asked_to_stop)

    assert run(job_id) == "cancelled"
    assert asked == [False]
    assert (batch(batch_id).state, count(Enterprise), count(Change, Change.noun == "enterprise")) == ("cancelled", 0, 0)


@pytest.mark.parametrize(("confirmed", "state"), [(False, "cancelled"), (True, "preview")])
def test_a_batch_whose_waiting_job_is_cancelled_waits_for_nothing(app, confirmed, state):
    content = {"企业": [HEAD, [QINGHE, code(1)]]}
    if confirmed:
        batch_id, job_id = confirmed_job(content)
    else:
        kept = file_store.keep(workbook(content))
        with unit_of_work():
            batch_id = imports.start_import(kept, name="台账.xlsx", region_id=county().id, act=act())
        job_id = batch(batch_id).job_id

    with unit_of_work():
        cancel(job_id, act())

    assert (batch(batch_id).state, run(job_id), count(Enterprise)) == (state, None, 0)


# --- rights -------------------------------------------------------------------------------------------------------


def test_a_township_officer_may_not_import(app):
    town = make_user("town", "township", region=township())

    with pytest.raises(NotAllowed):
        bring({"企业": [HEAD, [QINGHE, code(1)]]}, viewer=town)


def test_a_batch_is_seen_by_its_owner_and_the_office_of_its_region_only(app):
    lin, colleague = make_user("lin", "case_manager"), make_user("colleague", "case_manager")
    tan, stranger = make_user("tan", "bureau"), make_user("stranger", "bureau", region=county(OTHER))
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]}, viewer=lin)

    assert imports.own_batch(batch_id, lin).id == imports.own_batch(batch_id, tan).id == batch_id
    for viewer in (colleague, stranger):
        with pytest.raises(NotFound):
            imports.own_batch(batch_id, viewer)


# --- taking it back -----------------------------------------------------------------------------------------------


def test_undo_restores_overwritten_values_and_withdraws_what_came(app):
    enterprise_id = make_enterprise(QINGHE, code=code(1), contact_name="甲", township=township("古路镇").id)
    batch_id = bring(
        {"企业": [["企业名称", "联系人", "乡镇"], [QINGHE, "乙", "上磺镇"], ["巫溪县新来食品有限公司", "丙", "凤凰镇"]]}
    )
    confirm(batch_id)

    undo_batch(batch_id)

    row = db.session.get(Enterprise, enterprise_id)
    assert (row.contact_name, db.session.get(Standing, enterprise_id).township_id) == ("甲", township("古路镇").id)
    assert count(Enterprise, ~Enterprise.deleted) == count(Standing) == 1
    assert batch(batch_id).state == "undone"
    with pytest.raises(Refused, match="已经撤销过"):
        undo_batch(batch_id)


def test_undo_keeps_what_was_edited_since_and_names_who_did(app):
    tan = make_user("tan", "bureau", name="谭越")
    enterprise_id = make_enterprise(QINGHE, code=code(1), contact_name="甲", address="一号路")
    batch_id = bring(
        {"企业": [["企业名称", "联系人", "地址"], [QINGHE, "乙", "二号路"], ["巫溪县新来食品有限公司", "丙", "三号路"]]}
    )
    confirm(batch_id)
    fresh = db.session.scalar(select(Enterprise.id).where(Enterprise.name == "巫溪县新来食品有限公司"))
    with unit_of_work():
        edit_enterprise(enterprise_id, {"contact_name": "丁"}, version=2, act=act(tan))
    with unit_of_work():
        record_qualification(fresh, {"kind": "cq_tech", "announced_on": date(2026, 1, 5)}, act=act(tan))

    plan = import_undo.preview_undo(batch_id, viewer=tan)
    said = import_undo.kept_words(plan.kept)
    result = undo_batch(batch_id, viewer=tan)

    row = db.session.get(Enterprise, enterprise_id)
    assert (row.contact_name, row.address) == ("丁", "一号路")
    assert db.session.get(Enterprise, fresh).deleted is False
    assert sorted(said) == sorted(
        [
            (QINGHE, "联系人：导入后谭越改过，保留后来的值"),
            ("巫溪县新来食品有限公司", "导入后谭越在它下面登记过内容，保留"),
        ]
    )
    assert len(result.kept) == 2


def test_an_undone_batch_can_be_brought_back_by_undoing_the_undo(app):
    figures = [["企业名称", "年度", "从业人员"], [QINGHE, 2025, 3]]
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1), "凤凰镇"]], "年度指标": figures})
    confirm(batch_id)
    undone = undo_batch(batch_id)
    assert count(Figures, ~Figures.deleted) == 0

    with unit_of_work():
        undo(undone.written.change_set_id, act=act())

    assert batch(batch_id).state == "done"
    assert (count(Enterprise, ~Enterprise.deleted), count(Figures, ~Figures.deleted), count(Standing)) == (1, 1, 1)


def test_an_undo_worked_out_before_somebody_saved_is_worked_out_again(app):
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]})
    confirm(batch_id)
    ready = import_undo.prepare_undo(batch_id, act=act())
    enterprise_id = db.session.scalar(select(Enterprise.id))
    with unit_of_work():
        edit_enterprise(enterprise_id, {"contact_name": "丁"}, version=1, act=act())

    with unit_of_work():
        answer = import_undo.undo_import(batch_id, ready, act=act())

    assert answer is None
    assert db.session.get(Enterprise, enterprise_id).deleted is False


def test_a_batch_that_was_not_written_cannot_be_undone(app):
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]})

    with pytest.raises(Refused, match="没有写入过"):
        import_undo.preview_undo(batch_id, viewer=act().viewer)


def test_the_moment_of_the_tests_is_the_day_of_the_batch(app):
    batch_id = bring({"企业": [HEAD, [QINGHE, code(1)]]})

    assert batch(batch_id).effective_on == TODAY
    assert batch(batch_id).created_at == datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_projections_made_before_the_write_are_those_computed_after_it(app):
    lin = make_user("lin", "case_manager", name="林晓")
    make_enterprise(
        QINGHE, code=code(1), township=township("古路镇").id, titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))]
    )
    make_enterprise("巫溪县旧名食品有限公司", code=code(2))
    batch_id = bring(
        {
            "企业": [
                ["企业名称", "统一社会信用代码", "乡镇", "服务专员", "规上"],
                [QINGHE, code(1), "上磺镇", "林晓", "是"],
                ["巫溪县新名食品有限公司", code(2), None, None, None],
                ["巫溪县新来食品有限公司", code(3), "凤凰镇", None, "否"],
            ],
            "认定资格": [TITLE_HEAD, ["巫溪县新来食品有限公司", "市库科技型", None, date(2025, 5, 1), None, None]],
            "服务记录": [
                ["企业名称", "日期", "方式", "内容", "下一步", "下一步期限"],
                [QINGHE, date(2026, 11, 1), "走访", "看了车间", "送清单", date(2026, 12, 1)],
            ],
        }
    )

    def differences():
        db.session.rollback()
        ids = projections.all_ids()
        made = projections.compute(ids, at=datetime.now(UTC))
        made["search_text"] = projections.search_rows(ids)
        tables = {"standing": Standing, "spell": Spell, "obligation": Obligation, "search_text": SearchText}
        for name, model in tables.items():
            names = [column for column in made[name][0] if column not in ("computed_on", "steps")] if made[name] else []
            stored = {tuple(getattr(row, n) for n in names) for row in db.session.scalars(select(model))}
            yield name, stored ^ {tuple(row[n] for n in names) for row in made[name]}

    confirm(batch_id)
    assert dict(differences()) == {"standing": set(), "spell": set(), "obligation": set(), "search_text": set()}
    assert db.session.scalar(select(func.count()).select_from(Standing).where(Standing.manager_id == lin.user_id)) == 1

    undo_batch(batch_id)
    assert dict(differences()) == {"standing": set(), "spell": set(), "obligation": set(), "search_text": set()}


def test_an_encrypted_workbook_is_refused_with_what_to_do(app, tmp_path):
    batch_id = bring(ole(tmp_path / "e.xlsx", "EncryptedPackage", b"secret" * 2000).read_bytes())

    assert batch(batch_id).message == "这份文件有密码，打不开。在 Excel 里去掉密码再传。"
