"""An invented county and a district beside it, grown from a seed: plain values that ``demo`` feeds to the actions.

No enterprise, person, number or document in it is real. Credit codes carry the division 500299, which GB/T 2260 has
not assigned; patent and register numbers lie in ranges that are not issued; telephone numbers begin with 023-0000.
The townships of 巫溪县 are the real ones, because windows and codes hang on them. Pure: the same seed and day give
the same world, nothing is read or written.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crm.cli import demo_words as w
from crm.cli.demo_titles import DemoTitle, Fields, Titles, three_years_from, years_after
from crm.domain.codes import INVENTED_DIVISION, check_code, make_code, make_old_number
from crm.domain.names import split_name
from crm.rules import places

NOTICE = "演示数据：企业、人员、号码和文件全部虚构，与任何真实企业、个人无关。信用代码用未分配的区划 500299。"
PASSWORD = "yanshi-2027-shanxi"
COUNTY, SECOND = "500238", "500299"

# Share of the enterprises in the invented district, and of each rung (普通 to 专精特新) among all.
SECOND_SHARE = 1 / 16
RUNG_SHARES = (0.333, 0.541, 0.072, 0.032, 0.022)

# How many enterprises of each rung follow which recipe; "*n" takes n shares of those that are left. Each recipe shows
# one state of one title, so that every state occurs.
RECIPES: dict[int, str] = {
    0: "innovative_valid 3, cq_lapsed 6, cq_revoked 2, cq_relocated 1, sme_lapsed 4, sme_revoked 1, sme_relocated 1, "
    "innovative_lapsed 1, innovative_revoked 1, innovative_relocated 1, srdi_lapsed 1, srdi_revoked 1, "
    "srdi_relocated 1, hnte_relocated 1, plain *1",
    1: "cq_expiring 3, cq_awaiting 4, sme_valid 2, sme_expiring 2, sme_awaiting 4, merged_valid 2, merged_revoked 1, "
    "innovative_expiring 2, hnte_unverified 2, hnte_lapsed 2, hnte_revoked 1, pool_proposed 2, pool_out 3, "
    "cq_and_sme *1, cq *2",
    2: "pool_decided 1, pool_key *1, pool_long *2",
    3: "hnte_expiring 2, hnte_renewing 1, hnte_renewed 2, hnte_valid *1",
    4: "srdi_and_hnte 2, giant 1, srdi_expiring 1, srdi_valid *1",
}


@dataclass(frozen=True)
class DemoRegion:
    code: str
    name: str
    level: str
    parent: str | None
    invented: bool = False


@dataclass(frozen=True)
class DemoPlace:
    """A unit, park or carrier: ``noun`` says which, ``region`` is the code of its county."""

    noun: str
    region: str
    name: str
    kind: str | None = None
    aliases: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoGrant:
    """A role over a region (by code) and, for unit, park and carrier roles, the place by name."""

    role: str
    region: str
    unit: str | None = None
    park: str | None = None
    carrier: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class DemoUser:
    login: str
    name: str
    email: str
    region: str
    grants: tuple[DemoGrant, ...]
    active: bool = True


@dataclass(frozen=True)
class DemoAffiliation:
    """``kind`` as in fields.AFFILIATIONS; ``value`` is a region code, a place's name, a login, a choice or a bool."""

    kind: str
    value: Any
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True)
class DemoLog:
    """One event: field codes of ``service_log``, the login of its true author, and the keys of its enterprises.

    ``done_on`` is the day on which its next step was settled, None while it is open or when there is none.
    """

    fields: Fields
    author: str
    region: str
    enterprises: tuple[str, ...]
    done_on: date | None = None


