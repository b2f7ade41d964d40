"""The IP register: entering, editing and withdrawing one piece."""

from flask import Blueprint, render_template, request, url_for

from crm.actions.intellectual_property import CODES, edit_ip, record_ip, withdraw_ip
from crm.actions.rights import may_record_ip, require
from crm.store.enterprises import Enterprise
from crm.store.intellectual_property import IntellectualProperty
from crm.store.scope import visible_enterprise, visible_record
from crm.web.addresses import version_in
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, pressed, viewer
from crm.web.editing import last_writers
from crm.web.enterprises import forms

blueprint = Blueprint("intellectual_property", __name__)


@blueprint.route("/enterprises/<int:enterprise_id>/intellectual-property/new", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def new(enterprise_id: int):
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_record_ip(viewer(), standing), "登记知识产权")
    form = forms.form_for("intellectual_property", CODES)()
    if request.method == "GET":
        form.fill({})
        return _page(form, row)
    if form.validate_on_submit():
        values = form.read()
        if not form.has_errors:
            written = attempt(form, lambda: record_ip(enterprise_id, values, act=new_act()))
            if written is not None:
                to = url_for("enterprises.show", enterprise_id=enterprise_id, tab="ip")
                return done(f"已登记 {values['name']}", to, written)
    row, _ = visible_enterprise(enterprise_id, viewer())
    return _page(form, row), 422


@blueprint.route("/intellectual-property/<int:ip_id>/edit", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(ip_id: int):
    piece, row = _own(ip_id)
    form = forms.form_for("intellectual_property", CODES)()
    if request.method == "GET":
        form.fill({code: getattr(piece, code) for code in CODES}, piece.version)
        return _page(form, row, piece)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            to = url_for("enterprises.show", enterprise_id=row.id, tab="ip")
            if not values:
                return done("没有改动，没有写入。", to)
            written = attempt(
                form,
                lambda: edit_ip(ip_id, values, version=form.seen_version, seen=form.seen_values(values), act=new_act()),
            )
            if written is not None:
                return done("已修改知识产权", to, written)
    piece, row = _own(ip_id)
    return _page(form, row, piece), 409 if form.conflict else 422


@blueprint.post("/intellectual-property/<int:ip_id>/withdraw")
@open_to(SIGNED_IN)
def withdraw(ip_id: int):
    piece, row = _own(ip_id)
    name, to = piece.name, url_for("enterprises.show", enterprise_id=row.id, tab="ip")
    version = version_in(request.form.get("version"))
    return pressed(
        lambda: withdraw_ip(ip_id, version=version, act=new_act()),
        said=f"已撤下 {name}",
        to=to,
        stays=to,
        moved=f"{name} ",
    )


def _page(form: forms.DeclaredForm, row: Enterprise, piece: IntellectualProperty | None = None) -> str:
    conflicts = []
    if form.conflict and piece is not None:
        conflicts = form.clashes(last_writers("intellectual_property", piece.id))
    return render_template(
        "intellectual_property/edit.html",
        form=form,
        row=row,
        piece=piece,
        conflicts=conflicts,
        inputs={i["name"]: i for i in forms.inputs(form, CODES)},
    )


def _own(ip_id: int) -> tuple[IntellectualProperty, Enterprise]:
    piece = visible_record(IntellectualProperty, ip_id, viewer(), "这件知识产权")
    row, standing = visible_enterprise(piece.enterprise_id, viewer())
    require(may_record_ip(viewer(), standing), "修改知识产权")
    return piece, row
