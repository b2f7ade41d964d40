"""A window of the county with firms that go for its title: the material of the tests of the review."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from crm.actions import reviews as deeds
from crm.actions.applications import add_application
from crm.actions.windows import add_window
from crm.domain import reviews
from crm.domain.acts import Act
from crm.domain.changes import Create
from crm.extensions import db
from crm.rules.materials import load_checklists
from crm.store import review_lists
from crm.store.applications import Application, ApplicationReview
from crm.store.regions import Region
from crm.store.review_lists import QueueWindow
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import Written, write
from tests.builders import TODAY, act, county, make_enterprise

# The Friday of the tests' week, 12:00 in the county; the enterprises' own deadline is the evening before.
COUNTY_DUE = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
ENTERPRISE_DUE = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


def make_window(region: Region | None = None, **values: Any) -> int:
    """A 高企 window that closes this Friday at 12:00. Returns its id."""
    fields = {
        "kind": "hnte",
        "year": 2026,
        "batch": "补充批",
        "opens_on": date(2026, 10, 12),
        "enterprise_due_at": ENTERPRISE_DUE,
        "county_due_at": COUNTY_DUE,
        "closes_on": date(2026, 11, 27),
        "status": "announced",
        "source": "测试通知",
    }
    with unit_of_work():
        return add_window((region or county()).id, fields | values, act=act()).ids["window"]


def make_application(window_id: int, enterprise_id: int | None = None, *, stage: str = "online", **firm: Any) -> int:
    """An application in a window that has come as far as a stage before the county. Returns its id."""
    enterprise_id = enterprise_id or make_enterprise(**firm)
    with unit_of_work():
        written = add_application(
            enterprise_id,
            kind="hnte",
            window_id=window_id,
            stage=stage,
            stage_on=date(2026, 11, 2),
            act=act(),
        )
    return int(written.ids["application"])


def bring_materials(application_id: int, *, without: tuple[str, ...] = ()) -> None:
    """Everything the checklist requires is there, but for what is left out."""
    row = db.session.get(Application, application_id)
    asked = load_checklists().of(row.kind, TODAY)
    creates = [
        Create(
            "application_material",
            {
                "application_id": row.id,
                "enterprise_id": row.enterprise_id,
                "item": item.code,
                "state": "present",
                "dated_on": date(2026, 11, 1),
            },
        )
        for item in asked.items
        if item.required and item.code not in without
    ]
    with unit_of_work():
        write(creates, act=act(), action="test")


def version_of(application_id: int) -> int:
    return db.session.scalar(select(Application.version).where(Application.id == application_id))


def review_of(application_id: int) -> ApplicationReview:
    found = review_lists.latest_review(application_id)
    assert found is not None
    return found


def receive(application_id: int, *, by: Act | None = None, **more: Any) -> Written:
    with unit_of_work():
        return deeds.receive(application_id, act=by or act(), **more)


def answers(value: str = "yes", **own: str | None) -> dict[str, Any]:
    """The form of a checklist with every point answered; ``own`` are answers to single points."""
    points = deeds.points_for("hnte", TODAY).points
    fields: dict[str, Any] = {f"a_{point.code}": value for point in points} | {"opinion": None}
    return fields | {f"a_{code}": answer for code, answer in own.items()}


def decide(application_id: int, result: str, *, by: Act | None = None, fields: dict | None = None, **more: Any):
    """A decision by somebody who has the newest page before them."""
    review = review_of(application_id)
    seen = reviews.flat(review.checklist, review.opinion)
    sent = fields if fields is not None else answers()
    with unit_of_work():
        return deeds.decide(application_id, result, sent, version=review.version, seen=seen, act=by or act(), **more)


def recommend(window_id: int, **firm: Any) -> int:
    """A firm that has handed in everything and is recommended. Returns the id of its application."""
    application_id = make_application(window_id, **firm)
    bring_materials(application_id)
    receive(application_id)
    decide(application_id, reviews.RECOMMENDED)
    return application_id


def queue(window_id: int, viewer: Any, region: Region | None = None) -> QueueWindow:
    found = review_lists.windows_of((region or county()).id, viewer)
    return next(one for one in found if window_id in one.ids)
