"""The county's first review (区县初审): what is looked at, where an application stands in the queue, what is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crm.domain.changes import Update, merge
from crm.domain.periods import Citation, holds_on

YES, NO, NOT_APPLICABLE = "yes", "no", "na"
ANSWERS: dict[str, str] = {YES: "是", NO: "否", NOT_APPLICABLE: "不适用"}

RECOMMENDED, RETURNED, NOT_RECOMMENDED = "recommended", "returned", "not_recommended"
RESULTS: dict[str, str] = {RECOMMENDED: "推荐上报", RETURNED: "退回补正", NOT_RECOMMENDED: "不予推荐"}

# The queue of a window: every application that was not withdrawn stands in exactly one of the last five; 应交 is their
# sum, and 已收 that without 未交.
DUE, RECEIVED, WAITING, MISSING = "due", "received", "waiting", "missing"
BUCKETS: dict[str, str] = {
    DUE: "应交",
    RECEIVED: "已收",
    WAITING: "待审",
    RETURNED: "退回补正",
    RECOMMENDED: "推荐",
    NOT_RECOMMENDED: "不予推荐",
    MISSING: "未交",
}
PARTS = (WAITING, RETURNED, RECOMMENDED, NOT_RECOMMENDED, MISSING)
# How an application ended after the county had recommended it.
RECOMMENDED_ENDS = frozenset({"passed", "failed"})
WITHDRAWN = "withdrawn"

OPINION_LENGTH, NOTE_LENGTH, REASON_LENGTH = 1000, 200, 500


@dataclass(frozen=True)
class Point:
    """One thing the reviewer answers. ``look``: where the answer is found; ``missing``: what a no tells the firm."""

    code: str
    group: str
    text: str
    clause: str
    look: str
    missing: str
    optional: bool = False
    # The item of the materials checklist that this point is about: what lacks is told once.
    material: str | None = None


@dataclass(frozen=True)
class PointList:
    """The points of some kinds of titles, in force from–to; ``kinds`` empty: of every other kind."""

    kinds: tuple[str, ...]
    points: tuple[Point, ...]
    valid_from: date
    valid_to: date | None
    citation: Citation


@dataclass(frozen=True)
class PointLists:
    """All lists, found by kind and day."""

    entries: tuple[PointList, ...]

    def of(self, kind: str, on: date) -> PointList | None:
        """The list of a kind in force on a day, else the general one; None before there was any."""
        found = [entry for entry in self.entries if holds_on(entry, on)]
        own = next((entry for entry in found if kind in entry.kinds), None)
        return own or next((entry for entry in found if not entry.kinds), None)


@dataclass(frozen=True)
class Around:
    """The stages of a template around the county's recommendation: before it with the county, and from it on.

    What lies behind the recommendation counts as recommended, whatever becomes of it at the city. Some kinds are
    publicised by the county first, others by the city afterwards, so the template says which.
    """

    waiting: frozenset[str]
    recommended: frozenset[str]


def around(codes: Sequence[str]) -> Around:
    """The stages of a template, in its order, as the queue sees them."""
    ordered = list(codes)
    first = next((n for n, code in enumerate(ordered) if code in ("handed_in", "county_review")), len(ordered))
    upward = ordered.index(RECOMMENDED) if RECOMMENDED in ordered else len(ordered)
    with_us = {code for code in ordered[first:upward] if code != RETURNED}
    return Around(frozenset(with_us), frozenset(ordered[upward:]))


def bucket(stage_code: str | None, outcome: str | None, stages: Around) -> str | None:
    """Where an application stands in the queue of its window; None when it was withdrawn."""
    if outcome == WITHDRAWN:
        return None
    if outcome == NOT_RECOMMENDED:
        return NOT_RECOMMENDED
    if outcome in RECOMMENDED_ENDS or stage_code in stages.recommended:
        return RECOMMENDED
    if stage_code == RETURNED:
        return RETURNED
    return WAITING if stage_code in stages.waiting else MISSING


# --- the checklist ---------------------------------------------------------------------------------------------------

Checklist = Mapping[str, Mapping[str, Any]]


def flat(checklist: Checklist | None, opinion: str | None = None) -> dict[str, Any]:
    """A checklist as fields of a form: a_CODE the answer, n_CODE the note, and the opinion."""
    fields: dict[str, Any] = {"opinion": opinion or None}
    for code, said in (checklist or {}).items():
        fields[f"a_{code}"] = said.get("answer") or None
        fields[f"n_{code}"] = said.get("note") or None
    return fields


def folded(fields: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The fields of a form as a checklist; points that say nothing are left out."""
    found: dict[str, dict[str, str]] = {}
    for name, value in sorted(fields.items()):
        part = {"a_": "answer", "n_": "note"}.get(name[:2])
        if part and value:
            found.setdefault(name[2:], {})[part] = value
    return found


