"""Reading each type of field from a cell or a form, and writing it: ``read_value`` and ``write_value`` are inverses."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from crm.domain.cells import CLEAR, CLEAR_WORD, Clear, Noted, Reader, compact, tidy
from crm.domain.choice_readers import BY_NAME, blank_words_of, choice_reader, choices_reader, options_of, yes_no_reader
from crm.domain.date_readers import date_reader, year_reader
from crm.domain.fields import Field
from crm.domain.number_readers import (
    MONEY_UNITS,
    cell_number,
    count_reader,
    digits_of,
    money_reader,
    number_reader,
    ratio_reader,
)
from crm.domain.text_readers import code_reader, industry_reader, text_reader

# A cell longer than this is neither a blank word nor 清空, even with spaces between its characters.
_LONGEST_MARK = 6


def read_value(
    field: Field, raw: object, *, unit: str | None = None, choices: Mapping[Any, str] | None = None, today: date
) -> object | None:
    """The field's value behind a cell (str, float, int, bool, date, datetime, None) or a line of a form.

    ``unit`` is the unit of the column (元, 千元, 万元, 亿元, %) when its heading names one; a unit written in the
    cell wins. ``choices`` maps stored values to labels and replaces the closed list of the product; for a
    dictionary, region, person, park or carrier without choices the words come back as they stand.
    Answers None for "nothing is said" and CLEAR for the typed 清空. Raises Unreadable.
    """
    value = reader_of(field, unit=unit, choices=choices, today=today)(raw)
    return value.value if isinstance(value, Noted) else value


def reader_of(
    field: Field, *, unit: str | None = None, choices: Mapping[Any, str] | None = None, today: date
) -> Reader:
    """``read_value`` made ready for one column; its answer may be a Noted where something was assumed."""
    convert = _READERS[field.type](field, unit, options_of(field, choices), today)
    says_nothing = blank_words_of(field, choices)

    def read(raw: object) -> object:
        if raw is None or raw == "":
            return None
        if not isinstance(raw, str):
            return convert(raw)
        text = tidy(raw)
        if len(text) <= _LONGEST_MARK:
            mark = compact(text)
            if not mark or mark in says_nothing:
                return None
            if mark == CLEAR_WORD:
                return CLEAR
        return convert(text)

    return read


def write_value(
    field: Field, value: object, *, unit: str | None = None, choices: Mapping[Any, str] | None = None
) -> object | None:
    """What stands in a cell for this value: str, int, float, date or None; reading it again gives the same value.

    ``unit`` is the unit in the column's heading (money only, 元 unless given). Labels in ``choices`` must be
    different from one another, or the name cannot be read back.
    """
    if value is None:
        return None
    if isinstance(value, Clear):
        return CLEAR_WORD
    if field.type == "money":
        return cell_number(Decimal(str(value)) / MONEY_UNITS[unit or "元"])
    if field.type in ("ratio", "number"):
        number = Decimal(str(value))
        # A ratio above one would be read as percent, so it says that it is one.
        return f"{digits_of(number * 100)}%" if field.type == "ratio" and abs(number) > 1 else cell_number(number)
    if field.type == "yes_no":
        return "是" if value else "否"
    if field.type in BY_NAME or field.type == "choice":
        return options_of(field, choices).get(value, str(value))
    if field.type == "choices":
        options = options_of(field, choices)
        items = value if isinstance(value, (list, tuple)) else [value]
        return "；".join(options.get(item, str(item)) for item in items)
    return value


_READERS: dict[str, Callable[[Field, str | None, Mapping[Any, str], date], Reader]] = {
    "text": text_reader,
    "long_text": text_reader,
    "code": code_reader,
    "industry": industry_reader,
    "date": date_reader,
    "year": year_reader,
    "count": count_reader,
    "money": money_reader,
    "ratio": ratio_reader,
    "number": number_reader,
    "yes_no": yes_no_reader,
    "choice": choice_reader,
    "choices": choices_reader,
    "region": choice_reader,
    "person": choice_reader,
    "park": choice_reader,
    "carrier": choice_reader,
}
