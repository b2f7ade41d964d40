"""`import`, `import-undo` and `export` at the shell: one JSON object, exit codes, nothing half written."""

import json
from datetime import date

import pytest
from sqlalchemy import func, select

from crm.domain.codes import make_code
from crm.extensions import db
from crm.sheets.prescan import A_PDF
from crm.sheets.reading import read_sheets
from crm.store import file_store
from crm.store.access_log import AccessLog
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch
from tests.builders import OTHER, county, make_enterprise, make_user, township
from tests.workbooks import workbook

QINGHE = "巫溪县青禾食品有限责任公司"
HEAD = ["企业名称", "统一社会信用代码", "乡镇"]
OUTCOMES = ("new", "changed", "same", "conflict", "duplicate", "unmatched", "not_ours", "error")


@pytest.fixture
def run(sqlite_app, tmp_path):
    """Run a command in the test's application; paths are made inside the test's folder."""
    runner = sqlite_app.test_cli_runner()

    def invoke(*arguments):
        result = runner.invoke(args=[str(argument) for argument in arguments])
        db.session.rollback()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def saved(folder, sheets, name="台账.xlsx"):
    path = folder / name
    path.write_bytes(sheets if isinstance(sheets, bytes) else workbook(sheets))
    return path


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_columns_that_wait_for_an_answer_are_told_at_the_shell(sqlite_app, tmp_path):
    path = tmp_path / "指标.xlsx"
    path.write_bytes(workbook({"年度指标": [["统一社会信用代码", "营业收入（万元）"], [make_code(1), 300]]}))

    done = sqlite_app.test_cli_runner().invoke(args=["import", str(path), "--dry-run", "--json"])

    report = json.loads(done.stdout)
    assert [(p["code"], p["row"], p["severity"]) for p in report["problems"]] == [("question", 1, "warning")]
    assert "没有写年度" in report["problems"][0]["message"]


def test_import_prints_the_report_as_one_json_object_and_nothing_else(run, tmp_path):
    path = saved(tmp_path, {"企业": [HEAD, [QINGHE, make_code(1), "凤凰镇"], ["云阳县某公司", None, "云阳县"]]})

    result = run("import", path, "--json")

    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert list(report) == ["batch", "rows", *OUTCOMES, "missing_from_file", "problems"]
    assert (report["rows"], report["new"], report["not_ours"]) == (2, 1, 1)
    assert sum(report[outcome] for outcome in OUTCOMES) == report["rows"]
    assert count(Enterprise) == 1


def test_a_problem_is_reported_with_its_place_and_severity(run, tmp_path):
    path = saved(tmp_path, {"企业": [HEAD, [QINGHE, make_code(1), "凤皇镇"]]})

    result = run("import", path, "--json")

    [problem] = json.loads(result.stdout)["problems"]
    assert result.exit_code == 1
    assert {key: problem[key] for key in ("sheet", "row", "column", "value", "code", "severity")} == {
        "sheet": "企业",
        "row": 2,
        "column": "乡镇",
        "value": "凤皇镇",
        "code": "unknown_choice",
        "severity": "error",
    }
    assert count(Enterprise) == 0


def test_good_rows_only_writes_beside_wrong_rows(run, tmp_path):
    path = saved(tmp_path, {"企业": [HEAD, [QINGHE, make_code(1), "凤凰镇"], ["巫溪县乙有限公司", None, "凤皇镇"]]})

    result = run("import", path, "--good-rows-only", "--json")

    assert result.exit_code == 0
    assert [row.name for row in db.session.scalars(select(Enterprise))] == [QINGHE]


def test_a_dry_run_judges_and_leaves_no_trace(run, tmp_path):
    path = saved(tmp_path, {"企业": [HEAD, [QINGHE, make_code(1), "凤凰镇"]]})

    result = run("import", path, "--dry-run", "--json")

    report = json.loads(result.stdout)
    assert (result.exit_code, report["batch"], report["new"]) == (0, None, 1)
    assert (count(Enterprise), count(ImportBatch)) == (0, 0)


