"""Every route × every role × a record behind the wall: generated from the routes, so that none can be forgotten."""

import io
import re
import zipfile
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
import time_machine
from huey import MemoryHuey
from werkzeug.routing import IntegerConverter, Rule

from crm.extensions import db
from crm.web.doors import ANYBODY, SIGNED_IN
from tests.builders import NOW, PASSWORD, county, make_user
from tests.conftest import build, fresh_settings
from tests.walls import ROLES, District, fingerprint, two_districts
from tests.web.conftest import csrf_of

# What stands in an argument of a route: a record of a district by its noun, or one of these words.
RECORDS = {
    "enterprise_id": "enterprise",
    "other_id": "enterprise",
    "affiliation_id": "affiliation",
    "relation_id": "relation",
    "qualification_id": "qualification",
    "title_id": "qualification",
    "membership_id": "pool_membership",
    "pool_id": "pool_membership",
    "pool_membership_id": "pool_membership",
    "application_id": "application",
    "objection_id": "application_objection",
    "submission_id": "submission",
    "submission_file_id": "submission_file",
    "assessment_id": "assessment",
    "figures_id": "figures",
    "ip_id": "intellectual_property",
    "intellectual_property_id": "intellectual_property",
    "service_log_id": "service_log",
    "log_id": "service_log",
    "obligation_id": "obligation",
    "batch_id": "import_batch",
    "import_batch_id": "import_batch",
    "row_id": "import_row",
    "import_row_id": "import_row",
    "collection_id": "collection",
    "selection_id": "pool_selection",
    "sheet_id": "collection_enterprise",
    "file_id": "stored_file",
    "attachment_id": "attachment",
    # Beside <noun>, of which WORDS knows the enterprise.
    "record_id": "enterprise",
    "plan_id": "visit_plan",
    "item_id": "visit_plan_enterprise",
    "stored_file_id": "stored_file",
    "job_id": "job",
    "message_id": "message",
    "change_set_id": "change_set",
    "change_id": "change_set",
    "user_id": "user",
    "grant_id": "grant",
    "region_id": "region",
    "township_id": "township",
    "window_id": "window",
    "unit_id": "unit",
    "park_id": "park",
    "carrier_id": "carrier",
    "setting_id": "setting",
    "view_id": "saved_view",
    "request_id": "request",
    "comment_id": "comment",
    "confirmation_id": "confirmation",
    "notice_id": "notice",
    "absence_id": "absence",
}
WORDS: dict[str, tuple[Any, ...]] = {
    "filename": ("css/app.css",),
    "year": (2025,),
    "kind": ("hnte_renewal",),
    "period": ("2027",),
    "profile": ("generic",),
    "rules": ("tech_sme",),
    "noun": ("enterprise",),
    "field": ("name",),
    "code": ("name",),
    "item": ("licence",),
    "cell": ("township",),
    "column": ("due",),
    "outcome": ("new",),
    "name": ("digest",),
    "format": ("xlsx",),
    "key": ("no-such-link",),
}
# entry_id is a row of the list that stands before it in the address.
LISTS = {"words": "dictionary_entry", "units": "unit", "parks": "park", "carriers": "carrier"}
# Records that are nobody's: one calendar for all. Who may change it is tested with the calendar.
SHARED_ARGUMENTS = {"holiday_id"}
# Pressing these ends the session that the other routes are tried with.
ENDS_SESSION = {"sign_in.sign_out", "users.end_other_sessions"}


@dataclass
class World:
    app: Any
    own: District
    foreign: District
    clients: dict[str, Any]
    tokens: dict[str, str]


@pytest.fixture(scope="module", autouse=True)
def monday():
    """One clock for the module, in place of the one per test: cookies signed a moment ahead would not be accepted."""
    with time_machine.travel(NOW, tick=True) as travelling:
        yield travelling


