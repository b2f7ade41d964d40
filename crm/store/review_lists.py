"""The 初审 queue: windows with their county deadline, and the applications of one as exactly counted lists."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.orm import aliased

from crm.domain import reviews
from crm.domain.clock import end_of_day
from crm.domain.stages import cycle_day
from crm.domain.viewers import Viewer
from crm.domain.words import local
from crm.extensions import db, policy
from crm.store.applications import Application, ApplicationReview
from crm.store.changes import Change
from crm.store.enterprises import Enterprise, EnterpriseAlias
from crm.store.regions import Region
from crm.store.scope import visible
from crm.store.standings import Standing
from crm.store.submissions import Submission, SubmissionApplication
from crm.store.windows import Window

PAGE = 50
# A row of the queue but for the county's last look at it.
_PLAIN = select(Application, Enterprise.name, Enterprise.credit_code, Standing.township_id, Standing.manager_id)

_OUTCOME, _STAGE = Application.outcome, Application.stage_code
_IN_HAND = _OUTCOME.is_(None)
_DUE = or_(_IN_HAND, _OUTCOME != reviews.WITHDRAWN)


def conditions(stages: reviews.Around) -> dict[str, ColumnElement[bool]]:
    """The parts of a queue; each application that was not withdrawn satisfies exactly one of the last five."""
    gone_up = sorted(stages.recommended)
    parts: dict[str, ColumnElement[bool]] = {
        reviews.NOT_RECOMMENDED: _OUTCOME == "not_recommended",
        reviews.RECOMMENDED: or_(_OUTCOME.in_(sorted(reviews.RECOMMENDED_ENDS)), and_(_IN_HAND, _STAGE.in_(gone_up))),
        reviews.RETURNED: and_(_IN_HAND, _STAGE == "returned"),
        reviews.WAITING: and_(_IN_HAND, _STAGE.in_(sorted(stages.waiting))),
    }
    here = [*gone_up, *sorted(stages.waiting), "returned"]
    missing = and_(_IN_HAND, or_(_STAGE.is_(None), _STAGE.not_in(here)))
    return {reviews.DUE: _DUE, reviews.RECEIVED: or_(*parts.values()), **parts, reviews.MISSING: missing}


@dataclass(frozen=True)
class QueueWindow:
    """A window as it counts in a county; ``ids``: its own row and the city's of the same kind, year and batch."""

    id: int
    ids: tuple[int, ...]
    kind: str
    year: int
    batch: str
    enterprise_due_at: datetime | None
    county_due_at: datetime | None
    status: str
    source: str | None
    applications: int
    stages: reviews.Around

    @property
    def known(self) -> bool:
        """Whether its days were announced."""
        return self.status in ("announced", "closed")


@dataclass(frozen=True)
class QueueRow:
    """One application of the queue with its enterprise and the county's last look at it."""

    application: Application
    name: str
    credit_code: str | None
    township_id: int | None
    manager_id: int | None
    review: ApplicationReview | None

    @property
    def id(self) -> int:
        return self.application.id

    def bucket(self, window: QueueWindow) -> str | None:
        """The part of the queue it stands in; None when it was withdrawn."""
        return reviews.bucket(self.application.stage_code, self.application.outcome, window.stages)


def windows_of(region_id: int, viewer: Viewer) -> list[QueueWindow]:
    """The windows that count in a county, the earliest county deadline first, with how many applications each has."""
    chain = _chain(region_id)
    query = visible(select(Window).where(Window.region_id.in_(chain)), viewer).order_by(Window.id)
    groups: dict[tuple[str, int, str], list[Window]] = {}
    for window in db.session.scalars(query):
        groups.setdefault((window.kind, window.year, window.batch), []).append(window)
    counted = _applications_by_window(region_id, viewer)
    found = []
    for rows in groups.values():
        nearest = min(rows, key=lambda row: chain.index(row.region_id))
        county_due = nearest.county_due_at or (end_of_day(nearest.closes_on) if nearest.closes_on else None)
        ids = tuple(row.id for row in rows)
        found.append(
            QueueWindow(
                nearest.id,
                ids,
                nearest.kind,
                nearest.year,
                nearest.batch,
                nearest.enterprise_due_at,
                county_due or nearest.enterprise_due_at,
                nearest.status,
                nearest.source,
                sum(counted[i] for i in ids),
                _stages_of(nearest),
            )
        )
    return sorted(found, key=lambda one: (one.county_due_at is None, one.county_due_at, one.kind, one.batch))


