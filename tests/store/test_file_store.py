"""What lies on disk without a record goes after a day; whatever may still be wanted stays."""

import os
from datetime import timedelta

import pytest

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
