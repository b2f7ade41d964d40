"""Applications: an enterprise going for one title in one window, its steps, materials, reviews and objections."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Index, SmallInteger, false, select, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.materials import PRESENT, Evidence
from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.types import Json, Moment, Words

_LIVE = text("NOT deleted")


class Application(Record, Model):
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    kind: Mapped[str] = mapped_column(Words(24))
    year: Mapped[int] = mapped_column(SmallInteger)
    window_id: Mapped[int | None] = mapped_column(ForeignKey("window.id"))
    # The stage in words; its code in the template of the kind where it is one of the template's.
    stage: Mapped[str] = mapped_column(Words(40))
    stage_code: Mapped[str | None] = mapped_column(Words(24))
    stage_on: Mapped[date | None] = mapped_column(Date)
    # When this stage ought to be over: a term in working days or a day set by hand (补正期限). The window's deadlines
    # are read live (domain/stages.stage_deadline), so that an announced date that moves takes the stage along.
    stage_due_on: Mapped[date | None] = mapped_column(Date)
    # None while it is in hand; passed, failed, withdrawn, not_recommended afterwards.
    outcome: Mapped[str | None] = mapped_column(Words(24))
    note: Mapped[str | None] = mapped_column(Words(500))


class ApplicationStep(Record, Model):
    """One step of an application along its template, with its true day: forward, returned, withdrawn, mended."""

    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    from_stage: Mapped[str | None] = mapped_column(Words(24))
    to_stage: Mapped[str] = mapped_column(Words(24))
    # start, forward, return, withdraw, not_recommended, failed, passed, correction, mapped
    kind: Mapped[str] = mapped_column(Words(16))
    happened_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[str | None] = mapped_column(Words(500))
    who: Mapped[str] = mapped_column(Words(60))


class ApplicationMaterial(Record, Model):
    """One item of the checklist of an application: present with its evidence, or waived with a reason."""

    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    item: Mapped[str] = mapped_column(Words(40))
    state: Mapped[str] = mapped_column(Words(12))  # present, waived
    stored_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    # The piece of last cycle that was offered and confirmed for this one.
    from_material_id: Mapped[int | None] = mapped_column(ForeignKey("application_material.id"))
    dated_on: Mapped[date | None] = mapped_column(Date)
    expires_on: Mapped[date | None] = mapped_column(Date)
    waived_reason: Mapped[str | None] = mapped_column(Words(300))
    note: Mapped[str | None] = mapped_column(Words(300))

    extra_args = (
        Index(
            "uq_application_material_item",
            "application_id",
            "item",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )


class ApplicationReview(Record, Model):
    """One look of the county at what was handed in: the checklist, the opinion, what is missing."""

    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    received_at: Mapped[datetime | None] = mapped_column(Moment)
    # Why it was taken although the county's deadline had passed.
    late_reason: Mapped[str | None] = mapped_column(Words(300))
    reviewed_on: Mapped[date | None] = mapped_column(Date)
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reviewer_name: Mapped[str | None] = mapped_column(Words(60))
    # {point: {"answer": "yes" | "no" | "na", "note": …}}
    checklist: Mapped[dict | None] = mapped_column(Json)
    # None while it is being checked; recommended, returned, not_recommended.
    result: Mapped[str | None] = mapped_column(Words(16))
    opinion: Mapped[str | None] = mapped_column(Words(1000))
    # What the 一次性告知 names: sentences, as they were told.
    missing: Mapped[list | None] = mapped_column(Json)
    notified_on: Mapped[date | None] = mapped_column(Date)
    mend_by: Mapped[date | None] = mapped_column(Date)


class ApplicationObjection(Record, Model):
    """An objection raised while a list is publicised (公示异议), with its record and how it ended."""

    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    raised_on: Mapped[date] = mapped_column(Date)
    raised_by: Mapped[str | None] = mapped_column(Words(120))
    text: Mapped[str] = mapped_column(Words(2000))
    record: Mapped[str | None] = mapped_column(Words(2000))
    upheld: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    closed_on: Mapped[date | None] = mapped_column(Date)


def applications_of(enterprise_id: int) -> list[Application]:
    query = select(Application).where(Application.enterprise_id == enterprise_id, ~Application.deleted)
    return list(db.session.scalars(query.order_by(Application.year.desc(), Application.id.desc())))


def steps_of(application_id: int) -> list[ApplicationStep]:
    """The steps of one application in the order in which they were recorded."""
    query = select(ApplicationStep).where(ApplicationStep.application_id == application_id, ~ApplicationStep.deleted)
    return list(db.session.scalars(query.order_by(ApplicationStep.id)))


def materials_of(application_id: int) -> list[ApplicationMaterial]:
    """What is recorded of the checklist of one application."""
    query = select(ApplicationMaterial).where(
        ApplicationMaterial.application_id == application_id, ~ApplicationMaterial.deleted
    )
    return list(db.session.scalars(query.order_by(ApplicationMaterial.id)))


def evidence_of(application_ids: Iterable[int]) -> dict[int, list[Evidence]]:
    """What is recorded of the checklists of several applications, as the rules see it: one query."""
    ids = sorted(set(application_ids))
    found: dict[int, list[Evidence]] = {one: [] for one in ids}
    for start in range(0, len(ids), 10_000):
        query = _EVIDENCE.where(ApplicationMaterial.application_id.in_(ids[start : start + 10_000]))
        for application_id, *values in db.session.execute(query.order_by(ApplicationMaterial.id)):
            found[application_id].append(Evidence(*values))
    return found


def former_evidence(enterprise_id: int, application_id: int) -> list[Evidence]:
    """What the enterprise's other applications recorded as present, newest cycle first."""
    query = _EVIDENCE.where(
        ApplicationMaterial.enterprise_id == enterprise_id,
        ApplicationMaterial.application_id != application_id,
        ApplicationMaterial.state == PRESENT,
    )
    newest = (Application.year.desc(), ApplicationMaterial.dated_on.desc(), ApplicationMaterial.id.desc())
    return [Evidence(*values) for _, *values in db.session.execute(query.order_by(*newest))]


_EVIDENCE = (
    select(
        ApplicationMaterial.application_id,
        ApplicationMaterial.item,
        ApplicationMaterial.state,
        Application.year,
        ApplicationMaterial.dated_on,
        ApplicationMaterial.expires_on,
        ApplicationMaterial.waived_reason,
        ApplicationMaterial.note,
        ApplicationMaterial.id,
        ApplicationMaterial.stored_file_id,
        ApplicationMaterial.from_material_id,
    )
    .join(Application, Application.id == ApplicationMaterial.application_id)
    .where(~ApplicationMaterial.deleted, ~Application.deleted)
)


def objections_of(application_id: int) -> list[ApplicationObjection]:
    """The objections raised against an application, oldest first."""
    query = select(ApplicationObjection).where(
        ApplicationObjection.application_id == application_id, ~ApplicationObjection.deleted
    )
    return list(db.session.scalars(query.order_by(ApplicationObjection.raised_on, ApplicationObjection.id)))
