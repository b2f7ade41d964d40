"""Lists as offices publish them, made here of invented firms: defaults, group rows, blanks, what a profile says."""

from datetime import date
from decimal import Decimal

import pytest

from crm.sheets.layouts import AREA
from crm.sheets.profiles import load_profile, read, read_profile
from crm.sheets.reading import SheetData, read_sheets
from crm.sheets.refusals import ProfileInvalid
from crm.sheets.rows import typed_rows
from tests.sheets.sheet_samples import credit_code, workbook

TODAY = date(2026, 11, 23)


def rows_of(path, profile, **said):
    """The typed rows of the one table of a file."""
    sheets = [path] if isinstance(path, SheetData) else read_sheets(path, name=path.name)
    [table] = read(load_profile(profile), sheets, **said).tables
    return list(typed_rows(*table, today=TODAY))


@pytest.mark.parametrize(
    ("profile", "heading", "number", "kind"),
    [
        ("hnte_list", "高新技术企业证书编号", "GR202551000001", "hnte"),
        ("cq_tech_list", "入库编号", "20250001", "cq_tech"),
        ("tech_sme_list", "入库登记编号", "202550023800000001", "tech_sme"),
        ("srdi_list", "证书编号", "ZJTX0001", "srdi"),
    ],
)
def test_a_list_of_one_title_says_its_kind_in_every_row(tmp_path, profile, heading, number, kind):
    path = workbook(
        tmp_path / "名单.xlsx",
        {
            "Sheet1": [
                ["附件"],
                ["2025年度名单"],
                ["序号", "企业名称", heading],
                [1, "渝东甲科技有限公司", number],
                [2, "渝东乙机械有限公司", None],
                ["合计", 2, None],
            ]
        },
    )

    first, second = rows_of(path, profile, once={"qualification.batch": "第一批"})

    assert (first.values["qualification.kind"], first.values["qualification.number"]) == (kind, number)
    assert (second.values["qualification.kind"], second.values["qualification.batch"]) == (kind, "第一批")
    assert "qualification.number" not in second.values
    assert [problem for row in (first, second) for problem in row.problems] == []


def test_a_column_goes_before_what_is_said_once_and_a_person_before_the_profile(tmp_path):
    heads = ["企业名称", "批次", "公告日期"]
    path = workbook(tmp_path / "名单.xlsx", {"名单": [heads, ["渝东甲科技有限公司", "第三批", "2026-05-06"]]})
    said = {
        "qualification.kind": "专精特新“小巨人”企业",
        "qualification.batch": "第一批",
        "qualification.announced_on": "2026年4月",
        "qualification.number": "不许说",
    }

    [row] = rows_of(path, "srdi_list", once=said)

    assert row.values == {
        "enterprise.name": "渝东甲科技有限公司",
        "qualification.kind": "little_giant",
        "qualification.batch": "第三批",
        "qualification.announced_on": date(2026, 5, 6),
    }


GROUPED = [
    ["序号", "企业名称", "统一社会信用代码"],
    ["一、凤凰镇（2家）", None, None],
    [1, "渝东甲科技有限公司", credit_code(1)],
    [2, "渝东乙机械有限公司", credit_code(2)],
    ["（二）宁河街道（共 1 家）", None, None],
    [3, "渝东丙食品有限公司", credit_code(3)],
    ["制造业（1家）", None, None],
    [4, "渝东丁建材有限公司", credit_code(4)],
    ["合计", None, 4],
]


def test_a_group_row_gives_its_place_to_the_rows_below_until_the_next_one(tmp_path):
    rows = rows_of(workbook(tmp_path / "名单.xlsx", {"名单": GROUPED}), "hnte_list")

    assert [row.values.get(AREA) for row in rows] == ["凤凰镇", "凤凰镇", "宁河街道", None]


def test_a_place_merged_over_the_columns_is_a_group_row_and_no_firm(tmp_path):
    heads = ["企业名称", "统一社会信用代码", "证书编号", "备注"]
    table = [heads, ["凤凰镇", None, None, None], ["渝东甲科技有限公司", credit_code(1), None, None]]
    path = workbook(tmp_path / "名单.xlsx", {"名单": table}, merged=["A2:D2"])

    [row] = rows_of(path, "hnte_list")

    assert (row.row, row.values[AREA]) == (3, "凤凰镇")


def test_the_rows_own_place_goes_before_that_of_the_group(tmp_path):
    table = [["企业名称", "区县"], ["凤凰镇（2家）", None], ["渝东甲科技有限公司", "云阳县"]]

    [row] = rows_of(workbook(tmp_path / "名单.xlsx", {"名单": table}), "hnte_list")

    assert row.values[AREA] == "云阳县"


def test_service_logs_keep_their_own_day_and_author(tmp_path):
    heads = ["走访时间", "走访企业", "走访人员", "走访方式", "走访情况"]
    table = [heads, ["2024.3.5", "渝东甲科技有限公司", "冉启明", "实地走访", "设备已到位"]]

    [row] = rows_of(workbook(tmp_path / "走访.xlsx", {"走访台账": table}), "service_logs")

    assert row.problems == []
    assert (row.values["service_log.happened_on"], row.values["service_log.author_name"]) == (
        date(2024, 3, 5),
        "冉启明",
    )


def test_a_file_of_one_year_of_figures_says_the_year_once(tmp_path):
    table = [["单位：千元"], ["企业名称", "营业收入"], ["渝东甲科技有限公司", 12]]
    path = workbook(tmp_path / "指标.xlsx", {"Sheet1": table})

    assert [one.key for one in read(load_profile("figures"), read_sheets(path, name="a.xlsx")).questions] == [
        "figures.year"
    ]
    [row] = rows_of(path, "figures", once={"figures.year": "2025"})
    assert (row.values["figures.year"], row.values["figures.revenue"]) == (2025, Decimal(12_000))


MINE = """
code = "mine"
title = "我的"
[[sheet]]
noun = "enterprise"
name = "企业"
key = ["enterprise.name"]
column = [
    { field = "enterprise.name" },
    { field = "enterprise.contact_name", blank = "clears" },
    { field = "enterprise.contact_phone" },
]
"""


def test_a_blank_clears_only_where_the_profile_says_so():
    sheet = SheetData("企业", False, [["企业名称", "联系人", "联系电话"], ["甲公司", "", ""], ["乙公司", "谭越", "-"]])
    [table] = read(read_profile(MINE), [sheet]).tables

    first, second = typed_rows(*table, today=TODAY)

    assert first.cleared == {"enterprise.contact_name"}
    assert second.cleared == set()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"clears"', '"gone"', "enterprise.contact_name: blank is leave or clears, not gone"),
        (
            '{ field = "enterprise.name" }',
            '{ field = "enterprise.name", blank = "clears" }',
            "enterprise.name: a key or required column cannot be cleared by a blank",
        ),
        ('name = "企业"', 'name = "企业"\nunknown = "maybe"', "sheet 企业: unknown is enters or unmatched, not maybe"),
        ('name = "企业"', 'name = "企业"\nonce = ["figures.year"]', "sheet 企业: figures.year is no column of its own"),
    ],
)
def test_a_profile_that_says_what_cannot_be_is_refused_with_the_place(before, after, message):
    with pytest.raises(ProfileInvalid) as caught:
        read_profile(MINE.replace(before, after), "mine.toml")

    assert str(caught.value) == f"mine.toml: {message}"
