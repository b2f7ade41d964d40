"""The bytes behind stored files: content-addressed, typed by what they are, checked for orphans."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from flask import current_app
from sqlalchemy import func, select

from crm.domain.media_types import (
    CSV,
    DOC,
    DOCX,
    HEIC,
    HTML,
    JPEG,
    MACROS,
    OFD,
    OLE,
    PDF,
    PNG,
    PROGRAM,
    SVG,
    TEXT,
    UNKNOWN,
    WEBP,
    XLS,
    XLSX,
    ZIP,
)
from crm.extensions import db
from crm.store.changes import ChangeSet
from crm.store.files import StoredFile

_PORTION = 1 << 20

# Bytes are kept before their row is: an upload that is still going on is no orphan.
UPLOAD_TAKES = timedelta(days=1)
_INCOMING = "incoming-"


class FileLost(Exception):
    """A stored file whose bytes are not on this machine's disk any more."""


@dataclass(frozen=True)
class Kept:
    """Bytes that lie in the store: their hash, their size and the media type sniffed from them."""

    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Check:
    """What does not fit together: ids of rows whose bytes are missing or differ, and what lies on disk without a row.

    ``orphans`` and ``leftovers`` (of uploads cut short) have lain there for longer than an upload takes, and the
    nightly prune takes them away. ``strangers`` are older than the database itself: a person must judge them.
    """

    missing: tuple[int, ...] = ()
    damaged: tuple[int, ...] = ()
    orphans: tuple[Path, ...] = ()
    leftovers: tuple[Path, ...] = ()
    strangers: tuple[Path, ...] = ()


def folder() -> Path:
    """Where the bytes lie; made when first asked for."""
    place = Path(current_app.config["SETTINGS"].instance_dir) / "files"
    place.mkdir(parents=True, exist_ok=True)
    return place


def path_of(sha256: str) -> Path:
    """The place of these bytes, whether they are there or not."""
    return folder() / sha256[:2] / sha256


def keep(content: bytes | IO[bytes]) -> Kept:
    """Put bytes into the store, outside any transaction: written beside their place, then moved there whole.

    The same bytes are kept once. Raises OSError when the disk is full; nothing is left behind then.
    """
    digest = hashlib.sha256()
    size = 0
    head = b""
    handle, temporary = tempfile.mkstemp(dir=folder(), prefix=_INCOMING)
    try:
        with os.fdopen(handle, "wb") as file:
            for portion in _portions(content):
                head = head or portion[:4096]
                digest.update(portion)
                size += len(portion)
                file.write(portion)
            file.flush()
            os.fsync(file.fileno())
        place = path_of(digest.hexdigest())
        place.parent.mkdir(exist_ok=True)
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return Kept(digest.hexdigest(), size, sniffed(head, place))


def _portions(content: bytes | IO[bytes]) -> Iterable[bytes]:
    if isinstance(content, bytes):
        return (content,)
    return iter(lambda: content.read(_PORTION), b"")


def record(
    kept: Kept,
    *,
    name: str,
    purpose: str,
    at: datetime,
    region_id: int | None = None,
    owner_id: int | None = None,
    enterprise_id: int | None = None,
) -> StoredFile:
    """The row of a stored file, added inside the open unit of work. ``purpose``: import, export, template, evidence,
    attachment.
    """
    stored = StoredFile(
        sha256=kept.sha256,
        name=safe_name(name),
        size=kept.size,
        media_type=kept.media_type,
        purpose=purpose,
        region_id=region_id,
        enterprise_id=enterprise_id,
        owner_id=owner_id,
        created_at=at,
    )
    db.session.add(stored)
    db.session.flush()
    return stored


def safe_name(name: str) -> str:
    """The last part of a file's name without control characters, short enough for its column, its ending kept."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(character for character in last if character.isprintable()).strip() or "文件"
    if len(plain) <= 200:
        return plain
    stem, dot, ending = plain.rpartition(".")
    return f"{stem[: 199 - len(ending)]}{dot}{ending}" if dot and len(ending) <= 8 else plain[:200]


def bytes_of(stored: StoredFile) -> Path:
    """The path of a stored file's bytes; raises FileLost."""
    place = path_of(stored.sha256)
    if not place.is_file():
        raise FileLost(stored.name)
    return place


