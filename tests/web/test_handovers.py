"""The page of a hand-over: what it shows before, what it refuses, and that what was typed stays."""

import re
from datetime import timedelta

import pytest

from crm.actions.accounts import end_grant
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.users import grants_in_force
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.web.conftest import post, sign_in
from tests.web.test_sign_in import hidden_fields


@pytest.fixture
def office(sqlite_app):
    """冉主任 at her desk; 向禾 has two firms, 陈述 has none."""
    people = {
        "leaver": make_user("xianghe", "case_manager", name="向禾").user_id,
        "chen": make_user("chenshu", "case_manager", name="陈述").user_id,
    }
    make_user("ran", "bureau", name="冉主任")
    place = township().id
    people["firms"] = [
        make_enterprise(f"巫溪县{name}食品有限公司", manager=people["leaver"], township=place)
        for name in ("青禾", "盐泉")
    ]
    client = sqlite_app.test_client()
    sign_in(client, "ran")
    return client, people


def manager_of(enterprise_id: int) -> int:
    db.session.expire_all()
    return db.session.get(Standing, enterprise_id).manager_id


def seen_in(page: str) -> str:
    return hidden_fields(page).get("seen", "")


def test_the_preview_names_who_takes_what_and_writes_nothing(office):
    client, people = office

    page = client.get(f"/handovers/{people['leaver']}?receivers={people['chen']}").text

    assert "2 家企业" in page
    assert re.findall(r"<b>(青禾|盐泉)</b>", page[page.index("谁接什么") :]) == ["青禾", "盐泉"]
    assert manager_of(people["firms"][0]) == people["leaver"]


def test_a_name_that_fits_one_person_leads_straight_to_the_hand_over(office):
    client, people = office

    by_initials, nobody = client.get("/handovers?q=xh"), client.get("/handovers?q=没有这人")

    assert by_initials.headers["Location"] == f"/handovers/{people['leaver']}"
    assert "没有叫“没有这人”的人手上有企业" in nobody.text


def test_a_receiver_whose_grant_ended_meanwhile_is_named_and_nothing_typed_is_lost(office):
    client, people = office
    choice = {"receivers": str(people["chen"]), "note": "调离，材料在柜子里"}
    seen = seen_in(client.get(f"/handovers/{people['leaver']}?receivers={people['chen']}").text)
    [grant] = grants_in_force(people["chen"], TODAY)
    with unit_of_work():
        end_grant(grant.id, ends_on=TODAY - timedelta(days=1), version=1, act=act())

    answer = post(client, f"/handovers/{people['leaver']}", choice | {"seen": seen})

    assert answer.status_code == 422
    assert "陈述在巫溪县没有服务专员授权，接不了。先由系统管理员授权，或换一名接手人。" in answer.text
    assert "调离，材料在柜子里" in answer.text
    assert manager_of(people["firms"][0]) == people["leaver"]


def test_without_a_preview_the_first_press_only_shows_it(office):
    client, people = office
    choice = {"receivers": str(people["chen"]), "note": "产假"}

    first = post(client, f"/handovers/{people['leaver']}", choice)
    second = post(client, f"/handovers/{people['leaver']}", choice | {"seen": seen_in(first.text)})

    assert (first.status_code, second.status_code) == (422, 302)
    assert "看过再按一次" in first.text
    assert {manager_of(firm) for firm in people["firms"]} == {people["chen"]}


def test_a_second_press_of_the_button_hands_nothing_over_again(office):
    client, people = office
    seen = seen_in(client.get(f"/handovers/{people['leaver']}?receivers={people['chen']}").text)
    form = {"receivers": str(people["chen"]), "seen": seen, "request_key": "one-press"}

    first, second = (post(client, f"/handovers/{people['leaver']}", form) for _ in range(2))

    assert (first.status_code, second.status_code) == (302, 302)
    assert "没有重复写入" in client.get("/handovers").text


def test_firms_of_a_township_or_single_ones_stay(office):
    client, people = office
    stays = db.session.get(Enterprise, people["firms"][1]).id
    page = client.get(f"/handovers/{people['leaver']}?receivers={people['chen']}&stay={stays}").text

    answer = post(
        client,
        f"/handovers/{people['leaver']}",
        {"receivers": str(people["chen"]), "stay": str(stays), "seen": seen_in(page)},
    )

    assert answer.status_code == 302
    assert [manager_of(firm) for firm in people["firms"]] == [people["chen"], people["leaver"]]


def test_hostile_numbers_and_texts_are_answered_in_words(office):
    client, people = office
    hostile = {"receivers": ["99999999999999999999", "0", "x\x00", str(people["leaver"])], "note": "<script>\x00" * 200}

    page = client.get(f"/handovers/{people['leaver']}?receivers=x&township-0=%00&stay=-1")
    answer = post(client, f"/handovers/{people['leaver']}", hostile | {"seen": "x" * 5000})

    assert (page.status_code, answer.status_code) == (200, 422)
    assert "<script>" not in answer.text.replace("<script defer", "").replace("<script src", "")


def test_a_number_no_county_has_is_none(office, monkeypatch):
    for place in ("crm.domain.typed_counts", "crm.web.handovers.views"):
        monkeypatch.setattr(f"{place}.TYPED_ABOVE", 1)
    client, people = office
    page = client.get(f"/handovers/{people['leaver']}?receivers={people['chen']}").text

    answer = post(
        client,
        f"/handovers/{people['leaver']}",
        {"receivers": str(people["chen"]), "seen": seen_in(page), "typed": "9" * 5000},
    )

    assert answer.status_code == 422
    assert "照着填 2，再按一次" in answer.text


def test_another_districts_office_finds_nobody_of_ours(office):
    client, people = office
    make_user("far", "bureau", region=county(OTHER))
    stranger = client.application.test_client()
    sign_in(stranger, "far")

    assert stranger.get(f"/handovers/{people['leaver']}").status_code == 404
    assert "没有人手上有企业" in stranger.get("/handovers").text
