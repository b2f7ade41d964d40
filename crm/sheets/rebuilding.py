"""A new .xlsx from the values of a file that cannot be written into: same sheets, rows and columns, with its marks."""

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from xlsxwriter.utility import xl_cell_to_rowcol

from crm.sheets import marks
from crm.sheets.books import new_workbook
from crm.sheets.reading import SheetData, read_sheets

# The columns of the summary and their widths.
SUMMARY_HEADS = (("表", 16), ("行", 8), ("格", 8), ("列", 22), ("填的是", 28), ("问题", 80), ("轻重", 8))

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_LONGEST_TEXT = 32_767
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WIDTHS = (8, 40)


def printable(text: str) -> str:
    """Text that a cell can hold: without control characters, not longer than Excel allows."""
    return _NO_TEXT.sub("", text)[:_LONGEST_TEXT]


def rebuild(job: Mapping[str, Any]) -> None:
    """Write the job's target from its source. ``good``: rows to leave out by sheet, and the only sheets wanted."""
    sheets = marks.without_marks(read_sheets(Path(job["source"]), name=job["name"]))
    cells: dict[str, dict[tuple[int, int], list[dict[str, Any]]]] = {}
    for said in job["cells"]:
        row, column = xl_cell_to_rowcol(f"{said['letter']}{said['row']}")
        cells.setdefault(said["sheet"], {}).setdefault((row, column), []).append(said)
    reasons: dict[str, dict[int, str]] = {}
    for name, row, text in job["reasons"]:
        reasons.setdefault(name, {})[row] = text
    good = job["good"]
    taken: set[str] = {marks.SUMMARY_SHEET}
    moved: dict[str, dict[int, int]] = {}
    with new_workbook(job["target"], _OPTIONS) as book:
        formats = _Formats(book)
        for sheet in sheets:
            if good is not None and sheet.name not in good:
                continue
            target = book.add_worksheet(_free_name(sheet.name, taken))
            if sheet.hidden and good is None:
                target.hide()
            drop = frozenset(good[sheet.name]) if good is not None else frozenset()
            header = job["header_rows"].get(sheet.name)
            marked = cells.get(sheet.name, {}), reasons.get(sheet.name, {})
            moved[sheet.name] = _fill(target, sheet, marked, header, drop, formats, leaves_out=good is not None)
        _fill_summary(book.add_worksheet(marks.SUMMARY_SHEET), job, moved, formats)


def _fill(
    target: Any,
    sheet: SheetData,
    marked: tuple[Mapping[tuple[int, int], list[dict[str, Any]]], Mapping[int, str]],
    header: int | None,
    drop: Collection[int],
    formats: "_Formats",
    *,
    leaves_out: bool,
) -> dict[int, int]:
    """The rows of a sheet with their marks; answers where each row stands now, {number it had: number it has}."""
    cells, reasons = marked
    beside = 1 + max((index for row in sheet.rows for index, cell in enumerate(row) if cell != ""), default=-1)
    for index, width in enumerate(_widths(sheet, beside)):
        target.set_column(index, index, width)
    target.set_column(beside, beside, 60)
    written = 0
    moved: dict[int, int] = {}
    for index, row in enumerate(sheet.rows):
        number = sheet.row_number(index)
        is_blank = all(cell == "" for cell in row)
        if number in drop or (leaves_out and header is not None and number > header and is_blank):
            continue
        for column, content in enumerate(row):
            said = cells.get((number - 1, column), ())
            corrected = next((entry["value"] for entry in said if entry["value"] is not None), None)
            look = _worst(said)
            _write(target, written, column, content if corrected is None else corrected, look, formats)
            if said:
                text = marks.COMMENT_STAMP + "\n".join(entry["text"] for entry in said)
                options = {"author": marks.AUTHOR, "x_scale": 2.2, "y_scale": 1.4}
                target.write_comment(written, column, printable(text), options)
        if number == header and reasons:
            target.write_string(written, beside, marks.REASON_HEADING, formats.of("head", "warning"))
        elif number in reasons:
            target.write_string(written, beside, printable(reasons[number]))
        moved[number] = written + 1
        written += 1
    _merge_head(target, sheet, header)
    return moved


