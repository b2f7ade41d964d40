"""What is due, as rows for the digest and the operator's list: stored for today, computed for any other day."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from crm.domain.obligations import SETTLED
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store import projections
from crm.store.enterprises import Enterprise
from crm.store.obligation_lists import WAITING
from crm.store.obligations import Obligation
from crm.store.scope import visible
from crm.store.standings import Standing

CHUNK = 5_000
# Where an enterprise belongs, which decides who may do something about it.
_PLACE = (Standing.region_id, Standing.township_id, Standing.park_id, Standing.carrier_id)
_FIELDS = ("enterprise_id", "kind", "period", "opens_on", "due_at", "state", "reason", "expected", "owner_id")


class DueRow(NamedTuple):
    """One obligation with whom it belongs to."""

    enterprise_id: int
    kind: str
    period: str
    opens_on: date
    due_at: datetime
    state: str
    reason: str
    expected: bool
    owner_id: int | None
    name: str
    credit_code: str | None
    manager_id: int | None
    region_id: int | None = None
    township_id: int | None = None
    park_id: int | None = None
    carrier_id: int | None = None


def stored(
    viewer: Viewer,
    *,
    until: datetime,
    where: Sequence[ColumnElement[bool]] = (),
    promised_by: int | None = None,
    each: int,
) -> list[DueRow]:
    """Unsettled obligations of today among the enterprises a viewer sees, nearest first.

    ``promised_by``: also what this person promised at enterprises that ``where`` leaves out. Thousands of a county
    fall on the same deadline: of one kind and deadline no more than ``each`` are read.
    """
    place = func.row_number().over(
        partition_by=(Obligation.kind, Obligation.due_at, Obligation.state == "overdue"),
        order_by=(Standing.name_sort, Obligation.id),
    )
    waiting = _waiting(select(Obligation.id, place.label("place")), until, where, promised_by)
    numbered = visible(waiting, viewer).subquery()
    query = (
        select(
            *(getattr(Obligation, name) for name in _FIELDS),
            Enterprise.name,
            Enterprise.credit_code,
            Standing.manager_id,
            *_PLACE,
        )
        .select_from(Obligation)
        .join(Standing, Standing.enterprise_id == Obligation.enterprise_id)
        .join(Enterprise, Enterprise.id == Obligation.enterprise_id)
        .where(Obligation.id.in_(select(numbered.c.id).where(numbered.c.place <= each)))
    )
    query = query.order_by(Obligation.due_at, Obligation.kind, Obligation.enterprise_id, Obligation.period)
    return [DueRow(*row) for row in db.session.execute(visible(query, viewer))]


def counted(
    viewer: Viewer,
    *,
    until: datetime,
    where: Sequence[ColumnElement[bool]] = (),
    promised_by: int | None = None,
) -> Counter[tuple[bool, str, datetime, int | None]]:
    """How many of them there are by (overdue, kind, deadline, case manager)."""
    late = (Obligation.state == "overdue").label("late")
    columns = (late, Obligation.kind, Obligation.due_at, Standing.manager_id)
    query = _waiting(select(*columns, func.count()), until, where, promised_by).group_by(
        Obligation.state, Obligation.kind, Obligation.due_at, Standing.manager_id
    )
    found: Counter[tuple[bool, str, datetime, int | None]] = Counter()
    for overdue, kind, due_at, manager_id, number in db.session.execute(visible(query, viewer)):
        found[(bool(overdue), kind, due_at, manager_id)] += number
    return found


def _waiting(
    query: Select[Any], until: datetime, where: Sequence[ColumnElement[bool]], promised_by: int | None
) -> Select[Any]:
    narrowed = list(where)
    if promised_by is not None:
        narrowed = [or_(and_(*where), Obligation.owner_id == promised_by)]
    return (
        query.select_from(Obligation)
        .join(Standing, Standing.enterprise_id == Obligation.enterprise_id)
        .where(Obligation.state.in_(WAITING), Obligation.due_at <= until, *narrowed)
    )


def computed(
    viewer: Viewer,
    *,
    at: datetime,
    until: datetime | None = None,
    where: Sequence[ColumnElement[bool]] = (),
    promised_by: int | None = None,
    settled: bool = False,
) -> list[DueRow]:
    """The same for any moment, from the facts known now; writes nothing. ``where`` speaks of today's standings.

    ``settled``: also what is done, waived or lapsed.
    """
    rows = _computed(viewer, at, where, settled)
    if promised_by is not None:
        known = {(row.enterprise_id, row.kind, row.period) for row in rows}
        firms = Standing.enterprise_id.in_(select(Obligation.enterprise_id).where(Obligation.owner_id == promised_by))
        promised = (row for row in _computed(viewer, at, [firms], settled) if row.owner_id == promised_by)
        rows += [row for row in promised if (row.enterprise_id, row.kind, row.period) not in known]
    if until is not None:
        rows = [row for row in rows if row.due_at <= until]
    return sorted(rows, key=lambda row: (row.due_at, row.kind, row.enterprise_id, row.period))


def _computed(viewer: Viewer, at: datetime, where: Sequence[ColumnElement[bool]], settled: bool) -> list[DueRow]:
    query = select(Standing.enterprise_id, Enterprise.name, Enterprise.credit_code).join(
        Enterprise, Enterprise.id == Standing.enterprise_id
    )
    firms = {row[0]: row for row in db.session.execute(visible(query.where(*where), viewer))}
    ids = sorted(firms)
    rows: list[DueRow] = []
    for start in range(0, len(ids), CHUNK):
        made = projections.compute(ids[start : start + CHUNK], at=at)
        places = {standing["enterprise_id"]: standing for standing in made["standing"]}
        wanted = [item for item in made["obligation"] if settled or item["state"] not in SETTLED]
        rows += [_row(item, firms, places) for item in wanted]
    return rows


def _row(item: dict[str, Any], firms: dict[int, Any], places: dict[int, dict[str, Any]]) -> DueRow:
    enterprise_id = item["enterprise_id"]
    _, name, credit_code = firms[enterprise_id]
    place = places[enterprise_id]
    belongs = (place[name] for name in ("manager_id", *(column.key for column in _PLACE)))
    return DueRow(*(item[field] for field in _FIELDS), name, credit_code, *belongs)
