from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain import words
from crm.domain.clock import SHANGHAI
from crm.domain.fields import CHOICES, FIELDS, field_of
from crm.domain.kinds import STATES

MONDAY = date(2027, 5, 24)
NOON = datetime(2027, 5, 24, 12, 0, tzinfo=SHANGHAI)


def at(year, month, day, hour=0, minute=0, second=0):
    return datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("value", "today", "said"),
    [
        (date(2027, 5, 24), MONDAY, "05-24"),
        (date(2028, 5, 24), MONDAY, "2028-05-24"),
        (date(2027, 5, 24), None, "2027-05-24"),
        (datetime(2026, 12, 31, 17, 0, tzinfo=UTC), MONDAY, "01-01"),
        (None, MONDAY, "未填"),
    ],
)
def test_a_day_names_its_year_only_when_it_is_another(value, today, said):
    assert words.day(value, today) == said


def test_a_day_in_a_sentence():
    assert words.day_long(date(2027, 5, 4), MONDAY) == "5 月 4 日"
    assert words.day_long(date(2026, 12, 1), MONDAY) == "2026 年 12 月 1 日"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (at(2027, 7, 16, 12), "07-16 12:00"),
        (datetime(2027, 7, 16, 4, 0, tzinfo=UTC), "07-16 12:00"),
        (at(2027, 6, 1), "05-31 24:00"),
        (at(2027, 5, 31, 23, 59, 59), "05-31 24:00"),
        (at(2028, 1, 1), "12-31 24:00"),
        (at(2028, 1, 2, 8, 30), "2028-01-02 08:30"),
        (None, "未填"),
    ],
)
def test_a_moment_is_told_by_the_clocks_of_the_county(value, said):
    assert words.moment(value, MONDAY) == said


def test_a_moment_without_a_time_zone_is_no_moment():
    with pytest.raises(ValueError, match="time zone"):
        words.moment(datetime(2027, 5, 24, 12, 0))  # noqa: DTZ001 - the naive moment is the point


@pytest.mark.parametrize(
    ("due", "text", "css"),
    [
        (date(2027, 5, 31), "剩 7 天", "soon"),
        (date(2027, 6, 1), "剩 8 天", ""),
        (date(2027, 7, 23), "剩 60 天", ""),
        (date(2027, 7, 24), "剩 61 天", "far"),
        (date(2027, 5, 24), "今天", "soon"),
        (date(2027, 5, 21), "逾期 3 天", "late"),
        (at(2027, 6, 1), "剩 7 天", "soon"),
        (at(2027, 5, 24, 18), "今天", "soon"),
        (at(2027, 5, 24, 11, 59), "今天已过", "late"),
        (at(2027, 5, 25), "今天", "soon"),
    ],
)
def test_days_left_are_counted_on_the_calendar(due, text, css):
    assert words.days_left(due, NOON) == (text, css)


@pytest.mark.parametrize(
    ("due", "chip"),
    [
        (at(2027, 6, 1), ("剩 7 天", "05-31", "soon")),
        (at(2027, 7, 16, 12), ("剩 53 天", "07-16 12:00", "")),
        (date(2027, 8, 31), ("剩 99 天", "08-31", "far")),
        (date(2028, 8, 1), ("", "2028-08", "far")),
        (date(2026, 11, 30), ("逾期 175 天", "2026-11-30", "late")),
    ],
)
def test_a_deadline_chip_has_days_and_date(due, chip):
    assert words.deadline(due, NOON) == chip


def test_the_turn_of_the_year_keeps_its_days():
    assert words.deadline(date(2027, 1, 5), date(2026, 12, 30)) == ("剩 6 天", "2027-01-05", "soon")


