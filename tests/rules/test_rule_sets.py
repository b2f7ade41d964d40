"""Rule sets: every file loads and is cited; what always holds of a comparison holds for the rules in force."""

import json
import random
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.comparison import compare
from crm.domain.conditions import AllOf, AnyOf, BestOf, Outcome, Score, all_criteria
from crm.domain.facts import facts_from_json
from crm.domain.judgements import as_report, missing_facts, walk
from crm.rules.loader import RuleFileError, text_of
from crm.rules.rule_checks import check, check_text
from crm.rules.rule_sets import kinds, load_rule_set, rule_set_from_text
from crm.rules.rule_texts import facts_table, fields_table, show

ON = date(2026, 11, 23)
DOCS = Path(__file__).parents[2] / "docs" / "facts.md"

# Files.


def test_every_rule_file_is_sound():
    assert check() == []


def test_kinds_come_in_the_order_of_the_ladder():
    assert kinds() == ["tech_sme", "size_class"]


@pytest.mark.parametrize("kind", kinds())
def test_every_criterion_is_cited_and_may_be_shown(kind):
    for criterion in all_criteria(load_rule_set(kind, ON)):
        assert criterion.clause
        assert criterion.confidence in ("A", "B")


def test_a_version_starts_on_its_first_day():
    assert load_rule_set("tech_sme", date(2017, 5, 3)).document == "国科发政〔2017〕115号"
    with pytest.raises(RuleFileError, match=r"tech_sme\.toml: no version in force on 2017-05-02"):
        load_rule_set("tech_sme", date(2017, 5, 2))


def test_an_unknown_kind_is_named():
    with pytest.raises(RuleFileError, match=r"nobody\.toml: no such rule file"):
        load_rule_set("nobody", ON)


def test_criteria_of_later_years_are_left_out_before_them():
    def ids(on):
        return {criterion.id for criterion in all_criteria(load_rule_set("tech_sme", on))}

    assert ids(date(2022, 1, 1)) - ids(date(2021, 12, 31)) == {"own_accounts", "industry"}
    assert {"check_small", "check_first"} <= ids(date(2026, 6, 1)) - ids(date(2026, 5, 31))


def test_a_frozen_text_judges_as_the_file_did():
    rules = load_rule_set("tech_sme", ON)

    again = rule_set_from_text(rules.text, ON)

    assert again == rules
    assert rules.text == text_of("titles/tech_sme")


def test_only_the_version_that_judged_is_frozen():
    text = OLD_AND_NEW.format(end="2025-12-31", start="2026-01-01")

    old = rule_set_from_text(text, date(2025, 12, 31))

    assert old.version == "2020-01-01.1"
    assert old.text.count("[[version]]") == 1
    assert rule_set_from_text(old.text, date(2025, 12, 31)) == old


@pytest.mark.parametrize("kind", kinds())
def test_a_rule_set_can_be_read_aloud(kind):
    said = show(kind, ON)

    assert said.startswith(load_rule_set(kind, ON).title)
    assert all(criterion.name in said for criterion in all_criteria(load_rule_set(kind, ON)))


# Slips.

VERSION = """
[[version]]
document = "试文"
valid_from = {start}
{more}
confidence = "A"
checked_on = 2026-11-23
source = "试"

[[version.criteria]]
id = "staff"
name = "人数"
clause = "第一条"
confidence = "A"
value = "figures.staff_count"
op = ">="
threshold = 1
"""
HEAD = 'kind = "made_up"\ntitle = "试条件"\n'
OLD_AND_NEW = (
    HEAD
    + VERSION.replace("{start}", "2020-01-01").replace("{more}", "valid_to = {end}")
    + VERSION.replace("{more}", "")
)
GOOD = HEAD + VERSION.format(start="2020-01-01", more="")


def test_a_sound_text_has_no_problems():
    assert check_text(GOOD, "made_up") == []
    assert check_text(OLD_AND_NEW.format(end="2025-12-31", start="2026-01-01"), "made_up") == []


def test_a_gap_between_versions_is_named():
    assert check_text(OLD_AND_NEW.format(end="2025-11-30", start="2026-01-01"), "made_up") == [
        "made_up.toml: no version from 2025-12-01 to 2025-12-31"
    ]


