"""The weekly digest of one person: overdue, due in 7, 30, 60 and 90 days, silent, changed by import, in that order.

The same value is printed by mail, by the desk and as plain text; it holds no confidential figure. Paths begin with
"/": a page uses them as they are, a mail puts the public address before them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from crm.domain import words
from crm.domain.cadences import FOLLOWING_KINDS
from crm.domain.digest_material import Due, Ending, Imports, LateOf, ManagerCount, Material, StandIn
from crm.domain.workdays import Holidays

# The kind of its messages in the outbox.
KIND = "digest"
# Days ahead and how many lines a section shows before it says how many more there are.
HORIZONS: tuple[tuple[int, int], ...] = ((7, 20), (30, 10), (60, 5), (90, 5))
LAST_HORIZON = 90
MOST_STAND_IN = 12
MOST_OVERDUE, MOST_SILENT, MOST_IMPORTED, MOST_MANAGERS, MOST_ENDINGS = 20, 8, 8, 30, 20
# From so many enterprises with the same thing due on the same day, one line names them together.
TOGETHER = 3


@dataclass(frozen=True)
class Line:
    """One line: a chip (css late, soon, "" or far), enterprises with their paths, what, and the one verb that acts.

    ``others`` is how many enterprises there are beside those named.
    """

    chip: str
    css: str
    names: tuple[tuple[str, str], ...]
    text: str
    verb: str
    path: str
    others: int = 0


@dataclass(frozen=True)
class Section:
    """Lines under a heading with its count, or ``over`` it; ``more`` is (sentence, path) for what is not shown."""

    code: str
    title: str
    count: int
    measure: str
    lines: tuple[Line, ...]
    more: tuple[str, str] | None = None
    over: bool = False


@dataclass(frozen=True)
class Digest:
    """One person's digest of one day. ``week`` is the period of the outbox, 2026-W48."""

    person: str
    on: date
    week: str
    office: str
    subject: str
    headline: str
    preheader: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    scope: str
    nothing: bool

    @property
    def line_count(self) -> int:
        """How many lines the person will read."""
        return sum(len(section.lines) for section in self.sections)


def week_of(on: date) -> str:
    """The ISO week of a day as the outbox names it: 2026-W48 (the year is that of the week, not of the day)."""
    year, week, _ = on.isocalendar()
    return f"{year}-W{week:02d}"


def enterprise_path(enterprise_id: int) -> str:
    """The file of an enterprise."""
    return f"/enterprises/{enterprise_id}"


def obligation_path(enterprise_id: int, kind: str, period: str) -> str:
    """The due list with this one opened beside it, with its steps and its verbs."""
    return f"/due?open={enterprise_id}:{kind}:{period}"


def compose(
    person: str,
    on: date,
    *,
    now: datetime,
    material: Material,
    office: str,
    holidays: Holidays,
) -> Digest:
    """The digest of a person for a day from what was gathered; the same material always gives the same digest."""
    late = [item for item in material.due if item.overdue]
    ahead = sorted((item for item in material.due if not item.overdue), key=_urgency)
    left = [_days(item, on) for item in ahead]
    rest = _Rest(material.unlisted, on)
    sections: list[Section] = []
    if material.chores:
        sections.append(_numbered("chores", "等你处理", "类", material.chores, "去处理"))
    if material.asked or material.unread:
        unread = (("未读消息", material.unread, "条", "/notices"),) if material.unread else ()
        sections.append(_numbered("asked", "诉求和消息", "类", (*material.asked, *unread), "去看"))
    if material.counts:
        sections.append(_numbered("counts", "本周数字", "项", material.counts, "看名单"))
    if late:
        found = sorted(late, key=_urgency)
        sections.append(_due_section("overdue", "逾期", found, MOST_OVERDUE, now, on, rest.late()))
    earlier = -1
    for days, most in HORIZONS:
        # They are in the order of their deadlines, so a stretch of days is a stretch of the list.
        within = ahead[bisect_right(left, earlier) : bisect_right(left, days)]
        if within:
            # Each section begins where the one before it ended, and says so.
            stretch = f"{days} 天内到期" if earlier < 0 else f"{earlier + 1}～{days} 天到期"
            more = rest.within(earlier, days)
            sections.append(_due_section(f"due_{days}", stretch, within, most, now, on, more))
        earlier = days
    sections += [_stand_in(one, now, on) for one in material.stand_ins]
    if material.late_of:
        sections.append(_late_of(material.late_of, on))
    if material.endings:
        sections.append(_endings(material.endings, on))
    if material.managers:
        sections.append(_managers(material.managers))
    if material.silent:
        sections.append(_silent(material, on))
    if material.imported.lines:
        sections.append(_imported(material.imported, on))
    week_count = bisect_right(left, 7) + rest.within(-1, 7).total()
    month_count = bisect_right(left, 30) + rest.within(-1, 30).total()
    numbers = _numbers(len(late) + rest.late().total(), week_count, month_count, material)
    numbers = "，".join([*([numbers] if numbers else []), *_of_others(material)]) or _no_news(material)
    nothing = not sections
    return Digest(
        person=person,
        on=on,
        week=week_of(on),
        office=office,
        subject=f"本周提醒（{words.week(on)}）：{numbers}",
        headline=f"{person}，{numbers}",
        preheader=_worst(late, ahead, on),
        sections=tuple(sections),
        notes=_notes(on, material, holidays),
        scope=_scope(material),
        nothing=nothing,
    )


