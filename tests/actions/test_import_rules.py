"""Who wins where a cell of a file differs: file, library or a person, as the rule of its column in the profile says."""

import pytest
from sqlalchemy import select

from crm.actions import import_answers, import_reading
from crm.actions.import_rows import KEEP_OURS, USE_FILE
from crm.domain.codes import make_code
from crm.extensions import db
from crm.jobs import imports as work
from crm.sheets.profiles import load_profile, read_profile
from crm.sheets.refusals import ProfileInvalid
from crm.store.enterprises import Enterprise
from crm.store.figures import Figures
from crm.store.imports import rows_of
from crm.store.unit_of_work import unit_of_work
from tests.actions.test_imports import bring, confirm
from tests.builders import act, make_enterprise

QINGHE = "巫溪县青禾食品有限责任公司"
HEAD = ["企业名称", "统一社会信用代码", "联系人", "联系电话", "地址"]
PROFILE = """
code = "asking"
title = "会问的"
[[sheet]]
noun = "enterprise"
name = "企业"
key = ["enterprise.credit_code", "enterprise.name"]
column = [
    { field = "enterprise.name" },
    { field = "enterprise.credit_code" },
    { field = "enterprise.contact_name", wins = "ask" },
    { field = "enterprise.contact_phone", wins = "ours" },
    { field = "enterprise.address", wins = "file" },
]
[[sheet]]
noun = "figures"
name = "年度指标"
key = ["enterprise.credit_code", "enterprise.name"]
also_key = ["figures.year"]
money_unit = "万元"
column = [
    { field = "enterprise.name" },
    { field = "enterprise.credit_code" },
    { field = "figures.year" },
    { field = "figures.revenue", wins = "ask" },
    { field = "figures.staff_count", wins = "ours" },
]
"""


@pytest.fixture
def asking(sqlite_app, monkeypatch):
    monkeypatch.setattr(import_reading, "load_profile", lambda code: read_profile(PROFILE))


def decide(batch_id, said):
    with unit_of_work():
        import_answers.decide_rows(batch_id, {row.id: said for row in rows_of(batch_id)}, act=act())
    work.preview(work.InProcess(), {"batch": batch_id})


def brought():
    make_enterprise(QINGHE, code=make_code(1), contact_name="甲", contact_phone="111", address="旧址")
    return bring({"企业": [HEAD, [QINGHE, make_code(1), "乙", "222", "新址"]]}, profile="asking")


def test_a_cell_that_differs_in_a_column_that_asks_makes_the_row_a_conflict(asking):
    [row] = rows_of(brought())

    assert (row.outcome, row.diff["enterprise.contact_name"]) == ("conflict", ["甲", "乙"])
    assert [(problem["column"], problem["letter"], problem["code"]) for problem in row.problems] == [
        ("联系人", "C", "differs")
    ]


@pytest.mark.parametrize(("said", "contact"), [(USE_FILE, "乙"), (KEEP_OURS, "甲")])
def test_the_decision_holds_for_the_cells_that_ask_and_the_rules_for_the_others(asking, said, contact):
    batch_id = brought()

    decide(batch_id, said)

    confirm(batch_id)
    firm = db.session.scalar(select(Enterprise))
    assert (firm.contact_name, firm.contact_phone, firm.address) == (contact, "111", "新址")


def test_what_the_library_leaves_blank_is_filled_whatever_the_rule(asking):
    make_enterprise(QINGHE, code=make_code(1))

    batch_id = bring({"企业": [HEAD, [QINGHE, make_code(1), "乙", "222", None]]}, profile="asking")

    [row] = rows_of(batch_id)
    assert (row.outcome, row.diff) == (
        "changed",
        {"enterprise.contact_name": [None, "乙"], "enterprise.contact_phone": [None, "222"]},
    )


def test_a_row_that_differs_only_where_the_library_wins_is_the_same(asking):
    make_enterprise(QINGHE, code=make_code(1), contact_phone="111")

    batch_id = bring({"企业": [HEAD, [QINGHE, make_code(1), None, "222", None]]}, profile="asking")

    assert [row.outcome for row in rows_of(batch_id)] == ["same"]


def test_figures_follow_the_rules_of_their_columns(asking):
    make_enterprise(QINGHE, code=make_code(1))
    head = ["企业名称", "年度", "营业收入（万元）", "职工总数"]
    confirm(bring({"年度指标": [head, [QINGHE, 2025, 100, 10]]}, profile="asking"))
    batch_id = bring({"年度指标": [head, [QINGHE, 2025, 200, 20]]}, profile="asking")
    assert [row.outcome for row in rows_of(batch_id)] == ["conflict"]

    decide(batch_id, USE_FILE)
    confirm(batch_id)

    year = db.session.scalar(select(Figures))
    assert (year.revenue, year.staff_count) == (2_000_000, 10)


def test_the_code_asks_where_a_profile_says_nothing(asking):
    rules = {
        column.key: column.wins
        for code in import_reading.PROFILES
        for sheet in load_profile(code).sheets
        for column in sheet.columns
    }

    assert {key for key, wins in rules.items() if wins != "file"} == {"enterprise.credit_code"}
    assert read_profile(PROFILE).sheets[0].column("enterprise.credit_code").wins == "ask"


def test_a_rule_that_is_none_names_its_column():
    with pytest.raises(ProfileInvalid, match="contact_name: wins = 'theirs' is none of file, ours, ask"):
        read_profile(PROFILE.replace('"ask" }', '"theirs" }', 1))
