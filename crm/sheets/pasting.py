"""Rows copied from a spreadsheet or a web page become a file, so that they go the way of every file."""

import csv
import io
import re

from crm.sheets.refusals import SheetFileMissing
from crm.sheets.writing import disarm

# A column of names alone, as it is copied out of a notice, has no heading; this is the one it would have.
NAMES_HEADING = "企业名称"
_FIRM = re.compile(r"(?:公司|合作社|厂|店|场|中心|院|所|部|社|行|站)(?:[（(].{1,12}[）)])?$")
_EMPTY = "没有粘贴内容。在 Excel 里选中表头和数据行，复制后粘贴到这里。"


def as_file(text: str) -> bytes:
    """The pasted rows as a .csv in UTF-8 that Excel opens: one line per row, cells cut at tabs as they were copied.

    Text that looks like a formula is disarmed, as in our own exports, and read again as it was. A single column of
    names without a heading gets one. Raises SheetFileMissing when there is nothing but blanks.
    """
    rows = [[cell.strip() for cell in row] for row in _rows(text.replace("\0", ""))]
    while rows and not any(rows[-1]):
        rows.pop()
    while rows and not any(rows[0]):
        rows.pop(0)
    if not rows:
        raise SheetFileMissing(_EMPTY)
    if all(sum(map(bool, row)) <= 1 for row in rows) and _FIRM.search("".join(rows[0])):
        rows = [[NAMES_HEADING], *(["".join(row)] for row in rows)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([disarm(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig", "replace")


def _rows(text: str) -> list[list[str]]:
    """Excel quotes a cell that holds a line break; a quotation mark inside any other cell is only a mark."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))
    except csv.Error:
        return [line.split("\t") for line in text.splitlines()]
