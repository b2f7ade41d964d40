"""Copies of the whole library: to a backup file, back from one into an empty place, and from one database to another.

All three go through one portable form: a line of JSON per row in the order of the keys, values as the database holds
them (money in 分, moments in UTC). The same row gives the same line on SQLite and PostgreSQL, so a hash over the lines
proves a copy across both. Tables and columns are taken from the database and not from the code, because the backup
before a migration is made by code that is newer than the database.
"""

import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util.exc import CommandError
from flask import current_app
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    func,
    insert,
    inspect,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from crm.config import ROOT
from crm.extensions import db
from crm.store.engine import configure, writing_transactions
from crm.store.file_store import folder, path_of
from crm.store.messages import Message
from crm.store.migrating import migrate
from crm.store.outbox import MOST_ATTEMPTS
from crm.store.schema import MIGRATIONS, schema_state

FORMAT = "cultivation-crm-backup"
FORMAT_VERSION = 1

# Sign-in sessions would sign people in at a copy, throttles and heartbeats say nothing about another place.
LEFT_OUT = frozenset({"user_session", "throttle", "heartbeat", "alembic_version"})
# The carrier keeps only ids of jobs; the timetable puts waiting jobs back from their rows.
_NOT_OURS = re.compile(r"huey_|sqlite_")

# A heartbeat is renewed every half minute; three missed ones mean that nobody is there.
ALIVE = timedelta(seconds=90)

ROWS = 2_000

UNCERTAIN = "从备份恢复：备份之后可能已经发出。问过本人再决定是否再发。"


class CopyRefused(Exception):
    """The copy was not made, or not kept; the message says in one sentence why. Nothing was changed."""


class BackupUnreadable(Exception):
    """The file is no backup of this product, or it was cut short or changed; the message says where."""


@dataclass(frozen=True)
class Copied:
    """What a copy holds: rows and a hash per table, the stored files, and what could not be taken along."""

    schema: str
    tables: dict[str, dict[str, Any]]
    files: int = 0
    file_bytes: int = 0
    missing_files: tuple[str, ...] = ()
    created_at: str = ""
    product: str = ""
    uncertain_messages: int = 0
    path: Path | None = field(default=None, compare=False)

    @property
    def rows(self) -> int:
        return sum(entry["rows"] for entry in self.tables.values())


# --- rows as lines ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kept:
    """A table as the database has it: its columns by plain types, its key, and the columns that point at itself."""

    table: Table
    kinds: tuple[str, ...]
    own_pointers: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def numbered(self) -> bool:
        """Whether one whole number is the key: then the database itself can put the rows in order."""
        keys = list(self.table.primary_key)
        return len(keys) == 1 and isinstance(keys[0].type, BigInteger)


_KINDS: tuple[tuple[type, str], ...] = (
    (Boolean, "yes_no"),
    (DateTime, "moment"),
    (Date, "day"),
    (JSON, "json"),
    (Float, "float"),
    (String, "text"),
)
_TYPES: dict[str, Any] = {
    "yes_no": Boolean(),
    "moment": DateTime(timezone=True),
    "day": Date(),
    "json": JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
    "float": Float(),
    "text": String(),
    "whole": BigInteger(),
}


def _kind(column_type: Any) -> str:
    return next((kind for known, kind in _KINDS if isinstance(column_type, known)), "whole")


def _tables(connection: Connection) -> list[_Kept]:
    """Our tables, what is pointed at before what points at it."""
    inspector = inspect(connection)
    found = []
    for name, _ in inspector.get_sorted_table_and_fkc_names():
        if name is None or name in LEFT_OUT or _NOT_OURS.match(name):
            continue
        keys = set(inspector.get_pk_constraint(name)["constrained_columns"])
        columns = [(column["name"], _kind(column["type"])) for column in inspector.get_columns(name)]
        pointers = [
            key["constrained_columns"][0] for key in inspector.get_foreign_keys(name) if key["referred_table"] == name
        ]
        table = Table(name, MetaData(), *(Column(c, _TYPES[kind], primary_key=c in keys) for c, kind in columns))
        found.append(_Kept(table, tuple(kind for _, kind in columns), tuple(pointers)))
    return found


def _moment_out(value: datetime) -> str:
    utc = value.astimezone(UTC) if value.tzinfo else value
    return utc.replace(tzinfo=None).isoformat()


