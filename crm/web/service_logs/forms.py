"""The form of one event; its values are read as the sheets read them."""

from collections.abc import Iterable
from typing import Any

from wtforms import HiddenField, SelectMultipleField, StringField

from crm.web.addresses import wholes
from crm.web.enterprises.forms import form_for

CODES = ("happened_on", "kind", "text", "next_step", "next_step_on")


class EventForm(form_for("service_log", CODES)):  # type: ignore[misc]  # a class made from the declared fields
    enterprises = SelectMultipleField(validate_choice=False, coerce=str)
    # Which enterprises the form showed: what was added and taken away is applied to whatever stands there now.
    shown = HiddenField()
    back = HiddenField()
    # The files themselves are read from the request; what is wrong with them is said here.
    files = StringField("照片和文件")

    def enterprise_ids(self) -> list[int]:
        """The chosen enterprises; what is no number was never in the picker."""
        return wholes(self.enterprises.data or ())

    def shown_ids(self) -> list[int] | None:
        return None if self.shown.data is None else wholes(self.shown.data.split(","))

    def show(self, record: Any, enterprise_ids: Iterable[int]) -> None:
        """Show a record as it is."""
        self.fill({code: getattr(record, code) for code in CODES}, record.version)
        self.shown.data = ",".join(map(str, enterprise_ids))
