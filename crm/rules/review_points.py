"""What the county looks at before it recommends, as data: points per kind of title (review_points.toml)."""

from functools import cache
from typing import Any

from crm.domain.reviews import Point, PointList, PointLists
from crm.rules.entries import entries_of, header_of, parts_of
from crm.rules.loader import RuleFileError

LOOKS = frozenset({"materials", "comparison", "figures", "titles", "file"})
GENERAL = "*"


@cache
def load_review_points() -> PointLists:
    """The lists of review_points.toml. Raises RuleFileError naming the entry that cannot be used."""
    entries = entries_of("review_points", "points", _list)
    if not any(not entry.kinds for entry in entries):
        raise RuleFileError('review_points.toml: the list for every other kind (kinds = ["*"]) is missing')
    return PointLists(entries)


def _list(entry: dict[str, Any], where: str) -> PointList:
    header = header_of(entry, where, general=GENERAL)
    points = parts_of(entry, "point", _point, where, "points")
    return PointList(header.kinds, points, header.valid_from, header.valid_to, header.citation)


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
