"""Forms of reference lists, windows and holidays."""

from typing import Any

from wtforms import StringField
from wtforms.validators import InputRequired, Length, Optional

from crm.store.windows import FIELDS
from crm.web.addresses import LARGEST_ID, whole
from crm.web.doors import Form
from crm.web.editing import EditForm
from crm.web.inputs import DayField, MomentField, NamesField, WholeField


class EntryForm(EditForm):
    """One row of any list; a list uses the fields it has, which are then ``edited``."""

    region_id = WholeField(validators=[Optional()])
    dictionary = StringField()
    code = StringField("代码", [Length(max=40, message="代码不超过 40 个字符。")])
    label = StringField("名称", [Length(max=80, message="名称不超过 80 个字。")])
    name = StringField("名称", [Length(max=80, message="名称不超过 80 个字。")])
    kind = StringField("类型", [Length(max=40, message="类型不超过 40 个字。")])
    aliases = NamesField("别名")
    position = StringField("顺序")
    successor_id = StringField("现由谁承接")
    valid_from = DayField("启用")
    valid_to = DayField("停用")
    source = StringField("依据", [Length(max=200, message="依据不超过 200 个字。")])

    def value_of(self, name: str, text: str) -> Any:
        if name in ("position", "successor_id"):
            return whole(text, largest=30_000 if name == "position" else LARGEST_ID)
        value = super().value_of(name, text)
        return [] if name == "aliases" and value is None else value

    def read(self, *, changed_only: bool = False) -> dict[str, Any]:
        said = super().read(changed_only=changed_only)
        # An empty position says nothing: a new row comes last, an old one stays where it is.
        if said.get("position") is None:
            said.pop("position", None)
        return said


class WindowForm(EditForm):
    edited = FIELDS

    region_id = WholeField(validators=[Optional()])
    kind = StringField("资格")
    year = StringField("年度")
    batch = StringField("批次", [Length(max=40, message="批次不超过 40 个字。")])
    opens_on = DayField("开始")
    enterprise_due_at = MomentField("企业截止")
    county_due_at = MomentField("区县截止")
    closes_on = DayField("结束")
    announced_on = DayField("公告")
    status = StringField("状态")
    source = StringField("依据", [Length(max=300, message="依据不超过 300 个字。")])

    def value_of(self, name: str, text: str) -> Any:
        if name == "year":
            return whole(text, largest=9999)
        value = super().value_of(name, text)
        return "" if name == "batch" and value is None else value


class HolidayForm(Form):
    first = DayField("首日", [InputRequired("填首日。")])
    last = DayField("末日")
    kind = StringField("种类")
    name = StringField("名称", [Length(max=40, message="名称不超过 40 个字。")])
    source = StringField("依据", [InputRequired("写明依据的通知。"), Length(max=200, message="依据不超过 200 个字。")])


class PlainForm(Form):
    """A button."""
