"""Attachments: a stored file tied to the record it belongs to (a visit's photos, a firm's papers, a sealed scan …)."""

from datetime import date

from sqlalchemy import Boolean, Date, ForeignKey, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Model, Record
from crm.store.types import BigId, Words


class Attachment(Record, Model):
    stored_file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"), index=True)
    # What it hangs on, by table name and id: enterprise, service_log, request, collection_enterprise …
    noun: Mapped[str] = mapped_column(Words(30))
    record_id: Mapped[int] = mapped_column(BigId)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    # Whose file it stands in; None for an event of many enterprises, whose links say it.
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)
    # What it is called: the file's own name unless somebody gave it a better one.
    title: Mapped[str | None] = mapped_column(Words(200))
    dated_on: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(Words(500))
    # It shows figures or finance: for those who read the figures of the enterprise, and nobody else.
    confidential: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())

    extra_args = (Index("ix_attachment_noun_record_id", "noun", "record_id"),)
