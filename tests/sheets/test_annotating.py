"""A marked file: the very workbook with tints, comments, reasons and a summary; and how its marks are read past."""

import io
from dataclasses import replace
from datetime import date

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation

from crm.sheets import annotating
from crm.sheets.annotating import CellMark, Marks, failed_only, marked
from crm.sheets.marks import COMMENT_STAMP, REASON_HEADING, SUMMARY_SHEET, SUMMARY_STAMP, TINTS, without_marks
from crm.sheets.reading import read_sheets
from crm.sheets.refusals import SheetTooHeavy
from tests.sheets.sheet_samples import inline_workbook
from tests.workbooks import csv

MARKS = Marks(
    {"企业": 2},
    cells=[CellMark("企业", 4, "B", "error", "校验位不对"), CellMark("企业", 3, "C", "warning", "金额没有写单位")],
    reasons={("企业", 4): "错误：B 列 信用代码：校验位不对", ("企业", 3): "提醒：C 列 金额没有写单位"},
    lines=["台账.xlsx，谭越上传"],
    problems=[("企业", 4, "B4", "信用代码", "=1+1", "校验位不对", "错误")],
)


@pytest.fixture
def sent(tmp_path):
    """A county's book: a merged title, a validation, a frozen head, a remark, a formula, text that begins with =."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "企业"
    sheet.append(["2026年企业台账"])
    sheet.append(["企业名称", "信用代码", "资本", "备注"])
    sheet.append(["甲公司", "A1", 200, "=1+1"])
    sheet["D3"].data_type = "s"
    sheet.append(["乙公司", "00123", "=C3*2", date(2026, 3, 5)])
    sheet.merge_cells("A1:D1")
    sheet["A1"].font = Font(bold=True, color="FF0000FF")
    sheet["B4"].comment = Comment("问过老李", "王")
    sheet.freeze_panes = "B3"
    sheet.column_dimensions["A"].width = 33
    check = DataValidation(type="list", formula1='"甲,乙"')
    check.add("B3:B9")
    sheet.add_data_validation(check)
    sheet.print_title_rows = "1:2"
    book.create_sheet("说明")["A1"] = "这张不读"
    path = tmp_path / "sent"
    book.save(path)
    return path


def opened(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def fill(cell):
    return cell.fill.start_color.rgb[-6:] if cell.fill.fill_type else None


def test_the_very_workbook_comes_back_with_tints_comments_reasons_and_a_summary(sent):
    made = marked(sent, name="台账.xlsx", marks=MARKS)
    book = opened(made.content)
    sheet = book["企业"]

    assert (made.rebuilt, book.sheetnames) == (False, ["企业", "说明", SUMMARY_SHEET])
    assert (fill(sheet["B4"]), fill(sheet["C3"]), fill(sheet["B3"])) == (TINTS["error"], TINTS["warning"], None)
    assert sheet["B4"].comment.text == f"{COMMENT_STAMP}校验位不对\n—— 原有批注 ——\n问过老李"
    assert [sheet.cell(row, 5).value for row in (1, 2, 3, 4)] == [
        None, REASON_HEADING, "提醒：C 列 金额没有写单位", "错误：B 列 信用代码：校验位不对",
    ]  # fmt: skip
    assert book[SUMMARY_SHEET]["A1"].value == SUMMARY_STAMP
    line = [cell.value for cell in list(book[SUMMARY_SHEET].rows)[-1]]
    assert line == ["企业", 4, "B4", "信用代码", "=1+1", "校验位不对", "错误"]
    # What was theirs is theirs still.
    assert (sheet["A1"].font.color.rgb, sheet.freeze_panes, sheet.print_title_rows) == ("FF0000FF", "B3", "$1:$2")
    assert (str(sheet.merged_cells), sheet.data_validations.dataValidation[0].formula1) == ("A1:D1", '"甲,乙"')
    assert (sheet["C4"].value, sheet["D4"].value.date(), sheet["B4"].value) == ("=C3*2", date(2026, 3, 5), "00123")


def test_text_that_begins_like_a_formula_stays_text_in_a_marked_file(sent, tmp_path):
    for content in (
        marked(sent, name="台账.xlsx", marks=MARKS).content,
        failed_only(sent, name="台账.xlsx", marks=MARKS, good={"企业": {4}}).content,
    ):
        book = opened(content)
        cells = [book["企业"]["D3"], list(book[SUMMARY_SHEET].rows)[-1][4]]
        assert [(cell.value, cell.data_type) for cell in cells] == [("=1+1", "s")] * 2


def test_a_marked_file_reads_as_the_one_that_was_sent(sent, tmp_path):
    again = tmp_path / "again"
    again.write_bytes(marked(sent, name="台账.xlsx", marks=MARKS).content)
    theirs, ours = read_sheets(sent), without_marks(read_sheets(again))

    assert [sheet.name for sheet in ours] == ["企业", "说明"]
    assert [[*row, ""] for row in theirs[0].rows] == ours[0].rows
    assert ours[1].rows == theirs[1].rows


def test_marking_again_takes_the_marks_of_before_off(sent, tmp_path):
    again = tmp_path / "again"
    again.write_bytes(marked(sent, name="台账.xlsx", marks=MARKS).content)
    book = opened(marked(again, name="台账.xlsx", marks=replace(MARKS, cells=[], reasons={}, problems=[])).content)
    sheet = book["企业"]

    assert book.sheetnames == ["企业", "说明", SUMMARY_SHEET]
    assert (fill(sheet["B4"]), fill(sheet["C3"]), sheet["C3"].comment) == (None, None, None)
    assert sheet["B4"].comment.text == "问过老李"
    assert {sheet.cell(row, 5).value for row in range(1, 5)} == {None}


def test_a_cell_inside_a_merged_area_is_marked_where_the_area_begins(sent):
    inside = replace(MARKS, cells=[CellMark("企业", 1, "C", "error", "标题不对")])

    sheet = opened(marked(sent, name="台账.xlsx", marks=inside).content)["企业"]

    assert (fill(sheet["A1"]), sheet["A1"].comment.text) == (TINTS["error"], f"{COMMENT_STAMP}标题不对")


def test_a_csv_and_a_workbook_openpyxl_cannot_open_are_made_anew_in_their_places(tmp_path):
    plain = tmp_path / "csv"
    plain.write_bytes(
        csv("2026年企业台账,,\n企业名称,信用代码,资本\n甲公司,A1,'=1\n乙公司,00123,2026-03-05\n", "gb18030")
    )
    odd = inline_workbook(
        tmp_path / "odd",
        [
            ["2026年企业台账"],
            ["企业名称", "信用代码", "资本"],
            ["甲公司", "A1", "=1"],
            ["乙公司", "00123", "2026-03-05"],
        ],
        merged="A1:C1",
    )
    marks = {name: replace(MARKS, header_rows={name: 2}) for name in ("企业", "Sheet1")}
    moved = replace(
        marks["Sheet1"],
        cells=[replace(cell, sheet="Sheet1") for cell in MARKS.cells],
        reasons={("Sheet1", row): text for (_, row), text in MARKS.reasons.items()},
    )
    for path, said, name in ((plain, marks["企业"], "企业"), (odd, moved, "Sheet1")):
        made = marked(path, name="企业.csv", marks=said)
        book = opened(made.content)
        sheet = book[name]

        assert (made.rebuilt, book.sheetnames) == (True, [name, SUMMARY_SHEET])
        assert [cell.value for cell in sheet[3]] == ["甲公司", "A1", "=1", "提醒：C 列 金额没有写单位"]
        assert (sheet["B4"].value, sheet["C3"].data_type, sheet["D2"].value) == ("00123", "s", REASON_HEADING)
        assert (fill(sheet["B4"]), sheet["B4"].comment.text) == (TINTS["error"], f"{COMMENT_STAMP}校验位不对")
        again = tmp_path / "again"
        again.write_bytes(made.content)
        assert [row[:3] for row in without_marks(read_sheets(again))[0].rows] == read_sheets(path)[0].rows


def test_only_the_failed_rows_keep_their_titles_headings_and_groups(sent):
    made = failed_only(sent, name="台账.xlsx", marks=replace(MARKS, cells=MARKS.cells[:1]), good={"企业": {3}})
    book = opened(made.content)

    assert book.sheetnames == ["企业", SUMMARY_SHEET]
    assert [row[0].value for row in book["企业"].rows] == ["2026年企业台账", "企业名称", "乙公司"]
    assert (fill(book["企业"]["B3"]), str(book["企业"].merged_cells)) == (TINTS["error"], "A1:D1")
    assert [cell.value for cell in list(book[SUMMARY_SHEET].rows)[-1]][:3] == ["企业", 3, "B3"]


def test_a_file_that_neither_way_can_mark_is_refused_in_a_sentence(sent, monkeypatch):
    monkeypatch.setattr(annotating, "OPENING_MEMORY_MB", 20)
    monkeypatch.setattr(annotating, "CHILD_MEMORY_MB", 20)

    with pytest.raises(SheetTooHeavy, match="标不上问题"):
        marked(sent, name="台账.xlsx", marks=MARKS)
