"""Yearly figures of an enterprise: the same decision for the grid of a form and for a sheet of 10,000 rows."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.rights import may_edit, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.fields import FIELDS, fields_of
from crm.domain.refusals import InvalidInput
from crm.extensions import db
from crm.store.figures import Figures
from crm.store.scope import visible_enterprise
from crm.store.writer import Written, write

CODES = tuple(f.code for f in fields_of("figures"))
# No enterprise of this product has figures from before the plan's first base year.
FIRST_YEAR = 2000


@dataclass(frozen=True)
class FiguresState:
    """What the library holds of one enterprise and year before a decision."""

    id: int
    version: int
    values: Mapping[str, Any]
    confirmed: Mapping[str, Any] = field(default_factory=dict)


def decide(
    state: FiguresState | None,
    enterprise_id: Any,
    year: int,
    values: Mapping[str, Any],
    *,
    key: Hashable = None,
    version: int | None = None,
    seen: Mapping[str, Any] | None = None,
) -> list[Create | Update]:
    """The changes that bring one year to these values: pure. ``values`` are {code: value}; codes not named stay.

    None empties a value, 0 is a value. A confirmation by the enterprise lapses for every value that changes.
    ``enterprise_id`` may be a Ref to an enterprise of the same write.
    """
    own = {code: value for code, value in values.items() if code in CODES}
    if state is None:
        stated = {code: value for code, value in own.items() if value is not None}
        return [Create("figures", {**stated, "enterprise_id": enterprise_id, "year": year}, key)]
    changed = {code: value for code, value in own.items() if state.values.get(code) != value}
    if not changed:
        return []
    left = {code: entry for code, entry in state.confirmed.items() if code not in changed}
    if len(left) != len(state.confirmed):
        changed["confirmed"] = left or None
        # Whoever edits the values did not look at the confirmations, so these never clash.
        seen = None if seen is None else {**seen, "confirmed": dict(state.confirmed) or None}
    return [Update("figures", state.id, changed, version, seen)]


def problems(year: int | None, values: Mapping[str, Any], *, today: date) -> dict[str, str]:
    """What is wrong with the figures of a year, as {code: sentence}; "year" stands for the year itself."""
    wrong: dict[str, str] = {}
    if year is None:
        wrong["year"] = "填年度。"
    elif not FIRST_YEAR <= year <= today.year:
        wrong["year"] = f"年度 {year} 不在 {FIRST_YEAR} 到 {today.year} 之间。核对后改正。"
    for code, value in values.items():
        declared = FIELDS.get(f"figures.{code}")
        if declared is not None and isinstance(value, date):
            if year is not None and value.year != year:
                wrong[code] = f"{declared.label} {value} 不在 {year} 年。改正日期，或填到那一年的指标里。"
            continue
        if declared is None or value is None or isinstance(value, bool | str):
            continue
        if declared.minimum is not None and value < declared.minimum:
            wrong[code] = f"{declared.label} {value} 小于 {declared.minimum}。核对后改正。"
        elif declared.maximum is not None and value > declared.maximum:
            wrong[code] = f"{declared.label} {value} 大于 {declared.maximum:,}。核对后改正。"
    return wrong


def record_figures(
    enterprise_id: int,
    year: int,
    values: Mapping[str, Any],
    *,
    version: int | None = None,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Enter or change the figures of one year. ``version`` and ``seen`` are what the editor saw of an existing year.

    Raises NotFound, NotAllowed, InvalidInput, Conflict; Refused when somebody entered the year meanwhile.
    """
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "填写这家企业的指标")
    wrong = problems(year, values, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    state = state_of(enterprise_id, year)
    changes = decide(state, row.id, year, values, key=("figures", year), version=version, seen=seen)
    return write(changes, act=act, action="record_figures", region_id=row.region_id)


def state_of(enterprise_id: int, year: int) -> FiguresState | None:
    """The state of one year as the database holds it."""
    row = db.session.scalar(
        select(Figures).where(Figures.enterprise_id == enterprise_id, Figures.year == year, ~Figures.deleted)
    )
    if row is None:
        return None
    return FiguresState(row.id, row.version, {code: getattr(row, code) for code in CODES}, row.confirmed or {})
