"""Sign-in sessions kept on the server, and the token buckets that slow down guessing. Machine tables."""

import hashlib
from datetime import datetime

from sqlalchemy import Float, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Machine, Model
from crm.store.types import BigId, Moment, Words


class UserSession(Machine, Model):
    """The cookie holds a random key; only its hash is kept, so a copied database signs nobody in."""

    key_hash: Mapped[str] = mapped_column(Words(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    # When this session last proved who sits at it (password and second factor): what is dangerous asks again.
    proved_at: Mapped[datetime | None] = mapped_column(Moment)
    agent: Mapped[str | None] = mapped_column(Words(200))


class Throttle(Machine, Model):
    key: Mapped[str] = mapped_column(Words(160), primary_key=True)
    tokens: Mapped[float] = mapped_column(Float)
    filled_at: Mapped[datetime] = mapped_column(Moment)


def key_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def session_of(key: str) -> UserSession | None:
    return db.session.get(UserSession, key_hash(key))


def take_token(key: str, *, now: datetime, size: float, per_minute: float) -> bool:
    """Take one token from a bucket that refills with time; False when it is empty. Needs a unit of work."""
    bucket = db.session.get(Throttle, key, with_for_update=True)
    if bucket is None:
        db.session.add(Throttle(key=key, tokens=size - 1, filled_at=now))
        return True
    minutes = (now - bucket.filled_at).total_seconds() / 60
    bucket.tokens = min(size, bucket.tokens + max(minutes, 0) * per_minute)
    bucket.filled_at = now
    if bucket.tokens < 1:
        return False
    bucket.tokens -= 1
    return True


def refill(key: str) -> None:
    """Forget a bucket after success. Needs a unit of work."""
    bucket = db.session.get(Throttle, key)
    if bucket is not None:
        db.session.delete(bucket)
