"""条件比对（预评）: freezing one as a record, and reading a frozen one with the text it was judged by."""

from flask import Blueprint, render_template, request, url_for

from crm.actions.assessments import freeze_assessment
from crm.domain import words
from crm.domain.refusals import NotAllowed
from crm.domain.viewers import CONFIDENTIAL
from crm.store.assessments import Assessment
from crm.store.scope import visible_enterprise, visible_record
from crm.web.doors import SIGNED_IN, new_act, open_to, pressed, viewer

blueprint = Blueprint("assessments", __name__)


@blueprint.post("/enterprises/<int:enterprise_id>/assessments")
@open_to(SIGNED_IN)
def freeze(enterprise_id: int):
    visible_enterprise(enterprise_id, viewer())
    to = url_for("enterprises.show", enterprise_id=enterprise_id, tab="compare")
    kind = request.form.get("rules", "")
    return pressed(
        lambda: freeze_assessment(enterprise_id, kind, act=new_act()),
        said=f"已存为比对记录：{words.word(kind, 'rules')}",
        to=to,
        stays=to,
    )


@blueprint.get("/assessments/<int:assessment_id>")
@open_to(SIGNED_IN)
def show(assessment_id: int):
    one = visible_record(Assessment, assessment_id, viewer(), "这条比对记录")
    row, standing = visible_enterprise(one.enterprise_id, viewer())
    if CONFIDENTIAL not in viewer().classes_over(standing):
        raise NotAllowed("比对记录含保密指标，你的授权不含保密字段。")
    criteria = one.report.get("criteria", [])
    depth: dict[str, int] = {}
    for c in criteria:
        depth[c["id"]] = depth.get(c.get("parent") or "", -1) + 1
    return render_template("assessments/show.html", one=one, row=row, criteria=criteria, depth=depth)
