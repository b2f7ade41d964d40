"""A block pasted from a sheet: which cell of it is which figure of which year, and what of it cannot be read."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from crm.domain.cells import CLEAR, Noted, Unreadable, compact, quoted
from crm.domain.codecs import reader_of
from crm.domain.fields import FIELDS, fields_of
from crm.domain.number_readers import MONEY_UNITS
from crm.domain.refusals import Refused

# A firm has a dozen years and a hundred fields; whoever marks a whole sheet meant something else.
MOST_COLUMNS = 40
MOST_ROWS = 200
# Below the length at which the csv reader gives up on a single cell.
MOST_CHARACTERS = 100_000
# Titles of a sheet that may stand above the row of years.
_TITLE_ROWS = 3

_YEAR = re.compile(r"(20\d\d)(?:\.0)?(?:年末|年度|年)?")
_UNIT = re.compile(r"[（(【\[]?(?:单位[:：]?)?(亿元|千万元|百万元|万元|千元|百元|元|%)[）)】\]]?$")


@dataclass(frozen=True)
class PastedCell:
    """One value for one year and field, with its place in the block (counted from 1, as a sheet counts)."""

    year: int
    code: str
    value: Any
    row: int
    column: int
    note: str = ""


@dataclass(frozen=True)
class PastedProblem:
    """What of the block is not written: its place (row or column 0: the whole of the other) and one sentence."""

    row: int
    column: int
    sentence: str

    @property
    def place(self) -> str:
        parts = (f"第 {self.row} 行" if self.row else "", f"第 {self.column} 列" if self.column else "")
        return "".join(part for part in parts if part)


@dataclass
class PastedBlock:
    """What was read; ``by_head``: whether years and fields were found in the block itself and not by its place."""

    rows: int
    columns: int
    cells: list[PastedCell] = field(default_factory=list)
    problems: list[PastedProblem] = field(default_factory=list)
    years_by_head: bool = False
    fields_by_head: bool = False


def table_of(text: str) -> list[list[str]]:
    """The cells of a clipboard's plain text: tabs part columns, a cell with a line break or a tab is quoted.

    Merged cells hold their text in the first of them, the others are empty. Raises Refused with one sentence when it
    is larger than anything that belongs into a grid of figures, or empty.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not plain.strip():
        raise Refused("没有内容。在 Excel 里选中数据复制，再粘贴到这里。", field="text")
    widest = max(line.count("\t") + 1 for line in plain.split("\n"))
    if widest > MOST_COLUMNS:
        raise Refused(
            f"粘贴的内容有 {widest:,} 列，一次最多 {MOST_COLUMNS} 列。只选指标名称和各年的数，再复制。", field="text"
        )
    if len(plain) > MOST_CHARACTERS:
        raise Refused(f"粘贴的内容有 {len(plain):,} 个字，一次最多 {MOST_CHARACTERS:,} 个。分几次粘贴。", field="text")
    # A quote in the middle of a cell is an ordinary character; only one at its beginning opens a quoted cell.
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(plain), delimiter="\t")]
    if len(rows) > MOST_ROWS:
        raise Refused(f"粘贴的内容有 {len(rows):,} 行，一次最多 {MOST_ROWS} 行。分几次粘贴。", field="text")
    width = max(len(row) for row in rows)
    return [row + [""] * (width - len(row)) for row in rows]


def read_block(
    text: str,
    *,
    years: Sequence[int],
    codes: Sequence[str],
    at_year: int,
    at_code: str,
    unit: str,
    today: date,
    first_year: int,
) -> PastedBlock:
    """The values of a pasted block, each with its year and field; what cannot be read is named and left out.

    A row of years and a column of names of figures are recognised, also the other way round; without them the block
    begins at (``at_year``, ``at_code``) and goes on through ``years`` and ``codes`` as they stand on screen. ``unit``
    is that of amounts without one in their name, cell or heading. An empty cell says nothing, 清空 empties. Raises
    Refused like ``table_of``.
    """
    table = table_of(text)
    turned = _is_turned(table)
    if turned:
        table = [list(column) for column in zip(*table, strict=True)]
    reading = _Reading(table, turned, today, first_year)
    reading.find_heads(unit)
    block = PastedBlock(len(table), len(table[0]), years_by_head=reading.year_row >= 0)
    if turned:
        block.rows, block.columns = block.columns, block.rows
    block.fields_by_head = reading.named
    columns = reading.years_of_columns(block, years, at_year)
    rows = reading.codes_of_rows(block, codes, at_code)
    seen: dict[tuple[int, str], PastedCell] = {}
    for r, (code, row_unit) in rows.items():
        read = reader_of(FIELDS[f"figures.{code}"], unit=row_unit, choices=None, today=today)
        for c, year in columns.items():
            if not table[r][c]:
                continue
            row, column = reading.place(r, c)
            try:
                value: Any = read(table[r][c])
            except Unreadable as error:
                block.problems.append(PastedProblem(row, column, error.message))
                continue
            note = ""
            if isinstance(value, Noted):
                note, value = value.message, value.value
            if value is None:
                continue
            cell = PastedCell(year, code, None if value is CLEAR else value, row, column, note)
            before = seen.setdefault((year, code), cell)
            if before is not cell:
                if before.value != cell.value:
                    label = FIELDS[f"figures.{code}"].label
                    block.problems.append(
                        PastedProblem(row, column, f"{year} 年{label}在第 {before.row} 行已有另一个数。只留一个。")
                    )
                continue
            block.cells.append(cell)
    block.problems.sort(key=lambda one: (one.row, one.column))
    return block


def year_in(text: str) -> int | None:
    """The year a heading names (2024, 2024年, 2024年度), else None."""
    found = _YEAR.fullmatch(compact(text))
    return int(found.group(1)) if found else None


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for one in fields_of("figures"):
        for word in (*one.aliases, one.label):
            names[_word(word)] = one.code
    return names


