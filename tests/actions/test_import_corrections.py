"""Cells corrected in the preview: laid over the file, judged anew, told in the history and in the marked file."""

import io

import openpyxl
import pytest
from sqlalchemy import select

from crm.actions.import_corrections import Typed, correct_cells, take_back
from crm.actions.import_returned import marked_file
from crm.actions.import_said import Said
from crm.domain.refusals import NotFound, Refused
from crm.extensions import db
from crm.jobs import imports as work
from crm.sheets.marks import COMMENT_STAMP, TINTS
from crm.store.changes import ChangeSet
from crm.store.enterprises import Enterprise
from crm.store.files import StoredFile
from crm.store.imports import rows_of
from crm.store.unit_of_work import unit_of_work
from tests.actions.test_imports import HEAD, QINGHE, batch, bring, code, confirm, count
from tests.builders import OTHER, act, county, make_user
from tests.workbooks import workbook

ROWS = [
    HEAD,
    [QINGHE, code(1)[:17], "凤凰镇", "谭越", "约两百", "2019-02-30"],
    ["巫溪县乙有限公司", code(2), "凤皇镇", None, 30, None],
]


def correct(batch_id, typed, *, viewer=None, **more):
    """``typed``: {(row number, letter): text}; the new preview is made at once."""
    ids = {row.row: row.id for row in rows_of(batch_id)}
    cells = {Typed(ids[row], letter): text for (row, letter), text in typed.items()}
    with unit_of_work():
        done = correct_cells(batch_id, cells, act=act(viewer, **more))
    work.preview(work.InProcess(), {"batch": batch_id})
    return done


def test_many_cells_are_corrected_at_once_and_written_with_the_file_as_it_came(app):
    content = workbook({"企业": ROWS})
    batch_id = bring(content)
    assert batch(batch_id).summary["error"] == 2

    done = correct(
        batch_id, {(2, "B"): code(1), (2, "E"): "200", (2, "F"): "2019.2.28", (3, "C"): " 凤凰镇\n"}, request_key="k"
    )

    summary = batch(batch_id).summary
    assert (done, summary["new"], summary["error"]) == (4, 2, 0)
    confirm(batch_id)
    found = db.session.scalar(select(Enterprise).where(Enterprise.name == QINGHE))
    assert (found.credit_code, found.capital, found.registered_on.isoformat()) == (code(1), 2_000_000, "2019-02-28")
    change_set = db.session.get(ChangeSet, batch(batch_id).change_set_id)
    assert change_set.reason == "导入 台账.xlsx，预览里改过 4 格"
    assert db.session.get(StoredFile, batch(batch_id).stored_file_id).size == len(content)


def test_what_was_corrected_is_told_in_the_marked_file_which_passes_as_it_is(sqlite_app):
    batch_id = bring({"企业": ROWS})
    correct(batch_id, {(2, "B"): code(1), (2, "E"): "=2+3", (2, "F"): "", (3, "C"): "凤凰镇"})

    content, _ = marked_file(batch_id, act=act())
    sheet = openpyxl.load_workbook(io.BytesIO(content))["企业"]
    assert (sheet["B2"].value, sheet["B2"].fill.start_color.rgb[-6:]) == (code(1), TINTS["corrected"])
    assert sheet["B2"].comment.text.startswith(f"{COMMENT_STAMP}测试在预览里改过，“{code(1)[:17]}”→“{code(1)}”")
    # Corrected and still wrong: red, with both said; and text that begins with = is no formula.
    assert (sheet["E2"].value, sheet["E2"].data_type) == ("=2+3", "s")
    assert sheet["E2"].fill.start_color.rgb[-6:] == TINTS["error"]
    assert (sheet["F2"].value, "预览里改过：C 列" in sheet["G3"].value) == (None, True)

    again = bring(content)
    assert {key: batch(again).summary[key] for key in ("rows", "new", "error")} == {"rows": 2, "new": 1, "error": 1}


def test_a_cell_left_as_it_was_is_no_correction_and_one_is_taken_back(sqlite_app):
    batch_id = bring({"企业": ROWS})
    with pytest.raises(Refused, match="没有改动"):
        correct(batch_id, {(2, "B"): code(1)[:17], (2, "A"): "别的公司", (2, "ZZZZ"): "x"})

    assert correct(batch_id, {(3, "C"): "古路镇", (2, "E"): "约两百"}) == 1
    assert batch(batch_id).summary["error"] == 1
    with unit_of_work():
        assert take_back(batch_id, ("企业", 3, "C"), act=act())
    work.preview(work.InProcess(), {"batch": batch_id})

    assert (batch(batch_id).summary["error"], Said.of(batch(batch_id).summary).corrected) == (2, {})
    with pytest.raises(Refused, match="没有改过"), unit_of_work():
        take_back(batch_id, ("企业", 3, "C"), act=act())


def test_a_corrected_cell_corrected_again_still_names_what_the_file_says(sqlite_app):
    batch_id = bring({"企业": ROWS})
    correct(batch_id, {(3, "C"): "凤凤镇"})
    correct(batch_id, {(3, "C"): "凤凰镇"})

    (correction,) = Said.of(batch(batch_id).summary).corrected.values()
    assert (correction.before, correction.text, correction.who) == ("凤皇镇", "凤凰镇", "测试")


def test_who_does_not_see_a_batch_may_not_correct_and_nothing_is_corrected_after_writing(sqlite_app):
    batch_id = bring({"企业": ROWS})
    ids = {row.row: row.id for row in rows_of(batch_id)}
    typed = {Typed(ids[3], "C"): "凤凰镇"}

    for viewer in (make_user("wan", "bureau", region=county(OTHER)), make_user("lin", "case_manager")):
        with pytest.raises(NotFound), unit_of_work():
            correct_cells(batch_id, typed, act=act(viewer))
    correct(batch_id, {(2, "B"): code(1), (2, "E"): "200", (2, "F"): "2019-02-28", (3, "C"): "凤凰镇"})
    confirm(batch_id)
    with pytest.raises(Refused, match="现在不能改格"), unit_of_work():
        correct_cells(batch_id, typed, act=act())
    assert count(Enterprise) == 2
