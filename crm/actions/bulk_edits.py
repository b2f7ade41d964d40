"""One field of many enterprises: previewed line by line, written as one change set, undone as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm.actions.bulk_previews import ALREADY, CHANGES, NO_RIGHT, BulkPreview, fingerprint_of
from crm.actions.enterprise_states import CHUNK, states_of
from crm.actions.enterprises import EnterpriseState, decide, misplaced, problems
from crm.actions.rights import may_edit
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.fields import AFFILIATIONS, field_of
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.typed_counts import refuse_untyped
from crm.domain.viewers import OFFICE
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.scope import visible
from crm.store.standings import Standing
from crm.store.users import case_managers
from crm.store.writer import Prepared, Written, prepare, write_prepared

# What is set alike for many; what is of one enterprise alone (codes, contacts, addresses) is edited one by one.
FIELDS = (
    "manager",
    "township",
    "township_registered",
    "township_operating",
    "township_tax",
    "park",
    "carrier",
    "status",
    "featured_industry",
    "hightech_field",
    "subject_type",
    "source",
    "above_scale",
    "abnormal",
    "dishonest",
)
# The lock is held for a second at the most.
MOST = 20_000

# Change sets of many records whose number and first lines the person saw before.
BULK_ACTIONS = frozenset({"edit_many", "correct_many"})

ELSEWHERE = "elsewhere"
OUTCOMES = {
    CHANGES: "会改",
    ALREADY: "已经是这样",
    NO_RIGHT: "不在你的授权内",
    ELSEWHERE: "属于别的区县，这个值不适用",
}


@dataclass(frozen=True)
class Line:
    """What would happen to one enterprise: its outcome, and what the field says now."""

    enterprise_id: int
    name: str
    outcome: str
    before: Any


@dataclass(frozen=True)
class BulkEdit(BulkPreview[Line]):
    """A bulk edit worked out: every chosen enterprise with its outcome, and the changes of those that change."""

    code: str
    value: Any

    @property
    def fingerprint(self) -> str:
        """Stands for exactly these enterprises with exactly these values before: what was previewed is what is done."""
        return fingerprint_of([f"{line.enterprise_id}:{line.outcome}:{line.before}" for line in self.lines])


def work_out(ids: Sequence[int], code: str, value: Any, *, correction: bool, act: Act) -> BulkEdit:
    """What setting a field to a value (None: blank) would do to each of these enterprises; reads only.

    The field is one of FIELDS. Enterprises out of sight are not there. Raises InvalidInput with the sentence of the
    field, Refused when they are more than MOST.
    """
    if code not in FIELDS:
        raise InvalidInput({"field": "这一项不能批量改。"})
    if len(ids) > MOST:
        raise Refused(f"一次最多改 {MOST:,} 家，现在选中 {len(ids):,} 家。先筛选再改。")
    wrong = problems({code: value}, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    places = _places(ids, act)
    states = states_of([i for i in ids if i in places])
    refused = {region: _refusal(code, value, region, act) for region in {p.region_id for _, p in places.values()}}
    if refused and all(refused.values()):
        raise InvalidInput({code: next(iter(refused.values()))})
    internal = field_of("enterprise", code).cls
    lines: list[Line] = []
    changes: list[Create | Update] = []
    for enterprise_id in ids:
        if enterprise_id not in states:
            continue
        name, place = places[enterprise_id]
        state = states[enterprise_id]
        before = state.value(code)
        office = act.viewer.has_in(place.region_id, *OFFICE)
        if not may_edit(act.viewer, place) or (code == "manager" and not office):
            shown = before if internal in act.viewer.classes_over(place) else None
            lines.append(Line(enterprise_id, name, NO_RIGHT, shown))
        elif before == value:
            lines.append(Line(enterprise_id, name, ALREADY, before))
        elif refused[place.region_id]:
            lines.append(Line(enterprise_id, name, ELSEWHERE, before))
        else:
            lines.append(Line(enterprise_id, name, CHANGES, before))
            changes += _changes(state, code, value, place.region_id, correction, act)
    regions = {places[line.enterprise_id][1].region_id for line in lines if line.outcome == CHANGES}
    return BulkEdit(tuple(lines), tuple(changes), next(iter(regions)) if len(regions) == 1 else None, code, value)


def make_ready(edit: BulkEdit, typed: int | None = None, *, act: Act) -> Prepared:
    """Make a bulk edit ready outside any unit of work; ``edit_many`` then holds the lock for the bare statements.

    ``typed`` is the number of enterprises as the person typed it where there are many. Raises InvalidInput on
    ``number`` for another one.
    """
    refuse_untyped(len(edit.changing), typed, field="number", verb="改")
    return prepare(edit.changes, act=act)


def edit_many(edit: BulkEdit, prepared: Prepared, *, correction: bool, act: Act) -> Written:
    """Write a bulk edit as one change set: from the act's effective day on, or as a correction (更正).

    Raises Refused when one of the enterprises says something else by now than when it was worked out.
    """
    changing = edit.changing
    if edit.code in AFFILIATIONS:
        # Rows of their own: a first one, made meanwhile by somebody else, has no version that could tell.
        states = states_of([line.enterprise_id for line in changing])
        moved = sum(states[line.enterprise_id].value(edit.code) != line.before for line in changing)
        if moved:
            raise Refused(moved_meanwhile(moved))
    return write_prepared(
        prepared,
        act=act,
        action="correct_many" if correction and edit.code in AFFILIATIONS else "edit_many",
        region_id=edit.region_id,
    )


def moved_meanwhile(count: int) -> str:
    """The sentence for enterprises that somebody changed between the preview and the press of the button."""
    return f"预览之后有 {count} 家刚被别人改过，没有写入。看过新的预览再按。"


def _changes(
    state: EnterpriseState, code: str, value: Any, region_id: int, correction: bool, act: Act
) -> list[Create | Update]:
    found = decide(
        state,
        {code: value},
        region_id=region_id,
        on=act.effective_on,
        key=state.id,
        version=state.version,
        correction=correction,
    )
    return list(found)


def _refusal(code: str, value: Any, region_id: int, act: Act) -> str:
    """Why a value is none for the enterprises of a region; "" when it is one."""
    if code == "manager" and value is not None:
        known = {user.id for user in case_managers(frozenset({region_id}), act.effective_on)}
        return "" if value in known else "没有这位专员。从列表里选。"
    return misplaced({code: value}, region_id, on=act.effective_on).get(code, "")


def _places(ids: Sequence[int], act: Act) -> dict[int, tuple[str, Any]]:
    """{id: (name, where it belongs)} of those of these enterprises that are in sight."""
    found: dict[int, tuple[str, Any]] = {}
    columns: Mapping[str, Any] = {
        name: getattr(Standing, name) for name in ("region_id", "township_id", "park_id", "carrier_id", "manager_id")
    }
    for start in range(0, len(ids), CHUNK):
        query = (
            select(Enterprise.id, Enterprise.name, *columns.values())
            .join(Standing, Standing.enterprise_id == Enterprise.id)
            .where(Enterprise.id.in_(ids[start : start + CHUNK]))
        )
        for row in db.session.execute(visible(query, act.viewer)):
            found[row[0]] = (row[1], row)
    return found
