"""The sheets that go out: one page for each enterprise, pre-filled with what is known of it and the viewer may read."""

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.collection_answers import Known, known_of, readable_questions
from crm.actions.import_words import labels
from crm.domain.collections import REGISTER, Question, questions, stamp_of, written_answer
from crm.domain.fields import CHOICES, FIELDS
from crm.domain.viewers import INTERNAL, Viewer
from crm.domain.words import YES
from crm.extensions import db
from crm.sheets.questionnaires import (
    PIECE_CODES,
    Line,
    Questionnaire,
    write_questionnaires,
    write_zip,
)
from crm.store.collections import Collection, CollectionEnterprise
from crm.store.enterprises import Enterprise
from crm.store.intellectual_property import IntellectualProperty
from crm.store.scope import visible
from crm.store.settings import office_name
from crm.store.standings import Standing

TITLE = "企业数据采集表"
AUTHORISATION = (
    "授权声明：本企业自愿提供以上数据，确认属实；同意{office}用于科技型企业、高新技术企业等资格的条件比对、"
    "申报辅导和服务，并按保密数据管理。未经本企业同意，不向第三方提供。"
)
_YES_NO = ("是", "否")


def questionnaires(
    row: Collection, sheets: Sequence[CollectionEnterprise], *, viewer: Viewer
) -> list[tuple[CollectionEnterprise, Questionnaire]]:
    """The sheets of a collection in the order of names; values of a class the viewer may not read stay blank."""
    ids = [sheet.enterprise_id for sheet in sheets]
    query = (
        select(Enterprise, Standing)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .where(Enterprise.id.in_(ids))
        .order_by(Standing.name_sort, Enterprise.id)
    )
    by_enterprise = {sheet.enterprise_id: sheet for sheet in sheets}
    known = known_of(ids)
    pieces = _pieces(ids)
    choices = labels(within=row.region_id)
    office = office_name(row.region_id)
    made = []
    for enterprise, standing in db.session.execute(visible(query, viewer)):
        sheet = by_enterprise[enterprise.id]
        reads = readable_questions(sheet.questions, viewer, standing)
        internal = INTERNAL in viewer.classes_over(standing)
        asked = questions(sheet.questions)
        lines = tuple(
            _line(one, known[enterprise.id] if one.path in reads else None, choices)
            for one in asked
            if one.field is not None
        )
        has_register = any(one.path == REGISTER for one in asked)
        made.append(
            (
                sheet,
                Questionnaire(
                    title=TITLE,
                    subtitle=_subtitle(row, office),
                    facts=_facts(enterprise, internal),
                    note=_note(row),
                    lines=lines,
                    stamp=stamp_of(row.id, sheet.id, enterprise.id),
                    authorisation=AUTHORISATION.format(office=office or "本县科技局"),
                    sheet_name=enterprise.name,
                    pieces=tuple(_piece(one) for one in pieces.get(enterprise.id, ())) if has_register else None,
                    piece_options=_PIECE_OPTIONS,
                ),
            )
        )
    return made


def workbook(row: Collection, sheets: Sequence[CollectionEnterprise], *, viewer: Viewer) -> bytes:
    """One workbook with a sheet for each enterprise."""
    target = io.BytesIO()
    write_questionnaires(target, [one for _, one in questionnaires(row, sheets, viewer=viewer)])
    return target.getvalue()


def archive(row: Collection, sheets: Sequence[CollectionEnterprise], *, viewer: Viewer) -> bytes:
    """A zip with one workbook for each enterprise, named after it."""
    target = io.BytesIO()
    made = questionnaires(row, sheets, viewer=viewer)
    write_zip(target, [(f"{one.facts[0][1]}_采集表", one) for _, one in made])
    return target.getvalue()


def _subtitle(row: Collection, office: str) -> str:
    parts = [row.title]
    if row.due_on is not None:
        parts.append(f"{row.due_on.month} 月 {row.due_on.day} 日前交回")
    if office:
        parts.append(office)
    return " · ".join(parts)


def _note(row: Collection) -> str:
    how = (
        "只问判断条件缺的数据，已知道的不再问。填浅黄色的格；金额按万元填，0 就填 0，不知道的留空。"
        "填好后签字盖章，把这份表和盖章件一并交回。"
    )
    return f"{row.note.strip()}　{how}" if row.note and row.note.strip() else how


def _facts(enterprise: Enterprise, internal: bool) -> tuple[tuple[str, str], ...]:
    known = [("企业名称", enterprise.name), ("统一社会信用代码", enterprise.credit_code or "")]
    if internal:
        known += [("联系人", enterprise.contact_name or ""), ("联系电话", enterprise.contact_phone or "")]
    return tuple(known)


def _line(asked: Question, known: Known | None, choices: Mapping[str, Mapping[Any, str]]) -> Line:
    assert asked.field is not None
    own = _choices_of(asked, choices)
    value = known.value(asked) if known is not None else None
    return Line(
        path=asked.path,
        label=asked.label,
        year=str(asked.year) if asked.year else "",
        unit=asked.unit,
        basis=meaning(asked),
        value=written_answer(asked, value, choices=own or None),
        options=_YES_NO if asked.field.type == "yes_no" else tuple(own.values()),
    )


def _choices_of(asked: Question, choices: Mapping[str, Mapping[Any, str]]) -> Mapping[Any, str]:
    assert asked.field is not None
    if asked.field.type != "choice" or asked.field.choices is None:
        return {}
    return choices.get(asked.field.choices) or CHOICES.get(asked.field.choices, {})


def meaning(asked: Question) -> str:
    """What a question means: its clause, and the words to choose from where there is no drop-down on paper."""
    if asked.field is None:
        return "已授权、在保护期内的"
    parts = [asked.field.basis] if asked.field.basis else []
    if asked.field.type == "date":
        parts.append("写成 2026-03-05")
    if asked.field.type == "choice" and asked.field.choices in CHOICES:
        parts.append("选：" + "、".join(CHOICES[asked.field.choices].values()))
    if asked.field.type == "yes_no":
        parts.append("填是或否")
    return "；".join(parts)


# --- the register of IP ----------------------------------------------------------------------------------------------

_KINDS = tuple(CHOICES["ip_kind"].values())
_PIECE_OPTIONS = ((2, _KINDS), (6, _YES_NO), (7, _YES_NO))


def _pieces(ids: Sequence[int]) -> dict[int, list[IntellectualProperty]]:
    found: dict[int, list[IntellectualProperty]] = {}
    query = select(IntellectualProperty).where(
        IntellectualProperty.enterprise_id.in_(ids), ~IntellectualProperty.deleted
    )
    for one in db.session.scalars(query.order_by(IntellectualProperty.id)):
        found.setdefault(one.enterprise_id, []).append(one)
    return found


def _piece(one: IntellectualProperty) -> tuple[str, ...]:
    return (str(one.id), *(_said(code, getattr(one, code)) for code in PIECE_CODES))


def _said(code: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else "否"
    if isinstance(value, date):
        return value.isoformat()
    declared = FIELDS[f"intellectual_property.{code}"]
    return CHOICES[declared.choices].get(value, value) if declared.choices else str(value)
