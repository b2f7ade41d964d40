"""Relations between enterprises: branch, parent, common control, merger, split, 个转企 predecessor; dated."""

from datetime import date

from sqlalchemy import Date, ForeignKey, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Words


class Relation(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    # What the other one is to this enterprise: branch, parent, common_control, merged_from, split_from, predecessor.
    kind: Mapped[str] = mapped_column(Words(24))
    # The other enterprise where the library has it; else its name and code as written.
    other_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)
    other_name: Mapped[str | None] = mapped_column(Words(120))
    other_code: Mapped[str | None] = mapped_column(Words(18))
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(Words(500))


def relations_of(enterprise_id: int) -> list[Relation]:
    """The relations of an enterprise from both sides: entered in its file, and in the other's."""
    query = select(Relation).where(
        or_(Relation.enterprise_id == enterprise_id, Relation.other_id == enterprise_id), ~Relation.deleted
    )
    return list(db.session.scalars(query.order_by(Relation.kind, Relation.starts_on, Relation.id)))
