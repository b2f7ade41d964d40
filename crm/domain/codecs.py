"""Reading each type of field from a cell or a form, and writing it: ``read_value`` and ``write_value`` are inverses."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crm.domain.codes import check_code
from crm.domain.fields import CHOICES, Field
from crm.domain.industries import normalise_industry
from crm.domain.kinds import KINDS


class Clear:
    """The type of CLEAR; there is one value of it."""

    def __repr__(self) -> str:
        return "CLEAR"


# Somebody typed 清空: the stored value is to be emptied. An empty cell says nothing and leaves it.
CLEAR = Clear()
CLEAR_WORD = "清空"

# Words an office writes where it has nothing to say; they count as empty where the field's blank rule is "none".
BLANK_WORDS = frozenset({"-", "--", "---", "/", "\\", "—", "——", "–", "―", "─", "无", "暂无"})
# A cell longer than this is neither a blank word nor 清空, even with spaces between its characters.
_LONGEST_MARK = 6

# No firm, title or visit of this product is older than the republic; no title runs longer than twelve years from now.
EARLIEST = date(1949, 10, 1)
YEARS_AHEAD = 12

# Day 0 of the serial numbers of Excel's 1900 calendar, right for every date after February 1900.
SERIAL_EPOCH = date(1899, 12, 30)

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

# Types whose stored value is an id; on a sheet stands the name, looked up in the choices that are passed in.
BY_NAME = frozenset({"region", "person", "park", "carrier"})


class Unreadable(ValueError):
    """A cell or form value that cannot be the field's value.

    ``message`` is one Chinese sentence fit for the screen, ``code`` names the kind of fault for reports, and
    ``severity`` is "warning" for columns whose foreign words are told and left out rather than stopping the row.
    """

    def __init__(self, message: str, *, code: str, severity: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.severity = severity


@dataclass(frozen=True)
class Noted:
    """A value that was read by an assumption the user should see, with the sentence that says which."""

    value: object
    message: str
    code: str


Reader = Callable[[object], object]


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
    convert = _READERS[field.type](field, unit, _options(field, choices), today)
    says_nothing = _blank_words_of(field, choices)

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
        return _cell_number(Decimal(str(value)) / MONEY_UNITS[unit or "元"])
    if field.type in ("ratio", "number"):
        number = Decimal(str(value))
        # A ratio above one would be read as percent, so it says that it is one.
        return f"{_plain(number * 100)}%" if field.type == "ratio" and abs(number) > 1 else _cell_number(number)
    if field.type == "yes_no":
        return "是" if value else "否"
    if field.type in BY_NAME or field.type == "choice":
        return _options(field, choices).get(value, str(value))
    if field.type == "choices":
        options = _options(field, choices)
        items = value if isinstance(value, (list, tuple)) else [value]
        return "；".join(options.get(item, str(item)) for item in items)
    return value


# --- text -------------------------------------------------------------------------------------------------------

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_SPACES = re.compile(r"\s+")


def tidy(text: str) -> str:
    """Text without invisible characters, wide spaces at its ends and carriage returns; the inside stays as typed."""
    if text.isascii() and text.isalnum():
        return text
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def compact(text: str) -> str:
    """Half-width and without any space: the form in which codes, numbers and labels are compared."""
    if text.isascii() and text.isalnum():
        return text
    # Twice, because taking out a space can bring a letter and its accent together.
    return unicodedata.normalize("NFKC", _SPACES.sub("", unicodedata.normalize("NFKC", text)))


_SPACE_BY_CHINESE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")


def tidy_name(text: str) -> str:
    """A name as it is stored and compared: half-width letters, full-width brackets, no spaces or line breaks between
    Chinese characters (chongqing.md §6.4, items 8 and 14)."""
    name = _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    name = unicodedata.normalize("NFKC", _SPACE_BY_CHINESE.sub("", name.replace("(", "（").replace(")", "）")))
    return name.replace("(", "（").replace(")", "）")


def _shown(raw: object) -> str:
    """The cell as it is quoted in a sentence, cut so that a page of text does not flood the report."""
    text = raw if isinstance(raw, str) else _as_text(raw)
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


def _as_text(raw: object) -> str:
    if isinstance(raw, bool):
        return "是" if raw else "否"
    if isinstance(raw, float):
        # Below 2^53 a whole number came through Excel unchanged; above it the last digits are made up.
        return str(int(raw)) if raw.is_integer() and abs(raw) < 2**53 else format(raw, ".15g")
    if isinstance(raw, datetime):
        return raw.date().isoformat() if raw.time() == datetime.min.time() else raw.isoformat(" ", "minutes")
    if isinstance(raw, date):
        return raw.isoformat()
    return str(raw)


def _not_longer(field: Field, text: str) -> str:
    if field.length is not None and len(text) > field.length:
        raise Unreadable(f"{field.label}有 {len(text)} 个字，最多 {field.length} 个字。改短后再填。", code="too_long")
    return text


def _text_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    is_name = field.key in ("enterprise.name", "enterprise.former_name")

    def read(raw: object) -> object:
        text = raw if isinstance(raw, str) else _as_text(raw)
        return _not_longer(field, tidy_name(text) if is_name else text)

    return read


# --- codes ------------------------------------------------------------------------------------------------------

_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+\d+", re.I)
_CREDIT_CODE_LENGTH = 18
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")


def _code_as_number(field: Field, raw: object) -> Unreadable:
    return Unreadable(
        f"{_shown(raw)}在表里是数字，{field.label}的首尾几位可能已经丢失。把这一列设成文本格式，照原件重填。",
        code="code_as_number",
    )


def _code_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    is_credit_code, is_phone = field.key == "enterprise.credit_code", field.key == "enterprise.contact_phone"

    def read(raw: object) -> object:
        if isinstance(raw, bool):
            raise Unreadable(f"{_shown(raw)}不是{field.label}。照原件重填，或留空表示不知道。", code="not_a_code")
        if isinstance(raw, (int, float)):
            # A mobile number of eleven digits that starts with 1 has lost nothing on its way through a number cell.
            if is_phone and float(raw).is_integer() and 10**10 <= raw < 2 * 10**10:
                return str(int(raw))
            raise _code_as_number(field, raw)
        text = raw if isinstance(raw, str) else _as_text(raw)
        code = compact(text).removeprefix("'")
        if _SCIENTIFIC.fullmatch(code):
            raise _code_as_number(field, text)
        if is_phone and len(code) > 13:
            code = _SPACES.sub(" ", unicodedata.normalize("NFKC", text))  # two numbers in one cell stay apart
        return _credit_code(text) if is_credit_code else _not_longer(field, code)

    return read


def _credit_code(text: str) -> object:
    """A code of 18 places, with a note when there is reason to doubt it; only what cannot be one is refused."""
    check = check_code(text)
    code = check.normal
    if check.kind == "old15":
        raise Unreadable(f"{_shown(text)}是 15 位的原注册号。把它填到“原注册号”，代码留空。", code="old_number")
    if _NOT_ALPHANUMERIC.search(code):
        raise Unreadable(
            f"{_shown(text)}里有代码不会有的字。照营业执照改成 18 位数字和字母，或留空。", code="not_a_code"
        )
    if len(code) != _CREDIT_CODE_LENGTH:
        raise Unreadable(
            f"{_shown(text)}有 {len(code)} 位，统一社会信用代码是 18 位。照营业执照改正，或留空表示不知道。",
            code="code_length",
        )
    return code if check.warning is None else Noted(code, check.warning, "code_doubtful")


def _industry_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    def read(raw: object) -> object:
        text = raw if isinstance(raw, str) else _as_text(raw)
        if not isinstance(raw, str) and len(text) < 4:
            raise Unreadable(
                f"{_shown(raw)}在表里是数字，前面的 0 可能已经丢失；这一格没有读入。把这一列设成文本格式再填。",
                code="code_as_number",
                severity="warning",
            )
        code = normalise_industry(text)
        if code is None:
            raise Unreadable(
                f"{_shown(raw)}不是国民经济行业的代码或名称，这一格没有读入。要读入就填 C13、C1391 这样的代码。",
                code="unknown_choice",
                severity="warning",
            )
        return code

    return read


# --- dates and years --------------------------------------------------------------------------------------------

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


def _date_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    latest = latest_date(today)
    is_end = field.code in _ENDS

    def bounded(day: date, raw: object) -> date:
        if day < EARLIEST:
            raise Unreadable(
                f"{_dated(raw, day)}早于 {EARLIEST}，多半是把数字或空格当成了日期。改成真实的日期，或留空表示不知道。",
                code="date_impossible",
            )
        if day > latest:
            raise Unreadable(
                f"{_dated(raw, day)}晚于 {latest}，多半是“长期”的写法或年份打错。改成真实的日期，没有期限就留空。",
                code="date_impossible",
            )
        return day

    def month(year: int, number: int, raw: object) -> object:
        first = bounded(_day(year, number, 1, raw), raw)
        day = _month_end(first) if is_end else first
        return Noted(day, f"{_shown(raw)}只有年月，按 {day} 读。", "month_only")

    def digits(number: int, raw: object) -> object:
        if 19_000_101 <= number <= 21_991_231:
            return bounded(_day(number // 10_000, number // 100 % 100, number % 100, raw), raw)
        if 1900 <= number <= 2199:
            raise Unreadable(
                f"{_shown(raw)}只有年份。补上月和日，写成 {number}-05-06 的样子，或留空表示不知道。", code="year_only"
            )
        if 190_001 <= number <= 219_912:
            return month(number // 100, number % 100, raw)
        if 0 <= number < 190_000:
            return bounded(SERIAL_EPOCH + timedelta(days=number), raw)
        raise _not_a_date(raw)

    def read(raw: object) -> object:
        if isinstance(raw, datetime):
            return bounded(raw.date(), raw)
        if isinstance(raw, date):
            return bounded(raw, raw)
        if isinstance(raw, bool):
            raise _not_a_date(raw)
        if isinstance(raw, (int, float)):
            if 1900 < raw < 2200 and not float(raw).is_integer():
                raise Unreadable(
                    f"{_shown(raw)}像年月，却是数字，10 月和 1 月分不开。写成 2023-05-06 的样子。", code="not_a_date"
                )
            if raw != raw or not -1 < raw < 10**9:
                raise _not_a_date(raw)
            return digits(int(raw), raw)
        text = unicodedata.normalize("NFKC", str(raw)).replace("—", "-").replace("–", "-").strip()
        if text.isdigit() and len(text) in (4, 5, 6, 8):
            return digits(int(text), raw)
        found = _DATE.fullmatch(text)
        if found:
            year, number, day = found.groups()
            if day is None:
                return month(int(year), int(number), raw)
            return bounded(_day(int(year), int(number), int(day), raw), raw)
        year_only = _YEAR.fullmatch(text)
        if year_only:
            return digits(int(year_only.group(1)), raw)
        if _OPEN_ENDED.search(text):
            raise Unreadable(f"{_shown(raw)}不是日期。没有期限就留空。", code="not_a_date")
        raise _not_a_date(raw)

    return read


def _dated(raw: object, day: date) -> str:
    return _shown(raw) if isinstance(raw, (str, date)) else f"{_shown(raw)}（{day}）"


def _not_a_date(raw: object) -> Unreadable:
    return Unreadable(f"{_shown(raw)}不是日期。写成 2023-05-06 的样子，或留空表示不知道。", code="not_a_date")


def _day(year: int, month: int, day: int, raw: object) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Unreadable(
            f"{_shown(raw)}这一天日历上没有。写成 2023-05-06 的样子，或留空表示不知道。", code="not_a_date"
        ) from None


def _month_end(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _year_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    lowest = max(field.minimum or 0, EARLIEST.year)
    highest = min(field.maximum or 9999, today.year + YEARS_AHEAD)

    def read(raw: object) -> object:
        year = _year_in(raw)
        if year is None:
            raise Unreadable(f"{_shown(raw)}不是年份。写成 2025 的样子，或留空表示不知道。", code="not_a_year")
        if not lowest <= year <= highest:
            raise Unreadable(
                f"{_shown(raw)}不在 {lowest} 到 {highest} 年之间。改正年份，或留空表示不知道。", code="out_of_range"
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


# --- numbers ----------------------------------------------------------------------------------------------------

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


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _cell_number(number: Decimal) -> object:
    """A number as Excel keeps it: int or float up to 15 digits, text beyond."""
    if len(number.normalize().as_tuple().digits) > 15:
        return _plain(number)
    return int(number) if number == number.to_integral_value() else float(number)


def _bounds(field: Field, number: Decimal, raw: object, what: str) -> None:
    if field.minimum == 0 and number < 0:
        raise Unreadable(
            f"{_shown(raw)}是负数，{field.label}不会小于 0。改成{what}，或留空表示不知道。", code="negative"
        )
    too_small = field.minimum is not None and number < field.minimum
    if too_small or (field.maximum is not None and number > field.maximum):
        lowest = "" if field.minimum is None else f"不小于 {field.minimum}"
        highest = "" if field.maximum is None else f"不大于 {field.maximum}"
        raise Unreadable(
            f"{_shown(raw)}不可能，{field.label}{'、'.join(filter(None, (lowest, highest)))}。改正，或留空表示不知道。",
            code="out_of_range",
        )


_MONEY = re.compile(r"(?:人民币|RMB|CNY|¥)?(.*?)(亿|千万|百万|万|千|百)?(元|块)?(?:人民币|RMB|CNY|整)*", re.I)
_FOREIGN = re.compile(r"美元|美金|港元|港币|欧元|日元|英镑|澳元|加元|韩元|新台币|USD|HKD|EUR|JPY|GBP|\$|€|£", re.I)


def _money_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    column_factor = MONEY_UNITS[unit] if unit in MONEY_UNITS else Decimal(1)

    def read(raw: object) -> object:
        amount, factor = _decimal(raw), column_factor
        if amount is None and isinstance(raw, str):
            text = compact(raw)
            if _FOREIGN.search(text):
                raise Unreadable(f"{_shown(raw)}不是人民币。折算成元再填，或留空表示不知道。", code="foreign_currency")
            found = _MONEY.fullmatch(text)
            amount = _decimal(found.group(1)) if found else None
            if found and (found.group(2) or found.group(3)):
                factor = MONEY_UNITS[f"{found.group(2) or ''}元"]
        if amount is None:
            raise Unreadable(f"{_shown(raw)}不是金额。改成数字，或留空表示不知道。", code="not_a_number")
        if abs(amount) >= MONEY_LIMIT or abs(amount * factor) >= MONEY_LIMIT:
            raise Unreadable(f"{_shown(raw)}大得不可能。核对单位，或留空表示不知道。", code="out_of_range")
        money = (amount * factor).quantize(FEN, ROUND_HALF_UP)
        _bounds(field, money, raw, "数字")
        return money

    return read


_MEASURE_WORDS = "人名个家项件年级分位次"


def _count_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    def read(raw: object) -> object:
        number = _decimal(compact(raw).rstrip(_MEASURE_WORDS) if isinstance(raw, str) else raw)
        if number is None:
            raise Unreadable(f"{_shown(raw)}不是数。改成整数，或留空表示不知道。", code="not_a_number")
        _bounds(field, number, raw, "整数")
        if number != number.to_integral_value():
            raise Unreadable(f"{_shown(raw)}不是整数。改成整数，或留空表示不知道。", code="not_whole")
        return int(number)

    return read


def _number_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    def read(raw: object) -> object:
        number = _decimal(compact(raw).rstrip(_MEASURE_WORDS) if isinstance(raw, str) else raw)
        if number is None:
            raise Unreadable(f"{_shown(raw)}不是数。改成数字，或留空表示不知道。", code="not_a_number")
        _bounds(field, number, raw, "数字")
        return number

    return read


def _ratio_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    # Above this a bare number cannot be a share of one and is read as percent.
    share_limit = Decimal(1)

    def read(raw: object) -> object:
        text = compact(raw) if isinstance(raw, str) else raw
        in_percent = unit == "%" or (isinstance(text, str) and text.endswith("%"))
        number = _decimal(text.rstrip("%") if isinstance(text, str) else text)
        if number is None:
            raise Unreadable(f"{_shown(raw)}不是比例。写成 5% 或 0.05，或留空表示不知道。", code="not_a_number")
        ratio = number / 100 if in_percent or abs(number) > share_limit else number
        _bounds(field, ratio, raw, "比例")
        if not in_percent and abs(number) > share_limit:
            return Noted(ratio, f"{_shown(raw)}按 {_plain(number)}% 读。", "percent_assumed")
        return ratio

    return read


# --- words ------------------------------------------------------------------------------------------------------

_YES = frozenset({"是", "有", "√", "✓", "✔", "☑", "对", "y", "yes", "true", "1", "t"})
_NO = frozenset({"否", "无", "没有", "×", "✗", "✘", "☒", "x", "错", "n", "no", "false", "0", "f", "不是", "非"})


def _yes_no_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    def read(raw: object) -> object:
        if isinstance(raw, bool):
            return raw
        word = compact(raw if isinstance(raw, str) else _as_text(raw)).lower()
        if word in _YES:
            return True
        if word in _NO:
            return False
        raise Unreadable(f"{_shown(raw)}看不出是或否。填“是”或“否”，或留空表示不知道。", code="not_yes_or_no")

    return read


# What offices write for an entry of our closed lists. Labels, codes and labels without their brackets are known anyway.
_OTHER_WORDS: dict[str, dict[str, str]] = {
    "title_kind": {
        **{kind.short: kind.code for kind in KINDS.values()},
        **{kind.name: kind.code for kind in KINDS.values()},
        "科技型企业": "cq_tech",
        "重庆市科技型企业": "cq_tech",
        "市级科技型企业": "cq_tech",
        "科小": "tech_sme",
        "国家科技型中小企业": "tech_sme",
        "国家高新技术企业": "hnte",
        "国高": "hnte",
        "专精特新企业": "srdi",
        "市级专精特新": "srdi",
        "专精特新小巨人": "little_giant",
        "国家级专精特新小巨人企业": "little_giant",
    },
    "subject_type": {
        "有限责任公司": "company",
        "有限公司": "company",
        "股份有限公司": "company",
        "企业法人": "company",
        "个人独资": "sole_proprietorship",
        "合伙": "partnership",
        "有限合伙企业": "partnership",
        "普通合伙企业": "partnership",
        "合作社": "cooperative",
        "专业合作社": "cooperative",
        "个体户": "self_employed",
        "个体": "self_employed",
        "有限责任公司分公司": "branch",
        "分支机构": "branch",
    },
    "status": {
        "在业": "active",
        "在营": "active",
        "开业": "active",
        "正常": "active",
        "正常经营": "active",
        "在营在册": "active",
        "存续（在营、开业、在册）": "active",
        "停产": "suspended",
        "歇业": "suspended",
        "停业": "suspended",
        "吊销，未注销": "licence_revoked",
        "吊销未注销": "licence_revoked",
        "清算": "liquidating",
        "破产": "liquidating",
    },
    "source": {"招商引资": "attracted", "招商": "attracted", "引进企业": "attracted", "本地企业": "local"},
    "end_reason": {
        "取消": "cancelled",
        "撤销": "revoked",
        "迁出": "relocated",
        "注销": "deregistered",
        "到期": "not_renewed",
    },
    "service_kind": {"实地走访": "visit", "上门走访": "visit", "电话联系": "phone", "培训会": "training"},
}

# Offices use columns of this name for other classifications (国有控股企业 is no subject type): a foreign word is told
# and left out instead of stopping the whole row.
_FOREIGN_WORDS_ARE_LEFT_OUT = frozenset({"enterprise.subject_type"})

_AMBIGUOUS = object()
_QUOTES = str.maketrans("", "", "“”‘’\"'《》、,，;；")
_BRACKETS = re.compile(r"\([^()]*\)")


def _options(field: Field, choices: Mapping[Any, str] | None) -> Mapping[Any, str]:
    return choices if choices is not None else CHOICES.get(field.choices or "", {})


def _blank_words_of(field: Field, choices: Mapping[Any, str] | None) -> frozenset[str]:
    """The words that say nothing in this field: an entry of its own list, and 无 as an answer, say something."""
    if field.blank != "none":
        return frozenset()
    words = BLANK_WORDS - set(_options(field, choices).values())
    return words - {"无"} if field.type == "yes_no" else words


def _word(text: str) -> str:
    return compact(text).translate(_QUOTES).lower()


def _lookup(field: Field, options: Mapping[Any, str]) -> dict[str, object]:
    """Every word that stands for an entry → the stored value, or _AMBIGUOUS when two entries share the word."""
    words: dict[str, object] = {}

    def learn(word: str, value: object) -> None:
        if word:
            words[word] = value if words.get(word, value) == value else _AMBIGUOUS

    for value, label in options.items():
        learn(_word(label), value)
    whole = set(words)
    for value, label in options.items():
        shorter = _BRACKETS.sub("", _word(label))
        if shorter not in whole:
            learn(shorter, value)
    if field.type not in BY_NAME:
        for value in options:
            words.setdefault(_word(str(value)), value)
    for other, code in _OTHER_WORDS.get(field.choices or "", {}).items():
        if code in options:
            words.setdefault(_word(other), code)
    return words


def _one_of(field: Field, options: Mapping[Any, str]) -> Callable[[object], object]:
    words = _lookup(field, options)

    def find(raw: object) -> object:
        word = _word(raw if isinstance(raw, str) else _as_text(raw))
        value = words.get(word)
        if value is None:
            value = words.get(_BRACKETS.sub("", word))
        if value is None:
            raise _unknown_choice(field, raw, options)
        if value is _AMBIGUOUS:
            raise Unreadable(f"{_shown(raw)}在{field.label}里对应不止一个。写全称。", code="ambiguous_choice")
        return value

    return find


def _unknown_choice(field: Field, raw: object, options: Mapping[Any, str]) -> Unreadable:
    labels = list(options.values())
    some = "、".join(labels[:8]) + (" 等" if len(labels) > 8 else "")
    if field.key in _FOREIGN_WORDS_ARE_LEFT_OUT:
        return Unreadable(
            f"{_shown(raw)}不在{field.label}的可选词里，这一格没有读入。可选：{some}。",
            code="unknown_choice",
            severity="warning",
        )
    return Unreadable(
        f"{_shown(raw)}不在{field.label}的可选词里。改成 {some} 之一，或留空表示不知道。", code="unknown_choice"
    )


# A dictionary that was not passed in is looked up later by whoever has it; until then its words stay words.
_WORD_LENGTH = 120


def _choice_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    if options:
        return _one_of(field, options)

    def read(raw: object) -> object:
        text = _SPACES.sub("", raw if isinstance(raw, str) else _as_text(raw))
        if len(text) > _WORD_LENGTH:
            raise Unreadable(
                f"{field.label}有 {len(text)} 个字，最多 {_WORD_LENGTH} 个字。改短后再填。", code="too_long"
            )
        return text

    return read


_LIST_MARKS = re.compile(r"[；;\n]+")
_INNER_MARKS = re.compile(r"[、,，/]+")


def _choices_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    one = _choice_reader(field, unit, options, today)

    def read(raw: object) -> object:
        parts = [part for part in _LIST_MARKS.split(raw if isinstance(raw, str) else _as_text(raw)) if part.strip()]
        found: list[object] = []
        for part in parts:
            try:
                found.append(one(part))
            except Unreadable:
                # Labels may hold these marks themselves, so a part is only cut when it is no label as a whole.
                found.extend(one(piece) for piece in _INNER_MARKS.split(part) if piece.strip())
        return list(dict.fromkeys(found)) or None

    return read


_READERS: dict[str, Callable[[Field, str | None, Mapping[Any, str], date], Reader]] = {
    "text": _text_reader,
    "long_text": _text_reader,
    "code": _code_reader,
    "industry": _industry_reader,
    "date": _date_reader,
    "year": _year_reader,
    "count": _count_reader,
    "money": _money_reader,
    "ratio": _ratio_reader,
    "number": _number_reader,
    "yes_no": _yes_no_reader,
    "choice": _choice_reader,
    "choices": _choices_reader,
    "region": _choice_reader,
    "person": _choice_reader,
    "park": _choice_reader,
    "carrier": _choice_reader,
}
