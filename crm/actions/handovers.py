"""Handing over (交接): one person's enterprises, promises, plans and collections go to others, in one act."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from crm.actions.enterprises import Belonging, EnterpriseState, decide
from crm.actions.jobs import ask_for
from crm.actions.messages import queue_mail
from crm.actions.notices import tell
from crm.actions.obligations import ASSIGNED
from crm.actions.rights import require
from crm.domain import words
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update, withdraw
from crm.domain.refusals import Conflict, InvalidInput, NotFound, Refused
from crm.domain.sharing_out import Shareable, share_out
from crm.domain.typed_counts import refuse_untyped
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.mail.compose import Composed
from crm.mail.compose import handover as handover_mail
from crm.store import handovers
from crm.store.comments import Notice
from crm.store.handovers import MANAGER, Firm, InHand, Step
from crm.store.messages import Message
from crm.store.regions import Region
from crm.store.settings import office_name, setting
from crm.store.users import Grant, User, case_managers, viewer_of
from crm.store.writer import Written, write

KIND = "handover"
# Reminders that fall due within this many days are "coming" (the horizon of the weekly mail).
DAYS_AHEAD = 90
MOST_IN_MAIL = 20
NOTE_LENGTH = 300
TAKEN_BACK = "撤销了这次交接："


@dataclass(frozen=True)
class Wish:
    """What somebody wants handed over, and to whom.

    ``by_township`` says whose a township's enterprises are to be (the others are shared out evenly), ``stay`` are the
    enterprises that stay where they are.
    """

    from_id: int
    receivers: tuple[int, ...]
    by_township: Mapping[int | None, int] = field(default_factory=dict)
    stay: frozenset[int] = frozenset()
    note: str = ""


@dataclass(frozen=True)
class Share:
    """What one receiver gets."""

    user: User
    firms: tuple[Firm, ...]
    steps: tuple[Step, ...]
    planned: int
    collections: int
    requests: int
    applications: int
    reminders: int


@dataclass(frozen=True)
class HandOver:
    """A hand-over worked out, with nothing written: who gives what to whom, as it would be done now."""

    person: User
    wish: Wish
    in_hand: InHand
    receiver_of: Mapping[int, int]
    shares: tuple[Share, ...]
    stays: int

    @property
    def firm_count(self) -> int:
        """How many enterprises change hands."""
        return len(self.receiver_of)

    @property
    def fingerprint(self) -> str:
        """The same as long as the same things would go to the same people: what was previewed is what is done."""
        said = "|".join(
            f"{share.user.id}:{','.join(str(f.enterprise_id) for f in share.firms)}"
            f":{','.join(str(s.service_log_id) for s in share.steps)}:{share.planned}:{share.collections}"
            for share in self.shares
        )
        return hashlib.sha256(said.encode()).hexdigest()[:20]

    def sentence(self, share: Share | None = None) -> str:
        """6 家企业、2 件下一步, of one receiver or of all."""
        shares = self.shares if share is None else (share,)
        numbers = (
            (sum(len(s.firms) for s in shares), "家企业"),
            (sum(len(s.steps) for s in shares), "件下一步"),
            (sum(s.planned for s in shares), "条走访计划"),
            (sum(s.collections for s in shares), "个采集任务"),
        )
        return "、".join(f"{n:,} {what}" for n, what in numbers if n)


@dataclass(frozen=True)
class Prepared:
    """A previewed hand-over with the mails to its receivers, composed before the write lock is taken.

    ``period`` names the event in the outbox: the key of the form that is pressed.
    """

    planned: HandOver
    period: str
    mails: Mapping[int, Composed]


def person_of(user_id: int, viewer: Viewer) -> User:
    """Somebody whose work this viewer may hand over: of the own office's regions, or with work in hand there.

    Raises NotAllowed for who hands nothing over, NotFound for a stranger.
    """
    require(viewer.has(*OFFICE), "交接")
    user = db.session.get(User, user_id)
    regions = handovers.office_regions(viewer)
    if user is not None and not user.deleted:
        if regions is None or user.region_id in regions:
            return user
        if handovers.holds_something(user_id, viewer):
            return user
    raise NotFound("这名用户")


def candidates(person: User, viewer: Viewer, on: date, firms: Sequence[Firm] = ()) -> list[User]:
    """Who may take over: active case managers of the regions concerned, without the person."""
    regions = handovers.office_regions(viewer) or frozenset(firm.region_id for firm in firms)
    return [user for user in case_managers(regions, on) if user.id != person.id]


def plan(wish: Wish, *, viewer: Viewer, on: date, now: datetime) -> HandOver:
    """Work a hand-over out; reads only.

    Raises NotFound, NotAllowed, InvalidInput when nobody was chosen or the note is too long, Refused with one
    sentence when somebody chosen holds no grant where the enterprises are.
    """
    person = person_of(wish.from_id, viewer)
    until = now + timedelta(days=DAYS_AHEAD)
    has = handovers.in_hand(person.id, viewer, on=on, until=until)
    if has.nothing:
        raise Refused(f"{person.name}手上没有企业和任务，不用交接。")
    if not wish.receivers:
        raise InvalidInput({"receivers": "选至少一名接手人。"})
    if len(wish.note) > NOTE_LENGTH:
        raise InvalidInput({"note": f"交接说明不超过 {NOTE_LENGTH} 个字，现在 {len(wish.note)} 个。"})
    receivers = _receivers(wish, person, viewer)
    going = [firm for firm in has.firms if firm.enterprise_id not in wish.stay]
    able = _able(receivers, going, on)
    _refuse_who_holds_nothing_there(receivers, able, going, has, on)
    by_township = {t: r for t, r in wish.by_township.items() if r in able}
    shared = share_out(
        [Shareable(firm.enterprise_id, firm.township_id) for firm in going],
        list(able),
        by_township=by_township,
        able=able,
    )
    left = [firm for firm in going if firm.enterprise_id not in shared]
    if left:
        raise Refused(_nobody_for(left, receivers), field="receivers")
    whole = not wish.stay
    steps = _steps_to(has.steps, shared, list(able), receivers, on, whole)
    planned = Counter(shared[one.enterprise_id] for one in has.planned if one.enterprise_id in shared)
    collections = _collections_to(has, receivers, on, whole)
    shares = tuple(
        Share(
            user=user,
            firms=tuple(firm for firm in going if shared[firm.enterprise_id] == user.id),
            steps=tuple(step for step in has.steps if steps.get(step.service_log_id) == user.id),
            planned=planned[user.id],
            collections=sum(1 for owner in collections.values() if owner == user.id),
            requests=_sum(has.requests, shared, user.id),
            applications=_sum(has.applications, shared, user.id),
            reminders=_sum(has.reminders, shared, user.id),
        )
        for user in receivers
    )
    return HandOver(person, wish, has, shared, shares, len(has.firms) - len(going))


def prepare(wish: Wish, *, viewer: Viewer, on: date, now: datetime, period: str) -> Prepared:
    """Work a hand-over out and compose the mails to its receivers; reads only, raises like ``plan``."""
    planned = plan(wish, viewer=viewer, on=on, now=now)
    mails = {
        share.user.id: handover_mail(_content(planned, share, viewer, on), period=period[:40], user_id=share.user.id)
        for share in planned.shares
        if share.user.email or setting("redirect_all_mail", share.user.region_id)
    }
    return Prepared(planned, period[:40], mails)


def hand_over(prepared: Prepared, *, seen: str, typed: int | None = None, act: Act) -> Written:
    """Do what was previewed: one change set, notices and mails to the receivers; undone like anything else.

    ``seen`` is the fingerprint of the preview that was confirmed, ``typed`` the number of enterprises as the person
    typed it where there are many (domain/typed_counts.py). Raises InvalidInput for a wrong number, Conflict when what
    would be handed over is no longer what was seen, and whatever ``plan`` raises.
    """
    wish = prepared.planned.wish
    planned = plan(wish, viewer=act.viewer, on=act.effective_on, now=act.recorded_at)
    if planned.fingerprint != seen or planned.fingerprint != prepared.planned.fingerprint:
        raise Conflict(f"预览之后有变化，现在是{planned.sentence() or '没有可交接的'}。看过再按一次。")
    refuse_untyped(planned.firm_count, typed, field="typed", verb="交接")
    if not planned.sentence():
        raise Refused("没有选中要交接的企业和任务。")
    changes = _changes(planned, act)
    region_id = _region_of(planned)
    written = write(changes, act=_noted(act, planned), action="hand_over", region_id=region_id)
    if written.change_set_id is not None:
        _tell(prepared, planned, written.change_set_id, act)
    return written


def _noted(act: Act, planned: HandOver) -> Act:
    names = "、".join(share.user.name for share in planned.shares)
    said = f"{planned.person.name} 交接给 {names}"
    return replace(act, reason=(f"{said}：{planned.wish.note}" if planned.wish.note else said)[:500])


def _receivers(wish: Wish, person: User, viewer: Viewer) -> list[User]:
    found = []
    for user_id in dict.fromkeys(wish.receivers):
        user = db.session.get(User, user_id)
        if user is None or user.deleted or not _known(user, viewer):
            raise Refused("选的接手人不是本区的服务专员。从名单里选。", field="receivers")
        if user.id == person.id:
            raise Refused(f"{person.name}自己不能是接手人。换一名。", field="receivers")
        if not user.active:
            raise Refused(f"{user.name}的账号已停用，接不了。换一名，或先恢复账号。", field="receivers")
        found.append(user)
    return found


def _known(user: User, viewer: Viewer) -> bool:
    """Whether the viewer may hear of this user: of the office's regions, or with a grant in them."""
    regions = handovers.office_regions(viewer)
    if regions is None or user.region_id in regions:
        return True
    return bool(
        db.session.scalar(
            select(Grant.id).where(Grant.user_id == user.id, ~Grant.deleted, Grant.region_id.in_(regions)).limit(1)
        )
    )


