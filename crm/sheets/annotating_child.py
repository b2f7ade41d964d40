"""The process that marks one file for ``annotating``: ``python -m crm.sheets.annotating_child MODE MEMORY_MB SECONDS``.

The job comes as JSON on standard input. ``mark`` opens the workbook and writes into it; ``rebuild`` writes a new one
from its values. It ends with 0 when the target is written, and may die.
"""

import json
import resource
import sys
import zipfile
from copy import copy
from pathlib import Path
from typing import IO, Any

from crm.sheets import marks
from crm.sheets.rebuilding import SUMMARY_HEADS, printable, rebuild

_REASON_WIDTH = 60
_COMMENT_SIZE = (300, 110)


def main(arguments: list[str]) -> int:
    mode, memory_mb, seconds = arguments
    resource.setrlimit(resource.RLIMIT_AS, (int(memory_mb) * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    job = json.load(sys.stdin)
    if mode == "mark":
        _mark(job)
    else:
        rebuild(job)
    return 0


def _mark(job: dict[str, Any]) -> None:
    import openpyxl

    with Path(job["source"]).open("rb") as file:
        book = openpyxl.load_workbook(file, rich_text=True)
        job["lines"] += _lost(file)
    for sheet in list(book.worksheets):
        if marks.is_summary(sheet.cell(1, 1).value):
            book.remove(sheet)
        else:
            _take_marks_off(sheet)
    for said in job["cells"]:
        if said["sheet"] in book.sheetnames:
            _mark_cell(book[said["sheet"]], said)
    by_sheet: dict[str, list[tuple[int, str]]] = {}
    for name, row, text in job["reasons"]:
        by_sheet.setdefault(name, []).append((row, text))
    for name, reasons in by_sheet.items():
        if name in book.sheetnames:
            _write_reasons(book[name], job["header_rows"].get(name, 1), reasons)
    _write_summary(book, job)
    # What formulas came to is not kept by this writer: whoever opens the file works it out anew.
    book.calculation.fullCalcOnLoad = True
    book.save(job["target"])


def _lost(file: IO[bytes]) -> list[str]:
    """What the workbook holds and this writer does not write again."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    said = []
    if any(name.startswith("xl/media/") for name in names):
        said.append("原文件里的图片没有带回来；要用就在原文件里改。")
    if any(name.endswith("vbaProject.bin") for name in names):
        said.append("原文件里的宏没有带回来；要用就在原文件里改。")
    return said


def _take_marks_off(sheet: Any) -> None:
    """A file that was marked before: what was said then is said no more."""
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    found = marks.reason_headings(list(sheet.iter_rows(max_row=60, values_only=True)))
    for row, column in found:
        for (cell,) in sheet.iter_rows(min_row=row + 1, min_col=column + 1, max_col=column + 1):
            cell.value, cell.style = None, "Normal"
    for cells in sheet.iter_rows():
        for cell in cells:
            if cell.comment is not None and cell.comment.text.startswith(marks.COMMENT_STAMP):
                before = cell.comment.text.partition(marks.COMMENT_LINE)[2]
                cell.comment = Comment(before, marks.AUTHOR) if before else None
                cell.fill = PatternFill()


def _mark_cell(sheet: Any, said: dict[str, Any]) -> None:
    from openpyxl.cell.cell import MergedCell
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    cell = sheet[f"{said['letter']}{said['row']}"]
    if isinstance(cell, MergedCell):
        area = next(area for area in sheet.merged_cells.ranges if cell.coordinate in area)
        cell = sheet.cell(area.min_row, area.min_col)
    elif said["value"] is not None:
        _write_text(cell, said["value"])
    colour = marks.TINTS[said["look"]]
    cell.fill = PatternFill("solid", start_color=colour, end_color=colour)
    before = cell.comment.text if cell.comment is not None else ""
    if before.startswith(marks.COMMENT_STAMP):
        text = before.replace(marks.COMMENT_STAMP, f"{marks.COMMENT_STAMP}{said['text']}\n", 1)
    else:
        text = f"{marks.COMMENT_STAMP}{said['text']}{marks.COMMENT_LINE + before if before else ''}"
    cell.comment = Comment(printable(text), marks.AUTHOR, *reversed(_COMMENT_SIZE))


def _write_reasons(sheet: Any, header_row: int, reasons: list[tuple[int, str]]) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    column = _first_free(sheet)
    heading = sheet.cell(header_row, column)
    heading.value = marks.REASON_HEADING
    heading.font = Font(bold=True)
    heading.fill = PatternFill("solid", start_color=marks.TINTS["warning"], end_color=marks.TINTS["warning"])
    for row, text in reasons:
        _write_text(sheet.cell(row, column), text)
    dimension = sheet.column_dimensions[get_column_letter(column)]
    dimension.hidden, dimension.width = False, _REASON_WIDTH


def _first_free(sheet: Any) -> int:
    """The column right of everything that is filled or merged."""
    last = 0
    for cells in sheet.iter_rows():
        for cell in reversed(cells):
            if cell.value is not None:
                last = max(last, cell.column)
                break
    return max([last, *(area.max_col for area in sheet.merged_cells.ranges)]) + 1


def _write_summary(book: Any, job: dict[str, Any]) -> None:
    from openpyxl.styles import Alignment, Font

    sheet = book.create_sheet(marks.SUMMARY_SHEET)
    for number, line in enumerate([marks.SUMMARY_STAMP, *job["lines"]], start=1):
        _write_text(sheet.cell(number, 1), line)
    sheet["A1"].font = Font(bold=True, size=14)
    head = len(job["lines"]) + 3
    bold = Font(bold=True)
    for column, (heading, width) in enumerate(SUMMARY_HEADS, start=1):
        cell = sheet.cell(head, column)
        cell.value, cell.font = heading, copy(bold)
        sheet.column_dimensions["ABCDEFG"[column - 1]].width = width
    left = Alignment(horizontal="left")
    for number, problem in enumerate(job["problems"], start=head + 1):
        for column, content in enumerate(problem, start=1):
            cell = sheet.cell(number, column)
            cell.alignment = left
            if isinstance(content, int):
                cell.value = content or None
            else:
                _write_text(cell, content)
    sheet.freeze_panes = sheet.cell(head + 1, 1)


def _write_text(cell: Any, text: str) -> None:
    """Text as text: nothing that begins with = becomes a formula."""
    cell.value = printable(text) or None
    if cell.value is not None:
        cell.data_type = "s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
