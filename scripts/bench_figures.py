"""The file of one enterprise as it is worked in: a cell saved in place, a block pasted, and the pages around them."""

import re
import time
from typing import Any

import bench_world
from bench_pages import Statements, _at, measured, signed_in
from bench_table import Line
from bench_world import say
from flask import Flask

from crm.domain.fields import FIELDS
from crm.extensions import db
from crm.store.changes import ChangeSet
from crm.web.figures.shown import ORDER

SAVES, PASTES, REQUESTS = 60, 40, 60
# (milliseconds at the 95th percentile) on SQLite; PostgreSQL may take twice as long.
GOALS = {"cell": 60, "paste": 150, "page": 50}
# What is read here is not packed.
PLAIN = {"Accept-Encoding": "identity"}
YEARS = (2021, 2022, 2023, 2024, 2025)


def block(n: int) -> str:
    """Five years by thirty figures with their heads, every cell another number each time."""
    fields = [FIELDS[f"figures.{code}"] for code in ORDER]
    wide = [one for one in fields if one.type in ("money", "count") and (one.maximum is None or one.maximum >= 100)]
    names = [one.label for one in wide][:30]
    assert len(names) == 30
    lines = ["\t".join(["指标（万元）", *map(str, YEARS)])]
    for place, name in enumerate(names):
        lines.append("\t".join([name, *(str(1 + (n * 7 + place + year) % 90) for year in YEARS)]))
    return "\n".join(lines)


def working(app: Flask, size: int, kind: str) -> list[Line]:
    """Measure on firms of the bench world, and take everything back that was written."""
    with app.app_context():
        ids = bench_world.enterprise_ids(SAVES)
        first = db.session.query(db.func.max(ChangeSet.id)).scalar() or 0
        engine = db.engine
        db.session.remove()
    client = signed_in(app, "bureau")
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/account", headers=PLAIN).text)
    assert token, "the page has no token"
    goal = {name: value * (1 if kind == "sqlite" else 2) if size >= 100_000 else None for name, value in GOALS.items()}
    lines = _saves(client, token[1], ids, goal["cell"])
    lines += _pastes(client, token[1], ids[:PASTES], goal["paste"])
    statements = Statements(engine)
    for what, tab in (("figures tab", "figures"), ("timeline tab", "time"), ("affiliations tab", "belongs")):
        urls = [f"/enterprises/{ids[n % len(ids)]}?tab={tab}" for n in range(REQUESTS)]
        p50, p95, cpu, raw = measured(client, statements, urls)
        lines.append(Line(f"{what}, p50", p50, "ms", None, f"CPU {cpu:.1f} ms, raw SQL {raw:.1f} ms"))
        lines.append(Line(f"{what}, p95", p95, "ms", goal["page"]))
        say(f"  {what}: p50 {p50:.1f} p95 {p95:.1f} ms")
    _take_back(app, first)
    return lines


def _saves(client: Any, token: str, ids: list[int], goal: float | None) -> list[Line]:
    took = []
    for n, firm in enumerate(ids):
        told = {"csrf_token": token, "request_key": f"bench-cell-{time.time_ns()}", "unit": "万元"}
        cell = {"year": "2023", "code": "tax_paid", "seen": "", "version": "0", "text": str(100 + n)}
        started = time.perf_counter()
        answer = client.post(f"/enterprises/{firm}/figures/cell", data=told | cell, headers=PLAIN)
        took.append(time.perf_counter() - started)
        # A cell that has a figure already is asked about; the next press says it was seen.
        if answer.status_code == 409:
            cell |= {"seen": answer.json["theirs"], "version": str(answer.json["version"])}
            started = time.perf_counter()
            answer = client.post(f"/enterprises/{firm}/figures/cell", data=told | cell, headers=PLAIN)
            took[-1] = time.perf_counter() - started
        assert answer.status_code == 200, answer.text[:300]
    say(f"  one figure saved in place: p50 {_at(took, 50):.1f} p95 {_at(took, 95):.1f} ms")
    return [
        Line("one figure saved in place, p50", _at(took, 50), "ms"),
        Line("one figure saved in place, p95", _at(took, 95), "ms", goal),
    ]


def _pastes(client: Any, token: str, ids: list[int], goal: float | None) -> list[Line]:
    looked, wrote = [], []
    for n, firm in enumerate(ids):
        url = f"/enterprises/{firm}/figures/paste"
        form = {"csrf_token": token, "unit": "万元", "text": block(n)}
        started = time.perf_counter()
        page = client.post(url, data=form, headers=PLAIN)
        looked.append(time.perf_counter() - started)
        assert page.status_code == 200, page.text[:300]
        seen = re.search(r'name="seen" value="([^"]*)"', page.text)
        assert seen, "the preview carries nothing"
        form |= {
            "confirmed": "1",
            "seen": seen[1].replace("&#34;", '"'),
            "request_key": f"bench-paste-{time.time_ns()}",
        }
        started = time.perf_counter()
        answer = client.post(url, data=form, headers=PLAIN)
        wrote.append(time.perf_counter() - started)
        assert answer.status_code == 302, answer.text[:300]
    say(f"  a block of 5 × 30: preview p95 {_at(looked, 95):.1f}, written p95 {_at(wrote, 95):.1f} ms")
    return [
        Line("figures of 5 × 30 pasted: preview, p95", _at(looked, 95), "ms", goal),
        Line("figures of 5 × 30 pasted: written, p50", _at(wrote, 50), "ms"),
        Line("figures of 5 × 30 pasted: written, p95", _at(wrote, 95), "ms", goal),
    ]


def _take_back(app: Flask, first: int) -> None:
    """Undo what was written, newest first, so that the next measurement finds the same world."""
    from datetime import UTC, datetime

    from crm.actions.changes import undo
    from crm.domain.acts import Act
    from crm.domain.viewers import the_machine
    from crm.store.unit_of_work import unit_of_work

    with app.app_context():
        sets = db.session.query(ChangeSet.id).where(ChangeSet.id > first).order_by(ChangeSet.id.desc()).all()
        assert len(sets) == SAVES + PASTES, "something was not written"
        now = datetime.now(UTC)
        for (change_set_id,) in sets:
            with unit_of_work():
                undo(change_set_id, act=Act(the_machine("测量"), "cli", now, now.date()))
        db.session.remove()
