"""Templates and static files: they render, keep the content security policy and ask nothing of the outside."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, flash, render_template, render_template_string, request
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from crm.domain.kinds import KINDS, POOL_KIND, RUNGS, STATES
from crm.domain.viewers import Viewer, ViewerGrant
from crm.web.doors import Unsaved

CRM = Path(__file__).parent.parent / "crm"
TEMPLATES = CRM / "templates"
PAGES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
# Mail is read by mail programs, which know no style sheets; everything else obeys the policy.
SCREEN_PAGES = [page for page in PAGES if not page.startswith("emails/")]
OUR_STATIC = sorted(
    path
    for path in (CRM / "static").rglob("*")
    if path.suffix in {".css", ".js"} and "vendor" not in path.relative_to(CRM / "static").parts
)
ERRORS = [400, 403, 404, 409, 413, 422, 429, 500, 503]
VIEWER = Viewer(user_id=7, name="向禾", grants=(ViewerGrant(role="case_manager"),))
NAV = [
    (
        "",
        [
            {"url": "/", "icon": "home", "label": "工作台"},
            {"url": "/due", "icon": "calendar-due", "label": "到期事项", "count": "2 逾期", "hot": True},
            {"url": "/enterprises", "icon": "building", "label": "企业"},
            {"url": "/board", "icon": "stairs-up", "label": "五级梯次"},
        ],
    ),
    ("办理", [{"url": "/visits/new", "icon": "map-pin", "label": "记一次走访"}]),
    (
        "数据",
        [
            {"url": "/imports", "icon": "table-import", "label": "导入", "count": 0},
            {"url": "/settings", "icon": "settings", "label": "设置"},
        ],
    ),
]


@pytest.fixture
def app() -> Iterator[Flask]:
    app = Flask("crm", template_folder=str(TEMPLATES), static_folder=str(CRM / "static"))
    app.secret_key = "only for this test"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(KINDS=KINDS, STATES=STATES, RUNGS=RUNGS, POOL_KIND=POOL_KIND)
    with app.test_request_context("/enterprises/12"):
        yield app


def html_of(template: str, **context: object) -> str:
    shown = {"office": "巫溪县科学技术局", "role_words": "服务专员", **context}
    return render_template(template, viewer=VIEWER, nav=NAV, **shown)


def said(source: str) -> str:
    """The template without its comments, which may say anything."""
    return re.sub(r"\{#.*?#\}|<!--.*?-->", "", source, flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_template_compiles(app: Flask, page: str) -> None:
    app.jinja_env.add_extension("jinja2.ext.do")
    source = (TEMPLATES / page).read_text(encoding="utf-8")

    assert app.jinja_env.parse(source).body is not None


@pytest.mark.parametrize("page", SCREEN_PAGES)
def test_template_has_no_inline_style_script_or_handler(page: str) -> None:
    source = said((TEMPLATES / page).read_text(encoding="utf-8"))

    offences = re.findall(
        r"<style|\sstyle\s*=|\s(?:data-)?hx-on|\son[a-z]+\s*=\s*[\"'{]|javascript:|[\"']js:",
        source,
        flags=re.IGNORECASE,
    )
    scripts = [
        (attributes, body)
        for attributes, body in re.findall(r"<script\b([^>]*)>(.*?)</script>", source, flags=re.DOTALL)
        if "application/json" not in attributes and (body.strip() or "src=" not in attributes)
    ]

    assert (offences, scripts) == ([], [])


@pytest.mark.parametrize("page", SCREEN_PAGES)
def test_template_asks_nothing_of_the_outside(page: str) -> None:
    source = said((TEMPLATES / page).read_text(encoding="utf-8"))

    assert re.findall(r"(?:src|href|action|data|poster|srcset)\s*=\s*[\"']\s*(?:https?:)?//", source) == []


@pytest.mark.parametrize("path", OUR_STATIC, ids=lambda path: path.name)
def test_style_sheet_or_script_asks_nothing_of_the_outside(path: Path) -> None:
    source = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")

    assert re.findall(r"https?://|@import|url\(\s*[\"']?//", source) == []


@pytest.mark.parametrize("path", [p for p in OUR_STATIC if p.suffix == ".js"], ids=lambda path: path.name)
def test_script_builds_no_code_and_no_style_attribute(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    assert re.findall(r"\beval\s*\(|new Function|\.style\b|setAttribute\(\"style\"|document\.write", source) == []


def test_every_icon_named_in_a_template_is_in_the_sprite(app: Flask) -> None:
    known = set(re.findall(r'<symbol id="i-([a-z0-9-]+)"', (TEMPLATES / "_icons.html").read_text(encoding="utf-8")))
    used = set(re.findall(r'href="#i-([a-z0-9-]+)"', html_of("styleguide/index.html")))
    for page in SCREEN_PAGES:
        source = (TEMPLATES / page).read_text(encoding="utf-8")
        used |= set(re.findall(r"\bicon\(\s*[\"']([a-z0-9-]+)", source))
        used |= set(re.findall(r"icon_name\s*=\s*[\"']([a-z0-9-]+)", source))
        used |= set(re.findall(r'"#i-([a-z0-9-]+)"', source))
    script = (CRM / "static" / "js" / "app.js").read_text(encoding="utf-8")
    used |= set(re.findall(r'drawIcon\("([a-z0-9-]+)"', script))

    assert used - known == set()


def test_style_guide_shows_every_state_in_words(app: Flask) -> None:
    page = html_of("styleguide/index.html", page_href=lambda n: f"?page={n}")

    assert [word for word in STATES.values() if f"：{word}" not in page] == []


@pytest.mark.parametrize("code", ERRORS)
def test_error_page_says_what_to_do_and_the_number_of_the_request(app: Flask, code: int) -> None:
    page = html_of(f"errors/{code}.html", request_id="r-4711")

    text = re.sub(r"<[^>]+>", "", page[page.index('id="main"') : page.index("<footer")])
    assert ("r-4711" in text, "回工作台" in text, "！" in text, "请求编号" in text) == (True, True, False, True)
    assert "请" not in text.replace("请求", "")


def test_error_page_stands_without_a_viewer(app: Flask) -> None:
    page = render_template("errors/500.html", viewer=None, nav=[])

    assert ("cp-nav" in page, "cp-tabbar" in page, "这一步没有办成" in page) == (False, False, True)


def test_busy_page_sends_the_same_form_once_more_by_itself(app: Flask) -> None:
    form = Unsaved("/visits/new", {"request_key": ["k1"], "text": ["新烘干线 6 月投产"]}, {}, {})

    first = html_of("errors/busy.html", form=form, again=False)
    second = html_of("errors/busy.html", form=form, again=True)

    for page in (first, second):
        assert '<input type="hidden" name="request_key" value="k1">' in page
        assert '<input type="hidden" name="text" value="新烘干线 6 月投产">' in page
    assert ("data-retry-busy" in first, "data-retry-busy" in second) == (True, False)


def test_form_kept_from_an_old_page_comes_back_whole(app: Flask) -> None:
    page = html_of(
        "errors/kept.html", form=Unsaved("/visits/new", {"enterprise_id": ["3", "4"], "text": ["<b>"]}, {}, {})
    )

    form = page[page.index('action="/visits/new"') : page.index("<footer")]
    assert re.findall(r'name="([a-z_]+)" value="([^"]*)"', form) == [
        ("enterprise_id", "3"),
        ("enterprise_id", "4"),
        ("text", "&lt;b&gt;"),
    ]


def test_navigation_marks_the_page_one_stands_on(app: Flask) -> None:
    page = html_of("styleguide/index.html")

    marked = re.findall(r'<a href="(/[^"]*)" aria-current="page"', page)
    assert marked == ["/enterprises", "/enterprises"]


def test_phone_bar_offers_only_what_the_viewer_may_open(app: Flask) -> None:
    nav = [("", [{"url": "/", "icon": "home", "label": "工作台"}])]

    page = render_template("styleguide/index.html", viewer=VIEWER, nav=nav)

    bar = page[page.index('class="cp-tabbar"') :]
    bar = bar[: bar.index("</details>")]
    assert re.findall(r'href="(/[^"]*)"', bar) == ["/"]


def test_success_is_a_toast_with_its_way_back_and_failure_stays_on_the_page(app: Flask) -> None:
    flash("已把 38 家的专员改为 陈述。", "undo:9")
    flash("第 37 行 F 列“四十余人”不是数。", "bad")

    page = html_of("styleguide/index.html")

    toasts = page[page.index('id="toasts"') :]
    assert ('action="/changes/9/undo"' in toasts, "四十余人" in toasts) == (True, False)
    assert 'class="note bad" role="alert"' in page[: page.index('class="cp-half"')]


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("due(-3, '05-21')", '<span class="due late"><span>逾期 3 天</span><span>05-21</span></span>'),
        ("due(0, '05-24', hour='17:00')", '<span class="due soon"><span>今天</span><span>17:00</span></span>'),
        ("due(7, '05-31')", '<span class="due soon"><span>剩 7 天</span><span>05-31</span></span>'),
        ("due(8, '06-01')", '<span class="due"><span>剩 8 天</span><span>06-01</span></span>'),
        ("due(53, '07-16', hour='12:00')", '<span class="due"><span>剩 53 天</span><span>07-16 12:00</span></span>'),
        ("due(61, '07-24')", '<span class="due far"><span>剩 61 天</span><span>07-24</span></span>'),
        ("due(none, '2028-08')", '<span class="due far"><span>2028-08</span></span>'),
    ],
    ids=["overdue", "today_with_hour", "seven_days", "eight_days", "with_hour", "far", "another_year"],
)
def test_deadline_chip_says_days_first_and_date_second(app: Flask, call: str, shown: str) -> None:
    drawn = render_template_string("{% import '_macros.html' as ui %}{{ ui." + call + " }}")

    assert drawn == shown


def test_seals_stand_in_the_order_of_the_ladder_with_title_and_state_as_label(app: Flask) -> None:
    states = {"hnte": "renewing", "pool": "in_pool", "cq_tech": "valid", "tech_sme": "awaiting_update"}

    drawn = render_template_string("{% import '_macros.html' as ui %}{{ ui.seals(states) }}", states=states)

    assert re.findall(r'aria-label="([^"]+)"', drawn) == [
        "科技型企业（市库）：有效",
        "科技型中小企业：待更新（衔接期）",
        "高新技术企业培育库：在库",
        "高新技术企业：重新认定中",
    ]


def test_each_state_has_a_look_of_its_own_that_does_not_need_colour(app: Flask) -> None:
    drawn = {
        state: render_template_string("{% import '_macros.html' as ui %}{{ ui.seal('hnte', state) }}", state=state)
        for state in STATES
    }

    looks = {state: re.search(r'class="seal r3([^"]*)"', seal)[1].split() for state, seal in drawn.items()}
    # 期满未续 and 整体迁移 are both over; which of them it was stands in the pill and in the label.
    assert len({tuple(look) for look in looks.values()}) == len(STATES) - 1
    assert set(looks["expired_unverified"]).isdisjoint(looks["renewing"])


@pytest.mark.parametrize("state", ["renewing", "expired_unverified", "awaiting_update", "lapsed_unrenewed"])
def test_legend_of_a_list_names_what_its_seals_look_like(app: Flask, state: str) -> None:
    legend = render_template_string("{% import '_macros.html' as ui %}{{ ui.seal_legend() }}")

    assert f"<span>{STATES[state]}</span>" in legend


def test_name_of_a_firm_is_escaped_and_keeps_its_form_whole(app: Flask) -> None:
    parts = {"region": "巫溪县", "core": "<b>", "middle": "食品", "form": "有限责任公司"}

    drawn = render_template_string("{% import '_macros.html' as ui %}{{ ui.nm(parts, '/x') }}", parts=parts)

    assert drawn == '<a class="nm" href="/x"><i>巫溪县</i><b>&lt;b&gt;</b>食品<u>有限责任公司</u></a>'


def test_thousands_are_parted_wherever_a_number_stands(app: Flask):
    drawn = render_template_string(
        "{% import '_macros.html' as ui %}{{ ui.views([{'href': '/', 'label': '全部', 'n': 100000}]) }}"
        "{{ ui.pager(2401, 2450, 100000, 49, 2000, href) }}"
        "{{ ui.nums([{'href': '/', 'label': '逾期', 'value': 2445}]) }}",
        href=lambda number: "/",
    )

    assert "全部<span>100,000</span>" in drawn
    assert "第 2,401–2,450 家，共 100,000 家" in drawn
    assert ("49 / 2,000 页" in drawn, '<span class="big">2,445</span>' in drawn) == (True, True)


def test_blank_figure_is_not_zero(app: Flask) -> None:
    drawn = render_template_string("{% import '_macros.html' as ui %}{{ ui.fig(none) }}{{ ui.fig('0') }}")

    assert drawn == '<td class="u">未填</td><td class="n">0</td>'


def test_field_keeps_what_was_typed_and_ties_the_error_to_it(app: Flask) -> None:
    drawn = render_template_string(
        "{% import '_macros.html' as ui %}{{ ui.field('staff', '从业人员', '四十余人', error='不是数。') }}"
    )

    assert 'value="四十余人" aria-invalid="true" aria-describedby="f-staff-error"' in drawn
    assert 'id="f-staff-error"' in drawn


# The page script in a real browser under the real policy, on pages made from the frame and the components.
CSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
FORM = """{% extends "base.html" %}{% import "_macros.html" as ui %}
{% block content %}
<table class="cp-t"><tbody>
{% for n in (1, 2, 3) %}<tr data-href="/enterprises/{{ n }}"><td>
<a class="nm" href="/enterprises/{{ n }}">{{ n }}</a></td><td>x</td></tr>{% endfor %}
</tbody></table>
<form method="post" action="/save" data-draft="visit">{{ ui.picker("enterprise_id", "企业", "/pick") }}
{{ ui.field("text", "说了什么", kind="textarea") }}{{ ui.field("file", "文件", kind="file", attrs={"data-max-mb": 1}) }}
<button class="btn btn-primary" name="how" value="plain">保存走访</button></form>
<form method="get" action="/form" data-auto-submit><select name="town" aria-label="乡镇">
<option value="">全部</option><option value="2">古路镇</option></select>
<input name="q" aria-label="字"></form>
<div hx-get="/part" hx-trigger="click" hx-swap="innerHTML" id="part">换</div>
{% endblock %}"""


class Site:
    """A handful of pages and what was sent to them."""

    def __init__(self) -> None:
        self.sent: list[dict[str, list[str]]] = []
        self.tokens: list[str | None] = []
        app = Flask("crm", template_folder=str(TEMPLATES), static_folder=str(CRM / "static"))
        app.secret_key = "only for this test"
        app.jinja_env.globals.update(KINDS=KINDS, STATES=STATES, RUNGS=RUNGS, POOL_KIND=POOL_KIND)
        app.jinja_env.globals["csrf_token"] = lambda: "token-1"
        app.context_processor(lambda: {"viewer": VIEWER, "nav": NAV, "role_words": "服务专员、科技局业务科室"})
        app.add_url_rule("/form", view_func=lambda: render_template_string(FORM), endpoint="form")
        app.add_url_rule("/guide", view_func=lambda: render_template("styleguide/index.html"), endpoint="guide")
        app.add_url_rule("/toast", view_func=self.toast)
        app.add_url_rule("/save", view_func=self.save, methods=["POST"])
        app.add_url_rule("/busy", view_func=self.busy, methods=["GET", "POST"])
        app.add_url_rule("/part", view_func=self.part)
        app.add_url_rule("/pick", view_func=self.pick)
        app.add_url_rule("/", defaults={"path": ""}, view_func=self.anything)
        app.add_url_rule("/<path:path>", view_func=self.anything)
        app.after_request(self.guard)
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def guard(self, response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CSP
        return response

    def toast(self) -> str:
        flash("已记一次走访。", "undo:4")
        return render_template_string(FORM)

    def save(self) -> str:
        self.sent.append(request.form.to_dict(flat=False))
        time.sleep(0.3)
        return render_template("errors/500.html")

    def busy(self) -> tuple[str, int]:
        self.sent.append(request.form.to_dict(flat=False))
        form = Unsaved("/busy", {"request_key": ["k1"], "text": ["新烘干线"]}, {}, {})
        page = render_template("errors/busy.html", form=form, again="sent_again" in request.form)
        return page, 503

    def part(self) -> str:
        self.tokens.append(request.headers.get("X-CSRFToken"))
        return "<b>换好了</b>"

    def pick(self) -> str:
        if request.args["q"] == "无":
            return '<div class="c mute s13">没有找到。</div>'
        return f'<button type="button" class="line" data-pick="9" data-label="青禾食品">{request.args["q"]}</button>'

    def anything(self, path: str) -> str:
        return render_template("errors/404.html")

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def tab(browser: Browser, site: Site) -> Iterator[Page]:
    """A fresh tab that fails the test when the policy is broken or the script stumbles."""
    site.sent.clear()
    site.tokens.clear()
    context = browser.new_context(base_url=site.address, viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Security Policy" in line.text else None)
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("width", [1440, 390])
def test_style_guide_fits_its_screen_without_breaking_the_policy(tab: Page, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 844})
    tab.goto("/guide")

    assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_keys_find_go_and_walk_the_rows(tab: Page) -> None:
    tab.goto("/form")

    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.name") == "q"
    tab.keyboard.press("Escape")
    for key in "jjk":
        tab.keyboard.press(key)
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/enterprises/2")
    tab.keyboard.press("g")
    tab.keyboard.press("b")
    tab.wait_for_url("**/board")
    tab.keyboard.press("?")
    assert tab.locator("#keys[open]").is_visible()


def test_keys_are_letters_while_somebody_types(tab: Page) -> None:
    tab.goto("/form")

    tab.get_by_label("说了什么").press_sequentially("gb?/j")

    assert tab.get_by_label("说了什么").input_value() == "gb?/j"


def test_second_press_of_the_button_sends_nothing(tab: Page, site: Site) -> None:
    tab.goto("/form")
    tab.get_by_label("说了什么").fill("新烘干线")

    tab.evaluate("() => { const b = document.querySelector('[name=how]'); b.click(); b.click(); }")
    tab.wait_for_url("**/save")

    assert [form["how"] for form in site.sent] == [["plain"]]


def test_typed_text_comes_back_until_it_was_saved(tab: Page) -> None:
    tab.goto("/form")
    tab.get_by_label("说了什么").fill("新烘干线")
    tab.get_by_role("button", name="保存走访").click()
    tab.wait_for_url("**/save")

    tab.goto("/form")
    assert tab.get_by_label("说了什么").input_value() == "新烘干线"

    tab.get_by_role("button", name="保存走访").click()
    tab.wait_for_url("**/save")
    tab.goto("/toast")
    assert tab.get_by_label("说了什么").input_value() == ""


def test_without_a_signal_nothing_is_sent_and_nothing_is_lost(tab: Page, site: Site) -> None:
    tab.goto("/form")
    tab.get_by_label("说了什么").fill("新烘干线")
    tab.context.set_offline(True)

    tab.get_by_role("button", name="保存走访").click()

    assert tab.get_by_text("没有信号。文字已存在本机").is_visible()
    assert (site.sent, tab.get_by_label("说了什么").input_value()) == ([], "新烘干线")


def test_the_note_about_the_signal_goes_when_the_signal_is_back(tab: Page) -> None:
    tab.goto("/form")
    tab.context.set_offline(True)
    tab.get_by_role("button", name="保存走访").click()
    assert tab.get_by_text("没有信号").is_visible()

    tab.context.set_offline(False)

    tab.get_by_text("信号回来了，文字还在。点“保存”即可。").wait_for()
    assert tab.get_by_text("没有信号").count() == 0


def test_busy_form_is_sent_again_once_by_itself(tab: Page, site: Site) -> None:
    tab.goto("/busy")

    tab.get_by_text("又试了一次").wait_for(timeout=8000)
    tab.wait_for_timeout(2000)

    assert [form.get("sent_again") for form in site.sent] == [None, ["1"]]
    assert site.sent[1]["request_key"] == ["k1"]


def test_firm_is_chosen_by_two_letters_and_taken_out_again(tab: Page, site: Site) -> None:
    tab.goto("/form")
    box = tab.get_by_label("企业", exact=True)

    box.press_sequentially("qh")
    tab.locator("[data-pick]").wait_for()
    box.press("Enter")
    tab.get_by_role("button", name="保存走访").click()
    tab.wait_for_url("**/save")

    assert site.sent[0]["enterprise_id"] == ["9"]


def test_filter_applies_when_it_changes_and_leaves_out_what_is_empty(tab: Page) -> None:
    tab.goto("/form")

    tab.get_by_label("乡镇").select_option("2")
    tab.wait_for_url("**/form?*")

    assert tab.url.endswith("/form?town=2")


def test_file_shows_its_name_and_size_and_one_too_big_is_refused(tab: Page, tmp_path: Path) -> None:
    small, big = tmp_path / "台账.xlsx", tmp_path / "大.xlsx"
    small.write_bytes(b"x" * 2048)
    big.write_bytes(b"x" * (1024 * 1024 + 1))
    tab.goto("/form")
    told = tab.locator("[data-file-info]")

    tab.get_by_label("文件").set_input_files(small)
    assert told.text_content() == "台账.xlsx · 2 KB"
    tab.get_by_label("文件").set_input_files(big)
    assert "超过 1 MB，读不了" in (told.text_content() or "")


@pytest.mark.parametrize("way", ["keyboard", "pointer"])
def test_a_file_is_chosen_in_our_words_with_the_real_control(tab: Page, way: str) -> None:
    choosers: list[object] = []
    tab.on("filechooser", lambda one: choosers.append(one))  # before the key is pressed, which does not wait
    tab.goto("/form")
    control, box = tab.locator(".file-c"), tab.get_by_label("文件")
    assert control.inner_text().split() == ["选文件", "没有选文件"]

    if way == "keyboard":
        tab.get_by_label("说了什么").focus()
        tab.keyboard.press("Tab")
        assert box.evaluate("e => e === document.activeElement && getComputedStyle(e.parentElement).outlineStyle") == (
            "solid"
        )
        tab.keyboard.press("Enter")
    else:
        tab.locator(".file-n").click(force=True)
    for _ in range(50):
        if not choosers:
            tab.wait_for_timeout(100)

    assert len(choosers) == 1


def test_without_scripts_the_browsers_own_file_control_stands(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/form")

    shown = (page.locator(".file-i").is_visible(), page.locator(".file-b").is_visible())
    context.close()

    assert shown == (True, False)


def test_nothing_found_keeps_its_distance_from_the_edge(tab: Page) -> None:
    tab.goto("/form")

    tab.get_by_label("企业", exact=True).fill("无")
    said = tab.locator("[data-found] .c")
    said.wait_for()

    assert said.evaluate("e => parseFloat(getComputedStyle(e).paddingLeft)") >= 12


def test_way_back_counts_down_and_waits_under_the_pointer(tab: Page) -> None:
    tab.goto("/toast")
    toast = tab.locator("[data-toast]")

    toast.hover()
    tab.wait_for_timeout(2200)
    held = int(toast.locator("[data-left]").text_content() or "0")
    tab.mouse.move(700, 100)
    tab.wait_for_timeout(2200)

    assert held >= 7
    assert int(toast.locator("[data-left]").text_content() or "0") < held


def test_htmx_request_carries_the_token_and_swaps_under_the_policy(tab: Page, site: Site) -> None:
    tab.goto("/form")

    tab.locator("#part").click()
    tab.get_by_text("换好了").wait_for()

    assert site.tokens == ["token-1"]


def test_theme_follows_the_machine_before_the_first_paint(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.address, color_scheme="dark")
    page = context.new_page()

    page.goto("/guide")

    shown = page.evaluate("document.documentElement.dataset.bsTheme")
    context.close()
    assert shown == "dark"


def test_the_role_stands_whole_under_the_name_at_the_foot_of_the_navigation(tab: Page) -> None:
    tab.goto("/form")

    foot = tab.locator(".cp-me .grow")
    assert foot.evaluate("e => e.scrollWidth <= e.clientWidth && e.clientHeight > 30")


def test_more_menu_on_the_phone_opens_and_closes_beside_it(tab: Page) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto("/form")
    menu = tab.locator(".cp-more-list")

    tab.get_by_text("更多").click()
    assert menu.is_visible()
    tab.mouse.click(100, 300)
    assert not menu.is_visible()
