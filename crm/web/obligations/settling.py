"""办结, 免办, 改期, 取回: from the panel of the due list, and in place from a line of the desk."""

from dataclasses import replace
from datetime import date

from flask import render_template, request, url_for
from werkzeug.datastructures import FileStorage

from crm.actions import obligations
from crm.actions.rights import require
from crm.domain import words
from crm.domain.refusals import InvalidInput, NotFound
from crm.store import file_store, obligation_lists
from crm.store.writer import Written
from crm.web import reference
from crm.web.addresses import LARGEST_COUNT, whole
from crm.web.doors import SIGNED_IN, Form, attempt, done, new_act, open_to, own_path, viewer
from crm.web.obligations import blueprint, listing
from crm.web.obligations.forms import AssignForm, MissForm, PostponeForm, SettleForm, TakeBackForm, WaiveForm

# A receipt is a page or a photograph; the limit of imports would invite whole folders.
LARGEST_RECEIPT = 20 * 1024 * 1024

PATH = "/due/<int:enterprise_id>/<kind>/<period>"


@blueprint.post(f"{PATH}/settle")
@open_to(SIGNED_IN)
def settle(enterprise_id: int, kind: str, period: str):
    _require(enterprise_id, kind, period)
    form = SettleForm()

    def deed() -> Written:
        return obligations.settle(
            enterprise_id,
            kind,
            period,
            note=form.note.data or "",
            done_on=_day(form.done_on.data, "done_on") if (form.done_on.data or "").strip() else None,
            receipt=kept,
            receipt_name=upload.filename or "回执" if upload else "",
            act=new_act(),
        )

    upload = _upload(request.files.get("receipt"))
    kept = None
    if upload is not None:
        if _too_large(upload):
            form.receipt.errors = ["文件超过 20 MB。压缩或拆开再传。"]
            return _answer(form, "settle_form", None, (enterprise_id, kind, period), "")
        kept = file_store.keep(upload.stream)
    return _answer(form, "settle_form", attempt(form, deed), (enterprise_id, kind, period), "已办结")


@blueprint.post(f"{PATH}/waive")
@open_to(SIGNED_IN)
def waive(enterprise_id: int, kind: str, period: str):
    _require(enterprise_id, kind, period)
    form = WaiveForm()
    written = attempt(
        form, lambda: obligations.waive(enterprise_id, kind, period, reason=form.reason.data or "", act=new_act())
    )
    return _answer(form, "waive_form", written, (enterprise_id, kind, period), "已免办")


@blueprint.post(f"{PATH}/miss")
@open_to(SIGNED_IN)
def miss(enterprise_id: int, kind: str, period: str):
    _require(enterprise_id, kind, period)
    form = MissForm()
    written = attempt(
        form, lambda: obligations.miss(enterprise_id, kind, period, note=form.note.data or "", act=new_act())
    )
    return _answer(form, "miss_form", written, (enterprise_id, kind, period), "已登记未报")


@blueprint.post(f"{PATH}/postpone")
@open_to(SIGNED_IN)
def postpone(enterprise_id: int, kind: str, period: str):
    _require(enterprise_id, kind, period)
    form = PostponeForm()

    def deed() -> Written:
        return obligations.postpone(enterprise_id, kind, period, to=_day(form.to.data or "", "to"), act=new_act())

    written = attempt(form, deed)
    said = f"已改期到 {form.to.data}" if written else ""
    return _answer(form, "postpone_form", written, (enterprise_id, kind, period), said)


@blueprint.post(f"{PATH}/assign")
@open_to(SIGNED_IN)
def assign(enterprise_id: int, kind: str, period: str):
    _require(enterprise_id, kind, period)
    form = AssignForm()
    to = whole(form.assignee.data, largest=LARGEST_COUNT) or 0
    seen = {"assignee": whole(form.had.data, largest=LARGEST_COUNT)} if "had" in request.form else None
    written = attempt(form, lambda: obligations.assign(enterprise_id, kind, period, to=to, seen=seen, act=new_act()))
    said = f"已交办给 {reference.people([to]).get(to, '')}" if written else ""
    return _answer(form, "assign_form", written, (enterprise_id, kind, period), said)


@blueprint.post(f"{PATH}/take-back")
@open_to(SIGNED_IN)
def take_back(enterprise_id: int, kind: str, period: str):
    _require(enterprise_id, kind, period)
    form = TakeBackForm()
    written = attempt(form, lambda: obligations.take_back(enterprise_id, kind, period, act=new_act()))
    return _answer(form, "take_back_form", written, (enterprise_id, kind, period), "已取回，重新待办")


def _require(enterprise_id: int, kind: str, period: str) -> None:
    """404 for a foreign or missing obligation, 403 for one that may only be read; before any byte is stored."""
    row = obligation_lists.one(enterprise_id, kind, period, viewer())
    if row is None:
        raise NotFound("这件事项")
    require(obligations.may_settle(viewer(), row, kind=kind, owner_id=row.owner_id), "办理这件事项")


def _day(text: str, field: str) -> date:
    """The date a person chose; raises InvalidInput for that field."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        said = f"“{text[:20]}”不是日期。写成 2026-12-01。" if text.strip() else "选一个日期。"
        raise InvalidInput({field: said}) from None


def _upload(file: FileStorage | None) -> FileStorage | None:
    return file if file is not None and file.filename else None


def _too_large(file: FileStorage) -> bool:
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    return size > LARGEST_RECEIPT


def _answer(form: Form, name: str, written: Written | None, key: tuple[int, str, str], said: str):
    """Where the person was: the line of the desk in place, or the list again; refused: the panel with its sentences."""
    enterprise_id, kind, period = key
    row = obligation_lists.one(enterprise_id, kind, period, viewer())
    what = words.OBLIGATION_KINDS.get(kind, kind)
    message = f"{row.name} {what}{said}。" if row else f"{what}{said}。"
    if request.form.get("line") and request.headers.get("HX-Request"):
        errors = [*form.general_errors, *(e for sentences in form.errors.values() for e in sentences)]
        fragment = render_template(
            "desk/_settled.html",
            row=row,
            written=written,
            message=message,
            what=what,
            said=said,
            errors=errors if written is None else [],
            quick_days=listing.quick_days(),
        )
        # The numbers under the lines fetch themselves anew when they hear of it.
        return (fragment, 200, {"HX-Trigger": "settled"}) if written is not None else (fragment, 422)
    back = own_path(form.back.data) or url_for("obligations.index")
    if written is not None:
        return done(message, back, written)
    asked = listing.asked_by_path(back)
    wanted = replace(asked, open=key)
    return listing.page(wanted, **{name: form}), 422
