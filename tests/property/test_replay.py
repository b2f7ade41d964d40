"""Any sequence of edits, titles, figures, visits, imports and undos equals replaying its change sets, row for row."""

import os
import shutil
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crm.actions import imports
from crm.actions.changes import undo
from crm.actions.enterprises import create_enterprise, edit_enterprise, withdraw_enterprise
from crm.actions.figures import record_figures
from crm.actions.qualifications import correct_qualification, end_qualification, record_qualification
from crm.actions.service_logs import log_service
from crm.cli.check import _doubles
from crm.domain.codes import make_code
from crm.domain.refusals import Refused
from crm.extensions import Base, db
from crm.jobs import imports as work
from crm.store import file_store, projections
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Enterprise
from crm.store.figures import Figures
from crm.store.obligations import Obligation
from crm.store.qualifications import Qualification
from crm.store.records import DOMAIN_TABLES
from crm.store.standings import SearchText, Spell, Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import from_plain
from tests.builders import NOW, TODAY, act, county, make_user
from tests.conftest import _running, build, fresh_settings, settings_for
from tests.workbooks import csv

LONG = bool(os.environ.get("CRM_TEST_LONG"))
EXAMPLES = {"sqlite": 150 if LONG else 12, "postgresql": 25}

NAMES = ("巫溪县青禾食品有限公司", "巫溪县青禾实业有限公司", "巫溪县云谷药材专业合作社", "重庆石门科技有限公司")
TOWNSHIPS = ("凤凰镇", "宁河街道", "古路镇")
KINDS = ("hnte", "tech_sme", "cq_tech", "srdi")

small = st.integers(0, 5)
names = st.sampled_from(NAMES)
codes = st.none() | st.integers(1, 6)

# Each step is (what, arguments); a number picks one of what is there by its place.
steps = st.one_of(
    st.tuples(st.just("create"), st.fixed_dictionaries({"name": names, "code": codes, "place": small})),
    st.tuples(
        st.just("edit"),
        st.fixed_dictionaries(
            {
                "which": small,
                "values": st.fixed_dictionaries(
                    {},
                    optional={
                        "name": names,
                        "contact_name": st.sampled_from(("甲", "乙")) | st.none(),
                        "capital": st.sampled_from((Decimal("0"), Decimal("100"), Decimal("1234567.89"))) | st.none(),
                        "registered_on": st.sampled_from((date(2012, 3, 1), date(2019, 2, 28))) | st.none(),
                        "status": st.sampled_from(("active", "lost", "moved_out")),
                        "above_scale": st.booleans(),
                        "former_name": names,
                    },
                ),
                "on": st.sampled_from((TODAY, date(2026, 6, 1))),
            }
        ),
    ),
    st.tuples(st.just("withdraw"), st.fixed_dictionaries({"which": small})),
    st.tuples(
        st.just("title"),
        st.fixed_dictionaries({"which": small, "kind": st.sampled_from(KINDS), "year": st.integers(2021, 2026)}),
    ),
    st.tuples(
        st.just("correct"), st.fixed_dictionaries({"which": small, "number": st.sampled_from(("甲字1号", "甲字2号"))})
    ),
    st.tuples(st.just("end"), st.fixed_dictionaries({"which": small})),
    st.tuples(
        st.just("figures"),
        st.fixed_dictionaries(
            {
                "which": small,
                "year": st.integers(2023, 2025),
                "revenue": st.sampled_from((None, Decimal("0"), Decimal("88.80"))),
                "staff_count": st.sampled_from((None, 0, 12)),
            }
        ),
    ),
    st.tuples(st.just("log"), st.fixed_dictionaries({"which": small, "other": small, "next": st.booleans()})),
    st.tuples(
        st.just("import"),
        st.fixed_dictionaries(
            {"rows": st.lists(st.tuples(names, codes, small), min_size=1, max_size=4), "good_only": st.booleans()}
        ),
    ),
    st.tuples(st.just("undo"), st.fixed_dictionaries({"which": st.integers(0, 40)})),
)


