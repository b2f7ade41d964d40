"""The day a colleague leaves: all her firms and tasks go to two others with a note, and come back with one press."""

import re

import pytest
from playwright.sync_api import Page, expect

from crm.cli.demo_shapes import PASSWORD
from tests.browser.conftest import Stack, sign_in
from tests.browser.test_wednesday import DESK, PHONE, Clicks

NOTE = "调到县政府办，红池坝的三家正在准备高企材料"


@pytest.fixture(scope="module")
def stack(demo_stack) -> Stack:
    return demo_stack


def in_hand(page: Page) -> str:
    """How many enterprises the list of people says 罗笙 has."""
    page.goto("/handovers")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="罗笙", exact=True))
    return re.search(r"(\d+) 家", row.inner_text())[1] if row.count() else "0"


def typed_if_asked(page: Page, count: str) -> None:
    """The number is asked for above 50 enterprises."""
    asked = page.get_by_label(re.compile("填要交接的家数"))
    assert asked.count() == (int(count) > 50)
    if asked.count():
        asked.fill(count)


@pytest.mark.parametrize(("width", "expected"), [(DESK, 4), (PHONE, 5)], ids=["desk", "phone"])
def test_all_her_firms_and_tasks_go_to_two_others_in_four_clicks_and_come_back_in_one(open_page, width, expected):
    page = open_page(width, 844)
    sign_in(page, "tanyue", PASSWORD)
    before = in_hand(page)
    page.goto("/")
    click = Clicks()

    if width == PHONE:
        click(page.locator(".cp-more > summary"))
    click(page.get_by_role("link", name="交接", exact=True).locator("visible=true"))
    page.get_by_label("谁要走").press_sequentially("luosheng")
    page.keyboard.press("Enter")
    click(page.get_by_text(re.compile("^陈述现有")))
    expect(page.get_by_role("button", name=f"交接 {before} 家")).to_be_visible()
    click(page.get_by_text(re.compile("^黎舟现有")))
    shares = page.get_by_role("region", name="谁接什么")
    expect(shares.get_by_role("row").filter(has_text="黎舟")).to_be_visible()
    counts = [int(n) for n in re.findall(r"(\d+) 家", shares.locator("tbody").inner_text().replace("现有", ""))]
    page.get_by_role("textbox", name="说明").fill(NOTE)
    typed_if_asked(page, before)
    click(page.get_by_role("button", name=f"交接 {before} 家"))

    toast = page.locator("[data-toast]")
    expect(toast).to_contain_text(f"罗笙的 {before} 家企业")
    assert click.count == expected
    assert sum(counts) == int(before)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    toast.get_by_role("button", name=re.compile("撤销")).click()
    expect(page.locator("[data-toast]").last).to_contain_text("已撤销")
    assert in_hand(page) == before


def test_the_history_keeps_her_name_and_the_receiver_is_told(open_page):
    page = open_page()
    sign_in(page, "tanyue", PASSWORD)
    page.goto("/handovers?q=罗笙")
    page.get_by_text(re.compile("^陈述现有")).click()
    firm = page.get_by_role("region", name="企业").locator("tbody a.nm").first
    name, address = firm.inner_text(), firm.get_attribute("href")
    total = re.search(r"\d+", page.get_by_role("button", name=re.compile(r"^交接 \d+ 家")).inner_text())[0]
    page.get_by_role("textbox", name="说明").fill(NOTE)
    typed_if_asked(page, total)
    page.get_by_role("button", name=f"交接 {total} 家").click()
    undo = page.locator("[data-toast] form").get_attribute("action")

    receiver = open_page()
    sign_in(receiver, "chenshu", PASSWORD)
    receiver.goto("/notices")
    expect(receiver.locator("main")).to_contain_text(f"把罗笙的 {total} 家企业")
    expect(receiver.locator("main")).to_contain_text(NOTE)
    receiver.goto(address)
    expect(receiver.locator("h1")).to_contain_text(name.removeprefix("巫溪县"))
    receiver.goto(f"{address.partition('?')[0]}?tab=belongs")
    belongs = receiver.get_by_role("region", name="归属", exact=True)
    expect(belongs.get_by_role("row").filter(has_text="罗笙")).to_be_visible()

    page.goto(undo)
    page.get_by_role("button", name=re.compile("^撤销")).last.click()
    expect(page.locator("[data-toast]").last).to_contain_text("已撤销")
