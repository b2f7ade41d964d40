"""Forms made from declared fields: what a field asks, what was typed, what it means, what was seen before."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from wtforms import HiddenField, StringField

from crm.domain import words
from crm.domain.cells import CLEAR, Unreadable
from crm.domain.codecs import read_value, write_value
from crm.domain.fields import CHOICES, FIELDS, Field, fields_of
from crm.store.dictionaries import DICTIONARIES
from crm.web import reference
from crm.web.doors import Form, today, viewer

MONEY_UNIT = "万元"
BY_ID = frozenset({"region", "person", "park", "carrier"})
SELECTS = BY_ID | {"choice", "yes_no"}
YES_NO = {"yes": "是", "no": "否"}


class DeclaredForm(Form):
    """A form over declared fields of one noun: one text per field, as typed; ``version`` and ``seen`` as shown."""

    noun = ""
    codes: tuple[str, ...] = ()
    version = HiddenField()
    seen = HiddenField()

    def fill(self, values: Mapping[str, Any], version: int = 0) -> None:
        """Show stored values, and remember them as seen."""
        shown = {code: raw_of(FIELDS[f"{self.noun}.{code}"], values.get(code)) for code in self.codes}
        for code, raw in shown.items():
            self[code].data = raw
        self.version.data = str(version)
        self.seen.data = json.dumps(shown, ensure_ascii=False)

    @property
    def seen_raw(self) -> dict[str, str]:
        """What the fields showed when the page was opened, as text."""
        try:
            found = json.loads(self.seen.data or "{}")
        except ValueError:
            return {}
        return {k: str(v) for k, v in found.items() if k in self.codes} if isinstance(found, dict) else {}

    @property
    def seen_version(self) -> int:
        return int(self.version.data) if (self.version.data or "").isdigit() else 0

    def settle_conflicts(self, picks: Mapping[str, str]) -> None:
        """Where the person chose 留现在的, the field goes back to what is stored, which then counts as untouched."""
        seen = self.seen_raw
        for code in self.codes:
            if picks.get(f"pick_{code}") == "theirs" and code in seen:
                self[code].data = seen[code]

    def read(self, *, changed_only: bool = False) -> dict[str, Any]:
        """The values behind what was typed; what cannot be one gets its sentence beside the field."""
        seen = self.seen_raw
        values: dict[str, Any] = {}
        for code in self.codes:
            raw = (self[code].data or "").strip()
            if changed_only and code in seen and raw == seen[code]:
                continue
            try:
                values[code] = value_of(FIELDS[f"{self.noun}.{code}"], raw)
            except Unreadable as error:
                say(self, code, error.message)
        return values

    def seen_values(self, codes: Iterable[str]) -> dict[str, Any]:
        """The values that were shown, for the codes given."""
        seen = self.seen_raw
        return {code: value_of(FIELDS[f"{self.noun}.{code}"], seen[code]) for code in codes if code in seen}

    def rebase(self, current: Mapping[str, Any], version: int) -> None:
        """After a conflict: the clashing fields now count as seen as they stand, so the next save is a decision."""
        seen = self.seen_raw
        for code in self.conflict:
            if code in self.codes:
                seen[code] = raw_of(FIELDS[f"{self.noun}.{code}"], current.get(code))
        self.version.data = str(version)
        self.seen.data = json.dumps(seen, ensure_ascii=False)

    @property
    def has_errors(self) -> bool:
        return bool(self.general_errors) or any(self[name].errors for name in self._fields)


def say(form: Form, name: str, sentence: str) -> None:
    """Put a sentence beside a field."""
    form[name].errors = [*form[name].errors, sentence]


@lru_cache
def form_for(noun: str, codes: tuple[str, ...], extra: tuple[str, ...] = ()) -> type[DeclaredForm]:
    """The form class of a noun with these fields, and some plain text fields beside them."""
    body: dict[str, Any] = {code: StringField(FIELDS[f"{noun}.{code}"].label) for code in codes}
    body.update({name: StringField(name) for name in extra})
    return type(f"{noun.title().replace('_', '')}Form", (DeclaredForm,), {"noun": noun, "codes": codes, **body})


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


def conflict_rows(form: DeclaredForm, who_and_when: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each clashing field as before, theirs, mine, in words."""
    rows = []
    for code, (before, theirs, mine) in form.conflict.items():
        if code not in form.codes:
            continue
        field = FIELDS[f"{form.noun}.{code}"]
        names = {_key(field, k): v for k, v in options_of(field).items()} if field.type in SELECTS else None
        rows.append(
            {
                "code": code,
                "label": field.label,
                "before": words.value(field, before, names),
                "theirs": words.value(field, theirs, names),
                "mine": words.value(field, mine, names),
                "by": who_and_when.get(code, ""),
            }
        )
    return rows


def _key(field: Field, key: str) -> Any:
    return int(key) if field.type in BY_ID else key == "yes" if field.type == "yes_no" else key


def codes_of(noun: str, *leave_out: str) -> tuple[str, ...]:
    return tuple(field.code for field in fields_of(noun) if field.code not in leave_out)
