"""The shell scripts and the parent of all processes: started, restarted, stopped, and refused in one sentence."""

import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

ROOT = Path(__file__).parent.parent
SHELL = sorted(
    path
    for folder in ("scripts", ".ci")
    for path in (ROOT / folder).iterdir()
    if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash")
)

# A child with a helper of its own in the same group; both write down that they live.
CHILD = """
import os, pathlib, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with (folder / sys.argv[2]).open("a") as book:
    book.write(f"{os.getpid()} {helper.pid}\\n")
time.sleep(600)
"""

# A child that ignores TERM, as a program in the middle of something may.
STUBBORN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
(pathlib.Path(sys.argv[1]) / sys.argv[2]).write_text(f"{os.getpid()}\\n")
time.sleep(600)
"""

PARENT = """
import runpy, sys
parts = runpy.run_path({supervise!r})
commands = {{name: [sys.executable, {child!r}, {folder!r}, name] for name in ("web", "worker")}}
sys.exit(parts["Supervisor"](commands, first_wait=0.05, stop_seconds={stop_seconds}).run())
"""


class Running:
    """A supervisor in its own process, over dummy children that write their numbers down."""

    def __init__(self, folder: Path, child: str, stop_seconds: float) -> None:
        self.folder = folder
        (folder / "child.py").write_text(child, encoding="utf-8")
        (folder / "parent.py").write_text(
            PARENT.format(
                supervise=str(ROOT / "scripts" / "supervise.py"),
                child=str(folder / "child.py"),
                folder=str(folder),
                stop_seconds=stop_seconds,
            ),
            encoding="utf-8",
        )
        self.process = subprocess.Popen([sys.executable, str(folder / "parent.py")], stderr=subprocess.PIPE, text=True)

    def started(self, name: str) -> list[list[int]]:
        book = self.folder / name
        if not book.exists():
            return []
        lines = book.read_text(encoding="utf-8").splitlines(keepends=True)
        return [[int(n) for n in line.split()] for line in lines if line.endswith("\n")]

    def said(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this never became true"
        time.sleep(0.02)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def start(child: str = CHILD, stop_seconds: float = 10.0) -> Running:
        made.append(Running(tmp_path, child, stop_seconds))
        until(lambda: made[-1].started("web") and made[-1].started("worker"))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()
        if one.process.stderr:
            one.process.stderr.close()


def test_killed_child_is_started_again_and_its_helpers_do_not_linger(running: Callable[..., Running]) -> None:
    parent = running()
    pid, helper = parent.started("web")[0]

    os.kill(pid, signal.SIGKILL)
    until(lambda: len(parent.started("web")) == 2)

    until(lambda: not is_alive(helper))
    assert is_alive(parent.started("web")[1][0])
    assert len(parent.started("worker")) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "term"])
def test_one_signal_stops_every_child_with_what_it_started(running: Callable[..., Running], number: int) -> None:
    parent = running()
    everybody = [pid for name in ("web", "worker") for pid in parent.started(name)[0]]

    parent.process.send_signal(number)

    assert parent.process.wait(timeout=15) == 0
    until(lambda: [pid for pid in everybody if is_alive(pid)] == [])
    assert parent.said().splitlines() == ["Stopping …", "Stopped."]


def test_child_that_ignores_the_signal_is_killed_when_patience_ends(running: Callable[..., Running]) -> None:
    parent = running(STUBBORN, stop_seconds=0.3)
    pid = parent.started("web")[0][0]

    parent.process.terminate()

    assert parent.process.wait(timeout=15) == 0
    until(lambda: not is_alive(pid))


def test_children_do_not_outlive_a_parent_that_was_killed_outright(running: Callable[..., Running]) -> None:
    parent = running()
    pids = [parent.started(name)[0][0] for name in ("web", "worker")]

    parent.process.kill()

    until(lambda: [pid for pid in pids if is_alive(pid)] == [])


def test_restarts_wait_longer_each_time_and_at_most_half_a_minute() -> None:
    parts = runpy.run_path(str(ROOT / "scripts" / "supervise.py"))
    supervisor = parts["Supervisor"]({"web": [sys.executable, "-c", "raise SystemExit(3)"]}, first_wait=1.0)
    child = supervisor.children[0]
    waits = []

    for _ in range(7):
        child.start_at = 0.0
        supervisor._look_after_children()
        child.process.wait()
        supervisor._look_after_children()
        waits.append(child.wait)

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def supervise(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "supervise.py"), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_taken_port_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = supervise("--check-only", PORT=str(port), HOST="127.0.0.1", INSTANCE_DIR=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Port {port} is taken; stop the program that uses it, or choose another: PORT={port + 1} scripts/start"
    ]


@pytest.mark.parametrize(
    ("setting", "value"), [("PORT", "eighty"), ("WEB_WORKERS", "0"), ("HOST", "no.such.host.invalid")]
)
def test_wrong_setting_stops_the_start_with_one_sentence(tmp_path: Path, setting: str, value: str) -> None:
    done = supervise("--check-only", **{"INSTANCE_DIR": str(tmp_path), setting: value})

    assert (done.returncode, len(done.stderr.splitlines()), setting in done.stderr) == (1, 1, True)


def test_every_job_worker_is_a_process_of_its_own() -> None:
    parts = runpy.run_path(str(ROOT / "scripts" / "supervise.py"))

    commands = parts["commands_of"]("::1", 8000, 2, 3)

    assert list(commands) == ["web", "scheduler", "worker 1", "worker 2", "worker 3"]
    assert commands["web"][commands["web"].index("--bind") + 1] == "[::1]:8000"


@pytest.mark.parametrize("rows", ["enterprise", "user", None], ids=["an_enterprise", "a_user", "nothing"])
def test_demo_is_offered_only_where_nobody_has_worked_yet(tmp_path: Path, rows: str | None) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'crm.db'}")
    with engine.begin() as connection:
        for table in ("enterprise", "user"):
            connection.execute(text(f'create table "{table}" (id integer)'))
        if rows:
            connection.execute(text(f'insert into "{rows}" values (1)'))
    parts = runpy.run_path(str(ROOT / "scripts" / "first_run.py"))

    untouched = parts["is_untouched"](engine)

    engine.dispose()
    assert untouched is (rows is None)


@pytest.mark.parametrize("path", SHELL, ids=lambda path: path.name)
def test_shell_script_is_well_formed_runnable_and_says_what_it_does(path: Path) -> None:
    syntax = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True)
    lines = path.read_text(encoding="utf-8").splitlines()

    assert (syntax.returncode, syntax.stderr) == (0, "")
    assert os.access(path, os.X_OK)
    assert re.match(r"# [A-Z].*", lines[1])
    assert any(line.startswith("set -") and "u" in line and "pipefail" in line for line in lines)


def test_measuring_finds_every_part_of_the_product_that_it_uses() -> None:
    """Its modules stand outside the product, so nothing else notices when what they import is gone."""
    asked = [sys.executable, str(ROOT / "scripts" / "bench.py"), "--help"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert "--only" in done.stdout


@pytest.mark.parametrize("name", ["setup", "assets"])
def test_second_call_does_nothing_and_is_quick(name: str) -> None:
    began = time.monotonic()
    done = subprocess.run([str(ROOT / "scripts" / name)], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - began < 5


def test_lock_file_records_versions_and_hashes_but_no_address() -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")

    assert '"integrity"' in lock
    assert re.findall(r'"resolved"|https?://[^"]*\.tgz', lock) == []


def test_served_front_end_files_are_there_with_their_compressed_twin_and_licence() -> None:
    vendor = ROOT / "crm" / "static" / "vendor"
    served = sorted(path.name for path in vendor.iterdir() if path.suffix in {".css", ".js"})
    licences = (vendor / "licences.txt").read_text(encoding="utf-8")

    assert served == ["htmx.min.js", "tabler.min.css"]
    assert [name for name in served if not (vendor / f"{name}.gz").exists() or f"== {name}:" not in licences] == []
