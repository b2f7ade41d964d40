"""The queue of a window: which one, how long is left, counts that open exactly that many rows, what is opened."""

from datetime import date, timedelta
from typing import Any

from flask import render_template, request, url_for

from crm.actions.reviews import material_states, may_review, missing_materials, points_of
from crm.actions.rights import may_edit
from crm.domain import materials, reviews, words
from crm.domain.kinds import KINDS
from crm.domain.refusals import NotFound
from crm.store import review_lists
from crm.store.review_lists import PAGE, QueueRow, QueueWindow, days_waiting
from crm.store.scope import visible_enterprise
from crm.store.settings import office_name
from crm.web import reference
from crm.web.doors import now, open_to, today, viewer
from crm.web.editing import last_writers
from crm.web.inputs import local_input
from crm.web.reviews import ROLES, asked, blueprint
from crm.web.reviews.forms import ReceiveForm, ReviewForm, review_form

# The parts in the order in which they are walked through, 应交 first.
PARTS = ("due", "received", "waiting", "returned", "recommended", "not_recommended", "missing")
# A day to mend by is proposed this many days ahead.
MEND_DAYS = 5
WORDS = {"ANSWERS": reviews.ANSWERS, "BUCKETS": reviews.BUCKETS | {asked.LOOSE: "没选窗口"}, "RESULTS": reviews.RESULTS}


@blueprint.get("/reviews")
@open_to(*ROLES)
def index():
    wanted = asked.read(request.args)
    if not request.headers.get("HX-Request"):
        return page(wanted)
    place, _, window = chosen(wanted)
    if wanted.open:
        return render_template("reviews/_side.html", asked=wanted, window=window, **WORDS, **panel(wanted, window))
    return render_template("reviews/_side.html", asked=wanted, window=window, row=None, **WORDS, **aside(window, place))


def chosen(wanted: asked.Asked) -> tuple[reference.Place | None, list[QueueWindow], QueueWindow | None]:
    """The county, its windows and the one that is looked at. Raises NotFound for one that is not this viewer's."""
    places = counties()
    place = next((p for p in places if p.id == wanted.region), None) if wanted.region else next(iter(places), None)
    if place is None:
        if wanted.region:
            raise NotFound("这个区县")
        return None, [], None
    windows = review_lists.windows_of(place.id, viewer())
    if wanted.window is None:
        return place, windows, review_lists.usual_window(windows, now())
    window = next((one for one in windows if wanted.window in one.ids), None)
    if window is None:
        raise NotFound("这个申报窗口")
    return place, windows, window


def counties() -> list[reference.Place]:
    """The counties whose queue this viewer opens."""
    return [place for place in reference.counties(viewer()) if viewer().has_in(place.id, *ROLES)]


