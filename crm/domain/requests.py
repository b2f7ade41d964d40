"""Requests (企业诉求): in what state one is, and what may be done to it next. Plain values in, an answer out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from crm.domain.fields import fields_of

RAISED, DISPATCHED, TRANSFERRED, OVERDUE = "raised", "dispatched", "transferred", "overdue"
REPLIED, RATED, CLOSED = "replied", "rated", "closed"
# In the order in which a request goes through them; overdue stands where something is waited for.
STATES: dict[str, str] = {
    RAISED: "待交办",
    DISPATCHED: "在办",
    TRANSFERRED: "已转平台",
    OVERDUE: "逾期",
    REPLIED: "已回复",
    RATED: "已评价",
    CLOSED: "已办结",
}
# The class of the pill (design.md, state colours).
STATE_CLASSES: dict[str, str] = {
    RAISED: "hold",
    DISPATCHED: "prog",
    TRANSFERRED: "prog",
    OVERDUE: "bad",
    REPLIED: "pers",
    RATED: "ok",
    CLOSED: "na",
}
# What somebody still has to answer.
UNANSWERED = frozenset({RAISED, DISPATCHED, TRANSFERRED, OVERDUE})

RATINGS: dict[int, str] = {5: "非常满意", 4: "满意", 3: "一般", 2: "不满意", 1: "很不满意"}

LABELS = {field.code: field.label for field in fields_of("request")}
# No such day lies in the future.
_DAYS = ("raised_on", "transferred_on", "dispatched_on", "replied_on", "closed_on")


class Steps(Protocol):
    """The days of a request, as its record has them."""

    @property
    def raised_on(self) -> date: ...
    @property
    def transferred_on(self) -> date | None: ...
    @property
    def dispatched_on(self) -> date | None: ...
    @property
    def due_on(self) -> date | None: ...
    @property
    def replied_on(self) -> date | None: ...
    @property
    def rating(self) -> int | None: ...
    @property
    def closed_on(self) -> date | None: ...


@dataclass(frozen=True)
class Request:
    """The days of one request."""

    raised_on: date
    transferred_on: date | None = None
    dispatched_on: date | None = None
    due_on: date | None = None
    replied_on: date | None = None
    rating: int | None = None
    closed_on: date | None = None


def state_of(request: Steps, on: date) -> str:
    """The state of a request on a day: the farthest step taken; overdue while an answer is owed and its day is over."""
    if request.closed_on is not None:
        return CLOSED
    if request.replied_on is not None:
        return REPLIED if request.rating is None else RATED
    if request.due_on is not None and request.due_on < on:
        return OVERDUE
    if request.dispatched_on is not None:
        return DISPATCHED
    # The platform may have been told by the firm what it thinks of the answer: nothing is left but to close it.
    if request.transferred_on is not None:
        return TRANSFERRED if request.rating is None else RATED
    return RAISED


def may_close(request: Steps) -> bool:
    """Whether a request may be closed: it was answered, or passed on to the platform where it is followed."""
    return request.closed_on is None and (request.replied_on is not None or request.transferred_on is not None)


def may_rate(request: Steps) -> bool:
    """Whether the firm can have an opinion: of an answer, or of what the platform did; not once it is closed."""
    return may_close(request)


def problems(values: Mapping[str, Any], *, today: date) -> dict[str, str]:
    """What is wrong with a request as a whole: {field: one Chinese sentence}; empty when nothing is."""
    wrong: dict[str, str] = {}
    raised_on = values.get("raised_on")
    if raised_on is None:
        wrong["raised_on"] = "填提出日期。"
    if not values.get("category"):
        wrong["category"] = "选类别。"
    if not (values.get("text") or "").strip():
        wrong["text"] = "写明企业要解决什么。"
    for name in _DAYS:
        day = values.get(name)
        if day is None:
            continue
        if day > today:
            wrong[name] = f"{LABELS[name]} {day} 还没到。改成实际的日期。"
        elif raised_on is not None and day < raised_on:
            wrong[name] = f"{LABELS[name]} {day} 早于提出日期 {raised_on}。改正其中一个。"
    dispatched_on, due_on = values.get("dispatched_on"), values.get("due_on")
    begins = dispatched_on or raised_on
    if due_on is not None and begins is not None and due_on < begins:
        wrong["due_on"] = f"回复期限 {due_on} 早于{'交办' if dispatched_on else '提出'}日期 {begins}。改正其中一个。"
    rating = values.get("rating")
    if rating is not None and rating not in RATINGS:
        wrong["rating"] = "评价是 1 到 5 分。选一个。"
    return wrong
