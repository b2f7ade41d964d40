"""Around every request: headers, ids, pages for what goes wrong, the log, and what the operators' probes see."""

import html
import io
import json
import re
import sqlite3
from datetime import timedelta

import pytest
import structlog
from flask import abort
from structlog.testing import capture_logs

from crm.domain.words import local
from crm.extensions import db
from crm.store.jobs import Heartbeat
from crm.store.unit_of_work import DatabaseBusy, unit_of_work
from crm.store.users import User
from crm.web.doors import ANYBODY, SIGNED_IN, open_to
from crm.web.frame import CSP
from tests.builders import NOW, make_enterprise, make_user
from tests.conftest import build, settings_for
from tests.web.conftest import csrf_of, post, sign_in

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


@pytest.fixture
def broken(sqlite_settings):
    """The application with a few doors that go wrong in every way, as an outsider sees it."""
    application = build(sqlite_settings, PROPAGATE=False, HUEY=_huey())

    @application.get("/broken")
    @open_to(ANYBODY)
    def fault():
        raise ValueError("李娜的电话 13800000000")

    @application.route("/busy", methods=["GET", "POST"])
    @open_to(ANYBODY)
    def busy():
        raise DatabaseBusy

    @application.get("/too-large")
    @open_to(ANYBODY)
    def too_large():
        abort(413)

    @application.get("/forgotten")
    def forgotten():
        return "nobody said for whom this is"

    @application.get("/for-admins")
    @open_to("admin")
    def for_admins():
        return "ok"

    @application.get("/for-anybody-signed-in")
    @open_to(SIGNED_IN)
    def for_signed_in():
        return "ok"

    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def _huey():
    from huey import MemoryHuey

    return MemoryHuey("tests", immediate=False)


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/account",
        "/nowhere",
        "/broken",
        "/busy",
        "/too-large",
        "/healthz",
        "/readyz",
        "/static/css/app.css",
    ],
)
def test_every_kind_of_answer_has_the_headers_and_an_id(broken, path):
    answer = broken.test_client().get(path, buffered=True)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert re.fullmatch(r"[0-9a-f]{12}", answer.headers["X-Request-Id"])


def test_the_policy_is_the_one_of_the_contract():
    assert HEADERS["Content-Security-Policy"] == CSP


def test_pages_are_not_kept_by_browsers_and_files_are(broken):
    client = broken.test_client()

    assert client.get("/sign-in").headers["Cache-Control"] == "no-store"
    assert "max-age" in client.get("/static/css/app.css", buffered=True).headers["Cache-Control"]


def test_two_requests_have_two_ids(broken):
    client = broken.test_client()

    assert client.get("/healthz").headers["X-Request-Id"] != client.get("/healthz").headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "找不到这一页"),
        ("/broken", 500, "这一步没有办成"),
        ("/busy", 503, "现在忙，先等一等"),
        ("/too-large", 413, "文件太大，收不下"),
    ],
)
def test_what_goes_wrong_is_said_in_chinese_with_the_number_of_the_request(broken, path, status, words):
    answer = broken.test_client().get(path)

    assert answer.status_code == status
    assert words in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    assert "13800000000" not in answer.text


def test_a_forbidden_door_says_so_to_who_is_signed_in(broken):
    make_user("lina", "leader")
    client = broken.test_client()
    sign_in(client, "lina")

    answer = client.get("/for-admins")

    assert answer.status_code == 403
    assert "这一页不归你看" in answer.text
    assert "记录可以看" not in answer.text


def test_an_address_that_leads_nowhere_keeps_the_way_on_for_who_is_signed_in(broken):
    make_user("lina", "leader", name="李娜")
    client = broken.test_client()
    sign_in(client, "lina")

    known, stranger = client.get("/nowhere").text, broken.test_client().get("/nowhere").text

    assert [('class="cp-nav"' in page, "李娜" in page) for page in (known, stranger)] == [(True, True), (False, False)]


def test_a_print_says_the_day_and_the_hour_it_stands_for(broken):
    make_user("lina", "leader", name="李娜")
    client = broken.test_client()
    sign_in(client, "lina")

    page = client.get("/enterprises").text

    moment = f"{local(NOW):%Y-%m-%d %H:%M}"
    assert f'<p class="cp-print">截至 {moment} · 全部企业 · 按 名称 升序 · 0 家</p>' in page
    assert f"李娜 打印 · <time data-printed>{moment}</time>" in page


def test_a_door_that_says_not_for_whom_it_is_stays_shut(broken):
    make_user("boss", "admin")
    client = broken.test_client()
    sign_in(client, "boss")

    assert client.get("/forgotten").status_code == 404
    assert client.get("/for-anybody-signed-in").status_code == 200


