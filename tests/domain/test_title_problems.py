"""What may not be written as a title: impossible days, halves of an end, the same title again, an overlap."""

from datetime import date

import pytest

from crm.domain.periods import TitleFact
from crm.domain.title_problems import is_repetition, title_problems
from crm.rules.ladder import load_ladder

TERMS = load_ladder().terms
TODAY = date(2026, 11, 23)


def make_title(kind="hnte", **values):
    return TitleFact(**({"id": 1, "kind": kind} | values))


CERTIFICATE = make_title(
    cohort_year=2023, announced_on=date(2023, 11, 20), valid_from=date(2023, 10, 16), valid_to=date(2026, 10, 15)
)


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        pytest.param(
            {"valid_from": date(2024, 11, 28), "valid_to": date(2023, 11, 27)},
            {"valid_to": "有效期止 2023-11-27 早于有效期起 2024-11-28，改正其中一个。"},
            id="ends before it begins",
        ),
        pytest.param(
            {"publicity_on": date(2024, 11, 10), "announced_on": date(2024, 10, 10)},
            {"announced_on": "公告日期 2024-10-10 早于公示日期 2024-11-10，改正其中一个。"},
            id="announced before publicity",
        ),
        pytest.param(
            {"announced_on": date(1900, 1, 1)},
            {"announced_on": "公告日期 1900-01-01 早于 1990 年，核对年份后改正。"},
            id="a date in 1900",
        ),
        pytest.param(
            {"announced_on": date(2024, 11, 28), "valid_to": date(2099, 12, 31)},
            {"valid_to": "有效期止 2099-12-31 在 12 年以后，核对年份后改正。"},
            id="a date in 2099",
        ),
        pytest.param(
            {"announced_on": date(2026, 11, 24)},
            {"announced_on": "公告日期 2026-11-24 还没到，等到那天再登记，或改正日期。"},
            id="announced tomorrow",
        ),
        pytest.param(
            {"announced_on": date(2024, 11, 28), "cohort_year": 2025},
            {"cohort_year": "认定年度 2025 晚于公告日期 2024-11-28，改正其中一个。"},
            id="announced before its year",
        ),
        pytest.param(
            {"announced_on": date(2024, 11, 28), "ended_on": date(2026, 6, 3)},
            {"end_reason": "填了终止日期，还缺终止原因，选一个。"},
            id="ended without a reason",
        ),
        pytest.param(
            {"announced_on": date(2024, 11, 28), "end_reason": "cancelled"},
            {"ended_on": "选了终止原因，还缺终止日期，补上是哪一天。"},
            id="cancelled without a day",
        ),
        pytest.param(
            {}, {"announced_on": "公告日期、发证日期、有效期、认定年度都没有，至少填一项。"}, id="no day and no year"
        ),
        pytest.param({"cohort_year": 2024}, {}, id="a year is enough"),
        pytest.param({"publicity_on": date(2026, 11, 10)}, {}, id="a publicity may be recorded"),
        pytest.param({"announced_on": date(2024, 11, 28), "end_reason": "not_renewed"}, {}, id="期满未续 needs no day"),
    ],
)
def test_each_slip_is_named_beside_its_field(values, problems):
    assert title_problems(make_title(**values), [], TODAY, terms=TERMS) == problems


NEW_IN_2026 = "科技和创新型从 2026-04-01 起才有"


