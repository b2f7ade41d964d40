"""The saved views that somebody finds in a list, in their order."""

from sqlalchemy import select

from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.saved_views import SavedView
from crm.store.scope import visible

PRIVATE, ROLE, ALL = "private", "role", "all"
SHARED: dict[str, str] = {PRIVATE: "只给自己", ROLE: "给一种角色", ALL: "给所有人"}


def views_of(page: str, viewer: Viewer) -> list[SavedView]:
    """The views of a page that the viewer sees: pinned ones first, then by their place."""
    query = select(SavedView).where(SavedView.page == page)
    order = (SavedView.pinned.desc(), SavedView.position, SavedView.id)
    return list(db.session.scalars(visible(query, viewer).order_by(*order)))
