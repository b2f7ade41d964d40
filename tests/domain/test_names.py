import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.names import NameParts, core_name, normalise_name, short_name, split_name


def _lines(text):
    return text.split()


# The invented names of the mock screens, written region|字号|trade|form.
MOCK_NAMES = _lines("""
重庆|盐泉|食品|有限公司
巫溪县|青禾|食品|有限责任公司
巫溪县|石泉沟|矿泉水|有限责任公司
巫溪县|云雾谷|高山蔬菜种植加工|专业合作社联合社
重庆|岩上花|中药材种植|有限公司
巫溪县|大官山|中药材精深加工|有限责任公司
重庆|峰灵|新材料|有限公司
巫溪县|溪畔|烤鱼产业发展|有限公司
重庆|谷里|智能装备|有限公司
巫溪县|古路坪|核桃蚕桑|专业合作社
重庆|宁河湾|电子科技|有限公司
巫溪县|老鹰崖|茶业|有限责任公司
重庆|三岔河|环保工程|有限公司巫溪分公司
巫溪县|万顷坡|畜禽养殖|有限公司
重庆|百丈岩|绿色建材|有限公司
巫溪县|禾丰源|农产品开发|有限公司
巫溪县|马莲坪|土豆产业|有限责任公司
巫溪县|花台岭|食用菌种植|专业合作社
重庆|远溪|包装制品|有限公司
巫溪县|兰英峡谷|旅游开发|有限公司
巫溪县|鱼鳞滩|生态渔业|有限责任公司
重庆|城厢坊|文化创意|有限公司
巫溪县|红池|农牧发展|股份有限公司
重庆|夔北|医疗器械|有限公司
重庆|宁谷|生物科技|有限公司
重庆|云脊|智能装备|有限公司
重庆|盐脉|新能源科技|有限公司
巫溪县|白鹿溪|酒业|有限公司
重庆|巴渝岭|精密机械|有限公司
重庆|大宁盐业|新材料|股份有限公司
巫溪县|渝北溪|卤制品|有限公司
重庆|青龙洞|制药|有限公司
巫溪县|文峰谷|竹木制品|有限公司
重庆|上磺|粉体材料|有限公司
巫溪县|溪源|茶业|专业合作社
巫溪县|百步梯|蚕桑科技|有限责任公司
巫溪县|巴岩|竹编工艺|有限公司
重庆|三秋|园艺|有限公司
""")

OTHER_NAMES = _lines("""
巫溪|溪畔|烤鱼|公司
重庆市巫溪县|青禾|食品|有限公司
重庆巫溪|云顶|生态农业|有限公司
重庆市云阳县|三坝|茶业|有限公司
湖北省宜昌市|长坪|物流|有限公司
四川|蜀岭|建筑工程|有限公司
石柱土家族自治县|黄水|林业|有限公司
重庆|城市之光|文化传媒|有限公司
重庆|青禾|农业|(集团)有限公司
重庆|远山|投资管理|合伙企业（有限合伙）
重庆|青禾|食品|有限公司第二分公司
巫溪县|老石匠|豆制品|加工坊
巫溪县|向氏|烤鱼|店
巫溪县|宁河渡||农家乐
巫溪县|石坎||家庭农场
巫溪县|五里坡|畜禽|农民专业合作社
云台区|拾光|软件技术|有限公司
重庆|溪上|信息技术|工作室（个人独资）
""")


@pytest.mark.parametrize("marked", [*MOCK_NAMES, *OTHER_NAMES])
def test_the_parts_of_a_name_are_found(marked):
    assert split_name(marked.replace("|", "")) == NameParts(*marked.split("|"))


def test_a_given_township_belongs_to_the_region():
    parts = split_name("巫溪县凤凰镇青禾食品厂", ("巫溪县", "凤凰镇"))

    assert parts == NameParts("巫溪县凤凰镇", "青禾", "食品", "厂")


@pytest.mark.parametrize("name", ["重庆食品有限公司", "巫溪县", "青禾", "食品厂", "重庆", "有限公司", "A", ""])
def test_a_name_without_a_core_keeps_all_its_characters(name):
    parts = split_name(name)

    assert parts.whole == name
    assert parts.core or not name


def test_a_trade_alone_is_taken_for_the_core():
    assert split_name("重庆食品有限公司").core == "食品"


@settings(max_examples=60)
@given(st.text(alphabet="重庆巫溪县城市区镇青禾食品茶业有限责任公司()（）合作社分A1 厂", max_size=24))
def test_the_parts_joined_are_the_name(name):
    assert split_name(name).whole == name


@pytest.mark.parametrize(
    "written",
    [
        "重庆青禾食品（集团）有限公司",
        "重庆青禾食品(集团)有限公司",
        " 重庆青禾食品（集团） 有限公司 ",
        "重庆青禾食品（集团）\n有限公司",
        "重庆青禾食品〔集团〕有限公司",
        "重庆青禾食品【集团】有限公司\u200b",
    ],
)
def test_one_name_in_many_clothes_is_one_name(written):
    assert normalise_name(written) == "重庆青禾食品(集团)有限公司"


def test_full_width_letters_and_digits_are_made_plain():
    assert normalise_name("重庆Ａｂ１２科技有限公司") == "重庆AB12科技有限公司"


def test_two_different_names_stay_different():
    assert normalise_name("重庆青禾食品有限公司") != normalise_name("重庆青禾食品有限责任公司")


def test_short_forms_drop_region_and_legal_form():
    assert short_name("巫溪县青禾食品有限责任公司") == "青禾食品"
    assert core_name("巫溪县石泉沟矿泉水有限责任公司") == "石泉沟"
