"""A whole installation for the browser: web, scheduler and worker of its own, a free port, an empty database."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from crm.config import ROOT

PASSWORD = "wuxi-measure-7"
PICTURES = ROOT / "docs" / "screenshots"


@dataclass(frozen=True)
class Stack:
    """A running installation."""

    address: str
    env: dict[str, str]
    folder: Path

    def flask(self, *arguments: str, given: str | None = None, accepted: tuple[int, ...] = (0,)) -> str:
        """Run one of the product's commands against this installation; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=ROOT,
            env=self.env,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode in accepted, done.stderr + done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    yield from run_stack(tmp_path_factory.mktemp("stack"), _two_people)


@pytest.fixture(scope="session")
def demo_stack(tmp_path_factory) -> Iterator[Stack]:
    """The demo county, for what shows only where there is much: every state, long lists, each tab filled."""
    yield from run_stack(tmp_path_factory.mktemp("demo"), lambda here: here.flask("demo", "--seed", "7"))


def _two_people(here: Stack) -> None:
    for login, name, role in (("tanyue", "谭越", "bureau"), ("xianghe", "向禾", "case_manager")):
        person = ("--name", name, "--role", role, "--email", f"{login}@example.org")
        here.flask("user", "add", login, *person, "--password-stdin", given=PASSWORD + "\n")


def run_stack(folder: Path, fill: Callable[[Stack], object]) -> Iterator[Stack]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "CRM_TEST_DAYS")},
        "INSTANCE_DIR": str(folder),
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "JOB_WORKERS": "1",
        "DEMO": "0",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests" / "another_day"))),
    }
    here = Stack(f"http://127.0.0.1:{port}", env, folder)
    here.flask("init")
    fill(here)
    log = (folder / "log").open("w")
    parent = subprocess.Popen(
        [sys.executable, "scripts/supervise.py"],
        cwd=ROOT,
        env=env,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait_for(here, parent, folder / "log")
        yield here
    finally:
        parent.send_signal(signal.SIGTERM)
        try:
            parent.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(parent.pid, signal.SIGKILL)
            parent.wait(5)
        log.close()


def _wait_for(here: Stack, parent: subprocess.Popen, log: Path) -> None:
    for _ in range(240):
        assert parent.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(here.address + "/healthz", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(log.read_text())


@pytest.fixture
def open_page(browser: Browser, stack: Stack):
    """Opens tabs that fail the test when the policy is broken, a script stumbles or something outside is asked for."""
    complaints: list[str] = []
    contexts = []

    def open_at(width: int = 1440, height: int = 900) -> Page:
        context = browser.new_context(
            base_url=stack.address,
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            accept_downloads=True,
            device_scale_factor=1,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: (
                complaints.append(line.text) if line.type == "error" or "Security Policy" in line.text else None
            ),
        )
        page.on(
            "request",
            lambda asked: (
                complaints.append(asked.url) if not asked.url.startswith((stack.address, "data:", "blob:")) else None
            ),
        )
        return page

    yield open_at
    for context in contexts:
        context.close()
    # A refusal, and a net that a test cut itself, are no faults of the page.
    expected = r"status of 4\d\d|net::ERR_(INTERNET_DISCONNECTED|FAILED)"
    assert [c for c in complaints if not re.search(expected, c)] == []


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    page.goto("/sign-in")
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def picture(page: Page, name: str) -> None:
    """A screenshot for the readme, taken only when asked for, so that a test run leaves the tree as it was."""
    if os.environ.get("CRM_PICTURES"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png")
