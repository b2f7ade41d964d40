"""采集 on the web: from a list or a comparison to the sheets, the answers, and what a township may see of it."""

import io
import json
import re
import zipfile
from datetime import date, timedelta
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from crm.actions.collection_answers import answer_sheet
from crm.actions.collections import open_collection, sheets_of
from crm.actions.figures import record_figures
from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.collections import Collection
from crm.store.figures import Figures
from crm.store.imports import ImportBatch
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, make_enterprise, make_user, township
from tests.web.conftest import post, queries, sign_in

SALES, STAFF = "figures.2025.sales", "figures.2025.staff_count"
# Figures that nobody asked for; none of them may reach a township by any page.
SECRETS = {"revenue": Decimal("7654321"), "net_profit": Decimal("-345678"), "insured_count": 4711}
MARKS = ("765.4", "7,654,321", "7654321", "34.6", "345,678", "345678", "4711", "4,711")


@pytest.fixture
def client(sqlite_app):
    make_user("tanyue", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def opened(*enterprise_ids: int, paths=(SALES, STAFF)) -> int:
    head = {"title": "2026 年补充采集", "year": 2025, "due_on": date(2026, 12, 10)}
    with unit_of_work():
        asked = {enterprise_id: list(paths) for enterprise_id in enterprise_ids}
        return open_collection(head, asked, act=act()).ids["collection"]


def only_sheet(collection_id: int) -> int:
    db.session.expire_all()
    return sheets_of(collection_id)[0].id


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1).replace("&#34;", '"').replace("&quot;", '"')


def test_a_collection_is_opened_from_a_comparison_in_two_presses(client):
    enterprise_id = make_enterprise(subject_type="company")

    file = client.get(f"/enterprises/{enterprise_id}?tab=compare").text
    [link] = re.findall(r'href="(/collections/new\?[^"]+kinds=tech_sme)"', file)
    page = client.get(link.replace("&amp;", "&")).text
    paths = re.findall(rf'name="ask-{enterprise_id}" value="([^"]+)" checked', page)
    answer = post(
        client,
        "/collections/new",
        {
            "request_key": "k1",
            "ids": enterprise_id,
            "kinds": "tech_sme",
            f"ask-{enterprise_id}": paths,
            "title": "一家",
            "year": "2025",
            "due_on": "2026-12-10",
            "go": "open",
        },
    )

    assert "项未知：一页采集表" in file
    row = db.session.query(Collection).one()
    assert answer.headers["Location"] == f"/collections/{row.id}"
    assert set(sheets_of(row.id)[0].questions) == set(paths)
    assert post(client, "/collections/new", {"request_key": "k1", "ids": enterprise_id, f"ask-{enterprise_id}": paths,
                "title": "一家", "year": "2025", "go": "open"}).status_code in (302, 422)  # fmt: skip
    assert db.session.query(Collection).count() == 1


def test_the_filtered_list_and_ticked_firms_lead_to_the_same_page(client):
    first, second = make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司")

    listed = client.get("/enterprises?q=甲").text
    [link] = re.findall(r'href="(/collections/new\?list=[^"]+)"', listed)
    from_list = client.get(link.replace("&amp;", "&")).text
    ticked = post(client, "/collections/choose", {"ids": str(second), "asked": ""}).text

    assert f'value="{first}"' in from_list and f'value="{second}"' not in from_list
    assert f'value="{second}"' in ticked


def test_a_question_is_added_by_hand_and_a_wrong_year_is_said(client):
    enterprise_id = make_enterprise()
    form = {"ids": enterprise_id, "go": "add", "extra_field": "net_profit"}

    wrong = post(client, "/collections/new", {**form, "extra_year": "去年"})
    right = post(client, "/collections/new", {**form, "extra_year": "2024"})

    assert wrong.status_code == 422 and "年度填" in wrong.text
    assert 'value="figures.2024.net_profit" checked' in right.text


def test_the_page_says_who_is_outstanding_and_the_text_to_remind_with_has_no_figure(client):
    enterprise_id = make_enterprise("甲食品有限公司")
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"staff_count": 4711}, act=act())
    other = make_enterprise("乙食品有限公司")
    collection_id = opened(enterprise_id, other)

    page = client.get(f"/collections/{collection_id}").text

    assert "还有 2 家没有交回" in page and "甲食品有限公司" in page
    assert "4711" not in page and "4,711" not in page


