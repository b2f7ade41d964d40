"""The page of answers: what it shows, what was typed into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from crm.actions.confirmations import ANSWERS, LATE_UNTIL, SAME, Answer, open_months
from crm.domain.months import month_of
from crm.domain.viewers import Viewer
from crm.store import confirmation_lists
from crm.store.confirmation_lists import LOCAL_ROLES, PAGE
from crm.store.confirmations import Confirmation
from crm.web import reference
from crm.web.addresses import version_in, whole
from crm.web.doors import Form, today, viewer


@dataclass(frozen=True)
class Line:
    """One enterprise of the page: what is known, what stands in its fields, what is wrong, what somebody else said."""

    row: confirmation_lists.Row
    answer: str
    note: str
    seen: int
    error: str = ""
    clash: str = ""


@dataclass(frozen=True)
class Sheet:
    """One page of a month with its progress."""

    month: date
    lines: list[Line]
    done: int
    total: int
    number: int
    pages: int
    only_open: bool
    people: dict[int, str]
    form: Form
    # The month before, where it may still be confirmed and is not whole: it and how many have no answer.
    missed: tuple[date, int] | None = None
    late_until: int = LATE_UNTIL

    @property
    def asked(self) -> str | None:
        """The month as an address names it; None for this one."""
        return f"{self.month:%Y-%m}" if self.month != month_of(today()) else None

    @property
    def complete(self) -> bool:
        return self.total > 0 and self.done == self.total


def confirms(person: Viewer) -> bool:
    """Whether this person's desk is the page of a township or a park."""
    return person.has(*LOCAL_ROLES) and not person.has("case_manager", "bureau", "leader", "admin")


def month_asked() -> date:
    """The open month that the request names, else this one."""
    said = request.values.get("month", "")
    return next((month for month in open_months(today()) if f"{month:%Y-%m}" == said), month_of(today()))


def month_sent() -> date:
    """The month of a page that was sent, whether it is still open or not; this one where it names none."""
    try:
        return date.fromisoformat(f"{request.form.get('month', '')}-01")
    except ValueError:
        return month_of(today())


def _missed(month: date) -> tuple[date, int] | None:
    before = next((one for one in open_months(today()) if one < month), None)
    # Who only begins with it this month has missed nothing.
    if before is None or not confirmation_lists.has_begun(viewer(), before):
        return None
    done, total = confirmation_lists.progress(viewer(), before)
    return (before, total - done) if done < total else None


def sheet_of(
    number: int = 1,
    *,
    month: date | None = None,
    everything: bool = False,
    typed: Mapping[int, Answer] | None = None,
    errors: Mapping[str, str] | None = None,
    clashes: Mapping[int, tuple[Confirmation, str]] | None = None,
    form: Form | None = None,
) -> Sheet:
    """One page of what has no answer yet, or of ``everything``; with ``typed`` the page that was sent comes back."""
    person, month = viewer(), month or month_of(today())
    done, total = confirmation_lists.progress(person, month)
    only_open = not everything and done < total
    pages = max(1, -(-(total - done if only_open else total) // PAGE))
    number = min(max(number, 1), pages)
    if typed is not None:
        rows = confirmation_lists.page(person, month, ids=sorted(typed))
    else:
        rows = confirmation_lists.page(person, month, number, only_open=only_open)
    lines = [_line(row, typed or {}, errors or {}, clashes or {}) for row in rows]
    people = reference.people(
        i for row in rows for i in (row.standing.manager_id, row.confirmation.user_id if row.confirmation else None)
    )
    form = form or Form(formdata=None)
    return Sheet(month, lines, done, total, number, pages, only_open, people, form, _missed(month))


def _line(
    row: confirmation_lists.Row,
    typed: Mapping[int, Answer],
    errors: Mapping[str, str],
    clashes: Mapping[int, tuple[Confirmation, str]],
) -> Line:
    own, stored = row.enterprise.id, row.confirmation
    seen = stored.version if stored is not None else 0
    error = errors.get(f"note-{own}") or errors.get(f"answer-{own}") or ""
    if own in clashes:
        theirs, who = clashes[own]
        said = ANSWERS.get(theirs.answer, theirs.answer) + (f"：{theirs.note}" if theirs.note else "")
        mine = typed[own]
        return Line(row, mine.answer, mine.note, theirs.version, error, f"{who} 已答“{said}”，没有覆盖。")
    if own in typed:
        return Line(row, typed[own].answer, typed[own].note, typed[own].seen if error else seen, error)
    if stored is not None:
        return Line(row, stored.answer, stored.note or "", seen)
    return Line(row, SAME, "", 0)


def typed_answers(form: MultiDict[str, str] | None = None) -> dict[int, Answer]:
    """The answers of a page that was sent; a name that is no enterprise's is left out."""
    sent: Any = request.form if form is None else form
    found: dict[int, Answer] = {}
    for name in sent:
        head, _, tail = name.partition("-")
        number = whole(tail)
        if head != "answer" or number is None:
            continue
        seen = version_in(sent.get(f"was-{number}"))
        found[number] = Answer(sent.get(name, "")[:16], sent.get(f"note-{number}", ""), seen)
    return found
