"""The county's first review on the desk: how many applications wait in the window of now, and the first of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import url_for

from crm.domain import reviews, words
from crm.domain.kinds import KINDS
from crm.domain.viewers import Viewer
from crm.store import review_lists
from crm.store.review_lists import QueueRow, QueueWindow
from crm.web import reference
from crm.web.desk.lines import Line
from crm.web.doors import now

# So many lines of today, once the county's deadline is as near as this.
MOST, DAYS_AHEAD = 2, 14


@dataclass(frozen=True)
class Queue:
    """What waits in one window: how many, the address of exactly those, what qualifies the number, the first lines."""

    count: int = 0
    href: str = ""
    note: str = ""
    lines: tuple[Line, ...] = ()


def queue_of(person: Viewer) -> Queue:
    """The queue of the usual window of this person's county; empty for who decides nothing there.

    Who answers for several counties opens the queue itself: no number here could stand for all of them.
    """
    places = [place for place in reference.counties(person) if person.has_in(place.id, "bureau", "admin")]
    if len(places) != 1:
        return Queue()
    place = places[0]
    window = review_lists.usual_window(review_lists.windows_of(place.id, person), now())
    if window is None:
        return Queue()
    count = review_lists.counts(window, place.id, person)[reviews.WAITING]
    href = url_for("reviews.index", window=window.id, region=place.id)
    due_at = window.county_due_at
    note = f"{words.moment(due_at, now())} 截止" if due_at is not None else ""
    if not count or due_at is None or due_at > now() + timedelta(days=DAYS_AHEAD):
        return Queue(count, href, note)
    rows = review_lists.page(reviews.WAITING, window, place.id, person, size=MOST)
    return Queue(count, href, note, tuple(line_of(row, window, place.id, now()) for row in rows))


def line_of(row: QueueRow, window: QueueWindow, region_id: int, at: datetime) -> Line:
    """An application that waits for the county, as a line of today."""
    kind = KINDS[window.kind].short if window.kind in KINDS else window.kind
    text = f"区县初审 · {window.year} 年{kind}{window.batch}，已交，待审"
    chip = words.deadline(window.county_due_at, at) if window.county_due_at is not None else None
    href = url_for("reviews.index", window=window.id, region=region_id, open=row.id)
    return Line(chip, row.name, row.application.enterprise_id, text, href=href, review=row.id)
