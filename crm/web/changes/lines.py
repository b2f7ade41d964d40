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
from crm.web.changes.vocabulary import ACTIONS, BY_TYPE, CLASS_OF_NOUN, OF_PEOPLE, OTHER_FIELDS

OUTCOME_WORDS = {"done": "办结", "waived": "免办", "postponed": "改期", "missed": "确认未报", "assigned": "交办"}


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
        cls = declared.cls if declared else CLASS_OF_NOUN.get(change.noun, INTERNAL)
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
        own = names.get(declared.choices or "") or names.get(BY_TYPE.get(declared.type, ""))
        return words.value(declared, value, own)
    if key in OF_PEOPLE:
        # Without one it is the author's, or nobody's; of what is due it is whoever looks after the enterprise.
        nobody = "企业的专员" if noun == "obligation_outcome" else "本人"
        return names["people"].get(value, "") if value is not None else nobody
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
        return OUTCOME_WORDS.get(str(value), str(value))
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
        own = names.get(BY_TYPE.get(declared.type, ""))
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
            if f"{change.noun}.{code}" in OF_PEOPLE:
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
