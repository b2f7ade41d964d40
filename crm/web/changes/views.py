"""What was done, what undoing it would do, and the undo."""

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from flask import render_template, request, url_for
from sqlalchemy import func, select

from crm.actions import obligation_bulk
from crm.actions.bulk_edits import BULK_ACTIONS
from crm.actions.changes import changes_of, preview_undo, undo, undo_prepared
from crm.domain import words
from crm.domain.refusals import NotFound
from crm.domain.undoing import UndoPlan
from crm.extensions import db
from crm.store import change_lists
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Enterprise
from crm.store.scope import visible
from crm.store.writer import prepare
from crm.web.addresses import whole
from crm.web.changes import blueprint, record
from crm.web.changes.lines import action_words
from crm.web.doors import SIGNED_IN, Form, attempt, done, new_act, open_to, own_path, rule_of, viewer
from crm.web.sign_in import proof

__all__ = ["blueprint", "record"]

# Up to this many records, and nothing kept, an undo happens at once; beyond it the preview is shown first.
AT_ONCE = 50
KEPT_SHOWN = 20
# Beyond this many records an undo is made ready outside the lock.
PREPARED = 500

_WHY = {"edited": "之后又被改过", "children": "之后又挂上了别的记录", "replaced": "之后登记的取代了它，不恢复"}


@blueprint.get("/changes")
@open_to(SIGNED_IN)
def index():
    """Everything that was done, so that it can be taken back long after its toast is gone."""
    person = viewer()
    office = person.has("bureau", "admin")
    mine = not office or request.args.get("who") == "me"
    found = change_lists.recent(person, mine=mine, before=whole(request.args.get("before")))
    return render_template(
        "changes/index.html",
        found=found,
        answers_for_all=office,
        reads_access_log=person.has(*(rule_of("access_log.index") or ())),
        mine=mine,
        older=found[-1].change_set.id if len(found) == change_lists.PAGE else None,
        action_words=action_words,
    )


@blueprint.get("/changes/<int:change_set_id>/undo")
@open_to(SIGNED_IN)
def preview(change_set_id: int):
    """What the undo would restore and withdraw, and what it would leave, with the name of who wrote it since."""
    plan = preview_undo(change_set_id, viewer=viewer())
    return _preview_page(change_set_id, plan)


@blueprint.post("/changes/<int:change_set_id>/undo", endpoint="undo")
@open_to(SIGNED_IN)
def undo_change(change_set_id: int):
    plan = preview_undo(change_set_id, viewer=viewer())
    back = _back(change_set_id)
    if plan.nothing_to_do:
        why = "都已被后来的修改接上，没有可撤销的。" if plan.kept else "已经撤销过，没有再写。"
        return done(why, back)
    if _asks_again(change_set_id) and not proof.is_proved():
        return proof.ask_again("撤销别人的修改或授权")
    form = Form()
    size = len(plan.restore) + len(plan.withdraw)
    big = size > AT_ONCE and not _was_counted(change_set_id)
    if (plan.kept or big) and request.form.get("confirmed") != "1":
        return _preview_page(change_set_id, plan)
    if form.validate_on_submit():
        act = new_act()
        if size > PREPARED:
            prepared = prepare(changes_of(plan), act=act)
            result = attempt(form, lambda: undo_prepared(change_set_id, plan, prepared, act=act))
        else:
            result = attempt(form, lambda: undo(change_set_id, act=act))
        if result is not None:
            written = getattr(result, "written", result)
            return done(_said(result), _back(change_set_id), written)
    return _preview_page(change_set_id, preview_undo(change_set_id, viewer=viewer()), form), 409


def _asks_again(change_set_id: int) -> bool:
    """Whether somebody else did it, or it gave or took a role; other own slips are taken back without a question."""
    user_id = db.session.scalar(select(ChangeSet.user_id).where(ChangeSet.id == change_set_id))
    roles = select(Change.id).where(Change.change_set_id == change_set_id, Change.noun == "grant").limit(1)
    return user_id != viewer().user_id or db.session.scalar(roles) is not None


