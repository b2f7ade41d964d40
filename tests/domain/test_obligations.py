"""Obligations: what is due for whom, by which window, in which state, and that nothing is said twice."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.obligation_facts import NextStep, ObligationFacts, Outcome, Renaming
from crm.domain.obligations import obligations
from crm.domain.periods import TitleFact
from crm.domain.rounds import Round
from crm.rules.cadences import load_cadences
from crm.rules.calendars import rounds as seeded_rounds
from crm.rules.ladder import load_ladder

CADENCES = load_cadences()
LADDER = load_ladder()
SEEDED = seeded_rounds("500238")
MANAGER = 9

COHORT_2023 = TitleFact(1, "hnte", cohort_year=2023, valid_from=date(2023, 10, 16), valid_to=date(2026, 10, 15))
COHORT_2024 = TitleFact(2, "hnte", cohort_year=2024, valid_from=date(2024, 11, 20), valid_to=date(2027, 11, 19))
NUMBER_2025 = TitleFact(3, "tech_sme", cohort_year=2025, announced_on=date(2025, 7, 20))
NUMBER_2026 = TitleFact(4, "tech_sme", cohort_year=2026, announced_on=date(2026, 7, 25))


def at(day, hour=9, minute=0):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


def due(*titles, on, kind=None, rounds=SEEDED, outcomes=None, **facts):
    now = on if isinstance(on, datetime) else at(on)
    found = obligations(
        ObligationFacts(titles, manager_id=MANAGER, **facts),
        cadences=CADENCES,
        ladder=LADDER,
        rounds=rounds,
        now=now,
        outcomes=outcomes or {},
    )
    return [one for one in found if kind is None or one.kind == kind]


def batch(name, opens, enterprise, county=None, year=2027, status="announced", **values):
    return Round(
        "hnte",
        year,
        name,
        date(year, *opens),
        end_of_day(date(year, *enterprise)),
        county,
        values.get("closes_on"),
        values.get("announced_on"),
        status,
        "通知",
    )


FIRST = batch("第一批", (3, 18), (4, 30), at(date(2027, 5, 16), 12))
SECOND = batch("第二批", (5, 19), (6, 30), at(date(2027, 7, 16), 12))
THIRD_EXPECTED = batch("第三批", (7, 17), (8, 31), at(date(2027, 9, 12), 12), status="expected")


# --- 高企重新认定 ----------------------------------------------------------------------------------------------------


def test_a_certificate_of_2024_is_told_in_november_2026_to_prepare_for_the_expected_windows_of_2027():
    [renewal] = due(COHORT_2024, on=date(2026, 11, 23), kind="hnte_renewal")

    assert (renewal.period, renewal.opens_on, renewal.due_at) == (
        "2027",
        date(2027, 3, 18),
        end_of_day(date(2027, 8, 31)),
    )
    assert (renewal.state, renewal.expected, renewal.owner_id) == ("upcoming", True, MANAGER)
    assert renewal.reason == (
        "证书 2027-11-19 到期，须在 2027 年窗口内重新认定，不能提前申报；"
        "按第三批（按往年推定），企业截止 2027-08-31，区县截止 2027-09-12 12:00。"
    )
    assert renewal.steps[0] == "告知企业当年窗口，确认更名、迁移和年度发展情况报表已办完"


def test_a_certificate_may_not_be_renewed_before_its_last_year():
    assert due(COHORT_2024, on=date(2026, 8, 20), kind="hnte_renewal") == []


def test_a_renewal_is_due_with_the_last_announced_window_while_another_is_only_expected():
    [renewal] = due(COHORT_2024, on=date(2027, 5, 24), kind="hnte_renewal", rounds=[FIRST, SECOND, THIRD_EXPECTED])

    assert (renewal.due_at, renewal.state, renewal.expected) == (end_of_day(date(2027, 6, 30)), "open", False)
    assert renewal.reason == (
        "证书 2027-11-19 到期，须在 2027 年窗口内重新认定，不能提前申报；"
        "按第二批，企业截止 2027-06-30，区县截止 2027-07-16 12:00；第三批未公布，公布后期限随之更新。"
    )


THIRD = batch("第三批", (7, 17), (8, 31), at(date(2027, 9, 12), 12))


@pytest.mark.parametrize(
    ("on", "deadlines"),
    [
        pytest.param(
            date(2027, 3, 18),
            "企业截止 第一批 04-30（区县 05-16 12:00）、第二批 06-30（区县 07-16 12:00）、"
            "第三批 08-31（区县 09-12 12:00）。",
            id="when the first opens",
        ),
        pytest.param(
            date(2027, 5, 1),
            "企业截止 第二批 06-30（区县 07-16 12:00）、第三批 08-31（区县 09-12 12:00）。",
            id="when the first is past",
        ),
        pytest.param(
            date(2027, 7, 1), "按第三批，企业截止 2027-08-31，区县截止 2027-09-12 12:00。", id="when one is left"
        ),
    ],
)
def test_a_renewal_names_every_announced_batch_that_can_still_be_made(on, deadlines):
    [renewal] = due(COHORT_2024, on=on, kind="hnte_renewal", rounds=[THIRD, FIRST, SECOND])

    assert renewal.due_at == end_of_day(date(2027, 8, 31))
    assert renewal.reason == "证书 2027-11-19 到期，须在 2027 年窗口内重新认定，不能提前申报；" + deadlines


def test_announced_batches_are_named_before_one_that_is_only_expected():
    [renewal] = due(COHORT_2024, on=date(2027, 3, 18), kind="hnte_renewal", rounds=[FIRST, SECOND, THIRD_EXPECTED])

    assert renewal.reason.endswith(
        "；企业截止 第一批 04-30（区县 05-16 12:00）、第二批 06-30（区县 07-16 12:00）；"
        "第三批未公布，公布后期限随之更新。"
    )


def test_batches_with_very_long_names_leave_the_reason_in_its_column():
    many = [
        batch(f"{n}" * 40, (3, 1), (month, 20), at(date(2027, month, 25), 12)) for n, month in enumerate(range(4, 10))
    ]

    [renewal] = due(COHORT_2024, on=date(2027, 3, 18), kind="hnte_renewal", rounds=many)

    assert renewal.reason.endswith("等 6 批。")
    assert len(renewal.reason) <= 400


def test_the_batches_of_2025_stand_in_the_reason_of_a_certificate_of_2022():
    certificate = TitleFact(1, "hnte", cohort_year=2022, valid_from=date(2022, 11, 28), valid_to=date(2025, 11, 27))

    [renewal] = due(certificate, on=date(2025, 3, 18), kind="hnte_renewal")

    assert "第一批 04-30（区县 05-16 12:00）、第二批 06-30（区县 07-16 12:00）、第三批 08-31" in renewal.reason


def test_the_expected_window_takes_over_once_the_announced_ones_are_past():
    [renewal] = due(COHORT_2024, on=date(2027, 7, 5), kind="hnte_renewal", rounds=[FIRST, SECOND, THIRD_EXPECTED])

    assert (renewal.due_at, renewal.state, renewal.expected) == (end_of_day(date(2027, 8, 31)), "open", True)


def test_a_year_without_any_window_is_expected_by_the_usual_days():
    [renewal] = due(COHORT_2024, on=date(2027, 4, 1), kind="hnte_renewal", rounds=[])

    assert (renewal.opens_on, renewal.due_at) == (date(2027, 3, 18), end_of_day(date(2027, 8, 31)))
    assert renewal.expected is True


def test_a_window_without_an_enterprise_deadline_is_due_with_the_county():
    bare = Round(
        "hnte", 2027, "第一批", date(2027, 3, 18), None, at(date(2027, 5, 16), 12), None, None, "announced", "通知"
    )

    [renewal] = due(COHORT_2024, on=date(2027, 4, 1), kind="hnte_renewal", rounds=[bare])

    assert renewal.due_at == at(date(2027, 5, 16), 12)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        pytest.param(at(date(2027, 3, 17)), "upcoming", id="the day before the first window"),
        pytest.param(at(date(2027, 3, 18)), "open", id="the first window opens"),
        pytest.param(at(date(2027, 6, 22)), "open", id="eight days left"),
        pytest.param(at(date(2027, 6, 23)), "urgent", id="seven days left"),
        pytest.param(at(date(2027, 6, 30), 23, 59), "urgent", id="the last minute"),
        pytest.param(at(date(2027, 7, 1), 0), "overdue", id="midnight has passed"),
        pytest.param(at(date(2027, 12, 31), 23), "overdue", id="until the year's last announcement"),
        pytest.param(at(date(2028, 1, 1)), "lapsed", id="then nothing can be done"),
    ],
)
def test_a_renewal_passes_through_its_states(now, state):
    [renewal] = due(COHORT_2024, on=now, kind="hnte_renewal", rounds=[FIRST, SECOND])

    assert renewal.state == state


def test_a_cohort_whose_windows_are_past_is_overdue_and_says_until_when():
    [renewal] = due(COHORT_2023, on=date(2026, 11, 23), kind="hnte_renewal")

    assert (renewal.state, renewal.expected) == ("overdue", True)
    assert renewal.reason == (
        "证书 2026-10-15 到期，2026 年最后一批（按往年推定）企业截止 2026-08-31 已过，未见申报；"
        "2026-12-31 后仍无公告即期满未续。"
    )


def test_an_application_in_hand_settles_the_renewal_after_the_window_and_not_before():
    in_hand = {"applications": (("hnte", 2027),), "rounds": [FIRST, SECOND], "kind": "hnte_renewal"}

    [before] = due(COHORT_2024, on=date(2027, 6, 1), **in_hand)
    [after] = due(COHORT_2024, on=date(2027, 7, 1), **in_hand)

    assert (before.state, after.state) == ("open", "done")
    assert before.reason.endswith("；申报已在办。")
    assert after.reason == "2027 年重新认定的申报已在办，结果见申报。"


def test_a_new_certificate_settles_the_renewal():
    renewed = TitleFact(5, "hnte", cohort_year=2026, valid_from=date(2026, 11, 2))

    [renewal] = due(COHORT_2023, renewed, on=date(2026, 11, 23), kind="hnte_renewal")

    assert (renewal.period, renewal.state) == ("2026", "done")
    assert renewal.reason == "已重新认定，新证书自 2026-11-02 起。"


@pytest.mark.parametrize("reason", ["cancelled", "relocated"])
def test_a_certificate_that_was_taken_away_needs_no_renewal(reason):
    gone = TitleFact(1, "hnte", valid_from=date(2024, 11, 20), ended_on=date(2026, 6, 3), end_reason=reason)

    assert due(gone, on=date(2027, 4, 1), kind="hnte_renewal") == []


# --- 年度发展情况报表 ------------------------------------------------------------------------------------------------


def test_a_report_is_due_each_may_within_the_validity_for_the_year_before():
    years = [date(year, 5, 24) for year in range(2024, 2029)]

    found = [[(r.period, r.state) for r in due(COHORT_2024, on=on, kind="hnte_annual_report")] for on in years]

    assert found == [
        [],
        [("2024", "urgent")],
        [("2024", "lapsed"), ("2025", "urgent")],
        [("2024", "lapsed"), ("2025", "lapsed"), ("2026", "urgent")],
        [("2024", "lapsed"), ("2025", "lapsed"), ("2026", "lapsed")],
    ]  # each of them counts as long as the certificate it belongs to is remembered


def test_a_report_ends_with_the_last_second_of_may():
    [report] = due(COHORT_2024, on=date(2025, 5, 24), kind="hnte_annual_report")

    assert report.due_at == datetime(2025, 5, 31, 23, 59, 59, tzinfo=SHANGHAI)
    assert report.reason == (
        "证书 2024-11-20 至 2027-11-19 有效，有效期内每年 5 月 31 日前填报上一年度情况，这次报 2024 年度。"
    )


MISSED_ONCE = "有效期内已缺报 1 次（2025 年度），再缺一次即取消高企资格（国科发火〔2016〕32号 第十九条（三））。"


def test_a_report_says_when_one_was_missed_in_the_same_validity():
    outcomes = {("hnte_annual_report", "2025"): Outcome("missed", date(2026, 6, 5))}

    reports = due(COHORT_2024, on=date(2027, 5, 24), kind="hnte_annual_report", outcomes=outcomes)

    assert [(r.period, r.state) for r in reports[1:]] == [("2025", "lapsed"), ("2026", "urgent")]
    assert reports[2].reason == MISSED_ONCE


def test_a_report_nobody_settled_counts_as_missed_only_since_outcomes_are_tracked():
    [*_, untracked] = due(COHORT_2024, on=date(2027, 5, 24), kind="hnte_annual_report")
    [*_, tracked] = due(COHORT_2024, on=date(2027, 5, 24), kind="hnte_annual_report", tracked_from=date(2026, 1, 1))

    assert "缺报" not in untracked.reason
    assert tracked.reason == MISSED_ONCE


def test_two_missed_reports_send_the_officer_to_the_city():
    outcomes = {("hnte_annual_report", year): Outcome("missed", date(2026, 6, 5)) for year in ("2024", "2025")}

    [*_, report] = due(COHORT_2024, on=date(2027, 5, 24), kind="hnte_annual_report", outcomes=outcomes)

    assert report.reason == (
        "有效期内已缺报 2 次（2024 年度、2025 年度），已达取消高企资格的次数，先与市级核实"
        "（国科发火〔2016〕32号 第十九条（三））。"
    )


def test_a_report_missed_under_the_old_certificate_does_not_count_under_the_new_one():
    renewed = TitleFact(5, "hnte", cohort_year=2026, valid_from=date(2026, 11, 2))
    outcomes = {("hnte_annual_report", "2025"): Outcome("missed", date(2026, 6, 5))}

    [*_, report] = due(COHORT_2023, renewed, on=date(2027, 5, 24), kind="hnte_annual_report", outcomes=outcomes)

    assert (report.period, "缺报" in report.reason) == ("2026", False)


# --- 国家科小 --------------------------------------------------------------------------------------------------------


def test_a_number_of_2026_is_due_in_the_expected_round_of_2027():
    [one] = due(NUMBER_2026, on=date(2026, 11, 23))

    assert (one.kind, one.period, one.opens_on) == ("tech_sme_round", "2027", date(2027, 6, 1))
    assert (one.due_at, one.state, one.expected) == (end_of_day(date(2027, 8, 31)), "upcoming", True)
    assert one.reason == (
        "2026 年登记编号每年更新，2027 年评价（按往年预计）2027-08-31 截止；不办则 2026 年登记到此为止。"
    )


@pytest.mark.parametrize(
    ("on", "state"),
    [
        (date(2026, 5, 31), "upcoming"),
        (date(2026, 6, 1), "open"),
        (date(2026, 8, 25), "urgent"),
        (date(2026, 9, 1), "overdue"),
        (date(2026, 9, 30), "overdue"),
        (date(2026, 10, 1), "lapsed"),
    ],
)
def test_the_round_of_2026_passes_through_its_states(on, state):
    [one] = due(NUMBER_2025, on=on)

    assert (one.period, one.state, one.expected) == ("2026", state, False)


def test_next_years_number_settles_the_round():
    settled, upcoming = due(NUMBER_2025, NUMBER_2026, on=date(2026, 11, 23))

    assert [(one.period, one.state) for one in (settled, upcoming)] == [("2026", "done"), ("2027", "upcoming")]
    assert settled.reason == "2026 年评价已入库，自 2026-07-25 起。"


def test_a_publicised_enterprise_waits_for_its_number():
    publicised = TitleFact(6, "tech_sme", cohort_year=2026, publicity_on=date(2026, 9, 2))

    [one] = due(NUMBER_2025, publicised, on=date(2026, 9, 20))

    assert (one.state, one.reason) == ("done", "2026 年评价已申报在办，结果见申报。")


# --- 下一步 ----------------------------------------------------------------------------------------------------------

STEP = NextStep(41, "送审计报告初稿", date(2026, 11, 20), date(2026, 11, 2), "走访", 5)


def test_a_next_step_belongs_to_the_person_who_promised_it():
    [one] = due(on=date(2026, 11, 23), next_steps=(STEP,))

    assert (one.kind, one.period, one.source_id, one.owner_id) == ("next_step", "41", 41, 5)
    assert (one.opens_on, one.due_at, one.state) == (date(2026, 11, 2), end_of_day(date(2026, 11, 20)), "overdue")
    assert (one.reason, one.steps) == ("11 月 2 日走访时约定：送审计报告初稿。", ("送审计报告初稿",))


@pytest.mark.parametrize("status", ["licence_revoked", "deregistered", "moved_out"])
def test_the_titles_of_a_firm_that_is_gone_ask_nothing_and_a_promise_stays(status):
    found = due(COHORT_2024, NUMBER_2025, on=date(2026, 6, 10), next_steps=(STEP,), status=status)

    assert [one.kind for one in found] == ["next_step"]


@pytest.mark.parametrize("status", [None, "active", "suspended", "lost", "liquidating", "moved_in"])
def test_the_titles_of_a_firm_that_is_still_there_ask_as_before(status):
    asked = due(COHORT_2024, NUMBER_2025, on=date(2026, 6, 10), status=status)

    assert {one.kind for one in asked} == {"hnte_annual_report", "tech_sme_round"}


def test_a_next_step_without_an_author_falls_to_the_case_manager():
    [one] = due(on=date(2026, 11, 23), next_steps=(NextStep(42, "回访水样检测", date(2026, 12, 8)),))

    assert (one.owner_id, one.state, one.reason) == (MANAGER, "upcoming", "服务记录里约定：回访水样检测。")


def test_a_promise_of_another_year_than_its_deadline_says_the_year():
    """Read in November, “12 月 26 日电话时约定” of last year would be a day still to come."""
    step = NextStep(43, "送模板", date(2026, 1, 9), date(2025, 12, 26), "电话")

    [one] = due(on=date(2026, 11, 25), next_steps=(step,))

    assert one.reason == "2025 年 12 月 26 日电话时约定：送模板。"


def test_a_next_step_stays_overdue_until_somebody_settles_it():
    [one] = due(on=date(2029, 11, 23), next_steps=(STEP,))

    assert one.state == "overdue"


# --- outcomes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["done", "waived"])
def test_what_a_person_settled_is_settled(said):
    [one] = due(
        on=date(2026, 11, 23), next_steps=(STEP,), outcomes={("next_step", "41"): Outcome(said, date(2026, 11, 21))}
    )

    assert one.state == said


def test_a_postponed_obligation_is_due_on_its_new_day_and_says_so():
    outcomes = {("next_step", "41"): Outcome("postponed", date(2026, 11, 19), postponed_to=date(2026, 12, 4))}

    [one] = due(on=date(2026, 11, 23), next_steps=(STEP,), outcomes=outcomes)

    assert (one.due_at, one.state) == (end_of_day(date(2026, 12, 4)), "open")
    assert one.reason == "11 月 2 日走访时约定：送审计报告初稿；已改期，原期限 2026-11-20。"


def test_a_settled_obligation_leaves_the_list_after_a_while():
    outcomes = {("next_step", "41"): Outcome("done", date(2026, 11, 21))}

    assert due(on=date(2027, 12, 25), next_steps=(STEP,), outcomes=outcomes)
    assert due(on=date(2027, 12, 26), next_steps=(STEP,), outcomes=outcomes) == []


def test_everything_is_listed_nearest_first():
    found = due(COHORT_2024, NUMBER_2026, on=date(2027, 5, 24), next_steps=(STEP,))

    assert [one.kind for one in found if one.state not in ("lapsed", "done")] == [
        "next_step",
        "hnte_annual_report",
        "hnte_renewal",
        "tech_sme_round",
    ]


# --- properties ------------------------------------------------------------------------------------------------------

DAYS = st.dates(date(2022, 1, 1), date(2028, 12, 31))
TITLES = st.builds(
    TitleFact,
    id=st.none(),
    kind=st.sampled_from(["hnte", "tech_sme"]),
    cohort_year=st.none() | st.integers(2022, 2027),
    publicity_on=st.none() | DAYS,
    announced_on=st.none() | DAYS,
    valid_to=st.none() | DAYS,
    ended_on=st.none() | DAYS,
    end_reason=st.none() | st.sampled_from(["cancelled", "not_renewed"]),
)
FACTS = st.builds(
    ObligationFacts,
    titles=st.lists(TITLES, max_size=4).map(tuple),
    next_steps=st.lists(
        st.builds(NextStep, st.integers(1, 3), st.just("回访"), DAYS, st.none() | DAYS), max_size=2
    ).map(tuple),
    applications=st.lists(st.tuples(st.just("hnte"), st.integers(2022, 2028)), max_size=1).map(tuple),
)
OUTCOMES = st.dictionaries(
    st.tuples(
        st.sampled_from(["hnte_renewal", "hnte_annual_report", "tech_sme_round"]), st.integers(2022, 2028).map(str)
    ),
    st.builds(Outcome, st.sampled_from(["done", "waived", "postponed", "missed"]), DAYS, st.none() | DAYS),
    max_size=3,
)


def computed(facts, on, outcomes):
    return obligations(facts, cadences=CADENCES, ladder=LADDER, rounds=SEEDED, now=at(on), outcomes=outcomes)


@settings(max_examples=60)
@given(facts=FACTS, on=DAYS, outcomes=OUTCOMES, data=st.data())
def test_a_second_run_and_another_order_of_facts_give_the_same_list(facts, on, outcomes, data):
    steps_of_one_log = {step.log_id: step for step in facts.next_steps}
    facts = ObligationFacts(facts.titles, facts.applications, tuple(steps_of_one_log.values()))
    shuffled = ObligationFacts(
        tuple(data.draw(st.permutations(facts.titles))), facts.applications, tuple(reversed(facts.next_steps))
    )

    first = computed(facts, on, outcomes)

    assert computed(facts, on, outcomes) == first
    assert [(o.kind, o.period, o.state, o.due_at) for o in computed(shuffled, on, outcomes)] == [
        (o.kind, o.period, o.state, o.due_at) for o in first
    ]


@settings(max_examples=60)
@given(facts=FACTS, on=DAYS, outcomes=OUTCOMES)
def test_each_kind_and_period_appears_once_with_a_due_moment_in_the_county(facts, on, outcomes):
    found = computed(facts, on, outcomes)

    keys = [(one.kind, one.period) for one in found]
    assert len(set(keys)) == len(keys)
    assert all(one.due_at.utcoffset() == timedelta(hours=8) and one.reason.endswith("。") for one in found)


@settings(max_examples=60)
@given(facts=FACTS, on=DAYS, outcomes=OUTCOMES)
def test_only_what_is_past_is_late_and_only_what_is_ahead_is_coming(facts, on, outcomes):
    now = at(on)

    for one in computed(facts, on, outcomes):
        if one.state == "overdue":
            assert one.due_at < now
        if one.state in ("upcoming", "open", "urgent"):
            assert one.due_at >= now
        if one.state == "upcoming":
            assert on < one.opens_on


# --- a new name ------------------------------------------------------------------------------------------------------


def renamed(on, *, title=None, **facts):
    title = title or TitleFact(id=1, kind="hnte", valid_from=date(2024, 11, 28), valid_to=date(2027, 11, 27))
    renaming = Renaming(date(2026, 10, 31), "巫溪县旧名食品有限公司")
    return due(title, on=on, kind="change_report", renamings=(renaming,), **facts)


def test_a_new_name_of_a_certified_firm_is_reported_within_three_months():
    [report] = renamed(date(2026, 11, 2))

    assert (report.period, report.opens_on, report.due_at) == (
        "2026-10-31",
        date(2026, 10, 31),
        end_of_day(date(2027, 1, 31)),
    )
    assert report.reason == "2026-10-31 由“巫溪县旧名食品有限公司”更名，3 个月内（2027-01-31 前）报告。"


@pytest.mark.parametrize(
    ("on", "state"),
    [(date(2026, 11, 2), "open"), (date(2027, 1, 20), "urgent"), (date(2027, 2, 1), "overdue")],
)
def test_the_report_of_a_new_name_passes_through_its_states(on, state):
    assert [one.state for one in renamed(on)] == [state]


def test_recording_the_report_settles_it():
    done = {("change_report", "2026-10-31"): Outcome("done", date(2026, 12, 1))}

    assert [one.state for one in renamed(date(2027, 2, 1), outcomes=done)] == ["done"]


def test_a_firm_without_a_certificate_that_day_owes_no_report():
    later = TitleFact(id=1, kind="hnte", valid_from=date(2026, 11, 28), valid_to=date(2029, 11, 27))

    assert renamed(date(2027, 2, 1), title=later) == []


def test_a_report_that_was_due_before_outcomes_were_kept_is_not_asked_for():
    assert renamed(date(2027, 3, 1), tracked_from=date(2027, 2, 1)) == []
