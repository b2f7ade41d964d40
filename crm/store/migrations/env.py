"""Runs migrations in one transaction: in batches on SQLite, with foreign keys off and checked before it commits."""

from alembic import context

from crm.extensions import db
from crm.store.engine import writing_transactions
from crm.store.migrating import DataDoesNotFit

target_metadata = db.metadata


def render_item(kind, item, autogen_context):
    """Our column types are written into migrations by name."""
    if kind == "type" and type(item).__module__ == "crm.store.types":
        autogen_context.imports.add("from crm.store import types")
        length = getattr(item, "length", None) or getattr(getattr(item, "impl", None), "length", None)
        return f"types.{type(item).__name__}({length if type(item).__name__ == 'Words' else ''})"
    if kind == "type" and item is not None:
        from crm.store.types import BigId, Json

        for name, known in (("BigId", BigId), ("Json", Json)):
            if repr(item) == repr(known):
                autogen_context.imports.add("from crm.store import types")
                return f"types.{name}"
    return False


def run() -> None:
    # A transfer makes the tables in another database than the configured one.
    engine = context.config.attributes.get("engine") or db.engine
    with writing_transactions(), engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            # A batch migration copies and drops a table; with foreign keys on, the drop would cascade. Inside a
            # transaction the pragma would be ignored, so it goes to the driver before one begins.
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = OFF")
        try:
            # The transaction is ours and not Alembic's, which commits every single migration on SQLite: all of them
            # become true together with the check, or none does.
            with connection.begin():
                context.configure(
                    connection=connection,
                    target_metadata=target_metadata,
                    render_as_batch=sqlite,
                    render_item=render_item,
                    compare_type=True,
                    compare_server_default=False,
                )
                context.run_migrations()
                if sqlite:
                    refuse_broken_references(connection)
        finally:
            if sqlite:
                connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = ON")


def refuse_broken_references(connection) -> None:
    """What PostgreSQL watches over by itself: no row may point at a row that is not there."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        table, _row, target, _key = broken[0]
        raise DataDoesNotFit(f"{len(broken)} rows would point at nothing, the first from {table} to {target}")


run()
