"""The facts of an enterprise as the library knew them at a moment: replayed from the history, for any effective day."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm.domain.periods import TitleFact
from crm.domain.standing import EnterpriseFacts, PoolFact
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.writer import from_plain

_TITLE = tuple(TitleFact.__dataclass_fields__)
_POOL = tuple(PoolFact.__dataclass_fields__)


def records_known(noun: str, enterprise_id: int, at: datetime) -> dict[int, dict[str, Any]]:
    """{id: values} of the records of a noun that stood at a moment, as they were then (the history's own names)."""
    query = (
        select(Change.record_id, Change.op, Change.fields)
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
        .where(Change.enterprise_id == enterprise_id, Change.noun == noun, ChangeSet.recorded_at <= at)
        .order_by(Change.id)
    )
    known: dict[int, dict[str, Any]] = {}
    for record_id, op, fields in db.session.execute(query):
        row = known.setdefault(record_id, {})
        for name, value in fields.items():
            row[name] = from_plain(noun, name, value if op == "create" else value[1])
    return {record_id: row for record_id, row in known.items() if not row.get("deleted")}


def facts_known(enterprise_id: int, at: datetime) -> EnterpriseFacts:
    """What standing is a function of, as known at a moment: “as known on D1 for D2” asks this and then ``standing``."""
    titles = [
        TitleFact(**{name: row.get(name) for name in _TITLE if name != "id"} | {"id": record_id})
        for record_id, row in records_known("qualification", enterprise_id, at).items()
        if row.get("superseded_at") is None
    ]
    pool = [
        PoolFact(*(row.get(name) for name in _POOL))
        for row in records_known("pool_membership", enterprise_id, at).values()
    ]
    in_hand = [
        (row["kind"], row["year"])
        for row in records_known("application", enterprise_id, at).values()
        if row.get("outcome") is None
    ]
    return EnterpriseFacts(tuple(titles), tuple(pool), tuple(in_hand))
