"""Lists that go out: none is cut in silence, and all of a region goes out after a proof."""

import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook

from crm.actions.applications import add_application
from crm.actions.requests import raise_request
from crm.actions.service_logs import log_service
from crm.store.unit_of_work import unit_of_work
from crm.web import downloads
from tests.builders import TODAY, act, make_enterprise, make_user
from tests.web.conftest import sign_in

# Each list with its file and a filter that leaves half of it.
LISTS = {
    "/enterprises": ("/enterprises/export", "家", "q=青禾"),
    "/due": ("/due/export", "项", "q=青禾"),
    "/applications/list": ("/applications/export", "件", "kind=hnte"),
    "/requests": ("/requests/export", "件", "q=青禾"),
}


@pytest.fixture
def client(sqlite_app):
    """The office, of a county with two of everything."""
    make_user("tanyue", "bureau", name="谭越")
    for name, kind in (("巫溪县青禾食品有限公司", "hnte"), ("巫溪县盐泉制盐有限公司", "tech_sme")):
        firm = make_enterprise(name)
        visit = {
            "happened_on": TODAY,
            "kind": "visit",
            "text": "看了车间。",
            "next_step": "送立项书模板",
            "next_step_on": TODAY + timedelta(days=3),
        }
        with unit_of_work():
            log_service([firm], visit, act=act())
            add_application(firm, kind=kind, year=2026, stage="reserve", act=act())
            raise_request(firm, {"raised_on": TODAY, "category": "financing", "text": "缺资金"}, act=act())
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def test_a_file_that_holds_not_all_of_its_list_says_so_and_its_page_says_it_before(client, monkeypatch):
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)
    files = {page: client.get(f"{file}?format=csv").data.decode("utf-8-sig") for page, (file, _, _) in LISTS.items()}

    for page, (_, unit, _) in LISTS.items():
        assert f"另有 1 {unit}没有导出，先筛选再导" in files[page], page
        assert ("青禾" in files[page]) != ("盐泉" in files[page]), page
        assert f"导出前 1 {unit}，另有 1 {unit}先筛选再导" in client.get(page).text, page


def test_the_access_log_is_cut_with_a_word_too(client, monkeypatch):
    client.get("/enterprises/export")
    client.get("/due/export")
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    assert "导出前 1 条，另有 1 条先筛选再导" in client.get("/access-log?what=taken").text
    book = load_workbook(io.BytesIO(client.get("/access-log/export?what=taken").data)).active
    said = [[str(cell) for cell in row if cell is not None] for row in book.iter_rows(values_only=True)]
    assert any("另有 1 条没有导出，先筛选再导" in cell for row in said for cell in row)
    # The heads and what stands under them.
    head = next(row for row in said if "行数" in row)
    line = said[said.index(head) + 1]
    assert line[head.index("行数")] == "2"


def test_everything_of_a_list_goes_out_after_a_question_and_a_part_of_it_without_one(client, monday):
    monday.shift(timedelta(minutes=16))

    for page, (file, _, filter) in LISTS.items():
        asked = client.get(file)
        assert (asked.status_code, "再确认一次是你本人" in asked.text) == (403, True), page
        assert client.get(f"{file}?{filter}").status_code == 200, page


def test_who_answers_for_no_region_takes_the_own_list_without_a_question(sqlite_app, client, monday):
    make_user("hongchi", "case_manager")
    person = sqlite_app.test_client()
    sign_in(person, "hongchi")
    monday.shift(timedelta(minutes=16))

    assert person.get("/due/export?manager=all").status_code == 200