@dataclass(frozen=True)
class DemoEnterprise:
    """``key`` names it inside the world; ``fields`` holds codes of ``enterprise`` without affiliations.

    ``figures`` is {year: {code: value}}; ``former_names`` are (name, last day). ``recipe`` says which state it shows
    and ``rung`` on which rung it stands on the world's day.
    """

    key: str
    region: str
    fields: Fields
    affiliations: tuple[DemoAffiliation, ...]
    figures: dict[int, Fields]
    titles: tuple[DemoTitle, ...]
    pool: tuple[Fields, ...]
    ip: tuple[Fields, ...]
    former_names: tuple[tuple[str, date], ...] = ()
    code_reason: str | None = None
    recipe: str = ""
    rung: int = 0

    def value_on(self, kind: str, on: date) -> Any:
        """The affiliation of a kind in force on a day, None when there is none."""
        for one in self.affiliations:
            if one.kind == kind and one.starts_on <= on and (one.ends_on is None or on <= one.ends_on):
                return one.value
        return None


@dataclass(frozen=True)
class World:
    seed: int
    on: date
    regions: tuple[DemoRegion, ...]
    places: tuple[DemoPlace, ...]
    users: tuple[DemoUser, ...]
    enterprises: tuple[DemoEnterprise, ...]
    logs: tuple[DemoLog, ...]
    notice: str = NOTICE
    password: str = PASSWORD


def make_world(seed: int, on: date, size: int = 320) -> World:
    """The world of a seed on a day: ``size`` enterprises, a sixteenth of them in the invented district.

    Raises ValueError below 60 enterprises, where not every state would find room.
    """
    if size < 60:
        raise ValueError("a world needs at least 60 enterprises")
    rng = random.Random(f"{seed}:{on.isoformat()}")
    regions, all_places, users = _regions(), _places(), _users(on)
    maker = _Maker(rng, on, regions, users)
    enterprises = tuple(maker.enterprise(n, *plan) for n, plan in enumerate(_plans(rng, size)))
    logs = _Logs(rng, on, enterprises, users).all()
    return World(seed, on, regions, all_places, users, enterprises, logs)


# --- places and people -----------------------------------------------------------------------------------------------

# (name, township code ending) of the invented district.
_SECOND_TOWNSHIPS = (("拾光街道", "001"), ("望川街道", "002"), ("松间镇", "100"), ("半坡乡", "200"))


def _regions() -> tuple[DemoRegion, ...]:
    real = [DemoRegion(region.code, region.name, region.level, region.parent) for region in places.regions()]
    second = DemoRegion(SECOND, "云台区（虚构）", places.COUNTY, "500000", invented=True)
    townships = [
        DemoRegion(SECOND + end, f"{name}（虚构）", places.TOWNSHIP, SECOND, invented=True)
        for name, end in _SECOND_TOWNSHIPS
    ]
    return (*real, second, *townships)


def _places() -> tuple[DemoPlace, ...]:
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


def _users(on: date) -> tuple[DemoUser, ...]:
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


# --- who stands where ------------------------------------------------------------------------------------------------


def _plans(rng: random.Random, size: int) -> list[tuple[str, int, str]]:
    """(county, rung, recipe) for each enterprise, in an order in which the rungs are mixed."""
    second = round(size * SECOND_SHARE)
    plans = _shares(size - second, COUNTY) + _shares(second, SECOND)
    rng.shuffle(plans)
    return plans


def _shares(size: int, region: str) -> list[tuple[str, int, str]]:
    counts = [round(size * share) for share in RUNG_SHARES]
    counts[1] += size - sum(counts)
    return [(region, rung, recipe) for rung, count in enumerate(counts) for recipe in _recipes_for(rung, count)]


