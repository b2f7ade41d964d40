"""What stands in a person's weekly digest, gathered within that person's own sight; reads only."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import ColumnElement, and_, false, func, or_, select

from crm.actions.obligations import may_settle
from crm.domain import words
from crm.domain.digest_material import Due, Ending, Imported, Imports, LateOf, ManagerCount, Material, Silent, StandIn
from crm.domain.digests import KIND, LAST_HORIZON, MOST_IMPORTED, MOST_OVERDUE, MOST_SILENT, Digest, week_of
from crm.domain.digests import compose as compose_digest
from crm.domain.kinds import HELD_STATES, KINDS, RUNGS
from crm.domain.refusals import NotFound
from crm.domain.viewers import Viewer
from crm.domain.workdays import Holidays
from crm.extensions import db
from crm.store import desk, due, recent, request_lists
from crm.store.absences import away_today
from crm.store.changes import Change
from crm.store.enterprises import Enterprise
from crm.store.holidays import holidays
from crm.store.jobs import FAILED_DAYS, Job, lately_failed
from crm.store.messages import Message
from crm.store.notices import unread_count
from crm.store.qualifications import Qualification
from crm.store.request_lists import is_asked
from crm.store.scope import visible
from crm.store.settings import office_name
from crm.store.silence import limits, never_contacted
from crm.store.standings import Standing
from crm.store.users import ENDING_DAYS, User, has_grant_ending, is_unreachable, people_of, viewer_of

# Whoever answers for enterprises reads about them; the office and the leaders read about the region.
OWN_ROLES = ("case_manager", "township", "park")
REGION_ROLES = ("bureau", "leader")
# From this month on the holidays of the next year ought to be known.
HOLIDAY_MONTH = 12
# A deputy is told what is late and what comes within so many days.
MONTH = 30
# An older mail says nothing about what a person knows; a week without any working day has none.
MOST_WEEKS_BACK = 8


def compose(user_id: int, on: date, *, now: datetime) -> Digest:
    """The digest of a person for a day, within that person's own sight; reads only.

    For today it reads what is stored, for any other day it computes from the facts known now. Raises NotFound.
    """
    user = db.session.get(User, user_id)
    if user is None or user.deleted:
        raise NotFound("这个用户")
    zone = ZoneInfo(current_app.config["TZ_NAME"])
    today = now.astimezone(zone).date()
    at = now if on == today else datetime.combine(on, time(8), zone)
    known = holidays()
    viewer = viewer_of(user, on)
    return compose_digest(
        user.name,
        on,
        now=at,
        material=_material(viewer, on, at, live=on == today, known=known),
        office=office_name(user.region_id),
        holidays=known,
    )


def _material(viewer: Viewer, on: date, at: datetime, *, live: bool, known: Holidays) -> Material:
    own = viewer.has(*OWN_ROLES)
    region = viewer.has(*REGION_ROLES)
    chores = _chores(viewer, on, at, known) if viewer.has("admin") else ()
    kinds = owned_kinds(viewer)
    if not own and not region:
        return Material(
            late_of=_late_of(viewer, at, live=live),
            imported=_imported(viewer, on, at, known, [_touches(kinds)]) if kinds else Imports(),
            enterprise_count=db.session.scalar(visible(select(func.count()).select_from(Standing), viewer)) or 0,
            own=False,
            counts=_held(viewer, kinds),
            endings=_endings(viewer, kinds, on),
            chores=chores,
            asked=_asked(viewer, on),
            unread=unread_count(viewer),
            has_due=False,
        )
    mine = _own(viewer)
    where: list[ColumnElement[bool]] = [] if region and not own else [mine]
    dues = _dues(viewer, at, live=live, where=where)
    rows, unlisted = dues.rows, dues.unlisted()
    silent, never = _silent(viewer, on, known, where)
    silent_of = _silent_by_manager(viewer, on, known, where)
    count = db.session.scalar(visible(select(func.count()).select_from(Standing).where(*where), viewer)) or 0
    managers: tuple[ManagerCount, ...] = ()
    counts: tuple[tuple[str, int, str, str], ...] = ()
    if region:
        everything = dues if not own else _dues(viewer, at, live=live, where=[])
        if viewer.has("bureau"):
            all_silent = silent_of if not own else _silent_by_manager(viewer, on, known, [])
            managers = _managers(everything, all_silent, at)
        else:
            counts = _counts(viewer, everything)
            if not own:
                # A leader reads numbers and what is late; the rest of the list is the bureau's daily work.
                rows, silent, silent_of, never = tuple(item for item in rows if item.overdue), (), {}, 0
                unlisted = dues.unlisted(only_overdue=True)
    return Material(
        stand_ins=_stand_ins(viewer, on, at, live=live, known=known),
        late_of=_late_of(viewer, at, live=live),
        due=rows,
        unlisted=unlisted,
        silent=silent,
        silent_count=sum(silent_of.values()),
        never_contacted=never,
        imported=_imported(viewer, on, at, known, where),
        enterprise_count=count,
        own=own,
        narrowed=own and viewer.has("case_manager"),
        managers=managers,
        counts=counts,
        endings=_endings(viewer, kinds, on),
        chores=chores,
        asked=_asked(viewer, on),
        unread=unread_count(viewer),
    )


def is_reader(viewer: Viewer) -> bool:
    """Whether there is anything a weekly mail could tell this person.

    A department that owns no title and was never asked anything has nothing of its own but the public list.
    """
    return viewer.has(*OWN_ROLES, *REGION_ROLES, "admin") or bool(owned_kinds(viewer)) or is_asked(viewer)


def owned_kinds(viewer: Viewer) -> list[str]:
    """The titles the viewer's departments own, in the order of the ladder."""
    return [kind for kind in KINDS if kind in viewer.owned]


