"""Forms of reference lists, windows and holidays."""

from typing import Any

from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length, Optional

from crm.web.doors import Form
from crm.web.inputs import DayField, MomentField, NamesField


class EntryForm(Form):
    """One row of any list; a list uses the fields it has."""

    region_id = IntegerField(validators=[Optional()])
    version = IntegerField(validators=[Optional()])
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

    def values(self, names: tuple[str, ...]) -> dict[str, Any]:
        """What the form says for these columns; empty text means nothing is said."""
        said: dict[str, Any] = {}
        for name in names:
            if name not in self:
                continue
            if name in ("valid_from", "valid_to"):
                said[name] = self[name].value
            elif name == "aliases":
                said[name] = self.aliases.value or []
            elif name in ("position", "successor_id"):
                text = (self[name].data or "").strip()
                said[name] = int(text) if text.isascii() and text.isdigit() and int(text) < 30_000 else None
            else:
                said[name] = (self[name].data or "").strip() or None
        if said.get("position") is None:
            said.pop("position", None)
        return said


class WindowForm(Form):
    region_id = IntegerField(validators=[Optional()])
    version = IntegerField(validators=[Optional()])
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

    def values(self) -> dict[str, Any]:
        year = (self.year.data or "").strip()
        return {
            "kind": self.kind.data,
            "year": int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
            "batch": (self.batch.data or "").strip(),
            "opens_on": self.opens_on.value,
            "enterprise_due_at": self.enterprise_due_at.value,
            "county_due_at": self.county_due_at.value,
            "closes_on": self.closes_on.value,
            "announced_on": self.announced_on.value,
            "status": self.status.data,
            "source": (self.source.data or "").strip() or None,
        }


class HolidayForm(Form):
    first = DayField("首日", [InputRequired("填首日。")])
    last = DayField("末日")
    kind = StringField("种类")
    name = StringField("名称", [Length(max=40, message="名称不超过 40 个字。")])
    source = StringField("依据", [InputRequired("写明依据的通知。"), Length(max=200, message="依据不超过 200 个字。")])


class PlainForm(Form):
    """A button."""
