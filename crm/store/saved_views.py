"""Saved views of a list: filter, columns and order under one name; private, for a role, or for all."""

from sqlalchemy import Boolean, ForeignKey, SmallInteger, false
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Model, Record
from crm.store.types import Words


class SavedView(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    page: Mapped[str] = mapped_column(Words(24))  # enterprises, obligations …
    name: Mapped[str] = mapped_column(Words(40))
    # The query of the page's address, without the number of the page.
    query: Mapped[str] = mapped_column(Words(1000))
    shared: Mapped[str] = mapped_column(Words(8), default="private", server_default="private")  # private, role, all
    role: Mapped[str | None] = mapped_column(Words(20))
    pinned: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
