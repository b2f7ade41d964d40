"""Requests (企业诉求): raised, dispatched to a department or passed to the platform, answered, rated, closed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.notices import tell
from crm.actions.rights import may_edit, may_log, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.periods import holds_on
from crm.domain.refusals import InvalidInput, NotFound, Refused
from crm.domain.requests import may_close, may_rate, problems
from crm.domain.viewers import Place, Viewer
from crm.extensions import db
from crm.store.dictionaries import DictionaryEntry
from crm.store.enterprises import Enterprise
from crm.store.holidays import holidays
from crm.store.readers import liaisons
from crm.store.requests import Request
from crm.store.scope import visible, visible_enterprise, visible_record
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.settings import setting
from crm.store.standings import Standing
from crm.store.units import Unit
from crm.store.writer import Written, write

RAISING = ("raised_on", "category", "text", "platform_number")
DISPATCH = ("unit_id", "dispatched_on", "due_on")
TRANSFER = ("platform_number", "transferred_on", "due_on")
REPLY = ("reply", "replied_on", "replied_by")
RATING = ("rating", "rating_note")
CLOSING = ("closed_on", "close_reason")
ALL = ("raised_on", "category", "text", "platform_number", "transferred_on", *DISPATCH, *REPLY, *RATING, *CLOSING)

NOTICE = "request"
# Nobody waits longer for an answer; a slip of the year is caught here.
LONGEST_WAIT_DAYS = 366


# --- who may do what ------------------------------------------------------------------------------------------------


def may_raise(viewer: Viewer, standing: Place) -> bool:
    """Whoever may log a service there."""
    return may_log(viewer, standing)


def may_handle(viewer: Viewer, standing: Place) -> bool:
    """Dispatch, pass on, close, reopen: the enterprise's case manager and the bureau."""
    return may_edit(viewer, standing)


def may_change(viewer: Viewer, standing: Place, request: Request) -> bool:
    """Change or withdraw it: who handles it, and who took it down as long as it was not sent on."""
    if may_handle(viewer, standing):
        return True
    own = viewer.user_id is not None and request.author_id == viewer.user_id
    return own and request.dispatched_on is None and request.transferred_on is None and may_raise(viewer, standing)


def is_liaison(viewer: Viewer, request: Request) -> bool:
    """Whether the viewer speaks for the department the request was dispatched to."""
    return request.dispatched_on is not None and any(
        grant.role == "unit" and grant.unit_id == request.unit_id and grant.unit_id is not None
        for grant in viewer.grants
    )


def may_reply(viewer: Viewer, standing: Place, request: Request) -> bool:
    """The department it was dispatched to, and who handles it and has the answer by telephone."""
    return is_liaison(viewer, request) or may_handle(viewer, standing)


def usual_due_on(region_id: int | None, on: date) -> date:
    """The day by which a request dispatched on a day is to be answered: working days by the region's setting."""
    return holidays().add_workdays(on, int(setting("request_days", region_id)))


# --- deeds ----------------------------------------------------------------------------------------------------------


def raise_request(
    enterprise_id: int, values: Mapping[str, Any], *, service_log_id: int | None = None, act: Act
) -> Written:
    """Take down what an enterprise asks for; ``values`` are the fields of RAISING.

    ``service_log_id`` is the visit at which it was said, which must be one of this enterprise. Its case manager is
    told when somebody else took it down. Raises NotFound, NotAllowed, InvalidInput.
    """
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_raise(act.viewer, standing), "登记这家企业的诉求")
    stated = {code: values.get(code) for code in RAISING if values.get(code) is not None}
    _check(stated, act)
    if service_log_id is not None:
        _check_visit(service_log_id, row.id, act)
    own = {"author_id": act.viewer.user_id, "author_name": act.viewer.name[:60], "service_log_id": service_log_id}
    create = Create("request", {**stated, **own, "enterprise_id": row.id, "region_id": row.region_id}, "request")
    written = write([create], act=act, action="raise_request", region_id=row.region_id)
    tell(
        [standing.manager_id],
        NOTICE,
        "登记了诉求，等交办",
        noun="request",
        record_id=int(written.ids["request"]),
        enterprise_id=row.id,
        act=act,
    )
    return written


