"""What the townships of the invented county answered this month: one is half through, one is done but for two."""

from collections.abc import Iterator
from typing import Any

from crm.cli.demo_events import OUTCOMES, Event
from crm.cli.demo_shapes import COUNTY, DemoEnterprise, World
from crm.domain.changes import Create, Ref
from crm.domain.months import month_of
from crm.domain.statuses import GONE

_HALF, _MOST = "500238101", "500238108"
_NEWS = (("changed", "联系电话换了，新号码问过会计"), ("unreachable", None), ("changed", "搬到镇上新厂房，老厂房出租"))


def confirmation_events(world: World) -> Iterator[Event]:
    """Two clerks' answers, each in one sitting."""
    clerks = {grant.region: user.login for user in world.users for grant in user.grants if grant.role == "township"}
    for place in (_HALF, _MOST):
        firms = [one for one in world.enterprises if _is_there(one, place, world)]
        answered = firms[: len(firms) // 2] if place == _HALF else firms[:-2]
        who = clerks[place]
        changes = tuple(_answer(n, one, who, world) for n, one in enumerate(answered))
        if changes:
            yield Event(world.on, OUTCOMES, who, COUNTY, "confirm_month", changes)


def _is_there(one: DemoEnterprise, place: str, world: World) -> bool:
    return one.value_on("township", world.on) == place and one.value_on("status", world.on) not in GONE


def _answer(n: int, one: DemoEnterprise, who: str, world: World) -> Create:
    answer, note = _NEWS[n // 5 % len(_NEWS)] if n % 5 == 3 else ("same", None)
    values: dict[str, Any] = {
        "enterprise_id": Ref(one.key),
        "month": month_of(world.on),
        "answer": answer,
        "note": note,
        "user_id": Ref(("user", who)),
    }
    return Create("confirmation", values)
