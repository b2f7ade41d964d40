"""The history: one change set per act, one change per record with {field: [before, after]}."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Integer, and_, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.acts import Act
from crm.domain.refusals import AlreadyDone
from crm.extensions import db
from crm.store.records import Machine, Model
from crm.store.service_logs import ServiceLogEnterprise
from crm.store.types import BigId, Json, Moment, Words


class ChangeSet(Machine, Model):
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    action: Mapped[str] = mapped_column(Words(60))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    who: Mapped[str] = mapped_column(Words(60))
    door: Mapped[str] = mapped_column(Words(12))
    request_id: Mapped[str] = mapped_column(Words(40), default="")
    # What makes a form idempotent: the same key is written once.
    request_key: Mapped[str | None] = mapped_column(Words(60), unique=True)
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    effective_on: Mapped[date] = mapped_column(Date)
    recorded_at: Mapped[datetime] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(Words(500), default="")
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("change_set.id"), index=True)
    import_batch_id: Mapped[int | None] = mapped_column(BigId, index=True)
    record_count: Mapped[int] = mapped_column(Integer, default=0)


class Change(Machine, Model):
    __table_args__ = (Index("ix_change_noun_record_id", "noun", "record_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    change_set_id: Mapped[int] = mapped_column(ForeignKey("change_set.id"), index=True)
    noun: Mapped[str] = mapped_column(Words(30))
    record_id: Mapped[int] = mapped_column(BigId)
    enterprise_id: Mapped[int | None] = mapped_column(BigId, index=True)
    # create: {field: after}; update: {field: [before, after]}. Withdrawing is the update {"deleted": [false, true]}.
    op: Mapped[str] = mapped_column(Words(8))
    fields: Mapped[dict] = mapped_column(Json)
    record_version: Mapped[int] = mapped_column(Integer)


def change_set_by_request_key(key: str) -> ChangeSet | None:
    return db.session.scalar(select(ChangeSet).where(ChangeSet.request_key == key))


def refuse_repetition(act: Act) -> None:
    """Raise AlreadyDone when the form of this act was written before.

    The writer asks by itself; an action asks first where what the first press wrote would make it refuse the second.
    """
    earlier = change_set_by_request_key(act.request_key) if act.request_key else None
    if earlier is not None:
        raise AlreadyDone(earlier.id)


def history_of_enterprise(
    enterprise_ids: Sequence[int], *, limit: int = 100, before_id: int | None = None
) -> list[tuple[Change, ChangeSet]]:
    """What happened to an enterprise and everything of it, newest first; with those that were merged into it.

    An event may be of many enterprises, so its edits carry the id of none and are found by its links.
    """
    links = select(ServiceLogEnterprise.service_log_id).where(ServiceLogEnterprise.enterprise_id.in_(enterprise_ids))
    of_events = and_(Change.noun == "service_log", Change.op == "update", Change.record_id.in_(links))
    query = (
        select(Change, ChangeSet)
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
        .where(or_(Change.enterprise_id.in_(enterprise_ids), of_events))
        .order_by(Change.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        query = query.where(Change.id < before_id)
    return [(change, change_set) for change, change_set in db.session.execute(query)]


def history_of_field(noun: str, record_id: int, field: str) -> list[tuple[Change, ChangeSet]]:
    """Every change of one field of one record, newest first."""
    query = (
        select(Change, ChangeSet)
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
        .where(Change.noun == noun, Change.record_id == record_id)
        .order_by(Change.id.desc())
    )
    return [(change, change_set) for change, change_set in db.session.execute(query) if field in change.fields]
