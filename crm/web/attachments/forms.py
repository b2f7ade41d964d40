"""The form that brings files, and the one that changes what is said of them."""

from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import Length

from crm.web.doors import Form
from crm.web.editing import EditForm
from crm.web.inputs import DayField

_TITLE = Length(max=200, message="名称不超过 200 个字。")
_NOTE = Length(max=500, message="说明不超过 500 个字。")


class AttachForm(Form):
    """The files themselves are read from the request; what stands here is said of all of them."""

    files = StringField("文件")
    dated_on = DayField("文件日期")
    note = StringField("说明", [_NOTE])
    confidential = BooleanField("含财务数据")
    back = HiddenField()


class AttachmentForm(EditForm):
    edited = ("title", "dated_on", "note", "confidential")

    title = StringField("名称", [_TITLE])
    dated_on = DayField("文件日期")
    note = StringField("说明", [_NOTE])
    confidential = BooleanField("含财务数据")
    back = HiddenField()


class ButtonForm(Form):
    back = HiddenField()
