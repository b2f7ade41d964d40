"""Accounts from the shell: made, asked for and generated passwords, grants, refusals and exit codes."""

import json

import pyotp
import pytest
from sqlalchemy import select

from crm.actions import second_factors
from crm.extensions import db
from crm.store.passwords import password_matches
from crm.store.regions import region_by_code
from crm.store.unit_of_work import unit_of_work
from crm.store.units import Unit
from crm.store.users import Credential, grants_in_force, user_by_login, viewer_of
from tests.builders import NOW, OTHER, TODAY, act, county, township


def run(app, *arguments, **more):
    """Run a command; what the test has read before is an older snapshot, so it is let go."""
    result = app.test_cli_runner().invoke(args=list(arguments), **more)
    db.session.rollback()
    return result


def added(app, login="li.na", *more):
    result = run(app, "user", "add", login, "--name", "李娜", *more, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_first_administrator_can_sign_in_with_the_password_shown_once(app):
    report = added(app, "li.na", "--admin")

    user = user_by_login("li.na")
    viewer = viewer_of(user, TODAY)
    assert report["user_id"] == user.id
    assert password_matches(db.session.get(Credential, user.id).password_hash, report["password"])
    assert viewer.has_in(county().id, "admin")
    assert user.region_id == county().id


def test_with_several_districts_the_first_administrator_is_the_citys(app):
    county(OTHER)

    added(app, "li.na", "--admin")

    viewer = viewer_of(user_by_login("li.na"), TODAY)
    assert viewer.has_in(region_by_code("500000").id, "admin")
    assert viewer.has_in(county(OTHER).id, "admin")


def test_a_user_without_a_role_has_an_account_and_no_grant(sqlite_app):
    report = added(sqlite_app)

    assert grants_in_force(report["user_id"], TODAY) == []


def test_a_password_from_standard_input_is_taken_and_not_printed(sqlite_app):
    result = run(
        sqlite_app, "user", "add", "li.na", "--name", "李娜", "--password-stdin", "--json", input="巫溪-geheim-7\n"
    )

    report = json.loads(result.stdout)
    assert "password" not in report
    assert "geheim" not in result.output
    assert password_matches(db.session.get(Credential, report["user_id"]).password_hash, "巫溪-geheim-7")


@pytest.mark.parametrize(
    "password", ["kurz", "", "li.na.li.na"[:5], "aaaaaaaaaa"], ids=["short", "empty", "five", "one letter"]
)
def test_a_poor_password_is_refused_and_nothing_is_written(sqlite_app, password):
    result = run(sqlite_app, "user", "add", "li.na", "--name", "李娜", "--password-stdin", input=f"{password}\n")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert user_by_login("li.na") is None


def test_a_taken_login_is_refused_in_one_sentence(sqlite_app):
    added(sqlite_app)

    result = run(sqlite_app, "user", "add", "LI.NA", "--name", "李娜")

    assert result.exit_code == 1
    assert result.stderr == "登录名 li.na 已有人用。换一个。\n"


def test_a_new_password_replaces_the_old_one(app):
    report = added(app)

    result = run(app, "user", "passwd", "li.na", "--json")

    again = json.loads(result.stdout)
    kept = db.session.get(Credential, report["user_id"]).password_hash
    assert result.exit_code == 0
    assert password_matches(kept, again["password"])
    assert not password_matches(kept, report["password"])


def test_a_grant_over_a_township_by_its_name(app):
    report = added(app)

    result = run(
        app, "user", "grant", "li.na", "township", "--region", "凤凰镇", "--from", "2026-11-01", "--to", "2026-12-31"
    )

    row = grants_in_force(report["user_id"], TODAY)[0]
    assert result.exit_code == 0
    assert (row.role, row.region_id, row.valid_to.isoformat()) == ("township", township().id, "2026-12-31")


def test_a_grant_over_a_unit_by_its_name(sqlite_app):
    report = added(sqlite_app)
    name = db.session.scalar(select(Unit.name).where(Unit.region_id == county().id).limit(1))

    result = run(sqlite_app, "user", "grant", "li.na", "unit", "--unit", name)

    assert result.exit_code == 0
    assert [g.role for g in grants_in_force(report["user_id"], TODAY)] == ["unit"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "grant", "nobody", "bureau"),
        ("user", "passwd", "nobody"),
        ("user", "grant", "li.na", "bureau", "--region", "亚特兰蒂斯"),
        ("user", "grant", "li.na", "township", "--region", "500238"),
        ("user", "grant", "li.na", "unit", "--unit", "没有的部门"),
        ("user", "grant", "li.na", "park"),
    ],
    ids=["no user", "no user's password", "no region", "a county is no township", "no unit", "no park"],
)
def test_what_the_data_refuses_ends_with_one_sentence_and_1(sqlite_app, arguments):
    added(sqlite_app)

    result = run(sqlite_app, *arguments)

    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "add", "li.na"),
        ("user", "grant", "li.na", "king"),
        ("user", "grant", "li.na", "bureau", "--to", "morgen"),
        ("user", "add", "li.na", "--name", "李娜", "--role", "unit"),
    ],
    ids=["no name", "no such role", "no date", "a unit needs its name"],
)
def test_what_cannot_be_understood_ends_with_2(sqlite_app, arguments):
    assert run(sqlite_app, *arguments).exit_code == 2


@pytest.mark.parametrize("command", [("user",), ("user", "add"), ("user", "passwd"), ("user", "grant")], ids=" ".join)
def test_every_command_has_help(sqlite_app, command):
    result = run(sqlite_app, *command, "--help")

    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_the_last_administrator_without_a_telephone_is_let_in_from_the_shell(app):
    user_id = added(app, "li.na", "--admin")["user_id"]
    viewer = viewer_of(user_by_login("li.na"), TODAY)
    with unit_of_work():
        secret = second_factors.begin(user_id, act=act(viewer))
        second_factors.confirm(user_id, pyotp.TOTP(secret).at(NOW), act=act(viewer))

    off, again = (run(app, "user", "second-factor-off", "li.na") for _ in range(2))

    assert (off.exit_code, again.exit_code) == (0, 1)
    assert "没有开两步验证" in again.output
    assert not second_factors.is_on(user_id)
