"""Lines of a list of enterprises: what every list shows, and the declared fields that somebody chose as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm.domain.fields import AFFILIATIONS
from crm.domain.kinds import POOL
from crm.extensions import db
from crm.store.enterprises import Affiliation, Enterprise
from crm.store.standings import STATE_COLUMNS, Standing

_ROW = (
    Enterprise.id,
    Enterprise.name,
    Enterprise.credit_code,
    Enterprise.subject_type,
    Enterprise.industry_code,
    Enterprise.registered_on,
    Standing.region_id,
    Standing.township_id,
    Standing.park_id,
    Standing.carrier_id,
    Standing.manager_id,
    Standing.featured_industry,
    Standing.status,
    Standing.rung,
    Standing.rung_since,
    Standing.next_due_at,
    Standing.next_due_kind,
    Standing.next_expiry_on,
    Standing.last_contact_on,
    *(getattr(Standing, kind) for kind in STATE_COLUMNS),
)

# Dated affiliations that the standing repeats: their column there.
ON_STANDING = {
    "township": "township_id",
    "park": "park_id",
    "carrier": "carrier_id",
    "manager": "manager_id",
    "status": "status",
    "above_scale": "above_scale",
    "abnormal": "abnormal",
}


@dataclass(frozen=True)
class Row:
    """One line of a list."""

    values: dict[str, Any]
    states: dict[str, str]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    def value(self, code: str) -> Any:
        """The value of a declared field that was read with the row."""
        return self.values.get(ON_STANDING.get(code, code))


def rows(ids: Sequence[int], more: Sequence[str] = ()) -> list[Row]:
    """The rows of these enterprises in the given order; the ids have already been narrowed to what may be seen.

    ``more`` are codes of declared fields that are wanted beside the usual columns.
    """
    known = {column.key for column in _ROW}
    beside = [column for code in dict.fromkeys(more) if (column := _column_of(code)) is not None]
    columns = (*_ROW, *(column for column in beside if column.key not in known))
    keys = [column.key for column in columns]
    query = select(*columns).join(Standing, Standing.enterprise_id == Enterprise.id).where(Enterprise.id.in_(ids))
    by_id = {}
    for row in db.session.execute(query):
        values = dict(zip(keys, row, strict=True))
        states = {kind: values.pop(kind) for kind in STATE_COLUMNS}
        by_id[values["id"]] = Row(values, {kind: state for kind, state in states.items() if shown(kind, state)})
    apart = [code for code in more if code in AFFILIATIONS and code not in ON_STANDING]
    if apart and by_id:
        _read_affiliations(by_id, apart)
    return [by_id[i] for i in ids if i in by_id]


def _column_of(code: str) -> Any:
    """The column that holds a declared field on the standing or the enterprise; None when it has rows of its own."""
    if code in ON_STANDING:
        return getattr(Standing, ON_STANDING[code])
    return None if code in AFFILIATIONS else getattr(Enterprise, code)


def _read_affiliations(by_id: dict[int, Row], kinds: Sequence[str]) -> None:
    query = select(Affiliation.enterprise_id, Affiliation.kind, Affiliation.ref_id, Affiliation.value).where(
        Affiliation.enterprise_id.in_(by_id),
        Affiliation.kind.in_(kinds),
        Affiliation.ends_on.is_(None),
        ~Affiliation.deleted,
    )
    for enterprise_id, kind, ref_id, value in db.session.execute(query):
        said = ref_id if ref_id is not None else (value == "yes" if value in ("yes", "no") else value)
        by_id[enterprise_id].values[kind] = said


def shown(kind: str, state: str | None) -> bool:
    """Whether a seal is printed: titles in any state, the pool only while in it."""
    return state is not None and (kind != POOL or state == "in_pool")
