"""The 培育库: proposed, decided, in it, out of it; an enterprise enters by a decision and never by a title."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from crm.actions.pool import decide_pool, leave_pool, plan_membership, propose_for_pool
from crm.actions.rights import may_edit, require
from crm.domain import words
from crm.store import pool_lists
from crm.store.enterprises import Enterprise
from crm.store.pool import PoolMembership
from crm.store.scope import visible_enterprise, visible_record
from crm.web import reference
from crm.web.addresses import page_number, whole
from crm.web.doors import SIGNED_IN, Form, attempt, done, here_or, new_act, open_to, today, viewer
from crm.web.editing import last_writers
from crm.web.enterprises import forms
from crm.web.pool import READERS, blueprint, conversion, deciding, issuing, proposing, selections

__all__ = ["blueprint", "conversion", "deciding", "issuing", "proposing", "selections"]

STAGES = {"in_pool": "在库", "proposed": "拟入库", "out": "已出库"}
PROPOSAL = ("year", "pool_class", "proposed_on", "planned_year", "planned_batch", "reason")
PLAN = ("pool_class", "planned_year", "planned_batch", "reason")
DECISION = ("decided_on", "pool_class", "meeting", "document", "entered_on")
LEAVING = ("left_on", "leave_reason")


@blueprint.get("/pool")
@open_to(SIGNED_IN)
def index():
    stage = request.args.get("stage", "in_pool")
    stage = stage if stage in STAGES else "in_pool"
    year = whole(request.args.get("year"), largest=9999)
    number = page_number(request.args)
    person = viewer()
    counted = pool_lists.counts(person, year=year)
    rows = pool_lists.page(stage, person, year=year, number=number)
    total = counted[stage]
    return render_template(
        "pool/index.html",
        stage=stage,
        stages=STAGES,
        counted=counted,
        rows=rows,
        year=year,
        years=pool_lists.years(person),
        number=number,
        pages=max(1, -(-total // pool_lists.PAGE)),
        first=(number - 1) * pool_lists.PAGE + 1,
        total=total,
        townships={r.id: r.name for r in reference.townships(person)},
        people=reference.people(r.manager_id for r in rows),
        may_decide=person.has("bureau", "admin"),
        may_read_lists=person.has(*READERS),
        classes=words.CHOICES["pool_class"],
        page_href=lambda n: url_for("pool.index", stage=stage, year=year, page=n),
    )


@blueprint.route("/enterprises/<int:enterprise_id>/pool/propose", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def propose(enterprise_id: int):
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "培育库拟入库")
    form = forms.form_for("pool_membership", PROPOSAL)()
    if request.method == "GET":
        form.fill({}, proposed={"year": today().year, "proposed_on": today(), "planned_year": today().year + 1})
        return _page("pool/propose.html", form, row)
    if form.validate_on_submit():
        values = form.read()
        if not form.has_errors:
            written = attempt(form, lambda: propose_for_pool(enterprise_id, values, act=new_act()))
            if written is not None:
                return done("已拟入库，等会议决定", url_for("enterprises.show", enterprise_id=enterprise_id), written)
    row, _ = visible_enterprise(enterprise_id, viewer())
    return _page("pool/propose.html", form, row), 422


@blueprint.post("/enterprises/<int:enterprise_id>/pool/propose-from-board")
@open_to(SIGNED_IN)
def propose_from_board(enterprise_id: int):
    """A card was moved to the pool's column: proposed, never decided. A script gets a fragment, a form its page."""
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "培育库拟入库")
    form = Form()
    name = row.name
    year = today().year
    values = {"year": year, "pool_class": "long_term", "proposed_on": today(), "planned_year": year + 1}
    written = attempt(form, lambda: propose_for_pool(enterprise_id, values, act=new_act()))
    refused = " ".join(form.general_errors) if written is None else ""
    if request.headers.get("X-Requested-With") != "fetch":
        back = here_or("board.show")
        if written is None:
            flash(refused, "bad")
            return redirect(back)
        return done(f"{name} 已拟入库，等会议决定", back, written)
    said = f"{name} 已拟入库（中长期），等会议决定"
    page = render_template(
        "board/_moved.html",
        refused=refused,
        said=said,
        change_set_id=written.change_set_id if written is not None else 0,
    )
    return page, 409 if written is None else 200


