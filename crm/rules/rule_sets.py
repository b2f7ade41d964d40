"""Rule sets: the conditions of each title read from dated TOML."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from crm.domain import conditions as c
from crm.domain.facts import DERIVED
from crm.domain.fields import CHOICES, FIELDS
from crm.domain.kinds import KINDS
from crm.rules.loader import RuleFileError, in_force, names, parse, text_of

# Kinds of comparisons that are no titles, after the titles in every list.
OTHER_KINDS = ("hnte_pool", "size_class", "above_scale")

_CITATION_KEYS = frozenset({"confidence", "source", "valid_from", "valid_to"})
_VERSION_KEYS = _CITATION_KEYS | {"revision", "document", "checked_on", "gate", "ip_classes", "year_offset", "criteria"}
_COMMON_KEYS = _CITATION_KEYS | {"id", "name", "clause", "note", "notice", "plannable", "each_year"}
_AMOUNT_KEYS = ("value", "sum", "count", "ratio", "minus", "growth", "days_since")
_AMOUNT_OPTIONS = frozenset({"year", "years", "share", "method"})
# The key that tells what a criterion does, with the other keys it may carry.
_FORMS: dict[str, frozenset[str]] = {
    "applies": frozenset({"outcomes", "year"}),
    "is": frozenset({"expected", "year"}),
    "industry": frozenset({"listed", "when_listed", "reason"}),
    "classify": frozenset({"measures", "rows"}),
    "manual": frozenset(),
    "all": frozenset(),
    "any": frozenset(),
    "not": frozenset(),
    "score": frozenset({"pass_mark", "strict"}),
    "best_of": frozenset(),
    "tiers": frozenset(),
    "bands": frozenset(_AMOUNT_KEYS) | _AMOUNT_OPTIONS,
    "op": frozenset(_AMOUNT_KEYS) | _AMOUNT_OPTIONS | {"threshold", "by", "brackets"},
}


class _Slip(Exception):
    """Something wrong in one entry; the caller adds the file and the place."""


def kinds() -> list[str]:
    """The kinds that have a rule set, in the order of the ladder, other comparisons after the titles."""
    order = [*KINDS, *OTHER_KINDS]
    return sorted(names("titles"), key=lambda kind: (order.index(kind) if kind in order else len(order), kind))


@lru_cache(maxsize=64)
def load_rule_set(kind: str, on: date) -> c.RuleSet:
    """The version of a kind's conditions in force on that day, without the criteria dated to other days.

    Raises RuleFileError when there is no such file, no version for the day, or a slip in the file; the message
    names the file and the entry.
    """
    return rule_set_from_text(text_of(f"titles/{kind}"), on, f"{kind}.toml")


def rule_set_from_text(text: str, on: date, name: str = "frozen text") -> c.RuleSet:
    """A rule set from the text of a rule file or from the text an assessment has frozen (``RuleSet.text``).

    Raises RuleFileError as ``load_rule_set`` does.
    """
    data = parse(text, name)
    for n, version in enumerate(versions_in(data, name)):
        if in_force(version, on):
            return rule_set_of(data, version, on, _text_of_version(text, n), name)
    raise RuleFileError(f"{name}: no version in force on {on.isoformat()}")


def versions_in(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The versions of a rule file as read, in the order of the file. Raises RuleFileError when one has no first day."""
    versions = data.get("version")
    if not isinstance(versions, list) or not versions:
        raise RuleFileError(f"{name}: no [[version]]")
    for n, version in enumerate(versions, start=1):
        if not isinstance(version.get("valid_from"), date):
            raise RuleFileError(f"{name}: version {n}: valid_from is missing or is no date")
    return versions


def _text_of_version(text: str, n: int) -> str:
    """The head of the file and the block of one version: what an assessment freezes."""
    head, *blocks = _split_versions(text)
    return head + blocks[n]


def _split_versions(text: str) -> list[str]:
    parts: list[list[str]] = [[]]
    for line in text.splitlines(keepends=True):
        if line.strip().startswith("[[version]]"):
            parts.append([])
        parts[-1].append(line)
    return ["".join(part) for part in parts]


