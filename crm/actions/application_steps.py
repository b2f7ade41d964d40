"""Steps of an application along the template of its kind: forward, back, out, and the mending of a wrong one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crm.actions.rights import may_edit, require
from crm.domain import words
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.refusals import SAME_FIELD, Conflict, InvalidInput, Refused
from crm.domain.reviews import RESULTS
from crm.domain.rounds import Round
from crm.domain.stages import (
    CORRECTION,
    ENDS,
    MAPPED,
    Edge,
    Stage,
    StepFact,
    Template,
    cycle_day,
    standing_steps,
    too_late,
)
from crm.domain.viewers import OFFICE
from crm.domain.workdays import Holidays
from crm.rules.stages import load_stages
from crm.store.applications import Application, steps_of
from crm.store.changes import refuse_repetition
from crm.store.enterprises import Enterprise
from crm.store.holidays import holidays
from crm.store.review_lists import waits_for_review
from crm.store.scope import visible_enterprise, visible_record
from crm.store.standings import Standing
from crm.store.windows import calendar
from crm.store.writer import Written, write

REASON_LENGTH = 500


@dataclass(frozen=True)
class Moving:
    """An application as a step finds it: its template, its window as it counts here, the steps so far."""

    application: Application
    enterprise: Enterprise
    standing: Standing
    template: Template
    window: Round | None
    steps: Sequence[StepFact]

    @property
    def stage(self) -> str | None:
        """The code of the present stage; None while its words name no stage of the template."""
        known = self.application.stage_code
        return known if known in self.template.by_code else self.template.code_of(self.application.stage)

    @property
    def last_on(self) -> date | None:
        """The day of the last step that counts, before which the next one cannot lie."""
        counting = standing_steps(self.steps)
        return counting[-1].happened_on if counting else self.application.stage_on

    @property
    def before_last_on(self) -> date | None:
        """The day of the step before the last one: a correction of the last may not lie before it."""
        counting = standing_steps(self.steps)
        return counting[-2].happened_on if len(counting) > 1 else None


def moving(application_id: int, act: Act, what: str = "推进申报") -> Moving:
    """What a step needs to know, after the right was checked. Raises NotFound, NotAllowed, Refused."""
    row: Application = visible_record(Application, application_id, act.viewer, "这件申报")
    enterprise, standing = visible_enterprise(row.enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), what)
    window = calendar().round(row.window_id, enterprise.region_id)
    return Moving(row, enterprise, standing, template_of(row.kind, row.year, window), window, steps_of(row.id))


def template_of(kind: str, year: int, window: Round | None) -> Template:
    """The template of an application's cycle. Raises Refused when the kind had none then."""
    found = load_stages().of(kind, cycle_day(year, window.opens_on if window else None))
    if found is None:
        raise Refused(f"{year} 年没有这种资格的申报环节。核对年度。", field="year")
    return found


def problems_of_step(
    template: Template,
    source: str | None,
    target: str,
    *,
    happened_on: date,
    last_on: date | None,
    reason: str,
    late_since: datetime | None,
    today: date,
) -> dict[str, str]:
    """What is wrong with a step as stated: {field: one Chinese sentence}. Pure.

    ``source`` is the present stage (None: free words of no template), ``late_since`` the window's deadline it misses.
    """
    edge = template.edge(source or "", target)
    if source is None:
        return {"to_stage": "现在的环节是自己写的话，先把它对应到一个环节，再推进。"}
    if source == target:
        return {"to_stage": f"已在“{template.name(target)}”，不用再推进。"}
    if edge is None:
        ways = "、".join(template.name(one.target) for one in template.edges_from(source))
        return {"to_stage": f"从“{template.name(source)}”不能到“{template.name(target)}”。可以到：{ways}。"}
    wrong = _wrong_day(happened_on, last_on, today, template.name(source))
    if len(reason) > REASON_LENGTH:
        wrong["reason"] = f"原因不超过 {REASON_LENGTH} 个字，现在 {len(reason)} 个字。"
    elif edge.reason and not reason:
        wrong["reason"] = _ASKED.get(edge.kind, f"写明为什么到“{template.name(target)}”。")
    elif late_since is not None and not reason:
        when = words.moment(late_since, today)
        wrong["reason"] = (
            f"窗口 {when} 已截止，{happened_on} 到“{template.name(target)}”已晚。确有其事，写明原因再登记。"
        )
    return wrong


