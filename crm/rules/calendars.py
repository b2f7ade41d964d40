"""Calendars as data: application windows to begin with, and the holidays known (windows_*.toml, holidays.toml)."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.kinds import KINDS
from crm.domain.rounds import ASSUMED, Round
from crm.domain.workdays import Holidays
from crm.rules.entries import citation_of, day_of
from crm.rules.loader import HERE, RuleFileError, read

STATUSES = frozenset({"announced", "expected", "closed"})


def windows(region_code: str) -> list[dict[str, Any]]:
    """The windows that hold in a region (GB/T 2260 code): its own and those of the municipality above it.

    Each row has the columns of a window (region_code, kind, year, batch, opens_on, enterprise_due_at and county_due_at
    as aware moments, closes_on, announced_on, status, source) and beside them ``assumed``, ``citation``. The
    source of an assumed row says 推定. Raises RuleFileError naming the entry that cannot be used.
    """
    return [dict(row) for row in _all_windows() if _lies_in(region_code, row["region_code"])]


def rounds(region_code: str) -> list[Round]:
    """The same windows as plain values, for judging without a database."""
    names = Round.__dataclass_fields__
    return [Round(**{name: row[name] for name in names}) for row in windows(region_code)]


@cache
def holidays() -> Holidays:
    """The days off and make-up working days of holidays.toml. Raises RuleFileError naming the year."""
    off: set[date] = set()
    work: set[date] = set()
    known: set[int] = set()
    for n, entry in enumerate(read("holidays").get("year", []), 1):
        where = f"holidays.toml: year {entry.get('year', n)}"
        citation_of(entry, where)
        year = entry.get("year")
        if type(year) is not int or year in known:
            raise RuleFileError(f"{where}: year must be a number and stand once")
        known.add(year)
        for name, days in (("days_off", off), ("workdays", work)):
            for text in entry.get(name, []):
                days.update(_days(text, year, f"{where}: {name}"))
    if off & work:
        raise RuleFileError(f"holidays.toml: {min(off & work)} is both off and worked")
    return Holidays(frozenset(off), frozenset(work), frozenset(known))


@cache
def _all_windows() -> tuple[dict[str, Any], ...]:
    rows: list[dict[str, Any]] = []
    for path in sorted(HERE.glob("windows_*.toml")):
        content = read(path.stem)
        for n, entry in enumerate(content.get("window", []), 1):
            rows.append(_window(entry, str(content.get("region", "")), f"{path.name}: window {n}"))
    return tuple(rows)


def _lies_in(code: str, region: str) -> bool:
    """Whether a region is this one or lies in it: trailing pairs of zeros of a code stand for everything below."""
    own = region
    while own.endswith("00"):
        own = own[:-2]
    return code.startswith(own)


def _window(entry: dict[str, Any], region: str, where: str) -> dict[str, Any]:
    citation = citation_of(entry, where)
    if not region:
        raise RuleFileError(f"{where}: the file names no region")
    if entry.get("kind") not in KINDS:
        raise RuleFileError(f"{where}: kind {entry.get('kind')!r} is unknown")
    if entry.get("status") not in STATUSES:
        raise RuleFileError(f"{where}: status is one of {', '.join(sorted(STATUSES))}")
    if type(entry.get("year")) is not int:
        raise RuleFileError(f"{where}: year must be a number")
    assumed = bool(entry.get("assumed", False))
    if assumed != (ASSUMED in citation.source):
        raise RuleFileError(f"{where}: assumed and the word {ASSUMED} in its source go together")
    row = {
        "region_code": region,
        "kind": entry["kind"],
        "year": entry["year"],
        "batch": str(entry.get("batch", "")),
        "opens_on": day_of(entry, "opens_on", where),
        "enterprise_due_at": _moment(entry.get("enterprise_due"), f"{where}: enterprise_due"),
        "county_due_at": _moment(entry.get("county_due"), f"{where}: county_due"),
        "closes_on": day_of(entry, "closes_on", where),
        "announced_on": entry.get("announced_on"),
        "status": entry["status"],
        "source": f"{citation.document}；{citation.source}",
        "assumed": assumed,
        "citation": citation,
    }
    if row["closes_on"] < row["opens_on"]:
        raise RuleFileError(f"{where}: it closes before it opens")
    return row


def _moment(text: str | None, where: str) -> datetime | None:
    """A local moment "YYYY-MM-DD HH:MM" as an aware one; 24:00 is the last second of the day."""
    if text is None:
        return None
    try:
        day, hour = str(text).split()
        if hour == "24:00":
            return end_of_day(date.fromisoformat(day))
        return datetime.combine(date.fromisoformat(day), time.fromisoformat(hour), SHANGHAI)
    except ValueError:
        raise RuleFileError(f"{where} must be a moment like 2025-05-16 12:00") from None


def _days(text: str, year: int, where: str) -> Iterator[date]:
    """One day, or the days of "first/last", both inclusive and all of that year."""
    try:
        first, last = (date.fromisoformat(part) for part in (str(text).split("/") * 2)[:2])
    except ValueError:
        raise RuleFileError(f"{where}: {text!r} is no day") from None
    if not first <= last or {first.year, last.year} != {year}:
        raise RuleFileError(f"{where}: {text!r} is not in {year}")
    while first <= last:
        yield first
        first += timedelta(days=1)
