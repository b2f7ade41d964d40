"""The whole installation as people start it: seconds to the first page, and the memory of all processes at rest."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_table import Line
from bench_world import bench_dir

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(folder: Path, database_url: str = "") -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """scripts/start on an instance folder: its process, its address, and the seconds until the first page."""
    port = free_port()
    environment = {**os.environ, "INSTANCE_DIR": str(folder), "PORT": str(port), "HOST": "127.0.0.1"}
    for name in ("DATABASE_URL", "SMTP_URL"):
        environment.pop(name, None)
    if database_url:
        environment["DATABASE_URL"] = database_url
    started = time.perf_counter()
    process = subprocess.Popen([str(ROOT / "scripts" / "start")], env=environment, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        seconds = _first_page(process, address, started)
        yield process, address, seconds
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()


def _first_page(process: subprocess.Popen[bytes], address: str, started: float) -> float:
    while time.perf_counter() - started < 300:
        if process.poll() is not None:
            raise SystemExit(f"scripts/start ended with {process.returncode}.")
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=5) as answer:
                if answer.status == 200:
                    return time.perf_counter() - started
        except OSError:
            time.sleep(0.1)
    raise SystemExit("scripts/start did not serve a page within five minutes.")


def starting() -> list[Line]:
    import shutil

    folder = bench_dir() / "fresh"
    shutil.rmtree(folder, ignore_errors=True)
    with served(folder) as (process, _, seconds):
        time.sleep(20)
        megabytes, count = memory_of(process.pid)
    shutil.rmtree(folder, ignore_errors=True)
    return [
        Line("fresh start to the first page (packages there, demo county built)", seconds, "s", 90),
        Line("memory of all processes at rest, PSS", megabytes, "MB", 350, f"{count} processes, demo county"),
    ]


def remembering(size: int, database_url: str = "") -> list[Line]:
    """Memory at rest on the large world, after each web worker has shown some pages; a server of its own apart."""
    folder = bench_dir() / f"{'postgresql' if database_url else 'sqlite'}-{size}"
    folder.mkdir(parents=True, exist_ok=True)
    with served(folder, database_url) as (process, address, _):
        for _ in range(20):
            with urllib.request.urlopen(f"{address}/sign-in", timeout=30) as answer:
                answer.read()
        time.sleep(20)
        megabytes, count = memory_of(process.pid)
    return [
        Line(f"memory of all processes at rest, {size:,} enterprises, PSS", megabytes, "MB", 350, f"{count} processes")
    ]


def memory_of(root: int) -> tuple[float, int]:
    """The proportional set size of a process and everything under it, in MB, and how many processes that are."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
    tree, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree |= more
        grown = bool(more)
    total = 0
    for pid in tree:
        try:
            for line in (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total / 1024, len(tree)