def _stages_of(window: Window) -> reviews.Around:
    """The stages of the window's kind as the queue sees them, by the template of its cycle."""
    template = policy.stages.of(window.kind, cycle_day(window.year, window.opens_on))
    return reviews.around(list(template.by_code) if template is not None else [])


def usual_window(windows: Sequence[QueueWindow], now: datetime) -> QueueWindow | None:
    """The window to begin with: the next county deadline that applications wait for, else the last one that had any."""
    due = [one for one in windows if one.county_due_at is not None]
    coming = [one for one in due if one.county_due_at is not None and one.county_due_at >= now]
    used = [one for one in coming if one.applications]
    past = [one for one in due if one.applications]
    return next(iter(used), None) or (past[-1] if past else next(iter(coming), None))


def _chain(region_id: int) -> list[int]:
    """A region and those above it, the nearest first."""
    found: list[int] = []
    current: int | None = region_id
    while current is not None:
        found.append(current)
        current = db.session.scalar(select(Region.parent_id).where(Region.id == current))
    return found


def _applications_by_window(region_id: int, viewer: Viewer) -> Counter[int]:
    query = select(Application.window_id, func.count()).select_from(Application)
    query = query.join(Standing, Standing.enterprise_id == Application.enterprise_id)
    query = query.where(Standing.region_id == region_id, Application.window_id.is_not(None), _DUE)
    return Counter(dict(db.session.execute(visible(query.group_by(Application.window_id), viewer)).all()))


def counts(window: QueueWindow, region_id: int, viewer: Viewer) -> dict[str, int]:
    """How many applications stand in each part of the queue, in one statement; the parts add up to 应交."""
    parts = conditions(window.stages)
    sums = [func.coalesce(func.sum(case((part, 1), else_=0)), 0) for part in parts.values()]
    found = db.session.execute(visible(_of(select(*sums), window, region_id), viewer)).one()
    return {name: int(n) for name, n in zip(parts, found, strict=True)}


def _of(query: Any, window: QueueWindow, region_id: int) -> Any:
    query = query.select_from(Application).join(Standing, Standing.enterprise_id == Application.enterprise_id)
    query = query.join(Enterprise, Enterprise.id == Application.enterprise_id)
    return query.where(Standing.region_id == region_id, Application.window_id.in_(window.ids))


def _rows(condition: ColumnElement[bool], window: QueueWindow, region_id: int, viewer: Viewer) -> Any:
    latest = (
        select(ApplicationReview.application_id, func.max(ApplicationReview.id).label("id"))
        .where(~ApplicationReview.deleted)
        .group_by(ApplicationReview.application_id)
        .subquery()
    )
    review = aliased(ApplicationReview)
    query = select(
        Application,
        Enterprise.name,
        Enterprise.credit_code,
        Standing.township_id,
        Standing.manager_id,
        review,
    )
    query = visible(_of(query, window, region_id).where(condition), viewer)
    query = query.outerjoin(latest, latest.c.application_id == Application.id)
    query = query.outerjoin(review, review.id == latest.c.id)
    # What has waited longest is first; what nobody received has no moment and comes last.
    return query.order_by(review.received_at.is_(None), review.received_at, Standing.name_sort, Application.id)