def _day_out(value: date) -> str:
    return value.isoformat()


_OUT: dict[str, Callable[[Any], Any]] = {"moment": _moment_out, "day": _day_out}


def _lines(connection: Connection, kept: _Kept) -> Iterator[bytes]:
    """The rows of a table as lines, in the order of their keys on any database."""
    query = select(kept.table)
    if kept.numbered:
        query = query.order_by(*kept.table.primary_key)
    outward = [(place, _OUT[kind]) for place, kind in enumerate(kept.kinds) if kind in _OUT]
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode

    def read() -> Iterator[bytes]:
        for row in connection.execute(query.execution_options(yield_per=ROWS)):
            values = list(row)
            for place, out in outward:
                if values[place] is not None:
                    values[place] = out(values[place])
            yield encode(values).encode() + b"\n"

    # Databases order texts differently; only small tables have keys that are texts.
    return read() if kept.numbered else iter(sorted(read()))


def _row_in(kept: _Kept, dialect: str) -> Callable[[bytes], dict[str, Any]]:
    names = [column.name for column in kept.table.columns]
    moments = [n for n, kind in zip(names, kept.kinds, strict=True) if kind == "moment"]
    days = [n for n, kind in zip(names, kept.kinds, strict=True) if kind == "day"]
    zone = None if dialect == "sqlite" else UTC

    def read(line: bytes) -> dict[str, Any]:
        row = dict(zip(names, json.loads(line), strict=True))
        for name in moments:
            if row[name] is not None:
                row[name] = datetime.fromisoformat(row[name]).replace(tzinfo=zone)
        for name in days:
            if row[name] is not None:
                row[name] = date.fromisoformat(row[name])
        return row

    return read


def _digest(lines: Iterable[bytes]) -> dict[str, Any]:
    """How many lines, and the hash over all of them."""
    hashed, rows = hashlib.sha256(), 0
    for line in lines:
        hashed.update(line)
        rows += 1
    return {"rows": rows, "sha256": hashed.hexdigest()}


def _load(connection: Connection, kept: _Kept, lines: Iterable[bytes]) -> None:
    """Insert lines; a pointer at a later row of the same table is set when all rows are there."""
    read = _row_in(kept, connection.dialect.name)
    statement = insert(kept.table)
    later: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for line in lines:
        row = read(line)
        for name in kept.own_pointers:
            if row[name] is not None:
                later.append({"b_id": row["id"], "b_name": name, "b_value": row[name]})
                row[name] = None
        rows.append(row)
        if len(rows) == ROWS:
            connection.execute(statement, rows)
            rows = []
    if rows:
        connection.execute(statement, rows)
    for name in kept.own_pointers:
        pointers = [{k: v for k, v in one.items() if k != "b_name"} for one in later if one["b_name"] == name]
        if pointers:
            point = update(kept.table).where(kept.table.c.id == bindparam("b_id"))
            connection.execute(point.values({name: bindparam("b_value")}), pointers)


# --- ids that are never given out again ------------------------------------------------------------------------------


def _last_ids(connection: Connection, tables: Iterable[_Kept]) -> dict[str, int]:
    """The last id given out per table, also where its row is gone."""
    found = {}
    if connection.dialect.name == "sqlite":
        known = dict(connection.execute(text("SELECT name, seq FROM sqlite_sequence")).all())
        return {kept.name: known[kept.name] for kept in tables if known.get(kept.name)}
    for kept in tables:
        sequence = _sequence(connection, kept)
        if sequence is not None:
            last, called = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
            if called:
                found[kept.name] = last
    return found


def _sequence(connection: Connection, kept: _Kept) -> str | None:
    if "id" not in kept.table.c:
        return None
    return connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": f'"{kept.name}"'})


def _set_last_ids(connection: Connection, tables: Iterable[_Kept], last_ids: dict[str, int]) -> None:
    sqlite = connection.dialect.name == "sqlite"
    for kept in tables:
        if "id" not in kept.table.c:
            continue
        highest = connection.scalar(select(func.max(kept.table.c.id))) or 0
        last = max(highest, last_ids.get(kept.name, 0))
        if not last:
            continue
        if not sqlite:
            sequence = _sequence(connection, kept)
            if sequence is not None:
                connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})
            continue
        values = {"name": kept.name, "last": last}
        known = connection.execute(text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name"), values)
        if known.rowcount == 0 and kept.name in last_ids:
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)


