"""Acting on the lines of the desk: each verb answers in the place of its line, and loses nothing when refused."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from crm.actions.confirmations import Answer, confirm
from crm.actions.requests import close_request, dispatch_request, raise_request, reply_request
from crm.actions.reviews import check
from crm.actions.service_logs import log_service
from crm.domain.months import month_of
from crm.extensions import db
from crm.store.applications import ApplicationReview
from crm.store.requests import Request
from crm.store.review_lists import latest_review
from crm.store.service_logs import ServiceLog
from crm.store.unit_of_work import unit_of_work
from tests.builders import TODAY, act, make_enterprise, make_unit, make_user, township
from tests.reviewing import bring_materials, make_application, make_window, receive
from tests.web.conftest import csrf_of, post, sign_in
from tests.web.pages import conflicts_on, form_on

HX = {"HX-Request": "true"}


class World:
    def __init__(self, app) -> None:
        self.app = app
        self.manager = make_user("luosheng", "case_manager", name="罗笙")
        self.finance = make_unit("金融办")
        make_user("yueheng", "unit", name="岳蘅", unit_id=self.finance)
        make_user("liaoheng", "leader", name="廖衡")
        self.firm = make_enterprise("巫溪县青禾食品有限公司", manager=self.manager.user_id)

    def client(self, login: str):
        client = self.app.test_client()
        sign_in(client, login)
        return client

    def raised(self, text: str = "缺一块地") -> int:
        values = {"raised_on": TODAY, "category": "land", "text": text}
        with unit_of_work():
            return int(raise_request(self.firm, values, act=act(self.manager)).ids["request"])

    def sent(self, days: int = 3) -> int:
        request_id = self.raised()
        to = {"unit_id": self.finance, "due_on": TODAY + timedelta(days=days)}
        with unit_of_work():
            dispatch_request(request_id, to, version=1, act=act(self.manager))
        return request_id


@pytest.fixture
def world(sqlite_app) -> World:
    return World(sqlite_app)


def one(request_id: int) -> Request:
    db.session.rollback()
    return db.session.get(Request, request_id)


def test_the_department_answers_on_the_line(world):
    request_id, client = world.sent(), world.client("yueheng")
    path = f"/requests/{request_id}/reply"
    page = form_on(client.get("/").text, path)

    answer = client.post(path, data={**page, "csrf_token": csrf_of(client, "/account"), "reply": "地已批"}, headers=HX)

    assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "settled")
    assert "已回复" in answer.text and "/undo" in answer.text and "<html" not in answer.text
    assert (one(request_id).reply, one(request_id).replied_by) == ("地已批", "岳蘅")
    assert "没有等你部门回复的诉求" in client.get("/").text


def test_a_request_nobody_was_given_is_dispatched_on_the_line(world):
    request_id, client = world.raised(), world.client("luosheng")
    path = f"/requests/{request_id}/dispatch"
    page = form_on(client.get("/").text, path)

    refused = client.post(path, data={**page, "unit_id": ""}, headers=HX)
    assert refused.status_code == 422 and "选交办给哪个部门" in refused.text
    done = client.post(path, data={**form_on(refused.text, path), "unit_id": str(world.finance)}, headers=HX)

    assert done.status_code == 200
    assert (one(request_id).unit_id, one(request_id).due_on.isoformat()) == (world.finance, "2026-11-30")


def test_a_request_is_passed_to_the_platform_on_the_line(world):
    request_id, client = world.raised(), world.client("luosheng")
    path = f"/requests/{request_id}/transfer"
    page = form_on(client.get("/").text, path)

    refused = client.post(path, data={**page, "platform_number": " "}, headers=HX)
    done = client.post(path, data={**form_on(refused.text, path), "platform_number": "WX-2026-118"}, headers=HX)

    assert refused.status_code == 422 and "未写入" in refused.text
    assert done.status_code == 200 and "已登记转平台" in done.text and "/undo" in done.text
    assert (one(request_id).platform_number, one(request_id).transferred_on) == ("WX-2026-118", TODAY)


def test_what_was_answered_is_rated_and_ended_on_the_line(world):
    request_id, client = world.sent(), world.client("luosheng")
    with unit_of_work():
        reply_request(request_id, {"reply": "地已批"}, version=2, act=act(world.manager))
    rate, close = f"/requests/{request_id}/rate", f"/requests/{request_id}/close"
    desk = client.get("/").text

    blank = client.post(rate, data={**form_on(desk, rate), "rating": ""}, headers=HX)
    rated = client.post(rate, data={**form_on(blank.text, rate), "rating": "4"}, headers=HX)
    later = client.get("/").text
    empty = client.post(close, data={**form_on(later, close), "close_reason": " "}, headers=HX)
    ended = client.post(close, data={**form_on(empty.text, close), "close_reason": "企业已拿地"}, headers=HX)

    assert "诉求待评价、办结 · 地已批" in desk and "诉求待办结 · 地已批" in later and rate not in later
    assert blank.status_code == 422 and "1 到 5 分" in blank.text
    assert empty.status_code == 422 and "写明办结的情况" in empty.text
    assert [rated.status_code, ended.status_code] == [200, 200] and "已办结" in ended.text
    assert (one(request_id).rating, one(request_id).close_reason, one(request_id).closed_on) == (4, "企业已拿地", TODAY)
    assert "诉求待办结" not in client.get("/").text


def test_one_who_ended_it_with_an_old_page_is_told_and_keeps_the_text(world):
    request_id, client = world.sent(), world.client("luosheng")
    with unit_of_work():
        reply_request(request_id, {"reply": "地已批"}, version=2, act=act(world.manager))
    path = f"/requests/{request_id}/close"
    page = form_on(client.get("/").text, path)
    with unit_of_work():
        close_request(request_id, {"close_reason": "别人办结的"}, version=3, act=act(world.manager))

    refused = client.post(path, data={**page, "close_reason": "我写的"}, headers=HX)

    assert refused.status_code == 422 and "我写的" in refused.text
    assert one(request_id).close_reason == "别人办结的"


def test_an_answer_that_somebody_gave_meanwhile_is_chosen_over_on_the_page(world):
    request_id, client = world.sent(), world.client("yueheng")
    path = f"/requests/{request_id}/reply"
    page = form_on(client.get("/").text, path)
    with unit_of_work():
        reply_request(request_id, {"reply": "电话已答"}, version=2, act=act(world.manager))

    refused = client.post(path, data={**page, "reply": "地已批"}, headers=HX)
    again = form_on(refused.text, path)
    whole = client.post(path, data=again)

    assert (refused.status_code, again["reply"], one(request_id).reply) == (422, "地已批", "电话已答")
    assert whole.status_code == 409
    assert ["回复", "未填", "电话已答", "地已批"] in [
        [c.split(" 罗笙")[0] for c in row] for row in conflicts_on(whole.text)
    ]


def test_a_silent_firm_is_logged_on_the_line_and_a_blank_text_comes_back(world):
    with unit_of_work():
        values = {"happened_on": TODAY - timedelta(days=200), "kind": "visit", "text": "旧"}
        log_service([world.firm], values, act=act())
    client = world.client("luosheng")
    path = f"/desk/firms/{world.firm}/log"
    desk = client.get("/").text
    assert f'hx-post="{path}"' in desk
    page = form_on(desk, "/visits/new")

    refused = client.post(path, data={**page, "kind": "visit", "text": "  "}, headers=HX)
    assert refused.status_code == 422 and "写一两句内容" in refused.text
    long = client.post(path, data={**page, "kind": "visit", "text": "长" * 4001}, headers=HX)
    assert long.status_code == 422 and "最多 4,000 字，现在 4,001 字" in long.text and "长" * 4001 in long.text
    done = client.post(path, data={**page, "kind": "visit", "text": "看了车间"}, headers=HX)

    assert done.status_code == 200 and "已记走访" in done.text
    last = db.session.scalars(select(ServiceLog).order_by(ServiceLog.id.desc())).first()
    assert (last.text, last.happened_on, last.author_name) == ("看了车间", TODAY, "罗笙")
    assert path not in client.get("/").text


def test_without_scripts_the_line_s_form_is_a_page_as_usual(world):
    request_id, client = world.sent(), world.client("yueheng")
    path = f"/requests/{request_id}/reply"

    answer = client.post(path, data={**form_on(client.get("/").text, path), "reply": "地已批"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_what_is_late_stands_on_the_case_manager_s_desk_with_its_request(world):
    request_id, client = world.sent(days=1), world.client("luosheng")
    page = client.get("/").text

    assert re.search(r"诉求回复 · 2026-11-23 提出", page)
    assert f'action="/requests/{request_id}/reply"' in page
    assert f"/due/{world.firm}/request/" not in page


def test_a_leader_comments_from_the_line_and_dispatches_nothing(world):
    world.raised()
    with unit_of_work():
        step = {"next_step": "送表样", "next_step_on": TODAY}
        log_service([world.firm], {"happened_on": TODAY, "kind": "visit", "text": "看", **step}, act=act())
    page = world.client("liaoheng").get("/").text

    assert f'href="/enterprises/{world.firm}/comments?back=/"' in page
    assert "/dispatch" not in page and "/settle" not in page


def test_each_number_of_what_waits_opens_a_list_of_that_many(world):
    for n in range(3):
        world.raised(f"第 {n} 件")
    world.sent()
    client = world.client("luosheng")

    rows = re.findall(r'<td class="n"><a href="(/requests[^"]*)" class="b">(\d+)</a>', client.get("/").text)

    assert [n for _, n in rows] == ["3"]
    for href, n in rows:
        assert len(re.findall(r'<tr data-href="/requests/', client.get(href).text)) == int(n)


def test_lines_of_the_review_take_no_place_from_a_request_that_waits_for_a_department(world):
    make_user("tanyue", "bureau", name="谭越")
    window = make_window()
    for _ in range(2):
        one = make_application(window)
        bring_materials(one)
        receive(one)
    request_id = world.raised()
    for n in range(12):
        with unit_of_work():
            step = {"next_step": f"第 {n} 件", "next_step_on": TODAY}
            log_service([world.firm], {"happened_on": TODAY, "kind": "visit", "text": "看", **step}, act=act())

    page = world.client("tanyue").get("/").text

    assert page.count('data-row id="today-') == 10 and page.count(">审核</a>") == 2
    assert f'action="/requests/{request_id}/dispatch"' in page


def test_what_was_handed_in_is_a_line_of_the_office_near_the_deadline_and_its_number_opens_the_queue(world):
    make_user("tanyue", "bureau", name="谭越")
    window = make_window()
    for _ in range(3):
        one = make_application(window)
        bring_materials(one)
        receive(one)
    client = world.client("tanyue")
    page = client.get("/").text

    first = re.findall(r'href="(/reviews[^"]*open=\d+)"[^>]*>审核<', page)
    assert len(first) == 2
    assert "区县初审" in client.get(first[0].replace("&amp;", "&")).text
    href, n = re.findall(r'<a href="(/reviews[^"]*)" class="b">(\d+)</a>', page)[0]
    assert n == "3"
    assert len(re.findall(r"data-opens", client.get(href.replace("&amp;", "&")).text)) == 3
    assert "审核<" not in world.client("luosheng").get("/").text


@pytest.fixture
def handed_in(world) -> tuple:
    """The office's browser, and an application that waits for it."""
    make_user("tanyue", "bureau", name="谭越")
    waiting = make_application(make_window())
    bring_materials(waiting)
    receive(waiting)
    return world.client("tanyue"), waiting


