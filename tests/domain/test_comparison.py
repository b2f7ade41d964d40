"""The comparison engine: every kind of condition, three-valued, exact, with the smallest gap."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.comparison import compare
from crm.domain.conditions import (
    AllOf,
    AnyOf,
    Applies,
    Bands,
    BestOf,
    Compare,
    Count,
    Criterion,
    DaysSince,
    EachYear,
    Growth,
    Is,
    Manual,
    Minus,
    Not,
    Outcome,
    Ratio,
    RuleSet,
    Score,
    Tiers,
    Total,
    Value,
)
from crm.domain.facts import FactRef, Facts, facts_from_json
from crm.domain.judgements import as_report, missing_facts, one_short, shortfall

ON = date(2026, 11, 23)
YES = frozenset({True})
AWARD, STANDARD = "figures.national_award_top3", "figures.led_standard"


def make_criterion(check, id="it", **more):
    return Criterion(id, f"条件 {id}", "第一条", check, **more)


def make_rules(*criteria, gate=()):
    return RuleSet(
        kind="made_up",
        version="2020-01-01.1",
        title="试条件",
        document="试文",
        valid_from=date(2020, 1, 1),
        valid_to=None,
        confidence="A",
        checked_on=ON,
        source="试",
        text="",
        criteria=criteria,
        ip_classes={"class1": frozenset({"invention"}), "class2": frozenset({"utility_model"})},
        gate=gate,
    )


def make_facts(by_year=None, **more):
    figures = {str(year): row for year, row in (by_year or {}).items()}
    return facts_from_json({"figures": figures, **more}, ON)


def judge(check, facts, **more):
    return compare(make_rules(make_criterion(check, **more)), facts).criteria[0]


def outcome(check, facts):
    return judge(check, facts).result


# One fact.


@pytest.mark.parametrize(
    ("op", "below", "at", "above"),
    [
        (">=", "unmet", "met", "met"),
        (">", "unmet", "unmet", "met"),
        ("<=", "met", "met", "unmet"),
        ("<", "met", "unmet", "unmet"),
        ("=", "unmet", "met", "unmet"),
    ],
)
def test_an_operator_decides_at_its_threshold_and_on_both_sides(op, below, at, above):
    check = Compare(Value("figures.staff_count"), op, Fraction(20))

    found = [outcome(check, make_facts({2025: {"staff_count": n}})) for n in (19, 20, 21)]

    assert found == [below, at, above]


def test_a_missing_fact_is_unknown_and_named():
    result = compare(
        make_rules(make_criterion(Compare(Value("figures.staff_count"), ">=", Fraction(20)))), make_facts()
    )

    assert result.result is Outcome.UNKNOWN
    assert missing_facts(result) == [FactRef("figures.staff_count", 2025)]
    assert result.criteria[0].inputs == ((FactRef("figures.staff_count", 2025), None),)


def test_the_year_judged_is_the_one_before_the_comparison():
    check = Compare(Value("figures.staff_count"), ">=", Fraction(1))

    assert outcome(check, make_facts({2026: {"staff_count": 5}})) is Outcome.UNKNOWN
    assert outcome(
        Compare(Value("figures.staff_count", 1), ">=", Fraction(1)), make_facts({2026: {"staff_count": 5}})
    ) is (Outcome.MET)


def test_a_single_fen_decides():
    check = Compare(Value("figures.revenue"), ">=", Fraction(15_000_000))

    assert outcome(check, make_facts({2025: {"revenue": "14999999.99"}})) is Outcome.UNMET
    assert outcome(check, make_facts({2025: {"revenue": "15000000.00"}})) is Outcome.MET


def test_a_gap_is_the_smallest_step_that_meets():
    short = judge(
        Compare(Value("figures.revenue"), ">=", Fraction(15_000_000)), make_facts({2025: {"revenue": 14_588_000}})
    )
    strict = judge(
        Compare(Value("figures.innovation_score"), ">", Fraction(70)), make_facts({2025: {"innovation_score": 70}})
    )
    over = judge(Compare(Value("figures.staff_count"), "<=", Fraction(500)), make_facts({2025: {"staff_count": 512}}))

    assert (short.gap.amount, short.gap.unit, short.gap.text) == (Decimal(412_000), "元", "差 41.2 万元")
    assert (strict.gap.amount, strict.gap.text) == (Decimal(1), "差 1 分")
    assert (over.gap.amount, over.gap.text) == (Decimal(12), "超 12 人")


def test_words_are_rounded_towards_missing_the_condition():
    ratio = Ratio(Value("figures.rd_expense"), Value("figures.revenue"))
    low = judge(Compare(ratio, ">=", Fraction(1, 10)), make_facts({2025: {"rd_expense": 99_999, "revenue": 1_000_000}}))
    high = judge(
        Compare(Value("figures.revenue"), "<=", Fraction(200_000_000)), make_facts({2025: {"revenue": "200000000.01"}})
    )

    assert (low.value_text, low.threshold.text, low.gap.text) == ("9.99%", "≥ 10%", "差 1 元")
    assert (high.value_text, high.threshold.text) == ("20,000.01 万元", "≤ 20,000 万元")


def test_days_are_calendar_days():
    check = Compare(DaysSince("enterprise.registered_on"), ">=", Fraction(365))

    assert outcome(check, make_facts(enterprise={"registered_on": "2025-11-23"})) is Outcome.MET
    assert outcome(check, make_facts(enterprise={"registered_on": "2025-11-24"})) is Outcome.UNMET
    assert outcome(check, make_facts()) is Outcome.UNKNOWN


# Ratios.

STAFF_SHARE = Ratio(Value("figures.sci_staff_sme"), Value("figures.staff_count"), share=True)


def test_a_third_is_a_third():
    judged = judge(
        Compare(STAFF_SHARE, ">=", Fraction(1, 3)), make_facts({2025: {"sci_staff_sme": 1, "staff_count": 3}})
    )

    assert (judged.result, judged.value) == (Outcome.MET, Fraction(1, 3))


def test_a_ratio_that_binary_numbers_would_miss_is_met():
    facts = make_facts({2025: {"rd_expense": "0.30", "revenue": "3.00"}})

    assert outcome(
        Compare(Ratio(Value("figures.rd_expense"), Value("figures.revenue")), ">=", Fraction(1, 10)), facts
    ) is (Outcome.MET)


@pytest.mark.parametrize(
    ("sci", "staff", "expected"),
    [
        (None, 10, "unknown"),
        (3, None, "unknown"),
        (0, None, "unmet"),
        (0, 0, "unmet"),
        (3, 0, "needs_person"),
        (11, 10, "needs_person"),
        (10, 10, "met"),
    ],
    ids=["top blank", "base blank", "nothing of anything", "nothing of nothing", "no base", "part above whole", "all"],
)
def test_a_share_is_judged_only_on_a_sound_base(sci, staff, expected):
    facts = make_facts({2025: {"sci_staff_sme": sci, "staff_count": staff}})

    assert outcome(Compare(STAFF_SHARE, ">=", Fraction(1, 10)), facts) == expected


def test_a_negative_base_needs_a_person():
    ratio = Ratio(Value("figures.net_profit"), Value("figures.net_assets"))

    assert (
        outcome(Compare(ratio, ">=", Fraction(1)), make_facts({2025: {"net_profit": 1, "net_assets": -1}}))
        == "needs_person"
    )
    assert outcome(Compare(ratio, ">=", Fraction(1)), make_facts({2025: {"net_profit": 1}})) == "unknown"
    assert outcome(Compare(ratio, "<", Fraction(0)), make_facts({2025: {"net_profit": -1, "net_assets": 4}})) == "met"


def test_a_ratio_gap_is_what_the_upper_figure_lacks():
    ratio = Ratio(Total("figures.rd_expense_hnte", 3), Total("figures.sales", 3))
    facts = make_facts({year: {"rd_expense_hnte": 1_500_000, "sales": 33_000_000} for year in (2023, 2024, 2025)})

    judged = judge(Compare(ratio, ">=", Fraction(5, 100)), facts)

    assert (judged.result, judged.value, judged.gap.amount) == (Outcome.UNMET, Fraction(1, 22), Decimal(450_000))


# Sums, years, growth.


def test_a_sum_is_met_by_the_known_years_once_they_reach_it():
    check = Compare(Total("figures.rd_expense", 3), ">=", Fraction(100))

    assert outcome(check, make_facts({2023: {"rd_expense": 60}, 2025: {"rd_expense": 40}})) is Outcome.MET
    assert outcome(check, make_facts({2023: {"rd_expense": 60}, 2025: {"rd_expense": 39}})) is Outcome.UNKNOWN
    assert outcome(
        Compare(Total("figures.rd_expense", 3), "<", Fraction(100)), make_facts({2023: {"rd_expense": 100}})
    ) is (Outcome.UNMET)


def test_each_year_is_judged_by_itself_and_all_are_required():
    check = EachYear((-1, 0), Compare(Value("figures.rd_expense"), ">=", Fraction(1_000_000)))
    facts = make_facts({2024: {"rd_expense": 1_000_000}, 2025: {"rd_expense": 999_999}})

    judged = judge(check, facts)

    assert judged.result is Outcome.UNMET
    assert [(part.id, part.result) for part in judged.parts] == [("it.2024", "met"), ("it.2025", "unmet")]


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        ((100, 110, 121), Fraction(1, 10)),
        ((100, 150, 150), Fraction(1, 4)),
        ((0, 100, 120), Fraction(1, 5)),
        ((100, 0, 120), Fraction(0)),
        ((0, 0, 120), Fraction(0)),
        ((100, 100, 0), Fraction(-1, 2)),
    ],
    ids=["steady", "mean of two", "first year 0", "second year 0", "only the last", "collapsed"],
)
def test_average_growth_follows_the_formula_of_195(values, rate):
    facts = make_facts({year: {"sales": value} for year, value in zip((2023, 2024, 2025), values, strict=True)})

    judged = judge(Compare(Growth("figures.sales", 3), ">=", Fraction(5, 100)), facts)

    assert (judged.value, judged.result) == (rate, "met" if rate >= Fraction(5, 100) else "unmet")


def test_growth_over_a_negative_base_needs_a_person():
    facts = make_facts({2023: {"net_assets": -5}, 2024: {"net_assets": 5}, 2025: {"net_assets": 9}})

    assert outcome(Compare(Growth("figures.net_assets", 3), ">=", Fraction(0)), facts) is Outcome.NEEDS_PERSON


def test_growth_with_a_blank_year_is_unknown():
    facts = make_facts({2023: {"sales": 1}, 2025: {"sales": 900}})

    assert outcome(Compare(Growth("figures.sales", 3), ">=", Fraction(0)), facts) is Outcome.UNKNOWN


@pytest.mark.parametrize(("last", "expected"), [("110.25", "met"), ("110.24", "unmet")])
def test_compound_growth_is_compared_as_a_power(last, expected):
    facts = make_facts({2023: {"revenue": 100}, 2024: {"revenue": 1}, 2025: {"revenue": last}})

    judged = judge(Compare(Growth("figures.revenue", 3, "compound"), ">=", Fraction(5, 100)), facts)

    assert judged.result == expected


@pytest.mark.parametrize("method", ["average", "compound"])
def test_the_gap_of_growth_is_what_the_last_year_lacks(method):
    known = {2023: {"sales": 100}, 2024: {"sales": 130}}
    check = Compare(Growth("figures.sales", 3, method), ">=", Fraction(35, 100))
    gap = judge(check, make_facts({**known, 2025: {"sales": 100}})).gap

    filled = make_facts({**known, 2025: {"sales": 100 + gap.amount}})
    one_fen_less = make_facts({**known, 2025: {"sales": 100 + gap.amount - Decimal("0.01")}})

    assert (outcome(check, filled), outcome(check, one_fen_less)) == ("met", "unmet")


def test_a_difference_is_exact():
    check = Compare(Minus(Value("figures.total_assets"), Value("figures.total_liabilities")), ">=", Fraction(1))

    assert outcome(check, make_facts({2025: {"total_assets": "2.01", "total_liabilities": "1.01"}})) is Outcome.MET
    assert outcome(check, make_facts({2025: {"total_assets": "2.00", "total_liabilities": "1.01"}})) is Outcome.UNMET
    assert outcome(check, make_facts({2025: {"total_assets": 2}})) is Outcome.UNKNOWN


BRACKETS = Compare(
    Ratio(Total("figures.rd_expense_hnte", 3), Total("figures.sales", 3)),
    ">=",
    by=Value("figures.sales"),
    brackets=(
        (Fraction(50_000_000), Fraction(5, 100)),
        (Fraction(200_000_000), Fraction(4, 100)),
        (None, Fraction(3, 100)),
    ),
)


@pytest.mark.parametrize(
    ("sales", "threshold"),
    [("50000000", "≥ 5%"), ("50000000.01", "≥ 4%"), ("200000000", "≥ 4%"), ("200000000.01", "≥ 3%")],
)
def test_the_threshold_follows_the_bracket_with_its_upper_bound_inside(sales, threshold):
    facts = make_facts({year: {"sales": sales, "rd_expense_hnte": 1} for year in (2023, 2024, 2025)})

    assert judge(BRACKETS, facts).threshold.text == threshold


def test_while_the_bracket_is_unknown_only_what_holds_in_all_of_them_is_said():
    def with_rd(rd):
        rows = {year: {"rd_expense_hnte": rd} for year in (2023, 2024, 2025)}
        return make_facts(rows)

    assert outcome(BRACKETS, with_rd(1_000_000)) is Outcome.UNKNOWN
    assert outcome(BRACKETS, with_rd(0)) is Outcome.UNMET


# Words and tables.


def test_a_fact_must_hold_an_expected_value():
    check = Is("figures.rd_institution_level", frozenset({"province", "state"}))

    found = [outcome(check, make_facts({2025: {"rd_institution_level": v}})) for v in ("state", "city", None)]

    assert found == ["met", "unmet", "unknown"]
    assert judge(check, make_facts()).threshold.text == "国家级或省部级"


def test_no_is_a_value_and_no_blank():
    check = Is("figures.had_major_accident", frozenset({False}))

    assert outcome(check, make_facts({2025: {"had_major_accident": False}})) is Outcome.MET


def test_the_gate_ends_the_comparison_when_nothing_applies():
    gate = make_criterion(
        Applies(
            "enterprise.subject_type",
            {"branch": (Outcome.NOT_APPLICABLE, "由总公司申报"), "company": (Outcome.MET, "")},
        ),
        "gate",
    )
    rules = make_rules(make_criterion(Manual("看一看"), "other"), gate, gate=("gate",))

    branch = compare(rules, make_facts(enterprise={"subject_type": "branch"}))
    company = compare(rules, make_facts(enterprise={"subject_type": "company"}))
    institution = compare(rules, make_facts(enterprise={"subject_type": "institution"}))

    assert (branch.result, [c.id for c in branch.criteria]) == ("not_applicable", ["gate"])
    assert branch.criteria[0].reason == "由总公司申报"
    assert (company.result, [c.id for c in company.criteria]) == ("needs_person", ["other", "gate"])
    assert institution.criterion("gate").result is Outcome.NEEDS_PERSON


def test_the_first_gate_that_does_not_apply_is_the_one_shown():
    def make_gate(key, value):
        return make_criterion(Applies(key, {value: (Outcome.NOT_APPLICABLE, "")}), key)

    subject, status = make_gate("enterprise.subject_type", "branch"), make_gate("enterprise.status", "moved_out")
    rules = make_rules(status, subject, gate=(subject.id, status.id))

    moved = compare(rules, make_facts(enterprise={"subject_type": "company", "status": "moved_out"}))
    both = compare(rules, make_facts(enterprise={"subject_type": "branch", "status": "moved_out"}))

    assert (moved.result, {c.id for c in moved.criteria}) == ("not_applicable", {subject.id, status.id})
    assert (both.result, [c.id for c in both.criteria]) == ("not_applicable", [subject.id])


# All, any, not.


def fact(value, id):
    """A criterion that comes to one of four outcomes, with the figures that bring it there."""
    key = {"a": AWARD, "b": STANDARD}[id]
    if value == "needs_person":
        return make_criterion(Manual("由人判断"), id), {}
    row = {} if value == "unknown" else {key.split(".")[1]: value == "met"}
    return make_criterion(Is(key, YES), id), row


ORDER_OF_ALL = ["unmet", "unknown", "needs_person", "met"]
ORDER_OF_ANY = ["met", "unknown", "needs_person", "unmet"]


@pytest.mark.parametrize("first", ORDER_OF_ALL)
@pytest.mark.parametrize("second", ORDER_OF_ALL)
def test_all_and_any_take_the_weightiest_outcome(first, second):
    (a, row_a), (b, row_b) = fact(first, "a"), fact(second, "b")
    facts = make_facts({2025: {**row_a, **row_b}})

    assert outcome(AllOf((a, b)), facts) == min(first, second, key=ORDER_OF_ALL.index)
    assert outcome(AnyOf((a, b)), facts) == min(first, second, key=ORDER_OF_ANY.index)


@pytest.mark.parametrize(
    ("value", "opposite"),
    [("met", "unmet"), ("unmet", "met"), ("unknown", "unknown"), ("needs_person", "needs_person")],
)
def test_not_turns_only_what_is_decided(value, opposite):
    part, row = fact(value, "a")

    assert outcome(Not(part), make_facts({2025: row})) == opposite


def test_a_notice_strikes_or_not_and_never_counts():
    notice = make_criterion(Compare(Value("figures.staff_count"), "<=", Fraction(5)), "notice", role="notice")
    rules = make_rules(make_criterion(Is(AWARD, YES), "award"), notice)

    few, many = ({2025: {"national_award_top3": True, "staff_count": n}} for n in (5, 6))
    blank = {2025: {"national_award_top3": True}}

    results = [compare(rules, make_facts(rows)) for rows in (few, many, blank)]
    assert [r.result for r in results] == ["met", "met", "met"]
    assert [r.criterion("notice").result for r in results] == ["needs_person", "not_applicable", "unknown"]


# Scores.

STAFF_BANDS = Bands(STAFF_SHARE, ((Fraction(30, 100), 20), (Fraction(10, 100), 4)))
RD_SALES = Bands(
    Ratio(Value("figures.rd_expense"), Value("figures.revenue")), ((Fraction(6, 100), 50), (Fraction(2, 100), 10))
)
RD_COST = Bands(Ratio(Value("figures.rd_expense"), Value("figures.cost_expense")), ((Fraction(30, 100), 50),))
IP_TIERS = Tiers(
    (
        (Compare(Count("class1"), ">=", Fraction(1)), 30),
        (Compare(Count("class2"), ">=", Fraction(2)), 12),
        (Compare(Count("class2"), ">=", Fraction(1)), 6),
    )
)
RD = BestOf((make_criterion(RD_SALES, "sales", role="part"), make_criterion(RD_COST, "cost", role="part")))
PARTS = tuple(
    make_criterion(check, id, role="part") for id, check in (("staff", STAFF_BANDS), ("rd", RD), ("ip", IP_TIERS))
)
SCORE = Score(PARTS, Fraction(60))


def piece(kind, n, /, **more):
    whole = {
        "name": f"{kind} {n}",
        "kind": kind,
        "number": f"{kind}-{n}",
        "granted_on": "2020-01-01",
        "expires_on": "2035-01-01",
        "supports_main_product": True,
        "disputed": False,
    }
    return {**whole, **more}


def score_of(row, ip=None):
    return judge(SCORE, make_facts({2025: row}, intellectual_property=ip))


FULL = {"sci_staff_sme": 3, "staff_count": 10, "rd_expense": 6, "revenue": 100, "cost_expense": 20}


def test_a_score_sums_its_parts_and_takes_the_better_option():
    judged = score_of(FULL, [piece("utility_model", 1)])

    assert (judged.score, judged.result, judged.value) == ((76, 76), "met", 76)


def test_a_score_with_blanks_is_a_range_and_passes_by_its_lowest_end_only():
    passing = score_of(FULL)
    open_ = score_of({**FULL, "sci_staff_sme": None})
    failing = score_of({"sci_staff_sme": 0, "rd_expense": 0})

    assert (passing.score, passing.result) == ((70, 100), "met")
    assert (open_.score, open_.result) == ((50, 100), "unknown")
    assert (failing.score, failing.result) == ((0, 30), "unmet")


def test_a_strict_mark_is_not_passed_by_reaching_it():
    parts = (make_criterion(Bands(Value("figures.innovation_score"), ((Fraction(1), 70),)), "part", role="part"),)
    facts = make_facts({2025: {"innovation_score": 1}})

    assert outcome(Score(parts, Fraction(70)), facts) is Outcome.MET
    assert judge(Score(parts, Fraction(70), strict=True), facts).gap.text == "差 1 分"


def test_an_option_that_cannot_win_any_more_is_not_asked_for():
    rules = make_rules(make_criterion(SCORE))
    facts = make_facts({2025: {**FULL, "cost_expense": None}})

    assert missing_facts(compare(rules, facts)) == []
    assert missing_facts(compare(rules, make_facts({2025: {**FULL, "rd_expense": 2, "cost_expense": None}}))) == [
        FactRef("figures.cost_expense", 2025),
        FactRef("ip.class1_count"),
        FactRef("ip.class2_count"),
    ]


def test_a_score_without_a_base_needs_a_person_when_nothing_is_blank():
    judged = score_of({**FULL, "revenue": 0, "cost_expense": 0}, [])

    assert (judged.score, judged.result) == ((20, 70), "needs_person")


def test_the_ways_up_are_single_changes_each_the_smallest_of_its_part():
    judged = score_of({**FULL, "rd_expense": 2, "cost_expense": 1000}, [piece("invention", 1)])
    short_by_ip = score_of({**FULL, "sci_staff_sme": 1}, [])

    assert (judged.score, judged.result) == ((60, 60), "met")
    assert (short_by_ip.score, short_by_ip.gap.text) == ((54, 54), "差 6 分")
    assert [(way.amount, way.unit, way.fact.path) for way in short_by_ip.ways] == [
        (2, "人", "figures.2025.sci_staff_sme"),
        (1, "件", "ip.class2_count"),
    ]


# The IP register.

COUNT = Compare(Count("class2"), ">=", Fraction(1))


@pytest.mark.parametrize(
    "spoiled",
    [
        {"granted_on": "2026-11-24"},
        {"expires_on": "2026-11-22"},
        {"supports_main_product": False},
        {"disputed": True},
        {"kind": "invention"},
    ],
    ids=["not yet granted", "expired", "unrelated", "disputed", "another class"],
)
def test_a_piece_that_lacks_one_quality_does_not_count(spoiled):
    facts = make_facts(intellectual_property=[piece("utility_model", 1, **spoiled)])

    assert outcome(COUNT, facts) is Outcome.UNMET


@pytest.mark.parametrize("blank", ["granted_on", "expires_on", "supports_main_product", "disputed", "kind"])
def test_a_piece_with_a_blank_may_count_and_the_blank_is_named(blank):
    rules = make_rules(make_criterion(COUNT))
    result = compare(rules, make_facts(intellectual_property=[piece("utility_model", 1, **{blank: None})]))

    assert result.result is Outcome.UNKNOWN
    assert missing_facts(result) == [FactRef(f"intellectual_property.{blank}")]


def test_a_blank_on_a_piece_that_is_out_anyway_is_not_asked_for():
    facts = make_facts(intellectual_property=[piece("utility_model", 1, disputed=True, expires_on=None)])

    assert outcome(COUNT, facts) is Outcome.UNMET


# One short, and the report.


def test_one_short_counts_the_known_unmet_conditions():
    award, standard = make_criterion(Is(AWARD, YES), "award"), make_criterion(Is(STANDARD, YES), "standard")
    person = make_criterion(Manual("由人判断"), "person")
    rules = make_rules(award, standard, person)

    def short(**row):
        return one_short(compare(rules, make_facts({2025: row})))

    assert short(national_award_top3=True, led_standard=False) is True
    assert short(national_award_top3=False, led_standard=False) is False
    assert short(national_award_top3=True, led_standard=True) is False
    assert short(led_standard=False) is False


def test_one_short_takes_the_nearest_way_and_none_that_cannot_be_planned():
    near, far = make_criterion(Is(AWARD, YES), "near"), make_criterion(Is(STANDARD, YES), "far", plannable=False)
    facts = make_facts({2025: {"national_award_top3": False, "led_standard": False}})

    both = compare(make_rules(make_criterion(AnyOf((near, far)), "ways")), facts)
    hopeless = compare(make_rules(make_criterion(AnyOf((far,)), "ways")), facts)

    assert [criterion.id for criterion in shortfall(both) or []] == ["near"]
    assert shortfall(hopeless) is None


def test_the_report_holds_plain_json_with_every_part_after_its_whole():
    result = compare(make_rules(make_criterion(SCORE, "score")), make_facts({2025: FULL}, intellectual_property=[]))

    report = json.loads(json.dumps(as_report(result), ensure_ascii=False))

    assert {key: report[key] for key in ("on", "rules", "version", "document", "result", "score")} == {
        "on": "2026-11-23",
        "rules": "made_up",
        "version": "2020-01-01.1",
        "document": "试文",
        "result": "met",
        "score": {"min": 70, "max": 70},
    }
    assert [(c["id"], c["parent"]) for c in report["criteria"]] == [
        ("score", None), ("staff", "score"), ("rd", "score"), ("sales", "rd"), ("cost", "rd"), ("ip", "score"),
    ]  # fmt: skip
    staff = report["criteria"][1]
    assert staff["value"] == 0.3
    assert staff["exact"] == "3/10"
    assert staff["threshold"] == {"op": ">=", "value": 0.3, "unit": "%", "text": "≥ 30%"}
    assert staff["inputs"] == {"figures.2025.sci_staff_sme": 3, "figures.2025.staff_count": 10}


def test_an_amount_that_a_json_reader_would_round_is_written_as_text():
    check = Compare(Value("figures.revenue"), ">=", Fraction(1))

    def written(revenue):
        return as_report(compare(make_rules(make_criterion(check)), make_facts({2025: {"revenue": revenue}})))[
            "criteria"
        ]

    assert written("1234567.89")[0]["value"] == 1234567.89
    assert written("999999999999999.87")[0]["value"] == "999999999999999.87"


def test_an_unknown_criterion_is_asked_for_by_a_known_id():
    result = compare(make_rules(make_criterion(COUNT)), make_facts())

    with pytest.raises(KeyError):
        result.criterion("nobody")


def test_the_facts_own_day_is_used_unless_another_is_given():
    rules = make_rules(make_criterion(Compare(Value("figures.staff_count"), ">=", Fraction(1))))
    facts = Facts(ON, figures={2024: {"staff_count": 1}})

    assert (compare(rules, facts).result, compare(rules, facts).year) == ("unknown", 2025)
    assert (compare(rules, facts, date(2025, 1, 1)).result, compare(rules, facts, date(2025, 1, 1)).year) == (
        "met",
        2024,
    )


# Properties.

MONEY = st.one_of(st.none(), st.integers(0, 40).map(lambda n: Decimal(n) / 100))


@settings(max_examples=60, deadline=None)
@given(top=MONEY, base=MONEY, numerator=st.integers(0, 40), op=st.sampled_from([">=", ">", "<=", "<"]))
def test_a_gap_closes_the_condition_and_a_step_less_does_not(top, base, numerator, op):
    check = Compare(Ratio(Value("figures.rd_expense"), Value("figures.revenue")), op, Fraction(numerator, 37))
    judged = judge(check, make_facts({2025: {"rd_expense": top, "revenue": base}}))

    if judged.gap is not None:
        sign = 1 if judged.gap.grow else -1
        moved = [top + sign * (judged.gap.amount - step) for step in (Decimal(0), Decimal("0.01"))]
        after = [make_facts({2025: {"rd_expense": max(v, Decimal(0)), "revenue": base}}) for v in moved]
        assert moved[0] < 0 or [outcome(check, facts) for facts in after] == ["met", "unmet"]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(MONEY, min_size=3, max_size=3),
    blank=st.integers(0, 2),
    bound=st.integers(0, 120),
    op=st.sampled_from([">=", ">", "<=", "<", "="]),
)
def test_blanking_a_year_of_a_sum_only_takes_knowledge_away(values, blank, bound, op):
    check = Compare(Total("figures.rd_expense", 3), op, Fraction(bound, 100))
    rows = {2023 + n: {"rd_expense": value} for n, value in enumerate(values)}

    before = outcome(check, make_facts(rows))
    after = outcome(check, make_facts({**rows, 2023 + blank: {}}))

    assert after in (before, Outcome.UNKNOWN)
