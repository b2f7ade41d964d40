"""Requests, comments and notices on their pages: forms, who sees what, the export, the count of queries."""

import io
import re

import openpyxl
import pytest
from sqlalchemy import select

from crm.actions.comments import write_comment
from crm.actions.requests import dispatch_request, raise_request
from crm.domain.changes import withdraw
from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.comments import Comment, Notice
from crm.store.requests import Request
from crm.store.service_logs import ServiceLog
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import TODAY, act, make_enterprise, make_unit, make_user, township
from tests.web.conftest import post, queries, sign_in
from tests.web.pages import form_on

TEXT = "缺流动资金，<b>银行</b>要抵押。"


class World:
    def __init__(self, app) -> None:
        self.app = app
        self.manager = make_user("luosheng", "case_manager", name="罗笙")
        self.bureau = make_user("tanyue", "bureau", name="谭越")
        self.leader = make_user("liaoheng", "leader", name="廖衡")
        self.finance, self.works = make_unit("金融办"), make_unit("住建委")
        make_user("yueheng", "unit", name="岳蘅", unit_id=self.finance)
        make_user("muzhi", "unit", name="穆知远", unit_id=self.works)
        self.firm = make_enterprise("巫溪县青禾食品有限责任公司", manager=self.manager.user_id, township=township().id)

    def client(self, login: str):
        client = self.app.test_client()
        sign_in(client, login)
        return client

    def raised(self, text: str = TEXT, *, sent: bool = False) -> int:
        values = {"raised_on": TODAY, "category": "financing", "text": text}
        with unit_of_work():
            request_id = int(raise_request(self.firm, values, act=act(self.manager)).ids["request"])
        if sent:
            to = {"unit_id": self.finance, "due_on": TODAY}
            with unit_of_work():
                dispatch_request(request_id, to, version=1, act=act(self.manager))
        return request_id


@pytest.fixture
def world(sqlite_app) -> World:
    return World(sqlite_app)


def one(request_id: int) -> Request:
    db.session.rollback()
    return db.session.get(Request, request_id)


def test_a_request_is_taken_down_dispatched_answered_by_the_department_rated_and_closed(world):
    manager, liaison = world.client("luosheng"), world.client("yueheng")
    page = form_on(manager.get(f"/requests/new?enterprise={world.firm}").text, "/requests/new")
    made = manager.post(
        "/requests/new", data={**page, "enterprises": world.firm, "category": "land", "text": "缺一块地"}
    )
    path = made.headers["Location"]
    request_id = int(path.rsplit("/", 1)[1])

    def step(client, name: str, **typed: str):
        answer = client.get(f"{path}/{name}")
        assert answer.status_code == 200
        return client.post(f"{path}/{name}", data={**form_on(answer.text, f"{path}/{name}"), **typed})

    assert step(manager, "dispatch", unit_id=str(world.finance)).status_code == 302
    # Five working days from a Monday, by the region's setting.
    assert one(request_id).due_on.isoformat() == "2026-11-30"
    assert "缺一块地" in liaison.get("/requests").text
    assert step(liaison, "reply", reply="地已批").status_code == 302
    assert step(manager, "rate", rating="5").status_code == 302
    assert step(manager, "close", close_reason="企业已拿地").status_code == 302

    shown = manager.get(path).text
    assert [word in shown for word in ("已办结", "地已批", "岳蘅", "5 分", "企业已拿地")] == [True] * 5


def test_a_refused_form_loses_nothing_that_was_typed(world):
    manager = world.client("luosheng")
    answer = post(manager, "/requests/new", {"raised_on": "2027-01-01", "category": "land", "text": TEXT})
    page = form_on(answer.text, "/requests/new")

    assert answer.status_code == 422
    assert (page["text"], page["raised_on"]) == (TEXT, "2027-01-01")
    assert "选一家企业" in answer.text


def test_another_department_finds_nothing_and_the_own_one_no_comments(world):
    request_id = world.raised(sent=True)
    with unit_of_work():
        write_comment("request", request_id, "内部：先别答应", act=act(world.bureau))
    stranger, liaison = world.client("muzhi"), world.client("yueheng")

    assert [stranger.get(f"/requests/{request_id}{step}").status_code for step in ("", "/reply")] == [404, 404]
    assert "没有交办给你部门的诉求" in stranger.get("/requests").text
    shown = liaison.get(f"/requests/{request_id}")
    assert shown.status_code == 200
    assert "先别答应" not in shown.text
    assert liaison.get(f"/requests/{request_id}/comments").status_code == 403
    assert liaison.get(f"/requests/{request_id}/dispatch").status_code == 403
    assert liaison.get(f"/enterprises/{world.firm}?tab=requests").text.count("缺流动资金") == 0
    assert "缺流动资金" not in liaison.get("/due").text


def test_what_a_firm_writes_is_text_and_never_markup(world):
    request_id = world.raised()
    manager = world.client("luosheng")

    for url in (f"/requests/{request_id}", "/requests", "/due?kind=request", f"/enterprises/{world.firm}?tab=requests"):
        assert "<b>银行</b>" not in manager.get(url).text