def _word(text: str) -> str:
    return compact(text).rstrip(":").lower()


def code_in(text: str) -> tuple[str | None, str | None]:
    """(field, unit) behind the name of a figure as a sheet writes it: 研发费用（万元）; None for what is unknown."""
    word = _word(text)
    if word in _names():
        return _names()[word], None
    found = _UNIT.search(word)
    if found and word[: found.start()] in _names():
        return _names()[word[: found.start()]], found.group(1)
    bare = re.sub(r"\((?:人|项|件|分|年|级|名)\)$", "", word)
    return _names().get(bare), None


def _is_turned(table: Sequence[Sequence[str]]) -> bool:
    """Whether years stand in the first column and names of figures across."""
    down = [row[0] for row in table if row[0]]
    years = [text for text in down if year_in(text)]
    across = [text for text in table[0][1:] if text and code_in(text)[0]]
    return bool(years) and bool(across) and len(years) >= len(down) - 1


class _Reading:
    """The heads of one block, found once; places are said as they were pasted."""

    def __init__(self, table: list[list[str]], turned: bool, today: date, first_year: int) -> None:
        self.table, self.turned, self.today, self.first_year = table, turned, today, first_year
        self.year_row, self.named, self.unit = -1, False, ""

    def place(self, row: int, column: int) -> tuple[int, int]:
        return (column + 1, row + 1) if self.turned else (row + 1, column + 1)

    def problem(self, block: PastedBlock, row: int | None, column: int | None, sentence: str) -> None:
        there, here = self.place(-1 if row is None else row, -1 if column is None else column)
        block.problems.append(PastedProblem(there, here, sentence))

    def find_heads(self, unit: str) -> None:
        labels = [code_in(row[0])[0] for row in self.table]
        self.named = any(labels) and len(self.table[0]) > 1
        for r, row in enumerate(self.table[: _TITLE_ROWS + 1]):
            told = [text for text in (row[1:] if self.named or not year_in(row[0]) else row) if text]
            found = [year_in(text) for text in told]
            # Counts that look like years stand alone in their row only where nothing else tells.
            sure = self.named or len(told) > 1 or any("年" in text for text in told)
            if told and all(found) and len(set(found)) == len(found) and sure and len(self.table) > r + 1:
                self.year_row = r
                break
        self.unit = unit
        for row in self.table[: max(self.year_row, 0) + 1]:
            for text in row:
                word = compact(text)
                # 指标（万元）, 单位：万元: said of the whole block.
                if ("单位" in word or word.startswith(("指标", "项目"))) and (found_unit := _UNIT.search(word)):
                    self.unit = found_unit.group(1)

    def years_of_columns(self, block: PastedBlock, years: Sequence[int], at_year: int) -> dict[int, int]:
        start = 1 if self.named else 0
        width = len(self.table[0])
        below = self.table[self.year_row + 1 :]
        found: dict[int, int] = {}
        if self.year_row >= 0:
            for c in range(start, width):
                head = self.table[self.year_row][c]
                year = year_in(head)
                if year is None:
                    if any(row[c] for row in below) and not (c == 0 and not self.named):
                        self.problem(
                            block, None, c, "这一列没有年份，没有读入（合并的表头只有第一格有字）。拆开合并后再粘贴。"
                        )
                elif not self.first_year <= year <= self.today.year:
                    self.problem(
                        block,
                        None,
                        c,
                        f"{year} 年不在 {self.first_year} 到 {self.today.year} 之间，没有读入。核对年份。",
                    )
                else:
                    found[c] = year
            return found
        at = years.index(at_year) if at_year in years else 0
        for c in range(start, width):
            place = at + c - start
            if place < len(years):
                found[c] = years[place]
            elif any(row[c] for row in below):
                self.problem(
                    block,
                    None,
                    c,
                    f"这一列没有年份可放，表里到 {years[-1]} 年为止。从靠左的一年开始粘贴，或带上年份那一行。",
                )
        return found

    def codes_of_rows(
        self, block: PastedBlock, codes: Sequence[str], at_code: str
    ) -> dict[int, tuple[str, str | None]]:
        found: dict[int, tuple[str, str | None]] = {}
        first = self.year_row + 1
        at = codes.index(at_code) if at_code in codes else 0
        for r in range(first, len(self.table)):
            row = self.table[r]
            if not any(row):
                continue
            own_unit = None
            if self.named:
                code, own_unit = code_in(row[0])
                if code is None:
                    if any(row[1:]):
                        sentence = (
                            f"{quoted(row[0])}不是本库的指标，没有读入。名称照指标表写。"
                            if row[0]
                            else "这一行没有指标名称，没有读入（合并单元格只有第一格有字）。补上名称再粘贴。"
                        )
                        self.problem(block, r, None, sentence)
                    continue
            elif at + r - first < len(codes):
                code = codes[at + r - first]
            else:
                self.problem(block, r, None, "这一行已经超出指标表的末尾，没有读入。从靠上的一行开始粘贴。")
                continue
            declared = FIELDS[f"figures.{code}"]
            money_unit = own_unit if own_unit in MONEY_UNITS else self.unit
            unit = money_unit if declared.type == "money" else own_unit if own_unit == "%" else None
            found[r] = (code, unit)
        return found


def by_year(cells: Sequence[PastedCell]) -> Mapping[int, dict[str, Any]]:
    """{year: {field: value}} of the cells that were read, oldest first."""
    found: dict[int, dict[str, Any]] = {}
    for cell in sorted(cells, key=lambda one: one.year):
        found.setdefault(cell.year, {})[cell.code] = cell.value
    return found
