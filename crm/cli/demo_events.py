"""What an invented world enters in time: who entered what on which day, in the order of a month."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.cli.demo_shapes import COUNTY, SECOND
from crm.domain.changes import Create

# The order of what is entered in one month: what others point at comes first.
(
    PLACES,
    PEOPLE,
    SUPERVISION,
    ENTRIES,
    BELONGINGS,
    FIGURES,
    IP,
    TITLES,
    ENDS,
    POOL,
    APPLICATIONS,
    REVIEWS,
    LOGS,
    REQUESTS,
    OUTCOMES,
    ASKED,
    ANSWERED,
    SELECTED,
    LISTED,
) = range(19)
# Who enters what nobody in particular entered: the bureau of each county.
BUREAU = {COUNTY: "tanyue", SECOND: "tingyu"}


@dataclass(frozen=True)
class Later:
    """New values for a record that an earlier event of the same world made under this key."""

    noun: str
    key: Hashable
    values: Mapping[str, Any]


@dataclass(frozen=True)
class IdText:
    """Stands for the id of a record as text; periods of next steps are the ids of their logs."""

    key: Hashable


@dataclass(frozen=True)
class Event:
    """What one person entered on one day."""

    on: date
    phase: int
    who: str
    region: str
    action: str
    changes: tuple[Create | Later, ...]
    reason: str = ""

    @property
    def batch(self) -> tuple[int, int, int, str, str, str]:
        return (self.on.year, self.on.month, self.phase, self.region, self.who, self.action)