# --- backup ----------------------------------------------------------------------------------------------------------


def backup_to(target: Path, *, at: datetime | None = None) -> Copied:
    """Write the whole library as of one moment into one new file, read it back, and only then give it its name.

    Others may go on writing: all tables are read in one transaction that sees one state. Raises CopyRefused when the
    file exists already, OSError when it cannot be written; a half-written file is removed.
    """
    target = Path(target)
    if target.exists():
        raise CopyRefused(f"{target} exists already; choose another name.")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, _one_state() as connection:
            copied = _write(file, connection, at or datetime.now(UTC))
            file.flush()
            os.fsync(file.fileno())
        read_back = read_backup(temporary)
        if read_back.tables != copied.tables:
            raise CopyRefused("The file just written does not hold what was read; the disk is not to be trusted.")
        temporary.replace(target)
    except BackupUnreadable as error:
        temporary.unlink(missing_ok=True)
        raise CopyRefused(f"The file just written cannot be read back: {error}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return Copied(**{**copied.__dict__, "path": target})


@contextmanager
def _one_state() -> Iterator[Connection]:
    """A connection whose reads all see the database as it was at the first of them."""
    engine = db.engine
    if engine.dialect.name != "sqlite":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection
        connection.rollback()


def _write(file: IO[bytes], connection: Connection, at: datetime) -> Copied:
    tables = _tables(connection)
    schema = MigrationContext.configure(connection).get_current_revision() or ""
    found: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for kept in tables:
            with archive.open(_entry(kept.name), "w", force_zip64=True) as entry:
                found[kept.name] = _digest(_written(entry, _lines(connection, kept))) | {
                    "columns": [column.name for column in kept.table.columns]
                }
        last_ids = _last_ids(connection, tables)
        files, total, missing = _write_files(archive, connection)
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "product": product_version(),
            "schema": schema,
            "created_at": at.astimezone(UTC).isoformat(timespec="seconds"),
            "database": connection.dialect.name,
            "left_out": sorted(LEFT_OUT - {"alembic_version"}),
            "tables": found,
            "last_ids": last_ids,
            "files": files,
            "missing_files": missing,
        }
        archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
    return _copied(manifest, total)


def _entry(table: str) -> str:
    return f"tables/{table}.jsonl"


