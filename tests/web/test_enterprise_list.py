"""The list of enterprises and the board: filters, counts that match their lists, a constant number of queries."""

import io
import re
from datetime import date

import pytest
from openpyxl import load_workbook

from crm.extensions import db
from crm.web import downloads
from crm.web.enterprises import listing
from tests.builders import county, make_enterprise, make_user, township
from tests.web.conftest import queries, sign_in

VALID = ("cq_tech", date(2025, 9, 1), date(2027, 5, 31))


@pytest.fixture
def client(sqlite_app):
    make_user("tanyue", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


@pytest.mark.parametrize("url", ["/enterprises", "/board", "/enterprises/find?q=qh"])
def test_a_page_makes_as_many_queries_for_three_rows_as_for_one(client, url):
    make_enterprise("巫溪县青禾食品有限责任公司", titles=[VALID])
    for_one = queries(client, url)

    make_enterprise("巫溪县青花茶业有限公司", titles=[VALID])
    make_enterprise("重庆清河新材料有限公司", titles=[VALID])

    assert queries(client, url) == for_one


def test_what_a_list_does_not_know_looks_unknown(client):
    make_enterprise("巫溪县青禾食品有限责任公司", code=None)

    page = client.get("/enterprises").text

    assert '<td class="u code">未填</td>' in page
    assert len(re.findall('<td class="u nw"[^>]*>未填</td>', page)) == 2
    assert '<span class="mute">未指派</span>' in page


def test_two_characters_initials_and_code_find_an_enterprise(client):
    make_enterprise("巫溪县青禾食品有限责任公司", code="915002990000000013")
    make_enterprise("重庆云脊智能装备有限公司", code=None)

    found = [client.get("/enterprises", query_string={"q": q}).text for q in ("青禾", "qh", "915002990000000013")]

    assert [("青禾" in page, "云脊" in page) for page in found] == [(True, False)] * 3


def test_each_count_of_the_board_opens_a_list_of_that_many(client):
    make_enterprise("甲有限公司", titles=[VALID])
    make_enterprise("乙有限公司", titles=[VALID, ("hnte", date(2025, 11, 1), date(2028, 10, 31))])
    make_enterprise("丙有限公司")
    page = client.get("/board").text

    links = re.findall(r'<a href="(/enterprises\?[^"]+)" class="big text-reset">(\d+)</a>', page)

    assert [int(number) for _, number in links] == [1, 1, 0, 1, 0]
    for href, number in links:
        listed = client.get(href.replace("&amp;", "&")).text
        assert f'<span class="count">{number} 家</span>' in listed


def test_a_standing_view_lists_firms_that_are_gone_with_titles_nobody_ended(client):
    held = ("hnte", date(2025, 11, 1), date(2028, 10, 31))
    ended = (*held, {"ended_on": date(2026, 6, 1), "end_reason": "deregistered"})
    make_enterprise("甲有限公司", titles=[held], status="deregistered")
    make_enterprise("乙有限公司", titles=[VALID], status="moved_out")
    make_enterprise("丙有限公司", titles=[held], status="active")
    make_enterprise("丁有限公司", titles=[ended], status="deregistered")
    make_enterprise("戊有限公司", status="licence_revoked")

    counted = client.get("/enterprises/views").text
    listed = client.get("/enterprises?view=gone").text

    assert "注销、吊销或迁出，资格未终止<span>2</span>" in counted
    assert [name for name in "甲乙丙丁戊" if f"{name}有限公司" in listed] == ["甲", "乙"]


def test_held_counts_an_enterprise_on_every_rung_it_holds(client):
    make_enterprise("乙有限公司", titles=[VALID, ("hnte", date(2025, 11, 1), date(2028, 10, 31))])

    page = client.get("/board?basis=held").text

    assert [int(n) for n in re.findall(r'class="big text-reset">(\d+)<', page)] == [0, 1, 0, 1, 0]


def test_a_filter_that_finds_nothing_says_what_to_drop(client):
    make_enterprise("甲有限公司", township=township().id)

    page = client.get("/enterprises?q=没有这家").text

    assert "没有符合这些筛选的企业" in page


def test_an_empty_county_says_what_to_do(client):
    assert "导入台账" in client.get("/enterprises").text
    assert county().name == "巫溪县"


@pytest.mark.parametrize(
    "query",
    [
        "page=abc",
        "page=-4",
        "rung=9&rung=x",
        "township=zz",
        "state=foo:bar",
        "sort=drop",
        "view=no",
        "columns=no",
        "page=99999999",
        "sort=" + "x," * 3000,
        "sort=name;drop table enterprise&sort=-due",
        "columns=" + "&columns=notes" * 300,
        "columns=credit_code&columns=__class__&columns=former_name",
        "q=" + "企" * 10_000,
        "township=" + "&township=1" * 500,
        "sort=%00name&columns=%00&q=%00",
        "saved=99999999999999999999&saved=1",
    ],
    ids=lambda query: query[:24],
)
def test_a_list_never_fails_over_its_address(client, query):
    make_enterprise("甲有限公司")

    assert client.get(f"/enterprises?{query}").status_code == 200


def test_the_number_of_certificates_that_end_within_a_year_opens_as_many_enterprises(client):
    soon = ("hnte", date(2024, 11, 28), date(2027, 10, 15))
    later = ("hnte", date(2024, 11, 28), date(2027, 11, 27))
    yearly = ("tech_sme", date(2026, 7, 20), date(2027, 3, 31))
    make_enterprise("巫溪县青禾食品有限责任公司", titles=[soon, yearly])
    make_enterprise("巫溪县云岭茶业有限公司", titles=[later, yearly])
    make_enterprise("巫溪县丹泉饮品有限公司", titles=[soon])

    board = client.get("/board").text
    listed = client.get("/enterprises?view=hnte_year").text

    assert re.search(r"一年内到期 2</a>", board)
    assert "云岭" not in listed
    assert "青禾" in listed
    assert "丹泉" in listed


def exported(client) -> list[str]:
    sheet = load_workbook(io.BytesIO(client.get("/enterprises/export").data)).active
    return [str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None]


def test_an_export_that_is_cut_says_how_many_are_left_out(client, monkeypatch):
    make_enterprise("甲有限公司")
    make_enterprise("乙有限公司")
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    assert any("另有 1 家没有导出" in cell for cell in exported(client))


def test_an_export_is_rendered_while_others_may_save(client, monkeypatch):
    make_enterprise("甲有限公司")
    held = []
    real = listing.export_rows

    def watched(**asked):
        held.append(bool(db.session.info.get("writing")))
        return real(**asked)

    monkeypatch.setattr(listing, "export_rows", watched)

    assert "甲有限公司" in exported(client)
    assert held == [False]