_ASKED = {
    "return": "写明退回原因，企业照着补正。",
    "withdraw": "写明为什么撤回。",
    "not_recommended": "写明不予推荐的理由。",
    "failed": "写明未通过的原因；没有说明就写“未说明”。",
}


def _wrong_day(happened_on: date, last_on: date | None, today: date, before: str) -> dict[str, str]:
    if happened_on > today:
        return {"happened_on": f"日期 {happened_on} 还没到。填实际发生的那天。"}
    if last_on is not None and happened_on < last_on:
        return {
            "happened_on": f"日期 {happened_on} 早于到“{before}”的 {last_on}。核对后改正；上一步记错了，先更正上一步。"
        }
    return {}


def decide_step(
    template: Template,
    application_id: Any,
    enterprise_id: Any,
    source: str | None,
    target: str,
    *,
    kind: str,
    happened_on: date,
    reason: str | None,
    due_on: date | None,
    who: str,
) -> tuple[dict[str, Any], Create]:
    """The application's new values and the step that tells of it: pure. Ids may be a Ref.

    An end leaves the stage as the place where it ended and gives the outcome.
    """
    if target in ENDS:
        values: dict[str, Any] = {"outcome": target, "stage_code": source, "stage": template.name(source)}
    else:
        values = {"stage_code": target, "stage": template.name(target), "stage_on": happened_on, "outcome": None}
        values["stage_due_on"] = due_on
    told = {
        "application_id": application_id,
        "enterprise_id": enterprise_id,
        "from_stage": source,
        "to_stage": target,
        "kind": kind,
        "happened_on": happened_on,
        "reason": reason or None,
        "who": who,
    }
    return values, Create("application_step", {k: v for k, v in told.items() if v is not None}, "step")


def term(stage: Stage | None, since: date, known: Holidays) -> date | None:
    """The day a stage ends by its own term in working days; None when it has none."""
    return known.add_workdays(since, stage.workdays) if stage is not None and stage.workdays else None


