"""Yearly figures of an enterprise: the same decision for the grid of a form and for a sheet of 10,000 rows."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.rights import may_edit, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, merge
from crm.domain.fields import FIELDS, fields_of
from crm.domain.refusals import SAME_FIELD, Conflict, InvalidInput, Refused
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


@dataclass(frozen=True)
class YearEdit:
    """New values of one year, with the version and the values that the editor saw of it (None: what is stored)."""

    values: Mapping[str, Any]
    version: int | None = None
    seen: Mapping[str, Any] | None = None


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


def record_figures_grid(enterprise_id: int, years: Mapping[int, YearEdit], *, act: Act) -> Written:
    """Enter or change the figures of several years at once, as one change set: a cell of the grid, or a pasted block.

    Problems and clashes are named by cell, ``{"2025.revenue": …}``. Raises NotFound, NotAllowed, InvalidInput,
    Conflict; nothing is written when one cell is refused.
    """
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "填写这家企业的指标")
    wrong = {
        f"{year}.{code}": sentence
        for year, edit in years.items()
        for code, sentence in problems(year, edit.values, today=act.effective_on).items()
    }
    if wrong:
        raise InvalidInput(wrong)
    states = states_of(enterprise_id, years, lock=True)
    changes: list[Create | Update] = []
    clashes: dict[str, tuple[Any, Any, Any]] = {}
    for year, edit in sorted(years.items()):
        state = states.get(year)
        values = {code: value for code, value in edit.values.items() if code in CODES}
        if state is not None:
            values, clash = merge(
                Update("figures", state.id, values, edit.version, edit.seen), state.values, state.version
            )
            clashes |= {f"{year}.{code}": sides for code, sides in clash.items()}
        elif not any(value is not None for value in values.values()):
            continue
        if values:
            changes += decide(state, row.id, year, values, key=("figures", year))
    if clashes:
        raise Conflict(SAME_FIELD, clashes)
    return write(changes, act=act, action="record_figures", region_id=row.region_id)


def confirm_figures(
    enterprise_id: int, cells: Mapping[tuple[int, str], Any], *, by: str, on: date, act: Act
) -> Written:
    """Record that the enterprise confirmed figures: ``cells`` are {(year, code): the value that was confirmed}.

    ``by`` is who of the enterprise said so, ``on`` the day. A confirmation lapses when its value changes. Raises
    NotFound, NotAllowed, InvalidInput; Refused when a value is blank or is no longer the one that was looked at.
    """
    on_the_day = {"by": by.strip(), "at": on.isoformat()}
    wrong = {}
    if not on_the_day["by"]:
        wrong["by"] = "填企业哪位确认的。"
    elif len(on_the_day["by"]) > 60:
        wrong["by"] = "确认人不超过 60 个字。"
    if on > act.effective_on:
        wrong["on"] = f"{on} 还没到。填企业确认的那天。"
    if wrong:
        raise InvalidInput(wrong)
    return _set_confirmations(enterprise_id, cells, on_the_day, "confirm_figures", act)


def unconfirm_figures(enterprise_id: int, cells: Mapping[tuple[int, str], Any], *, act: Act) -> Written:
    """Take confirmations back that were recorded by mistake. Raises like ``confirm_figures``."""
    return _set_confirmations(enterprise_id, cells, None, "unconfirm_figures", act)


def _set_confirmations(
    enterprise_id: int, cells: Mapping[tuple[int, str], Any], said: dict[str, str] | None, action: str, act: Act
) -> Written:
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "登记企业对指标的确认")
    if not cells:
        raise Refused("没有选中数。勾上企业确认过的再登记。")
    states = states_of(enterprise_id, {year for year, _ in cells}, lock=True)
    moved = [
        f"{year} 年{FIELDS[f'figures.{code}'].label}"
        for (year, code), value in cells.items()
        if code not in CODES or year not in states or value is None or states[year].values[code] != value
    ]
    if moved:
        raise Refused(f"{'、'.join(moved[:5])}{' 等' if len(moved) > 5 else ''}刚改过，没有登记。看过新的数再登记。")
    changes = []
    for year in sorted({year for year, _ in cells}):
        state = states[year]
        codes = [code for y, code in cells if y == year]
        left = {code: entry for code, entry in state.confirmed.items() if code not in codes}
        confirmed = left | (dict.fromkeys(codes, said) if said is not None else {})
        changes.append(Update("figures", state.id, {"confirmed": confirmed or None}))
    return write(changes, act=act, action=action, region_id=row.region_id)


def state_of(enterprise_id: int, year: int) -> FiguresState | None:
    """The state of one year as the database holds it."""
    return states_of(enterprise_id, (year,)).get(year)


def states_of(enterprise_id: int, years: Iterable[int], *, lock: bool = False) -> dict[int, FiguresState]:
    """The states of these years as the database holds them; ``lock``: nobody changes them until this write is done."""
    query = select(Figures).where(
        Figures.enterprise_id == enterprise_id, Figures.year.in_(list(years)), ~Figures.deleted
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return {
        row.year: FiguresState(row.id, row.version, {code: getattr(row, code) for code in CODES}, row.confirmed or {})
        for row in db.session.scalars(query)
    }
