"""The forms of a plan: whom it holds, and when one of them is to be seen."""

from wtforms import HiddenField, SelectMultipleField, StringField
from wtforms.validators import Length

from crm.web.addresses import whole
from crm.web.doors import Form
from crm.web.editing import EditForm
from crm.web.inputs import DayField


class PlanForm(Form):
    enterprises = SelectMultipleField("企业", validate_choice=False, coerce=str)
    quarter = HiddenField("季度")
    user = HiddenField("专员")

    def enterprise_ids(self) -> list[int]:
        """The chosen enterprises; what is no number was never on the page."""
        return [number for text in self.enterprises.data or () if (number := whole(text)) is not None]


class VisitForm(EditForm):
    edited = ("planned_on", "purpose")

    planned_on = DayField("约定日期")
    purpose = StringField("去做什么", [Length(max=200, message="不超过 200 个字。")])


class ButtonForm(Form):
    pass
