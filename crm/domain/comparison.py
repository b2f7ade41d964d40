"""The comparison engine (条件比对): a rule set and facts in, five-valued results out, with exact arithmetic."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil

from crm.domain.amounts import (
    ZERO,
    Span,
    Threshold,
    say_value,
    threshold_of,
)
from crm.domain.conditions import (
    MET,
    NEEDS_PERSON,
    NOT_APPLICABLE,
    UNKNOWN,
    UNMET,
    AllOf,
    Amount,
    AnyOf,
    Applies,
    Bands,
    BestOf,
    Check,
    Classify,
    Compare,
    Criterion,
    EachYear,
    Growth,
    Industry,
    Is,
    Manual,
    Not,
    Outcome,
    RuleSet,
    Score,
    Tiers,
    unit_of,
)
from crm.domain.facts import Facts
from crm.domain.judgements import CriterionResult, Gap, Result, walk
from crm.domain.measuring import Look, exact_value, gap_of, measure, said_of


def compare(rule_set: RuleSet, facts: Facts, on: date | None = None) -> Result:
    """The judgement of one enterprise by one rule set on ``on`` (by default the day of the facts).

    Pure and exact. Five outcomes; a missing fact gives UNKNOWN, never MET; blanking a fact never makes MET.
    When a gate does not apply, nothing else is judged and the result is NOT_APPLICABLE.
    """
    day = facts.on if on is None else on
    look = Look(rule_set, facts, day)
    results: list[CriterionResult] = []
    gates = {id: n for n, id in enumerate(rule_set.gate)}
    shut = False
    for criterion in sorted(rule_set.criteria, key=lambda c: gates.get(c.id, len(gates))):
        judged = _judge(criterion, look)
        results.append(judged)
        shut = criterion.id in gates and judged.result is NOT_APPLICABLE
        if shut:
            break
    order = {criterion.id: n for n, criterion in enumerate(rule_set.criteria)}
    results.sort(key=lambda c: order[c.id])
    outcome = NOT_APPLICABLE if shut else _all(c.result for c in results if c.role == "condition")
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


def _judge(criterion: Criterion, look: Look) -> CriterionResult:
    fresh = look.again()
    judged = _CHECKS[type(criterion.check)](criterion, criterion.check, fresh)
    if criterion.role != "notice":
        return judged
    # A notice that strikes asks for a person's eye; one that does not strike is no condition at all.
    shown = {MET: NEEDS_PERSON, UNMET: NOT_APPLICABLE}.get(judged.result, judged.result)
    return judged._replace(result=shown, gap=None)


def _result(
    criterion: Criterion,
    look: Look,
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


# Conditions.


def _holds(span: Span, op: str, threshold: Fraction) -> Outcome:
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


def _compare(criterion: Criterion, check: Compare, look: Look) -> CriterionResult:
    span = measure(check.amount, look)
    candidates = _thresholds(check, look)
    outcomes = {_holds(span, check.op, _raised(check.amount, threshold)) for threshold in candidates}
    outcome = outcomes.pop() if len(outcomes) == 1 else UNKNOWN
    threshold = candidates[0] if len(candidates) == 1 else None
    gap = gap_of(check.amount, check.op, threshold, look) if outcome is UNMET and threshold is not None else None
    asked = check.asked
    if asked is None and threshold is not None:
        asked = threshold_of(check.op, threshold, unit_of(check.amount))
    return _result(
        criterion, look, outcome, value=exact_value(check.amount, span), said=said_of(check.amount, span), gap=gap,
        reason=span.why, threshold=asked,
    )  # fmt: skip


def _thresholds(check: Compare, look: Look) -> list[Fraction]:
    """The thresholds that may apply: one, or several while the bracket is not known."""
    if check.threshold is not None:
        return [check.threshold]
    assert check.by is not None
    span = measure(check.by, look)
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


def _is(criterion: Criterion, check: Is, look: Look) -> CriterionResult:
    value = look.read(check.key, check.year)
    outcome = UNKNOWN if value is None else MET if value in check.expected else UNMET
    words = "或".join(sorted(say_value(check.key, expected) for expected in check.expected))
    return _result(
        criterion, look, outcome, value=value, said=say_value(check.key, value),
        threshold=Threshold("in", None, "", words),
    )  # fmt: skip


def _applies(criterion: Criterion, check: Applies, look: Look) -> CriterionResult:
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


def _industry(criterion: Criterion, check: Industry, look: Look) -> CriterionResult:
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


def _manual(criterion: Criterion, check: Manual, look: Look) -> CriterionResult:
    return _result(criterion, look, NEEDS_PERSON, reason=check.question)


def _all_of(criterion: Criterion, check: AllOf, look: Look) -> CriterionResult:
    parts = tuple(_judge(part, look) for part in check.parts)
    return _result(criterion, look, _all(p.result for p in parts if p.role == "condition"), parts=parts, combine="all")


def _any_of(criterion: Criterion, check: AnyOf, look: Look) -> CriterionResult:
    parts = tuple(_judge(part, look) for part in check.parts)
    return _result(criterion, look, _any(p.result for p in parts if p.role == "condition"), parts=parts, combine="any")


def _not(criterion: Criterion, check: Not, look: Look) -> CriterionResult:
    part = _judge(check.part, look)
    return _result(criterion, look, _OPPOSITE.get(part.result, part.result), parts=(part,), combine="not")


def _each_year(criterion: Criterion, check: EachYear, look: Look) -> CriterionResult:
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


def _bands(criterion: Criterion, check: Bands, look: Look) -> CriterionResult:
    span = measure(check.amount, look)
    top = check.bands[0][1]
    lo = 0 if span.why or span.lo is None else _points(check, span.lo)
    hi = top if span.why or span.hi is None else _points(check, span.hi)
    return _result(
        criterion, look, _points_outcome(lo, hi, NEEDS_PERSON if span.why else UNKNOWN), score=(lo, hi),
        value=exact_value(check.amount, span), said=said_of(check.amount, span), reason=span.why, threshold=check.asked,
    )  # fmt: skip


def _points(check: Bands, value: Fraction) -> int:
    return next((points for bound, points in check.bands if value >= bound), 0)


def _tiers(criterion: Criterion, check: Tiers, look: Look) -> CriterionResult:
    """The lowest possible points come from the first tier surely met, the highest from the first not surely missed."""
    lo = hi = 0
    undecided = UNKNOWN
    for tier, points in check.tiers:
        outcome = _holds(measure(tier.amount, look), tier.op, tier.threshold or ZERO)
        undecided = outcome if outcome is NEEDS_PERSON else undecided
        if outcome is not UNMET:
            hi = max(hi, points)
        if outcome is MET:
            lo = points
            break
    said = "，".join(f"{ref.label} {value}" for ref, value in look.inputs.items() if isinstance(value, int))
    outcome = _points_outcome(lo, hi, undecided)
    return _result(criterion, look, outcome, score=(lo, hi), value=lo if lo == hi else None, said=said)


def _best_of(criterion: Criterion, check: BestOf, look: Look) -> CriterionResult:
    parts = tuple(_judge(part, look) for part in check.parts)
    ranges = [part.score for part in parts if part.score is not None]
    lo, hi = max(low for low, _ in ranges), max(high for _, high in ranges)
    open_ = UNKNOWN if any(p.result is UNKNOWN for p in parts) else NEEDS_PERSON
    return _result(criterion, look, _points_outcome(lo, hi, open_), score=(lo, hi), parts=parts, combine="best")


def _score(criterion: Criterion, check: Score, look: Look) -> CriterionResult:
    """Met only when the lowest possible total passes, unmet only when the highest fails."""
    parts = tuple(_judge(part, look) for part in check.parts)
    ranges = [part.score for part in parts if part.score is not None]
    lo, hi = sum(low for low, _ in ranges), sum(high for _, high in ranges)
    outcome = _holds(Span(Fraction(lo), Fraction(hi)), check.asked.op, check.pass_mark)
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
    parts: tuple[Criterion, ...], results: tuple[CriterionResult, ...], short: int, look: Look
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


def _steps_up(check: Check, wanted: int, look: Look) -> Iterator[Gap]:
    """The change of one fact for each way to at least ``wanted`` points, the lowest tier first."""
    steps: list[Gap | None] = []
    if isinstance(check, Bands):
        steps = [gap_of(check.amount, ">=", bound, look) for bound, points in check.bands if points >= wanted][-1:]
    elif isinstance(check, Tiers):
        tiers = [tier for tier, points in reversed(check.tiers) if points >= wanted]
        steps = [gap_of(tier.amount, tier.op, tier.threshold, look) for tier in tiers if tier.threshold is not None]
    yield from (gap for gap in steps if gap is not None)


def _classify(criterion: Criterion, check: Classify, look: Look) -> CriterionResult:
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


_SME = Threshold("in", None, "", "中型、小型或微型")
