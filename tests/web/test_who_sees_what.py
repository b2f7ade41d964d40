"""What each role is shown: departments only public fields, nobody a button or a word that leads nowhere."""

import io
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook

from crm.actions.applications import add_application
from crm.actions.enterprises import create_enterprise, edit_enterprise
from crm.actions.service_logs import log_service
from crm.domain.refusals import InvalidInput
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_unit, make_user, township
from tests.walls import two_districts
from tests.web.conftest import sign_in

SRDI = ("srdi", date(2025, 9, 1), date(2028, 8, 31))
TABS = ("", "titles", "figures", "ip", "compare", "applications", "logs", "due", "history")


def client_of(app, login: str):
    client = app.test_client()
    sign_in(client, login)
    return client


@pytest.fixture
def promised(sqlite_app) -> int:
    """An enterprise with a visit long ago, a step promised for last week, and an application with a remark."""
    author = make_user("xianghe", "case_manager", name="向禾")
    enterprise_id = make_enterprise("巫溪县溪谷食品有限公司", titles=[SRDI], manager=author.user_id)
    values = {"happened_on": date(2025, 3, 3), "kind": "visit", "text": "看了车间。"}
    values |= {"next_step": "送审计初稿", "next_step_on": TODAY - timedelta(days=5)}
    with unit_of_work():
        log_service([enterprise_id], values, act=act(author))
    with unit_of_work():
        add_application(enterprise_id, kind="hnte", year=2026, stage="辅导", note="等审计报告", act=act())
    return enterprise_id


@pytest.fixture
def liaison(sqlite_app):
    make_user("yueheng", "unit")
    return client_of(sqlite_app, "yueheng")


def test_a_department_is_told_no_promise_and_no_application(liaison, promised):
    pages = "".join(liaison.get(f"/enterprises/{promised}", query_string={"tab": tab}).text for tab in TABS)

    hidden = ("送审计初稿", "等审计报告", "下一步", "tab=applications", "tab=logs")
    assert [word for word in hidden if word in pages] == []


def test_a_department_lists_no_deadlines_of_promises_and_no_contacts(liaison, promised):
    asked = "columns=due&columns=contact&columns=titles"
    urls = ("/enterprises", f"/enterprises?{asked}", "/enterprises?sort=contact", "/board", "/enterprises/views")
    pages = [liaison.get(url).text for url in (*urls, "/enterprises/find?q=溪谷")]

    assert all("溪谷" in page for page in (*pages[:4], pages[5]))
    for page in pages:
        assert [word in page for word in ("最近联系", "下一到期", "逾期", "03-03", "久未联系", "下一步")] == [False] * 6


def test_the_views_over_contacts_and_deadlines_count_nothing_for_a_department(liaison, promised):
    make_enterprise("巫溪县安安食品有限公司")

    counts = [liaison.get(f"/enterprises?view={view}").text.count("<tr data-href") for view in ("silent", "overdue")]

    # The view is not known to them, so the whole list stands there.
    assert counts == [2, 2]


def test_a_department_exports_no_contact_day(liaison, promised):
    answer = liaison.get("/enterprises/export?columns=contact&columns=due&columns=township")
    sheet = load_workbook(io.BytesIO(answer.data)).active
    cells = [str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None]

    assert "巫溪县溪谷食品有限公司" in cells
    assert not any("最近联系" in cell or "下一到期" in cell or "2025-03-03" in cell for cell in cells)


def test_the_others_still_see_deadlines_and_contacts(sqlite_app, promised):
    client = client_of(sqlite_app, "xianghe")

    assert "最近联系" in client.get("/enterprises").text
    assert "逾期" in client.get("/board").text
    assert "送审计初稿" in client.get(f"/enterprises/{promised}?tab=due").text


def test_the_desk_of_a_department_names_what_it_owns(sqlite_app):
    make_enterprise(titles=[SRDI])
    make_user("market", "unit", unit_id=make_unit("市场监管", "intellectual_property"))
    make_user("trade", "unit", unit_id=make_unit("商务"))

    market, trade = (client_of(sqlite_app, login).get("/").text for login in ("market", "trade"))

    assert "本部门归口的台账" in market and "专精特新中小企业" not in market and "导入名单" not in market
    assert "没有归口的资格" in trade
    assert ['href="/imports"' in page for page in (market, trade)] == [False, False]


def test_the_department_of_ip_keeps_the_register_and_others_do_not(sqlite_app, liaison):
    enterprise_id = make_enterprise()
    make_user("market", "unit", unit_id=make_unit("市场监管", "intellectual_property"))
    market = client_of(sqlite_app, "market")
    url = f"/enterprises/{enterprise_id}/intellectual-property/new"

    assert (market.get(url).status_code, liaison.get(url).status_code) == (200, 403)
    assert url in market.get(f"/enterprises/{enterprise_id}?tab=ip").text
    assert url not in liaison.get(f"/enterprises/{enterprise_id}?tab=ip").text


@pytest.mark.parametrize("url", ["/enterprises", "/board"])
@pytest.mark.parametrize("role", ["township", "leader"])
def test_who_cannot_import_is_not_sent_there_by_an_empty_list(sqlite_app, role, url):
    make_user("reader", role, region=township() if role == "township" else None)

    page = client_of(sqlite_app, "reader").get(url).text

    assert "还没有" in page
    assert "/imports" not in page


def test_the_township_is_told_what_to_watch_and_not_what_others_owe(sqlite_app, promised):
    make_user("qindi", "township", region=township())
    with unit_of_work():
        version = db.session.get(Enterprise, promised).version
        edit_enterprise(promised, {"township": township().id}, version=version, act=act())

    page = client_of(sqlite_app, "qindi").get("/").text

    assert "今天要留意的" in page and "送审计初稿" in page
    assert "今天要做的" not in page


def test_the_account_is_reached_from_a_phone(sqlite_app):
    make_user("qindi", "township", region=township())

    menu = client_of(sqlite_app, "qindi").get("/").text.partition("cp-tabbar")[2]

    assert 'href="/account"' in menu


@pytest.mark.parametrize(("code", "place"), [("township", "township"), ("park", "park"), ("carrier", "carrier")])
def test_an_enterprise_never_belongs_to_a_place_of_another_district(sqlite_app, code, place):
    own, foreign = two_districts()
    there = foreign.township_id if place == "township" else foreign.ids[place]
    said = []

    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        create_enterprise(county().id, {"name": "翻墙食品有限公司", code: there}, act=act())
    said.append(refusal.value.problems)
    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        edit_enterprise(own.ids["enterprise"], {code: there}, version=1, seen={}, act=act())
    said.append(refusal.value.problems)

    assert [list(wrong) for wrong in said] == [[code], [code]]


def test_a_county_is_no_township(sqlite_app):
    here, there = county().id, county(OTHER).id
    for township_id in (here, there):
        with pytest.raises(InvalidInput), unit_of_work():
            create_enterprise(here, {"name": "错处食品有限公司", "township": township_id}, act=act())
