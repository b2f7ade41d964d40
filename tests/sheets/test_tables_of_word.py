"""The tables of a Word notice are read like sheets, by the same limited child; a hostile document harms nothing."""

import zipfile

import pytest
from docx import Document

from crm.sheets import prescan as limits
from crm.sheets.reading import read_sheets
from crm.sheets.refusals import SheetDamaged, SheetOfOtherType, SheetTooLarge, SheetUnsafe


def notice(path, *tables):
    document = Document()
    document.add_paragraph("关于公布 2026 年度名单的通知")
    for rows in tables:
        table = document.add_table(len(rows), len(rows[0]))
        for row, said in zip(table.rows, rows, strict=True):
            for cell, text in zip(row.cells, said, strict=True):
                cell.text = text
    document.save(path)
    return path


def test_the_only_table_is_a_sheet_called_after_the_file(tmp_path):
    rows = [
        ["序号", "企业名称", "区县"],
        ["1", "重庆青禾食品有限公司", "巫溪县"],
        ["2", "巫溪县红池\n合作社", "巫溪县"],
    ]

    [sheet] = read_sheets(notice(tmp_path / "名单.docx", rows))

    assert (sheet.name, sheet.rows) == ("名单", rows)


def test_several_tables_are_several_sheets(tmp_path):
    sheets = read_sheets(
        notice(tmp_path / "a.docx", [["企业名称"], ["甲公司"]], [["", ""]], [["企业名称"], ["乙公司"]])
    )

    assert [(sheet.name, sheet.rows[1]) for sheet in sheets] == [("表1", ["甲公司"]), ("表2", ["乙公司"])]


def test_a_cell_over_rows_speaks_in_each_and_one_over_columns_in_the_first(tmp_path):
    document = Document()
    table = document.add_table(3, 3)
    for row, said in zip(table.rows, ["abc", "def", "ghi"], strict=True):
        for cell, text in zip(row.cells, said, strict=True):
            cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0)).text = "凤凰镇"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "名称"
    document.save(tmp_path / "merged.docx")

    [sheet] = read_sheets(tmp_path / "merged.docx")

    assert sheet.rows == [["a", "名称", ""], ["凤凰镇", "e", "f"], ["凤凰镇", "h", "i"]]


def test_a_document_without_a_table_says_what_to_do(tmp_path):
    with pytest.raises(SheetOfOtherType, match=r"没有表格。.*粘贴几行"):
        read_sheets(notice(tmp_path / "letter.docx"))


def hostile(path, document):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", document)
    return path


def test_a_broken_document_a_definition_and_a_bomb_are_refused_in_a_sentence(tmp_path):
    entities = b'<!DOCTYPE d [<!ENTITY a "aaaa">]><w:document/>'
    with pytest.raises(SheetDamaged, match="Word 文件不完整或已损坏"):
        read_sheets(hostile(tmp_path / "broken.docx", b"x"))
    with pytest.raises(SheetUnsafe):
        read_sheets(hostile(tmp_path / "entities.docx", entities))
    with pytest.raises(SheetTooLarge, match="这份 Word 文件太大"):
        read_sheets(hostile(tmp_path / "bomb.docx", b" " * (limits.MAX_WORD_BYTES + 1)))
