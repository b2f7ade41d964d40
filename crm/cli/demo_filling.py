"""Enters an invented world through the decisions of the actions, as a bureau would have over four years.

What happened in one month by one hand is one change set, so the history reads like a real one and the writer is called
a few hundred times and not ten thousand times.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm.actions import enterprises, figures, places, qualifications, service_logs
from crm.actions.enterprises import POINTING
from crm.cli import (
    demo_applications,
    demo_assigned,
    demo_collections,
    demo_plans,
    demo_pool,
    demo_reviews,
    demo_views,
)
from crm.cli.demo_confirmations import confirmation_events
from crm.cli.demo_events import (
    APPLICATIONS,
    BELONGINGS,
    BUREAU,
    ENDS,
    ENTRIES,
    FIGURES,
    IP,
    LOGS,
    OUTCOMES,
    PEOPLE,
    PLACES,
    POOL,
    REVIEWS,
    SUPERVISION,
    TITLES,
    Event,
    IdText,
    Later,
)
from crm.cli.demo_file import file_events
from crm.cli.demo_requests import comment_events, request_events, tell_of_them, unanswered
from crm.cli.demo_shapes import COUNTY, SECOND, DemoAffiliation, DemoEnterprise, DemoLog, World
from crm.cli.demo_titles import DemoTitle
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update
from crm.domain.names import normalise_name
from crm.domain.viewers import Viewer, the_machine
from crm.extensions import Base, db
from crm.store import projections
from crm.store.dictionaries import DictionaryEntry
from crm.store.enterprises import FORMER_NAME
from crm.store.regions import Region
from crm.store.users import Credential
from crm.store.windows import Window
from crm.store.writer import write

CITY = "500000"
MACHINE = ""
# Who enters what nobody in particular entered and the bureau does not: the admin of each county.
ADMIN = {COUNTY: "tianyan", SECOND: "siqi"}
# Whose people the case managers are, and the leader whose the office is.
SUPERVISORS = {
    **dict.fromkeys(("xianghe", "chenshu", "ranqing", "luosheng", "lizhou"), BUREAU[COUNTY]),
    BUREAU[COUNTY]: "liaoheng",
}
OFFICES = {COUNTY: "巫溪县科技局（演示）", SECOND: "云台区科技局（虚构）"}


@dataclass(frozen=True)
class Filled:
    """What was entered."""

    enterprises: int
    records: int
    change_sets: int


def fill(world: World, *, password_hash: str, now: datetime, tz: ZoneInfo) -> Filled:
    """Enter the world inside the open unit of work and compute the projections of its day."""
    places.load_places(act=Act(the_machine("演示"), "demo", now, world.on))
    ids: dict[Hashable, int] = {("region", code): i for code, i in db.session.execute(select(Region.code, Region.id))}
    ids |= _place_ids()
    windows = select(Window.kind, Window.year, Window.batch, Window.id).where(~Window.deleted)
    ids |= {("window", kind, year, batch): i for kind, year, batch, i in db.session.execute(windows)}
    ids |= demo_reviews.kept_files(world, ids["region", COUNTY], tz)
    names = {user.login: user.name for user in world.users}
    records = sets = 0
    recorded_at = datetime.min.replace(tzinfo=UTC)
    events = sorted(_all_events(world, ids.keys(), names, tz), key=lambda event: (*event.batch, event.on))
    for _, group in groupby(events, key=lambda event: event.batch):
        batch = list(group)
        first, day = batch[0], max(event.on for event in batch)
        at = datetime.combine(day, time(17, 30), tz).astimezone(UTC)
        recorded_at = min(max(recorded_at, at), now)
        changes = [_resolved(change, ids) for event in batch for change in event.changes]
        viewer = the_machine("演示") if first.who == MACHINE else Viewer(ids[("user", first.who)], names[first.who])
        act = Act(viewer, "demo", recorded_at, day, reason=first.reason)
        written = write(changes, act=act, action=first.action, region_id=ids[("region", first.region)])
        ids.update(written.ids)
        records += written.record_count
        sets += 1
    for user in world.users:
        db.session.add(Credential(user_id=ids[("user", user.login)], password_hash=password_hash, changed_at=now))
    tell_of_them(ids, world, now)
    db.session.flush()
    count = projections.refresh(projections.all_ids(), at=now)
    return Filled(count, records, sets)


def _resolved(change: Create | Later, ids: Mapping[Hashable, int]) -> Create | Update:
    """The change with the ids of what earlier writes made; references inside the same write stay."""

    def known(value: Any) -> Any:
        if isinstance(value, Ref) and value.key in ids:
            return ids[value.key]
        if isinstance(value, list):
            return [known(one) for one in value]
        return str(ids[value.key]) if isinstance(value, IdText) else value

    values = {name: known(value) for name, value in change.values.items()}
    if isinstance(change, Later):
        return Update(change.noun, ids[change.key], values)
    return replace(change, values=values)


def _all_events(world: World, windows: Set[Hashable], names: Mapping[str, str], tz: ZoneInfo) -> Iterator[Event]:
    began = date(world.on.year - 4, 1, 4)
    yield from _place_events(world, began)
    yield from _people_events(world, began)
    by_key = {one.key: one for one in world.enterprises}
    for one in world.enterprises:
        yield from _enterprise_events(one, world.on, began)
    yield from demo_collections.events(world)
    yield from demo_views.events(world)
    yield from demo_pool.events(world)
    yield from _application_events(world, {user.login: user.name for user in world.users}, windows)
    yield from demo_plans.events(world)
    waiting = unanswered(world)
    for number, log in enumerate(world.logs):
        yield from _log_events(number, log, world, by_key)
        yield from request_events(number, log, world, waits=number in waiting)
    yield from demo_assigned.events(world)
    yield from comment_events(world)
    yield from file_events(world)
    yield from confirmation_events(world)
    yield from _review_events(world, names, tz)


# --- places and people -----------------------------------------------------------------------------------------------


def _place_events(world: World, began: date) -> Iterator[Event]:
    """The invented district, which the reference data does not know, and words and settings for both counties."""
    known = set(db.session.scalars(select(Region.code)))
    source = "演示数据（虚构）"
    new = [region for region in world.regions if region.code not in known]
    regions = [
        Create(
            "region",
            {
                "code": r.code,
                "name": r.name,
                "level": r.level,
                "parent_id": Ref(("region", r.parent)),
                "source": source,
            },
            ("region", r.code),
        )
        for r in new
    ]
    # Regions come in a write of their own: everything else of the month names them by id.
    yield Event(began - timedelta(days=31), PLACES, MACHINE, CITY, "demo_places", tuple(regions))
    changes: list[Create] = []
    for place in world.places:
        if place.region != SECOND:
            continue
        values: dict[str, Any] = {"region_id": Ref(("region", SECOND)), "name": place.name, "source": source}
        values |= {"aliases": list(place.aliases)}
        if place.noun == "unit":
            values["owns_kinds"] = list(place.owns)
        if place.noun == "carrier":
            values["kind"] = place.kind
        changes.append(Create(place.noun, values, (place.noun, SECOND, place.name)))
    for entry in db.session.scalars(select(DictionaryEntry).where(~DictionaryEntry.deleted)):
        values = {name: getattr(entry, name) for name in ("dictionary", "code", "label", "aliases", "position")}
        # What is named after the first county goes by its plain name in the second.
        values["label"] = values["label"].replace("巫溪", "")
        values["aliases"] = [name for name in values["aliases"] or [] if "巫溪" not in name]
        changes.append(Create("dictionary_entry", {**values, "region_id": Ref(("region", SECOND)), "source": source}))
    yield Event(began, PLACES, MACHINE, SECOND, "demo_places", tuple(changes))
    # Every page of the city and of what lies under it says that the data is invented.
    notice = Create("setting", {"region_id": Ref(("region", CITY)), "key": "demo_notice", "value": True})
    yield Event(began, PLACES, MACHINE, CITY, "change_settings", (notice,))
    for code, name in OFFICES.items():
        office = Create("setting", {"region_id": Ref(("region", code)), "key": "office_name", "value": name})
        yield Event(began, BELONGINGS, ADMIN[code], code, "change_settings", (office,))


def _people_events(world: World, began: date) -> Iterator[Event]:
    for user in world.users:
        values = {
            "login": user.login,
            "name": user.name,
            "email": user.email,
            "region_id": Ref(("region", user.region)),
            "active": True,
            "wants_digest": True,
        }
        changes = [Create("user", values, ("user", user.login))]
        for grant in user.grants:
            row: dict[str, Any] = {
                "user_id": Ref(("user", user.login)),
                "role": grant.role,
                "region_id": Ref(("region", grant.region)),
                "valid_from": grant.valid_from,
                "valid_to": grant.valid_to,
            }
            for noun in ("unit", "park", "carrier"):
                name = getattr(grant, noun)
                if name is not None:
                    row[f"{noun}_id"] = Ref((noun, user.region, name))
            changes.append(Create("grant", row))
        first = max(began, min((g.valid_from for g in user.grants if g.valid_from), default=began))
        yield Event(first, PEOPLE, MACHINE, user.region, "add_user", tuple(changes))
        if not user.active:
            left = max(g.valid_to for g in user.grants if g.valid_to)
            gone = Later("user", ("user", user.login), {"active": False})
            yield Event(left, PEOPLE, ADMIN[user.region], user.region, "edit_user", (gone,))
    for login, supervisor in SUPERVISORS.items():
        over = Later("user", ("user", login), {"supervisor_id": Ref(("user", supervisor))})
        named_on = world.on - timedelta(days=150)
        yield Event(named_on, SUPERVISION, ADMIN[COUNTY], COUNTY, "edit_user", (over,))
    away = {"user_id": Ref(("user", "lizhou")), "deputy_id": Ref(("user", "luosheng")), "reason": "市里培训"}
    days = {"starts_on": world.on - timedelta(days=1), "ends_on": world.on + timedelta(days=8)}
    absence = Create("absence", {**away, **days}, "absence")
    yield Event(world.on - timedelta(days=1), SUPERVISION, "lizhou", COUNTY, "record_absence", (absence,))


def _place_ids() -> dict[Hashable, int]:
    """Ids of the places that the reference data brought, by noun, code of the region and name."""
    found: dict[Hashable, int] = {}
    for noun in ("unit", "park", "carrier"):
        table = Base.metadata.tables[noun]
        query = select(table.c.id, Region.code, table.c.name).join(Region, Region.id == table.c.region_id)
        found |= {(noun, code, name): place_id for place_id, code, name in db.session.execute(query)}
    return found


# --- enterprises -----------------------------------------------------------------------------------------------------


def _enterprise_events(one: DemoEnterprise, on: date, began: date) -> Iterator[Event]:
    entry = min(max(one.fields["registered_on"], began), on)
    owner, bureau = Ref(one.key), BUREAU[one.region]

    def by_manager(day: date) -> str:
        manager = one.value_on("manager", day)
        return manager if isinstance(manager, str) else bureau

    def event(day: date, phase: int, who: str, action: str, *changes: Create | Later) -> Event:
        return Event(min(max(day, entry), on), phase, who, one.region, action, changes)

    values = {**one.fields, "code_reason": one.code_reason}
    stated = {code: value for code, value in values.items() if value is not None}
    entered = enterprises.decide(None, stated, region_id=Ref(("region", one.region)), on=entry, key=one.key)
    first = [one_of for one_of in one.affiliations if one_of.starts_on <= entry]
    entered += [_belonging(one, n, a) for n, a in enumerate(one.affiliations) if a in first]
    yield event(entry, ENTRIES, bureau, "create_enterprise", *[c for c in entered if isinstance(c, Create)])
    for name, until in one.former_names:
        values = {"enterprise_id": owner, "kind": FORMER_NAME, "value": name, "value_key": normalise_name(name)}
        former = Create("enterprise_alias", {**values, "until_on": until})
        yield event(until + timedelta(days=9), BELONGINGS, by_manager(until), "edit_enterprise", former)
    for n, affiliation in enumerate(one.affiliations):
        action = "hand_over" if affiliation.kind == "manager" else "edit_enterprise"
        if affiliation not in first:
            began_later = _belonging(one, n, affiliation)
            yield event(affiliation.starts_on, BELONGINGS, bureau, action, began_later)
        if affiliation.ends_on is not None:
            ends = Later("affiliation", _belonging_key(one, n), {"ends_on": affiliation.ends_on})
            yield event(affiliation.ends_on + timedelta(days=1), BELONGINGS, bureau, action, ends)
    for year, row in one.figures.items():
        day = min(date(year + 1, 3, 12), on - timedelta(days=12))
        decided = figures.decide(None, owner, year, row, key=("figures", one.key, year))
        yield event(day, FIGURES, by_manager(day), "record_figures", *[c for c in decided if isinstance(c, Create)])
    for row in one.ip:
        day = row["granted_on"] + timedelta(days=21)
        found = Create("intellectual_property", {**row, "enterprise_id": owner})
        yield event(day, IP, by_manager(day), "record_ip", found)
    for n, title in enumerate(one.titles):
        yield from _title_events(one, n, title, event, on)
    for n, row in enumerate(one.pool):
        yield from _pool_events(one, n, row, event)
    yield from _report_events(one, event, by_manager, on, began)


def _belonging_key(one: DemoEnterprise, number: int) -> Hashable:
    return ("affiliation", one.key, number)


def _belonging(one: DemoEnterprise, number: int, affiliation: DemoAffiliation) -> Create:
    kind, value = affiliation.kind, affiliation.value
    ref: Any = None
    if kind.startswith("township"):
        ref = Ref(("region", value))
    elif kind == "manager":
        ref = Ref(("user", value))
    elif kind in POINTING:
        ref = Ref((kind, one.region, value))
    row = {
        "enterprise_id": Ref(one.key),
        "kind": kind,
        "ref_id": ref,
        "value": None if ref is not None else {True: "yes", False: "no"}.get(value, value),
        "starts_on": affiliation.starts_on,
    }
    return Create("affiliation", row, _belonging_key(one, number))


# Enters what an enterprise's day brought: day, phase, login (None: the bureau), action, changes.
Enter = Callable[..., Event]


def _title_events(one: DemoEnterprise, number: int, title: DemoTitle, event: Enter, on: date) -> Iterator[Event]:
    """A title is recorded days after its announcement; that it was cancelled is entered when it became known."""
    fields, bureau = dict(title.fields), BUREAU[one.region]
    ending = {name: fields.pop(name) for name in ("ended_on", "end_reason") if name in fields}
    known_on = ending["ended_on"] + timedelta(days=6) if ending else on
    together = bool(ending) and known_on <= title.recorded_on
    recorded = event(title.recorded_on, TITLES, bureau, "record_qualification")
    at = datetime.combine(recorded.on, time(10, 0), UTC)
    row = {**fields, **ending} if together else fields
    key = ("qualification", one.key, number)
    (create,) = qualifications.decide_new(Ref(one.key), row, recorded_at=at)
    yield replace(recorded, changes=(replace(create, key=key),))
    if ending and not together:
        later = Later("qualification", key, ending)
        yield event(known_on, ENDS, bureau, "end_qualification", later)


# What is entered about a pool membership when it is proposed, decided, entered and left.
_POOL_STEPS = (
    ("proposed_on", ("year", "pool_class", "proposed_on", "planned_year", "planned_batch")),
    ("decided_on", ("decided_on", "meeting", "document")),
    ("entered_on", ("entered_on",)),
    ("left_on", ("left_on", "leave_reason")),
)


def _pool_events(one: DemoEnterprise, number: int, row: Mapping[str, Any], event: Enter) -> Iterator[Event]:
    key, bureau = ("pool_membership", one.key, number), BUREAU[one.region]
    made: Event | None = None
    for day_field, names in _POOL_STEPS:
        if day_field not in row:
            continue
        values = {name: row[name] for name in names if name in row}
        stage = event(row[day_field] + timedelta(days=2), POOL, bureau, "propose_to_pool")
        if made is not None and stage.batch[:2] != made.batch[:2]:
            yield made
            made = None
            yield replace(stage, phase=POOL, action="decide_pool", changes=(Later("pool_membership", key, values),))
            continue
        if made is None and day_field == "proposed_on":
            made = replace(stage, changes=(Create("pool_membership", {**values, "enterprise_id": Ref(one.key)}, key),))
        elif made is not None:
            create = made.changes[0]
            made = replace(made, changes=(replace(create, values={**create.values, **values}),))
        else:
            yield replace(stage, action="decide_pool", changes=(Later("pool_membership", key, values),))
    if made is not None:
        yield made


def _application_events(world: World, names: Mapping[str, str], windows: Set[Hashable]) -> Iterator[Event]:
    def who(region: str) -> str:
        return names[BUREAU[region]]

    for one, (day, action, changes) in demo_applications.application_deeds(world, who, windows, Later):
        entry = one.fields["registered_on"]
        yield Event(min(max(day, entry), world.on), APPLICATIONS, BUREAU[one.region], one.region, action, changes)


def _report_events(
    one: DemoEnterprise, event: Enter, by_manager: Callable[[date], str], on: date, began: date
) -> Iterator[Event]:
    """The yearly reports of a 高企: most filed in May, some certainly missed, some nobody said anything about."""
    lot = sum(map(ord, one.key)) % 4
    for title in one.titles:
        start, last = title.fields.get("valid_from"), title.fields.get("valid_to")
        if title.fields["kind"] != "hnte" or start is None or last is None:
            continue
        last = min(last, title.fields.get("ended_on") or last)
        for year in range(max(start.year, began.year), last.year + 1):
            due = date(year, 5, 31)
            newest = due.replace(year=year + 1) > on
            if not start <= due <= last or due >= on or (newest and lot == 0):
                continue
            missed = newest and lot == 1
            day = due + timedelta(days=6) if missed else due - timedelta(days=lot * 3 + 1)
            values = {"enterprise_id": Ref(one.key), "kind": "hnte_annual_report", "period": str(year - 1)}
            values |= {"outcome": "missed" if missed else "done", "on": day}
            action = "miss_obligation" if missed else "settle_obligation"
            yield event(day, OUTCOMES, by_manager(day), action, Create("obligation_outcome", values))


def _review_events(world: World, names: Mapping[str, str], tz: ZoneInfo) -> Iterator[Event]:
    """A window that closes this Friday, and what was handed in for it."""
    bureau = BUREAU[COUNTY]
    opened = world.on - timedelta(days=41)
    yield Event(opened, BELONGINGS, bureau, COUNTY, "add_window", tuple(demo_reviews.window_changes(world.on, tz)))
    reviewer = Ref(("user", bureau))
    for day, action, changes in demo_reviews.application_changes(world, names[bureau], reviewer, tz):
        yield Event(day, REVIEWS, bureau, COUNTY, action, changes)
    for day, action, changes in demo_reviews.submission_changes(world, Later):
        yield Event(day, REVIEWS, bureau, COUNTY, action, changes)


# --- service logs ----------------------------------------------------------------------------------------------------


def _log_events(number: int, log: DemoLog, world: World, by_key: Mapping[str, DemoEnterprise]) -> Iterator[Event]:
    """A visit is entered by whoever made it; that its next step is settled is entered on the day it was."""
    day = min(log.fields["happened_on"], world.on)
    key = ("service_log", number)
    changes = service_logs.decide(
        log.fields,
        [Ref(one) for one in log.enterprises],
        region_id=Ref(("region", log.region)),
        author_id=Ref(("user", log.author)),
        key=key,
    )
    yield Event(day, LOGS, log.author, log.region, "log_service", tuple(changes))
    if log.done_on is None or "next_step" not in log.fields:
        return
    outcomes = tuple(
        Create(
            "obligation_outcome",
            {
                "enterprise_id": Ref(one),
                "kind": "next_step",
                "period": IdText(key),
                "outcome": "done",
                "on": log.done_on,
            },
        )
        for one in log.enterprises
    )
    yield Event(max(day, min(log.done_on, world.on)), OUTCOMES, log.author, log.region, "settle_obligation", outcomes)
