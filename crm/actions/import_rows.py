"""What is said of the rows of an imported file: outcomes, problems, and how each sheet was read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from crm.domain.cells import as_text
from crm.domain.changes import Create, Update
from crm.domain.codecs import write_value
from crm.domain.fields import Field
from crm.sheets.column_rules import FILE
from crm.sheets.layouts import SheetLayout, field_behind
from crm.sheets.profiles import Table
from crm.sheets.questions import Question
from crm.sheets.rows import Problem, TypedRow
from crm.store.dictionaries import DICTIONARIES
from crm.store.writer import plain

NEW, CHANGED, SAME, CONFLICT = "new", "changed", "same", "conflict"
DUPLICATE, UNMATCHED, NOT_OURS, ERROR = "duplicate", "unmatched", "not_ours", "error"
# In the order of the report and of the tabs; every data row has exactly one.
OUTCOMES = (NEW, CHANGED, SAME, CONFLICT, DUPLICATE, UNMATCHED, NOT_OURS, ERROR)
WRITTEN = frozenset({NEW, CHANGED})
# With one of these in the file, “all or nothing” writes nothing. Rows of other districts are no fault of the file.
BLOCKING = frozenset({CONFLICT, DUPLICATE, UNMATCHED, ERROR})

# What a person may say of a row that asks, by (sheet, row number).
USE_FILE, KEEP_OURS = "file", "ours"
Decisions = Mapping[tuple[str, int], str]
# What a person may say of a row whose enterprise nothing tells: a new one, not to be written, or the id of the one.
ENTER, LEAVE = "new", "leave"
Placed = Mapping[tuple[str, int], int | str]

_BY_RECORD = frozenset({"region", "person", "park", "carrier"})


@dataclass
class Judged:
    """One data row with its outcome, what it would change (old → new, plain JSON values) and what is wrong with it."""

    position: int
    sheet: str
    noun: str
    row: int
    outcome: str = ERROR
    name: str = ""
    enterprise_id: int | None = None
    matched_by: str | None = None
    diff: dict[str, Any] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)
    changes: list[Create | Update] = field(default_factory=list)
    # Whom it may be about when nothing tells, and what a person said of that.
    candidates: list[dict[str, Any]] = field(default_factory=list)
    placed: int | str | None = None


@dataclass(frozen=True)
class Judgement:
    """A whole file judged. ``counts`` has every outcome; they add up to ``len(rows)``."""

    profile: str
    rows: list[Judged]
    counts: dict[str, int]
    sheets: list[dict[str, Any]]
    questions: list[Question]
    missing: list[dict[str, Any]] | None
    fingerprint: str

    @property
    def blocking(self) -> int:
        """Rows that forbid writing the file as a whole; one that a person left out does not."""
        left = sum(row.outcome == UNMATCHED and row.placed == LEAVE for row in self.rows)
        return sum(self.counts[outcome] for outcome in BLOCKING) - left

    def changes(self) -> list[Create | Update]:
        """Everything the good rows change, in the order of the file."""
        return [change for row in self.rows if row.outcome in WRITTEN for change in row.changes]

    def problems(self) -> list[dict[str, Any]]:
        """What the file leaves open, then the problems of all rows in the order of the file."""
        return [*map(asked, self.questions), *(problem for row in self.rows for problem in row.problems)]

    def report(self, batch: int | None) -> dict[str, Any]:
        """The report of the command ``import`` (product.md, Reports)."""
        found: dict[str, Any] = {"batch": batch, "rows": len(self.rows), **self.counts}
        found["missing_from_file"] = self.missing or []
        found["problems"] = self.problems()
        return found


class Sheet:
    """A table with its rows typed, and where each field stands in it."""

    def __init__(self, table: Table, rows: list[TypedRow]) -> None:
        self.table, self.rows = table, rows
        self.layout: SheetLayout = table.layout
        self.places = {m.column.key: (m.heading, m.letter) for m in table.match.columns}
        self.units = {m.column.key: m.unit for m in table.match.columns if m.column.field.type == "money"}
        # Columns whose words are records or entries of a dictionary.
        self.worded = [
            (m.column.key, m.column.field)
            for m in table.match.columns
            if m.column.field.type in _BY_RECORD or m.column.field.choices in DICTIONARIES
        ]

    def described(self) -> dict[str, Any]:
        """What the preview says about how the sheet was read."""
        match = self.table.match
        units = sorted({m.unit for m in match.columns if m.column.field.type == "money" and m.unit})
        return {
            "name": self.table.sheet.name,
            "noun": self.layout.noun,
            "header_row": self.table.sheet.row_number(match.header_row),
            "rows": len(self.rows),
            "columns": [[m.letter, m.heading, m.column.field.label] for m in match.columns],
            "unknown": [[u.letter, u.heading, u.same_as] for u in match.unknown],
            "units": units,
            "said": [[m.label, said] for m, said in self._said_once()],
            "once": [key for key in self.layout.once if key not in self.places],
            # Columns of which the file does not simply win.
            "rules": [
                [m.heading, m.column.wins]
                for m in match.columns
                if m.column.wins != FILE and m.column.field.noun == self.layout.noun
            ],
            "notes": list(self.table.sheet.notes),
        }

    def _said_once(self) -> list[tuple[Field, str]]:
        """What every row of the sheet says because no column does."""
        match = self.table.match
        return [(field_behind(key), said) for key, said in (*match.given, *match.defaults)]

    def wins(self, key: str) -> str:
        """Whose value stands where a cell of this column differs: FILE, OURS or ASK."""
        column = self.layout.column(key)
        return column.wins if column is not None else FILE

    def problem(
        self, row: int, key: str, value: Any, code: str, message: str, severity: str = "error"
    ) -> dict[str, Any]:
        """A problem in the form of the report; ``key`` is the field it stands in."""
        heading, letter = self.places.get(key, ("", ""))
        if not heading:
            column = self.layout.column(key)
            heading = column.heading if column is not None else ""
        shown = "" if value is None else self._shown(key, value)[:200]
        return problem_of(Problem(self.table.sheet.name, row, heading, letter, shown, code, message, severity))

    def _shown(self, key: str, value: Any) -> str:
        """A value as it stands in the file: a number in the unit of its column, in plain digits."""
        column = self.layout.column(key)
        if not isinstance(value, Decimal) or column is None:
            return str(plain(value))
        return as_text(write_value(column.field, value, unit=self.units.get(key)))


def asked(question: Question) -> dict[str, Any]:
    """An open question in the form of the report: a warning about the header, because no data row was read."""
    return problem_of(
        Problem(question.sheet, question.row, question.label, "", "", "question", question.sentence, "warning")
    )


def problem_of(problem: Problem) -> dict[str, Any]:
    return {
        "sheet": problem.sheet,
        "row": problem.row,
        "column": problem.column,
        "letter": problem.letter,
        "value": problem.value,
        "code": problem.code,
        "message": problem.message,
        "severity": problem.severity,
    }


def fingerprint_of(rows: list[Judged]) -> str:
    """Two judgements with the same fingerprint would do the same to the library."""
    content = [(row.sheet, row.row, row.outcome, row.enterprise_id, row.diff) for row in rows]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
