"""Parks and carriers: bare registers, because affiliations and grants point at them."""

from datetime import date

from sqlalchemy import Date, ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Json, Words


class Park(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    name: Mapped[str] = mapped_column(Words(80))
    aliases: Mapped[list | None] = mapped_column(Json)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str | None] = mapped_column(Words(200))


class Carrier(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    kind: Mapped[str | None] = mapped_column(Words(40))
    name: Mapped[str] = mapped_column(Words(80))
    aliases: Mapped[list | None] = mapped_column(Json)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str | None] = mapped_column(Words(200))


def parks_of(region_ids: frozenset[int]) -> list[Park]:
    return list(db.session.scalars(select(Park).where(Park.region_id.in_(region_ids), ~Park.deleted).order_by(Park.id)))


def carriers_of(region_ids: frozenset[int]) -> list[Carrier]:
    query = select(Carrier).where(Carrier.region_id.in_(region_ids), ~Carrier.deleted).order_by(Carrier.id)
    return list(db.session.scalars(query))
