"""What people say about an obligation: done, waived, postponed, missed, assigned, taken back. It itself is computed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from crm.actions.notices import tell
from crm.actions.rights import may_edit, may_log, require
from crm.domain import words
from crm.domain.acts import Act
from crm.domain.cadences import FOLLOWING_KINDS, HNTE_ANNUAL_REPORT, NEXT_STEP, REQUEST
from crm.domain.changes import Create, Update
from crm.domain.media_types import ACCEPTED, CSV, TEXT
from crm.domain.refusals import SAME_FIELD, Conflict, InvalidInput, NotFound, Refused
from crm.domain.viewers import Viewer
from crm.store.changes import refuse_repetition
from crm.store.due import DueRow
from crm.store.enterprises import Enterprise
from crm.store.file_store import Kept, record
from crm.store.obligation_lists import WAITING, Row, day_of, one, outcome_of
from crm.store.obligations import ObligationOutcome
from crm.store.scope import visible_enterprise
from crm.store.standings import Standing
from crm.store.users import User, case_managers
from crm.store.writer import Written, write

DONE, WAIVED, POSTPONED, MISSED, ASSIGNED = "done", "waived", "postponed", "missed", "assigned"
# Whether it was done counts for years after nothing more can be done: two missed reports cancel the title.
TOLD_LATER = frozenset({HNTE_ANNUAL_REPORT})
LONGEST_NOTE = 500
# Nobody plans further ahead; a slip of the year is caught here.
LATEST_YEARS_AHEAD = 3

# What may be attached: the receipt as it came, never something that runs.
RECEIPT_TYPES = frozenset(ACCEPTED) - {TEXT, CSV}


def may_settle(viewer: Viewer, standing: Standing | Row | DueRow, *, kind: str, owner_id: int | None) -> bool:
    """Whoever may edit the enterprise; whom it was given to do; and who promised a next step and may log for it.

    A case manager keeps a promise also after the enterprise went to a colleague: it stands on the own desk. A request
    is answered and closed as a request and never here.
    """
    if kind == REQUEST:
        return False
    if may_edit(viewer, standing):  # type: ignore[arg-type]  # a list row has the same columns
        return True
    if owner_id is None or owner_id not in viewer.acts_for:
        return False
    if viewer.has_in(standing.region_id, "case_manager"):
        return True
    return kind == NEXT_STEP and may_log(viewer, standing)  # type: ignore[arg-type]


def decide(
    existing: ObligationOutcome | None, enterprise_id: int, kind: str, period: str, values: dict[str, Any]
) -> list[Create | Update]:
    """The one change that records an outcome: there is at most one per obligation, so a later word replaces it."""
    if existing is not None:
        return [Update("obligation_outcome", existing.id, values, existing.version)]
    named = {"enterprise_id": enterprise_id, "kind": kind, "period": period}
    return [Create("obligation_outcome", named | values)]


def settle(
    enterprise_id: int,
    kind: str,
    period: str,
    *,
    note: str = "",
    done_on: date | None = None,
    receipt: Kept | None = None,
    receipt_name: str = "",
    act: Act,
) -> Written:
    """Record that an obligation is done (办结), with a note and the receipt if there is one.

    ``done_on`` None: on the act's day. ``receipt`` are bytes already in the file store; its row is made in the same
    transaction. An annual report may be recorded as filed long after (补记). Raises NotFound, NotAllowed, InvalidInput,
    Refused when it is settled already.
    """
    row, enterprise = _open(enterprise_id, kind, period, act, told_later=True)
    if kind in FOLLOWING_KINDS:
        raise Refused("这件事项随申报走：推进一步或登记新材料，它就自己办结。")
    kept_note = note_of(note)
    if done_on is not None and not row.opens_on <= done_on <= act.effective_on:
        raise InvalidInput({"done_on": f"办结日期 {done_on} 不在 {row.opens_on} 到今天之间。核对后改正。"})
    if receipt is not None and receipt.media_type not in RECEIPT_TYPES:
        raise InvalidInput({"receipt": "回执读不出是什么文件。换成 PDF、图片、Word 或 Excel。"})
    values = values_done(done_on or act.effective_on, kept_note)
    if receipt is not None:
        stored = record(
            receipt,
            name=receipt_name,
            purpose="evidence",
            at=act.recorded_at,
            region_id=enterprise.region_id,
            owner_id=act.viewer.user_id,
            enterprise_id=enterprise_id,
        )
        values["stored_file_id"] = stored.id
    return _write(row, values, act, "settle_obligation")


def waive(enterprise_id: int, kind: str, period: str, *, reason: str, act: Act) -> Written:
    """Record that an obligation need not be done (免办), with the reason. Raises like ``settle``."""
    row, _ = _open(enterprise_id, kind, period, act)
    if not reason.strip():
        raise InvalidInput({"reason": "写明为什么免办。"})
    values = {"outcome": WAIVED, "on": act.effective_on, "note": note_of(reason, "reason")}
    return _write(row, values, act, "waive_obligation")


def miss(enterprise_id: int, kind: str, period: str, *, note: str = "", act: Act) -> Written:
    """Record that an annual report was not filed (确认未报): it counts towards 取消资格 (32号 第十九条（三）).

    Only after its due moment. Raises like ``settle``.
    """
    row, _ = _open(enterprise_id, kind, period, act, told_later=True)
    if kind not in TOLD_LATER:
        raise Refused("这种事项没有“未报”。")
    if row.due_at >= act.recorded_at:
        raise Refused("还没到截止时间，不能登记未报。")
    return _write(row, {"outcome": MISSED, "on": act.effective_on, "note": note_of(note)}, act, "miss_obligation")


def postpone(
    enterprise_id: int, kind: str, period: str, *, to: date, seen: Mapping[str, Any] | None = None, act: Act
) -> Written:
    """Give an obligation another day (改期): the computed deadline stays in its reason.

    ``seen`` {"to": the day that was shown}: raises Conflict when it is due on another one by now. Else raises like
    ``settle``.
    """
    row, _ = _open(enterprise_id, kind, period, act)
    refuse_day(to, act)
    _refuse_moved(seen, "to", day_of(row.due_at), to)
    return _write(row, values_postponed(to, act), act, "postpone_obligation")


def refuse_day(to: date, act: Act) -> None:
    """Raise InvalidInput on ``to`` for a day to which nothing is put off."""
    if to < act.effective_on:
        raise InvalidInput({"to": f"改到的日期 {to} 已过。选今天或以后的一天。"})
    if to.year > act.effective_on.year + LATEST_YEARS_AHEAD:
        raise InvalidInput({"to": f"改到的日期 {to} 太远。核对年份。"})


def values_postponed(to: date, act: Act) -> dict[str, Any]:
    """What is recorded of an obligation put off to another day."""
    return {"outcome": POSTPONED, "on": act.effective_on, "postponed_to": to}


def assign(
    enterprise_id: int, kind: str, period: str, *, to: int, seen: Mapping[str, Any] | None = None, act: Act
) -> Written:
    """Give an obligation to a case manager of the region to do (交办); the enterprise stays whose it is.

    The person finds it in the own list, may settle it, and hears of it. ``seen`` {"assignee": who did it as shown}:
    raises Conflict when it is somebody else's by now. Raises InvalidInput on ``assignee`` for who is no case manager
    there, else like ``settle``.
    """
    row, _ = _open(enterprise_id, kind, period, act)
    if to not in assignees(row.region_id, act.effective_on):
        raise InvalidInput({"assignee": "没有这位专员。从列表里选。"})
    _refuse_moved(seen, "assignee", row.owner_id, to)
    if row.owner_id == to:
        return Written(None)
    values = values_assigned(outcome_of(enterprise_id, kind, period), to, act)
    written = _write(row, values, act, "assign_obligation")
    if written.change_set_id is not None:
        what = f"{row.name}：{words.OBLIGATION_KINDS.get(kind, kind)}，{day_of(row.due_at)} 到期"
        tell_assignee(to, f"交办给你 1 项到期事项：{what}", written.change_set_id, act)
    return written


def values_assigned(existing: ObligationOutcome | None, to: int, act: Act) -> dict[str, Any]:
    """What is recorded of an obligation given to somebody; what was said of it before stands."""
    said: dict[str, Any] = {} if existing is not None else {"outcome": ASSIGNED, "on": act.effective_on}
    return said | {"assignee_id": to}


def values_done(on: date, note: str | None) -> dict[str, Any]:
    """What is recorded of an obligation that is done."""
    return {"outcome": DONE, "on": on, "note": note}


def assignees(region_id: int, on: date) -> dict[int, str]:
    """{id: name} of those to whom something may be given to do in a region: its case managers on a day."""
    found: list[User] = case_managers(frozenset({region_id}), on)
    return {user.id: user.name for user in found}


def tell_assignee(user_id: int, text: str, change_set_id: int, act: Act) -> None:
    """A notice for whom something was given to do."""
    tell([user_id], ASSIGNED, text, noun="change_set", record_id=change_set_id, act=act)


def _refuse_moved(seen: Mapping[str, Any] | None, name: str, now: Any, mine: Any) -> None:
    """Raise Conflict when somebody gave it another value than the one that was shown, and not the same as mine."""
    if seen is not None and name in seen and now not in (seen[name], mine):
        raise Conflict(SAME_FIELD, {name: (seen[name], now, mine)})


def take_back(enterprise_id: int, kind: str, period: str, *, act: Act) -> Written:
    """Take back what was recorded: the obligation is open again, on a postponed day if it had one."""
    refuse_repetition(act)
    row = _visible(enterprise_id, kind, period, act)
    existing = outcome_of(enterprise_id, kind, period)
    if existing is None:
        raise Refused("这件事项没有登记过办结、免办、改期或交办。它的状态来自企业的资格和申报。")
    if existing.outcome in (DONE, WAIVED) and existing.postponed_to is not None:
        left: dict[str, Any] = {"outcome": POSTPONED, "note": None}
    elif existing.outcome != ASSIGNED and existing.assignee_id is not None:
        left = {"outcome": ASSIGNED, "note": None, "postponed_to": None}
    else:
        left = {"deleted": True}
    changes: list[Create | Update] = [Update("obligation_outcome", existing.id, left, existing.version)]
    return write(changes, act=act, action="reopen_obligation", region_id=row.region_id)


def _visible(enterprise_id: int, kind: str, period: str, act: Act) -> Row:
    row = one(enterprise_id, kind, period, act.viewer)
    if row is None:
        raise NotFound("这件事项")
    require(may_settle(act.viewer, row, kind=kind, owner_id=row.owner_id), "办理这件事项")
    return row


def _open(enterprise_id: int, kind: str, period: str, act: Act, *, told_later: bool = False) -> tuple[Row, Enterprise]:
    refuse_repetition(act)
    enterprise, _ = visible_enterprise(enterprise_id, act.viewer)
    row = _visible(enterprise_id, kind, period, act)
    if row.state in (DONE, WAIVED):
        raise Refused("这件事项已经办结或免办。要改，先取回。")
    if row.state not in WAITING and not (told_later and kind in TOLD_LATER):
        raise Refused("这件事项已过期，不能再办。")
    return row, enterprise


def note_of(text: str, field: str = "note") -> str | None:
    """A note as it is kept, None for an empty one. Raises InvalidInput on ``field`` when it is too long."""
    text = text.strip()
    if len(text) > LONGEST_NOTE:
        raise InvalidInput({field: f"最多 {LONGEST_NOTE} 字，现在 {len(text)} 字。"})
    return text or None


def _write(row: Row, values: dict[str, Any], act: Act, action: str) -> Written:
    existing = outcome_of(row.enterprise_id, row.kind, row.period)
    changes = decide(existing, row.enterprise_id, row.kind, row.period, values)
    return write(changes, act=act, action=action, region_id=row.region_id)
