"""Several steps of an application in one act: what one decision of the county or the city moves it through.

Each step follows an edge of the template and is judged by the same rules as a single one; the caller writes them
together with what they follow from, so that one undo takes all of it back.
"""

from collections import deque
from datetime import date
from typing import Any

from crm.actions.application_steps import Moving, decide_step, missed_deadline, problems_of_step, term
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.stages import ENDS, FORWARD, Template
from crm.domain.viewers import OFFICE
from crm.store.holidays import holidays


def path(template: Template, source: str | None, target: str) -> list[str] | None:
    """The fewest forward steps from a stage to a stage or an end; the last one may be of any kind. Pure.

    Empty when it stands there already, None when the template knows no way.
    """
    if source == target:
        return []
    waiting: deque[tuple[str, list[str]]] = deque([(source or "", [])])
    reached = {source}
    while waiting:
        here, so_far = waiting.popleft()
        for edge in template.edges_from(here):
            if edge.target == target:
                return [*so_far, target]
            if edge.kind == FORWARD and edge.target not in reached and edge.target not in ENDS:
                reached.add(edge.target)
                waiting.append((edge.target, [*so_far, edge.target]))
    return None


def walk(
    found: Moving,
    target: str,
    *,
    happened_on: date,
    act: Act,
    reason: str = "",
    late_reason: str = "",
    due_on: date | None = None,
) -> list[Create | Update]:
    """The changes that take an application to a stage or an end, through the stages between: reads, writes nothing.

    ``reason`` belongs to the last step, ``late_reason`` to each that misses a deadline of the window. Raises Refused
    when it has ended or no way leads there, InvalidInput, NotAllowed.
    """
    row, template = found.application, found.template
    if row.outcome is not None:
        raise Refused(f"这件申报已{ENDS[row.outcome]}，不能再推进。")
    ways = path(template, found.stage, target)
    if ways is None:
        now = template.name(found.stage) or row.stage
        raise Refused(f"这件申报现在在“{now}”，不能到“{template.name(target)}”。先在申报页更正环节。")
    changes: list[Create | Update] = []
    merged: dict[str, Any] = {}
    source, last_on = found.stage, found.last_on
    for stage in ways:
        edge = template.edge(source or "", stage)
        assert edge is not None, "a way is made of edges"
        late = missed_deadline(found, edge, happened_on, act.recorded_at)
        said = (reason if stage == target else "") or (late_reason if late else "")
        wrong = problems_of_step(
            template,
            source,
            stage,
            happened_on=happened_on,
            last_on=last_on,
            reason=said,
            late_since=late,
            today=act.effective_on,
        )
        if wrong:
            raise InvalidInput(wrong)
        if edge.office:
            require(act.viewer.has_in(found.standing.region_id, *OFFICE), template.name(stage))
        due = due_on if stage == target else None
        values, told = decide_step(
            template,
            row.id,
            row.enterprise_id,
            source,
            stage,
            kind=edge.kind,
            happened_on=happened_on,
            reason=said,
            due_on=due or term(template.by_code.get(stage), happened_on, holidays()),
            who=act.viewer.name,
        )
        merged |= values
        changes.append(Create(told.noun, told.values))
        source, last_on = stage, happened_on
    if merged:
        changes.insert(0, Update("application", row.id, merged, row.version))
    return changes
