"""Every page there is, in the demo county: for everybody's eyes, light enough, within its screen, printable, quiet.

The pages are read from the routes, so a new one cannot be left out: a route whose argument nobody can fill, or whose
page does not open, fails here.
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.routing import Rule

from crm.cli.demo_shapes import PASSWORD
from crm.config import ROOT
from crm.web.doors import ANYBODY, SIGNED_IN
from tests.browser.conftest import Stack, run_stack, sign_in
from tests.browser.ledger import write_ledger
from tests.conftest import build, settings_for
from tests.web.test_routes import LISTS, RECORDS, WORDS

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# Who looks at a page: the first of these whose role it is for.
PEOPLE = {"bureau": "tanyue", "admin": "tianyan", "case_manager": "xianghe", "township": "qindi", "unit": "yueheng"}
# What a page without a chart may weigh, packed: everything on the first visit, the page itself afterwards.
FIRST_VISIT, LATER = 150 * 1024, 30 * 1024
# Screens: a wide light one and a phone in the dark; colours and widths differ, so both are looked at.
SCREENS = {"desktop": (1440, 900, "light"), "phone": (390, 844, "dark")}
# What a page needs of its record: a comment is its author's to change, only a decided list is sent out, only what
# was handed in is looked at.
WANTED = {
    "comments.edit": ("comment", "author_id = (SELECT id FROM user WHERE login = 'tanyue')"),
    "reviews.line": ("application", "id IN (SELECT application_id FROM application_review)"),
    "pool.issue_list": ("pool_selection", "decided_on IS NOT NULL"),
    "pool.decide_list": ("pool_selection", "decided_on IS NULL"),
}
# Asking for these ends the session, or is answered without a page.
LEFT_OUT = {"static", "system.healthz", "system.readyz"}

AXE_SAYS = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
  const found = await axe.run(document, { resultTypes: ["violations"], runOnly: rules });
  const node = (n) => n.target.join(" ") + " " + n.html.slice(0, 120);
  return found.violations.filter((v) => ["serious", "critical"].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map(node).join(" | ")}`);
}"""
BUTTONS_ON_PAPER = """() => {
  const never = ".cp-nav, .cp-tabbar, .toasts, .btn-primary, .savebar, .selbar";
  return [...document.querySelectorAll(never)].filter((e) => e.getClientRects().length).map((e) => e.className);
}"""


