"""Log a visit: quick, several firms, past days, errors beside their fields with nothing lost; the own records."""

import io
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from crm.actions.service_logs import log_service
from crm.extensions import db
from crm.store.attachment_lists import on_records
from crm.store.obligations import obligations_of
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise, logs_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.web.conftest import post, queries, sign_in

VISIT = {"kind": "visit", "text": "新烘干线 6 月投产。", "happened_on": "2026-11-20"}


@pytest.fixture
def manager(sqlite_app):
    return make_user("xianghe", "case_manager", name="向禾")


@pytest.fixture
def client(sqlite_app, manager):
    client = sqlite_app.test_client()
    sign_in(client, "xianghe")
    return client


def another(app, login: str, role: str, **more):
    viewer = make_user(login, role, **more)
    client = app.test_client()
    sign_in(client, login)
    return client, viewer


def logged(enterprise_ids, viewer, **more) -> ServiceLog:
    values = {"happened_on": date(2026, 11, 20), "kind": "visit", "text": "看了车间。", **more}
    with unit_of_work():
        written = log_service(enterprise_ids, values, act=act(viewer))
    return db.session.get(ServiceLog, written.ids["service_log"])


def test_one_event_with_several_firms_and_a_next_step_is_saved_and_can_be_undone(client, manager):
    ids = [make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id) for n in range(3)]
    data = {**VISIT, "enterprises": ids, "next_step": "送立项书模板", "next_step_on": "2026-11-30", "request_key": "v1"}

    answer = post(client, "/visits/new", data)

    assert (answer.status_code, answer.location) == (302, "/")
    log = db.session.scalars(select(ServiceLog)).one()
    assert (log.happened_on, log.kind, log.next_step_on, log.author_name) == (
        date(2026, 11, 20),
        "visit",
        date(2026, 11, 30),
        "向禾",
    )
    assert [[o.kind for o in obligations_of(i)] for i in ids] == [["next_step"]] * 3
    page = client.get("/").text
    assert "已记走访，3 家企业。" in page

    post(client, re.search(r'action="(/changes/\d+/undo)"', page)[1])
    assert [obligations_of(i) for i in ids] == [[], [], []]


def test_pressing_save_twice_writes_one_event(client, manager):
    data = {**VISIT, "enterprises": [make_enterprise(manager=manager.user_id)], "request_key": "v1"}

    answers = [post(client, "/visits/new", data) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert db.session.query(ServiceLog).count() == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"happened_on": "2026-11-24"}, "日期 2026-11-24 还没到。改成实际发生的日期。"),
        ({"text": ""}, "写一两句内容。"),
        ({"kind": ""}, "选服务方式。"),
        ({"kind": "party"}, "party"),
        ({"enterprises": []}, "选至少一家企业。"),
        ({"next_step_on": "2026-12-01"}, "填了期限，还缺下一步做什么。补上，或清空期限。"),
        ({"next_step": "回访", "next_step_on": "2026-11-01"}, "下一步期限 2026-11-01 早于发生日期 2026-11-20。"),
        ({"next_step": "回访"}, "下一步还没有日期，到期前提醒不了。"),
        ({"happened_on": "上周三"}, "上周三"),
    ],
    ids=[
        "tomorrow",
        "no text",
        "no kind",
        "no such kind",
        "no firm",
        "a day for nothing",
        "due before it happened",
        "a promise without a day",
        "no date",
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(client, manager, wrong, sentence):
    enterprise_id = make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id)
    data = {**VISIT, "text": "写了很久的一段话", "enterprises": [enterprise_id], **wrong}

    answer = post(client, "/visits/new", data)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert ("写了很久的一段话" in answer.text) is (wrong.get("text") != "")
    assert (f'name="enterprises" value="{enterprise_id}"' in answer.text) is ("enterprises" not in wrong)
    assert db.session.query(ServiceLog).count() == 0


def test_the_address_picks_the_firm_and_leads_back(client, manager):
    enterprise_id = make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id)

    page = client.get(f"/visits/new?enterprise={enterprise_id}&back=/due").text
    answer = post(client, "/visits/new", {**VISIT, "enterprises": [enterprise_id], "back": "/due"})
    elsewhere = post(client, "/visits/new", {**VISIT, "enterprises": [enterprise_id], "back": "https://example.org/"})

    assert f'name="enterprises" value="{enterprise_id}"' in page and 'name="back" value="/due"' in page
    assert (answer.location, elsewhere.location) == ("/due", "/")


