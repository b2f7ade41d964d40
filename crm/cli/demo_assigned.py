"""What the office of the invented county gave to another case manager to do (交办): some of the promised next steps."""

from collections.abc import Iterator
from datetime import timedelta

from crm.actions.obligations import ASSIGNED, decide
from crm.cli.demo_events import BUREAU, OUTCOMES, Event, IdText
from crm.cli.demo_shapes import COUNTY, World
from crm.domain.cadences import NEXT_STEP
from crm.domain.changes import Ref

HOW_MANY = 3


def events(world: World) -> Iterator[Event]:
    """The first open steps that are still ahead, each given yesterday to somebody else than who promised it."""
    by_key = {one.key: one for one in world.enterprises}
    yesterday = world.on - timedelta(days=1)
    officers = sorted(
        user.login
        for user in world.users
        if user.active and user.region == COUNTY and any(grant.role == "case_manager" for grant in user.grants)
    )
    given = 0
    for number, log in enumerate(world.logs):
        step_on = log.fields.get("next_step_on")
        open_ahead = step_on is not None and step_on >= world.on and log.done_on is None
        if given == HOW_MANY or log.region != COUNTY or not open_ahead or log.fields["happened_on"] > yesterday:
            continue
        firm = by_key[log.enterprises[0]]
        others = [login for login in officers if login not in (log.author, firm.value_on("manager", world.on))]
        values = {"outcome": ASSIGNED, "on": yesterday, "assignee_id": Ref(("user", others[given % len(others)]))}
        period = IdText(("service_log", number))
        changes = decide(None, Ref(firm.key), NEXT_STEP, period, values)  # type: ignore[arg-type]  # filled in later
        yield Event(yesterday, OUTCOMES, BUREAU[COUNTY], COUNTY, "assign_obligation", tuple(changes))  # type: ignore[arg-type]
        given += 1
