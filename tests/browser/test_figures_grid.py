"""The grid of figures by keyboard, as a sheet; a block from the clipboard; two browsers at one cell."""

import re

import pytest
from playwright.sync_api import expect

from crm.cli.demo_shapes import PASSWORD
from tests.browser.conftest import Stack, sign_in


@pytest.fixture(scope="module")
def stack(demo_stack) -> Stack:
    return demo_stack


def cell(page, code: str, year: int):
    heads = page.locator(".figs thead th").all_inner_texts()
    return page.locator(f"tr[data-code={code}] > *").nth(heads.index(str(year)))


def grid_of_the_first_firm(page, login: str) -> None:
    """The first of those whose figures this person may see and write."""
    sign_in(page, login, PASSWORD)
    page.goto("/enterprises?q=果酒" if login == "tanyue" else "/enterprises?manager=me")
    page.locator("tbody a.nm").first.click()
    page.get_by_role("navigation", name="档案分页").get_by_text("年度指标").click()
    expect(page.locator("[data-figures]")).to_be_visible()


def paste(page, text: str) -> None:
    """As the browser delivers it; a headless one has no clipboard of its own."""
    page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const told = { clipboardData: data, bubbles: true, cancelable: true };
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", told));
        }""",
        text,
    )


def test_figures_are_typed_by_keyboard_alone_and_taken_back(open_page):
    page = open_page()
    grid_of_the_first_firm(page, "tanyue")
    cell(page, "revenue", 2024).click()
    page.keyboard.type("1234.5")
    page.keyboard.press("Enter")
    expect(cell(page, "revenue", 2024)).to_have_text("1,234.5")
    expect(cell(page, "sales", 2024)).to_be_focused()

    page.keyboard.type("40x")
    page.keyboard.press("Tab")
    expect(page.locator("[data-figure-said]")).to_contain_text("“40x”不是金额。改成数字")
    expect(cell(page, "sales", 2024)).to_contain_text("40x")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(cell(page, "sales", 2024)).not_to_contain_text("40x")

    page.get_by_role("button", name=re.compile("撤销")).click()
    expect(page.get_by_text(re.compile("^已撤销："))).to_be_visible()
    expect(cell(page, "revenue", 2024)).not_to_have_text("1,234.5")


def test_a_block_from_excel_goes_through_its_preview_and_is_taken_back_in_one_click(open_page):
    page = open_page()
    grid_of_the_first_firm(page, "tanyue")
    before = cell(page, "staff_count", 2023).inner_text()
    cell(page, "revenue", 2023).click()

    paste(page, "指标（万元）\t2023年\t2024年\r\n营业收入\t777\t888\r\n从业人员\t3\t\r\n")
    expect(page.get_by_role("heading", name="粘贴预览")).to_be_visible()
    page.get_by_role("button", name="写入 3 格").click()
    expect(cell(page, "revenue", 2024)).to_have_text("888.0")
    page.get_by_role("button", name=re.compile("撤销")).click()

    expect(page.get_by_text(re.compile("^已撤销："))).to_be_visible()
    expect(cell(page, "staff_count", 2023)).to_have_text(before)


def test_two_browsers_at_one_cell_choose(open_page):
    first, second = open_page(), open_page()
    grid_of_the_first_firm(second, "ranqing")
    sign_in(first, "tanyue", PASSWORD)
    first.goto(second.url)
    for page, text in ((first, "11"), (second, "22")):
        cell(page, "rd_staff_count", 2023).click()
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        page.wait_for_timeout(400)

    expect(second.locator("[data-figure-said]")).to_contain_text("现在库里 11 人（谭越")
    second.get_by_role("button", name="用我的").click()

    expect(second.get_by_text("已保存 2023 年研发人员")).to_be_visible()
    first.reload()
    expect(cell(first, "rd_staff_count", 2023)).to_have_text("22")
