"""Rows to bytes: any list as a workbook or csv, the blank template of a profile, and an export in a profile's layout.

Text is written as text, never as a formula or link; codes stand in text columns, dates are dates, money carries its
unit in the head. What is written here and read again by ``reading`` and ``rows`` gives the same values.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import IO, Any

from xlsxwriter.utility import xl_col_to_name

from crm.domain.codecs import write_value
from crm.domain.date_readers import EARLIEST
from crm.domain.fields import CHOICES, Field
from crm.sheets.books import Target, new_workbook
from crm.sheets.layouts import OPTIONS_SHEET, Column, Profile, SheetLayout
from crm.sheets.rows import Choices, choices_for

# Excel refuses a drop-down whose entries together are longer; longer lists stand on a hidden sheet.
LONGEST_DROPDOWN = 255
# Drop-downs and checks reach this far down a blank template.
BLANK_ROWS = 2_000

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd",
}
_WIDTHS = {
    "date": 12, "year": 8, "count": 10, "money": 16, "ratio": 10, "number": 10, "yes_no": 8, "choice": 16,
    "code": 22, "industry": 10, "long_text": 48, "region": 14, "person": 10,
}  # fmt: skip
_NUMBER_FORMATS = {
    "date": "yyyy-mm-dd", "year": "0", "count": "#,##0", "money": "#,##0.00", "ratio": "0.00%", "number": "0.##",
    "code": "@", "industry": "@",
}  # fmt: skip


class ListColumn:
    """A column of a list: a declared field, or a heading with a type for what a list works out itself."""

    def __init__(self, column: Field | tuple[str, str] | Column, money_unit: str) -> None:
        if isinstance(column, Column):
            self.field, self.heading, self.unit = column.field, column.title, column.unit
            return
        field = column if isinstance(column, Field) else Field("", column[0], column[0], column[1])
        self.field = field
        self.unit = money_unit if field.type == "money" else None
        self.heading = f"{field.label}（{self.unit}）" if self.unit else field.label


def write_list(
    target: Target,
    *,
    title: str,
    columns: Sequence[Field | tuple[str, str]],
    rows: Iterable[Sequence[Any]],
    watermark: str,
    subtitle: str = "",
    choices: Choices | None = None,
    money_unit: str = "万元",
    sheet_name: str = "名单",
    printed: bool = False,
) -> int:
    """Write a list to a path or binary stream as .xlsx and answer how many rows it has.

    ``columns`` are declared fields or (heading, type); ``rows`` hold values in that order (stored values: Decimal 元,
    date, bool, codes of choices, or ready words) and are taken one at a time. ``watermark`` says who took what and
    when; it is the last row, written as a note so that an import leaves it out. ``printed``: it is meant for paper, A4
    across, as wide as the page, its head on every page.
    """
    heads = [ListColumn(column, money_unit) for column in columns]
    with new_workbook(target, _OPTIONS) as book:
        sheet = book.add_worksheet(_sheet_name(sheet_name))
        top = [title, subtitle] if subtitle else [title]
        if printed:
            _for_paper(sheet, header=len(top))
        return _fill(book, sheet, heads, rows, choices, top, watermark)


def _for_paper(sheet: Any, *, header: int) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(header)
    sheet.set_footer("&C第 &P 页，共 &N 页")


def write_csv(
    target: Target,
    *,
    columns: Sequence[Field | tuple[str, str]],
    rows: Iterable[Sequence[Any]],
    watermark: str = "",
    choices: Choices | None = None,
    money_unit: str = "万元",
) -> int:
    """The same list as csv (UTF-8 with mark, so that Excel reads it), text that looks like a formula disarmed."""
    heads = [ListColumn(column, money_unit) for column in columns]
    if isinstance(target, (str, Path)):
        with Path(target).open("wb") as file:
            return _write_csv_lines(file, heads, rows, watermark, choices)
    return _write_csv_lines(target, heads, rows, watermark, choices)


def disarm(text: str) -> str:
    """Text that a spreadsheet would take for a formula, with the apostrophe before it that reading takes off again."""
    return f"'{text}" if _LOOKS_LIKE_FORMULA.match(text) else text


_LOOKS_LIKE_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def _write_csv_lines(
    stream: IO[bytes], heads: list[ListColumn], rows: Iterable[Sequence[Any]], watermark: str, choices: Choices | None
) -> int:
    stream.write(b"\xef\xbb\xbf")
    written = 0
    for line in _csv_lines(heads, rows, choices):
        stream.write(_csv_line(line))
        written += 1
    if watermark:
        stream.write(_csv_line([_as_note(watermark)]))
    return written - 1  # the first line is the header


def _csv_lines(
    heads: list[ListColumn], rows: Iterable[Sequence[Any]], choices: Choices | None
) -> Iterator[list[object]]:
    yield [head.heading for head in heads]
    options = [choices_for(head.field, choices) for head in heads]
    for row in rows:
        yield [
            write_value(head.field, value, unit=head.unit, choices=some)
            for head, value, some in zip(heads, row, options, strict=True)
        ]


def _csv_line(cells: Iterable[object]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow([disarm(cell) if isinstance(cell, str) else cell for cell in cells])
    return text.getvalue().encode("utf-8")


# --- a profile's layout -----------------------------------------------------------------------------------------


def write_workbook(
    profile: Profile,
    target: Target,
    data: Mapping[str, Iterable[Mapping[str, Any]]],
    *,
    choices: Choices | None = None,
    watermark: str = "",
) -> dict[str, int]:
    """Export in a profile's layout: {noun: rows of {field key: value}} → one sheet per noun; answers rows per noun.

    Columns outside the blank template are written when a row has a value; for rows that are not a list or tuple
    (they are taken one at a time) they are always written.
    """
    counts = {}
    with new_workbook(target, _OPTIONS) as book:
        _stamp(book, profile)
        for layout in profile.sheets:
            rows = data.get(layout.noun, ())
            columns = _columns_for(layout, rows)
            sheet = book.add_worksheet(_sheet_name(layout.name))
            heads = [ListColumn(column, "元") for column in columns]
            cells = ([row.get(column.key) for column in columns] for row in rows)
            top = [f"{profile.title} · {layout.name}"]
            counts[layout.noun] = _fill(book, sheet, heads, cells, choices, top, watermark)
    return counts


def _columns_for(layout: SheetLayout, rows: Iterable[Mapping[str, Any]]) -> list[Column]:
    if not isinstance(rows, (list, tuple)):
        return list(layout.columns)
    used = {key for row in rows for key, value in row.items() if value is not None}
    return [column for column in layout.columns if column.in_blank or column.key in used]


def write_blank(profile: Profile, target: Target, choices: Choices | None = None) -> None:
    """The blank template of a profile: headings with units and marks, drop-downs, checks, notes and a version stamp.

    Checks warn and let the user go on, because 清空 may be typed into any column.
    """
    options = {key: value for key, value in _OPTIONS.items() if key != "constant_memory"}
    with new_workbook(target, options) as book:
        _stamp(book, profile)
        sheets = [(book.add_worksheet(_sheet_name(layout.name)), layout) for layout in profile.sheets]
        lists = _OptionLists(book)
        for sheet, layout in sheets:
            _fill_blank(book, sheet, profile, layout, lists, choices)


_HOW_TO = (
    "填写须知：标“（必填）”的列要填，其余不知道就留空；空格不改动已有的内容，要清掉已有内容就填“清空”。"
    "代码和编号按文本填，日期写成 2023-05-06。表头一行不要改动，数据从表头下一行开始。"
)
_BLANK_HEADER_ROW = 2


def _fill_blank(
    book: Any, sheet: Any, profile: Profile, layout: SheetLayout, lists: "_OptionLists", choices: Choices | None
) -> None:
    formats = _Formats(book)
    columns = [column for column in layout.columns if column.in_blank]
    sheet.write_string(0, 0, f"{profile.title} · {layout.name}（模板第 {profile.version} 版）", formats.title)
    sheet.write_string(1, 0, _HOW_TO, formats.note)
    for index, column in enumerate(columns):
        head = formats.required if column.required else formats.header
        sheet.set_column(index, index, _width(column.field, column.title), formats.cell(column.field.type))
        sheet.write_string(_BLANK_HEADER_ROW, index, column.title, head)
        advice = _advice(column)
        if advice:
            sheet.write_comment(_BLANK_HEADER_ROW, index, advice, {"x_scale": 1.6})
        check = _check_for(column, lists, choices)
        if check:
            first = _BLANK_HEADER_ROW + 1
            sheet.data_validation(first, index, first + BLANK_ROWS - 1, index, {**check, "error_type": "warning"})
    sheet.freeze_panes(_BLANK_HEADER_ROW + 1, 1)


def _or_empty(column: Column) -> str:
    return "" if column.required else "，不知道留空"


def _advice(column: Column) -> str:
    field, unknown = column.field, _or_empty(column)
    parts = []
    if field.type == "code":
        parts.append("按文本填，照原件，不要让表格变成数字。")
    if field.type == "money":
        parts.append(f"按{column.unit or field.unit}填，0 是 0{unknown}。")
    if field.length is not None:
        parts.append(f"最多 {field.length} 个字。")
    if field.basis:
        parts.append(f"依据：{field.basis}")
    return "\n".join(parts)


def _check_for(column: Column, lists: "_OptionLists", choices: Choices | None) -> dict[str, Any] | None:
    field, unknown = column.field, _or_empty(column)
    if field.type == "yes_no":
        return {**lists.source(["是", "否"]), "error_message": f"填“是”或“否”{unknown}。"}
    labels = list((choices_for(field, choices) or CHOICES.get(field.choices or "", {})).values())
    if labels and field.type != "choices":
        return {**lists.source(labels), "error_message": f"从下拉里选一个{unknown}。"}
    if field.type == "date":
        return {
            "validate": "date",
            "criteria": ">=",
            "value": EARLIEST,
            "error_message": f"写成 2023-05-06 的样子{unknown}。",
        }
    if field.type in ("count", "year"):
        return _number_check("integer", field, f"填整数{unknown}。")
    if field.type in ("money", "ratio", "number"):
        return _number_check("decimal", field, f"填数字{unknown}。")
    if field.length is not None:
        return {
            "validate": "length",
            "criteria": "<=",
            "value": field.length,
            "error_message": f"最多 {field.length} 个字。",
        }
    return None


def _number_check(kind: str, field: Field, sentence: str) -> dict[str, Any]:
    check: dict[str, Any] = {"validate": kind, "error_message": sentence}
    if field.minimum is not None and field.maximum is not None:
        return {**check, "criteria": "between", "minimum": field.minimum, "maximum": field.maximum}
    if field.minimum is not None:
        return {**check, "criteria": ">=", "value": field.minimum}
    return {**check, "criteria": "between", "minimum": -(10**13), "maximum": 10**13}


class _OptionLists:
    """Drop-down entries: short lists stand in the check itself, long ones in a column of a hidden sheet."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._sheet: Any = None
        self._columns: dict[tuple[str, ...], str] = {}

    def source(self, labels: list[str]) -> dict[str, Any]:
        """The part of a check that lists these entries."""
        if len(",".join(labels)) <= LONGEST_DROPDOWN and not any("," in label for label in labels):
            return {"validate": "list", "source": labels}
        return {"validate": "list", "source": self._columns.get(tuple(labels)) or self._new_column(labels)}

    def _new_column(self, labels: list[str]) -> str:
        if self._sheet is None:
            self._sheet = self._book.add_worksheet(OPTIONS_SHEET)
            self._sheet.hide()
        index = len(self._columns)
        for row, label in enumerate(labels):
            self._sheet.write_string(row, index, label)
        letter = xl_col_to_name(index)
        source = f"='{OPTIONS_SHEET}'!${letter}$1:${letter}${len(labels)}"
        self._columns[tuple(labels)] = source
        return source


