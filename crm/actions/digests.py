"""The weekly digest: who is owed one, and putting it into the outbox once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select

from crm.actions.digest_material import compose, is_reader
from crm.actions.messages import queue_mail
from crm.domain.acts import Act
from crm.domain.digests import KIND, week_of
from crm.extensions import db
from crm.mail.compose import Composed
from crm.mail.compose import digest as mail_digest
from crm.store import outbox
from crm.store.holidays import holidays
from crm.store.messages import WRITTEN
from crm.store.settings import setting
from crm.store.users import User, viewer_of


@dataclass(frozen=True)
class Prepared:
    """A composed digest on its way into the outbox; rendering is done before the write lock is taken."""

    user_id: int
    recipient: str
    week: str
    composed: Composed


@dataclass(frozen=True)
class Week:
    """Where the digests of one week stand. ``people`` are {"login", "name", "state", …}, in the order of users."""

    week: str
    queued: int
    already: int
    people: tuple[dict[str, Any], ...] = field(default=())

    @property
    def counts(self) -> dict[str, int]:
        """How many of the week's digests are in each state that people ask about."""
        states = [person["state"] for person in self.people]
        return {state: states.count(state) for state in ("sent", "failed", "uncertain")}


def prepare(on: date, *, now: datetime, by_the_clock: bool = False) -> tuple[list[Prepared], Week]:
    """Compose what is still owed for the week of a day; reads only, so that the write that follows is short.

    Owed: once per person and ISO week, from its first working day on (holidays of an unknown year count by weekends).
    ``by_the_clock``: on that first day also not before the region's hour. Data decide, not the clock's history: after
    a pause of weeks only this week's is owed. ``queued`` of the returned week counts what is about to be queued.
    """
    week = week_of(on)
    first = holidays().first_workday_of_iso_week(on)
    there = outbox.states_of(KIND, week)
    prepared: list[Prepared] = []
    people: list[dict[str, Any]] = []
    already = 0
    for user in _readers(on):
        entry: dict[str, Any] = {"login": user.login, "name": user.name}
        people.append(entry)
        message = there.get(user.id)
        if message is not None:
            already += 1
            entry |= {"state": message.state, "subject": message.subject, "message": message.id}
            entry["written_to_file"] = message.shown_state == WRITTEN
            continue
        reason = _why_not(user, on, first, now if by_the_clock else None)
        if reason:
            entry["state"] = reason
            continue
        content = compose(user.id, on, now=now)
        composed = mail_digest(content, user_id=user.id)
        recipient = setting("redirect_all_mail", user.region_id) or user.email
        prepared.append(Prepared(user.id, recipient, week, composed))
        entry |= {"state": "queued", "subject": composed.subject, "lines": content.line_count}
    return prepared, Week(week, len(prepared), already, tuple(people))


def owed(on: date, *, now: datetime) -> bool:
    """Whether anybody still lacks the digest of this week, by the clock; cheap, composes nothing."""
    first = holidays().first_workday_of_iso_week(on)
    there = outbox.states_of(KIND, week_of(on))
    return any(user.id not in there and not _why_not(user, on, first, now) for user in _readers(on))


def _readers(on: date) -> list[User]:
    """Active users whose grants of the day give them something to read, by id."""
    users = db.session.scalars(select(User).where(User.active, ~User.deleted).order_by(User.id))
    return [user for user in users if is_reader(viewer_of(user, on))]


def _why_not(user: User, on: date, first: date | None, now: datetime | None) -> str | None:
    """Why a person gets none (yet): not_wanted, switched_off, no_email, week_off, not_yet; None when owed."""
    if not user.wants_digest:
        return "not_wanted"
    if not setting("digest_on", user.region_id):
        return "switched_off"
    if not user.email and not setting("redirect_all_mail", user.region_id):
        return "no_email"
    if first is None:
        return "week_off"
    if on < first:
        return "not_yet"
    if now is not None and on == first:
        hour = now.astimezone(ZoneInfo(current_app.config["TZ_NAME"])).hour
        if hour < setting("digest_hour", user.region_id):
            return "not_yet"
    return None


def queue(prepared: Sequence[Prepared], *, act: Act) -> int:
    """Put composed digests into the outbox inside the open unit of work; who has one by now is left out.

    Returns how many were put there. The body is frozen from here on.
    """
    if not prepared:
        return 0
    there = outbox.states_of(KIND, prepared[0].week)
    fresh = [item for item in prepared if item.user_id not in there]
    for item in fresh:
        queue_mail(item.composed, kind=KIND, period=item.week, user_id=item.user_id, recipient=item.recipient, act=act)
    db.session.flush()
    return len(fresh)
