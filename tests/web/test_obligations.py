"""The due list: counts that match their lists, the panel, settling with undo, walls, addresses that never fail it."""

import io
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest

from crm.actions.service_logs import log_service
from crm.extensions import db
from crm.store import obligation_lists
from crm.store.access_log import AccessLog
from crm.store.files import StoredFile
from crm.store.obligations import ObligationOutcome, obligations_of
from crm.store.projections import refresh
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.web.conftest import post, queries, sign_in

HNTE = ("hnte", date(2024, 11, 20), date(2027, 11, 19))


@pytest.fixture
def manager(sqlite_app):
    return make_user("xianghe", "case_manager", name="向禾")


@pytest.fixture
def client(sqlite_app, manager):
    client = sqlite_app.test_client()
    sign_in(client, "xianghe")
    return client


def another(app, login: str, role: str, **more):
    make_user(login, role, **more)
    client = app.test_client()
    sign_in(client, login)
    return client


def promise(enterprise_ids, days: int = 3, text: str = "送立项书模板") -> str:
    values = {
        "happened_on": date(2026, 11, 2),
        "kind": "visit",
        "text": "看了车间。",
        "next_step": text,
        "next_step_on": TODAY + timedelta(days=days),
    }
    ids = enterprise_ids if isinstance(enterprise_ids, list) else [enterprise_ids]
    with unit_of_work():
        return str(log_service(ids, values, act=act()).ids["service_log"])


def shown_count(page: str) -> int:
    return int(re.search(r'<h1>到期事项 <span class="count">(\d+) 项</span>', page)[1])


def groups(page: str) -> dict[str, int]:
    found = re.findall(r'<tr class="grp"><td colspan="\d">(\S+?(?: \S+)?)　<a [^>]*>(\d+)</a>', page)
    return {label: int(number) for label, number in found}


def row_count(page: str) -> int:
    return len(re.findall(r"<tr data-row", page))


@pytest.mark.parametrize("url", ["/due", "/due?manager=all&month=late", "/due?shown=done", "/due/export"])
def test_the_list_makes_as_many_queries_for_three_rows_as_for_one(client, manager, url):
    promise(make_enterprise("巫溪县甲食品有限公司", manager=manager.user_id), -2)
    for_one = queries(client, url)

    for name in ("乙", "丙"):
        promise(make_enterprise(f"巫溪县{name}食品有限公司", manager=manager.user_id), -2)

    assert queries(client, url) == for_one


def test_rows_stand_under_late_week_month_and_later(client, manager):
    for n, days in enumerate((-3, 2, 20, 200)):
        promise(make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id), days)

    page = client.get("/due").text

    assert groups(page) == {"逾期": 1, "7 天内": 1, "8～30 天": 1, "以后": 1}
    assert (shown_count(page), row_count(page)) == (4, 4)


def test_each_month_of_the_strip_counts_its_own_late_ones(client, manager):
    for days in (-2, 20):
        promise(make_enterprise(f"巫溪县企{days}食品有限公司", manager=manager.user_id), days)

    page = client.get("/due").text
    strip = page[page.index('<div class="months">') :]
    said = re.findall(r'<b class="(?:mute)?">(\d+)</b><span class="([^"]*)">([^<]*)', strip)[:3]

    assert [(n, text) for n, _, text in said] == [("0", "　"), ("1", "1 逾期"), ("1", "下一步 1")]


def test_steps_are_a_numbered_list_and_nothing_to_tick(client, manager, monday):
    monday.move_to(datetime(2027, 5, 20, 2, tzinfo=UTC))
    sign_in(client, "xianghe")
    enterprise_id = make_enterprise(manager=manager.user_id, titles=[HNTE])
    with unit_of_work():
        refresh([enterprise_id], at=datetime(2027, 5, 20, 2, tzinfo=UTC))
    one = next(one for one in obligations_of(enterprise_id) if one.kind == "hnte_annual_report" and one.steps)

    page = client.get(f"/due?open={enterprise_id}:{one.kind}:{one.period}").text
    steps = page[page.index("步骤</h3>") :]

    assert steps.startswith('步骤</h3><ol class="s13 mb-0">')
    assert "i-circle" not in steps[: steps.index("</ol>")]


