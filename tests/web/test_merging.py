"""合并重复企业 on the web: suggestions with evidence, both files side by side, old addresses, the way back."""

import re
from datetime import date
from decimal import Decimal

import pytest

from crm.actions.figures import record_figures
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.figures import figures_of
from crm.store.relations import relations_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, make_enterprise, make_user
from tests.web.conftest import post, queries, sign_in
from tests.web.pages import form_on


@pytest.fixture
def client(sqlite_app):
    make_user("tanyue", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


@pytest.fixture
def pair(client) -> tuple[int, int]:
    held = ("hnte", date(2024, 11, 28), date(2027, 11, 27))
    left = make_enterprise("巫溪县青禾食品有限公司", titles=[held], contact_name="左某")
    right = make_enterprise("重庆青禾食品有限责任公司", titles=[held], contact_name="右某")
    for firm, amount in ((left, 1), (right, 2)):
        with unit_of_work():
            record_figures(firm, 2025, {"revenue": Decimal(amount) * 10000}, act=act())
    with unit_of_work():
        record_figures(right, 2020, {"staff_count": 3}, act=act())
    return left, right


def rival_in(page: str) -> str:
    return re.search(r'name="(pick_qualification\.\d+\.\d+)"', page)[1]


def test_suggestions_say_what_speaks_for_them(client, pair):
    make_enterprise("巫溪县云谷药材有限公司", legal_person="左某")

    everywhere = client.get("/enterprises/duplicates").text
    of_one = client.get(f"/enterprises/{pair[0]}/merge").text

    assert "可能重复的企业" in everywhere and everywhere.count(">并排看</a>") == 1
    assert "字号相同" in of_one and f"/enterprises/{pair[0]}/merge/{pair[1]}" in of_one


def test_two_files_become_one_and_the_old_address_leads_there(client, pair):
    left, right = pair
    url = f"/enterprises/{left}/merge/{right}"
    page = client.get(url).text
    assert "要先定的 1 处" in page and "左某" in page and "右某" in page
    form = form_on(page, url)

    undecided = client.post(url, data=form)
    chosen = {rival_in(page): "left", "pick_enterprise.contact_name": "right", "pick_figures.2025.revenue": "right"}
    merged = client.post(url, data={**form_on(undecided.text, url), **chosen})

    assert undecided.status_code == 422 and "两条只能留一条，选一条。" in undecided.text
    assert (merged.status_code, merged.headers["Location"]) == (302, f"/enterprises/{left}")
    assert [row.revenue for row in figures_of(left)] == [None, Decimal(20000)]
    old = client.get(f"/enterprises/{right}?tab=history")
    assert (old.status_code, old.headers["Location"]) == (302, f"/enterprises/{left}?tab=history")
    history = client.get(old.headers["Location"]).text
    assert "已并入下面这一家" in history and "合并重复企业" in history and "归到合并后的企业" in history
    assert client.get(url).status_code == 404


def test_a_form_opened_before_the_merge_is_led_to_the_other_file_with_all_that_was_typed(client, pair):
    left, right = pair
    edit, url = f"/enterprises/{right}/edit", f"/enterprises/{left}/merge/{right}"
    opened = form_on(client.get(edit).text, edit)
    page = client.get(url).text
    client.post(url, data={**form_on(page, url), rival_in(page): "left"})

    kept = client.post(edit, data={**opened, "notes": "正在谈扩建", "contact_name": "新来的"})
    there = f"/enterprises/{left}/edit"
    sent = client.post(there, data=form_on(kept.text, there))

    assert kept.status_code == 409 and "还没有保存，改过的内容都在。" in kept.text
    assert re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", kept.text) == [
        ("联系人", "新来的"),
        ("从哪天起", "2026-11-23"),
        ("备注", "正在谈扩建"),
    ]
    # Nothing is written over what the other file says: the same field stands beside it, to be chosen.
    assert sent.status_code == 409 and "正在谈扩建" in sent.text
    assert "新来的" in sent.text and "左某" in sent.text
    assert db.session.get(Enterprise, left).contact_name == "左某"
    placed = client.post(edit, data={**opened, "notes": "正在谈扩建"}, headers={"HX-Request": "true"})
    assert placed.status_code == 409 and "正在谈扩建" in placed.text and "存到合并后" not in placed.text
    pressed = post(client, f"/enterprises/{right}/withdraw", {"version": "1"})
    assert pressed.status_code == 409 and "刚才那一步没有做" in pressed.text and "存到合并后" not in pressed.text


