"""Two collections of the invented county: one that is closed, one in which some have answered and some have not."""

import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crm.actions.collection_answers import SHEET, TYPED
from crm.cli.demo_events import ANSWERED, ASKED, BUREAU, Event, Later
from crm.cli.demo_shapes import COUNTY, DemoEnterprise, World
from crm.domain.changes import Create, Ref
from crm.store.writer import plain

# What a comparison with 115号 most often lacks, and how an answer follows from revenue and staff.
_ASKED = (
    "sales",
    "cost_expense",
    "rd_expense_deduction",
    "total_assets",
    "sci_staff_sme",
    "restricted_products",
    "own_accounts",
)
_SIGNERS = ("陈厂长", "李总", "周经理", "谭总", "冉厂长")


def events(world: World) -> Iterator[Event]:
    """The collections of the county with what came back, deterministic by the world's seed."""
    rng = random.Random(f"{world.seed}:collections")
    year = world.on.year - 1
    lacking = [
        one
        for one in world.enterprises
        if one.region == COUNTY and one.rung >= 1 and one.value_on("manager", world.on) and _missing(one, year)
        if one.fields["registered_on"] < world.on - timedelta(days=100)
    ]
    chosen = rng.sample(lacking, k=min(len(lacking), 15))
    began = world.on - timedelta(days=70)
    if began > date(world.on.year, 3, 12):
        # Before that day the figures of last year were not entered, so nobody could say what is missing.
        title = f"{year} 年国家科小数据采集"
        yield from _collection(rng, world, "old", title, chosen[:5], began, year, closed=began + timedelta(days=25))
    title = f"{world.on.year} 年国家科小补充数据采集"
    yield from _collection(rng, world, "new", title, chosen[5:], world.on - timedelta(days=11), year)


def _missing(one: DemoEnterprise, year: int) -> list[str]:
    row = one.figures.get(year)
    if row is None or row.get("revenue") is None or row.get("staff_count") is None:
        return []
    return [code for code in _ASKED if row.get(code) is None]


def _collection(
    rng: random.Random,
    world: World,
    key: str,
    title: str,
    asked: list[DemoEnterprise],
    began: date,
    year: int,
    *,
    closed: date | None = None,
) -> Iterator[Event]:
    if not asked:
        return
    bureau, region = BUREAU[COUNTY], Ref(("region", COUNTY))
    head = {
        "region_id": region,
        "owner_id": Ref(("user", bureau)),
        "title": title,
        "year": year,
        "due_on": closed if closed is not None else world.on + timedelta(days=6),
        "kinds": ["tech_sme"],
        "note": "有疑问打电话问服务专员。",
    }
    own = ("collection", key)
    opened = [Create("collection", head, own)]
    for one in asked:
        paths = [f"figures.{year}.{code}" for code in _missing(one, year)]
        row = {"collection_id": Ref(own), "enterprise_id": Ref(one.key), "questions": paths}
        opened.append(Create("collection_enterprise", row, ("sheet", key, one.key)))
    yield Event(began, ASKED, bureau, COUNTY, "open_collection", tuple(opened))
    back = asked if closed is not None else asked[: len(asked) // 2]
    for number, one in enumerate(back):
        day = min(began + timedelta(days=3 + number), world.on)
        yield _answer(rng, key, title, one, year, day, sealed=number % 2 == 0, typed=number % 3 == 2)
    if closed is None:
        waiting = asked[len(back) :]
        reminded = tuple(
            Later("collection_enterprise", ("sheet", key, one.key), {"reminded_on": world.on - timedelta(days=2)})
            for one in waiting[:-1]
        )
        yield Event(world.on - timedelta(days=2), ANSWERED, bureau, COUNTY, "remind_sheets", reminded)
        excused = {"excused_reason": "企业正在停产检修，财务人员不在。"}
        last = Later("collection_enterprise", ("sheet", key, waiting[-1].key), excused)
        yield Event(world.on - timedelta(days=1), ANSWERED, bureau, COUNTY, "excuse_sheet", (last,))
    if closed is not None:
        yield Event(
            closed, ANSWERED, bureau, COUNTY, "close_collection", (Later("collection", own, {"closed_on": closed}),)
        )


def _answer(
    rng: random.Random, key: str, title: str, one: DemoEnterprise, year: int, day: date, *, sealed: bool, typed: bool
) -> Event:
    """What one enterprise answered, as its case manager brought it in."""
    values = _values(rng, one.figures[year], _missing(one, year))
    signer = rng.choice(_SIGNERS)
    answers = {f"figures.{year}.{code}": plain(value) for code, value in values.items()}
    sheet: dict[str, Any] = {"answers": answers, "returned_on": day, "returned_how": TYPED if typed else SHEET}
    figures: dict[str, Any] = dict(values)
    if sealed:
        sheet |= {"authorised_by": signer, "authorised_on": day}
        figures["confirmed"] = {code: {"by": signer, "at": day.isoformat()} for code in values}
    changes = (
        Later("figures", ("figures", one.key, year), figures),
        Later("collection_enterprise", ("sheet", key, one.key), sheet),
    )
    manager = one.value_on("manager", day)
    who = manager if isinstance(manager, str) else BUREAU[one.region]
    action = "answer_sheet" if typed else "return_sheets"
    return Event(day, ANSWERED, who, COUNTY, action, changes, reason=f"采集：{title}")


def _values(rng: random.Random, row: Mapping[str, Any], missing: list[str]) -> dict[str, Any]:
    revenue, staff = row["revenue"], row["staff_count"]

    def share(low: float, high: float) -> Decimal:
        return (revenue * Decimal(str(round(rng.uniform(low, high), 3))) / 1000).quantize(Decimal(1)) * 1000

    drawn: dict[str, Any] = {
        "sales": revenue,
        "cost_expense": share(0.86, 0.97),
        "rd_expense_deduction": share(0.01, 0.06),
        "total_assets": share(0.7, 1.3),
        "sci_staff_sme": max(1, round(staff * rng.uniform(0.08, 0.25))),
        "restricted_products": False,
        "own_accounts": True,
    }
    return {code: drawn[code] for code in missing}
