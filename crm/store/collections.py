"""Collections (采集任务): enterprises are asked for exactly what blocks a judgement."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Date, ForeignKey, SmallInteger, and_, case, func, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Json, Words


class Collection(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    title: Mapped[str] = mapped_column(Words(120))
    year: Mapped[int] = mapped_column(SmallInteger)
    due_on: Mapped[date | None] = mapped_column(Date)
    # What it is for: the kinds of titles whose comparison is blocked, and a sentence for the firm.
    kinds: Mapped[list | None] = mapped_column(Json)
    note: Mapped[str | None] = mapped_column(Words(500))
    closed_on: Mapped[date | None] = mapped_column(Date)


class CollectionEnterprise(Record, Model):
    """One enterprise's sheet of a collection: the questions, and how the answer came back."""

    collection_id: Mapped[int] = mapped_column(ForeignKey("collection.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    # What is asked: ["figures.2025.revenue", "enterprise.registered_on", …]
    questions: Mapped[list] = mapped_column(Json)
    returned_on: Mapped[date | None] = mapped_column(Date)
    returned_how: Mapped[str | None] = mapped_column(Words(24))  # sheet, typed, paper
    import_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"))
    reminded_on: Mapped[date | None] = mapped_column(Date)
    excused_reason: Mapped[str | None] = mapped_column(Words(200))
    # The enterprise agreed that the bureau keeps these figures: who signed, and on which day.
    authorised_by: Mapped[str | None] = mapped_column(Words(60))
    authorised_on: Mapped[date | None] = mapped_column(Date)
    # What the enterprise said, {path: plain value}: kept beside the figures, so that both stay when they differ.
    # Confidential: it holds figures, and is never shown or exported as it stands.
    answers: Mapped[dict | None] = mapped_column(Json)

    @property
    def is_outstanding(self) -> bool:
        """Whether it is still waited for: neither returned nor excused (STATES says it to the database)."""
        return self.returned_on is None and self.excused_reason is None


@dataclass(frozen=True)
class Elsewhere:
    """A fact that another open collection asks the same enterprise for."""

    collection_id: int
    title: str
    paths: frozenset[str]


def asked_elsewhere(enterprise_ids: Iterable[int], *, but: int | None = None) -> dict[int, list[Elsewhere]]:
    """What open collections still wait for, by enterprise. Without scope: who is asked twice complains once."""
    query = (
        select(CollectionEnterprise, Collection.title)
        .join(Collection, Collection.id == CollectionEnterprise.collection_id)
        .where(
            CollectionEnterprise.enterprise_id.in_(list(enterprise_ids)),
            ~CollectionEnterprise.deleted,
            ~Collection.deleted,
            Collection.closed_on.is_(None),
            *STATES["outstanding"],
        )
        .order_by(CollectionEnterprise.id)
    )
    if but is not None:
        query = query.where(Collection.id != but)
    found: dict[int, list[Elsewhere]] = defaultdict(list)
    for row, title in db.session.execute(query):
        found[row.enterprise_id].append(Elsewhere(row.collection_id, title, frozenset(row.questions)))
    return found


def asked_of(enterprise_id: int) -> frozenset[str]:
    """Every fact that a collection which is still open asks an enterprise for: what a township may see of it."""
    query = (
        select(CollectionEnterprise.questions)
        .join(Collection, Collection.id == CollectionEnterprise.collection_id)
        .where(
            CollectionEnterprise.enterprise_id == enterprise_id,
            ~CollectionEnterprise.deleted,
            ~Collection.deleted,
            Collection.closed_on.is_(None),
            CollectionEnterprise.excused_reason.is_(None),
        )
    )
    return frozenset(path for paths in db.session.scalars(query) for path in paths)


STATES: dict[str, Any] = {
    "outstanding": (CollectionEnterprise.returned_on.is_(None), CollectionEnterprise.excused_reason.is_(None)),
    "returned": (CollectionEnterprise.returned_on.is_not(None), CollectionEnterprise.excused_reason.is_(None)),
    "excused": (CollectionEnterprise.excused_reason.is_not(None),),
}


def counts_of(collection_ids: Iterable[int], narrow: Any) -> Mapping[int, Mapping[str, int]]:
    """{collection: {state: sheets}} of what ``narrow`` (the scope) leaves of the sheets, in one statement."""
    asked = CollectionEnterprise
    state_of = {name: func.sum(_one(*conditions)) for name, conditions in STATES.items()}
    query = select(asked.collection_id, *state_of.values()).where(asked.collection_id.in_(list(collection_ids)))
    found = db.session.execute(narrow(query.group_by(asked.collection_id)))
    return {row[0]: dict(zip(STATES, (int(n or 0) for n in row[1:]), strict=True)) for row in found}


def _one(*conditions: Any) -> Any:
    return case((and_(*conditions), 1), else_=0)
