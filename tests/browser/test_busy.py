"""A database that another process holds: the form comes back filled in and is sent once more by itself, saving once."""

import re
import subprocess
import sys
from dataclasses import dataclass
from threading import Thread

import pytest
from huey import MemoryHuey
from playwright.sync_api import Page, Request, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from crm.extensions import db
from crm.store.changes import ChangeSet
from crm.store.service_logs import ServiceLog
from tests.builders import PASSWORD, make_enterprise, make_user
from tests.conftest import build

TEXT = "新烘干线下月投产，研发费用只归集了两个项目。"
# Takes the write lock of the database, says so, and gives it back at the next line it hears.
HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
held.execute("ROLLBACK")
"""


@dataclass
class Other:
    """Another process that writes for as long as the test wants."""

    database: str
    process: subprocess.Popen | None = None

    def hold(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, self.database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "held\n"

    def let_go(self) -> None:
        if self.process is not None:
            self.process.communicate("\n", timeout=10)
            self.process = None


@pytest.fixture
def address(sqlite_settings):
    """The application on a free port, which waits for the database for one second and not for thirty."""
    app = build(sqlite_settings, BUSY_SECONDS=1.0, HUEY=MemoryHuey("tests", immediate=False))
    with app.app_context():
        manager = make_user("xianghe", "case_manager", name="向禾")
        make_enterprise("巫溪县青禾食品有限责任公司", manager=manager.user_id)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)
        server.server_close()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def other(address):
    holder = Other(db.engine.url.database)
    yield holder
    holder.let_go()


@pytest.fixture
def page(browser, address):
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Security Policy" in line.text else None)
    yield page
    context.close()
    assert complaints == []


def _fill_in_a_visit(page: Page) -> list[Request]:
    """Everything but the last press; the list fills with what is sent from then on."""
    page.goto("/sign-in")
    page.get_by_label("登录名").fill("xianghe")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.goto("/visits/new")
    page.get_by_placeholder("两个字或拼音首字母").fill("青禾")
    page.locator("[data-pick]").first.click()
    page.get_by_label("说了什么，看到什么").fill(TEXT)
    sent: list[Request] = []
    page.on("request", lambda asked: sent.append(asked) if asked.method == "POST" else None)
    return sent


def _keys(sent: list[Request]) -> set[bytes]:
    """The keys of what was sent, by a form with room for files and by one without."""
    return {re.search(rb'request_key(?:=|"\r\n\r\n)([0-9a-f]+)', asked.post_data_buffer).group(1) for asked in sent}


def _saved() -> tuple[list[str], int]:
    db.session.rollback()
    texts = list(db.session.scalars(select(ServiceLog.text)))
    return texts, len(db.session.scalars(select(ChangeSet).where(ChangeSet.action == "log_service")).all())


def test_a_visit_met_by_a_lock_is_sent_again_by_itself_and_saved_once(page, other):
    sent = _fill_in_a_visit(page)

    other.hold()
    page.get_by_role("button", name="保存").click()
    expect(page.locator("h1")).to_have_text("数据库正忙")
    expect(page.locator("main")).to_contain_text(TEXT)
    expect(page.locator("main")).to_contain_text("正在自动再存一次。")
    other.let_go()
    expect(page.locator("[data-toast]")).to_contain_text("已记走访")

    assert (len(sent), len(_keys(sent))) == (2, 1)
    assert _saved() == ([TEXT], 1)


def test_a_lock_that_stays_is_told_and_left_to_the_person(page, other):
    sent = _fill_in_a_visit(page)

    other.hold()
    page.get_by_role("button", name="保存").click()
    expect(page.locator("main")).to_contain_text("又试了一次，数据库还是忙，还没有保存。")
    page.wait_for_timeout(2_500)
    before = (len(sent), _saved())
    other.let_go()
    page.get_by_role("button", name="再存一次").click()
    expect(page.locator("[data-toast]")).to_contain_text("已记走访")

    assert before == (2, ([], 0))
    assert (len(sent), len(_keys(sent))) == (3, 1)
    assert _saved() == ([TEXT], 1)
