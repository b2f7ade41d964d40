import pytest

from crm.domain import industries


def test_all_divisions_from_01_to_97_have_a_section_and_a_name():
    assert list(industries.DIVISIONS) == [f"{number:02}" for number in range(1, 98)]
    assert {letter for letter, _ in industries.DIVISIONS.values()} == set(industries.SECTIONS)


@pytest.mark.parametrize(
    ("division", "section", "name"),
    [
        ("01", "A", "农业"),
        ("13", "C", "农副食品加工业"),
        ("27", "C", "医药制造业"),
        ("43", "C", "金属制品、机械和设备修理业"),
        ("44", "D", "电力、热力生产和供应业"),
        ("65", "I", "软件和信息技术服务业"),
        ("73", "M", "研究和试验发展"),
        ("97", "T", "国际组织"),
    ],
)
def test_a_division_stands_in_its_section(division, section, name):
    assert industries.DIVISIONS[division] == (section, name)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("C1371", "C1371"),
        ("1371", "C1371"),
        ("c13", "C13"),
        ("C1371 蔬菜加工", "C1371"),
        ("Ｃ１３", "C13"),
        ("农副食品加工业", "C13"),
        ("制造业", "C"),
        ("A1371", None),
        ("98", None),
        ("烤鱼", None),
        ("13711371", None),
        ("", None),
    ],
)
def test_an_industry_is_read_as_code_or_name(written, normal):
    assert industries.normalise_industry(written) == normal


def test_a_finer_code_is_printed_with_its_division():
    assert industries.industry_words("C1371") == "C1371 农副食品加工业"
    assert industries.section_name("C1371") == "制造业"
    assert industries.industry_words("9999") == "9999"
