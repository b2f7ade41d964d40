"""The yearly selections of the invented county, and firms that went through the pool to become 高企."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from crm.cli.demo_events import BUREAU, LISTED, POOL, SELECTED, Event, Later
from crm.cli.demo_shapes import COUNTY, DemoEnterprise, World
from crm.domain.changes import Create, Ref

# How many of the 高企 of these years had been in the pool before.
_WENT_THROUGH = 7


def events(world: World) -> Iterator[Event]:
    """A decided and printed list of this year, one for the next year that waits for its meeting, and old members."""
    yield from _went_through(world)
    yield from _this_year(world)
    yield from _next_year(world)


def _went_through(world: World) -> Iterator[Event]:
    """Members who left the pool because they were recognised."""
    found = 0
    for one in world.enterprises:
        begins = next((t.fields.get("valid_from") for t in one.titles if t.fields["kind"] == "hnte"), None)
        if one.region != COUNTY or one.pool or begins is None or not isinstance(begins, date) or found == _WENT_THROUGH:
            continue
        entered = begins - timedelta(days=200 + 30 * (found % 3))
        first = max(one.fields["registered_on"], date(world.on.year - 4, 1, 10))
        if entered <= first or begins > world.on:
            continue
        found += 1
        values: dict[str, Any] = {
            "enterprise_id": Ref(one.key),
            "year": entered.year,
            "pool_class": "key",
            "proposed_on": entered - timedelta(days=20),
            "decided_on": entered,
            "entered_on": entered,
            "meeting": f"县科技局 {entered.year} 年第 {entered.month} 次局务会",
            "planned_year": begins.year if begins.year >= entered.year else entered.year,
            "left_on": begins,
            "leave_reason": "已认定高企",
        }
        yield Event(begins, POOL, BUREAU[COUNTY], COUNTY, "leave_pool", (Create("pool_membership", values),))


def _this_year(world: World) -> Iterator[Event]:
    """Everybody who entered this year was on one list."""
    mine = [
        (one, number, row)
        for one in world.enterprises
        if one.region == COUNTY
        for number, row in enumerate(one.pool)
        if row.get("year") == world.on.year and (row.get("decided_on") or row.get("entered_on"))
    ]
    days = [day for _, _, row in mine for day in (row.get("decided_on"), row.get("entered_on")) if day is not None]
    if not days:
        return
    decided = max(days)
    key = ("pool_selection", world.on.year)
    values = {
        "region_id": Ref(("region", COUNTY)),
        "year": world.on.year,
        "title": f"{world.on.year} 年高企培育库",
        "proposed_on": min([row["proposed_on"] for _, _, row in mine if row.get("proposed_on")] or [decided]),
        "decided_on": decided,
        "meeting": f"县科技局 {decided.year} 年第 {decided.month} 次局务会",
        "document": f"溪科发〔{decided.year}〕{decided.month + 3} 号（演示）",
        "issued_on": min(decided + timedelta(days=3), world.on),
    }
    links = tuple(
        Later("pool_membership", ("pool_membership", one.key, number), {"selection_id": Ref(key)})
        for one, number, _ in mine
    )
    day = min(decided + timedelta(days=6), world.on)
    yield Event(day, SELECTED, BUREAU[COUNTY], COUNTY, "open_selection", (Create("pool_selection", values, key),))
    yield Event(world.on, LISTED, BUREAU[COUNTY], COUNTY, "plan_selection", links)


def _next_year(world: World) -> Iterator[Event]:
    """Firms on the rung below with figures, put on a list that the meeting has not seen."""
    year = world.on.year + 1
    found = [one for one in world.enterprises if _is_candidate(one, world.on)][:8]
    if not found:
        return
    key = ("pool_selection", year)
    day = world.on - timedelta(days=4)
    head = {
        "region_id": Ref(("region", COUNTY)),
        "year": year,
        "title": f"{year} 年高企培育库",
        "proposed_on": day,
        "filter_words": ["梯次 科技型", "资格 国家科小 持有"],
        "query": "?rung=1&state=tech_sme%3A",
    }
    changes: list[Create] = [Create("pool_selection", head, key)]
    reasons = ("有专利，研发费用已单独记账", "国家科小连续两年在库", "规上企业，有研发人员", "")
    for number, one in enumerate(found):
        values: dict[str, Any] = {
            "enterprise_id": Ref(one.key),
            "selection_id": Ref(key),
            "year": year,
            "pool_class": "key" if number % 3 == 0 else "long_term",
            "proposed_on": day,
            "planned_year": year + (0 if number % 3 == 0 else 1),
            "planned_batch": "第一批" if number % 3 == 0 else None,
            "reason": reasons[number % len(reasons)] or None,
        }
        changes.append(Create("pool_membership", {k: v for k, v in values.items() if v is not None}))
    yield Event(day, SELECTED, BUREAU[COUNTY], COUNTY, "open_selection", tuple(changes))


def _is_candidate(one: DemoEnterprise, on: date) -> bool:
    held = {title.fields["kind"] for title in one.titles}
    old = one.fields["registered_on"] < on - timedelta(days=400)
    plain = one.recipe and "+" not in one.recipe and "pool" not in one.recipe
    return bool(one.region == COUNTY and one.rung == 1 and not one.pool and "tech_sme" in held and old and plain)