class Steps:
    """Does one step through the actions; what an action refuses has written nothing and is no failure."""

    def __init__(self, bureau: Any) -> None:
        self.bureau = bureau

    def do(self, what: str, arguments: dict[str, Any]) -> None:
        with suppress(Refused):
            getattr(self, what if what != "import" else "bring")(**arguments)
        db.session.rollback()

    def pick(self, model: type[Any], which: int) -> Any:
        """One of the live records by its place; refused when there is none."""
        found = list(db.session.scalars(select(model).where(~model.deleted).order_by(model.id)))
        if not found:
            raise Refused("nothing there")
        return found[which % len(found)]

    def create(self, name: str, code: int | None, place: int) -> None:
        values = {"name": name, "status": "active"}
        if code is not None:
            values["credit_code"] = make_code(code)
        with unit_of_work():
            create_enterprise(county().id, values, act=act(self.bureau))

    def edit(self, which: int, values: dict[str, Any], on: date) -> None:
        row = self.pick(Enterprise, which)
        with unit_of_work():
            edit_enterprise(row.id, values, version=row.version, act=act(self.bureau, on=on))

    def withdraw(self, which: int) -> None:
        row = self.pick(Enterprise, which)
        with unit_of_work():
            withdraw_enterprise(row.id, version=row.version, act=act(self.bureau))

    def title(self, which: int, kind: str, year: int) -> None:
        start = date(year, 7, 1)
        values: dict[str, Any] = {"kind": kind, "announced_on": start, "valid_from": start, "cohort_year": year}
        if kind in ("hnte", "srdi"):
            values["valid_to"] = date(year + 3, 6, 30)
        with unit_of_work():
            record_qualification(self.pick(Enterprise, which).id, values, act=act(self.bureau))

    def correct(self, which: int, number: str) -> None:
        row = self.pick(Qualification, which)
        with unit_of_work():
            correct_qualification(row.id, {"number": number}, version=row.version, act=act(self.bureau))

    def end(self, which: int) -> None:
        row = self.pick(Qualification, which)
        with unit_of_work():
            end_qualification(
                row.id, ended_on=date(2026, 9, 1), end_reason="cancelled", version=row.version, act=act(self.bureau)
            )

    def figures(self, which: int, year: int, **values: Any) -> None:
        owner = self.pick(Enterprise, which)
        query = select(Figures.version).where(Figures.enterprise_id == owner.id, Figures.year == year, ~Figures.deleted)
        version = db.session.scalar(query)
        with unit_of_work():
            record_figures(owner.id, year, values, version=version, act=act(self.bureau))

    def log(self, which: int, other: int, next: bool) -> None:
        ids = [self.pick(Enterprise, which).id, self.pick(Enterprise, other).id]
        values: dict[str, Any] = {"happened_on": date(2026, 11, 2), "kind": "visit", "text": "看了车间。"}
        if next:
            values |= {"next_step": "补材料", "next_step_on": date(2026, 11, 30)}
        with unit_of_work():
            log_service(ids, values, act=act(self.bureau))

    def bring(self, rows: list[tuple[str, int | None, int]], good_only: bool) -> None:
        lines = ["企业名称,统一社会信用代码,乡镇（考核）"]
        lines += [f"{name},{make_code(code) if code else ''},{TOWNSHIPS[n % len(TOWNSHIPS)]}" for name, code, n in rows]
        kept = file_store.keep(csv("\n".join(lines)))
        with unit_of_work():
            batch_id = imports.start_import(
                kept, name="名单.csv", region_id=county().id, profile="generic", ask=False, act=act(self.bureau)
            )
        work.preview(work.InProcess(), {"batch": batch_id})
        with unit_of_work():
            imports.confirm(batch_id, good_rows_only=good_only, ask=False, act=act(self.bureau))
        work.commit(work.InProcess(), {"batch": batch_id})

    def undo(self, which: int) -> None:
        sets = list(
            db.session.scalars(select(ChangeSet.id).where(ChangeSet.user_id.is_not(None)).order_by(ChangeSet.id))
        )
        if sets:
            with unit_of_work():
                undo(sets[which % len(sets)], act=act(self.bureau))


