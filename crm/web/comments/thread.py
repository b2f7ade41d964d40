"""The comments of one record as a page shows them, with the form for the next one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import func, select
from wtforms import HiddenField, SelectMultipleField

from crm.extensions import db
from crm.store.comments import Comment
from crm.store.scope import visible
from crm.web import reference
from crm.web.addresses import whole
from crm.web.doors import Form, viewer
from crm.web.enterprises.forms import form_for

# Where a comment on a record is written and read.
PLACES = {
    "enterprise": "comments.of_enterprise",
    "service_log": "comments.of_service_log",
    "request": "comments.of_request",
    "application": "comments.of_application",
}
_ARGUMENTS = {
    "enterprise": "enterprise_id",
    "service_log": "log_id",
    "request": "request_id",
    "application": "application_id",
}
SHOWN = 200


class CommentForm(form_for("comment", ("text",))):  # type: ignore[misc]  # a class made from the declared fields
    mentions = SelectMultipleField(validate_choice=False, coerce=str)
    back = HiddenField()

    def mention_ids(self) -> list[int]:
        """The chosen people; what is no number was never in the picker."""
        return [number for text in self.mentions.data or () if (number := whole(text)) is not None]


@dataclass(frozen=True)
class Said:
    """One comment with the names of those it mentions; ``changed``: it was edited since."""

    comment: Comment
    mentions: list[str]
    changed: bool
    own: bool


@dataclass(frozen=True)
class Thread:
    """The comments of a record, oldest first, and where the next one is written."""

    said: list[Said]
    action: str
    people_url: str
    form: Any
    chosen: list[tuple[int, str]]
    withdraw_key: str
    draft: str


def place_of(noun: str, record_id: int) -> str:
    """The address at which a record's comments are read and written."""
    return url_for(PLACES[noun], **{_ARGUMENTS[noun]: record_id})


def thread_of(noun: str, record_id: int, form: CommentForm | None = None) -> Thread:
    """The comments of a record in two queries, however many there are."""
    query = select(Comment).where(Comment.noun == noun, Comment.record_id == record_id)
    query = visible(query, viewer()).order_by(Comment.written_at.desc(), Comment.id.desc()).limit(SHOWN)
    found = list(reversed(list(db.session.scalars(query))))
    form = form or CommentForm(formdata=None)
    chosen_ids = form.mention_ids()
    names = reference.people([*(i for one in found for i in one.mentions or ()), *chosen_ids])
    return Thread(
        said=[
            Said(
                one,
                [names[i] for i in one.mentions or () if i in names],
                one.version > 1,
                viewer().user_id is not None and one.author_id == viewer().user_id,
            )
            for one in found
        ],
        action=place_of(noun, record_id),
        people_url=url_for("comments.people", noun=noun, record=record_id),
        form=form,
        chosen=[(i, names[i]) for i in chosen_ids if i in names],
        withdraw_key=Form(formdata=None).request_key.data,
        draft=f"comment:{noun}:{record_id}",
    )


def counts_of(noun: str, record_ids: Iterable[int]) -> dict[int, int]:
    """How many comments stand on each of these records, in one query."""
    ids = list(record_ids)
    if not ids:
        return {}
    query = select(Comment.record_id, func.count()).where(Comment.noun == noun, Comment.record_id.in_(ids))
    return dict(db.session.execute(visible(query, viewer()).group_by(Comment.record_id)).all())
