"""Numbers no row can have and characters no database keeps: every route answers them, on both databases."""

import re
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest
import time_machine
from huey import MemoryHuey

from crm.config import ROOT
from crm.domain.fields import FIELDS
from crm.extensions import db
from crm.web.addresses import LARGEST_COUNT, LARGEST_ID, whole
from crm.web.doors import ANYBODY, SIGNED_IN
from tests.builders import NOW, PASSWORD
from tests.conftest import build, fresh_settings
from tests.walls import two_districts
from tests.web.conftest import csrf_of
from tests.web.test_routes import ENDS_SESSION, World, addresses, foreign_form, methods, open_to, rules

# Between them they may open every page.
ROLES = ("bureau", "admin")
# Too large for a count, for a row, for Python's reader; a digit to Python alone; what PostgreSQL does not keep.
HOSTILE = [str(LARGEST_COUNT + 1), str(2**63), "9" * 5000, "²", "食\0品"]


@pytest.fixture(scope="module", autouse=True)
def monday():
    with time_machine.travel(NOW, tick=True) as travelling:
        yield travelling


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request, tmp_path_factory):
    settings = fresh_settings(request.param, request, tmp_path_factory.mktemp("hostile"))
    app = build(settings, PROPAGATE=False, HUEY=MemoryHuey("hostile", immediate=False))
    with app.app_context():
        own, foreign = two_districts()
        db.session.remove()
    clients, tokens = {}, {}
    for role in ROLES:
        client = app.test_client()
        form = {"csrf_token": csrf_of(client), "login": f"{role}-{own.code}", "password": PASSWORD}
        assert client.post("/sign-in", data=form).status_code == 302
        clients[role], tokens[role] = client, csrf_of(client, "/account")
    yield World(app, own, foreign, clients, tokens)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def names_of_arguments() -> list[str]:
    """Every argument that the doors read, wherever in them."""
    sources = [path.read_text() for path in (ROOT / "crm" / "web").rglob("*.py")]
    return sorted({name for source in sources for name in re.findall(r'args\.get(?:list)?\(\s*"(\w+)"', source)})


def names_of_fields() -> list[str]:
    """Every name under which a form of ours sends something."""
    templates = [path.read_text() for path in Path(ROOT / "crm" / "templates").rglob("*.html")]
    sources = [path.read_text() for path in (ROOT / "crm" / "web").rglob("*.py")]
    found = {name for page in templates for name in re.findall(r'name="([\w-]+)"', page)}
    found |= {name for source in sources for name in re.findall(r"^    (\w+) = \w*Field\(", source, re.MULTILINE)}
    found |= {field.code for field in FIELDS.values()}
    return sorted(found - {"csrf_token"})


def ask(world: World, role: str, method: str, url: str, **more) -> int:
    if method == "POST":
        more["data"] = {**more.get("data", {}), "csrf_token": world.tokens[role]}
    answer = world.clients[role].open(url, method=method, buffered=True, **more)
    assert answer.status_code != 401, "the session is lost"
    return answer.status_code


def role_for(world: World, rule) -> str:
    return next((role for role in ROLES if {role, SIGNED_IN, ANYBODY} & set(open_to(world.app, rule))), "admin")


def with_numbers(world: World):
    for rule in rules(world.app):
        if any(hasattr(converter, "num_convert") for converter in rule._converters.values()):
            for url, method in product(addresses(world.app, rule, world.own), methods(rule)):
                yield rule, url, method


@pytest.mark.parametrize("number", [LARGEST_ID + 1, 2**63], ids=["nineteen digits", "beyond 64 bits"])
def test_a_number_no_row_can_have_leads_nowhere(world, number):
    found = {
        f"{method} {rule.rule}": ask(world, role_for(world, rule), method, re.sub(r"/\d+", f"/{number}", url))
        for rule, url, method in with_numbers(world)
    }

    assert len(found) > 40
    assert {route: status for route, status in found.items() if status != 404} == {}


