"""One job, one worker: claims, leases, progress, cancelling, ends."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from crm.actions.jobs import ask_for, ask_for_recompute, cancel
from crm.domain.refusals import NotFound, Refused
from crm.extensions import carrier, db
from crm.jobs import schedule
from crm.jobs.registry import LeaseLost
from crm.jobs.running import run
from crm.store.jobs import Job
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, act, county, make_user


def asked(kind: str = "count", payload: dict | None = None, **more) -> int:
    with unit_of_work():
        return ask_for(kind, payload or {}, act=more.pop("by", None) or act(), **more)


def job(job_id: int) -> Job:
    db.session.rollback()
    return db.session.get(Job, job_id)


def test_a_job_runs_once_with_its_payload_and_keeps_its_result(app, kinds):
    seen = []
    kinds["count"] = lambda progress, payload: seen.append(payload) or {"rows": 3}
    job_id = asked(payload={"batch": 7})

    states = [run(job_id), run(job_id)]

    assert states == ["done", None]
    assert seen == [{"batch": 7}]
    assert (job(job_id).state, job(job_id).result, job(job_id).attempts) == ("done", {"rows": 3}, 1)


def test_the_id_reaches_the_carrier_after_the_commit_only(sqlite_app):
    with pytest.raises(RuntimeError), unit_of_work():
        ask_for("count", {}, act=act())
        raise RuntimeError

    job_id = asked()

    assert [task.args[0] for task in carrier.huey.pending()] == [job_id]


def test_of_two_workers_one_does_the_job(app, kinds):
    inside, go_on = threading.Event(), threading.Event()
    done = []

    def work(progress, payload):
        done.append(progress.worker)
        inside.set()
        go_on.wait(10)

    kinds["count"] = work
    job_id = asked()

    def worker(results):
        with app.app_context():
            results.append(run(job_id))

    first: list = []
    thread = threading.Thread(target=worker, args=(first,))
    thread.start()
    inside.wait(10)
    second = run(job_id)
    go_on.set()
    thread.join(10)

    assert (first, second) == (["done"], None)
    assert len(done) == 1


def test_progress_is_seen_while_the_job_runs(sqlite_app, kinds):
    seen = []

    def work(progress, payload):
        progress.step(3, 10)
        seen.append((job(progress.job_id).progress, job(progress.job_id).total, job(progress.job_id).state))

    kinds["count"] = work
    run(asked())

    assert seen == [(3, 10, "running")]


def test_a_running_job_stops_at_its_next_step_when_asked(sqlite_app, kinds):
    steps = []

    def work(progress, payload):
        for number in range(5):
            progress.step(number, 5)
            steps.append(number)
            if number == 1:
                with unit_of_work():
                    cancel(progress.job_id, act())

    kinds["count"] = work
    job_id = asked()

    assert run(job_id) == "cancelled"
    assert steps == [0, 1]


def test_a_waiting_job_is_cancelled_at_once_and_an_ended_one_not_at_all(sqlite_app, kinds):
    kinds["count"] = lambda progress, payload: {}
    waiting, ended = asked(), asked()
    run(ended)

    with unit_of_work():
        cancel(waiting, act())
    with pytest.raises(Refused) as refusal, unit_of_work():
        cancel(ended, act())

    assert (job(waiting).state, run(waiting)) == ("cancelled", None)
    assert refusal.value.message == "这个任务已经结束，不用取消。"


def test_another_districts_job_cannot_be_found_to_cancel(sqlite_app):
    stranger = make_user("stranger", "bureau", region=county(OTHER))
    job_id = asked(region_id=county().id)

    with pytest.raises(NotFound), unit_of_work():
        cancel(job_id, act(stranger))

    assert job(job_id).state == "queued"


def test_a_fault_is_told_in_one_sentence_with_the_number(sqlite_app, kinds):
    def work(progress, payload):
        raise ValueError("secret name")

    kinds["count"] = work
    job_id = asked()

    assert run(job_id) == "failed"
    assert (
        job(job_id).error
        == f"出了意外，没有做完，什么也没有写入。可以再做一次；再不行，把编号 {job_id} 告诉系统管理员。"
    )


def test_a_refusal_is_told_in_its_own_words(sqlite_app, kinds):
    def work(progress, payload):
        raise Refused("第 3 行没有名称。")

    kinds["count"] = work
    job_id = asked()

    assert (run(job_id), job(job_id).error) == ("failed", "第 3 行没有名称。")


def test_a_kind_nobody_knows_is_said_so(sqlite_app):
    job_id = asked("of_a_newer_version")

    assert (run(job_id), job(job_id).error) == ("failed", "这一版程序不认识这种任务，没有做。")


def expire(job_id: int) -> None:
    with unit_of_work() as work:
        past = datetime.now(UTC) - timedelta(seconds=1)
        work.execute(update(Job).where(Job.id == job_id).values(lease_until=past))


def abandon(job_id: int, attempts: int = 1) -> None:
    """What a worker leaves that was killed in the middle."""
    with unit_of_work() as work:
        past = datetime.now(UTC) - timedelta(seconds=1)
        values = {"state": "running", "worker": "gone", "lease_until": past, "attempts": attempts}
        work.execute(update(Job).where(Job.id == job_id).values(values))


def test_a_dead_workers_job_is_handed_over_again_and_done_by_another(app, kinds):
    kinds["count"] = lambda progress, payload: {"rows": 1}
    job_id = asked()
    carrier.huey.flush()
    abandon(job_id)

    put_back = schedule.put_back_lost_jobs(datetime.now(UTC))

    assert put_back == {"sent_again": 1, "given_up": 0}
    assert run(carrier.huey.pending()[0].args[0]) == "done"
    assert job(job_id).attempts == 2


def test_a_job_that_killed_three_workers_is_given_up(sqlite_app):
    job_id = asked()
    carrier.huey.flush()
    abandon(job_id, attempts=3)

    put_back = schedule.put_back_lost_jobs(datetime.now(UTC))

    assert put_back == {"sent_again": 0, "given_up": 1}
    assert job(job_id).error == f"试了三次都中断，不再自动重试。把编号 {job_id} 告诉系统管理员。"


def test_an_id_the_carrier_lost_is_sent_again_and_a_waiting_one_is_not(sqlite_app):
    lost = asked()
    carrier.huey.flush()
    kept = asked()

    put_back = schedule.put_back_lost_jobs(datetime.now(UTC) + timedelta(minutes=1))

    assert put_back["sent_again"] == 1
    assert sorted(task.args[0] for task in carrier.huey.pending()) == sorted([lost, kept])


def test_a_worker_that_lost_its_lease_commits_nothing_more(app, kinds):
    lost = []

    def work(progress, payload):
        abandon(progress.job_id)
        try:
            with unit_of_work():
                progress.confirm()
        except LeaseLost:
            lost.append(True)
            raise

    kinds["count"] = work
    job_id = asked()

    assert run(job_id) is None
    assert lost == [True]
    assert job(job_id).worker == "gone"


def test_a_long_step_keeps_its_lease_by_a_beat_of_its_own(sqlite_app, kinds):
    sqlite_app.config["JOB_LEASE_SECONDS"] = 0.6
    leases = []

    def work(progress, payload):
        leases.append(job(progress.job_id).lease_until)
        time.sleep(1.0)
        leases.append(job(progress.job_id).lease_until)
        return {"free": run(progress.job_id)}

    kinds["count"] = work
    job_id = asked()

    assert run(job_id) == "done"
    assert leases[1] > leases[0]
    assert job(job_id).result == {"free": None}


def test_two_asks_to_recompute_everything_become_one(sqlite_app):
    with unit_of_work():
        first = ask_for_recompute(act=act())
    with unit_of_work():
        second = ask_for_recompute(act=act())

    assert (first is not None, second) == (True, None)
