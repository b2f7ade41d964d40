"""The 培育库: an enterprise is proposed, a meeting decides, it leaves with a reason. A management list and no title."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from crm.actions.rights import may_edit, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.fields import CHOICES, fields_of
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.viewers import OFFICE
from crm.store.pool import PoolMembership, is_decided, memberships_of
from crm.store.scope import visible_enterprise, visible_record
from crm.store.writer import Written, write

FIELDS = tuple(field.code for field in fields_of("pool_membership"))
PROPOSAL = ("year", "pool_class", "proposed_on", "planned_year", "planned_batch", "reason")
PLAN = ("pool_class", "planned_year", "planned_batch", "reason")
DECISION = ("pool_class", "decided_on", "entered_on", "meeting", "document")

_LABELS = {field.code: field.label for field in fields_of("pool_membership")}
# (earlier, later): the later day may not lie before the earlier one.
_IN_ORDER = (
    ("proposed_on", "decided_on"),
    ("decided_on", "entered_on"),
    ("proposed_on", "entered_on"),
    ("decided_on", "left_on"),
    ("entered_on", "left_on"),
)


def problems(values: Mapping[str, Any], *, today: date) -> dict[str, str]:
    """What is wrong with a membership as a whole: {field: one Chinese sentence}; empty when nothing is."""
    wrong: dict[str, str] = {}
    if values.get("year") is None:
        wrong["year"] = "填入库年度。"
    if values.get("pool_class") not in CHOICES["pool_class"]:
        wrong["pool_class"] = "选类别：重点或中长期。"
    for name in ("proposed_on", "decided_on", "left_on"):
        day = values.get(name)
        if day is not None and day > today:
            wrong[name] = f"{_LABELS[name]} {day} 还没到。核对后改正。"
    for earlier, later in _IN_ORDER:
        first, second = values.get(earlier), values.get(later)
        if first is not None and second is not None and second < first:
            wrong.setdefault(later, f"{_LABELS[later]} {second} 早于{_LABELS[earlier]} {first}。改正其中一个。")
    planned, year = values.get("planned_year"), values.get("year")
    if planned is not None and year is not None and planned < year:
        wrong["planned_year"] = f"拟申报年度 {planned} 早于入库年度 {year}。改正其中一个。"
    return wrong


def decide_proposal(enterprise_id: Any, values: Mapping[str, Any]) -> list[Create]:
    """The one creation that proposes an enterprise: pure. ``enterprise_id`` may be a Ref."""
    stated = {code: values[code] for code in FIELDS if values.get(code) is not None}
    return [Create("pool_membership", {**stated, "enterprise_id": enterprise_id}, "membership")]


def propose_for_pool(enterprise_id: int, values: Mapping[str, Any], *, act: Act) -> Written:
    """Propose an enterprise for the pool (拟入库). ``values`` are the fields of PROPOSAL.

    Raises NotFound, NotAllowed, InvalidInput, Refused when it is proposed or in the pool already.
    """
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "培育库拟入库")
    values = {"proposed_on": act.effective_on, **{k: v for k, v in values.items() if v is not None}}
    wrong = problems(values, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    for one in memberships_of(enterprise_id):
        if one.left_on is None:
            state = "已在培育库" if is_decided(one) else "已拟入库"
            raise Refused(f"这家企业{state}（{one.year} 年度），不用再提。")
    return write(decide_proposal(row.id, values), act=act, action="propose_for_pool", region_id=row.region_id)


def decide_pool(
    membership_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Record the decision: class, day, meeting or document, day of entry (blank: the day of the decision).

    Only the bureau decides. ``seen`` are the values the editor saw. Raises NotFound, NotAllowed, InvalidInput,
    Conflict, Refused when it was decided or left.
    """
    row, region_id = _decidable(membership_id, act, "培育库入库决定")
    if row.left_on is not None:
        raise Refused("这家企业已出库。要再入库，重新拟入库。")
    if row.decided_on is not None:
        raise Refused(f"{row.decided_on} 已决定入库。刷新后再看。")
    stated = {code: values.get(code) for code in DECISION if values.get(code) is not None}
    stated.setdefault("entered_on", stated.get("decided_on"))
    merged = {code: getattr(row, code) for code in FIELDS} | stated
    wrong = problems(merged, today=act.effective_on)
    if merged.get("decided_on") is None:
        wrong["decided_on"] = "填决定日期。"
    if not merged.get("meeting") and not merged.get("document"):
        wrong["meeting"] = "填会议或文号，至少一样。"
    if wrong:
        raise InvalidInput(wrong)
    change = Update("pool_membership", row.id, stated, version, seen)
    return write([change], act=act, action="decide_pool", region_id=region_id)


def plan_membership(
    membership_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Change class, planned year, batch and reason of a proposal or of a member. ``values`` are fields of PLAN.

    Raises NotFound, NotAllowed, InvalidInput, Conflict, Refused when it has left.
    """
    row, region_id = _decidable(membership_id, act, "培育库名单")
    if row.left_on is not None:
        raise Refused("这家企业已出库，名单上的安排不再改。")
    stated = {code: value for code, value in values.items() if code in PLAN}
    wrong = problems({code: getattr(row, code) for code in FIELDS} | stated, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    changes = [Update("pool_membership", row.id, stated, version, seen)]
    return write(changes, act=act, action="plan_membership", region_id=region_id)


def leave_pool(
    membership_id: int,
    *,
    left_on: date | None,
    leave_reason: str | None,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Take an enterprise out of the pool (or drop its proposal) from a day on, with the reason.

    Raises NotFound, NotAllowed, InvalidInput, Conflict, Refused when it has left already.
    """
    row, region_id = _decidable(membership_id, act, "培育库出库")
    if row.left_on is not None:
        raise Refused(f"{row.left_on} 已出库。刷新后再看。")
    values = {"left_on": left_on, "leave_reason": leave_reason}
    wrong = problems({code: getattr(row, code) for code in FIELDS} | values, today=act.effective_on)
    if left_on is None:
        wrong["left_on"] = "填出库日期。"
    if not leave_reason:
        wrong["leave_reason"] = "写出库原因。"
    if wrong:
        raise InvalidInput(wrong)
    return write(
        [Update("pool_membership", row.id, values, version, seen)], act=act, action="leave_pool", region_id=region_id
    )


def _decidable(membership_id: int, act: Act, what: str) -> tuple[PoolMembership, int]:
    row: PoolMembership = visible_record(PoolMembership, membership_id, act.viewer, "这条培育库记录")
    enterprise, standing = visible_enterprise(row.enterprise_id, act.viewer)
    require(act.viewer.has_in(standing.region_id, *OFFICE), what)
    return row, enterprise.region_id
