"""Who may do what to what, stated once. Visibility is the store's; this is about writing."""

from crm.domain.refusals import NotAllowed
from crm.domain.viewers import OFFICE, Place, Viewer


def is_own(viewer: Viewer, standing: Place) -> bool:
    """Whether the viewer is the enterprise's case manager today, or stands in for that person while away.

    A deputy needs an own grant as case manager there: an absence lends enterprises, never a role or a place.
    """
    return standing.manager_id in viewer.acts_for and viewer.has_in(standing.region_id, "case_manager")


def may_edit(viewer: Viewer, standing: Place) -> bool:
    """Whether the viewer may edit the enterprise itself: its case manager, and the bureau of its region."""
    return is_own(viewer, standing) or viewer.has_in(standing.region_id, *OFFICE)


def may_log(viewer: Viewer, standing: Place) -> bool:
    """Whether the viewer may log a service: the same, and the township or park the enterprise belongs to."""
    if may_edit(viewer, standing):
        return True
    return any(grant.role in ("township", "park") and grant.covers(standing) for grant in viewer.grants)


def may_record_title(viewer: Viewer, standing: Place, kind: str) -> bool:
    """Whether the viewer may record a title of this kind: who may edit, and the unit that owns the kind."""
    return may_edit(viewer, standing) or _owned(viewer, standing, kind)


def may_record_ip(viewer: Viewer, standing: Place) -> bool:
    """Whether the viewer may keep an enterprise's IP register: who may edit, and the unit that owns the register."""
    return may_edit(viewer, standing) or _owned(viewer, standing, "intellectual_property")


def _owned(viewer: Viewer, standing: Place, what: str) -> bool:
    """Whether a department of the viewer owns this kind or register there (product.md, Who uses it, unit)."""
    return any(grant.role == "unit" and what in grant.owns and grant.covers(standing) for grant in viewer.grants)


def require(allowed: bool, what: str) -> None:
    """Raise NotAllowed with one sentence unless the right is there."""
    if not allowed:
        raise NotAllowed(f"你的授权不含{what}。")
