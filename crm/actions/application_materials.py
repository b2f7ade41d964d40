"""Materials of an application: recorded as there, waived with a reason, carried over from a former cycle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.actions.application_steps import Moving, moving
from crm.actions.attachments import Upload, creations
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.materials import (
    MATERIAL_STATES,
    PRESENT,
    WAIVED,
    Checklist,
    Evidence,
    Item,
    why_not,
)
from crm.domain.refusals import SAME_FIELD, Conflict, InvalidInput, NotFound, Refused
from crm.domain.rounds import Round
from crm.domain.stages import ENDS, cycle_day
from crm.rules.materials import load_checklists
from crm.store.applications import ApplicationMaterial, former_evidence, materials_of
from crm.store.writer import Written, write

NOTE_LENGTH = 300


@dataclass(frozen=True)
class Piece:
    """What is stated of one item. ``version`` is that of the record the editor saw; 0: there was none."""

    item: str
    dated_on: date | None = None
    expires_on: date | None = None
    note: str | None = None
    upload: Upload | None = None
    version: int = 0


def checklist_of(kind: str, year: int, window: Round | None) -> Checklist:
    """The checklist of an application's cycle. Raises Refused when nothing was asked then."""
    found = load_checklists().of(kind, cycle_day(year, window.opens_on if window else None))
    if found is None:
        raise Refused(f"{year} 年没有这种资格的材料清单。核对年度。", field="year")
    return found


def problems(item: Item, piece: Piece, *, year: int, today: date) -> dict[str, str]:
    """What is wrong with a piece of evidence as stated: {field: one Chinese sentence}. Pure."""
    wrong: dict[str, str] = {}
    earliest = item.earliest(year)
    if piece.dated_on is not None and piece.dated_on > today:
        wrong["dated_on"] = f"材料日期 {piece.dated_on} 还没到。填材料上写的日期。"
    elif earliest is not None and piece.dated_on is None:
        wrong["dated_on"] = f"填《{item.name}》的日期：{year} 年申报要 {earliest} 以后的。"
    elif earliest is not None and piece.dated_on is not None and piece.dated_on < earliest:
        wrong["dated_on"] = (
            f"《{item.name}》日期 {piece.dated_on} 属于上一个周期，{year} 年申报要 {earliest} 以后的。"
            "让企业出新的；确实不用交，改登记免交。"
        )
    if piece.expires_on is not None and piece.dated_on is not None and piece.expires_on < piece.dated_on:
        wrong["expires_on"] = f"有效期止 {piece.expires_on} 早于材料日期 {piece.dated_on}。核对后改正。"
    elif piece.expires_on is not None and piece.expires_on < today:
        wrong["expires_on"] = f"有效期到 {piece.expires_on}，已过，不能算已有。换新的再登记。"
    if len(piece.note or "") > NOTE_LENGTH:
        wrong["note"] = f"说明不超过 {NOTE_LENGTH} 个字。"
    return wrong


