from datetime import date

import pytest

from crm.domain.kinds import KINDS
from crm.domain.names import split_name
from crm.rules import places
from crm.rules.loader import RuleFileError


@pytest.fixture
def other_file(monkeypatch):
    """Lets a test stand in for the content of a rule file, with the loaders' memory cleared before and after."""
    loaders = (places.regions, places.units, places.dictionaries)

    def use(content):
        monkeypatch.setattr(places, "read", lambda name: content)
        for loader in loaders:
            loader.cache_clear()

    yield use
    monkeypatch.undo()
    for loader in loaders:
        loader.cache_clear()


def test_the_county_has_2_streets_19_towns_and_11_rural_townships():
    names = [region.name for region in places.regions() if region.level == "township"]

    assert [sum(name.endswith(end) for name in names) for end in ("街道", "镇", "乡")] == [2, 19, 11]


def test_the_tree_runs_from_the_city_to_the_townships():
    city, county, first = places.regions()[:3]

    assert (city.code, city.name, city.parent) == ("500000", "重庆市", None)
    assert (county.code, county.name, county.parent) == ("500238", "巫溪县", "500000")
    assert (first.code, first.name, first.parent) == ("500238001", "宁河街道", "500238")


def test_every_region_comes_after_its_parent():
    seen = {None}
    for region in places.regions():
        assert region.parent in seen
        seen.add(region.code)


@pytest.mark.parametrize(
    ("code", "name"),
    [("500238101", "凤凰镇"), ("500238108", "尖山镇"), ("500238118", "红池坝镇"), ("500238243", "天元乡")],
)
def test_a_township_has_its_statistical_code(code, name):
    assert {region.code: region.name for region in places.regions()}[code] == name


def test_the_plan_names_eighteen_units_and_the_townships_together():
    found = places.units()

    assert len(found) == 19
    assert [unit.name for unit in found if unit.group == "township"] == ["各乡镇（街道）"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("县国资监管中心（县金融办）", "县国资监管中心"),
        ("县国资监管中心（县金融服务中心）", "县国资监管中心"),
        ("县投资促进中心", "县投资促进服务中心"),
        ("县经济信息委（县大数据发展局）", "县经济信息委"),
        ("县大数据发展局", "县经济信息委"),
    ],
)
def test_each_spelling_of_the_plan_leads_to_its_unit(written, name):
    assert [unit.name for unit in places.units() if written in (unit.name, *unit.aliases)] == [name]


def test_every_title_has_exactly_one_owner():
    owners = {kind: [unit.name for unit in places.units() if kind in unit.owns] for kind in KINDS}

    assert owners["hnte"] == ["县科技局"]
    assert owners["srdi"] == ["县经济信息委"]
    assert all(len(units) == 1 for units in owners.values())


def test_the_branch_of_the_central_bank_has_ended():
    bank = next(unit for unit in places.units() if unit.name == "人民银行巫溪支行")

    assert (bank.valid_from, bank.valid_to) == (date(2023, 5, 23), date(2023, 12, 31))


def test_the_nine_featured_industries_of_the_plan_come_first_and_in_its_order():
    labels = [entry.label for entry in places.dictionaries()["featured_industry"]]

    assert labels[:9] == [
        "巫溪烤鱼", "西部小吃", "畜禽", "老鹰茶及茶叶", "中药材", "土豆及蔬菜", "蚕桑和核桃", "酒类", "乡村旅游",
    ]  # fmt: skip


def test_park_and_carriers_of_the_plan_are_there_with_their_source():
    assert [park.name for park in places.parks()] == ["工业园区"]
    assert [(carrier.name, carrier.kind) for carrier in places.carriers()] == [
        ("恒易众创空间", "maker_space"),
        ("网联英客市级众创空间", "maker_space"),
        ("巫溪洋芋星创天地", "star_space"),
        ("网联天下科技企业孵化器", "incubator"),
    ]
    assert all(place.source.startswith("巫溪府办发〔2023〕32号") for place in (*places.parks(), *places.carriers()))


def test_place_names_cut_a_township_off_a_firm():
    parts = split_name("巫溪县红池坝镇石泉沟茶业专业合作社", places.place_names())

    assert (parts.region, parts.core) == ("巫溪县红池坝镇", "石泉沟")


CITY = {"code": "500000", "name": "重庆市"}


@pytest.mark.parametrize(
    ("township", "sentence"),
    [
        ({"code": "500239001", "name": "甲镇"}, "lies outside 500238"),
        ({"code": "50023801", "name": "甲镇"}, "needs a code of 9 digits"),
        ({"code": "500238001", "name": "甲镇"}, "has 500238001 twice"),
    ],
    ids=["foreign", "short", "double"],
)
def test_a_wrong_township_is_named_in_a_sentence(other_file, township, sentence):
    good = {"code": "500238001", "name": "宁河街道"}
    county = {"code": "500238", "name": "巫溪县", "township": [good, township]}
    other_file({"source": "x", "city": CITY, "county": [county]})

    with pytest.raises(RuleFileError, match=sentence):
        places.regions()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"name": "甲", "owns": ["hntee"]}, "owns unknown hntee"),
        ({"name": "甲", "successor": "乙"}, "unknown successor 乙"),
        ({"name": "甲", "aliases": ["甲"]}, "has 甲 twice"),
    ],
    ids=["kind", "successor", "double"],
)
def test_a_wrong_unit_is_named_in_a_sentence(other_file, entry, sentence):
    other_file({"county": "500238", "source": "x", "valid_from": date(2023, 5, 23), "unit": [entry]})

    with pytest.raises(RuleFileError, match=sentence):
        places.units()


def test_an_entry_without_a_source_is_refused(other_file):
    other_file({"county": "500238", "featured_industry": [{"code": "tea", "label": "茶"}]})

    with pytest.raises(RuleFileError, match="featured_industry tea has no source"):
        places.dictionaries()
