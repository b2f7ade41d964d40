"""Everybody's own account: name and mail, the password, the devices that are signed in."""

from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user

from crm.actions import accounts, second_factors
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store.absences import away_today
from crm.store.passwords import hash_password, password_matches
from crm.store.sessions import UserSession, key_hash, take_token
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Credential, User
from crm.web.doors import SIGNED_IN, attempt, done, new_act, now, open_to, today
from crm.web.editing import last_writers
from crm.web.sign_in import sessions
from crm.web.users import blueprint
from crm.web.users.forms import OwnAccountForm, PasswordForm, filled
from crm.web.users.grants import grant_words, grants_by_user, is_in_force, place_names, role_words


@blueprint.get("/account")
@open_to(SIGNED_IN)
def account():
    return _account_page()


@blueprint.post("/account")
@open_to(SIGNED_IN)
def edit_account():
    form = OwnAccountForm()
    if form.validate():
        form.settle(request.form)
        values, act = form.read(changed_only=True), new_act()
        version, seen = form.seen_version, form.seen_values(values)
        written = attempt(form, lambda: accounts.edit_own_account(values, version=version, act=act, seen=seen))
        if written is not None:
            return done("已保存。", url_for("users.account"), written)
    return _account_page(form=form), 409 if form.conflict else 422


@blueprint.post("/account/password")
@open_to(SIGNED_IN)
def change_password():
    form = PasswordForm()
    status = 422
    if form.validate():
        status = _change_password(form)
        if status == 200:
            flash("密码已改，其他设备已退出。")
            return redirect(url_for("users.account"))
    return _account_page(password_form=form), status


def _change_password(form: PasswordForm) -> int:
    user_id, login = current_user.id, current_user.login
    with unit_of_work():
        # The old password is asked so that an unlocked screen is not enough; guessing it is slowed like signing in.
        allowed = take_token(f"old-password:{user_id}", now=now(), size=10, per_minute=1.0)
    if not allowed:
        form.general_errors.append("试的次数太多了，过一分钟再试。")
        return 429
    credential = db.session.get(Credential, user_id)
    if not password_matches(credential.password_hash if credential else None, form.old_password.data):
        form.old_password.errors = ["现在的密码不对。"]
        return 422
    problem = accounts.password_problem(login, form.new_password.data)
    if problem or form.new_password.data == form.old_password.data:
        form.new_password.errors = [problem or "新密码与现在的一样。"]
        return 422
    if form.again_password.data != form.new_password.data:
        form.again_password.errors = ["两次填的新密码不一样。"]
        return 422
    password_hash = hash_password(form.new_password.data)
    act = new_act()
    try:
        with unit_of_work():
            accounts.set_password(user_id, password_hash, act=act)
    except Refused as refusal:
        form.general_errors.append(refusal.message)
        return 409
    sessions.begin(db.session.get(User, user_id), now())
    return 200


@blueprint.post("/account/sessions")
@open_to(SIGNED_IN)
def end_other_sessions():
    sessions.end(everywhere=True, user_id=current_user.id)
    flash("已退出所有设备。")
    return redirect(url_for("sign_in.form"))


def _account_page(**forms: Any):
    person = db.session.get(User, current_user.id)
    mine = key_hash(session.get("key", ""))
    known: list[UserSession] = accounts.sessions_of(person.id, since=now() - sessions.ABSOLUTE)
    names, roles = place_names(), dict(role_words())
    form = forms.get("form") or filled(OwnAccountForm(formdata=None), person)
    return render_template(
        "account/show.html",
        person=person,
        form=form,
        conflicts=form.clashes(last_writers("user", person.id)) if form.conflict else [],
        password_form=forms.get("password_form") or PasswordForm(formdata=None),
        grants=[
            (grant, grant_words(grant, names, roles))
            for grant in grants_by_user(person.id).get(person.id, ())
            if is_in_force(grant)
        ],
        sessions=[
            (known_one, known_one.key_hash == mine) for known_one in known if now() - known_one.seen_at <= sessions.IDLE
        ],
        device=device_words,
        second_factor=second_factors.is_on(person.id),
        codes_left=second_factors.codes_left(person.id),
        must_have=second_factors.must_have(person, today()),
        away=away_today(frozenset({person.id}), today()).get(person.id),
    )


def device_words(agent: str | None) -> str:
    """A browser and a system out of what the browser says of itself, for the list of sessions."""
    text = agent or ""
    browser = next(
        (
            word
            for mark, word in (
                ("Edg/", "Edge"),
                ("MicroMessenger", "微信"),
                ("Firefox/", "Firefox"),
                ("Chrome/", "Chrome"),
                ("Safari/", "Safari"),
            )
            if mark in text
        ),
        "浏览器",
    )
    system = next(
        (
            word
            for mark, word in (
                ("Windows", "Windows"),
                ("Android", "安卓"),
                ("iPhone", "iPhone"),
                ("Mac OS", "Mac"),
                ("Linux", "Linux"),
            )
            if mark in text
        ),
        "未知系统",
    )
    return f"{browser} · {system}"
