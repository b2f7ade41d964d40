"""The history as people read it: who, when, through which door, and each value old → new, cut to what may be read."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm.actions.collection_answers import HOW
from crm.actions.collections import labels_of
from crm.actions.confirmations import ANSWERS
from crm.domain import words
from crm.domain.fields import FIELDS
from crm.domain.kinds import KINDS
from crm.domain.viewers import CONFIDENTIAL, INTERNAL, Viewer
from crm.extensions import db
from crm.rules.materials import load_checklists
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import FORMER_NAME, Affiliation, Enterprise
from crm.store.scope import visible
from crm.store.units import Unit
from crm.web import reference
from crm.web.changes import review_words

ACTIONS: dict[str, str] = {
    "create_enterprise": "新增企业",
    "edit_enterprise": "修改",
    "correct_enterprise": "更正",
    "edit_many": "批量修改",
    "correct_many": "批量更正",
    "withdraw_enterprise": "撤下企业",
    "merge_enterprises": "合并重复企业",
    "record_affiliation": "登记归属",
    "edit_affiliation": "修改归属",
    "withdraw_affiliation": "撤下归属",
    "record_relation": "登记关联企业",
    "edit_relation": "修改关联企业",
    "withdraw_relation": "撤下关联企业",
    "record_qualification": "登记认定结果",
    "correct_qualification": "更正认定结果",
    "end_qualification": "登记资格终止",
    "record_figures": "填写年度指标",
    "confirm_figures": "登记企业确认",
    "unconfirm_figures": "取消企业确认",
    "record_ip": "登记知识产权",
    "edit_ip": "修改知识产权",
    "withdraw_ip": "撤下知识产权",
    "propose_for_pool": "培育库拟入库",
    "decide_pool": "培育库入库决定",
    "leave_pool": "培育库出库",
    "plan_membership": "改培育库安排",
    "open_selection": "列拟入库名单",
    "edit_selection": "修改遴选名单",
    "add_to_selection": "加进遴选名单",
    "take_off_selection": "移出遴选名单",
    "plan_selection": "改遴选名单安排",
    "decide_selection": "登记遴选决定",
    "issue_selection": "登记名单印发",
    "open_collection": "发起采集",
    "edit_collection": "修改采集",
    "add_to_collection": "采集加企业",
    "ask_in_collection": "改采集要问的",
    "answer_sheet": "填采集表",
    "return_sheets": "收采集回表",
    "authorise_sheet": "登记采集盖章件",
    "excuse_sheet": "登记采集免填",
    "remind_sheets": "登记催报",
    "close_collection": "结束采集",
    "reopen_collection": "重新打开采集",
    "add_application": "登记申报",
    "edit_application": "修改申报",
    "step_application": "推进申报",
    "correct_application_step": "更正申报环节",
    "map_application_stage": "对应申报环节",
    "record_material": "登记申报材料",
    "receive_materials": "登记收到的材料",
    "waive_material": "材料免交",
    "carry_materials": "沿用往年材料",
    "take_back_material": "取回材料登记",
    "raise_objection": "登记公示异议",
    "edit_objection": "修改公示异议",
    "freeze_assessment": "存为比对记录",
    "log_service": "记一次走访",
    "edit_service_log": "修改服务记录",
    "withdraw_service_log": "撤下服务记录",
    "make_visit_plan": "做走访计划",
    "add_to_visit_plan": "走访计划加企业",
    "drop_from_visit_plan": "走访计划移出企业",
    "plan_visit": "约定走访",
    "attach": "添加附件",
    "edit_attachment": "修改附件说明",
    "withdraw_attachment": "撤下附件",
    "settle_obligation": "到期事项办结",
    "waive_obligation": "到期事项免办",
    "miss_obligation": "登记未报",
    "postpone_obligation": "到期事项改期",
    "reopen_obligation": "到期事项取回",
    "hand_over": "交接",
    "raise_request": "登记诉求",
    "edit_request": "修改诉求",
    "dispatch_request": "诉求交办",
    "transfer_request": "诉求转平台",
    "reply_request": "诉求回复",
    "rate_request": "诉求评价",
    "close_request": "诉求办结",
    "reopen_request": "诉求重新打开",
    "withdraw_request": "撤下诉求",
    "confirm_month": "月度确认",
    "write_comment": "写批注",
    "edit_comment": "修改批注",
    "withdraw_comment": "撤下批注",
    "record_absence": "登记离岗",
    "edit_absence": "修改离岗",
    "withdraw_absence": "撤下离岗",
    "add_user": "新增用户",
    "edit_user": "修改用户",
    "edit_own_account": "修改我的账号",
    "grant": "授权",
    "end_grant": "收回授权",
    "change_settings": "修改设置",
    "add_window": "新增申报窗口",
    "edit_window": "修改申报窗口",
    "add_holidays": "登记节假日",
    "remove_holiday": "去掉节假日",
    "add_region": "新增区划",
    "edit_region": "修改区划",
    "add_unit": "新增部门",
    "edit_unit": "修改部门",
    "add_park": "新增园区",
    "edit_park": "修改园区",
    "add_carrier": "新增载体",
    "edit_carrier": "修改载体",
    "add_dictionary_entry": "新增词条",
    "edit_dictionary_entry": "修改词条",
    "import": "导入",
    "save_view": "存为视图",
    "edit_view": "修改视图",
    "order_views": "排列视图",
    "withdraw_view": "撤下视图",
    "undo": "撤销",
    "load_places": "装入基础数据",
    "demo": "演示数据",
} | review_words.ACTIONS

# Words for what is recorded beside the declared fields; what is not here is machinery and stays unsaid.
OTHER_FIELDS: dict[str, str] = {
    "enterprise.code_reason": "代码存疑照存的理由",
    "enterprise.deleted": "撤下",
    "qualification.superseded_at": "被更正取代",
    "application.kind": "申报资格",
    "application.year": "申报年度",
    "application.stage": "环节",
    "application.stage_on": "环节日期",
    "application.stage_due_on": "环节期限",
    "application.outcome": "结果",
    "application.note": "说明",
    "application_step.kind": "这一步",
    "application_step.reason": "原因",
    "application_material.item": "材料",
    "application_material.state": "状态",
    "application_material.dated_on": "材料日期",
    "application_material.expires_on": "有效期止",
    "application_material.waived_reason": "免交理由",
    "application_material.note": "说明",
    "application_objection.raised_on": "收到日期",
    "application_objection.raised_by": "提出人",
    "application_objection.text": "异议内容",
    "application_objection.record": "核查记录",
    "application_objection.upheld": "异议成立",
    "application_objection.closed_on": "办结日期",
    "assessment.rules": "比对条件",
    "assessment.result": "比对结果",
    "assessment.on": "比对日期",
    "enterprise_alias.value": "名称或号码",
    "obligation_outcome.kind": "到期事项",
    "obligation_outcome.period": "期间",
    "obligation_outcome.outcome": "结果",
    "obligation_outcome.on": "日期",
    "obligation_outcome.postponed_to": "改期到",
    "obligation_outcome.note": "说明",
    "visit_plan.year": "年度",
    "visit_plan.quarter": "季度",
    "visit_plan_enterprise.planned_on": "约定日期",
    "visit_plan_enterprise.purpose": "去做什么",
    "attachment.title": "名称",
    "attachment.dated_on": "文件日期",
    "attachment.note": "说明",
    "attachment.confidential": "含财务数据",
    "figures.year": "年度",
    "relation.kind": "对方是本企业的",
    "relation.other_name": "对方名称",
    "relation.other_code": "对方代码",
    "relation.starts_on": "从哪天起",
    "relation.ends_on": "到哪天止",
    "relation.note": "说明",
    "service_log.step_owner_id": "下一步由谁办",
    "collection.owner_id": "采集任务由谁办",
    "request.unit_id": "交办部门",
    "pool_membership.declined_on": "决定不入库",
    "pool_membership.declined_reason": "不入库原因",
    "pool_selection.title": "名称",
    "pool_selection.year": "入库年度",
    "pool_selection.decided_on": "决定日期",
    "pool_selection.meeting": "会议",
    "pool_selection.document": "文号",
    "pool_selection.issued_on": "印发日期",
    "pool_selection.note": "说明",
    "collection.title": "名称",
    "collection.due_on": "交回期限",
    "collection.closed_on": "结束日期",
    "collection.note": "说明",
    "collection_enterprise.questions": "要问的",
    "collection_enterprise.returned_on": "交回日期",
    "collection_enterprise.returned_how": "怎样交回",
    "collection_enterprise.reminded_on": "催报日期",
    "collection_enterprise.excused_reason": "免填原因",
    "collection_enterprise.authorised_by": "签字人",
    "collection_enterprise.authorised_on": "签字日期",
} | review_words.FIELDS
# The class of what is not declared: a frozen judgement and the pool are inside matters.
_CLASS_OF_NOUN = {
    "assessment": CONFIDENTIAL,
    "application": INTERNAL,
    "obligation_outcome": INTERNAL,
    "collection_enterprise": INTERNAL,
    "service_log_enterprise": INTERNAL,
    "attachment": INTERNAL,
    "visit_plan": INTERNAL,
    "visit_plan_enterprise": INTERNAL,
    "request": INTERNAL,
    "confirmation": INTERNAL,
}
# Fields that are not declared and hold the id of a person.
_OF_PEOPLE = frozenset({"service_log.step_owner_id", "collection.owner_id"})
_BY_TYPE = {"region": "regions", "person": "people", "park": "parks", "carrier": "carriers"}


@dataclass(frozen=True)
class Line:
    """One value of one record, before and after, in words; ``before`` None: it was created with it."""

    label: str
    before: str | None
    after: str
    noun: str = ""
    record_id: int = 0
    code: str = ""


@dataclass
class Entry:
    """One change set as it touched what is shown."""

    change_set: ChangeSet
    title: str
    lines: list[Line] = field(default_factory=list)
    hidden: int = 0
    created: list[str] = field(default_factory=list)
    # {noun: how many of its records changed hands}, as they do when two files become one.
    moved: Counter[str] = field(default_factory=Counter)


def entries(history: Sequence[tuple[Change, ChangeSet]], viewer: Viewer, classes: frozenset[str]) -> list[Entry]:
    """Changes grouped by change set, newest first; values of classes the viewer may not read are only counted."""
    names = _names(history, viewer)
    belongs = _affiliations([c for c, _ in history])
    found: dict[int, Entry] = {}
    logs = _service_logs([c for c, _ in history]) if INTERNAL in classes else {}
    for change, change_set in history:
        entry = found.setdefault(change_set.id, Entry(change_set, action_words(change_set)))
        if change.noun == "service_log_enterprise" and change.op == "create":
            entry.lines += logs.get(change.fields.get("service_log_id", 0), [])
        _add(entry, change, names, belongs, classes)
    for entry in found.values():
        told = "、".join(f"{words.word(noun, 'noun')} {number} 条" for noun, number in entry.moved.items())
        if told:
            entry.lines.append(
                Line("归到合并后的企业" if entry.change_set.action == "merge_enterprises" else "换了企业", None, told)
            )
    return list(found.values())


def action_words(change_set: ChangeSet) -> str:
    return ACTIONS.get(change_set.action, words.NOUNS.get(change_set.action, "修改"))


def _add(
    entry: Entry, change: Change, names: dict[str, dict], belongs: dict[int, Affiliation], classes: frozenset[str]
) -> None:
    if change.op == "update" and {"enterprise_id", "record_id"} & change.fields.keys():
        entry.moved[change.noun] += 1
        return
    if change.noun == "affiliation":
        entry.lines += _affiliation_lines(change, names, belongs, classes)
        return
    if change.noun == "enterprise_alias":
        if change.op == "create":
            kind = "曾用名" if change.fields.get("kind") == FORMER_NAME else "原注册号"
            entry.lines.append(Line(kind, None, str(change.fields.get("value", ""))))
        return
    prefix = _prefix(change)
    if change.op == "create" and change.noun != "service_log_enterprise":
        entry.created.append(prefix or words.word(change.noun, "noun"))
    for code, value in change.fields.items():
        key = f"{change.noun}.{code}"
        declared = FIELDS.get(key)
        if key == "figures.confirmed":
            entry.lines += _confirmed_lines(change, value) if CONFIDENTIAL in classes else []
            continue
        if code == "deleted":
            entry.lines.append(
                Line(prefix or words.word(change.noun, "noun"), None, "撤下" if _after(change, value) else "恢复")
            )
            continue
        if key == "enterprise.merged_into_id":
            into = names["merged"].get(_after(change, value))
            entry.lines.append(Line("并入", None, into or "（已取回，不再并入）"))
            continue
        if declared is None and key not in OTHER_FIELDS:
            continue
        cls = declared.cls if declared else _CLASS_OF_NOUN.get(change.noun, INTERNAL)
        if cls not in classes:
            entry.hidden += 1
            continue
        if change.op == "create" and change.noun == "figures" and code == "year":
            continue
        label = declared.label if declared else OTHER_FIELDS[key]
        entry.lines.append(
            Line(
                f"{prefix} · {label}" if prefix and change.op == "update" else label,
                None if change.op == "create" else _words(change.noun, code, value[0], names),
                _words(change.noun, code, _after(change, value), names),
                # An event is of many enterprises; the history of one field is that of one enterprise.
                "" if change.noun == "service_log" else change.noun,
                change.record_id,
                code,
            )
        )


def _confirmed_lines(change: Change, value: Any) -> list[Line]:
    """What the firm confirmed, or no longer confirms, field by field."""
    before, after = (None, value) if change.op == "create" else value
    before, after = before or {}, after or {}
    lines = []
    for code in {**before, **after}:
        if before.get(code) == after.get(code):
            continue
        said = after.get(code)
        text = f"{said.get('by', '')} {str(said.get('at', ''))[:10]} 确认" if said else "确认失效"
        label = f"{words.label(f'figures.{code}')} · 企业确认"
        lines.append(Line(label, None, text, "figures", change.record_id, code))
    return lines


def _prefix(change: Change) -> str:
    """Which record of the enterprise: a title by its kind, figures by their year."""
    if change.noun == "enterprise":
        return ""
    if change.noun == "figures" and change.op == "create":
        return f"{change.fields.get('year', '')} 年指标"
    if change.noun == "qualification" and change.op == "create":
        kind = change.fields.get("kind")
        return KINDS[kind].short if kind in KINDS else "认定（入库）资格"
    return words.word(change.noun, "noun")


def _after(change: Change, value: Any) -> Any:
    return value if change.op == "create" else value[1]


def _words(noun: str, code: str, value: Any, names: dict[str, dict]) -> str:
    key = f"{noun}.{code}"
    declared = FIELDS.get(key)
    if declared is not None:
        own = names.get(declared.choices or "") or names.get(_BY_TYPE.get(declared.type, ""))
        return words.value(declared, value, own)
    if key in _OF_PEOPLE:
        # Without one it is the author's, or nobody's.
        return names["people"].get(value, "") if value is not None else "本人"
    told = review_words.said(key, value)
    if told is not None:
        return told
    if value is None:
        return words.BLANK
    if key == "collection_enterprise.questions":
        return words.join(labels_of(value), 6, "项")
    if key == "collection_enterprise.returned_how":
        return HOW.get(str(value), str(value))
    if key == "qualification.superseded_at":
        return f"{words.local(datetime.fromisoformat(value)):%Y-%m-%d %H:%M}"
    table = {
        "relation.kind": "relation",
        "application.kind": "title_short",
        "assessment.rules": "rules",
        "assessment.result": "result",
        "obligation_outcome.kind": "obligation",
        "application.outcome": "application_end",
        "application_step.kind": "application_step_kind",
        "application_material.state": "material_state",
    }.get(key)
    if table:
        return words.word(str(value), table)
    if key == "confirmation.answer":
        return ANSWERS.get(str(value), str(value))
    if key == "confirmation.month":
        return str(value)[:7]
    if key == "request.unit_id":
        return names["units"].get(value, "一个部门")
    if key == "application_material.item":
        return load_checklists().names.get(str(value), str(value))
    if key == "obligation_outcome.outcome":
        return {"done": "办结", "waived": "免办", "postponed": "改期"}.get(str(value), str(value))
    return words.value(key, value)


def _affiliation_lines(
    change: Change, names: dict[str, dict], belongs: dict[int, Affiliation], classes: frozenset[str]
) -> list[Line]:
    row = belongs.get(change.record_id)
    kind = change.fields.get("kind") if change.op == "create" else (row.kind if row else None)
    declared = FIELDS.get(f"enterprise.{kind}")
    if declared is None or declared.cls not in classes:
        return []

    def say(content: Any) -> str:
        if content in ("yes", "no"):
            content = content == "yes"
        own = names.get(_BY_TYPE.get(declared.type, ""))
        return words.value(declared, content, own)

    where = ("enterprise", change.enterprise_id or 0, declared.code)
    if change.op == "create":
        since = change.fields.get("starts_on")
        content = change.fields.get("ref_id", change.fields.get("value"))
        return [Line(declared.label, None, say(content) + (f"（{since} 起）" if since else ""), *where)]
    lines = []
    for code, (before, after) in change.fields.items():
        if code in ("ref_id", "value"):
            lines.append(Line(declared.label, say(before), say(after), *where))
        elif code == "ends_on":
            content = say(row.ref_id if row and row.ref_id is not None else row.value if row else None)
            lines.append(Line(declared.label, content, f"到 {after} 止" if after else "未止", *where))
        elif code == "starts_on":
            lines.append(Line(declared.label, f"{before or '一直'} 起", f"{after or '一直'} 起", *where))
        elif code == "deleted":
            content = say(row.ref_id if row and row.ref_id is not None else row.value if row else None)
            lines.append(Line(declared.label, content, "撤下" if after else "恢复", *where))
    return lines


def _service_logs(changes: Iterable[Change]) -> dict[int, list[Line]]:
    """What a visit was about: it belongs to many enterprises, so its own values stand in no change of this one."""
    ids = {c.fields.get("service_log_id") for c in changes if c.noun == "service_log_enterprise" and c.op == "create"}
    if not ids:
        return {}
    query = select(Change.record_id, Change.fields).where(
        Change.noun == "service_log", Change.op == "create", Change.record_id.in_(ids)
    )
    return {log_id: [_event_line(said)] for log_id, said in db.session.execute(query)}


def _event_line(said: Mapping[str, Any]) -> Line:
    """An event as it was first told; later edits stand in entries of their own."""
    text = str(said.get("text") or "")
    label = f"{words.word(str(said.get('kind')), 'service_kind')} {said.get('happened_on', '')}"
    return Line(label, None, text if len(text) <= 80 else text[:80] + "…")


def _affiliations(changes: Iterable[Change]) -> dict[int, Affiliation]:
    ids = {c.record_id for c in changes if c.noun == "affiliation"}
    if not ids:
        return {}
    return {row.id: row for row in db.session.scalars(select(Affiliation).where(Affiliation.id.in_(ids)))}


def _names(history: Sequence[tuple[Change, ChangeSet]], viewer: Viewer) -> dict[str, dict]:
    """Words behind ids and dictionary codes, read once."""
    people: set[int] = set()
    for change, _ in history:
        if change.noun == "affiliation":
            value = change.fields.get("ref_id")
            people.update(v for v in (value if isinstance(value, list) else [value]) if isinstance(v, int))
        for code, value in change.fields.items():
            if f"{change.noun}.{code}" in _OF_PEOPLE:
                people.update(v for v in (value if isinstance(value, list) else [value]) if isinstance(v, int))
    merged = {c.fields["merged_into_id"][1] for c, _ in history if c.op == "update" and "merged_into_id" in c.fields}
    firms = select(Enterprise.id, Enterprise.name).where(Enterprise.id.in_(merged - {None}))
    return {
        "merged": dict(db.session.execute(visible(firms, viewer)).all()) if merged - {None} else {},
        "regions": {r.id: r.name for r in reference.regions(viewer).values()},
        "people": reference.people(people),
        "parks": reference.parks(viewer),
        "carriers": reference.carriers(viewer),
        "units": _units([change for change, _ in history if change.noun == "request"]),
        "request_category": reference.words_of("request_category", viewer),
        "featured_industry": reference.words_of("featured_industry", viewer),
    }


def _units(changes: Sequence[Change]) -> dict[int, str]:
    """The names of the departments that requests were dispatched to, read only when there are any."""
    said = [change.fields.get("unit_id") for change in changes]
    ids = {i for value in said for i in (value if isinstance(value, list) else [value]) if isinstance(i, int)}
    return dict(db.session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(ids))).all()) if ids else {}
