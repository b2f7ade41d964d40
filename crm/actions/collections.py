"""Collections (采集任务): opened for what blocks judgements, reminded, excused, authorised, closed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.collection_plans import plan
from crm.actions.rights import may_edit, may_log, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update
from crm.domain.collections import question, questions
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.rules import rule_sets
from crm.store.collections import Collection, CollectionEnterprise
from crm.store.scope import visible, visible_enterprise, visible_record
from crm.store.standings import Standing
from crm.store.writer import Written, write

FIELDS = ("title", "year", "due_on", "note")
_WORDS = {"title": ("名称", 120), "note": ("说明", 500)}


def may_collect(viewer: Viewer) -> bool:
    """Whether the viewer may ask enterprises anything; which ones is checked for each."""
    return viewer.has("case_manager", *OFFICE)


def may_answer(viewer: Viewer, standing: Standing) -> bool:
    """Whether the viewer may type in what an enterprise answered: who may edit it, and its township, park or carrier.

    The latter write the facts that are asked and nothing else (product.md, Who uses it).
    """
    return may_edit(viewer, standing) or may_log(viewer, standing)


def problems(values: Mapping[str, Any], *, today: date) -> dict[str, str]:
    """What is wrong with a collection as a whole: {field: one Chinese sentence}."""
    wrong: dict[str, str] = {}
    if not (values.get("title") or "").strip():
        wrong["title"] = "写采集的名称，如“2027 年高企数据采集”。"
    for name, (label, longest) in _WORDS.items():
        if len(values.get(name) or "") > longest:
            wrong[name] = f"{label}有 {len(values[name])} 个字，最多 {longest} 个字。改短后再存。"
    year = values.get("year")
    if year is None or not 2000 <= year <= today.year + 1:
        wrong["year"] = f"年度填 2000 到 {today.year + 1} 之间的四位数字。"
    return wrong


def open_collection(
    values: Mapping[str, Any], asked: Mapping[int, Sequence[str]], *, kinds: Sequence[str] = (), act: Act
) -> Written:
    """Open a collection: ``values`` are FIELDS, ``asked`` {enterprise: paths a person left ticked}.

    What became known, or is waited for by another open collection meanwhile, is left out. Raises InvalidInput,
    NotAllowed, and Refused when nothing is left to ask or the enterprises are of several districts.
    """
    require(may_collect(act.viewer), "发起采集")
    wrong = problems(values, today=act.effective_on)
    due_on = values.get("due_on")
    if due_on is not None and due_on < act.effective_on:
        wrong["due_on"] = f"交回期限 {due_on} 已经过了。改成今天以后的一天，或留空。"
    if wrong:
        raise InvalidInput(wrong)
    every = [path for paths in asked.values() for path in paths]
    found = plan(asked, list(kinds), every, on=act.effective_on, viewer=act.viewer)
    rows = {}
    for one in found:
        paths = [path for path in one.asked if path in set(asked[one.enterprise_id])]
        if paths:
            rows[one.enterprise_id] = paths
    if not rows:
        raise Refused("没有要问的：这些企业要问的都已知道，或已在别的采集里问。加上要问的，或换企业。")
    [region_id, *others] = {one.region_id for one in found if one.enterprise_id in rows}
    if others:
        raise Refused("这些企业不在同一个区县。按区县分开发起。")
    known = [kind for kind in kinds if kind in rule_sets.kinds()]
    head = {name: values.get(name) for name in FIELDS if values.get(name) is not None}
    head |= {"region_id": region_id, "owner_id": act.viewer.user_id, "kinds": known or None}
    changes = [Create("collection", head, "collection")]
    changes += [_sheet(Ref("collection"), enterprise_id, paths) for enterprise_id, paths in rows.items()]
    return write(changes, act=act, action="open_collection", region_id=region_id)


def _sheet(collection_id: Any, enterprise_id: int, paths: Sequence[str]) -> Create:
    values = {"collection_id": collection_id, "enterprise_id": enterprise_id, "questions": list(paths)}
    return Create("collection_enterprise", values, ("sheet", enterprise_id))


def edit_collection(
    collection_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Change name, year, day or note. Raises NotFound, NotAllowed, InvalidInput, Conflict."""
    row = own_collection(collection_id, act.viewer)
    stated = {name: value for name, value in values.items() if name in FIELDS}
    wrong = problems({name: getattr(row, name) for name in FIELDS} | stated, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    changes = [Update("collection", row.id, stated, version, seen)]
    return write(changes, act=act, action="edit_collection", region_id=row.region_id)


def add_enterprises(collection_id: int, enterprise_ids: Iterable[int], *, act: Act) -> Written:
    """Ask further enterprises for what blocks the judgements the collection is for; those asked already stay.

    Raises NotFound, NotAllowed, Refused when nothing is left to ask.
    """
    row = own_collection(collection_id, act.viewer)
    require_open(row)
    there = {sheet.enterprise_id for sheet in sheets_of(row.id)}
    wanted = [enterprise_id for enterprise_id in enterprise_ids if enterprise_id not in there]
    found = plan(wanted, row.kinds or (), on=act.effective_on, viewer=act.viewer)
    changes = [_sheet(row.id, one.enterprise_id, one.asked) for one in found if one.asked]
    if any(one.region_id != row.region_id for one in found if one.asked):
        raise Refused("这家企业不在这次采集的区县。另外发起一次。")
    if not changes:
        raise Refused("没有加上：这些企业已在这次采集里，或没有要问的。")
    return write(changes, act=act, action="add_to_collection", region_id=row.region_id)


def ask(
    sheet_id: int, paths: Iterable[str], *, version: int, seen: Mapping[str, Any] | None = None, act: Act
) -> Written:
    """Change by hand what one enterprise is asked; a sheet that was sent with other questions is still read.

    Raises NotFound, NotAllowed, Conflict, Refused when nothing would be asked.
    """
    sheet, row, standing = sheet_for(sheet_id, act.viewer)
    require(may_edit(act.viewer, standing), "改这家企业要问的")
    require_open(row)
    wanted = [one.path for one in questions(paths)]
    if not wanted:
        raise Refused("至少问一项。不用它填了，就登记免填。")
    change = Update("collection_enterprise", sheet.id, {"questions": wanted}, version, seen)
    return write([change], act=act, action="ask_in_collection", region_id=row.region_id)


def excuse(sheet_id: int, reason: str | None, *, act: Act) -> Written:
    """An enterprise need not answer, for a reason; without one it is asked again. Raises NotFound, NotAllowed."""
    sheet, row, standing = sheet_for(sheet_id, act.viewer)
    require(may_edit(act.viewer, standing), "登记免填")
    require_open(row)
    if reason is not None and not reason.strip():
        raise InvalidInput({"excused_reason": "写免填的原因，如“已停产，没有财务人员”。"})
    if reason is not None and len(reason) > 200:
        raise InvalidInput({"excused_reason": f"原因有 {len(reason)} 个字，最多 200 个字。改短后再存。"})
    values = {"excused_reason": reason.strip() if reason else None}
    change = Update("collection_enterprise", sheet.id, values)
    return write([change], act=act, action="excuse_sheet", region_id=row.region_id)


def remind(collection_id: int, *, sheet_id: int | None = None, act: Act) -> Written:
    """Put on record that those who have not answered (or one of them) were reminded today.

    Raises NotFound, NotAllowed, Refused when nobody is outstanding.
    """
    row: Collection = visible_record(Collection, collection_id, act.viewer, "这次采集")
    require_open(row)
    changes = []
    for sheet in sheets_of(row.id):
        if not sheet.is_outstanding or (sheet_id is not None and sheet.id != sheet_id):
            continue
        _, standing = visible_enterprise(sheet.enterprise_id, act.viewer)
        if may_answer(act.viewer, standing):
            changes.append(Update("collection_enterprise", sheet.id, {"reminded_on": act.effective_on}))
    if not changes:
        raise Refused("没有要催的：都已交回或免填。")
    return write(changes, act=act, action="remind_sheets", region_id=row.region_id)


def close_collection(collection_id: int, *, reopen: bool = False, act: Act) -> Written:
    """Close a collection: nothing more is asked, reminded or read. Or open it again. Raises NotFound, NotAllowed."""
    row = own_collection(collection_id, act.viewer)
    if (row.closed_on is None) == reopen:
        raise Refused("这次采集还没有结束。" if reopen else f"{row.closed_on} 已经结束。")
    values = {"closed_on": None if reopen else act.effective_on}
    action = "reopen_collection" if reopen else "close_collection"
    return write([Update("collection", row.id, values)], act=act, action=action, region_id=row.region_id)


# --- whose they are --------------------------------------------------------------------------------------------------


def own_collection(collection_id: int, viewer: Viewer) -> Collection:
    """A collection the viewer answers for: who opened it, and the office. Raises NotFound, NotAllowed."""
    row: Collection = visible_record(Collection, collection_id, viewer, "这次采集")
    require(keeps(row, viewer), "管理这次采集")
    return row


def keeps(row: Collection, viewer: Viewer) -> bool:
    """Whether the viewer answers for a collection: whoever opened it, while a grant counts there, and the office."""
    own = row.owner_id is not None and row.owner_id == viewer.user_id and may_collect(viewer)
    return own or viewer.has_in(row.region_id, *OFFICE)


def sheet_for(sheet_id: int, viewer: Viewer) -> tuple[CollectionEnterprise, Collection, Standing]:
    """One enterprise's sheet with its collection and where the enterprise belongs. Raises NotFound."""
    sheet: CollectionEnterprise = visible_record(CollectionEnterprise, sheet_id, viewer, "这张采集表")
    row: Collection = visible_record(Collection, sheet.collection_id, viewer, "这张采集表")
    _, standing = visible_enterprise(sheet.enterprise_id, viewer)
    return sheet, row, standing


def sheets_of(collection_id: int, viewer: Viewer | None = None) -> list[CollectionEnterprise]:
    """The sheets of a collection that a viewer may see (None: all of them, for actions that check each)."""
    query = select(CollectionEnterprise).where(
        CollectionEnterprise.collection_id == collection_id, ~CollectionEnterprise.deleted
    )
    query = query.order_by(CollectionEnterprise.id)
    return list(db.session.scalars(query if viewer is None else visible(query, viewer)))


def require_open(row: Collection) -> None:
    """Raise Refused when a collection is closed."""
    if row.closed_on is not None:
        raise Refused(f"这次采集 {row.closed_on} 已结束。要接着收，先重新打开。")


def labels_of(paths: Iterable[str]) -> list[str]:
    """The names of what is asked, with their years; a path of an earlier release is left out."""
    return [one.title for one in questions(path for path in paths if question(path) is not None)]
