"""The history's words, and where an undo leads back to."""

import ast
import re

import pytest
from sqlalchemy import select

from crm.actions.dictionaries import LISTS
from crm.actions.enterprises import create_enterprise, edit_enterprise, withdraw_enterprise
from crm.actions.obligations import settle
from crm.actions.qualifications import correct_qualification
from crm.actions.service_logs import edit_service_log, log_service
from crm.actions.settings import change_settings
from crm.config import ROOT
from crm.extensions import db
from crm.store.qualifications import qualifications_of
from crm.store.saved_views import SavedView
from crm.store.unit_of_work import unit_of_work
from crm.web.changes.vocabulary import ACTIONS
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user
from tests.web.conftest import post, queries, sign_in
from tests.web.pages import form_on


def names_written() -> set[str]:
    """Every name that an action gives to its change set; a name made from a noun stands for each noun of the lists."""
    found: set[str] = set()
    for path in (ROOT / "crm" / "actions").glob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            given = [k.value for k in call.keywords if k.arg == "action"]
            if getattr(call.func, "id", "") == "_write":
                given += call.args[-1:]
            for value in given:
                for part in ast.walk(value):
                    if isinstance(part, ast.JoinedStr):
                        verb = part.values[0].value
                        found |= {verb + noun for noun in LISTS}
                    elif isinstance(part, ast.Constant) and not str(part.value).endswith("_"):
                        found.add(str(part.value))
    return found


@pytest.fixture
def bureau(sqlite_app):
    return make_user("tanyue", "bureau", name="谭越")


@pytest.fixture
def client(sqlite_app, bureau):
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def test_every_action_has_words_in_the_history():
    written = names_written()

    assert {"settle_obligation", "postpone_obligation", "add_park", "correct_enterprise", "import"} <= written
    assert written - set(ACTIONS) == set()


@pytest.mark.parametrize("asked_from", ["/", "/due?state=overdue", "/visits", "/enterprises/{id}?tab=history"])
def test_an_undo_leads_back_to_where_it_was_asked(client, bureau, asked_from):
    enterprise_id = make_enterprise()
    page = asked_from.format(id=enterprise_id)
    with unit_of_work():
        values = {"kind": "visit", "happened_on": TODAY, "text": "看了新线。"}
        written = log_service([enterprise_id], values, act=act(bureau))

    answer = post(client, f"/changes/{written.change_set_id}/undo", headers={"Referer": f"http://localhost{page}"})

    assert answer.location == page


def test_the_preview_of_an_undo_remembers_the_page_it_was_opened_from(client, bureau):
    enterprise_id = make_enterprise(address="一号路")
    with unit_of_work():
        written = edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, act=act(bureau))
    preview = f"/changes/{written.change_set_id}/undo"

    shown = client.get(preview, headers={"Referer": "http://localhost/due?kind=silence"}).text
    back = re.search(r'name="back" value="([^"]+)"', shown).group(1)
    answer = post(client, preview, {"confirmed": "1", "back": back}, headers={"Referer": f"http://localhost{preview}"})

    assert answer.location == "/due?kind=silence"


def test_an_undo_leads_to_no_other_site(client, bureau):
    enterprise_id = make_enterprise(address="一号路")
    with unit_of_work():
        written = edit_enterprise(enterprise_id, {"address": "二号路"}, version=1, act=act(bureau))

    answer = post(client, f"/changes/{written.change_set_id}/undo", {"back": "//example.org/"})

    assert answer.location == f"/enterprises/{enterprise_id}"


def test_a_corrected_title_is_told_with_a_readable_moment(client, bureau):
    enterprise_id = make_enterprise(titles=[("hnte", TODAY.replace(year=2025), None)])
    old = qualifications_of(enterprise_id)[0]
    with unit_of_work():
        correct_qualification(old.id, {"number": "GR202551100001"}, version=old.version, act=act(bureau))

    page = client.get(f"/enterprises/{enterprise_id}?tab=history").text

    assert "2026-11-23 10:00" in page
    assert "T02:00:00" not in page


def test_no_noun_of_the_history_is_a_machines_word(client, bureau):
    enterprise_id = make_enterprise()
    values = {"kind": "visit", "happened_on": TODAY, "text": "看了新线。", "next_step": "送表样", "next_step_on": TODAY}
    with unit_of_work():
        period = str(log_service([enterprise_id], values, act=act(bureau)).ids["service_log"])
    with unit_of_work():
        written = settle(enterprise_id, "next_step", period, act=act(bureau))

    history = client.get(f"/enterprises/{enterprise_id}?tab=history").text
    preview = client.get(f"/changes/{written.change_set_id}/undo").text

    assert "到期事项办结" in history
    assert "obligation_outcome" not in re.sub(r"<[^>]+>", "", history)
    assert "到期事项登记" in preview


