"""Hostile and mistaken files: each is refused with one sentence, and the process that asked lives on."""

import time
import zipfile

import pytest

from crm.sheets import prescan as limits
from crm.sheets import reading
from crm.sheets.prescan import prescan
from crm.sheets.reading import read_sheets
from crm.sheets.refusals import (
    SheetDamaged,
    SheetEncrypted,
    SheetFileMissing,
    SheetOfOtherType,
    SheetRefused,
    SheetTooHeavy,
    SheetTooLarge,
    SheetUnsafe,
)
from tests.sheets.sheet_samples import cell, inline_workbook, old_workbook, ole, raw_workbook, workbook

MB = 1024 * 1024
A_WEB_PAGE = "这是网页（HTML），只是改了名字。用 Excel 打开后另存为 .xlsx 再传。"


def refusal(path, kind):
    with pytest.raises(kind) as caught:
        read_sheets(path)
    return caught.value.message


def test_no_file_and_an_empty_file_are_named(tmp_path):
    empty = tmp_path / "empty.xlsx"
    empty.write_bytes(b"")

    assert refusal(tmp_path / "none.xlsx", SheetFileMissing) == "没有收到文件。选一份 .xlsx、.xls 或 .csv 再传。"
    assert refusal(empty, SheetFileMissing) == "这份文件是空的，一个字节也没有。重新导出或另存后再传。"


def test_a_file_over_fifty_megabytes_is_refused_before_it_is_opened(tmp_path):
    path = tmp_path / "two_hundred_megabytes.xlsx"
    with path.open("wb") as file:
        file.truncate(200 * MB)

    assert refusal(path, SheetTooLarge) == "这份文件有 200 MB，超过 50 MB。拆成几份再传。"


def test_a_file_of_exactly_the_limit_is_looked_at(tmp_path):
    path = tmp_path / "at_the_limit.csv"
    with path.open("wb") as file:
        file.write("企业名称\n".encode())
        file.truncate(limits.MAX_FILE_BYTES)

    assert refusal(path, SheetOfOtherType) == limits.NOT_A_SHEET


def test_an_encrypted_workbook_asks_for_the_password_to_be_taken_off(tmp_path):
    path = ole(tmp_path / "encrypted.xlsx", "EncryptedPackage", b"secret" * 2000)

    assert refusal(path, SheetEncrypted) == "这份文件有密码，打不开。在 Excel 里去掉密码再传。"


def test_a_zip_with_a_password_is_refused_alike(tmp_path):
    path = workbook(tmp_path / "encrypted_zip.xlsx", {"企业": [["企业名称"]]})
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    path.write_bytes(content)

    assert refusal(path, SheetEncrypted) == "这份文件有密码，打不开。在 Excel 里去掉密码再传。"


@pytest.mark.parametrize("corner", ["XFD1048576", "CV1048576"])
def test_a_filled_cell_in_the_far_corner_is_refused_without_being_read(tmp_path, corner):
    path = raw_workbook(tmp_path / "far_cell.xlsx", f"<sheetData>{cell('A1')}{cell(corner)}</sheetData>")
    started = time.monotonic()

    sentence = refusal(path, SheetTooLarge)

    assert sentence.startswith("表的范围到第 1048576 行、第 ")
    assert time.monotonic() - started < 1


def test_an_empty_formatted_cell_in_the_far_corner_does_no_harm(tmp_path):
    far = '<row r="1048576"><c r="XFD1048576" s="0"/></row>'
    path = raw_workbook(tmp_path / "far_format.xlsx", f"<sheetData>{cell('A1', '企业名称')}{far}</sheetData>")

    assert read_sheets(path)[0].rows == [["企业名称"]]


def test_sixteen_thousand_columns_are_read_while_few_and_refused_when_many(tmp_path):
    wide = "".join(cell(f"XFD{row}") for row in range(1, 11))
    tall = "".join(cell(f"XFD{row}") for row in range(1, 400))

    few = read_sheets(raw_workbook(tmp_path / "wide.xlsx", f"<sheetData>{wide}</sheetData>"))
    many = refusal(raw_workbook(tmp_path / "wide_tall.xlsx", f"<sheetData>{tall}</sheetData>"), SheetTooLarge)

    assert (len(few[0].rows), len(few[0].rows[0])) == (10, 16_384)
    assert many == (
        "表的范围到第 399 行、第 16384 列，超过 500 万格。多半是远处有一个不该有的格子，删掉表外的行和列再传。"
    )


