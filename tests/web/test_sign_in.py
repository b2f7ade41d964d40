"""Signing in: what is refused, how long a session lives, and that nothing typed is lost when it ends."""

import html
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.sessions import Throttle, UserSession, key_hash
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User
from crm.web.doors import own_path
from crm.web.sign_in.sessions import ABSOLUTE, IDLE
from crm.web.users.forms import PasswordForm
from tests.builders import PASSWORD, make_user
from tests.web.conftest import csrf_of, post, sign_in


def attempt_sign_in(client, login, password, **more):
    data = {"csrf_token": csrf_of(client), "login": login, "password": password, **more}
    return client.post("/sign-in", data=data)


def hidden_fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def session_count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(UserSession))


def test_a_wrong_password_is_one_sentence_that_does_not_say_which_was_wrong(app):
    make_user("lina", "bureau")

    wrong = attempt_sign_in(app.test_client(), "lina", "falsch-falsch")
    nobody = attempt_sign_in(app.test_client(), "nobody", "falsch-falsch")

    assert (wrong.status_code, nobody.status_code) == (401, 401)
    assert "登录名或密码不对。" in wrong.text
    assert "登录名或密码不对。" in nobody.text


def test_the_login_is_kept_and_the_password_is_not(sqlite_app):
    make_user("lina", "bureau")

    page = attempt_sign_in(sqlite_app.test_client(), "lina", "falsch-falsch").text

    assert 'value="lina"' in page
    assert "falsch-falsch" not in page


def test_a_login_that_nobody_has_is_not_written_down(sqlite_app):
    attempt_sign_in(sqlite_app.test_client(), "MyPassword1", "x")

    db.session.rollback()
    assert [(row.what, row.subject) for row in db.session.scalars(select(AccessLog))] == [("sign_in_failed", "")]


def test_guessing_is_slowed_in_the_database_and_time_opens_the_door_again(app, monday):
    make_user("lina", "bureau")
    client = app.test_client()
    for _ in range(10):
        attempt_sign_in(client, "lina", "falsch-falsch")

    refused = attempt_sign_in(app.test_client(), "lina", PASSWORD)
    db.session.rollback()
    buckets = db.session.scalar(select(func.count()).select_from(Throttle).where(Throttle.key == "sign-in:lina"))
    monday.shift(timedelta(minutes=1, seconds=5))
    later = attempt_sign_in(app.test_client(), "lina", PASSWORD)

    assert (refused.status_code, buckets, later.status_code) == (429, 1, 302)
    assert "过一分钟再试" in refused.text


