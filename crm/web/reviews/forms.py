"""The forms of the queue: receiving, and the checklist with its decision."""

from collections.abc import Sequence
from typing import Any

from wtforms import HiddenField, StringField, TextAreaField

from crm.domain import reviews
from crm.domain.reviews import Point
from crm.web.doors import Form
from crm.web.editing import EditForm
from crm.web.inputs import DayField, MomentField

CHECK = "check"


class ReceiveForm(Form):
    received_at = MomentField("收件时刻")
    late_reason = StringField("截止后收件的理由")
    back = HiddenField()


class ReviewForm(EditForm):
    """The checklist of one application: a_CODE the answer, n_CODE the note of each point, the opinion, what decides."""

    opinion = TextAreaField("初审意见")
    reason = TextAreaField("理由")
    more = TextAreaField("另需补正")
    mend_by = DayField("补正期限")
    result = HiddenField()
    back = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {name: reviews.ANSWERS for name in self.edited if name.startswith("a_")}


def review_form(points: Sequence[Point]) -> type[ReviewForm]:
    """A form with the fields of these points."""
    fields: dict[str, Any] = {}
    for point in points:
        fields[f"a_{point.code}"] = StringField(point.text)
        fields[f"n_{point.code}"] = StringField(f"{point.text} · 说明")
    own = type("PointsForm", (ReviewForm,), fields | {"edited": (*fields, "opinion")})
    return own
