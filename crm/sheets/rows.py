"""Raw rows to typed rows: every cell read by its field's codec, every problem of a row told at once."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from crm.domain.cells import CLEAR, Noted, Unreadable, as_text, compact
from crm.domain.codecs import reader_of
from crm.domain.fields import Field
from crm.domain.words import money_sentence
from crm.sheets.headers import HeaderMatch, MatchedColumn, data_rows
from crm.sheets.layouts import AREA, CLEARS, Column, SheetLayout
from crm.sheets.reading import SheetData

Choices = Mapping[str, Mapping[Any, str]]

# A column repeats few words (townships, dates, yes and no); beyond this many different ones, remembering does not pay.
_REMEMBERED = 4096
_NOT_SEEN = object()
# Digits with separators, as a cell without a unit has them.
_NUMBER = re.compile(r"[\s\d０-９.,，+-]+")
_OLD_NUMBER = "enterprise.old_number"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one row, with the keys of the import report (product.md, Reports).

    ``column`` is the heading as it stands in the file, ``letter`` the column's letter ("" when the file lacks it).
    """

    sheet: str
    row: int
    column: str
    letter: str
    value: str
    code: str
    message: str
    severity: str = "error"


@dataclass(frozen=True)
class TypedRow:
    """One data row: ``values`` by field key (absent: the row says nothing), the keys that were 清空, the problems."""

    sheet: str
    row: int
    values: dict[str, Any]
    cleared: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        """Whether the row cannot be taken as it is; warnings do not count."""
        return any(problem.severity == "error" for problem in self.problems)


def choices_for(declared: Field, choices: Choices | None) -> Mapping[Any, str] | None:
    """The choices of a field among those passed in: by its key, by its dictionary, by its type (region, person …)."""
    if not choices:
        return None
    for name in (declared.key, declared.choices, declared.type):
        if name is not None and name in choices:
            return choices[name]
    return None


def typed_rows(
    sheet: SheetData, layout: SheetLayout, match: HeaderMatch, *, today: date, choices: Choices | None = None
) -> Iterator[TypedRow]:
    """The data rows of a sheet in order, typed. Rows about nobody and rows without a required value carry an error.

    ``choices`` maps a field's key, dictionary or type to {stored value: label}; without an entry the words of a
    dictionary, region, person, park or carrier come back as they stand. An old 15-digit number in the code's column
    is moved to ``enterprise.old_number`` with a warning.
    """
    plan = [
        (matched.index, matched.column.key, _reader(matched.column, matched.unit, today, choices), matched)
        for matched in match.columns
    ]
    given = {key: _given(layout, key, said, today, choices) for key, said in match.given}
    defaults = {key: _given(layout, key, said, today, choices) for key, said in match.defaults}
    clearing = {matched.index: matched.column.key for matched in match.columns if matched.column.blank == CLEARS}
    places = {matched.column.key: (matched.heading, matched.letter) for matched in match.columns}
    required = [column for column in layout.columns if column.required]
    # Told once, at the first amount of such a column: nothing but the reader knows whether the unit is right.
    assumed = {matched.column.key for matched in match.columns if matched.assumed}
    for number, cells, place in data_rows(sheet, match):
        values: dict[str, Any] = given | defaults
        cleared: set[str] = set()
        faults: list[tuple[str, str, str, str, str]] = []
        for index, key, read, matched in plan:
            raw = cells[index]
            value = None if raw == "" or raw is None else read(raw)
            if value is None:
                if index in clearing:
                    cleared.add(key)
                continue
            kind = type(value)
            if kind is Noted:
                values[key] = value.value
                faults.append((key, _quoted(raw), value.code, value.message, "warning"))
            elif kind is Unreadable:
                faults.append(_fault(key, raw, value, matched.column, values))
            elif value is CLEAR:
                cleared.add(key)
            else:
                values[key] = value
                if key in assumed and _is_bare(raw):
                    assumed.discard(key)
                    faults.append((key, _quoted(raw), "unit_assumed", _unit_sentence(matched, value), "warning"))
        if given and not any(layout.noun == key.split(".")[0] for key in values if key not in given) and not faults:
            # A firm without any of these columns says nothing here; its row belongs to the sheet's other noun.
            continue
        if place:
            values.setdefault(AREA, place)
        _judge_row(layout, required, values, cleared, faults)
        problems = [Problem(sheet.name, number, *_place(places, layout, fault[0]), *fault[1:]) for fault in faults]
        yield TypedRow(sheet.name, number, values, cleared, problems)


