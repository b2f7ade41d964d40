"""Units (部门) with the names they were printed under, their successors and their validity."""

from datetime import date

from sqlalchemy import Date, ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Json, Words


class Unit(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    name: Mapped[str] = mapped_column(Words(80))
    aliases: Mapped[list | None] = mapped_column(Json)
    owns_kinds: Mapped[list | None] = mapped_column(Json)
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str | None] = mapped_column(Words(200))


def units_of(region_id: int) -> list[Unit]:
    return list(db.session.scalars(select(Unit).where(Unit.region_id == region_id, ~Unit.deleted).order_by(Unit.id)))
