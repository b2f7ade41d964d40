"""The clock: a scheduler that was down over New Year, last year's dates in January, a clock that was set back."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from crm.actions.figures import record_figures
from crm.actions.service_logs import log_service
from crm.domain.refusals import Refused
from crm.extensions import carrier, db
from crm.jobs import schedule, scheduler
from crm.jobs.days import zone
from crm.jobs.running import run
from crm.store import projections
from crm.store.jobs import Job, JobClaim
from crm.store.messages import Message
from crm.store.obligations import Obligation
from crm.store.service_logs import ServiceLog
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, make_enterprise, make_user
from tests.jobs.week import make_week

LAST_DAY_UP = datetime(2026, 12, 28, 2, 0, tzinfo=UTC)  # a Monday, ten in the morning in the county
BACK = datetime(2027, 1, 5, 2, 0, tzinfo=UTC)  # the Tuesday after New Year


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(LAST_DAY_UP, tick=True) as traveller:
        yield traveller


def local() -> datetime:
    return datetime.now(UTC).astimezone(zone())


def come_up(app) -> None:
    """What a scheduler does when it starts, and what a worker then finds to do."""
    with app.app_context():
        schedule.at_start(local())
    scheduler.catch_up(app)
    while carrier.huey.pending_count():
        run(carrier.huey.dequeue().args[0])
    db.session.rollback()


def digests() -> dict[str, int]:
    query = select(Message.period, func.count()).where(Message.kind == "digest").group_by(Message.period)
    return dict(db.session.execute(query).all())


def test_a_scheduler_down_over_new_year_makes_up_for_what_is_owed_and_for_nothing_twice(app, clock):
    make_week()
    ended = make_enterprise("巫溪县岁末有限公司", titles=[("hnte", date(2024, 1, 1), date(2026, 12, 31))])
    come_up(app)
    before, state = digests(), db.session.get(Standing, ended).hnte
    lost = _asked_and_lost("recompute"), _asked_and_lost("digest")

    clock.move_to(BACK)
    come_up(app)
    come_up(app)

    assert before == {"2026-W53": 5}
    assert digests() == {"2026-W53": 5, "2027-W01": 6}
    assert [db.session.get(Job, job_id).state for job_id in lost] == ["done", "done"]
    assert set(db.session.scalars(select(Standing.computed_on))) == {date(2027, 1, 5)}
    assert (state, db.session.get(Standing, ended).hnte) == ("expiring", "lapsed_unrenewed")
    open_claims = select(func.count()).select_from(JobClaim).where(JobClaim.state != "done")
    assert db.session.scalar(open_claims) == 0
    late = select(func.count()).select_from(Obligation).where(Obligation.due_at < BACK, Obligation.state == "open")
    assert db.session.scalar(late) == 0


def _asked_and_lost(kind: str) -> int:
    """A job the clock asked for on the last evening, which no worker got to see."""
    ask = {"recompute": schedule.ask_to_recompute, "digest": schedule.ask_for_digests}[kind]
    if kind == "digest":
        make_user("wanlai", "case_manager", name="晚到")  # somebody lacks a digest, so one is asked for
    job_id = ask(local())["job"]
    carrier.huey.flush()
    return job_id


def test_a_step_promised_for_december_is_late_in_january(app, clock):
    firm = make_enterprise()
    promised = {"happened_on": date(2026, 12, 20), "kind": "visit", "text": "看了车间。"}
    with unit_of_work():
        log_service(
            [firm],
            {**promised, "next_step": "送审计报告", "next_step_on": date(2026, 12, 31)},
            act=act(now=LAST_DAY_UP, on=date(2026, 12, 28)),
        )

    clock.move_to(BACK)
    come_up(app)

    step = db.session.scalar(select(Obligation).where(Obligation.kind == "next_step"))
    assert (step.state, step.due_at.astimezone(zone()).date()) == ("overdue", date(2026, 12, 31))


def test_last_years_visit_and_figures_are_entered_in_january(app, clock):
    firm = make_enterprise()
    clock.move_to(BACK)
    january = act(now=BACK, on=date(2027, 1, 5))

    with unit_of_work():
        log_service([firm], {"happened_on": date(2026, 12, 31), "kind": "visit", "text": "年末回访。"}, act=january)
    with unit_of_work():
        record_figures(firm, 2026, {"staff_count": 40}, act=january)
    with pytest.raises(Refused), unit_of_work():
        log_service([firm], {"happened_on": date(2027, 1, 6), "kind": "visit", "text": "明天。"}, act=january)

    assert db.session.scalars(select(ServiceLog.happened_on)).all() == [date(2026, 12, 31)]
    assert db.session.get(Standing, firm).last_contact_on == date(2026, 12, 31)


def test_a_clock_set_back_sends_no_second_digest_and_its_return_mends_the_standings(app, clock):
    make_week()
    come_up(app)

    clock.move_to(LAST_DAY_UP - timedelta(hours=9))  # one in the morning of the same Monday
    come_up(app)
    clock.move_to(LAST_DAY_UP + timedelta(hours=1))
    come_up(app)

    assert digests() == {"2026-W53": 5}
    assert projections.stale_ids(local().date()) == []
