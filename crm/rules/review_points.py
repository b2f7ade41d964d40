"""What the county looks at before it recommends, as data: points per kind of title (review_points.toml)."""

from functools import cache
from typing import Any

from crm.domain.kinds import KINDS
from crm.domain.reviews import Point, PointList, PointLists
from crm.rules.ladder import citation_of, day_of
from crm.rules.loader import RuleFileError, read

LOOKS = frozenset({"materials", "comparison", "figures", "titles", "file"})
GENERAL = "*"


@cache
def load_review_points() -> PointLists:
    """The lists of review_points.toml. Raises RuleFileError naming the entry that cannot be used."""
    found = read("review_points").get("points", [])
    entries = tuple(_list(entry, f"review_points.toml: points {n}") for n, entry in enumerate(found, 1))
    if not any(not entry.kinds for entry in entries):
        raise RuleFileError('review_points.toml: the list for every other kind (kinds = ["*"]) is missing')
    return PointLists(entries)


def _list(entry: dict[str, Any], where: str) -> PointList:
    kinds = entry.get("kinds")
    if not isinstance(kinds, list) or not kinds or (kinds != [GENERAL] and not set(kinds) <= KINDS.keys()):
        raise RuleFileError(f'{where}: kinds must be a list of known kinds, or ["*"]')
    points = tuple(_point(one, f"{where}: point {n}") for n, one in enumerate(entry.get("point", []), 1))
    codes = [point.code for point in points]
    if not codes or len(set(codes)) != len(codes):
        raise RuleFileError(f"{where}: points must be given, each code once")
    return PointList(
        () if kinds == [GENERAL] else tuple(kinds),
        points,
        day_of(entry, "valid_from", where),
        entry.get("valid_to"),
        citation_of(entry, where),
    )


def _point(entry: dict[str, Any], where: str) -> Point:
    for name in ("code", "group", "text", "clause", "missing"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise RuleFileError(f"{where}: {name} is missing")
    if not entry["code"].replace("_", "").isalnum() or not entry["code"].isascii():
        raise RuleFileError(f"{where}: code {entry['code']!r} must be a plain word")
    if entry.get("look") not in LOOKS:
        raise RuleFileError(f"{where}: look is one of {', '.join(sorted(LOOKS))}")
    return Point(
        code=entry["code"],
        group=entry["group"],
        text=entry["text"],
        clause=entry["clause"],
        look=entry["look"],
        missing=entry["missing"],
        optional=bool(entry.get("optional", False)),
        material=entry.get("material"),
    )
