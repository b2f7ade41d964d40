"""What an enterprise must do by when: computed from titles, windows, cadences and recorded outcomes, never typed in.

An obligation is unique by (enterprise, kind, period). Periods: ``hnte_renewal`` the year in which the certificate
expires; ``hnte_annual_report`` the year reported on; ``tech_sme_round`` the year of the round; ``next_step`` the id of
the service log; ``request`` the id of the request that waits for an answer; ``application_stage`` the application, its
stage and the day that began; ``evidence_expiry`` the record of the material and its last day. The same facts, day and
outcomes always give the same list.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from crm.domain.application_dues import ApplicationDue, ApplicationFact, evidence_dues, stage_due
from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.kinds import HNTE, TECH_SME
from crm.domain.periods import Citation, Period, Terms, TitleFact
from crm.domain.rounds import Round, rounds_of
from crm.domain.standing import Ladder
from crm.domain.statuses import GONE
from crm.domain.titles import carried_until, runs_of, under_way

HNTE_RENEWAL = "hnte_renewal"
HNTE_ANNUAL_REPORT = "hnte_annual_report"
TECH_SME_ROUND = "tech_sme_round"
NEXT_STEP = "next_step"
REQUEST = "request"
CHANGE_REPORT = "change_report"
APPLICATION_STAGE = "application_stage"
EVIDENCE_EXPIRY = "evidence_expiry"
# What repeats notes and steps of the bureau's own work; the others follow from titles, which are public.
INTERNAL_KINDS = frozenset({NEXT_STEP, REQUEST, APPLICATION_STAGE, EVIDENCE_EXPIRY})
OBLIGATION_KINDS = INTERNAL_KINDS | {HNTE_RENEWAL, HNTE_ANNUAL_REPORT, TECH_SME_ROUND, CHANGE_REPORT}
# What is done by what it follows: the next step of the application, the new piece of evidence.
FOLLOWING_KINDS = frozenset({APPLICATION_STAGE, EVIDENCE_EXPIRY})

# upcoming, open, urgent and overdue ask for something; these ask for nothing more.
SETTLED = frozenset({"done", "waived", "lapsed"})


@dataclass(frozen=True)
class Cadence:
    """One kind of obligation as dated data. Days are calendar days; ``opens`` and ``due`` are (month, day) defaults.

    ``ahead_days``: listed that long before it opens. ``lapses_after_days``: None = overdue until settled.
    ``keep_days``: a settled one is listed that long after its due moment. ``misses_allowed``: so many misses cancel
    the title, by ``misses_clause``.
    """

    kind: str
    label: str
    title_kind: str | None
    opens: tuple[int, int] | None
    due: tuple[int, int] | None
    ahead_days: int
    urgent_days: int
    lapses_after_days: int | None
    keep_days: int
    misses_allowed: int | None
    misses_clause: str
    steps: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    citation: Citation


@dataclass(frozen=True)
class Cadences:
    """All cadences, found by kind and day."""

    entries: tuple[Cadence, ...]
    by_kind: dict[str, list[Cadence]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_kind: dict[str, list[Cadence]] = {}
        for entry in sorted(self.entries, key=lambda entry: entry.valid_from):
            by_kind.setdefault(entry.kind, []).append(entry)
        object.__setattr__(self, "by_kind", by_kind)

    def of(self, kind: str, on: date) -> Cadence | None:
        """The cadence in force on a day; None when that obligation did not or does no longer exist."""
        for entry in self.by_kind.get(kind, ()):
            if entry.valid_from <= on and (entry.valid_to is None or on <= entry.valid_to):
                return entry
        return None

    def label(self, kind: str) -> str:
        """The name on screen: of the latest cadence of the kind, else the kind itself."""
        entries = self.by_kind.get(kind)
        return entries[-1].label if entries else kind


@dataclass(frozen=True)
class NextStep:
    """A next step promised in a service log. ``how`` is the word for the contact (走访, 电话 …)."""

    log_id: int
    text: str
    due_on: date
    logged_on: date | None = None
    how: str = ""
    owner_id: int | None = None


@dataclass(frozen=True)
class Asked:
    """A request of the enterprise (诉求) with a day by which it is to be answered; ``answered``: how, once it was."""

    request_id: int
    text: str
    raised_on: date
    due_on: date
    answered: str = ""


@dataclass(frozen=True)
class Renaming:
    """The day from which the enterprise has another name, and the name it had until then."""

    on: date
    former_name: str


@dataclass(frozen=True)
class ObligationFacts:
    """What obligations are a function of.

    ``applications`` are (title kind, year) in hand, ``in_hand`` the same with their stages and evidence;
    ``manager_id`` is the 服务专员, who owns what nobody else does.
    ``tracked_from`` is the day since which outcomes are recorded in full: a report due on or after it and never settled
    counts as missed. Without it, only outcomes saying so do. ``status`` is the 存续状态 of the day: titles ask nothing
    of a firm that is gone, while a step somebody promised stays a promise.
    """

    titles: tuple[TitleFact, ...] = ()
    applications: tuple[tuple[str, int], ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    requests: tuple[Asked, ...] = ()
    renamings: tuple[Renaming, ...] = ()
    in_hand: tuple[ApplicationFact, ...] = ()
    manager_id: int | None = None
    tracked_from: date | None = None
    status: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a person said of one obligation: ``kind`` done, waived, postponed (改期) or missed (确认未报)."""

    kind: str
    on: date
    postponed_to: date | None = None


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


