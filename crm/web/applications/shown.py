"""What pages show of applications: the stage bar with days, the deadline with its hour, the completeness."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from crm.actions.application_materials import checklist_of
from crm.actions.application_steps import template_of
from crm.actions.rights import may_edit
from crm.domain import words
from crm.domain.kinds import KINDS
from crm.domain.materials import Completeness, Evidence, ItemState, completeness, judge
from crm.domain.refusals import NotFound, Refused
from crm.domain.rounds import Round
from crm.domain.stages import (
    CORRECTION,
    ENDS,
    FORWARD,
    MAPPED,
    RETURN,
    Edge,
    StepFact,
    Template,
    stage_deadline,
    standing_steps,
    stretches,
)
from crm.domain.viewers import INTERNAL
from crm.store.application_lists import Row
from crm.store.applications import Application, evidence_of, former_evidence, objections_of, steps_of
from crm.store.enterprises import Enterprise
from crm.store.scope import visible_enterprise, visible_record
from crm.store.standings import Standing
from crm.store.windows import Calendar, calendar
from crm.web.doors import now, today, viewer


@dataclass(frozen=True)
class StagePart:
    """One stage of the bar: ``state`` is done, now, ahead or skipped; ``side`` ones stand off the straight way."""

    code: str
    name: str
    state: str
    days: int | None
    side: bool


@dataclass(frozen=True)
class Card:
    """One application on the board or in a list: days in its stage, deadline, completeness, where it may go."""

    row: Row
    stage: str | None
    days: int | None
    due_at: datetime | None
    complete: Completeness | None
    window: Round | None
    ways: Sequence[Edge]

    @property
    def deadline(self) -> words.Deadline | None:
        """The chip; None when nothing says by when."""
        return words.deadline(self.due_at, now()) if self.due_at is not None else None


class Shown:
    """One application for this viewer; what a page does not ask for is not read."""

    def __init__(
        self, row: Application, enterprise: Enterprise, standing: Standing, windows: Calendar | None = None
    ) -> None:
        self.row = row
        self.enterprise = enterprise
        self.standing = standing
        self.on = today()
        self.window: Round | None = (windows or calendar()).round(row.window_id, enterprise.region_id)
        self.template: Template = template_of(row.kind, row.year, self.window)

    @property
    def may_edit(self) -> bool:
        return may_edit(viewer(), self.standing)

    @property
    def may_decide(self) -> bool:
        """Whether this viewer says what the county says: 推荐上报, 不予推荐."""
        return viewer().has_in(self.standing.region_id, "bureau", "admin")

    @property
    def open(self) -> bool:
        return self.row.outcome is None

    @property
    def cycle(self) -> str:
        """2026 年第三批 or 2026 年."""
        return cycle_of(self.row.year, self.window)

    @property
    def title(self) -> str:
        return f"{self.cycle}{KINDS[self.row.kind].short}申报"

    @property
    def stage(self) -> str | None:
        return stage_of(self.row, self.template)

    @property
    def stage_name(self) -> str:
        return self.template.name(self.stage) if self.stage else self.row.stage

    @cached_property
    def steps(self) -> list[StepFact]:
        return steps_of(self.row.id)  # type: ignore[return-value]  # rows have the columns that the story needs

    @cached_property
    def counting(self) -> frozenset[int]:
        """The ids of the steps that a correction has not taken the place of."""
        return frozenset(step.id for step in standing_steps(self.steps))

    @property
    def days(self) -> int | None:
        return max(0, (self.on - self.row.stage_on).days) if self.row.stage_on is not None and self.open else None

    @property
    def due_at(self) -> datetime | None:
        stage = self.template.by_code.get(self.stage or "")
        if not self.open:
            return None
        return stage_deadline(stage, self.window, self.row.stage_on, self.row.stage_due_on)

    @property
    def ways(self) -> list[Edge]:
        """Where it may go next; what only the bureau says is left out for others."""
        if not self.open:
            return []
        return [edge for edge in self.template.edges_from(self.stage) if not edge.office or self.may_decide]

    @property
    def last_step(self) -> StepFact | None:
        counting = standing_steps(self.steps)
        return counting[-1] if counting else None

    @cached_property
    def bar(self) -> list[StagePart]:
        return bar_of(self.template, self.steps, self.stage, self.on, ended=not self.open)

    @cached_property
    def materials(self) -> list[ItemState]:
        try:
            checklist = checklist_of(self.row.kind, self.row.year, self.window)
        except Refused:
            return []
        evidence = evidence_of([self.row.id])[self.row.id]
        former = former_evidence(self.row.enterprise_id, self.row.id) if self.open else []
        return judge(checklist, evidence, former, year=self.row.year, on=self.on)

    @property
    def complete(self) -> Completeness:
        return completeness(self.materials)

    @cached_property
    def objections(self):
        return objections_of(self.row.id)


def shown(application_id: int) -> Shown:
    """One application; NotFound when it is not this viewer's, or when the viewer reads only public fields of it."""
    row: Application = visible_record(Application, application_id, viewer(), "这件申报")
    enterprise, standing = visible_enterprise(row.enterprise_id, viewer())
    if INTERNAL not in viewer().classes_over(standing):
        raise NotFound("这件申报")
    return Shown(row, enterprise, standing)


