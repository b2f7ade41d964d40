"""What a batch says of its own past: its file and profile, who brought it and when, who took it back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from crm.extensions import db
from crm.sheets.profiles import profiles
from crm.store.changes import ChangeSet
from crm.store.files import StoredFile
from crm.store.imports import ImportBatch


@dataclass(frozen=True)
class Undone:
    """Who took a batch back, and when."""

    who: str
    at: datetime


@dataclass(frozen=True)
class Facts:
    """The kept file of a batch (None: there is none), its profile in words, and who took it back."""

    file: StoredFile | None
    profile: str
    undone: Undone | None


def facts_of(batch: ImportBatch) -> Facts:
    """What the page of a batch says of its past; for a batch the viewer may see."""
    stored = db.session.scalar(select(StoredFile).where(StoredFile.id == batch.stored_file_id))
    return Facts(stored, profile_words(batch.profile), undone_of([batch]).get(batch.id))


def profile_words(code: str | None) -> str:
    """A profile's title; "" while none is chosen."""
    return {profile.code: profile.title for profile in profiles()}.get(code or "", code or "")


def undone_of(batches: Iterable[ImportBatch]) -> dict[int, Undone]:
    """Who took which of these batches back; one query."""
    by_change_set = {
        batch.undone_by_id: batch.id for batch in batches if batch.undone_by_id and batch.state == "undone"
    }
    if not by_change_set:
        return {}
    query = select(ChangeSet.id, ChangeSet.who, ChangeSet.recorded_at).where(ChangeSet.id.in_(by_change_set))
    return {by_change_set[i]: Undone(who, at) for i, who, at in db.session.execute(query)}