def rule_set_of(data: Mapping[str, Any], version: Mapping[str, Any], on: date, text: str, name: str) -> c.RuleSet:
    """One version of a rule file as a rule set of the criteria in force on a day; ``text`` is kept with it.

    ``name`` is the file's name in messages. Raises RuleFileError for a missing or unknown key and every slip inside.
    """
    place = f"{name}: version {version['valid_from']}"
    unknown = sorted(set(version) - _VERSION_KEYS)
    if unknown:
        raise RuleFileError(f"{place}: unknown key {unknown[0]!r}")
    for key in ("document", "confidence", "checked_on", "source", "criteria"):
        if not version.get(key):
            raise RuleFileError(f"{place}: {key} is missing")
    for key in ("kind", "title"):
        if not data.get(key):
            raise RuleFileError(f"{name}: {key} is missing")
    ip_classes = {key: frozenset(kinds) for key, kinds in version.get("ip_classes", {}).items()}
    criteria = _criteria(version["criteria"], "condition", on, place)
    # One gate may stand alone, without the brackets of a list.
    said = version.get("gate", [])
    gate = (said,) if isinstance(said, str) else tuple(said)
    for stray in set(gate) - {criterion.id for criterion in criteria}:
        raise RuleFileError(f"{place}: gate {stray!r} is no criterion of this version")
    return c.RuleSet(
        kind=data["kind"],
        version=f"{version['valid_from'].isoformat()}.{version.get('revision', 1)}",
        title=data["title"],
        document=version["document"],
        valid_from=version["valid_from"],
        valid_to=version.get("valid_to"),
        confidence=version["confidence"],
        checked_on=version["checked_on"],
        source=version["source"],
        text=text,
        criteria=criteria,
        ip_classes=ip_classes,
        gate=gate,
        year_offset=version.get("year_offset", -1),
    )


def _criteria(entries: Any, role: str, on: date, place: str) -> tuple[c.Criterion, ...]:
    if not isinstance(entries, list) or not entries:
        raise RuleFileError(f"{place}: an empty list of criteria would hold without a reason")
    found = tuple(_criterion(entry, role, on, place) for entry in entries if in_force(entry, on))
    if not found:
        raise RuleFileError(f"{place}: no criterion is in force on {on.isoformat()}")
    return found


def _criterion(entry: Mapping[str, Any], role: str, on: date, place: str) -> c.Criterion:
    here = f"{place}, criterion {entry.get('id', '(without id)')}"
    for key in ("id", "name", "clause", "confidence"):
        if not entry.get(key):
            raise RuleFileError(f"{here}: {key} is missing")
    try:
        check = _check(entry, on, here)
    except _Slip as slip:
        raise RuleFileError(f"{here}: {slip}") from None
    except RuleFileError:
        raise  # A part of this criterion has already named its place.
    except (KeyError, TypeError, ValueError) as error:
        raise RuleFileError(f"{here}: {error!r}") from None
    if "each_year" in entry:
        check = c.EachYear(tuple(entry["each_year"]), check)
    return c.Criterion(
        id=entry["id"],
        name=entry["name"],
        clause=entry["clause"],
        check=check,
        confidence=entry["confidence"],
        source=entry.get("source", ""),
        role="notice" if entry.get("notice") else role,
        note=entry.get("note", ""),
        plannable=entry.get("plannable", True),
    )


def _form(entry: Mapping[str, Any]) -> str:
    forms = [form for form in _FORMS if form in entry]
    if len(forms) != 1:
        raise _Slip(f"needs exactly one of {', '.join(_FORMS)}; found {', '.join(forms) or 'none'}")
    unknown = sorted(set(entry) - _COMMON_KEYS - _FORMS[forms[0]] - set(forms))
    if unknown:
        raise _Slip(f"unknown key {unknown[0]!r}")
    return forms[0]


