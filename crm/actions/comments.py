"""Comments (批注) on an enterprise and on what hangs on it; who is mentioned, and whose matter it is, is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.notices import tell
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.kinds import KINDS
from crm.domain.refusals import InvalidInput, NotFound
from crm.domain.viewers import INTERNAL, Viewer
from crm.domain.words import day, word
from crm.extensions import db
from crm.store.applications import Application
from crm.store.comments import Comment
from crm.store.readers import Reader, readers_of_any
from crm.store.requests import Request
from crm.store.scope import visible, visible_enterprise, visible_record
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.standings import Standing
from crm.store.writer import Written, write

# What may be commented on, by noun.
NOUNS = ("enterprise", "service_log", "request", "application")
LONGEST = 2000
# Nobody calls half the office together by one note.
MOST_MENTIONS = 20
MENTION, COMMENT = "mention", "comment"


@dataclass(frozen=True)
class Subject:
    """What a comment is about: ``called`` in words, ``enterprise_id`` None for an event of many, ``standings`` all of
    its enterprises in sight, ``concerned`` the people whose matter it is."""

    noun: str
    record_id: int
    enterprise_id: int | None
    region_id: int
    called: str
    standings: tuple[Standing, ...]
    concerned: frozenset[int]

    @property
    def told_of(self) -> int:
        """The enterprise a notice about it names."""
        return self.enterprise_id or self.standings[0].enterprise_id


def subject_of(noun: str, record_id: int, viewer: Viewer) -> Subject:
    """The record a comment is about, as far as the viewer sees it. Raises NotFound; so does a noun without comments."""
    if noun == "enterprise":
        return _of_enterprise(noun, record_id, record_id, "企业", viewer)
    if noun == "request":
        request: Request = visible_record(Request, record_id, viewer, "这件诉求")
        return _of_enterprise(noun, record_id, request.enterprise_id, "诉求", viewer, request.author_id)
    if noun == "application":
        application: Application = visible_record(Application, record_id, viewer, "这件申报")
        kind = KINDS[application.kind].short if application.kind in KINDS else application.kind
        return _of_enterprise(noun, record_id, application.enterprise_id, f"{application.year} 年{kind}申报", viewer)
    if noun == "service_log":
        return _of_event(record_id, viewer)
    raise NotFound()


def _of_enterprise(
    noun: str, record_id: int, enterprise_id: int, called: str, viewer: Viewer, author_id: int | None = None
) -> Subject:
    row, standing = visible_enterprise(enterprise_id, viewer)
    concerned = frozenset({standing.manager_id, author_id} - {None})
    return Subject(noun, record_id, row.id, row.region_id, called, (standing,), concerned)  # type: ignore[arg-type]


def _of_event(log_id: int, viewer: Viewer) -> Subject:
    log: ServiceLog = visible_record(ServiceLog, log_id, viewer, "这条服务记录")
    links = select(ServiceLogEnterprise.enterprise_id).where(
        ServiceLogEnterprise.service_log_id == log.id, ~ServiceLogEnterprise.deleted
    )
    query = select(Standing).where(Standing.enterprise_id.in_(links)).order_by(Standing.enterprise_id)
    standings = tuple(db.session.scalars(visible(query, viewer)))
    called = f"{day(log.happened_on)} 的{word(log.kind, 'service_kind')}记录"
    concerned = frozenset({*(one.manager_id for one in standings), log.author_id} - {None})
    return Subject("service_log", log.id, None, log.region_id, called, standings, concerned)  # type: ignore[arg-type]


def may_comment(viewer: Viewer, subject: Subject) -> bool:
    """Whoever reads the inside of the record: a leader comments, a department's liaison does not."""
    return any(INTERNAL in viewer.classes_over(standing) for standing in subject.standings)


def people_for(subject: Subject, on: date) -> list[Reader]:
    """Everybody who reads the record, and so may be mentioned."""
    return readers_of_any(subject.standings, on)


def mentioned_in(text: str, people: Iterable[Reader]) -> list[int]:
    """The ids of those called by @name in a text; of two names of which one begins the other, the longer one is meant.

    A name that two people bear calls both: nobody is left out by chance.
    """
    found: list[int] = []
    known = sorted(people, key=lambda one: -len(one.name))
    for part in text.split("@")[1:]:
        longest = next((one.name for one in known if one.name and part.startswith(one.name)), None)
        found += [one.id for one in known if one.name == longest]
    return list(dict.fromkeys(found))


