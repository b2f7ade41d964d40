"""Submissions (报送批次): what went up to the city, as it went, and what came back."""

from datetime import date

from sqlalchemy import Date, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Model, Record
from crm.store.types import Words


class Submission(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    window_id: Mapped[int | None] = mapped_column(ForeignKey("window.id"), index=True)
    kind: Mapped[str] = mapped_column(Words(24))
    year: Mapped[int] = mapped_column(SmallInteger)
    batch: Mapped[str | None] = mapped_column(Words(40))
    submitted_on: Mapped[date] = mapped_column(Date)
    signed_by: Mapped[str | None] = mapped_column(Words(60))
    receipt: Mapped[str | None] = mapped_column(Words(120))
    note: Mapped[str | None] = mapped_column(Words(500))


class SubmissionApplication(Record, Model):
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    # passed, returned, failed; None until the city has answered.
    result: Mapped[str | None] = mapped_column(Words(16))
    result_on: Mapped[date | None] = mapped_column(Date)
    result_reason: Mapped[str | None] = mapped_column(Words(500))
