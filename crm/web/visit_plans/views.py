"""Everything under /visits/plans. What was done is read from the service logs; nobody is ranked by it."""

from typing import Any

from flask import render_template, request, url_for

from crm.actions import visit_plans
from crm.actions.rights import require
from crm.domain.pinyin import latin
from crm.domain.refusals import NotFound
from crm.domain.visit_plans import Quarter, quarter_in, quarter_of
from crm.store import visit_plan_lists
from crm.store.access_log import note_access
from crm.store.scope import visible_record
from crm.store.users import User
from crm.store.visit_plan_lists import Line
from crm.store.visit_plans import VisitPlan, VisitPlanEnterprise
from crm.web import reference
from crm.web.addresses import whole
from crm.web.doors import attempt, done, new_act, open_to, own_path, pressed, today, viewer
from crm.web.editing import last_writers
from crm.web.visit_plans import READERS, WRITERS, blueprint, sheets
from crm.web.visit_plans.forms import ButtonForm, PlanForm, VisitForm

# Which enterprises of a plan are shown.
SHOWN = {"all": "全部", "left": "还没走访", "done": "已走访"}


@blueprint.get("/visits/plans")
@open_to(*READERS)
def index():
    """The own plan of a quarter; for the office and the leaders how far every plan has come."""
    person = viewer()
    quarter = quarter_in(request.args.get("quarter")) or quarter_of(today())
    office = person.has("bureau", "leader", "admin")
    own = visit_plan_lists.plan_of(person.user_id, quarter, person) if person.has("case_manager") else []
    if own and not (office and request.args.get("of") != "mine"):
        return _plan_page(own[0], others=own[1:])
    covered = visit_plan_lists.coverage(quarter, person) if office else []
    managers = reference.managers(person, today()) if office else []
    planned = {one.user_id for one in covered}
    names = reference.people(planned)
    return render_template(
        "visit_plans/index.html",
        quarter=quarter,
        this=quarter_of(today()),
        oversees=office,
        # By name and never by how much was done: product.md, What always holds 11.
        covered=sorted(covered, key=lambda one: (latin(names.get(one.user_id, "")), one.plan_id)),
        names=names,
        regions=reference.regions(person),
        without=[one for one in managers if one.id not in planned],
        plans=person.has("case_manager"),
        may_plan=person.has("bureau", "admin"),
        open_quarter=quarter >= quarter_of(today()),
    )


@blueprint.get("/visits/plans/new")
@open_to(*WRITERS)
def new():
    form = PlanForm(formdata=None)
    quarter = quarter_in(request.args.get("quarter")) or quarter_of(today())
    form.quarter.data, form.user.data = quarter.code, str(_whose(request.args.get("user")))
    return _new_page(form, quarter, None)


@blueprint.post("/visits/plans/new")
@open_to(*WRITERS)
def create():
    form = PlanForm()
    quarter = quarter_in(form.quarter.data) or quarter_of(today())
    user_id = _whose(form.user.data)
    ids = form.enterprise_ids()
    written = attempt(form, lambda: visit_plans.make_plan(user_id, quarter, ids, act=new_act()))
    if written is None:
        return _new_page(form, quarter, set(ids)), 422
    to = url_for("visit_plans.index", quarter=quarter.code, of="mine" if user_id == viewer().user_id else None)
    return done(f"已做 {quarter.words}走访计划，{len(set(ids))} 家企业。", to, written)


@blueprint.get("/visits/plans/<int:plan_id>")
@open_to(*READERS)
def show(plan_id: int):
    return _plan_page(_plan(plan_id))


@blueprint.post("/visits/plans/<int:plan_id>/add")
@open_to(*WRITERS)
def add(plan_id: int):
    plan = _plan(plan_id)
    form = PlanForm()
    ids = form.enterprise_ids()
    written = attempt(form, lambda: visit_plans.add_to_plan(plan_id, ids, act=new_act()))
    if written is None:
        return _plan_page(_plan(plan_id), form=form), 422
    before = len(set(ids)) - written.record_count
    there = f"另 {before} 家已在计划里，不重复列。" if before > 0 and written.change_set_id else ""
    return done(f"计划里加了 {written.record_count} 家企业。{there}", _home(plan), written)


@blueprint.route("/visits/plans/<int:plan_id>/firms/<int:item_id>", methods=["GET", "POST"])
@open_to(*WRITERS)
def edit(plan_id: int, item_id: int):
    """When an enterprise is to be seen, and what for."""
    item, plan = _item(plan_id, item_id)
    require(visit_plans.may_plan(viewer(), plan.user_id, plan.region_id), "改这份走访计划")
    form = VisitForm()
    if request.method == "GET":
        form.fill({code: getattr(item, code) for code in form.edited}, item.version)
        return _edit_page(item, plan, form)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        seen = form.seen_values(values, {code: getattr(item, code) for code in form.edited})
        written = None
        if not form.has_errors:
            deed = lambda: visit_plans.plan_visit(  # noqa: E731 a closure is the shortest deed
                item_id, values, version=form.seen_version, seen=seen, act=new_act()
            )
            written = attempt(form, deed)
        if written is not None:
            return done("已约定走访。", _home(plan), written)
    item, plan = _item(plan_id, item_id)
    return _edit_page(item, plan, form), 409 if form.conflict else 422


@blueprint.post("/visits/plans/<int:plan_id>/firms/<int:item_id>/drop")
@open_to(*WRITERS)
def drop(plan_id: int, item_id: int):
    _, plan = _item(plan_id, item_id)
    require(visit_plans.may_plan(viewer(), plan.user_id, plan.region_id), "改这份走访计划")
    to = _home(plan)
    return pressed(
        lambda: visit_plans.drop_from_plan(item_id, act=new_act()),
        said="已从计划移出，已记的走访不变。",
        to=to,
        stays=to,
    )


