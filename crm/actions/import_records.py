"""Rows that hang on an enterprise, judged: titles, years of figures, services."""

from datetime import date
from typing import Any

from crm.actions import figures, qualifications, service_logs
from crm.actions.import_court import Court
from crm.actions.import_library import Title
from crm.actions.import_rows import CHANGED, ERROR, NEW, SAME, Judged, Sheet
from crm.actions.rights import may_edit, may_log, may_record_title
from crm.domain.changes import Create, Ref, Update
from crm.domain.codes import number_warning
from crm.domain.periods import TitleFact, period_of
from crm.extensions import policy
from crm.sheets.rows import TypedRow
from crm.store.writer import plain


def judge_title(court: Court, sheet: Sheet, answer: Judged, row: TypedRow) -> None:
    """Judge one row that is a title: a new one, a known one filled in or corrected, or one that cannot be."""
    subject = court.place(sheet, answer, row)
    if subject is None:
        return
    stated = {k.removeprefix("qualification."): v for k, v in row.values.items() if k.startswith("qualification.")}
    kind = stated.get("kind")
    if not kind:
        if not court.has_errors(answer):
            message = "资格种类没有填，不知道是哪种资格。补上再传。"
            court.fail(sheet, answer, "qualification.kind", "", "missing", message)
        answer.outcome = ERROR
        return
    fact = qualifications.fact_of(stated)
    cell = ("qualification.kind", kind)
    if court.is_repeated(sheet, answer, (subject.key, *_title_key(fact)), cell, "是同一项资格"):
        return
    if subject.id is not None and not may_record_title(court.viewer, court.library.standings[subject.id], kind):
        court.fail(sheet, answer, *cell, "not_allowed", "你的授权不含登记这家企业的这种资格。交业务科室办理。")
        return
    if number := stated.get("number"):
        doubt = number_warning(kind, number)
        if doubt:
            answer.problems.append(
                sheet.problem(answer.row, "qualification.number", number, "number_doubted", doubt, "warning")
            )
    recorded = court.library.titles.get(subject.id, []) if subject.id is not None else []
    if set(stated) == {"kind"} and any(_covers(title.fact, kind, court.on) for title in recorded):
        # A list that says which title and nothing more is compared: who holds it on the day is as the list says.
        answer.outcome = ERROR if court.has_errors(answer) else SAME
        return
    existing = next((title for title in recorded if _is_same_title(title.fact, fact)), None)
    others = [title.fact for title in recorded if existing is None or title.fact.id != existing.fact.id]
    said = {title: court.where(row, answer) for title, row in court.titles[subject.key].items()}
    others += said
    if existing is not None:
        stated |= {key.removeprefix("qualification."): None for key in row.cleared if key.startswith("qualification.")}
    merged = stated if existing is None else {**existing.values, **stated}
    for code, sentence in qualifications.problems(merged, others, today=court.on, rows=said).items():
        court.fail(sheet, answer, f"qualification.{code}", merged.get(code), "title_impossible", sentence)
    if court.has_errors(answer):
        answer.outcome = ERROR
        return
    if existing is None:
        answer.diff = {f"qualification.{code}": plain(value) for code, value in stated.items()}
        answer.outcome = NEW
        answer.changes = list(qualifications.decide_new(subject.ref, stated, recorded_at=court.recorded_at))
        court.titles[subject.key][fact] = answer
    else:
        _known_title(court, sheet, answer, existing, stated)


def _known_title(court: Court, sheet: Sheet, answer: Judged, existing: Title, stated: dict[str, Any]) -> None:
    """What was blank is filled in; what differs is a correction: the old fact is kept as superseded."""
    differing = {code: value for code, value in stated.items() if existing.values.get(code) != value}
    cells = {code: (existing.values.get(code), value) for code, value in differing.items()}
    taken = court.settle(sheet, answer, "qualification", cells)
    if taken is None:
        return
    differing = {code: value for code, value in differing.items() if code in taken}
    if not differing:
        answer.outcome = SAME
        return
    answer.diff = {
        f"qualification.{code}": [plain(existing.values.get(code)), plain(value)] for code, value in differing.items()
    }
    answer.outcome = CHANGED
    row_id = existing.fact.id
    assert row_id is not None
    if all(existing.values.get(code) is None for code in differing):
        answer.changes = [Update("qualification", row_id, differing, existing.version)]
        return
    key = ("corrected", row_id)
    merged = {**existing.values, **differing}
    [create] = qualifications.decide_new(answer.enterprise_id, merged, recorded_at=court.recorded_at)
    superseded = {"superseded_at": court.recorded_at, "superseded_by_id": Ref(key)}
    answer.changes = [
        Create(create.noun, create.values, key),
        Update("qualification", row_id, superseded, existing.version),
    ]


