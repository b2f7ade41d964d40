"""Visit plans: whom an officer means to see in a quarter. What was done is read from the service logs, never ticked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update, withdraw
from crm.domain.refusals import InvalidInput, NotFound, Refused
from crm.domain.viewers import OFFICE, Viewer
from crm.domain.visit_plans import Quarter, quarter_of
from crm.extensions import db
from crm.store.scope import visible, visible_record
from crm.store.settings import setting
from crm.store.standings import Standing
from crm.store.users import User
from crm.store.visit_plan_lists import Candidate, candidates, enterprises_of, plan_of
from crm.store.visit_plans import VisitPlan, VisitPlanEnterprise
from crm.store.writer import Written, write

# How many quarters ahead a plan may be made; farther away nobody knows whose the enterprises will be.
AHEAD = 4


def may_plan(viewer: Viewer, user_id: int, region_id: int) -> bool:
    """Whether the viewer may make and change a plan: the officer whose plan it is, and the bureau of the region."""
    own = viewer.user_id == user_id and viewer.has_in(region_id, "case_manager")
    return own or viewer.has_in(region_id, *OFFICE)


def proposed(user_id: int, quarter: Quarter, viewer: Viewer) -> list[Candidate]:
    """The enterprises a plan may hold; those that the cadence of their region brings in are marked as due."""
    query = select(Standing.region_id).where(Standing.manager_id == user_id).distinct()
    regions = [region_id for (region_id,) in db.session.execute(visible(query, viewer))]
    months = {i: (int(setting("visit_months", i)), int(setting("visit_months_other", i))) for i in regions}
    return candidates(user_id, quarter, viewer, months)


def make_plan(user_id: int, quarter: Quarter, enterprise_ids: Iterable[int], *, act: Act) -> Written:
    """Make the plan of a person for a quarter: one for each region with enterprises of theirs.

    Raises InvalidInput (a quarter that is over or too far, nothing chosen), NotFound, NotAllowed, Refused when there
    is one already.
    """
    ids = list(dict.fromkeys(enterprise_ids))
    wrong = _problems(quarter, act.effective_on)
    if not ids:
        wrong["enterprises"] = "选至少一家企业。"
    if wrong:
        raise InvalidInput(wrong)
    person = visible_record(User, user_id, act.viewer, "这个用户") if user_id != act.viewer.user_id else None
    by_region = _by_region(ids, user_id, act)
    for region_id in by_region:
        require(may_plan(act.viewer, user_id, region_id), "做走访计划")
    if plan_of(user_id, quarter, act.viewer):
        whose = f"{person.name}的" if person else ""
        raise Refused(f"{quarter.words}{whose}走访计划已有。打开它再加企业。")
    changes: list[Create] = []
    for region_id, chosen in by_region.items():
        values = {"region_id": region_id, "user_id": user_id, "year": quarter.year, "quarter": quarter.number}
        changes.append(Create("visit_plan", values, ("plan", region_id)))
        changes += [_item(Ref(("plan", region_id)), i) for i in chosen]
    return write(changes, act=act, action="make_visit_plan", region_id=next(iter(by_region)))


def _problems(quarter: Quarter, today: date) -> dict[str, str]:
    """What is wrong with the quarter of a plan: pure."""
    now = quarter_of(today)
    if quarter < now:
        return {"quarter": f"{quarter.words}已经过去，不再做计划。"}
    if (quarter.year - now.year) * 4 + quarter.number - now.number > AHEAD:
        return {"quarter": f"{quarter.words}还远，最多提前 {AHEAD} 个季度做计划。"}
    return {}


def _by_region(ids: list[int], user_id: int, act: Act) -> dict[int, list[int]]:
    rows = list(db.session.scalars(visible(select(Standing).where(Standing.enterprise_id.in_(ids)), act.viewer)))
    if len(rows) != len(ids):
        raise NotFound("其中一家企业")
    others = [row for row in rows if row.manager_id != user_id]
    if others:
        raise InvalidInput({"enterprises": f"其中 {len(others)} 家由别人服务。去掉后再保存。"})
    found: dict[int, list[int]] = defaultdict(list)
    order = {i: place for place, i in enumerate(ids)}
    for row in sorted(rows, key=lambda row: order[row.enterprise_id]):
        found[row.region_id].append(row.enterprise_id)
    return found


def _item(plan_id: Any, enterprise_id: int) -> Create:
    return Create("visit_plan_enterprise", {"visit_plan_id": plan_id, "enterprise_id": enterprise_id})


def add_to_plan(plan_id: int, enterprise_ids: Iterable[int], *, act: Act) -> Written:
    """More enterprises for a plan; those that stand in it already stay as they are.

    Raises NotFound, NotAllowed, InvalidInput, Refused when all of them stand in it.
    """
    plan = own_plan(plan_id, act)
    ids = list(dict.fromkeys(enterprise_ids))
    if not ids:
        raise InvalidInput({"enterprises": "选至少一家企业。"})
    by_region = _by_region(ids, plan.user_id, act)
    if set(by_region) != {plan.region_id}:
        raise InvalidInput({"enterprises": "计划里的企业要在同一个区县。"})
    known = enterprises_of([plan.id]).get(plan.id, set())
    changes = [_item(plan.id, i) for i in ids if i not in known]
    if not changes:
        raise Refused("选的企业都在计划里了。", field="enterprises")
    return write(changes, act=act, action="add_to_visit_plan", region_id=plan.region_id)


def plan_visit(
    item_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Say when an enterprise is to be seen and what for: planned_on, purpose.

    Raises NotFound, NotAllowed, InvalidInput when the day is outside the plan's quarter, Conflict.
    """
    item, plan = own_item(item_id, act)
    quarter = Quarter(plan.year, plan.quarter)
    changed = {code: values[code] for code in ("planned_on", "purpose") if code in values}
    day = changed.get("planned_on")
    if day is not None and not quarter.first <= day <= quarter.last:
        raise InvalidInput({"planned_on": f"{day} 不在 {quarter.words}里。选 {quarter.first} 到 {quarter.last}。"})
    update = Update("visit_plan_enterprise", item.id, changed, version, seen)
    return write([update], act=act, action="plan_visit", region_id=plan.region_id)


def drop_from_plan(item_id: int, *, act: Act) -> Written:
    """Take an enterprise out of a plan; what was logged stays. Raises NotFound, NotAllowed."""
    item, plan = own_item(item_id, act)
    changes = [withdraw("visit_plan_enterprise", item.id, item.version)]
    return write(changes, act=act, action="drop_from_visit_plan", region_id=plan.region_id)


def own_plan(plan_id: int, act: Act) -> VisitPlan:
    """A plan the viewer may change. Raises NotFound, NotAllowed."""
    plan: VisitPlan = visible_record(VisitPlan, plan_id, act.viewer, "这份走访计划")
    require(may_plan(act.viewer, plan.user_id, plan.region_id), "改这份走访计划")
    return plan


def own_item(item_id: int, act: Act) -> tuple[VisitPlanEnterprise, VisitPlan]:
    """One enterprise of a plan the viewer may change. Raises NotFound, NotAllowed."""
    item: VisitPlanEnterprise = visible_record(VisitPlanEnterprise, item_id, act.viewer, "计划里的这家企业")
    return item, own_plan(item.visit_plan_id, act)