def merged(
    stored: Mapping[str, Any], version: int, mine: Mapping[str, Any], seen_version: int, seen: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, tuple[Any, Any, Any]]]:
    """Two reviewers at one checklist: (all fields as they are to stand, {field: (before, theirs, mine)} that clash).

    ``stored`` is what is kept at ``version``, ``mine`` what the form sent, ``seen`` what it had shown. Answers to
    different points merge; the same point clashes only when both gave it another answer.
    """
    names = {*stored, *mine}
    current = {name: stored.get(name) for name in names}
    before = {name: seen.get(name) for name in names}
    wanted = Update("application_review", 0, dict(mine), seen_version, before)
    values, clashes = merge(wanted, current, version)
    return current | values, clashes


def checklist_problems(fields: Mapping[str, Any], points: Sequence[Point]) -> dict[str, str]:
    """What is wrong with a checklist as sent: {field: one sentence}."""
    wrong: dict[str, str] = {}
    known = {point.code: point for point in points}
    for name, value in fields.items():
        point = known.get(name[2:])
        if value is None or name == "opinion":
            continue
        if point is None:
            continue
        if name.startswith("a_") and value not in ANSWERS:
            wrong[name] = "回答选是、否或不适用。"
        elif name.startswith("a_") and value == NOT_APPLICABLE and not point.optional:
            wrong[name] = "这一条不能答不适用。选是或否。"
        elif name.startswith("n_") and len(str(value)) > NOTE_LENGTH:
            wrong[name] = f"说明不超过 {NOTE_LENGTH} 个字。"
    if len(fields.get("opinion") or "") > OPINION_LENGTH:
        wrong["opinion"] = f"初审意见不超过 {OPINION_LENGTH} 个字，写短些。"
    return wrong


def answer_of(checklist: Checklist | None, code: str) -> str | None:
    return ((checklist or {}).get(code) or {}).get("answer") or None


def unanswered(points: Sequence[Point], checklist: Checklist | None) -> list[Point]:
    """The points nobody has answered: unknown is never yes."""
    return [point for point in points if answer_of(checklist, point.code) is None]


def failing(points: Sequence[Point], checklist: Checklist | None) -> list[Point]:
    """The points answered no."""
    return [point for point in points if answer_of(checklist, point.code) == NO]


def without_the_noes(checklist: Checklist | None) -> dict[str, dict[str, Any]]:
    """The answers of an earlier look that a second one begins with: all but those that were no."""
    return {code: dict(said) for code, said in (checklist or {}).items() if said.get("answer") != NO}


def missing_sentences(
    points: Sequence[Point], checklist: Checklist | None, materials: Mapping[str, str] | None = None
) -> list[str]:
    """What a 一次性告知 names, all at once: each point answered no with its note, then each missing material.

    ``materials`` are the missing ones by code; one that a point answered no speaks of is not told twice.
    """
    found = []
    for point in failing(points, checklist):
        note = ((checklist or {}).get(point.code) or {}).get("note")
        found.append(f"{point.missing}（{note}）" if note else point.missing)
    told = {point.material for point in failing(points, checklist)}
    return found + [f"缺：{name}" for code, name in (materials or {}).items() if code not in told]


