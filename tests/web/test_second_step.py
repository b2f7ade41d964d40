"""The second step of signing in, and being asked again before what is dangerous."""

import html
import io
import re
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pyotp
import pytest
from sqlalchemy import select

from crm.actions import second_factors
from crm.actions.accounts import GrantWish, grant
from crm.actions.enterprises import edit_enterprise
from crm.actions.settings import change_settings
from crm.extensions import db
from crm.store import file_store
from crm.store.access_log import AccessLog
from crm.store.changes import ChangeSet
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Grant
from tests.builders import NOW, PASSWORD, TODAY, act, county, make_enterprise, make_user
from tests.web.conftest import csrf_of, post, sign_in
from tests.web.test_sign_in import attempt_sign_in, hidden_fields


@pytest.fixture
def secret(sqlite_app):
    """谭越 of the bureau has a second factor since yesterday."""
    person = make_user("tanyue", "bureau", name="谭越")
    then = datetime.now(UTC) - timedelta(days=1)
    with unit_of_work():
        secret = second_factors.begin(person.user_id, act=act(person, now=then))
        second_factors.confirm(person.user_id, pyotp.TOTP(secret).at(then), act=act(person, now=then))
    return secret


def give(client, page: str, code: str):
    """Type a code into the page of the second step, with everything that page carries along."""
    return client.post("/sign-in/code", data=hidden_fields(page) | {"secret_code": code})


def now_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC))


def test_the_password_alone_opens_nothing(sqlite_app, secret):
    client = sqlite_app.test_client()

    page = attempt_sign_in(client, "tanyue", PASSWORD)

    assert "手机验证器上的六位数" in page.text
    assert client.get("/").headers["Location"].startswith("/sign-in")


def test_password_and_code_sign_in_and_what_was_being_sent_comes_back(sqlite_app, secret):
    client = sqlite_app.test_client()
    kept = {"next": "/visits/new", "kept.text": "看了新厂房"}

    page = attempt_sign_in(client, "tanyue", PASSWORD, **kept).text
    answer = give(client, page, now_of(secret))

    assert "看了新厂房" in answer.text
    assert client.get("/account").status_code == 200


def test_a_code_signs_in_once(sqlite_app, secret):
    code = now_of(secret)
    first, second = sqlite_app.test_client(), sqlite_app.test_client()

    good = give(first, attempt_sign_in(first, "tanyue", PASSWORD).text, code)
    again = give(second, attempt_sign_in(second, "tanyue", PASSWORD).text, code)

    assert (good.status_code, again.status_code) == (302, 401)
    assert "验证码不对，或刚用过" in again.text


def test_a_challenge_takes_five_tries_and_the_account_ten(sqlite_app, secret):
    def tries() -> int:
        client = sqlite_app.test_client()
        page = attempt_sign_in(client, "tanyue", PASSWORD).text
        for n in range(1, 12):
            if give(client, page, "12 34 5x").status_code == 302:
                return n - 1
        return 99

    counted = [tries(), tries(), tries()]
    client = sqlite_app.test_client()
    page = attempt_sign_in(client, "tanyue", PASSWORD).text

    assert counted == [5, 5, 0]
    assert give(client, page, now_of(secret)).status_code == 302
    assert client.get("/").headers["Location"].startswith("/sign-in")


def test_a_challenge_left_for_ten_minutes_asks_for_the_password_again(sqlite_app, secret, monday):
    client = sqlite_app.test_client()
    page = attempt_sign_in(client, "tanyue", PASSWORD).text
    monday.shift(timedelta(minutes=11))

    answer = give(client, page, now_of(secret))

    assert answer.headers["Location"].startswith("/sign-in")
    assert "验证码页放得太久" in client.get("/sign-in").text


