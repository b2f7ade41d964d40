"""合并重复企业: everything goes over, nothing is lost, and taking it back restores every row."""

import re
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from crm.actions import imports
from crm.actions.changes import preview_undo, undo
from crm.actions.enterprises import create_enterprise, edit_enterprise
from crm.actions.figures import confirm_figures, record_figures
from crm.actions.merges import merge_enterprises, plan_merge
from crm.domain.codes import make_code
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound, Refused
from crm.domain.viewers import the_machine
from crm.extensions import Base, db
from crm.jobs.imports import InProcess, preview
from crm.store import file_store, merges
from crm.store.enterprises import Enterprise, EnterpriseAlias, affiliations_of
from crm.store.figures import figures_of
from crm.store.imports import rows_of
from crm.store.qualifications import title_facts
from crm.store.records import DOMAIN_TABLES
from crm.store.standings import SearchText
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, WUXI, act, county, make_enterprise, make_user, township
from tests.walls import build_district
from tests.workbooks import csv

# What the history is, and what counts writes and nothing else.
HISTORY = {"change", "change_set"}


def merge(left: int, right: int, choices=None, **more):
    who = more.pop("act", act())
    plan = plan_merge(left, right, viewer=who.viewer)
    with unit_of_work():
        return merge_enterprises(left, right, choices or {}, fingerprint=plan.fingerprint, act=who)


def picture() -> dict[str, list[dict]]:
    """Every row of every table, without versions and the history."""
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name in HISTORY:
            continue
        # Projections get new ids when they are made anew.
        skip = {"version", "id"} if table.name in ("spell", "obligation") else {"version"}
        columns = [column for column in table.c if column.name not in skip]
        found[table.name] = [dict(row) for row in db.session.execute(select(*columns)).mappings()]
    db.session.rollback()
    return found


def not_restored(before: dict[str, list[dict]], after: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """Rows that are not as they were; what the merge itself made stays behind as withdrawn."""
    wrong = {}
    for name, rows in before.items():
        missing = [row for row in rows if row not in after[name]]
        extra = [row for row in after[name] if row not in rows and not row.get("deleted")]
        if missing or extra:
            wrong[name] = missing + extra
    return wrong


def test_no_column_that_means_an_enterprise_is_forgotten(sqlite_app):
    """A new table with an enterprise in it is moved by a merge, or this fails."""
    known = set(merges.pointing_columns()) | {("enterprise", "merged_into_id")}

    forgotten = [
        f"{noun}.{column.name}"
        for noun in sorted(DOMAIN_TABLES)
        for column in Base.metadata.tables[noun].c
        if re.search("enterprise(_?ids?|s)$", column.name) and (noun, column.name) not in known
    ]

    assert forgotten == []
    assert len(known) > 20 and ("relation", "other_id") in known
    assert set(merges.holding_tables()) >= {"attachment", "comment"}


def test_every_record_of_every_table_goes_over_and_comes_back(app):
    district = build_district(WUXI, "近山")
    survivor = make_enterprise("巫溪县近山实业有限公司")
    right = district.ids["enterprise"]
    before = picture()
    had = {noun for noun, rows in merges.rows_of(right).items() if any(not row["deleted"] for row in rows)}

    written = merge(survivor, right)

    left_behind = {
        noun: [row["id"] for row in rows if not row["deleted"]] for noun, rows in merges.rows_of(right).items()
    }
    assert {noun: ids for noun, ids in left_behind.items() if ids} == {}
    gone_over = {noun for noun, rows in merges.rows_of(survivor).items() if any(not row["deleted"] for row in rows)}
    assert had - gone_over == set()
    assert had >= {name for name, _ in merges.pointing_columns()} - {"enterprise"}
    with unit_of_work():
        undo(written.change_set_id, act=act())
    assert not_restored(before, picture()) == {}


def test_what_differs_is_chosen_and_what_one_side_leaves_blank_comes_from_the_other(app):
    left = make_enterprise("巫溪县青禾食品有限公司", contact_name="甲", notes="左", township=township().id)
    right = make_enterprise(
        "青禾食品（巫溪）有限公司", contact_name="乙", capital=Decimal(5), notes="右", township=township("古路镇").id
    )
    codes = {one.id: one.credit_code for one in db.session.scalars(select(Enterprise))}

    merge(
        left,
        right,
        {
            "enterprise.name": "right",
            "enterprise.credit_code": "right",
            "enterprise.notes": "both",
            "affiliation.township": "right",
        },
    )

    row = db.session.get(Enterprise, left)
    assert (row.name, row.credit_code) == ("青禾食品（巫溪）有限公司", codes[right])
    assert (row.contact_name, row.capital, row.notes) == ("甲", Decimal(5), "左\n右")
    [place] = [one for one in affiliations_of(left) if one.kind == "township"]
    assert place.ref_id == township("古路镇").id
    aliases = db.session.scalars(select(EnterpriseAlias).where(EnterpriseAlias.enterprise_id == left))
    assert {(one.kind, one.value) for one in aliases} == {
        ("former_name", "巫溪县青禾食品有限公司"),
        ("old_number", codes[left]),
    }
    text = db.session.scalar(select(SearchText.haystack).where(SearchText.enterprise_id == left))
    assert codes[left].lower() in text and codes[right].lower() in text
    gone = db.session.get(Enterprise, right)
    assert (gone.deleted, gone.merged_into_id, merges.survivor_of(right)) == (True, left, left)


def test_figures_of_one_year_become_one_row_field_by_field_with_their_confirmations(app):
    left, right = make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司")
    for firm, values in (
        (left, {"revenue": Decimal(1), "sales": Decimal(2), "staff_count": 3}),
        (right, {"revenue": Decimal(9), "sales": Decimal(8), "tax_paid": Decimal(7)}),
    ):
        with unit_of_work():
            record_figures(firm, 2025, values, act=act())
    with unit_of_work():
        record_figures(right, 2024, {"revenue": Decimal(4)}, act=act())
        confirm_figures(right, {(2025, "revenue"): Decimal(9)}, by="李", on=date(2026, 1, 2), act=act())

    merge(left, right, {"figures.2025.revenue": "right"})

    older, row = figures_of(left)
    assert (older.year, older.revenue) == (2024, Decimal(4))
    assert (row.revenue, row.sales, row.staff_count, row.tax_paid) == (Decimal(9), Decimal(2), 3, Decimal(7))
    assert row.confirmed == {"revenue": {"by": "李", "at": "2026-01-02"}}
    assert figures_of(right) == []


def test_overlapping_titles_of_a_kind_have_to_be_decided(app):
    left = make_enterprise("甲食品有限公司", titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))])
    right = make_enterprise(
        "乙食品有限公司",
        titles=[
            ("hnte", date(2023, 10, 16), date(2026, 10, 15)),
            ("srdi", date(2025, 1, 1), date(2027, 12, 31)),
        ],
    )
    [rival] = plan_merge(left, right, viewer=the_machine("测试")).rivals

    with pytest.raises(InvalidInput) as caught:
        merge(left, right)
    written = merge(left, right, {rival.key: "right"})

    assert caught.value.problems == {rival.key: "两条只能留一条，选一条。"}
    assert [(one.kind, one.valid_from) for one in title_facts(left)] == [
        ("hnte", date(2023, 10, 16)),
        ("srdi", date(2025, 1, 1)),
    ]
    with unit_of_work():
        undo(written.change_set_id, act=act())
    assert [one.valid_from for one in title_facts(left)] == [date(2024, 11, 28)]
    assert len(title_facts(right)) == 2


