"""An invented county and a district beside it, grown from a seed: plain values that ``demo`` feeds to the actions.

No enterprise, person, number or document in it is real. Credit codes carry the division 500299, which GB/T 2260 has
not assigned; patent and register numbers lie in ranges that are not issued; telephone numbers begin with 023-0000.
The townships of 巫溪县 are the real ones, because windows and codes hang on them. Pure: the same seed and day give
the same world, nothing is read or written.
"""

import random
from datetime import date

from crm.cli.demo_enterprises import Maker
from crm.cli.demo_file import with_a_double
from crm.cli.demo_logs import Logs
from crm.cli.demo_places import demo_places, demo_regions, demo_users
from crm.cli.demo_shapes import COUNTY, SECOND, World

# Share of the enterprises in the invented district, and of each rung (普通 to 专精特新) among all.
SECOND_SHARE = 1 / 16
RUNG_SHARES = (0.333, 0.541, 0.072, 0.032, 0.022)

# How many enterprises of each rung follow which recipe; "*n" takes n shares of those that are left. Each recipe shows
# one state of one title, so that every state occurs.
RECIPES: dict[int, str] = {
    0: "innovative_valid 3, cq_lapsed 6, cq_revoked 2, cq_relocated 1, sme_lapsed 4, sme_revoked 1, sme_relocated 1, "
    "innovative_lapsed 1, innovative_revoked 1, innovative_relocated 1, srdi_lapsed 1, srdi_revoked 1, "
    "srdi_relocated 1, hnte_relocated 1, plain *1",
    1: "cq_expiring 3, cq_awaiting 4, sme_valid 2, sme_expiring 2, sme_awaiting 4, merged_valid 2, merged_revoked 1, "
    "innovative_expiring 2, hnte_unverified 2, hnte_lapsed 2, hnte_revoked 1, pool_proposed 2, pool_out 3, "
    "cq_and_sme *1, cq *2",
    2: "pool_decided 1, pool_key *1, pool_long *2",
    3: "hnte_expiring 2, hnte_renewing 1, hnte_renewed 2, hnte_valid *1",
    4: "srdi_and_hnte 2, giant 1, srdi_expiring 1, srdi_valid *1",
}


def make_world(seed: int, on: date, size: int = 320) -> World:
    """The world of a seed on a day: ``size`` enterprises, a sixteenth of them in the invented district.

    Raises ValueError below 60 enterprises, where not every state would find room.
    """
    if size < 60:
        raise ValueError("a world needs at least 60 enterprises")
    rng = random.Random(f"{seed}:{on.isoformat()}")
    regions, all_places, users = demo_regions(), demo_places(), demo_users(on)
    maker = Maker(rng, on, regions, users)
    enterprises = with_a_double(tuple(maker.enterprise(n, *plan) for n, plan in enumerate(_plans(rng, size))))
    logs = Logs(rng, on, enterprises, users).all()
    return World(seed, on, regions, all_places, users, enterprises, logs)


def _plans(rng: random.Random, size: int) -> list[tuple[str, int, str]]:
    """(county, rung, recipe) for each enterprise, in an order in which the rungs are mixed."""
    second = round(size * SECOND_SHARE)
    plans = _shares(size - second, COUNTY) + _shares(second, SECOND)
    rng.shuffle(plans)
    return plans


def _shares(size: int, region: str) -> list[tuple[str, int, str]]:
    counts = [round(size * share) for share in RUNG_SHARES]
    counts[1] += size - sum(counts)
    return [(region, rung, recipe) for rung, count in enumerate(counts) for recipe in _recipes_for(rung, count)]


def _recipes_for(rung: int, count: int) -> list[str]:
    """Fixed recipes first, the rest shared out."""
    entries = [entry.split() for entry in RECIPES[rung].split(", ")]
    fixed = [name for name, n in entries if not n.startswith("*") for _ in range(int(n))]
    shared = [name for name, n in entries if n.startswith("*") for _ in range(int(n[1:]))]
    # A small district has no room for every rarity: it shows the ordinary ones.
    chosen = fixed if len(fixed) < count else fixed[: count // 2]
    return chosen + [shared[n % len(shared)] for n in range(count - len(chosen))]