def _recipes_for(rung: int, count: int) -> list[str]:
    """Fixed recipes first, the rest shared out."""
    entries = [entry.split() for entry in RECIPES[rung].split(", ")]
    fixed = [name for name, n in entries if not n.startswith("*") for _ in range(int(n))]
    shared = [name for name, n in entries if n.startswith("*") for _ in range(int(n[1:]))]
    # A small district has no room for every rarity: it shows the ordinary ones.
    chosen = fixed if len(fixed) < count else fixed[: count // 2]
    return chosen + [shared[n % len(shared)] for n in range(count - len(chosen))]


# --- enterprises -----------------------------------------------------------------------------------------------------

# Typical revenue of the year before in 万元 by rung: (least, most).
_REVENUE = ((60, 900), (180, 2600), (700, 3800), (1500, 9000), (2600, 16000))

_FORMS = {
    "company": (("有限公司", 6), ("有限责任公司", 4), ("股份有限公司", 1)),
    "cooperative": (("专业合作社", 6), ("农民专业合作社", 2), ("专业合作社联合社", 1)),
    "self_employed": (("加工坊", 3), ("店", 2), ("厂", 2), ("家庭农场", 2)),
    "branch": (("有限公司巫溪分公司", 1),),
    "sole_proprietorship": (("厂", 1),),
    "partnership": (("合伙企业（有限合伙）", 1),),
}


class _Maker:
    """Makes enterprises one by one; keeps names unique and shares them out over townships and case managers."""

    def __init__(
        self, rng: random.Random, on: date, regions: tuple[DemoRegion, ...], users: tuple[DemoUser, ...]
    ) -> None:
        self.rng, self.on = rng, on
        self.townships = {
            county: [region.code for region in regions if region.parent == county] for county in (COUNTY, SECOND)
        }
        self.names = {region.code: region.name for region in regions}
        self.managers = {
            county: [u.login for u in users if u.active and u.region == county and u.grants[0].role == "case_manager"]
            for county in (COUNTY, SECOND)
        }
        self.used: set[str] = set()

    def enterprise(self, n: int, region: str, rung: int, recipe: str) -> DemoEnterprise:
        rng = self.rng
        trade = rng.choices(w.TRADES, [trade.weight for trade in w.TRADES])[0]
        subject = self.subject_type(trade, rung)
        if subject == "company" and rung >= 3 and trade.hightech is None:
            trade = next(one for one in w.TRADES if one.code == "smart_equipment")
        titles = Titles(rng, self.on, n + 1)
        titles.follow(recipe)
        registered = self.registered_on(titles)
        township = self.township(region)
        name = self.name(trade, subject, region)
        fields, reason = self.fields(n, name, trade, subject, registered, township)
        figures = self.figures(trade, subject, rung, registered)
        return DemoEnterprise(
            key=f"e{n:04d}",
            region=region,
            fields=fields,
            affiliations=self.affiliations(n, region, township, rung, recipe, figures, registered),
            figures=figures,
            titles=tuple(titles.made),
            pool=tuple(titles.pool),
            ip=self.ip(n, rung, trade, registered),
            former_names=self.former_names(n, name, registered),
            code_reason=reason,
            recipe=recipe,
            rung=rung,
        )

    def subject_type(self, trade: w.Trade, rung: int) -> str:
        if rung >= 2:
            return "company"
        dice = self.rng.random()
        if dice < trade.coop:
            return "cooperative" if rung or self.rng.random() < 0.55 else "self_employed"
        if dice > 0.97:
            return self.rng.choice(("branch", "sole_proprietorship", "partnership"))
        return "company"

    def registered_on(self, titles: Titles) -> date:
        """At least thirteen months before the first title, because none is granted to a newborn."""
        days = [day for title in titles.made for day in title.fields.values() if isinstance(day, date)]
        first = min([*days, self.on - timedelta(days=420)])
        return first - timedelta(days=self.rng.randint(400, 4200))

    def township(self, region: str) -> str:
        """Most firms sit in a handful of townships, some townships have none."""
        codes = self.townships[region]
        favourites = ("500238101", "500238108", "500238106", "500238001", "500238002", "500238104", SECOND + "001")
        weights = [12 if code in favourites else 1.5 if n % 5 else 0.2 for n, code in enumerate(codes)]
        return self.rng.choices(codes, weights)[0]

    def name(self, trade: w.Trade, subject: str, region: str) -> str:
        rng = self.rng
        small = subject in ("cooperative", "self_employed")
        while True:
            core = rng.choice(w.CORE_FIRST) + rng.choice(w.CORE_SECOND)
            if rng.random() < 0.4:
                core += rng.choice(w.CORE_THIRD)
            if core not in self.used:
                break
        self.used.add(core)
        middle = rng.choice(trade.coop_middles or trade.middles) if small else rng.choice(trade.middles)
        forms, weights = zip(*_FORMS[subject], strict=True)
        form = rng.choices(forms, weights)[0]
        if region == SECOND:
            form = form.replace("巫溪", "云台")
        place = "云台区" if region == SECOND else "巫溪县"
        head = place if small or rng.random() < 0.5 else rng.choice(("重庆", "重庆", "重庆", "重庆市"))
        return f"{head}{core}{middle}{form}"

    def fields(
        self, n: int, name: str, trade: w.Trade, subject: str, registered: date, township: str
    ) -> tuple[Fields, str | None]:
        rng = self.rng
        person = rng.choice(w.SURNAMES) + rng.choice(w.GIVEN)
        known: Fields = {
            "name": name,
            "credit_code": make_code(n, subject_type=subject),
            "subject_type": subject,
            "industry_code": rng.choice(trade.industries),
            "featured_industry": trade.code,
            "hightech_field": trade.hightech if rng.random() < 0.7 else None,
            "registered_on": registered,
            "capital": Decimal(rng.choice((30, 50, 100, 200, 300, 500, 800, 1000, 2000))) * 10_000,
            "legal_person": person,
            "contact_name": person if rng.random() < 0.4 else rng.choice(w.SURNAMES) + rng.choice(w.GIVEN),
            "contact_phone": f"0230000{n:04d}",
            "address": f"{self.names[township].removesuffix('（虚构）')}示例路 {rng.randint(1, 200)} 号（虚构）",
            "main_product": "、".join(rng.sample(trade.products, k=min(2, len(trade.products)))),
            "source": "attracted" if rng.random() < 0.15 else "local",
        }
        reason = None
        if n % 61 == 7:
            # Its check character is wrong on purpose: kept with a reason and a warning.
            known["credit_code"] = _wrong_last(known["credit_code"])
            reason = "营业执照照片核对无误，早期赋码校验位不符"
        elif n % 89 == 13:
            del known["credit_code"]
        if "credit_code" not in known or (registered.year < 2015 and rng.random() < 0.5):
            known["old_number"] = make_old_number(n)
        if rng.random() < 0.12:
            known["notes"] = rng.choice(w.NOTES)
        # Some blanks, because no county knows everything.
        for code in ("capital", "legal_person", "contact_phone", "industry_code", "main_product"):
            if rng.random() < 0.05:
                known.pop(code)
        return {code: value for code, value in known.items() if value is not None}, reason

    def affiliations(
        self,
        n: int,
        region: str,
        township: str,
        rung: int,
        recipe: str,
        figures: dict[int, Fields],
        registered: date,
    ) -> tuple[DemoAffiliation, ...]:
        rng, on = self.rng, self.on
        began = max(registered, date(on.year - 4, 1, 4))
        found = [
            DemoAffiliation("township", township, began),
            DemoAffiliation("township_registered", township, registered),
        ]
        if rng.random() < 0.12:
            found.append(DemoAffiliation("township_operating", self.township(region), began))
        found += self.manager(n, region, rung, began)
        if rung and rng.random() < 0.25:
            park = "工业园区" if region == COUNTY else "云台产业园（虚构）"
            found.append(DemoAffiliation("park", park, began))
        elif rng.random() < 0.08:
            carrier = (
                rng.choice(("网联天下科技企业孵化器", "恒易众创空间")) if region == COUNTY else "云台众创空间（虚构）"
            )
            found.append(DemoAffiliation("carrier", carrier, began))
        revenue = figures.get(on.year - 1, {}).get("revenue")
        if revenue is not None:
            found.append(DemoAffiliation("above_scale", revenue >= 20_000_000, began))
        found += self.statuses(n, recipe, began)
        return tuple(found)

    def manager(self, n: int, region: str, rung: int, began: date) -> list[DemoAffiliation]:
        """Almost every enterprise above 普通 has a case manager; those of 许归 went to 黎舟 when she left."""
        if not rung and self.rng.random() < 0.35:
            return []
        manager = self.managers[region][n % len(self.managers[region])]
        if manager != "lizhou":
            return [DemoAffiliation("manager", manager, began)]
        change = self.on - timedelta(days=160)
        if began >= change:
            return [DemoAffiliation("manager", manager, began)]
        return [
            DemoAffiliation("manager", "xugui", began, change - timedelta(days=1)),
            DemoAffiliation("manager", manager, change),
        ]

    def statuses(self, n: int, recipe: str, began: date) -> list[DemoAffiliation]:
        since = self.on - timedelta(days=self.rng.randint(40, 300))
        if recipe.endswith("relocated"):
            status = "moved_out"
        elif recipe == "plain" and n % 17 == 3:
            status = ("suspended", "lost", "licence_revoked", "deregistered", "liquidating")[n % 5]
        else:
            status = "active"
        found = [DemoAffiliation("status", "active", began)]
        if status != "active" and since > began:
            found = [
                DemoAffiliation("status", "active", began, since - timedelta(days=1)),
                DemoAffiliation("status", status, since),
            ]
        if n % 37 == 5:
            listed = max(began, self.on - timedelta(days=400))
            removed = listed + timedelta(days=120) if n % 2 else None
            found.append(DemoAffiliation("abnormal", True, listed, removed))
        if n % 150 == 31:
            found.append(DemoAffiliation("dishonest", True, max(began, self.on - timedelta(days=200))))
        return found

    def former_names(self, n: int, name: str, registered: date) -> tuple[tuple[str, date], ...]:
        if n % 26 != 4:
            return ()
        until = max(registered + timedelta(days=200), self.on - timedelta(days=self.rng.randint(90, 1500)))
        old = name.replace("科技", "").replace("有限责任公司", "有限公司").replace("重庆市", "重庆")
        if old == name:
            core = split_name(name, ("巫溪县", "云台区")).core
            old = name.replace(core, core[::-1], 1)
        return ((old, until),) if until < self.on else ()

    def figures(self, trade: w.Trade, subject: str, rung: int, registered: date) -> dict[int, Fields]:
        """Three to five years up to the last one; some unknown, some zero, about a fifth complete for a comparison."""
        if rung == 0 and self.rng.random() < 0.45:
            return {}
        last = self.on.year - 1
        first = max(last - self.rng.randint(2, 4), registered.year)
        book = _Book(self.rng, trade, subject, rung, complete=rung > 0 and self.rng.random() < 0.35)
        found = {year: book.year() for year in range(first, last + 1)}
        if book.complete:
            found[self.on.year] = book.clean_record()
        return found

    def ip(self, n: int, rung: int, trade: w.Trade, registered: date) -> tuple[Fields, ...]:
        count = self.rng.choice(((0, 0, 0, 1), (0, 1, 2, 3, 4, 5), (3, 4, 5, 6, 8), (5, 7, 9, 12), (7, 10, 14))[rung])
        return tuple(self.one_ip(n, place, rung, trade, registered) for place in range(count))

    def one_ip(self, n: int, place: int, rung: int, trade: w.Trade, registered: date) -> Fields:
        rng = self.rng
        weights = (0, 2, 5, 2, 2) if rung < 2 else (2, 1, 6, 1, 3)
        kind = rng.choices(("invention", "plant_variety", "utility_model", "design", "software"), weights)[0]
        if kind == "plant_variety" and trade.sme != "agriculture":
            kind = "utility_model"
        granted = max(registered + timedelta(days=200), self.on - timedelta(days=rng.randint(30, 2600)))
        years = {"invention": 20, "plant_variety": 15, "utility_model": 10, "design": 15, "software": 50}[kind]
        obtained = rng.choices(("own", "transferred"), (9, 1))[0]
        return {
            "name": f"一种{trade.products[place % len(trade.products)]}{_IP_ENDINGS[kind]}",
            "ip_class": "1" if kind in ("invention", "plant_variety") else "2",
            "kind": kind,
            "number": _ip_number(kind, granted.year, n * 20 + place),
            "granted_on": granted,
            "obtained": obtained,
            "expires_on": years_after(granted, years),
            "supports_main_product": rng.random() < 0.8,
            "disputed": False,
            **({"transferred_on": granted + timedelta(days=90)} if obtained == "transferred" else {}),
            **({"high_value_reason": "strategic"} if kind == "invention" and rng.random() < 0.4 else {}),
            **(
                {"used_in_year": granted.year + 1}
                if rung >= 3 and kind != "invention" and granted.year < self.on.year - 1
                else {}
            ),
        }


_IP_ENDINGS = {
    "invention": "及其制备方法",
    "plant_variety": "新品种",
    "utility_model": "加工装置",
    "design": "包装盒",
    "software": "管理软件",
}


def _ip_number(kind: str, year: int, n: int) -> str:
    """Numbers that are not issued: patents and registrations of a year never reach 99xxxxx."""
    if kind == "software":
        return f"{year}SR99{n:05d}"
    if kind == "plant_variety":
        return f"CNA{year}99{n:04d}"
    digit = {"invention": 1, "utility_model": 2, "design": 3}[kind]
    return f"ZL{year}{digit}99{n:05d}"


def _wrong_last(code: str) -> str:
    return next(code[:17] + last for last in "0123456789" if not check_code(code[:17] + last).ok)


@dataclass
class _Book:
    """The yearly figures of one enterprise: each year grows out of the one before. Money in 元."""

    rng: random.Random
    trade: w.Trade
    subject: str
    rung: int
    complete: bool
    revenue: Decimal = field(init=False)
    staff: int = field(init=False)
    rd_share: float = field(init=False)

    def __post_init__(self) -> None:
        least, most = _REVENUE[self.rung]
        self.revenue = _yuan(self.rng.triangular(least, most, least + (most - least) / 4))
        self.staff = max(3, round(float(self.revenue) / 10_000 / self.rng.uniform(25, 70)))
        # Some spend nothing, some just miss the line, some are well above it.
        self.rd_share = self.rng.choice((0.0, 0.022, 0.036, 0.046, 0.052, 0.064, 0.081))
        if self.rung >= 2:
            self.rd_share = max(self.rd_share, 0.041)

    def year(self) -> Fields:
        """One year, after which the book has grown by one."""
        rng, revenue = self.rng, self.revenue
        rd = _round(revenue * Decimal(str(round(self.rd_share * rng.uniform(0.85, 1.2), 4))))
        assets = _round(revenue * Decimal(str(round(rng.uniform(0.6, 1.4), 3))))
        liabilities = _round(assets * Decimal(str(round(rng.uniform(0.25, 0.7), 3))))
        profit = _round(revenue * Decimal(str(round(rng.uniform(-0.04, 0.12), 3))))
        scientists = max(0, round(self.staff * (rng.uniform(0.05, 0.34) if self.rung else rng.uniform(0.0, 0.12))))
        known: Fields = {
            "revenue": revenue,
            "sales": revenue,
            "main_revenue": _round(revenue * Decimal("0.93")),
            "total_income": _round(revenue * Decimal("1.01")),
            "cost_expense": _round(revenue - profit),
            "rd_expense": rd,
            "rd_expense_deduction": _round(rd * Decimal("0.92")),
            "total_assets": assets,
            "total_liabilities": liabilities,
            "net_assets": assets - liabilities,
            "net_profit": profit,
            "tax_paid": _round(revenue * Decimal("0.031")),
            "staff_count": self.staff,
            "sci_staff_sme": scientists,
            "sme_industry": self.trade.sme,
        }
        if self.rung >= 1:
            known["insured_count"] = max(0, self.staff - rng.randint(0, 6))
            known["sci_staff_hnte"] = max(0, scientists - rng.randint(0, 1))
        if self.rung >= 2:
            known["hightech_income"] = _round(revenue * Decimal(str(round(rng.uniform(0.45, 0.85), 3))))
            known["rd_expense_hnte"] = rd
            known["rd_expense_domestic"] = rd
            known["rd_staff_count"] = scientists
        self.grow()
        return {**known, **self.clean_record()} if self.complete else self.with_blanks(known)

    def grow(self) -> None:
        growth = self.rng.triangular(-0.12, 0.35, 0.09)
        self.revenue = _round(self.revenue * Decimal(str(round(1 + growth, 3))))
        self.staff = max(2, round(self.staff * self.rng.uniform(0.95, 1.1)))

    def with_blanks(self, known: Fields) -> Fields:
        """Takes out what a county typically does not know; revenue and head count are the last to be missing."""
        sure = {"revenue": 0.03, "staff_count": 0.05, "rd_expense": 0.1, "sme_industry": 0.2}
        kept = {code: value for code, value in known.items() if self.rng.random() > sure.get(code, 0.35)}
        return kept or {"staff_count": self.staff}

    def clean_record(self) -> Fields:
        return {
            "had_major_accident": False,
            "had_env_violation": False,
            "had_research_misconduct": False,
            "was_blacklisted": False,
            "restricted_products": False,
            "own_accounts": self.subject in ("company", "cooperative"),
            "national_award_top3": False,
            "ministry_rd_institution": False,
            "led_standard": False,
        }


def _yuan(ten_thousands: float) -> Decimal:
    """An amount in 元, whole to a tenth of a 万元 as such tables are filled in."""
    return Decimal(round(ten_thousands * 10)) * 1000


def _round(amount: Decimal) -> Decimal:
    return (amount / 1000).quantize(Decimal(1)) * 1000


# --- service logs ----------------------------------------------------------------------------------------------------


class _Logs:
    """Fourteen months of visits, calls and trainings, each by whoever was the case manager that day."""

    def __init__(
        self, rng: random.Random, on: date, enterprises: tuple[DemoEnterprise, ...], users: tuple[DemoUser, ...]
    ) -> None:
        self.rng, self.on, self.enterprises = rng, on, enterprises
        self.names = {user.login: user.name for user in users}
        self.products = {trade.code: trade.products for trade in w.TRADES}

    def all(self) -> tuple[DemoLog, ...]:
        logs = [log for enterprise in self.enterprises for log in self.own(enterprise)]
        logs += self.trainings(COUNTY, 12) + self.trainings(SECOND, 3)
        return tuple(sorted(logs, key=lambda log: (log.fields["happened_on"], log.enterprises)))

    def own(self, enterprise: DemoEnterprise) -> Iterator[DemoLog]:
        """A handful of events; the last one may carry a next step that is overdue, near or far."""
        most = (2, 4, 6, 8, 9)[enterprise.rung]
        days = sorted({self.on - timedelta(days=self.rng.randint(1, 420)) for _ in range(self.rng.randint(0, most))})
        for place, happened in enumerate(self.workday(day) for day in days):
            author = enterprise.value_on("manager", happened)
            if author is not None:
                last = place == len(days) - 1
                yield self.event(enterprise, happened, author, last=last)

    def event(self, enterprise: DemoEnterprise, happened: date, author: str, *, last: bool) -> DemoLog:
        rng = self.rng
        kind = rng.choices(("visit", "phone", "material", "request"), (6, 4, 1, 1))[0]
        fields: Fields = {
            "happened_on": happened,
            "kind": kind,
            "text": self.text(enterprise, kind),
            "author_name": self.names[author],
        }
        done_on = None
        if rng.random() < (0.4 if last else 0.2):
            fields["next_step"] = rng.choice(w.NEXT_STEPS)
            if last:
                # What the desk shows: a few overdue, some this week, most later.
                away = rng.choices((-12, -3, -1, 2, 6, 15, 40), (1, 1, 1, 2, 4, 6, 6))[0]
                fields["next_step_on"] = max(self.on + timedelta(days=away), happened + timedelta(days=1))
            else:
                fields["next_step_on"] = happened + timedelta(days=14)
                done_on = min(self.on, happened + timedelta(days=rng.randint(3, 20)))
        return DemoLog(fields, author, enterprise.region, (enterprise.key,), done_on)

    def text(self, enterprise: DemoEnterprise, kind: str) -> str:
        if kind == "request":
            return self.rng.choice(w.REQUESTS) + "。"
        patterns = w.PHONES if kind == "phone" else w.VISITS
        product = self.rng.choice(self.products[enterprise.fields["featured_industry"]])
        return self.rng.choice(patterns).format(product=product, detail=self.rng.choice(w.DETAILS))

    def trainings(self, region: str, count: int) -> list[DemoLog]:
        """One event with five to nine enterprises, written once."""
        pool = [enterprise for enterprise in self.enterprises if enterprise.region == region]
        found = []
        for _ in range(count):
            title, text = self.rng.choice(w.TRAININGS)
            happened = self.workday(self.on - timedelta(days=self.rng.randint(5, 415)))
            guests = self.rng.sample(pool, k=min(len(pool), self.rng.randint(5, 9)))
            authors = [author for one in guests if (author := one.value_on("manager", happened))]
            if authors:
                fields = {
                    "happened_on": happened,
                    "kind": "training",
                    "text": f"{title}：{text}（{len(guests)} 家同场）。",
                    "author_name": self.names[authors[0]],
                }
                found.append(DemoLog(fields, authors[0], region, tuple(sorted(one.key for one in guests))))
        return found

    @staticmethod
    def workday(day: date) -> date:
        return day - timedelta(days=max(0, day.weekday() - 4))


# --- rows for benchmarks ---------------------------------------------------------------------------------------------


def bench_enterprises(n: int, seed: int = 1, on: date = date(2026, 11, 23)) -> Iterator[Fields]:
    """``n`` invented enterprises, quickly and without a world around them.

    Each is a dict of ``enterprise`` field codes plus ``township`` (a region code of 巫溪县), ``titles`` (tuple of
    ``qualification`` dicts) and ``figures`` ({year: dict}). Names and codes are unique up to two million.
    """
    rng = random.Random(seed)
    townships = [region.code for region in places.regions() if region.level == places.TOWNSHIP]
    tails = [
        (trade, f"{middle}{form}")
        for trade in w.TRADES
        for middle in trade.middles
        for form in ("有限公司", "有限责任公司")
    ]
    first, second, third = w.CORE_FIRST, w.CORE_SECOND, w.CORE_THIRD
    cores = len(first) * len(second) * len(third)
    for i in range(n):
        trade, tail = tails[i * 7 % len(tails)]
        core = first[i % len(first)] + second[i // len(first) % len(second)]
        core += third[i // (len(first) * len(second)) % len(third)]
        revenue = Decimal(rng.randrange(300, 90_000)) * 1000
        yield {
            "name": f"{'重庆' if i % 2 else '巫溪县'}{core}{_numeral(i // cores)}{tail}",
            "credit_code": make_code(1_000_000 + i),
            "subject_type": "company",
            "industry_code": trade.industries[i % len(trade.industries)],
            "featured_industry": trade.code,
            "registered_on": date(2005 + i % 18, i % 12 + 1, i % 28 + 1),
            "capital": revenue,
            "contact_phone": f"02300{i:07d}",
            "township": townships[i * 11 % len(townships)],
            "titles": _bench_titles(i, on),
            "figures": {
                year: {"revenue": revenue + year, "rd_expense": revenue / 20, "staff_count": 5 + i % 200}
                for year in (on.year - 2, on.year - 1)
            },
        }


def _bench_titles(i: int, on: date) -> tuple[Fields, ...]:
    found: list[Fields] = []
    if i % 10 < 6:
        start = date(on.year - 1 - i % 4, i % 12 + 1, i % 28 + 1)
        found.append({"kind": "cq_tech", "announced_on": start, "valid_from": start, "cohort_year": start.year})
    if i % 4 == 0:
        start = date(on.year - 1, 8, i % 28 + 1)
        found.append(
            {
                "kind": "tech_sme",
                "number": f"{start.year}{INVENTED_DIVISION}A0{i % 1_000_000:06d}",
                "announced_on": start,
                "cohort_year": start.year,
            }
        )
    if i % 25 == 0:
        issued = date(on.year - 1 - i % 3, 11, i % 28 + 1)
        found.append(
            {
                "kind": "hnte",
                "number": f"GR{issued.year}519{i % 100_000:05d}",
                "announced_on": issued,
                "issued_on": issued,
                "valid_from": issued,
                "valid_to": three_years_from(issued),
                "cohort_year": issued.year,
            }
        )
    return tuple(found)


def _numeral(n: int) -> str:
    """A number in characters, nothing for zero, so that long runs of names stay unique."""
    return "".join("零一二三四五六七八九"[int(digit)] for digit in str(n)) if n else ""
