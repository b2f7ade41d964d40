"""Readers of dates and years in all the ways offices write them."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from crm.domain.cells import Noted, Reader, Unreadable, or_empty, quoted
from crm.domain.fields import Field
from crm.domain.months import month_end

# No firm, title or visit of this product is older than the republic; no title runs longer than twelve years from now.
EARLIEST = date(1949, 10, 1)
YEARS_AHEAD = 12

# Day 0 of the serial numbers of Excel's 1900 calendar, right for every date after February 1900.
SERIAL_EPOCH = date(1899, 12, 30)


_DATE = re.compile(
    r"(\d{4})\s*[-./年]\s*(\d{1,2})(?:\s*[-./月]\s*(\d{1,2})\s*[日号]?|\s*月?)"
    r"(?:[ T]*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
_YEAR = re.compile(r"(\d{4})\s*(?:年|年度)?")
_OPEN_ENDED = re.compile("长期|永久|无固定期限|至今")
# A month without a day is its last day where the field says how long something lasts, its first day elsewhere.
_ENDS = frozenset({"valid_to", "expires_on", "next_step_on", "ended_on", "left_on"})


def latest_date(today: date) -> date:
    """The last day that a date may name."""
    return date(today.year + YEARS_AHEAD, 12, 31)


def date_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads a day → date, or Noted where only the month was given; raises Unreadable."""
    latest = latest_date(today)
    is_end = field.code in _ENDS
    no_end = "" if field.required else "，没有期限就留空"

    def bounded(day: date, raw: object) -> date:
        if day < EARLIEST:
            raise Unreadable(
                f"{_dated(raw, day)}早于 {EARLIEST}，多半是把数字或空格当成了日期。改成真实的日期{or_empty(field)}。",
                code="date_impossible",
            )
        if day > latest:
            raise Unreadable(
                f"{_dated(raw, day)}晚于 {latest}，多半是“长期”的写法或年份打错。改成真实的日期{no_end}。",
                code="date_impossible",
            )
        return day

    def month(year: int, number: int, raw: object) -> object:
        first = bounded(_day(field, year, number, 1, raw), raw)
        day = month_end(first) if is_end else first
        return Noted(day, f"{quoted(raw)}只有年月，按 {day} 读。", "month_only")

    def digits(number: int, raw: object) -> object:
        if 19_000_101 <= number <= 21_991_231:
            return bounded(_day(field, number // 10_000, number // 100 % 100, number % 100, raw), raw)
        if 1900 <= number <= 2199:
            raise Unreadable(
                f"{quoted(raw)}只有年份。补上月和日，写成 {number}-05-06 的样子{or_empty(field)}。", code="year_only"
            )
        if 190_001 <= number <= 219_912:
            return month(number // 100, number % 100, raw)
        if 0 <= number < 190_000:
            return bounded(SERIAL_EPOCH + timedelta(days=number), raw)
        raise _not_a_date(field, raw)

    def read(raw: object) -> object:
        if isinstance(raw, datetime):
            return bounded(raw.date(), raw)
        if isinstance(raw, date):
            return bounded(raw, raw)
        if isinstance(raw, bool):
            raise _not_a_date(field, raw)
        if isinstance(raw, (int, float)):
            if 1900 < raw < 2200 and not float(raw).is_integer():
                raise Unreadable(
                    f"{quoted(raw)}像年月，却是数字，10 月和 1 月分不开。写成 2023-05-06 的样子。", code="not_a_date"
                )
            if raw != raw or not -1 < raw < 10**9:
                raise _not_a_date(field, raw)
            return digits(int(raw), raw)
        text = unicodedata.normalize("NFKC", str(raw)).replace("—", "-").replace("–", "-").strip()
        if text.isdigit() and len(text) in (4, 5, 6, 8):
            return digits(int(text), raw)
        found = _DATE.fullmatch(text)
        if found:
            year, number, day = found.groups()
            if day is None:
                return month(int(year), int(number), raw)
            return bounded(_day(field, int(year), int(number), int(day), raw), raw)
        year_only = _YEAR.fullmatch(text)
        if year_only:
            return digits(int(year_only.group(1)), raw)
        if _OPEN_ENDED.search(text):
            if field.required:
                raise _not_a_date(field, raw)
            raise Unreadable(f"{quoted(raw)}不是日期。没有期限就留空。", code="not_a_date")
        raise _not_a_date(field, raw)

    return read


def _dated(raw: object, day: date) -> str:
    return quoted(raw) if isinstance(raw, (str, date)) else f"{quoted(raw)}（{day}）"


def _not_a_date(field: Field, raw: object) -> Unreadable:
    return Unreadable(f"{quoted(raw)}不是日期。写成 2023-05-06 的样子{or_empty(field)}。", code="not_a_date")


def _day(field: Field, year: int, month: int, day: int, raw: object) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Unreadable(
            f"{quoted(raw)}这一天日历上没有。写成 2023-05-06 的样子{or_empty(field)}。", code="not_a_date"
        ) from None


def year_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads a year → int within the field's bounds and the horizon; raises Unreadable."""
    lowest = max(field.minimum or 0, EARLIEST.year)
    highest = min(field.maximum or 9999, today.year + YEARS_AHEAD)

    def read(raw: object) -> object:
        year = _year_in(raw)
        if year is None:
            raise Unreadable(f"{quoted(raw)}不是年份。写成 2025 的样子{or_empty(field)}。", code="not_a_year")
        if not lowest <= year <= highest:
            raise Unreadable(
                f"{quoted(raw)}不在 {lowest} 到 {highest} 年之间。改正年份{or_empty(field)}。", code="out_of_range"
            )
        return year

    return read


def _year_in(raw: object) -> int | None:
    if isinstance(raw, date):
        return raw.year
    if isinstance(raw, bool):
        return None
    if isinstance(raw, (int, float)):
        return int(raw) if float(raw).is_integer() and 0 <= raw <= 9999 else None
    text = unicodedata.normalize("NFKC", str(raw)).strip()
    found = _YEAR.fullmatch(text) or _DATE.fullmatch(text)
    return int(found.group(1)) if found else None