def _asked(viewer: Viewer, on: date) -> tuple[tuple[str, int, str, str], ...]:
    """What firms ask for and somebody has to move on; what is due of it stands among the deadlines as well."""
    if viewer.roles == {"unit"}:
        n = request_lists.counts(request_lists.Filter(), viewer, on=on, closed=False)
        rows = [("交办给你部门、没有回复的诉求", n["doing"] + n["overdue"], "件", "/requests")]
    elif viewer.has("case_manager", "bureau"):
        own = viewer.has("case_manager") and not viewer.has("bureau")
        n = request_lists.counts(
            request_lists.Filter(mine=viewer.user_id if own else None), viewer, on=on, closed=False
        )
        rows = [
            ("诉求等交办", n["raised"], "件", "/requests?view=raised"),
            ("诉求已回复，等办结", n["answered"], "件", "/requests?view=answered"),
        ]
    else:
        rows = []
    return tuple(row for row in rows if row[1])


def _held(viewer: Viewer, kinds: Sequence[str]) -> tuple[tuple[str, int, str, str], ...]:
    """How many hold each title a department owns; each number opens its list."""
    lines = []
    for kind in kinds:
        held = select(func.count()).select_from(Standing).where(getattr(Standing, kind).in_(HELD_STATES))
        number = db.session.scalar(visible(held, viewer)) or 0
        lines.append((f"持有{KINDS[kind].short}", number, "家", f"/enterprises?state={kind}:"))
    return tuple(lines)


def _endings(viewer: Viewer, kinds: Sequence[str], on: date) -> tuple[Ending, ...]:
    """The titles a department owns that are 临近到期, with the day they end."""
    found: list[Ending] = []
    for kind in kinds:
        query = (
            select(Standing.enterprise_id, Enterprise.name, func.max(Qualification.valid_to))
            .select_from(Standing)
            .join(Enterprise, Enterprise.id == Standing.enterprise_id)
            .join(Qualification, Qualification.enterprise_id == Standing.enterprise_id)
            .where(
                getattr(Standing, kind) == "expiring",
                Qualification.kind == kind,
                Qualification.superseded_at.is_(None),
                Qualification.ended_on.is_(None),
                Qualification.valid_to >= on,
            )
            .group_by(Standing.enterprise_id, Enterprise.name)
        )
        path = f"/enterprises?state={kind}:expiring"
        rows = db.session.execute(visible(query, viewer))
        found += [Ending(i, name, KINDS[kind].short, ends_on, path) for i, name, ends_on in rows]
    return tuple(found)


