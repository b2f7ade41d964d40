"""The pages of lists, windows and holidays."""

import re
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from crm.extensions import db
from crm.store.dictionaries import DictionaryEntry
from crm.store.holidays import Holiday
from crm.store.jobs import Job
from crm.store.regions import region_by_code
from crm.store.units import Unit
from crm.store.windows import Window
from tests.builders import OTHER, county, make_user
from tests.web.conftest import post, sign_in

PAGES = ("", "/townships", "/units", "/parks", "/windows", "/windows?year=2025", "/holidays")


def office(app, role="bureau"):
    make_user(role, role)
    client = app.test_client()
    sign_in(client, role)
    return client


def word(client, **values):
    wanted = {
        "region_id": county().id,
        "dictionary": "featured_industry",
        "code": "pearls",
        "label": "夜明珠",
        "aliases": "明珠、夜光珠",
    }
    return post(client, "/dictionaries/words/new", wanted | values)


def kept(model, **same):
    db.session.rollback()
    return db.session.scalar(select(model).filter_by(**same))


def test_every_list_opens(app):
    client = office(app)

    assert {page: client.get(f"/dictionaries{page}").status_code for page in PAGES} == dict.fromkeys(PAGES, 200)


def test_a_word_is_added_with_its_aliases_and_found_on_the_list(app):
    client = office(app)

    answer = word(client)

    assert answer.status_code == 302
    assert kept(DictionaryEntry, code="pearls").aliases == ["明珠", "夜光珠"]
    assert "夜明珠" in client.get("/dictionaries").text


def test_codes_are_no_business_of_the_office(app):
    client = office(app)
    word(client, code="pearl_code", label="夜明珠")
    pages = [client.get("/dictionaries").text, client.get("/dictionaries/units").text]
    pages.append(client.get("/dictionaries/words/new?dictionary=featured_industry").text)
    entry = kept(DictionaryEntry, code="pearl_code")
    pages.append(client.get(f"/dictionaries/words/{entry.id}").text)
    admin = office(app, "admin")

    assert ["pearl_code" in page or 'name="code"' in page for page in pages] == [False] * 4
    assert "主管资格" in pages[1] and "知识产权" in pages[1] and "奖补兑现" in pages[1]
    assert re.findall(r">[^<]*(?:intellectual_property|award)[^<]*<", pages[1]) == []
    assert "pearl_code" in admin.get("/dictionaries").text


def test_a_refused_word_keeps_what_was_typed(sqlite_app):
    client = office(sqlite_app)

    answer = word(client, code="夜", valid_to="明年")

    assert answer.status_code == 422
    assert "“明年”不是日期" in answer.text
    assert 'value="夜明珠"' in answer.text
    assert kept(DictionaryEntry, label="夜明珠") is None


def test_a_word_is_ended_by_date_and_stays_on_the_list(sqlite_app):
    client = office(sqlite_app)
    word(client)
    entry = kept(DictionaryEntry, code="pearls")

    post(
        client,
        f"/dictionaries/words/{entry.id}",
        {"label": "夜明珠", "valid_to": "2026-11-22", "version": entry.version},
    )

    assert kept(DictionaryEntry, code="pearls").valid_to == date(2026, 11, 22)
    assert "2026-11-22 停用" in client.get("/dictionaries").text


def test_a_unit_keeps_its_titles_when_its_name_changes(sqlite_app):
    client = office(sqlite_app)
    unit = next(u for u in db.session.scalars(select(Unit).where(Unit.region_id == county().id)) if u.owns_kinds)
    owned = list(unit.owns_kinds)

    post(client, f"/dictionaries/units/{unit.id}", {"name": "改名后的部门", "version": unit.version})

    assert kept(Unit, id=unit.id).owns_kinds == owned
    assert kept(Unit, id=unit.id).name == "改名后的部门"


def test_two_people_editing_one_word_see_both(sqlite_app):
    client = office(sqlite_app)
    word(client)
    entry = kept(DictionaryEntry, code="pearls")
    data = {"label": "甲珠", "version": entry.version}
    post(client, f"/dictionaries/words/{entry.id}", data)

    answer = post(client, f"/dictionaries/words/{entry.id}", data | {"label": "乙珠"})

    assert answer.status_code == 409
    assert "逐处选用哪个" in answer.text
    assert kept(DictionaryEntry, code="pearls").label == "甲珠"


