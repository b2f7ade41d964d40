"""年度遴选 on the web: from the list to the decided and printed list, the conversion, and the board's pool column."""

import io
import re
from datetime import date

import pytest
from docx import Document

from crm.actions.pool import propose_for_pool
from crm.actions.pool_selections import open_selection
from crm.domain.changes import Update
from crm.extensions import db
from crm.store import pool_selections as lists
from crm.store.changes import ChangeSet
from crm.store.pool import PoolMembership, PoolSelection
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import act, make_enterprise, make_user, township
from tests.web.conftest import post, queries, sign_in
from tests.web.pages import conflicts_on, form_on

FETCH = {"X-Requested-With": "fetch"}


@pytest.fixture
def client(sqlite_app):
    make_user("tanyue", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def listed(*enterprise_ids: int) -> int:
    with unit_of_work():
        head = {"title": "2026 年高企培育库", "year": 2026}
        plan = {"pool_class": "long_term", "planned_year": 2027}
        return open_selection(head, enterprise_ids, plan=plan, act=act()).ids["selection"]


def rows_of(selection_id: int) -> list[PoolMembership]:
    db.session.expire_all()
    return [line.membership for line in lists.lines(selection_id, act().viewer)]


def test_ticked_firms_of_the_list_become_a_list_for_the_meeting(client):
    first, second = make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司")

    page = post(client, "/pool/selections/choose", {"ids": f"{first},{second}", "asked": "q=食品"}).text
    answer = post(
        client,
        "/pool/selections/new",
        {
            "request_key": "p1",
            "ids": [first, second],
            "pick": [first],
            f"reason-{first}": "有 3 件专利",
            "title": "2026 年高企培育库",
            "year": "2026",
            "pool_class": "key",
            "planned_year": "2027",
            "query": "?q=食品",
            "filter_words": "找 食品",
            "go": "open",
        },
    )

    assert "甲食品有限公司" in page.replace("<b>", "").replace("</b>", "") or 'name="pick"' in page
    row = db.session.query(PoolSelection).one()
    assert answer.headers["Location"] == f"/pool/selections/{row.id}"
    [one] = rows_of(row.id)
    assert (one.enterprise_id, one.pool_class, one.reason) == (first, "key", "有 3 件专利")
    assert row.filter_words == ["找 食品"]


def test_the_meeting_is_entered_on_one_page_and_a_missing_reason_is_beside_its_firm(client):
    selection_id = listed(make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司"))
    yes, no = rows_of(selection_id)
    form = {
        "request_key": "d1",
        "version": "1",
        "decided_on": "2026-11-23",
        "meeting": "第 8 次局务会",
        f"verdict-{yes.id}": "yes",
        f"verdict-{no.id}": "no",
    }
    ids = (yes.id, no.id)

    wrong = post(client, f"/pool/selections/{selection_id}/decide", form)
    right = post(client, f"/pool/selections/{selection_id}/decide", {**form, f"why-{no.id}": "没有专利"})

    assert wrong.status_code == 422 and "写不入库的原因" in wrong.text and "第 8 次局务会" in wrong.text
    assert right.status_code == 302
    decided = {one.id: one.entered_on for one in rows_of(selection_id)}
    assert decided == {ids[0]: date(2026, 11, 23), ids[1]: None}
    assert client.get(f"/pool/selections/{selection_id}/decide").status_code == 409


def test_the_decided_list_goes_out_as_word_excel_and_print(client):
    selection_id = listed(make_enterprise("甲食品有限公司"))
    [one] = rows_of(selection_id)
    form = {"version": "1", "decided_on": "2026-11-23", "meeting": "局务会", f"verdict-{one.id}": "yes"}
    post(client, f"/pool/selections/{selection_id}/decide", form)
    issued = post(
        client,
        f"/pool/selections/{selection_id}/issue",
        {"version": "2", "issued_on": "2026-11-23", "document": "溪科发〔2026〕9号"},
    )

    word = client.get(f"/pool/selections/{selection_id}/list?as=docx")
    sheet = client.get(f"/pool/selections/{selection_id}/list")
    printed = client.get(f"/pool/selections/{selection_id}/print").text

    assert issued.status_code == 302
    document = Document(io.BytesIO(word.data))
    assert document.paragraphs[0].text == "2026 年高企培育库入库名单"
    assert document.tables[0].rows[1].cells[1].text == "甲食品有限公司"
    assert sheet.data.startswith(b"PK") and "溪科发〔2026〕9号" in printed


def test_every_number_of_the_conversion_opens_a_list_of_that_length(client):
    selection_id = listed(*[make_enterprise(f"甲{n}食品有限公司") for n in range(3)])
    rows = rows_of(selection_id)
    form = {"version": "1", "decided_on": "2026-11-23", "meeting": "局务会"}
    post(client, f"/pool/selections/{selection_id}/decide", form | {f"verdict-{one.id}": "yes" for one in rows})

    page = client.get("/pool/conversion").text
    numbers = re.findall(r'href="(/pool/conversion\?what=[^"]+)">([\d,]+)</a>', page)

    assert len(numbers) == 4  # entered and waiting, of the year and in all
    for link, number in numbers:
        listing = client.get(link.replace("&amp;", "&")).text
        assert listing.count('<td class="fa">') == int(number)


def test_lists_ask_the_same_number_of_statements_whatever_their_length(client):
    one = listed(make_enterprise("甲食品有限公司"))
    many = listed(*[make_enterprise(f"乙{n}食品有限公司") for n in range(5)])
    client.get(f"/pool/selections/{one}")

    assert queries(client, f"/pool/selections/{one}") == queries(client, f"/pool/selections/{many}")


def test_of_several_firms_planned_at_once_each_that_was_changed_meanwhile_asks_and_no_other(client):
    selection_id = listed(*[make_enterprise(f"{n}食品有限公司") for n in "甲乙丙"])
    first, second, third = (one.id for one in rows_of(selection_id))
    page, url = f"/pool/selections/{selection_id}", f"/pool/selections/{selection_id}/plan"
    ticked = {"pick": [first, second, third]}

    def others(batch: str, *ids: int) -> None:
        with unit_of_work():
            write([Update("pool_membership", i, {"planned_batch": batch}) for i in ids], act=act(), action="test")

    sent = {**form_on(client.get(page).text, url), **ticked, "planned_batch": "第二批"}
    others("第一批", first, second)
    clash = client.post(url, data=sent)
    others("第三批", second)
    half = client.post(url, data={**form_on(clash.text, url), **ticked, f"pick_planned_batch-{first}": "theirs"})
    asked = [row[0] for row in conflicts_on(half.text)]
    kept = [one.planned_batch for one in rows_of(selection_id)]
    done = client.post(url, data={**form_on(half.text, url), **ticked, f"pick_planned_batch-{second}": "mine"})

    assert (clash.status_code, half.status_code, done.status_code) == (409, 409, 302)
    told = [(label, before, mine) for label, before, _, mine in conflicts_on(clash.text)]
    assert told == [(f"{n}食品有限公司 拟申报批次", "未填", "第二批") for n in "丙甲"]
    assert asked == ["甲食品有限公司 拟申报批次"]
    assert kept == ["第一批", "第三批", None]
    assert [one.planned_batch for one in rows_of(selection_id)] == ["第一批", "第二批", "第二批"]


def test_what_is_refused_of_the_ticked_firms_keeps_the_ticks(client):
    selection_id = listed(make_enterprise("甲食品有限公司"))
    [one] = rows_of(selection_id)
    url = f"/pool/selections/{selection_id}/plan"
    sent = form_on(client.get(f"/pool/selections/{selection_id}").text, url)

    answer = client.post(url, data={**sent, "pick": [one.id], "planned_year": "明年"})

    assert answer.status_code == 422
    assert re.search(r'name="pick" value="\d+"[^>]* checked', answer.text)
    assert 'value="明年"' in answer.text


def test_a_card_on_the_pool_column_is_proposed_once_and_can_be_taken_back(client):
    enterprise_id = make_enterprise("甲食品有限公司")
    page = client.get("/board").text
    url = f"/enterprises/{enterprise_id}/pool/propose-from-board"

    moved = post(client, url, headers=FETCH)
    again = post(client, url, headers=FETCH)

    assert f'data-move="{url}"' in page
    assert moved.status_code == 200 and "已拟入库" in moved.text and "/undo" in moved.text
    assert again.status_code == 409 and "不用再提" in again.text
    [one] = db.session.query(PoolMembership).filter_by(enterprise_id=enterprise_id)
    assert (one.decided_on, one.entered_on, one.pool_class) == (None, None, "long_term")
    assert db.session.query(ChangeSet).filter_by(action="propose_for_pool").count() == 1
    after = client.get("/board").text
    assert f'data-move="{url}"' not in after and "拟入库" in after


def test_the_menu_works_without_a_script_and_leads_back(client):
    enterprise_id = make_enterprise("甲食品有限公司")

    answer = post(client, f"/enterprises/{enterprise_id}/pool/propose-from-board", {"back": "/board?basis=held"})

    assert answer.headers["Location"] == "/board?basis=held"


def test_who_may_not_edit_a_firm_has_no_grip_and_is_refused(sqlite_app):
    place = township()
    make_user("zhen", "township", region=place)
    make_user("liaoheng", "leader")
    enterprise_id = make_enterprise("甲食品有限公司", township=place.id)

    for login in ("zhen", "liaoheng"):
        client = sqlite_app.test_client()
        sign_in(client, login)
        answer = post(client, f"/enterprises/{enterprise_id}/pool/propose-from-board", headers=FETCH)

        assert answer.status_code == 403
        assert "data-grip" not in client.get("/board").text
    assert db.session.query(PoolMembership).count() == 0


def test_a_firm_that_was_proposed_alone_is_gathered_into_a_list(client):
    enterprise_id = make_enterprise("甲食品有限公司")
    with unit_of_work():
        values = {"year": 2026, "pool_class": "key", "planned_year": 2027}
        propose_for_pool(enterprise_id, values, act=act())

    page = client.get("/pool/selections").text
    gathered = client.get("/pool/selections/new?from=proposals").text

    assert "有 1 家已逐家拟入库" in page
    assert f'name="pick" value="{enterprise_id}"' in gathered
