"""What an application in hand makes due: the end of its stage, and evidence that runs out before it was handed in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.kinds import KINDS
from crm.domain.materials import PRESENT, Checklist, Evidence
from crm.domain.rounds import Round
from crm.domain.stages import COUNTY, FORWARD, Template, stage_deadline, window_deadline

# Evidence that runs out is told a month before: a new audit or inspection report takes that long to get.
EVIDENCE_AHEAD = timedelta(days=30)


@dataclass(frozen=True)
class ApplicationDue:
    """One thing an application makes due, in the words of the due list. ``expected``: its window is not announced."""

    period: str
    opens_on: date
    due_at: datetime
    reason: str
    late_reason: str
    steps: tuple[str, ...]
    source_id: int
    expected: bool = False


@dataclass(frozen=True)
class ApplicationFact:
    """An application in hand with its window as it counts in its region, and the evidence recorded for it.

    ``stage`` is a code of the template, None while its words name none; ``template`` and ``checklist`` are those of
    its cycle, None when the kind had none.
    """

    id: int
    kind: str
    year: int
    stage: str | None
    stage_on: date | None
    stage_due_on: date | None
    window: Round | None
    template: Template | None
    checklist: Checklist | None
    evidence: tuple[Evidence, ...] = ()

    @property
    def cycle(self) -> str:
        """2026 年高企申报（第三批）。"""
        batch = f"（{self.window.batch}）" if self.window is not None and self.window.batch else ""
        return f"{self.year} 年{KINDS[self.kind].short}申报{batch}"


def stage_due(one: ApplicationFact) -> ApplicationDue | None:
    """The end of the stage an application stands in; None when nothing says by when.

    Its period names the stage and the day it began, so that a second look after 退回补正 is another obligation.
    """
    if one.template is None or one.stage is None:
        return None
    stage = one.template.by_code.get(one.stage)
    due_at = stage_deadline(stage, one.window, one.stage_on, one.stage_due_on)
    if stage is None or due_at is None:
        return None
    since = one.stage_on or due_at.astimezone(SHANGHAI).date()
    # Until the window opens there is nothing to hurry.
    opening = one.window.opens_on if one.window is not None else None
    opens_on = min(max(since, opening or since), due_at.astimezone(SHANGHAI).date())
    by_window = due_at == window_deadline(stage.ends_by, one.window)
    expected = by_window and one.window is not None and not one.window.certain
    guess = "（按往年推定）" if expected else ""
    whose = ("区县截止" if stage.ends_by == COUNTY else "企业截止") if by_window else "期限"
    ways = [edge for edge in one.template.edges_from(stage.code) if edge.kind == FORWARD]
    onward = "、".join(f"“{one.template.name(edge.target)}”" for edge in ways)
    # The sentence is stored and read for months: it names no day of today's.
    began = f"{one.stage_on} 起" if one.stage_on is not None else ""
    head = f"{one.cycle}{began}在“{stage.name}”"
    return ApplicationDue(
        f"{one.id}-{stage.code}-{since:%Y%m%d}",
        opens_on,
        due_at,
        f"{head}，{whose}{guess} {_said(due_at)}。",
        f"{head}，{whose}{guess} {_said(due_at)} 已过，还没有到下一步。",
        (f"下一步：{onward}",) if onward else (),
        one.id,
        expected,
    )


def evidence_dues(one: ApplicationFact) -> list[ApplicationDue]:
    """Evidence recorded for an application that runs out while its materials are still being put together."""
    stage = one.template.by_code.get(one.stage or "") if one.template is not None else None
    if stage is None or not stage.collecting or one.checklist is None:
        return []
    found = []
    for piece in one.evidence:
        item = one.checklist.by_code.get(piece.item)
        if item is None or piece.state != PRESENT or piece.expires_on is None:
            continue
        head = f"{one.cycle}的《{item.name}》有效期到 {piece.expires_on}"
        found.append(
            ApplicationDue(
                f"{piece.material_id}-{piece.expires_on:%Y%m%d}",
                piece.expires_on - EVIDENCE_AHEAD,
                end_of_day(piece.expires_on),
                f"{head}，到期后不能算已有，让企业换新。",
                f"{head}，已过，材料清单里按缺算，让企业换新。",
                ("让企业出新的", "在材料清单里登记新的一份"),
                one.id,
            )
        )
    return found


def _said(due_at: datetime) -> str:
    """A deadline with its hour; the last second of a day is its 24:00, which goes without saying."""
    local = due_at.astimezone(SHANGHAI)
    day = local.date().isoformat()
    return day if (local.hour, local.minute) == (23, 59) else f"{day} {local:%H:%M}"
