"""What an application in hand makes due: the end of its stage, and evidence that runs out."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from crm.domain.application_dues import ApplicationFact
from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.materials import Evidence
from crm.domain.obligation_facts import ObligationFacts, Outcome
from crm.domain.obligations import obligations
from crm.domain.rounds import Round
from crm.rules.cadences import load_cadences
from crm.rules.ladder import load_ladder
from crm.rules.materials import load_checklists
from crm.rules.stages import load_stages

OPENS = date(2027, 3, 18)
NOON = datetime(2027, 5, 16, 12, tzinfo=SHANGHAI)
WINDOW = Round(
    "hnte", 2027, "第一批", OPENS, end_of_day(date(2027, 4, 30)), NOON, NOON.date(), None, "announced", "通知"
)
REVIEW = ApplicationFact(
    7,
    "hnte",
    2027,
    "county_review",
    date(2027, 5, 6),
    None,
    WINDOW,
    load_stages().of("hnte", OPENS),
    load_checklists().of("hnte", OPENS),
)


def due(*applications, on, outcomes=None, status=None):
    now = on if isinstance(on, datetime) else datetime(on.year, on.month, on.day, 9, tzinfo=SHANGHAI)
    return obligations(
        ObligationFacts(in_hand=applications, manager_id=3, status=status),
        cadences=load_cadences(),
        ladder=load_ladder(),
        rounds=(WINDOW,),
        now=now,
        outcomes=outcomes or {},
    )


def test_a_stage_is_due_by_the_windows_deadline_with_its_hour():
    [one] = due(REVIEW, on=date(2027, 5, 7))

    assert (one.kind, one.period, one.due_at, one.state) == (
        "application_stage",
        "7-county_review-20270506",
        NOON,
        "open",
    )
    assert one.reason == "2027 年高企申报（第一批）2027-05-06 起在“区县初审”，区县截止 2027-05-16 12:00。"
    assert (one.steps, one.source_id, one.owner_id) == (("下一步：“推荐上报”",), 7, 3)


@pytest.mark.parametrize(
    ("on", "state"),
    [
        pytest.param(date(2027, 5, 9), "urgent", id="a week before"),
        pytest.param(datetime(2027, 5, 16, 11, 59, tzinfo=SHANGHAI), "urgent", id="a minute before noon"),
        pytest.param(datetime(2027, 5, 16, 12, 1, tzinfo=SHANGHAI), "overdue", id="a minute after noon"),
    ],
)
def test_the_state_turns_with_the_clock(on, state):
    assert [one.state for one in due(REVIEW, on=on)] == [state]


def test_before_the_window_opens_nothing_is_hurried_and_an_expected_one_says_so():
    early = replace(REVIEW, stage="reserve", stage_on=date(2026, 11, 2), window=replace(WINDOW, status="expected"))

    [one] = due(early, on=date(2027, 2, 1))

    assert (one.state, one.opens_on, one.expected) == ("upcoming", OPENS, True)
    assert "企业截止（按往年推定） 2027-04-30" in one.reason
    assert due(early, on=date(2026, 11, 23)) == []


def test_the_same_facts_give_the_same_list_and_a_second_look_is_another_obligation():
    again = replace(REVIEW, stage_on=date(2027, 5, 12))

    assert due(REVIEW, on=date(2027, 5, 13)) == due(REVIEW, on=date(2027, 5, 13))
    waived = {("application_stage", "7-county_review-20270506"): Outcome("waived", date(2027, 5, 10))}
    assert [one.state for one in due(REVIEW, on=date(2027, 5, 13), outcomes=waived)] == ["waived"]
    assert [one.state for one in due(again, on=date(2027, 5, 13), outcomes=waived)] == ["urgent"]


def test_a_stage_without_a_deadline_and_a_firm_that_is_gone_make_nothing_due():
    waiting = replace(REVIEW, stage="city_review", stage_on=date(2027, 5, 20))

    assert due(waiting, on=date(2027, 6, 1)) == []
    assert due(replace(REVIEW, stage=None), on=date(2027, 5, 7)) == []
    assert due(REVIEW, on=date(2027, 5, 7), status="deregistered") == []


def test_evidence_that_runs_out_is_told_a_month_before_and_only_while_materials_are_collected():
    licence = Evidence("licence", "present", 2027, expires_on=date(2027, 5, 30), material_id=41)
    product = Evidence("product", "waived", 2027, expires_on=date(2027, 5, 30), material_id=42)
    one = replace(REVIEW, evidence=(licence, product))

    assert [o.kind for o in due(one, on=date(2027, 4, 29))] == ["application_stage"]
    [expiry] = [o for o in due(one, on=date(2027, 5, 7)) if o.kind == "evidence_expiry"]
    assert (expiry.period, expiry.due_at, expiry.state) == ("41-20270530", end_of_day(date(2027, 5, 30)), "open")
    assert expiry.reason == (
        "2027 年高企申报（第一批）的《营业执照等注册登记证件》有效期到 2027-05-30，到期后不能算已有，让企业换新。"
    )
    handed_up = replace(one, stage="recommended", stage_on=date(2027, 5, 15))
    assert due(handed_up, on=date(2027, 5, 20)) == []
