"""What every reader of cells goes by: text without its accidents, and the answers other than a value."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from crm.domain.fields import Field


class Clear:
    """The type of CLEAR; there is one value of it."""

    def __repr__(self) -> str:
        return "CLEAR"


# Somebody typed 清空: the stored value is to be emptied. An empty cell says nothing and leaves it.
CLEAR = Clear()
CLEAR_WORD = "清空"


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


_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
SPACES = re.compile(r"\s+")


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
    return unicodedata.normalize("NFKC", SPACES.sub("", unicodedata.normalize("NFKC", text)))


_SPACE_BY_CHINESE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")


def tidy_name(text: str) -> str:
    """A name as it is stored and compared: half-width letters, full-width brackets, no spaces or line breaks between
    Chinese characters (chongqing.md §6.4, items 8 and 14)."""
    name = SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    name = unicodedata.normalize("NFKC", _SPACE_BY_CHINESE.sub("", name.replace("(", "（").replace(")", "）")))
    return name.replace("(", "（").replace(")", "）")


def quoted(raw: object) -> str:
    """The cell as it is quoted in a sentence, cut so that a page of text does not flood the report."""
    text = raw if isinstance(raw, str) else as_text(raw)
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


# Beyond it (or below nothing: inf, nan) plain digits would only fill the page.
_LONGEST_IN_DIGITS = 1e40


def or_empty(field: Field) -> str:
    """The other way out of a wrong cell, for a field that need not be filled."""
    return "" if field.required else "，或留空表示不知道"


def as_text(raw: object) -> str:
    """The cell as the text a person sees in it: 是/否 for booleans, numbers in plain digits, ISO dates.

    Whole numbers have no point, and none has an exponent: Excel keeps 15 digits, the rest of a longer one are zeros.
    """
    if isinstance(raw, bool):
        return "是" if raw else "否"
    if isinstance(raw, float):
        # Below 2^53 a whole number came through Excel unchanged; above it the last digits are made up.
        if raw.is_integer() and abs(raw) < 2**53:
            return str(int(raw))
        kept = format(raw, ".15g")
        return format(Decimal(kept), "f") if abs(raw) < _LONGEST_IN_DIGITS else kept
    if isinstance(raw, datetime):
        return raw.date().isoformat() if raw.time() == datetime.min.time() else raw.isoformat(" ", "minutes")
    if isinstance(raw, date):
        return raw.isoformat()
    return str(raw)


def not_longer(field: Field, text: str) -> str:
    """The text itself; raises Unreadable when it is longer than the field holds."""
    if field.length is not None and len(text) > field.length:
        raise Unreadable(f"{field.label}有 {len(text)} 个字，最多 {field.length} 个字。改短后再填。", code="too_long")
    return text