def test_the_merge_is_taken_back_from_its_toast_and_both_addresses_open(client, pair):
    left, right = pair
    url = f"/enterprises/{left}/merge/{right}"
    page = client.get(url).text
    client.post(url, data={**form_on(page, url), rival_in(page): "right"})
    toast = client.get(f"/enterprises/{left}").text
    undo = re.search(r'action="(/changes/\d+/undo)"', toast)[1]

    answer = post(client, undo, {"confirmed": "1"})

    assert answer.status_code == 302
    assert [client.get(f"/enterprises/{one}").status_code for one in pair] == [200, 200]
    assert [figures_of(one)[-1].revenue for one in pair] == [Decimal(10000), Decimal(20000)]


def test_pressing_twice_merges_once(client, pair):
    left, right = pair
    url = f"/enterprises/{left}/merge/{right}"
    page = client.get(url).text
    form = {**form_on(page, url), rival_in(page): "left"}

    assert [client.post(url, data=form).status_code for _ in range(2)] == [302, 302]


def test_what_changed_since_the_page_was_opened_is_looked_at_again(client, pair):
    left, right = pair
    url = f"/enterprises/{left}/merge/{right}"
    page = client.get(url).text
    with unit_of_work():
        record_figures(right, 2025, {"revenue": Decimal(30000)}, act=act())

    answer = client.post(url, data={**form_on(page, url), rival_in(page): "left"})

    assert answer.status_code == 422 and "两家的资料刚有改动，下面是最新的。核对后再合并。" in answer.text
    assert "3.0 万元" in answer.text


def test_a_pair_said_to_be_two_firms_is_suggested_no_more_until_that_is_taken_back(client, pair):
    left, right = pair
    pages = ("/enterprises/duplicates", f"/enterprises/{left}/merge", f"/enterprises/{right}/merge")
    suggested = [">并排看</a>" in client.get(page).text for page in pages]
    form = form_on(client.get(f"/enterprises/{left}/merge/{right}").text, f"/enterprises/{left}/merge/{right}/apart")

    told = client.post(f"/enterprises/{left}/merge/{right}/apart", data={**form, "note": "两个法人，电话相同而已"})

    assert (suggested, told.status_code) == ([True] * 3, 302)
    assert [">并排看</a>" in client.get(page).text for page in pages] == [False] * 3
    listed = client.get("/enterprises/duplicates").text
    assert "核实过不是同一家的 1 对" in listed and "谭越 2026-11-23" in listed and "两个法人，电话相同而已" in listed
    beside = client.get(f"/enterprises/{right}/merge/{left}").text
    assert "谭越 2026-11-23 核实过：这两家不是同一家（两个法人，电话相同而已）。" in beside
    assert "核实不是同一家" in client.get(f"/enterprises/{left}?tab=history").text
    again = post(client, f"/enterprises/{right}/merge/{left}/apart", follow_redirects=True)
    assert "这两家已经核实过不是同一家。" in again.text
    decision = relations_of(right)[0]
    assert client.get(f"/relations/{decision.id}").status_code == 403
    post(client, f"/relations/{decision.id}/withdraw", {"version": "1"})
    assert [">并排看</a>" in client.get(page).text for page in pages] == [True] * 3


def test_a_case_manager_finds_no_way_to_merge(client, pair, sqlite_app):
    make_user("xianghe", "case_manager")
    manager = sqlite_app.test_client()
    sign_in(manager, "xianghe")

    assert manager.get(f"/enterprises/{pair[0]}/merge").status_code == 403
    assert "合并重复企业" not in manager.get(f"/enterprises/{pair[0]}").text


def test_the_list_of_suspicions_asks_as_often_for_many_as_for_one(client, pair):
    client.get("/enterprises/duplicates")
    one = queries(client, "/enterprises/duplicates")
    for number in range(5):
        make_enterprise(f"青禾{number}号食品有限公司")
        make_enterprise("巫溪县石门建材有限公司")
    client.get("/enterprises/duplicates")

    assert queries(client, "/enterprises/duplicates") == one
