"""The file of one enterprise: what each role sees, its forms, conflicts, history and undo."""

import html
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from crm.actions.enterprises import edit_enterprise
from crm.actions.figures import record_figures
from crm.actions.pool import propose_for_pool
from crm.actions.service_logs import log_service
from crm.domain.changes import Create, Update
from crm.domain.codes import make_code
from crm.domain.obligations import SETTLED
from crm.domain.refusals import InvalidInput
from crm.extensions import db
from crm.store.assessments import Assessment
from crm.store.changes import ChangeSet
from crm.store.enterprises import Enterprise, affiliations_of, aliases_of
from crm.store.figures import Figures, figures_of
from crm.store.intellectual_property import ip_of
from crm.store.obligations import obligations_of
from crm.store.pool import PoolMembership
from crm.store.projections import refresh
from crm.store.qualifications import Qualification, title_facts
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from crm.web.enterprises.show import TABS
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.web.conftest import post, queries, sign_in

HNTE = ("hnte", date(2024, 11, 28), date(2027, 11, 27), {"number": "GR202451100001", "cohort_year": 2024})
SME = ("tech_sme", date(2025, 9, 2), date(2026, 3, 31), {"cohort_year": 2025})


@pytest.fixture
def bureau(sqlite_app):
    return make_user("tanyue", "bureau", name="谭越")


@pytest.fixture
def client(sqlite_app, bureau):
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def client_of(app, login: str):
    client = app.test_client()
    sign_in(client, login)
    return client


def shown(page: str) -> dict[str, str]:
    """What a form would send: hidden values and what stands in its boxes."""
    body = page[page.index("<main") :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", body):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="radio"' not in tag and 'type="search"' not in tag:
            found[name.group(1)] = html.unescape(value.group(1)) if value else ""
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', body, re.DOTALL):
        found[name] = html.unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', body, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen.group(1) if chosen else ""
    return found


def fill(client, url: str, **typed):
    """Open a form, type something and send it, as a person does."""
    return client.post(url, data={**shown(client.get(url).text), **typed})


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tab", "ninth"), [("", None), ("files", "附件")])
def test_eight_tabs_stand_in_the_row_and_the_open_one_is_among_them(client, tab, ninth):
    enterprise_id = make_enterprise()

    page = client.get(f"/enterprises/{enterprise_id}", query_string={"tab": tab}).text

    row, more = (part.split("</nav>")[0] for part in page.split('档案分页">')[1:])
    labels = [re.match(r"[^<]+", link)[0] for link in re.findall(r'<a href="[^"]*"[^>]*>(.*?)</a>', row)]
    assert labels == [*list(TABS.values())[:7], ninth or "到期事项"]
    assert more.count("<a ") == len(TABS) - 8


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_makes_as_many_queries_for_a_full_file_as_for_a_thin_one(client, bureau, tab):
    thin = make_enterprise("薄有限公司", titles=[HNTE], township=township().id, manager=bureau.user_id, status="active")
    full = make_enterprise("厚有限公司", titles=[HNTE, SME, ("cq_tech", date(2025, 6, 1), date(2027, 5, 31))],
                           township=township().id, manager=bureau.user_id, status="active")  # fmt: skip
    for enterprise_id, years in ((thin, [2025]), (full, [2023, 2024, 2025])):
        for year in years:
            with unit_of_work():
                record_figures(enterprise_id, year, {"revenue": Decimal(1)}, act=act())
            with unit_of_work():
                visit = {"happened_on": date(year, 5, 1), "kind": "visit", "text": "看生产线"}
                log_service([enterprise_id], visit, act=act(bureau))

    def asked(enterprise_id: int) -> int:
        return queries(client, f"/enterprises/{enterprise_id}", query_string={"tab": tab})

    asked(thin)

    assert asked(thin) == asked(full)


def test_tab_and_panel_count_the_same_obligations(sqlite_app, bureau, monday):
    """What has not opened yet is 未办 too, on the tab, in the panel and on the due list."""
    monday.move_to(datetime(2027, 2, 20, 2, tzinfo=UTC))
    enterprise_id = make_enterprise(titles=[HNTE])
    with unit_of_work():
        values = {"happened_on": date(2026, 11, 2), "kind": "visit", "text": "看了车间"}
        promised = {"next_step": "送模板", "next_step_on": date(2027, 2, 22)}
        log_service([enterprise_id], values | promised, act=act())
        refresh([enterprise_id], at=datetime(2027, 2, 20, 2, tzinfo=UTC))
    states = [one.state for one in obligations_of(enterprise_id)]
    client = client_of(sqlite_app, "tanyue")

    overview = client.get(f"/enterprises/{enterprise_id}").text
    tab = re.search(r"到期事项<span>(\d+)</span>", overview)[1]

    assert "upcoming" in states
    assert tab == str(sum(state not in SETTLED for state in states)) == re.search(r"(\d+) 项未办", overview)[1]
    assert f'到期事项 <span class="count">{tab} 项</span>' in client.get("/due").text


def test_who_may_correct_nothing_on_a_file_is_not_told_to(sqlite_app):
    """A department may record its own titles, but what stands here is not its own; a case manager decides no pool."""
    hnte = make_enterprise("甲有限公司", titles=[HNTE])
    srdi = make_enterprise("乙有限公司", titles=[("srdi", date(2025, 9, 1), date(2028, 8, 31))])
    own = make_user("xianghe", "case_manager").user_id
    pooled = make_enterprise("丙有限公司", manager=own)
    with unit_of_work():
        propose_for_pool(pooled, {"year": 2026, "pool_class": "key"}, act=act())
    make_user("jingxin", "unit")
    unit, manager = client_of(sqlite_app, "jingxin"), client_of(sqlite_app, "xianghe")

    pages = [unit.get(f"/enterprises/{hnte}").text, unit.get(f"/enterprises/{srdi}").text]
    pages.append(manager.get(f"/enterprises/{pooled}").text)

    assert ["逐项更正或登记终止" in page for page in pages] == [False, True, False]


def test_an_empty_file_says_what_would_be_there_on_every_tab(client):
    enterprise_id = make_enterprise()

    pages = {tab: client.get(f"/enterprises/{enterprise_id}", query_string={"tab": tab}) for tab in TABS}

    assert {tab: page.status_code for tab, page in pages.items()} == dict.fromkeys(TABS, 200)
    assert "还没有登记过资格" in pages["titles"].text
    assert "还没有登记知识产权" in pages["ip"].text
    assert "还没有服务记录" in pages["logs"].text


def test_an_unknown_tab_and_a_foreign_enterprise_are_not_found(client):
    enterprise_id = make_enterprise()
    foreign = make_enterprise("云台某有限公司", region=county("500299"))

    urls = (f"/enterprises/{enterprise_id}?tab=x", f"/enterprises/{foreign}", "/enterprises/99999")
    codes = [client.get(url).status_code for url in urls]

    assert codes == [404, 404, 404]


def test_a_blank_figure_is_hatched_and_a_zero_is_a_zero(client):
    enterprise_id = make_enterprise()
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"revenue": Decimal("37706000"), "rd_expense": Decimal(0)}, act=act())

    page = client.get(f"/enterprises/{enterprise_id}").text

    revenue = re.search(r"<td[^>]*>营业收入</td>(.*?)</tr>", page, re.DOTALL).group(1)
    research = re.search(r"<td[^>]*>研发费用（会计口径）</td>(.*?)</tr>", page, re.DOTALL).group(1)
    assert re.findall(r">([^<]+)</td>", revenue) == ["未填"] * 4 + ["3,770.6"]
    assert re.findall(r">([^<]+)</td>", research) == ["未填"] * 4 + ["0"]
    assert 'title="测试 2026-11-23，网页"' in revenue


