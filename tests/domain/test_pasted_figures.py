"""A block from the clipboard: what it says of which year, and what of it is named instead of being read."""

from datetime import date
from decimal import Decimal

import pytest

from crm.domain.pasted_figures import PastedBlock, by_year, read_block
from crm.domain.refusals import Refused

TODAY = date(2026, 11, 23)
ORDER = ("revenue", "sales", "net_profit", "staff_count")


def block(text: str, **more) -> PastedBlock:
    about = {"years": (2021, 2022, 2023, 2024, 2025), "codes": ORDER, "at_year": 2024, "at_code": "revenue"}
    return read_block(text, **{**about, "unit": "万元", "today": TODAY, "first_year": 2000, **more})


def said(found: PastedBlock) -> list[tuple[str, str]]:
    return [(problem.place, problem.sentence) for problem in found.problems]


def test_bare_numbers_go_right_and_down_from_where_one_stands():
    found = block("1,000\t1200.5\n\t0\n-3\t4")

    assert by_year(found.cells) == {
        2024: {"revenue": Decimal("10000000.00"), "net_profit": Decimal("-30000.00")},
        2025: {"revenue": Decimal("12005000.00"), "sales": Decimal(0), "net_profit": Decimal("40000.00")},
    }
    assert said(found) == []


def test_a_row_of_years_and_a_column_of_names_are_followed_wherever_one_stands():
    found = block("指标（元）\t2023年\t2022年度\n从业人员\t43人\t40\n研发费用（万元）\t5\t\n营业收入\t10\t20")

    assert by_year(found.cells) == {
        2022: {"staff_count": 40, "revenue": Decimal("20.00")},
        2023: {"staff_count": 43, "rd_expense": Decimal("50000.00"), "revenue": Decimal("10.00")},
    }


def test_a_sheet_with_the_years_down_is_turned_and_its_places_are_said_as_pasted():
    found = block("年度\t营业收入\t从业人员\n2023\t100\t四十余人\n2024\t110\t41")

    assert by_year(found.cells) == {
        2023: {"revenue": Decimal("1000000.00")},
        2024: {"revenue": Decimal("1100000.00"), "staff_count": 41},
    }
    assert said(found) == [("第 2 行第 3 列", "“四十余人”不是数。改成整数，或留空表示不知道。")]


def test_an_empty_cell_says_nothing_and_the_word_empties():
    found = block("\t清空\n12\t", at_code="sales")

    assert by_year(found.cells) == {2024: {"net_profit": Decimal("120000.00")}, 2025: {"sales": None}}


def test_merged_heads_and_names_are_named_by_their_place():
    found = block("指标\t2023年\t\t2024年\n营业收入\t1\t5%\t2\n\t3\t\t4")

    assert by_year(found.cells) == {2023: {"revenue": Decimal("10000.00")}, 2024: {"revenue": Decimal("20000.00")}}
    assert said(found) == [
        ("第 3 列", "这一列没有年份，没有读入（合并的表头只有第一格有字）。拆开合并后再粘贴。"),
        ("第 3 行", "这一行没有指标名称，没有读入（合并单元格只有第一格有字）。补上名称再粘贴。"),
    ]


def test_what_runs_past_the_grid_is_named_by_column_and_row():
    found = block("1\t2\t3\n\n4\t\t\n5\t\t\n6\t\t", at_year=2024, at_code="sales")

    assert [place for place, _ in said(found)] == ["第 3 列", "第 4 行", "第 5 行"]
    assert by_year(found.cells)[2024] == {"sales": Decimal("10000.00"), "staff_count": 4}


def test_a_year_that_cannot_be_and_a_name_nobody_knows_are_left_out():
    found = block("项目\t2031\t2025\n毛利率\t1\t2\n营业收入\t3\t4")

    assert by_year(found.cells) == {2025: {"revenue": Decimal("40000.00")}}
    assert [place for place, _ in said(found)] == ["第 2 列", "第 2 行"]


def test_the_second_of_two_different_values_for_one_cell_is_named():
    found = block("指标\t2025\n营业收入\t3\n营收\t4")

    assert by_year(found.cells) == {2025: {"revenue": Decimal("30000.00")}}
    assert said(found) == [("第 3 行第 2 列", "2025 年营业收入在第 2 行已有另一个数。只留一个。")]


def test_a_title_above_the_years_and_a_quoted_cell_with_a_line_break_are_read():
    found = block('巫溪县青禾食品有限责任公司\t\t\n"单位：\n元"\t2024\t2025\n营业收入\t1\t2')

    assert by_year(found.cells) == {2024: {"revenue": Decimal(1)}, 2025: {"revenue": Decimal(2)}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\t".join(["1"] * 2000), "粘贴的内容有 2,000 列，一次最多 40 列。只选指标名称和各年的数，再复制。"),
        ("\n".join(["1"] * 5000), "粘贴的内容有 5,000 行，一次最多 200 行。分几次粘贴。"),
        ("x" * 300_000, "粘贴的内容有 300,000 个字，一次最多 100,000 个。分几次粘贴。"),
        (" \r\n\t", "没有内容。在 Excel 里选中数据复制，再粘贴到这里。"),
    ],
    ids=["2000 columns", "5000 rows", "a book", "nothing"],
)
def test_what_is_no_block_of_figures_is_refused_with_one_sentence(text, sentence):
    with pytest.raises(Refused) as caught:
        block(text)

    assert caught.value.message == sentence
