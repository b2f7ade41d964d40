"""The desk without a mouse, and the desks that are a township's and a department's, for everybody's eyes."""

import pytest
from playwright.sync_api import Page, expect

from crm.cli.demo_shapes import PASSWORD
from tests.browser.conftest import Stack, run_stack, sign_in
from tests.browser.test_every_page import AXE, AXE_SAYS
from tests.browser.test_keys import press


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A demo county of its own: what is pressed here is gone from the desk."""
    yield from run_stack(tmp_path_factory.mktemp("desk"), lambda here: here.flask("demo", "--seed", "7"))


def tab_to(page: Page, words: str, most: int = 12) -> None:
    """Press Tab until something with these words is in focus."""
    for _ in range(most):
        if page.evaluate("document.activeElement.textContent.trim()") == words:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no {words} within {most} presses of Tab")


def walk_to(page: Page, verb: str) -> None:
    """Press j, and at the end of the lines k, until the row in hand has this verb."""
    for key in ["j"] * 30 + ["k"] * 30:
        press(page, key)
        if page.locator(".line.on .do").get_by_text(verb, exact=True).count():
            return
    raise AssertionError(f"no line with {verb}")


def test_a_day_s_lines_are_done_put_off_answered_and_logged_by_keyboard_alone(open_page, stack: Stack):
    page = open_page()
    page.goto("/sign-in")
    page.get_by_label("登录名").focus()
    page.keyboard.type("luosheng")
    press(page, "Tab")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    expect(page.locator("h1")).to_contain_text("今天要做的")
    # The first toast of the day, if there is one, is not what u takes back.
    name = page.locator(".today .line .nm").first.inner_text()

    walk_to(page, "办结")
    tab_to(page, "办结")
    press(page, "Enter")
    expect(page.locator(".line.settled")).to_contain_text("已办结")
    assert page.evaluate("!!document.activeElement.closest('.line.settled')")
    press(page, "u")
    page.wait_for_load_state()
    expect(page.locator(".today .line .nm").first).to_have_text(name)

    walk_to(page, "改期")
    tab_to(page, "改期")
    press(page, "Enter", "Tab", "Enter")
    tab_to(page, "改期")
    press(page, "Enter")
    expect(page.locator(".line.settled")).to_contain_text("已改期")

    walk_to(page, "回复")
    tab_to(page, "回复")
    press(page, "Enter", "Tab")
    page.keyboard.type("已和部门对接，下周给企业答复。")
    press(page, "Tab", "Enter")
    expect(page.locator(".line.settled").filter(has_text="已回复")).to_be_visible()

    walk_to(page, "记一次")
    tab_to(page, "记一次")
    press(page, "Enter", "Tab", "Tab")
    page.keyboard.type("电话问了近况。")
    press(page, "Tab", "Enter")
    expect(page.locator(".line.settled").filter(has_text="电话问了近况")).to_be_visible()

    press(page, "g", "n")
    page.wait_for_url("**/notices")


def test_a_township_confirms_its_month_by_keyboard(open_page, stack: Stack):
    page = open_page()
    sign_in(page, "qindi", PASSWORD)
    before = page.locator("h1").inner_text()
    first = page.locator(".conf-row").first
    first.locator("input[type=radio]:checked").focus()

    press(page, "ArrowRight", "Tab")
    page.keyboard.type("电话换了")
    page.get_by_role("button", name="确认这").focus()
    press(page, "Enter")

    expect(page.locator("#toasts")).to_contain_text("已确认")
    press(page, "u")
    page.wait_for_load_state()
    expect(page.locator("h1")).to_have_text(before)


@pytest.mark.parametrize(("width", "height", "look"), [(1440, 900, "light"), (390, 844, "dark")], ids=["desk", "phone"])
def test_each_role_s_desk_is_for_everybody_and_within_its_screen(open_page, stack: Stack, width, height, look):
    wrong: dict[str, list[str]] = {}
    for login in ("luosheng", "qindi", "yueheng", "liaoheng"):
        page = open_page(width, height)
        page.emulate_media(color_scheme=look)
        sign_in(page, login, PASSWORD)
        menu = page.locator(".line .menu summary").first
        if menu.count():
            menu.click()
        page.evaluate(AXE.read_text())
        said = page.evaluate(AXE_SAYS)
        if said or page.evaluate("document.documentElement.scrollWidth") > width:
            wrong[login] = said

    assert wrong == {}
