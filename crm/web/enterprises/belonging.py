"""归属与关联 of one enterprise: every dated affiliation, and its relations seen from both sides."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from crm.actions.affiliations import may_keep
from crm.actions.enterprises import belonging_value
from crm.domain import words
from crm.domain.fields import AFFILIATIONS, FIELDS
from crm.domain.relations import DISTINCT, KINDS, SEEN_FROM_THE_OTHER
from crm.extensions import db
from crm.store.enterprises import FORMER_NAME, Affiliation, Enterprise
from crm.store.relations import Relation, relations_of
from crm.store.scope import visible
from crm.web import reference
from crm.web.doors import today, viewer
from crm.web.enterprises.file import File

UNSEEN = "不归你看的企业"


class Firm(NamedTuple):
    """The other enterprise of a relation: its id where one may open it."""

    id: int | None
    name: str
    code: str


def names_of_firms(enterprise_id: int, relations: Iterable[Relation]) -> dict[int, Firm]:
    """{relation: the other enterprise}; one that the viewer may not see has no name here."""
    rows = list(relations)
    others = {row.id: row.other_id if row.enterprise_id == enterprise_id else row.enterprise_id for row in rows}
    ids = {one for one in others.values() if one}
    query = select(Enterprise.id, Enterprise.name, Enterprise.credit_code).where(Enterprise.id.in_(ids))
    known = (
        {row[0]: Firm(row[0], row[1], row[2] or "") for row in db.session.execute(visible(query, viewer()))}
        if ids
        else {}
    )
    return {
        row.id: known.get(others[row.id] or 0, Firm(None, UNSEEN, ""))
        if others[row.id]
        else Firm(None, row.other_name or "", row.other_code or "")
        for row in rows
    }


def said(one: Affiliation, people: dict[int, str] | None = None) -> str:
    """What an affiliation points at, in words; names of the request are read once."""
    field, content = FIELDS[f"enterprise.{one.kind}"], belonging_value(one)
    person = viewer()
    if field.type == "region":
        return reference.region_name(person, content) or "（别处）"
    if field.type == "person":
        known = {u.id: u.name for u in reference.managers(person, today())}
        return known.get(content) or (people or {}).get(content) or reference.people([content]).get(content, "")
    if field.type in ("park", "carrier"):
        return reference.names_for(field.type, person, today()).get(content, "")
    return words.value(field, content)


def belonging(file: File) -> dict[str, Any]:
    """What the tab shows."""
    person = viewer()
    readable = [kind for kind in AFFILIATIONS if FIELDS[f"enterprise.{kind}"].cls in file.classes]
    people = reference.people(one.ref_id for one in file.affiliations if one.kind == "manager")
    groups = []
    for kind in readable:
        rows = [one for one in file.affiliations if one.kind == kind]
        rows.sort(key=lambda one: (one.ends_on is None, one.ends_on or today(), one.id), reverse=True)
        groups.append(
            {
                "kind": kind,
                "label": FIELDS[f"enterprise.{kind}"].label,
                "may": may_keep(kind, file.standing, person),
                "rows": [{"row": one, "text": said(one, people)} for one in rows],
            }
        )
    return {
        "belong_groups": [group for group in groups if group["rows"]],
        "belong_blank": [group for group in groups if not group["rows"]],
        "belong_kinds": [group for group in groups if group["may"]],
        "renamings": [a for a in file.aliases if a.kind == FORMER_NAME],
        **_relations(file),
    }


def _relations(file: File) -> dict[str, Any]:
    if not file.reads_internal:
        return {"relations": None}
    rows: Sequence[Relation] = relations_of(file.row.id)
    firms = names_of_firms(file.row.id, rows)
    return {
        "relations": [
            {
                "row": row,
                "own": row.enterprise_id == file.row.id,
                "decided": row.kind == DISTINCT,
                "kind": (KINDS if row.enterprise_id == file.row.id else SEEN_FROM_THE_OTHER).get(row.kind, row.kind),
                "firm": firms[row.id],
            }
            for row in rows
        ]
    }
