"""A bad file goes out marked, is mended where it says, and comes in again without an error."""

import io

import openpyxl
import pytest

from crm.actions.import_returned import failed_file, marked_file
from crm.domain.refusals import NotFound, Refused
from crm.sheets.marks import COMMENT_STAMP, REASON_HEADING, SUMMARY_SHEET, TINTS
from crm.sheets.writing import disarm
from crm.store.access_log import AccessLog
from crm.store.enterprises import Enterprise
from crm.store.imports import rows_of
from tests.actions.test_imports import HEAD, QINGHE, batch, bring, code, confirm, count
from tests.builders import OTHER, act, county, make_enterprise, make_user
from tests.workbooks import csv

BAD = [
    ["巫溪县科技企业台账（2026年）"],
    [*HEAD, "自家备注"],
    [QINGHE, code(1), "凤凰镇", "谭越", 200, "2018-06-14", "老客户"],
    ["重庆盐泉食品有限公司", code(2)[:17], "古路镇", "=2+3", "约两百", "2019-02-30", None],
    ["巫溪县丙有限公司", code(3), "凤皇镇", None, 30, None, None],
    [QINGHE, code(1), None, None, None, None, None],
]


def opened(made):
    return openpyxl.load_workbook(io.BytesIO(made[0]))


def saved(book):
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def mend(sheet, rows):
    """Types what is right into the marked cells, as a person would; ``rows`` are where the three bad ones stand."""
    wrong_code, wrong_town, twice = rows
    for place, value in ((f"B{wrong_code}", code(2)), (f"E{wrong_code}", 200), (f"F{wrong_code}", "2019-02-28")):
        assert sheet[place].comment.text.startswith(COMMENT_STAMP), place
        sheet[place] = value
    sheet[f"C{wrong_town}"] = "凤凰镇"
    for column in range(1, 8):
        sheet.cell(twice, column).value = None


def test_a_bad_file_goes_out_marked_is_mended_and_passes(app):
    batch_id = bring({"企业台账": BAD})
    name, book = marked_file(batch_id, act=act())[1], opened(marked_file(batch_id, act=act()))
    sheet = book["企业台账"]

    assert name.startswith("台账 已标注_")
    assert sheet["B4"].fill.start_color.rgb[-6:] == TINTS["error"]
    reasons = [sheet.cell(row, 8).value for row in range(2, 7)]
    assert reasons[0] == REASON_HEADING
    assert reasons[1] is None
    assert [reason[:3] for reason in reasons[2:]] == ["错误：", "错误：", "重复："]
    told = [cell.value for row in book[SUMMARY_SHEET].rows for cell in row]
    assert "共 4 行：新增 1、重复 1、错误 2" in told
    assert {p["message"] for row in rows_of(batch_id) for p in row.problems or ()} <= set(told)

    mend(sheet, (4, 5, 6))
    again = bring(saved(book))
    summary = batch(again).summary
    assert (summary["rows"], summary["new"], summary["error"], summary["duplicate"]) == (3, 3, 0, 0)
    assert [entry[1] for entry in summary["sheets"][0]["unknown"]] == ["自家备注"]
    confirm(again)
    assert count(Enterprise) == 3
    assert opened(marked_file(again, act=act()))["企业台账"]["B4"].fill.fill_type is None


def test_what_was_written_is_unchanged_when_the_marked_file_comes_in_whole(app):
    batch_id = bring({"企业台账": BAD})
    confirm(batch_id, good_rows_only=True)

    again = bring(marked_file(batch_id, act=act())[0])

    summary = batch(again).summary
    assert {key: summary[key] for key in ("rows", "new", "same", "error", "duplicate")} == {
        "rows": 4, "new": 0, "same": 1, "error": 2, "duplicate": 1,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["台账.xlsx", "台账.csv"])
def test_only_the_failed_rows_go_out_are_mended_and_pass(sqlite_app, name):
    text = "\n".join(",".join(disarm("" if cell is None else str(cell)) for cell in row) for row in BAD)
    batch_id = bring({"企业台账": BAD} if name.endswith("xlsx") else csv(text, "gb18030"), name=name)
    confirm(batch_id, good_rows_only=True)

    content, title = failed_file(batch_id, act=act())
    book = opened((content, title))
    sheet = book.worksheets[0]

    assert [row[0].value for row in sheet.iter_rows(min_row=3)] == [BAD[3][0], BAD[4][0], QINGHE]
    mend(sheet, (3, 4, 5))
    again = bring(saved(book))
    assert {key: batch(again).summary[key] for key in ("rows", "new", "error")} == {"rows": 2, "new": 2, "error": 0}
    confirm(again)
    assert count(Enterprise) == 3
    assert count(Enterprise, Enterprise.contact_name == "=2+3") == 1


def test_a_csv_comes_back_as_a_workbook_that_passes(sqlite_app):
    lines = ["企业名称,统一社会信用代码,联系人", f"{QINGHE},{code(1)[:17]},谭越", f"巫溪县乙有限公司,{code(2)},"]
    batch_id = bring(csv("\n".join(lines), "gb18030"), name="township.csv")
    book = opened(marked_file(batch_id, act=act()))
    book["township"]["B2"] = code(1)

    again = bring(saved(book))

    assert {key: batch(again).summary[key] for key in ("rows", "new", "error")} == {"rows": 2, "new": 2, "error": 0}


def test_a_file_without_failed_rows_says_so_and_is_marked_all_the_same(sqlite_app):
    batch_id = bring({"企业台账": BAD[:3]})

    with pytest.raises(Refused, match="每一行都能写入"):
        failed_file(batch_id, act=act())
    assert opened(marked_file(batch_id, act=act())).sheetnames == ["企业台账", SUMMARY_SHEET]


def test_whoever_may_not_see_the_batch_gets_no_file_and_who_takes_one_is_on_record(sqlite_app):
    make_enterprise(QINGHE, code=code(1))
    stranger = make_user("wan", "bureau", region=county(OTHER))
    batch_id = bring({"企业台账": BAD})

    for take in (marked_file, failed_file):
        with pytest.raises(NotFound):
            take(batch_id, act=act(stranger))
        before = count(AccessLog)
        take(batch_id, act=act())
        assert count(AccessLog) == before + 1
