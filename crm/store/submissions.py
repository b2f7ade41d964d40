"""Submissions (报送批次): what went up to the city, as it went, and what came back."""

from datetime import date

from sqlalchemy import Boolean, Date, ForeignKey, SmallInteger, false, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Words


class Submission(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    window_id: Mapped[int | None] = mapped_column(ForeignKey("window.id"), index=True)
    kind: Mapped[str] = mapped_column(Words(24))
    year: Mapped[int] = mapped_column(SmallInteger)
    batch: Mapped[str | None] = mapped_column(Words(40))
    submitted_on: Mapped[date] = mapped_column(Date)
    # 仅报变化: it lists only what differs from what went up before in the same window.
    changes_only: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    signed_by: Mapped[str | None] = mapped_column(Words(60))
    receipt: Mapped[str | None] = mapped_column(Words(120))
    note: Mapped[str | None] = mapped_column(Words(500))


class SubmissionFile(Record, Model):
    """One file as it went; its bytes are kept under their hash, whatever the list in the product says later."""

    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    stored_file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"), index=True)
    title: Mapped[str] = mapped_column(Words(120))


class SubmissionApplication(Record, Model):
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    # The line as it went: its number, the name and the code of that day.
    position: Mapped[int | None] = mapped_column(SmallInteger)
    name: Mapped[str | None] = mapped_column(Words(200))
    credit_code: Mapped[str | None] = mapped_column(Words(24))
    # added, again, renamed, removed; None in a submission of the whole list.
    change: Mapped[str | None] = mapped_column(Words(12))
    # passed, returned, failed; None until the city has answered.
    result: Mapped[str | None] = mapped_column(Words(16))
    result_on: Mapped[date | None] = mapped_column(Date)
    result_reason: Mapped[str | None] = mapped_column(Words(500))


def lines_of(submission_id: int) -> list[SubmissionApplication]:
    """The lines of a submission in the order in which they went."""
    query = select(SubmissionApplication).where(
        SubmissionApplication.submission_id == submission_id, ~SubmissionApplication.deleted
    )
    return list(db.session.scalars(query.order_by(SubmissionApplication.position, SubmissionApplication.id)))
