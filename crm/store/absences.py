"""Absences (离岗): who is away from when to when, and who stands in."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, Date, ForeignKey, and_, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Words


class Absence(Record, Model):
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    deputy_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str | None] = mapped_column(Words(200))


class Away(NamedTuple):
    """Somebody who is away, until which day (None: open), and who stands in."""

    user_id: int
    until: date | None
    deputy_id: int | None


def away_on(on: date) -> ColumnElement[bool]:
    """Absences that cover a day, both ends included."""
    return and_(~Absence.deleted, Absence.starts_on <= on, or_(Absence.ends_on.is_(None), Absence.ends_on >= on))


def away_with_deputy(deputy_id: int, on: date) -> frozenset[int]:
    """Whom this person stands in for on a day."""
    query = select(Absence.user_id).where(Absence.deputy_id == deputy_id, away_on(on))
    return frozenset(db.session.scalars(query))


def away_today(user_ids: frozenset[int], on: date) -> dict[int, Away]:
    """Who of these people is away on a day."""
    query = select(Absence.user_id, Absence.ends_on, Absence.deputy_id).where(
        Absence.user_id.in_(user_ids), away_on(on)
    )
    return {row[0]: Away(*row) for row in db.session.execute(query.order_by(Absence.id))}


def overlapping(user_id: int, starts_on: date, ends_on: date | None, *, without: int | None = None) -> Absence | None:
    """Another absence of the same person that shares a day with this stretch."""
    query = select(Absence).where(
        Absence.user_id == user_id,
        ~Absence.deleted,
        or_(Absence.ends_on.is_(None), Absence.ends_on >= starts_on),
        Absence.id.is_distinct_from(without),
    )
    if ends_on is not None:
        query = query.where(Absence.starts_on <= ends_on)
    return db.session.scalar(query.order_by(Absence.starts_on).limit(1))
