"""The comparison engine (条件比对): a rule set and facts in, five-valued results out, with exact arithmetic."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from crm.domain.facts import DERIVED, FactRef, Facts
from crm.domain.fields import CHOICES, FIELDS


class Outcome(StrEnum):
    """What a comparison can come to. A missing fact is UNKNOWN; what needs judgement is NEEDS_PERSON."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"
    NEEDS_PERSON = "needs_person"
    NOT_APPLICABLE = "not_applicable"


MET, UNMET, UNKNOWN, NEEDS_PERSON, NOT_APPLICABLE = Outcome

# --- Rules as data -------------------------------------------------------------------------------------------------
# Amounts: what a condition measures. Years are offsets from the fiscal year judged: 0 is that year, 1 the current one.


@dataclass(frozen=True)
class Value:
    """One numeric fact of one year."""

    key: str
    year: int = 0


@dataclass(frozen=True)
class Total:
    """One fact summed over ``years`` fiscal years ending with the one judged."""

    key: str
    years: int
    year: int = 0


@dataclass(frozen=True)
class Count:
    """How many pieces of IP of a class of the rule set are in force, related to the main product and undisputed."""

    group: str  # "class1", "class2" or "any"


@dataclass(frozen=True)
class Ratio:
    """One amount over another. ``share`` says that the first is a part of the second and cannot exceed it."""

    top: "Amount"
    bottom: "Amount"
    share: bool = False


@dataclass(frozen=True)
class Minus:
    """One amount less another."""

    first: "Amount"
    second: "Amount"


@dataclass(frozen=True)
class Growth:
    """The growth of one fact over ``years`` fiscal years, as a rate.

    ``average``: the mean of the yearly rates (195号 三（七）4); ``compound``: the yearly rate that leads from the
    first year to the last. A compound rate may be irrational, so it is compared as a power and never rounded.
    """

    key: str
    years: int
    method: str = "average"


@dataclass(frozen=True)
class DaysSince:
    """Calendar days from a dated fact to the day of the comparison."""

    key: str


Amount = Value | Total | Count | Ratio | Minus | Growth | DaysSince


@dataclass(frozen=True)
class Compare:
    """An amount against a threshold, or against the threshold of the bracket that ``by`` falls into.

    A bracket is (highest value that belongs to it, or None for no limit; threshold), in ascending order.
    """

    amount: Amount
    op: str
    threshold: Fraction | None = None
    by: Amount | None = None
    brackets: tuple[tuple[Fraction | None, Fraction], ...] = ()

    @cached_property
    def asked(self) -> "Threshold | None":
        """The one threshold in words; None while it depends on a bracket."""
        return None if self.threshold is None else _threshold(self.op, self.threshold, unit_of(self.amount))


@dataclass(frozen=True)
class Is:
    """A fact that must hold one of the expected values (yes/no or codes of a choice)."""

    key: str
    expected: frozenset[object]
    year: int = 0


@dataclass(frozen=True)
class Applies:
    """A fact whose value decides the outcome by a table: value → (outcome, reason)."""

    key: str
    outcomes: Mapping[str, tuple[Outcome, str]]
    year: int = 0


@dataclass(frozen=True)
class Industry:
    """An industry code that must not fall into the listed GB/T 4754 divisions (two digits)."""

    key: str
    listed: frozenset[str]
    when_listed: Outcome
    reason: str


@dataclass(frozen=True)
class Manual:
    """A condition that only a person can judge; a fact may hold what the person said."""

    question: str


@dataclass(frozen=True)
class AllOf:
    parts: "tuple[Criterion, ...]"


@dataclass(frozen=True)
class AnyOf:
    parts: "tuple[Criterion, ...]"


@dataclass(frozen=True)
class Not:
    part: "Criterion"


@dataclass(frozen=True)
class EachYear:
    """The same condition in each of several years, all required."""

    years: tuple[int, ...]
    check: "Check"


@dataclass(frozen=True)
class Bands:
    """Points by bands of an amount: (inclusive lower bound, points) from the highest bound down; below all, 0."""

    amount: Amount
    bands: tuple[tuple[Fraction, int], ...]

    @cached_property
    def asked(self) -> "Threshold":
        """The bound of the highest band in words."""
        return _threshold(">=", self.bands[0][0], unit_of(self.amount))


@dataclass(frozen=True)
class Tiers:
    """Points of the first condition that holds, the conditions in descending order of points; else 0."""

    tiers: tuple[tuple[Compare, int], ...]


@dataclass(frozen=True)
class BestOf:
    """The better one of several scored parts."""

    parts: "tuple[Criterion, ...]"


@dataclass(frozen=True)
class Score:
    """The sum of scored parts, at least ``pass_mark`` (strictly more when ``strict``)."""

    parts: "tuple[Criterion, ...]"
    pass_mark: Fraction
    strict: bool = False

    @cached_property
    def asked(self) -> "Threshold":
        """The mark in words."""
        return _threshold(">" if self.strict else ">=", self.pass_mark, "分")


@dataclass(frozen=True)
class SizeRow:
    """One industry of the size classes: {measure: bound}. Large: all of ``ceiling`` reached; else by the rest."""

    clause: str
    ceiling: Mapping[str, Fraction]
    medium: Mapping[str, Fraction]
    small: Mapping[str, Fraction]


