"""Editing from the list: one cell in its place, one field of many, exactly those that were chosen."""

import json
from datetime import date

import pytest
from sqlalchemy import func, select

from crm.actions.enterprises import edit_enterprise
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Affiliation, Enterprise
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, act, county, make_enterprise, make_user, township
from tests.web.conftest import csrf_of, post, sign_in
from tests.web.pages import form_on


@pytest.fixture
def client(sqlite_app):
    make_user("tanyue", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def browser(app, login: str, role: str, **where):
    person = make_user(login, role, **where)
    client = app.test_client()
    sign_in(client, login)
    return client, person


def column(model, enterprise_id: int, name: str):
    db.session.rollback()
    key = Standing.enterprise_id if model is Standing else model.id
    return db.session.scalar(select(getattr(model, name)).where(key == enterprise_id))


def industry_of(*ids: int) -> list[str | None]:
    return [column(Enterprise, i, "featured_industry") for i in ids]


# --- one field of many -----------------------------------------------------------------------------------------------


def first_step(client, **given):
    data = {"field": "featured_industry", "csrf_token": csrf_of(client, "/account"), "asked": "", **given}
    return client.post("/enterprises/bulk", data=data)


def next_step(client, page: str, step: str, **given):
    return client.post("/enterprises/bulk", data={**form_on(page, "/enterprises/bulk"), "step": step, **given})


def previewed(client, value: str = "liquor", **chosen):
    page = first_step(client, **chosen).text
    return next_step(client, page, "preview", featured_industry=value)


def test_a_bulk_edit_previews_old_and_new_and_what_is_skipped_and_is_one_change_set(client):
    tea, blank = make_enterprise("甲有限公司", featured_industry="tea"), make_enterprise("乙有限公司")
    same = make_enterprise("丙有限公司", featured_industry="liquor")

    preview = previewed(client, ids=f"{tea},{blank},{same}").text
    written = next_step(client, preview, "write")

    assert "改 2 家的特色产业" in preview
    assert "跳过 1 家" in preview
    assert "已经是这样" in preview
    assert written.status_code == 302
    assert industry_of(tea, blank, same) == ["liquor"] * 3
    last = db.session.scalars(select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    assert (last.action, last.record_count) == ("edit_many", 2)


def test_a_bulk_edit_of_more_than_fifty_is_written_only_with_its_number_and_undone_with_one_press(client):
    ids = [make_enterprise(f"巫溪县{n}号有限公司", featured_industry="tea") for n in range(51)]
    preview = previewed(client, ids=",".join(map(str, ids))).text

    without = next_step(client, preview, "write")
    written = next_step(client, preview, "write", number="51")

    assert without.status_code == 422
    assert "要改 51 家：照着填 51" in without.text
    assert written.status_code == 302
    last = db.session.scalar(select(func.max(ChangeSet.id)))
    undone = post(client, f"/changes/{last}/undo")
    assert undone.status_code == 302
    assert industry_of(*ids) == ["tea"] * 51


def test_all_of_a_filter_are_exactly_those_and_a_changed_count_is_refused_with_both_numbers(client):
    inside = [make_enterprise(f"巫溪县{n}号食品有限公司") for n in range(3)]
    outside = make_enterprise("重庆云脊智能装备有限公司")

    preview = previewed(client, all="1", asked="q=食品&columns=code", expected="3").text
    make_enterprise("巫溪县来晚了食品有限公司")
    late = next_step(client, preview, "write")

    assert "改 3 家的特色产业" in preview
    assert late.headers["Location"].endswith("q=%E9%A3%9F%E5%93%81&columns=code")
    assert "选中时这个筛选有 3 家，现在是 4 家" in client.get(late.headers["Location"]).text
    again = previewed(client, all="1", asked="q=食品&columns=code", expected="4", left_out=str(inside[0])).text
    done = next_step(client, again, "write")
    assert done.headers["Location"].endswith("q=%E9%A3%9F%E5%93%81&columns=code")
    assert industry_of(inside[0], *inside[1:], outside) == [None, "liquor", "liquor", None]


def test_what_somebody_else_changed_after_the_preview_is_previewed_again(client):
    one, other = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    preview = previewed(client, ids=f"{one},{other}").text
    with unit_of_work():
        edit_enterprise(other, {"featured_industry": "tea"}, version=1, act=act())

    answer = next_step(client, preview, "write")

    assert answer.status_code == 409
    assert "没有写入" in answer.text
    assert industry_of(one, other) == [None, "tea"]


def test_a_second_press_of_a_bulk_edit_writes_nothing(client):
    one = make_enterprise("甲有限公司")
    preview = previewed(client, ids=str(one)).text

    answers = [next_step(client, preview, "write") for _ in range(2)]

    assert [a.status_code for a in answers] == [302, 302]
    sets = select(func.count()).select_from(ChangeSet).where(ChangeSet.action == "edit_many")
    assert db.session.scalar(sets) == 1


def test_a_bulk_edit_skips_what_is_not_ones_own_and_never_sees_another_district(sqlite_app):
    client, me = browser(sqlite_app, "xianghe", "case_manager", name="向禾")
    mine = make_enterprise("甲有限公司", manager=me.user_id)
    colleagues = make_enterprise("乙有限公司")
    foreign = make_enterprise("墙外有限公司", region=county(OTHER))

    preview = previewed(client, ids=f"{mine},{colleagues},{foreign}").text
    next_step(client, preview, "write")

    assert "不在你的授权内" in preview
    assert "墙外" not in preview
    assert industry_of(mine, colleagues, foreign) == ["liquor", None, None]


def test_a_case_manager_is_not_offered_to_hand_over_enterprises_in_bulk(sqlite_app):
    client, me = browser(sqlite_app, "xianghe", "case_manager", name="向禾")
    mine = make_enterprise("甲有限公司", manager=me.user_id)

    page = first_step(client, ids=str(mine), field="manager")

    assert page.status_code == 302
    assert column(Standing, mine, "manager_id") == me.user_id


def test_many_move_to_another_township_from_a_day_on_and_the_old_one_stays_until_the_day_before(client):
    home, target = township("凤凰镇"), township("古路镇")
    ids = [make_enterprise(f"{n}有限公司", township=home.id) for n in ("甲", "乙")]
    page = first_step(client, ids=",".join(map(str, ids)), field="township").text
    given = {"township": str(target.id), "nature": "new_fact", "effective_on": "2026-11-01"}

    preview = next_step(client, page, "preview", **given).text
    next_step(client, preview, "write", nature="new_fact")

    assert [column(Standing, i, "township_id") for i in ids] == [target.id] * 2
    query = select(Affiliation.ends_on).where(Affiliation.ref_id == home.id, Affiliation.enterprise_id.in_(ids))
    assert list(db.session.scalars(query)) == [date(2026, 10, 31)] * 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"featured_industry": "不存在"}, "不存在"),
        ({}, "选特色产业；要改成未填，勾“清空”。"),
        ({"featured_industry": "liquor", "clear": "1"}, "选了值又勾了“清空”。留一样。"),
    ],
)
def test_a_value_that_is_none_comes_back_beside_its_field(client, given, sentence):
    page = first_step(client, ids=str(make_enterprise("甲有限公司"))).text

    answer = next_step(client, page, "preview", **given)

    assert answer.status_code == 422
    assert sentence in answer.text


