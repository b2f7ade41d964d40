"""Many enterprises proposed for the pool at once: looked at firm by firm, one change set, undone as one.

It proposes and never decides: who is in the pool already, is gone, or holds the title that the pool prepares for is
passed over with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm.actions import pool
from crm.actions.bulk_previews import fingerprint_of
from crm.actions.pool_selections import MOST, own_selection, require_undecided
from crm.actions.pool_selections import problems as list_problems
from crm.actions.rights import may_edit
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update
from crm.domain.kinds import HELD_STATES, HNTE
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.statuses import GONE
from crm.domain.typed_counts import refuse_untyped
from crm.domain.viewers import OFFICE
from crm.extensions import db
from crm.store import pool_selections as lists
from crm.store.enterprises import Enterprise
from crm.store.pool import PoolSelection
from crm.store.scope import visible
from crm.store.standings import Standing
from crm.store.writer import Written, write

# Looked at for one preview; a list for a meeting has at most MOST of them.
MOST_CHOSEN = 20_000
NO_RIGHT = "不在你的授权内"


@dataclass(frozen=True)
class Onto:
    """Where the proposals go: onto the list ``selection_id``, onto a new one of this ``head`` (title, note, query,
    filter_words), or, with neither, onto none until the bureau puts one together."""

    selection_id: int | None = None
    head: Mapping[str, Any] | None = None

    @property
    def a_list(self) -> bool:
        """Whether they stand on a list afterwards."""
        return self.selection_id is not None or self.head is not None


@dataclass(frozen=True)
class Line:
    """One chosen enterprise: ``skipped`` says why it is not proposed, ``waiting_id`` is its proposal that is put on
    the list as it stands."""

    enterprise_id: int
    name: str
    region_id: int
    skipped: str = ""
    waiting_id: int | None = None


@dataclass(frozen=True)
class Proposals:
    """The chosen enterprises looked at, in the order of the list they were chosen in."""

    lines: tuple[Line, ...]

    @property
    def proposed(self) -> list[Line]:
        """Those that would be proposed."""
        return [line for line in self.lines if not line.skipped]

    @property
    def skipped(self) -> dict[str, list[Line]]:
        """{why: those that would be passed over}, in the order in which the reasons are met."""
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            if line.skipped:
                found.setdefault(line.skipped, []).append(line)
        return found

    @property
    def fingerprint(self) -> str:
        """Stands for exactly these enterprises with these outcomes: what was previewed is what is done."""
        return fingerprint_of([f"{line.enterprise_id}:{line.waiting_id}:{line.skipped}" for line in self.lines])


def look_at(ids: Sequence[int], onto: Onto, *, act: Act) -> Proposals:
    """What proposing these enterprises would do to each of them; reads only. Those out of sight are not there.

    Raises NotFound and NotAllowed for the list, Refused when it is decided or more than MOST_CHOSEN are chosen.
    """
    if len(ids) > MOST_CHOSEN:
        raise Refused(f"一次最多选 {MOST_CHOSEN:,} 家，现在选中 {len(ids):,} 家。先筛选再提。")
    target = _target(onto, act)
    places = _places(ids, act)
    now = lists.in_pool(places)
    lines = []
    for enterprise_id in ids:
        if enterprise_id not in places:
            continue
        place = places[enterprise_id]
        why = _why_not(place, now, onto, target, act)
        waiting = now.waiting.get(enterprise_id)
        waiting_id = waiting.membership_id if waiting is not None and not why else None
        lines.append(Line(enterprise_id, place.name, place.region_id, why, waiting_id))
    return Proposals(tuple(lines))


def propose_many(
    ids: Sequence[int],
    plan: Mapping[str, Any],
    onto: Onto,
    *,
    fingerprint: str,
    typed: int | None = None,
    act: Act,
) -> Written:
    """Propose all of these enterprises that can be (拟入库), as one change set.

    ``plan`` are year, pool_class, planned_year, planned_batch, reason for all of them; a list that is there says its
    own year, a proposal that waits already keeps what it says. ``fingerprint`` is that of the preview, ``typed`` the
    number as the person typed it where there are many. Raises InvalidInput (``number`` for another number), NotFound,
    NotAllowed, Refused when anything differs from the preview or nobody can be proposed.
    """
    found = look_at(ids, onto, act=act)
    if found.fingerprint != fingerprint:
        raise Refused("预览之后名单或其中的企业变了，没有写入。看过新的预览再按。")
    stated = {code: value for code, value in plan.items() if code in pool.PROPOSAL and value is not None}
    stated["proposed_on"] = act.effective_on
    target = _target(onto, act)
    if target is not None:
        stated["year"] = target.year
    wrong = pool.problems(stated, today=act.effective_on)
    if onto.head is not None:
        head = {**onto.head, "year": stated.get("year")}
        wrong |= {name: said for name, said in list_problems(head, today=act.effective_on).items() if name != "year"}
    if wrong:
        raise InvalidInput(wrong)
    chosen = found.proposed
    region_id = _region_of(chosen, onto)
    _refuse_too_many(chosen, onto, act)
    refuse_untyped(len(chosen), typed, field="number", verb="拟入库")
    changes: list[Create | Update] = []
    selection_id: Any = onto.selection_id
    if onto.head is not None:
        head = {name: value for name, value in onto.head.items() if value is not None}
        head |= {"region_id": region_id, "year": stated["year"], "proposed_on": act.effective_on}
        changes.append(Create("pool_selection", head, "selection"))
        selection_id = Ref("selection")
    on_it = {"selection_id": selection_id} if onto.a_list else {}
    for line in chosen:
        if line.waiting_id is not None:
            changes.append(Update("pool_membership", line.waiting_id, on_it))
            continue
        values = {**stated, **on_it, "enterprise_id": line.enterprise_id}
        changes.append(Create("pool_membership", values, ("membership", line.enterprise_id)))
    return write(changes, act=act, action="propose_many", region_id=region_id)


def _target(onto: Onto, act: Act) -> PoolSelection | None:
    if onto.selection_id is None:
        return None
    row = own_selection(onto.selection_id, act.viewer)
    require_undecided(row)
    return row


def _why_not(place: Any, now: lists.InPool, onto: Onto, target: PoolSelection | None, act: Act) -> str:
    """Why an enterprise is passed over; "" when it is proposed."""
    if not may_edit(act.viewer, place):
        return NO_RIGHT
    if onto.a_list and not act.viewer.has_in(place.region_id, *OFFICE):
        return "不归你这里遴选"
    if target is not None and place.region_id != target.region_id:
        return "不在这份名单的区县"
    if place.status in GONE:
        return "已注销、吊销或迁出"
    if place.hnte in HELD_STATES:
        return "现在是高新技术企业"
    if place.id in now.members:
        year = now.members[place.id]
        return f"已在培育库（{year} 年度）" if year else "已在培育库"
    waiting = now.waiting.get(place.id)
    if waiting is not None and waiting.title is not None:
        return lists.on_a_list(waiting.title)
    if waiting is not None and not onto.a_list:
        return f"已拟入库（{waiting.year} 年度），等列入名单" if waiting.year else "已拟入库，等列入名单"
    return ""


def _region_of(chosen: Sequence[Line], onto: Onto) -> int | None:
    """The one region of the change set; None where they are of several and stand on no list."""
    if not chosen:
        raise Refused("没有能拟入库的企业，原因在下面。换企业再选。")
    regions = {line.region_id for line in chosen}
    if onto.a_list and len(regions) > 1:
        raise Refused("这些企业不在同一个区县。按区县分开拟入库。")
    return regions.pop() if len(regions) == 1 else None


def _refuse_too_many(chosen: Sequence[Line], onto: Onto, act: Act) -> None:
    """One meeting looks at a list: no more firms are proposed at once than a list holds, nor put on a full one."""
    there = 0
    if onto.selection_id is not None:
        there = sum(lists.counts([onto.selection_id], act.viewer).get(onto.selection_id, {}).values())
    if there + len(chosen) <= MOST:
        return
    besides = f"，上面已有 {there:,} 家" if there else ""
    raise Refused(f"一份名单最多 {MOST} 家{besides}，这次能拟入库的有 {len(chosen):,} 家。先缩小筛选。")


def _places(ids: Sequence[int], act: Act) -> dict[int, Any]:
    """{id: name, where it belongs, status and state of the 高企 title} of those of these enterprises in sight."""
    columns = ("region_id", "township_id", "park_id", "carrier_id", "manager_id", "status", HNTE)
    found: dict[int, Any] = {}
    for start in range(0, len(ids), lists.CHUNK):
        query = (
            select(Enterprise.id, Enterprise.name, *(getattr(Standing, name) for name in columns))
            .join(Standing, Standing.enterprise_id == Enterprise.id)
            .where(Enterprise.id.in_(ids[start : start + lists.CHUNK]))
        )
        for row in db.session.execute(visible(query, act.viewer)):
            found[row.id] = row
    return found
