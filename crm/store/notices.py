"""Notices as the page and the navigation read them."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select

from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.comments import Comment, Notice
from crm.store.enterprises import Enterprise
from crm.store.scope import visible

PAGE = 50
# The navigation says “99+” beyond.
MANY = 100


@dataclass(frozen=True)
class Row:
    """One notice with the name of the enterprise it is about; ``said``: the comment it tells of, as it reads now."""

    notice: Notice
    name: str
    said: str | None


def unread_count(viewer: Viewer) -> int:
    """How many notices of this person nobody opened, at most MANY."""
    if viewer.user_id is None:
        return 0
    some = visible(_own(select(Notice.id), viewer).where(Notice.seen_at.is_(None)), viewer).limit(MANY).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def unread_by_kind(viewer: Viewer) -> dict[str, int]:
    """How many notices of this person nobody opened, by what they tell of."""
    query = _own(select(Notice.kind, func.count()), viewer).where(Notice.seen_at.is_(None))
    return dict(db.session.execute(visible(query, viewer).group_by(Notice.kind)).all())


def count(viewer: Viewer, *, unread: bool) -> int:
    """How many there are, or how many of them were not read."""
    query = _own(select(func.count()).select_from(Notice), viewer)
    return db.session.scalar(visible(query.where(*_unread(unread)), viewer)) or 0


def page(viewer: Viewer, *, unread: bool, number: int = 1, size: int = PAGE) -> list[Row]:
    """One page of them, the newest first."""
    query = visible(_own(select(Notice), viewer).where(*_unread(unread)), viewer).order_by(Notice.id.desc())
    found = list(db.session.scalars(query.limit(size).offset((number - 1) * size)))
    firms = {one.enterprise_id for one in found if one.enterprise_id}
    names = dict(db.session.execute(select(Enterprise.id, Enterprise.name).where(Enterprise.id.in_(firms))).all())
    about = {one.comment_id for one in found if one.comment_id}
    said = dict(db.session.execute(select(Comment.id, Comment.text).where(Comment.id.in_(about))).all())
    return [Row(one, names.get(one.enterprise_id or 0, ""), said.get(one.comment_id or 0)) for one in found]


def _own(query: Select, viewer: Viewer) -> Select:
    # The machine sees everything; a page is one person's all the same.
    return query.where(Notice.user_id == viewer.user_id)


def _unread(only: bool) -> list:
    return [Notice.seen_at.is_(None)] if only else []