def test_an_overlap_of_versions_is_named():
    assert check_text(OLD_AND_NEW.format(end="2026-01-01", start="2026-01-01"), "made_up") == [
        "made_up.toml: version 2020-01-01 overlaps version 2026-01-01"
    ]


STAFF = "made_up.toml: version 2020-01-01, criterion staff: "
BANDED = 'value = "figures.staff_count"\nbands = [[0.3, 20], [0.3, 16]]'
SLIPS = {
    "not toml": ("[[version]]", "[[version]", "made_up.toml: Expected ']]' at the end of an array declaration"),
    "no version": (VERSION.format(start="2020-01-01", more=""), "", "made_up.toml: no [[version]]"),
    "other kind": ('"made_up"', '"hnte"', "made_up.toml: kind is 'hnte', the file is named 'made_up'"),
    "no day": ("valid_from = 2020-01-01\n", "", "made_up.toml: version 1: valid_from is missing or is no date"),
    "no document": ('document = "试文"', "", "made_up.toml: version 2020-01-01: document is missing"),
    "no source": ('source = "试"', "", "made_up.toml: version 2020-01-01: source is missing"),
    "no clause": ('clause = "第一条"\n', "", STAFF + "clause is missing"),
    "misspelt key": ("threshold = 1", "threshold = 1\nthreshhold = 2", STAFF + "unknown key 'threshhold'"),
    "unknown fact": ("figures.staff_count", "figures.staff", STAFF + "unknown fact 'figures.staff'"),
    "no number": ("figures.staff_count", "figures.own_accounts", STAFF + "'figures.own_accounts' is not a number"),
    "unknown op": ('">="', '"=>"', STAFF + "unknown op '=>'"),
    "no threshold": ("threshold = 1", "", STAFF + "needs either threshold or brackets"),
    "wordy threshold": ("threshold = 1", 'threshold = "1"', STAFF + "'1' is not an exact number"),
    "from memory": (
        'clause = "第一条"\nconfidence = "A"',
        'clause = "第一条"\nconfidence = "C"',
        STAFF + "confidence C may not be shown as the rule",
    ),
    "two forms": ("threshold = 1", 'threshold = 1\nmanual = "看"', STAFF + "needs exactly one of"),
    "unknown gate": ('source = "试"', 'source = "试"\ngate = "x"', "made_up.toml: version 2020-01-01: gate 'x'"),
    "band twice": (
        'value = "figures.staff_count"\nop = ">="\nthreshold = 1',
        BANDED,
        STAFF + "the band from 0.3 cannot be reached or brings no fewer points",
    ),
    "points in tenths": (
        'value = "figures.staff_count"\nop = ">="\nthreshold = 1',
        BANDED.replace("16", "1.6"),
        STAFF + "Decimal('1.6') is not a whole number of points above 0",
    ),
    "tier out of reach": (
        'value = "figures.staff_count"\nop = ">="\nthreshold = 1',
        'tiers = [\n{ value = "figures.staff_count", op = ">=", threshold = 1, points = 9 },\n'
        '{ value = "figures.staff_count", op = ">=", threshold = 2, points = 8 },\n]',
        STAFF + "the tier 2 cannot be reached",
    ),
    "mark out of reach": (
        'value = "figures.staff_count"\nop = ">="\nthreshold = 1',
        'pass_mark = 60\n[[version.criteria.score]]\nid = "p"\nname = "p"\nclause = "p"\nconfidence = "A"\n'
        'value = "figures.staff_count"\nbands = [[1, 50]]',
        STAFF + "the mark of 60 cannot be reached: the parts sum to 50",
    ),
    "impossible choice": (
        'value = "figures.staff_count"\nop = ">="\nthreshold = 1',
        'is = "figures.own_accounts"\nexpected = ["是"]',
        STAFF + "figures.own_accounts cannot be '是'",
    ),
    "class without list": (
        'value = "figures.staff_count"',
        'count = "class1"',
        STAFF + "the class of IP 'class1' is not listed in ip_classes",
    ),
    "empty all": (
        'value = "figures.staff_count"\nop = ">="\nthreshold = 1',
        "all = []",
        STAFF.removesuffix(": ") + ": an empty list of criteria would hold without a reason",
    ),
    "bracket order": (
        "threshold = 1",
        'by = "figures.sales"\n'
        "brackets = [{ upto = 5, threshold = 1 }, { upto = 5, threshold = 2 }, { threshold = 3 }]",
        STAFF + "a bracket cannot be reached",
    ),
    "bracket without end": (
        "threshold = 1",
        'by = "figures.sales"\nbrackets = [{ upto = 5, threshold = 1 }]',
        STAFF + "the last bracket has a limit",
    ),
}