@dataclass
class Seen:
    """What was found: address → what is wrong there; each test asks for one of these to be empty."""

    opened: list[str] = field(default_factory=list)
    unreached: dict[str, str] = field(default_factory=dict)
    axe: dict[str, list[str]] = field(default_factory=dict)
    heavy: dict[str, int] = field(default_factory=dict)
    wide: dict[str, int] = field(default_factory=dict)
    printed: dict[str, list[str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    first_visit: int = 0


@pytest.fixture(scope="module")
def stack(browser: Browser, tmp_path_factory) -> Iterator[Stack]:
    """The demo county after a day of use: with what no demo makes by itself, an import, a mail, a kept comparison."""
    folder = tmp_path_factory.mktemp("used")
    for here in run_stack(folder, lambda here: here.flask("demo", "--seed", "7")):
        _use(here, browser, folder / "台账.xlsx")
        yield here


def _use(here: Stack, browser: Browser, book: Path) -> None:
    write_ledger(book)
    here.flask("import", str(book), "--region", "500238", "--good-rows-only", "--json", accepted=(0, 1))
    here.flask("digest")
    page = browser.new_context(base_url=here.address).new_page()
    sign_in(page, "tanyue", PASSWORD)
    page.goto("/enterprises?state=hnte:")
    page.locator("tbody a.nm").first.click()
    page.get_by_role("link", name="条件比对").click()
    page.get_by_role("button", name="存为比对记录").first.click()
    page.wait_for_load_state()
    page.goto("/attachments/on/enterprise/1")
    paper = {"name": "厂房.png", "mimeType": "image/png", "buffer": page.screenshot()}
    page.locator("input[name=files]").set_input_files(paper)
    page.locator("form:has(input[name=files]) button[type=submit]").first.click()
    page.wait_for_load_state()
    page.context.close()


@pytest.fixture(scope="module")
def pages(stack, tmp_path_factory) -> dict[str, list[str]]:
    """{login: the addresses this person looks at}, one for each page that there is."""
    app = build(settings_for(tmp_path_factory.mktemp("routes")))
    found: dict[str, list[str]] = defaultdict(list)
    with sqlite3.connect(f"file:{stack.folder / 'crm.db'}?mode=ro", uri=True) as rows:
        for rule in sorted(app.url_map.iter_rules(), key=str):
            if "GET" not in (rule.methods or ()) or rule.endpoint in LEFT_OUT:
                continue
            open_to = getattr(app.view_functions[rule.endpoint], "open_to", ())
            login = next((who for role, who in PEOPLE.items() if role in open_to or SIGNED_IN in open_to), None)
            if ANYBODY in open_to or login is None:
                continue
            try:
                found[login] += _addresses(rule, rows)
            except LookupError as missing:
                found[""].append(f"{rule}: {missing}")
    return found


def _addresses(rule: Rule, rows: sqlite3.Connection) -> list[str]:
    """The addresses of a route: one for each list that its entries may be of, else one."""
    if "list_name" in rule.arguments:
        of_lists = [(re.sub(r"<[^<>]*list_name>", name, str(rule)), noun) for name, noun in LISTS.items()]
        return [re.sub(r"<[^<>]*entry_id>", str(_record(noun, rows)), filled) for filled, noun in of_lists]
    filled = str(rule)
    if {"enterprise_id", "kind", "period"} <= rule.arguments:
        # What is due changes with the day: one that waits, of a firm of the county.
        waits = rows.execute(
            "SELECT o.enterprise_id, o.kind, o.period FROM obligation o JOIN enterprise e ON e.id = o.enterprise_id"
            " JOIN region r ON r.id = e.region_id WHERE r.code = '500238' AND o.state = 'open' AND o.kind = 'next_step'"
            " ORDER BY o.id LIMIT 1"
        ).fetchone()
        if waits is None:
            raise LookupError("nothing waits in the demo county")
        for name, value in zip(("enterprise_id", "kind", "period"), waits, strict=True):
            filled = re.sub(rf"<(?:[^<>]*:)?{name}>", str(value), filled)
    for name in rule.arguments:
        noun = RECORDS.get(name, name.removesuffix("_id"))
        # Beside one enterprise stands another one.
        wanted, condition = WANTED.get(rule.endpoint, ("", ""))
        more = condition if wanted == noun else ""
        value = WORDS[name][0] if name in WORDS else _record(noun, rows, more, place=int(name == "other_id"))
        filled = re.sub(rf"<(?:[^<>]*:)?{name}>", str(value), filled)
    return [filled]


def _record(noun: str, rows: sqlite3.Connection, more: str = "", *, place: int = 0) -> int:
    """A record of the county, of the enterprise with the longest history where it belongs to one.

    ``place`` 1 is the one after it.
    """
    noun = "region" if noun == "township" else noun
    columns = {row[1] for row in rows.execute(f'PRAGMA table_info("{noun}")')}
    key = "enterprise_id" if noun == "standing" else "id"
    where = ["NOT deleted"] if "deleted" in columns else []
    if "region_id" in columns:
        # The city's windows count in the county.
        where.append("region_id IN (SELECT id FROM region WHERE code IN ('500238', '500000'))")
    if more:
        where.append(more)
    if noun == "change_set":
        where.append("action = 'record_figures'")
    if noun == "region":
        where.append("code = '500238101'")
    if noun == "user":
        where.append("login = 'xianghe'")
    order = "(SELECT count(*) FROM change c WHERE c.enterprise_id = {}) DESC, id"
    order = order.format("enterprise_id" if "enterprise_id" in columns else "id" if noun == "enterprise" else "-1")
    found = rows.execute(
        f'SELECT {key} FROM "{noun}" WHERE {" AND ".join(where) or "1"} ORDER BY {order} LIMIT 1 OFFSET {place}'
    ).fetchone()
    if found is None:
        raise LookupError(f"the demo county has no {noun}")
    return found[0]


@pytest.fixture(scope="module")
def seen(browser: Browser, stack: Stack, pages: dict[str, list[str]]) -> Iterator[Seen]:
    """Every page looked at once on each screen; the tests below only read what was found."""
    found = Seen()
    found.unreached = dict.fromkeys(pages.get("", ()), "")
    for login, (screen, (width, height, theme)) in product([who for who in pages if who], SCREENS.items()):
        context = browser.new_context(
            base_url=stack.address,
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme=theme,
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("console", lambda line: line.type == "error" and found.complaints.append(line.text))
        sign_in(page, login, PASSWORD)
        waiting = list(pages[login])
        while waiting:
            address = waiting.pop(0)
            waiting += [tab for tab in _look(context, page, address, screen, width, found) if tab not in waiting]
        context.close()
    yield found


def _look(context: BrowserContext, page: Page, address: str, screen: str, width: int, found: Seen) -> list[str]:
    """Look at one page; returns the tabs on it that have addresses of their own."""
    name = f"{screen} {address}"
    if name in found.opened or name in found.unreached:
        return []
    answer = context.request.get(address, headers={"Accept-Encoding": "gzip"})
    if answer.status != 200:
        found.unreached[name] = f"{answer.status}"
        return []
    if "sandbox" in answer.headers.get("content-security-policy", ""):
        # A mail inside a frame: no script runs in it, so none of ours could look at it either.
        return []
    if "text/html" not in answer.headers.get("content-type", "") or not answer.text().lower().startswith("<!doctype"):
        return []
    page.goto(address)
    found.opened.append(name)
    weight = int(answer.headers.get("content-length", 0))
    if weight > LATER:
        found.heavy[name] = weight
    if (over := page.evaluate("document.documentElement.scrollWidth")) > width:
        found.wide[name] = over
    page.evaluate(AXE.read_text())
    if said := page.evaluate(AXE_SAYS):
        found.axe[name] = said
    if screen == "desktop":
        page.emulate_media(media="print")
        if buttons := page.evaluate(BUTTONS_ON_PAPER):
            found.printed[name] = buttons
        page.emulate_media(media="screen")
    if "?" in address:
        return []
    tabs = page.evaluate("[...document.querySelectorAll('nav.views a[href]')].map((a) => a.getAttribute('href'))")
    return [tab for tab in tabs if tab.startswith(f"{address}?")][:16]


def said(found: dict) -> str:
    """All of it, a line each: what is to be mended should not have to be asked for twice."""
    return "\n".join(f"{address}: {what}" for address, what in found.items())


def test_every_page_opens(seen):
    assert not seen.unreached, said(seen.unreached)
    assert len(seen.opened) > 100


def test_no_page_has_a_serious_barrier_in_the_light_or_in_the_dark(seen):
    assert not seen.axe, said(seen.axe)


def test_no_page_scrolls_sideways(seen):
    assert not seen.wide, said(seen.wide)


def test_paper_has_no_navigation_and_no_solid_button(seen):
    assert not seen.printed, said(seen.printed)


def test_no_script_stumbles_and_the_policy_holds(seen):
    assert seen.complaints == []


def test_a_page_is_light_after_the_first_one(seen):
    assert not seen.heavy, said(seen.heavy)


@pytest.mark.parametrize("address", ["/", "/enterprises", "/board", "/due", "/visits/new"])
def test_a_first_visit_is_light(browser: Browser, stack: Stack, address):
    context = browser.new_context(base_url=stack.address)
    page = context.new_page()
    sign_in(page, "tanyue", PASSWORD)
    page.close()
    weights = []
    with context.new_page() as fresh:
        tap = context.new_cdp_session(fresh)
        tap.send("Network.enable")
        tap.send("Network.setCacheDisabled", {"cacheDisabled": True})
        tap.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))

        fresh.goto(address, wait_until="networkidle")

        assert len(weights) > 5
        assert sum(weights) <= FIRST_VISIT
    context.close()