def _written(entry: IO[bytes], lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        entry.write(line)
        yield line


def _write_files(archive: zipfile.ZipFile, connection: Connection) -> tuple[dict[str, int], int, list[str]]:
    """The bytes behind every row of stored_file: {hash: size}, their sum, and the hashes whose bytes are lost."""
    files: dict[str, int] = {}
    missing: list[str] = []
    for sha256 in sorted(set(connection.scalars(text("SELECT sha256 FROM stored_file")))):
        place = path_of(sha256)
        if not place.is_file() or _hash_of(place) != sha256:
            missing.append(sha256)
            continue
        # Office files and pictures are packed already.
        archive.write(place, f"files/{sha256}", zipfile.ZIP_STORED)
        files[sha256] = place.stat().st_size
    return files, sum(files.values()), missing


def _hash_of(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copied(manifest: dict[str, Any], total: int) -> Copied:
    return Copied(
        schema=manifest["schema"],
        tables={name: {"rows": e["rows"], "sha256": e["sha256"]} for name, e in manifest["tables"].items()},
        files=len(manifest["files"]),
        file_bytes=total,
        missing_files=tuple(manifest["missing_files"]),
        created_at=manifest["created_at"],
        product=manifest["product"],
    )


def product_version() -> str:
    """The newest version named in the change log."""
    try:
        found = re.search(r"^## \[?(\d[\w.]*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else "0.0.0"


# --- reading a backup ------------------------------------------------------------------------------------------------


def read_backup(source: Path) -> Copied:
    """Read a backup from end to end and compare every count and hash. Raises BackupUnreadable; touches no database."""
    with _opened(source) as (archive, manifest):
        for name, expected in manifest["tables"].items():
            with archive.open(_entry(name)) as entry:
                if _digest(entry) != {"rows": expected["rows"], "sha256": expected["sha256"]}:
                    raise BackupUnreadable(f"Table {name} in {source} was changed after the backup was made.")
        for sha256 in manifest["files"]:
            with archive.open(f"files/{sha256}") as entry:
                if hashlib.file_digest(entry, "sha256").hexdigest() != sha256:
                    raise BackupUnreadable(f"File {sha256[:12]}… in {source} was changed after the backup was made.")
        return _copied(manifest, sum(manifest["files"].values()))


@contextmanager
def _opened(source: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive, _manifest(archive, source)
    except FileNotFoundError:
        raise BackupUnreadable(f"There is no file {source}.") from None
    except (
        zipfile.BadZipFile,
        EOFError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        NotImplementedError,
    ) as error:
        raise BackupUnreadable(f"{source} is no backup of this product, or was cut short or changed.") from error
    except OSError as error:
        raise BackupUnreadable(f"{source} cannot be read: {error.strerror or error}.") from error
    except Exception as error:
        # The unpacker's own error has no common base.
        if type(error).__module__ == "zlib":
            raise BackupUnreadable(f"{source} was cut short or changed.") from error
        raise


def _manifest(archive: zipfile.ZipFile, source: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    if manifest["format"] != FORMAT:
        raise BackupUnreadable(f"{source} is no backup of this product.")
    if manifest["format_version"] > FORMAT_VERSION:
        raise BackupUnreadable(f"{source} was made by a newer version ({manifest['product']}); install that one first.")
    expected = {"manifest.json", *map(_entry, manifest["tables"]), *(f"files/{one}" for one in manifest["files"])}
    if set(archive.namelist()) != expected:
        raise BackupUnreadable(f"{source} was changed after the backup was made: its list of contents does not fit.")
    return manifest


# --- restore ---------------------------------------------------------------------------------------------------------


def restore_from(source: Path, *, verify: bool = True, at: datetime | None = None) -> Copied:
    """Put a backup into the configured place, which must be empty: no row in the database, no stored file.

    The file is read through before anything is touched. Rows go in as one transaction; with ``verify`` they are read
    back and compared before it commits. Mail that had been waiting is marked uncertain, because it may have gone out
    after the backup was made. Raises BackupUnreadable, CopyRefused.
    """
    copied = read_backup(source)
    _refuse_unless_empty(db.engine)
    if any(folder().iterdir()):
        raise CopyRefused(f"{folder()} is not empty; restore into a new instance folder (INSTANCE_DIR).")
    want = schema_state().want
    db.session.remove()
    if copied.schema != want:
        raise CopyRefused(
            f"The backup has schema {copied.schema or 'none'} (product {copied.product}), this code needs {want}: "
            "restore it with the version that made it, then upgrade."
        )
    migrate()
    placed: list[Path] = []
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = _manifest(archive, source)
            placed = _place_files(archive, manifest["files"])
            with _all_or_nothing(db.engine) as connection:
                tables = _tables(connection)
                _same_columns({kept.name: _names(kept) for kept in tables}, _columns_of(manifest))
                for kept in tables:
                    with archive.open(_entry(kept.name)) as entry:
                        _load(connection, kept, entry)
                _set_last_ids(connection, tables, manifest["last_ids"])
                if verify:
                    _compare(connection, tables, copied.tables)
                uncertain = _leave_mail_to_a_person(connection, at or datetime.now(UTC))
    except BaseException:
        for place in placed:
            place.unlink(missing_ok=True)
            with suppress(OSError):
                place.parent.rmdir()
        raise
    return Copied(**{**copied.__dict__, "uncertain_messages": uncertain, "path": Path(source)})


@contextmanager
def _all_or_nothing(engine: Engine) -> Iterator[Connection]:
    try:
        with writing_transactions(), engine.begin() as connection:
            yield connection
    except OperationalError as error:
        raise CopyRefused(f"The database stopped the copy: {_said(error)}. Nothing was kept.") from error
    except (DBAPIError, ValueError) as error:
        raise CopyRefused(f"A value does not fit into the other database: {_said(error)}. Nothing was kept.") from error


def _said(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0].rstrip(".")


def _refuse_unless_empty(engine: Engine) -> None:
    try:
        with engine.connect() as connection:
            refuse_while_running(connection)
            used = [k.name for k in _tables(connection) if connection.execute(select(k.table).limit(1)).first()]
    except OperationalError as error:
        raise CopyRefused(f"The database cannot be reached: {_said(error)}.") from error
    if used:
        raise CopyRefused(
            f"The database is not empty (rows in {', '.join(sorted(used)[:3])}{' …' if len(used) > 3 else ''}): "
            "a copy only goes into an empty one."
        )


def refuse_while_running(connection: Connection) -> None:
    """Raise CopyRefused while a scheduler or worker of this database is alive."""
    if not inspect(connection).has_table("heartbeat"):
        return
    seen = connection.execute(text("SELECT name, seen_at FROM heartbeat").columns(name=String, seen_at=DateTime)).all()
    for name, at in seen:
        moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        if datetime.now(UTC) - moment < ALIVE:
            raise CopyRefused(f"The product is running on this database ({name} was alive just now): stop it first.")


def _place_files(archive: zipfile.ZipFile, files: Iterable[str]) -> list[Path]:
    placed = []
    for sha256 in files:
        place = path_of(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(f"files/{sha256}") as source, place.open("xb") as target:
            placed.append(place)
            while portion := source.read(1 << 20):
                target.write(portion)
            target.flush()
            os.fsync(target.fileno())
        if _hash_of(place) != sha256:
            raise CopyRefused(f"File {sha256[:12]}… does not arrive on this disk as it left.")
    return placed


def _names(kept: _Kept) -> list[str]:
    return [column.name for column in kept.table.columns]


def _columns_of(manifest: dict[str, Any]) -> dict[str, list[str]]:
    return {name: entry["columns"] for name, entry in manifest["tables"].items()}


def _same_columns(here: dict[str, list[str]], there: dict[str, list[str]]) -> None:
    for name in sorted(set(here) | set(there)):
        if here.get(name) != there.get(name):
            raise CopyRefused(f"Table {name} is not the same in both places although the schema has the same number.")


def _compare(connection: Connection, tables: Iterable[_Kept], expected: dict[str, dict[str, Any]]) -> None:
    for kept in tables:
        if _digest(_lines(connection, kept)) != expected[kept.name]:
            raise CopyRefused(f"Table {kept.name} does not arrive as it left. Nothing was kept.")


def _leave_mail_to_a_person(connection: Connection, at: datetime) -> int:
    tried_again = (Message.state == "failed") & (Message.attempts < MOST_ATTEMPTS) & Message.not_before.is_not(None)
    waiting = or_(Message.state.in_(("queued", "sending")), tried_again)
    moved = update(Message).where(waiting).values(state="uncertain", state_at=at, error=UNCERTAIN)
    return connection.execute(moved).rowcount


# --- transfer --------------------------------------------------------------------------------------------------------


def transfer_to(url: str) -> Copied:
    """Copy the configured database into an empty one at another address and compare both, table by table.

    The source is read as of one moment and not changed; stored files stay where they are, because they belong to the
    instance folder. Raises CopyRefused: the product is running, the target is not empty or cannot be reached.
    """
    try:
        target = create_engine(url, json_serializer=_json, hide_parameters=True)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise CopyRefused(f"{url.split('://')[0]}://… is no database address: {_said(error)}.") from error
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
    _refuse_unless_empty(target)
    with _one_state() as source:
        refuse_while_running(source)
        _make_tables(target)
        tables = _tables(source)
        found: dict[str, dict[str, Any]] = {}
        with _all_or_nothing(target) as connection:
            others = {kept.name: kept for kept in _tables(connection)}
            _same_columns({k.name: _names(k) for k in others.values()}, {k.name: _names(k) for k in tables})
            for kept in tables:
                found[kept.name] = _load_and_digest(connection, others[kept.name], _lines(source, kept))
            _set_last_ids(connection, others.values(), _last_ids(source, tables))
            _compare(connection, others.values(), found)
    return Copied(schema=state.want, tables=found, product=product_version())


def _load_and_digest(connection: Connection, kept: _Kept, lines: Iterator[bytes]) -> dict[str, Any]:
    hashed, rows = hashlib.sha256(), 0

    def told() -> Iterator[bytes]:
        nonlocal rows
        for line in lines:
            hashed.update(line)
            rows += 1
            yield line

    _load(connection, kept, told())
    return {"rows": rows, "sha256": hashed.hexdigest()}


def _make_tables(target: Engine) -> None:
    config = Config(str(MIGRATIONS / "alembic.ini"))
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = target
    try:
        command.upgrade(config, "head")
    except (CommandError, SQLAlchemyError) as error:
        raise CopyRefused(f"The tables could not be made in the target: {_said(error)}.") from error