Outcomes = Mapping[tuple[str, str], Outcome]


@dataclass(frozen=True)
class _Draft:
    """An obligation before people and the clock have had their say. ``settled``: the facts show it done."""

    cadence: Cadence
    period: str
    opens_on: date
    due_at: datetime
    reason: str
    late_reason: str
    expected: bool = False
    settled: str | None = None
    lapses_at: datetime | None = None
    steps: tuple[str, ...] | None = None
    source_id: int | None = None
    owner_id: int | None = None


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
) -> Iterator[_Draft]:
    by_kind: dict[str, list[TitleFact]] = {}
    for fact in enterprise.titles:
        by_kind.setdefault(fact.kind, []).append(fact)
    if enterprise.status in GONE:
        by_kind.clear()
    for title_kind, kind, say in ((HNTE, HNTE_RENEWAL, _renewal), (TECH_SME, TECH_SME_ROUND, _round)):
        if title_kind not in by_kind:
            continue
        facts = by_kind[title_kind]
        years = [year for applied_kind, year in enterprise.applications if applied_kind == title_kind]
        periods = _periods(facts, terms, rounds, years)
        for period in periods:
            year = period.next_year
            cadence = cadences.of(kind, date(year, 12, 31)) if year is not None else None
            if year is None or cadence is None or period.stop is not None:
                continue
            window = _window(cadence, rounds_of(rounds, title_kind, year), year, now)
            if window is None:
                continue
            renewed = _renewed(period, periods)
            applied = under_way(title_kind, year, facts, years)
            until = carried_until(period, facts, rounds, years) or period.end
            yield say(cadence, period, year, window, renewed, applied, until, now)
        if title_kind == HNTE:
            yield from _reports(periods, enterprise.tracked_from, cadences, now, outcomes)
            yield from _change_reports(enterprise, periods, cadences)
    yield from _next_steps(enterprise.next_steps, cadences, now)
    yield from _requests(enterprise.requests, cadences, now)
    if enterprise.status not in GONE:
        yield from _of_applications(enterprise.in_hand, cadences)


def _periods(facts: list[TitleFact], terms: Terms, rounds: Sequence[Round], years: Collection[int]) -> list[Period]:
    """The periods of one kind, latest first, so that of two records of one title the fuller one speaks."""
    found = [period for run in runs_of(facts, terms, rounds, years) for period in run.periods]
    return sorted(found, key=lambda p: (p.last or date.max, p.start), reverse=True)


