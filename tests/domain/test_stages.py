"""Stages of an application: the templates shipped, their edges, deadlines that follow the window, days in a stage."""

from dataclasses import dataclass
from datetime import date, datetime

import pytest

from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.kinds import KINDS
from crm.domain.rounds import Round
from crm.domain.stages import ENDS, Stage, stage_deadline, stretches, too_late
from crm.rules.loader import RuleFileError, parse
from crm.rules.stages import load_stages

YEAR_END = date(2026, 12, 31)
NOON = datetime(2025, 5, 16, 12, tzinfo=SHANGHAI)
FIRST_2025 = Round(
    "hnte", 2025, "第一批", date(2025, 3, 18), end_of_day(date(2025, 4, 30)), NOON, NOON.date(), None, "closed", "通知"
)


@dataclass(frozen=True)
class Told:
    id: int
    from_stage: str | None
    to_stage: str
    kind: str
    happened_on: date


def story(*steps):
    return [Told(n, None, to, kind, on) for n, (to, kind, on) in enumerate(steps, 1)]


# --- the templates shipped -------------------------------------------------------------------------------------------


def test_every_kind_has_a_template_whose_every_stage_leads_to_a_pass():
    for kind in KINDS:
        template = load_stages().of(kind, YEAR_END)
        for stage in template.stages:
            reached, todo = set(), [stage.code]
            while todo:
                here = todo.pop()
                more = {edge.target for edge in template.edges_from(here)} - reached
                reached |= more
                todo += more - ENDS.keys()
            assert "passed" in reached, (kind, stage.code)


def test_a_hnte_goes_the_way_of_the_municipal_notice_with_its_returns_and_ends():
    template = load_stages().of("hnte", YEAR_END)

    words = "、".join(stage.name for stage in template.stages)
    assert (
        words
        == "储备、辅导、网上申报、递交材料、区县初审、退回补正、推荐上报、组织评审、公示、异议核查、备案公告、发证"
    )
    assert [edge.target for edge in template.edges_from("county_review")] == [
        "returned",
        "recommended",
        "not_recommended",
        "withdrawn",
    ]
    assert template.edge("county_review", "returned").reason
    assert template.edge("county_review", "recommended").office
    assert template.edge("reserve", "publicity") is None


def test_free_words_and_codes_name_their_stage_and_others_none():
    template = load_stages().of("hnte", YEAR_END)

    assert [template.code_of(said) for said in (" 区县初审 ", "reserve", "等专家", None)] == [
        "county_review",
        "reserve",
        None,
        None,
    ]


SLIPS = [
    ('code = "holiday"', "stage 1: code 'holiday' is unknown"),
    ('code = "reserve"\nends_by = "city"', "stage 1: ends_by is enterprise or county"),
    ('code = "reserve"\nworkdays = 0', "stage 1: workdays must be a whole number"),
    ('code = "reserve"\n[[template.edge]]\nfrom = ["online"]\nto = "reserve"', "edge 1: from must be a list"),
    (
        'code = "reserve"\n[[template.edge]]\nfrom = ["reserve"]\nto = "passed"',
        "a forward step cannot lead to 'passed'",
    ),
    ('code = "reserve"\n[[template.stage]]\ncode = "online"', "no edge leads to online"),
]


@pytest.mark.parametrize(("stage", "said"), SLIPS, ids=[said for _, said in SLIPS])
def test_a_slip_in_a_template_is_named_with_its_place(stage, said, monkeypatch):
    head = 'kinds = ["hnte"]\nvalid_from = 2016-01-01\ndocument = "d"\nclause = "c"\nsource = "s"\nconfidence = "A"\n'
    text = f"[[template]]\n{head}checked_on = 2026-11-23\n[[template.stage]]\n{stage}\n"
    monkeypatch.setattr("crm.rules.entries.read", lambda name: parse(text, f"{name}.toml"))

    with pytest.raises(RuleFileError, match=r"stages\.toml: template 1") as slip:
        load_stages.__wrapped__()

    assert said in str(slip.value)


# --- deadlines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends_by", "due_on", "expected"),
    [
        pytest.param("enterprise", None, end_of_day(date(2025, 4, 30)), id="the enterprises' deadline"),
        pytest.param("county", None, NOON, id="the county's with its hour"),
        pytest.param("county", date(2025, 5, 10), end_of_day(date(2025, 5, 10)), id="an earlier day set by hand"),
        pytest.param("county", date(2025, 5, 20), NOON, id="a later day by hand does not move the window"),
        pytest.param(None, None, None, id="nothing says"),
    ],
)
def test_a_stage_ends_by_the_earlier_of_window_and_hand(ends_by, due_on, expected):
    stage = Stage("county_review", "区县初审", ends_by)

    assert stage_deadline(stage, FIRST_2025, date(2025, 4, 2), due_on) == expected


def test_what_the_city_sent_back_after_the_window_is_measured_by_its_own_term_alone():
    stage = Stage("returned", "退回补正", "county")

    assert stage_deadline(stage, FIRST_2025, date(2025, 6, 20), None) is None
    assert stage_deadline(stage, FIRST_2025, date(2025, 6, 20), date(2025, 7, 1)) == end_of_day(date(2025, 7, 1))


@pytest.mark.parametrize(
    ("on", "now", "late"),
    [
        pytest.param(
            date(2025, 5, 16), datetime(2025, 5, 16, 11, 59, tzinfo=SHANGHAI), False, id="a minute before noon"
        ),
        pytest.param(date(2025, 5, 16), datetime(2025, 5, 16, 12, 1, tzinfo=SHANGHAI), True, id="a minute after noon"),
        pytest.param(date(2025, 5, 16), datetime(2025, 5, 19, 9, tzinfo=SHANGHAI), False, id="that day, told later"),
        pytest.param(date(2025, 5, 17), datetime(2025, 5, 19, 9, tzinfo=SHANGHAI), True, id="the day after"),
    ],
)
def test_the_hour_of_a_deadline_counts_for_what_is_recorded_on_the_day(on, now, late):
    assert too_late("county", FIRST_2025, on, now) == (NOON if late else None)


# --- the story -------------------------------------------------------------------------------------------------------


def test_days_in_a_stage_run_to_the_next_step_and_a_correction_stands_in_for_the_wrong_one():
    steps = story(
        ("reserve", "start", date(2026, 3, 1)),
        ("online", "forward", date(2026, 4, 1)),
        ("returned", "forward", date(2026, 4, 9)),
        ("handed_in", "correction", date(2026, 4, 10)),
    )

    found = [(one.stage, one.since, one.until, one.days(date(2026, 4, 15))) for one in stretches(steps)]

    assert found == [
        ("reserve", date(2026, 3, 1), date(2026, 4, 1), 31),
        ("online", date(2026, 4, 1), date(2026, 4, 10), 9),
        ("handed_in", date(2026, 4, 10), None, 5),
    ]


def test_an_end_closes_the_last_stage_and_is_none_itself():
    steps = story(("reserve", "start", date(2026, 3, 1)), ("withdrawn", "withdraw", date(2026, 3, 8)))

    assert [(one.stage, one.until) for one in stretches(steps)] == [("reserve", date(2026, 3, 8))]
