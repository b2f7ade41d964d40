"""Frozen judgements: the result, the inputs and the exact rule text they were judged by."""

from datetime import date

from sqlalchemy import Date, ForeignKey, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Json, Words


class Assessment(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    rules: Mapped[str] = mapped_column(Words(24))
    rules_version: Mapped[str] = mapped_column(Words(40))
    on: Mapped[date] = mapped_column("judged_on", Date)
    result: Mapped[str] = mapped_column(Words(16))
    report: Mapped[dict] = mapped_column(Json)
    rules_text: Mapped[str] = mapped_column(Text)


def assessments_of(enterprise_id: int) -> list[Assessment]:
    query = select(Assessment).where(Assessment.enterprise_id == enterprise_id, ~Assessment.deleted)
    return list(db.session.scalars(query.order_by(Assessment.id.desc())))
