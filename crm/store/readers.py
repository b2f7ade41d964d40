"""Who may read the inside of an enterprise: the people who can be mentioned there and told of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import and_, false, or_, select

from crm.domain.pinyin import search_keys
from crm.domain.viewers import Place
from crm.extensions import db
from crm.store.absences import away_today
from crm.store.regions import regions_above
from crm.store.settings import setting
from crm.store.users import Grant, User
from crm.store.validity import in_force


class Reader(NamedTuple):
    """A person who may read what is inside of an enterprise, with the role held there."""

    id: int
    name: str
    role: str


@dataclass(frozen=True)
class _Where:
    """The regions an enterprise lies in, from its township up, and what else a grant may point at."""

    counties: frozenset[int]
    townships: frozenset[int]
    park_id: int | None
    carrier_id: int | None


def readers(place: Place, on: date) -> list[Reader]:
    """Everybody active who reads internal fields of an enterprise that belongs there, by id; each person once.

    It is the same answer as ``classes_over`` of every user gives, asked the other way round.
    """
    where = _where(place)
    open_counties = [region for region in where.counties if setting("colleagues_visible", region)]
    roles = [
        and_(Grant.role.in_(("bureau", "leader", "admin")), Grant.region_id.in_(where.counties)),
        and_(
            Grant.role == "case_manager",
            Grant.region_id.in_(where.counties),
            or_(Grant.region_id.in_(open_counties), User.id.in_(_responsible(place, on))),
        ),
        and_(Grant.role == "township", Grant.region_id.in_(where.townships)),
        and_(Grant.role == "park", Grant.park_id == where.park_id if where.park_id else false()),
        and_(Grant.role == "park", Grant.carrier_id == where.carrier_id if where.carrier_id else false()),
    ]
    query = (
        select(User.id, User.name, Grant.role)
        .join(Grant, Grant.user_id == User.id)
        .where(User.active, ~User.deleted, ~Grant.deleted, in_force(Grant, on), or_(*roles))
        .order_by(User.id, Grant.id)
    )
    found: dict[int, Reader] = {}
    for row in db.session.execute(query):
        found.setdefault(row[0], Reader(*row))
    return list(found.values())


def _responsible(place: Place, on: date) -> set[int]:
    """The case manager, and who stands in for that person today."""
    if place.manager_id is None:
        return set()
    away = away_today(frozenset({place.manager_id}), on).values()
    return {place.manager_id, *(one.deputy_id for one in away if one.deputy_id is not None)}


def readers_of_any(places: Iterable[Place], on: date) -> list[Reader]:
    """The readers of at least one of several enterprises."""
    found: dict[int, Reader] = {}
    for place in places:
        for reader in readers(place, on):
            found.setdefault(reader.id, reader)
    return list(found.values())


def liaisons(unit_id: int, on: date) -> list[int]:
    """The ids of the active liaisons of a department."""
    query = (
        select(User.id)
        .join(Grant, Grant.user_id == User.id)
        .where(User.active, ~User.deleted, ~Grant.deleted, in_force(Grant, on))
        .where(Grant.role == "unit", Grant.unit_id == unit_id)
        .distinct()
        .order_by(User.id)
    )
    return list(db.session.scalars(query))


def meant(text: str, people: Iterable[Reader], *, limit: int = 8) -> list[Reader]:
    """The people meant by some characters of the name, or by its initials; all of them for no text."""
    wanted = text.strip().lower().lstrip("@")
    found = [one for one in people if not wanted or wanted in one.name.lower() or _initials(one.name, wanted)]
    return found[:limit]


def _initials(name: str, wanted: str) -> bool:
    return wanted.isascii() and any(key.startswith(wanted) for key in search_keys(name, ()))


def _where(place: Place) -> _Where:
    return _Where(_with_above(place.region_id), _with_above(place.township_id), place.park_id, place.carrier_id)


def _with_above(region_id: int | None) -> frozenset[int]:
    return frozenset() if region_id is None else regions_above(frozenset({region_id})) | {region_id}
