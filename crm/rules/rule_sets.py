"""Rule sets: the conditions of each title read from dated TOML, checked, printed and tried on their cases."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

from crm.domain import conditions as c
from crm.domain.amounts import plain, say_number, say_value
from crm.domain.comparison import compare
from crm.domain.facts import DERIVED, FactRef, Facts, FactsNotUnderstood, facts_from_json
from crm.domain.fields import CHOICES, FIELDS
from crm.domain.judgements import Result, as_report
from crm.domain.kinds import KINDS
from crm.rules.loader import RuleFileError, in_force, names, parse, text_of

# Kinds of comparisons that are no titles, after the titles in every list.
OTHER_KINDS = ("hnte_pool", "size_class", "above_scale")

# C and D are from memory or inferred: they may wait in a file for an officer, never be shown as the rule.
SHOWN_CONFIDENCE = frozenset({"A", "B"})

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
    for n, version in enumerate(_versions(data, name)):
        if in_force(version, on):
            return _rule_set(data, version, on, _text_of_version(text, n), name)
    raise RuleFileError(f"{name}: no version in force on {on.isoformat()}")


def _versions(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
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


def _rule_set(data: Mapping[str, Any], version: Mapping[str, Any], on: date, text: str, name: str) -> c.RuleSet:
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
    gate = version.get("gate")
    if gate is not None and gate not in {criterion.id for criterion in criteria}:
        raise RuleFileError(f"{place}: gate {gate!r} is no criterion of this version")
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


# --- check ---------------------------------------------------------------------------------------------------------


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
        versions = _versions(data, name)
    except RuleFileError as error:
        return [str(error)]
    problems = []
    if data.get("kind") != kind:
        problems.append(f"{name}: kind is {data.get('kind')!r}, the file is named {kind!r}")
    problems += _gaps(versions, name)
    for version in versions:
        for day in _days_that_differ(version):
            try:
                rules = _rule_set(data, version, day, text, name)
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
    for criterion in all_criteria(rules):
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


def all_criteria(rules: c.RuleSet) -> Iterator[c.Criterion]:
    """Every criterion of a rule set, each before its parts."""
    pending = list(reversed(rules.criteria))
    while pending:
        criterion = pending.pop()
        yield criterion
        pending += reversed(parts_of(criterion.check))


def parts_of(check: c.Check) -> tuple[c.Criterion, ...]:
    """The criteria inside a check."""
    match check:
        case c.AllOf(parts) | c.AnyOf(parts) | c.BestOf(parts):
            return parts
        case c.Score(parts, _, _):
            return parts
        case c.Not(part):
            return (part,)
        case _:
            return ()


# --- the table of facts --------------------------------------------------------------------------------------------


def facts_used(rules: c.RuleSet) -> dict[FactRef, list[c.Criterion]]:
    """The facts of a rule set with the criteria that read them; the year of a reference is the offset (0, 1, -1 …)."""
    used: dict[FactRef, list[c.Criterion]] = {}
    for criterion in all_criteria(rules):
        for ref in dict.fromkeys(_facts_of(criterion.check, 0)):
            used.setdefault(ref, []).append(criterion)
    return used


def _facts_of(check: c.Check | c.Amount, shift: int) -> Iterator[FactRef]:
    match check:
        case c.EachYear(years, inner):
            for year in years:
                yield from _facts_of(inner, shift + year)
        case c.Value(key, year) | c.Is(key, _, year) | c.Applies(key, _, year):
            yield _offset(key, shift + year)
        case c.Total(key, years, year):
            yield from (_offset(key, shift + year - back) for back in range(years))
        case c.Growth(key, years):
            yield from (_offset(key, shift - back) for back in range(years))
        case c.Count(group):
            yield FactRef(f"ip.{group}_count")
        case c.DaysSince(key) | c.Industry(key):
            yield FactRef(key)
        case c.Ratio(first, second) | c.Minus(first, second):
            yield from _facts_of(first, shift)
            yield from _facts_of(second, shift)
        case c.Compare(amount, _, _, by, _):
            yield from _facts_of(amount, shift)
            if by is not None:
                yield from _facts_of(by, shift)
        case c.Bands(amount, _):
            yield from _facts_of(amount, shift)
        case c.Tiers(tiers):
            for tier, _ in tiers:
                yield from _facts_of(tier, shift)
        case c.Classify(key, measures):
            yield from (_offset(name, shift) for name in (key, *measures.values()))


def _offset(key: str, year: int) -> FactRef:
    return FactRef(key, year) if key.startswith("figures.") else FactRef(key)


def facts_table(on: date) -> str:
    """The table of docs/facts.md: every fact that a rule in force on that day reads, as Markdown."""
    rows: dict[str, tuple[set[int], dict[str, list[str]]]] = {}
    for kind in kinds():
        for ref, criteria in facts_used(load_rule_set(kind, on)).items():
            years, by_kind = rows.setdefault(ref.key, (set(), {}))
            if ref.year is not None:
                years.add(ref.year)
            by_kind.setdefault(kind, []).extend(criterion.id for criterion in criteria)
    lines = ["| fact | label | type | unit | years | read by |", "|---|---|---|---|---|---|"]
    for key in sorted(rows):
        years, by_kind = rows[key]
        readers = "; ".join(f"{kind}: {', '.join(dict.fromkeys(ids))}" for kind, ids in by_kind.items())
        declared = DERIVED.get(key) or FIELDS[key]
        offsets = ", ".join(str(year) for year in sorted(years)) or "–"
        lines.append(
            f"| `{key}` | {declared.label} | {declared.type} | {declared.unit or '–'} | {offsets} | {readers} |"
        )
    return "\n".join(lines) + "\n"


# --- show ----------------------------------------------------------------------------------------------------------


def show(kind: str, on: date) -> str:
    """The conditions of a kind on a day, for reading: what, how much, clause, confidence. Raises RuleFileError."""
    rules = load_rule_set(kind, on)
    until = rules.valid_to.isoformat() if rules.valid_to else "未定"
    lines = [
        f"{rules.title}（{rules.kind}，版本 {rules.version}）",
        f"依据：{rules.document}；施行 {rules.valid_from.isoformat()}，止于 {until}",
        f"来源：{rules.source}；核对日期 {rules.checked_on.isoformat()}；可信度 {rules.confidence}",
        f"判断年度：比对当年{'' if rules.year_offset == 0 else f'往前 {-rules.year_offset} 年'}",
        "",
    ]
    for criterion in rules.criteria:
        lines += _shown(criterion, 0)
    return "\n".join(lines) + "\n"


_JOINERS: dict[type, str] = {
    c.AllOf: "（都要达到）",
    c.AnyOf: "（达到一项即可）",
    c.BestOf: "（取高）",
    c.Not: "（不得）",
}


def _shown(criterion: c.Criterion, depth: int) -> list[str]:
    mark = "提示 " if criterion.role == "notice" else ""
    second = "，二手资料" if criterion.confidence == "B" else ""
    joined = _JOINERS.get(type(criterion.check), "")
    lines = [f"{'  ' * depth}- {mark}{criterion.name}{joined}〔{criterion.clause}{second}〕"]
    lines += [f"{'  ' * (depth + 1)}{line}" for line in _details(criterion.check)]
    for part in parts_of(criterion.check):
        lines += _shown(part, depth + 1)
    return lines


def _details(check: c.Check) -> Iterator[str]:
    match check:
        case c.Bands(amount, bands):
            unit = c.unit_of(amount)
            yield "；".join(f"≥ {say_number(bound, unit)} 得 {points} 分" for bound, points in bands) + "；以下 0 分"
        case c.Tiers(tiers):
            said = [
                f"{_GROUPS[tier.amount.group]} {tier.op.replace('>=', '≥')} {tier.threshold} 件得 {points} 分"
                for tier, points in tiers
                if isinstance(tier.amount, c.Count)
            ]
            yield "；".join(said) + "；没有 0 分"
        case c.Applies(key, outcomes):
            for value, (_, reason) in outcomes.items():
                if reason:
                    yield f"{say_value(key, value)}：{reason}"
        case c.Classify(key, measures, rows):
            for industry, row in rows.items():
                yield f"{say_value(key, industry)}〔{row.clause}〕" + "；".join(
                    f"{size} {_bounds(measures, bounds)}"
                    for size, bounds in (("大型", row.ceiling), ("中型", row.medium), ("小型", row.small))
                )


_GROUPS = {"class1": "Ⅰ类", "class2": "Ⅱ类", "any": "两类合计"}


def _bounds(measures: Mapping[str, str], bounds: Mapping[str, Fraction]) -> str:
    return " 且 ".join(
        f"{FIELDS[measures[m]].label} ≥ {say_number(bound, FIELDS[measures[m]].unit)}" for m, bound in bounds.items()
    )


def _plain(value: Fraction) -> str:
    return str(plain(value))


# --- cases ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CaseOutcome:
    """One case as tried: ``problems`` has a sentence for each expectation that did not hold."""

    kind: str
    title: str
    name: str
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.problems


def run_cases(kind: str | None = None) -> list[CaseOutcome]:
    """Every case of one kind, or of all kinds, tried on the rule set in force on its day.

    Raises RuleFileError when a case file cannot be read or a case has no day, no title or no expectation.
    """
    chosen = [kind] if kind is not None else [name for name in kinds() if name in names("cases")]
    return [outcome for name in chosen for outcome in _run(name)]


def _run(kind: str) -> Iterator[CaseOutcome]:
    name = f"cases/{kind}"
    data = parse(text_of(name), f"{kind}.toml (cases)")
    bases = data.get("base", {})
    for n, case in enumerate(data.get("case", []), start=1):
        for key in ("title", "name", "base", "expect"):
            if not case.get(key):
                raise RuleFileError(f"{name}.toml, case {n}: {key} is missing")
        if case["base"] not in bases:
            raise RuleFileError(f"{name}.toml, case {n}: unknown base {case['base']!r}")
        try:
            facts = facts_of_case(bases[case["base"]], case)
        except FactsNotUnderstood as error:
            raise RuleFileError(f"{name}.toml, case {n} ({case['title']}): {error}") from None
        result = compare(load_rule_set(kind, facts.on), facts)
        yield CaseOutcome(kind, case["title"], case["name"], tuple(_disagreements(result, case["expect"])))


def facts_of_case(base: Mapping[str, Any], case: Mapping[str, Any]) -> Facts:
    """The base's facts with the case's own: ``set`` {path: value}, ``blank`` [paths], ``ip`` {kind: pieces in force}.

    Raises FactsNotUnderstood as ``facts_from_json`` does.
    """
    facts: dict[str, Any] = _copied(base)
    facts["on"] = case.get("on", facts.get("on"))
    if "ip" in base:
        facts["intellectual_property"] = _pieces(facts.pop("ip"))
    if "ip" in case:
        facts["intellectual_property"] = _pieces(case["ip"])
    for path, value in case.get("set", {}).items():
        _place(facts, path)[path.rpartition(".")[2]] = value
    for path in case.get("blank", []):
        _place(facts, path)[path.rpartition(".")[2]] = None
    return facts_from_json(facts)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _place(facts: dict[str, Any], path: str) -> dict[str, Any]:
    at: Any = facts
    for step in path.split(".")[:-1]:
        at = at[int(step) - 1] if isinstance(at, list) else at.setdefault(step, {})
    return at


def _pieces(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """So many pieces of IP of each kind, all in force, related to the main product and undisputed."""
    return [
        {
            "name": f"{kind} {n}",
            "kind": kind,
            "number": f"{kind}-{n}",
            "granted_on": date(2020, 1, 1),
            "expires_on": date(2039, 12, 31),
            "supports_main_product": True,
            "disputed": False,
        }
        for kind, count in counts.items()
        for n in range(1, count + 1)
    ]


# What a case can expect of a criterion; a ratio is written as the exact fraction, a gap in its words.
_SHOWN_IN_CASES: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "criteria": lambda criterion: criterion["result"],
    "values": lambda criterion: criterion["exact"] or criterion["value"],
    "gaps": lambda criterion: criterion["gap"]["text"] if criterion["gap"] else None,
}


def _disagreements(result: Result, expect: Mapping[str, Any]) -> Iterator[str]:
    report = as_report(result)
    by_id = {criterion["id"]: criterion for criterion in report["criteria"]}  # type: ignore[attr-defined]
    for key, wanted in expect.items():
        if key in ("result", "one_short", "missing"):
            yield from _differs(key, wanted, report[key])
        elif key == "score":
            yield from _differs(key, wanted, None if result.score is None else list(result.score))
        elif key in ("criteria", "values", "gaps"):
            for id, want in wanted.items():
                found = _SHOWN_IN_CASES[key](by_id[id]) if id in by_id else "no such criterion"
                yield from _differs(f"{key} {id}", want, found)
        else:
            yield f"unknown expectation {key!r}"


def _differs(what: str, wanted: object, found: object) -> Iterator[str]:
    if wanted != found:
        yield f"{what}: expected {wanted}, found {found}"