def judge_figures(court: Court, sheet: Sheet, answer: Judged, row: TypedRow) -> None:
    """Judge one row that is a year of figures; a blank cell leaves what is known."""
    subject = court.place(sheet, answer, row)
    if subject is None:
        return
    year = row.values.get("figures.year")
    if year is None:
        answer.outcome = ERROR
        return
    cell = ("figures.year", year)
    if court.is_repeated(sheet, answer, (subject.key, "figures", year), cell, "是同一家企业的同一年"):
        return
    if subject.id is not None and not may_edit(court.viewer, court.library.standings[subject.id]):
        message = "这家企业不是你负责的，你的授权不含填写它的指标。交负责的服务专员或业务科室办理。"
        court.fail(sheet, answer, *cell, "not_allowed", message)
        return
    stated = {
        k.removeprefix("figures."): v for k, v in row.values.items() if k.startswith("figures.") and k != "figures.year"
    }
    for code, sentence in figures.problems(year, stated, today=court.on).items():
        shown = year if code == "year" else stated.get(code)
        court.fail(sheet, answer, f"figures.{code}", shown, "impossible", sentence)
    if court.has_errors(answer):
        answer.outcome = ERROR
        return
    state = court.library.figures.get((subject.id, year)) if subject.id is not None else None
    if state is None:
        if not stated:
            court.fail(sheet, answer, *cell, "no_values", "这一行只有年度，没有任何指标。填上指标，或删掉这一行。")
            return
        answer.outcome = NEW
        answer.diff = {"figures.year": year, **{f"figures.{code}": plain(v) for code, v in stated.items()}}
        answer.changes = figures.decide(None, subject.ref, year, stated)
        return
    stated |= {key.removeprefix("figures."): None for key in row.cleared if key.startswith("figures.")}
    differing = {code: value for code, value in stated.items() if state.values.get(code) != value}
    cells = {code: (state.values.get(code), value) for code, value in differing.items()}
    taken = court.settle(sheet, answer, "figures", cells)
    if taken is None:
        return
    differing = {code: value for code, value in differing.items() if code in taken}
    answer.outcome = CHANGED if differing else SAME
    answer.diff = {
        f"figures.{code}": [plain(state.values.get(code)), plain(value)] for code, value in differing.items()
    }
    answer.changes = figures.decide(state, subject.id, year, differing, version=state.version)


def judge_service_log(court: Court, sheet: Sheet, answer: Judged, row: TypedRow) -> None:
    """Judge one row that is a service: the same event on several rows is one event of several enterprises."""
    subject = court.place(sheet, answer, row)
    if subject is None:
        return
    stated = {k.removeprefix("service_log."): v for k, v in row.values.items() if k.startswith("service_log.")}
    happened_on, text = stated.get("happened_on"), stated.get("text")
    cell = ("service_log.text", text)
    if happened_on and text:
        key = (subject.key, "log", happened_on, text)
        if court.is_repeated(sheet, answer, key, cell, "是同一条服务记录"):
            return
    if subject.id is not None and not may_log(court.viewer, court.library.standings[subject.id]):
        message = "你的授权不含给这家企业记服务。交负责的服务专员办理。"
        court.fail(sheet, answer, *court.key_cell(row), "not_allowed", message)
        return
    told = {problem["column"] for problem in answer.problems}
    for code, sentence in service_logs.problems(stated, today=court.on).items():
        problem = sheet.problem(answer.row, f"service_log.{code}", stated.get(code), "impossible", sentence)
        if problem["column"] not in told:
            answer.problems.append(problem)
    if court.has_errors(answer):
        answer.outcome = ERROR
        return
    if subject.id is not None and (subject.id, happened_on, text) in court.library.logs:
        answer.outcome = SAME
        return
    answer.outcome = NEW
    answer.diff = {f"service_log.{code}": plain(value) for code, value in stated.items()}
    # The same event on several rows is one event of several enterprises.
    event = tuple(stated.get(code) for code in service_logs.CODES)
    if event in court.events:
        answer.changes = [service_logs.link(court.events[event], subject.ref)]
        return
    key = court.events.setdefault(event, ("service_log", answer.position))
    answer.changes = list(
        service_logs.decide(
            stated,
            [subject.ref],
            region_id=court.region_id,
            author_id=court.author(stated.get("author_name")),
            imported=True,
            key=key,
        )
    )


def _covers(fact: TitleFact, kind: str, on: date) -> bool:
    """Whether a recorded title of a kind holds on a day by its own days."""
    period = period_of(fact, policy.ladder.terms) if fact.kind == kind else None
    is_over = fact.ended_on is not None and fact.ended_on <= on
    return period is not None and not is_over and period.start <= on and (period.last is None or on <= period.last)


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
