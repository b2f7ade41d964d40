"""Saved views of the invented county: what the bureau keeps ready for everybody, for a role, and for itself."""

from collections.abc import Iterator
from datetime import timedelta

from crm.cli.demo_events import ASKED, BUREAU, Event
from crm.cli.demo_shapes import COUNTY, World
from crm.domain.changes import Create, Ref

# (page, name, query, given to, role, pinned)
_VIEWS = (
    (
        "enterprises",
        "高企带联系人",
        "state=hnte%3A&sort=expiry&columns=titles&columns=expiry&columns=manager&columns=contact_name&columns=contact_phone",
        "all",
        None,
        True,
    ),
    (
        "enterprises",
        "在库企业",
        "state=pool%3Ain_pool&sort=industry&columns=industry&columns=hightech_field&columns=titles&columns=manager",
        "role",
        "case_manager",
        False,
    ),
    (
        "enterprises",
        "停产歇业的",
        "status=suspended&columns=township&columns=status&columns=contact",
        "private",
        None,
        False,
    ),
    ("obligations", "高企重新认定", "kind=hnte_renewal&manager=all", "all", None, False),
)


def events(world: World) -> Iterator[Event]:
    """The views, saved on one day two months before the world's."""
    about = {"region_id": Ref(("region", COUNTY)), "owner_id": Ref(("user", BUREAU[COUNTY]))}
    creates = tuple(
        Create(
            "saved_view",
            {**about, "page": page, "name": name, "query": query, "shared": shared, "role": role, "pinned": pinned,
             "position": position},
            ("saved_view", name),
        )
        for position, (page, name, query, shared, role, pinned) in enumerate(_VIEWS, start=1)
    )  # fmt: skip
    yield Event(world.on - timedelta(days=61), ASKED, BUREAU[COUNTY], COUNTY, "save_view", creates)