def _renewed(period: Period, periods: Sequence[Period]) -> Period | None:
    """The title that took this one's place: later, lasting longer, of the year this one had to be renewed in."""
    for other in periods:
        if other.start <= period.start or (other.last or date.max) <= (period.last or date.max):
            continue
        if other.year == period.next_year or other.start.year == period.next_year:
            return other
    return None


@dataclass(frozen=True)
class _Window:
    """The stretch of a year in which something can be filed, and the last window of it that counts."""

    opens_on: date
    due_at: datetime
    county_due_at: datetime | None
    batch: str
    expected: bool
    more: str  # the batch that is expected after it, for the sentence
    ahead: tuple[tuple[datetime, Round], ...] = ()  # the announced ones an enterprise can still make, with its deadline


def _window(cadence: Cadence, known: Sequence[Round], year: int, now: datetime) -> _Window | None:
    """Opens with the year's first window; due with the enterprises' deadline of the last *announced* one.

    Once that has passed, a later window that is only expected takes over; so does the whole year's expectation while
    nothing is announced. Without any window the cadence's usual days are expected.
    """
    dated = sorted(((due, one) for one in known if (due := _due_of(one)) is not None), key=lambda pair: pair[0])
    if not dated:
        if cadence.opens is None or cadence.due is None:
            return None
        return _Window(date(year, *cadence.opens), end_of_day(date(year, *cadence.due)), None, "", True, "")
    certain = [pair for pair in dated if pair[1].certain]
    due_at, last = (certain or dated)[-1]
    later = [pair for pair in dated if not pair[1].certain and pair[0] > due_at]
    if due_at < now and later and later[-1][0] >= now:
        due_at, last = later[-1]
        later = []
    openings = [one.opens_on for _, one in dated if one.opens_on is not None]
    opens = min(openings, default=due_at.astimezone(SHANGHAI).date())
    more = later[-1][1].batch if later else ""
    ahead = tuple(pair for pair in certain if now <= pair[0])
    return _Window(opens, due_at, last.county_due_at, last.batch, not last.certain, more, ahead)


def _due_of(one: Round) -> datetime | None:
    """By when the enterprise must have filed: its own deadline, else the county's, else the closing day's end."""
    if one.enterprise_due_at is not None:
        return one.enterprise_due_at
    if one.county_due_at is not None:
        return one.county_due_at
    return end_of_day(one.closes_on) if one.closes_on is not None else None


def _renewal(
    cadence: Cadence,
    period: Period,
    year: int,
    window: _Window,
    renewed: Period | None,
    applied: bool,
    until: date | None,
    now: datetime,
) -> _Draft:
    settled = None
    if renewed is not None:
        settled = f"已重新认定，新证书自 {renewed.start} 起。"
    elif applied and now > window.due_at:
        settled = f"{year} 年重新认定的申报已在办，结果见申报。"
    guess = "（按往年推定）" if window.expected else ""
    if len(window.ahead) > 1:
        deadlines = f"企业截止 {_batches(window.ahead, year)}"
    else:
        batch = f"{window.batch}{guess}" if window.batch else f"当年窗口{guess}"
        county = f"，区县截止 {_moment(window.county_due_at)}" if window.county_due_at is not None else ""
        deadlines = f"按{batch}，企业截止 {_moment(window.due_at)}{county}"
    more = f"；{window.more}未公布，公布后期限随之更新" if window.more else ""
    in_hand = "；申报已在办" if applied else ""
    return _Draft(
        cadence,
        str(year),
        window.opens_on,
        window.due_at,
        f"证书 {period.end} 到期，须在 {year} 年窗口内重新认定，不能提前申报；{deadlines}{more}{in_hand}。",
        f"证书 {period.end} 到期，{year} 年最后一批{guess}企业截止 {_moment(window.due_at)} 已过，未见申报；"
        f"{until} 后仍无公告即期满未续。",
        window.expected,
        settled,
        end_of_day(until) if until is not None else None,
    )


