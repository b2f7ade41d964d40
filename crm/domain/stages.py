"""Stages of an application as data: a template per kind of title, its edges, its deadlines, and days in each stage."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import zip_longest
from typing import Protocol, TypeVar

from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.periods import Citation, holds_on
from crm.domain.rounds import Round

# The codes of data, in the order in which most templates pass through them; a template may call one by another name.
STAGES: dict[str, str] = {
    "reserve": "储备",
    "coaching": "辅导",
    "online": "网上申报",
    "handed_in": "递交材料",
    "county_review": "区县初审",
    "returned": "退回补正",
    "recommended": "推荐上报",
    "city_review": "组织评审",
    "publicity": "公示",
    "objection": "异议核查",
    "announced": "备案公告",
    "certified": "发证",
}
# How an application ends; until then it is in hand.
ENDS: dict[str, str] = {
    "passed": "通过",
    "failed": "未通过",
    "withdrawn": "撤回",
    "not_recommended": "不予推荐",
}
# What a step is: along an edge of the template, or about the record itself (起始, 更正, 对应到模板).
FORWARD, RETURN, WITHDRAW, NOT_RECOMMENDED, FAILED, PASSED = (
    "forward",
    "return",
    "withdraw",
    "not_recommended",
    "failed",
    "passed",
)
START, CORRECTION, MAPPED = "start", "correction", "mapped"
STEP_KINDS: dict[str, str] = {
    FORWARD: "推进",
    RETURN: "退回",
    WITHDRAW: "撤回",
    NOT_RECOMMENDED: "不予推荐",
    FAILED: "未通过",
    PASSED: "通过",
    START: "登记",
    CORRECTION: "更正",
    MAPPED: "对应环节",
}
EDGE_KINDS = frozenset({FORWARD, RETURN, WITHDRAW, NOT_RECOMMENDED, FAILED, PASSED})
ENTERPRISE, COUNTY = "enterprise", "county"


@dataclass(frozen=True)
class Stage:
    """One stage of a template.

    ``ends_by``: whose deadline of the window ends it (enterprise, county), None when neither does; ``workdays``: how
    many working days it lasts by its clause; ``enter_by``: whose deadline lies before it, so that nobody enters it
    afterwards without a reason; ``collecting``: materials are still being put together.
    """

    code: str
    name: str
    ends_by: str | None = None
    workdays: int | None = None
    enter_by: str | None = None
    collecting: bool = False


@dataclass(frozen=True)
class Edge:
    """One allowed step. ``reason``: it needs one in words; ``office``: only the bureau takes it (区县的意见)."""

    source: str
    target: str
    kind: str
    reason: bool = False
    office: bool = False


@dataclass(frozen=True)
class Template:
    """The stages of one or more kinds of titles, in force from–to, and the edges between them."""

    kinds: tuple[str, ...]
    stages: tuple[Stage, ...]
    edges: tuple[Edge, ...]
    valid_from: date
    valid_to: date | None
    citation: Citation
    by_code: dict[str, Stage] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_code", {stage.code: stage for stage in self.stages})

    def edge(self, source: str, target: str) -> Edge | None:
        """The edge between two stages (or to an end); None when the template has none."""
        return next((one for one in self.edges if (one.source, one.target) == (source, target)), None)

    def edges_from(self, source: str | None) -> list[Edge]:
        """Every step out of a stage, in the order of the template."""
        return [one for one in self.edges if one.source == source]

    def name(self, code: str | None) -> str:
        """A stage or an end in words; a code of no template comes back as it stands."""
        if code in self.by_code:
            return self.by_code[code].name
        return ENDS.get(code or "", STAGES.get(code or "", code or ""))

    def code_of(self, text: str | None) -> str | None:
        """The stage that free words name; None when they name none of this template."""
        said = (text or "").strip()
        found = next((stage.code for stage in self.stages if stage.name == said), None)
        return found or next((code for code in self.by_code if said in (STAGES.get(code), code)), None)

    def place(self, code: str | None) -> int:
        """Where a stage stands in the template; after the last for what is none of it."""
        codes = list(self.by_code)
        return codes.index(code) if code in self.by_code else len(codes)


@dataclass(frozen=True)
class Templates:
    """All templates, found by kind and day."""

    entries: tuple[Template, ...]

    def of(self, kind: str, on: date) -> Template | None:
        """The template of a kind in force on a day; None when the kind had none then."""
        for entry in self.entries:
            if kind in entry.kinds and holds_on(entry, on):
                return entry
        return None


def cycle_day(year: int, opens_on: date | None = None) -> date:
    """The day by which an application's template and checklist are chosen: its window's first, else the year's last."""
    return opens_on or date(year, 12, 31)


