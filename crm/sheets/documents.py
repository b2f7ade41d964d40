"""Word documents that leave the house: A4, the fonts of official papers with fallbacks, heads repeated, pages numbered.

What is written here opens in Word, WPS and LibreOffice. Text is text: control characters are left out, nothing is
taken for a field or a link.
"""

import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.opc.oxml import serialize_part_xml
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt

# The fonts of official papers (GB/T 9704), and what stands in for one that a machine does not have.
TITLE_FONT, BODY_FONT, HEAD_FONT = "方正小标宋简体", "仿宋_GB2312", "黑体"
FALLBACKS: dict[str, str] = {
    TITLE_FONT: "方正小标宋_GBK, 华文中宋, 宋体, SimSun, Noto Serif CJK SC",
    BODY_FONT: "仿宋, FangSong, 华文仿宋, Noto Serif CJK SC",
    HEAD_FONT: "SimHei, 微软雅黑, Noto Sans CJK SC",
}
LATIN_FONT = "Times New Roman"
# 二号 for the title, 三号 for the text, 小四 in tables, 五号 in wide ones, 小五 in wide ones of many columns.
TITLE_SIZE, BODY_SIZE, TABLE_SIZE, WIDE_SIZE, DENSE_SIZE, NOTE_SIZE = 22, 16, 12, 10.5, 9, 9
_MANY_COLUMNS = 10
# What a page has between its margins, across and upright.
_ACROSS_MM, _UPRIGHT_MM = 267, 156
# Between the text of a cell and its line.
_CELL_MARGIN_MM = 1
_MM_OF_A_POINT = 25.4 / 72
# A narrower column of a list holds a number, a code or a word, which stand in its middle.
_NARROW_MM = 50
LEFT, CENTRE, RIGHT = "left", "centre", "right"
_ALIGN = {
    LEFT: WD_ALIGN_PARAGRAPH.LEFT,
    CENTRE: WD_ALIGN_PARAGRAPH.CENTER,
    RIGHT: WD_ALIGN_PARAGRAPH.RIGHT,
}


@dataclass(frozen=True)
class TableColumn:
    """A column on paper: its heading, its width in millimetres, how its cells stand."""

    heading: str
    width_mm: float
    align: str = LEFT


@dataclass(frozen=True)
class Paper:
    """A document with one table: title, sentences before it, the table, sentences after it, who signs.

    ``title_lines`` are the title where it is too long for one line, broken where its sense allows it. ``wide`` turns
    the page, ``small`` sets the sentences as lines of notes. ``signature`` are the lines at the right end, office and
    date; ``note`` is the small line at the foot of each page, beside the page number: who took it and when.
    """

    title: str
    title_lines: Sequence[str] = ()
    columns: Sequence[TableColumn] = ()
    rows: Iterable[Sequence[str]] = ()
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    signature: Sequence[str] = ()
    note: str = ""
    wide: bool = False
    small: bool = False
    properties: dict[str, str] = field(default_factory=dict)


def write_document(target: IO[bytes], paper: Paper) -> int:
    """Write a document to a binary stream; answers how many rows its table has."""
    document = Document()
    _fonts(document)
    _page(document, paper)
    _title(document, "\n".join(paper.title_lines or (paper.title,)))
    say = _small if paper.small else _sentence
    for sentence in paper.before:
        say(document, sentence)
    written = _table(document, paper) if paper.columns else 0
    for sentence in paper.after:
        say(document, sentence)
    _signature(document, paper.signature)
    _foot(document, paper.note)
    document.core_properties.title = plain(paper.title)
    document.core_properties.author = plain(paper.properties.get("author", ""))
    document.core_properties.comments = ""
    document.save(target)
    return written


def document_bytes(paper: Paper) -> bytes:
    """The document as bytes."""
    target = io.BytesIO()
    write_document(target, paper)
    return target.getvalue()


