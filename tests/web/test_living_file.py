"""The file one lives in: everything in the order of time, affiliations, relations, the IP register, files."""

from datetime import date
from decimal import Decimal

import pytest

from crm.actions.enterprises import edit_enterprise
from crm.actions.figures import record_figures
from crm.actions.intellectual_property import record_ip
from crm.actions.relations import record_relation
from crm.actions.service_logs import log_service
from crm.domain.changes import Create, Ref
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store.enterprises import Enterprise, affiliations_of
from crm.store.relations import relations_of
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.walls import build_district
from tests.web.conftest import post, queries, sign_in
from tests.web.pages import form_on


@pytest.fixture
def client(sqlite_app):
    make_user("tanyue", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def fill(firm: int, number: int) -> None:
    """One more of what makes a file long."""
    on = date(2026, 1, number)
    with unit_of_work():
        log_service([firm], {"happened_on": on, "kind": "visit", "text": f"第{number}次走访"}, act=act())
    with unit_of_work():
        record_figures(firm, 2010 + number, {"revenue": Decimal(number)}, act=act())
    with unit_of_work():
        record_ip(
            firm, {"name": f"专利{number}", "kind": "design", "number": f"ZL{number}", "granted_on": on}, act=act()
        )
    creates = [
        Create("application", {"enterprise_id": firm, "kind": "hnte", "year": 2026, "stage": "x"}, "a"),
        Create(
            "application_step",
            {
                "application_id": Ref("a"),
                "enterprise_id": firm,
                "to_stage": "reserve",
                "kind": "start",
                "happened_on": on,
                "who": "谭越",
            },
        ),
        Create(
            "request",
            {
                "enterprise_id": firm,
                "region_id": county().id,
                "raised_on": on,
                "category": "other",
                "text": f"诉求{number}",
            },
        ),
    ]
    with unit_of_work():
        write(creates, act=act(), action="test")


def test_everything_of_every_noun_stands_in_the_order_of_time(client, sqlite_app):
    district = build_district("500238", "近山")
    url = f"/enterprises/{district.ids['enterprise']}?tab=time"

    page = client.get(url).text

    for words in ("取得高企资格", "近山走访记录", "修改：2025 年", "近山批注", "提出诉求", "附件："):
        assert words in page, words
    days = [part[:10] for part in page.split('datetime="')[1:]]
    assert days == sorted(days, reverse=True) and len(days) > 8


def test_one_kind_is_shown_alone_with_its_count(client):
    firm = make_enterprise(titles=[("hnte", date(2022, 11, 28), date(2025, 11, 27))])
    fill(firm, 3)

    page = client.get(f"/enterprises/{firm}?tab=time&of=titles").text

    assert "取得高企资格" in page and "高企资格到期" in page and "第3次走访" not in page


def test_the_timeline_asks_as_often_for_many_as_for_one_of_each(client):
    firm = make_enterprise(titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))])
    fill(firm, 1)
    url = f"/enterprises/{firm}?tab=time"
    client.get(url)
    one = queries(client, url)
    for number in range(2, 5):
        fill(firm, number)
    client.get(url)

    assert queries(client, url) == one


def test_a_long_timeline_is_paged(client):
    firm = make_enterprise()
    for number in range(1, 12):
        fill(firm, number)

    first = client.get(f"/enterprises/{firm}?tab=time").text
    second = client.get(f"/enterprises/{firm}?tab=time&page=2").text

    assert first.count('nw" datetime="') == 50 and 0 < second.count('nw" datetime="') < 50


def test_a_department_reads_no_visit_in_the_timeline(client, sqlite_app):
    firm = make_enterprise(titles=[("srdi", date(2025, 1, 1), date(2027, 12, 31))])
    fill(firm, 1)
    make_user("yueheng", "unit")
    reader = sqlite_app.test_client()
    sign_in(reader, "yueheng")

    page = reader.get(f"/enterprises/{firm}?tab=time").text

    assert "取得专精特新资格" in page and "第1次走访" not in page and "填写年度指标" not in page


def test_a_new_name_of_a_certified_firm_stands_on_its_due_list_until_reported(client):
    firm = make_enterprise("巫溪县旧名食品有限公司", titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))])
    row = db.session.get(Enterprise, firm)
    values = {"name": "巫溪县新名食品有限公司"}
    with unit_of_work():
        edit_enterprise(firm, values, version=row.version, act=act(on=date(2026, 11, 2)))

    due = client.get(f"/enterprises/{firm}?tab=due").text
    time = client.get(f"/enterprises/{firm}?tab=time").text
    settled = post(
        client,
        f"/due/{firm}/change_report/2026-11-02/settle",
        {"outcome": "done", "on": TODAY.isoformat(), "note": "已在工作网提交"},
    )

    assert "更名（重大变化）报告" in due and "（2027-02-02 前）报告" in due
    assert "更名：此前叫巫溪县旧名食品有限公司" in time
    assert settled.status_code == 302
    assert "已办结" in client.get(f"/enterprises/{firm}?tab=due").text


