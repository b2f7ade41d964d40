"""The township's month: one answer per enterprise whether what the library says of it still holds."""

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Model, Record
from crm.store.types import Words

_LIVE = text("NOT deleted")


class Confirmation(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    # The first day of the month it is about.
    month: Mapped[date] = mapped_column(Date)
    # same (nothing changed), changed (the note says what), unreachable, closed, moved.
    answer: Mapped[str] = mapped_column(Words(16))
    note: Mapped[str | None] = mapped_column(Words(300))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    # What was news was looked into: on which day, by whom, and what came of it.
    checked_on: Mapped[date | None] = mapped_column(Date)
    checked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    checked_note: Mapped[str | None] = mapped_column(Words(300))

    extra_args = (
        Index(
            "uq_confirmation_enterprise_id_month",
            "enterprise_id",
            "month",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )
