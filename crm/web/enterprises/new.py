"""Entering one enterprise by hand."""

from typing import Any

from flask import render_template, request, url_for

from crm.actions.enterprises import create_enterprise
from crm.actions.rights import require
from crm.domain.names import normalise_name
from crm.store.enterprise_lists import namesakes as namesakes_of
from crm.web import reference
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, viewer, was_pressed_before
from crm.web.editing import say
from crm.web.enterprises import blueprint, forms
from crm.web.enterprises.edit import CODE_REASON, EXTRA, codes_for, doubt_code, groups_of


@blueprint.route("/enterprises/new", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def new():
    person = viewer()
    counties = [r for r in reference.counties(person) if person.has_in(r.id, "bureau", "admin", "case_manager")]
    require(bool(counties), "新增企业")
    form = forms.form_for("enterprise", codes_for(None), (*EXTRA, "region", "name_warned"), CODE_REASON)()
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
        namesakes = doubt_name(form, values)
        if not form.has_errors and region is not None:
            written = attempt(form, lambda: create_enterprise(region.id, values, act=new_act()))
            if written is not None:
                if written.ids:
                    to = url_for("enterprises.show", enterprise_id=written.ids["enterprise"])
                else:
                    to = url_for("enterprises.index")
                return done(f"已新增 {values['name']}", to, written)
        return _page(form, counties, namesakes), 422
    return _page(form, counties), 422


def doubt_name(form: forms.DeclaredForm, values: dict[str, Any]) -> list[tuple[int, str, bool]]:
    """Enterprises in sight that have or had this name: a second file for one firm is asked about once, not forbidden.

    Two firms may share a name over the years, so the second press of the button saves it.
    """
    names = [values[code] for code in ("name", "former_name") if values.get(code)]
    key = "\n".join(normalise_name(name) for name in names)
    # What the first press of the button wrote is no namesake for the second.
    if not names or form["name_warned"].data == key or was_pressed_before(form):
        return []
    found = namesakes_of(names, viewer())
    if found:
        form["name_warned"].data = key
        called = "、".join(f"{name}（曾用名）" if former else name for _, name, former in found[:3])
        say(form, "name", f"库里已有{called}。打开那一家改；确是另一家，再按一次保存。")
    return found


def _page(form: forms.DeclaredForm, counties, namesakes=()) -> str:
    return render_template(
        "enterprises/edit.html",
        form=form,
        row=None,
        groups=groups_of(form),
        conflicts=[],
        natures=[],
        new=True,
        counties=counties,
        namesakes=namesakes,
        region_options=[(r.id, r.name) for r in counties],
    )