def write_list_document(
    target: IO[bytes],
    *,
    title: str,
    above: Sequence[str],
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    below: Sequence[str] = (),
    widths: Sequence[int] | None = None,
) -> int:
    """Write a list on A4 across to a binary stream and answer how many rows it has. ``widths`` are millimetres.

    Text stands as text whatever it looks like. The lines ``above`` stand under the title, those ``below`` after the
    table.
    """
    shares = widths if widths is not None else [_ACROSS_MM // len(heads)] * len(heads)
    columns = [
        TableColumn(head, width, CENTRE if width < _NARROW_MM else LEFT)
        for head, width in zip(heads, shares, strict=True)
    ]
    paper = Paper(title, columns=columns, rows=rows, before=above, after=below, wide=True, small=True)
    return write_document(target, paper)


def plain(text: object) -> str:
    """Text without what XML cannot hold; line breaks stay."""
    said = "" if text is None else str(text)
    return "".join(c for c in said if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


# --- parts -----------------------------------------------------------------------------------------------------------


def _fonts(document: Any) -> None:
    """The document's own font, and in its font table what may stand in for each."""
    style = document.styles["Normal"]
    style.font.name = LATIN_FONT
    style.font.size = Pt(BODY_SIZE)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), BODY_FONT)
    table = next(
        (rel.target_part for rel in document.part.rels.values() if rel.reltype.endswith("/fontTable")),
        None,
    )
    if table is None:
        return
    root = parse_xml(table.blob)
    for name, others in FALLBACKS.items():
        root.append(parse_xml(f'<w:font {nsdecls("w")} w:name="{name}"><w:altName w:val="{others}"/></w:font>'))
    table._blob = serialize_part_xml(root)


def _page(document: Any, paper: Paper) -> None:
    section = document.sections[0]
    width, height = (Mm(297), Mm(210)) if paper.wide else (Mm(210), Mm(297))
    section.orientation = WD_ORIENT.LANDSCAPE if paper.wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = width, height
    # GB/T 9704: 37 mm at the top, 28 mm inside; a wide table needs the paper.
    margins = (20, 18, 15, 15) if paper.wide else (37, 35, 28, 26)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = map(Mm, margins)
    section.footer_distance = Mm(12)


def _title(document: Any, text: str) -> None:
    paragraph = _paragraph(document, CENTRE)
    paragraph.paragraph_format.space_after = Pt(14)
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.AT_LEAST
    paragraph.paragraph_format.keep_with_next = True
    _run(paragraph, text, TITLE_FONT, TITLE_SIZE)


def _sentence(document: Any, text: str) -> None:
    """A paragraph of the text: two characters in, lines 28 points apart."""
    paragraph = _paragraph(document, LEFT)
    paragraph.paragraph_format.first_line_indent = Pt(2 * BODY_SIZE)
    paragraph.paragraph_format.space_after = Pt(4)
    _run(paragraph, text, BODY_FONT, BODY_SIZE)


def _small(document: Any, text: str) -> None:
    paragraph = _paragraph(document, LEFT)
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(4)
    _run(paragraph, text, BODY_FONT, WIDE_SIZE)


def _signature(document: Any, lines: Sequence[str]) -> None:
    """Office and date at the right end, two characters in, never alone on a page of their own."""
    for place, line in enumerate(lines):
        paragraph = _paragraph(document, RIGHT)
        paragraph.paragraph_format.right_indent = Pt(2 * BODY_SIZE)
        paragraph.paragraph_format.keep_with_next = place + 1 < len(lines)
        if place == 0:
            paragraph.paragraph_format.space_before = Pt(BODY_SIZE)
        _run(paragraph, line, BODY_FONT, BODY_SIZE)


def _paragraph(document: Any, align: str) -> Any:
    paragraph = document.add_paragraph()
    paragraph.alignment = _ALIGN[align]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(0)
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    paragraph.paragraph_format.line_spacing = Pt(28)
    return paragraph


def _run(paragraph: Any, text: str, font: str, size: float, *, bold: bool = False) -> Any:
    run = paragraph.add_run(plain(text))
    run.font.name = LATIN_FONT
    run.font.size = Pt(size)
    run.bold = bold
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    return run


