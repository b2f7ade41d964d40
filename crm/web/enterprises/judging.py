"""A comparison as a page shows it: counts, the unmet first with their gap, the unknown with a way to the very field."""

from collections import Counter
from typing import Any

from flask import url_for

from crm.domain import words
from crm.domain.collections import blocking
from crm.domain.conditions import Outcome
from crm.domain.facts import FactRef
from crm.domain.judgements import CriterionResult, Result, missing_facts, one_short, shortfall, walk

_ORDER = {Outcome.UNMET: 0, Outcome.UNKNOWN: 1, Outcome.NEEDS_PERSON: 2, Outcome.MET: 3, Outcome.NOT_APPLICABLE: 4}


def shown(result: Result, enterprise_id: int) -> dict[str, Any]:
    """One comparison for the template."""
    conditions = [c for c in result.criteria if c.role == "condition"]
    notices = [c for c in result.criteria if c.role != "condition" and c.result is not Outcome.UNMET]
    rows = [row(c, enterprise_id) for c in sorted(conditions, key=lambda c: _ORDER[c.result])]
    short = {c.id for c in shortfall(result) or ()}
    for c, shown_row in zip(sorted(conditions, key=lambda c: _ORDER[c.result]), rows, strict=True):
        # The shortest known way stands open under its condition, everything else folded.
        shown_row["way"] = [row(p, enterprise_id) for p in walk(c.parts) if p.id in short and p is not c]
    counts = Counter(c.result.value for c in conditions)
    return {
        "kind": result.kind,
        "name": words.word(result.kind, "rules"),
        "document": result.document,
        "version": result.version,
        "on": result.on,
        "year": result.year,
        "result": result.result.value,
        "headline": headline(result, counts),
        "score": result.score,
        "counts": {name: counts.get(name, 0) for name in ("met", "unmet", "unknown", "needs_person", "not_applicable")},
        "open": [r for r in rows if r["result"] not in ("met", "not_applicable")],
        "met": [r for r in rows if r["result"] == "met"],
        "not_applicable": [r for r in rows if r["result"] == "not_applicable"],
        "notices": [row(c, enterprise_id) for c in notices if c.result is not Outcome.NOT_APPLICABLE],
        "missing": [ref.label for ref in missing_facts(result)],
        "to_ask": len(blocking([result]).asked),
        "one_short": one_short(result),
    }


def headline(result: Result, counts: Counter) -> str:
    """What is short, in one line; it never says that a title would be granted."""
    if result.kind == "size_class":
        found = next((c for c in result.criteria if c.id == "class" or c.value_text), None)
        if found is not None and found.value is not None:
            return f"{found.value}企业"
        return f"可能是{found.value_text}" if found is not None and found.value_text else "缺数据，划不了型"
    if result.result is Outcome.NOT_APPLICABLE:
        return "不适用这套条件"
    unmet, unknown = counts.get("unmet", 0), counts.get("unknown", 0)
    steps = len(shortfall(result) or ())
    missing = len(missing_facts(result))
    parts = []
    # The same numbers as the chips below; a condition of several parts may need more than one step.
    if unmet:
        parts.append(f"可量化条件差 {unmet} 项" + (f"（最少补 {steps} 处）" if steps > unmet else ""))
    if unknown:
        parts.append(f"{unknown} 项未知" + (f"（缺 {missing} 个数据）" if missing else ""))
    elif missing:
        parts.append(f"{'另缺' if parts else '缺'} {missing} 个数据")
    if counts.get("needs_person"):
        parts.append(f"{counts['needs_person']} 项需人工")
    return "，".join(parts) or "可量化条件都满足，由受理部门认定"


def row(c: CriterionResult, enterprise_id: int) -> dict[str, Any]:
    """One criterion, its note and its parts."""
    parts = [row(p, enterprise_id) for p in c.parts if p.result is not Outcome.NOT_APPLICABLE]
    missing = list(dict.fromkeys(_missing(c)))
    note = [said] if (said := _value_and_wanted(c)) else []
    if c.reason:
        note.append(c.reason)
    return {
        "id": c.id,
        "name": c.name,
        "clause": c.clause,
        "result": c.result.value,
        "gap": c.gap.text if c.gap else (c.ways[0].text + "即可" if c.ways else None),
        "note": "；".join(note),
        "missing": [ref.label for ref in missing],
        "href": place_of(missing[0], enterprise_id) if missing and c.result is Outcome.UNKNOWN else None,
        "links": [(ref.label, place_of(ref, enterprise_id)) for ref in missing],
        "parts": sorted(parts, key=lambda p: list(_ORDER).index(Outcome(p["result"]))),
        "score": c.score,
        "bar": _bar(c),
        "confidence": c.confidence,
    }


def _value_and_wanted(c: CriterionResult) -> str:
    """What the enterprise has and what is asked: ``12 人，需 ≥ 20 人``, ``是，应为否``; a notice by its case."""
    wanted = _wanted(c) if c.threshold is not None else ""
    if c.value_text:
        # An answer that is as it should be says it all; of a number the mark is worth reading all the same.
        told = c.result is Outcome.MET and (_is_choice(c) or c.role == "notice")
        return c.value_text if told or not wanted else f"{c.value_text}，{wanted}"
    return wanted if c.result is not Outcome.MET and not c.parts else ""


def _is_choice(c: CriterionResult) -> bool:
    return c.threshold is not None and c.threshold.op in ("in", "not in")


def _wanted(c: CriterionResult) -> str:
    assert c.threshold is not None
    text = c.threshold.text
    if c.role == "notice":
        return f"{'为' if _is_choice(c) else ''}{text}即属这一情形"
    if c.threshold.op == "in":
        return f"应为{text}"
    return f"应{text}" if c.threshold.op == "not in" else f"需 {text}"


def _missing(c: CriterionResult):
    yield from c.missing
    for part in c.parts:
        if part.result is Outcome.UNKNOWN:
            yield from _missing(part)


def _bar(c: CriterionResult) -> tuple[float, float, str] | None:
    """A ratio against its threshold, the threshold at four fifths of the drawing."""
    if c.result is not Outcome.UNMET or c.threshold is None or c.threshold.unit != "%" or not c.threshold.value:
        return None
    try:
        share = float(c.value) / float(c.threshold.value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return (round(min(max(share, 0.0) * 80, 100.0), 1), 80.0, c.threshold.text)


def place_of(ref: FactRef, enterprise_id: int) -> str:
    """Where the missing fact is entered: the very field of its form."""
    noun, code = ref.key.split(".", 1)
    if noun == "figures":
        return url_for("figures.edit", enterprise_id=enterprise_id, year=ref.year) + f"#f-{code}"
    if noun == "enterprise":
        return url_for("enterprises.edit", enterprise_id=enterprise_id) + f"#f-{code}"
    if noun == "ip":
        return url_for("intellectual_property.new", enterprise_id=enterprise_id)
    return url_for("qualifications.new", enterprise_id=enterprise_id)