def test_a_full_list_reports_whom_it_lacks(run, tmp_path):
    make_enterprise("巫溪县多余食品有限公司", code=make_code(9))
    path = saved(tmp_path, {"企业": [HEAD, [QINGHE, make_code(1), "凤凰镇"]]})

    report = json.loads(run("import", path, "--full-list", "--json").stdout)

    [missing] = report["missing_from_file"]
    assert (missing["credit_code"], missing["name"]) == (make_code(9), "巫溪县多余食品有限公司")
    assert missing["check"] == "left_out"


def test_one_sheet_of_a_file_can_be_chosen(run, tmp_path):
    path = saved(tmp_path, {"甲": [HEAD, [QINGHE, make_code(1)]], "乙": [HEAD, ["巫溪县乙有限公司", make_code(2)]]})

    report = json.loads(run("import", path, "--profile", "generic", "--sheet", "乙", "--json").stdout)

    assert (report["rows"], db.session.scalar(select(Enterprise.name))) == (1, "巫溪县乙有限公司")


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (b"", [], "这份文件是空的，一个字节也没有。重新导出或另存后再传。"),
        (b"%PDF-1.4", [], A_PDF),
        ({"表": [["甲", "乙"], ["丙", "丁"]]}, [], "里找不到表头。"),
        ({"表": [HEAD, [QINGHE]]}, ["--profile", "nothing"], "没有叫“nothing”的导入方案。"),
        ({"表": [HEAD, [QINGHE]]}, ["--sheet", "丙"], "文件里没有叫“丙”的工作表。"),
        ({"表": [HEAD, [QINGHE]]}, ["--region", "999999"], "There is no county with the code 999999."),
        ({"表": [HEAD, [QINGHE]]}, ["--user", "nobody"], "There is no active user nobody."),
    ],
    ids=["no bytes", "a pdf", "no header", "no such profile", "no such sheet", "no such county", "no such user"],
)
@pytest.mark.parametrize("dry", [["--dry-run"], []], ids=["dry", "real"])
def test_a_call_or_file_that_cannot_be_understood_exits_with_2(run, tmp_path, content, options, sentence, dry):
    path = saved(tmp_path, content)

    result = run("import", path, *options, *dry, "--json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert count(Enterprise) == 0


def test_a_missing_file_exits_with_2(run, tmp_path):
    assert run("import", tmp_path / "nowhere.xlsx").exit_code == 2


def test_with_two_counties_the_region_must_be_said(run, tmp_path):
    county(OTHER)
    path = saved(tmp_path, {"企业": [HEAD[:2], [QINGHE, make_code(1)]]})

    assert run("import", path).exit_code == 2
    assert run("import", path, "--region", OTHER).exit_code == 0
    assert db.session.scalar(select(Enterprise.region_id)) == county(OTHER).id


def test_a_user_imports_with_own_rights_only(run, tmp_path):
    make_user("town", "township", region=township())
    path = saved(tmp_path, {"企业": [HEAD[:2], [QINGHE, make_code(1)]]})

    result = run("import", path, "--user", "town", "--region", "500238", "--json")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "你的授权不含导入" in result.stderr
    assert list(file_store.folder().iterdir()) == []


def test_import_undo_says_what_it_would_do_then_does_it_once(run, tmp_path):
    path = saved(tmp_path, {"企业": [HEAD, [QINGHE, make_code(1), "凤凰镇"]]})
    batch = json.loads(run("import", path, "--json").stdout)["batch"]

    rehearsed = json.loads(run("import-undo", batch, "--dry-run", "--json").stdout)
    assert db.session.scalar(select(Enterprise.deleted)) is False
    done = json.loads(run("import-undo", batch, "--json").stdout)
    again = run("import-undo", batch)

    assert rehearsed == done == {"batch": batch, "restored": 0, "withdrawn": 2, "kept": []}
    assert db.session.scalar(select(Enterprise.deleted)) is True
    assert (again.exit_code, "已经撤销过" in again.stderr) == (1, True)


def test_undoing_an_unknown_batch_is_refused(run):
    assert run("import-undo", 99).exit_code == 1


def test_what_is_exported_changes_nothing_when_it_comes_back(run, tmp_path):
    lin = make_user("lin", "case_manager", name="林晓")
    make_enterprise(
        QINGHE,
        code=make_code(1),
        former_name="巫溪县青禾烤鱼有限责任公司",
        township=township("凤凰镇").id,
        manager=lin.user_id,
        above_scale=True,
        status="active",
        featured_industry="grilled_fish",
        titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27)), ("cq_tech", date(2023, 5, 1), None)],
    )
    make_enterprise("=巫溪县-等号食品有限公司", code=None, address="-1 号", notes="第一行\n第二行")
    figures = [["企业名称", "年度", "从业人员", "营业收入（万元）"], [QINGHE, 2025, 0, 12.34]]
    logs = [["企业名称", "日期", "方式", "内容", "记录人"], [QINGHE, date(2024, 5, 6), "走访", "看了\n车间", "老周"]]
    run("import", saved(tmp_path, {"年度指标": figures, "服务记录": logs}), "--json")

    exported = run("export", "county_workbook", "-o", tmp_path / "out.xlsx", "--json")
    report = json.loads(run("import", tmp_path / "out.xlsx", "--json").stdout)

    assert json.loads(exported.stdout)["rows"] == {"enterprise": 2, "qualification": 2, "figures": 1, "service_log": 1}
    assert (report["rows"], report["same"], report["problems"]) == (6, 6, [])


