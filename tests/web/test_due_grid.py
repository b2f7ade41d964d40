"""The due list as a grid: columns and orders in the address, chosen rows, one cell in its place, export as shown."""

import io
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from crm.actions.obligations import assign, postpone
from crm.actions.service_logs import log_service
from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.changes import ChangeSet
from crm.store.obligations import obligations_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.web.conftest import csrf_of, post, queries, sign_in
from tests.web.pages import form_on

BULK = "/due/bulk"


@pytest.fixture
def chenshu(sqlite_app):
    return make_user("chenshu", "case_manager", name="陈述")


@pytest.fixture
def client(sqlite_app, chenshu):
    make_user("tanyue", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def promised(name: str, days: int = 3, **firm) -> str:
    """The key of a next step of a new firm, as the list names it."""
    enterprise_id = make_enterprise(name, **firm)
    values = {
        "happened_on": date(2026, 11, 2),
        "kind": "visit",
        "text": "看了车间。",
        "next_step": "送立项书模板",
        "next_step_on": TODAY + timedelta(days=days),
    }
    with unit_of_work():
        return f"{enterprise_id}:next_step:{log_service([enterprise_id], values, act=act()).ids['service_log']}"


def now_of(key: str):
    db.session.rollback()
    [one] = [one for one in obligations_of(int(key.split(":")[0])) if one.kind == "next_step"]
    return one


def first_step(client, verb: str, **given):
    data = {"verb": verb, "csrf_token": csrf_of(client, "/account"), "asked": "", **given}
    return client.post(BULK, data=data)


def next_step(client, page: str, step: str, **given):
    return client.post(BULK, data={**form_on(page, BULK), "step": step, **given})


# --- chosen rows -----------------------------------------------------------------------------------------------------


def test_many_are_given_away_after_a_preview_with_what_is_skipped_and_taken_back_with_one_press(client, chenshu):
    one, two = promised("甲有限公司"), promised("乙有限公司")
    post(client, f"/due/{promised('丙有限公司').replace(':', '/')}/settle")
    gone = f"{now_of(two).enterprise_id + 1}:next_step:3"

    page = first_step(client, "assign", ids=f"{one},{two},{gone}", asked="columns=owner&sort=-name").text
    preview = next_step(client, page, "preview", assignee=str(chenshu.user_id)).text
    written = next_step(client, preview, "write")

    assert "选中 3 项" in page
    assert "会交办 2 项" in preview
    assert "跳过 1 项" in preview and "丙有限公司（下一步）" in preview and "已办结、免办或过期" in preview
    assert written.headers["Location"] == "/due?sort=-name&columns=owner"
    listed = client.get(written.headers["Location"]).text
    assert "已交办 2 项：陈述" in listed
    assert [now_of(key).owner_id for key in (one, two)] == [chenshu.user_id] * 2
    last = db.session.scalars(select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    post(client, f"/changes/{last.id}/undo")
    assert chenshu.user_id not in {now_of(key).owner_id for key in (one, two)}


def test_all_of_a_filter_are_exactly_those_and_a_changed_count_is_refused_with_both_numbers(client):
    near, _far = promised("甲有限公司", 2), promised("乙有限公司", 200)
    asked = {"all": "1", "expected": "1", "asked": "month=week"}

    preview = first_step(client, "settle", **asked).text
    promised("丙有限公司", 3)
    refused = next_step(client, preview, "write")

    assert "会办结 1 项" in preview
    assert "选中时这个筛选有 1 项，现在是 2 项。" in client.get(refused.headers["Location"]).text
    assert now_of(near).state != "done"


def test_a_second_press_writes_nothing_and_a_preview_that_grew_old_is_shown_anew(client):
    one = promised("甲有限公司")
    page = first_step(client, "postpone", ids=one).text
    preview = next_step(client, page, "preview", to="2026-12-20").text
    assert next_step(client, preview, "write").status_code == 302
    again = next_step(client, preview, "write")
    assert "已经办过，没有再写。" in client.get(again.headers["Location"]).text

    page = first_step(client, "postpone", ids=one).text
    preview = next_step(client, page, "preview", to="2026-12-30").text
    with unit_of_work():
        postpone(*_parts(one), to=date(2026, 12, 25), act=act())
    old = next_step(client, preview, "write")

    assert old.status_code == 409
    assert "预览之后名单或其中的事项变了" in old.text


def _parts(key: str):
    enterprise_id, kind, period = key.split(":")
    return int(enterprise_id), kind, period


@pytest.mark.parametrize(
    ("verb", "given", "sentence"),
    [
        ("postpone", {"to": ""}, "选改到哪一天。"),
        ("postpone", {"to": "明天"}, "“明天”不是日期。写成 2026-11-23。"),
        ("postpone", {"to": "2026-01-01"}, "改到的日期 2026-01-01 已过。"),
        ("assign", {"assignee": ""}, "选交办给哪位专员。"),
        ("assign", {"assignee": "99"}, "所选的专员不在列表里"),
        ("settle", {"note": "长" * 501}, "最多 500 字，现在 501 字。"),
    ],
)
def test_a_value_that_is_none_comes_back_beside_its_field_with_what_was_typed(client, verb, given, sentence):
    page = first_step(client, verb, ids=promised("甲有限公司")).text

    answer = next_step(client, page, "preview", **given)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert all(text in answer.text for text in given.values())


@pytest.mark.parametrize("ids", ["", "x:y", "1:next_step", "9:next_step:99", "\x00"])
def test_nothing_chosen_leads_back_to_the_list_with_one_sentence(client, ids):
    answer = first_step(client, "settle", ids=ids, asked="kind=next_step")

    assert answer.headers["Location"] == "/due?kind=next_step"
    assert "没有选中事项。先在名单里选。" in client.get(answer.headers["Location"]).text


def test_another_districts_are_never_among_the_chosen(sqlite_app, client):
    foreign = promised("远有限公司", region=county(OTHER))

    answer = first_step(client, "settle", ids=foreign)

    assert "没有选中事项" in client.get(answer.headers["Location"]).text
    assert now_of(foreign).state != "done"


def test_a_leader_chooses_nothing_and_edits_no_cell(sqlite_app):
    make_user("leader", "leader")
    client = sqlite_app.test_client()
    sign_in(client, "leader")
    key = promised("甲有限公司")

    page = client.get("/due").text

    assert 'name="pick"' not in page and "data-cell=" not in page and 'id="selected"' not in page
    assert first_step(client, "settle", ids=key).status_code == 403
    assert client.get(f"/due/{key.replace(':', '/')}/cells/due").status_code == 403


# --- one cell --------------------------------------------------------------------------------------------------------


def cell(client, key: str, column: str):
    url = f"/due/{key.replace(':', '/')}/cells/{column}"
    return url, form_on(client.get(url).text, url)


def test_a_deadline_is_changed_in_its_place_with_its_line_and_the_way_back(client):
    key = promised("甲有限公司")
    url, form = cell(client, key, "due")

    answer = client.post(url, data={**form, "to": "2026-12-20", "asked": "columns=reason"}).json

    assert now_of(key).due_at.astimezone().date() == date(2026, 12, 20)
    assert "已改期" in answer["row"] and "12-20" in answer["row"] and 'name="pick"' in answer["row"]
    assert "甲有限公司 下一步已改期到 12-20" in answer["toast"]
    assert "撤销（<span data-left>10</span> 秒）" in answer["toast"]


def test_the_one_who_does_it_is_chosen_in_its_place(client, chenshu):
    key = promised("甲有限公司")
    url, form = cell(client, key, "owner")

    empty = client.post(url, data={**form, "assignee": ""})
    answer = client.post(url, data={**form, "assignee": str(chenshu.user_id), "asked": ""}).json

    assert empty.status_code in (200, 422)
    assert now_of(key).owner_id == chenshu.user_id
    assert 'data-cell="owner">陈述</td>' in answer["row"]
    assert "已交办给 陈述" in answer["toast"]


def test_what_a_colleague_gave_away_meanwhile_is_not_given_away_unseen(client, chenshu):
    key = promised("甲有限公司")
    url = f"/due/{key.replace(':', '/')}/assign"
    other = make_user("ranqing", "case_manager", name="冉青")
    page = form_on(client.get("/due", query_string={"open": key}).text, url)
    with unit_of_work():
        assign(*_parts(key), to=other.user_id, act=act())

    refused = client.post(url, data={**page, "assignee": str(chenshu.user_id)})
    held = now_of(key).owner_id
    again = client.post(url, data={**form_on(refused.text, url), "assignee": str(chenshu.user_id)})

    assert refused.status_code == 422 and "同一处已被别人改过" in refused.text
    assert held == other.user_id
    assert again.status_code == 302 and now_of(key).owner_id == chenshu.user_id


def test_the_same_cell_shows_before_theirs_and_mine_until_one_is_chosen(client):
    key = promised("甲有限公司")
    url, form = cell(client, key, "due")
    with unit_of_work():
        postpone(*_parts(key), to=date(2026, 12, 1), act=act())

    clash = client.post(url, data={**form, "to": "2026-12-20"})
    kept = client.post(url, data={**form_on(clash.text, url), "pick_to": "mine", "asked": ""})

    assert clash.status_code == 409
    assert all(day in clash.text for day in ("2026-12-01", "2026-12-20"))
    assert kept.status_code == 200
    assert now_of(key).due_at.astimezone().date() == date(2026, 12, 20)


@pytest.mark.parametrize(("to", "sentence"), [("昨天", "不是日期"), ("2026-01-01", "已过"), ("", "选一个日期。")])
def test_a_day_that_is_none_keeps_what_was_typed_beside_the_sentence(client, to, sentence):
    url, form = cell(client, promised("甲有限公司"), "due")

    answer = client.post(url, data={**form, "to": to})

    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'name="to" value="{to}"' in answer.text


# --- columns, orders, export, views -----------------------------------------------------------------------------------


def names_in_order(page: str, *names: str) -> list[str]:
    body = page[page.index("<tbody>") :]
    return sorted(names, key=lambda name: body.index(f"选中 {name}"))


def test_columns_and_orders_stand_in_the_address_and_groups_only_where_nearness_orders(client):
    promised("乙有限公司", 2, township=township("凤凰镇").id)
    promised("甲有限公司", 40, township=township("凤凰镇").id)

    usual = client.get("/due").text
    page = client.get("/due?columns=township&columns=state&sort=township,-due").text

    assert names_in_order(usual, "甲", "乙") == ["乙", "甲"] and 'class="grp"' in usual
    assert names_in_order(page, "甲", "乙") == ["甲", "乙"] and 'class="grp"' not in page
    assert "按 乡镇（考核） 升序、期限 降序" in page
    assert ">状态</th>" in page and ">负责人</a></th>" not in page


@pytest.mark.parametrize("sort", ["name", "-name", "kind", "owner", "manager", "township", "opens", "due,-name"])
def test_every_order_turns_pages_without_losing_a_row(client, monkeypatch, sort):
    from crm.store import obligation_lists

    names = [f"{n}号有限公司" for n in range(5)]
    for n, name in enumerate(names):
        promised(name, n % 2 + 1)
    monkeypatch.setattr(obligation_lists.page, "__kwdefaults__", {**obligation_lists.page.__kwdefaults__, "size": 2})

    pages = [client.get(f"/due?sort={sort}&page={number}").text for number in (1, 2, 3)]

    found = [name for page in pages for name in names if f"选中 {name}" in page]
    assert sorted(found) == names


def test_an_order_of_ones_own_makes_no_more_queries_for_three_rows_than_for_one(client):
    url = "/due?columns=owner&columns=manager&columns=titles&columns=reason&sort=-name,township"
    promised("甲有限公司")
    one = queries(client, url)
    for name in "乙丙":
        promised(f"{name}有限公司")

    assert queries(client, url) == one


def test_the_export_has_the_columns_the_order_and_the_filter_of_the_list_and_is_logged(client):
    promised("甲有限公司", 2)
    promised("乙有限公司", 3)
    content = client.get("/due/export?kind=next_step&columns=township&columns=state&sort=-name").data

    rows = list(load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))

    assert rows[1][0].startswith("未办；种类 下一步；按 企业 降序；")
    assert rows[2][:5] == ("期限", "剩余", "企业名称", "乡镇（考核）", "状态")
    assert [row[2] for row in rows[3:5]] == ["乙有限公司", "甲有限公司"]
    db.session.rollback()
    logged = db.session.scalars(select(AccessLog).order_by(AccessLog.id.desc())).first()
    assert (logged.rows, logged.filter["sort"], logged.filter["columns"]) == (2, "-name", ["township", "state"])


def test_the_export_of_chosen_ones_is_just_these_and_says_so(client):
    one, _other = promised("甲有限公司"), promised("乙有限公司")

    answer = post(client, "/due/export-selected?format=csv", {"ids": one, "asked": "columns=kind"})

    text = answer.data.decode("utf-8-sig")
    assert "甲有限公司" in text and "乙有限公司" not in text
    assert "选中 1 项" in text


def test_a_saved_view_keeps_columns_and_order(client):
    query = "kind=next_step&columns=township&sort=-name"
    post(client, "/views", {"page": "obligations", "name": "下一步", "query": query, "shared": "private"})

    page = client.get("/due/views").text

    assert "sort=-name" in page and "columns=township" in page
