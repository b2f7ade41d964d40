"""Reading and writing of field values: what an office types, and what is refused with which sentence."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.cells import CLEAR, Noted, Unreadable
from crm.domain.codecs import read_value, reader_of, write_value
from crm.domain.date_readers import EARLIEST, latest_date
from crm.domain.fields import CHOICES, FIELDS

TODAY = date(2026, 11, 23)
A_MORNING = datetime.fromisoformat("2023-05-06T09:30")  # cells carry no time zone
TOO_EARLY = "早于 1949-10-01，多半是把数字或空格当成了日期。改成真实的日期，或留空表示不知道。"
TOO_LATE = "晚于 2038-12-31，多半是“长期”的写法或年份打错。改成真实的日期，没有期限就留空。"


def read(key, raw, **options):
    return read_value(FIELDS[key], raw, today=TODAY, **options)


def refusal(key, raw, **options):
    with pytest.raises(Unreadable) as caught:
        read(key, raw, **options)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("raw", [None, "", "  ", "\u3000", "-", "－", "/", "—", "无", "暂 无"], ids=repr)
def test_an_empty_or_dash_like_cell_says_nothing(raw):
    assert read("figures.staff_count", raw) is None


@pytest.mark.parametrize("raw", [0, 0.0, "0", "０"], ids=repr)
def test_zero_is_a_value_and_no_blank(raw):
    assert read("figures.staff_count", raw) == 0


def test_a_dash_is_text_where_the_field_keeps_it():
    assert read("enterprise.notes", "-") == "-"


def test_the_typed_word_clears_in_every_type():
    cleared = {key for key, field in FIELDS.items() if read_value(field, " 清空 ", today=TODAY) is CLEAR}

    assert cleared == set(FIELDS)


@pytest.mark.parametrize(
    "raw",
    [
        date(2023, 5, 6), A_MORNING, 45052.0, "45052", "2023.5.6", "2023-05-06", "2023/5/6",
        "2023年5月6日", "２０２３年５月６日", "20230506", 20230506.0, "2023-05-06 00:00:00",
    ],
    ids=repr,
)  # fmt: skip
def test_a_date_is_read_in_the_ways_offices_write_it(raw):
    assert read("enterprise.registered_on", raw) == date(2023, 5, 6)


def test_a_month_is_its_first_day_or_for_an_end_its_last_and_says_so():
    start = reader_of(FIELDS["qualification.valid_from"], today=TODAY)("2023/2")
    end = reader_of(FIELDS["qualification.valid_to"], today=TODAY)("2024年2月")

    assert start == Noted(date(2023, 2, 1), "“2023/2”只有年月，按 2023-02-01 读。", "month_only")
    assert end == Noted(date(2024, 2, 29), "“2024年2月”只有年月，按 2024-02-29 读。", "month_only")


@pytest.mark.parametrize(
    ("raw", "code", "sentence"),
    [
        ("1900-01-05", "date_impossible", "“1900-01-05”" + TOO_EARLY),
        (5.0, "date_impossible", "“5”（1900-01-04）" + TOO_EARLY),
        ("2099-12-31", "date_impossible", "“2099-12-31”" + TOO_LATE),
        ("2023", "year_only", "“2023”只有年份。补上月和日，写成 2023-05-06 的样子，或留空表示不知道。"),
        (2023.1, "not_a_date", "“2023.1”像年月，却是数字，10 月和 1 月分不开。写成 2023-05-06 的样子。"),
        ("2023-02-30", "not_a_date", "“2023-02-30”这一天日历上没有。写成 2023-05-06 的样子，或留空表示不知道。"),
        ("5/6/2023", "not_a_date", "“5/6/2023”不是日期。写成 2023-05-06 的样子，或留空表示不知道。"),
        ("长期", "not_a_date", "“长期”不是日期。没有期限就留空。"),
        (float("nan"), "not_a_date", "“nan”不是日期。写成 2023-05-06 的样子，或留空表示不知道。"),
        (True, "not_a_date", "“是”不是日期。写成 2023-05-06 的样子，或留空表示不知道。"),
    ],
    ids=lambda value: str(value)[:16],
)  # fmt: skip
def test_a_date_that_cannot_be_is_refused_with_its_likely_meaning(raw, code, sentence):
    assert refusal("qualification.issued_on", raw) == (code, sentence)


@pytest.mark.parametrize(
    ("raw", "unit", "yuan"),
    [
        ("150万人民币", None, "1500000"), ("150万", None, "1500000"), ("1.5亿元", None, "150000000"),
        ("人民币100万元整", None, "1000000"), ("1,234.50", None, "1234.50"), ("１２３４．５", None, "1234.5"),
        (30000.0, None, "30000"), (37.706, "万元", "377060"), ("12.5", "千元", "12500"), (0.3, "亿元", "30000000"),
        ("150元", "万元", "150"), (0.1 + 0.2, "万元", "3000"), ("￥5", None, "5"),
    ],
    ids=str,
)  # fmt: skip
def test_money_is_exact_yuan_whatever_unit_stands_in_heading_or_cell(raw, unit, yuan):
    assert read("figures.revenue", raw, unit=unit) == Decimal(yuan)


def test_a_loss_may_be_negative_in_any_of_its_spellings():
    assert {read("figures.net_profit", raw) for raw in (-5.5, "-5.5", "−5.5", "(5.50)", "（5.5）")} == {Decimal("-5.5")}


@pytest.mark.parametrize(
    ("key", "raw", "code", "sentence"),
    [
        ("figures.revenue", "150万美元", "foreign_currency", "“150万美元”不是人民币。折算成元再填，或留空表示不知道。"),
        ("figures.revenue", "三百万", "not_a_number", "“三百万”不是金额。改成数字，或留空表示不知道。"),
        ("figures.revenue", -1.0, "negative", "“-1”是负数，营业收入不会小于 0。改成数字，或留空表示不知道。"),
        ("figures.revenue", 1e14, "out_of_range", "“100000000000000”大得不可能。核对单位，或留空表示不知道。"),
        ("figures.staff_count", "四十余人", "not_a_number", "“四十余人”不是数。改成整数，或留空表示不知道。"),
        ("figures.staff_count", -3.0, "negative", "“-3”是负数，从业人员不会小于 0。改成整数，或留空表示不知道。"),
        ("figures.staff_count", "12.5", "not_whole", "“12.5”不是整数。改成整数，或留空表示不知道。"),
        ("figures.staff_count", "1,23", "not_a_number", "“1,23”不是数。改成整数，或留空表示不知道。"),
        ("figures.platform_score", "101", "out_of_range",
         "“101”不可能，平台发展评价得分不小于 0、不大于 100。改正，或留空表示不知道。"),
        ("figures.market_share", "很高", "not_a_number", "“很高”不是比例。写成 5% 或 0.05，或留空表示不知道。"),
        ("figures.own_accounts", "也许", "not_yes_or_no", "“也许”看不出是或否。填“是”或“否”，或留空表示不知道。"),
        ("qualification.cohort_year", "2099", "out_of_range",
         "“2099”不在 2000 到 2038 年之间。改正年份，或留空表示不知道。"),
        ("qualification.cohort_year", "去年", "not_a_year", "“去年”不是年份。写成 2025 的样子，或留空表示不知道。"),
        ("enterprise.source", "外星", "unknown_choice",
         "“外星”不在来源的可选词里。改成 本地、引进 之一，或留空表示不知道。"),
        ("enterprise.name", "长" * 300, "too_long", "企业名称有 300 个字，最多 120 个字。改短后再填。"),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_in_one_sentence(key, raw, code, sentence):
    assert refusal(key, raw) == (code, sentence)


@pytest.mark.parametrize(
    ("raw", "unit", "ratio"),
    [
        (0.05, None, "0.05"), ("5%", None, "0.05"), ("５％", None, "0.05"), ("5", None, "0.05"), (5, None, "0.05"),
        (1, None, "1"), (0.5, "%", "0.005"),
    ],
    ids=str,
)  # fmt: skip
def test_a_percentage_is_read_in_its_three_spellings(raw, unit, ratio):
    assert read("figures.market_share", raw, unit=unit) == Decimal(ratio)


def test_yes_and_no_are_read_in_the_ways_offices_mark_them():
    yes = {read("enterprise.above_scale", raw) for raw in ("是", "√", "有", "Y", "yes", "1", 1.0, True)}
    no = {read("enterprise.above_scale", raw) for raw in ("否", "×", "无", "N", "no", "0", 0.0, False)}

    assert (yes, no) == ({True}, {False})


def test_a_credit_code_loses_spaces_and_width_and_gains_capitals():
    assert read("enterprise.credit_code", " ９１５００１０１ ma5u 12345x ") == "91500101MA5U12345X"


def test_a_code_that_fails_its_check_character_is_kept_and_doubted():
    doubted = reader_of(FIELDS["enterprise.credit_code"], today=TODAY)("91500101MA5U12345X")

    assert (doubted.value, doubted.code) == ("91500101MA5U12345X", "code_doubtful")


@pytest.mark.parametrize("raw", [9.13301001234567e17, 500238000012345.0, 123, "9.13301E+17"], ids=repr)
def test_a_code_that_came_as_a_number_is_refused_because_digits_may_be_lost(raw):
    code, sentence = refusal("enterprise.credit_code", raw)

    assert code == "code_as_number"
    assert sentence.endswith("在表里是数字，统一社会信用代码的首尾几位可能已经丢失。把这一列设成文本格式，照原件重填。")


def test_a_mobile_number_typed_as_a_number_has_lost_nothing():
    assert read("enterprise.contact_phone", 13812345678.0) == "13812345678"
    assert refusal("enterprise.contact_phone", 2351512345.0)[0] == "code_as_number"


def test_an_old_number_of_15_digits_is_named_and_sent_to_its_field():
    assert refusal("enterprise.credit_code", "500238000012345") == (
        "old_number",
        "“500238000012345”是 15 位的原注册号。把它填到“原注册号”，代码留空。",
    )
    assert read("enterprise.old_number", "500238 000012345") == "500238000012345"


@pytest.mark.parametrize(
    ("raw", "code"),
    [("9150010", "code_length"), ("91500101MA5U1234#X", "not_a_code"), ("9" * 19, "code_length")],
)
def test_a_code_of_the_wrong_shape_is_refused(raw, code):
    assert refusal("enterprise.credit_code", raw)[0] == code


def test_names_get_full_width_brackets_and_lose_spaces_and_line_breaks():
    assert read("enterprise.name", "巫溪 云栈\n农业(重庆)有限公司") == "巫溪云栈农业（重庆）有限公司"


def test_a_lone_apostrophe_is_an_empty_cell():
    assert read("enterprise.old_number", "'") is None


@pytest.mark.parametrize("text", ["=1+1", "+86", "-5 度", "@某人", "00123", "a\nb"], ids=repr)
def test_text_that_looks_like_a_formula_stays_text(text):
    assert read("enterprise.main_product", text) == text


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("高新技术企业", "hnte"), ("高企", "hnte"), ("hnte", "hnte"), ("科技型企业（市库）", "cq_tech"),
        ("科技型企业(市库)", "cq_tech"), ("科技型企业", "cq_tech"), ("国家科小", "tech_sme"),
        ("科型", "cq_tech"), ("科小", "tech_sme"),
        ('专精特新"小巨人"企业', "little_giant"), ("专精特新", "srdi"),
    ],
)  # fmt: skip
def test_a_title_is_known_by_label_code_and_the_bureaus_short_words(raw, kind):
    assert read("qualification.kind", raw) == kind


@pytest.mark.parametrize(
    ("key", "raw", "sentence"),
    [
        ("qualification.kind", "奥斯卡", "“奥斯卡”不在资格种类的可选词里。改成 科技型企业（市库）、科技型中小企业、"),
        ("service_log.kind", "梦见", "“梦见”不在方式的可选词里。改成 走访、电话、培训、诉求、材料辅导、其他 之一。"),
        ("service_log.happened_on", "昨天", "“昨天”不是日期。写成 2023-05-06 的样子。"),
        ("service_log.happened_on", "长期", "“长期”不是日期。写成 2023-05-06 的样子。"),
        ("pool_membership.year", "去年", "“去年”不是年份。写成 2025 的样子。"),
        ("pool_membership.year", "1066", "“1066”不在 2000 到 2038 年之间。改正年份。"),
    ],
)
def test_what_must_be_filled_is_never_told_that_it_may_stay_empty(key, raw, sentence):
    with pytest.raises(Unreadable) as caught:
        read(key, raw)

    assert caught.value.message.startswith(sentence)
    assert "留空" not in caught.value.message


def test_an_entry_called_none_is_an_answer_and_no_blank():
    assert read("figures.rd_institution_level", "无") == "none"


def test_a_foreign_word_in_a_column_offices_use_otherwise_is_only_a_warning():
    with pytest.raises(Unreadable) as caught:
        read("enterprise.subject_type", "国有控股企业")

    assert (caught.value.severity, caught.value.code) == ("warning", "unknown_choice")


@pytest.mark.parametrize("raw", ["1371", 1371.0, "C1371", "C1371 蔬菜加工"], ids=repr)
def test_an_industry_is_read_in_its_full_code(raw):
    assert read("enterprise.industry_code", raw) == "C1371"


@pytest.mark.parametrize(("raw", "code"), [("什么都做", "unknown_choice"), (111.0, "code_as_number")], ids=str)
def test_an_industry_that_cannot_be_read_is_only_a_warning(raw, code):
    with pytest.raises(Unreadable) as caught:
        read("enterprise.industry_code", raw)

    assert (caught.value.severity, caught.value.code) == ("warning", code)


def test_a_township_is_found_by_name_among_the_choices_and_never_by_its_id():
    towns = {7: "城厢镇", 8: "红池坝镇"}

    assert read("enterprise.township", " 城厢 镇", choices=towns) == 7
    assert refusal("enterprise.township", "7", choices=towns)[0] == "unknown_choice"
    assert read("enterprise.township", "城厢镇") == "城厢镇"


def test_two_people_of_one_name_are_not_guessed_between():
    assert refusal("enterprise.manager", "张伟", choices={1: "张伟", 2: "张伟"}) == (
        "ambiguous_choice",
        "“张伟”在服务专员里对应不止一个。写全称。",
    )


TOWNS = {1: "城厢镇", 2: "红池坝镇", 3: "宁河街道"}
_typed = st.text(max_size=30) | st.text(alphabet="=+-@'\" \n\t（）()abcＡ1２无清空企业", max_size=20)
_VALUES = {
    "text": _typed, "long_text": _typed, "code": _typed,
    "date": st.dates(EARLIEST, latest_date(TODAY)),
    "year": st.integers(2008, 2038),
    "money": st.decimals(0, "9999999999999.99", places=2, allow_nan=False),
    "ratio": st.decimals(0, 1, places=4),
    "number": st.decimals(0, 100, places=3),
    "yes_no": st.booleans(),
    "industry": st.sampled_from(["C", "C13", "C1391", "A0111"]),
}  # fmt: skip


@st.composite
def fields_and_values(draw):
    """Any declared field with a value it can hold: texts as their own reader leaves them, the rest directly."""
    field = draw(st.sampled_from(list(FIELDS.values())))
    if field.type in ("region", "person", "park", "carrier"):
        return field, draw(st.sampled_from(list(TOWNS))), TOWNS
    if field.type == "choice":
        labels = CHOICES.get(field.choices, {"tea": "茶叶", "goat": "山羊、草食牲畜"})
        return field, draw(st.sampled_from(list(labels))), labels
    bounded = st.integers(field.minimum or 0, min(5, field.maximum or 5))
    value = draw(bounded if field.type == "count" else _VALUES[field.type])
    if field.type in ("text", "long_text", "code"):
        try:
            value = read_value(field, value, today=TODAY)
        except Unreadable:
            value = None
    return field, value, None


@given(fields_and_values(), st.sampled_from(["元", "千元", "万元", "亿元"]))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_again_as_the_same_value(field_value, unit):
    field, value, choices = field_value
    unit = unit if field.type == "money" else None

    cell = write_value(field, value, unit=unit, choices=choices)

    assert read_value(field, cell, unit=unit, choices=choices, today=TODAY) == value


@given(st.decimals(0, "9999999999999.99", places=2), st.sampled_from(["元", "千元", "万元", "亿元"]))
@settings(max_examples=60, deadline=None)
def test_money_survives_a_number_cell_to_the_fen(amount, unit):
    field = FIELDS["figures.revenue"]

    cell = write_value(field, amount, unit=unit)

    assert read_value(field, float(cell), unit=unit, today=TODAY) == amount


def test_a_list_of_choices_is_written_and_read_in_order():
    field = replace(FIELDS["enterprise.hightech_field"], type="choices")

    cell = write_value(field, ["8", "1"])

    assert cell == "先进制造与自动化；电子信息"
    assert read_value(field, cell, today=TODAY) == ["8", "1"]
    assert read_value(field, "新材料、电子信息", today=TODAY) == ["4", "1"]


def test_a_cleared_value_is_written_as_the_word_that_clears():
    field = FIELDS["figures.staff_count"]

    assert write_value(field, CLEAR) == "清空"
    assert write_value(field, None) is None
