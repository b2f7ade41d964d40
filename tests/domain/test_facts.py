"""Facts: what a facts file may say, and what is read out of it."""

from datetime import date
from decimal import Decimal

import pytest

from crm.domain.facts import DERIVED, FactRef, Facts, FactsNotUnderstood, facts_from_json

ON = date(2026, 11, 23)


def problems_of(data, on=ON):
    with pytest.raises(FactsNotUnderstood) as caught:
        facts_from_json(data, on)
    return caught.value.problems


def test_values_keep_their_exact_types():
    facts = facts_from_json(
        {
            "on": "2026-11-23",
            "enterprise": {"subject_type": "公司", "registered_on": "2018-06-14"},
            "figures": {"2025": {"revenue": 1234567.89, "staff_count": 0, "own_accounts": "是", "market_share": "0.1"}},
        }
    )

    assert facts.on == ON
    assert facts.value("enterprise.subject_type") == "company"
    assert facts.value("enterprise.registered_on") == date(2018, 6, 14)
    assert facts.value("figures.revenue", 2025) == Decimal("1234567.89")
    assert facts.value("figures.staff_count", 2025) == 0
    assert facts.value("figures.own_accounts", 2025) is True
    assert facts.value("figures.market_share", 2025) == Decimal("0.1")


@pytest.mark.parametrize(
    "data",
    [{}, {"figures": None}, {"figures": {"2025": None}}, {"figures": {"2025": {"revenue": None}}}],
    ids=["no part", "part is null", "year is null", "value is null"],
)
def test_what_is_not_said_is_unknown(data):
    facts = facts_from_json(data, ON)

    assert facts.value("figures.revenue", 2025) is None
    assert facts.intellectual_property is None
    assert facts.value("titles.hnte_valid") is None


def test_an_empty_register_is_known_to_hold_nothing():
    facts = facts_from_json({"intellectual_property": [], "titles": []}, ON)

    assert facts.intellectual_property == ()
    assert facts.value("titles.hnte_valid") is False


def test_the_day_of_the_call_wins_over_the_day_of_the_file():
    assert facts_from_json({"on": "2020-01-01"}, ON).on == ON


def test_an_undeclared_fact_is_a_mistake_of_the_program():
    with pytest.raises(KeyError):
        Facts(ON).value("titles.nobel_valid")


@pytest.mark.parametrize(
    ("data", "place", "sentence"),
    [
        ([], "", "事实文件的最外层要写成一个对象（大括号）。"),
        (
            {"patents": []},
            "patents",
            "“patents”不认得；只认 on、enterprise、figures、intellectual_property、titles。",
        ),
        ({"figures": []}, "figures", "figures 要写成“年度 → 指标”的对象。"),
        ({"figures": {"去年": {}}}, "figures.去年", "figures 中的“去年”不是年度；写成四位数字，如 2025。"),
        (
            {"figures": {"2025": {"income": 1}}},
            "figures.2025.income",
            "figures.2025 中的“income”不认得；可用的名称见 docs/facts.md。",
        ),
        (
            {"figures": {"2025": {"revenue": "五千万"}}},
            "figures.2025.revenue",
            "figures.2025.revenue（营业收入）写的是“五千万”，要写成数字，不带单位和逗号。",
        ),
        (
            {"figures": {"2025": {"revenue": "1.005"}}},
            "figures.2025.revenue",
            "figures.2025.revenue（营业收入）写的是“1.005”，金额以元为单位，最多两位小数。",
        ),
        (
            {"figures": {"2025": {"staff_count": -1}}},
            "figures.2025.staff_count",
            "figures.2025.staff_count（从业人员）写的是“-1”，不能小于 0。",
        ),
        (
            {"figures": {"2025": {"staff_count": 7.5}}},
            "figures.2025.staff_count",
            "figures.2025.staff_count（从业人员）写的是“7.5”，要写成整数。",
        ),
        (
            {"figures": {"2025": {"own_accounts": 1}}},
            "figures.2025.own_accounts",
            "figures.2025.own_accounts（会计核算健全且实行查账征收）写的是“1”，要写 true、false 或是、否。",
        ),
        (
            {"enterprise": {"registered_on": "2018年"}},
            "enterprise.registered_on",
            "enterprise.registered_on（成立日期）写的是“2018年”，不是日期；写成 2026-11-23 这样的格式。",
        ),
        (
            {"titles": {"kind": "hnte"}},
            "titles",
            "titles 要写成列表（方括号）；一件也没有就写 []。",
        ),
        (
            {"titles": [{"kind": "hnte", "ended_on": "2025-01-01"}]},
            "titles.1.end_reason",
            "titles 第 1 项有终止日期，缺终止原因 end_reason。",
        ),
        (
            {"intellectual_property": [{"number": "ZL1"}, {"number": "ZL1"}]},
            "intellectual_property.2.number",
            "intellectual_property 第 2 件与第 1 件的授权号相同（ZL1）；同一件只写一次。",
        ),
        (
            {"enterprise": {"abnormal": True}, "figures": {"2026": {"was_blacklisted": False}}},
            "figures.2026.was_blacklisted",
            "figures.2026.was_blacklisted 写“否”，enterprise.abnormal 却写“是”；先核实哪一处对，再改另一处。",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "。" not in value else "",
)
def test_a_wrong_entry_is_named_with_one_sentence(data, place, sentence):
    assert problems_of(data) == {place: sentence}


def test_a_wrong_choice_is_answered_with_what_may_be_written():
    found = problems_of({"enterprise": {"source": "外地"}})

    assert found["enterprise.source"].endswith("写的是“外地”，要写其中之一：local（本地）、attracted（引进）。")


@pytest.mark.parametrize("value", [True, "NaN", "1e400000000000000000000", 1e30, [1]], ids=str)
def test_what_is_no_amount_is_refused(value):
    assert list(problems_of({"figures": {"2025": {"revenue": value}}})) == ["figures.2025.revenue"]


def test_every_wrong_entry_is_named_at_once():
    figures = {"2025": {"revenue": "x", "staff_count": "y"}}

    found = problems_of({"on": "heute", "enterprise": 1, "figures": figures}, None)

    assert list(found) == ["on", "enterprise", "figures.2025.revenue", "figures.2025.staff_count"]


def test_a_missing_day_is_named():
    assert problems_of({}, None) == {"on": "缺少日期 on；写成 2026-11-23 这样的格式。"}


def test_a_firm_on_the_register_today_was_listed_this_year():
    facts = facts_from_json({"enterprise": {"dishonest": True}}, ON)

    assert facts.value("figures.was_blacklisted", 2026) is True
    assert facts.value("figures.was_blacklisted", 2025) is None


def test_a_firm_off_the_register_today_may_still_have_been_listed_this_year():
    facts = facts_from_json({"enterprise": {"dishonest": False, "abnormal": False}}, ON)

    assert facts.value("figures.was_blacklisted", 2026) is None


def test_a_fact_is_named_by_place_and_in_words():
    assert FactRef("figures.sales", 2025).path == "figures.2025.sales"
    assert FactRef("figures.sales", 2025).label == "2025 年销售收入"
    assert FactRef("ip.class1_count").label == "Ⅰ类知识产权件数"
    assert all(fact.label and fact.how for fact in DERIVED.values())
