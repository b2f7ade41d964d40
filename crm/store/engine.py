"""How connections behave: SQLite's pragmas and explicit BEGINs, read-only reading on both databases."""

import sqlite3
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import event
from sqlalchemy.engine import Engine

# Set while a unit of work opens its transaction; every other transaction is a reading one.
_writing: ContextVar[bool] = ContextVar("writing", default=False)

# How long the transaction being opened waits for another writer, where that is not the usual time.
_patience: ContextVar[float | None] = ContextVar("patience", default=None)

# Pages of 4 KiB, negative = KiB. More cache per connection buys nothing and costs memory in every worker.
CACHE_KIB = 16384


@contextmanager
def writing_transactions(*, patience: float | None = None):
    """Transactions begun inside may write; ``patience``: seconds to wait for another writer (default: the usual)."""
    writing, waiting = _writing.set(True), _patience.set(patience)
    try:
        yield
    finally:
        _patience.reset(waiting)
        _writing.reset(writing)


def configure(engine: Engine, *, busy_seconds: float) -> None:
    """Attach the rules of this module to an engine (once)."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connected(busy_seconds))
        event.listen(engine, "begin", _sqlite_begin(busy_seconds))
    else:
        event.listen(engine, "begin", _postgres_begin(busy_seconds))


def _sqlite_connected(busy_seconds: float):
    def connected(dbapi_connection: sqlite3.Connection, _record) -> None:
        # The driver must not begin transactions by itself: a deferred one that writes later fails at once under load.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        # While the connection is set up; every transaction then says how long it waits.
        cursor.execute(f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        cursor.execute("PRAGMA mmap_size = 268435456")
        cursor.close()

    return connected


def _sqlite_begin(busy_seconds: float):
    def begun(connection) -> None:
        patience = _patience.get()
        _wait_at_most(connection, busy_seconds if patience is None else patience)
        if _writing.get():
            connection.exec_driver_sql("PRAGMA query_only = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")

    return begun


def _wait_at_most(connection, seconds: float) -> None:
    """SQLite keeps the time on the connection, so it is set again when the next transaction has another."""
    if connection.info.get("waits_at_most") != seconds:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        connection.info["waits_at_most"] = seconds


def _postgres_begin(busy_seconds: float):
    def begun(connection) -> None:
        if _writing.get():
            patience = _patience.get()
            seconds = busy_seconds if patience is None else patience
            # To PostgreSQL a timeout of nought means to wait for ever.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(seconds * 1000))}")
        else:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    return begun
