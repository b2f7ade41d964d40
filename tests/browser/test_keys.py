"""The demo county without a mouse: the due list and its panel, the board, the desk, and the list of the keys."""

import pytest
from playwright.sync_api import Page, expect

from crm.cli.demo_shapes import PASSWORD
from tests.browser.conftest import Stack, sign_in

FOCUSED_ROW = "document.activeElement.closest('[data-row]')?.querySelector('.nm').textContent"


# The class of the box that cuts the ring of what is in focus.
CLIPPED = """() => {
  const link = document.activeElement, look = getComputedStyle(link), r = link.getBoundingClientRect();
  if (!link.matches("a.nm")) return "no name in focus";
  const ring = parseFloat(look.outlineWidth) + parseFloat(look.outlineOffset) - 0.5;
  for (let box = link.parentElement; !box.matches("main"); box = box.parentElement) {
    const b = box.getBoundingClientRect();
    const cuts = r.top - ring < b.top || r.left - ring < b.left || r.bottom + ring > b.bottom;
    if (getComputedStyle(box).overflow !== "visible" && cuts) return box.className;
  }
  return "";
}"""


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


def test_enter_leads_into_the_panel_and_escape_back_to_its_row(page):
    page.goto("/due")
    panel = page.locator("[data-panel]")

    press(page, "j", "j")
    name = page.evaluate(FOCUSED_ROW)
    press(page, "Enter")
    expect(panel).to_be_focused()
    assert name in panel.inner_text()
    press(page, "Escape")

    expect(panel).to_have_count(0)
    assert page.evaluate(FOCUSED_ROW) == name


def test_walking_the_rows_takes_the_open_panel_along(page):
    page.goto("/due")
    panel = page.locator("[data-panel]")
    press(page, "j", "Enter")
    expect(panel).to_be_focused()

    press(page, "j", "j")

    row = page.locator("tr[data-row]").nth(2)
    expect(row).to_have_attribute("aria-selected", "true")
    expect(panel).to_contain_text(row.locator(".nm").inner_text())
    assert page.locator("tr[aria-selected]").count() == 1


def test_the_cross_of_the_panel_gives_the_focus_back_to_the_row(page):
    page.goto("/due")
    press(page, "j", "Enter")
    expect(page.locator("[data-panel]")).to_be_focused()
    name = page.locator("[data-panel] .nm").inner_text()

    press(page, "Tab", "Enter")

    expect(page.locator("[data-panel]")).to_have_count(0)
    assert page.evaluate(FOCUSED_ROW) == name


def test_a_panel_opened_by_its_address_takes_the_focus_and_gives_it_to_its_row(page):
    page.goto("/due")
    path = page.locator("tr[data-row] [data-opens]").nth(1).get_attribute("href")
    page.goto(path)
    panel = page.locator("[data-panel]")
    expect(panel).to_be_focused()
    name = panel.locator(".nm").inner_text()

    press(page, "Escape")

    expect(panel).to_have_count(0)
    assert page.evaluate(FOCUSED_ROW) == name


def test_escape_leaves_a_field_before_it_closes_the_panel(page):
    page.goto("/due?month=late&kind=next_step")
    press(page, "j", "Enter")
    panel = page.locator("[data-panel]")
    expect(panel).to_be_focused()
    page.get_by_label("办结说明").fill("已电话办结")

    press(page, "Escape")
    expect(panel).to_be_focused()
    assert page.get_by_label("办结说明").input_value() == "已电话办结"
    press(page, "Escape")

    expect(panel).to_have_count(0)


@pytest.mark.parametrize("verb", ["免办", "改期"])
def test_a_refused_verb_shows_its_first_error_in_sight_with_the_focus_in_its_field(page, verb):
    page.goto("/due?month=late&kind=next_step")
    press(page, "j", "Enter")
    panel = page.locator("[data-panel]")
    expect(panel).to_be_focused()
    panel.locator("summary").filter(has_text=verb).click()
    # What a browser refuses by itself is not what is asked here.
    panel.locator("form").evaluate_all("forms => forms.forEach(form => form.noValidate = true)")
    panel.get_by_role("button", name=verb, exact=True).click()

    error = panel.locator(".field-e")
    expect(error).to_be_visible()
    assert error.evaluate(
        """e => { const r = e.getBoundingClientRect();
        return e.contains(document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2)) }"""
    )
    expect(panel.locator("[aria-invalid=true]")).to_be_focused()


def test_the_cards_of_the_board_are_walked_like_rows(page):
    page.goto("/board")

    press(page, "j", "j")
    second = page.locator(".card-e").nth(1).locator("a.nm")
    expect(second).to_be_focused()
    path = second.get_attribute("href")
    press(page, "Enter")

    page.wait_for_url(f"**{path}")


@pytest.mark.parametrize("path", ["/enterprises", "/due", "/board", "/"])
def test_the_list_of_keys_names_only_what_does_something_here(page, path):
    page.goto(path)

    press(page, "?")

    keys = page.locator("#keys")
    expect(keys.get_by_text("下一行、上一行")).to_be_visible()
    choosing = keys.get_by_text("选中这一行")
    expect(choosing).to_be_visible() if path in ("/enterprises", "/due") else expect(choosing).to_be_hidden()


def test_the_ring_around_a_name_on_the_desk_is_whole(page):
    page.goto("/")
    press(page, "j")

    assert page.evaluate(CLIPPED) == ""