def cycle_of(year: int, window: Round | None) -> str:
    """The cycle in words: 2026 年第三批."""
    return f"{year} 年{window.batch if window is not None else ''}"


def stage_of(row: Application, template: Template) -> str | None:
    """The code of the stage an application stands in; None for free words that name none."""
    return row.stage_code if row.stage_code in template.by_code else template.code_of(row.stage)


def bar_of(
    template: Template, steps: Sequence[StepFact], stage: str | None, on: date, *, ended: bool
) -> list[StagePart]:
    """The stages of a template with the days spent in each. One that is only entered by a way back stands aside."""
    days: dict[str, int] = {}
    for one in stretches(steps):
        days[one.stage] = days.get(one.stage, 0) + one.days(on)
    here = template.place(stage)
    straight = {edge.target for edge in template.edges if edge.kind == FORWARD and not edge.reason}
    found = []
    for n, part in enumerate(template.stages):
        side = n > 0 and part.code not in straight
        if side and part.code not in days and part.code != stage:
            continue
        if part.code == stage:
            state = "done" if ended else "now"
        elif part.code in days:
            state = "done"
        else:
            state = "skipped" if n < here else "ahead"
        found.append(StagePart(part.code, part.name, state, days.get(part.code), side))
    return found


def cards_of(rows: Iterable[Row], calendar_: Calendar) -> list[Card]:
    """Rows of a list with what is computed beside them: one query for all their materials."""
    rows = list(rows)
    evidence = evidence_of(one.application.id for one in rows)
    return [_card(one, evidence[one.application.id], calendar_) for one in rows]


def _card(row: Row, evidence: Sequence[Evidence], calendar_: Calendar) -> Card:
    one = row.application
    window = calendar_.round(one.window_id, row.region_id)
    try:
        template = template_of(one.kind, one.year, window)
        checklist = checklist_of(one.kind, one.year, window)
    except Refused:
        return Card(row, None, None, None, None, window, ())
    stage = stage_of(one, template)
    on = today()
    due_at = None
    if one.outcome is None:
        due_at = stage_deadline(template.by_code.get(stage or ""), window, one.stage_on, one.stage_due_on)
    days = max(0, (on - one.stage_on).days) if one.stage_on is not None and one.outcome is None else None
    states = judge(checklist, evidence, (), year=one.year, on=on)
    ways = template.edges_from(stage) if one.outcome is None else []
    return Card(row, stage, days, due_at, completeness(states), window, ways)


# How a step looks in the history.
STEP_ICONS = {
    RETURN: "arrow-back-up",
    CORRECTION: "edit",
    MAPPED: "edit",
    "withdraw": "ban",
    "not_recommended": "ban",
    "failed": "x",
    "passed": "check",
}
END_LOOKS = {"passed": "ok", "failed": "bad", "withdrawn": "laps", "not_recommended": "bad"}

__all__ = ["ENDS", "END_LOOKS", "STEP_ICONS", "Card", "Shown", "cards_of", "cycle_of", "shown"]