def page(wanted: asked.Asked, **forms: Any) -> str:
    """The whole page; ``forms`` are forms that came back with errors."""
    person = viewer()
    place, windows, window = chosen(wanted)
    if place is None or window is None:
        return render_template("reviews/index.html", asked=wanted, window=None, windows=windows, row=None, rows=[])
    counts = review_lists.counts(window, place.id, person)
    loose = review_lists.without_window(window, place.id, person)
    if wanted.shown == asked.LOOSE:
        found, total = review_lists.loose(window, place.id, person, number=wanted.number), loose
    else:
        found = review_lists.page(wanted.shown, window, place.id, person, number=wanted.number)
        total = counts[wanted.shown]
    side = panel(wanted, window, **forms) if wanted.open else {"row": None, **aside(window, place)}
    return render_template(
        "reviews/index.html",
        asked=wanted,
        place=place,
        places=counties(),
        windows=offered(windows, window),
        window=window,
        counts=counts,
        parts=[(part, reviews.BUCKETS[part], counts[part]) for part in PARTS]
        + ([(asked.LOOSE, "没选窗口", loose)] if loose or wanted.shown == asked.LOOSE else []),
        rows=found,
        waited={row.id: days_waiting(row, window, today()) for row in found},
        late={row.id: is_late(row, window) for row in found},
        buckets={row.id: row.bucket(window) for row in found},
        complete=completeness(found),
        townships={r.id: r.name for r in reference.townships(person)},
        total=total,
        first=(wanted.number - 1) * PAGE + 1 if found else 0,
        pages=max(1, -(-total // PAGE)),
        page_href=lambda number: f"{url_for('reviews.index')}{wanted.query(page=number)}",
        left=reviews.time_left(window.county_due_at, now()) if window.county_due_at else "",
        window_words=window_words,
        may_decide=person.has_in(place.id, "bureau", "admin"),
        **WORDS,
        **side,
    )


def offered(windows: list[QueueWindow], window: QueueWindow) -> list[QueueWindow]:
    """The windows to choose from: those with applications, and those of this year and the next."""
    year = today().year
    return [one for one in windows if one.applications or one.id == window.id or one.year >= year]


def is_late(row: QueueRow, window: QueueWindow) -> str | None:
    """What is to be marked of the moment of receipt: after the county's deadline, or after the enterprises'."""
    at = row.review.received_at if row.review is not None else None
    if at is None:
        return None
    if row.review is not None and row.review.late_reason:
        return "截止后收"
    return "晚于企业截止" if reviews.is_late(at, window.enterprise_due_at) else None


def completeness(rows: list[QueueRow]) -> dict[int, materials.Completeness]:
    """How complete the materials of each row are."""
    states = material_states([row.application for row in rows], today())
    return {application_id: materials.completeness(own) for application_id, own in states.items()}


def aside(window: QueueWindow | None, place: reference.Place | None) -> dict[str, Any]:
    """What stands beside the list while nothing is open: what went up."""
    if window is None or place is None:
        return {"sent": []}
    return {"sent": review_lists.submissions(viewer(), window_ids=window.ids, size=5)}


def panel(wanted: asked.Asked, window: QueueWindow | None, **forms: Any) -> dict[str, Any]:
    """What the side panel of the opened application needs. Raises NotFound for a foreign or missing one."""
    row = review_lists.one(wanted.open or 0, viewer())
    if row is None or window is None or row.application.window_id not in window.ids:
        raise NotFound("这件申报")
    enterprise, standing = visible_enterprise(row.application.enterprise_id, viewer())
    review = row.review
    points = points_of(row.application.kind, review, today())
    lacking = missing_materials(row.application, today())
    form = forms.get("review_form") or filled(review_form(points.points)(formdata=None), row, window)
    looks = reviews.folded({name: form.typed(name) or None for name in form.edited})
    missing = reviews.missing_sentences(points.points, looks, lacking)
    decided = review is not None and review.result is not None
    title = KINDS[row.application.kind].name
    return {
        "row": row,
        "enterprise": enterprise,
        "review": review,
        "earlier": review_lists.reviews_of(row.id)[1:],
        "points": points,
        "groups": _grouped(points.points),
        "lacking": list(lacking.values()),
        "form": form,
        "receive_form": forms.get("receive_form") or received(),
        "open_points": len(reviews.unanswered(points.points, looks)),
        "failed_points": len(reviews.failing(points.points, looks)),
        "missing": missing,
        "draft": reviews.opinion_draft(
            reviews.RETURNED if missing else reviews.RECOMMENDED, title, points.points, looks, missing
        ),
        "notice": notice(row, window, review, title) if decided and review.missing else None,
        "may": may_review(viewer(), standing),
        "may_receive": may_edit(viewer(), standing),
        "checking": row.bucket(window) == reviews.WAITING
        and review is not None
        and not decided
        and bool(review.received_at),
        "receivable": _receivable(row, window),
        "past_due": window.county_due_at is not None and now() > window.county_due_at,
        "late_mark": is_late(row, window),
        "decided_by": review_lists.decided_by(review.id) if decided and review is not None else None,
        "back": f"/reviews{wanted.same(open=row.id)}",
        "conflicts": _clashes(form, review) if form.conflict and review is not None else [],
    }


def _clashes(form: ReviewForm, review: Any) -> list[dict[str, str]]:
    """The clashing points; whoever answered last stands beside theirs."""
    writers = last_writers("application_review", review.id)
    answers = writers.get("checklist", "")
    return form.clashes({name: writers.get(name, answers) for name in form.edited})


def _receivable(row: QueueRow, window: QueueWindow) -> bool:
    """Whether 收件 is the next thing to do: it is not here yet, or it is here and nobody said since when."""
    review, part = row.review, row.bucket(window)
    if part in (reviews.MISSING, reviews.RETURNED):
        return row.application.outcome is None
    return part == reviews.WAITING and (review is None or review.result is not None or review.received_at is None)


def _grouped(points: Any) -> list[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for point in points:
        groups.setdefault(point.group, []).append(point)
    return list(groups.items())


def filled(form: ReviewForm, row: QueueRow, window: QueueWindow) -> ReviewForm:
    """The form as the stored review stands, with a day to mend by proposed."""
    review = row.review
    stored = reviews.flat(review.checklist, review.opinion) if review is not None else {}
    form.fill(stored, review.version if review is not None else 0)
    form.put("mend_by", _proposed_day(window).isoformat())
    return form


def _proposed_day(window: QueueWindow) -> date:
    """A day to mend by: some days ahead, and while the county's deadline is to come no later than it."""
    usual = today() + timedelta(days=MEND_DAYS)
    due = words.local(window.county_due_at).date() if window.county_due_at is not None else usual
    return min(usual, due) if due >= today() else usual


def received() -> ReceiveForm:
    """The form of 收件 with this moment in it."""
    form = ReceiveForm(formdata=None)
    form.received_at.data = local_input(now())
    return form


def notice(row: QueueRow, window: QueueWindow, review: Any, title: str) -> str:
    """The 一次性告知 as it was told."""
    return reviews.notice_text(
        firm=row.name,
        title=title,
        window=f"{window.year} 年{window.batch}",
        missing=[str(one) for one in review.missing or []],
        mend_by=review.mend_by or today(),
        office=office_name(_region_of(row)),
        on=review.notified_on or review.reviewed_on or today(),
    )


def _region_of(row: QueueRow) -> int | None:
    _, standing = visible_enterprise(row.application.enterprise_id, viewer())
    return standing.region_id


def window_words(window: QueueWindow) -> str:
    """高企 2026 年第三批."""
    return f"{words.word(window.kind, 'title_short')} {window.year} 年{window.batch}"
