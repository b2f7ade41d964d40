"""The pages of applications: entered, moved from the board, refused with words, materials, objections, a notice."""

import io
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from crm.actions.application_materials import Piece, record_material
from crm.actions.application_steps import step
from crm.actions.applications import add_application
from crm.extensions import db
from crm.store.applications import Application, ApplicationObjection, materials_of, steps_of
from crm.store.unit_of_work import unit_of_work
from crm.store.windows import Window
from tests.builders import TODAY, act, county, make_enterprise, make_user
from tests.web.conftest import post, queries, sign_in
from tests.web.pages import form_on

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"


@pytest.fixture
def client(sqlite_app):
    make_user("yewu", "bureau", name="谭业务")
    return client_of(sqlite_app, "yewu")


def client_of(app, login):
    client = app.test_client()
    sign_in(client, login)
    return client


def window_id(year, batch="第一批") -> int:
    query = select(Window.id).where(Window.kind == "hnte", Window.year == year, Window.batch == batch)
    return db.session.scalar(query)


def apply(enterprise_id=None, **more) -> int:
    enterprise_id = enterprise_id or make_enterprise()
    values = {"kind": "hnte", "year": 2026, "stage": "coaching", "stage_on": date(2026, 9, 2), **more}
    with unit_of_work():
        return add_application(enterprise_id, **values, act=act()).ids["application"]


def stage(application_id) -> str:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get(Application, application_id).stage_code


def go(client, application_id, **typed):
    url = f"/applications/{application_id}/step"
    return client.post(url, data={**form_on(client.get(url).text, url), **typed})


# --- entering --------------------------------------------------------------------------------------------------------


def test_windows_are_offered_open_and_expected_first_and_closed_ones_are_named_so(client):
    page = client.get(f"/enterprises/{make_enterprise()}/applications/new").text

    offered = re.findall(r'<option value="\d+"[^>]*>([^<]+)</option>', page)
    assert offered[0] == "高企 2027 年第一批 · 预计 · 企业截止 2027-04-30 24:00"
    closed = [n for n, said in enumerate(offered) if "已结束" in said]
    assert closed == list(range(min(closed), len(offered)))


def test_a_closed_window_is_refused_beside_its_reason_and_nothing_typed_is_lost(client):
    enterprise_id = make_enterprise()
    url = f"/enterprises/{enterprise_id}/applications/new"
    form = form_on(client.get(url).text, url)

    refused = client.post(url, data={**form, "window": str(window_id(2026, "第三批")), "note": "急件"})
    again = {**form_on(refused.text, url), "reason": "市里同意补报"}
    taken = client.post(url, data=again)

    assert refused.status_code == 422
    assert "2026 年第三批窗口 08-31 24:00 已截止，不能再申报" in refused.text
    assert "急件" in refused.text
    assert taken.status_code == 302
    row = db.session.scalar(select(Application).where(Application.enterprise_id == enterprise_id))
    assert (row.kind, row.year, row.stage_code, row.note) == ("hnte", 2026, "reserve", "急件")


def test_a_second_application_of_the_year_is_refused(client):
    enterprise_id = make_enterprise()
    apply(enterprise_id)
    url = f"/enterprises/{enterprise_id}/applications/new"

    answer = client.post(url, data={**form_on(client.get(url).text, url), "kind": "hnte", "year": "2026"})

    assert answer.status_code == 422
    assert "2026 年的这项申报已在办（辅导）" in answer.text


# --- steps -----------------------------------------------------------------------------------------------------------


def test_a_step_is_taken_told_and_undone(client):
    application_id = apply()

    answer = go(client, application_id, to_stage="online", happened_on="2026-11-20")
    page = client.get(answer.headers["Location"]).text
    undo = re.search(r'action="(/changes/\d+/undo)"', page).group(1)

    assert stage(application_id) == "online"
    assert "推进到“网上申报”" in page
    assert "第 0 天" not in page
    post(client, undo, {})
    assert stage(application_id) == "coaching"


