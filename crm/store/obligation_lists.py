"""Lists of obligations: filters, pages, and one pivot from which every count of the page is taken."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from crm.domain.cadences import INTERNAL_KINDS
from crm.domain.clock import SHANGHAI
from crm.domain.months import months_on
from crm.domain.pinyin import needle
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.matching import stands_in
from crm.store.obligation_orders import LATEST, NEAREST, ordered
from crm.store.obligations import Obligation, ObligationOutcome
from crm.store.orders import Order
from crm.store.scope import standing_rule, visible
from crm.store.standings import STATE_COLUMNS, SearchText, Standing

PAGE = 50
# A tab that is not open says “1,000+” from here on.
MANY = 1_000

WAITING = ("upcoming", "open", "urgent", "overdue")
# What the list is asked for: 未办, 已办, 免办, 已过期. What is late is decided by the clock when it is read.
SHOWN: dict[str, tuple[str, ...]] = {
    "waiting": WAITING,
    "done": ("done",),
    "waived": ("waived",),
    "lapsed": ("lapsed",),
}
LATE = "late"
# Under which heading a deadline stands, with the first and last day of it counted from today.
GROUPS: dict[str, tuple[int, int | None]] = {LATE: (0, None), "week": (0, 7), "month": (8, 30), "later": (31, None)}


# What names an obligation: enterprise, kind, period.
Key = tuple[int, str, str]


@dataclass(frozen=True)
class Filter:
    """What a list of obligations is narrowed to; every part is optional and they are joined by “and”."""

    shown: str = "waiting"
    kind: str | None = None
    month: str | None = None  # 2026-11, one day 2026-11-30, or one of GROUPS
    manager: int | None = None
    mine: int | None = None  # this user's enterprises, and what this user promised elsewhere
    unassigned: bool = False
    township: int | None = None
    text: str = ""
    until: datetime | None = None  # due at or before this moment


@dataclass(frozen=True)
class Row:
    """One obligation with what a list says of its enterprise."""

    values: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def key(self) -> str:
        """How an address names it."""
        return f"{self.enterprise_id}:{self.kind}:{self.period}"


@dataclass(frozen=True)
class Pivot:
    """How many obligations per (shown, kind, due moment), of the scope and the people asked for."""

    cells: Mapping[tuple[str, str, datetime], int]
    now: datetime

    def count(self, wanted: Filter) -> int:
        """How many rows the list of this filter has."""
        return sum(n for cell, n in self.cells.items() if self._fits(cell, wanted))

    def by_kind(self, wanted: Filter) -> dict[str, int]:
        """Counts per kind, whatever kind is asked for."""
        return self._by(replace(wanted, kind=None), lambda cell: cell[1])

    def by_month(self, wanted: Filter) -> dict[str, int]:
        """Counts per month of the deadline, whatever month is asked for."""
        return self._by(replace(wanted, month=None), lambda cell: month_of(cell[2]))

    def late_by_month(self, wanted: Filter) -> dict[str, int]:
        """How much of each month is late by now, whatever month is asked for."""
        return self._by(replace(wanted, month=LATE), lambda cell: month_of(cell[2]))

    def by_group(self, wanted: Filter) -> dict[str, int]:
        """Counts per group of the list."""
        return self._by(wanted, lambda cell: group_of(cell[2], self.now))

    def kinds_in(self, wanted: Filter) -> dict[str, dict[str, int]]:
        """{month: {kind: count}}, for the one word under each month."""
        found: dict[str, dict[str, int]] = {}
        for cell, n in self.cells.items():
            if self._fits(cell, replace(wanted, month=None)):
                month = found.setdefault(month_of(cell[2]), Counter())
                month[cell[1]] += n
        return found

    def span(self, wanted: Filter, first: int, size: int, *, latest: bool) -> tuple[datetime, datetime, int]:
        """The deadlines between which rows ``first`` … of a list lie, and how many rows of them come before.

        With them a page reads a stretch of the index instead of sorting everything that is due. ``latest``: the list
        goes from the last deadline to the first.
        """
        by_moment: Counter[datetime] = Counter()
        for cell, n in self.cells.items():
            if self._fits(cell, wanted):
                by_moment[cell[2]] += n
        begins, skipped, seen = None, 0, 0
        moment = self.now
        for moment in sorted(by_moment, reverse=latest):
            seen += by_moment[moment]
            if begins is None and seen > first:
                begins, skipped = moment, seen - by_moment[moment]
            if seen >= first + size:
                break
        begins = begins or moment
        return min(begins, moment), max(begins, moment), first - skipped

    def _by(self, wanted: Filter, key: Callable[[tuple[str, str, datetime]], str]) -> dict[str, int]:
        found: Counter[str] = Counter()
        for cell, n in self.cells.items():
            if self._fits(cell, wanted):
                found[key(cell)] += n
        return dict(found)

    def _fits(self, cell: tuple[str, str, datetime], wanted: Filter) -> bool:
        shown, kind, due_at = cell
        if shown != wanted.shown or (wanted.kind and kind != wanted.kind):
            return False
        if wanted.month in GROUPS:
            return group_of(due_at, self.now) == wanted.month
        return not wanted.month or day_of(due_at).isoformat().startswith(wanted.month)


def day_of(due_at: datetime) -> date:
    """The day a deadline belongs to; midnight ends the day before."""
    return (due_at.astimezone(SHANGHAI) - timedelta(seconds=1)).date()


def month_of(due_at: datetime) -> str:
    """The month a deadline belongs to, as addresses write it."""
    return f"{day_of(due_at):%Y-%m}"


def span_of(month: str) -> tuple[date, date]:
    """The first day of a month (or one day) as addresses write it, and the day after its last."""
    if len(month) == 10:
        day = date.fromisoformat(month)
        return day, day + timedelta(days=1)
    first = date.fromisoformat(f"{month}-01")
    return first, months_on(first, 1)


def group_of(due_at: datetime, now: datetime) -> str:
    """Under which heading a deadline stands: late, week, month or later."""
    if due_at < now:
        return LATE
    left = (day_of(due_at) - now.astimezone(SHANGHAI).date()).days
    return next(group for group, (_, last) in GROUPS.items() if group != LATE and (last is None or left <= last))


def midnight(day: date) -> datetime:
    """The moment a day begins on the clocks of the county."""
    return datetime.combine(day, time(0), SHANGHAI)


def readable_rule(viewer: Viewer) -> list[ColumnElement[bool]]:
    """Next steps, requests and applications are inside matters: a department sees only what follows from titles."""
    if viewer.everything or not viewer.has("unit"):
        return []
    others = replace(viewer, grants=tuple(grant for grant in viewer.grants if grant.role != "unit"))
    return [or_(Obligation.kind.not_in(INTERNAL_KINDS), standing_rule(others))]


def _people(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.manager is not None:
        found.append(Standing.manager_id == wanted.manager)
    if wanted.mine is not None:
        # The index of deadlines holds both columns: the wide walk looks no enterprise up that is not this person's.
        managed = select(Standing.enterprise_id).where(Standing.manager_id == wanted.mine)
        found.append(or_(Obligation.enterprise_id.in_(managed), Obligation.owner_id == wanted.mine))
    if wanted.unassigned:
        found.append(Standing.manager_id.is_(None))
    if wanted.township is not None:
        found.append(Standing.township_id == wanted.township)
    text = needle(wanted.text)
    if text:
        hits = select(SearchText.enterprise_id).where(stands_in(text, SearchText.haystack))
        found.append(Standing.enterprise_id.in_(hits))
    return found


def _conditions(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    found = [Obligation.state.in_(SHOWN[wanted.shown]), *_people(wanted)]
    if wanted.kind:
        found.append(Obligation.kind == wanted.kind)
    if wanted.month in GROUPS:
        found += _in_group(wanted.month, now)
    elif wanted.month:
        first, following = span_of(wanted.month)
        found.append(Obligation.due_at > midnight(first))
        found.append(Obligation.due_at <= midnight(following))
    if wanted.until is not None:
        found.append(Obligation.due_at <= wanted.until)
    return found


def _in_group(group: str, now: datetime) -> list[ColumnElement[bool]]:
    if group == LATE:
        return [Obligation.due_at < now]
    today = now.astimezone(SHANGHAI).date()
    first, last = GROUPS[group]
    found = [Obligation.due_at >= now, Obligation.due_at > midnight(today + timedelta(days=first))]
    if last is not None:
        found.append(Obligation.due_at <= midnight(today + timedelta(days=last + 1)))
    return found


def _joined(statement: Select, viewer: Viewer) -> Select:
    statement = statement.join(Standing, Standing.enterprise_id == Obligation.enterprise_id)
    return visible(statement.where(*readable_rule(viewer)), viewer)


def pivot(wanted: Filter, viewer: Viewer, *, now: datetime) -> Pivot:
    """All counts of the page in one query. Of 已过期 there are years of them: counted only when they are asked for."""
    shown = ("waiting", "done", "waived", *(("lapsed",) if wanted.shown == "lapsed" else ()))
    states = [state for name in shown for state in SHOWN[name]]
    name_of = {state: name for name in shown for state in SHOWN[name]}
    query = (
        select(Obligation.state, Obligation.kind, Obligation.due_at, func.count())
        .select_from(Obligation)
        .where(Obligation.state.in_(states), *_people(wanted))
        # In the order of ix_obligation_due, so that the counting is one walk along the index.
        .group_by(Obligation.state, Obligation.due_at, Obligation.kind)
    )
    cells: Counter[tuple[str, str, datetime]] = Counter()
    for state, kind, due_at, n in db.session.execute(_joined(query, viewer)):
        cells[(name_of[state], kind, due_at)] += n
    return Pivot(cells, now)


def lapsed(wanted: Filter, viewer: Viewer, *, now: datetime) -> int:
    """How many rows 已过期 has under this filter, counted no further than ``MANY``: there are years of them."""
    query = select(Obligation.id).select_from(Obligation).where(*_conditions(replace(wanted, shown="lapsed"), now))
    some = _joined(query, viewer).limit(MANY).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def usual_order(shown: str) -> Order:
    """Nearest deadline first; of what is settled the latest."""
    return NEAREST if shown == "waiting" else LATEST


def page(
    wanted: Filter, viewer: Viewer, counts: Pivot, *, order: Order = (), number: int = 1, size: int = PAGE
) -> list[Row]:
    """One page in an order (the usual one where none is given). Ids first, then the wide rows of just these."""
    order = order or usual_order(wanted.shown)
    first = (number - 1) * size
    ids = select(Obligation.id).select_from(Obligation).where(*_conditions(wanted, counts.now))
    if order[0][0] == "due":
        earliest, latest, first = counts.span(wanted, first, size, latest=order[0][1])
        ids = ids.where(Obligation.due_at >= earliest, Obligation.due_at <= latest)
    return rows(list(db.session.scalars(ordered(_joined(ids, viewer), order).limit(size).offset(first))))


def first_of_each(
    wanted: Filter, viewer: Viewer, moments: Iterable[datetime], *, now: datetime, each: int = 10
) -> list[Row]:
    """The first rows of every (kind, deadline) that falls on one of these moments, nearest first."""
    place = func.row_number().over(
        partition_by=(Obligation.kind, Obligation.due_at), order_by=(Standing.name_sort, Obligation.id)
    )
    query = select(Obligation.id, Obligation.due_at, Standing.name_sort, place.label("place")).select_from(Obligation)
    asked_for = sorted(moments)
    if not asked_for:
        return []
    # The range is what makes SQLite walk the index of deadlines; the moments between are left out by the second part.
    within = (Obligation.due_at >= asked_for[0], Obligation.due_at <= asked_for[-1], Obligation.due_at.in_(asked_for))
    query = query.where(*within, *_conditions(wanted, now))
    numbered = _joined(query, viewer).subquery()
    ids = select(numbered.c.id).where(numbered.c.place <= each)
    return rows(list(db.session.scalars(ids.order_by(numbered.c.due_at, numbered.c.name_sort, numbered.c.id))))


def all_ids(wanted: Filter, viewer: Viewer, *, now: datetime, order: Order = ()) -> list[int]:
    """The ids of the whole list in its order, for the export."""
    ids = _joined(select(Obligation.id).select_from(Obligation).where(*_conditions(wanted, now)), viewer)
    return list(db.session.scalars(ordered(ids, order or usual_order(wanted.shown))))


def ids_of_keys(keys: Iterable[Key], viewer: Viewer, *, order: Order = ()) -> list[int]:
    """The ids of those of these obligations that the viewer sees, in an order."""
    wanted = set(keys)
    firms = sorted({key[0] for key in wanted})
    found: list[int] = []
    for start in range(0, len(firms), 5000):
        query = select(Obligation.id, Obligation.enterprise_id, Obligation.kind, Obligation.period).where(
            Obligation.enterprise_id.in_(firms[start : start + 5000])
        )
        rows_ = db.session.execute(ordered(_joined(query.select_from(Obligation), viewer), order or NEAREST))
        found += [row[0] for row in rows_ if tuple(row[1:]) in wanted]
    return found


_COLUMNS = (
    Obligation.id,
    Obligation.enterprise_id,
    Obligation.kind,
    Obligation.period,
    Obligation.opens_on,
    Obligation.due_at,
    Obligation.state,
    Obligation.reason,
    Obligation.steps,
    Obligation.expected,
    Obligation.source_id,
    Obligation.owner_id,
    Enterprise.name,
    Enterprise.credit_code,
    Standing.region_id,
    Standing.township_id,
    Standing.park_id,
    Standing.carrier_id,
    Standing.manager_id,
    *(getattr(Standing, kind) for kind in STATE_COLUMNS),
)


def _row(values: Iterable[Any]) -> Row:
    return Row(dict(zip((column.key for column in _COLUMNS), values, strict=True)))


def _wide() -> Select:
    return (
        select(*_COLUMNS)
        .select_from(Obligation)
        .join(Standing, Standing.enterprise_id == Obligation.enterprise_id)
        .join(Enterprise, Enterprise.id == Obligation.enterprise_id)
    )


def rows(ids: list[int]) -> list[Row]:
    """The rows of these obligations in the given order; the ids have already been narrowed to what may be seen."""
    by_id = {}
    for start in range(0, len(ids), 5000):
        for values in db.session.execute(_wide().where(Obligation.id.in_(ids[start : start + 5000]))):
            row = _row(values)
            by_id[row.id] = row
    return [by_id[i] for i in ids if i in by_id]


def keys_of(ids: Sequence[int]) -> tuple[Key, ...]:
    """What names these obligations, in their order; they have already been narrowed to what may be seen."""
    by_id: dict[int, Key] = {}
    for start in range(0, len(ids), 5000):
        query = select(Obligation.id, Obligation.enterprise_id, Obligation.kind, Obligation.period)
        for row in db.session.execute(query.where(Obligation.id.in_(ids[start : start + 5000]))):
            by_id[row[0]] = (row[1], row[2], row[3])
    return tuple(by_id[i] for i in ids if i in by_id)


def one(enterprise_id: int, kind: str, period: str, viewer: Viewer) -> Row | None:
    """One obligation, None when there is none or it is not this viewer's to see."""
    query = _wide().where(
        Obligation.enterprise_id == enterprise_id,
        Obligation.kind == kind,
        Obligation.period == period,
        *readable_rule(viewer),
    )
    values = db.session.execute(visible(query, viewer)).first()
    return None if values is None else _row(values)


def outcome_of(enterprise_id: int, kind: str, period: str) -> ObligationOutcome | None:
    """What was recorded about an obligation; its enterprise has already been found visible."""
    query = select(ObligationOutcome).where(
        ObligationOutcome.enterprise_id == enterprise_id,
        ObligationOutcome.kind == kind,
        ObligationOutcome.period == period,
        ~ObligationOutcome.deleted,
    )
    return db.session.scalar(query)
