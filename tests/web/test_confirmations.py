"""The township's desk: one page a month, kept as one goes, resumable; what the office sees of it."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from crm.extensions import db
from crm.store.confirmations import Confirmation
from tests.builders import make_enterprise, make_user, township
from tests.web.conftest import post, queries, sign_in
from tests.web.pages import form_on


class World:
    def __init__(self, app) -> None:
        self.app = app
        self.manager = make_user("luosheng", "case_manager", name="罗笙")
        for login, name in (("qindi", "秦笛"), ("suyu", "苏屿")):
            make_user(login, "township", name=name, region=township())
        make_user("tanyue", "bureau", name="谭越")
        self.firms = [self.firm(f"第{n:02}") for n in range(3)]

    def firm(self, name: str) -> int:
        own = {"manager": self.manager.user_id, "township": township().id}
        return make_enterprise(f"巫溪县{name}食品有限公司", contact_phone="023-00000001", **own)

    def client(self, login: str):
        client = self.app.test_client()
        sign_in(client, login)
        return client


@pytest.fixture
def world(sqlite_app) -> World:
    return World(sqlite_app)


def checked(page: str) -> dict[str, str]:
    """What a browser would send of the page: a radio counts when it is checked."""
    found = form_on(page, "/confirmations")
    return {**found, **dict(re.findall(r'name="(answer-\d+)"[^>]*value="(\w+)" checked', page))}


def answers() -> dict[int, tuple[str, str | None]]:
    db.session.rollback()
    return {row.enterprise_id: (row.answer, row.note) for row in db.session.scalars(select(Confirmation))}


def test_the_desk_is_the_page_and_one_press_confirms_everything(world):
    clerk = world.client("qindi")
    page = clerk.get("/").text
    assert "已确认 0/3" in page and "023-00000001" in page

    answer = clerk.post("/confirmations", data=checked(page))

    assert answer.headers["Location"] == "/"
    assert "已确认 3/3，这个月不用再做" in clerk.get("/").text
    assert set(answers().values()) == {("same", None)}


def test_what_changed_is_told_and_what_is_wrong_comes_back_as_it_was_typed(world):
    clerk, manager = world.client("qindi"), world.client("luosheng")
    first, second, _ = world.firms
    page = {**checked(clerk.get("/").text), f"answer-{first}": "changed", f"answer-{second}": "closed"}

    refused = clerk.post("/confirmations", data={**page, f"note-{second}": "牌子摘了"})
    back = checked(refused.text)
    assert refused.status_code == 422 and "写一句变了什么" in refused.text
    assert (back[f"answer-{second}"], back[f"note-{second}"]) == ("closed", "牌子摘了")
    assert answers() == {}

    saved = clerk.post("/confirmations", data={**back, f"note-{first}": "电话换了"})
    assert saved.status_code == 302
    assert answers()[first] == ("changed", "电话换了")
    assert "11 月确认：有变化，电话换了" in manager.get("/notices").text
    assert re.search(
        r"乡镇说有变化</td><td class=\"n\"><a href=\"/confirmations\?show=open\" class=\"b\">2<", manager.get("/").text
    )
    overview = world.client("tanyue").get("/confirmations").text
    assert "牌子摘了" in overview and "凤凰镇" in overview


def test_two_clerks_at_one_page_overwrite_nothing(world):
    mine, theirs = world.client("qindi"), world.client("suyu")
    firm = world.firms[0]
    page, same_page = checked(mine.get("/").text), checked(theirs.get("/").text)
    theirs.post("/confirmations", data={**same_page, f"answer-{firm}": "moved", f"note-{firm}": "去了县城"})

    clash = mine.post("/confirmations", data=page)
    assert clash.status_code == 409
    assert "苏屿 已答“已搬走：去了县城”，没有覆盖" in clash.text
    assert answers()[firm] == ("moved", "去了县城")

    assert mine.post("/confirmations", data=checked(clash.text)).status_code == 302
    assert answers()[firm] == ("same", None)


def test_a_page_that_is_left_is_taken_up_where_it_was(world):
    more = [world.firm(f"后{n:02}") for n in range(22)]
    clerk = world.client("qindi")
    clerk.post("/confirmations", data=checked(clerk.get("/").text))
    page = clerk.get("/").text

    assert "已确认 20/25" in page
    assert len(re.findall(r'class="conf-row', page)) == 5
    assert len(re.findall(r'class="conf-row', clerk.get("/confirmations?show=all").text)) == 20
    assert len(more) == 22


def test_hostile_notes_are_text_and_other_peoples_firms_are_not_found(world):
    clerk = world.client("qindi")
    firm = world.firms[0]
    elsewhere = make_enterprise("巫溪县远处食品有限公司", township=township("徐家镇").id)

    post(clerk, "/confirmations", {f"answer-{firm}": "changed", f"note-{firm}": "<script>\0甲"})
    assert answers()[firm] == ("changed", "<script>甲")
    assert "<script>甲" not in world.client("tanyue").get("/confirmations").text
    refused = post(clerk, "/confirmations", {f"answer-{elsewhere}": "same", "answer-x": "same", "answer-": "1"})
    assert refused.status_code == 422 and "找不到其中一家企业" in refused.text
    assert elsewhere not in answers()


@pytest.mark.parametrize("url", ["/", "/confirmations", "/confirmations?show=all"])
@pytest.mark.parametrize("login", ["qindi", "tanyue"])
def test_as_many_queries_for_six_firms_as_for_three(world, url, login):
    clerk, client = world.client("qindi"), world.client(login)
    client.get(url)
    three = queries(client, url)
    for n in range(3):
        world.firm(f"后{n}")
    client.get(url)

    assert queries(client, url) == three
    assert clerk.get(url).status_code == 200


def test_the_month_before_is_made_up_for_until_the_tenth_and_nobody_is_asked_who_missed_nothing(world, monday):
    clerk = world.client("qindi")
    clerk.post("/confirmations", data={k: v for k, v in checked(clerk.get("/").text).items() if not k.endswith("-1")})
    kept = len(answers())
    opened_late = checked(clerk.get("/confirmations").text)
    del opened_late["csrf_token"], opened_late["request_key"]
    monday.move_to(datetime(2026, 12, 3, 1, 0, tzinfo=UTC))
    sign_in(clerk, "qindi")

    offered = clerk.get("/").text
    page = clerk.get("/confirmations?month=2026-11").text
    late = clerk.post("/confirmations", data=checked(page))
    # A page of November that lay open is of November, also in December.
    again = post(clerk, "/confirmations", opened_late)

    assert kept < 3 and f"11 月还有 {3 - kept} 家没答，可以补到 12 月 10 日" in offered
    assert "补的是 11 月，按现在知道的答。" in page
    assert (late.status_code, again.status_code) == (302, 302)
    months = [row.month.month for row in db.session.scalars(select(Confirmation))]
    assert months == [11, 11, 11]
    assert "没答，可以补到" not in clerk.get("/").text
    monday.move_to(datetime(2026, 12, 11, 1, 0, tzinfo=UTC))
    sign_in(clerk, "qindi")
    closed = post(clerk, "/confirmations", opened_late)
    assert closed.status_code == 422 and "2026 年 11 月现在不能确认" in closed.text
