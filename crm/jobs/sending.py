"""Sending what waits in the outbox: claim and commit, then the mail server, then the outcome."""

from datetime import UTC, datetime
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import select

from crm.actions import password_resets
from crm.extensions import db
from crm.jobs.registry import Progress, work
from crm.mail.send import NotSent, Outgoing, Uncertain, send
from crm.store import outbox
from crm.store.messages import Message
from crm.store.settings import setting
from crm.store.unit_of_work import DatabaseBusy, unit_of_work
from crm.store.users import User

# Each waits as long as the database lets us wait; after that the message is uncertain, and a person is asked.
SETTLE_ATTEMPTS = 5

log = structlog.get_logger("crm.jobs")


@work("send_outbox")
def send_outbox(progress: Progress, payload: dict[str, Any]) -> dict[str, int]:
    """Send every message that is ready, one after the other; several workers may do it side by side.

    A message found half sent by a dead worker becomes uncertain and is left to a person.
    """
    counts = {"sent": 0, "failed": 0, "uncertain": settle_orphans()}
    done = 0
    while True:
        progress.step(done)
        with unit_of_work():
            progress.confirm()
            message_id = outbox.claim_next(progress.worker, datetime.now(UTC))
        if message_id is None:
            return counts
        counts[_send_one(message_id, progress.worker)] += 1
        done += 1


def settle_orphans() -> int:
    """Mark what dead workers left half sent as uncertain, for a person to decide. Returns how many there were."""
    found = outbox.orphans()
    db.session.rollback()
    if not found:
        return 0
    with unit_of_work():
        marked = outbox.mark_uncertain(found, datetime.now(UTC))
    for message_id in found:
        log.warning("message uncertain after its worker died", message=message_id)
    return marked


def _send_one(message_id: int, worker: str) -> str:
    outgoing, attempts = _outgoing(message_id)
    db.session.rollback()
    settings = current_app.config["SETTINGS"]
    try:
        send(outgoing, smtp_url=settings.smtp_url, folder=settings.instance_dir / "outbox")
    except Uncertain as error:
        log.warning("message uncertain", message=message_id, error=error.technical)
        return _settle(message_id, worker, "uncertain", error=error.sentence)
    except NotSent as error:
        log.warning("message not sent", message=message_id, attempt=attempts, error=error.technical)
        again = None if error.final else outbox.next_attempt_at(attempts, datetime.now(UTC))
        sentence = error.sentence + ("过一会儿自动再试。" if again else "不再自动重试。")
        return _settle(message_id, worker, "failed", error=sentence[:500], not_before=again)
    # Without a server the message lies in a folder of this machine: done with, but nobody got it.
    sent_at = datetime.now(UTC) if settings.smtp_url is not None else None
    log.info("message sent" if sent_at else "message written to a file", message=message_id, attempt=attempts)
    return _settle(message_id, worker, "sent", sent_at=sent_at, recipient=outgoing.recipient, error=None)


def _settle(message_id: int, worker: str, state: str, **values: Any) -> str:
    """Note how it ended. The mail is out by now, so a busy database is waited for and not given up on at once."""
    for patience in range(SETTLE_ATTEMPTS, 0, -1):
        try:
            with unit_of_work():
                ours = outbox.settle(message_id, worker, datetime.now(UTC), state, **values)
            break
        except DatabaseBusy:
            if patience == 1:
                raise
    if not ours:
        log.error("message changed hands while it was sent", message=message_id, state=state)
    return state


def _outgoing(message_id: int) -> tuple[Outgoing, int]:
    query = select(Message, User.region_id, User.login).join(User, User.id == Message.user_id)
    message, region_id, login = db.session.execute(query.where(Message.id == message_id)).one()
    # Asked again now: whoever redirects all mail means also what was composed before.
    recipient = setting("redirect_all_mail", region_id) or message.recipient
    text, html = message.text, message.html
    if message.kind == password_resets.KIND:
        # A link that opens an account goes to its owner's mailbox or nowhere, and stands in no table.
        recipient = message.recipient
        text = password_resets.with_link(text, message.period)
        html = password_resets.with_link(html or "", message.period)
    outgoing = Outgoing(
        sender=current_app.config["SETTINGS"].mail_from,
        recipient=recipient,
        subject=message.subject,
        text=text,
        html=html,
        headers=dict(message.headers or {}),
        message_id=message.message_id,
        sent_at=datetime.now(UTC),
        file_name=f"{message.id:06d}-{message.kind}-{message.period}-{login}.eml",
    )
    return outgoing, message.attempts
