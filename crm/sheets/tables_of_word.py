"""The tables of a Word document as raw rows: notices of titles come as one. Runs in the limited child only."""

from pathlib import Path
from typing import Any

from crm.sheets.prescan import MAX_CELLS
from crm.sheets.refusals import SheetDamaged, SheetOfOtherType, SheetTooLarge

_NO_TABLE = "这份 Word 文件里没有表格。名单写成一行一家的，复制到导入页的“粘贴几行”里。"
_DAMAGED = "这份 Word 文件不完整或已损坏，打不开。重新下载，或在 Word 里另存一次再传。"


def tables_of(path: Path) -> list[tuple[str, list[list[str]]]]:
    """(name, rows) of every table in the order of the document: 表1, 表2 …; one alone has no name.

    A cell over several columns speaks in the first of them, one over several rows in each of them. A table inside a
    cell is not read. Raises SheetDamaged, SheetOfOtherType when there is no table, SheetTooLarge.
    """
    # Imported only now: the limits of the child must be in force before native code runs.
    from docx import Document
    from docx.exceptions import PythonDocxError
    from docx.opc.exceptions import OpcError

    try:
        with path.open("rb") as file:
            found = [table._tbl for table in Document(file).tables]
    except (PythonDocxError, OpcError, SyntaxError, KeyError, ValueError, OSError, AttributeError):
        raise SheetDamaged(_DAMAGED) from None
    tables = [rows for rows in map(_rows, found) if any(any(row) for row in rows)]
    if not tables:
        raise SheetOfOtherType(_NO_TABLE)
    if len(tables) == 1:
        return [("", tables[0])]
    return [(f"表{number}", rows) for number, rows in enumerate(tables, 1)]


def _rows(table: Any) -> list[list[str]]:
    rows: list[list[str]] = []
    for line in table.tr_lst:
        row: list[str] = [""] * line.grid_before
        for cell in line.tc_lst:
            goes_on = cell.vMerge == "continue"
            above = rows[-1][len(row)] if goes_on and rows and len(row) < len(rows[-1]) else ""
            row.append(above if goes_on else _text(cell))
            row.extend([""] * (cell.grid_span - 1))
        rows.append(row)
        if len(rows) * max(map(len, rows[-1:])) > MAX_CELLS:
            raise SheetTooLarge(f"这份文件超过 {MAX_CELLS // 10_000} 万格。拆成几份再传。")
    width = max(map(len, rows), default=0)
    for row in rows:
        row.extend([""] * (width - len(row)))
    return rows


def _text(cell: Any) -> str:
    """The paragraphs of a cell, one line each."""
    return "\n".join(paragraph.text for paragraph in cell.p_lst).strip()
