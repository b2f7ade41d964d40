"""Undo: what a change set did is taken back by the last-writer rule; the undo is itself a change set."""

from dataclasses import dataclass

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import aliased

from crm.actions.calendars import keeps_holidays, keeps_windows
from crm.actions.dependants import hung_on, still_live
from crm.actions.handovers import take_back_word
from crm.actions.jobs import ask_for_recompute
from crm.actions.successors import in_their_place
from crm.domain.acts import Act
from crm.domain.changes import Update
from crm.domain.refusals import NotAllowed, NotFound, Refused
from crm.domain.undoing import Kept, Logged, UndoPlan, plan_undo
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.store.changes import Change, ChangeSet
from crm.store.imports import ImportBatch
from crm.store.scope import visible
from crm.store.settings import PROJECTED, Setting
from crm.store.users import Grant, User
from crm.store.windows import Window
from crm.store.writer import Prepared, Written, from_plain, write, write_prepared

# A change of one of these may move the dates of any enterprise; the deeds that write them ask for the same.
SHARED_NOUNS = ("window", "holiday")


@dataclass(frozen=True)
class UndoResult:
    """The written undo and what it left as it is, each with the person who wrote it since."""

    written: Written
    restored: int
    withdrawn: int
    kept: list[Kept]


def preview_undo(change_set_id: int, *, viewer: Viewer) -> UndoPlan:
    """What undoing a change set would do now; reads only. Raises NotFound and NotAllowed like the undo itself."""
    return _plan(_undoable(change_set_id, viewer))


def undo(change_set_id: int, *, act: Act) -> UndoResult:
    """Undo a change set: fields it wrote last get their old values, records it made are withdrawn.

    Later edits and later children are kept and named. An undo can be undone. product.md, What always holds 4.
    """
    change_set = _undoable(change_set_id, act.viewer)
    _require_calendars(change_set_id, act)
    plan = _plan(change_set)
    changes = changes_of(plan)
    written = write(changes, act=act, action="undo", region_id=change_set.region_id, undoes_id=change_set.id)
    return _undone(change_set, plan, written, act)


def undo_prepared(change_set_id: int, plan: UndoPlan, prepared: Prepared, *, act: Act) -> UndoResult:
    """The same for a change set of thousands of records, whose plan was worked out and made ready outside the lock."""
    change_set = _undoable(change_set_id, act.viewer)
    region_id = change_set.region_id
    written = write_prepared(prepared, act=act, action="undo", region_id=region_id, undoes_id=change_set_id)
    return _undone(change_set, plan, written, act)


def changes_of(plan: UndoPlan) -> list[Update]:
    """The changes that carry an undo out; Refused when there is nothing left to take back."""
    if plan.nothing_to_do:
        raise Refused("没有可撤销的：" + ("都已被后来的修改接上。" if plan.kept else "已经撤销过。"))
    changes = [
        Update(noun, record_id, {name: from_plain(noun, name, value) for name, value in fields.items()})
        for (noun, record_id), fields in plan.restore.items()
    ]
    return changes + [Update(noun, record_id, {"deleted": True}) for noun, record_id in plan.withdraw]


def _undone(change_set: ChangeSet, plan: UndoPlan, written: Written, act: Act) -> UndoResult:
    _mark_batch(change_set, written)
    if change_set.action == "hand_over" and written.change_set_id is not None:
        take_back_word(change_set.id, act=act)
    if written.change_set_id is not None and _moves_every_date(change_set.id):
        ask_for_recompute(act=act)
    return UndoResult(written, sum(len(f) for f in plan.restore.values()), len(plan.withdraw), plan.kept)


def _moves_every_date(change_set_id: int) -> bool:
    """Whether a change set touched what standings and obligations of all enterprises are computed from."""
    projected = select(Setting.id).where(Setting.key.in_(PROJECTED))
    shared = or_(Change.noun.in_(SHARED_NOUNS), and_(Change.noun == "setting", Change.record_id.in_(projected)))
    query = select(Change.id).where(Change.change_set_id == change_set_id, shared).limit(1)
    return db.session.scalar(query) is not None