def columns_of(noun: str) -> dict[str, Any]:
    """{name in the history: column} of a domain table."""
    mapper = next(m for m in Base.registry.mappers if m.local_table.name == noun)
    return {attribute.key: attribute.columns[0] for attribute in mapper.column_attrs}


def replayed() -> dict[str, dict[int, dict[str, Any]]]:
    """Every domain table rebuilt from the change rows alone; each update must start from what the last one left."""
    tables: dict[str, dict[int, dict[str, Any]]] = {noun: {} for noun in DOMAIN_TABLES}
    columns = {noun: columns_of(noun) for noun in DOMAIN_TABLES}
    for change in db.session.scalars(select(Change).order_by(Change.id)):
        known = tables[change.noun]
        if change.op == "create":
            row = {name: _default(column) for name, column in columns[change.noun].items()}
            row |= {name: from_plain(change.noun, name, value) for name, value in change.fields.items()}
            row |= {"id": change.record_id, "version": 1, "deleted": False}
            assert change.record_id not in known
            known[change.record_id] = row
            continue
        row = known[change.record_id]
        for name, (before, after) in change.fields.items():
            assert row[name] == from_plain(change.noun, name, before), (change.noun, change.record_id, name)
            row[name] = from_plain(change.noun, name, after)
        assert change.record_version == row["version"] + 1
        row["version"] = change.record_version
    return tables


def _default(column: Any) -> Any:
    return column.default.arg if column.default is not None and column.default.is_scalar else None


def stored(noun: str) -> dict[int, dict[str, Any]]:
    """A domain table as the database holds it."""
    columns = columns_of(noun)
    query = select(*columns.values())
    rows = [dict(zip(columns, row, strict=True)) for row in db.session.execute(query)]
    return {row["id"]: row for row in rows}


def projected(model: type[Any], names: Any) -> list[tuple[Any, ...]]:
    query = select(*(getattr(model, name) for name in names))
    return sorted((tuple(row) for row in db.session.execute(query)), key=repr)


def as_tuples(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.values()) for row in rows), key=repr)


def assert_history_tells_everything() -> None:
    history = replayed()
    for noun in sorted(DOMAIN_TABLES):
        assert stored(noun) == history[noun], noun


def assert_no_place_is_taken_twice() -> None:
    """Whatever was undone in whatever order: one open affiliation of a kind, and one live record of a title."""
    assert list(_doubles()) == []


def assert_projections_follow_from_the_facts() -> None:
    ids = projections.all_ids()
    computed = projections.compute(ids, at=NOW)
    for model, rows in (
        (Standing, computed["standing"]),
        (Spell, computed["spell"]),
        (Obligation, computed["obligation"]),
        (SearchText, projections.search_rows(ids)),
    ):
        names = list(rows[0]) if rows else [column.key for column in model.__mapper__.column_attrs]
        assert projected(model, names) == as_tuples(rows), model.__name__


@pytest.fixture(scope="module")
def start(sqlite_template, tmp_path_factory):
    """A small database with one bureau user, copied for every example."""
    folder = tmp_path_factory.mktemp("replay")
    shutil.copy(sqlite_template / "crm.db", folder / "start.db")
    shutil.copy(folder / "start.db", folder / "crm.db")
    app = build(settings_for(folder))
    with app.app_context():
        make_user("tan", "bureau")
        db.session.remove()
        db.engine.dispose()
    shutil.copy(folder / "crm.db", folder / "start.db")
    return app, folder