@pytest.mark.parametrize(("old", "new", "sentence"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_with_file_and_entry(old, new, sentence):
    assert old in GOOD

    problems = check_text(GOOD.replace(old, new), "made_up")

    assert len(problems) == 1
    assert problems[0].startswith(sentence)


def test_a_repeated_id_is_named():
    text = GOOD + GOOD[GOOD.index("[[version.criteria]]") :]

    assert check_text(text, "made_up") == [STAFF + "the id stands twice"]


def test_a_slip_in_a_criterion_of_later_years_is_found_before_they_come():
    text = GOOD.replace('id = "staff"', 'id = "first"') + GOOD[GOOD.index("[[version.criteria]]") :].replace(
        "threshold = 1", "threshold = 1\nvalid_from = 2099-01-01\nyear = 0"
    ).replace("figures.staff_count", "figures.staff")

    assert check_text(text, "made_up") == [STAFF + "unknown fact 'figures.staff'"]


def test_the_other_shapes_of_rules_can_be_written():
    text = (
        GOOD
        + """
[[version.criteria]]
id = "growth"
name = "增长"
clause = "第二条"
confidence = "A"
growth = "figures.sales"
years = 3
op = ">="
threshold = 0.05

[[version.criteria]]
id = "each"
name = "每年研发"
clause = "第三条"
confidence = "A"
value = "figures.rd_expense"
op = ">="
threshold = 1_000_000
each_year = [-1, 0]

[[version.criteria]]
id = "ratio"
name = "三年研发占比"
clause = "第四条"
confidence = "A"
ratio = [{ sum = "figures.rd_expense_hnte", years = 3 }, { sum = "figures.sales", years = 3 }]
op = ">="
by = "figures.sales"
brackets = [{ upto = 50_000_000, threshold = 0.05 }, { threshold = 0.03 }]

[[version.criteria]]
id = "age"
name = "成立一年以上"
clause = "第五条"
confidence = "A"
days_since = "enterprise.registered_on"
op = ">="
threshold = 365

[[version.criteria]]
id = "person"
name = "属于领域"
clause = "第六条"
confidence = "A"
manual = "由专家判断"

[[version.criteria]]
id = "no"
name = "没有负债"
clause = "第七条"
confidence = "A"
[version.criteria.not]
id = "debt"
name = "有负债"
clause = "第七条"
confidence = "A"
minus = ["figures.total_assets", "figures.net_assets"]
op = ">"
threshold = 0
"""
    )
    years = {
        str(year): {"sales": 100 * year, "rd_expense": 1_000_000, "rd_expense_hnte": 1} for year in range(2023, 2026)
    }
    years["2025"] |= {"staff_count": 1, "total_assets": 5, "net_assets": 5}
    facts = facts_from_json({"figures": years, "enterprise": {"registered_on": "2020-02-29"}}, ON)

    result = compare(rule_set_from_text(text, ON), facts)

    assert check_text(text, "made_up") == []
    assert {criterion.id: criterion.result.value for criterion in result.criteria} == {
        "staff": "met",
        "growth": "unmet",
        "each": "met",
        "ratio": "unmet",
        "age": "met",
        "person": "needs_person",
        "no": "met",
    }


# The documentation.


def test_the_table_of_facts_is_the_one_the_rules_read():
    written = DOCS.read_text(encoding="utf-8").split("<!-- table -->\n")[1].split("<!-- /table -->")[0]

    assert written == facts_table(ON)


def test_the_documented_fields_are_the_declared_ones():
    written = re.search(r"<!-- fields -->\n(.*?)<!-- /fields -->", DOCS.read_text(encoding="utf-8"), re.S)[1]

    assert written == fields_table()


def test_the_example_of_the_documentation_meets_both_comparisons():
    example = json.loads(re.search(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[1])

    results = [compare(load_rule_set(kind, ON), facts_from_json(example)) for kind in kinds()]

    assert [result.result for result in results] == ["met", "met"]
    assert results[1].criterion("size").value == "小型"


# What always holds.

ANSWERS = (
    "restricted_products", "own_accounts", "had_major_accident", "had_env_violation", "had_research_misconduct",
    "was_blacklisted", "national_award_top3", "ministry_rd_institution", "led_standard",
)  # fmt: skip
# The answer that helps; drawn more often, so that many drawn firms meet the conditions.
HELPS = {"own_accounts", "national_award_top3", "ministry_rd_institution", "led_standard"}


def mostly(value, *others):
    return st.sampled_from([value] * 12 + list(others))


def figures():
    helping = {code: mostly(code in HELPS, code not in HELPS, None) for code in ANSWERS}
    return st.fixed_dictionaries(
        {
            "staff_count": mostly(100, 0, 5, 20, 300, 500, 501, 1000, None),
            "sci_staff_sme": st.sampled_from([0, 1, 9, 10, 15, 20, 25, 30, 40, 501, None]),
            "sales": mostly(1000, 0, 200_000_000, "200000000.01", None),
            "cost_expense": mostly(1000, 0, 100, None),
            "rd_expense_deduction": st.sampled_from([0, 10, 20, "29.99", 30, 40, 50, 60, 100, 300, None]),
            "total_assets": mostly(200_000_000, 0, "200000000.01", 1_200_000_000, None),
            "revenue": st.sampled_from([0, 1_000_000, "19999999.99", 20_000_000, 400_000_000, None]),
            "sme_industry": mostly("industry", "agriculture", "leasing", "other", None),
            **helping,
            **{code: mostly(False, True, None) for code in ("national_award_top3", "led_standard")},
            "ministry_rd_institution": mostly(False, True, None),
        }
    )


def pieces():
    day = timedelta(days=1)
    one = st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["invention", "utility_model", "utility_model", "software"]),
            "granted_on": mostly("2020-01-01", ON + day, ON, None),
            "expires_on": mostly("2035-01-01", ON - day, ON, None),
            "supports_main_product": mostly(True, False, None),
            "disputed": mostly(False, True, None),
        }
    )
    return st.one_of(st.none(), st.lists(one, max_size=4))


