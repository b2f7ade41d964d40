"""离岗: the own absences, those of the office's people, and those one stands in for."""

from flask import Blueprint, render_template, request, url_for
from sqlalchemy import or_, select
from wtforms import StringField
from wtforms.validators import Length, Optional

from crm.actions import absences as deeds
from crm.extensions import db
from crm.store.absences import Absence
from crm.store.scope import visible, visible_record
from crm.store.users import User
from crm.web import reference
from crm.web.addresses import whole
from crm.web.doors import SIGNED_IN, Form, attempt, done, new_act, open_to, today, viewer
from crm.web.editing import EditForm, last_writers
from crm.web.inputs import DayField, WholeField

blueprint = Blueprint("absences", __name__)


class AbsenceForm(EditForm):
    edited = ("starts_on", "ends_on", "deputy_id", "reason")

    starts_on = DayField("第一天")
    ends_on = DayField("最后一天")
    deputy_id = WholeField("代理人", [Optional()])
    reason = StringField("事由", [Length(max=deeds.REASON_LENGTH, message="事由不超过 200 个字。")])


@blueprint.get("/absences")
@open_to(SIGNED_IN)
def index():
    """What is on or to come, the nearest first; what is over is asked for."""
    person = viewer()
    over = request.args.get("show") == "over"
    ended = Absence.ends_on < today()
    query = visible(select(Absence), person)
    query = query.where(ended) if over else query.where(or_(Absence.ends_on.is_(None), ~ended))
    order = Absence.starts_on.desc() if over else Absence.starts_on
    rows = list(db.session.scalars(query.order_by(order, Absence.id).limit(200)))
    people = reference.people([i for row in rows for i in (row.user_id, row.deputy_id)])
    return render_template(
        "absences/index.html",
        rows=rows,
        people=people,
        over=over,
        keeps={row.id: deeds.may_keep(row.user_id, person) for row in rows},
        form=Form(),
    )


@blueprint.get("/absences/new")
@open_to(SIGNED_IN)
def new():
    user = deeds.person_of(whole(request.args.get("user_id")) or viewer().user_id or 0, viewer())
    form = AbsenceForm(formdata=None)
    form.fill({}, proposed={"starts_on": today()})
    return _page(user, form)


@blueprint.post("/absences/new")
@open_to(SIGNED_IN)
def add():
    user = deeds.person_of(whole(request.form.get("user_id")) or viewer().user_id or 0, viewer())
    form = AbsenceForm()
    if form.validate():
        values = form.read()
        if not form.has_errors:
            written = attempt(form, lambda: deeds.record_absence(user.id, values, act=new_act()))
            if written is not None:
                return done(f"已登记{_who(user)}离岗", url_for("absences.index"), written)
    return _page(user, form), 422


@blueprint.get("/absences/<int:absence_id>")
@open_to(SIGNED_IN)
def show(absence_id: int):
    one, user = _kept(absence_id)
    form = AbsenceForm(formdata=None)
    form.fill({name: getattr(one, name) for name in form.edited}, one.version)
    return _page(user, form, one)


@blueprint.post("/absences/<int:absence_id>")
@open_to(SIGNED_IN)
def edit(absence_id: int):
    one, user = _kept(absence_id)
    form = AbsenceForm()
    if form.validate():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            version, seen = form.seen_version, form.seen_values(values)
            written = attempt(
                form, lambda: deeds.edit_absence(absence_id, values, version=version, seen=seen, act=new_act())
            )
            if written is not None:
                return done("已保存。", url_for("absences.index"), written)
    one, user = _kept(absence_id)
    return _page(user, form, one), 409 if form.conflict else 422


@blueprint.post("/absences/<int:absence_id>/withdraw")
@open_to(SIGNED_IN)
def withdraw(absence_id: int):
    one, user = _kept(absence_id)
    form, version = Form(), one.version
    form.validate()
    written = attempt(form, lambda: deeds.withdraw_absence(absence_id, version=version, act=new_act()))
    if written is not None:
        return done(f"已撤下{_who(user)}的离岗", url_for("absences.index"), written)
    edited = AbsenceForm(formdata=None)
    edited.fill({name: getattr(one, name) for name in edited.edited}, one.version)
    edited.general_errors = form.general_errors
    return _page(user, edited, one), 409


def _kept(absence_id: int) -> tuple[Absence, User]:
    one = visible_record(Absence, absence_id, viewer(), "这次离岗")
    return one, deeds.person_of(one.user_id, viewer())


def _who(user: User) -> str:
    return "" if user.id == viewer().user_id else user.name


def _page(user: User, form: AbsenceForm, one: Absence | None = None) -> str:
    day = max(today(), one.starts_on) if one is not None else today()
    deputies = [(deputy.id, deputy.name) for deputy in deeds.deputies_for(user, day)]
    if one is not None and one.deputy_id is not None and one.deputy_id not in dict(deputies):
        # Who stood in keeps the place in the list, also without a grant by now.
        deputies += [(one.deputy_id, reference.people([one.deputy_id]).get(one.deputy_id, ""))]
    form.known = {"deputy_id": dict(deputies)}
    return render_template(
        "absences/form.html",
        user=user,
        one=one,
        form=form,
        deputies=deputies,
        myself=user.id == viewer().user_id,
        conflicts=form.clashes(last_writers("absence", one.id)) if form.conflict and one is not None else [],
    )
