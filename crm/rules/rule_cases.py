"""The cases that go with the rule sets, tried on them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.domain.comparison import compare
from crm.domain.facts import Facts, FactsNotUnderstood, facts_from_json
from crm.domain.judgements import Result, as_report
from crm.rules.ladder import load_ladder
from crm.rules.loader import RuleFileError, names, parse, text_of
from crm.rules.rule_sets import kinds, load_rule_set


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
    return facts_from_json(facts, terms=load_ladder().terms)


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
