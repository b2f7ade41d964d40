"""Notices (消息): one person is to know of one thing. Machine rows, written with what they tell of."""

from collections.abc import Iterable

from sqlalchemy import select, update

from crm.domain.acts import Act
from crm.extensions import db
from crm.store.comments import Notice

LONGEST = 300


def tell(
    user_ids: Iterable[int | None],
    kind: str,
    text: str,
    *,
    noun: str,
    record_id: int,
    enterprise_id: int | None = None,
    comment_id: int | None = None,
    act: Act,
) -> int:
    """Let people know, each once and never the one who does it, inside the open unit of work. Returns how many."""
    wanted = sorted({i for i in user_ids if i is not None} - {act.viewer.user_id})
    for user_id in wanted:
        db.session.add(
            Notice(
                user_id=user_id,
                kind=kind,
                noun=noun,
                record_id=record_id,
                enterprise_id=enterprise_id,
                text=text if len(text) <= LONGEST else text[: LONGEST - 1] + "…",
                by_name=act.viewer.name[:60],
                comment_id=comment_id,
                made_at=act.recorded_at,
            )
        )
    db.session.flush()
    return len(wanted)


def mark_seen(notice_ids: Iterable[int] | None, *, act: Act) -> int:
    """Mark the viewer's own notices as read, these or (None) all; nobody else's are touched. Returns how many."""
    own = select(Notice.id).where(Notice.user_id == act.viewer.user_id, Notice.seen_at.is_(None))
    if notice_ids is not None:
        own = own.where(Notice.id.in_(sorted(set(notice_ids))))
    done = db.session.execute(update(Notice).where(Notice.id.in_(own)).values(seen_at=act.recorded_at))
    return done.rowcount
