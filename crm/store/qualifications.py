"""Titles held: append-only facts; a correction supersedes the fact it corrects."""

from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.periods import TitleFact
from crm.extensions import db
from crm.store.records import Model, Record, add_field_columns
from crm.store.types import Moment, Words


class Qualification(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    kind: Mapped[str] = mapped_column(Words(40))
    recorded_at: Mapped[datetime] = mapped_column(Moment)
    # When a correction replaced this fact, and the fact that did: "as known on D1" can still be asked.
    superseded_at: Mapped[datetime | None] = mapped_column(Moment)
    superseded_by_id: Mapped[int | None] = mapped_column(ForeignKey("qualification.id"))


add_field_columns(Qualification, "qualification")

FACT_COLUMNS = tuple(getattr(Qualification, name) for name in TitleFact.__dataclass_fields__)


def title_facts(enterprise_id: int) -> list[TitleFact]:
    """The facts that count now (not withdrawn, not superseded), oldest first."""
    query = select(*FACT_COLUMNS).where(
        Qualification.enterprise_id == enterprise_id, ~Qualification.deleted, Qualification.superseded_at.is_(None)
    )
    return [TitleFact(*row) for row in db.session.execute(query.order_by(Qualification.id))]


def qualifications_of(enterprise_id: int, *, superseded: bool = False) -> list[Qualification]:
    query = select(Qualification).where(Qualification.enterprise_id == enterprise_id, ~Qualification.deleted)
    if not superseded:
        query = query.where(Qualification.superseded_at.is_(None))
    return list(db.session.scalars(query.order_by(Qualification.kind, Qualification.valid_from, Qualification.id)))
