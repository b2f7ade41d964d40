"""Rows for measurements: many invented enterprises, quickly."""

import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from crm.cli import demo_words as w
from crm.cli.demo_titles import Fields, three_years_from
from crm.domain.codes import INVENTED_DIVISION, make_code
from crm.rules import places


def bench_enterprises(n: int, seed: int = 1, on: date = date(2026, 11, 23)) -> Iterator[Fields]:
    """``n`` invented enterprises, quickly and without a world around them.

    Each is a dict of ``enterprise`` field codes plus ``township`` (a region code of 巫溪县), ``titles`` (tuple of
    ``qualification`` dicts) and ``figures`` ({year: dict}). Names and codes are unique up to two million.
    """
    rng = random.Random(seed)
    townships = [region.code for region in places.regions() if region.level == places.TOWNSHIP]
    tails = [
        (trade, f"{middle}{form}")
        for trade in w.TRADES
        for middle in trade.middles
        for form in ("有限公司", "有限责任公司")
    ]
    first, second, third = w.CORE_FIRST, w.CORE_SECOND, w.CORE_THIRD
    cores = len(first) * len(second) * len(third)
    for i in range(n):
        trade, tail = tails[i * 7 % len(tails)]
        core = first[i % len(first)] + second[i // len(first) % len(second)]
        core += third[i // (len(first) * len(second)) % len(third)]
        revenue = Decimal(rng.randrange(300, 90_000)) * 1000
        yield {
            "name": f"{'重庆' if i % 2 else '巫溪县'}{core}{_numeral(i // cores)}{tail}",
            "credit_code": make_code(1_000_000 + i),
            "subject_type": "company",
            "industry_code": trade.industries[i % len(trade.industries)],
            "featured_industry": trade.code,
            "registered_on": date(2005 + i % 18, i % 12 + 1, i % 28 + 1),
            "capital": revenue,
            "contact_phone": f"02300{i:07d}",
            "township": townships[i * 11 % len(townships)],
            "titles": _bench_titles(i, on),
            "figures": {
                year: {"revenue": revenue + year, "rd_expense": revenue / 20, "staff_count": 5 + i % 200}
                for year in (on.year - 2, on.year - 1)
            },
        }


def _bench_titles(i: int, on: date) -> tuple[Fields, ...]:
    found: list[Fields] = []
    if i % 10 < 6:
        start = date(on.year - 1 - i % 4, i % 12 + 1, i % 28 + 1)
        found.append({"kind": "cq_tech", "announced_on": start, "valid_from": start, "cohort_year": start.year})
    if i % 4 == 0:
        start = date(on.year - 1, 8, i % 28 + 1)
        found.append(
            {
                "kind": "tech_sme",
                "number": f"{start.year}{INVENTED_DIVISION}A0{i % 1_000_000:06d}",
                "announced_on": start,
                "cohort_year": start.year,
            }
        )
    if i % 25 == 0:
        issued = date(on.year - 1 - i % 3, 11, i % 28 + 1)
        found.append(
            {
                "kind": "hnte",
                "number": f"GR{issued.year}519{i % 100_000:05d}",
                "announced_on": issued,
                "issued_on": issued,
                "valid_from": issued,
                "valid_to": three_years_from(issued),
                "cohort_year": issued.year,
            }
        )
    return tuple(found)


def _numeral(n: int) -> str:
    """A number in characters, nothing for zero, so that long runs of names stay unique."""
    return "".join("零一二三四五六七八九"[int(digit)] for digit in str(n)) if n else ""
