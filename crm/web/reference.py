"""Names behind ids for a page: townships, people, words of dictionaries; one query each, kept for the request."""

from datetime import date
from typing import Any, NamedTuple

from flask import g
from sqlalchemy import select

from crm.domain.fields import Field
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.dictionaries import DICTIONARIES, DictionaryEntry
from crm.store.parks import Carrier, Park
from crm.store.regions import COUNTY, TOWNSHIP, Region
from crm.store.scope import visible
from crm.store.users import User, case_managers
from crm.store.validity import in_force


def _kept(name: str, make) -> Any:
    """The value of this request, made when first asked for."""
    kept = g.setdefault("reference", {})
    if name not in kept:
        kept[name] = make()
    return kept[name]


class Place(NamedTuple):
    """A region as a page needs it."""

    id: int
    code: str
    name: str
    level: str
    parent_id: int | None


def regions(viewer: Viewer) -> dict[int, Place]:
    """Every region the viewer has to do with, by id, in the order of their codes."""
    query = select(Region.id, Region.code, Region.name, Region.level, Region.parent_id).order_by(Region.code)
    return _kept("regions", lambda: {row[0]: Place(*row) for row in db.session.execute(visible(query, viewer))})


def counties(viewer: Viewer) -> list[Place]:
    return [r for r in regions(viewer).values() if r.level == COUNTY]


def townships(viewer: Viewer) -> list[Place]:
    """The townships of the viewer's counties; of all of them when there are several."""
    return [r for r in regions(viewer).values() if r.level == TOWNSHIP]


def region_name(viewer: Viewer, region_id: int | None) -> str:
    found = regions(viewer).get(region_id) if region_id else None
    return found.name if found else ""


def words_of(dictionary: str, viewer: Viewer) -> dict[str, str]:
    """{code: label} of a dictionary, ended entries included: old records keep their words."""
    query = select(DictionaryEntry.code, DictionaryEntry.label).where(DictionaryEntry.dictionary == dictionary)
    return _kept(
        f"words:{dictionary}",
        lambda: dict(db.session.execute(visible(query, viewer).order_by(DictionaryEntry.position)).all()),
    )


class Person(NamedTuple):
    id: int
    name: str


def managers(viewer: Viewer, on: date) -> list[Person]:
    """The case managers of the viewer's regions."""
    return _kept("managers", lambda: [Person(u.id, u.name) for u in case_managers(frozenset(regions(viewer)), on)])


def people(ids) -> dict[int, str]:
    """Names of users by id: who the case manager is stands on every list, also for those who may not open accounts."""
    wanted = {i for i in ids if i}
    return dict(db.session.execute(select(User.id, User.name).where(User.id.in_(wanted))).all()) if wanted else {}


def parks(viewer: Viewer) -> dict[int, str]:
    return _kept("parks", lambda: dict(db.session.execute(visible(select(Park.id, Park.name), viewer)).all()))


def carriers(viewer: Viewer) -> dict[int, str]:
    return _kept("carriers", lambda: dict(db.session.execute(visible(select(Carrier.id, Carrier.name), viewer)).all()))


def ended(field: Field, viewer: Viewer, on: date) -> frozenset[Any]:
    """The choices of a field that no longer (or not yet) hold on a day: they keep their words and are not offered."""
    model = {"region": Region, "park": Park, "carrier": Carrier}.get(field.type)
    if model is not None:
        query = select(model.id).where(~in_force(model, on))
        return _kept(f"ended:{field.type}", lambda: frozenset(db.session.scalars(visible(query, viewer))))
    if field.choices in DICTIONARIES:
        gone = select(DictionaryEntry.code).where(
            DictionaryEntry.dictionary == field.choices, ~in_force(DictionaryEntry, on)
        )
        return _kept(f"ended:{field.choices}", lambda: frozenset(db.session.scalars(visible(gone, viewer))))
    return frozenset()


def names_for(field_type: str, viewer: Viewer, on: date) -> dict[Any, str]:
    """{id: name} for fields whose value is an id, for display and for reading by name."""
    if field_type == "region":
        return {r.id: r.name for r in townships(viewer)}
    if field_type == "person":
        return {u.id: u.name for u in managers(viewer, on)}
    return {"park": parks, "carrier": carriers}[field_type](viewer)
