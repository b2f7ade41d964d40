"""The invented words of the demo world: parts of names, trades, people, sentences. Nobody and nothing here is real."""

from dataclasses import dataclass


def _list(*lines: str) -> list[str]:
    return " ".join(lines).split()


# A 字号 is a first and a second part; a third makes it longer. The combinations are invented, hits are accidents.
CORE_FIRST = _list(
    "青 石 云 岩 溪 盐 百 禾 马 花 远 鱼 城 夔 宁 脉 白 巴 松 柏 月 霞 竹 梨 桃 雾 泉 谷 峰 岭 鹿 鹤 燕",
    "鹰 蓝 碧 朝 晴 古 长 清 秋 春 星 晨 桂 荷 栗 柿 杉",
)
CORE_SECOND = _list(
    "禾 泉 雾 畔 里 步 顷 源 莲 台 滩 厢 池 谷 溪 渝 龙 坪 湾 崖 坡 垭 涧 梁 坎 塘 渡 桥 岗 屿 川 野 原",
    "舟 帆 灯 影 蹊 圃 陌",
)
CORE_THIRD = _list(
    "沟 坪 岭 湾 崖 坡 坝 河 溪 岩 寨 坊 场 井 洞",
)


@dataclass(frozen=True)
class Trade:
    """One featured industry: words of names, GB/T 4754 codes, products, and how such enterprises are.

    ``hightech`` is a field of CHOICES["hightech_field"] or None; ``sme`` a code of CHOICES["sme_industry"];
    ``weight`` its share among the enterprises; ``coop`` the share of cooperatives and sole traders among them.
    """

    code: str
    middles: tuple[str, ...]
    coop_middles: tuple[str, ...]
    industries: tuple[str, ...]
    products: tuple[str, ...]
    hightech: str | None
    sme: str
    weight: int
    coop: float


TRADES: tuple[Trade, ...] = (
    Trade(
        "grilled_fish",
        ("食品", "烤鱼产业发展", "餐饮管理", "调味品"),
        ("烤鱼",),
        ("C1361", "C1469", "H62"),
        ("烤鱼预制菜", "烤鱼底料", "速冻鱼制品"),
        "2",
        "industry",
        11,
        0.15,
    ),
    Trade(
        "snacks",
        ("食品", "小吃食品", "农产品开发"),
        ("小吃", "豆制品"),
        ("C14", "C1392", "H62"),
        ("手工豆干", "洋芋饼", "速食米线"),
        None,
        "industry",
        7,
        0.35,
    ),
    Trade(
        "livestock",
        ("畜禽养殖", "农牧发展", "畜牧", "生态农业"),
        ("畜禽养殖", "山羊养殖", "生猪养殖"),
        ("A03", "C1351"),
        ("山羊", "土鸡蛋", "腌腊肉制品"),
        "2",
        "agriculture",
        10,
        0.45,
    ),
    Trade(
        "tea",
        ("茶业", "茶叶", "茶旅发展"),
        ("茶业", "茶叶种植"),
        ("A01", "C1530"),
        ("老鹰茶", "绿茶", "袋泡茶"),
        "2",
        "agriculture",
        8,
        0.4,
    ),
    Trade(
        "herbs",
        ("中药材种植", "中药材精深加工", "药业", "生物科技"),
        ("中药材种植",),
        ("A01", "C2730"),
        ("党参饮片", "川牛膝", "独活提取物"),
        "2",
        "agriculture",
        11,
        0.35,
    ),
    Trade(
        "potato_vegetables",
        ("土豆产业", "农业科技", "蔬菜种植", "农产品开发"),
        ("高山蔬菜种植", "高山蔬菜种植加工", "土豆种植"),
        ("A01", "C1371"),
        ("脱毒种薯", "高山萝卜", "净菜"),
        "2",
        "agriculture",
        12,
        0.5,
    ),
    Trade(
        "silk_walnut",
        ("蚕桑科技", "核桃产业", "林业开发"),
        ("核桃蚕桑", "蚕桑", "核桃种植"),
        ("A01", "C17"),
        ("蚕丝被", "核桃油"),
        None,
        "agriculture",
        6,
        0.55,
    ),
    Trade(
        "liquor",
        ("酒业", "酿酒", "果酒"),
        ("白酒",),
        ("C1512", "C15"),
        ("高粱酒", "青脆李果酒"),
        None,
        "industry",
        5,
        0.2,
    ),
    Trade(
        "rural_tourism",
        ("旅游开发", "文化旅游", "文化创意", "民宿管理"),
        ("乡村旅游",),
        ("N78", "H61", "R88"),
        ("民宿", "研学课程", "文创产品"),
        "5",
        "other",
        7,
        0.25,
    ),
    Trade(
        "smart_equipment",
        ("智能装备", "精密机械", "机电设备", "电子科技", "信息技术"),
        (),
        ("C35", "C34", "C39", "I65"),
        ("烘干设备", "巡检终端", "农机控制器"),
        "8",
        "industry",
        8,
        0.0,
    ),
    Trade(
        "new_energy",
        ("新能源科技", "能源开发", "电力工程"),
        (),
        ("D44", "C38"),
        ("分布式光伏", "储能柜"),
        "6",
        "industry",
        4,
        0.0,
    ),
    Trade(
        "biomedicine",
        ("生物科技", "医疗器械", "制药", "生物医药"),
        (),
        ("C27", "C35"),
        ("植物提取物", "敷料", "中药配方颗粒"),
        "2",
        "industry",
        5,
        0.0,
    ),
    Trade(
        "new_materials",
        ("新材料", "粉体材料", "包装材料"),
        (),
        ("C30", "C26", "C29"),
        ("改性碳酸钙", "保温板", "生物基膜"),
        "4",
        "industry",
        6,
        0.0,
    ),
    Trade(
        "green_building",
        ("绿色建材", "建材", "环保工程"),
        (),
        ("C30", "C42", "N77"),
        ("装配式墙板", "再生骨料"),
        "7",
        "industry",
        5,
        0.0,
    ),
    Trade(
        "green_food",
        ("食品", "粮油", "卤制品"),
        ("粮油加工",),
        ("C13", "C14"),
        ("杂粮面", "卤制品", "山野菜"),
        "2",
        "industry",
        6,
        0.2,
    ),
    Trade(
        "mineral_water", ("矿泉水", "饮品"), (), ("C1522", "C15"), ("天然矿泉水", "果味水"), None, "industry", 3, 0.0
    ),
    Trade(
        "other",
        ("竹木制品", "竹编工艺", "包装制品", "物流", "商贸", "服饰"),
        ("竹编", "刺绣"),
        ("C20", "C19", "F51", "G54"),
        ("竹编器具", "纸箱", "工作服"),
        None,
        "other",
        6,
        0.25,
    ),
)

