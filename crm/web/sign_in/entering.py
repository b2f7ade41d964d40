"""What follows once somebody has proved who it is: the session, the note in the access log, the way on."""

from flask import g, redirect, render_template, session

from crm.actions import second_factors
from crm.store.access_log import AccessLog
from crm.store.sessions import refill
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User
from crm.web.doors import Unsaved, now, today
from crm.web.sign_in import sessions

# In the cookie of somebody who has to set a second factor up before anything else.
MUST_ENROL = "must_enrol"


def signed_in(user: User, waiting: Unsaved):
    """Everything was proved: the session begins, and what was being sent before it comes back."""
    must = not second_factors.is_on(user.id) and second_factors.must_have(user, today())
    login = user.login
    sessions.begin(user, now())
    with unit_of_work():
        refill(f"sign-in:{login.lower()}")
    log(user, "sign_in", "")
    if must:
        session[MUST_ENROL] = True
    if waiting.kept or waiting.files:
        return render_template("sign_in/kept.html", waiting=waiting)
    return redirect(waiting.target)


def log(user: User | None, what: str, subject: str) -> None:
    with unit_of_work() as work:
        work.add(
            AccessLog(
                at=now(),
                user_id=user.id if user else None,
                who=user.name if user else "",
                what=what,
                subject=subject,
                request_id=g.request_id,
            )
        )
