"""合并重复企业: who may be one and the same, both files side by side, and the merge."""

from typing import Any

from flask import render_template, request, url_for

from crm.actions.merges import JOINED, Merge, Pair, Rival, merge_enterprises, plan_merge
from crm.actions.relations import tell_apart as decide_apart
from crm.actions.rights import require
from crm.domain import words
from crm.domain.fields import FIELDS
from crm.domain.merging import choice_of
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.viewers import OFFICE
from crm.store import duplicates
from crm.store.scope import visible_enterprise
from crm.store.writer import Written
from crm.web import reference
from crm.web.addresses import whole
from crm.web.doors import Form, attempt, done, new_act, open_to, own_path, pressed, today, viewer
from crm.web.enterprises import blueprint

EVIDENCE = {
    duplicates.CODE: "代码或旧号相同",
    duplicates.NAME: "名称相同",
    duplicates.FORMER: "曾用名对上",
    duplicates.ORGANISATION: "代码中的主体标识码相同",
    duplicates.CORE: "字号相同",
    "phone": "电话相同",
    "legal_person": "法定代表人相同",
    "address": "地址相同",
}


@blueprint.get("/enterprises/duplicates")
@open_to(*OFFICE)
def suspects():
    """Pairs of a district that may be one firm, strongest first, each with what speaks for it."""
    person = viewer()
    counties = [place for place in reference.counties(person) if person.has_in(place.id, *OFFICE)]
    asked = whole(request.args.get("region"))
    region = next((place for place in counties if place.id == asked), counties[0] if counties else None)
    found, compared = duplicates.of_region(region.id, person, _places()) if region else ([], True)
    return render_template(
        "enterprises/duplicates.html",
        found=found,
        compared=compared,
        EVIDENCE=EVIDENCE,
        region=region,
        counties=counties,
        most=duplicates.SHOWN,
        apart=duplicates.told_apart(region.id, person) if region else [],
    )


@blueprint.get("/enterprises/<int:enterprise_id>/merge")
@open_to(*OFFICE)
def choose_double(enterprise_id: int):
    """Whom this one may be the double of; any other firm of the district may be chosen by hand."""
    row, standing = visible_enterprise(enterprise_id, viewer())
    require(viewer().has_in(standing.region_id, *OFFICE), "合并企业")
    other = whole(request.args.get("enterprises"))
    if other is not None:
        return side_by_side(enterprise_id, other)
    found = duplicates.of_enterprise(enterprise_id, viewer(), _places())
    return render_template("enterprises/merge_choose.html", row=row, found=found, EVIDENCE=EVIDENCE)


@blueprint.route("/enterprises/<int:enterprise_id>/merge/<int:other_id>", methods=["GET", "POST"])
@open_to(*OFFICE)
def side_by_side(enterprise_id: int, other_id: int):
    form = Form()
    # A second press finds the other one merged already; the key of the first one answers before anything is read.
    if request.method == "POST" and form.validate_on_submit():
        choices = {key.removeprefix("pick_"): side for key, side in request.form.items() if key.startswith("pick_")}
        problems: dict[str, str] = {}
        written = attempt(form, lambda: _merge(enterprise_id, other_id, choices, problems))
        if written is not None:
            return done(
                "已合并，两边的资料都在这一家", url_for("enterprises.show", enterprise_id=enterprise_id), written
            )
        return _page(plan_merge(enterprise_id, other_id, viewer=viewer()), form, choices, problems), 422
    return _page(plan_merge(enterprise_id, other_id, viewer=viewer()), form, {}, {})


@blueprint.post("/enterprises/<int:enterprise_id>/merge/<int:other_id>/apart")
@open_to(*OFFICE)
def tell_apart(enterprise_id: int, other_id: int):
    """不是同一家: the pair is not suggested any more; the toast and the list of such pairs take it back."""
    visible_enterprise(enterprise_id, viewer())
    visible_enterprise(other_id, viewer())
    note = request.form.get("note", "")
    return pressed(
        lambda: decide_apart(enterprise_id, other_id, note, act=new_act()),
        said="已记下不是同一家，不再提示这一对",
        to=own_path(request.form.get("back")) or url_for("enterprises.suspects"),
        stays=url_for("enterprises.side_by_side", enterprise_id=enterprise_id, other_id=other_id),
    )


