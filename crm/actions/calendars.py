"""Who keeps the calendars: a region's application windows, and the holidays that count everywhere."""

from datetime import date

from sqlalchemy import case, or_, select

from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.store.regions import TOWNSHIP, Region, subtree_ids
from crm.store.users import Grant, User


def keeps_windows(viewer: Viewer, region_id: int, on: date) -> bool:
    """Whether this viewer keeps the application windows of a region: its office does, and may stand in above it."""
    return viewer.has_in(region_id, *OFFICE) or _stands_in(viewer, [region_id], on)


def keeps_holidays(viewer: Viewer, on: date) -> bool:
    """Whether this viewer keeps the days off, which move the working days of every region."""
    if viewer.everything:
        return True
    tops = list(db.session.scalars(select(Region.id).where(Region.parent_id.is_(None), ~Region.deleted)))
    return any(viewer.has_in(top, *OFFICE) for top in tops) or _stands_in(viewer, tops, on)


def _stands_in(viewer: Viewer, above: list[int], on: date) -> bool:
    """Whether a county's office keeps what these regions above share, because nobody else is there.

    One county on one machine is not left without a calendar. As soon as the regions above have an office, or a second
    county has people, one district would move the dates of another.
    """
    under = frozenset[int]().union(*(subtree_ids(top) for top in above)) - set(above)
    own = frozenset[int]().union(*(grant.county_ids for grant in viewer.grants if grant.role in OFFICE)) & under
    if not own:
        return False
    where = case((Region.level == TOWNSHIP, Region.parent_id), else_=Region.id)
    query = (
        select(where, Grant.role)
        .join_from(Grant, User, User.id == Grant.user_id)
        .join(Region, Region.id == Grant.region_id)
        .where(~Grant.deleted, ~User.deleted, User.active, or_(Grant.valid_to.is_(None), Grant.valid_to >= on))
        .distinct()
    )
    held = set(db.session.execute(query).all())
    if any(region_id in above and role in OFFICE for region_id, role in held):
        return False
    return {region_id for region_id, _ in held} & under == own
