"""Rebuildable projections: standings, spells, search texts and obligations, written in the transaction of the change."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import delete, insert, or_, select

from crm.domain.fields import CHOICES
from crm.domain.names import normalise_name
from crm.domain.obligations import NextStep, ObligationFacts, Outcome, obligations
from crm.domain.pinyin import haystack, sort_key
from crm.domain.standing import EnterpriseFacts, PoolFact, standing
from crm.domain.titles import RoundTable, TitleFact, spells
from crm.extensions import db, policy
from crm.store.applications import Application
from crm.store.enterprises import Affiliation, Enterprise, EnterpriseAlias
from crm.store.obligations import Obligation, ObligationOutcome
from crm.store.pool import PoolMembership
from crm.store.qualifications import FACT_COLUMNS, Qualification
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.standings import STATE_COLUMNS, SearchText, Spell, Standing
from crm.store.windows import rounds

CHUNK = 10_000

# Which nouns move which projection; an import of names need not compute obligations.
_TITLES = frozenset({"qualification", "pool_membership", "application"})
_SEARCH = frozenset({"enterprise", "enterprise_alias"})
_OBLIGATIONS = _TITLES | {"enterprise", "service_log", "service_log_enterprise", "obligation_outcome", "affiliation"}

_NO_FACTS = EnterpriseFacts(titles=(), pool=(), applications=())


def local_day(at: datetime) -> date:
    """The day of a moment where the bureau sits."""
    return at.astimezone(ZoneInfo(current_app.config["TZ_NAME"])).date()


def refresh(
    enterprise_ids: Iterable[int],
    *,
    at: datetime,
    nouns: frozenset[str] | None = None,
    fresh: frozenset[int] = frozenset(),
) -> int:
    """Rebuild the projections of these enterprises as of a moment, inside the open transaction.

    ``nouns`` are the tables a change touched (None: rebuild everything), ``fresh`` the enterprises that were just
    created and cannot have old rows. Returns how many enterprises were rebuilt.
    """
    ids = sorted(enterprise_ids)
    for start in range(0, len(ids), CHUNK):
        _refresh_chunk(ids[start : start + CHUNK], at, nouns, fresh)
    return len(ids)


def _refresh_chunk(ids: list[int], at: datetime, nouns: frozenset[str] | None, fresh: frozenset[int]) -> None:
    connection = db.session.connection()
    on = local_day(at)
    old = [i for i in ids if i not in fresh]
    computed = compute(ids, at=at)
    _replace(connection, Standing, Standing.enterprise_id, old, computed["standing"])
    if nouns is None or nouns & _TITLES:
        _replace(connection, Spell, Spell.enterprise_id, old, computed["spell"])
    if nouns is None or nouns & _SEARCH:
        _replace(connection, SearchText, SearchText.enterprise_id, old, search_rows(ids))
    if nouns is None or nouns & _OBLIGATIONS:
        _replace(connection, Obligation, Obligation.enterprise_id, old, computed["obligation"])
    db.session.info.setdefault("projected", set()).add(on)


def _replace(connection, model, key, old: list[int], rows: list[dict[str, Any]]) -> None:
    if old:
        connection.execute(delete(model.__table__).where(key.in_(old)))
    if rows:
        connection.execute(insert(model.__table__), rows)


def compute(ids: list[int], *, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """The rows of standing, spell and obligation that these enterprises ought to have at a moment; writes nothing."""
    on = local_day(at)
    ladder, cadences = policy.ladder, policy.cadences
    all_rounds = RoundTable(rounds())
    titles = _titles(ids)
    pool = _pool(ids)
    in_hand = _applications_in_hand(ids)
    belongs = _affiliations(ids, on)
    contact, steps = _service_logs(ids)
    outcomes = _outcomes(ids)
    rows: dict[str, list[dict[str, Any]]] = {"standing": [], "spell": [], "obligation": []}
    query = select(
        Enterprise.id, Enterprise.region_id, Enterprise.name, Enterprise.featured_industry, Enterprise.hightech_field
    ).where(Enterprise.id.in_(ids), ~Enterprise.deleted)
    for enterprise_id, region_id, name, featured, field in db.session.execute(query):
        facts = _NO_FACTS
        if enterprise_id in titles or enterprise_id in pool or enterprise_id in in_hand:
            facts = EnterpriseFacts(
                titles=tuple(titles.get(enterprise_id, ())),
                pool=tuple(pool.get(enterprise_id, ())),
                applications=tuple(in_hand.get(enterprise_id, ())),
            )
        stands = standing(facts, on, ladder=ladder, rounds=all_rounds)
        own = belongs.get(enterprise_id, {})
        due: list[Any] = []
        if facts is not _NO_FACTS or enterprise_id in steps:
            due = obligations(
                ObligationFacts(
                    titles=facts.titles,
                    applications=facts.applications,
                    next_steps=tuple(steps.get(enterprise_id, ())),
                    manager_id=own.get("manager"),
                ),
                cadences=cadences,
                ladder=ladder,
                rounds=all_rounds,
                now=at,
                outcomes=outcomes.get(enterprise_id, {}),
            )
            rows["obligation"].extend(_obligation_row(enterprise_id, item) for item in due)
        waiting = [item for item in due if item.state in ("open", "urgent", "overdue", "upcoming")]
        first = min(waiting, key=lambda item: item.due_at) if waiting else None
        rows["standing"].append(
            {
                "enterprise_id": enterprise_id,
                "region_id": region_id,
                "name_sort": sort_key(name)[:700],
                "township_id": own.get("township"),
                "park_id": own.get("park"),
                "carrier_id": own.get("carrier"),
                "manager_id": own.get("manager"),
                "status": own.get("status"),
                "above_scale": _yes(own.get("above_scale")),
                "abnormal": _yes(own.get("abnormal")),
                "featured_industry": featured,
                "hightech_field": field,
                "rung": stands.rung,
                "rung_since": stands.rung_since,
                "next_expiry_on": stands.next_expiry_on,
                "next_expiry_kind": stands.next_expiry_kind,
                "next_due_at": first.due_at if first else None,
                "next_due_kind": first.kind if first else None,
                "last_contact_on": contact.get(enterprise_id),
                "computed_on": on,
                "changes_on": stands.changes_on,
            }
            | {kind: stands.states.get(kind) for kind in STATE_COLUMNS}
        )
        if facts.titles:
            rows["spell"].extend(
                {
                    "enterprise_id": enterprise_id,
                    "kind": spell.kind,
                    "starts_on": spell.starts_on,
                    "ends_on": spell.ends_on,
                    "end_reason": spell.end_reason,
                }
                for kind in dict.fromkeys(title.kind for title in facts.titles)
                for spell in spells(
                    [title for title in facts.titles if title.kind == kind],
                    ladder.terms,
                    all_rounds,
                    [year for applied, year in facts.applications if applied == kind],
                )
            )
    return rows


def _obligation_row(enterprise_id: int, item: Any) -> dict[str, Any]:
    return {
        "enterprise_id": enterprise_id,
        "kind": item.kind,
        "period": item.period,
        "opens_on": item.opens_on,
        "due_at": item.due_at,
        "state": item.state,
        "reason": item.reason,
        "steps": list(item.steps),
        "expected": item.expected,
        "source_id": item.source_id,
        "owner_id": item.owner_id,
    }


def search_rows(ids: list[int]) -> list[dict[str, Any]]:
    """The search texts these enterprises ought to have."""
    others: dict[int, list[tuple[str, str]]] = defaultdict(list)
    query = select(EnterpriseAlias.enterprise_id, EnterpriseAlias.kind, EnterpriseAlias.value).where(
        EnterpriseAlias.enterprise_id.in_(ids), ~EnterpriseAlias.deleted
    )
    for enterprise_id, kind, value in db.session.execute(query):
        others[enterprise_id].append((kind, value))
    query = select(Enterprise.id, Enterprise.name, Enterprise.credit_code).where(Enterprise.id.in_(ids), ~Enterprise.deleted)
    rows = []
    for enterprise_id, name, code in db.session.execute(query):
        names = (name, *(value for kind, value in others.get(enterprise_id, ()) if kind == "former_name"))
        codes = (code or "", *(value for kind, value in others.get(enterprise_id, ()) if kind == "old_number"))
        rows.append(
            {
                "enterprise_id": enterprise_id,
                "name_key": normalise_name(name),
                "haystack": haystack(names, codes)[:8000],
            }
        )
    return rows


def _yes(value: str | None) -> bool | None:
    return None if value is None else value == "yes"


def _titles(ids: list[int]) -> dict[int, list[TitleFact]]:
    found: dict[int, list[TitleFact]] = defaultdict(list)
    query = select(Qualification.enterprise_id, *FACT_COLUMNS).where(
        Qualification.enterprise_id.in_(ids), ~Qualification.deleted, Qualification.superseded_at.is_(None)
    )
    for enterprise_id, *row in db.session.execute(query.order_by(Qualification.id)):
        found[enterprise_id].append(TitleFact(*row))
    return found


def _pool(ids: list[int]) -> dict[int, list[PoolFact]]:
    found: dict[int, list[PoolFact]] = defaultdict(list)
    columns = [getattr(PoolMembership, name) for name in PoolFact.__dataclass_fields__]
    query = select(PoolMembership.enterprise_id, *columns).where(PoolMembership.enterprise_id.in_(ids), ~PoolMembership.deleted)
    for enterprise_id, *row in db.session.execute(query.order_by(PoolMembership.id)):
        found[enterprise_id].append(PoolFact(*row))
    return found


def _applications_in_hand(ids: list[int]) -> dict[int, list[tuple[str, int]]]:
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    query = select(Application.enterprise_id, Application.kind, Application.year).where(
        Application.enterprise_id.in_(ids), ~Application.deleted, Application.outcome.is_(None)
    )
    for enterprise_id, kind, year in db.session.execute(query):
        found[enterprise_id].append((kind, year))
    return found


def _affiliations(ids: list[int], on: date) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    query = (
        select(Affiliation.enterprise_id, Affiliation.kind, Affiliation.ref_id, Affiliation.value)
        .where(
            Affiliation.enterprise_id.in_(ids),
            ~Affiliation.deleted,
            or_(Affiliation.starts_on.is_(None), Affiliation.starts_on <= on),
            or_(Affiliation.ends_on.is_(None), Affiliation.ends_on >= on),
        )
        .order_by(Affiliation.id)
    )
    for enterprise_id, kind, ref_id, value in db.session.execute(query):
        found[enterprise_id][kind] = value if ref_id is None else ref_id
    return found


def _service_logs(ids: list[int]) -> tuple[dict[int, date], dict[int, list[NextStep]]]:
    contact: dict[int, date] = {}
    steps: dict[int, list[NextStep]] = defaultdict(list)
    query = (
        select(
            ServiceLogEnterprise.enterprise_id,
            ServiceLog.id,
            ServiceLog.happened_on,
            ServiceLog.next_step,
            ServiceLog.next_step_on,
            ServiceLog.author_id,
            ServiceLog.kind,
        )
        .join(ServiceLog, ServiceLog.id == ServiceLogEnterprise.service_log_id)
        .where(ServiceLogEnterprise.enterprise_id.in_(ids), ~ServiceLogEnterprise.deleted, ~ServiceLog.deleted)
    )
    for enterprise_id, log_id, happened_on, next_step, next_on, author_id, kind in db.session.execute(query):
        if happened_on and (enterprise_id not in contact or contact[enterprise_id] < happened_on):
            contact[enterprise_id] = happened_on
        if next_step and next_on:
            steps[enterprise_id].append(NextStep(log_id, next_step, next_on, happened_on, CHOICES["service_kind"].get(kind, ""), author_id))
    return contact, steps


def _outcomes(ids: list[int]) -> dict[int, dict[tuple[str, str], Outcome]]:
    found: dict[int, dict[tuple[str, str], Outcome]] = defaultdict(dict)
    query = select(
        ObligationOutcome.enterprise_id,
        ObligationOutcome.kind,
        ObligationOutcome.period,
        ObligationOutcome.outcome,
        ObligationOutcome.on,
        ObligationOutcome.postponed_to,
    ).where(ObligationOutcome.enterprise_id.in_(ids), ~ObligationOutcome.deleted)
    for enterprise_id, kind, period, outcome, on, postponed_to in db.session.execute(query):
        found[enterprise_id][(kind, period)] = Outcome(outcome, on, postponed_to)
    return found


def stale_ids(on: date, *, limit: int | None = None) -> list[int]:
    """Enterprises whose standing was computed before a day on which it changes."""
    query = select(Standing.enterprise_id).where(Standing.changes_on <= on, Standing.computed_on < on)
    return list(db.session.scalars(query.limit(limit) if limit else query))


def all_ids() -> list[int]:
    """Every undeleted enterprise."""
    return list(db.session.scalars(select(Enterprise.id).where(~Enterprise.deleted).order_by(Enterprise.id)))