# A reason has room for 400 characters; what else the sentence of a renewal says takes up to 150 of them.
_ROOM_FOR_BATCHES = 230


def _batches(ahead: Sequence[tuple[datetime, Round]], year: int) -> str:
    """The batches an enterprise can still make, nearest first; with very long names only as many as have room."""
    said = [_batch(one, due_at, year) for due_at, one in ahead]
    count = len(said)
    while len("、".join(said)) > _ROOM_FOR_BATCHES:
        said.pop()
    return "、".join(said) + ("" if len(said) == count else f"等 {count} 批")


def _batch(one: Round, due_at: datetime, year: int) -> str:
    """One batch of several with its deadlines: ``第三批 08-31（区县 09-12 12:00）``."""
    county = one.county_due_at
    said = f"（区县 {_moment(county, year)}）" if county is not None and county != due_at else ""
    return f"{one.batch} {_moment(due_at, year)}{said}".strip()


def _round(
    cadence: Cadence,
    period: Period,
    year: int,
    window: _Window,
    renewed: Period | None,
    applied: bool,
    until: date | None,
    now: datetime,
) -> _Draft:
    settled = None
    if renewed is not None:
        settled = f"{year} 年评价已入库，自 {renewed.start} 起。"
    elif applied and now > window.due_at:
        settled = f"{year} 年评价已申报在办，结果见申报。"
    guess = "（按往年预计）" if window.expected else " "
    return _Draft(
        cadence,
        str(year),
        window.opens_on,
        window.due_at,
        f"{period.year} 年登记编号每年更新，{year} 年评价{guess}{_moment(window.due_at)} 截止；"
        f"不办则 {period.year} 年登记到此为止。",
        f"{year} 年评价{guess}{_moment(window.due_at)} 已截止，未见入库，{period.year} 年登记到此为止。",
        window.expected,
        settled,
    )


def _reports(
    periods: Sequence[Period], tracked_from: date | None, cadences: Cadences, now: datetime, outcomes: Outcomes
) -> Iterator[_Draft]:
    """One report for each 31 May (by the cadence) that lies in a certificate's validity, on the year before it."""
    for period in periods:
        if period.last is None:
            continue
        missed: list[int] = []
        for year in range(period.start.year, period.last.year + 1):
            cadence = cadences.of(HNTE_ANNUAL_REPORT, date(year, 1, 1))
            if cadence is None or cadence.opens is None or cadence.due is None:
                continue
            due_on = date(year, *cadence.due)
            if not period.start <= due_on <= period.last:
                continue
            reported = year - 1
            due_at = end_of_day(due_on)
            outcome = outcomes.get((HNTE_ANNUAL_REPORT, str(reported)))
            yield _Draft(
                cadence,
                str(reported),
                date(year, *cadence.opens),
                due_at,
                _report_reason(period, reported, due_on, missed, cadence),
                _report_reason(period, reported, due_on, missed, cadence),
            )
            untold = tracked_from is not None and tracked_from <= due_on and now > due_at
            if outcome.kind == "missed" if outcome is not None else untold:
                missed.append(reported)


# 国科发火〔2016〕32号 第十七条: a new name is reported within three months.
_CHANGE_REPORT_MONTHS = 3


def _change_reports(enterprise: ObligationFacts, periods: Sequence[Period], cadences: Cadences) -> Iterator[_Draft]:
    """A 高企 that is renamed reports it, whatever becomes of the certificate afterwards.

    What was due before outcomes were recorded in full is nobody's task any more.
    """
    for renaming in enterprise.renamings:
        cadence = cadences.of(CHANGE_REPORT, renaming.on)
        held = any(p.start <= renaming.on and (p.last is None or renaming.on <= p.last) for p in periods)
        if cadence is None or not held:
            continue
        due_on = _months_later(renaming.on, _CHANGE_REPORT_MONTHS)
        if enterprise.tracked_from is not None and due_on < enterprise.tracked_from:
            continue
        reason = f"{renaming.on} 由“{renaming.former_name}”更名，{_CHANGE_REPORT_MONTHS} 个月内（{due_on} 前）报告。"
        yield _Draft(cadence, renaming.on.isoformat(), renaming.on, end_of_day(due_on), reason, reason)


