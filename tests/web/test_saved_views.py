"""Saved views: what a list shows under a name, for oneself, a role or everybody, as tabs with counts."""

import re

import pytest
from sqlalchemy import func, select

from crm.domain.changes import Update
from crm.extensions import db
from crm.store.changes import ChangeSet
from crm.store.saved_views import SavedView
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import OTHER, act, county, make_enterprise, make_user
from tests.web.conftest import post, sign_in


def browser(app, login: str, role: str, **where):
    make_user(login, role, **where)
    client = app.test_client()
    sign_in(client, login)
    return client


@pytest.fixture
def client(sqlite_app):
    return browser(sqlite_app, "tanyue", "bureau", name="谭越")


def saved(client, name: str = "食品企业", query: str = "q=食品&columns=code&sort=-name", **more) -> int:
    given = {"page": "enterprises", "name": name, "query": query, "shared": "private", **more}
    answer = post(client, "/views", given)
    assert answer.status_code == 302, answer.text
    db.session.rollback()
    return db.session.scalar(select(SavedView.id).where(SavedView.name == name))


def tabs(client, **at) -> list[tuple[str, str]]:
    page = client.get("/enterprises/views", query_string=at).text
    row = page[: page.index("</nav>")]
    return re.findall(r">([^<>]+)<span>([\d,]+)</span></a>", row)


def test_a_view_keeps_filter_columns_and_order_and_is_a_tab_with_its_count(client):
    make_enterprise("甲食品有限公司")
    make_enterprise("乙茶业有限公司")

    view = saved(client)

    assert ("食品企业", "1") in tabs(client)
    page = client.get("/enterprises/views").text
    href = re.search(r'<a href="([^"]+)">食品企业', page)[1].replace("&amp;", "&")
    listed = client.get(href).text
    assert f"saved={view}" in href
    assert "按 名称 降序" in listed
    assert ">特色产业</a>" not in listed
    assert ">统一社会信用代码" in listed


def test_the_count_of_a_tab_is_that_of_the_list_behind_it_now(client):
    saved(client)
    before = tabs(client)
    make_enterprise("甲食品有限公司")

    assert ("食品企业", "0") in before
    assert ("食品企业", "1") in tabs(client)


def test_a_private_view_is_only_its_owners_and_a_shared_one_those_of_its_role(sqlite_app, client):
    saved(client, "我的")
    saved(client, "专员的", shared="role", role="case_manager")
    saved(client, "大家的", shared="all")
    manager = browser(sqlite_app, "xianghe", "case_manager")
    leader = browser(sqlite_app, "liao", "leader")
    elsewhere = browser(sqlite_app, "tingyu", "bureau", region=county(OTHER))

    seen = {
        name: [label for label, _ in tabs(who) if label in ("我的", "专员的", "大家的")]
        for name, who in (("manager", manager), ("leader", leader), ("elsewhere", elsewhere))
    }

    assert seen == {"manager": ["专员的", "大家的"], "leader": ["大家的"], "elsewhere": []}


def test_who_only_reads_keeps_private_views_and_cannot_share_them(sqlite_app):
    leader = browser(sqlite_app, "liao", "leader")

    view = saved(leader, "我看的")
    refused = post(leader, "/views", {"page": "enterprises", "name": "给大家", "query": "", "shared": "all"})

    assert view
    assert refused.status_code == 422
    assert "你的授权不含把视图给别人看。" in refused.text
    assert db.session.scalar(select(func.count()).select_from(SavedView)) == 1


def test_somebody_elses_view_cannot_be_changed_nor_seen(sqlite_app, client):
    private, shared = saved(client, "我的"), saved(client, "大家的", shared="all")
    manager = browser(sqlite_app, "xianghe", "case_manager")

    answers = [
        post(manager, f"/views/{view}/{deed}", {"version": "1", "query": "q=1", "to": "up"}).status_code
        for view in (private, shared)
        for deed in ("withdraw", "update", "move")
    ]

    assert answers == [404] * 3 + [403] * 3


def test_a_view_is_withdrawn_and_brought_back(client):
    view = saved(client)

    post(client, f"/views/{view}/withdraw", {"version": "1"})
    gone = tabs(client)
    last = db.session.scalar(select(func.max(ChangeSet.id)))
    post(client, f"/changes/{last}/undo")

    assert "食品企业" not in dict(gone)
    assert "食品企业" in dict(tabs(client))


def test_what_a_view_shows_is_updated_from_the_list_and_the_list_says_that_it_differs(client):
    view = saved(client)
    differs = client.get("/enterprises/views", query_string={"saved": view, "shape": "q=茶"}).text
    same = client.get(
        "/enterprises/views", query_string={"saved": view, "shape": "q=食品&columns=code&sort=-name"}
    ).text

    answer = post(client, f"/views/{view}/update", {"version": "1", "query": "q=茶"})

    assert ("视图已改动" in differs, "视图已改动" in same) == (True, False)
    assert answer.status_code == 302
    db.session.rollback()
    assert db.session.get(SavedView, view).query == "q=%E8%8C%B6"


def test_at_most_eight_tabs_stand_in_a_row_and_the_open_one_is_among_them(client):
    make_enterprise("甲有限公司")
    views = [saved(client, f"视图{n}", f"q={n}") for n in range(9)]

    row = tabs(client, saved=views[8])

    assert len(row) == 8
    assert row[-1][0] == "视图8"
    assert "更多 " in client.get("/enterprises/views").text


def test_views_are_put_in_order_and_pinned_ones_come_first(client):
    first, second = saved(client, "一"), saved(client, "二")
    pinned = saved(client, "三", pinned="1")

    post(client, f"/views/{second}/move", {"to": "up"})

    page = client.get("/views?page=enterprises").text
    assert sorted((first, second, pinned), key=lambda i: page.index(f'href="/views/{i}"')) == [pinned, second, first]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "  "}, "给视图起个名字。"),
        ({"name": "长" * 41}, "名字有 41 个字，最多 40 个。"),
        ({"shared": "role"}, "选给哪一种角色看。"),
        ({"shared": "world"}, "选给谁看"),
        ({"query": "&".join(f"township={n}" for n in range(1, 400))}, "这个筛选太长"),
    ],
)
def test_a_view_that_cannot_be_kept_comes_back_with_one_sentence_and_what_was_typed(client, given, sentence):
    answer = post(client, "/views", {"page": "enterprises", "name": "视图", "query": "", "shared": "private", **given})

    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_name_is_given_once_per_person(client):
    saved(client)

    again = post(client, "/views", {"page": "enterprises", "name": "食品企业", "query": "", "shared": "private"})

    assert again.status_code == 422
    assert "你已有叫“食品企业”的视图" in again.text


@pytest.mark.parametrize(
    "query", ["columns=gone&columns=code&sort=gone,-name", "columns=gone&view=nowhere&q=%00", "x" * 900]
)
def test_a_view_of_what_is_no_more_opens_as_what_is_left_of_it(client, query):
    make_enterprise("甲有限公司")
    view = saved(client, "旧", "q=甲")
    with unit_of_work():
        write([Update("saved_view", view, {"query": query})], act=act(), action="test")

    assert ("旧", "1") in tabs(client)
    assert client.get(f"/enterprises?{query}&saved={view}").status_code == 200


def test_the_due_list_keeps_views_of_its_own(client):
    post(client, "/views", {"page": "obligations", "name": "高企的", "query": "kind=hnte_renewal", "shared": "private"})

    page = client.get("/due/views").text

    assert "高企的<span>0</span>" in page
    assert "高企的" not in client.get("/enterprises/views").text
