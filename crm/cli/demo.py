"""`demo`: fill an empty database with an invented county."""

import json
from datetime import UTC, date, datetime, time
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask import Flask, current_app
from sqlalchemy import select

from crm.cli import Day, refuse
from crm.cli.demo_filling import Filled, fill
from crm.cli.demo_shapes import NOTICE, World
from crm.cli.demo_world import make_world
from crm.domain.viewers import ROLES
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.passwords import hash_password
from crm.store.unit_of_work import unit_of_work


def register(app: Flask) -> None:
    app.cli.add_command(demo)


@click.command("demo")
@click.option("--seed", type=int, required=True, help="The same seed and day give the same county.")
@click.option("--on", type=Day(), help="The day it is in that county (default: today).")
@click.option("--size", type=click.IntRange(60, 5000), default=320, show_default=True, help="How many enterprises.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def demo(seed: int, on: date | None, size: int, as_json: bool) -> None:
    """Fill an invented county and a district beside it through the actions; only where no enterprise is yet."""
    started = monotonic()
    tz = ZoneInfo(current_app.config["TZ_NAME"])
    now = datetime.now(UTC)
    day = on or now.astimezone(tz).date()
    if day != now.astimezone(tz).date():
        now = datetime.combine(day, time(10, 0), tz).astimezone(UTC)
    _refuse_what_is_in_use()
    world = make_world(seed, day, size)
    password_hash = hash_password(world.password)
    with unit_of_work():
        # Asked again under the lock: another process may have come first.
        _refuse_what_is_in_use()
        filled = fill(world, password_hash=password_hash, now=now, tz=tz)
    if as_json:
        click.echo(json.dumps(_report(world, filled), ensure_ascii=False))
        return
    click.echo(f"{filled.enterprises} enterprises, {filled.records} records in {monotonic() - started:.0f} s.")
    click.echo(NOTICE)
    click.echo(f"Everything above is invented. Password of every login: {world.password}")
    for entry in _logins(world):
        click.echo(f"  {entry['login']:<10} {'、'.join(entry['roles'])}（{entry['region']}）{entry['name']}")


def _refuse_what_is_in_use() -> None:
    if db.session.scalar(select(Enterprise.id).limit(1)) is not None:
        refuse("There are enterprises already: the demo county only goes into an empty database.")


def _logins(world: World) -> list[dict[str, Any]]:
    """Who may sign in, the county's people first."""
    names = {region.code: region.name for region in world.regions}
    return [
        {
            "login": user.login,
            "name": user.name,
            "roles": list(dict.fromkeys(ROLES[grant.role] for grant in user.grants)),
            "region": names[user.region],
        }
        for user in world.users
        if user.active
    ]


def _report(world: World, filled: Filled) -> dict[str, Any]:
    return {
        "seed": world.seed,
        "on": world.on.isoformat(),
        "enterprises": filled.enterprises,
        "records": filled.records,
        "change_sets": filled.change_sets,
        "notice": world.notice,
        "password": world.password,
        "users": _logins(world),
    }
