"""Titles of one enterprise as a page shows them: bars of the time line, and the same facts as a table."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from crm.domain.kinds import KINDS, POOL
from crm.domain.months import months_on
from crm.domain.periods import TitleFact, period_of, term_for
from crm.domain.rounds import Round, rounds_of
from crm.domain.titles import Segment, timeline
from crm.extensions import policy
from crm.store.applications import Application
from crm.store.pool import PoolMembership
from crm.store.qualifications import Qualification

# Years shown before and after today; a certificate of three years fits on both sides.
YEARS_BEFORE, YEARS_AFTER = 5, 2
# On the phone the line shows the two years around today instead: six years there would cut every label.
MONTHS_BEFORE, MONTHS_AFTER = 11, 12
# How wide the drawings are at least, from 1280 px and from 360 px on; a label is only drawn where it fits.
WIDE_PX, NARROW_PX, CHARACTER_PX, PADDING_PX = 520, 196, 7.4, 14

SOLID = frozenset({"valid", "expiring"})
HATCHED = frozenset({"awaiting_update", "renewing", "expired_unverified"})


@dataclass(frozen=True)
class Scale:
    first: date
    last: date
    width_px: int

    def x(self, day: date) -> float:
        """Percent of the drawing, cut at its ends."""
        share = (day - self.first).days / (self.last - self.first).days * 100
        return round(min(max(share, 0.0), 100.0), 2)

    def fits(self, text: str, percent: float) -> bool:
        """Whether a label has room in so much of the drawing."""
        wide = sum(13 if ord(c) > 0x2E80 else CHARACTER_PX for c in text)
        return percent / 100 * self.width_px >= wide + PADDING_PX

    def years(self) -> list[tuple[float, str]]:
        """Where each year begins, and its number unless too little of it is drawn."""
        starts = [self.x(date(year, 1, 1)) for year in range(self.first.year, self.last.year + 1)]
        rooms = [right - left for left, right in pairwise([*starts, 100.0])]
        numbers = [str(year) for year in range(self.first.year, self.last.year + 1)]
        return [(x, n if self.fits(n, room) else "") for x, n, room in zip(starts, numbers, rooms, strict=True)]


def time_line(
    facts: Sequence[TitleFact],
    pool: Sequence[PoolMembership],
    applications: Sequence[Application],
    rounds: Sequence[Round],
    states: dict[str, str],
    on: date,
) -> dict[str, Any] | None:
    """What ``ui.timeline`` draws, with its ``narrow`` twin for the phone; None when there is nothing to draw."""
    in_hand = {(a.kind, a.year) for a in applications if a.outcome is None}
    kinds = [kind for kind in KINDS if any(f.kind == kind for f in facts) or any(k == kind for k, _ in in_hand)]
    if pool and "hnte" not in kinds:
        kinds.append("hnte")
    if not kinds and not pool:
        return None
    segments = {kind: _segments(kind, facts, rounds, [y for k, y in in_hand if k == kind]) for kind in kinds}
    begun = [s[0].starts_on for s in segments.values() if s] + [d for p in pool if (d := p.entered_on or p.proposed_on)]
    first_year = max(min([d.year for d in begun] or [on.year - 2]), on.year - YEARS_BEFORE)
    shown = _Shown(facts, pool, rounds, states, segments, on)
    wide = Scale(date(min(first_year, on.year - 2), 1, 1), date(on.year + YEARS_AFTER, 12, 31), WIDE_PX)
    narrow = Scale(months_on(on, -MONTHS_BEFORE), months_on(on, MONTHS_AFTER + 1) - timedelta(days=1), NARROW_PX)
    return {**_drawing(shown, wide), "narrow": _drawing(shown, narrow)}


@dataclass(frozen=True)
class _Shown:
    """What is drawn, whatever the width."""

    facts: Sequence[TitleFact]
    pool: Sequence[PoolMembership]
    rounds: Sequence[Round]
    states: dict[str, str]
    segments: dict[str, tuple[Segment, ...]]
    on: date


def _drawing(shown: _Shown, scale: Scale) -> dict[str, Any]:
    rows = []
    for kind in [k for k in KINDS if k in shown.segments]:
        if kind == "hnte" and shown.pool:
            rows.append(_pool_row(shown.pool, shown.states, scale, shown.on))
        held = shown.segments[kind]
        bars = [bar for stretch in _joined(held) for bar in _bars(kind, stretch, shown.facts, scale, shown.on)]
        window = _next_window(kind, shown.rounds, shown.on)
        if held or window:
            rows.append(
                {
                    "kind": kind,
                    "state": shown.states.get(kind, "valid"),
                    "held": bool(held),
                    "label": KINDS[kind].short,
                    "bars": bars,
                    **(_window(window, bars, scale, shown.on) if window else {}),
                }
            )
    return {"rows": rows, "years": scale.years(), "today": scale.x(shown.on)}


def _segments(
    kind: str, facts: Sequence[TitleFact], rounds: Sequence[Round], applied: Collection[int]
) -> tuple[Segment, ...]:
    return timeline(kind, facts, terms=policy.ladder.terms, rounds=rounds, applied=applied)


def _joined(segments: Sequence[Segment]) -> list[tuple[str, date, date | None]]:
    """Neighbouring stretches drawn alike as one: 有效 and 临近到期 are one solid bar."""
    found: list[tuple[str, date, date | None]] = []
    for one in segments:
        style = "fc" if one.state in SOLID else "fh" if one.state in HATCHED else ""
        if style and found and found[-1][0] == style and found[-1][2] == one.starts_on - timedelta(days=1):
            found[-1] = (style, found[-1][1], one.ends_on)
        elif style:
            found.append((style, one.starts_on, one.ends_on))
    return found


def _bars(
    kind: str, stretch: tuple[str, date, date | None], facts: Sequence[TitleFact], scale: Scale, on: date
) -> list[dict]:
    style, start, end = stretch
    left, right = scale.x(start), scale.x((end or scale.last) + timedelta(days=1))
    if right - left <= 0:
        return []
    if style == "fh":
        return [{"x": left, "width": round(right - left, 2), "style": style}]
    return _with_text(left, right, style, _labels(kind, start, end, facts), scale, on)


def _labels(kind: str, start: date, end: date | None, facts: Sequence[TitleFact]) -> tuple[str, ...]:
    """The label, longest first; the shortest is a year."""
    begins = f"{start:%Y-%m}"
    known = any(f.kind == kind and f.valid_to == end for f in facts)
    yearly = end is not None and (end - start).days < 400
    if yearly:
        return (f"{start.year}",)
    if end is None or not known:
        return (f"{begins} 起", f"{start.year}")
    return (f"{begins} 起 · 至 {end}", f"至 {end}", f"至 {end:%Y-%m}", f"{start.year}")


def _with_text(left: float, right: float, style: str, labels: Sequence[str], scale: Scale, on: date) -> list[dict]:
    """A bar with the longest label that fits on one side of today; never across the red line."""
    now = scale.x(on)
    whole = {"x": left, "width": round(right - left, 2), "style": style}
    before, after = (min(right, now) - left, right - max(left, now))
    for text in labels:
        if scale.fits(text, before):
            return [{**whole, "text": text}]
        if left < now < right and scale.fits(text, after):
            return [
                {**whole, "width": round(now - left, 2)},
                {"x": now, "width": round(right - now, 2), "style": style, "text": text},
            ]
        if not left < now < right and scale.fits(text, right - left):
            return [{**whole, "text": text}]
    return [whole]


def _pool_row(pool: Sequence[PoolMembership], states: dict[str, str], scale: Scale, on: date) -> dict[str, Any]:
    bars = []
    for one in pool:
        entered = one.entered_on or one.decided_on
        start = entered or one.proposed_on or date(one.year or on.year, 1, 1)
        left, right = scale.x(start), scale.x(one.left_on or scale.last)
        if right > left:
            labels = (f"{start:%Y-%m} {'入库' if entered else '拟入库'}", f"{start.year}")
            bars += _with_text(left, right, "fs" if entered else "fs dash", labels, scale, on)
    return {"kind": POOL, "state": states.get(POOL, "valid"), "label": "培育库", "bars": bars}


def _next_window(kind: str, rounds: Sequence[Round], on: date) -> Round | None:
    """The next window of the kind that lies ahead or is open."""
    ahead = [
        one
        for year in (on.year, on.year + 1)
        for one in rounds_of(rounds, kind, year)
        if one.opens_on and (one.closing_on or one.opens_on) >= on
    ]
    return min(ahead, key=lambda one: one.opens_on or on, default=None)


def _window(one: Round, bars: Sequence[dict], scale: Scale, on: date) -> dict[str, Any]:
    """A window as a dashed box: behind the last bar with its label, else on a line of its own under the bars.

    Where not even that line has room for the label, it stands under the name of the title.
    """
    start = max(one.opens_on or on, on)
    left, right = scale.x(start), scale.x((one.closing_on or start) + timedelta(days=1))
    box = {"x": left, "width": round(max(right - left, 0.6), 2)}
    day = f"{one.opens_on:%Y-%m}"
    word = "申报" if one.certain else "预计"
    labels = (f"{word}窗口 {day}", f"{word} {day}")
    beside = next((text for text in labels if scale.fits(text, 100 - right)), None)
    if left >= 100:
        return {"note": labels[-1]}
    if beside is None:
        return {"window": box, "note": labels[-1]}
    clear = left >= max((bar["x"] + bar["width"] for bar in bars), default=0)
    return {"window": {**box, "text": beside, "beside": clear}}


def title_rows(qualifications: Sequence[Qualification], on: date) -> list[dict[str, Any]]:
    """The facts as a table: newest first within each kind, with the days they cover."""
    rows = []
    for one in qualifications:
        fact = TitleFact(**{name: getattr(one, name) for name in TitleFact.__dataclass_fields__})
        period = period_of(fact, policy.ladder.terms)
        rows.append(
            {
                "row": one,
                "start": period.start if period else None,
                "end": period.end if period else None,
                "assumed_end": bool(period and period.end and not one.valid_to),
                "ended": one.ended_on is not None,
            }
        )
    order = {kind: n for n, kind in enumerate(KINDS)}
    rows.sort(key=lambda r: (order.get(r["row"].kind, 99), -(r["start"] or on).toordinal()))
    return rows


def proposed_days(values: dict[str, Any]) -> dict[str, Any]:
    """Sensible days for what was left blank: 有效期 and 认定年度 from the first day known and the kind's term."""
    fact = TitleFact(id=None, **{n: values.get(n) for n in TitleFact.__dataclass_fields__ if n != "id"})
    if not fact.kind:
        return {}
    period = period_of(fact, policy.ladder.terms)
    if period is None:
        return {}
    found = {"valid_from": period.start, "valid_to": period.end, "cohort_year": period.year}
    return {code: value for code, value in found.items() if value is not None and values.get(code) is None}


def term_words(kind: str, on: date) -> str:
    """How long a title of the kind lives, said beside the form."""
    term = term_for(policy.ladder.terms, kind, on)
    if term is None:
        return ""
    if term.years is not None:
        return f"{KINDS[kind].short}有效期 {term.years} 年；止日留空就从起日推算。"
    if term.ends_following_year is not None:
        month, day = term.ends_following_year
        return f"{KINDS[kind].short}按年更新，到次年 {month} 月 {day} 日止；止日留空就按此推算。"
    return f"{KINDS[kind].short}按年更新，没有固定止日。"
