"""Rebuildable projections: standings, spells, search texts, obligations; written in the transaction of the change."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import delete, select

from crm.domain.application_dues import ApplicationFact
from crm.domain.fields import CHOICES
from crm.domain.materials import Evidence
from crm.domain.names import normalise_name
from crm.domain.obligation_facts import Asked, NextStep, ObligationFacts, Outcome, Renaming
from crm.domain.obligations import obligations
from crm.domain.periods import TitleFact
from crm.domain.pinyin import haystack, sort_key
from crm.domain.rounds import Round
from crm.domain.stages import cycle_day
from crm.domain.standing import EnterpriseFacts, PoolFact, standing
from crm.domain.titles import spells
from crm.extensions import db, policy
from crm.store.applications import Application, ApplicationMaterial
from crm.store.bulk import Bulk, insert_rows
from crm.store.enterprises import FORMER_NAME, Affiliation, Enterprise, EnterpriseAlias
from crm.store.obligations import Obligation, ObligationOutcome
from crm.store.pool import PoolMembership
from crm.store.qualifications import Qualification
from crm.store.requests import Request
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.settings import setting
from crm.store.standings import STATE_COLUMNS, SearchText, Spell, Standing
from crm.store.windows import calendar

CHUNK = 10_000
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


@dataclass
class Pending:
    """Rows as a write would leave them, laid over the stored ones, so that projections can be made before it.

    ``updates`` are {noun: {id: {column: value}}}; ``renamed`` the enterprises whose names, codes or existence change:
    of the others the sort key and the search text stay as they are.
    """

    updates: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    renamed: set[int] = field(default_factory=set)
    # noun → enterprise → new rows; rows of no enterprise stand under their own id.
    _created: dict[str, dict[int, list[Mapping[str, Any]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def create(self, noun: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add new rows of a noun, with their ids."""
        created = self._created[noun]
        for row in rows:
            created[row.get("enterprise_id") or row["id"]].append(row)

    def created(self, noun: str, ids: Iterable[int]) -> Iterator[Mapping[str, Any]]:
        """The new rows of a noun that belong to these enterprises, or have these ids."""
        created = self._created.get(noun)
        if created:
            for one in ids:
                yield from created.get(one, ())


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
    titles = _titles(ids, pending)
    pool = _pool(ids, pending)
    in_hand = _applications_in_hand(ids, pending)
    evidence = _evidence(sorted(in_hand), pending)
    belongs = _affiliations(ids, on, pending)
    contact, steps = _service_logs(ids, pending)
    asked = _requests(ids, pending)
    outcomes = _outcomes(ids, pending)
    # Only who holds titles reports a new name.
    renamed = _renamings(sorted(titles), pending) if titles else {}
    rows: dict[str, list[dict[str, Any]]] = {"standing": [], "spell": [], "obligation": []}
    without_facts = standing(_NO_FACTS, on, ladder=ladder, rounds=())
    sorts = _kept_sort_keys(ids, pending) if pending is not None else {}
    columns = ("region_id", "name", "featured_industry", "hightech_field", "credit_code")
    enterprises = list(_held_by_id(Enterprise, columns, ids, pending))
    if search:
        rows["search_text"] = []
        others = _aliases(ids, pending)
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
                        _application_fact(one, evidence.get(one.id, ()), windows.round(one.window_id, region_id))
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


# --- what is stored, with a pending write laid over it --------------------------------------------------------------


def _held(model: Any, names: Sequence[str], ids: Sequence[int], pending: Pending | None) -> Iterator[tuple[Any, ...]]:
    """(enterprise, columns …) of the live rows of these enterprises, in the order in which they were entered."""
    return _rows(model, "enterprise_id", names, ids, pending)


def _held_by_id(
    model: Any, names: Sequence[str], ids: Sequence[int], pending: Pending | None
) -> Iterator[tuple[Any, ...]]:
    """(id, columns …) of the live rows with these ids."""
    return _rows(model, "id", names, ids, pending)


