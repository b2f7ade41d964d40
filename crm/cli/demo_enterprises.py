"""Invented enterprises, one by one: names, codes, belonging, status and intellectual property."""

import random
from datetime import date, timedelta
from decimal import Decimal

from crm.cli import demo_words as w
from crm.cli.demo_figures import Book
from crm.cli.demo_shapes import COUNTY, SECOND, DemoAffiliation, DemoEnterprise, DemoRegion, DemoUser
from crm.cli.demo_titles import Fields, Titles, years_after
from crm.domain.codes import check_code, make_code, make_old_number
from crm.domain.names import split_name

_FORMS = {
    "company": (("有限公司", 6), ("有限责任公司", 4), ("股份有限公司", 1)),
    "cooperative": (("专业合作社", 6), ("农民专业合作社", 2), ("专业合作社联合社", 1)),
    "self_employed": (("加工坊", 3), ("店", 2), ("厂", 2), ("家庭农场", 2)),
    "branch": (("有限公司巫溪分公司", 1),),
    "sole_proprietorship": (("厂", 1),),
    "partnership": (("合伙企业（有限合伙）", 1),),
}


class Maker:
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
        book = Book(self.rng, trade, subject, rung, complete=rung > 0 and self.rng.random() < 0.35)
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
