"""A new password by mail: a real letter through a real server, a link that counts once, and the same answer to all."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from crm.actions.accounts import edit_user
from crm.actions.jobs import ask_for
from crm.actions.settings import change_settings
from crm.extensions import db
from crm.jobs.running import run
from crm.store.messages import Message
from crm.store.second_factors import PasswordReset
from crm.store.unit_of_work import unit_of_work
from crm.web.sign_in import resets
from tests.builders import act, county, make_user
from tests.jobs.test_sending import same_as_kept
from tests.mail.server import Server
from tests.web.conftest import csrf_of, sign_in
from tests.web.test_sign_in import attempt_sign_in

NEW = "山高路远-水长-7"


@pytest.fixture
def smtp(sqlite_app):
    with Server() as server:
        settings = replace(sqlite_app.config["SETTINGS"], smtp_url=server.url, mail_from="kjj@example.org")
        sqlite_app.config["SETTINGS"] = settings
        yield server


def asked(client, who: str):
    token = csrf_of(client, "/sign-in/forgot")
    return client.post("/sign-in/forgot", data={"csrf_token": token, "who": who})


def send_all() -> None:
    with unit_of_work():
        job_id = ask_for("send_outbox", {}, act=act(), hand_over=False)
    run(job_id)


def letter(server) -> str:
    send_all()
    return server.accepted[-1].get_body(("plain",)).get_content().replace("\r\n", "\n")


def link_in(text: str) -> str:
    return re.search(r"https?://[^/\s]+(/sign-in/reset/[\w-]+)", text)[1]


def set_new(client, path: str, password: str = NEW):
    data = {"csrf_token": csrf_of(client), "new_password": password, "again_password": password}
    return client.post(path, data=data)


def test_the_letter_sets_a_new_password_once_and_ends_every_session(sqlite_app, smtp):
    make_user("xianghe", "case_manager", name="向禾")
    signed_in, client = sqlite_app.test_client(), sqlite_app.test_client()
    sign_in(signed_in, "xianghe")
    asked(client, "xianghe")
    text = letter(smtp)
    path = link_in(text)

    page = client.get(path)
    done, again = set_new(client, path), set_new(client, path, "另一个-密码-8")

    same_as_kept("password_reset.txt", re.sub(r"11:0\d", "11:00", re.sub(r"http\S+", "http://…", text)))
    assert smtp.recipients == ["xianghe@example.org"]
    assert "向禾（xianghe）" in page.text
    assert (done.status_code, again.status_code) == (302, 410)
    assert signed_in.get("/account").status_code == 302
    assert attempt_sign_in(client, "xianghe", NEW).status_code == 302


def test_the_answer_is_the_same_whether_there_is_such_a_mailbox_or_not(sqlite_app, smtp):
    make_user("xianghe", "case_manager")

    answers = [asked(sqlite_app.test_client(), who) for who in ("xianghe@example.org", "nobody@example.org")]

    texts = [
        re.sub(r"(xianghe|nobody)@|请求编号.*?</p>|value=\"[^\"]+\"|content=\"[^\"]+\"", "", a.text) for a in answers
    ]
    assert [a.status_code for a in answers] == [200, 200]
    assert texts[0] == texts[1]
    assert db.session.scalars(select(Message.recipient)).all() == ["xianghe@example.org"]


def test_the_link_is_in_no_table_and_an_office_that_reads_the_outbox_sees_none(sqlite_app, smtp):
    make_user("xianghe", "case_manager")
    asked(sqlite_app.test_client(), "xianghe")
    key = link_in(letter(smtp)).rsplit("/", 1)[1]
    db.session.rollback()

    message = db.session.scalar(select(Message))
    reset = db.session.scalar(select(PasswordReset))

    assert key not in message.text + (message.html or "") + message.period + reset.key_hash
    assert "链接只在发出的信里" in message.text


def test_mail_that_is_redirected_in_a_trial_never_takes_somebodys_link_along(sqlite_app, smtp):
    make_user("xianghe", "case_manager")
    with unit_of_work():
        change_settings(county().id, {"redirect_all_mail": "trial@example.org"}, seen={}, act=act())

    asked(sqlite_app.test_client(), "xianghe")
    send_all()

    assert smtp.recipients == ["xianghe@example.org"]


def test_after_an_hour_the_link_is_stale(sqlite_app, smtp, monday):
    make_user("xianghe", "case_manager")
    client = sqlite_app.test_client()
    asked(client, "xianghe")
    path = link_in(letter(smtp))
    monday.shift(timedelta(minutes=61))

    page, pressed = client.get(path), set_new(client, path)

    assert (page.status_code, pressed.status_code) == (410, 410)
    assert "已用过或已过期" in page.text


def test_a_second_letter_ends_with_the_first_that_is_used(sqlite_app, smtp):
    make_user("xianghe", "case_manager")
    client = sqlite_app.test_client()
    asked(client, "xianghe")
    first = link_in(letter(smtp))
    asked(client, "xianghe")
    second = link_in(letter(smtp))

    set_new(client, second)

    assert client.get(first).status_code == 410


def test_a_bad_new_password_is_said_and_the_link_still_counts(sqlite_app, smtp):
    make_user("xianghe", "case_manager")
    client = sqlite_app.test_client()
    asked(client, "xianghe")
    path = link_in(letter(smtp))

    short = set_new(client, path, "kurz")

    assert (short.status_code, "密码至少 8 个字符。" in short.text) == (422, True)
    assert set_new(client, path).status_code == 302


def test_whoever_asks_too_often_is_slowed_whether_the_name_exists_or_not(sqlite_app, smtp):
    make_user("xianghe", "case_manager")

    for who in ("xianghe", "nobody"):
        statuses = [asked(sqlite_app.test_client(), who).status_code for _ in range(resets.OF_ONE + 1)]
        assert statuses == [200, 200, 200, 429]


def test_without_a_mail_server_the_page_says_whom_to_ask(sqlite_app):
    make_user("xianghe", "case_manager")
    client = sqlite_app.test_client()

    page = client.get("/sign-in/forgot").text
    pressed = client.post("/sign-in/forgot", data={"csrf_token": csrf_of(client), "who": "xianghe"})

    assert "找系统管理员，在“用户”里给你重设密码" in page
    assert pressed.status_code == 422
    assert db.session.scalar(select(Message.id)) is None


def test_a_closed_account_gets_no_letter(sqlite_app, smtp):
    person = make_user("xianghe", "case_manager")
    with unit_of_work():
        edit_user(person.user_id, {"active": False}, version=1, act=act())

    asked(sqlite_app.test_client(), "xianghe")

    assert db.session.scalar(select(Message.id)) is None
