"""The pages of a plan: made from what is ticked, read by the office without a ranking, printed to take along."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from crm.actions.service_logs import log_service
from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.unit_of_work import unit_of_work
from crm.store.visit_plans import VisitPlan, VisitPlanEnterprise
from tests.builders import act, make_enterprise, make_user, township
from tests.web.conftest import post, queries, sign_in

HNTE = [("hnte", date(2024, 11, 28), date(2027, 11, 27))]


@pytest.fixture
def manager(sqlite_app):
    return make_user("xianghe", "case_manager", name="向禾")


@pytest.fixture
def client(sqlite_app, manager):
    client = sqlite_app.test_client()
    sign_in(client, "xianghe")
    return client


def another(app, login: str, role: str, **more):
    make_user(login, role, **more)
    client = app.test_client()
    sign_in(client, login)
    return client


def made(client, manager, *names: str) -> tuple[int, list[int]]:
    ids = [make_enterprise(name, manager=manager.user_id, titles=HNTE) for name in names]
    answer = post(client, "/visits/plans/new", {"quarter": "2026Q4", "enterprises": ids, "request_key": "p1"})
    assert answer.status_code == 302
    return db.session.scalar(select(VisitPlan.id)), ids


def test_a_plan_is_made_from_what_is_ticked_and_undone(client, manager):
    titled = make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id, titles=HNTE)
    make_enterprise("巫溪县白丁商贸有限公司", manager=manager.user_id)

    page = client.get("/visits/plans/new").text
    ticked = re.findall(r'name="enterprises" value="(\d+)" checked', page)
    answer = post(client, "/visits/plans/new", {"quarter": "2026Q4", "enterprises": ticked})

    assert ticked == [str(titled)]
    shown = client.get(answer.location).text
    assert ("已做 2026 年第四季度走访计划，1 家企业。" in shown, "计划 1 家，已走访 0 家" in shown) == (True, True)
    post(client, re.search(r'action="(/changes/\d+/undo)"', shown)[1])
    assert "还没有走访计划" in client.get("/visits/plans").text


def test_what_is_refused_keeps_the_ticks(client, manager):
    one = make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id)

    answer = post(client, "/visits/plans/new", {"quarter": "2020Q1", "enterprises": [one]})

    assert answer.status_code == 422
    assert "2020 年第一季度已经过去，不再做计划。" in answer.text
    assert f'value="{one}" checked' in answer.text


def test_every_number_of_the_office_opens_its_list_and_nobody_is_ranked(sqlite_app, client, manager):
    plan_id, ids = made(client, manager, "巫溪县企甲食品有限公司", "巫溪县企乙食品有限公司", "巫溪县企丙食品有限公司")
    with unit_of_work():
        log_service(ids[:1], {"happened_on": date(2026, 11, 20), "kind": "visit", "text": "看了。"}, act=act(manager))
    leader = another(sqlite_app, "liu", "leader")

    page = leader.get("/visits/plans").text

    numbers = re.findall(rf'href="(/visits/plans/{plan_id}[^"]*)">(\d+)</a>', page)
    rows = [len(re.findall("<tr data-row>", leader.get(url.replace("&amp;", "&")).text)) for url, _ in numbers]
    assert [int(n) for _, n in numbers] == rows == [3, 1, 2]
    assert re.search("名次|排名第|完成率|%", page) is None
    assert "代做" not in page
    assert leader.get(f"/visits/plans/{plan_id}/firms/1").status_code == 403


def test_the_sheet_says_what_is_known_and_leaves_room_to_write(sqlite_app, client, manager):
    plan_id, ids = made(client, manager, "巫溪县青禾食品有限公司", "巫溪县已走食品有限公司")
    log = {"happened_on": date(2026, 8, 20), "kind": "visit", "text": "问了研发归集。", "next_step": "送样表"}
    with unit_of_work():
        log_service(ids[:1], {**log, "next_step_on": date(2026, 12, 1)}, act=act(manager))
    with unit_of_work():
        log_service(ids[1:], {"happened_on": date(2026, 11, 2), "kind": "visit", "text": "看了。"}, act=act(manager))

    sheet = client.get(f"/visits/plans/{plan_id}/print").text
    every = client.get(f"/visits/plans/{plan_id}/print?all=1").text

    assert (sheet.count('class="paper-page'), every.count('class="paper-page')) == (1, 2)
    for word in (
        "青禾",
        "高新技术企业（到 2027-11-27）",
        "问了研发归集。",
        "送样表",
        "条件比对（预评）",
        "要问清的数据",
    ):
        assert word in sheet
    assert "说了什么，看到什么" in sheet
    noted = db.session.execute(select(AccessLog.subject, AccessLog.rows).where(AccessLog.what == "export")).all()
    assert [tuple(row) for row in noted] == [("2026 年第四季度走访单 向禾", 1), ("2026 年第四季度走访单 向禾", 2)]


def test_a_firm_is_planned_for_a_day_added_and_taken_out(client, manager):
    plan_id, ids = made(client, manager, "巫溪县青禾食品有限公司")
    more = make_enterprise("巫溪县后来食品有限公司", manager=manager.user_id)
    post(client, f"/visits/plans/{plan_id}/add", {"enterprises": [*ids, more]})
    assert "计划里加了 1 家企业。另 1 家已在计划里，不重复列。" in client.get(f"/visits/plans/{plan_id}").text
    item = db.session.scalar(select(VisitPlanEnterprise.id).where(VisitPlanEnterprise.enterprise_id == more))
    url = f"/visits/plans/{plan_id}/firms/{item}"
    shown = {"version": "1", "seen": '{"planned_on": "", "purpose": ""}'}

    wrong = post(client, url, {**shown, "planned_on": "2027-02-01"})
    saved = post(client, url, {**shown, "planned_on": "2026-12-04", "purpose": "看新产线"})
    clash = post(client, url, {**shown, "planned_on": "2026-12-11"})

    assert (wrong.status_code, saved.status_code, clash.status_code) == (422, 302, 409)
    assert "2027-02-01 不在 2026 年第四季度里。选 2026-10-01 到 2026-12-31。" in wrong.text
    page = client.get(f"/visits/plans/{plan_id}").text
    assert ("看新产线" in page, "12-04" in page) == (True, True)
    post(client, f"{url}/drop")
    assert "后来" not in client.get(f"/visits/plans/{plan_id}").text.split('class="form-page')[0]


def test_a_township_has_no_plans(sqlite_app, client, manager):
    plan_id, _ = made(client, manager, "巫溪县青禾食品有限公司")
    official = another(sqlite_app, "tang", "township", region=township())

    assert [official.get(url).status_code for url in ("/visits/plans", f"/visits/plans/{plan_id}")] == [403, 403]


def test_the_page_asks_the_same_for_one_firm_and_for_three(client, manager):
    plan_id, _ = made(client, manager, "巫溪县企甲食品有限公司")

    def asked() -> list[int]:
        # What a session notes once in a while is noted before anything is counted.
        client.get(f"/visits/plans/{plan_id}")
        return [queries(client, f"/visits/plans/{plan_id}{tail}") for tail in ("", "/print")]

    one = asked()
    ids = [make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id) for n in "乙丙"]
    post(client, f"/visits/plans/{plan_id}/add", {"enterprises": ids})

    assert asked() == one
