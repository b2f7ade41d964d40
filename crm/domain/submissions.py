"""What goes up to the city and what comes back: lines, what changed since, results matched by name or code."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from crm.domain.codes import check_code
from crm.domain.names import normalise_name

ADDED, AGAIN, RENAMED, REMOVED = "added", "again", "renamed", "removed"
CHANGES: dict[str, str] = {ADDED: "新增", AGAIN: "补正后再报", RENAMED: "名称（代码）变更", REMOVED: "撤出"}
PASSED, RETURNED, FAILED = "passed", "returned", "failed"
RESULTS: dict[str, str] = {PASSED: "通过", RETURNED: "退回补正", FAILED: "未通过"}


@dataclass(frozen=True)
class Firm:
    """An application that the county recommends now, with the name and code of today."""

    application_id: int
    enterprise_id: int
    name: str
    credit_code: str | None


@dataclass(frozen=True)
class Sent:
    """The last line that went up for an application, and what the city said to it."""

    application_id: int
    enterprise_id: int
    name: str
    credit_code: str | None
    change: str | None = None
    result: str | None = None


@dataclass(frozen=True)
class Line:
    """A line that is to go up: ``change`` None in a submission of the whole list."""

    application_id: int
    enterprise_id: int
    name: str
    credit_code: str | None
    change: str | None = None


def whole_list(recommended: Sequence[Firm]) -> list[Line]:
    """Every recommended firm, in the order given."""
    return [Line(one.application_id, one.enterprise_id, one.name, one.credit_code) for one in recommended]


def changes_since(recommended: Sequence[Firm], sent: Mapping[int, Sent]) -> list[Line]:
    """仅报变化: what is new, mended, renamed or taken out since the last line of each application went up.

    A firm the city has passed or failed is settled; one it returned is no withdrawal of ours.
    """
    found = []
    for one in recommended:
        last = sent.get(one.application_id)
        if last is None or last.change == REMOVED:
            change = ADDED
        elif last.result == RETURNED:
            change = AGAIN
        elif last.result is None and (last.name, last.credit_code) != (one.name, one.credit_code):
            change = RENAMED
        else:
            continue
        found.append(Line(one.application_id, one.enterprise_id, one.name, one.credit_code, change))
    now = {one.application_id for one in recommended}
    for last in sent.values():
        if last.application_id not in now and last.change != REMOVED and last.result is None:
            found.append(Line(last.application_id, last.enterprise_id, last.name, last.credit_code, REMOVED))
    return found


# --- the city's answer -----------------------------------------------------------------------------------------------

# The longer words first: 不通过 is no 通过.
_RESULT_WORDS: tuple[tuple[str, str], ...] = (
    ("退回补正", RETURNED),
    ("补正", RETURNED),
    ("退回", RETURNED),
    ("不予通过", FAILED),
    ("不通过", FAILED),
    ("未通过", FAILED),
    ("不予认定", FAILED),
    ("不予推荐", FAILED),
    ("不予", FAILED),
    ("不合格", FAILED),
    ("淘汰", FAILED),
    ("拟认定", PASSED),
    ("通过", PASSED),
    ("认定", PASSED),
    ("公示", PASSED),
    ("公告", PASSED),
    ("合格", PASSED),
)
_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Z]{18}(?![0-9A-Za-z])")
_CELLS = re.compile(r"\t|[|｜]|\s{2,}")
_WITHIN = re.compile(r"[\s,，;；:：]+")
_NUMBER = re.compile(r"^[0-9]{1,4}[.、．)）]?$")
# What a heading of such a list says; the line is no firm.
_HEADINGS = frozenset({"企业名称", "单位名称", "名称", "序号", "统一社会信用代码", "结果", "原因", "备注", "评审结果"})
REASON_LENGTH = 500
MOST_LINES = 2_000


@dataclass(frozen=True)
class Answer:
    """What a line of the city's list says of one line of the submission."""

    line_id: int
    result: str
    reason: str | None


@dataclass(frozen=True)
class Matched:
    """A pasted list against a submission: answers by line, and what stands for nobody."""

    answers: Mapping[int, Answer] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Named:
    """How a line of a submission may be called: as it went, as it is called today, and what it was called."""

    line_id: int
    credit_code: str | None
    names: tuple[str, ...]