def test_weeks_and_weekdays_are_those_of_the_calendar():
    assert (words.week(MONDAY), words.weekday(MONDAY)) == ("第 21 周", "周一")
    assert (words.week(date(2027, 1, 1)), words.weekday(date(2027, 1, 3))) == ("第 53 周", "周日")


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [
        (Decimal("37706000"), "万元", "3,770.6"),
        (Decimal("500"), "万元", "0.1"),
        (Decimal("499.99"), "万元", "0.0"),
        (Decimal("-500"), "万元", "−0.1"),
        (Decimal("-499.99"), "万元", "0.0"),
        (Decimal("-55000"), "万元", "−5.5"),
        (0, "万元", "0"),
        (None, "万元", "未填"),
        (Decimal("37706000"), "元", "37,706,000"),
        (Decimal("37706000.05"), "元", "37,706,000.05"),
        ("1234.50", "元", "1,234.50"),
        (Decimal("150000000"), "亿元", "1.5"),
    ],
)
def test_money_has_one_decimal_half_up(amount, unit, said):
    assert words.money(amount, unit) == said


def test_money_refuses_binary_floats():
    with pytest.raises(TypeError, match="exact"):
        words.money(3770.6)


def test_money_in_words_carries_its_unit():
    assert words.money_words(Decimal("1792000")) == "179.2 万元"
    assert words.money_sentence(Decimal("99999999")) == "10,000.0 万元"
    assert words.money_sentence(Decimal("100000000")) == "1.0 亿元"
    assert words.money_gap(Decimal("-412000")) == "差 41.2 万元"
    assert words.gap(1, "人") == "差 1 人"


@settings(max_examples=60)
@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_rounded_money_is_never_further_than_half_a_step(fen):
    amount = Decimal(fen) / 100
    shown = Fraction(words.money(amount).replace(",", "").replace("−", "-"))

    assert abs(shown * 10_000 - Fraction(amount)) <= 500


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (Fraction(4738, 103000), "4.6%"),
        (Decimal("0.05"), "5.0%"),
        (Fraction(1, 3), "33.3%"),
        (Fraction(1, 2000), "0.1%"),
        (Fraction(-1, 2000), "−0.1%"),
        (Decimal("0"), "0.0%"),
        (12, "1,200.0%"),
        ("0.139", "13.9%"),
        (None, "未填"),
    ],
)
def test_a_ratio_has_one_decimal(share, said):
    assert words.ratio(share) == said


def test_a_threshold_has_no_useless_decimal():
    assert (words.ratio_needed(Decimal("0.05")), words.ratio_needed("0.025")) == ("5%", "2.5%")


@pytest.mark.parametrize(
    ("change", "said"), [(3, "+3"), (0, "0"), (Decimal("-5.5"), "−5.5"), (Decimal("1200"), "+1,200")]
)
def test_a_difference_has_a_true_sign(change, said):
    assert words.difference(change) == said


def test_a_count_has_its_measure_word():
    assert words.count(318, "enterprise") == "318 家"
    assert words.count(1234, "行") == "1,234 行"
    assert words.count(0, "件") == "0 件"
    assert words.count(None, "件") == "未填"


@pytest.mark.parametrize(
    ("n_bytes", "said"), [(0, "0 B"), (812, "812 B"), (24_576, "24 KB"), (2_621_440, "2.5 MB"), (1_048_575, "1,024 KB")]
)
def test_a_file_has_a_size(n_bytes, said):
    assert words.size(n_bytes) == said


@pytest.mark.parametrize(
    ("field", "content", "said"),
    [
        ("enterprise.name", "青禾", "青禾"),
        ("enterprise.name", None, "未填"),
        ("enterprise.name", "", "未填"),
        ("enterprise.registered_on", date(2018, 6, 14), "2018-06-14"),
        ("enterprise.registered_on", "2018-06-14", "2018-06-14"),
        ("enterprise.capital", Decimal("5000000"), "500.0 万元"),
        ("enterprise.capital", "5000000.00", "500.0 万元"),
        ("enterprise.subject_type", "cooperative", "农民专业合作社"),
        ("enterprise.status", "moved_in", "迁入"),
        ("enterprise.industry_code", "C1371", "C1371 农副食品加工业"),
        ("enterprise.featured_industry", "grilled_fish", "grilled_fish"),
        ("enterprise.above_scale", True, "是"),
        ("enterprise.above_scale", False, "否"),
        ("figures.rd_expense", 0, "0 万元"),
        ("figures.rd_expense", None, "未填"),
        ("figures.staff_count", 0, "0 人"),
        ("figures.staff_count", 1074, "1,074 人"),
        ("figures.market_share", "0.139", "13.9%"),
        ("figures.platform_score", Decimal("61.50"), "61.5 分"),
        ("qualification.cohort_year", 2024, "2024"),
        ("qualification.kind", "hnte", "高新技术企业"),
        ("figures.staff_count", "四十余人", "四十余人"),
        ("nothing.known", Decimal("1.50"), "1.5"),
        ("nothing.known", True, "是"),
    ],
)
def test_a_value_is_said_by_its_field(field, content, said):
    assert words.value(field, content) == said


