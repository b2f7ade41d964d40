"""A new password by mail: a link that counts once, for an hour; the same answer whether there is such a mailbox or not.

The link is never in the database, nor in the outbox that an office reads: it is made from SECRET_KEY and a random
word when the mail goes out.
"""

import base64
import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from flask import current_app
from sqlalchemy import func, select, update

from crm.actions.accounts import set_password
from crm.actions.jobs import ask_for
from crm.actions.messages import queue_mail
from crm.domain.acts import Act
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.mail.compose import RESET_LINK
from crm.mail.compose import password_reset as reset_mail
from crm.store.access_log import note_access
from crm.store.derived_keys import derived_key
from crm.store.second_factors import PasswordReset
from crm.store.settings import office_name
from crm.store.users import User

KIND = "password_reset"
LASTS = timedelta(hours=1)
# A mailbox that several people share gets a letter for each of them, up to so many.
MOST_PEOPLE = 3
GONE = "这个链接已用过或已过期（一小时内有效，只能用一次）。重新要一封。"


def people_behind(typed: str) -> list[User]:
    """The active users with a mailbox whom a login name or a mailbox means."""
    typed = typed.strip().lower()
    if not typed:
        return []
    reachable = (User.active, ~User.deleted, User.email.is_not(None), User.email != "")
    column = User.email if "@" in typed else User.login
    query = select(User).where(func.lower(column) == typed, *reachable)
    return list(db.session.scalars(query.order_by(User.id).limit(MOST_PEOPLE)))


def ask(typed: str, *, act: Act, made_by_id: int | None = None) -> int:
    """Queue a letter with a link for whoever is meant; nobody is told whether there was anybody. Returns how many."""
    people = people_behind(typed)
    for user in people:
        word = secrets.token_hex(16)
        expires_at = act.recorded_at + LASTS
        db.session.add(
            PasswordReset(
                key_hash=_hash(_key(word)),
                user_id=user.id,
                made_at=act.recorded_at,
                expires_at=expires_at,
                made_by_id=made_by_id,
            )
        )
        mail = reset_mail(
            {"name": user.name, "login": user.login, "office": office_name(user.region_id), "expires_at": expires_at},
            period=word,
            user_id=user.id,
        )
        queue_mail(mail, kind=KIND, period=word, user_id=user.id, recipient=str(user.email), act=act)
        note_access(act, "reset_asked", subject=f"user {user.id}")
    db.session.flush()
    if people:
        ask_for("send_outbox", {}, act=act)
    return len(people)


def with_link(text: str, word: str) -> str:
    """The letter as it goes out, with the link in its place."""
    return text.replace(RESET_LINK, f"{current_app.config['SETTINGS'].public_url}/sign-in/reset/{_key(word)}")


def user_of(key: str, *, now: datetime) -> User | None:
    """Whose password a link sets now; None when it was used, is too old or never was."""
    found = db.session.get(PasswordReset, _hash(key))
    if found is None or found.used_at is not None or found.expires_at <= now:
        return None
    user = db.session.get(User, found.user_id)
    return user if user is not None and user.is_active else None


def reset(key: str, password_hash: str, *, act: Act) -> None:
    """Set the password that a link was for; every session and every other link of the person ends.

    The act is the person's own. Raises Refused when the link no longer counts: of two presses one wins.
    """
    taken = update(PasswordReset).where(
        PasswordReset.key_hash == _hash(key),
        PasswordReset.used_at.is_(None),
        PasswordReset.expires_at > act.recorded_at,
        PasswordReset.user_id == act.viewer.user_id,
    )
    done = db.session.execute(taken.values(used_at=act.recorded_at).execution_options(synchronize_session=False))
    if done.rowcount != 1 or act.viewer.user_id is None:
        raise Refused(GONE)
    others = update(PasswordReset).where(PasswordReset.user_id == act.viewer.user_id, PasswordReset.used_at.is_(None))
    db.session.execute(others.values(used_at=act.recorded_at).execution_options(synchronize_session=False))
    set_password(act.viewer.user_id, password_hash, act=act)


def _key(word: str) -> str:
    """The key in the link: whoever has the word from the database cannot make it without SECRET_KEY."""
    made = hmac.new(derived_key("password reset"), word.encode(), sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
