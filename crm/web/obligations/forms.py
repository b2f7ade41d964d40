"""The small forms of the panel."""

from wtforms import FileField, HiddenField, StringField, TextAreaField

from crm.web.doors import Form


class SettleForm(Form):
    note = TextAreaField()
    done_on = StringField()
    receipt = FileField()
    back = HiddenField()


class WaiveForm(Form):
    reason = TextAreaField()
    back = HiddenField()


class MissForm(Form):
    note = TextAreaField()
    back = HiddenField()


class PostponeForm(Form):
    to = StringField()
    back = HiddenField()


class AssignForm(Form):
    assignee = StringField()
    # Who did it when the panel was opened.
    had = HiddenField()
    back = HiddenField()


class TakeBackForm(Form):
    back = HiddenField()
