"""The IP register of an enterprise: entering, editing and withdrawing entries."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from typing import Any

from crm.actions.rights import may_record_ip, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.codes import normalise_code
from crm.domain.fields import CHOICES, fields_of
from crm.domain.refusals import InvalidInput
from crm.store.intellectual_property import IntellectualProperty, ip_of
from crm.store.scope import visible_enterprise, visible_record
from crm.store.writer import Written, write

CODES = tuple(field.code for field in fields_of("intellectual_property"))
# 国科发政〔2017〕115号 第九条（五）: which kinds are class Ⅰ; the others are class Ⅱ.
CLASS_1 = frozenset({"invention", "plant_variety", "national_crop", "national_drug", "tcm_protected", "ic_layout"})


def decide_new(enterprise_id: Any, values: Mapping[str, Any], *, key: Hashable = None) -> list[Create]:
    """The one creation that enters a piece: pure. A missing class follows from the kind (115号 第九条（五）)."""
    stated = {code: values[code] for code in CODES if values.get(code) is not None}
    if stated.get("kind") in CHOICES["ip_kind"]:
        stated.setdefault("ip_class", "1" if stated["kind"] in CLASS_1 else "2")
    return [Create("intellectual_property", {**stated, "enterprise_id": enterprise_id}, key)]


def problems(values: Mapping[str, Any], others: Sequence[Mapping[str, Any]], *, today: date) -> dict[str, str]:
    """What is wrong with one entry beside the enterprise's others: {field: one Chinese sentence}."""
    wrong: dict[str, str] = {}
    if not values.get("name"):
        wrong["name"] = "填名称。"
    if values.get("kind") not in CHOICES["ip_kind"]:
        wrong["kind"] = "选种类。"
    elif values.get("ip_class") is not None and (values["ip_class"] == "1") != (values["kind"] in CLASS_1):
        wrong["ip_class"] = (
            f"{CHOICES['ip_kind'][values['kind']]}属{'Ⅰ' if values['kind'] in CLASS_1 else 'Ⅱ'}类。改正类别或种类。"
        )
    granted, expires, moved = values.get("granted_on"), values.get("expires_on"), values.get("transferred_on")
    if granted is not None and granted > today:
        wrong["granted_on"] = f"授权日期 {granted} 还没到。授权后再登记，或改正日期。"
    if granted is not None and expires is not None and expires < granted:
        wrong["expires_on"] = f"保护期止 {expires} 早于授权日期 {granted}。改正其中一个。"
    if moved is not None and moved > today:
        wrong["transferred_on"] = f"转让日期 {moved} 还没到。核对后改正。"
    number = normalise_code(values.get("number") or "")
    if number and any(normalise_code(other.get("number") or "") == number for other in others):
        wrong["number"] = f"授权号 {values['number']} 已经登记过。同一件只记一次。"
    return wrong


def record_ip(enterprise_id: int, values: Mapping[str, Any], *, act: Act) -> Written:
    """Enter a piece of IP. Raises NotFound, NotAllowed, InvalidInput (no name, granted tomorrow, a number again …)."""
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_record_ip(act.viewer, standing), "登记知识产权")
    wrong = problems(values, _others(enterprise_id, None), today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    return write(decide_new(row.id, values, key="ip"), act=act, action="record_ip", region_id=row.region_id)


def edit_ip(
    ip_id: int, values: Mapping[str, Any], *, version: int, seen: Mapping[str, Any] | None = None, act: Act
) -> Written:
    """Change an entry; fields not named stay, edits of other fields merge. Raises like ``record_ip``, and Conflict."""
    row, region_id = _editable(ip_id, act)
    merged = {code: getattr(row, code) for code in CODES} | dict(values)
    wrong = problems(merged, _others(row.enterprise_id, row.id), today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    own = {code: value for code, value in values.items() if code in CODES}
    return write(
        [Update("intellectual_property", row.id, own, version, seen)], act=act, action="edit_ip", region_id=region_id
    )


def withdraw_ip(ip_id: int, *, version: int, act: Act) -> Written:
    """Take an entry made by mistake out of the register; the history keeps it and it can be undone."""
    row, region_id = _editable(ip_id, act)
    return write(
        [withdraw("intellectual_property", row.id, version)], act=act, action="withdraw_ip", region_id=region_id
    )


def _editable(ip_id: int, act: Act) -> tuple[IntellectualProperty, int]:
    row: IntellectualProperty = visible_record(IntellectualProperty, ip_id, act.viewer, "这件知识产权")
    enterprise, standing = visible_enterprise(row.enterprise_id, act.viewer)
    require(may_record_ip(act.viewer, standing), "修改知识产权")
    return row, enterprise.region_id


def _others(enterprise_id: int, own_id: int | None) -> list[dict[str, Any]]:
    return [{"number": one.number} for one in ip_of(enterprise_id) if one.id != own_id]