def page(
    part: str, window: QueueWindow, region_id: int, viewer: Viewer, *, number: int = 1, size: int = PAGE
) -> list[QueueRow]:
    """One page of a part of the queue."""
    query = _rows(conditions(window.stages)[part], window, region_id, viewer)
    return [QueueRow(*row) for row in db.session.execute(query.limit(size).offset((number - 1) * size))]


def every(part: str, window: QueueWindow, region_id: int, viewer: Viewer) -> list[QueueRow]:
    """All rows of a part, by name: for documents."""
    rows = [
        QueueRow(*row) for row in db.session.execute(_rows(conditions(window.stages)[part], window, region_id, viewer))
    ]
    order = dict(_sorted_ids(row.application.enterprise_id for row in rows))
    return sorted(rows, key=lambda row: (order.get(row.application.enterprise_id, ""), row.id))


def _sorted_ids(enterprise_ids: Iterable[int]) -> list[tuple[int, str]]:
    wanted = sorted(set(enterprise_ids))
    query = select(Standing.enterprise_id, Standing.name_sort).where(Standing.enterprise_id.in_(wanted))
    return [(row[0], row[1]) for row in db.session.execute(query)]


def one(application_id: int, viewer: Viewer) -> QueueRow | None:
    """One application as a row of the queue; None when there is none or it is not this viewer's to see."""
    query = _PLAIN.select_from(Application)
    query = query.join(Standing, Standing.enterprise_id == Application.enterprise_id)
    query = query.join(Enterprise, Enterprise.id == Application.enterprise_id).where(Application.id == application_id)
    row = db.session.execute(visible(query, viewer)).first()
    return None if row is None else QueueRow(*row, latest_review(application_id))


def some(application_ids: Sequence[int], viewer: Viewer) -> dict[int, QueueRow]:
    """Several applications as rows of the queue, by id; those that are not this viewer's are left out."""
    latest = (
        select(func.max(ApplicationReview.id))
        .where(ApplicationReview.application_id.in_(application_ids), ~ApplicationReview.deleted)
        .group_by(ApplicationReview.application_id)
    )
    looks = {
        review.application_id: review
        for review in db.session.scalars(select(ApplicationReview).where(ApplicationReview.id.in_(latest)))
    }
    query = _PLAIN.select_from(Application)
    query = query.join(Standing, Standing.enterprise_id == Application.enterprise_id)
    query = query.join(Enterprise, Enterprise.id == Application.enterprise_id)
    rows = db.session.execute(visible(query.where(Application.id.in_(application_ids)), viewer))
    return {row[0].id: QueueRow(*row, looks.get(row[0].id)) for row in rows}


def latest_review(application_id: int) -> ApplicationReview | None:
    """The county's last look at an application."""
    return next(iter(reviews_of(application_id)), None)


def waits_for_review(application_id: int) -> bool:
    """Whether it was received and nobody has decided yet."""
    review = latest_review(application_id)
    return review is not None and review.received_at is not None and review.result is None


def reviews_of(application_id: int) -> list[ApplicationReview]:
    """Every look at an application, the last one first: after a 退回补正 there are several."""
    query = select(ApplicationReview).where(
        ApplicationReview.application_id == application_id, ~ApplicationReview.deleted
    )
    return list(db.session.scalars(query.order_by(ApplicationReview.id.desc())))


def decided_by(review_id: int) -> int | None:
    """The change set that decided a review, to be taken back; None while nobody has."""
    query = select(Change.change_set_id, Change.fields).where(
        Change.noun == "application_review", Change.record_id == review_id
    )
    for change_set_id, fields in db.session.execute(query.order_by(Change.id.desc()).limit(50)):
        if "result" in fields:
            return int(change_set_id)
    return None


def _loose(query: Any, window: QueueWindow, region_id: int) -> Any:
    """Applications in hand of the window's title and year that nobody gave a window: they stand in no queue."""
    query = query.select_from(Application).join(Standing, Standing.enterprise_id == Application.enterprise_id)
    query = query.join(Enterprise, Enterprise.id == Application.enterprise_id)
    return query.where(
        Standing.region_id == region_id,
        Application.kind == window.kind,
        Application.year == window.year,
        Application.window_id.is_(None),
        _IN_HAND,
    )