def review_of(application_id: int) -> ApplicationReview:
    db.session.rollback()
    return latest_review(application_id)


def test_the_first_review_is_opened_and_decided_on_the_line_and_taken_back(handed_in):
    client, waiting = handed_in
    assert f'hx-get="/reviews/{waiting}/line"' in client.get("/").text
    line = client.get(f"/reviews/{waiting}/line", headers=HX).text
    path = f"/reviews/{waiting}"
    page = form_on(line, path) | {"csrf_token": csrf_of(client, "/account")}
    answers = dict.fromkeys(re.findall(r'name="(a_[a-z_0-9]+)"', line), "yes")

    refused = client.post(path, data={**page, "result": "recommended"}, headers=HX)
    again = form_on(refused.text, path)
    done = client.post(path, data={**page, **again, **answers, "result": "recommended"}, headers=HX)
    decided = review_of(waiting)
    result = (decided.result, decided.reviewer_name)
    post(client, re.search(r'action="(/changes/\d+/undo)"', done.text)[1])

    assert "<html" not in line and "没有回答" in refused.text and refused.status_code == 422
    assert (done.status_code, done.headers["HX-Trigger"]) == (200, "settled")
    assert "推荐上报" in done.text and "<form id" not in done.text
    assert result == ("recommended", "谭越") and review_of(waiting).result is None


