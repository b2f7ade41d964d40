"""The list of requests as a grid: columns and orders in the address, the file as shown, views that keep both."""

import io
import re
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from crm.actions.requests import close_request, dispatch_request, raise_request, transfer_request
from crm.extensions import db
from crm.store import request_lists
from crm.store.access_log import AccessLog
from crm.store.request_orders import SORTS
from crm.store.unit_of_work import unit_of_work
from crm.web.requests.columns import offered
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_unit, make_user, township
from tests.web.conftest import post, queries, sign_in


@pytest.fixture
def client(sqlite_app):
    make_user("tanyue", "bureau", name="谭越")
    return client_of(sqlite_app, "tanyue")


def client_of(app, login: str):
    client = app.test_client()
    sign_in(client, login)
    return client


def asked(name: str, *, ago: int = 3, category: str = "financing", sent: tuple[int, date] | None = None, **firm) -> int:
    """A request of a new firm, dispatched to a department with a day when ``sent`` says so."""
    firm_id = make_enterprise(name, **firm)
    values = {"raised_on": TODAY - timedelta(days=ago), "category": category, "text": f"{name}缺资金"}
    with unit_of_work():
        request_id = raise_request(firm_id, values, act=act()).ids["request"]
    if sent:
        with unit_of_work():
            dispatch_request(request_id, {"unit_id": sent[0], "due_on": sent[1]}, version=1, act=act())
    return request_id


def rows_of(page: str) -> list[int]:
    return [int(row) for row in re.findall(r'<tr data-href="/requests/(\d+)"', page)]


def heads(page: str) -> list[str]:
    row = page[page.index("<thead>") : page.index("</thead>")]
    return [re.sub(r"<[^>]+>", "", head).strip() for head in re.findall(r"<th[^>]*>(.*?)</th>", row, re.DOTALL)]


def test_columns_and_orders_stand_in_the_address_and_in_every_link(client):
    finance = make_unit("金融办")
    place = township("凤凰镇").id
    far = asked("巫溪县甲食品有限公司", ago=9, sent=(finance, TODAY + timedelta(days=9)), township=place)
    near = asked("巫溪县乙食品有限公司", ago=2, sent=(finance, TODAY + timedelta(days=2)), township=place)
    none = asked("巫溪县丙食品有限公司", ago=30)

    usual = client.get("/requests").text
    page = client.get("/requests?columns=dispatched&columns=code&sort=township,raised").text

    assert heads(usual) == ["期限", "企业", "诉求", "类别", "状态", "交办部门", "乡镇（考核）", "提出", "专员"]
    assert rows_of(usual) == [near, far, none] and "件 · 按 期限 升序<" in usual
    assert heads(page) == ["期限", "企业", "交办日期", "统一社会信用代码"]
    assert rows_of(page) == [far, near, none] and "按 乡镇（考核） 升序、提出 升序" in page
    form = re.search(r'<div class="filt">.*?</form>', page, re.DOTALL)[0]
    assert 'name="sort" value="township,raised"' in form and form.count('name="columns"') == 2


def test_every_order_turns_pages_without_losing_a_row(client, monkeypatch):
    unit = make_unit("金融办")
    ids = [asked(f"巫溪县{n}号食品有限公司", ago=n % 2, sent=(unit, TODAY) if n % 2 else None) for n in range(5)]
    monkeypatch.setattr(request_lists.page, "__kwdefaults__", {**request_lists.page.__kwdefaults__, "size": 2})

    for sort in (*SORTS, *(f"-{key}" for key in SORTS), "-unit,township,-code"):
        pages = [client.get(f"/requests?sort={sort}&page={number}").text for number in (1, 2, 3)]
        assert sorted(row for page in pages for row in rows_of(page)) == ids, sort


def test_all_columns_make_no_more_queries_for_three_rows_than_for_one(client):
    url = "/requests?" + "&".join(f"columns={key}" for key in offered("open")) + "&sort=unit,-raised,code"
    unit = make_unit("金融办")
    asked("巫溪县甲食品有限公司", sent=(unit, TODAY))
    one = queries(client, url)
    for name in "乙丙":
        asked(f"巫溪县{name}食品有限公司", sent=(make_unit(f"{name}局"), TODAY))

    assert queries(client, url) == one


