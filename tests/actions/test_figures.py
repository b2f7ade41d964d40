"""Yearly figures: entered, changed, confirmed, refused."""

from datetime import date
from decimal import Decimal

import pytest

from crm.actions.changes import undo
from crm.actions.figures import (
    FiguresState,
    YearEdit,
    confirm_figures,
    decide,
    problems,
    record_figures,
    record_figures_grid,
    unconfirm_figures,
)
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


# --- several years at once -------------------------------------------------------------------------------------------


def record_grid(enterprise_id, years, **more):
    with unit_of_work():
        return record_figures_grid(enterprise_id, years, act=more.pop("act", act()))


def test_a_block_over_several_years_is_one_change_set_and_one_undo(app):
    enterprise_id = make_enterprise()
    record(enterprise_id, 2024, {"revenue": Decimal("1.00"), "staff_count": 3})

    written = record_grid(
        enterprise_id,
        {
            2024: YearEdit(
                {"revenue": Decimal("2.00"), "staff_count": None}, 1, {"revenue": Decimal(1), "staff_count": 3}
            ),
            2025: YearEdit({"revenue": Decimal("0.00"), "sales": None}, 0, {"revenue": None, "sales": None}),
        },
    )

    assert [(r.year, r.revenue, r.staff_count) for r in figures_of(enterprise_id)] == [
        (2024, Decimal(2), None),
        (2025, Decimal(0), None),
    ]
    with unit_of_work():
        undo(written.change_set_id, act=act())
    assert [(r.year, r.revenue, r.staff_count) for r in figures_of(enterprise_id)] == [(2024, Decimal(1), 3)]


def test_the_same_figure_of_two_years_clashes_for_each_and_nothing_is_written(app):
    enterprise_id = make_enterprise()
    for year in (2024, 2025):
        record(enterprise_id, year, {"revenue": Decimal("1.00")})
        record(enterprise_id, year, {"revenue": Decimal(year)})
    seen = {"revenue": Decimal("1.00"), "staff_count": None}
    mine = {"revenue": Decimal("7.00"), "staff_count": 9}

    with pytest.raises(Conflict) as caught:
        record_grid(enterprise_id, {year: YearEdit(mine, 1, seen) for year in (2023, 2024, 2025)})

    assert caught.value.theirs == {f"{year}.revenue": (Decimal(1), Decimal(year), Decimal(7)) for year in (2024, 2025)}
    assert [(r.year, r.staff_count) for r in figures_of(enterprise_id)] == [(2024, None), (2025, None)]


def test_other_figures_of_a_year_that_somebody_entered_meanwhile_merge(app):
    enterprise_id = make_enterprise()
    record(enterprise_id, 2025, {"revenue": Decimal("1.00")})

    record_grid(enterprise_id, {2025: YearEdit({"staff_count": 9}, 0, {"staff_count": None})})

    [row] = figures_of(enterprise_id)
    assert (row.revenue, row.staff_count) == (Decimal(1), 9)


def test_a_wrong_cell_of_a_block_is_named_by_year_and_field(app):
    enterprise_id = make_enterprise()

    with pytest.raises(InvalidInput) as caught:
        record_grid(enterprise_id, {2025: YearEdit({"staff_count": -1}), 2027: YearEdit({"staff_count": 1})})

    assert set(caught.value.problems) == {"2025.staff_count", "2027.year"}


def test_what_the_firm_confirmed_is_recorded_by_cell_and_lapses_by_cell(app):
    enterprise_id = make_enterprise()
    record(enterprise_id, 2025, {"revenue": Decimal("1.00"), "staff_count": 3})
    cells = {(2025, "revenue"): Decimal(1), (2025, "staff_count"): 3}
    with unit_of_work():
        confirm_figures(enterprise_id, cells, by="李会计", on=date(2026, 11, 20), act=act())
    said = {"by": "李会计", "at": "2026-11-20"}
    [row] = figures_of(enterprise_id)
    assert row.confirmed == {"revenue": said, "staff_count": said}

    record_grid(enterprise_id, {2025: YearEdit({"revenue": Decimal("2.00")})})

    assert figures_of(enterprise_id)[0].confirmed == {"staff_count": said}
    with unit_of_work():
        unconfirm_figures(enterprise_id, {(2025, "staff_count"): 3}, act=act())
    assert figures_of(enterprise_id)[0].confirmed is None


@pytest.mark.parametrize(
    ("cells", "by", "on", "sentence"),
    [
        ({(2025, "revenue"): Decimal(9)}, "李会计", TODAY, "2025 年营业收入刚改过，没有登记。看过新的数再登记。"),
        ({(2024, "revenue"): Decimal(1)}, "李会计", TODAY, "2024 年营业收入刚改过，没有登记。看过新的数再登记。"),
        ({(2025, "sales"): None}, "李会计", TODAY, "2025 年销售收入刚改过，没有登记。看过新的数再登记。"),
        ({}, "李会计", TODAY, "没有选中数。勾上企业确认过的再登记。"),
        ({(2025, "revenue"): Decimal(1)}, " ", TODAY, "填企业哪位确认的。"),
        ({(2025, "revenue"): Decimal(1)}, "李会计", date(2026, 12, 1), "2026-12-01 还没到。填企业确认的那天。"),
    ],
    ids=["changed since", "no such year", "a blank", "nothing ticked", "nobody", "tomorrow"],
)
def test_a_confirmation_is_of_the_value_that_was_looked_at(app, cells, by, on, sentence):
    enterprise_id = make_enterprise()
    record(enterprise_id, 2025, {"revenue": Decimal("1.00")})

    with pytest.raises(Refused) as caught, unit_of_work():
        confirm_figures(enterprise_id, cells, by=by, on=on, act=act())

    assert caught.value.message == sentence
