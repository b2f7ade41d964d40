"""Messages: put into the outbox, and what a person may decide about one that did not go out."""

from sqlalchemy import select, update

from crm.actions.jobs import ask_for
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.refusals import Refused
from crm.domain.viewers import OFFICE
from crm.extensions import db
from crm.mail.compose import Composed
from crm.store.access_log import AccessLog
from crm.store.messages import Message
from crm.store.scope import visible_record
from crm.store.users import User


def queue_mail(mail: Composed, *, kind: str, period: str, user_id: int, recipient: str, act: Act) -> None:
    """Put a composed mail into the outbox inside the open unit of work; its body is frozen from here on.

    ``kind`` and ``period`` keep it from being queued twice for the same mailbox. It is for the caller to flush, and to
    ask for the worker that sends.
    """
    db.session.add(
        Message(
            user_id=user_id,
            channel="mail",
            kind=kind,
            period=period,
            recipient=recipient[:160],
            subject=mail.subject[:300],
            text=mail.text,
            html=mail.html,
            headers={},
            message_id=mail.message_id,
            state="queued",
            attempts=0,
            queued_at=act.recorded_at,
            state_at=act.recorded_at,
        )
    )


def send_again(message_id: int, *, act: Act) -> Message:
    """Queue a message that failed or whose arrival is unknown; who did so is kept in the access log.

    The same text with the same Message-ID goes out, so a mailbox that has it already can tell. Raises NotFound,
    NotAllowed, Refused when it is on its way or sent.
    """
    message = _own_office(message_id, act, "再发消息")
    changed = db.session.execute(
        update(Message)
        .where(Message.id == message_id, Message.state.in_(("failed", "uncertain", "cancelled")))
        .values(state="queued", attempts=0, not_before=None, error=None, worker=None, state_at=act.recorded_at)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:
        raise Refused("这条消息正在发送或已经发出，不用再发。")
    _log(message, act, "send_again")
    ask_for("send_outbox", {}, act=act)
    return message


def let_be(message_id: int, *, act: Act) -> Message:
    """Decide that a message need not go out: it waits, failed, or has arrived after all. Logged like sending again."""
    message = _own_office(message_id, act, "决定不再发送")
    changed = db.session.execute(
        update(Message)
        .where(Message.id == message_id, Message.state.in_(("queued", "failed", "uncertain")))
        .values(state="cancelled", not_before=None, state_at=act.recorded_at)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:
        raise Refused("这条消息正在发送或已经发出，停不下来。")
    _log(message, act, "let_be")
    return message


def _own_office(message_id: int, act: Act, what: str) -> Message:
    message = visible_record(Message, message_id, act.viewer, "这条消息")
    region_id = db.session.scalar(select(User.region_id).where(User.id == message.user_id))
    require(act.viewer.has_in(region_id, *OFFICE), what)
    return message


def _log(message: Message, act: Act, what: str) -> None:
    db.session.add(
        AccessLog(
            at=act.recorded_at,
            user_id=act.viewer.user_id,
            who=act.viewer.name,
            what=what,
            subject=f"message {message.id}, {message.kind} {message.period}, user {message.user_id}"[:200],
            rows=1,
            request_id=act.request_id,
        )
    )
