"""The demo county on a phone: nothing that a wide screen offers is out of reach at 390 px."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from crm.cli.demo_shapes import PASSWORD
from crm.web.enterprises.show import TABS
from tests.browser.conftest import Stack, sign_in
from tests.browser.ledger import write_ledger


@pytest.fixture(scope="module")
def stack(demo_stack) -> Stack:
    return demo_stack


@pytest.fixture
def phone(open_page) -> Page:
    page = open_page(390, 844)
    sign_in(page, "tanyue", PASSWORD)
    return page


def on_screen(element: Locator) -> bool:
    """Whole on the screen, and nothing lies over its middle."""
    return element.evaluate(
        """e => { e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect();
        const top = document.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2);
        return r.width > 0 && r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight
            && (e === top || e.contains(top)) }"""
    )


def test_the_filter_of_the_firms_is_a_sheet_over_the_screen(phone):
    phone.goto("/enterprises")

    phone.locator("summary").filter(has_text="加筛选").click()
    sheet = phone.locator(".filt .menu-b")
    apply = sheet.get_by_role("button", name="筛选", exact=True)
    assert [on_screen(part) for part in (sheet.locator("[name=township]"), apply)] == [True, True]
    sheet.locator("[name=state]").select_option("hnte:")
    apply.click()

    expect(phone).to_have_url(re.compile(r"state=hnte"))


def test_the_filter_of_the_due_list_is_a_sheet_that_closes_beside_itself(phone):
    phone.goto("/due")
    sheet = phone.locator(".filt .menu-b")

    assert on_screen(phone.locator("summary").filter(has_text="加筛选"))
    phone.locator("summary").filter(has_text="加筛选").click()
    assert on_screen(sheet.get_by_role("button", name="筛选", exact=True))
    phone.mouse.click(195, 60)

    expect(sheet).to_be_hidden()


def test_a_firm_is_found_from_the_list_and_from_any_page(phone):
    phone.goto("/enterprises")
    name = phone.locator("tbody .nm b").first.inner_text()
    box = phone.locator("main").get_by_role("searchbox", name=re.compile("找企业"))
    assert on_screen(box)
    box.fill(name)
    box.press("Enter")
    expect(phone.locator("tbody .nm b").first).to_have_text(name)

    phone.goto("/due")
    phone.get_by_text("更多", exact=True).click()
    box = phone.locator(".cp-more-list").get_by_role("searchbox")
    assert on_screen(box)
    box.fill(name)
    box.press("Enter")
    expect(phone.locator("tbody .nm b").first).to_have_text(name)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", ["本周邮件", "复制为文字"]),
        ("/enterprises", ["列", "导出"]),
        ("/due", ["导出"]),
        ("/board", ["表格"]),
        ("/imports", ["空白模板"]),
        ("/jobs", ["预览每周邮件"]),
    ],
)
def test_the_quiet_buttons_of_the_head_stand_behind_one_menu(phone, path, words):
    phone.goto(path)
    pressed = phone.locator(".cp-head :is(a, button, summary)")
    buttons = [pressed.filter(has_text=re.compile(rf"^\s*{word}")) for word in words]
    assert [button.is_visible() for button in buttons] == [False] * len(words)

    phone.locator(".cp-head").get_by_label("更多").click()

    assert [on_screen(button) for button in buttons] == [True] * len(words)


def test_the_columns_are_chosen_behind_the_menu(phone):
    phone.goto("/enterprises")
    phone.locator(".cp-head").get_by_label("更多").click()
    phone.locator(".cp-head summary").filter(has_text="列").click()
    phone.get_by_label("梯次", exact=True).check()

    assert on_screen(phone.get_by_role("button", name="用这些列"))
    phone.get_by_role("button", name="用这些列").click()

    expect(phone).to_have_url(re.compile("columns=rung"))


def test_the_menu_of_the_head_closes_with_escape_and_gives_the_focus_back(phone):
    phone.goto("/enterprises")
    menu = phone.locator(".cp-head").get_by_label("更多")

    menu.click()
    phone.keyboard.press("Tab")
    phone.keyboard.press("Escape")

    expect(phone.locator(".head-sheet")).to_be_hidden()
    expect(menu).to_be_focused()


OTHERS = ["/dictionaries/windows", "/dictionaries/holidays", "/jobs", "/pool", "/imports", "/users", "/settings"]
# Words and buttons that lie outside the screen; only the figures grid may scroll, one year beside the other.
OFF_SCREEN = """() => [...document.querySelectorAll("main td, main .btn, main h1, main h2")].filter((e) => {
  const r = e.getBoundingClientRect();
  return r.width && !e.closest(".figs") && (r.left < -1 || r.right > innerWidth + 1);
}).map((e) => e.textContent.trim().slice(0, 40))"""


def fullest_firm(page: Page) -> str:
    """The path of a firm with a certificate, whose tabs all have something to show."""
    page.goto("/enterprises?state=hnte:&sort=expiry")
    return page.locator("tbody a.nm").first.get_attribute("href")


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_a_file_fits_the_screen(phone, tab):
    phone.goto(f"{fullest_firm(phone)}?tab={tab}")

    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.evaluate(OFF_SCREEN) == []


@pytest.mark.parametrize("path", OTHERS)
def test_every_table_folds_into_the_screen(open_page, path):
    page = open_page(390, 844)
    sign_in(page, "tianyan" if path in ("/users", "/settings") else "tanyue", PASSWORD)

    page.goto(path)

    assert page.evaluate(OFF_SCREEN) == []


def test_the_settings_of_the_machine_fold_into_the_screen(open_page):
    page = open_page(390, 844)
    sign_in(page, "tianyan", PASSWORD)

    page.goto("/settings/infrastructure")

    assert page.evaluate(OFF_SCREEN) == []
    assert page.locator("tbody tr").first.bounding_box()["height"] < 110


def test_the_figures_begin_at_the_newest_year(phone):
    phone.goto(fullest_firm(phone))

    newest = phone.locator("#figures thead th").last
    assert newest.evaluate("e => e.getBoundingClientRect().right") <= 390
    assert phone.locator("#figures tbody td").first.evaluate("e => e.getBoundingClientRect().left") >= 0


def test_a_preview_has_one_bar_at_the_foot_of_the_phone(phone, tmp_path):
    phone.goto("/imports")
    phone.locator("input[type=file]").set_input_files(write_ledger(tmp_path / "企业台账2025.xlsx"))
    phone.get_by_role("button", name="上传并预览").click()
    confirm = phone.get_by_role("button", name=re.compile("确认导入"))
    expect(confirm).to_be_visible(timeout=60_000)

    assert phone.locator(".cp-tabbar").count() == 0
    assert on_screen(confirm)
    bar = phone.locator("form.foot").bounding_box()
    assert bar["height"] < 844 / 5
    assert bar["y"] + bar["height"] <= 845


@pytest.mark.parametrize("path", ["/nowhere", "/users"])
@pytest.mark.parametrize("width", [390, 1440])
def test_an_error_page_has_the_navigation_and_does_not_scroll(open_page, path, width):
    page = open_page(width, 844)
    sign_in(page, "tanyue", PASSWORD)

    page.goto(path)

    assert page.locator(".cp-nav" if width > 991 else ".cp-tabbar").is_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= 844
