"""Shipped profiles load, refer to declared fields only, and recognise the sheets of a file."""

from datetime import date

import pytest

from crm.actions.import_reading import PROFILES
from crm.domain.fields import FIELDS, fields_of
from crm.sheets.layouts import AREA, FIGURES_YEAR
from crm.sheets.profiles import UnknownProfile, UnknownSheet, load_profile, profiles, read, read_profile, tables
from crm.sheets.reading import SheetData
from crm.sheets.refusals import ProfileInvalid, SheetHasNoHeader, SheetHasNoKey, SheetHasNoRows
from crm.sheets.rows import typed_rows

COUNTY = load_profile("county_workbook")


def sheet_of(name, *rows, hidden=False):
    return SheetData(name, hidden, [list(row) for row in rows])


FIRMS = sheet_of("企业台账2025", ["企业名称", "乡镇"], ["甲公司", "城厢镇"])
FIGURES = sheet_of("Sheet2", ["企业名称", "年度", "营业收入（万元）"], ["甲公司", 2025.0, 1.0])
TITLES = sheet_of("Sheet3", ["企业名称", "资格种类", "有效期至"], ["甲公司", "高企", "2027-01-01"])
VISITS = sheet_of("走访", ["企业名称", "走访日期", "走访内容"], ["甲公司", "2026-05-06", "看"])
NOTES = sheet_of("说明", ["一、怎样填"], ["二、填什么"])


def test_every_shipped_profile_loads_and_names_declared_fields():
    assert [profile.code for profile in profiles()] == sorted(PROFILES)
    used = {column.key for profile in profiles() for sheet in profile.sheets for column in sheet.columns}
    assert used - set(FIELDS) == {FIGURES_YEAR, AREA}


@pytest.mark.parametrize("noun", ["enterprise", "qualification", "figures", "service_log"])
def test_the_county_workbook_knows_every_field_of_its_nouns(noun):
    known = {column.key for column in COUNTY.sheet(noun).columns}

    assert {field.key for field in fields_of(noun)} <= known


def test_no_heading_of_a_sheet_stands_for_two_fields():
    for profile in profiles():
        for sheet in profile.sheets:
            titles = [column.title for column in sheet.columns]
            assert len(titles) == len(set(titles))


def test_an_unknown_profile_is_named_with_those_there_are():
    with pytest.raises(UnknownProfile) as caught:
        load_profile("province")

    assert caught.value.message == "没有叫“province”的导入方案。可用的有：" + "、".join(sorted(PROFILES)) + "。"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code = ", "mine.toml: Invalid value (at end of document)"),
        ('title = "x"\ncode = "x"', "mine.toml: 'sheet' is missing or no declared field"),
        ('code = "x"\ntitle = "x"\n[[sheet]]\nnoun = "enterprise"\nname = "s"\nkey = ["enterprise.name"]',
         "mine.toml: sheet s: key enterprise.name is no column of it"),
        ('code = "x"\ntitle = "x"\n[[sheet]]\nnoun = "enterprise"\nname = "s"\nkey = []\n'
         'column = [{ field = "enterprise.colour" }]',
         "mine.toml: 'enterprise.colour' is missing or no declared field"),
        ('code = "x"\ntitle = "x"\n[[sheet]]\nnoun = "enterprise"\nname = "s"\nkey = []\n'
         'column = [{ field = "enterprise.capital", unit = "两" }]',
         "mine.toml: enterprise.capital: 两 is no unit; known are 元, 百元, 千元, 万元, 百万元, 千万元, 亿元 and %"),
    ],
    ids=["no_toml", "no_sheet", "key_without_column", "unknown_field", "unknown_unit"],
)  # fmt: skip
def test_a_profile_that_cannot_be_used_says_where(text, message):
    with pytest.raises(ProfileInvalid) as caught:
        read_profile(text, "mine.toml")

    assert caught.value.message == message


def test_sheets_are_recognised_by_name_with_a_year_beside_it_and_by_their_headings():
    found = tables(COUNTY, [FIRMS, FIGURES, TITLES, VISITS, NOTES])

    assert [table.layout.noun for table in found] == ["enterprise", "figures", "qualification", "service_log"]


def test_hidden_and_empty_sheets_are_not_read():
    hidden = sheet_of("企业", *FIRMS.rows, hidden=True)

    with pytest.raises(SheetHasNoRows):
        tables(COUNTY, [hidden, sheet_of("Sheet3")])


