"""What lies on disk without a record goes after a day; whatever may still be wanted stays."""

import io
import os
import zipfile
from datetime import timedelta

import pytest

from crm.domain import media_types
from crm.store import file_store
from crm.store.unit_of_work import unit_of_work
from tests.builders import NOW

LATER = NOW + timedelta(days=3)


def lay(name: str, at) -> None:
    """Give the bytes of a name, or the whole name in the folder, a moment at which they came."""
    place = file_store.path_of(name) if len(name) == 64 else file_store.folder() / name
    os.utime(place, (at.timestamp(), at.timestamp()))


@pytest.fixture
def orphan(app) -> str:
    """Bytes without a record that came two days before LATER."""
    kept = file_store.keep(b"refused")
    lay(kept.sha256, LATER - timedelta(days=2))
    return kept.sha256


def on_disk() -> list[str]:
    return sorted(place.name for place in file_store.folder().rglob("*") if place.is_file())


def test_bytes_without_a_record_and_half_written_ones_go_after_a_day(orphan):
    (file_store.folder() / "incoming-half").write_bytes(b"half")
    lay("incoming-half", LATER - timedelta(days=2))

    swept = file_store.sweep(now=LATER)

    assert (swept, list(file_store.folder().iterdir())) == (2, [])


def test_bytes_with_a_record_stay_however_old(orphan):
    with unit_of_work():
        file_store.record(file_store.keep(b"refused"), name="a.csv", purpose="import", at=NOW)
    lay(orphan, LATER - timedelta(days=2))

    assert (file_store.sweep(now=LATER), on_disk()) == (0, [orphan])


def test_an_upload_that_is_going_on_stays(app):
    kept = file_store.keep(b"just come")
    (file_store.folder() / "incoming-half").write_bytes(b"half")
    for name in (kept.sha256, "incoming-half"):
        lay(name, LATER - timedelta(hours=23))

    assert (file_store.sweep(now=LATER), on_disk()) == (0, sorted([kept.sha256, "incoming-half"]))


def test_bytes_older_than_the_database_are_left_to_a_person(app):
    """Under a mistyped DATABASE_URL every file would look like an orphan."""
    kept = file_store.keep(b"of another database")
    lay(kept.sha256, NOW - timedelta(days=1))

    assert (file_store.sweep(now=LATER), on_disk()) == (0, [kept.sha256])


def test_bytes_uploaded_again_while_the_old_ones_are_swept_stay(orphan, monkeypatch):
    real = file_store.check_files

    def meanwhile(**asked):
        found = real(**asked)
        file_store.keep(b"refused")
        lay(orphan, LATER)
        return found

    monkeypatch.setattr(file_store, "check_files", meanwhile)

    assert (file_store.sweep(now=LATER), on_disk()) == (0, [orphan])


def test_the_same_bytes_are_young_again_when_they_come_again(orphan):
    before = file_store.path_of(orphan).stat().st_mtime_ns

    file_store.keep(b"refused")

    assert file_store.path_of(orphan).stat().st_mtime_ns != before


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


def ole(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504 + stream.encode("utf-16-le") + b"\x00" * 64


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7\n", media_types.PDF),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", media_types.WEBP),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", media_types.HEIC),
        (zipped("OFD.xml", "Doc_0/Document.xml"), media_types.OFD),
        (zipped("word/document.xml"), media_types.DOCX),
        (zipped("word/document.xml", "word/vbaProject.bin"), media_types.MACROS),
        (zipped("xl/workbook.xml"), media_types.XLSX),
        (zipped("META-INF/MANIFEST.MF", "Main.class"), media_types.ZIP),
        (ole("WordDocument"), media_types.DOC),
        (ole("Workbook"), media_types.XLS),
        (ole("Property"), media_types.OLE),
        (b"MZ\x90\x00\x03", media_types.PROGRAM),
        (b"#!/bin/sh\nrm -rf .\n", media_types.PROGRAM),
        ('\ufeff<?xml version="1.0"?><SVG onload="x">'.encode(), media_types.SVG),
        (b"  <HTML><body>", media_types.HTML),
        ("企业名称,乡镇\n青禾,凤凰镇\n".encode(), media_types.CSV),
        ("说明一行".encode(), media_types.TEXT),
        (b"\x00\x01\x02\x03", media_types.UNKNOWN),
    ],
)
def test_a_file_is_told_by_its_bytes(sqlite_app, content, media_type):
    assert file_store.keep(content).media_type == media_type