def test_every_tab_has_its_number(app):
    """Also 已过期, of which there are years."""
    make_user("tanyue", "bureau")
    enterprise_id = make_enterprise(titles=[("tech_sme", date(2025, 9, 2), date(2026, 3, 31), {"cohort_year": 2025})])
    client = app.test_client()
    sign_in(client, "tanyue")
    lapsed = sum(one.state == "lapsed" for one in obligations_of(enterprise_id))

    tabs = re.findall(r'role="button">(\S+) ([\d,]+)</a>', client.get("/due").text)

    assert lapsed > 0
    assert dict(tabs)["已过期"] == str(lapsed)
    assert shown_count(client.get("/due?shown=lapsed").text) == lapsed


def test_what_lapsed_is_not_counted_to_its_end_until_it_is_asked_for(app, monkeypatch):
    make_user("tanyue", "bureau")
    titles = [("tech_sme", date(2025, 9, 2), date(2026, 3, 31), {"cohort_year": 2025})]
    firms = [make_enterprise(f"巫溪县{word}食品有限公司", titles=titles) for word in ("青禾", "白泉", "朝雾")]
    lapsed = sum(one.state == "lapsed" for firm in firms for one in obligations_of(firm))
    monkeypatch.setattr(obligation_lists, "MANY", lapsed - 1)
    client = app.test_client()
    sign_in(client, "tanyue")

    closed, opened = client.get("/due").text, client.get("/due?shown=lapsed").text

    assert lapsed > 1
    assert f"已过期 {lapsed - 1}+</a>" in closed
    assert f"已过期 {lapsed}</a>" in opened
    assert shown_count(opened) == lapsed


def test_what_is_due_an_hour_ago_is_late_although_the_night_found_it_open(client, manager, monday):
    enterprise_id = make_enterprise(manager=manager.user_id)
    promise(enterprise_id, 0)
    assert "逾期" not in groups(client.get("/due").text)

    monday.shift(timedelta(hours=15))
    sign_in(client, "xianghe")

    assert obligations_of(enterprise_id)[0].state == "urgent"
    assert groups(client.get("/due").text) == {"逾期": 1}


def test_each_count_of_the_page_opens_a_list_of_that_many(client, manager):
    for n, days in enumerate((-3, 2, 20, 40)):
        promise(make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id), days)
    make_enterprise("巫溪县高企食品有限公司", manager=manager.user_id, titles=[HNTE])
    page = client.get("/due").text

    months = re.findall(r'<a href="(\?[^"]+)"[^>]*><span>[^<]+</span><b class="[^"]*">(\d+)</b>', page)
    tabs = re.findall(r'<a href="(\?[^"]*)" aria-pressed="\w+" role="button">(?:未办|已办|免办) (\d+)</a>', page)
    kinds = re.findall(r'<td class="n"><a class="b" href="(/due\?[^"]+)">(\d+)</a>', page)

    heads = re.findall(r'<tr class="grp"><td colspan="\d">[^<]+<a class="text-reset" href="([^"]+)">(\d+)</a>', page)

    assert (len(months), len(tabs), len(kinds), len(heads)) == (12, 3, 2, 4)
    for href, number in [*months, *tabs, *kinds, *heads]:
        listed = client.get("/due" + unescape(href).removeprefix("/due")).text
        assert (shown_count(listed), row_count(listed)) == (int(number), int(number))


def test_a_case_manager_begins_with_the_own_items_and_may_see_all(client, manager):
    promise(make_enterprise("巫溪县我的食品有限公司", manager=manager.user_id))
    promise(make_enterprise("巫溪县别人食品有限公司"))

    assert [shown_count(client.get(url).text) for url in ("/due", "/due?manager=all", "/due?manager=none")] == [1, 2, 1]


