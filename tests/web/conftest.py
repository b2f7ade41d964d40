"""Every page test runs on the tests' Monday; signing in goes through the real form."""

import re

import pytest
import time_machine
from sqlalchemy import event

from crm.extensions import db
from tests.builders import NOW, PASSWORD


@pytest.fixture(autouse=True)
def monday():
    """The clock of the tests' Monday, ticking, so that sessions and throttles behave."""
    with time_machine.travel(NOW, tick=True) as clock:
        yield clock


def csrf_of(client, url: str = "/sign-in") -> str:
    """The CSRF token of the browser's session, as a page carries it."""
    page = client.get(url).text
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page) or re.search(
        r'name="csrf-token" content="([^"]+)"', page
    )
    assert found, f"no CSRF token on {url}"
    return found.group(1)


def sign_in(client, login: str, password: str = PASSWORD):
    """Sign a client in through the form; returns the answer of the form."""
    answer = client.post("/sign-in", data={"csrf_token": csrf_of(client), "login": login, "password": password})
    assert answer.status_code == 302, answer.text
    return answer


def post(client, url: str, data: dict | None = None, **more):
    """Post a form with the client's CSRF token."""
    return client.post(url, data={"csrf_token": csrf_of(client, "/account"), **(data or {})}, **more)


def queries(client, url: str, **more) -> int:
    """How many statements a page asks of the database; it must answer 200.

    A test's requests share the session of its context. What an earlier page has read may live on there until a
    collector comes by, and costs this page no statement; so it is forgotten first, as every request begins anew.
    """
    db.session.remove()
    seen = []
    listener = lambda *args: seen.append(args[2])  # noqa: E731 a closure is the shortest listener
    event.listen(db.engine, "before_cursor_execute", listener)
    try:
        assert client.get(url, **more).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", listener)
    return len(seen)
