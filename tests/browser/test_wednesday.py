"""Wednesday: visits logged on the way with one bar of signal, photos and a promise; nothing typed is lost."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from crm.cli.demo_shapes import PASSWORD
from crm.domain.clock import SHANGHAI
from crm.domain.visit_plans import quarter_of
from tests.browser.conftest import Stack, sign_in

PHONE, DESK = 390, 1440
# A photo as a phone takes it: large, with the place where it was taken written into it.
TAKE_PHOTO = """async () => {
  const canvas = document.createElement("canvas");
  canvas.width = 4200; canvas.height = 3000;
  const pen = canvas.getContext("2d");
  for (let i = 0; i < 3000; i++) {
    pen.fillStyle = `hsl(${i % 360} 60% 50%)`;
    pen.fillRect((i * 37) % 4200, (i * 91) % 3000, 200, 150);
  }
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
  return Array.from(new Uint8Array(await blob.arrayBuffer()));
}"""


@pytest.fixture(scope="module")
def stack(demo_stack) -> Stack:
    return demo_stack


@pytest.fixture
def phone(open_page) -> Page:
    page = open_page(PHONE, 844)
    sign_in(page, "xianghe", PASSWORD)
    return page


class Clicks:
    """Counts what a person presses; typing is apart (docs/week.md)."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, target: Locator) -> None:
        target.click()
        self.count += 1


def text_of(page: Page) -> Locator:
    return page.get_by_label("说了什么，看到什么")


def choose_firm(page: Page, press=None) -> str:
    """By initials; returns the name."""
    page.get_by_placeholder("两个字或拼音首字母").press_sequentially("wx")
    first = page.locator("[data-found] [data-pick]").first
    name = first.get_attribute("data-label")
    press(first) if press else first.click()
    return name or ""


def save(page: Page) -> None:
    page.get_by_role("button", name="保存", exact=True).click()


def drafts(page: Page) -> list[str]:
    return page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('draft:'))")


def keeps(page: Page, text: str) -> None:
    """Wait until this machine holds the text: it is written a moment after the last key."""
    for _ in range(50):
        if page.evaluate("text => Object.values(localStorage).some((kept) => kept.includes(text))", text):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"“{text}” was never kept")


def net(page: Page) -> BrowserContext:
    return page.context


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_visit_takes_three_clicks_and_a_promise_one_more(open_page, width):
    page = open_page(width, 844)
    sign_in(page, "xianghe", PASSWORD)
    click = Clicks()

    click(page.get_by_role("link", name=re.compile("记(一次)?走访")).locator("visible=true").first)
    choose_firm(page, click)
    text_of(page).fill("新烘干线 6 月投产。")
    page.get_by_label("下一步", exact=False).first.fill("送立项书模板")
    click(page.get_by_role("button", name=re.compile("明天")))
    click(page.get_by_role("button", name="保存", exact=True))

    expect(page.locator("[data-toast]")).to_contain_text("已记走访，1 家企业。")
    assert click.count == 4


def test_one_training_of_nine_firms_is_one_entry(phone):
    phone.goto("/visits/new")
    box = phone.get_by_placeholder("两个字或拼音首字母")
    for n in range(9):
        box.press_sequentially("wx" if n < 8 else "cq")
        phone.locator("[data-found] [data-pick]").nth(n % 8).click()
    phone.get_by_text("培训", exact=True).click()
    text_of(phone).fill("研发费用归集培训。")
    save(phone)

    expect(phone.locator("[data-toast]")).to_contain_text(re.compile(r"已记培训，[89] 家企业。"))
    phone.goto("/visits/new")
    phone.get_by_role("link", name="同上次").click()
    assert phone.locator("[data-chosen] .fchip").count() >= 8


def test_without_a_signal_the_firm_is_found_and_the_text_waits(phone):
    phone.goto("/visits/new")
    net(phone).set_offline(True)

    name = choose_firm(phone)
    text_of(phone).fill("红池坝镇，一格信号。")
    save(phone)
    expect(phone.get_by_text("没有信号。文字已存在本机，连上后点“保存”即可。")).to_be_visible()
    net(phone).set_offline(False)
    expect(phone.get_by_text("信号回来了，文字还在。")).to_be_visible()
    save(phone)

    expect(phone.locator("[data-toast]")).to_contain_text("已记走访，1 家企业。")
    assert drafts(phone) == []
    phone.goto("/visits")
    assert phone.locator("[data-row]").filter(has_text="红池坝镇，一格信号。").locator("a.nm").inner_text() == name


