"""Editing a stored record: what the page showed, what was typed into it, and who was there in between.

product.md, What always holds 5. A form remembers as text what it showed (``seen``) and of which version. What is saved
are the fields whose text is another one; edits of other fields merge. Where somebody else changed the same field, the
page shows before, theirs and mine and saves nothing until one is chosen: a second press without a choice clashes again.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, HiddenField, IntegerField

from crm.domain import words
from crm.domain.words import local
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.web.addresses import version_in, whole
from crm.web.doors import Form
from crm.web.inputs import Kept

MINE, THEIRS = "mine", "theirs"


class VersionedForm(Form):
    """A form about one record as it was when its page was opened."""

    version = HiddenField()

    @property
    def seen_version(self) -> int:
        return version_in(self.version.data)


class EditForm(VersionedForm):
    """A form over one record. ``edited`` are the fields that belong to the record, by the names its action knows."""

    seen = HiddenField()
    # Texts of the clashing fields as the page of the conflict showed them: the choice was made over these.
    theirs = HiddenField()
    edited: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # field → what its values are called on screen
        self.known: dict[str, Mapping[Any, str]] = {}

    def offer(self, name: str, choices: Mapping[Any, str]) -> None:
        """Let a field be one of these records ({id: name}), and no other; before the form is validated."""
        self[name].offered = self.known[name] = choices

    # --- text and value: each the inverse of the other ---------------------------------------------------------------

    def text_of(self, name: str, value: Any) -> str:
        """What stands in the form for a value."""
        if value is None or value is False:
            return ""
        if value is True:
            return "1"
        field = self[name]
        return field.text(value) if isinstance(field, Kept) else str(value)

    def value_of(self, name: str, text: str) -> Any:
        """The value behind a text. Raises ValueError with one sentence."""
        field = self[name]
        if isinstance(field, BooleanField):
            return bool(text)
        if not text:
            return None
        if isinstance(field, Kept):
            return field.meaning(text)
        if isinstance(field, IntegerField):
            number = whole(text)
            if number is None:
                raise ValueError(f"“{text[:20]}”不是整数。")
            return number
        return text

    def label_of(self, name: str) -> str:
        return str(self[name].label.text)

    def said(self, name: str, value: Any) -> str:
        """A value in words, for the choice between two."""
        if isinstance(value, list | tuple):
            return words.join([self.said(name, one) for one in value]) or words.BLANK
        if value in self.known.get(name, ()):
            return self.known[name][value]
        return words.value("", value)

    # --- what was shown, what was typed ------------------------------------------------------------------------------

    def fill(self, values: Mapping[str, Any], version: int = 0, *, proposed: Mapping[str, Any] | None = None) -> None:
        """Show stored values and remember them as seen; what is ``proposed`` stands in the form but counts as typed."""
        shown = {name: self.text_of(name, values.get(name)) for name in self.edited}
        for name, text in (shown | {n: self.text_of(n, v) for n, v in (proposed or {}).items()}).items():
            self.put(name, text)
        self.version.data = str(version)
        self._remember(shown)

    def put(self, name: str, text: str) -> None:
        """Let a text stand in a field as if it had been typed."""
        field = self[name]
        field.process(MultiDict({field.name: text} if text else {}))

    def typed(self, name: str) -> str:
        """What stands in a field, as text."""
        field = self[name]
        if isinstance(field, BooleanField):
            return "1" if field.data else ""
        return _tidy(field._value())

    def touched(self, name: str) -> bool:
        """Whether a field was given another text than it had when the page was opened."""
        return self.seen_texts.get(name) != self.typed(name)

    def read(self, *, changed_only: bool = False) -> dict[str, Any]:
        """The values behind what was typed; what cannot be one gets its sentence beside the field."""
        values: dict[str, Any] = {}
        for name in self.edited:
            if changed_only and not self.touched(name):
                continue
            try:
                values[name] = self.value_of(name, self.typed(name))
            except ValueError as error:
                say(self, name, str(error))
        return values

    @property
    def seen_texts(self) -> dict[str, str]:
        """What the fields showed when the page was opened."""
        return self._texts(self.seen.data)

    def seen_values(self, names: Iterable[str], stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The values that were shown, for the fields given.

        Where the ``stored`` value reads the same as what was shown it is taken as it is: a missing list and an empty
        one look alike, and nobody changed anything.
        """
        found: dict[str, Any] = {}
        seen = self.seen_texts
        for name in names:
            if name not in seen:
                continue
            if stored is not None and name in stored and _tidy(self.text_of(name, stored[name])) == seen[name]:
                found[name] = stored[name]
                continue
            # What was never shown by us, because somebody made it up, counts as not seen.
            with suppress(ValueError):
                found[name] = self.value_of(name, seen[name])
        return found

    # --- two people, one field ---------------------------------------------------------------------------------------

    def settle(self, picks: Mapping[str, str]) -> None:
        """Apply what was chosen on the page of a conflict; a field without a choice stays as it was, to clash again."""
        seen = self.seen_texts
        for name, text in self._texts(self.theirs.data).items():
            choice = picks.get(f"pick_{name}")
            if choice not in (MINE, THEIRS):
                continue
            seen[name] = text
            if choice == THEIRS:
                self.put(name, text)
        self.theirs.data = ""
        self._remember(seen)

    def clashes(self, by: Mapping[str, str] | None = None) -> list[dict[str, str]]:
        """Each clashing field as before, theirs and mine in words; the page then carries what it shows as theirs."""
        rows, theirs = [], {}
        for name, (before, now, mine) in self.conflict.items():
            if name not in self.edited:
                continue
            theirs[name] = self.text_of(name, now)
            rows.append(
                {
                    "code": name,
                    "label": self.label_of(name),
                    "before": self.said(name, before),
                    "theirs": self.said(name, now),
                    "mine": self.said(name, mine),
                    "by": (by or {}).get(name, ""),
                }
            )
        self.theirs.data = json.dumps(theirs, ensure_ascii=False)
        return rows

    @property
    def has_errors(self) -> bool:
        return bool(self.general_errors) or any(self[name].errors for name in self._fields)

    def _remember(self, texts: Mapping[str, str]) -> None:
        self.seen.data = json.dumps(texts, ensure_ascii=False)

    def _texts(self, carried: str | None) -> dict[str, str]:
        """A hidden field of texts by name; what a browser made up is left out."""
        try:
            found = json.loads(carried or "{}")
        except ValueError:
            return {}
        if not isinstance(found, dict):
            return {}
        return {name: _tidy(str(text)) for name, text in found.items() if name in self.edited}


def _tidy(text: str) -> str:
    # A browser sends the lines of a textarea with carriage returns, whatever it was given.
    return text.replace("\r\n", "\n").strip()


def say(form: Form, name: str, sentence: str) -> None:
    """Put a sentence beside a field."""
    form[name].errors = [*form[name].errors, sentence]


def last_writers(noun: str, record_id: int) -> dict[str, str]:
    """Who wrote each field of a record last and when, in words: 陈述 11-23 14:02."""
    query = (
        select(Change.fields, ChangeSet.who, ChangeSet.recorded_at)
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
        .where(Change.noun == noun, Change.record_id == record_id)
        .order_by(Change.id.desc())
        .limit(200)
    )
    found: dict[str, str] = {}
    for fields, who, at in db.session.execute(query):
        for name in fields:
            found.setdefault(name, f"{who} {local(at):%m-%d %H:%M}")
    return found
