"""The demo county at several widths: what is drawn stays where it belongs."""

import pytest
from playwright.sync_api import Page

from crm.cli.demo_shapes import PASSWORD
from tests.browser.conftest import Stack, sign_in

WIDTHS = [1920, 1440, 1366, 1024, 390]


@pytest.fixture(scope="module")
def stack(demo_stack) -> Stack:
    return demo_stack


def signed_in(open_page, width: int, login: str = "tanyue") -> Page:
    page = open_page(width, 844 if width < 768 else 900)
    sign_in(page, login, PASSWORD)
    return page


# Texts of the time line that are cut, or that lie over today, over a window or over the end of a bar.
WRONG_LABELS = """() => {
  const svg = [...document.querySelectorAll("svg.tl")].find((s) => s.getClientRects().length);
  const box = (e) => e.getBoundingClientRect();
  const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const all = box(svg);
  return [...svg.querySelectorAll("text")].filter((text) => {
    const t = box(text);
    if (t.left < all.left - 1 || t.right > all.right + 1) return true;
    if ([...svg.querySelectorAll("line.now, rect.dash")].some((e) => meets(t, box(e)))) return true;
    const within = (e) => t.left >= box(e).left && t.right <= box(e).right + 1;
    return [...svg.querySelectorAll("rect")].some((e) => meets(t, box(e)) && !within(e));
  }).map((text) => text.textContent);
}"""


@pytest.mark.parametrize("width", [1440, 1280, 390, 360])
def test_labels_of_the_time_line_are_whole_and_over_nothing(open_page, width):
    page = signed_in(open_page, width)
    page.goto("/enterprises?state=hnte:&sort=expiry")
    firms = page.locator("tbody a.nm")
    paths = [firms.nth(n).get_attribute("href") for n in range(min(6, firms.count()))]
    assert paths

    for path in paths:
        page.goto(path)
        assert page.evaluate(WRONG_LABELS) == []
        assert page.locator("svg.tl:visible text").count() > 1


# What a closed menu holds has a box as well, but nobody sees it.
STICKING_OUT = """() => [...document.querySelectorAll(".lane *")].filter((e) => e.checkVisibility()).filter((e) => {
  const r = e.getBoundingClientRect(), around = e.parentElement.closest(".card-e, .lane").getBoundingClientRect();
  return r.width && (r.right > around.right + 1 || r.left < around.left - 1);
}).map((e) => e.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["欧阳靖远", "阿卜杜热合曼·买买提艾力"], ids=["four_characters", "long"])
def test_nothing_sticks_out_of_a_card_or_a_lane(open_page, width, name):
    page = signed_in(open_page, width)
    page.goto("/board")

    page.evaluate(
        """name => document.querySelectorAll(".card-e").forEach((card) => {
        const who = card.querySelector(".ft > :last-child > :last-child") || card.querySelector(".ft > :last-child");
        who.textContent = name; })""",
        name,
    )

    assert page.locator(".card-e").count() > 10
    assert page.evaluate(STICKING_OUT) == []


@pytest.mark.parametrize("path", ["/board", "/enterprises?view=hnte_year", "/due"])
def test_a_print_has_its_day_no_buttons_and_the_layout_of_a_wide_screen(open_page, path):
    page = signed_in(open_page, 1440)
    page.goto(path)

    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})

    assert page.locator("p.cp-print").inner_text().startswith("截至 20")
    assert page.locator("footer.cp-print").inner_text().count(":") == 1
    assert page.locator(".cp-tabbar, .cp-nav, .head-more").locator("visible=true").count() == 0
    assert page.evaluate("getComputedStyle(document.querySelector('main')).paddingBottom") == "0px"
    assert page.locator(".hide-s").locator("visible=true").count() > 0


def test_dark_is_chosen_on_this_machine_and_stays(open_page):
    page = signed_in(open_page, 1440)
    page.goto("/account")
    theme = "document.documentElement.getAttribute('data-bs-theme')"
    assert page.evaluate(theme) == "light"

    page.get_by_role("button", name="深色").click()
    page.goto("/enterprises")

    assert page.evaluate(theme) == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
