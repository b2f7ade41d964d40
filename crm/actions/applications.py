"""Applications, first version: a plain list of what an enterprise is going for, its stage in words, its outcome."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from crm.actions.application_steps import decide_step, template_of, term
from crm.actions.rights import may_edit, require
from crm.domain import words
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update
from crm.domain.kinds import KINDS
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.rounds import Round
from crm.domain.stages import ENDS, STAGES, START, Template, too_late
from crm.store.applications import Application, applications_of
from crm.store.holidays import holidays
from crm.store.scope import visible_enterprise, visible_record
from crm.store.windows import Window, calendar
from crm.store.writer import Written, write

OUTCOMES = ENDS
STAGE_LENGTH, NOTE_LENGTH = 40, 500
EDITED = ("note", "window_id", "stage_due_on")


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
    year: int | None = None,
    window_id: int | None = None,
    stage: str | None,
    stage_on: date | None = None,
    note: str | None = None,
    reason: str | None = None,
    act: Act,
) -> Written:
    """Enter that an enterprise goes for a title in a window, or in a year's round that has no window yet.

    ``stage`` is a stage of the kind's template, by code or in words, or free words. A window that was closed on the day
    of that stage is refused, unless ``reason`` says why it is entered nevertheless. Raises NotFound, NotAllowed,
    InvalidInput, Refused when one for the same title and year is in hand or has passed.
    """
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "登记申报")
    window = _window(window_id, row.region_id, act)
    year = window.year if window is not None else year
    wrong = problems(kind=kind, year=year, stage=stage, stage_on=stage_on, note=note, today=act.effective_on)
    if window is not None and window.kind != kind:
        wrong.setdefault("window", "这个窗口是另一种资格的。按申报资格重新选窗口。")
    if wrong:
        raise InvalidInput(wrong)
    assert kind is not None, "a kind that is none was refused"
    assert year is not None, "a missing year was refused"
    for one in applications_of(enterprise_id):
        if (one.kind, one.year, one.outcome) == (kind, year, None):
            raise Refused(f"{year} 年的这项申报已在办（{one.stage}）。改那一条的环节。", field="year")
        if (one.kind, one.year, one.outcome) == (kind, year, "passed"):
            raise Refused(f"{year} 年的这项申报已通过，一年只申报一次。核对年度。", field="year")
    happened_on, said = stage_on or act.effective_on, (reason or "").strip()
    template = template_of(kind, year, window)
    code = template.code_of(stage)
    if code is None and stage in STAGES:
        raise InvalidInput({"stage": f"{KINDS[kind].short}申报没有“{STAGES[stage]}”这一步。选另一个环节。"})
    if window is not None and not said and (closed := _closed(window, template, code, happened_on, act)):
        raise Refused(closed, field="reason")
    if len(said) > NOTE_LENGTH:
        raise InvalidInput({"reason": f"理由不超过 {NOTE_LENGTH} 个字。"})
    values: dict[str, Any] = {
        "enterprise_id": row.id,
        "kind": kind,
        "year": year,
        "window_id": window_id,
        "stage": template.name(code) if code else (stage or "").strip(),
        "stage_code": code,
        "stage_on": happened_on,
        "stage_due_on": term(template.by_code.get(code or ""), happened_on, holidays()),
        "note": note or None,
    }
    changes = [Create("application", {k: v for k, v in values.items() if v is not None}, "application")]
    if code is not None:
        first = decide_step(
            template,
            Ref("application"),
            row.id,
            None,
            code,
            kind=START,
            happened_on=happened_on,
            reason=said,
            due_on=None,
            who=act.viewer.name,
        )
        changes.append(first[1])
    return write(changes, act=act, action="add_application", region_id=row.region_id)


def _window(window_id: int | None, region_id: int, act: Act) -> Round | None:
    """The window as it counts in the enterprise's region. Raises NotFound when it is not this viewer's to choose."""
    if window_id is None:
        return None
    visible_record(Window, window_id, act.viewer, "这个申报窗口")
    return calendar().round(window_id, region_id)


def _closed(window: Round, template: Template, code: str | None, happened_on: date, act: Act) -> str | None:
    """Why a window takes no application in that stage any more; None when it does, or for a stage after the county."""
    stage = template.by_code.get(code) if code is not None else template.stages[0]
    whose = (stage.enter_by or stage.ends_by) if stage is not None else None
    due = too_late(whose, window, happened_on, act.recorded_at)
    if due is None:
        return None
    return (
        f"{window.year} 年{window.batch}窗口 {words.moment(due, act.effective_on)} 已截止，"
        "不能再申报。选还开着或预计的窗口；确要补登，写明理由。"
    )


def edit_application(
    application_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Change what is said beside the stage: note, window_id, stage_due_on (a day by which this stage is to be over).

    ``version`` and ``seen`` are what the editor saw. Raises NotFound, NotAllowed, InvalidInput, Conflict.
    """
    row: Application = visible_record(Application, application_id, act.viewer, "这件申报")
    enterprise, standing = visible_enterprise(row.enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "修改申报")
    changed = {name: values[name] for name in EDITED if name in values}
    wrong: dict[str, str] = {}
    if len(changed.get("note") or "") > NOTE_LENGTH:
        wrong["note"] = f"说明不超过 {NOTE_LENGTH} 个字。"
    due_on = changed.get("stage_due_on")
    if due_on is not None and row.stage_on is not None and due_on < row.stage_on:
        wrong["stage_due_on"] = f"期限 {due_on} 早于到这一步的 {row.stage_on}。核对后改正。"
    window = _window(changed.get("window_id"), enterprise.region_id, act)
    if window is not None and (window.kind, window.year) != (row.kind, row.year):
        wrong["window_id"] = f"选 {row.year} 年{KINDS[row.kind].short}的窗口。"
    if wrong:
        raise InvalidInput(wrong)
    change = Update("application", row.id, changed, version, seen)
    return write([change], act=act, action="edit_application", region_id=enterprise.region_id)
