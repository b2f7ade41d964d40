"""Changing one enterprise: its fields, its name, withdrawing it. Every form says 更正 or 新事实 where it matters."""

from datetime import date
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy import select

from crm.actions.enterprises import EnterpriseState, edit_enterprise, state_of, withdraw_enterprise
from crm.actions.rights import may_edit, require
from crm.domain import words
from crm.domain.cells import Unreadable
from crm.domain.codes import check_code
from crm.domain.fields import AFFILIATIONS, Field
from crm.domain.words import local
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Affiliation
from crm.store.scope import readable, visible_enterprise
from crm.web.addresses import version_in
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, pressed, today, viewer
from crm.web.editing import THEIRS, say
from crm.web.enterprises import blueprint, forms

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("登记信息", ("name", "credit_code", "old_number", "former_name", "subject_type", "registered_on", "capital",
                  "legal_person", "address", "source")),
    ("行业与产品", ("industry_code", "featured_industry", "hightech_field", "main_product")),
    ("联系", ("contact_name", "contact_phone")),
    ("归属与状态", ("township", "township_registered", "township_operating", "township_tax", "park", "carrier",
                    "manager", "above_scale", "status", "abnormal", "dishonest")),
    ("备注", ("notes",)),
)  # fmt: skip
ALL = tuple(code for _, codes in GROUPS for code in codes)
EXTRA = ("code_warned", "nature", "effective_on")
CODE_REASON = (("code_reason", "代码存疑照存的理由"),)
CORRECTION, NEW_FACT = "correction", "new_fact"
# What changes in the world on a day, as against what was written down wrongly.
DATED = frozenset({*AFFILIATIONS, "name"})
# What the name is called where it is the only thing asked for.
NEW_NAME = "新名称"
_DAY = Field("form", "effective_on", "从哪天起", "date")


def codes_for(standing: Any | None) -> tuple[str, ...]:
    """The fields this viewer may fill: readable ones; who the case manager is, is the bureau's to say."""
    person = viewer()
    if standing is None:
        known = set(ALL)
        office = person.has("bureau", "admin")
    else:
        known = set(readable("enterprise", person, standing))
        office = person.has_in(standing.region_id, "bureau", "admin")
    return tuple(code for code in ALL if code in known and (code != "manager" or office))


def current_values(state: EnterpriseState, codes: tuple[str, ...]) -> dict[str, Any]:
    """What the form shows: old names and numbers are added to, so their boxes start empty."""
    return {code: None if code in ("former_name", "old_number") else state.value(code) for code in codes}


# On the form of an existing enterprise these boxes add to what is known.
ADDED = {"old_number": "补记原注册号", "former_name": "补记曾用名"}


def groups_of(form: forms.DeclaredForm, *, adding: bool = False) -> list[tuple[str, list[dict[str, Any]]]]:
    groups = []
    for label, codes in GROUPS:
        inputs = forms.inputs(form, [code for code in codes if code in form.edited])
        for one in inputs:
            if adding and one["name"] in ADDED:
                one["label"] = ADDED[one["name"]]
        if inputs:
            groups.append((label, inputs))
    return groups


def doubt_code(form: forms.DeclaredForm, values: dict[str, Any]) -> None:
    """A code that fails its check character asks once for a reason, and is kept whatever the answer."""
    code = values.get("credit_code")
    warning = check_code(code).warning if code else None
    if warning is None:
        if "credit_code" in values:
            values["code_reason"] = None
        return
    reason = (form["code_reason"].data or "").strip()
    if not reason and form["code_warned"].data != code:
        form["code_warned"].data = code
        say(form, "code_reason", f"{warning} 写一句理由再保存；没有理由也可直接再按一次保存。")
        return
    values["code_reason"] = reason[:200] or "未写理由"


def read_day(form: forms.DeclaredForm, name: str) -> date | None:
    """A day typed into a plain field beside the declared ones."""
    try:
        return forms.value_of(_DAY, form[name].data or "")
    except Unreadable as error:
        say(form, name, error.message)
        return None


@blueprint.route("/enterprises/<int:enterprise_id>/edit", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(enterprise_id: int):
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "修改这家企业")
    form = forms.form_for("enterprise", codes_for(standing), EXTRA, CODE_REASON)()
    if request.method == "GET":
        state = state_of(row)
        form.fill(current_values(state, form.edited), row.version)
        form["nature"].data = ""
        form["effective_on"].data = today().isoformat()
        return _page(form, row), 200
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if "credit_code" in values:
            doubt_code(form, values)
        elif "code_reason" in values:
            values["code_reason"] = (values["code_reason"] or "")[:200] or None
        dated = sorted(DATED & set(values))
        nature = form["nature"].data
        if dated and nature not in (CORRECTION, NEW_FACT):
            which = "、".join(words.label(f"enterprise.{code}") for code in dated)
            say(form, "nature", f"改了{which}：选更正还是新事实。")
        on = read_day(form, "effective_on") if nature == NEW_FACT else None
        if on and on > today():
            say(form, "effective_on", f"{on} 还没到，等到那天再改，或改正日期。")
        if not form.has_errors:
            if not values:
                return done("没有改动，没有写入。", url_for("enterprises.show", enterprise_id=enterprise_id))
            written = attempt(
                form,
                lambda: edit_enterprise(
                    enterprise_id,
                    values,
                    version=form.seen_version,
                    seen=form.seen_values(values),
                    correction=nature == CORRECTION,
                    act=new_act(effective_on=on or today()),
                ),
            )
            if written is not None:
                verb = "已更正" if nature == CORRECTION and dated else "已修改"
                return done(
                    f"{verb}：{_fields_said(values)}", url_for("enterprises.show", enterprise_id=enterprise_id), written
                )
    row, _ = visible_enterprise(enterprise_id, viewer())
    return _page(form, row), 409 if form.conflict else 422