def test_figures_and_judgements_are_hidden_from_who_may_not_read_them(sqlite_app, bureau):
    make_user("qindi", "township", region=township("凤凰镇"))
    enterprise_id = make_enterprise(township=township("凤凰镇").id, contact_name="冉女士")
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"revenue": Decimal("37706000")}, act=act())
    client = client_of(sqlite_app, "qindi")

    pages = "".join(client.get(f"/enterprises/{enterprise_id}", query_string={"tab": tab}).text for tab in TABS)

    assert "3,770.6" not in pages
    assert "年度指标是保密字段" in pages
    assert "你的授权不含" in pages
    assert "冉女士" in pages
    assert "另有 1 项保密或内部字段" in pages


def test_a_unit_sees_no_contacts_and_no_visits(sqlite_app):
    make_user("yueheng", "unit")
    author = make_user("tanyue", "bureau", name="谭越")
    enterprise_id = make_enterprise(contact_name="冉女士", notes="只给内部看")
    with unit_of_work():
        log_service([enterprise_id], {"happened_on": TODAY, "kind": "visit", "text": "看新烘干线"}, act=act(author))
    client = client_of(sqlite_app, "yueheng")

    pages = "".join(client.get(f"/enterprises/{enterprise_id}", query_string={"tab": tab}).text for tab in TABS)

    assert [word in pages for word in ("冉女士", "只给内部看", "看新烘干线")] == [False, False, False]


def test_who_may_only_read_gets_no_verbs(sqlite_app):
    make_user("liaoheng", "leader")
    enterprise_id = make_enterprise(titles=[HNTE])
    client = client_of(sqlite_app, "liaoheng")

    page = client.get(f"/enterprises/{enterprise_id}?tab=titles").text
    verbs = ("edit", "rename", "figures/2025", "qualifications/new", "intellectual-property/new", "applications/new",
             "pool/propose")  # fmt: skip
    codes = [client.get(f"/enterprises/{enterprise_id}/{verb}").status_code for verb in verbs]

    assert [word in page for word in ("登记认定结果", "更正", "记一次走访</a>")] == [False, False, False]
    assert codes == [403] * 7


