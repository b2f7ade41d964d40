"""The list of what was done: change sets in sight, newest first, with the firms they touched and whether they stand."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Enterprise
from crm.store.scope import visible

PAGE = 50
# So many firms are named; the rest is counted.
NAMED = 3


@dataclass(frozen=True)
class Done:
    """One change set: how many records of which noun, the first firms (id None: withdrawn since), and its undo."""

    change_set: ChangeSet
    nouns: dict[str, int]
    firm_count: int
    firms: tuple[tuple[int | None, str], ...]
    undone: bool


def recent(viewer: Viewer, *, mine: bool = False, before: int | None = None, size: int = PAGE) -> list[Done]:
    """What this viewer may see of what was done: the own, and for an office all of its regions'."""
    query = select(ChangeSet).order_by(ChangeSet.id.desc()).limit(size)
    if mine:
        query = query.where(ChangeSet.user_id == viewer.user_id)
    if before is not None:
        query = query.where(ChangeSet.id < before)
    sets = list(db.session.scalars(visible(query, viewer)))
    ids = [one.id for one in sets]
    nouns = _nouns(ids)
    firms, counts = _firms(ids, viewer)
    undone = set(db.session.scalars(select(ChangeSet.undoes_id).where(ChangeSet.undoes_id.in_(ids))))
    return [
        Done(one, nouns.get(one.id, {}), counts.get(one.id, 0), tuple(firms.get(one.id, ())), one.id in undone)
        for one in sets
    ]


def _nouns(ids: Sequence[int]) -> dict[int, dict[str, int]]:
    query = select(Change.change_set_id, Change.noun, func.count()).where(Change.change_set_id.in_(ids))
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for change_set_id, noun, number in db.session.execute(query.group_by(Change.change_set_id, Change.noun)):
        found[change_set_id][noun] = number
    return found


def _firms(ids: Sequence[int], viewer: Viewer) -> tuple[dict[int, list[tuple[int | None, str]]], dict[int, int]]:
    """The first firms of each set by name, and how many it touched; a withdrawn one is named to its own office."""
    link = (
        select(Change.change_set_id, Change.enterprise_id)
        .where(Change.change_set_id.in_(ids), Change.enterprise_id.is_not(None))
        .distinct()
        .subquery()
    )
    counted = select(link.c.change_set_id, func.count()).group_by(link.c.change_set_id)
    counts = dict(db.session.execute(counted).all())
    place = func.row_number().over(partition_by=link.c.change_set_id, order_by=link.c.enterprise_id).label("place")
    numbered = select(link.c.change_set_id, link.c.enterprise_id, place).subquery()
    first = select(numbered.c.change_set_id, numbered.c.enterprise_id).where(numbered.c.place <= NAMED)
    pairs = db.session.execute(first.order_by(numbered.c.change_set_id, numbered.c.place)).all()
    wanted = {enterprise_id for _, enterprise_id in pairs}
    columns = select(Enterprise.id, Enterprise.name)
    names: dict[int, tuple[int | None, str]] = {
        i: (i, name) for i, name in db.session.execute(visible(columns.where(Enterprise.id.in_(wanted)), viewer))
    }
    gone = select(Enterprise.id, Enterprise.name, Enterprise.region_id).where(
        Enterprise.id.in_(wanted - names.keys()), Enterprise.deleted
    )
    for enterprise_id, name, region_id in db.session.execute(gone):
        if viewer.has_in(region_id, *OFFICE):
            names[enterprise_id] = (None, name)
    found: dict[int, list[tuple[int | None, str]]] = defaultdict(list)
    for change_set_id, enterprise_id in pairs:
        if enterprise_id in names:
            found[change_set_id].append(names[enterprise_id])
    return found, counts
