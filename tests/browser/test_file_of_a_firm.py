"""The file of one firm of the demo county, opened from a list: the place in that list stays with every tab."""

import re

import pytest
from playwright.sync_api import expect

from crm.cli.demo_shapes import PASSWORD
from tests.browser.conftest import Stack, sign_in


@pytest.fixture(scope="module")
def stack(demo_stack) -> Stack:
    return demo_stack


@pytest.mark.parametrize("query", ["", "?rung=1"], ids=["whole_list", "filtered"])
def test_the_place_in_the_list_stays_with_every_tab(open_page, query):
    page = open_page()
    sign_in(page, "tanyue", PASSWORD)
    page.goto(f"/enterprises{query}")
    third = page.locator("tbody a.nm").nth(2).get_attribute("href")

    page.locator("tbody a.nm").nth(1).click()
    place = page.locator(".cp-crumb")
    expect(place).to_contain_text("第 2 家，共")
    page.get_by_role("navigation", name="档案分页").get_by_text(re.compile("^资格")).click()
    expect(page).to_have_url(re.compile("tab=titles"))
    expect(place).to_contain_text("第 2 家，共")
    page.get_by_label("下一家").click()

    expect(page).to_have_url(re.compile(f"{third}\\?tab=titles"))
    expect(place).to_contain_text("第 3 家，共")