def test_a_net_that_only_seems_to_be_there_does_not_take_the_page_away(phone):
    phone.goto("/visits/new")
    choose_firm(phone)
    text_of(phone).fill("基站有，数据没有。")
    phone.route("**/healthz", lambda route: route.abort())

    save(phone)

    expect(phone.get_by_text("没有信号。文字已存在本机")).to_be_visible()
    expect(text_of(phone)).to_have_value("基站有，数据没有。")
    phone.unroute("**/healthz")
    save(phone)
    expect(phone.locator("[data-toast]")).to_contain_text("已记走访")


def test_a_closed_tab_gives_everything_back(phone):
    phone.goto("/visits/new")
    name = choose_firm(phone)
    phone.get_by_text("电话", exact=True).click()
    text_of(phone).fill("说到一半，电话没电了。")
    phone.get_by_label("下一步", exact=False).first.fill("回电")
    phone.get_by_role("button", name=re.compile("明天")).click()
    due = phone.locator("#f-next_step_on").input_value()
    keeps(phone, due)
    phone.close()

    again = net(phone).new_page()
    again.goto("/visits/new")

    expect(again.get_by_text("上次没存上的文字已经填回来")).to_be_visible()
    expect(text_of(again)).to_have_value("说到一半，电话没电了。")
    assert again.locator("[data-chosen] .fchip").all_inner_texts() == [name]
    assert again.locator("[name=kind]:checked").input_value() == "phone"
    assert (again.locator("#f-next_step").input_value(), again.locator("#f-next_step_on").input_value()) == (
        "回电",
        due,
    )
    again.get_by_role("button", name="丢掉").click()
    expect(text_of(again)).to_have_value("")
    assert drafts(again) == []


def test_a_text_for_one_firm_is_never_put_under_another(phone):
    phone.goto("/visits/new")
    name = choose_firm(phone)
    text_of(phone).fill("这家的话。")
    keeps(phone, "这家的话。")
    phone.goto("/enterprises?manager=me")
    other = next(
        link.get_attribute("href") or "" for link in phone.locator("tbody a.nm").all() if link.inner_text() != name
    )

    phone.goto(f"/visits/new?enterprise={other.rsplit('/', 1)[-1]}")
    expect(phone.get_by_text(f"还有一条没存上的文字：{name}")).to_be_visible()
    expect(text_of(phone)).to_have_value("")
    text_of(phone).fill("那家的话。")
    save(phone)

    expect(phone.locator("[data-toast]")).to_contain_text("已记走访")
    phone.goto("/visits/new")
    expect(text_of(phone)).to_have_value("这家的话。")
    assert phone.locator("[data-chosen] .fchip").all_inner_texts() == [name]
    phone.get_by_role("button", name="丢掉").click()
    expect(text_of(phone)).to_have_value("")


def test_lines_of_the_desk_that_send_to_one_address_keep_their_texts_apart(open_page):
    page = open_page(DESK)
    sign_in(page, "xianghe", PASSWORD)
    page.goto("/")
    boxes = page.locator('form[action="/visits/new"] textarea')
    assert boxes.count() > 1
    boxes.first.evaluate("e => { e.value = '这一行的话。'; e.dispatchEvent(new Event('input', {bubbles: true})); }")
    keeps(page, "这一行的话。")

    page.goto("/")

    assert [boxes.nth(n).input_value() for n in range(boxes.count())].count("这一行的话。") == 1


def test_an_expired_session_asks_to_sign_in_and_then_saves_what_was_typed(phone):
    phone.goto("/visits/new")
    choose_firm(phone)
    text_of(phone).fill("写了很久，登录过期了。")
    net(phone).clear_cookies()

    save(phone)
    phone.get_by_label("登录名").fill("xianghe")
    phone.get_by_label("密码").fill(PASSWORD)
    phone.get_by_role("button", name="登录").click()
    phone.get_by_role("button", name="接着保存").click()

    expect(phone.locator("[data-toast]")).to_contain_text("已记走访")
    assert drafts(phone) == []


