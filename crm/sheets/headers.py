"""Finding the table inside a sheet: the header below titles and notes, and what each row under it is."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crm.domain.number_readers import MONEY_UNITS
from crm.sheets.layouts import Column, SheetLayout
from crm.sheets.reading import SheetData
from crm.sheets.refusals import SheetHasNoHeader, SheetHasNoKey

# Titles, notes and filling instructions above a table have not been seen to take more rows than this.
_SEARCHED_ROWS = 40
# Explanation and sample rows stand directly under the header.
_GUIDE_ROWS = 4
# A place written over so many merged columns is the head of the rows below it.
_BAND = 3


@dataclass(frozen=True)
class MatchedColumn:
    """A column of the file that is a column of the layout; ``heading`` is the file's own wording.

    ``assumed``: nothing in the file says the unit of these amounts, the layout's is taken.
    """

    index: int
    letter: str
    heading: str
    column: Column
    unit: str | None
    assumed: bool = False


@dataclass(frozen=True)
class UnknownColumn:
    """A column of the file that will not be read: no known heading, or a second one for the same field."""

    index: int
    letter: str
    heading: str
    same_as: str | None = None


@dataclass(frozen=True)
class HeaderMatch:
    """Where the header is and what it says. Rows are indexes into ``SheetData.rows``; data begins at ``data_from``.

    ``given`` are fields that no column holds, because a person said what they are in every row: (key, as a cell).
    ``defaults`` are such fields of a list that is about nothing else: every row of it says them.
    """

    header_row: int
    header_rows: int
    columns: tuple[MatchedColumn, ...]
    unknown: tuple[UnknownColumn, ...] = ()
    given: tuple[tuple[str, str], ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()

    @property
    def data_from(self) -> int:
        return self.header_row + self.header_rows

    def has(self, key: str) -> bool:
        """Whether the file has a column for this field, or somebody said what it is."""
        said = (*self.given, *self.defaults)
        return any(matched.column.key == key for matched in self.columns) or key in dict(said)


def letter_of(index: int) -> str:
    """The letters Excel shows above a column: 0 → A, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


# --- headings ---------------------------------------------------------------------------------------------------

_UNITS = {
    **{unit: unit for unit in MONEY_UNITS},
    **{unit.removesuffix("元"): unit for unit in ("万元", "亿元", "千元")},
    "人民币元": "元",
    "人民币万元": "万元",
    "rmb万元": "万元",
    "%": "%",
    "百分比": "%",
}
_BRACKET = re.compile(r"[(\[【{]([^()\[\]【】{}]*)[)\]】}]")
_MARKS = re.compile(r"[*※★☆:]+|^\d{1,2}[.、](?=\D)")
_REQUIRED_NOTE = re.compile(r"必填|选填|可选|非必|必须|单选|多选|下拉|格式|如:|例|时填")
_SHEET_UNIT = re.compile(r"单位[:为是]?(?:人民币)?\(?(亿元|百万元|万元|千元|元)")