def edit_request(
    request_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Change what was taken down (the fields of RAISING). Raises NotFound, NotAllowed, InvalidInput, Conflict."""
    request, standing, row = _seen(request_id, act)
    require(may_change(act.viewer, standing, request), "改这件诉求")
    return _update(request, row, _some(values, RAISING), version, seen, "edit_request", act)


def dispatch_request(
    request_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Hand a request to a department (交办) with a day by which it is to answer: the fields of DISPATCH.

    Handing it on to another one, or back after an answer that does not do, takes the answer away; the history keeps
    it. The department's liaisons are told. Raises NotFound, NotAllowed, InvalidInput, Conflict, Refused when closed.
    """
    request, standing, row = _handled(request_id, act, "交办诉求")
    stated = _some(values, DISPATCH)
    unit_id = stated.get("unit_id", request.unit_id)
    wrong: dict[str, str] = {}
    unit = db.session.scalar(visible(select(Unit).where(Unit.id == unit_id), act.viewer)) if unit_id else None
    if unit is None or not holds_on(unit, act.effective_on):
        wrong["unit_id"] = "选交办给哪个部门。" if not unit_id else "这个部门已停用或不在本区县。从列表里选。"
    if request.dispatched_on is None:
        stated.setdefault("dispatched_on", act.effective_on)
    if stated.get("dispatched_on", request.dispatched_on) is None:
        wrong["dispatched_on"] = "填交办日期。"
    if stated.get("due_on", request.due_on) is None:
        wrong["due_on"] = "填回复期限。"
    again = request.replied_on is not None
    if again:
        stated |= dict.fromkeys((*REPLY, *RATING))
    written = _update(request, row, stated, version, seen, "dispatch_request", act, wrong)
    _tell_of(request, row, liaisons(int(unit_id or 0), act.effective_on), "交办了诉求，等你部门回复", act)
    _tell_of(request, row, [standing.manager_id, request.author_id], f"把诉求交办给{unit.name if unit else ''}", act)
    return written


def transfer_request(
    request_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Record that a request was passed on to the platform (企业吹哨·部门报到) on a day, with its number there.

    Raises NotFound, NotAllowed, InvalidInput, Conflict, Refused when closed.
    """
    request, _, row = _handled(request_id, act, "把诉求转平台")
    stated = _some(values, TRANSFER)
    wrong: dict[str, str] = {}
    if stated.get("transferred_on", request.transferred_on) is None:
        wrong["transferred_on"] = "填转平台的日期。"
    if not stated.get("platform_number", request.platform_number):
        wrong["platform_number"] = "填平台编号，别人凭它查进度。"
    return _update(request, row, stated, version, seen, "transfer_request", act, wrong)


def reply_request(
    request_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Answer a request: the text, the day, and who answers (the fields of REPLY); an answer may be changed.

    By the liaison of the department it was dispatched to, or taken down by who handles it. The case manager and who
    took the request down are told. Raises NotFound, NotAllowed, InvalidInput, Conflict, Refused when it was neither
    dispatched nor passed on, or is closed.
    """
    request, standing, row = _seen(request_id, act)
    require(may_reply(act.viewer, standing, request), "回复这件诉求")
    _refuse_closed(request)
    if request.dispatched_on is None and request.transferred_on is None:
        raise Refused("这件诉求还没有交办或转平台。先交办，再登记回复。")
    stated = _some(values, REPLY)
    wrong: dict[str, str] = {}
    if not (stated.get("reply", request.reply) or "").strip():
        wrong["reply"] = "写明怎么解决的，或为什么解决不了。"
    if stated.get("replied_on", request.replied_on) is None:
        stated["replied_on"] = act.effective_on
    if not stated.get("replied_by", request.replied_by):
        stated["replied_by"] = act.viewer.name[:60]
    if request.dispatched_on is not None and (stated.get("replied_on") or act.effective_on) < request.dispatched_on:
        wrong["replied_on"] = f"回复日期早于交办日期 {request.dispatched_on}。改正其中一个。"
    written = _update(request, row, stated, version, seen, "reply_request", act, wrong)
    _tell_of(request, row, [standing.manager_id, request.author_id], "回复了诉求，等企业评价", act)
    return written


def rate_request(
    request_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Record what the enterprise says of the answer, 1 to 5, in its own words if there are any (the fields of RATING).

    Raises NotFound, NotAllowed, InvalidInput, Conflict, Refused before there is an answer and once it is closed.
    """
    request, standing, row = _seen(request_id, act)
    require(may_raise(act.viewer, standing), "登记企业评价")
    _refuse_closed(request)
    if not may_rate(request):
        raise Refused("还没有回复，企业无从评价。先登记回复。")
    stated = _some(values, RATING)
    wrong = {} if stated.get("rating", request.rating) is not None else {"rating": "选企业给的评价，1 到 5 分。"}
    return _update(request, row, stated, version, seen, "rate_request", act, wrong)


def close_request(
    request_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Close a request with the reason (the fields of CLOSING), once it was answered or passed on.

    Raises NotFound, NotAllowed, InvalidInput, Conflict, Refused.
    """
    request, _, row = _handled(request_id, act, "办结诉求")
    if not may_close(request):
        raise Refused("这件诉求既没有回复，也没有转平台，不能办结。先登记回复，或转平台。")
    stated = _some(values, CLOSING)
    wrong: dict[str, str] = {}
    if stated.get("closed_on", request.closed_on) is None:
        stated["closed_on"] = act.effective_on
    if not (stated.get("close_reason", request.close_reason) or "").strip():
        wrong["close_reason"] = "写明办结的情况。"
    return _update(request, row, stated, version, seen, "close_request", act, wrong)


def reopen_request(request_id: int, *, act: Act) -> Written:
    """Open a closed request again; its answer and rating stay until it is dispatched anew."""
    request, standing, row = _seen(request_id, act)
    require(may_handle(act.viewer, standing), "重新打开诉求")
    if request.closed_on is None:
        raise Refused("这件诉求没有办结。刷新后再看。")
    change = Update("request", request.id, dict.fromkeys(CLOSING), request.version)
    return write([change], act=act, action="reopen_request", region_id=row.region_id)


def withdraw_request(request_id: int, *, act: Act) -> Written:
    """Take back a request that was taken down by mistake."""
    request, standing, row = _seen(request_id, act)
    require(may_change(act.viewer, standing, request), "撤下这件诉求")
    return write(
        [withdraw("request", request.id, request.version)], act=act, action="withdraw_request", region_id=row.region_id
    )


# --- what they share ------------------------------------------------------------------------------------------------


def _seen(request_id: int, act: Act) -> tuple[Request, Standing, Enterprise]:
    request: Request = visible_record(Request, request_id, act.viewer, "这件诉求")
    row, standing = visible_enterprise(request.enterprise_id, act.viewer)
    return request, standing, row


def _handled(request_id: int, act: Act, what: str) -> tuple[Request, Standing, Enterprise]:
    request, standing, row = _seen(request_id, act)
    require(may_handle(act.viewer, standing), what)
    _refuse_closed(request)
    return request, standing, row


def _refuse_closed(request: Request) -> None:
    if request.closed_on is not None:
        raise Refused(f"{request.closed_on} 已办结。要再办，先重新打开。")


def _some(values: Mapping[str, Any], codes: tuple[str, ...]) -> dict[str, Any]:
    return {code: values[code] for code in codes if code in values}


def _check(values: Mapping[str, Any], act: Act, wrong: Mapping[str, str] | None = None) -> None:
    found = {**problems(values, today=act.effective_on), **(wrong or {})}
    due_on = values.get("due_on")
    if due_on is not None and (due_on - act.effective_on).days > LONGEST_WAIT_DAYS:
        found["due_on"] = f"回复期限 {due_on} 太远。核对年份。"
    category = values.get("category")
    if category and "category" not in found and not _is_category(str(category), act):
        found["category"] = "类别里没有这一项。从列表里选。"
    if found:
        raise InvalidInput(found)


def _is_category(code: str, act: Act) -> bool:
    query = select(DictionaryEntry.id).where(
        DictionaryEntry.dictionary == "request_category", DictionaryEntry.code == code
    )
    return db.session.scalar(visible(query, act.viewer).limit(1)) is not None


def _check_visit(service_log_id: int, enterprise_id: int, act: Act) -> None:
    visible_record(ServiceLog, service_log_id, act.viewer, "这条服务记录")
    link = select(ServiceLogEnterprise.id).where(
        ServiceLogEnterprise.service_log_id == service_log_id,
        ServiceLogEnterprise.enterprise_id == enterprise_id,
        ~ServiceLogEnterprise.deleted,
    )
    if db.session.scalar(link) is None:
        raise NotFound("这条服务记录")


def _update(
    request: Request,
    row: Enterprise,
    stated: Mapping[str, Any],
    version: int,
    seen: Mapping[str, Any] | None,
    action: str,
    act: Act,
    wrong: Mapping[str, str] | None = None,
) -> Written:
    merged = {code: getattr(request, code) for code in ALL} | dict(stated)
    _check(merged, act, wrong)
    # What the form did not show and the step sets by itself is taken as seen: there is nothing to choose on a page.
    known = {code: getattr(request, code) for code in stated if code not in (seen or ())} if seen is not None else {}
    change = Update("request", request.id, dict(stated), version, None if seen is None else {**known, **seen})
    return write([change], act=act, action=action, region_id=row.region_id)


def _tell_of(request: Request, row: Enterprise, user_ids: list[int | None], text: str, act: Act) -> None:
    tell(user_ids, NOTICE, text, noun="request", record_id=request.id, enterprise_id=row.id, act=act)