def _merge(enterprise_id: int, other_id: int, choices: dict[str, str], problems: dict[str, str]) -> Written:
    """The merge; what was refused about one choice is kept under its key, to stand beside it."""
    fingerprint = request.form.get("fingerprint", "")
    try:
        return merge_enterprises(enterprise_id, other_id, choices, fingerprint=fingerprint, act=new_act())
    except InvalidInput as refusal:
        problems.update(refusal.problems)
        raise Refused(f"还有 {len(problems)} 处要先定，都标在下面。") from None


def _places() -> tuple[str, ...]:
    return tuple(place.name for place in reference.regions(viewer()).values() if place.level != "city")


def _page(plan: Merge, form: Form, choices: dict[str, str], problems: dict[str, str]) -> str:
    fields = [_line(pair, choices, problems) for pair in plan.fields if pair.left is not None or pair.right is not None]
    belongs = [_line(pair, choices, problems) for pair in plan.affiliations]
    figures: dict[int, list[dict[str, Any]]] = {}
    for pair in plan.figures:
        figures.setdefault(pair.year or 0, []).append(_line(pair, choices, problems))
    return render_template(
        "enterprises/merge.html",
        plan=plan,
        form=form,
        apart=duplicates.decision_about(plan.left.id, plan.right.id, viewer()),
        apart_form=Form(formdata=None),
        fields=fields,
        belongs=belongs,
        figures=figures,
        rivals=[_rival(one, choices, problems) for one in plan.rivals],
        moving=[(words.word(noun, "noun"), number) for noun, number in plan.moving.items()],
        twice=[(words.word(noun, "noun"), number) for noun, number in plan.twice.items()],
        differing=sum(line["asked"] for some in (fields, belongs, *figures.values()) for line in some),
    )


def _line(pair: Pair, choices: dict[str, str], problems: dict[str, str]) -> dict[str, Any]:
    noun = "figures" if pair.key.startswith("figures") else "enterprise"
    field = FIELDS[f"{noun}.{pair.code}"]
    names = _names(field) if noun == "enterprise" else None
    return {
        "key": pair.key,
        "label": field.label,
        "left": words.value(field, pair.left, names),
        "right": words.value(field, pair.right, names),
        "known": (pair.left is not None, pair.right is not None),
        "same": pair.same,
        # Where one side is blank there is nothing to choose: what is known stays.
        "asked": not pair.same and pair.left is not None and pair.right is not None,
        "joined": pair.code in JOINED and noun == "enterprise",
        "chosen": choice_of(choices, pair.key, pair.left, pair.right),
        "error": problems.get(pair.key),
    }


def _names(field: Any) -> dict[Any, str] | None:
    person = viewer()
    if field.type in ("region", "person", "park", "carrier"):
        return reference.names_for(field.type, person, today())
    return reference.words_of(field.choices, person) if field.choices == "featured_industry" else None


def _rival(one: Rival, choices: dict[str, str], problems: dict[str, str]) -> dict[str, Any]:
    say = _title_said if one.noun == "qualification" else _pool_said
    return {
        "key": one.key,
        "label": words.word(one.left["kind"], "title_short") if one.noun == "qualification" else "培育库",
        "left": say(one.left),
        "right": say(one.right),
        "chosen": choices.get(one.key),
        "error": problems.get(one.key),
    }


def _title_said(row: Any) -> str:
    start = row["valid_from"] or row["issued_on"] or row["announced_on"]
    parts = [row["number"], row["batch"], f"{start or '未起算'} 至 {row['valid_to'] or '没有止日'}"]
    if row["ended_on"]:
        parts.append(f"{row['ended_on']} {words.word(row['end_reason'], 'end_reason')}")
    return " · ".join(part for part in parts if part)


def _pool_said(row: Any) -> str:
    stage = f"{row['entered_on']} 入库" if row["entered_on"] else f"{row['proposed_on'] or ''} 拟入库"
    return " · ".join(part for part in (f"{row['year']} 年度" if row["year"] else "", stage) if part)
