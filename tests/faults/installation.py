"""The whole product as real processes under its own parent, with a short lease, and a person who uses it over HTTP."""

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path

from crm.extensions import db
from tests.builders import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 1.5
# The application as it is; only a dead worker is noticed sooner.
WSGI = f"""
from crm.app import create_app

app = create_app(JOB_LEASE_SECONDS={LEASE_SECONDS})
"""
# The product's own parent and commands, run where the module above is found first; restarts do not slow down.
PARENT = f"""
import sys
from pathlib import Path

sys.path.insert(0, {str(ROOT / "scripts")!r})
import supervise

commands = supervise.commands_of("127.0.0.1", int(sys.argv[1]), 2, int(sys.argv[3]))
supervise.ROOT = Path(sys.argv[2])
supervise.HEALTHY_SECONDS = 0.0
sys.exit(supervise.Supervisor(commands, first_wait=0.1).run())
"""


class Installation:
    """Web, scheduler and worker in an instance folder of the test; each can be killed and comes back."""

    def __init__(self, settings, *, workers: int = 1) -> None:
        self.folder = Path(settings.instance_dir)
        self.workers = workers
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / "log"
        (self.folder / "wsgi.py").write_text(WSGI)
        (self.folder / "parent.py").write_text(PARENT)
        kept = ("PATH", "HOME", "LANG", "CRM_TEST_DAYS")
        env = {name: value for name, value in os.environ.items() if name in kept} | {
            "INSTANCE_DIR": str(self.folder),
            "DATABASE_URL": settings.database_url,
            "SECRET_KEY": "t" * 48,
            "PORT": str(self.port),
            "DEMO": "0",
            "PYTHONPATH": f"{self.folder}:{ROOT}:{ROOT}/tests/another_day",
        }
        with self.log.open("w") as log:
            self.parent = subprocess.Popen(
                [sys.executable, str(self.folder / "parent.py"), str(self.port), str(self.folder), str(workers)],
                cwd=self.folder,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        until(lambda: self._answers() and len(self.children()) == 3, "the start of the installation")

    def _answers(self) -> bool:
        assert self.parent.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(self.address + "/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def children(self) -> dict[str, int]:
        """{web, scheduler, worker: process id} of the children that run now."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                words = (entry / "cmdline").read_bytes().decode().split("\0")
            except (OSError, ValueError):
                continue
            if parent == self.parent.pid:
                name = "web" if "gunicorn" in words else next((w for w in ("scheduler", "worker") if w in words), None)
                if name is not None:
                    found[name] = int(entry.name)
        return found

    def kill(self, name: str) -> int:
        """kill -9 one of the children; returns its process id, which the next one will not have."""
        process = self.children()[name]
        os.kill(process, signal.SIGKILL)
        return process

    def wait_for_another(self, name: str, than: int) -> None:
        """The parent has started the killed one again."""
        until(lambda: self.children().get(name, than) != than, f"another {name}")
        if name == "web":
            until(self._answers, "the web's answer")

    def stop(self) -> None:
        self.parent.send_signal(signal.SIGTERM)
        try:
            self.parent.wait(30)
        except subprocess.TimeoutExpired:
            for process in self.children().values():
                os.killpg(process, signal.SIGKILL)
            self.parent.kill()
            self.parent.wait(5)


class Person:
    """Somebody at a browser: signs in, sends forms with their token, follows where the product leads."""

    def __init__(self, address: str, login: str) -> None:
        self.address = address
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        _, _, page = self.send("/sign-in", {"login": login, "password": PASSWORD}, token_from="/sign-in")
        assert 'name="password"' not in page, page

    def get(self, path: str) -> tuple[int, str, str]:
        """(status, path it led to, page)"""
        return self._open(urllib.request.Request(self.address + path))

    def send(self, path: str, fields: dict[str, str], *, token_from: str = "/account") -> tuple[int, str, str]:
        return self.post(path, {**fields, "csrf_token": self.token(token_from)})

    def post(self, path: str, fields: dict[str, str]) -> tuple[int, str, str]:
        """Send these fields and nothing else."""
        return self._open(urllib.request.Request(self.address + path, urllib.parse.urlencode(fields).encode()))

    def upload(self, content: bytes, name: str = "ledger.xlsx") -> int:
        """Bring a file in; returns the id of its batch."""
        mark = uuid.uuid4().hex
        token = self.token("/imports")
        body = (
            f'--{mark}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        ).encode()
        body += content + f"\r\n--{mark}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        status, path, page = self._open(urllib.request.Request(self.address + "/imports", body, headers))
        assert status == 200, page
        return int(path.rsplit("/", 1)[1])

    def token(self, path: str) -> str:
        page = self.get(path)[2]
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        return (found or re.search(r'name="csrf-token" content="([^"]+)"', page)).group(1)

    def _open(self, asked: urllib.request.Request) -> tuple[int, str, str]:
        try:
            with self.opener.open(asked, timeout=60) as answer:
                return answer.status, urllib.parse.urlsplit(answer.url).path, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, urllib.parse.urlsplit(error.url).path, error.read().decode()


def until(true: Callable[[], object], what: str, seconds: float = 90, pause: float = 0.03) -> None:
    """Wait for something that other processes do."""
    deadline = time.monotonic() + seconds
    while not true():
        db.session.rollback()
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(pause)
    db.session.rollback()
