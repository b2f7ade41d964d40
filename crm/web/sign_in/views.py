"""Signing in and out."""

from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user

from crm.actions import second_factors
from crm.extensions import db
from crm.store.passwords import password_matches
from crm.store.sessions import take_token
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Credential, user_by_login
from crm.web.doors import ANYBODY, SIGNED_IN, Unsaved, now, open_to, own_path, unsaved
from crm.web.sign_in import blueprint, proof, resets, second_step, sessions
from crm.web.sign_in.entering import log, signed_in
from crm.web.sign_in.forms import SignInForm
from crm.web.sign_in.waiting import nothing_but, waiting_form

__all__ = ["blueprint", "proof", "resets"]

# Ten tries at once, then one a minute: a person who mistypes is not locked out, a guesser is.
BUCKET, PER_MINUTE = 10, 1.0
# A county sits behind one address, so the address gets more.
ADDRESS_BUCKET, ADDRESS_PER_MINUTE = 60, 20.0


@blueprint.get("/sign-in")
@open_to(ANYBODY)
def form():
    if current_user.is_authenticated:
        return redirect("/")
    return _page(SignInForm(), nothing_but(request.args.get("next")))


@blueprint.post("/sign-in")
@open_to(ANYBODY)
def sign_in():
    form = SignInForm()
    waiting = waiting_form()
    if not form.validate():
        return _page(form, waiting), 422
    login = form.login.data.strip()
    with unit_of_work():
        allowed = take_token(f"sign-in:{login.lower()}", now=now(), size=BUCKET, per_minute=PER_MINUTE)
        allowed &= take_token(
            f"sign-in-from:{request.remote_addr}", now=now(), size=ADDRESS_BUCKET, per_minute=ADDRESS_PER_MINUTE
        )
    if not allowed:
        form.general_errors.append("试的次数太多了，过一分钟再试。")
        return _page(form, waiting), 429
    user = user_by_login(login)
    credential = db.session.get(Credential, user.id) if user else None
    if not password_matches(credential.password_hash if credential else None, form.password.data) or not user.is_active:
        # A login nobody has may be a password typed into the wrong box; it is not kept.
        log(None, "sign_in_failed", user.login if user else "")
        form.general_errors.append("登录名或密码不对。")
        return _page(form, waiting), 401
    if second_factors.is_on(user.id):
        return second_step.begin(user, waiting)
    return signed_in(user, waiting)


@blueprint.post("/sign-out")
@open_to(SIGNED_IN)
def sign_out():
    everywhere = bool(request.form.get("everywhere"))
    sessions.end(everywhere=everywhere, user_id=current_user.id)
    flash("已退出所有设备。" if everywhere else "已退出。")
    return redirect(url_for("sign_in.form"))


def ask_to_sign_in():
    """What an unsigned request gets: the sign-in page, with the text of a form that was being sent kept inside."""
    here = request.full_path.rstrip("?")
    if request.headers.get("HX-Request"):
        # A fragment cannot hold the sign-in page; the browser goes there, and comes back to the page it was on.
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = own_path(shown.path + (f"?{shown.query}" if shown.query else ""))
        return "", 401, {"HX-Redirect": url_for("sign_in.form", next=back)}
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("sign_in.form", next=here))
    waiting = unsaved()
    session.pop("key", None)
    page = SignInForm(formdata=None)
    if set(waiting.kept) <= {"request_key"} and not waiting.files:
        # A button without a text: after signing in the page it stood on is more use than pressing it unseen.
        page.general_errors.append("登录已过期。登录后再按一次。")
        came_from = urlsplit(request.referrer or "")
        target = own_path(came_from.path) if came_from.netloc == request.host else None
        return _page(page, nothing_but(target)), 401
    page.general_errors.append(
        "登录已过期。你填的内容还在，登录后接着保存。" + ("选过的文件要再选一次。" if waiting.files else "")
    )
    return _page(page, waiting), 401


def sign_in_again():
    """A sign-in form that waited too long for its token: the same page with a new one, the password asked again."""
    page = SignInForm(formdata=None)
    page.login.data = request.form.get("login", "")[:40]
    page.general_errors.append("页面放得太久，已换上新的。再登录一次。")
    return _page(page, waiting_form()), 400


def _page(form: SignInForm, waiting: Unsaved) -> str:
    return render_template("sign_in/form.html", form=form, waiting=waiting)
