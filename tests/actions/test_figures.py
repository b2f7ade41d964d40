"""Yearly figures: entered, changed, confirmed, refused."""

from datetime import date
from decimal import Decimal

import pytest

from crm.actions.figures import FiguresState, decide, problems, record_figures
from crm.domain.changes import Ref, Update
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store.figures import Figures, figures_of
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user


def record(enterprise_id, year, values, **more):
    with unit_of_work():
        return record_figures(enterprise_id, year, values, act=more.pop("act", act()), **more)


def test_zero_is_a_value_and_what_is_not_said_stays_unknown(app):
    enterprise_id = make_enterprise()

    record(enterprise_id, 2025, {"rd_expense": Decimal("0.00"), "staff_count": 12})

    [row] = figures_of(enterprise_id)
    assert (row.year, row.rd_expense, row.staff_count, row.revenue) == (2025, Decimal(0), 12, None)


def test_a_year_is_changed_in_place_and_other_fields_stay(app):
    enterprise_id = make_enterprise()
    record(enterprise_id, 2025, {"revenue": Decimal("1000000.00"), "staff_count": 12})

    record(enterprise_id, 2025, {"staff_count": 14}, version=1)

    [row] = figures_of(enterprise_id)
    assert (row.revenue, row.staff_count, row.version) == (Decimal("1000000.00"), 14, 2)


def test_a_confirmation_lapses_for_the_value_that_changes_only(app):
    enterprise_id = make_enterprise()
    record(enterprise_id, 2025, {"revenue": Decimal("1000000.00"), "staff_count": 12})
    [row] = figures_of(enterprise_id)
    with unit_of_work():
        said = {"by": "企业", "at": "2026-03-01T02:00:00+00:00"}
        confirmed = {"revenue": said, "staff_count": said}
        write([Update("figures", row.id, {"confirmed": confirmed})], act=act(), action="test")

    record(enterprise_id, 2025, {"staff_count": 14})

    assert list(db.session.get(Figures, row.id).confirmed) == ["revenue"]


def test_two_editors_of_one_value_clash(app):
    enterprise_id = make_enterprise()
    record(enterprise_id, 2025, {"staff_count": 12})
    record(enterprise_id, 2025, {"staff_count": 14}, version=1, seen={"staff_count": 12})

    with pytest.raises(Conflict) as caught:
        record(enterprise_id, 2025, {"staff_count": 15}, version=1, seen={"staff_count": 12})

    assert caught.value.theirs == {"staff_count": (12, 14, 15)}


@pytest.mark.parametrize(
    ("year", "values", "sentence"),
    [
        (2099, {}, "年度 2099 不在 2000 到 2026 之间。核对后改正。"),
        (1900, {}, "年度 1900 不在 2000 到 2026 之间。核对后改正。"),
        (2025, {"staff_count": -3}, "从业人员 -3 小于 0。核对后改正。"),
        (2025, {"rd_expense": Decimal(-12)}, "研发费用（会计口径） -12 小于 0。核对后改正。"),
        (
            2025,
            {"accident_on": date(2024, 3, 4)},
            "重大安全、重大质量事故日期（当年最近一次） 2024-03-04 不在 2025 年。改正日期，或填到那一年的指标里。",
        ),
    ],
    ids=["a year to come", "1900", "a negative head count", "negative money", "an accident of another year"],
)
def test_impossible_figures_are_refused_in_a_sentence(year, values, sentence):
    assert list(problems(year, values, today=TODAY).values()) == [sentence]


def test_net_profit_may_be_negative():
    assert problems(2025, {"net_profit": Decimal(-12)}, today=TODAY) == {}


def test_a_case_manager_enters_figures_of_own_enterprises_only(app):
    own, colleague = make_user("own", "case_manager"), make_user("colleague", "case_manager")
    enterprise_id = make_enterprise(manager=own.user_id)

    record(enterprise_id, 2025, {"staff_count": 3}, act=act(own))

    with pytest.raises(NotAllowed):
        record(enterprise_id, 2024, {"staff_count": 3}, act=act(colleague))


def test_another_districts_enterprise_is_not_found(app):
    stranger = make_user("stranger", "bureau", region=county(OTHER))
    enterprise_id = make_enterprise()

    with pytest.raises(NotFound):
        record(enterprise_id, 2025, {"staff_count": 3}, act=act(stranger))


def test_a_wrong_year_writes_nothing(app):
    enterprise_id = make_enterprise()

    with pytest.raises(InvalidInput) as caught:
        record(enterprise_id, 2027, {"staff_count": 3})

    assert list(caught.value.problems) == ["year"]
    assert figures_of(enterprise_id) == []


def test_the_database_refuses_a_second_row_of_one_year(app):
    enterprise_id = make_enterprise()
    record(enterprise_id, 2025, {"staff_count": 3})

    with pytest.raises(Refused, match=r"这一年的指标已经有一行。"), unit_of_work():
        write(decide(None, enterprise_id, 2025, {"staff_count": 4}), act=act(), action="test")


def test_equal_values_decide_nothing():
    state = FiguresState(1, 1, {"staff_count": 3, "revenue": Decimal("10.00")})

    assert decide(state, 7, 2025, {"staff_count": 3, "revenue": Decimal(10)}) == []


def test_a_new_year_may_hang_on_an_enterprise_of_the_same_write():
    [create] = decide(None, Ref("e"), 2025, {"staff_count": 3, "revenue": None})

    assert create.values == {"enterprise_id": Ref("e"), "year": 2025, "staff_count": 3}