def _holds_in(user: User, on: date) -> frozenset[int]:
    """The regions in which a user is case manager on a day."""
    grants = viewer_of(user, on).grants
    return frozenset[int]().union(*(g.region_ids for g in grants if g.role == "case_manager"))


def _able(receivers: Sequence[User], firms: Sequence[Firm], on: date) -> dict[int, frozenset[int]]:
    able = {}
    for user in receivers:
        regions = _holds_in(user, on)
        able[user.id] = frozenset(firm.enterprise_id for firm in firms if firm.region_id in regions)
    return able


def _refuse_who_holds_nothing_there(
    receivers: Sequence[User],
    able: Mapping[int, frozenset[int]],
    firms: Sequence[Firm],
    has: InHand,
    on: date,
) -> None:
    regions = {firm.region_id for firm in firms} or {step.region_id for step in has.steps}
    regions = regions or {one.region_id for one in (*has.planned, *has.collections)}
    for user in receivers:
        if not able[user.id] and not regions & _holds_in(user, on):
            manager = setting("manager_word", next(iter(regions)))
            raise Refused(
                f"{user.name}在{_names_of(regions)}没有{manager}授权，接不了。先由系统管理员授权，或换一名接手人。",
                field="receivers",
            )


def _nobody_for(left: Sequence[Firm], receivers: Sequence[User]) -> str:
    names = "、".join(user.name for user in receivers)
    where = _names_of({firm.region_id for firm in left})
    return f"{names}在{where}没有授权，那里的 {len(left):,} 家企业没有人接。加选一名那里的接手人，或让它们留下。"


