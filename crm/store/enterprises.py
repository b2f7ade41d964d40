"""Enterprises, their former names and old numbers, and their dated affiliations."""

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, select, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record, add_field_columns
from crm.store.types import Words

FORMER_NAME, OLD_NUMBER = "former_name", "old_number"

# Unique among undeleted rows when present: a withdrawn import must not block the code for ever.
_LIVE_CODE = text("credit_code IS NOT NULL AND NOT deleted")


class Enterprise(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    name: Mapped[str] = mapped_column(Words(120))
    credit_code: Mapped[str | None] = mapped_column(Words(18))
    # Why a code that fails its check character is kept all the same.
    code_reason: Mapped[str | None] = mapped_column(Words(200))
    # The enterprise this duplicate was merged into; its own address leads there.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)

    extra_args = (
        Index(
            "uq_enterprise_credit_code",
            "credit_code",
            unique=True,
            sqlite_where=_LIVE_CODE,
            postgresql_where=_LIVE_CODE,
        ),
    )


add_field_columns(Enterprise, "enterprise", leave_out=("former_name", "old_number"))


class EnterpriseAlias(Record, Model):
    """A name or number the enterprise had before; search and import find it by them."""

    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    kind: Mapped[str] = mapped_column(Words(20))
    value: Mapped[str] = mapped_column(Words(120))
    value_key: Mapped[str] = mapped_column(Words(120), index=True)
    until_on: Mapped[date | None] = mapped_column(Date)


class Affiliation(Record, Model):
    """From when to when the enterprise belonged to a township, park, case manager … (kinds: fields.AFFILIATIONS)."""

    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    kind: Mapped[str] = mapped_column(Words(24))
    # The region, park, carrier or user it points at; statuses and yes/no affiliations have a value instead.
    ref_id: Mapped[int | None] = mapped_column()
    value: Mapped[str | None] = mapped_column(Words(24))
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)


def enterprise(enterprise_id: int) -> Enterprise | None:
    """Without scope: for actions that have already checked it, and for projections."""
    return db.session.get(Enterprise, enterprise_id)


def affiliations_of(enterprise_id: int) -> list[Affiliation]:
    query = select(Affiliation).where(Affiliation.enterprise_id == enterprise_id, ~Affiliation.deleted)
    return list(db.session.scalars(query.order_by(Affiliation.kind, Affiliation.starts_on, Affiliation.id)))


def aliases_of(enterprise_id: int) -> list[EnterpriseAlias]:
    query = select(EnterpriseAlias).where(EnterpriseAlias.enterprise_id == enterprise_id, ~EnterpriseAlias.deleted)
    return list(db.session.scalars(query.order_by(EnterpriseAlias.kind, EnterpriseAlias.id)))
