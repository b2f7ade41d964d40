"""What stops a title from being written: impossible days, halves of an end, the same title again, an overlap."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from crm.domain.kinds import KINDS
from crm.domain.periods import Terms, TitleFact, add_years, eve_of, same_title, term_for, year_of

_DAY = timedelta(days=1)

# Before 1990 none of these titles existed; beyond 12 years none of them runs: such a day is a slip of the keyboard.
EARLIEST = date(1990, 1, 1)
YEARS_AHEAD = 12

# A re-recognised certificate may begin some weeks before the old one ends (批次 announced October to December):
# up to this many days of both are a renewal and no overlap.
RENEWAL_OVERLAP_DAYS = 100

_LABELS = {
    "publicity_on": "公示日期",
    "announced_on": "公告日期",
    "issued_on": "发证日期",
    "valid_from": "有效期起",
    "valid_to": "有效期止",
    "ended_on": "终止日期",
}
# (earlier, later): the later one may not lie before the earlier one.
_IN_ORDER = (
    ("publicity_on", "announced_on"),
    ("valid_from", "valid_to"),
    ("announced_on", "valid_to"),
    ("issued_on", "valid_to"),
    ("valid_from", "ended_on"),
    ("announced_on", "ended_on"),
)
# What a title starts on, in this order (crm/domain/periods.py).
_STARTS = ("valid_from", "issued_on", "announced_on")
_HAPPENED = ("publicity_on", "announced_on", "issued_on")


def is_repetition(fact: TitleFact, other: TitleFact) -> bool:
    """Whether two facts say the same title again: same kind, number (when both know one) and days."""
    days = ("publicity_on", "announced_on", "issued_on", "valid_from", "valid_to")
    return (
        fact.kind == other.kind
        and same_title(fact, other)
        and any(getattr(fact, name) is not None for name in (*days, "cohort_year", "number"))
        and all(getattr(fact, name) == getattr(other, name) for name in days)
    )


def overlaps(fact: TitleFact, other: TitleFact, terms: Terms | None) -> bool:
    """Whether two titles cannot both be one enterprise's: of one kind, the same again, or in force at once.

    A renewal that begins shortly before the old certificate ends is no overlap.
    """
    if fact.kind != other.kind:
        return False
    if is_repetition(fact, other):
        return True
    mine, theirs = _stated_days(fact, terms), _stated_days(other, terms)
    if mine is None or theirs is None or mine[1] < theirs[0] or theirs[1] < mine[0]:
        return False
    return not _follows(mine, theirs)


def title_problems(
    fact: TitleFact,
    others: Iterable[TitleFact],
    today: date,
    *,
    terms: Terms | None = None,
    rows: Mapping[TitleFact, str] | None = None,
) -> dict[str, str]:
    """What is wrong with a title before it is written: {field: one Chinese sentence}; empty when nothing is.

    ``others`` are the enterprise's facts that count (the one being corrected may be among them: it is left out by id).
    With ``terms`` a missing end is taken from the kind's length and a title from before its kind existed is refused;
    without them a title without an end only overlaps on its first day. ``rows`` says of those among the others that
    are not recorded yet where they stand (第 5 行), so that the sentence can point there.
    """
    problems: dict[str, str] = {}
    for name, label in _LABELS.items():
        day = getattr(fact, name)
        if day is None:
            continue
        if day < EARLIEST:
            problems[name] = f"{label} {day} 早于 1990 年，核对年份后改正。"
        elif day > add_years(today, YEARS_AHEAD):
            problems[name] = f"{label} {day} 在 {YEARS_AHEAD} 年以后，核对年份后改正。"
        elif name in _HAPPENED and day > today:
            problems[name] = f"{label} {day} 还没到，等到那天再登记，或改正日期。"
        elif name == "valid_from" and day > add_years(today, 1):
            problems[name] = f"{label} {day} 在一年以后，核对年份后改正。"
    for earlier, later in _IN_ORDER:
        first, second = getattr(fact, earlier), getattr(fact, later)
        if first is not None and second is not None and second < first and not {earlier, later} & set(problems):
            problems[later] = f"{_LABELS[later]} {second} 早于{_LABELS[earlier]} {first}，改正其中一个。"
    problems = _out_of_time(fact, today, terms) | problems
    announced, cohort = fact.announced_on, fact.cohort_year
    if announced is not None and cohort is not None and announced.year < cohort:
        problems.setdefault("cohort_year", f"认定年度 {cohort} 晚于公告日期 {announced}，改正其中一个。")
    if fact.ended_on is not None and fact.end_reason is None:
        problems.setdefault("end_reason", "填了终止日期，还缺终止原因，选一个。")
    if fact.end_reason not in (None, "not_renewed") and fact.ended_on is None:
        problems.setdefault("ended_on", "选了终止原因，还缺终止日期，补上是哪一天。")
    if not any((fact.publicity_on, fact.announced_on, fact.issued_on, fact.valid_from, fact.valid_to, year_of(fact))):
        problems.setdefault("announced_on", "公告日期、发证日期、有效期、认定年度都没有，至少填一项。")
    if not problems:
        same = [other for other in others if other.kind == fact.kind and (fact.id is None or other.id != fact.id)]
        problems.update(_clash(fact, same, terms, rows or {}))
    return problems


def _out_of_time(fact: TitleFact, today: date, terms: Terms | None) -> dict[str, str]:
    """Titles of a year that has not come, or from before there were titles of the kind.

    A batch announced in the next calendar year carries the earlier one, so the year of the day is the latest there is.
    """
    starts = ((name, day) for name in _STARTS if (day := getattr(fact, name)) is not None)
    start_field, start = next(starts, (None, None))
    year = fact.cohort_year or (year_of(fact) if start is None else None)
    year_field = "cohort_year" if fact.cohort_year is not None else "number"
    said = f"认定年度 {year}" if fact.cohort_year is not None else f"编号 {fact.number} 里的年份 {year}"
    problems: dict[str, str] = {}
    if year is not None and year > today.year:
        problems[year_field] = f"{said} 还没到，最晚是今年（{today.year}），改正年份。"
    if not terms or not terms.get(fact.kind):
        return problems
    first = terms[fact.kind][0].valid_from
    name = KINDS[fact.kind].short if fact.kind in KINDS else fact.kind
    since = f"{name}从 {first} 起才有"
    if start_field is not None and start is not None and EARLIEST <= start < first:
        label = _LABELS[start_field]
        problems[start_field] = f"{since}，{label} {start} 早于这一天；填这一天以后的日期，或改选当时的资格种类。"
    elif year is not None and year < first.year:
        problems[year_field] = f"{since}，{said} 早于那一年；最早填 {first.year}，或改选当时的资格种类。"
    return problems


def _clash(
    fact: TitleFact, others: list[TitleFact], terms: Terms | None, rows: Mapping[TitleFact, str]
) -> dict[str, str]:
    name = KINDS[fact.kind].short if fact.kind in KINDS else fact.kind
    for other in others:
        if is_repetition(fact, other):
            if other in rows:
                return {"kind": f"与{rows[other]}是同一条{name}认定结果。留一行，删掉另一行。"}
            number = f"（编号 {other.number}）" if other.number else ""
            return {"kind": f"这条{name}认定结果已经登记过{number}，不用再登记。"}
    mine = _stated_days(fact, terms)
    for other in others:
        theirs = _stated_days(other, terms)
        if mine is None or theirs is None or mine[1] < theirs[0] or theirs[1] < mine[0] or _follows(mine, theirs):
            continue
        shown = f"{theirs[0]} 至 {theirs[1]}" if theirs[1] > theirs[0] else f"{theirs[0]} 起"
        field = "valid_from" if fact.valid_from is not None or fact.announced_on is None else "announced_on"
        if other in rows:
            return {field: f"与{rows[other]}的{name}（{shown}）重叠。是同一个资格就合成一行，不是就改正日期。"}
        return {field: f"与已登记的{name}（{shown}）重叠。是同一个资格就更正那一条，不是就改正日期。"}
    return {}


def _stated_days(fact: TitleFact, terms: Terms | None) -> tuple[date, date] | None:
    """First and last day as stated, the last one by the kind's length when it is known; None without a first day."""
    start = fact.valid_from or fact.issued_on or fact.announced_on
    if start is None:
        return None
    end = fact.valid_to
    if end is None and terms is not None and (term := term_for(terms, fact.kind, start)) is not None:
        if term.years is not None:
            end = eve_of(start, term.years)
        elif term.ends_following_year is not None:
            end = date((year_of(fact) or start.year) + 1, *term.ends_following_year)
    end = max(end or start, start)
    if fact.ended_on is not None:
        end = min(end, max(fact.ended_on - _DAY, start))
    return start, end


def _follows(mine: tuple[date, date], theirs: tuple[date, date]) -> bool:
    """Whether one renews the other: it begins shortly before the other ends, and ends later."""
    first, second = sorted((mine, theirs))
    return first[0] < second[0] and first[1] < second[1] and (first[1] - second[0]).days < RENEWAL_OVERLAP_DAYS
