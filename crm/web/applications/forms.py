"""The forms of applications: entering one, what stands beside its stage, a step, a material, an objection."""

from wtforms import BooleanField, HiddenField, StringField

from crm.web.doors import Form
from crm.web.editing import EditForm, VersionedForm
from crm.web.inputs import ChosenField, DayField


class NewForm(Form):
    kind = StringField("申报资格")
    window = StringField("申报窗口")
    year = StringField("申报年度")
    stage = StringField("现在的环节")
    stage_on = DayField("到这一步的日期")
    note = StringField("说明")
    reason = StringField("补登理由")

    def text(self, name: str) -> str | None:
        return (self[name].data or "").strip() or None


class ApplicationForm(EditForm):
    """What stands beside the stage; the stage itself moves by steps."""

    edited = ("note", "window_id", "stage_due_on")

    note = StringField("说明")
    window_id = ChosenField("申报窗口", "窗口")
    stage_due_on = DayField("本环节期限")


class StepForm(VersionedForm):
    """One step; ``version`` and ``stage`` are what the page showed."""

    to_stage = StringField("到哪一步")
    happened_on = DayField("哪天的事")
    reason = StringField("原因")
    due_on = DayField("这一步的期限")
    stage = HiddenField()
    back = HiddenField()


class MaterialForm(VersionedForm):
    """One item of the checklist: there, or waived. ``version`` 0: nothing was recorded of it."""

    dated_on = DayField("材料日期")
    expires_on = DayField("有效期止")
    note = StringField("说明")
    files = StringField("文件")
    waived_reason = StringField("免交理由")
    item = StringField("材料")
    verb = HiddenField()


class ReceiveForm(Form):
    """Several items at once: received today, or carried over from a former cycle."""

    items = StringField("收到的材料")
    offered = StringField("沿用的材料")
    dated_on = DayField("材料日期")
    item = StringField("材料")


class ObjectionForm(EditForm):
    edited = ("raised_on", "raised_by", "text", "record", "upheld", "closed_on")

    raised_on = DayField("收到日期")
    raised_by = StringField("谁提出的")
    text = StringField("异议内容")
    record = StringField("核查记录")
    upheld = BooleanField("异议成立")
    closed_on = DayField("办结日期")
