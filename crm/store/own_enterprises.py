"""The enterprises somebody looks after, small enough to travel with a page that may lose its net."""

from typing import NamedTuple

from sqlalchemy import select

from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.scope import visible
from crm.store.standings import SearchText, Standing

# One officer has some dozens; a township with more finds the rest when there is a signal again.
MOST = 80
# Enough of the text that is searched in for the name, its initials and its pinyin.
KEYS = 160


class Own(NamedTuple):
    id: int
    name: str
    keys: str


def own_enterprises(viewer: Viewer) -> list[Own]:
    """Those the viewer is the case manager of; of a township or park all it has. The longest unseen first."""
    query = (
        select(Enterprise.id, Enterprise.name, SearchText.haystack)
        .select_from(Enterprise)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .join(SearchText, SearchText.enterprise_id == Enterprise.id)
        .order_by(Standing.last_contact_on.is_not(None), Standing.last_contact_on, Standing.enterprise_id)
        .limit(MOST)
    )
    if not viewer.has("township", "park"):
        query = query.where(Standing.manager_id == viewer.user_id)
    return [Own(i, name, haystack[:KEYS]) for i, name, haystack in db.session.execute(visible(query, viewer))]
