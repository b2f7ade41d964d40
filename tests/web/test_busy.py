"""While somebody else is writing, pages still open: what they note on the side is left out or refused soon."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from crm.extensions import db
from crm.store import access_log
from crm.store.access_log import AccessLog
from crm.store.engine import writing_transactions
from crm.store.sessions import UserSession
from crm.store.unit_of_work import DatabaseBusy, unit_of_work
from crm.web.sign_in import sessions
from tests.builders import make_enterprise, make_user
from tests.web.conftest import sign_in


@contextmanager
def somebody_writing():
    """Another connection in the middle of a write: SQLite's only one; on PostgreSQL it holds what we want to write."""
    with db.engine.connect() as connection:
        with writing_transactions():
            connection.execute(update(UserSession).values(agent="held"))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE access_log IN EXCLUSIVE MODE")
        yield
        connection.rollback()


class Tries:
    """Remembers with which patience units of work were opened, and how they ended."""

    def __init__(self) -> None:
        self.patience: list[float | None] = []
        self.ended: list[type | None] = []

    @contextmanager
    def unit_of_work(self, *, patience: float | None = None):
        self.patience.append(patience)
        self.ended.append(None)
        try:
            with unit_of_work(patience=patience) as work:
                yield work
        except BaseException as error:
            self.ended[-1] = type(error)
            raise


@pytest.fixture
def client(app):
    make_user("lina", "bureau")
    make_enterprise("巫溪县青禾食品有限责任公司")
    browser = app.test_client()
    sign_in(browser, "lina")
    return browser


@pytest.fixture
def touches(monkeypatch):
    tries = Tries()
    monkeypatch.setattr(sessions, "unit_of_work", tries.unit_of_work)
    return tries


def seen_at():
    db.session.rollback()
    return db.session.scalar(select(UserSession.seen_at))


def test_a_page_opens_without_waiting_for_the_note_that_its_session_lives(client, monday, touches):
    before = seen_at()
    monday.shift(sessions.SEEN_EVERY)

    with somebody_writing():
        answer = client.get("/enterprises")

    assert answer.status_code == 200
    assert (touches.patience, touches.ended) == ([sessions.TOUCH_PATIENCE_SECONDS], [DatabaseBusy])
    assert seen_at() == before


def test_the_note_is_not_tried_again_on_every_page_but_after_a_while(client, monday, touches):
    before = seen_at()
    monday.shift(sessions.SEEN_EVERY)
    with somebody_writing():
        client.get("/enterprises")
        client.get("/enterprises")
    client.get("/enterprises")
    tried_at_once = len(touches.ended)

    monday.shift(sessions.TOUCH_AGAIN_AFTER + timedelta(seconds=1))
    client.get("/enterprises")

    assert (tried_at_once, touches.ended) == (1, [DatabaseBusy, None])
    assert seen_at() > before


def test_an_export_that_cannot_be_put_on_record_is_refused_soon(client, monkeypatch):
    tries = Tries()
    monkeypatch.setattr(access_log, "unit_of_work", tries.unit_of_work)

    with somebody_writing():
        refused = client.get("/enterprises/export?format=csv")
    given = client.get("/enterprises/export?format=csv")

    assert (refused.status_code, refused.headers["Retry-After"], given.status_code) == (503, "3", 200)
    assert tries.ended == [DatabaseBusy, None]
    assert max(tries.patience) <= 2
    assert [row.what for row in db.session.scalars(select(AccessLog)) if row.what == "export"] == ["export"]
