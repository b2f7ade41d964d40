"""The second step of signing in: the password was right, now the code of the authenticator or a recovery code."""

import secrets
from datetime import UTC, datetime, timedelta

from flask import flash, redirect, render_template, session, url_for
from sqlalchemy import delete

from crm.actions import second_factors
from crm.extensions import db
from crm.store.sessions import Throttle, take_token
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User
from crm.web.doors import ANYBODY, Unsaved, now, open_to
from crm.web.sign_in import blueprint
from crm.web.sign_in.entering import log, signed_in
from crm.web.sign_in.forms import CodeForm
from crm.web.sign_in.waiting import waiting_form

CHALLENGE = "challenge"
LASTS = timedelta(minutes=10)
# One challenge takes so many tries; and however often the password is given, an account takes no more than one a minute
# beyond the first ten: six digits would otherwise be guessed in a weekend.
TRIES, TRIES_OF_ACCOUNT, PER_MINUTE = 5, 10, 1.0


def begin(user: User, waiting: Unsaved):
    """Remember in the browser's signed cookie who has given the password, and ask for the code."""
    session[CHALLENGE] = {"user": user.id, "at": int(now().timestamp()), "id": secrets.token_hex(8)}
    return _page(CodeForm(formdata=None), waiting)


@blueprint.post("/sign-in/code")
@open_to(ANYBODY)
def code():
    waiting, form = waiting_form(), CodeForm()
    known = session.get(CHALLENGE)
    user = _challenged(known)
    if user is None:
        session.pop(CHALLENGE, None)
        flash("验证码页放得太久。再登录一次。", "bad")
        return redirect(url_for("sign_in.form", next=waiting.target))
    if not form.validate():
        return _page(form, waiting), 422
    if not may_try(user.id, f"second-factor:{known['id']}", size=TRIES, per_minute=0):
        session.pop(CHALLENGE, None)
        log(user, "second_factor_failed", "too many")
        flash("试的次数太多了。过一分钟，重新登录再试。", "bad")
        return redirect(url_for("sign_in.form", next=waiting.target))
    with unit_of_work():
        accepted = second_factors.accept(user.id, form.secret_code.data, now=now())
    user = db.session.get(User, known["user"])
    if accepted is None:
        log(user, "second_factor_failed", "")
        form.secret_code.errors = ["验证码不对，或刚用过。等手机上换成下一组再填，恢复码每个只能用一次。"]
        return _page(form, waiting), 401
    with unit_of_work() as work:
        work.execute(delete(Throttle).where(Throttle.key == f"second-factor-of:{user.id}"))
    answer = signed_in(db.session.get(User, known["user"]), waiting)
    if accepted.recovery:
        log(db.session.get(User, known["user"]), "recovery_code_used", f"{accepted.left} left")
        flash(
            f"用掉了一个恢复码，还剩 {accepted.left} 个。手机丢了就在“我的账号”里关掉两步验证，再用新手机开。", "soon"
        )
    return answer


def may_try(user_id: int, key: str, *, size: float, per_minute: float) -> bool:
    """Whether one more code may be tried, by this challenge and by this account."""
    with unit_of_work():
        first = take_token(key, now=now(), size=size, per_minute=per_minute)
        return first and take_token(
            f"second-factor-of:{user_id}", now=now(), size=TRIES_OF_ACCOUNT, per_minute=PER_MINUTE
        )


def _challenged(known: dict | None) -> User | None:
    if not isinstance(known, dict) or now() - datetime.fromtimestamp(known["at"], UTC) > LASTS:
        return None
    user = db.session.get(User, known["user"])
    return user if user is not None and user.is_active else None


def _page(form: CodeForm, waiting: Unsaved) -> str:
    return render_template("sign_in/code.html", form=form, waiting=waiting)