def _months_later(day: date, months: int) -> date:
    """The same day some months on; the last of the month where it has no such day."""
    year, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + year, month + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))


def _report_reason(period: Period, reported: int, due_on: date, missed: Sequence[int], cadence: Cadence) -> str:
    allowed = cadence.misses_allowed
    if missed and allowed is not None:
        years = "、".join(f"{year} 年度" for year in missed)
        if len(missed) + 1 < allowed:
            then = f"累计缺报 {allowed} 次取消高企资格"
        elif len(missed) < allowed:
            then = "再缺一次即取消高企资格"
        else:
            then = "已达取消高企资格的次数，先与市级核实"
        return f"有效期内已缺报 {len(missed)} 次（{years}），{then}（{cadence.misses_clause}）。"
    return (
        f"证书 {period.start} 至 {period.last} 有效，有效期内每年 {due_on.month} 月 {due_on.day} 日前填报上一年度情况，"
        f"这次报 {reported} 年度。"
    )


def _next_steps(steps: Sequence[NextStep], cadences: Cadences, now: datetime) -> Iterator[_Draft]:
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
        yield _Draft(
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


def _requests(asked: Sequence[Asked], cadences: Cadences, now: datetime) -> Iterator[_Draft]:
    for one in asked:
        cadence = cadences.of(REQUEST, one.due_on) or cadences.of(REQUEST, now.astimezone(SHANGHAI).date())
        if cadence is None:
            continue
        text = one.text if len(one.text) <= _REQUEST_SHOWN else one.text[:_REQUEST_SHOWN] + "…"
        reason = f"{one.raised_on} 提出，{one.due_on} 前回复：{text.rstrip('。')}。"
        yield _Draft(
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


def _of_applications(in_hand: Sequence[ApplicationFact], cadences: Cadences) -> Iterator[_Draft]:
    """What the applications in hand make due: the stage each stands in, and evidence that runs out."""
    for one in in_hand:
        stage = stage_due(one)
        named = [(APPLICATION_STAGE, stage)] if stage is not None else []
        for kind, due in (*named, *((EVIDENCE_EXPIRY, piece) for piece in evidence_dues(one))):
            cadence = cadences.of(kind, due.due_at.astimezone(SHANGHAI).date())
            if cadence is not None:
                yield _of_application(cadence, due)


def _of_application(cadence: Cadence, due: ApplicationDue) -> _Draft:
    return _Draft(
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


def _settle(draft: _Draft, now: datetime, today: date, outcome: Outcome | None, owner_id: int | None) -> Obligation:
    """The obligation as it stands now: what people said first, then the facts, then the clock."""
    cadence = draft.cadence
    due_at, reason, late_reason = draft.due_at, draft.reason, draft.late_reason
    if outcome is not None and outcome.postponed_to is not None:
        due_at = end_of_day(outcome.postponed_to)
        note = f"；已改期，原期限 {_moment(draft.due_at)}。"
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
        draft.owner_id if draft.owner_id is not None else owner_id,
    )


def _moment(at: datetime | None, year: int | None = None) -> str:
    """A deadline as people say it: the last second of a day is its 24:00, which goes without saying.

    So does the year when the sentence has named that ``year`` already.
    """
    if at is None:
        return ""
    local = at.astimezone(SHANGHAI)
    day = f"{local:%m-%d}" if local.year == year else local.date().isoformat()
    return day if (local.hour, local.minute) == (23, 59) else f"{day} {local:%H:%M}"
