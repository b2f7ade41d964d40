"""Applications of the demo county: who prepares for next year's windows, who waits for the city, what came of the rest.

Everything in them is invented. Plain values in, the changes of the actions' own decisions out: (day, action, changes).
"""

from collections.abc import Callable, Hashable, Iterator, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from crm.actions.application_steps import decide_step, term
from crm.cli.demo_shapes import COUNTY, DemoEnterprise, World
from crm.domain.changes import Create, Ref
from crm.domain.kinds import HNTE, SRDI
from crm.domain.stages import CORRECTION, ENDS, FORWARD, RETURN, START, cycle_day
from crm.domain.workdays import Holidays
from crm.rules.calendars import holidays
from crm.rules.stages import load_stages

Change = Any
Deed = tuple[date, str, tuple[Change, ...]]
# The third batch of a year is with the city from here on; before it nothing of that year waits there.
_CITY_FROM = (9, 25)
# How many firms of one recipe are with the city this year.
WITH_THE_CITY = 6


@dataclass(frozen=True)
class Move:
    """One step of a story: where to, when, of which kind, why; and by when it ought to be over."""

    to: str
    on: date
    kind: str = FORWARD
    reason: str | None = None
    due_on: date | None = None


@dataclass(frozen=True)
class Story:
    """One application from its first step on. ``materials``: how many of the required ones are there."""

    one: DemoEnterprise
    kind: str
    year: int
    batch: str
    moves: tuple[Move, ...]
    materials: int = 0
    note: str | None = None
    objection: str | None = None


def application_deeds(
    world: World, who: Callable[[str], str], windows: Set[Hashable], later: Callable[..., Change]
) -> Iterator[tuple[DemoEnterprise, Deed]]:
    """Every deed of every story. ``who`` names the bureau's hand of a county, ``later`` makes an update by key."""
    for story in _stories(world):
        yield from ((story.one, deed) for deed in _deeds(story, world.on, who, windows, later))


def _deeds(
    story: Story, on: date, who: Callable[[str], str], windows: Set[Hashable], later: Callable[..., Change]
) -> Iterator[Deed]:
    key = ("application", story.one.key, story.kind, story.year)
    owner, name = Ref(story.one.key), who(story.one.region)
    template = load_stages().of(story.kind, cycle_day(story.year))
    assert template is not None, "every kind has a template"
    known: Holidays = holidays()
    window = ("window", story.kind, story.year, story.batch)
    source: str | None = None
    for n, move in enumerate(story.moves):
        kind = START if n == 0 else move.kind
        due_on = move.due_on or term(template.by_code.get(move.to), move.on, known)
        values, told = decide_step(
            template,
            Ref(key),
            owner,
            source,
            move.to,
            kind=kind,
            happened_on=move.on,
            reason=move.reason,
            due_on=due_on,
            who=name,
        )
        step = Create("application_step", told.values)
        if n == 0:
            stated = {"enterprise_id": owner, "kind": story.kind, "year": story.year, "note": story.note, **values}
            if window in windows:
                stated["window_id"] = Ref(window)
            row = {field: value for field, value in stated.items() if value is not None}
            yield move.on, "add_application", (Create("application", row, key), step)
        else:
            action = "correct_application_step" if kind == CORRECTION else "step_application"
            yield move.on, action, (later("application", key, values), step)
        source = source if move.to in ENDS else move.to
    yield from _materials(story, key, owner, on)
    if story.objection:
        raised = story.moves[-1].on
        text = {"raised_on": raised, "raised_by": "来信", "text": story.objection}
        yield (
            raised,
            "raise_objection",
            (Create("application_objection", {"application_id": Ref(key), "enterprise_id": owner, **text}),),
        )


_IN_ORDER = (
    "licence",
    "ip",
    "audit",
    "tax_returns",
    "rd_projects",
    "rd_management",
    "transfer",
    "application_form",
    "staff",
    "product",
    "special_audit",
)


def _materials(story: Story, key: Hashable, owner: Ref, on: date) -> Iterator[Deed]:
    first = story.moves[0].on
    day = min(first + timedelta(days=9), on)
    here = {"application_id": Ref(key), "enterprise_id": owner}
    for n, item in enumerate(_IN_ORDER[: story.materials]):
        row: dict[str, Any] = {**here, "item": item, "state": "present", "dated_on": day - timedelta(days=6)}
        if item == "licence":
            # Whose licence runs out is told a month before.
            row["expires_on"] = on + timedelta(days=18 + 500 * (sum(map(ord, story.one.key)) % 3))
        if item == "transfer" and n % 2 == 0:
            row = {**here, "item": item, "state": "waived", "waived_reason": "成果转化由控股母公司统一申报"}
        yield day, "record_material", (Create("application_material", row),)