def _touches(kinds: Sequence[str]) -> ColumnElement[bool]:
    """A change of a title of these kinds: a department is told of nothing else an import changed."""
    own = select(Qualification.id).where(Qualification.kind.in_(kinds))
    return and_(Change.noun == "qualification", Change.record_id.in_(own))


def _chores(viewer: Viewer, on: date, at: datetime, known: Holidays) -> tuple[tuple[str, int, str, str], ...]:
    """What only an administrator can put right, as far as the administrator's own regions go; nothing is left out."""
    states = desk.messages_by_state(viewer)

    def number(model: type[Any], condition: ColumnElement[bool]) -> int:
        return db.session.scalar(visible(select(func.count()).select_from(model).where(condition), viewer)) or 0

    rows = [
        ("邮件不确定是否送达", states.get("uncertain", 0), "封", "/jobs?state=uncertain"),
        ("邮件没有发出", states.get("failed", 0), "封", "/jobs?state=failed"),
        (f"{FAILED_DAYS} 天内失败的后台任务", number(Job, lately_failed(at)), "个", "/jobs?job=failed"),
        ("没有服务专员的企业", number(Standing, Standing.manager_id.is_(None)), "家", "/enterprises?view=unassigned"),
        ("要收周邮件却没有信箱的用户", number(User, is_unreachable()), "人", "/users?show=unreachable"),
        (f"{ENDING_DAYS} 天内授权到期的用户", number(User, has_grant_ending(on)), "人", "/users?show=ending"),
    ]
    if on.month >= HOLIDAY_MONTH and not known.is_known(on.year + 1):
        rows.append((f"{on.year + 1} 年的放假安排没有录入", 1, "项", "/dictionaries/holidays"))
    return tuple(row for row in rows if row[1])


def _stand_ins(viewer: Viewer, on: date, at: datetime, *, live: bool, known: Holidays) -> tuple[StandIn, ...]:
    """The colleagues this person stands in for that day, with what they would be told within a month."""
    found = []
    names = dict(db.session.execute(select(User.id, User.name).where(User.id.in_(viewer.stands_in_for))).all())
    for user_id, away in sorted(away_today(viewer.stands_in_for, on).items()):
        where = [Standing.manager_id == user_id]
        dues = _dues(viewer, at, live=live, where=where, days=MONTH, promised_by=user_id)
        silent = sum(_silent_by_manager(viewer, on, known, where).values())
        found.append(StandIn(user_id, names.get(user_id, ""), away.until, dues.rows, sum(dues.counts.values()), silent))
    return tuple(found)


def _late_of(viewer: Viewer, at: datetime, *, live: bool) -> tuple[LateOf, ...]:
    """What is late at the enterprises of the people this person supervises, as far as the supervisor's sight goes."""
    people = people_of(viewer.user_id) if viewer.user_id is not None else {}
    if not people:
        return ()
    dues = _dues(viewer, at, live=live, where=[Standing.manager_id.in_(people)], days=0, promised_by=None)
    found: dict[int, LateOf] = {}
    for (overdue, kind, due_at, manager_id), number in dues.counts.items():
        if not overdue or manager_id not in people:
            continue
        so_far = found.get(manager_id, LateOf(manager_id, people[manager_id], 0, kind, due_at))
        oldest_kind, oldest = min((so_far.due_at, so_far.kind), (due_at, kind))[::-1]
        found[manager_id] = LateOf(manager_id, so_far.name, so_far.count + number, oldest_kind, oldest)
    return tuple(found.values())


