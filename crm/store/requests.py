"""Requests (企业诉求): raised, dispatched or passed to the platform, answered, rated, closed."""

from datetime import date

from sqlalchemy import Date, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Model, Record
from crm.store.types import Words


class Request(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    # The visit at which it was raised, where there was one.
    service_log_id: Mapped[int | None] = mapped_column(ForeignKey("service_log.id"), index=True)
    # Who took it down, and is told how it went on.
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    author_name: Mapped[str | None] = mapped_column(Words(60))
    raised_on: Mapped[date] = mapped_column(Date)
    category: Mapped[str] = mapped_column(Words(24))
    text: Mapped[str] = mapped_column(Words(2000))
    # 企业吹哨·部门报到: its number there, and the day it was passed on (已转平台).
    platform_number: Mapped[str | None] = mapped_column(Words(60))
    transferred_on: Mapped[date | None] = mapped_column(Date)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    dispatched_on: Mapped[date | None] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    reply: Mapped[str | None] = mapped_column(Words(2000))
    replied_on: Mapped[date | None] = mapped_column(Date)
    replied_by: Mapped[str | None] = mapped_column(Words(60))
    # What the enterprise says of it: 1 (not at all satisfied) to 5.
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    rating_note: Mapped[str | None] = mapped_column(Words(500))
    closed_on: Mapped[date | None] = mapped_column(Date)
    close_reason: Mapped[str | None] = mapped_column(Words(300))