@blueprint.get("/visits/plans/<int:plan_id>/print")
@open_to(*READERS)
def printed(plan_id: int):
    """A page of A4 to take along for each enterprise that is still to be seen; ``all=1`` for every one."""
    plan = _plan(plan_id)
    lines = visit_plan_lists.lines(plan, viewer())
    left = {line.item.id for line in lines if line.visited_on is None}
    return _printed(plan, left if left and request.args.get("all") != "1" else {line.item.id for line in lines})


@blueprint.get("/visits/plans/<int:plan_id>/firms/<int:item_id>/print")
@open_to(*READERS)
def printed_one(plan_id: int, item_id: int):
    item, plan = _item(plan_id, item_id)
    return _printed(plan, {item.id})


def _printed(plan: VisitPlan, item_ids: set[int]) -> str:
    who = reference.people({plan.user_id}).get(plan.user_id, "")
    quarter, home = Quarter(plan.year, plan.quarter), _home(plan)
    subject = f"{quarter.words}走访单 {who}"
    # Put on record before anything is read for the pages: the unit of work ends what was being read.
    note_access(new_act(), "export", subject=subject, filter={"plan": plan.id}, rows=len(item_ids))
    lines = [line for line in visit_plan_lists.lines(plan, viewer()) if line.item.id in item_ids]
    made = sheets.sheets(lines, viewer(), today())
    return render_template("visit_plans/print.html", quarter=quarter, who=who, made=made, back=home)


def _plan(plan_id: int) -> VisitPlan:
    plan: VisitPlan = visible_record(VisitPlan, plan_id, viewer(), "这份走访计划")
    return plan


def _item(plan_id: int, item_id: int) -> tuple[VisitPlanEnterprise, VisitPlan]:
    plan = _plan(plan_id)
    item: VisitPlanEnterprise = visible_record(VisitPlanEnterprise, item_id, viewer(), "计划里的这家企业")
    if item.visit_plan_id != plan.id:
        raise NotFound("计划里的这家企业")
    return item, plan


def _whose(text: str | None) -> int:
    """Whose plan is made: the viewer's own unless somebody else is named. NotFound for a stranger."""
    user_id = whole(text) if text else viewer().user_id
    if user_id is None:
        raise NotFound("这个用户")
    if user_id != viewer().user_id:
        visible_record(User, user_id, viewer(), "这个用户")
    return user_id


def _home(plan: VisitPlan) -> str:
    return url_for("visit_plans.show", plan_id=plan.id)


def _new_page(form: PlanForm, quarter: Quarter, chosen: set[int] | None) -> str:
    user_id = _whose(form.user.data)
    found = visit_plans.proposed(user_id, quarter, viewer())
    existing = visit_plan_lists.plan_of(user_id, quarter, viewer())
    return render_template(
        "visit_plans/new.html",
        form=form,
        quarter=quarter,
        quarters=[one for one in (quarter_of(today()), quarter_of(today()).next) if one != quarter],
        user_id=user_id,
        whose=None if user_id == viewer().user_id else reference.people({user_id}).get(user_id, ""),
        found=sorted(found, key=lambda one: not one.due),
        chosen={one.firm.enterprise_id for one in found if one.due} if chosen is None else chosen,
        existing=existing[0] if existing else None,
        sets=viewer().has("bureau", "admin"),
        townships={r.id: r.name for r in reference.townships(viewer())},
        back=own_path(request.args.get("back")) or url_for("visit_plans.index", quarter=quarter.code),
    )


def _plan_page(plan: VisitPlan, *, others: list[VisitPlan] | None = None, form: PlanForm | None = None) -> str:
    person = viewer()
    lines = visit_plan_lists.lines(plan, person)
    shown = request.args.get("show", "all")
    shown = shown if shown in SHOWN else "all"
    groups: dict[str, list[Line]] = {
        "all": lines,
        "left": [line for line in lines if line.visited_on is None],
        "done": [line for line in lines if line.visited_on is not None],
    }
    quarter = Quarter(plan.year, plan.quarter)
    may = visit_plans.may_plan(person, plan.user_id, plan.region_id) and person.has(*WRITERS)
    order: dict[str, Any] = {"left": lambda line: (line.item.planned_on is None, line.item.planned_on or quarter.last)}
    return render_template(
        "visit_plans/show.html",
        plan=plan,
        quarter=quarter,
        this=quarter_of(today()),
        shown=shown,
        words_of_shown=SHOWN,
        counts={key: len(rows) for key, rows in groups.items()},
        lines=sorted(groups[shown], key=order.get(shown, lambda line: 0)),
        who=reference.people({plan.user_id}).get(plan.user_id, ""),
        mine=plan.user_id == person.user_id,
        oversees=person.has("bureau", "leader", "admin"),
        others=others or [],
        region=reference.region_name(person, plan.region_id),
        townships={r.id: r.name for r in reference.townships(person)},
        may=may,
        may_log=person.has("case_manager", "bureau", "admin"),
        form=form or PlanForm(formdata=None),
        button=ButtonForm(formdata=None),
    )


def _edit_page(item: VisitPlanEnterprise, plan: VisitPlan, form: VisitForm) -> str:
    line = next(line for line in visit_plan_lists.lines(plan, viewer()) if line.item.id == item.id)
    return render_template(
        "visit_plans/edit.html",
        plan=plan,
        item=item,
        line=line,
        quarter=Quarter(plan.year, plan.quarter),
        form=form,
        conflicts=form.clashes(last_writers("visit_plan_enterprise", item.id)) if form.conflict else [],
        back=_home(plan),
    )