def test_nothing_chosen_leads_back_to_the_list_with_one_sentence(client):
    make_enterprise("甲有限公司")

    answer = first_step(client, ids="", asked="q=甲")

    assert answer.headers["Location"].endswith("q=%E7%94%B2")
    assert "没有选中企业。先在名单里选。" in client.get(answer.headers["Location"]).text


# --- one cell --------------------------------------------------------------------------------------------------------


def cell(client, enterprise_id: int, code: str) -> tuple[str, dict[str, str]]:
    """The address of an editor and what its form would send."""
    url = f"/enterprises/{enterprise_id}/cells/{code}"
    return url, form_on(client.get(url).text, url)


def test_a_cell_is_saved_in_its_place_with_its_line_and_the_way_back(client):
    one = make_enterprise("巫溪县青禾食品有限责任公司", contact_name="王一")
    url, form = cell(client, one, "contact_name")

    answer = client.post(url, data={**form, "contact_name": "李二", "asked": "columns=contact_name"}).json

    assert column(Enterprise, one, "contact_name") == "李二"
    assert 'data-cell="contact_name">李二</td>' in answer["row"]
    assert "已修改 巫溪县青禾食品有限责任公司 的联系人：李二" in answer["toast"]
    assert "撤销（<span data-left>10</span> 秒）" in answer["toast"]


