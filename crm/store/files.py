"""Stored files: content-addressed bytes under the instance folder, one row per upload or product."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Machine, Model
from crm.store.types import BigId, Moment, Words


class StoredFile(Machine, Model):
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(Words(64), index=True)
    name: Mapped[str] = mapped_column(Words(200))
    size: Mapped[int] = mapped_column(BigInteger)
    # Sniffed from the bytes, never taken from the name or the browser.
    media_type: Mapped[str] = mapped_column(Words(100))
    purpose: Mapped[str] = mapped_column(Words(24))  # import, export, template, evidence
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