@dataclass(frozen=True)
class _Rest:
    """What is due and not listed, by (kind, day)."""

    unlisted: Mapping[tuple[bool, str, datetime], int]
    on: date

    def late(self) -> Counter[tuple[str, date]]:
        return self._of(lambda overdue, days: overdue)

    def within(self, after: int, last: int) -> Counter[tuple[str, date]]:
        """Of the days after so many and up to so many from now."""
        return self._of(lambda overdue, days: not overdue and after < days <= last)

    def _of(self, fits: Callable[[bool, int], bool]) -> Counter[tuple[str, date]]:
        found: Counter[tuple[str, date]] = Counter()
        for (overdue, kind, due_at), number in self.unlisted.items():
            day = _day_of(due_at)
            if fits(overdue, max((day - self.on).days, 0)):
                found[(kind, day)] += number
        return found


def _urgency(item: Due) -> tuple[datetime, str, str, int]:
    return item.due_at, item.kind, item.name, item.enterprise_id


def _last_day(item: Due) -> date:
    return _day_of(item.due_at)


@lru_cache(maxsize=512)
def _day_of(due_at: datetime) -> date:
    """The day a deadline belongs to; midnight ends the day before. A county's thousands share a few deadlines."""
    return (words.local(due_at) - timedelta(seconds=1)).date()


def _days(item: Due, on: date) -> int:
    """Days left; a deadline of today whose state is not yet overdue counts as today."""
    return max((_last_day(item) - on).days, 0)


def _no_news(material: Material) -> str:
    """The headline when no number is worth one; nobody is told that nothing is late of what is not theirs."""
    if not material.has_due:
        return "归口资格没有临近到期的" if material.counts else "没有等着处理的事"
    # A leader's material has what is late and numbers; what is merely coming was left out on purpose.
    return "没有逾期事项" if material.counts and not material.own else "没有逾期和近期到期的事项"


def _numbers(late: int, week: int, month: int, material: Material) -> str:
    said = []
    if late:
        said.append(f"{late:,} 项逾期")
    if week:
        said.append(f"{week:,} 项 7 天内到期")
    elif month:
        said.append(f"{month:,} 项 30 天内到期")
    if material.endings:
        said.append(f"{len(material.endings):,} 家归口资格临近到期")
    if material.chores:
        said.append(f"{len(material.chores)} 类事等你处理")
    if material.asked:
        said.append(f"{sum(number for _, number, _, _ in material.asked):,} 件诉求等你办")
    return "，".join(said)


def _of_others(material: Material) -> list[str]:
    """What the reader answers for beside the own work, with the names of those whose it is."""
    said = [f"代{one.name} {one.count:,} 项" for one in material.stand_ins if one.count]
    late = sum(one.count for one in material.late_of)
    return [*said, *([f"带的人逾期 {late:,} 项"] if late else [])]


def _worst(late: Sequence[Due], ahead: Sequence[Due], on: date) -> str:
    """The one or two items that should be read even if nothing else is."""
    worst = sorted(late, key=_urgency)[:2] or list(ahead)[:1]
    if not worst:
        return ""
    said = []
    for item in worst:
        days = (on - _last_day(item)).days
        what = words.OBLIGATION_KINDS.get(item.kind, item.kind)
        when = f"逾期 {max(days, 1)} 天" if item.overdue else f" {words.day(_last_day(item), on)} 到期"
        said.append(f"{item.name} {what}{when}")
    return f"最急：{'；'.join(said)}。"