def _merge_head(target: Any, sheet: SheetData, header: int | None) -> None:
    """Titles and group headings stay merged; below, every row of a merged area already says what the area says."""
    for top, left, bottom, right in sheet.merged:
        if header is not None and top == bottom and right > left and sheet.row_number(top) <= header:
            target.merge.append([top, left, bottom, right])
            target.merged_cells.update({(top, column): None for column in range(left, right + 1)})


def _worst(said: Collection[Mapping[str, Any]]) -> str:
    looks = {entry["look"] for entry in said}
    return next((look for look in ("error", "corrected", "warning") if look in looks), "")


def _write(target: Any, row: int, column: int, content: Any, look: str, formats: "_Formats") -> None:
    if content == "" or content is None:
        if look:
            target.write_blank(row, column, None, formats.of("", look))
    elif isinstance(content, bool):
        target.write_boolean(row, column, content, formats.of("", look))
    elif isinstance(content, (int, float)):
        target.write_number(row, column, content, formats.of("", look))
    elif isinstance(content, (date, datetime)):
        kind = "moment" if isinstance(content, datetime) and content.time() != content.time().min else "date"
        target.write_datetime(row, column, content, formats.of(kind, look))
    else:
        target.write_string(row, column, printable(str(content)), formats.of("text", look))


def _widths(sheet: SheetData, columns: int) -> list[int]:
    sample = sheet.rows[:200]
    return [
        min(max([_WIDTHS[0], *(_width(row[index]) for row in sample if index < len(row))]), _WIDTHS[1])
        for index in range(columns)
    ]


def _width(content: Any) -> int:
    if isinstance(content, (date, datetime)):
        return 12
    return sum(2 if ord(character) > 255 else 1 for character in str(content)[:60]) + 2


def _fill_summary(
    target: Any, job: Mapping[str, Any], moved: Mapping[str, Mapping[int, int]], formats: "_Formats"
) -> None:
    target.write_string(0, 0, marks.SUMMARY_STAMP, formats.of("title", ""))
    for number, line in enumerate(job["lines"], start=1):
        target.write_string(number, 0, printable(line))
    head = len(job["lines"]) + 2
    for column, (heading, width) in enumerate(SUMMARY_HEADS):
        target.write_string(head, column, heading, formats.of("head", ""))
        target.set_column(column, column, width)
    for number, (name, row, place, *rest) in enumerate(job["problems"], start=head + 1):
        now = moved.get(name, {}).get(row, row)
        target.write_string(number, 0, printable(name))
        if row:
            target.write_number(number, 1, now)
        for column, text in enumerate((place.replace(str(row), str(now)), *rest), start=2):
            target.write_string(number, column, printable(text))
    target.freeze_panes(head + 1, 0)


def _free_name(name: str, taken: set[str]) -> str:
    """A name Excel accepts that no sheet of the new workbook has; the file's own wherever possible."""
    plain = re.sub(r"[\[\]:*?/\\]", " ", printable(name))[:31].strip("' ") or "表"
    free, number = plain, 1
    while free.lower() in {other.lower() for other in taken}:
        number += 1
        free = f"{plain[: 31 - len(str(number)) - 2]}({number})"
    taken.add(free)
    return free


class _Formats:
    """The few formats of a rebuilt workbook, made when first asked for."""

    _KINDS: Mapping[str, Mapping[str, Any]] = {
        "": {},
        "text": {"num_format": "@"},
        "date": {"num_format": "yyyy-mm-dd"},
        "moment": {"num_format": "yyyy-mm-dd hh:mm:ss"},
        "head": {"bold": True},
        "title": {"bold": True, "font_size": 14},
    }

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[str, str], Any] = {}

    def of(self, kind: str, look: str) -> Any:
        if (kind, look) not in self._made:
            fill = {"bg_color": f"#{marks.TINTS[look]}"} if look else {}
            self._made[kind, look] = self._book.add_format({**self._KINDS[kind], **fill})
        return self._made[kind, look]