@dataclass(frozen=True)
class Classify:
    """The size class of an enterprise by its industry (工信部联企业〔2011〕300号)."""

    key: str
    measures: Mapping[str, str]
    rows: Mapping[str, SizeRow]


Condition = Compare | Is | Applies | Industry | Manual | AllOf | AnyOf | Not | EachYear | Classify
Scored = Bands | Tiers | BestOf | Score
Check = Condition | Scored


@dataclass(frozen=True)
class Criterion:
    """One condition with its source.

    ``role``: "condition" counts towards the result, "notice" is only shown, "part" scores inside a score.
    ``plannable`` False marks what no single figure can mend, so that 差一项 does not build on it.
    """

    id: str
    name: str
    clause: str
    check: Check
    confidence: str = "A"
    source: str = ""
    role: str = "condition"
    note: str = ""
    plannable: bool = True


@dataclass(frozen=True)
class RuleSet:
    """One version of the conditions of one kind, with the exact text it was read from.

    ``valid_from`` and ``valid_to`` are inclusive; ``year_offset`` leads from the year of the comparison to the
    fiscal year judged. ``gate`` names the criterion that decides whether the rest applies at all.
    """

    kind: str
    version: str
    title: str
    document: str
    valid_from: date
    valid_to: date | None
    confidence: str
    checked_on: date
    source: str
    text: str
    criteria: tuple[Criterion, ...]
    ip_classes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    gate: str | None = None
    year_offset: int = -1


# --- Results -------------------------------------------------------------------------------------------------------


# Named tuples: a comparison makes some fifty of them and they are made several times faster than dataclasses.


class Gap(NamedTuple):
    """The smallest change of one fact that would meet a condition: exact amount, unit, and whether it must grow."""

    amount: Decimal
    unit: str
    grow: bool
    fact: FactRef | None = None

    @property
    def text(self) -> str:
        """``差 41.2 万元`` or ``超 12 人``; rounded up, so that the words never ask for too little."""
        return ("差 " if self.grow else "超 ") + say_number(Fraction(self.amount), self.unit, up=True)


class Threshold(NamedTuple):
    """What was asked: an operator with a number and its unit, or the expected words."""

    op: str
    value: Fraction | None
    unit: str
    text: str


class CriterionResult(NamedTuple):
    """One condition as judged. ``value`` is exact: int, Decimal 元, Fraction for ratios, bool, str; None if unknown.

    ``inputs`` are the facts looked at with their values; ``missing`` those whose absence leaves the judgement open;
    ``score`` is the range of points; ``ways`` are single changes that would bring a score over its mark.
    """

    id: str
    name: str
    clause: str
    result: Outcome
    role: str
    confidence: str
    value: object = None
    said: str = ""
    threshold: Threshold | None = None
    gap: Gap | None = None
    inputs: tuple[tuple[FactRef, object], ...] = ()
    missing: tuple[FactRef, ...] = ()
    score: tuple[int, int] | None = None
    parts: "tuple[CriterionResult, ...]" = ()
    ways: tuple[Gap, ...] = ()
    reason: str = ""
    plannable: bool = True
    combine: str = ""  # how the parts make the result: "all", "any", "not", "years", "score", "best"

    @property
    def value_text(self) -> str:
        """The value in words, rounded towards missing the condition: 9.999% is never printed as 10%."""
        if self.said or self.threshold is None or not isinstance(self.value, int | Decimal | Fraction):
            return self.said
        return say_number(Fraction(self.value), self.threshold.unit, up=self.threshold.op in ("<=", "<"))


@dataclass(frozen=True)
class Result:
    """The whole comparison of one enterprise with one rule set on one day."""

    kind: str
    version: str
    document: str
    on: date
    year: int
    result: Outcome
    score: tuple[int, int] | None
    criteria: tuple[CriterionResult, ...]

    def criterion(self, id: str) -> CriterionResult:
        """One criterion anywhere in the tree; raises KeyError when there is none of that id."""
        for found in walk(self.criteria):
            if found.id == id:
                return found
        raise KeyError(id)


def walk(criteria: Iterable[CriterionResult]) -> Iterator[CriterionResult]:
    """Every criterion, each before its parts."""
    for criterion in criteria:
        yield criterion
        yield from walk(criterion.parts)


# --- Comparing -----------------------------------------------------------------------------------------------------


class _Span(NamedTuple):
    """What is known of a number: between ``lo`` and ``hi``, None for no bound. ``why`` says why a person must look."""

    lo: Fraction | None
    hi: Fraction | None
    why: str = ""

    @property
    def exact(self) -> Fraction | None:
        return self.lo if self.lo is not None and self.lo == self.hi else None


_ANYTHING = _Span(None, None)
_ZERO = Fraction(0)


class _Look:
    """One evaluation of one criterion: reads facts and remembers what was read and what was missing."""

    def __init__(self, rules: RuleSet, facts: Facts, on: date, shift: int = 0) -> None:
        self.rules, self.facts, self.on, self.shift = rules, facts, on, shift
        self.year = on.year + rules.year_offset
        self.inputs: dict[FactRef, object] = {}
        self.missing: dict[FactRef, None] = {}

    def again(self, shift: int | None = None) -> "_Look":
        return _Look(self.rules, self.facts, self.on, self.shift if shift is None else shift)

    def ref(self, key: str, offset: int = 0) -> FactRef:
        return FactRef(key, self.year + self.shift + offset) if key.startswith("figures.") else FactRef(key)

    def read(self, key: str, offset: int = 0) -> object:
        ref = self.ref(key, offset)
        value = self.facts.value(ref.key, ref.year)
        self.inputs[ref] = value
        if value is None:
            self.missing[ref] = None
        return value

    def number(self, key: str, offset: int = 0) -> _Span:
        value = self.read(key, offset)
        if value is None:
            least = FIELDS[key].minimum
            return _Span(None if least is None else Fraction(least), None)
        assert isinstance(value, int | Decimal)
        exact = Fraction(value)
        return _Span(exact, exact)