def _names_of(region_ids: set[int]) -> str:
    names = db.session.scalars(select(Region.name).where(Region.id.in_(region_ids)).order_by(Region.code))
    return words.join(list(names), 3, "个区县")


def _steps_to(
    steps: Sequence[Step],
    shared: Mapping[int, int],
    able: Sequence[int],
    receivers: Sequence[User],
    on: date,
    whole: bool,
) -> dict[int, int]:
    """{event: who keeps its promise}: whoever gets its enterprise; one made at a colleague's goes to the first able."""
    found = {}
    holds = {user.id: _holds_in(user, on) for user in receivers}
    for step in steps:
        going = [shared[i] for i in step.enterprise_ids if i in shared]
        if going:
            found[step.service_log_id] = going[0]
        elif whole:
            # Nothing stays behind with a person who leaves.
            fit = [user_id for user_id in able if step.region_id in holds[user_id]]
            if fit:
                found[step.service_log_id] = fit[0]
    return found


def _collections_to(has: InHand, receivers: Sequence[User], on: date, whole: bool) -> dict[int, int]:
    if not whole:
        return {}
    found = {}
    for one in has.collections:
        fit = [user.id for user in receivers if one.region_id in _holds_in(user, on)]
        if fit:
            found[one.id] = fit[0]
    return found


def _sum(counted: Counter[int], receiver_of: Mapping[int, int], user_id: int) -> int:
    return sum(counted[i] for i, receiver in receiver_of.items() if receiver == user_id)


def _changes(planned: HandOver, act: Act) -> list[Create | Update]:
    changes: list[Create | Update] = []
    for share in planned.shares:
        for firm in share.firms:
            belongs = Belonging(firm.affiliation_id, firm.affiliation_version, planned.person.id, firm.starts_on)
            state = EnterpriseState(firm.enterprise_id, firm.enterprise_version, {}, {MANAGER: belongs})
            changes += decide(state, {MANAGER: share.user.id}, region_id=firm.region_id, on=act.effective_on)
        changes += [
            Update("service_log", step.service_log_id, {"step_owner_id": share.user.id}, step.version)
            for step in share.steps
        ]
    if not planned.wish.stay:
        # What was given to the person to do goes back to whoever looks after the enterprise from now on.
        changes += [_given_back(one.id, one.outcome, one.version) for one in planned.in_hand.given]
    changes += _plan_changes(planned)
    receivers = [share.user for share in planned.shares]
    owners = _collections_to(planned.in_hand, receivers, act.effective_on, not planned.wish.stay)
    changes += [
        Update("collection", one.id, {"owner_id": owners[one.id]}, one.version)
        for one in planned.in_hand.collections
        if one.id in owners
    ]
    return changes


