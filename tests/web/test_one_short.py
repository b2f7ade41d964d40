"""差一项 on the desk: the own firms one condition short, which condition, and the way to the comparison."""

from datetime import date
from decimal import Decimal

import pytest

from crm.actions.figures import record_figures
from crm.actions.intellectual_property import record_ip
from crm.store.unit_of_work import unit_of_work
from crm.web.desk import one_short
from tests.builders import act, make_enterprise, make_user
from tests.web.conftest import queries, sign_in

URL = "/desk/one-short"
GOOD = {
    "sales": Decimal("34089000"),
    "revenue": Decimal("34089000"),
    "total_assets": Decimal("20000000"),
    "cost_expense": Decimal("30000000"),
    "rd_expense_deduction": Decimal("2500000"),
    "staff_count": 72,
    "sci_staff_sme": 20,
    "restricted_products": False,
    "own_accounts": True,
    "sme_industry": "industry",
}
CLEAN = dict.fromkeys(("had_major_accident", "had_env_violation", "had_research_misconduct", "was_blacklisted"), False)
# One employee too many, and nothing else.
TOO_MANY = {"staff_count": 501, "sci_staff_sme": 151}
HELD = [("tech_sme", date(2026, 7, 1), None, {"cohort_year": 2026})]


@pytest.fixture
def manager(sqlite_app):
    return make_user("xianghe", "case_manager", name="向禾")


@pytest.fixture
def client(sqlite_app, manager):
    client = sqlite_app.test_client()
    sign_in(client, "xianghe")
    return client


def judged(name: str, figures: dict, **more) -> int:
    one = make_enterprise(name, subject_type="company", industry_code="C1371", **{"status": "active", **more})
    for year, values in ((2025, {**GOOD, **CLEAN, **figures}), (2026, CLEAN)):
        with unit_of_work():
            record_figures(one, year, values, act=act())
    piece = {
        "name": "一种烘干装置",
        "kind": "invention",
        "granted_on": date(2024, 5, 7),
        "expires_on": date(2043, 5, 7),
        "supports_main_product": True,
        "disputed": False,
    }
    with unit_of_work():
        record_ip(one, piece, act=act())
    return one


def test_own_firms_one_condition_short_stand_with_the_condition_and_the_way_to_the_comparison(client, manager):
    short = judged("甲食品有限公司", TOO_MANY, manager=manager.user_id)
    judged("乙食品有限公司", {}, manager=manager.user_id)
    judged("丙食品有限公司", TOO_MANY, manager=manager.user_id, titles=HELD)
    judged("丁食品有限公司", TOO_MANY, manager=manager.user_id, status="deregistered")
    judged("戊食品有限公司", TOO_MANY)
    make_enterprise("己食品有限公司", manager=manager.user_id)

    desk, page = client.get("/").text, client.get(URL).text

    assert f'hx-get="{URL}"' in desk
    assert page.count("看比对") == 1 and f"/enterprises/{short}?tab=compare#compare-tech_sme" in page
    assert "<b>超 1 人</b>" in page
    assert "比了 3 家，1 家缺数据比不出" in page and "发一页采集表" in page
    assert 'id="compare-tech_sme"' in client.get(f"/enterprises/{short}?tab=compare").text
    for other in "丙丁戊":
        assert other not in page


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        pytest.param(None, "名下企业已持有", id="nothing to win"),
        pytest.param({}, "或差不止一项", id="all met"),
        pytest.param(
            {"sales": None, "rd_expense_deduction": None}, "有 1 家缺数据，比不出差几项", id="figures missing"
        ),
    ],
)
def test_without_one_the_panel_says_why(client, manager, figures, said):
    if figures is None:
        make_enterprise("甲食品有限公司", manager=manager.user_id, titles=HELD)
    else:
        judged("甲食品有限公司", figures, manager=manager.user_id)

    page = client.get(URL).text

    assert said in page and "看比对" not in page


def test_of_many_firms_those_with_figures_are_compared_and_the_limit_is_said(client, manager, monkeypatch):
    monkeypatch.setattr(one_short, "MOST", 1)
    make_enterprise("甲食品有限公司", manager=manager.user_id)
    judged("乙食品有限公司", TOO_MANY, manager=manager.user_id)

    page = client.get(URL).text

    assert page.count("看比对") == 1 and "名下可争取的有 2 家，只比了指标最新的 1 家" in page


def test_the_nearest_stands_first(client, manager):
    judged("甲食品有限公司", {"staff_count": 620, "sci_staff_sme": 190}, manager=manager.user_id)
    judged("乙食品有限公司", TOO_MANY, manager=manager.user_id)

    page = client.get(URL).text

    assert page.index("乙食品") < page.index("甲食品")


def test_three_firms_take_as_many_queries_as_one_and_only_a_case_manager_reads_it(client, manager, sqlite_app):
    judged("甲食品有限公司", TOO_MANY, manager=manager.user_id)
    client.get(URL)
    for_one = queries(client, URL)
    for name in "乙丙":
        judged(f"{name}食品有限公司", TOO_MANY, manager=manager.user_id)
    make_user("liaoheng", "leader")
    leader = sqlite_app.test_client()
    sign_in(leader, "liaoheng")

    assert queries(client, URL) == for_one
    assert leader.get(URL).status_code == 403
    assert URL not in leader.get("/").text
