"""Plain functions that put a small world into the database through the actions, with defaults."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from crm.actions.enterprises import create_enterprise
from crm.actions.qualifications import record_qualification
from crm.domain.acts import Act
from crm.domain.changes import Create
from crm.domain.codes import make_code
from crm.domain.viewers import Viewer, the_machine
from crm.extensions import db
from crm.store.passwords import hash_password
from crm.store.regions import Region, region_by_code
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Credential, User, viewer_of
from crm.store.writer import Written, write

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
WUXI = "500238"
OTHER = "500299"
PASSWORD = "巫溪-measure-7"
_HASH: list[str] = []


def act(viewer: Viewer | None = None, *, now: datetime = NOW, on: date = TODAY, **more: Any) -> Act:
    """An act of a viewer (default: the machine) at the tests' moment."""
    return Act(viewer or the_machine("测试"), more.pop("door", "web"), now, on, **more)


def county(code: str = WUXI) -> Region:
    """巫溪县, or the invented district behind the wall, which is made when first asked for."""
    found = region_by_code(code)
    if found is None:
        city = region_by_code("500000")
        with unit_of_work():
            write(
                [
                    Create(
                        "region", {"code": code, "name": "云台区（虚构）", "level": "county", "parent_id": city.id}, "c"
                    ),
                ],
                act=act(),
                action="test",
            )
        parent = region_by_code(code)
        with unit_of_work():
            write(
                [
                    Create(
                        "region",
                        {"code": f"{code}001", "name": "云顶街道", "level": "township", "parent_id": parent.id},
                    )
                ],
                act=act(),
                action="test",
            )
        found = region_by_code(code)
    return found


def township(name: str = "凤凰镇") -> Region:
    return db.session.scalar(select(Region).where(Region.name == name, Region.level == "township"))


# What 经信委 owns (product.md, Who uses it): the department of a liaison who is given none.
UNIT_OWNS = ("innovative_sme", "tech_innovative_sme", "srdi", "little_giant")


def make_unit(name: str, *owns: str, region: Region | None = None) -> int:
    """A department that owns these kinds of titles or registers. Returns its id."""
    values = {"region_id": (region or county()).id, "name": name, "owns_kinds": list(owns)}
    with unit_of_work():
        return int(write([Create("unit", values, "unit")], act=act(), action="test").ids["unit"])


def make_user(login: str, role: str, *, name: str | None = None, region: Region | None = None, **where: Any) -> Viewer:
    """A user with one grant and the tests' password; returns the viewer of the tests' day."""
    region = region or county()
    if role == "unit" and "unit_id" not in where:
        where["unit_id"] = make_unit(f"{login}的部门", *UNIT_OWNS, region=region)
    home = region.id if region.level != "township" else region.parent_id
    with unit_of_work() as work:
        written = write(
            [
                Create(
                    "user",
                    {
                        "login": login,
                        "name": name or login,
                        "email": f"{login}@example.org",
                        "region_id": home,
                        "active": True,
                    },
                    "u",
                )
            ],
            act=act(),
            action="test",
        )
        user_id = written.ids["u"]
        if not _HASH:
            _HASH.append(hash_password(PASSWORD))
        work.add(Credential(user_id=user_id, password_hash=_HASH[0], changed_at=NOW))
        write(
            [Create("grant", {"user_id": user_id, "role": role, "region_id": region.id, **where})],
            act=act(),
            action="test",
        )
    return viewer_of(db.session.get(User, user_id), TODAY)


_count = 0


def make_enterprise(
    name: str = "巫溪县青禾食品有限责任公司",
    *,
    titles: list[tuple] = (),
    region: Region | None = None,
    code: str | bool | None = True,
    **values: Any,
) -> int:
    """An enterprise by the machine; ``titles`` are (kind, valid_from, valid_to, more…). Returns its id."""
    global _count
    _count += 1
    region = region or county()
    fields = {"name": name, **values}
    if code is True:
        fields["credit_code"] = make_code(_count + 700_000)
    elif code:
        fields["credit_code"] = code
    with unit_of_work():
        written: Written = create_enterprise(region.id, fields, act=act())
    enterprise_id = written.ids["enterprise"]
    for kind, valid_from, valid_to, *more in titles:
        values = {"kind": kind, "valid_from": valid_from, "valid_to": valid_to, "announced_on": valid_from}
        values.update(more[0] if more else {})
        with unit_of_work():
            record_qualification(enterprise_id, values, act=act())
    return enterprise_id
