"""Where the table begins and ends in a sheet, and what its headings mean."""

import pytest

from crm.sheets.headers import data_rows, find_header, kinds_of_rows, letter_of, match_header
from crm.sheets.profiles import load_profile
from crm.sheets.reading import SheetData
from crm.sheets.refusals import SheetHasNoHeader, SheetHasNoKey

GENERIC = load_profile("generic").sheets[0]
COUNTY = load_profile("county_workbook")
HEADER = ["序号", "企业名称", "统一社会信用代码", "乡镇"]


def sheet_of(*rows, merged=(), name="企业"):
    width = max(map(len, rows))
    return SheetData(name, False, [[*row, *[""] * (width - len(row))] for row in rows], 1, merged)


def fields(match):
    return {matched.letter: matched.column.field.code for matched in match.columns}


def kinds(sheet, layout=GENERIC):
    return [kind for _, kind in kinds_of_rows(sheet, find_header(sheet, layout))]


def test_the_header_is_found_below_title_notes_and_blank_rows():
    above = (["巫溪县科技型企业名单"], [], ["填写须知：企业名称照营业执照填写"])
    sheet = sheet_of(*above, HEADER, [1.0, "甲公司", "", "城厢镇"])

    match = find_header(sheet, GENERIC)

    assert (match.header_row, match.header_rows, match.data_from) == (3, 1, 4)
    assert fields(match) == {"B": "name", "C": "credit_code", "D": "township"}
    assert [(column.letter, column.heading) for column in match.unknown] == [("A", "序号")]


def test_a_merged_title_with_a_unit_stays_outside_the_header():
    title = "巫溪县企业年度指标（单位：万元）"
    sheet = sheet_of([title], ["序号", "企业名称", "年度", "营业收入"], merged=((0, 0, 0, 3),))

    match = find_header(sheet, COUNTY.sheet("figures"))

    assert (match.header_row, match.header_rows, match.columns[2].unit) == (1, 1, "万元")


@pytest.mark.parametrize(
    "heading",
    ["企业名称", " 企业名称 ", "企业\n名称", "企业名称(必填)", "企业名称（必填）", "*企业名称", "※企业名称：",
     "单位名称", "1.企业名称", "企业名称（与执照一致）"],
    ids=repr,
)  # fmt: skip
def test_a_heading_is_known_through_marks_notes_and_line_breaks(heading):
    assert fields(find_header(sheet_of([heading], ["甲公司"]), GENERIC)) == {"A": "name"}


def test_brackets_that_are_part_of_a_name_are_kept_apart_from_notes():
    sheet = sheet_of(["企业名称", "年度", "研发费用（会计口径）（千元）", "研发费用（高企口径）(万元)", "研发费用"])

    match = find_header(sheet, COUNTY.sheet("figures"))

    assert {column.column.field.code: column.unit for column in match.columns if column.unit} == {
        "rd_expense": "千元",
        "rd_expense_hnte": "万元",
    }


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("注册资本(万元)", "万元"), ("注册资本（单位：亿元）", "亿元"), ("注册资本\n(千元)", "千元"),
     ("注册资金/万元", "万元"), ("注册资本（人民币万元）", "万元"), ("注册资本", None)],
    ids=str,
)  # fmt: skip
def test_the_unit_is_taken_from_the_heading(heading, unit):
    assert find_header(sheet_of(["企业名称", heading]), GENERIC).columns[1].unit == unit


def test_a_unit_written_above_the_table_counts_for_money_without_its_own():
    sheet = sheet_of(["", "", "单位：万元、人"], ["企业名称", "年度", "营业收入", "净利润（元）", "从业人员"])

    match = find_header(sheet, COUNTY.sheet("figures"))

    assert {column.column.field.code: column.unit for column in match.columns} == {
        "name": None, "year": None, "revenue": "万元", "net_profit": "元", "staff_count": None,
    }  # fmt: skip


def test_money_without_any_unit_is_in_the_unit_of_the_profile():
    sheet = sheet_of(["企业名称", "年度", "营业收入"])

    assert find_header(sheet, COUNTY.sheet("figures")).columns[2].unit == "万元"


def test_two_header_rows_are_joined_with_or_without_merged_cells():
    upper = ["企业名称", "年度", "研发费用（万元）", "", "从业人员"]
    lower = ["", "", "会计口径", "高企口径", ""]
    rows = [upper, lower, ["甲公司", 2025.0, 1.0, 2.0, 3.0]]

    merged = find_header(sheet_of(*rows, merged=((0, 2, 0, 3),)), COUNTY.sheet("figures"))
    unmerged = find_header(sheet_of(*rows), COUNTY.sheet("figures"))

    assert fields(merged) == fields(unmerged)
    assert fields(merged) == {"A": "name", "B": "year", "C": "rd_expense", "D": "rd_expense_hnte", "E": "staff_count"}
    assert (merged.header_rows, [column.unit for column in merged.columns]) == (2, [None, None, "万元", "万元", None])


