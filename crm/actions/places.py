"""Loading what a new installation starts with: regions, units, words, parks and carriers, windows, holidays."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from crm.domain.acts import Act
from crm.domain.changes import Create, Ref
from crm.extensions import Base, db
from crm.rules import calendars, places
from crm.store import windows
from crm.store.regions import Region
from crm.store.writer import Written, write


def load_places(*, act: Act) -> Written:
    """Enter what is not there yet: the region tree by code, the rest for a county that has none of its kind.

    Nothing that somebody edited is touched, so it can run at every start.
    """
    known = dict(db.session.execute(select(Region.code, Region.id)).all())
    changes: list[Create] = []

    def where(code: str) -> Any:
        return known.get(code, Ref(("region", code)))

    for entry in places.regions():
        if entry.code not in known:
            changes.append(
                Create(
                    "region",
                    {
                        "code": entry.code,
                        "name": entry.name,
                        "level": entry.level,
                        "parent_id": where(entry.parent) if entry.parent else None,
                        "aliases": list(entry.aliases),
                        "source": entry.source,
                    },
                    ("region", entry.code),
                )
            )
    changes += _of_county("unit", _units(), known, where)
    changes += _of_county("dictionary_entry", _words(), known, where)
    changes += _of_county("carrier", _registered(places.carriers(), kind=True), known, where)
    changes += _of_county("park", _registered(places.parks(), kind=False), known, where)
    changes += _of_county("window", _windows(), known, where)
    if not _any("holiday"):
        changes += [Create("holiday", row) for row in _holidays()]
    return write(changes, act=act, action="load_places") if changes else Written(None)


def _of_county(
    noun: str, rows: Iterable[tuple[str, Mapping[str, Any]]], known: Mapping[str, int], where
) -> list[Create]:
    """Creations for the counties that have no row of the noun yet; a county is named by its code."""
    table = Base.metadata.tables[noun]
    settled = set(db.session.scalars(select(table.c.region_id).distinct()))
    return [
        Create(noun, {**values, "region_id": where(code)})
        for code, values in rows
        if known.get(code, -1) not in settled
    ]


def _units() -> Iterable[tuple[str, dict[str, Any]]]:
    for entry in places.units():
        yield (
            entry.county,
            {
                "name": entry.name,
                "aliases": list(entry.aliases),
                "owns_kinds": list(entry.owns),
                "valid_from": entry.valid_from,
                "valid_to": entry.valid_to,
                "source": entry.source,
            },
        )


def _words() -> Iterable[tuple[str, dict[str, Any]]]:
    for dictionary, entries in places.dictionaries().items():
        for entry in entries:
            yield (
                entry.county,
                {
                    "dictionary": dictionary,
                    "code": entry.code,
                    "label": entry.label,
                    "aliases": list(entry.aliases),
                    "position": entry.position,
                    "valid_from": entry.valid_from,
                    "valid_to": entry.valid_to,
                    "source": entry.source,
                },
            )


def _registered(entries, *, kind: bool) -> Iterable[tuple[str, dict[str, Any]]]:
    for entry in entries:
        values = {
            "name": entry.name,
            "aliases": list(entry.aliases),
            "valid_from": entry.valid_from,
            "valid_to": entry.valid_to,
            "source": entry.source,
        }
        yield entry.county, values | ({"kind": entry.kind} if kind else {})


# Windows are the city's, so they hang on its region and count in every county under it.
CITY = "500000"


def _windows() -> Iterable[tuple[str, dict[str, Any]]]:
    for row in calendars.windows(CITY):
        yield CITY, {name: row[name] for name in windows.FIELDS}


def _holidays() -> Iterable[dict[str, Any]]:
    known = calendars.holidays()
    for day in sorted(known.days_off):
        yield {"day": day, "kind": "off"}
    for day in sorted(known.workdays):
        yield {"day": day, "kind": "work"}


def _any(noun: str) -> bool:
    table = Base.metadata.tables[noun]
    return db.session.execute(select(table.c.id).limit(1)).first() is not None
