"""Comparisons from the records of one enterprise, and frozen ones that keep their inputs and rule text."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import event

from crm.actions.assessments import facts_of, facts_of_many, freeze_assessment, judge
from crm.actions.enterprises import edit_enterprise
from crm.actions.figures import record_figures
from crm.actions.intellectual_property import record_ip
from crm.actions.qualifications import record_qualification
from crm.domain.judgements import as_report
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound
from crm.extensions import db
from crm.rules import rule_sets
from crm.store.assessments import Assessment, assessments_of
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from tests.builders import TODAY, act, county, make_enterprise, make_user

GOOD = {
    "sales": Decimal("34089000"),
    "revenue": Decimal("34089000"),
    "total_assets": Decimal("20000000"),
    "cost_expense": Decimal("30000000"),
    "rd_expense_deduction": Decimal("2500000"),
    "staff_count": 72,
    "sci_staff_sme": 20,
    "restricted_products": False,
    "own_accounts": True,
    "sme_industry": "industry",
}
CLEAN = dict.fromkeys(("had_major_accident", "had_env_violation", "had_research_misconduct", "was_blacklisted"), False)


def make_judged(**more) -> int:
    enterprise_id = make_enterprise(subject_type="company", industry_code="C1371", status="active", **more)
    for year, values in ((2025, {**GOOD, **CLEAN}), (2026, CLEAN)):
        with unit_of_work():
            record_figures(enterprise_id, year, values, act=act())
    with unit_of_work():
        record_ip(
            enterprise_id,
            {
                "name": "一种烘干装置",
                "kind": "invention",
                "granted_on": date(2024, 5, 7),
                "expires_on": date(2043, 5, 7),
                "supports_main_product": True,
                "disputed": False,
            },
            act=act(),
        )
    return enterprise_id


def results(enterprise_id: int, on: date = TODAY) -> dict[str, str]:
    return {result.kind: result.result.value for result in judge(facts_of(enterprise_id, on))}


def test_the_records_of_an_enterprise_are_its_facts(app):
    enterprise_id = make_judged()

    facts = facts_of(enterprise_id, TODAY)

    assert facts.value("figures.sales", 2025) == Decimal("34089000")
    assert facts.value("enterprise.status") == "active"
    assert facts.value("titles.hnte_valid") is False
    assert results(enterprise_id) == {"tech_sme": "met", "size_class": "met"}


def test_blanking_a_figure_makes_it_unknown_and_never_met(app):
    enterprise_id = make_judged()

    with unit_of_work():
        record_figures(enterprise_id, 2025, {"total_assets": None}, version=1, act=act())

    assert results(enterprise_id) == {"tech_sme": "unknown", "size_class": "met"}


def test_an_empty_register_of_ip_is_unknown_and_of_titles_is_known(app):
    facts = facts_of(make_enterprise(), TODAY)

    assert (facts.intellectual_property, facts.titles) == (None, ())


@pytest.mark.parametrize(
    ("title", "state", "held"),
    [
        pytest.param({"announced_on": date(2025, 11, 1)}, "valid", True, id="only its announcement"),
        pytest.param({"cohort_year": 2024}, "valid", True, id="only its year"),
        pytest.param({"announced_on": date(2023, 11, 20)}, "expired_unverified", False, id="run out on Saturday"),
    ],
)
def test_the_board_and_the_comparison_agree_on_a_title(app, title, state, held):
    enterprise_id = make_enterprise()
    with unit_of_work():
        record_qualification(enterprise_id, {"kind": "hnte", **title}, act=act())

    on_the_board = db.session.get(Standing, enterprise_id).hnte

    assert (on_the_board, facts_of(enterprise_id, TODAY).value("titles.hnte_valid")) == (state, held)


def test_an_affiliation_counts_from_its_day(app):
    enterprise_id = make_enterprise(status="active")
    with unit_of_work():
        edit_enterprise(enterprise_id, {"status": "deregistered"}, version=1, act=act(on=date(2026, 6, 1)))

    said = [facts_of(enterprise_id, on).value("enterprise.status") for on in (date(2026, 5, 31), date(2026, 6, 1))]

    assert said == ["active", "deregistered"]


def test_a_firm_meets_the_conditions_only_while_it_is_registered(app):
    enterprise_id = make_judged()
    with unit_of_work():
        edit_enterprise(enterprise_id, {"status": "deregistered"}, version=1, act=act(on=date(2026, 11, 1)))

    said = [results(enterprise_id, on)["tech_sme"] for on in (date(2026, 10, 31), date(2026, 11, 1))]

    assert said == ["met", "unmet"]


def test_a_frozen_judgement_reads_as_it_did_when_the_figures_change(app):
    enterprise_id = make_judged()
    with unit_of_work():
        freeze_assessment(enterprise_id, "tech_sme", act=act())
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"staff_count": 900}, version=1, act=act())

    frozen = assessments_of(enterprise_id)[0]
    again = rule_sets.rule_set_from_text(frozen.rules_text, frozen.on)

    assert (frozen.result, results(enterprise_id)["tech_sme"]) == ("met", "unmet")
    inputs = {criterion["id"]: criterion["inputs"] for criterion in frozen.report["criteria"]}
    assert inputs["staff_limit"] == {"figures.2025.staff_count": 72}
    assert (again.version, again.document) == (frozen.rules_version, frozen.report["document"])


def test_a_frozen_report_is_the_report_of_the_command(app):
    enterprise_id = make_judged(code="915002990000000013")
    with unit_of_work():
        freeze_assessment(enterprise_id, "size_class", act=act())

    result = judge(facts_of(enterprise_id, TODAY), ["size_class"])[0]
    expected = {"credit_code": "915002990000000013", **as_report(result)}

    assert db.session.scalar(db.select(Assessment)).report == expected


def test_only_who_may_edit_and_read_figures_freezes(app):
    leader = make_user("liaoheng", "leader")
    stranger = make_user("tingyu", "bureau", region=county("500299"))
    enterprise_id = make_judged()

    with pytest.raises(NotAllowed), unit_of_work():
        freeze_assessment(enterprise_id, "tech_sme", act=act(leader))
    with pytest.raises(NotFound), unit_of_work():
        freeze_assessment(enterprise_id, "tech_sme", act=act(stranger))


def test_a_kind_without_rules_is_refused(sqlite_app):
    enterprise_id = make_judged()

    with pytest.raises(InvalidInput), unit_of_work():
        freeze_assessment(enterprise_id, "hnte_pool", act=act())


def test_many_enterprises_take_as_many_queries_as_one(sqlite_app):
    ids = [make_enterprise(f"{n}号有限公司") for n in range(3)]
    seen: list[str] = []

    def count(*args) -> None:
        seen.append(args[2])

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        list(facts_of_many(ids[:1], TODAY))
        for_one = [query for query in seen if query.startswith("SELECT")]
        seen.clear()
        list(facts_of_many(ids, TODAY))
        for_three = [query for query in seen if query.startswith("SELECT")]
    finally:
        event.remove(db.engine, "before_cursor_execute", count)

    assert len(for_three) == len(for_one) == 5
