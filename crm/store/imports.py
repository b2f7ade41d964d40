"""Import batches and their previewed rows. Machine tables: what a batch writes is recorded as its change set."""

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Machine, Model
from crm.store.types import BigId, Json, Moment, Words

# uploaded → reading → preview → committing → done → undone; or refused (file), failed (fault), cancelled.
STATES = ("uploaded", "reading", "preview", "committing", "done", "undone", "refused", "failed", "cancelled")


class ImportBatch(Machine, Model):
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    who: Mapped[str] = mapped_column(Words(60))
    stored_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    file_name: Mapped[str] = mapped_column(Words(200))
    profile: Mapped[str | None] = mapped_column(Words(40))
    full_list: Mapped[bool] = mapped_column(Boolean, default=False)
    good_rows_only: Mapped[bool] = mapped_column(Boolean, default=False)
    effective_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Words(16))
    # One Chinese sentence when the file was refused or the commit failed.
    message: Mapped[str | None] = mapped_column(Words(500))
    # {"rows": n, "new": n, …} per outcome, sheets recognised, seconds.
    summary: Mapped[dict | None] = mapped_column(Json)
    job_id: Mapped[int | None] = mapped_column(BigId)
    # The task whose returned sheets these are; None for an ordinary file.
    collection_id: Mapped[int | None] = mapped_column(ForeignKey("collection.id"), index=True)
    change_set_id: Mapped[int | None] = mapped_column(ForeignKey("change_set.id"))
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("change_set.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class ImportRow(Machine, Model):
    __table_args__ = (Index("ix_import_row_batch", "batch_id", "outcome", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    sheet: Mapped[str] = mapped_column(Words(100))
    noun: Mapped[str] = mapped_column(Words(30))
    row: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(Words(12))
    enterprise_id: Mapped[int | None] = mapped_column(BigId)
    name: Mapped[str | None] = mapped_column(Words(200))
    matched_by: Mapped[str | None] = mapped_column(Words(24))
    # {field key: [old, new]} as JSON values; for a new row {field key: new}.
    diff: Mapped[dict | None] = mapped_column(Json)
    problems: Mapped[list | None] = mapped_column(Json)
    # Enterprises it may be about when no key tells: [{"id", "name", "code", "evidence": {kind: word}}].
    candidates: Mapped[list | None] = mapped_column(Json)


def job_was_cancelled(job_id: int, now: datetime) -> None:
    """A batch whose job never began: its preview is given up; what was confirmed waits for another word."""
    of_job = update(ImportBatch).where(ImportBatch.job_id == job_id).execution_options(synchronize_session=False)
    db.session.execute(
        of_job.where(ImportBatch.state.in_(("uploaded", "reading"))).values(state="cancelled", finished_at=now)
    )
    db.session.execute(
        of_job.where(ImportBatch.state == "committing").values(state="preview", message="写入已取消，什么也没有写。")
    )


def batch(batch_id: int) -> ImportBatch | None:
    return db.session.get(ImportBatch, batch_id)


def rows_of(batch_id: int, outcome: str | None = None, *, limit: int = 100, offset: int = 0) -> list[ImportRow]:
    query = select(ImportRow).where(ImportRow.batch_id == batch_id)
    if outcome:
        query = query.where(ImportRow.outcome == outcome)
    return list(db.session.scalars(query.order_by(ImportRow.id).limit(limit).offset(offset)))