_COUNTED = frozenset({*BULK_ACTIONS, *obligation_bulk.ACTIONS.values(), "hand_over", "propose_many"})


def _was_counted(change_set_id: int) -> bool:
    """Whether its number and lines were shown before it was written (many at once, hand-over): one press undoes it."""
    query = select(ChangeSet.action).where(ChangeSet.id == change_set_id)
    return db.session.scalar(visible(query, viewer())) in _COUNTED


def _said(result: Any) -> str:
    parts = []
    if getattr(result, "restored", 0):
        parts.append(f"恢复 {result.restored} 处")
    if getattr(result, "withdrawn", 0):
        parts.append(f"撤下 {result.withdrawn} 条")
    if getattr(result, "kept", None):
        parts.append(f"保留 {len(result.kept)} 处后来的修改")
    return "已撤销：" + ("，".join(parts) or "没有变化")


def _preview_page(change_set_id: int, plan: UndoPlan, form: Form | None = None) -> str:
    change_set = db.session.scalar(visible(select(ChangeSet).where(ChangeSet.id == change_set_id), viewer()))
    if change_set is None:
        raise NotFound("这次修改")
    restored = Counter(noun for noun, _ in plan.restore)
    withdrawn = Counter(noun for noun, _ in plan.withdraw)
    nouns = [n for n in words.NOUNS if restored[n] or withdrawn[n]]
    shown = plan.kept[:KEPT_SHOWN]
    return render_template(
        "changes/undo.html",
        change_set=change_set,
        title=action_words(change_set),
        rows=[(words.NOUNS[n], restored[n], withdrawn[n]) for n in nouns],
        fields=sum(len(f) for f in plan.restore.values()),
        plan=plan,
        kept=[
            (
                _whose(k, _names_of(shown)),
                words.label(f"{k.noun}.{k.field}") if k.field else "整条记录",
                _WHY.get(k.why, k.why),
                k.who,
            )
            for k in shown
        ],
        form=form or Form(),
        back=_back(change_set_id),
        door=words.DOORS.get(change_set.door, change_set.door),
    )


def _whose(kept: Any, names: dict[int, str]) -> str:
    noun = words.word(kept.noun, "noun")
    return names.get(kept.record_id, noun) if kept.noun == "enterprise" else noun


def _names_of(kept) -> dict[int, str]:
    ids = {k.record_id for k in kept if k.noun == "enterprise"}
    return dict(
        db.session.execute(
            visible(select(Enterprise.id, Enterprise.name).where(Enterprise.id.in_(ids)), viewer())
        ).all()
    )


def _back(change_set_id: int) -> str:
    """The page it was asked from; but not that of an enterprise which the undo withdrew: then the list.

    The preview carries that page along, for there the browser names the preview itself.
    """
    query = select(func.min(Change.enterprise_id), func.max(Change.enterprise_id)).where(
        Change.change_set_id == change_set_id
    )
    first, last = db.session.execute(query).one()
    about_one = first is not None and first == last
    if about_one:
        alive = db.session.scalar(visible(select(Enterprise.id).where(Enterprise.id == first), viewer())) is not None
        file = url_for("enterprises.show", enterprise_id=first)
    asked_from = own_path(request.form.get("back")) or _referrer()
    if asked_from:
        gone = about_one and not alive and (urlsplit(asked_from).path + "/").startswith(file + "/")
        return url_for("enterprises.index") if gone else asked_from
    return file if about_one and alive else url_for("enterprises.index")


def _referrer() -> str | None:
    """The page of ours that the browser came from, unless it is the preview of an undo."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host or parts.path.startswith("/changes"):
        return None
    return own_path(parts.path + (f"?{parts.query}" if parts.query else ""))
