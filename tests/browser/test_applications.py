"""The board of applications worked by mouse and by key: a card goes where it may, and comes back where it may not."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in

DEMO_PASSWORD = "yanshi-2027-shanxi"


@pytest.fixture
def page(browser, demo_stack):
    context = browser.new_context(base_url=demo_stack.address, viewport={"width": 1440, "height": 900}, locale="zh-CN")
    complaints: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(opened, "tanyue", DEMO_PASSWORD)
    # Next year's windows alone: whose order nobody else of these tests moves.
    opened.goto("/applications?kind=hnte")
    yield opened
    context.close()
    assert complaints == []


def lane(page: Page, name: str):
    return page.get_by_role("region", name=name, exact=True)


def cards(page: Page, name: str) -> int:
    return lane(page, name).locator("article").count()


def test_a_card_is_dragged_where_it_may_go_and_comes_back_from_where_it_may_not(page):
    reserve, coaching = cards(page, "储备"), cards(page, "辅导")
    card = lane(page, "储备").locator("article").first
    name = card.locator("a.nm").inner_text()

    # Both lanes stand in sight: a page that scrolls under a pressed button would lift another card.
    card.locator("[data-grip]").drag_to(lane(page, "递交材料"))
    expect(page.get_by_role("alert")).to_contain_text("从“储备”不能到“递交材料”。可以到：辅导、网上申报、撤回。")
    assert (cards(page, "储备"), lane(page, "储备").locator("article").first.locator("a.nm").inner_text()) == (
        reserve,
        name,
    )

    card.locator("[data-grip]").drag_to(lane(page, "辅导"))
    expect(page.get_by_role("status")).to_contain_text("已到“辅导”")
    assert (cards(page, "储备"), cards(page, "辅导")) == (reserve - 1, coaching + 1)
    page.get_by_role("button", name=re.compile("撤销")).click()
    page.wait_for_url(re.compile("/applications"))
    assert (cards(page, "储备"), cards(page, "辅导")) == (reserve, coaching)


def test_a_card_is_moved_by_keys_alone_and_a_way_out_asks_for_its_reason(page):
    coaching = cards(page, "辅导")
    lane(page, "辅导").locator("article a.nm").first.focus()

    page.keyboard.press("m")
    page.wait_for_url(re.compile(r"/applications/\d+/step"))
    page.get_by_role("radio", name="撤回").check()
    page.get_by_role("button", name="记下这一步").press("Enter")
    expect(page.locator(".field-e")).to_contain_text("写明为什么撤回。")
    page.get_by_role("textbox", name="原因").fill("企业改报明年")
    page.get_by_role("button", name="记下这一步").press("Enter")

    expect(page.get_by_role("status")).to_contain_text("的申报已撤回")
    assert cards(page, "辅导") == coaching - 1
    page.get_by_role("button", name=re.compile("撤销")).click()
    page.wait_for_url(re.compile("/applications"))
    assert cards(page, "辅导") == coaching
