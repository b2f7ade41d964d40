"""Holidays and make-up working days, dated and sourced."""

from datetime import date

from sqlalchemy import Date, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.workdays import Holidays
from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Words


class Holiday(Record, Model):
    day: Mapped[date] = mapped_column(Date, index=True)
    kind: Mapped[str] = mapped_column(Words(8))  # off, work
    name: Mapped[str | None] = mapped_column(Words(40))
    source: Mapped[str | None] = mapped_column(Words(200))


def holidays() -> Holidays:
    """All known days; a year without any is unknown and counts by weekends."""
    days = db.session.execute(select(Holiday.day, Holiday.kind).where(~Holiday.deleted)).all()
    return Holidays(
        days_off=frozenset(day for day, kind in days if kind == "off"),
        workdays=frozenset(day for day, kind in days if kind == "work"),
        known_years=frozenset(day.year for day, _ in days),
    )
