"""Service logs: one event, linked to one or many enterprises, with its true date and author."""

from sqlalchemy import Boolean, ForeignKey, false, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record, add_field_columns


class ServiceLog(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    # Whose the promised next step is, when it was handed over; else the author's.
    step_owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    imported: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


add_field_columns(ServiceLog, "service_log")


class ServiceLogEnterprise(Record, Model):
    service_log_id: Mapped[int] = mapped_column(ForeignKey("service_log.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)


def logs_of(enterprise_id: int) -> list[ServiceLog]:
    """The enterprise's events, newest first."""
    query = (
        select(ServiceLog)
        .join(ServiceLogEnterprise, ServiceLogEnterprise.service_log_id == ServiceLog.id)
        .where(ServiceLogEnterprise.enterprise_id == enterprise_id, ~ServiceLogEnterprise.deleted, ~ServiceLog.deleted)
        .order_by(ServiceLog.happened_on.desc(), ServiceLog.id.desc())
    )
    return list(db.session.scalars(query))
