"""Who was not heard of for too long: the one definition behind the desk, the list of enterprises and the week's mail.

久未联系 = contacted before, longer ago than the limit in working days of its region (高企 and 专精特新 have their
own), and not gone. Who has no contact on record at all is counted apart: after a first import that is everybody.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, case, or_, select

from crm.domain.kinds import HELD_STATES
from crm.domain.statuses import GONE
from crm.domain.workdays import Holidays
from crm.extensions import db
from crm.store.regions import TOWNSHIP, Region
from crm.store.settings import DECLARED, Setting
from crm.store.standings import Standing

USUAL, TITLED = "silence_days", "silence_days_titled"
_HELD = tuple(sorted(HELD_STATES))


@dataclass(frozen=True)
class Limit:
    """So many working days without contact, and the earliest day of a contact that is still recent enough."""

    days: int
    since: date


@dataclass(frozen=True)
class Limits:
    """The limits of a day: (usual, 高企 and 专精特新) where nothing else is set, and per region that has its own."""

    usual: tuple[Limit, Limit]
    own: tuple[tuple[int, tuple[Limit, Limit]], ...] = ()

    def of(self, region_id: int | None, titled: bool) -> Limit:
        """The limit for an enterprise of that region."""
        return dict(self.own).get(region_id or 0, self.usual)[titled]

    def is_silent(self) -> ColumnElement[bool]:
        """Whether an enterprise counts as 久未联系, over standings."""
        since: ColumnElement[date] | date = _since(self.usual)
        if self.own:
            since = case(
                *((Standing.region_id == region_id, _since(both)) for region_id, both in self.own), else_=since
            )
        return and_(Standing.last_contact_on < since, is_there())


def never_contacted() -> ColumnElement[bool]:
    """Whether an enterprise counts as 从未联系, over standings."""
    return and_(Standing.last_contact_on.is_(None), is_there())


def is_there() -> ColumnElement[bool]:
    """Whether there is anybody to call on: the silence of a firm that is gone is no news."""
    return or_(Standing.status.is_(None), Standing.status.not_in(GONE))


def is_titled() -> ColumnElement[bool]:
    """Whether the limit for 高企 and 专精特新 is the one that counts."""
    return or_(*(getattr(Standing, kind).in_(_HELD) for kind in ("hnte", "srdi", "little_giant")))


def limits(on: date, holidays: Holidays) -> Limits:
    """The limits in force on a day; two queries, however many regions have their own."""
    rows = db.session.execute(
        select(Setting.region_id, Setting.key, Setting.value).where(Setting.key.in_((USUAL, TITLED)), ~Setting.deleted)
    )
    said = {(region_id, key): int(value) for region_id, key, value in rows}
    above = dict(db.session.execute(select(Region.id, Region.parent_id).where(Region.level != TOWNSHIP)).all())
    made: dict[int, Limit] = {}

    def limit(region_id: int | None, key: str) -> Limit:
        while region_id is not None and (region_id, key) not in said:
            region_id = above.get(region_id)
        days = int(DECLARED[key].default) if region_id is None else said[(region_id, key)]
        if days not in made:
            made[days] = Limit(days, holidays.earliest_within(on, days))
        return made[days]

    def both(region_id: int | None) -> tuple[Limit, Limit]:
        return limit(region_id, USUAL), limit(region_id, TITLED)

    usual = both(None)
    own = {region_id: both(region_id) for region_id in sorted(above)} if said else {}
    return Limits(usual, tuple((region_id, found) for region_id, found in own.items() if found != usual))


def _since(both: tuple[Limit, Limit]) -> ColumnElement[date] | date:
    usual, titled = both
    return usual.since if usual == titled else case((is_titled(), titled.since), else_=usual.since)
