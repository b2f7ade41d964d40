"""kill -9 of web, worker and scheduler while an import is read and written: whole or absent, and never twice."""

import contextlib
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from crm.actions import imports
from crm.domain.codes import make_code
from crm.extensions import carrier, db
from crm.jobs.running import MOST_ATTEMPTS, run
from crm.jobs.schedule import put_back_lost_jobs
from crm.store import file_store
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch
from crm.store.jobs import Job
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, county, make_user
from tests.conftest import build, fresh_settings
from tests.faults.installation import LEASE_SECONDS, Installation, Person, until
from tests.faults.wholeness import is_written, problems_of_database
from tests.web.conftest import post, sign_in
from tests.workbooks import workbook

LONG = bool(os.environ.get("CRM_TEST_LONG"))
ROWS = 4_000 if LONG else 1_200
# Where in the time that an undisturbed writing takes the worker is killed: at the start, in the middle, at the commit.
MOMENTS = (0.02, 0.25, 0.5, 0.75, 0.9, 0.97, 1.0, 1.03, 1.1) if LONG else (0.3, 0.8, 1.0)
DATABASES = ("sqlite", "postgresql") if LONG else ("sqlite",)
HEAD = ["企业名称", "统一社会信用代码", "联系人", "注册地址", "注册资本（万元）"]


@dataclass
class World:
    """The installation, a person of the office in front of it, and how many batches came in so far."""

    installation: Installation
    office: Person
    brought: int = 0

    def bring(self) -> int:
        """Upload a list of firms nobody has yet."""
        first = self.brought * ROWS
        self.brought += 1
        rows = [
            [f"巫溪县第{n}号食品有限公司", make_code(2_000_000 + n), f"联系人{n}", "一号路", n % 90 + 1]
            for n in range(first, first + ROWS)
        ]
        return self.office.upload(workbook({"企业": [HEAD, *rows]}))

    def confirm(self, batch_id: int) -> None:
        status, _, page = self.office.send(f"/imports/{batch_id}/confirm", {"mode": "all"})
        assert status == 200, page

    def kill_and_wait(self, *names: str) -> None:
        """kill -9 these; the scheduler only after the dead worker's lease, so that its start finds what was left."""
        killed = {name: self.installation.kill(name) for name in names}
        time.sleep(LEASE_SECONDS + 0.2)
        killed["scheduler"] = self.installation.kill("scheduler")
        for name, process in killed.items():
            self.installation.wait_for_another(name, process)


@pytest.fixture(params=DATABASES)
def world(request, tmp_path):
    settings = fresh_settings(request.param, request, tmp_path)
    app = build(settings)
    with app.app_context():
        make_user("tanyue", "bureau", name="谭越")
        installation = Installation(settings)
        try:
            installation.wait_until_ready()
            yield World(installation, Person(installation.address, "tanyue"))
        finally:
            installation.stop()
            db.session.remove()
            db.engine.dispose()
            with contextlib.suppress(AttributeError):
                carrier.huey.storage.close()


def batch(batch_id: int) -> ImportBatch:
    db.session.rollback()
    return db.session.get(ImportBatch, batch_id)


def running(batch_id: int) -> bool:
    state = select(Job.state).join(ImportBatch, ImportBatch.job_id == Job.id).where(ImportBatch.id == batch_id)
    return db.session.scalar(state) == "running"


def firms() -> int:
    return db.session.scalar(select(func.count()).select_from(Enterprise).where(~Enterprise.deleted)) or 0


def test_a_batch_is_whole_or_absent_whatever_is_killed_and_whenever(world):
    seconds = _undisturbed(world)

    batches = [_killed_while_read(world)] + [_killed_while_written(world, seconds * moment) for moment in MOMENTS]

    listed = world.office.get("/imports")[2]
    attempts = {kind: set() for kind in ("import_preview", "import_commit")}
    for job in db.session.scalars(select(Job).where(Job.kind.in_(attempts))):
        attempts[job.kind].add(job.attempts)
    assert [f"/imports/{batch_id}" in listed for batch_id in batches] == [True] * len(batches)
    assert {kind: max(found) for kind, found in attempts.items()} == {"import_preview": 2, "import_commit": 2}
    assert firms() == ROWS * (2 + len(MOMENTS))
    assert problems_of_database() == []