def test_a_value_takes_the_words_of_ids_and_dictionaries_from_outside():
    assert words.value("enterprise.township", 7, {7: "凤凰镇"}) == "凤凰镇"
    assert words.value(field_of("enterprise", "featured_industry"), "tea", {"tea": "老鹰茶及茶叶"}) == "老鹰茶及茶叶"


@pytest.mark.parametrize("key", list(FIELDS))
def test_every_declared_field_can_be_said(key):
    samples = {"money": "1.00", "ratio": "0.5", "number": "0.5", "date": "2027-05-24", "year": 2027, "count": 3}
    field = FIELDS[key]
    choice = next(iter(CHOICES.get(field.choices or "", {"x": ""})))

    said = words.value(field, samples.get(field.type, True if field.type == "yes_no" else choice))

    assert said and said != words.BLANK


def test_a_change_shows_before_and_after():
    assert words.change_line("figures.revenue", "1710000", Decimal("1792000")) == "营业收入：171.0 万元 → 179.2 万元"
    assert words.change_line("enterprise.contact_phone", None, "13800000000") == "联系电话：未填 → 13800000000"


def test_states_have_a_word_a_pill_and_a_seal():
    assert set(STATES) == set(words.STATE_CLASSES) == set(words.SEAL_CLASSES)
    assert words.seal_label("tech_sme", "awaiting_update") == "科技型中小企业：待更新（衔接期）"
    assert words.seal_label("pool", "in_pool") == "高新技术企业培育库：在库"


def test_every_obligation_of_the_product_has_a_word():
    kinds = """hnte_renewal hnte_annual_report torch_flash torch_annual tech_sme_round cq_tech_update srdi_review
        innovative_update change_report srdi_update hnte_tax_note evidence_expiry application_stage rd_statistics ip_fee
        next_step silence"""

    # A request that was dispatched waits for its answer on the due list as well.
    assert set(words.OBLIGATION_KINDS) == {*kinds.split(), "request"}
    assert set(words.OBLIGATION_STATES) == set(words.OBLIGATION_CLASSES)


def test_the_eight_outcomes_of_an_import_are_named_in_order():
    assert "、".join(words.IMPORT_OUTCOMES.values()) == "新增、变更、相同、需决定、重复、未匹配、非本区、错误"


def test_an_unnamed_code_comes_back_and_an_unnamed_table_is_a_slip():
    assert words.word("brand_new", "state") == "brand_new"
    assert words.word(None, "state") == "未填"
    with pytest.raises(KeyError):
        words.word("valid", "states")


def test_a_long_list_of_names_counts_the_rest():
    assert words.join(["石泉沟", "盐泉", "青禾", "宁谷", "云脊"], 3) == "石泉沟、盐泉、青禾 等 5 家"
    assert words.join(["石泉沟", "盐泉"], 3) == "石泉沟、盐泉"


@settings(max_examples=60)
@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2090, 1, 1)))  # noqa: DTZ001
def test_days_left_agree_with_the_difference_of_days(naive):
    due = naive.replace(hour=12, minute=0, tzinfo=SHANGHAI)
    now = due - timedelta(days=9)

    assert words.days_left(due, now) == ("剩 9 天", "")
