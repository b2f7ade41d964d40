"""Whatever two files hold: merging them and taking it back restores every row of every table, projections included."""

import os
import shutil
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crm.actions.changes import undo
from crm.actions.figures import confirm_figures, record_figures
from crm.actions.merges import merge_enterprises, plan_merge
from crm.domain.changes import Create
from crm.domain.refusals import Refused
from crm.domain.viewers import the_machine
from crm.extensions import db
from crm.store import merges
from crm.store.unit_of_work import unit_of_work
from crm.store.visit_plans import VisitPlan
from crm.store.writer import write
from tests.actions.test_merges import not_restored, picture
from tests.builders import NOW, TODAY, act, make_enterprise
from tests.conftest import build, settings_for
from tests.property.test_replay import assert_projections_follow_from_the_facts, fresh
from tests.walls import build_district

LONG = bool(os.environ.get("CRM_TEST_LONG"))
EXAMPLES = 120 if LONG else 12

LEFT, RIGHT, OTHER = 0, 1, 2
side = st.sampled_from((LEFT, RIGHT, RIGHT, OTHER))
some_day = st.none() | st.integers(0, 2400).map(lambda n: date(2020, 1, 1) + timedelta(days=n))

# Each thing is (what, whose, values): what can hang on one of the two, or on a third that is none of their business.
things = st.one_of(
    st.tuples(
        st.just("figures"),
        side,
        st.fixed_dictionaries(
            {
                "year": st.integers(2024, 2025),
                "revenue": st.sampled_from((None, Decimal(0), Decimal("88.80"))),
                "staff_count": st.sampled_from((None, 0, 12)),
                "confirm": st.booleans(),
            }
        ),
    ),
    st.tuples(
        st.just("qualification"),
        side,
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(("hnte", "cq_tech")),
                "valid_from": st.integers(2020, 2025).map(lambda year: date(year, 7, 1)),
                "number": st.none() | st.just("GR202451000001"),
            }
        ),
    ),
    st.tuples(
        st.just("affiliation"),
        side,
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(("status", "above_scale")),
                "value": st.sampled_from(("yes", "no")),
                "starts_on": some_day,
                "ends_on": some_day,
            }
        ),
    ),
    st.tuples(
        st.just("intellectual_property"),
        side,
        st.fixed_dictionaries(
            {"name": st.sampled_from(("甲", "乙")), "kind": st.just("design"), "number": st.sampled_from((None, "ZL1"))}
        ),
    ),
    st.tuples(
        st.just("pool_membership"),
        side,
        st.fixed_dictionaries({"year": st.integers(2024, 2026), "left_on": st.none() | st.just(date(2026, 1, 1))}),
    ),
    st.tuples(
        st.just("relation"),
        side,
        st.fixed_dictionaries({"kind": st.sampled_from(("branch", "common_control")), "to": side}),
    ),
    st.tuples(
        st.just("confirmation"),
        side,
        st.fixed_dictionaries({"month": st.integers(1, 2).map(lambda m: date(2026, m, 1)), "answer": st.just("same")}),
    ),
    st.tuples(
        st.just("obligation_outcome"),
        side,
        st.fixed_dictionaries(
            {
                "kind": st.just("hnte_annual_report"),
                "period": st.sampled_from(("2024", "2025")),
                "outcome": st.just("done"),
            }
        ),
    ),
    st.tuples(
        st.just("visit_plan_enterprise"),
        side,
        st.fixed_dictionaries(
            {
                "planned_on": st.none() | st.just(date(2026, 12, 4)),
                "purpose": st.none() | st.sampled_from(("看新产线", "送表样")),
            }
        ),
    ),
    st.tuples(
        st.just("enterprise_alias"),
        side,
        st.sampled_from(("旧名甲", "旧名乙")).map(
            lambda name: {"kind": "former_name", "value": name, "value_key": name, "until_on": date(2026, 10, 1)}
        ),
    ),
)
choices = st.lists(st.sampled_from(("left", "right", "both")), min_size=1, max_size=7)


@pytest.fixture(scope="module")
def start(sqlite_template, tmp_path_factory):
    """A district whose enterprise has one of everything, two more of it, copied for every example."""
    folder = tmp_path_factory.mktemp("merges")
    shutil.copy(sqlite_template / "crm.db", folder / "crm.db")
    app = build(settings_for(folder))
    with app.app_context(), time_machine.travel(NOW, tick=False):
        district = build_district("500238", "近山")
        firms = [
            make_enterprise("巫溪县青禾食品有限公司"),
            district.ids["enterprise"],
            make_enterprise("重庆云谷有限公司"),
        ]
        db.session.remove()
        db.engine.dispose()
    shutil.copy(folder / "crm.db", folder / "start.db")
    return app, folder, firms


def hang(firms: list[int], what: str, whose: int, values: dict[str, Any]) -> None:
    """Put one thing into a file; what the database's own uniqueness refuses is not there then."""
    firm, values = firms[whose], dict(values)
    with suppress(Refused):
        if what == "figures":
            year, confirm = values.pop("year"), values.pop("confirm")
            with unit_of_work():
                record_figures(firm, year, values, act=act())
            known = {(year, code): value for code, value in values.items() if value is not None}
            if confirm and known:
                with unit_of_work():
                    confirm_figures(firm, known, by="李会计", on=TODAY, act=act())
            return
        if what == "relation":
            values["other_id"] = firms[values.pop("to")]
            if values["other_id"] == firm:
                return
        if what == "visit_plan_enterprise":
            values["visit_plan_id"] = db.session.scalar(select(VisitPlan.id))
        if what == "obligation_outcome":
            values["on"] = TODAY
        if what == "qualification":
            values |= {"announced_on": values["valid_from"], "recorded_at": NOW}
        if (
            what == "affiliation"
            and values["starts_on"]
            and values["ends_on"]
            and values["ends_on"] < values["starts_on"]
        ):
            values["starts_on"], values["ends_on"] = values["ends_on"], values["starts_on"]
        with unit_of_work():
            write([Create(what, {**values, "enterprise_id": firm})], act=act(), action="test")
    db.session.rollback()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=tuple(Phase) if LONG else (Phase.explicit, Phase.generate),
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(content=st.lists(things, min_size=4, max_size=14), picks=choices, turned=st.booleans())
def test_merge_then_undo_restores_every_row(start, content, picks, turned):
    app, folder, firms = start
    with app.app_context(), time_machine.travel(NOW, tick=False):
        fresh(app, folder)
        for what, whose, values in content:
            hang(firms, what, whose, values)
        left, right = (firms[RIGHT], firms[LEFT]) if turned else (firms[LEFT], firms[RIGHT])
        before = picture()
        plan = plan_merge(left, right, viewer=the_machine("测试"))
        keys = [pair.key for pair in (*plan.fields, *plan.affiliations, *plan.figures)]
        chosen = {key: picks[place % len(picks)] for place, key in enumerate(keys)}
        rivals = {one.key: "right" if picks[n % len(picks)] == "right" else "left" for n, one in enumerate(plan.rivals)}

        with unit_of_work():
            written = merge_enterprises(left, right, chosen | rivals, fingerprint=plan.fingerprint, act=act())

        rows = merges.rows_of(right)
        assert {noun: some for noun, rest in rows.items() if (some := [r for r in rest if not r["deleted"]])} == {}
        assert_projections_follow_from_the_facts()
        with unit_of_work():
            undo(written.change_set_id, act=act())
        assert not_restored(before, picture()) == {}
        assert_projections_follow_from_the_facts()
        db.session.remove()
        db.engine.dispose()
