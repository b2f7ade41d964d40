"""What was hung on the records of a change set since: an undo keeps whatever others build on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from crm.domain.fields import AFFILIATIONS
from crm.domain.undoing import Key, Logged
from crm.extensions import Base, db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Affiliation, Enterprise
from crm.store.records import DOMAIN_TABLES
from crm.store.writer import CHUNK

# What an affiliation of each kind points at; its reference is no foreign key, because it is one column for all.
_REFERS_TO = {"manager": "user", "park": "park", "carrier": "carrier"}


def hung_on(own: Sequence[Logged]) -> list[tuple[Key, Logged]]:
    """(record that the change set created, the creation of something live that points at it since); reads only."""
    return [*_of_enterprises(own), *_of_others(own)]


def still_live(changes: Iterable[Logged]) -> dict[Key, bool]:
    """Whether each record that these changes created is not withdrawn."""
    by_noun: dict[str, list[int]] = defaultdict(list)
    for change in changes:
        if change.op == "create":
            by_noun[change.noun].append(change.record_id)
    live: dict[Key, bool] = {}
    for noun, ids in by_noun.items():
        table = Base.metadata.tables[noun]
        for some in _chunks(ids):
            query = select(table.c.id, table.c.deleted).where(table.c.id.in_(some))
            live.update({(noun, record_id): not deleted for record_id, deleted in db.session.execute(query)})
    return live


def _of_enterprises(own: Sequence[Logged]) -> list[tuple[Key, Logged]]:
    """Everything of an enterprise is logged with its id, so the history itself tells what came later."""
    created = [c.record_id for c in own if c.op == "create" and c.noun == "enterprise"]
    if not created:
        return []
    last = max(c.id for c in own)
    found = []
    for some in _chunks(created):
        query = (
            select(Change, ChangeSet.who)
            .join(ChangeSet, ChangeSet.id == Change.change_set_id)
            .where(
                Change.enterprise_id.in_(some),
                Change.id > last,
                Change.op == "create",
                Change.noun != "enterprise",
            )
        )
        found += [(("enterprise", row.enterprise_id), _logged(row, who)) for row, who in db.session.execute(query)]
    live = still_live([child for _, child in found])
    return [*_merged_into(created), *((owner, child) for owner, child in found if live.get(child.key))]


def _merged_into(created: Sequence[int]) -> list[tuple[Key, Logged]]:
    """The merges by which another enterprise's file became that of one of these: what moved was logged as its own."""
    found = []
    for some in _chunks(created):
        query = select(Enterprise.id, Enterprise.merged_into_id).where(
            Enterprise.merged_into_id.in_(some), Enterprise.deleted
        )
        owner_of = dict(db.session.execute(query).all())
        newest = select(func.max(Change.id)).where(
            Change.noun == "enterprise", Change.record_id.in_(owner_of), Change.op == "update"
        )
        changes = select(Change, ChangeSet.who).join(ChangeSet, ChangeSet.id == Change.change_set_id)
        for row, who in db.session.execute(changes.where(Change.id.in_(newest.group_by(Change.record_id)))):
            found.append((("enterprise", owner_of[row.record_id]), _logged(row, who)))
    return found


def _of_others(own: Sequence[Logged]) -> list[tuple[Key, Logged]]:
    """Grants of a user, entries that point at a park … : by the foreign keys of the tables, and by affiliations."""
    created: dict[str, list[int]] = defaultdict(list)
    for change in own:
        if change.op == "create" and change.noun != "enterprise":
            created[change.noun].append(change.record_id)
    # What the change set moved here itself goes back with it and holds nothing.
    mine = {change.key for change in own}
    found = []
    for noun, ids in created.items():
        for child, column, condition in _pointing_at(noun):
            table = Base.metadata.tables[child]
            for some in _chunks(ids):
                query = select(column, table.c.id).where(column.in_(some), table.c.deleted.is_(False), condition)
                rows = [(owner, i) for owner, i in db.session.execute(query) if (child, i) not in mine]
                first = dict(reversed(rows))
                who = _creations(child, list(first.values()))
                found += [((noun, owner), who[i]) for owner, i in first.items() if i in who]
    return found


def _pointing_at(noun: str) -> Iterator[tuple[str, Any, ColumnElement[bool]]]:
    """(table, column, condition) of everything that may point at a noun; a corrected title has a rule of its own."""
    for name in sorted(DOMAIN_TABLES):
        table = Base.metadata.tables[name]
        for column in table.c:
            targets = {key.column.table.name for key in column.foreign_keys}
            if noun in targets and (name, column.name) != ("qualification", "superseded_by_id"):
                yield name, column, true()
        if "noun" in table.c and "record_id" in table.c:
            # Files and comments hang on records of any noun.
            yield name, table.c.record_id, table.c.noun == noun
    kinds = [kind for kind in AFFILIATIONS if _refers_to(kind) == noun]
    if kinds:
        yield "affiliation", Affiliation.__table__.c.ref_id, Affiliation.kind.in_(kinds)


def _refers_to(kind: str) -> str | None:
    return "region" if kind.startswith("township") else _REFERS_TO.get(kind)


def _creations(noun: str, ids: Sequence[int]) -> dict[int, Logged]:
    found: dict[int, Logged] = {}
    for some in _chunks(ids):
        first = select(func.min(Change.id)).where(Change.noun == noun, Change.record_id.in_(some))
        query = select(Change, ChangeSet.who).join(ChangeSet, ChangeSet.id == Change.change_set_id)
        rows = db.session.execute(query.where(Change.id.in_(first.group_by(Change.record_id))))
        found |= {row.record_id: _logged(row, who) for row, who in rows}
    return found


def _logged(row: Change, who: str) -> Logged:
    return Logged(row.id, row.change_set_id, row.noun, row.record_id, row.op, row.fields, who)


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
