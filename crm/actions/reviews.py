"""区县初审: what was handed in is received with its moment, looked at point by point, and decided.

Receiving, looking and deciding move the application along its template in the same act, so that one undo takes back
both. The bureau of the region decides and is named; product.md, Who uses it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crm.actions.application_steps import Moving, moving
from crm.actions.application_walks import walk
from crm.actions.rights import may_edit, require
from crm.domain import reviews, words
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.kinds import KINDS
from crm.domain.materials import ItemState, judge, missing_sentences
from crm.domain.refusals import SAME_FIELD, Conflict, InvalidInput, Refused
from crm.domain.reviews import RECOMMENDED, RESULTS, RETURNED, PointList
from crm.domain.stages import COUNTY, ENDS, cycle_day, window_deadline
from crm.domain.viewers import OFFICE, Viewer
from crm.rules.materials import load_checklists
from crm.rules.review_points import load_review_points
from crm.store.applications import Application, ApplicationReview, evidence_of
from crm.store.changes import refuse_repetition
from crm.store.review_lists import latest_review
from crm.store.standings import Standing
from crm.store.windows import calendar
from crm.store.writer import Written, write

LATE_REASON_LENGTH = 300


@dataclass(frozen=True)
class Looked:
    """An application as the county looks at it: its review, the points that count, the materials that are missing."""

    found: Moving
    review: ApplicationReview | None
    points: PointList
    materials: Mapping[str, str]

    @property
    def title(self) -> str:
        return KINDS[self.found.application.kind].name


def may_review(viewer: Viewer, standing: Standing) -> bool:
    """Whether the viewer decides about what was handed in: the bureau of the region."""
    return viewer.has_in(standing.region_id, *OFFICE)


def points_for(kind: str, on: date) -> PointList:
    """The points to be answered for a kind on a day. Raises Refused before there were any."""
    found = load_review_points().of(kind, on)
    if found is None:
        raise Refused(f"{on} 还没有这种资格的初审要点。核对日期。")
    return found


def points_of(kind: str, review: ApplicationReview | None, today: date) -> PointList:
    """The points of a review: those in force when it was received, so that an old one reads as it was done."""
    received = words.local(review.received_at).date() if review is not None and review.received_at else today
    return points_for(kind, received)


def looked(application_id: int, act: Act) -> Looked:
    """An application for a decision, after the right was checked. Raises NotFound, NotAllowed, Refused."""
    found = moving(application_id, act, "区县初审")
    require(may_review(act.viewer, found.standing), "区县初审")
    review = latest_review(application_id)
    points = points_of(found.application.kind, review, act.effective_on)
    return Looked(found, review, points, missing_materials(found.application, act.effective_on))


def receive(
    application_id: int,
    *,
    received_at: datetime | None = None,
    late_reason: str | None = None,
    act: Act,
) -> Written:
    """收件: put on record the moment at which the county has it (None: now) and take it into the queue.

    After the county's deadline only the bureau takes it, with a reason. Raises NotFound, NotAllowed, InvalidInput,
    Refused when it is here already or has ended.
    """
    refuse_repetition(act)
    found = moving(application_id, act, "收件")
    row = found.application
    require(may_edit(act.viewer, found.standing), "收件")
    at = received_at or act.recorded_at
    review = latest_review(application_id)
    _refuse_received(found, review)
    said = (late_reason or "").strip()
    wrong = _wrong_moment(found, at, said, act)
    if wrong:
        raise InvalidInput(wrong)
    happened_on = words.local(at).date()
    values: dict[str, Any] = {"received_at": at, "late_reason": said or None}
    target = "handed_in" if "handed_in" in found.template.by_code and found.stage != RETURNED else "county_review"
    steps: list[Create | Update] = []
    if not _is_here(found):
        # What was received in time may be put on record after the deadline; the step then says when it came.
        told = said or f"{words.moment(at, act.effective_on)} 收件"
        day = max(happened_on, found.last_on or happened_on)
        steps = walk(found, target, happened_on=day, act=act, late_reason=told)
    if review is not None and review.result is None:
        own: Create | Update = Update("application_review", review.id, values, review.version)
    else:
        fields = {"application_id": row.id, "enterprise_id": row.enterprise_id, **values}
        if review is not None and review.result == RETURNED:
            # What was in order the first time need not be asked twice; what was answered no is open again.
            fields["checklist"] = reviews.without_the_noes(review.checklist) or None
        own = Create("application_review", {k: v for k, v in fields.items() if v is not None}, "review")
    return write([*steps, own], act=act, action="receive_application", region_id=found.enterprise.region_id)


def check(
    application_id: int,
    fields: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any],
    act: Act,
) -> Written:
    """Keep what was answered so far, without deciding. ``fields`` are those of reviews.flat.

    ``version`` (of the review) and ``seen`` are what the editor saw: answers to different points merge. Raises
    NotFound, NotAllowed, InvalidInput, Conflict with the fields that clash, Refused when it is not here or decided.
    """
    refuse_repetition(act)
    one = looked(application_id, act)
    review = _open_review(one)
    values = _answers(one, review, fields, version, seen)
    if review.reviewer_id is None:
        values |= {"reviewer_id": act.viewer.user_id, "reviewer_name": act.viewer.name[:60]}
    steps = _into_review(one.found, act)
    own = Update("application_review", review.id, values, review.version)
    return write([*steps, own], act=act, action="check_application", region_id=one.found.enterprise.region_id)


def decide(
    application_id: int,
    result: str,
    fields: Mapping[str, Any],
    *,
    reason: str | None = None,
    more: str | None = None,
    mend_by: date | None = None,
    version: int,
    seen: Mapping[str, Any],
    act: Act,
) -> Written:
    """Recommend, return for mending, or not recommend; with the answers of the form, the opinion, who and when.

    A point nobody answered and a missing material block a recommendation. 退回补正 tells everything at once: points
    answered no, missing materials and ``more`` (one sentence per line), with the day to mend them by. An empty opinion
    is drafted from the checklist. ``reason``: why not recommended, or why a step is taken after the county's deadline.
    Raises NotFound, NotAllowed, InvalidInput, Conflict, Refused.
    """
    refuse_repetition(act)
    one = looked(application_id, act)
    if result not in RESULTS:
        raise InvalidInput({"result": "结论从推荐上报、退回补正、不予推荐里选。"})
    review = _open_review(one)
    values = _answers(one, review, fields, version, seen)
    points, checklist = one.points.points, values["checklist"]
    said = (reason or "").strip()
    missing = reviews.missing_sentences(points, checklist, one.materials) + _lines(more)
    wrong = _problems(one, result, checklist, said, missing, mend_by, act)
    if wrong:
        raise InvalidInput(wrong)
    opinion = values["opinion"] or reviews.opinion_draft(result, one.title, points, checklist, missing)
    values |= {
        "opinion": opinion[: reviews.OPINION_LENGTH],
        "result": result,
        "reviewed_on": act.effective_on,
        "reviewer_id": act.viewer.user_id,
        "reviewer_name": act.viewer.name[:60],
    }
    if result == RETURNED:
        values |= {"missing": missing, "notified_on": act.effective_on, "mend_by": mend_by}
        said = f"{'；'.join(missing)}"[: reviews.REASON_LENGTH]
    steps = walk(
        one.found,
        result,
        happened_on=act.effective_on,
        act=act,
        reason="" if result == RECOMMENDED else said,
        late_reason=said,
        due_on=mend_by if result == RETURNED else None,
    )
    own = Update("application_review", review.id, values, review.version)
    action = {RECOMMENDED: "recommend_application", RETURNED: "return_application"}.get(result, "refuse_recommendation")
    return write([*steps, own], act=act, action=action, region_id=one.found.enterprise.region_id)


# --- reasons against -------------------------------------------------------------------------------------------------


def _refuse_received(found: Moving, review: ApplicationReview | None) -> None:
    row, template = found.application, found.template
    if row.outcome is not None:
        raise Refused(f"这件申报已{ENDS[row.outcome]}，不能再收件。")
    if not _is_here(found):
        # What went up already cannot be handed in again.
        if found.stage != RETURNED and template.place(found.stage) > template.place("county_review"):
            raise Refused(f"这件申报已到“{template.name(found.stage)}”，不用再收件。")
        return
    if review is not None and review.result is None and review.received_at is not None:
        raise Refused(f"{words.moment(review.received_at)} 已收件，不用再收。刷新后再看。")


def _wrong_moment(found: Moving, at: datetime, late_reason: str, act: Act) -> dict[str, str]:
    """What is wrong with the moment of receipt: {field: one sentence}."""
    if at > act.recorded_at:
        return {"received_at": f"收件时刻 {words.moment(at, act.effective_on)} 还没到。填实际收到的时刻。"}
    opens = found.window.opens_on if found.window else None
    if opens is not None and words.local(at).date() < opens:
        return {"received_at": f"收件时刻早于窗口开始的 {opens}。核对后改正。"}
    if len(late_reason) > LATE_REASON_LENGTH:
        return {"late_reason": f"理由不超过 {LATE_REASON_LENGTH} 个字。"}
    due = window_deadline(COUNTY, found.window)
    if due is None or at <= due:
        return {}
    when = words.moment(due, act.effective_on)
    if not may_review(act.viewer, found.standing):
        return {"received_at": f"区县截止 {when} 已过，不再收件。由业务科室写明理由才能收。"}
    return {} if late_reason else {"late_reason": f"区县截止 {when} 已过。要收，写明理由；不收就不用登记。"}


def _open_review(one: Looked) -> ApplicationReview:
    """The review that is being worked on. Raises Refused when nothing waits for the county."""
    found, review = one.found, one.review
    row = found.application
    if review is not None and review.result is not None and not _is_here(found):
        who = f"{review.reviewer_name or ''} {review.reviewed_on or ''}".strip()
        raise Refused(f"{who} 已定为“{RESULTS[review.result]}”。要改，先撤销那一步。")
    if row.outcome is not None:
        raise Refused(f"这件申报已{ENDS[row.outcome]}，不在初审。")
    if not _is_here(found):
        raise Refused(f"这件申报在“{found.template.name(found.stage) or row.stage}”，还没有收件。先收件再审。")
    if review is None or review.result is not None:
        raise Refused("还没有登记收件时刻。先收件再审。")
    return review


def _answers(
    one: Looked, review: ApplicationReview, fields: Mapping[str, Any], version: int, seen: Mapping[str, Any]
) -> dict[str, Any]:
    """The checklist and opinion as they are to stand. Raises InvalidInput, Conflict."""
    known = {f"{part}_{point.code}" for point in one.points.points for part in "an"} | {"opinion"}
    mine = {name: (str(value).strip() or None) if value else None for name, value in fields.items() if name in known}
    wrong = reviews.checklist_problems(mine, one.points.points)
    if wrong:
        raise InvalidInput(wrong)
    stored = reviews.flat(review.checklist, review.opinion)
    together, clashes = reviews.merged(stored, review.version, mine, version, seen)
    if clashes:
        raise Conflict(SAME_FIELD, clashes)
    return {"checklist": reviews.folded(together), "opinion": together.get("opinion") or None}


def _problems(
    one: Looked,
    result: str,
    checklist: Mapping[str, Any],
    reason: str,
    missing: Sequence[str],
    mend_by: date | None,
    act: Act,
) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if result == RECOMMENDED:
        against = reviews.blocking(one.points.points, checklist, list(one.materials.values()))
        if against:
            wrong["result"] = "".join(against)
    elif result == RETURNED:
        if not missing:
            wrong["more"] = "没有答否的要点，也不缺材料。写明要补正什么，一行一处。"
        if mend_by is None:
            wrong["mend_by"] = "填补正期限。"
        elif mend_by < act.effective_on:
            wrong["mend_by"] = f"补正期限 {mend_by} 已过。改成以后的日期。"
    elif not reason:
        wrong["reason"] = "写明不予推荐的理由。"
    if len(reason) > reviews.REASON_LENGTH:
        wrong["reason"] = f"理由不超过 {reviews.REASON_LENGTH} 个字。"
    return wrong


def _is_here(found: Moving) -> bool:
    """Whether it has been handed in and waits for the county."""
    return found.stage in reviews.around(list(found.template.by_code)).waiting


def _into_review(found: Moving, act: Act) -> list[Create | Update]:
    """Whoever begins to check takes it into 区县初审, where the template has both stages."""
    if found.stage != "handed_in":
        return []
    return walk(found, "county_review", happened_on=act.effective_on, act=act, late_reason="收件在前，开始初审")


def _lines(text: str | None) -> list[str]:
    return [line.strip()[:300] for line in (text or "").splitlines() if line.strip()][:50]


def material_states(applications: Iterable[Application], on: date) -> dict[int, list[ItemState]]:
    """{application: its checklist of materials as it stands on a day}, in a fixed number of queries."""
    rows = list(applications)
    windows, lists = calendar(), load_checklists()
    recorded = evidence_of([row.id for row in rows])
    found: dict[int, list[ItemState]] = {}
    for row in rows:
        window = windows.round(row.window_id, None)
        asked = lists.of(row.kind, cycle_day(row.year, window.opens_on if window else None))
        found[row.id] = judge(asked, recorded[row.id], (), year=row.year, on=on) if asked is not None else []
    return found


def missing_materials(application: Application, on: date) -> dict[str, str]:
    """{item: what the 一次性告知 says of it} of the required materials an application still lacks."""
    states = material_states([application], on)[application.id]
    lacking = [one for one in states if one.item.required and not one.done]
    return {one.item.code: missing_sentences([one])[0].rstrip("。") for one in lacking}