@pytest.mark.parametrize(
    ("kind", "values", "problems"),
    [
        pytest.param(
            "hnte",
            {"cohort_year": 2038},
            {"cohort_year": "认定年度 2038 还没到，最晚是今年（2026），改正年份。"},
            id="a year far ahead",
        ),
        pytest.param(
            "hnte",
            {"announced_on": date(2026, 11, 20), "cohort_year": 2027},
            {"cohort_year": "认定年度 2027 还没到，最晚是今年（2026），改正年份。"},
            id="next year",
        ),
        pytest.param(
            "hnte",
            {"number": "GR203851100001"},
            {"number": "编号 GR203851100001 里的年份 2038 还没到，最晚是今年（2026），改正年份。"},
            id="a year far ahead in the number alone",
        ),
        pytest.param(
            "hnte",
            {"valid_from": date(2034, 11, 20)},
            {"valid_from": "有效期起 2034-11-20 在一年以后，核对年份后改正。"},
            id="begins in eight years",
        ),
        pytest.param(
            "tech_innovative_sme",
            {"announced_on": date(2023, 7, 10)},
            {
                "announced_on": f"{NEW_IN_2026}，公告日期 2023-07-10 早于这一天；"
                "填这一天以后的日期，或改选当时的资格种类。"
            },
            id="announced before its kind existed",
        ),
        pytest.param(
            "tech_innovative_sme",
            {"cohort_year": 2023},
            {"cohort_year": f"{NEW_IN_2026}，认定年度 2023 早于那一年；最早填 2026，或改选当时的资格种类。"},
            id="of a year before its kind existed",
        ),
        pytest.param("hnte", {"announced_on": date(2026, 4, 8), "cohort_year": 2025}, {}, id="a batch of last year"),
        pytest.param("hnte", {"cohort_year": 2026}, {}, id="this year"),
        pytest.param("tech_innovative_sme", {"announced_on": date(2026, 4, 1)}, {}, id="on the first day of its kind"),
        pytest.param("tech_innovative_sme", {"cohort_year": 2026}, {}, id="in the first year of its kind"),
    ],
)
def test_a_title_is_of_a_year_that_has_come_and_of_a_kind_that_existed(kind, values, problems):
    assert title_problems(make_title(kind, **values), [], TODAY, terms=TERMS) == problems


def test_the_same_title_again_is_a_repetition_and_no_overlap():
    again = make_title(**{**vars(CERTIFICATE), "id": None})

    assert is_repetition(again, CERTIFICATE)
    assert title_problems(again, [CERTIFICATE], TODAY) == {"kind": "这条高企认定结果已经登记过，不用再登记。"}


def test_a_title_inside_another_of_its_kind_overlaps():
    other = make_title(id=None, number="GR202451100002", valid_from=date(2024, 11, 28))

    assert title_problems(other, [CERTIFICATE], TODAY, terms=TERMS) == {
        "valid_from": "与已登记的高企（2023-10-16 至 2026-10-15）重叠。是同一个资格就更正那一条，不是就改正日期。"
    }


def test_an_overlap_is_found_by_explicit_days_without_the_terms():
    other = make_title(id=None, valid_from=date(2024, 11, 28), valid_to=date(2027, 11, 27))

    assert set(title_problems(other, [CERTIFICATE], TODAY)) == {"valid_from"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(make_title(id=None, valid_from=date(2026, 9, 20)), id="a renewal some weeks before the old end"),
        pytest.param(make_title(id=None, valid_from=date(2026, 11, 20)), id="a renewal after it"),
        pytest.param(make_title("srdi", id=None, valid_from=date(2024, 11, 28)), id="another kind"),
        pytest.param(make_title(id=1, valid_from=date(2023, 10, 18)), id="the correction of the record itself"),
    ],
)
def test_what_is_no_overlap_may_be_written(other):
    assert title_problems(other, [CERTIFICATE], TODAY, terms=TERMS) == {}


def test_yearly_updates_of_the_municipal_list_may_follow_one_another():
    first = make_title("cq_tech", announced_on=date(2021, 9, 6))
    update = make_title("cq_tech", id=None, announced_on=date(2025, 5, 20))

    assert title_problems(update, [first], TODAY, terms=TERMS) == {}


def test_a_cancelled_certificate_does_not_stand_in_the_way_of_a_new_one():
    cancelled = make_title(valid_from=date(2023, 10, 16), ended_on=date(2024, 6, 3), end_reason="cancelled")
    new = make_title(id=None, valid_from=date(2025, 11, 20))

    assert title_problems(new, [cancelled], TODAY, terms=TERMS) == {}
