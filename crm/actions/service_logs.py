"""Service logs: one event, one or many enterprises, its true day and author, and what is to follow."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.rights import may_log, require
from crm.actions.uploads import Upload, creations
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update, withdraw
from crm.domain.fields import fields_of
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound
from crm.domain.viewers import OFFICE, Viewer
from crm.domain.words import join
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.scope import visible, visible_record
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.standings import Standing
from crm.store.users import User
from crm.store.writer import Written, write

CODES = tuple(field.code for field in fields_of("service_log"))


def decide(
    values: Mapping[str, Any],
    enterprise_ids: Iterable[Any],
    *,
    region_id: int,
    author_id: int | None,
    imported: bool = False,
    key: Hashable = "service_log",
) -> list[Create]:
    """The creations of one event and its links: pure. ``enterprise_ids`` are ids or Refs of the same write."""
    stated = {code: values[code] for code in CODES if values.get(code) is not None}
    event = Create("service_log", {**stated, "region_id": region_id, "author_id": author_id, "imported": imported}, key)
    return [event, *(link(key, enterprise_id) for enterprise_id in enterprise_ids)]


def link(key: Hashable, enterprise_id: Any) -> Create:
    """One more enterprise for an event of the same write."""
    return Create("service_log_enterprise", {"service_log_id": Ref(key), "enterprise_id": enterprise_id})


def problems(values: Mapping[str, Any], *, today: date) -> dict[str, str]:
    """What is wrong with an event, as {field code: sentence}. Any past day is fine, tomorrow is not."""
    wrong: dict[str, str] = {}
    happened_on, due_on = values.get("happened_on"), values.get("next_step_on")
    if happened_on is None:
        wrong["happened_on"] = "填发生的日期。"
    elif happened_on > today:
        wrong["happened_on"] = f"日期 {happened_on} 还没到。改成实际发生的日期。"
    if not values.get("kind"):
        wrong["kind"] = "选服务方式。"
    if not (values.get("text") or "").strip():
        wrong["text"] = "写一两句内容。"
    if due_on is not None and not (values.get("next_step") or "").strip():
        wrong["next_step"] = "填了期限，还缺下一步做什么。补上，或清空期限。"
    if due_on is not None and happened_on is not None and due_on < happened_on:
        wrong["next_step_on"] = f"下一步期限 {due_on} 早于发生日期 {happened_on}。改正其中一个。"
    return wrong


def authors(region_id: int) -> dict[str, int]:
    """Users of a region by name, without the names that two of them share: a written name is one of them or nobody."""
    found: dict[str, int] = {}
    shared: set[str] = set()
    query = select(User.id, User.name).where(User.region_id == region_id, ~User.deleted)
    for user_id, name in db.session.execute(query):
        if name in found:
            shared.add(name)
        found[name] = user_id
    return {name: user_id for name, user_id in found.items() if name not in shared}


def log_service(
    enterprise_ids: Iterable[int],
    values: Mapping[str, Any],
    *,
    author_id: int | None = None,
    uploads: Sequence[Upload] = (),
    act: Act,
) -> Written:
    """Log one event for these enterprises, with its photos and papers if there are any.

    Its author is whoever did it: the user named by ``author_id``, else the name in ``author_name`` (tied to a user when
    exactly one fits), else the viewer. Raises InvalidInput (no enterprise, no day, a day to come …), NotFound for an
    enterprise that is not the viewer's to see, NotAllowed for one that may be seen but not logged for.
    """
    ids = list(dict.fromkeys(enterprise_ids))
    wrong = problems(values, today=act.effective_on)
    if not ids:
        wrong["enterprises"] = "选至少一家企业。"
    if wrong:
        raise InvalidInput(wrong)
    standings = list(db.session.scalars(visible(select(Standing).where(Standing.enterprise_id.in_(ids)), act.viewer)))
    if len(standings) != len(ids):
        raise NotFound("其中一家企业")
    _require_may_log(standings, act)
    region_ids = {standing.region_id for standing in standings}
    if len(region_ids) > 1:
        raise InvalidInput({"enterprises": "一次记录里的企业要在同一个区县。分开记。"})
    region_id = region_ids.pop()
    name, author_id = _author(values.get("author_name"), author_id, region_id, act)
    changes = decide({**values, "author_name": name}, ids, region_id=region_id, author_id=author_id)
    hung = {"noun": "service_log", "record_id": Ref("service_log"), "region_id": region_id, "enterprise_id": None}
    changes += creations(uploads, **hung, act=act)
    return write(changes, act=act, action="log_service", region_id=region_id)


def _author(name: str | None, author_id: int | None, region_id: int, act: Act) -> tuple[str, int | None]:
    if author_id is not None:
        user = db.session.get(User, author_id)
        if user is None or user.deleted:
            raise InvalidInput({"author_name": "没有这个用户。从列表里选。"})
        return user.name, user.id
    if name and name != act.viewer.name:
        return name, authors(region_id).get(name)
    return act.viewer.name, act.viewer.user_id


def may_change(viewer: Viewer, log: ServiceLog) -> bool:
    """Whether the viewer may change or withdraw an event: whoever wrote it, and the bureau of its region."""
    own = viewer.user_id is not None and log.author_id == viewer.user_id
    return own or viewer.has_in(log.region_id, *OFFICE)


def edit_service_log(
    log_id: int,
    enterprise_ids: Iterable[int],
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    seen_enterprise_ids: Iterable[int] | None = None,
    act: Act,
) -> Written:
    """Change an event and its enterprises; its author stays. Enterprises the editor cannot see stay linked.

    ``version``, ``seen`` and ``seen_enterprise_ids`` are what the editor saw: an enterprise that somebody else linked
    or took away meanwhile is neither taken away nor linked again. Raises NotFound, NotAllowed, InvalidInput, Conflict
    when the same field was changed meanwhile.
    """
    log = _own_log(log_id, act)
    ids = list(dict.fromkeys(enterprise_ids))
    links = list(
        db.session.scalars(
            visible(select(ServiceLogEnterprise).where(ServiceLogEnterprise.service_log_id == log.id), act.viewer)
        )
    )
    linked = {item.enterprise_id for item in links}
    if seen_enterprise_ids is not None:
        ids = _chosen_over(linked, ids, frozenset(seen_enterprise_ids))
    wrong = problems({code: getattr(log, code) for code in CODES} | dict(values), today=act.effective_on)
    if not ids:
        wrong["enterprises"] = "选至少一家企业。"
    if wrong:
        raise InvalidInput(wrong)
    _require_loggable([i for i in ids if i not in linked], log.region_id, act)
    changed = {code: values[code] for code in CODES if code in values and code != "author_name"}
    changes: list[Create | Update] = [Update("service_log", log.id, changed, version, seen)]
    changes += [
        Create("service_log_enterprise", {"service_log_id": log.id, "enterprise_id": i}) for i in ids if i not in linked
    ]
    gone = [item for item in links if item.enterprise_id not in ids]
    changes += [withdraw("service_log_enterprise", item.id, item.version) for item in gone]
    return write(changes, act=act, action="edit_service_log", region_id=log.region_id)


def _chosen_over(linked: set[int], ids: list[int], shown: frozenset[int]) -> list[int]:
    """The choice made over the enterprises that were shown, applied to those that are linked now: pure."""
    kept = [i for i in ids if i in linked or i not in shown]
    return kept + sorted(linked - shown - set(ids))


def withdraw_service_log(log_id: int, *, act: Act) -> Written:
    """Take an event logged by mistake out of the files of its enterprises, with what was promised in it."""
    log = _own_log(log_id, act)
    links = db.session.scalars(
        select(ServiceLogEnterprise).where(ServiceLogEnterprise.service_log_id == log.id, ~ServiceLogEnterprise.deleted)
    )
    changes: list[Create | Update] = [withdraw("service_log_enterprise", item.id, item.version) for item in links]
    changes.append(withdraw("service_log", log.id, log.version))
    return write(changes, act=act, action="withdraw_service_log", region_id=log.region_id)


def _own_log(log_id: int, act: Act) -> ServiceLog:
    log: ServiceLog = visible_record(ServiceLog, log_id, act.viewer, "这条服务记录")
    require(may_change(act.viewer, log), "改这条服务记录")
    return log


def _require_may_log(standings: Iterable[Standing], act: Act) -> None:
    """Raises NotAllowed with the names of those enterprises whose services somebody else logs."""
    refused = [standing.enterprise_id for standing in standings if not may_log(act.viewer, standing)]
    if refused:
        query = visible(select(Enterprise.name).where(Enterprise.id.in_(refused)).order_by(Enterprise.id), act.viewer)
        names = join(list(db.session.scalars(query)), 3, "家")
        raise NotAllowed(f"{names}由它的服务专员或业务科室记服务。去掉后再保存。")


def _require_loggable(ids: list[int], region_id: int, act: Act) -> None:
    standings = list(db.session.scalars(visible(select(Standing).where(Standing.enterprise_id.in_(ids)), act.viewer)))
    if len(standings) != len(ids):
        raise NotFound("其中一家企业")
    _require_may_log(standings, act)
    for standing in standings:
        if standing.region_id != region_id:
            raise InvalidInput({"enterprises": "一次记录里的企业要在同一个区县。分开记。"})