def test_filters_by_township_kind_and_name_are_joined(client, manager):
    here = make_enterprise("巫溪县此处食品有限公司", manager=manager.user_id, township=township("凤凰镇").id)
    there = make_enterprise("巫溪县别处茶业有限公司", manager=manager.user_id, township=township("古路镇").id)
    promise(here)
    promise(there)
    town = township("凤凰镇").id

    assert [
        shown_count(client.get("/due", query_string=query).text)
        for query in (
            {"township": town},
            {"q": "茶业"},
            {"q": "bc"},
            {"kind": "hnte_renewal"},
            {"township": town, "q": "茶业"},
        )
    ] == [1, 1, 1, 0, 0]


def test_a_lapsed_report_may_still_be_recorded_or_said_to_be_missed(client, manager):
    firm = make_enterprise(titles=[HNTE], manager=manager.user_id)
    address = f"/due?shown=lapsed&open={firm}:hnte_annual_report:2025"

    before = client.get(address).text
    post(client, f"/due/{firm}/hnte_annual_report/2025/settle", {"done_on": "2026-05-20", "back": address})
    after = client.get(f"/due?shown=done&open={firm}:hnte_annual_report:2025").text

    assert "补记办结" in before and "确认未报" in before and "改期" not in before.partition('id="side"')[2]
    assert "05-20" in after.partition('id="side"')[2]


def test_the_panel_says_why_and_what_next_and_carries_its_keys(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id)
    key = f"{enterprise_id}:next_step:{period}"

    page = client.get("/due", query_string={"open": key}).text
    fragment = client.get("/due", query_string={"open": key}, headers={"HX-Request": "true"}).text

    assert "11 月 2 日走访时约定：送立项书模板。" in page
    assert fragment.lstrip().startswith('<aside class="cp-panel sheet" id="side"')
    assert all(
        part in page for part in ('data-row class="on" aria-selected="true"', 'hx-push-url="true"', 'class="cover"')
    )
    assert f'action="/due/{enterprise_id}/next_step/{period}/settle"' in fragment


def test_settling_with_a_receipt_goes_back_to_the_list_and_offers_undo(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id)
    data = {
        "request_key": "a1",
        "note": "已送",
        "back": "/due?kind=next_step",
        "receipt": (io.BytesIO(b"%PDF-1.7 " + b"0" * 99), "回执.pdf"),
    }

    answer = post(client, f"/due/{enterprise_id}/next_step/{period}/settle", data)
    page = client.get("/due?kind=next_step").text

    assert (answer.status_code, answer.location) == (302, "/due?kind=next_step")
    assert obligations_of(enterprise_id)[0].state == "done"
    assert db.session.query(StoredFile.name).scalar() == "回执.pdf"
    assert re.search(r'action="/changes/\d+/undo"', page)


def test_undo_from_the_toast_opens_it_again(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id)
    post(client, f"/due/{enterprise_id}/next_step/{period}/settle", {"request_key": "a1"})
    undo_url = re.search(r'action="(/changes/\d+/undo)"', client.get("/due").text)[1]

    post(client, undo_url)

    assert obligations_of(enterprise_id)[0].state == "urgent"