def test_a_unit_may_correct_the_titles_it_owns_and_no_others(sqlite_app):
    make_user("yueheng", "unit")
    enterprise_id = make_enterprise(titles=[HNTE, ("srdi", date(2025, 6, 1), date(2028, 5, 31))])
    hnte, srdi = (fact.id for fact in title_facts(enterprise_id))

    page = client_of(sqlite_app, "yueheng").get(f"/enterprises/{enterprise_id}?tab=titles").text

    assert [f"/qualifications/{one}/correct" in page for one in (hnte, srdi)] == [False, True]


def test_a_doubtful_code_is_told_beside_it(client):
    page = client.get(f"/enterprises/{make_enterprise(code='915002990000000014', code_reason='执照如此')}").text

    assert "代码存疑：执照如此" in page


def test_the_way_back_leads_through_the_list_one_came_from(client):
    ids = [make_enterprise(f"{name}有限公司", titles=[HNTE]) for name in ("安安", "百百", "财财")]

    page = client.get(f"/enterprises/{ids[1]}/neighbours?from=state%3Dhnte%253A").text
    lonely = client.get(f"/enterprises/{ids[1]}/neighbours?from=q%3D没有").text

    assert "第 2 家，共 3 家" in page
    assert [f"/enterprises/{i}?from=" in page for i in (ids[0], ids[2])] == [True, True]
    assert "第" not in lonely


@pytest.mark.parametrize("query", ["", "state=hnte%3A"], ids=["whole_list", "filtered"])
def test_every_link_of_a_file_keeps_the_place_in_the_list(client, query):
    enterprise_id = make_enterprise(titles=[HNTE])
    came_from = f"http://localhost/enterprises?{query}".rstrip("?")

    first = client.get(f"/enterprises/{enterprise_id}", headers={"Referer": came_from}).text
    links = re.findall(rf'href="(/enterprises/{enterprise_id}[?"][^"]*)', first)
    second = client.get(html.unescape(next(link for link in links if "tab=ip" in link))).text

    assert len(links) > 8
    assert [link for link in links if "from=" not in link] == []
    assert f"/enterprises/{enterprise_id}/neighbours?tab=ip&amp;from=" in second.replace("&from", "&amp;from")


def test_a_file_that_no_list_led_to_has_no_place_in_one(client):
    page = client.get(f"/enterprises/{make_enterprise()}").text

    assert "neighbours" not in page


# --- entering and editing -------------------------------------------------------------------------------------------


def test_a_new_enterprise_is_entered_from_what_was_typed(client):
    typed = {"name": "巫溪县新立食品有限公司", "capital": "50万元", "registered_on": "2019年3月1日"}

    answer = fill(client, "/enterprises/new", **typed, township=str(township().id), above_scale="no")

    row = db.session.scalar(select(Enterprise).where(Enterprise.name == "巫溪县新立食品有限公司"))
    assert (answer.status_code, answer.location) == (302, f"/enterprises/{row.id}")
    assert (row.capital, row.registered_on) == (Decimal(500000), date(2019, 3, 1))
    assert {a.kind: a.ref_id or a.value for a in affiliations_of(row.id)} == {
        "township": township().id,
        "above_scale": "no",
    }


def test_every_error_stands_beside_its_field_and_nothing_typed_is_lost(client):
    answer = fill(client, "/enterprises/new", name="", capital="很多", registered_on="2099-01-01", address="一号路")

    assert answer.status_code == 422
    assert "改正 3 处后再保存" in answer.text
    said = dict(re.findall(r'id="f-(\w+)-error">.*?</svg>([^<]+)<', answer.text))
    assert set(said) == {"name", "capital", "registered_on"}
    assert (shown(answer.text)["capital"], shown(answer.text)["address"]) == ("很多", "一号路")


def test_a_name_of_300_characters_is_refused_in_one_sentence(client):
    answer = fill(client, "/enterprises/new", name="长" * 300)

    assert answer.status_code == 422
    assert "120 个字" in answer.text


def test_a_code_that_fails_its_check_asks_once_for_a_reason_and_never_blocks(client):
    asked = fill(client, "/enterprises/new", name="甲有限公司", credit_code="915002990000000014")

    again = client.post("/enterprises/new", data=shown(asked.text))

    row = db.session.scalar(select(Enterprise).where(Enterprise.name == "甲有限公司"))
    assert (asked.status_code, again.status_code) == (422, 302)
    assert "校验位不符" in asked.text
    assert (row.credit_code, row.code_reason) == ("915002990000000014", "未写理由")


def test_a_code_of_another_enterprise_is_refused_beside_the_field_and_named_to_who_may_see_it(client):
    make_enterprise("甲有限公司", code=make_code(1))
    make_enterprise("丙有限公司", code=make_code(2), region=county(OTHER))

    ours = fill(client, "/enterprises/new", name="乙有限公司", credit_code=make_code(1))
    theirs = fill(client, "/enterprises/new", name="乙有限公司", credit_code=make_code(2))

    assert (ours.status_code, "这个代码已属于甲有限公司。打开那一家改，不要另建。" in ours.text) == (422, True)
    assert (theirs.status_code, "这个代码不能用在这里。" in theirs.text, "丙" in theirs.text) == (422, True, False)


