"""Users, their grants (role × where × from–to) and, apart from the history, their password hashes."""

from datetime import date, datetime, timedelta

from flask_login import UserMixin
from sqlalchemy import Boolean, ColumnElement, Date, ForeignKey, Index, exists, func, or_, select, true
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.viewers import Viewer, ViewerGrant
from crm.extensions import db
from crm.store.absences import away_with_deputy
from crm.store.records import Machine, Model, Record
from crm.store.regions import COUNTY, Region, regions_above, subtree_ids
from crm.store.types import BigId, Moment, Words
from crm.store.units import Unit
from crm.store.validity import in_force


class User(UserMixin, Record, Model):
    login: Mapped[str] = mapped_column(Words(40))
    name: Mapped[str] = mapped_column(Words(40))
    email: Mapped[str | None] = mapped_column(Words(120))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    # Who is told when this person's things are late.
    supervisor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    wants_digest: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())

    extra_args = (Index("uq_user_login", func.lower(login), unique=True),)

    @property
    def is_active(self) -> bool:
        return self.active and not self.deleted


class Grant(Record, Model):
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    role: Mapped[str] = mapped_column(Words(20))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    park_id: Mapped[int | None] = mapped_column(ForeignKey("park.id"))
    carrier_id: Mapped[int | None] = mapped_column(ForeignKey("carrier.id"))
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


class Credential(Machine, Model):
    """A secret never enters a change, so it has a table of its own."""

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"), primary_key=True, autoincrement=False)
    password_hash: Mapped[str] = mapped_column(Words(200))
    changed_at: Mapped[datetime] = mapped_column(Moment)


def user_by_login(login: str) -> User | None:
    return db.session.scalar(select(User).where(func.lower(User.login) == login.strip().lower(), ~User.deleted))


def grants_in_force(user_id: int, on: date) -> list[Grant]:
    query = select(Grant).where(
        Grant.user_id == user_id,
        ~Grant.deleted,
        in_force(Grant, on),
    )
    return list(db.session.scalars(query.order_by(Grant.id)))


def viewer_of(user: User, on: date) -> Viewer:
    """The grants of a user on a day, with region subtrees spelled out and the regions' visibility setting applied."""
    from crm.store.settings import setting  # a setting belongs to a region and is read here only

    grants = []
    for grant in grants_in_force(user.id, on):
        regions = subtree_ids(grant.region_id) if grant.region_id else frozenset()
        counties = frozenset(
            db.session.scalars(select(Region.id).where(Region.id.in_(regions), Region.level == COUNTY))
        )
        colleagues = grant.role == "case_manager" and bool(setting("colleagues_visible", grant.region_id))
        unit = db.session.get(Unit, grant.unit_id) if grant.unit_id else None
        owns = frozenset((unit.owns_kinds if unit is not None else None) or ())
        grants.append(
            ViewerGrant(grant.role, regions, grant.unit_id, grant.park_id, grant.carrier_id, colleagues, counties, owns)
        )
    everywhere = frozenset[int]().union(*(grant.region_ids for grant in grants))
    manages = any(grant.role == "case_manager" for grant in grants)
    return Viewer(
        user_id=user.id,
        name=user.name,
        grants=tuple(grants),
        above=regions_above(everywhere),
        stands_in_for=away_with_deputy(user.id, on) if manages else frozenset(),
    )


def people_of(supervisor_id: int) -> dict[int, str]:
    """{id: name} of the active people whose supervisor this is, by name."""
    query = select(User.id, User.name).where(User.supervisor_id == supervisor_id, User.active, ~User.deleted)
    return dict(db.session.execute(query.order_by(User.name, User.id)).all())


def people_under(user_id: int) -> frozenset[int]:
    """Everybody below a person, over however many supervisors."""
    under = select(User.id).where(User.supervisor_id == user_id).cte("under", recursive=True)
    under = under.union(select(User.id).join(under, User.supervisor_id == under.c.id))
    return frozenset(db.session.scalars(select(under.c.id)))


# Grants that end within so many days are an administrator's business, before somebody stands at a closed door.
ENDING_DAYS = 30


def is_unreachable() -> ColumnElement[bool]:
    """Users who are to get the weekly mail and have no mailbox."""
    return User.active & User.wants_digest & or_(User.email.is_(None), User.email == "")


def has_grant_ending(on: date) -> ColumnElement[bool]:
    """Active users of whom a grant ends within ENDING_DAYS from a day on."""
    soon = Grant.valid_to.between(on, on + timedelta(days=ENDING_DAYS))
    return User.active & exists().where(Grant.user_id == User.id, ~Grant.deleted, soon)


def case_managers(region_ids: frozenset[int], on: date) -> list[User]:
    """Active users who hold the role over one of these regions on that day, by name."""
    holders = select(Grant.user_id).where(
        Grant.role == "case_manager",
        Grant.region_id.in_(region_ids),
        ~Grant.deleted,
        in_force(Grant, on),
    )
    return list(
        db.session.scalars(select(User).where(User.id.in_(holders), User.active, ~User.deleted).order_by(User.id))
    )