def write_comment(noun: str, record_id: int, text: str | None, mentions: Iterable[int] = (), *, act: Act) -> Written:
    """Write a comment on a record, and tell the mentioned, the case manager, and who wrote there before.

    ``mentions`` are ids of people; those called by @name in the text are added. Raises NotFound, NotAllowed, and
    InvalidInput for a text that is empty or too long or a person who may not see the record.
    """
    subject = subject_of(noun, record_id, act.viewer)
    require(may_comment(act.viewer, subject), "写批注")
    people = people_for(subject, act.effective_on)
    said, wanted = _checked(text, mentions, people)
    values: dict[str, Any] = {
        "region_id": subject.region_id,
        "noun": noun,
        "record_id": record_id,
        "enterprise_id": subject.enterprise_id,
        "author_id": act.viewer.user_id,
        "author_name": act.viewer.name[:60],
        "written_at": act.recorded_at,
        "text": said,
        "mentions": wanted or None,
    }
    earlier = _authors(noun, record_id)
    written = write(
        [Create("comment", values, "comment")], act=act, action="write_comment", region_id=subject.region_id
    )
    _tell(subject, int(written.ids["comment"]), wanted, earlier, people, act)
    return written


def edit_comment(
    comment_id: int,
    values: Mapping[str, Any],
    mentions: Iterable[int] = (),
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Change the text of the own comment (``values`` may hold ``text``) and who is mentioned; the newly mentioned are
    told. Raises NotFound, NotAllowed for somebody else's, InvalidInput, Conflict."""
    row = _own(comment_id, act)
    subject = subject_of(row.noun, row.record_id, act.viewer)
    people = people_for(subject, act.effective_on)
    before = list(row.mentions or ())
    # Who was mentioned and has left the place since stays mentioned; nobody is added who may not see it.
    allowed = [*people, *(Reader(i, "", "") for i in before)]
    said, wanted = _checked(values.get("text", row.text), mentions, allowed)
    changed = {"text": said, "mentions": wanted or None}
    known = {**(seen or {}), "mentions": row.mentions}
    written = write(
        [Update("comment", row.id, changed, version, known)],
        act=act,
        action="edit_comment",
        region_id=subject.region_id,
    )
    _tell(subject, row.id, [i for i in wanted if i not in before], frozenset(), people, act, only_mentions=True)
    return written


def withdraw_comment(comment_id: int, *, act: Act) -> Written:
    """Take the own comment back; what told of it is told no more. Raises NotFound, NotAllowed for somebody else's."""
    row = _own(comment_id, act)
    return write(
        [withdraw("comment", row.id, row.version)], act=act, action="withdraw_comment", region_id=row.region_id
    )


def is_own(viewer: Viewer, comment: Comment) -> bool:
    """Whether the viewer wrote it: nobody else changes or takes back a comment."""
    return viewer.user_id is not None and comment.author_id == viewer.user_id


def _own(comment_id: int, act: Act) -> Comment:
    row: Comment = visible_record(Comment, comment_id, act.viewer, "这条批注")
    require(is_own(act.viewer, row), "改别人的批注")
    return row


def _checked(text: str | None, mentions: Iterable[int], people: Iterable[Reader]) -> tuple[str, list[int]]:
    """The text and the ids of the mentioned, when both are in order."""
    said = (text or "").replace("\r\n", "\n").strip()
    wrong: dict[str, str] = {}
    if not said:
        wrong["text"] = "写一句批注。"
    elif len(said) > LONGEST:
        wrong["text"] = f"批注最多 {LONGEST:,} 字，现在 {len(said):,} 字。分成两条。"
    known = {one.id for one in people}
    wanted = list(dict.fromkeys([*mentions, *mentioned_in(said, people)]))
    if any(i not in known for i in wanted):
        wrong["mentions"] = "提到的人里有看不到这条记录的。从列表里选。"
    elif len(wanted) > MOST_MENTIONS:
        wrong["mentions"] = f"一条批注最多提到 {MOST_MENTIONS} 人，现在 {len(wanted)} 人。"
    if wrong:
        raise InvalidInput(wrong)
    return said, wanted


def _authors(noun: str, record_id: int) -> frozenset[int]:
    """Who wrote on this record before."""
    query = select(Comment.author_id).where(Comment.noun == noun, Comment.record_id == record_id, ~Comment.deleted)
    return frozenset(i for i in db.session.scalars(query.distinct()) if i is not None)


def _tell(
    subject: Subject,
    comment_id: int,
    mentioned: Iterable[int],
    earlier: frozenset[int],
    people: Iterable[Reader],
    act: Act,
    *,
    only_mentions: bool = False,
) -> None:
    about: dict[str, Any] = {
        "noun": subject.noun,
        "record_id": subject.record_id,
        "enterprise_id": subject.told_of,
        "comment_id": comment_id,
        "act": act,
    }
    called = set(mentioned)
    tell(called, MENTION, f"在{subject.called}的批注里提到你", **about)
    if only_mentions:
        return
    readers = {one.id for one in people}
    tell((subject.concerned | earlier) & readers - called, COMMENT, f"批注了{subject.called}", **about)
