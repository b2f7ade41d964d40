"""What the library holds of many enterprises at once: the states that ``enterprises.decide`` works on, in sets."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from crm.actions.enterprises import OWN_FIELDS, Belonging, EnterpriseState
from crm.extensions import db
from crm.store.enterprises import FORMER_NAME, Affiliation, Enterprise, EnterpriseAlias

# Ids in one IN list; SQLite allows 32,766 variables in a statement.
CHUNK = 10_000
_OWN_CODES = tuple(sorted(OWN_FIELDS))


def states_of(ids: Sequence[int]) -> dict[int, EnterpriseState]:
    """The states of these enterprises by id; without scope, for actions that have already looked at rights."""
    found: dict[int, EnterpriseState] = {}
    for start in range(0, len(ids), CHUNK):
        _read(found, ids[start : start + CHUNK])
    return found


def _read(found: dict[int, EnterpriseState], ids: Sequence[int]) -> None:
    belongs: dict[int, dict[str, Belonging]] = defaultdict(dict)
    query = select(
        Affiliation.enterprise_id,
        Affiliation.kind,
        Affiliation.id,
        Affiliation.version,
        Affiliation.ref_id,
        Affiliation.value,
        Affiliation.starts_on,
    ).where(Affiliation.enterprise_id.in_(ids), ~Affiliation.deleted, Affiliation.ends_on.is_(None))
    for enterprise_id, kind, row_id, version, ref_id, value, starts_on in db.session.execute(query):
        said: Any = ref_id if ref_id is not None else (value == "yes" if value in ("yes", "no") else value)
        belongs[enterprise_id][kind] = Belonging(row_id, version, said, starts_on)
    former: dict[int, set[str]] = defaultdict(set)
    numbers: dict[int, set[str]] = defaultdict(set)
    query = select(
        EnterpriseAlias.enterprise_id, EnterpriseAlias.kind, EnterpriseAlias.value, EnterpriseAlias.value_key
    ).where(EnterpriseAlias.enterprise_id.in_(ids), ~EnterpriseAlias.deleted)
    for enterprise_id, kind, value, value_key in db.session.execute(query):
        if kind == FORMER_NAME:
            former[enterprise_id].add(value_key)
        else:
            numbers[enterprise_id].add(value)
    columns = (Enterprise.id, Enterprise.version, *(getattr(Enterprise, code) for code in _OWN_CODES))
    for row in db.session.execute(select(*columns).where(Enterprise.id.in_(ids))):
        found[row[0]] = EnterpriseState(
            id=row[0],
            version=row[1],
            values=dict(zip(_OWN_CODES, row[2:], strict=True)),
            belongs=belongs.get(row[0], {}),
            former_names=frozenset(former.get(row[0], ())),
            old_numbers=frozenset(numbers.get(row[0], ())),
        )