def test_another_scope_or_year_of_a_figure_is_not_taken_for_the_figure():
    one_row = sheet_of(["企业名称", "年度", "营业收入（2024年）", "研发费用（其他口径）"])
    two_rows = sheet_of(["企业名称", "年度", "营业收入"], ["", "", "2024年", "2025年"], merged=((0, 2, 0, 3),))

    in_one, in_two = (find_header(sheet, COUNTY.sheet("figures")) for sheet in (one_row, two_rows))

    assert fields(in_one) == fields(in_two) == {"A": "name", "B": "year"}
    assert (in_two.header_rows, [column.heading for column in in_two.unknown]) == (
        2,
        ["营业收入2024年", "营业收入2025年"],
    )


def test_a_group_heading_over_known_headings_does_not_hide_them():
    sheet = sheet_of(["企业名称", "联系方式", "", "注册情况", ""], ["", "联系人", "联系电话", "成立日期", "注册资本"])

    assert set(fields(find_header(sheet, GENERIC)).values()) == {
        "name", "contact_name", "contact_phone", "registered_on", "capital",
    }  # fmt: skip


def test_of_two_columns_for_one_field_the_better_name_wins_and_the_other_is_told():
    sheet = sheet_of(["企业名称", "组织机构代码", "统一社会信用代码", "注册地址", "详细地址"])

    match = find_header(sheet, GENERIC)

    assert fields(match) == {"A": "name", "C": "credit_code", "D": "address"}
    assert [(column.letter, column.same_as) for column in match.unknown] == [
        ("B", "统一社会信用代码"),
        ("E", "注册地址"),
    ]


def test_a_sheet_without_known_headings_is_named():
    with pytest.raises(SheetHasNoHeader) as caught:
        find_header(sheet_of(["姓名", "手机号"], ["云小栈", "1"], name="成员"), GENERIC)

    assert caught.value.message == (
        "工作表“成员”里找不到表头。表头要有“企业名称”或“统一社会信用代码”这样的列名，放在数据上面一行。"
    )


def test_a_header_without_a_key_is_named():
    with pytest.raises(SheetHasNoKey) as caught:
        find_header(sheet_of(["联系人", "联系电话"], ["云某", "1"]), GENERIC)

    assert caught.value.message == (
        "工作表“企业”的表头里没有“企业名称”或“统一社会信用代码”，认不出每行是哪家企业。补上这一列再传。"
    )


def test_figures_without_a_year_are_named():
    with pytest.raises(SheetHasNoKey) as caught:
        find_header(sheet_of(["企业名称", "营业收入"], name="年度指标"), COUNTY.sheet("figures"))

    assert caught.value.message == "工作表“年度指标”的表头里没有“年度”。补上这一列再传。"


def test_explanation_and_sample_rows_under_the_header_are_no_data():
    sheet = sheet_of(
        HEADER,
        ["", "必填\n照营业执照", "选填", "从下拉里选，例如城厢镇"],
        ["", "巫溪某某公司（示例 上传时请删除）", "", "城厢镇"],
        ["示例", "巫溪某某公司", "", "城厢镇"],
        [1.0, "巫溪示例科技有限公司", "", "城厢镇"],
    )

    assert kinds(sheet) == ["guide", "sample", "sample", "data"]


def test_a_firm_whose_row_asks_and_explains_is_still_data():
    row = ["甲公司", "走访", "2026-05-06", "请补说明", "填写格式"]
    sheet = sheet_of(["企业名称", "方式", "日期", "内容", "下一步"], row)

    assert kinds(sheet, COUNTY.sheet("service_log")) == ["data"]


def test_totals_notes_groups_and_blank_rows_are_no_data():
    sheet = sheet_of(
        HEADER,
        ["城厢镇（2家）"],
        [1.0, "甲公司", "", "城厢镇"],
        [],
        [2.0, "乙公司", "", "城厢镇"],
        ["小计", "", "", 2.0],
        [3.0, "", "", ""],
        ["", " \u3000", "", ""],
        ["合 计", "2家"],
        ["注：名单由各乡镇报送"],
        ["填表人：云某", "", "审核人：溪某"],
    )

    assert kinds(sheet) == ["group", "data", "blank", "data", "total", "blank", "blank", "total", "note", "note"]
    assert [number for number, *_ in data_rows(sheet, find_header(sheet, GENERIC))] == [3, 5]


def test_a_header_repeated_on_each_printed_page_is_no_data():
    assert kinds(sheet_of(HEADER, [1.0, "甲公司"], HEADER, [2.0, "乙公司"])) == ["data", "header", "data"]


def test_one_known_heading_is_enough_when_it_says_whom_a_row_is_about():
    assert match_header(sheet_of(["序号", "企业名称"], [1.0, "甲公司"]), GENERIC) is not None
    assert match_header(sheet_of(["序号", "联系人"], [1.0, "云某"]), GENERIC) is None


def test_letters_are_those_above_the_sheet():
    assert [letter_of(index) for index in (0, 25, 26, 701, 702, 16_383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
