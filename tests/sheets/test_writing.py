"""What is written and read again is the same: lists, csv, the blank template and a whole workbook."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.domain.cells import CLEAR, Unreadable
from crm.domain.codecs import read_value
from crm.domain.date_readers import EARLIEST, latest_date
from crm.domain.fields import CHOICES, FIELDS
from crm.sheets.headers import kinds_of_rows
from crm.sheets.layouts import FIGURES_YEAR
from crm.sheets.profiles import load_profile, tables
from crm.sheets.reading import read_sheets
from crm.sheets.rows import choices_for, typed_rows
from crm.sheets.writing import (
    LONGEST_DROPDOWN,
    OPTIONS_SHEET,
    disarm,
    write_blank,
    write_csv,
    write_list,
    write_workbook,
)
from tests.sheets.sheet_samples import credit_code

TODAY = date(2026, 11, 23)
COUNTY = load_profile("county_workbook")
GENERIC = load_profile("generic")
CHOICES_NOW = {
    "region": {11: "城厢镇", 12: "红池坝镇"},
    "park": {1: "凤凰组团"},
    "carrier": {1: "云栈众创空间"},
    "person": {7: "云某", 8: "溪某"},
    "featured_industry": {"tea": "茶叶", "goat": "山羊（草食牲畜）"},
}
NASTY = ["=1+1", "+86 13800000000", "-5 度", "@某人", "'=x", "00123", "a\nb", "_x0041_", "很长" * 100, 'a "b", c;d']


def read_back(path, profile=COUNTY, choices=CHOICES_NOW):
    found = {}
    for sheet, layout, match in tables(profile, read_sheets(path)):
        rows = list(typed_rows(sheet, layout, match, today=TODAY, choices=choices))
        assert [problem.message for row in rows for problem in row.problems] == []
        found[layout.noun] = [
            {**row.values, **dict.fromkeys(row.cleared, CLEAR)} for row in rows
        ]  # fmt: skip
    return found


def test_a_list_has_title_head_data_and_a_watermark_that_is_no_data(tmp_path):
    path = tmp_path / "list.xlsx"
    columns = [*(FIELDS[f"enterprise.{code}"] for code in ("name", "credit_code", "capital")), ("层级", "text")]
    rows = ([f"云栈{n}公司", credit_code(n), Decimal("12345.67"), "高企"] for n in range(3))

    watermark = "云某 2026-11-23 导出 3 行"
    count = write_list(path, title="企业名单", subtitle="乡镇：城厢镇", columns=columns, rows=rows, watermark=watermark)

    sheet = read_sheets(path)[0]
    assert count == 3
    assert [sheet.rows[0][0], sheet.rows[1][0], sheet.rows[-1][0]] == [
        "企业名单", "乡镇：城厢镇", "注：云某 2026-11-23 导出 3 行",
    ]  # fmt: skip
    assert sheet.rows[2] == ["企业名称", "统一社会信用代码", "注册资本（万元）", "层级"]
    assert sheet.rows[3] == ["云栈0公司", credit_code(0), 1.234567, "高企"]
    _, _, match = tables(GENERIC, [sheet])[0]
    assert [kind for _, kind in kinds_of_rows(sheet, match)] == ["data", "data", "data", "blank", "note"]


def test_a_list_is_frozen_below_its_head_filtered_and_typed(tmp_path):
    path = tmp_path / "list.xlsx"
    columns = [FIELDS["enterprise.credit_code"], FIELDS["enterprise.registered_on"], FIELDS["figures.revenue"]]

    row = [credit_code(1), date(2023, 5, 6), Decimal(5)]
    write_list(path, title="t", columns=columns, rows=[row], watermark="w", money_unit="元")

    sheet = openpyxl.load_workbook(path).active
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B3", "A2:C3")
    assert [(cell.data_type, cell.number_format) for cell in sheet[3]] == [
        ("s", "@"), ("d", "yyyy-mm-dd"), ("n", "#,##0.00"),
    ]  # fmt: skip


def test_an_empty_list_is_a_head_and_a_watermark():
    stream = io.BytesIO()

    assert write_list(stream, title="t", columns=[FIELDS["enterprise.name"]], rows=[], watermark="w") == 0
    assert openpyxl.load_workbook(stream).active["A4"].value == "注：w"


def test_text_that_looks_like_a_formula_or_link_is_written_as_text(tmp_path):
    path = tmp_path / "formulas.xlsx"
    texts = [*NASTY, "http://x.example/a", "{=SUM(A1)}"]

    write_list(path, title="=t", columns=[("=h", "text")], rows=[[text] for text in texts], watermark="=w")

    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml and b"hyperlink" not in xml
    assert [row[0] for row in read_sheets(path)[0].rows[2:14]] == texts


def test_a_cell_that_a_sheet_cannot_hold_is_an_error_and_no_silent_loss(tmp_path):
    with pytest.raises(ValueError, match="row 3, column 1: a sheet cannot hold this cell"):
        write_list(tmp_path / "x.xlsx", title="t", columns=[("h", "text")], rows=[["长" * 40_000]], watermark="w")


def test_csv_is_disarmed_and_reads_back_the_same(tmp_path):
    path = tmp_path / "list.csv"
    columns = [FIELDS["enterprise.name"], FIELDS["enterprise.main_product"], FIELDS["enterprise.capital"]]
    rows = [[f"云栈{n}公司", text, Decimal("-5.5") if n == 0 else Decimal(n)] for n, text in enumerate(NASTY)]

    count = write_csv(path, columns=columns, rows=rows, watermark="云某导出")

    lines = path.read_bytes().decode("utf-8-sig").split("\r\n")
    assert (count, lines[0], lines[-2]) == (len(NASTY), "企业名称,主导产品（服务）,注册资本（万元）", "注：云某导出")
    assert lines[1] == "云栈0公司,'=1+1,-0.00055"
    assert [row[1] for row in read_sheets(path)[0].rows[1:-1]] == NASTY


@given(st.text(alphabet="'=+-@\t\r a1", max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_disarmed_text_never_starts_a_formula(text):
    assert disarm(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


# --- the blank template -----------------------------------------------------------------------------------------


@pytest.fixture
def blank(tmp_path):
    path = tmp_path / "blank.xlsx"
    write_blank(COUNTY, path, CHOICES_NOW)
    return path


def test_the_blank_names_its_profile_and_version(blank):
    book = openpyxl.load_workbook(blank)

    assert book.sheetnames == ["企业", "认定资格", "年度指标", "服务记录"]
    assert book["企业"]["A1"].value == "县级企业台账 · 企业（模板第 1 版）"
    assert {prop.name: prop.value for prop in book.custom_doc_props.props} == {
        "profile": "county_workbook",
        "profile_version": 1,
    }


def test_the_blank_marks_required_columns_units_and_code_columns(blank):
    sheet = openpyxl.load_workbook(blank)["企业"]
    heads = {cell.value: cell for cell in sheet[3]}

    assert {"企业名称（必填）", "统一社会信用代码", "注册资本（万元）"} <= set(heads)
    assert sheet.freeze_panes == "B4"
    assert sheet.column_dimensions["B"].number_format == "@"
    assert "GB 32100-2015" in heads["统一社会信用代码"].comment.text


def test_the_blank_offers_drop_downs_and_puts_long_ones_on_a_hidden_sheet(blank):
    book = openpyxl.load_workbook(blank)
    checks = {str(check.sqref).split(":")[0]: check for check in book["年度指标"].data_validations.dataValidation}
    columns = {cell.value: f"{cell.column_letter}4" for cell in book["年度指标"][3]}
    industry = checks[columns["划型行业"]]
    firms = [check.formula1 for check in book["企业"].data_validations.dataValidation if check.type == "list"]

    assert '"城厢镇,红池坝镇"' in firms and '"是,否"' in firms
    assert industry.formula1.strip('"').split(",") == list(CHOICES["sme_industry"].values())
    assert all(len(source) <= LONGEST_DROPDOWN + 2 for source in firms)
    assert checks[columns["年度（必填）"]].type == "whole"
    assert checks[columns["营业收入（万元）"]].type == "decimal"
    told = [checks[columns[name]].error for name in ("年度（必填）", "营业收入（万元）")]
    assert told == ["填整数。", "填数字，不知道留空。"]


def test_a_list_too_long_for_a_drop_down_stands_whole_on_the_hidden_sheet(tmp_path):
    towns = {number: f"第{number}个名字很长的乡镇（街道）" for number in range(60)}
    write_blank(COUNTY, tmp_path / "blank.xlsx", {"region": towns})

    book = openpyxl.load_workbook(tmp_path / "blank.xlsx")
    sources = [check.formula1 for check in book["企业"].data_validations.dataValidation if check.type == "list"]

    assert book[OPTIONS_SHEET].sheet_state == "hidden"
    assert f"'{OPTIONS_SHEET}'!$A$1:$A$60" in [source.lstrip("=") for source in sources]
    assert [cell.value for cell in book[OPTIONS_SHEET]["A"]] == list(towns.values())


def test_a_blank_without_rows_is_recognised_and_holds_none(blank):
    assert read_back(blank) == {"enterprise": [], "qualification": [], "figures": [], "service_log": []}


def test_a_filled_blank_is_read_as_it_was_filled(blank):
    book = openpyxl.load_workbook(blank)
    who = {"统一社会信用代码": credit_code(1), "企业名称": "巫溪云栈农业有限公司"}
    filled = {
        "企业": {"企业名称（必填）": "巫溪云栈农业有限公司", "统一社会信用代码": credit_code(1),
                 "注册资本（万元）": 150.5, "成立日期": date(2015, 5, 6), "乡镇（考核）": "红池坝镇",
                 "规上": "否", "主体类型": "公司"},
        "认定资格": {**who, "资格种类（必填）": "高新技术企业", "编号": "GR202450001234",
                 "有效期止": date(2027, 11, 27)},
        "年度指标": {**who, "年度（必填）": 2025, "营业收入（万元）": 0, "从业人员": 12, "划型行业": "工业"},
        "服务记录": {**who, "日期（必填）": date(2026, 5, 6), "方式（必填）": "走访", "内容（必填）": "-看了\n新线"},
    }  # fmt: skip
    for name, cells in filled.items():
        sheet = book[name]
        columns = {cell.value: cell.column for cell in sheet[3]}
        for heading, value in cells.items():
            sheet.cell(4, columns[heading]).value = value
    book.save(blank)

    key = {"enterprise.credit_code": credit_code(1), "enterprise.name": "巫溪云栈农业有限公司"}
    assert read_back(blank) == {
        "enterprise": [{**key, "enterprise.capital": Decimal("1505000"), "enterprise.registered_on": date(2015, 5, 6),
                        "enterprise.township": 12, "enterprise.above_scale": False,
                        "enterprise.subject_type": "company"}],
        "qualification": [{**key, "qualification.kind": "hnte", "qualification.number": "GR202450001234",
                           "qualification.valid_to": date(2027, 11, 27)}],
        "figures": [{**key, FIGURES_YEAR: 2025, "figures.revenue": Decimal(0), "figures.staff_count": 12,
                     "figures.sme_industry": "industry"}],
        "service_log": [{**key, "service_log.happened_on": date(2026, 5, 6), "service_log.kind": "visit",
                         "service_log.text": "-看了\n新线"}],
    }  # fmt: skip


# --- export and import again ------------------------------------------------------------------------------------

_BY_TYPE = {
    "date": st.dates(EARLIEST, latest_date(TODAY)),
    "year": st.integers(2008, 2038),
    "money": st.decimals(0, "9999999999999.99", places=2),
    "ratio": st.decimals(0, 1, places=4),
    "number": st.decimals(0, 100, places=2),
    "yes_no": st.booleans(),
    "industry": st.sampled_from(["C", "C13", "C1371", "A0111"]),
}
_texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=12))


def _values_of(field):
    options = choices_for(field, CHOICES_NOW) or CHOICES.get(field.choices or "")
    if options:
        return st.sampled_from(list(options))
    if field.type == "count":
        return st.integers(field.minimum or 0, min(5, field.maximum or 5))
    if field.type in _BY_TYPE:
        return _BY_TYPE[field.type]
    return _texts.map(lambda text: _as_stored(field, text))


def _as_stored(field, text):
    """Text as it would have been stored: through the codec, or not at all."""
    try:
        value = read_value(field, text, today=TODAY)
    except Unreadable:
        return None
    return None if value is CLEAR else value


@st.composite
def _rows_of(draw, noun):
    """Up to three rows of a noun with a few of its fields."""
    layout = COUNTY.sheet(noun)
    rows = []
    for number in range(draw(st.integers(0, 3))):
        row = {"enterprise.credit_code": credit_code(number), "enterprise.name": f"巫溪云栈{number}公司"}
        fields = [column.field for column in layout.columns if column.key not in row]
        chosen = set(draw(st.lists(st.sampled_from(fields), max_size=8)))
        for field in fields:
            if field in chosen or field.required:
                value = draw(_values_of(field))
                row[field.key] = value if value is not None else ("内容" if field.required else None)
        rows.append({key: value for key, value in row.items() if value is not None})
    return rows


@given(st.fixed_dictionaries({sheet.noun: _rows_of(sheet.noun) for sheet in COUNTY.sheets}))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
def test_an_export_read_again_gives_the_same_values(tmp_path, data):
    path = tmp_path / "export.xlsx"

    counts = write_workbook(COUNTY, path, data, choices=CHOICES_NOW, watermark="云某 2026-11-23 导出")

    assert counts == {noun: len(rows) for noun, rows in data.items()}
    assert read_back(path) == data


def test_an_export_of_a_stream_writes_every_column(tmp_path):
    path = tmp_path / "export.xlsx"
    row = {"enterprise.name": "巫溪云栈农业有限公司", "enterprise.township_tax": 11}

    write_workbook(GENERIC, path, {"enterprise": iter([row])}, choices=CHOICES_NOW)

    assert read_back(path, GENERIC) == {"enterprise": [row]}


def test_an_export_that_breaks_off_leaves_an_earlier_file_as_it_was(tmp_path):
    place = tmp_path / "out.xlsx"
    place.write_bytes(b"earlier")

    def rows():
        yield ["甲"]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_list(place, title="名单", columns=[("名称", "text")], rows=rows(), watermark="注")

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.xlsx", b"earlier")]
