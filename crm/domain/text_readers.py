"""Readers of text, of the codes of enterprises and of industries."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from crm.domain.cells import (
    SPACES,
    Noted,
    Reader,
    Unreadable,
    as_text,
    compact,
    not_longer,
    or_empty,
    quoted,
    tidy_name,
)
from crm.domain.codes import check_code
from crm.domain.fields import Field
from crm.domain.industries import normalise_industry


def text_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads text → str, names as ``tidy_name`` leaves them; raises Unreadable when it is too long."""
    is_name = field.key in ("enterprise.name", "enterprise.former_name")

    def read(raw: object) -> object:
        text = raw if isinstance(raw, str) else as_text(raw)
        return not_longer(field, tidy_name(text) if is_name else text)

    return read


_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+\d+", re.I)
_CREDIT_CODE_LENGTH = 18
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")


def _code_as_number(field: Field, raw: object) -> Unreadable:
    return Unreadable(
        f"{quoted(raw)}在表里是数字，{field.label}的首尾几位可能已经丢失。把这一列设成文本格式，照原件重填。",
        code="code_as_number",
    )


def code_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads a code → str, Noted for a doubtful credit code; raises Unreadable where digits may be lost."""
    is_credit_code, is_phone = field.key == "enterprise.credit_code", field.key == "enterprise.contact_phone"

    def read(raw: object) -> object:
        if isinstance(raw, bool):
            raise Unreadable(f"{quoted(raw)}不是{field.label}。照原件重填{or_empty(field)}。", code="not_a_code")
        if isinstance(raw, (int, float)):
            # A mobile number of eleven digits that starts with 1 has lost nothing on its way through a number cell.
            if is_phone and float(raw).is_integer() and 10**10 <= raw < 2 * 10**10:
                return str(int(raw))
            raise _code_as_number(field, raw)
        text = raw if isinstance(raw, str) else as_text(raw)
        code = compact(text).removeprefix("'")
        if not code:
            return None  # A lone apostrophe only says that the empty cell is text.
        if _SCIENTIFIC.fullmatch(code):
            raise _code_as_number(field, text)
        if is_phone and len(code) > 13:
            code = SPACES.sub(" ", unicodedata.normalize("NFKC", text))  # two numbers in one cell stay apart
        return _credit_code(text) if is_credit_code else not_longer(field, code)

    return read


def _credit_code(text: str) -> object:
    """A code of 18 places, with a note when there is reason to doubt it; only what cannot be one is refused."""
    check = check_code(text)
    code = check.normal
    if check.kind == "old15":
        raise Unreadable(f"{quoted(text)}是 15 位的原注册号。把它填到“原注册号”，代码留空。", code="old_number")
    if _NOT_ALPHANUMERIC.search(code):
        raise Unreadable(
            f"{quoted(text)}里有代码不会有的字。照营业执照改成 18 位数字和字母，或留空。", code="not_a_code"
        )
    if len(code) != _CREDIT_CODE_LENGTH:
        raise Unreadable(
            f"{quoted(text)}有 {len(code)} 位，统一社会信用代码是 18 位。照营业执照改正，或留空表示不知道。",
            code="code_length",
        )
    return code if check.warning is None else Noted(code, check.warning, "code_doubtful")


def industry_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads an industry by code or name (GB/T 4754) → its code; raises Unreadable as a warning."""

    def read(raw: object) -> object:
        text = raw if isinstance(raw, str) else as_text(raw)
        if not isinstance(raw, str) and len(text) < 4:
            raise Unreadable(
                f"{quoted(raw)}在表里是数字，前面的 0 可能已经丢失；这一格没有读入。把这一列设成文本格式再填。",
                code="code_as_number",
                severity="warning",
            )
        code = normalise_industry(text)
        if code is None:
            raise Unreadable(
                f"{quoted(raw)}不是国民经济行业的代码或名称，这一格没有读入。要读入就填 C13、C1391 这样的代码。",
                code="unknown_choice",
                severity="warning",
            )
        return code

    return read
