"""A figure as it stands in a cell, as it is typed there, and as a page remembers that it was seen."""

from collections.abc import Mapping
from typing import Any

from crm.domain import words
from crm.domain.cells import CLEAR, Unreadable
from crm.domain.codecs import read_value, write_value
from crm.domain.fields import CHOICES, FIELDS, Field
from crm.store.writer import from_plain, plain
from crm.web.doors import today
from crm.web.enterprises.forms import on_a_form
from crm.web.figures.groups import FIGURE_GROUPS, RECOGNITION_GROUPS

YUAN, WAN = "元", "万元"
# In the order of the page, which a block without names follows.
ORDER = tuple(code for _, codes in (*FIGURE_GROUPS, *RECOGNITION_GROUPS) for code in codes)


def unit_of(asked: str | None) -> str:
    """The unit of amounts by the word of an address or a form."""
    return YUAN if asked in ("yuan", YUAN) else WAN


def shown(field: Field, value: Any, unit: str) -> str:
    """A value as its cell says it; nothing for a blank."""
    if value is None:
        return ""
    if field.type == "money":
        return words.money(value, unit)
    return words.number(value) if field.type in ("count", "number") else words.value(field, value)


def said(field: Field, value: Any, unit: str) -> str:
    """A value in a sentence, with its unit."""
    return words.value(field, value, unit=unit)


def typed(field: Field, value: Any, unit: str) -> str:
    """What stands in the box while a cell is edited: exact, and read again it gives the value."""
    if value is None:
        return ""
    if field.type == "yes_no":
        return "是" if value else "否"
    if field.type == "choice":
        return CHOICES.get(field.choices or "", {}).get(value, str(value))
    if field.type == "date":
        return str(value.isoformat())
    written = write_value(field, value, unit=unit if field.type == "money" else None)
    return "" if written is None else str(written)


def read(code: str, text: str, unit: str) -> Any:
    """The value behind what was typed into a cell. Raises Unreadable with one sentence."""
    field = FIELDS[f"figures.{code}"]
    if not text.strip():
        return None
    try:
        value = read_value(field, text, unit=unit if field.type == "money" else None, today=today())
    except Unreadable as error:
        raise Unreadable(on_a_form(error.message), code=error.code) from None
    return None if value is CLEAR else value


def remembered(value: Any) -> Any:
    """A value as a hidden field carries it."""
    return plain(value)


def recalled(code: str, text: Any) -> Any:
    """The value of a hidden field; what a browser made up is taken for never seen. Raises ValueError."""
    try:
        return from_plain("figures", code, text)
    except (ArithmeticError, TypeError) as error:
        raise ValueError(str(text)) from error


def recall_all(texts: Mapping[str, Any]) -> dict[str, Any]:
    """The values of one year that a page showed, without what nobody can read."""
    found: dict[str, Any] = {}
    for code, text in texts.items():
        if f"figures.{code}" not in FIELDS:
            continue
        try:
            found[code] = recalled(code, text)
        except ValueError:
            continue
    return found


def cell_words(key: str) -> str:
    """2025 年营业收入 for the key of a cell, 2025.revenue."""
    year, _, code = key.partition(".")
    return f"{year} 年{words.label(f'figures.{code}')}"
