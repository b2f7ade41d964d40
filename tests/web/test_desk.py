"""The desk: what is to be done today, by role, counts that match their lists, notes on the machine, the empty one."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest

from crm.actions.digest_material import compose
from crm.actions.enterprises import edit_enterprise
from crm.actions.obligations import settle
from crm.actions.service_logs import log_service
from crm.domain.changes import Create, Update
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.jobs import Heartbeat
from crm.store.regions import region_by_code
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import NOW, OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.web.conftest import post, queries, sign_in

SRDI = ("srdi", date(2025, 9, 1), date(2028, 8, 31))
SME = ("tech_sme", date(2026, 7, 1), None, {"cohort_year": 2026})


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


def promise(enterprise_id: int, days: int = 3, text: str = "送立项书模板", on: date = date(2026, 11, 2)) -> str:
    values = {"happened_on": on, "kind": "visit", "text": "看了车间。"}
    if text:
        values |= {"next_step": text, "next_step_on": TODAY + timedelta(days=days)}
    with unit_of_work():
        return str(log_service([enterprise_id], values, act=act()).ids["service_log"])


def lines(page: str) -> list[str]:
    """The texts of today's lines."""
    return re.findall(r'<span class="sub clip-1" title="([^"]*)"', page)


@pytest.mark.parametrize("url", ["/", "/desk/changes", "/desk/week"])
def test_the_desk_makes_as_many_queries_for_three_firms_as_for_one(client, manager, url):
    promise(make_enterprise("巫溪县甲食品有限公司", manager=manager.user_id))
    for_one = queries(client, url)

    for name in ("乙", "丙"):
        promise(make_enterprise(f"巫溪县{name}食品有限公司", manager=manager.user_id), -2)

    assert queries(client, url) == for_one


def test_the_most_pressing_stands_first_with_the_verbs_that_act(client, manager):
    for n, days in enumerate((20, -3, 2, 60)):
        promise(make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id), days, f"第{n}件")

    page = client.get("/").text

    assert [text.split(" · ")[0] for text in lines(page)] == ["下一步：第1件", "下一步：第2件", "下一步：第0件"]
    assert page.count('hx-target="closest .line"') == 6 and 'id="today-0"' in page
    assert '<h1>今天要做的 <span class="count">3 项</span></h1>' in page


def test_at_most_ten_lines_and_two_places_for_the_silent(client, manager):
    for n in range(12):
        promise(make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id), n - 4)
    for n in range(3):
        promise(make_enterprise(f"巫溪县静{n}食品有限公司", manager=manager.user_id), 0, "", date(2026, 1, 5))

    found = lines(client.get("/").text)

    assert [text.startswith("久未联系") for text in found] == [False] * 8 + [True] * 2
    assert found[-1] == "久未联系 · 限 45 个工作日；上次 1 月 5 日"


def waiting(page: str, label: str) -> tuple[str, str] | None:
    """The number beside a label of 等我处理 and where it leads; None when it is not there."""
    found = re.search(rf'</svg> {label}</td><td class="n"><a href="([^"]+)" class="b">([\d,]+)</a>', page)
    return (found[2], unescape(found[1])) if found else None


def rows_of(client, href: str) -> list[str]:
    """The cores of the names a list shows."""
    lines = re.findall(r'<tr data-href="/enterprises/\d+".*?</tr>', client.get(href).text, re.DOTALL)
    return [found[1] for line in lines if (found := re.search(r'class="nm".*?<b>([^<]+)</b>', line))]


def set_limit(key: str, days: int, region=None) -> None:
    with unit_of_work():
        values = {"region_id": (region or county()).id, "key": key, "value": days}
        write([Create("setting", values)], act=act(), action="test")


def test_desk_list_and_mail_agree_on_who_is_silent(app):
    """Gone firms are nobody's silence, 高企 have a limit of their own, and each region has its own."""
    bureau = make_user("tanyue", "bureau")
    set_limit("silence_days_titled", 200)
    hnte = ("hnte", date(2025, 11, 1), date(2028, 10, 31))
    for name, more in (
        ("甲", {}),
        ("乙", {"status": "deregistered"}),
        ("丙", {"status": "moved_out"}),
        ("丁", {"titles": [hnte]}),
    ):
        promise(make_enterprise(f"巫溪县{name}茶业有限公司", **more), 0, "", date(2026, 5, 6))
    make_enterprise("巫溪县戊茶业有限公司")
    make_enterprise("巫溪县己茶业有限公司", status="licence_revoked")
    client = app.test_client()
    sign_in(client, "tanyue")

    page = client.get("/").text
    mail = compose(bureau.user_id, TODAY, now=NOW)

    silent, never = waiting(page, "久未联系"), waiting(page, "从未联系")
    assert (silent[0], rows_of(client, silent[1])) == ("1", ["甲茶业"])
    assert (never[0], rows_of(client, never[1])) == ("1", ["戊茶业"])
    views = client.get("/enterprises/views").text
    assert ("久未联系<span>1</span>" in views, "从未联系<span>1</span>" in views) == (True, True)
    section = next(s for s in mail.sections if s.code == "silent")
    assert [name for line in section.lines for name, _ in line.names] == ["巫溪县甲茶业有限公司"]
    assert mail.notes == ("另有 1 家还没有任何联系记录，不算在久未联系里。",)