@pytest.mark.parametrize("called", ["巫溪县 新立食品（集团）有限公司", "巫溪县老立食品有限公司"], ids=["now", "before"])
def test_a_name_that_is_known_asks_once_and_never_blocks(app, called):
    """The exact name of a firm in sight, or one it had: told with a link, saved at the second press."""
    make_user("tanyue", "bureau")
    client = client_of(app, "tanyue")
    known = make_enterprise("巫溪县新立食品(集团)有限公司", former_name="巫溪县老立食品有限公司")

    asked = fill(client, "/enterprises/new", name=called)
    again = client.post("/enterprises/new", data=shown(asked.text))

    assert (asked.status_code, again.status_code) == (422, 302)
    assert f'<a href="/enterprises/{known}">巫溪县新立食品(集团)有限公司</a>' in asked.text
    assert "仍然新增" in asked.text
    assert len(db.session.scalars(select(Enterprise)).all()) == 2


def test_a_name_known_in_another_district_tells_nothing(client):
    make_enterprise("云台区新立食品有限公司", region=county(OTHER))

    answer = fill(client, "/enterprises/new", name="云台区新立食品有限公司")

    assert answer.status_code == 302


def test_a_form_speaks_of_its_own_fields(client):
    enterprise_id = make_enterprise()

    renamed = fill(client, f"/enterprises/{enterprise_id}/rename", name="长" * 300).text
    entered = fill(client, "/enterprises/new", name="甲有限公司", industry_code="没有这一行").text

    assert "新名称" in re.search(r'id="f-name-error">.*?</svg>([^<]+)<', renamed)[1]
    said = re.search(r'id="f-industry_code-error">.*?</svg>([^<]+)<', entered)[1]
    assert ("这一格" in said, "改成 C13" in said) == (False, True)


def test_more_spent_on_research_than_earned_is_saved_and_doubted(client):
    enterprise_id = make_enterprise()
    url = f"/enterprises/{enterprise_id}/figures/2025"

    fill(client, url, revenue="100", rd_expense="5000")
    page = client.get(f"/enterprises/{enterprise_id}?tab=figures").text

    assert figures_of(enterprise_id)[0].rd_expense == Decimal(50_000_000)
    assert "研发费用（会计口径） 5,000.0 万元，大于营业收入 100.0 万元，已照存。核对两个数的单位。" in page


def test_pressing_twice_saves_once(client):
    data = {**shown(client.get("/enterprises/new").text), "name": "只有一家有限公司"}

    codes = [client.post("/enterprises/new", data=data).status_code for _ in range(2)]

    assert codes == [302, 302]
    assert len(db.session.scalars(select(Enterprise)).all()) == 1


def test_a_changed_township_asks_whether_it_is_a_correction_or_a_new_fact(client):
    old, new = township("凤凰镇").id, township("菱角镇").id
    enterprise_id = make_enterprise(township=old)
    url = f"/enterprises/{enterprise_id}/edit"

    asked = fill(client, url, township=str(new))
    done = client.post(url, data={**shown(asked.text), "nature": "new_fact", "effective_on": "2026-11-01"})

    assert (asked.status_code, done.status_code) == (422, 302)
    assert "选更正还是新事实" in asked.text
    rows = sorted((a for a in affiliations_of(enterprise_id) if a.kind == "township"), key=lambda a: a.id)
    assert [(a.ref_id, a.ends_on) for a in rows] == [(old, date(2026, 10, 31)), (new, None)]


def test_a_plain_field_asks_nothing(client):
    enterprise_id = make_enterprise(address="一号路")

    answer = fill(client, f"/enterprises/{enterprise_id}/edit", address="二号路")

    assert answer.status_code == 302
    assert db.session.get(Enterprise, enterprise_id).address == "二号路"


def test_an_edit_without_a_change_writes_nothing(client):
    enterprise_id = make_enterprise(capital=Decimal("1234567.89"))
    before = len(db.session.scalars(select(ChangeSet.id)).all())

    answer = fill(client, f"/enterprises/{enterprise_id}/edit")

    assert answer.status_code == 302
    assert len(db.session.scalars(select(ChangeSet.id)).all()) == before


def test_the_same_field_shows_before_theirs_and_mine_and_the_choice_is_kept(client):
    enterprise_id = make_enterprise(address="一号路", main_product="烤鱼")
    url = f"/enterprises/{enterprise_id}/edit"
    data = {**shown(client.get(url).text), "address": "三号路", "main_product": "鱼罐头"}
    colleague = make_user("chenshu", "bureau", name="陈述")
    with unit_of_work():
        edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, act=act(colleague))

    clash = client.post(url, data=data)
    kept = client.post(url, data={**shown(clash.text), "pick_address": "theirs"})

    db.session.expire_all()
    row = db.session.get(Enterprise, enterprise_id)
    assert (clash.status_code, kept.status_code) == (409, 302)
    table = clash.text[clash.text.index("逐处选用哪个") :]
    assert [word in table for word in ("一号路", "二号路", "三号路", "陈述 11-23 10:00")] == [True] * 4
    assert (row.address, row.main_product) == ("二号路", "鱼罐头")