def _check(entry: Mapping[str, Any], on: date, place: str) -> c.Check:
    form = _form(entry)
    match form:
        case "applies":
            outcomes = {
                value: (c.Outcome(row["result"]), row.get("reason", "")) for value, row in entry["outcomes"].items()
            }
            return c.Applies(_fact(entry["applies"]), outcomes, entry.get("year", 0))
        case "is":
            return c.Is(_fact(entry["is"]), frozenset(entry["expected"]), entry.get("year", 0))
        case "industry":
            outcome = c.Outcome(entry["when_listed"])
            return c.Industry(_fact(entry["industry"]), frozenset(entry["listed"]), outcome, entry.get("reason", ""))
        case "classify":
            return _classify(entry)
        case "manual":
            return c.Manual(entry["manual"])
        case "all":
            return c.AllOf(_criteria(entry["all"], "condition", on, place))
        case "any":
            return c.AnyOf(_criteria(entry["any"], "condition", on, place))
        case "not":
            return c.Not(_criterion(entry["not"], "condition", on, place))
        case "score":
            parts = _criteria(entry["score"], "part", on, place)
            return c.Score(parts, _exact(entry["pass_mark"]), entry.get("strict", False))
        case "best_of":
            return c.BestOf(_criteria(entry["best_of"], "part", on, place))
        case "tiers":
            return c.Tiers(tuple((_compare(tier), _points(tier["points"])) for tier in entry["tiers"]))
        case "bands":
            bands = tuple((_exact(bound), _points(points)) for bound, points in entry["bands"])
            return c.Bands(_amount(entry), bands)
        case _:
            return _compare(entry)


def _compare(entry: Mapping[str, Any]) -> c.Compare:
    if entry["op"] not in c.OPERATORS:
        raise _Slip(f"unknown op {entry['op']!r}")
    if ("threshold" in entry) == ("brackets" in entry):
        raise _Slip("needs either threshold or brackets")
    if "threshold" in entry:
        return c.Compare(_amount(entry), entry["op"], _exact(entry["threshold"]))
    brackets = tuple(
        (_exact(row["upto"]) if "upto" in row else None, _exact(row["threshold"])) for row in entry["brackets"]
    )
    if brackets[-1][0] is not None:
        raise _Slip("the last bracket has a limit; what lies above it would have no threshold")
    return c.Compare(_amount(entry), entry["op"], None, _amount(entry["by"]), brackets)


def _classify(entry: Mapping[str, Any]) -> c.Classify:
    measures = {name: _fact(key) for name, key in entry["measures"].items()}
    rows = {}
    for industry, row in entry["rows"].items():
        bounds = {size: {m: _exact(v) for m, v in row[size].items()} for size in ("ceiling", "medium", "small")}
        stray = sorted({m for size in bounds.values() for m in size} - set(measures))
        if stray:
            raise _Slip(f"row {industry}: unknown measure {stray[0]!r}")
        rows[industry] = c.SizeRow(row["clause"], **bounds)
    declared = CHOICES[FIELDS[entry["classify"]].choices or ""]
    if set(rows) != set(declared):
        raise _Slip(f"rows and the choices of {entry['classify']} differ: {sorted(set(rows) ^ set(declared))}")
    return c.Classify(_fact(entry["classify"]), measures, rows)


def _amount(entry: Any) -> c.Amount:
    if isinstance(entry, str):
        return c.Value(_fact(entry))
    found = [key for key in _AMOUNT_KEYS if key in entry]
    if len(found) != 1:
        raise _Slip(f"needs exactly one of {', '.join(_AMOUNT_KEYS)}; found {', '.join(found) or 'none'}")
    match found[0]:
        case "value":
            return c.Value(_number_fact(entry["value"]), entry.get("year", 0))
        case "sum":
            return c.Total(_number_fact(entry["sum"]), entry["years"], entry.get("year", 0))
        case "count":
            if entry["count"] not in ("class1", "class2", "any"):
                raise _Slip(f"unknown class of IP {entry['count']!r}")
            return c.Count(entry["count"])
        case "ratio":
            top, bottom = entry["ratio"]
            return c.Ratio(_amount(top), _amount(bottom), entry.get("share", False))
        case "minus":
            first, second = entry["minus"]
            return c.Minus(_amount(first), _amount(second))
        case "growth":
            if entry.get("method", "average") not in ("average", "compound"):
                raise _Slip(f"unknown method {entry['method']!r}")
            return c.Growth(_number_fact(entry["growth"]), entry["years"], entry.get("method", "average"))
        case _:
            return c.DaysSince(_fact(entry["days_since"]))


def _fact(key: str) -> str:
    if key not in FIELDS and key not in DERIVED:
        raise _Slip(f"unknown fact {key!r}")
    return key


def _number_fact(key: str) -> str:
    if _fact(key) not in FIELDS or FIELDS[key].type not in ("money", "count", "ratio", "number"):
        raise _Slip(f"{key!r} is not a number")
    return key


def _exact(value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _Slip(f"{value!r} is not an exact number")
    return Fraction(value)


def _points(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise _Slip(f"{value!r} is not a whole number of points above 0")
    return value
