"""The 培育库: a management list, proposed and decided, not a title."""

from datetime import date

from sqlalchemy import Date, ForeignKey, SmallInteger, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record, add_field_columns
from crm.store.types import Json, Words


class PoolSelection(Record, Model):
    """The selection of a year (年度遴选): from which filter, decided by which meeting, printed as which document."""

    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    year: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(Words(120))
    # The query of the list it was taken from, and when that was.
    query: Mapped[str | None] = mapped_column(Words(1000))
    filter_words: Mapped[list | None] = mapped_column(Json)
    proposed_on: Mapped[date | None] = mapped_column(Date)
    decided_on: Mapped[date | None] = mapped_column(Date)
    meeting: Mapped[str | None] = mapped_column(Words(120))
    document: Mapped[str | None] = mapped_column(Words(120))
    # 印发: the day the decided list was printed and sent out.
    issued_on: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(Words(500))


class PoolMembership(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    selection_id: Mapped[int | None] = mapped_column(ForeignKey("pool_selection.id"), index=True)
    # The meeting said no: proposed, never in the pool.
    declined_on: Mapped[date | None] = mapped_column(Date)
    declined_reason: Mapped[str | None] = mapped_column(Words(200))


add_field_columns(PoolMembership, "pool_membership")

# It was decided that the firm is in the pool; whether it still is, its day of leaving says.
DECIDED = or_(PoolMembership.decided_on.is_not(None), PoolMembership.entered_on.is_not(None))


def is_decided(membership: PoolMembership) -> bool:
    """DECIDED, said of one membership."""
    return membership.decided_on is not None or membership.entered_on is not None


def memberships_of(enterprise_id: int) -> list[PoolMembership]:
    query = select(PoolMembership).where(PoolMembership.enterprise_id == enterprise_id, ~PoolMembership.deleted)
    return list(db.session.scalars(query.order_by(PoolMembership.year, PoolMembership.id)))
