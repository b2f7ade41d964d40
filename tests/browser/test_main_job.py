"""The main job in a real browser: an empty county, last year's workbook, board, visit, due list, Monday's mail.

`CRM_PICTURES=1 scripts/test tests/browser` takes the readme's pictures again.
"""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import picture, sign_in
from tests.browser.ledger import NEW, REPEATED, WRONG, write_ledger


def test_from_last_years_workbook_to_mondays_mail(stack, open_page, tmp_path):
    page = open_page()
    sign_in(page, "tanyue")

    expect(page.locator("main")).to_contain_text("导入")  # an empty county says what to do first
    _bring_the_workbook_in(page, write_ledger(tmp_path / "企业台账2025.xlsx"))
    _the_board_counts_and_each_count_opens_its_list(page)
    _an_enterprise_has_its_file(page)
    manager = open_page(390, 844)
    _a_visit_is_logged_on_the_phone(manager)
    _what_is_due_is_listed(page)
    _mondays_mail_is_previewed(page)
    _the_import_is_taken_back_and_the_visit_keeps_its_firm(page)


def _bring_the_workbook_in(page: Page, ledger) -> None:
    page.goto("/imports")
    page.locator("input[type=file]").set_input_files(ledger)
    page.get_by_role("button", name="上传并预览").click()
    page.wait_for_url(re.compile(r"/imports/\d+"))
    expect(page.get_by_role("button", name=re.compile("确认导入"))).to_be_visible(timeout=60_000)

    sums = page.get_by_text(re.compile(r"^\S+ [\d,]+( \+ \S+ [\d,]+)* = [\d,]+ 行$")).inner_text().replace(",", "")
    parts, total = sums.split(" = ")
    assert sum(int(n) for n in re.findall(r"\d+", parts)) == int(total.removesuffix(" 行"))
    views = page.get_by_role("navigation", name="结果").inner_text()
    assert re.search(rf"重复\s*{REPEATED}", views)
    assert re.search(rf"错误\s*{WRONG}", views)
    picture(page, "import")

    page.get_by_label("只写入无误的行").check()
    page.get_by_role("button", name=re.compile("确认导入")).click()
    expect(page.get_by_role("link", name="撤销导入")).to_be_visible(timeout=60_000)


def _the_board_counts_and_each_count_opens_its_list(page: Page) -> None:
    page.goto("/board")
    expect(page.locator("h1")).to_contain_text(f"{NEW} 家")
    counts = [int(n.replace(",", "")) for n in page.locator(".lane .big").all_inner_texts()]
    assert sum(counts) == NEW
    assert counts[1] > 0
    assert counts[3] > 0
    picture(page, "board")

    page.locator(".lane.r3 .big").click()
    expect(page.locator("h1")).to_contain_text(f"{counts[3]} 家")


def _an_enterprise_has_its_file(page: Page) -> None:
    page.locator("tbody a.nm").first.click()
    page.wait_for_url(re.compile(r"/enterprises/\d+"))
    for heading in ("资格时间线", "年度指标", "条件比对（预评）", "服务记录"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    picture(page, "enterprise")


def _a_visit_is_logged_on_the_phone(page: Page) -> None:
    sign_in(page, "xianghe")
    page.goto("/visits/new")
    box = page.get_by_placeholder("两个字或拼音首字母")
    box.fill("wx")
    page.locator("[data-pick]").first.click()
    page.get_by_label("说了什么，看到什么").fill("新烘干线下月投产，研发费用只归集了两个项目。")
    page.get_by_placeholder("谁，做什么").fill("送立项书模板")
    page.get_by_role("button", name="明天").click()
    picture(page, "visit-phone")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("[data-toast]")).to_contain_text("撤销")


def _what_is_due_is_listed(page: Page) -> None:
    page.goto("/due")
    expect(page.locator("main")).to_contain_text("送立项书模板")
    page.locator("tbody tr").filter(has_text="送立项书模板").get_by_role("link").last.click()
    expect(page.get_by_role("button", name="办结")).to_be_visible()
    picture(page, "due")
    page.goto("/")
    picture(page, "desk")


def _mondays_mail_is_previewed(page: Page) -> None:
    page.goto("/jobs/digest")
    people = page.get_by_label("收信人")
    people.select_option(label=next(o for o in people.locator("option").all_inner_texts() if "向禾" in o))
    page.get_by_role("button", name="看这一天").click()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("送立项书模板")
    picture(page, "mail")


def _the_import_is_taken_back_and_the_visit_keeps_its_firm(page: Page) -> None:
    page.goto("/imports")
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="撤销导入").click()
    expect(page.locator("main")).to_contain_text("1")
    page.get_by_role("button", name=re.compile("撤销")).click()
    page.goto("/board")
    expect(page.locator("h1")).to_contain_text("1 家")  # the firm that was visited since is kept
