"""The list of enterprises in a browser: without a mouse, across pages, two people at one cell, and on the phone."""

import pytest
from playwright.sync_api import Page, expect

from crm.cli.demo_shapes import PASSWORD
from tests.browser.conftest import Stack, sign_in

CONTACTS = "/enterprises?columns=contact_name&columns=township"


@pytest.fixture(scope="module")
def stack(demo_stack) -> Stack:
    return demo_stack


@pytest.fixture
def page(open_page) -> Page:
    page = open_page()
    sign_in(page, "tanyue", PASSWORD)
    return page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_firms_are_found_chosen_changed_and_changed_back_without_a_mouse(page):
    page.goto("/enterprises?columns=industry")
    press(page, "/")
    page.keyboard.type("食品")
    press(page, "Enter")
    page.wait_for_url("**q=*")
    listed = page.url
    press(page, "j", "x", "j", "x")
    bar = page.get_by_role("toolbar", name="已选企业")
    expect(bar).to_contain_text("已选 2 家")

    press(page, "m")
    expect(page.get_by_role("button", name="乡镇（考核）", exact=True)).to_be_focused()
    page.get_by_role("button", name="特色产业", exact=True).focus()
    press(page, "Enter")
    page.get_by_label("特色产业改成").focus()
    press(page, "End")
    label = page.get_by_label("特色产业改成").evaluate("one => one.selectedOptions[0].textContent")
    page.get_by_role("button", name="预览", exact=True).focus()
    press(page, "Enter")
    button = page.get_by_role("button", name="改 2 家的特色产业")
    button.focus()
    press(page, "Enter")

    toast = page.get_by_role("status").filter(has_text="已改 2 家的特色产业")
    expect(toast).to_be_visible()
    assert "q=" in page.url
    assert "columns=industry" in page.url
    assert page.locator("tbody td", has_text=label).count() >= 2
    expect(bar).to_be_hidden()
    toast.get_by_role("button", name="撤销").focus()
    press(page, "Enter")
    expect(page.get_by_role("status").filter(has_text="已撤销")).to_be_visible()
    assert page.url == listed


def test_a_cell_is_edited_by_keyboard_and_the_next_one_after_it(page):
    page.goto(CONTACTS)
    press(page, "j", "j", "e")
    editor = page.locator("[data-editor]")
    expect(editor.get_by_label("联系人")).to_be_focused()

    page.keyboard.type("言试")
    press(page, "Tab")
    expect(page.locator("tr.on [data-cell=contact_name]")).to_have_text("言试")
    expect(editor.get_by_label("乡镇（考核）")).to_be_focused()
    press(page, "Escape")

    expect(editor).to_have_count(0)
    toast = page.get_by_role("status").filter(has_text="的联系人：言试")
    expect(toast).to_contain_text("撤销（")
    toast.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("status").filter(has_text="已撤销")).to_be_visible()
    expect(page.get_by_text("言试")).to_have_count(0)


def test_two_people_at_one_cell_choose_in_the_cell(open_page):
    mine, theirs = open_page(), open_page()
    for one in (mine, theirs):
        sign_in(one, "tanyue", PASSWORD)
        one.goto(CONTACTS)
        one.locator("[data-cell=contact_name]").nth(3).dblclick()
        expect(one.locator("[data-editor]")).to_be_visible()
    theirs.keyboard.type("她改的")
    press(theirs, "Enter")
    expect(theirs.locator("[data-editor]")).to_have_count(0)

    mine.keyboard.type("我改的")
    press(mine, "Enter")

    choice = mine.locator(".cell-clash")
    expect(choice).to_contain_text("她改的")
    expect(choice).to_contain_text("我改的")
    choice.get_by_label("留现在的").check()
    mine.get_by_role("button", name="保存", exact=True).click()
    expect(mine.locator("[data-cell=contact_name]").nth(3)).to_have_text("她改的")


def test_an_answer_that_never_came_keeps_the_typed_text_in_the_cell(page):
    page.goto(CONTACTS)
    press(page, "j", "e")
    expect(page.locator("[data-editor]")).to_be_visible()
    page.keyboard.type("没信号")
    page.route("**/cells/**", lambda route: route.fulfill(status=408))

    press(page, "Enter")

    expect(page.locator("[data-lost]")).to_contain_text("没有存上")
    assert page.locator("[data-editor] [name=contact_name]").input_value() == "没信号"
    page.unroute("**/cells/**")
    press(page, "Escape")


def test_what_was_chosen_survives_turning_the_page_and_all_means_all(page):
    page.goto("/enterprises")
    bar = page.get_by_role("toolbar", name="已选企业")
    page.locator("tbody [name=pick]").nth(0).check()
    page.get_by_role("link", name="下一页").click()
    page.locator("tbody [name=pick]").nth(0).check()
    page.locator("tbody [name=pick]").nth(4).click(modifiers=["Shift"])
    expect(bar).to_contain_text("已选 6 家")

    page.get_by_role("link", name="上一页").click()
    expect(bar).to_contain_text("已选 6 家")
    expect(page.locator("tbody [name=pick]").nth(0)).to_be_checked()
    bar.get_by_label("选中全部").check()
    page.locator("tbody [name=pick]").nth(2).uncheck()
    total = int(page.locator("[data-grid]").get_attribute("data-total"))
    expect(bar).to_contain_text(f"已选 {total - 1} 家")
    bar.get_by_role("button", name="指派专员").click()

    expect(page.get_by_role("heading")).to_contain_text(f"{total - 1} 家")


def test_a_second_order_is_added_with_shift_and_columns_are_moved(page):
    page.goto("/enterprises?q=食品")
    page.get_by_role("link", name="乡镇（考核）").click()
    page.get_by_role("link", name="特色产业").click(modifiers=["Shift"])
    page.wait_for_url("**sort=township%2Cindustry**")
    page.locator("summary", has_text="列").click()
    page.get_by_role("button", name="资格往前移", exact=True).click()
    page.get_by_role("button", name="用这些列").click()

    page.wait_for_url("**columns=titles&columns=code**")
    assert "q=" in page.url
    assert "sort=township" in page.url
    expect(page.locator("th[aria-sort]")).to_have_count(2)


def test_the_phone_keeps_the_views_and_never_scrolls_sideways(open_page):
    page = open_page(390, 844)
    sign_in(page, "tanyue", PASSWORD)
    page.goto(
        "/enterprises?" + "&".join(f"columns={c}" for c in ("code", "titles", "due", "notes", "address", "capital"))
    )
    expect(page.locator("summary", has_text="存为视图")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
