"""What stands today in the place of records that once made way: an undo brings nothing back into a place taken."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select

from crm.domain.undoing import Key, Logged, written_since
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Affiliation
from crm.store.qualifications import Qualification
from crm.store.visit_plans import VisitPlanEnterprise
from crm.store.writer import CHUNK


def in_their_place(own: Sequence[Logged], later: Sequence[Logged]) -> dict[Key, str]:
    """{record that the undo of ``own`` would bring back: who wrote what stands in its place since}; reads only.

    An affiliation's place is its kind at its enterprise, a title's place is the end of its corrections, a planned
    visit's place is its enterprise in its plan.
    """
    since = written_since(own, later)
    leaving = {change.key for change in own if change.op == "create" and change.key not in since}
    leaving |= {change.key for change in own if change.key not in since and _closes_again(change)}
    # What was moved here goes back to where it came from, as the files of a merged enterprise do.
    leaving |= {change.key for change in own if _moved(change) and "enterprise_id" not in since.get(change.key, {})}
    taken = _affiliations([c.record_id for c in own if c.noun == "affiliation" and _opens_again(c)], leaving)
    taken |= _corrections([c.record_id for c in own if c.noun == "qualification" and _counts_again(c)], leaving)
    taken |= _planned([c for c in own if c.noun == "visit_plan_enterprise" and c.op == "update"], leaving)
    who = _last_writers(set(taken.values()))
    return {key: who.get(successor, "") for key, successor in taken.items()}


def _before(change: Logged, name: str) -> Any:
    return change.fields[name][0]


def _opens_again(change: Logged) -> bool:
    """Whether undoing an update leaves an affiliation without an end."""
    if change.op != "update":
        return False
    return any(name in change.fields and not _before(change, name) for name in ("ends_on", "deleted"))


def _closes_again(change: Logged) -> bool:
    """Whether undoing an update ends an affiliation, or withdraws a record."""
    if change.op != "update":
        return False
    return any(name in change.fields and bool(_before(change, name)) for name in ("ends_on", "deleted"))


def _moved(change: Logged) -> bool:
    return change.op == "update" and "enterprise_id" in change.fields


def _counts_again(change: Logged) -> bool:
    """Whether undoing an update makes a corrected title count again."""
    return change.op == "update" and "superseded_at" in change.fields and _before(change, "superseded_at") is None


def _affiliations(ids: Sequence[int], leaving: set[Key]) -> dict[Key, Key]:
    columns = (Affiliation.id, Affiliation.enterprise_id, Affiliation.kind)
    back = _rows(columns, ids)
    owners = sorted({enterprise_id for _, enterprise_id, _ in back})
    holders: dict[tuple[int, str], list[int]] = {}
    for some in _chunks(owners):
        query = select(*columns).where(
            Affiliation.enterprise_id.in_(some), ~Affiliation.deleted, Affiliation.ends_on.is_(None)
        )
        for record_id, enterprise_id, kind in db.session.execute(query):
            if ("affiliation", record_id) not in leaving:
                holders.setdefault((enterprise_id, kind), []).append(record_id)
    found: dict[Key, Key] = {}
    for record_id, enterprise_id, kind in back:
        others = [i for i in holders.get((enterprise_id, kind), ()) if i != record_id]
        if others:
            found["affiliation", record_id] = ("affiliation", others[-1])
    return found


def _corrections(ids: Sequence[int], leaving: set[Key]) -> dict[Key, Key]:
    columns = (Qualification.id, Qualification.superseded_by_id, Qualification.deleted)
    known: dict[int, tuple[int | None, bool]] = {}
    wanted = set(ids)
    while wanted:
        rows = _rows(columns, sorted(wanted))
        known |= {record_id: (successor, deleted) for record_id, successor, deleted in rows}
        wanted = {successor for _, successor, _ in rows if successor is not None} - known.keys()
    found: dict[Key, Key] = {}
    for record_id in ids:
        end = known[record_id][0]
        while end is not None and known[end][0] is not None:
            end = known[end][0]
        if end is not None and not known[end][1] and ("qualification", end) not in leaving:
            found["qualification", record_id] = ("qualification", end)
    return found


def _planned(changes: Sequence[Logged], leaving: set[Key]) -> dict[Key, Key]:
    item = VisitPlanEnterprise
    columns = (item.id, item.visit_plan_id, item.enterprise_id, item.deleted)
    now = {
        record_id: (plan, firm, gone) for record_id, plan, firm, gone in _rows(columns, [c.record_id for c in changes])
    }
    back: dict[int, tuple[int, int]] = {}
    for change in changes:
        plan, firm, gone = now[change.record_id]
        before = {name: was for name, (was, _) in change.fields.items()}
        if not before.get("deleted", gone) and before.keys() & {"visit_plan_id", "enterprise_id", "deleted"}:
            back[change.record_id] = (before.get("visit_plan_id", plan), before.get("enterprise_id", firm))
    holders: dict[tuple[int, int], list[int]] = {}
    for some in _chunks(sorted({plan for plan, _ in back.values()})):
        query = select(item.visit_plan_id, item.enterprise_id, item.id).where(
            item.visit_plan_id.in_(some), ~item.deleted
        )
        for plan, firm, record_id in db.session.execute(query):
            if ("visit_plan_enterprise", record_id) not in leaving:
                holders.setdefault((plan, firm), []).append(record_id)
    found: dict[Key, Key] = {}
    for record_id, place in back.items():
        others = [i for i in holders.get(place, ()) if i != record_id]
        if others:
            found["visit_plan_enterprise", record_id] = ("visit_plan_enterprise", others[-1])
    return found


def _last_writers(keys: set[Key]) -> dict[Key, str]:
    found: dict[Key, str] = {}
    for noun in sorted({noun for noun, _ in keys}):
        for some in _chunks(sorted(record_id for other, record_id in keys if other == noun)):
            newest = select(func.max(Change.id)).where(Change.noun == noun, Change.record_id.in_(some))
            query = select(Change.record_id, ChangeSet.who).join(ChangeSet, ChangeSet.id == Change.change_set_id)
            query = query.where(Change.id.in_(newest.group_by(Change.record_id)))
            found |= {(noun, record_id): who for record_id, who in db.session.execute(query)}
    return found


def _rows(columns: tuple[Any, ...], ids: Sequence[int]) -> list[Any]:
    """These columns, of which the first is the id, of the records with these ids."""
    return [row for some in _chunks(ids) for row in db.session.execute(select(*columns).where(columns[0].in_(some)))]


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
