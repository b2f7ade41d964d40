"""Who exported or downloaded what, with which filter and how many rows. Machine table."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.acts import Act
from crm.extensions import db
from crm.store.records import Machine, Model
from crm.store.types import BigId, Json, Moment, Words
from crm.store.unit_of_work import unit_of_work

# A person waits for the page behind this note: what cannot be put on record soon is not handed out now.
PATIENCE_SECONDS = 1.5


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


def note_access(
    act: Act, what: str, *, subject: str, filter: dict[str, Any] | None = None, rows: int | None = None
) -> None:
    """Put on record who took what: in the open unit of work, else in a short one of its own.

    Raises DatabaseBusy, on the web soon: nothing leaves the house unrecorded, and no page waits for long.
    """
    line = AccessLog(
        at=act.recorded_at,
        user_id=act.viewer.user_id,
        who=act.viewer.name[:60],
        what=what,
        subject=subject[:200],
        filter=filter,
        rows=rows,
        request_id=act.request_id,
    )
    if db.session.info.get("writing"):
        db.session.add(line)
        return
    with unit_of_work(patience=PATIENCE_SECONDS if act.door == "web" else None) as work:
        work.add(line)