def _stories(world: World) -> Iterator[Story]:
    on = world.on
    here = [one for one in world.enterprises if one.region == COUNTY]

    def of(*recipes: str) -> list[DemoEnterprise]:
        return sorted((one for one in here if one.recipe in recipes), key=lambda one: one.key)

    for one in world.enterprises:
        yield from _settled(one, on)
    for one in of("hnte_expiring"):
        yield from _once(one, on.year - 2, 11)
    yield from _preparing([*of("hnte_expiring"), *of("pool_decided"), *of("pool_long")[-7:]], on)
    yield from _with_the_city(of("cq_and_sme")[-WITH_THE_CITY:], on)
    for n, one in enumerate(of("innovative_valid")[:2]):
        moves = (Move("reserve", on - timedelta(days=40 + n * 25)),)
        yield Story(one, SRDI, on.year + 1, "", moves, note="研发占比够，主导产品占比待核。")


def _settled(one: DemoEnterprise, on: date) -> Iterator[Story]:
    """Who is renewing has an application in hand; who was renewed had one that passed."""
    last = on.year - 1
    if one.recipe == "hnte_renewing" and any("valid_to" not in title.fields for title in one.titles):
        moves = (
            Move("recommended", on - timedelta(days=60)),
            Move("city_review", on - timedelta(days=40)),
            Move("publicity", on - timedelta(days=1)),
        )
        yield Story(one, HNTE, on.year, "第三批", moves, note="首批公示名单在列，等备案公告。")
    if one.recipe in ("hnte_renewed", "giant"):
        yield from _once(one, last, 11)
    if one.recipe == "hnte_lapsed":
        moves = (
            Move("online", date(last, 8, 20)),
            Move("handed_in", date(last, 8, 30)),
            Move("county_review", date(last, 9, 3)),
            Move("recommended", date(last, 9, 10)),
            Move("city_review", date(last, 9, 22)),
            Move("failed", date(last, 11, 20), "failed", "研发费用归集不全，未通过。"),
        )
        yield Story(one, HNTE, last, "第三批", moves)


def _once(one: DemoEnterprise, year: int, materials: int) -> Iterator[Story]:
    """One that went the whole way in a year."""
    ended = date(year, 12, 15)
    moves = (
        Move("online", date(year, 8, 10)),
        Move("handed_in", date(year, 8, 28)),
        Move("county_review", date(year, 9, 2)),
        Move("recommended", date(year, 9, 8)),
        Move("city_review", date(year, 9, 20)),
        Move("publicity", date(year, 11, 12)),
        Move("announced", ended),
        Move("passed", ended + timedelta(days=2), "passed"),
    )
    yield Story(one, HNTE, year, "第三批", moves, materials)


def _preparing(firms: list[DemoEnterprise], on: date) -> Iterator[Story]:
    """Next year's windows: some only noted, some being coached with part of the materials there."""
    for n, one in enumerate(firms):
        began = on - timedelta(days=20 + 17 * (n % 5))
        moves = [Move("reserve", began)]
        if n % 3:
            moves.append(Move("coaching", began + timedelta(days=9), reason="企业确定申报，约好每月对一次材料"))
        note = "证书明年到期，须重新认定。" if one.recipe == "hnte_expiring" else None
        batch = ("第一批", "第二批")[n % 2]
        yield Story(one, HNTE, on.year + 1, batch, tuple(moves), materials=(0, 4, 6)[n % 3], note=note)


def _with_the_city(firms: list[DemoEnterprise], on: date) -> Iterator[Story]:
    """This year's third batch: reviewed, publicised, one met by an objection, one sent back, one given up."""
    if (on.month, on.day) < _CITY_FROM:
        return
    handed = (
        Move("online", date(on.year, 8, 12)),
        Move("handed_in", date(on.year, 8, 27)),
        Move("county_review", date(on.year, 9, 1)),
        Move("recommended", date(on.year, 9, 9)),
        Move("city_review", date(on.year, 9, 21)),
    )
    public = Move("publicity", on - timedelta(days=6))
    back = "专项审计报告未附注册会计师证书复印件"
    # What the city sends back has a term of its own, here one that is nearly over.
    returned = Move("returned", on - timedelta(days=4), RETURN, back, on + timedelta(days=3))
    objected = Move("objection", on - timedelta(days=2), FORWARD, "收到一封来信，转核查")
    given_up = Move("withdrawn", on - timedelta(days=15), "withdraw", "主动撤回，明年补齐Ⅰ类知识产权再报")
    ends = ((), (), (public,), (public, objected), (returned,), (given_up,))
    for one, more in zip(firms, ends, strict=False):
        said = "反映参评专利的发明人不是企业职工，要求核查。" if objected in more else None
        yield Story(one, HNTE, on.year, "第三批", (*handed, *more), materials=11 if more else 10, objection=said)
