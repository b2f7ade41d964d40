"""The second factor of a sign-in, its recovery codes, and links that set a new password. Machine tables: secrets."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Machine, Model
from crm.store.types import BigId, Moment, Words


class SecondFactor(Machine, Model):
    """The shared secret of a person's authenticator; it counts once a code of it was typed back."""

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"), primary_key=True, autoincrement=False)
    # Encrypted with a key derived from SECRET_KEY: a copied database alone signs nobody in.
    secret: Mapped[str] = mapped_column(Words(300))
    made_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    # The time step of the last accepted code: no code is accepted twice.
    last_step: Mapped[int | None] = mapped_column(Integer)


class RecoveryCode(Machine, Model):
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    code_hash: Mapped[str] = mapped_column(Words(200))
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class PasswordReset(Machine, Model):
    """A link that sets a new password once; only the hash of its key is kept."""

    key_hash: Mapped[str] = mapped_column(Words(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"), index=True)
    made_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    # Who made it: None when the person asked by mail.
    made_by_id: Mapped[int | None] = mapped_column(BigId)
