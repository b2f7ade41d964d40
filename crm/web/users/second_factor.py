"""Everybody's own second factor: on, off, new recovery codes."""

import base64
import io

import segno
from flask import render_template, session, url_for
from flask_login import current_user

from crm.actions import second_factors
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User
from crm.web.doors import SIGNED_IN, done, new_act, now, open_to, today
from crm.web.sign_in import proof
from crm.web.sign_in.entering import MUST_ENROL
from crm.web.sign_in.forms import CodeForm
from crm.web.sign_in.second_step import may_try
from crm.web.users import blueprint
from crm.web.users.forms import PlainForm

WHAT = "改两步验证"


@blueprint.get("/account/second-factor")
@open_to(SIGNED_IN)
def second_factor():
    if not proof.is_proved():
        return proof.ask_again(WHAT)
    return enrol_page(CodeForm(formdata=None))


@blueprint.post("/account/second-factor")
@open_to(SIGNED_IN)
def confirm_second_factor():
    if not proof.is_proved():
        return proof.ask_again(WHAT)
    form = CodeForm()
    if form.validate():
        user_id, act = current_user.id, new_act()
        if not may_try(user_id, f"enrol:{user_id}", size=10, per_minute=1.0):
            form.secret_code.errors = ["试的次数太多了，过一分钟再试。"]
            return enrol_page(form), 429
        try:
            with unit_of_work():
                codes = second_factors.confirm(user_id, form.secret_code.data, act=act)
        except Refused as refusal:
            form.secret_code.errors = [refusal.message]
            return enrol_page(form), 422
        session.pop(MUST_ENROL, None)
        return render_template("account/recovery_codes.html", codes=codes, fresh=True)
    return enrol_page(form), 422


@blueprint.post("/account/second-factor/codes")
@open_to(SIGNED_IN)
def renew_recovery_codes():
    if not proof.is_proved():
        return proof.ask_again("换恢复码")
    PlainForm().validate()
    act = new_act()
    with unit_of_work():
        codes = second_factors.renew_codes(act.viewer.user_id or 0, act=act)
    return render_template("account/recovery_codes.html", codes=codes, fresh=False)


@blueprint.post("/account/second-factor/off")
@open_to(SIGNED_IN)
def remove_second_factor():
    if not proof.is_proved():
        return proof.ask_again("关掉两步验证")
    PlainForm().validate()
    act = new_act()
    with unit_of_work():
        second_factors.remove(act.viewer.user_id or 0, act=act)
    return done("两步验证已关掉。", url_for("users.account"))


def enrol_page(form: CodeForm, waiting=None):
    """The picture to scan and the field for the first code; ``waiting`` is a form that could not be saved before."""
    user_id, login = current_user.id, current_user.login
    act = new_act()
    with unit_of_work():
        secret = second_factors.begin(user_id, act=act)
    user = db.session.get(User, user_id)
    return render_template(
        "account/second_factor.html",
        form=form,
        waiting=waiting,
        must=bool(session.get(MUST_ENROL)) and second_factors.must_have(user, today()),
        picture=_picture(second_factors.address_of(secret, login)),
        spelled=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        now=now(),
    )


def _picture(text: str) -> str:
    """A QR code as an SVG in the page itself: no request leaves, and the policy allows pictures as data."""
    target = io.BytesIO()
    segno.make(text, error="m").save(target, kind="svg", scale=5, border=2, dark="#000", light="#fff", xmldecl=False)
    return "data:image/svg+xml;base64," + base64.b64encode(target.getvalue()).decode()
