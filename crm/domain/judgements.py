"""What a comparison has found, and what the doors ask of it: what is missing, what is short, the report."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from crm.domain.amounts import Threshold, say_number
from crm.domain.conditions import MET, NEEDS_PERSON, NOT_APPLICABLE, UNKNOWN, UNMET, Outcome
from crm.domain.facts import FactRef

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


def missing_facts(result: Result) -> list[FactRef]:
    """The facts whose absence keeps the judgement open, in the order of the criteria; empty once it is decided."""
    return unknown_facts(result) if result.result is UNKNOWN else []


def unknown_facts(result: Result) -> list[FactRef]:
    """The facts behind every condition that is unknown, also where another condition is unmet already.

    What is unmet today may be mended by tomorrow, so an enterprise is asked for all of it at once.
    """
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
