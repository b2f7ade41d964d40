"""One field edited where it stands in the list: the editor in the cell, and the line as it is after saving."""

from typing import Any
from urllib.parse import parse_qsl

from flask import jsonify, render_template, request

from crm.actions.enterprises import edit_enterprise, state_of
from crm.actions.rights import may_edit, require
from crm.domain import words
from crm.domain.fields import AFFILIATIONS
from crm.domain.refusals import NotFound
from crm.store import enterprise_lists
from crm.store.scope import visible_enterprise
from crm.web.addresses import Texts
from crm.web.doors import SIGNED_IN, attempt, new_act, open_to, today, viewer, was_pressed_before
from crm.web.editing import say
from crm.web.enterprises import blueprint, cells, columns, forms, listing
from crm.web.enterprises.edit import CORRECTION, NEW_FACT, codes_for, read_day, who_wrote

_EXTRA = ("nature", "effective_on")


@blueprint.route("/enterprises/<int:enterprise_id>/cells/<cell>", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit_cell(enterprise_id: int, cell: str):
    """GET: the editor of one field, with what the library holds now. POST: save it; the line, or the editor again."""
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "修改这家企业")
    if cell not in columns.EDITABLE or cell not in codes_for(standing):
        raise NotFound("这一格")
    form = forms.form_for("enterprise", (cell,), _EXTRA)()
    if request.method == "GET":
        state = state_of(row)
        form.fill({cell: state.value(cell)}, row.version)
        form["nature"].data, form["effective_on"].data = NEW_FACT, today().isoformat()
        return _editor(form, enterprise_id, cell, asks=_asks(cell, state.value(cell)))
    if was_pressed_before(form):
        return _saved(enterprise_id, "已经保存过，没有再写。", None)
    asks = bool(form["nature"].data)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not values and not form.has_errors:
            return _saved(enterprise_id, "", None)
        correction = cell in AFFILIATIONS and form["nature"].data == CORRECTION
        on = read_day(form, "effective_on") if asks and not correction else None
        if on is not None and on > today():
            say(form, "effective_on", f"{on} 还没到，等到那天再改，或改正日期。")
        if not form.has_errors:
            written = attempt(
                form,
                lambda: edit_enterprise(
                    enterprise_id,
                    values,
                    version=form.seen_version,
                    seen=form.seen_values(values),
                    correction=correction,
                    act=new_act(effective_on=on or today()),
                ),
            )
            if written is not None:
                verb = "已更正" if correction else "已修改"
                said = form.said(cell, values[cell])
                return _saved(
                    enterprise_id,
                    f"{verb} {_short(row.name)} 的{words.label(f'enterprise.{cell}')}：{said[:40]}",
                    written.change_set_id,
                )
    return _editor(form, enterprise_id, cell, asks=asks), 409 if form.conflict else 422


def _short(name: str) -> str:
    return name if len(name) <= 20 else name[:20] + "…"


def _asks(cell: str, now: Any) -> bool:
    """Whether it matters if the recorded was wrong or has changed: only what has days and says something already."""
    return cell in AFFILIATIONS and now is not None


def _editor(form: forms.DeclaredForm, enterprise_id: int, cell: str, *, asks: bool) -> str:
    return render_template(
        "enterprises/_cell.html",
        form=form,
        enterprise_id=enterprise_id,
        cell=cell,
        input=forms.inputs(form, (cell,))[0],
        asks=asks,
        conflicts=form.clashes(who_wrote(enterprise_id, [cell])) if form.conflict else [],
        correction=CORRECTION,
        new_fact=NEW_FACT,
    )


def _saved(enterprise_id: int, message: str, change_set_id: int | None):
    """The line as it is now, in the columns of the list it stands in, and the toast with the way back."""
    asked = listing.asked_by(Texts(parse_qsl(request.form.get("asked", ""))))
    person = viewer()
    found = enterprise_lists.rows([enterprise_id], columns.codes_of(asked.columns))
    names = cells.names_for(found, person)
    [line] = cells.lines(found, asked.columns, names, person)
    page = render_template("enterprises/_saved.html", line=line, message=message, undo=change_set_id, **names)
    row, _, toast = page.partition("<!-- toast -->")
    return jsonify(row=row.strip(), toast=toast.strip())
