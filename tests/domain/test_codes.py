import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain import codes

VERIFIED = [
    "914403001922038216",
    "9150000020286320X6",
    "9144030071526726XG",
    "91100000100003962T",
    "91350900587527783P",
    "91440300192317458F",
    "91110000710926094P",
    "91440400192548256N",
]
ISSUED_EARLY = ["91350100M0001TGQXM", "91350211M0000XUF46", "91350203M0001FUE2P", "91350203M0001QAY9B"]


@pytest.mark.parametrize("code", VERIFIED)
def test_a_verified_code_raises_no_doubt(code):
    assert codes.check_code(code) == codes.CodeCheck(True, code, None, "uscc")


@pytest.mark.parametrize("code", ISSUED_EARLY)
def test_an_early_code_is_doubted_but_read(code):
    check = codes.check_code(code)

    assert (check.ok, check.normal, check.kind) == (False, code, "uscc")
    assert "可照存" in check.warning


@pytest.mark.parametrize(
    "written",
    ["9144 0300 1922 0382 16 ", "９１４４０３００１９２２０３８２１６", "914403001922038216\n", "'914403001922038216"],
    ids=["blanks", "full width", "newline", "apostrophe of a sheet"],
)
def test_a_code_is_read_whatever_its_clothes(written):
    assert codes.check_code(written).normal == "914403001922038216"


def test_lower_case_is_raised():
    assert codes.check_code("9144030071526726xg").ok is True


@pytest.mark.parametrize("code", VERIFIED)
def test_changing_any_one_place_is_noticed(code):
    for place in range(8, 18):
        other = "1" if code[place] != "1" else "2"

        assert codes.check_code(code[:place] + other + code[place + 1 :]).ok is False


def test_a_letter_o_is_taken_for_a_zero_when_that_passes():
    check = codes.check_code("9144O3OO1922O38216")

    assert (check.kind, check.suggestion) == ("other", "914403001922038216")
    assert check.warning == "信用代码里有 O，可能是 914403001922038216。核对后改正。"


def test_a_letter_with_no_passing_twin_gets_no_suggestion():
    assert codes.check_code("91440300192203821V").suggestion is None


def test_a_short_code_says_how_many_places_it_has():
    assert codes.check_code("9144030019").warning == "信用代码有 10 位，应为 18 位。对照营业执照补全。"


def test_fifteen_digits_are_an_old_number():
    number = codes.make_old_number(7)

    assert codes.check_code(number) == codes.CodeCheck(
        False, number, "15 位旧注册号，只用来查找。补 18 位统一社会信用代码。", "old15"
    )


def test_an_old_number_with_a_wrong_last_digit_says_so():
    number = codes.make_old_number(7)
    wrong = number[:14] + str((int(number[14]) + 1) % 10)

    assert "校验位也不符" in codes.check_code(wrong).warning


@pytest.mark.parametrize(
    ("subject_type", "head"),
    [("company", "91"), ("self_employed", "92"), ("cooperative", "93"), ("institution", "12")],
)
def test_every_class_of_subject_is_accepted(subject_type, head):
    code = codes.make_code(5, subject_type=subject_type)

    assert code.startswith(head + codes.INVENTED_DIVISION)
    assert codes.check_code(code).ok is True
    assert codes.subject_type_of(code) == (None if subject_type == "company" else subject_type)


@settings(max_examples=60)
@given(st.integers(min_value=0, max_value=31**6 - 1))
def test_every_invented_code_passes_both_checks(n):
    assert codes.check_code(codes.make_code(n)).ok is True


def test_invented_codes_do_not_repeat():
    assert len({codes.make_code(n) for n in range(20_000)}) == 20_000


@settings(max_examples=60)
@given(st.text(alphabet=string.printable + "统一社会０９Ａ", max_size=25))
def test_any_text_is_answered_and_never_refused(text):
    check = codes.check_code(text)

    assert check.ok is (check.warning is None)


def test_the_check_character_needs_seventeen_characters_of_the_alphabet():
    with pytest.raises(ValueError, match="seventeen"):
        codes.check_character("9144030019220382I")


@pytest.mark.parametrize("number", ["GR202311004043", "GR202231005683", "GF201551100012", "gr202145001224"])
def test_a_known_shape_of_certificate_number_is_not_doubted(number):
    assert codes.number_warning("hnte", number) is None


def test_an_odd_certificate_number_is_doubted():
    assert codes.number_warning("hnte", "GR20231100404").startswith("高企证书编号一般是")


@pytest.mark.parametrize("number", ["2024341181A8020396", "2025440111A0032458"])
def test_the_seen_registration_numbers_are_not_doubted(number):
    assert codes.number_warning("tech_sme", number) is None


def test_an_odd_registration_number_is_doubted_and_a_blank_or_unknown_kind_never():
    assert codes.number_warning("tech_sme", "20243411810020396") is not None
    assert codes.number_warning("tech_sme", "") is None
    assert codes.number_warning("srdi", "随便") is None
