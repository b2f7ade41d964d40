"""The checklist of one application: an item recorded, waived, taken back; several received or carried over at once."""

from flask import render_template, request, url_for

from crm.actions.application_materials import (
    Piece,
    carry_materials,
    receive_materials,
    record_material,
    take_back_material,
    waive_material,
)
from crm.actions.rights import require
from crm.domain import words
from crm.domain.kinds import KINDS
from crm.domain.materials import ItemState, missing_sentences, notice_text
from crm.domain.media_types import LARGEST_MB
from crm.domain.refusals import NotFound
from crm.domain.stages import COUNTY, window_deadline
from crm.extensions import db
from crm.store import attachment_lists
from crm.store.applications import ApplicationMaterial
from crm.store.settings import office_name, setting
from crm.web.addresses import whole
from crm.web.applications import blueprint
from crm.web.applications.forms import MaterialForm, ReceiveForm
from crm.web.applications.shown import Shown, shown
from crm.web.applications.steps import page_of
from crm.web.attachments.uploads import received
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, today, viewer
from crm.web.editing import say

RECORD, WAIVE, TAKE_BACK = "record", "waive", "take_back"


@blueprint.route("/applications/<int:application_id>/materials/<item>", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def material(application_id: int, item: str):
    """One item: record that it is there with its file, waive it, or take back what was recorded."""
    one = shown(application_id)
    state = _state(one, item)
    require(one.may_edit, "登记申报材料")
    form = MaterialForm()
    if request.method == "GET":
        _fill(form, state)
        return _page(form, one, state)
    if form.validate_on_submit():
        written = _write(form, application_id, item)
        if written is not None:
            to = url_for("applications.show", application_id=application_id, _anchor="materials")
            return done(_DONE.get(form.verb.data or "", _DONE[RECORD]).format(state.item.name), to, written)
    one = shown(application_id)
    state = _state(one, item)
    if form.conflict:
        form.version.data = str(_version(state))
    return _page(form, one, state), 409 if form.conflict else 422


_DONE = {RECORD: "已登记《{}》", WAIVE: "已登记《{}》免交", TAKE_BACK: "已取回《{}》的登记，仍算缺"}


def _write(form: MaterialForm, application_id: int, code: str):
    version, verb = form.seen_version, form.verb.data or RECORD
    if verb == WAIVE:
        reason = form.waived_reason.data or ""
        return attempt(
            form, lambda: waive_material(application_id, code, reason=reason, version=version, act=new_act())
        )
    if verb == TAKE_BACK:
        return attempt(form, lambda: take_back_material(application_id, code, version=version, act=new_act()))
    uploads, refused = received(request.files.getlist("files"))
    if refused or len(uploads) > 1:
        say(form, "files", "".join(refused) or "一项材料收一份文件。合成一份 PDF 再传，其余作为附件添加。")
        return None
    piece = Piece(
        code,
        form.dated_on.value,
        form.expires_on.value,
        form.note.data,
        uploads[0] if uploads else None,
        version,
    )
    return attempt(form, lambda: record_material(application_id, piece, act=new_act()))


@blueprint.post("/applications/<int:application_id>/materials/receive")
@open_to(SIGNED_IN)
def receive(application_id: int):
    """Tick what came in, once for all."""
    one = shown(application_id)
    require(one.may_edit, "登记申报材料")
    form = ReceiveForm()
    items = [code for code in request.form.getlist("items") if code]
    if form.validate_on_submit():
        written = attempt(
            form, lambda: receive_materials(application_id, items, dated_on=form.dated_on.value, act=new_act())
        )
        if written is not None:
            return done(f"已登记收到 {len(set(items))} 项材料", _home(application_id), written)
    form.items.data = items
    return page_of(shown(application_id), form), 422


@blueprint.post("/applications/<int:application_id>/materials/carry")
@open_to(SIGNED_IN)
def carry(application_id: int):
    """Confirm pieces of a former cycle; each was looked at by the person who ticks it."""
    one = shown(application_id)
    require(one.may_edit, "登记申报材料")
    form = ReceiveForm()
    offered: dict[str, int] = {}
    for said in request.form.getlist("offered"):
        code, _, number = said.partition(":")
        material_id = whole(number)
        if code and material_id is not None:
            offered[code] = material_id
    if form.validate_on_submit():
        written = attempt(form, lambda: carry_materials(application_id, offered, act=new_act()))
        if written is not None:
            return done(f"已核对沿用 {len(offered)} 项材料", _home(application_id), written)
    return page_of(shown(application_id), form), 409 if form.conflict else 422


@blueprint.get("/applications/<int:application_id>/notice")
@open_to(SIGNED_IN)
def notice(application_id: int):
    """一次性告知: everything that is missing, once, as text to paste and as a sheet to print."""
    one = shown(application_id)
    sentences = missing_sentences(one.materials)
    due_at = one.due_at or window_deadline(COUNTY, one.window)
    mend_by = words.moment(due_at) if due_at is not None else ""
    if due_at is not None:
        mend_by = f"{words.local(due_at).year} 年 {words.day_long(due_at, words.local(due_at).date())}{_hour(mend_by)}"
    region_id = one.enterprise.region_id
    office = office_name(region_id, setting("office_name", region_id))
    text = notice_text(
        one.enterprise.name,
        KINDS[one.row.kind].name,
        one.cycle,
        sentences,
        mend_by=mend_by,
        office=office,
        on=words.day_long(today()),
    )
    return render_template(
        "applications/notice.html",
        one=one,
        row=one.enterprise,
        sentences=sentences,
        mend_by=mend_by,
        office=office,
        text=text,
    )


def _hour(moment: str) -> str:
    """The hour of a deadline; the end of a day goes without saying."""
    hour = moment.rpartition(" ")[2]
    return "" if hour == "24:00" else f" {hour}"


def _home(application_id: int) -> str:
    return url_for("applications.show", application_id=application_id, _anchor="materials")


def _state(one: Shown, code: str) -> ItemState:
    found = next((state for state in one.materials if state.item.code == code), None)
    if found is None:
        raise NotFound("这项材料")
    return found


def _version(state: ItemState) -> int:
    if state.evidence is None:
        return 0
    row = db.session.get(ApplicationMaterial, state.evidence.material_id)
    return row.version if row is not None else 0


def _fill(form: MaterialForm, state: ItemState) -> None:
    form.version.data = str(_version(state))
    held = state.evidence
    if held is not None:
        form.dated_on.data = held.dated_on.isoformat() if held.dated_on else ""
        form.expires_on.data = held.expires_on.isoformat() if held.expires_on else ""
        form.note.data, form.waived_reason.data = held.note or "", held.waived_reason or ""


def _page(form: MaterialForm, one: Shown, state: ItemState) -> str:
    held = state.evidence
    ids = {held.stored_file_id} if held is not None else set()
    opened = attachment_lists.by_stored_file(one.row.enterprise_id, ids, viewer())
    theirs = form.conflict.get(state.item.code)
    return render_template(
        "applications/material.html",
        form=form,
        one=one,
        row=one.enterprise,
        state=state,
        attachment_id=opened.get(held.stored_file_id or 0) if held is not None else None,
        clash=f"这一项刚有别人登记过，现在是“{theirs[1]}”。看看再决定要不要改。" if theirs else None,
        earliest=state.item.earliest(one.row.year),
        largest_mb=LARGEST_MB,
    )
