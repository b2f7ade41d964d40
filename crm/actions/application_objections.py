"""Objections while a list is publicised (公示异议): raised, looked into, closed as upheld or not."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from crm.actions.application_steps import moving
from crm.actions.rights import may_edit, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.stages import ENDS
from crm.store.applications import ApplicationObjection
from crm.store.scope import visible_enterprise, visible_record
from crm.store.writer import Written, write

TEXT_LENGTH, BY_LENGTH = 2000, 120
# Where an application can meet an objection: its list is publicised, or it is being looked into already.
OPEN_TO_OBJECTION = frozenset({"publicity", "objection"})
EDITED = ("raised_on", "raised_by", "text", "record", "upheld", "closed_on")


def problems(values: Mapping[str, Any], *, today: date) -> dict[str, str]:
    """What is wrong with an objection as stated: {field: one Chinese sentence}. Pure."""
    wrong: dict[str, str] = {}
    raised_on, closed_on = values.get("raised_on"), values.get("closed_on")
    if raised_on is None:
        wrong["raised_on"] = "填收到异议的日期。"
    elif raised_on > today:
        wrong["raised_on"] = f"日期 {raised_on} 还没到。核对后改正。"
    if not (values.get("text") or "").strip():
        wrong["text"] = "写明异议的内容。"
    for name, limit in (("text", TEXT_LENGTH), ("record", TEXT_LENGTH), ("raised_by", BY_LENGTH)):
        if len(values.get(name) or "") > limit:
            wrong[name] = f"不超过 {limit} 个字。"
    if closed_on is not None and closed_on > today:
        wrong["closed_on"] = f"日期 {closed_on} 还没到。核对后改正。"
    elif closed_on is not None and raised_on is not None and closed_on < raised_on:
        wrong["closed_on"] = f"办结日期 {closed_on} 早于收到异议的 {raised_on}。核对后改正。"
    if closed_on is not None and not (values.get("record") or "").strip():
        wrong["record"] = "写明怎么核查的、结论是什么，再办结。"
    if values.get("upheld") and closed_on is None:
        wrong["closed_on"] = "异议成立要填办结日期。"
    return wrong


def raise_objection(application_id: int, values: Mapping[str, Any], *, act: Act) -> Written:
    """Record an objection against an application whose list is publicised. ``values``: the fields of EDITED.

    The stage is moved to 异议核查 by a step of its own. Raises NotFound, NotAllowed, InvalidInput, Refused when the
    application is not publicised.
    """
    found = moving(application_id, act, "登记异议")
    row = found.application
    if row.outcome is not None:
        raise Refused(f"这件申报已{ENDS[row.outcome]}，不再登记异议。")
    if found.stage not in OPEN_TO_OBJECTION:
        raise Refused(f"现在是“{row.stage}”，公示期间才登记异议。")
    stated = {"raised_on": act.effective_on, **{k: v for k, v in values.items() if k in EDITED and v is not None}}
    wrong = problems(stated, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    create = Create(
        "application_objection", {**stated, "application_id": row.id, "enterprise_id": row.enterprise_id}, "objection"
    )
    return write([create], act=act, action="raise_objection", region_id=found.enterprise.region_id)


def edit_objection(
    objection_id: int, values: Mapping[str, Any], *, version: int, seen: Mapping[str, Any] | None = None, act: Act
) -> Written:
    """Record what looking into it found, whether it is upheld and when it was closed.

    Raises NotFound, NotAllowed, InvalidInput, Conflict.
    """
    row: ApplicationObjection = visible_record(ApplicationObjection, objection_id, act.viewer, "这条异议")
    enterprise, standing = visible_enterprise(row.enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "修改异议")
    changed = {name: values[name] for name in EDITED if name in values}
    wrong = problems({name: getattr(row, name) for name in EDITED} | changed, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    update = Update("application_objection", row.id, changed, version, seen)
    return write([update], act=act, action="edit_objection", region_id=enterprise.region_id)
