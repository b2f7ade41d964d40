"""The clock: slots are claimed once, what was missed is made up for once, what is owed is decided by data."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from crm.domain.words import JOB_KINDS
from crm.extensions import carrier, db
from crm.jobs import heartbeats, schedule, scheduler
from crm.jobs.days import zone
from crm.jobs.running import run
from crm.jobs.schedule import TIMETABLE, Entry
from crm.store.jobs import Heartbeat, Job, JobClaim
from crm.store.messages import Message
from crm.store.sessions import UserSession
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from tests.builders import NOW, make_enterprise, make_user
from tests.jobs.week import make_week


def local() -> datetime:
    return datetime.now(UTC).astimezone(zone())


def counting(runs: list) -> Entry:
    return Entry("counted", "hour", lambda at: runs.append(at) or {"n": len(runs)})


def work_off() -> None:
    """Do every job the carrier holds, as a worker would."""
    while carrier.huey.pending_count():
        run(carrier.huey.dequeue().args[0])


def test_a_slot_is_run_once_and_leaves_its_result(sqlite_app):
    runs: list = []
    entry = counting(runs)

    first = scheduler.run_slot(entry, "2026-11-23T10", local())
    second = scheduler.run_slot(entry, "2026-11-23T10", local())

    row = db.session.get(JobClaim, ("counted", "2026-11-23T10"))
    assert (first, second, len(runs)) == (True, False, 1)
    assert (row.state, row.result) == ("done", {"n": 1})


def test_two_schedulers_at_once_run_each_slot_once(app):
    runs: list = []
    entry = counting(runs)
    together = threading.Barrier(2)

    def clock():
        with app.app_context():
            together.wait(10)
            for hour in range(10):
                scheduler.run_slot(entry, f"2026-11-23T{hour:02d}", local())

    threads = [threading.Thread(target=clock) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(runs) == 10


def test_a_slot_of_a_dead_process_is_taken_over_after_a_while(app, clock):
    runs: list = []
    entry = counting(runs)
    assert scheduler.claim("counted", "2026-11-23T10")

    at_once = scheduler.run_slot(entry, "2026-11-23T10", local())
    clock.shift(timedelta(minutes=6))
    later = scheduler.run_slot(entry, "2026-11-23T10", local())

    assert (at_once, later, len(runs)) == (False, True, 1)


def test_a_fault_in_one_entry_is_noted_and_does_not_stop_the_clock(sqlite_app):
    def broken(at):
        raise ValueError("no")

    assert scheduler.run_slot(Entry("broken", "hour", broken), "x", local())
    row = db.session.get(JobClaim, ("broken", "x"))
    assert (row.state, row.result) == ("failed", {"error": "ValueError"})


def test_at_start_the_clock_runs_what_todays_claims_lack(sqlite_app):
    scheduler.catch_up(sqlite_app)
    scheduler.catch_up(sqlite_app)

    claims = db.session.execute(select(JobClaim.name, JobClaim.slot).order_by(JobClaim.name)).all()
    assert [tuple(row) for row in claims] == [
        ("digest", "2026-11-23T10"),
        ("prune", "2026-11-23"),
        ("recompute", "2026-11-23"),
    ]


def test_a_daily_entry_waits_for_its_time(sqlite_app):
    entry = next(entry for entry in TIMETABLE if entry.name == "recompute")

    slots = [entry.slot(datetime(2026, 11, 23, 0, minute, tzinfo=zone())) for minute in (9, 10)]

    assert slots == [None, "2026-11-23"]


def test_every_entry_has_its_word_on_screen():
    assert [entry.name for entry in TIMETABLE if entry.name not in JOB_KINDS] == []


def test_after_three_weeks_without_a_clock_there_is_one_digest_of_this_week(app, clock):
    make_week()
    clock.move_to(datetime(2026, 11, 4, 2, 0, tzinfo=UTC))
    scheduler.catch_up(app)
    work_off()
    before = db.session.scalar(select(func.count()).select_from(Message))

    clock.move_to(datetime(2026, 11, 25, 2, 0, tzinfo=UTC))  # a Wednesday
    scheduler.catch_up(app)
    work_off()
    scheduler.catch_up(app)
    work_off()

    db.session.rollback()
    periods = db.session.execute(
        select(Message.period, func.count()).where(Message.id > before).group_by(Message.period)
    ).all()
    assert before == 5
    assert [tuple(row) for row in periods] == [("2026-W48", 5)]


@pytest.mark.parametrize(
    ("moment", "queued"),
    [
        pytest.param(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), 0, id="monday half past seven is too early"),
        pytest.param(datetime(2026, 11, 23, 0, 0, tzinfo=UTC), 5, id="monday eight is the hour"),
        pytest.param(datetime(2026, 11, 24, 16, 30, tzinfo=UTC), 5, id="a missed monday is made up for at any hour"),
        pytest.param(datetime(2027, 2, 8, 1, 0, tzinfo=UTC), 5, id="an unknown holiday year counts by weekends"),
        pytest.param(datetime(2026, 10, 5, 2, 0, tzinfo=UTC), 0, id="monday in the holiday week is no working day"),
        pytest.param(datetime(2026, 10, 8, 2, 0, tzinfo=UTC), 5, id="the first working day after the holiday is"),
    ],
)
def test_digests_are_queued_on_the_first_working_day_from_the_hour_on(sqlite_app, clock, moment, queued):
    make_week()
    clock.move_to(moment)

    schedule.ask_for_digests(local())
    work_off()

    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Message)) == queued


def test_the_night_recomputes_what_the_day_changes(app, clock):
    firm = make_enterprise(titles=[("hnte", date(2023, 11, 25), date(2026, 11, 24))])
    before = db.session.get(Standing, firm).hnte
    clock.move_to(datetime(2027, 1, 20, 17, 0, tzinfo=UTC))  # 01:00 on the 21st in the county

    schedule.ask_to_recompute(local())
    work_off()

    db.session.expire_all()
    standing = db.session.get(Standing, firm)
    assert standing.computed_on == date(2027, 1, 21)
    assert standing.hnte != before


def test_a_start_after_a_pause_refreshes_what_has_become_stale(sqlite_app, clock):
    firm = make_enterprise(titles=[("hnte", date(2023, 11, 25), date(2026, 11, 24))])
    other = make_enterprise("巫溪县巴岩竹编有限公司")
    clock.move_to(datetime(2027, 1, 20, 17, 0, tzinfo=UTC))

    result = schedule.at_start(local())

    db.session.expire_all()
    assert result["stale"] == 1
    assert db.session.get(Standing, firm).computed_on == date(2027, 1, 21)
    assert db.session.get(Standing, other).computed_on == date(2026, 11, 23)


def test_a_recompute_begun_again_goes_on_where_it_stopped(sqlite_app, clock):
    make_enterprise("甲有限公司")
    make_enterprise("乙有限公司")
    clock.shift(timedelta(days=1))
    schedule.ask_to_recompute(local())
    work_off()
    schedule.ask_to_recompute(local())
    work_off()

    results = db.session.scalars(select(Job.result).where(Job.kind == "recompute").order_by(Job.id)).all()
    assert results == [{"enterprises": 2}, {"enterprises": 0}]


def test_pruning_takes_what_only_the_machinery_needed(sqlite_app, clock):
    user = make_user("xianghe", "case_manager")
    with unit_of_work() as work:
        work.add(UserSession(key_hash="0" * 64, user_id=user.user_id, created_at=NOW, seen_at=NOW))
        work.add(Heartbeat(name="worker:old:1", seen_at=NOW))
        work.add(JobClaim(name="send_outbox", slot="2026-11-23T10:00", worker="w", state="done", started_at=NOW))
        work.add(JobClaim(name="recompute", slot="2026-11-23", worker="w", state="done", started_at=NOW))
    clock.shift(timedelta(days=3))

    gone = schedule.prune(local())

    nothing = dict.fromkeys(("throttles", "claims", "files", "password_resets"), 0)
    assert gone == {"sessions": 1, "minutes": 1, "heartbeats": 1, **nothing}
    assert db.session.scalars(select(JobClaim.name)).all() == ["recompute"]


def test_readyz_knows_whether_the_clock_ticks(sqlite_app, clock):
    client = sqlite_app.test_client()
    never = client.get("/readyz").json["scheduler"]["alive"]
    heartbeats.beat(heartbeats.SCHEDULER)
    now = client.get("/readyz").json["scheduler"]["alive"]
    clock.shift(timedelta(minutes=3))
    silent = client.get("/readyz").json["scheduler"]["alive"]

    assert (never, now, silent) == (False, True, False)