def test_a_refused_token_carries_the_number_of_its_request(broken):
    make_user("lina", "bureau")
    client = broken.test_client()
    sign_in(client, "lina")

    answer = client.post("/account", data={"name": "x"})

    assert answer.status_code == 400
    assert answer.headers["X-Request-Id"] in answer.text


def test_an_error_page_comes_even_when_the_database_is_gone(broken, monkeypatch):
    make_user("lina", "bureau")
    client = broken.test_client()
    sign_in(client, "lina")

    def gone(*_args, **_kwargs):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("crm.web.frame.settings_in_force", gone)
    answer = client.get("/account")

    assert answer.status_code == 500
    assert "这一步没有办成" in answer.text


def test_a_busy_database_gives_the_form_back_to_be_sent_once_more(broken):
    client = broken.test_client()
    token = csrf_of(client)
    typed = {
        "csrf_token": token,
        "request_key": "k-9",
        "text": "走访记录 <b>一百字</b> & “引号”",
    }

    first = client.post("/busy", data=typed)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', first.text))
    again = client.post("/busy", data={name: html.unescape(value) for name, value in fields.items()})

    assert (first.status_code, first.headers["Retry-After"]) == (503, "3")
    assert "data-retry-busy" in first.text
    assert html.unescape(fields["text"]) == typed["text"]
    assert fields["request_key"] == "k-9"
    assert again.status_code == 503
    assert "data-retry-busy" not in again.text


@pytest.mark.parametrize(
    ("given", "sentence", "asked"),
    [
        pytest.param({"password": "geheim-1"}, "填过的密码要再填一次。", ("password", "password"), id="a password"),
        pytest.param(
            {"file": (io.BytesIO(b"geheim-1"), "台账.xlsx")}, "选过的文件要再选一次。", ("file", "file"), id="a file"
        ),
    ],
)
def test_a_form_that_lost_its_file_or_password_waits_for_the_person(broken, given, sentence, asked):
    client = broken.test_client()
    data = {"csrf_token": csrf_of(client), "request_key": "k-9", "text": "走访记录", **given}

    answer = client.post("/busy", data=data, content_type="multipart/form-data")

    assert answer.status_code == 503
    assert "data-retry-busy" not in answer.text
    assert "这一页会自动再存一次" not in answer.text
    assert sentence in answer.text
    assert "geheim-1" not in answer.text
    form = answer.text[answer.text.index('action="/busy"') :]
    assert re.findall(r'type="(file|password)" id="[^"]+" name="([^"]+)"', form) == [asked]
    assert ('enctype="multipart/form-data"' in form) == ("file" in given)


