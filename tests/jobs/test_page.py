"""任务与待发: what the office sees of clock, jobs and outbox, and what it may decide."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select, update

from crm.extensions import carrier, db
from crm.jobs import heartbeats
from crm.jobs.digests import queue_digests
from crm.jobs.running import run
from crm.store.access_log import AccessLog
from crm.store.jobs import Job
from crm.store.messages import Message
from crm.store.unit_of_work import unit_of_work
from tests.builders import NOW, OTHER, TODAY, act, county, make_user
from tests.jobs.week import make_week
from tests.web.conftest import csrf_of, sign_in


@pytest.fixture
def world(sqlite_app):
    week = make_week()
    queue_digests(TODAY, act(), now=NOW)
    return week


@pytest.fixture
def client(sqlite_app, world):
    browser = sqlite_app.test_client()
    sign_in(browser, "liwen")
    return browser


def message_of(user_id: int) -> Message:
    db.session.rollback()
    return db.session.scalar(select(Message).where(Message.user_id == user_id))


def in_state(user_id: int, state: str) -> int:
    message_id = message_of(user_id).id
    with unit_of_work() as work:
        work.execute(update(Message).where(Message.id == message_id).values(state=state, error="没有等到回答。"))
    return message_id


def post(client, url: str):
    return client.post(url, data={"csrf_token": csrf_of(client, "/jobs")})


def test_the_page_says_whether_the_clock_ticks_and_what_waits(client, world):
    silent = client.get("/jobs").text
    heartbeats.beat(heartbeats.SCHEDULER)
    heartbeats.beat("worker:here:1")
    alive = client.get("/jobs").text

    assert "时钟停了" in silent
    assert "没有后台进程" in silent
    assert "1 个后台进程在运行" in alive
    assert "本周提醒（第 48 周）：1 项逾期，1 项 7 天内到期" in alive
    assert "发待发消息" in alive


def test_the_number_of_queries_does_not_grow_with_the_rows(sqlite_app, client, world):
    def queries() -> int:
        seen = []
        db.session.remove()

        def note(*args):
            seen.append(1)

        event.listen(db.engine, "before_cursor_execute", note)
        client.get("/jobs")
        event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    many = queries()
    with unit_of_work() as work:
        work.execute(Message.__table__.delete().where(Message.__table__.c.user_id != world.manager))

    assert queries() == many


def test_a_body_is_shown_where_it_can_do_nothing(client, world):
    answer = client.get(f"/jobs/messages/{message_of(world.manager).id}/body")

    assert answer.headers["Content-Security-Policy"] == (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
    )
    assert "向禾，1 项逾期，1 项 7 天内到期" in answer.text


def test_an_uncertain_message_is_sent_again_by_the_office_and_logged(client, world):
    message_id = in_state(world.manager, "uncertain")

    page = client.get(f"/jobs/messages/{message_id}").text
    answer = post(client, f"/jobs/messages/{message_id}/send-again")

    log = db.session.scalar(select(AccessLog).where(AccessLog.what == "send_again"))
    assert "向禾：没有等到回答。" in page
    assert answer.status_code == 302
    assert message_of(world.manager).state == "queued"
    assert (log.who, log.subject) == ("李闻", f"message {message_id}, digest 2026-W48, user {world.manager}")


def test_a_sent_message_is_not_sent_again(client, world):
    message_id = in_state(world.manager, "sent")

    answer = post(client, f"/jobs/messages/{message_id}/send-again")

    assert answer.status_code == 409
    assert "这条消息正在发送或已经发出，不用再发。" in answer.text
    assert message_of(world.manager).state == "sent"


def test_a_message_that_arrived_after_all_is_let_be(client, world):
    message_id = in_state(world.manager, "uncertain")

    assert post(client, f"/jobs/messages/{message_id}/let-be").status_code == 302
    assert message_of(world.manager).state == "cancelled"


def test_another_districts_office_finds_neither_message_nor_person_nor_job(sqlite_app, world):
    make_user("stranger", "bureau", region=county(OTHER))
    with unit_of_work() as work:
        job = Job(kind="import_commit", payload={}, state="running", region_id=county().id, created_at=NOW)
        work.add(job)
        work.flush()
        job_id = job.id
    browser = sqlite_app.test_client()
    sign_in(browser, "stranger")
    message_id = in_state(world.manager, "uncertain")

    statuses = [
        browser.get(f"/jobs/messages/{message_id}").status_code,
        browser.get(f"/jobs/messages/{message_id}/body").status_code,
        post(browser, f"/jobs/messages/{message_id}/send-again").status_code,
        post(browser, f"/jobs/messages/{message_id}/let-be").status_code,
        post(browser, f"/jobs/{job_id}/cancel").status_code,
        browser.get(f"/jobs/digest?user={world.manager}").status_code,
        browser.get(f"/jobs/digest/body?user={world.manager}").status_code,
    ]

    assert statuses == [404] * 7
    assert "向禾" not in browser.get("/jobs").text


def test_a_case_manager_sees_the_own_digest_only_and_not_the_office_page(sqlite_app, world):
    browser = sqlite_app.test_client()
    sign_in(browser, "xianghe")

    own = browser.get("/jobs/digest")
    statuses = [
        browser.get("/jobs").status_code,
        browser.get(f"/jobs/digest?user={world.colleague}").status_code,
        browser.get(f"/jobs/messages/{message_of(world.colleague).id}").status_code,
        browser.get(f"/jobs/messages/{message_of(world.manager).id}").status_code,
    ]

    assert "本周提醒（第 48 周）：1 项逾期，1 项 7 天内到期" in own.text
    assert statuses == [403, 404, 404, 200]


def test_any_day_of_anybody_is_previewed_without_queueing(client, world):
    before = db.session.scalars(select(Message.id)).all()

    page = client.get(f"/jobs/digest?user={world.manager}&on=2026-12-07").text
    body = client.get(f"/jobs/digest/body?user={world.manager}&on=2026-12-07")

    db.session.rollback()
    assert "本周提醒（第 50 周）：2 项逾期" in page
    assert "逾期 10 天" in body.text
    assert db.session.scalars(select(Message.id)).all() == before


def test_a_date_that_is_none_is_told_beside_the_form(client):
    answer = client.get("/jobs/digest?on=2026-13-45")

    assert answer.status_code == 422
    assert "“2026-13-45”不是日期。写成 2026-11-23 这样。" in answer.text


def test_a_running_job_is_asked_to_stop_from_the_page(client, world):
    with unit_of_work() as work:
        job = Job(kind="recompute", payload={}, state="running", region_id=county().id, created_at=NOW, total=10)
        work.add(job)
        work.flush()
        job_id = job.id

    answer = post(client, f"/jobs/{job_id}/cancel")

    db.session.rollback()
    assert answer.status_code == 302
    assert db.session.get(Job, job_id).cancel_asked is True
    assert "正在停下" in client.get("/jobs").text


def test_what_was_sent_is_shown_with_its_hour(sqlite_app, client, world, monkeypatch):
    sqlite_app.config["SETTINGS"] = replace(sqlite_app.config["SETTINGS"], smtp_url="smtp://mail.example.org")
    monkeypatch.setattr("crm.jobs.sending.send", lambda *args, **more: None)
    run(carrier.huey.dequeue().args[0])

    page = client.get("/jobs?state=sent").text

    assert page.count("已发") >= 5
    assert message_of(world.manager).sent_at >= datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_what_was_only_written_to_a_file_is_not_called_sent(app):
    week = make_week()
    queue_digests(TODAY, act(), now=NOW)
    run(carrier.huey.dequeue().args[0])
    client = app.test_client()
    sign_in(client, "liwen")

    pages = [client.get(url).text for url in ("/jobs", f"/jobs/messages/{message_of(week.manager).id}")]
    written, sent = (client.get(f"/jobs?state={state}").text for state in ("written", "sent"))

    assert message_of(week.manager).sent_at is None
    assert ["已写成文件，未寄出" in page for page in pages] == [True, True]
    assert ["已发<" in page for page in pages] == [False, False]
    assert written.count('<td class="fa">') >= 5
    assert "没有“已发”的消息" in sent