def test_answers_typed_on_the_page_are_kept_when_one_of_them_is_wrong(client):
    collection_id = opened(make_enterprise())
    sheet_id = only_sheet(collection_id)
    page = client.get(f"/collections/sheets/{sheet_id}").text
    form = {name: hidden(page, name) for name in ("version", "seen")}

    wrong = post(
        client,
        f"/collections/sheets/{sheet_id}",
        {**form, "figures-2025-sales": "一千多", "figures-2025-staff_count": "12"},
    )
    right = post(
        client,
        f"/collections/sheets/{sheet_id}",
        {**form, "figures-2025-sales": "1,000.5", "figures-2025-staff_count": "12"},
    )

    assert wrong.status_code == 422 and "一千多" in wrong.text and 'value="12"' in wrong.text
    assert right.status_code == 302
    row = db.session.query(Figures).one()
    assert (row.sales, row.staff_count) == (Decimal("10005000.00"), 12)


def test_two_people_typing_the_same_answer_choose(client):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id)
    sheet_id = only_sheet(collection_id)
    page = client.get(f"/collections/sheets/{sheet_id}").text
    form = {name: hidden(page, name) for name in ("version", "seen")} | {"figures-2025-staff_count": "12"}
    with unit_of_work():
        answer_sheet(sheet_id, {STAFF: 30}, seen={}, act=act())

    clash = post(client, f"/collections/sheets/{sheet_id}", form)
    again = {name: hidden(clash.text, name) for name in ("version", "seen", "theirs")}
    settled = post(
        client,
        f"/collections/sheets/{sheet_id}",
        {**again, "figures-2025-staff_count": "12", "pick_figures-2025-staff_count": "mine"},
    )

    assert clash.status_code == 409 and "逐处选用哪个" in clash.text
    assert settled.status_code == 302
    db.session.expire_all()
    assert db.session.query(Figures).one().staff_count == 12


def test_the_sheets_are_downloaded_printed_and_logged(client):
    collection_id = opened(make_enterprise("甲食品有限公司"), make_enterprise("乙食品有限公司"))

    packed = client.get(f"/collections/{collection_id}/sheets")
    book = client.get(f"/collections/{collection_id}/sheets?as=book")
    printed = client.get(f"/collections/{collection_id}/print").text

    names = zipfile.ZipFile(io.BytesIO(packed.data)).namelist()
    assert names == ["甲食品有限公司_采集表.xlsx", "乙食品有限公司_采集表.xlsx"] or sorted(names) == sorted(
        ["甲食品有限公司_采集表.xlsx", "乙食品有限公司_采集表.xlsx"]
    )
    assert len(load_workbook(io.BytesIO(book.data)).worksheets) == 2
    assert printed.count("回表识别码") == 2 and "授权声明" in printed
    assert db.session.query(AccessLog).filter_by(what="export").count() == 3


def test_the_sheets_of_every_enterprise_go_out_after_a_question(client, monday):
    one, other = (make_enterprise(f"巫溪县企{n}食品有限公司") for n in "甲乙")
    some, every = opened(one, paths=(SALES,)), opened(one, other, paths=(STAFF,))
    monday.shift(timedelta(minutes=16))

    answers = [client.get(f"/collections/{i}/{how}").status_code for i in (some, every) for how in ("sheets", "print")]

    assert answers == [200, 200, 403, 403]


def test_returned_sheets_go_to_a_preview_of_their_own_collection(client):
    collection_id = opened(make_enterprise())
    content = client.get(f"/collections/{collection_id}/sheets").data

    nothing = post(client, f"/collections/{collection_id}/returns", {}, content_type="multipart/form-data")
    answer = post(
        client,
        f"/collections/{collection_id}/returns",
        {"request_key": "r1", "files": [(io.BytesIO(content), "回表.zip")]},
        content_type="multipart/form-data",
    )

    assert nothing.status_code == 422 and "没有选文件" in nothing.text
    batch = db.session.query(ImportBatch).filter_by(collection_id=collection_id).one()
    assert answer.headers["Location"] == f"/imports/{batch.id}"


def test_the_sealed_scan_is_hung_on_the_sheet_with_who_signed(client):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id)
    sheet_id = only_sheet(collection_id)
    with unit_of_work():
        answer_sheet(sheet_id, {STAFF: 3, SALES: Decimal("1")}, seen={}, act=act())

    answer = post(
        client,
        f"/collections/sheets/{sheet_id}/sign",
        {
            "request_key": "s1",
            "authorised_by": "李厂长",
            "authorised_on": "2026-11-20",
            "files": [(io.BytesIO(b"%PDF-1.4\n%seal"), "盖章.pdf")],
        },
        content_type="multipart/form-data",
    )
    page = client.get(f"/collections/sheets/{sheet_id}").text
    grid = client.get(f"/enterprises/{enterprise_id}?tab=figures").text

    assert answer.status_code == 302
    assert "李厂长" in page and "采集表盖章件" in page
    assert "企业已确认：李厂长 2026-11-20" in grid and "采集：2026 年补充采集" in grid