def test_a_window_moves_to_the_hour_it_was_announced_for(app):
    client = office(app)
    row = db.session.scalars(
        select(Window).where(Window.kind == "hnte").order_by(Window.year.desc(), Window.id)
    ).first()
    data = {
        "kind": row.kind,
        "year": str(row.year),
        "batch": row.batch,
        "opens_on": row.opens_on.isoformat(),
        "county_due_at": (row.opens_on + timedelta(days=40)).isoformat() + "T12:00",
        "status": "announced",
        "source": "渝科局通知",
        "version": row.version,
    }

    answer = post(client, f"/dictionaries/windows/{row.id}", data)

    saved = kept(Window, id=row.id)
    assert answer.status_code == 302
    assert saved.county_due_at.isoformat().endswith("T04:00:00+00:00")
    assert kept(Job, kind="recompute") is not None


def test_a_window_is_only_shown_once_the_city_keeps_it(sqlite_app):
    client = office(sqlite_app)
    make_user("above", "bureau", region=region_by_code("500000"))
    row = db.session.scalars(select(Window)).first()

    shown = client.get(f"/dictionaries/windows/{row.id}")
    data = {
        "kind": row.kind,
        "year": str(row.year),
        "opens_on": "2026-01-01",
        "status": "closed",
        "version": row.version,
    }
    answer = post(client, f"/dictionaries/windows/{row.id}", data)

    assert shown.status_code == 200
    assert "窗口由市级业务科室维护" in shown.text
    assert answer.status_code in (403, 422)
    assert kept(Window, id=row.id).version == row.version


def new_window(client, **values):
    data = {"kind": "hnte", "year": "2027", "batch": "第一批", "opens_on": "2027-04-01", "status": "expected"}
    return post(client, "/dictionaries/windows/new", data | {"region_id": county().id} | values)


def test_a_new_window_is_the_own_countys_unless_one_says_otherwise(app):
    client = office(app)
    page = client.get("/dictionaries/windows/new").text
    city = region_by_code("500000")

    answer = new_window(client)

    assert f'value="{county().id}" checked' in page
    assert f'value="{city.id}">' in page
    assert "对下属区县都生效，影响 1 个区县" in page
    assert answer.status_code == 302
    assert kept(Window, kind="hnte", year=2027, region_id=county().id).batch == "第一批"


def test_only_the_own_county_is_offered_while_another_district_works_here_too(app):
    client = office(app)
    make_user("foreign", "bureau", region=county(OTHER))
    page = client.get("/dictionaries/windows/new").text
    city = region_by_code("500000")

    refused = new_window(client, region_id=city.id)

    assert "对下属区县都生效" not in page
    assert "只对本区县的企业生效" in page
    assert refused.status_code == 422
    assert new_window(client).status_code == 302


def test_the_list_of_windows_says_which_of_the_citys_a_county_set_itself(app):
    client = office(app)
    row = db.session.scalar(select(Window).where(Window.kind == "hnte", Window.year == 2025).order_by(Window.id))

    new_window(client, year="2025", batch=row.batch, opens_on="2025-04-01")

    assert "巫溪县另定" in client.get("/dictionaries/windows?year=2025").text


def test_a_holiday_is_entered_and_taken_out(app):
    client = office(app)
    data = {"kind": "off", "first": "2029-02-12", "last": "2029-02-18", "name": "春节", "source": "国办发明电"}

    added = post(client, "/dictionaries/holidays", data)
    day = kept(Holiday, day=date(2029, 2, 14))
    removed = post(client, f"/dictionaries/holidays/{day.id}/remove")

    assert (added.status_code, removed.status_code) == (302, 302)
    assert kept(Holiday, id=day.id).deleted is True
    assert kept(Holiday, day=date(2029, 2, 15)).deleted is False


def test_a_year_without_holidays_is_said_on_the_page(sqlite_app, monday):
    client = office(sqlite_app)
    before = client.get("/dictionaries/holidays").text
    monday.move_to(datetime(2049, 7, 1, tzinfo=UTC))
    sign_in(client, "bureau")

    later = client.get("/dictionaries/holidays").text

    assert "2026 年的放假安排还没有登记" not in before
    assert "2049 年的放假安排还没有登记" in later


def test_a_leader_keeps_no_list(sqlite_app):
    client = office(sqlite_app, "leader")

    assert {client.get(f"/dictionaries{page}").status_code for page in PAGES} == {403}
