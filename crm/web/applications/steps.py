"""One application: its stage bar, where it may go next, its history; a step, a correction, old words mapped."""

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for

from crm.actions.application_steps import correct_step, map_stage, step
from crm.actions.rights import require
from crm.domain import words
from crm.domain.stages import ENDS, STEP_KINDS
from crm.store import attachment_lists
from crm.web import reference
from crm.web.applications import blueprint
from crm.web.applications.forms import ReceiveForm, StepForm
from crm.web.applications.shown import END_LOOKS, STEP_ICONS, Shown, shown
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, own_path, today, viewer
from crm.web.editing import last_writers


@blueprint.get("/applications/<int:application_id>")
@open_to(SIGNED_IN)
def show(application_id: int):
    return page_of(shown(application_id))


def page_of(one: Shown, receive: ReceiveForm | None = None) -> str:
    """The page of an application; ``receive`` is a refused form of its checklist."""
    hung = attachment_lists.on_records("application", [one.row.id], viewer()).get(one.row.id, [])
    manager = reference.people([one.standing.manager_id]).get(one.standing.manager_id or 0, "")
    return render_template(
        "applications/show.html",
        one=one,
        row=one.enterprise,
        hung=hung,
        manager=manager,
        files=_files_of(one),
        receive=receive or ReceiveForm(formdata=None),
        map_form=StepForm(formdata=None),
        ENDS=ENDS,
        STEP_KINDS=STEP_KINDS,
        STEP_ICONS=STEP_ICONS,
        END_LOOKS=END_LOOKS,
    )


def _files_of(one: Shown) -> dict[int, int]:
    """{stored file: the attachment through which this viewer may open it}, also of former cycles' applications."""
    wanted = {state.evidence.stored_file_id for state in one.materials if state.evidence is not None}
    wanted |= {state.offer.stored_file_id for state in one.materials if state.offer is not None}
    return attachment_lists.by_stored_file(one.row.enterprise_id, wanted - {None}, viewer())


@blueprint.route("/applications/<int:application_id>/step", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def go(application_id: int):
    """One step along the template. A script that dropped a card asks for JSON: it goes on or back with the reason."""
    one = shown(application_id)
    require(one.may_edit, "推进申报")
    form = StepForm()
    if request.method == "GET":
        _begin(form, one)
        wanted = request.args.get("to", "")
        form.to_stage.data = wanted if any(edge.target == wanted for edge in one.ways) else ""
        return _step_page(form, one)
    to = own_path(form.back.data) or url_for("applications.show", application_id=application_id)
    if form.validate_on_submit():
        target = (form.to_stage.data or "").strip()
        written = attempt(
            form,
            lambda: step(
                application_id,
                target,
                happened_on=form.happened_on.value,
                reason=form.reason.data,
                due_on=form.due_on.value,
                version=form.seen_version,
                seen=_seen(form),
                act=new_act(),
            ),
        )
        if written is not None:
            said = f"{one.enterprise.name}已到“{one.template.name(target)}”"
            if target in ENDS:
                said = f"{one.enterprise.name}的申报已{ENDS[target]}"
            answer = done(said, to, written)
            return jsonify({"to": to}) if _asks_for_json() else answer
    one = shown(application_id)
    status = 409 if form.conflict else 422
    if _asks_for_json():
        return jsonify({"said": _said(form, one)}), status
    if form.conflict:
        # What stands now is what the next press is measured by; what was typed stays.
        form.version.data, form.stage.data = str(one.row.version), one.row.outcome or one.stage or ""
    return _step_page(form, one), status


@blueprint.route("/applications/<int:application_id>/correct", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def correct(application_id: int):
    one = shown(application_id)
    require(one.may_edit, "更正申报")
    form = StepForm()
    if request.method == "GET":
        _begin(form, one)
        form.to_stage.data = one.row.outcome or one.stage or ""
        last = one.last_step
        form.happened_on.data = (last.happened_on if last else one.row.stage_on or today()).isoformat()
        return _correct_page(form, one)
    if form.validate_on_submit():
        written = attempt(
            form,
            lambda: correct_step(
                application_id,
                (form.to_stage.data or "").strip(),
                happened_on=form.happened_on.value,
                reason=form.reason.data,
                version=form.seen_version,
                seen=_seen(form),
                act=new_act(),
            ),
        )
        if written is not None:
            return done(
                "已更正，原来的记录留在历史里。", url_for("applications.show", application_id=application_id), written
            )
    one = shown(application_id)
    status = 409 if form.conflict else 422
    if form.conflict:
        form.version.data, form.stage.data = str(one.row.version), one.row.outcome or one.stage or ""
    return _correct_page(form, one), status


@blueprint.post("/applications/<int:application_id>/map")
@open_to(SIGNED_IN)
def map_words(application_id: int):
    one = shown(application_id)
    require(one.may_edit, "推进申报")
    form = StepForm()
    to = url_for("applications.show", application_id=application_id)
    written = attempt(
        form,
        lambda: map_stage(application_id, (form.to_stage.data or "").strip(), version=form.seen_version, act=new_act()),
    )
    if written is not None:
        return done("已对应到环节。", to, written)
    return _refused(form, shown(application_id), to)


def _refused(form: StepForm, one: Shown, to: str):
    flash(_said(form, one), "bad")
    return redirect(to)


def _begin(form: StepForm, one: Shown) -> None:
    form.version.data = str(one.row.version)
    form.stage.data = one.row.outcome or one.stage or ""
    form.happened_on.data = today().isoformat()
    form.back.data = own_path(request.args.get("back")) or ""


def _seen(form: StepForm) -> dict[str, Any]:
    said = form.stage.data or None
    return {"stage_code": None, "outcome": said} if said in ENDS else {"stage_code": said, "outcome": None}


def _asks_for_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _said(form: StepForm, one: Shown) -> str:
    """Everything that was refused as one line."""
    if form.conflict:
        return _clash(form, one)
    found = [*form.general_errors]
    for field in form:
        found += [str(sentence) for sentence in field.errors]
    return "".join(found)


def _clash(form: StepForm, one: Shown) -> str:
    """Who moved it meanwhile, from where to where: what the second person is shown."""
    before, now_at, mine = form.conflict.get("to_stage", ("", "", ""))
    by = last_writers("application", one.row.id)
    who = by.get("outcome" if not one.open else "stage_code", "")
    return f"打开时在“{before}”，{who} 已改到“{now_at}”，没有再写入“{mine}”。看看现在的环节，再决定要不要推进。"


def _step_page(form: StepForm, one: Shown) -> str:
    return render_template(
        "applications/step.html",
        form=form,
        one=one,
        row=one.enterprise,
        clash=_clash(form, one) if form.conflict else None,
        home=own_path(form.back.data) or url_for("applications.show", application_id=one.row.id),
        reasons=[edge.target for edge in one.ways if edge.reason],
    )


def _correct_page(form: StepForm, one: Shown) -> str:
    options = [(stage.code, stage.name) for stage in one.template.stages]
    return render_template(
        "applications/correct.html",
        form=form,
        one=one,
        row=one.enterprise,
        clash=_clash(form, one) if form.conflict else None,
        options=[*options, *((code, f"{said}（结束）") for code, said in ENDS.items())],
        now_words=ENDS[one.row.outcome] if one.row.outcome else one.stage_name,
        day=words.day(one.last_step.happened_on if one.last_step else one.row.stage_on, today()),
    )
