"""Rebuildable projections: standings, spells, search texts, obligations; written in the transaction of the change."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import delete, select

from crm.domain.names import normalise_name
from crm.domain.obligation_facts import ObligationFacts
from crm.domain.obligations import obligations
from crm.domain.pinyin import haystack, sort_key
from crm.domain.standing import EnterpriseFacts, standing
from crm.domain.titles import spells
from crm.extensions import db, policy
from crm.store.bulk import Bulk, insert_rows
from crm.store.enterprises import Enterprise
from crm.store.obligations import Obligation
from crm.store.pending_facts import (
    CHUNK,
    Pending,
    affiliations_on,
    aliases,
    application_fact,
    applications_in_hand,
    contacts_and_steps,
    evidence_of,
    held_by_id,
    outcomes_of,
    pool_of,
    renamings,
    requests_of,
    titles_of,
)
from crm.store.settings import setting
from crm.store.standings import STATE_COLUMNS, SearchText, Spell, Standing
from crm.store.windows import calendar

# Sort key and search text of a name are made from the same reading of it, which pinyin remembers for this many names.
_NAMES = 2_000

# Which nouns move which projection; an import of names need not compute obligations, and figures move none.
_TITLES = frozenset({"qualification", "pool_membership", "application"})
# A withdrawn enterprise has no spells, and has them again when that is undone.
_SPELLS = _TITLES | {"enterprise"}
_SEARCH = frozenset({"enterprise", "enterprise_alias"})
_OBLIGATIONS = _TITLES | {
    "enterprise",
    "service_log",
    "service_log_enterprise",
    "request",
    "obligation_outcome",
    "affiliation",
    "enterprise_alias",
    "application_material",
}

_NO_FACTS = EnterpriseFacts(titles=(), pool=(), applications=())


@dataclass(frozen=True)
class Made:
    """Projections ready to be written: per model the enterprises whose old rows go, and statements for the new ones."""

    replaced: tuple[tuple[Any, tuple[int, ...]], ...]
    statements: tuple[Bulk, ...]
    on: date


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
        put(make(ids[start : start + CHUNK], at=at, nouns=nouns, fresh=fresh))
    return len(ids)


def make(
    enterprise_ids: Iterable[int],
    *,
    at: datetime,
    nouns: frozenset[str] | None = None,
    fresh: frozenset[int] = frozenset(),
    pending: Pending | None = None,
) -> Made:
    """The projections of these enterprises, with ``pending`` laid over what is stored; writes nothing."""
    ids = sorted(enterprise_ids)
    wanted: dict[Any, str] = {}
    if nouns is None or nouns & (_OBLIGATIONS | _SEARCH):
        wanted[Standing] = "standing"
    if nouns is None or nouns & _SPELLS:
        wanted[Spell] = "spell"
    if nouns is None or nouns & _SEARCH:
        wanted[SearchText] = "search_text"
    if nouns is None or nouns & _OBLIGATIONS:
        wanted[Obligation] = "obligation"
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if wanted:
        for start in range(0, len(ids), CHUNK):
            some_ids = ids[start : start + CHUNK]
            for name, some in _compute(some_ids, at, pending, search=SearchText in wanted).items():
                rows[name] += some
    dialect = db.session.connection().dialect
    old = tuple(i for i in ids if i not in fresh)
    names = old if pending is None else tuple(i for i in old if i in pending.renamed)
    return Made(
        replaced=tuple((model, names if model is SearchText else old) for model in wanted),
        statements=tuple(insert_rows(dialect, model.__table__, rows[name]) for model, name in wanted.items()),
        on=local_day(at),
    )


def put(made: Made) -> None:
    """Write projections that were made, in place of the old ones, inside the open transaction."""
    connection = db.session.connection()
    for model, old in made.replaced:
        for start in range(0, len(old), CHUNK):
            some = old[start : start + CHUNK]
            connection.execute(delete(model.__table__).where(model.enterprise_id.in_(some)))
    for statement in made.statements:
        statement.run(connection)
    if made.replaced:
        db.session.info.setdefault("projected", set()).add(made.on)


def compute(ids: list[int], *, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """The rows of standing, spell and obligation that these enterprises ought to have at a moment; writes nothing."""
    return _compute(ids, at, None, search=False)


def _compute(ids: list[int], at: datetime, pending: Pending | None, *, search: bool) -> dict[str, list[dict[str, Any]]]:
    on = local_day(at)
    ladder, cadences = policy.ladder, policy.cadences
    windows = calendar()
    tracked: dict[int, date | None] = {}
    titles = titles_of(ids, pending)
    pool = pool_of(ids, pending)
    in_hand = applications_in_hand(ids, pending)
    evidence = evidence_of(sorted(in_hand), pending)
    belongs = affiliations_on(ids, on, pending)
    contact, steps = contacts_and_steps(ids, pending)
    asked = requests_of(ids, pending)
    outcomes = outcomes_of(ids, pending)
    # Only who holds titles reports a new name.
    renamed = renamings(sorted(titles), pending) if titles else {}
    rows: dict[str, list[dict[str, Any]]] = {"standing": [], "spell": [], "obligation": []}
    without_facts = standing(_NO_FACTS, on, ladder=ladder, rounds=())
    sorts = _kept_sort_keys(ids, pending) if pending is not None else {}
    columns = ("region_id", "name", "featured_industry", "hightech_field", "credit_code")
    enterprises = list(held_by_id(Enterprise, columns, ids, pending))
    if search:
        rows["search_text"] = []
        others = aliases(ids, pending)
    unread = [row for row in enterprises if row[0] not in sorts] if pending is not None else enterprises
    for start in range(0, len(unread), _NAMES):
        some = unread[start : start + _NAMES]
        sorts.update((row[0], sort_key(row[2])[:700]) for row in some)
        if search:
            rows["search_text"] += [_search_row(row[0], row[2], row[5], others.get(row[0], ())) for row in some]
    for enterprise_id, region_id, _name, featured, hightech_field, _code in enterprises:
        facts, stands = _NO_FACTS, without_facts
        rounds = windows.of(region_id)
        if enterprise_id in titles or enterprise_id in pool or enterprise_id in in_hand:
            facts = EnterpriseFacts(
                titles=tuple(titles.get(enterprise_id, ())),
                pool=tuple(pool.get(enterprise_id, ())),
                applications=tuple((one.kind, one.year) for one in in_hand.get(enterprise_id, ())),
            )
            stands = standing(facts, on, ladder=ladder, rounds=rounds)
        own = belongs.get(enterprise_id, {})
        if facts.titles and region_id not in tracked:
            tracked[region_id] = _tracked_from(region_id)
        due: list[Any] = []
        if facts is not _NO_FACTS or enterprise_id in steps or enterprise_id in asked:
            due = obligations(
                ObligationFacts(
                    titles=facts.titles,
                    applications=facts.applications,
                    next_steps=tuple(steps.get(enterprise_id, ())),
                    requests=tuple(asked.get(enterprise_id, ())),
                    renamings=tuple(renamed.get(enterprise_id, ())),
                    in_hand=tuple(
                        application_fact(one, evidence.get(one.id, ()), windows.round(one.window_id, region_id))
                        for one in in_hand.get(enterprise_id, ())
                    ),
                    manager_id=own.get("manager"),
                    tracked_from=tracked.get(region_id),
                    status=own.get("status"),
                ),
                cadences=cadences,
                ladder=ladder,
                rounds=rounds,
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
                "name_sort": sorts[enterprise_id],
                "township_id": own.get("township"),
                "park_id": own.get("park"),
                "carrier_id": own.get("carrier"),
                "manager_id": own.get("manager"),
                "status": own.get("status"),
                "above_scale": _yes(own.get("above_scale")),
                "abnormal": _yes(own.get("abnormal")),
                "featured_industry": featured,
                "hightech_field": hightech_field,
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
                    rounds,
                    [year for applied, year in facts.applications if applied == kind],
                )
            )
    return rows


def _kept_sort_keys(ids: Sequence[int], pending: Pending) -> dict[int, str]:
    """The stored sort keys of enterprises whose names stay: reading a name again is most of the work."""
    same = [enterprise_id for enterprise_id in ids if enterprise_id not in pending.renamed]
    query = select(Standing.enterprise_id, Standing.name_sort).where(Standing.enterprise_id.in_(same))
    return dict(db.session.execute(query).all()) if same else {}


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
    others = aliases(ids, None)
    held = held_by_id(Enterprise, ("name", "credit_code"), ids, None)
    return [_search_row(enterprise_id, name, code, others.get(enterprise_id, ())) for enterprise_id, name, code in held]


def _search_row(enterprise_id: int, name: str, code: str | None, others: Iterable[tuple[str, str]]) -> dict[str, Any]:
    names = (name, *(value for kind, value in others if kind == "former_name"))
    codes = (code or "", *(value for kind, value in others if kind == "old_number"))
    return {
        "enterprise_id": enterprise_id,
        "name_key": normalise_name(name),
        "haystack": haystack(names, codes)[:8000],
    }


def _yes(value: str | None) -> bool | None:
    return None if value is None else value == "yes"


def _tracked_from(region_id: int) -> date | None:
    """Since when the region records every report that was filed (its setting); None: nobody said so."""
    said = setting("reports_tracked_from", region_id)
    return date.fromisoformat(said) if said else None


def stale_ids(on: date, *, limit: int | None = None) -> list[int]:
    """Enterprises whose standing was computed before a day on which it changes."""
    query = select(Standing.enterprise_id).where(Standing.changes_on <= on, Standing.computed_on < on)
    return list(db.session.scalars(query.limit(limit) if limit else query))


def all_ids() -> list[int]:
    """Every undeleted enterprise."""
    return list(db.session.scalars(select(Enterprise.id).where(~Enterprise.deleted).order_by(Enterprise.id)))