def _given_back(outcome_id: int, outcome: str, version: int) -> Update:
    if outcome == ASSIGNED:
        return withdraw("obligation_outcome", outcome_id, version)
    return Update("obligation_outcome", outcome_id, {"assignee_id": None}, version)


def _plan_changes(planned: HandOver) -> list[Create | Update]:
    """What was planned goes into the receiver's plan of that quarter, which is made where there is none."""
    moving = [one for one in planned.in_hand.planned if one.enterprise_id in planned.receiver_of]
    if not moving:
        return []
    known = handovers.plans_of([share.user.id for share in planned.shares])
    there = handovers.in_plans(list(known.values()))
    changes: list[Create | Update] = []
    made: dict[tuple[int, int, int, int], Ref] = {}
    for one in moving:
        receiver = planned.receiver_of[one.enterprise_id]
        key = (receiver, one.region_id, one.year, one.quarter)
        target: Any = known.get(key) or made.get(key)
        if (target, one.enterprise_id) in there:
            changes.append(withdraw("visit_plan_enterprise", one.id, one.version))
            continue
        if target is None:
            target = made[key] = Ref(("visit_plan", *key))
            values = {"user_id": receiver, "region_id": one.region_id, "year": one.year, "quarter": one.quarter}
            changes.append(Create("visit_plan", values, target.key))
        changes.append(Update("visit_plan_enterprise", one.id, {"visit_plan_id": target}, one.version))
    return changes


def _region_of(planned: HandOver) -> int | None:
    """The region under which the change set is found: that of most enterprises."""
    counted = Counter(firm.region_id for share in planned.shares for firm in share.firms)
    if counted:
        return counted.most_common(1)[0][0]
    others = [*planned.in_hand.steps, *planned.in_hand.planned, *planned.in_hand.collections]
    return others[0].region_id if others else planned.person.region_id


def _tell(prepared: Prepared, planned: HandOver, change_set_id: int, act: Act) -> None:
    """A notice for each receiver, and the composed mail into the outbox; sending is a worker's."""
    for share in planned.shares:
        said = planned.sentence(share)
        if not said:
            continue
        note = f"：{planned.wish.note}" if planned.wish.note else ""
        text = f"把{planned.person.name}的 {said}交接给你{note}"
        tell([share.user.id], KIND, text, noun="change_set", record_id=change_set_id, act=act)
        mail = prepared.mails.get(share.user.id)
        if mail is not None:
            recipient = setting("redirect_all_mail", share.user.region_id) or share.user.email
            # Found again by its change set when that is undone; the press keeps it from being queued twice.
            queue_mail(
                mail, kind=KIND, period=str(change_set_id), user_id=share.user.id, recipient=str(recipient), act=act
            )
    db.session.flush()
    if prepared.mails:
        ask_for("send_outbox", {}, act=act)


def take_back_word(change_set_id: int, *, act: Act) -> None:
    """A hand-over was undone: its receivers hear of it, and mails that still wait stay at home. Sent ones are out."""
    told = select(Notice).where(Notice.kind == KIND, Notice.noun == "change_set", Notice.record_id == change_set_id)
    for notice in db.session.scalars(told.order_by(Notice.id)).all():
        if not notice.text.startswith(TAKEN_BACK):
            text = f"{TAKEN_BACK}{notice.text.removeprefix('把')}"
            tell([notice.user_id], KIND, text, noun="change_set", record_id=change_set_id, act=act)
    waiting = update(Message).where(
        Message.kind == KIND, Message.state == "queued", Message.period == str(change_set_id)
    )
    db.session.execute(waiting.values(state="cancelled", state_at=act.recorded_at))


def _content(planned: HandOver, share: Share, viewer: Viewer, on: date) -> dict[str, Any]:
    """What the mail to one receiver says; no figure of class confidential is among it."""
    first = share.firms[:MOST_IN_MAIL]
    steps = share.steps[:MOST_IN_MAIL]
    return {
        "office": office_name(share.user.region_id),
        "receiver": share.user.name,
        "person": planned.person.name,
        "by": viewer.name,
        "note": planned.wish.note,
        "said": planned.sentence(share),
        "on": on,
        "firms": [(firm.name, f"/enterprises/{firm.enterprise_id}") for firm in first],
        "more_firms": len(share.firms) - len(first),
        "steps": [(step.text, step.due_on) for step in steps],
        "more_steps": len(share.steps) - len(steps),
        "reminders": share.reminders,
        "requests": share.requests,
        "applications": share.applications,
    }