def test_that_a_hidden_sheet_is_not_read_is_told_and_the_lists_of_our_own_template_are_not():
    reading = read(COUNTY, [FIRMS, sheet_of("旧数据", *FIRMS.rows, hidden=True), sheet_of("选项", ["是"], hidden=True)])

    assert [table.sheet.notes for table in reading.tables] == [("表“旧数据”是隐藏的，没有读。要读就取消隐藏再传。",)]


HEADS = ["企业名称", "统一社会信用代码", "证书编号", "批次", "有效期至"]
LISTED = sheet_of("资格名单", HEADS, ["甲公司", "91500299MA1AAAAAXX", "GR202551000001", "第一批", "2028-11-01"])


def test_a_list_of_titles_that_does_not_say_which_asks_and_is_no_list_of_firms():
    reading = read(COUNTY, [LISTED])

    assert reading.tables == []
    assert [(one.key, one.whole) for one in reading.questions] == [("qualification.kind", True)]
    assert reading.questions[0].sentence == (
        "表“资格名单”里有证书编号、批次、有效期至，没有写资格种类。答了才能读，现在整张表没有读入。"
    )


def test_an_answer_makes_the_list_readable():
    reading = read(COUNTY, [LISTED], answers={("资格名单", "qualification"): "高企"})

    [table] = reading.tables
    [row] = typed_rows(*table, today=date(2026, 11, 23))
    assert reading.questions == []
    assert (row.values["qualification.kind"], row.values["qualification.number"]) == ("hnte", "GR202551000001")


WIDE = sheet_of(
    "企业台账",
    ["企业名称", "乡镇", "营业收入（万元）", "研发费用（万元）"],
    ["甲公司", "凤凰镇", 300.0, 12.0],
    ["乙公司", "宁河街道", "", ""],
)


def test_figures_beside_a_list_of_firms_ask_for_their_year():
    reading = read(COUNTY, [WIDE])

    assert [table.layout.noun for table in reading.tables] == ["enterprise"]
    assert [(one.noun, one.key, one.whole) for one in reading.questions] == [("figures", "figures.year", False)]


def test_figures_of_a_year_that_was_told_are_rows_of_their_own_and_firms_without_any_are_none():
    reading = read(COUNTY, [WIDE], answers={("企业台账", "figures"): "2025"})

    firms, figures = reading.tables
    rows = list(typed_rows(*figures, today=date(2026, 11, 23)))
    assert len(list(typed_rows(*firms, today=date(2026, 11, 23)))) == 2
    assert [(row.values["enterprise.name"], row.values["figures.year"]) for row in rows] == [("甲公司", 2025)]


def test_several_sheets_of_one_layout_are_all_read():
    towns = [sheet_of(name, *FIRMS.rows) for name in ("城厢镇", "红池坝镇")]

    assert [table.sheet.name for table in tables(COUNTY, towns)] == ["城厢镇", "红池坝镇"]


def test_one_sheet_can_be_asked_for_even_if_hidden():
    hidden = sheet_of("旧表", *FIRMS.rows, hidden=True)

    assert [table.sheet.name for table in tables(COUNTY, [FIGURES, hidden], only="旧表")] == ["旧表"]
    with pytest.raises(UnknownSheet) as caught:
        tables(COUNTY, [FIGURES], only="新表")
    assert caught.value.message == "文件里没有叫“新表”的工作表。核对表名，或不选表名。"


def test_a_file_without_any_table_says_what_is_missing():
    with pytest.raises(SheetHasNoHeader):
        tables(COUNTY, [sheet_of("Sheet1", ["甲", "乙"])])
    with pytest.raises(SheetHasNoRows):
        tables(COUNTY, [sheet_of("Sheet1"), sheet_of("Sheet2")])


def test_a_sheet_called_like_one_of_the_profile_must_have_its_header():
    with pytest.raises(SheetHasNoHeader):
        tables(COUNTY, [FIRMS, sheet_of("年度指标", ["数据待补"])])
    with pytest.raises(SheetHasNoKey):
        tables(COUNTY, [FIRMS, sheet_of("年度指标", ["年度", "营业收入"], ["2025", 1.0])])


def test_a_sheet_of_figures_without_its_year_asks_even_for_one_column():
    reading = read(COUNTY, [FIRMS, sheet_of("年度指标", ["企业名称", "营业收入"], ["甲公司", 1.0])])

    assert [one.sentence for one in reading.questions] == [
        "表“年度指标”里有营业收入，没有写年度。答了才能读，现在整张表没有读入。"
    ]
