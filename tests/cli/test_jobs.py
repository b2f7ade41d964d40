"""`jobs list`, `jobs run`, `scheduler`, `worker` from the operator's side."""

import json
from datetime import date

import pytest
import time_machine
from sqlalchemy import func, select, text

from crm.extensions import carrier, db
from crm.jobs import heartbeats
from crm.jobs.digests import queue_digests
from crm.store.jobs import Job
from crm.store.messages import Message
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from tests.builders import NOW, TODAY, act, make_enterprise
from tests.jobs.week import make_week


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


def run(app, *args: str):
    return app.test_cli_runner().invoke(args=list(args))


def report(app, *args: str) -> dict:
    result = run(app, *args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_list_says_who_is_alive_what_ran_and_what_waits(sqlite_app):
    make_week()
    heartbeats.beat(heartbeats.SCHEDULER)
    queue_digests(TODAY, act(), now=NOW)

    listed = report(sqlite_app, "jobs", "list")

    assert [process["name"] for process in listed["processes"]] == ["scheduler"]
    assert [entry["name"] for entry in listed["timetable"]] == [
        "recompute",
        "digest",
        "send_outbox",
        "put_back_lost_jobs",
        "prune",
    ]
    assert [(job["kind"], job["state"]) for job in listed["jobs"]] == [("send_outbox", "queued")]
    assert (listed["outbox"], listed["carrier"]) == ({"queued": 5}, 1)


def test_the_list_in_words_names_the_outbox_states(sqlite_app):
    make_week()
    queue_digests(TODAY, act(), now=NOW)

    assert "待发 5" in run(sqlite_app, "jobs", "list").stdout


def test_a_given_day_is_run_again_without_a_second_mail(sqlite_app):
    make_week()

    first = report(sqlite_app, "jobs", "run", "digest", "--on", "2026-11-23")
    second = report(sqlite_app, "jobs", "run", "digest", "--on", "2026-11-23")

    assert (first["state"], first["result"]["queued"], first["result"]["already"]) == ("done", 5, 0)
    assert (second["state"], second["result"]["queued"], second["result"]["already"]) == ("done", 0, 5)
    assert db.session.scalar(select(func.count()).select_from(Message)) == 5


def test_a_day_to_come_is_judged_as_that_day(sqlite_app):
    make_week()

    report(sqlite_app, "jobs", "run", "digest", "--on", "2026-12-07")

    message = db.session.scalar(select(Message).order_by(Message.id))
    assert (message.period, message.subject) == ("2026-W50", "本周提醒（第 50 周）：2 项逾期")


def test_recompute_runs_in_this_process_for_a_day(sqlite_app):
    firm = make_enterprise()

    done = report(sqlite_app, "jobs", "run", "recompute", "--on", "2026-12-01")

    db.session.rollback()
    assert (done["state"], done["result"]) == ("done", {"enterprises": 1})
    assert db.session.get(Standing, firm).computed_on == date(2026, 12, 1)
    assert carrier.huey.pending_count() == 0


@pytest.mark.parametrize("name", ["send_outbox", "put_back_lost_jobs", "prune"])
def test_every_other_entry_runs_on_an_empty_database(sqlite_app, name):
    assert report(sqlite_app, "jobs", "run", name)["state"] == "done"


def test_a_failed_job_ends_with_code_one_and_its_sentence(sqlite_app, monkeypatch):
    def broken(*args):
        raise ValueError

    monkeypatch.setitem(carrier.registry, "recompute", broken)
    monkeypatch.setattr("crm.jobs.registry.load", lambda: None)

    result = run(sqlite_app, "jobs", "run", "recompute")

    assert result.exit_code == 1
    assert "出了意外，没有做完" in result.stdout
    assert db.session.scalar(select(Job.state)) == "failed"


def test_an_unknown_name_is_a_wrong_call(sqlite_app):
    assert run(sqlite_app, "jobs", "run", "dance").exit_code == 2


@pytest.mark.parametrize("command", ["scheduler", "worker"])
def test_another_schema_is_not_served(sqlite_app, command):
    with unit_of_work() as work:
        work.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    result = run(sqlite_app, command)

    assert result.exit_code == 1
    assert "newer version" in result.stderr
