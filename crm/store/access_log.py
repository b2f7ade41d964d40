"""Who exported or downloaded what, with which filter and how many rows. Machine table."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Machine, Model
from crm.store.types import BigId, Json, Moment, Words


class AccessLog(Machine, Model):
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    who: Mapped[str] = mapped_column(Words(60))
    what: Mapped[str] = mapped_column(Words(40))  # export, download, sign_in, sign_in_failed …
    subject: Mapped[str] = mapped_column(Words(200), default="")
    filter: Mapped[dict | None] = mapped_column(Json)
    rows: Mapped[int | None] = mapped_column(Integer)
    request_id: Mapped[str] = mapped_column(Words(40), default="")