def test_a_township_fills_its_sheet_and_no_page_shows_it_another_figure(sqlite_app):
    place = township()
    officer = make_user("zhen", "township", region=place)
    enterprise_id = make_enterprise("甲食品有限公司", township=place.id)
    with unit_of_work():
        record_figures(enterprise_id, 2025, SECRETS, act=act())
    with unit_of_work():
        record_figures(enterprise_id, 2024, SECRETS, act=act())
    collection_id = opened(enterprise_id)
    sheet_id = only_sheet(collection_id)
    client = sqlite_app.test_client()
    sign_in(client, "zhen")
    sheet = client.get(f"/collections/sheets/{sheet_id}").text
    form = {name: hidden(sheet, name) for name in ("version", "seen")}

    saved = post(client, f"/collections/sheets/{sheet_id}", {**form, "figures-2025-staff_count": "12"})
    forced = post(client, f"/collections/sheets/{sheet_id}", {**form, "figures-2025-revenue": "1"})

    assert saved.status_code == 302 and officer
    assert 'name="figures-2025-staff_count"' in sheet
    db.session.expire_all()
    row = db.session.query(Figures).filter_by(year=2025).one()
    assert (row.staff_count, row.revenue) == (12, SECRETS["revenue"])
    assert forced.status_code == 302
    change_set = re.search(r"/changes/(\d+)/undo", client.get(f"/collections/{collection_id}").text)
    pages = [
        f"/collections/{collection_id}",
        "/collections",
        f"/collections/sheets/{sheet_id}",
        f"/collections/sheets/{sheet_id}/print",
        f"/collections/{collection_id}/print",
        f"/enterprises/{enterprise_id}",
        f"/enterprises/{enterprise_id}?tab=figures",
        f"/enterprises/{enterprise_id}?tab=compare",
        f"/enterprises/{enterprise_id}?tab=history",
        f"/enterprises/{enterprise_id}?tab=history&noun=figures&record={row.id}&field=revenue",
        f"/enterprises/{enterprise_id}?tab=history&noun=figures&record={row.id}&field=staff_count",
        f"/enterprises/{enterprise_id}/figures/2025",
        "/changes",
        *([f"/changes/{change_set.group(1)}/undo"] if change_set else []),
    ]
    for url in pages:
        said = client.get(url).text
        assert [mark for mark in MARKS if mark in said] == [], url
    for url in (f"/collections/{collection_id}/sheets", f"/collections/{collection_id}/sheets?as=book",
                f"/collections/sheets/{sheet_id}/file", "/enterprises/export"):  # fmt: skip
        content = client.get(url).data
        assert [mark for mark in MARKS if mark in _unpacked(content)] == [], url


def _unpacked(content: bytes) -> str:
    """All text of a workbook, or of every workbook of an archive."""
    if not content.startswith(b"PK"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "".join(_unpacked(archive.read(name)) for name in archive.namelist())


def test_the_history_of_an_enterprise_tells_a_township_what_was_asked_and_not_what_was_answered(sqlite_app):
    place = township()
    make_user("zhen", "township", region=place)
    enterprise_id = make_enterprise("甲食品有限公司", township=place.id)
    collection_id = opened(enterprise_id)
    with unit_of_work():
        answer_sheet(only_sheet(collection_id), {STAFF: 4711}, seen={}, act=act())
    client = sqlite_app.test_client()
    sign_in(client, "zhen")

    page = client.get(f"/enterprises/{enterprise_id}?tab=history").text

    assert "发起采集" in page and "2025 年销售收入" in page
    assert "4711" not in page and "4,711" not in page


def test_a_collection_is_listed_in_as_many_queries_whatever_its_size(client):
    one = opened(make_enterprise("甲食品有限公司"))
    many = opened(*[make_enterprise(f"乙{n}食品有限公司") for n in range(6)])

    client.get(f"/collections/{one}")

    assert queries(client, f"/collections/{one}") == queries(client, f"/collections/{many}")


def test_a_question_nobody_declared_does_not_break_the_page(client):
    collection_id = opened(make_enterprise())
    sheet_id = only_sheet(collection_id)

    answer = post(
        client,
        f"/collections/sheets/{sheet_id}/questions",
        {
            "questions": ["figures.2025.moon", SALES, "\0", "figures.99999.sales"],
            "version": "1",
            "seen": json.dumps({"questions": f"{SALES} {STAFF}"}),
        },
    )

    assert answer.status_code == 302
    db.session.expire_all()
    assert sheets_of(collection_id)[0].questions == [SALES]
