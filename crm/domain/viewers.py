"""Who is looking: the grants a person holds today and what they open, as plain values."""

from dataclasses import dataclass

ROLES: dict[str, str] = {
    "case_manager": "服务专员",
    "township": "乡镇（街道）经办人",
    "park": "园区（载体）管理员",
    "unit": "部门联络员",
    "bureau": "科技局业务科室",
    "leader": "分管领导",
    "admin": "系统管理员",
}

PUBLIC, INTERNAL, CONFIDENTIAL = "public", "internal", "confidential"
CLASSES: dict[str, str] = {PUBLIC: "公开", INTERNAL: "内部", CONFIDENTIAL: "保密"}


@dataclass(frozen=True)
class ViewerGrant:
    """One grant in force: a role over a place, with the region subtree already spelled out.

    ``region_ids`` are all regions of the subtree, ``county_ids`` those of them that own enterprises; ``colleagues`` says whether a case manager also sees
    the enterprises of others in those regions (a setting of the region).
    """

    role: str
    region_ids: frozenset[int] = frozenset()
    unit_id: int | None = None
    park_id: int | None = None
    carrier_id: int | None = None
    colleagues: bool = False
    county_ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Viewer:
    """A person (or the machine itself, ``user_id`` None and ``everything`` True) with the grants of one day."""

    user_id: int | None
    name: str
    grants: tuple[ViewerGrant, ...] = ()
    everything: bool = False

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(grant.role for grant in self.grants)

    def has(self, *roles: str) -> bool:
        """Whether one of these roles is held anywhere; the machine itself has them all."""
        return self.everything or bool(self.roles & set(roles))

    def has_in(self, region_id: int | None, *roles: str) -> bool:
        """Whether one of these roles is held over this region."""
        return self.everything or any(g.role in roles and region_id in g.region_ids for g in self.grants)

    def classes_over(self, *, region_id: int | None, manager_id: int | None) -> frozenset[str]:
        """Field classes this viewer may read of an enterprise of that region and case manager.

        product.md, Field classes: internal for all but ``unit``; confidential for the enterprise's own case
        manager, bureau, leader and admin. Township and park see only figures they are asked for.
        """
        if self.everything:
            return frozenset(CLASSES)
        classes = {PUBLIC}
        for grant in self.grants:
            if grant.role != "unit":
                classes.add(INTERNAL)
            if grant.role in ("bureau", "leader", "admin") and (grant.role == "admin" or region_id in grant.region_ids):
                classes.add(CONFIDENTIAL)
            if grant.role == "case_manager" and self.user_id is not None and manager_id == self.user_id:
                classes.add(CONFIDENTIAL)
        return frozenset(classes)


def the_machine(name: str) -> Viewer:
    """The viewer of jobs and operators' commands, which see everything and are named in the history."""
    return Viewer(user_id=None, name=name, everything=True)