def test_the_file_has_the_columns_the_order_and_the_filter_of_the_list_and_is_logged(client):
    asked("巫溪县甲食品有限公司", ago=9)
    asked("巫溪县乙食品有限公司", ago=2)
    asked("巫溪县丙食品有限公司", category="land")
    query = "category=financing&columns=raised&columns=state&columns=text&sort=-raised"
    rows = list(
        load_workbook(io.BytesIO(client.get(f"/requests/export?{query}").data)).active.iter_rows(values_only=True)
    )

    assert rows[1][0].startswith("未办结；类别 融资") and "；按 提出 降序；2026-11-23；2 件" in rows[1][0]
    assert rows[2][:5] == ("期限", "企业名称", "提出", "状态", "诉求")
    assert [(row[1], row[3]) for row in rows[3:5]] == [
        ("巫溪县乙食品有限公司", "待交办"),
        ("巫溪县甲食品有限公司", "待交办"),
    ]
    db.session.rollback()
    logged = db.session.scalars(select(AccessLog).order_by(AccessLog.id.desc())).first()
    assert (logged.rows, logged.filter["sort"], logged.filter["category"]) == (2, "-raised", "financing")
    assert logged.filter["columns"] == ["raised", "state", "text"]


def test_what_is_closed_begins_with_the_day_it_was_and_offers_the_deadline_as_a_column(client):
    for name, closed_on in (("甲", TODAY - timedelta(days=1)), ("乙", TODAY)):
        request_id = asked(f"巫溪县{name}食品有限公司")
        with unit_of_work():
            passed = {"transferred_on": TODAY - timedelta(days=2), "platform_number": "CS-1"}
            transfer_request(request_id, passed, version=1, act=act())
        with unit_of_work():
            close_request(request_id, {"closed_on": closed_on, "close_reason": "已协调"}, version=2, act=act())

    page = client.get("/requests?view=closed&columns=due&columns=reason").text

    assert heads(page) == ["办结", "企业", "期限", "办结说明"] and "按 办结 降序" in page
    assert len(rows_of(page)) == 2 and rows_of(page)[0] > rows_of(page)[1] and "已协调" in page
    assert "closed" not in offered("open") and "due" not in offered("open")


def test_a_saved_view_keeps_filter_columns_and_order_and_states_are_tabs_with_counts(client):
    asked("巫溪县甲食品有限公司")
    asked("巫溪县乙食品有限公司", category="land")
    query = "view=raised&category=land&columns=code&sort=-raised&page=2"
    answer = post(client, "/views", {"page": "requests", "name": "用地的", "query": query, "shared": "private"})

    page = client.get("/requests/views?view=open&shape=category%3Dland").text
    kept = client.get(answer.headers["Location"]).text

    tabs = re.findall(r">([^<>]+)<span>([\d,]+)</span></a>", page)
    assert tabs[:2] == [("未办结", "1"), ("待交办", "1")] and ("用地的", "1") in tabs
    assert "/requests?view=closed&amp;category=land" in page
    assert "page=" not in answer.headers["Location"] and "saved=" in answer.headers["Location"]
    assert heads(kept) == ["期限", "企业", "统一社会信用代码"] and "按 提出 降序" in kept


def test_a_department_orders_what_it_was_asked_and_another_districts_are_in_no_file(sqlite_app, client):
    finance = make_unit("金融办")
    make_user("yueheng", "unit", name="岳蘅", unit_id=finance)
    foreign = asked("云台区外地食品有限公司", region=county(OTHER))
    sent = asked("巫溪县甲食品有限公司", sent=(finance, TODAY))
    kept = asked("巫溪县乙食品有限公司")
    liaison = client_of(sqlite_app, "yueheng")

    assert rows_of(liaison.get("/requests?sort=-name,unit&columns=code").text) == [sent]
    assert set(rows_of(client.get("/requests?sort=code,%00,x&columns=password").text)) == {sent, kept}
    assert foreign not in rows_of(client.get("/requests?sort=-due").text)
    assert "外地" not in client.get("/requests/export?format=csv&sort=code").data.decode("utf-8-sig")
