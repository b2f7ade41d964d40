"""Obligations: computed rows (a projection) and what people recorded about them."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Index, select, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Machine, Model, Record
from crm.store.types import BigId, Json, Moment, Words

_LIVE = text("NOT deleted")


class ObligationOutcome(Record, Model):
    """What people said about an obligation: done, waived, postponed, assigned. Recorded and undoable."""

    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    kind: Mapped[str] = mapped_column(Words(24))
    period: Mapped[str] = mapped_column(Words(40))
    outcome: Mapped[str] = mapped_column(Words(12))  # done, waived, postponed, missed, assigned
    on: Mapped[date] = mapped_column("outcome_on", Date)
    postponed_to: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(Words(500))
    stored_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    # Who is to do it (交办), where that is somebody else than who promised it or looks after the enterprise.
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)

    extra_args = (
        Index(
            "uq_obligation_outcome",
            "enterprise_id",
            "kind",
            "period",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )


class Obligation(Machine, Model):
    """The computed obligations of an enterprise: rebuilt from facts, cadences, windows and outcomes."""

    __table_args__ = (
        # All counts of the due list come from this index alone.
        Index("ix_obligation_due", "state", "due_at", "kind", "enterprise_id", "owner_id"),
        Index("uq_obligation", "enterprise_id", "kind", "period", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    kind: Mapped[str] = mapped_column(Words(24))
    period: Mapped[str] = mapped_column(Words(40))
    opens_on: Mapped[date] = mapped_column(Date)
    due_at: Mapped[datetime] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(Words(12))
    reason: Mapped[str] = mapped_column(Words(400))
    steps: Mapped[list | None] = mapped_column(Json)
    expected: Mapped[bool] = mapped_column(Boolean)
    source_id: Mapped[int | None] = mapped_column(BigId)
    owner_id: Mapped[int | None] = mapped_column(BigId)


def obligations_of(enterprise_id: int) -> list[Obligation]:
    query = (
        select(Obligation).where(Obligation.enterprise_id == enterprise_id).order_by(Obligation.due_at, Obligation.id)
    )
    return list(db.session.scalars(query))


def outcomes_of(enterprise_ids: Sequence[int]) -> dict[tuple[int, str, str], ObligationOutcome]:
    """What was recorded about the obligations of these enterprises, which have already been found visible."""
    found: dict[tuple[int, str, str], ObligationOutcome] = {}
    for start in range(0, len(enterprise_ids), 5000):
        query = select(ObligationOutcome).where(
            ObligationOutcome.enterprise_id.in_(enterprise_ids[start : start + 5000]), ~ObligationOutcome.deleted
        )
        for said in db.session.scalars(query):
            found[(said.enterprise_id, said.kind, said.period)] = said
    return found
