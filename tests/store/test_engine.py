"""Reading never takes the write lock, writing waits for it, and waiting in vain is a named error."""

import threading
import time

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.unit_of_work import DatabaseBusy, NestedUnitOfWork, unit_of_work
from tests.builders import make_enterprise
from tests.conftest import build


def test_a_reading_session_cannot_write(app):
    db.session.execute(select(Enterprise.id))

    with pytest.raises(DBAPIError):
        db.session.execute(text("UPDATE region SET name = 'x'"))
    db.session.rollback()


def test_a_unit_of_work_is_never_opened_inside_another(app):
    with pytest.raises(NestedUnitOfWork), unit_of_work(), unit_of_work():
        pass


def test_an_error_rolls_everything_back(app):
    with pytest.raises(ZeroDivisionError), unit_of_work() as work:
        work.execute(text("UPDATE region SET name = 'x'"))
        raise ZeroDivisionError

    assert db.session.scalar(text("SELECT count(*) FROM region WHERE name = 'x'")) == 0


def test_readers_read_on_while_somebody_writes(app):
    make_enterprise()
    seen = []

    def read():
        with app.app_context():
            seen.append(len(db.session.scalars(select(Enterprise)).all()))
            db.session.remove()

    with unit_of_work() as work:
        work.execute(text("UPDATE enterprise SET address = 'x'"))
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(5)

    assert seen == [1]


def test_a_second_writer_waits_for_the_first(app):
    order = []
    first_holds = threading.Event()

    def first():
        with app.app_context():
            with unit_of_work() as work:
                work.execute(text("UPDATE region SET name = name WHERE level = 'city'"))
                first_holds.set()
                time.sleep(0.3)
                order.append("first")
            db.session.remove()

    thread = threading.Thread(target=first)
    thread.start()
    first_holds.wait(5)
    with unit_of_work() as work:
        work.execute(text("UPDATE region SET name = name WHERE level = 'city'"))
        order.append("second")
    thread.join(5)

    assert order == ["first", "second"]


def test_waiting_in_vain_is_a_named_error_and_writes_nothing(sqlite_settings):
    application = build(sqlite_settings, BUSY_SECONDS=0.2, HUEY=_memory())
    held = threading.Event()
    done = threading.Event()

    def hold():
        with application.app_context():
            with unit_of_work():
                held.set()
                done.wait(5)
            db.session.remove()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    with application.app_context():
        with pytest.raises(DatabaseBusy), unit_of_work() as work:
            work.execute(text("UPDATE region SET name = 'x'"))
        done.set()
        thread.join(5)
        assert db.session.scalar(text("SELECT count(*) FROM region WHERE name = 'x'")) == 0
        db.session.remove()
        db.engine.dispose()


def test_patience_counts_for_one_unit_of_work_only(app):
    sqlite = db.engine.dialect.name == "sqlite"
    ask = "PRAGMA busy_timeout" if sqlite else "SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'"
    waits = []

    for patience in (None, 0.25, 0, None):
        with unit_of_work(patience=patience) as work:
            waits.append(work.scalar(text(ask)))

    # To PostgreSQL nought would mean to wait for ever.
    assert waits == [5000, 250, 0 if sqlite else 1, 5000]


def _memory():
    from huey import MemoryHuey

    return MemoryHuey("tests")