def test_the_page_of_a_busy_database_carries_no_new_password(sqlite_settings):
    application = build(sqlite_settings, PROPAGATE=False, HUEY=_huey(), BUSY_SECONDS=0.2)
    with application.app_context():
        make_user("lina", "bureau")
        client = application.test_client()
        sign_in(client, "lina")
        fields = {"old_password": "geheim-geheim", "new_password": "geheim-geheim-2"}
        data = {"csrf_token": csrf_of(client, "/account"), "again_password": "geheim-geheim-2", **fields}

        holder = sqlite3.connect(db.engine.url.database, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        busy = client.post("/account/password", data=data)
        holder.execute("ROLLBACK")
        holder.close()

        assert busy.status_code == 503
        assert "geheim-geheim" not in busy.text
        assert [f"{word}</label>" in busy.text for word in ("现在的密码", "新密码", "再填一次新密码")] == [True] * 3
        db.session.remove()
        db.engine.dispose()


def test_a_form_met_by_a_real_lock_is_saved_when_sent_again(sqlite_settings):
    application = build(sqlite_settings, PROPAGATE=False, HUEY=_huey(), BUSY_SECONDS=0.2)
    with application.app_context():
        viewer = make_user("lina", "bureau")
        client = application.test_client()
        sign_in(client, "lina")
        token = csrf_of(client, "/account")
        version = db.session.get(User, viewer.user_id).version
        db.session.rollback()
        data = {"csrf_token": token, "request_key": "k-10", "name": "锁过的名字", "version": version}

        holder = sqlite3.connect(db.engine.url.database, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        busy = client.post("/account", data=data)
        holder.execute("ROLLBACK")
        holder.close()
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', busy.text))
        saved = client.post("/account", data=fields)
        twice = client.post("/account", data=fields)

        db.session.rollback()
        assert (busy.status_code, saved.status_code, twice.status_code) == (503, 302, 302)
        assert db.session.get(User, viewer.user_id).name == "锁过的名字"
        assert db.session.get(User, viewer.user_id).version == version + 1
        db.session.remove()
        db.engine.dispose()


def test_the_log_of_a_request_has_its_id_and_nothing_about_people(broken):
    make_user("lina", "bureau", name="李娜")
    enterprise_id = make_enterprise("巫溪县青禾食品有限责任公司")
    client = broken.test_client()
    with capture_logs() as lines:
        sign_in(client, "lina")
        client.get("/account?q=青禾")
        client.get(f"/enterprises/{enterprise_id}?q=青禾")
        post(client, "/account", {"name": "李娜二", "email": "lina2@example.org", "version": "1"})
        answer = client.get("/broken")

    requests = [line for line in lines if line["event"] == "request"]
    said = json.dumps(lines, ensure_ascii=False, default=repr)
    assert requests[-1]["request_id"] == answer.headers["X-Request-Id"]
    assert set(requests[-1]) == {"event", "log_level", "request_id", "method", "endpoint", "status", "ms"}
    for word in ("李娜", "lina", "青禾", "example.org", f"/enterprises/{enterprise_id}", "127.0.0.1"):
        assert word not in said


def test_a_fault_is_logged_by_its_place_without_its_words():
    from crm.logs import exception_without_words

    try:
        raise ValueError("李娜的电话 13800000000")
    except ValueError:
        event = exception_without_words(None, "error", {"event": "fault", "exc_info": True})

    assert event["exception"][0]["type"] == "builtins.ValueError"
    assert "test_frame.py" in event["exception"][0]["where"][0]
    assert "13800000000" not in json.dumps(event, ensure_ascii=False)


def test_the_log_is_one_json_object_a_line(sqlite_settings, capsys):
    from crm import logs

    class Real:
        testing = False

    was = structlog.get_config()
    try:
        logs.configure(Real())
        structlog.get_logger("crm.test").info("request", request_id="abc", ms=1.5)
    finally:
        structlog.configure(**was)

    line = json.loads(capsys.readouterr().err.strip().splitlines()[-1])
    assert (line["event"], line["request_id"], line["level"]) == ("request", "abc", "info")


# Port 1 answers nobody; a folder is no file.
@pytest.fixture(params=["postgresql://crm@127.0.0.1:1/crm", "sqlite:////tmp"], ids=["postgresql", "sqlite"])
def without_database(request, tmp_path):
    application = build(settings_for(tmp_path, request.param), PROPAGATE=False, HUEY=_huey())
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def test_healthz_answers_without_the_database(without_database):
    client = without_database.test_client()
    with client.session_transaction() as cookie:
        cookie |= {"key": "a session", "_user_id": "1"}

    assert client.get("/healthz").json == {"status": "ok"}


def test_readyz_is_not_ready_without_the_database_and_says_so_to_machines(without_database):
    answer = without_database.test_client().get("/readyz")

    assert answer.status_code == 503
    assert (answer.json["status"], answer.json["database"]) == ("not ready", {"answers": False})
    assert answer.json["scheduler"] == {"alive": False, "seen_at": None}


def test_readyz_is_not_ready_on_an_empty_database(tmp_path):
    application = build(settings_for(tmp_path), PROPAGATE=False, HUEY=_huey())

    answer = application.test_client().get("/readyz")

    assert (answer.status_code, answer.json["database"], answer.json["schema"]["have"]) == (
        503,
        {"answers": True},
        None,
    )
    with application.app_context():
        db.engine.dispose()


def test_readyz_tells_schema_and_scheduler(broken):
    client = broken.test_client()
    before = client.get("/readyz").json
    with unit_of_work() as work:
        work.add(Heartbeat(name="scheduler", seen_at=NOW - timedelta(seconds=20)))
    after = client.get("/readyz").json

    assert (before["status"], before["scheduler"]["alive"]) == ("ready", False)
    assert after["schema"]["have"] == after["schema"]["want"]
    assert after["scheduler"]["alive"] is True


def test_readyz_is_not_ready_on_another_schema(broken):
    with unit_of_work() as work:
        work.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    answer = broken.test_client().get("/readyz")

    assert (answer.status_code, answer.json["status"]) == (503, "not ready")


def test_the_navigation_holds_only_what_one_may_open(sqlite_app):
    make_user("lina", "township")
    make_user("boss", "admin")
    clerk, admin = sqlite_app.test_client(), sqlite_app.test_client()
    sign_in(clerk, "lina")
    sign_in(admin, "boss")

    assert 'href="/users"' not in clerk.get("/account").text
    assert 'href="/users"' in admin.get("/account").text


@pytest.mark.parametrize(
    ("address", "lit"), [("/access-log", "变更记录"), ("/visits", "记一次走访"), ("/due", "到期事项")]
)
def test_one_entry_of_the_navigation_is_lit(sqlite_app, address, lit):
    make_user("tanyue", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")

    navigation = client.get(address).text.partition('class="cp-nav"')[2].partition("</nav>")[0]

    entries = re.findall(r'<a href="[^"]*" aria-current="page"[^>]*>.*?</svg>([^<]*)', navigation)
    assert entries == [lit]
