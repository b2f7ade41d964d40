"""A window of the demo county that closes this Friday at 12:00: twelve firms have handed in, three wait for the county.

Everything in it is invented. One of the three lacks its audit report, so that there is something to send back.
"""

import io
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm.actions.application_steps import decide_step, template_of
from crm.cli.demo_applications import WITH_THE_CITY
from crm.cli.demo_shapes import COUNTY, DemoEnterprise, World
from crm.domain import reviews
from crm.domain.changes import Create, Ref
from crm.domain.kinds import HNTE, KINDS
from crm.domain.stages import START, Template, cycle_day
from crm.rules.materials import load_checklists
from crm.rules.review_points import load_review_points
from crm.sheets.documents import CENTRE, Paper, TableColumn, document_bytes
from crm.sheets.writing import write_list
from crm.store import file_store

BATCH = "补充批"
HANDED_IN, WAITING, NOT_YET = 12, 3, 2
_LACKING = "audit"
_WINDOW = ("window", COUNTY, BATCH)


def friday(on: date) -> date:
    """The Friday on which the window closes: the next one, so that it is open whatever the hour."""
    return on + timedelta(days=(4 - on.weekday()) % 7 or 7)


def opened_on(on: date) -> date:
    """The day on which the window opened; its year is that of the applications, in January too."""
    return on - timedelta(days=40)


def window_changes(on: date, tz: ZoneInfo) -> list[Create]:
    """The window itself."""
    closes = friday(on)
    enterprises = datetime.combine(closes - timedelta(days=1), time(18), tz)
    row = {
        "region_id": Ref(("region", COUNTY)),
        "kind": HNTE,
        "year": opened_on(on).year,
        "batch": BATCH,
        "opens_on": opened_on(on),
        "enterprise_due_at": enterprises.astimezone(UTC),
        "county_due_at": datetime.combine(closes, time(12), tz).astimezone(UTC),
        "closes_on": closes,
        "status": "announced",
        "source": "演示数据（虚构）",
    }
    return [Create("window", row, _WINDOW)]


def applicants(world: World) -> list[DemoEnterprise]:
    """The firms that go for the title in this window, in a fixed order; none that is with the city already."""

    def of(recipe: str) -> list[DemoEnterprise]:
        found = (one for one in world.enterprises if (one.region, one.recipe) == (COUNTY, recipe))
        return sorted(found, key=lambda one: one.key)

    return [*of("pool_key"), *of("cq_and_sme")[:-WITH_THE_CITY], *of("cq")][: HANDED_IN + NOT_YET]


def application_changes(
    world: World, who: str, reviewer: Any, tz: ZoneInfo
) -> Iterator[tuple[date, str, tuple[Create, ...]]]:
    """(day, action, changes) of each firm: its application with its steps, what it handed in, the county's look."""
    on = world.on
    opens = opened_on(on)
    template = template_of(HNTE, opens.year, None)
    checklist = load_checklists().of(HNTE, cycle_day(opens.year, opens))
    points = load_review_points().of(HNTE, on)
    assert checklist is not None, "the checklist of the title is there"
    assert points is not None, "the points of the title are there"
    required = [item.code for item in checklist.items if item.required]
    for number, one in enumerate(applicants(world)):
        key = ("application", one.key, BATCH)
        received = on - timedelta(days=max(0, HANDED_IN - number))
        part = "recommended" if number < HANDED_IN - WAITING else "waiting" if number < HANDED_IN else "online"
        stages = ["coaching", "online", "handed_in", "county_review", "recommended"]
        passed = stages[: {"online": 2, "waiting": 3, "recommended": 5}[part]]
        changes = _application(template, key, one, passed, on, received, who)
        if part != "online":
            lacking = part == "waiting" and number == HANDED_IN - 1
            changes += [
                Create(
                    "application_material",
                    {
                        "application_id": Ref(key),
                        "enterprise_id": Ref(one.key),
                        "item": item,
                        "state": "present",
                        "dated_on": max(received - timedelta(days=12), date(received.year, 1, 2)),
                    },
                )
                for item in required
                if not (lacking and item == _LACKING)
            ]
            changes.append(_review(key, one, part, received, points, who, reviewer, tz))
        yield received, "add_application", tuple(changes)


def _application(
    template: Template, key: Any, one: DemoEnterprise, passed: list[str], on: date, received: date, who: str
) -> list[Create]:
    steps: list[Create] = []
    source: str | None = None
    values: dict[str, Any] = {}
    for place, stage in enumerate(passed):
        day = min(received, on) - timedelta(days=max(0, 2 - place) * 9)
        values, told = decide_step(
            template,
            Ref(key),
            Ref(one.key),
            source,
            stage,
            kind=START if source is None else "forward",
            happened_on=day,
            reason=None,
            due_on=None,
            who=who,
        )
        steps.append(Create(told.noun, told.values))
        source = stage
    row = {"enterprise_id": Ref(one.key), "kind": HNTE, "year": opened_on(on).year, "window_id": Ref(_WINDOW), **values}
    return [Create("application", {k: v for k, v in row.items() if v is not None}, key), *steps]


