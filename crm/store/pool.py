"""The 培育库: a management list, proposed and decided, not a title."""

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record, add_field_columns


class PoolMembership(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)


add_field_columns(PoolMembership, "pool_membership")


def memberships_of(enterprise_id: int) -> list[PoolMembership]:
    query = select(PoolMembership).where(PoolMembership.enterprise_id == enterprise_id, ~PoolMembership.deleted)
    return list(db.session.scalars(query.order_by(PoolMembership.year, PoolMembership.id)))
