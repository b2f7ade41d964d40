"""Every row of a file judged against the library before anything is written: eight outcomes, all problems at once."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

from crm.actions import enterprises, figures, qualifications, service_logs
from crm.actions.import_library import Keys, Library, Title, load, missing_from
from crm.actions.import_words import ElsewhereArea, Unknown, Words
from crm.actions.rights import may_edit, may_log, may_record_title
from crm.domain.changes import Create, Ref, Update
from crm.domain.codes import number_warning
from crm.domain.names import normalise_name
from crm.domain.titles import TitleFact
from crm.domain.viewers import Viewer
from crm.sheets.layouts import SheetLayout
from crm.sheets.profiles import Table
from crm.sheets.rows import Problem, TypedRow, typed_rows
from crm.store.dictionaries import DICTIONARIES
from crm.store.writer import plain

NEW, CHANGED, SAME, CONFLICT = "new", "changed", "same", "conflict"
DUPLICATE, UNMATCHED, NOT_OURS, ERROR = "duplicate", "unmatched", "not_ours", "error"
# In the order of the report and of the tabs; every data row has exactly one.
OUTCOMES = (NEW, CHANGED, SAME, CONFLICT, DUPLICATE, UNMATCHED, NOT_OURS, ERROR)
WRITTEN = frozenset({NEW, CHANGED})
# With one of these in the file, “all or nothing” writes nothing. Rows of other districts are no fault of the file.
BLOCKING = frozenset({CONFLICT, DUPLICATE, UNMATCHED, ERROR})

# Cells whose difference is not decided by the file: a person looks. A code that differs may be another enterprise.
ASKED = frozenset({"credit_code"})

# What a person may say of a row that asks, by (sheet, row number).
USE_FILE, KEEP_OURS = "file", "ours"
Decisions = Mapping[tuple[str, int], str]

# How many rows lie between two reports of progress; each costs a transaction.
STEP = 2_000

_NEUTRAL = "这一行不能写入：代码或名称可能有误，也可能不归你管。核对后再传，或交业务科室办理。"
_BY_RECORD = frozenset({"region", "person", "park", "carrier"})

Progress = Callable[[int, int], None]


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


@dataclass(frozen=True)
class Judgement:
    """A whole file judged. ``counts`` has every outcome; they add up to ``len(rows)``."""

    profile: str
    rows: list[Judged]
    counts: dict[str, int]
    sheets: list[dict[str, Any]]
    missing: list[dict[str, str | None]] | None
    fingerprint: str

    @property
    def blocking(self) -> int:
        """Rows that forbid writing the file as a whole."""
        return sum(self.counts[outcome] for outcome in BLOCKING)

    def changes(self) -> list[Create | Update]:
        """Everything the good rows change, in the order of the file."""
        return [change for row in self.rows if row.outcome in WRITTEN for change in row.changes]

    def problems(self) -> list[dict[str, Any]]:
        """The problems of all rows in the order of the file."""
        return [problem for row in self.rows for problem in row.problems]

    def report(self, batch: int | None) -> dict[str, Any]:
        """The report of the command ``import`` (product.md, Reports)."""
        found: dict[str, Any] = {"batch": batch, "rows": len(self.rows), **self.counts}
        found["missing_from_file"] = self.missing or []
        found["problems"] = self.problems()
        return found


def judge(
    tables: Sequence[Table],
    *,
    profile: str,
    viewer: Viewer,
    region_id: int,
    on: date,
    recorded_at: datetime,
    full_list: bool = False,
    decided: Decisions | None = None,
    progress: Progress | None = None,
) -> Judgement:
    """Judge every data row of these tables for one region; reads the library in sets and writes nothing.

    Rows of enterprises are judged first, so that titles, figures and logs may be about enterprises that the same file
    brings. ``on`` is the day from which changes hold; ``decided`` what a person said of rows that asked.
    """
    sheets = [_Sheet(table, list(typed_rows(*table, today=on))) for table in tables]
    total = sum(len(sheet.rows) for sheet in sheets)
    keys, nouns = Keys(), frozenset(sheet.layout.noun for sheet in sheets)
    for sheet in sheets:
        for row in sheet.rows:
            _collect(keys, row.values)
    library = load(keys, region_id=region_id, viewer=viewer, nouns=nouns)
    court = _Court(library, Words(region_id, on), viewer, region_id, on, recorded_at, decided or {})
    judged: list[Judged] = []
    position = {id(sheet): sum(len(other.rows) for other in sheets[:index]) for index, sheet in enumerate(sheets)}
    for sheet in sorted(sheets, key=lambda s: s.layout.noun != "enterprise"):
        one = court.of(sheet)
        for offset, row in enumerate(sheet.rows):
            answer = Judged(position[id(sheet)] + offset, row.sheet, sheet.layout.noun, row.row)
            one(answer, row)
            judged.append(answer)
            if progress is not None and len(judged) % STEP == 0:
                progress(len(judged), total)
    if progress is not None:
        progress(total, total)
    judged.sort(key=lambda answer: answer.position)
    counts = Counter(answer.outcome for answer in judged)
    missing = missing_from(court.spoken_of, region_id=region_id, viewer=viewer) if full_list else None
    return Judgement(
        profile=profile,
        rows=judged,
        counts={outcome: counts[outcome] for outcome in OUTCOMES},
        sheets=[sheet.described() for sheet in sheets],
        missing=missing,
        fingerprint=_fingerprint(judged),
    )


def _fingerprint(rows: list[Judged]) -> str:
    """Two judgements with the same fingerprint would do the same to the library."""
    content = [(row.sheet, row.row, row.outcome, row.enterprise_id, row.diff) for row in rows]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


class _Sheet:
    """A table with its rows typed, and where each field stands in it."""

    def __init__(self, table: Table, rows: list[TypedRow]) -> None:
        self.table, self.rows = table, rows
        self.layout: SheetLayout = table.layout
        self.places = {m.column.key: (m.heading, m.letter) for m in table.match.columns}
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
            "notes": list(self.table.sheet.notes),
        }

    def problem(
        self, row: int, key: str, value: Any, code: str, message: str, severity: str = "error"
    ) -> dict[str, Any]:
        """A problem in the form of the report; ``key`` is the field it stands in."""
        heading, letter = self.places.get(key, ("", ""))
        if not heading:
            column = self.layout.column(key)
            heading = column.heading if column is not None else ""
        shown = "" if value is None else str(plain(value))[:200]
        return _problem(Problem(self.table.sheet.name, row, heading, letter, shown, code, message, severity))


def _problem(problem: Problem) -> dict[str, Any]:
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


@dataclass(frozen=True)
class _Subject:
    """An enterprise as rows speak of it: a record of the library, or one that a row of the same file brings."""

    id: int | None
    key: Hashable
    row: int
    is_good: bool
    name: str

    @property
    def ref(self) -> Any:
        return self.id if self.id is not None else Ref(self.key)


@dataclass(frozen=True)
class _Whom:
    """Whose a row is: the subject and what it was found by, or why none was found."""

    subject: _Subject | None = None
    by: str | None = None
    outcome: str = UNMATCHED
    code: str = ""
    message: str = ""


def _collect(keys: Keys, values: Mapping[str, Any]) -> None:
    if code := values.get("enterprise.credit_code"):
        keys.codes.add(code)
    if number := values.get("enterprise.old_number"):
        keys.numbers.add(number)
    for key in ("enterprise.name", "enterprise.former_name"):
        if name := values.get(key):
            keys.names.add(normalise_name(name))


def _keys_of(values: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    name = values.get("enterprise.name")
    return (
        values.get("enterprise.credit_code"),
        values.get("enterprise.old_number"),
        normalise_name(name) if name else None,
    )


class _Court:
    """Judges rows one after another and remembers what earlier rows of the file said."""

    def __init__(
        self,
        library: Library,
        words: Words,
        viewer: Viewer,
        region_id: int,
        on: date,
        recorded_at: datetime,
        decided: Decisions,
    ) -> None:
        self.library, self.words, self.viewer = library, words, viewer
        self.region_id, self.on, self.recorded_at, self.decided = region_id, on, recorded_at, decided
        self.may_enter = viewer.has_in(region_id, "bureau", "admin", "case_manager")
        self.is_office = viewer.has_in(region_id, "bureau", "admin")
        self.spoken_of: set[int] = set()
        # What the first row with a key was, so that later ones can point at it: keys of enterprises (with the code of
        # that row), enterprises of the library, and keys of titles, years and logs.
        self._first: dict[tuple[str, str], tuple[Judged, str | None]] = {}
        self._claimed: dict[int, Judged] = {}
        self._in_file: dict[tuple[str, str], _Subject] = {}
        self._said: dict[Hashable, Judged] = {}
        self._titles: dict[Hashable, list[TitleFact]] = defaultdict(list)
        self._events: dict[Hashable, Hashable] = {}
        self._authors: dict[str, int] | None = None

    def of(self, sheet: _Sheet) -> Callable[[Judged, TypedRow], None]:
        """The judge of one sheet's rows."""
        judge_row = {
            "enterprise": self._enterprise,
            "qualification": self._qualification,
            "figures": self._figures,
            "service_log": self._service_log,
        }[sheet.layout.noun]
        return partial(self._row, sheet, judge_row)

    def _row(self, sheet: _Sheet, judge_row: Callable, answer: Judged, row: TypedRow) -> None:
        answer.name = row.values.get("enterprise.name") or row.values.get("enterprise.credit_code") or ""
        answer.problems = [_problem(problem) for problem in row.problems]
        elsewhere = self._tie_words(sheet, answer, row)
        if elsewhere is not None:
            answer.outcome, answer.problems = NOT_OURS, []
            return
        judge_row(sheet, answer, row)
        if answer.outcome not in WRITTEN:
            answer.changes = []
            if answer.outcome != CONFLICT:
                answer.diff = {}

    def _tie_words(self, sheet: _Sheet, answer: Judged, row: TypedRow) -> ElsewhereArea | None:
        """Replace words by the records they stand for; answers the other district when the area column names one."""
        for key, declared in sheet.worded:
            word = row.values.get(key)
            if not isinstance(word, str):
                continue
            found = self.words.look_up(declared, word)
            if isinstance(found, ElsewhereArea):
                if key == "enterprise.township":
                    return found
                message = f"“{word[:40]}”不是{self.words.region_name}的乡镇（街道），这一格没有读入。"
                found = Unknown(message, "unknown_choice", stops=False)
            if isinstance(found, Unknown):
                severity = "error" if found.stops else "warning"
                answer.problems.append(sheet.problem(row.row, key, word, found.code, found.message, severity))
                del row.values[key]
            elif found is None:
                del row.values[key]
            else:
                row.values[key] = found
        return None

    # --- whose row it is ----------------------------------------------------------------------------------------

    def _known(self, values: Mapping[str, Any]) -> tuple[int | None, str | None, bool]:
        """(id, found by, more than one fits) in the library: code, else old number, else exact name, now or before."""
        code, number, name = _keys_of(values)
        library = self.library
        if code and code in library.by_code:
            return library.by_code[code], "credit_code", False
        former = values.get("enterprise.former_name")
        for found, by in (
            (library.by_number.get(number) if number else None, "old_number"),
            (library.by_name.get(name) if name else None, "name"),
            (library.by_former_name.get(name) if name else None, "former_name"),
            (library.by_name.get(normalise_name(former)) if former else None, "former_name"),
        ):
            if found:
                return (next(iter(found)), by, False) if len(found) == 1 else (None, by, True)
        return None, None, False

    def _whom(self, values: Mapping[str, Any]) -> _Whom:
        """Whom a title, a year of figures or a log is about."""
        code, number, name = _keys_of(values)
        if code and code not in self.library.by_code and ("code", code) in self._in_file:
            return self._of_file(self._in_file["code", code])
        enterprise_id, by, several = self._known(values)
        if several:
            return _Whom(outcome=ERROR, code="ambiguous", message="库里有不止一家企业对得上这一行。补上信用代码。")
        if enterprise_id is not None:
            if enterprise_id not in self.library.visible:
                return _Whom(outcome=ERROR, code="not_available", message=_NEUTRAL)
            state = self.library.states[enterprise_id]
            own = state.values.get("credit_code")
            if code and own and own != code:
                message = "名称对得上库里的企业，信用代码却不同。核对是哪一家后改正。"
                return _Whom(outcome=ERROR, code="code_differs", message=message)
            self.spoken_of.add(enterprise_id)
            return _Whom(_Subject(enterprise_id, ("id", enterprise_id), 0, True, state.values["name"]), by)
        for key in (("number", number), ("name", name)):
            if key[1] and (subject := self._in_file.get(key)) is not None:
                return self._of_file(subject)
        return _Whom(code="unmatched", message="库里没有这家企业。先在企业表里加上，或核对代码和名称。")

    def _of_file(self, subject: _Subject) -> _Whom:
        if not subject.is_good:
            message = f"这家企业在企业表第 {subject.row} 行，那一行不会写入。先改好那一行。"
            return _Whom(outcome=ERROR, code="enterprise_row_wrong", message=message)
        return _Whom(subject, "file")

    def _place(self, sheet: _Sheet, answer: Judged, row: TypedRow) -> _Subject | None:
        """The subject of a row that hangs on an enterprise; without one the row has its outcome already."""
        has_key = any(_keys_of(row.values))
        if row.has_errors and not has_key:
            return None
        whom = self._whom(row.values)
        answer.matched_by = whom.by
        if whom.subject is None:
            wrong = any(problem["severity"] == "error" for problem in answer.problems)
            answer.outcome = ERROR if wrong else whom.outcome
            key, value = self._key_cell(row)
            answer.problems.append(sheet.problem(row.row, key, value, whom.code, whom.message))
            return None
        answer.enterprise_id, answer.name = whom.subject.id, whom.subject.name
        return whom.subject

    @staticmethod
    def _key_cell(row: TypedRow) -> tuple[str, Any]:
        for key in ("enterprise.credit_code", "enterprise.old_number", "enterprise.name"):
            if row.values.get(key):
                return key, row.values[key]
        return "enterprise.name", ""

    def _fail(self, sheet: _Sheet, answer: Judged, key: str, value: Any, code: str, message: str) -> None:
        answer.problems.append(sheet.problem(answer.row, key, value, code, message))
        answer.outcome = ERROR

    def _has_errors(self, answer: Judged) -> bool:
        return any(problem["severity"] == "error" for problem in answer.problems)

    def _is_repeated(self, sheet: _Sheet, answer: Judged, key: Hashable, cell: tuple[str, Any], what: str) -> bool:
        """Whether an earlier row has this key; the later one is the duplicate."""
        first = self._said.setdefault(key, answer)
        if first is answer:
            return False
        self._repeats(sheet, answer, first, cell, what)
        return True

    def _repeats(self, sheet: _Sheet, answer: Judged, first: Judged, cell: tuple[str, Any], what: str) -> None:
        where = f"第 {first.row} 行" if first.sheet == answer.sheet else f"“{first.sheet}”第 {first.row} 行"
        message = f"与{where}{what}。留一行，删掉另一行。"
        answer.problems.append(sheet.problem(answer.row, *cell, "duplicate", message))
        answer.outcome = DUPLICATE

    # --- enterprises --------------------------------------------------------------------------------------------

    def _enterprise(self, sheet: _Sheet, answer: Judged, row: TypedRow) -> None:
        values = row.values
        key = ("enterprise", answer.position)
        if self._repeats_a_row(sheet, answer, values):
            return
        enterprise_id, by, several = self._known(values)
        said = values.get("enterprise.credit_code")
        if enterprise_id is not None and self._is_other_code(enterprise_id, by, values):
            decision = self.decided.get((row.sheet, row.row))
            if decision is None:
                self._differs_in_code(sheet, answer, enterprise_id, by, values)
                return
            if decision == KEEP_OURS:
                del values["enterprise.credit_code"]
        if enterprise_id is not None:
            first = self._claimed.setdefault(enterprise_id, answer)
            if first is not answer:
                self._repeats(sheet, answer, first, self._key_cell(row), "是同一家企业")
                return
            self.spoken_of.add(enterprise_id)
        self._judge_enterprise(sheet, answer, row, key, enterprise_id, by, several)
        subject = _Subject(answer.enterprise_id, key, answer.row, answer.outcome in (NEW, CHANGED, SAME), answer.name)
        _, number, name = _keys_of(values)
        # Titles and figures of the same file name the firm by the code that the file has.
        for kind, value in (("code", said), ("number", number), ("name", name)):
            if value:
                self._in_file.setdefault((kind, value), subject)

    def _repeats_a_row(self, sheet: _Sheet, answer: Judged, values: Mapping[str, Any]) -> bool:
        code, number, name = _keys_of(values)
        for kind, value, field_key, said in (
            ("code", code, "enterprise.credit_code", "信用代码相同"),
            ("number", number, "enterprise.old_number", "注册号相同"),
            ("name", name, "enterprise.name", "名称相同"),
        ):
            if not value:
                continue
            earlier = self._first.get((kind, value))
            # Two different codes are two enterprises, whatever their names.
            if earlier is not None and (kind == "code" or not code or not earlier[1]):
                self._repeats(sheet, answer, earlier[0], (field_key, values.get(field_key)), said)
                return True
        for kind, value in (("code", code), ("number", number), ("name", name)):
            if value:
                self._first.setdefault((kind, value), (answer, code))
        return False

    def _is_other_code(self, enterprise_id: int, by: str | None, values: Mapping[str, Any]) -> bool:
        if by == "credit_code" or enterprise_id not in self.library.visible:
            return False
        own, said = self.library.states[enterprise_id].values.get("credit_code"), values.get("enterprise.credit_code")
        return bool(own and said and own != said)

    def _differs_in_code(self, sheet: _Sheet, answer: Judged, enterprise_id: int, by: str | None, values) -> None:
        state = self.library.states[enterprise_id]
        own, said = state.values["credit_code"], values["enterprise.credit_code"]
        answer.enterprise_id, answer.matched_by, answer.name = enterprise_id, by, state.values["name"]
        answer.diff = {"enterprise.credit_code": [own, said]}
        self.spoken_of.add(enterprise_id)
        message = f"名称相同，库里的代码是 {own}，表里是 {said}。核对营业执照后，选用表里的或留本库的。"
        answer.problems.append(
            sheet.problem(answer.row, "enterprise.credit_code", said, "code_differs", message, "warning")
        )
        answer.outcome = ERROR if self._has_errors(answer) else CONFLICT

    def _judge_enterprise(
        self,
        sheet: _Sheet,
        answer: Judged,
        row: TypedRow,
        key: Hashable,
        enterprise_id: int | None,
        by: str | None,
        several: bool,
    ) -> None:
        values = row.values
        cell = self._key_cell(row)
        if several:
            self._fail(sheet, answer, *cell, "ambiguous", "库里有不止一家企业对得上这一行。补上信用代码。")
            return
        if enterprise_id is not None:
            if enterprise_id not in self.library.visible:
                self._fail(sheet, answer, *cell, "not_available", _NEUTRAL)
                return
            answer.enterprise_id, answer.matched_by = enterprise_id, by
            if not may_edit(self.viewer, self.library.standings[enterprise_id]):
                message = "这家企业不是你负责的，你的授权不含修改它。交负责的服务专员或业务科室办理。"
                self._fail(sheet, answer, *cell, "not_allowed", message)
                return
        elif not self.may_enter:
            self._fail(sheet, answer, *cell, "not_allowed", "你的授权不含新增企业。交业务科室办理。")
            return
        state = self.library.states[enterprise_id] if enterprise_id is not None else None
        stated = {name.removeprefix("enterprise."): value for name, value in values.items()}
        for code, sentence in enterprises.problems(
            {name: value for name, value in stated.items() if name == "registered_on"}, today=self.on
        ).items():
            self._fail(sheet, answer, f"enterprise.{code}", stated.get(code), "impossible", sentence)
        if state is None:
            self._new_enterprise(sheet, answer, row, key, stated)
        else:
            self._known_enterprise(sheet, answer, row, state, stated)

    def _new_enterprise(self, sheet: _Sheet, answer: Judged, row: TypedRow, key: Hashable, stated: dict) -> None:
        if not stated.get("name") and any(_keys_of(row.values)):
            message = "库里没有这个代码，新增要有企业名称。补上名称，或核对代码。"
            missing = sheet.problem(answer.row, "enterprise.name", "", "missing", message)
            if missing["column"] not in {problem["column"] for problem in answer.problems}:
                answer.problems.append(missing)
        if self._has_errors(answer):
            answer.outcome = ERROR
            return
        answer.diff = {f"enterprise.{code}": plain(value) for code, value in stated.items()}
        if not self.is_office:
            # What a case manager enters is theirs, as on the form.
            stated["manager"] = self.viewer.user_id
        answer.outcome = NEW
        answer.changes = enterprises.decide(None, stated, region_id=self.region_id, on=self.on, key=key)

    def _known_enterprise(self, sheet: _Sheet, answer: Judged, row: TypedRow, state, stated: dict[str, Any]) -> None:
        answer.name = state.values["name"]
        for key in row.cleared:
            stated[key.removeprefix("enterprise.")] = None
        changed: dict[str, Any] = {}
        for code, value in stated.items():
            if code == "name":
                if normalise_name(value) == normalise_name(state.values["name"]):
                    continue
                if normalise_name(value) in state.former_names:
                    message = f"“{value}”是曾用名，现名是“{state.values['name']}”。名称没有改动。"
                    answer.problems.append(
                        sheet.problem(answer.row, "enterprise.name", value, "former_name", message, "warning")
                    )
                    continue
                changed[code], answer.diff["enterprise.name"] = value, [state.values["name"], value]
            elif code == "former_name":
                key = normalise_name(value) if value else None
                if key and key not in state.former_names and key != normalise_name(state.values["name"]):
                    changed[code], answer.diff["enterprise.former_name"] = value, [None, value]
            elif code == "old_number":
                if value and value not in state.old_numbers:
                    changed[code], answer.diff["enterprise.old_number"] = value, [None, value]
            else:
                before = state.value(code)
                if before != value:
                    changed[code] = value
                    answer.diff[f"enterprise.{code}"] = [plain(before), plain(value)]
        if self._has_errors(answer):
            answer.outcome = ERROR
        elif not changed:
            answer.outcome = SAME
        else:
            answer.outcome = CHANGED
            answer.changes = enterprises.decide(
                state, changed, region_id=self.region_id, on=self.on, version=state.version
            )

    # --- titles -------------------------------------------------------------------------------------------------

    def _qualification(self, sheet: _Sheet, answer: Judged, row: TypedRow) -> None:
        subject = self._place(sheet, answer, row)
        if subject is None:
            return
        stated = {k.removeprefix("qualification."): v for k, v in row.values.items() if k.startswith("qualification.")}
        kind = stated.get("kind")
        if not kind:
            answer.outcome = ERROR
            return
        fact = qualifications.fact_of(stated)
        cell = ("qualification.kind", kind)
        if self._is_repeated(sheet, answer, (subject.key, *_title_key(fact)), cell, "是同一项资格"):
            return
        if subject.id is not None and not may_record_title(self.viewer, self.library.standings[subject.id], kind):
            self._fail(sheet, answer, *cell, "not_allowed", "你的授权不含登记这家企业的这种资格。交业务科室办理。")
            return
        if number := stated.get("number"):
            doubt = number_warning(kind, number)
            if doubt:
                answer.problems.append(
                    sheet.problem(answer.row, "qualification.number", number, "number_doubted", doubt, "warning")
                )
        recorded = self.library.titles.get(subject.id, []) if subject.id is not None else []
        existing = next((title for title in recorded if _is_same_title(title.fact, fact)), None)
        others = [title.fact for title in recorded if existing is None or title.fact.id != existing.fact.id]
        others += self._titles[subject.key]
        merged = stated if existing is None else {**existing.values, **stated}
        for code, sentence in qualifications.problems(merged, others, today=self.on).items():
            self._fail(sheet, answer, f"qualification.{code}", merged.get(code), "title_impossible", sentence)
        if self._has_errors(answer):
            answer.outcome = ERROR
            return
        if existing is None:
            answer.diff = {f"qualification.{code}": plain(value) for code, value in stated.items()}
            answer.outcome = NEW
            answer.changes = list(qualifications.decide_new(subject.ref, stated, recorded_at=self.recorded_at))
            self._titles[subject.key].append(fact)
        else:
            self._known_title(answer, existing, stated)

    def _known_title(self, answer: Judged, existing: Title, stated: Mapping[str, Any]) -> None:
        """What was blank is filled in; what differs is a correction: the old fact is kept as superseded."""
        differing = {code: value for code, value in stated.items() if existing.values.get(code) != value}
        if not differing:
            answer.outcome = SAME
            return
        answer.diff = {
            f"qualification.{code}": [plain(existing.values.get(code)), plain(value)]
            for code, value in differing.items()
        }
        answer.outcome = CHANGED
        row_id = existing.fact.id
        assert row_id is not None
        if all(existing.values.get(code) is None for code in differing):
            answer.changes = [Update("qualification", row_id, differing, existing.version)]
            return
        key = ("corrected", row_id)
        merged = {**existing.values, **stated}
        [create] = qualifications.decide_new(answer.enterprise_id, merged, recorded_at=self.recorded_at)
        superseded = {"superseded_at": self.recorded_at, "superseded_by_id": Ref(key)}
        answer.changes = [
            Create(create.noun, create.values, key),
            Update("qualification", row_id, superseded, existing.version),
        ]

    # --- figures ------------------------------------------------------------------------------------------------

    def _figures(self, sheet: _Sheet, answer: Judged, row: TypedRow) -> None:
        subject = self._place(sheet, answer, row)
        if subject is None:
            return
        year = row.values.get("figures.year")
        if year is None:
            answer.outcome = ERROR
            return
        cell = ("figures.year", year)
        if self._is_repeated(sheet, answer, (subject.key, "figures", year), cell, "是同一家企业的同一年"):
            return
        if subject.id is not None and not may_edit(self.viewer, self.library.standings[subject.id]):
            message = "这家企业不是你负责的，你的授权不含填写它的指标。交负责的服务专员或业务科室办理。"
            self._fail(sheet, answer, *cell, "not_allowed", message)
            return
        stated = {
            k.removeprefix("figures."): v
            for k, v in row.values.items()
            if k.startswith("figures.") and k != "figures.year"
        }
        for code, sentence in figures.problems(year, stated, today=self.on).items():
            shown = year if code == "year" else stated.get(code)
            self._fail(sheet, answer, f"figures.{code}", shown, "impossible", sentence)
        if self._has_errors(answer):
            answer.outcome = ERROR
            return
        state = self.library.figures.get((subject.id, year)) if subject.id is not None else None
        if state is None:
            if not stated:
                self._fail(sheet, answer, *cell, "no_values", "这一行只有年度，没有任何指标。填上指标，或删掉这一行。")
                return
            answer.outcome = NEW
            answer.diff = {"figures.year": year, **{f"figures.{code}": plain(v) for code, v in stated.items()}}
            answer.changes = figures.decide(None, subject.ref, year, stated)
            return
        stated |= {key.removeprefix("figures."): None for key in row.cleared if key.startswith("figures.")}
        differing = {code: value for code, value in stated.items() if state.values.get(code) != value}
        answer.outcome = CHANGED if differing else SAME
        answer.diff = {
            f"figures.{code}": [plain(state.values.get(code)), plain(value)] for code, value in differing.items()
        }
        answer.changes = figures.decide(state, subject.id, year, differing, version=state.version)

    # --- service logs -------------------------------------------------------------------------------------------

    def _service_log(self, sheet: _Sheet, answer: Judged, row: TypedRow) -> None:
        subject = self._place(sheet, answer, row)
        if subject is None:
            return
        stated = {k.removeprefix("service_log."): v for k, v in row.values.items() if k.startswith("service_log.")}
        happened_on, text = stated.get("happened_on"), stated.get("text")
        cell = ("service_log.text", text)
        if happened_on and text:
            key = (subject.key, "log", happened_on, text)
            if self._is_repeated(sheet, answer, key, cell, "是同一条服务记录"):
                return
        if subject.id is not None and not may_log(self.viewer, self.library.standings[subject.id]):
            message = "你的授权不含给这家企业记服务。交负责的服务专员办理。"
            self._fail(sheet, answer, *self._key_cell(row), "not_allowed", message)
            return
        told = {problem["column"] for problem in answer.problems}
        for code, sentence in service_logs.problems(stated, today=self.on).items():
            problem = sheet.problem(answer.row, f"service_log.{code}", stated.get(code), "impossible", sentence)
            if problem["column"] not in told:
                answer.problems.append(problem)
        if self._has_errors(answer):
            answer.outcome = ERROR
            return
        if subject.id is not None and (subject.id, happened_on, text) in self.library.logs:
            answer.outcome = SAME
            return
        answer.outcome = NEW
        answer.diff = {f"service_log.{code}": plain(value) for code, value in stated.items()}
        # The same event on several rows is one event of several enterprises.
        event = tuple(stated.get(code) for code in service_logs.CODES)
        if event in self._events:
            answer.changes = [service_logs.link(self._events[event], subject.ref)]
            return
        key = self._events.setdefault(event, ("service_log", answer.position))
        answer.changes = list(
            service_logs.decide(
                stated,
                [subject.ref],
                region_id=self.region_id,
                author_id=self._author(stated.get("author_name")),
                imported=True,
                key=key,
            )
        )

    def _author(self, name: str | None) -> int | None:
        if not name:
            return None
        if self._authors is None:
            self._authors = service_logs.authors(self.region_id)
        return self._authors.get(name)


def _start(fact: TitleFact) -> date | None:
    return fact.valid_from or fact.issued_on or fact.announced_on or fact.publicity_on


def _title_key(fact: TitleFact) -> tuple[Any, ...]:
    return (fact.kind, fact.number, _start(fact), fact.cohort_year if _start(fact) is None else None)


def _is_same_title(recorded: TitleFact, said: TitleFact) -> bool:
    """Whether a row speaks of a title already recorded: same kind, numbers that do not differ, and the same beginning.

    A row that says no day is the same title when number or year of recognition agree.
    """
    if recorded.kind != said.kind or (recorded.number and said.number and recorded.number != said.number):
        return False
    ours, theirs = _start(recorded), _start(said)
    if ours is not None and theirs is not None:
        days = ("valid_from", "issued_on", "announced_on", "publicity_on")
        return any(getattr(said, name) is not None and getattr(recorded, name) == getattr(said, name) for name in days)
    if recorded.number and said.number:
        return True
    return said.cohort_year is not None and recorded.cohort_year == said.cohort_year