def test_each_county_counts_silence_by_its_own_limit(app):
    make_user("above", "leader", region=region_by_code("500000"))
    set_limit("silence_days", 400, county(OTHER))
    for region in (county(), county(OTHER)):
        promise(make_enterprise(f"{region.name}茶业有限公司", region=region), 0, "", date(2026, 5, 6))
    client = app.test_client()
    sign_in(client, "above")

    assert waiting(client.get("/").text, "久未联系")[0] == "1"


def test_who_was_never_contacted_is_counted_but_on_no_line(client, manager):
    make_enterprise(manager=manager.user_id)

    page = client.get("/").text

    assert lines(page) == [] and "今天没有要办的" in page
    assert (waiting(page, "久未联系"), waiting(page, "从未联系")) == (None, ("1", "/enterprises?view=never&manager=me"))


def test_what_is_late_is_not_due_within_thirty_days(client, manager):
    """A firm with something late and something near is in both lists, one that is only late in one."""
    late, both, near = (make_enterprise(f"巫溪县{n}食品有限公司", manager=manager.user_id) for n in "甲乙丙")
    promise(late, -3)
    promise(both, -3)
    promise(both, 20)
    promise(near, 30)

    page = client.get("/").text
    foot = re.findall(r'<span>([^<]+) <a class="b(?: t-bad)?" href="/due\?month=\w+">(\d+)</a>', page)

    assert foot == [("逾期", "2"), ("7 天内", "0"), ("8～30 天", "2")]
    assert rows_of(client, "/enterprises?view=overdue") == ["甲食品", "乙食品"]
    assert rows_of(client, "/enterprises?view=due") == ["乙食品", "丙食品"]


def test_the_heading_counts_what_its_lines_stand_for_and_says_what_is_left_out(client, manager):
    for n in range(14):
        promise(make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id), n % 7 - 4, f"第{n}件")

    page = client.get("/").text

    assert '<h1>今天要做的 <span class="count">10 项</span></h1>' in page
    assert "只列最急的，其余 4 项见" in page


def test_settling_on_the_desk_moves_the_numbers(client, manager):
    """The line is settled in place; the numbers over and under it fetch themselves when they hear of it."""
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id, -3)
    promise(make_enterprise("巫溪县乙食品有限公司", manager=manager.user_id), -1)
    before = client.get("/").text

    data = {"line": "1", "back": "/"}
    answer = post(client, f"/due/{enterprise_id}/next_step/{period}/settle", data, headers={"HX-Request": "true"})
    fresh = client.get("/desk/numbers", headers={"HX-Request": "true"}).text

    assert 'hx-trigger="settled from:body"' in before
    assert answer.headers["HX-Trigger"] == "settled"
    assert 'href="/due?month=late">1</a>' in fresh
    assert '<span hx-swap-oob="innerHTML:h1 .count">1 项</span>' in fresh


def test_a_change_of_today_is_of_today(client, manager):
    make_enterprise(manager=manager.user_id)

    assert '<span class="mute s12 nw">今天</span>' in client.get("/desk/changes").text


def test_the_weeks_page_promises_no_mail_to_who_gets_none(sqlite_app, client, manager):
    with unit_of_work():
        write([Update("user", manager.user_id, {"email": None})], act=act(), action="test")

    assert "你没有登记信箱" in client.get("/desk/week").text


def test_the_same_thing_due_on_one_day_is_one_line_that_opens_them_all(sqlite_app, client, manager, monday):
    monday.move_to(datetime(2027, 8, 20, 2, tzinfo=UTC))
    for n in range(4):
        make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id, titles=[SME])
    sign_in(client, "xianghe")

    page = client.get("/").text

    assert lines(page) == ["科小年度更新（预计） · 还有 3 家同一期限"]
    assert '<h1>今天要做的 <span class="count">4 项</span></h1>' in page
    href = unescape(re.search(r'href="(/due\?kind=[^"]+)">看 4 家</a>', page)[1])
    assert '<h1>到期事项 <span class="count">4 项</span></h1>' in client.get(href).text


