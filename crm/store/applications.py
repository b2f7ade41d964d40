"""Applications: an enterprise going for one title in one window."""

from datetime import date

from sqlalchemy import Date, ForeignKey, SmallInteger, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Words


class Application(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    kind: Mapped[str] = mapped_column(Words(24))
    year: Mapped[int] = mapped_column(SmallInteger)
    window_id: Mapped[int | None] = mapped_column(ForeignKey("window.id"))
    stage: Mapped[str] = mapped_column(Words(40))
    stage_on: Mapped[date | None] = mapped_column(Date)
    # None while it is in hand; passed, failed, withdrawn, not_recommended afterwards.
    outcome: Mapped[str | None] = mapped_column(Words(24))
    note: Mapped[str | None] = mapped_column(Words(500))


def applications_of(enterprise_id: int) -> list[Application]:
    query = select(Application).where(Application.enterprise_id == enterprise_id, ~Application.deleted)
    return list(db.session.scalars(query.order_by(Application.year.desc(), Application.id.desc())))
