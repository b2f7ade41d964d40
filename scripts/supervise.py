"""Keeps web, scheduler and workers running under one parent: restarts a dead one, stops all of them together.

Run by scripts/start, first with --check-only: are the settings right, is the port free, does the database answer?
Each child leads a process group of its own, so that what it started itself goes with it.
"""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
# A child that ran this long was healthy: its next restart is quick again.
HEALTHY_SECONDS = 60.0
LONGEST_WAIT = 30.0
# gunicorn lets requests end for ten seconds, a worker finishes the rows it holds.
STOP_SECONDS = 20.0
# Linux's PR_SET_PDEATHSIG: children do not outlive a parent that was killed outright.
PARENT_DEATH_SIGNAL = 1


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass
class Child:
    """One command that must always be running."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    wait: float = field(default=0.0)


class Supervisor:
    """Starts the children, starts a dead one again after 1, 2, 4 … 30 seconds, and stops all on a signal."""

    def __init__(
        self,
        commands: dict[str, list[str]],
        *,
        first_wait: float = 1.0,
        stop_seconds: float = STOP_SECONDS,
        ready: Callable[[], bool] = lambda: True,
        greeting: str = "",
    ) -> None:
        self.children = [Child(name, command) for name, command in commands.items()]
        self.first_wait = first_wait
        self.stop_seconds = stop_seconds
        self.ready = ready
        self.greeting = greeting
        self.asked_to_stop = 0
        self.woken = threading.Event()

    def run(self) -> int:
        """Work until a signal asks to stop; returns the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda number, frame: self.woken.set())
        while not self.asked_to_stop:
            self._look_after_children()
            self._greet()
            self.woken.wait(0.5 if self.greeting else 5.0 if self._all_running() else 0.2)
            self.woken.clear()
        self._stop_all()
        return 0

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.asked_to_stop += 1
        self.woken.set()

    def _all_running(self) -> bool:
        return all(child.process is not None for child in self.children)

    def _greet(self) -> None:
        if self.greeting and self._all_running() and self.ready():
            say(self.greeting)
            self.greeting = ""

    def _look_after_children(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.start_at:
                    self._start(child)
                continue
            code = child.process.poll()
            if code is None:
                continue
            # What the dead one started must not keep its port or its work.
            signal_group(child.process.pid, signal.SIGKILL)
            child.process = None
            healthy = now - child.started_at >= HEALTHY_SECONDS
            child.wait = self.first_wait if healthy or not child.wait else min(child.wait * 2, LONGEST_WAIT)
            child.start_at = now + child.wait
            say(f"{child.name} stopped ({how_it_ended(code)}); starting it again in {child.wait:g} s.")

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        try:
            child.process = subprocess.Popen(
                child.command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_parent
            )
        except OSError as error:
            child.wait = min(max(child.wait * 2, self.first_wait), LONGEST_WAIT)
            child.start_at = child.started_at + child.wait
            say(f"{child.name} cannot be started ({error.strerror}); trying again in {child.wait:g} s.")

    def _stop_all(self) -> None:
        """TERM to every group, patience, then KILL; a second signal cuts the patience short."""
        say("Stopping …")
        running = [child for child in self.children if child.process is not None]
        for child in running:
            signal_group(child.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + self.stop_seconds
        while time.monotonic() < deadline and self.asked_to_stop < 2:
            if all(child.process.poll() is not None for child in running):
                break
            time.sleep(0.05)
        for child in running:
            signal_group(child.process.pid, signal.SIGKILL)
            child.process.wait()
        say("Stopped.")


def _die_with_parent() -> None:
    """In the child, before its program: a signal when the parent dies, and no inherited mask."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


def signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return


def how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def why_not_listen(host: str, port: int) -> str | None:
    """One sentence when this address cannot be served, else None."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError:
        return f"HOST {host} is no address of this machine; 127.0.0.1 serves this machine alone, 0.0.0.0 all networks."
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                way_out = f"stop the program that uses it, or choose another: PORT={port + 1} scripts/start"
                return f"Port {port} is taken; {way_out}"
            if error.errno == errno.EACCES:
                return f"Port {port} needs the rights of root; choose one above 1023: PORT=8000 scripts/start"
            return f"{host}:{port} cannot be served: {error.strerror}."
    return None


def answers(host: str, port: int) -> bool:
    """Whether somebody listens there already."""
    try:
        with socket.create_connection(("127.0.0.1" if host in ("0.0.0.0", "") else host, port), timeout=1):
            return True
    except OSError:
        return False


def commands_of(host: str, port: int, web_workers: int, job_workers: int) -> dict[str, list[str]]:
    """The processes of one machine; more machines run `flask --app wsgi worker` by themselves."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    web = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "scripts" / "gunicorn_hooks.py"), "--bind", bind]
    web += ["--workers", str(web_workers), "wsgi:app"]
    workers = {f"worker {number}": [*flask, "worker"] for number in range(1, job_workers + 1)}
    return {"web": web, "scheduler": [*flask, "scheduler"], **workers}


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from crm.config import SettingsError, load_settings
    from crm.store.reachable import why_unreachable

    try:
        settings = load_settings()
    except SettingsError as error:
        say(str(error))
        return 1
    if reason := why_not_listen(settings.host, settings.port):
        say(reason)
        return 1
    if "--check-only" in sys.argv[1:]:
        if sentence := why_unreachable(settings.database_url):
            say(sentence)
            return 1
        return 0
    shown = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host
    supervisor = Supervisor(
        commands_of(settings.host, settings.port, settings.web_workers, settings.job_workers),
        ready=lambda: answers(settings.host, settings.port),
        greeting=f"Serving http://{shown}:{settings.port} (Ctrl-C stops everything).",
    )
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
