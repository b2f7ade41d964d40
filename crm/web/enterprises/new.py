"""Entering one enterprise by hand."""

from flask import render_template, request, url_for

from crm.actions.enterprises import create_enterprise
from crm.actions.rights import require
from crm.web import reference
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, viewer
from crm.web.editing import say
from crm.web.enterprises import blueprint, forms
from crm.web.enterprises.edit import CODE_REASON, EXTRA, codes_for, doubt_code, groups_of


@blueprint.route("/enterprises/new", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def new():
    person = viewer()
    counties = [r for r in reference.counties(person) if person.has_in(r.id, "bureau", "admin", "case_manager")]
    require(bool(counties), "新增企业")
    form = forms.form_for("enterprise", codes_for(None), (*EXTRA, "region"), CODE_REASON)()
    if request.method == "GET":
        form.fill({"name": request.args.get("name", "")[:120] or None})
        form["region"].data = str(counties[0].id)
        return _page(form, counties), 200
    if form.validate_on_submit():
        values = {code: value for code, value in form.read().items() if value is not None}
        values.pop("code_reason", None)
        region = next((r for r in counties if str(r.id) == form["region"].data), None)
        if region is None:
            say(form, "region", "选区县。")
        if not values.get("name"):
            say(form, "name", "填企业名称。") if not form["name"].errors else None
        doubt_code(form, values)
        if not form.has_errors and region is not None:
            written = attempt(form, lambda: create_enterprise(region.id, values, act=new_act()))
            if written is not None:
                if written.ids:
                    to = url_for("enterprises.show", enterprise_id=written.ids["enterprise"])
                else:
                    to = url_for("enterprises.index")
                return done(f"已新增 {values['name']}", to, written)
    return _page(form, counties), 422


def _page(form: forms.DeclaredForm, counties) -> str:
    return render_template(
        "enterprises/edit.html",
        form=form,
        row=None,
        groups=groups_of(form),
        conflicts=[],
        natures=[],
        new=True,
        counties=counties,
        region_options=[(r.id, r.name) for r in counties],
    )
