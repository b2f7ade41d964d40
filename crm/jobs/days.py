"""Days and moments of the county, read from the clock by the door for time."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import current_app

from crm.domain.acts import Act
from crm.domain.viewers import the_machine

# A day other than today is judged in the morning, when people begin and before anything due that day is late.
MORNING = time(8, 0)


def zone() -> ZoneInfo:
    """Where the bureau's clocks are."""
    return ZoneInfo(current_app.config["TZ_NAME"])


def local_now() -> datetime:
    """The present moment on those clocks."""
    return datetime.now(UTC).astimezone(zone())


def today() -> date:
    """The day there."""
    return local_now().date()


def moment_of(on: date) -> datetime:
    """The present moment for today, else the morning of the day."""
    now = local_now()
    return now if on == now.date() else datetime.combine(on, MORNING, zone())


def machine_act(name: str, *, door: str = "job", on: date | None = None) -> Act:
    """The circumstances of a deed of the machine itself."""
    now = datetime.now(UTC)
    return Act(the_machine(name), door, now, on or today(), request_id=f"{door}-{name}"[:40])