FIRMS = st.fixed_dictionaries(
    {
        "enterprise": st.fixed_dictionaries(
            {
                "subject_type": mostly("company", "branch", "cooperative", "self_employed", None),
                "industry_code": mostly("C1411", "F5112", "C", "A", None),
            }
        ),
        "figures": st.fixed_dictionaries(
            {
                "2025": figures(),
                "2026": st.fixed_dictionaries(
                    {
                        code: mostly(False, True, None)
                        for code in (
                            "had_major_accident", "had_env_violation", "had_research_misconduct", "was_blacklisted",
                        )
                    }
                ),
            }
        ),
        "intellectual_property": pieces(),
        "titles": st.one_of(
            st.none(),
            st.just([]),
            st.just([{"kind": "hnte", "valid_from": "2024-11-28", "valid_to": "2027-11-28"}]),
            st.just([{"kind": "hnte", "valid_from": "2024-11-28", "valid_to": "2027-11-28", "ended_on": "2026-01-01",
                      "end_reason": "revoked"}]),
        ),
    }
)  # fmt: skip


def leaves(data, path=()):
    """Every place of a facts file that can be blanked: single values and whole lists."""
    if isinstance(data, dict | list) and path:
        yield path
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in steps:
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, step))
        elif value is not None:
            yield (*path, step)


def blanked(data, path):
    copy = json.loads(json.dumps(data, default=str))
    at = copy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = None
    # An end of a title that loses its reason is refused as a whole; it cannot be judged at all.
    ended = [title for title in copy["titles"] or [] if title and title.get("ended_on") and not title.get("end_reason")]
    return None if ended else copy


def judged(kind, data):
    return compare(load_rule_set(kind, ON), facts_from_json(data, ON))


DECIDED = {Outcome.MET: Outcome.UNMET, Outcome.UNMET: Outcome.MET}


