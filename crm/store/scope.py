"""The one scope function: which records, and which classes of fields, a viewer may see. It stands in every query."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, true
from sqlalchemy.sql.selectable import Join

from crm.domain.fields import FIELDS
from crm.domain.refusals import NotFound
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import Base, db
from crm.store.absences import Absence
from crm.store.access_log import AccessLog
from crm.store.attachments import Attachment
from crm.store.changes import ChangeSet
from crm.store.collections import Collection, CollectionEnterprise
from crm.store.comments import Comment, Notice
from crm.store.dictionaries import DictionaryEntry
from crm.store.enterprises import Enterprise
from crm.store.files import StoredFile
from crm.store.imports import ImportBatch
from crm.store.jobs import Job
from crm.store.messages import Message
from crm.store.parks import Carrier, Park
from crm.store.pool import PoolSelection
from crm.store.regions import Region
from crm.store.requests import Request
from crm.store.saved_views import SavedView
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.settings import Setting
from crm.store.standings import Standing
from crm.store.submissions import Submission, SubmissionFile
from crm.store.units import Unit
from crm.store.users import Grant, User
from crm.store.visit_plans import VisitPlan
from crm.store.windows import Window


class UnscopedStatement(RuntimeError):
    """A statement selects nothing we have a rule for; a new table needs its line in RULES."""


def visible(statement: Select, viewer: Viewer) -> Select:
    """The statement narrowed to what the viewer may see and to records that are not withdrawn.

    The widest rule wins: a statement over standings is narrowed directly, one over enterprises through their
    standings, one over anything of an enterprise through that enterprise. What is narrower than its enterprise
    (INSIDE) is narrowed by its own rule as well, whatever it is joined to. Raises UnscopedStatement when no table of
    the statement has a rule.
    """
    tables = {table.name: table for table in _known_tables(statement)}
    conditions: list[ColumnElement[bool]] = [
        table.c.deleted.is_(False) for table in tables.values() if "deleted" in table.c
    ]
    # Without a department's grant whoever sees the enterprise reads what is inside: the same rule twice costs time.
    if viewer.has("unit") and ("standing" in tables or "enterprise" in tables):
        conditions += [RULES[name](viewer) for name in tables if name in INSIDE]
    if "standing" in tables:
        return statement.where(standing_rule(viewer), *conditions)
    if "enterprise" in tables:
        return statement.where(Enterprise.id.in_(visible_ids(viewer)), *conditions)
    for name, table in tables.items():
        if name in RULES:
            return statement.where(RULES[name](viewer), *conditions)
        if "enterprise_id" in table.c:
            return statement.where(table.c.enterprise_id.in_(visible_ids(viewer)), *conditions)
    raise UnscopedStatement(", ".join(tables))


def _known_tables(statement: Select) -> tuple[Any, ...]:
    """The tables of a statement. Finding them compiles it, so statements of one shape are looked at once."""
    key = statement._generate_cache_key()
    if key is None:
        return tuple(_tables_of(statement))
    found = _TABLES.get(key.key)
    if found is None:
        if len(_TABLES) >= _MOST_SHAPES:
            _TABLES.clear()
        found = _TABLES[key.key] = tuple(_tables_of(statement))
    return found


# Shapes of statements and their tables. The pages have some hundred of them; lists of ids do not add to their number.
_TABLES: dict[Any, tuple[Any, ...]] = {}
_MOST_SHAPES = 2_000


def _tables_of(statement: Select):
    for source in statement.get_final_froms():
        yield from _flat(source)


def _flat(source):
    if isinstance(source, Join):
        yield from _flat(source.left)
        yield from _flat(source.right)
    elif hasattr(source, "name") and source.name in Base.metadata.tables:
        yield source


def standing_rule(viewer: Viewer) -> ColumnElement[bool]:
    """Which enterprises: product.md, Who uses it, the column “sees”."""
    if viewer.everything:
        return true()
    conditions: list[ColumnElement[bool]] = []
    for grant in viewer.grants:
        if grant.role in ("bureau", "leader", "admin", "unit"):
            conditions.append(_in(Standing.region_id, grant.county_ids))
        elif grant.role == "case_manager":
            seen = _in(Standing.region_id, grant.county_ids)
            # Who sees the colleagues' enterprises sees the own ones; one plain condition lets an index give the order.
            conditions.append(seen if grant.colleagues else and_(_in(Standing.manager_id, viewer.acts_for), seen))
        elif grant.role == "township":
            conditions.append(_in(Standing.township_id, grant.region_ids))
        elif grant.role == "park":
            if grant.park_id:
                conditions.append(Standing.park_id == grant.park_id)
            if grant.carrier_id:
                conditions.append(Standing.carrier_id == grant.carrier_id)
    return or_(false(), *conditions)


def visible_ids(viewer: Viewer):
    """The ids of the visible enterprises, as a subquery."""
    return select(Standing.enterprise_id).where(standing_rule(viewer))


def _without_departments(viewer: Viewer) -> Viewer:
    """The viewer as far as internal fields go: a department's liaison reads public ones only."""
    return replace(viewer, grants=tuple(grant for grant in viewer.grants if grant.role != "unit"))


