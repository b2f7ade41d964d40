"""What titles make due: renewal, yearly rounds, yearly reports, the report of a change of name."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from crm.domain.cadences import (
    CHANGE_REPORT,
    HNTE_ANNUAL_REPORT,
    HNTE_RENEWAL,
    TECH_SME_ROUND,
    Cadence,
    Cadences,
)
from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.kinds import HNTE, TECH_SME
from crm.domain.months import same_day_months_on
from crm.domain.obligation_facts import Draft, ObligationFacts, Outcomes, deadline_words
from crm.domain.periods import Period, Terms, TitleFact
from crm.domain.rounds import Round, rounds_of
from crm.domain.statuses import GONE
from crm.domain.titles import carried_until, runs_of, under_way


def title_drafts(
    enterprise: ObligationFacts,
    cadences: Cadences,
    terms: Terms,
    rounds: Sequence[Round],
    now: datetime,
    outcomes: Outcomes,
) -> Iterator[Draft]:
    """What the titles of an enterprise make due: renewals, rounds, reports; nothing of a firm that is gone."""
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
) -> Draft:
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
        county = f"，区县截止 {deadline_words(window.county_due_at)}" if window.county_due_at is not None else ""
        deadlines = f"按{batch}，企业截止 {deadline_words(window.due_at)}{county}"
    more = f"；{window.more}未公布，公布后期限随之更新" if window.more else ""
    in_hand = "；申报已在办" if applied else ""
    return Draft(
        cadence,
        str(year),
        window.opens_on,
        window.due_at,
        f"证书 {period.end} 到期，须在 {year} 年窗口内重新认定，不能提前申报；{deadlines}{more}{in_hand}。",
        f"证书 {period.end} 到期，{year} 年最后一批{guess}企业截止 {deadline_words(window.due_at)} 已过，未见申报；"
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
    said = f"（区县 {deadline_words(county, year)}）" if county is not None and county != due_at else ""
    return f"{one.batch} {deadline_words(due_at, year)}{said}".strip()


def _round(
    cadence: Cadence,
    period: Period,
    year: int,
    window: _Window,
    renewed: Period | None,
    applied: bool,
    until: date | None,
    now: datetime,
) -> Draft:
    settled = None
    if renewed is not None:
        settled = f"{year} 年评价已入库，自 {renewed.start} 起。"
    elif applied and now > window.due_at:
        settled = f"{year} 年评价已申报在办，结果见申报。"
    guess = "（按往年预计）" if window.expected else " "
    return Draft(
        cadence,
        str(year),
        window.opens_on,
        window.due_at,
        f"{period.year} 年登记编号每年更新，{year} 年评价{guess}{deadline_words(window.due_at)} 截止；"
        f"不办则 {period.year} 年登记到此为止。",
        f"{year} 年评价{guess}{deadline_words(window.due_at)} 已截止，未见入库，{period.year} 年登记到此为止。",
        window.expected,
        settled,
    )


def _reports(
    periods: Sequence[Period], tracked_from: date | None, cadences: Cadences, now: datetime, outcomes: Outcomes
) -> Iterator[Draft]:
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
            yield Draft(
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


def _change_reports(enterprise: ObligationFacts, periods: Sequence[Period], cadences: Cadences) -> Iterator[Draft]:
    """A 高企 that is renamed reports it, whatever becomes of the certificate afterwards.

    What was due before outcomes were recorded in full is nobody's task any more.
    """
    for renaming in enterprise.renamings:
        cadence = cadences.of(CHANGE_REPORT, renaming.on)
        held = any(p.start <= renaming.on and (p.last is None or renaming.on <= p.last) for p in periods)
        if cadence is None or not held:
            continue
        due_on = same_day_months_on(renaming.on, _CHANGE_REPORT_MONTHS)
        if enterprise.tracked_from is not None and due_on < enterprise.tracked_from:
            continue
        reason = f"{renaming.on} 由“{renaming.former_name}”更名，{_CHANGE_REPORT_MONTHS} 个月内（{due_on} 前）报告。"
        yield Draft(cadence, renaming.on.isoformat(), renaming.on, end_of_day(due_on), reason, reason)


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
