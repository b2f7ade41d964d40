"""The history of a record that belongs to no enterprise: who changed what from what to what, with its way back."""

from datetime import datetime
from typing import Any

from flask import redirect, render_template, url_for
from sqlalchemy import select

from crm.actions.rights import require
from crm.domain import words
from crm.domain.refusals import NotFound
from crm.domain.viewers import ROLES
from crm.extensions import Base, db
from crm.store.changes import Change, ChangeSet
from crm.store.saved_view_lists import SHARED
from crm.store.scope import visible_record
from crm.web.changes import blueprint
from crm.web.changes.lines import action_words
from crm.web.doors import SIGNED_IN, open_to, viewer

MOST = 100
# Nouns with a page of their own beside the enterprises', and the words of their fields; what is not here is machinery.
_LISTED = {
    "name": "名称",
    "label": "名称",
    "aliases": "别名",
    "kind": "种类",
    "position": "排序",
    "owns_kinds": "归口资格",
    "valid_from": "从哪天起",
    "valid_to": "到哪天止",
    "source": "依据",
    "deleted": "撤下",
}
FIELDS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("region", "unit", "park", "carrier", "dictionary_entry"), _LISTED),
    "user": {"login": "登录名", "name": "姓名", "email": "信箱", "active": "可登录", "wants_digest": "收每周邮件"},
    "window": {
        "kind": "资格",
        "year": "年度",
        "batch": "批次",
        "opens_on": "开始",
        "enterprise_due_at": "企业截止",
        "county_due_at": "区县截止",
        "closes_on": "关闭",
        "announced_on": "公布",
        "status": "状态",
        "source": "依据",
    },
    "saved_view": {
        "name": "名字",
        "shared": "给谁看",
        "role": "角色",
        "pinned": "固定在最前",
        "position": "位置",
        "query": "筛选、列和排序",
        "deleted": "撤下",
    },
}
_CODES: dict[tuple[str, str], Any] = {
    ("saved_view", "shared"): SHARED,
    ("saved_view", "role"): ROLES,
    ("window", "status"): words.WINDOW_STATES,
}


@blueprint.get("/changes/<noun>/<int:record_id>")
@open_to(SIGNED_IN)
def of_record(noun: str, record_id: int):
    """An enterprise's history is on its own page; that of another record is for its office, and for one's own."""
    if noun == "enterprise":
        _seen(noun, record_id)
        return redirect(url_for("enterprises.show", enterprise_id=record_id, tab="history"))
    if noun not in FIELDS:
        raise NotFound("这条记录")
    row = _seen(noun, record_id)
    person = viewer()
    owner_id = row.id if noun == "user" else getattr(row, "owner_id", None)
    own = person.user_id is not None and person.user_id == owner_id
    region_id = row.id if noun == "region" else row.region_id
    require(own or person.has_in(region_id, "bureau", "admin"), "看这条记录的变更史")
    query = (
        select(Change, ChangeSet)
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
        .where(Change.noun == noun, Change.record_id == record_id)
        .order_by(Change.id.desc())
        .limit(MOST)
    )
    found = [(change_set, action_words(change_set), _lines(change)) for change, change_set in db.session.execute(query)]
    return render_template(
        "changes/record.html",
        what=words.word(noun, "noun"),
        name=_name(noun, row),
        found=found,
        may_undo=lambda one: one.user_id == person.user_id or person.has_in(one.region_id, "bureau", "admin"),
    )


def _name(noun: str, row: Any) -> str:
    if noun == "window":
        return f"{words.word(row.kind, 'title_short')} {row.year} {row.batch}".strip()
    return str(row.label if noun == "dictionary_entry" else row.name)


def _seen(noun: str, record_id: int) -> Any:
    [model] = [mapper.class_ for mapper in Base.registry.mappers if mapper.local_table.name == noun]
    return visible_record(model, record_id, viewer())


def _lines(change: Change) -> list[tuple[str, str | None, str]]:
    """(field, before or None where it was created so, after) in words."""
    found = []
    for code, value in change.fields.items():
        label = FIELDS[change.noun].get(code)
        if label is None:
            continue
        before, after = (None, value) if change.op == "create" else value
        said = _say(change.noun, code, before) if change.op != "create" else None
        found.append((label, said, _say(change.noun, code, after)))
    return found


def _say(noun: str, code: str, value: Any) -> str:
    known = _CODES.get((noun, code))
    if known is not None and value in known:
        return str(known[value])
    if value is not None and code.endswith("_at"):
        return words.moment(datetime.fromisoformat(value))
    if code in ("kind", "owns_kinds"):
        kinds = value if isinstance(value, list) else [value] if value else []
        return words.join([words.word(kind, "title") for kind in kinds]) or words.BLANK
    return words.value("", value)
