"""A file goes back to whoever sent it, with what is wrong written where it is wrong.

A child process does the work, as for reading: the bytes come from strangers, and a large workbook takes much memory.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from crm.sheets.prescan import prescan
from crm.sheets.reading import CHILD_MEMORY_MB, child_environment
from crm.sheets.refusals import SheetTooHeavy

# What opening a workbook for changing it may take; a larger one is written anew from its values.
OPENING_MEMORY_MB = 700
OPENING_SECONDS = 60
REBUILDING_SECONDS = 120

_REBUILT = "原来的文件不能直接写标注，这一份照它的表、行、列和值重做，格式没有带过来。"
_ROOT = Path(__file__).resolve().parents[2]
_CHILD = "crm.sheets.annotating_child"


@dataclass(frozen=True)
class CellMark:
    """What is said of one cell: ``look`` is a key of ``marks.TINTS``, ``text`` the comment; ``value`` replaces what
    stands there (None: it stays)."""

    sheet: str
    row: int
    letter: str
    look: str
    text: str
    value: str | None = None


@dataclass(frozen=True)
class Marks:
    """Everything to be said in a file. ``header_rows`` are the rows of the headings by sheet, ``reasons`` what the
    reason column says by (sheet, row). ``lines`` stand at the head of the summary, ``problems`` below as rows of
    (sheet, row, cell, column, value, message, severity in words).
    """

    header_rows: Mapping[str, int]
    cells: list[CellMark] = field(default_factory=list)
    reasons: dict[tuple[str, int], str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    problems: list[tuple[str, int, str, str, str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Returned:
    """The bytes of an .xlsx; ``rebuilt``: no longer the workbook that was sent, only its values in their places."""

    content: bytes
    rebuilt: bool


def marked(path: Path, *, name: str, marks: Marks) -> Returned:
    """The file with its marks: the very workbook where it can be opened for that, else an .xlsx of the same sheets,
    rows and columns. Raises SheetTooHeavy when neither can be made.
    """
    if prescan(path).kind == "xlsx":
        content = _run("mark", path, name, marks, memory_mb=OPENING_MEMORY_MB, seconds=OPENING_SECONDS)
        if content is not None:
            return Returned(content, rebuilt=False)
    anew = replace(marks, lines=[*marks.lines, _REBUILT])
    return Returned(_rebuilt(path, name, anew, None), rebuilt=True)


def failed_only(path: Path, *, name: str, marks: Marks, good: Mapping[str, Collection[int]]) -> Returned:
    """The file without its ``good`` rows (by sheet) and without the sheets that ``good`` does not name.

    Titles, headings and group rows stay, so that what is left reads as the whole did. Raises SheetTooHeavy.
    """
    return Returned(_rebuilt(path, name, marks, good), rebuilt=True)


def _rebuilt(path: Path, name: str, marks: Marks, good: Mapping[str, Collection[int]] | None) -> bytes:
    content = _run("rebuild", path, name, marks, good=good, memory_mb=CHILD_MEMORY_MB, seconds=REBUILDING_SECONDS)
    if content is None:
        raise SheetTooHeavy("这份文件太大或内容异常，标不上问题。下载问题清单，或拆成几份再传。")
    return content


def _run(
    mode: str,
    path: Path,
    name: str,
    marks: Marks,
    *,
    memory_mb: int,
    seconds: int,
    good: Mapping[str, Collection[int]] | None = None,
) -> bytes | None:
    """What the child made; None when it gave up or died."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "returned.xlsx"
        job: dict[str, Any] = asdict(marks)
        job["reasons"] = [[*place, text] for place, text in marks.reasons.items()]
        job |= {"name": name, "source": str(path.resolve()), "target": str(target)}
        job["good"] = None if good is None else {sheet: sorted(rows) for sheet, rows in good.items()}
        command = [sys.executable, "-m", _CHILD, mode, str(memory_mb), str(seconds)]
        try:
            ended = subprocess.run(
                command,
                cwd=_ROOT,
                env=child_environment(),
                input=json.dumps(job).encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        return target.read_bytes() if ended.returncode == 0 else None