def _undisturbed(world: World) -> float:
    """Bring one batch in without a fault; returns the seconds its writing took."""
    batch_id = world.bring()
    until(lambda: batch(batch_id).state == "preview", "an undisturbed preview")
    world.confirm(batch_id)
    until(lambda: running(batch_id), "the beginning of an undisturbed writing")
    began = time.monotonic()
    until(lambda: batch(batch_id).state == "done", "an undisturbed writing")
    return time.monotonic() - began


def _killed_while_read(world: World) -> int:
    before = firms()
    batch_id = world.bring()
    until(lambda: running(batch_id), "the beginning of the preview", pause=0.005)
    world.kill_and_wait("worker", "web")
    until(lambda: batch(batch_id).state == "preview", "the preview")
    assert (firms(), is_written(batch_id)) == (before, False)
    assert batch(batch_id).summary["new"] == ROWS
    return _written_after_all(world, batch_id, before)


def _killed_while_written(world: World, after: float) -> int:
    before = firms()
    batch_id = world.bring()
    until(lambda: batch(batch_id).state == "preview", "the preview")
    world.confirm(batch_id)
    until(lambda: running(batch_id) or batch(batch_id).state == "done", "the writing", pause=0.005)
    time.sleep(after)
    killed = world.installation.kill("worker")
    time.sleep(0.2)  # a commit that PostgreSQL had in hand already is let come through

    written = is_written(batch_id)

    assert firms() == before + ROWS * written
    world.installation.wait_for_another("worker", killed)
    if not written:
        time.sleep(LEASE_SECONDS)
        world.installation.wait_for_another("scheduler", world.installation.kill("scheduler"))
        until(lambda: batch(batch_id).state == "done", "the end of the writing")
    return _found_again(world, batch_id, before)


def _written_after_all(world: World, batch_id: int, before: int) -> int:
    world.confirm(batch_id)
    until(lambda: batch(batch_id).state == "done", "the end of the writing")
    return _found_again(world, batch_id, before)


def _found_again(world: World, batch_id: int, before: int) -> int:
    """The batch is in the library once, and its page says so."""
    status, _, page = world.office.get(f"/imports/{batch_id}")
    assert (is_written(batch_id), firms()) == (True, before + ROWS)
    assert (status, "撤销导入" in page) == (200, True)
    return batch_id


def test_a_batch_whose_workers_all_died_says_so_and_can_be_given_up(sqlite_app):
    office = make_user("tanyue", "bureau", name="谭越")
    kept = file_store.keep(workbook({"企业": [HEAD, ["巫溪县青禾食品有限公司", make_code(1), None, None, 1]]}))
    with unit_of_work():
        batch_id = imports.start_import(kept, name="台账.xlsx", region_id=county().id, act=act(office))
    run(batch(batch_id).job_id)
    with unit_of_work():
        imports.confirm(batch_id, good_rows_only=False, act=act(office))
    dead = {"state": "running", "attempts": MOST_ATTEMPTS, "lease_until": datetime.now(UTC) - timedelta(minutes=1)}
    job_id = batch(batch_id).job_id
    with unit_of_work() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**dead, worker="gone"))
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")

    put_back_lost_jobs(datetime.now(UTC))
    page = client.get(f"/imports/{batch_id}").text
    given_up = post(client, f"/imports/{batch_id}/abandon")

    assert "后台任务停了，什么也没有写入。" in page
    assert (given_up.status_code, batch(batch_id).state) == (302, "cancelled")
    assert (is_written(batch_id), firms()) == (False, 0)