def test_the_parser_may_be_aborted_and_the_asker_lives(tmp_path, monkeypatch):
    path = raw_workbook(tmp_path / "far_cell.xlsx", f"<sheetData>{cell('A1')}{cell('XFD1048576')}</sheetData>")
    monkeypatch.setattr(limits._Extent, "cells", 0)

    assert refusal(path, SheetTooHeavy).startswith("这份文件读了一半读不下去")
    assert read_sheets(inline_workbook(tmp_path / "good.xlsx", [["企业名称"]]))[0].rows == [["企业名称"]]


def test_a_reading_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    (tmp_path / "sleeping_child.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(reading, "_CHILD", "sleeping_child")
    monkeypatch.setattr(reading, "_ROOT", tmp_path)
    started = time.monotonic()

    with pytest.raises(SheetTooHeavy):
        read_sheets(inline_workbook(tmp_path / "good.xlsx", [["企业名称"]]), seconds=0.5)

    assert 0.4 < time.monotonic() - started < 5


def test_the_child_is_given_no_secrets(tmp_path, monkeypatch):
    (tmp_path / "telling_child.py").write_text(
        "import json, os\nprint(json.dumps(['refused', ['x', ' '.join(sorted(os.environ))]]))\n"
    )
    monkeypatch.setattr(reading, "_CHILD", "telling_child")
    monkeypatch.setattr(reading, "_ROOT", tmp_path)
    monkeypatch.setenv("SECRET_KEY", "hidden")

    assert "SECRET_KEY" not in refusal(inline_workbook(tmp_path / "good.xlsx", [["企业名称"]]), SheetRefused)


def test_a_bomb_is_refused_by_what_it_says_it_unpacks_to(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member,
    ):
        for _ in range(310):
            member.write(b" " * MB)

    assert path.stat().st_size < MB
    assert refusal(path, SheetTooLarge) == "这份文件展开后超过 300 MB，没有打开。删掉空行和多余的表再传。"


def test_a_bomb_that_lies_about_its_size_is_stopped_while_unpacking(tmp_path, monkeypatch):
    path = raw_workbook(tmp_path / "liar.xlsx", "<sheetData/>", more={"xl/media/a.bin": b" " * 3 * MB})
    monkeypatch.setattr(limits, "_check_members", lambda entries: None)
    monkeypatch.setattr(limits, "MAX_UNPACKED_BYTES", 2 * MB)

    assert refusal(path, SheetTooLarge).startswith("这份文件展开后超过 2 MB")


def test_too_many_members_are_refused(tmp_path):
    path = raw_workbook(tmp_path / "parts.xlsx", "<sheetData/>", more={f"xl/media/{n}": b"" for n in range(2001)})

    assert refusal(path, SheetTooLarge) == "这份文件里有 2007 个部件，正常的表格没有这么多。另存一次再传。"


@pytest.mark.parametrize("name", ["../evil.xml", "/etc/evil.xml", "xl/../../evil.xml", "..\\evil.xml", "C:evil.xml"])
def test_a_member_that_names_a_place_outside_is_refused(tmp_path, name):
    path = raw_workbook(tmp_path / "outside.xlsx", "<sheetData/>", more={name: b"x"})

    assert refusal(path, SheetUnsafe) == "这份文件里有指向别处的部件，没有打开。在 Excel 里另存一次再传。"


def test_a_document_type_with_entities_is_refused(tmp_path):
    dtd = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    path = raw_workbook(tmp_path / "dtd.xlsx", f"<sheetData>{cell('A1', '&b;')}</sheetData>", prolog=dtd)

    assert refusal(path, SheetUnsafe) == "这份文件里有不该出现的定义（DTD），没有打开。在 Excel 里另存一次再传。"


def test_a_truncated_workbook_is_damaged(tmp_path):
    path = workbook(tmp_path / "truncated.xlsx", {"企业": [["企业名称"]] * 50})
    path.write_bytes(path.read_bytes()[:2000])

    assert refusal(path, SheetDamaged) == "这份文件不完整或已损坏，打不开。重新下载，或在 Excel 里另存一次再传。"


def test_a_workbook_with_broken_parts_is_damaged(tmp_path):
    path = raw_workbook(tmp_path / "broken.xlsx", "<sheetData><row r='1'><c r='A1'></row>")

    assert refusal(path, SheetDamaged) == "这份文件不完整或已损坏，打不开。重新下载，或在 Excel 里另存一次再传。"


def test_macros_and_links_are_told_and_not_followed(tmp_path):
    more = {"xl/vbaProject.bin": b"macro", "xl/externalLinks/externalLink1.xml": b"<x/>"}
    path = raw_workbook(tmp_path / "macros.xlsm", f"<sheetData>{cell('A1', '企业名称')}</sheetData>", more=more)

    sheet = read_sheets(path)[0]

    assert sheet.rows == [["企业名称"]]
    assert sheet.notes == (
        "文件里有宏，没有运行，只读表格。",
        "文件里有指向别的文件的链接，没有打开，只读已存的值。",
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<html><table><tr><td>x</td></tr></table></html>", A_WEB_PAGE),
        (b"\xef\xbb\xbf  <!DOCTYPE html>", A_WEB_PAGE),
        (b"<?xml version='1.0'?><Workbook/>", "这是 XML 文件。用 Excel 打开后另存为 .xlsx 再传。"),
        (b"%PDF-1.7", limits.A_PDF),
        (b"\x89PNG\r\n", "这是图片，不是表格。传 .xlsx、.xls 或 .csv。"),
        (b"\x7fELF\x02\x01\x01\x00\x00", limits.NOT_A_SHEET),
        (b"\x09\x08\x08\x00\x00\x05", "这是很老的 Excel 格式，读不了。在 Excel 里另存为 .xlsx 再传。"),
        (b"\x81\xff\xfe\xff", limits.NOT_A_SHEET),
    ],
    ids=["html", "html_with_mark", "xml", "pdf", "png", "program", "biff_without_container", "no_text"],
)  # fmt: skip
def test_what_is_no_sheet_is_told_apart_whatever_its_name(tmp_path, content, sentence):
    path = tmp_path / "named.xls"
    path.write_bytes(content)

    assert refusal(path, SheetOfOtherType) == sentence


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"readme.txt": b"x"}, "这是压缩包，不是表格。解压后传里面的 .xlsx。"),
        ({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"x"},
         "这是 OpenDocument 文件（.ods）。另存为 .xlsx 再传。"),
        ({"xl/workbook.bin": b"x"}, "这是二进制工作簿（.xlsb）。在 Excel 里另存为 .xlsx 再传。"),
    ],
    ids=["zip", "ods", "xlsb"],
)  # fmt: skip
def test_other_containers_are_named(tmp_path, members, sentence):
    path = tmp_path / "container.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)

    assert refusal(path, SheetOfOtherType) == sentence


