"""拟入库 of many: the firms chosen in the list of enterprises, counted and named first, proposed in one press."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from crm.actions.pool_proposals import Onto, Proposals, look_at, propose_many
from crm.domain.refusals import Refused
from crm.domain.typed_counts import TYPED_ABOVE
from crm.store import pool_selections as lists
from crm.store.pool import PoolSelection
from crm.web.addresses import count_in, whole
from crm.web.choosing import Selection
from crm.web.doors import attempt, done, new_act, open_to, today, viewer, was_pressed_before
from crm.web.enterprises import forms, selection
from crm.web.pool import DECIDERS, PROPOSERS, blueprint
from crm.web.pool.selections import origin_words

SHOWN = 20
PLAN = ("pool_class", "planned_year", "planned_batch", "reason")
_EXTRA = ("onto", "number", "fingerprint")
# What the choice of a list says besides the lists themselves.
LOOSE, NEW = "", "new"


@blueprint.post("/pool/propose-chosen")
@open_to(*PROPOSERS)
def propose_chosen():
    """Propose the chosen enterprises for this year. Nothing is written before they were counted and named."""
    form = forms.form_for("pool_membership", PLAN, _EXTRA)()
    back = url_for("enterprises.index") + selection.asked_in_form().query(page=None)
    if request.form.get("step") == "write" and was_pressed_before(form):
        return done("已经拟入库，没有再写。", back)
    try:
        chosen = selection.chosen()
    except Refused as refusal:
        flash(refusal.message, "bad")
        return redirect(back)
    open_lists = lists.undecided(today().year, viewer())
    step = request.form.get("step", "")
    if step == "":
        form["pool_class"].data, form["onto"].data = "long_term", _usual(open_lists)
    onto = _onto(form["onto"].data or LOOSE, open_lists, chosen)
    if step == "":
        form["planned_year"].data = str(_year(onto, open_lists) + 1)
    values = form.read()
    try:
        found = look_at(chosen.ids, onto, act=new_act())
    except Refused as refusal:
        flash(refusal.message, "bad")
        return redirect(back)
    if step != "write":
        return _page(form, chosen, onto, found, open_lists), 422 if step and form.has_errors else 200
    if form.has_errors or not form.validate_on_submit():
        return _page(form, chosen, onto, found, open_lists), 422
    seen, number = form["fingerprint"].data or "", count_in(form["number"].data)
    plan = {**values, "year": _year(onto, open_lists)}
    written = attempt(form, lambda: propose_many(chosen.ids, plan, onto, fingerprint=seen, typed=number, act=new_act()))
    if written is None:
        try:
            found = look_at(chosen.ids, onto, act=new_act())
        except Refused as refusal:
            flash(refusal.message, "bad")
            return redirect(back)
        return _page(form, chosen, onto, found, open_lists), 409 if found.fingerprint != seen else 422
    list_id = onto.selection_id or written.ids.get("selection")
    to = url_for("pool.show_selection", selection_id=list_id) if list_id else back
    return done(f"已拟入库 {len(found.proposed):,} 家，等会议决定", to, written)


def _year(onto: Onto, open_lists: list[PoolSelection]) -> int:
    """The year they would enter: that of their list, this one without one."""
    return next((row.year for row in open_lists if row.id == onto.selection_id), today().year)


def _usual(open_lists: list[PoolSelection]) -> str:
    """Where the office's proposals go unless it says otherwise: onto the nearest list that is open, or a new one."""
    if open_lists:
        return str(open_lists[0].id)
    return NEW if viewer().has(*DECIDERS) else LOOSE


def _onto(raw: str, open_lists: list[PoolSelection], chosen: Selection[int]) -> Onto:
    """Where they go as the form says; a list that is there no more, or not for this person, is none."""
    if raw == NEW and viewer().has(*DECIDERS):
        said = origin_words(chosen.asked)
        head: dict[str, Any] = {
            "title": f"{today().year} 年高企培育库",
            "query": chosen.asked.query(page=None)[:1000] or None,
            "filter_words": [said] if said else None,
        }
        return Onto(head=head)
    wanted = whole(raw)
    return Onto(wanted) if wanted is not None and any(row.id == wanted for row in open_lists) else Onto()


def _page(
    form: forms.DeclaredForm,
    chosen: Selection[int],
    onto: Onto,
    found: Proposals,
    open_lists: list[PoolSelection],
) -> str:
    office = viewer().has(*DECIDERS)
    form["fingerprint"].data = found.fingerprint
    # A list that was decided meanwhile is none any more: the page says where they would go now.
    form["onto"].data = str(onto.selection_id) if onto.selection_id else NEW if onto.head is not None else LOOSE
    offered = [(str(row.id), f"《{row.title}》") for row in open_lists]
    if all(row.year != today().year for row in open_lists):
        offered.append((NEW, f"新列《{today().year} 年高企培育库》"))
    proposed = found.proposed
    return render_template(
        "pool/propose_chosen.html",
        form=form,
        chosen=chosen,
        inputs={one["name"]: one for one in forms.inputs(form, PLAN)},
        lists=[*offered, (LOOSE, "先不列，以后列名单时再收")] if office else [],
        year=_year(onto, open_lists),
        count=len(proposed),
        shown=proposed[:SHOWN],
        joined=sum(1 for line in proposed if line.waiting_id is not None),
        skipped=[(why, len(lines), [line.name for line in lines[:SHOWN]]) for why, lines in found.skipped.items()],
        typed_above=TYPED_ABOVE,
        may_pick=office,
        back=url_for("enterprises.index") + chosen.back,
    )
