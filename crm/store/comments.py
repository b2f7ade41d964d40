"""Comments on records, and the notices by which people learn of them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Machine, Model, Record
from crm.store.types import BigId, Json, Moment, Words


class Comment(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    # What it is about: enterprise, service_log, request, application …
    noun: Mapped[str] = mapped_column(Words(30))
    record_id: Mapped[int] = mapped_column(BigId)
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    author_name: Mapped[str] = mapped_column(Words(60))
    written_at: Mapped[datetime] = mapped_column(Moment)
    text: Mapped[str] = mapped_column(Words(2000))
    # The ids of the people mentioned.
    mentions: Mapped[list | None] = mapped_column(Json)

    extra_args = (Index("ix_comment_noun_record_id", "noun", "record_id"),)


class Notice(Machine, Model):
    """One person is to know of one thing; read when it was opened. Machine table: never undone."""

    __table_args__ = (Index("ix_notice_user_id_seen_at", "user_id", "seen_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str] = mapped_column(Words(24))  # mention, comment, handover, request, review …
    noun: Mapped[str] = mapped_column(Words(30))
    record_id: Mapped[int] = mapped_column(BigId)
    enterprise_id: Mapped[int | None] = mapped_column(BigId)
    text: Mapped[str] = mapped_column(Words(300))
    by_name: Mapped[str] = mapped_column(Words(60))
    # The comment it tells of: a comment that is withdrawn is told of no more.
    comment_id: Mapped[int | None] = mapped_column(BigId)
    made_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime | None] = mapped_column(Moment)
