"""What obligations are a function of, and an obligation before people and the clock have had their say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from crm.domain.application_dues import ApplicationFact
from crm.domain.cadences import Cadence
from crm.domain.clock import SHANGHAI
from crm.domain.periods import TitleFact


@dataclass(frozen=True)
class NextStep:
    """A next step promised in a service log. ``how`` is the word for the contact (走访, 电话 …)."""

    log_id: int
    text: str
    due_on: date
    logged_on: date | None = None
    how: str = ""
    owner_id: int | None = None


@dataclass(frozen=True)
class Asked:
    """A request of the enterprise (诉求) with a day by which it is to be answered; ``answered``: how, once it was."""

    request_id: int
    text: str
    raised_on: date
    due_on: date
    answered: str = ""


@dataclass(frozen=True)
class Renaming:
    """The day from which the enterprise has another name, and the name it had until then."""

    on: date
    former_name: str


@dataclass(frozen=True)
class ObligationFacts:
    """What obligations are a function of.

    ``applications`` are (title kind, year) in hand, ``in_hand`` the same with their stages and evidence;
    ``manager_id`` is the 服务专员, who owns what nobody else does.
    ``tracked_from`` is the day since which outcomes are recorded in full: a report due on or after it and never settled
    counts as missed. Without it, only outcomes saying so do. ``status`` is the 存续状态 of the day: titles ask nothing
    of a firm that is gone, while a step somebody promised stays a promise.
    """

    titles: tuple[TitleFact, ...] = ()
    applications: tuple[tuple[str, int], ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    requests: tuple[Asked, ...] = ()
    renamings: tuple[Renaming, ...] = ()
    in_hand: tuple[ApplicationFact, ...] = ()
    manager_id: int | None = None
    tracked_from: date | None = None
    status: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What people said of one obligation: ``kind`` done, waived, postponed (改期), missed (未报), assigned (交办)."""

    kind: str
    on: date
    postponed_to: date | None = None
    assignee_id: int | None = None


Outcomes = Mapping[tuple[str, str], Outcome]


@dataclass(frozen=True)
class Draft:
    """An obligation before people and the clock have had their say. ``settled``: the facts show it done."""

    cadence: Cadence
    period: str
    opens_on: date
    due_at: datetime
    reason: str
    late_reason: str
    expected: bool = False
    settled: str | None = None
    lapses_at: datetime | None = None
    steps: tuple[str, ...] | None = None
    source_id: int | None = None
    owner_id: int | None = None


def deadline_words(at: datetime | None, year: int | None = None) -> str:
    """A deadline as people say it: the last second of a day is its 24:00, which goes without saying.

    So does the year when the sentence has named that ``year`` already.
    """
    if at is None:
        return ""
    local = at.astimezone(SHANGHAI)
    day = f"{local:%m-%d}" if local.year == year else local.date().isoformat()
    return day if (local.hour, local.minute) == (23, 59) else f"{day} {local:%H:%M}"
