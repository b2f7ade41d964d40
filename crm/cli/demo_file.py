"""What makes the file of an invented firm one to live in: figures it confirmed, relations, and a firm entered twice."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from crm.cli.demo_events import BELONGINGS, BUREAU, OUTCOMES, Event, Later
from crm.cli.demo_shapes import COUNTY, DemoEnterprise, World
from crm.domain.changes import Create, Ref
from crm.domain.names import split_name

# What a firm's accountant looks at when the sheet comes round.
CONFIRMED = ("revenue", "rd_expense", "net_assets", "staff_count", "sci_staff_sme")
WHO = ("李会计", "王出纳", "财务赵主任", "办公室周姐")
RELATIONS: tuple[tuple[str, str], ...] = (
    ("common_control", "同一自然人控股"),
    ("branch", "2024 年在乡镇设的加工点"),
    ("parent", "控股 80%"),
    ("common_control", "法定代表人为夫妻"),
)


def with_a_double(enterprises: tuple[DemoEnterprise, ...]) -> tuple[DemoEnterprise, ...]:
    """One ordinary firm was entered a second time, from another list: another name, the same 字号 and telephone."""
    plain = [n for n, one in enumerate(enterprises) if one.region == COUNTY and one.rung == 0 and not one.former_names]
    taken = {one.fields["name"] for one in enterprises}
    for first, second in pairwise(plain):
        parts = split_name(enterprises[first].fields["name"])
        name = f"巫溪县{parts.core}{parts.middle}有限责任公司"
        if name in taken or not parts.form.endswith("公司"):
            continue
        same = {code: enterprises[first].fields.get(code) for code in ("contact_phone", "legal_person", "main_product")}
        twin = replace(enterprises[second], fields={**enterprises[second].fields, **same, "name": name})
        return (*enterprises[:second], twin, *enterprises[second + 1 :])
    return enterprises


def file_events(world: World) -> Iterator[Event]:
    """Confirmed figures of last year, one of them changed since, and relations between firms of the county."""
    rng = random.Random(f"{world.seed}:file")
    firms = [one for one in world.enterprises if one.region == COUNTY]
    yield from _confirmations(world, firms, rng)
    on = world.on - timedelta(days=45)
    certified = [one for one in firms if one.rung >= 2]
    for n, (kind, note) in enumerate(RELATIONS):
        if 2 * n + 1 >= len(certified):
            return
        own, other = certified[2 * n], certified[2 * n + 1]
        values = {
            "enterprise_id": Ref(own.key),
            "kind": kind,
            "other_id": Ref(other.key),
            "starts_on": date(world.on.year - 3 + n % 2, 3 + n, 1),
            "note": note,
        }
        yield Event(on, BELONGINGS, BUREAU[COUNTY], COUNTY, "record_relation", (Create("relation", values),))


def _confirmations(world: World, firms: list[DemoEnterprise], rng: random.Random) -> Iterator[Event]:
    year, on = world.on.year - 1, world.on - timedelta(days=20)
    lapsed = False
    for one in firms:
        row = one.figures.get(year)
        if row is None or one.rung == 0 or rng.random() > 0.3:
            continue
        codes = [code for code in CONFIRMED if row.get(code) is not None]
        told = {"by": rng.choice(WHO), "at": (on - timedelta(days=rng.randint(1, 6))).isoformat()}
        confirmed = dict.fromkeys(codes, told)
        key, who = ("figures", one.key, year), BUREAU[COUNTY]
        if codes:
            values = {"confirmed": confirmed}
            yield Event(on, OUTCOMES, who, COUNTY, "confirm_figures", (Later("figures", key, values),))
        if not lapsed and "rd_expense" in codes:
            lapsed = True
            left = {code: entry for code, entry in confirmed.items() if code != "rd_expense"}
            after = {"rd_expense": row["rd_expense"] + Decimal(82_000), "confirmed": left or None}
            later = Later("figures", key, after)
            yield Event(world.on - timedelta(days=6), OUTCOMES, who, COUNTY, "record_figures", (later,))