def _rows(
    model: Any, key: str, names: Sequence[str], ids: Sequence[int], pending: Pending | None
) -> Iterator[tuple[Any, ...]]:
    noun = model.__tablename__
    columns = ("id", "deleted", key, *names)
    query = select(*(getattr(model, name).label(f"c_{name}_{place}") for place, name in enumerate(columns)))
    query = query.where(getattr(model, key).in_(ids)).order_by(model.id)
    updates = pending.updates.get(noun, {}) if pending is not None else {}
    for row in db.session.execute(query):
        after = updates.get(row[0])
        values = row if after is None else [after.get(name, value) for name, value in zip(columns, row, strict=True)]
        if not values[1]:
            yield tuple(values[2:])
    if pending is not None:
        for new in pending.created(noun, ids):
            if not new.get("deleted"):
                yield tuple(new.get(name) for name in columns[2:])


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
    others = _aliases(ids, None)
    held = _held_by_id(Enterprise, ("name", "credit_code"), ids, None)
    return [_search_row(enterprise_id, name, code, others.get(enterprise_id, ())) for enterprise_id, name, code in held]


def _search_row(enterprise_id: int, name: str, code: str | None, others: Iterable[tuple[str, str]]) -> dict[str, Any]:
    names = (name, *(value for kind, value in others if kind == "former_name"))
    codes = (code or "", *(value for kind, value in others if kind == "old_number"))
    return {
        "enterprise_id": enterprise_id,
        "name_key": normalise_name(name),
        "haystack": haystack(names, codes)[:8000],
    }


def _aliases(ids: Sequence[int], pending: Pending | None) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for enterprise_id, kind, value in _held(EnterpriseAlias, ("kind", "value"), ids, pending):
        found[enterprise_id].append((kind, value))
    return found


def _renamings(ids: Sequence[int], pending: Pending | None) -> dict[int, list[Renaming]]:
    """The days on which these enterprises took another name; a former name without a day tells none."""
    found: dict[int, list[Renaming]] = defaultdict(list)
    columns = ("kind", "value", "until_on")
    for enterprise_id, kind, value, until_on in _held(EnterpriseAlias, columns, ids, pending):
        if kind == FORMER_NAME and until_on is not None:
            found[enterprise_id].append(Renaming(until_on, value))
    return found


def _yes(value: str | None) -> bool | None:
    return None if value is None else value == "yes"


_TITLE_COLUMNS = tuple(TitleFact.__dataclass_fields__)
_POOL_COLUMNS = tuple(PoolFact.__dataclass_fields__)


def _tracked_from(region_id: int) -> date | None:
    """Since when the region records every report that was filed (its setting); None: nobody said so."""
    said = setting("reports_tracked_from", region_id)
    return date.fromisoformat(said) if said else None


def _titles(ids: Sequence[int], pending: Pending | None) -> dict[int, list[TitleFact]]:
    found: dict[int, list[TitleFact]] = defaultdict(list)
    for enterprise_id, superseded_at, *row in _held(Qualification, ("superseded_at", *_TITLE_COLUMNS), ids, pending):
        if superseded_at is None:
            found[enterprise_id].append(TitleFact(*row))
    return found


def _pool(ids: Sequence[int], pending: Pending | None) -> dict[int, list[PoolFact]]:
    found: dict[int, list[PoolFact]] = defaultdict(list)
    for enterprise_id, *row in _held(PoolMembership, _POOL_COLUMNS, ids, pending):
        found[enterprise_id].append(PoolFact(*row))
    return found


class _InHand(NamedTuple):
    """The columns of an application that projections look at."""

    id: int
    kind: str
    year: int
    window_id: int | None
    stage: str | None
    stage_code: str | None
    stage_on: date | None
    stage_due_on: date | None


def _applications_in_hand(ids: Sequence[int], pending: Pending | None) -> dict[int, list[_InHand]]:
    found: dict[int, list[_InHand]] = defaultdict(list)
    for enterprise_id, outcome, *row in _held(Application, ("outcome", *_InHand._fields), ids, pending):
        if outcome is None:
            found[enterprise_id].append(_InHand(*row))
    return found


_EVIDENCE_COLUMNS = ("application_id", "item", "state", "dated_on", "expires_on", "id")


def _evidence(ids: Sequence[int], pending: Pending | None) -> dict[int, list[Evidence]]:
    """What is recorded of the materials of these enterprises' applications, by application."""
    found: dict[int, list[Evidence]] = defaultdict(list)
    for _, application_id, item, state, dated_on, expires_on, material_id in _held(
        ApplicationMaterial, _EVIDENCE_COLUMNS, ids, pending
    ):
        found[application_id].append(Evidence(item, state, 0, dated_on, expires_on, material_id=material_id))
    return found


