"""Many obligations settled, put off or given to somebody: previewed line by line, one change set, undone as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.actions.bulk_previews import ALREADY, CHANGES, NO_RIGHT, BulkPreview, fingerprint_of
from crm.actions.obligations import (
    assignees,
    decide,
    may_settle,
    note_of,
    refuse_day,
    tell_assignee,
    values_assigned,
    values_done,
    values_postponed,
)
from crm.domain.acts import Act
from crm.domain.cadences import FOLLOWING_KINDS, REQUEST
from crm.domain.changes import Create, Update
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.typed_counts import refuse_untyped
from crm.store.obligation_lists import WAITING, Key, Row, day_of, ids_of_keys, rows
from crm.store.obligations import ObligationOutcome, outcomes_of
from crm.store.orders import Order
from crm.store.writer import Prepared, Written, prepare, write_prepared

SETTLE, POSTPONE, ASSIGN = "settle", "postpone", "assign"
VERBS: dict[str, str] = {ASSIGN: "交办", POSTPONE: "改期", SETTLE: "办结"}
ACTIONS: dict[str, str] = {ASSIGN: "assign_many", POSTPONE: "postpone_many", SETTLE: "settle_many"}
# The lock is held for a second at the most.
MOST = 20_000

CLOSED, AS_REQUEST, FOLLOWS, ELSEWHERE = "closed", "as_request", "follows", "elsewhere"
OUTCOMES = {
    CHANGES: "会改",
    ALREADY: "已经是这样",
    CLOSED: "已办结、免办或过期",
    NO_RIGHT: "不在你的授权内",
    AS_REQUEST: "诉求在诉求里办",
    FOLLOWS: "随申报走，推进申报就办结",
    ELSEWHERE: "这位专员不在那个区县",
}


@dataclass(frozen=True)
class Wish:
    """What is to be done to the chosen ones: to whom (交办), to which day (改期), or with which note (办结)."""

    verb: str
    assignee: int | None = None
    to: date | None = None
    note: str = ""


@dataclass(frozen=True)
class Line:
    """What would happen to one obligation; ``before`` is its day or who does it, whichever changes."""

    row: Row
    outcome: str
    before: Any


@dataclass(frozen=True)
class BulkSettling(BulkPreview[Line]):
    """A deed on many obligations worked out: each with its outcome, and the changes of those that change."""

    wish: Wish

    @property
    def fingerprint(self) -> str:
        """Stands for exactly these obligations as they are now: what was previewed is what is done."""
        versions = (change.version for change in self.changes if isinstance(change, Update))
        said = [f"{line.row.key}:{line.outcome}:{line.before}" for line in self.lines]
        return fingerprint_of([*said, ",".join(map(str, versions))])


def work_out(keys: Sequence[Key], wish: Wish, *, order: Order = (), act: Act) -> BulkSettling:
    """What a deed would do to each of these obligations, in the order of the list; reads only.

    Those out of sight are not there. Raises InvalidInput with the sentence of the field, Refused when they are more
    than MOST.
    """
    if len(keys) > MOST:
        raise Refused(f"一次最多{VERBS[wish.verb]} {MOST:,} 项，现在选中 {len(keys):,} 项。先筛选再选。")
    note = note_of(wish.note)
    found = rows(ids_of_keys(keys, act.viewer, order=order))
    if wish.verb == POSTPONE:
        if wish.to is None:
            raise InvalidInput({"to": "选改到哪一天。"})
        refuse_day(wish.to, act)
    may_do = {region: assignees(region, act.effective_on) for region in {row.region_id for row in found}}
    if wish.verb == ASSIGN and not any(wish.assignee in known for known in may_do.values()):
        raise InvalidInput(
            {"assignee": "选交办给哪位专员。" if wish.assignee is None else "没有这位专员。从列表里选。"}
        )
    said = outcomes_of([row.enterprise_id for row in found])
    lines: list[Line] = []
    changes: list[Create | Update] = []
    for row in found:
        before = row.owner_id if wish.verb == ASSIGN else day_of(row.due_at)
        outcome = _outcome(row, before, wish, may_do[row.region_id], act)
        lines.append(Line(row, outcome, before))
        if outcome == CHANGES:
            existing = said.get((row.enterprise_id, row.kind, row.period))
            changes += decide(existing, row.enterprise_id, row.kind, row.period, _values(existing, wish, note, act))
    regions = {line.row.region_id for line in lines if line.outcome == CHANGES}
    return BulkSettling(tuple(lines), tuple(changes), next(iter(regions)) if len(regions) == 1 else None, wish)


def make_ready(bulk: BulkSettling, typed: int | None = None, *, act: Act) -> Prepared:
    """Make it ready outside any unit of work; ``settle_many`` then holds the lock for the bare statements.

    ``typed`` is the number of obligations as the person typed it where there are many. Raises InvalidInput on
    ``number`` for another one.
    """
    refuse_untyped(len(bulk.changing), typed, field="number", verb=VERBS[bulk.wish.verb], unit="项")
    return prepare(bulk.changes, act=act)


def settle_many(bulk: BulkSettling, prepared: Prepared, *, act: Act) -> Written:
    """Write it as one change set; whom they are given to hears of it once.

    Raises Conflict or Refused when somebody recorded something about one of them meanwhile.
    """
    written = write_prepared(prepared, act=act, action=ACTIONS[bulk.wish.verb], region_id=bulk.region_id)
    if bulk.wish.assignee is not None and written.change_set_id is not None:
        text = f"交办给你 {len(bulk.changing):,} 项到期事项"
        tell_assignee(bulk.wish.assignee, text, written.change_set_id, act)
    return written


def _outcome(row: Row, before: Any, wish: Wish, may_do: Mapping[int, str], act: Act) -> str:
    if row.kind == REQUEST:
        return AS_REQUEST
    if not may_settle(act.viewer, row, kind=row.kind, owner_id=row.owner_id):
        return NO_RIGHT
    if row.state not in WAITING:
        return CLOSED
    if wish.verb == SETTLE:
        return FOLLOWS if row.kind in FOLLOWING_KINDS else CHANGES
    if wish.verb == ASSIGN and wish.assignee not in may_do:
        return ELSEWHERE
    return ALREADY if before == (wish.assignee if wish.verb == ASSIGN else wish.to) else CHANGES


def _values(existing: ObligationOutcome | None, wish: Wish, note: str | None, act: Act) -> dict[str, Any]:
    if wish.verb == SETTLE:
        return values_done(act.effective_on, note)
    if wish.verb == POSTPONE and wish.to is not None:
        return values_postponed(wish.to, act)
    return values_assigned(existing, wish.assignee or 0, act)
