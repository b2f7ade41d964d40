"""Standing: titles held, the rung they give, since when, and until when the answer holds."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.kinds import HELD_STATES, KINDS
from crm.domain.periods import TitleFact
from crm.domain.rounds import Round, RoundTable
from crm.domain.standing import EnterpriseFacts, PoolFact, Standing, standing
from crm.rules.ladder import load_ladder

LADDER = load_ladder()
TODAY = date(2026, 11, 23)


def title(kind, on, **values):
    return TitleFact(**({"id": None, "kind": kind, "announced_on": on} | values))


def stands(*titles, on=TODAY, pool=(), applications=(), rounds=()):
    return standing(EnterpriseFacts(titles, tuple(pool), tuple(applications)), on, ladder=LADDER, rounds=rounds)


LISTED = title("cq_tech", date(2021, 9, 6))
NUMBER = title("tech_sme", date(2025, 7, 20), cohort_year=2025)
CERTIFICATE = title("hnte", date(2023, 10, 16))
SRDI = title("srdi", date(2025, 6, 25))


def test_an_enterprise_without_titles_is_ordinary_for_ever():
    assert stands() == Standing(TODAY, 0, None, {}, (), None, None, None)


@pytest.mark.parametrize(
    ("titles", "on", "rung"),
    [
        pytest.param([LISTED], TODAY, 1, id="the municipal list is 科技型"),
        pytest.param([NUMBER], date(2026, 5, 1), 1, id="the national number too, while it awaits its update"),
        pytest.param([NUMBER], TODAY, 0, id="and no longer after the round"),
        pytest.param([title("innovative_sme", date(2025, 7, 1))], TODAY, 0, id="创新型 alone is ordinary"),
        pytest.param([title("tech_innovative_sme", date(2026, 5, 1))], TODAY, 1, id="科技和创新型 is 科技型"),
        pytest.param([title("hnte", date(2024, 11, 28))], TODAY, 3, id="高企"),
        pytest.param([LISTED, SRDI], TODAY, 4, id="专精特新 without 高企 stands above it"),
        pytest.param([title("little_giant", date(2025, 8, 1))], TODAY, 4, id="小巨人"),
        pytest.param([CERTIFICATE], TODAY, 0, id="an expired certificate nobody renews is not held"),
    ],
)
def test_the_rung_is_the_highest_of_the_titles_held(titles, on, rung):
    assert stands(*titles, on=on).rung == rung


def test_the_merged_title_stands_on_rung_one_only_from_april_2026():
    early = title("tech_innovative_sme", date(2026, 3, 1))

    assert [stands(early, on=on).rung for on in (date(2026, 3, 31), date(2026, 4, 1))] == [0, 1]
    assert stands(early, on=date(2026, 3, 10)).changes_on == date(2026, 4, 1)
    assert stands(early, on=date(2026, 4, 10)).rung_since == date(2026, 4, 1)


def test_an_application_in_hand_keeps_the_expired_certificate_on_its_rung():
    answer = stands(CERTIFICATE, LISTED, applications=[("hnte", 2026)])

    assert (answer.rung, answer.rung_since, answer.states["hnte"]) == (3, date(2023, 10, 16), "renewing")
    assert answer.changes_on == date(2027, 1, 1)


def test_the_whole_answer_for_an_enterprise_with_four_kinds():
    pool = [PoolFact(2026, "key", entered_on=date(2026, 3, 2))]

    assert stands(LISTED, NUMBER, CERTIFICATE, pool=pool) == Standing(
        on=TODAY,
        rung=2,
        rung_since=date(2026, 10, 16),
        states={"cq_tech": "valid", "tech_sme": "lapsed_unrenewed", "hnte": "expired_unverified", "pool": "in_pool"},
        held=("cq_tech",),
        changes_on=date(2027, 1, 1),
        next_expiry_on=None,
        next_expiry_kind=None,
    )


def test_the_rung_dates_from_the_day_it_was_reached_although_titles_changed_since():
    follower = title("tech_sme", date(2024, 8, 1), cohort_year=2024)
    listed = title("cq_tech", date(2025, 2, 1))

    assert stands(follower, listed, on=date(2025, 12, 1)).rung_since == date(2024, 8, 1)


def test_a_fall_to_ordinary_is_dated_too():
    assert stands(NUMBER).rung_since == date(2026, 9, 1)


def test_the_next_expiry_is_the_nearest_end_among_valid_titles():
    answer = stands(title("hnte", date(2024, 11, 28)), SRDI, title("tech_sme", date(2026, 7, 20)), LISTED)

    assert (answer.next_expiry_on, answer.next_expiry_kind) == (date(2027, 3, 31), "tech_sme")


@pytest.mark.parametrize(
    ("fact", "on", "state"),
    [
        pytest.param(PoolFact(2026, "key", proposed_on=date(2026, 2, 1)), TODAY, "proposed", id="proposed"),
        pytest.param(PoolFact(2026, "key", decided_on=date(2026, 3, 2)), TODAY, "in_pool", id="decided"),
        pytest.param(
            PoolFact(2026, "key", date(2026, 2, 1), date(2026, 3, 2), date(2026, 4, 1)),
            date(2026, 3, 10),
            "proposed",
            id="decided, to enter later",
        ),
        pytest.param(PoolFact(2026, None), TODAY, "proposed", id="a year without any decision"),
        pytest.param(PoolFact(2026, None), date(2025, 12, 31), None, id="and not before that year"),
        pytest.param(
            PoolFact(2025, "key", entered_on=date(2025, 3, 2), left_on=date(2026, 3, 1)), TODAY, None, id="left"
        ),
        pytest.param(PoolFact(None, None), TODAY, None, id="nothing known"),
    ],
)
def test_the_pool_is_proposed_then_entered_then_left(fact, on, state):
    answer = stands(pool=[fact], on=on)

    assert answer.states.get("pool") == state
    assert answer.rung == (2 if state == "in_pool" else 0)
    assert answer.held == ()


def test_a_second_membership_holds_when_the_first_was_left():
    pool = [
        PoolFact(2025, "key", entered_on=date(2025, 3, 2), left_on=date(2026, 3, 1)),
        PoolFact(2026, "key", proposed_on=date(2026, 2, 1), entered_on=date(2026, 3, 1)),
    ]

    answer = stands(pool=pool)

    assert (answer.states["pool"], answer.rung_since, answer.changes_on) == ("in_pool", date(2025, 3, 2), None)


# --- properties ------------------------------------------------------------------------------------------------------

DAYS = st.dates(date(2022, 1, 1), date(2028, 12, 31))
TITLES = st.builds(
    TitleFact,
    id=st.none(),
    kind=st.sampled_from(list(KINDS)),
    cohort_year=st.none() | st.integers(2022, 2027),
    publicity_on=st.none() | DAYS,
    announced_on=st.none() | DAYS,
    valid_to=st.none() | DAYS,
    ended_on=st.none() | DAYS,
    end_reason=st.none() | st.sampled_from(["cancelled", "relocated", "not_renewed"]),
)
POOL = st.builds(
    PoolFact,
    st.none() | st.integers(2022, 2027),
    st.just("key"),
    st.none() | DAYS,
    st.none() | DAYS,
    st.none() | DAYS,
    st.none() | DAYS,
)
FACTS = st.builds(
    EnterpriseFacts,
    st.lists(TITLES, max_size=4).map(tuple),
    st.lists(POOL, max_size=2).map(tuple),
    st.lists(st.tuples(st.sampled_from(["hnte", "tech_sme"]), st.integers(2022, 2028)), max_size=1).map(tuple),
)
ROUNDS = RoundTable(
    [
        Round("hnte", 2026, "第一批", None, None, None, date(2026, 5, 16), date(2026, 11, 2), "closed"),
        Round("tech_sme", 2026, "", None, None, None, date(2026, 9, 15), None, "closed"),
    ]
)


def answer_without_the_day(facts, on):
    given_answer = standing(facts, on, ladder=LADDER, rounds=ROUNDS)
    return (
        given_answer.rung,
        given_answer.rung_since,
        given_answer.states,
        given_answer.held,
        given_answer.changes_on,
        given_answer.next_expiry_on,
        given_answer.next_expiry_kind,
    )


@settings(max_examples=60)
@given(facts=FACTS, on=DAYS, later=st.integers(0, 4000))
def test_the_answer_holds_until_the_day_before_it_may_change(facts, on, later):
    answer = standing(facts, on, ladder=LADDER, rounds=ROUNDS)
    days = (answer.changes_on - on).days if answer.changes_on else 4000
    assert days > 0

    for other in {on + timedelta(days=days - 1), on + timedelta(days=later % days)}:
        assert answer_without_the_day(facts, other) == answer_without_the_day(facts, on)


@settings(max_examples=60)
@given(facts=FACTS, on=DAYS)
def test_held_titles_states_and_rung_agree(facts, on):
    answer = standing(facts, on, ladder=LADDER, rounds=ROUNDS)

    assert answer.held == tuple(kind for kind in KINDS if answer.states.get(kind) in HELD_STATES)
    given_rungs = [LADDER.rung_of(kind, on) for kind in answer.held]
    assert answer.rung == max([0, 2 if answer.states.get("pool") == "in_pool" else 0, *given_rungs])


@settings(max_examples=60)
@given(facts=FACTS, on=DAYS)
def test_the_rung_was_another_the_day_before_it_was_reached(facts, on):
    answer = standing(facts, on, ladder=LADDER, rounds=ROUNDS)

    if answer.rung_since is None:
        assert answer.rung == 0
    else:
        before, then = (
            standing(facts, day, ladder=LADDER, rounds=ROUNDS).rung
            for day in (answer.rung_since - timedelta(days=1), answer.rung_since)
        )
        assert before != then == answer.rung
