"""The figures of one enterprise as a grid: years across, with who wrote each cell and what was confirmed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request
from sqlalchemy import select

from crm.actions.figures import FIRST_YEAR
from crm.domain import words
from crm.domain.fields import CHOICES, FIELDS
from crm.domain.words import local
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.figures import Figures
from crm.store.imports import ImportBatch
from crm.web.addresses import whole
from crm.web.enterprises.file import File
from crm.web.figures import shown
from crm.web.figures.groups import FIGURE_GROUPS, RECOGNITION_GROUPS

# Deeds by which an enterprise's own answer came in; their reason names the collection (采集：…).
COLLECTED = frozenset({"answer_sheet", "return_sheets"})
# Rows of the grid on the overview; the tab has them all.
MAIN_FIGURES = ("revenue", "rd_expense", "hightech_income", "net_assets", "staff_count", "sci_staff_sme")
MOST_YEARS = 12


@dataclass(frozen=True)
class Source:
    """Where a figure came from: words for its cell, and whether a confirmation lapsed when it was written."""

    words: str
    lapsed: bool


def figures(file: File, *, every: bool) -> dict[str, Any]:
    """The grid: years as columns, fields as rows, with the source of each cell."""
    if not file.reads_figures:
        return {"grid": None}
    by_year = {row.year: row for row in file.figures}
    years = _years(file, by_year, every)
    sources, changed = sources_of(file.figures, file.on)
    unit = shown.unit_of(request.args.get("unit"))
    editable = every and file.may_edit
    unfolded = request.args.get("all") == "1"
    groups = []
    unasked = 0
    for label, codes in (*FIGURE_GROUPS, *RECOGNITION_GROUPS) if every else (("", MAIN_FIGURES),):
        rows = [_figure_row(code, years, by_year, sources, unit) for code in codes]
        told = [r for r in rows if any(cell["text"] for cell in r["cells"])]
        special = (label, codes) in RECOGNITION_GROUPS
        if special and not unfolded:
            # Most enterprises never need these, so what is blank is counted and not listed.
            unasked += len(rows) - len(told)
            groups.append({"label": label, "rows": told, "blank": []})
        elif editable or not every:
            groups.append({"label": label, "rows": rows, "blank": []})
        else:
            blank = [] if special else [r["label"] for r in rows if r not in told]
            groups.append({"label": label, "rows": told, "blank": blank})
    return {
        "grid": {
            "years": years,
            "versions": {year: by_year[year].version if year in by_year else 0 for year in years},
            "groups": groups,
            "ratio": [ratio_of(by_year.get(year)) for year in years],
            "unit": unit,
            "lapsed": changed,
            "unasked": unasked,
            "unfolded": unfolded,
            "editable": editable,
            "choices": _choices() if editable else {},
            "earlier": years[0] - 1 if len(years) < MOST_YEARS and years[0] > FIRST_YEAR else None,
            "later": years[-1] + 1 if years[-1] < file.on.year else None,
        },
        "figure_years": sorted(by_year),
        "next_year": max([file.on.year - 1, *by_year]),
    }


def _years(file: File, by_year: Mapping[int, Any], every: bool) -> list[int]:
    """Five years on the overview; on the tab all that are known, and what the address adds at either end."""
    if not every:
        told = [y for y, r in by_year.items() if any(getattr(r, c) is not None for c in MAIN_FIGURES)]
        last = max([file.on.year - 1, *told])
        return list(range(last - 4, last + 1))
    since, until = whole(request.args.get("since"), largest=9999), whole(request.args.get("until"), largest=9999)
    last = max([file.on.year - 1, *by_year, min(until or 0, file.on.year)])
    first = min([last - 4, *by_year, max(since or 9999, FIRST_YEAR)])
    return list(range(max(first, last - MOST_YEARS + 1), last + 1))


def _choices() -> dict[str, list[str]]:
    """What a cell that is chosen and not typed offers: {field: words}."""
    found = {}
    for code in shown.ORDER:
        declared = FIELDS[f"figures.{code}"]
        if declared.type == "yes_no":
            found[code] = ["是", "否"]
        elif declared.type == "choice":
            found[code] = list(CHOICES.get(declared.choices or "", {}).values())
    return found


def _figure_row(
    code: str,
    years: Iterable[int],
    by_year: Mapping[int, Any],
    sources: Mapping[tuple[int, str], Source],
    unit: str,
) -> dict[str, Any]:
    field = FIELDS[f"figures.{code}"]
    label = field.label + (f"（{field.unit}）" if field.type in ("count", "number") and field.unit else "")
    cells = [cell_of(code, year, by_year.get(year), sources.get((year, code)), unit) for year in years]
    return {"code": code, "label": label, "cells": cells, "basis": field.basis, "amount": field.type in _AMOUNTS}


_AMOUNTS = frozenset({"money", "count", "number", "ratio"})


def cell_of(code: str, year: int, row: Figures | None, source: Source | None, unit: str) -> dict[str, Any]:
    """One cell: its text, what is typed to get it, whether it was confirmed, and where it came from."""
    field = FIELDS[f"figures.{code}"]
    value = getattr(row, code) if row else None
    confirmed = (row.confirmed or {}).get(code) if row else None
    parts = []
    if confirmed:
        parts.append(f"企业已确认：{confirmed.get('by', '')} {str(confirmed.get('at', ''))[:10]}")
    if source:
        parts.append(source.words)
    if row is not None and row.source_note and value is not None and code != "source_note":
        parts.append(f"来源：{row.source_note}")
    return {
        "year": year,
        "text": shown.shown(field, value, unit),
        "typed": shown.typed(field, value, unit),
        "mark": "v" if confirmed else "w" if source and source.lapsed and value is not None else None,
        "source": "；".join(parts),
        "amount": field.type in _AMOUNTS,
    }


def ratio_of(row: Figures | None) -> str:
    """研发费用占营业收入 of a year, where both are known."""
    known = row is not None and row.rd_expense is not None and row.revenue
    return words.ratio(row.rd_expense / row.revenue) if known and row is not None else ""


def sources_of(rows: Iterable[Figures], on: date) -> tuple[dict[tuple[int, str], Source], list[str]]:
    """Who wrote each figure last, when and through which door or file; and which confirmations have lapsed since."""
    year_of = {row.id: row.year for row in rows}
    query = (
        select(
            Change.record_id,
            Change.op,
            Change.fields,
            ChangeSet.who,
            ChangeSet.door,
            ChangeSet.recorded_at,
            ChangeSet.action,
            ChangeSet.reason,
            ImportBatch.file_name,
        )
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
        .outerjoin(ImportBatch, ImportBatch.id == ChangeSet.import_batch_id)
        .where(Change.noun == "figures", Change.record_id.in_(year_of))
        .order_by(Change.id)
    )
    found: dict[tuple[int, str], Source] = {}
    told: dict[tuple[int, str], str] = {}
    for record_id, op, fields, who, door, at, action, why, file_name in db.session.execute(query):
        year = year_of.get(record_id)
        if year is None:
            continue
        gone, back = set(), set()
        if op == "update" and "confirmed" in fields:
            before, after = fields["confirmed"]
            gone, back = set(before or {}) - set(after or {}), set(after or {}) - set(before or {})
        through = f"导入《{file_name}》" if file_name else words.DOORS.get(door, door)
        if action in COLLECTED:
            through = why
        for code, value in fields.items():
            if f"figures.{code}" not in FIELDS:
                continue
            found[(year, code)] = Source(f"{who} {local(at):%Y-%m-%d}，{through}", code in gone)
            told.pop((year, code), None)
            if code in gone and op == "update":
                was = words.value(f"figures.{code}", value[0])
                label, day = FIELDS[f"figures.{code}"].label, words.day(local(at).date(), on)
                told[(year, code)] = f"{label} {year}：原 {was}，{who} {day} 改"
        for code in back:
            told.pop((year, code), None)
    return found, list(told.values())[-3:]
