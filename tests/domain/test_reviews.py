"""The county's first review: the parts of a queue, the checklist of two reviewers, what is told back."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

from crm.domain import reviews
from crm.domain.reviews import Point

POINTS = (
    Point("identity", "主体", "名称一致", "通知", "file", "名称不一致"),
    Point("early", "主体", "不提前申报", "通知", "titles", "不能提前申报", optional=True),
    Point("audit", "形式", "审计报告齐", "195号", "materials", "缺审计报告", material="audit"),
)
HNTE = ["reserve", "coaching", "online", "handed_in", "county_review", "returned", "recommended", "city_review"]
CITY_FIRST = ["reserve", "online", "county_review", "returned", "publicity", "objection", "recommended", "announced"]


def said(**answers: str) -> dict:
    return {code: {"answer": answer} for code, answer in answers.items()}


@pytest.mark.parametrize("codes", [HNTE, CITY_FIRST], ids=["published by the city", "published by the county"])
def test_every_application_stands_in_exactly_one_part_of_the_queue(codes):
    stages = reviews.around(codes)
    outcomes = [None, "passed", "failed", "withdrawn", "not_recommended"]

    parts = {pair: reviews.bucket(*pair, stages) for pair in product([None, *codes], outcomes)}

    assert {part for (_, outcome), part in parts.items() if outcome == "withdrawn"} == {None}
    assert {part for (_, outcome), part in parts.items() if outcome != "withdrawn"} == {
        "waiting", "returned", "recommended", "not_recommended", "missing"
    }  # fmt: skip


def test_what_the_county_publishes_before_it_recommends_still_waits():
    assert reviews.bucket("publicity", None, reviews.around(CITY_FIRST)) == "waiting"
    assert reviews.bucket("city_review", None, reviews.around(HNTE)) == "recommended"
    assert reviews.bucket("returned", None, reviews.around(HNTE)) == "returned"


def test_a_point_nobody_answered_blocks_a_recommendation():
    against = reviews.blocking(POINTS, said(identity="yes", audit="yes"), [])

    assert against == ["还有 1 条没有回答：不提前申报。答完再推荐。"]


def test_a_no_and_a_missing_material_block_a_recommendation():
    against = reviews.blocking(POINTS, said(identity="yes", early="na", audit="no"), ["营业执照"])

    assert [sentence[:6] for sentence in against] == ["有 1 条答", "缺 1 样材"]


def test_nothing_stands_against_a_complete_checklist():
    assert reviews.blocking(POINTS, said(identity="yes", early="na", audit="yes"), []) == []


def test_everything_that_is_missing_is_told_at_once():
    checklist = said(identity="no", early="yes", audit="no") | {"audit": {"answer": "no", "note": "缺 2025 年度"}}

    missing = reviews.missing_sentences(POINTS, checklist, {"licence": "营业执照", "audit": "审计报告"})

    assert missing == ["名称不一致", "缺审计报告（缺 2025 年度）", "缺：营业执照"]


def test_the_letter_numbers_what_is_missing_and_says_until_when():
    text = reviews.notice_text(
        firm="巫溪县青禾食品有限责任公司",
        title="高新技术企业",
        window="2026 年补充批",
        missing=["缺审计报告。", "缺：营业执照"],
        mend_by=date(2026, 11, 26),
        office="巫溪县科技局",
        on=date(2026, 11, 23),
    )

    assert text.splitlines() == [
        "巫溪县青禾食品有限责任公司：",
        "你单位申报高新技术企业（2026 年补充批）的材料已初审，以下 2 处需补正，一次告知：",
        "1. 缺审计报告。",
        "2. 缺：营业执照。",
        "2026 年 11 月 26 日前补齐交回；逾期未补，本批不再受理。",
        "巫溪县科技局　2026 年 11 月 23 日",
    ]


def test_the_drafted_opinion_never_judges_the_title():
    texts = [
        reviews.opinion_draft(result, "高新技术企业", POINTS, said(identity="yes", early="na", audit="yes"), ["缺章"])
        for result in reviews.RESULTS
    ]

    assert texts[0] == "经形式核对 3 条，其中 1 条不适用，材料齐全，填报与附件一致，同意推荐上报高新技术企业。"
    assert not any("符合" in text for text in texts)


def test_two_reviewers_answers_to_different_points_merge():
    seen = reviews.flat(said(identity="yes"))
    stored = reviews.flat(said(identity="yes", early="na"))
    mine = {**seen, "a_audit": "no", "n_audit": "缺一年"}

    together, clashes = reviews.merged(stored, 3, mine, 2, seen)

    assert clashes == {}
    assert reviews.folded(together) == {
        "identity": {"answer": "yes"}, "early": {"answer": "na"}, "audit": {"answer": "no", "note": "缺一年"}
    }  # fmt: skip


def test_two_answers_to_one_point_clash_and_name_both():
    seen = reviews.flat({})
    stored = reviews.flat(said(audit="yes"))

    _, clashes = reviews.merged(stored, 3, {"a_audit": "no"}, 2, seen)

    assert clashes == {"a_audit": (None, "yes", "no")}


def test_an_answer_is_yes_no_or_where_it_may_be_not_applicable():
    wrong = reviews.checklist_problems({"a_identity": "na", "a_early": "na", "a_audit": "maybe"}, POINTS)

    assert wrong == {"a_identity": "这一条不能答不适用。选是或否。", "a_audit": "回答选是、否或不适用。"}


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(minutes=100), "剩 1 小时 40 分"),
        (timedelta(minutes=59), "剩 59 分钟"),
        (timedelta(days=3, hours=2), "剩 3 天"),
        (timedelta(minutes=-180), "已截止 3 小时"),
    ],
    ids=["hours", "minutes", "days", "gone"],
)
def test_what_is_left_of_a_deadline_is_said_with_its_hour(left, words):
    due = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)

    assert reviews.time_left(due, due - left) == words
