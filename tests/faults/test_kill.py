"""kill -9 of real processes in the middle of their work: everything is done once, or named as uncertain."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from crm.actions.jobs import ask_for
from crm.extensions import carrier, db
from crm.jobs.digests import queue_digests
from crm.store.jobs import Heartbeat, Job, JobClaim
from crm.store.messages import Message
from crm.store.unit_of_work import unit_of_work
from tests.builders import NOW, TODAY, act, make_user
from tests.conftest import build, fresh_settings
from tests.mail.server import Server, Silent

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 1.5
# The application as it is, with a short lease and one kind of work that waits until the test lets it go on.
WSGI = f"""
import time
from pathlib import Path

from crm.app import create_app
from crm.jobs.registry import work

app = create_app(JOB_LEASE_SECONDS={LEASE_SECONDS})


@work("slow")
def slow(progress, payload):
    folder = Path(payload["folder"])
    with (folder / "begun").open("a") as begun:
        begun.write("x")
    while not (folder / "go").exists():
        time.sleep(0.05)
    with (folder / "done").open("a") as done:
        done.write("x")
    return {{"rows": 1}}
"""


class Processes:
    """Commands of the product as processes of their own, in an instance folder of the test."""

    def __init__(self, folder: Path, settings) -> None:
        self.folder = folder
        self.wsgi = folder / "short_lease.py"
        self.wsgi.write_text(WSGI)
        self.env = os.environ | {
            "INSTANCE_DIR": str(settings.instance_dir),
            "DATABASE_URL": settings.database_url,
            "SECRET_KEY": "t" * 48,
            "DEMO": "0",
            "MAIL_FROM": "kjj@example.org",
            "PYTHONPATH": f"{ROOT}:{ROOT}/tests/another_day",
        }
        self.running: list[subprocess.Popen] = []
        self.logs: list[Path] = []

    def start(self, command: str, **env: str) -> subprocess.Popen:
        self.logs.append(self.folder / f"{command}-{len(self.running)}.log")
        with self.logs[-1].open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", str(self.wsgi), command],
                cwd=ROOT,
                env=self.env | env,
                stdout=log,
                stderr=log,
            )
        self.running.append(process)
        return process

    def kill(self, process: subprocess.Popen) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(10)


@pytest.fixture
def instance(request, tmp_path):
    """Settings of a fresh instance on SQLite, or on what the test is parametrized with."""
    return fresh_settings(getattr(request, "param", "sqlite"), request, tmp_path)


@pytest.fixture
def world(instance):
    """An application of the test itself on the same database and carrier as the processes."""
    app = build(instance)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
        carrier.huey.storage.close()


@pytest.fixture
def processes(world, instance, tmp_path):
    started = Processes(tmp_path, instance)
    yield started
    started.stop()


def until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        db.session.rollback()
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.05)
    db.session.rollback()


def job(job_id: int) -> Job:
    db.session.rollback()
    return db.session.get(Job, job_id)


def states() -> dict[str, str]:
    db.session.rollback()
    query = select(Message.recipient, Message.state).where(Message.period == "2026-W48").order_by(Message.id)
    return dict(db.session.execute(query).all())


def test_a_worker_killed_while_sending_leaves_one_uncertain_and_the_rest_is_sent_once(world, processes):
    for login, name in (("xianghe", "向禾"), ("chenshu", "陈述"), ("wunian", "吴念")):
        make_user(login, "case_manager", name=name)
    queue_digests(TODAY, act(), now=NOW)
    hanging = Silent()

    first = processes.start("worker", SMTP_URL=hanging.url)
    until(hanging.got_text.is_set, "the first mail")
    processes.kill(first)
    hanging.close()
    before = states()
    with Server() as server:
        time.sleep(LEASE_SECONDS + 0.2)
        processes.start("worker", SMTP_URL=server.url)
        processes.start("scheduler")
        until(lambda: set(states().values()) <= {"sent", "uncertain"}, "the rest of the mail")
        ours = sorted(m["To"] for m in server.accepted if "2026-W48" in m["Message-ID"])

    uncertain = db.session.scalar(select(Message).where(Message.state == "uncertain"))
    assert before == {
        "xianghe@example.org": "sending",
        "chenshu@example.org": "queued",
        "wunian@example.org": "queued",
    }
    assert states() == {
        "xianghe@example.org": "uncertain",
        "chenshu@example.org": "sent",
        "wunian@example.org": "sent",
    }
    assert ours == ["chenshu@example.org", "wunian@example.org"]
    assert len(hanging.texts) == 1
    assert uncertain.error == "发送时程序中断，邮件服务器可能已经收下。问过本人再决定是否再发。"


@pytest.mark.parametrize("instance", ["sqlite", "postgresql"], indirect=True)
def test_a_worker_killed_in_a_job_is_followed_by_another_that_does_it_once(world, processes, tmp_path):
    with unit_of_work():
        job_id = ask_for("slow", {"folder": str(tmp_path)}, act=act())

    first = processes.start("worker")
    until((tmp_path / "begun").exists, "the beginning")
    processes.kill(first)
    (tmp_path / "go").touch()
    time.sleep(LEASE_SECONDS + 0.2)
    processes.start("worker")
    processes.start("scheduler")
    until(lambda: job(job_id).state == "done", "the end")

    assert (tmp_path / "begun").read_text() == "xx"
    assert (tmp_path / "done").read_text() == "x"
    assert (job(job_id).attempts, job(job_id).result) == (2, {"rows": 1})


def test_a_stopped_worker_finishes_what_it_holds_and_takes_its_row_along(world, processes, tmp_path):
    with unit_of_work():
        job_id = ask_for("slow", {"folder": str(tmp_path)}, act=act())

    worker = processes.start("worker")
    until((tmp_path / "begun").exists, "the beginning")
    worker.terminate()
    time.sleep(0.3)
    (tmp_path / "go").touch()

    assert worker.wait(40) == 0
    assert job(job_id).state == "done"
    assert db.session.scalars(select(Heartbeat.name).where(Heartbeat.name.like("worker:%"))).all() == []


def test_two_schedulers_share_the_slots_and_a_killed_one_is_not_missed(world, processes):
    first = processes.start("scheduler")
    processes.start("scheduler")
    until(lambda: all("scheduler started" in log.read_text() for log in processes.logs), "the start of both")
    until(lambda: _ended() >= {"digest", "prune", "recompute"} or _too_early(), "today's entries")
    processes.kill(first)
    last = processes.running[-1]
    last.terminate()

    assert last.wait(40) == 0
    jobs = db.session.scalars(select(Job.kind)).all()
    assert len(jobs) == len(set(jobs))


def _ended() -> set[str]:
    return set(db.session.scalars(select(JobClaim.name).where(JobClaim.state == "done")))


def _too_early() -> bool:
    """Between midnight and half past three the day's entries are not due yet; the hour's is."""
    return "digest" in _ended() and time.strftime("%H:%M", time.gmtime(time.time() + 8 * 3600)) < "03:31"
