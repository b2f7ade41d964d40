"""Enterprises: entering, editing, renaming and moving them; the same decision for a form and for 10,000 rows."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from crm.actions.rights import may_edit, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update, withdraw
from crm.domain.fields import AFFILIATIONS, fields_of
from crm.domain.names import normalise_name
from crm.domain.periods import holds_on
from crm.domain.refusals import SAME_FIELD, Conflict, InvalidInput, Refused
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.store.enterprises import FORMER_NAME, OLD_NUMBER, Affiliation, Enterprise, affiliations_of, aliases_of
from crm.store.parks import Carrier, Park
from crm.store.regions import TOWNSHIP, Region
from crm.store.scope import visible, visible_enterprise
from crm.store.writer import Written, write

OWN_FIELDS = frozenset(
    f.code
    for f in fields_of("enterprise")
    if f.code not in AFFILIATIONS and f.code not in ("former_name", "old_number")
) | {"code_reason"}
# Affiliations that point at a record; the others carry a value.
POINTING = frozenset(
    {"township", "township_registered", "township_operating", "township_tax", "park", "carrier", "manager"}
)


@dataclass(frozen=True)
class Belonging:
    """One affiliation in force: its row and what it says."""

    id: int
    version: int
    value: Any
    starts_on: date | None


@dataclass(frozen=True)
class EnterpriseState:
    """What the library holds of one enterprise before a decision."""

    id: int
    version: int
    values: Mapping[str, Any]
    belongs: Mapping[str, Belonging] = field(default_factory=dict)
    former_names: frozenset[str] = frozenset()
    old_numbers: frozenset[str] = frozenset()

    def value(self, code: str) -> Any:
        """The value of any declared field, affiliations included."""
        if code in AFFILIATIONS:
            return self.belongs[code].value if code in self.belongs else None
        return self.values.get(code)


def decide(
    state: EnterpriseState | None,
    values: Mapping[str, Any],
    *,
    region_id: int,
    on: date,
    key: Hashable = "enterprise",
    version: int | None = None,
    seen: Mapping[str, Any] | None = None,
    correction: bool = False,
) -> list[Create | Update]:
    """The changes that bring an enterprise to these values: pure, the same for a form and for an import row.

    ``values`` are {field code: value} of declared fields, affiliations by their id or value; fields not named stay.
    ``on`` is the day from which changed affiliations hold. A changed name leaves the old one as 曾用名. With
    ``correction`` the recorded was wrong from the start: the affiliation in force is mended in place, with its days,
    and the wrong name leaves no trace but the history.
    """
    changes: list[Create | Update] = []
    own = {code: value for code, value in values.items() if code in OWN_FIELDS}
    if state is None:
        changes.append(Create("enterprise", {**own, "region_id": region_id}, key))
        owner: Any = Ref(key)
        old_name = None
    else:
        owner, old_name = state.id, None if correction else state.values.get("name")
        if own:
            changes.append(Update("enterprise", state.id, own, version, seen))
    changes += _aliases(state, values, owner, old_name, on)
    for kind in AFFILIATIONS:
        if kind in values:
            changes += _affiliation(state, kind, values[kind], owner, on, correction)
    return changes


def _aliases(state, values, owner, old_name, on) -> list[Create | Update]:
    former = {values["former_name"]} if values.get("former_name") else set()
    new_name = values.get("name")
    if old_name and new_name and normalise_name(old_name) != normalise_name(new_name):
        former.add(old_name)
    known_names = state.former_names if state else frozenset()
    known_numbers = state.old_numbers if state else frozenset()
    changes: list[Create | Update] = [
        Create(
            "enterprise_alias",
            {
                "enterprise_id": owner,
                "kind": FORMER_NAME,
                "value": name,
                "value_key": normalise_name(name),
                "until_on": on if name == old_name else None,
            },
        )
        for name in sorted(former)
        if normalise_name(name) not in known_names
    ]
    number = values.get("old_number")
    if number and number not in known_numbers:
        changes.append(
            Create(
                "enterprise_alias", {"enterprise_id": owner, "kind": OLD_NUMBER, "value": number, "value_key": number}
            )
        )
    return changes


def _affiliation(state, kind: str, value: Any, owner: Any, on: date, correction: bool = False) -> list[Create | Update]:
    current = state.belongs.get(kind) if state else None
    if current is not None and current.value == value:
        return []
    if current is not None and correction:
        if value is None:
            return [withdraw("affiliation", current.id, current.version)]
        mended = {"ref_id": value} if kind in POINTING else {"value": _affiliation_value(value)}
        return [Update("affiliation", current.id, mended, current.version)]
    changes: list[Create | Update] = []
    if current is not None:
        if current.starts_on is not None and current.starts_on >= on:
            # Changed twice on one day: the first answer never held, so it is withdrawn and not ended before it began.
            changes.append(withdraw("affiliation", current.id, current.version))
        else:
            changes.append(Update("affiliation", current.id, {"ends_on": on - timedelta(days=1)}, current.version))
    if value is not None:
        pointing = kind in POINTING
        changes.append(
            Create(
                "affiliation",
                {
                    "enterprise_id": owner,
                    "kind": kind,
                    "ref_id": value if pointing else None,
                    "value": None if pointing else _affiliation_value(value),
                    # A new enterprise has always belonged where it is entered; a change counts from its day.
                    "starts_on": on if current is not None else None,
                    "ends_on": None,
                },
            )
        )
    return changes


def _affiliation_value(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def problems(values: Mapping[str, Any], *, today: date) -> dict[str, str]:
    """What is wrong with these values taken together, as {field code: sentence}."""
    wrong: dict[str, str] = {}
    if "name" in values and not (values["name"] or "").strip():
        wrong["name"] = "填企业名称。"
    if values.get("registered_on") and values["registered_on"] > today:
        wrong["registered_on"] = f"成立日期 {values['registered_on']} 在今天之后。核对年份。"
    return wrong


def misplaced(values: Mapping[str, Any], region_id: int, *, on: date) -> dict[str, str]:
    """Places that are not of the enterprise's own region or do not hold that day, as {field code: sentence}.

    Where an enterprise belongs opens it to people: a township, park or carrier of another district never does, not
    even by the hand of somebody who has both. Sheets name places within one region, so their rows need not ask.
    """
    wrong: dict[str, str] = {}
    home = db.session.get(Region, region_id)
    # A park or carrier may be the city's.
    near = {region_id, home.parent_id if home is not None else None}
    for code, model, what in (("township", Region, "乡镇"), ("park", Park, "园区"), ("carrier", Carrier, "载体")):
        if values.get(code) is None:
            continue
        row = db.session.get(model, values[code])
        if isinstance(row, Region):
            fits = row.level == TOWNSHIP and row.parent_id == region_id
        else:
            fits = row is not None and row.region_id in near
        if not fits:
            wrong[code] = f"没有这个{what}。从列表里选。"
        elif row is not None and not holds_on(row, on):
            wrong[code] = f"{row.name}在 {on} 不是有效的{what}。从列表里选现在的。"
    return wrong


def create_enterprise(region_id: int, values: Mapping[str, Any], *, act: Act) -> Written:
    """Enter one enterprise in a region. Its case manager may be left open; a case manager's own entry is theirs.

    Raises InvalidInput with sentences per field, Refused when the code belongs to another enterprise.
    """
    require(act.viewer.has_in(region_id, *OFFICE, "case_manager"), "新增企业")
    values = dict(values)
    if act.viewer.has_in(region_id, "case_manager") and not act.viewer.has_in(region_id, *OFFICE):
        values["manager"] = act.viewer.user_id
    wrong = problems({"name": None, **values}, today=act.effective_on) | misplaced(
        values, region_id, on=act.effective_on
    )
    if wrong:
        raise InvalidInput(wrong)
    _refuse_taken_code(values.get("credit_code"), None, act.viewer)
    return write(
        decide(None, values, region_id=region_id, on=act.effective_on),
        act=act,
        action="create_enterprise",
        region_id=region_id,
    )


def edit_enterprise(
    enterprise_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    correction: bool = False,
    act: Act,
) -> Written:
    """Change fields and affiliations of one enterprise: from the act's effective day on, or as a correction (更正).

    ``version`` and ``seen`` are what the editor saw; edits of other fields merge. Raises NotFound, NotAllowed,
    InvalidInput, Conflict.
    """
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "修改这家企业")
    state = state_of(row)
    moved = {code: value for code, value in values.items() if state.value(code) != value}
    wrong = problems(values, today=act.effective_on) | misplaced(moved, row.region_id, on=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    if values.get("credit_code"):
        _refuse_taken_code(values["credit_code"], enterprise_id, act.viewer)
    if version != row.version and seen is None:
        seen = {}
    changes = decide(
        state, values, region_id=row.region_id, on=act.effective_on, version=version, seen=seen, correction=correction
    )
    clashes = moved_meanwhile(state, values, seen or {})
    try:
        written = write(
            changes, act=act, action="correct_enterprise" if correction else "edit_enterprise", region_id=row.region_id
        )
    except Conflict as clash:
        raise Conflict(clash.message, {**clash.theirs, **clashes}) from None
    if clashes:
        raise Conflict(SAME_FIELD, clashes)
    return written


def moved_meanwhile(
    state: EnterpriseState, values: Mapping[str, Any], seen: Mapping[str, Any]
) -> dict[str, tuple[Any, Any, Any]]:
    """Affiliations that are neither what the editor saw nor wants: {code: (before, theirs, mine)}.

    They live in rows of their own, so the version of the enterprise does not tell.
    """
    return {
        code: (seen[code], state.value(code), value)
        for code, value in values.items()
        if code in AFFILIATIONS and code in seen and state.value(code) not in (seen[code], value)
    }


def withdraw_enterprise(enterprise_id: int, *, version: int, act: Act) -> Written:
    """Take an enterprise entered by mistake out of the lists; nothing is deleted and it can be undone."""
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(act.viewer.has_in(standing.region_id, *OFFICE), "撤下企业")
    return write(
        [withdraw("enterprise", row.id, version)], act=act, action="withdraw_enterprise", region_id=row.region_id
    )


def _refuse_taken_code(code: str | None, own_id: int | None, viewer: Viewer) -> None:
    """Refuse a code that another live enterprise has; named only to who may see it, it may be another district's."""
    if not code:
        return
    mine = select(Enterprise).where(Enterprise.credit_code == code, Enterprise.id.is_distinct_from(own_id))
    seen = db.session.scalar(visible(mine, viewer))
    if seen is not None:
        raise Refused(f"这个代码已属于{seen.name}。打开那一家改，不要另建。", field="credit_code")
    if db.session.scalar(select(mine.where(~Enterprise.deleted).exists())):
        raise Refused("这个代码不能用在这里。核对代码；无误就交业务科室与市级核实。", field="credit_code")


def state_of(row: Enterprise) -> EnterpriseState:
    """The state of one enterprise as the database holds it."""
    belongs = {}
    for item in affiliations_of(row.id):
        if item.ends_on is None:
            belongs[item.kind] = Belonging(item.id, item.version, belonging_value(item), item.starts_on)
    aliases = aliases_of(row.id)
    return EnterpriseState(
        id=row.id,
        version=row.version,
        values={code: getattr(row, code) for code in OWN_FIELDS},
        belongs=belongs,
        former_names=frozenset(a.value_key for a in aliases if a.kind == FORMER_NAME),
        old_numbers=frozenset(a.value for a in aliases if a.kind == OLD_NUMBER),
    )


def belonging_value(item: Affiliation) -> Any:
    """What an affiliation says: the id it points at, its choice, or yes/no as a bool."""
    if item.ref_id is not None:
        return item.ref_id
    return item.value == "yes" if item.value in ("yes", "no") else item.value
