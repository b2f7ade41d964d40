"""Regions: the tree city > district or county > township on which everything local hangs."""

from datetime import date

from sqlalchemy import Date, ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Json, Words

CITY, COUNTY, TOWNSHIP = "city", "county", "township"


class Region(Record, Model):
    code: Mapped[str] = mapped_column(Words(12), unique=True)
    name: Mapped[str] = mapped_column(Words(60))
    level: Mapped[str] = mapped_column(Words(12))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    aliases: Mapped[list | None] = mapped_column(Json)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str | None] = mapped_column(Words(200))


def subtree_ids(root_id: int) -> frozenset[int]:
    """The region and everything under it."""
    tree = select(Region.id).where(Region.id == root_id).cte("tree", recursive=True)
    tree = tree.union_all(select(Region.id).join(tree, Region.parent_id == tree.c.id))
    return frozenset(db.session.scalars(select(tree.c.id)))


def regions_above(region_ids: frozenset[int]) -> frozenset[int]:
    """Every region over these: windows and words of the city count in its counties."""
    start = select(Region.parent_id.label("id")).where(Region.id.in_(region_ids), Region.parent_id.is_not(None))
    above = start.cte("above", recursive=True)
    above = above.union(
        select(Region.parent_id).join(above, Region.id == above.c.id).where(Region.parent_id.is_not(None))
    )
    return frozenset(db.session.scalars(select(above.c.id)))


def counties() -> list[Region]:
    return list(db.session.scalars(select(Region).where(Region.level == COUNTY, ~Region.deleted).order_by(Region.code)))


def region_by_code(code: str) -> Region | None:
    return db.session.scalar(select(Region).where(Region.code == code, ~Region.deleted))