def blocking(points: Sequence[Point], checklist: Checklist | None, materials: Sequence[str]) -> list[str]:
    """Why an application cannot be recommended now, in sentences; empty when nothing stands against it."""
    found = []
    open_ones = unanswered(points, checklist)
    if open_ones:
        found.append(f"还有 {len(open_ones)} 条没有回答：{_first(open_ones)}。答完再推荐。")
    failed = failing(points, checklist)
    if failed:
        found.append(f"有 {len(failed)} 条答了否：{_first(failed)}。退回补正，或改正回答。")
    if materials:
        found.append(f"缺 {len(materials)} 样材料：{'、'.join(materials[:3])}。补齐、免交写明理由，或退回补正。")
    return found


def _first(points: Sequence[Point]) -> str:
    texts = [point.text for point in points[:2]]
    return "；".join(texts) + ("等" if len(points) > 2 else "")


# --- what is written -------------------------------------------------------------------------------------------------


def opinion_draft(
    result: str, title: str, points: Sequence[Point], checklist: Checklist | None, missing: Sequence[str] = ()
) -> str:
    """A 初审意见 to begin with, from the checklist; a person edits and answers for it. It never judges the title."""
    looked = len(points) - len(unanswered(points, checklist))
    apart = [p for p in points if answer_of(checklist, p.code) == NOT_APPLICABLE]
    notes = [
        f"{point.text}：{said['note']}"
        for point in points
        if (said := (checklist or {}).get(point.code)) and said.get("note") and said.get("answer") != NO
    ]
    aside = f"，其中 {len(apart)} 条不适用" if apart else ""
    if result == RECOMMENDED:
        told = f"经形式核对 {looked} 条{aside}，材料齐全，填报与附件一致，同意推荐上报{title}。"
        return told + (f"说明：{'；'.join(notes)}。" if notes else "")
    if result == RETURNED:
        return f"经核对 {looked} 条，需补正 {len(missing)} 处，已一次性告知，补正后再审。"
    against = "；".join(point.missing for point in failing(points, checklist))
    return f"经核对 {looked} 条，{against or '不具备推荐条件'}，本批不予推荐。"


def notice_text(
    *, firm: str, title: str, window: str, missing: Sequence[str], mend_by: date, office: str, on: date
) -> str:
    """The 一次性告知 as plain text, to be pasted into a chat or printed: everything that is missing, at once."""
    lines = [
        f"{firm}：",
        f"你单位申报{title}（{window}）的材料已初审，以下 {len(missing)} 处需补正，一次告知：",
        *[f"{number}. {sentence.rstrip('。')}。" for number, sentence in enumerate(missing, 1)],
        f"{mend_by.year} 年 {mend_by.month} 月 {mend_by.day} 日前补齐交回；逾期未补，本批不再受理。",
        f"{office}　{on.year} 年 {on.month} 月 {on.day} 日",
    ]
    return "\n".join(lines)


def is_late(received_at: datetime, enterprise_due_at: datetime | None) -> bool:
    """Whether what was received came after the enterprises' own deadline: taken, but marked."""
    return enterprise_due_at is not None and received_at > enterprise_due_at


def time_left(due_at: datetime, now: datetime) -> str:
    """How long is left of a deadline with an hour: 剩 1 小时 40 分, from two days on 剩 5 天; later 已截止 3 小时."""
    gone = now > due_at
    minutes = int(abs((due_at - now).total_seconds()) // 60)
    if minutes >= 2 * 24 * 60:
        said = f"{minutes // (24 * 60)} 天"
    elif minutes >= 60:
        said = f"{minutes // 60} 小时" + (f" {minutes % 60} 分" if minutes % 60 and not gone else "")
    else:
        said = f"{minutes} 分钟"
    return f"已截止 {said}" if gone else f"剩 {said}"