@pytest.fixture(scope="module")
def world(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("walls")
    settings = fresh_settings("sqlite", request, folder)
    app = build(settings, HUEY=MemoryHuey("walls", immediate=False))
    with app.app_context():
        own, foreign = two_districts()
        make_user("nobody", "leader", region=county(own.code), valid_to=NOW.date().replace(year=2020))
        db.session.remove()
    clients, tokens = {}, {}
    for role in (*ROLES, "nobody"):
        client = app.test_client()
        login = "nobody" if role == "nobody" else f"{role}-{own.code}"
        answer = client.post("/sign-in", data={"csrf_token": csrf_of(client), "login": login, "password": PASSWORD})
        assert answer.status_code == 302
        clients[role], tokens[role] = client, csrf_of(client, "/account")
    yield World(app, own, foreign, clients, tokens)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def rules(app) -> list[Rule]:
    return sorted((rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"), key=lambda rule: rule.rule)


def open_to(app, rule: Rule) -> tuple[str, ...] | None:
    return getattr(app.view_functions[rule.endpoint], "open_to", None)


def has_record(rule: Rule) -> bool:
    return any(
        name in RECORDS or name in ("entry_id", "id") or name.endswith("_id")
        for name in rule.arguments - SHARED_ARGUMENTS
    )


def addresses(app, rule: Rule, district: District) -> list[str]:
    """The route's addresses with records of a district; fails on an argument nobody has told us how to fill."""
    names = sorted(rule.arguments)
    options: list[list[Any]] = []
    for name in names:
        if name in RECORDS:
            noun = RECORDS[name]
            here = {"region": district.region_id, "township": district.township_id}
            options.append([here.get(noun) or district.ids[noun]])
        elif name == "list_name":
            options.append(list(LISTS))
        elif name in ("entry_id",):
            options.append([None])
        elif name in SHARED_ARGUMENTS:
            options.append([1])
        elif name in WORDS:
            options.append(list(WORDS[name]))
        else:
            pytest.fail(
                f"{rule.rule} ({rule.endpoint}): nobody has said what stands in <{name}>. "
                "Add it to RECORDS (a record) or WORDS (a word) of this test."
            )
    found = []
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        for chosen in product(*options):
            values = dict(zip(names, chosen, strict=True))
            if "entry_id" in values:
                values["entry_id"] = district.ids[LISTS[values["list_name"]]]
            found.append(adapter.build(rule.endpoint, values, method=next(iter(rule.methods - {"HEAD", "OPTIONS"}))))
    return found


def methods(rule: Rule) -> list[str]:
    return [method for method in ("GET", "POST") if method in rule.methods]


def foreign_form(world: World, token: str) -> dict[str, Any]:
    """A form full of ids from behind the wall, under every name a form here uses."""
    ids, foreign = world.foreign.ids, world.foreign
    return {
        "csrf_token": token,
        "version": "1",
        "enterprise_id": str(ids["enterprise"]),
        "enterprise_ids": str(ids["enterprise"]),
        "ids": str(ids["enterprise"]),
        "user_id": str(ids["user"]),
        "owner_id": str(ids["user"]),
        "manager": str(ids["user"]),
        "region_id": str(foreign.region_id),
        "township": str(foreign.township_id),
        "park": str(ids["park"]),
        "place": f"region:{foreign.region_id}",
        "role": "bureau",
        "batch_id": str(ids["import_batch"]),
        "file_id": str(ids["stored_file"]),
        "change_set_id": str(ids["change_set"]),
        "window_id": str(ids["window"]),
        "message_id": str(ids["message"]),
        "name": "翻墙",
        "login": "climber",
        "label": "翻墙",
        "code": "climber",
        "dictionary": "featured_industry",
        "text": "翻墙",
        "happened_on": "2026-11-20",
        "kind": "visit",
        "first": "2026-11-20",
        "ends_on": "2026-11-20",
        "office_name": "翻墙局",
        "seen": '{"office_name": "翻墙前"}',
        "reason": "翻墙",
    }


def ask(world: World, role: str, method: str, url: str):
    client = world.clients[role]
    if method == "GET":
        return client.get(url, buffered=True)
    return client.post(url, data=foreign_form(world, world.tokens[role]), buffered=True)


def text_of(answer) -> str:
    """What an answer says, a downloaded workbook included."""
    if answer.data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return answer.data.decode("utf-8", "replace")


def test_every_route_says_for_whom_it_is(world):
    silent = [f"{rule.rule} ({rule.endpoint})" for rule in rules(world.app) if not open_to(world.app, rule)]

    assert silent == []


def test_every_route_names_roles_that_exist(world):
    known = {*ROLES, ANYBODY, SIGNED_IN}

    wrong = {
        rule.endpoint: open_to(world.app, rule)
        for rule in rules(world.app)
        if set(open_to(world.app, rule) or ()) - known
    }

    assert wrong == {}


def test_every_argument_of_every_route_can_be_filled(world):
    for rule in rules(world.app):
        assert addresses(world.app, rule, world.foreign)


def test_every_record_of_an_address_is_a_whole_number(world):
    loose = [
        rule.rule
        for rule in rules(world.app)
        for name in rule.arguments
        if (name in RECORDS or name == "entry_id") and not isinstance(rule._converters[name], IntegerConverter)
    ]

    assert loose == []


def test_a_visitor_reaches_only_what_is_for_anybody(world):
    client = world.app.test_client()
    token = csrf_of(client)
    passed = []
    for rule, method in product(rules(world.app), ("GET", "POST")):
        if method not in rule.methods or ANYBODY in (open_to(world.app, rule) or ()):
            continue
        for url in addresses(world.app, rule, world.own):
            if method == "GET":
                answer = client.get(url, buffered=True)
                shut = answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in")
            else:
                answer = client.post(url, data=foreign_form(world, token), buffered=True)
                shut = answer.status_code == 401
            if not shut:
                passed.append(f"{method} {rule.rule}: {answer.status_code}")

    assert passed == []


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_a_record_behind_the_wall_is_not_there(world, role):
    with world.app.app_context():
        before = fingerprint(world.foreign)
    leaks = []
    for rule in rules(world.app):
        if ANYBODY in open_to(world.app, rule) or not has_record(rule):
            continue
        for method, url in product(methods(rule), addresses(world.app, rule, world.foreign)):
            answer = ask(world, role, method, url)
            if answer.status_code not in (403, 404):
                leaks.append(f"{method} {rule.rule}: {answer.status_code}")
            elif any(mark in text_of(answer) for mark in world.foreign.marks):
                leaks.append(f"{method} {rule.rule}: {answer.status_code}, but the page names it")
    with world.app.app_context():
        after = fingerprint(world.foreign)

    assert leaks == []
    assert after == before


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_no_list_count_or_form_reaches_over_the_wall(world, role):
    with world.app.app_context():
        before = fingerprint(world.foreign)
    leaks = []
    foreign_ids = foreign_form(world, "")
    asked = "&".join(
        f"{name}={foreign_ids[name]}"
        for name in ("region_id", "enterprise_id", "user_id", "manager", "township", "park")
    )
    for rule in rules(world.app):
        if ANYBODY in open_to(world.app, rule) or has_record(rule) or rule.endpoint in ENDS_SESSION:
            continue
        for url in addresses(world.app, rule, world.own):
            if "GET" in rule.methods:
                pages = [
                    ask(world, role, "GET", url),
                    ask(world, role, "GET", f"{url}?{asked}"),
                    ask(world, role, "GET", f"{url}?q=食品"),
                ]
                leaks += [
                    f"GET {rule.rule} → {page.status_code}"
                    for page in pages
                    if any(mark in text_of(page) for mark in world.foreign.marks)
                ]
            if "POST" in rule.methods:
                page = ask(world, role, "POST", url)
                if page.status_code == 401:
                    leaks.append(f"POST {rule.rule} lost the session")
                if any(mark in text_of(page) for mark in world.foreign.marks):
                    leaks.append(f"POST {rule.rule} → {page.status_code}")
    with world.app.app_context():
        after = fingerprint(world.foreign)

    assert leaks == []
    assert after == before


def test_the_closed_roles_are_turned_away(world):
    passed = []
    for rule, role in product(rules(world.app), (*ROLES, "nobody")):
        allowed = open_to(world.app, rule)
        if {ANYBODY, SIGNED_IN, role} & set(allowed):
            continue
        for method, url in product(methods(rule), addresses(world.app, rule, world.own)):
            answer = ask(world, role, method, url)
            if answer.status_code != 403:
                passed.append(f"{role}: {method} {rule.rule}: {answer.status_code}")

    assert passed == []


def test_the_same_pages_open_with_records_of_the_own_district(world):
    """Else a 404 above would prove nothing."""
    shut = []
    for rule in rules(world.app):
        if "GET" not in rule.methods or not has_record(rule) or ANYBODY in open_to(world.app, rule):
            continue
        for url in addresses(world.app, rule, world.own):
            answers = {role: world.clients[role].get(url, buffered=True).status_code for role in ROLES}
            # 409 is an answer about a record that was found: it cannot be done to it now.
            if not any(status < 400 or status == 409 for status in answers.values()):
                shut.append(f"{rule.rule}: {answers}")

    assert shut == []


def test_addresses_that_are_no_records_are_not_found(world):
    wrong = []
    for rule in rules(world.app):
        if not has_record(rule) or ANYBODY in open_to(world.app, rule):
            continue
        for url in addresses(world.app, rule, world.own):
            nowhere = re.sub(r"/\d+", "/999999", url)
            for method in methods(rule):
                status = max(
                    ask(world, role, method, nowhere).status_code for role in ("admin", "bureau", "case_manager")
                )
                if status not in (403, 404):
                    wrong.append(f"{method} {rule.rule}: {status}")

    assert wrong == []
