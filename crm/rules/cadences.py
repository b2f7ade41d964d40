"""Cadences as data: what is due every year, when it is listed, urgent, and too late (cadences.toml)."""

from functools import cache
from typing import Any

from crm.domain.cadences import OBLIGATION_KINDS, Cadence, Cadences
from crm.domain.kinds import KINDS
from crm.rules.entries import citation_of, day_of, month_day
from crm.rules.loader import RuleFileError, read


@cache
def load_cadences() -> Cadences:
    """The cadences of cadences.toml. Raises RuleFileError naming the entry."""
    found = read("cadences").get("cadence", [])
    entries = tuple(_cadence(entry, f"cadences.toml: cadence {n}") for n, entry in enumerate(found, 1))
    missing = OBLIGATION_KINDS - {entry.kind for entry in entries}
    if missing:
        raise RuleFileError(f"cadences.toml: no cadence for {', '.join(sorted(missing))}")
    return Cadences(entries)


def _cadence(entry: dict[str, Any], where: str) -> Cadence:
    if entry.get("kind") not in OBLIGATION_KINDS:
        raise RuleFileError(f"{where}: kind {entry.get('kind')!r} is unknown")
    title_kind = entry.get("title_kind")
    if title_kind is not None and title_kind not in KINDS:
        raise RuleFileError(f"{where}: title_kind {title_kind!r} is unknown")
    if not entry.get("label"):
        raise RuleFileError(f"{where}: label is missing")
    steps = entry.get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, str) and step for step in steps):
        raise RuleFileError(f"{where}: steps must be a list of sentences")
    expected = entry.get("expected")
    if title_kind is not None and not isinstance(expected, dict):
        raise RuleFileError(f"{where}: expected = {{ opens, due }} is missing")
    if "misses_allowed" in entry and not entry.get("misses_clause"):
        raise RuleFileError(f"{where}: misses_clause is missing")
    opens = due = None
    if isinstance(expected, dict):
        opens, due = month_day(expected, "opens", where), month_day(expected, "due", where)
        if opens > due:
            raise RuleFileError(f"{where}: it is due before it opens")
    return Cadence(
        kind=entry["kind"],
        label=entry["label"],
        title_kind=title_kind,
        opens=opens,
        due=due,
        ahead_days=_days(entry, "ahead_days", where),
        urgent_days=_days(entry, "urgent_days", where),
        lapses_after_days=_days(entry, "lapses_after_days", where) if "lapses_after_days" in entry else None,
        keep_days=_days(entry, "keep_days", where),
        misses_allowed=_days(entry, "misses_allowed", where) if "misses_allowed" in entry else None,
        misses_clause=str(entry.get("misses_clause", "")),
        steps=tuple(steps),
        valid_from=day_of(entry, "valid_from", where),
        valid_to=entry.get("valid_to"),
        citation=citation_of(entry, where),
    )


def _days(entry: dict[str, Any], name: str, where: str) -> int:
    value = entry.get(name)
    if type(value) is not int or value < 0:
        raise RuleFileError(f"{where}: {name} must be a whole number, 0 or more")
    return value