def _place(places: dict[str, tuple[str, str]], layout: SheetLayout, key: str) -> tuple[str, str]:
    """Heading and letter of a field's column; a column the file lacks has the layout's heading and no letter."""
    if key in places:
        return places[key]
    column = layout.column(key)
    return (column.heading if column else "", "")


def _reader(column: Column, unit: str | None, today: date, choices: Choices | None) -> Callable[[Any], Any]:
    """The column's codec with its answers to texts remembered; a refusal is an answer like any other."""
    # Whether a cell may stay empty is the sheet's to say: beside the code the name may, on a list of names it may not.
    declared = replace(column.field, required=column.required)
    read = reader_of(declared, unit=unit, choices=choices_for(declared, choices), today=today)
    remembered: dict[str, Any] = {}

    def remembering(raw: Any) -> Any:
        is_text = type(raw) is str
        answer = remembered.get(raw, _NOT_SEEN) if is_text else _NOT_SEEN
        if answer is not _NOT_SEEN:
            return answer
        try:
            answer = read(raw)
        except Unreadable as refusal:
            answer = refusal
        if is_text and len(remembered) < _REMEMBERED:
            remembered[raw] = answer
        return answer

    return remembering


def _given(layout: SheetLayout, key: str, said: str, today: date, choices: Choices | None) -> Any:
    """What a person said for a missing column, read as its cell would be. Raises Unreadable."""
    column = layout.column(key)
    assert column is not None
    value = reader_of(column.field, unit=None, choices=choices_for(column.field, choices), today=today)(said)
    return value.value if isinstance(value, Noted) else value


def _is_bare(raw: Any) -> bool:
    """Whether a cell is a number and nothing else; a text may say its unit itself (150 万元)."""
    return not isinstance(raw, str) or _NUMBER.fullmatch(raw) is not None


def _unit_sentence(matched: MatchedColumn, value: Decimal) -> str:
    unit = matched.unit or "元"
    heading = matched.heading
    return (
        f"表里没有写{heading}的单位，按{unit}读，这里是 {money_sentence(value)}。"
        f"不对就在表头写上单位，如“{heading}（元）”。"
    )


def _quoted(raw: Any) -> str:
    return (raw if isinstance(raw, str) else as_text(raw))[:200]


def _fault(
    key: str, raw: Any, refusal: Unreadable, column: Column, values: dict[str, Any]
) -> tuple[str, str, str, str, str]:
    if refusal.code == "old_number":
        number = compact(str(raw)).removeprefix("'")
        values.setdefault(_OLD_NUMBER, number)
        message = f"“{number}”是 15 位的原注册号，放到“原注册号”；{column.field.label}留空，查到后补上。"
        return key, _quoted(raw), "old_number", message, "warning"
    return key, _quoted(raw), refusal.code, refusal.message, refusal.severity


def _judge_row(
    layout: SheetLayout,
    required: list[Column],
    values: dict[str, Any],
    cleared: set[str],
    faults: list[tuple[str, str, str, str, str]],
) -> None:
    """What a single cell cannot know: whether the row says whom it is about, and all it must."""
    told = {fault[0] for fault in faults}
    is_about_somebody = any(key in values for key in layout.key) or _OLD_NUMBER in values
    if not is_about_somebody and not any(key in told for key in layout.key):
        message = "这一行没有企业名称，也没有统一社会信用代码，认不出是哪家企业，或是公式没有算出结果。补上再传。"
        faults.append((layout.key[0], "", "no_key", message, "error"))
        told.update(layout.key)
    for column in required:
        key = column.key
        if key in cleared:
            faults.append((key, "清空", "cannot_clear", f"{column.heading}必填，不能清空。填上内容。", "error"))
        elif key not in values and key not in told and not (key in layout.key and is_about_somebody):
            message = f"{column.heading}没有填，或是公式没有算出结果。补上再传。"
            faults.append((key, "", "missing", message, "error"))
