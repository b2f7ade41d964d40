"""What a comparison asks of the titles on record: in force that day, ever held, taken away in the last three years."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from crm.domain.periods import Period, Terms, TitleFact, period_of
from crm.domain.titles import runs_of

# One title as a facts file or a record says it, by the codes of the noun ``qualification``; what is blank is absent.
Title = Mapping[str, object]

_DATA = tuple(name for name in TitleFact.__dataclass_fields__ if name not in ("id", "kind"))


def in_force(titles: Sequence[Title], kind: str, on: date, terms: Terms) -> bool | None:
    """Whether a title of the kind is within its validity (有效期内) on the day: the answer 115号 第八条 asks for.

    It is the board's answer, from the same periods and runs (crm/domain/titles.py): True exactly when the state of the
    day is 有效 or 临近到期. What a record leaves out the title's own rule fills in, as it does on the board: a 高企
    certificate lasts three years (32号 第九条), so one known by its 公告日期 alone is in force until they are over.
    待更新（衔接期）, 重新认定中 and 到期待核实 are no: they keep an enterprise on its rung while the next number or
    certificate is awaited, but the old one has run out and 第八条 asks for one in its validity. They become a yes the
    day the new one's own dates cover.

    None (unknown) while a record may yet turn out to be in force: without any day or year, with an end before its
    start, of an unnamed kind, ended on a day nobody said, or of a kind whose length ``terms`` does not tell.
    """
    facts = [
        (n, title.get("kind") is None, _fact(n, kind, title)) for n, title in enumerate(titles) if _is(title, kind)
    ]
    named = {n for n, nameless, _ in facts if not nameless}
    if any(p.fact.id in named and _covers(p, on) for p in _periods([fact for *_, fact in facts], terms)):
        return True
    possible = [_benefit_of_doubt(fact, nameless) for _, nameless, fact in facts if not (nameless and _over(fact, on))]
    if any(_covers(period, on) for period in _periods(possible, terms)):
        return None
    return None if any(_undated(fact, terms) and not _over(fact, on) for fact in possible) else False


def ever(titles: Sequence[Title], kind: str, _on: date, _terms: Terms) -> bool | None:
    """Whether a title of the kind stands in the record."""
    kinds = [title.get("kind") for title in titles]
    return True if kind in kinds else None if None in kinds else False


def taken_away(titles: Sequence[Title], kind: str, on: date, _terms: Terms) -> bool | None:
    """Whether a title of the kind was cancelled or revoked within the three years up to the day."""
    answers: list[bool | None] = []
    for title in titles:
        if not _is(title, kind) or title.get("end_reason") not in ("revoked", "cancelled"):
            continue
        ended = title.get("ended_on")
        recent = _three_years_before(on) <= ended <= on if isinstance(ended, date) else None
        answers.append(None if title.get("kind") is None and recent else recent)
    return True if True in answers else None if None in answers else False


QUESTIONS: dict[str, Callable[[Sequence[Title], str, date, Terms], bool | None]] = {
    "valid": in_force,
    "ever": ever,
    "revoked_3y": taken_away,
}


def _is(title: Title, kind: str) -> bool:
    """Whether it is, or may be, a title of the kind."""
    return title.get("kind") in (kind, None)


def _fact(n: int, kind: str, title: Title) -> TitleFact:
    return TitleFact(id=n, kind=kind, **{name: title.get(name) for name in _DATA})  # type: ignore[arg-type]


def _periods(facts: Sequence[TitleFact], terms: Terms) -> list[Period]:
    # Rounds decide what follows a title's end, never the days it covers.
    return [period for run in runs_of(facts, terms, ()) for period in run.periods]


def _covers(period: Period, on: date) -> bool:
    return period.start <= on and (period.last is None or on <= period.last)


def _over(fact: TitleFact, on: date) -> bool:
    return fact.ended_on is not None and fact.ended_on <= on


def _benefit_of_doubt(fact: TitleFact, nameless: bool) -> TitleFact:
    """The fact without an end that may not be one: of an unsaid day, or of a title that may be of another kind."""
    unsaid = fact.ended_on is None and fact.end_reason != "not_renewed"
    return replace(fact, ended_on=None, end_reason=None) if nameless or unsaid else fact


def _undated(fact: TitleFact, terms: Terms) -> bool:
    """Whether its days cannot be told; a 公示 alone is no title and has none to tell."""
    if period_of(fact, terms) is not None:
        return False
    return fact.publicity_on is None or any((fact.valid_from, fact.issued_on, fact.announced_on))


def _three_years_before(on: date) -> date:
    # A 29 February has no counterpart three years earlier; the day before is the longer, stricter reading.
    return on.replace(year=on.year - 3) if (on.month, on.day) != (2, 29) else date(on.year - 3, 2, 28)
