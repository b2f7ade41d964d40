"""A new workbook: whole in its place when it is finished, or not there at all."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

Target = Path | str | IO[bytes]


@contextmanager
def new_workbook(target: Target, options: Mapping[str, Any]) -> Iterator[Any]:
    """A new workbook, whole when the block ends or not there at all. Raises OSError where it cannot be written.

    A file is opened before its rows are rendered: the library would do so at the end, and leave its own files behind.
    """
    if isinstance(target, (str, Path)):
        with _whole_or_not_at_all(Path(target)) as file, new_workbook(file, options) as book:
            yield book
        return
    try:
        with xlsxwriter.Workbook(target, options) as book:
            yield book
    except FileCreateError as error:
        reason = error.args[0] if error.args else None
        raise reason if isinstance(reason, OSError) else OSError(str(error)) from error


@contextmanager
def _whole_or_not_at_all(place: Path) -> Iterator[IO[bytes]]:
    """A file written beside its place and moved there; what is no ordinary file (/dev/stdout) is written as it is."""
    place = place.resolve()
    if place.exists() and not place.is_file():
        with place.open("wb") as file:
            yield file
        return
    half = place.with_name(f".{place.name}.part")
    with half.open("wb") as file:
        try:
            yield file
        except BaseException:
            half.unlink()
            raise
    half.replace(place)