def test_a_visit_at_which_something_was_asked_leads_on_to_the_request(world):
    manager = world.client("luosheng")
    visit = {"enterprises": world.firm, "kind": "request", "text": "要用地", "happened_on": "2026-11-20"}
    answer = post(manager, "/visits/new", visit)
    log_id = db.session.scalar(select(ServiceLog.id))
    page = form_on(manager.get(answer.headers["Location"]).text, "/requests/new")

    assert (page["log"], page["text"], page["raised_on"]) == (str(log_id), "要用地", "2026-11-20")
    post(manager, "/requests/new", {**page, "enterprises": world.firm, "category": "land"})
    assert db.session.scalar(select(Request.service_log_id)) == log_id
    assert "看诉求" in manager.get(f"/enterprises/{world.firm}?tab=logs").text


def test_the_export_has_the_rows_of_the_list_and_says_who_took_them(world):
    world.raised("甲", sent=True)
    world.raised("=乙+1")
    manager = world.client("luosheng")

    book = openpyxl.load_workbook(io.BytesIO(manager.get("/requests/export?view=doing").data))
    rows = [[cell for cell in row if cell] for row in book.active.iter_rows(values_only=True)]

    texts = [cell for row in rows for cell in row]
    assert "甲" in texts
    assert "=乙+1" not in texts
    assert "罗笙 于" in str(rows[-1][0])
    noted = db.session.scalars(select(AccessLog).where(AccessLog.what == "export")).one()
    assert (noted.rows, noted.filter["view"]) == (1, "doing")


def test_a_comment_is_written_where_the_record_is_and_its_notice_leads_back(world):
    leader, manager = world.client("liaoheng"), world.client("luosheng")
    path = f"/enterprises/{world.firm}/comments"
    page = form_on(leader.get(f"/enterprises/{world.firm}?tab=comments").text, path)
    answer = leader.post(path, data={**page, "text": "@罗笙 抓紧\n<script>"})
    assert answer.status_code == 302

    desk = manager.get("/").text
    assert re.search(r'href="/notices"[^>]*>.*?消息<span class="n hot">1</span>', desk, re.S)
    notice = db.session.scalar(select(Notice.id))
    opened = post(manager, f"/notices/{notice}/open")
    assert opened.headers["Location"] == path
    assert "@罗笙 抓紧\n&lt;script&gt;" in manager.get(path).text
    assert "没有未读消息" in manager.get("/notices?show=unread").text


def test_a_second_press_writes_one_comment_and_one_notice(world):
    leader = world.client("liaoheng")
    path = f"/enterprises/{world.firm}/comments"
    page = form_on(leader.get(path).text, path)
    for _ in range(2):
        assert leader.post(path, data={**page, "text": "抓紧"}).status_code == 302

    assert len(db.session.scalars(select(Comment)).all()) == 1
    assert len(db.session.scalars(select(Notice)).all()) == 1


def test_a_comment_that_is_too_long_comes_back_whole(world):
    leader = world.client("liaoheng")
    path = f"/enterprises/{world.firm}/comments"
    answer = post(leader, path, {"text": "长" * 2001})

    assert answer.status_code == 422
    assert form_on(answer.text, path)["text"] == "长" * 2001


def test_only_people_who_see_the_record_are_offered(world):
    leader = world.client("liaoheng")
    url = f"/comments/people?noun=enterprise&record={world.firm}"

    assert re.findall(r'data-label="([^"]+)"', leader.get(f"{url}&q=l").text) == ["罗笙"]
    assert "岳蘅" not in leader.get(f"{url}&q=yh").text
    assert re.findall("data-pick", world.client("yueheng").get(f"{url}&q=l").text) == []


@pytest.mark.parametrize("url", ["/requests", "/notices", "/enterprises/{firm}?tab=comments", "/requests/export"])
def test_a_page_asks_as_often_for_many_rows_as_for_one(world, url):
    def add(n: int) -> None:
        world.raised(f"第 {n} 件", sent=True)
        with unit_of_work():
            write_comment("enterprise", world.firm, f"第 {n} 条 @谭越", act=act(world.leader))

    bureau, address = world.client("tanyue"), url.format(firm=world.firm)
    add(1)
    bureau.get(address)
    one_row = queries(bureau, address)
    for n in (2, 3, 4):
        add(n)
    bureau.get(address)

    assert queries(bureau, address) == one_row


def test_a_department_that_went_meanwhile_is_named_and_nothing_typed_is_lost(world):
    request_id = world.raised()
    office = world.client("tanyue")
    url = f"/requests/{request_id}/dispatch"
    form = form_on(office.get(url).text, url)
    with unit_of_work():
        write([withdraw("unit", world.works)], act=act(), action="test")

    for chosen in (str(world.works), "9" * 30, "住建委\x00", "-1"):
        answer = office.post(url, data={**form, "unit_id": chosen, "due_on": "2026-12-09"})

        assert answer.status_code == 422
        assert answer.text.count("所选的部门不在列表里，可能刚停用，或不归你看。从列表里另选。") == 1
        assert "（原来选的部门，已不在列表里）" in answer.text and 'value="2026-12-09"' in answer.text
    assert one(request_id).dispatched_on is None