def step(
    application_id: int,
    to_stage: str,
    *,
    happened_on: date | None,
    reason: str | None = None,
    due_on: date | None = None,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Take an application one step along its template, to a stage or to an end (passed, failed, withdrawn …).

    ``happened_on`` is the true day (None: the act's); ``due_on`` a day by which the new stage ought to be over, where
    the template's own term is not meant. ``version`` and ``seen`` are what the editor saw. A step back or out needs a
    reason, and so does one that comes after the window's deadline. Raises NotFound, NotAllowed, InvalidInput, Refused
    when it has ended, Conflict when somebody stepped meanwhile.
    """
    refuse_repetition(act)
    found = moving(application_id, act)
    row, template = found.application, found.template
    happened_on, said = happened_on or act.effective_on, (reason or "").strip()
    if to_stage not in template.by_code and to_stage not in ENDS:
        raise InvalidInput({"to_stage": "选到哪一步。"})
    _refuse_stale(found, to_stage, version, seen)
    if row.outcome is not None:
        raise Refused(f"这件申报已{ENDS[row.outcome]}，不能再推进。记错了，用“更正”。", field="to_stage")
    if to_stage in RESULTS and waits_for_review(row.id):
        raise Refused(
            f"这件申报在区县初审里，核对要点后在那里定“{template.name(to_stage)}”，意见和一次性告知一起留存。",
            field="to_stage",
        )
    edge = template.edge(found.stage or "", to_stage)
    late = missed_deadline(found, edge, happened_on, act.recorded_at)
    wrong = problems_of_step(
        template,
        found.stage,
        to_stage,
        happened_on=happened_on,
        last_on=found.last_on,
        reason=said,
        late_since=late,
        today=act.effective_on,
    )
    if due_on is not None and due_on < happened_on:
        wrong["due_on"] = f"期限 {due_on} 早于这一步的 {happened_on}。核对后改正。"
    if wrong:
        raise InvalidInput(wrong)
    assert edge is not None, "a step without an edge was refused"
    if edge.office:
        require(act.viewer.has_in(found.standing.region_id, *OFFICE), template.name(to_stage))
    return _write(found, to_stage, edge.kind, happened_on, said, due_on, version, act, "step_application")


def correct_step(
    application_id: int,
    to_stage: str,
    *,
    happened_on: date | None,
    reason: str | None,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Put right where an application stands, because the last step was recorded wrongly: no new fact.

    Any stage or end may be the right one, with its true day; both records stay in the history and the wrong one counts
    no more. Raises NotFound, NotAllowed, InvalidInput, Conflict.
    """
    refuse_repetition(act)
    found = moving(application_id, act, "更正申报")
    template, said = found.template, (reason or "").strip()
    happened_on = happened_on or found.last_on or act.effective_on
    _refuse_stale(found, to_stage, version, seen)
    wrong = _wrong_day(happened_on, found.before_last_on, act.effective_on, "前一步")
    if to_stage not in template.by_code and to_stage not in ENDS:
        wrong["to_stage"] = "选应该在哪一步。"
    elif (to_stage, happened_on) == (found.application.outcome or found.stage, found.last_on):
        wrong["to_stage"] = f"现在就是“{template.name(to_stage)}”，{happened_on}。要更正，环节或日期改一个。"
    if not said:
        wrong["reason"] = "写明哪里记错了。"
    elif len(said) > REASON_LENGTH:
        wrong["reason"] = f"原因不超过 {REASON_LENGTH} 个字，现在 {len(said)} 个字。"
    if wrong:
        raise InvalidInput(wrong)
    _require_office(found, to_stage, act)
    return _write(found, to_stage, CORRECTION, happened_on, said, None, version, act, "correct_application_step")


def map_stage(application_id: int, to_stage: str, *, version: int, act: Act) -> Written:
    """Say which stage of the template the free words of an older application mean; its day and words stay readable.

    Raises NotFound, NotAllowed, InvalidInput, Conflict, Refused when it stands in a stage of the template already.
    """
    refuse_repetition(act)
    found = moving(application_id, act)
    row = found.application
    if to_stage not in found.template.by_code:
        raise InvalidInput({"to_stage": "选一个环节。"})
    if found.stage is not None:
        raise Refused(f"已对应到“{found.template.name(found.stage)}”。", field="to_stage")
    _require_office(found, to_stage, act)
    happened_on = row.stage_on or act.effective_on
    said = f"原来写的是“{row.stage}”"
    return _write(found, to_stage, MAPPED, happened_on, said, None, version, act, "map_application_stage")


def missed_deadline(found: Moving, edge: Edge | None, happened_on: date, now: datetime) -> datetime | None:
    """The window's deadline this step misses; one that was met before is not asked for again (退回后再报)."""
    stage = found.template.by_code.get(edge.target) if edge is not None else None
    if stage is None or any(one.to_stage == stage.code for one in standing_steps(found.steps)):
        return None
    return too_late(stage.enter_by, found.window, happened_on, now)


def _require_office(found: Moving, to_stage: str, act: Act) -> None:
    """What only the bureau says it also puts right alone. Raises NotAllowed."""
    if any(edge.office for edge in found.template.edges if edge.target == to_stage):
        require(act.viewer.has_in(found.standing.region_id, *OFFICE), found.template.name(to_stage))


def _refuse_stale(found: Moving, to_stage: str, version: int, seen: Mapping[str, Any] | None) -> None:
    """Two people moved one application: the second is shown what the first did, and writes nothing."""
    row, template = found.application, found.template
    if version == row.version:
        return
    now = row.outcome or found.stage
    before = (seen or {}).get("outcome") or (seen or {}).get("stage_code")
    if seen is not None and before == now:
        return
    mine = template.name(to_stage)
    raise Conflict(SAME_FIELD, {"to_stage": (template.name(before), template.name(now) or row.stage, mine)})


def _write(
    found: Moving,
    target: str,
    kind: str,
    happened_on: date,
    reason: str,
    due_on: date | None,
    version: int,
    act: Act,
    action: str,
) -> Written:
    row, template = found.application, found.template
    values, told = decide_step(
        template,
        row.id,
        row.enterprise_id,
        found.stage,
        target,
        kind=kind,
        happened_on=happened_on,
        reason=reason,
        due_on=due_on or term(template.by_code.get(target), happened_on, holidays()),
        who=act.viewer.name,
    )
    # Whether somebody stepped meanwhile was judged above; edits of the note do not stand in the way of a step.
    seen = {name: getattr(row, name) for name in values}
    changes: list[Create | Update] = [Update("application", row.id, values, version, seen), told]
    return write(changes, act=act, action=action, region_id=found.enterprise.region_id)
