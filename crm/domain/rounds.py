"""Application windows as the rules see them: rounds of one kind and year, with what is certain of their days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from crm.domain.clock import SHANGHAI

# In the source of a window whose days nobody announced.
ASSUMED = "推定"


@dataclass(frozen=True)
class Round:
    """A window of one kind, year and batch. ``announced_on`` is the last 公告 that came out of it.

    ``status``: announced, expected, closed or assumed; a source that says 推定 also marks an assumed one.
    """

    kind: str
    year: int
    batch: str
    opens_on: date | None
    enterprise_due_at: datetime | None
    county_due_at: datetime | None
    closes_on: date | None
    announced_on: date | None
    status: str
    source: str | None = ""

    @property
    def certain(self) -> bool:
        """Whether somebody announced these days, as against an expectation or an assumption."""
        return self.status in ("announced", "closed") and ASSUMED not in (self.source or "")

    @property
    def closing_on(self) -> date | None:
        """The day the round closes: as recorded, else the day of its last known deadline."""
        if self.closes_on is not None:
            return self.closes_on
        moment = self.county_due_at or self.enterprise_due_at
        return moment.astimezone(SHANGHAI).date() if moment is not None else None


class RoundTable(tuple[Round, ...]):
    """Rounds with an index by kind and year; wrap once before judging thousands of enterprises."""

    by_kind_year: dict[tuple[str, int], list[Round]]

    def __new__(cls, rounds: Iterable[Round] = ()) -> "RoundTable":
        table = super().__new__(cls, rounds)
        table.by_kind_year = {}
        for one in table:
            table.by_kind_year.setdefault((one.kind, one.year), []).append(one)
        return table


def rounds_of(rounds: Sequence[Round], kind: str, year: int) -> list[Round]:
    """The rounds of one kind and year, in the order given."""
    if isinstance(rounds, RoundTable):
        return rounds.by_kind_year.get((kind, year), [])
    return [one for one in rounds if one.kind == kind and one.year == year]
