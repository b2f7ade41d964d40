"""Signing in and out."""

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask_login import current_user

from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.passwords import password_matches
from crm.store.sessions import refill, take_token
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Credential, user_by_login
from crm.web.doors import ANYBODY, SIGNED_IN, now, open_to
from crm.web.sign_in import sessions
from crm.web.sign_in.forms import SignInForm

blueprint = Blueprint("sign_in", __name__)

# Ten tries at once, then one a minute: a person who mistypes is not locked out, a guesser is.
BUCKET, PER_MINUTE = 10, 1.0
# A county sits behind one address, so the address gets more.
ADDRESS_BUCKET, ADDRESS_PER_MINUTE = 60, 20.0

# Names of the fields of a form that was sent after the session had ended; they come back after signing in.
KEPT = "kept."


@blueprint.get("/sign-in")
@open_to(ANYBODY)
def form():
    if current_user.is_authenticated:
        return redirect("/")
    return render_template("sign_in/form.html", form=SignInForm(), next=_safe(request.args.get("next")), kept={})


@blueprint.post("/sign-in")
@open_to(ANYBODY)
def sign_in():
    form = SignInForm()
    kept = {k[len(KEPT) :]: request.form.getlist(k) for k in request.form if k.startswith(KEPT)}
    target = _safe(request.form.get("next"))
    if not form.validate():
        return render_template("sign_in/form.html", form=form, next=target, kept=kept), 422
    login = form.login.data.strip()
    with unit_of_work():
        allowed = take_token(f"sign-in:{login.lower()}", now=now(), size=BUCKET, per_minute=PER_MINUTE)
        allowed &= take_token(
            f"sign-in-from:{request.remote_addr}", now=now(), size=ADDRESS_BUCKET, per_minute=ADDRESS_PER_MINUTE
        )
    if not allowed:
        form.general_errors.append("试的次数太多了，过一分钟再试。")
        return render_template("sign_in/form.html", form=form, next=target, kept=kept), 429
    user = user_by_login(login)
    credential = db.session.get(Credential, user.id) if user else None
    if not password_matches(credential.password_hash if credential else None, form.password.data) or not user.is_active:
        _log(None, "sign_in_failed", login)
        form.general_errors.append("登录名或密码不对。")
        return render_template("sign_in/form.html", form=form, next=target, kept=kept), 401
    sessions.begin(user, now())
    with unit_of_work():
        refill(f"sign-in:{login.lower()}")
    _log(user, "sign_in", "")
    if kept:
        return render_template("sign_in/kept.html", target=target, kept=kept)
    return redirect(target)


@blueprint.post("/sign-out")
@open_to(SIGNED_IN)
def sign_out():
    everywhere = bool(request.form.get("everywhere"))
    sessions.end(everywhere=everywhere, user_id=current_user.id)
    flash("已退出所有设备。" if everywhere else "已退出。")
    return redirect(url_for("sign_in.form"))


def ask_to_sign_in():
    """What an unsigned request gets: the sign-in page, with the text of a form that was being sent kept inside."""
    if request.method == "GET":
        return redirect(url_for("sign_in.form", next=request.full_path.rstrip("?")))
    kept = {k: request.form.getlist(k) for k in request.form if k != "csrf_token"}
    session.pop("key", None)
    page = SignInForm(formdata=None)
    page.general_errors.append("登录已过期。你填的内容还在，登录后接着保存。")
    return render_template("sign_in/form.html", form=page, next=request.full_path.rstrip("?"), kept=kept), 401


def _safe(target: str | None) -> str:
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    return target


def _log(user, what: str, subject: str) -> None:
    with unit_of_work() as work:
        work.add(
            AccessLog(
                at=now(), user_id=user.id if user else None, who=user.name if user else "", what=what,
                subject=subject, request_id=g.request_id,
            )
        )