def edited_log(bureau) -> tuple[int, int]:
    """A visit whose text the bureau mended: the enterprise and the log."""
    firm = make_enterprise()
    values = {"happened_on": TODAY, "kind": "visit", "text": "看了车间。"}
    with unit_of_work():
        log_id = log_service([firm], values, act=act(bureau)).ids["service_log"]
    with unit_of_work():
        edit_service_log(log_id, [firm], {**values, "text": "看了新烘干线。"}, version=1, act=act(bureau))
    return firm, log_id


def test_an_edited_visit_stands_in_the_history_of_its_firm_with_both_texts(client, bureau):
    firm, _ = edited_log(bureau)

    page = client.get(f"/enterprises/{firm}?tab=history").text.partition('aria-label="变更史"')[2]

    assert "修改服务记录" in page.split("记一次走访")[0] and "看了新烘干线。" in page.split("记一次走访")[0]
    assert "看了车间。" in page.split("记一次走访")[1]


def test_everything_done_is_listed_and_can_be_taken_back(client, bureau):
    firm = make_enterprise("巫溪县青禾食品有限公司")
    with unit_of_work():
        withdraw_enterprise(firm, version=1, act=act(bureau))
    with unit_of_work():
        change_settings(county().id, {"silence_days": 30}, seen={}, act=act(bureau))

    page = client.get("/changes").text
    undo = re.findall(r'href="(/changes/\d+/undo)"', page)
    post(client, undo[1], {"confirmed": "1"})

    assert "修改设置" in page and "设置 1 条" in page
    assert "巫溪县科学技术局" in page
    assert '巫溪县青禾食品有限公司<span class="mute">（已撤下）</span>' in page
    assert client.get(f"/enterprises/{firm}").status_code == 200
    assert "已撤销" in client.get("/changes").text


def test_a_case_manager_sees_only_the_own_deeds_and_another_district_none(sqlite_app, client, bureau):
    manager = make_user("xianghe", "case_manager", name="向禾")
    make_user("fremd", "bureau", name="外人", region=county(OTHER))
    for person, name in ((bureau, "甲"), (manager, "乙")):
        with unit_of_work():
            create_enterprise(county().id, {"name": f"巫溪县{name}食品有限公司"}, act=act(person))

    def seen(login: str) -> list[str]:
        browser = sqlite_app.test_client()
        sign_in(browser, login)
        return re.findall(r"巫溪县(.)食品", browser.get("/changes").text)

    assert (seen("tanyue"), seen("xianghe"), seen("fremd")) == (["乙", "甲"], ["乙"], [])


def test_the_list_asks_as_often_for_three_as_for_one(client, bureau):
    with unit_of_work():
        create_enterprise(county().id, {"name": "巫溪县甲食品有限公司"}, act=act(bureau))
    client.get("/changes")
    one = queries(client, "/changes")
    for name in "乙丙":
        with unit_of_work():
            create_enterprise(county().id, {"name": f"巫溪县{name}食品有限公司"}, act=act(bureau))
    client.get("/changes")

    assert queries(client, "/changes") == one


def test_the_history_of_a_view_says_old_and_new_in_words_and_is_its_owners(sqlite_app):
    make_user("tanyue", "bureau", name="谭越")
    make_user("liao", "leader")
    mine, leader = sqlite_app.test_client(), sqlite_app.test_client()
    sign_in(mine, "tanyue")
    sign_in(leader, "liao")
    given = {"page": "enterprises", "name": "旧名", "query": "", "shared": "all"}
    post(mine, "/views", given)
    view = db.session.scalar(select(SavedView.id))
    page = mine.get(f"/views/{view}").text
    mine.post(f"/views/{view}", data={**form_on(page, f"/views/{view}"), "name": "新名"})

    told = mine.get(f"/changes/saved_view/{view}").text

    assert "<del>旧名</del>" in told
    assert "<ins>新名</ins>" in told
    assert "给所有人" in told
    assert leader.get(f"/changes/saved_view/{view}").status_code == 403
    assert mine.get("/changes/credential/1").status_code == 404
