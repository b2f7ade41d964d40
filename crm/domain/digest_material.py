"""Everything a weekly digest is a function of: what is due, silent, imported, ending, and who stands in for whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple


class Due(NamedTuple):
    """One obligation that is not settled. ``due_at`` is an aware moment; ``may_settle``: whether the reader may.

    A region's week is made of ten thousand of them, and a named tuple is made several times faster than a dataclass.
    """

    enterprise_id: int
    name: str
    kind: str
    period: str
    opens_on: date
    due_at: datetime
    overdue: bool
    reason: str
    expected: bool = False
    manager_id: int | None = None
    may_settle: bool = True


@dataclass(frozen=True)
class Silent:
    """An enterprise without contact for ``working_days`` working days, more than its region's limit."""

    enterprise_id: int
    name: str
    working_days: int
    last_on: date
    manager_id: int | None = None


@dataclass(frozen=True)
class Imported:
    """What an import changed of one enterprise: ``what`` are the nouns in words, ``source`` the file's name."""

    enterprise_id: int
    name: str
    source: str
    on: date
    what: tuple[str, ...]


@dataclass(frozen=True)
class Imports:
    """The first ``lines`` of ``count``, about ``firms`` enterprises; ``over``: there are more than were counted."""

    lines: tuple[Imported, ...] = ()
    firms: int = 0
    count: int = 0
    over: bool = False


@dataclass(frozen=True)
class Ending:
    """A title in force that a department owns and that ends soon: ``title`` in words, ``path`` its list."""

    enterprise_id: int
    name: str
    title: str
    ends_on: date
    path: str


@dataclass(frozen=True)
class ManagerCount:
    """One line of the region's summary: a case manager (None: nobody) and how much lies there."""

    manager_id: int | None
    name: str
    overdue: int
    soon: int
    silent: int


@dataclass(frozen=True)
class StandIn:
    """Somebody who is away and whose deputy the reader is: the lines that person would get, until a day (None: open).

    ``count`` is how many are due within a month or late; ``due`` are the first of them.
    """

    user_id: int
    name: str
    until: date | None
    due: tuple[Due, ...]
    count: int
    silent: int


@dataclass(frozen=True)
class LateOf:
    """What is late of one of the reader's people: how many, and kind and deadline of what is late for longest."""

    user_id: int
    name: str
    count: int
    kind: str
    due_at: datetime


@dataclass(frozen=True)
class Material:
    """Everything a digest is a function of.

    Of a kind and deadline that thousands share, ``due`` holds the first, ``unlisted`` how many more there are by
    (overdue, kind, deadline).
    ``own`` says whether the lists are the person's own enterprises (else the region's), ``narrowed`` whether the person
    sees others beside them, so that a list has to be narrowed to show the same; ``managers`` is the region's
    summary (bureau), ``counts`` are (words, number, measure, path) for a leader or a department, ``endings`` the
    titles a department owns, ``chores`` (words, number, measure, path) what waits for an administrator, ``asked`` the
    same of what firms ask for, ``unread`` how many notices nobody opened.
    ``silent`` are the first of ``silent_count``.
    ``has_due`` says whether the person answers for what is due at all. ``stand_ins`` are the colleagues the person
    stands in for, ``late_of`` what is late of the people the person supervises.
    """

    due: tuple[Due, ...] = ()
    unlisted: Mapping[tuple[bool, str, datetime], int] = field(default_factory=dict)
    silent: tuple[Silent, ...] = ()
    silent_count: int = 0
    never_contacted: int = 0
    imported: Imports = Imports()
    enterprise_count: int = 0
    own: bool = True
    narrowed: bool = False
    managers: tuple[ManagerCount, ...] = ()
    counts: tuple[tuple[str, int, str, str], ...] = ()
    endings: tuple[Ending, ...] = ()
    chores: tuple[tuple[str, int, str, str], ...] = ()
    asked: tuple[tuple[str, int, str, str], ...] = ()
    unread: int = 0
    has_due: bool = True
    stand_ins: tuple[StandIn, ...] = ()
    late_of: tuple[LateOf, ...] = ()
