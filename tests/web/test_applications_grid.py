"""The list of applications as a grid: columns and orders in the address, the file as shown, views that keep both."""

import io
import re
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from crm.actions.application_steps import step
from crm.actions.applications import add_application
from crm.actions.obligations import postpone
from crm.extensions import db
from crm.store import application_lists
from crm.store.access_log import AccessLog
from crm.store.application_orders import SORTS
from crm.store.applications import Application
from crm.store.obligations import obligations_of
from crm.store.unit_of_work import unit_of_work
from crm.web import downloads
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.web.conftest import post, queries, sign_in

LIST = "/applications/list"


@pytest.fixture
def client(sqlite_app):
    make_user("tanyue", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def apply(name: str, *, firm: dict | None = None, ago: int = 3, **more) -> int:
    """An application of a new firm that came to its stage some days ago."""
    values = {"kind": "hnte", "year": 2026, "stage": "coaching", "stage_on": TODAY - timedelta(days=ago), **more}
    firm_id = make_enterprise(name, **(firm or {}))
    with unit_of_work():
        return add_application(firm_id, **values, act=act()).ids["application"]


def ended(application_id: int, end: str = "withdrawn") -> None:
    with unit_of_work():
        step(application_id, end, happened_on=TODAY, reason="不报了", version=1, act=act())


def returned(name: str, due_on: date) -> int:
    """An application that was sent back, to be mended by a day."""
    application_id = apply(name, stage="county_review")
    with unit_of_work():
        step(application_id, "returned", happened_on=TODAY, reason="缺审计报告", due_on=due_on, version=1, act=act())
    return application_id


def in_order(page: str, *names: str) -> list[str]:
    body = page[page.index("<tbody>") :]
    return sorted(names, key=body.index)


def heads(page: str) -> list[str]:
    row = page[page.index("<thead>") : page.index("</thead>")]
    return [re.sub(r"<[^>]+>", "", head).strip() for head in re.findall(r"<th[^>]*>(.*?)</th>", row, re.DOTALL)]


def test_columns_and_orders_stand_in_the_address_and_in_every_link(client):
    apply("巫溪县甲食品有限公司", firm={"township": township("凤凰镇").id}, ago=9, note="差审计报告")
    apply("巫溪县乙食品有限公司", firm={"township": township("凤凰镇").id}, kind="srdi", stage="reserve")

    usual = client.get(LIST).text
    page = client.get(f"{LIST}?columns=note&columns=township&columns=since&sort=township,-days").text

    assert heads(usual) == ["企业", "申报", "环节", "天数", "期限", "材料完整度", "乡镇（考核）", "专员", ""]
    assert "件 · 按 申报年度 降序<" in usual
    assert heads(page) == ["企业", "说明", "乡镇（考核） 1", "到这一步", ""]
    assert "按 乡镇（考核） 升序、天数 降序" in page
    assert in_order(page, "甲食品", "乙食品") == ["甲食品", "乙食品"]
    assert "差审计报告" in page and "11-14" in page and "凤凰镇" in page
    carried = re.search(r'<form class="filt".*?</form>', page, re.DOTALL)[0]
    assert 'name="sort" value="township,-days"' in carried and carried.count('name="columns"') == 3


def test_the_days_order_is_that_of_the_days_and_of_what_ended_they_are_blank(client):
    for name, ago in (("甲", 3), ("乙", 30), ("丙", 12)):
        apply(f"巫溪县{name}食品有限公司", ago=ago)
    ended(apply("巫溪县丁食品有限公司", ago=99))
    names = ("甲食品", "乙食品", "丙食品")

    assert in_order(client.get(f"{LIST}?sort=days").text, *names) == ["甲食品", "丙食品", "乙食品"]
    assert in_order(client.get(f"{LIST}?sort=-days").text, *names) == ["乙食品", "丙食品", "甲食品"]
    assert "丁食品" in client.get(f"{LIST}?state=ended&sort=-days").text


def test_stages_come_in_the_order_of_the_work_and_titles_in_that_of_the_rungs(client):
    for name, more in (
        ("甲", {"stage": "county_review"}),
        ("乙", {"stage": "reserve", "kind": "srdi"}),
        ("丙", {"stage": "coaching", "kind": "tech_sme"}),
    ):
        apply(f"巫溪县{name}食品有限公司", **more)
    names = ("甲食品", "乙食品", "丙食品")

    assert in_order(client.get(f"{LIST}?sort=stage").text, *names) == ["乙食品", "丙食品", "甲食品"]
    assert in_order(client.get(f"{LIST}?sort=-stage").text, *names) == ["甲食品", "丙食品", "乙食品"]
    assert in_order(client.get(f"{LIST}?sort=kind").text, *names)[0] == "丙食品"


def test_the_order_by_deadline_goes_by_the_due_list_and_a_day_put_off_is_told(client):
    first = returned("巫溪县甲食品有限公司", date(2026, 12, 1))
    returned("巫溪县乙食品有限公司", date(2026, 12, 20))
    apply("巫溪县丙食品有限公司", stage="reserve")
    names = ("甲食品", "乙食品", "丙食品")

    before = client.get(f"{LIST}?sort=due").text
    firm = db.session.get(Application, first).enterprise_id
    [due] = [one for one in obligations_of(firm) if one.kind == "application_stage"]
    with unit_of_work():
        postpone(firm, due.kind, due.period, to=date(2026, 12, 28), act=act())
    after = client.get(f"{LIST}?sort=due").text

    assert in_order(before, *names) == ["甲食品", "乙食品", "丙食品"]
    assert in_order(client.get(f"{LIST}?sort=-due").text, *names)[2] == "丙食品"
    assert in_order(after, *names) == ["乙食品", "甲食品", "丙食品"]
    assert "改期到 12-28" in after and "12-01" in after


def test_every_order_turns_pages_without_losing_a_row(client, monkeypatch):
    ids = [apply(f"巫溪县{n}号食品有限公司", stage=("reserve", "coaching")[n % 2]) for n in range(5)]
    monkeypatch.setattr(application_lists.page, "__kwdefaults__", {**application_lists.page.__kwdefaults__, "size": 2})

    for sort in (*SORTS, *(f"-{key}" for key in SORTS), "-township,manager,-code"):
        pages = [client.get(f"{LIST}?sort={sort}&page={number}").text for number in (1, 2, 3)]
        rows = [int(row) for page in pages for row in re.findall(r'<tr data-href="/applications/(\d+)"', page)]
        assert sorted(rows) == ids, sort


def test_all_columns_make_no_more_queries_for_three_rows_than_for_one(client):
    from crm.web.applications.columns import COLUMNS

    url = f"{LIST}?" + "&".join(f"columns={key}" for key in COLUMNS) + "&sort=-due,manager"
    apply("巫溪县甲食品有限公司")
    one = queries(client, url)
    for name in "乙丙":
        apply(f"巫溪县{name}食品有限公司", kind="srdi")

    assert queries(client, url) == one


def test_the_file_has_the_columns_the_order_and_the_filter_of_the_list_and_is_logged(client):
    apply("巫溪县甲食品有限公司", ago=4, note="=差审计报告")
    apply("巫溪县乙食品有限公司", ago=8)
    apply("巫溪县丙食品有限公司", kind="srdi")
    query = "kind=hnte&columns=days&columns=year&columns=cycle&columns=note&sort=-days"
    content = client.get(f"/applications/export?{query}").data

    rows = list(load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))

    assert rows[1][0].startswith("高企；在办；按 天数 降序；2026-11-23；2 件")
    assert rows[2][:5] == ("企业名称", "天数", "申报年度", "申报", "说明")
    assert [row[:4] for row in rows[3:5]] == [
        ("巫溪县乙食品有限公司", 8, 2026, "高企 2026 年"),
        ("巫溪县甲食品有限公司", 4, 2026, "高企 2026 年"),
    ]
    db.session.rollback()
    logged = db.session.scalars(select(AccessLog).order_by(AccessLog.id.desc())).first()
    assert (logged.rows, logged.filter["sort"], logged.filter["kind"]) == (2, "-days", "hnte")
    assert logged.filter["columns"] == ["days", "year", "cycle", "note"]