def test_an_export_is_put_on_record(run, tmp_path):
    make_enterprise(QINGHE)

    run("export", "generic", "-o", tmp_path / "out.xlsx")

    row = db.session.scalar(select(AccessLog))
    assert (row.what, row.rows, row.filter["profile"]) == ("export", 1, "generic")


def test_an_export_holds_what_its_user_may_see_and_no_more(run, tmp_path):
    make_user("unit", "unit")
    make_enterprise(QINGHE, code=make_code(1), contact_name="谭越")
    make_enterprise("云台区别处食品有限公司", region=county(OTHER))
    figures = [["企业名称", "年度", "从业人员"], [QINGHE, 2025, 3]]
    run("import", saved(tmp_path, {"年度指标": figures}), "--region", "500238")

    out = run("export", "county_workbook", "-o", tmp_path / "out.xlsx", "--user", "unit", "--json")
    back = json.loads(run("import", tmp_path / "out.xlsx", "--region", "500238", "--dry-run", "--json").stdout)

    assert json.loads(out.stdout)["rows"] == {"enterprise": 1, "qualification": 0, "figures": 0, "service_log": 0}
    assert back["same"] == 1


def test_an_unknown_profile_cannot_be_exported(run, tmp_path):
    result = run("export", "nothing", "-o", tmp_path / "out.xlsx")

    assert (result.exit_code, (tmp_path / "out.xlsx").exists()) == (2, False)


@pytest.mark.parametrize("place", ["nowhere/out.xlsx", "taken/out.xlsx"], ids=["no folder", "a file for a folder"])
def test_a_place_that_cannot_be_written_is_named_in_one_sentence(run, tmp_path, place):
    (tmp_path / "taken").write_bytes(b"")

    result = run("export", "generic", "-o", tmp_path / place)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{tmp_path / place} cannot be written: ")
    assert len(result.stderr.splitlines()) == 1
    assert count(AccessLog) == 0


@pytest.mark.parametrize("command", ["import", "import-undo", "export"])
def test_every_command_has_help(run, command):
    assert run(command, "--help").exit_code == 0


def test_an_export_of_an_earlier_day_knows_nothing_of_what_came_later(run, tmp_path):
    ended = {"announced_on": date(2023, 5, 1), "ended_on": date(2026, 3, 1), "end_reason": "cancelled"}
    title = ("hnte", date(2023, 5, 1), date(2026, 4, 30), ended)
    make_enterprise(QINGHE, titles=[title], registered_on=date(2018, 6, 14))
    make_enterprise("巫溪县新来食品有限公司", registered_on=date(2026, 2, 1))
    make_enterprise("巫溪县公示食品有限公司", titles=[("srdi", None, None, {"announced_on": date(2026, 7, 1)})])

    out = run("export", "county_workbook", "-o", tmp_path / "out.xlsx", "--on", "2025-12-31", "--json")

    sheets = {sheet.name: sheet.rows for sheet in read_sheets(tmp_path / "out.xlsx")}
    assert json.loads(out.stdout)["rows"]["enterprise"] == 2
    assert json.loads(out.stdout)["rows"]["qualification"] == 1
    assert "2026-03-01" not in str(sheets["认定资格"]) and "取消" not in str(sheets["认定资格"])