def compare(rule_set: RuleSet, facts: Facts, on: date | None = None) -> Result:
    """The judgement of one enterprise by one rule set on ``on`` (by default the day of the facts).

    Pure and exact. Five outcomes; a missing fact gives UNKNOWN, never MET; blanking a fact never makes MET.
    When the gate does not apply, nothing else is judged and the result is NOT_APPLICABLE.
    """
    day = facts.on if on is None else on
    look = _Look(rule_set, facts, day)
    results: list[CriterionResult] = []
    for criterion in sorted(rule_set.criteria, key=lambda c: c.id != rule_set.gate):
        judged = _judge(criterion, look)
        results.append(judged)
        if criterion.id == rule_set.gate and judged.result is NOT_APPLICABLE:
            break
    outcome = NOT_APPLICABLE
    if not (results and results[0].id == rule_set.gate and results[0].result is NOT_APPLICABLE):
        outcome = _all(c.result for c in results if c.role == "condition")
        order = {criterion.id: n for n, criterion in enumerate(rule_set.criteria)}
        results.sort(key=lambda c: order[c.id])
    total = next((c.score for c in walk(results) if c.combine == "score"), None)
    return Result(rule_set.kind, rule_set.version, rule_set.document, day, look.year, outcome, total, tuple(results))


def _all(outcomes: Iterable[Outcome]) -> Outcome:
    """All required: one unmet decides; then unknown, then a person; what does not apply is passed over."""
    found = set(outcomes)
    for outcome in (UNMET, UNKNOWN, NEEDS_PERSON, MET):
        if outcome in found:
            return outcome
    return NOT_APPLICABLE


def _any(outcomes: Iterable[Outcome]) -> Outcome:
    """One is enough: one met decides; then unknown, then a person; unmet only when all are."""
    found = set(outcomes)
    for outcome in (MET, UNKNOWN, NEEDS_PERSON, UNMET):
        if outcome in found:
            return outcome
    return NOT_APPLICABLE


_OPPOSITE = {MET: UNMET, UNMET: MET}


def _judge(criterion: Criterion, look: _Look) -> CriterionResult:
    fresh = look.again()
    judged = _CHECKS[type(criterion.check)](criterion, criterion.check, fresh)
    if criterion.role != "notice":
        return judged
    # A notice that strikes asks for a person's eye; one that does not strike is no condition at all.
    shown = {MET: NEEDS_PERSON, UNMET: NOT_APPLICABLE}.get(judged.result, judged.result)
    return judged._replace(result=shown, gap=None)


def _result(
    criterion: Criterion,
    look: _Look,
    outcome: Outcome,
    *,
    value: object = None,
    said: str = "",
    threshold: Threshold | None = None,
    gap: Gap | None = None,
    score: tuple[int, int] | None = None,
    parts: tuple[CriterionResult, ...] = (),
    ways: tuple[Gap, ...] = (),
    reason: str = "",
    combine: str = "",
    clause: str = "",
    undecided: bool = False,
) -> CriterionResult:
    """A judged criterion; what is missing is named only while it can still change something."""
    return CriterionResult(
        criterion.id,
        criterion.name,
        clause or criterion.clause,
        outcome,
        criterion.role,
        criterion.confidence,
        value,
        said,
        threshold,
        gap,
        tuple(look.inputs.items()),
        tuple(look.missing) if undecided or outcome in (UNKNOWN, NEEDS_PERSON) else (),
        score,
        parts,
        ways,
        reason or criterion.note,
        criterion.plannable,
        combine,
    )


# Amounts.


def _measure(amount: Amount, look: _Look) -> _Span:
    match amount:
        case Value(key, year):
            return look.number(key, year)
        case Total(key, years, year):
            return _sum(look.number(key, year - back) for back in range(years))
        case Count(group):
            return _count(group, look)
        case Ratio(top, bottom, share):
            return _ratio(_measure(top, look), _measure(bottom, look), share)
        case Minus(first, second):
            a, b = _measure(first, look), _measure(second, look)
            return _Span(_less(a.lo, b.hi), _less(a.hi, b.lo), a.why or b.why)
        case Growth(key, years, method):
            return _growth([look.number(key, -back) for back in reversed(range(years))], method)
        case DaysSince(key):
            value = look.read(key)
            days = Fraction((look.on - value).days) if isinstance(value, date) else None
            return _ANYTHING if days is None else _Span(days, days)


