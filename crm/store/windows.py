"""Application windows: dated rows per kind, year and batch, announced or expected."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, SmallInteger, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.rounds import Round, RoundTable, rounds_of
from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.regions import TOWNSHIP, Region
from crm.store.types import Moment, Words


class Window(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    kind: Mapped[str] = mapped_column(Words(24))
    year: Mapped[int] = mapped_column(SmallInteger)
    batch: Mapped[str] = mapped_column(Words(40), default="")
    opens_on: Mapped[date | None] = mapped_column(Date)
    enterprise_due_at: Mapped[datetime | None] = mapped_column(Moment)
    county_due_at: Mapped[datetime | None] = mapped_column(Moment)
    closes_on: Mapped[date | None] = mapped_column(Date)
    announced_on: Mapped[date | None] = mapped_column(Date)
    status: Mapped[str] = mapped_column(Words(16))
    source: Mapped[str | None] = mapped_column(Words(300))


# What a window says, apart from where it counts: the same names as the plain value.
FIELDS = tuple(Round.__dataclass_fields__)
ROUND_COLUMNS = tuple(getattr(Window, name) for name in FIELDS)


class Calendar:
    """Every window that is entered, and which of them count in a region: its own and those of the regions above it.

    A region's own window of a kind, year and batch stands in place of the one above with the same three.
    """

    def __init__(
        self,
        windows: Sequence[tuple[int, Round]],
        above: Mapping[int, int | None],
        by_id: Mapping[int, Round] | None = None,
    ) -> None:
        self._windows = windows
        self._by_id = by_id or {}
        self._above = above
        self._keeping = frozenset(region_id for region_id, _ in windows)
        self._tables: dict[tuple[int, ...], RoundTable] = {}

    def of(self, region_id: int | None) -> RoundTable:
        """The rounds that count in a region, in the order of kind, year and opening."""
        nearest_first: list[int] = []
        while region_id is not None:
            if region_id in self._keeping:
                nearest_first.append(region_id)
            region_id = self._above.get(region_id)
        # Counties that keep no window of their own share one table, so that a hundred thousand enterprises need few.
        key = tuple(nearest_first)
        if key not in self._tables:
            self._tables[key] = RoundTable(self._counting(key))
        return self._tables[key]

    def round(self, window_id: int | None, region_id: int | None) -> Round | None:
        """What a window says in a region: the county's own of the same kind, year and batch speaks in its place."""
        one = self._by_id.get(window_id) if window_id is not None else None
        if one is None:
            return None
        counting = rounds_of(self.of(region_id), one.kind, one.year)
        return next((other for other in counting if other.batch == one.batch), one)

    def _counting(self, nearest_first: tuple[int, ...]) -> list[Round]:
        said_by: dict[tuple[str, int, str], int] = {}
        for region_id in nearest_first:
            for kept_in, one in self._windows:
                if kept_in == region_id:
                    said_by.setdefault((one.kind, one.year, one.batch), region_id)
        return [one for kept_in, one in self._windows if said_by.get((one.kind, one.year, one.batch)) == kept_in]


def calendar() -> Calendar:
    """Every window as a plain value with where it counts: two queries, however many regions ask."""
    order = (Window.kind, Window.year, Window.opens_on, Window.id)
    query = select(Window.id, Window.region_id, *ROUND_COLUMNS).where(~Window.deleted).order_by(*order)
    rows = [(window_id, region_id, Round(*row)) for window_id, region_id, *row in db.session.execute(query)]
    windows = [(region_id, one) for _, region_id, one in rows]
    regions = select(Region.id, Region.parent_id).where(Region.level != TOWNSHIP)
    above = dict(db.session.execute(regions).all())
    return Calendar(windows, above, {window_id: one for window_id, _, one in rows})
