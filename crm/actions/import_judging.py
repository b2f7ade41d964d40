"""Every row of a file judged against the library before anything is written: eight outcomes, all problems at once."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from crm.actions.import_court import Court, collect
from crm.actions.import_enterprises import judge_enterprise
from crm.actions.import_library import Keys, load
from crm.actions.import_lists import judge_listed
from crm.actions.import_missing import Named, missing_enterprises, missing_holders
from crm.actions.import_records import judge_figures, judge_service_log, judge_title
from crm.actions.import_rows import (
    CONFLICT,
    NOT_OURS,
    OUTCOMES,
    WRITTEN,
    Decisions,
    Judged,
    Judgement,
    Placed,
    Sheet,
    fingerprint_of,
    problem_of,
)
from crm.actions.import_words import Words
from crm.domain.viewers import Viewer
from crm.sheets.layouts import UNMATCHED
from crm.sheets.profiles import Reading
from crm.sheets.rows import TypedRow, typed_rows

Judge = Callable[[Court, Sheet, Judged, TypedRow], None]
JUDGES: dict[str, Judge] = {
    "enterprise": judge_enterprise,
    "qualification": judge_title,
    "figures": judge_figures,
    "service_log": judge_service_log,
}

_KIND = "qualification.kind"

# How many rows lie between two reports of progress; each costs a transaction.
STEP = 2_000

Progress = Callable[[int, int], None]


def judge(
    reading: Reading,
    *,
    profile: str,
    viewer: Viewer,
    region_id: int,
    on: date,
    recorded_at: datetime,
    full_list: bool = False,
    decided: Decisions | None = None,
    placed: Placed | None = None,
    progress: Progress | None = None,
) -> Judgement:
    """Judge every data row of a file for one region; reads the library in sets and writes nothing.

    Rows of enterprises are judged first, so that titles, figures and logs may be about enterprises that the same file
    brings. ``on`` is the day from which changes hold; ``decided`` what a person said of rows that asked, ``placed``
    whom they said rows are about that no key tells.
    """
    sheets = [Sheet(table, list(typed_rows(*table, today=on))) for table in reading.tables]
    total = sum(len(sheet.rows) for sheet in sheets)
    placed = placed or {}
    keys, nouns = (
        Keys(ids={said for said in placed.values() if isinstance(said, int)}),
        frozenset(sheet.layout.noun for sheet in sheets),
    )
    for sheet in sheets:
        for row in sheet.rows:
            collect(keys, row.values)
    library = load(keys, region_id=region_id, viewer=viewer, nouns=nouns)
    court = Court(library, Words(region_id, on), viewer, region_id, on, recorded_at, decided or {}, placed)
    court.look_for_candidates(sheets)
    judged: list[Judged] = []
    named: Named = set()
    position = {id(sheet): sum(len(other.rows) for other in sheets[:index]) for index, sheet in enumerate(sheets)}
    for sheet in sorted(sheets, key=lambda s: s.layout.noun != "enterprise"):
        judge_row = judge_listed if sheet.layout.unknown == UNMATCHED else JUDGES[sheet.layout.noun]
        for offset, row in enumerate(sheet.rows):
            answer = Judged(position[id(sheet)] + offset, row.sheet, sheet.layout.noun, row.row)
            _judge_row(court, judge_row, sheet, answer, row)
            judged.append(answer)
            if answer.enterprise_id is not None:
                named.add((answer.enterprise_id, row.values.get(_KIND)))
            if progress is not None and len(judged) % STEP == 0:
                progress(len(judged), total)
    if progress is not None:
        progress(total, total)
    judged.sort(key=lambda answer: answer.position)
    counts = Counter(answer.outcome for answer in judged)
    return Judgement(
        profile=profile,
        rows=judged,
        counts={outcome: counts[outcome] for outcome in OUTCOMES},
        sheets=[sheet.described() for sheet in sheets],
        questions=reading.questions,
        missing=_missing(court, sheets, named) if full_list else None,
        fingerprint=fingerprint_of(judged),
    )


def _missing(court: Court, sheets: list[Sheet], named: Named) -> list[dict[str, Any]]:
    """Whom the file as a full list lacks: of the holders of its titles, or of all enterprises where it is no such list.

    A list of titles that names no kind in any row says nothing of who is missing.
    """
    where = {"region_id": court.region_id, "on": court.on, "viewer": court.viewer}
    if any(sheet.layout.noun != "qualification" for sheet in sheets):
        return missing_enterprises(court.spoken_of, **where)
    kinds = {row.values[_KIND] for sheet in sheets for row in sheet.rows if _KIND in row.values}
    return missing_holders(named, kinds, **where)


def _judge_row(court: Court, judge_row: Judge, sheet: Sheet, answer: Judged, row: TypedRow) -> None:
    answer.name = row.values.get("enterprise.name") or row.values.get("enterprise.credit_code") or ""
    answer.problems = [problem_of(problem) for problem in row.problems]
    elsewhere = court.tie_words(sheet, answer, row)
    if elsewhere is not None:
        answer.outcome, answer.problems = NOT_OURS, []
        return
    judge_row(court, sheet, answer, row)
    court.close(answer, row)
    if answer.outcome not in WRITTEN:
        answer.changes = []
        if answer.outcome != CONFLICT:
            answer.diff = {}
