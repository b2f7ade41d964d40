"""Attachments: files tied to the record they belong to; who may add and see them follows from that record."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.actions.rights import may_edit, may_log, require
from crm.actions.service_logs import may_change
from crm.actions.uploads import Upload, creations
from crm.domain.acts import Act
from crm.domain.changes import Update, withdraw
from crm.domain.refusals import InvalidInput, NotFound, Refused
from crm.domain.viewers import CONFIDENTIAL, INTERNAL, Viewer
from crm.extensions import db
from crm.store import attachment_lists
from crm.store.applications import Application
from crm.store.attachments import Attachment
from crm.store.collections import CollectionEnterprise
from crm.store.enterprises import Enterprise
from crm.store.files import StoredFile
from crm.store.requests import Request
from crm.store.scope import visible_enterprise, visible_record
from crm.store.service_logs import ServiceLog
from crm.store.standings import Standing
from crm.store.writer import Written, write

EDITED = ("title", "dated_on", "note", "confidential")


@dataclass(frozen=True)
class Holder:
    """The record that files hang on: where it belongs, what it is called, and what the viewer may do with its files."""

    noun: str
    record_id: int
    region_id: int
    # None for an event of many enterprises.
    enterprise_id: int | None
    may_add: bool
    # Classes of what hangs on it that the viewer reads.
    classes: frozenset[str]


@dataclass(frozen=True)
class _Rule:
    """How files hang on records of one noun of an enterprise."""

    model: type[Any]
    what: str
    # Who may add and withdraw: given the viewer and the standing of the enterprise.
    may: Callable[[Viewer, Standing], bool]
    # Everything that hangs on it shows figures.
    confidential: bool = False


# Every noun of one enterprise that files hang on; a service log is of many and has its own rule.
RULES: dict[str, _Rule] = {
    "enterprise": _Rule(Enterprise, "这家企业", may_edit),
    "request": _Rule(Request, "这条诉求", may_log),
    "application": _Rule(Application, "这件申报", may_edit, confidential=True),
    "collection_enterprise": _Rule(CollectionEnterprise, "这份采集表", may_log, confidential=True),
}
NOUNS = (*RULES, "service_log")


def holder_of(noun: str, record_id: int, viewer: Viewer) -> Holder:
    """The record files hang on, as this viewer meets it.

    Raises NotFound when nothing can hang on such a noun, and when the record or what hangs on it is not the viewer's.
    """
    if noun == "service_log":
        return _of_event(record_id, viewer)
    rule = RULES.get(noun)
    if rule is None:
        raise NotFound("这条记录")
    record: Any = visible_record(rule.model, record_id, viewer, rule.what)
    enterprise_id = record.id if noun == "enterprise" else record.enterprise_id
    _, standing = visible_enterprise(enterprise_id, viewer)
    classes = viewer.classes_over(standing)
    may_add = rule.may(viewer, standing)
    if INTERNAL not in classes or (rule.confidential and CONFIDENTIAL not in classes and not may_add):
        raise NotFound(rule.what)
    return Holder(noun, record_id, standing.region_id, enterprise_id, may_add, classes)


def _of_event(log_id: int, viewer: Viewer) -> Holder:
    log: ServiceLog = visible_record(ServiceLog, log_id, viewer, "这条服务记录")
    classes = attachment_lists.classes_of_event(log.id, viewer)
    if INTERNAL not in classes:
        raise NotFound("这条服务记录")
    return Holder("service_log", log.id, log.region_id, None, may_change(viewer, log), classes)


def attach(
    noun: str, record_id: int, uploads: Sequence[Upload], values: Mapping[str, Any] | None = None, *, act: Act
) -> Written:
    """Hang files on a record. ``values`` may hold title (of a single file), dated_on, note, confidential.

    The bytes lie in the file store already (outside the transaction). Raises NotFound, NotAllowed, InvalidInput with
    one sentence per file that is not taken.
    """
    holder = holder_of(noun, record_id, act.viewer)
    require(holder.may_add, "在这里添加附件")
    if not uploads:
        raise InvalidInput({"files": "选至少一份文件。"})
    values = dict(values or {})
    wrong = problems(values, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    if _shows_figures(noun):
        values["confidential"] = True
    changes = creations(
        uploads,
        noun=noun,
        record_id=record_id,
        region_id=holder.region_id,
        enterprise_id=holder.enterprise_id,
        values=values,
        act=act,
    )
    return write(changes, act=act, action="attach", region_id=holder.region_id)


def _shows_figures(noun: str) -> bool:
    """Whether everything that hangs on records of a noun shows figures."""
    return noun in RULES and RULES[noun].confidential


def problems(values: Mapping[str, Any], *, today: date) -> dict[str, str]:
    """What is wrong with what is said of a file: pure."""
    dated_on = values.get("dated_on")
    if dated_on is not None and dated_on > today:
        return {"dated_on": f"文件日期 {dated_on} 还没到。核对后改正，或留空。"}
    return {}


def edit_attachment(
    attachment_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Change what is said of a file: title, dated_on, note, confidential; its bytes never change.

    Raises NotFound, NotAllowed, InvalidInput, Conflict when the same field was changed meanwhile, Refused when a file
    is to be opened to everybody that hangs where all files show figures.
    """
    row, holder = readable(attachment_id, act.viewer)
    require(holder.may_add, "改这份附件")
    changed = {code: values[code] for code in EDITED if code in values}
    if _shows_figures(row.noun) and not changed.get("confidential", True):
        raise Refused("申报和采集表上的文件都按含财务数据管，不能去掉这个勾。勾上再存。")
    wrong = problems(changed, today=act.effective_on)
    if "title" in changed and not changed["title"]:
        wrong["title"] = "写名称，让人看得出是什么。"
    if wrong:
        raise InvalidInput(wrong)
    update = Update("attachment", row.id, changed, version, seen)
    return write([update], act=act, action="edit_attachment", region_id=row.region_id)


def withdraw_attachment(attachment_id: int, *, act: Act) -> Written:
    """Take a file off its record; its bytes stay, so that it can be brought back. Raises NotFound, NotAllowed."""
    row, holder = readable(attachment_id, act.viewer)
    require(holder.may_add, "撤下这份附件")
    changes = [withdraw("attachment", row.id, row.version)]
    return write(changes, act=act, action="withdraw_attachment", region_id=row.region_id)


def readable(attachment_id: int, viewer: Viewer) -> tuple[Attachment, Holder]:
    """One attachment and what it hangs on. NotFound when it is not there, not the viewer's, or of a closed class."""
    row: Attachment = visible_record(Attachment, attachment_id, viewer, "这份附件")
    try:
        holder = holder_of(row.noun, row.record_id, viewer)
    except NotFound:
        raise NotFound("这份附件") from None
    if not may_read(row.confidential, holder.classes, own=_is_own(row, viewer)):
        raise NotFound("这份附件")
    return row, holder


def _is_own(row: Attachment, viewer: Viewer) -> bool:
    stored = db.session.get(StoredFile, row.stored_file_id)
    return stored is not None and viewer.user_id is not None and stored.owner_id == viewer.user_id


def may_read(confidential: bool, classes: Iterable[str], *, own: bool = False) -> bool:
    """Whether somebody who reads these classes may open a file; what one brought oneself can be seen: pure."""
    return INTERNAL in classes and (not confidential or own or CONFIDENTIAL in classes)
