"""The one-page sheet of a collection (采集表): one enterprise's questions as a sheet, and a returned sheet's answers.

A sheet carries a stamp by which it is recognised whatever its file is called. Everything but the answers is locked
without a password, so that a slip mends nothing; answers are text cells, because what was typed is judged here.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crm.domain.cells import as_text, compact, tidy
from crm.domain.collections import read_stamp, was_stamped
from crm.sheets.books import Target, new_workbook
from crm.sheets.reading import SheetData
from crm.sheets.writing import LONGEST_DROPDOWN

_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

ANSWER_HEAD, LABEL_HEAD, YEAR_HEAD, PATH_HEAD = "填写", "要填的数据", "年度", "识别"
NAME, CODE, STAMP = "企业名称", "统一社会信用代码", "回表识别码"
SIGNER, SIGNED_ON, SEAL = "法定代表人或授权人签字", "签字日期", "（盖章）"
# The register of IP below the questions: its heads, and how many empty lines follow the pieces that are known.
PIECE_HEADS = ("名称", "种类", "授权日期", "授权号", "保护期止", "与主要产品相关", "有权属争议")
PIECE_CODES = ("name", "kind", "granted_on", "number", "expires_on", "supports_main_product", "disputed")
EMPTY_PIECES = 5
_PATH_COLUMN = 8
_WIDTHS = (5, 34, 13, 12, 22, 12, 11, 11, 2)


@dataclass(frozen=True)
class Line:
    """One question as it is printed: what is asked, in which unit, what it means, what may be chosen."""

    path: str
    label: str
    year: str
    unit: str
    basis: str
    value: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Questionnaire:
    """One enterprise's sheet: everything as text. ``pieces`` None: the register of IP is not asked."""

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    note: str
    lines: tuple[Line, ...]
    stamp: str
    authorisation: str
    sheet_name: str
    pieces: tuple[tuple[str, ...], ...] | None = None
    piece_options: tuple[tuple[int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Answer:
    """One filled or empty answer of a returned sheet; ``path`` "" when the hidden column was lost."""

    row: int
    path: str
    label: str
    year: str
    raw: Any


@dataclass(frozen=True)
class Piece:
    """One line of the register of IP; ``id`` is that of a piece which the sheet was given with."""

    row: int
    id: int | None
    cells: tuple[Any, ...]


@dataclass(frozen=True)
class Returned:
    """What a returned sheet says of itself and what was filled in; ``stamp`` is the cell as it stands."""

    sheet: str
    stamp: str
    mended: bool
    name: str
    code: str
    answers: tuple[Answer, ...]
    pieces: tuple[Piece, ...] = ()
    signer: Any = None
    signed_on: Any = None
    header_row: int = 0


# --- out -------------------------------------------------------------------------------------------------------------


def write_questionnaires(target: Target, sheets: Sequence[Questionnaire]) -> None:
    """One workbook with a sheet for each enterprise, each on one page of A4."""
    with new_workbook(target, _OPTIONS) as book:
        formats = _formats(book)
        names: set[str] = set()
        for one in sheets:
            _fill(book.add_worksheet(_free_name(one.sheet_name, names)), one, formats)


def write_zip(target: io.BytesIO, sheets: Iterable[tuple[str, Questionnaire]]) -> None:
    """One workbook for each enterprise, packed together; the names of the files are made different."""
    names: set[str] = set()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, one in sheets:
            content = io.BytesIO()
            write_questionnaires(content, [one])
            archive.writestr(f"{_free_name(name, names, longest=80)}.xlsx", content.getvalue())


def _formats(book: Any) -> dict[str, Any]:
    box = {"border": 1, "valign": "vcenter", "text_wrap": True, "font_size": 10}
    return {
        "title": book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"}),
        "note": book.add_format({"font_color": "#5B6573", "font_size": 9, "text_wrap": True, "valign": "top"}),
        "head": book.add_format({**box, "bold": True, "bg_color": "#E8EEF4"}),
        "label": book.add_format({**box, "bg_color": "#F5F4F0"}),
        "cell": book.add_format(box),
        "small": book.add_format({**box, "font_size": 8, "font_color": "#5B6573"}),
        "answer": book.add_format({**box, "num_format": "@", "locked": False, "bg_color": "#FFFBE6"}),
        "plain": book.add_format({"text_wrap": True, "valign": "vcenter", "font_size": 10}),
        "stamp": book.add_format({"font_size": 8, "font_color": "#5B6573"}),
    }


def _fill(sheet: Any, one: Questionnaire, f: dict[str, Any]) -> None:
    last = _PATH_COLUMN - 1
    for index, width in enumerate(_WIDTHS):
        sheet.set_column(index, index, width, None, {"hidden": index == _PATH_COLUMN})
    sheet.merge_range(0, 0, 0, last, "", f["title"])
    sheet.write_string(0, 0, one.title, f["title"])
    sheet.set_row(0, 28)
    _across(sheet, 1, one.subtitle, f["note"])
    row = 2
    for index in range(0, len(one.facts), 2):
        for (label, value), place in zip(one.facts[index : index + 2], _FACT_PLACES, strict=False):
            _known(sheet, row, place, label, value, f)
        row += 1
    _across(sheet, row, one.note, f["note"], height=15 * (1 + len(one.note) // 60))
    row += 1
    for index, head in enumerate(("序号", LABEL_HEAD, YEAR_HEAD, "单位", ANSWER_HEAD, "指什么、依据")):
        sheet.write_string(row, index, head, f["head"])
    sheet.merge_range(row, 5, row, last, "", f["head"])
    sheet.write_string(row, 5, "指什么、依据", f["head"])
    sheet.write_string(row, _PATH_COLUMN, PATH_HEAD)
    for number, line in enumerate(one.lines, start=1):
        row += 1
        sheet.set_row(row, 15 * max(1, -(-len(line.label) // 16), -(-len(line.basis) // 20)) + 5)
        for index, text in enumerate((str(number), line.label, line.year, line.unit)):
            sheet.write_string(row, index, text, f["cell"])
        _blank_or(sheet, row, 4, line.value, f["answer"])
        sheet.merge_range(row, 5, row, last, "", f["small"])
        sheet.write_string(row, 5, line.basis, f["small"])
        sheet.write_string(row, _PATH_COLUMN, line.path)
        _offer(sheet, row, 4, line.options)
    if one.pieces is not None:
        row = _fill_pieces(sheet, row + 2, one, f)
    row += 2
    _across(sheet, row, one.authorisation, f["plain"], height=15 * (1 + len(one.authorisation) // 56))
    for label in (SIGNER, SIGNED_ON, SEAL):
        row += 1
        sheet.set_row(row, 40 if label == SEAL else 22)
        sheet.merge_range(row, 0, row, 1, "", f["label"])
        sheet.write_string(row, 0, label, f["label"])
        sheet.merge_range(row, 2, row, last, "", f["answer" if label != SEAL else "cell"])
    row += 1
    sheet.write_string(row, 0, f"{STAMP}（勿改）：{one.stamp}", f["stamp"])
    sheet.protect("", {"format_columns": True, "format_rows": True, "select_locked_cells": True})
    sheet.set_paper(9)
    sheet.set_margins(left=0.5, right=0.5, top=0.5, bottom=0.5)
    sheet.fit_to_pages(1, 1)
    sheet.print_area(0, 0, row, last)


def _fill_pieces(sheet: Any, row: int, one: Questionnaire, f: dict[str, Any]) -> int:
    _across(
        sheet, row, "知识产权清单：已登记的列在前面，缺的补上；没有列出的，一件一行补在后面。", f["plain"], height=18
    )
    row += 1
    sheet.write_string(row, 0, "序号", f["head"])
    for index, head in enumerate(PIECE_HEADS, start=1):
        sheet.write_string(row, index, head, f["head"])
    known = one.pieces or ()
    options = dict(one.piece_options)
    for number in range(len(known) + EMPTY_PIECES):
        row += 1
        sheet.set_row(row, 20)
        sheet.write_string(row, 0, str(number + 1), f["cell"])
        cells = known[number] if number < len(known) else ("",) * (len(PIECE_HEADS) + 1)
        for index, text in enumerate(cells[1:], start=1):
            if text:
                sheet.write_string(row, index, text, f["cell"])
            else:
                sheet.write_blank(row, index, None, f["answer"])
                _offer(sheet, row, index, options.get(index, ()))
        sheet.write_string(row, _PATH_COLUMN, f"ip.{cells[0]}")
    return row


# (first and last column of a label, first and last of what is known): two facts stand beside each other.
_FACT_PLACES = (((0, 1), (2, 3)), ((4, 4), (5, _PATH_COLUMN - 1)))


def _known(
    sheet: Any, row: int, place: tuple[tuple[int, int], tuple[int, int]], label: str, value: str, f: dict[str, Any]
) -> None:
    for (first, last), text, cell_format in zip(place, (label, value), (f["label"], f["cell"]), strict=True):
        if first != last:
            sheet.merge_range(row, first, row, last, "", cell_format)
        sheet.write_string(row, first, text, cell_format)


def _across(sheet: Any, row: int, text: str, cell_format: Any, height: int = 15) -> None:
    sheet.merge_range(row, 0, row, _PATH_COLUMN - 1, "", cell_format)
    sheet.write_string(row, 0, text, cell_format)
    sheet.set_row(row, height)


def _blank_or(sheet: Any, row: int, column: int, text: str, cell_format: Any) -> None:
    if text:
        sheet.write_string(row, column, text, cell_format)
    else:
        sheet.write_blank(row, column, None, cell_format)


def _offer(sheet: Any, row: int, column: int, options: Sequence[str]) -> None:
    """A drop-down; a list too long for one is said in the column beside it."""
    if options and len(",".join(options)) <= LONGEST_DROPDOWN and not any("," in one for one in options):
        sheet.data_validation(
            row,
            column,
            row,
            column,
            {"validate": "list", "source": list(options), "error_type": "warning", "error_message": "从下拉里选一个。"},
        )


def _free_name(name: str, taken: set[str], longest: int = 31) -> str:
    """A name for a sheet or a file that none of the others has."""
    plain = re.sub(r"[\[\]:*?/\\<>|\"\x00-\x1f]", " ", name).strip("' ") or "采集表"
    number, free = 1, plain[:longest]
    while free.lower() in taken:
        number += 1
        free = f"{plain[: longest - 4]}({number})"
    taken.add(free.lower())
    return free


# --- in --------------------------------------------------------------------------------------------------------------


def read_questionnaire(data: SheetData) -> Returned | None:
    """What a returned sheet says; None for a sheet that is none of ours (options, notes, another table)."""
    stamps = [text for row in data.rows for cell in row if isinstance(cell, str) and (text := _stamp_in(cell))]
    header = next((n for n, row in enumerate(data.rows) if _heads(row).keys() >= {LABEL_HEAD, ANSWER_HEAD}), None)
    if header is None and not stamps:
        return None
    at = _heads(data.rows[header]) if header is not None else {}
    answers: list[Answer] = []
    pieces: list[Piece] = []
    begin = header + 1 if header is not None else len(data.rows)
    for index in range(begin, len(data.rows)):
        row = data.rows[index]
        path = _text(row, at.get(PATH_HEAD, _PATH_COLUMN))
        if path.startswith("ip."):
            own = path.removeprefix("ip.")
            cells = tuple(_cell(row, n) for n in range(1, len(PIECE_HEADS) + 1))
            pieces.append(Piece(data.row_number(index), int(own) if own.isdecimal() else None, cells))
            continue
        label = _text(row, at[LABEL_HEAD])
        if not path and not (label and _text(row, 0).isdecimal() and not pieces):
            continue
        year = _text(row, at[YEAR_HEAD]) if YEAR_HEAD in at else ""
        answers.append(Answer(data.row_number(index), path, label, year, _cell(row, at[ANSWER_HEAD])))
    stamp = stamps[0] if stamps else ""
    return Returned(
        sheet=data.name,
        stamp=stamp,
        mended=bool(stamp) and read_stamp(stamp) is None,
        name=_beside(data.rows, NAME, tidy),
        code=_beside(data.rows, CODE, compact),
        answers=tuple(answers),
        pieces=tuple(pieces),
        signer=_beside_raw(data.rows, SIGNER),
        signed_on=_beside_raw(data.rows, SIGNED_ON),
        header_row=data.row_number(header) if header is not None else 0,
    )


def _stamp_in(cell: str) -> str:
    """The stamp in a cell, or what is left of one behind its label."""
    plain = compact(cell)
    told = plain.partition(":")[2] if plain.startswith(STAMP) else plain
    if read_stamp(told) is not None or was_stamped(told):
        return told
    return told if plain.startswith(STAMP) and told else ""


def _heads(row: Sequence[Any]) -> dict[str, int]:
    return {compact(cell): n for n, cell in enumerate(row) if isinstance(cell, str) and cell}


def _cell(row: Sequence[Any], index: int) -> Any:
    return row[index] if index < len(row) else ""


def _text(row: Sequence[Any], index: int) -> str:
    cell = _cell(row, index)
    return compact(cell if isinstance(cell, str) else as_text(cell))


def _beside_raw(rows: Sequence[Sequence[Any]], label: str) -> Any:
    """The first filled cell right of a label; None when there is none."""
    for row in rows:
        for index, cell in enumerate(row):
            if isinstance(cell, str) and compact(cell) == label:
                return next((one for one in row[index + 1 :] if one not in ("", None)), None)
    return None


def _beside(rows: Sequence[Sequence[Any]], label: str, clean: Callable[[str], str]) -> str:
    found = _beside_raw(rows, label)
    return "" if found is None else clean(found if isinstance(found, str) else as_text(found))