def test_what_was_edited_since_stays_and_is_named_when_the_merge_is_taken_back(app):
    left, right = make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司", contact_name="乙")
    with unit_of_work():
        record_figures(right, 2025, {"revenue": Decimal(4)}, act=act())
    written = merge(left, right)
    with unit_of_work():
        record_figures(left, 2025, {"revenue": Decimal(5), "staff_count": 1}, act=act())
    with unit_of_work():
        row = db.session.get(Enterprise, left)
        edit_enterprise(left, {"contact_name": "丙"}, version=row.version, act=act())

    plan = preview_undo(written.change_set_id, viewer=the_machine("测试"))
    with unit_of_work():
        undo(written.change_set_id, act=act())

    assert [(one.noun, one.field, one.why) for one in plan.kept] == [("enterprise", "contact_name", "edited")]
    assert db.session.get(Enterprise, left).contact_name == "丙"
    [row] = figures_of(right)
    assert (row.revenue, row.staff_count) == (Decimal(5), 1)
    assert figures_of(left) == []


def test_an_enterprise_that_others_were_merged_into_is_not_withdrawn_with_its_import(app):
    with unit_of_work():
        values = {"name": "甲食品有限公司", "credit_code": make_code(5)}
        made = create_enterprise(county().id, values, act=act())
    right = make_enterprise("乙食品有限公司")
    merge(made.ids["enterprise"], right)

    plan = preview_undo(made.change_set_id, viewer=the_machine("测试"))

    assert plan.withdraw == [] and [one.why for one in plan.kept][:1] == ["children"]


def test_a_merge_of_a_merge_is_followed_and_taken_back_in_turn(app):
    first, second, third = (make_enterprise(f"{name}食品有限公司") for name in "甲乙丙")
    before = picture()
    one = merge(second, third)
    two = merge(first, second)
    assert (merges.survivor_of(third), merges.with_merged(first)) == (first, [first, second, third])

    for written in (two, one):
        with unit_of_work():
            undo(written.change_set_id, act=act())

    assert not_restored(before, picture()) == {}


def test_two_districts_two_rights_and_stale_pages_are_refused(app):
    bureau, manager = make_user("tan", "bureau"), make_user("xiang", "case_manager")
    left, right = make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司")
    foreign = make_enterprise("丙食品有限公司", region=county(OTHER))

    with pytest.raises(Refused, match="不在同一个区县"):
        merge(left, foreign)
    with pytest.raises(NotFound):
        merge(left, foreign, act=act(bureau))
    with pytest.raises(NotAllowed):
        merge(left, right, act=act(manager))
    with pytest.raises(Refused, match="这是同一家企业"):
        merge(left, left)
    plan = plan_merge(left, right, viewer=bureau)
    with unit_of_work():
        record_figures(right, 2025, {"revenue": Decimal(4)}, act=act())
    with pytest.raises(Refused, match="两家的资料刚有改动"), unit_of_work():
        merge_enterprises(left, right, {}, fingerprint=plan.fingerprint, act=act(bureau))


def test_a_list_with_the_name_and_code_of_the_merged_file_speaks_of_the_one_that_stayed(app):
    bureau = make_user("tan", "bureau")
    left, right = make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司")
    code = db.session.get(Enterprise, right).credit_code
    merge(left, right, act=act(bureau))
    kept = file_store.keep(csv(f"企业名称,统一社会信用代码,联系人\n乙食品有限公司,{code},丙"))
    with unit_of_work():
        batch_id = imports.start_import(
            kept, name="名单.csv", region_id=county().id, profile="generic", ask=False, act=act(bureau)
        )

    preview(InProcess(), {"batch": batch_id})

    [row] = rows_of(batch_id)
    assert (row.outcome, row.enterprise_id, row.matched_by) == ("changed", left, "old_number")
    assert set(row.diff) == {"enterprise.contact_name"}
    assert [problem["code"] for problem in row.problems] == ["former_name", "former_code"]