def test_what_a_colleague_answered_meanwhile_is_chosen_over_on_the_line(handed_in):
    client, waiting = handed_in
    path = f"/reviews/{waiting}"
    line = client.get(f"{path}/line", headers=HX).text
    code = re.search(r'name="a_([a-z_0-9]+)"', line)[1]
    page = form_on(line, path)
    bureau = make_user("zhuli", "bureau", name="朱黎")
    version = review_of(waiting).version
    with unit_of_work():
        check(waiting, {f"a_{code}": "no", f"n_{code}": "缺页"}, version=version, seen={}, act=act(bureau))

    clash = client.post(path, data={**page, f"a_{code}": "yes", "result": "check"}, headers=HX)
    answer = {**form_on(clash.text, path), f"pick_a_{code}": "mine", f"pick_n_{code}": "theirs", "result": "check"}
    done = client.post(path, data=answer, headers=HX)

    assert clash.status_code == 422 and "朱黎" in clash.text
    assert done.status_code == 200 and "核对已保存" in done.text
    assert review_of(waiting).checklist[code]["answer"] == "yes"


def test_what_lies_there_without_a_moment_is_received_on_the_line(world):
    make_user("tanyue", "bureau", name="谭越")
    waiting = make_application(make_window(), stage="handed_in")
    client = world.client("tanyue")
    path = f"/reviews/{waiting}/receive"
    line = client.get(f"/reviews/{waiting}/line", headers=HX).text
    page = form_on(line, path)

    wrong = client.post(path, data={**page, "received_at": "2027-01-01T09:00"}, headers=HX)
    done = client.post(path, data=form_on(line, path), headers=HX)

    assert wrong.status_code == 422 and "还没到" in wrong.text and f'action="{path}"' in wrong.text
    assert done.status_code == 200 and "已收件" in done.text
    assert review_of(waiting).received_at is not None