def without_window(window: QueueWindow, region_id: int, viewer: Viewer) -> int:
    """How many applications of the same title and year have no window."""
    return db.session.scalar(visible(_loose(select(func.count()), window, region_id), viewer)) or 0


def loose(window: QueueWindow, region_id: int, viewer: Viewer, *, number: int = 1, size: int = PAGE) -> list[QueueRow]:
    """One page of them, by name."""
    query = visible(_loose(_PLAIN, window, region_id), viewer).order_by(Standing.name_sort, Application.id)
    return [QueueRow(*row, None) for row in db.session.execute(query.limit(size).offset((number - 1) * size))]


# --- submissions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SubmissionRow:
    """One submission with how many lines it has and what came back."""

    submission: Submission
    lines: int
    passed: int
    returned: int
    failed: int

    @property
    def open(self) -> int:
        return self.lines - self.passed - self.returned - self.failed


def submissions(
    viewer: Viewer, *, window_ids: Sequence[int] | None = None, number: int = 1, size: int = PAGE
) -> list[SubmissionRow]:
    """Submissions, the last one first; of one window where it is given."""
    line = SubmissionApplication
    live = and_(line.submission_id == Submission.id, ~line.deleted, _not_removed())

    def how_many(condition: Any) -> Any:
        return select(func.count()).select_from(line).where(live, condition).correlate(Submission).scalar_subquery()

    results = [how_many(line.result == name) for name in ("passed", "returned", "failed")]
    query = visible(select(Submission, how_many(true()), *results), viewer)
    if window_ids is not None:
        query = query.where(Submission.window_id.in_(window_ids))
    query = query.order_by(Submission.submitted_on.desc(), Submission.id.desc())
    return [SubmissionRow(*row) for row in db.session.execute(query.limit(size).offset((number - 1) * size))]


def _not_removed() -> ColumnElement[bool]:
    """A line that takes a firm out of the list (撤出) is answered by nobody."""
    change = SubmissionApplication.change
    return or_(change.is_(None), change != "removed")


def submission_count(viewer: Viewer) -> int:
    """How many submissions there are."""
    return db.session.scalar(visible(select(func.count()).select_from(Submission), viewer)) or 0


def sent_before(window_ids: Sequence[int], region_id: int) -> list[SubmissionApplication]:
    """Every line that went up in a window from a region, in the order in which they went."""
    query = (
        select(SubmissionApplication)
        .join(Submission, Submission.id == SubmissionApplication.submission_id)
        .where(
            Submission.window_id.in_(window_ids),
            Submission.region_id == region_id,
            ~Submission.deleted,
            ~SubmissionApplication.deleted,
        )
    )
    return list(db.session.scalars(query.order_by(Submission.id, SubmissionApplication.id)))


def former_names(enterprise_ids: Iterable[int]) -> dict[int, list[str]]:
    """{enterprise: names it had}: the city's list may still call it so."""
    found: dict[int, list[str]] = {}
    query = select(EnterpriseAlias.enterprise_id, EnterpriseAlias.value).where(
        EnterpriseAlias.enterprise_id.in_(sorted(set(enterprise_ids))),
        EnterpriseAlias.kind == "former_name",
        ~EnterpriseAlias.deleted,
    )
    for enterprise_id, value in db.session.execute(query):
        found.setdefault(enterprise_id, []).append(value)
    return found


def days_waiting(row: QueueRow, window: QueueWindow, today: date) -> int | None:
    """Calendar days since it was received, while nobody has decided."""
    review = row.review
    if review is None or review.received_at is None or row.bucket(window) != reviews.WAITING:
        return None
    return max(0, (today - local(review.received_at).date()).days)
