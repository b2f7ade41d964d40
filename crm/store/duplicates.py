"""Enterprises of one district that may be one and the same, with what speaks for it; only ever a suggestion."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import func, literal, or_, select

from crm.domain.names import core_name
from crm.domain.relations import DISTINCT
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import OLD_NUMBER, Enterprise, EnterpriseAlias
from crm.store.matching import stands_in
from crm.store.relations import Relation
from crm.store.scope import visible
from crm.store.standings import SearchText, Standing

# The same 字号 is looked for in every name of a district up to this many.
MOST_NAMES = 20_000
SHOWN = 100
# What speaks for two files being one, from the strongest on.
CODE, NAME, FORMER, ORGANISATION, CORE = "code", "name", "former_name", "organisation", "core"
STRENGTH = {CODE: 50, NAME: 40, FORMER: 30, ORGANISATION: 25, "phone": 6, "legal_person": 5, "address": 4, CORE: 10}


@dataclass(frozen=True)
class Firm:
    """What is compared of one enterprise."""

    id: int
    name: str
    name_key: str
    credit_code: str | None
    legal_person: str | None
    contact_phone: str | None
    address: str | None


@dataclass
class Suspicion:
    """Two enterprises and the reasons: {kind of evidence: the word that both share}."""

    left: Firm
    right: Firm
    evidence: dict[str, str] = field(default_factory=dict)

    @property
    def strength(self) -> int:
        return sum(STRENGTH[kind] for kind in self.evidence)


@dataclass(frozen=True)
class ToldApart:
    """A pair of which the office said that they are two firms: the record, who said so, and when."""

    relation: Relation
    left: Firm
    right: Firm
    who: str
    at: datetime


_COLUMNS = (
    Enterprise.id,
    Enterprise.name,
    SearchText.name_key,
    Enterprise.credit_code,
    Enterprise.legal_person,
    Enterprise.contact_phone,
    Enterprise.address,
)


def _firms(viewer: Viewer, region_id: int) -> Any:
    query = (
        select(*_COLUMNS)
        .select_from(Enterprise)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .join(SearchText, SearchText.enterprise_id == Enterprise.id)
        .where(Standing.region_id == region_id)
    )
    return visible(query, viewer)


def of_region(region_id: int, viewer: Viewer, places: tuple[str, ...]) -> tuple[list[Suspicion], bool]:
    """The suspicions within a district, strongest first, and whether 字号 were compared (a small enough district)."""
    count = select(func.count()).select_from(Standing).where(Standing.region_id == region_id)
    small = (db.session.scalar(visible(count, viewer)) or 0) <= MOST_NAMES
    firms = {row[0]: Firm(*row) for row in db.session.execute(_firms(viewer, region_id))} if small else {}
    found: dict[tuple[int, int], Suspicion] = {}
    if small:
        _by_core(found, firms.values(), places)
    else:
        twice = select(SearchText.name_key).join(Standing, Standing.enterprise_id == SearchText.enterprise_id)
        twice = twice.where(Standing.region_id == region_id).group_by(SearchText.name_key).having(func.count() > 1)
        query = _firms(viewer, region_id).where(SearchText.name_key.in_(twice.limit(SHOWN)))
        firms = {row[0]: Firm(*row) for row in db.session.execute(query)}
    _by_name(found, firms.values())
    _by_organisation(found, firms.values())
    _by_alias(found, firms)
    _leave_out(found, _told_apart(viewer))
    return sorted(found.values(), key=lambda one: (-one.strength, one.left.name_key, one.left.id))[:SHOWN], small


def of_enterprise(enterprise_id: int, viewer: Viewer, places: tuple[str, ...]) -> list[Suspicion]:
    """Whom an enterprise may be the double of, strongest first."""
    own = db.session.execute(select(Enterprise.region_id, Enterprise.name).where(Enterprise.id == enterprise_id)).one()
    core = core_name(own.name, places)
    aliases = select(EnterpriseAlias.value_key).where(
        EnterpriseAlias.enterprise_id == enterprise_id, ~EnterpriseAlias.deleted
    )
    also = select(EnterpriseAlias.enterprise_id).where(
        ~EnterpriseAlias.deleted,
        or_(
            EnterpriseAlias.value_key.in_(aliases),
            EnterpriseAlias.value_key.in_(select(SearchText.name_key).where(SearchText.enterprise_id == enterprise_id)),
            EnterpriseAlias.value_key.in_(select(Enterprise.credit_code).where(Enterprise.id == enterprise_id)),
        ),
    )
    near = or_(
        stands_in(literal(core), Enterprise.name) if len(core) > 1 else literal(False),
        Enterprise.id.in_(also),
        Enterprise.id == enterprise_id,
        SearchText.name_key.in_(aliases),
        Enterprise.credit_code.in_(aliases),
    )
    rows = db.session.execute(_firms(viewer, own.region_id).where(near).limit(500))
    firms = {row[0]: Firm(*row) for row in rows}
    found: dict[tuple[int, int], Suspicion] = {}
    _by_core(found, firms.values(), places)
    _by_name(found, firms.values())
    _by_organisation(found, firms.values())
    _by_alias(found, firms)
    _leave_out(found, _told_apart(viewer).where(_of(enterprise_id)))
    mine = [one for one in found.values() if enterprise_id in (one.left.id, one.right.id)]
    return sorted(mine, key=lambda one: (-one.strength, one.left.id, one.right.id))[:SHOWN]


def told_apart(region_id: int, viewer: Viewer) -> list[ToldApart]:
    """The pairs of a district that were decided to be two firms, the newest decision first."""
    query = _told_apart(viewer, Relation).join(Standing, Standing.enterprise_id == Relation.enterprise_id)
    query = query.where(Standing.region_id == region_id).order_by(Relation.id.desc()).limit(SHOWN)
    return _decisions(list(db.session.scalars(query)), viewer)


def decision_about(enterprise_id: int, other_id: int, viewer: Viewer) -> ToldApart | None:
    """What was decided about one pair; None where nothing was."""
    query = _told_apart(viewer, Relation).where(_of(enterprise_id), _of(other_id)).limit(1)
    return next(iter(_decisions(list(db.session.scalars(query)), viewer)), None)


def _of(enterprise_id: int) -> Any:
    return or_(Relation.enterprise_id == enterprise_id, Relation.other_id == enterprise_id)


def _told_apart(viewer: Viewer, *columns: Any) -> Any:
    """The decisions a viewer sees; without ``columns`` the ids of both sides."""
    query = select(*(columns or (Relation.enterprise_id, Relation.other_id))).select_from(Relation)
    return visible(query.where(Relation.kind == DISTINCT), viewer)


def _leave_out(found: dict[tuple[int, int], Suspicion], decisions: Any) -> None:
    for one, other in db.session.execute(decisions):
        found.pop((min(one, other), max(one, other)), None)


def _decisions(rows: list[Relation], viewer: Viewer) -> list[ToldApart]:
    """These decisions with both firms and who made them; one of a firm that the viewer does not see is left out."""
    if not rows:
        return []
    ids = {i for row in rows for i in (row.enterprise_id, row.other_id)}
    query = select(*_COLUMNS).join(SearchText, SearchText.enterprise_id == Enterprise.id)
    firms = {row[0]: Firm(*row) for row in db.session.execute(visible(query.where(Enterprise.id.in_(ids)), viewer))}
    written = (
        select(Change.record_id, ChangeSet.who, ChangeSet.recorded_at)
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
        .where(Change.noun == "relation", Change.op == "create", Change.record_id.in_([row.id for row in rows]))
    )
    by = {record_id: (who, at) for record_id, who, at in db.session.execute(written)}
    return [
        ToldApart(row, firms[row.enterprise_id], firms[row.other_id], *by[row.id])
        for row in rows
        if row.enterprise_id in firms and row.other_id in firms and row.id in by
    ]


def _suspect(found: dict[tuple[int, int], Suspicion], one: Firm, other: Firm, kind: str, word: str) -> None:
    left, right = sorted((one, other), key=lambda firm: firm.id)
    suspicion = found.setdefault((left.id, right.id), Suspicion(left, right))
    suspicion.evidence.setdefault(kind, word)


def _pairs(firms: Sequence[Firm]) -> Iterable[tuple[Firm, Firm]]:
    # A 字号 that dozens of firms share tells nothing.
    if len(firms) <= 8:
        yield from ((one, other) for place, one in enumerate(firms) for other in firms[place + 1 :])


def _grouped(firms: Iterable[Firm], key: Any) -> Iterable[tuple[str, list[Firm]]]:
    groups: dict[str, list[Firm]] = defaultdict(list)
    for firm in firms:
        if word := key(firm):
            groups[word].append(firm)
    return ((word, some) for word, some in groups.items() if len(some) > 1)


def _by_name(found: dict[tuple[int, int], Suspicion], firms: Iterable[Firm]) -> None:
    for _, some in _grouped(firms, lambda firm: firm.name_key):
        for one, other in _pairs(some):
            _suspect(found, one, other, NAME, one.name)


def _by_core(found: dict[tuple[int, int], Suspicion], firms: Iterable[Firm], places: tuple[str, ...]) -> None:
    for core, some in _grouped(firms, lambda firm: core_name(firm.name, places)):
        if len(core) < 2:
            continue
        for one, other in _pairs(some):
            _suspect(found, one, other, CORE, core)
            for kind in ("contact_phone", "legal_person", "address"):
                said = getattr(one, kind)
                if said and said == getattr(other, kind):
                    _suspect(found, one, other, kind.removeprefix("contact_"), said)


def _organisation(firm: Firm) -> str:
    return firm.credit_code[8:17] if firm.credit_code and len(firm.credit_code) == 18 else ""


def _by_organisation(found: dict[tuple[int, int], Suspicion], firms: Iterable[Firm]) -> None:
    """GB 32100: characters 9 to 17 are the code of the organisation, which a change of its kind leaves."""
    for code, some in _grouped(firms, _organisation):
        for one, other in _pairs(some):
            _suspect(found, one, other, ORGANISATION, code)


def _by_alias(found: dict[tuple[int, int], Suspicion], firms: dict[int, Firm]) -> None:
    """A former name or old number of the one is the name, code, former name or old number of the other."""
    if not firms:
        return
    columns = (EnterpriseAlias.enterprise_id, EnterpriseAlias.kind, EnterpriseAlias.value_key, EnterpriseAlias.value)
    query = select(*columns).where(~EnterpriseAlias.deleted)
    if len(firms) <= 1000:
        query = query.where(EnterpriseAlias.enterprise_id.in_(firms))
    holders: dict[str, list[tuple[int, str]]] = defaultdict(list)
    by_key: dict[str, list[int]] = defaultdict(list)
    for firm in firms.values():
        by_key[firm.name_key].append(firm.id)
        if firm.credit_code:
            by_key[firm.credit_code].append(firm.id)
    for enterprise_id, kind, key, value in db.session.execute(query):
        if enterprise_id in firms and key:
            holders[key].append((enterprise_id, CODE if kind == OLD_NUMBER else FORMER))
            for other in by_key.get(key, ()):
                if other != enterprise_id:
                    evidence = CODE if kind == OLD_NUMBER else FORMER
                    _suspect(found, firms[enterprise_id], firms[other], evidence, value)
    for key, some in holders.items():
        for (one, kind), (other, _) in pairwise(some):
            if one != other:
                _suspect(found, firms[one], firms[other], kind, key)
