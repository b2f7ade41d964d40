"""The visit plans of the invented county: last quarter's, and this one's with one officer who has made none yet."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from crm.cli.demo_events import ASKED, Event
from crm.cli.demo_shapes import COUNTY, DemoEnterprise, World
from crm.domain.changes import Create, Ref
from crm.domain.visit_plans import CALLED_ON, Quarter, quarter_of

_PURPOSES = ("看新产线，问研发归集", "送立项书样表", "核对人员和社保", "问年度更新准备得怎样", "问明年申报打算")


def events(world: World) -> Iterator[Event]:
    """One plan per officer and quarter, made in its first days; deterministic by the world's seed."""
    rng = random.Random(f"{world.seed}:plans")
    this = quarter_of(world.on)
    for quarter in (this.before, this):
        made_on = min(quarter.first + timedelta(days=4), world.on)
        by_officer: dict[str, list[DemoEnterprise]] = {}
        for one in world.enterprises:
            officer = one.value_on("manager", made_on)
            if one.region == COUNTY and isinstance(officer, str) and _is_called_on(one, made_on):
                by_officer.setdefault(officer, []).append(one)
        for officer in sorted(by_officer)[1:] if quarter == this else sorted(by_officer):
            yield _plan(rng, officer, quarter, by_officer[officer], made_on)


def _is_called_on(one: DemoEnterprise, on: date) -> bool:
    """Whether a title of those that are called on was recorded and still runs."""
    return one.fields["registered_on"] < on - timedelta(days=100) and any(
        title.fields["kind"] in CALLED_ON
        and title.recorded_on <= on
        and (title.fields.get("valid_to") is None or title.fields["valid_to"] >= on)
        for title in one.titles
    )


def _plan(rng: random.Random, officer: str, quarter: Quarter, firms: list[DemoEnterprise], on: date) -> Event:
    key = ("visit_plan", officer, quarter.code)
    head = {"region_id": Ref(("region", COUNTY)), "user_id": Ref(("user", officer))}
    changes = [Create("visit_plan", {**head, "year": quarter.year, "quarter": quarter.number}, key)]
    for one in firms:
        row = {"visit_plan_id": Ref(key), "enterprise_id": Ref(one.key)}
        if rng.random() < 0.4:
            days = (quarter.last - quarter.first).days
            day = quarter.first + timedelta(days=rng.randint(8, days))
            row |= {"planned_on": day - timedelta(days=max(0, day.weekday() - 4)), "purpose": rng.choice(_PURPOSES)}
        changes.append(Create("visit_plan_enterprise", row))
    return Event(on, ASKED, officer, COUNTY, "make_visit_plan", tuple(changes))
