"""The desk and the week's mail as a page."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import render_template

from crm.actions.confirmations import ANSWERS
from crm.actions.digest_material import compose as compose_digest
from crm.actions.digest_material import is_reader
from crm.actions.requests import usual_due_on
from crm.domain import words
from crm.domain.cadences import REQUEST
from crm.domain.kinds import KINDS
from crm.domain.months import month_of, months_on
from crm.domain.requests import DISPATCHED, OVERDUE, RAISED, RATED, RATINGS, REPLIED
from crm.domain.viewers import Viewer
from crm.domain.workdays import Holidays
from crm.mail.compose import digest as digest_mail
from crm.store import confirmation_lists, desk, enterprise_lists, notices, obligation_lists, recent, request_lists
from crm.store.holidays import holidays
from crm.store.obligation_lists import LATE, Filter
from crm.store.silence import Limits, limits
from crm.web import reference
from crm.web.changes.vocabulary import ACTIONS
from crm.web.confirmations.sheet import confirms, sheet_of
from crm.web.desk import acting, blueprint, lines, one_short, people
from crm.web.desk.deeds import DEEDS
from crm.web.desk.queue import Queue, queue_of
from crm.web.desk.waiting import alerts, waiting
from crm.web.doors import SIGNED_IN, now, open_to, today, viewer
from crm.web.obligations.filters import GROUPS
from crm.web.obligations.forms import PostponeForm, SettleForm
from crm.web.obligations.listing import mine_usually, quick_days
from crm.web.requests.forms import units_by_region
from crm.web.service_logs import WRITERS

# acting and one_short are here for their routes.
__all__ = ["acting", "blueprint", "one_short"]


@dataclass(frozen=True)
class Place:
    """Whose desk it is: ``mine`` narrows to the own enterprises, ``unit`` is a department that sees titles only."""

    mine: int | None
    unit: bool
    office: bool
    heading: str


def place_of(person: Viewer) -> Place:
    """What this person's desk is about, by the widest role held."""
    office = person.has("bureau", "leader", "admin")
    unit = person.has("unit") and not office and not person.has("case_manager", "township", "park")
    mine = person.user_id if mine_usually() else None
    if mine is not None:
        heading = "我的企业"
    elif office or unit:
        heading = "本区企业"
    else:
        heading = "本乡镇企业" if person.has("township") else "本园区企业"
    return Place(mine, unit, office, heading)


@blueprint.get("/")
@open_to(SIGNED_IN)
def show():
    person = viewer()
    place = place_of(person)
    known = holidays()
    silence = limits(today(), known)
    counted = desk.counts(person, mine=place.mine, limits=silence)
    if place.unit:
        return _unit_desk(counted)
    if not counted.total:
        return render_template("desk/empty.html", place=place, alerts=alerts(person))
    queue = queue_of(person)
    found, numbers = _todays(person, place, silence, known, queue)
    due = numbers["due"]
    may_settle = person.has("case_manager", "bureau", "admin")
    what = "今天要做的" if may_settle else "今天要留意的"
    head = f"{what}（{words.day_long(today(), today())} {words.weekday(today())}）"
    local = confirms(person)
    theirs = [replace(one, lines=_with_requests(one.lines, person)) for one in people.stand_ins(person, silence, known)]
    return render_template(
        "desk/township.html" if local else "desk/show.html",
        place=place,
        lines=found,
        **numbers,
        **acts_of([*found, *(line for one in theirs for line in one.lines)]),
        counted=counted,
        stand_ins=theirs,
        late_people=people.late_people(person),
        most=max(1, *counted.own),
        most_held=max(1, *counted.held),
        alerts=alerts(person),
        waiting=waiting(person, place.mine, office=place.office, counted=counted, queue=queue),
        text=lines.as_text(found, head=head, counts={GROUPS[group]: n for group, n in due.items()}),
        may_log=person.has(*WRITERS),
        may_settle=may_settle,
        may_comment=person.has("leader"),
        has_digest=is_reader(person),
        settle_form=SettleForm(formdata=None),
        postpone_form=PostponeForm(formdata=None),
        quick_days=quick_days(),
        manager="" if place.mine is None else "me",
        outbox=desk.last_messages(person) if person.has("admin") else [],
        sheet=sheet_of() if local else None,
        ANSWERS=ANSWERS,
    )


def acts_of(found: list[lines.Line]) -> dict[str, Any]:
    """What the small forms of the lines offer: the departments of each county, and the usual day of an answer."""
    regions = sorted({line.asked.region_id for line in found if line.asked is not None})
    return {
        "RATINGS": RATINGS,
        "units_of": units_by_region(regions, today()),
        "usual_due": usual_due_on(regions[0] if regions else None, today()).isoformat() if regions else "",
    }


@blueprint.get("/desk/numbers")
@open_to(SIGNED_IN)
def numbers():
    """The numbers under today's lines as they stand now, for a desk on which something was just settled."""
    person, known = viewer(), holidays()
    place = place_of(person)
    if place.unit:
        return ""
    _, counted = _todays(person, place, limits(today(), known), known, queue_of(person))
    return render_template("desk/_numbers.html", fresh=True, **counted)


