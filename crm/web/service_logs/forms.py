"""The form of one event; its values are read as the sheets read them."""

from datetime import date
from typing import Any

from wtforms import HiddenField, SelectMultipleField, StringField, TextAreaField

from crm.domain.cells import CLEAR, Unreadable
from crm.domain.codecs import read_value
from crm.domain.fields import FIELDS
from crm.web.doors import Form

CODES = ("happened_on", "kind", "text", "next_step", "next_step_on")


class EventForm(Form):
    enterprises = SelectMultipleField(validate_choice=False, coerce=str)
    kind = StringField()
    text = TextAreaField()
    next_step = StringField()
    next_step_on = StringField()
    happened_on = StringField()
    version = HiddenField()
    back = HiddenField()

    def enterprise_ids(self) -> list[int]:
        """The chosen enterprises; what is no number was never in the picker."""
        return [int(text) for text in self.enterprises.data or () if text.isdigit() and len(text) < 18]

    def values(self, today: date) -> dict[str, Any] | None:
        """{field code: value}; None when something cannot be read, the sentence then stands beside its field."""
        found: dict[str, Any] = {}
        readable = True
        for code in CODES:
            try:
                value = read_value(FIELDS[f"service_log.{code}"], self[code].data, today=today)
            except Unreadable as error:
                self[code].errors = [error.message]
                readable = False
            else:
                found[code] = None if value is CLEAR else value
        return found if readable else None

    def fill(self, record: Any) -> None:
        """Show a record as it is."""
        for code in CODES:
            value = getattr(record, code)
            self[code].data = value.isoformat() if isinstance(value, date) else value or ""
        self.version.data = str(record.version)