def test_a_return_without_a_reason_comes_back_beside_its_field(client):
    application_id = apply(stage="county_review")

    answer = go(client, application_id, to_stage="returned", due_on="2026-12-01")

    assert answer.status_code == 422
    assert "写明退回原因，企业照着补正。" in answer.text
    assert 'value="2026-12-01"' in answer.text
    assert stage(application_id) == "county_review"


def test_two_browsers_at_one_application_are_shown_what_the_first_did(sqlite_app, client):
    make_user("tongshi", "bureau", name="陈同事")
    other = client_of(sqlite_app, "tongshi")
    application_id = apply(stage="reserve")
    url = f"/applications/{application_id}/step"
    mine, theirs = form_on(client.get(url).text, url), form_on(other.get(url).text, url)

    other.post(url, data={**theirs, "to_stage": "coaching"})
    clash = client.post(url, data={**mine, "to_stage": "online"})
    again = client.post(url, data={**form_on(clash.text, url), "to_stage": "online"})

    assert clash.status_code == 409
    assert re.search(r"打开时在“储备”，陈同事 11-23 \d\d:\d\d 已改到“辅导”，没有再写入“网上申报”", clash.text)
    assert (again.status_code, stage(application_id)) == (302, "online")


def test_a_card_dropped_where_it_may_not_go_comes_back_with_the_reason(client):
    application_id = apply(stage="reserve")
    url = f"/applications/{application_id}/step"
    form = form_on(client.get(url).text, url)
    as_json = {"Accept": "application/json"}

    wrong = client.post(url, data={**form, "to_stage": "publicity"}, headers=as_json)
    right = client.post(url, data={**form, "to_stage": "online", "back": "/applications"}, headers=as_json)

    assert (wrong.status_code, wrong.json) == (
        422,
        {"said": "从“储备”不能到“公示”。可以到：辅导、网上申报、撤回。"},
    )
    assert (right.status_code, right.json, stage(application_id)) == (200, {"to": "/applications"}, "online")
    assert "已到“网上申报”" in client.get("/applications").text


def test_a_correction_strikes_the_wrong_step_and_keeps_it(client):
    application_id = apply(stage="reserve")
    go(client, application_id, to_stage="withdrawn", reason="误点")
    url = f"/applications/{application_id}/correct"

    answer = client.post(url, data={**form_on(client.get(url).text, url), "to_stage": "coaching", "reason": "点错了行"})
    page = client.get(f"/applications/{application_id}").text

    assert (answer.status_code, stage(application_id)) == (302, "coaching")
    assert re.search(r'<li class="gone">.*?撤回.*?已更正', page)
    assert len(steps_of(application_id)) == 3


def test_free_words_are_mapped_on_the_page_itself(client):
    application_id = apply(stage="等专家看")
    page = client.get(f"/applications/{application_id}").text

    post(client, f"/applications/{application_id}/map", form_on(page, f"/applications/{application_id}/map"))

    assert "原来写的环节“等专家看”对应" in page
    assert stage(application_id) == "reserve"


def test_recommending_is_not_offered_to_a_case_manager(sqlite_app):
    manager = make_user("wen", "case_manager")
    application_id = apply(make_enterprise(manager=manager.user_id), stage="county_review")
    client = client_of(sqlite_app, "wen")

    page = client.get(f"/applications/{application_id}/step").text
    forced = go(client, application_id, to_stage="recommended")

    assert ['value="returned"' in page, 'value="recommended"' in page] == [True, False]
    assert "你的授权不含推荐上报。" in forced.text
    assert stage(application_id) == "county_review"


# --- materials -------------------------------------------------------------------------------------------------------


def material(client, application_id, item, **typed):
    url = f"/applications/{application_id}/materials/{item}"
    form = form_on(client.get(url).text, url)
    return client.post(url, data={**form, "verb": "record", **typed}, content_type="multipart/form-data")


