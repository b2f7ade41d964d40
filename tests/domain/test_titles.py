"""Titles over time: what a fact covers, how facts join, which state a day has."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.clock import SHANGHAI
from crm.domain.kinds import HELD_STATES, STATES
from crm.domain.periods import TitleFact, period_of
from crm.domain.rounds import Round, RoundTable
from crm.domain.titles import Spell, spells, timeline, title_state
from crm.rules.ladder import load_ladder

TERMS = load_ladder().terms
TODAY = date(2026, 11, 23)


def make_title(kind="hnte", **values):
    return TitleFact(**({"id": 1, "kind": kind} | values))


def make_round(kind="hnte", year=2026, batch="第一批", **values):
    return Round(
        **(
            dict.fromkeys(("opens_on", "enterprise_due_at", "county_due_at", "closes_on", "announced_on"))
            | {"kind": kind, "year": year, "batch": batch, "status": "announced", "source": "通知"}
            | values
        )
    )


def state(facts, on, rounds=(), applied=False, kind=None):
    facts = facts if isinstance(facts, list) else [facts]
    return title_state(kind or facts[0].kind, facts, on, terms=TERMS, rounds=rounds, applied=applied)


CERTIFICATE = make_title(
    cohort_year=2023, announced_on=date(2023, 11, 20), valid_from=date(2023, 10, 16), valid_to=date(2026, 10, 15)
)
NUMBER = make_title("tech_sme", cohort_year=2025, announced_on=date(2025, 7, 20))


# --- states ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        pytest.param(date(2023, 10, 15), None, id="never held the day before"),
        pytest.param(date(2023, 10, 16), "valid", id="held from the first day of validity"),
        pytest.param(date(2025, 12, 19), "valid", id="301 days before the end it is simply valid"),
        pytest.param(date(2025, 12, 20), "expiring", id="the 300 days of the lead begin"),
        pytest.param(date(2026, 10, 15), "expiring", id="the last day still counts"),
        pytest.param(date(2026, 10, 16), "expired_unverified", id="nobody knows of an application"),
        pytest.param(date(2026, 12, 31), "expired_unverified", id="until the year's last announcement"),
        pytest.param(date(2027, 1, 1), "lapsed_unrenewed", id="only then it has lapsed"),
    ],
)
def test_a_certificate_runs_from_valid_to_lapsed(on, expected):
    assert state(CERTIFICATE, on) == expected


def test_a_certificate_is_renewing_once_an_application_is_in_hand():
    assert state(CERTIFICATE, TODAY, applied=True) == "renewing"
    assert state(CERTIFICATE, TODAY, applied=[2026]) == "renewing"


def test_an_application_of_another_year_renews_nothing():
    assert state(CERTIFICATE, TODAY, applied=[2025]) == "expired_unverified"


def test_a_certificate_is_renewing_once_the_enterprise_is_publicised():
    publicised = make_title(id=2, publicity_on=date(2026, 11, 10), cohort_year=2026)

    assert state([CERTIFICATE, publicised], TODAY) == "renewing"
    assert state([CERTIFICATE, publicised], date(2027, 1, 1)) == "lapsed_unrenewed"


def test_the_last_announcement_counts_once_every_batch_has_one():
    first = make_round(announced_on=date(2026, 10, 30))
    second = make_round(batch="第二批", announced_on=date(2026, 11, 18))
    pending = make_round(batch="第三批")

    assert state(CERTIFICATE, date(2026, 11, 18), [first, second]) == "expired_unverified"
    assert state(CERTIFICATE, date(2026, 11, 19), [first, second]) == "lapsed_unrenewed"
    assert state(CERTIFICATE, date(2026, 11, 19), [first, second, pending]) == "expired_unverified"


def test_an_announcement_that_slips_into_the_next_year_keeps_the_door_open():
    late = make_round(announced_on=date(2027, 4, 8))

    assert state(CERTIFICATE, date(2027, 4, 8), [late]) == "expired_unverified"
    assert state(CERTIFICATE, date(2027, 4, 9), [late]) == "lapsed_unrenewed"


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        pytest.param(date(2025, 7, 19), None, id="not before the announcement"),
        pytest.param(date(2025, 12, 31), "valid", id="at the year's end"),
        pytest.param(date(2026, 3, 31), "expiring", id="to the end of March of the next year"),
        pytest.param(date(2026, 4, 1), "awaiting_update", id="in spring, before the round has opened"),
        pytest.param(date(2026, 8, 31), "awaiting_update", id="on the round's last day"),
        pytest.param(date(2026, 9, 1), "lapsed_unrenewed", id="after the round"),
    ],
)
def test_a_yearly_number_awaits_its_update_until_the_next_round_closes(on, expected):
    assert state(NUMBER, on) == expected


def test_a_recorded_end_of_year_carries_into_the_following_years_round():
    number = make_title("tech_sme", cohort_year=2025, announced_on=date(2025, 7, 20), valid_to=date(2025, 12, 31))

    assert [state(number, date(2026, month, 1)) for month in (1, 8, 9)] == [
        "awaiting_update",
        "awaiting_update",
        "lapsed_unrenewed",
    ]


def test_the_rounds_own_closing_day_beats_the_default():
    longer = make_round("tech_sme", closes_on=date(2026, 9, 15))
    hourly = make_round("tech_sme", county_due_at=datetime(2026, 9, 20, 12, tzinfo=SHANGHAI))

    assert state(NUMBER, date(2026, 9, 15), [longer]) == "awaiting_update"
    assert state(NUMBER, date(2026, 9, 16), [longer]) == "lapsed_unrenewed"
    assert state(NUMBER, date(2026, 9, 20), [hourly]) == "awaiting_update"


def test_an_enterprise_that_applied_awaits_the_announcement_of_its_round():
    closed = make_round("tech_sme", closes_on=date(2026, 8, 31))
    announced = make_round("tech_sme", closes_on=date(2026, 8, 31), announced_on=date(2026, 10, 9))

    assert state(NUMBER, date(2026, 9, 20), [closed], applied=[2026]) == "awaiting_update"
    assert state(NUMBER, date(2026, 10, 10), [announced], applied=[2026]) == "lapsed_unrenewed"


def test_the_municipal_list_has_no_end_of_its_own():
    member = make_title("cq_tech", announced_on=date(2021, 9, 6))

    assert state(member, TODAY) == "valid"


def test_a_municipal_membership_with_a_recorded_end_awaits_its_update_until_the_end_of_may():
    member = make_title("cq_tech", announced_on=date(2021, 9, 6), valid_to=date(2025, 12, 31))

    assert state(member, date(2026, 5, 31)) == "awaiting_update"
    assert state(member, date(2026, 6, 1)) == "lapsed_unrenewed"


def test_an_end_after_the_updates_closing_day_waits_for_the_following_years_update():
    member = make_title("cq_tech", announced_on=date(2024, 5, 1), valid_to=date(2025, 12, 31))

    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 5, 31), date(2026, 6, 1))

    assert [state(member, day) for day in days] == [
        "expiring",
        "awaiting_update",
        "awaiting_update",
        "lapsed_unrenewed",
    ]


def test_a_three_year_title_without_a_carry_lapses_at_its_end():
    title = make_title("srdi", announced_on=date(2023, 6, 25))

    assert state(title, date(2026, 6, 24)) == "expiring"
    assert state(title, date(2026, 6, 25)) == "lapsed_unrenewed"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("cancelled", "revoked"),
        ("revoked", "revoked"),
        ("withdrawn", "revoked"),
        ("deregistered", "revoked"),
        ("merged", "revoked"),
        ("relocated", "relocated"),
        (None, "revoked"),
    ],
)
def test_a_recorded_end_counts_from_its_day(reason, expected):
    ended = make_title(valid_from=date(2024, 11, 28), ended_on=date(2026, 6, 10), end_reason=reason)

    assert state(ended, date(2026, 6, 9)) == "valid"
    assert state(ended, date(2026, 6, 10)) == expected
    assert state(ended, date(2030, 1, 1)) == expected


def test_a_reason_without_a_day_leaves_no_day_held():
    ended = make_title(valid_from=date(2024, 11, 28), end_reason="cancelled")

    assert [segment.state for segment in timeline("hnte", [ended], terms=TERMS)] == ["revoked"]


def test_a_title_marked_as_not_renewed_is_carried_no_further():
    marked = make_title(valid_from=date(2023, 10, 16), valid_to=date(2026, 10, 15), end_reason="not_renewed")

    assert state(marked, date(2026, 10, 15)) == "expiring"
    assert state(marked, date(2026, 10, 16), applied=True) == "lapsed_unrenewed"


def test_a_number_revoked_while_it_awaits_its_update_is_revoked():
    revoked = make_title(
        "tech_sme", cohort_year=2025, announced_on=date(2025, 7, 20), ended_on=date(2026, 5, 6), end_reason="revoked"
    )

    assert state(revoked, date(2026, 5, 5)) == "awaiting_update"
    assert state(revoked, date(2026, 5, 6)) == "revoked"


def test_a_cancellation_ends_every_record_of_the_same_certificate():
    named = make_title(id=1, number="GR202451100001", valid_from=date(2024, 11, 28))
    from_a_list = make_title(id=2, cohort_year=2024, announced_on=date(2024, 12, 3))
    cancelled = make_title(
        id=3, number="GR202451100001", valid_from=date(2024, 11, 28), ended_on=date(2026, 6, 10), end_reason="cancelled"
    )

    assert state([named, from_a_list, cancelled], TODAY) == "revoked"


def test_a_revoked_old_number_leaves_the_new_one_alone():
    old = make_title(
        "tech_sme",
        id=1,
        cohort_year=2025,
        announced_on=date(2025, 7, 20),
        ended_on=date(2026, 9, 1),
        end_reason="revoked",
    )
    new = make_title("tech_sme", id=2, cohort_year=2026, announced_on=date(2026, 7, 25))

    assert state([old, new], TODAY) == "valid"


def test_a_cancellation_known_only_by_its_day_still_shows():
    notice = make_title(ended_on=date(2024, 6, 3), end_reason="cancelled")

    assert state(notice, date(2024, 6, 2)) is None
    assert state(notice, TODAY) == "revoked"


def test_a_publicity_alone_is_never_held():
    publicised = make_title(
        publicity_on=date(2026, 11, 10), cohort_year=2026, valid_to=date(2029, 11, 9), number="GR202651100009"
    )

    assert state(publicised, TODAY) is None
    assert state(publicised, date(2027, 6, 1)) is None


@pytest.mark.parametrize(
    ("fact", "first", "last"),
    [
        pytest.param(make_title(cohort_year=2024), date(2024, 10, 1), date(2027, 9, 30), id="certificate of a year"),
        pytest.param(make_title(number="GR202451100009"), date(2024, 10, 1), date(2027, 9, 30), id="its number alone"),
        pytest.param(
            make_title("tech_sme", cohort_year=2026), date(2026, 6, 1), date(2027, 3, 31), id="number of a year"
        ),
        pytest.param(
            make_title("tech_sme", number="2026500238A8000396"),
            date(2026, 6, 1),
            date(2027, 3, 31),
            id="the number alone",
        ),
        pytest.param(
            make_title(valid_to=date(2027, 11, 27)), date(2024, 11, 28), date(2027, 11, 27), id="its end alone"
        ),
        pytest.param(
            make_title("tech_sme", valid_to=date(2026, 3, 31)),
            date(2025, 6, 1),
            date(2026, 3, 31),
            id="yearly, end alone",
        ),
        pytest.param(
            make_title("cq_tech", cohort_year=2022), date(2022, 1, 1), None, id="a year on the municipal list"
        ),
        pytest.param(make_title(valid_from=date(2024, 2, 29)), date(2024, 2, 29), date(2027, 2, 28), id="a leap day"),
        pytest.param(
            make_title(issued_on=date(2024, 11, 28), announced_on=date(2024, 12, 9)),
            date(2024, 11, 28),
            date(2027, 11, 27),
            id="the certificate's day before the announcement's",
        ),
    ],
)
def test_a_sparse_fact_still_covers_days(fact, first, last):
    period = period_of(fact, TERMS)

    assert (period.start, period.last) == (first, last)


@pytest.mark.parametrize(
    "fact",
    [
        pytest.param(make_title(), id="nothing known"),
        pytest.param(make_title(valid_from=date(2024, 5, 1), valid_to=date(2024, 4, 30)), id="ends before it begins"),
        pytest.param(make_title("unheard_of", valid_from=date(2024, 5, 1)), id="a kind without terms"),
    ],
)
def test_a_fact_that_says_nothing_covers_no_day(fact):
    assert period_of(fact, TERMS) is None


# --- spells ----------------------------------------------------------------------------------------------------------


def test_a_renewal_after_the_gap_makes_one_spell_and_fills_the_gap():
    renewed = make_title(id=2, cohort_year=2026, announced_on=date(2026, 12, 8), valid_from=date(2026, 11, 20))

    assert spells([CERTIFICATE, renewed], TERMS) == [
        Spell("hnte", date(2023, 10, 16), date(2029, 11, 19), (1, 2), None)
    ]
    assert state([CERTIFICATE, renewed], date(2026, 11, 1)) == "renewing"


def test_a_supplementary_batch_in_the_next_year_still_renews():
    supplementary = make_title(id=2, cohort_year=2026, announced_on=date(2027, 4, 8))

    assert len(spells([CERTIFICATE, supplementary], TERMS)) == 1


def test_a_new_certificate_two_years_later_is_a_second_spell():
    later = make_title(id=2, cohort_year=2028, valid_from=date(2028, 11, 2))

    assert [(s.starts_on, s.ends_on) for s in spells([CERTIFICATE, later], TERMS)] == [
        (date(2023, 10, 16), date(2026, 10, 15)),
        (date(2028, 11, 2), date(2031, 11, 1)),
    ]
    assert state([CERTIFICATE, later], date(2027, 6, 1)) == "lapsed_unrenewed"


def test_yearly_numbers_make_one_spell():
    years = [make_title("tech_sme", id=y, cohort_year=y, announced_on=date(y, 9, 12)) for y in (2023, 2024, 2025)]

    assert spells(years, TERMS) == [Spell("tech_sme", date(2023, 9, 12), date(2026, 3, 31), (2023, 2024, 2025), None)]


def test_a_revoked_title_starts_no_spell_with_its_successor():
    revoked = make_title(valid_from=date(2023, 10, 16), ended_on=date(2024, 6, 3), end_reason="cancelled")
    again = make_title(id=2, valid_from=date(2025, 11, 20))

    assert spells([revoked, again], TERMS) == [
        Spell("hnte", date(2023, 10, 16), date(2024, 6, 2), (1,), "cancelled"),
        Spell("hnte", date(2025, 11, 20), date(2028, 11, 19), (2,), None),
    ]


def test_overlapping_records_of_one_title_merge():
    from_a_list = make_title(id=2, cohort_year=2023, announced_on=date(2023, 11, 20))

    assert spells([CERTIFICATE, from_a_list], TERMS) == [
        Spell("hnte", date(2023, 10, 16), date(2026, 11, 19), (1, 2), None)
    ]


# --- properties ------------------------------------------------------------------------------------------------------

DAYS = st.dates(date(2020, 1, 1), date(2028, 12, 31))
KINDS = st.sampled_from(["hnte", "tech_sme", "cq_tech", "srdi"])
FACTS = st.builds(
    TitleFact,
    id=st.integers(1, 9),
    kind=KINDS,
    number=st.none() | st.sampled_from(["GR202351100001", "2025500238A8000396", "X-1"]),
    cohort_year=st.none() | st.integers(2020, 2027),
    publicity_on=st.none() | DAYS,
    announced_on=st.none() | DAYS,
    issued_on=st.none(),
    valid_from=st.none() | DAYS,
    valid_to=st.none() | DAYS,
    ended_on=st.none() | DAYS,
    end_reason=st.none() | st.sampled_from(["cancelled", "relocated", "not_renewed"]),
)
ROUNDS = st.lists(
    st.builds(
        make_round,
        st.sampled_from(["hnte", "tech_sme"]),
        st.integers(2021, 2028),
        closes_on=st.none() | DAYS,
        announced_on=st.none() | DAYS,
    ),
    max_size=3,
)


@settings(max_examples=60)
@given(facts=st.lists(FACTS, max_size=4), kind=KINDS, rounds=ROUNDS, on=DAYS, applied=st.booleans())
def test_states_partition_time_without_gaps_or_overlaps(facts, kind, rounds, on, applied):
    segments = timeline(kind, facts, terms=TERMS, rounds=rounds, applied=applied)

    assert {segment.state for segment in segments} <= set(STATES)
    assert [s.ends_on for s in segments[:-1]] == [s.starts_on - timedelta(days=1) for s in segments[1:]]
    assert all(s.starts_on <= s.ends_on for s in segments[:-1])
    assert not segments or segments[-1].ends_on is None
    found = [s.state for s in segments if s.starts_on <= on and (s.ends_on is None or on <= s.ends_on)]
    assert (found or [None]) == [title_state(kind, facts, on, terms=TERMS, rounds=rounds, applied=applied)]


@settings(max_examples=60)
@given(facts=st.lists(FACTS, max_size=4, unique_by=lambda f: f.id), rounds=ROUNDS, data=st.data())
def test_stitching_does_not_depend_on_the_order_of_facts_or_rounds(facts, rounds, data):
    shuffled = data.draw(st.permutations(facts))

    assert spells(shuffled, TERMS, RoundTable(reversed(rounds))) == spells(facts, TERMS, rounds)


@settings(max_examples=60)
@given(facts=st.lists(FACTS, min_size=1, max_size=4), kind=KINDS, on=DAYS, applied=st.booleans())
def test_blanking_every_day_but_the_publicity_leaves_nothing_held(facts, kind, on, applied):
    never_announced = dict.fromkeys(("announced_on", "valid_from", "issued_on"))
    blanked = [replace(fact, publicity_on=fact.publicity_on or on, **never_announced) for fact in facts]

    assert title_state(kind, blanked, on, terms=TERMS, applied=applied) not in HELD_STATES


@settings(max_examples=60)
@given(facts=st.lists(FACTS, min_size=1, max_size=4), on=DAYS, data=st.data())
def test_leaving_out_a_title_that_was_not_ended_never_creates_a_held_state(facts, on, data):
    left_out = data.draw(st.sampled_from(facts))
    rest = [fact for fact in facts if fact is not left_out]
    kind = left_out.kind

    if left_out.ended_on is None and left_out.end_reason is None and state(rest, on, kind=kind) in HELD_STATES:
        assert state(facts, on, kind=kind) in HELD_STATES