def test_a_line_of_the_review_is_closed_again_and_leads_to_the_queue_without_scripts(handed_in):
    client, waiting = handed_in

    closed = client.get(f"/reviews/{waiting}/line?closed=1", headers=HX).text
    plain = client.get(f"/reviews/{waiting}/line")

    assert f'hx-get="/reviews/{waiting}/line"' in closed and "<form" not in closed
    assert plain.status_code == 302 and f"open={waiting}" in plain.headers["Location"]


def test_what_a_township_said_has_changed_is_looked_into_on_the_line_or_in_the_list(world):
    place = township()
    clerk = make_user("qindi", "township", name="秦笛", region=place)
    own = {"manager": world.manager.user_id, "township": place.id}
    firms = [make_enterprise(f"巫溪县{name}食品有限公司", **own) for name in "甲乙"]
    answers = {firm: Answer("moved", f"去了县城 {n}") for n, firm in enumerate(firms)}
    with unit_of_work():
        confirm(month_of(TODAY), answers, act=act(clerk))
    client = world.client("luosheng")
    desk = client.get("/").text
    assert "11 月确认说已搬走 · 去了县城 0" in desk and "乡镇说有变化" in desk
    first, second = sorted(set(re.findall(r'hx-post="(/confirmations/\d+/check)"', desk)))

    refused = client.post(first, data={**form_on(desk, first), "checked_note": "长" * 301}, headers=HX)
    done = client.post(first, data={**form_on(refused.text, first), "checked_note": "已改经营地"}, headers=HX)
    page = client.get("/confirmations?show=open").text
    listed = client.post(second, data=form_on(page, second))
    again = client.post(second, data={**form_on(page, second), "request_key": "k2"})

    assert refused.status_code == 422 and "最多 300 字" in refused.text and "长" * 301 in refused.text
    assert (done.status_code, done.headers["HX-Trigger"]) == (200, "settled")
    assert "已核实" in done.text and "核实：已改经营地" in done.text and "/undo" in done.text
    assert re.findall(r'action="(/confirmations/\d+/check)"', page) == [second]
    assert listed.status_code == 302 and again.status_code == 422 and "已核实。刷新后再看。" in again.text
    after = client.get("/").text
    assert "确认说" not in after and "乡镇说有变化" not in after
