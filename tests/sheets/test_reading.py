"""Raw rows out of workbooks and csv files: values as Python values, rows numbered as the sheet numbers them."""

from datetime import date, datetime

import openpyxl
import pytest

from crm.sheets.reading import read_sheets
from crm.sheets.refusals import SheetDamaged
from tests.sheets.sheet_samples import old_workbook, workbook

FIRMS = [["企业名称", "联系电话"], ["巫溪云栈农业有限公司", "023-00000001"], ["巫溪栖霞茶业有限公司", "00000002"]]


def csv_file(path, rows, *, encoding, mark=","):
    path.write_bytes("\r\n".join(mark.join(row) for row in rows).encode(encoding))
    return path


def test_cells_come_as_text_number_yes_no_and_date(tmp_path):
    row = ["巫溪云栈农业有限公司", 12, 0.05, True, date(2023, 5, 6), datetime.fromisoformat("2023-05-06T09:30"), None]
    path = workbook(tmp_path / "values.xlsx", {"企业": [row]})

    assert read_sheets(path)[0].rows == [
        ["巫溪云栈农业有限公司", 12.0, 0.05, True, date(2023, 5, 6), datetime.fromisoformat("2023-05-06T09:30")]
    ]


def test_every_sheet_is_read_with_its_name_and_whether_it_is_hidden(tmp_path):
    path = workbook(tmp_path / "sheets.xlsx", {"企业": FIRMS, "Sheet2": [], "旧表": FIRMS})
    book = openpyxl.load_workbook(path)
    book["旧表"].sheet_state = "veryHidden"
    book.save(path)

    assert [(sheet.name, sheet.hidden, len(sheet.rows)) for sheet in read_sheets(path)] == [
        ("企业", False, 3),
        ("Sheet2", False, 0),
        ("旧表", True, 3),
    ]


def test_rows_and_columns_keep_their_places_when_the_table_starts_further_in(tmp_path):
    path = workbook(tmp_path / "starts_late.xlsx", {"企业": [[], [], [None, "企业名称"]]})

    sheet = read_sheets(path)[0]

    assert (sheet.rows[2], sheet.row_number(2)) == (["", "企业名称"], 3)


def test_a_tall_merged_cell_speaks_for_each_row_that_says_something(tmp_path):
    rows = [["乡镇", "企业名称"], ["城厢镇", "甲公司"], [None, "乙公司"], [None, None], ["红池坝镇", "丙公司"]]
    path = workbook(tmp_path / "merged_townships.xlsx", {"企业": rows}, merged=["A2:A4"])

    sheet = read_sheets(path)[0]

    assert [row[0] for row in sheet.rows] == ["乡镇", "城厢镇", "城厢镇", "", "红池坝镇"]
    assert sheet.merged == ((1, 0, 3, 0),)


def test_an_old_workbook_is_read(tmp_path):
    path = old_workbook(tmp_path / "old.xls", [*FIRMS, ["巫溪丙公司", 13812345678.0]])

    sheet = read_sheets(path)[0]

    assert (sheet.name, sheet.rows) == ("details", [*FIRMS, ["巫溪丙公司", 13812345678.0]])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_the_encodings_offices_write(tmp_path, encoding):
    path = csv_file(tmp_path / "firms.csv", FIRMS, encoding=encoding)

    sheet = read_sheets(path, name="2025年名单.csv")[0]

    assert (sheet.name, sheet.hidden, sheet.rows) == ("2025年名单", False, FIRMS)


@pytest.mark.parametrize("mark", ["\t", ";", "|"], ids=["tab", "semicolon", "bar"])
def test_a_csv_cut_by_another_mark_is_read(tmp_path, mark):
    path = csv_file(tmp_path / "firms.csv", FIRMS, encoding="utf-8", mark=mark)

    assert read_sheets(path)[0].rows == FIRMS


def test_csv_rows_of_different_length_are_filled_up_and_blank_ones_at_the_end_dropped(tmp_path):
    path = tmp_path / "ragged.csv"
    path.write_text('企业名称,地址\n甲公司\n"乙\n公司",某路\n\n,\n', encoding="utf-8")

    assert read_sheets(path)[0].rows == [["企业名称", "地址"], ["甲公司", ""], ["乙\n公司", "某路"]]


def test_a_csv_gives_back_text_that_was_disarmed(tmp_path):
    path = tmp_path / "disarmed.csv"
    path.write_text("企业名称,备注\n'=1+1,''-5\n'甲,普通\n", encoding="utf-8")

    assert read_sheets(path)[0].rows[1:] == [["=1+1", "'-5"], ["'甲", "普通"]]


def test_a_csv_cell_without_end_is_damaged(tmp_path):
    path = tmp_path / "endless.csv"
    path.write_text('企业名称\n"' + "长" * 2_100_000, encoding="utf-8")

    with pytest.raises(SheetDamaged) as caught:
        read_sheets(path)

    assert caught.value.message == "这份 .csv 的引号不成对或有一格过长，读不下去。用 Excel 打开后另存为 .xlsx 再传。"


def test_progress_is_told_in_rows(tmp_path):
    path = csv_file(tmp_path / "many.csv", [["企业名称", "地址"], *[["甲", "乙"]] * 2400], encoding="utf-8")
    told = []

    read_sheets(path, progress=told.append)

    assert told == [1000, 2000, 2401]
