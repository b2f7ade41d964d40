"""Word documents: A4, official fonts with fallbacks, the head repeated, pages numbered, hostile text harmless."""

import io
import zipfile

import pytest
from docx import Document
from docx.oxml.ns import qn

from crm.sheets.documents import BODY_FONT, CENTRE, HEAD_FONT, TITLE_FONT, Paper, TableColumn, document_bytes

COLUMNS = [TableColumn("序号", 12, CENTRE), TableColumn("企业名称", 80)]


def made(**more) -> tuple[Document, dict[str, str]]:
    paper = Paper(title="推荐名单", columns=COLUMNS, rows=[["1", "甲公司"], ["2", "乙公司"]], note="谭越 导出", **more)
    content = document_bytes(paper)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml")}
    return Document(io.BytesIO(content)), parts


def test_a_document_has_its_title_its_table_and_who_signs():
    document, _ = made(before=["经初审，推荐 2 家。"], signature=["巫溪县科技局", "2026年11月27日"])

    assert [p.text for p in document.paragraphs] == [
        "推荐名单",
        "经初审，推荐 2 家。",
        "巫溪县科技局",
        "2026年11月27日",
    ]
    assert [[c.text for c in row.cells] for row in document.tables[0].rows] == [
        ["序号", "企业名称"],
        ["1", "甲公司"],
        ["2", "乙公司"],
    ]


@pytest.mark.parametrize(("wide", "size"), [(False, (210, 297)), (True, (297, 210))], ids=["upright", "across"])
def test_the_paper_is_a4(wide, size):
    document, _ = made(wide=wide)

    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == size


def test_the_fonts_are_official_and_say_what_may_stand_in():
    document, parts = made()

    assert document.paragraphs[0].runs[0]._element.rPr.rFonts.get(qn("w:eastAsia")) == TITLE_FONT
    for name, other in ((BODY_FONT, "仿宋"), (HEAD_FONT, "SimHei"), (TITLE_FONT, "宋体")):
        own = parts["word/fontTable.xml"].split(f'w:name="{name}"')[1].split("</w:font>")[0]
        assert other in own


def test_the_head_is_repeated_rows_are_not_torn_and_pages_are_numbered():
    document, parts = made()

    rows = document.tables[0].rows
    assert rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in rows)
    assert rows[1]._tr.trPr.find(qn("w:tblHeader")) is None
    footer = next(text for name, text in parts.items() if name.startswith("word/footer"))
    assert " PAGE " in footer
    assert " NUMPAGES " in footer
    assert "谭越 导出" in footer


def test_columns_stand_as_wide_as_declared_and_never_wider_than_the_page():
    columns = [TableColumn("序号", 13, CENTRE), TableColumn("企业名称", 150), TableColumn("乡镇（街道）", 20)]
    paper = Paper(title="名单", columns=columns, rows=[["1", "甲公司", ""]])

    table = Document(io.BytesIO(document_bytes(paper))).tables[0]

    # Of the cells, which Word reads, and of the grid, which the others read.
    assert [round(cell.width.mm) for cell in table.rows[1].cells] == [13, 123, 20]
    assert [round(column.width.mm) for column in table.columns] == [13, 123, 20]
    assert [cell.text for cell in table.rows[0].cells] == ["序号", "企业名称", "乡镇\n（街道）"]


def test_who_signs_stays_with_the_last_row_and_a_long_title_breaks_where_it_is_told_to():
    document, parts = made(title_lines=["巫溪县2026年第三批高新技术企业", "申报推荐名单"], signature=["巫溪县科技局"])

    assert document.paragraphs[0].text == "巫溪县2026年第三批高新技术企业\n申报推荐名单"
    assert document.core_properties.title == "推荐名单"
    last = document.tables[0].rows[-1].cells
    assert all(cell.paragraphs[0].paragraph_format.keep_with_next for cell in last)
    # A page number takes the size of its own run.
    footer = next(text for name, text in parts.items() if name.startswith("word/footer"))
    runs = footer.split("<w:r>")[1:]
    assert all('<w:sz w:val="18"/>' in run for run in runs)


def test_hostile_text_stays_text():
    rows = [["1", '\x00\x0b\ud800<w:p/>{HYPERLINK "http://x"}=1+1&\u200b𠮷\ue000']]
    paper = Paper(title="名\x00单", columns=COLUMNS, rows=rows)

    document = Document(io.BytesIO(document_bytes(paper)))

    assert document.paragraphs[0].text == "名单"
    assert document.tables[0].rows[1].cells[1].text == '<w:p/>{HYPERLINK "http://x"}=1+1&\u200b𠮷\ue000'
