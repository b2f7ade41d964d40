"""One cell of the grid, edited in place: saved at once, and where somebody else was there first, asked."""

from typing import Any

from flask import render_template, request

from crm.actions.figures import CODES, FIRST_YEAR, YearEdit, record_figures_grid, states_of
from crm.domain.cells import Unreadable
from crm.domain.fields import FIELDS
from crm.domain.refusals import NotFound
from crm.store.figures import figures_of
from crm.web.addresses import version_in, whole
from crm.web.doors import SIGNED_IN, Form, attempt, new_act, open_to, today
from crm.web.editing import last_writers
from crm.web.enterprises.figures_grid import cell_of, ratio_of, sources_of
from crm.web.figures import blueprint, shown
from crm.web.figures.edit import doubtful, editable


@blueprint.post("/enterprises/<int:enterprise_id>/figures/cell")
@open_to(SIGNED_IN)
def save_cell(enterprise_id: int):
    """Save one cell. Answers JSON: the cell anew and the toast with its way back, or the sentence that refuses it.

    ``seen`` is the text the cell had when it was opened; after a clash the page sends it again with what is stored
    now as seen, when its own is chosen.
    """
    row, _ = editable(enterprise_id)
    code, year = request.form.get("code", ""), whole(request.form.get("year"), largest=9999)
    if code not in CODES or year is None or not FIRST_YEAR <= year <= today().year:
        raise NotFound("这一格")
    unit = shown.unit_of(request.form.get("unit"))
    form = Form()
    if not form.validate_on_submit():
        return {"error": "页面太旧，没有保存。刷新后再填。"}, 400
    try:
        value = shown.read(code, request.form.get("text", ""), unit)
    except Unreadable as error:
        return {"error": error.message}, 422
    edit = YearEdit({code: value}, version_in(request.form.get("version")), _seen(code, unit))
    written = attempt(form, lambda: record_figures_grid(row.id, {year: edit}, act=new_act()))
    if written is None:
        clash = next(iter(form.conflict.values()), None)
        if clash is not None:
            return _clash(row.id, year, code, unit, clash), 409
        return {"error": " ".join(form.general_errors)}, 422
    return _cell(enterprise_id, year, code, unit, written.change_set_id)


def _seen(code: str, unit: str) -> dict[str, Any]:
    """What the cell showed; what cannot be read was never shown by us."""
    try:
        return {code: shown.read(code, request.form.get("seen", ""), unit)}
    except Unreadable:
        return {}


def _cell(enterprise_id: int, year: int, code: str, unit: str, change_set_id: int | None) -> dict[str, Any]:
    rows = figures_of(enterprise_id)
    row = next((one for one in rows if one.year == year), None)
    sources, _ = sources_of(rows, today())
    cell = cell_of(code, year, row, sources.get((year, code)), unit)
    key = f"{year}.{code}"
    return {
        "html": render_template("figures/_cell.html", c=cell),
        "toast": render_template(
            "figures/_saved.html", said=f"已保存 {shown.cell_words(key)}", change_set_id=change_set_id
        )
        if change_set_id
        else "",
        "version": row.version if row else 0,
        "ratio": ratio_of(row),
        "doubt": doubtful(states_of(enterprise_id, (year,)).get(year)) if change_set_id else "",
    }


def _clash(enterprise_id: int, year: int, code: str, unit: str, sides: tuple[Any, Any, Any]) -> dict[str, Any]:
    before, theirs, mine = sides
    field = FIELDS[f"figures.{code}"]
    state = states_of(enterprise_id, (year,)).get(year)
    by = last_writers("figures", state.id if state else 0).get(code, "")
    said = [shown.said(field, one, unit) for one in (before, theirs, mine)]
    return {
        "clash": f"{shown.cell_words(f'{year}.{code}')}：原来 {said[0]}，现在库里 {said[1]}"
        f"{f'（{by}）' if by else ''}，你填的 {said[2]}。选一个，另一个留在变更史。",
        "theirs": shown.typed(field, theirs, unit),
        "version": state.version if state else 0,
    }
