"""导入 on screen: upload, watch, look through, confirm, take back; every refusal in a sentence with its status."""

import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from crm.actions import imports
from crm.domain.codes import make_code
from crm.extensions import db
from crm.jobs import imports as work
from crm.store.access_log import AccessLog
from crm.store.enterprises import Enterprise
from crm.store.files import StoredFile
from crm.store.imports import ImportBatch
from crm.store.jobs import Job
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, county, make_enterprise, make_user, township
from tests.web.conftest import csrf_of, post, sign_in
from tests.workbooks import workbook

QINGHE = "巫溪县青禾食品有限责任公司"
HEAD = ["企业名称", "统一社会信用代码", "乡镇", "联系人", "注册资本（万元）"]
GOOD = {"企业": [HEAD, [QINGHE, make_code(1), "凤凰镇", "谭越", 200]]}
MIXED = {"企业": [*GOOD["企业"], ["巫溪县乙有限公司", None, "凤皇镇", None, None]]}


@pytest.fixture
def client(sqlite_app):
    make_user("tan", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tan")
    return client


def upload(client, content, *, name="台账.xlsx", run=True, **more):
    data = {"file": (io.BytesIO(content if isinstance(content, bytes) else workbook(content)), name), **more}
    answer = post(client, "/imports", data, content_type="multipart/form-data")
    if answer.status_code != 302:
        return answer
    batch_id = int(answer.location.rsplit("/", 1)[1])
    if run:
        db.session.rollback()
        work.preview(work.InProcess(), {"batch": batch_id})
    return batch_id


def plain(page):
    return re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", page))


def test_an_empty_page_says_what_to_do(client):
    page = client.get("/imports").text

    assert "还没有导入过" in page
    assert "空白模板" in page


def test_the_blank_template_is_a_workbook_that_comes_back_empty(client):
    answer = client.get("/imports/template")

    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    batch_id = upload(client, answer.data, name="空白模板.xlsx")
    assert db.session.get(ImportBatch, batch_id).summary["rows"] == 0


def test_a_sheet_that_leaves_something_open_asks_on_the_page(client):
    make_enterprise(QINGHE, code=make_code(1))
    heads = ["企业名称", "统一社会信用代码", "证书编号", "公告日期"]
    batch_id = upload(client, {"资格名单": [heads, [QINGHE, make_code(1), "GR202551000001", "2025-11-01"]]})

    page = client.get(f"/imports/{batch_id}").text
    nothing = post(client, f"/imports/{batch_id}/answer", {"answer-0": ""})
    told = post(client, f"/imports/{batch_id}/answer", {"answer-0": "高新技术企业"})
    work.preview(work.InProcess(), {"batch": batch_id})

    assert "表“资格名单”的证书编号、公告日期，是哪种资格？" in page
    assert (nothing.status_code, "没有回答。" in nothing.text, told.status_code) == (409, True, 302)
    assert "确认导入 1 行" in client.get(f"/imports/{batch_id}").text


def test_pasted_rows_become_a_batch_with_a_file_of_their_own(client):
    text = "企业名称\t统一社会信用代码\t备注\n" + f"{QINGHE}\t{make_code(1)}\t=1+1\n"

    answers = [post(client, "/imports/paste", {"text": text, "request_key": "k-1"}) for _ in range(2)]
    batch_id = int(answers[0].location.rsplit("/", 1)[1])
    db.session.rollback()
    work.preview(work.InProcess(), {"batch": batch_id})
    nothing = post(client, "/imports/paste", {"text": " \n", "full_list": "y"})

    batch = db.session.get(ImportBatch, batch_id)
    stored = db.session.get(StoredFile, batch.stored_file_id)
    assert (answers[0].location, batch.summary["new"]) == (answers[1].location, 1)
    assert (batch.file_name[:4], stored.name[-4:], stored.media_type) == ("粘贴的行", ".csv", "text/csv")
    assert (nothing.status_code, "没有粘贴内容。" in nothing.text, " open><summary" in nothing.text) == (
        422,
        True,
        True,
    )


def test_a_file_with_a_header_alone_says_so_and_can_be_given_up(client):
    batch_id = upload(client, {"企业": [HEAD]})

    page = client.get(f"/imports/{batch_id}").text
    answer = post(client, f"/imports/{batch_id}/abandon")

    assert "表头认得，下面没有数据行" in page
    assert ("再传一份" in page, 'form="abandon">放弃' in page) == (True, True)
    db.session.rollback()
    assert (answer.status_code, db.session.get(ImportBatch, batch_id).state) == (302, "cancelled")


def test_rows_that_ask_are_decided_on_the_page(client):
    for n, name in enumerate("甲乙丙"):
        make_enterprise(f"巫溪县{name}食品有限公司", code=make_code(10 + n))
    rows = [[f"巫溪县{name}食品有限公司", make_code(20 + n), None, "谭越", None] for n, name in enumerate("甲乙丙")]
    batch_id = upload(client, {"企业": [HEAD, *rows]})

    page = client.get(f"/imports/{batch_id}?outcome=conflict").text
    radios = re.findall(r'name="(row-\d+)" value="file"', page)
    nothing = post(client, f"/imports/{batch_id}/decide?outcome=conflict", {})
    chosen = {radios[0]: "file", radios[1]: "ours", "request_key": "k-1"}
    one = post(client, f"/imports/{batch_id}/decide", chosen)
    twice = post(client, f"/imports/{batch_id}/decide", chosen)
    work.preview(work.InProcess(), {"batch": batch_id})
    rest = post(client, f"/imports/{batch_id}/decide", {"all": "ours"})
    work.preview(work.InProcess(), {"batch": batch_id})

    assert (len(radios), nothing.status_code, one.status_code, rest.status_code) == (3, 409, 302, 302)
    assert (twice.status_code, twice.location) == (one.status_code, one.location)
    assert "没有选用哪边的。" in nothing.text
    db.session.rollback()
    assert db.session.get(ImportBatch, batch_id).summary["changed"] == 3


def test_whom_a_row_is_about_is_said_on_the_page(client):
    qinghe = make_enterprise(QINGHE, code=make_code(1))
    make_enterprise("巫溪县红池食品有限公司", code=make_code(2))
    rows = [[f"重庆{core}食品有限公司", None, None, "谭越", None] for core in ("青禾", "红池")]
    batch_id = upload(client, {"企业": [HEAD, *rows]})

    page = client.get(f"/imports/{batch_id}?outcome=unmatched").text
    first = re.search(r'name="(place-\d+)"', page)[1]
    nothing = post(client, f"/imports/{batch_id}/place", {first: "", "other-x": "某"})
    nobody = post(
        client, f"/imports/{batch_id}/place?outcome=unmatched", {first.replace("place", "other"): "没有的公司"}
    )
    chosen = {first: str(qinghe), "request_key": "k-1"}
    one = [post(client, f"/imports/{batch_id}/place", chosen) for _ in range(2)]
    work.preview(work.InProcess(), {"batch": batch_id})
    decided = client.get(f"/imports/{batch_id}?outcome=changed").text
    rest = post(client, f"/imports/{batch_id}/place", {"all": "leave", "kind": "short_name"})
    work.preview(work.InProcess(), {"batch": batch_id})

    assert ("字号、行业同为“青禾食品”" in page, "字号、行业都相同，只有一家（2 行）" in page) == (True, True)
    assert (nothing.status_code, nobody.status_code, rest.status_code) == (409, 409, 302)
    assert ("库里没有“没有的公司”" in nobody.text, 'value="没有的公司"' in nobody.text) == (True, True)
    assert [(answer.status_code, answer.location) for answer in one] == [(302, f"/imports/{batch_id}")] * 2
    assert ("人工认定" in decided, f'<option value="{qinghe}" selected>' in decided) == (True, True)
    assert "确认导入 1 行" in client.get(f"/imports/{batch_id}").text


def test_a_file_is_uploaded_previewed_and_confirmed_with_its_exact_number(client):
    batch_id = upload(client, GOOD)

    page = client.get(f"/imports/{batch_id}").text
    assert "预览 · 尚未写入任何数据" in page
    assert "确认导入 1 行" in page
    assert "新增1=1行" in plain(page)
    answer = post(client, f"/imports/{batch_id}/confirm", {"mode": "all"})
    assert answer.status_code == 302
    db.session.rollback()
    work.commit(work.InProcess(), {"batch": batch_id})

    assert db.session.scalar(select(Enterprise.name)) == QINGHE
    page = client.get(f"/imports/{batch_id}").text
    assert "已写入" in page
    assert "撤销导入" in page
    assert 'href="/board">' in page.split("<main", 1)[1]


def test_every_button_of_an_import_may_be_pressed_twice(client):
    batch_id = upload(client, GOOD, request_key="k-1")
    uploaded = upload(client, GOOD, request_key="k-1", run=False)
    confirmed = [post(client, f"/imports/{batch_id}/confirm", {"mode": "all", "request_key": "k-2"}) for _ in range(2)]
    db.session.rollback()
    work.commit(work.InProcess(), {"batch": batch_id})
    confirmed.append(post(client, f"/imports/{batch_id}/confirm", {"mode": "all", "request_key": "k-2"}))
    undone = [post(client, f"/imports/{batch_id}/undo", {"request_key": "k-3"}) for _ in range(2)]
    with_another_key = post(client, f"/imports/{batch_id}/undo", {"request_key": "k-4"})

    assert uploaded == batch_id
    assert {(a.status_code, a.location) for a in (*confirmed, *undone)} == {(302, f"/imports/{batch_id}")}
    assert (with_another_key.status_code, "这次导入已经撤销过。" in with_another_key.text) == (409, True)
    db.session.rollback()
    assert db.session.get(ImportBatch, batch_id).state == "undone"
    assert db.session.scalar(select(func.count()).select_from(ImportBatch)) == 1


def test_a_done_import_says_what_it_wrote_and_keeps_what_it_did_not(client):
    batch_id = upload(client, MIXED)
    post(client, f"/imports/{batch_id}/confirm", {"mode": "good"})
    db.session.rollback()
    work.commit(work.InProcess(), {"batch": batch_id})

    page = client.get(f"/imports/{batch_id}").text
    undo = client.get(f"/imports/{batch_id}/undo").text

    assert "已导入 1 行，1 行没有写入。" in page
    assert "1 行，没有写入" in page and "凤皇镇" in page.split("<aside", 1)[1]
    assert re.search(r"撤下随它进来的记录</dt><dd>\d+ 条：企业 1 家、", undo)


def test_a_stale_preview_can_be_given_up(client):
    batch_id = upload(client, GOOD)
    batch = db.session.get(ImportBatch, batch_id)
    with unit_of_work():
        batch = db.session.get(ImportBatch, batch_id)
        batch.summary = {**batch.summary, "stale": True}

    page = client.get(f"/imports/{batch_id}").text

    assert "重新预览" in page
    assert f"/imports/{batch_id}/abandon" in page


def test_rows_of_a_second_sheet_name_it_and_every_sheet_its_kind(client):
    figures = {"年度指标": [["企业名称", "年度", "营业收入（万元）"], [QINGHE, 2025, 100], [QINGHE, 2025, 100]]}
    batch_id = upload(client, GOOD | figures)

    page = client.get(f"/imports/{batch_id}?outcome=duplicate").text

    assert '<br><span class="s12">年度指标</span>' in page
    assert "年度指标</b></a>·年度指标（" in page.replace(" ", "")


def test_the_list_of_batches_tells_every_kind_of_row(client):
    upload(client, {"企业": [*MIXED["企业"], GOOD["企业"][1]]})

    page = plain(client.get("/imports").text)

    assert "新增1·变更0·相同0·重复1·错误1" in page


def test_upload_and_confirmation_each_ask_for_a_job(client):
    batch_id = upload(client, GOOD)
    post(client, f"/imports/{batch_id}/confirm", {"mode": "all"})

    kinds = list(db.session.scalars(select(Job.kind).order_by(Job.id)))

    assert kinds == ["import_preview", "import_commit"]


def test_a_running_batch_shows_a_bar_that_asks_every_second_and_reloads_the_page_at_the_end(client):
    batch_id = upload(client, GOOD, run=False)

    page = client.get(f"/imports/{batch_id}").text
    assert 'hx-trigger="every 1s"' in page
    assert "可以离开此页" in page
    assert "HX-Refresh" not in client.get(f"/imports/{batch_id}/progress?state=uploaded").headers
    db.session.rollback()
    with unit_of_work():
        job = db.session.get(Job, db.session.get(ImportBatch, batch_id).job_id)
        job.started_at, job.progress, job.total = datetime.now(UTC) - timedelta(seconds=30), 2_500, 10_000
    assert "2,500 / 10,000 行，约剩 2 分钟" in client.get(f"/imports/{batch_id}/progress?state=uploaded").text
    db.session.rollback()
    work.preview(work.InProcess(), {"batch": batch_id})

    assert client.get(f"/imports/{batch_id}/progress?state=uploaded").headers["HX-Refresh"] == "true"


def test_old_and_new_stand_beside_each_other(client):
    make_enterprise(QINGHE, code=make_code(1), contact_name="林晓", township=township("古路镇").id)

    batch_id = upload(client, GOOD)
    page = client.get(f"/imports/{batch_id}?outcome=changed").text

    assert "<del>林晓</del>" in page
    assert "<ins>谭越</ins>" in page
    assert "<del>古路镇</del>" in page
    assert "<ins>凤凰镇</ins>" in page


def test_wrong_rows_stand_aside_with_place_and_sentence_and_can_be_downloaded(client):
    batch_id = upload(client, MIXED)

    page = client.get(f"/imports/{batch_id}").text
    assert "第 3 行 C 列" in page
    assert "不是巫溪县的乡镇（街道）" in page
    answer = client.get(f"/imports/{batch_id}/problems.xlsx")
    assert answer.status_code == 200
    row = db.session.scalar(select(AccessLog).where(AccessLog.what == "export"))
    assert (row.who, row.rows) == ("谭越", 1)


def test_all_or_nothing_with_a_wrong_row_is_refused_beside_the_preview(client):
    batch_id = upload(client, MIXED)

    answer = post(client, f"/imports/{batch_id}/confirm", {"mode": "all"})

    assert answer.status_code == 409
    assert "有 1 行写不进去" in answer.text
    assert "确认导入 1 行" in answer.text


def test_a_preview_of_many_rows_is_paged_and_costs_the_same_queries(client, sqlite_app):
    from sqlalchemy import event

    def queries(batch_id):
        seen = []
        listener = lambda *_: seen.append(1)  # noqa: E731 (removed again below)
        event.listen(db.engine, "before_cursor_execute", listener)
        page = client.get(f"/imports/{batch_id}").text
        event.remove(db.engine, "before_cursor_execute", listener)
        return len(seen), page

    one = upload(client, {"企业": [HEAD, [QINGHE, make_code(1), None, None, None]]})
    rows = [[f"巫溪县第{n}食品有限公司", make_code(n), "凤凰镇", None, n] for n in range(100, 220)]
    many = upload(client, {"企业": [HEAD, *rows]})
    client.get(f"/imports/{one}")

    (few_queries, _), (many_queries, page) = queries(one), queries(many)

    assert few_queries == many_queries
    assert "第 1–50 行，共 120 行" in page
    assert "第 101–120 行" in client.get(f"/imports/{many}?page=3").text


def test_undo_is_previewed_then_done_and_offers_the_way_back(client):
    batch_id = upload(client, GOOD)
    post(client, f"/imports/{batch_id}/confirm", {"mode": "all"})
    db.session.rollback()
    work.commit(work.InProcess(), {"batch": batch_id})

    page = client.get(f"/imports/{batch_id}/undo").text
    assert "撤下 2 条" in page
    assert db.session.scalar(select(Enterprise.deleted)) is False
    answer = post(client, f"/imports/{batch_id}/undo")
    assert answer.status_code == 302
    page = client.get(answer.location).text

    db.session.rollback()
    assert db.session.scalar(select(Enterprise.deleted)) is True
    assert "已撤销导入" in page
    assert re.search(r'action="/changes/\d+/undo"', page)


def test_a_batch_can_be_given_up_before_it_is_written(client):
    batch_id = upload(client, GOOD)

    post(client, f"/imports/{batch_id}/abandon")
    answer = post(client, f"/imports/{batch_id}/confirm", {"mode": "all"})

    assert answer.status_code == 409
    assert db.session.scalar(select(func.count()).select_from(Enterprise)) == 0


def test_a_stale_preview_offers_a_new_one(client):
    batch_id = upload(client, GOOD)
    with unit_of_work():
        imports.back_to_preview(batch_id, imports.STALE)

    page = client.get(f"/imports/{batch_id}").text

    assert imports.STALE in page
    assert "重新预览" in page
    assert "确认导入" not in page
    assert post(client, f"/imports/{batch_id}/again").status_code == 302


def test_a_full_list_shows_whom_it_lacks(client):
    make_enterprise("巫溪县多余食品有限公司", code=make_code(9))

    batch_id = upload(client, GOOD, full_list="y")

    page = client.get(f"/imports/{batch_id}").text
    assert "库内有、名单无" in page
    assert "巫溪县多余食品有限公司" in plain(page)


def test_no_file_is_said_beside_the_field(client):
    answer = post(client, "/imports", {}, content_type="multipart/form-data")

    assert answer.status_code == 422
    assert "没有选文件。选一份 .xlsx、.xls 或 .csv。" in answer.text


def test_a_file_that_is_no_spreadsheet_ends_with_a_sentence(client):
    batch_id = upload(client, b"%PDF-1.7 x", name="公告.xlsx")

    page = client.get(f"/imports/{batch_id}").text

    assert "这是 PDF 文件，不是表格。" in page
    assert "再传一份" in page


def test_a_file_of_200_mb_is_refused_in_chinese_before_it_is_read(client, sqlite_app):
    token = csrf_of(client, "/imports")

    answer = client.post(
        "/imports",
        data=b"",
        headers={"Content-Type": "multipart/form-data; boundary=x", "X-CSRFToken": token},
        environ_overrides={"CONTENT_LENGTH": str(200 * 1024 * 1024)},
    )

    assert answer.status_code == 413
    assert "文件太大" in answer.text
    assert db.session.scalar(select(func.count()).select_from(StoredFile)) == 0


@pytest.mark.parametrize("path", ["", "/progress", "/undo", "/problems.xlsx", "/marked.xlsx", "/failed.xlsx"])
def test_another_districts_batch_reads_as_not_there(client, sqlite_app, path):
    batch_id = upload(client, GOOD)
    make_user("stranger", "bureau", region=county(OTHER))
    stranger = sqlite_app.test_client()
    sign_in(stranger, "stranger")

    assert stranger.get(f"/imports/{batch_id}{path}").status_code == 404
    for verb in ("confirm", "again", "abandon", "undo"):
        assert post(stranger, f"/imports/{batch_id}/{verb}").status_code == 404


def test_a_stored_file_is_a_download_for_its_owner_and_office_only(client, sqlite_app):
    batch_id = upload(client, GOOD)
    file_id = db.session.get(ImportBatch, batch_id).stored_file_id
    make_user("stranger", "bureau", region=county(OTHER))
    stranger = sqlite_app.test_client()
    sign_in(stranger, "stranger")

    with client.get(f"/files/{file_id}") as answer:
        assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (200, "nosniff")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.data.startswith(b"PK")
    assert stranger.get(f"/files/{file_id}").status_code == 404
    assert db.session.scalar(select(AccessLog.subject).where(AccessLog.what == "download")) == "台账.xlsx"


def test_a_township_officer_finds_no_import(sqlite_app):
    make_user("town", "township", region=township())
    town = sqlite_app.test_client()
    sign_in(town, "town")

    assert town.get("/imports").status_code == 403


def test_a_new_title_shows_its_days(client):
    make_enterprise(QINGHE, code=make_code(1))
    rows = [["企业名称", "资格种类", "有效期起", "有效期止"], [QINGHE, "高企", date(2024, 11, 28), date(2027, 11, 27)]]

    batch_id = upload(client, {"认定资格": rows})

    page = client.get(f"/imports/{batch_id}?outcome=new").text
    assert "2024-11-28" in page
    assert "高新技术企业" in page


def test_what_no_column_says_is_said_with_the_upload_and_changed_beside_the_preview(client):
    make_enterprise(QINGHE, code=make_code(1))
    names = {"公示": [["序号", "企业名称"], [1, QINGHE], [2, "巫溪县青和食品有限责任公司"]]}
    wrong = upload(client, workbook(names), **{"once-qualification.announced_on": "去年"})
    batch_id = upload(client, workbook(names), **{"once-qualification.kind": "高新技术企业"})

    page = client.get(f"/imports/{batch_id}").text
    told = post(client, f"/imports/{batch_id}/once", {"once-qualification.batch": "第二批"})
    nothing = post(client, f"/imports/{batch_id}/once", {"once-qualification.batch": "第二批"})
    work.preview(work.InProcess(), {"batch": batch_id})
    after = client.get(f"/imports/{batch_id}").text

    assert (wrong.status_code, "去年" in wrong.text) == (422, True)
    assert "整份名单统一的" in page
    assert "资格种类高新技术企业" in plain(page)
    assert (told.status_code, nothing.status_code) == (302, 409)
    assert db.session.get(ImportBatch, batch_id).profile == "names_only"
    assert "不会新增企业" in client.get("/imports").text
    assert "未匹配1" in plain(after)


def test_whom_a_full_list_lacks_has_a_page_with_checks_and_a_file(client):
    make_enterprise(QINGHE, code=make_code(1))
    make_enterprise("巫溪县多余食品有限公司", code=make_code(2))
    make_enterprise("巫溪县注销食品有限公司", code=make_code(3), status="deregistered")
    full = upload(client, workbook(GOOD), full_list="y")
    ordinary = upload(client, workbook(GOOD))

    page = client.get(f"/imports/{full}/missing").text
    filtered = client.get(f"/imports/{full}/missing?check=deregistered&page=99").text
    file = client.get(f"/imports/{full}/missing.xlsx")

    assert f"/imports/{full}/missing" in client.get(f"/imports/{full}").text
    assert all(word in plain(page) for word in ("名单漏报1", "注销1", "不会自动终止任何资格", "第1–2家，共2家"))
    assert ("注销食品" in plain(filtered), "多余食品" in plain(filtered)) == (True, False)
    assert (file.status_code, "attachment" in file.headers["Content-Disposition"]) == (200, True)
    assert "这不是全量名单" in client.get(f"/imports/{ordinary}/missing").text
