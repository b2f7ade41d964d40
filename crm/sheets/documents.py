"""A list as a Word document: title, lines above, a table with its head on every page, lines below."""

from collections.abc import Iterable, Sequence
from typing import IO, Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

_FONT = "仿宋"
_TITLE_FONT = "黑体"


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
    """Write the document to a binary stream and answer how many rows it has. ``widths`` are millimetres.

    A4 across; text stands as text whatever it looks like. Control characters, which XML cannot hold, are left out.
    """
    document = Document()
    _page(document)
    _paragraph(document, title, size=18, font=_TITLE_FONT, centre=True)
    for line in above:
        _paragraph(document, line, size=11, centre=True)
    table = document.add_table(rows=1, cols=len(heads))
    table.style = "Table Grid"
    _line(table.rows[0], heads, bold=True)
    _repeat(table.rows[0])
    count = 0
    for row in rows:
        _line(table.add_row(), row)
        count += 1
    if widths is not None:
        for line_ in table.rows:
            for cell, width in zip(line_.cells, widths, strict=True):
                cell.width = Mm(width)
    for line in below:
        _paragraph(document, line, size=10)
    document.save(target)
    return count


def _page(document: Any) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.left_margin = section.right_margin = Mm(18)
    section.top_margin = section.bottom_margin = Mm(18)


def _paragraph(document: Any, text: str, *, size: int, font: str = _FONT, centre: bool = False) -> None:
    paragraph = document.add_paragraph()
    if centre:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(paragraph, text, size, font)


def _line(row: Any, texts: Sequence[str], *, bold: bool = False) -> None:
    for cell, text in zip(row.cells, texts, strict=True):
        run = _run(cell.paragraphs[0], text, 10, _TITLE_FONT if bold else _FONT)
        run.bold = bold


def _run(paragraph: Any, text: str, size: int, font: str) -> Any:
    run = paragraph.add_run("".join(c for c in text if c == "\n" or c.isprintable()))
    run.font.size = Pt(size)
    run.font.name = font
    run.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    return run


def _repeat(row: Any) -> None:
    """The head stands on every page, and no row is broken."""
    properties = row._tr.get_or_add_trPr()
    head = OxmlElement("w:tblHeader")
    head.set(qn("w:val"), "true")
    properties.append(head)