@blueprint.route("/pool/<int:membership_id>/decide", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def decide(membership_id: int):
    one, row = _decidable(membership_id)
    form = forms.form_for("pool_membership", DECISION)()
    if request.method == "GET":
        form.fill(_stored(form, one), one.version, proposed={"decided_on": today()})
        return _page("pool/decide.html", form, row, one)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            seen = form.seen_values(form.edited, _stored(form, one))
            written = attempt(
                form,
                lambda: decide_pool(membership_id, values, version=form.seen_version, seen=seen, act=new_act()),
            )
            if written is not None:
                return done(f"{row.name} 已入库", url_for("pool.index"), written)
    one, row = _decidable(membership_id)
    return _page("pool/decide.html", form, row, one), 409 if form.conflict else 422


@blueprint.route("/pool/<int:membership_id>/plan", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def plan(membership_id: int):
    one, row = _decidable(membership_id)
    form = forms.form_for("pool_membership", PLAN)()
    if request.method == "GET":
        form.fill(_stored(form, one), one.version)
        return _page("pool/plan.html", form, row, one)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            seen = form.seen_values(form.edited, _stored(form, one))
            to = url_for("pool.index")
            if one.selection_id is not None:
                to = url_for("pool.show_selection", selection_id=one.selection_id)
            written = attempt(
                form,
                lambda: plan_membership(membership_id, values, version=form.seen_version, seen=seen, act=new_act()),
            )
            if written is not None:
                return done(f"{row.name} 的安排已改", to, written)
    one, row = _decidable(membership_id)
    return _page("pool/plan.html", form, row, one), 409 if form.conflict else 422


@blueprint.route("/pool/<int:membership_id>/leave", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def leave(membership_id: int):
    one, row = _decidable(membership_id)
    form = forms.form_for("pool_membership", LEAVING)()
    if request.method == "GET":
        form.fill(_stored(form, one), one.version, proposed={"left_on": today()})
        return _page("pool/leave.html", form, row, one)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read()
        if not form.has_errors:
            seen = form.seen_values(form.edited, _stored(form, one))
            written = attempt(
                form,
                lambda: leave_pool(
                    membership_id,
                    left_on=values["left_on"],
                    leave_reason=values["leave_reason"],
                    version=form.seen_version,
                    seen=seen,
                    act=new_act(),
                ),
            )
            if written is not None:
                return done(f"{row.name} 已出库", url_for("pool.index", stage="out"), written)
    one, row = _decidable(membership_id)
    return _page("pool/leave.html", form, row, one), 409 if form.conflict else 422


def _stored(form: forms.DeclaredForm, one: PoolMembership) -> dict[str, Any]:
    return {code: getattr(one, code) for code in form.edited}


def _page(template: str, form: forms.DeclaredForm, row: Enterprise, one: PoolMembership | None = None) -> str:
    drawn: dict[str, Any] = {i["name"]: i for i in forms.inputs(form, form.edited)}
    conflicts = form.clashes(last_writers("pool_membership", one.id)) if form.conflict and one else []
    return render_template(template, form=form, row=row, one=one, inputs=drawn, conflicts=conflicts)


def _decidable(membership_id: int) -> tuple[PoolMembership, Enterprise]:
    one = visible_record(PoolMembership, membership_id, viewer(), "这条培育库记录")
    row, standing = visible_enterprise(one.enterprise_id, viewer())
    require(viewer().has_in(standing.region_id, "bureau", "admin"), "培育库决定")
    return one, row
