"""The process that parses one file for ``reading``: ``python -m crm.sheets.child KIND PATH MEMORY_MB SECONDS``.

It limits itself before it touches the file and answers in lines of JSON on standard output. It may die: a hostile
workbook can abort the parser. Nothing else runs in this process.
"""

import csv
import io
import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from crm.sheets.prescan import MAX_CELLS, NOT_A_SHEET
from crm.sheets.refusals import SheetDamaged, SheetEncrypted, SheetOfOtherType, SheetRefused, SheetTooLarge

_PORTION = 1000
_DAMAGED = "这份文件不完整或已损坏，打不开。重新下载，或在 Excel 里另存一次再传。"
# A cell of Excel holds 32,767 characters; a csv cell a hundred times as long is no cell.
_MAX_CSV_CELL = 2_000_000


def main(arguments: list[str]) -> int:
    kind, path, memory_mb, seconds = arguments
    _limit(int(memory_mb), int(seconds))
    try:
        if kind == "csv":
            _send_csv(Path(path))
        elif kind == "docx":
            # Imported only now: the limits above must be in force before native code runs.
            from crm.sheets.tables_of_word import tables_of

            for name, rows in tables_of(Path(path)):
                _send_sheet(name, False, rows, [])
        else:
            _send_workbook(Path(path))
        _send("end", None)
    except SheetRefused as refusal:
        _send("refused", [refusal.code, refusal.message])
    return 0


def _limit(memory_mb: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _send(kind: str, content: Any) -> None:
    sys.stdout.write(json.dumps([kind, content], default=_tagged, separators=(",", ":")))
    sys.stdout.write("\n")
    sys.stdout.flush()


def _tagged(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, (time, timedelta)):
        return str(value)
    raise TypeError(type(value).__name__)


def _send_sheet(name: str, hidden: bool, rows: list[list[Any]], merged: list[tuple[int, int, int, int]]) -> None:
    _send("sheet", {"name": name, "hidden": hidden, "merged": merged})
    remaining = iter(rows)
    while portion := list(islice(remaining, _PORTION)):
        _send("rows", portion)


def _send_workbook(path: Path) -> None:
    # Imported only now: the limits above must be in force before native code runs.
    import python_calamine as calamine

    try:
        # From a file object the reader judges by the bytes; a name that lies does not mislead it.
        with path.open("rb") as file:
            book = calamine.CalamineWorkbook.from_filelike(file)
        for about in book.sheets_metadata:
            if about.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(about.name)
            height, width = (last + 1 for last in sheet.end or (-1, -1))
            if height * width > MAX_CELLS:
                raise SheetTooLarge(
                    f"工作表“{about.name}”的范围到第 {height} 行、第 {width} 列，"
                    f"超过 {MAX_CELLS // 10_000} 万格。删掉表外的行和列再传。"
                )
            rows = sheet.to_python(skip_empty_area=False)
            areas = [(top, left, bottom, right) for (top, left), (bottom, right) in sheet.merged_cell_ranges or []]
            _carry_down(rows, areas)
            while rows and not any(cell != "" for cell in rows[-1]):
                rows.pop()
            hidden = about.visible != calamine.SheetVisibleEnum.Visible
            _send_sheet(about.name, hidden, rows, [area for area in areas if area[0] < len(rows)])
    except calamine.PasswordError:
        raise SheetEncrypted("这份文件有密码，打不开。在 Excel 里去掉密码再传。") from None
    except (calamine.CalamineError, calamine.XmlError, calamine.ZipError, OSError, ValueError):
        raise SheetDamaged(_DAMAGED) from None


def _carry_down(rows: list[list[Any]], areas: list[tuple[int, int, int, int]]) -> None:
    """A merged cell over several rows says the same of each row that says anything itself."""
    tall = [area for area in areas if area[2] > area[0] and area[0] < len(rows)]
    filled = [any(cell != "" for cell in row) for row in rows] if tall else []
    for top, left, bottom, _right in tall:
        if left >= len(rows[top]):
            continue
        for index in range(top + 1, min(bottom, len(rows) - 1) + 1):
            if filled[index]:
                rows[index][left] = rows[top][left]


# --- csv --------------------------------------------------------------------------------------------------------


def _send_csv(path: Path) -> None:
    text = _decoded(path.read_bytes())
    csv.field_size_limit(_MAX_CSV_CELL)
    rows: list[list[Any]] = []
    cells = 0
    try:
        for row in _records(text, _delimiter(text)):
            rows.append([_armed(cell) for cell in row])
            cells += len(row)
            if cells > MAX_CELLS:
                raise SheetTooLarge(f"这份文件超过 {MAX_CELLS // 10_000} 万格。拆成几份再传。")
    except csv.Error:
        raise SheetDamaged("这份 .csv 的引号不成对或有一格过长，读不下去。用 Excel 打开后另存为 .xlsx 再传。") from None
    while rows and not any(rows[-1]):
        rows.pop()
    width = max(map(len, rows), default=0)
    for row in rows:
        row.extend([""] * (width - len(row)))
    _send_sheet("", False, rows, [])


def _decoded(content: bytes) -> str:
    """Text by its mark, else strictly as UTF-8, else as GB 18030, which is what Excel writes in China."""
    encodings = ("utf-8-sig", "gb18030")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetOfOtherType(NOT_A_SHEET)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _delimiter(text: str) -> str:
    """The mark that cuts the first lines into the most columns on most of them; a comma when none does."""
    sample = text[:20_000]

    def width(mark: str) -> int:
        try:
            widths = sorted(len(row) for row in islice(_records(sample, mark), 30) if row)
        except csv.Error:
            return 0
        return widths[len(widths) // 2] if widths else 0

    return max(",\t;|", key=lambda mark: (width(mark), mark == ","))


def _armed(cell: str) -> str:
    """Takes off the one apostrophe that our own csv export puts before text that looks like a formula."""
    if cell.startswith("'") and cell.lstrip("'")[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return cell[1:]
    return cell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