@lru_cache(maxsize=4096)
def _parse_heading(text: str) -> tuple[str, str, str | None]:
    """A heading → (wording with its brackets, wording without any, unit); half-width, without spaces and marks."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
    unit = None
    kept = plain
    for inside in _BRACKET.findall(plain):
        word = re.sub(r"^(计量)?单位[:为]?", "", inside)
        if word in _UNITS:
            unit = _UNITS[word]
        if word in _UNITS or _REQUIRED_NOTE.search(inside) or inside in ("人", "家", "项", "件", "名", "个"):
            kept = re.sub(r"[(\[【{]" + re.escape(inside) + r"[)\]】}]", "", kept)
    kept = _MARKS.sub("", kept)
    tail = re.search(r"[,/_-](亿元|百万元|万元|千元|元|%)$", kept)
    if tail:
        kept, unit = kept[: tail.start()], tail.group(1)
    return kept, _MARKS.sub("", _BRACKET.sub("", plain)), unit


Known = Mapping[str, tuple[Column, int]]


def _known(layout: SheetLayout) -> Known:
    """Every heading the layout knows → its column and how good the name is (0 is the column's own heading)."""
    names: dict[str, tuple[Column, int]] = {}
    for rank in range(max((len(column.names) for column in layout.columns), default=0)):
        for column in layout.columns:
            if rank < len(column.names):
                names.setdefault(_parse_heading(column.names[rank])[0], (column, rank))
    return names


def _find(known: Known, heading: str) -> tuple[Column, int, str | None] | None:
    if not heading or len(heading) > 80:
        return None
    whole, bare, unit = _parse_heading(heading)
    found = known.get(whole)
    if found is None and (spare := known.get(bare)) and spare[0].field.noun != "figures":
        # What stands in brackets after a figure is its scope or year, and another scope is another figure.
        found = spare
    return (found[0], found[1], unit) if found else None


def _find_under(known: Known, group: str, heading: str) -> tuple[Column, int, str | None] | None:
    """A heading that is known only together with the group it stands under: 研发费用 over 高企口径."""
    for joined in (f"{group}{heading}", f"{group}({heading})"):
        whole, _, unit = _parse_heading(joined)
        if found := known.get(whole):
            return found[0], found[1], unit
    return None


def _headings(sheet: SheetData, row: int, rows: int) -> list[tuple[str, str]]:
    """The wording of each column's heading and the group it stands under ("" with one header row)."""
    lower = [_cell_text(cell) for cell in sheet.rows[row + rows - 1]]
    if rows == 1:
        return [(text, "") for text in lower]
    upper = [_cell_text(cell) for cell in sheet.rows[row]]
    # A group heading covers the columns it is merged over, or, unmerged, those that stand empty to its right.
    for top, left, bottom, right in sheet.merged:
        if top == row and bottom == row:
            for index in range(left + 1, min(right, len(upper) - 1) + 1):
                upper[index] = upper[left]
    for index in range(1, len(upper)):
        if not upper[index] and lower[index]:
            upper[index] = upper[index - 1]
    return [(below or above, above if below else "") for above, below in zip(upper, lower, strict=True)]


def _cell_text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell.strip()
    return "" if cell is None else str(cell)


def _match_at(sheet: SheetData, known: Known, row: int, rows: int) -> HeaderMatch:
    # A heading merged over several columns is a group: taken for a column, it would be read as its first one.
    groups = _group_columns(sheet, row) if rows == 1 else frozenset()
    candidates: list[tuple[int, int, str, Column, str | None]] = []
    unknown: list[UnknownColumn] = []
    for index, (heading, group) in enumerate(_headings(sheet, row, rows)):
        joined = f"{group}{heading}"
        found = None if index in groups else _find(known, heading)
        if found is None and group:
            found = _find_under(known, group, heading)
        if found is not None:
            column, rank, unit = found
            candidates.append((rank, index, heading, column, unit or (_parse_heading(group)[2] if group else None)))
        elif joined:
            unknown.append(UnknownColumn(index, letter_of(index), joined))
    taken: dict[str, MatchedColumn] = {}
    # The best name for a field takes it; of equal names the first column does.
    for _rank, index, heading, column, unit in sorted(candidates, key=lambda found: found[:2]):
        if column.key in taken:
            unknown.append(UnknownColumn(index, letter_of(index), heading, same_as=taken[column.key].heading))
        else:
            taken[column.key] = MatchedColumn(index, letter_of(index), heading, column, unit)
    columns = sorted(taken.values(), key=lambda matched: matched.index)
    return HeaderMatch(row, rows, tuple(columns), tuple(sorted(unknown, key=lambda column: column.index)))


def _group_columns(sheet: SheetData, row: int) -> frozenset[int]:
    return frozenset(
        index
        for top, left, bottom, right in sheet.merged
        if top == row == bottom and right > left
        for index in range(left, right + 1)
    )


def match_header(sheet: SheetData, layout: SheetLayout) -> HeaderMatch | None:
    """The row (or two rows) whose cells are known headings, or None. One known heading is enough when it is a key.

    Money columns without a unit of their own take the one written above the table (单位：万元), else the layout's.
    """
    best: HeaderMatch | None = None
    known = _known(layout)
    for row in range(min(len(sheet.rows), _SEARCHED_ROWS)):
        if not any(_find(known, _cell_text(cell)) for cell in sheet.rows[row]):
            continue
        for match in _matches_around(sheet, known, row):
            if best is None or _worth(sheet, known, match) > _worth(sheet, known, best):
                best = match
    if best is None or (len(best.columns) < 2 and not any(best.has(key) for key in layout.key)):
        return None
    return _with_units(sheet, best)


def _worth(sheet: SheetData, known: Known, match: HeaderMatch) -> tuple[int, bool]:
    """More known columns are better; of equal readings the one that takes in the row under a merged known heading.
    A merged title above the header knows no heading and stays outside."""
    top = sheet.rows[match.header_row]
    has_group = any(_find(known, _cell_text(top[index])) for index in _group_columns(sheet, match.header_row))
    return len(match.columns), match.header_rows == 2 and has_group


def _matches_around(sheet: SheetData, known: Known, row: int) -> Iterator[HeaderMatch]:
    yield _match_at(sheet, known, row, 1)
    if row + 1 < len(sheet.rows):
        yield _match_at(sheet, known, row, 2)
    if row > 0:
        yield _match_at(sheet, known, row - 1, 2)


def _with_units(sheet: SheetData, match: HeaderMatch) -> HeaderMatch:
    above = "".join(_cell_text(cell) for row in sheet.rows[: match.header_row] for cell in row)
    found = _SHEET_UNIT.search(re.sub(r"\s+", "", unicodedata.normalize("NFKC", above)))
    told = found.group(1) if found else None
    columns = tuple(
        MatchedColumn(
            matched.index,
            matched.letter,
            " ".join(matched.heading.split()),
            matched.column,
            matched.unit or _default_unit(matched.column, told),
            assumed=matched.column.field.type == "money" and not (matched.unit or told),
        )
        for matched in match.columns
    )
    return HeaderMatch(match.header_row, match.header_rows, columns, match.unknown)


def _default_unit(column: Column, sheet_unit: str | None) -> str | None:
    return (sheet_unit or column.unit) if column.field.type == "money" else column.unit


def find_header(sheet: SheetData, layout: SheetLayout) -> HeaderMatch:
    """``match_header`` for a sheet that must be of this layout; raises SheetHasNoHeader or SheetHasNoKey."""
    match = match_header(sheet, layout)
    keys = [column.heading for column in layout.columns if column.key in layout.key]
    named = "或".join(f"“{heading}”" for heading in keys)
    if match is None:
        raise SheetHasNoHeader(f"工作表“{sheet.name}”里找不到表头。表头要有{named}这样的列名，放在数据上面一行。")
    if not any(match.has(key) for key in layout.key):
        raise SheetHasNoKey(f"工作表“{sheet.name}”的表头里没有{named}，认不出每行是哪家企业。补上这一列再传。")
    missing = [key for key in layout.also_key if not match.has(key)]
    if missing:
        column = layout.column(missing[0])
        raise SheetHasNoKey(
            f"工作表“{sheet.name}”的表头里没有“{column.heading if column else missing[0]}”。补上这一列再传。"
        )
    return match


# --- rows under the header --------------------------------------------------------------------------------------

DATA, BLANK, GUIDE, SAMPLE, TOTAL, NOTE, GROUP, HEADER = (
    "data", "blank", "guide", "sample", "total", "note", "group", "header",
)  # fmt: skip

_GUIDE_WORDS = re.compile(r"必填|选填|请|填写|格式|例如|例：|如[：:]|单位[:：]|不超过|yyyy|说明|唯一标识|下拉", re.I)
_SAMPLE = re.compile(r"[（(【]\s*(?:示例|样例|填写示例)|示例.{0,8}删除|^(?:示例|样例|示例行|例)[:：]?$|^[示样]例[:：]")
_FIRM = re.compile(r"(?:公司|合作社|厂|店|场|中心|院|所|部|社|行|站)$")
_CREDIT_CODE = re.compile(r"[0-9A-Z]{18}")
_TOTAL = re.compile(r"^(?:合计|总计|小计|共计|累计|平均)(?:[:：(（\d].*)?$")
_NOTE = re.compile(
    r"^(?:注|备注|说明|附注|填表说明|填报说明|填表人|填报人|制表人?|审核人?|复核人?|经办人|负责人|单位负责人|"
    r"联系人|联系电话|填报单位|填报日期|填表日期|制表日期|数据来源|单位[（(]?盖章[）)]?)\s*[:：（(\d]|^[※*]\s*注"
)
_GROUP = re.compile(r"^.{1,20}[（(]\s*(?:共)?\s*\d+\s*[家户个]\s*[）)]$")
_COUNTED = re.compile(r"[（(]\s*(?:共)?\s*\d+\s*[家户个]\s*[）)]$")
_NUMBERED = re.compile(r"^(?:[（(]?[一二三四五六七八九十\d]+[）)]?[、.．]?\s*)(?=\D)")
# What a group of rows is called when it is a place; 园区 and the like end in the same character and are none.
_PLACE = re.compile(r"^[\u4e00-\u9fff]{1,16}(?:镇|乡|街道|街道办|街道办事处|自治县|县|区|市)$")
_NO_PLACE = re.compile(r"(?:园区|社区|小区|片区|库区|地区|高新区|经开区|开发区)$")


def data_rows(sheet: SheetData, match: HeaderMatch) -> Iterator[tuple[int, list[Any], str]]:
    """(row number as seen in the sheet, cells, place) of every row that is data: no blank, sample, total or note.

    The place is what the group row above says (凤凰镇（12家）), "" without one or when it is about something else.
    """
    place = ""
    for index, kind in kinds_of_rows(sheet, match):
        if kind == DATA:
            yield sheet.row_number(index), sheet.rows[index], place
        elif kind == GROUP:
            place = _place_of(sheet.rows[index])


def _place_of(row: list[Any]) -> str:
    """The place that a group row names: 一、凤凰镇（12家） → 凤凰镇; "" when it names none (制造业（5家）)."""
    said = next(_cell_text(cell) for cell in row if not _is_empty(cell))
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", said))
    name = _COUNTED.sub("", _NUMBERED.sub("", plain)).rstrip(":")
    return name if _PLACE.match(name) and not _NO_PLACE.search(name) else ""


def kinds_of_rows(sheet: SheetData, match: HeaderMatch) -> Iterator[tuple[int, str]]:
    """(index, kind) of every row under the header; the kinds are the constants of this module."""
    known = [matched.index for matched in match.columns]
    name = next((matched.index for matched in match.columns if matched.column.key == "enterprise.name"), None)
    headings = {matched.index: _parse_heading(matched.heading)[0] for matched in match.columns}
    carried = _carried(sheet)
    bands = {top for top, left, bottom, right in sheet.merged if top == bottom and right - left >= _BAND - 1}
    for index in range(match.data_from, len(sheet.rows)):
        row = sheet.rows[index]
        if index in bands and _is_band(row):
            yield index, GROUP
            continue
        own = [place for place in known if place not in carried[index]] if index in carried else known
        kind = _kind_of(row, own, headings)
        if kind == DATA and index - match.data_from < _GUIDE_ROWS:
            kind = _kind_of_first_row(row, "" if name is None else _cell_text(row[name]))
        yield index, kind


def _is_band(row: list[Any]) -> bool:
    """Whether a row merged over several columns holds nothing but the name of a place."""
    filled = [cell for cell in row if not _is_empty(cell)]
    return len(filled) == 1 and isinstance(filled[0], str) and bool(_place_of(row))


def _carried(sheet: SheetData) -> dict[int, set[int]]:
    """Row → the columns whose words come from a merged cell above: they alone do not make a row of data."""
    carried: dict[int, set[int]] = {}
    for top, left, bottom, _right in sheet.merged:
        for index in range(top + 1, min(bottom, len(sheet.rows) - 1) + 1):
            carried.setdefault(index, set()).add(left)
    return carried


def _is_empty(cell: Any) -> bool:
    return cell is None or cell == "" or (isinstance(cell, str) and not cell.strip())


def _kind_of(row: list[Any], known: list[int], headings: dict[int, str]) -> str:
    filled = [cell for cell in row if not _is_empty(cell)]
    texts = [cell.strip() for cell in filled if isinstance(cell, str)]
    if any(_TOTAL.match(re.sub(r"\s+", "", text)) for text in texts[:2]):
        return TOTAL
    if texts and len(filled) <= 4 and _NOTE.match(texts[0]):
        return NOTE
    if len(filled) == 1 and texts and _GROUP.match(texts[0]):
        return GROUP
    # A row that is only formatted, or holds nothing but its running number, says nothing.
    if all(_is_empty(row[index]) for index in known):
        return BLANK
    if len(texts) >= 2 and _repeats_header(row, headings):
        return HEADER
    return DATA


def _kind_of_first_row(row: list[Any], name: str) -> str:
    """Whether one of the first rows explains the columns or shows how to fill them. A row about a firm is data:
    taking an explanation for data costs an error message, taking data for an explanation loses a firm."""
    filled = [cell for cell in row if not _is_empty(cell)]
    texts = [cell.strip() for cell in filled if isinstance(cell, str)]
    if any(_SAMPLE.search(text) for text in texts):
        return SAMPLE
    is_about_a_firm = _FIRM.search(name) or any(_CREDIT_CODE.fullmatch(text) for text in texts)
    guides = sum(1 for text in texts if _GUIDE_WORDS.search(text))
    if len(texts) == len(filled) and not is_about_a_firm and guides >= 2 and guides * 2 >= len(texts):
        return GUIDE
    return DATA


def _repeats_header(row: list[Any], headings: dict[int, str]) -> bool:
    """Long printed lists repeat their header on each page."""
    filled = [index for index in headings if not _is_empty(row[index])]
    return len(filled) >= 2 and all(
        isinstance(row[index], str) and _parse_heading(row[index])[0] == headings[index] for index in filled
    )