def test_an_xls_named_xlsx_and_an_xlsx_named_xls_are_read_by_their_bytes(tmp_path):
    old = old_workbook(tmp_path / "old.xlsx", [["企业名称"], ["巫溪云栈农业有限公司"]])
    new = inline_workbook(tmp_path / "new.xls", [["企业名称"], ["巫溪云栈农业有限公司"]])

    assert read_sheets(old)[0].rows == read_sheets(new)[0].rows == [["企业名称"], ["巫溪云栈农业有限公司"]]
    assert (prescan(old).kind, prescan(new).kind) == ("xls", "xlsx")


def test_other_office_files_in_the_old_container_are_named(tmp_path):
    assert refusal(ole(tmp_path / "letter.doc", "WordDocument", b"x"), SheetOfOtherType).startswith("这是 Word 文件")
    assert refusal(ole(tmp_path / "slides.xls", "PowerPoint Document", b"x"), SheetOfOtherType) == limits.NOT_A_SHEET


def test_an_old_workbook_with_a_cell_in_its_far_corner_is_refused(tmp_path):
    path = old_workbook(tmp_path / "far.xls", [["企业名称"]], also={(65_535, 255): "x"})

    assert refusal(path, SheetTooLarge) == (
        "工作表“details”的范围到第 65536 行、第 256 列，超过 500 万格。删掉表外的行和列再传。"
    )


def test_a_large_old_workbook_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_XLS_BYTES", 1000)

    assert refusal(old_workbook(tmp_path / "large.xls", [["企业名称"]]), SheetTooLarge).endswith("另存为 .xlsx 再传。")


def test_a_cell_of_one_megabyte_is_read(tmp_path):
    path = inline_workbook(tmp_path / "long_cell.xlsx", [["企业名称"], ["长" * MB]])

    assert len(read_sheets(path)[0].rows[1][0]) == MB
