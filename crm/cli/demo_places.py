"""The places and people of the invented world: the real townships of 巫溪县, a district and offices beside them."""

from datetime import date, timedelta
from typing import Any

from crm.cli.demo_shapes import COUNTY, SECOND, DemoGrant, DemoPlace, DemoRegion, DemoUser
from crm.rules import places

# (name, township code ending) of the invented district.
_SECOND_TOWNSHIPS = (("拾光街道", "001"), ("望川街道", "002"), ("松间镇", "100"), ("半坡乡", "200"))


def demo_regions() -> tuple[DemoRegion, ...]:
    real = [DemoRegion(region.code, region.name, region.level, region.parent) for region in places.regions()]
    second = DemoRegion(SECOND, "云台区（虚构）", places.COUNTY, "500000", invented=True)
    townships = [
        DemoRegion(SECOND + end, f"{name}（虚构）", places.TOWNSHIP, SECOND, invented=True)
        for name, end in _SECOND_TOWNSHIPS
    ]
    return (*real, second, *townships)


def demo_places() -> tuple[DemoPlace, ...]:
    found = [DemoPlace("unit", unit.county, unit.name, None, unit.aliases, unit.owns) for unit in places.units()]
    found += [DemoPlace("park", park.county, park.name, None, park.aliases) for park in places.parks()]
    found += [DemoPlace("carrier", one.county, one.name, one.kind, one.aliases) for one in places.carriers()]
    found += [
        DemoPlace("unit", SECOND, "云台区科技局（虚构）", owns=("cq_tech", "tech_sme", "hnte")),
        DemoPlace(
            "unit",
            SECOND,
            "云台区经信委（虚构）",
            owns=("innovative_sme", "tech_innovative_sme", "srdi", "little_giant"),
        ),
        DemoPlace("park", SECOND, "云台产业园（虚构）"),
        DemoPlace("carrier", SECOND, "云台众创空间（虚构）", "maker_space"),
    ]
    return tuple(found)


def demo_users(on: date) -> tuple[DemoUser, ...]:
    def user(login: str, name: str, region: str, *grants: DemoGrant, active: bool = True) -> DemoUser:
        return DemoUser(login, name, f"{login}@crm.example", region, grants, active)

    def at(role: str, region: str, **more: Any) -> DemoGrant:
        return DemoGrant(role, region, valid_from=date(on.year - 4, 1, 4), **more)

    left_on = on - timedelta(days=160)
    return (
        user("xianghe", "向禾", COUNTY, at("case_manager", COUNTY)),
        user("chenshu", "陈述", COUNTY, at("case_manager", COUNTY)),
        user("ranqing", "冉青", COUNTY, at("case_manager", COUNTY)),
        user("luosheng", "罗笙", COUNTY, at("case_manager", COUNTY)),
        user("lizhou", "黎舟", COUNTY, DemoGrant("case_manager", COUNTY, valid_from=left_on)),
        # She left; her enterprises went to 黎舟, her visits keep her name.
        user("xugui", "许归", COUNTY, at("case_manager", COUNTY, valid_to=left_on - timedelta(days=1)), active=False),
        user("tanyue", "谭越", COUNTY, at("bureau", COUNTY)),
        user("liaoheng", "廖衡", COUNTY, at("leader", COUNTY)),
        user("tianyan", "田砚", COUNTY, at("admin", COUNTY)),
        user("qindi", "秦笛", COUNTY, at("township", "500238101")),
        user("wenlan", "温岚", COUNTY, at("township", "500238108")),
        user("suyu", "苏屿", COUNTY, at("township", "500238118"), at("township", "500238106")),
        user("zoucheng", "邹澄", COUNTY, at("park", COUNTY, park="工业园区")),
        user("gongyu", "龚予", COUNTY, at("park", COUNTY, carrier="网联天下科技企业孵化器")),
        user("yueheng", "岳蘅", COUNTY, at("unit", COUNTY, unit="县经济信息委")),
        user("muzhi", "穆知远", COUNTY, at("unit", COUNTY, unit="县市场监管局")),
        user("liuruo", "柳若溪", SECOND, at("case_manager", SECOND)),
        user("wangjing", "汪景行", SECOND, at("case_manager", SECOND)),
        user("tingyu", "谢听雨", SECOND, at("bureau", SECOND)),
        user("yunshu", "覃云舒", SECOND, at("leader", SECOND)),
        user("wangshu", "田望舒", SECOND, at("township", SECOND + "001")),
        user("anzhi", "温安之", SECOND, at("park", SECOND, park="云台产业园（虚构）")),
        user("huaijin", "苏怀瑾", SECOND, at("unit", SECOND, unit="云台区经信委（虚构）")),
        user("siqi", "罗思齐", SECOND, at("admin", SECOND)),
    )
