"""What is wrong in the rule files: gaps, missing citations, facts nobody knows, bands nobody can reach."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from crm.domain import conditions as c
from crm.domain.amounts import plain
from crm.domain.facts import DERIVED
from crm.domain.fields import CHOICES, FIELDS
from crm.rules.loader import RuleFileError, in_force, names, parse, text_of
from crm.rules.rule_sets import kinds, rule_set_of, versions_in

# C and D are from memory or inferred: they may wait in a file for an officer, never be shown as the rule.
SHOWN_CONFIDENCE = frozenset({"A", "B"})


def check() -> list[str]:
    """What is wrong in the rule files, one sentence each with file and entry; empty when all is well.

    Gaps and overlaps of versions, missing citations, unknown facts and keys, repeated ids, bands nobody can reach,
    scores nobody can pass, confidences that may not be shown as the rule, cases that name no rule set.
    """
    problems = [problem for kind in names("titles") for problem in check_text(text_of(f"titles/{kind}"), kind)]
    stray = sorted(set(names("cases")) - set(names("titles")))
    problems += [f"cases/{kind}.toml: there is no rule set of this name" for kind in stray]
    problems += [f"{kind}.toml: there are no cases for it" for kind in kinds() if kind not in names("cases")]
    return problems


def check_text(text: str, kind: str) -> list[str]:
    """The problems of one rule file as text."""
    name = f"{kind}.toml"
    try:
        data = parse(text, name)
        versions = versions_in(data, name)
    except RuleFileError as error:
        return [str(error)]
    problems = []
    if data.get("kind") != kind:
        problems.append(f"{name}: kind is {data.get('kind')!r}, the file is named {kind!r}")
    problems += _gaps(versions, name)
    for version in versions:
        for day in _days_that_differ(version):
            try:
                rules = rule_set_of(data, version, day, text, name)
            except RuleFileError as error:
                problems.append(str(error))
            else:
                problems += _slips(rules, f"{name}: version {version['valid_from']}")
    return list(dict.fromkeys(problems))


def _gaps(versions: list[dict[str, Any]], name: str) -> Iterator[str]:
    ordered = sorted(versions, key=lambda version: version["valid_from"])
    for version in ordered:
        if version.get("valid_to") is not None and version["valid_to"] < version["valid_from"]:
            yield f"{name}: version {version['valid_from']}: valid_to lies before valid_from"
    for earlier, later in pairwise(ordered):
        end = earlier.get("valid_to")
        if end is None or end >= later["valid_from"]:
            yield f"{name}: version {earlier['valid_from']} overlaps version {later['valid_from']}"
        elif end + timedelta(days=1) < later["valid_from"]:
            yield f"{name}: no version from {end + timedelta(days=1)} to {later['valid_from'] - timedelta(days=1)}"


def _days_that_differ(version: Mapping[str, Any]) -> list[date]:
    """The first day of the version and every later day on which one of its criteria starts or has ended."""
    days = {version["valid_from"]}
    for entry in _entries(version.get("criteria", [])):
        if isinstance(entry.get("valid_from"), date):
            days.add(entry["valid_from"])
        if isinstance(entry.get("valid_to"), date):
            days.add(entry["valid_to"] + timedelta(days=1))
    return sorted(day for day in days if in_force(dict(version), day))


def _entries(entries: Any) -> Iterator[Mapping[str, Any]]:
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping):
            yield entry
            for key in ("all", "any", "score", "best_of"):
                yield from _entries(entry.get(key, []))


def _slips(rules: c.RuleSet, place: str) -> Iterator[str]:
    seen: set[str] = set()
    for criterion in c.all_criteria(rules):
        here = f"{place}, criterion {criterion.id}"
        if criterion.id in seen:
            yield f"{here}: the id stands twice"
        seen.add(criterion.id)
        if criterion.confidence not in SHOWN_CONFIDENCE:
            yield f"{here}: confidence {criterion.confidence} may not be shown as the rule"
        yield from (f"{here}: {slip}" for slip in _slips_of(criterion.check, rules))


def _slips_of(check: c.Check, rules: c.RuleSet) -> Iterator[str]:
    match check:
        case c.EachYear(_, inner):
            yield from _slips_of(inner, rules)
        case c.Bands(_, bands):
            for (bound, points), (next_bound, next_points) in pairwise(bands):
                if next_bound >= bound or next_points >= points:
                    yield f"the band from {_plain(next_bound)} cannot be reached or brings no fewer points"
        case c.Tiers(tiers):
            for (_, points), (_, next_points) in pairwise(tiers):
                if next_points >= points:
                    yield f"the tier of {next_points} points comes after one of {points}"
            for n, (tier, _) in enumerate(tiers):
                if any(_covers(earlier, tier) for earlier, _ in tiers[:n]):
                    yield f"the tier {n + 1} cannot be reached"
            yield from (slip for tier, _ in tiers for slip in _slips_of(tier, rules))
        case c.Compare(c.Count(group)) if not rules.ip_classes or group not in (*rules.ip_classes, "any"):
            yield f"the class of IP {group!r} is not listed in ip_classes"
        case c.Score(parts, mark):
            best = sum(_best(part.check) for part in parts)
            if best < mark:
                yield f"the mark of {_plain(mark)} cannot be reached: the parts sum to {best}"
        case c.Compare(_, _, None, _, brackets):
            for (upto, _), (next_upto, _) in pairwise(brackets):
                if upto is None or (next_upto is not None and next_upto <= upto):
                    yield "a bracket cannot be reached"
        case c.Classify(_, _, rows):
            for industry, row in rows.items():
                yield from (f"row {industry}: {slip}" for slip in _size_slips(row))
        case c.Is(key, expected) | c.Applies(key, expected):
            yield from (f"{key} cannot be {value!r}" for value in expected if not _possible(key, value))


def _covers(earlier: c.Compare, later: c.Compare) -> bool:
    """Whether an earlier tier already takes everything that a later one asks for."""
    if earlier.amount != later.amount or earlier.threshold is None or later.threshold is None:
        return False
    return earlier.op == later.op == ">=" and earlier.threshold <= later.threshold


def _best(check: c.Check) -> int:
    match check:
        case c.Bands(_, bands):
            return max(points for _, points in bands)
        case c.Tiers(tiers):
            return max(points for _, points in tiers)
        case c.BestOf(parts):
            return max(_best(part.check) for part in parts)
        case _:
            return 0


def _size_slips(row: c.SizeRow) -> Iterator[str]:
    for larger, smaller, name in ((row.ceiling, row.medium, "medium"), (row.medium, row.small, "small")):
        for measure in set(larger) & set(smaller):
            if smaller[measure] >= larger[measure]:
                yield f"the {name} bound of {measure} is not below the next"


def _possible(key: str, value: object) -> bool:
    kind = DERIVED[key].type if key in DERIVED else FIELDS[key].type
    if kind == "yes_no":
        return isinstance(value, bool)
    declared = FIELDS.get(key)
    return declared is None or declared.choices not in CHOICES or value in CHOICES[declared.choices]


def _plain(value: Fraction) -> str:
    return str(plain(value))