def test_a_material_is_recorded_with_its_file_and_opened_from_the_list(client):
    application_id = apply()

    answer = material(client, application_id, "audit", dated_on="2026-03-01", files=(io.BytesIO(PDF), "审计.pdf"))
    page = client.get(f"/applications/{application_id}").text

    assert answer.status_code == 302
    assert "必交 11 项：已有 1 项，缺 10 项。" in page
    opened = re.search(r'href="(/attachments/\d+)\?[^"]*" aria-label="看近三年财务会计报告', page).group(1)
    assert client.get(opened).status_code == 200


def test_a_program_is_refused_by_its_bytes_and_evidence_of_last_cycle_by_its_date(client):
    application_id = apply()

    program = material(client, application_id, "audit", files=(io.BytesIO(b"MZ\x90\x00" + b"\0" * 90), "审计.pdf"))
    old = material(client, application_id, "staff", dated_on="2025-05-01")

    assert (program.status_code, old.status_code) == (422, 422)
    assert "“审计.pdf”是程序文件" in program.text
    assert "《职工和科技人员情况说明》日期 2025-05-01 属于上一个周期" in old.text
    assert materials_of(application_id) == []


def test_last_years_piece_is_offered_in_words_and_counts_when_ticked(client):
    enterprise_id = make_enterprise()
    former = apply(enterprise_id, year=2025, stage="certified", stage_on=date(2025, 12, 1))
    with unit_of_work():
        record_material(former, Piece("audit", date(2025, 3, 1)), act=act())
    application_id = apply(enterprise_id)

    page = client.get(f"/applications/{application_id}").text
    offered = re.search(r'name="offered" value="(audit:\d+)"', page).group(1)
    before = materials_of(application_id)
    post(client, f"/applications/{application_id}/materials/carry", {"offered": offered, "request_key": "k1"})

    assert "2025 年的《近三年财务会计报告（审计报告）》，核对后沿用" in page
    assert before == []
    assert "已有 1 项" in client.get(f"/applications/{application_id}").text


def test_what_came_in_is_ticked_once_and_a_missing_date_is_asked_for(client):
    application_id = apply()
    url = f"/applications/{application_id}/materials/receive"

    asked = post(client, url, {"items": ["licence", "staff"]})
    taken = post(client, url, {"items": ["licence", "staff"], "dated_on": "2026-11-20"})

    assert asked.status_code == 422
    assert "填《职工和科技人员情况说明》的日期" in asked.text
    assert re.search(r'value="staff"[^>]*checked', asked.text)
    assert (taken.status_code, len(materials_of(application_id))) == (302, 2)


def test_waived_and_taken_back_on_the_page_of_the_item(client):
    application_id = apply()
    url = f"/applications/{application_id}/materials/transfer"

    material(client, application_id, "transfer", verb="waive", waived_reason="母公司统一申报")
    waived = client.get(f"/applications/{application_id}").text
    version = form_on(client.get(url).text, url)["version"]
    post(client, url, {"verb": "take_back", "version": version, "request_key": "k2"})

    assert "免交 1 项" in waived
    assert "母公司统一申报" in waived
    assert materials_of(application_id) == []


def test_the_notice_names_everything_once_with_the_deadline_as_text_and_on_paper(client):
    application_id = apply(stage="county_review", year=None, window_id=window_id(2027), stage_on=TODAY)

    page = client.get(f"/applications/{application_id}/notice").text

    assert "经核对材料还缺以下 11 项，现一次性告知" in page
    assert "须于 2027 年 5 月 16 日 12:00 前补齐" in page
    assert page.count("专项审计（鉴证）报告（") == 2


# --- objections ------------------------------------------------------------------------------------------------------


def test_an_objection_is_entered_looked_into_and_closed(client):
    application_id = apply(stage="publicity", stage_on=date(2026, 11, 10))
    new = f"/applications/{application_id}/objections/new"
    client.post(new, data={**form_on(client.get(new).text, new), "text": "专利有争议", "raised_by": "来信"})
    row = db.session.scalar(select(ApplicationObjection))
    url = f"/applications/objections/{row.id}/edit"

    early = client.post(url, data={**form_on(client.get(url).text, url), "closed_on": "2026-11-23"})
    done = client.post(url, data={**form_on(early.text, url), "record": "核查属实", "upheld": "1"})

    assert "写明怎么核查的、结论是什么，再办结。" in early.text
    assert done.status_code == 302
    page = client.get(f"/applications/{application_id}").text
    assert "核查：核查属实" in page
    assert "成立</span>" in page


