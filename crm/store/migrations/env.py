"""Runs migrations: in batches on SQLite, with foreign keys off and checked afterwards."""

from alembic import context

from crm.extensions import db
from crm.store.engine import writing_transactions

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
            # A batch migration copies and drops a table; with foreign keys on, the drop would cascade.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.rollback()
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = OFF")
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            render_as_batch=sqlite,
            render_item=render_item,
            compare_type=True,
            compare_server_default=False,
        )
        with context.begin_transaction():
            context.run_migrations()
            if sqlite:
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise RuntimeError(f"the migration breaks {len(broken)} foreign keys, first: {tuple(broken[0])}")
        if sqlite:
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = ON")


run()