def test_the_same_cell_shows_before_theirs_and_mine_in_place_until_one_is_chosen(client):
    one = make_enterprise("甲有限公司", contact_name="王一")
    url, form = cell(client, one, "contact_name")
    with unit_of_work():
        edit_enterprise(one, {"contact_name": "陈述改的"}, version=1, act=act())

    clash = client.post(url, data={**form, "contact_name": "李二"})
    kept = client.post(url, data={**form_on(clash.text, url), "pick_contact_name": "mine"})

    assert clash.status_code == 409
    assert ["王一" in clash.text, "陈述改的" in clash.text, "李二" in clash.text] == [True] * 3
    assert kept.status_code == 200
    assert column(Enterprise, one, "contact_name") == "李二"


def test_edits_of_other_cells_merge(client):
    one = make_enterprise("甲有限公司", contact_name="王一")
    url, form = cell(client, one, "contact_name")
    with unit_of_work():
        edit_enterprise(one, {"notes": "另一格"}, version=1, act=act())

    answer = client.post(url, data={**form, "contact_name": "李二"})

    assert answer.status_code == 200
    assert (column(Enterprise, one, "contact_name"), column(Enterprise, one, "notes")) == ("李二", "另一格")


def test_a_refused_cell_keeps_what_was_typed_beside_the_sentence(client):
    one = make_enterprise("甲有限公司")
    url, form = cell(client, one, "registered_on")

    answer = client.post(url, data={**form, "registered_on": "去年春天"})

    assert answer.status_code == 422
    assert 'value="去年春天"' in answer.text
    assert "field-e" in answer.text


@pytest.mark.parametrize(("nature", "count"), [("new_fact", 2), ("correction", 1)])
def test_a_dated_cell_asks_whether_it_was_wrong_or_has_changed(client, nature, count):
    home, target = township("凤凰镇"), township("古路镇")
    one = make_enterprise("甲有限公司", township=home.id)
    url, form = cell(client, one, "township")

    client.post(url, data={**form, "township": str(target.id), "nature": nature, "effective_on": "2026-11-23"})

    assert column(Standing, one, "township_id") == target.id
    rows = (
        select(func.count())
        .select_from(Affiliation)
        .where(Affiliation.enterprise_id == one, Affiliation.kind == "township", ~Affiliation.deleted)
    )
    assert db.session.scalar(rows) == count


def test_a_cell_saved_twice_with_one_key_is_written_once(client):
    one = make_enterprise("甲有限公司")
    url, form = cell(client, one, "contact_name")

    answers = [client.post(url, data={**form, "contact_name": "李二"}) for _ in range(2)]

    assert [a.status_code for a in answers] == [200, 200]
    changes = select(func.count()).select_from(Change).where(Change.noun == "enterprise", Change.record_id == one)
    assert db.session.scalar(changes) == 2


def test_a_cell_is_edited_by_whoever_may_and_only_fields_of_the_list(sqlite_app):
    client, me = browser(sqlite_app, "xianghe", "case_manager", name="向禾")
    leader, _ = browser(sqlite_app, "liao", "leader")
    mine, other = make_enterprise("甲有限公司", manager=me.user_id), make_enterprise("乙有限公司")

    asked = {
        "own": client.get(f"/enterprises/{mine}/cells/township").status_code,
        "manager": client.get(f"/enterprises/{mine}/cells/manager").status_code,
        "name": client.get(f"/enterprises/{mine}/cells/name").status_code,
        "no field": client.get(f"/enterprises/{mine}/cells/drop%20table").status_code,
        "a colleague's": client.get(f"/enterprises/{other}/cells/township").status_code,
        "leader": leader.get(f"/enterprises/{mine}/cells/township").status_code,
    }

    assert asked == {"own": 200, "manager": 404, "name": 404, "no field": 404, "a colleague's": 403, "leader": 403}
    page = client.get("/enterprises").text
    assert page.count('data-cell="township"') == 1
    assert 'data-cell="' not in leader.get("/enterprises").text


