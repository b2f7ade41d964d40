"""What goes up to the city and what comes back."""

from datetime import date

import pytest

from crm.domain.codes import make_code
from crm.domain.submissions import (
    Firm,
    Named,
    Sent,
    changes_since,
    match_results,
    result_problems,
    rows_of_text,
    whole_list,
)

CODE_A, CODE_B, STRANGE = make_code(1), make_code(2), make_code(3)
LINES = [
    Named(1, CODE_A, ("巫溪县青禾食品有限责任公司", "巫溪县青禾农业有限责任公司")),
    Named(2, CODE_B, ("重庆白圃果酒有限公司",)),
    Named(3, None, ("巫溪县谷垭能源开发有限公司",)),
]


def matched(text: str, usual: str = "passed"):
    return match_results(rows_of_text(text), LINES, usual=usual)


def test_a_list_of_names_alone_says_that_all_of_them_passed():
    found = matched("序号\t企业名称\n1\t巫溪县青禾食品有限责任公司\n2\t重庆白圃果酒有限公司")

    assert {n: one.result for n, one in found.answers.items()} == {1: "passed", 2: "passed"}
    assert found.unmatched == ()


def test_results_and_reasons_stand_beside_the_names():
    found = matched(
        f"{CODE_A} 通过\n重庆白圃果酒有限公司\t退回补正\t审计报告缺 2025 年度\n"
        "巫溪县谷垭能源开发有限公司 未通过：研发费用归集不实"
    )

    assert [(n, one.result, one.reason) for n, one in sorted(found.answers.items())] == [
        (1, "passed", None),
        (2, "returned", "审计报告缺 2025 年度"),
        (3, "failed", "研发费用归集不实"),
    ]


def test_not_passed_is_no_passed():
    assert matched("重庆白圃果酒有限公司 不通过").answers[2].result == "failed"


def test_a_firm_renamed_since_and_brackets_of_another_width_are_matched():
    lines = [Named(1, None, ("巫溪（重庆）青禾食品有限公司", "青禾旧名有限公司"))]

    found = match_results([["巫溪(重庆)青禾食品有限公司"]], lines)

    assert list(found.answers) == [1]


def test_a_stranger_is_named_and_never_guessed():
    found = matched(f"巫溪县青禾食品有限公司\n{STRANGE} 重庆白圃果酒有限公司 通过")

    assert found.answers == {}
    assert found.unmatched == ("巫溪县青禾食品有限公司", f"{STRANGE} 重庆白圃果酒有限公司 通过")


def test_a_second_line_for_a_firm_is_named_and_the_first_counts():
    found = matched("重庆白圃果酒有限公司 通过\n重庆白圃果酒有限公司 退回 缺章")

    assert found.answers[2].result == "passed"
    assert found.repeated == ("重庆白圃果酒有限公司 退回 缺章",)


def test_two_firms_of_one_name_are_matched_by_code_only():
    twins = [Named(1, CODE_A, ("重庆同名有限公司",)), Named(2, CODE_B, ("重庆同名有限公司",))]

    assert match_results([["重庆同名有限公司"]], twins).unmatched == ("重庆同名有限公司",)
    assert list(match_results([["重庆同名有限公司", CODE_B]], twins).answers) == [2]


@pytest.mark.parametrize("text", ["", "\x0b\x0c", "=CMD()|'!A0", "1\n2\n3", "，，，"], ids=repr)
def test_noise_is_unmatched_and_harmless(text):
    assert matched(text).answers == {}


# --- 仅报变化 ---------------------------------------------------------------------------------------------------------

NOW = [Firm(1, 11, "甲公司", CODE_A), Firm(2, 12, "乙公司", CODE_B)]


def test_the_first_time_every_firm_is_new():
    assert [line.change for line in changes_since(NOW, {})] == ["added", "added"]
    assert [line.change for line in whole_list(NOW)] == [None, None]


def test_only_what_differs_goes_up_again():
    sent = {
        1: Sent(1, 11, "甲公司", CODE_A),
        2: Sent(2, 12, "乙旧名公司", CODE_B),
        3: Sent(3, 13, "丙公司", None),
        4: Sent(4, 14, "丁公司", None, result="returned"),
    }

    lines = changes_since(NOW, sent)

    assert [(line.application_id, line.name, line.change) for line in lines] == [
        (2, "乙公司", "renamed"),
        (3, "丙公司", "removed"),
    ]


def test_a_firm_the_city_returned_goes_up_again_once_it_is_mended():
    sent = {1: Sent(1, 11, "甲公司", CODE_A, result="returned"), 2: Sent(2, 12, "乙公司", CODE_B, result="failed")}

    assert [(line.application_id, line.change) for line in changes_since(NOW, sent)] == [(1, "again")]


def test_a_firm_taken_out_before_is_new_when_it_comes_back():
    sent = {1: Sent(1, 11, "甲公司", CODE_A, change="removed"), 2: Sent(2, 12, "乙公司", CODE_B)}

    assert [(line.application_id, line.change) for line in changes_since(NOW, sent)] == [(1, "added")]


# --- results ---------------------------------------------------------------------------------------------------------


def test_a_result_needs_its_day_and_a_refusal_its_reason():
    wrong = result_problems("returned", None, " ", submitted_on=date(2026, 11, 27), today=date(2026, 12, 18))

    assert wrong == {"reason": "退回和未通过写明原因；市里没有说明就写“未说明”。", "result_on": "填结果日期。"}


@pytest.mark.parametrize("day", [date(2026, 11, 26), date(2026, 12, 19)], ids=["before it went", "still to come"])
def test_a_result_lies_between_the_submission_and_today(day):
    wrong = result_problems("passed", day, None, submitted_on=date(2026, 11, 27), today=date(2026, 12, 18))

    assert list(wrong) == ["result_on"]
