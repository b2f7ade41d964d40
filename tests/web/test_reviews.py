"""The queue, its panel and its documents as a browser meets them; what went up and what came back."""

import io
import re

import openpyxl
import pytest
from docx import Document
from sqlalchemy import select

from crm.actions.applications import add_application
from crm.domain import reviews
from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.applications import Application
from crm.store.submissions import SubmissionApplication
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, make_enterprise, make_user
from tests.reviewing import answers, bring_materials, make_application, make_window, receive, recommend, review_of
from tests.web.conftest import post, queries, sign_in
from tests.web.pages import conflicts_on, form_on


@pytest.fixture
def office(sqlite_app):
    """The bureau at its desk, in a county with one window."""
    with sqlite_app.app_context():
        make_user("tanyue", "bureau", name="谭越")
        make_user("xianghe", "case_manager", name="向禾")
        window_id = make_window()
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client, window_id


def waiting(app, window_id: int, *, without=(), **firm) -> int:
    with app.app_context():
        one = make_application(window_id, **firm)
        bring_materials(one, without=without)
        receive(one)
        return one


def tabs(page: str) -> dict[str, int]:
    nav = page.split('aria-label="初审进度"')[1].split("</nav>")[0]
    return {word: int(n) for word, n in re.findall(r">(\S+?)<span>(\d+)</span>", nav)}


def test_the_queue_says_the_hour_and_how_long_is_left(office, sqlite_app):
    client, window_id = office
    waiting(sqlite_app, window_id)

    page = client.get("/reviews").text

    assert "区县截止 11-27 12:00" in page
    assert "剩 4 天" in page
    assert tabs(page) == {
        "应交": 1, "已收": 1, "待审": 1, "退回补正": 0, "推荐": 0, "不予推荐": 0, "未交": 0
    }  # fmt: skip


def test_an_empty_county_is_told_what_would_be_here(office):
    client, _ = office

    page = client.get("/reviews").text

    assert "这个窗口还没有申报" in page


def test_receiving_goes_back_to_the_opened_row_and_offers_the_way_back(office, sqlite_app):
    client, window_id = office
    with sqlite_app.app_context():
        one = make_application(window_id)
    page = client.get(f"/reviews?shown=missing&open={one}").text

    answer = post(client, f"/reviews/{one}/receive", form_on(page, f"/reviews/{one}/receive"), follow_redirects=True)

    assert "已收件" in answer.text
    assert "撤销" in answer.text
    assert tabs(answer.text)["待审"] == 1


def test_what_blocks_a_recommendation_is_said_and_nothing_typed_is_lost(office, sqlite_app):
    client, window_id = office
    one = waiting(sqlite_app, window_id, without=("audit",))
    form = form_on(client.get(f"/reviews?open={one}").text, f"/reviews/{one}")
    typed = form | {"a_ip": "yes", "n_ip": "发明 2 件", "opinion": "先看一遍", "result": "recommended"}

    answer = post(client, f"/reviews/{one}", typed)

    assert answer.status_code == 422
    assert "还有 16 条没有回答" in answer.text
    assert "缺 1 样材料" in answer.text
    again = form_on(answer.text, f"/reviews/{one}")
    assert (again["a_ip"], again["n_ip"], again["opinion"]) == ("yes", "发明 2 件", "先看一遍")


def test_after_a_recommendation_the_next_that_waits_is_opened(office, sqlite_app):
    client, window_id = office
    first = waiting(sqlite_app, window_id)
    second = waiting(sqlite_app, window_id)
    form = form_on(client.get(f"/reviews?open={first}").text, f"/reviews/{first}")

    answer = post(client, f"/reviews/{first}", form | answers(opinion="") | {"result": "recommended", "opinion": ""})

    assert answer.status_code == 302
    assert f"open={second}" in answer.headers["Location"]


def test_what_was_returned_shows_its_letter_to_paste_and_to_print(office, sqlite_app):
    client, window_id = office
    one = waiting(sqlite_app, window_id, without=("audit",))
    form = form_on(client.get(f"/reviews?open={one}").text, f"/reviews/{one}")
    sent = form | answers() | {"result": "returned", "mend_by": "2026-11-26", "more": "法人签字页", "opinion": ""}

    answer = post(client, f"/reviews/{one}", sent, follow_redirects=True)
    printed = client.get(f"/reviews/{one}/notice").text

    for page in (answer.text, printed):
        assert "以下 2 处需补正，一次告知：" in page
        assert "1. 缺：近三年财务会计报告" in page
        assert "2. 法人签字页。" in page
    assert tabs(answer.text)["退回补正"] == 1