def window_deadline(whose: str | None, window: Round | None) -> datetime | None:
    """The moment of a window's deadline: the enterprises', or the county's; the other stands in for one not given."""
    if whose is None or window is None:
        return None
    closing = end_of_day(window.closes_on) if window.closes_on is not None else None
    if whose == COUNTY:
        return window.county_due_at or closing or window.enterprise_due_at
    return window.enterprise_due_at or window.county_due_at or closing


def stage_deadline(
    stage: Stage | None, window: Round | None, stage_on: date | None, due_on: date | None
) -> datetime | None:
    """By when a stage ought to be over: the earlier of the window's deadline it has and the day written at the step.

    ``due_on`` is a term in working days or a day somebody set (补正期限). The window's days are never copied into it,
    so that an announced date that moves takes the stage along. A stage that began (``stage_on``) after the window's
    deadline, because the city sent it back, is not measured by it. None: nothing says.
    """
    by_window = window_deadline(stage.ends_by if stage else None, window)
    if by_window is not None and stage_on is not None and stage_on > by_window.astimezone(SHANGHAI).date():
        by_window = None
    by_hand = end_of_day(due_on) if due_on is not None else None
    return min((moment for moment in (by_window, by_hand) if moment is not None), default=None)


def too_late(whose: str | None, window: Round | None, happened_on: date, now: datetime) -> datetime | None:
    """The deadline that a step taken on a day comes after; None when it is in time or nothing is known.

    On the day of the deadline itself the hour counts only for a step that is recorded on that day: of an earlier day
    nobody knows the hour.
    """
    due = window_deadline(whose, window)
    if due is None:
        return None
    last_day = due.astimezone(SHANGHAI).date()
    if happened_on > last_day:
        return due
    today = now.astimezone(SHANGHAI).date()
    return due if happened_on == last_day == today and now > due else None


class StepFact(Protocol):
    """What the story of an application needs of each step."""

    to_stage: str
    kind: str
    happened_on: date


AnyStep = TypeVar("AnyStep", bound=StepFact)


@dataclass(frozen=True)
class Stretch:
    """One stay in a stage: from its day to the day of the next step (None: still there)."""

    stage: str
    since: date
    until: date | None

    def days(self, today: date) -> int:
        """Calendar days in it so far."""
        return max(0, ((self.until or today) - self.since).days)


def standing_steps(steps: Sequence[AnyStep]) -> list[AnyStep]:
    """The steps that count, in order: a correction stands in place of the one before it; both stay in the history."""
    counting: list[AnyStep] = []
    for step in steps:
        if step.kind in (CORRECTION, MAPPED) and counting:
            counting.pop()
        counting.append(step)
    return counting


def stretches(steps: Sequence[StepFact]) -> list[Stretch]:
    """How long an application stayed in each stage, in order; an end closes the last one."""
    counting = standing_steps(steps)
    found = []
    for step, later in zip_longest(counting, counting[1:]):
        if step.to_stage not in ENDS:
            found.append(Stretch(step.to_stage, step.happened_on, later.happened_on if later else None))
    return found