def match_results(rows: Iterable[Sequence[str]], lines: Sequence[Named], *, usual: str = PASSED) -> Matched:
    """Match the rows of the city's list to a submission by code, else by name. Pure; never a guess.

    A row without a word for its result means ``usual``. A second row for the same firm is named in ``repeated`` and
    the first counts.
    """
    by_code = {line.credit_code: line.line_id for line in lines if line.credit_code}
    by_name: dict[str, set[int]] = {}
    for line in lines:
        for name in line.names:
            by_name.setdefault(normalise_name(name), set()).add(line.line_id)
    answers: dict[int, Answer] = {}
    unmatched: list[str] = []
    repeated: list[str] = []
    for cells in rows:
        said = [cell.strip() for cell in cells if cell and cell.strip()]
        told = " ".join(said)
        if not told or all(cell in _HEADINGS for cell in said):
            continue
        found = _line_of(said, by_code, by_name)
        if found is None:
            unmatched.append(told[:120])
            continue
        line_id, rest = found
        result, reason = _result_in(rest, usual)
        if line_id in answers:
            repeated.append(told[:120])
            continue
        answers[line_id] = Answer(line_id, result, reason)
    return Matched(answers, tuple(unmatched), tuple(repeated))


def rows_of_text(text: str) -> list[list[str]]:
    """A pasted list as rows of cells: cells of a sheet by tabs, else the words of each line."""
    rows = []
    for line in text.splitlines()[:MOST_LINES]:
        cells = [cell for cell in _CELLS.split(line.strip()) if cell.strip()]
        if len(cells) == 1:
            cells = [cell for cell in _WITHIN.split(cells[0]) if cell]
        if cells:
            rows.append(cells)
    return rows


def _line_of(
    cells: Sequence[str], by_code: Mapping[str, int], by_name: Mapping[str, set[int]]
) -> tuple[int, list[str]] | None:
    """(line, the other cells) of a row: a valid code decides, else a name that is exactly one line's."""
    for n, cell in enumerate(cells):
        code = _CODE.search(cell.upper())
        if code and code[0] in by_code:
            name_too = normalise_name(cell.upper().replace(code[0], "")) in by_name
            rest = [c for m, c in enumerate(cells) if m != n and normalise_name(c) not in by_name]
            left = "" if name_too else cell.upper().replace(code[0], "").strip()
            return by_code[code[0]], [*rest, left] if left else rest
        if code and check_code(code[0]).ok:
            # A whole, valid code of somebody else: the name beside it does not make it ours.
            return None
    for n, cell in enumerate(cells):
        found = by_name.get(normalise_name(cell), set())
        if len(found) == 1:
            return next(iter(found)), [c for m, c in enumerate(cells) if m != n]
    return None


def _result_in(cells: Sequence[str], usual: str) -> tuple[str, str | None]:
    """The result and its reason in the cells beside a firm: the cell that begins with a result word decides."""
    result: str | None = None
    reasons: list[str] = []
    for cell in cells:
        if _NUMBER.match(cell) or _CODE.fullmatch(cell.upper()):
            continue
        found = next(((w, r) for w, r in _RESULT_WORDS if cell.startswith(w)), None) if result is None else None
        if found is not None:
            result = found[1]
            rest = cell[len(found[0]) :].lstrip("：:，, （(").rstrip("）)")
            if rest:
                reasons.append(rest)
        else:
            reasons.append(cell)
    reason = "；".join(reasons)[:REASON_LENGTH] or None
    return result or usual, reason if (result or usual) != PASSED else None


def result_problems(
    result: str | None, result_on: date | None, reason: str | None, *, submitted_on: date, today: date
) -> dict[str, str]:
    """What is wrong with a result as stated: {field: one sentence}."""
    wrong: dict[str, str] = {}
    if result not in RESULTS:
        wrong["result"] = "结果从列表里选。"
    if result in (RETURNED, FAILED) and not (reason or "").strip():
        wrong["reason"] = "退回和未通过写明原因；市里没有说明就写“未说明”。"
    if len(reason or "") > REASON_LENGTH:
        wrong["reason"] = f"原因不超过 {REASON_LENGTH} 个字。"
    if result_on is None:
        wrong["result_on"] = "填结果日期。"
    elif result_on > today:
        wrong["result_on"] = f"结果日期 {result_on} 还没到。"
    elif result_on < submitted_on:
        wrong["result_on"] = f"结果日期 {result_on} 早于报送的 {submitted_on}。核对后改正。"
    return wrong