# --- what a list shows -----------------------------------------------------------------------------------------------


def test_columns_and_orders_stand_in_the_address_and_never_lose_the_filter(client):
    make_enterprise("甲食品有限公司", contact_name="王一", capital=37_706_000)
    make_enterprise("乙食品有限公司")

    page = client.get("/enterprises?q=食品&columns=capital&columns=contact_name&sort=-capital,name").text

    assert page.index(">注册资本（万元）") < page.index(">联系人")
    assert page.index("甲") < page.index("乙食品")
    assert ">3,770.6</td>" in page
    assert 'name="q" value="食品"' in page
    assert "按 注册资本（万元） 降序、名称 升序" in page


@pytest.mark.parametrize("order", ["due", "-due", "contact,-name", "-capital,registered,code", "-park,industry"])
def test_what_is_blank_comes_last_whichever_way_a_list_is_sorted(app, order):
    viewer = make_user("tanyue", "bureau")
    make_enterprise("甲有限公司", capital=1, registered_on=date(2020, 1, 1), featured_industry="tea")
    make_enterprise("乙有限公司", code=None)
    from crm.store import enterprise_lists
    from crm.store.enterprise_orders import SORTS
    from crm.web.lists import read_order

    found = enterprise_lists.page(
        enterprise_lists.Filter(), viewer, today=date(2026, 11, 23), order=read_order([order], SORTS)
    )

    assert [row.name for row in found][-1] == (
        "乙有限公司" if "capital" in order or "park" in order else found[-1].name
    )
    assert len(found) == 2


def test_internal_columns_are_blank_where_one_may_not_read_them(sqlite_app):
    make_enterprise("甲有限公司", contact_name="王一", contact_phone="13800000000")
    unit, _ = browser(sqlite_app, "jingxin", "unit")

    page = unit.get("/enterprises?columns=contact_name&columns=code&sort=due").text

    assert "王一" not in page
    assert ">联系人" not in page


def test_the_export_has_the_columns_the_order_and_the_filter_of_the_list_and_is_logged(client):
    import io

    from openpyxl import load_workbook

    from crm.store.access_log import AccessLog

    make_enterprise("甲食品有限公司", contact_name="王一")
    make_enterprise("乙食品有限公司", contact_name="李二")
    content = client.get("/enterprises/export?q=食品&columns=contact_name&sort=-name").data

    rows = list(load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))

    assert rows[1][0].startswith("找 食品；按 名称 降序；")
    assert [row[:2] for row in rows[2:5]] == [
        ("企业名称", "联系人"),
        ("乙食品有限公司", "李二"),
        ("甲食品有限公司", "王一"),
    ]
    db.session.rollback()
    logged = db.session.scalars(select(AccessLog).order_by(AccessLog.id.desc())).first()
    assert (logged.rows, logged.filter["q"], logged.filter["sort"]) == (2, "食品", "-name")


def test_one_visit_is_logged_for_the_chosen_ones(client):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")

    answer = post(client, "/enterprises/visit-selected", {"ids": f"{first},{second}", "asked": "q=有限"})
    page = client.get(answer.headers["Location"]).text

    assert [f'name="enterprises" value="{one}"' in page for one in (first, second)] == [True, True]
    assert 'name="back" value="/enterprises?q=' in page


def test_the_export_of_chosen_ones_is_just_these(client):
    first = make_enterprise("甲有限公司")
    make_enterprise("乙有限公司")

    answer = post(client, "/enterprises/export-selected", {"ids": str(first), "asked": "columns=code"})

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert json.dumps(answer.status_code) == "200"
