"""Pasted rows become a file that is read like any other."""

import pytest

from crm.sheets.pasting import as_file
from crm.sheets.reading import read_sheets
from crm.sheets.refusals import SheetFileMissing


def read(tmp_path, text):
    place = tmp_path / "rows.csv"
    place.write_bytes(as_file(text))
    [sheet] = read_sheets(place)
    return sheet.rows


def test_a_block_from_excel_is_read_cell_by_cell(tmp_path):
    text = '企业名称\t备注\t金额\r\n甲公司\t"一行\n又一行"\t"1,200"\r\n乙公司\t他说"好"\t\r\n'

    assert read(tmp_path, text) == [
        ["企业名称", "备注", "金额"],
        ["甲公司", "一行\n又一行", "1,200"],
        ["乙公司", '他说"好"', ""],
    ]


def test_text_that_looks_like_a_formula_is_disarmed_in_the_file_and_read_as_it_was(tmp_path):
    text = "企业名称\t备注\n甲公司\t=1+1\n"

    assert b"'=1+1" in as_file(text)
    assert read(tmp_path, text)[1] == ["甲公司", "=1+1"]


def test_a_quotation_mark_that_never_closes_takes_nothing_of_the_next_row(tmp_path):
    assert read(tmp_path, '企业名称\t备注\n甲公司\t"开头\n乙公司\t好\n')[1:] == [["甲公司", '"开头'], ["乙公司", "好"]]


def test_names_alone_get_the_heading_they_lack(tmp_path):
    assert read(tmp_path, "\n重庆青禾食品有限公司\n\n巫溪县红池合作社\n") == [
        ["企业名称"],
        ["重庆青禾食品有限公司"],
        [""],
        ["巫溪县红池合作社"],
    ]
    assert read(tmp_path, "单位全称\n重庆青禾食品有限公司\n")[0] == ["单位全称"]


@pytest.mark.parametrize("text", ["", " \n\t\n", "\0"])
def test_nothing_pasted_says_what_to_do(text):
    with pytest.raises(SheetFileMissing, match="没有粘贴内容"):
        as_file(text)