def test_an_affiliation_of_the_past_is_entered_and_ended_in_the_file(client):
    firm = make_enterprise(township=township("凤凰镇").id)
    [now] = [one for one in affiliations_of(firm) if one.kind == "township"]
    url = f"/enterprises/{firm}/affiliations/new?kind=township"
    form = form_on(client.get(url).text, f"/enterprises/{firm}/affiliations/new")
    old = {**form, "value": str(township("古路镇").id), "starts_on": "2020-01-01", "ends_on": "2022-12-31"}

    refused = client.post(url, data=old)
    edit = f"/affiliations/{now.id}"
    mended = client.post(edit, data={**form_on(client.get(edit).text, edit), "starts_on": "2023-01-01"})
    entered = client.post(url, data=form_on(refused.text, f"/enterprises/{firm}/affiliations/new") | old)

    assert refused.status_code == 422 and "与已登记的凤凰镇（一直 至 今）有同一天" in refused.text
    assert (mended.status_code, entered.status_code) == (302, 302)
    page = client.get(f"/enterprises/{firm}?tab=belongs").text
    assert page.index("2023-01-01") < page.index("2020-01-01") and "2022-12-31" in page


def test_a_relation_shows_in_both_files_and_hides_a_stranger(client, sqlite_app):
    head, branch = make_enterprise("巫溪县青禾食品有限公司"), make_enterprise("青禾食品古路分公司")
    foreign = make_enterprise("远墙食品有限公司", region=county(OTHER))
    url = f"/enterprises/{head}/relations/new"
    form = form_on(client.get(url).text, url)

    stranger = client.post(url, data={**form, "kind": "branch", "other_id": str(foreign)})
    entered = client.post(url, data={**form, "kind": "branch", "other_id": str(branch), "starts_on": "2020-05-01"})
    with unit_of_work():
        write(
            [Create("relation", {"enterprise_id": head, "kind": "common_control", "other_id": foreign})],
            act=act(),
            action="test",
        )

    assert (
        stranger.status_code == 422 and "所选的企业不在列表里，可能刚停用，或不归你看。从列表里另选。" in stranger.text
    )
    assert entered.status_code == 302
    assert "总公司" in client.get(f"/enterprises/{branch}?tab=belongs").text
    here = client.get(f"/enterprises/{head}?tab=belongs").text
    assert "分支机构" in here and "不归你看的企业" in here and "远墙" not in here
    relation = relations_of(branch)[0]
    # Of a firm behind the wall the note is changed and the firm stays.
    hidden = next(one for one in relations_of(head) if one.other_id == foreign)
    edit = f"/relations/{hidden.id}"
    kept = client.post(edit, data={**form_on(client.get(edit).text, edit), "note": "同一股东"})
    db.session.rollback()
    stayed = next(one for one in relations_of(head) if one.id == hidden.id)
    assert (kept.status_code, stayed.other_id, stayed.note) == (302, foreign, "同一股东")
    gone = post(client, f"/relations/{relation.id}/withdraw", {"version": "1"})
    assert gone.status_code == 302 and relations_of(branch) == []


def test_a_button_that_was_refused_says_the_reason_and_nothing_about_others(client, monkeypatch):
    firm = make_enterprise("巫溪县青禾食品有限公司")
    with unit_of_work():
        values = {"kind": "parent", "other_name": "渝东母公司"}
        record_relation(firm, values, act=act())
    button = f"/relations/{relations_of(firm)[0].id}/withdraw"

    def locked(*_args, **_more):
        raise Refused("这条关联已写进报送名单，先撤那份名单。")

    stale = post(client, button, {"version": "7"}, follow_redirects=True).text
    monkeypatch.setattr("crm.web.relations.views.withdraw_relation", locked)
    refused = post(client, button, {"version": "1"}, follow_redirects=True).text

    assert "这条关联刚被别人改过，这次没有写入。看过再按。" in stale
    assert "这条关联已写进报送名单，先撤那份名单。" in refused and "刚被别人改过" not in refused


def test_the_register_is_filtered_and_added_to_in_place(client):
    firm = make_enterprise()
    pieces = [
        {"name": "发明甲", "kind": "invention", "number": "ZL1", "expires_on": date(2040, 1, 1), "used_in_year": 2024},
        {"name": "外观乙", "kind": "design", "number": "ZL2", "expires_on": date(2020, 1, 1)},
    ]
    for piece in pieces:
        with unit_of_work():
            record_ip(firm, piece, act=act())
    url = f"/enterprises/{firm}?tab=ip"

    page = client.get(url).text
    first = client.get(f"{url}&class=1").text
    gone = client.get(f"{url}&state=expired").text
    used = client.get(f"{url}&used=yes").text
    new = f"/enterprises/{firm}/intellectual-property/new"
    added = client.post(new, data={**form_on(page, new), "name": "软著丙", "kind": "software"})

    assert "已到期" in page and "2024 年高企" in page
    assert "发明甲" in first and "外观乙" not in first
    assert "外观乙" in gone and "发明甲" not in gone
    assert "发明甲" in used and "外观乙" not in used
    assert added.status_code == 302 and "软著丙" in client.get(url).text


def test_the_files_of_a_firm_have_a_tab_of_their_own(client, sqlite_app):
    district = build_district("500238", "近山")

    page = client.get(f"/enterprises/{district.ids['enterprise']}?tab=files").text

    assert "/attachments/" in page and "添加" in page
