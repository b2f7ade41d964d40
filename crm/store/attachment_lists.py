"""Files as lists: on one record, on several, and everything that stands in the file of an enterprise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, and_, or_, select

from crm.domain.media_types import PREVIEWED
from crm.domain.viewers import CONFIDENTIAL, INTERNAL, Viewer
from crm.extensions import db
from crm.store.attachments import Attachment
from crm.store.files import StoredFile
from crm.store.scope import visible
from crm.store.service_logs import ServiceLogEnterprise
from crm.store.standings import Standing
from crm.store.users import User


@dataclass(frozen=True)
class Hung:
    """One file as a list shows it."""

    id: int
    noun: str
    record_id: int
    enterprise_id: int | None
    title: str
    name: str
    size: int
    media_type: str
    dated_on: date | None
    note: str | None
    confidential: bool
    uploaded_at: datetime
    uploaded_by: str
    version: int

    @property
    def previewed(self) -> bool:
        """Whether a page can show it; what it cannot is a download."""
        return self.media_type in PREVIEWED


def on_records(noun: str, record_ids: Iterable[int], viewer: Viewer) -> dict[int, list[Hung]]:
    """{record: its files, oldest first} for records the viewer sees already, cut to the classes the viewer reads."""
    ids = sorted(set(record_ids))
    if not ids:
        return {}
    found: dict[int, list[Hung]] = {}
    for one in _read(_query().where(Attachment.noun == noun, Attachment.record_id.in_(ids)), viewer):
        found.setdefault(one.record_id, []).append(one)
    return found


def of_enterprise(enterprise_id: int, viewer: Viewer) -> list[Hung]:
    """Everything in the file of an enterprise, newest first: its papers, those of its requests, of its visits …"""
    events = select(ServiceLogEnterprise.service_log_id).where(
        ServiceLogEnterprise.enterprise_id == enterprise_id, ~ServiceLogEnterprise.deleted
    )
    of_event = and_(Attachment.noun == "service_log", Attachment.record_id.in_(events))
    query = _query().where(or_(Attachment.enterprise_id == enterprise_id, of_event))
    return sorted(_read(query, viewer), key=lambda one: (one.uploaded_at, one.id), reverse=True)


def classes_of_event(log_id: int, viewer: Viewer) -> frozenset[str]:
    """The field classes the viewer reads of at least one enterprise of an event."""
    return _classes_of_events([log_id], viewer).get(log_id, frozenset())


def _query() -> Select:
    return (
        select(Attachment, StoredFile, User.name)
        .select_from(Attachment)
        .join(StoredFile, StoredFile.id == Attachment.stored_file_id)
        .join(User, User.id == StoredFile.owner_id, isouter=True)
        .order_by(Attachment.id)
    )


def _read(query: Select, viewer: Viewer) -> list[Hung]:
    """The files of a query that this viewer may see, with their classes checked."""
    ids = visible(select(Attachment.id), viewer)
    rows = db.session.execute(query.where(Attachment.id.in_(ids))).all()
    if not rows or viewer.public_only:
        return []
    classes = _classes_of_enterprises({row.enterprise_id for row, _, _ in rows if row.enterprise_id}, viewer)
    events = _classes_of_events([row.record_id for row, _, _ in rows if row.enterprise_id is None], viewer)
    found = []
    for row, stored, who in rows:
        read = classes.get(row.enterprise_id) if row.enterprise_id else events.get(row.record_id)
        own = viewer.user_id is not None and stored.owner_id == viewer.user_id
        if read is None or INTERNAL not in read or (row.confidential and not own and CONFIDENTIAL not in read):
            continue
        found.append(
            Hung(
                id=row.id,
                noun=row.noun,
                record_id=row.record_id,
                enterprise_id=row.enterprise_id,
                title=row.title or stored.name,
                name=stored.name,
                size=stored.size,
                media_type=stored.media_type,
                dated_on=row.dated_on,
                note=row.note,
                confidential=row.confidential,
                uploaded_at=stored.created_at,
                uploaded_by=who or "",
                version=row.version,
            )
        )
    return found


def _classes_of_enterprises(ids: Iterable[int], viewer: Viewer) -> dict[int, frozenset[str]]:
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    query = visible(select(Standing).where(Standing.enterprise_id.in_(wanted)), viewer)
    return {row.enterprise_id: viewer.classes_over(row) for row in db.session.scalars(query)}


def _classes_of_events(log_ids: Sequence[int], viewer: Viewer) -> dict[int, frozenset[str]]:
    if not log_ids:
        return {}
    link = ServiceLogEnterprise
    query = (
        select(link.service_log_id, Standing)
        .select_from(link)
        .join(Standing, Standing.enterprise_id == link.enterprise_id)
        .where(link.service_log_id.in_(sorted(set(log_ids))))
    )
    found: dict[int, frozenset[str]] = {}
    for log_id, standing in db.session.execute(visible(query, viewer)):
        found[log_id] = found.get(log_id, frozenset()) | viewer.classes_over(standing)
    return found


def by_stored_file(enterprise_id: int, file_ids: Iterable[int | None], viewer: Viewer) -> dict[int, int]:
    """{stored file: an attachment of the enterprise through which this viewer may open it}, the newest one."""
    ids = sorted({one for one in file_ids if one is not None})
    if not ids:
        return {}
    query = _query().where(Attachment.enterprise_id == enterprise_id, Attachment.stored_file_id.in_(ids))
    readable = {one.id for one in _read(query, viewer)}
    rows = select(Attachment.stored_file_id, Attachment.id).where(Attachment.id.in_(readable)).order_by(Attachment.id)
    return dict(db.session.execute(rows).all()) if readable else {}
