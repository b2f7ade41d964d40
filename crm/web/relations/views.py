"""关联企业: entering, changing and taking back a relation; the other side shows it as well."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from sqlalchemy import select
from wtforms import StringField

from crm.actions.relations import CODES, edit_relation, record_relation, withdraw_relation
from crm.actions.rights import may_edit, require
from crm.domain.refusals import NotAllowed
from crm.domain.relations import DISTINCT, ENTERED
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.relations import Relation
from crm.store.scope import visible, visible_enterprise, visible_record
from crm.web.addresses import version_in, whole
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, own_path, pressed, viewer
from crm.web.editing import EditForm, last_writers
from crm.web.enterprises.belonging import UNSEEN
from crm.web.inputs import ChosenField, DayField

blueprint = Blueprint("relations", __name__)
LENGTHS = {"other_name": 120, "other_code": 18, "note": 500}


class RelationForm(EditForm):
    kind = StringField("对方是本企业的")
    other_id = ChosenField("对方企业", "企业")
    other_name = StringField("对方名称（库里没有的）")
    other_code = StringField("对方代码")
    starts_on = DayField("从哪天起")
    ends_on = DayField("到哪天止")
    note = StringField("说明")
    edited = CODES

    def value_of(self, name: str, text: str) -> Any:
        longest = LENGTHS.get(name)
        if longest and len(text) > longest:
            raise ValueError(f"{self.label_of(name)}有 {len(text)} 个字，最多 {longest} 个字。改短后再填。")
        return super().value_of(name, text)


@blueprint.route("/enterprises/<int:enterprise_id>/relations/new", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def new(enterprise_id: int):
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "登记关联企业")
    form = _form(None)
    if request.method == "GET":
        form.fill({})
        return _page(form, row)
    if form.validate_on_submit():
        values = form.read()
        if not form.has_errors:
            written = attempt(form, lambda: record_relation(enterprise_id, values, act=new_act()))
            if written is not None:
                return done("已登记关联企业", _tab(row.id), written)
    row, _ = visible_enterprise(enterprise_id, viewer())
    return _page(form, row), 422


@blueprint.route("/relations/<int:relation_id>", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(relation_id: int):
    one, row = _own(relation_id)
    if one.kind == DISTINCT:
        raise NotAllowed("核实过不是同一家的，不在这里改。结论变了就撤下。")
    form = _form(one)
    if request.method == "GET":
        form.fill({code: getattr(one, code) for code in CODES}, one.version)
        return _page(form, row, one)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            if not values:
                return done("没有改动，没有写入。", _tab(row.id))
            seen = form.seen_values(values, {code: getattr(one, code) for code in CODES})
            written = attempt(
                form,
                lambda: edit_relation(relation_id, values, version=form.seen_version, seen=seen, act=new_act()),
            )
            if written is not None:
                return done("已修改关联企业", _tab(row.id), written)
    one, row = _own(relation_id)
    return _page(form, row, one), 409 if form.conflict else 422


@blueprint.post("/relations/<int:relation_id>/withdraw")
@open_to(SIGNED_IN)
def withdraw(relation_id: int):
    _, row = _own(relation_id)
    to = own_path(request.form.get("back")) or _tab(row.id)
    version = version_in(request.form.get("version"))
    return pressed(
        lambda: withdraw_relation(relation_id, version=version, act=new_act()),
        said="已撤下关联企业",
        to=to,
        stays=to,
        moved="这条关联",
    )


def _form(one: Relation | None) -> RelationForm:
    form = RelationForm()
    form.known = {"kind": ENTERED}
    form.offer("other_id", _firms(form, one))
    return form


def _firms(form: RelationForm, one: Relation | None) -> dict[int, str]:
    """The firm that was chosen, and the stored one, by name; a stranger's id reads like one that does not exist.

    What is stored stays choosable without its name, or changing the note would lose a firm that one may not see.
    """
    stored = one.other_id if one is not None else None
    typed, shown = whole(form.other_id.data), whole(form.seen_texts.get("other_id"))
    ids = {number for number in (typed, shown, stored) if number is not None}
    query = select(Enterprise.id, Enterprise.name).where(Enterprise.id.in_(ids))
    found = dict(db.session.execute(visible(query, viewer())).all()) if ids else {}
    return found if stored is None else {stored: UNSEEN} | found


def _tab(enterprise_id: int) -> str:
    return url_for("enterprises.show", enterprise_id=enterprise_id, tab="belongs")


def _own(relation_id: int) -> tuple[Relation, Enterprise]:
    one = visible_record(Relation, relation_id, viewer(), "这条关联")
    row, standing = visible_enterprise(one.enterprise_id, viewer())
    require(may_edit(viewer(), standing), "登记关联企业")
    return one, row


def _page(form: RelationForm, row: Enterprise, one: Relation | None = None) -> str:
    return render_template(
        "relations/edit.html",
        form=form,
        row=row,
        one=one,
        kinds=[("", "选一种"), *ENTERED.items()],
        chosen=[(number, name) for number, name in form.other_id.offered.items() if str(number) == form.other_id.data],
        conflicts=form.clashes(last_writers("relation", one.id)) if form.conflict and one else [],
    )