def test_my_choice_overwrites_after_the_conflict_was_seen(client):
    enterprise_id = make_enterprise(address="一号路")
    url = f"/enterprises/{enterprise_id}/edit"
    data = {**shown(client.get(url).text), "address": "三号路"}
    with unit_of_work():
        edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, act=act())

    clash = client.post(url, data=data)
    client.post(url, data={**shown(clash.text), "pick_address": "mine"})

    db.session.expire_all()
    assert db.session.get(Enterprise, enterprise_id).address == "三号路"


def test_a_renaming_keeps_the_old_name_to_be_found(client):
    enterprise_id = make_enterprise("旧名食品有限公司")

    answer = fill(client, f"/enterprises/{enterprise_id}/rename", name="新名食品有限公司")

    assert answer.status_code == 302
    assert [a.value for a in aliases_of(enterprise_id)] == ["旧名食品有限公司"]
    assert "已更名，旧名食品有限公司 留作曾用名。" in client.get(answer.location).text
    assert f"/enterprises/{enterprise_id}" in client.get("/enterprises?q=旧名").text


def test_a_new_name_that_is_too_long_is_refused_in_one_sentence(client):
    enterprise_id = make_enterprise()

    page = fill(client, f"/enterprises/{enterprise_id}/rename", name="长" * 300)

    assert page.status_code == 422
    assert "新名称有 300 个字" in page.text
    assert "填新名称。" not in page.text


def test_a_withdrawn_enterprise_leaves_the_list_and_the_toast_brings_it_back(client):
    enterprise_id = make_enterprise("录错的有限公司")

    post(client, f"/enterprises/{enterprise_id}/withdraw", {"version": "1"})
    listed = client.get("/enterprises").text
    undo = re.search(r'action="(/changes/\d+/undo)"', listed).group(1)
    gone = client.get(f"/enterprises/{enterprise_id}").status_code
    back = post(client, undo)

    assert (gone, back.status_code) == (404, 302)
    assert client.get(f"/enterprises/{enterprise_id}").status_code == 200


# --- titles ---------------------------------------------------------------------------------------------------------


def test_the_kind_is_asked_first(client):
    enterprise_id = make_enterprise()

    page = client.get(f"/enterprises/{enterprise_id}/qualifications/new").text

    assert "先选资格" in page
    assert f"/enterprises/{enterprise_id}/qualifications/new?kind=hnte" in page


def test_a_title_is_recorded_with_proposed_days(client):
    enterprise_id = make_enterprise()
    url = f"/enterprises/{enterprise_id}/qualifications/new?kind=hnte"

    proposed = fill(client, url, number="GR202551100009", issued_on="2025-11-28", cohort_year="2025", propose="1")
    answer = client.post(url, data=shown(proposed.text))

    fact = title_facts(enterprise_id)[0]
    assert "按起日推算" in proposed.text
    assert answer.status_code == 302
    assert (fact.valid_from, fact.valid_to, fact.cohort_year) == (date(2025, 11, 28), date(2028, 11, 27), 2025)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        pytest.param({"valid_from": "2025-06-01", "valid_to": "2024-06-01"}, "valid_to", id="ends before it begins"),
        pytest.param({"valid_from": "2025-01-01", "valid_to": "2028-01-01"}, "valid_from", id="overlaps one recorded"),
        pytest.param({"announced_on": "2026-12-24"}, "announced_on", id="announced in a month"),
        pytest.param({"valid_from": "下个月"}, "valid_from", id="no day at all"),
    ],
)
def test_a_title_that_cannot_be_is_refused_beside_its_field(client, typed, field):
    enterprise_id = make_enterprise(titles=[HNTE])

    answer = fill(client, f"/enterprises/{enterprise_id}/qualifications/new?kind=hnte", **typed)

    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert len(title_facts(enterprise_id)) == 1


def test_a_form_sent_off_empty_records_no_title(client):
    enterprise_id = make_enterprise()
    url = f"/enterprises/{enterprise_id}/qualifications/new?kind=hnte"

    answer = client.post(url, data=shown(client.get(url).text))

    assert answer.status_code == 422
    assert "至少填一项" in answer.text
    assert title_facts(enterprise_id) == []


def test_a_correction_supersedes_and_an_end_is_a_new_fact(client):
    enterprise_id = make_enterprise(titles=[HNTE])
    old = title_facts(enterprise_id)[0]

    corrected = fill(client, f"/qualifications/{old.id}/correct", number="GR202451100002")
    new = title_facts(enterprise_id)[0]
    ended = fill(client, f"/qualifications/{new.id}/end", ended_on="2026-10-01", end_reason="cancelled")

    assert (corrected.status_code, ended.status_code) == (302, 302)
    assert (new.id != old.id, new.number) == (True, "GR202451100002")
    db.session.expire_all()
    assert db.session.get(Qualification, old.id).superseded_by_id == new.id
    assert [(f.id, f.ended_on, f.end_reason) for f in title_facts(enterprise_id)] == [
        (new.id, date(2026, 10, 1), "cancelled")
    ]


