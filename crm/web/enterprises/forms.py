"""Forms made from declared fields: what a field asks, what was typed, what it means, what was seen before."""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

from wtforms import StringField

from crm.domain import words
from crm.domain.cells import CLEAR, Unreadable
from crm.domain.codecs import read_value, write_value
from crm.domain.fields import CHOICES, FIELDS, Field, fields_of
from crm.store.dictionaries import DICTIONARIES
from crm.web import reference
from crm.web.doors import today, viewer
from crm.web.editing import EditForm

MONEY_UNIT = "万元"
BY_ID = frozenset({"region", "person", "park", "carrier"})
SELECTS = BY_ID | {"choice", "yes_no"}
YES_NO = {"yes": "是", "no": "否"}


class DeclaredForm(EditForm):
    """A form over declared fields of one noun: one text per field, as typed."""

    noun = ""

    def text_of(self, name: str, value: Any) -> str:
        field = self.declared(name)
        return super().text_of(name, value) if field is None else raw_of(field, value)

    def value_of(self, name: str, text: str) -> Any:
        field = self.declared(name)
        if field is None:
            return super().value_of(name, text)
        try:
            return value_of(field, text)
        except Unreadable as error:
            raise Unreadable(on_a_form(error.message), code=error.code) from None

    def said(self, name: str, value: Any) -> str:
        field = self.declared(name)
        if field is None:
            return super().said(name, value)
        names = {_key(field, k): v for k, v in options_of(field).items()} if field.type in SELECTS else None
        return words.value(field, value, names)

    def declared(self, name: str) -> Field | None:
        """The declaration of a field; None for plain text that is kept beside the declared ones."""
        return FIELDS.get(f"{self.noun}.{name}")


def on_a_form(sentence: str) -> str:
    """A reader's sentence without what is true of a sheet only: a form reads every field or none."""
    return re.sub(r"[，；]这一格没有读入", "", sentence).replace("要读入就填", "改成")


@lru_cache
def form_for(
    noun: str,
    codes: tuple[str, ...],
    extra: tuple[str, ...] = (),
    beside: tuple[tuple[str, str], ...] = (),
) -> type[DeclaredForm]:
    """The form class of a noun with these fields.

    ``extra`` are plain text fields of the form alone; ``beside`` are (name, label) of texts that belong to the record
    without being declared.
    """
    body: dict[str, Any] = {code: StringField(FIELDS[f"{noun}.{code}"].label) for code in codes}
    body |= {name: StringField(label) for name, label in (*((name, name) for name in extra), *beside)}
    body |= {"noun": noun, "edited": (*codes, *(name for name, _ in beside))}
    return type(f"{noun.title().replace('_', '')}Form", (DeclaredForm,), body)


def value_of(field: Field, raw: str) -> Any:
    """The value behind a line of a form. Raises Unreadable with one sentence."""
    raw = (raw or "").strip()
    if not raw:
        return None
    if field.type == "yes_no":
        if raw in YES_NO:
            return raw == "yes"
    elif field.type in SELECTS:
        known = options_of(field)
        if raw in known:
            return int(raw) if field.type in BY_ID else raw
        if field.type in BY_ID:
            raise Unreadable(f"{field.label}里没有这一项。从列表里选。", code="unknown_choice")
    choices = options_of(field) if field.type == "choice" else None
    unit = MONEY_UNIT if field.type == "money" else None
    value = read_value(field, raw, unit=unit, choices=choices, today=today())
    return None if value is CLEAR else value


def raw_of(field: Field, value: Any) -> str:
    """What stands in the form for a value; reading it gives the value again."""
    if value is None:
        return ""
    if field.type == "yes_no":
        return "yes" if value in (True, "yes") else "no"
    if field.type in SELECTS:
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    written = write_value(field, value, unit=MONEY_UNIT if field.type == "money" else None)
    return "" if written is None else str(written)


def options_of(field: Field) -> dict[str, str]:
    """What a select offers: {value as text: words}."""
    if field.type == "yes_no":
        return dict(YES_NO)
    if field.type in BY_ID:
        return {str(key): name for key, name in reference.names_for(field.type, viewer(), today()).items()}
    if field.choices in DICTIONARIES:
        return reference.words_of(field.choices, viewer())
    return dict(CHOICES.get(field.choices or "", {}))


def inputs(form: DeclaredForm, codes: Iterable[str]) -> list[dict[str, Any]]:
    """What the template needs to draw each field."""
    found = []
    for code in codes:
        field = FIELDS[f"{form.noun}.{code}"]
        is_select = field.type in SELECTS
        raw = form[code].data or ""
        gone = {str(key) for key in reference.ended(field, viewer(), today())} if is_select else set()
        options = [(key, label) for key, label in options_of(field).items() if key not in gone or key == raw]
        options = options if is_select else []
        if is_select and raw and raw not in dict(options):
            # Somebody of another district, a park that is gone: the stored value stays choosable.
            options.append((raw, words.value(field, raw) if field.type not in BY_ID else "（现有值）"))
        found.append(
            {
                "name": code,
                "label": label_with_unit(field),
                "kind": "select" if is_select else "textarea" if field.type == "long_text" else "text",
                "value": raw,
                "error": " ".join(form[code].errors) or None,
                "options": [("", "未填"), *options],
                "required": field.required,
                "help": help_of(field),
                "attrs": _attrs(field),
            }
        )
    return found


def label_with_unit(field: Field) -> str:
    unit = MONEY_UNIT if field.type == "money" else "%" if field.type == "ratio" else field.unit
    return f"{field.label}（{unit}）" if unit else field.label


def help_of(field: Field) -> str | None:
    return "填代码或名称，如 C1371" if field.type == "industry" else None


def _attrs(field: Field) -> dict[str, str]:
    attrs = {"autocomplete": "off"}
    if field.type in ("money", "count", "number", "ratio", "year"):
        attrs["inputmode"] = "decimal"
    if field.type == "date":
        attrs["placeholder"] = "如 2026-11-23"
    return attrs


def _key(field: Field, key: str) -> Any:
    return int(key) if field.type in BY_ID else key == "yes" if field.type == "yes_no" else key


def codes_of(noun: str, *leave_out: str) -> tuple[str, ...]:
    return tuple(field.code for field in fields_of(noun) if field.code not in leave_out)
