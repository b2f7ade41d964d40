"""Every case of the rule sets, and cases made from each bound: exactly at it and one step below."""

from datetime import date
from fractions import Fraction

import pytest

from crm.domain.amounts import plain
from crm.domain.comparison import compare
from crm.rules import loader
from crm.rules.loader import RuleFileError
from crm.rules.rule_cases import facts_of_case, run_cases
from crm.rules.rule_sets import kinds, load_rule_set

ON = date(2026, 11, 23)
OUTCOMES = run_cases()


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: f"{outcome.kind}: {outcome.title}")
def test_a_case_comes_out_as_its_title_says(outcome):
    assert outcome.problems == ()


def test_every_rule_set_has_cases_with_titles_of_their_own():
    titles = [(outcome.kind, outcome.title) for outcome in OUTCOMES]

    assert {kind for kind, _ in titles} == set(kinds())
    assert len(set(titles)) == len(titles)


def test_cases_of_one_kind_can_be_run_alone():
    assert {outcome.kind for outcome in run_cases("size_class")} == {"size_class"}


def test_a_case_that_does_not_hold_says_what_was_expected_and_found(monkeypatch):
    text = loader.text_of("cases/size_class").replace('result = "met"', 'result = "unmet"', 1)
    monkeypatch.setattr("crm.rules.rule_cases.text_of", lambda name: text)

    wrong = [outcome for outcome in run_cases("size_class") if not outcome.passed]

    assert [outcome.problems for outcome in wrong] == [("result: expected unmet, found met",)]


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ('[[case]]\ntitle = "One"\n', "cases/made_up.toml, case 1: name is missing"),
        (
            '[[case]]\ntitle = "One"\nname = "一"\nbase = "nobody"\nexpect = { result = "met" }\n',
            "cases/made_up.toml, case 1: unknown base 'nobody'",
        ),
        (
            '[base.b]\n[[case]]\ntitle = "One"\nname = "一"\nbase = "b"\nexpect = { result = "met" }\n',
            "cases/made_up.toml, case 1 (One): 缺少日期 on",
        ),
        (
            '[base.b]\non = 2026-11-23\n[[case]]\ntitle = "One"\nname = "一"\nbase = "b"\n'
            'set = { "figures.2025.x" = 1 }\nexpect = { result = "met" }\n',
            "cases/made_up.toml, case 1 (One): figures.2025 中的“x”不认得",
        ),
    ],
    ids=["no name", "no such base", "no day", "unknown fact"],
)
def test_a_slip_in_a_case_names_file_and_case(monkeypatch, case, sentence):
    monkeypatch.setattr("crm.rules.rule_cases.text_of", lambda name: case)

    with pytest.raises(RuleFileError) as caught:
        run_cases("made_up")

    assert str(caught.value).startswith(sentence)


# Bounds, made from the rule file itself.


def ordinary(**changes):
    base = loader.read("cases/tech_sme")["base"]["ordinary"]
    return facts_of_case(base, {"set": changes})


def part(id):
    rules = load_rule_set("tech_sme", ON)
    route = next(criterion for criterion in rules.criteria if criterion.id == "route")
    pending = [route]
    while pending:
        criterion = pending.pop()
        if criterion.id == id:
            return criterion
        pending += getattr(criterion.check, "parts", ())
    raise KeyError(id)


BANDED = {
    "score_staff": ("figures.2025.sci_staff_sme", "figures.2025.staff_count", 1),
    "score_rd_sales": ("figures.2025.rd_expense_deduction", "figures.2025.sales", Fraction(1, 100)),
    "score_rd_cost": ("figures.2025.rd_expense_deduction", "figures.2025.cost_expense", Fraction(1, 100)),
}
BOUNDS = [(id, bound, points) for id in BANDED for bound, points in part(id).check.bands]


@pytest.mark.parametrize(("id", "bound", "points"), BOUNDS, ids=lambda value: str(value))
def test_a_band_begins_exactly_at_its_bound(id, bound, points):
    top, base, step = BANDED[id]
    lower = max((p for b, p in part(id).check.bands if b < bound), default=0)

    def scored(value):
        facts = ordinary(**{base: 1000, top: int(value) if step == 1 else str(plain(value))})
        return compare(load_rule_set("tech_sme", ON), facts).criterion(id).score

    assert scored(bound * 1000) == (points, points)
    assert scored(bound * 1000 - step) == (lower, lower)