def _undoable(change_set_id: int, viewer: Viewer) -> ChangeSet:
    change_set = db.session.scalar(visible(select(ChangeSet).where(ChangeSet.id == change_set_id), viewer))
    if change_set is None:
        raise NotFound("这次修改")
    own = change_set.user_id is not None and change_set.user_id == viewer.user_id
    if not own and not viewer.has_in(change_set.region_id, *OFFICE):
        raise NotAllowed("只能撤销自己的修改；别人的由业务科室撤销。")
    if not _may_undo_accounts(change_set_id, viewer):
        raise NotAllowed("账号和授权的修改由管得到它的系统管理员撤销。")
    return change_set


def _require_calendars(change_set_id: int, act: Act) -> None:
    """Taking back a change of windows or holidays moves the same dates as making it, so it needs the same right."""
    regions, days_off = _calendars_of(change_set_id)
    kept = all(keeps_windows(act.viewer, region_id, act.effective_on) for region_id in regions)
    if not kept or (days_off and not keeps_holidays(act.viewer, act.effective_on)):
        raise NotAllowed("这次改的窗口或节假日由市级业务科室维护，由那里撤销。")


def _calendars_of(change_set_id: int) -> tuple[set[int], bool]:
    """The regions whose windows a change set touched, and whether it touched holidays."""
    query = select(Window.region_id).join(Change, and_(Change.noun == "window", Change.record_id == Window.id))
    regions = set(db.session.scalars(query.where(Change.change_set_id == change_set_id)))
    days = select(Change.id).where(Change.change_set_id == change_set_id, Change.noun == "holiday").limit(1)
    return regions, db.session.scalar(days) is not None


def _may_undo_accounts(change_set_id: int, viewer: Viewer) -> bool:
    """Whether this viewer may take back what a change set did to users and grants.

    Undoing the end of a grant gives it again, so it needs the same right: administrator over every place that these
    users hold anything in. One's own name and mail may be taken back by oneself.
    """
    query = select(Change.noun, Change.record_id).where(
        Change.change_set_id == change_set_id, Change.noun.in_(("user", "grant"))
    )
    touched = db.session.execute(query).all()
    user_ids = {record_id for noun, record_id in touched if noun == "user"}
    grant_ids = {record_id for noun, record_id in touched if noun == "grant"}
    if viewer.everything or not touched or (not grant_ids and user_ids == {viewer.user_id}):
        return True
    user_ids |= set(db.session.scalars(select(Grant.user_id).where(Grant.id.in_(grant_ids))))
    places = set(db.session.scalars(select(User.region_id).where(User.id.in_(user_ids))))
    places |= set(db.session.scalars(select(Grant.region_id).where(Grant.user_id.in_(user_ids))))
    return all(viewer.has_in(region_id, "admin") for region_id in places)


# As plain rows: a large import has tens of thousands of them.
_LOGGED = (Change.id, Change.change_set_id, Change.noun, Change.record_id, Change.op, Change.fields)


def _plan(change_set: ChangeSet) -> UndoPlan:
    query = select(*_LOGGED).where(Change.change_set_id == change_set.id).order_by(Change.id)
    own = [Logged(*row) for row in db.session.execute(query)]
    mine, other = aliased(Change), aliased(Change)
    query = (
        select(other, ChangeSet.who, ChangeSet.undoes_id)
        .join(mine, (mine.noun == other.noun) & (mine.record_id == other.record_id))
        .join(ChangeSet, ChangeSet.id == other.change_set_id)
        .where(mine.change_set_id == change_set.id, other.id > mine.id, other.change_set_id != change_set.id)
        .order_by(other.id)
    )
    later = [_logged(row, who, undoes is not None) for row, who, undoes in db.session.execute(query)]
    return plan_undo(own, later, hung_on(own), still_live(own), in_their_place(own, later))


def _logged(row: Change, who: str, is_undo: bool) -> Logged:
    return Logged(row.id, row.change_set_id, row.noun, row.record_id, row.op, row.fields, who, is_undo)


def _mark_batch(change_set: ChangeSet, written: Written) -> None:
    """An undone import says so; undoing its undo says it is done again."""
    if written.change_set_id is None:
        return
    batches = update(ImportBatch).execution_options(synchronize_session=False)
    if change_set.undoes_id is None:
        db.session.execute(
            batches.where(ImportBatch.change_set_id == change_set.id).values(
                state="undone", undone_by_id=written.change_set_id
            )
        )
    else:
        db.session.execute(
            batches.where(ImportBatch.undone_by_id == change_set.id).values(state="done", undone_by_id=None)
        )
