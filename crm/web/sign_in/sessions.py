"""Server-side sign-in sessions: rotation at sign-in, idle and absolute limits, sign-out everywhere."""

import secrets
from datetime import datetime, timedelta

from flask import current_app, g, request, session
from flask_login import login_user, logout_user
from sqlalchemy import delete

from crm.extensions import db, login_manager
from crm.store.sessions import UserSession, key_hash, session_of
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User
from crm.web.doors import now

# A screen left alone over lunch is closed; a working day fits into the absolute limit.
IDLE = timedelta(hours=2)
ABSOLUTE = timedelta(hours=12)
# Writing "last seen" on every click would take the write lock on every click.
SEEN_EVERY = timedelta(minutes=2)
# Long enough for another small note to pass, too short for anybody to notice.
TOUCH_PATIENCE_SECONDS = 0.05
TOUCH_AGAIN_AFTER = timedelta(seconds=10)
# What is dangerous asks who sits there when nobody has said so for so long.
PROOF_LASTS = timedelta(minutes=15)
# When this process last found the database busy; whoever wrote then may well be writing still.
TOUCH_FAILED_AT = "session_touch_failed_at"


@login_manager.user_loader
def load(user_id: str) -> User | None:
    """The signed-in user, if the server still knows the session and neither limit has passed."""
    key = session.get("key")
    if not key:
        return None
    known = session_of(key)
    if known is None or str(known.user_id) != user_id:
        return None
    if now() - known.seen_at > IDLE or now() - known.created_at > ABSOLUTE:
        return None
    user = db.session.get(User, known.user_id)
    if user is None or not user.is_active:
        return None
    g.session_seen_at, g.session_proved_at = known.seen_at, known.proved_at
    return user


def begin(user: User, at: datetime) -> None:
    """Sign a user in under a new key; whatever the browser held before is forgotten. Opens a unit of work."""
    key = secrets.token_urlsafe(32)
    with unit_of_work() as work:
        old = session.get("key")
        if old:
            work.execute(delete(UserSession).where(UserSession.key_hash == key_hash(old)))
        work.execute(delete(UserSession).where(UserSession.user_id == user.id, UserSession.created_at < at - ABSOLUTE))
        work.add(
            UserSession(
                key_hash=key_hash(key),
                user_id=user.id,
                created_at=at,
                seen_at=at,
                proved_at=at,
                agent=(request.user_agent.string or "")[:200],
            )
        )
    session.clear()
    # The token of this request belonged to the session that is gone; a page rendered now needs one of the new session.
    g.pop("csrf_token", None)
    session["key"] = key
    session.permanent = False
    login_user(db.session.get(User, user.id))


def is_proved() -> bool:
    """Whether whoever sits there said so (password, and code where there is one) within the last minutes."""
    proved_at = g.get("session_proved_at")
    return proved_at is not None and now() - proved_at <= PROOF_LASTS


def prove(at: datetime) -> None:
    """Note that the person proved it just now. Opens a unit of work."""
    key = session.get("key")
    with unit_of_work() as work:
        known = work.get(UserSession, key_hash(key)) if key else None
        if known is not None:
            known.proved_at = at
    g.session_proved_at = at


def end(*, everywhere: bool = False, user_id: int | None = None) -> None:
    """Sign out: this browser, or every session of the user."""
    key = session.get("key")
    with unit_of_work() as work:
        if everywhere and user_id is not None:
            work.execute(delete(UserSession).where(UserSession.user_id == user_id))
        elif key:
            work.execute(delete(UserSession).where(UserSession.key_hash == key_hash(key)))
    logout_user()
    session.clear()


def touch() -> None:
    """Note that the session is alive, at most every few minutes, in a short unit of its own; being busy is no fault.

    No page waits for this note. Where somebody else is writing it is left out, and for some seconds not tried again.
    """
    seen = g.get("session_seen_at")
    key = session.get("key")
    if seen is None or key is None or now() - seen < SEEN_EVERY or _was_busy_just_now():
        return
    try:
        with unit_of_work(patience=TOUCH_PATIENCE_SECONDS) as work:
            known = work.get(UserSession, key_hash(key))
            if known is not None:
                known.seen_at = now()
    except Exception:
        db.session.rollback()
        current_app.extensions[TOUCH_FAILED_AT] = now()


def _was_busy_just_now() -> bool:
    failed_at = current_app.extensions.get(TOUCH_FAILED_AT)
    # A clock that was set back must not silence the note until it has caught up.
    return failed_at is not None and timedelta(0) <= now() - failed_at < TOUCH_AGAIN_AFTER
