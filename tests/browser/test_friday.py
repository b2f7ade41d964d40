"""Friday, the window closes at 12:00: the queue, three firms to check, the lists, 报送, and the city's answer.

Walked at both widths on the demo county; the clicks are those of docs/week.md.
"""

import re
import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Stack, run_stack, sign_in

DEMO_PASSWORD = "yanshi-2027-shanxi"
GROUPS = ("主体", "形式", "条件", "信用")
# Clicks by width: (three firms checked and one told, the letter mended, a list, 报送, the city's answer).
CLICKS = {1440: (19, 7, 2, 3, 2), 390: (20, 8, 3, 4, 2)}


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """The demo county filled once; each width walks on a copy of it."""
    return tmp_path_factory.mktemp("friday-filled")


@pytest.fixture(params=[1440, 390], ids=["desk", "phone"])
def friday(request, filled, tmp_path_factory, browser):
    def fill(here: Stack) -> None:
        if any(filled.iterdir()):
            shutil.copytree(filled, here.folder, dirs_exist_ok=True)
            return
        here.flask("demo", "--seed", "7")
        shutil.copytree(here.folder, filled, dirs_exist_ok=True)

    for stack in run_stack(tmp_path_factory.mktemp("friday"), fill):
        context = browser.new_context(
            base_url=stack.address,
            viewport={"width": request.param, "height": 900},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            accept_downloads=True,
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        yield Walk(page, request.param)
        context.close()


class Walk:
    """A person with a mouse or a thumb, whose clicks are counted."""

    def __init__(self, page: Page, width: int) -> None:
        self.page, self.width, self.clicks, self.parts = page, width, 0, []

    def tap(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def button(self, name: str) -> None:
        self.tap(self.page.get_by_role("button", name=name, exact=True))

    def count(self) -> None:
        self.parts.append(self.clicks)
        self.clicks = 0

    @property
    def narrow(self) -> bool:
        return self.width < 768

    def fits(self) -> None:
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width


def stands(page: Page, tab: str, count: int) -> None:
    """The number on a tab of the queue, once the page is there."""
    link = page.get_by_role("navigation", name="初审进度").get_by_role("link", name=re.compile(rf"^{tab}"))
    expect(link).to_have_text(re.compile(rf"^\s*{tab}\s*{count}\s*$"))


def test_friday_the_window_closes_at_twelve(friday):
    page = friday.page
    sign_in(page, "tanyue", DEMO_PASSWORD)

    three_firms_are_checked(friday)
    the_letter_is_answered(friday)
    the_lists_have_the_firms_that_the_queue_counts(friday)
    what_went_up_is_recorded(friday)
    the_city_answers(friday)

    assert tuple(friday.parts) == CLICKS[friday.width]


def three_firms_are_checked(walk: Walk) -> None:
    page = walk.page
    if walk.narrow:
        walk.tap(page.locator(".cp-more > summary"))
    walk.tap(page.get_by_role("link", name="区县初审").locator("visible=true"))
    expect(page.locator("main")).to_contain_text("12:00")
    stands(page, "已收", 12)
    stands(page, "待审", 3)
    walk.fits()

    walk.tap(page.locator("[data-row] [data-opens]").first)
    for _ in range(2):
        checked = page.locator("#side .s16").inner_text()
        for group in GROUPS:
            walk.tap(page.get_by_role("region", name=group).get_by_role("button", name="没答的都答是"))
        expect(page.locator("[data-open-points]")).to_have_text("都答了")
        walk.button("推荐上报")
        expect(page.locator("#side .s16")).not_to_have_text(checked)

    expect(page.locator("#side")).to_contain_text("缺 1 样")
    for group in GROUPS:
        if group == "形式":
            walk.tap(page.locator("label[for=a-annual_audit-no]"))
        walk.tap(page.get_by_role("region", name=group).get_by_role("button", name="没答的都答是"))
    walk.tap(page.locator("#look").get_by_role("button", name="退回补正", exact=True))
    letter = page.get_by_label("一次性告知")
    expect(letter).to_be_visible()
    assert "以下 1 处需补正" in letter.input_value()
    assert "财务审计报告" in letter.input_value()
    walk.tap(page.get_by_role("button", name="复制为文字"))
    stands(page, "待审", 0)
    stands(page, "退回补正", 1)
    walk.fits()
    walk.count()


def the_letter_is_answered(walk: Walk) -> None:
    """The firm brings its audit report; what was in order the first time is not asked again."""
    page = walk.page
    walk.tap(page.get_by_role("link", name="申报材料"))
    walk.tap(page.get_by_role("link", name=re.compile("登记近三年财务会计报告")))
    page.get_by_label("材料日期").fill(datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat())
    walk.button("登记为已有")
    if walk.narrow:
        walk.tap(page.locator(".head-more > details > summary"))
    walk.tap(page.locator("main").get_by_role("link", name="初审", exact=True))
    walk.button("收件")
    walk.tap(page.locator("label[for=a-annual_audit-yes]"))
    walk.button("推荐上报")
    stands(page, "推荐", 12)
    walk.count()


def the_lists_have_the_firms_that_the_queue_counts(walk: Walk) -> None:
    page = walk.page
    page.goto("/reviews?shown=recommended")
    stands(page, "推荐", 12)
    assert page.locator("tbody tr").count() == 12
    links = page.locator("a[href*='/reviews/export']")
    assert links.count() == 4
    for n in range(4):
        link = links.nth(n).get_attribute("href")
        answer = page.request.get(link)
        assert answer.status == 200
        assert answer.body().startswith(b"PK")
    if walk.narrow:
        walk.tap(page.locator(".head-more > details > summary"))
    walk.tap(page.get_by_text("推荐名单、汇总表"))
    with page.expect_download() as download:
        walk.tap(page.get_by_role("link", name="推荐名单 Word（12 家）"))
    assert "推荐名单" in download.value.suggested_filename
    walk.count()
    page.reload()


def what_went_up_is_recorded(walk: Walk) -> None:
    page = walk.page
    if walk.narrow:
        walk.tap(page.locator(".head-more > details > summary"))
    walk.tap(page.get_by_role("link", name="登记报送"))
    expect(page.locator("main")).to_contain_text("这次报的企业 12 家")
    walk.fits()
    page.get_by_label("签发人").fill("廖衡")
    page.get_by_label("回执或文号").fill("渝科高收 8 号")
    walk.button("登记报送 12 家")
    expect(page.locator("main")).to_contain_text("SHA-256")
    assert page.get_by_role("link", name=re.compile("推荐名单|汇总表")).count() == 4
    with page.expect_download() as download:
        walk.tap(page.get_by_role("link", name=re.compile(r"推荐名单（Word）")))
    assert download.value.suggested_filename.endswith(".docx")
    walk.fits()
    walk.count()


def the_city_answers(walk: Walk) -> None:
    page = walk.page
    names = [name.strip() for name in page.locator(".res-t td.fa").all_inner_texts()]
    assert len(names) == 12
    lines = [f"{n}\t{name}\t通过" for n, name in enumerate(names[:10], 1)]
    lines += [f"11\t{names[10]}\t退回补正\t审计报告缺附注", f"12\t{names[11]}\t未通过\t研发费用归集不实"]
    page.get_by_label("一行一家").fill("\n".join([*lines, "13\t万州区外来食品有限公司\t通过"]))
    walk.button("对上名单")
    expect(page.locator("main")).to_contain_text("1 行对不上：13 万州区外来食品有限公司 通过")
    walk.button("保存结果")
    expect(page.locator("main")).to_contain_text("通过 10 · 退回补正 1 · 未通过 1")
    expect(page.locator("main")).to_contain_text("通过的 10 家还没有登记认定结果")
    walk.fits()
    walk.count()
    page.goto("/reviews?shown=returned")
    stands(page, "推荐", 11)
    stands(page, "退回补正", 1)
