"""What a measurement is written as: one line each, in tables, on the page docs/performance.md."""

import gc
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

START, END = "<!-- measured -->", "<!-- /measured -->"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


@dataclass(frozen=True)
class Line:
    """One row of the table. ``goal`` in the unit of ``value``; None where there is none."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "ok" if self.value <= self.goal else "missed"


@dataclass
class Table:
    title: str
    lines: list[Line]


def timed(deed: Callable[[], Any]) -> float:
    gc.collect()
    started = time.perf_counter()
    deed()
    return time.perf_counter() - started


def written(tables: list[Table], command: str) -> str:
    now = datetime.now().astimezone()
    load = os.getloadavg()[0]
    lines = [
        f"Measured on {now:%Y-%m-%d} on a machine with {os.cpu_count()} cores, {memory_gb():.0f} GB, "
        f"{platform.machine()}, Python {platform.python_version()}, with `{command}`; load average {load:.1f}.",
        "",
    ]
    for table in tables:
        lines += [f"### {table.title}", "", "| what | measured | goal | | |", "|---|---:|---:|---|---|"]
        for line in table.lines:
            digits = 0 if line.unit == "MB" else 1 if line.unit == "ms" or line.value >= 10 else 2
            goal = f"{line.goal:g} {line.unit}" if line.goal is not None else ""
            lines.append(
                f"| {line.what} | {line.value:.{digits}f} {line.unit} | {goal} | {line.verdict} | {line.note} |"
            )
        lines.append("")
    return "\n".join(lines)


def memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def put_into_page(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")
