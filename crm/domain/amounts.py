"""Exact amounts: what is known of a number as a span, arithmetic on spans, and numbers and values in words."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from crm.domain.facts import DERIVED
from crm.domain.fields import CHOICES, FIELDS


class Threshold(NamedTuple):
    """What was asked: an operator with a number and its unit, or the expected words."""

    op: str
    value: Fraction | None
    unit: str
    text: str


class Span(NamedTuple):
    """What is known of a number: between ``lo`` and ``hi``, None for no bound. ``why`` says why a person must look."""

    lo: Fraction | None
    hi: Fraction | None
    why: str = ""

    @property
    def exact(self) -> Fraction | None:
        """The number itself, None while it is open."""
        return self.lo if self.lo is not None and self.lo == self.hi else None


ANYTHING = Span(None, None)
ZERO = Fraction(0)


def less(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    """One bound less another; no bound when either has none."""
    return None if a is None or b is None else a - b


def summed(spans: Iterable[Span]) -> Span:
    """The bounds of a sum; one summand without a bound leaves the sum without it."""
    lo: Fraction | None = ZERO
    hi: Fraction | None = ZERO
    why = ""
    for span in spans:
        lo = None if lo is None or span.lo is None else lo + span.lo
        hi = None if hi is None or span.hi is None else hi + span.hi
        why = why or span.why
    return Span(lo, hi, why)


def quotient(top: Span, bottom: Span, share: bool = False) -> Span:
    """The bounds of a quotient. Nothing over anything is 0; a base of 0 or below needs a person."""
    if top.why or bottom.why:
        return Span(None, None, top.why or bottom.why)
    if share and top.exact is not None and bottom.exact is not None and top.exact > bottom.exact:
        return Span(None, None, "部分大于总数，两个数先核实")
    if top.exact == 0:
        return Span(ZERO, ZERO)
    if bottom.hi is not None and bottom.hi <= 0:
        return Span(None, None, "分母为 0 或负数，比例无从计算")
    if bottom.lo is None or bottom.lo < 0 or top.lo is None or top.lo < 0:
        exact = top.exact is not None and bottom.exact is not None and bottom.exact > 0
        quotient = top.exact / bottom.exact if exact else None  # type: ignore[operator]
        return Span(quotient, quotient)
    lo = top.lo / bottom.hi if bottom.hi is not None else ZERO
    hi = top.hi / bottom.lo if top.hi is not None and bottom.lo > 0 else None
    if share:
        hi = Fraction(1) if hi is None else min(hi, Fraction(1))
    return Span(lo, hi)


def growth_rate(values: list[Span], method: str) -> Span:
    """A growth rate, exact or unknown. A negative base is nowhere regulated and goes to a person.

    For ``average`` a first year of 0 is left out and a later base of 0 gives a rate of 0 (195号 三（七）4).
    For ``compound`` the span holds last ÷ first; the threshold is raised to the same power before comparing.
    """
    exact = [value.exact for value in values]
    if any(value is None for value in exact):
        return ANYTHING
    known = [value for value in exact if value is not None]
    if any(value < 0 for value in known[:-1]):
        return Span(None, None, "基数为负数，文件未规定算法")
    if method == "compound":
        return quotient(values[-1], values[0])
    if known[0] == 0:
        known = known[1:]
    if len(known) < 2 or any(base == 0 for base in known[:-1]):
        return Span(ZERO, ZERO)
    steps = [after / before for before, after in pairwise(known)]
    rate = sum(steps, ZERO) / len(steps) - 1
    return Span(rate, rate)


def unit_of_key(key: str) -> str:
    """The canonical unit of a fact: 元, 人, 件, 天 …; ``%`` for ratios. Raises KeyError for an unknown fact."""
    if key in DERIVED:
        return DERIVED[key].unit
    declared = FIELDS[key]
    return "%" if declared.type == "ratio" else declared.unit


def plain(value: Fraction) -> Decimal:
    """A fraction as Decimal: exact for everything that is counted in 分, persons, pieces or points."""
    return Decimal(value.numerator) / Decimal(value.denominator)


def threshold_of(op: str, value: Fraction, unit: str) -> Threshold:
    """The threshold with its words, ``≥ 5%``; ``op`` as in conditions.OPERATORS, ``value`` in the canonical unit."""
    sign = {">=": "≥", "<=": "≤"}.get(op, op)
    return Threshold(op, value, unit, f"{sign} {say_number(value, unit)}")


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
        return say_number(Fraction(value), unit_of_key(key))
    declared = FIELDS.get(key)
    if declared is not None and declared.choices in CHOICES:
        return CHOICES[declared.choices].get(str(value), str(value))
    return str(value)