# --- lists -----------------------------------------------------------------------------------------------------------


def test_the_board_has_the_stages_as_columns_and_each_number_opens_as_many_rows(client):
    for n in range(3):
        apply(make_enterprise(f"巫溪县青禾{n}食品有限责任公司"), stage="reserve", stage_on=TODAY - timedelta(days=n))
    apply(stage="county_review", stage_on=date(2026, 5, 2), year=None, window_id=window_id(2026))

    board = client.get("/applications").text
    listed = client.get("/applications/list?kind=hnte&stage=reserve").text

    assert re.findall(r'<section class="lane[^"]*" aria-label="([^"]+)"', board)[:3] == ["储备", "辅导", "网上申报"]
    assert re.search(r'stage=reserve">3</a>', board)
    assert listed.count("<tr data-href") == 3
    assert "逾期" in board
    assert "05-16 12:00" in board


def test_filters_and_export_say_the_same(client):
    apply(make_enterprise("巫溪县甲食品有限责任公司"), stage="reserve")
    apply(make_enterprise("巫溪县乙食品有限责任公司"), kind="srdi", stage="reserve")
    ended = apply(make_enterprise("巫溪县丙食品有限责任公司"), stage="reserve")
    with unit_of_work():
        step(ended, "withdrawn", happened_on=TODAY, reason="不报了", version=1, act=act())

    listed = client.get("/applications/list?state=withdrawn").text
    exported = client.get("/applications/export?kind=srdi&format=csv").get_data().decode("utf-8-sig")

    assert [name in listed for name in ("丙食品", "甲食品", "乙食品")] == [True, False, False]
    assert [name in exported for name in ("乙食品", "甲食品", "丙食品")] == [True, False, False]
    assert "共 1 行" in exported


def test_a_board_of_many_asks_as_few_queries_as_one_of_few(client):
    apply()
    few = queries(client, "/applications"), queries(client, "/applications/list")
    for n in range(6):
        apply(make_enterprise(f"巫溪县众{n}食品有限责任公司"), stage=("reserve", "coaching")[n % 2])

    assert (queries(client, "/applications"), queries(client, "/applications/list")) == few


def test_an_empty_county_is_told_where_to_begin(client):
    assert "还没有在办的申报" in client.get("/applications").text
    assert "这样筛选没有申报" in client.get("/applications/list").text


def test_a_department_sees_no_application_and_a_leader_no_verbs(sqlite_app):
    make_user("muzhi", "unit")
    make_user("liaoheng", "leader")
    application_id = apply()
    unit, leader = client_of(sqlite_app, "muzhi"), client_of(sqlite_app, "liaoheng")

    page = leader.get(f"/applications/{application_id}").text

    assert unit.get(f"/applications/{application_id}").status_code == 404
    assert "青禾" not in unit.get("/applications/list").text
    assert ["移到…" in page, "登记收到的" in page, "材料清单" in page] == [False, False, True]
    assert leader.get(f"/applications/{application_id}/step").status_code == 403


def test_a_strangers_application_reads_like_none(sqlite_app, client):
    foreign = apply(make_enterprise("云台区外地食品有限责任公司", region=county("500299")))
    none = client.get("/applications/999999")

    assert (none.status_code, client.get(f"/applications/{foreign}").status_code) == (404, 404)
    assert "外地食品" not in client.get("/applications").text


def test_a_window_that_is_none_of_the_offered_ones_is_named_and_the_note_stays(client):
    application_id = apply()
    url = f"/applications/{application_id}/edit"
    form = form_on(client.get(url).text, url)

    answer = client.post(url, data={**form, "window_id": "987654", "note": "等审计报告"})

    assert answer.status_code == 422 and "等审计报告" in answer.text
    assert "所选的窗口不在列表里，可能刚停用，或不归你看。从列表里另选。" in answer.text
