"""Lists of one title as the city publishes them: what is said once, who is known here and who is not."""

from datetime import date

import pytest
from sqlalchemy import func, select

from crm.actions import import_once, import_placing, imports
from crm.actions.import_said import Said
from crm.domain.codes import make_code
from crm.domain.refusals import InvalidInput, Refused
from crm.extensions import db
from crm.jobs import imports as work
from crm.store import file_store
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch, rows_of
from crm.store.qualifications import qualifications_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, county, make_enterprise
from tests.workbooks import workbook

QINGHE = "巫溪县青禾食品有限责任公司"
YANQUAN = "巫溪县盐泉机械有限公司"


def bring(sheets, **more):
    """Upload a workbook and preview it; returns the batch's id."""
    kept = file_store.keep(workbook(sheets))
    with unit_of_work():
        batch_id = imports.start_import(kept, name="名单.xlsx", region_id=county().id, ask=False, act=act(), **more)
    work.preview(work.InProcess(), {"batch": batch_id})
    return batch_id


def confirm(batch_id, *, good_rows_only=False):
    with unit_of_work():
        imports.confirm(batch_id, good_rows_only=good_rows_only, ask=False, act=act())
    return work.commit(work.InProcess(), {"batch": batch_id})


def say(batch_id, said):
    with unit_of_work():
        import_once.say_once(batch_id, said, act=act())
    work.preview(work.InProcess(), {"batch": batch_id})


def batch(batch_id):
    db.session.rollback()
    return db.session.get(ImportBatch, batch_id)


def told(batch_id):
    """(outcome, noun, first message) of each row."""
    return [(row.outcome, row.noun, (row.problems or [{"message": ""}])[0]["message"]) for row in rows_of(batch_id)]


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


# --- names only ---------------------------------------------------------------------------------------------------

PUBLICITY = [
    ["2026年第二批拟入库企业名单公示"],
    ["序号", "企业名称", "备注"],
    [1, QINGHE, None],
    [2, "巫溪县青和食品有限责任公司", None],
    [3, QINGHE, None],
]


def test_a_misspelt_name_of_a_list_of_names_is_unmatched_and_no_new_enterprise(app):
    make_enterprise(QINGHE, code=make_code(1))

    batch_id = bring({"Sheet1": PUBLICITY})

    assert batch(batch_id).profile == "names_only"
    assert told(batch_id) == [
        ("same", "enterprise", ""),
        ("unmatched", "enterprise", "库里没有这家企业。先在企业表里加上，或核对代码和名称。"),
        ("duplicate", "enterprise", "与第 3 行是同一家企业。留一行，删掉另一行。"),
    ]
    with pytest.raises(imports.NothingToWrite):
        confirm(batch_id, good_rows_only=True)
    assert count(Enterprise) == 1


def test_a_list_of_names_gives_each_known_firm_the_title_that_is_said_once(app):
    enterprise_id = make_enterprise(QINGHE, code=make_code(1))
    batch_id = bring({"Sheet1": PUBLICITY[:4]})

    say(
        batch_id,
        {
            "qualification.kind": "专精特新中小企业",
            "qualification.batch": "2026年第二批",
            "qualification.document": "渝经信〔2026〕18号",
            "qualification.announced_on": "2026.11.2",
        },
    )

    assert [row[:2] for row in told(batch_id)] == [("new", "qualification"), ("unmatched", "qualification")]
    confirm(batch_id, good_rows_only=True)
    [title] = qualifications_of(enterprise_id)
    assert (title.kind, title.batch, title.document, title.announced_on) == (
        "srdi",
        "2026年第二批",
        "渝经信〔2026〕18号",
        date(2026, 11, 2),
    )
    assert count(Enterprise) == 1


def test_names_with_something_that_tells_firms_apart_still_enter_them(app):
    batch_id = bring({"Sheet1": [["企业名称", "乡镇"], [QINGHE, "凤凰镇"]]})

    assert told(batch_id) == [("new", "enterprise", "")]


def test_somebody_who_means_a_list_of_new_firms_can_say_so(app):
    batch_id = bring({"Sheet1": PUBLICITY[:3]}, profile="generic")

    assert told(batch_id) == [("new", "enterprise", "")]


def test_what_is_said_once_is_checked_and_kept_over_a_new_preview(sqlite_app):
    make_enterprise(QINGHE, code=make_code(1))
    batch_id = bring({"Sheet1": PUBLICITY[:3]})

    with pytest.raises(InvalidInput) as wrong:
        say(batch_id, {"qualification.kind": "高企", "qualification.announced_on": "去年"})
    assert set(wrong.value.problems) == {"qualification.announced_on"}
    say(batch_id, {"qualification.kind": "高企", "qualification.cohort_year": "2025"})
    with pytest.raises(Refused, match="与原来说的一样"):
        say(batch_id, {"qualification.kind": "高企", "qualification.cohort_year": "2025"})
    assert Said.of(batch(batch_id).summary).once == {"qualification.kind": "高企", "qualification.cohort_year": "2025"}
    assert [row[0] for row in told(batch_id)] == ["new"]


def test_a_person_may_say_that_an_unknown_name_is_a_new_firm(app):
    batch_id = bring({"Sheet1": PUBLICITY[:3]})
    [row] = rows_of(batch_id)

    with unit_of_work():
        import_placing.place_rows(batch_id, {row.id: "new"}, act=act())
    work.preview(work.InProcess(), {"batch": batch_id})
    confirm(batch_id)

    assert db.session.scalars(select(Enterprise.name)).all() == [QINGHE]
