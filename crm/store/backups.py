"""The whole library to a backup file, and back from one into an empty place."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import or_, text, update
from sqlalchemy.engine import Connection

from crm.extensions import db
from crm.store.copying import (
    Copied,
    CopyRefused,
    all_or_nothing,
    one_state,
    product_version,
    refuse_if_changed,
    refuse_other_columns,
    refuse_unless_empty,
)
from crm.store.file_store import folder, path_of
from crm.store.messages import Message
from crm.store.migrating import migrate
from crm.store.outbox import MOST_ATTEMPTS
from crm.store.portable import LEFT_OUT, digest, last_ids_of, lines_of, load, names_of, set_last_ids, tables_of
from crm.store.schema import schema_state

FORMAT = "cultivation-crm-backup"
FORMAT_VERSION = 1

UNCERTAIN = "从备份恢复：备份之后可能已经发出。问过本人再决定是否再发。"


class BackupUnreadable(Exception):
    """The file is no backup of this product, or it was cut short or changed; the message says where."""


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
        with os.fdopen(handle, "wb") as file, one_state() as connection:
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


def _write(file: IO[bytes], connection: Connection, at: datetime) -> Copied:
    tables = tables_of(connection)
    schema = MigrationContext.configure(connection).get_current_revision() or ""
    found: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for kept in tables:
            with archive.open(_entry(kept.name), "w", force_zip64=True) as entry:
                found[kept.name] = digest(_written(entry, lines_of(connection, kept))) | {
                    "columns": [column.name for column in kept.table.columns]
                }
        last_ids = last_ids_of(connection, tables)
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


def read_backup(source: Path) -> Copied:
    """Read a backup from end to end and compare every count and hash. Raises BackupUnreadable; touches no database."""
    with _opened(source) as (archive, manifest):
        for name, expected in manifest["tables"].items():
            with archive.open(_entry(name)) as entry:
                if digest(entry) != {"rows": expected["rows"], "sha256": expected["sha256"]}:
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


def restore_from(source: Path, *, verify: bool = True, at: datetime | None = None) -> Copied:
    """Put a backup into the configured place, which must be empty: no row in the database, no stored file.

    The file is read through before anything is touched. Rows go in as one transaction; with ``verify`` they are read
    back and compared before it commits. Mail that had been waiting is marked uncertain, because it may have gone out
    after the backup was made. Raises BackupUnreadable, CopyRefused.
    """
    copied = read_backup(source)
    refuse_unless_empty(db.engine)
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
            with all_or_nothing(db.engine) as connection:
                tables = tables_of(connection)
                refuse_other_columns({kept.name: names_of(kept) for kept in tables}, _columns_of(manifest))
                for kept in tables:
                    with archive.open(_entry(kept.name)) as entry:
                        load(connection, kept, entry)
                set_last_ids(connection, tables, manifest["last_ids"])
                if verify:
                    refuse_if_changed(connection, tables, copied.tables)
                uncertain = _leave_mail_to_a_person(connection, at or datetime.now(UTC))
    except BaseException:
        for place in placed:
            place.unlink(missing_ok=True)
            with suppress(OSError):
                place.parent.rmdir()
        raise
    return Copied(**{**copied.__dict__, "uncertain_messages": uncertain, "path": Path(source)})


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


def _columns_of(manifest: dict[str, Any]) -> dict[str, list[str]]:
    return {name: entry["columns"] for name, entry in manifest["tables"].items()}


def _leave_mail_to_a_person(connection: Connection, at: datetime) -> int:
    tried_again = (Message.state == "failed") & (Message.attempts < MOST_ATTEMPTS) & Message.not_before.is_not(None)
    waiting = or_(Message.state.in_(("queued", "sending")), tried_again)
    moved = update(Message).where(waiting).values(state="uncertain", state_at=at, error=UNCERTAIN)
    return connection.execute(moved).rowcount
