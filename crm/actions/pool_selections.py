"""年度遴选: a list of candidates is put together, a meeting decides on all of it, the decided list is sent out.

A firm that is in the pool already may be selected again (续列): what the meeting decides takes the place of its earlier
membership on that day, in the pool or out of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from crm.actions import pool
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update, merge, withdraw
from crm.domain.refusals import SAME_FIELD, Conflict, InvalidInput, Refused
from crm.domain.viewers import OFFICE, Viewer
from crm.store import pool_selections as lists
from crm.store.pool import PoolMembership, PoolSelection
from crm.store.scope import visible_record
from crm.store.writer import Written, write

FIELDS = ("title", "year", "note")
DECISION = ("decided_on", "meeting", "document")
# One meeting looks at a list; a county has some dozens of candidates.
MOST = 500
_LONGEST = {"title": 120, "note": 500, "meeting": 120, "document": 120}
_LABELS = {"title": "名称", "note": "说明", "meeting": "会议", "document": "文号"}


def may_select(viewer: Viewer) -> bool:
    """Whether the viewer puts lists together and records decisions: the bureau (product.md, Who uses it)."""
    return viewer.has(*OFFICE)


def problems(values: Mapping[str, Any], *, today: date) -> dict[str, str]:
    """What is wrong with a selection as a whole: {field: one Chinese sentence}."""
    wrong: dict[str, str] = {}
    if not (values.get("title") or "").strip():
        wrong["title"] = "写名单的名称，如“2027 年高企培育库”。"
    for name, longest in _LONGEST.items():
        if len(values.get(name) or "") > longest:
            wrong[name] = f"{_LABELS[name]}有 {len(values[name])} 个字，最多 {longest} 个字。改短后再存。"
    year = values.get("year")
    if year is None or not 2000 <= year <= today.year + 2:
        wrong["year"] = f"入库年度填 2000 到 {today.year + 2} 之间的四位数字。"
    return wrong


def open_selection(
    values: Mapping[str, Any],
    enterprise_ids: Iterable[int],
    *,
    plan: Mapping[str, Any],
    reasons: Mapping[int, str] | None = None,
    act: Act,
) -> Written:
    """Put a list of candidates together: ``values`` are FIELDS and query, filter_words (where the firms came from).

    ``plan`` are pool_class, planned_year, planned_batch for all of them, ``reasons`` {enterprise: why it is a
    candidate}. Raises InvalidInput, NotAllowed, Refused when nobody can be put on it.
    """
    require(may_select(act.viewer), "年度遴选")
    wrong = problems(values, today=act.effective_on)
    stated = {code: value for code, value in plan.items() if code in pool.PLAN and value is not None}
    stated |= {"year": values.get("year"), "proposed_on": act.effective_on}
    wrong |= {code: said for code, said in pool.problems(stated, today=act.effective_on).items() if code != "year"}
    if wrong:
        raise InvalidInput(wrong)
    found = [one for one in lists.candidates(enterprise_ids, act.viewer) if not one.refusal]
    region_id = _one_region(found)
    head = {name: values.get(name) for name in (*FIELDS, "query", "filter_words") if values.get(name) is not None}
    head |= {"region_id": region_id, "proposed_on": act.effective_on}
    changes: list[Create | Update] = [Create("pool_selection", head, "selection")]
    changes += [_put_on(Ref("selection"), one, stated, (reasons or {}).get(one.enterprise_id)) for one in found]
    return write(changes, act=act, action="open_selection", region_id=region_id)


def _one_region(found: Sequence[lists.Candidate]) -> int:
    if not found:
        raise Refused("没有能列入的企业：都已在名单上，或已注销、迁出。换企业。")
    if len(found) > MOST:
        raise Refused(f"一份名单最多 {MOST} 家，这里有 {len(found)} 家。先缩小筛选。")
    regions = {one.region_id for one in found}
    if len(regions) > 1:
        raise Refused("这些企业不在同一个区县。按区县分开遴选。")
    return regions.pop()


def _put_on(selection_id: Any, one: lists.Candidate, stated: Mapping[str, Any], reason: str | None) -> Create | Update:
    """A proposal that waits already is put on the list as it is; for anybody else one is made."""
    if one.membership_id is not None:
        return Update("pool_membership", one.membership_id, {"selection_id": selection_id})
    values = {**stated, "selection_id": selection_id}
    if reason:
        values["reason"] = reason[:200]
    [create] = pool.decide_proposal(one.enterprise_id, values)
    return replace(
        create,
        values={**create.values, "selection_id": selection_id},
        key=("membership", one.enterprise_id),
    )


def add_to_selection(selection_id: int, enterprise_ids: Iterable[int], *, act: Act) -> Written:
    """Put further firms on a list that is not decided. Raises NotFound, NotAllowed, Refused."""
    row = own_selection(selection_id, act.viewer)
    require_undecided(row)
    found = [one for one in lists.candidates(enterprise_ids, act.viewer) if not one.refusal]
    if not found or _one_region(found) != row.region_id:
        raise Refused("没有加上：这些企业已在名单上，已注销、迁出，或不在这个区县。")
    stated = {
        "year": row.year,
        "pool_class": "long_term",
        "proposed_on": act.effective_on,
        "planned_year": row.year + 1,
    }
    changes = [_put_on(row.id, one, stated, None) for one in found]
    return write(changes, act=act, action="add_to_selection", region_id=row.region_id)


def take_off(membership_id: int, *, reason: str | None, act: Act) -> Written:
    """Take a firm off a list before it is decided, for a reason.

    Raises NotFound, NotAllowed, InvalidInput, Refused.
    """
    one: PoolMembership = visible_record(PoolMembership, membership_id, act.viewer, "这条培育库记录")
    if one.selection_id is None:
        raise Refused("这家企业不在遴选名单上。")
    row = own_selection(one.selection_id, act.viewer)
    require_undecided(row)
    if not (reason or "").strip():
        raise InvalidInput({"reason": "写移出名单的原因，如“已在外地申报”。"})
    told = replace(act, reason=f"移出《{row.title}》：{(reason or '').strip()}"[:500])
    changes = [withdraw("pool_membership", one.id, one.version)]
    return write(changes, act=told, action="take_off_selection", region_id=row.region_id)


@dataclass(frozen=True)
class RowPlan:
    """What is set of one firm of a list (fields of ``pool.PLAN``), and which version with which values was seen."""

    values: Mapping[str, Any]
    version: int | None = None
    seen: Mapping[str, Any] | None = None


def plan_many(selection_id: int, plans: Mapping[int, RowPlan], *, act: Act) -> Written:
    """Set class, planned year or batch of several firms of a list at once: {membership: what is set of it}.

    Raises NotFound, NotAllowed, InvalidInput, Conflict ({"field-membership": …}, all firms that somebody changed
    meanwhile in the same field), Refused when nothing was chosen or nothing is set.
    """
    row = own_selection(selection_id, act.viewer)
    chosen = [line.membership for line in lists.lines(row.id, act.viewer) if line.membership.id in plans]
    chosen = [one for one in chosen if one.left_on is None]
    if not chosen:
        raise Refused("没有选企业。先在名单里打勾。")
    changes: list[Update] = []
    clashes: dict[str, tuple[Any, Any, Any]] = {}
    for one in chosen:
        plan = plans[one.id]
        stated = {code: value for code, value in plan.values.items() if code in pool.PLAN}
        current = {code: getattr(one, code) for code in pool.FIELDS}
        update = Update("pool_membership", one.id, stated, plan.version, plan.seen)
        _, clash = merge(update, current, one.version)
        clashes |= {f"{code}-{one.id}": three for code, three in clash.items()}
        wrong = pool.problems(current | stated, today=act.effective_on)
        if wrong:
            raise InvalidInput(wrong)
        changes.append(update)
    if not any(change.values for change in changes):
        raise Refused("没有要改的。选类别，或填拟申报年度、批次。")
    if clashes:
        raise Conflict(SAME_FIELD, clashes)
    return write(changes, act=act, action="plan_selection", region_id=row.region_id)


def edit_selection(
    selection_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Change name, year or note of a list. Raises NotFound, NotAllowed, InvalidInput, Conflict."""
    row = own_selection(selection_id, act.viewer)
    stated = {name: value for name, value in values.items() if name in FIELDS}
    wrong = problems({name: getattr(row, name) for name in FIELDS} | stated, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    changes = [Update("pool_selection", row.id, stated, version, seen)]
    return write(changes, act=act, action="edit_selection", region_id=row.region_id)


def decide_selection(
    selection_id: int, values: Mapping[str, Any], verdicts: Mapping[int, str | None], *, version: int, act: Act
) -> Written:
    """Record what the meeting decided on the whole list: ``values`` are DECISION.

    ``verdicts`` are {membership: None for 入库, the reason for 不入库}; every open firm of the list needs one. A firm
    that was in the pool leaves its earlier membership that day. Raises NotFound, NotAllowed, InvalidInput
    ({"verdict-ID": …}), Conflict, Refused.
    """
    row = own_selection(selection_id, act.viewer)
    require_undecided(row)
    open_ = [line.membership for line in lists.lines(row.id, act.viewer, "open")]
    wrong = _decision_problems(row, values, verdicts, open_, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    day = values["decided_on"]
    stated = {name: values.get(name) for name in DECISION if values.get(name)}
    before = lists.earlier_memberships([one.enterprise_id for one in open_], row.id)
    changes: list[Create | Update] = [Update("pool_selection", row.id, stated, version)]
    for one in open_:
        reason = verdicts[one.id]
        if reason is None:
            entered = {**stated, "entered_on": day}
            changes.append(Update("pool_membership", one.id, entered, one.version))
        else:
            no = {"declined_on": day, "declined_reason": reason, "left_on": day, "leave_reason": reason}
            changes.append(Update("pool_membership", one.id, no, one.version))
        earlier = before.get(one.enterprise_id)
        if earlier is not None:
            why = f"列入《{row.title}》" if reason is None else reason
            left = {"left_on": day, "leave_reason": why[:200]}
            changes.append(Update("pool_membership", earlier.id, left, earlier.version))
    return write(changes, act=act, action="decide_selection", region_id=row.region_id)


def _decision_problems(
    row: PoolSelection,
    values: Mapping[str, Any],
    verdicts: Mapping[int, str | None],
    open_: Sequence[PoolMembership],
    *,
    today: date,
) -> dict[str, str]:
    wrong = problems({**values, "title": row.title, "year": row.year}, today=today)
    day = values.get("decided_on")
    if day is None:
        wrong["decided_on"] = "填决定日期。"
    elif day > today:
        wrong["decided_on"] = f"决定日期 {day} 还没到。核对后改正。"
    elif row.proposed_on is not None and day < row.proposed_on:
        wrong["decided_on"] = f"决定日期 {day} 早于拟入库日期 {row.proposed_on}。改正其中一个。"
    if not values.get("meeting") and not values.get("document"):
        wrong["meeting"] = "填会议或文号，至少一样。"
    if not open_:
        wrong[""] = "名单上没有等决定的企业。"
    for one in open_:
        if one.id not in verdicts:
            wrong[f"verdict-{one.id}"] = "选入库或不入库。"
        elif verdicts[one.id] is not None and not (verdicts[one.id] or "").strip():
            wrong[f"verdict-{one.id}"] = "写不入库的原因。"
        elif len(verdicts[one.id] or "") > 200:
            wrong[f"verdict-{one.id}"] = "原因最多 200 个字。改短后再存。"
        elif day is not None and one.proposed_on is not None and day < one.proposed_on:
            wrong.setdefault("decided_on", f"决定日期 {day} 早于有的企业的拟入库日期 {one.proposed_on}。")
    return wrong


def issue_selection(selection_id: int, values: Mapping[str, Any], *, version: int, act: Act) -> Written:
    """印发: the decided list went out, on which day, as which document. Raises NotFound, NotAllowed, InvalidInput."""
    row = own_selection(selection_id, act.viewer)
    if row.decided_on is None:
        raise Refused("名单还没有决定。先登记会议决定，再印发。")
    day, document = values.get("issued_on"), (values.get("document") or "").strip() or row.document
    wrong: dict[str, str] = {}
    if day is None:
        wrong["issued_on"] = "填印发日期。"
    elif day > act.effective_on:
        wrong["issued_on"] = f"印发日期 {day} 还没到。核对后改正。"
    elif day < row.decided_on:
        wrong["issued_on"] = f"印发日期 {day} 早于决定日期 {row.decided_on}。改正其中一个。"
    if not document:
        wrong["document"] = "填印发的文号或文件名。"
    elif len(document) > _LONGEST["document"]:
        wrong["document"] = f"文号最多 {_LONGEST['document']} 个字。改短后再存。"
    if wrong:
        raise InvalidInput(wrong)
    changes: list[Create | Update] = [
        Update("pool_selection", row.id, {"issued_on": day, "document": document}, version)
    ]
    changes += [
        Update("pool_membership", line.membership.id, {"document": document}, line.membership.version)
        for line in lists.lines(row.id, act.viewer, "entered")
        if not line.membership.document
    ]
    return write(changes, act=act, action="issue_selection", region_id=row.region_id)


def own_selection(selection_id: int, viewer: Viewer) -> PoolSelection:
    """A selection of a region whose bureau the viewer is. Raises NotFound, NotAllowed."""
    row: PoolSelection = visible_record(PoolSelection, selection_id, viewer, "这份名单")
    require(viewer.has_in(row.region_id, *OFFICE), "年度遴选")
    return row


def require_undecided(row: PoolSelection) -> None:
    """Raise Refused for a list that a meeting has decided."""
    if row.decided_on is not None:
        raise Refused(f"这份名单 {row.decided_on} 已决定。要改单个企业，在培育库里登记出库；要重来，撤销那次决定。")
