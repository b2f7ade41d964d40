"""The lines of today: what is late or near, things due together told once, and who was not heard of for long."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from crm.domain import words
from crm.domain.cadences import INTERNAL_KINDS, NEXT_STEP
from crm.domain.requests import RATED, REPLIED, state_of
from crm.domain.viewers import Viewer
from crm.domain.workdays import Holidays
from crm.store import desk, obligation_lists, request_lists
from crm.store.confirmation_lists import Told
from crm.store.obligation_lists import Filter, Pivot, Row, day_of
from crm.store.requests import Request

MOST = 10
# What is due later than this is planning and not a day's work.
DAYS_AHEAD = 30
# From so many enterprises with the same thing due on the same day, one line names the first and counts the others.
TOGETHER = 3
# However much is due, this many lines are kept for those who were not heard of for long, and for requests to hand on
# or to end.
KEPT_FOR_SILENCE = 2
KEPT_FOR_REQUESTS = 2
# So many of what townships said has changed, for whom it is told.
MOST_TOLD = 2


@dataclass(frozen=True)
class Line:
    """One line: an obligation (``row``), a silent enterprise (``quiet``), a request (``asked``) that somebody has to
    hand on or to answer, an application to look at (``review``: its id), or what a township said has changed
    (``told``, with its ``word``); ``others`` counts those due with it."""

    chip: words.Deadline | None
    name: str
    enterprise_id: int
    text: str
    row: Row | None = None
    others: int = 0
    href: str = ""
    quiet: desk.Quiet | None = None
    asked: Request | None = None
    review: int = 0
    told: Told | None = None
    word: str = ""

    @property
    def answered(self) -> bool:
        """Whether it is a request that was answered, so that it waits for the firm's opinion and for its end."""
        return self.asked is not None and state_of(self.asked, date.max) in (REPLIED, RATED)

    @property
    def counts_as_due(self) -> bool:
        """Whether it is one of what the numbers under the lines count."""
        return self.row is not None


def todays(
    viewer: Viewer,
    wanted: Filter,
    counts: Pivot,
    *,
    now: datetime,
    silent: list[Line],
    internal: bool,
    raised: Sequence[Line] = (),
    most: int = MOST,
) -> list[Line]:
    """At most ten lines (``most``: fewer), the most pressing first.

    Two places each are kept for requests that nobody was given yet or that were answered (``raised``) and for silent
    enterprises, when there are any.
    """
    until = obligation_lists.midnight(words.local(now).date() + timedelta(days=DAYS_AHEAD + 1))
    cells = _nearest(counts, wanted, until)
    rows = obligation_lists.first_of_each(wanted, viewer, {due_at for _, due_at, _ in cells}, now=now, each=MOST)
    by_cell: dict[tuple[str, datetime], list[Row]] = defaultdict(list)
    for row in rows:
        by_cell[(row.kind, row.due_at)].append(row)
    lines: list[Line] = []
    for kind, due_at, n in cells:
        here = by_cell[(kind, due_at)]
        if not here:
            continue
        if n >= TOGETHER and kind not in INTERNAL_KINDS:
            lines.append(_together(here[0], n, wanted, now, internal, viewer.user_id))
        else:
            lines += [_single(row, now, internal) for row in here]
    handed = list(raised[:KEPT_FOR_REQUESTS])
    room = most - len(handed) - min(len(silent), KEPT_FOR_SILENCE)
    lines = [*lines[: max(room, most - len(handed) - len(silent))], *handed]
    return [*lines, *silent[: most - len(lines)]]


def _nearest(counts: Pivot, wanted: Filter, until: datetime) -> list[tuple[str, datetime, int]]:
    """The nearest (kind, deadline, how many), enough to fill the lines."""
    near = ((cell[2], cell[1], n) for cell, n in counts.cells.items() if cell[0] == "waiting" and cell[2] <= until)
    found = sorted(near)
    return [(kind, due_at, n) for due_at, kind, n in found[:MOST]]


def _single(row: Row, now: datetime, internal: bool) -> Line:
    return Line(words.deadline(row.due_at, now), row.name, row.enterprise_id, said(row, internal), row=row)


def said(row: Row, internal: bool) -> str:
    """What is due and why, in one line."""
    what = words.OBLIGATION_KINDS.get(row.kind, row.kind)
    if row.kind == NEXT_STEP:
        agreed = row.reason.partition("：")[0]
        return f"{what}：{row.steps[0] if row.steps else ''} · {agreed}"
    what += "（预计）" if row.expected else ""
    return f"{what} · {row.reason}" if internal else what


def _together(row: Row, n: int, wanted: Filter, now: datetime, internal: bool, viewer_id: int | None) -> Line:
    line = _single(row, now, internal)
    what = words.OBLIGATION_KINDS.get(row.kind, row.kind) + ("（预计）" if row.expected else "")
    # The list is the own one unless it says whose.
    manager = (
        {"manager": "all"} if wanted.mine is None else {} if wanted.mine == viewer_id else {"manager": wanted.mine}
    )
    href = "/due?" + urlencode({"kind": row.kind, "month": day_of(row.due_at).isoformat(), **manager})
    return replace(line, text=f"{what} · 还有 {n - 1:,} 家同一期限", others=n - 1, href=href)


def silent_lines(quiet: Iterable[desk.Quiet], *, on: date, holidays: Holidays) -> list[Line]:
    """A line per enterprise without contact for more working days than its limit."""
    return [
        Line(
            words.Deadline(words.working_days(holidays.workdays_between(item.last_contact_on, on)), "", ""),
            item.name,
            item.enterprise_id,
            f"久未联系 · 限 {item.limit} 个工作日；上次 {words.day_long(item.last_contact_on, on)}",
            quiet=item,
        )
        for item in quiet
    ]


def request_lines(found: Iterable[request_lists.Row], *, now: datetime) -> list[Line]:
    """A line per request that waits for somebody to hand it to a department, for an answer, or for its end."""
    lines = []
    for item in found:
        one = item.request
        line = Line(None, item.name, one.enterprise_id, one.text, asked=one)
        if line.answered:
            wanted = "诉求待办结" if one.rating is not None else "诉求待评价、办结"
            # Its day was that of the answer; nothing is late any more.
            lines.append(replace(line, text=f"{wanted} · {one.reply or one.text}"))
            continue
        chip = words.deadline(one.due_on, now) if one.due_on is not None else None
        what = "诉求待交办" if one.dispatched_on is None else "诉求待回复"
        lines.append(replace(line, chip=chip, text=f"{what} · {one.text}"))
    return lines


def told_lines(found: Iterable[Told], answers: Mapping[str, str]) -> list[Line]:
    """A line per enterprise of which a township or park said that something has changed; ``answers`` are its words."""
    lines = []
    for one in found:
        said, word = one.confirmation, answers.get(one.confirmation.answer, one.confirmation.answer)
        text = f"{said.month.month} 月确认说{word}" + (f" · {said.note}" if said.note else "")
        lines.append(Line(None, one.name, said.enterprise_id, text, told=one, word=word))
    return lines


def as_text(lines: list[Line], *, head: str, counts: dict[str, int]) -> str:
    """The lines as plain text, to be pasted into a chat; no figure of class confidential stands in it."""
    said_first = [head]
    if any(counts.values()):
        said_first.append("；".join(f"{label} {n:,} 项" for label, n in counts.items() if n))
    numbered = [
        f"{n}. [{line.chip.text or line.chip.date if line.chip else ''}] {line.name}　{line.text}"
        for n, line in enumerate(lines, 1)
    ]
    return "\n".join([*said_first, *numbered])
