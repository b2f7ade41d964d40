"""What a comparison asks of the titles on record, answered as the board answers."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.facts import Facts, facts_from_json
from crm.domain.periods import TitleFact, period_of
from crm.domain.titles import title_state
from crm.rules.ladder import load_ladder

ON = date(2026, 11, 23)
TERMS = load_ladder().terms
IN_FORCE = {"valid_from": "2024-11-28", "valid_to": "2027-11-28"}


def title_facts(*titles):
    return facts_from_json({"titles": list(titles)}, ON, terms=TERMS)


@pytest.mark.parametrize(
    ("title", "valid"),
    [
        pytest.param(IN_FORCE, True, id="in force"),
        pytest.param({"issued_on": "2024-11-28", "valid_to": "2026-11-23"}, True, id="last day"),
        pytest.param({"valid_from": "2024-11-28", "valid_to": "2026-11-22"}, False, id="ended yesterday"),
        pytest.param({"valid_from": "2026-11-24", "valid_to": "2029-11-24"}, False, id="not begun"),
        pytest.param({"announced_on": "2025-11-01"}, True, id="only the announcement"),
        pytest.param({"announced_on": "2023-11-23"}, False, id="only an announcement of more than three years ago"),
        pytest.param({"number": "GR202451100001"}, True, id="only the number with its year"),
        pytest.param({"valid_from": "2024-11-28"}, True, id="no end"),
        pytest.param({"valid_to": "2027-11-28"}, True, id="no start"),
        pytest.param({"publicity_on": "2026-11-10"}, False, id="only the publicity"),
        pytest.param({}, None, id="no day and no year"),
        pytest.param({"valid_from": "2024-11-28", "valid_to": "2023-11-28"}, None, id="its days contradict"),
        pytest.param({**IN_FORCE, "end_reason": "revoked"}, None, id="ended on a day nobody said"),
        pytest.param({**IN_FORCE, "ended_on": "2026-11-23", "end_reason": "revoked"}, False, id="revoked today"),
        pytest.param({**IN_FORCE, "ended_on": "2026-11-24", "end_reason": "relocated"}, True, id="ends tomorrow"),
        pytest.param({"ended_on": "2026-11-23", "end_reason": "revoked"}, False, id="ended, and no other day"),
    ],
)
def test_a_title_is_in_force_on_the_days_it_covers(title, valid):
    facts = title_facts({"kind": "hnte", **title})

    assert facts.value("titles.hnte_valid") is valid


def test_a_certificate_awaiting_its_renewal_is_not_in_force():
    ended = {"kind": "hnte", "valid_from": "2023-10-16", "valid_to": "2026-10-15"}
    publicised = {"kind": "hnte", "cohort_year": 2026, "publicity_on": "2026-11-10"}
    renewed = {"kind": "hnte", "cohort_year": 2026, "valid_from": "2026-11-20"}

    assert title_facts(ended, publicised).value("titles.hnte_valid") is False
    assert title_facts(ended, publicised, renewed).value("titles.hnte_valid") is True


def test_one_certificate_recorded_twice_ends_with_the_record_that_says_so():
    certificate = {"kind": "hnte", "number": "GR202451100001", "valid_from": "2024-11-28"}
    cancelled = {**certificate, "ended_on": "2026-06-03", "end_reason": "cancelled"}

    assert title_facts(certificate, cancelled).value("titles.hnte_valid") is False


def test_an_end_of_a_title_whose_kind_is_blank_leaves_the_other_record_in_doubt():
    certificate = {"kind": "hnte", "number": "GR202451100001", "valid_from": "2024-11-28"}
    cancelled = {**certificate, "kind": None, "ended_on": "2026-06-03", "end_reason": "cancelled"}

    assert title_facts(certificate, cancelled).value("titles.hnte_valid") is None


def test_a_title_of_an_unnamed_kind_may_be_any():
    assert title_facts({"valid_from": "2024-11-28"}).value("titles.hnte_valid") is None
    assert title_facts({"valid_from": "2020-11-28"}).value("titles.hnte_valid") is False


def test_one_title_in_force_is_enough():
    facts = title_facts(
        {"kind": "hnte", "valid_from": "2021-11-01", "valid_to": "2024-11-01"},
        {"kind": "hnte", "valid_from": "2024-11-28", "valid_to": "2027-11-28"},
        {"kind": "hnte"},
    )

    assert facts.value("titles.hnte_valid") is True


def test_without_the_terms_no_title_is_known_to_be_in_force():
    facts = facts_from_json({"titles": [{"kind": "hnte", **IN_FORCE}]}, ON)

    assert facts.value("titles.hnte_valid") is None


def test_titles_of_other_kinds_say_nothing():
    facts = title_facts({"kind": "srdi", "valid_from": "2024-11-28", "valid_to": "2027-11-28"})

    assert facts.value("titles.hnte_valid") is False
    assert facts.value("titles.hnte_ever") is False
    assert facts.value("titles.srdi_ever") is True


@pytest.mark.parametrize(
    ("ended_on", "revoked"),
    [("2023-11-23", True), ("2023-11-22", False), ("2026-11-23", True)],
    ids=["three years ago to the day", "a day earlier", "today"],
)
def test_a_revocation_is_remembered_for_three_years(ended_on, revoked):
    facts = title_facts({"kind": "tech_sme", "ended_on": ended_on, "end_reason": "revoked"})

    assert facts.value("titles.tech_sme_revoked_3y") is revoked


def test_a_leap_day_has_a_day_three_years_before():
    title = {"kind": "hnte", "ended_on": "2025-02-28", "end_reason": "cancelled"}

    facts = facts_from_json({"titles": [title]}, date(2028, 2, 29))

    assert facts.value("titles.hnte_revoked_3y") is True


DAYS = st.dates(date(2020, 1, 1), date(2028, 12, 31))
KINDS = st.sampled_from(["hnte", "tech_sme", "cq_tech", "srdi"])
TITLES = st.fixed_dictionaries(
    {"kind": KINDS},
    optional={
        "number": st.sampled_from(["GR202351100001", "2025500238A8000396", "X-1"]),
        "cohort_year": st.integers(2020, 2027),
        "publicity_on": DAYS,
        "announced_on": DAYS,
        "issued_on": DAYS,
        "valid_from": DAYS,
        "valid_to": DAYS,
        "ended_on": DAYS,
        "end_reason": st.sampled_from(["cancelled", "relocated", "not_renewed"]),
    },
)


@settings(max_examples=300)
@given(titles=st.lists(TITLES, max_size=4), kind=KINDS, on=DAYS)
def test_a_title_counts_as_held_exactly_when_the_board_says_valid_or_expiring(titles, kind, on):
    recorded = [TitleFact(**{"id": n} | title) for n, title in enumerate(titles)]
    state = title_state(kind, recorded, on, terms=TERMS)

    answer = Facts(on, titles=tuple(titles), terms=TERMS).value(f"titles.{kind}_valid")

    assert (answer is True) == (state in ("valid", "expiring"))
    if answer is None:
        assert any(_leaves_room(fact) for fact in recorded if fact.kind == kind)


def _leaves_room(fact):
    undated = period_of(fact, TERMS) is None and (fact.publicity_on is None or fact.valid_to is not None)
    unsaid_end = fact.end_reason not in (None, "not_renewed") and fact.ended_on is None
    return undated or unsaid_end
