"""What an enterprise must do by when: computed from titles, windows, cadences and recorded outcomes, never typed in.

An obligation is unique by (enterprise, kind, period). Periods: ``hnte_renewal`` the year in which the certificate
expires; ``hnte_annual_report`` the year reported on; ``tech_sme_round`` the year of the round; ``next_step`` the id of
the service log; ``request`` the id of the request that waits for an answer; ``application_stage`` the application, its
stage and the day that began; ``evidence_expiry`` the record of the material and its last day. The same facts, day and
outcomes always give the same list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crm.domain.application_dues import ApplicationDue, ApplicationFact, evidence_dues, stage_due
from crm.domain.cadences import APPLICATION_STAGE, EVIDENCE_EXPIRY, NEXT_STEP, REQUEST, Cadence, Cadences
from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.obligation_facts import Asked, Draft, NextStep, ObligationFacts, Outcome, Outcomes, deadline_words
from crm.domain.periods import Terms
from crm.domain.rounds import Round
from crm.domain.standing import Ladder
from crm.domain.statuses import GONE
from crm.domain.title_dues import title_drafts

# upcoming, open, urgent and overdue ask for something; these ask for nothing more.
SETTLED = frozenset({"done", "waived", "lapsed"})


@dataclass(frozen=True)
class Obligation:
    """One thing due. ``due_at`` is an aware moment (a day's end: its last second); ``expected``: 预计 / 推定."""

    kind: str
    period: str
    opens_on: date
    due_at: datetime
    state: str
    reason: str
    steps: tuple[str, ...]
    expected: bool
    source_id: int | None
    owner_id: int | None


def obligations(
    enterprise: ObligationFacts,
    *,
    cadences: Cadences,
    ladder: Ladder,
    rounds: Sequence[Round],
    now: datetime,
    outcomes: Outcomes,
) -> list[Obligation]:
    """Everything due or coming within each cadence's horizon, nearest first, one per (kind, period).

    ``now`` is an aware moment. A due moment postponed by an outcome (改期) takes the place of the computed one.
    """
    today = now.astimezone(SHANGHAI).date()
    found: dict[tuple[str, str], Obligation] = {}
    for draft in _drafts(enterprise, cadences, ladder.terms, rounds, now, outcomes):
        cadence = draft.cadence
        if draft.opens_on > today + timedelta(days=cadence.ahead_days):
            continue
        one = _settle(draft, now, today, outcomes.get((cadence.kind, draft.period)), enterprise.manager_id)
        if one.state in SETTLED and one.due_at.astimezone(SHANGHAI).date() + timedelta(days=cadence.keep_days) < today:
            continue
        found.setdefault((one.kind, one.period), one)
    return sorted(found.values(), key=lambda one: (one.due_at, one.kind, one.period))


def _drafts(
    enterprise: ObligationFacts,
    cadences: Cadences,
    terms: Terms,
    rounds: Sequence[Round],
    now: datetime,
    outcomes: Outcomes,
) -> Iterator[Draft]:
    yield from title_drafts(enterprise, cadences, terms, rounds, now, outcomes)
    yield from _next_steps(enterprise.next_steps, cadences, now)
    yield from _requests(enterprise.requests, cadences, now)
    if enterprise.status not in GONE:
        yield from _of_applications(enterprise.in_hand, cadences)


def _next_steps(steps: Sequence[NextStep], cadences: Cadences, now: datetime) -> Iterator[Draft]:
    for step in steps:
        cadence = cadences.of(NEXT_STEP, step.due_on) or cadences.of(NEXT_STEP, now.astimezone(SHANGHAI).date())
        if cadence is None:
            continue
        logged_on = min(step.logged_on or step.due_on, step.due_on)
        when = f"{logged_on.month} 月 {logged_on.day} 日" if step.logged_on is not None else "服务记录里"
        # The sentence is stored and read for months: a day of another year than the deadline's says its year.
        if step.logged_on is not None and logged_on.year != step.due_on.year:
            when = f"{logged_on.year} 年 {when}"
        reason = f"{when}{f'{step.how}时' if step.how and step.logged_on is not None else ''}约定：{step.text}。"
        yield Draft(
            cadence,
            str(step.log_id),
            logged_on,
            end_of_day(step.due_on),
            reason,
            reason,
            steps=(step.text,),
            source_id=step.log_id,
            owner_id=step.owner_id,
        )


# A reason has room for 400 characters; the whole request is a click away.
_REQUEST_SHOWN = 120


def _requests(asked: Sequence[Asked], cadences: Cadences, now: datetime) -> Iterator[Draft]:
    for one in asked:
        cadence = cadences.of(REQUEST, one.due_on) or cadences.of(REQUEST, now.astimezone(SHANGHAI).date())
        if cadence is None:
            continue
        text = one.text if len(one.text) <= _REQUEST_SHOWN else one.text[:_REQUEST_SHOWN] + "…"
        reason = f"{one.raised_on} 提出，{one.due_on} 前回复：{text.rstrip('。')}。"
        yield Draft(
            cadence,
            str(one.request_id),
            min(one.raised_on, one.due_on),
            end_of_day(one.due_on),
            reason,
            reason,
            settled=one.answered or None,
            steps=(text,),
            source_id=one.request_id,
        )


def _of_applications(in_hand: Sequence[ApplicationFact], cadences: Cadences) -> Iterator[Draft]:
    """What the applications in hand make due: the stage each stands in, and evidence that runs out."""
    for one in in_hand:
        stage = stage_due(one)
        named = [(APPLICATION_STAGE, stage)] if stage is not None else []
        for kind, due in (*named, *((EVIDENCE_EXPIRY, piece) for piece in evidence_dues(one))):
            cadence = cadences.of(kind, due.due_at.astimezone(SHANGHAI).date())
            if cadence is not None:
                yield _of_application(cadence, due)


def _of_application(cadence: Cadence, due: ApplicationDue) -> Draft:
    return Draft(
        cadence,
        due.period,
        due.opens_on,
        due.due_at,
        due.reason,
        due.late_reason,
        due.expected,
        steps=due.steps or cadence.steps,
        source_id=due.source_id,
    )


def _settle(draft: Draft, now: datetime, today: date, outcome: Outcome | None, owner_id: int | None) -> Obligation:
    """The obligation as it stands now: what people said first, then the facts, then the clock."""
    cadence = draft.cadence
    due_at, reason, late_reason = draft.due_at, draft.reason, draft.late_reason
    owner_id = draft.owner_id if draft.owner_id is not None else owner_id
    if outcome is not None and outcome.assignee_id is not None:
        owner_id = outcome.assignee_id
    if outcome is not None and outcome.postponed_to is not None:
        due_at = end_of_day(outcome.postponed_to)
        note = f"；已改期，原期限 {deadline_words(draft.due_at)}。"
        reason, late_reason = reason.removesuffix("。") + note, late_reason.removesuffix("。") + note
    lapses_at = draft.lapses_at
    if cadence.lapses_after_days is not None:
        lapses_at = due_at + timedelta(days=cadence.lapses_after_days)
    if outcome is not None and outcome.kind in ("done", "waived"):
        state = outcome.kind
    elif draft.settled is not None:
        state, reason = "done", draft.settled
    elif outcome is not None and outcome.kind == "missed":
        state = "lapsed"
    elif now > due_at:
        state = "lapsed" if lapses_at is not None and now > max(lapses_at, due_at) else "overdue"
        reason = late_reason
    elif today < draft.opens_on:
        state = "upcoming"
    else:
        left = (due_at.astimezone(SHANGHAI).date() - today).days
        state = "urgent" if left <= cadence.urgent_days else "open"
    return Obligation(
        cadence.kind,
        draft.period,
        draft.opens_on,
        due_at,
        state,
        reason,
        draft.steps if draft.steps is not None else cadence.steps,
        draft.expected,
        draft.source_id,
        owner_id,
    )
