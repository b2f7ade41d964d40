"""The yearly selections (年度遴选) as lists, and who could be put on one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from crm.domain.kinds import KINDS, POOL
from crm.domain.statuses import GONE
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.store.enterprise_rows import shown
from crm.store.enterprises import Enterprise
from crm.store.pool import DECIDED, PoolMembership, PoolSelection, is_decided
from crm.store.scope import visible
from crm.store.standings import Standing

# How many ids go into one IN list.
CHUNK = 1_000

# What became of the firms of a selection, each of them in exactly one.
VERDICTS: dict[str, Any] = {
    "open": and_(PoolMembership.declined_on.is_(None), ~DECIDED),
    "entered": and_(PoolMembership.declined_on.is_(None), DECIDED),
    "declined": PoolMembership.declined_on.is_not(None),
}


@dataclass(frozen=True)
class Line:
    """One firm of a selection, with what a list and a document print of it."""

    membership: PoolMembership
    name: str
    credit_code: str | None
    township_id: int | None
    manager_id: int | None
    main_product: str | None
    states: dict[str, str]

    @property
    def verdict(self) -> str:
        """open, entered or declined."""
        one = self.membership
        if one.declined_on is not None:
            return "declined"
        return "entered" if one.decided_on is not None or one.entered_on is not None else "open"


@dataclass(frozen=True)
class Candidate:
    """An enterprise before it is put on a list: ``member`` is in the pool from an earlier year, ``membership_id`` a
    proposal that waits on no list yet, ``refusal`` why it cannot be put on one."""

    enterprise_id: int
    name: str
    region_id: int
    titles: dict[str, str]
    member: bool = False
    membership_id: int | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Waiting:
    """A proposal that is not decided: its record, the year it is for, and the title of its list (None: on none yet)."""

    membership_id: int
    year: int | None
    title: str | None


@dataclass(frozen=True)
class InPool:
    """Where enterprises stand with the pool: the year of those that are in it, the proposals of the others."""

    members: dict[int, int | None]
    waiting: dict[int, Waiting]


def _titles(standing: Standing) -> dict[str, str]:
    """The titles a list shows as seals, and the pool among them."""
    found = {kind: getattr(standing, kind) for kind in (*KINDS, POOL)}
    return {kind: state for kind, state in found.items() if shown(kind, state)}


def candidates(enterprise_ids: Iterable[int], viewer: Viewer) -> list[Candidate]:
    """These enterprises as candidates, in the order of names; those that may not be seen are left out."""
    ids = sorted(set(enterprise_ids))
    query = (
        select(Enterprise.id, Enterprise.name, Standing)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .where(Enterprise.id.in_(ids))
        .order_by(Standing.name_sort, Enterprise.id)
    )
    rows = db.session.execute(visible(query, viewer)).all()
    now = in_pool(row[0] for row in rows)
    found = []
    for enterprise_id, name, standing in rows:
        refusal, waiting = "", now.waiting.get(enterprise_id)
        if not viewer.has_in(standing.region_id, *OFFICE):
            refusal = "不归你这里遴选"
        elif waiting is not None and waiting.title is not None:
            refusal = on_a_list(waiting.title)
        elif standing.status in GONE:
            refusal = "已注销、吊销或迁出"
        found.append(
            Candidate(
                enterprise_id,
                name,
                standing.region_id,
                _titles(standing),
                enterprise_id in now.members,
                waiting.membership_id if waiting is not None and waiting.title is None else None,
                refusal,
            )
        )
    return found


def on_a_list(title: str) -> str:
    """Why a firm that waits on a list is put on no other."""
    return f"已在《{title}》的拟入库名单上"


def in_pool(enterprise_ids: Iterable[int]) -> InPool:
    """Where these enterprises stand with the pool now. Without scope: of enterprises that were found through it."""
    ids = sorted(set(enterprise_ids))
    now = InPool({}, {})
    for start in range(0, len(ids), CHUNK):
        query = (
            select(PoolMembership, PoolSelection.title)
            .outerjoin(PoolSelection, PoolSelection.id == PoolMembership.selection_id)
            .where(
                PoolMembership.enterprise_id.in_(ids[start : start + CHUNK]),
                ~PoolMembership.deleted,
                PoolMembership.left_on.is_(None),
            )
            .order_by(PoolMembership.id)
        )
        for one, title in db.session.execute(query):
            if is_decided(one):
                now.members[one.enterprise_id] = one.year
            else:
                listed = title if one.selection_id is not None else None
                now.waiting[one.enterprise_id] = Waiting(one.id, one.year, listed)
    return now


def undecided(since: int, viewer: Viewer) -> list[PoolSelection]:
    """The lists of the years from ``since`` on that no meeting has decided yet and whose bureau the viewer is."""
    query = select(PoolSelection).where(PoolSelection.year >= since, PoolSelection.decided_on.is_(None))
    rows = db.session.scalars(visible(query, viewer).order_by(PoolSelection.year, PoolSelection.id.desc()))
    return [row for row in rows if viewer.has_in(row.region_id, *OFFICE)]


def loose_proposals(viewer: Viewer) -> list[int]:
    """Enterprises that were proposed one by one and stand on no list yet."""
    query = select(PoolMembership.enterprise_id).where(
        PoolMembership.selection_id.is_(None), PoolMembership.left_on.is_(None), ~DECIDED
    )
    return list(db.session.scalars(visible(query, viewer)))


def members(viewer: Viewer) -> list[int]:
    """Enterprises in the pool today, for the selection of the next year."""
    return list(
        db.session.scalars(
            visible(select(PoolMembership.enterprise_id).where(PoolMembership.left_on.is_(None), DECIDED), viewer)
        )
    )


def counts(selection_ids: Iterable[int], viewer: Viewer) -> dict[int, dict[str, int]]:
    """{selection: {verdict: firms}}, in one statement."""
    sums = [func.sum(case((condition, 1), else_=0)) for condition in VERDICTS.values()]
    query = select(PoolMembership.selection_id, *sums).where(PoolMembership.selection_id.in_(list(selection_ids)))
    found = db.session.execute(visible(query.group_by(PoolMembership.selection_id), viewer))
    return {row[0]: {name: int(n or 0) for name, n in zip(VERDICTS, row[1:], strict=True)} for row in found}


def lines(selection_id: int, viewer: Viewer, verdict: str | None = None) -> list[Line]:
    """The firms of a selection: 重点 before 中长期, then in the order of names."""
    query = (
        select(PoolMembership, Enterprise, Standing)
        .join(Enterprise, Enterprise.id == PoolMembership.enterprise_id)
        .join(Standing, Standing.enterprise_id == PoolMembership.enterprise_id)
        .where(PoolMembership.selection_id == selection_id, ~PoolMembership.deleted)
        .order_by(PoolMembership.pool_class, Standing.name_sort, PoolMembership.id)
    )
    if verdict is not None:
        query = query.where(VERDICTS[verdict])
    rows: Sequence[Any] = db.session.execute(visible(query, viewer)).all()
    return [
        Line(
            one,
            enterprise.name,
            enterprise.credit_code,
            standing.township_id,
            standing.manager_id,
            enterprise.main_product,
            _titles(standing),
        )
        for one, enterprise, standing in rows
    ]


def earlier_memberships(enterprise_ids: Iterable[int], but: int) -> dict[int, PoolMembership]:
    """{enterprise: its membership in force from an earlier list}. Without scope: for the action that decides."""
    query = select(PoolMembership).where(
        PoolMembership.enterprise_id.in_(list(enterprise_ids)),
        ~PoolMembership.deleted,
        PoolMembership.left_on.is_(None),
        DECIDED,
        or_(PoolMembership.selection_id.is_(None), PoolMembership.selection_id != but),
    )
    return {one.enterprise_id: one for one in db.session.scalars(query.order_by(PoolMembership.id))}
