"""Grants in words: which role, where, and whether it counts today."""

from flask_login import current_user
from sqlalchemy import select

from crm.actions import accounts
from crm.domain.periods import holds_on
from crm.domain.viewers import ROLES
from crm.extensions import db
from crm.store.parks import Carrier, Park
from crm.store.regions import TOWNSHIP, Region
from crm.store.scope import visible
from crm.store.settings import setting
from crm.store.units import Unit
from crm.store.users import Grant
from crm.store.validity import in_force
from crm.web.doors import today, viewer


def role_words() -> list[tuple[str, str]]:
    words = dict(ROLES) | {"case_manager": setting("manager_word", current_user.region_id)}
    return list(words.items())


def grants_by_user(user_id: int | None = None) -> dict[int, list[Grant]]:
    query = visible(select(Grant).order_by(Grant.valid_to.is_not(None), Grant.id), viewer())
    if user_id is not None:
        query = query.where(Grant.user_id == user_id)
    found: dict[int, list[Grant]] = {}
    for grant in db.session.scalars(query):
        found.setdefault(grant.user_id, []).append(grant)
    return found


def place_names() -> dict[str, dict[int, str]]:
    """Names of the places of grants, withdrawn and ended ones included; four queries whatever the users."""
    return {
        kind: dict(db.session.execute(select(model.id, model.name)).all())
        for kind, model in (("region", Region), ("unit", Unit), ("park", Park), ("carrier", Carrier))
    }


def grant_words(grant: Grant, names: dict[str, dict[int, str]], roles: dict[str, str]) -> dict[str, str]:
    for kind in ("unit", "park", "carrier"):
        place = getattr(grant, f"{kind}_id")
        if place is not None:
            where = names[kind].get(place, "")
            break
    else:
        where = names["region"].get(grant.region_id, "")
    return {"role": roles[grant.role], "where": where}


def is_in_force(grant: Grant) -> bool:
    return holds_on(grant, today())


def grantable_places() -> list[tuple[str, str]]:
    """Where a grant may count, in one list: regions with their townships, units, parks, carriers."""
    managed = accounts.regions_managed(viewer())
    ids = [region.id for region in managed]
    found = [(f"region:{r.id}", ("　　" if r.level == TOWNSHIP else "") + r.name) for r in managed]
    for kind, label, model in (("unit", "部门", Unit), ("park", "园区", Park), ("carrier", "载体", Carrier)):
        query = select(model.id, model.name).where(model.region_id.in_(ids), ~model.deleted, in_force(model, today()))
        query = query.order_by(model.id)
        found += [(f"{kind}:{row_id}", f"{label}：{name}") for row_id, name in db.session.execute(query)]
    return found
