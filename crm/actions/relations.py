"""关联企业: branch, parent, common control, merger, split, 个转企 predecessor; dated, and seen from both sides."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from crm.actions.rights import may_edit, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.names import normalise_name
from crm.domain.refusals import InvalidInput, NotAllowed, Refused
from crm.domain.relations import DISTINCT, ENTERED, REVERSED
from crm.domain.viewers import OFFICE
from crm.store.enterprises import Enterprise
from crm.store.relations import Relation, relations_of
from crm.store.scope import visible_enterprise, visible_record
from crm.store.unit_of_work import hold
from crm.store.writer import Written, write

NOTE_LENGTH = 500
CODES = ("kind", "other_id", "other_name", "other_code", "starts_on", "ends_on", "note")


def problems(values: Mapping[str, Any], *, own_id: int, today: date) -> dict[str, str]:
    """What is wrong with a relation: {field: one Chinese sentence}; pure."""
    wrong: dict[str, str] = {}
    if values.get("kind") not in ENTERED:
        wrong["kind"] = "选是什么关系。"
    if values.get("other_id") is None and not (values.get("other_name") or "").strip():
        wrong["other_name"] = "选库里的企业，或写上对方名称。"
    if values.get("other_id") == own_id:
        wrong["other_id"] = "不能与自己关联。选另一家。"
    start, end = values.get("starts_on"), values.get("ends_on")
    if start is not None and start > today:
        wrong["starts_on"] = f"起始日期 {start} 还没到。改正日期，或留空表示不知道。"
    if start is not None and end is not None and end < start:
        wrong["ends_on"] = f"终止日期 {end} 早于起始日期 {start}。改正其中一个。"
    return wrong


def record_relation(enterprise_id: int, values: Mapping[str, Any], *, act: Act) -> Written:
    """Enter a relation. Raises NotFound, NotAllowed, InvalidInput (with itself, entered before …)."""
    row = _editable(enterprise_id, act)
    stated = _stated(values, row.id, act)
    _refuse_repetition(row.id, stated, None)
    create = Create("relation", {**stated, "enterprise_id": row.id})
    return write([create], act=act, action="record_relation", region_id=row.region_id)


def edit_relation(
    relation_id: int, values: Mapping[str, Any], *, version: int, seen: Mapping[str, Any] | None = None, act: Act
) -> Written:
    """Change or end a relation; fields not named stay. Raises like ``record_relation``, and Conflict."""
    one: Relation = visible_record(Relation, relation_id, act.viewer, "这条关联")
    row = _editable(one.enterprise_id, act)
    if one.kind == DISTINCT:
        raise NotAllowed("核实过不是同一家的，不在这里改。结论变了就撤下。")
    merged = {code: getattr(one, code) for code in CODES} | dict(values)
    stated = _stated(merged, row.id, act, known=one.other_id)
    _refuse_repetition(row.id, stated, one.id)
    # A firm of the library takes the place of a name as written, which the form need not have touched.
    own = {code: stated[code] for code in CODES if code in values or stated[code] != merged[code]}
    known = None if seen is None else {**{code: getattr(one, code) for code in own if code not in seen}, **seen}
    return write(
        [Update("relation", one.id, own, version, known)], act=act, action="edit_relation", region_id=row.region_id
    )


def withdraw_relation(relation_id: int, *, version: int, act: Act) -> Written:
    """Take a relation entered by mistake out of both files; it can be undone."""
    one: Relation = visible_record(Relation, relation_id, act.viewer, "这条关联")
    row = _editable(one.enterprise_id, act)
    if one.kind == DISTINCT:
        require(act.viewer.has_in(row.region_id, *OFFICE), "撤下不是同一家的结论")
    return write([withdraw("relation", one.id, version)], act=act, action="withdraw_relation", region_id=row.region_id)


def tell_apart(enterprise_id: int, other_id: int, note: str | None = None, *, act: Act) -> Written:
    """Decide that two files that look alike are two firms: the pair is not suggested for a merge any more.

    The decision goes with both files through later merges, and withdrawing it brings the suggestion back. Raises
    NotFound, NotAllowed, Refused (the same file, decided before), InvalidInput.
    """
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    _, other = visible_enterprise(other_id, act.viewer)
    for region_id in (standing.region_id, other.region_id):
        require(act.viewer.has_in(region_id, *OFFICE), "核实重复的企业")
    if enterprise_id == other_id:
        raise Refused("这是同一份档案。选另一家。")
    note = (note or "").strip() or None
    if note is not None and len(note) > NOTE_LENGTH:
        raise InvalidInput({"note": f"依据有 {len(note)} 个字，最多 {NOTE_LENGTH} 个字。改短后再填。"})
    # Two who decide at once would write it twice.
    hold(f"told-apart-{min(enterprise_id, other_id)}")
    if any(one.kind == DISTINCT and other_id in (one.enterprise_id, one.other_id) for one in relations_of(row.id)):
        raise Refused("这两家已经核实过不是同一家。")
    stated = {"kind": DISTINCT, "other_id": other_id, "starts_on": act.effective_on, "note": note}
    create = Create("relation", {**stated, "enterprise_id": row.id})
    return write([create], act=act, action="tell_apart", region_id=row.region_id)


def _editable(enterprise_id: int, act: Act) -> Enterprise:
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "登记关联企业")
    return row


def _stated(values: Mapping[str, Any], own_id: int, act: Act, known: int | None = None) -> dict[str, Any]:
    """The values as they are kept: of an enterprise in the library its id alone, so that it cannot disagree.

    ``known`` is the one that stands there already: it may stay where the viewer does not see it.
    """
    wrong = problems(values, own_id=own_id, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    stated = {code: values.get(code) for code in CODES}
    if stated["other_id"] is not None:
        # Whom one may not see one cannot point at either.
        if stated["other_id"] != known:
            visible_enterprise(int(stated["other_id"]), act.viewer)
        stated |= {"other_name": None, "other_code": None}
    return stated


def _refuse_repetition(enterprise_id: int, stated: Mapping[str, Any], own_id: int | None) -> None:
    """The same relation is entered once, from whichever side."""
    for one in relations_of(enterprise_id):
        if one.id == own_id:
            continue
        mine = one.enterprise_id == enterprise_id
        other = one.other_id if mine else one.enterprise_id
        kind = one.kind if mine else REVERSED.get(one.kind)
        if kind != stated["kind"]:
            continue
        same = other == stated["other_id"] if stated["other_id"] is not None else False
        named = mine and other is None and stated["other_id"] is None
        if same or (named and normalise_name(one.other_name or "") == normalise_name(stated["other_name"] or "")):
            where = "" if mine else "（在对方的档案里登记的）"
            raise InvalidInput({"other_id": f"这条关联已经登记过{where}。同一种关系只记一次。"})
