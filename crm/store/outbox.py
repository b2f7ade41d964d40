"""The outbox's states, moved by compare-and-set: whoever changes the row from the expected state owns the next step.

Every function here needs an open unit of work. Sending itself happens between two of them.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_, select, update

from crm.extensions import db
from crm.store.jobs import Job
from crm.store.messages import Message

MOST_ATTEMPTS = 5
# Waits after the first, second … failed attempt.
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))

INTERRUPTED = "发送时程序中断，邮件服务器可能已经收下。问过本人再决定是否再发。"


def _ready(now: datetime):
    """Waiting for its first attempt, or failed with another attempt allowed by now."""
    due = or_(Message.not_before.is_(None), Message.not_before <= now)
    return or_(
        (Message.state == "queued") & due,
        (Message.state == "failed") & (Message.attempts < MOST_ATTEMPTS) & Message.not_before.is_not(None) & due,
    )


def anything_ready(now: datetime) -> bool:
    """Whether a worker would find something to send; reads only."""
    return db.session.scalar(select(Message.id).where(_ready(now)).limit(1)) is not None


def claim_next(worker: str, now: datetime) -> int | None:
    """Take the next message for this worker and mark it as being sent; None when there is nothing to send."""
    while True:
        message_id = db.session.scalar(select(Message.id).where(_ready(now)).order_by(Message.id).limit(1))
        if message_id is None:
            return None
        taken = db.session.execute(
            update(Message)
            .where(Message.id == message_id, _ready(now))
            .values(state="sending", worker=worker, state_at=now, attempts=Message.attempts + 1, error=None)
            .execution_options(synchronize_session=False)
        )
        if taken.rowcount == 1:
            return message_id


def settle(message_id: int, worker: str, now: datetime, state: str, **values: Any) -> bool:
    """Say how a claimed message ended. False when it is no longer this worker's.

    A message called uncertain meanwhile may still be settled by the worker that really had it: it knows better.
    """
    result = db.session.execute(
        update(Message)
        .where(Message.id == message_id, Message.worker == worker, Message.state.in_(("sending", "uncertain")))
        .values(state=state, state_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1


def next_attempt_at(attempts: int, now: datetime) -> datetime | None:
    """When a message that failed ``attempts`` times is tried again; None when it is not."""
    return now + BACK_OFF[attempts - 1] if 1 <= attempts <= len(BACK_OFF) else None


def orphans() -> Iterable[int]:
    """Messages being sent whose worker no longer holds a job: nobody knows whether they arrived; reads only."""
    alive = exists().where(Job.worker == Message.worker, Job.state == "running", Job.kind == "send_outbox")
    return db.session.scalars(select(Message.id).where(Message.state == "sending", ~alive)).all()


def mark_uncertain(message_ids: Iterable[int], now: datetime) -> int:
    """Leave the decision about these messages to a person. Returns how many were still being sent."""
    alive = exists().where(Job.worker == Message.worker, Job.state == "running", Job.kind == "send_outbox")
    result = db.session.execute(
        update(Message)
        .where(Message.id.in_(list(message_ids)), Message.state == "sending", ~alive)
        .values(state="uncertain", state_at=now, error=INTERRUPTED)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount


def states_of(kind: str, period: str) -> dict[int, Message]:
    """The messages of one kind and period by user."""
    query = select(Message).where(Message.channel == "mail", Message.kind == kind, Message.period == period)
    return {message.user_id: message for message in db.session.scalars(query.order_by(Message.id))}
