"""Whose a row of an imported file is, and what earlier rows of the same file said: the same for every kind of row."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crm.actions import enterprises, service_logs
from crm.actions.import_candidates import candidates_for, kept, named
from crm.actions.import_library import Keys, Library
from crm.actions.import_rows import (
    CONFLICT,
    DUPLICATE,
    ENTER,
    ERROR,
    UNMATCHED,
    USE_FILE,
    WRITTEN,
    Decisions,
    Judged,
    Placed,
    Sheet,
)
from crm.actions.import_words import ElsewhereArea, Unknown, Words
from crm.domain.changes import Create, Ref, Update
from crm.domain.names import normalise_name
from crm.domain.periods import TitleFact
from crm.domain.viewers import OFFICE, Viewer
from crm.sheets.column_rules import ASK, FILE
from crm.sheets.layouts import AREA
from crm.sheets.rows import TypedRow
from crm.store.writer import plain

# How a row was matched when a person said whom it is about.
CHOSEN = "chosen"
# What stands as the reason of a doubtful code that came with a file.
FROM_FILE = "导入时照表里的存，未写理由"
NEUTRAL = "这一行不能写入：代码或名称可能有误，也可能不归你管。核对后再传，或交业务科室办理。"


@dataclass(frozen=True)
class Subject:
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
class Whom:
    """Whose a row is: the subject and what it was found by, or why none was found."""

    subject: Subject | None = None
    by: str | None = None
    outcome: str = UNMATCHED
    code: str = ""
    message: str = ""


def collect(keys: Keys, values: Mapping[str, Any]) -> None:
    """Add what a row names its enterprise by to what the library is asked for."""
    if code := values.get("enterprise.credit_code"):
        keys.codes.add(code)
        # The code of a file that was merged into another one stays with that one as an old number.
        keys.numbers.add(code)
    if number := values.get("enterprise.old_number"):
        keys.numbers.add(number)
    for key in ("enterprise.name", "enterprise.former_name"):
        if name := values.get(key):
            keys.names.add(normalise_name(name))


def keys_of(values: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """What a row names its enterprise by: credit code, old number, normalised name."""
    name = values.get("enterprise.name")
    return (
        values.get("enterprise.credit_code"),
        values.get("enterprise.old_number"),
        normalise_name(name) if name else None,
    )


def kept_in_doubt(answer: Judged, stated: Mapping[str, Any]) -> dict[str, str]:
    """Why a code whose check character fails is kept; a file says no reason, so the file is the reason."""
    if stated.get("credit_code") and any(problem["code"] == "code_doubtful" for problem in answer.problems):
        return {"code_reason": FROM_FILE}
    return {}


class Court:
    """Says whose a row is and remembers what earlier rows of the file said; rows are judged one after another."""

    def __init__(
        self,
        library: Library,
        words: Words,
        viewer: Viewer,
        region_id: int,
        on: date,
        recorded_at: datetime,
        decided: Decisions,
        placed: Placed | None = None,
    ) -> None:
        self.library, self.words, self.viewer = library, words, viewer
        self.region_id, self.on, self.recorded_at, self.decided = region_id, on, recorded_at, decided
        self.placed: Placed = placed or {}
        self.candidates = candidates_for((), region_id=region_id, viewer=viewer)
        # Enterprises that rows of other kinds bring because a person said so, by the row's position.
        self._entered: dict[int, tuple[Subject, list[Create | Update]]] = {}
        self.may_enter = viewer.has_in(region_id, *OFFICE, "case_manager")
        self.is_office = viewer.has_in(region_id, *OFFICE)
        self.spoken_of: set[int] = set()
        # What the first row with a key was, so that later ones can point at it: keys of enterprises (with the code of
        # that row), enterprises of the library, and keys of titles, years and logs.
        self.first: dict[tuple[str, str], tuple[Judged, str | None]] = {}
        self.claimed: dict[int, Judged] = {}
        self.in_file: dict[tuple[str, str], Subject] = {}
        self._said: dict[Hashable, Judged] = {}
        self.titles: dict[Hashable, dict[TitleFact, Judged]] = defaultdict(dict)
        self.events: dict[Hashable, Hashable] = {}
        self._authors: dict[str, int] | None = None

    def tie_words(self, sheet: Sheet, answer: Judged, row: TypedRow) -> ElsewhereArea | None:
        """Replace words by the records they stand for; answers the other district when the area column names one."""
        if area := row.values.pop(AREA, None):
            found = self.words.area(area)
            if isinstance(found, ElsewhereArea):
                return found
            if isinstance(found, Unknown):
                answer.problems.append(sheet.problem(row.row, AREA, area, found.code, found.message, "warning"))
            elif found is not None and sheet.layout.noun == "enterprise":
                row.values.setdefault("enterprise.township", found)
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

    def look_for_candidates(self, sheets: Iterable[Sheet]) -> None:
        """Fetch, once for the file, what the names may mean that neither the library nor the file itself knows."""
        unknown = [
            said
            for sheet in sheets
            for row in sheet.rows
            if self.known(row.values)[0] is None and (said := named(row.values)) is not None
        ]
        self.candidates = candidates_for(unknown, region_id=self.region_id, viewer=self.viewer)

    def offer(self, answer: Judged, row: TypedRow) -> bool:
        """Note whom a row may be about and what was said of it; answers whether more than a 字号 speaks for one."""
        answer.placed = self.placed.get((row.sheet, row.row))
        said = named(row.values)
        found = self.candidates.of(said) if said is not None else []
        answer.candidates = kept(found)
        return any(one.is_strong for one in found)

    def said_of(self, row: TypedRow) -> int | None:
        """The enterprise that a person said a row is about, if it is still there to be seen."""
        said = self.placed.get((row.sheet, row.row))
        return said if isinstance(said, int) and said in self.library.visible else None

    def known(self, values: Mapping[str, Any], said: int | None = None) -> tuple[int | None, str | None, bool]:
        """(id, found by, more than one fits) in the library: code, else old number, else exact name, now or before.

        What a person ``said`` the row is about counts when nothing of these is known.
        """
        code, number, name = keys_of(values)
        library = self.library
        if code and code in library.by_code:
            return library.by_code[code], "credit_code", False
        if code and (merged := library.by_number.get(code)):
            return (next(iter(merged)), "old_number", False) if len(merged) == 1 else (None, "old_number", True)
        former = values.get("enterprise.former_name")
        for found, by in (
            (library.by_number.get(number) if number else None, "old_number"),
            (library.by_name.get(name) if name else None, "name"),
            (library.by_former_name.get(name) if name else None, "former_name"),
            (library.by_name.get(normalise_name(former)) if former else None, "former_name"),
        ):
            if found:
                return (next(iter(found)), by, False) if len(found) == 1 else (None, by, True)
        return (said, CHOSEN, False) if said is not None else (None, None, False)

    def whom(self, values: Mapping[str, Any], said: int | None = None) -> Whom:
        """Whom a title, a year of figures or a log is about."""
        code, number, name = keys_of(values)
        if code and code not in self.library.by_code and ("code", code) in self.in_file:
            return self.of_file(self.in_file["code", code])
        enterprise_id, by, several = self.known(values, said)
        if several:
            return Whom(outcome=ERROR, code="ambiguous", message="库里有不止一家企业对得上这一行。补上信用代码。")
        if enterprise_id is not None:
            if enterprise_id not in self.library.visible:
                return Whom(outcome=ERROR, code="not_available", message=NEUTRAL)
            state = self.library.states[enterprise_id]
            own = state.values.get("credit_code")
            if by != CHOSEN and code and own and own != code and not self.library.by_number.get(code):
                message = "名称对得上库里的企业，信用代码却不同。核对是哪一家后改正。"
                return Whom(outcome=ERROR, code="code_differs", message=message)
            self.spoken_of.add(enterprise_id)
            return Whom(Subject(enterprise_id, ("id", enterprise_id), 0, True, state.values["name"]), by)
        for key in (("number", number), ("name", name)):
            if key[1] and (subject := self.in_file.get(key)) is not None:
                return self.of_file(subject)
        return Whom(code="unmatched", message="库里没有这家企业。先在企业表里加上，或核对代码和名称。")

    def of_file(self, subject: Subject) -> Whom:
        """An enterprise that a row of the same file brings, as far as that row will be written."""
        if not subject.is_good:
            message = f"这家企业在企业表第 {subject.row} 行，那一行不会写入。先改好那一行。"
            return Whom(outcome=ERROR, code="enterprise_row_wrong", message=message)
        return Whom(subject, "file")

    def place(self, sheet: Sheet, answer: Judged, row: TypedRow) -> Subject | None:
        """The subject of a row that hangs on an enterprise; without one the row has its outcome already."""
        has_key = any(keys_of(row.values))
        if row.has_errors and not has_key:
            return None
        whom = self.whom(row.values, self.said_of(row))
        answer.matched_by = whom.by
        if whom.by == CHOSEN or (whom.subject is None and whom.outcome == UNMATCHED):
            self.offer(answer, row)
        if whom.subject is None and whom.outcome == UNMATCHED and answer.placed == ENTER:
            whom = self.enter(answer, row)
        if whom.subject is None:
            wrong = any(problem["severity"] == "error" for problem in answer.problems)
            answer.outcome = ERROR if wrong else whom.outcome
            key, value = self.key_cell(row)
            answer.problems.append(sheet.problem(row.row, key, value, whom.code, whom.message))
            return None
        answer.enterprise_id, answer.name = whom.subject.id, whom.subject.name
        return whom.subject

    def settle(
        self, sheet: Sheet, answer: Judged, noun: str, differing: Mapping[str, tuple[Any, Any]]
    ) -> set[str] | None:
        """Which of the cells that differ (code: ours, the file's) are written, by what their columns' rules say.

        None when a person is to decide: the row is a conflict then, with every cell that asks named. What the library
        leaves blank is filled whatever the rule.
        """
        said = self.decided.get((answer.sheet, answer.row))
        rules = {code: sheet.wins(f"{noun}.{code}") for code in differing}
        taken = {FILE, ASK} if said == USE_FILE else {FILE}
        asking = [
            code for code, (ours, _) in differing.items() if rules[code] == ASK and ours is not None and said is None
        ]
        if not asking:
            return {code for code, (ours, _) in differing.items() if ours is None or rules[code] in taken}
        for code in asking:
            message = "表里的与库里的不同，这一列要人来定。选用表里的或留本库的。"
            answer.problems.append(
                sheet.problem(answer.row, f"{noun}.{code}", differing[code][1], "differs", message, "warning")
            )
        answer.diff = {f"{noun}.{code}": [plain(ours), plain(theirs)] for code, (ours, theirs) in differing.items()}
        answer.outcome = CONFLICT
        return None

    def enter(self, answer: Judged, row: TypedRow) -> Whom:
        """A new enterprise with the name and code of a row that hangs on it, because a person said so."""
        if not self.may_enter:
            return Whom(outcome=ERROR, code="not_allowed", message="你的授权不含新增企业。交业务科室办理。")
        stated = {code: row.values.get(f"enterprise.{code}") for code in ("name", "credit_code")}
        stated = {code: value for code, value in stated.items() if value}
        if "name" not in stated:
            message = "新增企业要有名称，这一行没有。补上名称，或在企业表里加上这一家。"
            return Whom(outcome=ERROR, code="missing", message=message)
        subject = Subject(None, ("entered", answer.position), answer.row, True, stated["name"])
        stated |= kept_in_doubt(answer, stated)
        if not self.is_office:
            stated["manager"] = self.viewer.user_id
        brought = enterprises.decide(None, stated, region_id=self.region_id, on=self.on, key=subject.key)
        self._entered[answer.position] = subject, brought
        for key in self._names_of(row):
            self.in_file[key] = subject
        return Whom(subject)

    @staticmethod
    def _names_of(row: TypedRow) -> list[tuple[str, str]]:
        kinds = zip(("code", "number", "name"), keys_of(row.values), strict=True)
        return [(kind, value) for kind, value in kinds if value]

    def close(self, answer: Judged, row: TypedRow) -> None:
        """A row is judged: what it brings besides goes with it, or is not there for the rows that follow."""
        entered = self._entered.pop(answer.position, None)
        if entered is None:
            return
        subject, brought = entered
        if answer.outcome in WRITTEN:
            answer.changes = [*brought, *answer.changes]
            names = {
                "enterprise.name": subject.name,
                "enterprise.credit_code": row.values.get("enterprise.credit_code"),
            }
            answer.diff = {key: value for key, value in names.items() if value} | answer.diff
            return
        for key in self._names_of(row):
            if self.in_file.get(key) is subject:
                del self.in_file[key]

    @staticmethod
    def key_cell(row: TypedRow) -> tuple[str, Any]:
        """The cell a row is known by, for problems about the whole row."""
        for key in ("enterprise.credit_code", "enterprise.old_number", "enterprise.name"):
            if row.values.get(key):
                return key, row.values[key]
        return "enterprise.name", ""

    def fail(self, sheet: Sheet, answer: Judged, key: str, value: Any, code: str, message: str) -> None:
        """Note a problem that makes the row an error."""
        answer.problems.append(sheet.problem(answer.row, key, value, code, message))
        answer.outcome = ERROR

    def has_errors(self, answer: Judged) -> bool:
        """Whether a row has a problem that keeps it from being written."""
        return any(problem["severity"] == "error" for problem in answer.problems)

    def is_repeated(self, sheet: Sheet, answer: Judged, key: Hashable, cell: tuple[str, Any], what: str) -> bool:
        """Whether an earlier row has this key; the later one is the duplicate."""
        first = self._said.setdefault(key, answer)
        if first is answer:
            return False
        self.repeats(sheet, answer, first, cell, what)
        return True

    def repeats(self, sheet: Sheet, answer: Judged, first: Judged, cell: tuple[str, Any], what: str) -> None:
        """Make the row a duplicate of an earlier one, and say of which."""
        message = f"与{self.where(first, answer)}{what}。留一行，删掉另一行。"
        answer.problems.append(sheet.problem(answer.row, *cell, "duplicate", message))
        answer.outcome = DUPLICATE

    @staticmethod
    def where(row: Judged, seen_from: Judged) -> str:
        """Where another row of the file stands, in the words of a sentence about this one."""
        return f"第 {row.row} 行" if row.sheet == seen_from.sheet else f"“{row.sheet}”第 {row.row} 行"

    def author(self, name: str | None) -> int | None:
        """The account of somebody named as the author of a service, if exactly one has that name."""
        if not name:
            return None
        if self._authors is None:
            self._authors = service_logs.authors(self.region_id)
        return self._authors.get(name)