def _application_fact(one: _InHand, evidence: Iterable[Evidence], window: Round | None) -> ApplicationFact:
    on = cycle_day(one.year, window.opens_on if window is not None else None)
    template = policy.stages.of(one.kind, on)
    stage = one.stage_code
    if template is not None and stage not in template.by_code:
        stage = template.code_of(one.stage)
    return ApplicationFact(
        one.id,
        one.kind,
        one.year,
        stage,
        one.stage_on,
        one.stage_due_on,
        window,
        template,
        policy.checklists.of(one.kind, on),
        tuple(evidence),
    )


def _affiliations(ids: Sequence[int], on: date, pending: Pending | None) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    columns = ("kind", "ref_id", "value", "starts_on", "ends_on")
    for enterprise_id, kind, ref_id, value, starts_on, ends_on in _held(Affiliation, columns, ids, pending):
        if (starts_on is None or starts_on <= on) and (ends_on is None or ends_on >= on):
            found[enterprise_id][kind] = value if ref_id is None else ref_id
    return found


def _service_logs(ids: Sequence[int], pending: Pending | None) -> tuple[dict[int, date], dict[int, list[NextStep]]]:
    links = list(_held(ServiceLogEnterprise, ("service_log_id",), ids, pending))
    log_ids = sorted({log_id for _, log_id in links})
    columns = ("happened_on", "next_step", "next_step_on", "author_id", "step_owner_id", "kind")
    logs: dict[int, tuple[Any, ...]] = {}
    for start in range(0, len(log_ids), CHUNK):
        some = log_ids[start : start + CHUNK]
        logs.update((row[0], row[1:]) for row in _held_by_id(ServiceLog, columns, some, pending))
    contact: dict[int, date] = {}
    steps: dict[int, list[NextStep]] = defaultdict(list)
    for enterprise_id, log_id in links:
        if log_id not in logs:
            continue
        happened_on, next_step, next_on, author_id, step_owner_id, kind = logs[log_id]
        if happened_on and (enterprise_id not in contact or contact[enterprise_id] < happened_on):
            contact[enterprise_id] = happened_on
        if next_step and next_on:
            words = CHOICES["service_kind"].get(kind, "")
            # A promise that was handed over is kept by whoever took it on; who made it stays the event's author.
            owner_id = step_owner_id if step_owner_id is not None else author_id
            steps[enterprise_id].append(NextStep(log_id, next_step, next_on, happened_on, words, owner_id))
    return contact, steps


def _requests(ids: Sequence[int], pending: Pending | None) -> dict[int, list[Asked]]:
    """The requests that have a day by which they are to be answered."""
    found: dict[int, list[Asked]] = defaultdict(list)
    columns = ("id", "text", "raised_on", "due_on", "replied_on", "closed_on")
    for enterprise_id, request_id, text, raised_on, due_on, replied_on, closed_on in _held(
        Request, columns, ids, pending
    ):
        if due_on is not None:
            answered = f"{replied_on} 已回复。" if replied_on else f"{closed_on} 已办结。" if closed_on else ""
            found[enterprise_id].append(Asked(request_id, text, raised_on, due_on, answered))
    return found


def _outcomes(ids: Sequence[int], pending: Pending | None) -> dict[int, dict[tuple[str, str], Outcome]]:
    found: dict[int, dict[tuple[str, str], Outcome]] = defaultdict(dict)
    columns = ("kind", "period", "outcome", "on", "postponed_to")
    for enterprise_id, kind, period, outcome, on, postponed_to in _held(ObligationOutcome, columns, ids, pending):
        found[enterprise_id][(kind, period)] = Outcome(outcome, on, postponed_to)
    return found


def stale_ids(on: date, *, limit: int | None = None) -> list[int]:
    """Enterprises whose standing was computed before a day on which it changes."""
    query = select(Standing.enterprise_id).where(Standing.changes_on <= on, Standing.computed_on < on)
    return list(db.session.scalars(query.limit(limit) if limit else query))


def all_ids() -> list[int]:
    """Every undeleted enterprise."""
    return list(db.session.scalars(select(Enterprise.id).where(~Enterprise.deleted).order_by(Enterprise.id)))