def internal_ids(viewer: Viewer):
    """The ids of the enterprises of which the viewer reads internal fields, as a subquery."""
    return visible_ids(_without_departments(viewer))


def _in(column, ids: frozenset[int]) -> ColumnElement[bool]:
    """One id is compared directly, so that an index can also give the order."""
    if len(ids) == 1:
        return column == next(iter(ids))
    return column.in_(ids) if ids else false()


def _regions_of(viewer: Viewer, *roles: str) -> frozenset[int]:
    return frozenset().union(*(g.region_ids for g in viewer.grants if not roles or g.role in roles))


def _of_region(column) -> Callable[[Viewer], ColumnElement[bool]]:
    """Reference rows of a region: seen by whoever has something to do there, and those of the regions above it."""

    def rule(viewer: Viewer) -> ColumnElement[bool]:
        if viewer.everything:
            return true()
        seen = _regions_of(viewer) | viewer.above
        return column.in_(seen) if seen else false()

    return rule


def _own_or_office(region_column, owner_column) -> Callable[[Viewer], ColumnElement[bool]]:
    """What a person made: seen by that person while a grant counts there, and by the office (bureau, admin)."""

    def rule(viewer: Viewer) -> ColumnElement[bool]:
        if viewer.everything:
            return true()
        office = _regions_of(viewer, *OFFICE)
        here = _regions_of(viewer) | viewer.above
        own = owner_column == viewer.user_id
        still = or_(region_column.is_(None), region_column.in_(here) if here else false())
        return or_(and_(own, still), region_column.in_(office) if office else false())

    return rule


