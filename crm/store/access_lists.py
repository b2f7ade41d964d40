"""The access log as its page reads it: filters, pages, and the words for what was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, func, select

from crm.domain.clock import SHANGHAI
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.scope import visible

PAGE = 50


@dataclass(frozen=True)
class Filter:
    """What the log is narrowed to; days include both ends."""

    what: tuple[str, ...] = ()
    user_id: int | None = None
    since: date | None = None
    until: date | None = None


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.what:
        found.append(AccessLog.what.in_(wanted.what))
    if wanted.user_id is not None:
        found.append(AccessLog.user_id == wanted.user_id)
    if wanted.since is not None:
        found.append(AccessLog.at >= _midnight(wanted.since))
    if wanted.until is not None:
        found.append(AccessLog.at < _midnight(wanted.until + timedelta(days=1)))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), SHANGHAI)


def _narrowed(query: Select, wanted: Filter, viewer: Viewer) -> Select:
    return visible(query.where(*_conditions(wanted)), viewer)


def count(wanted: Filter, viewer: Viewer) -> int:
    """How many lines the filter leaves."""
    return db.session.scalar(_narrowed(select(func.count()).select_from(AccessLog), wanted, viewer)) or 0


def page(wanted: Filter, viewer: Viewer, *, number: int = 1, size: int = PAGE) -> Sequence[AccessLog]:
    """One page, the newest first."""
    query = _narrowed(select(AccessLog), wanted, viewer).order_by(AccessLog.id.desc())
    return db.session.scalars(query.limit(size).offset((number - 1) * size)).all()


def people(viewer: Viewer) -> dict[int, str]:
    """{id: name} of those who stand in the log, by the name they had last."""
    query = visible(select(AccessLog.user_id, func.max(AccessLog.who)).where(AccessLog.user_id.is_not(None)), viewer)
    return dict(db.session.execute(query.group_by(AccessLog.user_id)).all())
