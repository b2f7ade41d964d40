"""The ladder as data: which kind stands on which rung from when, and how long each kind lives (ladder.toml)."""

from functools import cache
from typing import Any

from crm.domain.kinds import KINDS, POOL, RUNGS
from crm.domain.periods import Term
from crm.domain.standing import Ladder, RungEntry
from crm.rules.entries import citation_of, day_of, month_day
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