def _due_section(
    code: str,
    title: str,
    items: Sequence[Due],
    most: int,
    now: datetime,
    on: date,
    rest: Counter[tuple[str, date]],
) -> Section:
    lines = []
    for group in list(_together(items))[:most]:
        others = rest[(group[0].kind, _last_day(group[0]))] if len(group) > 1 else 0
        lines.append(_due_line(group, others, now, on))
    total = len(items) + rest.total()
    hidden = total - sum(max(len(line.names), 1) + line.others for line in lines)
    more = None
    if hidden:
        exact = _LISTS.get(code)
        more = (f"共 {total:,} 项", f"/due?month={exact}") if exact else (f"另 {hidden:,} 项", "/due?month=later")
    return Section(code, title, total, "项", tuple(lines), more)


# The sections that are a list of the same name; what lies farther is one list there.
_LISTS = {"overdue": "late", "due_7": "week", "due_30": "month"}


def _together(items: Sequence[Due]) -> Iterable[list[Due]]:
    """Groups of the same kind due on the same day, in the order of the first of them; small groups stay apart."""
    groups: dict[tuple[str, date, str], list[Due]] = {}
    for item in items:
        # A next step is a promise with words of its own and never one of many.
        own = f"{item.enterprise_id}:{item.period}" if item.kind == "next_step" else ""
        groups.setdefault((item.kind, _last_day(item), own), []).append(item)
    for group in groups.values():
        if len(group) >= TOGETHER:
            yield group
        else:
            for item in group:
                yield [item]


def _due_line(group: Sequence[Due], others: int, now: datetime, on: date) -> Line:
    first = group[0]
    last_day = _last_day(first)
    what = words.OBLIGATION_KINDS.get(first.kind, first.kind)
    expected = "（预计）" if first.expected else ""
    if first.overdue:
        chip, css = f"逾期 {max((on - last_day).days, 1)} 天", "late"
    else:
        chip = words.deadline(first.due_at, now if words.local(now).date() == on else on).date
        css = "soon" if (last_day - on).days <= 7 else ""
    names = tuple((item.name, enterprise_path(item.enterprise_id)) for item in group)
    if len(group) > 1:
        return Line(
            chip,
            css,
            names,
            f"{what}{expected}，{words.count(len(group) + others, '家')}",
            "逐家办" if all(item.may_settle for item in group) else "看名单",
            f"/due?kind={first.kind}&month={last_day.isoformat()}",
            others,
        )
    # A next step's reason says itself when it was promised and ends with the promise after a colon.
    joint = "，" if first.kind == "next_step" else "："
    text = f"{what}{expected}{joint}{first.reason}" if first.reason else f"{what}{expected}"
    pressing = first.overdue or (last_day - on).days <= 7
    verb = "去办" if first.kind in FOLLOWING_KINDS else "去办结" if pressing and first.may_settle else "打开"
    return Line(chip, css, names, text, verb, obligation_path(first.enterprise_id, first.kind, first.period))


def _silent(material: Material, on: date) -> Section:
    lines = tuple(
        Line(
            words.working_days(item.working_days),
            "",
            ((item.name, enterprise_path(item.enterprise_id)),),
            f"上次联系 {words.day(item.last_on, on)}",
            "记走访",
            f"/visits/new?enterprise={item.enterprise_id}",
        )
        for item in sorted(material.silent, key=lambda item: (-item.working_days, item.name))
    )
    more = None
    if material.silent_count > len(lines):
        mine = "&manager=me" if material.narrowed else ""
        more = (f"共 {material.silent_count:,} 家", f"/enterprises?view=silent{mine}")
    return Section("silent", "久未联系", material.silent_count, "家", lines, more)