def test_the_time_line_and_its_table_say_the_same(client):
    enterprise_id = make_enterprise(titles=[HNTE, SME])

    page = client.get(f"/enterprises/{enterprise_id}?tab=titles").text

    assert page.count('class="now"') == 2  # the wide drawing and the phone's
    assert "2024-11-28 至 2027-11-27" in page
    assert [css in page for css in ('class="fc"', 'class="fh"')] == [True, True]


def test_a_foreign_title_is_not_found(client):
    make_enterprise("云台某有限公司", region=county("500299"), titles=[HNTE])
    title = db.session.scalar(select(Qualification.id))

    assert [client.get(f"/qualifications/{title}/{verb}").status_code for verb in ("correct", "end")] == [404, 404]


# --- figures, IP, applications, judgements, pool --------------------------------------------------------------------


def test_figures_are_typed_in_ten_thousands_and_a_blank_stays_unknown(client):
    enterprise_id = make_enterprise()
    url = f"/enterprises/{enterprise_id}/figures/2025"

    answer = fill(client, url, revenue="3,770.6", staff_count="74", rd_expense="0")

    row = figures_of(enterprise_id)[0]
    assert answer.status_code == 302
    assert (row.revenue, row.staff_count, row.rd_expense, row.net_assets) == (Decimal(37706000), 74, Decimal(0), None)


def test_what_only_recognitions_ask_for_is_folded_away_and_can_be_filled(client):
    enterprise_id = make_enterprise()
    url = f"/enterprises/{enterprise_id}/figures/2025"
    page = client.get(url).text
    ordinary, folded = page.split('aria-label="认定专用"')

    answer = fill(client, url, score_technology="7", market_share_rank="2", own_brand="yes", accident_on="2025-03-04")

    [row] = figures_of(enterprise_id)
    assert answer.status_code == 302
    assert (row.score_technology, row.market_share_rank, row.own_brand) == (7, 2, True)
    assert row.accident_on == date(2025, 3, 4)
    assert ('id="f-score_technology"' in folded, 'id="f-score_technology"' in ordinary) == (True, False)
    assert re.search(r"<details>\s*<summary[^>]*>45 项，已填 0 项</summary>", folded)
    assert "45 项，已填 4 项" in client.get(url).text


def test_a_slip_in_the_folded_fields_unfolds_them(client):
    url = f"/enterprises/{make_enterprise()}/figures/2025"

    wrong = fill(client, url, score_technology="9", accident_on="2024-03-04")

    assert wrong.status_code == 422
    assert "<details open>" in wrong.text
    assert 'id="f-score_technology-error"' in wrong.text


def test_the_grid_counts_blank_recognition_facts_and_lists_the_filled_ones(client):
    enterprise_id = make_enterprise()
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"market_share_rank": 2, "had_data_fraud": False}, act=act())

    page = client.get(f"/enterprises/{enterprise_id}?tab=figures").text

    assert "认定专用有 43 项未填" in page
    assert "主导产品全国市场占有率排名" in page and "评分：技术的先进程度" not in page


def test_an_edit_of_a_figure_lets_its_confirmation_lapse_and_shows_it(client):
    enterprise_id = make_enterprise()
    with unit_of_work():
        written = record_figures(enterprise_id, 2025, {"revenue": Decimal(1710000)}, act=act())
    confirmed = {"revenue": {"by": "冉女士", "at": "2026-05-01T00:00:00+00:00"}}
    with unit_of_work():
        write([Update("figures", next(iter(written.ids.values())), {"confirmed": confirmed})], act=act(), action="test")
    before = client.get(f"/enterprises/{enterprise_id}").text

    fill(client, f"/enterprises/{enterprise_id}/figures/2025", revenue="179.2")

    after = client.get(f"/enterprises/{enterprise_id}").text
    assert ('class="n v"' in before, 'class="n v"' in after, 'class="n w"' in after) == (True, False, True)
    assert "营业收入 2025：原 171.0 万元，谭越 11-23 改" in after


@pytest.mark.parametrize("typed", [{"staff_count": "-3"}, {"staff_count": "四十余人"}, {"revenue": "abc"}])
def test_a_figure_that_is_none_is_refused_beside_its_field(client, typed):
    enterprise_id = make_enterprise()

    answer = fill(client, f"/enterprises/{enterprise_id}/figures/2025", **typed)

    assert answer.status_code == 422
    assert f'id="f-{next(iter(typed))}-error"' in answer.text
    assert db.session.scalar(select(Figures.id)) is None


def test_a_year_to_come_has_no_form(client):
    assert client.get(f"/enterprises/{make_enterprise()}/figures/2027").status_code == 404


