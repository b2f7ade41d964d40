"""What of other people stands on a desk: the lines of whom one stands in for, and what is late of the own people."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from crm.domain.viewers import Viewer
from crm.domain.workdays import Holidays
from crm.store import desk, handovers, obligation_lists
from crm.store.absences import away_today
from crm.store.obligation_lists import LATE, Filter
from crm.store.silence import Limits
from crm.store.users import people_of
from crm.web import reference
from crm.web.desk import lines
from crm.web.doors import now, today

# Beside the own ten lines; the rest is one press away.
MOST = 5


@dataclass(frozen=True)
class StandIn:
    """Somebody who is away, with the lines of today that person would have; ``count`` is how many there are of all."""

    user_id: int
    name: str
    until: date | None
    lines: list[lines.Line]
    count: int


@dataclass(frozen=True)
class Late:
    """How much is late of one of the viewer's people."""

    user_id: int
    name: str
    count: int


def stand_ins(person: Viewer, silence: Limits, known: Holidays) -> list[StandIn]:
    """The colleagues whose deputy this person is today, with their lines, under their names."""
    away = away_today(person.stands_in_for, today())
    names = reference.people(away)
    found = []
    for user_id in sorted(away):
        wanted = Filter(mine=user_id)
        counts = obligation_lists.pivot(wanted, person, now=now())
        quiet = desk.longest_silent(person, mine=user_id, limits=silence, limit=lines.MOST)
        silent = lines.silent_lines(quiet, on=today(), holidays=known)
        theirs = lines.todays(person, wanted, counts, now=now(), silent=silent, internal=True)
        groups = counts.by_group(wanted)
        near = sum(groups.get(group, 0) for group in (LATE, "week", "month"))
        found.append(StandIn(user_id, names.get(user_id, ""), away[user_id].until, theirs[:MOST], near))
    return found


def late_people(person: Viewer) -> list[Late]:
    """What is late of the people this person supervises, as far as the own sight goes; the most first."""
    people = people_of(person.user_id) if person.user_id is not None else {}
    if not people:
        return []
    counted: Counter[int] = handovers.late_of(people, person, now=now())
    found = [Late(user_id, name, counted[user_id]) for user_id, name in people.items() if counted[user_id]]
    return sorted(found, key=lambda one: (-one.count, one.name))
