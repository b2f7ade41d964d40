"""What the firm itself confirmed: ticked cell by cell or a whole year, with who said so and on which day."""

from collections.abc import Iterable
from typing import Any

from flask import render_template, request, url_for
from wtforms import StringField

from crm.actions.figures import CODES, confirm_figures, unconfirm_figures
from crm.domain.fields import FIELDS
from crm.store.figures import figures_of
from crm.web.addresses import whole
from crm.web.doors import SIGNED_IN, Form, attempt, done, new_act, open_to, today
from crm.web.figures import blueprint, shown
from crm.web.figures.edit import editable
from crm.web.inputs import DayField

MOST_YEARS = 6


class ConfirmForm(Form):
    by = StringField("企业确认人")
    on = DayField("确认日期")


@blueprint.route("/enterprises/<int:enterprise_id>/figures/confirm", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def confirm(enterprise_id: int):
    """Every filled cell of the last years with a tick; those of the address are ticked beforehand."""
    row, _ = editable(enterprise_id)
    form = ConfirmForm()
    if request.method == "GET":
        form.on.data = today().isoformat()
        return _page(row, form, set(request.args.getlist("cell")))
    picked = _picked(request.form.getlist("cell"))
    if form.validate_on_submit():
        act = new_act()
        if request.form.get("deed") == "unconfirm":
            verb = "已取消企业确认"
            written = attempt(form, lambda: unconfirm_figures(row.id, picked, act=act))
        else:
            verb = "已登记企业确认"
            by, on = form.by.data or "", form.on.value or today()
            written = attempt(form, lambda: confirm_figures(row.id, picked, by=by, on=on, act=act))
        if written is not None:
            return done(
                f"{verb} {len(picked)} 格",
                url_for("enterprises.show", enterprise_id=enterprise_id, tab="figures"),
                written,
            )
    row, _ = editable(enterprise_id)
    return _page(row, form, {f"{year}.{code}" for year, code in picked}), 422


def _picked(ticks: Iterable[str]) -> dict[tuple[int, str], Any]:
    """{(year, code): the value that was on the page} of the ticks; what a browser made up is left out."""
    found: dict[tuple[int, str], Any] = {}
    for tick in ticks:
        key, _, value = tick.partition(":")
        year, _, code = key.partition(".")
        number = whole(year, largest=9999)
        if number is None or code not in CODES:
            continue
        known = shown.recall_all({code: _as_json(code, value)})
        if known:
            found[number, code] = known[code]
    return found


def _as_json(code: str, text: str) -> Any:
    """A tick is text; the history keeps counts as numbers and yes/no as booleans."""
    kind = FIELDS[f"figures.{code}"].type
    if kind == "count":
        return whole(text)
    return text == "True" if kind == "yes_no" else text


def _page(row: Any, form: ConfirmForm, ticked: set[str]) -> str:
    rows = figures_of(row.id)[-MOST_YEARS:]
    lines = []
    for code in shown.ORDER:
        field = FIELDS[f"figures.{code}"]
        if code == "source_note" or all(getattr(one, code) is None for one in rows):
            continue
        cells = []
        for one in rows:
            value, key = getattr(one, code), f"{one.year}.{code}"
            entry = (one.confirmed or {}).get(code)
            cells.append(
                None
                if value is None
                else {
                    "key": key,
                    "value": f"{key}:{shown.remembered(value)}",
                    "text": shown.shown(field, value, shown.WAN),
                    "ticked": key in ticked,
                    "confirmed": f"{entry.get('by', '')} {str(entry.get('at', ''))[:10]}" if entry else "",
                    "label": f"{one.year} 年{field.label}",
                }
            )
        lines.append({"label": field.label, "cells": cells})
    return render_template(
        "figures/confirm.html",
        row=row,
        form=form,
        years=[one.year for one in rows],
        lines=lines,
        ticked=len(ticked),
    )