def test_a_photo_is_made_smaller_and_forgets_where_it_was_taken(phone, tmp_path):
    phone.goto("/visits/new")
    taken = bytes(phone.evaluate(TAKE_PHOTO))
    place = b"Exif\x00\x00" + b"GPS 31.4 N 109.6 E" * 20
    photo = tmp_path / "厂房.jpg"
    photo.write_bytes(taken[:2] + b"\xff\xe1" + (len(place) + 2).to_bytes(2, "big") + place + taken[2:])
    program = tmp_path / "照片.jpg"
    program.write_bytes(b"MZ\x90\x00" + b"\x00" * 200)
    choose_firm(phone)
    text_of(phone).fill("看了新厂房。")

    phone.locator("input[type=file]").set_input_files([photo, program])
    expect(phone.locator(".shot img").first).to_have_attribute("src", re.compile("^data:image/jpeg"))
    save(phone)

    expect(phone.locator(".note.bad")).to_contain_text("文字已保存。“照片.jpg”是程序文件，不收")
    expect(phone.locator("[data-toast]")).to_contain_text("已记走访，1 家企业，1 份附件。")
    phone.goto("/visits")
    phone.locator(".file-chips a").first.click()
    expect(phone.locator(".file-shot img")).to_have_js_property("complete", True)
    assert phone.locator(".file-shot img").evaluate("e => [e.naturalWidth, e.naturalHeight]") == [2000, 1429]
    kept = phone.request.get(phone.url.split("?")[0] + "/file").body()
    assert (b"Exif" in kept, b"GPS" in kept, len(kept) < len(taken)) == (False, False, True)


def test_the_browser_names_a_file_that_is_too_large_before_it_travels(phone, tmp_path):
    large = tmp_path / "审计报告.pdf"
    large.write_bytes(b"%PDF-1.4" + b"\x00" * (21 * 1024 * 1024))
    phone.goto("/visits/new")
    text_of(phone).fill("带回了审计报告。")

    phone.locator("input[type=file]").set_input_files(large)

    told = phone.locator("[data-file-info]")
    expect(told).to_contain_text("“审计报告.pdf”超过 20 MB，读不了。压缩或拆开再选。")
    phone.get_by_label("去掉审计报告.pdf").click()
    expect(told).to_have_text("没有选文件")


def test_two_who_edit_one_visit_meet_although_one_of_them_lost_the_tab(phone, open_page):
    """A draft goes on from what was seen when it was typed, so that it overwrites nobody unseen."""
    phone.goto("/visits")
    phone.locator("[data-row]").first.get_by_role("link", name="改", exact=True).click()
    address = phone.url
    text_of(phone).fill("我改的内容。")
    keeps(phone, "我改的内容。")
    office = open_page(DESK)
    sign_in(office, "tanyue", PASSWORD)
    office.goto(address)
    text_of(office).fill("科室改的内容。")
    office.get_by_role("button", name="保存修改").click()
    expect(office.locator("[data-toast]")).to_contain_text("已改服务记录。")

    phone.goto(address)
    expect(text_of(phone)).to_have_value("我改的内容。")
    phone.get_by_role("button", name="保存修改").click()

    expect(phone.locator(".conflict")).to_contain_text("科室改的内容。")
    expect(phone.locator(".conflict")).to_contain_text("我改的内容。")


def test_the_text_of_any_form_is_kept_without_its_asking(open_page):
    page = open_page(DESK)
    sign_in(page, "tanyue", PASSWORD)
    page.goto("/due?kind=hnte_renewal")
    page.locator("tbody tr:has(.due)").first.get_by_role("link").last.click()
    page.locator("summary").filter(has_text="免办").click()
    reason = page.get_by_label("为什么免办")
    reason.fill("企业已停产，今年不用报。")
    keeps(page, "企业已停产，今年不用报。")
    address = page.url

    page.goto("/")
    page.goto(address)

    expect(reason).to_be_visible()
    expect(reason).to_have_value("企业已停产，今年不用报。")
    page.locator("form[data-sign-out] button").locator("visible=true").first.click()
    page.wait_for_url(re.compile("/sign-in"))
    assert drafts(page) == []


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_quarter_is_planned_in_three_clicks_and_a_visit_covers_its_firm(open_page, width):
    page = open_page(width, 844)
    sign_in(page, "xianghe", PASSWORD)
    quarter = quarter_of(datetime.now(SHANGHAI).date() + timedelta(days=120 if width == PHONE else 210))
    page.goto(f"/visits/plans?quarter={quarter.code}")
    click = Clicks()

    click(page.get_by_role("link", name="做计划").first)
    click(page.get_by_role("button", name=re.compile("^存为")))

    expect(page.locator("[data-toast]")).to_contain_text("走访计划")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert click.count == 2  # and one to come to 走访计划
    page.goto("/visits/plans?of=mine&show=left")
    firm = page.locator("tr[data-row] a.nm").first.inner_text()
    page.get_by_role("link", name="记走访").first.click(force=True)
    text_of(page).fill("按计划去了。")
    save(page)
    expect(
        page.locator("tr[data-row]").filter(has_text=firm).locator("a", has_text=re.compile(r"\d\d-\d\d"))
    ).to_have_count(1)
