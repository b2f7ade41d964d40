"""Bytes to raw rows: a file is read in a child process with limits, so that a hostile one harms nothing here."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from threading import Timer
from typing import IO, Any

from crm.sheets.prescan import prescan
from crm.sheets.refusals import BY_CODE, SheetRefused, SheetTooHeavy

# Address space of the child: the largest file the prescan lets through needs about 700 MB.
CHILD_MEMORY_MB = 1200
# 100,000 rows of 30 columns take about 6 s; a child that needs this long will not finish.
CHILD_SECONDS = 60

_ROOT = Path(__file__).resolve().parents[2]
_CHILD = "crm.sheets.child"
_TOO_HEAVY = "这份文件读了一半读不下去，展开后太大或内容异常，没有读入。另存为新的 .xlsx，或拆成几份再传。"

Progress = Callable[[int], None]


@dataclass(frozen=True)
class SheetData:
    """One sheet as it came: cells are str, float, bool, date, datetime or "" (empty), every row equally wide.

    ``rows[0]`` is row ``first_row`` of the sheet and column A. ``merged`` holds merged areas as
    (top, left, bottom, right) indexes into ``rows``; what a merged cell says has been carried down, not to the right.
    """

    name: str
    hidden: bool
    rows: list[list[Any]]
    first_row: int = 1
    merged: tuple[tuple[int, int, int, int], ...] = field(default=())
    notes: tuple[str, ...] = ()

    def row_number(self, index: int) -> int:
        """The number at the left edge of the sheet for ``rows[index]``."""
        return self.first_row + index


def read_sheets(
    path: Path, *, name: str | None = None, progress: Progress | None = None, seconds: float = CHILD_SECONDS
) -> list[SheetData]:
    """All sheets of an .xlsx, .xls or .csv file and the tables of a .docx, judged by its bytes.

    A .csv and the only table of a .docx are one sheet called after ``name``.

    ``progress`` is told the number of rows read so far. Raises a SheetRefused for whatever cannot be read: the file
    is measured first (see prescan), then parsed by a child process limited to 1.2 GB and ``seconds``.
    """
    path = Path(path).resolve()
    facts = prescan(path)
    title = Path(name or path.name).stem or "表格"
    limits = (str(CHILD_MEMORY_MB), str(int(seconds) + 1))
    command = [sys.executable, "-m", _CHILD, facts.kind, str(path), *limits]
    with subprocess.Popen(
        command, cwd=_ROOT, env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        watch = Timer(seconds, child.kill)
        watch.start()
        try:
            assert child.stdout is not None
            sheets, refusal, finished = _collect(child.stdout, title, facts.notes, progress)
        finally:
            watch.cancel()
            child.kill()
    if refusal is not None:
        raise refusal
    if not finished:
        raise SheetTooHeavy(_TOO_HEAVY)
    return sheets


def child_environment() -> dict[str, str]:
    """What a child that parses what strangers wrote knows of our environment: none of its secrets."""
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}


def _collect(
    stream: IO[bytes], title: str, notes: tuple[str, ...], progress: Progress | None
) -> tuple[list[SheetData], SheetRefused | None, bool]:
    """The child's lines: a sheet's head, its rows in portions, then "end"; or a refusal. Else it was cut short."""
    sheets: list[SheetData] = []
    seen = 0
    for line in stream:
        try:
            message = json.loads(line, object_hook=_value)
        except ValueError:
            return sheets, None, False
        kind, content = message
        if kind == "refused":
            return sheets, BY_CODE.get(content[0], SheetRefused)(content[1]), False
        if kind == "end":
            return sheets, None, True
        if kind == "sheet":
            merged = tuple((area[0], area[1], area[2], area[3]) for area in content["merged"])
            sheets.append(SheetData(content["name"] or title, content["hidden"], [], 1, merged, notes))
            continue
        sheets[-1].rows.extend(content)
        seen += len(content)
        if progress is not None:
            progress(seen)
    return sheets, None, False


def _value(tagged: dict[str, Any]) -> Any:
    if len(tagged) != 1:
        return tagged
    if "d" in tagged:
        return date.fromisoformat(tagged["d"])
    return datetime.fromisoformat(tagged["t"]) if "t" in tagged else tagged
