"""Templates and static files: they render, keep the content security policy and ask nothing of the outside."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, flash, render_template, render_template_string

from crm.domain.kinds import KINDS, POOL_KIND, RUNGS, STATES
from crm.domain.viewers import Viewer, ViewerGrant

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
    return render_template(template, viewer=VIEWER, nav=NAV, office="巫溪县科学技术局", role_words="服务专员", **context)


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
    kept = {"request_key": ["k1"], "text": ["新烘干线 6 月投产"]}

    first = html_of("errors/busy.html", kept=kept, target="/visits/new", again=False)
    second = html_of("errors/busy.html", kept=kept, target="/visits/new", again=True)

    for page in (first, second):
        assert '<input type="hidden" name="request_key" value="k1">' in page
        assert '<input type="hidden" name="text" value="新烘干线 6 月投产">' in page
    assert ("data-retry-busy" in first, "data-retry-busy" in second) == (True, False)


def test_form_kept_from_an_old_page_comes_back_whole(app: Flask) -> None:
    page = html_of("errors/kept.html", kept={"enterprise_id": ["3", "4"], "text": ["<b>"]}, target="/visits/new")

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

    bar = page[page.index('class="cp-tabbar"') : page.index("</details>")]
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


def test_name_of_a_firm_is_escaped_and_keeps_its_form_whole(app: Flask) -> None:
    parts = {"region": "巫溪县", "core": "<b>", "middle": "食品", "form": "有限责任公司"}

    drawn = render_template_string("{% import '_macros.html' as ui %}{{ ui.nm(parts, '/x') }}", parts=parts)

    assert drawn == '<a class="nm" href="/x"><i>巫溪县</i><b>&lt;b&gt;</b>食品<u>有限责任公司</u></a>'


def test_blank_figure_is_not_zero(app: Flask) -> None:
    drawn = render_template_string("{% import '_macros.html' as ui %}{{ ui.fig(none) }}{{ ui.fig('0') }}")

    assert drawn == '<td class="u">未填</td><td class="n">0</td>'


def test_field_keeps_what_was_typed_and_ties_the_error_to_it(app: Flask) -> None:
    drawn = render_template_string(
        "{% import '_macros.html' as ui %}{{ ui.field('staff', '从业人员', '四十余人', error='不是数。') }}"
    )

    assert 'value="四十余人" aria-invalid="true" aria-describedby="f-staff-error"' in drawn
    assert 'id="f-staff-error"' in drawn