def test_signing_in_takes_a_new_key_and_forgets_the_old_one(sqlite_app):
    make_user("lina", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    with client.session_transaction() as kept:
        first = kept["key"]
    sign_in_again = client.post(
        "/sign-in", data={"csrf_token": csrf_of(client, "/account"), "login": "lina", "password": PASSWORD}
    )
    with client.session_transaction() as kept:
        second = kept["key"]

    db.session.rollback()
    hashes = list(db.session.scalars(select(UserSession.key_hash)))

    assert sign_in_again.status_code == 302
    assert first != second
    assert hashes == [key_hash(second)]


def test_a_key_somebody_planted_before_is_worth_nothing_afterwards(sqlite_app):
    make_user("lina", "bureau")
    client = sqlite_app.test_client()
    with client.session_transaction() as kept:
        kept["key"] = "planted"

    sign_in(client, "lina")

    with client.session_transaction() as kept:
        assert kept["key"] != "planted"


def test_an_idle_session_ends(app, monday):
    make_user("lina", "bureau")
    client = app.test_client()
    sign_in(client, "lina")

    monday.shift(IDLE - timedelta(minutes=1))
    still = client.get("/account").status_code
    monday.shift(IDLE + timedelta(minutes=1))
    gone = client.get("/account")

    assert still == 200
    assert gone.status_code == 302
    assert gone.headers["Location"] == "/sign-in?next=/account"


def test_a_session_that_is_used_all_day_still_ends(sqlite_app, monday):
    make_user("lina", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "lina")

    answers = []
    for _ in range(13):
        monday.shift(timedelta(hours=1))
        answers.append(client.get("/account").status_code)

    assert answers == [200] * int(ABSOLUTE / timedelta(hours=1) - 1) + [302, 302]


def test_signing_out_everywhere_ends_the_other_device_too(app):
    make_user("lina", "bureau")
    desk, phone = app.test_client(), app.test_client()
    sign_in(desk, "lina")
    sign_in(phone, "lina")

    answer = post(desk, "/account/sessions")

    assert answer.status_code == 302
    assert session_count() == 0
    assert phone.get("/account").status_code == 302


def test_signing_out_leaves_the_other_device_alone(sqlite_app):
    make_user("lina", "bureau")
    desk, phone = sqlite_app.test_client(), sqlite_app.test_client()
    sign_in(desk, "lina")
    sign_in(phone, "lina")

    post(desk, "/sign-out")

    assert desk.get("/account").status_code == 302
    assert phone.get("/account").status_code == 200


def test_a_stolen_cookie_is_worth_nothing_after_signing_out(sqlite_app):
    make_user("lina", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    stolen = client.get_cookie("crm").value
    post(client, "/sign-out")

    thief = sqlite_app.test_client()
    thief.set_cookie("crm", stolen)

    assert thief.get("/account").status_code == 302


def test_a_form_sent_after_the_session_ended_is_saved_after_signing_in(app, monday):
    viewer = make_user("lina", "bureau")
    client = app.test_client()
    sign_in(client, "lina")
    version = db.session.get(User, viewer.user_id).version
    monday.shift(IDLE + timedelta(minutes=5))
    token = csrf_of(client)
    name = "李娜 <i>与</i> “引号” & 换行"
    data = {"csrf_token": token, "request_key": "k-1", "name": name, "email": "lina@example.org", "version": version}

    asked = client.post("/account", data=data)
    signed_in = client.post("/sign-in", data=hidden_fields(asked.text) | {"login": "lina", "password": PASSWORD})
    saved = client.post("/account", data=hidden_fields(signed_in.text))

    db.session.rollback()
    assert (asked.status_code, signed_in.status_code, saved.status_code) == (401, 200, 302)
    assert "你填的内容还在" in asked.text
    assert db.session.get(User, viewer.user_id).name == name


def test_a_kept_form_survives_a_mistyped_password(sqlite_app, monday):
    make_user("lina", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    monday.shift(IDLE + timedelta(minutes=5))
    asked = client.post("/account", data={"csrf_token": csrf_of(client), "name": "没存上的字", "version": 1})

    wrong = client.post("/sign-in", data=hidden_fields(asked.text) | {"login": "lina", "password": "falsch-falsch"})

    assert wrong.status_code == 401
    assert hidden_fields(wrong.text)["kept.name"] == "没存上的字"
    assert hidden_fields(wrong.text)["next"] == "/account"


def test_a_kept_form_never_carries_a_password(sqlite_app, monday):
    make_user("lina", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    monday.shift(IDLE + timedelta(minutes=5))

    typed = dict.fromkeys(
        PasswordForm(formdata=None, meta={"csrf": False}).data.keys() - {"request_key"}, "geheim-geheim"
    )

    asked = client.post("/account/password", data={"csrf_token": csrf_of(client), "username": "lina", **typed})

    assert len(typed) == 3
    assert asked.status_code == 401
    assert "geheim-geheim" not in asked.text


def test_a_kept_form_asks_for_its_file_again(sqlite_app, monday):
    make_user("lina", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    monday.shift(IDLE + timedelta(minutes=5))
    sent = {"csrf_token": csrf_of(client), "full_list": "y", "file": (io.BytesIO(b"x"), "台账.xlsx")}

    asked = client.post("/imports", data=sent, content_type="multipart/form-data")
    page = client.post("/sign-in", data=hidden_fields(asked.text) | {"login": "lina", "password": PASSWORD}).text

    form = page[page.index('action="/imports" enctype="multipart/form-data"') :]
    assert "选过的文件要再选一次。" in asked.text
    assert hidden_fields(form)["full_list"] == "y"
    assert re.search(r'type="file" id="f-file" name="file" required', form)
    assert "原来选的是 台账.xlsx" in form


def test_a_lone_button_pressed_too_late_leads_back_to_its_page(sqlite_app, monday):
    make_user("lina", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    monday.shift(IDLE + timedelta(minutes=5))
    token = csrf_of(client)

    asked = client.post(
        "/account/sessions", data={"csrf_token": token}, headers={"Referer": "http://localhost/account"}
    )
    answer = client.post("/sign-in", data=hidden_fields(asked.text) | {"login": "lina", "password": PASSWORD})

    assert asked.status_code == 401
    assert answer.headers["Location"] == "/account"


def test_a_form_without_its_token_comes_back_filled_in(sqlite_app):
    viewer = make_user("lina", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    version = db.session.get(User, viewer.user_id).version
    data = {"request_key": "k-2", "name": "没有令牌也不丢字", "version": version}

    answer = client.post("/account", data=data)
    before = db.session.get(User, viewer.user_id).name
    saved = client.post("/account", data=hidden_fields(answer.text))

    db.session.rollback()
    assert (answer.status_code, saved.status_code) == (400, 302)
    assert before == "lina"
    assert db.session.get(User, viewer.user_id).name == "没有令牌也不丢字"


def test_a_sign_in_page_without_its_token_never_shows_the_password(sqlite_app):
    make_user("lina", "bureau")

    answer = sqlite_app.test_client().post("/sign-in", data={"login": "lina", "password": PASSWORD})

    assert answer.status_code == 400
    assert PASSWORD not in answer.text
    assert 'value="lina"' in answer.text


def test_a_token_of_another_session_is_refused(sqlite_app):
    make_user("lina", "bureau")
    make_user("other", "bureau")
    mine, theirs = sqlite_app.test_client(), sqlite_app.test_client()
    sign_in(mine, "lina")
    sign_in(theirs, "other")

    answer = mine.post("/account", data={"csrf_token": csrf_of(theirs, "/account"), "name": "抢", "version": 1})

    assert answer.status_code == 400


OUTSIDE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("target", OUTSIDE)
def test_signing_in_never_leads_to_another_site(sqlite_app, target):
    make_user("lina", "bureau")

    answer = attempt_sign_in(sqlite_app.test_client(), "lina", PASSWORD, next=target)

    assert answer.headers["Location"] == "/"


def test_signing_in_leads_to_the_page_that_was_asked_for(sqlite_app):
    make_user("lina", "bureau")

    answer = attempt_sign_in(sqlite_app.test_client(), "lina", PASSWORD, next="/enterprises?q=烤鱼&page=2")

    assert own_path("/enterprises?q=烤鱼&page=2") == "/enterprises?q=烤鱼&page=2"
    assert answer.headers["Location"].startswith("/enterprises?q=")


def test_a_deactivated_user_is_out_at_once_and_cannot_come_back(app):
    viewer = make_user("lina", "bureau")
    client = app.test_client()
    sign_in(client, "lina")
    with unit_of_work():
        db.session.execute(User.__table__.update().where(User.id == viewer.user_id).values(active=False))

    inside = client.get("/account").status_code
    again = attempt_sign_in(app.test_client(), "lina", PASSWORD)

    assert inside == 302
    assert again.status_code == 401
    assert "登录名或密码不对。" in again.text


def test_a_fragment_asked_for_too_late_sends_the_browser_to_sign_in(sqlite_app):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/enterprises?q=a"}

    answer = sqlite_app.test_client().get("/account", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/enterprises?q%3Da"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(sqlite_app):
    make_user("lina", "bureau")

    answer = attempt_sign_in(sqlite_app.test_client(), "lina", PASSWORD)

    cookie = next(value for name, value in answer.headers if name == "Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_ended_sessions_are_swept_when_their_user_signs_in_again(sqlite_app, monday):
    make_user("lina", "bureau")
    sign_in(sqlite_app.test_client(), "lina")
    monday.shift(ABSOLUTE + timedelta(minutes=1))

    sign_in(sqlite_app.test_client(), "lina")

    assert session_count() == 1