SURNAMES = _list(
    "向 冉 谭 陈 覃 田 罗 谢 黎 廖 秦 温 许 苏 邹 龚 岳 穆 柳 汪",
)
GIVEN = _list(
    "禾 述 青 越 笙 舟 衡 砚 笛 岚 屿 澄 予 蘅 知远 若溪 景行 听雨 云舒 望舒 安之 怀瑾 思齐 清和 明川",
)

VISITS = (
    "看新{product}生产线，{detail}。",
    "现场了解{product}销路，{detail}。",
    "与负责人谈今年申报打算，{detail}。",
    "核对年度指标，{detail}。",
    "看车间和实验台，{detail}。",
)
PHONES = ("电话：确认{detail}。", "电话提醒年度更新，{detail}。", "电话问{product}订单，{detail}。")
DETAILS = (
    "研发费用按项目归集只做了两个",
    "去年研发人员名单还没整理",
    "准备申请两件实用新型",
    "厂房扩建，下半年投产",
    "会计由外面代账，辅助账没有建",
    "与市里一所院校在谈合作",
    "想先做科型入库，再看国家科小",
    "招工难，技术工人缺三名",
    "专利证书放在总公司，要调回来",
    "订单增加，流动资金紧",
    "设备更新后用电增加，想了解补贴",
    "产品检测报告快到期",
)
NEXT_STEPS = (
    "送立项书模板",
    "回访检测报告",
    "带会计来对研发费用归集",
    "核对科技人员名单",
    "帮助完成网上注册",
    "送审计报告初稿",
    "约知识产权代理见面",
    "取上年财务报表复印件",
)
TRAININGS = (
    ("研发费用归集培训", "研发费用怎样按项目归集、辅助账怎样建"),
    ("科型入库辅导", "科型入库条件与网上填报，现场注册"),
    ("国家科小评价辅导", "当年评价时间、指标与知识产权材料"),
    ("高企申报动员", "高企八项条件、窗口时间和材料清单"),
    ("知识产权专题", "实用新型与发明怎样布局，年费怎样续缴"),
)
REQUESTS = (
    "贷款额度不够，想了解知识价值信用贷款",
    "厂区道路需要硬化，请求协调",
    "缺检测设备，想共用院校平台",
    "用地手续办理慢，请求协调",
)
LEAVE_REASONS = ("已获高企认定", "连续两年营业收入下降，主动退出", "迁出本区")
NOTES = ("年底前最好再去一次。", "负责人常在外地，先打电话。", "会计每周二、周四在厂。", "资料以总公司口径为准。")
