"""The ladder as data: which kind stands on which rung from when, and how long each kind lives (ladder.toml)."""

from datetime import date
from functools import cache
from typing import Any

from crm.domain.kinds import KINDS, POOL, RUNGS
from crm.domain.periods import Citation, Term
from crm.domain.standing import Ladder, RungEntry
from crm.rules.loader import RuleFileError, read

CARRIES = frozenset({"round", "announcement", "none"})


@cache
def load_ladder() -> Ladder:
    """The ladder of ladder.toml. Raises RuleFileError naming the entry that cannot be used."""
    content = read("ladder")
    rungs = tuple(_rung(entry, f"ladder.toml: rung {n}") for n, entry in enumerate(content.get("rung", []), 1))
    terms: dict[str, tuple[Term, ...]] = {}
    for n, entry in enumerate(content.get("term", []), 1):
        term = _term(entry, f"ladder.toml: term {n}")
        terms[term.kind] = tuple(sorted((*terms.get(term.kind, ()), term), key=lambda one: one.valid_from))
    missing = [kind for kind in KINDS if kind not in terms]
    if missing:
        raise RuleFileError(f"ladder.toml: no term for {', '.join(missing)}")
    return Ladder(rungs, terms)


def citation_of(entry: dict[str, Any], where: str) -> Citation:
    """The citation every dated entry carries; a value of confidence C or D must ask an officer to confirm it.

    Raises RuleFileError when a part is missing or empty.
    """
    for name in ("document", "clause", "source", "confidence"):
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise RuleFileError(f"{where}: {name} is missing")
    if entry["confidence"] not in ("A", "B", "C", "D"):
        raise RuleFileError(f"{where}: confidence is A, B, C or D")
    confirm = entry.get("confirm", False)
    if entry["confidence"] in ("C", "D") and confirm is not True:
        raise RuleFileError(f"{where}: confidence {entry['confidence']} needs confirm = true")
    checked_on = day_of(entry, "checked_on", where)
    return Citation(entry["document"], entry["clause"], entry["source"], entry["confidence"], checked_on, confirm)


def day_of(entry: dict[str, Any], name: str, where: str) -> date:
    """A date that must be there; raises RuleFileError when it is not."""
    value = entry.get(name)
    if type(value) is not date:
        raise RuleFileError(f"{where}: {name} must be a date")
    return value


def month_day(entry: dict[str, Any], name: str, where: str) -> tuple[int, int]:
    """A yearly day written "MM-DD" as (month, day); 29 February is refused because it is not there every year."""
    try:
        month, day = (int(part) for part in str(entry[name]).split("-"))
        date(2001, month, day)
    except (KeyError, ValueError):
        raise RuleFileError(f"{where}: {name} must be a day like 05-31") from None
    return month, day


def _known_kind(entry: dict[str, Any], where: str) -> str:
    kind = entry.get("kind")
    if kind != POOL and kind not in KINDS:
        raise RuleFileError(f"{where}: kind {kind!r} is unknown")
    return str(kind)


def _rung(entry: dict[str, Any], where: str) -> RungEntry:
    rung = entry.get("rung")
    if type(rung) is not int or not 0 <= rung < len(RUNGS):
        raise RuleFileError(f"{where}: rung must be 0 to {len(RUNGS) - 1}")
    kind, valid_from = _known_kind(entry, where), day_of(entry, "valid_from", where)
    return RungEntry(kind, rung, valid_from, entry.get("valid_to"), citation_of(entry, where))


def _term(entry: dict[str, Any], where: str) -> Term:
    years = entry.get("years")
    if years is not None and (type(years) is not int or years < 1):
        raise RuleFileError(f"{where}: years must be a whole number")
    if entry.get("carry") not in CARRIES:
        raise RuleFileError(f"{where}: carry is one of {', '.join(sorted(CARRIES))}")
    if type(entry.get("expiring_days")) is not int:
        raise RuleFileError(f"{where}: expiring_days must be a whole number")
    return Term(
        kind=_known_kind(entry, where),
        years=years,
        ends_following_year=month_day(entry, "ends_following_year", where) if "ends_following_year" in entry else None,
        expiring_days=entry["expiring_days"],
        carry=entry["carry"],
        round_closes=month_day(entry, "round_closes", where),
        last_announcement=month_day(entry, "last_announcement", where),
        year_only_from=month_day(entry, "year_only_from", where),
        valid_from=day_of(entry, "valid_from", where),
        valid_to=entry.get("valid_to"),
        citation=citation_of(entry, where),
    )
