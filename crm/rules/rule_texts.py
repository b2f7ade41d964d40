"""Rule sets for reading: the conditions of a kind in lines, and the table of the facts that the rules read."""

from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction

from crm.domain import conditions as c
from crm.domain.amounts import say_number, say_value
from crm.domain.facts import DERIVED, FactRef
from crm.domain.fields import CHOICES, FIELDS, fields_of
from crm.rules.rule_sets import kinds, load_rule_set


def facts_used(rules: c.RuleSet) -> dict[FactRef, list[c.Criterion]]:
    """The facts of a rule set with the criteria that read them; the year of a reference is the offset (0, 1, -1 …)."""
    used: dict[FactRef, list[c.Criterion]] = {}
    for criterion in c.all_criteria(rules):
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


def fields_table() -> str:
    """The second table of docs/facts.md: every figure and every quality of a piece of IP a file may state."""
    lines = ["| fact | label | type | unit or choices | basis |", "|---|---|---|---|---|"]
    for field in (*fields_of("figures"), *fields_of("intellectual_property")):
        listed = ", ".join(CHOICES.get(field.choices or "", {}))
        lines.append(
            f"| `{field.key}` | {field.label} | {field.type} | {listed or field.unit or '–'} | {field.basis or '–'} |"
        )
    return "\n".join(lines) + "\n"


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
    for part in c.parts_of(criterion.check):
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