@pytest.mark.parametrize("number", [LARGEST_COUNT + 1, LARGEST_ID], ids=["beyond 32 bits", "the largest"])
def test_a_number_no_row_has_yet_leads_nowhere_as_well(world, number):
    wrong = {}
    for rule, url, method in with_numbers(world):
        nowhere = re.sub(r"/\d+", f"/{number}", url)
        status = ask(world, role_for(world, rule), method, nowhere)
        if status not in (403, 404):
            wrong[f"{method} {rule.rule}"] = status

    assert wrong == {}


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:24])
def test_no_page_fails_over_what_stands_behind_its_question_mark(world, value):
    asked = dict.fromkeys(names_of_arguments(), value)
    failed = {}
    for rule in rules(world.app):
        if "GET" not in rule.methods:
            continue
        for url in addresses(world.app, rule, world.own):
            if (status := ask(world, role_for(world, rule), "GET", url, query_string=asked)) >= 500:
                failed[rule.rule] = status

    assert failed == {}


# Where one argument decides whether another is looked at.
@pytest.mark.parametrize(
    "address",
    [
        "/enterprises?township=*",
        "/enterprises?manager=*",
        "/enterprises?rung=*",
        "/enterprises?page=*",
        "/enterprises?industry=*",
        "/enterprises/export?q=*&format=csv",
        "/enterprises/found?q=*",
        "/enterprises/{}?tab=history&noun=enterprise&field=name&record=*",
        "/enterprises/{}?tab=history&before=*",
        "/enterprises/{}/neighbours?from=q%3D*",
        "/due?manager=*",
        "/due?township=*",
        "/due?open=*:silence:*",
        "/pool?year=*",
        "/pool?page=*",
        "/visits/new?enterprise=*",
        "/visits/new?like=*",
        "/dictionaries/windows?year=*",
        "/dictionaries/holidays?year=*",
        "/settings?region_id=*",
        "/jobs/digest?user=*",
        "/changes?before=*",
    ],
)
def test_no_single_argument_brings_a_page_down(world, address):
    failed = []
    for value in HOSTILE:
        written = quote(quote(value) if "from=" in address else value)
        url = address.format(world.own.ids["enterprise"]).replace("*", written)
        if ask(world, "bureau", "GET", url) >= 500:
            failed.append(value[:24])

    assert failed == []


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:24])
def test_no_form_brings_a_page_down(world, value):
    hostile = dict.fromkeys(names_of_fields(), value)
    plausible = {**foreign_form(world, ""), "region_id": str(world.own.region_id)}
    numbers = {name: value for name in plausible if name.endswith(("id", "ids"))} | {"place": f"region:{value}"}
    failed = {}
    for rule in rules(world.app):
        if "POST" not in rule.methods or rule.endpoint in ENDS_SESSION | {"sign_in.sign_in"}:
            continue
        for url in addresses(world.app, rule, world.own):
            for data in (hostile, plausible | {"version": value}, plausible | numbers):
                if (status := ask(world, role_for(world, rule), "POST", url, data=data)) >= 500:
                    failed[rule.rule] = status

    assert failed == {}


def test_a_nul_in_a_path_leads_nowhere(world):
    enterprise_id = world.own.ids["enterprise"]
    paths = ["/static/css%00/app.css", f"/due/{enterprise_id}/hnte_renewal/20%0027", f"/due/{enterprise_id}/%00/2027"]
    paths += ["/%00", "/enterprises/%00"]

    assert {path: ask(world, "bureau", "GET", path) for path in paths} == dict.fromkeys(paths, 404)


def test_texts_arrive_without_their_nuls(world):
    page = world.clients["bureau"].get("/enterprises?q=%00食%00品").text

    assert 'value="食品"' in page
    assert "\0" not in page


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), (" 7 ", 7), ("0", 0), (str(LARGEST_ID), LARGEST_ID), (str(LARGEST_ID + 1), None), ("7" * 5000, None)]
    + [(text, None) for text in ("", None, "-7", "+7", "7.0", "7_0", "²", "７", "seven")],
    ids=lambda value: repr(value)[:24],
)
def test_a_whole_number_is_read_as_such_or_not_at_all(text, number):
    assert whole(text) == number
