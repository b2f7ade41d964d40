"""`backup`, `restore`, `transfer`: verified copies of the whole library."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from flask import Flask

from crm.cli import refuse
from crm.store.backups import BackupUnreadable, backup_to, restore_from
from crm.store.copying import Copied, CopyRefused
from crm.store.transfer import transfer_to

_json_flag = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def register(app: Flask) -> None:
    for command in (backup, restore, transfer):
        app.cli.add_command(command)


@click.command("backup")
@click.option("-o", "target", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The new file.")
@_json_flag
def backup(target: Path, as_json: bool) -> None:
    """Copy database and stored files as of one moment into one file; the product may go on running."""
    try:
        copied = backup_to(target)
    except CopyRefused as error:
        refuse(str(error))
        return
    except OSError as error:
        refuse(f"{target} cannot be written: {error.strerror or error}. Nothing was left behind.")
        return
    size = target.stat().st_size
    lost = ""
    if copied.missing_files:
        lost = f" {len(copied.missing_files)} stored files are missing on this disk and are not in the backup."
    _say(
        _report(copied) | {"file": str(target), "bytes": size},
        f"{target}: {copied.rows} rows of {len(copied.tables)} tables and {copied.files} files, "
        f"{size / 1_000_000:.1f} MB, read back and compared.{lost}",
        as_json,
    )


@click.command("restore")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--verify", is_flag=True, help="Read everything back and compare counts and hashes before it is kept.")
@_json_flag
def restore(source: Path, verify: bool, as_json: bool) -> None:
    """Put a backup into an empty place: an empty database and an instance folder without stored files."""
    try:
        copied = restore_from(source, verify=verify)
    except BackupUnreadable as error:
        _misunderstood(str(error))
        return
    except CopyRefused as error:
        refuse(str(error))
        return
    except OSError as error:
        refuse(f"The backup was not restored: {error.strerror or error}. Nothing was kept.")
        return
    compared = " Counts and hashes of all of them agree." if verify else " They were not compared (--verify does)."
    mail = ""
    if copied.uncertain_messages:
        mail = f" {copied.uncertain_messages} messages were waiting then; they are marked uncertain and not sent."
    _say(
        _report(copied) | {"verified": verify, "uncertain_messages": copied.uncertain_messages},
        f"Restored the state of {copied.created_at}: {copied.rows} rows of {len(copied.tables)} tables and "
        f"{copied.files} files.{compared}{mail}",
        as_json,
    )


@click.command("transfer")
@click.argument("url")
@_json_flag
def transfer(url: str, as_json: bool) -> None:
    """Copy the database into an empty one (SQLite to PostgreSQL or back) and compare both; stop the product first."""
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    if not url.startswith(("postgresql+psycopg://", "sqlite:///")):
        _misunderstood("URL must begin with sqlite:/// or postgresql://.")
    try:
        copied = transfer_to(url)
    except CopyRefused as error:
        refuse(str(error))
        return
    _say(
        _report(copied) | {"verified": True},
        f"Transferred {copied.rows} rows of {len(copied.tables)} tables; counts and hashes of all of them agree. "
        "Set DATABASE_URL to the new address, then start the product; the stored files stay in the instance folder.",
        as_json,
    )


def _report(copied: Copied) -> dict[str, Any]:
    return {
        "schema": copied.schema,
        "product": copied.product,
        "created_at": copied.created_at or None,
        "rows": copied.rows,
        "tables": copied.tables,
        "files": copied.files,
        "file_bytes": copied.file_bytes,
        "missing_files": list(copied.missing_files),
    }


def _say(report: dict[str, Any], sentence: str, as_json: bool) -> None:
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else sentence)


def _misunderstood(sentence: str) -> None:
    click.echo(sentence, err=True)
    sys.exit(2)
