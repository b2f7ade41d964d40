"""Step-up: what is dangerous asks again who sits there, when nobody has said so for a quarter of an hour.

Whatever was typed comes back after the proof, as it does after signing in: nothing is lost on the way.
"""

from urllib.parse import urlsplit

from flask import redirect, render_template, request, session
from flask_login import current_user

from crm.actions import second_factors
from crm.extensions import db
from crm.store.passwords import password_matches
from crm.store.sessions import key_hash, take_token
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Credential, User
from crm.web.doors import SIGNED_IN, Unsaved, now, open_to, own_path, unsaved
from crm.web.sign_in import blueprint, sessions
from crm.web.sign_in.entering import log
from crm.web.sign_in.forms import ProofForm
from crm.web.sign_in.second_step import may_try
from crm.web.sign_in.waiting import nothing_but, waiting_form

is_proved = sessions.is_proved
# An unlocked screen is not enough; guessing the password here is slowed like signing in.
TRIES, PER_MINUTE = 10, 1.0


def ask_again(what: str):
    """The page that asks for the password (and code), with the form of this request kept inside; 403 until then."""
    pressed = False
    if request.method in ("GET", "HEAD"):
        waiting = nothing_but(request.full_path.rstrip("?"))
    elif request.headers.get("HX-Request"):
        # What a fragment's button would have written is pressed again on the page it stood on.
        waiting = nothing_but(own_path(urlsplit(request.headers.get("HX-Current-URL", "")).path))
    else:
        waiting, pressed = unsaved(), True
    return _page(ProofForm(formdata=None), waiting, what, pressed), 403


@blueprint.post("/prove")
@open_to(SIGNED_IN)
def prove():
    form, waiting, what = ProofForm(), waiting_form(), request.form.get("what", "")[:60]
    # A button may carry nothing and still have to be pressed again: its address takes no other way.
    pressed = request.form.get("pressed") == "1"
    user_id = current_user.id
    if not form.validate():
        return _page(form, waiting, what, pressed), 422
    with unit_of_work():
        allowed = take_token(f"proof:{user_id}", now=now(), size=TRIES, per_minute=PER_MINUTE)
    if not allowed:
        form.general_errors.append("试的次数太多了，过一分钟再试。")
        return _page(form, waiting, what, pressed), 429
    credential = db.session.get(Credential, user_id)
    if not password_matches(credential.password_hash if credential else None, form.proof_password.data):
        log(db.session.get(User, user_id), "proof_failed", "")
        form.proof_password.errors = ["密码不对。"]
        return _page(form, waiting, what, pressed), 403
    if second_factors.is_on(user_id) and not _code_fits(user_id, form):
        return _page(form, waiting, what, pressed), 403
    sessions.prove(now())
    if pressed:
        return render_template("sign_in/proved.html", waiting=waiting)
    return redirect(waiting.target)


def _code_fits(user_id: int, form: ProofForm) -> bool:
    typed = form.secret_code.data or ""
    if not typed.strip():
        form.secret_code.errors = ["填手机上的验证码，或一个恢复码。"]
        return False
    # A session is one challenge after the other: a few tries at once, then one a minute.
    challenge = key_hash(session.get("key", ""))[:24]
    if not may_try(user_id, f"proof-code:{challenge}", size=5, per_minute=PER_MINUTE):
        form.secret_code.errors = ["试的次数太多了，过一分钟再试。"]
        return False
    with unit_of_work():
        accepted = second_factors.accept(user_id, typed, now=now())
    if accepted is None:
        log(db.session.get(User, user_id), "second_factor_failed", "")
        form.secret_code.errors = ["验证码不对，或刚用过。等手机上换成下一组再填。"]
    return accepted is not None


def _page(form: ProofForm, waiting: Unsaved, what: str, pressed: bool) -> str:
    return render_template(
        "sign_in/prove.html",
        form=form,
        waiting=waiting,
        what=what,
        pressed=pressed,
        login=current_user.login,
        wants_code=second_factors.is_on(current_user.id),
    )