def _review(
    key: Any, one: DemoEnterprise, part: str, received: date, points: Any, who: str, reviewer: Any, tz: ZoneInfo
) -> Create:
    at = datetime.combine(received, time(9, 20 + sum(map(ord, one.key)) % 40), tz).astimezone(UTC)
    row: dict[str, Any] = {"application_id": Ref(key), "enterprise_id": Ref(one.key), "received_at": at}
    if part == "recommended":
        answers = {p.code: {"answer": reviews.NOT_APPLICABLE if p.optional else reviews.YES} for p in points.points}
        row |= {
            "reviewed_on": received,
            "reviewer_id": reviewer,
            "reviewer_name": who,
            "checklist": answers,
            "result": reviews.RECOMMENDED,
            "opinion": reviews.opinion_draft(reviews.RECOMMENDED, KINDS[HNTE].name, points.points, answers),
        }
    return Create("application_review", row)


# --- what went up last year ------------------------------------------------------------------------------------------

_SUBMISSION = ("submission", COUNTY, "last")
_CAME_OF_IT = {"hnte_renewed": "passed", "giant": "passed", "hnte_lapsed": "failed"}


def _sent(world: World) -> list[DemoEnterprise]:
    found = [one for one in world.enterprises if one.region == COUNTY and one.recipe in _CAME_OF_IT]
    return sorted(found, key=lambda one: one.key)


def kept_files(world: World, region_id: int, tz: ZoneInfo) -> dict[Hashable, int]:
    """The list that went up last year, as Word and as Excel, put into the store: {key: id of the file}."""
    title = f"巫溪县{world.on.year - 1}年第三批高新技术企业申报推荐名单"
    rows = [[n, one.fields["name"], one.fields.get("credit_code") or ""] for n, one in enumerate(_sent(world), 1)]
    day = datetime.combine(date(world.on.year - 1, 9, 12), time(9, 30), tz)
    columns = [
        TableColumn("序号", 14, CENTRE),
        TableColumn("企业名称", 80),
        TableColumn("统一社会信用代码", 50, CENTRE),
    ]
    word = document_bytes(
        Paper(
            title=title,
            columns=columns,
            rows=[[str(cell) for cell in row] for row in rows],
            before=[f"经区县初审，推荐以下{len(rows)}家企业。名单为演示数据，均为虚构。"],
            signature=["巫溪县科技局（演示）", f"{day.year}年{day.month}月{day.day}日"],
        )
    )
    excel = io.BytesIO()
    heads = [("序号", "count"), ("企业名称", "text"), ("统一社会信用代码", "code")]
    write_list(excel, title=title, columns=heads, rows=rows, watermark="演示数据，均为虚构", printed=True)
    found: dict[Hashable, int] = {}
    for ending, content in (("docx", word), ("xlsx", excel.getvalue())):
        stored = file_store.record(
            file_store.keep(content),
            name=f"{title}.{ending}",
            purpose="submission",
            at=day.astimezone(UTC),
            region_id=region_id,
        )
        found["stored_file", COUNTY, ending] = stored.id
    return found


def submission_changes(world: World, later: Callable[..., Any]) -> Iterator[tuple[date, str, tuple[Any, ...]]]:
    """What went up last year with its files, and what the city answered: (day, action, changes)."""
    year, firms = world.on.year - 1, _sent(world)
    went, answered = date(year, 9, 12), date(year, 12, 15)
    head = {
        "region_id": Ref(("region", COUNTY)),
        "kind": HNTE,
        "year": year,
        "batch": "第三批",
        "submitted_on": went,
        "signed_by": "廖衡",
        "receipt": "演示回执 12 号",
    }
    files = [
        Create(
            "submission_file",
            {
                "submission_id": Ref(_SUBMISSION),
                "stored_file_id": Ref(("stored_file", COUNTY, ending)),
                "title": f"推荐名单（{word}）",
            },
        )
        for ending, word in (("docx", "Word"), ("xlsx", "Excel"))
    ]
    lines = [
        Create(
            "submission_application",
            {
                "submission_id": Ref(_SUBMISSION),
                "application_id": Ref(("application", one.key, HNTE, year)),
                "enterprise_id": Ref(one.key),
                "position": position,
                "name": one.fields["name"],
                "credit_code": one.fields.get("credit_code"),
            },
            ("submission_application", one.key),
        )
        for position, one in enumerate(firms, 1)
    ]
    yield went, "record_submission", (Create("submission", head, _SUBMISSION), *files, *lines)
    results = []
    for one in firms:
        came = {"result": _CAME_OF_IT[one.recipe], "result_on": answered}
        if came["result"] == "failed":
            came["result_reason"] = "研发费用归集不全，未通过。"
        results.append(later("submission_application", ("submission_application", one.key), came))
    yield answered, "record_submission_results", tuple(results)