def fresh(app: Any, folder: Any) -> None:
    db.session.remove()
    db.engine.dispose()
    for ending in ("", "-wal", "-shm"):
        (folder / f"crm.db{ending}").unlink(missing_ok=True)
    shutil.copy(folder / "start.db", folder / "crm.db")


def bureau_viewer() -> Any:
    from crm.store.users import user_by_login, viewer_of

    return viewer_of(user_by_login("tan"), TODAY)


quiet = settings(
    deadline=None,
    # A sequence that fails is printed as it is; making it short takes minutes and is left to the long run.
    phases=tuple(Phase) if LONG else (Phase.explicit, Phase.generate),
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(quiet, max_examples=EXAMPLES["sqlite"])
@given(sequence=st.lists(steps, min_size=3, max_size=14))
def test_any_sequence_equals_replaying_its_change_sets(start, sequence):
    app, folder = start
    with app.app_context(), time_machine.travel(NOW, tick=False):
        fresh(app, folder)
        hands = Steps(bureau_viewer())

        for what, arguments in sequence:
            hands.do(what, arguments)

        assert_history_tells_everything()
        assert_no_place_is_taken_twice()
        assert_projections_follow_from_the_facts()
        db.session.remove()
        db.engine.dispose()


def test_a_long_day_is_replayed_on_both_databases(app):
    """One fixed sequence that meets every kind of step, on SQLite and on PostgreSQL."""
    make_user("tan", "bureau")
    with time_machine.travel(NOW, tick=False):
        hands = Steps(bureau_viewer())
        for what, arguments in A_LONG_DAY:
            hands.do(what, arguments)

        assert db.session.scalar(select(ChangeSet.id).where(ChangeSet.action == "import")) is not None
        assert db.session.scalar(select(ChangeSet.id).where(ChangeSet.action == "undo")) is not None
        assert_history_tells_everything()
        assert_no_place_is_taken_twice()
        assert_projections_follow_from_the_facts()


A_LONG_DAY: list[tuple[str, dict[str, Any]]] = [
    ("create", {"name": NAMES[0], "code": 1, "place": 0}),
    ("create", {"name": NAMES[2], "code": None, "place": 1}),
    ("title", {"which": 0, "kind": "hnte", "year": 2024}),
    ("title", {"which": 0, "kind": "hnte", "year": 2024}),
    ("edit", {"which": 0, "values": {"name": NAMES[1], "capital": Decimal("1234567.89")}, "on": TODAY}),
    ("correct", {"which": 0, "number": "甲字1号"}),
    ("figures", {"which": 0, "year": 2025, "revenue": Decimal("88.80"), "staff_count": 0}),
    ("figures", {"which": 0, "year": 2025, "revenue": None, "staff_count": 12}),
    ("log", {"which": 0, "other": 1, "next": True}),
    ("import", {"rows": [(NAMES[1], 1, 0), (NAMES[3], 3, 1), (NAMES[3], 3, 2)], "good_only": True}),
    ("edit", {"which": 2, "values": {"contact_name": "甲"}, "on": TODAY}),
    ("end", {"which": 0}),
    *(("undo", {"which": n}) for n in (9, 4, 7, 12, 3, 0)),
    ("withdraw", {"which": 0}),
    ("undo", {"which": 40}),
]


if LONG:

    @settings(quiet, max_examples=EXAMPLES["postgresql"])
    @given(sequence=st.lists(steps, min_size=3, max_size=14))
    def test_any_sequence_equals_replaying_its_change_sets_on_postgresql(request, tmp_path_factory, sequence):
        running = _running(fresh_settings("postgresql", request, tmp_path_factory.mktemp("replay")))
        next(running)
        try:
            make_user("tan", "bureau")
            with time_machine.travel(NOW, tick=False):
                hands = Steps(bureau_viewer())
                for what, arguments in sequence:
                    hands.do(what, arguments)

                assert_history_tells_everything()
                assert_projections_follow_from_the_facts()
        finally:
            next(running, None)
