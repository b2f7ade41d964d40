"""Names behind ids for a page: townships, people, words of dictionaries; one query each, kept for the request."""

from datetime import date
from typing import Any

from flask import g
from sqlalchemy import select

from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.dictionaries import DictionaryEntry
from crm.store.parks import Carrier, Park
from crm.store.regions import COUNTY, TOWNSHIP, Region
from crm.store.scope import visible
from crm.store.users import User, case_managers


def _kept(name: str, make) -> Any:
    """The value of this request, made when first asked for."""
    kept = g.setdefault("reference", {})
    if name not in kept:
        kept[name] = make()
    return kept[name]


def regions(viewer: Viewer) -> dict[int, Region]:
    """Every region the viewer has to do with, by id, in the order of their codes."""
    return _kept(
        "regions",
        lambda: {r.id: r for r in db.session.scalars(visible(select(Region), viewer).order_by(Region.code))},
    )


def counties(viewer: Viewer) -> list[Region]:
    return [r for r in regions(viewer).values() if r.level == COUNTY]


def townships(viewer: Viewer) -> list[Region]:
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


def managers(viewer: Viewer, on: date) -> list[User]:
    """The case managers of the viewer's regions."""
    return _kept("managers", lambda: case_managers(frozenset(regions(viewer)), on))


def people(ids) -> dict[int, str]:
    """Names of users by id: who the case manager is stands on every list, also for those who may not open accounts."""
    wanted = {i for i in ids if i}
    return dict(db.session.execute(select(User.id, User.name).where(User.id.in_(wanted))).all()) if wanted else {}


def parks(viewer: Viewer) -> dict[int, str]:
    return _kept("parks", lambda: dict(db.session.execute(visible(select(Park.id, Park.name), viewer)).all()))


def carriers(viewer: Viewer) -> dict[int, str]:
    return _kept("carriers", lambda: dict(db.session.execute(visible(select(Carrier.id, Carrier.name), viewer)).all()))


def names_for(field_type: str, viewer: Viewer, on: date) -> dict[Any, str]:
    """{id: name} for fields whose value is an id, for display and for reading by name."""
    if field_type == "region":
        return {r.id: r.name for r in townships(viewer)}
    if field_type == "person":
        return {u.id: u.name for u in managers(viewer, on)}
    return {"park": parks, "carrier": carriers}[field_type](viewer)