def test_pressing_twice_writes_once(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id)

    answers = [post(client, f"/due/{enterprise_id}/next_step/{period}/settle", {"request_key": "a1"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert db.session.query(ObligationOutcome).count() == 1


def test_on_the_desk_the_line_changes_in_place_and_the_toast_comes_along(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id)

    answer = post(
        client,
        f"/due/{enterprise_id}/next_step/{period}/settle",
        {"request_key": "a1", "line": "1"},
        headers={"HX-Request": "true"},
    )

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div class="line settled"')
    assert 'hx-swap-oob="beforeend:#toasts"' in answer.text and "/undo" in answer.text


def test_a_senseless_day_stands_beside_its_field_and_nothing_is_lost(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id)

    answer = post(client, f"/due/{enterprise_id}/next_step/{period}/postpone", {"to": "2026-11-01", "back": "/due"})
    empty = post(client, f"/due/{enterprise_id}/next_step/{period}/postpone", {"to": ""})

    assert answer.status_code == 422
    assert "改到的日期 2026-11-01 已过。选今天或以后的一天。" in answer.text and 'value="2026-11-01"' in answer.text
    assert "选一个日期。" in empty.text
    assert db.session.query(ObligationOutcome).count() == 0


def test_a_file_that_is_no_receipt_is_told_beside_its_field(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id)
    data = {"note": "写了很久的说明", "receipt": (io.BytesIO(b"MZ\x00" * 99), "x.exe")}

    answer = post(client, f"/due/{enterprise_id}/next_step/{period}/settle", data)

    assert answer.status_code == 422
    assert "回执读不出是什么文件" in answer.text and "写了很久的说明" in answer.text


def test_waiving_and_taking_back_from_the_panel(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id)
    path = f"/due/{enterprise_id}/next_step/{period}"

    post(client, f"{path}/waive", {"reason": "企业已停产", "request_key": "w"})
    waived = client.get("/due", query_string={"shown": "waived", "open": f"{enterprise_id}:next_step:{period}"}).text
    post(client, f"{path}/take-back", {"request_key": "t"})

    assert "企业已停产" in waived and "取回，重新待办" in waived
    assert obligations_of(enterprise_id)[0].state == "urgent"


@pytest.mark.parametrize("verb", ["settle", "postpone", "waive", "take-back"])
def test_another_districts_obligation_is_not_found(sqlite_app, verb):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)
    stranger = another(sqlite_app, "stranger", "bureau", region=county(OTHER))

    answer = post(stranger, f"/due/{enterprise_id}/next_step/{period}/{verb}", {"to": "2026-12-01", "reason": "x"})
    opened = stranger.get("/due", query_string={"open": f"{enterprise_id}:next_step:{period}"})

    assert (answer.status_code, opened.status_code) == (404, 404)
    assert shown_count(stranger.get("/due").text) == 0
    assert db.session.query(ObligationOutcome).count() == 0


def test_a_leader_reads_and_may_not_settle(sqlite_app):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)
    leader = another(sqlite_app, "leader", "leader")

    page = leader.get("/due", query_string={"open": f"{enterprise_id}:next_step:{period}"}).text
    answer = post(leader, f"/due/{enterprise_id}/next_step/{period}/settle", {})

    assert "由企业的专员或业务科室办理" in page and "/settle" not in page
    assert answer.status_code == 403


def test_a_department_sees_what_follows_from_titles_but_no_next_step(sqlite_app):
    promise(make_enterprise(titles=[HNTE]))
    unit, bureau = another(sqlite_app, "unit", "unit"), another(sqlite_app, "tanyue", "bureau")

    pages = [client.get("/due").text for client in (unit, bureau)]

    assert [shown_count(page) for page in pages] == [1, 2]
    assert ["下一步：" in page for page in pages] == [False, True]


def test_the_export_has_the_rows_of_the_list_and_is_logged(client, manager):
    promise(make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id))
    promise(make_enterprise("巫溪县青花茶业有限公司", manager=manager.user_id), -2)

    answer = client.get("/due/export?format=csv&month=late")

    text = answer.data.decode("utf-8-sig")
    assert "青花茶业" in text and "青禾" not in text and "逾期 2 天" in text
    logged = db.session.query(AccessLog).filter_by(what="export").one()
    assert (logged.subject, logged.rows, logged.filter) == ("到期事项", 1, {"month": "late"})


@pytest.mark.parametrize(
    "query",
    [
        "page=abc",
        "page=-4",
        "page=99999999",
        "shown=x",
        "kind=drop",
        "month=2026-13",
        "month=2026-02-30",
        "manager=zz",
        "township=99999999999999999999",
        "open=nonsense",
        "state=overdue",
        "month=2026-11-30",
    ],
)
def test_a_list_never_fails_over_its_address(client, manager, query):
    promise(make_enterprise(manager=manager.user_id))

    assert client.get(f"/due?{query}").status_code == 200


def test_an_empty_list_says_what_brings_items_and_a_filtered_one_what_to_drop(sqlite_app):
    client = another(sqlite_app, "tanyue", "bureau")

    page = client.get("/due").text
    assert "没有未办的到期事项" in page
    assert "导入台账" in page
    assert "没有符合这些筛选的事项" in client.get("/due?q=没有这家").text


def test_windows_of_the_region_stand_under_the_months(client):
    page = client.get("/due").text

    assert "高企 第一批（预计）" in page
    assert 'class="now"' in page
