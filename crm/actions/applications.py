"""Applications, first version: a plain list of what an enterprise is going for, its stage in words, its outcome."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from crm.actions.rights import may_edit, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.kinds import KINDS
from crm.domain.refusals import InvalidInput, Refused
from crm.store.applications import Application, applications_of
from crm.store.scope import visible_enterprise, visible_record
from crm.store.writer import Written, write

OUTCOMES: dict[str, str] = {
    "passed": "通过",
    "failed": "未通过",
    "withdrawn": "撤回",
    "not_recommended": "不予推荐",
}
STAGE_LENGTH, NOTE_LENGTH = 40, 500


def problems(
    *, kind: str | None, year: int | None, stage: str | None, stage_on: date | None, note: str | None, today: date
) -> dict[str, str]:
    """What is wrong with an application as stated: {field: one Chinese sentence}."""
    wrong: dict[str, str] = {}
    if kind not in KINDS:
        wrong["kind"] = "选申报的资格。"
    if year is None or not 2000 <= year <= today.year + 2:
        wrong["year"] = f"申报年度填 2000 到 {today.year + 2} 之间的年份。"
    if not (stage or "").strip():
        wrong["stage"] = "写现在到哪一步，如“网上申报”。"
    elif len(stage or "") > STAGE_LENGTH:
        wrong["stage"] = f"环节不超过 {STAGE_LENGTH} 个字，写短些，其余写在说明里。"
    if stage_on is not None and stage_on > today:
        wrong["stage_on"] = f"日期 {stage_on} 还没到。填到这一步的那天。"
    if len(note or "") > NOTE_LENGTH:
        wrong["note"] = f"说明不超过 {NOTE_LENGTH} 个字。"
    return wrong


def add_application(
    enterprise_id: int,
    *,
    kind: str | None,
    year: int | None,
    stage: str | None,
    stage_on: date | None = None,
    note: str | None = None,
    act: Act,
) -> Written:
    """Enter that an enterprise goes for a title in a year's round.

    Raises NotFound, NotAllowed, InvalidInput, Refused when one for the same title and year is in hand.
    """
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "登记申报")
    wrong = problems(kind=kind, year=year, stage=stage, stage_on=stage_on, note=note, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    for one in applications_of(enterprise_id):
        if (one.kind, one.year, one.outcome) == (kind, year, None):
            raise Refused(f"{year} 年的这项申报已在办（{one.stage}）。改那一条的环节。", field="year")
    values: dict[str, Any] = {
        "enterprise_id": row.id,
        "kind": kind,
        "year": year,
        "stage": (stage or "").strip(),
        "stage_on": stage_on or act.effective_on,
        "note": note or None,
    }
    create = Create("application", {k: v for k, v in values.items() if v is not None}, "application")
    return write([create], act=act, action="add_application", region_id=row.region_id)


def move_application(
    application_id: int,
    *,
    stage: str | None,
    stage_on: date | None = None,
    outcome: str | None = None,
    note: str | None = None,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Say in words which stage an application has reached, and its outcome when there is one (None: in hand).

    ``version`` and ``seen`` are what the editor saw. Raises NotFound, NotAllowed, InvalidInput, Conflict.
    """
    row: Application = visible_record(Application, application_id, act.viewer, "这件申报")
    enterprise, standing = visible_enterprise(row.enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "修改申报")
    wrong = problems(kind=row.kind, year=row.year, stage=stage, stage_on=stage_on, note=note, today=act.effective_on)
    if outcome is not None and outcome not in OUTCOMES:
        wrong["outcome"] = "结果从列表里选；在办就留空。"
    if wrong:
        raise InvalidInput(wrong)
    values = {
        "stage": (stage or "").strip(),
        "stage_on": stage_on or act.effective_on,
        "outcome": outcome,
        "note": note or None,
    }
    change = Update("application", row.id, values, version, seen)
    return write([change], act=act, action="move_application", region_id=enterprise.region_id)