def test_each_number_of_the_desk_opens_a_list_of_that_many(client, manager):
    make_enterprise("巫溪县甲食品有限公司", manager=manager.user_id, titles=[SRDI])
    make_enterprise("巫溪县乙食品有限公司", manager=manager.user_id)
    make_enterprise("巫溪县别人食品有限公司")
    for url in ("/", "/?basis=held"):
        found = re.findall(
            r'<a (?:class="b" )?href="(/enterprises\?[^"]+)"(?: class="b")?>(\d+)</a>', client.get(url).text
        )

        assert len(found) == 6
        for href, number in found:
            listed = client.get(unescape(href)).text
            assert f'<span class="count">{number} 家</span>' in listed, href


def test_each_number_of_what_is_due_opens_that_many(client, manager):
    for n, days in enumerate((-9, -1, 0, 7, 8, 30, 31)):
        promise(make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id), days)

    found = re.findall(r'<a class="b[^"]*" href="(/due\?month=[^"]+)">(\d+)</a>', client.get("/").text)

    assert [int(number) for _, number in found] == [2, 2, 2]
    for href, number in found:
        assert f'<h1>到期事项 <span class="count">{number} 项</span></h1>' in client.get(href).text


def test_settling_without_a_script_comes_back_to_the_desk_with_undo(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    period = promise(enterprise_id)

    answer = post(
        client, f"/due/{enterprise_id}/next_step/{period}/settle", {"request_key": "k", "line": "1", "back": "/"}
    )

    assert (answer.status_code, answer.location) == (302, "/")
    page = client.get("/").text
    assert lines(page) == [] and re.search(r'action="/changes/\d+/undo"', page)


def test_the_text_to_copy_has_the_lines_of_the_page(client, manager):
    promise(make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id), -1)

    text = re.search(r'<textarea[^>]*id="today-text"[^>]*>([^<]+)</textarea>', client.get("/").text)[1]

    assert text.splitlines() == [
        "今天要做的（11 月 23 日 周一）",
        "逾期 1 项",
        "1. [逾期 1 天] 巫溪县青禾食品有限公司　下一步：送立项书模板 · 11 月 2 日走访时约定",
    ]


def test_a_colleagues_work_is_not_on_my_desk_but_what_i_promised_there_is(client, manager):
    other = make_enterprise("巫溪县别人食品有限公司", manager=make_user("b", "case_manager").user_id)
    make_enterprise("巫溪县我的食品有限公司", manager=manager.user_id)
    promise(other, text="别人的事")
    values = {"happened_on": TODAY, "kind": "visit", "text": "陪同。", "next_step": "我答应的", "next_step_on": TODAY}
    with unit_of_work():
        log_service([other], values, author_id=manager.user_id, act=act())

    assert [text.split(" · ")[0] for text in lines(client.get("/").text)] == ["下一步：我答应的"]


def test_the_bureau_and_the_leader_see_the_county_and_only_the_bureau_acts(sqlite_app):
    promise(make_enterprise())
    promise(make_enterprise("云台区别处食品有限公司", region=county(OTHER)))
    bureau, leader = another(sqlite_app, "tanyue", "bureau"), another(sqlite_app, "liaoheng", "leader")

    pages = [client.get("/").text for client in (bureau, leader)]

    assert [len(lines(page)) for page in pages] == [1, 1]
    assert ["/settle" in page for page in pages] == [True, False]
    assert ['href="/visits/new"' in page for page in pages] == [True, False]


def test_a_township_and_a_park_see_theirs(sqlite_app):
    promise(make_enterprise("巫溪县此处食品有限公司", township=township("凤凰镇").id))
    promise(make_enterprise("巫溪县别处食品有限公司", township=township("古路镇").id))
    town = another(sqlite_app, "town", "township", region=township("凤凰镇"))
    park = another(sqlite_app, "park", "park")

    page = town.get("/").text

    assert len(lines(page)) == 1 and "本乡镇企业" in page and "/settle" not in page
    assert "还没有归到这里的企业" in park.get("/").text