def _stand_in(one: StandIn, now: datetime, on: date) -> Section:
    """The lines of somebody who is away, under that person's name."""
    lines = [_due_line(group, 0, now, on) for group in list(_together(sorted(one.due, key=_urgency)))[:MOST_STAND_IN]]
    if one.silent:
        path = f"/enterprises?view=silent&manager={one.user_id}"
        lines.append(Line("", "", (), f"久未联系 {words.count(one.silent, '家')}", "看名单", path))
    until = f"离岗到 {words.day(one.until, on)}" if one.until else "离岗"
    shown = sum(max(len(line.names), 1) for line in lines if line.names)
    more = (f"共 {one.count:,} 项", f"/due?manager={one.user_id}") if one.count > shown else None
    return Section(f"stand_in_{one.user_id}", f"代{one.name}（{until}）", one.count, "项", tuple(lines), more)


def _late_of(people: Sequence[LateOf], on: date) -> Section:
    """One line per person, whoever has something late for longest first; what is not late is that person's business."""
    lines = []
    for one in sorted(people, key=lambda one: (one.due_at, one.name)):
        days = max((on - _day_of(one.due_at)).days, 1)
        text = f"{one.name}：逾期 {one.count:,} 项，最久的是{words.OBLIGATION_KINDS.get(one.kind, one.kind)}"
        path = f"/due?month=late&manager={one.user_id}"
        lines.append(Line(f"逾期 {days} 天", "late", (), text, "看名单", path))
    return Section("late_of", "你带的人逾期", sum(one.count for one in people), "项", tuple(lines))


def _imported(imported: Imports, on: date) -> Section:
    lines = tuple(
        Line(
            words.day(item.on, on),
            "",
            ((item.name, enterprise_path(item.enterprise_id)),),
            f"{'、'.join(item.what)}有变化，来自{item.source}",
            "看变更",
            f"{enterprise_path(item.enterprise_id)}#history",
        )
        for item in imported.lines
    )
    # No list holds exactly these firms; each import stands on the desk.
    rest = imported.count - len(lines)
    more = (f"另 {rest:,} 处{'以上' if imported.over else ''}", "/") if rest or imported.over else None
    return Section("imported", "名单带来的变化", imported.firms, "家", lines, more, imported.over)


def _endings(endings: Sequence[Ending], on: date) -> Section:
    """Public facts only: which firm, which title, until when."""
    found = sorted(endings, key=lambda item: (item.ends_on, item.name))
    lines = tuple(
        Line(
            words.day(item.ends_on, on),
            "soon" if (item.ends_on - on).days <= 30 else "",
            ((item.name, enterprise_path(item.enterprise_id)),),
            f"{item.title}有效期至 {words.day(item.ends_on, on)}",
            "打开",
            enterprise_path(item.enterprise_id),
        )
        for item in found[:MOST_ENDINGS]
    )
    more = (f"另 {len(found) - MOST_ENDINGS:,} 家", found[MOST_ENDINGS].path) if len(found) > MOST_ENDINGS else None
    return Section("endings", "归口资格临近到期", len(found), "家", lines, more)


def _managers(managers: Sequence[ManagerCount]) -> Section:
    lines = tuple(
        Line(
            "",
            "",
            (),
            f"{row.name}：逾期 {row.overdue:,} 项，30 天内到期 {row.soon:,} 项，久未联系 {row.silent:,} 家",
            "看事项",
            f"/due?manager={row.manager_id}" if row.manager_id else "/due?manager=none",
        )
        for row in managers[:MOST_MANAGERS]
    )
    more = (f"另 {len(managers) - MOST_MANAGERS} 人", "/due") if len(managers) > MOST_MANAGERS else None
    return Section("managers", "各人手上", len(managers), "人", lines, more)


def _numbered(code: str, title: str, measure: str, rows: Sequence[tuple[str, int, str, str]], verb: str) -> Section:
    """Numbers, each with the list behind it."""
    lines = tuple(
        Line("", "", (), f"{label} {words.count(number, of)}", verb, path) for label, number, of, path in rows
    )
    return Section(code, title, len(lines), measure, lines)


def _notes(on: date, material: Material, holidays: Holidays) -> tuple[str, ...]:
    notes = []
    if not holidays.is_known(on.year):
        notes.append(f"{on.year} 年的放假安排还没有录入，工作日按周末推算。")
    if material.never_contacted:
        notes.append(f"另有 {material.never_contacted:,} 家还没有任何联系记录，不算在久未联系里。")
    return tuple(notes)


def _scope(material: Material) -> str:
    if material.own:
        return f"只含你负责的 {material.enterprise_count:,} 家企业"
    return f"只含你授权范围内的 {material.enterprise_count:,} 家企业"