def _todays(
    person: Viewer, place: Place, silence: Limits, known: Holidays, queue: Queue
) -> tuple[list[lines.Line], dict[str, Any]]:
    """The lines of today, and the numbers that stand over and under them."""
    wanted = Filter(mine=place.mine)
    counts = obligation_lists.pivot(wanted, person, now=now())
    quiet = desk.longest_silent(person, mine=place.mine, limits=silence, limit=lines.MOST)
    silent = lines.silent_lines(quiet, on=today(), holidays=known)
    raised: list[lines.Line] = []
    if person.has("case_manager", "bureau"):
        own = request_lists.Filter(mine=place.mine)
        first = request_lists.to_move((RAISED,), own, person, on=today(), limit=lines.KEPT_FOR_REQUESTS)
        if len(first) < lines.KEPT_FOR_REQUESTS:
            first += request_lists.to_move((REPLIED, RATED), own, person, on=today(), limit=lines.KEPT_FOR_REQUESTS)
        raised = lines.request_lines(first[: lines.KEPT_FOR_REQUESTS], now=now())
    told: list[lines.Line] = []
    if place.mine is not None and person.has("case_manager"):
        # What was left of the month before is still to be looked into.
        this = month_of(today())
        news = confirmation_lists.told(
            person, this, months_on(this, -1), mine=place.mine, limit=lines.MOST_TOLD, open_only=True
        )
        told = lines.told_lines(news, ANSWERS)
    most = lines.MOST - len(queue.lines) - len(told)
    found = lines.todays(person, wanted, counts, now=now(), silent=silent, internal=True, raised=raised, most=most)
    found = [*queue.lines, *_with_requests(found, person), *told]
    due = _due_counts(counts, wanted)
    # A line that stands for several counts as what it stands for, so that the heading agrees with the foot.
    listed = sum(line.others + 1 for line in found)
    left_out = sum(due.values()) - sum(line.others + 1 for line in found if line.counts_as_due)
    return found, {"due": due, "due_words": GROUPS, "listed": listed, "left_out": left_out}


def _with_requests(found: list[lines.Line], person: Viewer) -> list[lines.Line]:
    """The lines of requests with the request itself, which is answered on the line."""
    ids = {line.row.source_id for line in found if line.row is not None and line.row.kind == REQUEST}
    known = request_lists.by_ids(ids, person)
    return [
        replace(line, asked=known.get(line.row.source_id))
        if line.row is not None and line.row.kind == REQUEST
        else line
        for line in found
    ]


def _unit_desk(counted: desk.Counts):
    """A department's desk leads to the titles and the register it owns, which it may import and keep."""
    person = viewer()
    kinds = [
        (kind, enterprise_lists.count(enterprise_lists.Filter(kind=code), person, today=today()))
        for code, kind in sorted(KINDS.items(), key=lambda item: item[1].rung_class, reverse=True)
        if code in person.owned
    ]
    asked = request_lists.to_move((DISPATCHED, OVERDUE), request_lists.Filter(), person, on=today(), limit=lines.MOST)
    n = request_lists.counts(request_lists.Filter(), person, on=today(), closed=False)
    return render_template(
        "desk/unit.html",
        lines=lines.request_lines(asked, now=now()),
        listed=n["doing"] + n["overdue"],
        settle_form=SettleForm(formdata=None),
        unread=notices.unread_count(person),
        kinds=kinds,
        keeps_ip="intellectual_property" in person.owned,
        counted=counted,
        has_digest=is_reader(person),
    )


def _due_counts(counts: obligation_lists.Pivot, wanted: Filter) -> dict[str, int]:
    groups = counts.by_group(wanted)
    return {group: groups.get(group, 0) for group in (LATE, "week", "month")}


@blueprint.get("/desk/changes")
@open_to(SIGNED_IN)
def changes():
    """What others changed since last week's Monday, fetched after the desk so that it never holds it up."""
    person = viewer()
    place = place_of(person)
    monday = today() - timedelta(days=today().weekday() + 7)
    found = []
    if not place.unit:
        found = recent.changes_since(person, mine=place.mine, since=obligation_lists.midnight(monday))
    return render_template(
        "desk/_changes.html", changes=found, DEEDS=DEEDS, ACTIONS=ACTIONS, place=place, day_of=_day_of
    )


def _day_of(at: datetime) -> str:
    """今天, 昨天, 周四 within the last week, else the date."""
    day = words.local(at).date()
    if (today() - day).days in (0, 1):
        return ("今天", "昨天")[(today() - day).days]
    return words.weekday(day) if (today() - day).days < 7 else words.day(day, today())


@blueprint.get("/desk/week")
@open_to(SIGNED_IN)
def week():
    """The week's mail as it would be written now, and as plain text to be pasted into a chat."""
    person = viewer()
    content = compose_digest(person.user_id or 0, today(), now=now())
    mail = digest_mail(content, user_id=person.user_id or 0)
    people = reference.people([person.user_id])
    return render_template("desk/week.html", digest=content, text=mail.text, subject=mail.subject, people=people)
