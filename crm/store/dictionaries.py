"""Open lists of words (featured industries …) per region, with validity and source."""

from datetime import date

from sqlalchemy import Date, ForeignKey, SmallInteger, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Json, Words
from crm.store.validity import in_force


class DictionaryEntry(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    dictionary: Mapped[str] = mapped_column(Words(40))
    code: Mapped[str] = mapped_column(Words(40))
    label: Mapped[str] = mapped_column(Words(80))
    aliases: Mapped[list | None] = mapped_column(Json)
    position: Mapped[int] = mapped_column(SmallInteger, default=0)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str | None] = mapped_column(Words(200))


# Dictionaries that fields point at by name, with their words on screen.
DICTIONARIES: dict[str, str] = {
    "featured_industry": "特色产业",
    "carrier_kind": "载体类型",
    "request_category": "诉求类别",
}


def entries_of(dictionary: str, region_ids: frozenset[int], on: date | None = None) -> list[DictionaryEntry]:
    """The entries of a dictionary for these regions, in order; with ``on`` only those in force that day."""
    query = select(DictionaryEntry).where(
        DictionaryEntry.dictionary == dictionary, DictionaryEntry.region_id.in_(region_ids), ~DictionaryEntry.deleted
    )
    if on is not None:
        query = query.where(in_force(DictionaryEntry, on))
    return list(db.session.scalars(query.order_by(DictionaryEntry.position, DictionaryEntry.id)))
