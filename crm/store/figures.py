"""Yearly figures: one wide row per enterprise and year in canonical units. 0 is a value, NULL is unknown."""

from sqlalchemy import ForeignKey, Index, SmallInteger, select, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record, add_field_columns
from crm.store.types import Json

_LIVE = text("NOT deleted")


class Figures(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    # {field: {"by": name, "at": ISO moment}}; an entry lapses when its value changes.
    confirmed: Mapped[dict | None] = mapped_column(Json)

    extra_args = (
        Index(
            "uq_figures_enterprise_id_year",
            "enterprise_id",
            "year",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )


add_field_columns(Figures, "figures")


def figures_of(enterprise_id: int) -> list[Figures]:
    """All years, oldest first."""
    query = select(Figures).where(Figures.enterprise_id == enterprise_id, ~Figures.deleted)
    return list(db.session.scalars(query.order_by(Figures.year)))
