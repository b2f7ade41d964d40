"""Readers of money, counts, ratios and other numbers, all of them exact."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crm.domain.cells import Noted, Reader, Unreadable, compact, or_empty, quoted
from crm.domain.fields import Field

# Excel keeps 15 digits of a number; below ten trillion 元 an amount exact to the 分 survives a workbook unchanged.
MONEY_LIMIT = Decimal(10) ** 13
FEN = Decimal("0.01")

MONEY_UNITS: dict[str, Decimal] = {
    "元": Decimal(1),
    "百元": Decimal(100),
    "千元": Decimal(1000),
    "万元": Decimal(10_000),
    "百万元": Decimal(1_000_000),
    "千万元": Decimal(10_000_000),
    "亿元": Decimal(100_000_000),
}


_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?")
_WITH_COMMAS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_IN_BRACKETS = re.compile(r"\((.+)\)")


def _decimal(raw: object) -> Decimal | None:
    """An exact number, or None when it is none. Excel shows and keeps 15 digits of a float, so these count."""
    if isinstance(raw, (bool, date)):
        return None
    if isinstance(raw, int):
        return Decimal(raw)
    if isinstance(raw, float):
        return Decimal(format(raw, ".15g")) if abs(raw) < 1e300 else None
    text = compact(str(raw)).replace("−", "-").removeprefix("'")
    negative = _IN_BRACKETS.fullmatch(text)  # accountants write (1,234.50) for a loss
    if negative:
        text = f"-{negative.group(1)}"
    if _WITH_COMMAS.fullmatch(text):
        text = text.replace(",", "")
    return Decimal(text) if _PLAIN_NUMBER.fullmatch(text) else None


def digits_of(number: Decimal) -> str:
    """A number in plain digits, without exponent and trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell_number(number: Decimal) -> object:
    """A number as Excel keeps it: int or float up to 15 digits, text beyond."""
    if len(number.normalize().as_tuple().digits) > 15:
        return digits_of(number)
    return int(number) if number == number.to_integral_value() else float(number)


def _bounds(field: Field, number: Decimal, raw: object, what: str) -> None:
    if field.minimum == 0 and number < 0:
        raise Unreadable(
            f"{quoted(raw)}是负数，{field.label}不会小于 0。改成{what}{or_empty(field)}。", code="negative"
        )
    too_small = field.minimum is not None and number < field.minimum
    if too_small or (field.maximum is not None and number > field.maximum):
        lowest = "" if field.minimum is None else f"不小于 {field.minimum}"
        highest = "" if field.maximum is None else f"不大于 {field.maximum}"
        raise Unreadable(
            f"{quoted(raw)}不可能，{field.label}{'、'.join(filter(None, (lowest, highest)))}。改正{or_empty(field)}。",
            code="out_of_range",
        )


_MONEY = re.compile(r"(?:人民币|RMB|CNY|¥)?(.*?)(亿|千万|百万|万|千|百)?(元|块)?(?:人民币|RMB|CNY|整)*", re.I)
_FOREIGN = re.compile(r"美元|美金|港元|港币|欧元|日元|英镑|澳元|加元|韩元|新台币|USD|HKD|EUR|JPY|GBP|\$|€|£", re.I)


def money_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads an amount → Decimal 元 to the 分; a unit in the cell wins over the column's. Raises Unreadable."""
    column_factor = MONEY_UNITS[unit] if unit in MONEY_UNITS else Decimal(1)

    def read(raw: object) -> object:
        amount, factor = _decimal(raw), column_factor
        if amount is None and isinstance(raw, str):
            text = compact(raw)
            if _FOREIGN.search(text):
                raise Unreadable(f"{quoted(raw)}不是人民币。折算成元再填{or_empty(field)}。", code="foreign_currency")
            found = _MONEY.fullmatch(text)
            amount = _decimal(found.group(1)) if found else None
            if found and (found.group(2) or found.group(3)):
                factor = MONEY_UNITS[f"{found.group(2) or ''}元"]
        if amount is None:
            raise Unreadable(f"{quoted(raw)}不是金额。改成数字{or_empty(field)}。", code="not_a_number")
        if abs(amount) >= MONEY_LIMIT or abs(amount * factor) >= MONEY_LIMIT:
            raise Unreadable(f"{quoted(raw)}大得不可能。核对单位{or_empty(field)}。", code="out_of_range")
        money = (amount * factor).quantize(FEN, ROUND_HALF_UP)
        _bounds(field, money, raw, "数字")
        return money

    return read


_MEASURE_WORDS = "人名个家项件年级分位次"


def count_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads a whole number, also with its measure word → int; raises Unreadable."""

    def read(raw: object) -> object:
        number = _decimal(compact(raw).rstrip(_MEASURE_WORDS) if isinstance(raw, str) else raw)
        if number is None:
            raise Unreadable(f"{quoted(raw)}不是数。改成整数{or_empty(field)}。", code="not_a_number")
        _bounds(field, number, raw, "整数")
        if number != number.to_integral_value():
            raise Unreadable(f"{quoted(raw)}不是整数。改成整数{or_empty(field)}。", code="not_whole")
        return int(number)

    return read


def number_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads any number, also with its measure word → Decimal; raises Unreadable."""

    def read(raw: object) -> object:
        number = _decimal(compact(raw).rstrip(_MEASURE_WORDS) if isinstance(raw, str) else raw)
        if number is None:
            raise Unreadable(f"{quoted(raw)}不是数。改成数字{or_empty(field)}。", code="not_a_number")
        _bounds(field, number, raw, "数字")
        return number

    return read


def ratio_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads a ratio → Decimal, 5% as 0.05; Noted where percent was assumed. Raises Unreadable."""
    # Above this a bare number cannot be a share of one and is read as percent.
    share_limit = Decimal(1)

    def read(raw: object) -> object:
        text = compact(raw) if isinstance(raw, str) else raw
        in_percent = unit == "%" or (isinstance(text, str) and text.endswith("%"))
        number = _decimal(text.rstrip("%") if isinstance(text, str) else text)
        if number is None:
            raise Unreadable(f"{quoted(raw)}不是比例。写成 5% 或 0.05{or_empty(field)}。", code="not_a_number")
        ratio = number / 100 if in_percent or abs(number) > share_limit else number
        _bounds(field, ratio, raw, "比例")
        if not in_percent and abs(number) > share_limit:
            return Noted(ratio, f"{quoted(raw)}按 {digits_of(number)}% 读。", "percent_assumed")
        return ratio

    return read
