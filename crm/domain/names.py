"""Enterprise names: the parts they are made of, the form in which two of them are equal, and their short forms."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache


def _words(*lines: str) -> list[str]:
    return " ".join(lines).split()


# Provinces as they begin a name, with or without 省 / 市 / 自治区. Order is irrelevant: no one begins another.
_PROVINCES = _words(
    "北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南",
    "四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆",
)

# Places whose name is cut off even without its last character (巫溪 for 巫溪县). A deployment passes its own.
HOME_PLACES: tuple[str, ...] = ("巫溪县",)

# Words that end like a district or county and are none, so that 城市, 社区 or 景区 stay in the 字号.
_NO_DISTRICT = "城市|都市|超市|门市|夜市|集市|社区|园区|景区|小区|新区|地区|山区|灾区|城区|矿区|库区|林区|专区"

_PROVINCE = re.compile(rf"(?:{'|'.join(_PROVINCES)})(?:省|市|(?:壮族|回族|维吾尔)?自治区)?")
_HAN = "[\u4e00-\u9fff]"
_DISTRICT = re.compile(rf"(?!.{{0,2}}(?:{_NO_DISTRICT})){_HAN}{{1,3}}(?:市|县|区)|{_HAN}{{2,8}}自治县")

_COMPANY = r"(?:(?:\(集团\)|集团)?(?:股份有限公司|有限责任公司|有限公司)|集团公司|总公司|公司|集团)"
_PARTNERSHIP = r"\((?:特殊普通合伙|普通合伙|有限合伙|个人独资|个体工商户?|集团)\)"
_BRANCH = r"(?:分公司|分厂|分店|分社|分部|办事处|营业部|经营部|项目部|加工厂)"
_COOPERATIVE = r"(?:农民|股份经济|股份|经济)?(?:专业)?合作(?:社联合社|联社|联合社|社)"
_SMALL = (
    r"(?:个体工商户|合伙企业|家庭农场|农家乐|工作室|事务所|研究院|研究所|研究会|门市部|经营部|加工坊|加工厂|养殖场|种植园|"
    r"服务部|服务中心|服务站|加工部|零售店|专卖店|便利店|农场|林场|茶场|超市|中心|酒店|饭店|餐馆|饭庄|山庄|学校|"
    r"商行|车行|厂|店|场|坊|馆|铺)"
)
_FORM = re.compile(
    rf"(?:{_COMPANY}(?:{_PARTNERSHIP})?(?:[\u4e00-\u9fff0-9]{{0,10}}{_BRANCH})?|{_COOPERATIVE}|"
    rf"{_SMALL}(?:{_PARTNERSHIP})?|{_PARTNERSHIP})$"
)

# Words with which the trade of a name begins. Longest first at one place, the earliest place wins; a word that is
# also a common ending of a 字号 (山, 泉, 谷, 盐业 …) is left out on purpose.
_TRADE_WORDS = _words(
    "农产品 农副产品 农特产品 特产 土特产 食品 食用菌 预制菜 烤鱼 小吃 卤制品 调味品 豆制品 肉制品 粮油 面业",
    "米业 油脂 饮料 饮品 矿泉水 饮用水 山泉水 纯净水 酒业 酿酒 白酒 果酒 酒类 酒水 茶业 茶叶 茶旅 老鹰茶",
    "中药材 中药 中药饮片 药材 药业 制药 医药 医疗 器械 生物 土豆 马铃薯 洋芋 红薯 蔬菜 高山 瓜果 果蔬 水果",
    "果业 果品 核桃 板栗 脆李 柑橘 蚕桑 蚕业 桑蚕 蜂业 蜂蜜 养蜂 畜禽 畜牧 养殖 生猪 肉牛 山羊 家禽 蛋鸡 渔业",
    "水产 冷水鱼 农业 农牧 农林 农机 农资 种业 种植 种苗 苗木 园艺 园林 林业 花卉 竹木 竹编 木业 家具 家居",
    "工艺 手工 刺绣 旅游 乡村旅游 文旅 文化 文创 传媒 广告 酒店管理 餐饮 民宿 康养 绿色 生态 环保 环境 再生",
    "资源 固废 节能 新能源 能源 光伏 风电 水电 电力 电气 电器 电子 电商 电子商务 通信 通讯 网络 信息 软件",
    "数据 数字 智能 智慧 物联网 互联网 科技 技术 科学 检测 检验 测绘 勘测 设计 咨询 工程 建筑 建设 建材 建工",
    "装饰 市政 路桥 劳务 安装 机械 机电 装备 精密 设备 模具 五金 金属 铸造 制造 汽车 摩托车 汽配 配件 仪器",
    "仪表 新材料 材料 粉体 陶瓷 玻璃 水泥 混凝土 砂石 石材 石业 矿业 化工 日化 塑料 塑胶 橡胶 包装 印务 印刷",
    "纸业 纺织 服装 服饰 制衣 鞋业 皮革 箱包 物流 运输 供应链 仓储 冷链 贸易 商贸 商务 实业 产业 发展 开发",
    "投资 控股 管理 服务 教育 培训 人力资源 物业 家政 保洁 保安 健康 养老 生活 制品 日用品 百货 酱菜 泡菜",
    "腌腊 腊味 肉业 蜜饯 休闲 有机 富硒 特色 现代 山地 无人机 航空 机器人 传感 半导体 芯片 电池 充电 储能",
    "燃气 天然气 供水 水务 水利 污水 盐卤 精细 植物 提取 兽药 饲料 肥料 有机肥 农药 种畜 屠宰 冷冻 加工",
    "精深加工",
)
_TRADE = re.compile("|".join(sorted(_TRADE_WORDS, key=len, reverse=True)))


@dataclass(frozen=True)
class NameParts:
    """A name as region, 字号, trade and legal form; the four together are the name again, character by character."""

    region: str
    core: str
    middle: str
    form: str

    @property
    def whole(self) -> str:
        return self.region + self.core + self.middle + self.form


def normalise_name(name: str) -> str:
    """The name for exact matching: one kind of brackets, half-width letters, no blanks or line breaks anywhere."""
    plain = unicodedata.normalize("NFKC", name).translate(_BRACKETS)
    return re.sub(r"[\s\u200b-\u200f\u2060\ufeff]", "", plain).upper()


_BRACKETS = str.maketrans(
    {"〔": "(", "【": "(", "[": "(", "〈": "(", "〕": ")", "】": ")", "]": ")", "〉": ")"}
    | {"•": "·", "・": "·", "‧": "·"}
    | {"“": '"', "”": '"', "‘": "'", "’": "'"}
)


@lru_cache(maxsize=8192)
def split_name(name: str, places: tuple[str, ...] = HOME_PLACES) -> NameParts:
    """Where the 字号 of a name stands.

    ``places`` are names of regions that begin names here, with their last character (巫溪县, 凤凰镇); counties
    among them are also cut off without it (巫溪). Any province and any …市, …县, …区 is recognised by itself.
    Nothing is cut off that would leave the 字号 shorter than two characters.
    """
    plain = _same_length(name)
    start = _end_of_region(plain, places)
    form_at = _start_of_form(plain, start)
    if form_at - start < 2 and start:
        start, form_at = 0, _start_of_form(plain, 0)
    trade = _TRADE.search(plain, start + 2, form_at) if form_at - start > 2 else None
    middle_at = trade.start() if trade else form_at
    return NameParts(name[:start], name[start:middle_at], name[middle_at:form_at], name[form_at:])


def _same_length(name: str) -> str:
    # Only one-to-one replacements, so that places found here hold in the name as it was written.
    return name.translate(str.maketrans("（）〔〕【】", "()()()"))


@lru_cache(maxsize=64)
def _place_pattern(places: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the places in full, or first a county, city or district without its last character."""
    short = [place[:-1] for place in places if place[-1] in "县区市" and len(place) > 2]
    full = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
    return re.compile(rf"(?:(?:{full})+|(?:{'|'.join(map(re.escape, short)) or '(?!)'})(?:{full})*)")


def _end_of_region(plain: str, places: tuple[str, ...]) -> int:
    province = _PROVINCE.match(plain)
    at = province.end() if province else 0
    place = _place_pattern(places).match(plain, at) if places else None
    if place:
        return place.end()
    district = _DISTRICT.match(plain, at)
    return district.end() if district and len(plain) - district.end() >= 3 else at


def _start_of_form(plain: str, start: int) -> int:
    found = _FORM.search(plain, start)
    return found.start() if found and found.start() - start >= 2 else len(plain)


def short_name(name: str, places: tuple[str, ...] = HOME_PLACES) -> str:
    """字号 and trade without region and legal form, as in a running sentence: 青禾食品."""
    parts = split_name(name, places)
    return parts.core + parts.middle


def core_name(name: str, places: tuple[str, ...] = HOME_PLACES) -> str:
    """The 字号 alone, for lists of names and for suggestions: 青禾."""
    return split_name(name, places).core
