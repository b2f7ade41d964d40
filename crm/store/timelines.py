"""Everything of one enterprise in the order of time: one statement finds a page of it, however much there is."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, case, func, literal, or_, select, union_all

from crm.domain.viewers import CONFIDENTIAL, INTERNAL, PUBLIC
from crm.extensions import db
from crm.store.applications import Application, ApplicationStep
from crm.store.assessments import Assessment
from crm.store.attachments import Attachment
from crm.store.changes import Change, ChangeSet
from crm.store.collections import CollectionEnterprise
from crm.store.comments import Comment
from crm.store.confirmations import Confirmation
from crm.store.enterprises import FORMER_NAME, Affiliation, EnterpriseAlias
from crm.store.figures import Figures
from crm.store.files import StoredFile
from crm.store.intellectual_property import IntellectualProperty
from crm.store.obligations import ObligationOutcome
from crm.store.pool import PoolMembership
from crm.store.qualifications import Qualification
from crm.store.relations import Relation
from crm.store.requests import Request
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise

PAGE = 50


@dataclass(frozen=True)
class Happening:
    """One thing that happened: what, of which record, on which day."""

    what: str
    record_id: int
    on: date


@dataclass(frozen=True)
class Source:
    """Where one kind of happening is found: its group, the class of fields it belongs to, and its statement's parts."""

    what: str
    group: str
    cls: str
    record: Any
    day: Any
    where: tuple[Any, ...]


def _moment(column: Any) -> Any:
    return func.date(column, type_=Date)


def _sources(own: Sequence[int], today: date, confidential: bool) -> Iterator[Source]:
    """Every kind of happening of these enterprises (one, and those that were merged into it)."""
    first = own[0]

    def of(model: Any, *more: Any) -> tuple[Any, ...]:
        return (model.enterprise_id == first, ~model.deleted, *more)

    title = Qualification
    granted = func.coalesce(title.announced_on, title.issued_on, title.valid_from)
    counts = (title.superseded_at.is_(None),)
    yield Source("title_granted", "titles", PUBLIC, title.id, granted, of(title, granted.is_not(None), *counts))
    over = and_(title.valid_to < today, title.ended_on.is_(None))
    yield Source("title_expired", "titles", PUBLIC, title.id, title.valid_to, of(title, over, *counts))
    yield Source("title_ended", "titles", PUBLIC, title.id, title.ended_on, of(title, *counts))
    for what in ("proposed_on", "entered_on", "left_on", "declined_on"):
        day = getattr(PoolMembership, what)
        yield Source(f"pool_{what}", "pool", PUBLIC, PoolMembership.id, day, of(PoolMembership))
    yield Source("step", "applications", INTERNAL, ApplicationStep.id, ApplicationStep.happened_on, of(ApplicationStep))
    untold = ~select(ApplicationStep.id).where(ApplicationStep.application_id == Application.id).exists()
    yield Source("application", "applications", INTERNAL, Application.id, Application.stage_on, of(Application, untold))
    linked = select(ServiceLogEnterprise.service_log_id).where(*of(ServiceLogEnterprise))
    yield Source(
        "log", "logs", INTERNAL, ServiceLog.id, ServiceLog.happened_on, (ServiceLog.id.in_(linked), ~ServiceLog.deleted)
    )
    touched = select(Change.change_set_id).where(Change.enterprise_id.in_(own))
    when = _moment(ChangeSet.recorded_at)
    by_hand = (ChangeSet.id.in_(touched.where(Change.noun == "figures")), ChangeSet.import_batch_id.is_(None))
    yield Source("figures", "figures", CONFIDENTIAL, ChangeSet.id, when, by_hand)
    imported = (ChangeSet.id.in_(touched), ChangeSet.import_batch_id.is_not(None))
    yield Source("import", "imports", PUBLIC, ChangeSet.id, when, imported)
    merged = ChangeSet.id.in_(touched.where(Change.noun == "enterprise")), ChangeSet.action == "merge_enterprises"
    yield Source("merge", "belongs", PUBLIC, ChangeSet.id, when, merged)
    piece = IntellectualProperty
    yield Source("ip_granted", "ip", PUBLIC, piece.id, piece.granted_on, of(piece))
    yield Source("ip_moved", "ip", PUBLIC, piece.id, piece.transferred_on, of(piece))
    yield Source("ip_expired", "ip", PUBLIC, piece.id, piece.expires_on, of(piece, piece.expires_on < today))
    for what in ("raised_on", "transferred_on", "dispatched_on", "replied_on", "closed_on"):
        yield Source(f"request_{what}", "requests", INTERNAL, Request.id, getattr(Request, what), of(Request))
    yield Source("comment", "comments", INTERNAL, Comment.id, _moment(Comment.written_at), of(Comment))
    yield _files(first, linked, confidential)
    begins = (Affiliation.starts_on.is_not(None),)
    yield Source("belongs", "belongs", PUBLIC, Affiliation.id, Affiliation.starts_on, of(Affiliation, *begins))
    # What ends because something else begins is told by that beginning.
    other = Affiliation.__table__.alias("next_affiliation")
    replaced = (
        select(other.c.id)
        .where(
            other.c.enterprise_id == first,
            other.c.kind == Affiliation.kind,
            other.c.deleted.is_(False),
            other.c.starts_on > Affiliation.ends_on,
        )
        .exists()
    )
    ends = (Affiliation.ends_on.is_not(None), ~replaced)
    yield Source("left", "belongs", PUBLIC, Affiliation.id, Affiliation.ends_on, of(Affiliation, *ends))
    renamed = (EnterpriseAlias.kind == FORMER_NAME,)
    yield Source(
        "renamed", "belongs", PUBLIC, EnterpriseAlias.id, EnterpriseAlias.until_on, of(EnterpriseAlias, *renamed)
    )
    either = or_(Relation.enterprise_id == first, Relation.other_id == first)
    yield Source("related", "belongs", INTERNAL, Relation.id, Relation.starts_on, (either, ~Relation.deleted))
    said = ObligationOutcome
    yield Source("outcome", "due", INTERNAL, said.id, said.on, of(said))
    yield Source("confirmation", "due", INTERNAL, Confirmation.id, Confirmation.month, of(Confirmation))
    sheet = CollectionEnterprise
    yield Source("sheet", "figures", INTERNAL, sheet.id, sheet.returned_on, of(sheet))
    yield Source("assessment", "compare", CONFIDENTIAL, Assessment.id, Assessment.on, of(Assessment))