def test_the_form_keeps_a_draft_and_is_one_hand_wide(client):
    page = client.get("/visits/new").text

    assert 'data-draft="visit"' in page and 'class="savebar"' in page and "cp-tabbar" not in page
    assert 'data-picker="/enterprises/find?for=visit"' in page
    assert re.findall(r'data-set-value="([^"]+)" data-set-for="f-next_step_on"', page) == ["2026-11-24", "2026-11-30"]


def test_a_colleagues_firm_is_found_and_cannot_be_chosen_for_a_visit(client, manager):
    own = make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id)
    make_enterprise("巫溪县青溪茶业有限公司", manager=make_user("chenshu", "case_manager", name="陈述").user_id)

    found = client.get("/enterprises/find?for=visit&q=青").text

    assert re.findall(r'data-pick="(\d+)"', found) == [str(own)]
    assert "青溪" in found and "陈述" in found and "由它的专员或业务科室记" in found


def test_the_same_firms_as_last_time_are_one_tap_away(client, manager):
    ids = [make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id) for n in range(2)]
    log = logged(ids, manager, kind="phone")

    href = re.search(r'href="(/visits/new\?like=\d+)"', client.get("/visits/new").text)[1]
    page = client.get(href).text

    assert href == f"/visits/new?like={log.id}"
    assert [f'name="enterprises" value="{i}"' in page for i in ids] == [True, True]


def test_a_foreign_firm_is_not_found_and_a_colleagues_is_refused(sqlite_app, client):
    foreign = make_enterprise("云台区别处食品有限公司", region=county(OTHER))
    colleagues = make_enterprise("巫溪县别人食品有限公司", manager=make_user("b", "case_manager").user_id)

    assert [client.get(f"/visits/new?enterprise={i}").status_code for i in (foreign, colleagues)] == [404, 403]
    assert [post(client, "/visits/new", {**VISIT, "enterprises": [i]}).status_code for i in (foreign, colleagues)] == [
        422,
        422,
    ]
    assert "云台区别处" not in post(client, "/visits/new", {**VISIT, "enterprises": [foreign]}).text
    refused = post(client, "/visits/new", {**VISIT, "enterprises": [colleagues]}).text
    assert "巫溪县别人食品有限公司由它的服务专员或业务科室记服务。去掉后再保存。" in refused
    assert db.session.query(ServiceLog).count() == 0


@pytest.mark.parametrize(
    ("role", "status"), [("leader", [403, 200]), ("unit", [403, 403]), ("bureau", [200, 200]), ("park", [200, 200])]
)
def test_who_reads_only_is_not_offered_the_form(sqlite_app, role, status):
    client, _ = another(sqlite_app, "someone", role)

    assert [client.get(url).status_code for url in ("/visits/new", "/visits")] == status


@pytest.mark.parametrize("role", ["bureau", "leader"])
def test_the_office_reads_what_everybody_logged_in_its_region(app, role):
    author = make_user("xianghe", "case_manager", name="向禾")
    foreign = make_user("foreign", "case_manager", region=county(OTHER))
    logged([make_enterprise("巫溪县青禾食品有限公司", manager=author.user_id)], author)
    there = make_enterprise("云台区白鹭光电有限公司", region=county(OTHER), manager=foreign.user_id)
    logged([there], foreign, text="外区的事")
    client, _ = another(app, "someone", role)

    everybody, own = client.get("/visits").text, client.get("/visits?of=mine").text

    assert ("青禾" in everybody, "向禾" in everybody, "外区的事" in everybody) == (True, True, False)
    assert '<h1>服务记录 <span class="count">1 条</span></h1>' in everybody
    # Who logs sees the own first; who only reads has nothing else.
    assert ("青禾" in own) == (role == "leader")
    assert (f"/visits/{1}/edit" in everybody) == (role == "bureau")


