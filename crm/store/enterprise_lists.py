"""Lists of enterprises: filters, order, pages and counts over the standings, and the board."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, case, exists, func, or_, select

from crm.domain.kinds import HELD_STATES, KINDS, POOL
from crm.domain.names import normalise_name
from crm.domain.pinyin import needle
from crm.domain.statuses import GONE
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.enterprise_orders import BY_NAME, ordered
from crm.store.enterprise_rows import Row, rows
from crm.store.enterprises import FORMER_NAME, Enterprise, EnterpriseAlias
from crm.store.matching import stands_in
from crm.store.obligation_lists import WAITING
from crm.store.obligations import Obligation
from crm.store.orders import Order
from crm.store.qualifications import Qualification
from crm.store.scope import visible
from crm.store.silence import Limits, never_contacted
from crm.store.standings import STATE_COLUMNS, SearchText, Standing

PAGE = 50

# Titles that stand for a rung when a list counts 持有 instead of 本层; kinds.KINDS has the words.
HELD_ON_RUNG: dict[int, tuple[str, ...]] = {
    0: ("innovative_sme",),
    1: ("cq_tech", "tech_sme", "tech_innovative_sme"),
    2: (POOL,),
    3: ("hnte",),
    4: ("srdi", "little_giant"),
}
_HELD = tuple(sorted(HELD_STATES))


@dataclass(frozen=True)
class Filter:
    """What a list of enterprises is narrowed to; every part is optional and they are joined by “and”."""

    text: str = ""
    rungs: tuple[int, ...] = ()
    held: bool = False  # count by titles held (持有) instead of by rung (本层)
    townships: tuple[int, ...] = ()
    manager: int | None = None
    unassigned: bool = False
    kind: str | None = None
    state: str | None = None
    industry: str | None = None
    status: str | None = None
    due_between: tuple[datetime, datetime] | None = None  # something to be done has its deadline in this stretch
    late_at: datetime | None = None  # something to be done was due before this moment
    silent: Limits | None = None  # contacted before, longer ago than these limits
    never_contacted: bool = False
    expires_before: date | None = None
    srdi_without_hnte: bool = False
    gone_with_titles: bool = False  # deregistered, licence revoked or moved away, and a title nobody has ended
    extra: dict[str, Any] = field(default_factory=dict, compare=False)


def conditions(wanted: Filter, *, today: date, in_order: bool = False) -> list[ColumnElement[bool]]:
    """The filter as conditions over standings; the search text is a substring of names, codes or pinyin.

    With ``in_order`` the text is looked at row by row, which lets a short page of many hits end early.
    """
    found: list[ColumnElement[bool]] = []
    text = needle(wanted.text)
    if text:
        own = hits(text, of=Standing.enterprise_id) if in_order else hits(text)
        found.append(exists(own) if in_order else Standing.enterprise_id.in_(own))
    if wanted.rungs and not wanted.held:
        found.append(_one_of(Standing.rung, wanted.rungs))
    if wanted.rungs and wanted.held:
        found.append(or_(*(holds(rung) for rung in wanted.rungs)))
    if wanted.townships:
        found.append(_one_of(Standing.township_id, wanted.townships))
    if wanted.manager is not None:
        found.append(Standing.manager_id == wanted.manager)
    if wanted.unassigned:
        found.append(Standing.manager_id.is_(None))
    if wanted.kind in STATE_COLUMNS:
        column = getattr(Standing, wanted.kind)
        found.append(column == wanted.state if wanted.state else column.in_((*_HELD, "in_pool")))
    if wanted.industry:
        found.append(Standing.featured_industry == wanted.industry)
    if wanted.status:
        found.append(Standing.status == wanted.status)
    if wanted.late_at is not None:
        found.append(Standing.next_due_at < wanted.late_at)
    if wanted.due_between is not None:
        # What is late does not hide what comes next, so the first deadline alone does not tell.
        coming = select(Obligation.enterprise_id).where(
            Obligation.state.in_(WAITING), Obligation.due_at.between(*wanted.due_between)
        )
        found.append(Standing.enterprise_id.in_(coming))
    if wanted.silent is not None:
        found.append(wanted.silent.is_silent())
    if wanted.never_contacted:
        found.append(never_contacted())
    if wanted.expires_before is not None:
        found.append(_ends(wanted.kind, today, wanted.expires_before))
    if wanted.srdi_without_hnte:
        found.append(holds(4))
        found.append(or_(Standing.hnte.is_(None), Standing.hnte.not_in(_HELD)))
    if wanted.gone_with_titles:
        found.append(Standing.status.in_(GONE))
        found.append(or_(*(getattr(Standing, kind).in_(_HELD) for kind in KINDS)))
    return found


def _ends(kind: str | None, first: date, before: date) -> ColumnElement[bool]:
    """Whether the title in force ends from ``first`` on and before a day; None: whichever title ends next.

    An enterprise may hold several titles, so the end that comes first says nothing about the one asked for.
    """
    if kind is None:
        return Standing.next_expiry_on.between(first, before - timedelta(days=1))
    last = select(func.max(Qualification.valid_to)).where(
        Qualification.enterprise_id == Standing.enterprise_id,
        Qualification.kind == kind,
        Qualification.superseded_at.is_(None),
        Qualification.ended_on.is_(None),
        ~Qualification.deleted,
    )
    return last.correlate(Standing).scalar_subquery().between(first, before - timedelta(days=1))


def _one_of(column: Any, values: Sequence[int]) -> ColumnElement[bool]:
    """One value is compared directly, so that an index can also give the order."""
    return column == values[0] if len(values) == 1 else column.in_(values)


def hits(text: str, *, of: Any = None) -> Select | CompoundSelect:
    """The ids of enterprises in whose search text a needle stands; ``of``: only the enterprise of the row around it.

    Chinese characters can only stand in a name: the short names now and before are looked through instead of the
    whole text with its codes and readings, in a third of the time.
    """

    def narrowed(query: Select, owner: Any) -> Select:
        return query if of is None else query.where(owner == of).correlate(Standing)

    now = select(SearchText.enterprise_id)
    if not _CHINESE.fullmatch(text):
        return narrowed(now.where(stands_in(text, SearchText.haystack)), SearchText.enterprise_id)
    former = select(EnterpriseAlias.enterprise_id).where(
        EnterpriseAlias.kind == FORMER_NAME,
        stands_in(text, EnterpriseAlias.value_key),
        ~EnterpriseAlias.deleted,
    )
    now = now.where(stands_in(text, SearchText.name_key))
    return narrowed(now, SearchText.enterprise_id).union_all(narrowed(former, EnterpriseAlias.enterprise_id))


def _stands_in_many(text: str) -> bool:
    """Whether a needle stands in at least every fiftieth of the newest names: a guess that only decides how to look."""
    newest = select(SearchText.haystack).order_by(SearchText.enterprise_id.desc()).limit(_SAMPLE).subquery()
    found = select(func.count()).select_from(newest).where(stands_in(text, newest.c.haystack))
    return (db.session.scalar(found) or 0) * MANY >= _SAMPLE


_SAMPLE = 1_000
# From every so-manieth name on, a page is full soon enough when the names are read in the order of the list.
MANY = 50
_CHINESE = re.compile("[\u3400-\u9fff]+")


def holds(rung: int) -> ColumnElement[bool]:
    """Holding one of the titles of a rung today (for the pool: being in it)."""
    if rung == 2:
        return Standing.pool == "in_pool"
    return or_(*(getattr(Standing, kind).in_(_HELD) for kind in HELD_ON_RUNG[rung]))


def count(wanted: Filter, viewer: Viewer, *, today: date) -> int:
    query = select(func.count()).select_from(Standing).where(*conditions(wanted, today=today))
    return db.session.scalar(visible(query, viewer)) or 0


def page(
    wanted: Filter,
    viewer: Viewer,
    *,
    today: date,
    order: Order = BY_NAME,
    number: int = 1,
    size: int = PAGE,
    in_order: bool = False,
    more: Sequence[str] = (),
) -> list[Row]:
    """One page of the list. The ids are found over the narrow standings first, the wide rows read only for them."""
    ids = ordered(select(Standing.enterprise_id).where(*conditions(wanted, today=today, in_order=in_order)), order)
    found = list(db.session.scalars(visible(ids, viewer).limit(size).offset((number - 1) * size)))
    return rows(found, more)


def page_and_count(
    wanted: Filter,
    viewer: Viewer,
    *,
    today: date,
    order: Order = BY_NAME,
    number: int = 1,
    size: int = PAGE,
    more: Sequence[str] = (),
) -> tuple[list[Row], int]:
    """One page of the list and how many it has in all; ``more`` are the columns beside the usual ones.

    A search for what few names have looks through the texts once for both; what many have is counted, and its page
    read in the order of the list until it is full.
    """
    text = needle(wanted.text)
    many = bool(text) and _stands_in_many(text)
    if text and not many:
        ids = all_ids(wanted, viewer, today=today, order=order)
        return rows(ids[(number - 1) * size : number * size], more), len(ids)
    found = page(wanted, viewer, today=today, order=order, number=number, size=size, in_order=many, more=more)
    return found, count(wanted, viewer, today=today)


def all_ids(wanted: Filter, viewer: Viewer, *, today: date, order: Order = BY_NAME) -> list[int]:
    """The ids of the whole list in its order, for exports, bulk edits and 上一家 / 下一家."""
    query = ordered(select(Standing.enterprise_id).where(*conditions(wanted, today=today)), order)
    return list(db.session.scalars(visible(query, viewer)))


def find(text: str, viewer: Viewer, *, limit: int = 8) -> list[Row]:
    """The enterprises meant by two characters, initials, a code or a former name: own ones and short names first."""
    wanted = Filter(text=text)
    if not needle(text):
        return []
    mine = case((Standing.manager_id == viewer.user_id, 0), else_=1) if viewer.user_id else Standing.rung * 0
    query = select(Standing.enterprise_id).where(*conditions(wanted, today=date.min))
    ids = db.session.scalars(visible(query, viewer).order_by(mine, Standing.name_sort).limit(limit))
    return rows(list(ids))


def namesakes(names: Sequence[str], viewer: Viewer) -> list[tuple[int, str, bool]]:
    """(id, name, whether it only was called so) of the enterprises in sight that have or had one of these names."""
    keys = [normalise_name(name) for name in names]
    former = select(EnterpriseAlias.enterprise_id).where(
        EnterpriseAlias.kind == FORMER_NAME, EnterpriseAlias.value_key.in_(keys), ~EnterpriseAlias.deleted
    )
    now = select(SearchText.enterprise_id).where(SearchText.name_key.in_(keys))
    query = select(Enterprise.id, Enterprise.name).where(Enterprise.id.in_(now.union_all(former)))
    found = db.session.execute(visible(query, viewer).order_by(Enterprise.id))
    return [(enterprise_id, name, normalise_name(name) not in keys) for enterprise_id, name in found]


@dataclass(frozen=True)
class Lane:
    """One column of the board: how many stand on the rung, how many hold its titles, and the first cards."""

    rung: int
    own: int
    held: int
    notes: dict[str, int]
    cards: list[Row]


CARDS = 5


def board(
    wanted: Filter, viewer: Viewer, *, today: date, held: bool = False, by_name: bool = False, cards: int = CARDS
) -> list[Lane]:
    """The five rungs: counts of every combination of rung and states, and the most urgent cards of each column.

    With ``by_name`` the cards come in the order of names: what is urgent is told to those who read internal fields.
    """
    groups = _groups(wanted, viewer, today)
    own = [sum(n for rung, _, n in groups if rung == lane) for lane in range(5)]
    holding = [sum(n for _, states, n in groups if _holds(states, lane)) for lane in range(5)]
    notes = _notes(groups) | {"hnte_expiring": _hnte_expiring(wanted, viewer, today)}
    ids: dict[int, list[int]] = {}
    for rung in range(5):
        query = select(Standing.enterprise_id).where(
            *conditions(replace(wanted, rungs=(rung,), held=held), today=today)
        )
        query = visible(query, viewer)
        query = query.order_by(Standing.name_sort, Standing.enterprise_id) if by_name else _urgent_first(query)
        query = query.limit(cards)
        ids[rung] = list(db.session.scalars(query))
    found = {r.id: r for r in rows([i for group in ids.values() for i in group])}
    return [
        Lane(rung, own[rung], holding[rung], notes, [found[i] for i in ids[rung] if i in found]) for rung in range(5)
    ]


Groups = list[tuple[int, dict[str, str | None], int]]


def _groups(wanted: Filter, viewer: Viewer, today: date) -> Groups:
    """How many enterprises share a rung and all states; there are few combinations, and one index holds them."""
    columns = (Standing.rung, *(getattr(Standing, kind) for kind in STATE_COLUMNS))
    query = select(*columns, func.count()).where(*conditions(wanted, today=today)).group_by(*columns)
    return [
        (rung, dict(zip(STATE_COLUMNS, states, strict=True)), n)
        for rung, *states, n in db.session.execute(visible(query, viewer))
    ]


def _holds(states: dict[str, str | None], rung: int) -> bool:
    if rung == 2:
        return states[POOL] == "in_pool"
    return any(states[kind] in HELD_STATES for kind in HELD_ON_RUNG[rung])


def _notes(groups: Groups) -> dict[str, int]:
    """What stands under the columns of the board."""

    def number(fits: Callable[[int, dict[str, str | None]], bool]) -> int:
        return sum(n for rung, states, n in groups if fits(rung, states))

    return {
        "cq_tech": number(lambda _, has: has["cq_tech"] in HELD_STATES),
        "tech_sme": number(lambda _, has: has["tech_sme"] in HELD_STATES),
        "awaiting": number(lambda _, has: has["tech_sme"] == "awaiting_update"),
        "renewing": number(lambda _, has: has["hnte"] == "renewing"),
        "srdi_only": number(lambda _, has: _holds(has, 4) and has["hnte"] not in HELD_STATES),
        "innovative": number(lambda rung, has: rung == 0 and has["innovative_sme"] in HELD_STATES),
        "proposed": number(lambda _, has: has[POOL] == "proposed"),
    }


def _hnte_expiring(wanted: Filter, viewer: Viewer, today: date) -> int:
    """高企 whose certificate ends within a year, by the very conditions of the list behind the number."""
    narrowed = conditions(hnte_within_a_year(wanted, today), today=today)
    query = select(func.count()).select_from(Standing).where(*conditions(wanted, today=today), *narrowed)
    return db.session.scalar(visible(query, viewer)) or 0


def hnte_within_a_year(wanted: Filter, today: date) -> Filter:
    """The filter narrowed to 高企 whose certificate ends within a year from today."""
    return replace(wanted, kind="hnte", state=None, expires_before=today + timedelta(days=365))


def _urgent_first(query: Select) -> Select:
    return query.order_by(Standing.next_due_at.asc().nulls_last(), Standing.name_sort, Standing.enterprise_id)


assert set(KINDS) | {POOL} == set(STATE_COLUMNS)
