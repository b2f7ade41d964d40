"""Dated affiliations: to which township, park, case manager … the enterprise belonged from when to when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.actions.enterprises import POINTING, belonging_value, misplaced
from crm.actions.rights import may_edit, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.fields import AFFILIATIONS, FIELDS
from crm.domain.merging import Span, clash
from crm.domain.refusals import InvalidInput, NotAllowed
from crm.domain.viewers import OFFICE
from crm.store.enterprises import Affiliation, Enterprise, affiliations_of
from crm.store.scope import visible_enterprise, visible_record
from crm.store.standings import Standing
from crm.store.unit_of_work import hold
from crm.store.writer import Written, write

CODES = ("value", "starts_on", "ends_on")


@dataclass(frozen=True)
class Belonged:
    """One affiliation as it is decided about: what it says, from its first to its last day (None: open)."""

    value: Any
    starts_on: date | None
    ends_on: date | None


def problems(
    kind: str, wanted: Belonged, others: Iterable[Span], *, today: date, named: Mapping[int, str] | None = None
) -> dict[str, str]:
    """What is wrong with an affiliation beside the others of its kind: {field: one Chinese sentence}; pure.

    ``named`` says what the others point at, for the sentence.
    """
    wrong: dict[str, str] = {}
    if wanted.value is None:
        wrong["value"] = f"选{FIELDS[f'enterprise.{kind}'].label}。"
    start, end = wanted.starts_on, wanted.ends_on
    for code, day, label in (("starts_on", start, "起始日期"), ("ends_on", end, "终止日期")):
        if day is not None and day > today:
            wrong[code] = f"{label} {day} 还没到，等到那天再登记，或改正日期。"
        elif day is not None and day.year < 1949:
            wrong[code] = f"{label} {day} 早于 1949 年。核对年份后改正。"
    if start is not None and end is not None and end < start:
        wrong["ends_on"] = f"终止日期 {end} 早于起始日期 {start}。改正其中一个。"
    if wrong:
        return wrong
    for other in others:
        if clash(Span(0, start, end), other):
            days = f"{other.starts_on or '一直'} 至 {other.ends_on or '今'}"
            what = (named or {}).get(other.id, "")
            wrong["starts_on"] = f"与已登记的{what}（{days}）有同一天。先终止那一条，或改正日期。"
            break
    return wrong


def record_affiliation(
    enterprise_id: int, kind: str, wanted: Belonged, *, named: Mapping[int, str] | None = None, act: Act
) -> Written:
    """Enter an affiliation that holds or held. Raises NotFound, NotAllowed, InvalidInput (an overlap of its kind …)."""
    row = _editable(enterprise_id, kind, act)
    _check(row, kind, wanted, None, named, act)
    create = Create("affiliation", {"enterprise_id": row.id, "kind": kind, **_columns(kind, wanted)})
    return write([create], act=act, action="record_affiliation", region_id=row.region_id)


def edit_affiliation(
    affiliation_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    named: Mapping[int, str] | None = None,
    act: Act,
) -> Written:
    """End an affiliation or mend it: ``values`` are some of value, starts_on, ends_on; the others stay.

    Edits of different fields merge. Raises like ``record_affiliation``, and Conflict.
    """
    one: Affiliation = visible_record(Affiliation, affiliation_id, act.viewer, "这条归属")
    row = _editable(one.enterprise_id, one.kind, act)
    stored = stored_values(one)
    merged = stored | dict(values)
    _check(row, one.kind, Belonged(merged["value"], merged["starts_on"], merged["ends_on"]), one.id, named, act)
    column = "ref_id" if one.kind in POINTING else "value"
    told = {column if name == "value" else name: _stored(one.kind, name, value) for name, value in values.items()}
    before = None
    if seen is not None:
        before = {column if name == "value" else name: _stored(one.kind, name, value) for name, value in seen.items()}
    return write(
        [Update("affiliation", one.id, told, version, before)],
        act=act,
        action="edit_affiliation",
        region_id=row.region_id,
    )


def withdraw_affiliation(affiliation_id: int, *, version: int, act: Act) -> Written:
    """Take an affiliation that never was out of the file; the history keeps it and it can be undone."""
    one: Affiliation = visible_record(Affiliation, affiliation_id, act.viewer, "这条归属")
    row = _editable(one.enterprise_id, one.kind, act)
    return write(
        [withdraw("affiliation", one.id, version)], act=act, action="withdraw_affiliation", region_id=row.region_id
    )


def may_keep(kind: str, standing: Standing, act_or_viewer: Any) -> bool:
    """Whether the viewer may write affiliations of this kind; who the case manager is, is the bureau's to say."""
    viewer = getattr(act_or_viewer, "viewer", act_or_viewer)
    if kind == "manager":
        return bool(viewer.has_in(standing.region_id, *OFFICE))
    return may_edit(viewer, standing)


def stored_values(one: Affiliation) -> dict[str, Any]:
    """An affiliation by the names a form knows."""
    return {"value": belonging_value(one), "starts_on": one.starts_on, "ends_on": one.ends_on}


def _editable(enterprise_id: int, kind: str, act: Act) -> Enterprise:
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "修改这家企业的归属")
    if kind not in AFFILIATIONS:
        raise InvalidInput({"kind": "没有这种归属。从列表里选。"})
    if not may_keep(kind, standing, act):
        raise NotAllowed("服务专员由业务科室指定，或在交接里改。")
    # Two who enter at once would each see no overlap.
    hold(f"affiliations-{enterprise_id}")
    return row


def _check(
    row: Enterprise, kind: str, wanted: Belonged, own_id: int | None, named: Mapping[int, str] | None, act: Act
) -> None:
    others = [
        Span(one.id, one.starts_on, one.ends_on)
        for one in affiliations_of(row.id)
        if one.kind == kind and one.id != own_id
    ]
    wrong = problems(kind, wanted, others, today=act.effective_on, named=named)
    # A place of the past need not hold today, but it has to be one of the enterprise's own district.
    on = wanted.ends_on or act.effective_on
    if astray := misplaced({kind: wanted.value}, row.region_id, on=on):
        wrong["value"] = next(iter(astray.values()))
    if wrong:
        raise InvalidInput(wrong)


def _columns(kind: str, wanted: Belonged) -> dict[str, Any]:
    pointing = kind in POINTING
    return {
        "ref_id": wanted.value if pointing else None,
        "value": None if pointing else _stored(kind, "value", wanted.value),
        "starts_on": wanted.starts_on,
        "ends_on": wanted.ends_on,
    }


def _stored(kind: str, name: str, value: Any) -> Any:
    if name != "value" or kind in POINTING or value is None:
        return value
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
