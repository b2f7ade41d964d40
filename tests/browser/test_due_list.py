"""The due list in a browser without a mouse: rows given to a colleague and back, a deadline in its place."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from crm.cli.demo_shapes import PASSWORD
from crm.domain.clock import SHANGHAI
from tests.browser.conftest import Stack, sign_in


@pytest.fixture(scope="module")
def stack(demo_stack) -> Stack:
    return demo_stack


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_rows_are_chosen_given_away_and_a_deadline_is_changed_by_keyboard(open_page):
    page = open_page()
    sign_in(page, "tanyue", PASSWORD)
    page.goto("/due?kind=next_step&sort=due%2Cname")
    listed = page.url
    press(page, "j", "x", "j", "x")
    bar = page.get_by_role("toolbar", name="已选事项")
    expect(bar).to_contain_text("已选 2 项")

    bar.get_by_role("button", name="交办").focus()
    press(page, "Enter")
    page.get_by_label("交办给").focus()
    press(page, "End")
    page.get_by_role("button", name="预览", exact=True).focus()
    press(page, "Enter")
    # One of the two may be that colleague's already.
    page.locator("button[name=step][value=write]").focus()
    press(page, "Enter")
    toast = page.get_by_role("status").filter(has_text="已交办")
    expect(toast).to_be_visible()
    expect(bar).to_be_hidden()
    toast.get_by_role("button", name="撤销").focus()
    press(page, "Enter")
    expect(page.get_by_role("status").filter(has_text="已撤销")).to_be_visible()
    assert page.url == listed

    row = page.locator("tr[data-row]").first
    press(page, "j", "e")
    expect(row.get_by_label("期限改到")).to_be_focused()
    page.keyboard.type("2099-12-31")
    press(page, "Enter")
    expect(row.get_by_text("太远")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type((datetime.now(SHANGHAI).date() + timedelta(days=20)).isoformat())
    press(page, "Enter")
    expect(page.get_by_role("status").filter(has_text="已改期到")).to_be_visible()
    expect(row).to_contain_text("剩")
    press(page, "Enter")
    expect(page.locator("[data-panel]")).to_contain_text("已改期，原期限")
