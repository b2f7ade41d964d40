"""What an officer takes along on a visit: who they are, what is due, what was said last, what is short and unknown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from crm.actions.assessments import facts_of_many, judge
from crm.domain import words
from crm.domain.conditions import Outcome
from crm.domain.judgements import Result, shortfall, unknown_facts
from crm.domain.viewers import CONFIDENTIAL, INTERNAL, Viewer
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.obligation_lists import WAITING, day_of, readable_rule
from crm.store.obligations import Obligation
from crm.store.qualifications import Qualification
from crm.store.scope import visible
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.standings import Standing
from crm.store.visit_plan_lists import Line
from crm.web.enterprises import judging

# What falls due until then is worth a word on the visit.
DUE_WITHIN = timedelta(days=120)
# One page each: the last events, the nearest dates, the comparisons with the fewest gaps, the first questions.
LAST, NEAREST, KINDS, QUESTIONS = 3, 6, 3, 8


@dataclass(frozen=True)
class Gap:
    """One comparison in short: its name, what it says, and the conditions that are short."""

    name: str
    headline: str
    short: list[str]


@dataclass
class Sheet:
    """One page; what the viewer may not read stays empty."""

    line: Line
    enterprise: Enterprise
    internal: bool
    titles: list[str] = field(default_factory=list)
    due: list[tuple[date, str]] = field(default_factory=list)
    last: list[ServiceLog] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)


def sheets(lines: Sequence[Line], viewer: Viewer, on: date) -> list[Sheet]:
    """The pages of these enterprises in their order; a fixed number of queries however many there are."""
    ids = [line.firm.enterprise_id for line in lines]
    query = select(Standing).where(Standing.enterprise_id.in_(ids))
    standings = {row.enterprise_id: row for row in db.session.scalars(visible(query, viewer))}
    classes = {i: viewer.classes_over(row) for i, row in standings.items()}
    judged = _judged([i for i in ids if CONFIDENTIAL in classes.get(i, ())], on)
    firms = {
        one.id: one for one in db.session.scalars(visible(select(Enterprise).where(Enterprise.id.in_(ids)), viewer))
    }
    titles, due, last = _titles(ids, viewer, on), _due(ids, viewer, on), _last(ids, viewer)
    made = []
    for line in lines:
        i = line.firm.enterprise_id
        internal = INTERNAL in classes.get(i, ())
        sheet = Sheet(line, firms[i], internal, titles.get(i, []), due.get(i, [])[:NEAREST])
        if internal:
            sheet.last = last.get(i, [])[:LAST]
        sheet.gaps, sheet.questions = judged.get(i, ([], []))
        made.append(sheet)
    return made


def _judged(ids: Sequence[int], on: date) -> dict[int, tuple[list[Gap], list[str]]]:
    found = {}
    for enterprise, facts in facts_of_many(ids, on):
        results = [r for r in judge(facts) if r.kind != "size_class" and r.result is not Outcome.NOT_APPLICABLE]
        results.sort(key=lambda r: (_short(r), len(unknown_facts(r))))
        unknown = dict.fromkeys(ref.label for result in results for ref in unknown_facts(result))
        found[enterprise.id] = ([_gap(r, enterprise.id) for r in results[:KINDS]], list(unknown)[:QUESTIONS])
    return found


def _short(result: Result) -> int:
    steps = shortfall(result)
    return 99 if steps is None else len(steps)


def _gap(result: Result, enterprise_id: int) -> Gap:
    shown: dict[str, Any] = judging.shown(result, enterprise_id)
    short = [
        f"{row['name']}{'：' + row['gap'] if row['gap'] else ''}" for row in shown["open"] if row["result"] == "unmet"
    ]
    return Gap(shown["name"], shown["headline"], short[:4])


def _titles(ids: Sequence[int], viewer: Viewer, on: date) -> dict[int, list[str]]:
    query = (
        select(Qualification)
        .where(
            Qualification.enterprise_id.in_(ids),
            Qualification.superseded_at.is_(None),
            Qualification.ended_on.is_(None),
        )
        .order_by(Qualification.kind, Qualification.valid_to.desc())
    )
    found: dict[int, dict[str, str]] = {}
    for row in db.session.scalars(visible(query, viewer)):
        until = f"（到 {row.valid_to}）" if row.valid_to else ""
        if row.valid_to is None or row.valid_to >= on - DUE_WITHIN:
            found.setdefault(row.enterprise_id, {}).setdefault(row.kind, f"{words.word(row.kind, 'title')}{until}")
    return {i: list(held.values()) for i, held in found.items()}


def _due(ids: Sequence[int], viewer: Viewer, on: date) -> dict[int, list[tuple[date, str]]]:
    """What is late or falls due soon, nearest first: statutory dates, and what was promised."""
    query = (
        select(Obligation)
        .join(Standing, Standing.enterprise_id == Obligation.enterprise_id)
        .where(Obligation.enterprise_id.in_(ids), Obligation.state.in_(WAITING), *readable_rule(viewer))
        .order_by(Obligation.due_at, Obligation.id)
    )
    found: dict[int, list[tuple[date, str]]] = {}
    for row in db.session.scalars(visible(query, viewer)):
        if (day := day_of(row.due_at)) <= on + DUE_WITHIN and row.kind != "silence":
            what = words.OBLIGATION_KINDS.get(row.kind, row.kind)
            # A promise is told by what was promised; everything else by its name.
            found.setdefault(row.enterprise_id, []).append((day, row.reason if row.kind == "next_step" else what))
    return found


def _last(ids: Sequence[int], viewer: Viewer) -> dict[int, list[ServiceLog]]:
    link = ServiceLogEnterprise
    place = func.row_number().over(
        partition_by=link.enterprise_id, order_by=(ServiceLog.happened_on.desc(), ServiceLog.id.desc())
    )
    numbered = visible(
        select(link.enterprise_id, ServiceLog.id.label("log_id"), place.label("place"))
        .select_from(link)
        .join(ServiceLog, ServiceLog.id == link.service_log_id)
        .where(link.enterprise_id.in_(ids), ~ServiceLog.deleted),
        viewer,
    ).subquery()
    rows = db.session.execute(
        select(numbered.c.enterprise_id, ServiceLog)
        .join(ServiceLog, ServiceLog.id == numbered.c.log_id)
        .where(numbered.c.place <= LAST)
        .order_by(numbered.c.enterprise_id, numbered.c.place)
    )
    found: dict[int, list[ServiceLog]] = {}
    for enterprise_id, log in rows:
        found.setdefault(enterprise_id, []).append(log)
    return found
