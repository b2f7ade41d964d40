"""The outbox: one message per recipient, channel, kind and period, composed once and sent after the commit."""

from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Integer, Text, UniqueConstraint, case
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Machine, Model
from crm.store.types import BigId, Json, Moment, Words

# uncertain: the worker died or the line broke while the server had the text; a person decides whether to send again.
STATES = ("queued", "sending", "sent", "failed", "uncertain", "cancelled")
# What people are told instead of sent while there is no mail server: it lies in a folder of this machine.
WRITTEN = "written"
SHOWN_STATES = (*STATES[:3], WRITTEN, *STATES[3:])


class Message(Machine, Model):
    __table_args__ = (
        UniqueConstraint("user_id", "channel", "kind", "period", name="uq_message_once"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    channel: Mapped[str] = mapped_column(Words(12))  # mail
    kind: Mapped[str] = mapped_column(Words(24))  # digest, test …
    period: Mapped[str] = mapped_column(Words(40))  # 2026-W48, or the event
    recipient: Mapped[str] = mapped_column(Words(160))
    subject: Mapped[str] = mapped_column(Words(300))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    headers: Mapped[dict | None] = mapped_column(Json)
    message_id: Mapped[str] = mapped_column(Words(200), unique=True)
    state: Mapped[str] = mapped_column(Words(12), index=True)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    worker: Mapped[str | None] = mapped_column(Words(80))
    error: Mapped[str | None] = mapped_column(Words(500))
    queued_at: Mapped[datetime] = mapped_column(Moment)
    not_before: Mapped[datetime | None] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    state_at: Mapped[datetime] = mapped_column(Moment)

    @hybrid_property
    def shown_state(self) -> str:
        """The state as people are told it: what was only written to a file has no moment of sending."""
        return WRITTEN if self.state == "sent" and self.sent_at is None else self.state

    @shown_state.inplace.expression
    @classmethod
    def _shown_state(cls) -> ColumnElement[str]:
        return case(((cls.state == "sent") & cls.sent_at.is_(None), WRITTEN), else_=cls.state)
