"""The IP register of an enterprise."""

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record, add_field_columns


class IntellectualProperty(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)


add_field_columns(IntellectualProperty, "intellectual_property")


def ip_of(enterprise_id: int) -> list[IntellectualProperty]:
    query = select(IntellectualProperty).where(
        IntellectualProperty.enterprise_id == enterprise_id, ~IntellectualProperty.deleted
    )
    return list(db.session.scalars(query.order_by(IntellectualProperty.granted_on, IntellectualProperty.id)))
