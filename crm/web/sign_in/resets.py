"""A new password by mail: asking for the letter, and the page behind its link."""

from hashlib import sha256

from flask import current_app, flash, g, redirect, render_template, request, url_for

from crm.actions import accounts, password_resets
from crm.domain.acts import Act
from crm.domain.refusals import Refused
from crm.domain.viewers import the_machine
from crm.store.passwords import hash_password
from crm.store.sessions import take_token
from crm.store.unit_of_work import unit_of_work
from crm.store.users import viewer_of
from crm.web.doors import ANYBODY, now, open_to, today
from crm.web.sign_in import blueprint
from crm.web.sign_in.forms import ForgotForm, ResetForm

# Three letters at once for one name, then one in twenty minutes; a county sits behind one address.
OF_ONE, OF_ONE_PER_MINUTE = 3, 0.05
FROM_ADDRESS, FROM_ADDRESS_PER_MINUTE = 20, 1.0


@blueprint.get("/sign-in/forgot")
@open_to(ANYBODY)
def forgot():
    return render_template("sign_in/forgot.html", form=ForgotForm(formdata=None), mails=_mails(), asked=False)


@blueprint.post("/sign-in/forgot")
@open_to(ANYBODY)
def ask_for_letter():
    """The answer is the same whether there is such a person or not, and so is what may be asked how often."""
    form = ForgotForm()
    if not _mails() or not form.validate():
        return render_template("sign_in/forgot.html", form=form, mails=_mails(), asked=False), 422
    typed = form.who.data.strip().lower()
    bucket = sha256(typed.encode()).hexdigest()[:32]
    with unit_of_work():
        allowed = take_token(f"reset:{bucket}", now=now(), size=OF_ONE, per_minute=OF_ONE_PER_MINUTE)
        allowed &= take_token(
            f"reset-from:{request.remote_addr}", now=now(), size=FROM_ADDRESS, per_minute=FROM_ADDRESS_PER_MINUTE
        )
    if not allowed:
        form.general_errors.append("要得太勤了，过二十分钟再要。刚才要的信也看看垃圾邮件夹。")
        return render_template("sign_in/forgot.html", form=form, mails=True, asked=False), 429
    act = Act(the_machine("找回密码"), "web", now(), today(), g.request_id)
    with unit_of_work():
        password_resets.ask(typed, act=act)
    return render_template("sign_in/forgot.html", form=form, mails=True, asked=True)


@blueprint.get("/sign-in/reset/<key>")
@open_to(ANYBODY)
def reset(key: str):
    user = password_resets.user_of(key, now=now())
    if user is None:
        return render_template("sign_in/reset.html", form=None, user=None, gone=password_resets.GONE), 410
    return render_template("sign_in/reset.html", form=ResetForm(formdata=None), user=user, gone="")


@blueprint.post("/sign-in/reset/<key>")
@open_to(ANYBODY)
def set_new(key: str):
    user = password_resets.user_of(key, now=now())
    if user is None:
        return render_template("sign_in/reset.html", form=None, user=None, gone=password_resets.GONE), 410
    form = ResetForm()
    if form.validate():
        problem = accounts.password_problem(user.login, form.new_password.data)
        if problem:
            form.new_password.errors = [problem]
        elif form.again_password.data != form.new_password.data:
            form.again_password.errors = ["两次填的新密码不一样。"]
        else:
            password_hash = hash_password(form.new_password.data)
            act = Act(viewer_of(user, today()), "web", now(), today(), g.request_id)
            try:
                with unit_of_work():
                    password_resets.reset(key, password_hash, act=act)
            except Refused as refusal:
                return render_template("sign_in/reset.html", form=None, user=None, gone=refusal.message), 410
            flash("新密码已生效，用它登录。", "ok")
            return redirect(url_for("sign_in.form"))
    return render_template("sign_in/reset.html", form=form, user=user, gone=""), 422


def _mails() -> bool:
    """Whether letters really go out; without a mail server they lie in a folder of this machine."""
    return current_app.config["SETTINGS"].smtp_url is not None
