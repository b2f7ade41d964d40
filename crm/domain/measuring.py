"""What an amount of a rule comes to: facts read for one criterion, spans where some are blank, and the step missing."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil

from crm.domain.amounts import (
    ANYTHING,
    ZERO,
    Span,
    growth_rate,
    less,
    plain,
    quotient,
    say_number,
    summed,
    unit_of_key,
)
from crm.domain.conditions import Amount, Count, DaysSince, Growth, Minus, Ratio, RuleSet, Total, Value, unit_of
from crm.domain.facts import FactRef, Facts
from crm.domain.fields import FIELDS
from crm.domain.judgements import Gap


class Look:
    """One evaluation of one criterion: reads facts and remembers what was read and what was missing."""

    def __init__(self, rules: RuleSet, facts: Facts, on: date, shift: int = 0) -> None:
        self.rules, self.facts, self.on, self.shift = rules, facts, on, shift
        self.year = on.year + rules.year_offset
        self.inputs: dict[FactRef, object] = {}
        self.missing: dict[FactRef, None] = {}

    def again(self, shift: int | None = None) -> "Look":
        """A fresh look at the same facts, by default at the same year; it has read nothing yet."""
        return Look(self.rules, self.facts, self.on, self.shift if shift is None else shift)

    def ref(self, key: str, offset: int = 0) -> FactRef:
        """The fact a key names; ``offset`` counts years from the year judged and matters for yearly figures only."""
        return FactRef(key, self.year + self.shift + offset) if key.startswith("figures.") else FactRef(key)

    def read(self, key: str, offset: int = 0) -> object:
        """The value of a fact, None when it is blank; noted as read, and as missing when blank."""
        ref = self.ref(key, offset)
        value = self.facts.value(ref.key, ref.year)
        self.inputs[ref] = value
        if value is None:
            self.missing[ref] = None
        return value

    def number(self, key: str, offset: int = 0) -> Span:
        """A number as a span of one value; a blank may be anything from the least its field allows."""
        value = self.read(key, offset)
        if value is None:
            least = FIELDS[key].minimum
            return Span(None if least is None else Fraction(least), None)
        assert isinstance(value, int | Decimal)
        exact = Fraction(value)
        return Span(exact, exact)


def measure(amount: Amount, look: Look) -> Span:
    """All values an amount may have, exact, in the unit of the amount; one value when every fact is known."""
    match amount:
        case Value(key, year):
            return look.number(key, year)
        case Total(key, years, year):
            return summed(look.number(key, year - back) for back in range(years))
        case Count(group):
            return _count(group, look)
        case Ratio(top, bottom, share):
            return quotient(measure(top, look), measure(bottom, look), share)
        case Minus(first, second):
            a, b = measure(first, look), measure(second, look)
            return Span(less(a.lo, b.hi), less(a.hi, b.lo), a.why or b.why)
        case Growth(key, years, method):
            return growth_rate([look.number(key, -back) for back in reversed(range(years))], method)
        case DaysSince(key):
            value = look.read(key)
            days = Fraction((look.on - value).days) if isinstance(value, date) else None
            return ANYTHING if days is None else Span(days, days)


# What makes a piece of IP count, in the order it is asked; each answers yes, no or None for not known.
_IP_TESTS: tuple[tuple[str, Callable[[object, date], bool]], ...] = (
    ("granted_on", lambda value, on: isinstance(value, date) and value <= on),
    ("expires_on", lambda value, on: isinstance(value, date) and value >= on),
    ("supports_main_product", lambda value, on: value is True),
    ("disputed", lambda value, on: value is False),
)


def _count(group: str, look: Look) -> Span:
    """The pieces of IP of one class: those that surely count, and those that may once their blanks are filled."""
    ref = FactRef(f"ip.{group}_count")
    owned = look.facts.intellectual_property
    if owned is None:
        look.inputs[ref] = None
        look.missing[ref] = None
        return Span(ZERO, None)
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
    return Span(Fraction(sure), Fraction(possible))


# The smallest step a fact of this unit can take.
_STEPS: dict[str, Fraction] = {"元": Fraction(1, 100)}


def gap_of(amount: Amount, op: str, threshold: Fraction, look: Look) -> Gap | None:
    """The smallest change of the one fact that carries the amount, the others staying; None when there is no such."""
    grow = op in (">=", ">")
    match amount:
        case Value(key, year) | Total(key, _, year):
            ref = look.ref(key, year)
            now, target = measure(amount, look).exact, threshold
        case Count(group):
            ref = FactRef(f"ip.{group}_count")
            now, target = measure(amount, look).exact, threshold
        case Ratio(Value(key, year) | Total(key, _, year) as top, bottom, share):
            ref = look.ref(key, year)
            base = measure(bottom, look).exact
            now = measure(top, look).exact
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
    unit = unit_of_key(ref.key)
    step = _STEPS.get(unit, Fraction(1))
    change = target - now if grow else now - target
    steps = ceil(change / step)
    if op in (">", "<") and steps * step == change:
        steps += 1
    return Gap(plain(steps * step), unit, grow, ref) if steps > 0 else None


def _last_for(look: Look, key: str, years: int, method: str, rate: Fraction) -> Fraction | None:
    """The last year's value that would give this growth, the earlier ones staying."""
    earlier = [look.number(key, -back).exact for back in reversed(range(1, years))]
    known = [value for value in earlier if value is not None and value > 0]
    if len(known) < len(earlier) or not known:
        return None
    if method == "compound":
        return known[0] * (1 + rate) ** (years - 1)
    steps = [after / before for before, after in pairwise(known)]
    return ((1 + rate) * (len(steps) + 1) - sum(steps, ZERO)) * known[-1]


def exact_value(amount: Amount, span: Span) -> object:
    """The one value of an amount to print, a whole number where it is one; None for several, or a compound rate."""
    value = span.exact
    if value is None or (isinstance(amount, Growth) and amount.method == "compound"):
        return None
    if unit_of(amount) == "%":
        return value
    return int(value) if value.denominator == 1 and unit_of(amount) != "元" else plain(value)


def said_of(amount: Amount, span: Span) -> str:
    """The words of an amount that has no single value to print: the factor of a compound rate."""
    if span.exact is None or not (isinstance(amount, Growth) and amount.method == "compound"):
        return ""
    return f"{amount.years - 1} 年间为 {say_number(span.exact, '')} 倍"
