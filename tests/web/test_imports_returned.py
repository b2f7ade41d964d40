"""The page of a batch hands out its file marked, and tells whose it is, by what profile, and who took it back."""

import hashlib
import io
import re

import openpyxl
import pytest

from crm.domain.codes import make_code
from crm.extensions import db
from crm.jobs import imports as work
from crm.store.imports import ImportBatch
from tests.builders import make_user
from tests.web.conftest import post, sign_in
from tests.web.test_imports import GOOD, MIXED, plain, upload
from tests.workbooks import workbook


@pytest.fixture
def client(sqlite_app):
    make_user("tan", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tan")
    return client


def test_a_batch_with_wrong_rows_offers_its_file_marked_and_the_rows_alone(client):
    batch_id = upload(client, MIXED)

    page = client.get(f"/imports/{batch_id}").text
    whole = client.get(f"/imports/{batch_id}/marked.xlsx")
    rows = client.get(f"/imports/{batch_id}/failed.xlsx")

    assert (f"/imports/{batch_id}/marked.xlsx" in page, f"/imports/{batch_id}/failed.xlsx" in page) == (True, True)
    assert [answer.status_code for answer in (whole, rows)] == [200, 200]
    assert openpyxl.load_workbook(io.BytesIO(whole.data))["企业"].max_row == 3
    assert openpyxl.load_workbook(io.BytesIO(rows.data))["企业"].max_row == 2


def test_a_file_without_a_fault_has_nothing_to_mend(client):
    batch_id = upload(client, GOOD)

    assert "改好再传" not in client.get(f"/imports/{batch_id}").text
    assert client.get(f"/imports/{batch_id}/failed.xlsx").status_code == 409


def test_the_page_names_the_file_its_hash_its_profile_and_who_took_it_back(client, sqlite_app):
    content = workbook(GOOD)
    batch_id = upload(client, content)
    post(client, f"/imports/{batch_id}/confirm", {"mode": "all"})
    db.session.rollback()
    work.commit(work.InProcess(), {"batch": batch_id})
    before = plain(client.get(f"/imports/{batch_id}").text)
    post(client, f"/imports/{batch_id}/undo")
    db.session.rollback()
    batch = db.session.get(ImportBatch, batch_id)
    page = client.get(f"/imports/{batch_id}").text
    listed = plain(client.get("/imports").text)

    assert f'href="/files/{batch.stored_file_id}"' in page
    assert hashlib.sha256(content).hexdigest() in page
    assert "方案县级企业台账" in plain(page)
    assert ("撤销谭越，" in before, "撤销谭越，" in plain(page)) == (False, True)
    assert "已撤销谭越" in listed


@pytest.mark.parametrize("path", ["marked.xlsx", "failed.xlsx"])
def test_a_batch_without_rows_or_unread_has_no_marked_file(client, path):
    unread = upload(client, GOOD, run=False)
    refused = upload(client, b"no sheet at all \x00\x01")

    for batch_id in (unread, refused):
        assert client.get(f"/imports/{batch_id}/{path}").status_code == 404
        assert make_code(1) not in client.get(f"/imports/{batch_id}").text


def test_cells_are_corrected_beside_their_errors_and_taken_back(client):
    batch_id = upload(client, MIXED)
    page = client.get(f"/imports/{batch_id}?outcome=error").text
    field = re.search(r'name="(cell-\d+-C)" value="凤皇镇"', page).group(1)

    nothing = post(client, f"/imports/{batch_id}/correct?outcome=error", {field: "凤皇镇"})
    told = post(client, f"/imports/{batch_id}/correct", {field: "凤凰镇", "cell-x-C": "1", "cell-9-": "2", "cell": ""})
    db.session.rollback()
    work.preview(work.InProcess(), {"batch": batch_id})
    after = client.get(f"/imports/{batch_id}").text
    back = post(client, f"/imports/{batch_id}/correct/back", {"sheet": "企业", "row": "3", "letter": "C"})
    db.session.rollback()
    work.preview(work.InProcess(), {"batch": batch_id})

    assert (nothing.status_code, "没有改动" in nothing.text, told.status_code) == (409, True, 302)
    assert ("预览里改过的格" in after, "确认导入 2 行" in after, back.status_code) == (True, True, 302)
    assert "预览里改过的格" not in client.get(f"/imports/{batch_id}").text


def test_what_is_being_written_is_corrected_no_more(client):
    batch_id = upload(client, MIXED)
    field = re.search(r'name="(cell-\d+-C)"', client.get(f"/imports/{batch_id}?outcome=error").text).group(1)
    post(client, f"/imports/{batch_id}/confirm", {"mode": "good"})

    answer = post(client, f"/imports/{batch_id}/correct?outcome=error", {field: "凤凰镇"})

    assert (answer.status_code, "现在不能改格" in answer.text) == (409, True)