def _table(document: Any, paper: Paper) -> int:
    size = TABLE_SIZE if not paper.wide else DENSE_SIZE if len(paper.columns) >= _MANY_COLUMNS else WIDE_SIZE
    columns = _fitted(paper.columns, _ACROSS_MM if paper.wide else _UPRIGHT_MM)
    table = document.add_table(rows=1, cols=len(paper.columns))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    # Word reads the width of each cell, LibreOffice and WPS that of the grid.
    for place, column in enumerate(columns):
        table.columns[place].width = Mm(column.width_mm)
    margin = Mm(_CELL_MARGIN_MM).twips
    table._tbl.tblPr.append(
        parse_xml(
            f'<w:tblCellMar {nsdecls("w")}><w:left w:w="{margin}" w:type="dxa"/>'
            f'<w:right w:w="{margin}" w:type="dxa"/></w:tblCellMar>'
        )
    )
    head = table.rows[0]
    for column, cell in zip(columns, head.cells, strict=True):
        _cell(cell, column, _heading(column, size), HEAD_FONT, size, CENTRE)
    _mark(head, "w:tblHeader")
    _mark(head, "w:cantSplit")
    written, row = 0, head
    for values in paper.rows:
        row = table.add_row()
        # Cells of a row are looked up once: asking for each by its place would walk the whole table again.
        for column, cell, value in zip(columns, row.cells, values, strict=True):
            _cell(cell, column, value, BODY_FONT, size, column.align)
        _mark(row, "w:cantSplit")
        written += 1
    if paper.signature:
        # Who signs stays on one page with the last of what is signed.
        for cell in row.cells:
            cell.paragraphs[0].paragraph_format.keep_with_next = True
    return written


def _fitted(columns: Sequence[TableColumn], available_mm: float) -> list[TableColumn]:
    """The columns as wide as the page: what is too much is taken off the widest, whose text is cut into more lines."""
    fitted = list(columns)
    beyond = sum(column.width_mm for column in fitted) - available_mm
    if beyond > 0:
        widest = max(range(len(fitted)), key=lambda place: fitted[place].width_mm)
        fitted[widest] = replace(fitted[widest], width_mm=max(fitted[widest].width_mm - beyond, 20))
    return fitted


def _heading(column: TableColumn, size: float) -> str:
    """A heading too long for its column goes on with its bracket on a line of its own."""
    wide = sum(1 if unicodedata.east_asian_width(c) in "WFA" else 0.5 for c in column.heading)
    fits = wide * size * _MM_OF_A_POINT <= column.width_mm - 2 * _CELL_MARGIN_MM
    return column.heading if fits else column.heading.replace("（", "\n（")


def _cell(cell: Any, column: TableColumn, text: str, font: str, size: float, align: str) -> None:
    cell.width = Mm(column.width_mm)
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    paragraph.alignment = _ALIGN[align]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    # The mark of the paragraph is as high as its text, or a blank cell would stretch its row.
    paragraph._p.get_or_add_pPr().append(parse_xml(f'<w:rPr {nsdecls("w")}><w:sz w:val="{round(2 * size)}"/></w:rPr>'))
    _run(paragraph, text, font, size)


def _mark(row: Any, name: str) -> None:
    """A property of a row: its head is repeated on each page, it is not torn over two."""
    row._tr.get_or_add_trPr().append(OxmlElement(name))


def _foot(document: Any, note: str) -> None:
    paragraph = document.sections[0].footer.paragraphs[0]
    paragraph.alignment = _ALIGN[CENTRE]
    if note:
        _run(paragraph, f"{note}　　", BODY_FONT, NOTE_SIZE)
    _run(paragraph, "第 ", BODY_FONT, NOTE_SIZE)
    _number(paragraph, "PAGE")
    _run(paragraph, " 页，共 ", BODY_FONT, NOTE_SIZE)
    _number(paragraph, "NUMPAGES")
    _run(paragraph, " 页", BODY_FONT, NOTE_SIZE)


def _number(paragraph: Any, what: str) -> None:
    # Each part in a run of its own: a number that is filled in takes the size of the run it stands in.
    for kind, text in (("begin", ""), ("", what), ("separate", ""), ("text", "1"), ("end", "")):
        if kind == "text":
            part = OxmlElement("w:t")
            part.text = text
        elif kind:
            part = OxmlElement("w:fldChar")
            part.set(qn("w:fldCharType"), kind)
        else:
            part = OxmlElement("w:instrText")
            part.set(qn("xml:space"), "preserve")
            part.text = f" {text} "
        _run(paragraph, "", BODY_FONT, NOTE_SIZE)._element.append(part)
