"""Values come back as they went in, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from crm.domain.changes import Create
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.figures import Figures
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import from_plain, plain, write
from tests.builders import act, county, make_enterprise


def test_money_is_exact_to_the_cent_and_kept_as_whole_cents(app):
    enterprise_id = make_enterprise()
    with unit_of_work():
        write(
            [
                Create(
                    "figures", {"enterprise_id": enterprise_id, "year": 2025, "revenue": Decimal("90071992547409.93")}
                )
            ],
            act=act(),
            action="test",
        )

    assert db.session.scalar(select(Figures.revenue)) == Decimal("90071992547409.93")
    assert db.session.scalar(text("SELECT revenue FROM figures")) == 9007199254740993


def test_money_finer_than_a_cent_is_refused(app):
    enterprise_id = make_enterprise()

    with pytest.raises((StatementError, ValueError), match="finer than one 分"), unit_of_work():
        write(
            [Create("figures", {"enterprise_id": enterprise_id, "year": 2025, "revenue": Decimal("0.001")})],
            act=act(),
            action="test",
        )


def test_a_moment_of_another_zone_comes_back_as_the_same_moment(app):
    moment = datetime(2026, 11, 23, 10, 30, tzinfo=timezone(timedelta(hours=8)))
    make_enterprise()
    with unit_of_work():
        write(
            [
                Create(
                    "window",
                    {
                        "region_id": county().id,
                        "kind": "hnte",
                        "year": 2030,
                        "batch": "x",
                        "status": "expected",
                        "county_due_at": moment,
                    },
                )
            ],
            act=act(),
            action="test",
        )

    back = db.session.execute(text('SELECT county_due_at FROM "window" WHERE year = 2030')).scalar()
    from crm.store.windows import Window

    assert db.session.scalar(select(Window.county_due_at).where(Window.year == 2030)) == datetime(
        2026, 11, 23, 2, 30, tzinfo=UTC
    )
    assert "02:30" in str(back) or back == moment


def test_a_text_longer_than_its_column_is_refused_on_both_databases(app):
    with pytest.raises((StatementError, ValueError), match="121 characters where 120 fit"), unit_of_work():
        write([Create("enterprise", {"region_id": county().id, "name": "长" * 121})], act=act(), action="test")

    assert db.session.scalars(select(Enterprise)).all() == []


@pytest.mark.parametrize(
    ("noun", "name", "value"),
    [
        ("figures", "revenue", Decimal("12.30")),
        ("figures", "market_share", Decimal("0.12345678901234567890")),
        ("enterprise", "registered_on", datetime(2018, 6, 14).date()),  # noqa: DTZ001 a day has no zone
        ("qualification", "recorded_at", datetime(2026, 11, 23, 2, tzinfo=UTC)),
        ("figures", "had_major_accident", False),
        ("enterprise", "name", "青禾"),
        ("unit", "aliases", ["经信委", "=1+1"]),
        ("figures", "staff_count", 0),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_value_in_the_history_is_the_value_again(app, noun, name, value):
    assert from_plain(noun, name, plain(value)) == value