def record_material(application_id: int, piece: Piece, *, act: Act) -> Written:
    """Record that a material is there, with its dates and its file if there is one; an earlier word is replaced.

    Raises NotFound, NotAllowed, InvalidInput, Refused when the application has ended, Conflict when somebody recorded
    the same item meanwhile.
    """
    found = _open(application_id, act)
    item = _item(found, piece.item)
    wrong = problems(item, piece, year=found.application.year, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    values: dict[str, Any] = {
        "state": PRESENT,
        "dated_on": piece.dated_on,
        "expires_on": piece.expires_on,
        "note": (piece.note or "").strip() or None,
        "waived_reason": None,
        "from_material_id": None,
    }
    changes: list[Create | Update] = []
    if piece.upload is not None:
        hung = _files(found, item, piece, act)
        values["stored_file_id"] = hung.values["stored_file_id"]
        changes.append(hung)
    changes += _one(found, item, values, piece.version, mine=MATERIAL_STATES[PRESENT])
    return write(changes, act=act, action="record_material", region_id=found.enterprise.region_id)


def receive_materials(application_id: int, items: Sequence[str], *, dated_on: date | None, act: Act) -> Written:
    """Record several materials as there at once (收到的材料). ``dated_on`` is the date that stands on them all, if any.

    Raises like ``record_material``; which of them cannot be taken is named on ``items``.
    """
    found = _open(application_id, act)
    if not items:
        raise InvalidInput({"items": "勾选收到的材料。"})
    existing = {row.item: row for row in materials_of(application_id)}
    said: dict[str, str] = {}
    changes: list[Create | Update] = []
    for code in dict.fromkeys(items):
        item = _item(found, code)
        piece = Piece(code, dated_on)
        wrong = problems(item, piece, year=found.application.year, today=act.effective_on)
        said.update({field: sentence for field, sentence in wrong.items() if field not in said})
        row = existing.get(code)
        values = {"state": PRESENT, "dated_on": dated_on, "expires_on": None, "waived_reason": None}
        changes += _one(found, item, values, row.version if row else 0, mine="", existing=existing)
    if said:
        raise InvalidInput(said)
    return write(changes, act=act, action="receive_materials", region_id=found.enterprise.region_id)


def waive_material(application_id: int, item: str, *, reason: str, version: int = 0, act: Act) -> Written:
    """Record that a material need not be handed in (免交), with the reason. Raises like ``record_material``."""
    found = _open(application_id, act)
    one, said = _item(found, item), reason.strip()
    if not said:
        raise InvalidInput({"waived_reason": f"写明为什么免交《{one.name}》。"})
    if len(said) > NOTE_LENGTH:
        raise InvalidInput({"waived_reason": f"理由不超过 {NOTE_LENGTH} 个字。"})
    values = {
        "state": WAIVED,
        "waived_reason": said,
        "dated_on": None,
        "expires_on": None,
        "stored_file_id": None,
        "from_material_id": None,
        "note": None,
    }
    changes = _one(found, one, values, version, mine=MATERIAL_STATES[WAIVED])
    return write(changes, act=act, action="waive_material", region_id=found.enterprise.region_id)


def carry_materials(application_id: int, offered: Mapping[str, int], *, act: Act) -> Written:
    """Confirm that pieces of a former cycle count for this one (核对后沿用). ``offered``: {item: material id}.

    Only what the checklist offers can be carried over: an expired piece, one of another enterprise or one of an item
    that needs a new one each cycle is refused. Raises NotFound, NotAllowed, InvalidInput, Refused.
    """
    found = _open(application_id, act)
    if not offered:
        raise InvalidInput({"offered": "勾选核对过、可以沿用的材料。"})
    former = {one.material_id: one for one in former_evidence(found.application.enterprise_id, application_id)}
    existing = {row.item: row for row in materials_of(application_id)}
    changes: list[Create | Update] = []
    for code, material_id in offered.items():
        item, one = _item(found, code), former.get(material_id)
        if one is None or one.item != code:
            raise NotFound(f"《{item.name}》往年的那一份")
        _refuse_stale(item, one, found.application.year, act.effective_on)
        row = existing.get(code)
        values = {
            "state": PRESENT,
            "dated_on": one.dated_on,
            "expires_on": one.expires_on,
            "stored_file_id": one.stored_file_id,
            "from_material_id": material_id,
            "waived_reason": None,
            "note": f"沿用 {one.year} 年申报的，{act.effective_on} {act.viewer.name} 核对",
        }
        version = row.version if row else 0
        changes += _one(found, item, values, version, mine="", existing=existing)
    return write(changes, act=act, action="carry_materials", region_id=found.enterprise.region_id)


def take_back_material(application_id: int, item: str, *, version: int, act: Act) -> Written:
    """Take back what was recorded of an item: it is missing again. Raises like ``record_material``."""
    found = _open(application_id, act)
    one = _item(found, item)
    row = next((row for row in materials_of(application_id) if row.item == item), None)
    if row is None:
        raise Refused(f"《{one.name}》没有登记过。")
    changes = [withdraw("application_material", row.id, version)]
    return write(changes, act=act, action="take_back_material", region_id=found.enterprise.region_id)


def _open(application_id: int, act: Act) -> Moving:
    found = moving(application_id, act, "登记申报材料")
    if found.application.outcome is not None:
        raise Refused(f"这件申报已{ENDS[found.application.outcome]}，材料不再登记。")
    return found


def _item(found: Moving, code: str) -> Item:
    row = found.application
    item = checklist_of(row.kind, row.year, found.window).by_code.get(code)
    if item is None:
        raise InvalidInput({"item": "选材料清单里的一项。"})
    return item


def _refuse_stale(item: Item, one: Evidence, year: int, on: date) -> None:
    if not item.carries:
        raise Refused(f"《{item.name}》每个周期都要新的，不能沿用 {one.year} 年的。", field="offered")
    if reason := why_not(item, one, year, on):
        raise Refused(f"{one.year} 年的《{item.name}》不能沿用：{reason}。", field="offered")


def _files(found: Moving, item: Item, piece: Piece, act: Act) -> Create:
    """The attachment of the application that holds the piece's file; whoever reads its files can open it there."""
    assert piece.upload is not None, "only for a piece with a file"
    row = found.application
    values = {"title": item.name, "dated_on": piece.dated_on, "confidential": True}
    [hung] = creations(
        [piece.upload],
        noun="application",
        record_id=row.id,
        region_id=found.enterprise.region_id,
        enterprise_id=row.enterprise_id,
        values=values,
        act=act,
    )
    return hung


def _one(
    found: Moving,
    item: Item,
    values: dict[str, Any],
    version: int,
    *,
    mine: str,
    existing: Mapping[str, ApplicationMaterial] | None = None,
) -> list[Create | Update]:
    """The one change that records an item; there is at most one live record of each in an application."""
    row = found.application
    known = existing if existing is not None else {one.item: one for one in materials_of(row.id)}
    held = known.get(item.code)
    if held is None:
        stated = {"application_id": row.id, "enterprise_id": row.enterprise_id, "item": item.code, **values}
        return [Create("application_material", {k: v for k, v in stated.items() if v is not None})]
    if version != held.version:
        raise Conflict(SAME_FIELD, {item.code: (None, MATERIAL_STATES[held.state], mine)})
    return [Update("application_material", held.id, values, held.version)]