def _files(enterprise_id: int, events: Any, confidential: bool) -> Source:
    """The day a file says it is of, else the day it was handed in."""
    uploaded = select(StoredFile.created_at).where(StoredFile.id == Attachment.stored_file_id).scalar_subquery()
    hung = or_(
        Attachment.enterprise_id == enterprise_id,
        and_(Attachment.noun == "service_log", Attachment.record_id.in_(events)),
    )
    where: list[ColumnElement[bool]] = [hung, ~Attachment.deleted]
    if not confidential:
        where.append(~Attachment.confidential)
    day = case((Attachment.dated_on.is_not(None), Attachment.dated_on), else_=_moment(uploaded))
    return Source("file", "files", INTERNAL, Attachment.id, day, tuple(where))


def _statement(source: Source) -> Select[Any]:
    query = select(
        literal(source.what).label("what"),
        literal(source.group).label("grp"),
        source.record.label("record_id"),
        source.day.label("day"),
    )
    return query.where(source.day.is_not(None), *source.where)


def page(
    own: Sequence[int],
    *,
    classes: Collection[str],
    today: date,
    groups: Collection[str] = (),
    number: int = 1,
) -> tuple[list[Happening], dict[str, int]]:
    """A page of what happened, newest first, and how many there are of each group that this viewer reads.

    ``own`` are the enterprise and those merged into it. Days in the future are plans and not told here.
    """
    confidential = CONFIDENTIAL in classes
    parts = [_statement(one) for one in _sources(own, today, confidential) if one.cls in classes]
    everything = union_all(*parts).subquery()
    past = everything.c.day <= today
    counted = select(everything.c.grp, func.count()).where(past).group_by(everything.c.grp)
    counts: dict[str, int] = dict(db.session.execute(counted).all())
    query = select(everything.c.what, everything.c.record_id, everything.c.day).where(past)
    if groups:
        query = query.where(everything.c.grp.in_(list(groups)))
    query = query.order_by(everything.c.day.desc(), everything.c.what, everything.c.record_id.desc())
    rows = db.session.execute(query.limit(PAGE).offset((number - 1) * PAGE))
    return [Happening(*row) for row in rows], counts


_MODELS: dict[str, Any] = {
    "title": Qualification,
    "pool": PoolMembership,
    "step": ApplicationStep,
    "application": Application,
    "log": ServiceLog,
    "ip": IntellectualProperty,
    "request": Request,
    "comment": Comment,
    "file": Attachment,
    "belongs": Affiliation,
    "left": Affiliation,
    "renamed": EnterpriseAlias,
    "related": Relation,
    "outcome": ObligationOutcome,
    "confirmation": Confirmation,
    "sheet": CollectionEnterprise,
    "assessment": Assessment,
    "figures": ChangeSet,
    "import": ChangeSet,
    "merge": ChangeSet,
}


def model_of(what: str) -> Any:
    """The table behind a happening."""
    return _MODELS.get(what) or _MODELS[what.split("_")[0]]


def records(found: Sequence[Happening]) -> dict[tuple[str, int], Any]:
    """{(what, id): its record} for a page: one statement for each table that is on it."""
    wanted: dict[Any, set[int]] = defaultdict(set)
    for one in found:
        wanted[model_of(one.what)].add(one.record_id)
    rows = {
        (model, row.id): row
        for model, ids in wanted.items()
        for row in db.session.scalars(select(model).where(model.id.in_(ids)))
    }
    return {(one.what, one.record_id): rows[model_of(one.what), one.record_id] for one in found}


def years_of(change_set_ids: Sequence[int], own: Sequence[int]) -> dict[int, list[int]]:
    """{change set: the years whose figures of these enterprises it touched}."""
    query = (
        select(Change.change_set_id, Figures.year)
        .join(Figures, Figures.id == Change.record_id)
        .where(Change.change_set_id.in_(change_set_ids), Change.noun == "figures", Change.enterprise_id.in_(own))
        .order_by(Figures.year)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for change_set_id, year in db.session.execute(query):
        found[change_set_id].append(year)
    return found
