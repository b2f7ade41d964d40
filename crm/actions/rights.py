"""Who may do what to what, stated once. Visibility is the store's; this is about writing."""

from crm.domain.refusals import NotAllowed
from crm.domain.viewers import Viewer
from crm.store.standings import Standing

# The titles a department owns, which its liaison may import and edit (product.md, Who uses it, unit).
UNIT_TITLES = frozenset({"srdi", "little_giant", "innovative_sme", "tech_innovative_sme"})


def is_own(viewer: Viewer, standing: Standing) -> bool:
    """Whether the viewer is the enterprise's case manager today."""
    return viewer.user_id is not None and standing.manager_id == viewer.user_id and viewer.has("case_manager")


def may_edit(viewer: Viewer, standing: Standing) -> bool:
    """Whether the viewer may edit the enterprise itself: its case manager, and the bureau of its region."""
    return is_own(viewer, standing) or viewer.has_in(standing.region_id, "bureau", "admin")


def may_log(viewer: Viewer, standing: Standing) -> bool:
    """Whether the viewer may log a service: the same, and the township or park the enterprise belongs to."""
    if may_edit(viewer, standing):
        return True
    return any(
        (grant.role == "township" and standing.township_id in grant.region_ids)
        or (
            grant.role == "park"
            and (
                (grant.park_id is not None and grant.park_id == standing.park_id)
                or (grant.carrier_id is not None and grant.carrier_id == standing.carrier_id)
            )
        )
        for grant in viewer.grants
    )


def may_record_title(viewer: Viewer, standing: Standing, kind: str) -> bool:
    """Whether the viewer may record a title of this kind: who may edit, and the unit that owns the kind."""
    return may_edit(viewer, standing) or (kind in UNIT_TITLES and viewer.has_in(standing.region_id, "unit"))


def require(allowed: bool, what: str) -> None:
    """Raise NotAllowed with one sentence unless the right is there."""
    if not allowed:
        raise NotAllowed(f"你的授权不含{what}。")
