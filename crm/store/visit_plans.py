"""Visit plans: whom a case manager means to see in a quarter; what was done is read from the service logs."""

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Model, Record
from crm.store.types import Words

_LIVE = text("NOT deleted")


class VisitPlan(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    quarter: Mapped[int] = mapped_column(SmallInteger)

    extra_args = (
        Index(
            "uq_visit_plan_of_a_quarter",
            "user_id",
            "region_id",
            "year",
            "quarter",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )


class VisitPlanEnterprise(Record, Model):
    visit_plan_id: Mapped[int] = mapped_column(ForeignKey("visit_plan.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    planned_on: Mapped[date | None] = mapped_column(Date)
    purpose: Mapped[str | None] = mapped_column(Words(200))

    extra_args = (
        Index(
            "uq_visit_plan_enterprise",
            "visit_plan_id",
            "enterprise_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )
