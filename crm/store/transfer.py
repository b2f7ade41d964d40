"""The whole library from one database to another."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from flask import current_app
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from crm.extensions import db
from crm.store.copying import (
    Copied,
    CopyRefused,
    all_or_nothing,
    one_state,
    product_version,
    reason_of,
    refuse_if_changed,
    refuse_other_columns,
    refuse_unless_empty,
    refuse_while_running,
)
from crm.store.engine import configure
from crm.store.portable import Kept, last_ids_of, lines_of, load, names_of, set_last_ids, tables_of
from crm.store.schema import MIGRATIONS, schema_state


def transfer_to(url: str) -> Copied:
    """Copy the configured database into an empty one at another address and compare both, table by table.

    The source is read as of one moment and not changed; stored files stay where they are, because they belong to the
    instance folder. Raises CopyRefused: the product is running, the target is not empty or cannot be reached.
    """
    try:
        target = create_engine(url, json_serializer=_json, hide_parameters=True)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise CopyRefused(f"{url.split('://')[0]}://… is no database address: {reason_of(error)}.") from error
    if target.url == db.engine.url:
        raise CopyRefused("The target is the database in use; name another one.")
    configure(target, busy_seconds=current_app.config["BUSY_SECONDS"])
    try:
        return _transferred(target)
    finally:
        target.dispose()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _transferred(target: Engine) -> Copied:
    state = schema_state()
    db.session.remove()
    if not state.matches:
        raise CopyRefused(state.sentence())
    refuse_unless_empty(target)
    with one_state() as source:
        refuse_while_running(source)
        _make_tables(target)
        tables = tables_of(source)
        found: dict[str, dict[str, Any]] = {}
        with all_or_nothing(target) as connection:
            others = {kept.name: kept for kept in tables_of(connection)}
            refuse_other_columns({k.name: names_of(k) for k in others.values()}, {k.name: names_of(k) for k in tables})
            for kept in tables:
                found[kept.name] = _load_and_digest(connection, others[kept.name], lines_of(source, kept))
            set_last_ids(connection, others.values(), last_ids_of(source, tables))
            refuse_if_changed(connection, others.values(), found)
    return Copied(schema=state.want, tables=found, product=product_version())


def _load_and_digest(connection: Connection, kept: Kept, lines: Iterator[bytes]) -> dict[str, Any]:
    hashed, rows = hashlib.sha256(), 0

    def told() -> Iterator[bytes]:
        nonlocal rows
        for line in lines:
            hashed.update(line)
            rows += 1
            yield line

    load(connection, kept, told())
    return {"rows": rows, "sha256": hashed.hexdigest()}


def _make_tables(target: Engine) -> None:
    config = Config(str(MIGRATIONS / "alembic.ini"))
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = target
    try:
        command.upgrade(config, "head")
    except (CommandError, SQLAlchemyError) as error:
        raise CopyRefused(f"The tables could not be made in the target: {reason_of(error)}.") from error
