"""The township's month as lists: what is to be confirmed, what was answered, how far each place is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select

from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.confirmations import Confirmation
from crm.store.enterprises import Enterprise
from crm.store.scope import visible
from crm.store.silence import is_there
from crm.store.standings import STATE_COLUMNS, Standing

# A page is saved at once; so many enterprises are looked through before the telephone rings.
PAGE = 20
LOCAL_ROLES = ("township", "park")


@dataclass(frozen=True)
class Row:
    """One enterprise with what the library says of it, and what was answered this month (None: nothing yet)."""

    enterprise: Enterprise
    standing: Standing
    confirmation: Confirmation | None

    @property
    def states(self) -> dict[str, str]:
        """The state of each title that has one."""
        return {code: state for code in STATE_COLUMNS if (state := getattr(self.standing, code))}


@dataclass(frozen=True)
class Told:
    """An answer that is news: somebody has to look into it."""

    confirmation: Confirmation
    name: str
    township_id: int | None
    manager_id: int | None


def _asked_of(viewer: Viewer) -> ColumnElement[bool]:
    """Over standings: the enterprises this township or park is asked about; those that are gone are asked no more."""
    places: list[ColumnElement[bool]] = []
    for grant in viewer.grants:
        if grant.role == "township":
            places.append(Standing.township_id.in_(grant.region_ids))
        elif grant.role == "park" and grant.park_id is not None:
            places.append(Standing.park_id == grant.park_id)
        elif grant.role == "park" and grant.carrier_id is not None:
            places.append(Standing.carrier_id == grant.carrier_id)
    return and_(or_(false(), *places), is_there())


def _with_answers(query: Select[Any], month: date) -> Select[Any]:
    own = and_(Confirmation.enterprise_id == Standing.enterprise_id, Confirmation.month == month, ~Confirmation.deleted)
    return query.select_from(Standing).outerjoin(Confirmation, own)


def _visible(query: Select[Any], viewer: Viewer) -> Select[Any]:
    """The scope over the standings alone: an answer is joined to them and may be missing."""
    seen = visible(select(Standing.enterprise_id), viewer)
    return query.where(Standing.enterprise_id.in_(seen))


def progress(viewer: Viewer, month: date) -> tuple[int, int]:
    """(answered, asked) of the viewer's own townships and parks."""
    query = _with_answers(select(func.count(Confirmation.id), func.count()), month).where(_asked_of(viewer))
    done, total = db.session.execute(_visible(query, viewer)).one()
    return done, total


def has_begun(viewer: Viewer, by: date) -> bool:
    """Whether anything in sight was confirmed for a month up to this one."""
    query = select(Confirmation.id).where(Confirmation.month <= by, ~Confirmation.deleted).limit(1)
    return db.session.scalar(visible(query, viewer)) is not None


def page(
    viewer: Viewer, month: date, number: int = 1, *, only_open: bool = False, ids: Sequence[int] | None = None
) -> list[Row]:
    """One page of what the viewer is asked about, in the order of names; ``only_open``: of what has no answer yet.

    ``ids``: exactly these enterprises, as far as the viewer is asked about them.
    """
    query = _with_answers(select(Standing, Confirmation), month).where(_asked_of(viewer))
    if only_open:
        query = query.where(Confirmation.id.is_(None))
    if ids is not None:
        query = query.where(Standing.enterprise_id.in_(ids))
    query = _visible(query, viewer).order_by(Standing.name_sort, Standing.enterprise_id)
    found = db.session.execute(query.limit(PAGE).offset((number - 1) * PAGE)).all()
    own = [standing.enterprise_id for standing, _ in found]
    firms = {one.id: one for one in db.session.scalars(select(Enterprise).where(Enterprise.id.in_(own)))}
    return [Row(firms[standing.enterprise_id], standing, answer) for standing, answer in found]


def by_township(viewer: Viewer, month: date) -> dict[int | None, tuple[int, int]]:
    """{township: (answered, asked)} of everything in sight."""
    query = _with_answers(select(Standing.township_id, func.count(Confirmation.id), func.count()), month)
    query = _visible(query.where(is_there()), viewer).group_by(Standing.township_id)
    return {row[0]: (row[1], row[2]) for row in db.session.execute(query)}


def told(
    viewer: Viewer, *months: date, mine: int | None = None, limit: int = 100, open_only: bool = False
) -> list[Told]:
    """The answers of these months that are news, what nobody has looked into before the rest, the newest first.

    ``mine``: of this case manager's enterprises; ``open_only``: only what nobody has looked into yet.
    """
    query = _news(select(Confirmation, Enterprise.name, Standing.township_id, Standing.manager_id), months, mine)
    if open_only:
        query = query.where(Confirmation.checked_on.is_(None))
    query = visible(query, viewer).order_by(Confirmation.checked_on.is_not(None), Confirmation.id.desc()).limit(limit)
    return [Told(*row) for row in db.session.execute(query)]


def count_told(viewer: Viewer, month: date, *, mine: int | None = None) -> int:
    """How many of them nobody has looked into yet."""
    query = _news(select(func.count()), (month,), mine).where(Confirmation.checked_on.is_(None))
    return db.session.scalar(visible(query, viewer)) or 0


def _news(query: Select[Any], months: Sequence[date], mine: int | None) -> Select[Any]:
    query = (
        query.select_from(Confirmation)
        .join(Enterprise, Enterprise.id == Confirmation.enterprise_id)
        .join(Standing, Standing.enterprise_id == Confirmation.enterprise_id)
        .where(Confirmation.month.in_(months), Confirmation.answer != "same")
    )
    return query if mine is None else query.where(Standing.manager_id == mine)
