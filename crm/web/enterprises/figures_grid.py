"""The figures of one enterprise as a grid: years across, with who wrote each cell and what was confirmed."""

from typing import Any

from flask import request
from sqlalchemy import select

from crm.domain import words
from crm.domain.fields import FIELDS
from crm.domain.words import local
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.web.enterprises.file import File
from crm.web.figures.groups import FIGURE_GROUPS, RECOGNITION_GROUPS

# Rows of the grid on the overview; the tab has them all.
MAIN_FIGURES = ("revenue", "rd_expense", "hightech_income", "net_assets", "staff_count", "sci_staff_sme")


def figures(file: File, *, every: bool) -> dict[str, Any]:
    """The grid: years as columns, fields as rows, with the source of each cell."""
    if not file.reads_figures:
        return {"grid": None}
    by_year = {row.year: row for row in file.figures}
    told = by_year if every else [y for y, r in by_year.items() if any(getattr(r, c) is not None for c in MAIN_FIGURES)]
    last = max([file.on.year - 1, *told])
    first = min([last - 2, *by_year]) if every else last - 4
    years = list(range(max(first, last - 9), last + 1))
    sources, changed = _sources(file)
    unit = "元" if request.args.get("unit") == "yuan" else "万元"
    groups = []
    unasked = 0
    for label, codes in (*FIGURE_GROUPS, *RECOGNITION_GROUPS) if every else (("", MAIN_FIGURES),):
        rows = [_figure_row(FIELDS[f"figures.{code}"], years, by_year, sources, unit) for code in codes]
        if (label, codes) in RECOGNITION_GROUPS:
            # Most enterprises never need these, so what is blank is counted and not listed.
            kept = [r for r in rows if any(cell["text"] for cell in r["cells"])]
            unasked += len(rows) - len(kept)
            groups.append({"label": label, "rows": kept, "blank": []})
            continue
        if every and not any(cell["text"] for r in rows for cell in r["cells"]):
            groups.append({"label": label, "rows": [], "blank": [r["label"] for r in rows]})
            continue
        kept = [r for r in rows if not every or any(cell["text"] for cell in r["cells"])]
        blank = [r["label"] for r in rows if r not in kept]
        groups.append({"label": label, "rows": kept, "blank": blank})
    return {
        "grid": {
            "years": years,
            "groups": groups,
            "ratio": _ratio_row(years, by_year),
            "unit": unit,
            "lapsed": changed,
            "unasked": unasked,
        },
        "figure_years": sorted(by_year),
        "next_year": last,
    }


def _figure_row(field, years, by_year, sources, unit) -> dict[str, Any]:
    cells = []
    for year in years:
        row = by_year.get(year)
        value = getattr(row, field.code) if row else None
        text = ""
        if value is not None:
            text = words.money(value, unit) if field.type == "money" else words.value(field, value)
            if field.type == "count":
                text = words.number(value)
        confirmed = (row.confirmed or {}).get(field.code) if row else None
        source = sources.get((year, field.code))
        mark = "v" if confirmed else "w" if source and source.get("lapsed") else None
        title = source["words"] if source else None
        if confirmed:
            title = f"企业已确认：{confirmed.get('by', '')} {str(confirmed.get('at', ''))[:10]}；{title or ''}".rstrip(
                "；"
            )
        cells.append({"text": text, "mark": mark, "source": title})
    label = field.label + (f"（{field.unit}）" if field.type in ("count", "number") and field.unit else "")
    return {"code": field.code, "label": label, "cells": cells, "basis": field.basis}


def _ratio_row(years, by_year) -> list[str]:
    cells = []
    for year in years:
        row = by_year.get(year)
        known = row is not None and row.rd_expense is not None and row.revenue
        cells.append(words.ratio(row.rd_expense / row.revenue) if known else "")
    return cells


def _sources(file: File) -> tuple[dict[tuple[int, str], dict[str, Any]], list[str]]:
    """Who wrote each figure last, when and through which door; and which confirmations have lapsed since."""
    query = (
        select(Change.record_id, Change.op, Change.fields, ChangeSet.who, ChangeSet.door, ChangeSet.recorded_at)
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
        .where(Change.enterprise_id == file.row.id, Change.noun == "figures")
        .order_by(Change.id)
    )
    year_of = {row.id: row.year for row in file.figures}
    found: dict[tuple[int, str], dict[str, Any]] = {}
    said = []
    for record_id, op, fields, who, door, at in db.session.execute(query):
        year = year_of.get(record_id)
        if year is None:
            continue
        gone = set()
        if op == "update" and "confirmed" in fields:
            before, after = fields["confirmed"]
            gone = set(before or {}) - set(after or {})
        for code, value in fields.items():
            if f"figures.{code}" in FIELDS:
                when = f"{local(at):%Y-%m-%d}"
                found[(year, code)] = {"words": f"{who} {when}，{words.DOORS.get(door, door)}", "lapsed": code in gone}
                if code in gone and op == "update":
                    was = words.value(f"figures.{code}", value[0])
                    label, day = FIELDS[f"figures.{code}"].label, words.day(local(at).date(), file.on)
                    said.append(f"{label} {year}：原 {was}，{who} {day} 改")
    return found, said[-3:]