def test_ip_is_entered_edited_and_withdrawn(client):
    enterprise_id = make_enterprise()

    fill(
        client,
        f"/enterprises/{enterprise_id}/intellectual-property/new",
        name="一种烘干装置",
        kind="invention",
        granted_on="2024.5.7",
    )
    piece = ip_of(enterprise_id)[0]
    fill(client, f"/intellectual-property/{piece.id}/edit", disputed="no")
    db.session.expire_all()
    edited = ip_of(enterprise_id)[0]
    values = (edited.ip_class, edited.granted_on, edited.disputed)
    post(client, f"/intellectual-property/{piece.id}/withdraw", {"version": str(edited.version)})

    assert values == ("1", date(2024, 5, 7), False)
    assert ip_of(enterprise_id) == []


def test_an_application_is_added_and_stands_in_its_tab_with_its_stages(client):
    enterprise_id = make_enterprise()

    fill(client, f"/enterprises/{enterprise_id}/applications/new", kind="hnte", year="2026", stage="online")
    page = client.get(f"/enterprises/{enterprise_id}?tab=applications").text

    assert 'aria-current="step"><span class="nm-s">网上申报</span>' in page
    assert re.search(r'href="/applications/\d+#materials"', page)
    assert "网上申报" in client.get(f"/enterprises/{enterprise_id}").text


def test_unknown_conditions_lead_to_the_very_field(client):
    enterprise_id = make_enterprise(subject_type="company")

    page = client.get(f"/enterprises/{enterprise_id}?tab=compare").text

    assert f"/enterprises/{enterprise_id}/figures/2025#f-staff_count" in page
    assert 'id="f-staff_count"' in client.get(f"/enterprises/{enterprise_id}/figures/2025").text
    assert f"/enterprises/{enterprise_id}/edit#f-industry_code" in page
    assert "国科发政〔2017〕115号 · 11-23 比对" in page


def test_a_comparison_is_kept_as_a_record_and_can_be_read_again(client):
    enterprise_id = make_enterprise(subject_type="company")

    answer = post(client, f"/enterprises/{enterprise_id}/assessments", {"rules": "tech_sme"})
    frozen = db.session.scalar(select(Assessment))
    page = client.get(f"/assessments/{frozen.id}").text

    assert answer.status_code == 302
    assert (frozen.rules, frozen.result, frozen.on) == ("tech_sme", "unknown", TODAY)
    assert "当时的条文" in page
    assert f"/assessments/{frozen.id}" in client.get(f"/enterprises/{enterprise_id}?tab=compare").text


def test_the_pool_is_proposed_decided_and_left_by_forms(client):
    enterprise_id = make_enterprise("入库的有限公司")

    fill(client, f"/enterprises/{enterprise_id}/pool/propose", pool_class="key")
    membership = db.session.scalar(select(PoolMembership.id))
    proposed = client.get("/pool?stage=proposed").text
    refused = fill(client, f"/pool/{membership}/decide", meeting="", document="")
    decided = fill(client, f"/pool/{membership}/decide", meeting="局务会")
    inside = client.get("/pool").text
    left = fill(client, f"/pool/{membership}/leave", leave_reason="两年未申报")

    listed = f'data-href="/enterprises/{enterprise_id}"' in proposed
    assert (listed, refused.status_code, decided.status_code, left.status_code) == (True, 422, 302, 302)
    assert "局务会" in inside
    assert "两年未申报" in client.get("/pool?stage=out").text


def test_the_pool_makes_as_many_queries_for_three_rows_as_for_one(client):
    fill(client, f"/enterprises/{make_enterprise('甲有限公司')}/pool/propose", pool_class="key")
    for_one = queries(client, "/pool?stage=proposed")
    for name in ("乙有限公司", "丙有限公司"):
        fill(client, f"/enterprises/{make_enterprise(name)}/pool/propose", pool_class="key")

    assert queries(client, "/pool?stage=proposed") == for_one


def test_an_empty_pool_says_what_to_do(client):
    assert "培育库里还没有企业" in client.get("/pool").text


# --- history and undo -----------------------------------------------------------------------------------------------


def test_the_history_says_who_when_which_door_and_old_to_new(client, bureau):
    enterprise_id = make_enterprise(address="一号路", township=township("凤凰镇").id)
    with unit_of_work():
        edit_enterprise(
            enterprise_id, {"address": "二号路", "township": township("菱角镇").id}, version=1, act=act(bureau)
        )

    page = client.get(f"/enterprises/{enterprise_id}?tab=history").text
    one = client.get(
        f"/enterprises/{enterprise_id}?tab=history&noun=enterprise&record={enterprise_id}&field=address"
    ).text
    moved = client.get(
        f"/enterprises/{enterprise_id}?tab=history&noun=enterprise&record={enterprise_id}&field=township"
    ).text

    assert "谭越 · 网页" in page
    assert [f"<del>{old}</del>" in page for old in ("一号路", "凤凰镇")] == [True, True]
    assert ("<ins>二号路</ins>" in one, "凤凰镇" in one) == (True, False)
    assert ("菱角镇" in moved, "二号路" in moved) == (True, False)


