"""The conditions of a title as data: what is measured, what is asked of it, and the rule set they make up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from crm.domain.amounts import Threshold, threshold_of, unit_of_key


class Outcome(StrEnum):
    """What a comparison can come to. A missing fact is UNKNOWN; what needs judgement is NEEDS_PERSON."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"
    NEEDS_PERSON = "needs_person"
    NOT_APPLICABLE = "not_applicable"


MET, UNMET, UNKNOWN, NEEDS_PERSON, NOT_APPLICABLE = Outcome

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


def unit_of(amount: Amount) -> str:
    """The canonical unit of an amount: 元, 人, 件, 天 …; ``%`` for ratios and rates."""
    match amount:
        case Value(key) | Total(key):
            return unit_of_key(key)
        case Count():
            return "件"
        case Minus(first):
            return unit_of(first)
        case DaysSince():
            return "天"
        case _:
            return "%"


OPERATORS = frozenset({">=", ">", "<=", "<", "="})


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
        return None if self.threshold is None else threshold_of(self.op, self.threshold, unit_of(self.amount))


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
        return threshold_of(">=", self.bands[0][0], unit_of(self.amount))


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
        return threshold_of(">" if self.strict else ">=", self.pass_mark, "分")


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
    fiscal year judged. ``gate`` names the criteria that decide whether the rest applies at all.
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
    gate: tuple[str, ...] = ()
    year_offset: int = -1


def all_criteria(rules: RuleSet) -> Iterator[Criterion]:
    """Every criterion of a rule set, each before its parts."""
    pending = list(reversed(rules.criteria))
    while pending:
        criterion = pending.pop()
        yield criterion
        pending += reversed(parts_of(criterion.check))


def parts_of(check: Check) -> tuple[Criterion, ...]:
    """The criteria inside a check."""
    match check:
        case AllOf(parts) | AnyOf(parts) | BestOf(parts):
            return parts
        case Score(parts, _, _):
            return parts
        case Not(part):
            return (part,)
        case _:
            return ()