@pytest.mark.parametrize("kind", kinds())
@settings(max_examples=60, deadline=None)
@given(firm=FIRMS)
def test_blanking_any_fact_never_turns_a_result_into_met_nor_overturns_one(kind, firm):
    firm = json.loads(json.dumps(firm, default=str))
    before = judged(kind, firm)

    for path in leaves(firm):
        changed = blanked(firm, path)
        if changed is None:
            continue
        after = judged(kind, changed)
        assert after.result is not Outcome.MET or before.result is Outcome.MET, path
        assert after.result is not DECIDED.get(before.result), path
        if before.score is not None and after.score is not None:
            assert after.score[0] <= before.score[0], path
            assert before.score[1] <= after.score[1], path


@settings(max_examples=60, deadline=None)
@given(firm=FIRMS)
def test_a_result_is_unknown_exactly_when_a_missing_fact_is_named(firm):
    firm = json.loads(json.dumps(firm, default=str))
    result = judged("tech_sme", firm)

    assert (result.result is Outcome.UNKNOWN) == bool(missing_facts(result))


@settings(max_examples=60, deadline=None)
@given(firm=FIRMS, seed=st.integers(0, 1000))
def test_the_order_of_criteria_changes_nothing(firm, seed):
    rules = load_rule_set("tech_sme", ON)
    facts = facts_from_json(firm, ON)
    shuffled = replace(rules, criteria=in_another_order(rules.criteria, random.Random(seed)))

    before, after = compare(rules, facts), compare(shuffled, facts)

    assert (after.result, after.score) == (before.result, before.score)
    assert set(missing_facts(after)) == set(missing_facts(before))
    assert {c.id: (c.result, c.value) for c in walk(after.criteria)} == {
        c.id: (c.result, c.value) for c in walk(before.criteria)
    }


def in_another_order(criteria, chance):
    mixed = list(criteria)
    chance.shuffle(mixed)
    return tuple(
        replace(c, check=replace(c.check, parts=in_another_order(c.check.parts, chance)))
        if isinstance(c.check, AllOf | AnyOf | BestOf | Score)
        else c
        for c in mixed
    )


@settings(max_examples=60, deadline=None)
@given(firm=FIRMS, more=st.sampled_from(["sci_staff_sme", "rd_expense_deduction", "piece"]))
def test_more_of_what_is_scored_never_lowers_the_score(firm, more):
    firm["figures"]["2025"] |= {"staff_count": 1000, "sales": 1000, "cost_expense": 1000}
    firm["enterprise"]["subject_type"] = "company"
    richer = json.loads(json.dumps(firm, default=str))
    if more == "piece":
        richer["intellectual_property"] = [
            *(richer["intellectual_property"] or []),
            {"kind": "software", "granted_on": "2020-01-01", "expires_on": "2035-01-01", "supports_main_product": True,
             "disputed": False},
        ]  # fmt: skip
    else:
        value = richer["figures"]["2025"][more]
        richer["figures"]["2025"][more] = None if value is None else str(Decimal(value) + 17)
        if more == "sci_staff_sme" and value is not None:
            richer["figures"]["2025"][more] = value + 17

    before, after = judged("tech_sme", firm).score, judged("tech_sme", richer).score

    assert after[0] >= before[0]
    assert more == "piece" or after[1] >= before[1]


@settings(max_examples=60, deadline=None)
@given(firm=FIRMS)
def test_each_way_up_brings_the_score_over_the_mark_and_a_step_less_does_not(firm):
    firm = json.loads(json.dumps(firm, default=str))
    firm["enterprise"]["subject_type"] = "company"
    result = judged("tech_sme", firm)

    for way in result.criterion("score").ways:
        if way.unit == "件":
            continue
        code = way.fact.key.split(".")[1]
        now = Decimal(firm["figures"]["2025"][code])
        step = Decimal("0.01") if way.unit == "元" else Decimal(1)

        def total(value, code=code):
            value = int(value) if code == "sci_staff_sme" else str(value)
            changed = {**firm, "figures": {**firm["figures"], "2025": {**firm["figures"]["2025"], code: value}}}
            return judged("tech_sme", changed).score

        assert total(now + way.amount)[0] >= 60
        assert total(now + way.amount - step)[0] < 60


@settings(max_examples=60, deadline=None)
@given(firm=FIRMS)
def test_a_report_is_plain_json_and_tells_the_result(firm):
    result = judged("tech_sme", firm)

    report = json.loads(json.dumps(as_report(result), ensure_ascii=False))

    assert report["result"] == result.result.value
    assert [criterion["id"] for criterion in report["criteria"]] == [c.id for c in walk(result.criteria)]
