"""The places and words a county starts with: region tree, units, open lists, park and carriers, each with a source."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from crm.domain.kinds import KINDS
from crm.rules.loader import RuleFileError, read

CITY, COUNTY, TOWNSHIP = "city", "county", "township"

# What a unit may own beside titles: registers that it keeps and imports.
REGISTERS = frozenset({"intellectual_property", "award"})

# Lists kept in dictionaries.toml that become dictionary entries.
DICTIONARIES = ("featured_industry", "carrier_kind", "request_category")


@dataclass(frozen=True)
class RegionEntry:
    """One region; ``parent`` is the code of the region above, None for the city."""

    code: str
    name: str
    level: str
    parent: str | None
    aliases: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class UnitEntry:
    """One unit of a county. ``owns`` holds title kinds and registers; ``successor`` is the name of another unit."""

    county: str
    name: str
    aliases: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None
    group: str | None = None
    note: str = ""
    source: str = ""


@dataclass(frozen=True)
class WordEntry:
    """One entry of an open list; ``position`` is its place in the list from 1."""

    county: str
    dictionary: str
    code: str
    label: str
    position: int
    aliases: tuple[str, ...] = ()
    group: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""


@dataclass(frozen=True)
class PlaceEntry:
    """A park or a carrier; ``kind`` is a code of the dictionary ``carrier_kind``, None for a park."""

    county: str
    name: str
    kind: str | None = None
    aliases: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""


@lru_cache(maxsize=1)
def regions() -> tuple[RegionEntry, ...]:
    """The tree from the city down, every region after the one it belongs to.

    Raises RuleFileError when a code is no GB/T 2260 code, stands twice or lies outside its parent.
    """
    data = read("regions_chongqing")
    source = data["source"]
    city = data["city"]
    found = [RegionEntry(city["code"], city["name"], CITY, None, _aliases(city), source)]
    for county in data["county"]:
        found.append(RegionEntry(county["code"], county["name"], COUNTY, city["code"], _aliases(county), source))
        found += [
            RegionEntry(entry["code"], entry["name"], TOWNSHIP, county["code"], _aliases(entry), source)
            for entry in county["township"]
        ]
    _check_regions(found)
    return tuple(found)


@lru_cache(maxsize=1)
def units() -> tuple[UnitEntry, ...]:
    """The units of the plan in its order. Raises RuleFileError for an unknown kind, successor or a name given twice."""
    data = read("units_wuxi")
    found = tuple(
        UnitEntry(
            county=data["county"],
            name=entry["name"],
            aliases=_aliases(entry),
            owns=tuple(entry.get("owns", ())),
            valid_from=entry.get("valid_from", data["valid_from"]),
            valid_to=entry.get("valid_to"),
            successor=entry.get("successor"),
            group=entry.get("group"),
            note=entry.get("note", ""),
            source=data["source"],
        )
        for entry in data["unit"]
    )
    _check_units(found)
    return found


@lru_cache(maxsize=1)
def dictionaries() -> dict[str, tuple[WordEntry, ...]]:
    """The open lists by name. Raises RuleFileError when a list has a code twice or an entry has no source."""
    data = read("dictionaries")
    found = {}
    for name in DICTIONARIES:
        entries = data.get(name, [])
        _no_double(f"dictionaries.toml: {name}", [entry["code"] for entry in entries])
        found[name] = tuple(
            WordEntry(
                county=data["county"],
                dictionary=name,
                code=entry["code"],
                label=entry["label"],
                position=position,
                aliases=_aliases(entry),
                group=entry.get("group", ""),
                valid_from=entry.get("valid_from"),
                valid_to=entry.get("valid_to"),
                source=_source(f"dictionaries.toml: {name} {entry['code']}", entry),
            )
            for position, entry in enumerate(entries, start=1)
        )
    return found


def carriers() -> tuple[PlaceEntry, ...]:
    """The carriers the plan names. Raises RuleFileError when one is of an unknown kind."""
    kinds = {entry.code for entry in dictionaries()["carrier_kind"]}
    found = _places("carrier")
    for carrier in found:
        if carrier.kind not in kinds:
            raise RuleFileError(f"dictionaries.toml: carrier {carrier.name} has no known kind")
    return found


def parks() -> tuple[PlaceEntry, ...]:
    """The park the plan names."""
    return _places("park")


def place_names() -> tuple[str, ...]:
    """Names that can begin an enterprise's name here, for ``crm.domain.names.split_name``: counties and townships."""
    return tuple(region.name for region in regions() if region.level != CITY)


def _places(kind: str) -> tuple[PlaceEntry, ...]:
    data = read("dictionaries")
    return tuple(
        PlaceEntry(
            county=data["county"],
            name=entry["name"],
            kind=entry.get("kind"),
            aliases=_aliases(entry),
            valid_from=entry.get("valid_from"),
            valid_to=entry.get("valid_to"),
            source=_source(f"dictionaries.toml: {kind} {entry['name']}", entry),
        )
        for entry in data.get(kind, [])
    )


def _aliases(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(entry.get("aliases", ()))


def _source(where: str, entry: dict[str, Any]) -> str:
    if not entry.get("source"):
        raise RuleFileError(f"{where} has no source")
    return str(entry["source"])


def _no_double(where: str, keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise RuleFileError(f"{where} has {key} twice")
        seen.add(key)


def _check_regions(found: list[RegionEntry]) -> None:
    _no_double("regions_chongqing.toml", (region.code for region in found))
    for region in found:
        digits = 9 if region.level == TOWNSHIP else 6
        if not re.fullmatch(rf"\d{{{digits}}}", region.code):
            raise RuleFileError(f"regions_chongqing.toml: {region.name} needs a code of {digits} digits")
        above = {CITY: "", COUNTY: (region.parent or "")[:2], TOWNSHIP: region.parent or ""}[region.level]
        if not region.code.startswith(above):
            raise RuleFileError(f"regions_chongqing.toml: {region.code} {region.name} lies outside {region.parent}")


def _check_units(found: tuple[UnitEntry, ...]) -> None:
    spellings = [name for unit in found for name in (unit.name, *unit.aliases)]
    _no_double("units_wuxi.toml", spellings)
    for unit in found:
        strange = set(unit.owns) - set(KINDS) - REGISTERS
        if strange:
            raise RuleFileError(f"units_wuxi.toml: {unit.name} owns unknown {', '.join(sorted(strange))}")
        if unit.successor is not None and unit.successor not in spellings:
            raise RuleFileError(f"units_wuxi.toml: {unit.name} has an unknown successor {unit.successor}")
