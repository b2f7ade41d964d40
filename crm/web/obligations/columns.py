"""The columns of the due list behind the deadline and the enterprise: what they are called, and what stands in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.actions.obligations import assignees, may_settle
from crm.domain import words
from crm.domain.cadences import NEXT_STEP, REQUEST
from crm.domain.kinds import KINDS, POOL_KIND, STATES
from crm.domain.viewers import Viewer
from crm.store.enterprise_rows import shown as seal_shown
from crm.store.obligation_lists import WAITING, Row
from crm.store.standings import STATE_COLUMNS
from crm.web import reference
from crm.web.doors import today
from crm.web.lists import Column, by_key

COLUMNS: dict[str, Column] = by_key(
    Column("kind", "事项", sort="kind"),
    Column("owner", "负责人", sort="owner"),
    Column("manager", "专员", sort="manager"),
    Column("steps", "步骤"),
    Column("township", "乡镇（考核）", sort="township"),
    Column("state", "状态"),
    Column("reason", "说明"),
    Column("opens", "开始", sort="opens", kind="date"),
    Column("titles", "资格"),
    Column("code", "统一社会信用代码", kind="code"),
)
# Whose they are goes without saying in the own list.
USUAL_MINE = ("kind", "owner", "steps")
USUAL = ("kind", "owner", "township")
SORT_WORDS = {"due": "期限", "name": "企业"} | {c.sort: c.head for c in COLUMNS.values() if c.sort}
# What is edited where it stands: the field of the editor, by the column it stands in.
EDITABLE = ("due", "owner")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: ``key`` says how it is drawn, ``text`` what stands in it; ``edits``: whether it opens an editor."""

    key: str
    text: str = ""
    edits: bool = False


@dataclass(frozen=True)
class Line:
    """One row of the list with its cells; ``edits``: whether its deadline and its owner may be changed."""

    row: Row
    cells: tuple[Cell, ...]
    edits: bool


def names_for(rows: Sequence[Row], person: Viewer) -> dict[str, dict[int, str]]:
    """Names behind the ids of these rows and of the filters, read once per page."""
    # Not the name behind an id in the address: it may be somebody's of another district.
    managers = {u.id: u.name for u in reference.managers(person, today())}
    return {
        "townships": {r.id: r.name for r in reference.townships(person)},
        "people": managers | reference.people({i for row in rows for i in (row.manager_id, row.owner_id)}),
    }


def lines(
    rows: Sequence[Row], keys: Sequence[str], names: Mapping[str, dict[int, str]], person: Viewer, now: datetime
) -> list[Line]:
    """The rows as they are drawn for this viewer."""
    found = []
    for row in rows:
        edits = row.state in WAITING and may_settle(person, row, kind=row.kind, owner_id=row.owner_id)
        cells = (Cell(key, _said(key, row, names, now), edits and key in EDITABLE) for key in keys)
        found.append(Line(row, tuple(cells), edits))
    return found


def seals(row: Row) -> dict[str, str]:
    """The titles of the enterprise that a seal shows, with their states."""
    return {kind: getattr(row, kind) for kind in STATE_COLUMNS if seal_shown(kind, getattr(row, kind))}


def state_of(row: Row, now: datetime) -> str:
    """The state as of now: what the night found open may be late by noon."""
    return "overdue" if row.state in WAITING and row.due_at < now else str(row.state)


def exporter(keys: Sequence[str], names: Mapping[str, dict[int, str]], now: datetime) -> Callable[[Row], list[Any]]:
    """A function from a row to its chosen cells in a file."""
    return lambda row: [row.opens_on if key == "opens" else _said(key, row, names, now) for key in keys]


def _said(key: str, row: Row, names: Mapping[str, dict[int, str]], now: datetime) -> str:
    match key:
        case "kind":
            return kind_of(row)
        case "owner":
            return names["people"].get(row.owner_id or 0, "")
        case "manager":
            return names["people"].get(row.manager_id or 0, "")
        case "township":
            return names["townships"].get(row.township_id or 0, "")
        case "steps":
            waits = row.state in WAITING and row.kind not in (NEXT_STEP, REQUEST)
            return f"{len(row.steps)} 步" if row.steps and waits else ""
        case "state":
            return words.OBLIGATION_STATES[state_of(row, now)]
        case "reason":
            return str(row.reason)
        case "opens":
            return words.day(row.opens_on, today())
        case "code":
            return row.credit_code or ""
    named = ((KINDS.get(kind) or POOL_KIND, STATES.get(state, "在库")) for kind, state in seals(row).items())
    return "；".join(f"{kind.short} {state}" for kind, state in named)


def kind_of(row: Row) -> str:
    """What is due, in words: a promise and a request with their text."""
    kind = words.OBLIGATION_KINDS.get(row.kind, row.kind)
    said = f"：{row.steps[0]}" if row.kind in (NEXT_STEP, REQUEST) and row.steps else ""
    return f"{kind}{said}{'（预计）' if row.expected and row.state in WAITING else ''}"


def assignees_of(row: Row) -> dict[int, str]:
    """To whom this may be given, with who does it now."""
    return reference.people([row.owner_id]) | assignees(row.region_id, today())
