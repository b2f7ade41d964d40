"""What dated entries of the rule files have in common: kinds, days and sources, told with the place they stand in."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeVar

from crm.domain.kinds import KINDS
from crm.domain.periods import Citation
from crm.rules.loader import RuleFileError, read

T = TypeVar("T")


@dataclass(frozen=True)
class Header:
    """Of which kinds an entry is, from when to when it counts, and by which document."""

    kinds: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    citation: Citation


class Coded(Protocol):
    @property
    def code(self) -> str: ...


class OfKinds(Protocol):
    @property
    def kinds(self) -> tuple[str, ...]: ...


def entries_of(name: str, key: str, make: Callable[[dict[str, Any], str], T]) -> tuple[T, ...]:
    """Every entry ``[[key]]`` of ``crm/rules/<name>.toml``, made one by one with the place a message names."""
    return tuple(make(entry, f"{name}.toml: {key} {n}") for n, entry in enumerate(read(name).get(key, []), 1))


def require_every_kind(name: str, key: str, entries: Iterable[OfKinds]) -> None:
    """Raise RuleFileError unless each kind of title has an entry."""
    known = {kind for entry in entries for kind in entry.kinds}
    missing = [kind for kind in KINDS if kind not in known]
    if missing:
        raise RuleFileError(f"{name}.toml: no {key} for {', '.join(missing)}")


def header_of(entry: dict[str, Any], where: str, *, general: str | None = None) -> Header:
    """The header of an entry; ``general`` is the word that stands alone for every kind without an entry of its own.

    Such an entry has no kinds. Raises RuleFileError.
    """
    kinds = entry.get("kinds")
    for_the_rest = general is not None and kinds == [general]
    if not isinstance(kinds, list) or not kinds or not (for_the_rest or set(kinds) <= KINDS.keys()):
        beside = f', or ["{general}"]' if general is not None else ""
        raise RuleFileError(f"{where}: kinds must be a list of known kinds{beside}")
    return Header(
        () if for_the_rest else tuple(kinds),
        day_of(entry, "valid_from", where),
        entry.get("valid_to"),
        citation_of(entry, where),
    )


def parts_of(
    entry: dict[str, Any], key: str, make: Callable[[dict[str, Any], str], Any], where: str, what: str
) -> tuple[Any, ...]:
    """The parts ``[[….key]]`` of an entry, each of a code of its own. Raises RuleFileError for none, or one twice."""
    found = tuple(make(one, f"{where}: {key} {n}") for n, one in enumerate(entry.get(key, []), 1))
    codes = codes_of(found)
    if not codes or len(set(codes)) != len(codes):
        raise RuleFileError(f"{where}: {what} must be given, each once")
    return found


def codes_of(parts: Sequence[Coded]) -> list[str]:
    """The codes of parts, in their order."""
    return [part.code for part in parts]


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
