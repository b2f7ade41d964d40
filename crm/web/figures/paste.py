"""A block pasted from Excel: shown old → new with what cannot be read, and written only when somebody confirms it."""

import json
from typing import Any

from flask import render_template, request, url_for

from crm.actions.figures import CODES, FIRST_YEAR, YearEdit, problems, record_figures_grid, states_of
from crm.domain.fields import FIELDS
from crm.domain.pasted_figures import PastedBlock, PastedProblem, by_year, read_block
from crm.domain.refusals import Refused
from crm.web.addresses import version_in, whole
from crm.web.doors import SIGNED_IN, Form, attempt, done, new_act, open_to, today
from crm.web.editing import MINE, THEIRS, last_writers
from crm.web.figures import blueprint, shown
from crm.web.figures.edit import editable
from crm.web.figures.groups import FIGURE_GROUPS

# So many sentences are listed; a sheet of the wrong kind would fill the page.
PROBLEMS_SHOWN = 30


@blueprint.route("/enterprises/<int:enterprise_id>/figures/paste", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def paste(enterprise_id: int):
    """Without a text the page asks for one; with a text it is the preview; confirmed it is written."""
    row, _ = editable(enterprise_id)
    form = Form()
    if request.method == "GET":
        return _ask(row)
    text = request.form.get("text", "")
    unit = shown.unit_of(request.form.get("unit"))
    years, order = _years(), _order()
    try:
        block = read_block(
            text,
            years=years,
            codes=order,
            at_year=whole(request.form.get("at_year"), largest=9999) or years[0],
            at_code=request.form.get("at_code", ""),
            unit=unit,
            today=today(),
            first_year=FIRST_YEAR,
        )
    except Refused as refusal:
        return _ask(row, refusal.message), 422
    _judge(block)
    if not block.cells and not block.problems:
        return _ask(row, "粘贴的内容里没有数。空格不改动库里的数，要清空一格就写“清空”。"), 422
    edits = _edits(enterprise_id, block)
    conflicts: list[dict[str, Any]] = []
    if request.form.get("confirmed") == "1" and form.validate_on_submit():
        edits = _settled(edits, form)
        written = attempt(form, lambda: record_figures_grid(row.id, edits, act=new_act()))
        if written is not None:
            number = sum(len(edit.values) for edit in edits.values())
            to = url_for("enterprises.show", enterprise_id=row.id, tab="figures", unit=_unit_word(unit))
            if not written.change_set_id:
                return done("与库里相同，没有写入。", to)
            return done(f"已写入 {number} 格（{_years_said(edits)}）", to, written)
        conflicts = _conflicts(enterprise_id, form, unit)
    row, _ = editable(enterprise_id)
    status = 409 if conflicts else 422 if form.general_errors else 200
    return _preview(row, form, block, text, unit, conflicts, edits), status


def _years() -> list[int]:
    """The years on screen when it was pasted; the last five where nobody says."""
    asked = [whole(part, largest=9999) for part in request.form.get("years", "").split(",")[:60]]
    known = sorted({year for year in asked if year and FIRST_YEAR <= year <= today().year})
    return known or list(range(today().year - 5, today().year))


def _order() -> list[str]:
    """The fields on screen, from top to bottom; those of every year's form where nobody says."""
    asked = [code for code in request.form.get("order", "").split(",")[:300] if code in CODES]
    return list(dict.fromkeys(asked)) or [code for _, codes in FIGURE_GROUPS for code in codes]


def _judge(block: PastedBlock) -> None:
    """What no figure can be is named with the rest, so that the block is never refused as a whole."""
    kept = []
    for cell in block.cells:
        wrong = problems(cell.year, {cell.code: cell.value}, today=today())
        if wrong:
            block.problems.append(PastedProblem(cell.row, cell.column, next(iter(wrong.values()))))
        else:
            kept.append(cell)
    block.cells[:] = kept
    block.problems.sort(key=lambda one: (one.row, one.column))


def _edits(enterprise_id: int, block: PastedBlock) -> dict[int, YearEdit]:
    """What the block says, beside what was seen: on the first look what is stored, then what that page carried."""
    values = by_year(block.cells)
    carried = _carried()
    if carried is None:
        states = states_of(enterprise_id, values)
        return {
            year: YearEdit(
                said,
                states[year].version if year in states else 0,
                {code: states[year].values[code] if year in states else None for code in said},
            )
            for year, said in values.items()
        }
    nothing = (0, dict[str, Any]())
    return {year: YearEdit(said, *carried.get(year, nothing)) for year, said in values.items()}


def _carried() -> dict[int, tuple[int, dict[str, Any]]] | None:
    """What the preview showed as stored, by year; None on the first look."""
    raw = request.form.get("seen", "")
    if not raw:
        return None
    try:
        told = json.loads(raw)
        return {
            int(year): (version_in(str(version)), shown.recall_all(values)) for year, (version, values) in told.items()
        }
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _carry(edits: dict[int, YearEdit]) -> str:
    told = {
        str(year): [edit.version, {code: shown.remembered(value) for code, value in (edit.seen or {}).items()}]
        for year, edit in edits.items()
    }
    return json.dumps(told, ensure_ascii=False)


def _settled(edits: dict[int, YearEdit], form: Form) -> dict[int, YearEdit]:
    """The edits after what was chosen on the page of a conflict; a cell without a choice clashes again."""
    try:
        theirs = json.loads(request.form.get("theirs") or "{}")
    except (ValueError, RecursionError):
        theirs = {}
    found: dict[int, YearEdit] = {}
    for year, edit in edits.items():
        values, seen = dict(edit.values), dict(edit.seen or {})
        for code in list(values):
            key = f"{year}.{code}"
            choice = request.form.get(f"pick_{key}")
            if not isinstance(theirs, dict) or key not in theirs or choice not in (MINE, THEIRS):
                continue
            if choice == THEIRS:
                del values[code]
            else:
                seen |= shown.recall_all({code: theirs[key]})
        if values:
            found[year] = YearEdit(values, edit.version, seen)
    return found


def _conflicts(enterprise_id: int, form: Form, unit: str) -> list[dict[str, Any]]:
    states = states_of(enterprise_id, {int(key.partition(".")[0]) for key in form.conflict})
    writers = {year: last_writers("figures", state.id) for year, state in states.items()}
    rows = []
    for key, sides in form.conflict.items():
        year, _, code = key.partition(".")
        before, theirs, mine = (shown.said(FIELDS[f"figures.{code}"], one, unit) for one in sides)
        rows.append(
            {
                "code": key,
                "label": shown.cell_words(key),
                "before": before,
                "theirs": theirs,
                "mine": mine,
                "by": writers.get(int(year), {}).get(code, ""),
                "stored": shown.remembered(sides[1]),
            }
        )
    return rows


def _preview(
    row: Any,
    form: Form,
    block: PastedBlock,
    text: str,
    unit: str,
    conflicts: list[dict[str, Any]],
    edits: dict[int, YearEdit],
) -> str:
    states = states_of(row.id, edits)
    years = sorted(edits)
    counted = {"new": 0, "changed": 0, "same": 0, "confirmed": 0}
    rows = []
    for code in (code for code in shown.ORDER if any(code in edit.values for edit in edits.values())):
        field = FIELDS[f"figures.{code}"]
        cells = []
        for year in years:
            if code not in edits[year].values:
                cells.append(None)
                continue
            state = states.get(year)
            before, after = (state.values[code] if state else None), edits[year].values[code]
            same = before == after
            lapses = state is not None and not same and code in state.confirmed
            counted["same" if same else "new" if before is None else "changed"] += 1
            counted["confirmed"] += lapses
            cells.append(
                {
                    "old": shown.shown(field, before, unit),
                    "new": shown.shown(field, after, unit),
                    "same": same,
                    "lapses": lapses,
                }
            )
        label = field.label + (f"（{field.unit}）" if field.type in ("count", "number") and field.unit else "")
        rows.append({"label": label, "cells": cells})
    return render_template(
        "figures/paste_preview.html",
        row=row,
        form=form,
        block=block,
        problems=block.problems[:PROBLEMS_SHOWN],
        more_problems=max(0, len(block.problems) - PROBLEMS_SHOWN),
        notes=[cell for cell in block.cells if cell.note][:PROBLEMS_SHOWN],
        years=years,
        rows=rows,
        counted=counted,
        writes=counted["new"] + counted["changed"],
        conflicts=conflicts,
        theirs=json.dumps({one["code"]: one["stored"] for one in conflicts}, ensure_ascii=False) if conflicts else "",
        seen=_carry(edits),
        carried={
            "text": text,
            "unit": unit,
            **{name: request.form.get(name, "") for name in ("years", "order", "at_year", "at_code")},
        },
        unit=unit,
        back=url_for("enterprises.show", enterprise_id=row.id, tab="figures", unit=_unit_word(unit)),
    )


def _ask(row: Any, wrong: str = "") -> str:
    """The page with a box for those who have no script, and for whoever pasted what cannot be read at all."""
    years = list(range(today().year, today().year - 12, -1))
    return render_template(
        "figures/paste.html",
        row=row,
        form=Form(),
        wrong=wrong,
        text=request.form.get("text", "")[:20_000],
        year_options=[(year, str(year)) for year in years],
        at_year=whole(request.form.get("at_year"), largest=9999) or today().year - 1,
        at_code=request.form.get("at_code", ""),
        fields=[(code, FIELDS[f"figures.{code}"].label) for _, codes in FIGURE_GROUPS for code in codes],
        unit=shown.unit_of(request.form.get("unit")),
    )


def _unit_word(unit: str) -> str | None:
    return "yuan" if unit == shown.YUAN else None


def _years_said(edits: dict[int, YearEdit]) -> str:
    years = sorted(edits)
    return f"{years[0]} 年" if len(years) == 1 else f"{years[0]}–{years[-1]} 年"