def test_two_reviewers_at_one_point_choose_between_before_mine_and_theirs(office, sqlite_app):
    client, window_id = office
    one = waiting(sqlite_app, window_id)
    form = form_on(client.get(f"/reviews?open={one}").text, f"/reviews/{one}")
    post(client, f"/reviews/{one}", form | {"a_ip": "yes", "a_staff": "yes", "result": "check"})
    mine = form | {"a_ip": "no", "a_field": "yes", "result": "check", "request_key": "z" * 32}

    clash = post(client, f"/reviews/{one}", mine)

    assert clash.status_code == 409
    (row,) = conflicts_on(clash.text)
    assert row[1:] == ["未填", "是 谭越 11-23 10:00", "否"]
    chosen = form_on(clash.text, f"/reviews/{one}") | {"pick_a_ip": "mine", "result": "check"}
    assert post(client, f"/reviews/{one}", chosen).status_code == 302
    with sqlite_app.app_context():
        kept = review_of(one).checklist
        assert {code: said["answer"] for code, said in kept.items()} == {"ip": "no", "staff": "yes", "field": "yes"}


@pytest.mark.parametrize("document", ["list", "summary"])
def test_a_document_has_as_many_firms_as_the_queue_counts_and_is_put_on_record(office, sqlite_app, document):
    client, window_id = office
    with sqlite_app.app_context():
        for _ in range(2):
            recommend(window_id)
    count = tabs(client.get("/reviews").text)["推荐"]

    word = client.get(f"/reviews/export?document={document}&format=docx")
    excel = client.get(f"/reviews/export?document={document}&format=xlsx")

    assert len(Document(io.BytesIO(word.data)).tables[0].rows) - 1 == count == 2
    sheet = openpyxl.load_workbook(io.BytesIO(excel.data)).active
    assert sum(isinstance(row[0], int) for row in sheet.iter_rows(values_only=True)) == count
    with sqlite_app.app_context():
        noted = db.session.scalars(select(AccessLog).where(AccessLog.what == "export")).all()
        assert [(one.rows, one.filter["document"], one.filter["format"]) for one in noted] == [
            (2, document, "docx"),
            (2, document, "xlsx"),
        ]


def submitted(client, sqlite_app, window_id: int, names: list[str]) -> str:
    with sqlite_app.app_context():
        for name in names:
            recommend(window_id, name=name)
    form = form_on(client.get(f"/submissions/new?window={window_id}").text, "/submissions/new")
    answer = post(client, "/submissions/new", form | {"signed_by": "廖衡", "receipt": "渝科收〔2026〕8号"})
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def test_what_went_up_can_be_downloaded_as_it_went_with_its_hash_shown(office, sqlite_app):
    client, window_id = office
    to = submitted(client, sqlite_app, window_id, ["巫溪县安食品有限公司"])
    page = client.get(to).text

    links = re.findall(r'href="(/submissions/\d+/files/\d+)"', page)
    contents = [client.get(link, buffered=True).data for link in links]

    assert len(links) == 4
    assert len(re.findall(r"SHA-256 [0-9a-f]{64}", page)) == 4
    assert all(content.startswith(b"PK") for content in contents)
    assert "巫溪县安食品有限公司" in Document(io.BytesIO(contents[0])).tables[0].rows[1].cells[1].text


def test_a_pasted_list_is_matched_and_what_does_not_match_is_named(office, sqlite_app):
    client, window_id = office
    names = ["巫溪县安食品有限公司", "巫溪县白食品有限公司", "巫溪县曹食品有限公司"]
    to = submitted(client, sqlite_app, window_id, names)
    pasted = (
        "序号\t企业名称\t结果\t原因\n1\t巫溪县安食品有限公司\t通过\t\n2\t巫溪县白食品有限公司\t退回补正\t缺审计报告\n"
        "3\t万州区外来食品有限公司\t通过\t\n4\t巫溪县曹食品有限公司\t未通过\t收入不实"
    )

    page = post(client, f"{to}/match", {"text": pasted, "usual": "passed"}).text
    form = form_on(page, f"{to}/results")
    assert "1 行对不上：3 万州区外来食品有限公司 通过" in page
    saved = post(client, f"{to}/results", form | {"result_on": "2026-11-23"}, follow_redirects=True).text

    assert "已登记结果：通过 1 家，退回补正 1 家，未通过 1 家" in saved
    assert "通过的 1 家还没有登记认定结果" in saved
    with sqlite_app.app_context():
        rows = db.session.scalars(select(SubmissionApplication).order_by(SubmissionApplication.position)).all()
        assert [(row.result, row.result_reason) for row in rows] == [
            ("passed", None), ("returned", "缺审计报告"), ("failed", "收入不实")
        ]  # fmt: skip
        stages = db.session.scalars(select(Application.stage_code).order_by(Application.id)).all()
        assert stages == ["publicity", "returned", "city_review"]


