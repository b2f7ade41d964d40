"""Absences (离岗): who is away from when to when, and who stands in meanwhile.

While it lasts the deputy sees and edits the enterprises of the absent person as that person would, inside the regions
where the deputy is case manager too; the enterprises stay the absent person's, and the history names who did it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.store.absences import Absence, overlapping
from crm.store.regions import Region, regions_above
from crm.store.scope import visible_record
from crm.store.settings import setting
from crm.store.users import Grant, User, viewer_of
from crm.store.validity import in_force
from crm.store.writer import Written, write

FIELDS = ("deputy_id", "starts_on", "ends_on", "reason")
REASON_LENGTH = 200


def record_absence(user_id: int, values: Mapping[str, Any], *, act: Act) -> Written:
    """Put on record that somebody is away: oneself, or a person of the office's region.

    Raises NotFound, NotAllowed, InvalidInput naming the field (days, deputy, another absence in the same days).
    """
    user = person_of(user_id, act.viewer)
    row = _checked(user, values, act)
    changes = [Create("absence", {"user_id": user.id, **row}, "absence")]
    return write(changes, act=act, action="record_absence", region_id=user.region_id)


def edit_absence(
    absence_id: int, values: Mapping[str, Any], *, version: int, act: Act, seen: Mapping[str, Any] | None = None
) -> Written:
    """Change days, deputy or reason. Raises like ``record_absence``, and Conflict."""
    absence = visible_record(Absence, absence_id, act.viewer, "这次离岗")
    user = person_of(absence.user_id, act.viewer)
    stored = {name: getattr(absence, name) for name in FIELDS}
    row = _checked(user, stored | dict(values), act, without=absence.id)
    change = Update("absence", absence.id, {name: row[name] for name in values if name in row}, version, seen)
    return write([change], act=act, action="edit_absence", region_id=user.region_id)


def withdraw_absence(absence_id: int, *, version: int, act: Act) -> Written:
    """Take an absence off the record: it never was. Who is back earlier changes the last day instead."""
    absence = visible_record(Absence, absence_id, act.viewer, "这次离岗")
    user = person_of(absence.user_id, act.viewer)
    changes = [withdraw("absence", absence.id, version)]
    return write(changes, act=act, action="withdraw_absence", region_id=user.region_id)


def person_of(user_id: int, viewer: Viewer) -> User:
    """Whose absences this viewer keeps: the own, and those of the office's people.

    Raises NotFound for a stranger, NotAllowed for a deputy, who may read it only.
    """
    user = db.session.get(User, user_id)
    if user is None or user.deleted:
        raise NotFound("这名用户")
    if user.id == viewer.user_id or viewer.has_in(user.region_id, *OFFICE):
        return user
    if user.id in viewer.stands_in_for:
        raise NotAllowed("离岗由本人或业务科室登记，代理人只能看。")
    raise NotFound("这名用户")


def may_keep(user_id: int, viewer: Viewer) -> bool:
    """Whether this viewer may change the absences of a user, for pages that offer it."""
    try:
        person_of(user_id, viewer)
    except (NotFound, NotAllowed):
        return False
    return True


def deputies_for(person: User, on: date) -> list[User]:
    """Active colleagues who hold the same kind of grant where the person holds it on a day, by id."""
    grants = viewer_of(person, on).grants
    regions = frozenset[int]().union(*(grant.region_ids for grant in grants))
    holders = select(Grant.user_id).where(
        Grant.role.in_({grant.role for grant in grants}),
        Grant.region_id.in_(regions | regions_above(regions)),
        ~Grant.deleted,
        in_force(Grant, on),
    )
    query = select(User).where(User.id.in_(holders), User.id != person.id, User.active, ~User.deleted)
    return list(db.session.scalars(query.order_by(User.id)))


def _checked(user: User, values: Mapping[str, Any], act: Act, *, without: int | None = None) -> dict[str, Any]:
    """The columns of an absence. Raises InvalidInput."""
    row = {name: values.get(name) for name in FIELDS}
    starts_on, ends_on = row["starts_on"], row["ends_on"]
    wrong: dict[str, str] = {}
    if starts_on is None:
        wrong["starts_on"] = "填离岗的第一天。"
    elif ends_on is not None and ends_on < starts_on:
        wrong["ends_on"] = f"最后一天 {ends_on} 早于第一天 {starts_on}。改正其中一个，或留空表示回来的日子没定。"
    elif (other := overlapping(user.id, starts_on, ends_on, without=without)) is not None:
        until = other.ends_on or "回来为止"
        wrong["starts_on"] = f"{user.name}已登记 {other.starts_on} 到 {until} 离岗。改那一条，或换日子。"
    row["reason"] = (row["reason"] or "").strip() or None
    if row["reason"] and len(row["reason"]) > REASON_LENGTH:
        wrong["reason"] = f"事由不超过 {REASON_LENGTH} 个字。"
    if starts_on is not None and row["deputy_id"] is not None:
        said = _why_not_deputy(user, row["deputy_id"], max(starts_on, act.effective_on), starts_on, ends_on)
        if said:
            wrong["deputy_id"] = said
    if wrong:
        raise InvalidInput(wrong)
    return row


def _why_not_deputy(user: User, deputy_id: int, on: date, starts_on: date, ends_on: date | None) -> str | None:
    if deputy_id == user.id:
        return "代理人要是另一个人。"
    fit = {one.id: one for one in deputies_for(user, on)}
    if deputy_id not in fit:
        region = db.session.scalar(select(Region.name).where(Region.id == user.region_id))
        manager = setting("manager_word", user.region_id)
        return f"选的人在{region or '本区'}没有同样的授权，代不了。代{manager}的要是那里的{manager}。"
    away = overlapping(deputy_id, starts_on, ends_on)
    if away is not None:
        return f"{fit[deputy_id].name}从 {away.starts_on} 起也离岗。换一名代理人。"
    return None
