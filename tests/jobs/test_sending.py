"""From the outbox to the mail server: claimed by one, sent once, retried with patience, uncertain said aloud."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from crm.actions.jobs import ask_for
from crm.domain.changes import Create
from crm.extensions import carrier, db
from crm.jobs import schedule
from crm.jobs.days import zone
from crm.jobs.digests import queue_digests
from crm.jobs.running import run
from crm.mail import send as mail_send
from crm.store.jobs import Job
from crm.store.messages import Message
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import NOW, TODAY, act, county, make_enterprise, make_user
from tests.jobs.week import make_week
from tests.mail.server import Server, Silent

KEPT = Path(__file__).parent.parent / "mail" / "kept"


@pytest.fixture
def smtp():
    with Server() as server:
        yield server


def use(app, url: str | None) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], smtp_url=url, mail_from="kjj@example.org")


def send_all() -> str | None:
    with unit_of_work():
        job_id = ask_for("send_outbox", {}, act=act(), hand_over=False)
    return run(job_id)


def outbox() -> dict[str, Message]:
    db.session.rollback()
    return {message.recipient: message for message in db.session.scalars(select(Message).order_by(Message.id))}


def states() -> list[str]:
    return [message.state for message in outbox().values()]


def same_as_kept(name: str, text: str) -> None:
    """The full text stands beside the tests, so that a change of wording shows in the diff."""
    assert text.rstrip("\n") == (KEPT / name).read_text(encoding="utf-8").rstrip("\n")


def test_everybodys_digest_reaches_the_server_once_and_whole(app, smtp):
    use(app, smtp.url)
    make_week()
    make_user("tianyan", "admin", name="田砚")
    make_user("zhongqiu", "unit", name="钟秋")
    ending = ("srdi", TODAY - timedelta(days=1000), TODAY + timedelta(days=20))
    make_enterprise("重庆清河新材料有限公司", titles=[ending])
    queue_digests(TODAY, act(), now=NOW)

    send_all()
    send_all()

    assert sorted(smtp.recipients) == [
        f"{login}@example.org"
        for login in ("chenshu", "fenghuang", "liwen", "tianyan", "xianghe", "zhongqiu", "zhouyuan")
    ]
    assert states() == ["sent"] * 7
    texts = {m["To"]: m.get_body(("plain",)).get_content().replace("\r\n", "\n") for m in smtp.accepted}
    bodies = {m["To"]: m.get_body(("html",)).get_content().replace("\r\n", "\n") for m in smtp.accepted}
    same_as_kept("case_manager.txt", texts["xianghe@example.org"])
    same_as_kept("case_manager.html", bodies["xianghe@example.org"])
    same_as_kept("bureau.txt", texts["liwen@example.org"])
    same_as_kept("leader.txt", texts["zhouyuan@example.org"])
    same_as_kept("township.txt", texts["fenghuang@example.org"])
    same_as_kept("unit.txt", texts["zhongqiu@example.org"])
    same_as_kept("admin.txt", texts["tianyan@example.org"])


def test_the_body_is_frozen_when_it_is_queued(sqlite_app, smtp):
    use(sqlite_app, smtp.url)
    make_week()
    queue_digests(TODAY, act(), now=NOW)
    with unit_of_work():
        write(
            [Create("setting", {"region_id": county().id, "key": "office_name", "value": "别的局"})],
            act=act(),
            action="t",
        )

    send_all()

    assert all("科学技术局" in message.get_body(("plain",)).get_content() for message in smtp.accepted)


def test_two_workers_side_by_side_send_each_message_once(app, smtp):
    use(app, smtp.url)
    make_week()
    queue_digests(TODAY, act(), now=NOW)
    together = threading.Barrier(2)

    def worker():
        with app.app_context():
            together.wait(10)
            send_all()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(smtp.recipients) == len(set(smtp.recipients)) == 5
    assert states() == ["sent"] * 5


def test_a_missing_server_is_tried_five_times_with_growing_pauses(sqlite_app, clock):
    use(sqlite_app, "smtp://127.0.0.1:1")
    make_user("xianghe", "case_manager", name="向禾")
    queue_digests(TODAY, act(), now=NOW)
    pauses, sentences = [], set()

    for _ in range(6):
        send_all()
        (message,) = outbox().values()
        if message.not_before is None:
            break
        sentences.add(message.error)
        pauses.append(round((message.not_before - datetime.now(UTC)).total_seconds() / 60))
        send_all()
        clock.move_to(message.not_before + timedelta(seconds=1))

    assert pauses == [1, 5, 15, 60]
    assert sentences == {"连不上邮件服务器。核对 SMTP_URL。过一会儿自动再试。"}
    assert (message.state, message.attempts) == ("failed", 5)
    assert message.error == "连不上邮件服务器。核对 SMTP_URL。不再自动重试。"


def test_a_final_refusal_is_not_tried_again(sqlite_app, smtp, clock):
    use(sqlite_app, smtp.url)
    smtp.refuse = "550 no such mailbox"
    make_user("xianghe", "case_manager", name="向禾")
    queue_digests(TODAY, act(), now=NOW)

    send_all()
    clock.shift(timedelta(days=1))
    send_all()

    (message,) = outbox().values()
    assert (message.state, message.attempts, message.not_before) == ("failed", 1, None)


def test_an_address_no_server_can_take_fails_for_good_and_stops_nobody_elses(app, smtp):
    use(app, smtp.url)
    make_week()
    queue_digests(TODAY, act(), now=NOW)
    # As it may stand in a database from before such addresses were refused.
    with unit_of_work() as work:
        work.execute(
            update(Message).where(Message.recipient == "xianghe@example.org").values(recipient="向禾@kjj.example")
        )

    state = send_all()

    message = outbox()["向禾@kjj.example"]
    assert (state, message.state, message.not_before) == ("done", "failed", None)
    assert message.error == "信箱地址写得不对。在用户里改正后再发。不再自动重试。"
    assert sorted(states()) == ["failed", *["sent"] * 4]


def test_silence_after_the_text_is_uncertain_and_never_sent_again_by_itself(sqlite_app, monkeypatch, clock):
    monkeypatch.setattr(mail_send.send, "__kwdefaults__", {"timeout": 0.5})
    server = Silent()
    use(sqlite_app, server.url)
    make_user("xianghe", "case_manager", name="向禾")
    queue_digests(TODAY, act(), now=NOW)

    send_all()
    clock.shift(timedelta(days=1))
    send_all()
    schedule.ask_to_send(datetime.now(UTC).astimezone(zone()))
    server.close()

    assert states() == ["uncertain"]
    assert len(server.texts) == 1


def test_what_a_dead_worker_left_half_sent_is_uncertain(app, smtp):
    use(app, smtp.url)
    make_week()
    queue_digests(TODAY, act(), now=NOW)
    with unit_of_work() as work:
        dead = ask_for("send_outbox", {}, act=act(), hand_over=False)
        work.execute(
            update(Job).where(Job.id == dead).values(state="running", worker="gone", lease_until=NOW, attempts=1)
        )
        first = work.scalar(select(Message.id).order_by(Message.id))
        work.execute(update(Message).where(Message.id == first).values(state="sending", worker="gone"))

    run(dead)

    assert states() == ["uncertain", "sent", "sent", "sent", "sent"]
    assert "xianghe@example.org" not in smtp.recipients


def test_what_a_living_worker_is_sending_is_left_alone(sqlite_app, smtp):
    use(sqlite_app, smtp.url)
    make_user("xianghe", "case_manager", name="向禾")
    queue_digests(TODAY, act(), now=NOW)
    with unit_of_work() as work:
        alive = ask_for("send_outbox", {}, act=act(), hand_over=False)
        until = datetime.now(UTC) + timedelta(minutes=1)
        work.execute(update(Job).where(Job.id == alive).values(state="running", worker="here", lease_until=until))
        work.execute(update(Message).values(state="sending", worker="here"))

    send_all()

    assert (states(), smtp.recipients) == (["sending"], [])


def test_all_mail_goes_to_one_box_while_the_region_says_so(sqlite_app, smtp):
    use(sqlite_app, smtp.url)
    make_week()
    queue_digests(TODAY, act(), now=NOW)
    with unit_of_work():
        row = {"region_id": county().id, "key": "redirect_all_mail", "value": "trial@example.org"}
        write([Create("setting", row)], act=act(), action="t")

    send_all()

    assert set(smtp.recipients) == {"trial@example.org"}


def test_without_a_server_each_message_is_a_file(sqlite_app):
    use(sqlite_app, None)
    make_week()
    queue_digests(TODAY, act(), now=NOW)

    send_all()

    files = sorted(f.name for f in (sqlite_app.config["SETTINGS"].instance_dir / "outbox").iterdir())
    assert files[0] == "000001-digest-2026-W48-xianghe.eml"
    assert len(files) == 5
    assert states() == ["sent"] * 5


def test_a_message_the_carrier_lost_is_sent_by_the_minutes_safety_net(sqlite_app, smtp):
    use(sqlite_app, smtp.url)
    make_user("xianghe", "case_manager", name="向禾")
    queue_digests(TODAY, act(), now=NOW)
    carrier.huey.flush()
    with unit_of_work() as work:
        work.execute(update(Job).values(state="cancelled"))

    schedule.ask_to_send(datetime.now(UTC).astimezone(zone()))
    run(carrier.huey.dequeue().args[0])

    assert smtp.recipients == ["xianghe@example.org"]
