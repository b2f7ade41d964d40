"""Collections (采集任务): enterprises are asked for exactly what blocks a judgement."""

from datetime import date

from sqlalchemy import Date, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Model, Record
from crm.store.types import Json, Words


class Collection(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    title: Mapped[str] = mapped_column(Words(120))
    year: Mapped[int] = mapped_column(SmallInteger)
    due_on: Mapped[date | None] = mapped_column(Date)
    # What it is for: the kinds of titles whose comparison is blocked, and a sentence for the firm.
    kinds: Mapped[list | None] = mapped_column(Json)
    note: Mapped[str | None] = mapped_column(Words(500))
    closed_on: Mapped[date | None] = mapped_column(Date)


class CollectionEnterprise(Record, Model):
    """One enterprise's sheet of a collection: the questions, and how the answer came back."""

    collection_id: Mapped[int] = mapped_column(ForeignKey("collection.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    # What is asked: ["figures.2025.revenue", "enterprise.registered_on", …]
    questions: Mapped[list] = mapped_column(Json)
    returned_on: Mapped[date | None] = mapped_column(Date)
    returned_how: Mapped[str | None] = mapped_column(Words(24))  # sheet, typed, paper
    import_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"))
    reminded_on: Mapped[date | None] = mapped_column(Date)
    excused_reason: Mapped[str | None] = mapped_column(Words(200))
    # The enterprise agreed that the bureau keeps these figures: who signed, and on which day.
    authorised_by: Mapped[str | None] = mapped_column(Words(60))
    authorised_on: Mapped[date | None] = mapped_column(Date)
