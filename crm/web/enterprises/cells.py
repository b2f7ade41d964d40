"""Lines of the list as drawn: the words of each cell, cut to what may be read of that enterprise, and its editor."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from crm.actions.rights import may_edit
from crm.domain import words
from crm.domain.kinds import KINDS, POOL_KIND, RUNGS, STATES
from crm.domain.viewers import PUBLIC, Viewer
from crm.store.enterprise_rows import Row
from crm.web import reference
from crm.web.doors import today
from crm.web.enterprises.columns import COLUMNS, EDITABLE, Column, is_number

_NO_EDITOR = Markup("")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: ``key`` says how it is drawn, ``text`` what stands in it ("" is unknown); ``edit`` opens its editor."""

    key: str
    text: str = ""
    edit: Markup = _NO_EDITOR
    css: str = "nw"


@dataclass(frozen=True)
class Line:
    """One row of the list with its cells."""

    row: Row
    cells: tuple[Cell, ...]


_EDITOR = {code: Markup(' data-cell="{}"').format(code) for code in EDITABLE}
_HIDDEN = Cell("hidden")

# What the template draws in a way of its own.
DRAWN = frozenset({"code", "titles", "due", "contact", "manager", "rung", "expiry"})


def names_for(rows: Iterable[Row], person: Viewer) -> dict[str, Mapping[Any, str]]:
    """Names behind ids and dictionary codes for these rows, read once per page."""
    return {
        "townships": {r.id: r.name for r in reference.townships(person)},
        "people": {u.id: u.name for u in reference.managers(person, today())}
        | reference.people(r.manager_id for r in rows),
        "industries": reference.words_of("featured_industry", person),
    }


def lines(
    rows: Iterable[Row], columns: tuple[str, ...], names: Mapping[str, Mapping[Any, str]], person: Viewer
) -> list[Line]:
    """The rows as they are drawn for this viewer."""
    drawers = [(COLUMNS[key], _words_for(COLUMNS[key], names, person)) for key in columns]
    found = []
    for row in rows:
        classes = person.classes_over(row)
        editable = editable_codes(row, person, classes) if may_edit(person, row) else frozenset[str]()
        found.append(Line(row, tuple(_cell(row, c, said, classes, editable) for c, said in drawers)))
    return found


def editable_codes(row: Row, person: Viewer, classes: frozenset[str]) -> frozenset[str]:
    """The fields this viewer may change of an enterprise that they may edit: who manages it, only the office says."""
    office = person.has_in(row.region_id, "bureau", "admin")
    return _EDITED if office and len(classes) > 1 else _edited_by_others(classes, office)


def _edited_by_others(classes: frozenset[str], office: bool) -> frozenset[str]:
    return frozenset(
        c.code for c in COLUMNS.values() if c.code and c.edits and c.cls in classes and (office or c.code != "manager")
    )


_EDITED = frozenset(c.code for c in COLUMNS.values() if c.code and c.edits)


def _cell(row: Row, column: Column, said: Any, classes: frozenset[str], editable: frozenset[str]) -> Cell:
    if column.cls != PUBLIC and column.cls not in classes:
        return _HIDDEN
    edit = _EDITOR[column.code] if column.code and column.code in editable else _NO_EDITOR
    if column.key in DRAWN:
        return Cell(column.key, "", edit)
    return Cell("text", said(row), edit, _css(column))


@cache
def _css(column: Column) -> str:
    field = column.field
    if field is not None and (field.type == "long_text" or (field.length or 0) > 100):
        return "long"
    return "n" if is_number(column) else "nw"


def _words_for(column: Column, names: Mapping[str, Mapping[Any, str]], person: Viewer) -> Any:
    """A function from a row to the words of a column; "" where nothing is known."""
    field = column.field
    if field is None:
        return lambda row: ""
    code = field.code
    if field.type == "money":
        return lambda row: words.money(row.value(code)) if row.value(code) is not None else ""
    known: Mapping[Any, str] | None = {
        "region": names["townships"],
        "person": names["people"],
        "park": reference.parks(person) if field.type == "park" else {},
        "carrier": reference.carriers(person) if field.type == "carrier" else {},
    }.get(field.type)
    if field.choices == "featured_industry":
        known = names["industries"]

    def say(row: Row) -> str:
        content = row.value(code)
        return words.value(field, content, known) if content not in (None, "") else ""

    if known is not None and field.type != "choice":
        return lambda row: known.get(row.value(code), "")
    return say


def exporter(
    columns: Sequence[str], names: Mapping[str, Mapping[Any, str]], person: Viewer
) -> Callable[[Row], list[Any]]:
    """A function from a row to its line in a file; None where this viewer may not read it of that enterprise."""
    chosen = [COLUMNS[key] for key in columns]
    values = [_value_for(column, names, person) for column in chosen]
    if all(column.cls == PUBLIC for column in chosen):
        return lambda row: [value(row) for value in values]

    def line(row: Row) -> list[Any]:
        classes = person.classes_over(row)
        return [v(row) if c.cls == PUBLIC or c.cls in classes else None for c, v in zip(chosen, values, strict=True)]

    return line


def _value_for(column: Column, names: Mapping[str, Mapping[Any, str]], person: Viewer) -> Callable[[Row], Any]:
    own: dict[str, Callable[[Row], Any]] = {
        "code": lambda row: row.credit_code,
        "titles": lambda row: _titles_in_words(row.states),
        "due": lambda row: words.local(row.next_due_at).date() if row.next_due_at else None,
        "contact": lambda row: row.last_contact_on,
        "rung": lambda row: RUNGS[row.rung],
        "expiry": lambda row: row.next_expiry_on,
    }
    if column.key in own:
        return own[column.key]
    field = column.field
    if field is not None and field.type in ("date", "money"):
        code = field.code
        return lambda row: row.value(code)
    return _words_for(column, names, person)


def _titles_in_words(states: Mapping[str, str]) -> str:
    named = [(KINDS.get(kind) or POOL_KIND, STATES.get(state, "在库")) for kind, state in states.items()]
    return "；".join(f"{kind.short} {state}" for kind, state in named)


def heading(column: Column) -> tuple[str, str]:
    """(heading, type) of a column in a file."""
    field = column.field
    if column.key == "code":
        return column.head, "code"
    if column.key in ("due", "contact", "expiry"):
        return column.head, "date"
    if field is not None and field.type in ("date", "money"):
        return field.label, field.type
    return column.head, "text"
