"""Reference lists of a region: open word lists, units, parks and carriers, each with validity instead of deletion."""

import re
from collections.abc import Mapping
from datetime import date
from itertools import count
from typing import Any

from sqlalchemy import select

from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.pinyin import latin
from crm.domain.refusals import InvalidInput
from crm.domain.viewers import OFFICE
from crm.extensions import Base, db
from crm.store.dictionaries import DICTIONARIES, DictionaryEntry
from crm.store.parks import Carrier, Park
from crm.store.regions import Region
from crm.store.scope import visible_record
from crm.store.units import Unit
from crm.store.writer import Written, write

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

# What each list keeps, and what it calls one of its rows.
LISTS: dict[str, tuple[type[Any], str, tuple[str, ...]]] = {
    "dictionary_entry": (
        DictionaryEntry,
        "这个词",
        ("dictionary", "code", "label", "aliases", "position", "valid_from", "valid_to", "source"),
    ),
    "unit": (Unit, "这个部门", ("name", "aliases", "successor_id", "valid_from", "valid_to", "source")),
    "park": (Park, "这个园区", ("name", "aliases", "valid_from", "valid_to", "source")),
    "carrier": (Carrier, "这个载体", ("kind", "name", "aliases", "valid_from", "valid_to", "source")),
}
# Once records point at them, these no longer change.
FIXED = frozenset({"dictionary", "code"})


def add_entry(noun: str, region_id: int, values: Mapping[str, Any], *, act: Act) -> Written:
    """Add a row to a list of a region; ``noun`` is a key of LISTS, the id is in ``ids["entry"]``.

    Raises NotFound, NotAllowed, InvalidInput (no name, a taken code, ends before it begins).
    """
    region = visible_record(Region, region_id, act.viewer, "这个区划")
    require(act.viewer.has_in(region.id, *OFFICE), "改字典")
    row = {name: values.get(name) for name in LISTS[noun][2] if values.get(name) is not None}
    if noun == "dictionary_entry":
        if not row.get("code") and isinstance(row.get("label"), str):
            row["code"] = _code_for(row["label"], row.get("dictionary"))
        row.setdefault("position", _next_position(row.get("dictionary"), region.id))
    _refuse(noun, row, region.id, None)
    return write(
        [Create(noun, {**row, "region_id": region.id}, "entry")], act=act, action=f"add_{noun}", region_id=region.id
    )


def edit_entry(
    noun: str,
    entry_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    act: Act,
    seen: Mapping[str, Any] | None = None,
) -> Written:
    """Change a row of a list; to end it, set ``valid_to``: nothing is deleted, old records keep their words.

    Raises NotFound, NotAllowed, InvalidInput, Conflict.
    """
    model, what, names = LISTS[noun]
    row = visible_record(model, entry_id, act.viewer, what)
    require(act.viewer.has_in(row.region_id, *OFFICE), "改字典")
    wanted = {name: values[name] for name in names if name in values and name not in FIXED}
    _refuse(noun, {name: getattr(row, name) for name in names} | wanted, row.region_id, row.id)
    return write([Update(noun, row.id, wanted, version, seen)], act=act, action=f"edit_{noun}", region_id=row.region_id)


def _refuse(noun: str, row: Mapping[str, Any], region_id: int, own_id: int | None) -> None:
    wrong: dict[str, str] = {}
    label = "label" if noun == "dictionary_entry" else "name"
    text = row.get(label)
    if not text or len(text) > 80:
        wrong[label] = "填名称，不超过 80 个字。"
    begins, ends = row.get("valid_from"), row.get("valid_to")
    if isinstance(begins, date) and isinstance(ends, date) and ends < begins:
        wrong["valid_to"] = f"停用日期 {ends} 早于启用日期 {begins}。核对后改正。"
    if noun == "dictionary_entry":
        if row.get("dictionary") not in DICTIONARIES:
            wrong["dictionary"] = "选字典。"
        code = row.get("code") or ""
        # Without a name there is nothing to make a code of, and the name is what has to be mended.
        if not CODE.fullmatch(code) and (code or label not in wrong):
            wrong["code"] = "代码用小写字母、数字、横线或下划线，不超过 40 个字符。"
        elif _taken(noun, region_id, own_id, dictionary=row.get("dictionary"), code=row.get("code")):
            wrong["code"] = f"代码 {row.get('code')} 已有。换一个。"
    if noun == "carrier" and row.get("kind") and len(row["kind"]) > 40:
        wrong["kind"] = "选载体类型。"
    successor = row.get("successor_id")
    if successor is not None:
        other = db.session.get(Unit, successor)
        if other is None or other.deleted or other.region_id != region_id or other.id == own_id:
            wrong["successor_id"] = "选同一区划的另一个部门。"
    if label not in wrong and _taken(noun, region_id, own_id, **_same_name(noun, row, label)):
        wrong[label] = f"“{text}”已有。改用已有的一条，或换个名称。"
    if wrong:
        raise InvalidInput(wrong)


def _same_name(noun: str, row: Mapping[str, Any], label: str) -> dict[str, Any]:
    same = {label: row[label]}
    if noun == "dictionary_entry":
        same["dictionary"] = row.get("dictionary")
    return same


def _taken(noun: str, region_id: int, own_id: int | None, **same: Any) -> bool:
    table = Base.metadata.tables[noun]
    query = select(table.c.id).where(table.c.region_id == region_id, ~table.c.deleted)
    for name, value in same.items():
        query = query.where(table.c[name] == value)
    return any(record_id != own_id for record_id in db.session.scalars(query))


def _code_for(label: str, dictionary: Any) -> str:
    """A code that no word of the list has in any region: records keep it, and nobody has to invent one."""
    stem = latin(label)[:36] or "word"
    codes = set(db.session.scalars(select(DictionaryEntry.code).where(DictionaryEntry.dictionary == dictionary)))
    return next(code for n in count(1) if (code := stem if n == 1 else f"{stem}_{n}") not in codes)


def _next_position(dictionary: Any, region_id: int) -> int:
    query = select(DictionaryEntry.position).where(
        DictionaryEntry.dictionary == dictionary, DictionaryEntry.region_id == region_id, ~DictionaryEntry.deleted
    )
    return max(db.session.scalars(query), default=0) + 10
