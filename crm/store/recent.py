"""What was changed lately of the enterprises in sight: read from the newest change set backwards, never all at once.

An import of a county writes hundreds of thousands of changes, so nothing here counts further than somebody reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, or_, select, true, union_all

from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch
from crm.store.scope import visible
from crm.store.standings import Standing

# Up to so many enterprises of one change set are counted; beyond, “over so many” says as much to a reader.
MOST_COUNTED = 1_000
# So many imports of one week are looked through, the newest ones.
MOST_IMPORTS = 20


@dataclass(frozen=True)
class Recent:
    """One change set of somebody else that touched enterprises in sight: how many, and the first names.

    ``over``: there are more than ``count``.
    """

    change_set_id: int
    action: str
    who: str
    recorded_at: datetime
    import_batch_id: int | None
    file_name: str | None
    count: int
    over: bool
    firms: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Brought:
    """What one import changed of one enterprise; ``nouns`` are the tables it touched."""

    change_set_id: int
    enterprise_id: int
    name: str
    file_name: str
    recorded_at: datetime
    nouns: tuple[str, ...]


@dataclass(frozen=True)
class Imports:
    """The first lines of what imports brought: of so many enterprises, in so many lines; ``over``: there are more."""

    lines: list[Brought]
    firms: int
    count: int
    over: bool


def changes_since(viewer: Viewer, *, mine: int | None, since: datetime, limit: int = 8, names: int = 3) -> list[Recent]:
    """What others changed of the enterprises in sight, newest first, one entry per change set."""
    where = [] if mine is None else [Standing.manager_id == mine]
    # A value and not a join: whether a change set touches anything in sight ends with the first row that does.
    seen = _touched(viewer, ChangeSet.id, where).correlate(ChangeSet).limit(1).scalar_subquery()
    query = (
        select(
            ChangeSet.id,
            ChangeSet.action,
            ChangeSet.who,
            ChangeSet.recorded_at,
            ChangeSet.import_batch_id,
            ImportBatch.file_name,
        )
        .outerjoin(ImportBatch, ImportBatch.id == ChangeSet.import_batch_id)
        .where(
            ChangeSet.recorded_at >= since,
            or_(ChangeSet.user_id.is_(None), ChangeSet.user_id != viewer.user_id),
            _near(viewer),
            seen.is_not(None),
        )
        .order_by(ChangeSet.id.desc())
        .limit(limit)
    )
    found = db.session.execute(query).all()
    ids = _first_ids(viewer, [row[0] for row in found], where)
    called = _names([i for own in ids.values() for i in own[:names]])
    return [
        Recent(
            *row,
            count=min(len(ids[row[0]]), MOST_COUNTED),
            over=len(ids[row[0]]) > MOST_COUNTED,
            firms=tuple((i, called[i]) for i in ids[row[0]][:names]),
        )
        for row in found
        if ids.get(row[0])
    ]


def imported(
    viewer: Viewer, *, since: datetime, until: datetime, where: Sequence[ColumnElement[bool]], shown: int
) -> Imports:
    """What imports changed that nobody took back, newest first."""
    query = (
        select(ChangeSet.id, ChangeSet.recorded_at, ImportBatch.file_name)
        .join(ImportBatch, ImportBatch.id == ChangeSet.import_batch_id)
        .where(
            ChangeSet.recorded_at >= since,
            ChangeSet.recorded_at <= until,
            ChangeSet.undoes_id.is_(None),
            ImportBatch.state != "undone",
            _near(viewer),
        )
        .order_by(ChangeSet.id.desc())
        .limit(MOST_IMPORTS + 1)
    )
    sets = db.session.execute(query).all()
    ids = _first_ids(viewer, [row[0] for row in sets[:MOST_IMPORTS]], where)
    over = len(sets) > MOST_IMPORTS or any(len(own) > MOST_COUNTED for own in ids.values())
    pairs = [(change_set_id, i) for change_set_id, *_ in sets for i in ids.get(change_set_id, ())]
    lines = pairs[:shown]
    called, nouns = _names([i for _, i in lines]), _nouns(lines, where)
    about = {row[0]: (row[2], row[1]) for row in sets}
    found = [Brought(c, i, called[i], *about[c], nouns.get((c, i), ())) for c, i in lines]
    return Imports(found, len({i for _, i in pairs}), len(pairs), over)


def _near(viewer: Viewer) -> ColumnElement[bool]:
    """Change sets of the viewer's regions and those above: what was done in another district touched nothing here."""
    if viewer.everything:
        return true()
    regions = frozenset[int]().union(viewer.above, *(grant.region_ids for grant in viewer.grants))
    return or_(ChangeSet.region_id.is_(None), ChangeSet.region_id.in_(regions))


def _touched(viewer: Viewer, change_set_id: Any, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The enterprises in sight that a change set touched, one row per change."""
    query = select(Change.enterprise_id).join(Standing, Standing.enterprise_id == Change.enterprise_id)
    return visible(query.where(Change.change_set_id == change_set_id, *where), viewer)


def _first_ids(
    viewer: Viewer, change_set_ids: Sequence[int], where: Sequence[ColumnElement[bool]]
) -> dict[int, list[int]]:
    """Per change set the enterprises it touched, in order, at most one more than are counted; in one query."""
    if not change_set_ids:
        return {}
    parts = []
    for change_set_id in change_set_ids:
        some = _touched(viewer, change_set_id, where).distinct().limit(MOST_COUNTED + 1).subquery()
        parts.append(select(literal(change_set_id).label("change_set_id"), some.c.enterprise_id))
    found: dict[int, list[int]] = {}
    for change_set_id, enterprise_id in db.session.execute(union_all(*parts)):
        found.setdefault(change_set_id, []).append(enterprise_id)
    return {change_set_id: sorted(ids) for change_set_id, ids in found.items()}


def _names(ids: Sequence[int]) -> dict[int, str]:
    query = select(Enterprise.id, Enterprise.name).where(Enterprise.id.in_(ids))
    return dict(db.session.execute(query).all())


def _nouns(
    pairs: Sequence[tuple[int, int]], where: Sequence[ColumnElement[bool]]
) -> dict[tuple[int, int], tuple[str, ...]]:
    query = (
        select(Change.change_set_id, Change.enterprise_id, Change.noun)
        .join(Standing, Standing.enterprise_id == Change.enterprise_id)
        .where(Change.change_set_id.in_({c for c, _ in pairs}), Change.enterprise_id.in_({i for _, i in pairs}), *where)
        .order_by(Change.change_set_id, Change.enterprise_id, Change.noun)
        .distinct()
    )
    found: dict[tuple[int, int], tuple[str, ...]] = {}
    for change_set_id, enterprise_id, noun in db.session.execute(query):
        key = (change_set_id, enterprise_id)
        found[key] = (*found.get(key, ()), noun)
    return found
