"""Who is looking: the grants a person holds today and what they open, as plain values."""

from dataclasses import dataclass
from typing import Protocol

ROLES: dict[str, str] = {
    "case_manager": "服务专员",
    "township": "乡镇（街道）经办人",
    "park": "园区（载体）管理员",
    "unit": "部门联络员",
    "bureau": "科技局业务科室",
    "leader": "分管领导",
    "admin": "系统管理员",
}

# Who answers for a region: the office, and the administrator in its place.
OFFICE = ("bureau", "admin")

PUBLIC, INTERNAL, CONFIDENTIAL = "public", "internal", "confidential"
CLASSES: dict[str, str] = {PUBLIC: "公开", INTERNAL: "内部", CONFIDENTIAL: "保密"}


@dataclass(frozen=True)
class ViewerGrant:
    """One grant in force: a role over a place, with the region subtree already spelled out.

    ``region_ids`` are all regions of the subtree, ``county_ids`` those of them that own enterprises; ``colleagues``
    says whether a case manager also sees the enterprises of others in those regions (a setting of the region).
    ``owns`` are the kinds and registers that the unit of the grant owns.
    """

    role: str
    region_ids: frozenset[int] = frozenset()
    unit_id: int | None = None
    park_id: int | None = None
    carrier_id: int | None = None
    colleagues: bool = False
    county_ids: frozenset[int] = frozenset()
    owns: frozenset[str] = frozenset()

    def covers(self, place: "Place") -> bool:
        """Whether an enterprise of that place lies where this grant counts."""
        if self.role == "township":
            return place.township_id in self.region_ids
        if self.role == "park":
            return (self.park_id is not None and self.park_id == place.park_id) or (
                self.carrier_id is not None and self.carrier_id == place.carrier_id
            )
        return place.region_id in self.region_ids


class Place(Protocol):
    """Where an enterprise belongs today: its standing, or a row of a list that has the same columns."""

    @property
    def region_id(self) -> int | None: ...
    @property
    def township_id(self) -> int | None: ...
    @property
    def park_id(self) -> int | None: ...
    @property
    def carrier_id(self) -> int | None: ...
    @property
    def manager_id(self) -> int | None: ...


@dataclass(frozen=True)
class Viewer:
    """A person (or the machine itself, ``user_id`` None and ``everything`` True) with the grants of one day.

    ``above`` are the regions over those of the grants, whose windows and words count there too. ``stands_in_for`` are
    the case managers who are away that day and whose deputy this person is.
    """

    user_id: int | None
    name: str
    grants: tuple[ViewerGrant, ...] = ()
    everything: bool = False
    above: frozenset[int] = frozenset()
    stands_in_for: frozenset[int] = frozenset()

    @property
    def acts_for(self) -> frozenset[int]:
        """Whose enterprises this person may work on: the own ones, and those of whoever is away meanwhile."""
        return self.stands_in_for if self.user_id is None else self.stands_in_for | {self.user_id}

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(grant.role for grant in self.grants)

    def has(self, *roles: str) -> bool:
        """Whether one of these roles is held anywhere; the machine itself has them all."""
        return self.everything or bool(self.roles & set(roles))

    def has_in(self, region_id: int | None, *roles: str) -> bool:
        """Whether one of these roles is held over this region."""
        return self.everything or any(g.role in roles and region_id in g.region_ids for g in self.grants)

    @property
    def owned(self) -> frozenset[str]:
        """The kinds of titles and the registers that the viewer's departments own."""
        return frozenset[str]().union(*(grant.owns for grant in self.grants))

    @property
    def public_only(self) -> bool:
        """Whether nothing but public fields is ever read: departments, and people without a grant in force."""
        return not self.everything and self.roles <= {"unit"}

    def classes_over(self, place: Place) -> frozenset[str]:
        """Field classes this viewer may read of an enterprise that belongs there.

        product.md, Field classes: internal for all but ``unit``; confidential for the enterprise's own case
        manager (or whoever stands in for that person), bureau, leader and admin. Township and park see only figures
        they are asked for. A grant counts inside its where only: a leader of one district who is a liaison in another
        reads public fields there.
        """
        if self.everything:
            return frozenset(CLASSES)
        classes = {PUBLIC}
        for grant in self.grants:
            if grant.role == "unit" or not grant.covers(place):
                continue
            own = grant.role == "case_manager" and place.manager_id in self.acts_for
            if grant.role != "case_manager" or own or grant.colleagues:
                classes.add(INTERNAL)
            if own or grant.role in ("bureau", "leader", "admin"):
                classes.add(CONFIDENTIAL)
        return frozenset(classes)


def the_machine(name: str) -> Viewer:
    """The viewer of jobs and operators' commands, which see everything and are named in the history."""
    return Viewer(user_id=None, name=name, everything=True)