def _less(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return None if a is None or b is None else a - b


def _sum(spans: Iterable[_Span]) -> _Span:
    lo: Fraction | None = _ZERO
    hi: Fraction | None = _ZERO
    why = ""
    for span in spans:
        lo = None if lo is None or span.lo is None else lo + span.lo
        hi = None if hi is None or span.hi is None else hi + span.hi
        why = why or span.why
    return _Span(lo, hi, why)


def _ratio(top: _Span, bottom: _Span, share: bool = False) -> _Span:
    """The bounds of a quotient. Nothing over anything is 0; a base of 0 or below needs a person."""
    if top.why or bottom.why:
        return _Span(None, None, top.why or bottom.why)
    if share and top.exact is not None and bottom.exact is not None and top.exact > bottom.exact:
        return _Span(None, None, "部分大于总数，两个数先核实")
    if top.exact == 0:
        return _Span(_ZERO, _ZERO)
    if bottom.hi is not None and bottom.hi <= 0:
        return _Span(None, None, "分母为 0 或负数，比例无从计算")
    if bottom.lo is None or bottom.lo < 0 or top.lo is None or top.lo < 0:
        exact = top.exact is not None and bottom.exact is not None and bottom.exact > 0
        quotient = top.exact / bottom.exact if exact else None  # type: ignore[operator]
        return _Span(quotient, quotient)
    lo = top.lo / bottom.hi if bottom.hi is not None else _ZERO
    hi = top.hi / bottom.lo if top.hi is not None and bottom.lo > 0 else None
    if share:
        hi = Fraction(1) if hi is None else min(hi, Fraction(1))
    return _Span(lo, hi)


def _growth(values: list[_Span], method: str) -> _Span:
    """A growth rate, exact or unknown. A negative base is nowhere regulated and goes to a person.

    For ``average`` a first year of 0 is left out and a later base of 0 gives a rate of 0 (195号 三（七）4).
    For ``compound`` the span holds last ÷ first; the threshold is raised to the same power before comparing.
    """
    exact = [value.exact for value in values]
    if any(value is None for value in exact):
        return _ANYTHING
    known = [value for value in exact if value is not None]
    if any(value < 0 for value in known[:-1]):
        return _Span(None, None, "基数为负数，文件未规定算法")
    if method == "compound":
        return _ratio(values[-1], values[0])
    if known[0] == 0:
        known = known[1:]
    if len(known) < 2 or any(base == 0 for base in known[:-1]):
        return _Span(_ZERO, _ZERO)
    steps = [after / before for before, after in pairwise(known)]
    rate = sum(steps, _ZERO) / len(steps) - 1
    return _Span(rate, rate)


# What makes a piece of IP count, in the order it is asked; each answers yes, no or None for not known.
_IP_TESTS: tuple[tuple[str, Callable[[object, date], bool]], ...] = (
    ("granted_on", lambda value, on: isinstance(value, date) and value <= on),
    ("expires_on", lambda value, on: isinstance(value, date) and value >= on),
    ("supports_main_product", lambda value, on: value is True),
    ("disputed", lambda value, on: value is False),
)


def _count(group: str, look: _Look) -> _Span:
    """The pieces of IP of one class: those that surely count, and those that may once their blanks are filled."""
    ref = FactRef(f"ip.{group}_count")
    owned = look.facts.intellectual_property
    if owned is None:
        look.inputs[ref] = None
        look.missing[ref] = None
        return _Span(_ZERO, None)
    classes = look.rules.ip_classes
    kinds = frozenset().union(*classes.values()) if group == "any" else classes[group]
    sure = possible = 0
    for item in owned:
        if item.get("kind") is not None and item["kind"] not in kinds:
            continue
        blanks = [] if item.get("kind") is not None else ["kind"]
        blanks += [code for code, _ in _IP_TESTS if item.get(code) is None]
        if any(code not in blanks and not test(item[code], look.on) for code, test in _IP_TESTS):
            continue
        possible += 1
        sure += not blanks
        look.missing.update((FactRef(f"intellectual_property.{code}"), None) for code in blanks)
    look.inputs[ref] = sure if sure == possible else None
    return _Span(Fraction(sure), Fraction(possible))


# Conditions.


def _holds(span: _Span, op: str, threshold: Fraction) -> Outcome:
    """A span against a number: decided when every value in the span agrees."""
    if span.why:
        return NEEDS_PERSON
    lo, hi = span.lo, span.hi
    if op == ">=":
        return MET if lo is not None and lo >= threshold else UNMET if hi is not None and hi < threshold else UNKNOWN
    if op == ">":
        return MET if lo is not None and lo > threshold else UNMET if hi is not None and hi <= threshold else UNKNOWN
    if op == "<=":
        return MET if hi is not None and hi <= threshold else UNMET if lo is not None and lo > threshold else UNKNOWN
    if op == "<":
        return MET if hi is not None and hi < threshold else UNMET if lo is not None and lo >= threshold else UNKNOWN
    if op == "=":
        outside = (hi is not None and hi < threshold) or (lo is not None and lo > threshold)
        return MET if span.exact == threshold else UNMET if outside else UNKNOWN
    raise ValueError(f"unknown operator {op}")


OPERATORS = frozenset({">=", ">", "<=", "<", "="})


def _compare(criterion: Criterion, check: Compare, look: _Look) -> CriterionResult:
    span = _measure(check.amount, look)
    candidates = _thresholds(check, look)
    outcomes = {_holds(span, check.op, _raised(check.amount, threshold)) for threshold in candidates}
    outcome = outcomes.pop() if len(outcomes) == 1 else UNKNOWN
    threshold = candidates[0] if len(candidates) == 1 else None
    gap = _gap(check.amount, check.op, threshold, look) if outcome is UNMET and threshold is not None else None
    asked = check.asked
    if asked is None and threshold is not None:
        asked = _threshold(check.op, threshold, unit_of(check.amount))
    return _result(
        criterion, look, outcome, value=_exact(check.amount, span), said=_said(check.amount, span), gap=gap,
        reason=span.why, threshold=asked,
    )  # fmt: skip


def _thresholds(check: Compare, look: _Look) -> list[Fraction]:
    """The thresholds that may apply: one, or several while the bracket is not known."""
    if check.threshold is not None:
        return [check.threshold]
    assert check.by is not None
    span = _measure(check.by, look)
    found, below = [], None
    for upto, threshold in check.brackets:
        reaches = span.hi is None or below is None or span.hi > below
        starts = upto is None or span.lo is None or span.lo <= upto
        if reaches and starts:
            found.append(threshold)
        below = upto
    return found


def _raised(amount: Amount, threshold: Fraction) -> Fraction:
    """A yearly compound rate as the factor over all its years; anything else as it stands."""
    if isinstance(amount, Growth) and amount.method == "compound":
        return (1 + threshold) ** (amount.years - 1)
    return threshold


def _is(criterion: Criterion, check: Is, look: _Look) -> CriterionResult:
    value = look.read(check.key, check.year)
    outcome = UNKNOWN if value is None else MET if value in check.expected else UNMET
    words = "或".join(sorted(say_value(check.key, expected) for expected in check.expected))
    return _result(
        criterion, look, outcome, value=value, said=say_value(check.key, value),
        threshold=Threshold("in", None, "", words),
    )  # fmt: skip


def _applies(criterion: Criterion, check: Applies, look: _Look) -> CriterionResult:
    value = look.read(check.key, check.year)
    outcome, reason = (UNKNOWN, "") if value is None else check.outcomes.get(str(value), (NEEDS_PERSON, ""))
    words = "、".join(say_value(check.key, code) for code, (out, _) in check.outcomes.items() if out is MET)
    return _result(
        criterion, look, outcome, value=value, said=say_value(check.key, value), reason=reason,
        threshold=Threshold("in", None, "", words),
    )  # fmt: skip


# GB/T 4754-2017: the first and last division (two digits) of each section.
_SECTIONS: dict[str, tuple[int, int]] = {
    "A": (1, 5), "B": (6, 12), "C": (13, 43), "D": (44, 46), "E": (47, 50), "F": (51, 52), "G": (53, 60),
    "H": (61, 62), "I": (63, 65), "J": (66, 69), "K": (70, 70), "L": (71, 72), "M": (73, 75), "N": (76, 79),
    "O": (80, 82), "P": (83, 83), "Q": (84, 85), "R": (86, 90), "S": (91, 96), "T": (97, 97),
}  # fmt: skip


def _divisions(code: str) -> frozenset[str]:
    """The divisions a code may belong to: one for a full code, all of its section for a single letter, else none."""
    letter, digits = (code[:1].upper(), code[1:]) if code[:1].isalpha() else ("", code)
    if len(digits) >= 2 and digits.isdecimal():
        return frozenset({digits[:2]})
    if letter in _SECTIONS and not digits:
        first, last = _SECTIONS[letter]
        return frozenset(f"{number:02d}" for number in range(first, last + 1))
    return frozenset()


def _industry(criterion: Criterion, check: Industry, look: _Look) -> CriterionResult:
    value = look.read(check.key)
    divisions = _divisions(str(value)) if value is not None else frozenset()
    inside = divisions & check.listed
    if not divisions or (inside and inside != divisions):
        look.missing[look.ref(check.key)] = None
        outcome = UNKNOWN
    else:
        outcome = check.when_listed if inside else MET
    return _result(
        criterion, look, outcome, value=value, said=str(value or ""), reason=check.reason if inside else "",
        threshold=Threshold("not in", None, "", "不属于 " + "、".join(sorted(check.listed)) + " 大类"),
    )  # fmt: skip


def _manual(criterion: Criterion, check: Manual, look: _Look) -> CriterionResult:
    return _result(criterion, look, NEEDS_PERSON, reason=check.question)


def _all_of(criterion: Criterion, check: AllOf, look: _Look) -> CriterionResult:
    parts = tuple(_judge(part, look) for part in check.parts)
    return _result(criterion, look, _all(p.result for p in parts if p.role == "condition"), parts=parts, combine="all")


def _any_of(criterion: Criterion, check: AnyOf, look: _Look) -> CriterionResult:
    parts = tuple(_judge(part, look) for part in check.parts)
    return _result(criterion, look, _any(p.result for p in parts if p.role == "condition"), parts=parts, combine="any")


def _not(criterion: Criterion, check: Not, look: _Look) -> CriterionResult:
    part = _judge(check.part, look)
    return _result(criterion, look, _OPPOSITE.get(part.result, part.result), parts=(part,), combine="not")


def _each_year(criterion: Criterion, check: EachYear, look: _Look) -> CriterionResult:
    parts = []
    for offset in check.years:
        year = look.year + look.shift + offset
        one = replace(criterion, id=f"{criterion.id}.{year}", name=f"{year} 年", check=check.check)
        parts.append(_judge(one, look.again(look.shift + offset)))
    return _result(criterion, look, _all(p.result for p in parts), parts=tuple(parts), combine="years")


# Scores.


def _points_outcome(lo: int, hi: int, otherwise: Outcome) -> Outcome:
    """A scored part: points are met, none are unmet, an open range is unknown or a person's."""
    return otherwise if lo < hi else MET if lo > 0 else UNMET


def _bands(criterion: Criterion, check: Bands, look: _Look) -> CriterionResult:
    span = _measure(check.amount, look)
    top = check.bands[0][1]
    lo = 0 if span.why or span.lo is None else _points(check, span.lo)
    hi = top if span.why or span.hi is None else _points(check, span.hi)
    return _result(
        criterion, look, _points_outcome(lo, hi, NEEDS_PERSON if span.why else UNKNOWN), score=(lo, hi),
        value=_exact(check.amount, span), said=_said(check.amount, span), reason=span.why, threshold=check.asked,
    )  # fmt: skip


def _points(check: Bands, value: Fraction) -> int:
    return next((points for bound, points in check.bands if value >= bound), 0)


def _tiers(criterion: Criterion, check: Tiers, look: _Look) -> CriterionResult:
    """The lowest possible points come from the first tier surely met, the highest from the first not surely missed."""
    lo = hi = 0
    undecided = UNKNOWN
    for tier, points in check.tiers:
        outcome = _holds(_measure(tier.amount, look), tier.op, tier.threshold or _ZERO)
        undecided = outcome if outcome is NEEDS_PERSON else undecided
        if outcome is not UNMET:
            hi = max(hi, points)
        if outcome is MET:
            lo = points
            break
    said = "，".join(f"{ref.label} {value}" for ref, value in look.inputs.items() if isinstance(value, int))
    outcome = _points_outcome(lo, hi, undecided)
    return _result(criterion, look, outcome, score=(lo, hi), value=lo if lo == hi else None, said=said)


def _best_of(criterion: Criterion, check: BestOf, look: _Look) -> CriterionResult:
    parts = tuple(_judge(part, look) for part in check.parts)
    ranges = [part.score for part in parts if part.score is not None]
    lo, hi = max(low for low, _ in ranges), max(high for _, high in ranges)
    open_ = UNKNOWN if any(p.result is UNKNOWN for p in parts) else NEEDS_PERSON
    return _result(criterion, look, _points_outcome(lo, hi, open_), score=(lo, hi), parts=parts, combine="best")


def _score(criterion: Criterion, check: Score, look: _Look) -> CriterionResult:
    """Met only when the lowest possible total passes, unmet only when the highest fails."""
    parts = tuple(_judge(part, look) for part in check.parts)
    ranges = [part.score for part in parts if part.score is not None]
    lo, hi = sum(low for low, _ in ranges), sum(high for _, high in ranges)
    outcome = _holds(_Span(Fraction(lo), Fraction(hi)), check.asked.op, check.pass_mark)
    if outcome is UNKNOWN and not any(p.result is UNKNOWN for p in parts):
        outcome = NEEDS_PERSON
    short = ceil(check.pass_mark - hi)
    if check.strict and hi + short == check.pass_mark:
        short += 1
    # While the total is a range, no single amount is known to be enough.
    settled = outcome is UNMET and lo == hi
    return _result(
        criterion, look, outcome, score=(lo, hi), value=lo if lo == hi else None, parts=parts, combine="score",
        said=f"{lo} 分" if lo == hi else f"{lo}～{hi} 分", threshold=check.asked,
        gap=Gap(Decimal(short), "分", True) if settled else None,
        ways=_ways(check.parts, parts, short, look) if settled else (),
    )  # fmt: skip


def _ways(
    parts: tuple[Criterion, ...], results: tuple[CriterionResult, ...], short: int, look: _Look
) -> tuple[Gap, ...]:
    """Single changes that bring the missing points, each the smallest of its part."""
    found: list[Gap] = []
    for part, result in zip(parts, results, strict=True):
        if result.score is None:
            continue
        wanted = result.score[1] + short
        options = part.check.parts if isinstance(part.check, BestOf) else (part,)
        gaps = [gap for option in options for gap in _steps_up(option.check, wanted, look.again())]
        smallest: dict[str, Gap] = {}
        for gap in gaps:
            if gap.unit not in smallest or gap.amount < smallest[gap.unit].amount:
                smallest[gap.unit] = gap
        found += smallest.values()
    return tuple(found)


def _steps_up(check: Check, wanted: int, look: _Look) -> Iterator[Gap]:
    """The change of one fact for each way to at least ``wanted`` points, the lowest tier first."""
    steps: list[Gap | None] = []
    if isinstance(check, Bands):
        steps = [_gap(check.amount, ">=", bound, look) for bound, points in check.bands if points >= wanted][-1:]
    elif isinstance(check, Tiers):
        tiers = [tier for tier, points in reversed(check.tiers) if points >= wanted]
        steps = [_gap(tier.amount, tier.op, tier.threshold, look) for tier in tiers if tier.threshold is not None]
    yield from (gap for gap in steps if gap is not None)


def _classify(criterion: Criterion, check: Classify, look: _Look) -> CriterionResult:
    """Every size class that what is known still allows; one left is the class, 大型 gone is already 中小微."""
    industry = look.read(check.key)
    if industry is None:
        for key in check.measures.values():
            look.read(key)
        return _result(criterion, look, UNKNOWN, threshold=_SME)
    row = check.rows[str(industry)]
    spans = {name: look.number(check.measures[name]) for name in {**row.ceiling, **row.medium, **row.small}}
    possible: list[str] = []
    for size, bounds in (("大型", row.ceiling), ("中型", row.medium), ("小型", row.small)):
        reached = _all(_holds(spans[name], ">=", bound) for name, bound in bounds.items())
        if reached is not UNMET:
            possible.append(size)
        if reached is MET:
            break
    else:
        possible.append("微型")
    outcome = MET if "大型" not in possible else UNMET if possible == ["大型"] else UNKNOWN
    return _result(
        criterion, look, outcome, clause=row.clause, value=possible[0] if len(possible) == 1 else None,
        said="或".join(possible), threshold=_SME, undecided=len(possible) > 1,
    )  # fmt: skip


_CHECKS: dict[type, Callable[..., CriterionResult]] = {
    Compare: _compare,
    Is: _is,
    Applies: _applies,
    Industry: _industry,
    Manual: _manual,
    AllOf: _all_of,
    AnyOf: _any_of,
    Not: _not,
    EachYear: _each_year,
    Bands: _bands,
    Tiers: _tiers,
    BestOf: _best_of,
    Score: _score,
    Classify: _classify,
}

# --- Gaps ----------------------------------------------------------------------------------------------------------

# The smallest step a fact of this unit can take.
_STEPS: dict[str, Fraction] = {"元": Fraction(1, 100)}


def _gap(amount: Amount, op: str, threshold: Fraction, look: _Look) -> Gap | None:
    """The smallest change of the one fact that carries the amount, the others staying; None when there is no such."""
    grow = op in (">=", ">")
    match amount:
        case Value(key, year) | Total(key, _, year):
            ref = look.ref(key, year)
            now, target = _measure(amount, look).exact, threshold
        case Count(group):
            ref = FactRef(f"ip.{group}_count")
            now, target = _measure(amount, look).exact, threshold
        case Ratio(Value(key, year) | Total(key, _, year) as top, bottom, share):
            ref = look.ref(key, year)
            base = _measure(bottom, look).exact
            now = _measure(top, look).exact
            if base is None or base <= 0 or (share and threshold > 1):
                return None
            target = threshold * base
        case Growth(key, years, method):
            ref = look.ref(key)
            now, last = look.number(key).exact, _last_for(look, key, years, method, threshold)
            if last is None:
                return None
            target = last
        case _:
            return None
    if now is None or op == "=":
        return None
    unit = _unit_of_key(ref.key)
    step = _STEPS.get(unit, Fraction(1))
    change = target - now if grow else now - target
    steps = ceil(change / step)
    if op in (">", "<") and steps * step == change:
        steps += 1
    return Gap(plain(steps * step), unit, grow, ref) if steps > 0 else None


def _last_for(look: _Look, key: str, years: int, method: str, rate: Fraction) -> Fraction | None:
    """The last year's value that would give this growth, the earlier ones staying."""
    earlier = [look.number(key, -back).exact for back in reversed(range(1, years))]
    known = [value for value in earlier if value is not None and value > 0]
    if len(known) < len(earlier) or not known:
        return None
    if method == "compound":
        return known[0] * (1 + rate) ** (years - 1)
    steps = [after / before for before, after in pairwise(known)]
    return ((1 + rate) * (len(steps) + 1) - sum(steps, _ZERO)) * known[-1]


# --- Words and numbers ---------------------------------------------------------------------------------------------


def unit_of(amount: Amount) -> str:
    """The canonical unit of an amount: 元, 人, 件, 天 …; ``%`` for ratios and rates."""
    match amount:
        case Value(key) | Total(key):
            return _unit_of_key(key)
        case Count():
            return "件"
        case Minus(first):
            return unit_of(first)
        case DaysSince():
            return "天"
        case _:
            return "%"


def _unit_of_key(key: str) -> str:
    if key in DERIVED:
        return DERIVED[key].unit
    declared = FIELDS[key]
    return "%" if declared.type == "ratio" else declared.unit


def _exact(amount: Amount, span: _Span) -> object:
    value = span.exact
    if value is None or (isinstance(amount, Growth) and amount.method == "compound"):
        return None
    if unit_of(amount) == "%":
        return value
    return int(value) if value.denominator == 1 and unit_of(amount) != "元" else plain(value)


def plain(value: Fraction) -> Decimal:
    """A fraction as Decimal: exact for everything that is counted in 分, persons, pieces or points."""
    return Decimal(value.numerator) / Decimal(value.denominator)


def _said(amount: Amount, span: _Span) -> str:
    """The words of an amount that has no single value to print: the factor of a compound rate."""
    if span.exact is None or not (isinstance(amount, Growth) and amount.method == "compound"):
        return ""
    return f"{amount.years - 1} 年间为 {say_number(span.exact, '')} 倍"


def _threshold(op: str, value: Fraction, unit: str) -> Threshold:
    sign = {">=": "≥", "<=": "≤"}.get(op, op)
    return Threshold(op, value, unit, f"{sign} {say_number(value, unit)}")


_SME = Threshold("in", None, "", "中型、小型或微型")


def say_number(value: Fraction, unit: str, *, up: bool = False) -> str:
    """A number as it is printed: money in 万元 (below 100 元 in 元), ratios in percent, two decimals at most."""
    scale, word = {"%": (Fraction(100), "%"), "元": (Fraction(1, 10_000), " 万元")}.get(unit, (Fraction(1), f" {unit}"))
    if unit == "元" and 0 < abs(value) < 100:
        scale, word = Fraction(1), " 元"
    hundredths = value * scale * 100
    rounded = Decimal(ceil(hundredths) if up else hundredths.__floor__()) / 100
    text = f"{rounded:,.2f}".rstrip("0").rstrip(".")
    return text + word.rstrip() if not word.strip() else text + word


def say_value(key: str, value: object) -> str:
    """A stored value in words: choices by label, yes/no as 是/否, numbers with their unit, nothing for unknown."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | Decimal):
        return say_number(Fraction(value), _unit_of_key(key))
    declared = FIELDS.get(key)
    if declared is not None and declared.choices in CHOICES:
        return CHOICES[declared.choices].get(str(value), str(value))
    return str(value)


# --- What the doors ask --------------------------------------------------------------------------------------------


def missing_facts(result: Result) -> list[FactRef]:
    """The facts whose absence keeps the judgement open, in the order of the criteria; empty once it is decided."""
    if result.result is not UNKNOWN:
        return []
    found: dict[FactRef, None] = {}
    for criterion in result.criteria:
        if criterion.role == "condition":
            found.update(dict.fromkeys(_blocking(criterion)))
    return list(found)


def _blocking(criterion: CriterionResult) -> Iterator[FactRef]:
    if criterion.result is not UNKNOWN:
        return
    yield from criterion.missing
    settled = criterion.score[0] if criterion.combine == "best" and criterion.score else None
    for part in criterion.parts:
        # An option of a choice that can no longer beat the better one is not worth asking for.
        if settled is None or (part.score is not None and part.score[1] > settled):
            yield from _blocking(part)


def shortfall(result: Result) -> list[CriterionResult] | None:
    """The unmet criteria on the shortest known way to meeting all of them.

    None when a fact on every way is unknown (or the rule does not apply); what needs a person does not count
    as short. Ways that no figure can mend (``plannable`` False) are not taken.
    """
    if result.result is NOT_APPLICABLE:
        return None
    return _short_of_all(result.criteria)


def _short_of_all(parts: Iterable[CriterionResult]) -> list[CriterionResult] | None:
    found: list[CriterionResult] = []
    for part in parts:
        short = _short(part)
        if short is None:
            return None
        found += short
    return found


def _short(criterion: CriterionResult) -> list[CriterionResult] | None:
    if criterion.role != "condition" or criterion.result in (MET, NOT_APPLICABLE, NEEDS_PERSON):
        return []
    if not criterion.plannable:
        return None
    if criterion.combine == "all":
        return _short_of_all(criterion.parts)
    if criterion.combine == "any":
        ways = [way for part in criterion.parts if (way := _short(part)) is not None]
        return min(ways, key=len, default=None)
    return [criterion] if criterion.result is UNMET else None


def one_short(result: Result) -> bool:
    """Whether exactly one known condition stands between the enterprise and meeting all of them (差一项)."""
    short = shortfall(result)
    return short is not None and len(short) == 1


def as_report(result: Result) -> dict[str, object]:
    """The result in the form of the ``assess`` report: plain values that JSON can hold, parts after their whole.

    Money is 元, ratios are decimals with ``exact`` beside them; a number that a JSON reader would round is written
    as text. ``credit_code`` is added by the caller.
    """
    return {
        "rules": result.kind,
        "version": result.version,
        "document": result.document,
        "on": result.on.isoformat(),
        "year": result.year,
        "result": result.result.value,
        "score": _score_json(result.score),
        "criteria": list(_criteria_json(result.criteria, None)),
        "missing": [ref.path for ref in missing_facts(result)],
        "one_short": one_short(result),
    }


def _criteria_json(criteria: Iterable[CriterionResult], parent: str | None) -> Iterator[dict[str, object]]:
    for c in criteria:
        yield {
            "id": c.id,
            "name": c.name,
            "parent": parent,
            "role": c.role,
            "clause": c.clause,
            "confidence": c.confidence,
            "result": c.result.value,
            "value": _number_json(c.value),
            "exact": str(c.value) if isinstance(c.value, Fraction) else None,
            "value_text": c.value_text,
            "threshold": None if c.threshold is None else _threshold_json(c.threshold),
            "gap": None if c.gap is None else _gap_json(c.gap),
            "ways": [_gap_json(way) for way in c.ways],
            "inputs": {ref.path: _number_json(value) for ref, value in c.inputs},
            "missing": [ref.path for ref in c.missing],
            "score": _score_json(c.score),
            "reason": c.reason,
        }
        yield from _criteria_json(c.parts, c.id)


def _threshold_json(threshold: Threshold) -> dict[str, object]:
    return {
        "op": threshold.op,
        "value": _number_json(threshold.value),
        "unit": threshold.unit,
        "text": threshold.text,
    }


def _gap_json(gap: Gap) -> dict[str, object]:
    return {
        "amount": _number_json(gap.amount),
        "unit": gap.unit,
        "text": gap.text,
        "fact": gap.fact.path if gap.fact else None,
    }


def _score_json(score: tuple[int, int] | None) -> dict[str, object] | None:
    return None if score is None else {"min": score[0], "max": score[1]}


def _number_json(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, Fraction | Decimal):
        return value
    exact = Fraction(value)
    if exact.denominator == 1:
        return int(exact)
    if isinstance(value, Decimal) and Decimal(repr(float(value))) != value:
        return str(value)
    return float(exact)