# Media types by the bytes a file begins with; a zip is looked into, because every office file is one.
_MAGIC = (
    (b"%PDF-", PDF),
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    # Windows, Linux, macOS and Java programs, and scripts that name their interpreter.
    (b"MZ", PROGRAM),
    (b"\x7fELF", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"\xca\xfe\xba\xbe", PROGRAM),
    (b"#!", PROGRAM),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_MARKUP = (b"<!doctype html", b"<html", b"<script", b"<body", b"<iframe")


def sniffed(head: bytes, path: Path) -> str:
    """The media type of a file by its bytes; what is none of the kinds we handle is only ever offered as a download."""
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if head.startswith(_OLE):
        return _kind_of_ole(path)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return HEIC
    if not head or b"\x00" in head:
        return UNKNOWN
    return _kind_of_text(head)


def _kind_of_text(head: bytes) -> str:
    small = head.lower()
    if b"<svg" in small:
        return SVG
    if any(mark in small for mark in _MARKUP):
        return HTML
    return CSV if any(mark in head for mark in (b",", b"\t", b";")) else TEXT


def _kind_of_zip(path: Path) -> str:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist()[:2000])
    except (zipfile.BadZipFile, OSError, ValueError):
        return UNKNOWN
    if any(name.endswith("/vbaProject.bin") for name in names):
        return MACROS
    if "xl/workbook.xml" in names:
        return XLSX
    if "word/document.xml" in names:
        return DOCX
    if "OFD.xml" in names:
        return OFD
    return ZIP


# Names of the streams in old Office files, as their directory spells them (UTF-16); an installer is such a file too.
_OLE_STREAMS = (("WordDocument", DOC), ("Workbook", XLS), ("Book", XLS))


def _kind_of_ole(path: Path) -> str:
    content = path.read_bytes()
    for name, media_type in _OLE_STREAMS:
        if name.encode("utf-16-le") + b"\x00\x00" in content:
            return media_type
    return OLE


def check_files(*, now: datetime, contents: bool = False) -> Check:
    """Compare the disk with the rows; with ``contents`` every file is read and its hash compared."""
    # The disk first: bytes that come in between are too young to count, rows that come in between are not missing.
    on_disk = {place.name: place for place in folder().glob("??/*") if place.is_file()}
    rows = db.session.execute(select(StoredFile.id, StoredFile.sha256)).all()
    known = {sha256 for _, sha256 in rows}
    missing = tuple(file_id for file_id, sha256 in rows if sha256 not in on_disk and not path_of(sha256).is_file())
    damaged: tuple[int, ...] = ()
    if contents:
        broken = {sha256 for sha256 in known & on_disk.keys() if _hash_of(path_of(sha256)) != sha256}
        damaged = tuple(file_id for file_id, sha256 in rows if sha256 in broken)
    first, last = _first_moment(), (now - UPLOAD_TAKES).timestamp()
    stray = [(place, _came_at(place)) for sha256, place in sorted(on_disk.items()) if sha256 not in known]
    return Check(
        missing,
        damaged,
        orphans=tuple(place for place, at in stray if first <= at < last),
        leftovers=tuple(place for place in sorted(folder().glob(f"{_INCOMING}*")) if _came_at(place) < last),
        strangers=tuple(place for place, at in stray if at < first),
    )


def _first_moment() -> float:
    """When this database began. Bytes from before are of another one: under a mistyped address all would be orphans."""
    first = db.session.scalar(select(func.min(ChangeSet.recorded_at)))
    return first.timestamp() if first is not None else float("inf")


def _came_at(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except FileNotFoundError:
        # Gone meanwhile, as a finished upload is: as young as can be.
        return float("inf")


def sweep(*, now: datetime) -> int:
    """Take away orphans and leftovers older than a day; returns how many. Strangers stay."""
    found = check_files(now=now)
    swept = 0
    for place in (*found.orphans, *found.leftovers):
        aside = folder() / f"{_INCOMING}swept-{place.name}"
        try:
            place.rename(aside)
            if _came_at(aside) >= (now - UPLOAD_TAKES).timestamp():
                # Somebody uploaded the same bytes in this very moment.
                aside.rename(place)
                continue
            aside.unlink()
            swept += 1
            if place.parent != folder():
                place.parent.rmdir()
        except OSError:
            # A folder that holds other files stays; whatever else was in the way is tried again tomorrow.
            continue
    return swept


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
