"""Our own marks in a file that went back to whoever sent it: how they look, and how reading leaves them out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm.sheets.reading import SheetData

# The column beside the table and the sheet at the end of the workbook; a person never has to take them out.
REASON_HEADING = "导入结果（本系统所加，传回时不读）"
SUMMARY_SHEET = "导入问题汇总"
SUMMARY_STAMP = "导入问题汇总（本系统所加，传回时不读）"
# How a comment of ours begins; what a comment said before stands under the line.
COMMENT_STAMP = "【导入】"
COMMENT_LINE = "\n—— 原有批注 ——\n"
AUTHOR = "导入"

# The fill of a marked cell by what is said of it, as Excel itself colours bad, neutral and good cells.
TINTS = {"error": "FFC7CE", "warning": "FFEB9C", "corrected": "C6EFCE"}

# Titles and notes above a table have not been seen to take more rows than this.
_SEARCHED_ROWS = 60


def without_marks(sheets: Iterable[SheetData]) -> list[SheetData]:
    """The sheets as they would be had they never been marked; rows and columns keep their places."""
    kept = [sheet for sheet in sheets if not is_summary(sheet.rows[0][0] if sheet.rows and sheet.rows[0] else "")]
    for sheet in kept:
        for row, column in reason_headings(sheet.rows):
            for cells in sheet.rows[row:]:
                cells[column] = ""
    return kept


# What a person typed in place of a cell: {(sheet, row number, letter of the column): text}.
Corrections = Mapping[tuple[str, int, str], str]
_LETTERS = re.compile(r"[A-Z]{1,3}")


def corrected(sheets: Sequence[SheetData], corrections: Corrections) -> Sequence[SheetData]:
    """The sheets with what a person typed laid over what stands in the file; a cell outside a sheet is left out."""
    by_name = {sheet.name: sheet for sheet in sheets}
    for (name, number, letter), text in corrections.items():
        sheet = by_name.get(name)
        if sheet is None or not _LETTERS.fullmatch(letter):
            continue
        row, column = number - sheet.first_row, column_number(letter) - 1
        if 0 <= row < len(sheet.rows) and column < len(sheet.rows[row]):
            sheet.rows[row][column] = text
    return sheets


def column_number(letters: str) -> int:
    """The number of a column from its letters: A → 1, AA → 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def is_summary(first_cell: Any) -> bool:
    """Whether a sheet is a summary of ours, by its first cell; its name may have been changed."""
    return isinstance(first_cell, str) and first_cell.strip().startswith(SUMMARY_STAMP)


def reason_headings(rows: Sequence[Sequence[Any]]) -> list[tuple[int, int]]:
    """Where reason columns of ours begin, as (row, column) indexes."""
    return [
        (row, column)
        for row, cells in enumerate(rows[:_SEARCHED_ROWS])
        for column, cell in enumerate(cells)
        if isinstance(cell, str) and cell.strip() == REASON_HEADING
    ]
