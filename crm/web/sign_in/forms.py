"""The sign-in form."""

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from crm.web.doors import Form


class SignInForm(Form):
    login = StringField("登录名", [InputRequired("填登录名。"), Length(max=40, message="登录名不超过 40 个字。")])
    password = PasswordField("密码", [InputRequired("填密码。"), Length(max=200, message="密码不超过 200 个字。")])


class CodeForm(Form):
    # "secret" is in its name, so that no page carries on what was typed here.
    secret_code = StringField("验证码", [InputRequired("填验证码。"), Length(max=40, message="验证码不超过 40 个字。")])


class ProofForm(Form):
    """Who sits there: the password once more, and a code where the account has a second factor."""

    proof_password = PasswordField(
        "密码", [InputRequired("填密码。"), Length(max=200, message="密码不超过 200 个字。")]
    )
    secret_code = StringField("验证码", [Length(max=40, message="验证码不超过 40 个字。")])


class ForgotForm(Form):
    who = StringField("登录名或信箱", [InputRequired("填登录名或信箱。"), Length(max=120, message="不超过 120 个字。")])


class ResetForm(Form):
    new_password = PasswordField(
        "新密码", [InputRequired("填新密码。"), Length(max=200, message="密码不超过 200 个字。")]
    )
    again_password = PasswordField("再填一次新密码", [InputRequired("再填一次新密码。")])