def test_a_department_is_led_to_the_titles_it_owns_and_sees_nothing_inside(sqlite_app):
    promise(make_enterprise(titles=[SRDI]))
    unit = another(sqlite_app, "unit", "unit")

    page = unit.get("/").text
    found = re.findall(r'<a class="b" href="(/enterprises\?state=[^"]+)">(\d+) 家</a>', page)

    assert [int(n) for _, n in found] == [1, 0, 0, 0]
    assert '<span class="count">1 家</span>' in unit.get(unescape(found[0][0])).text
    assert "下一步" not in page and "持有专精特新 1 家" in unit.get("/desk/week").text
    assert "没有。" in unit.get("/desk/changes").text


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("bureau", "导入台账"),
        ("case_manager", "导入台账"),
        ("admin", "开账号"),
        ("leader", "业务科室导入台账后"),
        ("township", "把该归这里的企业名单报给业务科室"),
    ],
)
def test_an_empty_installation_says_what_to_do_first(sqlite_app, role, action):
    assert action in another(sqlite_app, "someone", role).get("/").text


def test_a_silent_scheduler_and_a_missing_mail_server_are_told_to_who_can_mend_it(sqlite_app):
    make_enterprise()
    bureau, admin = another(sqlite_app, "tanyue", "bureau"), another(sqlite_app, "tianyan", "admin")
    said = [
        ("定时任务没有在运行" in page, "没有配置邮件服务器" in page)
        for page in (c.get("/").text for c in (bureau, admin))
    ]
    with unit_of_work() as work:
        work.add(Heartbeat(name="scheduler", seen_at=NOW))

    assert said == [(True, False), (True, True)]
    assert "定时任务没有在运行" not in bureau.get("/").text


def test_what_others_changed_of_my_firms_is_told_and_what_i_did_is_not(client, manager):
    tan = make_user("tanyue", "bureau", name="谭越")
    mine = make_enterprise("巫溪县我的食品有限公司", manager=manager.user_id)
    others = make_enterprise("巫溪县别人食品有限公司")
    for enterprise_id in (mine, others):
        with unit_of_work():
            version = db.session.get(Enterprise, enterprise_id).version
            edit_enterprise(enterprise_id, {"contact_phone": "0000000"}, version=version, act=act(tan))
    period = promise(mine)
    with unit_of_work():
        settle(mine, "next_step", period, act=act(manager))

    page = client.get("/desk/changes").text

    assert "谭越 改了企业信息" in page and "办结" not in page
    assert "巫溪县别人食品有限公司" not in page


def test_the_weeks_mail_is_a_page_and_a_text(client, manager):
    promise(make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id), -1)

    page = client.get("/desk/week").text

    assert "向禾，1 项逾期" in page and 'data-copy="week-text"' in page
    assert "【逾期】1 项" in page


def test_nothing_on_the_desk_needs_an_outside_request_or_an_inline_script(client, manager):
    promise(make_enterprise(manager=manager.user_id))

    page = client.get("/").text

    assert not re.search(r'(src|href)="https?://', page)
    assert not re.search(r"<script(?![^>]*src=)|style=|onclick=", page)


def test_every_daily_page_reads_the_same_on_both_databases(app):
    manager = make_user("xianghe", "case_manager", name="向禾")
    enterprise_id = make_enterprise(manager=manager.user_id, township=township().id, titles=[SME])
    period = promise(enterprise_id, -1)
    promise(enterprise_id, 0, "", date(2026, 1, 5))
    client = app.test_client()
    sign_in(client, "xianghe")
    pages = [
        "/",
        "/?basis=held",
        "/desk/changes",
        "/desk/week",
        "/due?q=qh&kind=next_step&month=late&manager=all",
        f"/due?township={township().id}&month=2026-11&page=2",
        "/due?shown=lapsed",
        f"/due?open={enterprise_id}:next_step:{period}",
        "/due/export?format=csv",
        "/visits",
        "/visits/new",
    ]

    assert [client.get(url).status_code for url in pages] == [200] * len(pages)
    assert [text.split(" · ")[0] for text in lines(client.get("/").text)] == ["下一步：送立项书模板"]
    assert "1 家有变化" not in client.get("/desk/changes").text and "测试 " in client.get("/desk/changes").text


def test_a_refusal_in_place_of_a_line_takes_the_place_of_the_page(sqlite_app):
    make_user("xianghe", "case_manager")
    client = sqlite_app.test_client()
    sign_in(client, "xianghe")
    enterprise_id = make_enterprise()

    answer = post(client, f"/due/{enterprise_id}/next_step/1/settle", {"line": "1"}, headers={"HX-Request": "true"})

    assert answer.status_code == 404
    assert answer.headers["HX-Retarget"] == "body"
    assert answer.headers["HX-Reswap"] == "innerHTML"