def test_it_is_set_up_with_a_picture_and_the_codes_are_shown_once(sqlite_app):
    person = make_user("xianghe", "case_manager")
    client = sqlite_app.test_client()
    sign_in(client, "xianghe")

    page = client.get("/account/second-factor").text
    spelled = re.search(r'<code class="qr-key">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
    wrong = post(client, "/account/second-factor", {"secret_code": "000000"})
    codes = post(client, "/account/second-factor", {"secret_code": now_of(spelled)})

    assert 'src="data:image/svg+xml;base64,' in page
    assert "这六位数不对" in wrong.text
    assert len(re.findall(r"<li><code>[a-z2-9-]{14}</code></li>", codes.text)) == 10
    assert codes.headers["Cache-Control"] == "no-store"
    assert second_factors.is_on(person.user_id)
    assert "恢复码还剩 10 个" in client.get("/account").text


def test_where_the_region_asks_for_it_the_office_sets_it_up_first(sqlite_app):
    make_user("tanyue", "bureau")
    with unit_of_work():
        change_settings(county().id, {"second_factor_required": True}, seen={}, act=act())
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")

    turned = client.get("/enterprises")
    sent = client.post(
        "/account", data={"csrf_token": csrf_of(client, "/account/second-factor"), "name": "写到一半的新名字"}
    )
    page = client.get("/account/second-factor").text
    spelled = re.search(r'<code class="qr-key">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
    data = {"csrf_token": csrf_of(client, "/account/second-factor"), "secret_code": now_of(spelled)}
    client.post("/account/second-factor", data=data)

    assert turned.headers["Location"] == "/account/second-factor"
    assert (sent.status_code, "写到一半的新名字" in sent.text) == (403, True)
    assert client.get("/enterprises").status_code == 200


# --- step-up ---------------------------------------------------------------------------------------------------------


def proved(client, page: str, **typed):
    return client.post("/prove", data=hidden_fields(page) | {"proof_password": PASSWORD, **typed})


def kept_form(page: str) -> dict[str, str]:
    """The fields of the form that came back."""
    return hidden_fields(page[page.rindex("<form", 0, page.index("接着做")) :])


def test_a_role_is_given_without_a_question_just_after_signing_in_and_with_one_later(sqlite_app, monday):
    make_user("admin1", "admin")
    person = make_user("xianghe", "case_manager")
    client = sqlite_app.test_client()
    sign_in(client, "admin1")
    wish = {"role": "leader", "place": f"region:{county().id}", "valid_to": "2027-06-30"}
    monday.shift(timedelta(minutes=16))

    asked = post(client, f"/users/{person.user_id}/grants", wish)
    wrong = client.post("/prove", data=hidden_fields(asked.text) | {"proof_password": "not mine"})
    back = proved(client, wrong.text)
    done = client.post(f"/users/{person.user_id}/grants", data=kept_form(back.text))

    assert (asked.status_code, wrong.status_code, back.status_code, done.status_code) == (403, 403, 200, 302)
    assert "再确认一次是你本人" in asked.text
    assert "密码不对。" in wrong.text
    grant = db.session.scalar(select(Grant).where(Grant.user_id == person.user_id).order_by(Grant.id.desc()))
    assert (grant.role, grant.valid_to.isoformat()) == ("leader", "2027-06-30")


def test_nothing_dangerous_is_asked_twice_within_a_quarter_of_an_hour(sqlite_app, monday):
    make_user("tanyue", "bureau")
    make_enterprise()
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    monday.shift(timedelta(minutes=16))
    asked = client.get("/enterprises/export")
    on = proved(client, asked.text)

    later = client.get("/enterprises/export")

    assert (asked.status_code, on.headers["Location"], later.status_code) == (403, "/enterprises/export", 200)
    assert "导出全部企业" in asked.text


def test_a_part_of_the_list_is_exported_without_a_question(sqlite_app, monday):
    make_user("tanyue", "bureau")
    make_enterprise("巫溪县青禾食品有限公司")
    make_enterprise("巫溪县盐泉制盐有限公司")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    monday.shift(timedelta(minutes=16))

    assert client.get("/enterprises/export?q=青禾").status_code == 200


def test_the_own_slip_is_undone_at_once_and_that_of_others_after_a_question(sqlite_app, monday):
    make_user("tanyue", "bureau")
    colleague = make_user("ranqing", "bureau")
    firm = make_enterprise()
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    monday.shift(timedelta(minutes=16))
    with unit_of_work():
        theirs = edit_enterprise(firm, {"contact_name": "别人写的"}, version=1, act=act(colleague)).change_set_id

    asked = post(client, f"/changes/{theirs}/undo")
    unchanged = db.session.scalar(select(Enterprise.contact_name))
    back = proved(client, asked.text)
    done = client.post(f"/changes/{theirs}/undo", data=kept_form(back.text))
    own = db.session.scalar(select(ChangeSet.id).order_by(ChangeSet.id.desc()))
    monday.shift(timedelta(minutes=16))
    again = post(client, f"/changes/{own}/undo")

    db.session.expire_all()
    assert (asked.status_code, unchanged, done.status_code, again.status_code) == (403, "别人写的", 302, 302)


def test_with_a_second_factor_the_proof_asks_for_a_code_too(sqlite_app, secret, monday):
    make_enterprise()
    client = sqlite_app.test_client()
    give(client, attempt_sign_in(client, "tanyue", PASSWORD).text, now_of(secret))
    monday.shift(timedelta(minutes=16))
    asked = client.get("/enterprises/export")

    without = proved(client, asked.text)
    with_code = proved(client, without.text, secret_code=now_of(secret))

    assert (without.status_code, "填手机上的验证码" in without.text) == (403, True)
    assert with_code.headers["Location"] == "/enterprises/export"


def test_taking_back_a_role_asks_even_of_whoever_gave_it_and_so_does_an_import_of_others(sqlite_app, monday):
    admin, colleague = make_user("admin1", "admin"), make_user("tanyue", "bureau")
    person = make_user("xianghe", "case_manager")
    with unit_of_work():
        wish = GrantWish("leader", region_id=county().id)
        given = grant(person.user_id, wish, act=act(admin)).change_set_id
    with unit_of_work() as work:
        stored = file_store.record(
            file_store.keep(b"x"), name="x.csv", purpose="import", at=NOW, region_id=county().id, owner_id=None
        )
        batch = ImportBatch(
            region_id=county().id,
            user_id=colleague.user_id,
            who="谭越",
            stored_file_id=stored.id,
            file_name="x.csv",
            profile="generic",
            effective_on=TODAY,
            state="done",
            created_at=NOW,
        )
        work.add(batch)
        work.flush()
        batch_id = batch.id
    make_user("ranqing", "bureau")
    clients = {login: sqlite_app.test_client() for login in ("admin1", "ranqing")}
    for login, client in clients.items():
        sign_in(client, login)
    monday.shift(timedelta(minutes=16))

    role = post(clients["admin1"], f"/changes/{given}/undo")
    imported = post(clients["ranqing"], f"/imports/{batch_id}/undo")

    assert (role.status_code, "撤销别人的修改或授权" in role.text) == (403, True)
    assert (imported.status_code, "撤销别人的导入" in imported.text) == (403, True)


# --- 访问留痕 --------------------------------------------------------------------------------------------------------


def test_the_log_says_who_exported_what_and_its_own_export_stands_in_it(sqlite_app):
    make_user("tanyue", "bureau", name="谭越")
    make_enterprise()
    client = sqlite_app.test_client()
    attempt_sign_in(client, "tanyue", "wrong-wrong")
    sign_in(client, "tanyue")
    client.get("/enterprises/export?q=青禾")

    page = client.get("/access-log").text
    only = client.get("/access-log?what=taken").text
    book = client.get("/access-log/export?what=taken").data
    after = client.get("/access-log?what=taken").text

    assert [html.unescape(word) for word in re.findall(r'<td class="nw fc(?: t-bad)?">([^<]+)</td>', page)] == [
        "导出",
        "登录",
        "登录失败",
    ]
    assert "q=青禾" in only
    with ZipFile(io.BytesIO(book)) as archive:
        written = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "q=青禾" in written
    assert after.count(">导出</td>") == 2
    assert db.session.scalar(select(AccessLog.subject).order_by(AccessLog.id.desc())) == "访问留痕"


def test_a_day_that_is_none_is_named_and_the_rest_of_the_filter_stays(sqlite_app):
    make_user("tanyue", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")

    page = client.get("/access-log?since=2026-13-01&what=sign_in").text

    assert "“2026-13-01”不是日期" in page
    assert page.count(">登录</td>") == 1
