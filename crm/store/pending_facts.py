"""What is stored of enterprises, with a pending write laid over it: the facts that projections are a function of."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select

from crm.domain.application_dues import ApplicationFact
from crm.domain.fields import CHOICES
from crm.domain.materials import Evidence
from crm.domain.obligation_facts import Asked, NextStep, Outcome, Renaming
from crm.domain.periods import TitleFact
from crm.domain.rounds import Round
from crm.domain.stages import cycle_day
from crm.domain.standing import PoolFact
from crm.extensions import db, policy
from crm.store.applications import Application, ApplicationMaterial
from crm.store.enterprises import FORMER_NAME, Affiliation, EnterpriseAlias
from crm.store.obligations import ObligationOutcome
from crm.store.pool import PoolMembership
from crm.store.qualifications import Qualification
from crm.store.requests import Request
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise

# How many ids go into one IN list.
CHUNK = 10_000


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


def held(model: Any, names: Sequence[str], ids: Sequence[int], pending: Pending | None) -> Iterator[tuple[Any, ...]]:
    """(enterprise, columns …) of the live rows of these enterprises, in the order in which they were entered."""
    return _rows(model, "enterprise_id", names, ids, pending)


def held_by_id(
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


def aliases(ids: Sequence[int], pending: Pending | None) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for enterprise_id, kind, value in held(EnterpriseAlias, ("kind", "value"), ids, pending):
        found[enterprise_id].append((kind, value))
    return found


def renamings(ids: Sequence[int], pending: Pending | None) -> dict[int, list[Renaming]]:
    """The days on which these enterprises took another name; a former name without a day tells none."""
    found: dict[int, list[Renaming]] = defaultdict(list)
    columns = ("kind", "value", "until_on")
    for enterprise_id, kind, value, until_on in held(EnterpriseAlias, columns, ids, pending):
        if kind == FORMER_NAME and until_on is not None:
            found[enterprise_id].append(Renaming(until_on, value))
    return found


_TITLE_COLUMNS = tuple(TitleFact.__dataclass_fields__)
_POOL_COLUMNS = tuple(PoolFact.__dataclass_fields__)


def titles_of(ids: Sequence[int], pending: Pending | None) -> dict[int, list[TitleFact]]:
    found: dict[int, list[TitleFact]] = defaultdict(list)
    for enterprise_id, superseded_at, *row in held(Qualification, ("superseded_at", *_TITLE_COLUMNS), ids, pending):
        if superseded_at is None:
            found[enterprise_id].append(TitleFact(*row))
    return found


def pool_of(ids: Sequence[int], pending: Pending | None) -> dict[int, list[PoolFact]]:
    found: dict[int, list[PoolFact]] = defaultdict(list)
    for enterprise_id, *row in held(PoolMembership, _POOL_COLUMNS, ids, pending):
        found[enterprise_id].append(PoolFact(*row))
    return found


class InHand(NamedTuple):
    """The columns of an application that projections look at."""

    id: int
    kind: str
    year: int
    window_id: int | None
    stage: str | None
    stage_code: str | None
    stage_on: date | None
    stage_due_on: date | None


def applications_in_hand(ids: Sequence[int], pending: Pending | None) -> dict[int, list[InHand]]:
    found: dict[int, list[InHand]] = defaultdict(list)
    for enterprise_id, outcome, *row in held(Application, ("outcome", *InHand._fields), ids, pending):
        if outcome is None:
            found[enterprise_id].append(InHand(*row))
    return found


_EVIDENCE_COLUMNS = ("application_id", "item", "state", "dated_on", "expires_on", "id")


def evidence_of(ids: Sequence[int], pending: Pending | None) -> dict[int, list[Evidence]]:
    """What is recorded of the materials of these enterprises' applications, by application."""
    found: dict[int, list[Evidence]] = defaultdict(list)
    for _, application_id, item, state, dated_on, expires_on, material_id in held(
        ApplicationMaterial, _EVIDENCE_COLUMNS, ids, pending
    ):
        found[application_id].append(Evidence(item, state, 0, dated_on, expires_on, material_id=material_id))
    return found


def application_fact(one: InHand, evidence: Iterable[Evidence], window: Round | None) -> ApplicationFact:
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


def affiliations_on(ids: Sequence[int], on: date, pending: Pending | None) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    columns = ("kind", "ref_id", "value", "starts_on", "ends_on")
    for enterprise_id, kind, ref_id, value, starts_on, ends_on in held(Affiliation, columns, ids, pending):
        if (starts_on is None or starts_on <= on) and (ends_on is None or ends_on >= on):
            found[enterprise_id][kind] = value if ref_id is None else ref_id
    return found


def contacts_and_steps(
    ids: Sequence[int], pending: Pending | None
) -> tuple[dict[int, date], dict[int, list[NextStep]]]:
    links = list(held(ServiceLogEnterprise, ("service_log_id",), ids, pending))
    log_ids = sorted({log_id for _, log_id in links})
    columns = ("happened_on", "next_step", "next_step_on", "author_id", "step_owner_id", "kind")
    logs: dict[int, tuple[Any, ...]] = {}
    for start in range(0, len(log_ids), CHUNK):
        some = log_ids[start : start + CHUNK]
        logs.update((row[0], row[1:]) for row in held_by_id(ServiceLog, columns, some, pending))
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


def requests_of(ids: Sequence[int], pending: Pending | None) -> dict[int, list[Asked]]:
    """The requests that have a day by which they are to be answered."""
    found: dict[int, list[Asked]] = defaultdict(list)
    columns = ("id", "text", "raised_on", "due_on", "replied_on", "closed_on")
    for enterprise_id, request_id, text, raised_on, due_on, replied_on, closed_on in held(
        Request, columns, ids, pending
    ):
        if due_on is not None:
            answered = f"{replied_on} 已回复。" if replied_on else f"{closed_on} 已办结。" if closed_on else ""
            found[enterprise_id].append(Asked(request_id, text, raised_on, due_on, answered))
    return found


def outcomes_of(ids: Sequence[int], pending: Pending | None) -> dict[int, dict[tuple[str, str], Outcome]]:
    found: dict[int, dict[tuple[str, str], Outcome]] = defaultdict(dict)
    columns = ("kind", "period", "outcome", "on", "postponed_to", "assignee_id")
    for enterprise_id, kind, period, *said in held(ObligationOutcome, columns, ids, pending):
        found[enterprise_id][(kind, period)] = Outcome(*said)
    return found