def _stamp(book: Any, profile: Profile) -> None:
    book.set_properties({"title": profile.title})
    book.set_custom_property("profile", profile.code)
    book.set_custom_property("profile_version", profile.version)


# --- sheets and cells -------------------------------------------------------------------------------------------


class _Formats:
    """The formats of one workbook, made once each."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._cells: dict[str, Any] = {}
        head = {"bold": True, "bg_color": "#E8EEF4", "border": 1, "text_wrap": True, "valign": "vcenter"}
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.note = book.add_format({"font_color": "#5B6573"})
        self.header = book.add_format(head)
        self.required = book.add_format({**head, "font_color": "#B42318"})

    def cell(self, kind: str) -> Any:
        """The format of a column by its field's type; None where the standard one will do."""
        if kind not in self._cells:
            wanted: dict[str, Any] = {}
            if kind in _NUMBER_FORMATS:
                wanted["num_format"] = _NUMBER_FORMATS[kind]
            if kind == "long_text":
                wanted["text_wrap"] = True
            self._cells[kind] = self._book.add_format(wanted) if wanted else None
        return self._cells[kind]


def _fill(
    book: Any,
    sheet: Any,
    heads: list[ListColumn],
    rows: Iterable[Sequence[Any]],
    choices: Choices | None,
    top: list[str],
    watermark: str,
) -> int:
    """Title rows, header, data and the note at the foot, written strictly downwards (the file is streamed)."""
    formats = _Formats(book)
    kinds = [formats.cell(head.field.type) for head in heads]
    options = [choices_for(head.field, choices) for head in heads]
    for index, head in enumerate(heads):
        sheet.set_column(index, index, _width(head.field, head.heading), kinds[index])
    for row, line in enumerate(top):
        sheet.write_string(row, 0, line, formats.title if row == 0 else formats.note)
    header = len(top)
    for index, head in enumerate(heads):
        sheet.write_string(header, index, head.heading, formats.header)
    row = header
    for values in rows:
        row += 1
        for index, (head, value, some) in enumerate(zip(heads, values, options, strict=True)):
            if value is not None:
                cell = write_value(head.field, value, unit=head.unit, choices=some)
                _write_cell(sheet, row, index, cell, kinds[index])
    if watermark:
        sheet.write_string(row + 2, 0, _as_note(watermark), formats.note)
    sheet.autofilter(header, 0, max(row, header + 1), max(len(heads) - 1, 0))
    sheet.freeze_panes(header + 1, 1)
    return row - header


def _write_cell(sheet: Any, row: int, column: int, cell: object, cell_format: Any) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, bool):
        status = sheet.write_string(row, column, "是" if cell else "否", cell_format)
    elif isinstance(cell, (int, float)):
        status = sheet.write_number(row, column, cell, cell_format)
    elif isinstance(cell, date):
        status = sheet.write_datetime(row, column, cell, cell_format)
    else:
        status = sheet.write_string(row, column, str(cell), cell_format)
    if status:
        raise ValueError(f"row {row + 1}, column {column + 1}: a sheet cannot hold this cell (code {status})")


def _as_note(watermark: str) -> str:
    return watermark if watermark.startswith("注") else f"注：{watermark}"


def _width(field: Field, heading: str) -> int:
    width = 32 if field.key == "enterprise.name" else _WIDTHS.get(field.type, 20)
    return max(width, min(2 * len(heading) + 2, 30))


def _sheet_name(name: str) -> str:
    """A name Excel accepts for a sheet: 31 characters, none of its own signs."""
    return re.sub(r"[\[\]:*?/\\]", " ", name)[:31].strip("' ") or "表"
