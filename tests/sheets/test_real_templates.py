"""Templates that offices really send round. The files themselves may lie beside the project; their shapes are always
rebuilt here with invented firms, so the behaviour is proved in every checkout."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from crm.sheets.headers import find_header, kinds_of_rows
from crm.sheets.layouts import Column, SheetLayout
from crm.sheets.profiles import load_profile, tables
from crm.sheets.reading import read_sheets
from crm.sheets.refusals import SheetHasNoHeader
from crm.sheets.rows import typed_rows
from tests.sheets.sheet_samples import PARK_HEADINGS, excelize_empty_fill, park_template, register_header_only

TODAY = date(2026, 11, 23)
GENERIC = load_profile("generic")
FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "workbooks"


@pytest.fixture(params=["look_alike", "as_sent"])
def file_of(request, tmp_path):
    """Gives the path of a template: the rebuilt one, and the real one where its folder is at hand."""

    def path_of(name, build):
        real = FOLDER / name
        return real if request.param == "as_sent" and real.exists() else build(tmp_path / name)

    return path_of


def test_a_workbook_with_an_empty_fill_is_read_where_openpyxl_gives_up(file_of):
    path = file_of("excelize_empty_fill_template.xlsx", excelize_empty_fill)

    sheet = read_sheets(path)[0]

    with pytest.raises(TypeError):
        openpyxl.load_workbook(path, read_only=True)
    assert (sheet.name, len(sheet.rows)) == ("Sheet1", 5)
    assert sheet.rows[2] == ["User ID", "姓名", "手机号", "邮箱", "账号类型", "部门", "职位", "工号", "入职时间"]
    assert sheet.merged == ((1, 0, 1, 8),)


def test_its_explanation_and_sample_rows_are_no_data(file_of):
    sheet = read_sheets(file_of("excelize_empty_fill_template.xlsx", excelize_empty_fill))[0]
    name, phone = (GENERIC.sheets[0].column(f"enterprise.{code}") for code in ("name", "contact_phone"))
    members = SheetLayout("enterprise", "成员", (Column(name.field, "姓名"), phone), ("enterprise.name",))

    assert [kind for _, kind in kinds_of_rows(sheet, find_header(sheet, members))] == ["guide", "sample"]


def test_it_is_no_list_of_enterprises_and_that_is_said(file_of):
    with pytest.raises(SheetHasNoHeader) as caught:
        tables(GENERIC, read_sheets(file_of("excelize_empty_fill_template.xlsx", excelize_empty_fill)))

    assert caught.value.message == (
        "工作表“Sheet1”里找不到表头。表头要有“企业名称”或“统一社会信用代码”这样的列名，放在数据上面一行。"
    )


def test_a_parks_template_is_one_row_whatever_is_formatted_below(file_of):
    sheets = read_sheets(file_of("park_enterprise_import_template.xlsx", park_template))
    sheet, layout, match = tables(GENERIC, sheets)[0]

    row, *others = typed_rows(sheet, layout, match, today=TODAY)

    assert sheet.rows[0] == list(PARK_HEADINGS)
    assert {column.letter: column.column.field.code for column in match.columns} == {
        "A": "name", "B": "address", "D": "legal_person", "E": "contact_phone", "G": "capital", "H": "above_scale",
        "K": "subject_type", "T": "contact_name", "V": "notes",
    }  # fmt: skip
    assert [(column.letter, column.same_as) for column in match.unknown if column.same_as] == [
        ("C", "注册地址"), ("S", "注册地址"), ("U", "联系电话(必填)"),
    ]  # fmt: skip
    assert (others, row.row) == ([], 2)
    assert (row.values["enterprise.capital"], row.values["enterprise.above_scale"]) == (Decimal(30000), True)
    assert [(problem.letter, problem.code, problem.severity) for problem in row.problems] == [
        ("K", "unknown_choice", "warning")
    ]


def test_an_old_workbook_of_headings_only_is_recognised_and_has_no_rows(file_of):
    sheets = read_sheets(file_of("enterprise_data_header_only.xls", register_header_only))
    sheet, layout, match = tables(GENERIC, sheets)[0]

    assert (sheet.name, list(typed_rows(sheet, layout, match, today=TODAY))) == ("details", [])
    assert [column.column.field.code for column in match.columns] == [
        "name", "contact_phone", "credit_code", "old_number", "status", "subject_type", "registered_on",
        "legal_person", "capital", "industry_code", "former_name", "address",
    ]  # fmt: skip
    assert [column.heading for column in match.unknown] == [
        "邮箱", "组织机构代码", "营业期限", "登记机关", "发照日期", "公司规模", "英文名", "经营范围",
    ]  # fmt: skip