def test_the_toast_undoes_at_once_and_says_what_came_back(client):
    enterprise_id = make_enterprise(address="一号路")
    answer = fill(client, f"/enterprises/{enterprise_id}/edit", address="二号路")
    undo = re.search(r'action="(/changes/\d+/undo)"', client.get(answer.location).text).group(1)

    undone = post(client, undo)

    assert (undone.status_code, undone.location) == (302, f"/enterprises/{enterprise_id}")
    assert "已撤销：恢复 1 处" in client.get(undone.location).text
    db.session.expire_all()
    assert db.session.get(Enterprise, enterprise_id).address == "一号路"


def test_an_undo_that_keeps_something_shows_a_preview_first(client, bureau):
    enterprise_id = make_enterprise(address="一号路", main_product="烤鱼")
    with unit_of_work():
        written = edit_enterprise(
            enterprise_id, {"address": "二号路", "main_product": "鱼罐头"}, version=1, act=act(bureau)
        )
    colleague = make_user("chenshu", "bureau", name="陈述")
    with unit_of_work():
        edit_enterprise(enterprise_id, {"address": "三号路"}, version=2, act=act(colleague))
    url = f"/changes/{written.change_set_id}/undo"

    shown_first = post(client, url)
    untouched = db.session.get(Enterprise, enterprise_id).main_product
    done = post(client, url, {"confirmed": "1"})

    db.session.expire_all()
    row = db.session.get(Enterprise, enterprise_id)
    assert (shown_first.status_code, untouched, done.status_code) == (200, "鱼罐头", 302)
    assert [word in shown_first.text for word in ("保留不动 1 处", "地址", "陈述")] == [True] * 3
    assert (row.address, row.main_product) == ("三号路", "烤鱼")


def test_undoing_twice_writes_nothing_more(client, bureau):
    enterprise_id = make_enterprise(address="一号路")
    with unit_of_work():
        written = edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, act=act(bureau))
    url = f"/changes/{written.change_set_id}/undo"

    post(client, url)
    sets = len(db.session.scalars(select(ChangeSet.id)).all())
    again = post(client, url)

    assert again.status_code in (200, 302)
    assert len(db.session.scalars(select(ChangeSet.id)).all()) == sets


def test_somebody_elses_change_is_not_undone_by_a_case_manager(sqlite_app):
    manager = make_user("xianghe", "case_manager")
    enterprise_id = make_enterprise(manager=manager.user_id, address="一号路")
    with unit_of_work():
        written = edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, act=act())
    client = client_of(sqlite_app, "xianghe")

    assert post(client, f"/changes/{written.change_set_id}/undo").status_code in (403, 404)
    assert db.session.get(Enterprise, enterprise_id).address == "二号路"


def test_what_was_seen_travels_with_the_form(client):
    enterprise_id = make_enterprise(capital=Decimal("1234567.89"))

    form = shown(client.get(f"/enterprises/{enterprise_id}/edit").text)

    assert (form["capital"], json.loads(form["seen"])["capital"], form["version"]) == ("123.456789", "123.456789", "1")


def test_what_has_ended_is_offered_only_where_it_stands(sqlite_app, client):
    with unit_of_work():
        written = write(
            [
                Create("park", {"region_id": county().id, "name": "旧组团", "valid_to": date(2026, 11, 1)}, "old"),
                Create("park", {"region_id": county().id, "name": "新组团"}, "new"),
            ],
            act=act(),
            action="test",
        )
    old, new = written.ids["old"], written.ids["new"]
    plain = make_enterprise("巫溪县甲有限公司")
    with unit_of_work():
        write(
            [Create("affiliation", {"enterprise_id": plain, "kind": "park", "ref_id": old})], act=act(), action="test"
        )
    other = make_enterprise("巫溪县乙有限公司")

    def offered(firm: int) -> list[str]:
        page = client.get(f"/enterprises/{firm}/edit").text.partition('name="park"')[2].partition("</select>")[0]
        return re.findall(r'<option value="(\d+)"', page)

    assert (str(old) in offered(plain), str(old) in offered(other), str(new) in offered(other)) == (True, False, True)
    with pytest.raises(InvalidInput, match=r"旧组团在 2026-11-23 不是有效的园区"), unit_of_work():
        edit_enterprise(other, {"park": old}, version=1, act=act())
    with unit_of_work():
        edit_enterprise(
            plain, {"park": old, "notes": "不动它"}, version=db.session.get(Enterprise, plain).version, act=act()
        )


def test_how_it_looked_back_then_can_be_asked(client):
    firm = make_enterprise(titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))])

    now = client.get(f"/enterprises/{firm}?tab=titles&known=2026-12-31&for=2026-06-01").text
    before = client.get(f"/enterprises/{firm}?tab=titles&known=2025-12-31&for=2026-06-01").text
    wrong = client.get(f"/enterprises/{firm}?tab=titles&known=昨天").text

    assert "按 2026-12-31 以前的登记，2026-06-01 这天" in now and "有效" in now.partition('id="back"')[2]
    assert "那时没有登记过资格。" in before
    assert "日期写成 2026-11-23 这样。" in wrong
