"""One workbook as a bureau keeps it, with the faults of real life on its sheets, from bytes to typed rows."""

from datetime import date
from decimal import Decimal

import pytest

from crm.sheets.headers import kinds_of_rows
from crm.sheets.profiles import load_profile, tables
from crm.sheets.reading import read_sheets
from crm.sheets.rows import typed_rows
from tests.sheets.sheet_samples import credit_code, workbook

TODAY = date(2026, 11, 23)
COUNTY = load_profile("county_workbook")


@pytest.fixture
def ledger(tmp_path):
    """企业台账2025.xlsx: a title, merged townships, 万元 in the heads, codes as text here and as numbers there."""
    firms = [
        ["巫溪县企业台账（2025年）"],
        [],
        ["乡镇", "序号", "企业名称\n(全称)", "统一社会信用代码 ", "成立时间", "注册资本(万元)", "是否规上", "联系电话"],
        ["城厢镇", 1, "巫溪云栈农业(重庆)有限公司", credit_code(1), "2015.5.6", 150, "√", "023-00000001"],
        [None, 2, "巫溪栖霞茶业有限公司", credit_code(2).lower(), 42130, "80万", "否", 13800000000],
        [None, 3, "巫溪丹泉饮品厂", "500238000012345", "2018/7", "/", "", "-"],
        ["红池坝镇", 4, "巫溪红池牧业专业合作社", 915002990000123456, "2099-01-01", "若干", "可能", ""],
        [None, 5, None, None, None, None, None, None],
        ["合计", None, "4家"],
        ["注：数据截至2025年底"],
    ]
    figures = [
        ["单位：万元"],
        ["企业名称", "年度", "经济指标", None, "从业人员"],
        [None, None, "营业收入", "研发费用", None],
        ["巫溪云栈农业(重庆)有限公司", "2025年", 3770.6, 41.2, "四十余人"],
        ["巫溪栖霞茶业有限公司", 2025, 0, None, 12],
    ]
    path = tmp_path / "企业台账2025.xlsx"
    return workbook(path, {"企业台账": firms, "年度指标": figures, "Sheet3": []}, merged=["A1:H1", "A4:A6", "A7:A8"])


def typed(path):
    return {
        table.layout.noun: list(typed_rows(*table, today=TODAY)) for table in tables(COUNTY, read_sheets(path))
    }  # fmt: skip


def test_only_firms_count_as_rows(ledger):
    firms, _ = tables(COUNTY, read_sheets(ledger))

    assert [kind for _, kind in kinds_of_rows(firms.sheet, firms.match)] == [
        "data", "data", "data", "data", "blank", "total", "note",
    ]  # fmt: skip
    assert [row.row for row in typed(ledger)["enterprise"]] == [4, 5, 6, 7]


def test_good_cells_are_read_through_every_habit_of_writing(ledger):
    first, second, *_ = typed(ledger)["enterprise"]

    assert first.values == {
        "enterprise.township": "城厢镇",
        "enterprise.name": "巫溪云栈农业（重庆）有限公司",
        "enterprise.credit_code": credit_code(1),
        "enterprise.registered_on": date(2015, 5, 6),
        "enterprise.capital": Decimal(1_500_000),
        "enterprise.above_scale": True,
        "enterprise.contact_phone": "023-00000001",
    }
    assert second.values == {
        "enterprise.township": "城厢镇",
        "enterprise.name": "巫溪栖霞茶业有限公司",
        "enterprise.credit_code": credit_code(2),
        "enterprise.registered_on": date(2015, 5, 6),
        "enterprise.capital": Decimal(800_000),
        "enterprise.above_scale": False,
        "enterprise.contact_phone": "13800000000",
    }
    assert first.problems + second.problems == []


def test_every_fault_is_told_in_its_cell_and_none_invented(ledger):
    rows = typed(ledger)
    told = [
        (problem.sheet, problem.row, problem.letter, problem.code, problem.severity)
        for found in rows.values()
        for row in found
        for problem in row.problems
    ]

    assert told == [
        ("企业台账", 6, "D", "old_number", "warning"),
        ("企业台账", 6, "E", "month_only", "warning"),
        ("企业台账", 7, "D", "code_as_number", "error"),
        ("企业台账", 7, "E", "date_impossible", "error"),
        ("企业台账", 7, "F", "not_a_number", "error"),
        ("企业台账", 7, "G", "not_yes_or_no", "error"),
        ("年度指标", 4, "E", "not_a_number", "error"),
    ]


def test_figures_under_two_header_rows_are_in_the_unit_above_the_table(ledger):
    first, second = typed(ledger)["figures"]

    assert (first.row, first.values["figures.revenue"], first.values["figures.rd_expense"]) == (
        4,
        Decimal(37_706_000),
        Decimal(412_000),
    )
    assert (second.values["figures.revenue"], "figures.rd_expense" in second.values) == (Decimal(0), False)
