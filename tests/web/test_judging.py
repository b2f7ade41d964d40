"""How a comparison is worded: what is asked follows from the operator and from what kind of condition it is."""

from fractions import Fraction

import pytest

from crm.domain.amounts import Threshold, threshold_of
from crm.domain.conditions import Outcome
from crm.domain.judgements import CriterionResult
from crm.web.enterprises.judging import row

NO, COMPANY = Threshold("in", None, "", "否"), Threshold("in", None, "", "公司")
STAFF = threshold_of(">=", Fraction(20), "人")


def criterion(result: Outcome, threshold: Threshold, *, role: str = "condition", **more) -> CriterionResult:
    return CriterionResult("c", "名", "第六条", result, role, "A", threshold=threshold, **more)


@pytest.mark.parametrize(
    ("one", "note"),
    [
        (criterion(Outcome.UNMET, NO, value=True, said="是"), "是，应为否"),
        (criterion(Outcome.MET, NO, value=False, said="否"), "否"),
        (criterion(Outcome.UNKNOWN, NO), "应为否"),
        (criterion(Outcome.UNKNOWN, COMPANY), "应为公司"),
        (criterion(Outcome.UNKNOWN, Threshold("not in", None, "", "不属于 16、51 大类")), "应不属于 16、51 大类"),
        (criterion(Outcome.UNMET, STAFF, value=12), "12 人，需 ≥ 20 人"),
        (criterion(Outcome.MET, STAFF, value=25), "25 人，需 ≥ 20 人"),
        (
            criterion(Outcome.UNKNOWN, Threshold("in", None, "", "吊销或注销"), role="notice"),
            "为吊销或注销即属这一情形",
        ),
        (criterion(Outcome.UNKNOWN, threshold_of("<=", Fraction(5), "人"), role="notice"), "≤ 5 人即属这一情形"),
        (criterion(Outcome.MET, Threshold("in", None, "", "注销"), role="notice", value="d", said="注销"), "注销"),
    ],
    ids=[
        "no",
        "no and is",
        "no, unknown",
        "a choice",
        "left out",
        "short",
        "enough",
        "notice",
        "notice by number",
        "is",
    ],
)
def test_what_is_asked_is_said_by_its_kind(sqlite_app, one, note):
    assert row(one, 1)["note"] == note


def test_no_comparison_needs_a_no(sqlite_app):
    """“需 否”, “需 公司” and “否，需 否” are said nowhere."""
    notes = [
        row(criterion(result, threshold, role=role, value=value, said=said), 1)["note"]
        for result in Outcome
        for threshold in (NO, COMPANY)
        for role in ("condition", "notice")
        for value, said in ((None, ""), (False, "否"))
    ]

    assert [note for note in notes if "需" in note] == []
