"""Saving from the list: one cell, and one field of ten thousand enterprises with its undo, as a browser asks."""

import html
import re
import time
from typing import Any

import bench_world
from bench_pages import REQUESTS, _at, signed_in
from bench_table import Line, timed
from bench_world import say
from sqlalchemy import func, select

from crm.extensions import db
from crm.store.changes import ChangeSet
from crm.store.standings import Standing

# Goals at 100,000 enterprises on SQLite; PostgreSQL may take twice as long.
INLINE_GOAL_MS = 60
MANY = 10_000


def _form(page: str) -> dict[str, str]:
    """The hidden fields of the last form of a page."""
    part = page[page.rfind("<form") :] if "data-editor" in page else page
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part)
    return {name: html.unescape(value) for name, value in found}


def editing(app: Any, size: int, kind: str) -> list[Line]:
    """Cells saved one after the other, each of another enterprise; then the park of many, and its undo."""
    client = signed_in(app, "bureau")
    client.environ_base["HTTP_ACCEPT_ENCODING"] = "identity"
    with app.app_context():
        ids = bench_world.enterprise_ids(REQUESTS)
        db.session.remove()
    factor = (1 if kind == "sqlite" else 2) if size >= 100_000 else 0
    took: dict[str, list[float]] = {"contact_name": [], "township": []}
    for cell, seconds in took.items():
        for n, enterprise_id in enumerate(ids):
            url = f"/enterprises/{enterprise_id}/cells/{cell}"
            page = client.get(url).text
            # Another value than the stored one, or nothing would be written.
            options = re.findall(r'<option value="(\d+)">', page)
            value = options[n % len(options)] if options else f"联系人{time.time_ns()}"
            data = {**_form(page), cell: value, "asked": "", "nature": "new_fact", "effective_on": ""}
            started = time.perf_counter()
            answer = client.post(url, data=data)
            seconds.append(time.perf_counter() - started)
            assert answer.status_code == 200, answer.text
            assert "已修改" in answer.json["toast"], "nothing was written"
    lines = []
    for cell, what in (("contact_name", "a cell of the list saved"), ("township", "a dated cell of the list saved")):
        p50, p95 = _at(took[cell], 50), _at(took[cell], 95)
        lines += [Line(f"{what}, p50", p50, "ms"), Line(f"{what}, p95", p95, "ms", factor * INLINE_GOAL_MS or None)]
        say(f"  {what}: p50 {p50:.1f} p95 {p95:.1f} ms")
    return lines + _many(app, client, min(size, MANY))


def _many(app: Any, client: Any, count: int) -> list[Line]:
    """The source of the enterprises of some townships set to another value through the three pages, and taken back."""
    with app.app_context():
        asked, total = _townships_with(count)
        db.session.remove()
    page = client.get("/enterprises").text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token, "the list has no token"
    chosen = {"all": "1", "expected": str(total), "asked": asked, "field": "source"}
    first = client.post("/enterprises/bulk", data={**chosen, "csrf_token": token[1]}).text
    shown = ""

    def preview() -> None:
        nonlocal shown
        shown = client.post("/enterprises/bulk", data={**_form(first), "step": "preview", "source": "attracted"}).text

    previewing = timed(preview)
    number = re.search(r"会改 ([\d,]+) 家", shown)
    assert number, "nothing would change; the world is not fresh"
    sent = {**_form(shown), "step": "write", "source": "attracted", "number": number[1].replace(",", "")}

    def write() -> None:
        answer = client.post("/enterprises/bulk", data=sent)
        assert answer.status_code == 302, answer.status_code

    writing = timed(write)
    with app.app_context():
        last = db.session.scalar(select(func.max(ChangeSet.id)))
        db.session.remove()

    def undo() -> None:
        answer = client.post(f"/changes/{last}/undo", data={"csrf_token": token[1]})
        assert answer.status_code == 302, answer.status_code

    undoing = timed(undo)
    what = f"one field of {number[1]} enterprises"
    say(f"  {what}: preview {previewing:.2f} s, written {writing:.2f} s, undone {undoing:.2f} s")
    return [
        Line(f"{what}: preview", previewing, "s"),
        Line(f"{what}: written", writing, "s"),
        Line(f"{what}: undone in one press", undoing, "s"),
    ]


def _townships_with(count: int) -> tuple[str, int]:
    """(address, how many) of the first townships that have at least so many enterprises together."""
    query = select(Standing.township_id, func.count()).where(Standing.township_id.is_not(None))
    chosen, total = [], 0
    for township_id, n in db.session.execute(query.group_by(Standing.township_id).order_by(Standing.township_id)):
        if total >= count:
            break
        chosen.append(f"township={township_id}")
        total += n
    return "&".join(chosen), total