def _users(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.everything:
        return true()
    regions = _regions_of(viewer, *OFFICE)
    return or_(User.id == viewer.user_id, User.region_id.in_(regions) if regions else false())


def _grants(viewer: Viewer) -> ColumnElement[bool]:
    return Grant.user_id.in_(select(User.id).where(_users(viewer)))


def _messages(viewer: Viewer) -> ColumnElement[bool]:
    return Message.user_id.in_(select(User.id).where(_users(viewer)))


def _access_log(viewer: Viewer) -> ColumnElement[bool]:
    """What the people of the office's regions did; failed attempts of nobody name no one, so every office sees them."""
    if viewer.everything:
        return true()
    nobody = and_(AccessLog.user_id.is_(None), AccessLog.what == "sign_in_failed")
    of_office = _in(User.region_id, _regions_of(viewer, *OFFICE))
    return or_(nobody, AccessLog.user_id.in_(select(User.id).where(of_office)))


def _service_logs(viewer: Viewer) -> ColumnElement[bool]:
    """An event is seen by whoever sees one of its enterprises."""
    link = ServiceLogEnterprise
    return exists().where(
        link.service_log_id == ServiceLog.id, ~link.deleted, link.enterprise_id.in_(visible_ids(viewer))
    )


def _requests(viewer: Viewer) -> ColumnElement[bool]:
    """Whoever reads the enterprise from inside; a department reads exactly those that were dispatched to it."""
    if viewer.everything:
        return true()
    inside = Request.enterprise_id.in_(internal_ids(viewer))
    units = frozenset(grant.unit_id for grant in viewer.grants if grant.role == "unit" and grant.unit_id is not None)
    sent = and_(Request.dispatched_on.is_not(None), _in(Request.unit_id, units))
    return or_(inside, and_(sent, Request.enterprise_id.in_(visible_ids(viewer))))


def _comments(viewer: Viewer) -> ColumnElement[bool]:
    """What people say to each other inside: never a department's."""
    return _events_or_enterprises(Comment)(_without_departments(viewer))


def _events_or_enterprises(model: Any) -> Callable[[Viewer], ColumnElement[bool]]:
    """What hangs on a record: seen by whoever sees its enterprise, or the event of many enterprises it belongs to."""

    def rule(viewer: Viewer) -> ColumnElement[bool]:
        events = select(ServiceLog.id).where(_service_logs(viewer))
        of_event = and_(model.enterprise_id.is_(None), model.noun == "service_log", model.record_id.in_(events))
        return or_(model.enterprise_id.in_(visible_ids(viewer)), of_event)

    return rule


def _asked(viewer: Viewer) -> ColumnElement[bool]:
    return CollectionEnterprise.enterprise_id.in_(internal_ids(viewer))


def _collections(viewer: Viewer) -> ColumnElement[bool]:
    """A collection is seen by whoever opened it, and whoever sees one of the enterprises that are asked."""
    asked = CollectionEnterprise
    of_one = exists().where(asked.collection_id == Collection.id, ~asked.deleted, _asked(viewer))
    return or_(of_one, _own_or_office(Collection.region_id, Collection.owner_id)(viewer))


def _visit_plans(viewer: Viewer) -> ColumnElement[bool]:
    """A plan is its maker's, and its leaders' and the office's to read."""
    if viewer.everything:
        return true()
    above = _regions_of(viewer, "bureau", "leader", "admin")
    own = and_(VisitPlan.user_id == viewer.user_id, _in(VisitPlan.region_id, _regions_of(viewer)))
    return or_(own, _in(VisitPlan.region_id, above))


def _submissions(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.everything:
        return true()
    return _in(Submission.region_id, _regions_of(viewer, "case_manager", "bureau", "leader", "admin"))


def _submission_files(viewer: Viewer) -> ColumnElement[bool]:
    """What went up holds figures of every firm in it: for those who may read all of the region's."""
    if viewer.everything:
        return true()
    regions = _regions_of(viewer, "bureau", "leader", "admin")
    return SubmissionFile.submission_id.in_(select(Submission.id).where(_in(Submission.region_id, regions)))


def _absences(viewer: Viewer) -> ColumnElement[bool]:
    """Who is away is known to those who manage accounts there, to the deputy and to the person."""
    if viewer.everything:
        return true()
    users = select(User.id).where(_users(viewer))
    return or_(Absence.user_id.in_(users), Absence.deputy_id == viewer.user_id)


def _saved_views(viewer: Viewer) -> ColumnElement[bool]:
    """Own views, those for all of a region, and those for a role that is held there."""
    if viewer.everything:
        return true()
    shared: list[ColumnElement[bool]] = []
    for grant in viewer.grants:
        for_me = or_(SavedView.shared == "all", and_(SavedView.shared == "role", SavedView.role == grant.role))
        shared.append(and_(for_me, _in(SavedView.region_id, grant.region_ids | viewer.above)))
    return or_(SavedView.owner_id == viewer.user_id, *shared)


def _notices(viewer: Viewer) -> ColumnElement[bool]:
    """The own ones, as long as the enterprise they are about is in sight; what tells of a withdrawn comment is gone."""
    if viewer.everything:
        return true()
    seen = exists().where(Standing.enterprise_id == Notice.enterprise_id, standing_rule(viewer))
    said = exists().where(Comment.id == Notice.comment_id, ~Comment.deleted)
    return and_(
        Notice.user_id == viewer.user_id,
        or_(Notice.enterprise_id.is_(None), seen),
        or_(Notice.comment_id.is_(None), said),
    )


RULES: dict[str, Callable[[Viewer], ColumnElement[bool]]] = {
    "region": _of_region(Region.id),
    "unit": _of_region(Unit.region_id),
    "park": _of_region(Park.region_id),
    "carrier": _of_region(Carrier.region_id),
    "window": _of_region(Window.region_id),
    "dictionary_entry": _of_region(DictionaryEntry.region_id),
    "setting": _of_region(Setting.region_id),
    "user": _users,
    "grant": _grants,
    "access_log": _access_log,
    "message": _messages,
    "service_log": _service_logs,
    "attachment": _events_or_enterprises(Attachment),
    "comment": _comments,
    "request": _requests,
    "notice": _notices,
    "collection": _collections,
    "collection_enterprise": _asked,
    "visit_plan": _visit_plans,
    "submission": _submissions,
    "submission_file": _submission_files,
    "absence": _absences,
    "saved_view": _saved_views,
    "pool_selection": _of_region(PoolSelection.region_id),
    "import_batch": _own_or_office(ImportBatch.region_id, ImportBatch.user_id),
    "job": _own_or_office(Job.region_id, Job.user_id),
    "stored_file": _own_or_office(StoredFile.region_id, StoredFile.owner_id),
    "change_set": _own_or_office(ChangeSet.region_id, ChangeSet.user_id),
}

# What not everybody reads who sees its enterprise.
INSIDE = frozenset({"comment", "request"})


def visible_enterprise(enterprise_id: int, viewer: Viewer) -> tuple[Enterprise, Standing]:
    """One enterprise with its standing; NotFound when there is none or it is not this viewer's to see."""
    query = (
        select(Enterprise, Standing)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .where(Enterprise.id == enterprise_id)
    )
    row = db.session.execute(visible(query, viewer)).first()
    if row is None:
        raise NotFound("这家企业")
    return row[0], row[1]


def visible_record(model: type[Any], record_id: int, viewer: Viewer, what: str = "这条记录") -> Any:
    """One record of any scoped noun; NotFound when there is none or it is not this viewer's to see."""
    row = db.session.scalar(visible(select(model).where(model.id == record_id), viewer))
    if row is None:
        raise NotFound(what)
    return row


def readable(noun: str, viewer: Viewer, standing: Standing) -> frozenset[str]:
    """The field codes of a noun this viewer may read of one enterprise."""
    classes = viewer.classes_over(standing)
    return frozenset(field.code for field in FIELDS.values() if field.noun == noun and field.cls in classes)