def _own(viewer: Viewer) -> ColumnElement[bool]:
    """The enterprises a person answers for, among those the person sees."""
    conditions: list[ColumnElement[bool]] = []
    for grant in viewer.grants:
        if grant.role == "case_manager":
            conditions.append(Standing.manager_id == viewer.user_id)
        elif grant.role == "township":
            conditions.append(Standing.township_id.in_(grant.region_ids))
        elif grant.role == "park" and grant.park_id:
            conditions.append(Standing.park_id == grant.park_id)
        elif grant.role == "park" and grant.carrier_id:
            conditions.append(Standing.carrier_id == grant.carrier_id)
    return or_(false(), *conditions)


@dataclass(frozen=True)
class _Dues:
    """What is due within the horizon: how many by (overdue, kind, deadline, manager), and the rows that are listed."""

    counts: Counter[tuple[bool, str, datetime, int | None]]
    rows: tuple[Due, ...]

    def unlisted(self, *, only_overdue: bool = False) -> dict[tuple[bool, str, datetime], int]:
        """How many there are beside the rows, by (overdue, kind, deadline)."""
        rest: Counter[tuple[bool, str, datetime]] = Counter()
        for (overdue, kind, due_at, _), number in self.counts.items():
            rest[(overdue, kind, due_at)] += number
        rest.subtract(Counter((row.overdue, row.kind, row.due_at) for row in self.rows))
        return {key: number for key, number in rest.items() if number > 0 and (key[0] or not only_overdue)}


_VIEWER: Any = object()


def _dues(
    viewer: Viewer,
    at: datetime,
    *,
    live: bool,
    where: Sequence[ColumnElement[bool]],
    days: int = LAST_HORIZON,
    promised_by: Any = _VIEWER,
) -> _Dues:
    until = _end_of(at, days)
    if promised_by is _VIEWER:
        # What somebody promised at a colleague's enterprise is owed by whoever promised.
        promised_by = viewer.user_id if where else None
    if live:
        rows = due.stored(viewer, until=until, where=where, promised_by=promised_by, each=MOST_OVERDUE)
        counts = due.counted(viewer, until=until, where=where, promised_by=promised_by)
    else:
        rows = due.computed(viewer, at=at, until=until, where=where, promised_by=promised_by)
        counts = Counter((row.state == "overdue", row.kind, row.due_at, row.manager_id) for row in rows)
    listed = tuple(
        Due(
            enterprise_id=row.enterprise_id,
            name=row.name,
            kind=row.kind,
            period=row.period,
            opens_on=row.opens_on,
            due_at=row.due_at,
            overdue=row.state == "overdue",
            reason=row.reason,
            expected=row.expected,
            manager_id=row.manager_id,
            may_settle=may_settle(viewer, row, kind=row.kind, owner_id=row.owner_id),
        )
        for row in rows
    )
    return _Dues(counts, listed)


def _end_of(at: datetime, days: int) -> datetime:
    """The end of the day that many days from a moment, on the county's clocks."""
    zone = ZoneInfo(current_app.config["TZ_NAME"])
    return datetime.combine(at.astimezone(zone).date() + timedelta(days=days + 1), time(0), zone)


def _silent(
    viewer: Viewer, on: date, known: Holidays, where: Sequence[ColumnElement[bool]]
) -> tuple[tuple[Silent, ...], int]:
    """Those not heard of for longest among who is silent too long, and how many never were on record at all."""
    query = (
        select(Standing.enterprise_id, Enterprise.name, Standing.manager_id, Standing.last_contact_on)
        .join(Enterprise, Enterprise.id == Standing.enterprise_id)
        .where(limits(on, known).is_silent(), *where)
        .order_by(Standing.last_contact_on, Standing.name_sort)
        .limit(MOST_SILENT)
    )
    found = tuple(
        Silent(enterprise_id, name, known.workdays_between(last_on, on), last_on, manager_id)
        for enterprise_id, name, manager_id, last_on in db.session.execute(visible(query, viewer))
    )
    never = select(func.count()).select_from(Standing).where(never_contacted(), *where)
    return found, db.session.scalar(visible(never, viewer)) or 0


