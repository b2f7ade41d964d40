"""`user add`, `user passwd`, `user grant`, `user second-factor-off`: accounts from the shell."""

import json
import sys
from datetime import date
from typing import Any

import click
from flask import Flask
from sqlalchemy import or_, select

from crm.actions import second_factors
from crm.actions.accounts import (
    GrantWish,
    add_user,
    generated_password,
    grant,
    home_region_of,
    password_problem,
    set_password,
)
from crm.cli import Day, refuse
from crm.cli.database import operators_act
from crm.domain.refusals import Refused
from crm.domain.viewers import ROLES
from crm.extensions import db
from crm.store.parks import Carrier, Park
from crm.store.passwords import hash_password
from crm.store.regions import CITY, Region, counties
from crm.store.unit_of_work import unit_of_work
from crm.store.units import Unit
from crm.store.users import User, user_by_login


def register(app: Flask) -> None:
    app.cli.add_command(user)


@click.group("user")
def user() -> None:
    """Accounts: add one, reset a password, give a role over a place."""


def _password(login: str, from_stdin: bool) -> tuple[str, bool]:
    """The new password, and whether it was generated here: asked for at a terminal, read or made up elsewhere."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = click.prompt("Password (empty: make one up)", default="", hide_input=True, show_default=False)
        if password and click.prompt("Again", hide_input=True, default="", show_default=False) != password:
            refuse("The two passwords differ; nothing was written.")
    else:
        password = ""
    if not password and not from_stdin:
        return generated_password(), True
    problem = password_problem(login, password)
    if problem:
        refuse(problem)
    return password, False


def _region(text: str) -> Region:
    query = select(Region).where(or_(Region.code == text, Region.name == text), ~Region.deleted)
    found = list(db.session.scalars(query))
    if len(found) != 1:
        refuse(f"{'No region' if not found else 'More than one region'} is called {text}; give its code, like 500238.")
    return found[0]


def _default_region() -> Region:
    """The only county; where there are several, the city above them."""
    known = counties()
    if len(known) == 1:
        return known[0]
    city = db.session.scalar(select(Region).where(Region.level == CITY, ~Region.deleted).order_by(Region.code))
    if city is None:
        refuse("There is no region yet: run `flask --app wsgi init` first.")
    return city


def _named(model: type[Any], what: str, name: str | None) -> int | None:
    if name is None:
        return None
    found = list(db.session.scalars(select(model.id).where(model.name == name, ~model.deleted)))
    if len(found) != 1:
        refuse(f"{'No' if not found else 'More than one'} {what} is called {name}.")
    return int(found[0])


def _say(report: dict[str, Any], sentence: str, as_json: bool) -> None:
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else sentence)


_json_flag = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_stdin_flag = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)


@user.command("add")
@click.argument("login")
@click.option("--name", required=True, help="The person's name as it stands in the history.")
@click.option("--email", help="Where the weekly mail goes.")
@click.option("--region", "region_text", help="Code or name of the region (default: the only county, else the city).")
@click.option("--admin", "role", flag_value="admin", help="Short for --role admin.")
@click.option("--role", type=click.Choice(list(ROLES)), help="A first role over the region.")
@_stdin_flag
@_json_flag
def add(
    login: str,
    name: str,
    email: str | None,
    region_text: str | None,
    role: str | None,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Add a user; without a terminal the password is made up and printed once."""
    region = _region(region_text) if region_text else _default_region()
    wish = GrantWish(role, region_id=region.id) if role else None
    if role in ("unit", "park"):
        raise click.UsageError(f"Add the user first, then: user grant {login} {role} --{role} NAME")
    region_id = home_region_of(region)
    values = {"login": login, "name": name, "email": email, "region_id": region_id}
    password, made_up = _password(login, password_stdin)
    password_hash = hash_password(password)
    act = operators_act()
    with unit_of_work():
        written = add_user(values, password_hash=password_hash, first_grant=wish, act=act)
    report: dict[str, Any] = {"login": login.strip().lower(), "user_id": written.ids["user"]}
    sentence = f"User {report['login']} added."
    if made_up:
        report["password"] = password
        sentence += f" Password (shown once): {password}"
    _say(report, sentence, as_json)


def _existing(login: str) -> User:
    found = user_by_login(login)
    if found is None:
        refuse(f"There is no user {login}.")
        raise AssertionError
    return found


@user.command("passwd")
@click.argument("login")
@_stdin_flag
@_json_flag
def passwd(login: str, password_stdin: bool, as_json: bool) -> None:
    """Set a new password; every session of the user ends."""
    found = _existing(login)
    user_id = found.id
    password, made_up = _password(login, password_stdin)
    password_hash = hash_password(password)
    with unit_of_work():
        set_password(user_id, password_hash, act=operators_act())
    report: dict[str, Any] = {"login": login, "user_id": user_id}
    sentence = f"Password of {login} set; all sessions ended."
    if made_up:
        report["password"] = password
        sentence += f" Password (shown once): {password}"
    _say(report, sentence, as_json)


@user.command("second-factor-off")
@click.argument("login")
@_json_flag
def second_factor_off(login: str, as_json: bool) -> None:
    """Take somebody's second factor off: the telephone and the recovery codes are lost."""
    found = _existing(login)
    user_id = found.id
    try:
        with unit_of_work():
            second_factors.remove(user_id, act=operators_act())
    except Refused as refusal:
        refuse(refusal.message)
    report = {"login": login, "user_id": user_id}
    _say(report, f"Second factor of {login} taken off; the password alone signs in.", as_json)


@user.command("grant")
@click.argument("login")
@click.argument("role", type=click.Choice(list(ROLES)))
@click.option("--region", "region_text", help="Code or name of the region or township (default: the user's own).")
@click.option("--unit", "unit_name", help="The unit, for role unit.")
@click.option("--park", "park_name", help="The park, for role park.")
@click.option("--carrier", "carrier_name", help="The carrier, for role park.")
@click.option("--from", "valid_from", type=Day(), help="First day.")
@click.option("--to", "valid_to", type=Day(), help="Last day.")
@_json_flag
def grant_(
    login: str,
    role: str,
    region_text: str | None,
    unit_name: str | None,
    park_name: str | None,
    carrier_name: str | None,
    valid_from: date | None,
    valid_to: date | None,
    as_json: bool,
) -> None:
    """Give a user a role over a place, from a day to a day."""
    found = _existing(login)
    user_id = found.id
    region_id = _region(region_text).id if region_text else found.region_id
    wish = GrantWish(
        role,
        region_id=region_id if role not in ("unit", "park") else None,
        unit_id=_named(Unit, "unit", unit_name),
        park_id=_named(Park, "park", park_name),
        carrier_id=_named(Carrier, "carrier", carrier_name),
        valid_from=valid_from,
        valid_to=valid_to,
    )
    with unit_of_work():
        written = grant(user_id, wish, act=operators_act())
    report = {"login": login, "user_id": user_id, "grant_id": written.ids["grant"], "role": role}
    _say(report, f"{login} is now {role}.", as_json)