def test_a_case_manager_reads_only_the_own_records(client, manager):
    other = make_user("b", "case_manager")
    logged([make_enterprise("巫溪县别人食品有限公司", manager=other.user_id)], other)

    assert "别人" not in client.get("/visits?of=all").text


def test_a_township_logs_for_its_own_firm(sqlite_app):
    client, viewer = another(sqlite_app, "town", "township", region=township("凤凰镇"))
    enterprise_id = make_enterprise(township=township("凤凰镇").id)

    answer = post(client, "/visits/new", {**VISIT, "enterprises": [enterprise_id]})

    assert answer.status_code == 302
    assert [log.author_id for log in logs_of(enterprise_id)] == [viewer.user_id]


def test_the_own_records_make_as_many_queries_for_three_rows_as_for_one(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    logged([enterprise_id], manager)
    for_one = queries(client, "/visits")

    logged([enterprise_id], manager)
    logged([enterprise_id, make_enterprise("巫溪县另一家食品有限公司", manager=manager.user_id)], manager)

    assert queries(client, "/visits") == for_one


def test_the_list_shows_the_own_records_only(sqlite_app, client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    logged([enterprise_id], manager, text="我写的一条")
    logged([enterprise_id], make_user("tanyue", "bureau", name="谭越"), text="别人写的一条")

    page = client.get("/visits").text

    assert "我写的一条" in page and "别人写的一条" not in page and '<span class="count">1 条</span>' in page


def test_an_edit_moves_the_promise_of_every_firm_of_the_event(client, manager):
    ids = [make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager.user_id) for n in range(3)]
    log = logged(ids[:2], manager, next_step="送模板", next_step_on=TODAY + timedelta(days=3))
    data = {
        **VISIT,
        "enterprises": ids[1:],
        "next_step": "送样品",
        "next_step_on": "2026-12-24",
        "version": log.version,
    }

    answer = post(client, f"/visits/{log.id}/edit", data)

    assert (answer.status_code, answer.location) == (302, "/visits")
    assert [[(o.steps, o.due_at.date()) for o in obligations_of(i)] for i in ids] == [
        [],
        [(["送样品"], date(2026, 12, 24))],
        [(["送样品"], date(2026, 12, 24))],
    ]


def test_an_edit_of_the_text_alone_moves_the_promise_too(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    log = logged([enterprise_id], manager, next_step="送模板", next_step_on=TODAY + timedelta(days=3))

    post(client, f"/visits/{log.id}/edit", {**VISIT, "enterprises": [enterprise_id], "version": log.version})

    assert obligations_of(enterprise_id) == []


def test_an_edit_against_somebody_elses_is_told_and_keeps_the_text(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    log = logged([enterprise_id], manager)
    stale = log.version
    data = {**VISIT, "enterprises": [enterprise_id], "version": stale}
    post(client, f"/visits/{log.id}/edit", {**data, "text": "先写的"})

    answer = post(client, f"/visits/{log.id}/edit", {**data, "text": "后写的"})

    assert answer.status_code == 409
    assert "同一处已被别人改过。" in answer.text and "先写的" in answer.text and "后写的" in answer.text
    assert db.session.get(ServiceLog, log.id).text == "先写的"


def test_a_firm_that_the_editor_cannot_see_stays_in_the_event(sqlite_app):
    here, there = township("凤凰镇").id, township("古路镇").id
    ids = [
        make_enterprise("巫溪县此处食品有限公司", township=here),
        make_enterprise("巫溪县别处食品有限公司", township=there),
    ]
    client, viewer = another(sqlite_app, "town", "township", region=township("凤凰镇"))
    with unit_of_work():
        values = {"happened_on": TODAY, "kind": "training", "text": "培训"}
        log_id = log_service(ids, values, author_id=viewer.user_id, act=act()).ids["service_log"]

    data = {**VISIT, "enterprises": [ids[0]], "version": 1}
    answer = post(client, f"/visits/{log_id}/edit", data)

    assert answer.status_code == 302
    links = select(ServiceLogEnterprise.enterprise_id).where(~ServiceLogEnterprise.deleted)
    assert sorted(db.session.scalars(links)) == sorted(ids)


def test_withdrawing_takes_the_event_and_its_promise_out(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    log = logged([enterprise_id], manager, next_step="送模板", next_step_on=TODAY + timedelta(days=3))

    answer = post(client, f"/visits/{log.id}/withdraw", {"request_key": "w"})

    assert answer.status_code == 302
    assert (logs_of(enterprise_id), obligations_of(enterprise_id)) == ([], [])
    assert re.search(r'action="/changes/\d+/undo"', client.get("/visits").text)


@pytest.mark.parametrize("path", ["edit", "withdraw"])
def test_a_colleague_may_not_change_an_event_and_a_stranger_does_not_find_it(sqlite_app, manager, path):
    log = logged([make_enterprise(manager=manager.user_id)], manager)
    colleague, _ = another(sqlite_app, "colleague", "case_manager")
    stranger, _ = another(sqlite_app, "stranger", "bureau", region=county(OTHER))

    assert [post(c, f"/visits/{log.id}/{path}", VISIT).status_code for c in (colleague, stranger)] == [403, 404]
    assert db.session.get(ServiceLog, log.id).version == 1


PDF = b"%PDF-1.4\n%%EOF\n"


def test_a_photo_that_cannot_be_taken_keeps_nobody_from_saving(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    brought = [(io.BytesIO(PDF), "协议.pdf"), (io.BytesIO(b"MZ\x90\x00\x00"), "厂房.jpg")]

    post(client, "/visits/new", {**VISIT, "enterprises": [enterprise_id], "files": brought})

    page = client.get("/").text
    assert "文字已保存。“厂房.jpg”是程序文件，不收，改了名字也不收。" in page
    assert "已记走访，1 家企业，1 份附件。" in page
    [log] = logs_of(enterprise_id)
    assert [one.title for one in on_records("service_log", [log.id], manager)[log.id]] == ["协议.pdf"]

    post(client, re.search(r'action="(/changes/\d+/undo)"', page)[1])
    assert (logs_of(enterprise_id), on_records("service_log", [log.id], manager)) == ([], {})


def test_files_of_a_form_that_came_back_are_not_chosen_twice(client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    data = {**VISIT, "enterprises": [enterprise_id]}

    refused = post(client, "/visits/new", {**data, "text": "", "files": [(io.BytesIO(PDF), "协议.pdf")]})
    token = re.search(r'name="kept" value="([^"]+)"', refused.text)[1]
    post(client, "/visits/new", {**data, "kept": [token, token[:-1] + "x", "made up"]})

    assert (refused.status_code, "协议.pdf" in refused.text) == (422, True)
    [log] = logs_of(enterprise_id)
    assert [one.title for one in on_records("service_log", [log.id], manager)[log.id]] == ["协议.pdf"]


def test_a_file_somebody_else_brought_cannot_be_carried_off(sqlite_app, client, manager):
    enterprise_id = make_enterprise(manager=manager.user_id)
    refused = post(client, "/visits/new", {**VISIT, "files": [(io.BytesIO(PDF), "协议.pdf")]})
    token = re.search(r'name="kept" value="([^"]+)"', refused.text)[1]
    office, _ = another(sqlite_app, "tanyue", "bureau")

    post(office, "/visits/new", {**VISIT, "enterprises": [enterprise_id], "kept": [token]})

    [log] = logs_of(enterprise_id)
    assert on_records("service_log", [log.id], manager) == {}


def test_an_event_has_a_page_with_its_words_firms_and_files(sqlite_app, client, manager):
    log = logged([make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id)], manager, next_step="送样书")
    leader, _ = another(sqlite_app, "liu", "leader")

    own, read = client.get(f"/visits/{log.id}").text, leader.get(f"/visits/{log.id}").text

    assert all(word in own for word in ("看了车间。", "青禾", "送样书", f"/visits/{log.id}/edit"))
    assert ("看了车间。" in read, f"/visits/{log.id}/edit" in read) == (True, False)


def test_the_firms_somebody_looks_after_travel_with_the_form(client, manager):
    make_enterprise("巫溪县青禾食品有限公司", manager=manager.user_id)
    make_enterprise("巫溪县外人食品有限公司")

    page = client.get("/visits/new").text

    near = page[page.index("data-near") : page.index("</template>")]
    assert ("青禾" in near, "qinghe" in near.replace(" ", ""), "外人" in near) == (True, True, False)