def _silent_by_manager(
    viewer: Viewer, on: date, known: Holidays, where: Sequence[ColumnElement[bool]]
) -> dict[int | None, int]:
    """How many are silent too long, by whose they are."""
    query = select(Standing.manager_id, func.count()).where(limits(on, known).is_silent(), *where)
    return dict(db.session.execute(visible(query.group_by(Standing.manager_id), viewer)).all())


def _told_until(viewer: Viewer, on: date, at: datetime, known: Holidays) -> datetime:
    """Up to when this person has been told: the moment of the last digest, else when the last one would have gone.

    Weeks are not alike: after a holiday the mail comes on a Wednesday, and a week may have none at all.
    """
    last = (
        select(func.max(Message.queued_at))
        .where(Message.kind == KIND, Message.user_id == viewer.user_id, Message.period != week_of(on))
        .where(Message.queued_at < at, Message.queued_at >= at - timedelta(weeks=MOST_WEEKS_BACK))
    )
    told = db.session.scalar(last)
    if told is not None:
        return told
    for weeks in range(1, MOST_WEEKS_BACK + 1):
        first = known.first_workday_of_iso_week(on - timedelta(weeks=weeks))
        if first is not None:
            return datetime.combine(first, time(0), at.tzinfo)
    return at - timedelta(weeks=MOST_WEEKS_BACK)


def _imported(viewer: Viewer, on: date, at: datetime, known: Holidays, where: Sequence[ColumnElement[bool]]) -> Imports:
    """What imports changed since the last digest and nobody took back, newest first, a line per firm and import."""
    since = _told_until(viewer, on, at, known)
    found = recent.imported(viewer, since=since, until=at, where=where, shown=MOST_IMPORTED)
    lines = []
    for one in found.lines:
        day = words.local(one.recorded_at).date()
        source = f"{one.file_name}（{words.day(day, on)} 导入）"
        nouns = tuple(words.NOUNS.get(noun, noun) for noun in one.nouns)
        lines.append(Imported(one.enterprise_id, one.name, source, day, nouns))
    return Imports(tuple(lines), found.firms, found.count, found.over)


def _managers(dues: _Dues, quiet: dict[int | None, int], at: datetime) -> tuple[ManagerCount, ...]:
    """How much lies with whom; those with the most that is late come first."""
    month = _end_of(at, 30)
    late: dict[int | None, int] = defaultdict(int)
    soon: dict[int | None, int] = defaultdict(int)
    for (overdue, _, due_at, manager_id), number in dues.counts.items():
        if overdue:
            late[manager_id] += number
        elif due_at <= month:
            soon[manager_id] += number
    ids = set(late) | set(soon) | set(quiet)
    names = dict(db.session.execute(select(User.id, User.name).where(User.id.in_(ids - {None}))).all()) if ids else {}
    nobody = "没有负责人的企业"
    lines = [ManagerCount(i, names.get(i, nobody), late[i], soon[i], quiet.get(i, 0)) for i in ids]
    return tuple(sorted(lines, key=lambda line: (-line.overdue, -line.soon, -line.silent, line.name)))


def _counts(viewer: Viewer, dues: _Dues) -> tuple[tuple[str, int, str, str], ...]:
    """A leader's numbers: each rung and what is late; each opens its list."""
    rungs = dict(db.session.execute(visible(select(Standing.rung, func.count()).group_by(Standing.rung), viewer)).all())
    lines = [
        (f"最高梯次为{RUNGS[rung]}", rungs.get(rung, 0), "家", f"/enterprises?rung={rung}") for rung in range(4, 0, -1)
    ]
    lines.append(("逾期事项", sum(number for key, number in dues.counts.items() if key[0]), "项", "/due?state=overdue"))
    return tuple(lines)