def test_a_list_that_is_no_list_is_refused_in_a_sentence(office, sqlite_app):
    client, window_id = office
    to = submitted(client, sqlite_app, window_id, ["巫溪县安食品有限公司"])

    empty = post(client, f"{to}/match", {"text": " \x00\n", "usual": "nonsense"})
    fake = post(
        client,
        f"{to}/match",
        {"text": "", "file": (io.BytesIO(b"MZ\x90\x00" * 64), "结果.xlsx")},
        content_type="multipart/form-data",
    )

    assert (empty.status_code, fake.status_code) == (422, 422)
    assert "没有内容。贴上市里的名单" in empty.text
    assert "field-e" in fake.text


def test_a_result_without_a_reason_keeps_what_was_chosen(office, sqlite_app):
    client, window_id = office
    to = submitted(client, sqlite_app, window_id, ["巫溪县安食品有限公司", "巫溪县白食品有限公司"])
    form = form_on(client.get(to).text, f"{to}/results")
    first, second = sorted(name for name in form if name.startswith("result-"))

    answer = post(client, f"{to}/results", form | {first: "passed", second: "failed", "result_on": "2026-11-23"})

    assert answer.status_code == 422
    assert "巫溪县白食品有限公司：退回和未通过写明原因" in answer.text
    again = form_on(answer.text, f"{to}/results")
    assert (again[first], again[second]) == ("passed", "failed")


def test_a_case_manager_reads_the_queue_and_decides_nothing(office, sqlite_app):
    _, window_id = office
    with sqlite_app.app_context():
        manager = make_user("ranqing", "case_manager")
        own = make_enterprise(manager=manager.user_id)
    one = waiting(sqlite_app, window_id, enterprise_id=own)
    colleague = sqlite_app.test_client()
    sign_in(colleague, "ranqing")

    page = colleague.get(f"/reviews?open={one}").text

    assert "由业务科室初审" in page
    assert 'name="a_ip"' not in page
    assert colleague.get("/submissions/new").status_code == 403


@pytest.mark.parametrize(
    "query",
    ["?window=999999999", "?region=999999999", "?open=999999999", "?shown=nonsense&page=-3&window=x", "?page=99999"],
)
def test_made_up_addresses_lead_nowhere_or_to_the_usual(office, sqlite_app, query):
    client, window_id = office
    waiting(sqlite_app, window_id)

    assert client.get(f"/reviews{query}").status_code in (200, 404)


def test_the_queue_asks_as_many_questions_for_one_row_as_for_four(office, sqlite_app):
    client, window_id = office
    waiting(sqlite_app, window_id)
    client.get("/reviews")
    one = queries(client, "/reviews")
    for _ in range(3):
        waiting(sqlite_app, window_id)
    client.get("/reviews")

    assert queries(client, "/reviews") == one


def test_the_history_tells_of_a_review_in_words(office, sqlite_app):
    client, window_id = office
    with sqlite_app.app_context():
        firm = make_enterprise()
        recommend(window_id, enterprise_id=firm)

    page = client.get(f"/enterprises/{firm}?tab=history").text

    for said in ("收件时刻", "初审结论", reviews.RESULTS["recommended"], "是 17 条", "推荐上报"):
        assert said in page
    assert not re.search(r">[^<]*application_review", page)


def test_an_application_without_a_window_stands_apart_and_leads_to_choosing_one(office, sqlite_app):
    client, window_id = office
    waiting(sqlite_app, window_id)
    with sqlite_app.app_context():
        firm = make_enterprise()
        with unit_of_work():
            written = add_application(firm, kind="hnte", year=2026, stage="online", act=act())
        loose = written.ids["application"]

    page = client.get("/reviews?shown=loose").text

    assert tabs(page)["没选窗口"] == 1
    assert tabs(page)["应交"] == 1
    assert f"/applications/{loose}/edit" in page
