"""What enterprises answer: the same decision for a line typed on screen and for a hundred returned sheets."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions import enterprises, figures
from crm.actions.attachments import Upload, creations
from crm.actions.collections import may_answer, require_open, sheet_for
from crm.actions.figures import CODES as FIGURE_CODES
from crm.actions.figures import FiguresState
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.collections import Question, question, questions
from crm.domain.refusals import SAME_FIELD, Conflict, InvalidInput, Refused
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.collections import CollectionEnterprise, asked_of
from crm.store.enterprises import Enterprise
from crm.store.figures import Figures
from crm.store.scope import readable
from crm.store.standings import Standing
from crm.store.writer import Written, from_plain, plain, write

SHEET, TYPED = "sheet", "typed"
HOW: dict[str, str] = {SHEET: "回表", TYPED: "在线填写"}


@dataclass(frozen=True)
class Known:
    """What the library holds of one enterprise before its answers: its own fields and every year of figures."""

    enterprise_id: int
    version: int
    own: Mapping[str, Any]
    years: Mapping[int, FiguresState] = field(default_factory=dict)

    def value(self, asked: Question) -> Any:
        """The stored value of a question, None while unknown."""
        if asked.field is None:
            return None
        if asked.year is None:
            return self.own.get(asked.field.code)
        state = self.years.get(asked.year)
        return None if state is None else state.values.get(asked.field.code)


@dataclass(frozen=True)
class Sealed:
    """A sheet came back signed and sealed: who signed it and on which day."""

    by: str
    on: date


def known_of(enterprise_ids: Iterable[int]) -> dict[int, Known]:
    """What the library holds of these enterprises, in two statements. Without scope: for actions that check it."""
    ids = sorted(set(enterprise_ids))
    years: dict[int, dict[int, FiguresState]] = defaultdict(dict)
    for row in db.session.scalars(select(Figures).where(Figures.enterprise_id.in_(ids), ~Figures.deleted)):
        values = {code: getattr(row, code) for code in FIGURE_CODES}
        years[row.enterprise_id][row.year] = FiguresState(row.id, row.version, values, row.confirmed or {})
    own = sorted(enterprises.OWN_FIELDS)
    columns = (Enterprise.id, Enterprise.version, *(getattr(Enterprise, code) for code in own))
    return {
        row[0]: Known(row[0], row[1], dict(zip(own, row[2:], strict=True)), years.get(row[0], {}))
        for row in db.session.execute(select(*columns).where(Enterprise.id.in_(ids), ~Enterprise.deleted))
    }


def readable_questions(paths: Iterable[str], viewer: Viewer, standing: Standing) -> frozenset[str]:
    """The paths of which this viewer may read the answer at one enterprise.

    Whoever reads the class of a field reads its answer. A township, park or carrier reads beyond its classes exactly
    the figures that an open collection asks its enterprise for (product.md, Field classes), and nothing else.
    """
    wanted = questions(paths)
    codes = readable("enterprise", viewer, standing), readable("figures", viewer, standing)
    found = {one.path for one in wanted if one.field is None or one.field.code in codes[one.field.noun == "figures"]}
    if len(found) < len(wanted) and may_answer(viewer, standing):
        found |= {one.path for one in wanted} & asked_of(standing.enterprise_id)
    return frozenset(found)


def problems(asked: Question, value: Any, *, today: date) -> str:
    """What is wrong with an answer beyond its form; empty when nothing is."""
    if asked.field is None or value is None:
        return ""
    code = asked.field.code
    if asked.year is not None:
        wrong = figures.problems(asked.year, {code: value}, today=today)
    else:
        wrong = enterprises.problems({code: value}, today=today)
    return wrong.get(code) or wrong.get("year") or ""


def decide(known: Known, answers: Mapping[str, Any], *, confirmed: Mapping[str, Any] | None) -> list[Create | Update]:
    """The changes that bring an enterprise to its answers: pure. ``answers`` are {path: value}.

    ``confirmed`` is the entry with which a sealed sheet confirms every figure it states, also one that was known.
    """
    changes: list[Create | Update] = []
    own: dict[str, Any] = {}
    years: dict[int, dict[str, Any]] = defaultdict(dict)
    for path, value in answers.items():
        asked = question(path)
        if asked is None or asked.field is None:
            continue
        if asked.year is None:
            own[asked.field.code] = value
        else:
            years[asked.year][asked.field.code] = value
    differing = {code: value for code, value in own.items() if known.own.get(code) != value}
    if differing:
        changes.append(Update("enterprise", known.enterprise_id, differing, known.version))
    for year, values in sorted(years.items()):
        changes += _figures(known, year, values, confirmed)
    return changes


def _figures(known: Known, year: int, values: Mapping[str, Any], entry: Mapping[str, Any] | None) -> list[Any]:
    state = known.years.get(year)
    stated = {code: value for code, value in values.items() if value is not None}
    if state is None and not stated:
        return []
    key = ("figures", known.enterprise_id, year)
    changes = figures.decide(
        state, known.enterprise_id, year, values, key=key, version=state.version if state else None
    )
    if entry is None or not stated:
        return changes
    sealed = {code: dict(entry) for code in stated}
    if state is None:
        [create] = changes
        return [replace(create, values={**create.values, "confirmed": sealed})]
    left = {code: old for code, old in state.confirmed.items() if code not in values}
    if not changes:
        return [Update("figures", state.id, {"confirmed": {**state.confirmed, **sealed}}, state.version)]
    [update] = changes
    return [replace(update, values={**update.values, "confirmed": {**left, **sealed}})]


def confirmation(sealed: Sealed, collection_id: int) -> dict[str, Any]:
    """The entry a sealed sheet leaves at every figure it states."""
    return {"by": sealed.by, "at": sealed.on.isoformat(), "collection": collection_id}


def said(row: CollectionEnterprise, answers: Mapping[str, Any]) -> dict[str, Any]:
    """What an enterprise has said by now, in the form in which it is kept."""
    return {**(row.answers or {}), **{path: plain(value) for path, value in answers.items() if value is not None}}


def sealed_problems(by: str | None, on: date | None, *, today: date) -> dict[str, str]:
    """What is wrong with a signature: {field: sentence}."""
    wrong: dict[str, str] = {}
    if not (by or "").strip():
        wrong["authorised_by"] = "写谁签的字。"
    elif len(by or "") > 60:
        wrong["authorised_by"] = "签字人最多 60 个字。改短后再存。"
    if on is None:
        wrong["authorised_on"] = "填签字日期。"
    elif on > today:
        wrong["authorised_on"] = f"签字日期 {on} 还没到。核对后改正。"
    return wrong


def answer_sheet(
    sheet_id: int,
    answers: Mapping[str, Any],
    *,
    seen: Mapping[str, Any],
    complete: bool = False,
    act: Act,
) -> Written:
    """Type in what an enterprise answered; it counts as returned once nothing is open, or when ``complete`` says so.

    ``answers`` are {path: value} of what was changed, ``seen`` the values that were shown. Only what is asked is
    written. Raises NotFound, NotAllowed, InvalidInput, Refused when closed or excused, and Conflict with {path: …}
    where somebody else entered another value meanwhile.
    """
    sheet, row, standing = sheet_for(sheet_id, act.viewer)
    require(may_answer(act.viewer, standing), "填这张采集表")
    require_open(row)
    if sheet.excused_reason:
        raise Refused("这家企业已登记免填。要填，先取消免填。")
    given = {path: value for path, value in answers.items() if path in set(sheet.questions)}
    wrong = {}
    for one in questions(given):
        sentence = problems(one, given[one.path], today=act.effective_on)
        if sentence:
            wrong[one.path] = sentence
    if wrong:
        raise InvalidInput(wrong)
    [known] = known_of([sheet.enterprise_id]).values()
    _require_unmoved(known, given, seen)
    stored = {one.path: known.value(one) for one in questions(sheet.questions)} | dict(given)
    open_ = [path for path, value in stored.items() if value is None and not path.startswith("ip.")]
    values: dict[str, Any] = {"answers": said(sheet, given)}
    if complete or not open_:
        values |= {"returned_on": act.effective_on, "returned_how": TYPED}
    changes = [*decide(known, given, confirmed=None), Update("collection_enterprise", sheet.id, values, sheet.version)]
    told = replace(act, reason=f"采集：{row.title}")
    return write(changes, act=told, action="answer_sheet", region_id=row.region_id)


def _require_unmoved(known: Known, given: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
    clashes = {}
    for one in questions(given):
        stored = known.value(one)
        if stored != seen.get(one.path) and stored != given[one.path]:
            clashes[one.path] = (seen.get(one.path), stored, given[one.path])
    if clashes:
        raise Conflict(SAME_FIELD, clashes)


def authorise(sheet_id: int, *, by: str | None, on: date | None, scans: Sequence[Upload] = (), act: Act) -> Written:
    """The signed and sealed sheet has come: the enterprise agrees, and confirms the figures that stand as it said them.

    Figures that somebody changed since are left unconfirmed. ``scans`` of the sealed sheet are hung on it. Raises
    NotFound, NotAllowed, InvalidInput.
    """
    sheet, row, standing = sheet_for(sheet_id, act.viewer)
    require(may_answer(act.viewer, standing), "登记盖章件")
    wrong = sealed_problems(by, on, today=act.effective_on)
    if wrong:
        raise InvalidInput(wrong)
    assert by is not None and on is not None
    [known] = known_of([sheet.enterprise_id]).values()
    entry = confirmation(Sealed(by.strip(), on), row.id)
    years: dict[int, dict[str, Any]] = defaultdict(dict)
    for path, value in (sheet.answers or {}).items():
        asked = question(path)
        if asked is None or asked.year is None or asked.field is None:
            continue
        if from_plain(asked.field.noun, asked.field.code, value) == known.value(asked):
            years[asked.year][asked.field.code] = dict(entry)
    changes: list[Create | Update] = [
        Update("figures", known.years[year].id, {"confirmed": {**known.years[year].confirmed, **sealed}})
        for year, sealed in sorted(years.items())
    ]
    values: dict[str, Any] = {"authorised_by": by.strip(), "authorised_on": on}
    changes.append(Update("collection_enterprise", sheet.id, values, sheet.version))
    changes += creations(
        scans,
        noun="collection_enterprise",
        record_id=sheet.id,
        region_id=row.region_id,
        enterprise_id=sheet.enterprise_id,
        values={"title": "采集表盖章件", "dated_on": on, "confidential": True},
        act=act,
    )
    told = replace(act, reason=f"采集：{row.title}")
    return write(changes, act=told, action="authorise_sheet", region_id=row.region_id)