def test_everything_asks_again_who_sits_there_and_a_cut_file_keeps_its_order(client, monday, monkeypatch):
    for name, ago in (("甲", 3), ("乙", 30)):
        apply(f"巫溪县{name}食品有限公司", ago=ago)
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    cut = client.get("/applications/export?sort=-days&format=csv").data.decode("utf-8-sig")
    monday.shift(timedelta(minutes=16))
    whole = client.get("/applications/export?sort=-days&columns=end")

    assert "乙食品" in cut and "甲食品" not in cut and "另有 1 件没有导出" in cut
    assert (whole.status_code, "再确认一次是你本人" in whole.text) == (403, True)


def test_a_saved_view_keeps_filter_columns_and_order_and_states_are_tabs_with_counts(client):
    apply("巫溪县甲食品有限公司")
    apply("巫溪县乙食品有限公司", kind="srdi")
    ended(apply("巫溪县丙食品有限公司"))
    query = "kind=hnte&columns=since&sort=-days&page=3"
    answer = post(client, "/views", {"page": "applications", "name": "高企久的", "query": query, "shared": "private"})

    page = client.get("/applications/views?view=in_hand&shape=kind%3Dhnte").text
    row = re.findall(r">([^<>]+)<span>([\d,]+)</span></a>", page)
    kept = client.get(answer.headers["Location"]).text

    assert row == [("在办", "1"), ("已结束", "1"), ("撤回", "1"), ("高企久的", "1")]
    assert "state=withdrawn" in page and page.count("kind=hnte") >= 4
    assert "page=" not in answer.headers["Location"] and "saved=" in answer.headers["Location"]
    assert heads(kept)[1] == "到这一步" and "按 天数 降序" in kept
    assert "高企久的" in client.get("/views?page=applications").text


def test_hostile_columns_and_orders_give_the_usual_list(client):
    apply("巫溪县甲食品有限公司")

    page = client.get(f"{LIST}?columns=password&columns=%00&sort=owner_id,-;drop&saved=x&window=9").text

    assert "这样筛选没有申报" in page
    assert heads(client.get(f"{LIST}?columns=password&sort=x,%00").text)[1] == "申报"


def test_another_district_is_in_no_order_and_no_file(sqlite_app, client):
    apply("云台区外地食品有限公司", firm={"region": county(OTHER)})
    apply("巫溪县甲食品有限公司")

    assert "外地" not in client.get(f"{LIST}?sort=due,code,-manager").text
    assert "外地" not in client.get("/applications/export?format=csv&sort=code").data.decode("utf-8-sig")
    assert ">1</span>" in client.get("/applications/views?view=in_hand").text
