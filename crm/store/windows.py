"""Application windows: dated rows per kind, year and batch, announced or expected."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, SmallInteger, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.titles import Round
from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Moment, Words


class Window(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    kind: Mapped[str] = mapped_column(Words(24))
    year: Mapped[int] = mapped_column(SmallInteger)
    batch: Mapped[str] = mapped_column(Words(40), default="")
    opens_on: Mapped[date | None] = mapped_column(Date)
    enterprise_due_at: Mapped[datetime | None] = mapped_column(Moment)
    county_due_at: Mapped[datetime | None] = mapped_column(Moment)
    closes_on: Mapped[date | None] = mapped_column(Date)
    announced_on: Mapped[date | None] = mapped_column(Date)
    status: Mapped[str] = mapped_column(Words(16))
    source: Mapped[str | None] = mapped_column(Words(300))


# What a window says, apart from where it counts: the same names as the plain value.
FIELDS = tuple(Round.__dataclass_fields__)
ROUND_COLUMNS = tuple(getattr(Window, name) for name in FIELDS)


def rounds() -> tuple[Round, ...]:
    """Every window as a plain value, in the order of kind, year and opening."""
    query = select(*ROUND_COLUMNS).where(~Window.deleted).order_by(Window.kind, Window.year, Window.opens_on, Window.id)
    return tuple(Round(*row) for row in db.session.execute(query))
