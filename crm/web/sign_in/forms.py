"""The sign-in form."""

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from crm.web.doors import Form


class SignInForm(Form):
    login = StringField("登录名", [InputRequired("填登录名。"), Length(max=40, message="登录名不超过 40 个字。")])
    password = PasswordField("密码", [InputRequired("填密码。"), Length(max=200, message="密码不超过 200 个字。")])
