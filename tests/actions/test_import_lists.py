"""Lists of one title as the city publishes them: what is said once, who is known here and who is not."""

from datetime import date

import pytest
from sqlalchemy import func, select

from crm.actions import import_missing, import_once, import_placing, imports
from crm.actions.import_said import Said
from crm.actions.qualifications import record_qualification
from crm.domain.codes import make_code
from crm.domain.refusals import InvalidInput, Refused
from crm.extensions import db
from crm.jobs import imports as work
from crm.store import file_store
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch, rows_of
from crm.store.qualifications import qualifications_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import TODAY, act, county, make_enterprise
from tests.workbooks import workbook

QINGHE = "巫溪县青禾食品有限责任公司"
YANQUAN = "巫溪县盐泉机械有限公司"


def bring(sheets, *, on=TODAY, **more):
    """Upload a workbook and preview it; returns the batch's id."""
    kept = file_store.keep(workbook(sheets))
    with unit_of_work():
        batch_id = imports.start_import(
            kept, name="名单.xlsx", region_id=county().id, ask=False, act=act(on=on), **more
        )
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


# --- full lists of one title --------------------------------------------------------------------------------------

HNTE = [["重庆市2025年高新技术企业名单"], ["序号", "企业名称", "证书编号", "发证日期"]]


def holder(name, n, kind, **more):
    enterprise_id = make_enterprise(name, code=make_code(n), **more)
    give(enterprise_id, kind, announced_on=date(2024, 11, 1), valid_from=date(2024, 11, 1))
    return enterprise_id


def give(enterprise_id, kind, **days):
    with unit_of_work():
        record_qualification(enterprise_id, {"kind": kind, **days}, act=act())


def test_a_full_list_of_one_title_lacks_only_who_holds_that_title_on_the_day(app):
    listed = holder(QINGHE, 1, "hnte")
    left_out = holder("巫溪县漏报科技有限公司", 2, "hnte")
    holder("巫溪县科小食品有限公司", 3, "tech_sme")
    make_enterprise("巫溪县普通食品有限公司", code=make_code(4))
    gone = holder("巫溪县注销科技有限公司", 5, "hnte", status="deregistered")
    moved = holder("巫溪县迁出科技有限公司", 6, "hnte", status="moved_out")
    lapsed = make_enterprise("巫溪县早已到期科技有限公司", code=make_code(7))
    give(lapsed, "hnte", announced_on=date(2018, 11, 1), valid_from=date(2018, 11, 1))

    batch_id = bring(
        {"Sheet1": [*HNTE, [1, QINGHE, "GR202451000001", date(2024, 11, 1)]]}, profile="hnte_list", full_list=True
    )

    missing = {one["id"]: (one["kind"], one["check"]) for one in batch(batch_id).summary["missing"]}
    assert listed not in missing
    assert missing == {
        left_out: ("hnte", "left_out"),
        gone: ("hnte", "deregistered"),
        moved: ("hnte", "moved_out"),
    }


def test_who_waits_for_a_renewal_and_is_not_on_the_list_may_not_have_renewed(sqlite_app):
    make_enterprise(QINGHE, code=make_code(1))
    waiting = make_enterprise(YANQUAN, code=make_code(2))
    give(waiting, "tech_sme", announced_on=date(2025, 6, 1), cohort_year=2025)

    batch_id = bring(
        {"Sheet1": [["序号", "企业名称", "入库登记编号"], [1, QINGHE, "202650023800000001"]]},
        profile="tech_sme_list",
        full_list=True,
        once={"qualification.announced_on": "2026-05-20"},
        on=date(2026, 6, 30),
    )

    [one] = batch(batch_id).summary["missing"]
    assert (one["id"], one["state"], one["check"]) == (waiting, "awaiting_update", "not_renewed")
    assert qualifications_of(waiting)[0].ended_on is None


@pytest.mark.parametrize(
    ("status", "state", "check"),
    [
        ("deregistered", "valid", "deregistered"),
        ("licence_revoked", "valid", "deregistered"),
        ("moved_out", "renewing", "moved_out"),
        ("active", "renewing", "not_renewed"),
        (None, "awaiting_update", "not_renewed"),
        (None, "expiring", "left_out"),
        (None, None, "left_out"),
    ],
)
def test_what_is_worth_checking_follows_from_what_is_known_of_the_firm(status, state, check):
    assert import_missing.check_of(status, state) == check


def test_a_list_that_says_only_which_title_finds_its_holders_as_the_library_has_them(sqlite_app):
    holder(QINGHE, 1, "hnte")
    make_enterprise(YANQUAN, code=make_code(2))

    batch_id = bring(
        {"Sheet1": [["企业名称"], [QINGHE], [YANQUAN]]}, full_list=True, once={"qualification.kind": "高企"}
    )

    assert [row[0] for row in told(batch_id)] == ["same", "error"]
    assert batch(batch_id).summary["missing"] == []


def test_a_blank_kind_in_a_list_that_has_the_column_is_told(sqlite_app):
    make_enterprise(QINGHE, code=make_code(1))
    table = [["企业名称", "资格种类", "公告日期"], [QINGHE, None, "2026-05-06"]]

    batch_id = bring({"Sheet1": table}, profile="srdi_list")

    assert told(batch_id) == [("error", "qualification", "资格种类没有填，不知道是哪种资格。补上再传。")]


def test_a_typed_word_clears_a_cell_of_a_title_as_a_correction(sqlite_app):
    enterprise_id = make_enterprise(QINGHE, code=make_code(1))
    give(enterprise_id, "hnte", announced_on=date(2024, 11, 1), number="GR202451000001", batch="第九批")
    table = [["企业名称", "证书编号", "公告日期", "批次"], [QINGHE, "GR202451000001", "2024-11-01", "清空"]]

    confirm(bring({"Sheet1": table}, profile="hnte_list"))

    [title] = qualifications_of(enterprise_id)
    assert (title.number, title.announced_on, title.batch) == ("GR202451000001", date(2024, 11, 1), None)
