"""拟入库 from the selection bar: counted and named first, the number typed above fifty, one press back."""

import pytest
from sqlalchemy import func, select

from crm.actions.pool import propose_for_pool
from crm.actions.pool_selections import open_selection
from crm.extensions import db
from crm.store.changes import ChangeSet
from crm.store.pool import PoolMembership, PoolSelection
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user
from tests.web.conftest import csrf_of, post, sign_in
from tests.web.pages import form_on

URL = "/pool/propose-chosen"


@pytest.fixture
def client(sqlite_app):
    make_user("tanyue", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def looked_at(client, **chosen):
    return client.post(URL, data={"csrf_token": csrf_of(client, "/account"), "asked": "", **chosen})


def pressed(client, page: str, step: str = "write", **given):
    return client.post(URL, data={**form_on(page, URL), "step": step, **given})


def proposals() -> dict[int, PoolMembership]:
    db.session.expire_all()
    query = select(PoolMembership).where(~PoolMembership.deleted)
    return {row.enterprise_id: row for row in db.session.scalars(query)}


def test_the_bar_offers_it_and_a_press_puts_the_firms_on_a_list_of_this_year(client):
    first, second = make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司")
    held = make_enterprise("丙食品有限公司", status="deregistered")

    bar = client.get("/enterprises").text
    page = looked_at(client, ids=f"{first},{second},{held}", asked="q=食品").text
    written = pressed(client, page, reason="研发投入已过 5%")

    row = db.session.query(PoolSelection).one()
    assert f'formaction="{URL}"' in bar
    assert "会拟入库 2 家" in page and "跳过 1 家" in page and "已注销、吊销或迁出" in page and "照着填家数" not in page
    assert (row.title, row.year, row.decided_on) == (f"{TODAY.year} 年高企培育库", TODAY.year, None)
    assert written.headers["Location"] == f"/pool/selections/{row.id}"
    assert {i: (one.reason, one.selection_id) for i, one in proposals().items()} == {
        first: ("研发投入已过 5%", row.id),
        second: ("研发投入已过 5%", row.id),
    }
    shown = client.get(written.headers["Location"]).text
    assert "已拟入库 2 家，等会议决定" in shown and "/undo" in shown


def test_all_of_a_filter_across_pages_needs_its_number_and_is_taken_back_in_one_press(client):
    ids = [make_enterprise(f"巫溪县{n}号食品有限公司") for n in range(52)]
    outside = make_enterprise("重庆云脊智能装备有限公司")

    page = looked_at(client, all="1", expected="52", left_out=str(ids[0]), asked="q=食品").text
    without = pressed(client, page)
    written = pressed(client, without.text, number="51")
    proposed = set(proposals())
    last = db.session.scalar(select(func.max(ChangeSet.id)))
    undone = post(client, f"/changes/{last}/undo")

    assert "会拟入库 51 家" in page and "列出前 20 家" in page and "另有 31 家同样拟入库" in page
    assert without.status_code == 422 and "要拟入库 51 家：照着填 51，再按一次" in without.text
    assert written.status_code == 302
    assert proposed == set(ids[1:]) and outside not in proposed
    assert undone.status_code == 302 and proposals() == {}


def test_a_filter_that_counts_differently_by_now_leads_back_with_both_numbers(client):
    make_enterprise("甲食品有限公司")
    page = looked_at(client, all="1", expected="1", asked="q=食品").text
    make_enterprise("乙食品有限公司")

    late = pressed(client, page)

    assert late.headers["Location"].endswith("q=%E9%A3%9F%E5%93%81")
    assert "选中时这个筛选有 1 家，现在是 2 家" in client.get(late.headers["Location"]).text
    assert proposals() == {}


def test_the_list_of_the_year_is_offered_and_another_choice_is_looked_at_anew(client):
    waits, fresh = make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司")
    with unit_of_work():
        propose_for_pool(waits, {"year": TODAY.year, "pool_class": "key"}, act=act())
    listed = make_enterprise("丙有限公司")
    with unit_of_work():
        head = {"title": "本年名单", "year": TODAY.year}
        list_id = open_selection(head, [listed], plan={"pool_class": "key"}, act=act()).ids["selection"]

    page = looked_at(client, ids=f"{waits},{fresh}").text
    loose = pressed(client, page, "preview", onto="", reason="写到一半的理由")
    stale = pressed(client, page, onto="")
    written = pressed(client, page)

    assert f'<option value="{list_id}" selected>《本年名单》' in page and "其中 1 家早已拟入库" in page
    assert "会拟入库 1 家" in loose.text and "等列入名单" in loose.text and "写到一半的理由" in loose.text
    assert stale.status_code == 409 and "没有写入" in stale.text
    assert written.headers["Location"] == f"/pool/selections/{list_id}"
    assert {proposals()[i].selection_id for i in (waits, fresh)} == {list_id}


def test_a_second_press_and_a_stray_list_write_nothing_twice(client):
    one = make_enterprise("甲食品有限公司")
    page = looked_at(client, ids=str(one)).text

    answers = [pressed(client, page, onto="999999") for _ in range(2)]
    again = pressed(client, answers[0].text) if answers[0].status_code == 200 else answers[1]

    assert [a.status_code for a in answers] == [302, 302] and again.status_code == 302
    sets = select(func.count()).select_from(ChangeSet).where(ChangeSet.action == "propose_many")
    assert db.session.scalar(sets) == 1
    assert proposals()[one].selection_id is None


def test_a_case_manager_proposes_the_own_firms_without_a_list_and_never_sees_another_county(sqlite_app):
    me = make_user("xianghe", "case_manager")
    client = sqlite_app.test_client()
    sign_in(client, "xianghe")
    mine, colleagues = make_enterprise("甲有限公司", manager=me.user_id), make_enterprise("乙有限公司")
    foreign = make_enterprise("墙外有限公司", region=county(OTHER))

    page = looked_at(client, ids=f"{mine},{colleagues},{foreign}", asked="q=有限").text
    written = pressed(client, page, onto="new")

    assert "不在你的授权内" in page and "墙外" not in page and 'name="onto"' not in page
    assert "业务科室列名单时会看到" in page
    assert written.headers["Location"].endswith("q=%E6%9C%89%E9%99%90")
    assert {i: one.selection_id for i, one in proposals().items()} == {mine: None}


def test_nothing_chosen_and_nobody_fit_are_said_in_one_sentence(client):
    gone = make_enterprise("甲有限公司", status="deregistered")

    nothing = client.get(looked_at(client, ids="", asked="q=甲").headers["Location"]).text
    nobody = looked_at(client, ids=str(gone)).text
    bad = looked_at(client, ids=str(gone), step="preview", planned_year="后年\x00")

    assert "没有选中企业" in nothing
    assert "选中的都不能拟入库" in nobody and 'value="write"' not in nobody
    assert bad.status_code == 422
