"""Forms about accounts."""

from typing import Any

from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, Optional

from crm.actions.accounts import GrantWish
from crm.store.users import User
from crm.web.addresses import whole
from crm.web.doors import Form
from crm.web.editing import EditForm
from crm.web.inputs import DayField, WholeField


class UserForm(EditForm):
    edited = ("name", "email", "region_id", "supervisor_id", "wants_digest")

    login = StringField("登录名")
    name = StringField("姓名", [InputRequired("填姓名。"), Length(max=40, message="姓名不超过 40 个字。")])
    email = StringField("信箱", [Length(max=120, message="信箱不超过 120 个字。")])
    region_id = WholeField("所属区划", [Optional()])
    supervisor_id = WholeField("主管", [Optional()])
    wants_digest = BooleanField("每周邮件")


class GrantForm(Form):
    """``place`` says where: "region:12", "unit:3", "park:1" or "carrier:2"."""

    role = StringField("角色", [InputRequired("选角色。")])
    place = StringField("在哪里", [InputRequired("选在哪里。")])
    valid_from = DayField("从")
    valid_to = DayField("到")

    def wish(self) -> GrantWish:
        kind, _, text = (self.place.data or "").partition(":")
        number = whole(text)
        known = kind in ("region", "unit", "park", "carrier") and number is not None
        place = {f"{kind}_id": number} if known else {}
        return GrantWish(self.role.data or "", valid_from=self.valid_from.value, valid_to=self.valid_to.value, **place)


class EndGrantForm(EditForm):
    edited = ("ends_on",)

    ends_on = DayField("授权的最后一天", [InputRequired("填最后一天。")])

    def said(self, name: str, value: Any) -> str:
        return "长期" if value is None else super().said(name, value)


class ActiveForm(EditForm):
    active = BooleanField("可登录")


class PlainForm(Form):
    """A button."""


class PasswordForm(Form):
    # Every name has "password" in it, so that no page carries what was typed here.
    old_password = PasswordField(
        "现在的密码", [InputRequired("填现在的密码。"), Length(max=200, message="密码不超过 200 个字。")]
    )
    new_password = PasswordField(
        "新密码", [InputRequired("填新密码。"), Length(max=200, message="密码不超过 200 个字。")]
    )
    again_password = PasswordField("再填一次新密码", [InputRequired("再填一次新密码。")])


class OwnAccountForm(EditForm):
    edited = ("name", "email", "wants_digest")

    name = StringField("姓名", [InputRequired("填姓名。"), Length(max=40, message="姓名不超过 40 个字。")])
    email = StringField("信箱", [Length(max=120, message="信箱不超过 120 个字。")])
    wants_digest = BooleanField("每周邮件")


def filled(form: Any, person: User) -> Any:
    """The form as the page shows the account before anybody typed."""
    form.fill({name: getattr(person, name) for name in form.edited}, person.version)
    return form