def _fields_said(values: dict[str, Any]) -> str:
    labels = [words.label(f"enterprise.{code}") for code in values if code != "code_reason"]
    return words.join(labels or ["信用代码的理由"], 4, "项")


def _page(form: forms.DeclaredForm, row: Any) -> str:
    conflicts = []
    if form.conflict:
        conflicts = form.clashes(who_wrote(row.id, list(form.conflict)))
    return render_template(
        "enterprises/edit.html",
        form=form,
        row=row,
        groups=groups_of(form, adding=True),
        conflicts=conflicts,
        natures=NATURES,
        new=False,
    )


NATURES = [
    (CORRECTION, "更正（原来记错了，不算变动）", None),
    (NEW_FACT, "新事实（从某天起变了）", None),
]


def who_wrote(enterprise_id: int, codes: list[str]) -> dict[str, str]:
    """Who wrote each of these fields last and when, in words: 陈述 14:02."""
    query = (
        select(Change.noun, Change.fields, ChangeSet.who, ChangeSet.recorded_at, Affiliation.kind)
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
        .outerjoin(Affiliation, (Change.noun == "affiliation") & (Affiliation.id == Change.record_id))
        .where(Change.enterprise_id == enterprise_id, Change.noun.in_(("enterprise", "affiliation")))
        .order_by(Change.id.desc())
        .limit(200)
    )
    found: dict[str, str] = {}
    for noun, fields, who, at, kind in db.session.execute(query):
        touched = {kind} if noun == "affiliation" else set(fields)
        for code in touched & set(codes):
            found.setdefault(code, f"{who} {local(at):%m-%d %H:%M}")
    return found


# --- renaming --------------------------------------------------------------------------------------------------------


@blueprint.route("/enterprises/<int:enterprise_id>/rename", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def rename(enterprise_id: int):
    """更名 is a new fact from a day on: the old name stays as 曾用名 and is still found."""
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(may_edit(viewer(), standing), "给企业更名")
    form = forms.form_for("enterprise", ("name",), ("effective_on",))()
    form["name"].label.text = NEW_NAME
    if request.method == "GET":
        form.fill({"name": row.name}, row.version, proposed={"name": None})
        form["effective_on"].data = today().isoformat()
        return _rename_page(form, row), 200
    if form.validate_on_submit():
        form.settle(request.form)
        if request.form.get("pick_name") == THEIRS:
            return done("没有改动，没有写入。", url_for("enterprises.show", enterprise_id=enterprise_id))
        values = form.read()
        form["name"].errors = [said.replace(words.label("enterprise.name"), NEW_NAME) for said in form["name"].errors]
        on = read_day(form, "effective_on")
        before = row.name
        if not values.get("name"):
            if not form["name"].errors:
                say(form, "name", "填新名称。")
        elif values["name"] == before:
            say(form, "name", "新名称与现名相同。")
        if on and on > today():
            say(form, "effective_on", f"{on} 还没到，等到那天再改，或改正日期。")
        if not form.has_errors:
            written = attempt(
                form,
                lambda: edit_enterprise(
                    enterprise_id,
                    {"name": values["name"]},
                    version=form.seen_version,
                    seen=form.seen_values(["name"]),
                    act=new_act(effective_on=on or today()),
                ),
            )
            if written is not None:
                to = url_for("enterprises.show", enterprise_id=enterprise_id)
                return done(f"已更名，{before} 留作曾用名。", to, written)
    row, _ = visible_enterprise(enterprise_id, viewer())
    return _rename_page(form, row), 409 if form.conflict else 422


def _rename_page(form: forms.DeclaredForm, row: Any) -> str:
    conflicts = []
    if form.conflict:
        conflicts = form.clashes(who_wrote(row.id, ["name"]))
    return render_template(
        "enterprises/rename.html", form=form, row=row, conflicts=conflicts, inputs=forms.inputs(form, ("name",))
    )


@blueprint.post("/enterprises/<int:enterprise_id>/withdraw")
@open_to(SIGNED_IN)
def withdraw(enterprise_id: int):
    """An enterprise entered by mistake leaves the lists; the toast takes it back."""
    row, _ = visible_enterprise(enterprise_id, viewer())
    name = row.name
    version = version_in(request.form.get("version"))
    return pressed(
        lambda: withdraw_enterprise(enterprise_id, version=version, act=new_act()),
        said=f"已撤下 {name}，不再计入名单。",
        to=url_for("enterprises.index"),
        stays=url_for("enterprises.show", enterprise_id=enterprise_id),
        moved=f"{name} ",
    )
